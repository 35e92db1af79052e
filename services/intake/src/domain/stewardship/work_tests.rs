//! Work orders of a case, whenever they are heard: between the things that events tell of there is no order.

use proptest::sample::Index;

use super::*;
use crate::domain::{
    self,
    case::{self, Case, Effect, Step},
    case_tests,
};

fn waits(story: &Story) -> usize {
    story.state.waiting.len()
}

/// What runs, climbs or is to be told about work orders.
fn running(story: &Story) -> (usize, usize, usize) {
    let clocks = story.state.clocks.iter().filter(|kept| kept.is_running());
    let tasks = story.state.tasks.iter().filter(|task| task.work_order.is_some());
    (clocks.count(), story.state.climbs.len(), tasks.count())
}

impl Story {
    fn order_at_rest(&mut self, time: &str, since: &str, step: WorkStep) {
        let command = Command::Work { heard: heard_of("engineering", step), rests: Some(at(since)) };
        self.at(time, &command);
    }
}

fn assigned(account: &str) -> WorkStep {
    WorkStep::Assigned { technician: Some(account.to_owned()) }
}

#[test]
fn work_that_is_heard_after_the_end_starts_nothing_until_the_owner_comes_back() {
    for end in [Milestone::Closed, Milestone::Cancelled] {
        let mut story = request(Priority::P3, "11-23T10:00");
        story.follow("11-23T11:00", end);
        story.order_at_rest("11-23T12:00", "11-23T11:00", WorkStep::Opened);
        story.order_at_rest("11-23T12:10", "11-23T11:00", assigned("tech-1"));
        story.order_at_rest("11-23T12:20", "11-23T11:00", WorkStep::Returned);
        assert_eq!((running(&story), waits(&story)), ((0, 0, 0), 3), "{end}");
        assert_eq!((&story.state.orders, story.state.next_at), (&vec![], None));
        // The owner's word for which it was ordered is heard late.
        story.does(&follow(Milestone::Rework, false), &heard("11-23T12:00", "11-23T14:00"));
        assert_eq!(waits(&story), 0);
        let department = story.clock_of(Measure::Acknowledge, Party::Department);
        assert_eq!((department.clock.started_at(), department.episode), (Some(at("11-23T12:00")), 2), "its own time");
        assert!(department.is_running());
        assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead), (Cause::Returned, Level::Lead)]);
    }
}

#[test]
fn whoever_has_the_work_that_has_waited_is_told_when_the_case_goes_on() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T11:00", Milestone::WorkDone);
    story.order_at_rest("11-23T12:00", "11-23T11:00", WorkStep::Opened);
    story.order_at_rest("11-23T12:10", "11-23T11:00", assigned("tech-1"));
    assert_eq!(running(&story), (0, 0, 0), "it is ordered for what is still to be heard");
    story.does(&follow(Milestone::Rework, false), &heard("11-23T12:00", "11-23T12:30"));
    let duties: Vec<_> = story.state.tasks.iter().filter(|task| task.work_order.is_some()).collect();
    assert_eq!((duties.len(), duties[0].duty, &duties[0].told), (1, Duty::OrderAssigned, &vec!["tech-1".to_owned()]));
    assert_eq!(story.state.orders[0].technician.as_deref(), Some("tech-1"));
}

#[test]
fn what_was_done_by_the_end_is_measured_until_then_whenever_it_is_heard() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T15:00", Milestone::Closed);
    let rest = Some(at("11-23T15:00"));
    let steps = [
        ("11-23T10:10", WorkStep::Opened, None),
        ("11-23T10:20", assigned("tech-1"), None),
        ("11-23T10:30", WorkStep::Returned, None),
        ("11-23T10:40", assigned("tech-2"), None),
        ("11-23T10:50", WorkStep::Accepted, Some((Measure::Acknowledge, Outcome::Met))),
        ("11-23T14:00", WorkStep::Completed, Some((Measure::Finish, Outcome::Met))),
    ];
    for (time, step, outcome) in steps {
        let command = Command::Work { heard: heard_of("engineering", step), rests: rest };
        story.does(&command, &heard(time, "11-23T16:00"));
        assert_eq!(running(&story), (0, 0, 0), "{time}");
        if let Some((measure, outcome)) = outcome {
            let kept = story.clock_of(measure, Party::Department);
            assert_eq!((kept.outcome, kept.clock.stopped_at), (Some(outcome), Some(at(time))));
        }
    }
    assert_eq!((&story.state.orders, story.causes(), waits(&story)), (&vec![], vec![], 0));
}

