//! What complaint, dispatch, intake, notification and the figures make of a complaint's work: all of them agree.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_e2e::estate::{Estate, text, with_estate};
use steward_kernel::{ActorId, Role};
use steward_testkit::eventually;

/// A complaint that was taken up, assessed and planned; its case and its point.
async fn proposed(estate: &Estate) -> (String, Value) {
    let case = text(&estate.says("complaint", "service.quality", "楼道一直没人修").await["case_id"]);
    let path = |verb: &str| format!("/v1/complaints/{case}/{verb}");
    estate.appears(&estate.handler, &format!("/v1/complaints/{case}")).await;
    estate.handler.post(&path("acknowledge"), json!({})).await.expect(200);
    let assess = json!({"severity": "high", "points": [{"text": "漏水"}]});
    let view = estate.handler.post(&path("assess"), assess).await.ok();
    let plan = json!({"text": "明天处理", "departments": ["engineering"], "told_owner_via": "phone"});
    estate.handler.post(&path("plan"), plan).await.expect(200);
    (case, view["points"][0]["point_id"].clone())
}

async fn decide(estate: &Estate, case: &str, point: &Value, reason: &str) -> Value {
    let points = json!([{"point_id": point, "outcome": "upheld", "reason": reason}]);
    estate.handler.post(&format!("/v1/complaints/{case}/decide"), json!({"points": points})).await.ok()
}

/// Orders work for the complaint; the work order that dispatch makes of it.
async fn remedy(estate: &Estate, case: &str, summary: &str) -> String {
    let body = json!({"department": "engineering", "summary": summary});
    estate.handler.post(&format!("/v1/complaints/{case}/remedy"), body).await.expect(200);
    let path = format!("/v1/work-orders?case_id={case}");
    let order = estate.finds(&estate.handler, &path, |order| order["summary"] == summary).await;
    text(&order["work_order_id"])
}

/// The complaint and its case, once they stand so.
async fn both_are(estate: &Estate, case: &str, status: &str, stage: &str) {
    eventually(&format!("complaint and case {case} are {stage}"), || async {
        let complaint = estate.handler.get(&format!("/v1/complaints/{case}")).await.ok();
        let view = estate.handler.get(&format!("/v1/cases/{case}")).await.ok();
        let agree = complaint["stage"] == stage && view["stage"] == stage && view["status"] == status;
        agree.then_some(())
    })
    .await;
}

