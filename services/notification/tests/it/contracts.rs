//! Contracts that stand in git, rules of the house, and attacks on every operation.

use chrono::TimeDelta;
use serde_json::json;
use steward_chassis::run;
use steward_kernel::Role;
use steward_notification::Notification;
use steward_testkit::{
    Kit,
    attack::{self, Targets},
    db::new_id,
    document,
    golden::golden,
    rules, with,
};

use crate::{
    NAME, Story,
    digests::{Ladder, digests, lines, somebody},
    inbox, register_estate,
};

#[test]
fn the_contracts_are_those_in_git() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let openapi = run::openapi::<Notification>().to_pretty_json().unwrap();
    golden(format!("{folder}/openapi.golden.json"), &(openapi + "\n"));
    golden(format!("{folder}/problems.golden.md"), &run::problems_document::<Notification>());
    golden(format!("{folder}/permissions.golden.md"), &attack::permissions_document::<Notification>());
}

#[test]
fn two_roles_add_up_to_no_more_than_either() {
    attack::pairs_add_nothing::<Notification>();
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Notification>("tests/it");
}

#[test]
fn imports_follow_the_rules() {
    rules::imports(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
}

/// An owner's case in an estate of its own, with a message and a notice.
async fn named(kit: &Kit) -> Vec<(&'static str, String)> {
    let mut story = Story::of(new_id());
    story.open(kit).await;
    let message = inbox(&kit.owner(story.resident), "", 1).await.remove(0);
    register_estate(kit, story.estate).await;
    let body = json!({"estate_ids": [story.estate], "title": "停水通知", "body": "明天停水。"});
    let notice = kit.client(Role::Receptionist).post("/v1/notices", body).await.created();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    vec![
        ("case_id", story.case.to_string()),
        ("estate_id", story.estate.to_string()),
        ("resident_id", story.resident.to_string()),
        ("message_id", text(&message["message_id"])),
        ("notice_id", text(&notice["notice_id"])),
    ]
}

#[tokio::test]
async fn no_operation_lets_strangers_in() {
    with::<Notification>(async |kit| {
        let (mut hidden, own) = (named(&kit).await, named(&kit).await);
        // Not told to any of the attackers, whose accounts are the words of their roles.
        Ladder::new().raise(&kit, &["wang"]).await;
        lines(&kit, 1).await;
        kit.clock.advance(TimeDelta::seconds(31));
        let digest = digests(&somebody(&kit, "wang"), "", 1).await.remove(0);
        hidden.push(("digest_id", digest["digest_id"].as_str().unwrap().to_owned()));
        let targets = Targets { hidden: &hidden, own: &own, ..Targets::default() };
        let attacked = attack::attack::<Notification>(&kit, targets).await;
        golden(concat!(env!("CARGO_MANIFEST_DIR"), "/attacks.golden.md"), &attacked);
        kit.assert_row_security(NAME).await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<Notification>(async |kit| attack::misses::<Notification>(&kit).await).await;
}
