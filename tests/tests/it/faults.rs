//! Whatever is killed, and whenever: an answered request is there exactly once, with all its consequences, and the system heals
//! without a hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use steward_e2e::{
    company::{Company, all, text},
    processes::{PATIENCE, SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::{Client, db::new_id, servers::Postgres, wait::within};
use tokio::task::JoinHandle;

const KINDS: [&str; 4] = ["complaint", "service_request", "suggestion", "inquiry"];

/// What one request came to.
#[derive(Debug, Clone)]
enum Outcome {
    /// A case was opened.
    Opened { case_id: String, kind: &'static str, resident: bool },
    /// Nobody listened.
    Refused,
    /// The connection broke before there was an answer.
    Broken { key: String, fault: String },
    /// Something no app should ever see.
    Wrong { status: u16, body: String },
}

/// How a client deals with a network that fails it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    /// Asks again under the same key until there is an answer, as an app does.
    Stubborn,
    /// Asks once, on a connection of its own.
    Once,
}

/// Owners and desks who open cases all the time.
struct Crowd {
    stop: Arc<AtomicBool>,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn gather(size: usize, manner: Manner, url: &str, token: &str, company: &Company) -> Self {
        let (stop, outcomes) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let clients = (0..size).map(|number| {
            let asker = Asker::new(manner, url, token, company, number);
            tokio::spawn(asker.ask_until(Arc::clone(&stop), Arc::clone(&outcomes)))
        });
        Self { clients: clients.collect(), stop, outcomes }
    }

    fn opened(&self) -> usize {
        let outcomes = self.outcomes.lock().unwrap();
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Opened { .. })).count()
    }

    /// Waits until so many more requests were answered.
    async fn is_served(&self, more: usize, while_what: &str) {
        let before = self.opened();
        within(PATIENCE, &format!("requests are answered {while_what}"), || async {
            (self.opened() >= before + more).then_some(())
        })
        .await;
    }

    /// Lets everybody finish the request they are at; what all of them came to.
    async fn disperse(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("a client");
        }
        std::mem::take(&mut *self.outcomes.lock().unwrap())
    }
}

struct Asker {
    manner: Manner,
    http: reqwest::Client,
    url: String,
    token: String,
    company: Company,
    turn: usize,
}

