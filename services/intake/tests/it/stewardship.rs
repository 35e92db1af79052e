//! Clocks, accountability, promises and escalation, through the API and the events of the other services.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_proto::{complaint, dispatch, intake as pb};
use steward_testkit::{Client, Kit, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{World, case_id, world};

pub(crate) const STAFF: &str = "staff_code,name,role,department,estate_code,account\n\
    K1,武怡芳,receptionist,customer_service,YX,desk-1\nK2,范康莉,handler,customer_service,YX,handler-1\n\
    K3,何立,supervisor,engineering,YX,lead-1\nK4,罗文,manager,management,YX,manager-1\nK5,高远,manager,management,全部,company-1\n";

pub(crate) async fn staffed(kit: &Kit) -> World {
    let world = world(kit).await;
    let _ = kit.client(Role::Admin).upload("/v1/staff/import", "text/csv", STAFF.into()).await.ok();
    world
}

/// Somebody of the register.
pub(crate) fn person(kit: &Kit, role: Role, account: &str) -> Client {
    let mut actor = kit.staff(role);
    actor.id = ActorId::new(account);
    kit.client_of(&actor)
}

pub(crate) async fn opens(kit: &Kit, world: &World, kind: &str, priority: &str) -> Uuid {
    let mut body = world.case(kind);
    body["resident_id"] = json!(world.resident);
    body["priority"] = json!(priority);
    case_id(&person(kit, Role::Receptionist, "desk-1").post("/v1/cases", body).await.created())
}

async fn clock(client: &Client, case: Uuid, measure: &str) -> Value {
    let list = client.get(&format!("/v1/clocks?case_id={case}&measure={measure}&party=company")).await.ok();
    list["items"][0].clone()
}

async fn escalations(client: &Client, case: Uuid) -> Vec<Value> {
    let list = client.get(&format!("/v1/escalations?case_id={case}")).await.ok();
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_case_shows_its_clocks_and_who_answers_for_it() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        let manager = kit.client(Role::Manager);
        let seen = manager.get(&format!("/v1/cases/{case}")).await.ok();
        assert_eq!(seen["accountable"]["account"], "desk-1");
        assert_eq!(seen["accountable"]["why"], "first_receiver");
        let measures: Vec<_> =
            seen["clocks"].as_array().unwrap().iter().map(|clock| clock["measure"].clone()).collect();
        for measure in ["acknowledge", "plan", "decide"] {
            assert!(measures.contains(&json!(measure)), "{measures:?}");
        }
        let owners = kit.owner(world.resident).get(&format!("/v1/cases/{case}")).await.ok();
        assert_eq!(owners["accountable"].get("account"), None, "owners are told since when, not who logs in");
        assert_eq!(owners["clocks"].as_array().unwrap().len(), 3);
        let list = manager.get("/v1/cases").await.ok();
        assert_eq!(list["items"][0]["accountable"]["account"], "desk-1");
        assert!(list["items"][0]["due_at"].is_string(), "{list}");
        let summary = manager.get("/v1/clocks/summary").await.ok();
        let running: i64 =
            summary["items"].as_array().unwrap().iter().map(|row| row["running"].as_i64().unwrap()).sum();
        assert_eq!(running, 3);
        let named = kit.published::<pb::AccountablePersonChanged>().await;
        assert_eq!((named.len(), &named[0].account[..], &named[0].cause[..]), (1, "desk-1", "first_receiver"));
    })
    .await;
}