/// What `desk-1` is told of that cause about the case is there: waiting, or settled.
async fn alert(estate: &Estate, case: &str, cause: &str, settled: bool) {
    let mut desk = estate.kit.staff(Role::Receptionist);
    desk.id = ActorId::new("desk-1");
    let desk = estate.kit.client_of(&desk);
    let path = format!("/v1/alerts?case_id={case}&cause={cause}&settled={settled}");
    estate.finds(&desk, &path, |_| true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promised_work_that_is_called_off_leaves_nobody_waiting() {
    with_estate(async |estate| {
        let staff =
            "staff_code,name,role,department,estate_code,account\nK1,武怡芳,receptionist,customer_service,YX,desk-1\n";
        estate.kit.client(Role::Admin).upload("/v1/staff/import", "text/csv", staff.into()).await.expect(200);
        let (case, point) = proposed(&estate).await;
        let order = remedy(&estate, &case, "修水管").await;
        decide(&estate, &case, &point, "属实").await;
        both_are(&estate, &case, "in_progress", "remedying").await;
        let cancel = json!({"reason": "不需要了"});
        estate.handler.post(&format!("/v1/work-orders/{order}/cancel"), cancel.clone()).await.expect(200);
        estate.timeline_has(&case, "remedy_called_off").await;
        estate.owner_got(&case, "remedy_called_off").await;
        alert(&estate, &case, "remedy_fell_away", false).await;
        both_are(&estate, &case, "in_progress", "remedying").await;

        // Ordered again, and done.
        let again = remedy(&estate, &case, "换水管").await;
        alert(&estate, &case, "remedy_fell_away", true).await;
        estate.technician_does(&again).await;
        both_are(&estate, &case, "resolved", "decided").await;
        estate.owner_got(&case, "remedy_done").await;

        // Dispatch adds work to what is done, and it falls away: it is said how it ends.
        let body = json!({"case_id": case, "department": "engineering", "summary": "再刷墙"});
        let added = text(&estate.handler.post("/v1/work-orders", body).await.created()["work_order_id"]);
        both_are(&estate, &case, "in_progress", "remedying").await;
        estate.technician_does(&added).await;
        both_are(&estate, &case, "resolved", "decided").await;
        let last = remedy(&estate, &case, "再装灯").await;
        both_are(&estate, &case, "in_progress", "remedying").await;
        estate.handler.post(&format!("/v1/work-orders/{last}/cancel"), cancel).await.expect(200);
        eventually("it has fallen away", || async {
            let view = estate.handler.get(&format!("/v1/complaints/{case}")).await.ok();
            let allowed = view["allowed"].as_array()?.contains(&json!("decide"));
            allowed.then_some(())
        })
        .await;
        decide(&estate, &case, &point, "灯由供电局装").await;
        both_are(&estate, &case, "resolved", "decided").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_back_about_a_decision_ends_its_clock_and_its_task() {
    with_estate(async |estate| {
        let (reached, point) = proposed(&estate).await;
        decide(&estate, &reached, &point, "属实").await;
        both_are(&estate, &reached, "resolved", "decided").await;
        let (vain, point) = proposed(&estate).await;
        decide(&estate, &vain, &point, "属实").await;
        both_are(&estate, &vain, "resolved", "decided").await;
        let call = async |case: &str, result: &str| {
            let path = format!("/v1/complaints/{case}/follow-up");
            estate.receptionist.post(&path, json!({"result": result})).await.ok()
        };
        let clock_is = async |case: &str, state: &str| {
            let path = format!("/v1/clocks?case_id={case}&measure=follow_up");
            estate.finds(&estate.handler, &path, |clock| clock["state"] == state).await;
        };
        clock_is(&reached, "running").await;
        call(&reached, "not_reached").await;
        estate.kit.clock.advance(TimeDelta::days(1));
        call(&reached, "reached").await;
        clock_is(&reached, "met").await;
        estate.timeline_has(&reached, "followed_up").await;
        estate.owner_got(&reached, "followed_up").await;
        for _ in 0..3 {
            call(&vain, "not_reached").await;
            estate.kit.clock.advance(TimeDelta::days(1));
        }
        let ended = eventually("nobody was reached", || async {
            let clocks = estate.handler.get(&format!("/v1/clocks?case_id={vain}&measure=follow_up")).await.ok();
            let state = clocks["items"][0]["state"].clone();
            (state != "running").then_some(state)
        })
        .await;
        assert_ne!(ended, "met", "a promise that nobody kept");
        both_are(&estate, &vain, "closed", "closed").await;
        estate
            .metrics_show("one call-back", |metrics| metrics["deadlines"]["by_measure"]["follow_up"]["met"] == 1)
            .await;
        let back = json!({"satisfied": false, "comment": "没人找过我"});
        estate.owner.post(&format!("/v1/complaints/{vain}/confirm"), back).await.expect(200);
        both_are(&estate, &vain, "in_progress", "investigating").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_ordered_from_departments_that_there_are_and_the_owners_word_is_taken_down_by_who_had_no_part() {
    with_estate(async |estate| {
        let (case, point) = proposed(&estate).await;
        let path = |verb: &str| format!("/v1/complaints/{case}/{verb}");
        let nowhere = json!({"department": "nosuch-dept", "summary": "修"});
        eventually("the complaint has heard of the departments", || async {
            let answer = estate.handler.post(&path("remedy"), nowhere.clone()).await;
            (answer.status == 422).then(|| answer.problem(422, "complaint/unknown-department"))
        })
        .await;
        let flying = json!({"department": "engineering", "skill": "飞行", "summary": "修"});
        eventually("and of what they can do", || async {
            let answer = estate.handler.post(&path("remedy"), flying.clone()).await;
            (answer.status == 422).then(|| answer.problem(422, "complaint/unknown-skill"))
        })
        .await;
        // Whatever was let through before departments were heard of was refused, or is called off.
        eventually("nothing is open", || async {
            let orders = estate.handler.get(&format!("/v1/work-orders?case_id={case}")).await.ok();
            for order in orders["items"].as_array()? {
                let path = format!("/v1/work-orders/{}/cancel", text(&order["work_order_id"]));
                estate.handler.post(&path, json!({"reason": "没有人会"})).await;
            }
            let view = estate.handler.get(&format!("/v1/complaints/{case}")).await.ok();
            view["remedies"].as_array()?.iter().all(|remedy| remedy["progress"] != "requested").then_some(())
        })
        .await;
        let order = remedy(&estate, &case, "修水管").await;
        decide(&estate, &case, &point, "属实").await;
        estate.technician_does(&order).await;
        both_are(&estate, &case, "resolved", "decided").await;

        // Who did the work and who answers for the case leave it to somebody else.
        let accountable = text(&estate.handler.get(&format!("/v1/cases/{case}")).await.ok()["accountable"]["account"]);
        let said = json!({"satisfied": true, "taken_down": {"how": "phone"}});
        for account in ["tech-1", &accountable] {
            let mut actor = estate.kit.staff(Role::Manager);
            actor.id = ActorId::new(account);
            let answer = estate.kit.client_of(&actor).post(&path("confirm"), said.clone()).await;
            answer.problem(403, "word/handled-by-you");
        }
        estate.receptionist.post(&path("confirm"), said).await.expect(200);
        both_are(&estate, &case, "closed", "closed").await;
    })
    .await;
}
