//! The complaint service against real Postgres and NATS.

mod complaints;
mod consumers;
mod contracts;
mod migrations;

use chrono::NaiveDate;
use serde_json::{Value, json};
use steward_kernel::{Role, reference::reference};
use steward_proto::{
    dispatch::{WorkOrderCompleted, WorkOrderOpened},
    intake::{CaseCancelled, CasePrioritised, ComplaintReceived},
};
use steward_testkit::{Client, Kit, TENANT, db::new_id, eventually};
use uuid::Uuid;

/// An owner's complaint, as a test knows it.
#[derive(Debug, Clone, Copy)]
struct Known {
    case_id: Uuid,
    estate_id: Uuid,
    resident_id: Uuid,
}

impl Known {
    fn new() -> Self {
        Self { case_id: new_id(), estate_id: new_id(), resident_id: new_id() }
    }

    /// What intake hands over.
    fn received(&self) -> ComplaintReceived {
        ComplaintReceived {
            case_id: self.case_id.to_string(),
            reference: reference('C', self.case_id, NaiveDate::default()),
            kind: "complaint".into(),
            category: "noise.neighbour".into(),
            priority: "P3".into(),
            estate_id: self.estate_id.to_string(),
            unit_id: String::new(),
            resident_id: self.resident_id.to_string(),
            language: "zh-Hans".into(),
            words: "楼上天天半夜一点钟还在拖凳子".into(),
            linked_case_id: String::new(),
            opened_at_ms: 1_795_420_800_000,
            time_zone: "Asia/Shanghai".into(),
            ..ComplaintReceived::default()
        }
    }

    /// That intake finds the case that urgent.
    fn prioritised(&self, priority: &str) -> CasePrioritised {
        CasePrioritised {
            case_id: self.case_id.to_string(),
            kind: "complaint".into(),
            priority: priority.into(),
            ..CasePrioritised::default()
        }
    }

    /// That intake called the case off.
    fn cancelled(&self) -> CaseCancelled {
        CaseCancelled { case_id: self.case_id.to_string(), kind: "complaint".into(), ..CaseCancelled::default() }
    }

    fn path(&self, command: &str) -> String {
        format!("/v1/complaints/{}/{command}", self.case_id)
    }

    /// The complaint as a handler sees it.
    async fn view(&self, kit: &Kit) -> Value {
        kit.client(Role::Handler).get(&format!("/v1/complaints/{}", self.case_id)).await.ok()
    }

    /// Carries out a command that must be granted.
    async fn does(&self, client: &Client, command: &str, body: Value) -> Value {
        client.post(&self.path(command), body).await.ok()
    }

    /// Takes it up, assesses it into two points, and plans.
    async fn is_proposed(&self, kit: &Kit) -> Value {
        let handler = kit.client(Role::Handler);
        self.does(&handler, "acknowledge", json!({})).await;
        let points = json!([{ "text": "楼上深夜拖动桌椅" }, { "text": "之前两次反映没有结果" }]);
        self.does(&handler, "assess", json!({ "severity": "medium", "points": points })).await;
        let plan = json!({ "text": "上门沟通", "departments": ["security"], "told_owner_via": "phone" });
        self.does(&handler, "plan", plan).await
    }

    /// Decides all points of the complaint as upheld.
    async fn is_decided(&self, kit: &Kit) -> Value {
        let points = self.is_proposed(kit).await["points"].clone();
        let outcomes: Vec<Value> = points
            .as_array()
            .into_iter()
            .flatten()
            .map(|point| json!({ "point_id": point["point_id"], "outcome": "upheld", "reason": "属实" }))
            .collect();
        self.does(&kit.client(Role::Supervisor), "decide", json!({ "points": outcomes })).await
    }
}

/// A complaint that has arrived from intake.
async fn a_complaint(kit: &Kit) -> Known {
    a_complaint_in(kit, new_id()).await
}

/// The same of that estate.
async fn a_complaint_in(kit: &Kit, estate_id: Uuid) -> Known {
    let known = Known { estate_id, ..Known::new() };
    kit.publish(TENANT, known.case_id, 1, 0, known.received()).await;
    let path = format!("/v1/complaints/{}", known.case_id);
    let handler = kit.client(Role::Handler);
    eventually("the complaint is here", || async { (handler.get(&path).await.status == 200).then_some(()) }).await;
    known
}

/// Waits until the complaint is in that stage.
async fn reaches(kit: &Kit, known: &Known, stage: &str) {
    eventually(stage, || async { (known.view(kit).await["stage"] == stage).then_some(()) }).await;
}

/// Dispatch opens a work order for the remedy and reports it done.
async fn work_is_done(kit: &Kit, known: &Known, remedy_id: &str) {
    let order = new_id();
    let opened = WorkOrderOpened {
        work_order_id: order.to_string(),
        case_id: known.case_id.to_string(),
        remedy_id: remedy_id.to_owned(),
        reference: "W-261123-7K3QD4".into(),
        ..WorkOrderOpened::default()
    };
    let completed = WorkOrderCompleted {
        work_order_id: order.to_string(),
        case_id: known.case_id.to_string(),
        remedy_id: remedy_id.to_owned(),
        ..WorkOrderCompleted::default()
    };
    kit.publish(TENANT, order, 1, 0, opened).await;
    kit.publish(TENANT, order, 5, 1, completed).await;
    eventually("the work is done", || async {
        (known.view(kit).await["remedies"][0]["progress"] == "completed").then_some(())
    })
    .await;
}