#[tokio::test]
async fn what_is_called_off_is_void_whoever_does_it_and_whatever_it_is() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let (desk, owner) = (person(&kit, Role::Receptionist, "desk-1"), kit.owner(world.resident));
        for kind in ["inquiry", "complaint", "service_request", "suggestion"] {
            for by in [&desk, &owner] {
                let case = opens(&kit, &world, kind, "P3").await;
                let _ = by.post(&format!("/v1/cases/{case}/cancel"), json!({ "reason": "业主说算了" })).await.ok();
                let clocks = desk.get(&format!("/v1/clocks?case_id={case}")).await.ok();
                let states: Vec<_> = clocks["items"].as_array().unwrap().iter().map(|clock| &clock["state"]).collect();
                assert!(states.len() >= 2 && states.iter().all(|state| *state == "void"), "{kind}: {states:?}");
            }
        }
        // The same when it is called off where it is worked on.
        let case = opens(&kit, &world, "service_request", "P3").await;
        let (case_id, at_ms) = (case.to_string(), kit.clock.now().timestamp_millis());
        kit.publish(TENANT, case, 1, 0, dispatch::ServiceRequestCancelled { case_id, at_ms, ..Default::default() })
            .await;
        let withdrawn = opens(&kit, &world, "complaint", "P3").await;
        let case_id = withdrawn.to_string();
        kit.publish(TENANT, withdrawn, 1, 0, complaint::ComplaintWithdrawn { case_id, at_ms, ..Default::default() })
            .await;
        for case in [case, withdrawn] {
            eventually("its first answer is void", || async {
                (clock(&desk, case, "acknowledge").await["state"] == "void").then_some(())
            })
            .await;
        }
        let stopped = kit.published::<pb::ClockStopped>().await;
        assert!(stopped.iter().all(|stopped| stopped.outcome == "void"), "{stopped:?}");
    })
    .await;
}

#[tokio::test]
async fn a_clock_explains_itself_in_three_languages_and_its_counted_time_adds_up() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        let (owner, manager) = (kit.owner(world.resident), kit.client(Role::Manager));
        let about = |message: complaint::ComplaintAwaitingOwner| complaint::ComplaintAwaitingOwner {
            case_id: case.to_string(),
            at_ms: kit.clock.now().timestamp_millis(),
            ..message
        };
        kit.publish(TENANT, case, 2, 0, about(Default::default())).await;
        let paused = eventually("the clock is paused", || async {
            let clock = clock(&owner, case, "decide").await;
            (clock["state"] == "paused").then_some(clock)
        })
        .await;
        kit.clock.advance(TimeDelta::days(2));
        let id = paused["clock_id"].as_str().unwrap();
        let path = format!("/v1/clocks/{id}/explain");
        for (language, word) in
            [("zh-Hans", "等待业主回复"), ("zh-Hant", "等待業主回覆"), ("en", "waiting for the owner")]
        {
            let told = owner.get(&path).header("accept-language", language).await.ok();
            assert!(told["clock"]["text"].as_str().unwrap().contains(word), "{told}");
            let stretches = told["stretches"].as_array().unwrap();
            let counted: i64 =
                stretches.iter().filter(|s| s["counted"] == true).map(|s| s["seconds"].as_i64().unwrap()).sum();
            assert_eq!(json!(counted), told["clock"]["elapsed_seconds"]);
            let skipped = stretches.iter().find(|stretch| stretch["cause"]["why"] == "paused").unwrap();
            assert!(skipped["text"].as_str().unwrap().contains(word), "{skipped}");
            assert!(skipped["event_id"].is_string(), "the event that made it is named");
            assert_eq!(told["events"][0].get("by"), None, "an owner is not told who");
        }
        assert_eq!(manager.get(&path).await.ok()["events"][1]["by"], "complaint");

        // The owner objects; a lead upholds it; the time counts again.
        let pause_id = &paused["pause"]["pause_id"];
        let contest = json!({ "pause_id": pause_id, "reason": "没有人问过我" });
        let _ = owner.post(&format!("/v1/clocks/{id}/contest-pause"), contest.clone()).await.ok();
        owner.post(&format!("/v1/clocks/{id}/contest-pause"), contest).await.problem(409, "intake/already-contested");
        let objection = owner.get(&path).await.ok()["objections"][0]["objection_id"].clone();
        let decide = json!({ "objection_id": objection, "upheld": true, "reason": "记录里没有提问" });
        let decided = manager.post(&format!("/v1/clocks/{id}/decide-objection"), decide).await.ok();
        assert_eq!(decided["state"], "running");
        assert_eq!(decided["paused_seconds"], 0);
        assert!(decided["elapsed_seconds"].as_i64().unwrap() >= 2 * 86_400);
        let told = kit.published::<pb::ObjectionDecided>().await;
        assert_eq!((told.len(), told[0].upheld), (1, true));
    })
    .await;
}

