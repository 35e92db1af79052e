use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*};
use steward_kernel::{Actor, ActorId, Role, TenantId, replay};
use steward_testkit::given::given;
use uuid::Uuid;

use super::*;

const OWNER: Uuid = Uuid::from_u128(7);
const ESTATE: Uuid = Uuid::from_u128(8);

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn actor(role: Role, resident: Option<Uuid>) -> Actor {
    Actor {
        tenant: TenantId::from(Uuid::nil()),
        id: ActorId::new("a"),
        roles: vec![role],
        estates: None,
        resident: resident.map(Into::into),
    }
}

fn staff() -> Facts {
    facts(actor(Role::Manager, None))
}

fn owner() -> Facts {
    facts(actor(Role::Owner, Some(OWNER)))
}

fn facts(actor: Actor) -> Facts {
    Facts { now: now(), actor, come_back_within: TimeDelta::days(15) }
}

fn id() -> CaseId {
    Uuid::from_u128(1).into()
}

fn text(words: &str) -> Remark {
    Remark::try_new(words).unwrap()
}

fn new() -> Received {
    Received {
        reference: "G-261123-00000".to_owned(),
        category: "ev.charging".to_owned(),
        priority: Priority::P4,
        words: Words::try_new("车棚里多装几个充电桩吧").unwrap(),
        estate_id: ESTATE.into(),
        unit_id: None,
        resident_id: Some(OWNER.into()),
        linked_case_id: None,
        language: Language::ZhHans,
        received_at: now(),
        received_on: now().date_naive(),
        time_zone: "Asia/Shanghai".to_owned(),
        urgent: false,
    }
}

fn received() -> Event {
    Event::Received { suggestion: Box::new(new()) }
}

fn considered() -> Event {
    Event::Considered { note: None, at: now() }
}

fn accepted() -> Event {
    Event::Accepted { reason: text("做"), at: now() }
}

fn plan(by_on: &str) -> Plan {
    Plan { text: Words::try_new("两组").unwrap(), by_on: Some(by_on.parse().unwrap()) }
}

#[test]
fn a_suggestion_is_accepted_planned_delivered_and_confirmed_by_its_proposer() {
    let planned = Event::Planned { plan: plan("2026-12-01"), at: now() };
    let delivered = Event::Delivered { proof: text("已通电"), at: now() };
    given::<Suggestion>(id(), [received(), considered()])
        .when(&Command::Accept { reason: text("做") }, &staff())
        .then([accepted()]);
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Plan(plan("2026-12-01")), &staff())
        .then([planned.clone()]);
    given::<Suggestion>(id(), [received(), considered(), accepted(), planned.clone()])
        .when(&Command::Deliver { proof: text("已通电") }, &staff())
        .then([delivered.clone()]);
    given::<Suggestion>(id(), [received(), considered(), accepted(), planned, delivered])
        .when(&Command::Confirm, &owner())
        .then([Event::Confirmed { at: now() }]);
}

#[test]
fn nothing_is_decided_before_somebody_has_looked_into_it() {
    given::<Suggestion>(id(), [received()])
        .when(&Command::Accept { reason: text("做") }, &staff())
        .refused(Refusal::Illegal { allowed: &["consider"] });
}

#[test]
fn a_second_reason_is_not_lost_in_silence() {
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Accept { reason: text("做") }, &staff())
        .then([]);
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Accept { reason: text("另一个理由") }, &staff())
        .refused(Refusal::Illegal { allowed: &["plan"] });
}

#[test]
fn nobody_plans_for_the_past_and_a_plan_can_change() {
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Plan(plan("2026-11-22")), &staff())
        .refused(Refusal::PlannedForThePast);
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Plan(plan("2999-01-01")), &staff())
        .refused(Refusal::PlannedTooFar);
    // It is the 30th in Shanghai already.
    let morning = Facts { now: "2026-11-29T23:28:00Z".parse().unwrap(), ..staff() };
    given::<Suggestion>(id(), [received(), considered(), accepted()])
        .when(&Command::Plan(plan("2026-11-29")), &morning)
        .refused(Refusal::PlannedForThePast);
    let planned = Event::Planned { plan: plan("2026-12-01"), at: now() };
    given::<Suggestion>(id(), [received(), considered(), accepted(), planned])
        .when(&Command::Plan(plan("2026-12-15")), &staff())
        .then([Event::Planned { plan: plan("2026-12-15"), at: now() }]);
}

