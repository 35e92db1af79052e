use std::path::Path;

use steward_chassis::run;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_proto::intake as pb;
use steward_testkit::{
    Kit,
    attack::{Targets, attack, misses, pairs_add_nothing, permissions_document},
    db::new_id,
    document, eventually,
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
fn two_roles_add_up_to_no_more_than_either() {
    pairs_add_nothing::<FeedbackAnalytics>();
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<FeedbackAnalytics>("tests/it");
}

#[test]
fn nobody_imports_what_is_not_theirs() {
    rules::imports(here("src"));
}

/// A suggestion of an owner in an estate of its own, with its survey.
async fn named(kit: &Kit) -> Vec<(&'static str, String)> {
    let (estate, resident) = (estate(kit).await, new_id());
    let (case, unit) = (Case::unheard(kit, estate, "suggestion", Some(resident)), new_id());
    case.opened().await;
    case.say(pb::SuggestionReceived {
        unit_id: unit.to_string(), ..case.suggestion("车棚里多装几个充电桩吧")
    })
    .await;
    let (manager, path) = (kit.client(Role::Manager), format!("/v1/suggestions/{}", case.id));
    eventually("the suggestion is here", || async { (manager.get(&path).await.status == 200).then_some(()) }).await;
    case.progress("resolved", "accepted", true).await;
    let survey_id = case.survey().await["survey_id"].as_str().unwrap_or_default().to_owned();
    let ids = [("case_id", case.id), ("estate_id", estate), ("resident_id", resident), ("unit_id", unit)];
    let reference = ("reference", case.suggestion("").reference);
    ids.map(|(name, id)| (name, id.to_string())).into_iter().chain([("survey_id", survey_id), reference]).collect()
}

#[tokio::test]
async fn nobody_gets_in_who_may_not() {
    with::<FeedbackAnalytics>(async |kit| {
        let (hidden, own) = (named(&kit).await, named(&kit).await);
        let attacked =
            attack::<FeedbackAnalytics>(&kit, Targets { hidden: &hidden, own: &own, ..Targets::default() }).await;
        golden(here("attacks.golden.md"), &attacked);
        kit.assert_row_security(NAME).await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<FeedbackAnalytics>(async |kit| misses::<FeedbackAnalytics>(&kit).await).await;
}
