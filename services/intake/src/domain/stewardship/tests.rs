use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};
use steward_clock::{
    Calendar, CalendarRules, Holidays, Hours, Level, Measure, Party, Pin, Policies, Timetable, clock::ClockState,
};
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Role,
    ids::{CaseId, EstateId, ResidentId, TenantId, WorkOrderId},
    replay,
    text::{Line, Text},
    vocabulary::{CaseKind, CaseStatus, Language, Priority},
    word::GivenHow,
};
use uuid::Uuid;

use super::*;
use crate::domain::ruling::{People, Ruling};

const ZONE: &str = "Asia/Shanghai";

fn at(text: &str) -> DateTime<Utc> {
    // Local time of the estate; 2026-11-23 is a Monday.
    format!("2026-{text}:00+08:00").parse().unwrap()
}

fn text(raw: &str) -> Line {
    Text::try_new(raw).unwrap()
}

fn ruling() -> Ruling {
    let people = People {
        posts: BTreeMap::from([
            ((Level::Lead, "engineering".to_owned()), "lead-engineering".to_owned()),
            ((Level::Lead, String::new()), "lead-desk".to_owned()),
            ((Level::EstateManager, String::new()), "manager".to_owned()),
            ((Level::Company, String::new()), "company".to_owned()),
        ]),
        register: Vec::new(),
        receivers: vec!["desk-1".to_owned(), "desk-2".to_owned()],
    };
    Ruling {
        policies: Policies::default(),
        time_zone: ZONE.to_owned(),
        calendars: Arc::default(),
        holidays: 0,
        people: Arc::new(people),
        covers: Arc::default(),
    }
}

static OFFICE: LazyLock<Arc<Calendar>> = LazyLock::new(|| {
    let day = serde_json::json!([{ "from": "09:00", "to": "18:00" }]);
    let week = serde_json::json!({ "monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day });
    let rules: CalendarRules =
        serde_json::from_value(serde_json::json!({ "week": week, "public_holidays": "cn" })).unwrap();
    Arc::new(Calendar::compile(&rules, Holidays::shipped(), ZONE.parse().unwrap()))
});

fn facts_of(now: DateTime<Utc>, account: &str, role: Role) -> Facts {
    let ruling = ruling();
    let always = Arc::new(Calendar::day_and_night(ZONE.parse().unwrap()));
    let timetable =
        Timetable::default().with(ruling.pin(Hours::Estate, None), Arc::clone(&OFFICE)).with(Pin::always(ZONE), always);
    let mut actor = Actor::service(TenantId::from(Uuid::from_u128(1)), account);
    actor.id = ActorId::new(account);
    actor.roles = vec![role];
    Facts { now, at: now, actor, ruling, timetable, appointment_grace: TimeDelta::minutes(30) }
}

/// What the system itself knows at that time.
fn system(now: DateTime<Utc>) -> Facts {
    let mut facts = facts_of(now, "intake", Role::Handler);
    facts.actor.roles.clear();
    facts
}

fn matter(kind: CaseKind, priority: Priority, said_at: DateTime<Utc>) -> Matter {
    Matter {
        reference: "S-261123-7K3QD4".to_owned(),
        kind,
        category: "home.fixture".to_owned(),
        priority,
        estate: EstateId::from(Uuid::from_u128(7)),
        unit: None,
        resident: Some(ResidentId::from(Uuid::from_u128(8))),
        language: Language::ZhHans,
        register_language: None,
        said_at,
        opened_at: said_at,
    }
}

/// A stewardship under test, with all events it has had.
struct Story {
    state: Stewardship,
    events: Vec<Event>,
}

impl Story {
    fn of(matter: Matter) -> Self {
        let opened_at = matter.opened_at;
        let mut story = Self { state: Stewardship::unborn(CaseId::from(Uuid::from_u128(9))), events: Vec::new() };
        let begin = Command::Begin { matter: Box::new(matter), receiver: None, adopted: false, archived: false };
        story.does(&begin, &system(opened_at));
        story
    }

    fn of_archive(matter: Matter) -> Self {
        let opened_at = matter.opened_at;
        let mut story = Self { state: Stewardship::unborn(CaseId::from(Uuid::from_u128(9))), events: Vec::new() };
        let begin = Command::Begin { matter: Box::new(matter), receiver: None, adopted: false, archived: true };
        story.does(&begin, &system(opened_at));
        story
    }

    fn does(&mut self, command: &Command, facts: &Facts) {
        let events = self.state.decide(command, facts).unwrap_or_else(|refusal| panic!("{command:?}: {refusal:?}"));
        self.state = replay(self.state.clone(), &events);
        self.events.extend(events);
    }

    fn at(&mut self, time: &str, command: &Command) {
        self.does(command, &system(at(time)));
    }

    fn follow(&mut self, time: &str, milestone: Milestone) {
        self.at(time, &follow(milestone, true));
    }

    fn order(&mut self, time: &str, step: WorkStep) {
        self.order_of(time, "engineering", step);
    }

    fn order_of(&mut self, time: &str, department: &str, step: WorkStep) {
        self.at(time, &Command::Work { heard: heard_of(department, step), rests: None });
    }

    /// Looks whenever something is due, as the timer does, until then.
    fn wait_until(&mut self, time: &str) {
        self.wait_until_at(at(time));
    }

    fn wait_until_at(&mut self, time: DateTime<Utc>) {
        while let Some(next) = self.state.next_at.filter(|next| *next <= time) {
            self.does(&Command::Look, &system(next));
        }
    }

    fn clock(&self, measure: Measure) -> &KeptClock {
        self.clock_of(measure, Party::Company)
    }

    fn clock_of(&self, measure: Measure, party: Party) -> &KeptClock {
        let last = self.state.clocks.iter().rev().find(|kept| kept.measure == measure && kept.party == party);
        last.unwrap_or_else(|| panic!("no clock {measure} of {party}"))
    }

    fn due(&self, measure: Measure) -> DateTime<Utc> {
        self.clock(measure).due.due_at.unwrap()
    }

    fn outcome(&self, measure: Measure) -> Option<Outcome> {
        self.clock(measure).outcome
    }

    fn rungs(&self, clock_id: Uuid) -> Vec<(u32, Level, DateTime<Utc>)> {
        let of_clock = self.state.escalations.iter().filter(|known| known.clock_id == Some(clock_id));
        of_clock.map(|known| (known.rung, known.level, known.at)).collect()
    }

    fn causes(&self) -> Vec<(Cause, Level)> {
        let climbs = self.state.escalations.iter().filter(|known| known.climb_id.is_some());
        climbs.map(|known| (known.cause, known.level)).collect()
    }
}

fn heard_of(department: &str, step: WorkStep) -> HeardOfOrder {
    let order = WorkOrderId::from(Uuid::from_u128(30));
    HeardOfOrder { order, department: department.to_owned(), contractor: false, step, told: None }
}

fn follow(milestone: Milestone, call_back: bool) -> Command {
    use {CaseStatus as S, Milestone as M};
    let status = match milestone {
        M::AwaitingOwner | M::InfoRequested => S::AwaitingOwner,
        M::Decided | M::Answered | M::WorkDone | M::FollowedUp | M::Confirmed | M::Verified => S::Resolved,
        M::Closed => S::Closed,
        M::Cancelled | M::Withdrawn => S::Cancelled,
        _ => S::InProgress,
    };
    Command::Follow { milestone, status, call_back }
}

/// What is known when it is heard later than it happened.
fn heard(happened: &str, now: &str) -> Facts {
    Facts { at: at(happened), ..system(at(now)) }
}

fn window(from: &str, until: &str) -> Command {
    Command::Appoint { from: Some(at(from)), until: at(until) }
}

fn request(priority: Priority, time: &str) -> Story {
    Story::of(matter(CaseKind::ServiceRequest, priority, at(time)))
}

fn complaint(time: &str) -> Story {
    Story::of(matter(CaseKind::Complaint, Priority::P3, at(time)))
}

#[test]
fn every_kind_has_the_clocks_of_its_targets() {
    let measures = |story: &Story| story.state.clocks.iter().map(|kept| kept.measure).collect::<Vec<_>>();
    use Measure as M;
    let time = at("11-23T10:00");
    let kinds = |kind, priority| measures(&Story::of(matter(kind, priority, time)));
    assert_eq!(kinds(CaseKind::Inquiry, Priority::P4), [M::Acknowledge, M::Finish]);
    assert_eq!(kinds(CaseKind::Complaint, Priority::P3), [M::Acknowledge, M::Plan, M::Decide]);
    assert_eq!(kinds(CaseKind::Suggestion, Priority::P4), [M::Acknowledge, M::Decide]);
    assert_eq!(kinds(CaseKind::ServiceRequest, Priority::P3), [M::Acknowledge, M::Finish]);
    assert_eq!(kinds(CaseKind::ServiceRequest, Priority::P1), [M::Acknowledge, M::Arrive, M::MakeSafe, M::Finish]);
}

// Torture 11 (chatwoot#12058, #7679).
#[test]
fn the_first_answer_is_a_persons_and_after_a_reopening_it_is_measured_from_there() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:05", Milestone::Received);
    assert_eq!(story.outcome(Measure::Acknowledge), None, "an automatic receipt is no answer");
    story.follow("11-23T10:30", Milestone::ServiceConfirmed);
    assert_eq!(story.outcome(Measure::Acknowledge), Some(Outcome::Met));
    story.follow("11-24T10:00", Milestone::WorkDone);
    story.follow("11-25T11:00", Milestone::Rework);
    assert_eq!(story.state.episode, 2);
    assert_eq!(story.clock(Measure::Acknowledge).clock.started_at(), Some(at("11-25T11:00")));
    assert_eq!(story.due(Measure::Acknowledge), at("11-25T13:00"));
    assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead)], "what was reopened stands first");
}