#[test]
fn what_others_suggested_does_not_exist_for_an_owner_and_only_the_proposer_confirms() {
    let stranger = Facts { actor: actor(Role::Owner, Some(Uuid::from_u128(9))), ..owner() };
    let elsewhere = Actor { estates: Some(vec![Uuid::from_u128(99).into()]), ..actor(Role::Manager, None) };
    let delivered = || [received(), considered(), accepted(), Event::Delivered { proof: text("有"), at: now() }];
    given::<Suggestion>(id(), delivered()).when(&Command::Confirm, &stranger).refused(Refusal::NoSuchSuggestion);
    given::<Suggestion>(id(), delivered()).when(&Command::Confirm, &staff()).refused(Refusal::NoSuchSuggestion);
    given::<Suggestion>(id(), [received()])
        .when(&Command::Consider { note: None }, &Facts { actor: elsewhere, ..staff() })
        .refused(Refusal::NoSuchSuggestion);
    given::<Suggestion>(id(), []).when(&Command::Confirm, &owner()).refused(Refusal::NoSuchSuggestion);
}

fn reopen() -> Command {
    Command::Reopen { reason: Remark::try_new("还没有装").unwrap() }
}

#[test]
fn who_suggested_it_comes_back_after_any_end_until_the_window_is_over() {
    let decline = Command::Decline { reason: Remark::try_new("没有位置").unwrap() };
    let confirmed = [received(), Event::Delivered { proof: text("有"), at: now() }, Event::Confirmed { at: now() }];
    let declined = [received(), Event::Considered { note: None, at: now() }];
    let declined = replay(Suggestion::unborn(id()), &declined);
    let declined = replay(declined.clone(), &declined.decide(&decline, &staff()).unwrap());
    let confirmed = replay(Suggestion::unborn(id()), &confirmed);
    let withdrawn = after(&[withdraw()]);
    for ended in [declined, confirmed, withdrawn] {
        let in_time = Facts { now: now() + TimeDelta::days(15), ..owner() };
        let back = replay(ended.clone(), &ended.decide(&reopen(), &in_time).unwrap()).life.unwrap();
        assert_eq!((back.stage, back.decided_at, back.confirmed_at), (SuggestionStage::Considered, None, None));
        let late = Facts { now: in_time.now + TimeDelta::seconds(1), ..in_time };
        assert_eq!(ended.decide(&reopen(), &late), Err(Refusal::Word(WordFault::TooLate)));
        assert!(ended.life.as_ref().unwrap().allowed(&late).is_empty(), "what is refused is not offered");
        assert_eq!(ended.decide(&reopen(), &staff()), Err(Refusal::NoSuchSuggestion), "nobody else says so");
    }
}

#[test]
fn a_suggestion_is_as_urgent_as_its_case_at_every_stage() {
    let urgent = Command::Prioritise(Priority::P1);
    for history in [vec![received()], vec![received(), Event::Delivered { proof: text("有"), at: now() }]] {
        given::<Suggestion>(id(), history.clone())
            .when(&urgent, &staff())
            .then([Event::Prioritised { priority: Priority::P1 }]);
        let known = history.into_iter().chain([Event::Prioritised { priority: Priority::P1 }]);
        given::<Suggestion>(id(), known).when(&urgent, &staff()).then([]);
    }
}

fn withdraw() -> Command {
    Command::Withdraw { at: now() }
}

#[test]
fn what_was_called_off_is_withdrawn_wherever_it_stood_unless_who_suggested_it_has_come_back_since() {
    let decline = Command::Decline { reason: Remark::try_new("没有位置").unwrap() };
    let declined = after(&[Command::Consider { note: None }, decline]);
    let withdrawn = replay(declined.clone(), &declined.decide(&withdraw(), &staff()).unwrap());
    assert_eq!(withdrawn.life.unwrap().stage, SuggestionStage::Withdrawn);
    let later = Facts { now: now() + TimeDelta::minutes(5), ..owner() };
    let back = replay(declined.clone(), &declined.decide(&reopen(), &later).unwrap());
    assert_eq!(back.decide(&withdraw(), &staff()), Ok(vec![]), "called off before, heard late");
}

