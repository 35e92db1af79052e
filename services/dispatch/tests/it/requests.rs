//! Service requests over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_dispatch::Dispatch;
use steward_kernel::{ActorId, Role};
use steward_proto::{dispatch as pb, intake};
use steward_testkit::{Kit, OTHER_TENANT, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn a_repair_travels_from_the_owners_words_to_the_owners_word() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.request().await;
        let path = format!("/v1/service-requests/{case_id}");
        let confirm = json!({ "details": "下午上门", "appointment": window(&world.kit, 5) });
        let confirmed = world.handler().post(&format!("{path}/confirm"), confirm).await;
        let from = world.kit.clock.now() + TimeDelta::hours(5);
        assert_eq!(instant(&confirmed.ok()["appointment"]["from"]), from);
        assert_eq!(confirmed.version(), Some(2));

        let order = world.order(case_id).await;
        assert_eq!(world.stage(case_id).await, "routed");
        world.walk(&order, &["assign"]).await;
        assert_eq!(world.stage(case_id).await, "routed");
        world.walk(&order, &["accept"]).await;
        assert_eq!(world.stage(case_id).await, "in_work");
        world.walk(&order, &["depart", "arrive"]).await;

        // What somebody else has stored proves nothing.
        let anothers = new_id();
        let stored = |file: Uuid, account: &str| intake::FileStored {
            file_id: file.to_string(),
            account: account.to_owned(),
            ..Default::default()
        };
        world.kit.publish(TENANT, anothers, 1, 0, stored(anothers, "somebody")).await;
        eventually("it is known who stored it", || async {
            (world.kit.count("dispatch", "stored_file").await == 1).then_some(())
        })
        .await;
        let wrong = json!({ "note": "好", "file_ids": [anothers] });
        let wrong = world.crew("tech-1").post(&format!("{order}/complete"), wrong).await;
        let wrong = wrong.problem(422, "dispatch/proof-of-another");
        assert_eq!(wrong["errors"][0]["pointer"], "/file_ids/0");

        let file_id = new_id();
        let done = json!({ "note": "接头已密封", "file_ids": [file_id] });
        let done = world.crew("tech-1").post(&format!("{order}/complete"), done).await.ok();
        assert_eq!(done["proof"], json!([{ "file_id": file_id, "state": "awaited" }]));
        assert_eq!(done["allowed"], json!([]));
        assert_eq!(world.stage(case_id).await, "done_reported");
        let listed = async |state: &str| {
            let page = world.lead().get(&format!("/v1/work-orders?proof={state}")).await.ok();
            page["items"].as_array().unwrap().len()
        };
        assert_eq!((listed("awaited").await, listed("stored").await), (1, 0));
        world.lead().post(&format!("{order}/verify"), json!({})).await.problem(409, "dispatch/proof-awaited");
        world.kit.publish(TENANT, file_id, 1, 0, stored(file_id, "tech-1")).await;
        eventually("the proof is there", || async {
            (world.handler().get(&order).await.ok()["proof"][0]["state"] == "stored").then_some(())
        })
        .await;

        assert_eq!((listed("awaited").await, listed("stored").await), (0, 1));
        assert_eq!(world.handler().get(&order).await.ok()["allowed"], json!(["verify"]));

        let said = json!({ "satisfied": true, "comment": "师傅很好", "further_need": "地漏也换一下" });
        let closed = world.owner().post(&format!("{path}/verify"), said).await.ok();
        assert_eq!((&closed["stage"], &closed["allowed"]), (&json!("closed"), &json!(["verify"])));
        world.walk(&order, &["verify"]).await;
        assert_eq!(world.stage(case_id).await, "closed");
        told(&world).await;
    })
    .await;
}

/// A window of an hour that begins in so many hours.
fn window(kit: &Kit, hours: i64) -> Value {
    let from = kit.clock.now() + TimeDelta::hours(hours);
    json!({ "from": from, "to": from + TimeDelta::hours(1) })
}

