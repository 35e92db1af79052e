//! What dispatch hears: twice, in disorder, and what it cannot handle.

use chrono::TimeDelta;
use serde_json::json;
use steward_dispatch::Dispatch;
use steward_kernel::{
    Role,
    message::{Contract as _, suffix},
};
use steward_proto::{complaint, dispatch as pb, intake};
use steward_testkit::{TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{DEPARTMENTS, World, estate_registered};

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
        let (cancelled, by_owner) = world.remedy("engineering").await;
        world.kit.publish(TENANT, cancelled, 1, 0, world.cancelled(cancelled, "complaint")).await;
        let (withdrawn, by_complaint) = world.remedy("engineering").await;
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
async fn whoever_works_on_a_case_works_by_its_new_priority() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let (done, open) = (world.order(case_id).await, world.order(case_id).await);
        world.walk(&done, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let since = world.handler().get("/v1/work-orders").await.ok()["since"].as_str().unwrap().to_owned();
        let path = format!("/v1/service-requests/{case_id}");
        // Heard twice.
        for _ in 0..2 {
            world.kit.publish(TENANT, case_id, 2, 1, world.prioritised(case_id, "service_request", "P1")).await;
        }
        eventually("it is urgent", || async { (world.priority(&path).await == "P1").then_some(()) }).await;
        assert_eq!(world.priority(&open).await, "P1");
        assert_eq!(world.priority(&done).await, "P2", "what is done was done by the old one");
        let listed = world.handler().get("/v1/service-requests?priority=P1").await.ok();
        assert_eq!(listed["items"][0]["case_id"], case_id.to_string());
        assert_eq!(world.handler().get("/v1/service-requests?priority=P2").await.ok()["items"], json!([]));
        let is_told = |items: &[serde_json::Value]| items.iter().any(|item| item["priority"] == "P1");
        let _ = world.changes("/v1/work-orders", &since, is_told).await;

        world.walk(&open, &["assign", "accept", "depart", "arrive", "complete"]).await;
        world.kit.publish(TENANT, case_id, 3, 2, world.prioritised(case_id, "service_request", "P3")).await;
        eventually("it is less urgent", || async { (world.priority(&path).await == "P3").then_some(()) }).await;
        let verify = format!("{path}/verify");
        let _ = world.owner().post(&verify, json!({ "satisfied": false })).await.ok();
        let rework = world.handler().get("/v1/work-orders?status=open").await.ok();
        assert_eq!(rework["items"][0]["priority"], "P3", "a rework is as urgent as its request is now");
        let rework = format!("/v1/work-orders/{}", rework["items"][0]["work_order_id"].as_str().unwrap());
        world.walk(&rework, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let _ = world.owner().post(&verify, json!({ "satisfied": true })).await.ok();
        world.kit.publish(TENANT, case_id, 4, 3, world.prioritised(case_id, "service_request", "P1")).await;
        heard(&world, case_id, 4).await;
        assert_eq!(
            world.priority(&path).await,
            "P1",
            "as its case, although it is closed: its owner may come back on it"
        );
        assert_eq!(world.priority(&rework).await, "P3", "what is done was done by the old one");
    })
    .await;
}

#[tokio::test]
async fn work_for_a_complaint_is_as_urgent_as_the_complaint_whatever_comes_first() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (case_id, open) = world.remedy("engineering").await;
        world.kit.publish(TENANT, case_id, 2, 0, world.prioritised(case_id, "complaint", "P1")).await;
        eventually("it is urgent", || async { (world.priority(&open).await == "P1").then_some(()) }).await;
        world.walk(&open, &["assign", "accept", "depart", "arrive", "complete"]).await;
        world.kit.publish(TENANT, case_id, 3, 2, world.prioritised(case_id, "complaint", "P2")).await;
        heard(&world, case_id, 3).await;
        assert_eq!(world.priority(&open).await, "P1", "it is done");
        let more = json!({ "case_id": case_id, "department": "cleaning", "summary": "清理现场" });
        assert_eq!(world.handler().post("/v1/work-orders", more).await.created()["priority"], "P2");
        // The complaint asked for work before it had heard of the change.
        world.kit.publish(TENANT, case_id, 2, 1, world.remedy_requested(case_id, "engineering")).await;
        let mut priorities = eventually("there are three", || async {
            let page = world.handler().get(&format!("/v1/work-orders?case_id={case_id}")).await.ok();
            let items = page["items"].as_array().unwrap();
            (items.len() == 3).then(|| items.iter().map(|item| item["priority"].to_string()).collect::<Vec<_>>())
        })
        .await;
        priorities.sort();
        assert_eq!(priorities, [r#""P1""#, r#""P2""#, r#""P2""#]);
        // A question and a suggestion have no work.
        let (inquiry, suggestion) = (new_id(), new_id());
        world.kit.publish(TENANT, inquiry, 2, 0, world.prioritised(inquiry, "inquiry", "P1")).await;
        world.kit.publish(TENANT, suggestion, 2, 0, world.prioritised(suggestion, "suggestion", "P1")).await;
        heard(&world, inquiry, 2).await;
        heard(&world, suggestion, 2).await;
        assert_eq!(world.kit.count("dispatch", "complaint_priority").await, 1);
    })
    .await;
}

