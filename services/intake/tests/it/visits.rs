//! Visits at the desk over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::intake as pb;
use steward_testkit::{db::new_id, with};

use crate::world::world;

#[tokio::test]
async fn a_visitor_waits_is_called_served_and_counted() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let body = json!({ "estate_id": world.estate, "resident_id": world.resident, "purpose": "咨询装修手续" });
        let visit = desk.post("/v1/visits", body).await.created();
        let path = format!("/v1/visits/{}", visit["visit_id"].as_str().unwrap());
        let refused = desk.post(&format!("{path}/serve"), json!({})).await.problem(409, "intake/visit-not-now");
        assert_eq!(refused["allowed"], json!(["call", "leave"]));
        for (command, minutes) in [("call", 4), ("serve", 1), ("finish", 7)] {
            kit.clock.advance(TimeDelta::minutes(minutes));
            let _ = desk.post(&format!("{path}/{command}"), json!({})).await.ok();
        }
        let finished = &kit.published::<pb::VisitFinished>().await[0];
        assert_eq!((finished.waited_seconds, finished.served_seconds, &finished.outcome[..]), (240, 420, "finished"));

        // A case that comes up in it names it.
        let mut case = world.case("inquiry");
        case["visit_id"] = visit["visit_id"].clone();
        let _ = desk.post("/v1/cases", case).await.created();
        let query = format!("/v1/cases?visit_id={}", visit["visit_id"].as_str().unwrap());
        assert_eq!(desk.get(&query).await.ok()["items"].as_array().unwrap().len(), 1);
        let done = desk.get(&format!("/v1/visits?estate_id={}&status=finished", world.estate)).await.ok();
        assert_eq!(done["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

fn number(visit: &Value) -> i64 {
    visit["queue_number"].as_i64().unwrap()
}

#[tokio::test]
async fn numbers_are_given_out_by_estate_and_day_without_gaps() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let here = json!({ "estate_id": world.estate });
        let arrivals = (0..8).map(|_| desk.post("/v1/visits", here.clone()).send());
        let mut numbers: Vec<i64> =
            futures::future::join_all(arrivals).await.iter().map(|answer| number(&answer.created())).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());

        let first = desk.post("/v1/visits", here.clone()).key("k").await.created();
        assert_eq!(desk.post("/v1/visits", here.clone()).key("k").await.created(), first);
        assert_eq!(number(&desk.post("/v1/visits", here.clone()).await.created()), number(&first) + 1);
        let there = json!({ "estate_id": world.other_estate });
        assert_eq!(number(&desk.post("/v1/visits", there).await.created()), 1);
        kit.clock.advance(TimeDelta::days(1));
        assert_eq!(number(&desk.post("/v1/visits", here).await.created()), 1);

        desk.post("/v1/visits", json!({ "estate_id": new_id() })).await.problem(422, "intake/unknown-estate");
        let nobody = json!({ "estate_id": world.estate, "resident_id": new_id() });
        desk.post("/v1/visits", nobody).await.problem(422, "intake/unknown-resident");
        kit.owner(world.resident).get("/v1/visits").await.problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_before_their_turn_is_not_waited_for() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let visit = desk.post("/v1/visits", json!({ "estate_id": world.estate })).await.created();
        let path = format!("/v1/visits/{}", visit["visit_id"].as_str().unwrap());
        let left = desk.post(&format!("{path}/leave"), json!({})).await.ok();
        assert_eq!(desk.get(&path).await.ok(), left);
        desk.post(&format!("{path}/call"), json!({})).await.problem(409, "intake/visit-not-now");
    })
    .await;
}