#[tokio::test]
async fn an_overdue_matter_climbs_the_ladder_once_for_each_rung_whatever_the_replicas() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let replica = kit.replica::<Intake>().await;
        let case = opens(&kit, &world, "service_request", "P2").await;
        let manager = person(&kit, Role::Manager, "manager-1");
        for minutes in [8, 5, 3, 10] {
            kit.clock.advance(TimeDelta::minutes(minutes));
            tokio::task::yield_now().await;
        }
        let of_answer = |all: Vec<Value>| {
            let mut rungs: Vec<_> = all.into_iter().filter(|one| one["measure"] == "acknowledge").collect();
            rungs.sort_by_key(|one| one["rung"].as_i64());
            rungs
        };
        let rungs = eventually("all rungs", || async {
            let rungs = of_answer(escalations(&manager, case).await);
            (rungs.len() >= 4).then_some(rungs)
        })
        .await;
        let told: Vec<_> = rungs.iter().map(|one| (one["level"].clone(), one["told"].clone())).collect();
        assert_eq!(
            told,
            [
                (json!("worker"), json!(["desk-1"])),
                (json!("lead"), json!(["lead-1"])),
                (json!("estate_manager"), json!(["manager-1"])),
                (json!("region"), json!(["company-1"])),
            ]
        );
        let raised = kit.published::<pb::EscalationRaised>().await;
        assert_eq!(raised.iter().filter(|one| one.measure == "acknowledge").count(), 4);
        assert_eq!(kit.published::<pb::ClockBreached>().await.len(), 1);
        let mine = manager.get("/v1/escalations?mine=true&settled=false").await.ok();
        let third = mine["items"][0]["escalation_id"].as_str().unwrap();
        person(&kit, Role::Handler, "handler-1")
            .post(&format!("/v1/escalations/{third}/acknowledge"), json!({}))
            .await
            .problem(403, "intake/not-told");
        let taken = manager.post(&format!("/v1/escalations/{third}/acknowledge"), json!({})).await.ok();
        assert_eq!(taken["acknowledged_by"], "manager-1");
        replica.stop();
        replica.drained().await;
    })
    .await;
}

#[tokio::test]
async fn a_work_order_has_clocks_of_its_department_and_a_transfer_starts_them_afresh() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P3").await;
        let (order, manager) = (new_id(), kit.client(Role::Manager));
        let opened = dispatch::WorkOrderOpened {
            work_order_id: order.to_string(),
            case_id: case.to_string(),
            department: "engineering".into(),
            ..Default::default()
        };
        kit.publish(TENANT, order, 1, 0, opened).await;
        let list = format!("/v1/clocks?work_order_id={order}&state=running");
        let first = eventually("clocks of the department", || async {
            let list = manager.get(&list).await.ok();
            (list["items"].as_array().unwrap().len() == 2).then_some(list)
        })
        .await;
        assert_eq!(first["items"][0]["department"], "engineering");
        let owners_due = clock(&manager, case, "finish").await["due_at"].clone();
        kit.clock.advance(TimeDelta::minutes(50));
        let transferred = dispatch::WorkOrderTransferred {
            work_order_id: order.to_string(),
            case_id: case.to_string(),
            department: "lift".into(),
            previous_department: "engineering".into(),
            contractor: true,
            ..Default::default()
        };
        kit.publish(TENANT, order, 2, 1, transferred).await;
        let second = eventually("clocks of the contractor", || async {
            let list = manager.get(&format!("{list}&party=contractor")).await.ok();
            (list["items"].as_array().unwrap().len() == 2).then_some(list)
        })
        .await;
        assert_eq!(second["items"][0]["elapsed_seconds"], 0);
        assert_eq!(clock(&manager, case, "finish").await["due_at"], owners_due, "the owner's clock goes on");
        assert!(kit.owner(world.resident).get(&list).await.ok()["items"].as_array().unwrap().is_empty());
        let void = kit.published::<pb::ClockStopped>().await;
        assert!(void.iter().any(|stopped| stopped.outcome == "void" && stopped.department == "engineering"));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_find_a_case_more_or_less_urgent_the_second_one_learns_of_the_first() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P4").await;
        let path = format!("/v1/cases/{case}/prioritise");
        let raise = json!({ "priority": "P1", "reason": "冒烟了" });
        let _ = person(&kit, Role::Receptionist, "desk-1").post(&path, raise).await.ok();
        let lower = |more: Value| {
            let mut body = json!({ "priority": "P3", "reason": "只是蒸汽" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let handler = person(&kit, Role::Handler, "handler-1");
        let refused = handler.post(&path, lower(json!({}))).await.problem(409, "intake/prioritised-before");
        assert_eq!(refused["errors"][0]["pointer"], "/instead_of");
        handler.post(&path, lower(json!({ "instead_of": "P4" }))).await.problem(409, "intake/prioritised-before");
        assert_eq!(handler.post(&path, lower(json!({ "instead_of": "P1" }))).await.ok()["priority"], "P3");
        let version = handler.get(&format!("/v1/cases/{case}")).await.version().unwrap();
        let again = json!({ "priority": "P1", "reason": "又冒烟了" });
        assert_eq!(handler.post(&path, again).if_match(version).await.ok()["priority"], "P1");
    })
    .await;
}

