//! What owners are told of dates, and of words that staff took down for them.

use serde_json::{Value, json};
use steward_kernel::Role;
use steward_notification::Notification;
use steward_proto::intake;
use steward_testkit::{Kit, TENANT, db::new_id, with};

use crate::{Story, inbox, templates};

/// Makes somebody known, as intake does.
async fn register(kit: &Kit, account: &str, role: &str) {
    let id = new_id();
    let staff = intake::StaffRegistered {
        staff_id: id.to_string(),
        account: account.to_owned(),
        role: role.to_owned(),
        every_estate: true,
        ..Default::default()
    };
    kit.publish(TENANT, id, 1, 0, staff).await;
    let known = format!("SELECT max(account) FROM staff WHERE staff_id = '{id}'");
    steward_testkit::eventually("they are known", || async { kit.text(crate::NAME, &known).await }).await;
}

fn body(message: &Value) -> &str {
    message["body"].as_str().unwrap()
}

/// How many messages there are of each template; those of one instant stand in no order.
fn tally(messages: &[Value]) -> Vec<(&str, usize)> {
    let mut all = templates(messages);
    all.sort_unstable();
    all.chunk_by(|one, other| one == other).map(|same| (same[0], same.len())).collect()
}

/// The message of that template.
fn of<'m>(messages: &'m [Value], template: &str) -> &'m Value {
    messages.iter().find(|message| message["template"] == template).unwrap()
}

#[tokio::test]
async fn every_word_that_staff_took_down_is_told_once_with_what_how_and_by_whom() {
    with::<Notification>(async |kit| {
        register(&kit, "desk-1", "receptionist").await;
        let mut story = Story { kind: "service_request", ..Story::of(new_id()) };
        let owner = kit.owner(story.resident);
        story.open(&kit).await;
        let words =
            ["info_provided", "rework", "verified", "confirmed", "reopened", "closed", "pause_contested", "withdrawn"];
        for milestone in words {
            let told = intake::CaseProgressed {
                given_how: "phone".to_owned(),
                given_at_ms: kit.clock.now().timestamp_millis(),
                taken_down_by: "desk-1".to_owned(),
                by: "staff".to_owned(),
                ..story.progressed(&kit, milestone)
            };
            let (version, previous) = story.next();
            kit.publish(TENANT, story.case, version, previous, told).await;
        }
        story.handled(&kit).await;
        let messages = inbox(&owner, "", words.len() + 1).await;
        assert_eq!(tally(&messages), [("received", 1), ("taken_down", words.len())]);
        let told: Vec<&Value> = messages.iter().filter(|one| one["template"] == "taken_down").collect();
        let of_word = |word: &str| told.iter().filter(|one| body(one).contains(word)).count();
        for word in [
            "您补充的信息",
            "您对结果不满意",
            "您对结果满意",
            "事项已解决",
            "尚未解决",
            "您同意办结",
            "暂停计时",
            "您撤回",
        ] {
            assert_eq!(of_word(word), 1, "{word}: {messages:?}");
        }
        let is_whole = |one: &&Value| body(one).starts_with("前台根据您的来电") && body(one).contains("15天");
        assert!(told.iter().all(is_whole), "{messages:?}");
    })
    .await;
}

#[tokio::test]
async fn a_case_that_staff_call_off_on_the_owners_word_is_told_as_taken_down() {
    with::<Notification>(async |kit| {
        // By somebody whom the register does not know.
        let mut other = Story { language: "en", ..Story::of(new_id()) };
        other.open(&kit).await;
        let told = other.progressed(&kit, "cancelled");
        let cancelled = intake::CaseCancelled {
            case_id: told.case_id,
            reference: told.reference,
            kind: told.kind,
            estate_id: told.estate_id,
            resident_id: told.resident_id,
            language: told.language,
            at_ms: told.at_ms,
            by: "staff".to_owned(),
            given_how: "desk".to_owned(),
            given_at_ms: told.at_ms,
            taken_down_by: "temp-9".to_owned(),
            ..Default::default()
        };
        let (version, previous) = other.next();
        kit.publish(TENANT, other.case, version, previous, cancelled).await;
        other.handled(&kit).await;
        let messages = inbox(&kit.owner(other.resident), "", 2).await;
        assert_eq!(tally(&messages), [("received", 1), ("taken_down", 1)]);
        assert!(
            body(of(&messages, "taken_down"))
                .starts_with("A member of our staff noted for you when you were at our desk")
        );
    })
    .await;
}

#[tokio::test]
async fn the_owners_own_word_is_told_as_before() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        for milestone in ["confirmed", "pause_contested", "reopened"] {
            story.progress(&kit, milestone).await;
        }
        story.handled(&kit).await;
        let messages = inbox(&kit.owner(story.resident), "", 2).await;
        assert_eq!(tally(&messages), [("received", 1), ("reopened", 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_date_that_the_owner_is_given_is_a_message_with_the_old_one() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        for (milestone, previous_due_at_ms) in
            [("promise_made", 0), ("promise_moved", 1_796_040_000_000), ("deadline_extended", 1_796_040_000_000)]
        {
            let told = intake::CaseProgressed {
                due_at_ms: 1_796_299_200_000,
                previous_due_at_ms,
                time_zone: "Asia/Shanghai".to_owned(),
                ..story.progressed(&kit, milestone)
            };
            let (version, previous) = story.next();
            kit.publish(TENANT, story.case, version, previous, told).await;
        }
        story.handled(&kit).await;
        let messages = inbox(&kit.owner(story.resident), "", 4).await;
        let both = "由 11月30日（周一） 20:00";
        for template in ["deadline_extended", "promise_moved"] {
            let text = body(of(&messages, template));
            assert!(text.contains(both), "{text}");
        }
        assert!(body(of(&messages, "promise_made")).contains("12月3日（周四） 20:00"), "{messages:?}");
    })
    .await;
}

#[tokio::test]
async fn who_sets_a_residents_wishes_for_them_cannot_do_so_in_silence() {
    with::<Notification>(async |kit| {
        register(&kit, "receptionist", "receptionist").await;
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        let (owner, path) = (kit.owner(story.resident), format!("/v1/preferences/{}", story.resident));
        inbox(&owner, "", 1).await;
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[story.estate]));
        kit.clock.advance(chrono::TimeDelta::minutes(1));
        let silence = json!({ "language": null, "channels": [], "taken_down": { "how": "phone" } });
        for _ in 0..2 {
            let _ = desk.put(&path, silence.clone()).key("once").await.ok();
            let _ = desk.put(&path, silence.clone()).await.ok();
        }
        let messages = inbox(&owner, "", 2).await;
        assert_eq!(templates(&messages), ["preference_taken_down", "received"]);
        assert!(body(&messages[0]).starts_with("前台根据您的来电，代您更改了接收消息"), "{messages:?}");
        // The own word needs no message, and staff do not change it unread.
        let own = owner.put(&path, json!({ "channels": ["app_inbox"] })).await;
        assert_eq!(inbox(&owner, "", 2).await.len(), 2);
        desk.put(&path, silence.clone()).await.problem(428, "precondition-required");
        assert_eq!(owner.get(&path).await.ok()["channels"], json!(["app_inbox"]), "nothing was changed");
        let _ = desk.put(&path, silence).if_match(own.version().unwrap()).await.ok();
        assert_eq!(tally(&inbox(&owner, "", 3).await), [("preference_taken_down", 2), ("received", 1)]);
    })
    .await;
}
