use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_testkit::{db::new_id, with};

use crate::world::{Case, NAME, estate, metrics_when};

#[tokio::test]
async fn the_figures_of_an_estate_follow_its_cases() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let complaint = Case::open(&kit, estate, "complaint", Some(new_id())).await;
        let inquiry = Case::open(&kit, estate, "inquiry", None).await;
        let repair = Case::open(&kit, estate, "service_request", Some(new_id())).await;
        complaint.progress("received", "received", false).await;
        complaint.progress("in_progress", "acknowledged", true).await;
        inquiry.cancel().await;
        kit.clock.advance(TimeDelta::minutes(30));
        repair.progress("in_progress", "service_confirmed", true).await;
        repair.progress("resolved", "work_done", true).await;
        repair.owner_says(true).await;
        repair.progress("closed", "closed", false).await;

        let metrics = metrics_when(&kit, estate, "all is counted", |metrics| {
            metrics["cases"]["closed"] == 1
                && metrics["cases"]["cancelled"] == 1
                && metrics["first_human_answer_seconds"]["n"] == 2
                && metrics["confirmed_by_owner"]["confirmed"] == 1
        })
        .await;
        let cases = &metrics["cases"];
        assert_eq!(
            (cases["opened"].as_u64(), cases["resolved"].as_u64(), cases["open_now"].as_u64()),
            (Some(3), Some(1), Some(1))
        );
        assert_eq!(cases["by_kind"], json!({"inquiry": 1, "complaint": 1, "service_request": 1, "suggestion": 0}));
        assert_eq!(
            (cases["by_status"]["in_progress"].as_u64(), cases["by_status"]["received"].as_u64()),
            (Some(1), Some(0))
        );
        // Answered after 30 and 60 minutes from the owner's words; the cancelled one waits for nobody.
        assert_eq!(metrics["first_human_answer_seconds"]["waiting"], 0);
        assert!(near(&metrics["first_human_answer_seconds"]["p50"], 1800), "{metrics}");
        assert!(near(&metrics["first_human_answer_seconds"]["p90"], 3600), "{metrics}");
        assert_eq!(
            (metrics["resolution_seconds"]["n"].as_u64(), metrics["resolution_seconds"]["waiting"].as_u64()),
            (Some(1), Some(1))
        );
        assert_eq!(
            (metrics["confirmed_by_owner"]["n"].as_u64(), &metrics["confirmed_by_owner"]["share"]),
            (Some(1), &Value::Null)
        );
        assert_eq!(metrics["definitions_version"], 4);
        assert_eq!(metrics["notes"].as_array().unwrap().len(), 1);
    })
    .await;
}

fn near(value: &Value, seconds: u64) -> bool {
    value.as_u64().is_some_and(|value| value.abs_diff(seconds) * 31 <= seconds)
}

#[tokio::test]
async fn a_score_is_shown_from_five_answers_on_with_its_interval_and_rate() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let mut owners = Vec::new();
        for _ in 0..6 {
            let case = Case::open(&kit, estate, "complaint", Some(new_id())).await;
            case.progress("resolved", "decided", true).await;
            owners.push(case);
        }
        for (index, case) in owners.iter().take(5).enumerate() {
            if index == 4 {
                let metrics = metrics_when(&kit, estate, "four", |metrics| metrics["satisfaction"]["n"] == 4).await;
                assert_eq!(metrics["satisfaction"]["mean"], Value::Null);
                assert_eq!(metrics["satisfaction"]["wilson_low"], Value::Null);
                assert!(metrics["notes"][0].as_str().unwrap().contains("under 5"), "{metrics}");
            }
            let survey = case.survey().await;
            let path = format!("/v1/surveys/{}/answer", survey["survey_id"].as_str().unwrap());
            let outcome = if index == 0 { 2 } else { 5 };
            kit.owner(case.resident.unwrap())
                .post(&path, json!({"outcome": outcome, "handling": 3, "courtesy": 5, "comment": "好"}))
                .await
                .expect(200);
        }
        let metrics = metrics_when(&kit, estate, "five", |metrics| metrics["satisfaction"]["n"] == 5).await;
        let satisfaction = &metrics["satisfaction"];
        assert_eq!((satisfaction["asked"].as_u64(), satisfaction["response_rate"].as_f64()), (Some(6), Some(0.8333)));
        assert_eq!((satisfaction["mean"].as_f64(), satisfaction["satisfied_share"].as_f64()), (Some(4.4), Some(0.8)));
        assert_eq!(
            (satisfaction["wilson_low"].as_f64(), satisfaction["wilson_high"].as_f64()),
            (Some(0.3755), Some(0.9638))
        );
        assert_eq!(satisfaction["handling"]["satisfied_share"], 0.0);
        assert_eq!(satisfaction["ratings"], json!({"1": 0, "2": 1, "3": 0, "4": 0, "5": 4}));
    })
    .await;
}

#[tokio::test]
async fn reads_do_not_grow_with_the_number_of_cases() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let open = async |count: u64, sofar: u64| {
            for _ in 0..count {
                let case = Case::open(&kit, estate, "inquiry", None).await;
                case.progress("resolved", "answered", true).await;
            }
            let all = sofar + count;
            metrics_when(&kit, estate, "all are counted", |metrics| metrics["cases"]["resolved"] == all).await;
            kit.count(NAME, "metric_day").await
        };
        let few = open(2, 0).await;
        let many = open(40, 2).await;
        assert_eq!(few, many, "rows that the figures are read from");
    })
    .await;
}

#[tokio::test]
async fn the_dictionary_speaks_three_languages_and_periods_are_checked() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let analyst = kit.client(Role::Analyst);
        let mut names = Vec::new();
        for language in ["zh-Hans", "zh-Hant", "en"] {
            let dictionary = analyst.get("/v1/metrics/definitions").header("accept-language", language).await.ok();
            assert_eq!(dictionary["language"], language);
            let items = dictionary["items"].as_array().unwrap();
            let waiting = items.iter().find(|item| item["id"] == "first_human_answer_seconds.p90").unwrap();
            assert!(
                ["formula", "population", "clock"]
                    .iter()
                    .all(|field| waiting[field].as_str().is_some_and(|text| !text.is_empty()))
            );
            names.push(waiting["clock"].clone());
        }
        names.dedup();
        assert_eq!(names.len(), 3);

        let get = |query: String| analyst.get(&format!("/v1/metrics?{query}"));
        let day = get(format!("estate_id={estate}&from=2026-01-01&to=2026-01-01")).await.ok();
        assert_eq!(
            (day["from"].clone(), day["to"].clone(), day["cases"]["opened"].clone()),
            (json!("2026-01-01"), json!("2026-01-01"), json!(0))
        );
        get(format!("estate_id={estate}&from=2026-02-01&to=2026-01-01")).await.problem(422, "invalid-request");
        get(format!("estate_id={estate}&from=2001-02-01&to=2026-01-01")).await.problem(422, "invalid-request");
        get(format!("estate_id={estate}&from=-200000-02-01&to=-200000-02-01")).await.problem(422, "invalid-request");
        get(format!("estate_id={estate}&from=yesterday")).await.problem(400, "malformed-request");
        get(format!("estate_id={estate}&colour=red")).await.problem(400, "malformed-request");
        get("from=2026-02-01".to_owned()).await.problem(400, "malformed-request");
        get(format!("estate_id={}", new_id())).await.problem(404, "not-found");
        let elsewhere = kit.client_of(&kit.staff_of(Role::Manager, &[new_id()]));
        elsewhere.get(&format!("/v1/suggestions/summary?estate_id={estate}")).await.problem(404, "not-found");
    })
    .await;
}
