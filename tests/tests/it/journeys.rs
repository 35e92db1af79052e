//! The four journeys of an owner's words, from the first contact to the confirmed end.

use chrono::TimeDelta;
use serde_json::json;
use steward_e2e::estate::{Estate, text, with_estate};
use steward_testkit::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_at_the_desk_is_answered_followed_up_and_closed() {
    with_estate(async |e: Estate| {
        let visit = e
            .receptionist
            .post("/v1/visits", json!({"estate_id": e.id, "resident_id": e.resident, "purpose": "问停车月卡"}))
            .await
            .created();
        let visit_id = text(&visit["visit_id"]);
        for command in ["call", "serve"] {
            let _ = e.receptionist.post(&format!("/v1/visits/{visit_id}/{command}"), json!({})).await.ok();
        }
        let case = e
            .receptionist
            .post(
                "/v1/cases",
                json!({
                    "kind": "inquiry", "category": "parking.service", "words": "月卡怎么办，多少钱一个月？", "channel": "desk",
                    "estate_id": e.id, "unit_id": e.unit, "resident_id": e.resident, "visit_id": visit_id,
                }),
            )
            .await
            .created();
        let id = text(&case["case_id"]);
        let _ = e.receptionist.post(&format!("/v1/visits/{visit_id}/finish"), json!({})).await.ok();
        assert!(text(&case["reference"]).starts_with('Q'), "{case}");

        let article = e.receptionist.get("/v1/articles?category=parking.service").await.ok()["items"][0].clone();
        let answer = json!({"article_id": article["article_id"], "text": "带行驶证来就行，每月三百元。", "important": true});
        let answered = e.receptionist.post(&format!("/v1/inquiries/{id}/answer"), answer).await.ok();
        assert_eq!(answered["stage"], "answered", "{answered}");
        e.case_is(&id, "resolved").await;
        e.owner_got(&id, "answered").await;

        e.kit.clock.advance(TimeDelta::days(3));
        e.timeline_has(&id, "follow_up_due").await;
        let _ = e.receptionist.post(&format!("/v1/inquiries/{id}/follow-up"), json!({"result": "reached"})).await.ok();
        let _ = e.owner.post(&format!("/v1/inquiries/{id}/close"), json!({})).await.ok();
        e.case_is(&id, "closed").await;
        e.owner_rates(&id, 5).await;
        e.metrics_show("the closed inquiry", |m| m["cases"]["closed"] == 1 && m["cases"]["by_kind"]["inquiry"] == 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_planned_decided_point_by_point_remedied_and_confirmed() {
    with_estate(async |e: Estate| {
        let case = e.says("complaint", "service.quality", "上个月修的水管又漏了，物业还说不关他们的事！").await;
        let id = text(&case["case_id"]);
        let path = format!("/v1/complaints/{id}");
        e.appears(&e.handler, &path).await;
        e.owner_got(&id, "received").await;

        let refused = e.handler.post(&format!("{path}/decide"), json!({"points": []})).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.json()["allowed"].to_string().contains("acknowledge"), "{}", refused.text());

        let _ = e.handler.post(&format!("{path}/acknowledge"), json!({})).await.ok();
        let points = json!([{"text": "水管再次漏水"}, {"text": "工作人员推诿"}]);
        let assess = json!({"category": "service.quality", "severity": "high", "points": points});
        let assessed = e.handler.post(&format!("{path}/assess"), assess).await.ok();
        let consult = json!({"department": "engineering", "question": "上次更换的是哪一段？"});
        let consulted = e.handler.post(&format!("{path}/consult"), consult).await.ok();
        let consultation = consulted["consultations"][0]["consultation_id"].clone();
        let reply = json!({"consultation_id": consultation, "answer": "只换了角阀，接头老化没换。"});
        let _ = e.handler.post(&format!("{path}/answer-consultation"), reply).await.ok();
        let plan = json!({"text": "明天上午整段更换，客服全程跟进。", "departments": ["engineering", "customer_service"], "told_owner_via": "phone"});
        let _ = e.handler.post(&format!("{path}/plan"), plan).await.ok();
        e.timeline_has(&id, "plan_told").await;
        e.owner_got(&id, "plan_told").await;

        let first = json!({"point_id": assessed["points"][0]["point_id"], "outcome": "upheld", "reason": "接头应当一并更换。"});
        let half = e.handler.post(&format!("{path}/decide"), json!({"points": [first]})).await;
        assert_eq!(half.status, 422, "every point needs an outcome: {}", half.text());
        let second = json!({"point_id": assessed["points"][1]["point_id"], "outcome": "partly_upheld", "reason": "未说明责任划分。"});
        let _ = e.handler.post(&format!("{path}/decide"), json!({"points": [first, second]})).await.ok();
        e.owner_got(&id, "decided").await;

        let remedy = json!({"department": "engineering", "skill": "水电", "summary": "整段更换厨房冷水管"});
        let _ = e.handler.post(&format!("{path}/remedy"), remedy).await.ok();
        let order = e.finds(&e.handler, &format!("/v1/work-orders?case_id={id}"), |_| true).await;
        e.technician_does(&text(&order["work_order_id"])).await;
        e.timeline_has(&id, "remedy_done").await;
        e.case_is(&id, "resolved").await;

        let _ = e.owner.post(&format!("{path}/confirm"), json!({"satisfied": true})).await.ok();
        e.case_is(&id, "closed").await;
        e.owner_rates(&id, 4).await;
        let codes = e.timeline_has(&id, "survey_answered").await;
        for code in ["received", "acknowledged", "assessed", "plan_told", "decided", "remedy_done", "closed"] {
            assert!(codes.iter().any(|known| known == code), "{code} is missing in {codes:?}");
        }
        e.metrics_show("the closed complaint", |m| m["cases"]["closed"] == 1 && m["cases"]["by_kind"]["complaint"] == 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_staff_take_down_is_the_owners_to_contradict() {
    with_estate(async |e: Estate| {
        let case = e.says("complaint", "service.quality", "楼道灯坏了一个月没人管！").await;
        let id = text(&case["case_id"]);
        let path = format!("/v1/complaints/{id}");
        e.appears(&e.handler, &path).await;
        let _ = e.handler.post(&format!("{path}/acknowledge"), json!({})).await.ok();
        let assess = json!({"severity": "medium", "points": [{"text": "楼道灯坏了没人管"}]});
        let assessed = e.handler.post(&format!("{path}/assess"), assess).await.ok();
        let plan = json!({"text": "今天换灯", "departments": [], "told_owner_via": "phone"});
        let _ = e.handler.post(&format!("{path}/plan"), plan).await.ok();
        let point = json!({"point_id": assessed["points"][0]["point_id"], "outcome": "upheld", "reason": "属实"});
        let _ = e.handler.post(&format!("{path}/decide"), json!({"points": [point]})).await.ok();
        e.case_is(&id, "resolved").await;

        let confirm = format!("{path}/confirm");
        let by_phone = json!({"satisfied": true, "taken_down": {"how": "phone"}});
        assert_eq!(e.handler.post(&confirm, json!({"satisfied": true})).await.status, 422, "nobody said how");
        assert_eq!(e.handler.post(&confirm, by_phone.clone()).await.status, 403, "the handler is not the one");
        let _ = e.receptionist.post(&confirm, by_phone).await.ok();
        e.case_is(&id, "closed").await;
        let timeline = e.owner.get(&format!("/v1/cases/{id}/timeline")).await.ok();
        let items = timeline["items"].as_array().cloned().unwrap_or_default();
        let taken_down = items.iter().find(|step| step["code"] == "confirmed").expect("the confirmation");
        assert_eq!((&taken_down["by"], &taken_down["taken_down"]["how"]), (&json!("staff"), &json!("phone")));
        e.metrics_show("the word that was taken down", |m| {
            m["confirmed_by_owner"]["taken_down"] == 1 && m["confirmed_by_owner"]["confirmed"] == 0
        })
        .await;

        let _ = e.owner.post(&confirm, json!({"satisfied": false, "comment": "灯还是不亮"})).await.ok();
        e.case_is(&id, "in_progress").await;
        let _ = e
            .handler
            .post(&format!("{path}/plan"), json!({"text": "换线路", "departments": [], "told_owner_via": "phone"}))
            .await
            .ok();
        let again = json!({"point_id": assessed["points"][0]["point_id"], "outcome": "upheld", "reason": "线路老化"});
        let _ = e.handler.post(&format!("{path}/decide"), json!({"points": [again]})).await.ok();
        e.case_is(&id, "resolved").await;
        let _ = e.owner.post(&confirm, json!({"satisfied": true})).await.ok();
        e.case_is(&id, "closed").await;
        e.metrics_show("the owner's own word", |m| {
            m["confirmed_by_owner"]["taken_down"] == 0 && m["confirmed_by_owner"]["confirmed"] == 1
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_is_done_with_a_photo_and_one_more_thing_becomes_a_linked_case() {
    with_estate(async |e: Estate| {
        let case = e.says("service_request", "home.fixture", "厨房水龙头关不紧，一直滴水。").await;
        let id = text(&case["case_id"]);
        let path = format!("/v1/service-requests/{id}");
        e.appears(&e.handler, &path).await;
        let window = |hours: i64| {
            let from = e.kit.clock.now() + TimeDelta::hours(hours);
            json!({"from": from, "to": from + TimeDelta::hours(1)})
        };
        let confirm = json!({"details": "厨房冷水龙头，明天上午在家", "appointment": window(5)});
        let _ = e.handler.post(&format!("{path}/confirm"), confirm).await.ok();
        let body = json!({"case_id": id, "department": "engineering", "skill": "水电", "summary": "更换厨房水龙头"});
        let order = e.handler.post("/v1/work-orders", body).await.created();
        let order_id = text(&order["work_order_id"]);

        let technicians = e.handler.get(&format!("/v1/technicians?estate_id={}", e.id)).await.ok();
        let cleaner =
            technicians["items"].as_array().into_iter().flatten().find(|one| one["account"] == "tech-2").cloned();
        let wrong = json!({"technician_id": cleaner.expect("tech-2")["technician_id"]});
        let refused = e.handler.post(&format!("/v1/work-orders/{order_id}/assign"), wrong).await;
        assert_eq!(refused.status, 422, "a cleaner has not the skill: {}", refused.text());

        // The owner wants another day: one door, and promise, step and message follow.
        let appoint = json!({"appointment": window(30), "reason": "业主改时间"});
        let _ = e.handler.post(&format!("{path}/appoint"), appoint).await.ok();
        e.timeline_has(&id, "appointment_moved").await;
        e.owner_got(&id, "appointment_moved").await;

        e.technician_does(&order_id).await;
        e.timeline_has(&id, "technician_on_the_way").await;
        e.case_is(&id, "resolved").await;
        e.owner_got(&id, "work_done").await;
        // The photo of the work is for the owner to see.
        let shown = e.owner.get(&path).await.ok();
        let photo = format!("/v1/files/{}/content", text(&shown["proof_file_ids"][0]));
        eventually("the owner sees the photo", || async { (e.owner.get(&photo).await.status == 200).then_some(()) })
            .await;

        let verdict = json!({"satisfied": true, "further_need": "阳台的灯也不亮了，顺便看看。"});
        let _ = e.owner.post(&format!("{path}/verify"), verdict).await.ok();
        e.case_is(&id, "closed").await;
        e.owner_rates(&id, 5).await;
        let next = e.finds(&e.owner, "/v1/cases", |other| other["case_id"] != id.as_str()).await;
        let next = e.owner.get(&format!("/v1/cases/{}", text(&next["case_id"]))).await.ok();
        assert!(next["linked_case_ids"].to_string().contains(&id), "{next}");
        assert_eq!(next["kind"], "service_request", "{next}");
        e.metrics_show("both requests", |m| m["cases"]["opened"] == 2 && m["cases"]["closed"] == 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_is_considered_accepted_and_shows_in_the_summary() {
    with_estate(async |e: Estate| {
        let case = e.says("suggestion", "amenity.improve", "北门能不能加个雨棚，等车的时候淋雨。").await;
        let id = text(&case["case_id"]);
        let path = format!("/v1/suggestions/{id}");
        e.appears(&e.handler, &path).await;
        let _ = e.handler.post(&format!("{path}/consider"), json!({})).await.ok();
        let reason = "同意，纳入明年一季度公共设施改善计划。";
        let _ = e.supervisor.post(&format!("{path}/accept"), json!({"reason": reason})).await.ok();
        e.timeline_has(&id, "accepted").await;
        e.owner_got(&id, "accepted").await;
        e.case_is(&id, "resolved").await;
        e.owner_rates(&id, 5).await;
        let summary = e.supervisor.get(&format!("/v1/suggestions/summary?estate_id={}", e.id)).await.ok();
        assert!(summary.to_string().contains(reason), "{summary}");
        e.metrics_show("the suggestion", |m| m["cases"]["by_kind"]["suggestion"] == 1).await;
    })
    .await;
}
