//! What dispatch hears: twice, in disorder, and what it cannot handle.

use chrono::TimeDelta;
use serde_json::json;
use steward_dispatch::Dispatch;
use steward_kernel::message::{Contract as _, suffix};
use steward_proto::{complaint, intake};
use steward_testkit::{TENANT, db::new_id, eventually, with};

use crate::world::{World, estate_registered};

#[tokio::test]
async fn a_request_heard_twice_is_one_request_and_disorder_is_mended() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = new_id();
        // The cancellation comes before what it cancels, and everything comes twice.
        for _ in 0..2 {
            world.kit.publish(TENANT, case_id, 2, 1, world.cancelled(case_id, "service_request")).await;
        }
        for _ in 0..2 {
            world.kit.publish(TENANT, case_id, 1, 0, world.received(case_id)).await;
        }
        let handler = world.handler();
        let path = format!("/v1/service-requests/{case_id}");
        let view = eventually("it is cancelled", || async {
            let answer = handler.get(&path).await;
            (answer.status == 200 && answer.json()["stage"] == "cancelled").then(|| answer.json())
        })
        .await;
        assert_eq!((&view["version"], &view["words"]), (&json!(2), &json!("卫生间天花板滴水")));
    })
    .await;
}

#[tokio::test]
async fn whoever_works_on_a_cancelled_case_stops() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart"]).await;
        world.kit.publish(TENANT, case_id, 2, 1, world.cancelled(case_id, "service_request")).await;
        let (cancelled, by_owner) = world.remedy().await;
        world.kit.publish(TENANT, cancelled, 1, 0, world.cancelled(cancelled, "complaint")).await;
        let (withdrawn, by_complaint) = world.remedy().await;
        let message = complaint::ComplaintWithdrawn { case_id: withdrawn.to_string(), ..Default::default() };
        world.kit.publish(TENANT, withdrawn, 2, 1, message).await;
        for order in [&order, &by_owner, &by_complaint] {
            eventually("it is called off", || async { (world.status(order).await == "cancelled").then_some(()) }).await;
        }
        assert_eq!(world.stage(case_id).await, "cancelled");
    })
    .await;
}

#[tokio::test]
async fn a_case_that_is_closed_here_stays_closed() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let path = format!("/v1/service-requests/{case_id}/verify");
        let _ = world.owner().post(&path, json!({ "satisfied": true })).await.ok();
        world.kit.publish(TENANT, case_id, 2, 1, world.cancelled(case_id, "service_request")).await;
        eventually("the message is handled", || async {
            let query = format!("SELECT max(version)::text FROM inbox WHERE stream_id = '{case_id}'");
            (world.kit.text("dispatch", &query).await.as_deref() == Some("2")).then_some(())
        })
        .await;
        assert_eq!(world.stage(case_id).await, "closed");
        assert_eq!(world.status(&order).await, "completed");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_the_rest_goes_on() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = new_id();
        let poison = intake::ServiceRequestReceived { priority: "P9".to_owned(), ..world.received(case_id) };
        let name = suffix::<intake::ServiceRequestReceived>();
        world.kit.publish_bytes("intake", &name, TENANT, case_id, (1, 0), poison.encode()).await;
        let reason = world.kit.parked("dispatch").await;
        assert!(reason.contains("priority") && !reason.contains("滴水"), "{reason}");
        let _ = world.request().await;
        world.kit.forgive_parked("dispatch").await;
    })
    .await;
}

#[tokio::test]
async fn the_newest_word_on_an_estate_stands() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let now = world.kit.clock.now();
        let newer = estate_registered(world.estate, "YX2", "御溪花园二期", now + TimeDelta::hours(1));
        world.kit.publish(TENANT, new_id(), 1, 0, newer).await;
        let known = || world.kit.text("dispatch", "SELECT max(code) FROM estate");
        eventually("the new code is known", || async { (known().await.as_deref() == Some("YX2")).then_some(()) }).await;
        let stream = new_id();
        world.kit.publish(TENANT, stream, 1, 0, estate_registered(world.estate, "YY", "旧", now)).await;
        eventually("the old word is heard", || async {
            let query = format!("SELECT max(version)::text FROM inbox WHERE stream_id = '{stream}'");
            world.kit.text("dispatch", &query).await
        })
        .await;
        assert_eq!(known().await.as_deref(), Some("YX2"));
    })
    .await;
}
