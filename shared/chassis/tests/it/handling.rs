//! Attempts to break what the chassis promises about messages and timers (README, "What is promised"): something fails between the
//! moment that a message or timer is claimed and the moment that this is confirmed.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::consumer::PullConsumer;
use chrono::TimeDelta;
use steward_chassis::{Engine, Error, db::Db};
use steward_testkit::{
    Kit, TENANT, db as testdb,
    db::new_id,
    eventually, under,
    wait::within,
    wire::{Mishap, Wire, Wires},
    with, with_wires,
};
use uuid::Uuid;

use crate::{
    inbox::{given, heard, hears, stream},
    toy::{Command, Moment, Tally, TallyId, Toy, call, happens},
};

/// What a wire lets through when something happens to it in a handler.
type Break = fn(&Wires);

/// Has that happen to the lines in the next handling of what is about that tally; they are whole again a moment later.
fn breaks(wires: &Arc<Wires>, tally: Uuid, moment: Moment, what: Break) {
    let wires = Arc::clone(wires);
    happens(tally, 1, moment, move || {
        what(&wires);
        let wires = Arc::clone(&wires);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            database(&wires).mend();
            wires.messages.mend();
        });
        async { Ok(()) }
    });
}

fn database(wires: &Wires) -> &Wire {
    &wires.databases["toy"]
}

/// The ways in which a line to the database breaks.
const BREAKS: [Break; 3] = [
    |wires| database(wires).cut(),
    |wires| database(wires).lay(0, Mishap::CutBefore),
    |wires| database(wires).lay(0, Mishap::CutAfter),
];
/// The moments at which it does.
const MOMENTS: [Moment; 2] = [Moment::Claimed, Moment::Done];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_handled_once_and_in_order_wherever_its_line_to_the_database_breaks() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires: Arc<Wires>| {
        let other = new_id();
        let mut version = 0;
        for moment in MOMENTS {
            for broken in BREAKS {
                let tally = new_id();
                breaks(&wires, tally, moment, broken);
                for (at, previous) in [(1, 0), (2, 1), (3, 2)] {
                    t.publish(TENANT, tally, at, previous, given(tally, at.into())).await;
                }
                version += 1;
                t.publish(TENANT, other, version, version - 1, given(other, version.into())).await;
                hears(&t, tally, "1,2,3").await;
            }
        }
        hears(&t, other, "1,2,3,4,5,6").await;
        assert_eq!(t.count("toy", "dead_letter").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_acknowledgement_is_lost_is_not_handled_again() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires: Arc<Wires>| {
        let tally = new_id();
        breaks(&wires, tally, Moment::Done, |wires| wires.messages.cut());
        t.publish(TENANT, tally, 1, 0, given(tally, 1)).await;
        hears(&t, tally, "1").await;
        t.publish(TENANT, tally, 2, 1, given(tally, 2)).await;
        hears(&t, tally, "1,2").await;
        let consumer: PullConsumer = stream(&t).await.get_consumer("toy--giver").await.unwrap();
        within(Duration::from_secs(60), "it was delivered again and acknowledged", || async {
            let info = consumer.get_info().await.ok()?;
            (info.num_ack_pending == 0 && info.num_pending == 0).then_some(())
        })
        .await;
        assert_eq!(heard(&t, tally).await, "1,2");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_session_the_database_ends_is_handled_once() {
    with::<Toy>(async |t: Kit| {
        let kit = t.clone();
        for moment in MOMENTS {
            let (tally, kit) = (new_id(), kit.clone());
            happens(tally, 2, moment, move || {
                let kit = kit.clone();
                async move {
                    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                               WHERE datname = current_database() AND usename = 'steward_toy' AND state = 'idle in transaction'";
                    kit.execute("toy", end).await;
                    Ok(())
                }
            });
            for (at, previous) in [(1, 0), (2, 1)] {
                t.publish(TENANT, tally, at, previous, given(tally, at.into())).await;
            }
            hears(&t, tally, "1,2").await;
        }
        assert_eq!(t.count("toy", "dead_letter").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_handled_once_when_its_process_ends_in_the_middle_or_its_handler_panics() {
    with::<Toy>(async |t: Kit| {
        let replica = t.replica::<Toy>().await;
        let (ended, panicked) = (new_id(), new_id());
        let dying = replica.clone();
        // Whichever replica has it: the one that dies drops what it is at, the other one fails once.
        happens(ended, 1, Moment::Done, move || {
            let dying = dying.clone();
            async move {
                dying.stop_at_once();
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(Error::Busy)
            }
        });
        happens(panicked, 1, Moment::Done, || async { panic!("in the middle") });
        let publish = async |tally: Uuid| {
            for (at, previous) in [(1, 0), (2, 1)] {
                t.publish(TENANT, tally, at, previous, given(tally, at.into())).await;
            }
        };
        publish(ended).await;
        within(Duration::from_secs(60), "it is handled by the one that is left", || async {
            (heard(&t, ended).await == "1,2").then_some(())
        })
        .await;
        // Only now: what panics in the one that dies may be parked by nobody, and is handled by the other one.
        publish(panicked).await;
        within(Duration::from_secs(60), "what panicked is parked with what follows", || async {
            (t.count("toy", "dead_letter").await == 2).then_some(())
        })
        .await;
        assert_eq!(t.replay_parked::<Toy>().await, (2, 0));
        hears(&t, panicked, "1,2").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_wherever_its_line_to_the_database_breaks() {
    with_wires(&[under::<Toy>()], async |t: Kit, wires: Arc<Wires>| {
        let engine = Engine::new(Db::connect_lazily(&testdb::config(&t.database), "toy").unwrap(), t.clock.clone());
        let mut rung = 0;
        for moment in MOMENTS {
            for broken in BREAKS {
                let id = TallyId::from(new_id());
                breaks(&wires, id.get(), moment, broken);
                let remind = Command::Remind { after: TimeDelta::seconds(1), now: t.clock.now() };
                engine.execute::<Tally>(&call(), id, &remind, &()).await.unwrap();
                t.clock.advance(TimeDelta::seconds(1));
                rung += 1;
                eventually("it has rung", || async {
                    t.clock.advance(TimeDelta::milliseconds(100));
                    (t.count("toy", "timer").await == 0).then_some(())
                })
                .await;
                assert_eq!(t.count("toy", "event WHERE kind = 'rang'").await, rung);
            }
        }
    })
    .await;
}
