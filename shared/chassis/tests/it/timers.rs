use chrono::TimeDelta;
use steward_chassis::{Engine, db::Db};
use steward_testkit::{Kit, db as testdb, eventually, with};

use crate::toy::{Command, Tally, TallyId, Toy, call};

fn engine(t: &Kit) -> Engine {
    Engine::new(Db::connect_lazily(&testdb::config(&t.database), "toy").expect("pools"), t.clock.clone())
}

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
