//! What people do with complaints over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_complaint::Complaint;
use steward_kernel::Role;
use steward_proto::{
    complaint as pb,
    dispatch::{WorkOrderCancelled, WorkOrderOpened},
};
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};

use crate::{Known, a_complaint, work_is_done};

#[tokio::test]
async fn a_complaint_travels_from_receipt_to_the_owners_word() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let (handler, lead) = (kit.client(Role::Handler), kit.client(Role::Supervisor));
        let view = known.does(&handler, "acknowledge", json!({ "note": "由我负责到底" })).await;
        assert_eq!((&view["stage"], &view["allowed"]), (&json!("acknowledged"), &json!(["assess", "withdraw"])));
        let points = json!([{ "text": "深夜拖动桌椅" }, { "text": "反映没有结果" }]);
        let assessment = json!({ "category": "noise.neighbour", "severity": "high", "points": points });
        let view = known.does(&handler, "assess", assessment).await;
        let ids: Vec<Value> =
            view["points"].as_array().unwrap().iter().map(|point| point["point_id"].clone()).collect();

        let question = json!({ "department": "security", "question": "夜间巡逻有没有记录？" });
        let view = known.does(&handler, "consult", question).await;
        let asked = &view["consultations"][0]["consultation_id"];
        let plan = json!({ "text": "上门沟通", "departments": ["security"], "told_owner_via": "phone" });
        let early = handler.post(&known.path("plan"), plan.clone()).await;
        early.problem(409, "complaint/consultations-open");
        known.does(&lead, "answer-consultation", json!({ "consultation_id": asked, "answer": "有三次" })).await;
        known.does(&handler, "plan", plan).await;

        let outcomes = json!([
            { "point_id": ids[0], "outcome": "upheld", "reason": "连续三晚听到" },
            { "point_id": ids[1], "outcome": "partly_upheld", "reason": "有记录但没有转交" },
        ]);
        let due = |days: i64| (kit.clock.now() + chrono::TimeDelta::days(days)).date_naive().to_string();
        let promised = json!([
            { "text": "两周后回访", "due_on": due(400) },
            { "text": "每晚巡听", "due_on": due(300) },
        ]);
        let decided = known.does(&lead, "decide", json!({ "points": outcomes, "commitments": promised })).await;
        assert_eq!(decided["points"][1]["outcome"], "partly_upheld");

        let job = json!({ "department": "engineering", "skill": "水电", "summary": "更换下水管" });
        let view = known.does(&handler, "remedy", job).await;
        assert_eq!(view["stage"], "remedying");
        let owner = kit.owner(known.resident_id);
        let early = owner.post(&known.path("confirm"), json!({ "satisfied": true })).await;
        early.problem(409, "complaint/remedies-open");
        let requested = kit.published::<pb::RemedyRequested>().await;
        assert_eq!((requested.len(), requested[0].skill.as_str()), (1, "水电"));
        work_is_done(&kit, &known, &requested[0].remedy_id).await;
        let view = known.view(&kit).await;
        assert_eq!(view["work_orders"][0]["reference"], "W-261123-7K3QD4");
        assert_eq!(view["work_orders"][0]["progress"], "completed");

        let closed = known.does(&owner, "confirm", json!({ "satisfied": true, "comment": "睡着了" })).await;
        assert_eq!((&closed["stage"], &closed["allowed"]), (&json!("closed"), &json!(["confirm"])));
        let kept = json!({ "commitment_id": decided["commitments"][0]["commitment_id"] });
        let view = known.does(&handler, "keep-commitment", kept).await;
        assert!(view["commitments"][0]["kept_at"].is_string());

        let told = kit.published::<pb::ComplaintDecided>().await;
        assert_eq!((told[0].upheld, told[0].partly_upheld, told[0].commitments), (1, 1, 2));
        assert_eq!(told[0].commitment_due_on, [due(400), due(300)]);
        let ids: Vec<_> =
            decided["commitments"].as_array().unwrap().iter().map(|each| &each["commitment_id"]).collect();
        assert_eq!(json!(told[0].commitment_ids), json!(ids));
        assert_eq!(kit.published::<pb::RemedyCompleted>().await[0].open_remedies, 0);
        assert_eq!(kit.published::<pb::ComplaintPlanned>().await.len(), 1);
        assert_eq!(kit.published::<pb::ComplaintClosed>().await.len(), 1);
        assert_eq!(kit.published::<pb::CommitmentKept>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_illegal_move_is_told_with_the_legal_ones_in_the_callers_language() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let handler = kit.client(Role::Handler);
        let plan = json!({ "text": "上门", "departments": [], "told_owner_via": "phone" });
        let answer = handler.post(&known.path("plan"), plan).header("accept-language", "zh-Hant").await;
        let problem = answer.problem(409, "complaint/illegal-move");
        assert_eq!(problem["allowed"], json!(["acknowledge", "withdraw"]));
        assert_eq!(problem["title"], "投訴目前所處階段不允許此操作");
        let owner = kit.owner(known.resident_id).post(&known.path("confirm"), json!({ "satisfied": true })).await;
        assert_eq!(owner.problem(409, "complaint/illegal-move")["allowed"], json!(["withdraw"]));
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_by_field_and_writes_nothing() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_proposed(&kit).await;
        let before = known.view(&kit).await;
        let point = before["points"][0]["point_id"].clone();
        let reason = "x".repeat(4001);
        let outcome = |id: &Value| json!({ "point_id": id, "outcome": "upheld", "reason": "属实" });
        let bodies = [
            ("decide", json!({ "points": [], "colour": "red" }), 400, "malformed-request", "/colour"),
            ("decide", json!({ "points": "all" }), 400, "malformed-request", "/points"),
            ("decide", json!({ "points": [{ "point_id": "7" }] }), 400, "malformed-request", "/points/0/point_id"),
            ("await-owner", json!({ "reason": reason }), 400, "malformed-request", "/reason"),
            ("await-owner", json!({ "reason": " " }), 400, "malformed-request", "/reason"),
            ("plan", json!({}), 400, "malformed-request", "/text"),
            ("decide", json!({ "points": [outcome(&point)] }), 422, "complaint/point-undecided", "/points"),
            (
                "decide",
                json!({ "points": [outcome(&point), outcome(&point)] }),
                422,
                "complaint/point-twice",
                "/points/1/point_id",
            ),
            (
                "decide",
                json!({ "points": [outcome(&json!(new_id()))] }),
                422,
                "complaint/no-such-point",
                "/points/0/point_id",
            ),
            (
                "decide",
                json!({
                    "points": [outcome(&point), outcome(&before["points"][1]["point_id"])],
                    "commitments": [{ "text": "回访", "due_on": "2020-01-01" }],
                }),
                422,
                "complaint/commitment-past",
                "/commitments/0/due_on",
            ),
        ];
        for (command, body, status, slug, pointer) in bodies {
            let answer = kit.client(Role::Supervisor).post(&known.path(command), body).await;
            assert_eq!(answer.problem(status, slug)["errors"][0]["pointer"], pointer, "{}", answer.text());
        }
        assert_eq!(known.view(&kit).await, before);

        let fresh = a_complaint(&kit).await;
        let handler = kit.client(Role::Handler);
        fresh.does(&handler, "acknowledge", json!({})).await;
        let points: Vec<Value> = (0..21).map(|number| json!({ "text": number.to_string() })).collect();
        let many = handler.post(&fresh.path("assess"), json!({ "severity": "low", "points": points })).await;
        assert_eq!(many.problem(422, "complaint/wrong-number")["errors"][0]["pointer"], "/points");
        let unknown = json!({ "category": "weather", "severity": "low", "points": [{ "text": "雨" }] });
        handler.post(&fresh.path("assess"), unknown).await.problem(422, "complaint/unknown-category");
        handler.get("/v1/complaints?colour=red").await.problem(400, "malformed-request");
        handler.get("/v1/complaints?stage=lost").await.problem(400, "malformed-request");
        handler.get("/v1/complaints/7").await.problem(400, "malformed-request");
        handler.get(&format!("/v1/complaints/{}", new_id())).await.problem(404, "complaint/no-such-complaint");
    })
    .await;
}

