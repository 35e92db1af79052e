//! Work orders over HTTP.

use serde_json::{Value, json};
use steward_dispatch::Dispatch;
use steward_proto::{dispatch as pb, intake};
use steward_testkit::{TENANT, db::new_id, eventually, with};

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
        assert_eq!(illegal["allowed"], json!(["assign", "accept", "return", "transfer", "cancel"]));

        world.walk(&order, &["accept"]).await;
        let back = json!({ "reason": "需要厂家" });
        let returned = world.crew("tech-1").post(&format!("{order}/return"), back).await.ok();
        assert_eq!((&returned["status"], &returned["technician_id"]), (&json!("returned"), &Value::Null));
        assert_eq!(world.stage(case_id).await, "routed");
        world.walk(&order, &["assign", "accept", "depart", "arrive", "make-safe", "start"]).await;
        let hold = json!({ "reason": "parts", "note": "缺阀芯" });
        let held = world.crew("tech-1").post(&format!("{order}/hold"), hold).await.ok();
        let expected = json!({ "reason": "parts", "note": "缺阀芯", "from": "working", "evidence": [] });
        assert_eq!(held["hold"], expected);
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
        let accounts: Vec<_> =
            world.kit.published::<pb::WorkOrderAssigned>().await.into_iter().map(|event| event.account).collect();
        assert_eq!(accounts, ["tech-1", "tech-1"]);
    })
    .await;
}

