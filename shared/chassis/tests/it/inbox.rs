use std::time::Duration;

use async_nats::jetstream::{
    consumer::{FromConsumer as _, PullConsumer, pull},
    stream::Stream,
};
use chrono::TimeDelta;
use steward_chassis::Error;
use steward_kernel::message::Contract as _;
use steward_testkit::{Kit, OTHER_TENANT, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::toy::{Given, Refusal, Toy, fails};

pub async fn heard(t: &Kit, tally: Uuid) -> String {
    let query = format!("SELECT string_agg(amount::text, ',' ORDER BY place) FROM heard WHERE tally_id = '{tally}'");
    t.text("toy", &query).await.unwrap_or_default()
}

pub async fn hears(t: &Kit, tally: Uuid, expected: &str) {
    eventually(&format!("heard {expected}"), || async { (heard(t, tally).await == expected).then_some(()) }).await;
}

pub fn given(tally: Uuid, amount: i64) -> Given {
    Given { tally, amount }
}

#[tokio::test]
async fn a_message_delivered_twice_is_handled_once() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        for _ in 0..3 {
            t.publish(TENANT, tally, 1, 0, given(tally, 10)).await;
        }
        t.publish(TENANT, tally, 2, 1, given(tally, 20)).await;
        hears(&t, tally, "10,20").await;
    })
    .await;
}

#[tokio::test]
async fn messages_in_disorder_are_handled_in_order() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        for version in [4, 2, 3, 1, 6, 5] {
            t.publish(TENANT, tally, version, version - 1, given(tally, i64::from(version))).await;
        }
        hears(&t, tally, "1,2,3,4,5,6").await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_handled_is_parked_and_blocks_only_its_own_aggregate() {
    with::<Toy>(async |t: Kit| {
        let (poisoned, healthy) = (new_id(), new_id());
        t.publish_bytes("giver", "given.v1", TENANT, poisoned, (1, 0), b"nonsense".to_vec()).await;
        t.publish(TENANT, poisoned, 2, 1, given(poisoned, 2)).await;
        t.publish(TENANT, healthy, 1, 0, given(healthy, 1)).await;
        hears(&t, healthy, "1").await;
        assert!(t.parked("toy").await.contains("not a given"), "reason");
        eventually("both are parked", || async { (t.count("toy", "dead_letter").await == 2).then_some(()) }).await;
        assert_eq!(heard(&t, poisoned).await, "");

        // Mended by an operator, then replayed by one command: in order, and the way is free again.
        let mended = format!("UPDATE dead_letter SET message = '{poisoned} 1' WHERE version = 1");
        t.execute("toy", &mended).await;
        assert_eq!(t.replay_parked::<Toy>().await, (2, 0));
        hears(&t, poisoned, "1,2").await;
        t.publish(TENANT, poisoned, 3, 2, given(poisoned, 3)).await;
        hears(&t, poisoned, "1,2,3").await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_message_is_parked_with_its_reason() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        t.publish(TENANT, tally, 1, 0, given(tally, -1)).await;
        assert!(t.parked("toy").await.contains("toy/too-much"));
        assert_eq!(t.replay_parked::<Toy>().await, (0, 1));
        t.forgive_parked("toy").await;
    })
    .await;
}

#[tokio::test]
async fn two_companies_with_the_same_id_do_not_meet() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        t.publish(OTHER_TENANT, tally, 1, 0, given(tally, 2)).await;
        eventually("both are heard", || async { (t.count("toy", "heard").await == 2).then_some(()) }).await;
        let mine = format!("SELECT string_agg(amount::text, ',') FROM heard WHERE tenant_id = '{TENANT}'");
        assert_eq!(t.text("toy", &mine).await.as_deref(), Some("1"));
        assert_eq!(Given::NAME, "given");
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_panics_parks_its_message_without_its_words_and_blocks_nobody_else() {
    with::<Toy>(async |t: Kit| {
        let poisoned = new_id();
        fails(poisoned, 1, || panic!("a name, a number"));
        t.publish(TENANT, poisoned, 1, 0, given(poisoned, 1)).await;
        let reason = t.parked("toy").await;
        assert!(reason.contains("panicked") && reason.contains("tests/it/inbox.rs:"), "{reason}");
        assert!(!reason.contains("a name"), "{reason}");
        // More aggregates than there are lanes: one of them takes the way of the poisoned one.
        let others: Vec<Uuid> = (0..64).map(|_| new_id()).collect();
        for other in &others {
            t.publish(TENANT, *other, 1, 0, given(*other, 1)).await;
        }
        for other in &others {
            hears(&t, *other, "1").await;
        }
        assert_eq!(t.replay_parked::<Toy>().await, (1, 0));
        hears(&t, poisoned, "1").await;
    })
    .await;
}

