//! How residents want to be told.

use chrono::TimeDelta;
use serde_json::json;
use steward_kernel::Role;
use steward_notification::Notification;
use steward_testkit::{TENANT, db::new_id, with};

use crate::{Story, inbox, staff};

#[tokio::test]
async fn a_residents_language_stands_over_that_of_the_case() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        let owner = kit.owner(story.resident);
        let path = format!("/v1/preferences/{}", story.resident);
        let unset = owner.get(&path).await;
        assert_eq!(unset.ok()["channels"], json!(["app_inbox"]));
        assert_eq!((unset.ok().get("language"), unset.version()), (None, Some(0)));

        let set = owner.put(&path, json!({"language": "zh-Hant", "channels": ["app_inbox"]})).if_match(0).await;
        assert_eq!((&set.ok()["language"], set.version()), (&json!("zh-Hant"), Some(1)));
        owner.put(&path, json!({"language": "en", "channels": []})).if_match(0).await.problem(412, "stale-version");
        assert_eq!(owner.put(&path, json!({"language": "zh-Hant", "channels": ["app_inbox"]})).await.ok(), set.ok());

        story.open(&kit).await;
        let message = inbox(&owner, "", 1).await.remove(0);
        assert_eq!((&message["language"], &message["title"]), (&json!("zh-Hant"), &json!("已收到您的投訴")));
    })
    .await;
}

#[tokio::test]
async fn the_registers_language_stands_over_that_of_the_case_and_the_residents_own_over_both() {
    with::<Notification>(async |kit| {
        let mut story = Story { register_language: "en", ..Story::of(new_id()) };
        let owner = kit.owner(story.resident);
        story.open(&kit).await;
        let received = inbox(&owner, "", 1).await.remove(0);
        assert_eq!(
            (&received["language"], &received["title"]),
            (&json!("en"), &json!("We have received your complaint"))
        );
        // An invitation to a survey comes from a service that does not know the register.
        let survey = new_id();
        kit.publish(TENANT, survey, 1, 0, story.invitation(&kit, survey)).await;
        let both = inbox(&owner, "", 2).await;
        assert!(both.iter().all(|message| message["language"] == "en"), "{both:?}");

        // Set later, it holds from the next message on.
        let wish = json!({"language": "zh-Hant", "channels": ["app_inbox"]});
        let _ = owner.put(&format!("/v1/preferences/{}", story.resident), wish).await.ok();
        kit.clock.advance(TimeDelta::minutes(1));
        story.progress(&kit, "acknowledged").await;
        assert_eq!(inbox(&owner, "", 3).await[0]["language"], "zh-Hant");
        // A resident of whom the register says nothing is spoken to as the case is.
        let mut other = Story { language: "zh-Hant", ..Story::of(new_id()) };
        other.open(&kit).await;
        assert_eq!(inbox(&kit.owner(other.resident), "", 1).await[0]["language"], "zh-Hant");
    })
    .await;
}

#[tokio::test]
async fn who_wants_no_messages_gets_none_and_the_reason_is_on_record() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        let owner = kit.owner(story.resident);
        let path = format!("/v1/preferences/{}", story.resident);
        let _ = owner.put(&path, json!({"channels": []})).await.ok();
        story.open(&kit).await;
        let message = inbox(&staff(&kit), &format!("?resident_id={}", story.resident), 1).await.remove(0);
        assert_eq!(message["deliveries"][0]["reason"], "opted_out");
        assert_eq!(owner.get("/v1/messages").await.ok()["items"], json!([]));
        let id = message["message_id"].as_str().unwrap();
        owner.get(&format!("/v1/messages/{id}")).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn the_desk_serves_whom_it_knows() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        let path = format!("/v1/preferences/{}", story.resident);
        let wish = || json!({"language": "en", "channels": ["app_inbox"], "taken_down": {"how": "desk"}});
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[story.estate]));
        desk.put(&path, wish()).await.problem(404, "preference/no-such-resident");
        story.open(&kit).await;
        inbox(&desk, "", 1).await;
        let unsaid = desk.put(&path, json!({"language": "en", "channels": []})).await;
        assert_eq!(unsaid.problem(422, "word/taken-down-missing")["errors"][0]["pointer"], "/taken_down");
        let set = desk.put(&path, wish()).await.ok();
        assert_eq!((&set["version"], &set["taken_down"]["by"]), (&json!(1), &json!("receptionist")));
        assert_eq!(desk.get(&path).await.ok()["language"], "en");
        // Its owner sees that staff noted it, not who, and makes it the own word or another.
        let owner = kit.owner(story.resident);
        let seen = owner.get(&path).await.ok();
        assert_eq!((&seen["taken_down"]["how"], seen["taken_down"].get("by")), (&json!("desk"), None));
        let own = owner.put(&path, json!({"language": "en", "channels": ["app_inbox"]})).await.ok();
        assert_eq!((&own["version"], own.get("taken_down")), (&json!(2), None));

        let elsewhere = kit.client_of(&kit.staff_of(Role::Receptionist, &[new_id()]));
        elsewhere.get(&path).await.problem(404, "not-found");
        elsewhere.put(&path, wish()).await.problem(404, "preference/no-such-resident");
        kit.owner(new_id()).put(&path, wish()).await.problem(404, "preference/no-such-resident");
    })
    .await;
}

#[tokio::test]
async fn bad_wishes_are_named_and_nothing_is_written() {
    with::<Notification>(async |kit| {
        let resident = new_id();
        let owner = kit.owner(resident);
        let path = format!("/v1/preferences/{resident}");
        let problem = owner.put(&path, json!({"channels": ["app_inbox", "sms"]})).await;
        let problem = problem.problem(422, "preference/channel-not-connected");
        assert_eq!(problem["errors"][0]["pointer"], "/channels/1");
        for bad in [json!({}), json!({"channels": ["pigeon"]}), json!({"channels": [], "language": "fr"}), json!([])] {
            owner.put(&path, bad).await.problem(400, "malformed-request");
        }
        let many = json!({"channels": vec!["app_inbox"; 9]});
        owner.put(&path, many).await.problem(422, "invalid-request");
        owner.put(&path, json!({"channels": [], "quiet": true})).await.problem(400, "malformed-request");
        assert_eq!(owner.get(&path).await.ok()["version"], 0);
    })
    .await;
}
