//! What is decided about one aggregate because of how another one stands.

use steward_chassis::Work;
use steward_testkit::{Kit, db::new_id, with};

use crate::toy::{Command, Tally, TallyId, Toy, call, engine};

/// What a transaction does with the tally that it looks at.
#[derive(Clone, Copy)]
enum Look {
    Finds,
    FindsTwice,
    ChangesNothing,
}

async fn looks(work: &mut Work, at: TallyId, how: Look) -> steward_chassis::Result<i64> {
    match how {
        Look::Finds | Look::FindsTwice => Ok(work.find::<Tally>(at).await?.map_or(0, |tally| tally.total)),
        Look::ChangesNothing => Ok(work.execute::<Tally>(at, &Command::Add(0), &()).await?.state.total),
    }
}

#[tokio::test]
async fn what_was_read_and_not_changed_is_as_it_was_read_or_all_of_it_is_done_again() {
    with::<Toy>(async |t: Kit| {
        let (engine, call) = (engine(&t), call());
        for how in [Look::Finds, Look::FindsTwice, Look::ChangesNothing] {
            let (one, other) = (TallyId::from(new_id()), TallyId::from(new_id()));
            engine.execute::<Tally>(&call, one, &Command::Add(5), &()).await.unwrap();
            let mut attempts = 0;
            let copied = engine.transact(&call, |work| {
                attempts += 1;
                let is_first = attempts == 1;
                let (engine, call) = (engine.clone(), call.clone());
                Box::pin(async move {
                    let total = looks(work, one, how).await?;
                    if is_first {
                        engine.execute::<Tally>(&call, one, &Command::Add(2), &()).await?;
                    }
                    if matches!(how, Look::FindsTwice) {
                        looks(work, one, how).await?;
                    }
                    Ok(work.execute::<Tally>(other, &Command::Add(total), &()).await?.state.total)
                })
            });
            assert_eq!(copied.await.unwrap(), 7);
            assert_eq!(engine.load::<Tally>(&call, other).await.unwrap().state.total, 7);
        }
    })
    .await;
}

#[tokio::test]
async fn who_only_looks_is_not_asked_to_look_again() {
    with::<Toy>(async |t: Kit| {
        let (engine, call) = (engine(&t), call());
        let one = TallyId::from(new_id());
        engine.execute::<Tally>(&call, one, &Command::Add(5), &()).await.unwrap();
        let mut work = engine.begin(&call).await.unwrap();
        let _ = work.find::<Tally>(one).await.unwrap();
        engine.execute::<Tally>(&call, one, &Command::Add(2), &()).await.unwrap();
        work.commit().await.unwrap();
    })
    .await;
}