#[test]
fn what_was_done_before_the_owner_came_back_does_nothing_of_what_is_to_be_done_since() {
    let mut story = request(Priority::P1, "11-23T10:00");
    story.follow("11-23T11:00", Milestone::WorkDone);
    story.follow("11-23T12:00", Milestone::Rework);
    story.does(&follow(Milestone::TechnicianOnSite, false), &heard("11-23T10:10", "11-23T12:01"));
    let arrivals = story.state.clocks.iter().filter(|kept| kept.measure == Measure::Arrive);
    let arrivals: Vec<_> = arrivals.map(|kept| (kept.episode, kept.outcome)).collect();
    assert_eq!(arrivals, [(1, Some(Outcome::Met)), (2, None)]);
    assert_eq!(story.outcome(Measure::Acknowledge), None, "nobody has answered what the owner says now");
    assert!(story.state.tasks.iter().any(|task| task.duty == Duty::NotSatisfied) || story.causes().len() == 1);
}

#[test]
fn a_hold_that_is_heard_after_the_work_is_done_is_no_time_of_the_work() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:00", WorkStep::Opened);
    story.follow("11-27T10:00", Milestone::WorkDone);
    assert_eq!(story.outcome(Measure::Finish), Some(Outcome::Missed));
    let mut hears = |time: &str, step| {
        let command = Command::Work { heard: heard_of("engineering", step), rests: Some(at("11-27T10:00")) };
        story.does(&command, &heard(time, "11-27T10:01"));
    };
    hears("11-23T11:00", WorkStep::Held { reason: "access".into(), evidence: Vec::new() });
    hears("11-26T11:00", WorkStep::Resumed);
    hears("11-27T10:00", WorkStep::Completed);
    assert_eq!(story.outcome(Measure::Finish), Some(Outcome::Met));
    assert_eq!(story.clock_of(Measure::Finish, Party::Department).outcome, Some(Outcome::Met));
}

#[test]
fn what_crosses_the_end_gives_nobody_a_task() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:05", WorkStep::Opened);
    story.follow("11-23T11:00", Milestone::Cancelled);
    let given = |story: &Story| story.state.tasks_given;
    let before = given(&story);
    for step in
        [assigned("tech-1"), WorkStep::Held { reason: "parts".into(), evidence: Vec::new() }, WorkStep::Returned]
    {
        story.order_at_rest("11-23T11:01", "11-23T11:00", step);
    }
    story.at("11-23T11:02", &Command::TellVisit(vec!["tech-1".to_owned()]));
    story.at("11-23T11:02", &Command::Consult { department: "engineering".to_owned() });
    story.does(&follow(Milestone::InfoProvided, false), &heard("11-23T10:59", "11-23T11:02"));
    assert_eq!((given(&story), running(&story).1, waits(&story)), (before, 0, 0));
    story.order_at_rest("11-23T11:03", "11-23T11:00", WorkStep::Cancelled);
    assert_eq!(story.state.orders, []);
}

#[test]
fn what_is_called_off_says_when_it_was_due_as_it_stood_then() {
    let due_at_the_end = |story: &Story, measure: Measure| {
        let of = story.clock(measure).clock_id;
        let ends = story.events.iter().filter_map(|event| match event {
            Event::ClockStopped { clock_id, at, due_at, .. } if *clock_id == of => Some((*at, due_at.unwrap())),
            _ => None,
        });
        ends.max().unwrap()
    };
    // The timer has said that it was overdue before it was heard that it had been called off in time.
    let mut late = request(Priority::P3, "11-23T10:00");
    late.wait_until("11-23T12:10");
    assert!(late.clock(Measure::Acknowledge).breached_at.is_some());
    late.does(&follow(Milestone::Cancelled, false), &heard("11-23T11:00", "11-23T12:11"));
    assert_eq!(due_at_the_end(&late, Measure::Acknowledge), (at("11-23T11:00"), at("11-23T12:00")));
    // More time was given to what had been overdue.
    let mut given = request(Priority::P2, "11-23T10:00");
    given.wait_until("11-23T10:20");
    assert!(given.clock(Measure::Acknowledge).breached_at.is_some());
    given.at("11-23T10:30", &Command::Prioritise(Priority::P4));
    given.follow("11-23T11:00", Milestone::Cancelled);
    let (stopped, due) = due_at_the_end(&given, Measure::Acknowledge);
    assert!(stopped < due, "{due}");
}

