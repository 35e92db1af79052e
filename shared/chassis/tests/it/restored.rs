//! Something was brought back to an earlier state: a log, a listener's database, the store of the messages. And streams that lose
//! something, or take nothing.

use std::{collections::BTreeSet, path::Path, time::Duration};

use async_nats::jetstream::{context::Context, stream};
use chrono::TimeDelta;
use futures::StreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steward_chassis::{
    Clock, Engine, Service as _,
    config::CoreConfig,
    db::Db,
    lifecycle::Health,
    messages::Messages,
    relay::{self, Relay},
};
use steward_testkit::{
    Kit, TENANT,
    db::{self as testdb, new_id},
    eventually,
    servers::Nats,
    with,
};
use tokio::task::{JoinHandle, block_in_place};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    inbox::{given, heard, hears},
    toy::{Command, Tally, TallyId, Toy, call},
};

#[tokio::test]
async fn a_history_that_goes_on_from_before_what_was_heard_is_parked_and_not_taken_for_a_repetition() {
    with::<Toy>(async |t: Kit| {
        let (tally, other) = (new_id(), new_id());
        for version in 1..=4 {
            t.publish(TENANT, tally, version, version - 1, given(tally, version.into())).await;
        }
        t.publish(TENANT, other, 1, 0, given(other, 1)).await;
        hears(&t, tally, "1,2,3,4").await;
        hears(&t, other, "1").await;

        // Brought back to version 2; others come under the versions that were heard.
        t.clock.advance(TimeDelta::minutes(1));
        t.publish(TENANT, tally, 3, 2, given(tally, 30)).await;
        let reason = t.parked("toy").await;
        assert!(reason.contains("version 2") && reason.contains("up to 4"), "{reason}");
        // One that this listener alone hears may leave versions out.
        t.publish(TENANT, other, 3, 0, given(other, 30)).await;
        t.publish(TENANT, tally, 4, 3, given(tally, 40)).await;
        t.publish(TENANT, tally, 5, 4, given(tally, 50)).await;
        eventually("four are parked", || async { (t.count("toy", "dead_letter").await == 4).then_some(()) }).await;
        // What was lost may still come, and what was heard again.
        t.clock.advance(TimeDelta::minutes(-1));
        t.publish(TENANT, tally, 2, 1, given(tally, 2)).await;
        assert_eq!(heard(&t, tally).await, "1,2,3,4");

        // Who has read the report has it go on.
        assert_eq!(t.replay_parked::<Toy>().await, (4, 0));
        hears(&t, tally, "1,2,3,4,30,40,50").await;
        hears(&t, other, "1,30").await;
        t.publish(TENANT, tally, 6, 5, given(tally, -6)).await;
        t.clock.advance(TimeDelta::minutes(2));
        t.publish(TENANT, tally, 6, 5, given(tally, 60)).await;
        hears(&t, tally, "1,2,3,4,30,40,50,60").await;
        assert_eq!(t.count("toy", "dead_letter").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_listener_whose_database_was_brought_back_hears_nothing_before_its_source_has_looked() {
    with::<Toy>(async |t: Kit| {
        let tally = new_id();
        t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        hears(&t, tally, "1").await;
        let client = async_nats::connect(std::env::var("STEWARD_TEST_NATS_URL").unwrap()).await.unwrap();
        let mut asked = client.subscribe(format!("{}.ask.giver", t.prefix)).await.unwrap();
        client.flush().await.unwrap();

        // Another epoch than the one that is noted; the process is a new one, or the old one goes on.
        t.execute("toy", "UPDATE relay_state SET epochs = '{\"toy--giver\": 1}'").await;
        let replica = t.replica_with::<Toy>(|_| {}).await;
        tokio::time::timeout(Duration::from_secs(20), asked.next()).await.expect("the source is asked");
        eventually("it is told", || async {
            let report = format!("{:?}", replica.health.report());
            report.contains("brought back").then_some(())
        })
        .await;
        client.publish(format!("{}.looked.giver", t.prefix), "".into()).await.unwrap();
        eventually("it hears again", || async {
            let epochs = t.text("toy", "SELECT epochs ->> 'toy--giver' FROM relay_state").await;
            let report = format!("{:?}", replica.health.report());
            (epochs.is_some_and(|epoch| epoch != "1") && !report.contains("brought back")).then_some(())
        })
        .await;
        replica.stop().await;
    })
    .await;
}

/// A relay of the toy service with a message server of its own.
struct World {
    nats: Nats,
    database: String,
    db: Db,
    engine: Engine,
    js: Context,
    health: Health,
    stop: CancellationToken,
    relay: JoinHandle<()>,
}

impl World {
    async fn with(nats: Nats) -> Self {
        let database = testdb::fresh(&[("toy", Toy::migrator())]).await;
        let db = Db::connect_lazily(&testdb::config(&database), "toy").unwrap();
        let core = CoreConfig::development().unwrap();
        let mut to = core.nats.clone();
        to.url = nats.url.as_str().into();
        let engine = Engine::new(db.clone(), Clock::System);
        let messages = Messages::connect(&to, "toy").await.unwrap();
        let (stop, js) = (CancellationToken::new(), messages.js.clone());
        let health = Health::new("toy", Clock::System);
        let relay = Relay {
            service: "toy",
            db: db.clone(),
            messages,
            wake: engine.wake(),
            clock: Clock::System,
            health: health.clone(),
            config: core.relay,
        };
        let relay = tokio::spawn(relay.run(stop.clone()));
        Self { nats, database, db, engine, js, health, stop, relay }
    }

    async fn add(&self, tally: Uuid, amounts: &[i64]) {
        for amount in amounts {
            let done = self.engine.execute::<Tally>(&call(), TallyId::from(tally), &Command::Add(*amount), &()).await;
            done.unwrap();
        }
    }

    async fn figure(&self, query: &str) -> i64 {
        let mut connection = self.connect().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.unwrap()
    }

    async fn execute(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut self.connect().await).await.unwrap();
    }

    async fn connect(&self) -> PgConnection {
        let url = testdb::admin_url();
        let (head, _) = url.rsplit_once('/').unwrap();
        PgConnection::connect(&format!("{head}/{}", self.database)).await.unwrap()
    }

    /// Waits until everything is published, also again.
    async fn is_published(&self) {
        let open = "SELECT (SELECT count(*) FROM toy.outbox) + (SELECT count(*) FROM toy.relay_state WHERE replay_next IS NOT NULL)";
        eventually("all is published", || async { (self.figure(open).await == 0).then_some(()) }).await;
    }

    /// Waits until the relay has looked at the stream as it is.
    async fn is_looked_at(&self) {
        eventually("the relay has looked", || async {
            let mut stream = self.js.get_stream("TOY").await.ok()?;
            let first = stream.info().await.ok()?.state.first_sequence;
            let known = "SELECT coalesce(first_sequence, 0) FROM toy.relay_state";
            (u64::try_from(self.figure(known).await) == Ok(first)).then_some(())
        })
        .await;
    }

    /// The events that the stream has, as often as it has them.
    async fn held(&self) -> Vec<String> {
        let Ok(stream) = self.js.get_stream("TOY").await else { return Vec::new() };
        let mut held = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                held.push(message.headers.get("ce-id").unwrap().to_string());
            }
        }
        held
    }

    /// Waits until the stream has what the log has, and nothing else.
    async fn holds_the_log(&self) {
        eventually("the stream holds the log", || async {
            self.is_published().await;
            let mut connection = self.connect().await;
            let log: Vec<String> = sqlx::query_scalar("SELECT event_id::text FROM toy.event WHERE suffix IS NOT NULL")
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let held: BTreeSet<String> = self.held().await.into_iter().collect();
            (held == log.into_iter().collect()).then_some(())
        })
        .await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.relay.await.unwrap();
        drop(self.db);
        testdb::remove(&self.database).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_brought_back_is_noticed_and_its_stream_forgets_what_never_was() {
    let world = World::with(Nats::start()).await;
    let (tally, lost) = (new_id(), new_id());
    world.add(tally, &[1, 2]).await;
    world.is_published().await;
    let position = world.figure("SELECT max(position) FROM toy.event").await;
    let sequence = world.figure("SELECT last_sequence FROM toy.relay_state").await;
    world.add(tally, &[4]).await;
    world.add(lost, &[1, 2]).await;
    world.is_published().await;
    assert_eq!(world.held().await.len(), 5);
    world
        .execute(&format!(
            "BEGIN; DELETE FROM toy.event WHERE position > {position}; UPDATE toy.relay_state SET last_sequence = {sequence}; COMMIT"
        ))
        .await;
    world.holds_the_log().await;
    assert_eq!(world.held().await.len(), 2);
    let told = format!("SELECT count(*) FROM toy.lost_event WHERE stream_id IN ('{tally}', '{lost}')");
    assert_eq!(world.figure(&told).await, 3);
    world.add(tally, &[5]).await;
    world.holds_the_log().await;
    assert_eq!(world.held().await.len(), 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_again_is_heard_again_though_the_store_takes_it_for_a_repetition() {
    let world = World::with(Nats::start()).await;
    world.add(new_id(), &[1, 2, 4]).await;
    world.is_published().await;
    // Within the time in which JetStream discards what has an id that it knows.
    relay::republish(&world.db).await.unwrap();
    eventually("all is there twice", || async { (world.held().await.len() == 6).then_some(()) }).await;
    // Emptied by hand: the store knows the ids of what it does not have.
    world.is_looked_at().await;
    world.js.get_stream("TOY").await.unwrap().purge().await.unwrap();
    world.holds_the_log().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_yesterday_gets_what_came_since() {
    let mut world = World::with(Nats::start()).await;
    let tally = new_id();
    world.add(tally, &[1, 2]).await;
    world.is_published().await;
    block_in_place(|| world.nats.back_up());
    world.add(tally, &[4, 5]).await;
    world.is_published().await;
    block_in_place(|| world.nats.restore());
    world.holds_the_log().await;
    world.add(tally, &[7]).await;
    world.holds_the_log().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_cut_off_gets_its_beginning_again_and_a_limit_that_nobody_asked_for_goes() {
    let world = World::with(Nats::start()).await;
    let tally = new_id();
    world.add(tally, &[1, 2, 4, 5, 7, 8]).await;
    world.holds_the_log().await;
    // The oldest ones by hand.
    world.is_looked_at().await;
    let mut stream = world.js.get_stream("TOY").await.unwrap();
    stream.purge().sequence(4).await.unwrap();
    world.holds_the_log().await;
    // By a limit.
    world.is_looked_at().await;
    let config = stream.info().await.unwrap().config.clone();
    world.js.update_stream(stream::Config { max_messages: 2, ..config }).await.unwrap();
    world.holds_the_log().await;
    assert!(stream.info().await.unwrap().config.max_messages <= 0, "the limit stands");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_full_is_told_plainly_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("nats.conf");
    let room =
        |file: &Path, bytes: u32| std::fs::write(file, format!("jetstream {{ max_file_store: {bytes} }}\n")).unwrap();
    room(&configuration, 4_000);
    let mut world = World::with(Nats::start_configured(&configuration)).await;
    let tally = new_id();
    world.add(tally, &[1; 40]).await;
    let told = || async {
        let report = format!("{:?}", world.health.report());
        (report.contains("takes no events") && report.contains("resource")).then_some(())
    };
    eventually("it is told", told).await;
    room(&configuration, 4_000_000);
    block_in_place(|| world.nats.kill());
    block_in_place(|| world.nats.restart());
    world.holds_the_log().await;
    world.end().await;
}