#[tokio::test]
async fn a_fault_that_may_pass_is_tried_again_before_its_message_is_parked() {
    with::<Toy>(async |t: Kit| {
        let (passing, away, lasting) = (new_id(), new_id(), new_id());
        fails(passing, 3, || Error::internal("toy", "out of order"));
        fails(away, 8, || Error::Unavailable { what: "database", cause: "away".into() });
        fails(lasting, u32::MAX, || Error::internal("toy", "out of order for ever"));
        for tally in [passing, away, lasting] {
            t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        }
        assert!(t.parked("toy").await.contains("for ever"));
        hears(&t, passing, "1").await;
        hears(&t, away, "1").await;
        assert_eq!(t.count("toy", "dead_letter").await, 1);
        t.forgive_parked("toy").await;
    })
    .await;
}

/// Parks the first message of a tally for a reason that is over when it is replayed.
async fn parked_once(t: &Kit, tally: Uuid) {
    fails(tally, 1, || Error::refused(&Refusal::TooMuch));
    t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
    let query = format!("dead_letter WHERE stream_id = '{tally}'");
    eventually("it is parked", || async { (t.count("toy", &query).await == 1).then_some(()) }).await;
}

/// Has somebody do this to the inbox, and commit a second later.
async fn meanwhile(t: &Kit, statements: &str) {
    t.execute("toy", &format!("BEGIN; {statements}; SELECT pg_sleep(1); COMMIT")).await;
}

#[tokio::test]
async fn two_replays_at_once_handle_everything_once() {
    with::<Toy>(async |t: Kit| {
        let tallies: Vec<Uuid> = (0..30).map(|_| new_id()).collect();
        for tally in &tallies {
            parked_once(&t, *tally).await;
        }
        let (one, two) = tokio::join!(t.replay_parked::<Toy>(), t.replay_parked::<Toy>());
        assert_eq!((one.0 + two.0, one.1, two.1), (30, 0, 0));
        assert_eq!(t.count("toy", "heard").await, 30);
        for tally in &tallies {
            t.publish(TENANT, *tally, 2, 1, given(*tally, 2)).await;
        }
        for tally in &tallies {
            hears(&t, *tally, "1,2").await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_delivered_again_beside_its_replay_is_not_parked_anew() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        parked_once(&t, tally).await;
        let again = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        };
        let replay = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            t.replay_parked::<Toy>().await
        };
        let ((), (), replayed) = tokio::join!(meanwhile(&t, "SELECT FROM inbox FOR UPDATE"), again, replay);
        assert_eq!(replayed, (1, 0));
        t.publish(TENANT, tally, 2, 1, given(tally, 2)).await;
        hears(&t, tally, "1,2").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_parked_behind_a_message_while_that_is_replayed_is_replayed_as_well() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        parked_once(&t, tally).await;
        let behind = format!(
            "UPDATE inbox SET parked = true;
             INSERT INTO dead_letter SELECT tenant_id, consumer, '{}', aggregate, stream_id, 2, subject,
                 headers || '{{\"steward-version\": \"2\", \"steward-previous\": \"1\"}}', '{tally} 2', 'behind', parked_at FROM dead_letter",
            new_id()
        );
        let replay = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            t.replay_parked::<Toy>().await
        };
        let ((), replayed) = tokio::join!(meanwhile(&t, &behind), replay);
        assert_eq!(replayed, (2, 0));
        t.publish(TENANT, tally, 3, 2, given(tally, 3)).await;
        hears(&t, tally, "1,2,3").await;
    })
    .await;
}

#[tokio::test]
async fn a_replay_that_comes_late_discards_what_was_handled_and_never_goes_back() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        parked_once(&t, tally).await;
        // Another run has replayed it and live messages have passed, while its row was on this run's list.
        t.execute("toy", "UPDATE inbox SET version = 4, parked = false").await;
        assert_eq!(t.replay_parked::<Toy>().await, (0, 0));
        assert_eq!((heard(&t, tally).await.as_str(), t.count("toy", "dead_letter").await), ("", 0));
        t.publish(TENANT, tally, 5, 4, given(tally, 5)).await;
        hears(&t, tally, "5").await;
    })
    .await;
}

#[tokio::test]
async fn a_parked_message_whose_predecessor_is_missing_is_not_handled_before_it() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        parked_once(&t, tally).await;
        let later = "UPDATE dead_letter SET version = 3, headers = headers || '{\"steward-version\": \"3\", \"steward-previous\": \"2\"}'";
        t.execute("toy", later).await;
        assert_eq!(t.replay_parked::<Toy>().await, (0, 1));
        assert!(t.parked("toy").await.contains("the message before it has not come"));
        t.forgive_parked("toy").await;
    })
    .await;
}

