//! What the database does to us: it goes away with a word or without one, it is slow, it takes a table for itself.

use std::time::{Duration, Instant};

use futures::{FutureExt as _, future::join_all};
use serde_json::json;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use steward_chassis::{
    Error,
    db::{Db, migrate_within},
    lifecycle::State,
};
use steward_kernel::Role;
use steward_testkit::{Kit, db as testdb, eventually, under, wait::within, wire::Wire, with, with_wires};
use uuid::Uuid;

use crate::toy::{Command, Given, Tally, TallyId, Toy, call, engine};

/// How soon all goes on after a failover that nobody was told of: the old leader's lease is the longest of what is waited for.
const SOON: Duration = Duration::from_secs(60);

/// From here on, whoever brings a tally to 13 takes a minute.
async fn thirteen_is_slow(t: &Kit) {
    t.execute(
        "toy",
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF new.total = 13 THEN PERFORM pg_sleep(60); END IF; RETURN new; END $$;
         CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON tally FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    .await;
}

/// Sessions of the service of which that is true.
async fn sessions(t: &Kit, which: &str) -> i64 {
    let query = format!(
        "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'steward%' AND {which}"
    );
    t.text("toy", &query).await.unwrap().parse().unwrap()
}

async fn add(t: &Kit, tally: Uuid, amount: i64) -> u16 {
    t.client(Role::Handler).post(&format!("/v1/tallies/{tally}/add"), json!({"amount": amount})).send().await.status
}

/// How a part of the service is, and what it says about that.
async fn part_of(t: &Kit, part: &str) -> (String, String) {
    let health: serde_json::Value = serde_json::from_str(&t.nobody().get("/health").send().await.text()).unwrap();
    let parts = health["services"][0]["parts"].as_array().unwrap().clone();
    let part = parts.into_iter().find(|one| one["name"] == part).unwrap_or_default();
    let word = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
    (word("status"), word("note"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_moves_without_a_word_is_found_again_within_seconds() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires| {
        // Every connection of both pools is open and idle.
        join_all((0..8).map(|_| add(&t, testdb::new_id(), 1))).await;
        t.relayed().await;
        wires.databases["toy"].silence();
        let silent = Instant::now();
        assert_eq!(add(&t, testdb::new_id(), 2).await, 200);
        assert!(silent.elapsed() < Duration::from_secs(14), "the first request took {:?}", silent.elapsed());
        let found = Instant::now();
        assert_eq!(join_all((0..8).map(|_| add(&t, testdb::new_id(), 2))).await, [200; 8]);
        assert!(found.elapsed() < Duration::from_secs(10), "the next ones took {:?}", found.elapsed());

        let (heard, remind) = (testdb::new_id(), testdb::new_id());
        t.publish(steward_testkit::TENANT, heard, 1, 0, Given { tally: heard, amount: 7 }).await;
        let due = Command::Remind { after: chrono::TimeDelta::zero(), now: t.clock.now() };
        engine(&t).execute::<Tally>(&call(), TallyId::from(remind), &due, &()).await.unwrap();
        within(SOON, "a message is heard", || async { (t.count("toy", "heard").await == 1).then_some(()) }).await;
        within(SOON, "a timer fires", || async { (t.count("toy", "timer").await == 0).then_some(()) }).await;
        within(SOON, "events are published", || async { (t.count("toy", "outbox").await == 0).then_some(()) }).await;
        assert!(silent.elapsed() < SOON, "{:?}", silent.elapsed());
        let ready = || async { (t.nobody().get("/ready").send().await.status == 200).then_some(()) };
        eventually("it is ready", ready).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_without_a_word_shows_within_seconds() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires| {
        assert_eq!(add(&t, testdb::new_id(), 1).await, 200);
        t.relayed().await;
        wires.databases["toy"].silence_all();
        let patience = Duration::from_secs(30);
        let ready = async || t.nobody().get("/ready").send().await;
        within(patience, "it is not ready", || async { (ready().await.status == 503).then_some(()) }).await;
        for part in ["database", "relay", "timers"] {
            within(patience, "health tells", || async { (part_of(&t, part).await.0 != "ok").then_some(()) }).await;
        }
        wires.databases["toy"].mend();
        within(patience, "it is ready again", || async { (ready().await.status == 200).then_some(()) }).await;
        within(SOON, "a request is served", || async { (add(&t, testdb::new_id(), 1).await == 200).then_some(()) })
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_machine_is_gone_loses_the_lead_and_the_others_say_so_before() {
    with::<Toy>(async |t: Kit| {
        let wire = Wire::to(&testdb::admin_url()).await;
        // Every replica asks for the lead twice a second: the one over the wire gets it when the first one's session ends.
        let lost = t.replica_with::<Toy>(|core| core.database = t.database_over(&wire)).await;
        let note = |health: &steward_chassis::lifecycle::Health| {
            let parts = health.report().parts;
            parts.into_iter().find(|part| part.name == "relay").map(|part| (part.status, part.note))
        };
        let leader = "SELECT max(pid)::text FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        eventually("the one over the wire leads", || async {
            if note(&lost.health) == Some((State::Ok, String::new())) {
                return Some(());
            }
            let pid = t.text("toy", leader).await?;
            t.execute("toy", &format!("SELECT pg_terminate_backend({pid})")).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            None
        })
        .await;
        wire.silence_all();
        let gone = Instant::now();
        engine(&t).execute::<Tally>(&call(), TallyId::from(testdb::new_id()), &Command::Add(1), &()).await.unwrap();
        t.clock.advance(chrono::TimeDelta::minutes(1));
        within(Duration::from_secs(30), "another replica tells that nobody publishes", || async {
            part_of(&t, "relay").await.1.contains("does not publish").then_some(())
        })
        .await;
        within(SOON, "another replica publishes", || async { (t.count("toy", "outbox").await == 0).then_some(()) })
            .await;
        assert!(gone.elapsed() < SOON, "{:?}", gone.elapsed());
        lost.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_server_is_told_to_notice_when_we_are_gone() {
    with::<Toy>(async |t: Kit| {
        let names = [
            "tcp_keepalives_idle",
            "tcp_keepalives_interval",
            "tcp_keepalives_count",
            "tcp_user_timeout",
            "client_connection_check_interval",
            "idle_in_transaction_session_timeout",
        ];
        let db = Db::connect_lazily(&testdb::config(&t.database), "toy").unwrap();
        for pool in [&db.app, &db.platform] {
            let mut told = Vec::new();
            for name in names {
                let show = AssertSqlSafe(format!("SHOW {name}"));
                told.push(sqlx::query_scalar::<_, String>(show).fetch_one(pool).await.unwrap());
            }
            assert_eq!(told, ["10", "5", "3", "20000", "2s", "1min"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_ends_in_the_database_too() {
    with::<Toy>(async |t: Kit| {
        thirteen_is_slow(&t).await;
        let hurried = t
            .replica_with::<Toy>(|core| {
                core.http.request_timeout = Duration::from_secs(2);
                core.database.max_connections = 2;
            })
            .await;
        let client = t.client_at(&hurried, Role::Handler);
        let add = async |amount: i64| {
            let path = format!("/v1/tallies/{}/add", testdb::new_id());
            client.post(&path, json!({"amount": amount})).send().await
        };
        let begun = Instant::now();
        for answer in join_all((0..4).map(|_| add(13))).await {
            assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{answer:?}");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(add(1).await.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
        assert_eq!(
            sessions(&t, "state = 'active' AND query NOT LIKE '%pg_stat_activity%' AND wait_event = 'PgSleep'").await,
            0
        );
        hurried.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_hang_up_take_no_connection_away() {
    with::<Toy>(async |t: Kit| {
        thirteen_is_slow(&t).await;
        let begun = Instant::now();
        for _ in 0..3 {
            let impatient =
                (0..8).map(|_| tokio::time::timeout(Duration::from_millis(300), add(&t, testdb::new_id(), 13)));
            assert!(join_all(impatient).await.iter().all(Result::is_err));
        }
        assert_eq!(add(&t, testdb::new_id(), 1).await, 200);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        eventually("the database has stopped, too", || async {
            (sessions(&t, "wait_event = 'PgSleep'").await == 0).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_while_a_transaction_begins_leaves_none_open() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        let commands = || async {
            let tally = TallyId::from(testdb::new_id());
            engine.execute::<Tally>(&call(), tally, &Command::Add(1), &()).await.unwrap();
        };
        join_all((0..8).map(|_| commands())).await;
        let (mut gone, mut tried) = (0, 0);
        while gone <= 50 {
            // Sends BEGIN and goes away before the answer. On a machine with nothing else to do that is often there at once.
            gone += usize::from(engine.begin(&call()).now_or_never().is_none());
            tried += 1;
            assert!(tried < 5_000, "{gone} of {tried} went away");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(sessions(&t, "state LIKE 'idle in transaction%'").await, 0);
        assert!(sessions(&t, "application_name = 'steward-toy'").await > 0, "the connections are kept");
        commands().await;
    })
    .await;
}

#[tokio::test]
async fn what_passes_by_itself_is_told_from_what_does_not() {
    let mut connection = PgConnection::connect(&testdb::admin_url()).await.unwrap();
    let mut told = async |code: &str| {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$");
        let fault = sqlx::raw_sql(AssertSqlSafe(raise)).execute(&mut connection).await.unwrap_err();
        Error::from(fault)
    };
    for code in ["55P03", "40001", "40P01"] {
        assert!(matches!(told(code).await, Error::Busy), "{code}");
    }
    assert!(matches!(told("57014").await, Error::TimedOut));
    let away = [
        "08000", "08003", "08006", "08P01", "25006", "25P03", "25P04", "28000", "28P01", "53100", "53200", "53300",
        "53400", "57P01", "57P02", "57P03", "57P04", "57P05", "58030",
    ];
    for code in away {
        let fault = told(code).await;
        assert!(matches!(fault, Error::Unavailable { .. }) && fault.is_passing(), "{code}: {fault}");
    }
    for code in ["23505", "42P01", "42501", "22003", "XX000", "58000"] {
        assert!(matches!(told(code).await, Error::Internal { .. }), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_lets_others_pass_while_it_waits_for_a_table() {
    with::<Toy>(async |t: Kit| {
        let more = |version| {
            let own = <Toy as steward_chassis::Service>::migrator().iter().cloned();
            let sql = format!("ALTER TABLE tally ADD COLUMN more_{version} integer");
            let new =
                Migration::new(version, "more".into(), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false);
            Migrator::with_migrations(own.chain([new]).collect())
        };
        let owner = || testdb::url(&testdb::admin_url(), "steward_toy_owner", &t.database).parse().unwrap();
        let mut holder =
            PgConnection::connect(&testdb::url(&testdb::admin_url(), "postgres", &t.database)).await.unwrap();
        sqlx::raw_sql("SET application_name = 'a long export'; BEGIN; LOCK TABLE toy.tally IN ACCESS SHARE MODE")
            .execute(&mut holder)
            .await
            .unwrap();
        let refused = migrate_within(Duration::from_secs(6), owner(), "toy", &more(29_990_101_000_000)).await;
        let told = format!("{:#}", refused.unwrap_err());
        assert!(told.contains("held by others") && told.contains("a long export"), "{told}");

        let (own, owner) = (more(29_990_101_000_000), owner());
        let migration = tokio::spawn(async move { migrate_within(Duration::from_secs(60), owner, "toy", &own).await });
        let mut longest = Duration::ZERO;
        for _ in 0..40 {
            let begun = Instant::now();
            assert_eq!(add(&t, testdb::new_id(), 1).await, 200);
            longest = longest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(longest < Duration::from_secs(10), "{longest:?}");
        holder.close().await.unwrap();
        migration.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_the_change_feeds_back_is_named() {
    with::<Toy>(async |t: Kit| {
        let mut holder =
            PgConnection::connect(&testdb::url(&testdb::admin_url(), "steward_toy", &t.database)).await.unwrap();
        let open = "SET application_name = 'somebody''s report'; BEGIN; SELECT pg_current_xact_id()";
        sqlx::raw_sql(open).execute(&mut holder).await.unwrap();
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await.unwrap();
        let told = eventually("it is told", || async {
            add(&t, testdb::new_id(), 1).await;
            t.clock.advance(chrono::TimeDelta::seconds(30));
            tokio::time::sleep(Duration::from_millis(500)).await;
            let (status, note) = part_of(&t, "change_feeds").await;
            (status == "degraded").then_some(note)
        })
        .await;
        assert!(told.contains(&format!("pid {pid} ")) && told.contains("somebody's report"), "{told}");
        sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
        eventually("it is well", || async { (part_of(&t, "change_feeds").await.0 == "ok").then_some(()) }).await;
    })
    .await;
}
