//! Dates and words that the owner is told of: a deadline that is put off, a promise, an objection that staff took down.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::{complaint, intake as pb};
use steward_testkit::{Client, TENANT, eventually, with};
use uuid::Uuid;

use crate::stewardship::{opens, person, staffed};

async fn clock(client: &Client, case: Uuid, measure: &str) -> Value {
    let list = client.get(&format!("/v1/clocks?case_id={case}&measure={measure}&party=company")).await.ok();
    list["items"][0].clone()
}

async fn last_step(client: &Client, case: Uuid) -> Value {
    let timeline = client.get(&format!("/v1/cases/{case}/timeline")).await.ok();
    timeline["items"].as_array().unwrap().last().unwrap().clone()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_deadline_that_is_put_off_is_told_with_both_dates_and_why_and_has_one_door() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        let (owner, manager) = (kit.owner(world.resident), person(&kit, Role::Manager, "manager-1"));
        let running = clock(&owner, case, "decide").await;
        let (id, due) = (running["clock_id"].as_str().unwrap(), instant(&running["due_at"]));
        let extend = format!("/v1/clocks/{id}/extend");
        let body = json!({ "until": due + TimeDelta::days(3), "reason": "要等检测报告" });
        let first = manager.post(&extend, body.clone()).key("extend").await;
        assert_eq!(manager.post(&extend, body).key("extend").await.ok(), first.ok());

        let step = last_step(&owner, case).await;
        assert_eq!((&step["code"], &step["by"]), (&json!("deadline_extended"), &json!("staff")));
        assert_eq!((instant(&step["due_at"]), instant(&step["previous_due_at"])), (due + TimeDelta::days(3), due));
        assert_eq!((&step["reason"], &step["status"]), (&json!("要等检测报告"), &json!("received")));
        let told = kit.published::<pb::CaseProgressed>().await;
        let dates = (told[0].due_at_ms, told[0].previous_due_at_ms);
        let expected = ((due + TimeDelta::days(3)).timestamp_millis(), due.timestamp_millis());
        assert_eq!((told.len(), dates), (1, expected));

        // The promise has no door of its own, and is kept by the clock.
        let promises = format!("/v1/promises?case_id={case}");
        let promise = owner.get(&promises).await.ok()["items"][0].clone();
        let later = json!({ "due_at": due + TimeDelta::days(300), "reason": "再等等" });
        let path = format!("/v1/promises/{}", promise["promise_id"].as_str().unwrap());
        let problem = manager.post(&format!("{path}/move"), later).await.problem(409, "intake/date-of-clock");
        assert!(problem["title"].as_str().unwrap().contains("/extend"), "{problem}");
        manager.post(&format!("{path}/keep"), json!({})).await.problem(409, "intake/kept-by-what-happens");
        let (case_id, at_ms) = (case.to_string(), kit.clock.now().timestamp_millis());
        kit.publish(TENANT, case, 1, 0, complaint::ComplaintDecided { case_id, at_ms, ..Default::default() }).await;
        eventually("it is kept with its clock", || async {
            (owner.get(&promises).await.ok()["items"][0]["state"] == "kept").then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_promise_that_is_made_or_moved_is_a_step_of_its_case() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P3").await;
        let (owner, desk) = (kit.owner(world.resident), person(&kit, Role::Receptionist, "desk-1"));
        let in_hours = |hours: i64| kit.clock.now() + TimeDelta::hours(hours);
        let (first, second) = (in_hours(20), in_hours(30));
        let case_path = format!("/v1/cases/{case}");
        let read = desk.get(&case_path).await.version().unwrap();
        let promises = format!("{case_path}/promises");
        let made = desk.post(&promises, json!({ "due_at": first })).if_match(read).await;
        let step = last_step(&owner, case).await;
        assert_eq!((&step["code"], instant(&step["due_at"])), (&json!("promise_made"), first));
        assert_eq!((step.get("previous_due_at"), step.get("reason")), (None, None));
        // The version of the case that was read before is old.
        assert_ne!(desk.get(&case_path).await.version(), Some(read));
        desk.post(&promises, json!({ "due_at": second })).if_match(read).await.problem(412, "stale-version");

        let promise = made.created()["promise_id"].as_str().unwrap().to_owned();
        let moved = json!({ "due_at": second, "reason": "配件明天到货" });
        // The answer has the version that commands on the promise are held against.
        let moves = desk.post(&format!("/v1/promises/{promise}/move"), moved).header("if-match", made.header("etag"));
        let _ = moves.await.ok();
        let step = last_step(&owner, case).await;
        assert_eq!((&step["code"], &step["reason"]), (&json!("promise_moved"), &json!("配件明天到货")));
        assert_eq!((instant(&step["due_at"]), instant(&step["previous_due_at"])), (second, first));
        // A second promise in the same moment is no echo of the first.
        let _ = desk.post(&promises, json!({ "due_at": in_hours(5) })).await.created();
        let _ = desk.post(&promises, json!({ "due_at": in_hours(6) })).await.created();
        let told = kit.published::<pb::CaseProgressed>().await;
        let told: Vec<_> = told.iter().map(|told| &told.milestone[..]).collect();
        assert_eq!(told, ["promise_made", "promise_moved", "promise_made", "promise_made"]);
    })
    .await;
}

#[tokio::test]
async fn an_objection_is_a_step_and_says_when_staff_took_it_down() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        let (owner, handler) = (kit.owner(world.resident), person(&kit, Role::Handler, "handler-1"));
        let (case_id, at_ms) = (case.to_string(), kit.clock.now().timestamp_millis());
        kit.publish(TENANT, case, 1, 0, complaint::ComplaintAwaitingOwner { case_id, at_ms, ..Default::default() }).await;
        let paused = eventually("the clock is paused", || async {
            let clock = clock(&owner, case, "decide").await;
            (clock["state"] == "paused").then_some(clock)
        })
        .await;
        let path = format!("/v1/clocks/{}/contest-pause", paused["clock_id"].as_str().unwrap());
        let mut body = json!({ "pause_id": paused["pause"]["pause_id"], "reason": "没有人问过我", "taken_down": { "how": "phone" } });
        let _ = handler.post(&path, body.clone()).await.ok();
        let step = last_step(&owner, case).await;
        assert_eq!((&step["code"], &step["by"]), (&json!("pause_contested"), &json!("staff")));
        assert_eq!((&step["taken_down"]["how"], step["taken_down"].get("by")), (&json!("phone"), None));
        let _ = body.as_object_mut().unwrap().remove("taken_down");
        let _ = owner.post(&path, body).await.ok();
        let step = last_step(&owner, case).await;
        assert_eq!((&step["by"], step.get("taken_down")), (&json!("owner"), None));
        let told = kit.published::<pb::CaseProgressed>().await;
        let given: Vec<_> = told.iter().map(|told| (&told.milestone[..], &told.given_how[..])).collect();
        assert_eq!(given, [("awaiting_owner", ""), ("pause_contested", "phone"), ("pause_contested", "")]);
    })
    .await;
}
