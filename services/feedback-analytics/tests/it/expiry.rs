//! A survey ends by itself when nobody has answered it in its days, once, and is no more after what it asks about.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_proto::{feedback_analytics as pb, notification};
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{Case, NAME, estate, metrics_when};

/// How long a survey is open, as it is shipped.
const OPEN_FOR: TimeDelta = TimeDelta::days(14);

/// A case that is answered, and the survey that asks how it went.
async fn asked(kit: &Kit, estate: Uuid) -> (Case<'_>, Value) {
    let case = Case::open(kit, estate, "inquiry", Some(new_id())).await;
    case.progress("resolved", "answered", true).await;
    let survey = case.survey().await;
    (case, survey)
}

fn path(survey: &Value) -> String {
    format!("/v1/surveys/{}", survey["survey_id"].as_str().unwrap_or_default())
}

/// Waits until the survey stands so.
async fn becomes(kit: &Kit, survey: &Value, stage: &str) -> Value {
    let manager = kit.client(Role::Manager);
    eventually(&format!("it is {stage}"), || async {
        let shown = manager.get(&path(survey)).await.ok();
        (shown["stage"] == stage).then_some(shown)
    })
    .await
}

/// The surveys of which others were told that they have expired.
async fn expired(kit: &Kit) -> Vec<String> {
    kit.published::<pb::SurveyExpired>().await.into_iter().map(|event| event.survey_id).collect()
}

fn id(survey: &Value) -> String {
    survey["survey_id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_nobody_answers_expires_after_its_days_also_when_the_case_was_closed_meanwhile() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let (_, before) = asked(&kit, estate).await;
        kit.clock.advance(TimeDelta::seconds(1));
        let began = kit.clock.now();
        let (case, survey) = asked(&kit, estate).await;
        let owner = kit.owner(case.resident.unwrap());
        assert_eq!(survey["expires_at"].as_str().unwrap().parse(), Ok(began + OPEN_FOR));
        kit.clock.advance(TimeDelta::days(7));
        // Nobody's word is needed any more for the case, but how it went can still be said.
        case.progress("closed", "closed", false).await;
        metrics_when(&kit, estate, "it is closed", |metrics| metrics["cases"]["closed"] == 1).await;
        kit.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        // What was sent a second before ends, and it does not.
        becomes(&kit, &before, "expired").await;
        assert_eq!(owner.get(&path(&survey)).await.ok()["allowed"], json!(["answer"]));

        kit.clock.advance(TimeDelta::seconds(1));
        let shown = becomes(&kit, &survey, "expired").await;
        assert_eq!((&shown["allowed"], shown.get("answered_at")), (&json!([]), None));
        let answer = json!({"outcome": 5});
        owner.post(&format!("{}/answer", path(&survey)), answer).await.problem(409, "survey/not-open");
        assert_eq!(owner.get("/v1/surveys").await.ok()["items"], json!([]), "nothing is asked any more");
        let told = kit.published::<pb::SurveyExpired>().await;
        let told: Vec<_> = told.iter().map(|event| (&*event.survey_id, &*event.case_id, event.at_ms)).collect();
        let (survey_id, case_id) = (id(&survey), case.id.to_string());
        assert_eq!(told[1..], [(&*survey_id, &*case_id, (began + OPEN_FOR).timestamp_millis())]);
        // The owners were asked and said nothing.
        let from = began.date_naive().pred_opt().unwrap();
        let figures = kit.client(Role::Analyst).get(&format!("/v1/metrics?estate_id={estate}&from={from}")).await.ok();
        let satisfaction = &figures["satisfaction"];
        assert_eq!([&satisfaction["asked"], &satisfaction["n"], &satisfaction["not_asked"]], [2, 0, 0]);
        assert_eq!(satisfaction["response_rate"], 0.0);
        assert_eq!(kit.count(NAME, "timer").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_survey_ends_with_what_it_asks_about_and_not_once_more() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let (off, first) = asked(&kit, estate).await;
        let (back, second) = asked(&kit, estate).await;
        kit.clock.advance(TimeDelta::days(3));
        off.cancel().await;
        back.progress("in_progress", "reopened", true).await;
        becomes(&kit, &first, "expired").await;
        becomes(&kit, &second, "expired").await;
        // Done again, it is asked again, for as many days from then on.
        kit.clock.advance(TimeDelta::days(3));
        back.progress("resolved", "answered", true).await;
        let third = back.survey().await;
        assert_eq!(third["expires_at"].as_str().unwrap().parse(), Ok(kit.clock.now() + OPEN_FOR));
        assert_eq!(kit.count(NAME, "timer").await, 1, "only what is open has an end before it");

        // What comes late to what was called off asks nobody and ends nothing.
        off.progress("cancelled", "work_done", true).await;
        kit.clock.advance(OPEN_FOR);
        becomes(&kit, &third, "expired").await;
        let mut told = expired(&kit).await;
        told.sort_unstable();
        let mut ended = [id(&first), id(&second), id(&third)];
        ended.sort_unstable();
        assert_eq!(told, ended);
        assert_eq!(kit.published::<pb::SurveyInvited>().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_was_answered_or_told_nobody_does_not_expire() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let (case, answered) = asked(&kit, estate).await;
        let (other, untold) = asked(&kit, estate).await;
        let owner = kit.owner(case.resident.unwrap());
        let _ = owner.post(&format!("{}/answer", path(&answered)), json!({"outcome": 4})).await.ok();
        let suppressed = notification::MessageSuppressed {
            message_id: new_id().to_string(),
            case_id: other.id.to_string(),
            survey_id: id(&untold),
            reason: "opted_out".to_owned(),
            ..Default::default()
        };
        kit.publish(TENANT, new_id(), 1, 0, suppressed).await;
        becomes(&kit, &untold, "suppressed").await;
        let (_, last) = asked(&kit, estate).await;
        kit.clock.advance(OPEN_FOR);
        becomes(&kit, &last, "expired").await;
        // Both come back: what was said stays said.
        case.progress("in_progress", "reopened", true).await;
        other.cancel().await;
        metrics_when(&kit, estate, "it is called off", |metrics| metrics["cases"]["cancelled"] == 1).await;
        becomes(&kit, &answered, "answered").await;
        becomes(&kit, &untold, "suppressed").await;
        assert_eq!(expired(&kit).await, [id(&last)]);
        assert_eq!(kit.count(NAME, "timer").await, 0);
    })
    .await;
}