// Whole histories, in whatever order they are heard.

/// Something that an event tells.
#[derive(Debug, Clone)]
enum Tells {
    Step(Step),
    Move(CaseStatus, &'static str),
    Order(u128, WorkStep, Option<(Milestone, Effect)>),
}

type Heard = (DateTime<Utc>, Tells);

/// What intake keeps of a case, and what it has heard.
struct Books {
    case: Case,
    story: Story,
}

fn facts_of_case(at: DateTime<Utc>) -> domain::Facts {
    domain::Facts { now: at, at, ..case_tests::facts(&[]) }
}

impl Books {
    fn new(kind: CaseKind, priority: Priority) -> Self {
        Self { case: case_tests::opened(kind), story: Story::of(matter(kind, priority, minute(0))) }
    }

    /// As `crate::consume` does.
    fn hears(&mut self, (at, tells): &Heard, now: DateTime<Utc>) {
        let before = self.story.state.clone();
        match tells {
            Tells::Step(step) => self.progress(step, *at, now),
            Tells::Move(status, stage) => {
                self.decides(&case::Command::Move { status: *status, stage }, *at);
            }
            Tells::Order(id, step, told) => {
                let (told, effect) = told.unzip();
                let order = WorkOrderId::from(Uuid::from_u128(*id));
                let heard = HeardOfOrder { order, told, ..heard_of("engineering", step.clone()) };
                let rests = self.case.rests_after(effect, *at);
                let waits = self.story.state.has_to_wait(&heard, *at, rests);
                if let Some((milestone, effect)) = told.zip(effect).filter(|_| !waits) {
                    self.progress(&Step::new(milestone, effect), *at, now);
                }
                self.story.does(&Command::Work { heard, rests }, &Facts { at: *at, ..system(now) });
            }
        }
        for (milestone, at) in self.story.state.taken_up_since(&before) {
            self.decides(&case::Command::Progress(Step::news(milestone)), at);
        }
    }

    fn decides(&mut self, command: &case::Command, at: DateTime<Utc>) {
        let events = self.case.decide(command, &facts_of_case(at)).unwrap();
        self.case = replay(self.case.clone(), &events);
    }

    fn progress(&mut self, step: &Step, at: DateTime<Utc>, now: DateTime<Utc>) {
        self.decides(&case::Command::Progress(step.clone()), at);
        if self.case.is_over() && !self.case.has_taken(step, at) {
            return;
        }
        let follow = Command::Follow { milestone: step.milestone, status: self.case.status, call_back: false };
        self.story.does(&follow, &Facts { at, ..system(now) });
    }