// Torture 8 (glpi#1911).
#[test]
fn a_transfer_leaves_the_owners_clock_and_starts_the_departments_afresh() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:00", WorkStep::Opened);
    let owners = story.due(Measure::Finish);
    story.order_of("11-23T11:30", "cleaning", WorkStep::Transferred);
    assert_eq!(story.due(Measure::Finish), owners);
    let cleaning = story.clock_of(Measure::Acknowledge, Party::Department);
    assert_eq!(cleaning.department.as_deref(), Some("cleaning"));
    assert_eq!(cleaning.due.due_at, Some(at("11-23T13:30")), "two hours from the transfer");
    let former = story.state.clocks.iter().filter(|kept| kept.department.as_deref() == Some("engineering"));
    assert!(former.clone().count() > 0 && former.into_iter().all(|kept| kept.outcome == Some(Outcome::Void)));
}

// Torture 18 (osTicket#3979).
#[test]
fn a_case_that_staff_opened_has_the_same_clocks_as_one_of_the_owners() {
    let matter = matter(CaseKind::ServiceRequest, Priority::P2, at("11-23T10:00"));
    let begun = |receiver: Option<&str>| {
        let begin = Command::Begin {
            matter: Box::new(matter.clone()),
            receiver: receiver.map(str::to_owned),
            adopted: false,
            archived: false,
        };
        let mut story = Story { state: Stewardship::unborn(CaseId::from(Uuid::from_u128(9))), events: Vec::new() };
        story.does(&begin, &system(matter.opened_at));
        story.state
    };
    let (owners, staffs) = (begun(None), begun(Some("desk-9")));
    assert_eq!(owners.clocks, staffs.clocks);
    assert_eq!(staffs.accountable.account(), Some("desk-9"), "who received it first answers for it");
    assert!(["desk-1", "desk-2"].contains(&owners.accountable.account().unwrap()));
}

// Torture 7 (glpi#6902, #15605).
#[test]
fn a_priority_that_is_raised_while_paused_keeps_the_pauses() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:10", Milestone::InfoRequested);
    let before = story.clock(Measure::Finish).clock.pauses.clone();
    assert_eq!(before.len(), 1);
    story.at("11-23T12:00", &Command::Prioritise(Priority::P2));
    assert_eq!(story.clock(Measure::Finish).clock.pauses, before);
    story.follow("11-23T14:10", Milestone::InfoProvided);
    // 24 hours on the wall from 10:00, and the four that it waited for its owner.
    assert_eq!(story.due(Measure::Finish), at("11-24T14:00"));
    assert_eq!(story.due(Measure::Arrive), at("11-23T13:00"), "a new target starts when it is set");
}

// Torture 9 and 22.
#[test]
fn a_pause_ends_by_itself_at_its_cap_says_so_and_stands_first() {
    let mut story = complaint("11-23T10:00");
    story.follow("11-23T10:30", Milestone::Acknowledged);
    story.follow("11-23T11:00", Milestone::AwaitingOwner);
    assert!(story.clock(Measure::Decide).due.paused);
    story.wait_until("11-30T10:59");
    assert_eq!(story.clock(Measure::Decide).breached_at, None, "what is paused is not overdue");
    assert!(!story.events.iter().any(|event| matches!(event, Event::PauseRanOut { .. })));
    story.wait_until("11-30T11:01");
    let ran_out = story.events.iter().filter(|event| matches!(event, Event::PauseRanOut { .. }));
    assert_eq!(ran_out.count(), 1);
    assert!(!story.clock(Measure::Decide).due.paused);
    assert_eq!(story.due(Measure::Decide), at("12-07T10:00"), "seven days, and the seven it was paused");
    assert_eq!(story.causes(), [(Cause::LongPaused, Level::Lead)]);
}

// Torture 23.
#[test]
fn a_paper_form_brought_in_too_late_is_overdue_on_arrival_and_marked() {
    let mut matter = matter(CaseKind::ServiceRequest, Priority::P3, at("11-19T10:00"));
    matter.opened_at = at("11-23T10:00");
    let story = Story::of(matter);
    let clock = story.clock(Measure::Acknowledge);
    assert!(clock.late_entry);
    assert_eq!(clock.breached_at, Some(at("11-19T12:00")));
    // The rungs that it missed are not made up for: all its clocks have one voice.
    assert_eq!(story.rungs(clock.clock_id).len(), 0);
    assert_eq!(story.causes(), [(Cause::LateEntry, Level::Lead)]);
}

