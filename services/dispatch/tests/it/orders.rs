//! Work orders over HTTP.

use serde_json::{Value, json};
use steward_dispatch::Dispatch;
use steward_proto::dispatch as pb;
use steward_testkit::{db::new_id, with};

use crate::world::World;

#[tokio::test]
async fn work_is_opened_only_for_what_is_known_and_confirmed() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let open = |case_id, department: &str| {
            let body = json!({ "case_id": case_id, "department": department, "summary": "查漏" });
            world.handler().post("/v1/work-orders", body)
        };
        let unknown = open(new_id(), "engineering").await.problem(422, "dispatch/unknown-case");
        assert_eq!(unknown["errors"][0]["pointer"], "/case_id");
        let received = world.request().await;
        open(received, "engineering").await.problem(409, "dispatch/service-request-stage");
        let confirmed = world.confirmed().await;
        for department in ["plumbing", "security"] {
            open(confirmed, department).await.problem(422, "dispatch/unknown-department");
        }
        assert_eq!(world.kit.count("dispatch", "work_order").await, 0);

        let first = open(confirmed, "cleaning").key("k").await;
        let again = open(confirmed, "cleaning").key("k").await;
        assert_eq!(first.created(), again.created());
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(world.kit.count("dispatch", "work_order").await, 1);
    })
    .await;
}

#[tokio::test]
async fn hard_rules_refuse_and_soft_rules_rank() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let order = world.order(world.confirmed().await).await;
        let assign = async |technician: Value| {
            world.handler().post(&format!("{order}/assign"), json!({ "technician_id": technician })).await
        };
        assign(json!(new_id())).await.problem(422, "dispatch/unknown-technician");
        assign(world.technician("T003").await).await.problem(422, "dispatch/skill-missing");
        let elsewhere = assign(world.technician("T004").await).await.problem(422, "dispatch/estate-not-served");
        assert_eq!(elsewhere["errors"][0]["pointer"], "/technician_id");

        let candidates = world.handler().get(&format!("{order}/candidates")).header("accept-language", "en").await.ok();
        let items = candidates["items"].as_array().unwrap();
        let codes: Vec<_> = items.iter().map(|item| item["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["T001", "T002"], "on shift first; no skill or another estate: not at all");
        assert_eq!(items[0]["reasons"][2], json!({ "code": "on_shift", "text": "on shift" }));
        assert_eq!(items[0]["open_orders"], 0);

        let _ = assign(world.technician("T002").await).await.ok();
        let candidates = world.handler().get(&format!("{order}/candidates")).await.ok();
        assert_eq!(candidates["items"][1]["open_orders"], 1);
        assert_eq!(candidates["items"][1]["reasons"][2]["text"], "不当班");
    })
    .await;
}

#[tokio::test]
async fn a_technician_acts_on_own_orders_only() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign"]).await;
        world.crew("tech-2").post(&format!("{order}/accept"), json!({})).await.problem(403, "dispatch/not-yours");
        world.handler().post(&format!("{order}/accept"), json!({})).await.problem(403, "forbidden");
        let illegal = world.crew("tech-1").post(&format!("{order}/depart"), json!({})).await;
        let illegal = illegal.problem(409, "dispatch/work-order-status");
        assert_eq!(illegal["allowed"], json!(["assign", "accept", "return", "cancel"]));

        world.walk(&order, &["accept"]).await;
        let back = json!({ "reason": "需要厂家" });
        let returned = world.crew("tech-1").post(&format!("{order}/return"), back).await.ok();
        assert_eq!((&returned["status"], &returned["technician_id"]), (&json!("returned"), &Value::Null));
        assert_eq!(world.stage(case_id).await, "routed");
        world.walk(&order, &["assign", "accept", "depart", "arrive", "make-safe", "start"]).await;
        let hold = json!({ "reason": "parts", "note": "缺阀芯" });
        let held = world.crew("tech-1").post(&format!("{order}/hold"), hold).await.ok();
        assert_eq!(held["hold"], json!({ "reason": "parts", "note": "缺阀芯", "from": "working" }));
        world.walk(&order, &["resume"]).await;
        assert_eq!(world.status(&order).await, "working");

        let complete = |body: Value| world.crew("tech-1").post(&format!("{order}/complete"), body);
        let bare = complete(json!({ "note": "好了", "file_ids": [] })).await.problem(422, "dispatch/no-proof");
        assert_eq!(bare["errors"][0]["pointer"], "/file_ids");
        complete(json!({ "note": "好了", "file_ids": ["x"] })).await.problem(400, "malformed-request");
        complete(json!({ "file_ids": [new_id()] })).await.problem(400, "malformed-request");
        let _ = world
            .lead()
            .post(&format!("{order}/complete"), json!({ "note": "好了", "file_ids": [new_id()] }))
            .await
            .ok();
        world.lead().post(&format!("{order}/verify"), json!({})).if_match(1).await.problem(412, "stale-version");
        assert_eq!(world.kit.published::<pb::WorkOrderHeld>().await[0].reason, "parts");
    })
    .await;
}