/// What is no time is 1970, as no expectation is.
fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn another_time_is_told_with_the_old_one_and_to_whoever_has_the_work() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.request().await;
        let path = format!("/v1/service-requests/{case_id}");
        let handler = world.handler();
        let (first, second, third) = (window(&world.kit, 5), window(&world.kit, 30), window(&world.kit, 50));
        let confirm = |window: &Value| json!({ "appointment": window });
        let _ = handler.post(&format!("{path}/confirm"), confirm(&first)).await.ok();
        // Confirmed again with another time: it is told, too.
        let _ = handler.post(&format!("{path}/confirm"), confirm(&second)).await.ok();
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept"]).await;
        let appoint = json!({ "appointment": third, "reason": "业主改时间" });
        let moved = handler.post(&format!("{path}/appoint"), appoint.clone()).await.ok();
        assert_eq!(instant(&moved["appointment"]["from"]), instant(&third["from"]));
        assert_eq!(handler.post(&format!("{path}/appoint"), appoint).await.ok()["version"], moved["version"]);

        let ms =
            |window: &Value| (instant(&window["from"]).timestamp_millis(), instant(&window["to"]).timestamp_millis());
        let told: Vec<_> = world.kit.published::<pb::AppointmentSet>().await;
        let windows: Vec<_> = told
            .iter()
            .map(|told| ((told.from_ms, told.to_ms), (told.previous_from_ms, told.previous_to_ms)))
            .collect();
        assert_eq!(windows, [(ms(&second), ms(&first)), (ms(&third), ms(&second))]);
        let crews: Vec<_> = told.iter().map(|told| told.technician_accounts.clone()).collect();
        assert_eq!(crews, [vec![], vec!["tech-1".to_owned()]]);
        let _ = world
            .owner()
            .post(&format!("{path}/appoint"), json!({ "appointment": first }))
            .await
            .problem(403, "forbidden");
    })
    .await;
}

/// What the others hear of that repair.
async fn told(world: &World) {
    let stages: Vec<_> =
        world.kit.published::<pb::ServiceRequestStageChanged>().await.into_iter().map(|event| event.stage).collect();
    assert_eq!(stages, ["routed", "in_work", "done_reported"]);
    let needs = world.kit.published::<pb::FurtherNeedRaised>().await;
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].words, "地漏也换一下");
    assert_eq!(needs[0].resident_id, world.resident.to_string());
    let verified = world.kit.published::<pb::ServiceRequestVerified>().await;
    assert!(verified.len() == 1 && verified[0].satisfied);
    assert_eq!(world.kit.published::<pb::ServiceRequestClosed>().await.len(), 1);
    let opened = world.kit.published::<pb::WorkOrderOpened>().await;
    assert!(opened.len() == 1 && opened[0].reference.starts_with("W-") && opened[0].remedy_id.is_empty());
    assert_eq!(world.kit.published::<pb::WorkOrderVerified>().await.len(), 1);
}

#[tokio::test]
async fn an_owner_who_is_not_satisfied_gets_a_rework() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        world.kit.clock.advance(TimeDelta::seconds(1));
        let path = format!("/v1/service-requests/{case_id}/verify");
        let said = json!({ "satisfied": false, "comment": "还在滴" });
        let view = world.owner().post(&path, said.clone()).key("no").await.ok();
        assert_eq!(view["stage"], "in_work");
        let again = world.owner().post(&path, said).key("no").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(), view);

        let orders = world.handler().get(&format!("/v1/work-orders?case_id={case_id}")).await.ok();
        let rework = &orders["items"][0];
        assert_eq!(orders["items"].as_array().unwrap().len(), 2);
        assert!(order.ends_with(rework["rework_of"].as_str().unwrap()));
        assert_eq!((&rework["status"], &rework["summary"]), (&json!("open"), &json!("查漏")));
        let rework = format!("/v1/work-orders/{}", rework["work_order_id"].as_str().unwrap());
        world.walk(&rework, &["assign", "accept", "depart", "arrive", "complete"]).await;
        assert_eq!(world.stage(case_id).await, "done_reported");
    })
    .await;
}

#[tokio::test]
async fn a_colleague_who_had_no_part_takes_down_the_owners_word_and_the_owner_can_contradict_it() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let path = format!("/v1/service-requests/{case_id}/verify");
        let unsaid = world.handler().post(&path, json!({ "satisfied": true })).await;
        assert_eq!(unsaid.problem(422, "word/taken-down-missing")["errors"][0]["pointer"], "/taken_down");
        let said = json!({ "satisfied": true, "taken_down": { "how": "visit" } });
        world.handler().post(&path, said.clone()).await.problem(403, "word/handled-by-you");
        let closed = world.kit.client(Role::Receptionist).post(&path, said).await.ok();
        assert_eq!((&closed["stage"], &closed["allowed"]), (&json!("closed"), &json!(["verify"])));
        assert_eq!(closed["verification"]["taken_down"]["by"], "receptionist");
        let back = world.owner().post(&path, json!({ "satisfied": false })).await.ok();
        assert_eq!(back["stage"], "in_work");
        assert_eq!(back["work_orders"].as_array().unwrap().len(), 2, "the rework is opened");
        let told = world.kit.published::<pb::ServiceRequestVerified>().await;
        assert_eq!((told[0].given_how.as_str(), told[0].taken_down_by.as_str()), ("visit", "receptionist"));
        assert_eq!((told[1].satisfied, told[1].stage.as_str()), (false, "done_reported"));
    })
    .await;
}

