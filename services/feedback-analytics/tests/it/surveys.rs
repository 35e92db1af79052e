use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_proto::{feedback_analytics as pb, notification};
use steward_testkit::{TENANT, db::new_id, eventually, with};

use crate::world::{Case, NAME, estate, metrics_when};

#[tokio::test]
async fn an_owner_is_asked_once_for_each_time_a_case_is_resolved_and_answers() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "complaint", Some(resident)).await;
        case.progress("in_progress", "acknowledged", true).await;
        case.progress("resolved", "decided", true).await;
        case.progress("resolved", "remedy_done", true).await;
        let survey = case.survey().await;
        let path = format!("/v1/surveys/{}", survey["survey_id"].as_str().unwrap());
        let owner = kit.owner(resident);

        let in_english = owner.get(&path).header("accept-language", "en").await.ok();
        assert_eq!(in_english["questions"][0]["text"], "How satisfied are you with the result?");
        let answered =
            owner.post(&format!("{path}/answer"), json!({"outcome": 5, "handling": 4, "courtesy": 5})).await.ok();
        assert_eq!((answered["stage"].as_str(), answered["outcome"].as_u64()), (Some("answered"), Some(5)));
        let repeated =
            owner.post(&format!("{path}/answer"), json!({"outcome": 5, "handling": 4, "courtesy": 5})).await.ok();
        assert_eq!(repeated["version"], answered["version"]);
        let other = owner.post(&format!("{path}/answer"), json!({"outcome": 1, "handling": 1, "courtesy": 1})).await;
        other.problem(409, "survey/not-open");
        assert_eq!(owner.get("/v1/surveys").await.ok()["items"], json!([]), "owners see what is open");
        assert_eq!(owner.get("/v1/surveys?stage=answered").await.ok()["items"].as_array().unwrap().len(), 1);

        case.progress("resolved", "survey_answered", true).await;
        case.progress("in_progress", "reopened", true).await;
        case.progress("resolved", "decided", true).await;
        let second = case.survey().await;
        assert_eq!((second["episode"].as_u64(), second["stage"].as_str()), (Some(2), Some("sent")));
        let invited = kit.published::<pb::SurveyInvited>().await;
        assert_eq!((invited.len(), invited[0].language.as_str()), (2, "zh-Hant"));
        let published = kit.published::<pb::SurveyAnswered>().await;
        assert_eq!(published.iter().map(|event| (event.outcome, event.handling)).collect::<Vec<_>>(), [(5, 4)]);
        metrics_when(&kit, estate, "both were asked", |metrics| {
            metrics["satisfaction"]["asked"] == 2 && metrics["satisfaction"]["n"] == 1
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn who_could_not_be_told_was_not_asked() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "inquiry", Some(resident)).await;
        case.progress("resolved", "answered", true).await;
        let survey = case.survey().await;
        let survey_id = survey["survey_id"].as_str().unwrap();
        metrics_when(&kit, estate, "it is out", |metrics| metrics["satisfaction"]["asked"] == 1).await;
        let message_id = new_id();
        let suppressed = notification::MessageSuppressed {
            message_id: message_id.to_string(),
            case_id: case.id.to_string(),
            resident_id: resident.to_string(),
            template: "survey_invited".to_owned(),
            channel: "app_inbox".to_owned(),
            reason: "opted_out".to_owned(),
            survey_id: survey_id.to_owned(),
            estate_id: estate.to_string(),
            at_ms: kit.clock.now().timestamp_millis(),
        };
        // Told twice, it is one; and of a message that invites to no survey nothing follows.
        let other = notification::MessageSuppressed { survey_id: String::new(), ..suppressed.clone() };
        kit.publish(TENANT, message_id, 1, 0, suppressed.clone()).await;
        kit.publish(TENANT, message_id, 1, 0, suppressed).await;
        kit.publish(TENANT, new_id(), 1, 0, other).await;
        let shown = metrics_when(&kit, estate, "it is taken back", |metrics| metrics["satisfaction"]["not_asked"] == 1);
        let satisfaction = shown.await["satisfaction"].clone();
        assert_eq!((&satisfaction["asked"], &satisfaction["response_rate"]), (&json!(0), &Value::Null));
        let owner = kit.owner(resident);
        let seen = owner.get(&format!("/v1/surveys/{survey_id}")).await.ok();
        assert_eq!((&seen["stage"], &seen["suppressed"]), (&json!("suppressed"), &json!("opted_out")));
        assert_eq!(seen["allowed"], json!([]));
        assert_eq!(owner.get("/v1/surveys").await.ok()["items"], json!([]));

        // Reopened, the owner may be asked anew.
        case.progress("in_progress", "reopened", true).await;
        metrics_when(&kit, estate, "it came back", |metrics| metrics["satisfaction"]["not_asked"] == 0).await;
        case.progress("resolved", "answered", true).await;
        metrics_when(&kit, estate, "asked again", |metrics| metrics["satisfaction"]["asked"] == 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_survey_expires_and_bad_answers_are_refused_field_by_field() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "inquiry", Some(resident)).await;
        case.progress("resolved", "answered", true).await;
        let survey = case.survey().await;
        let path = format!("/v1/surveys/{}", survey["survey_id"].as_str().unwrap());
        let (owner, answer) = (kit.owner(resident), format!("{path}/answer"));

        let problem = owner
            .post(&answer, json!({"outcome": 0, "handling": 6, "courtesy": 5}))
            .await
            .problem(422, "invalid-request");
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
        assert_eq!(pointers, [json!("/outcome"), json!("/handling")]);
        owner.post(&answer, json!({"comment": ""})).await.problem(422, "survey/nothing-said");
        owner
            .post(&answer, json!({"outcome": 5.5, "handling": 5, "courtesy": 5}))
            .await
            .problem(400, "malformed-request");
        let good = json!({"outcome": 5, "handling": 5, "courtesy": 5});
        owner.post(&answer, good.clone()).if_match(9).await.problem(412, "stale-version");
        kit.owner(new_id()).post(&answer, good.clone()).await.problem(404, "survey/no-such-survey");
        kit.client(Role::Admin).post(&answer, good.clone()).await.expect(403);

        kit.clock.advance(TimeDelta::days(14));
        eventually("it expires", || async { (owner.get(&path).await.ok()["stage"] == "expired").then_some(()) }).await;
        owner.post(&answer, good).await.problem(409, "survey/not-open");
        assert_eq!(kit.published::<pb::SurveyExpired>().await.len(), 1);
        assert_eq!(kit.count(NAME, "timer").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_case_of_an_unknown_owner_is_not_asked_about_and_that_is_counted() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Case::open(&kit, estate, "service_request", None).await;
        case.progress("resolved", "work_done", true).await;
        let metrics = metrics_when(&kit, estate, "it is counted", |metrics| metrics["cases"]["resolved"] == 1).await;
        assert_eq!(
            (metrics["satisfaction"]["asked"].as_u64(), metrics["satisfaction"]["not_asked"].as_u64()),
            (Some(0), Some(1))
        );
        assert_eq!(kit.count(NAME, "survey").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_survey_takes_one_score_or_a_comment_alone_and_each_score_counts_by_itself() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let answers = [json!({"courtesy": 2}), json!({"comment": "师傅很仔细"}), json!({"outcome": 5, "comment": ""})];
        for answer in &answers {
            let resident = new_id();
            let case = Case::open(&kit, estate, "inquiry", Some(resident)).await;
            case.progress("resolved", "answered", true).await;
            let path = format!("/v1/surveys/{}/answer", case.survey().await["survey_id"].as_str().unwrap());
            let shown = kit.owner(resident).post(&path, answer.clone()).await.ok();
            assert_eq!(shown["stage"], "answered");
            for score in ["outcome", "handling", "courtesy"] {
                assert_eq!(shown[score], answer[score], "{shown}");
            }
        }
        let metrics = metrics_when(&kit, estate, "all are counted", |metrics| metrics["satisfaction"]["n"] == 3).await;
        let asked = &metrics["satisfaction"];
        assert_eq!((&asked["asked"], &asked["response_rate"]), (&json!(3), &json!(1.0)));
        assert_eq!([&asked["rated"], &asked["handling"]["rated"], &asked["courtesy"]["rated"]], [1, 0, 1]);
        let published = kit.published::<pb::SurveyAnswered>().await;
        let scores: Vec<_> = published.iter().map(|event| (event.outcome, event.handling, event.courtesy)).collect();
        assert_eq!(scores, [(0, 0, 2), (0, 0, 0), (5, 0, 0)]);
    })
    .await;
}