#[tokio::test]
async fn a_priority_that_changes_moves_the_clocks_and_is_told() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P4").await;
        let desk = person(&kit, Role::Receptionist, "desk-1");
        let path = format!("/v1/cases/{case}/prioritise");
        let raised = desk.post(&path, json!({ "priority": "P1", "reason": "冒烟了" })).await.ok();
        assert_eq!(raised["priority"], "P1");
        let arrive = clock(&desk, case, "arrive").await;
        assert_eq!((&arrive["target_seconds"], &arrive["priority"]), (&json!(900), &json!("P1")));
        let explained = desk
            .get(&format!("/v1/clocks/{}/explain", clock(&desk, case, "finish").await["clock_id"].as_str().unwrap()))
            .await
            .ok();
        let changes: Vec<_> =
            explained["targets"].as_array().unwrap().iter().map(|target| target["change"].clone()).collect();
        assert_eq!(changes, ["start", "priority"]);
        desk.post(&path, json!({ "priority": "P9", "reason": "x" })).await.problem(400, "malformed-request");
        let told = kit.published::<pb::CasePrioritised>().await;
        assert_eq!((told.len(), &told[0].priority[..], &told[0].previous_priority[..]), (1, "P1", "P4"));
    })
    .await;
}

#[tokio::test]
async fn a_case_is_handed_over_when_it_is_accepted_and_stays_when_nobody_says_a_word() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "inquiry", "P4").await;
        let (desk, handler) = (person(&kit, Role::Receptionist, "desk-1"), person(&kit, Role::Handler, "handler-1"));
        let to = |account: &str| json!({ "account": account, "reason": "涉及费用" });
        let path = |verb: &str| format!("/v1/cases/{case}/{verb}");
        desk.post(&path("hand-over"), to("nobody-1")).await.problem(422, "intake/unknown-account");
        handler.post(&path("hand-over"), to("manager-1")).await.problem(403, "intake/not-accountable");
        desk.post(&path("hand-over"), to("desk-1")).await.problem(422, "intake/already-accountable");
        // The version of the case, as it is read, is what a hand-over is held against.
        let read = desk.get(&format!("/v1/cases/{case}")).await;
        let version = read.version().unwrap();
        desk.post(&path("hand-over"), to("handler-1")).if_match(version + 1).await.problem(412, "stale-version");
        let offered = desk.post(&path("hand-over"), to("handler-1")).if_match(version).await;
        assert_eq!(offered.version(), Some(version));
        let known = desk.get(&format!("/v1/cases/{case}")).header("if-none-match", read.header("etag")).await;
        assert_eq!(
            (known.status, known.version()),
            (200, Some(version)),
            "who was asked is shown, though the version stays"
        );
        let offered = offered.ok();
        assert_eq!((&offered["account"], &offered["asked"]), (&json!("desk-1"), &json!("handler-1")));
        desk.post(&path("accept-hand-over"), json!({})).await.problem(403, "intake/not-asked");
        kit.clock.advance(TimeDelta::days(14));
        eventually("silence is a refusal", || async {
            let ended = kit.published::<pb::HandOverEnded>().await;
            (ended.len() == 1 && ended[0].outcome == "lapsed").then_some(())
        })
        .await;
        handler.post(&path("accept-hand-over"), json!({})).await.problem(409, "intake/no-hand-over");
        let _ = desk.post(&path("hand-over"), to("handler-1")).key("again").await.ok();
        let accepted = handler.post(&path("accept-hand-over"), json!({})).key("accept").await;
        assert_eq!((&accepted.ok()["account"], &accepted.ok()["why"]), (&json!("handler-1"), &json!("hand_over")));
        let again = handler.post(&path("accept-hand-over"), json!({})).key("accept").await;
        assert_eq!(again.ok(), accepted.ok());
    })
    .await;
}

