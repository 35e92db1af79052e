//! What the service hears: duplicates, disorder, what cannot be handled.

use chrono::TimeDelta;
use serde_json::json;
use steward_complaint::Complaint;
use steward_kernel::Role;
use steward_proto::{
    complaint as pb,
    dispatch::{DepartmentRegistered, RemedyRefused, WorkOrderAssigned, WorkOrderCancelled, WorkOrderOpened},
    intake::{AccountablePersonChanged, CasePrioritised, ComplaintReceived},
};
use steward_testkit::{Kit, OTHER_TENANT, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::{Known, a_complaint, reaches};

#[tokio::test]
async fn a_complaint_heard_twice_or_in_the_wrong_order_is_one_complaint() {
    with::<Complaint>(async |kit| {
        let known = Known::new();
        kit.publish(TENANT, known.case_id, 4, 2, known.cancelled()).await;
        kit.publish(TENANT, known.case_id, 2, 0, known.received()).await;
        kit.publish(TENANT, known.case_id, 2, 0, known.received()).await;
        eventually("it is here", || async { (kit.count("complaint", "complaint").await == 1).then_some(()) }).await;
        reaches(&kit, &known, "withdrawn").await;
        kit.publish(TENANT, known.case_id, 4, 2, known.cancelled()).await;
        kit.publish(TENANT, known.case_id, 5, 4, known.received()).await;
        heard(&kit, "intake", known.case_id, 5).await;
        assert_eq!(known.view(&kit).await["version"], 2);
        assert_eq!(kit.published::<pb::ComplaintWithdrawn>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn whoever_handles_a_complaint_handles_it_by_its_new_priority() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let handler = kit.client(Role::Handler);
        let since = handler.get("/v1/complaints").await.ok()["since"].as_str().unwrap().to_owned();
        // Heard twice, and one before the one before it.
        kit.publish(TENANT, known.case_id, 3, 2, known.prioritised("P2")).await;
        for _ in 0..2 {
            kit.publish(TENANT, known.case_id, 2, 1, known.prioritised("P1")).await;
        }
        heard(&kit, "intake", known.case_id, 3).await;
        let view = known.view(&kit).await;
        assert_eq!((&view["priority"], &view["version"]), (&json!("P2"), &json!(3)));
        let listed = handler.get("/v1/complaints?priority=P2").await.ok();
        assert_eq!((&listed["items"][0]["case_id"], &listed["items"][0]["priority"]), (&view["case_id"], &json!("P2")));
        assert_eq!(handler.get("/v1/complaints?priority=P3").await.ok()["items"], json!([]));
        eventually("the feed tells it", || async {
            let page = handler.get(&format!("/v1/complaints?since={since}")).await.ok();
            (page["items"][0]["priority"] == "P2").then_some(())
        })
        .await;

        known.is_proposed(&kit).await;
        known.does(&handler, "remedy", json!({ "department": "engineering", "summary": "更换下水管" })).await;
        assert_eq!(kit.published::<pb::RemedyRequested>().await[0].priority, "P2");
        known.does(&kit.owner(known.resident_id), "withdraw", json!({ "reason": "已经谈好了" })).await;
        let inquiry = Known::new();
        let other = CasePrioritised { kind: "inquiry".into(), ..inquiry.prioritised("P1") };
        kit.publish(TENANT, inquiry.case_id, 2, 0, other).await;
        kit.publish(TENANT, known.case_id, 4, 3, known.prioritised("P1")).await;
        heard(&kit, "intake", inquiry.case_id, 2).await;
        heard(&kit, "intake", known.case_id, 4).await;
        assert_eq!(
            known.view(&kit).await["priority"],
            "P1",
            "as its case, although it is over: its owner may come back"
        );
    })
    .await;
}

#[tokio::test]
async fn a_priority_that_cannot_be_read_is_parked() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        kit.publish(TENANT, known.case_id, 2, 1, known.prioritised("P9")).await;
        assert!(kit.parked("complaint").await.contains("priority"));
        kit.forgive_parked("complaint").await;
    })
    .await;
}

