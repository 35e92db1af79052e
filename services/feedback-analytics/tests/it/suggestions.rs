use serde_json::json;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_proto::feedback_analytics as pb;
use steward_testkit::{db::new_id, eventually, with};

use crate::world::{Case, NAME, estate};

#[tokio::test]
async fn a_suggestion_is_considered_accepted_planned_delivered_and_confirmed() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "suggestion", Some(resident)).await;
        let (manager, owner) = (kit.client(Role::Manager), kit.owner(resident));
        let path = format!("/v1/suggestions/{}", case.id);

        let first = owner.get(&path).await;
        let view = first.ok();
        assert_eq!(
            (view["stage"].as_str(), view["words"].as_str()),
            (Some("received"), Some("车棚里多装几个充电桩吧"))
        );
        assert_eq!((view["allowed"].clone(), first.version()), (json!(["consider"]), Some(1)));
        let since = manager.get("/v1/suggestions").await.ok()["since"].as_str().expect("a since token").to_owned();

        manager.post(&format!("{path}/consider"), json!({"note": "问过工程部"})).await.expect(200);
        manager.post(&format!("{path}/accept"), json!({"reason": "位置够"})).await.expect(200);
        assert_eq!(manager.get(&path).await.ok()["note"], "问过工程部");
        for shown in [owner.get(&path).await.ok(), owner.get("/v1/suggestions").await.ok()["items"][0].clone()] {
            assert_eq!(
                (&shown["note"], &shown["reason"]),
                (&json!(null), &json!("位置够")),
                "notes are for colleagues"
            );
        }
        let summary = manager.get(&format!("/v1/suggestions/summary?estate_id={estate}")).await.ok();
        assert_eq!((summary["total"].as_u64(), summary["by_stage"]["accepted"].as_u64()), (Some(1), Some(1)));
        assert_eq!(summary["by_stage"]["received"], 0);
        assert_eq!(summary["by_category"], json!({"ev.charging": 1}));
        assert_eq!(
            (summary["items"][0]["reason"].as_str(), summary["items"].as_array().unwrap().len()),
            (Some("位置够"), 1)
        );

        manager.post(&format!("{path}/plan"), json!({"text": "两组十路", "by_on": "2030-12-31"})).await.expect(200);
        manager.post(&format!("{path}/deliver"), json!({"proof": "已通电"})).await.expect(200);
        let done = owner.post(&format!("{path}/confirm"), json!({})).await.ok();
        assert_eq!((done["stage"].as_str(), done["version"].as_i64()), (Some("confirmed"), Some(6)));
        assert_eq!(done["allowed"], json!(["reopen"]));
        assert_eq!(done["plan"]["by_on"], "2030-12-31");

        // The feed waits for the oldest transaction that still runs, also for those of other tests.
        let changed = eventually("the feed tells of it", || async {
            let feed = manager.get(&format!("/v1/suggestions?since={since}")).await.ok();
            feed["items"].get(0).cloned()
        })
        .await;
        assert_eq!(changed, manager.get(&path).await.ok(), "lists and single reads show the same");
        for stage in ["confirmed", "declined"] {
            let listed = owner.get(&format!("/v1/suggestions?stage={stage}&estate_id={estate}")).await.ok();
            assert_eq!(listed["items"].as_array().unwrap().len(), usize::from(stage == "confirmed"));
        }
        let accepted = kit.published::<pb::SuggestionAccepted>().await;
        assert_eq!((accepted.len(), accepted[0].case_id.as_str()), (1, case.id.to_string().as_str()));
        assert_eq!(kit.published::<pb::SuggestionConfirmed>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_refused_with_a_reason_and_nothing_is_written() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "suggestion", Some(resident)).await;
        let manager = kit.client(Role::Manager);
        let path = |command: &str| format!("/v1/suggestions/{}/{command}", case.id);

        let illegal = manager.post(&path("accept"), json!({"reason": "好"})).await;
        assert_eq!(illegal.problem(409, "suggestion/not-in-this-stage")["allowed"], json!(["consider"]));
        manager.post(&path("consider"), json!({"remark": 1})).await.problem(400, "malformed-request");
        manager.post(&path("consider"), json!({"note": 1})).await.problem(400, "malformed-request");
        manager.post(&path("consider"), json!({"note": "长".repeat(1001)})).await.problem(400, "malformed-request");
        manager.post(&path("consider"), json!({})).if_match(7).await.problem(412, "stale-version");
        manager.get("/v1/suggestions?colour=red").await.problem(400, "malformed-request");
        manager.get("/v1/suggestions?stage=red").await.problem(400, "malformed-request");
        manager.get(&format!("/v1/suggestions/{}", new_id())).await.problem(404, "not-found");
        manager.post(&format!("/v1/suggestions/{}/consider", new_id()), json!({})).await.expect(404);
        assert_eq!(kit.count(NAME, "event").await, 1, "nothing was written");

        let once = manager.post(&path("consider"), json!({"note": "看"})).key("k-1").await;
        let again = manager.post(&path("consider"), json!({"note": "看"})).key("k-1").await;
        assert_eq!((once.ok(), again.header("idempotency-replayed")), (again.ok(), "true"));
        manager.post(&path("consider"), json!({})).key("k-1").await.problem(422, "command-key-reused");

        manager.post(&path("accept"), json!({"reason": "好"})).await.expect(200);
        let past = manager.post(&path("plan"), json!({"text": "装", "by_on": "2020-01-01"})).await;
        assert_eq!(past.problem(422, "suggestion/planned-for-the-past")["errors"][0]["pointer"], "/by_on");
        kit.client(Role::Handler).post(&path("decline"), json!({"reason": "不"})).await.expect(403);
        assert_eq!(kit.count(NAME, "event").await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_case_that_is_called_off_takes_its_suggestion_along() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Case::open(&kit, estate, "suggestion", Some(new_id())).await;
        case.cancel().await;
        let manager = kit.client(Role::Manager);
        let path = format!("/v1/suggestions/{}", case.id);
        eventually("it is withdrawn", || async {
            (manager.get(&path).await.ok()["stage"] == "withdrawn").then_some(())
        })
        .await;
        let told = kit.published::<pb::SuggestionWithdrawn>().await;
        assert_eq!((told.len(), told[0].case_id.as_str()), (1, case.id.to_string().as_str()));
        let late = manager.post(&format!("{path}/consider"), json!({})).await;
        late.problem(409, "suggestion/not-in-this-stage");
        let summary = manager.get(&format!("/v1/suggestions/summary?estate_id={estate}")).await.ok();
        assert_eq!(
            (summary["by_stage"]["withdrawn"].as_u64(), summary["by_stage"]["received"].as_u64()),
            (Some(1), Some(0))
        );
    })
    .await;
}

#[tokio::test]
async fn a_suggestion_can_be_put_off_and_declined_later_with_a_reason() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "suggestion", Some(resident)).await;
        let manager = kit.client(Role::Manager);
        let path = |command: &str| format!("/v1/suggestions/{}/{command}", case.id);
        let _ = manager.post(&path("consider"), json!({})).await.ok();
        let later = manager.post(&path("later"), json!({ "reason": "等明年的预算" })).await.ok();
        assert_eq!(later["stage"], "later");
        manager.post(&path("plan"), json!({ "text": "两组十路" })).await.problem(409, "suggestion/not-in-this-stage");
        let declined = manager.post(&path("decline"), json!({ "reason": "消防不允许" })).await.ok();
        assert_eq!((&declined["stage"], &declined["allowed"]), (&json!("declined"), &json!(["reopen"])));
    })
    .await;
}