#[tokio::test]
async fn work_for_a_complaint_that_nobody_can_be_given_is_refused_and_skills_can_be_mended() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let mut told: Vec<_> = world.kit.published::<pb::DepartmentRegistered>().await;
        told.sort_by(|one, other| (&one.code, one.skills.len()).cmp(&(&other.code, other.skills.len())));
        let engineering: Vec<_> = told.iter().filter(|each| each.code == "engineering").collect();
        assert!(engineering[0].skills.is_empty() && engineering[0].every_estate);
        assert_eq!(engineering[1].skills, ["水电", "电梯"], "its technicians were imported after it");
        let again = told.len();
        let _ = world.import("departments", DEPARTMENTS).await.ok();
        assert_eq!(world.kit.published::<pb::DepartmentRegistered>().await.len(), again, "nothing is new");

        let (nowhere, elsewhere) = (new_id(), new_id());
        for (case_id, department) in [(nowhere, "nosuch-dept"), (elsewhere, "security")] {
            for _ in 0..2 {
                world.kit.publish(TENANT, case_id, 1, 0, world.remedy_requested(case_id, department)).await;
            }
        }
        let refused = eventually("both are refused", || async {
            let refused = world.kit.published::<pb::RemedyRefused>().await;
            (refused.len() == 2).then_some(refused)
        })
        .await;
        assert!(refused.iter().all(|each| each.reason == "unknown_department"));
        let orders = world.handler().get(&format!("/v1/work-orders?case_id={nowhere}")).await.ok();
        assert_eq!(orders["items"], json!([]));

        // What was ordered with a skill that nobody has can be mended.
        let (_, order) = world.remedy("cleaning").await;
        let technician = world.technician("T001").await;
        let assign =
            || async { world.handler().post(&format!("{order}/assign"), json!({ "technician_id": technician })).await };
        let change = |skill: &str| {
            let (handler, path, body) = (world.handler(), format!("{order}/change-skill"), json!({ "skill": skill }));
            async move { handler.post(&path, body).await.ok() }
        };
        assert_eq!(change("飞行").await["skill"], "飞行");
        assign().await.problem(422, "dispatch/skill-missing");
        assert_eq!(change("水电").await["skill"], "水电");
        assert_eq!(assign().await.ok()["status"], "assigned");
    })
    .await;
}

#[tokio::test]
async fn who_answers_for_the_case_does_not_take_down_its_owners_word() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let named = |account: &str| intake::AccountablePersonChanged {
            case_id: case_id.to_string(),
            kind: "service_request".to_owned(),
            account: account.to_owned(),
            ..Default::default()
        };
        // The stewardship of a case is another thing than the case; what is heard of it has versions of its own.
        let steward = new_id();
        world.kit.publish(TENANT, steward, 1, 0, named("receptionist")).await;
        heard(&world, steward, 1).await;
        let path = format!("/v1/service-requests/{case_id}/verify");
        let said = json!({ "satisfied": true, "taken_down": { "how": "phone" } });
        let desk = world.kit.client(Role::Receptionist);
        desk.post(&path, said.clone()).await.problem(403, "word/handled-by-you");
        world.kit.publish(TENANT, steward, 2, 1, named("manager-9")).await;
        heard(&world, steward, 2).await;
        assert_eq!(desk.post(&path, said).await.ok()["stage"], "closed");
    })
    .await;
}

