//! Notification against real Postgres and NATS.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod consumers;
mod contracts;
mod digests;
mod ended;
mod hearing;
mod messages;
mod notices;
mod preferences;
mod tasks;
mod told;

use serde_json::Value;
use steward_kernel::Role;
use steward_proto::{feedback_analytics, intake};
use steward_testkit::{Client, Kit, TENANT, db::new_id, eventually};
use uuid::Uuid;

const NAME: &str = "notification";

/// A case of a household, told by its events.
struct Story {
    case: Uuid,
    estate: Uuid,
    /// Whose matter it is; nil is nobody's.
    resident: Uuid,
    kind: &'static str,
    language: &'static str,
    /// What the register says; '' = nothing.
    register_language: &'static str,
    version: i32,
}

impl Story {
    fn of(resident: Uuid) -> Self {
        Self {
            case: new_id(),
            estate: new_id(),
            resident,
            kind: "complaint",
            language: "zh-Hans",
            register_language: "",
            version: 0,
        }
    }

    fn resident_id(&self) -> String {
        if self.resident.is_nil() { String::new() } else { self.resident.to_string() }
    }

    pub(crate) fn next(&mut self) -> (i32, i32) {
        self.version += 1;
        (self.version, self.version - 1)
    }

    fn opened(&self, kit: &Kit) -> intake::CaseOpened {
        let now = kit.clock.now().timestamp_millis();
        intake::CaseOpened {
            case_id: self.case.to_string(),
            reference: "C-261123-7K3QD4".to_owned(),
            kind: self.kind.to_owned(),
            category: "other".to_owned(),
            priority: "P3".to_owned(),
            channel: "desk".to_owned(),
            estate_id: self.estate.to_string(),
            unit_id: String::new(),
            resident_id: self.resident_id(),
            linked_case_id: String::new(),
            language: self.language.to_owned(),
            register_language: self.register_language.to_owned(),
            said_at_ms: now,
            opened_at_ms: now,
        }
    }

    fn progressed(&self, kit: &Kit, milestone: &str) -> intake::CaseProgressed {
        intake::CaseProgressed {
            case_id: self.case.to_string(),
            reference: "C-261123-7K3QD4".to_owned(),
            kind: self.kind.to_owned(),
            category: "other".to_owned(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            unit_id: String::new(),
            resident_id: self.resident_id(),
            language: self.language.to_owned(),
            status: "in_progress".to_owned(),
            stage: milestone.to_owned(),
            milestone: milestone.to_owned(),
            register_language: self.register_language.to_owned(),
            human: true,
            at_ms: kit.clock.now().timestamp_millis(),
            ..Default::default()
        }
    }

    async fn open(&mut self, kit: &Kit) {
        let (version, previous) = self.next();
        kit.publish(TENANT, self.case, version, previous, self.opened(kit)).await;
    }

    async fn progress(&mut self, kit: &Kit, milestone: &str) {
        let (version, previous) = self.next();
        kit.publish(TENANT, self.case, version, previous, self.progressed(kit, milestone)).await;
    }

    /// Waits until everything told so far is handled.
    async fn handled(&self, kit: &Kit) {
        let (case, version) = (self.case, self.version);
        let query = format!("SELECT max(version)::text FROM inbox WHERE stream_id = '{case}' AND version = {version}");
        eventually("it is handled", || async { kit.text(NAME, &query).await }).await;
    }

    async fn cancel(&mut self, kit: &Kit) {
        let told = self.progressed(kit, "cancelled");
        let message = intake::CaseCancelled {
            case_id: told.case_id,
            reference: told.reference,
            kind: told.kind,
            category: told.category,
            priority: told.priority,
            estate_id: told.estate_id,
            unit_id: told.unit_id,
            resident_id: told.resident_id,
            language: told.language,
            register_language: told.register_language,
            at_ms: told.at_ms,
            ..Default::default()
        };
        let (version, previous) = self.next();
        kit.publish(TENANT, self.case, version, previous, message).await;
    }

    fn invitation(&self, kit: &Kit, survey: Uuid) -> feedback_analytics::SurveyInvited {
        feedback_analytics::SurveyInvited {
            survey_id: survey.to_string(),
            case_id: self.case.to_string(),
            resident_id: self.resident_id(),
            estate_id: self.estate.to_string(),
            language: self.language.to_owned(),
            at_ms: kit.clock.now().timestamp_millis(),
        }
    }
}

/// Makes an estate known, as intake does.
async fn register_estate(kit: &Kit, estate: Uuid) {
    let message = intake::EstateRegistered {
        estate_id: estate.to_string(),
        code: "YX".to_owned(),
        name: "御溪花园".to_owned(),
        region: String::new(),
        time_zone: "Asia/Shanghai".to_owned(),
        at_ms: kit.clock.now().timestamp_millis(),
    };
    kit.publish(TENANT, estate, 1, 0, message).await;
    let known = format!("SELECT max(code) FROM estate WHERE estate_id = '{estate}'");
    eventually("the estate is known", || async { kit.text(NAME, &known).await }).await;
}

/// The messages that somebody sees, newest first, once there are that many.
async fn inbox(client: &Client, query: &str, wanted: usize) -> Vec<Value> {
    eventually("the messages are there", || async {
        let page = client.get(&format!("/v1/messages{query}")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        (items.len() >= wanted).then_some(items)
    })
    .await
}

/// The templates of the messages, newest first.
fn templates(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["template"].as_str().unwrap()).collect()
}

/// Somebody who sees everything of the company.
fn staff(kit: &Kit) -> Client {
    kit.client(Role::Handler)
}
