//! An owner's inbox over HTTP.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_kernel::Role;
use steward_notification::Notification;
use steward_proto::notification as pb;
use steward_testkit::{db::new_id, eventually, with};

use crate::{Story, inbox, staff, templates};

#[tokio::test]
async fn reading_a_message_is_recorded_once() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        let owner = kit.owner(story.resident);
        let message = inbox(&owner, "?status=delivered", 1).await.remove(0);
        let path = format!("/v1/messages/{}", message["message_id"].as_str().unwrap());
        assert_eq!(message["version"], 2);
        let known = owner.get(&path).await;
        assert_eq!(known.version(), Some(2));
        assert_eq!(owner.get(&path).header("if-none-match", known.header("etag")).await.status, 304);

        kit.clock.advance(TimeDelta::minutes(5));
        let read = format!("{path}/read");
        owner.post(&read, json!({})).if_match(1).await.problem(412, "stale-version");
        let first = owner.post(&read, json!({})).if_match(2).key("k-1").await;
        assert_eq!(first.ok()["deliveries"][0]["status"], "read");
        let again = owner.post(&read, json!({})).if_match(2).key("k-1").await;
        assert_eq!((again.ok(), again.header("idempotency-replayed")), (first.ok(), "true"));
        // Another body never gets as far as the key.
        owner.post(&read, json!({"at": "now"})).key("k-1").await.problem(400, "malformed-request");
        assert_eq!(owner.post(&read, json!({})).await.ok(), first.ok());

        assert_eq!(inbox(&owner, "?status=read", 1).await, [first.ok()]);
        assert_eq!(kit.published::<pb::MessageRead>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_reads_or_marks_the_messages_of_others() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        let message = inbox(&kit.owner(story.resident), "", 1).await.remove(0);
        let path = format!("/v1/messages/{}", message["message_id"].as_str().unwrap());
        let read = format!("{path}/read");

        let neighbour = kit.owner(new_id());
        assert_eq!(
            neighbour.get(&format!("/v1/messages?resident_id={}", story.resident)).await.ok()["items"],
            json!([])
        );
        neighbour.get(&path).await.problem(404, "not-found");
        neighbour.post(&read, json!({})).await.problem(404, "message/no-such-message");
        // An owner whose token names no resident has no inbox at all.
        let nobody = kit.client(Role::Owner);
        assert_eq!(nobody.get("/v1/messages").await.ok()["items"], json!([]));
        nobody.get(&path).await.problem(404, "not-found");

        let elsewhere = kit.client_of(&kit.staff_of(Role::Handler, &[new_id()]));
        assert_eq!(elsewhere.get("/v1/messages").await.ok()["items"], json!([]));
        elsewhere.get(&path).await.problem(404, "not-found");
        staff(&kit).post(&read, json!({})).await.problem(403, "forbidden");
        assert_eq!(staff(&kit).get(&path).await.ok(), message);

        // Who has both roles marks as an owner, and what others got is not there for one.
        let mut both = kit.staff(Role::Manager);
        both.roles.push(Role::Owner);
        both.resident = Some(new_id().into());
        kit.client_of(&both).post(&read, json!({})).await.problem(404, "message/no-such-message");
    })
    .await;
}

#[tokio::test]
async fn a_list_has_pages_and_a_feed_of_changes() {
    with::<Notification>(async |kit| {
        let mut story = Story::of(new_id());
        story.open(&kit).await;
        story.progress(&kit, "acknowledged").await;
        story.progress(&kit, "decided").await;
        let owner = kit.owner(story.resident);
        let all = inbox(&owner, "", 3).await;

        let first = owner.get("/v1/messages?limit=2").await.ok();
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = owner.get(&format!("/v1/messages?limit=2&cursor={cursor}")).await.ok();
        let pages = [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()].concat();
        assert_eq!(pages, all);

        let since = second["since"].as_str().unwrap();
        let feed = format!("/v1/messages?since={since}");
        let id = all[1]["message_id"].as_str().unwrap();
        let _ = owner.post(&format!("/v1/messages/{id}/read"), json!({})).await.ok();
        // A transaction that runs anywhere on the server holds the feed back for a moment.
        eventually("the feed tells it", || async {
            let changed = owner.get(&feed).await.ok();
            let told = |one: &Value| one["message_id"] == id && one["read_at"].is_string();
            changed["items"].as_array().unwrap().iter().any(told).then_some(())
        })
        .await;
        assert_eq!(templates(&inbox(&owner, &format!("?case_id={}", story.case), 3).await).len(), 3);
    })
    .await;
}

#[tokio::test]
async fn bad_questions_are_named() {
    with::<Notification>(async |kit| {
        let client = staff(&kit);
        for query in ["?unread=true", "?resident_id=Lin", "?status=seen", "?limit=0", "?cursor=x"] {
            assert_eq!(client.get(&format!("/v1/messages{query}")).await.status, 400, "{query}");
        }
        client.get("/v1/messages/abc").await.problem(400, "malformed-request");
        client.get(&format!("/v1/messages/{}", new_id())).await.problem(404, "not-found");
        client.get("/v1/templates?limit=1").await.problem(400, "malformed-request");
    })
    .await;
}

#[tokio::test]
async fn texts_and_channels_can_be_looked_up() {
    with::<Notification>(async |kit| {
        let templates = staff(&kit).get("/v1/templates").await.ok();
        assert_eq!(templates["version"], 8);
        let received = &templates["items"][0];
        assert_eq!(received["template"], "received");
        assert_eq!(received["variables"], json!(["reference", "kind"]));
        assert_eq!(received["texts"]["en"]["title"], "We have received your {kind}");

        let channels = staff(&kit).get("/v1/channels").await.ok();
        let channels = channels["items"].as_array().unwrap();
        let connected: Vec<_> = channels.iter().filter(|channel| channel["connected"] == true).collect();
        assert_eq!((channels.len(), connected.len()), (8, 2));
        assert_eq!(connected[0]["channel"], "app_inbox");
        kit.owner(new_id()).get("/v1/channels").await.problem(403, "forbidden");
    })
    .await;
}
