//! Notices over HTTP: written by one person, approved by another, read by households.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_kernel::Role;
use steward_notification::Notification;
use steward_proto::notification as pb;
use steward_testkit::{Client, Kit, db::new_id, eventually, with};
use uuid::Uuid;

use crate::{NAME, register_estate};

fn text(estate: Uuid) -> Value {
    json!({"estate_ids": [estate], "title": "停水通知", "body": "明天9:00至16:00停水，请提前蓄水。"})
}

async fn written(kit: &Kit, body: Value) -> String {
    let answer = kit.client(Role::Receptionist).post("/v1/notices", body).await;
    let notice = answer.created();
    let path = format!("/v1/notices/{}", notice["notice_id"].as_str().unwrap());
    assert_eq!((answer.header("location"), answer.version()), (path.as_str(), Some(1)));
    assert_eq!((&notice["status"], &notice["allowed"]), (&json!("draft"), &json!(["submit", "recall"])));
    path
}

async fn published(kit: &Kit, body: Value) -> String {
    let path = written(kit, body).await;
    let steps = [(Role::Receptionist, "submit"), (Role::Supervisor, "approve"), (Role::Manager, "publish")];
    for (role, command) in steps {
        let _ = kit.client(role).post(&format!("{path}/{command}"), json!({})).await.ok();
    }
    path
}

async fn board(household: &Client) -> usize {
    household.get("/v1/notices").await.ok()["items"].as_array().unwrap().len()
}

/// An owner of that estate.
fn household(kit: &Kit, estate: Uuid) -> Client {
    let mut actor = kit.staff_of(Role::Owner, &[estate]);
    actor.resident = Some(new_id().into());
    kit.client_of(&actor)
}

