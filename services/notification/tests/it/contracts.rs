//! Contracts that stand in git, rules of the house, and attacks on every operation.

use chrono::TimeDelta;
use serde_json::json;
use steward_chassis::run;
use steward_kernel::Role;
use steward_notification::Notification;
use steward_testkit::{attack, db::new_id, document, golden::golden, rules, with};

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
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Notification>("tests/it");
}

#[test]
fn imports_follow_the_rules() {
    rules::imports(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
}

#[tokio::test]
async fn no_operation_lets_strangers_in() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        let message = inbox(&kit.owner(story.resident), "", 1).await.remove(0);
        register_estate(&kit, story.estate).await;
        let body = json!({"estate_ids": [story.estate], "title": "停水通知", "body": "明天停水。"});
        let notice = kit.client(Role::Receptionist).post("/v1/notices", body).await.created();
        // Not told to any of the attackers, whose accounts are the words of their roles.
        Ladder::new().raise(&kit, &["wang"]).await;
        lines(&kit, 1).await;
        kit.clock.advance(TimeDelta::seconds(31));
        let digest = digests(&somebody(&kit, "wang"), "", 1).await.remove(0);
        let id = |text: &serde_json::Value| text.as_str().unwrap().parse().unwrap();
        let ids = [
            ("digest_id", id(&digest["digest_id"])),
            ("message_id", id(&message["message_id"])),
            ("notice_id", id(&notice["notice_id"])),
            ("resident_id", story.resident),
        ];
        attack::attack::<Notification>(&kit, &ids).await;
        kit.assert_row_security(NAME).await;
    })
    .await;
}
