//! Owners and desks who open cases all the time, and what must be true of every case that they were answered about.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use steward_chassis::Clock;
use steward_testkit::{Client, db::new_id, wait::within};
use tokio::task::JoinHandle;

use crate::{
    company::{Company, all, text},
    processes::{PATIENCE, SERVICES, System, client},
};

const KINDS: [&str; 4] = ["complaint", "service_request", "suggestion", "inquiry"];

/// What one request came to.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A case was opened.
    Opened(Opened),
    /// Nobody listened.
    Refused,
    /// The connection broke before there was an answer.
    Broken {
        /// The request's `Idempotency-Key`.
        key: String,
        /// How it broke.
        fault: String,
    },
    /// Something no app should ever see.
    Wrong {
        /// Of the answer.
        status: u16,
        /// Of the answer.
        body: String,
    },
}

/// A case that somebody was told of.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The case.
    pub case_id: String,
    /// `complaint`
    pub kind: &'static str,
    /// Whether it is known whose matter it is.
    pub resident: bool,
    /// When it was asked for, at first.
    pub asked_at: DateTime<Utc>,
    /// When the answer was there.
    pub answered_at: DateTime<Utc>,
}

/// How a client deals with a network that fails it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Asks again under the same key until there is an answer, as an app does.
    Stubborn,
    /// Asks once, on a connection of its own.
    Once,
    /// Asks once, on connections that it keeps: whatever goes wrong shows.
    Unforgiving,
    /// Asks again as a stubborn one does, one request in each such time, also after it had to wait; each case that was opened is read.
    Steady(Duration),
}

impl Manner {
    fn asks_again(self) -> bool {
        matches!(self, Self::Stubborn | Self::Steady(_))
    }
}

/// Owners and desks who open cases all the time.
#[derive(Debug)]
pub struct Crowd {
    stop: Arc<AtomicBool>,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Lets so many of them begin.
    ///
    /// * `url`: of intake, or of the gateway.
    /// * `token`: of the desk.
    #[must_use]
    pub fn gather(size: usize, manner: Manner, url: &str, token: &str, company: &Company) -> Self {
        let (stop, outcomes) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let clients = (0..size).map(|number| {
            let asker = Asker::new(manner, url, token, company, number);
            tokio::spawn(asker.ask_until(Arc::clone(&stop), Arc::clone(&outcomes)))
        });
        Self { clients: clients.collect(), stop, outcomes }
    }

    /// How many cases were opened so far.
    #[must_use]
    pub fn opened(&self) -> usize {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Opened(_))).count()
    }

    /// Waits until so many more requests were answered.
    ///
    /// # Panics
    /// When they are not.
    pub async fn is_served(&self, more: usize, while_what: &str) {
        let before = self.opened();
        within(PATIENCE, &format!("requests are answered {while_what}"), || async {
            (self.opened() >= before + more).then_some(())
        })
        .await;
    }

    /// Lets everybody finish the request they are at; what all of them came to.
    ///
    /// # Panics
    /// When a client did.
    pub async fn disperse(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("a client");
        }
        std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The cases, where nobody was left without one.
///
/// # Panics
/// When somebody was.
#[must_use]
pub fn all_opened(outcomes: Vec<Outcome>) -> Vec<Opened> {
    let opened = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Opened(opened) => opened,
        other => panic!("{other:?}"),
    });
    opened.collect()
}

struct Asker {
    manner: Manner,
    desk: Client,
    company: Company,
    turn: usize,
}

