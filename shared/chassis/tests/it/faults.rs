//! What is promised of commands and of the relay, against a line to the database that breaks or falls silent at each message, and a
//! database that fails at each statement. The README of the chassis names each promise with its test.

use std::time::Duration;

use futures::future::join_all;
use steward_chassis::{Call, CommandKey, Engine, Error, Executed, Result, db::Db};
use steward_testkit::{
    Kit, db as testdb, eventually, under,
    wire::{Mishap, Wire},
    with, with_wires,
};

use crate::toy::{Added, Command, Tally, TallyId, Toy, call, engine};

/// An engine with one connection, over that line; it is open already.
async fn engine_over(t: &Kit, wire: &Wire) -> Engine {
    let mut config = t.database_over(wire);
    config.max_connections = 1;
    let engine = Engine::new(Db::connect_lazily(&config, "toy").unwrap(), t.clock.clone());
    let nobody = engine.load::<Tally>(&call(), TallyId::from(testdb::new_id())).await;
    assert!(nobody.unwrap_err().is_not_found());
    engine
}

fn keyed() -> Call {
    let call = call();
    let key = CommandKey::of_request(&call.actor, &testdb::new_id().to_string(), vec![1]);
    Call { key: Some(key), ..call }
}

async fn add(engine: &Engine, call: &Call, tally: TallyId) -> Result<Executed<Tally>> {
    engine.execute::<Tally>(call, tally, &Command::Add(5), &()).await
}

/// Asks again with the same key until there is an answer, as a caller does.
async fn ask_again(engine: &Engine, call: &Call, tally: TallyId) -> Executed<Tally> {
    eventually("there is an answer", || async {
        let answer = add(engine, call, tally).await;
        assert!(answer.as_ref().err().is_none_or(Error::is_passing), "{answer:?}");
        answer.ok()
    })
    .await
}

/// Lets the mishap happen at each message of a command in turn; how many there were.
async fn at_each_message(t: &Kit, good: &Engine, mishap: Mishap) -> u64 {
    let wire = Wire::to(&testdb::admin_url()).await;
    for passing in 0.. {
        let (engine, call, tally) = (engine_over(t, &wire).await, keyed(), TallyId::from(testdb::new_id()));
        wire.lay(passing, mishap);
        let first = tokio::time::timeout(Duration::from_millis(1500), add(&engine, &call, tally)).await;
        let spared = wire.lift();
        // What keepalives do, only sooner: the server learns that the caller is gone.
        wire.cut();
        wire.mend();
        if let Ok(Err(fault)) = &first {
            assert!(fault.is_passing(), "{mishap:?} after {passing}: {fault}");
        }
        let again = ask_again(good, &call, tally).await;
        assert_eq!((again.state.total, again.version.get()), (5, 1), "{mishap:?} after {passing}");
        assert!(again.replayed || !matches!(first, Ok(Ok(_))), "{mishap:?} after {passing}: told, and not kept");
        if spared {
            return passing;
        }
    }
    unreachable!("a command that has no end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_done_once_wherever_the_line_breaks_or_falls_silent() {
    with::<Toy>(async |t: Kit| {
        let good = engine(&t);
        let tried = join_all(Mishap::ALL.map(|mishap| at_each_message(&t, &good, mishap))).await;
        // BEGIN, the key, the history, the append, the row, COMMIT, each prepared before it is carried out.
        assert!(tried.iter().all(|messages| *messages >= 6), "{tried:?}");
        let commands = i64::try_from(tried.iter().sum::<u64>()).unwrap() + 4;
        for table in ["event", "command_log", "tally"] {
            assert_eq!(t.count("toy", table).await, commands, "{table}");
        }
        assert_eq!(i64::try_from(t.published::<Added>().await.len()).unwrap(), commands);
    })
    .await;
}

#[tokio::test]
async fn a_command_is_done_once_whatever_statement_fails() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        // Serialisation failure, deadlock, statement timeout, session ended for idling, resources run out, server stopped.
        let codes = ["40001", "40P01", "57014", "25P03", "53200", "57P01"];
        // Beside each table the commit, where deferred constraints speak.
        let places = ["command_log", "event", "outbox", "tally", "event DEFERRED"];
        let mut commands = 0;
        for place in places {
            for code in codes {
                let (table, kind) = match place.split_once(' ') {
                    Some((table, _)) => (table, "CONSTRAINT TRIGGER fails AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED"),
                    None => (place, ""),
                };
                let kind = if kind.is_empty() { format!("TRIGGER fails BEFORE INSERT ON {table}") } else { kind.to_owned() };
                let lay = format!(
                    "CREATE SEQUENCE failures; GRANT USAGE ON failures TO PUBLIC;
                     CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql SET search_path = toy AS $$ BEGIN
                         IF nextval('failures') = 1 THEN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END IF; RETURN new; END $$;
                     CREATE {kind} FOR EACH ROW EXECUTE FUNCTION fails()"
                );
                t.execute("toy", &lay).await;
                let (call, tally) = (keyed(), TallyId::from(testdb::new_id()));
                match add(&engine, &call, tally).await {
                    // Decided again on what the other one left.
                    Ok(done) => assert!(code.starts_with("40") && !done.replayed, "{place} {code}"),
                    Err(fault) => assert!(fault.is_passing() && !matches!(fault, Error::Busy), "{place} {code}: {fault}"),
                }
                let again = ask_again(&engine, &call, tally).await;
                assert_eq!((again.state.total, again.version.get()), (5, 1), "{place} {code}");
                t.execute("toy", &format!("DROP TRIGGER fails ON {table}; DROP FUNCTION fails; DROP SEQUENCE failures")).await;
                commands += 1;
            }
        }
        for table in ["event", "command_log", "tally"] {
            assert_eq!(t.count("toy", table).await, commands, "{table}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_published_once_and_in_order_though_the_relays_line_breaks_again_and_again() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires| {
        let engine = engine(&t);
        let tally = TallyId::from(testdb::new_id());
        for round in 0..30 {
            let mishap = if round % 2 == 0 { Mishap::CutBefore } else { Mishap::CutAfter };
            wires.databases["toy"].lay(round / 2, mishap);
            engine.execute::<Tally>(&call(), tally, &Command::Add(1), &()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        wires.databases["toy"].mend();
        let versions = crate::relay::stream(&t).await.remove(&tally.to_string()).unwrap_or_default();
        assert_eq!(versions, (1..=30).collect::<Vec<_>>());
    })
    .await;
}
