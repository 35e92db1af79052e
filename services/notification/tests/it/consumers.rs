//! What is heard becomes messages: once, in order, or parked with a reason.

use chrono::TimeDelta;
use steward_notification::Notification;
use steward_proto::{intake, notification as pb};
use steward_testkit::{OTHER_TENANT, TENANT, db::new_id, eventually, kernel::message::suffix, with};
use uuid::Uuid;

use crate::{NAME, Story, inbox, staff, templates};

#[tokio::test]
async fn milestones_that_deserve_it_become_messages_in_the_inbox() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        story.handled(&kit).await;
        for milestone in ["acknowledged", "assessed", "consulting", "plan_told", "a_word_of_tomorrow", "decided"] {
            kit.clock.advance(TimeDelta::minutes(1));
            story.progress(&kit, milestone).await;
            story.handled(&kit).await;
        }
        let messages = inbox(&kit.owner(story.resident), "", 4).await;
        assert_eq!(templates(&messages), ["decided", "plan_told", "acknowledged", "received"]);
        assert_eq!(messages[3]["title"], "已收到您的投诉");
        assert!(messages[3]["body"].as_str().unwrap().contains("C-261123-7K3QD4"));
        assert_eq!(messages[3]["deliveries"][0]["channel"], "app_inbox");
        assert_eq!(messages[3]["deliveries"][0]["status"], "delivered");

        let published = kit.published::<pb::MessageCreated>().await;
        let told: Vec<_> = published.iter().map(|event| event.template.as_str()).collect();
        assert_eq!(told, ["received", "acknowledged", "plan_told", "decided"]);
        assert_eq!(published[0].resident_id, story.resident.to_string());
    })
    .await;
}

#[tokio::test]
async fn duplicates_and_disorder_make_no_difference() {
    with::<Notification>(async |kit| {
        let story = Story::of(new_id());
        // The technician sets out twice, since the first visit failed; the events come backwards and some of them
        // twice.
        let on_the_way = || story.progressed(&kit, "technician_on_the_way");
        kit.publish(TENANT, story.case, 3, 2, on_the_way()).await;
        kit.publish(TENANT, story.case, 2, 1, on_the_way()).await;
        kit.publish(TENANT, story.case, 1, 0, story.opened(&kit)).await;
        kit.publish(TENANT, story.case, 2, 1, on_the_way()).await;
        kit.publish(TENANT, story.case, 1, 0, story.opened(&kit)).await;
        kit.publish(TENANT, story.case, 4, 3, story.progressed(&kit, "work_done")).await;
        let owner = kit.owner(story.resident);
        eventually("the last one is there", || async {
            let items = owner.get("/v1/messages").await.ok()["items"].clone();
            items.to_string().contains("work_done").then_some(())
        })
        .await;
        let messages = inbox(&owner, "", 4).await;
        let mut told = templates(&messages);
        told.sort_unstable();
        assert_eq!(told, ["received", "technician_on_the_way", "technician_on_the_way", "work_done"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_heard_after_the_end_has_lost_its_point() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        for milestone in ["closed", "technician_on_the_way", "work_done"] {
            let told = intake::CaseProgressed { status: "closed".to_owned(), ..story.progressed(&kit, milestone) };
            let (version, previous) = story.next();
            kit.publish(TENANT, story.case, version, previous, told).await;
        }
        story.progress(&kit, "reopened").await;
        let messages = inbox(&kit.owner(story.resident), "", 3).await;
        let mut told = templates(&messages);
        told.sort_unstable();
        assert_eq!(told, ["closed", "received", "reopened"]);
    })
    .await;
}

#[tokio::test]
async fn each_calling_off_is_told_once() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        story.cancel(&kit).await;
        story.progress(&kit, "reopened").await;
        story.progress(&kit, "withdrawn").await;
        story.progress(&kit, "closed").await;
        let messages = inbox(&kit.owner(story.resident), "", 5).await;
        let mut told = templates(&messages);
        told.sort_unstable();
        assert_eq!(told, ["cancelled", "cancelled", "closed", "received", "reopened"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_nobody_can_get_is_on_record_with_its_reason() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(Uuid::nil());
        story.open(&kit).await;
        // No message was due for this one, so nothing is on record.
        story.progress(&kit, "assessed").await;
        story.progress(&kit, "acknowledged").await;
        let messages = inbox(&staff(&kit), &format!("?case_id={}", story.case), 2).await;
        assert_eq!(messages.len(), 2);
        for message in &messages {
            assert_eq!(message["deliveries"][0]["status"], "suppressed");
            assert_eq!(message["deliveries"][0]["reason"], "no_resident");
            assert_eq!(message.get("resident_id"), None);
        }
        assert_eq!(kit.published::<pb::MessageCreated>().await.len(), 0);
        let told = kit.published::<pb::MessageSuppressed>().await;
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|told| told.reason == "no_resident" && told.case_id == story.case.to_string()));
    })
    .await;
}

#[tokio::test]
async fn an_invitation_waits_for_the_case_it_is_about() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.language = "en";
        let survey = new_id();
        kit.publish(TENANT, survey, 1, 0, story.invitation(&kit, survey)).await;
        story.open(&kit).await;
        let messages = inbox(&kit.owner(story.resident), "", 2).await;
        let invitation = messages.iter().find(|message| message["template"] == "survey_invited").unwrap();
        assert_eq!(invitation["survey_id"], survey.to_string());
        assert_eq!(invitation["title"], "How did we do?");
        assert!(invitation["body"].as_str().unwrap().contains("C-261123-7K3QD4"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_stops_nobody_else() {
    with::<Notification>(async |kit| {
        let (bad, mut good) = (Story::of(new_id()), Story::of(new_id()));
        let mut broken = bad.opened(&kit);
        broken.estate_id = "御溪花园".to_owned();
        kit.publish(TENANT, bad.case, 1, 0, broken).await;
        let reason = kit.parked(NAME).await;
        assert!(reason.contains("estate_id") && !reason.contains('御'), "{reason}");

        let garbage = vec![0xff; 8];
        kit.publish_bytes("intake", &suffix::<intake::CaseOpened>(), TENANT, new_id(), (1, 0), garbage).await;
        good.open(&kit).await;
        inbox(&kit.owner(good.resident), "", 1).await;
        eventually("both are parked", || async { (kit.count(NAME, "dead_letter").await == 2).then_some(()) }).await;
        assert_eq!(kit.replay_parked::<Notification>().await, (0, 2));
        kit.forgive_parked(NAME).await;
    })
    .await;
}

#[tokio::test]
async fn companies_do_not_hear_each_other() {
    with::<Notification>(async |kit| {
        let story = Story::of(new_id());
        kit.publish(OTHER_TENANT, story.case, 1, 0, story.opened(&kit)).await;
        let mut own = Story::of(story.resident);
        own.open(&kit).await;
        let messages = inbox(&kit.owner(story.resident), "", 1).await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["case_id"], own.case.to_string());
    })
    .await;
}
