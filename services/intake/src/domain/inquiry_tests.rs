//! What an inquiry decides.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use steward_kernel::{
    Actor, Aggregate as _, Role,
    call_back::CALL_BACK_DAYS,
    ids::{CaseId, ResidentId},
    replay,
    text::{Line, Words},
    vocabulary::CaseStatus,
    word::WordFault,
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    case::Effect,
    case_tests::{actor, by_phone, facts},
    inquiry::{Answer, CallResult, Command, Event, Inquiry, InquiryStage, Question, Refusal},
    timeline::Party,
};

fn id() -> CaseId {
    Uuid::from_u128(1).into()
}

fn owner() -> ResidentId {
    Uuid::from_u128(20).into()
}

fn question() -> Box<Question> {
    Box::new(Question {
        reference: "Q-261123-000000".into(),
        estate: Uuid::from_u128(10).into(),
        resident: Some(owner()),
        words: Words::try_new("装修要办什么手续？").unwrap(),
        asked_at: facts(&[]).now,
    })
}

fn answer(important: bool) -> Command {
    let text = Some(Words::try_new("提前三天登记").unwrap());
    Command::Answer(Box::new(Answer { text, article: None, important, written_reply: false }))
}

fn call(result: CallResult) -> Command {
    call_on(23, result)
}

/// A call on that day of November.
fn call_on(day: u32, result: CallResult) -> Command {
    Command::FollowUp { result, note: None, on: NaiveDate::from_ymd_opt(2026, 11, day).unwrap() }
}

fn reopen() -> Command {
    Command::Reopen { reason: Line::try_new("没答清楚").unwrap(), taken_down: by_phone() }
}

fn close() -> Command {
    Command::Close { taken_down: by_phone() }
}

/// The same words, given by the owner.
fn own(command: Command) -> Command {
    match command {
        Command::Close { .. } => Command::Close { taken_down: None },
        Command::Reopen { reason, .. } => Command::Reopen { reason, taken_down: None },
        other => other,
    }
}

fn after(commands: &[Command]) -> Inquiry {
    let asked = replay(Inquiry::unborn(id()), &[Event::Asked { question: question() }]);
    commands.iter().fold(asked, |inquiry, command| {
        let events = inquiry.decide(command, &facts(&[Role::Receptionist])).unwrap();
        replay(inquiry, &events)
    })
}

#[test]
fn an_ordinary_answer_may_be_closed_at_once() {
    let inquiry = after(&[answer(false), close()]);
    assert_eq!(inquiry.stage, InquiryStage::Closed);
    assert_eq!(inquiry.step().map(|step| step.effect), Some(Effect::To(CaseStatus::Closed, "closed")));
}

#[test]
fn an_important_one_is_closed_only_after_the_call_back() {
    let answered = after(&[answer(true)]);
    assert_eq!(answered.follow_up_at, Some(facts(&[]).now + TimeDelta::days(3)));
    let due = after(&[answer(true), Command::FallDue]);
    let refused = Refusal::NotNow { allowed: vec!["follow-up", "reopen"] };
    assert_eq!(due.decide(&close(), &facts(&[Role::Receptionist])), Err(refused));
    let called = after(&[answer(true), Command::FallDue, call(CallResult::Reached)]);
    assert_eq!((called.stage, called.allowed()), (InquiryStage::FollowedUp, vec!["close", "reopen"]));
}

#[test]
fn calls_on_three_days_that_reach_nobody_close() {
    let mut commands = vec![answer(true), Command::FallDue];
    commands.extend([23, 23, 23, 24, 24].map(|day| call_on(day, CallResult::NotReached)));
    let tried = after(&commands);
    assert_eq!((tried.stage, tried.calls.missed(), tried.calls.missed_days()), (InquiryStage::FollowUpDue, 5, 2));
    commands.push(call_on(26, CallResult::NotReached));
    let ended = after(&commands);
    assert_eq!((ended.stage, ended.calls.missed_days()), (InquiryStage::Closed, CALL_BACK_DAYS));
    // Answered again after it was asked again, the days are counted from none.
    commands.extend([reopen(), answer(true), call_on(27, CallResult::NotReached)]);
    assert_eq!(after(&commands).calls.missed_days(), 1);
}