#[tokio::test]
async fn a_complaint_that_is_closed_while_its_case_is_called_off_is_withdrawn_until_its_owner_comes_back() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let owner = kit.owner(known.resident_id);
        known.is_decided(&kit).await;
        known.does(&owner, "confirm", json!({ "satisfied": true })).await;
        for _ in 0..2 {
            kit.publish(TENANT, known.case_id, 3, 1, known.cancelled()).await;
        }
        let inquiry = Known::new();
        let mut called_off = inquiry.cancelled();
        called_off.kind = "inquiry".into();
        kit.publish(TENANT, inquiry.case_id, 2, 0, called_off).await;
        heard(&kit, "intake", inquiry.case_id, 2).await;
        heard(&kit, "intake", known.case_id, 3).await;
        assert_eq!(known.view(&kit).await["stage"], "withdrawn");
        let told = kit.published::<pb::ComplaintWithdrawn>().await;
        assert!(told.len() == 1 && told[0].called_off);

        // What was called off before its owner came back, and is heard after that and after another end, changes nothing.
        kit.clock.advance(TimeDelta::minutes(1));
        known.does(&owner, "confirm", json!({ "satisfied": false })).await;
        known.does(&owner, "withdraw", json!({ "reason": "算了" })).await;
        known.does(&owner, "confirm", json!({ "satisfied": false })).await;
        kit.clock.advance(TimeDelta::minutes(-1));
        kit.publish(TENANT, known.case_id, 4, 3, known.cancelled()).await;
        heard(&kit, "intake", known.case_id, 4).await;
        assert_eq!(known.view(&kit).await["stage"], "investigating");
        assert_eq!(kit.published::<pb::ComplaintWithdrawn>().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_without_its_words_and_replayed() {
    with::<Complaint>(async |kit| {
        let known = Known::new();
        let secret = "我的电话是13800000000";
        let broken = ComplaintReceived { priority: "P9".into(), words: secret.into(), ..known.received() };
        kit.publish(TENANT, known.case_id, 1, 0, broken).await;
        let reason = kit.parked("complaint").await;
        assert!(reason.contains("priority") && !reason.contains("1380"), "{reason}");
        kit.publish(TENANT, known.case_id, 2, 1, known.cancelled()).await;
        eventually("it queues behind", || async { (kit.count("complaint", "dead_letter").await == 2).then_some(()) })
            .await;
        // Other complaints go on.
        a_complaint(&kit).await;
        assert_eq!(kit.replay_parked::<Complaint>().await, (0, 2));
        kit.forgive_parked("complaint").await;
    })
    .await;
}

#[tokio::test]
async fn work_orders_are_followed_only_when_they_are_remedies_of_ours() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_decided(&kit).await;
        let job = json!({ "department": "engineering", "summary": "更换下水管" });
        let view = known.does(&kit.client(Role::Handler), "remedy", job.clone()).await;
        let remedy_id = view["remedies"][0]["remedy_id"].as_str().unwrap().to_owned();
        let again = known.does(&kit.client(Role::Handler), "remedy", job).await;
        assert_eq!(again["version"], view["version"]);

        let (order, foreign) = (new_id(), new_id());
        let opened = WorkOrderOpened {
            work_order_id: order.to_string(),
            case_id: known.case_id.to_string(),
            remedy_id: remedy_id.clone(),
            reference: "W-261123-7K3QD4".into(),
            ..WorkOrderOpened::default()
        };
        let cancelled = WorkOrderCancelled {
            work_order_id: order.to_string(),
            case_id: known.case_id.to_string(),
            remedy_id,
            ..WorkOrderCancelled::default()
        };
        let of_a_request =
            WorkOrderOpened { remedy_id: String::new(), case_id: new_id().to_string(), ..opened.clone() };
        kit.publish(TENANT, foreign, 1, 0, of_a_request).await;
        kit.publish(TENANT, order, 3, 1, cancelled).await;
        kit.publish(TENANT, order, 1, 0, opened.clone()).await;
        eventually("it is called off", || async {
            (known.view(&kit).await["remedies"][0]["progress"] == "called_off").then_some(())
        })
        .await;
        heard(&kit, "dispatch", foreign, 1).await;
        // The same in another company is not known there.
        kit.publish(OTHER_TENANT, order, 1, 0, opened).await;
        assert!(kit.parked("complaint").await.contains("complaint/no-such-complaint"));
        kit.forgive_parked("complaint").await;
        assert!(kit.published::<pb::RemedyCompleted>().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn work_is_ordered_from_departments_that_dispatch_has_told_of() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_decided(&kit).await;
        let handler = kit.client(Role::Handler);
        let job = |department: &str| json!({ "department": department, "skill": "水电", "summary": "更换下水管" });
        // Nothing is known of departments yet: dispatch says that there is none.
        let view = known.does(&handler, "remedy", job("nosuch-dept")).await;
        let refused = RemedyRefused {
            case_id: known.case_id.to_string(),
            remedy_id: view["remedies"][0]["remedy_id"].as_str().unwrap().to_owned(),
            reason: "unknown_department".into(),
            ..RemedyRefused::default()
        };
        kit.publish(TENANT, new_id(), 1, 0, refused).await;
        let view = eventually("it is refused", || async {
            let view = known.view(&kit).await;
            (view["remedies"][0]["progress"] == "refused").then_some(view)
        })
        .await;
        assert_eq!(view["remedies"][0]["refused_because"], "unknown_department");
        assert_eq!((&view["stage"], &view["remedies"][0]["fallen_away"]), (&json!("remedying"), &json!(true)));
        let told = kit.published::<pb::RemedyCalledOff>().await;
        assert!(told[0].refused && told[0].fallen_away);

        let id = new_id();
        let engineering = DepartmentRegistered {
            department_id: id.to_string(),
            code: "engineering".into(),
            estate_ids: vec![known.estate_id.to_string()],
            skills: vec!["电梯".into()],
            ..DepartmentRegistered::default()
        };
        kit.publish(TENANT, id, 1, 0, engineering.clone()).await;
        heard(&kit, "dispatch", id, 1).await;
        let unknown = handler.post(&known.path("remedy"), job("nosuch-dept")).await;
        let problem = unknown.problem(422, "complaint/unknown-department");
        assert_eq!(problem["errors"][0]["pointer"], "/department");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("engineering"), "{problem}");
        let unknown = handler.post(&known.path("remedy"), job("engineering")).await;
        assert_eq!(unknown.problem(422, "complaint/unknown-skill")["errors"][0]["pointer"], "/skill");
        let skills = vec!["水电".to_owned(), "电梯".to_owned()];
        kit.publish(TENANT, id, 2, 1, DepartmentRegistered { skills, ..engineering }).await;
        heard(&kit, "dispatch", id, 2).await;
        let again = known.does(&handler, "remedy", job("engineering")).await;
        assert_eq!(again["remedies"][0]["fallen_away"], false, "another one stands in its place");
    })
    .await;
}

