//! What a case decides.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Role, TenantId, day,
    ids::{CaseId, EstateId, ResidentId},
    replay,
    text::{Line, Words},
    vocabulary::{CaseKind, CaseStatus, Channel, Language, Priority},
    word::{GivenHow, TakenDown, WordFault, WordNote},
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    Facts,
    case::{Agreed, Case, Command, Effect, Event, Receiver, Refusal, Step, Window},
    opening::{Answering, NewCase},
    timeline::{Milestone, Party},
};

fn id() -> CaseId {
    Uuid::from_u128(1).into()
}

fn estate() -> EstateId {
    Uuid::from_u128(10).into()
}

fn resident() -> ResidentId {
    Uuid::from_u128(20).into()
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T04:00:00Z".parse().unwrap()
}

pub(super) fn actor(roles: &[Role]) -> Actor {
    let resident = roles.contains(&Role::Owner).then(resident);
    let tenant = TenantId::from(Uuid::from_u128(99));
    Actor { tenant, id: ActorId::new("somebody"), roles: roles.to_vec(), estates: None, resident }
}

pub(super) fn facts(roles: &[Role]) -> Facts {
    Facts {
        now: noon(),
        at: noon(),
        actor: actor(roles),
        follow_up_after: TimeDelta::days(3),
        said_back: TimeDelta::days(30),
        come_back_within: TimeDelta::days(15),
        handled: false,
        has_read: false,
    }
}

fn after(minutes: i64) -> Facts {
    Facts { at: noon() + TimeDelta::minutes(minutes), ..facts(&[]) }
}

fn new(kind: CaseKind) -> NewCase {
    NewCase {
        kind,
        category: Some("lift.entrapment".to_owned()),
        priority: None,
        words: Words::try_new("电梯困人").unwrap(),
        channel: Channel::App,
        estate: estate(),
        unit: None,
        resident: None,
        visit: None,
        linked: None,
        files: Vec::new(),
        language: Answering { asked: None, register: None, otherwise: Language::ZhHans },
        said_at: None,
        source_unit: None,
        urgent: false,
        link_is_for_staff: false,
        time_zone: day::HOME,
    }
}

fn open(new: NewCase, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    Case::unborn(id()).decide(&Command::Open(Box::new(new)), facts)
}

pub(super) fn opened(kind: CaseKind) -> Case {
    replay(Case::unborn(id()), &open(new(kind), &facts(&[Role::Owner])).unwrap())
}

fn then(case: &Case, command: &Command, facts: &Facts) -> Case {
    replay(case.clone(), &case.decide(command, facts).unwrap())
}

fn step(milestone: Milestone, status: CaseStatus, stage: &'static str) -> Command {
    Command::Progress(Step::to(milestone, status, stage))
}

pub(super) fn by_phone() -> Option<TakenDown> {
    Some(TakenDown { how: GivenHow::Phone, given_at: None })
}

fn cancel() -> Command {
    Command::Cancel { reason: Line::try_new("自行解决").unwrap(), taken_down: None }
}