#[tokio::test]
async fn versions_and_keys_keep_two_handlers_and_bad_networks_apart() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let handler = kit.client(Role::Handler);
        let first = handler.post(&known.path("acknowledge"), json!({})).key("k-1").if_match(1).await;
        assert_eq!((first.ok()["version"].as_i64(), first.version()), (Some(2), Some(2)));
        let points = json!({ "severity": "low", "points": [{ "text": "噪音" }] });
        handler.post(&known.path("assess"), points.clone()).if_match(1).await.problem(412, "stale-version");
        handler.post(&known.path("assess"), points).if_match(2).await.expect(200);

        let again = handler.post(&known.path("acknowledge"), json!({})).key("k-1").if_match(1).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(), first.ok());
        let other = handler.post(&known.path("acknowledge"), json!({ "note": "您好" })).key("k-1").await;
        other.problem(422, "command-key-reused");
        assert_eq!(kit.published::<pb::ComplaintAcknowledged>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn owners_see_their_own_and_staff_see_their_estates() {
    with::<Complaint>(async |kit| {
        let (mine, other) = (a_complaint(&kit).await, a_complaint(&kit).await);
        let handler = kit.client(Role::Handler);
        mine.does(&handler, "acknowledge", json!({})).await;
        mine.does(&handler, "assess", json!({ "severity": "low", "points": [{ "text": "噪音" }] })).await;
        mine.does(&handler, "consult", json!({ "department": "security", "question": "属实吗？" })).await;

        let owner = kit.owner(mine.resident_id);
        let view = owner.get(&format!("/v1/complaints/{}", mine.case_id)).await.ok();
        assert_eq!((&view["consultations"], &view["allowed"]), (&json!([]), &json!(["withdraw"])));
        owner
            .post(&other.path("withdraw"), json!({ "reason": "算了" }))
            .await
            .problem(404, "complaint/no-such-complaint");
        owner.post(&mine.path("assess"), json!({ "severity": "low", "points": [] })).await.problem(403, "forbidden");
        let local = kit.client_of(&kit.staff_of(Role::Handler, &[mine.estate_id]));
        for client in [&owner, &local] {
            let list = client.get("/v1/complaints").await.ok();
            assert_eq!(list["items"].as_array().unwrap().len(), 1);
            assert_eq!(list["items"][0]["case_id"], mine.case_id.to_string());
        }
        let withdrawn = mine.does(&owner, "withdraw", json!({ "reason": "已经和楼上谈好了" })).await;
        assert_eq!(withdrawn["stage"], "withdrawn");
        mine.does(&owner, "withdraw", json!({ "reason": "再说一次" })).await;
        assert_eq!(kit.published::<pb::ComplaintWithdrawn>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn work_that_was_done_before_the_decision_is_counted_by_the_decision() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_proposed(&kit).await;
        let job = json!({ "department": "engineering", "summary": "先把井盖盖好" });
        let view = known.does(&kit.client(Role::Handler), "remedy", job).await;
        assert_eq!(view["stage"], "proposed");
        work_is_done(&kit, &known, view["remedies"][0]["remedy_id"].as_str().unwrap()).await;
        let points = view["points"].as_array().unwrap().iter();
        let outcomes =
            points.map(|point| json!({ "point_id": point["point_id"], "outcome": "not_upheld", "reason": "未发现" }));
        let outcomes: Vec<Value> = outcomes.collect();
        let decided = known.does(&kit.client(Role::Manager), "decide", json!({ "points": outcomes })).await;
        assert_eq!(decided["stage"], "decided");
        // Nobody takes the case for resolved before it is decided.
        assert!(kit.published::<pb::RemedyCompleted>().await.is_empty());
        let told = kit.published::<pb::ComplaintDecided>().await;
        assert_eq!((told[0].not_upheld, told[0].open_remedies), (2, 0));
    })
    .await;
}

/// Dispatch makes a work order of the remedy, and what becomes of it is told.
async fn work_is_called_off(kit: &Kit, known: &Known, remedy_id: &str) {
    let order = new_id();
    let (case_id, remedy_id) = (known.case_id.to_string(), remedy_id.to_owned());
    let work_order_id = order.to_string();
    let opened = WorkOrderOpened {
        work_order_id: work_order_id.clone(),
        case_id: case_id.clone(),
        remedy_id: remedy_id.clone(),
        reference: "W-261123-7K3QD4".into(),
        ..WorkOrderOpened::default()
    };
    let cancelled = WorkOrderCancelled { work_order_id, case_id, remedy_id, ..WorkOrderCancelled::default() };
    kit.publish(TENANT, order, 1, 0, opened).await;
    kit.publish(TENANT, order, 2, 1, cancelled).await;
}

#[tokio::test]
async fn promised_work_that_is_called_off_is_told_and_decided_anew() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_decided(&kit).await;
        let (handler, lead) = (kit.client(Role::Handler), kit.client(Role::Supervisor));
        let job = json!({ "department": "engineering", "summary": "更换下水管" });
        let view = known.does(&handler, "remedy", job).await;
        assert_eq!(kit.published::<pb::ComplaintWorkResumed>().await[0].open_remedies, 1);
        work_is_called_off(&kit, &known, view["remedies"][0]["remedy_id"].as_str().unwrap()).await;
        let fallen = eventually("it is called off", || async {
            let view = known.view(&kit).await;
            (view["remedies"][0]["progress"] == "called_off").then_some(view)
        })
        .await;
        assert_eq!((&fallen["stage"], &fallen["remedies"][0]["fallen_away"]), (&json!("remedying"), &json!(true)));
        assert!(fallen["allowed"].as_array().unwrap().contains(&json!("decide")));
        let told = kit.published::<pb::RemedyCalledOff>().await;
        assert_eq!((told.len(), told[0].open_remedies, told[0].fallen_away), (1, 1, true));

        let points = fallen["points"].as_array().unwrap().iter();
        let outcomes: Vec<Value> = points
            .map(|point| json!({ "point_id": point["point_id"], "outcome": "upheld", "reason": "改为整体更换" }))
            .collect();
        let anew = known.does(&lead, "decide", json!({ "points": outcomes })).await;
        assert_eq!((&anew["stage"], &anew["points"][0]["reason"]), (&json!("decided"), &json!("改为整体更换")));
        assert_eq!(kit.published::<pb::ComplaintDecided>().await[1].open_remedies, 0);
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_called_back_about_the_decision() {
    with::<Complaint>(async |kit| {
        let (known, other) = (a_complaint(&kit).await, a_complaint(&kit).await);
        let desk = kit.client(Role::Receptionist);
        let called = |known: Known, result: &str| {
            let (desk, body) = (desk.clone(), json!({ "result": result, "note": "业主表示这几晚安静了" }));
            async move { desk.post(&known.path("follow-up"), body).await }
        };
        called(known, "reached").await.problem(409, "complaint/illegal-move");
        for known in [&known, &other] {
            assert_eq!(known.is_decided(&kit).await["days_owed"], 3);
        }
        let owner = kit.owner(known.resident_id);
        owner.post(&known.path("follow-up"), json!({ "result": "reached" })).await.problem(403, "forbidden");
        let tried = called(known, "not_reached").await.ok();
        assert_eq!(
            (&tried["missed_calls"], &tried["missed_days"], &tried["days_owed"]),
            (&json!(1), &json!(1), &json!(2))
        );
        let reached = called(known, "reached").await.ok();
        assert_eq!((&reached["stage"], &reached["days_owed"]), (&json!("decided"), &json!(0)));
        called(known, "reached").await.problem(409, "complaint/illegal-move");

        for _ in 0..3 {
            called(other, "not_reached").await.expect(200);
            kit.clock.advance(TimeDelta::days(1));
        }
        assert_eq!(other.view(&kit).await["stage"], "closed");
        let told = kit.published::<pb::ComplaintCalledBack>().await;
        let told: Vec<_> = told.iter().map(|call| (&call.result[..], call.missed_days, call.over)).collect();
        let in_vain = "not_reached";
        assert_eq!(
            told,
            [(in_vain, 1, false), ("reached", 1, true), (in_vain, 1, false), (in_vain, 2, false), (in_vain, 3, true)]
        );
        assert_eq!(kit.published::<pb::ComplaintClosed>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_colleague_has_written_is_not_replaced_by_who_has_not_read_it() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let (handler, lead) = (kit.client(Role::Handler), kit.client(Role::Supervisor));
        known.does(&handler, "acknowledge", json!({ "note": "我来负责" })).await;
        let twice = lead.post(&known.path("acknowledge"), json!({ "note": "明天上门" })).await;
        assert_eq!(twice.problem(409, "complaint/already-acknowledged")["errors"][0]["pointer"], "/note");
        let assessed =
            known.does(&handler, "assess", json!({ "severity": "low", "points": [{ "text": "噪音" }] })).await;
        let other = json!({ "severity": "high", "points": [{ "text": "漏水" }] });
        let refused = lead.post(&known.path("assess"), other.clone()).await;
        let problem = refused.problem(409, "complaint/assessed-by-another");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("If-Match"), "{problem}");
        assert_eq!(known.view(&kit).await["points"][0]["text"], "噪音");
        let version = assessed["version"].as_i64().unwrap();
        let read = lead.post(&known.path("assess"), other).if_match(version).await.ok();
        assert_eq!(read["points"][0]["text"], "漏水");
        let told: Vec<_> =
            kit.published::<pb::ComplaintAssessed>().await.into_iter().map(|event| event.stage).collect();
        assert_eq!(told, ["assessed", "assessed"]);

        let plan = |text: &str| json!({ "text": text, "departments": [], "told_owner_via": "phone" });
        known.does(&lead, "plan", plan("上门")).await;
        handler.post(&known.path("plan"), plan("等一周")).await.problem(409, "complaint/planned-by-another");
        assert_eq!(known.does(&lead, "plan", plan("明天上门")).await["plan"]["text"], "明天上门");
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_that_was_taken_down_becomes_the_owners_when_the_owner_says_it() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(known.resident_id));
        let said = json!({ "reason": "业主说算了", "taken_down": { "how": "phone" } });
        assert_eq!(known.does(&desk, "withdraw", said).await["withdrawal_taken_down"]["how"], "phone");
        let other = json!({ "reason": "搬走了", "taken_down": { "how": "desk" } });
        desk.post(&known.path("withdraw"), other).await.problem(409, "complaint/illegal-move");
        let own = known.does(&owner, "withdraw", json!({ "reason": "已经谈好了" })).await;
        assert_eq!((&own["withdrawn_because"], own.get("withdrawal_taken_down")), (&json!("已经谈好了"), None));
        let told = kit.published::<pb::ComplaintWithdrawn>().await;
        assert_eq!(told.iter().map(|word| &word.given_how[..]).collect::<Vec<_>>(), ["phone", ""]);
    })
    .await;
}

#[tokio::test]
async fn a_dissatisfied_owner_reopens_the_investigation() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_decided(&kit).await;
        let said = json!({ "satisfied": false, "comment": "还是吵", "taken_down": { "how": "desk" } });
        let view = known.does(&kit.client(Role::Receptionist), "confirm", said).await;
        assert_eq!((&view["stage"], &view["confirmation"]["comment"]), (&json!("investigating"), &json!("还是吵")));
        let told = kit.published::<pb::ComplaintConfirmed>().await;
        assert!(!told[0].satisfied);
        assert_eq!((told[0].given_how.as_str(), told[0].stage.as_str()), ("desk", "investigating"));
        assert!(kit.published::<pb::ComplaintClosed>().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_colleague_who_had_no_part_takes_down_the_owners_word_and_the_owner_can_contradict_it() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        known.is_decided(&kit).await;
        let (handler, lead) = (kit.client(Role::Handler), kit.client(Role::Supervisor));
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(known.resident_id));
        for (command, body) in
            [("confirm", json!({ "satisfied": true })), ("withdraw", json!({ "reason": "不想处理" }))]
        {
            let unsaid = handler.post(&known.path(command), body.clone()).await;
            let problem = unsaid.problem(422, "word/taken-down-missing");
            assert_eq!(problem["errors"][0]["pointer"], "/taken_down");
            let mut said = body;
            said["taken_down"] = json!({ "how": "phone" });
            for handled in [&handler, &lead] {
                handled.post(&known.path(command), said.clone()).await.problem(403, "word/handled-by-you");
            }
            owner.post(&known.path(command), said.clone()).await.problem(422, "word/owners-own");
            said["taken_down"]["given_at"] = json!("2020-01-01T00:00:00Z");
            let old = desk.post(&known.path(command), said).await;
            let pointer = old.problem(422, "word/given-out-of-bounds")["errors"][0]["pointer"].clone();
            assert_eq!(pointer, "/taken_down/given_at");
        }
        assert_eq!(known.view(&kit).await["stage"], "decided");

        let said = json!({ "satisfied": true, "taken_down": { "how": "phone" } });
        let closed = known.does(&desk, "confirm", said).await;
        assert_eq!(closed["confirmation"]["taken_down"]["by"], "receptionist");
        let seen = owner.get(&format!("/v1/complaints/{}", known.case_id)).await.ok();
        assert_eq!(seen["confirmation"]["taken_down"]["how"], "phone");
        assert_eq!(seen["confirmation"]["taken_down"].get("by"), None, "an owner is not told who");
        let told = kit.published::<pb::ComplaintConfirmed>().await;
        assert_eq!((told[0].given_how.as_str(), told[0].taken_down_by.as_str()), ("phone", "receptionist"));

        let back = known.does(&owner, "confirm", json!({ "satisfied": false, "comment": "我没有说过" })).await;
        assert_eq!(back["stage"], "investigating");
        let told = kit.published::<pb::ComplaintConfirmed>().await;
        assert_eq!((told[1].satisfied, told[1].given_how.as_str(), told[1].given_at_ms), (false, "", 0));
    })
    .await;
}

