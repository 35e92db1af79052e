use futures::future::join_all;
use steward_chassis::{Call, Clock, Engine, db::Db};
use steward_kernel::Refuses as _;
use steward_testkit::{Kit, db as testdb, eventually, with};
use uuid::Uuid;

use crate::toy::{Added, Command, Refusal, Tally, TallyId, Toy, call};

/// An engine on the test's database that nobody wakes: as another replica, or one that dies right after its commit.
fn replica(t: &Kit) -> Engine {
    Engine::new(Db::connect_lazily(&testdb::config(&t.database), "toy").expect("pools"), Clock::System)
}

/// Adds to many tallies from many writers at once; the number of additions.
async fn storm(engine: &Engine, tallies: &[Uuid], writers: usize, each: usize) -> usize {
    join_all((0..writers).map(|writer| async move {
        let mut done = 0;
        for n in 0..each {
            let id = TallyId::from(tallies[(writer + n) % tallies.len()]);
            let amount = Command::Add(i64::try_from(n % 7 + 1).unwrap());
            match engine.execute::<Tally>(&call(), id, &amount, &()).await {
                Ok(_) => done += 1,
                Err(fault) => assert!(fault.is_passing(), "{fault}"),
            }
        }
        done
    }))
    .await
    .into_iter()
    .sum()
}