#[test]
fn what_was_entered_late_climbs_by_time_until_somebody_takes_it_up() {
    let mut matter = matter(CaseKind::ServiceRequest, Priority::P1, at("11-23T09:00"));
    matter.opened_at = at("11-23T10:00");
    let mut story = Story::of(matter);
    let late = |story: &Story| story.causes().into_iter().filter(|(cause, _)| *cause == Cause::LateEntry).count();
    assert_eq!(late(&story), 1, "{:?}", story.causes());
    story.wait_until("11-23T10:11");
    assert_eq!(late(&story), 2);
    story.follow("11-23T10:12", Milestone::ServiceConfirmed);
    story.wait_until("11-23T12:00");
    assert_eq!(late(&story), 2);
}

#[test]
fn what_comes_from_the_archive_is_told_once() {
    let mut matter = matter(CaseKind::ServiceRequest, Priority::P3, at("10-01T10:00"));
    matter.opened_at = at("11-23T10:00");
    let mut story = Story::of_archive(matter);
    story.wait_until("12-10T10:00");
    assert_eq!(story.causes(), [(Cause::LateEntry, Level::Lead)]);
    assert_eq!(story.state.escalations.len(), 1);
}

#[test]
fn each_rung_is_reached_once_at_its_share_of_the_clock() {
    let mut story = request(Priority::P2, "11-23T10:00");
    let id = story.clock(Measure::Acknowledge).clock_id;
    story.wait_until("11-23T18:00");
    let expected = [
        (1, Level::Worker, "11-23T10:07:30"),
        (2, Level::Lead, "11-23T10:12:00"),
        (3, Level::EstateManager, "11-23T10:15:00"),
        (4, Level::Region, "11-23T10:22:30"),
    ];
    let expected = expected.map(|(rung, level, time)| (rung, level, format!("2026-{time}+08:00").parse().unwrap()));
    assert_eq!(story.rungs(id), expected);
    // Nobody is on the post of the region: the company is told.
    let told =
        |rung| story.state.escalations.iter().find(|e| e.clock_id == Some(id) && e.rung == rung).unwrap().told.clone();
    assert_eq!(told(4), ["company"]);
    assert_eq!(told(2), ["lead-desk"]);
    for _ in 0..3 {
        story.at("11-23T18:00", &Command::Look);
    }
    assert_eq!(story.rungs(id).len(), 4, "looking again tells nobody again");
}

#[test]
fn an_emergency_is_told_at_once_and_climbs_every_ten_minutes_after_its_time() {
    let mut story = request(Priority::P1, "11-22T03:00");
    let id = story.clock(Measure::Acknowledge).clock_id;
    assert_eq!(story.rungs(id), [(1, Level::Worker, at("11-22T03:00"))], "on a Sunday night");
    let at_once = story.state.escalations.len();
    assert_eq!(at_once, 1, "said by one clock, not by four");
    story.wait_until("11-22T03:33");
    let levels: Vec<_> =
        story.rungs(id).iter().map(|(_, level, time)| (*level, (*time - at("11-22T03:00")).num_seconds())).collect();
    assert_eq!(
        levels,
        [
            (Level::Worker, 0),
            (Level::Lead, 90),
            (Level::EstateManager, 144),
            (Level::Region, 180),
            (Level::Company, 780),
            (Level::Company, 1380),
        ]
    );
}

#[test]
fn an_outage_makes_up_for_every_level_but_not_for_every_repetition() {
    let mut story = request(Priority::P1, "11-22T03:00");
    let id = story.clock(Measure::Acknowledge).clock_id;
    story.at("11-22T06:00", &Command::Look);
    let rungs = story.rungs(id);
    assert_eq!(rungs.iter().map(|(_, level, _)| *level).collect::<Vec<_>>(), Level::ALL);
    assert!(rungs[4].0 > 5, "the last repetition stands for those before it");
}

#[test]
fn an_acknowledgement_silences_a_clock_until_it_is_due_and_after_that_for_good() {
    let mut story = request(Priority::P2, "11-23T10:00");
    let id = story.clock(Measure::Acknowledge).clock_id;
    story.wait_until("11-23T10:08");
    let first = story.state.escalations.iter().find(|e| e.clock_id == Some(id)).unwrap().escalation_id;
    let told = story.state.escalations[0].told[0].clone();
    story.does(&Command::Acknowledge { escalation_id: first }, &facts_of(at("11-23T10:08"), &told, Role::Receptionist));
    story.wait_until("11-23T10:16");
    assert_eq!(
        story.rungs(id).iter().map(|(rung, ..)| *rung).collect::<Vec<_>>(),
        [1, 3],
        "80 % is silent, the due time is not"
    );
    let second = story.state.escalations.iter().find(|e| e.clock_id == Some(id) && e.rung == 3).unwrap().escalation_id;
    let stranger = facts_of(at("11-23T10:17"), "somebody", Role::Handler);
    assert_eq!(story.state.decide(&Command::Acknowledge { escalation_id: second }, &stranger), Err(Refusal::NotTold));
    story.does(&Command::Acknowledge { escalation_id: second }, &facts_of(at("11-23T10:17"), "manager", Role::Manager));
    story.wait_until("11-24T10:00");
    assert_eq!(story.rungs(id).len(), 2);
}

#[test]
fn work_that_nobody_takes_is_escalated_as_unowned_and_what_is_returned_at_once() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:00", Milestone::ServiceConfirmed);
    story.order("11-23T10:00", WorkStep::Opened);
    story.wait_until("11-23T12:01");
    let unowned = story.state.escalations.iter().filter(|known| known.cause == Cause::Unowned).collect::<Vec<_>>();
    assert_eq!(unowned.len(), 2);
    assert_eq!(unowned[1].told, ["lead-engineering"]);
    story.order("11-23T12:10", WorkStep::Assigned { technician: Some("tech-1".into()) });
    story.order("11-23T12:15", WorkStep::Returned);
    assert_eq!(story.causes(), [(Cause::Returned, Level::Lead)]);
    story.wait_until("11-23T17:00");
    assert_eq!(
        story.causes(),
        [(Cause::Returned, Level::Lead), (Cause::Returned, Level::EstateManager)],
        "nobody has acknowledged"
    );
    story.order("11-23T17:10", WorkStep::Accepted);
    assert!(story.state.climbs.is_empty(), "somebody has it");
}