#[tokio::test]
async fn an_owner_comes_back_on_a_withdrawn_complaint_for_some_days() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let owner = kit.owner(known.resident_id);
        known.does(&owner, "withdraw", json!({ "reason": "算了" })).await;
        kit.clock.advance(TimeDelta::days(14));
        let back = known.does(&owner, "confirm", json!({ "satisfied": false })).await;
        assert_eq!((&back["stage"], &back["allowed"]), (&json!("received"), &json!(["withdraw"])));
        known.does(&owner, "withdraw", json!({ "reason": "还是算了" })).await;
        kit.clock.advance(TimeDelta::days(15) + TimeDelta::seconds(1));
        let late = owner.post(&known.path("confirm"), json!({ "satisfied": false })).await;
        let problem = late.problem(409, "word/too-late");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("linked_case_id"), "{problem}");
        let seen = owner.get(&format!("/v1/complaints/{}", known.case_id)).await.ok();
        assert_eq!(seen["allowed"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_paged_and_synced() {
    with::<Complaint>(async |kit| {
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(a_complaint(&kit).await);
        }
        let handler = kit.client(Role::Handler);
        all[3].does(&handler, "acknowledge", json!({})).await;
        let acknowledged = handler.get("/v1/complaints?stage=acknowledged&priority=P3").await.ok();
        assert_eq!(acknowledged["items"][0]["case_id"], all[3].case_id.to_string());
        assert_eq!(acknowledged["items"].as_array().unwrap().len(), 1);
        let path = format!("/v1/complaints?estate_id={}&resident_id={}", all[1].estate_id, all[1].resident_id);
        assert_eq!(handler.get(&path).await.ok()["items"].as_array().unwrap().len(), 1);

        let (mut seen, mut path) = (Vec::new(), "/v1/complaints?limit=2".to_owned());
        let since = loop {
            let page = handler.get(&path).await.ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["case_id"].clone()));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/complaints?limit=2&cursor={cursor}"),
                None => break page["since"].as_str().unwrap().to_owned(),
            }
        };
        seen.sort_by_key(Value::to_string);
        seen.dedup();
        assert_eq!(seen.len(), 5);

        all[0].does(&handler, "acknowledge", json!({})).await;
        // A feed may repeat what was seen: how far it goes back depends on who else writes to the server.
        eventually("the change is in the feed", || async {
            let page = handler.get(&format!("/v1/complaints?since={since}")).await.ok();
            let is_it = |item: &Value| item["case_id"] == json!(all[0].case_id) && item["stage"] == "acknowledged";
            page["items"].as_array().unwrap().iter().any(is_it).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn categories_are_named_in_the_callers_language() {
    with::<Complaint>(async |kit| {
        let handler = kit.client(Role::Handler);
        let list = handler.get("/v1/complaint-categories").header("accept-language", "en").await.ok();
        let items = list["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["usual_kind"] == "complaint" && item["name"] == item["en"]));
        assert!(items.iter().any(|item| item["code"] == "noise.neighbour"));
    })
    .await;
}

#[tokio::test]
async fn while_the_owner_is_waited_for_the_complaint_rests() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        let handler = kit.client(Role::Handler);
        known.does(&handler, "acknowledge", json!({})).await;
        let points = json!([{ "text": "深夜拖动桌椅" }]);
        known
            .does(&handler, "assess", json!({ "category": "noise.neighbour", "severity": "low", "points": points }))
            .await;
        let view = known.does(&handler, "await-owner", json!({ "reason": "请业主告知发生的时间" })).await;
        assert_eq!((&view["stage"], &view["awaiting"]), (&json!("awaiting_owner"), &json!("请业主告知发生的时间")));
        let plan = json!({ "text": "上门沟通", "departments": ["security"], "told_owner_via": "phone" });
        handler.post(&known.path("plan"), plan.clone()).await.problem(409, "complaint/illegal-move");
        let view = known.does(&handler, "resume", json!({})).await;
        assert_ne!(view["stage"], "awaiting_owner");
        known.does(&handler, "plan", plan).await;
    })
    .await;
}