/// Waits until that many messages wait for the one before them.
async fn wait_early(t: &Kit, count: i64) {
    eventually("they wait", || async { (t.count("toy", "early_message").await == count).then_some(()) }).await;
}

/// The stream of the giver.
pub async fn stream(t: &Kit) -> Stream {
    let client = async_nats::connect(std::env::var("STEWARD_TEST_NATS_URL").unwrap()).await.unwrap();
    let js = async_nats::jetstream::new(client);
    js.get_stream(format!("{}_GIVER", t.prefix.to_uppercase())).await.unwrap()
}

#[tokio::test]
async fn what_comes_before_its_turn_waits_for_as_long_as_it_takes() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        for version in [4, 2, 3] {
            t.publish(TENANT, tally, version, version - 1, given(tally, i64::from(version))).await;
        }
        wait_early(&t, 3).await;
        let consumer: PullConsumer = stream(&t).await.get_consumer("toy--giver").await.unwrap();
        eventually("JetStream waits for nothing", || async {
            (consumer.get_info().await.unwrap().num_ack_pending == 0).then_some(())
        })
        .await;
        t.clock.advance(TimeDelta::days(3));
        t.publish(TENANT, tally, 5, 4, given(tally, 5)).await;
        wait_early(&t, 4).await;
        assert_eq!((heard(&t, tally).await.as_str(), t.count("toy", "dead_letter").await), ("", 0));
        // An operator is told.
        eventually("it is told", || async {
            let health = t.nobody().get("/health").await.json();
            let parts = health["services"][0]["parts"].as_array()?.clone();
            let parked = parts.into_iter().find(|part| part["name"] == "parked_messages")?;
            (parked["status"] == "degraded" && parked["note"] == "3").then_some(())
        })
        .await;
        t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        hears(&t, tally, "1,2,3,4,5").await;
        wait_early(&t, 0).await;
        assert_eq!(t.count("toy", "dead_letter").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_new_listener_hears_new_histories_while_it_waits_for_the_beginnings_of_old_ones() {
    with::<Toy>(async |t: Kit| {
        let (first, new) = (new_id(), new_id());
        t.publish(TENANT, first, 1, 0, given(first, 1)).await;
        hears(&t, first, "1").await;
        // As many are under way as may be, long before all old ones are there.
        let stream = stream(&t).await;
        let consumer: PullConsumer = stream.get_consumer("toy--giver").await.unwrap();
        let config = consumer.cached_info().config.clone();
        let config = pull::Config { max_ack_pending: 10, ..pull::Config::try_from_consumer_config(config).unwrap() };
        stream.update_consumer(config).await.unwrap();
        let old: Vec<Uuid> = (0..40).map(|_| new_id()).collect();
        for tally in &old {
            t.publish(TENANT, *tally, 3, 2, given(*tally, 3)).await;
        }
        t.publish(TENANT, new, 1, 0, given(new, 1)).await;
        hears(&t, new, "1").await;
        // Published again from the beginning.
        for version in 1..=3 {
            for tally in &old {
                t.publish(TENANT, *tally, version, version - 1, given(*tally, version.into())).await;
            }
        }
        for tally in &old {
            hears(&t, *tally, "1,2,3").await;
        }
        assert_eq!(t.count("toy", "dead_letter").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_has_gone_on_with_is_found() {
    with::<Toy>(async |t: Kit| {
        let (followed, behind) = (new_id(), new_id());
        t.publish(TENANT, followed, 2, 1, given(followed, 2)).await;
        wait_early(&t, 1).await;
        // Handled by a version that does not know that anybody waits, or by a process that ended right afterwards.
        t.execute("toy", "UPDATE inbox SET version = 1").await;
        hears(&t, followed, "2").await;

        // What waits behind a message that is then parked is parked behind it.
        t.publish(TENANT, behind, 3, 2, given(behind, 3)).await;
        wait_early(&t, 1).await;
        fails(behind, 1, || Error::refused(&Refusal::TooMuch));
        t.publish(TENANT, behind, 1, 0, given(behind, 1)).await;
        eventually("both are parked", || async { (t.count("toy", "dead_letter").await == 2).then_some(()) }).await;
        t.publish(TENANT, behind, 2, 1, given(behind, 2)).await;
        eventually("all are parked", || async { (t.count("toy", "dead_letter").await == 3).then_some(()) }).await;
        assert_eq!(t.replay_parked::<Toy>().await, (3, 0));
        hears(&t, behind, "1,2,3").await;
    })
    .await;
}