#[tokio::test]
async fn work_that_is_opened_while_a_new_priority_is_being_written_has_that_one() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = new_id();
        // Intake's word is in a transaction that takes its time: without a lock, the remedy would not see it, and it would
        // not see the remedy's work order.
        let writing = format!(
            "INSERT INTO complaint_priority (tenant_id, case_id, priority) VALUES ('{TENANT}', '{case_id}', 'P1');
             SELECT pg_sleep(1)"
        );
        let written = world.kit.execute("dispatch", &writing);
        let asked = async {
            let asleep = format!(
                "SELECT max(state) FROM pg_stat_activity WHERE query LIKE '%{case_id}%' AND wait_event = 'PgSleep'"
            );
            eventually("it is being written", || world.kit.text("dispatch", &asleep)).await;
            world.kit.publish(TENANT, case_id, 1, 0, world.remedy_requested(case_id, "engineering")).await;
        };
        tokio::join!(written, asked);
        let path = format!("/v1/work-orders?case_id={case_id}");
        let handler = world.handler();
        let priority = eventually("its work order is there", || async {
            handler.get(&path).await.ok()["items"][0]["priority"].as_str().map(str::to_owned)
        })
        .await;
        assert_eq!(priority, "P1");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_closed_while_its_case_is_called_off_is_called_off_until_its_owner_comes_back() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let path = format!("/v1/service-requests/{case_id}/verify");
        let called_off = world.cancelled(case_id, "service_request");
        let _ = world.owner().post(&path, json!({ "satisfied": true })).await.ok();
        world.kit.publish(TENANT, case_id, 2, 1, called_off).await;
        heard(&world, case_id, 2).await;
        assert_eq!(world.stage(case_id).await, "cancelled");
        assert_eq!(world.status(&order).await, "completed", "what is done stays done");
        assert_eq!(world.kit.published::<pb::ServiceRequestCancelled>().await.len(), 1);

        let declined = world.request().await;
        let no = json!({ "reason": "不归我们", "responsible": "供电局" });
        let of = |command: &str| format!("/v1/service-requests/{declined}/{command}");
        let _ = world.handler().post(&of("decline"), no.clone()).await.ok();
        world.kit.publish(TENANT, declined, 2, 1, world.cancelled(declined, "service_request")).await;
        heard(&world, declined, 2).await;
        let view = world.handler().get(&format!("/v1/service-requests/{declined}")).await.ok();
        assert_eq!((&view["stage"], &view["responsible"]), (&json!("cancelled"), &json!(null)));

        // What was called off before its owner came back, and is heard after that and after another end, changes nothing.
        let late = world.request().await;
        let of = |command: &str| format!("/v1/service-requests/{late}/{command}");
        let _ = world.handler().post(&of("decline"), no.clone()).await.ok();
        world.kit.clock.advance(TimeDelta::minutes(1));
        let _ = world.owner().post(&of("verify"), json!({ "satisfied": false })).await.ok();
        let _ = world.handler().post(&of("decline"), no).await.ok();
        world.kit.clock.advance(TimeDelta::minutes(-1));
        world.kit.publish(TENANT, late, 2, 1, world.cancelled(late, "service_request")).await;
        heard(&world, late, 2).await;
        assert_eq!(world.stage(late).await, "declined");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_sent_for_a_complaint_that_has_ended_until_its_owner_comes_back() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (case_id, first) = world.remedy("engineering").await;
        let more = json!({ "case_id": case_id, "department": "engineering", "summary": "再换" });
        let open = async |key: &str| world.handler().post("/v1/work-orders", more.clone()).key(key).await;
        let id = case_id.to_string();
        let at_ms = world.kit.clock.now().timestamp_millis();
        let back = |at_ms: i64| complaint::ComplaintConfirmed { case_id: id.clone(), at_ms, ..Default::default() };
        let _ = open("k-1").await.created();

        world
            .kit
            .publish(TENANT, case_id, 2, 1, complaint::ComplaintClosed { case_id: id.clone(), ..Default::default() })
            .await;
        heard_from(&world, "complaint", case_id, 2).await;
        assert_eq!(world.status(&first).await, "cancelled");
        let refused = open("k-2").await;
        assert_eq!(refused.problem(409, "dispatch/complaint-over")["errors"][0]["pointer"], "/case_id");
        assert_eq!(open("k-1").await.created()["case_id"], id, "what was opened before is answered as it was");

        world.kit.publish(TENANT, case_id, 3, 2, back(at_ms)).await;
        heard_from(&world, "complaint", case_id, 3).await;
        let _ = open("k-3").await.created();
        // Called off before, heard late.
        let mut called_off = world.cancelled(case_id, "complaint");
        called_off.at_ms = at_ms - 1;
        world.kit.publish(TENANT, case_id, 2, 0, called_off.clone()).await;
        heard(&world, case_id, 2).await;
        let _ = open("k-4").await.created();
        called_off.at_ms = at_ms + 1;
        world.kit.publish(TENANT, case_id, 3, 2, called_off).await;
        heard(&world, case_id, 3).await;
        open("k-5").await.problem(409, "dispatch/complaint-over");

        world.kit.publish(TENANT, case_id, 4, 3, back(at_ms + 2)).await;
        heard_from(&world, "complaint", case_id, 4).await;
        let _ = open("k-6").await.created();
        let withdrawn = complaint::ComplaintWithdrawn { case_id: id.clone(), ..Default::default() };
        world.kit.publish(TENANT, case_id, 5, 4, withdrawn).await;
        heard_from(&world, "complaint", case_id, 5).await;
        open("k-7").await.problem(409, "dispatch/complaint-over");
        let orders = world.handler().get(&format!("/v1/work-orders?case_id={case_id}")).await.ok();
        let orders = orders["items"].as_array().unwrap();
        assert!(orders.len() == 5 && orders.iter().all(|order| order["status"] == "cancelled"), "{orders:?}");
    })
    .await;
}