#[test]
fn an_owner_opens_a_case_for_the_own_resident() {
    let events = open(new(CaseKind::ServiceRequest), &facts(&[Role::Owner])).unwrap();
    let [Event::Opened { opening }, Event::HandedOver { to: Receiver::Dispatch }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((opening.resident, opening.opened_by), (Some(resident()), Party::Owner));
    // The category says how urgent it is, the kind which letter the reference begins with.
    assert_eq!(opening.priority, Priority::P1);
    assert!(opening.reference.starts_with("S-261123-"), "{}", opening.reference);
}

#[test]
fn a_case_that_breaks_a_rule_is_not_opened() {
    let staff = facts(&[Role::Receptionist]);
    let later = noon() + TimeDelta::hours(1);
    let wrong = |change: fn(&mut NewCase)| {
        let mut wrong = new(CaseKind::Complaint);
        change(&mut wrong);
        wrong
    };
    let foreign = Facts { actor: Actor { estates: Some(Vec::new()), ..staff.actor.clone() }, ..staff.clone() };
    let nobody = Facts { actor: Actor { resident: None, ..actor(&[Role::Owner]) }, ..staff.clone() };
    assert_eq!(open(wrong(|new| new.category = Some("no.such".into())), &staff), Err(Refusal::UnknownCategory));
    assert_eq!(open(NewCase { said_at: Some(later), ..new(CaseKind::Inquiry) }, &staff), Err(Refusal::SaidInFuture));
    assert_eq!(open(new(CaseKind::Inquiry), &foreign), Err(Refusal::UnknownEstate));
    assert_eq!(open(new(CaseKind::Inquiry), &nobody), Err(Refusal::NoResident));
    let other = wrong(|new| new.resident = Some(Uuid::from_u128(21).into()));
    assert_eq!(open(other, &facts(&[Role::Owner])), Err(Refusal::NotTheOwner));
}

#[test]
fn an_owner_says_words_and_wishes_and_not_what_is_for_staff_to_say() {
    let owner = facts(&[Role::Owner]);
    let new = || new(CaseKind::Suggestion);
    let opened = |new| open(new, &owner);
    assert_eq!(opened(NewCase { priority: Some(Priority::P1), ..new() }), Err(Refusal::OwnersPriority));
    for channel in [Channel::Desk, Channel::Phone, Channel::Email] {
        assert_eq!(opened(NewCase { channel, ..new() }), Err(Refusal::OwnersChannel), "{channel}");
    }
    // Neither 1970 nor a moment ago.
    for said_at in [DateTime::UNIX_EPOCH, noon()] {
        assert_eq!(opened(NewCase { said_at: Some(said_at), ..new() }), Err(Refusal::OwnersSaidAt));
    }
    let events = opened(NewCase { urgent: true, category: None, ..new() }).unwrap();
    let Some(Event::Opened { opening }) = events.first() else { panic!("{events:?}") };
    assert_eq!((opening.urgent, opening.priority), (true, Priority::P4), "a wish is shown and moves no priority");
    let by_phone = NewCase { channel: Channel::Phone, priority: Some(Priority::P1), said_at: Some(noon()), ..new() };
    assert!(open(by_phone, &facts(&[Role::Receptionist])).is_ok());
}

#[test]
fn staff_enter_what_was_said_in_the_last_thirty_days_and_who_leads_what_is_older() {
    let said = |before: TimeDelta, role| {
        let said_at = Some(noon() - before);
        open(NewCase { said_at, ..new(CaseKind::Complaint) }, &facts(&[role])).map(|_| ())
    };
    let (bound, second) = (TimeDelta::days(30), TimeDelta::seconds(1));
    for role in [Role::Receptionist, Role::Handler, Role::Integration] {
        assert_eq!(said(bound, role), Ok(()), "{role:?}");
        assert_eq!(said(bound + second, role), Err(Refusal::SaidTooLongAgo { days: 30 }), "{role:?}");
        assert_eq!(said(TimeDelta::minutes(-6), role), Err(Refusal::SaidInFuture), "{role:?}");
        // Clocks differ a little.
        assert_eq!(said(TimeDelta::minutes(-4), role), Ok(()), "{role:?}");
    }
    for role in [Role::Supervisor, Role::Manager, Role::Admin] {
        assert_eq!(said(bound + second, role), Ok(()), "{role:?}");
        assert_eq!(said(TimeDelta::minutes(-6), role), Err(Refusal::SaidInFuture), "{role:?}");
    }
}

#[test]
fn a_reference_has_the_day_of_the_estate() {
    let at = "2026-11-29T23:28:00Z".parse().unwrap();
    let facts = Facts { now: at, at, ..facts(&[Role::Receptionist]) };
    let reference = |time_zone| {
        let events = open(NewCase { time_zone, ..new(CaseKind::Complaint) }, &facts).unwrap();
        let Some(Event::Opened { opening }) = events.first().cloned() else { panic!("{events:?}") };
        opening.reference
    };
    assert!(reference(day::HOME).starts_with("C-261130-"));
    assert!(reference(day::zone("Europe/Lisbon")).starts_with("C-261129-"));
}

#[test]
fn another_plan_or_technician_is_told_and_an_echo_is_not() {
    let told = step(Milestone::PlanTold, CaseStatus::InProgress, "proposed");
    let case = then(&opened(CaseKind::Complaint), &told, &after(1));
    for told in [told, Command::Progress(Step::news(Milestone::TechnicianAssigned))] {
        let case = then(&case, &told, &after(2));
        assert_eq!(case.decide(&told, &after(2)), Ok(vec![]));
        assert_eq!(case.decide(&told, &after(3)).unwrap().len(), 1);
    }
    let agreed = |hours| {
        let from = noon() + TimeDelta::hours(hours);
        let window = Window { from, to: from + TimeDelta::hours(1) };
        Command::Progress(Step {
            agreed: Some(Agreed { window, previous: None }),
            ..Step::news(Milestone::AppointmentSet)
        })
    };
    let visit = then(&case, &agreed(5), &after(3));
    assert_eq!(visit.decide(&agreed(5), &after(4)), Ok(vec![]));
    assert_eq!(visit.decide(&agreed(30), &after(4)).unwrap().len(), 1);
}

#[test]
fn only_its_owner_and_the_staff_of_its_estate_can_call_a_case_off() {
    let case = opened(CaseKind::Complaint);
    let stranger = Actor { resident: Some(Uuid::from_u128(21).into()), ..actor(&[Role::Owner]) };
    let elsewhere = Actor { estates: Some(vec![Uuid::from_u128(11).into()]), ..actor(&[Role::Handler]) };
    for actor in [stranger, elsewhere] {
        let facts = Facts { actor, ..facts(&[]) };
        assert_eq!(case.decide(&cancel(), &facts), Err(Refusal::NoSuchCase));
    }
    let cancelled = then(&case, &cancel(), &facts(&[Role::Owner]));
    assert_eq!((cancelled.status, cancelled.allowed()), (CaseStatus::Cancelled, vec![]));
    assert_eq!(cancelled.decide(&cancel(), &facts(&[Role::Owner])), Ok(vec![]));
    // The echo of it, from the service that stopped its work, changes nothing.
    assert_eq!(
        cancelled.decide(&step(Milestone::Withdrawn, CaseStatus::Cancelled, "withdrawn"), &after(1)),
        Ok(vec![])
    );
}

#[test]
fn what_is_resolved_cannot_be_called_off() {
    let case =
        then(&opened(CaseKind::ServiceRequest), &step(Milestone::WorkDone, CaseStatus::Resolved, "done"), &after(1));
    assert_eq!(case.decide(&cancel(), &facts(&[Role::Receptionist])), Err(Refusal::Ended));
}

#[test]
fn the_owners_word_is_taken_down_where_it_is_known_who_has_handled_the_matter() {
    let on_word = Command::Cancel { reason: Line::try_new("不用了").unwrap(), taken_down: by_phone() };
    let desk = facts(&[Role::Receptionist]);
    for kind in [CaseKind::Complaint, CaseKind::ServiceRequest, CaseKind::Suggestion] {
        let case = opened(kind);
        assert!(case.decide(&on_word, &desk).is_ok(), "nobody has taken it up");
        let taken_up = then(&case, &step(Milestone::Acknowledged, CaseStatus::InProgress, "acknowledged"), &after(1));
        assert_eq!(taken_up.decide(&on_word, &desk), Err(Refusal::TakenDownElsewhere));
        assert!(taken_up.decide(&cancel(), &desk).is_ok(), "the company calls off by itself");
    }
    let inquiry = opened(CaseKind::Inquiry);
    assert!(inquiry.decide(&on_word, &desk).is_ok(), "who has answered an inquiry is known here");
}

#[test]
fn news_that_comes_late_is_told_but_does_not_turn_the_case_back() {
    let done = step(Milestone::RemedyDone, CaseStatus::Resolved, "remedying");
    let case = then(&opened(CaseKind::Complaint), &done, &after(10));
    let more = Command::Progress(Step::new(Milestone::RemedyStarted, Effect::MoreWork("remedying")));
    assert_eq!(then(&case, &more, &after(5)).status, CaseStatus::Resolved);
    let in_time = then(&case, &more, &after(11));
    assert_eq!(in_time.status, CaseStatus::InProgress);
    let on_the_way = then(&in_time, &Command::Progress(Step::news(Milestone::TechnicianOnTheWay)), &after(12));
    assert_eq!((on_the_way.status, on_the_way.stage.as_str()), (CaseStatus::InProgress, "remedying"));
}

#[test]
fn a_case_that_waited_for_its_owner_goes_on_where_it_stood() {
    let routed =
        then(&opened(CaseKind::ServiceRequest), &step(Milestone::Routed, CaseStatus::InProgress, "routed"), &after(1));
    let asked = step(Milestone::InfoRequested, CaseStatus::AwaitingOwner, "needs_info");
    let waiting = then(&routed, &asked, &after(2));
    assert_eq!(waiting.status, CaseStatus::AwaitingOwner);
    let told = Command::Progress(Step::new(Milestone::InfoProvided, Effect::Resumed));
    let resumed = then(&waiting, &told, &after(3));
    assert_eq!((resumed.status, resumed.stage.as_str()), (CaseStatus::InProgress, "routed"));
}

#[test]
fn the_owners_word_alone_reopens_a_closed_case() {
    let case = then(&opened(CaseKind::Inquiry), &step(Milestone::Closed, CaseStatus::Closed, "closed"), &after(1));
    let busy = step(Milestone::Acknowledged, CaseStatus::InProgress, "acknowledged");
    assert_eq!(case.decide(&busy, &after(2)), Ok(vec![]));
    let thanks = then(&case, &Command::Progress(Step::news(Milestone::SurveyAnswered)), &after(2));
    assert_eq!(thanks.status, CaseStatus::Closed);
    let again = then(&case, &step(Milestone::Reopened, CaseStatus::InProgress, "reopened"), &after(3));
    assert_eq!(again.status, CaseStatus::InProgress);
}

#[test]
fn each_rating_is_told_once() {
    let thanks = Command::Progress(Step::news(Milestone::SurveyAnswered));
    let once = then(&opened(CaseKind::Inquiry), &thanks, &after(1));
    assert_eq!(once.decide(&thanks, &after(1)), Ok(vec![]));
    assert_eq!(once.decide(&thanks, &after(2)).unwrap().len(), 1);
}

#[test]
fn what_is_heard_after_the_end_is_told_when_it_happened_before_it_and_is_no_other_end() {
    let told = |case: &Case, command: &Command, at: i64| {
        let after_it = then(case, command, &after(at));
        assert_eq!((after_it.status, &after_it.stage), (case.status, &case.stage), "it moves nothing");
        case.decide(command, &after(at)).unwrap().len()
    };
    let request = opened(CaseKind::ServiceRequest);
    let closed = then(&request, &step(Milestone::Closed, CaseStatus::Closed, "closed"), &after(10));
    let cancelled = then(&request, &cancel(), &after(10));
    for case in [&closed, &cancelled] {
        let news = Command::Progress(Step::news(Milestone::TechnicianOnSite));
        assert_eq!((told(case, &news, 9), told(case, &news, 11)), (1, 0), "{}", case.status);
        let busy = step(Milestone::ServiceConfirmed, CaseStatus::InProgress, "confirmed");
        assert_eq!((told(case, &busy, 9), told(case, &busy, 11)), (1, 0), "{}", case.status);
        let declined = step(Milestone::Declined, CaseStatus::Closed, "declined");
        assert_eq!((told(case, &declined, 9), told(case, &declined, 11)), (0, 0), "{}", case.status);
    }
    // Its owner may come back on it: then it must be known what it is about.
    let category = Some("noise.neighbour".to_owned());
    let assessed = Step { category, ..Step::to(Milestone::Assessed, CaseStatus::InProgress, "assessed") };
    let known = then(&cancelled, &Command::Progress(assessed), &after(11));
    assert_eq!((known.status, known.category.as_str()), (CaseStatus::Cancelled, "noise.neighbour"));
    let rated = Command::Progress(Step::news(Milestone::SurveyAnswered));
    assert_eq!((told(&closed, &rated, 11), told(&cancelled, &rated, 11)), (1, 0));
    // Who was asked a moment before it was closed was asked; of what was called off nobody is.
    // Whoever was asked after an earlier end, too, is asked after each.
    let asked = then(&closed, &Command::AskSatisfaction, &after(11));
    assert!(asked.satisfaction_asked);
    let again = |minutes| asked.decide(&Command::AskSatisfaction, &after(minutes)).unwrap().len();
    assert_eq!((again(11), again(12)), (0, 1));
    assert_eq!(cancelled.decide(&Command::AskSatisfaction, &after(11)), Ok(vec![]));
    for end in [Milestone::Verified, Milestone::Confirmed, Milestone::Closed] {
        assert_eq!(told(&cancelled, &step(end, CaseStatus::Closed, "closed"), 9), 0, "{end}");
    }
}

#[test]
fn whoever_calls_a_case_off_is_named_as_what_they_are() {
    let case = opened(CaseKind::Complaint);
    let by = |command: &Command, facts: &Facts| match &case.decide(command, facts)?[..] {
        [Event::Cancelled { by, taken_down, .. }] => Ok((*by, taken_down.is_some())),
        other => panic!("{other:?}"),
    };
    let desk = facts(&[Role::Receptionist]);
    let on_word = Command::Cancel { reason: Line::try_new("不用了").unwrap(), taken_down: by_phone() };
    assert_eq!(by(&cancel(), &facts(&[Role::Owner])), Ok((Party::Owner, false)));
    assert_eq!(by(&cancel(), &desk), Ok((Party::Staff, false)));
    assert_eq!(by(&on_word, &desk), Ok((Party::Staff, true)));
    assert_eq!(by(&on_word, &Facts { handled: true, ..desk }), Err(Refusal::Word(WordFault::Handled)));
    assert_eq!(by(&on_word, &facts(&[Role::Owner])), Err(Refusal::Word(WordFault::OwnersOwn)));
}

#[test]
fn the_owners_word_reopens_what_was_called_off_before_and_nothing_else_does() {
    let cancelled = then(&opened(CaseKind::Complaint), &cancel(), &after(10));
    let back = step(Milestone::Reopened, CaseStatus::InProgress, "received");
    assert_eq!(cancelled.decide(&back, &after(9)), Ok(vec![]));
    assert_eq!(then(&cancelled, &back, &after(11)).status, CaseStatus::InProgress);
    let rework = step(Milestone::Rework, CaseStatus::InProgress, "in_work");
    assert_eq!(then(&cancelled, &rework, &after(11)).status, CaseStatus::InProgress);
    let busy = step(Milestone::Acknowledged, CaseStatus::InProgress, "acknowledged");
    assert_eq!(cancelled.decide(&busy, &after(11)), Ok(vec![]));
}

#[test]
fn what_staff_took_down_is_told_as_that_and_the_owners_own_word_after_it_too() {
    let note = WordNote { how: GivenHow::Phone, given_at: noon(), by: Some(ActorId::new("desk-1")) };
    let taken = Step::to(Milestone::Confirmed, CaseStatus::Resolved, "verified").given(Some(note.clone()));
    let case = opened(CaseKind::Complaint);
    let events = case.decide(&Command::Progress(taken), &after(1)).unwrap();
    let [Event::Progressed { by, taken_down, human, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*by, taken_down, *human), (Some(Party::Staff), &Some(note), false));
    let closed = then(&replay(case, &events), &step(Milestone::Closed, CaseStatus::Closed, "closed"), &after(2));
    let own = Command::Progress(Step::to(Milestone::Confirmed, CaseStatus::Resolved, "verified").given(None));
    let again = then(&closed, &own, &after(3));
    assert_eq!((again.status, again.stage.as_str()), (CaseStatus::Closed, "closed"));
    assert_eq!(closed.decide(&own, &after(3)).unwrap().len(), 1);
    let text = Milestone::Confirmed.taken_down_text(GivenHow::Phone, Language::ZhHans);
    assert_eq!(text, "工作人员根据您的来电代您记录：您已确认解决");
}

#[test]
fn steps_that_were_recorded_without_who_took_them_are_still_read() {
    let event: Event = serde_json::from_str(
        r#"{"kind":"progressed","milestone":"confirmed","status":"resolved","stage":"verified","human":false,"at":"2026-11-23T04:00:00Z"}"#,
    )
    .unwrap();
    let cancelled: Event = serde_json::from_str(r#"{"kind":"cancelled","reason":"x","by":"owner"}"#).unwrap();
    let case = replay(opened(CaseKind::Complaint), &[event, cancelled]);
    assert_eq!(case.status, CaseStatus::Cancelled);
}

#[test]
fn an_assessment_reclassifies() {
    let seen =
        Step { category: Some("noise".into()), ..Step::to(Milestone::Assessed, CaseStatus::InProgress, "assessed") };
    let case = then(&opened(CaseKind::Complaint), &Command::Progress(seen), &after(1));
    assert_eq!(case.category, "noise");
}

#[test]
fn nothing_can_be_asked_of_a_case_that_was_never_opened() {
    for command in [cancel(), Command::AskSatisfaction, Command::Link { case: id() }] {
        given::<Case>(id(), []).when(&command, &facts(&[])).refused(Refusal::NoSuchCase);
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let statuses = proptest::sample::select(CaseStatus::ALL);
    let milestones = proptest::sample::select(Milestone::ALL);
    let stages = proptest::sample::select(vec!["received", "in_work", "done"]);
    let effects = prop_oneof![
        Just(Effect::Told),
        Just(Effect::Resumed),
        Just(Effect::MoreWork("in_work")),
        (statuses.clone(), stages.clone()).prop_map(|(status, stage)| Effect::To(status, stage)),
    ];
    prop_oneof![
        4 => (milestones, effects).prop_map(|(milestone, effect)| Command::Progress(Step::new(milestone, effect))),
        1 => (statuses, stages).prop_map(|(status, stage)| Command::Move { status, stage }),
        1 => (0..3_u128).prop_map(|n| Command::Link { case: Uuid::from_u128(n).into() }),
        1 => Just(Command::AskSatisfaction),
        1 => Just(cancel()),
        1 => Just(Command::Open(Box::new(new(CaseKind::Complaint)))),
    ]
}

fn any_kind() -> impl Strategy<Value = CaseKind> {
    proptest::sample::select(CaseKind::ALL)
}

proptest! {
    /// Whatever is asked, in whatever order: a case that was called off stays so but for the owner's word, and asking never
    /// panics.
    #[test]
    fn a_cancelled_case_stays_cancelled(
        kind in any_kind(), commands in prop::collection::vec((any_command(), -5..5_i64), 0..40),
    ) {
        let mut case = then(&opened(kind), &cancel(), &facts(&[Role::Owner]));
        let comes_back = |command: &Command| matches!(command, Command::Progress(step) if step.milestone.begins_anew());
        for (command, minutes) in commands.iter().filter(|(command, _)| !comes_back(command)) {
            if let Ok(events) = case.decide(command, &after(*minutes)) {
                case = replay(case, &events);
            }
            prop_assert_eq!(case.status, CaseStatus::Cancelled);
        }
    }

    /// Doing the same thing twice in a row never records more than doing it once.
    #[test]
    fn repeating_a_command_adds_nothing(
        kind in any_kind(), history in prop::collection::vec((any_command(), -5..5_i64), 0..20),
        command in any_command(), at in -5..5_i64,
    ) {
        let mut case = opened(kind);
        for (earlier, minutes) in &history {
            if let Ok(events) = case.decide(earlier, &after(*minutes)) {
                case = replay(case, &events);
            }
        }
        if let Ok(events) = case.decide(&command, &after(at)) {
            let again = replay(case, &events).decide(&command, &after(at));
            prop_assert!(again.is_err() || again.as_ref().unwrap().is_empty(), "{:?}", again);
        }
    }

    /// What is stored can be read again.
    #[test]
    fn events_survive_json(kind in any_kind(), commands in prop::collection::vec(any_command(), 0..10)) {
        let mut case = opened(kind);
        for command in &commands {
            for event in case.decide(command, &after(1)).unwrap_or_default() {
                let text = serde_json::to_string(&event).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), &event);
                case = case.evolve(&event);
            }
        }
    }
}

#[test]
fn every_step_has_a_text_in_every_language() {
    for milestone in Milestone::ALL {
        let texts = Language::ALL.iter().map(|language| milestone.text(*language)).collect::<Vec<_>>();
        assert!(texts.iter().all(|text| !text.is_empty()), "{milestone}");
        assert!(texts[2].is_ascii() && !texts[0].is_ascii() && !texts[1].is_ascii(), "{milestone}");
    }
}

#[test]
fn a_withdrawal_and_a_closing_that_were_taken_down_become_the_owners_own() {
    let note = WordNote { how: GivenHow::Phone, given_at: facts(&[Role::Owner]).now, by: None };
    for (milestone, status, stage) in
        [(Milestone::Withdrawn, CaseStatus::Cancelled, "withdrawn"), (Milestone::Closed, CaseStatus::Closed, "closed")]
    {
        let given = |taken_down| Command::Progress(Step::to(milestone, status, stage).given(taken_down));
        let staffs = then(&opened(CaseKind::Complaint), &given(Some(note.clone())), &after(1));
        // What is told in between takes nothing away.
        let staffs = then(&staffs, &Command::Progress(Step::news(Milestone::SurveyAnswered)), &after(1));
        let staffs = then(&staffs, &Command::Progress(Step::news(Milestone::TechnicianOnSite)), &after(0));
        let told = staffs.decide(&given(None), &after(2)).unwrap();
        let [Event::Progressed { by, taken_down: None, .. }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(by.unwrap_or(milestone.by()), Party::Owner, "{milestone}");
        let owners = replay(staffs, &told);
        assert_eq!((owners.status, owners.stage.as_str()), (status, stage));
        // Nothing takes the place of the owner's own word.
        for again in [given(None), given(Some(note.clone()))] {
            assert_eq!(owners.decide(&again, &after(3)), Ok(vec![]), "{milestone}");
        }
    }
}

#[test]
fn a_case_that_staff_called_off_on_the_owners_word_becomes_the_owners_own_doing() {
    let of = |role| facts(&[role]);
    let case = opened(CaseKind::ServiceRequest);
    let reason = || Line::try_new("自行解决").unwrap();
    let taken_down = Command::Cancel { reason: reason(), taken_down: by_phone() };
    let staffs = then(&case, &taken_down, &facts(&[Role::Receptionist]));
    let events = staffs.decide(&cancel(), &of(Role::Owner)).unwrap();
    assert!(matches!(&events[..], [Event::Cancelled { by: Party::Owner, taken_down: None, .. }]), "{events:?}");
    let owners = replay(staffs.clone(), &events);
    for (case, facts) in [(&owners, of(Role::Owner)), (&staffs, facts(&[Role::Receptionist]))] {
        assert_eq!(case.decide(&cancel(), &facts), Ok(vec![]));
    }
}
