//! What intake, complaint and dispatch say, for tests.

use std::sync::atomic::{AtomicI32, Ordering};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use steward_kernel::{Role, message::Contract, reference::reference};
use steward_proto::{complaint, dispatch, intake as pb};
use steward_testkit::{Kit, TENANT, db::new_id, eventually};
use uuid::Uuid;

/// The service under test.
pub(crate) const NAME: &str = "feedback-analytics";

/// An estate that intake has registered.
pub(crate) async fn estate(kit: &Kit) -> Uuid {
    let estate_id = new_id();
    let registered = pb::EstateRegistered {
        estate_id: estate_id.to_string(),
        code: "YX".to_owned(),
        name: "御溪花园".to_owned(),
        region: String::new(),
        time_zone: "Asia/Shanghai".to_owned(),
        at_ms: kit.clock.now().timestamp_millis(),
    };
    kit.publish(TENANT, estate_id, 1, 0, registered).await;
    let path = format!("/v1/metrics?estate_id={estate_id}");
    eventually("the estate is known", || async {
        (kit.client(Role::Manager).get(&path).await.status == 200).then_some(())
    })
    .await;
    estate_id
}

/// A case as intake tells of it.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    kit: &'a Kit,
    pub(crate) id: Uuid,
    pub(crate) estate: Uuid,
    pub(crate) resident: Option<Uuid>,
    kind: &'static str,
    said_at: DateTime<Utc>,
    version: AtomicI32,
    words: AtomicI32,
}

impl<'a> Case<'a> {
    /// Opens one; a suggestion comes with its words.
    pub(crate) async fn open(kit: &'a Kit, estate: Uuid, kind: &'static str, resident: Option<Uuid>) -> Case<'a> {
        let case = Self::unheard(kit, estate, kind, resident);
        case.opened().await;
        if kind == "suggestion" {
            case.say(case.suggestion("车棚里多装几个充电桩吧")).await;
            let path = format!("/v1/suggestions/{}", case.id);
            eventually("the suggestion is here", || async {
                (kit.client(Role::Manager).get(&path).await.status == 200).then_some(())
            })
            .await;
        }
        case
    }

    /// One of which nothing was told yet.
    pub(crate) fn unheard(kit: &'a Kit, estate: Uuid, kind: &'static str, resident: Option<Uuid>) -> Case<'a> {
        let said_at = kit.clock.now() - TimeDelta::minutes(30);
        Case { kit, id: new_id(), estate, resident, kind, said_at, version: 0.into(), words: 0.into() }
    }

    /// Tells something of it, in order.
    pub(crate) async fn say<C: Contract>(&self, message: C) {
        let previous = self.version.fetch_add(1, Ordering::Relaxed);
        self.kit.publish(TENANT, self.id, previous + 1, previous, message).await;
    }

    pub(crate) async fn opened(&self) {
        self.say(pb::CaseOpened {
            case_id: self.id.to_string(),
            reference: "C-261123-00000".to_owned(),
            kind: self.kind.to_owned(),
            category: "other".to_owned(),
            priority: "P3".to_owned(),
            channel: "app".to_owned(),
            estate_id: self.estate.to_string(),
            resident_id: self.resident.map(|id| id.to_string()).unwrap_or_default(),
            language: "zh-Hant".to_owned(),
            said_at_ms: self.said_at.timestamp_millis(),
            opened_at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        })
        .await;
    }

    pub(crate) fn suggestion(&self, words: &str) -> pb::SuggestionReceived {
        pb::SuggestionReceived {
            case_id: self.id.to_string(),
            reference: reference('G', self.id, NaiveDate::default()),
            kind: self.kind.to_owned(),
            category: "ev.charging".to_owned(),
            priority: "P4".to_owned(),
            estate_id: self.estate.to_string(),
            resident_id: self.resident.map(|id| id.to_string()).unwrap_or_default(),
            language: "zh-Hant".to_owned(),
            words: words.to_owned(),
            opened_at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        }
    }

    pub(crate) async fn progress(&self, status: &str, milestone: &str, human: bool) {
        self.say(self.progressed(status, milestone, human)).await;
    }

    pub(crate) fn progressed(&self, status: &str, milestone: &str, human: bool) -> pb::CaseProgressed {
        pb::CaseProgressed {
            case_id: self.id.to_string(),
            reference: "C-261123-00000".to_owned(),
            kind: self.kind.to_owned(),
            category: "other".to_owned(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            resident_id: self.resident.map(|id| id.to_string()).unwrap_or_default(),
            language: "zh-Hant".to_owned(),
            status: status.to_owned(),
            stage: milestone.to_owned(),
            milestone: milestone.to_owned(),
            human,
            at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        }
    }

    pub(crate) async fn cancel(&self) {
        self.say(pb::CaseCancelled {
            case_id: self.id.to_string(),
            kind: self.kind.to_owned(),
            estate_id: self.estate.to_string(),
            at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        })
        .await;
    }

    /// What the service that handles it heard from the owner.
    pub(crate) async fn owner_says(&self, satisfied: bool) {
        let (case_id, estate_id) = (self.id.to_string(), self.estate.to_string());
        let at_ms = self.kit.clock.now().timestamp_millis();
        let previous = self.words.fetch_add(1, Ordering::Relaxed);
        if self.kind == "complaint" {
            let word = complaint::ComplaintConfirmed { case_id, estate_id, at_ms, satisfied, ..Default::default() };
            self.kit.publish(TENANT, self.id, previous + 1, previous, word).await;
        } else {
            let word = dispatch::ServiceRequestVerified { case_id, estate_id, at_ms, satisfied, ..Default::default() };
            self.kit.publish(TENANT, self.id, previous + 1, previous, word).await;
        }
    }

    /// The open survey of its owner, once it is there.
    pub(crate) async fn survey(&self) -> Value {
        let owner = self.kit.owner(self.resident.unwrap_or_default());
        eventually("the owner is asked", || async {
            let surveys = owner.get("/v1/surveys").await.ok();
            let mut items = surveys["items"].as_array()?.clone().into_iter();
            items.find(|survey| survey["case_id"] == self.id.to_string())
        })
        .await
    }
}