#[tokio::test]
async fn a_remedy_has_one_answer_however_often_it_is_asked_for() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = new_id();
        let asked = world.remedy_requested(case_id, "engineering");
        for version in 1..4 {
            world.kit.publish(TENANT, case_id, version, version - 1, asked.clone()).await;
        }
        heard_from(&world, "complaint", case_id, 3).await;
        let orders = async |case_id: Uuid| {
            let page = world.handler().get(&format!("/v1/work-orders?case_id={case_id}")).await.ok();
            page["items"].as_array().unwrap().clone()
        };
        let opened = orders(case_id).await;
        assert_eq!(opened.len(), 1);
        let cancel = format!("/v1/work-orders/{}/cancel", opened[0]["work_order_id"].as_str().unwrap());
        let _ = world.handler().post(&cancel, json!({ "reason": "不需要了" })).await.ok();
        world.kit.publish(TENANT, case_id, 4, 3, asked).await;
        heard_from(&world, "complaint", case_id, 4).await;
        assert_eq!(orders(case_id).await.len(), 1, "what was called off is not ordered by what comes twice");

        // Intake's word may be heard before what the complaint asked for.
        let over = new_id();
        world.kit.publish(TENANT, over, 2, 0, world.cancelled(over, "complaint")).await;
        heard(&world, over, 2).await;
        let asked = world.remedy_requested(over, "engineering");
        for version in 1..3 {
            world.kit.publish(TENANT, over, version, version - 1, asked.clone()).await;
        }
        heard_from(&world, "complaint", over, 2).await;
        assert_eq!(orders(over).await.len(), 0);
        let refused = world.kit.published::<pb::RemedyRefused>().await;
        assert_eq!((refused.len(), &*refused[0].reason), (1, "complaint_over"));
    })
    .await;
}

#[tokio::test]
async fn work_is_not_opened_while_the_end_of_its_complaint_is_being_written() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (case_id, _) = world.remedy("engineering").await;
        // Without a lock, the order would not see the end, and the end would not see the order.
        let writing = format!(
            "UPDATE complaint_end SET over = true WHERE tenant_id = '{TENANT}' AND case_id = '{case_id}';
             SELECT pg_sleep(1)"
        );
        let written = world.kit.execute("dispatch", &writing);
        let asked = async {
            let asleep = format!(
                "SELECT max(state) FROM pg_stat_activity WHERE query LIKE '%{case_id}%' AND wait_event = 'PgSleep'"
            );
            eventually("it is being written", || world.kit.text("dispatch", &asleep)).await;
            let more = json!({ "case_id": case_id, "department": "engineering", "summary": "再换" });
            world.handler().post("/v1/work-orders", more).await
        };
        let (_, answer) = tokio::join!(written, asked);
        answer.problem(409, "dispatch/complaint-over");
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

/// Waits until everything that intake told of a case up to that version was handled.
async fn heard(world: &World, case_id: Uuid, version: i32) {
    heard_from(world, "intake", case_id, version).await;
}

/// The same of that service.
async fn heard_from(world: &World, source: &str, case_id: Uuid, version: i32) {
    let query = format!(
        "SELECT max(version)::text FROM inbox WHERE consumer = 'dispatch--{source}' AND stream_id = '{case_id}'"
    );
    let expected = version.to_string();
    eventually("it is heard", || async { (world.kit.text("dispatch", &query).await? == expected).then_some(()) }).await;
}