impl Asker {
    fn new(manner: Manner, url: &str, token: &str, company: &Company, turn: usize) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10));
        let http = if manner == Manner::Once { http.pool_max_idle_per_host(0) } else { http };
        let desk = client(url, Some(token.to_owned())).through(http.build().expect("a client"));
        Self { manner, desk, company: company.clone(), turn }
    }

    async fn ask_until(mut self, stop: Arc<AtomicBool>, outcomes: Arc<Mutex<Vec<Outcome>>>) {
        let mut pace = match self.manner {
            Manner::Steady(each) => Some(tokio::time::interval(each)),
            _ => None,
        };
        while !stop.load(Ordering::Relaxed) {
            turn(pace.as_mut()).await;
            let mut outcome = self.ask().await;
            if let (Some(_), Outcome::Opened(case)) = (&pace, &outcome) {
                turn(pace.as_mut()).await;
                outcome = self.read(case.clone()).await;
            }
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
            if self.manner == Manner::Stubborn {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Whoever was told of a case finds it, at once.
    async fn read(&self, case: Opened) -> Outcome {
        let path = format!("/v1/cases/{}", case.case_id);
        loop {
            match self.desk.get(&path).try_send().await {
                Ok(answer) if answer.status == 200 => return Outcome::Opened(case),
                Ok(answer) if !is_passing(answer.status) => {
                    return Outcome::Wrong { status: answer.status, body: answer.text() };
                }
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn ask(&mut self) -> Outcome {
        self.turn += 1;
        let (kind, resident) = (KINDS[self.turn % KINDS.len()], !self.turn.is_multiple_of(7));
        let mut body = json!({
            "kind": kind, "channel": "phone", "words": format!("電梯又停了，請派人來看看（{}）", self.turn),
            "estate_id": self.company.estate_id,
        });
        if resident {
            let one = &self.company.residents[self.turn % self.company.residents.len()];
            body["resident_id"] = json!(one.resident_id);
            body["unit_id"] = json!(one.unit_id);
        }
        let (key, asked_at) = (new_id().to_string(), Clock::System.now());
        loop {
            let outcome = match self.desk.post("/v1/cases", body.clone()).key(&key).try_send().await {
                Ok(answer) if answer.status == 201 => {
                    let (case_id, answered_at) = (text(&answer.json(), "case_id"), Clock::System.now());
                    return Outcome::Opened(Opened { case_id, kind, resident, asked_at, answered_at });
                }
                Ok(answer) if !self.manner.asks_again() || !is_passing(answer.status) => {
                    return Outcome::Wrong { status: answer.status, body: answer.text() };
                }
                Ok(answer) => Outcome::Broken { key: key.clone(), fault: answer.status.to_string() },
                Err(fault) if is_refused(&fault) => Outcome::Refused,
                Err(fault) => Outcome::Broken { key: key.clone(), fault: format!("{fault:?}") },
            };
            if !self.manner.asks_again() {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn turn(pace: Option<&mut tokio::time::Interval>) {
    if let Some(pace) = pace {
        pace.tick().await;
    }
}

/// Whether nobody listened.
fn is_refused(fault: &anyhow::Error) -> bool {
    fault.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
}

/// Whether an app asks again: somebody is at it, too much at once, away for now.
fn is_passing(status: u16) -> bool {
    matches!(status, 409 | 429 | 503)
}

/// The cases of a list, one for each of its items.
#[must_use]
pub fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| text(item, "case_id")).collect()
}

/// The list has each of these exactly once, and nothing else.
///
/// # Panics
/// When it has not.
#[track_caller]
pub fn exactly(what: &str, found: &[String], expected: &BTreeSet<String>) {
    let mut times = BTreeMap::<&String, usize>::new();
    for id in found {
        *times.entry(id).or_default() += 1;
    }
    let missing: Vec<_> = expected.iter().filter(|id| !times.contains_key(id)).collect();
    let unasked: Vec<_> = times.keys().filter(|id| !expected.contains(**id)).collect();
    let repeated: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        missing.is_empty() && unasked.is_empty() && repeated.is_empty(),
        "{what}, of {}: missing {missing:?}, never asked for {unasked:?}, repeated {repeated:?}",
        expected.len()
    );
}

/// Each case is there exactly once, in every service, with all its consequences, and nothing else is.
///
/// # Panics
/// When it is not.
pub async fn everything_is_there_once(system: &System, admin: &Client, company: &Company, cases: &[Opened]) {
    let mut of_kind = BTreeMap::<&str, BTreeSet<String>>::new();
    let (mut opened, mut told) = (BTreeSet::new(), BTreeSet::new());
    for case in cases {
        assert!(opened.insert(case.case_id.clone()), "two requests got the same case");
        of_kind.entry(case.kind).or_default().insert(case.case_id.clone());
        if case.resident {
            told.insert(case.case_id.clone());
        }
    }
    assert!(!opened.is_empty(), "nobody was answered");
    // What nobody can be told, since nobody knows whose matter it is, is kept without a resident.
    let receipt = |message: &Value| message["template"] == "received" && message["resident_id"].is_string();
    let receipts = async || all(admin, "/v1/messages").await.into_iter().filter(receipt).collect::<Vec<_>>();
    let lists = [
        ("/v1/cases", &opened),
        ("/v1/complaints", &of_kind["complaint"]),
        ("/v1/service-requests", &of_kind["service_request"]),
        ("/v1/suggestions", &of_kind["suggestion"]),
        ("/v1/inquiries", &of_kind["inquiry"]),
    ];
    // First everything comes; then nothing more comes.
    for (path, expected) in lists {
        let complete = async || all(admin, path).await.len() >= expected.len();
        within(PATIENCE, &format!("all are in {path}"), || async { complete().await.then_some(()) }).await;
    }
    within(PATIENCE, "all owners are told", || async { (receipts().await.len() >= told.len()).then_some(()) }).await;
    system.quiet(PATIENCE).await;
    for (path, expected) in lists {
        exactly(path, &ids(&all(admin, path).await), expected);
    }
    exactly("receipts to owners", &ids(&receipts().await), &told);
    let metrics = admin.get(&format!("/v1/metrics?estate_id={}", company.estate_id)).await.ok();
    assert_eq!(metrics["cases"]["opened"], json!(opened.len()), "{metrics}");
}

/// Every service is ready and says that it is well, and no message is parked.
///
/// # Panics
/// When it is not so in time.
pub async fn everything_is_well(system: &System) {
    system.ready().await;
    assert_eq!(system.sum("SELECT count(*) FROM {}.dead_letter").await, 0, "nothing is parked");
    for name in SERVICES {
        let client = client(&system.service(name).url(), None);
        within(PATIENCE, &format!("{name} is well"), || async {
            let report = client.get("/health").await;
            (report.status == 200 && report.json()["status"] == "ok").then_some(())
        })
        .await;
    }
}
