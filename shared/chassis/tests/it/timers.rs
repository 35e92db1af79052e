use chrono::TimeDelta;
use steward_chassis::{Engine, Error};
use steward_testkit::{Kit, db as testdb, eventually, with};

use crate::toy::{Command, Tally, TallyId, Toy, call, engine, fails};

async fn rung(t: &Kit) -> i64 {
    t.count("toy", "event WHERE kind = 'rang'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_when_due_and_exactly_once_whatever_the_number_of_replicas() {
    with::<Toy>(async |t: Kit| {
        let replicas: Vec<_> = (0..3).map(|_| t.replica::<Toy>()).collect();
        let replicas = futures::future::join_all(replicas).await;
        let engine = engine(&t);
        for _ in 0..40 {
            let remind = Command::Remind { after: TimeDelta::hours(3), now: t.clock.now() };
            engine.execute::<Tally>(&call(), TallyId::from(testdb::new_id()), &remind, &()).await.expect("set");
        }
        assert_eq!(rung(&t).await, 0);
        assert_eq!(t.count("toy", "timer").await, 40);
        t.clock.advance(TimeDelta::hours(3));
        eventually("all have rung", || async { (t.count("toy", "timer").await == 0).then_some(()) }).await;
        assert_eq!(rung(&t).await, 40);
        for replica in replicas {
            replica.stop();
            replica.drained().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_timer_set_again_is_put_off() {
    with::<Toy>(async |t: Kit| {
        let (engine, id) = (engine(&t), TallyId::from(testdb::new_id()));
        for hours in [1, 5] {
            let remind = Command::Remind { after: TimeDelta::hours(hours), now: t.clock.now() };
            engine.execute::<Tally>(&call(), id, &remind, &()).await.expect("set");
        }
        t.clock.advance(TimeDelta::hours(2));
        // Another timer, due at the same time, shows that the loop has looked.
        let other = TallyId::from(testdb::new_id());
        let now = Command::Remind { after: TimeDelta::zero(), now: t.clock.now() };
        engine.execute::<Tally>(&call(), other, &now, &()).await.expect("set");
        eventually("the other one has rung", || async { (rung(&t).await == 1).then_some(()) }).await;
        assert_eq!(t.count("toy", "timer").await, 1);
        t.clock.advance(TimeDelta::hours(3));
        eventually("it has rung", || async { (rung(&t).await == 2).then_some(()) }).await;
    })
    .await;
}

/// Sets a timer of a new tally for that many seconds from now.
async fn remind(t: &Kit, engine: &Engine, seconds: i64) -> TallyId {
    let id = TallyId::from(testdb::new_id());
    let remind = Command::Remind { after: TimeDelta::seconds(seconds), now: t.clock.now() };
    engine.execute::<Tally>(&call(), id, &remind, &()).await.expect("set");
    id
}

#[tokio::test]
async fn a_timer_whose_handler_panics_is_put_off_and_silences_no_other() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        let poisoned = remind(&t, &engine, 1).await;
        fails(poisoned.get(), 1, || panic!("a name"));
        for seconds in 2..12 {
            remind(&t, &engine, seconds).await;
        }
        t.clock.advance(TimeDelta::seconds(20));
        eventually("the others have rung", || async { (rung(&t).await == 10).then_some(()) }).await;
        let put_off = t.text("toy", "SELECT attempts::text FROM timer").await;
        assert_eq!(put_off.as_deref(), Some("1"));
        t.clock.advance(TimeDelta::seconds(20));
        eventually("it has rung", || async { (rung(&t).await == 11).then_some(()) }).await;
    })
    .await;
}

#[tokio::test]
async fn a_timer_that_takes_long_holds_up_no_other() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        let slow = remind(&t, &engine, 1).await;
        // Somebody works on the same tally for longer than a timer may be late.
        let mut other = engine.begin(&call()).await.expect("begin");
        other.execute::<Tally>(slow, &Command::Add(1), &()).await.expect("add");
        t.clock.advance(TimeDelta::seconds(2));
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let started = std::time::Instant::now();
        for _ in 0..20 {
            remind(&t, &engine, 0).await;
        }
        eventually("the others have rung", || async { (rung(&t).await == 20).then_some(()) }).await;
        // It is in the way for ten seconds.
        assert!(started.elapsed() < std::time::Duration::from_secs(6), "{:?}", started.elapsed());
        other.commit().await.expect("commit");
        eventually("it has rung", || async {
            t.clock.advance(TimeDelta::seconds(1));
            (rung(&t).await == 21).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_timer_of_an_unknown_kind_is_left_to_the_version_that_knows_it() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        remind(&t, &engine, 1).await;
        t.execute("toy", "UPDATE timer SET name = 'gong'").await;
        t.clock.advance(TimeDelta::seconds(2));
        remind(&t, &engine, 0).await;
        eventually("the known one has rung", || async { (rung(&t).await == 1).then_some(()) }).await;
        let left = t.text("toy", "SELECT name || ' ' || attempts FROM timer").await;
        assert_eq!(left.as_deref(), Some("gong 0"));
    })
    .await;
}

#[tokio::test]
async fn a_timer_whose_work_was_in_somebodys_way_is_tried_again_after_a_second() {
    with::<Toy>(async |t: Kit| {
        let engine = engine(&t);
        let id = remind(&t, &engine, 1).await;
        fails(id.get(), 6, || Error::Unavailable { what: "database", cause: "away".into() });
        eventually("it has rung", || async {
            t.clock.advance(TimeDelta::seconds(1));
            let attempts = t.text("toy", "SELECT max(attempts)::text FROM timer").await;
            assert!(attempts.is_none_or(|attempts| attempts == "0"), "it is put off for longer and longer");
            (rung(&t).await == 1).then_some(())
        })
        .await;
    })
    .await;
}