#[test]
fn an_objection_that_is_upheld_gives_the_time_back() {
    let mut story = complaint("11-23T10:00");
    story.follow("11-23T10:30", Milestone::Acknowledged);
    let due = story.due(Measure::Decide);
    story.follow("11-23T11:00", Milestone::AwaitingOwner);
    story.follow("11-25T11:00", Milestone::Resumed);
    assert_eq!(story.due(Measure::Decide), due + TimeDelta::days(2));
    let clock_id = story.clock(Measure::Decide).clock_id;
    let pause_id = story.clock(Measure::Decide).clock.pauses[0].pause_id;
    let mut owner = facts_of(at("11-25T12:00"), "owner", Role::Owner);
    owner.actor.resident = Some(ResidentId::from(Uuid::from_u128(8)));
    let contest = |reason: &str, taken_down| {
        let reason = text(reason);
        Command::ContestPause { clock_id, pause_id, reason, taken_down }
    };
    let by_phone = Some(TakenDown { how: GivenHow::Phone, given_at: None });
    // What staff take down never stands in the way of the owner's own objection.
    let desk = facts_of(at("11-25T11:30"), "desk-9", Role::Receptionist);
    assert_eq!(story.state.decide(&contest("x", None), &desk), Err(Refusal::Word(WordFault::HowMissing)));
    story.does(&contest("业主来电说没有人问过", by_phone), &desk);
    assert_eq!(story.state.decide(&contest("x", by_phone), &desk), Err(Refusal::AlreadyContested));
    story.does(&contest("没有人问过我", None), &owner);
    assert_eq!(story.state.decide(&contest("again", None), &owner), Err(Refusal::AlreadyContested));
    assert_eq!(story.state.decide(&contest("x", by_phone), &desk), Err(Refusal::AlreadyContested));
    let by: Vec<_> = story.state.objections.iter().map(|known| known.taken_down.is_some()).collect();
    assert_eq!(by, [true, false]);
    let accountable = story.state.accountable.account().unwrap().to_owned();
    let who_answers = facts_of(at("11-25T11:40"), &accountable, Role::Handler);
    let own_case = story.state.decide(&contest("x", by_phone), &who_answers);
    assert_eq!(own_case, Err(Refusal::Word(WordFault::Handled)));
    let objection_id = story.state.objections[1].objection_id;
    let decide = Command::DecideObjection { objection_id, upheld: true, reason: text("记录里没有提问") };
    let own = facts_of(at("11-25T13:00"), &accountable, Role::Supervisor);
    assert_eq!(story.state.decide(&decide, &own), Err(Refusal::OwnMatter));
    story.does(&decide, &facts_of(at("11-25T13:00"), "manager", Role::Manager));
    assert_eq!(story.due(Measure::Decide), due);
}

#[test]
fn a_decision_is_put_off_once_before_its_date_and_the_new_date_is_a_promise() {
    let mut story = complaint("11-23T10:00");
    let (clock_id, due) = (story.clock(Measure::Decide).clock_id, story.due(Measure::Decide));
    assert_eq!(due, at("11-30T10:00"));
    let extend = |until: &str| Command::Extend { clock_id, until: at(until), reason: text("等检测报告") };
    let handler = |time: &str| facts_of(at(time), "handler", Role::Handler);
    assert_eq!(story.state.decide(&extend("11-29T10:00"), &handler("11-25T10:00")), Err(Refusal::ExtensionOutOfBounds));
    assert_eq!(story.state.decide(&extend("12-25T10:00"), &handler("11-25T10:00")), Err(Refusal::ExtensionOutOfBounds));
    assert_eq!(story.state.decide(&extend("12-04T10:00"), &handler("11-30T10:01")), Err(Refusal::TooLateToExtend));
    story.does(&extend("12-04T10:00"), &handler("11-29T10:00"));
    assert_eq!(story.due(Measure::Decide), at("12-04T10:00"));
    let promise = &story.state.promises[0];
    assert_eq!((promise.previous, promise.due_at), (Some(due), at("12-04T10:00")));
    assert_eq!(promise.told(), Some(Milestone::DeadlineExtended));
    let moved = Command::Move { promise_id: promise.promise_id, due_at: at("12-20T10:00"), reason: text("再等等") };
    assert_eq!(story.state.decide(&moved, &handler("12-01T10:00")), Err(Refusal::DateOfClock));
    assert_eq!(story.state.decide(&extend("12-05T10:00"), &handler("12-01T10:00")), Err(Refusal::NoExtensionLeft));
    story.follow("12-03T10:00", Milestone::Decided);
    assert_eq!(story.outcome(Measure::Decide), Some(Outcome::Met));
    assert_eq!(story.state.promises[0].ended.map(|(outcome, _)| outcome), Some(PromiseOutcome::Kept));
}

#[test]
fn an_appointment_is_a_promise_that_warns_before_it_breaks() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:10", Milestone::ServiceConfirmed);
    story.at("11-23T10:10", &window("11-24T11:00", "11-24T12:00"));
    assert_eq!(story.due(Measure::Arrive), at("11-24T12:00"));
    story.wait_until("11-24T11:59");
    let warned = story.events.iter().filter(|event| matches!(event, Event::PromiseWarned { .. })).count();
    assert_eq!(warned, 1);
    assert_eq!(story.state.promises[0].ended, None);
    story.wait_until("11-24T12:01");
    assert_eq!(story.state.promises[0].ended, Some((PromiseOutcome::Broken, at("11-24T12:00"))));
    assert!(story.causes().contains(&(Cause::Promise, Level::Lead)));
}

#[test]
fn an_appointment_that_is_moved_in_time_is_not_broken() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.at("11-23T10:10", &window("11-24T11:00", "11-24T12:00"));
    story.at("11-23T16:00", &window("11-25T11:00", "11-25T12:00"));
    story.order("11-23T16:00", WorkStep::Opened);
    story.follow("11-25T11:50", Milestone::TechnicianOnSite);
    let outcomes: Vec<_> = story.state.promises.iter().map(|promise| promise.ended.unwrap().0).collect();
    assert_eq!(outcomes, [PromiseOutcome::Moved, PromiseOutcome::Kept]);
    assert_eq!(story.outcome(Measure::Arrive), Some(Outcome::Met));
}

#[test]
fn commitments_live_on_after_the_end() {
    let mut story = complaint("11-23T10:00");
    story.follow("11-24T10:00", Milestone::Decided);
    story.at("11-24T10:00", &Command::Commit(vec![(Uuid::from_u128(40), at("12-10T12:00"))]));
    story.follow("11-25T10:00", Milestone::Confirmed);
    story.follow("11-25T10:00", Milestone::Closed);
    assert!(!story.state.open);
    assert!(story.state.clocks.iter().all(|kept| kept.outcome.is_some()));
    assert_eq!(story.state.promises[0].ended, None);
    let promise_id = Uuid::from_u128(40);
    let by_hand =
        story.state.decide(&Command::Keep { promise_id }, &facts_of(at("12-08T12:00"), "desk-1", Role::Manager));
    assert_eq!(by_hand, Err(Refusal::KeptByWhatHappens));
    story.at("12-09T12:00", &Command::KeepCommitment { promise_id });
    assert_eq!(story.state.promises[0].ended.map(|(outcome, _)| outcome), Some(PromiseOutcome::Kept));
    assert_eq!(story.state.next_at, None, "nothing is left to look at");
}