/// The figures of an estate, once they look like this.
pub(crate) async fn metrics_when(
    kit: &Kit,
    estate: Uuid,
    what: &str,
    right: impl Fn(&Value) -> bool + Send + Sync,
) -> Value {
    let path = format!("/v1/metrics?estate_id={estate}");
    eventually(what, || async {
        let metrics = kit.client(Role::Analyst).get(&path).header("accept-language", "en").await.ok();
        right(&metrics).then_some(metrics)
    })
    .await
}

/// What intake says of the time and responsibility of one case: a stream of its own.
#[derive(Debug)]
pub(crate) struct Stewardship<'a> {
    kit: &'a Kit,
    pub(crate) case: Uuid,
    estate: Uuid,
    stream: Uuid,
    version: AtomicI32,
}

/// A clock of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) id: Uuid,
    pub(crate) measure: &'static str,
    pub(crate) party: &'static str,
    pub(crate) late_entry: bool,
}

impl Clock {
    pub(crate) fn of(measure: &'static str, party: &'static str) -> Self {
        Self { id: new_id(), measure, party, late_entry: false }
    }
}

impl<'a> Stewardship<'a> {
    pub(crate) fn new(kit: &'a Kit, estate: Uuid, case: Uuid) -> Stewardship<'a> {
        // The kit publishes everything as one kind of thing, so another id stands for another kind.
        Stewardship { kit, case, estate, stream: new_id(), version: 0.into() }
    }

    /// Tells something of it, in order.
    pub(crate) async fn say<C: Contract>(&self, message: C) {
        let previous = self.version.fetch_add(1, Ordering::Relaxed);
        self.tell(previous + 1, message).await;
    }

    /// Tells the event of that version, whether it is its turn or not.
    pub(crate) async fn tell<C: Contract>(&self, version: i32, message: C) {
        self.kit.publish(TENANT, self.stream, version, version - 1, message).await;
    }

    pub(crate) fn breached(&self, clock: Clock) -> pb::ClockBreached {
        pb::ClockBreached {
            clock_id: clock.id.to_string(),
            case_id: self.case.to_string(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            measure: clock.measure.to_owned(),
            party: clock.party.to_owned(),
            episode: 1,
            late_entry: clock.late_entry,
            due_at_ms: self.now(),
            at_ms: self.now(),
            ..Default::default()
        }
    }

    /// * `outcome`: `met`, `missed`, `void`; an hour of it counted, a quarter of an hour was paused.
    pub(crate) fn stopped(&self, clock: Clock, outcome: &str) -> pb::ClockStopped {
        pb::ClockStopped {
            clock_id: clock.id.to_string(),
            case_id: self.case.to_string(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            measure: clock.measure.to_owned(),
            party: clock.party.to_owned(),
            episode: 1,
            outcome: outcome.to_owned(),
            elapsed_seconds: 3_600,
            paused_seconds: 900,
            late_entry: clock.late_entry,
            at_ms: self.now(),
            ..Default::default()
        }
    }

    pub(crate) fn escalated(&self, level: &str, cause: &str) -> pb::EscalationRaised {
        pb::EscalationRaised {
            escalation_id: new_id().to_string(),
            case_id: self.case.to_string(),
            estate_id: self.estate.to_string(),
            level: level.to_owned(),
            cause: cause.to_owned(),
            rung: 1,
            at_ms: self.now(),
            ..Default::default()
        }
    }

    pub(crate) fn acknowledged(&self) -> pb::EscalationAcknowledged {
        pb::EscalationAcknowledged {
            escalation_id: new_id().to_string(),
            case_id: self.case.to_string(),
            estate_id: self.estate.to_string(),
            account: "lead-1".to_owned(),
            at_ms: self.now(),
            ..Default::default()
        }
    }

    pub(crate) fn promised(&self, team: &str) -> pb::PromiseMade {
        pb::PromiseMade {
            promise_id: new_id().to_string(),
            case_id: self.case.to_string(),
            estate_id: self.estate.to_string(),
            what: "appointment".to_owned(),
            team: team.to_owned(),
            due_at_ms: self.now(),
            at_ms: self.now(),
            ..Default::default()
        }
    }

    /// A promise that ended `kept`, `broken`, `moved` or `void`.
    pub(crate) fn ended(&self, team: &str, outcome: &str) -> pb::PromiseEnded {
        pb::PromiseEnded {
            promise_id: new_id().to_string(),
            case_id: self.case.to_string(),
            estate_id: self.estate.to_string(),
            what: "appointment".to_owned(),
            team: team.to_owned(),
            outcome: outcome.to_owned(),
            at_ms: self.now(),
            ..Default::default()
        }
    }

    pub(crate) fn prioritised(&self, priority: &str) -> pb::CasePrioritised {
        pb::CasePrioritised {
            case_id: self.case.to_string(),
            priority: priority.to_owned(),
            previous_priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            at_ms: self.now(),
            ..Default::default()
        }
    }

    fn now(&self) -> i64 {
        self.kit.clock.now().timestamp_millis()
    }
}