#[tokio::test]
async fn a_technician_who_did_the_work_does_not_take_down_that_it_is_good_under_another_role() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
        let mut crew = world.kit.staff_of(Role::Receptionist, &[world.estate]);
        crew.id = ActorId::new("tech-1");
        let said = json!({ "satisfied": true, "taken_down": { "how": "visit" } });
        let refused = world.kit.client_of(&crew).post(&format!("/v1/service-requests/{case_id}/verify"), said).await;
        refused.problem(403, "word/handled-by-you");
    })
    .await;
}

#[tokio::test]
async fn an_owner_comes_back_on_what_was_declined_or_called_off_for_some_days() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let declined = world.request().await;
        let decline = json!({ "reason": "自有设备", "responsible": "厂商" });
        let _ = world.handler().post(&format!("/v1/service-requests/{declined}/decline"), decline).await.ok();
        let cancelled = world.confirmed().await;
        let cancel = json!({ "reason": "重复" });
        let view = world.handler().post(&format!("/v1/service-requests/{cancelled}/cancel"), cancel).await.ok();
        assert_eq!(view.get("cancellation_taken_down"), None, "the company calls off by itself");
        assert_eq!(world.kit.published::<pb::ServiceRequestCancelled>().await[0].by, "staff");
        world.kit.clock.advance(TimeDelta::days(15));
        for (case_id, stage) in [(declined, "received"), (cancelled, "confirmed")] {
            let path = format!("/v1/service-requests/{case_id}/verify");
            world
                .owner()
                .post(&path, json!({ "satisfied": true }))
                .await
                .problem(409, "dispatch/service-request-stage");
            let back = world.owner().post(&path, json!({ "satisfied": false })).await.ok();
            assert_eq!((&back["stage"], &back["work_orders"]), (&json!(stage), &json!([])));
        }
        let cancel = json!({ "reason": "还是不用了" });
        let _ = world.owner().post(&format!("/v1/service-requests/{declined}/cancel"), cancel).await.ok();
        world.kit.clock.advance(TimeDelta::days(15) + TimeDelta::seconds(1));
        let late = json!({ "satisfied": false });
        let late = world.owner().post(&format!("/v1/service-requests/{declined}/verify"), late).await;
        late.problem(409, "word/too-late");
    })
    .await;
}

#[tokio::test]
async fn proof_that_does_not_come_is_missed_after_some_hours_until_it_comes() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let order = world.order(world.confirmed().await).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive"]).await;
        let file = new_id();
        let done = json!({ "note": "好", "file_ids": [file] });
        let view = world.crew("tech-1").post(&format!("{order}/complete"), done).await.ok();
        assert_eq!(view["proof_missed"], false);
        world.kit.clock.advance(TimeDelta::hours(4));
        let order_is = async |missed: bool| {
            eventually("the proof is looked for", || async {
                (world.lead().get(&order).await.ok()["proof_missed"] == missed).then_some(())
            })
            .await;
        };
        order_is(true).await;
        assert_eq!(world.kit.published::<pb::WorkOrderProofMissed>().await[0].department, "engineering");
        let stored =
            intake::FileStored { file_id: file.to_string(), account: "tech-1".to_owned(), ..Default::default() };
        world.kit.publish(TENANT, file, 1, 0, stored).await;
        order_is(false).await;
        assert_eq!(world.kit.published::<pb::WorkOrderProofArrived>().await.len(), 1);
        let _ = world.lead().post(&format!("{order}/verify"), json!({})).await.ok();
    })
    .await;
}

#[tokio::test]
async fn what_somebody_else_stores_later_proves_nothing() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let order = world.order(world.confirmed().await).await;
        world.walk(&order, &["assign", "accept", "depart", "arrive"]).await;
        let (mine, guessed) = (new_id(), new_id());
        let done = json!({ "note": "好", "file_ids": [mine, guessed] });
        let _ = world.crew("tech-1").post(&format!("{order}/complete"), done).await.ok();
        for (file, account) in [(mine, "tech-1"), (guessed, "owner-9")] {
            let stored =
                intake::FileStored { file_id: file.to_string(), account: account.to_owned(), ..Default::default() };
            world.kit.publish(TENANT, file, 1, 0, stored).await;
        }
        eventually("both files are known", || async {
            (world.kit.count("dispatch", "stored_file").await == 2).then_some(())
        })
        .await;
        let states: Vec<_> = world.lead().get(&order).await.ok()["proof"]
            .as_array()
            .unwrap()
            .iter()
            .map(|proof| proof["state"].clone())
            .collect();
        assert_eq!(states, ["stored", "awaited"]);
        let awaited = world.lead().get("/v1/work-orders?proof=awaited").await.ok();
        assert_eq!(awaited["items"].as_array().unwrap().len(), 1);
        world.lead().post(&format!("{order}/verify"), json!({})).await.problem(409, "dispatch/proof-awaited");
    })
    .await;
}