#[tokio::test]
async fn promises_are_counted_and_warn_before_they_break() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P2").await;
        let (desk, manager) = (person(&kit, Role::Receptionist, "desk-1"), kit.client(Role::Manager));
        let in_hours =
            |hours: i64| json!({ "due_at": kit.clock.now() + TimeDelta::hours(hours), "team": "engineering" });
        let path = format!("/v1/cases/{case}/promises");
        desk.post(&path, in_hours(-1)).await.problem(422, "intake/date-out-of-bounds");
        let kept = desk.post(&path, in_hours(10)).key("promise").await;
        assert_eq!(desk.post(&path, in_hours(10)).key("promise").await.created(), kept.created());
        let kept = kept.created();
        let broken = desk.post(&path, in_hours(20)).await.created();
        let moved = desk.post(&path, in_hours(30)).await.created();
        let of =
            |promise: &Value, verb: &str| format!("/v1/promises/{}/{verb}", promise["promise_id"].as_str().unwrap());
        // The mark of a promise is held against by its own commands, not by those of its case.
        let last = desk.post(&path, in_hours(40)).await;
        let stale = last.version().unwrap() - 1;
        desk.post(&of(&kept, "keep"), json!({})).if_match(stale).await.problem(412, "stale-version");
        let keep = desk.post(&of(&kept, "keep"), json!({})).header("if-match", last.header("etag"));
        assert_eq!(keep.await.ok()["state"], "kept");
        let later = json!({ "due_at": kit.clock.now() + TimeDelta::hours(50), "reason": "配件明天到货" });
        assert_eq!(desk.post(&of(&moved, "move"), later).await.ok()["state"], "moved");
        kit.clock.advance(TimeDelta::hours(17));
        eventually("a warning", || async {
            let warned = kit.published::<pb::PromiseAtRisk>().await;
            (warned.len() == 1 && warned[0].accounts == ["desk-1", "lead-1"]).then_some(())
        })
        .await;
        kit.clock.advance(TimeDelta::hours(4));
        let state = format!("/v1/promises?case_id={case}&state=broken");
        eventually("a broken promise", || async {
            let list = manager.get(&state).await.ok();
            (list["items"][0]["promise_id"] == broken["promise_id"]).then_some(())
        })
        .await;
        desk.post(&of(&broken, "keep"), json!({})).await.problem(409, "intake/promise-over");
        let to = kit.clock.now() + TimeDelta::days(9);
        let summary = manager.get(&format!("/v1/promises/summary?to={}", to.format("%Y-%m-%dT%H:%M:%SZ"))).await.ok();
        let team = &summary["items"][0];
        assert_eq!((&team["team"], &team["kept"], &team["broken"]), (&json!("engineering"), &json!(1), &json!(1)));
        assert_eq!((&team["moved"], &team["open"], &team["kept_share"]), (&json!(1), &json!(2), &json!(0.5)));
    })
    .await;
}

#[tokio::test]
async fn a_case_that_is_older_than_its_stewardship_gets_one_with_its_next_step() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        for table in ["clock", "stewardship", "timer WHERE aggregate = 'stewardship'"] {
            kit.execute("intake", &format!("DELETE FROM {table}")).await;
        }
        kit.execute("intake", "DELETE FROM event WHERE aggregate = 'stewardship'").await;
        let manager = kit.client(Role::Manager);
        assert_eq!(manager.get(&format!("/v1/cases/{case}")).await.ok().get("accountable"), None);
        let acknowledged = complaint::ComplaintAcknowledged { case_id: case.to_string(), ..Default::default() };
        kit.publish(TENANT, case, 2, 0, acknowledged).await;
        let seen = eventually("it has a stewardship", || async {
            let seen = manager.get(&format!("/v1/cases/{case}")).await.ok();
            seen["accountable"]["account"].is_string().then_some(seen)
        })
        .await;
        let measures: Vec<_> =
            seen["clocks"].as_array().unwrap().iter().map(|clock| clock["measure"].clone()).collect();
        assert_eq!(measures, ["decide"], "what is past is not measured any more");
    })
    .await;
}