#[test]
fn a_hold_pauses_the_departments_clock_and_the_owners_only_where_the_owner_is_the_cause() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:00", WorkStep::Opened);
    story.order("11-23T10:10", WorkStep::Accepted);
    story.order("11-23T11:00", WorkStep::Held { reason: "parts".into(), evidence: Vec::new() });
    assert!(story.clock_of(Measure::Finish, Party::Department).due.paused);
    assert!(!story.clock(Measure::Finish).due.paused, "spare parts are the company's own affair");
    story.order("11-23T15:00", WorkStep::Resumed);
    assert!(!story.clock_of(Measure::Finish, Party::Department).due.paused);
    story.order("11-23T16:00", WorkStep::Held { reason: "access".into(), evidence: vec![Uuid::from_u128(77)] });
    assert!(story.clock(Measure::Finish).due.paused);
    assert_eq!(story.clock(Measure::Finish).clock.pauses[0].evidence, [Uuid::from_u128(77)]);
    story.order("11-23T17:00", WorkStep::Resumed);
    let reading =
        story.clock(Measure::Finish).clock.read(&system(at("11-23T17:00")).timetable, at("11-23T17:00")).unwrap();
    assert_eq!((reading.state, reading.paused), (ClockState::Running, 3600));
}

#[test]
fn what_ends_the_hold_of_a_work_order_ends_its_pause() {
    for (step, goes_on) in [
        (WorkStep::Resumed, true),
        (WorkStep::Returned, true),
        (WorkStep::Transferred, false),
        (WorkStep::Cancelled, false),
    ] {
        let mut story = request(Priority::P3, "11-23T10:00");
        story.order("11-23T10:00", WorkStep::Opened);
        story.order("11-23T10:10", WorkStep::Accepted);
        story.order("11-23T11:00", WorkStep::Held { reason: "access".into(), evidence: Vec::new() });
        let of_department = story.clock_of(Measure::Finish, Party::Department).clock_id;
        story.order("11-23T12:00", step.clone());
        assert!(!story.clock(Measure::Finish).due.paused, "{step:?}");
        let of_department = story.state.clocks.iter().find(|kept| kept.clock_id == of_department).unwrap();
        assert_eq!((of_department.is_running(), of_department.due.paused), (goes_on, false), "{step:?}");
    }
}

#[test]
fn a_hand_over_needs_acceptance_and_falls_back_on_refusal_and_silence() {
    let mut story = request(Priority::P3, "11-23T10:00");
    let first = story.state.accountable.account().unwrap().to_owned();
    let giver = facts_of(at("11-23T10:05"), &first, Role::Receptionist);
    let hand_over = |to: &str| Command::HandOver { to: to.to_owned(), reason: text("休假") };
    assert_eq!(
        story.state.decide(&hand_over("x"), &facts_of(at("11-23T10:05"), "stranger", Role::Handler)),
        Err(Refusal::NotAccountable)
    );
    story.does(&hand_over("handler-3"), &giver);
    assert_eq!(story.state.accountable.account(), Some(first.as_str()), "an offer changes nothing");
    assert_eq!(story.state.decide(&hand_over("handler-4"), &giver), Err(Refusal::HandOverPending));
    let asked = facts_of(at("11-23T10:10"), "handler-3", Role::Handler);
    story.does(&Command::RefuseHandOver { reason: text("满了") }, &asked);
    assert_eq!(story.state.accountable.account(), Some(first.as_str()));

    story.does(&hand_over("handler-3"), &giver);
    story.wait_until("11-23T13:00");
    assert_eq!(story.state.accountable.hand_over, None, "two hours of silence");
    assert_eq!(story.state.accountable.account(), Some(first.as_str()));
    assert_eq!(story.state.decide(&Command::AcceptHandOver, &asked), Err(Refusal::NoHandOver));

    story.does(&hand_over("handler-3"), &facts_of(at("11-23T14:00"), &first, Role::Receptionist));
    story.does(&Command::AcceptHandOver, &facts_of(at("11-23T14:10"), "handler-3", Role::Handler));
    assert_eq!(story.state.accountable.account(), Some("handler-3"));
    assert_eq!(story.state.accountable.why, Why::HandOver);
}

#[test]
fn where_nobody_is_on_a_post_the_head_office_answers_and_is_told() {
    let matter = matter(CaseKind::Inquiry, Priority::P4, at("11-23T10:00"));
    let mut facts = system(matter.opened_at);
    facts.ruling.people = Arc::default();
    let begin = Command::Begin { matter: Box::new(matter), receiver: None, adopted: false, archived: false };
    let events = Stewardship::unborn(CaseId::from(Uuid::from_u128(9))).decide(&begin, &facts).unwrap();
    let state = replay(Stewardship::unborn(CaseId::from(Uuid::from_u128(9))), &events);
    assert_eq!(state.accountable.account(), Some("head-office"));
    assert_eq!(state.escalations[0].cause, Cause::Unowned);
    assert_eq!(state.escalations[0].told, ["head-office"]);
}

#[test]
fn what_is_called_off_is_void_and_never_met_whether_overdue_or_not() {
    use {CaseKind as K, Milestone as M};
    for kind in [K::Inquiry, K::Complaint, K::ServiceRequest, K::Suggestion] {
        for milestone in [M::Cancelled, M::Withdrawn, M::Closed] {
            for (time, overdue) in [("11-23T10:05", false), ("12-20T10:05", true)] {
                let mut story = Story::of(matter(kind, Priority::P3, at("11-23T10:00")));
                story.wait_until(time);
                let breached = story.state.clocks.iter().filter(|kept| kept.breached_at.is_some()).count();
                assert_eq!(breached > 0, overdue);
                story.follow(time, milestone);
                let outcomes: Vec<_> = story.state.clocks.iter().map(|kept| kept.outcome).collect();
                assert!(
                    outcomes.iter().all(|outcome| *outcome == Some(Outcome::Void)),
                    "{kind} {milestone}: {outcomes:?}"
                );
            }
        }
    }
}

#[test]
fn who_declines_a_request_has_answered_it_but_not_finished_it() {
    let mut story = request(Priority::P1, "11-23T10:00");
    story.follow("11-23T10:02", Milestone::Declined);
    assert_eq!(story.outcome(Measure::Acknowledge), Some(Outcome::Met));
    for measure in [Measure::Arrive, Measure::MakeSafe, Measure::Finish] {
        assert_eq!(story.outcome(measure), Some(Outcome::Void), "{measure}");
    }
    let mut suggestion = Story::of(matter(CaseKind::Suggestion, Priority::P4, at("11-23T10:00")));
    suggestion.follow("11-24T10:00", Milestone::Declined);
    assert_eq!(suggestion.outcome(Measure::Decide), Some(Outcome::Met), "no is a decision, too");
}

#[test]
fn what_is_overdue_is_told_again_with_another_priority_and_what_has_stopped_is_not() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:30", Milestone::ServiceConfirmed);
    story.wait_until("11-30T10:00");
    let before = story.events.len();
    story.at("11-30T10:01", &Command::Prioritise(Priority::P2));
    let finish = story.clock(Measure::Finish).clock_id;
    let told: Vec<_> =
        story.events[before..].iter().filter(|event| matches!(event, Event::ClockBreached { .. })).collect();
    let due_at = story.clock(Measure::Finish).breached_at.unwrap();
    assert!(told.contains(&&Event::ClockBreached { clock_id: finish, due_at }), "{told:?}");
    let acknowledge = story.state.clocks[0].clock_id;
    assert!(
        !told.iter().any(|event| matches!(event, Event::ClockBreached { clock_id, .. } if *clock_id == acknowledge))
    );
}