#[tokio::test]
async fn a_request_without_work_orders_is_only_confirmed() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        let path = format!("{order}/cancel");
        for _ in 0..2 {
            let _ = world.handler().post(&path, json!({ "reason": "派错部门" })).await.ok();
        }
        assert_eq!(world.stage(case_id).await, "confirmed");
        let second = world.order(case_id).await;
        world.walk(&second, &["assign", "accept", "depart", "arrive", "complete"]).await;
        assert_eq!(world.stage(case_id).await, "done_reported");
        assert_eq!(world.kit.published::<pb::WorkOrderCancelled>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn work_that_ends_at_the_same_moment_is_counted_once_each() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let orders = [world.order(case_id).await, world.order(case_id).await, world.order(case_id).await];
        for order in &orders {
            world.walk(order, &["assign", "accept", "depart", "arrive"]).await;
        }
        let end = async |order: &str| world.walk(order, &["complete"]).await;
        tokio::join!(end(&orders[0]), end(&orders[1]), end(&orders[2]));
        assert_eq!(world.stage(case_id).await, "done_reported");
        let stages = world.kit.published::<pb::ServiceRequestStageChanged>().await;
        assert_eq!(stages.iter().filter(|event| event.stage == "done_reported").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_remedy_of_a_complaint_is_work_and_may_need_more_of_it() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (case_id, order) = world.remedy().await;
        let first = world.handler().get(&order).await.ok();
        assert_eq!((&first["summary"], &first["skill"]), (&json!("更换水泵"), &json!("水电")));
        let more = json!({ "case_id": case_id, "department": "cleaning", "summary": "清理现场" });
        let more = world.handler().post("/v1/work-orders", more).await.created();
        assert_eq!(more["remedy_id"], first["remedy_id"]);
        assert_eq!(more["priority"], "P3");
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let completed = world.kit.published::<pb::WorkOrderCompleted>().await;
        assert_eq!(completed[0].remedy_id, first["remedy_id"].as_str().unwrap());
        world.handler().get(&format!("/v1/service-requests/{case_id}")).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn work_orders_are_listed_by_what_matters() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (first, second) = (world.order(world.confirmed().await).await, world.order(world.confirmed().await).await);
        world.walk(&first, &["assign"]).await;
        let technician = world.technician("T001").await;
        let technician = technician.as_str().unwrap();
        for (query, found) in [
            ("".to_owned(), 2),
            ("?status=open".to_owned(), 1),
            (format!("?technician_id={technician}"), 1),
            (format!("?estate_id={}", world.other_estate), 0),
            ("?department=engineering".to_owned(), 2),
            ("?department=cleaning".to_owned(), 0),
        ] {
            let page = world.crew("tech-1").get(&format!("/v1/work-orders{query}")).await.ok();
            assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
        }
        let page = world.handler().get("/v1/work-orders").await.ok();
        let since = page["since"].as_str().unwrap();
        world.walk(&second, &["assign"]).await;
        let changed = world.handler().get(&second).await.ok();
        let is_told = |items: &[Value]| items.last() == Some(&changed);
        let _ = world.changes("/v1/work-orders", since, is_told).await;
        world.owner().get("/v1/work-orders").await.problem(403, "forbidden");
    })
    .await;
}