#[tokio::test]
async fn who_answers_for_the_case_or_did_the_work_does_not_take_down_the_owners_word() {
    with::<Complaint>(async |kit| {
        let (known, other) = (a_complaint(&kit).await, a_complaint(&kit).await);
        // What is told of the stewardship of a case has versions of its own.
        let steward = new_id();
        let named = |kind: &str, account: &str| AccountablePersonChanged {
            case_id: known.case_id.to_string(),
            kind: kind.into(),
            account: account.into(),
            ..AccountablePersonChanged::default()
        };
        let said = json!({ "reason": "业主说算了", "taken_down": { "how": "phone" } });
        let (desk, manager) = (kit.client(Role::Receptionist), kit.client(Role::Manager));
        kit.publish(TENANT, steward, 1, 0, named("complaint", "receptionist")).await;
        kit.publish(TENANT, steward, 2, 1, named("inquiry", "manager")).await;
        let assigned = WorkOrderAssigned {
            case_id: known.case_id.to_string(),
            remedy_id: new_id().to_string(),
            account: "supervisor".into(),
            ..WorkOrderAssigned::default()
        };
        let order = new_id();
        kit.publish(TENANT, order, 2, 0, assigned).await;
        heard(&kit, "intake", steward, 2).await;
        heard(&kit, "dispatch", order, 2).await;
        for handled in [&desk, &kit.client(Role::Supervisor)] {
            handled.post(&known.path("withdraw"), said.clone()).await.problem(403, "word/handled-by-you");
        }
        assert_eq!(known.does(&manager, "withdraw", said.clone()).await["stage"], "withdrawn");
        assert_eq!(other.does(&desk, "withdraw", said).await["stage"], "withdrawn", "another complaint");
    })
    .await;
}

/// Waits until everything of an aggregate of another service up to that version was handled.
async fn heard(kit: &Kit, source: &str, stream_id: Uuid, version: i32) {
    let query = format!(
        "SELECT max(version)::text FROM inbox WHERE consumer = 'complaint--{source}' AND stream_id = '{stream_id}'"
    );
    let expected = version.to_string();
    eventually("it is heard", || async { (kit.text("complaint", &query).await? == expected).then_some(()) }).await;
}