/// An important inquiry, answered at 11:00 of a Monday.
fn called_back() -> Story {
    let mut story = Story::of(matter(CaseKind::Inquiry, Priority::P3, at("11-23T10:00")));
    story.at("11-23T11:00", &follow(Milestone::Answered, true));
    story
}

#[test]
fn a_call_back_is_met_by_reaching_somebody_and_by_nothing_else() {
    let clocks = |story: &Story| story.state.clocks.iter().filter(|kept| kept.measure == Measure::FollowUp).count();
    let ends = |end: &dyn Fn(&mut Story)| {
        let mut story = called_back();
        end(&mut story);
        assert_eq!(clocks(&story), 1, "one clock, from the answer on");
        assert_eq!(story.clock(Measure::FollowUp).clock.started_at(), Some(at("11-23T11:00")));
        story.outcome(Measure::FollowUp)
    };
    assert_eq!(ends(&|story| story.follow("11-24T11:00", Milestone::FollowUpDue)), None);
    assert_eq!(ends(&|story| story.follow("11-24T11:00", Milestone::SurveyAnswered)), None, "a rating is no call");
    assert_eq!(ends(&|story| story.follow("11-24T11:00", Milestone::FollowedUp)), Some(Outcome::Met));
    assert_eq!(ends(&|story| story.follow("12-20T11:00", Milestone::FollowedUp)), Some(Outcome::Missed));
    assert_eq!(ends(&|story| story.at("11-25T11:00", &Command::CallInVain)), Some(Outcome::Void));
    assert_eq!(ends(&|story| story.at("12-20T11:00", &Command::CallInVain)), Some(Outcome::Missed));
    assert_eq!(ends(&|story| story.follow("11-25T11:00", Milestone::Closed)), Some(Outcome::Void));
    assert_eq!(ends(&|story| story.follow("11-25T11:00", Milestone::Reopened)), Some(Outcome::Void));
    let mut decided = complaint("11-23T10:00");
    decided.follow("11-24T10:00", Milestone::Decided);
    decided.follow("11-25T10:00", Milestone::Confirmed);
    assert_eq!(decided.outcome(Measure::FollowUp), Some(Outcome::Void), "the owner spoke, nobody called");
}

#[test]
fn who_comes_long_before_the_window_has_not_kept_the_appointment() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.at("11-23T10:10", &window("11-24T11:00", "11-24T12:00"));
    story.order("11-23T10:20", WorkStep::Opened);
    story.follow("11-23T15:00", Milestone::TechnicianOnSite);
    assert_eq!((story.state.promises[0].ended, story.outcome(Measure::Arrive)), (None, None));
    let by_hand = story.state.decide(
        &Command::Keep { promise_id: story.state.promises[0].promise_id },
        &facts_of(at("11-23T15:00"), "desk-1", Role::Receptionist),
    );
    assert_eq!(by_hand, Err(Refusal::KeptByWhatHappens));
    story.follow("11-24T10:31", Milestone::TechnicianOnSite);
    assert_eq!(
        story.state.promises[0].ended,
        Some((PromiseOutcome::Kept, at("11-24T10:31"))),
        "half an hour before it"
    );
    assert_eq!(story.outcome(Measure::Arrive), Some(Outcome::Met));
}

#[test]
fn word_that_is_heard_late_is_judged_by_its_own_time() {
    let mut story = request(Priority::P2, "11-23T10:00");
    story.at("11-23T10:05", &window("11-23T11:00", "11-23T12:00"));
    story.wait_until("11-23T12:10");
    assert_eq!(story.clock(Measure::Arrive).breached_at, Some(at("11-23T11:00")));
    assert_eq!(story.state.promises[0].ended, Some((PromiseOutcome::Broken, at("11-23T12:00"))));
    assert!(story.state.climbs.iter().any(|climb| climb.cause == Cause::Promise));
    story.does(&follow(Milestone::TechnicianOnSite, false), &heard("11-23T10:50", "11-23T12:20"));
    let arrive = story.clock(Measure::Arrive);
    assert_eq!((arrive.outcome, arrive.breached_at), (Some(Outcome::Met), None));
    assert_eq!(story.state.promises[0].ended, Some((PromiseOutcome::Kept, at("11-23T10:50"))));
    assert!(!story.state.climbs.iter().any(|climb| climb.cause == Cause::Promise), "nobody has to be told any more");
    let corrects = story.events.iter().find_map(|event| match event {
        Event::PromiseEnded { corrects, .. } if corrects.is_some() => *corrects,
        _ => None,
    });
    assert_eq!(corrects, Some((PromiseOutcome::Broken, at("11-23T12:00"))));
}

#[test]
fn word_that_comes_after_the_clock_was_stopped_corrects_what_was_said() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:00", WorkStep::Opened);
    story.follow("11-23T11:00", Milestone::Cancelled);
    assert_eq!(story.outcome(Measure::Acknowledge), Some(Outcome::Void));
    story.does(&follow(Milestone::Cancelled, false), &system(at("11-23T11:00")));
    let late =
        Command::Follow { milestone: Milestone::ServiceConfirmed, status: CaseStatus::Cancelled, call_back: false };
    story.does(&late, &heard("11-23T10:30", "11-23T11:05"));
    assert_eq!(story.outcome(Measure::Acknowledge), Some(Outcome::Met));
    assert_eq!(story.clock(Measure::Acknowledge).clock.stopped_at, Some(at("11-23T10:30")));
    assert_eq!(story.outcome(Measure::Finish), Some(Outcome::Void));
}

#[test]
fn an_objection_that_is_upheld_after_the_end_judges_the_clock_again() {
    let mut story = request(Priority::P2, "11-23T10:00");
    story.follow("11-23T11:00", Milestone::InfoRequested);
    story.follow("11-24T10:00", Milestone::InfoProvided);
    story.follow("11-24T12:00", Milestone::WorkDone);
    let finish = story.clock(Measure::Finish);
    assert_eq!(finish.outcome, Some(Outcome::Met));
    let (clock_id, pause_id) = (finish.clock_id, finish.clock.pauses[0].pause_id);
    let mut owner = facts_of(at("11-24T13:00"), "owner", Role::Owner);
    owner.actor.resident = Some(ResidentId::from(Uuid::from_u128(8)));
    story.does(&Command::ContestPause { clock_id, pause_id, reason: text("我早就回了"), taken_down: None }, &owner);
    let objection_id = story.state.objections[0].objection_id;
    let upheld = Command::DecideObjection { objection_id, upheld: true, reason: text("属实") };
    story.does(&upheld, &facts_of(at("11-24T14:00"), "manager", Role::Manager));
    let finish = story.clock(Measure::Finish);
    assert_eq!((finish.outcome, finish.breached_at), (Some(Outcome::Missed), Some(at("11-24T10:00"))));
    let corrected = story.events.iter().find_map(|event| match event {
        Event::ClockCorrected { clock_id: of, outcome, elapsed, paused, .. } if *of == clock_id => {
            Some((*outcome, *elapsed, *paused))
        }
        _ => None,
    });
    assert_eq!(corrected, Some((Outcome::Missed, 26 * 3600, 0)));
}