#[tokio::test]
async fn a_notice_reaches_the_households_of_its_estate_and_is_taken_back() {
    with::<Notification>(async |kit| {
        let estate = new_id();
        register_estate(&kit, estate).await;
        let (owner, stranger) = (household(&kit, estate), household(&kit, new_id()));
        let nothing_yet = owner.get("/v1/notices").await.ok();
        let since = nothing_yet["since"].as_str().unwrap();
        let path = published(&kit, text(estate)).await;

        let seen = owner.get(&path).await.ok();
        assert_eq!(
            (&seen["status"], &seen["title"], &seen["allowed"]),
            (&json!("sent"), &json!("停水通知"), &json!([]))
        );
        assert_eq!((seen.get("author"), seen.get("approver")), (None, None));
        assert_eq!(kit.client(Role::Handler).get(&path).await.ok()["approver"], "supervisor");
        assert_eq!((board(&owner).await, board(&stranger).await), (1, 0));
        stranger.get(&path).await.problem(404, "not-found");

        let recall = format!("{path}/recall");
        let _ = kit.client(Role::Receptionist).post(&recall, json!({"reason": "停水改期"})).await.ok();
        assert_eq!(board(&owner).await, 0);
        assert_eq!(owner.get(&path).await.ok()["recall_reason"], "停水改期");
        // An app that was offline learns that it is to be taken off.
        eventually("the feed tells it", || async {
            let feed = owner.get(&format!("/v1/notices?since={since}")).await.ok();
            (feed["items"][0]["status"] == "recalled").then_some(())
        })
        .await;

        assert_eq!(kit.published::<pb::NoticePublished>().await[0].estate_ids, [estate.to_string()]);
        assert_eq!(kit.published::<pb::NoticeRecalled>().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_people_stand_behind_a_notice() {
    with::<Notification>(async |kit| {
        let estate = new_id();
        register_estate(&kit, estate).await;
        let supervisor = kit.client(Role::Supervisor);
        let notice = supervisor.post("/v1/notices", text(estate)).await.created();
        let path = format!("/v1/notices/{}", notice["notice_id"].as_str().unwrap());
        let problem = supervisor.post(&format!("{path}/publish"), json!({})).await;
        assert_eq!(problem.problem(409, "notice/not-allowed-now")["allowed"], json!(["submit", "recall"]));
        household(&kit, estate).get(&path).await.problem(404, "not-found");
        let _ = supervisor.post(&format!("{path}/submit"), json!({})).await.ok();
        supervisor.post(&format!("{path}/approve"), json!({})).await.problem(403, "notice/same-person");
        kit.client(Role::Receptionist).post(&format!("{path}/approve"), json!({})).await.problem(403, "forbidden");
        let elsewhere = kit.client_of(&kit.staff_of(Role::Manager, &[new_id()]));
        elsewhere.post(&format!("{path}/approve"), json!({})).await.problem(404, "notice/no-such-notice");
        elsewhere.get(&path).await.problem(404, "not-found");
        assert_eq!(elsewhere.get("/v1/notices").await.ok()["items"], json!([]));

        let manager = kit.client(Role::Manager);
        manager.post(&format!("{path}/approve"), json!({})).if_match(1).await.problem(412, "stale-version");
        assert_eq!(manager.post(&format!("{path}/approve"), json!({})).if_match(2).await.ok()["status"], "approved");
        // A draft that was given up is nobody else's business.
        let _ = supervisor.post(&format!("{path}/recall"), json!({"reason": "写错了"})).await.ok();
        assert_eq!(kit.published::<pb::NoticeRecalled>().await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_notice_leaves_the_board_when_its_time_is_over() {
    with::<Notification>(async |kit| {
        let estate = new_id();
        register_estate(&kit, estate).await;
        let mut body = text(estate);
        body["expires_at"] = json!(kit.clock.now() + TimeDelta::hours(2));
        let path = published(&kit, body.clone()).await;
        let owner = household(&kit, estate);
        assert_eq!((board(&owner).await, kit.count(NAME, "timer WHERE aggregate = 'notice'").await), (1, 1));

        kit.clock.advance(TimeDelta::hours(3));
        assert_eq!(board(&owner).await, 0);
        eventually("it has expired", || async { (owner.get(&path).await.ok()["status"] == "expired").then_some(()) })
            .await;
        let problem = kit.client(Role::Handler).post("/v1/notices", body).await;
        assert_eq!(problem.problem(422, "notice/expires-in-the-past")["errors"][0]["pointer"], "/expires_at");
    })
    .await;
}

#[tokio::test]
async fn a_repeated_key_writes_one_notice() {
    with::<Notification>(async |kit| {
        let estate = new_id();
        register_estate(&kit, estate).await;
        let desk = kit.client(Role::Receptionist);
        let first = desk.post("/v1/notices", text(estate)).key("n-1").await;
        let again = desk.post("/v1/notices", text(estate)).key("n-1").await;
        assert_eq!((again.created(), again.header("idempotency-replayed")), (first.created(), "true"));
        let mut other = text(estate);
        other["title"] = json!("停电通知");
        desk.post("/v1/notices", other).key("n-1").await.problem(422, "command-key-reused");
        assert_eq!(desk.get("/v1/notices").await.ok()["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn bad_notices_are_named_and_nothing_is_written() {
    with::<Notification>(async |kit| {
        let (estate, foreign) = (new_id(), new_id());
        register_estate(&kit, estate).await;
        let desk = kit.client(Role::Receptionist);
        let with = |name: &str, value: Value| {
            let mut body = text(estate);
            body[name] = value;
            body
        };
        let bad = [
            (with("estate_ids", json!([estate, foreign])), 422, "notice/unknown-estate", "/estate_ids/1"),
            (with("estate_ids", json!([])), 422, "invalid-request", "/estate_ids"),
            (with("estate_ids", json!("all")), 400, "malformed-request", "/estate_ids"),
            (with("title", json!("字".repeat(201))), 400, "malformed-request", "/title"),
            (with("body", json!("字".repeat(4001))), 400, "malformed-request", "/body"),
            (with("title", json!(" ")), 400, "malformed-request", "/title"),
            (with("expires_at", json!("tomorrow")), 400, "malformed-request", "/expires_at"),
            (with("audience", json!("all")), 400, "malformed-request", "/audience"),
        ];
        for (body, status, slug, pointer) in bad {
            let problem = desk.post("/v1/notices", body).await.problem(status, slug);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        let of_another_estate = kit.client_of(&kit.staff_of(Role::Receptionist, &[new_id()]));
        of_another_estate.post("/v1/notices", text(estate)).await.problem(422, "notice/unknown-estate");
        desk.upload("/v1/notices", "text/plain", b"x".to_vec()).await.problem(415, "unsupported-media-type");
        kit.owner(new_id()).post("/v1/notices", text(estate)).await.problem(403, "forbidden");
        desk.get("/v1/notices?status=published").await.problem(400, "malformed-request");
        let path = written(&kit, text(estate)).await;
        desk.post(&format!("{path}/recall"), json!({"reason": ""})).await.problem(400, "malformed-request");
        assert_eq!(kit.count(NAME, "event").await, 1);
    })
    .await;
}
