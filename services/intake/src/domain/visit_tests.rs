//! What a visit decides.

use chrono::TimeDelta;
use proptest::prelude::*;
use steward_kernel::{Aggregate as _, Role, replay};
use uuid::Uuid;

use super::{
    Facts, VisitId,
    case_tests::facts,
    visit::{Arrival, Command, Event, Refusal, Visit, VisitStage},
};

fn at(minutes: i64) -> Facts {
    let facts = facts(&[Role::Receptionist]);
    Facts { now: facts.now + TimeDelta::minutes(minutes), ..facts }
}

fn arrival() -> Box<Arrival> {
    Box::new(Arrival { estate: Uuid::from_u128(10).into(), resident: None, purpose: None, queue_number: 7 })
}

fn arrived() -> Visit {
    let id = VisitId::from(Uuid::from_u128(1));
    replay(Visit::unborn(id), &[Event::Arrived { arrival: arrival(), at: at(0).now }])
}

fn after(commands: &[(Command, i64)]) -> Visit {
    commands.iter().fold(arrived(), |visit, (command, minutes)| {
        let events = visit.decide(command, &at(*minutes)).unwrap();
        replay(visit, &events)
    })
}

#[test]
fn waiting_and_serving_are_measured() {
    let visit = after(&[(Command::Call, 4), (Command::Serve, 5), (Command::Finish, 12)]);
    assert_eq!((visit.waited_seconds(), visit.served_seconds()), (240, 420));
    let left = after(&[(Command::Leave, 9)]);
    assert_eq!((left.waited_seconds(), left.served_seconds()), (540, 0));
}

#[test]
fn nobody_is_served_before_being_called() {
    let refused = Refusal::NotNow { allowed: vec!["call", "leave"] };
    assert_eq!(arrived().decide(&Command::Serve, &at(1)), Err(refused));
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Call),
        Just(Command::Serve),
        Just(Command::Finish),
        Just(Command::Leave),
        Just(Command::Arrive(arrival())),
    ]
}

proptest! {
    /// A visit that ended stays as it ended, repeating adds nothing, and asking never panics.
    #[test]
    fn the_end_is_the_end(commands in prop::collection::vec(any_command(), 0..30)) {
        let mut visit = arrived();
        for command in &commands {
            let before = visit.stage;
            if let Ok(events) = visit.decide(command, &at(1)) {
                visit = replay(visit, &events);
                let again = visit.decide(command, &at(2));
                prop_assert_eq!(again, Ok(vec![]));
            }
            if matches!(before, VisitStage::Finished | VisitStage::Left) {
                prop_assert_eq!(visit.stage, before);
            }
        }
    }
}