#[test]
fn what_stands_first_comes_down_when_it_is_not_so_any_more() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T11:00", Milestone::WorkDone);
    story.follow("11-23T12:00", Milestone::Rework);
    assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead)]);
    story.follow("11-23T12:30", Milestone::WorkDone);
    story.wait_until("12-20T10:00");
    assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead)], "done again, it climbs no further");
    assert!(story.state.escalations.iter().all(|known| known.settled_at.is_some()));

    let mut paused = complaint("11-23T10:00");
    paused.follow("11-23T10:30", Milestone::AwaitingOwner);
    paused.wait_until("11-30T11:00");
    assert_eq!(paused.causes(), [(Cause::LongPaused, Level::Lead)]);
    paused.follow("11-30T11:01", Milestone::PlanTold);
    assert!(paused.state.climbs.iter().all(|climb| climb.cause != Cause::LongPaused), "it goes on");
}

#[test]
fn whatever_ends_the_wait_for_the_owner_lets_the_clocks_go_on() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:10", Milestone::InfoRequested);
    assert!(story.clock(Measure::Finish).due.paused);
    story.follow("11-23T11:10", Milestone::ServiceConfirmed);
    assert!(!story.clock(Measure::Finish).due.paused, "the owner answered by telephone");
}

#[test]
fn who_comes_back_after_an_end_that_came_while_waiting_can_be_waited_for_again() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:10", Milestone::InfoRequested);
    story.follow("11-23T11:00", Milestone::Declined);
    story.follow("11-23T12:00", Milestone::Rework);
    story.follow("11-23T12:10", Milestone::InfoRequested);
    assert!(story.clock(Measure::Finish).due.paused);
}

#[test]
fn a_date_that_was_put_off_loses_its_object_with_its_clock() {
    let mut story = complaint("11-23T10:00");
    let clock_id = story.clock(Measure::Decide).clock_id;
    let extend = Command::Extend { clock_id, until: at("12-04T10:00"), reason: text("等检测报告") };
    story.does(&extend, &facts_of(at("11-29T10:00"), "handler", Role::Handler));
    story.follow("12-01T10:00", Milestone::Withdrawn);
    assert_eq!(story.state.promises[0].ended.map(|(outcome, _)| outcome), Some(PromiseOutcome::Void));
}

#[test]
fn a_promise_is_told_by_one_step_alone() {
    let mut story = request(Priority::P3, "11-23T10:00");
    let desk = |time: &str| facts_of(at(time), "desk-1", Role::Receptionist);
    let promise = Command::Promise { promise_id: Uuid::from_u128(77), due_at: at("11-24T10:00"), team: String::new() };
    story.does(&promise, &desk("11-23T10:10"));
    assert_eq!(story.outcome(Measure::Acknowledge), Some(Outcome::Met), "who gives a date has answered");
    let moved =
        Command::Move { promise_id: Uuid::from_u128(77), due_at: at("11-25T10:00"), reason: text("配件未到") };
    story.does(&moved, &desk("11-23T10:20"));
    // A visit is told by its own step.
    story.at("11-23T10:30", &window("11-24T11:00", "11-24T12:00"));
    let told: Vec<_> = story.state.promises.iter().map(|promise| (promise.told(), promise.previous)).collect();
    assert_eq!(
        told,
        [(Some(Milestone::PromiseMade), None), (Some(Milestone::PromiseMoved), Some(at("11-24T10:00"))), (None, None)]
    );
}

#[test]
fn what_has_ended_runs_climbs_and_waits_no_longer() {
    let mut story = Story::of(matter(CaseKind::Complaint, Priority::P1, at("11-23T10:00")));
    let desk = facts_of(at("11-23T10:02"), "desk-1", Role::Receptionist);
    let promise = Command::Promise { promise_id: Uuid::from_u128(77), due_at: at("11-23T11:00"), team: String::new() };
    story.does(&promise, &desk);
    let step = |milestone, status| Command::Follow { milestone, status, call_back: false };
    story.at("11-23T10:05", &step(Milestone::Decided, CaseStatus::Resolved));
    for measure in [Measure::Arrive, Measure::MakeSafe] {
        assert_eq!(story.outcome(measure), Some(Outcome::Void), "{measure}: no work was needed");
    }
    story.at("11-23T12:00", &Command::Look);
    assert!(story.state.climbs.iter().any(|climb| climb.cause == Cause::Promise), "the promise was broken");
    story.at("11-23T12:01", &step(Milestone::Closed, CaseStatus::Closed));
    assert_eq!((story.state.climbs.len(), story.state.tasks.len(), story.state.next_at), (0, 0, None));
}

#[test]
fn only_what_can_end_is_measured() {
    use Measure as M;
    let mut facts = system(at("11-23T10:00"));
    let targets = ["acknowledge", "plan", "arrive", "make_safe", "finish", "decide"]
        .map(|measure| serde_json::json!({ "measure": measure, "within": "9h", "hours": "always" }));
    let everything = serde_json::json!({ "targets": targets });
    let policy = serde_json::from_value(everything).unwrap();
    facts.ruling.policies = Policies(vec![Arc::new(policy)]);
    let measured = |kind| {
        let begin = Command::Begin {
            matter: Box::new(matter(kind, Priority::P3, at("11-23T10:00"))),
            receiver: None,
            adopted: false,
            archived: false,
        };
        let unborn = Stewardship::unborn(CaseId::from(Uuid::from_u128(9)));
        let state = replay(unborn.clone(), &unborn.decide(&begin, &facts).unwrap());
        state.clocks.iter().map(|kept| kept.measure).collect::<Vec<_>>()
    };
    assert_eq!(measured(CaseKind::Inquiry), [M::Acknowledge, M::Finish]);
    assert_eq!(measured(CaseKind::Suggestion), [M::Acknowledge, M::Decide]);
    assert_eq!(measured(CaseKind::Complaint), [M::Acknowledge, M::Plan, M::Arrive, M::MakeSafe, M::Decide]);
    assert_eq!(measured(CaseKind::ServiceRequest), [M::Acknowledge, M::Arrive, M::MakeSafe, M::Finish]);
}

/// What may happen to a case, in any order.
fn anything() -> impl Strategy<Value = (i64, u8, u8)> {
    (1_i64..200_000, 0_u8..22, 0_u8..4)
}