#[tokio::test]
async fn a_policy_is_rehearsed_before_it_is_switched_on() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        for _ in 0..3 {
            let case = opens(&kit, &world, "complaint", "P3").await;
            kit.clock.advance(TimeDelta::minutes(30));
            let acknowledged = complaint::ComplaintAcknowledged { case_id: case.to_string(), ..Default::default() };
            kit.publish(TENANT, case, 2, 0, acknowledged).await;
            let manager = kit.client(Role::Manager);
            eventually("it is acknowledged", || async {
                (clock(&manager, case, "acknowledge").await["state"] == "met").then_some(())
            })
            .await;
        }
        let manager = kit.client(Role::Manager);
        let preview = async |policy: Value| {
            let body = json!({ "scope": "company", "days": 7, "policy": policy });
            manager.post("/v1/clock-policies/preview", body).await.ok()
        };
        let same = preview(json!({})).await;
        assert_eq!(same["now"], same["then"], "the same policy gives the same result");
        assert_eq!((&same["now"]["clocks"], &same["complete"]), (&json!(9), &json!(true)));
        let strict = json!({ "targets": [{ "measure": "acknowledge", "kind": "complaint", "within": "10m", "hours": "always" }] });
        let strict = preview(strict).await;
        let line = strict["items"].as_array().unwrap().iter().find(|line| line["measure"] == "acknowledge").unwrap();
        assert_eq!((&line["now"]["breaches"], &line["then"]["breaches"]), (&json!(0), &json!(3)));
        assert!(line["then"]["escalations"].as_u64() > line["now"]["escalations"].as_u64(), "{line}");
        assert_eq!(manager.get("/v1/clock-policies").await.ok()["items"], json!([]), "nothing was changed");
        let body = json!({ "scope": "company", "days": 93, "policy": {} });
        manager.post("/v1/clock-policies/preview", body).await.problem(422, "invalid-request");
        let body = json!({ "scope": "company", "days": 1, "policy": { "promise_warning_percent": 100 } });
        manager.post("/v1/clock-policies/preview", body).await.problem(422, "invalid-request");
    })
    .await;
}

#[tokio::test]
async fn what_is_declined_owes_nothing_any_more() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P3").await;
        let declined = dispatch::ServiceRequestDeclined { case_id: case.to_string(), ..Default::default() };
        kit.publish(TENANT, case, 2, 0, declined).await;
        let manager = kit.client(Role::Manager);
        eventually("no clock runs, and nobody is asked to answer for it", || async {
            let list = manager.get(&format!("/v1/clocks?case_id={case}&state=running")).await.ok();
            list["items"].as_array().unwrap().is_empty().then_some(())
        })
        .await;
        let hand_over = json!({ "account": "handler-1", "reason": "x" });
        let desk = person(&kit, Role::Receptionist, "desk-1");
        desk.post(&format!("/v1/cases/{case}/hand-over"), hand_over).await.problem(409, "intake/case-ended");
        assert_eq!(kit.count("intake", "timer").await, 0, "nothing is left to look at");
    })
    .await;
}

#[tokio::test]
async fn a_hand_over_that_is_refused_leaves_the_case_where_it_was() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "inquiry", "P4").await;
        let (desk, handler) = (person(&kit, Role::Receptionist, "desk-1"), person(&kit, Role::Handler, "handler-1"));
        let to = json!({ "account": "handler-1", "reason": "涉及费用" });
        let _ = desk.post(&format!("/v1/cases/{case}/hand-over"), to).await.ok();
        let refuse = format!("/v1/cases/{case}/refuse-hand-over");
        let refused = handler.post(&refuse, json!({ "reason": "今天只有我一个人" })).await.ok();
        assert_eq!((&refused["account"], refused.get("asked")), (&json!("desk-1"), None));
        handler.post(&refuse, json!({ "reason": "今天只有我一个人" })).await.problem(409, "intake/no-hand-over");
    })
    .await;
}