/// What stands in the stream: for each tally the versions, in the order of the stream.
pub async fn stream(t: &Kit) -> std::collections::BTreeMap<String, Vec<i32>> {
    t.relayed().await;
    let client = async_nats::connect(std::env::var("STEWARD_TEST_NATS_URL").unwrap()).await.unwrap();
    let js = async_nats::jetstream::new(client);
    let stream = js.get_stream(format!("{}_TOY", t.prefix.to_uppercase())).await.unwrap();
    let mut found: std::collections::BTreeMap<String, Vec<i32>> = Default::default();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let text = |name: &str| message.headers.get(name).unwrap().to_string();
        found.entry(text("steward-stream-id")).or_default().push(text("steward-version").parse().unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_published_once_and_in_version_order_under_concurrent_writers() {
    with::<Toy>(async |t: Kit| {
        let tallies: Vec<Uuid> = (0..10).map(|_| testdb::new_id()).collect();
        let engine = replica(&t);
        let done = storm(&engine, &tallies, 16, 25).await;
        let published = stream(&t).await;
        assert_eq!(published.values().map(Vec::len).sum::<usize>(), done);
        assert_eq!(t.count("toy", "event").await, i64::try_from(done).unwrap());
        for (tally, versions) in published {
            let expected: Vec<i32> = (1..=i32::try_from(versions.len()).unwrap()).collect();
            assert_eq!(versions, expected, "tally {tally}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_stream_is_filled_again_from_the_log_by_itself() {
    with::<Toy>(async |t: Kit| {
        let tallies: Vec<Uuid> = (0..5).map(|_| testdb::new_id()).collect();
        let engine = replica(&t);
        let done = storm(&engine, &tallies, 4, 10).await;
        t.relayed().await;
        let client = async_nats::connect(std::env::var("STEWARD_TEST_NATS_URL").unwrap()).await.unwrap();
        let js = async_nats::jetstream::new(client);
        let name = format!("{}_TOY", t.prefix.to_uppercase());
        js.delete_stream(&name).await.unwrap();
        let more = storm(&engine, &tallies, 4, 5).await;
        eventually("the stream is whole again", || async {
            let mut stream = js.get_stream(&name).await.ok()?;
            let messages = stream.info().await.ok()?.state.messages;
            (messages >= u64::try_from(done + more).unwrap()).then_some(())
        })
        .await;
        for (tally, mut versions) in stream(&t).await {
            versions.dedup();
            assert!(versions.is_sorted(), "tally {tally}: {versions:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stream_gets_what_the_old_one_would_still_hold_and_what_it_never_got() {
    with::<Toy>(async |t: Kit| {
        let (engine, tally) = (replica(&t), testdb::new_id());
        storm(&engine, &[tally], 1, 6).await;
        t.relayed().await;
        let client = async_nats::connect(std::env::var("STEWARD_TEST_NATS_URL").unwrap()).await.unwrap();
        let js = async_nats::jetstream::new(client);
        // Kept for 14 days: the stream would have forgotten the first three. One of them it never got. The relay waits until all is laid out.
        let (name, lay_out) = (
            format!("{}_TOY", t.prefix.to_uppercase()),
            "BEGIN; LOCK TABLE outbox; UPDATE event SET recorded_at = recorded_at - interval '15 days' WHERE version <= 3;
             INSERT INTO outbox SELECT position, tenant_id FROM event WHERE version = 3; SELECT pg_sleep(1); COMMIT",
        );
        let lose = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            js.delete_stream(&name).await.unwrap();
        };
        tokio::join!(t.execute("toy", lay_out), lose);
        eventually("the stream is filled again", || async {
            let versions = stream(&t).await.remove(&tally.to_string()).unwrap_or_default();
            (versions == [3, 4, 5, 6]).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn public_events_carry_what_each_listener_saw_before() {
    with::<Toy>(async |t: Kit| {
        let engine = replica(&t);
        let id = TallyId::from(testdb::new_id());
        for amount in [1, 3, 0, 2, 4] {
            engine.execute::<Tally>(&call(), id, &Command::Add(amount), &()).await.ok();
        }
        let text =
            t.text("toy", "SELECT string_agg(version || ':' || previous, ', ' ORDER BY version) FROM event").await;
        assert_eq!(text.as_deref(), Some("1:0, 2:1, 3:1 toy=2, 4:3"));
        assert_eq!(t.published::<Added>().await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_changed_history_is_found_out() {
    with::<Toy>(async |t: Kit| {
        let engine = replica(&t);
        let id = TallyId::from(testdb::new_id());
        for amount in 1..=4 {
            engine.execute::<Tally>(&call(), id, &Command::Add(amount), &()).await.unwrap();
        }
        assert_eq!(engine.first_broken::<Tally>(&call(), id).await.unwrap(), None);
        // Every column, also those that are to come; but the position, which the database gives after the hash was made.
        let columns = "SELECT string_agg(column_name || ' ' || data_type, ',') FROM information_schema.columns
                       WHERE table_schema = current_schema() AND table_name = 'event' AND column_name <> 'position'";
        let columns = t.text("toy", columns).await.unwrap();
        for (column, kind) in columns.split(',').filter_map(|column| column.split_once(' ')) {
            let other = match kind {
                "uuid" => "gen_random_uuid()",
                "integer" => "99",
                "text" => "'other'",
                "bytea" => "'other'::bytea",
                "json" => "'{\"kind\":\"added\",\"amount\":9}'",
                "timestamp with time zone" => "now() - interval '3 days'",
                kind => panic!("{column} is a {kind}"),
            };
            let kept = format!("CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM event; UPDATE event SET {column} = {other} WHERE version = 3");
            t.execute("toy", &kept).await;
            assert!(engine.first_broken::<Tally>(&call(), id).await.unwrap().is_some(), "{column} can be changed");
            let back = format!("UPDATE event SET {column} = kept.{column} FROM kept WHERE kept.position = event.position");
            t.execute("toy", &back).await;
            assert_eq!(engine.first_broken::<Tally>(&call(), id).await.unwrap(), None, "{column}");
        }
        assert!(columns.split(',').count() >= 14, "{columns}");
    })
    .await;
}

#[tokio::test]
async fn several_commands_commit_together_or_not_at_all() {
    with::<Toy>(async |t: Kit| {
        let engine = replica(&t);
        let (one, two) = (TallyId::from(testdb::new_id()), TallyId::from(testdb::new_id()));
        let both = async |second: i64| {
            let call: Call = call();
            engine
                .transact(&call, move |work| {
                    Box::pin(async move {
                        work.execute::<Tally>(one, &Command::Add(1), &()).await?;
                        work.execute::<Tally>(two, &Command::Add(second), &()).await
                    })
                })
                .await
        };
        let refused = both(2_000_000).await.expect_err("too much");
        assert!(refused.is(&Refusal::TooMuch), "{refused}");
        assert_eq!(Refusal::TooMuch.problem().status, 409);
        assert_eq!(t.count("toy", "event").await, 0);
        both(2).await.unwrap();
        assert_eq!(t.count("toy", "tally").await, 2);
        let times = t.text("toy", "SELECT count(DISTINCT occurred_at)::text FROM event").await;
        assert_eq!(times.as_deref(), Some("1"), "what happens in one transaction happens at one time");
    })
    .await;
}

#[tokio::test]
async fn the_record_of_a_history_never_goes_back() {
    with::<Toy>(async |t: Kit| {
        let engine = replica(&t);
        let (one, two) = (TallyId::from(testdb::new_id()), TallyId::from(testdb::new_id()));
        let mut slow = engine.begin(&call()).await.unwrap();
        slow.execute::<Tally>(one, &Command::Add(1), &()).await.unwrap();
        let between = engine.execute::<Tally>(&call(), two, &Command::Add(1), &()).await.unwrap();
        let late = slow.execute::<Tally>(two, &Command::Add(2), &()).await.unwrap();
        slow.commit().await.unwrap();
        assert_eq!((late.version.get(), late.changed_at), (2, between.changed_at));
    })
    .await;
}
