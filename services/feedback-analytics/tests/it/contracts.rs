use std::path::Path;

use steward_chassis::run;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_testkit::{
    attack::{attack, permissions_document},
    db::new_id,
    document,
    golden::golden,
    rules, with,
};

use crate::world::{Case, NAME, estate};

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<FeedbackAnalytics>().to_pretty_json().expect("document") + "\n";
    golden(here("openapi.golden.json"), &openapi);
    golden(here("problems.golden.md"), &run::problems_document::<FeedbackAnalytics>());
    golden(here("permissions.golden.md"), &permissions_document::<FeedbackAnalytics>());
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<FeedbackAnalytics>("tests/it");
}

#[test]
fn nobody_imports_what_is_not_theirs() {
    rules::imports(here("src"));
}

#[tokio::test]
async fn nobody_gets_in_who_may_not() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::open(&kit, estate, "suggestion", Some(resident)).await;
        case.progress("resolved", "accepted", true).await;
        let survey = case.survey().await;
        let survey_id = survey["survey_id"].as_str().unwrap().parse().unwrap();
        attack::<FeedbackAnalytics>(&kit, &[("case_id", case.id), ("survey_id", survey_id), ("estate_id", estate)])
            .await;
        kit.assert_row_security(NAME).await;
    })
    .await;
}