fn happens(kind: u8, who: u8, state: &Stewardship) -> (Command, &'static str) {
    let people = ["desk-1", "desk-2", "handler-3", "manager"];
    let person = people[usize::from(who)];
    let milestones = [
        Milestone::Acknowledged,
        Milestone::AwaitingOwner,
        Milestone::Resumed,
        Milestone::InfoProvided,
        Milestone::WorkDone,
        Milestone::Rework,
        Milestone::Reopened,
        Milestone::Closed,
        Milestone::Decided,
        Milestone::Cancelled,
    ];
    let order = |step| {
        let order = WorkOrderId::from(Uuid::from_u128(u128::from(who)));
        let heard = HeardOfOrder { order, contractor: who == 3, ..heard_of("engineering", step) };
        Command::Work { heard, rests: None }
    };
    let command = match kind {
        0..=9 => {
            let milestone = milestones[usize::from(kind)];
            follow(milestone, who.is_multiple_of(2))
        }
        10 => Command::HandOver { to: person.to_owned(), reason: text("x") },
        11 => Command::AcceptHandOver,
        12 => Command::RefuseHandOver { reason: text("x") },
        13 => order(WorkStep::Opened),
        14 => order(WorkStep::Returned),
        15 => order(WorkStep::Held { reason: "access".into(), evidence: Vec::new() }),
        16 => order(WorkStep::Resumed),
        17 => order(WorkStep::Transferred),
        18 => Command::Prioritise(Priority::ALL[usize::from(who)]),
        19 => Command::Rebase,
        20 => match state.escalations.last() {
            Some(last) => Command::Acknowledge { escalation_id: last.escalation_id },
            None => Command::Look,
        },
        _ => order(WorkStep::Completed),
    };
    (command, person)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The model of accountability: at every instant from the first one there is exactly one who answers, and only a hand-over that was
    /// offered and accepted changes who.
    #[test]
    fn there_is_never_no_accountable_person_and_never_two(history in vec(anything(), 0..60)) {
        let mut story = request(Priority::P3, "11-23T10:00");
        let mut model = story.state.accountable.account().unwrap().to_owned();
        let mut offered: Option<(String, DateTime<Utc>)> = None;
        let mut now = at("11-23T10:00");
        for (seconds, kind, who) in history {
            now += TimeDelta::seconds(seconds);
            story.wait_until_at(now);
            if offered.as_ref().is_some_and(|(_, lapses)| *lapses <= now) {
                offered = None;
            }
            let (command, person) = happens(kind, who, &story.state);
            let role = if person == "manager" { Role::Manager } else { Role::Handler };
            let facts = facts_of(now, person, role);
            let was_open = story.state.open;
            if let Ok(events) = story.state.decide(&command, &facts) {
                story.state = replay(story.state.clone(), &events);
                story.events.extend(events);
                match &command {
                    Command::HandOver { to, .. } if offered.is_none() && *to != model => {
                        offered = Some((to.clone(), story.state.accountable.hand_over.as_ref().unwrap().lapses_at));
                    }
                    Command::AcceptHandOver => {
                        if let Some((to, _)) = offered.take() {
                            prop_assert_eq!(&to, person);
                            model = to;
                        }
                    }
                    Command::RefuseHandOver { .. } => offered = None,
                    _ => {}
                }
            }
            if was_open && !story.state.open {
                offered = None;
            }
            prop_assert_eq!(story.state.accountable.account(), Some(model.as_str()));
            prop_assert_eq!(story.state.accountable.hand_over.as_ref().map(|h| h.to.clone()), offered.as_ref().map(|(to, _)| to.clone()));
        }
        // The record says the same: each one follows the one before, without gap or overlap.
        let mut last: Option<String> = None;
        for event in &story.events {
            if let Event::AccountableNamed { account, previous, .. } = event {
                prop_assert_eq!(previous, &last);
                last = Some(account.clone());
            }
        }
    }

    /// Whatever happens: no rung twice, no clock that runs is without its next look, and the schedule kept step by step is what a
    /// calculation from the history gives.
    #[test]
    fn nothing_is_told_twice_and_nothing_overdue_is_overlooked(history in vec(anything(), 0..60)) {
        let mut story = request(Priority::P2, "11-23T10:00");
        let mut now = at("11-23T10:00");
        for (seconds, kind, who) in history {
            now += TimeDelta::seconds(seconds);
            story.wait_until_at(now);
            let (command, person) = happens(kind, who, &story.state);
            if let Ok(events) = story.state.decide(&command, &facts_of(now, person, Role::Supervisor)) {
                story.state = replay(story.state.clone(), &events);
                story.events.extend(events);
            }
            let mut ids: Vec<_> = story.state.escalations.iter().map(|known| known.escalation_id).collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), all);
            if !story.state.open {
                prop_assert!(!story.state.clocks.iter().any(KeptClock::is_running));
                prop_assert_eq!(&story.state.climbs, &[]);
            }
            let facts = system(now);
            for kept in story.state.clocks.iter().filter(|kept| kept.is_running()) {
                let reading = kept.clock.read(&facts.timetable, now).unwrap();
                prop_assert_eq!(kept.due.due_at, DateTime::from_timestamp(reading.due_at, 0).filter(|_| reading.due_at != i64::MAX));
                prop_assert_eq!(kept.breached_at.is_some(), reading.breached_at.is_some());
                if reading.state == ClockState::Running && reading.breached_at.is_none() {
                    prop_assert!(story.state.next_at.is_some_and(|next| next.timestamp() <= reading.due_at + 1));
                }
            }
        }
        prop_assert_eq!(replay(Stewardship::unborn(story.state.id), &story.events), story.state);
    }
}

#[test]
fn what_somebody_had_who_is_not_there_any_more_goes_to_whoever_receives_owners() {
    let mut story = request(Priority::P3, "11-23T10:00");
    let first = story.state.accountable.account().unwrap().to_owned();
    let relieve = |account: &str| Command::Relieve { account: account.to_owned() };
    let giver = facts_of(at("11-23T10:05"), &first, Role::Receptionist);
    story.does(&Command::HandOver { to: "handler-3".to_owned(), reason: text("休假") }, &giver);
    story.does(&relieve("handler-3"), &system(at("11-23T10:10")));
    assert_eq!(story.state.accountable.hand_over, None, "nobody waits for who is not there");
    assert_eq!(story.state.accountable.account(), Some(first.as_str()));

    let mut facts = system(at("11-23T10:20"));
    let mut people = (*facts.ruling.people).clone();
    people.receivers.retain(|receiver| *receiver != first);
    facts.ruling.people = Arc::new(people);
    story.does(&relieve(&first), &facts);
    assert_ne!(story.state.accountable.account(), Some(first.as_str()));
    assert_eq!(story.state.accountable.why, Why::Left);
    let again = story.state.decide(&relieve(&first), &facts).unwrap();
    assert!(!again.iter().any(|event| matches!(event, Event::AccountableNamed { .. })), "{again:?}");
    let stranger = story.state.decide(&relieve("somebody"), &facts).unwrap();
    assert!(!stranger.iter().any(|event| matches!(event, Event::AccountableNamed { .. })), "{stranger:?}");
}

#[path = "task_tests.rs"]
mod task_tests;
#[path = "work_tests.rs"]
mod work_tests;