#[tokio::test]
async fn another_department_has_a_transferred_order_and_begins_anew() {
    with::<Dispatch>(async |kit| {
        let world = World::with_contractors(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive"]).await;
        let path = format!("{order}/transfer");
        let to = |department: &str| json!({ "department": department, "reason": "须由维保单位处理" });
        let handler = world.handler();
        for (department, slug) in [
            ("engineering", "dispatch/same-department"),
            ("plumbing", "dispatch/unknown-department"),
            ("security", "dispatch/unknown-department"),
        ] {
            let problem = handler.post(&path, to(department)).await.problem(422, slug);
            assert_eq!(problem["errors"][0]["pointer"], "/department", "{department}");
        }
        let bare = handler.post(&path, json!({ "department": "lift_contractor" })).await;
        assert_eq!(bare.problem(400, "malformed-request")["errors"][0]["pointer"], "/reason");
        world.crew("tech-1").post(&path, to("lift_contractor")).await.problem(403, "forbidden");
        assert_eq!(world.status(&order).await, "on_site");

        let view = handler.post(&path, to("lift_contractor")).key("k").await.ok();
        assert_eq!((&view["status"], &view["technician_id"]), (&json!("transferred"), &Value::Null));
        assert_eq!((&view["department"], &view["contractor"]), (&json!("lift_contractor"), &json!(true)));
        assert_eq!((&view["transfers"], &view["reason"]), (&json!(1), &json!("须由维保单位处理")));
        assert_eq!(view["allowed"], json!(["assign", "change-skill", "transfer", "cancel"]));
        let again = handler.post(&path, to("lift_contractor")).key("k").await;
        assert_eq!((again.header("idempotency-replayed"), again.ok()), ("true", view.clone()));
        assert_eq!(world.stage(case_id).await, "routed");
        world
            .crew("tech-1")
            .post(&format!("{order}/start"), json!({}))
            .await
            .problem(409, "dispatch/work-order-status");
        let listed = async |department: &str| {
            handler.get(&format!("/v1/work-orders?department={department}")).await.ok()["items"].clone()
        };
        assert_eq!(listed("engineering").await, json!([]));
        assert_eq!(listed("lift_contractor").await, json!([view]));

        let version = view["version"].as_i64().unwrap();
        let _ = world.lead().post(&path, to("engineering")).if_match(version).await.ok();
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        handler.post(&path, to("lift_contractor")).await.problem(409, "dispatch/work-order-status");
        let view = handler.get(&order).await.ok();
        assert_eq!((&view["transfers"], &view["contractor"]), (&json!(2), &json!(false)));
        let told = world.kit.published::<pb::WorkOrderTransferred>().await;
        let hops: Vec<_> =
            told.iter().map(|hop| (&*hop.previous_department, &*hop.department, hop.contractor)).collect();
        assert_eq!(hops, [("engineering", "lift_contractor", true), ("lift_contractor", "engineering", false)]);
        assert_eq!((&told[0].case_id, &told[0].estate_id), (&case_id.to_string(), &world.estate.to_string()));
        assert!(told[0].remedy_id.is_empty() && order.ends_with(&told[0].work_order_id) && told[0].at_ms > 0);
    })
    .await;
}

#[tokio::test]
async fn who_has_an_order_is_told_with_whether_that_is_a_contractor() {
    with::<Dispatch>(async |kit| {
        let world = World::with_contractors(kit).await;
        let (_, remedy) = world.remedy("lift_contractor").await;
        assert_eq!(world.handler().get(&remedy).await.ok()["contractor"], true);
        let case_id = world.confirmed().await;
        for (department, contractor) in [("lift_contractor", true), ("greening", false), ("cleaning", false)] {
            let body = json!({ "case_id": case_id, "department": department, "summary": "查漏" });
            let opened = world.handler().post("/v1/work-orders", body).await.created();
            assert_eq!(opened["contractor"], contractor, "{department}");
        }
        let told = world.kit.published::<pb::WorkOrderOpened>().await;
        let told: Vec<_> = told.iter().map(|event| (&*event.department, event.contractor)).collect();
        let expected = [("lift_contractor", true), ("lift_contractor", true), ("greening", false), ("cleaning", false)];
        assert_eq!(told, expected);
    })
    .await;
}

#[tokio::test]
async fn that_work_waits_can_be_proven() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let order = world.order(world.confirmed().await).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive"]).await;
        let hold = |files: Value| {
            let body = json!({ "reason": "access", "note": "敲门无人", "file_ids": files });
            world.crew("tech-1").post(&format!("{order}/hold"), body)
        };
        let many: Vec<_> = (0..21).map(|_| new_id()).collect();
        let many = hold(json!(many)).await.problem(422, "dispatch/too-much-proof");
        assert_eq!(many["errors"][0]["pointer"], "/file_ids");
        hold(json!("photo.jpg")).await.problem(400, "malformed-request");
        let file_id = new_id();
        let held = hold(json!([file_id])).await.ok();
        assert_eq!(held["hold"]["evidence"], json!([{ "file_id": file_id, "state": "awaited" }]));
        let stored = intake::FileStored { file_id: file_id.to_string(), ..Default::default() };
        world.kit.publish(TENANT, file_id, 1, 0, stored).await;
        eventually("the evidence is there, in the list too", || async {
            let page = world.handler().get("/v1/work-orders").await.ok();
            (page["items"][0]["hold"]["evidence"][0]["state"] == "stored").then_some(())
        })
        .await;
        let told = world.kit.published::<pb::WorkOrderHeld>().await;
        assert_eq!((told.len(), &told[0].evidence_file_ids), (1, &vec![file_id.to_string()]));
        world.walk(&order, &["resume"]).await;
        assert_eq!(world.handler().get(&order).await.ok()["hold"], Value::Null);
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
        let (case_id, order) = world.remedy("engineering").await;
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

#[tokio::test]
async fn a_reference_that_another_order_of_the_day_has_is_drawn_anew() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let reference = async |order: &str| world.handler().get(order).await.ok()["reference"].clone();
        let taken = reference(&world.order(world.confirmed().await).await).await;
        // The next draw is the same. Sequences are not rolled back, so only that one is.
        let draws = format!(
            "CREATE SEQUENCE draw; GRANT USAGE ON SEQUENCE draw TO PUBLIC;
             CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF nextval('draw') = 1 THEN NEW.reference := '{}'; END IF; RETURN NEW;
             END $$;
             CREATE TRIGGER same BEFORE INSERT ON work_order FOR EACH ROW EXECUTE FUNCTION same()",
            taken.as_str().unwrap()
        );
        world.kit.execute("dispatch", &draws).await;
        let second = reference(&world.order(world.confirmed().await).await).await;
        assert_ne!(second, taken);
        assert_eq!(world.kit.text("dispatch", "SELECT last_value::text FROM draw").await.as_deref(), Some("2"));
    })
    .await;
}