    /// What is left in the end, whatever was heard first.
    ///
    /// * `is_meant`: of which clocks.
    fn picture(&self, is_meant: fn(&KeptClock) -> bool) -> (String, Vec<String>) {
        let state = &self.story.state;
        let lasted =
            |kept: &&KeptClock| kept.outcome != Some(Outcome::Void) || kept.clock.stopped_at != kept.clock.started_at();
        let mut all: Vec<String> = state
            .clocks
            .iter()
            .filter(lasted)
            .filter(|kept| is_meant(kept))
            .map(|kept| {
                let (started, stopped) = (kept.clock.started_at(), kept.clock.stopped_at);
                let of = kept.work_order.map(|id| id.get().as_u128());
                format!(
                    "{} {} {of:?} {} {:?} {started:?} {stopped:?}",
                    kept.measure, kept.party, kept.episode, kept.outcome
                )
            })
            .collect();
        all.extend(state.orders.iter().map(|order| format!("{order:?}")));
        all.extend(state.climbs.iter().map(|climb| format!("{} {:?}", climb.cause, climb.work_order)));
        let tasks = state.tasks.iter().filter(|task| task.work_order.is_some());
        all.extend(tasks.map(|task| format!("{} {:?}", task.duty, task.work_order)));
        all.sort();
        (format!("{} {} {} {}", self.case.status, self.case.stage, state.open, state.episode), all)
    }
}

/// Minutes after the case was opened.
fn minute(minutes: i64) -> DateTime<Utc> {
    at("11-23T12:00") + TimeDelta::minutes(minutes)
}

fn step(minutes: i64, milestone: Milestone, status: CaseStatus, stage: &'static str) -> Heard {
    (minute(minutes), Tells::Step(Step::to(milestone, status, stage)))
}

fn moves(minutes: i64, stage: &'static str) -> Heard {
    (minute(minutes), Tells::Move(CaseStatus::InProgress, stage))
}

fn order(minutes: i64, id: u128, of_order: WorkStep) -> Heard {
    use {Milestone as M, WorkStep as W};
    let told = match &of_order {
        W::Assigned { .. } => Some(M::TechnicianAssigned),
        W::Accepted => Some(M::TechnicianAccepted),
        W::Departed => Some(M::TechnicianOnTheWay),
        W::Arrived => Some(M::TechnicianOnSite),
        W::MadeSafe => Some(M::MadeSafe),
        W::Held { .. } => Some(M::OnHold),
        W::Resumed => Some(M::Resumed),
        W::Opened | W::Returned | W::Transferred | W::Completed | W::Cancelled => None,
    };
    (minute(minutes), Tells::Order(id, of_order, told.map(|milestone| (milestone, Effect::Told))))
}

fn held() -> WorkStep {
    WorkStep::Held { reason: "access".into(), evidence: Vec::new() }
}

/// A request whose owner came back twice: once on work that was reported done, once after the end. Each list is of one thing, in order.
fn of_request() -> [Vec<Heard>; 4] {
    use {CaseStatus as S, Milestone as M, WorkStep as W};
    let request = vec![
        step(5, M::ServiceConfirmed, S::InProgress, "confirmed"),
        step(10, M::Routed, S::InProgress, "routed"),
        moves(20, "in_work"),
        step(90, M::WorkDone, S::Resolved, "done_reported"),
        step(100, M::Rework, S::InProgress, "in_work"),
        moves(100, "routed"),
        moves(130, "in_work"),
        step(160, M::WorkDone, S::Resolved, "done_reported"),
        step(170, M::Verified, S::Resolved, "owner_verified"),
        step(170, M::Closed, S::Closed, "closed"),
        step(300, M::Rework, S::InProgress, "in_work"),
        moves(330, "in_work"),
        step(350, M::WorkDone, S::Resolved, "done_reported"),
        step(360, M::Verified, S::Resolved, "owner_verified"),
        step(360, M::Closed, S::Closed, "closed"),
    ];
    let first = vec![
        order(10, 31, W::Opened),
        order(12, 31, assigned("tech-1")),
        order(20, 31, W::Accepted),
        order(25, 31, W::Departed),
        order(40, 31, W::Arrived),
        order(42, 31, W::MadeSafe),
        order(45, 31, held()),
        order(80, 31, W::Resumed),
        order(90, 31, W::Completed),
    ];
    let second = vec![
        order(100, 32, W::Opened),
        order(102, 32, assigned("tech-1")),
        order(110, 32, W::Returned),
        order(120, 32, assigned("tech-2")),
        order(130, 32, W::Accepted),
        order(140, 32, W::Arrived),
        order(160, 32, W::Completed),
    ];
    let third = vec![
        order(300, 33, W::Opened),
        order(310, 33, W::Transferred),
        order(320, 33, assigned("tech-2")),
        order(330, 33, W::Accepted),
        order(335, 33, W::Arrived),
        order(350, 33, W::Completed),
    ];
    [request, first, second, third]
}

/// What happened until then; called off in that moment, if it is to be, with the work that was going on.
fn until(mut history: [Vec<Heard>; 4], minutes: i64, called_off: bool) -> [Vec<Heard>; 4] {
    for of_one in &mut history {
        of_one.retain(|(at, _)| *at <= minute(minutes));
    }
    let closes = |(_, tells): &Heard| matches!(tells, Tells::Step(step) if step.milestone == Milestone::Closed);
    if !called_off || history[0].last().is_some_and(closes) {
        return history;
    }
    let off_at = minute(minutes) + TimeDelta::seconds(1);
    history[0].push((off_at, Tells::Step(Step::to(Milestone::Cancelled, CaseStatus::Cancelled, "cancelled"))));
    for of_order in &mut history[1..] {
        let open = match of_order.last() {
            Some((_, Tells::Order(_, WorkStep::Completed, _))) | None => None,
            Some((_, Tells::Order(id, ..))) => Some(*id),
            Some(_) => None,
        };
        of_order.extend(open.map(|id| (off_at, Tells::Order(id, WorkStep::Cancelled, None))));
    }
    history
}

/// Heard in the order in which it happened; what belongs together, as it stands there.
fn in_order(history: &[Vec<Heard>]) -> Vec<Heard> {
    let mut all: Vec<Heard> = history.iter().flatten().cloned().collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

/// How many events of the request come before the end on which its owner comes back with that work order.
const ENDS: [usize; 4] = [0, 0, 4, 10];

/// Heard in another order: of one thing always the next.
///
/// * `ends_first`: that something came to its end is heard before the work for which its owner came back on it.
fn in_any_order(history: &[Vec<Heard>; 4], choices: &[Index], ends_first: bool) -> Vec<Heard> {
    let mut next = [0; 4];
    let mut heard = Vec::new();
    let mut choices = choices.iter().cycle();
    loop {
        let can_be = |place: &usize| next[*place] < history[*place].len() && (!ends_first || next[0] >= ENDS[*place]);
        let can_be: Vec<usize> = (0..4).filter(can_be).collect();
        let Some(choice) = choices.next().filter(|_| !can_be.is_empty()) else { return heard };
        let place = can_be[choice.index(can_be.len())];
        heard.push(history[place][next[place]].clone());
        next[place] += 1;
    }
}

fn books_of(heard: &[Heard], seconds_apart: i64) -> Result<Books, TestCaseError> {
    let mut books = Books::new(CaseKind::ServiceRequest, Priority::P1);
    let all_happened = heard.iter().map(|(at, _)| *at).max().unwrap_or(minute(0));
    let mut now = minute(0);
    for one in heard {
        // Late, all at once: as after an outage. Or each in its time.
        now = if seconds_apart > 0 { all_happened + TimeDelta::seconds(seconds_apart) } else { now.max(one.0) };
        books.story.wait_until_at(now);
        books.hears(one, now);
        let is_resolved = books.case.status == CaseStatus::Resolved;
        let state = &books.story.state;
        if books.case.is_over() {
            prop_assert!(!state.clocks.iter().any(KeptClock::is_running), "a clock runs after {:?}", one);
            prop_assert_eq!((&state.climbs, state.next_at), (&Vec::new(), None));
        }
        prop_assert_eq!(state.open, !books.case.is_over());
        prop_assert!(!is_resolved || !state.clocks.iter().any(|kept| kept.is_running() && kept.is_of_company()));
    }
    Ok(books)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever of a request and its work orders is heard first, and whenever it was called off: nothing runs after the end, and in the
    /// end the same was measured, is known, climbs and is to be done.
    #[test]
    fn clocks_orders_and_climbs_come_out_the_same_whatever_is_heard_first(
        choices in vec(any::<Index>(), 40),
        minutes in 0_i64..400,
        called_off in any::<bool>(),
        late in 0_i64..2,
    ) {
        let history = until(of_request(), minutes, called_off);
        let usual = books_of(&in_order(&history), 0)?;
        let other = books_of(&in_any_order(&history, &choices, true), late)?;
        prop_assert_eq!(other.picture(|_| true), usual.picture(|_| true));
    }

    /// Also when even the end on which its owner came back is heard after the work for that. Then nobody can know that who has answered, or
    /// come, has done so for what begins only later.
    #[test]
    fn work_comes_out_the_same_even_if_it_is_heard_before_the_end_that_it_follows(
        choices in vec(any::<Index>(), 40),
        minutes in 0_i64..400,
        called_off in any::<bool>(),
    ) {
        let history = until(of_request(), minutes, called_off);
        let usual = books_of(&in_order(&history), 0)?;
        let other = books_of(&in_any_order(&history, &choices, false), 1)?;
        let is_meant = |kept: &KeptClock| kept.episode == 1 || !kept.is_of_company();
        prop_assert_eq!(other.picture(is_meant), usual.picture(is_meant));
    }
}