impl Asker {
    fn new(manner: Manner, url: &str, token: &str, company: &Company, turn: usize) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10));
        let http = if manner == Manner::Once { http.pool_max_idle_per_host(0) } else { http };
        let http = http.build().expect("a client");
        Self { manner, http, url: format!("{url}/v1/cases"), token: token.to_owned(), company: company.clone(), turn }
    }

    async fn ask_until(mut self, stop: Arc<AtomicBool>, outcomes: Arc<Mutex<Vec<Outcome>>>) {
        while !stop.load(Ordering::Relaxed) {
            let outcome = self.ask().await;
            outcomes.lock().unwrap().push(outcome);
            if self.manner == Manner::Stubborn {
                tokio::time::sleep(Duration::from_millis(20)).await;
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
        let key = new_id().to_string();
        loop {
            let outcome = match self.send(&key, &body).await {
                Ok((201, body)) => match serde_json::from_str::<Value>(&body) {
                    Ok(case) => return Outcome::Opened { case_id: text(&case, "case_id"), kind, resident },
                    Err(fault) => Outcome::Broken { key: key.clone(), fault: fault.to_string() },
                },
                Ok((status, body)) if self.manner == Manner::Once || !is_passing(status) => {
                    return Outcome::Wrong { status, body };
                }
                Ok((status, _)) => Outcome::Broken { key: key.clone(), fault: status.to_string() },
                Err(fault) if fault.is_connect() => Outcome::Refused,
                Err(fault) => Outcome::Broken { key: key.clone(), fault: format!("{fault:?}") },
            };
            if self.manner == Manner::Once {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn send(&self, key: &str, body: &Value) -> reqwest::Result<(u16, String)> {
        let request = self.http.post(&self.url).bearer_auth(&self.token).header("idempotency-key", key).json(body);
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

/// Whether an app asks again: somebody is at it, too much at once, nobody behind the gateway, away for now.
fn is_passing(status: u16) -> bool {
    matches!(status, 409 | 429 | 502..=504)
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| text(item, "case_id")).collect()
}

/// The list has each of these exactly once, and nothing else.
#[track_caller]
fn exactly(what: &str, found: &[String], expected: &BTreeSet<String>) {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_or_done_twice_and_all_heals_by_itself() {
    let mut postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start_all().await;
    let admin = Client::over_network(&system.url(), Some(system.token(Role::Admin)));
    let company = Company::import(&admin, 50).await;
    let token = system.token(Role::Receptionist);
    let crowd = Crowd::gather(4, Manner::Stubborn, &system.url(), &token, &company);
    crowd.is_served(20, "while all is well").await;

    for name in SERVICES {
        system.service_mut(name).kill();
        if name == "intake" {
            tokio::time::sleep(Duration::from_millis(500)).await;
        } else {
            crowd.is_served(20, &format!("while {name} is away")).await;
        }
        system.start(name);
        system.ready().await;
        crowd.is_served(10, &format!("after {name} is back")).await;
    }

    postgres.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    postgres.restart();
    crowd.is_served(20, "after PostgreSQL is back").await;

    system.nats.kill();
    crowd.is_served(20, "while NATS is away").await;
    system.nats.restart();
    crowd.is_served(20, "after NATS is back").await;

    system.nats.wipe();
    crowd.is_served(20, "after JetStream lost everything").await;

    let outcomes = crowd.disperse().await;
    everything_is_there_once(&system, &admin, &company, &outcomes).await;
    everything_is_well(&system).await;
}

async fn everything_is_there_once(system: &System, admin: &Client, company: &Company, outcomes: &[Outcome]) {
    let mut of_kind = BTreeMap::<&str, BTreeSet<String>>::new();
    let (mut opened, mut told) = (BTreeSet::new(), BTreeSet::new());
    for outcome in outcomes {
        let Outcome::Opened { case_id, kind, resident } = outcome else { panic!("{outcome:?}") };
        assert!(opened.insert(case_id.clone()), "two requests got the same case");
        of_kind.entry(kind).or_default().insert(case_id.clone());
        if *resident {
            told.insert(case_id.clone());
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

async fn everything_is_well(system: &System) {
    system.ready().await;
    assert_eq!(system.sum("SELECT count(*) FROM {}.dead_letter").await, 0, "nothing is parked");
    for name in SERVICES {
        let client = Client::over_network(&system.service(name).url(), None);
        within(PATIENCE, &format!("{name} is well"), || async {
            let report = client.get("/health").await;
            (report.status == 200 && report.json()["status"] == "ok").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_asked_to_stop_answers_whom_it_has_heard() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start("intake");
    system.ready().await;
    let admin = Client::over_network(&system.service("intake").url(), Some(system.token(Role::Admin)));
    let company = Company::import(&admin, 20).await;
    let (url, token) = (system.service("intake").url(), system.token(Role::Receptionist));
    let crowd = Crowd::gather(8, Manner::Once, &url, &token, &company);
    crowd.is_served(100, "before the stop").await;

    let intake = system.service_mut("intake");
    assert!(tokio::task::block_in_place(|| intake.stop()), "intake ended well");
    let outcomes = crowd.disperse().await;

    let mut opened = BTreeSet::new();
    for outcome in &outcomes {
        match outcome {
            Outcome::Opened { case_id, .. } => assert!(opened.insert(case_id.clone())),
            Outcome::Refused => {}
            // Closed before the service had read a word: then it has done nothing either.
            Outcome::Broken { key, fault } => {
                let claimed = format!("SELECT count(*) FROM intake.command_log WHERE command_key LIKE '%{key}'");
                assert_eq!(system.figure(&claimed).await, 0, "done, but not answered: {fault}");
            }
            Outcome::Wrong { status, body } => panic!("answered {status}: {body}"),
        }
    }
    system.start("intake");
    system.ready().await;
    exactly("cases", &ids(&all(&admin, "/v1/cases").await), &opened);
}
