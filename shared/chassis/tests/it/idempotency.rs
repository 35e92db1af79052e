use futures::future::join_all;
use serde_json::json;
use steward_kernel::{Actor, ActorId, Role};
use steward_testkit::{Client, Kit, db::new_id, with};
use uuid::Uuid;

use crate::toy::Toy;

fn tally() -> (Uuid, String) {
    let id = steward_testkit::db::new_id();
    (id, format!("/v1/tallies/{id}/add"))
}

#[tokio::test]
async fn the_same_key_gives_the_first_answer_again() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        let first = handler.post(&path, json!({"amount": 5})).key("k-1").await;
        let _ = handler.post(&path, json!({"amount": 7})).await.ok();
        let again = handler.post(&path, json!({"amount": 5})).key("k-1").await;
        assert_eq!(first.ok(), again.ok());
        assert_eq!(first.ok()["total"], 5);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.version(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        let _ = handler.post(&path, json!({"amount": 5})).key("k-1").await.ok();
        handler.post(&path, json!({"amount": 6})).key("k-1").await.problem(422, "command-key-reused");
        handler.post(&tally().1, json!({"amount": 5})).key("k-1").await.problem(422, "command-key-reused");
    })
    .await;
}

#[tokio::test]
async fn keys_of_two_people_do_not_meet() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let _ = t.client(Role::Handler).post(&path, json!({"amount": 5})).key("k-1").await.ok();
        let other = t.client(Role::Admin).post(&path, json!({"amount": 6})).key("k-1").await.ok();
        assert_eq!(other["total"], 11);
    })
    .await;
}

fn subject(t: &Kit, name: &str) -> Client {
    t.client_of(&Actor { id: ActorId::new(name), ..t.staff(Role::Handler) })
}

#[tokio::test]
async fn keys_of_two_subjects_never_meet_however_they_are_joined() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let add = |name: &str, key: &str| subject(&t, name).post(&path, json!({"amount": 5})).key(key);
        assert_eq!(add("joint:b", "K").await.ok()["total"], 5);
        assert_eq!(add("joint", "b:K").await.ok()["total"], 10);
        assert_eq!(add("joint%3Ab", "K").await.ok()["total"], 15);
        assert_eq!(add("joint:b", "K").await.ok()["total"], 5);
        assert_eq!(add("joint", "b:K").await.ok()["total"], 10);
    })
    .await;
}

#[tokio::test]
async fn a_subject_that_acts_for_somebody_else_now_does_not_get_the_answer_of_the_first() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let add = |actor: &Actor| t.client_of(actor).post(&path, json!({"amount": 5})).key("k-1");
        let owner = Actor { id: ActorId::new("somebody"), resident: Some(new_id().into()), ..t.staff(Role::Handler) };
        let neighbour = Actor { resident: Some(new_id().into()), ..owner.clone() };
        let _ = add(&owner).await.ok();
        add(&neighbour).await.problem(422, "command-key-reused");
        assert_eq!(add(&owner).await.header("idempotency-replayed"), "true");

        let here = t.staff_of(Role::Handler, &[new_id()]);
        let elsewhere = t.staff_of(Role::Handler, &[new_id()]);
        let _ = add(&here).await.ok();
        add(&elsewhere).await.problem(422, "command-key-reused");
        assert_eq!(add(&here).await.header("idempotency-replayed"), "true");
    })
    .await;
}

/// Makes the claims look as those of versions that kept subject and key joined by a colon, and no caller.
async fn age_claims(t: &Kit) {
    t.execute("toy", "UPDATE command_log SET caller = NULL, command_key = replace(command_key, '%3A', ':')").await;
}

#[tokio::test]
async fn claims_of_the_version_before_are_replayed_for_whoever_made_them() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let add = |name: &str, key: &str| subject(&t, name).post(&path, json!({"amount": 5})).key(key);
        let _ = add("plain", "K").await.ok();
        let _ = add("joint:b", "K").await.ok();
        age_claims(&t).await;
        assert_eq!(add("plain", "K").await.header("idempotency-replayed"), "true");
        assert_eq!(add("joint:b", "K").await.header("idempotency-replayed"), "true");
        // The row is in the way of this pair until it is 72 h old; it gets no answer of others.
        add("joint", "b:K").await.problem(422, "command-key-reused");
    })
    .await;
}

#[tokio::test]
async fn twenty_at_once_with_one_key_do_it_once() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        let answers = join_all((0..20).map(|_| handler.post(&path, json!({"amount": 5})).key("k-1").send())).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(done >= 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
        }
        assert_eq!(handler.post(&path, json!({"amount": 0})).await.ok()["total"], 5);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        handler.post(&path, json!({"amount": 2_000_000})).key("k-1").await.problem(409, "toy/too-much");
        assert_eq!(t.count("toy", "command_log").await, 0);
        assert_eq!(t.count("toy", "event").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_stale_version_is_refused_and_the_right_one_granted() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        let _ = handler.post(&path, json!({"amount": 1})).await.ok();
        let _ = handler.post(&path, json!({"amount": 1})).if_match(1).await.ok();
        let stale = handler.post(&path, json!({"amount": 1})).if_match(1).await;
        stale.problem(412, "stale-version");
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_a_problem_that_names_the_field() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let handler = t.client(Role::Handler);
        let wrong_type = handler.post(&path, json!({"amount": "five"})).await.expect(400);
        assert_eq!(wrong_type["errors"][0]["pointer"], "/amount", "{wrong_type}");
        let unknown = handler.post(&path, json!({"amount": 5, "colour": "red"})).await.expect(400);
        assert_eq!(unknown["errors"][0]["pointer"], "/colour", "{unknown}");
        handler.upload(&path, "application/json", b"{".to_vec()).await.expect(400);
        handler.upload(&path, "text/plain", b"5".to_vec()).await.expect(415);
        handler.upload(&path, "application/json", vec![b' '; 2_000_000]).await.expect(413);
        handler.post("/v1/tallies/not-an-id/add", json!({"amount": 5})).await.expect(400);
        handler.post(&path, json!({"amount": 5})).header("if-match", "five").await.expect(400);
        t.nobody().post(&path, json!({"amount": 5})).await.expect(401);
        assert_eq!(t.count("toy", "event").await, 0);
    })
    .await;
}

#[tokio::test]
async fn problems_speak_the_callers_language() {
    with::<Toy>(async |t: Kit| {
        let (_, path) = tally();
        let ask = |language: &'static str| {
            t.client(Role::Handler).post(&path, json!({"amount": 2_000_000})).header("accept-language", language)
        };
        assert_eq!(ask("zh-CN").await.problem(409, "toy/too-much")["title"], "一次太多了");
        assert_eq!(ask("en").await.problem(409, "toy/too-much")["title"], "That is too much at once");
    })
    .await;
}