fn any_command() -> impl Strategy<Value = Command> {
    let remark = prop_oneof![Just(text("一")), Just(text("二"))];
    prop_oneof![
        Just(Command::Receive(Box::new(new()))),
        Just(Command::Consider { note: None }),
        remark.clone().prop_map(|reason| Command::Accept { reason }),
        remark.clone().prop_map(|reason| Command::Decline { reason }),
        remark.clone().prop_map(|reason| Command::Defer { reason }),
        prop_oneof![Just("2026-11-01"), Just("2026-12-01"), Just("2026-12-02")]
            .prop_map(|day| Command::Plan(plan(day))),
        remark.prop_map(|proof| Command::Deliver { proof }),
        Just(Command::Confirm),
        Just(reopen()),
        Just(withdraw()),
    ]
}

fn facts_of(command: &Command) -> Facts {
    if matches!(command, Command::Confirm | Command::Reopen { .. }) { owner() } else { staff() }
}

fn after(commands: &[Command]) -> Suggestion {
    commands.iter().fold(replay(Suggestion::unborn(id()), &[received()]), |suggestion, command| {
        let events = suggestion.decide(command, &facts_of(command)).unwrap_or_default();
        replay(suggestion, &events)
    })
}

/// The command as it stands in the API.
fn word(command: &Command) -> Option<&'static str> {
    match command {
        Command::Receive(_) | Command::Prioritise(_) | Command::Withdraw { .. } => None,
        Command::Consider { .. } => Some("consider"),
        Command::Accept { .. } => Some("accept"),
        Command::Decline { .. } => Some("decline"),
        Command::Defer { .. } => Some("later"),
        Command::Plan(_) => Some("plan"),
        Command::Deliver { .. } => Some("deliver"),
        Command::Confirm => Some("confirm"),
        Command::Reopen { .. } => Some("reopen"),
    }
}

proptest! {
    #[test]
    fn repeating_a_command_adds_nothing(history in vec(any_command(), 0..20), command in any_command()) {
        let suggestion = after(&history);
        if let Ok(events) = suggestion.decide(&command, &facts_of(&command)) {
            let again = replay(suggestion, &events).decide(&command, &facts_of(&command));
            prop_assert!(again.is_err() || again.unwrap().is_empty());
        }
    }

    #[test]
    fn what_is_over_stays_over(history in vec(any_command(), 0..30), more in vec(any_command(), 0..10)) {
        let life = after(&history).life.unwrap();
        let ended = life.stage.allowed() == ["reopen"];
        // Its case is called off only as long as that has not ended.
        let more = more.into_iter().filter(|command| ![reopen(), withdraw()].contains(command));
        let all: Vec<Command> = history.into_iter().chain(more).collect();
        prop_assert!(!ended || after(&all).life.unwrap() == life);
    }

    /// What a refusal lists is what is granted, no more and no less.
    #[test]
    fn the_list_of_legal_commands_is_true(history in vec(any_command(), 0..20), command in any_command()) {
        let suggestion = after(&history);
        let stage = suggestion.life.as_ref().unwrap().stage;
        let Some(word) = word(&command) else { return Ok(()) };
        match suggestion.decide(&command, &facts_of(&command)) {
            Ok(events) => prop_assert!(events.is_empty() || stage.allowed().contains(&word), "{stage} {word}"),
            Err(Refusal::Illegal { .. }) => prop_assert!(!stage.allowed().contains(&word), "{stage} {word}"),
            Err(other) => prop_assert_eq!(other, Refusal::PlannedForThePast),
        }
    }

    #[test]
    fn events_survive_storage(history in vec(any_command(), 0..20)) {
        let mut suggestion = replay(Suggestion::unborn(id()), &[received()]);
        for command in &history {
            for event in suggestion.decide(command, &facts_of(command)).unwrap_or_default() {
                let stored = serde_json::to_string(&event).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Event>(&stored).unwrap(), &event);
                suggestion = suggestion.evolve(&event);
            }
        }
        let life = suggestion.life.unwrap();
        prop_assert_eq!(serde_json::from_value::<Life>(serde_json::to_value(&life).unwrap()).unwrap(), life);
    }
}