#[tokio::test]
async fn of_two_who_confirm_or_transfer_the_second_one_learns_of_the_first() {
    with::<Dispatch>(async |kit| {
        let world = World::with_contractors(kit).await;
        let case_id = world.request().await;
        let path = format!("/v1/service-requests/{case_id}");
        let confirm = |details: &str| world.handler().post(&format!("{path}/confirm"), json!({ "details": details }));
        let first = confirm("厨房水管").await;
        let refused = confirm("卫生间").await.problem(409, "dispatch/other-details");
        assert_eq!(refused["errors"][0]["pointer"], "/details");
        assert_eq!(world.handler().get(&path).await.ok()["details"], "厨房水管");
        assert_eq!(confirm("卫生间").if_match(first.version().unwrap()).await.ok()["details"], "卫生间");

        let order = world.order(case_id).await;
        let transfer = |department: &str, instead_of: Option<&str>| {
            let body = json!({ "department": department, "reason": "不归我们", "instead_of": instead_of });
            world.handler().post(&format!("{order}/transfer"), body)
        };
        let _ = transfer("lift_contractor", None).await.ok();
        let refused = transfer("greening", None).await.problem(409, "dispatch/transferred-to-another");
        assert_eq!(refused["errors"][0]["pointer"], "/instead_of");
        assert_eq!(transfer("greening", Some("lift_contractor")).await.ok()["department"], "greening");
    })
    .await;
}