#[test]
fn calls_of_which_no_day_was_written_down_count_each() {
    let missed = |json: &str| serde_json::from_str::<Event>(json).unwrap();
    let old = missed(r#"{"kind":"call_missed","note":null}"#);
    assert_eq!(old, Event::CallMissed { note: None, on: None });
    let inquiry = replay(after(&[answer(true)]), &[old.clone(), old]);
    assert_eq!(inquiry.calls.missed_days(), 2);
    let last = inquiry.decide(&call_on(23, CallResult::NotReached), &facts(&[Role::Receptionist])).unwrap();
    assert_eq!(replay(inquiry, &last).stage, InquiryStage::Closed);
}

#[test]
fn an_answer_needs_words_or_an_article() {
    let empty = Answer { text: None, article: None, important: false, written_reply: false };
    given::<Inquiry>(id(), [Event::Asked { question: question() }])
        .when(&Command::Answer(Box::new(empty)), &facts(&[Role::Handler]))
        .refused(Refusal::EmptyAnswer);
}

#[test]
fn asking_again_forgets_the_call_back() {
    let again = after(&[answer(true), reopen()]);
    assert_eq!((again.stage, again.follow_up_at), (InquiryStage::Reopened, None));
    // A timer that was already under way finds nothing to do.
    assert_eq!(again.decide(&Command::FallDue, &facts(&[])), Ok(vec![]));
    assert_eq!(after(&[answer(true), reopen(), answer(false), close()]).stage, InquiryStage::Closed);
}

#[test]
fn another_owner_sees_no_inquiry() {
    let stranger = Actor { resident: Some(Uuid::from_u128(21).into()), ..actor(&[Role::Owner]) };
    let facts = super::Facts { actor: stranger, ..facts(&[]) };
    assert_eq!(after(&[answer(false)]).decide(&close(), &facts), Err(Refusal::NoSuchInquiry));
}

#[test]
fn closing_and_asking_again_are_the_owners_words() {
    let answered = after(&[answer(false)]);
    for word in [close(), reopen()] {
        let desk = facts(&[Role::Receptionist]);
        assert_eq!(answered.decide(&own(word.clone()), &desk), Err(Refusal::Word(WordFault::HowMissing)));
        let handled = super::Facts { handled: true, ..desk };
        assert_eq!(answered.decide(&word, &handled), Err(Refusal::Word(WordFault::Handled)));
        assert_eq!(answered.decide(&word, &facts(&[Role::Owner])), Err(Refusal::Word(WordFault::OwnersOwn)));
    }
    let step = |commands: &[Command]| after(commands).step().unwrap();
    let taken_down = step(&[answer(false), close()]);
    assert_eq!((taken_down.by, taken_down.taken_down.is_some()), (Party::Staff, true));
    let events = answered.decide(&own(close()), &facts(&[Role::Owner])).unwrap();
    let closed = replay(answered, &events).step().unwrap();
    assert_eq!((closed.by, closed.taken_down), (Party::Owner, None));
    let vain = [answer(true), call_on(23, CallResult::NotReached), call_on(24, CallResult::NotReached)];
    let vain = [&vain[..], &[call_on(25, CallResult::NotReached)]].concat();
    assert_eq!(step(&vain).by, Party::System);
}

#[test]
fn an_owner_who_needs_nothing_more_is_not_called_back() {
    let waiting = after(&[answer(true)]);
    let events = waiting.decide(&own(close()), &facts(&[Role::Owner])).unwrap();
    let closed = replay(waiting, &events);
    assert_eq!((closed.stage, closed.follow_up_at), (InquiryStage::Closed, None));
}

#[test]
fn an_owner_comes_back_after_any_end_until_the_window_is_over() {
    for history in [vec![answer(false), close()], vec![Command::Cancel]] {
        let ended = after(&history);
        let mut owner = facts(&[Role::Owner]);
        owner.now += TimeDelta::days(15);
        let back = replay(ended.clone(), &ended.decide(&own(reopen()), &owner).unwrap());
        assert_eq!((back.stage, back.step().unwrap().by), (InquiryStage::Reopened, Party::Owner));
        owner.now += TimeDelta::seconds(1);
        assert_eq!(ended.decide(&own(reopen()), &owner), Err(Refusal::Word(WordFault::TooLate)));
    }
}

#[test]
fn words_that_were_recorded_without_who_gave_them_are_still_read() {
    let read = |json: &str| serde_json::from_str::<Event>(json).unwrap();
    let closed = replay(after(&[answer(false)]), &[read(r#"{"kind":"closed"}"#)]);
    assert_eq!((closed.stage, closed.step().unwrap().by), (InquiryStage::Closed, Party::System));
    assert_eq!(closed.ended_at, closed.answered_at);
    let again = replay(closed, &[read(r#"{"kind":"reopened","reason":"x"}"#), read(r#"{"kind":"cancelled"}"#)]);
    assert_eq!(again.stage, InquiryStage::Cancelled);
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        any::<bool>().prop_map(answer),
        Just(Command::FallDue),
        Just(call(CallResult::Reached)),
        Just(call(CallResult::NotReached)),
        Just(close()),
        Just(reopen()),
        Just(Command::Cancel),
        Just(Command::Ask(question())),
    ]
}

proptest! {
    /// Whatever is asked, in whatever order: what is refused names the legal commands, and those are then granted.
    #[test]
    fn what_is_allowed_is_granted(commands in prop::collection::vec(any_command(), 0..30)) {
        let mut inquiry = after(&[]);
        for command in &commands {
            match inquiry.decide(command, &facts(&[Role::Receptionist])) {
                Ok(events) => inquiry = replay(inquiry, &events),
                Err(Refusal::NotNow { allowed }) => prop_assert_eq!(allowed, inquiry.allowed()),
                Err(_) => {}
            }
            for word in inquiry.allowed() {
                let command = match word {
                    "answer" => answer(false),
                    "follow-up" => call(CallResult::Reached),
                    "close" => close(),
                    _ => reopen(),
                };
                let granted = inquiry.decide(&command, &facts(&[Role::Receptionist]));
                prop_assert!(granted.is_ok(), "{} at {}", word, inquiry.stage);
            }
        }
    }

    /// Doing the same thing twice in a row never records more than doing it once; calls are counted each.
    #[test]
    fn repeating_a_command_adds_nothing(
        history in prop::collection::vec(any_command(), 0..20), command in any_command(),
    ) {
        let mut inquiry = after(&[]);
        for earlier in &history {
            if let Ok(events) = inquiry.decide(earlier, &facts(&[])) {
                inquiry = replay(inquiry, &events);
            }
        }
        prop_assume!(!matches!(command, Command::FollowUp { result: CallResult::NotReached, .. }));
        if let Ok(events) = inquiry.decide(&command, &facts(&[])) {
            let again = replay(inquiry, &events).decide(&command, &facts(&[]));
            prop_assert!(again.is_err() || again.as_ref().unwrap().is_empty(), "{:?}", again);
        }
    }
}
