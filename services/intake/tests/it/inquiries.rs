//! Inquiries over HTTP, and the call-back by a timer.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::intake as pb;
use steward_testkit::{db::new_id, with};

use crate::world::{case_id, codes, reaches, world};

#[tokio::test]
async fn an_important_inquiry_is_answered_by_an_article_called_back_and_closed() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(world.resident));
        let article = json!({
            "code": "FIT-OUT", "title": "装修管理", "category": "fit-out", "body": "提前三天登记。", "language": "zh-Hans"
        });
        let article = kit.client(Role::Manager).post("/v1/articles", article).await.created();
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let path = format!("/v1/inquiries/{id}");

        let answer = json!({ "article_id": article["article_id"], "important": true });
        let answered = desk.post(&format!("{path}/answer"), answer).await.ok();
        assert_eq!((&answered["stage"], &answered["article_version"]), (&json!("answered"), &json!(1)));
        reaches(&owner, id, "resolved", "answered").await;
        let said = json!({ "taken_down": { "how": "phone" } });
        let closed = kit.client(Role::Handler).post(&format!("{path}/close"), said).await;
        assert_eq!(closed.problem(409, "intake/inquiry-not-now")["allowed"], json!(["follow-up", "reopen"]));

        kit.clock.advance(TimeDelta::days(3) + TimeDelta::seconds(1));
        reaches(&owner, id, "resolved", "follow_up_due").await;
        let called = desk.post(&format!("{path}/follow-up"), json!({ "result": "reached", "note": "清楚了" })).await.ok();
        assert_eq!(called["stage"], "followed_up");
        let _ = owner.post(&format!("{path}/close"), json!({})).await.ok();
        reaches(&owner, id, "closed", "closed").await;
        assert_eq!(codes(&owner, id).await, ["received", "answered", "follow_up_due", "followed_up", "closed"]);
        let told = kit.published::<pb::CaseProgressed>().await;
        let first_human = told.iter().find(|step| step.human).map(|step| step.milestone.as_str());
        assert_eq!((told.len(), first_human), (4, Some("answered")));
    })
    .await;
}

#[tokio::test]
async fn calls_in_vain_on_three_days_close_it_and_its_owner_may_ask_again() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (desk, owner) = (kit.client(Role::Handler), kit.owner(world.resident));
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let path = format!("/v1/inquiries/{id}");
        let _ = desk.post(&format!("{path}/answer"), json!({ "text": "三天内答复", "important": true })).await.ok();
        let calls = || async { desk.post(&format!("{path}/follow-up"), json!({ "result": "not_reached" })).await.ok() };
        for _ in 0..2 {
            let _ = calls().await;
        }
        let tried = calls().await;
        assert_eq!((&tried["stage"], &tried["missed_calls"]), (&json!("answered"), &json!(3)));
        assert_eq!((&tried["missed_days"], &tried["days_owed"]), (&json!(1), &json!(2)));
        let clocks = || async {
            let list = desk.get(&format!("/v1/clocks?case_id={id}&measure=follow_up")).await.ok();
            let state = |clock: &Value| clock["state"].as_str().unwrap().to_owned();
            list["items"].as_array().unwrap().iter().map(state).collect::<Vec<_>>()
        };
        assert_eq!(clocks().await, ["running"], "one clock, from the answer on");
        kit.clock.advance(TimeDelta::days(1));
        assert_eq!(calls().await["days_owed"], 1);
        kit.clock.advance(TimeDelta::days(1));
        assert_eq!(calls().await["stage"], "closed");
        assert_eq!(clocks().await, ["void"], "nobody was reached");
        reaches(&owner, id, "closed", "closed").await;
        let _ = owner.post(&format!("{path}/reopen"), json!({ "reason": "还是不明白" })).await.ok();
        reaches(&owner, id, "in_progress", "reopened").await;
        // The call-back that was due once is forgotten.
        kit.clock.advance(TimeDelta::days(9));
        let _ = desk.post(&format!("{path}/answer"), json!({ "text": "见附件" })).await.ok();
        let _ = owner.post(&format!("{path}/close"), json!({})).await.ok();
        reaches(&owner, id, "closed", "closed").await;
        assert_eq!(kit.count("intake", "timer").await, 0);
    })
    .await;
}