#[tokio::test]
async fn a_rework_that_is_called_off_leaves_it_to_newer_work_or_the_owners_word() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        for ends_by_word in [false, true] {
            let case_id = world.confirmed().await;
            let order = world.order(case_id).await;
            world.walk(&order, &["assign", "accept", "depart", "arrive", "complete"]).await;
            let verify = format!("/v1/service-requests/{case_id}/verify");
            let _ = world.owner().post(&verify, json!({ "satisfied": false, "comment": "还漏" })).await.ok();
            let orders = world.handler().get(&format!("/v1/work-orders?case_id={case_id}&status=open")).await.ok();
            let rework = format!("/v1/work-orders/{}", orders["items"][0]["work_order_id"].as_str().unwrap());
            let _ = world.handler().post(&format!("{rework}/cancel"), json!({ "reason": "不用返工" })).await.ok();
            assert_eq!(world.stage(case_id).await, "confirmed", "nobody came");
            if ends_by_word {
                let view = world.owner().post(&verify, json!({ "satisfied": true })).await.ok();
                assert_eq!(view["stage"], "closed");
            } else {
                let again = world.order(case_id).await;
                world.walk(&again, &["assign", "accept", "depart", "arrive", "complete"]).await;
                assert_eq!(world.stage(case_id).await, "done_reported");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn calling_off_a_request_calls_off_its_open_work() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let (open, taken) = (world.order(case_id).await, world.order(case_id).await);
        world.walk(&taken, &["assign", "accept"]).await;
        let path = format!("/v1/service-requests/{case_id}/cancel");
        let reason = json!({ "reason": "自己弄好了" });
        let view = world.owner().post(&path, reason.clone()).key("k").await.ok();
        assert_eq!(view["stage"], "cancelled");
        assert!(view["work_orders"].as_array().unwrap().iter().all(|order| order["progress"] == "cancelled"));
        for order in [&open, &taken] {
            assert_eq!(world.status(order).await, "cancelled");
        }
        assert_eq!(world.owner().post(&path, reason).key("k").await.ok(), view);
        world.owner().post(&path, json!({ "reason": "别的" })).key("k").await.problem(422, "command-key-reused");
        assert_eq!(world.kit.published::<pb::WorkOrderCancelled>().await.len(), 2);
        assert_eq!(world.kit.published::<pb::ServiceRequestCancelled>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_asked_and_answered() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.request().await;
        let path = format!("/v1/service-requests/{case_id}");
        let asked = world.handler().post(&format!("{path}/request-info"), json!({ "question": "哪个房间？" })).await;
        assert_eq!(asked.ok()["stage"], "needs_info");
        let answered = world.owner().post(&format!("{path}/provide-info"), json!({ "text": "主卧" })).await.ok();
        assert_eq!(answered["questions"], json!([{ "question": "哪个房间？", "answer": "主卧" }]));
        let declined = json!({ "reason": "自有设备", "responsible": "厂商" });
        let declined = world.handler().post(&format!("{path}/decline"), declined).await.ok();
        assert_eq!((&declined["stage"], &declined["responsible"]), (&json!("declined"), &json!("厂商")));
        assert_eq!(world.kit.published::<pb::InfoRequested>().await.len(), 1);
        assert_eq!(world.kit.published::<pb::InfoProvided>().await.len(), 1);
        assert_eq!(world.kit.published::<pb::ServiceRequestDeclined>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.request().await;
        let path = format!("/v1/service-requests/{case_id}");
        let handler = world.handler();
        let confirm = |body: Value| handler.post(&format!("{path}/confirm"), body);

        let problem = confirm(json!({ "detail": "x" })).await.problem(400, "malformed-request");
        assert_eq!(problem["errors"][0]["pointer"], "/detail");
        confirm(json!({ "details": 7 })).await.problem(400, "malformed-request");
        confirm(json!({ "details": "长".repeat(4001) })).await.problem(400, "malformed-request");
        let backwards = json!({ "from": "2026-11-24T14:00:00Z", "to": "2026-11-24T13:00:00Z" });
        let backwards = confirm(json!({ "appointment": backwards })).await;
        assert_eq!(backwards.problem(422, "dispatch/appointment-backwards")["errors"][0]["pointer"], "/appointment/to");
        let day = TimeDelta::days(1);
        let now = world.kit.clock.now();
        for (from, to, slug, pointer) in [
            (now - day, now, "dispatch/appointment-past", "/appointment/from"),
            (
                now + day * 4000,
                now + day * 4000 + TimeDelta::hours(1),
                "dispatch/appointment-too-far",
                "/appointment/to",
            ),
            (now + day, now + day * 30, "dispatch/appointment-too-long", "/appointment/to"),
        ] {
            let problem = confirm(json!({ "appointment": { "from": from, "to": to } })).await.problem(422, slug);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        confirm(json!({})).if_match(7).await.problem(412, "stale-version");
        handler.get("/v1/service-requests?colour=red").await.problem(400, "malformed-request");
        handler.get("/v1/service-requests?stage=lost").await.problem(400, "malformed-request");

        let illegal = world.owner().post(&format!("{path}/verify"), json!({ "satisfied": true })).await;
        let illegal = illegal.problem(409, "dispatch/service-request-stage");
        assert_eq!(illegal["allowed"], json!(["confirm", "request-info", "decline", "cancel"]));

        let mut foreigner = world.kit.staff(Role::Handler);
        foreigner.tenant = OTHER_TENANT.into();
        let foreigner = world.kit.client_of(&foreigner);
        foreigner.post(&format!("{path}/confirm"), json!({})).await.problem(404, "dispatch/no-such-service-request");
        foreigner.get(&path).await.problem(404, "not-found");
        assert_eq!(handler.get(&path).await.ok()["version"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_list_pages_filters_and_then_tells_what_has_changed() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (first, second) = (world.request().await, world.confirmed().await);
        let handler = world.handler();
        let page = handler.get("/v1/service-requests?limit=1").await.ok();
        assert_eq!(page["items"][0]["case_id"], second.to_string());
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = handler.get(&format!("/v1/service-requests?limit=1&cursor={cursor}")).await.ok();
        assert_eq!(rest["items"][0]["case_id"], first.to_string());

        let _ = handler.post(&format!("/v1/service-requests/{first}/confirm"), json!({})).await.ok();
        let changed = handler.get(&format!("/v1/service-requests/{first}")).await.ok();
        let is_told = |items: &[Value]| items.last() == Some(&changed);
        let _ = world.changes("/v1/service-requests", rest["since"].as_str().unwrap(), is_told).await;

        let none = handler.get(&format!("/v1/service-requests?estate_id={}", world.other_estate)).await.ok();
        assert_eq!(none["items"], json!([]));
        let stage = handler.get("/v1/service-requests?stage=confirmed&priority=P2&category=water.leak").await.ok();
        assert_eq!(stage["items"].as_array().unwrap().len(), 2);
        assert_eq!(world.owner().get("/v1/service-requests").await.ok()["items"].as_array().unwrap().len(), 2);
        let neighbour = world.kit.owner(new_id());
        assert_eq!(neighbour.get("/v1/service-requests").await.ok()["items"], json!([]));
        neighbour.get(&format!("/v1/service-requests/{first}")).await.problem(404, "not-found");
    })
    .await;
}