#[tokio::test]
async fn a_deadline_is_put_off_once_with_a_reason_and_clocks_follow_newer_rules_when_asked_to() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P3").await;
        let (handler, manager) = (person(&kit, Role::Handler, "handler-1"), kit.client(Role::Manager));
        let decide = clock(&handler, case, "decide").await;
        let path = format!("/v1/clocks/{}", decide["clock_id"].as_str().unwrap());
        let due: chrono::DateTime<chrono::Utc> = decide["due_at"].as_str().unwrap().parse().unwrap();
        let later = |days: i64| json!({ "until": due + TimeDelta::days(days), "reason": "等检测报告，已电话告知" });
        let extend = format!("{path}/extend");
        handler.post(&extend, later(-1)).await.problem(422, "intake/date-out-of-bounds");
        let extended = handler.post(&extend, later(2)).await.ok();
        assert_eq!(
            extended["due_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
            due + TimeDelta::days(2)
        );
        handler.post(&extend, later(3)).await.problem(409, "intake/no-extension-left");
        let read = handler.get(&path).await;
        assert_eq!(read.ok()["due_at"], extended["due_at"]);
        // What was read is what is changed.
        let rebase = format!("{path}/rebase");
        manager.post(&rebase, json!({})).if_match(read.version().unwrap() - 1).await.problem(412, "stale-version");
        let _ = manager.post(&rebase, json!({})).if_match(read.version().unwrap()).await.ok();
    })
    .await;
}

#[tokio::test]
async fn what_people_answer_for_who_leave_or_move_goes_to_whoever_is_there() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let (admin, manager) = (kit.client(Role::Admin), kit.client(Role::Manager));
        let case = opens(&kit, &world, "complaint", "P3").await;
        let post = json!({ "level": "lead", "estate_id": world.estate, "account": "lead-1" });
        let _ = admin.post("/v1/posts", post).await.created();
        let becomes = async |account: &str| {
            eventually("somebody else answers for it", || async {
                let seen = manager.get(&format!("/v1/cases/{case}")).await.ok();
                (seen["accountable"]["account"] == account).then(|| seen["accountable"]["why"].clone())
            })
            .await
        };
        let head = "工号,姓名,岗位,部门,小区编码,账号";
        let import = async |file: String| admin.upload("/v1/staff/import", "text/csv", file.into_bytes()).await.ok();

        let left = import(format!("{head},在职状态\nK1,武怡芳,前台,customer_service,YX,desk-1,已离职\n")).await;
        assert_eq!((left["updated"].clone(), left["notes"][0]["code"].clone()), (json!(1), json!("handed_over")));
        assert!(left["notes"][0]["detail"].as_str().unwrap().starts_with("1 个未结事项"), "{left}");
        assert_eq!(becomes("handler-1").await, "left");
        let staff = manager.get("/v1/staff?role=receptionist").await.ok();
        assert_eq!(staff["items"][0]["left"], true);
        // A later file without the column says nothing of it.
        assert_eq!(import(format!("{head}\nK1,武怡芳,前台,customer_service,YX,desk-1\n")).await["unchanged"], 1);

        let moved = import(format!("{head}\nK2,范康莉,客服,customer_service,BL,handler-1\n")).await;
        assert_eq!(moved["notes"][0]["code"], "handed_over");
        assert_eq!(becomes("lead-1").await, "left");
        let lead = import(format!("{head},状态\nK3,何立,工程主管,engineering,YX,lead-1,离职\n")).await;
        let codes: Vec<_> = lead["notes"].as_array().unwrap().iter().map(|note| note["code"].clone()).collect();
        assert_eq!(codes, ["handed_over", "post_vacant"]);
        assert_eq!(becomes("manager-1").await, "left");
        let named = kit.published::<pb::AccountablePersonChanged>().await;
        let told: Vec<_> = named.iter().map(|event| (event.account.as_str(), event.cause.as_str())).collect();
        let expected = [("desk-1", "first_receiver"), ("handler-1", "left"), ("lead-1", "left"), ("manager-1", "left")];
        assert_eq!(told, expected);
    })
    .await;
}