#[tokio::test]
async fn wrong_answers_are_explained() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let path = format!("/v1/inquiries/{id}/answer");
        desk.post(&path, json!({})).await.problem(422, "intake/empty-answer");
        desk.post(&path, json!({ "article_id": new_id() })).await.problem(422, "intake/unknown-article");
        desk.post(&path, json!({ "text": "x", "article_version": 1 })).await.problem(422, "invalid-request");
        desk.post(&path, json!({ "text": "x", "colour": "red" })).await.problem(400, "malformed-request");
        desk.post(&format!("/v1/inquiries/{id}/follow-up"), json!({ "result": "reached" }))
            .await
            .problem(409, "intake/inquiry-not-now");
        kit.owner(world.resident).post(&path, json!({ "text": "x" })).await.problem(403, "forbidden");
        kit.owner(world.neighbour).get(&format!("/v1/inquiries/{id}")).await.problem(404, "intake/no-such-inquiry");

        // Twice under one key it is answered once, and the case moves once.
        for _ in 0..2 {
            assert_eq!(desk.post(&path, json!({ "text": "可以" })).key("k").await.ok()["version"], 2);
        }
        assert_eq!(kit.published::<pb::CaseProgressed>().await.len(), 1);
        let complaint = case_id(&world.opens(&kit, "complaint").await);
        desk.get(&format!("/v1/inquiries/{complaint}")).await.problem(404, "intake/no-such-inquiry");
        let open = desk.get(&format!("/v1/inquiries?estate_id={}&stage=answered", world.estate)).await.ok();
        assert_eq!(open["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn closing_and_asking_again_are_the_owners_words_that_a_colleague_may_take_down() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(world.resident));
        let colleague = kit.client(Role::Supervisor);
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let path = format!("/v1/inquiries/{id}");
        let _ = desk.post(&format!("{path}/answer"), json!({ "text": "可以" })).await.ok();
        for (command, body) in [("close", json!({})), ("reopen", json!({ "reason": "再看" }))] {
            let unsaid = desk.post(&format!("{path}/{command}"), body.clone()).await;
            assert_eq!(unsaid.problem(422, "word/taken-down-missing")["errors"][0]["pointer"], "/taken_down");
            let mut said = body;
            said["taken_down"] = json!({ "how": "phone" });
            desk.post(&format!("{path}/{command}"), said).await.problem(403, "word/handled-by-you");
        }
        let said = json!({ "taken_down": { "how": "phone" } });
        let _ = colleague.post(&format!("{path}/close"), said).await.ok();
        let timeline = format!("/v1/cases/{id}/timeline");
        let seen = owner.get(&timeline).await.ok()["items"][2].clone();
        assert_eq!(
            (&seen["code"], &seen["by"], &seen["taken_down"]["how"]),
            (&json!("closed"), &json!("staff"), &json!("phone"))
        );
        assert_eq!(
            (&seen["text"], seen["taken_down"].get("by")),
            (&json!("工作人员根据您的来电代您记录：事项已办结"), None)
        );
        assert_eq!(desk.get(&timeline).await.ok()["items"][2]["taken_down"]["by"], "supervisor");

        let _ = owner.post(&format!("{path}/reopen"), json!({ "reason": "我没有说过" })).await.ok();
        reaches(&owner, id, "in_progress", "reopened").await;
        let seen = owner.get(&timeline).await.ok()["items"][3].clone();
        assert_eq!((&seen["code"], &seen["by"]), (&json!("reopened"), &json!("owner")));
        let told = kit.published::<pb::CaseProgressed>().await;
        let by: Vec<_> = told.iter().map(|step| (step.by.as_str(), step.given_how.as_str())).collect();
        assert_eq!(by, [("staff", ""), ("staff", "phone"), ("owner", "")]);
    })
    .await;
}

#[tokio::test]
async fn an_owner_comes_back_on_an_inquiry_that_was_called_off_for_some_days() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(world.resident));
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let cancel = format!("/v1/cases/{id}/cancel");
        let _ = desk.post(&cancel, json!({ "reason": "重复" })).await.ok();
        let told = kit.published::<pb::CaseCancelled>().await;
        assert_eq!((told[0].by.as_str(), told[0].given_how.as_str()), ("staff", ""));
        kit.clock.advance(TimeDelta::days(15));
        let reopen = format!("/v1/inquiries/{id}/reopen");
        let _ = owner.post(&reopen, json!({ "reason": "没有重复" })).await.ok();
        reaches(&owner, id, "in_progress", "reopened").await;
        let clocks = owner.get(&format!("/v1/clocks?case_id={id}")).await.ok();
        let of_second = clocks["items"].as_array().unwrap().iter().filter(|clock| clock["episode"] == 2);
        assert!(
            of_second.clone().count() > 0 && of_second.clone().all(|clock| clock["state"] == "running"),
            "{clocks}"
        );

        let said = json!({ "reason": "业主来电说不用了", "taken_down": { "how": "phone" } });
        let _ = kit.client(Role::Supervisor).post(&cancel, said).await.ok();
        assert_eq!(kit.published::<pb::CaseCancelled>().await[1].given_how, "phone");
        kit.clock.advance(TimeDelta::days(15) + TimeDelta::seconds(1));
        owner.post(&reopen, json!({ "reason": "太晚" })).await.problem(409, "word/too-late");
    })
    .await;
}
