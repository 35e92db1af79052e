//! The clocks of a case: which start when, what stops and pauses them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{Clock, ClockEvent, Measure, Party, Pin, Target, clock::Pause, policy::TargetRule};
use steward_kernel::{
    ids::WorkOrderId,
    vocabulary::{CaseKind, CaseStatus, Priority},
    word_enum,
};
use uuid::Uuid;

use super::{
    Cause, Event, NewClock, Order,
    deciding::{Deciding, instant},
    moves::is_agreed,
};
use crate::domain::timeline::Milestone;

/// From this used share on a clock is at risk.
pub(super) const AT_RISK_PERCENT: u16 = 75;
/// Why clocks are paused while the case waits for its owner.
const AWAITING_OWNER: &str = "awaiting_owner";
/// What is measured from the start of an episode.
const FROM_THE_START: [Measure; 6] =
    [Measure::Acknowledge, Measure::Plan, Measure::Arrive, Measure::MakeSafe, Measure::Finish, Measure::Decide];

/// What is measured of a work order: it is done, and nothing about it is planned or decided for its owner.
pub(super) const OF_ORDERS: [Measure; 4] = [Measure::Acknowledge, Measure::Arrive, Measure::MakeSafe, Measure::Finish];

/// Whether something can happen to such a case that ends the measure from its start on: a policy that names no kind is for those alone.
const fn can_end(measure: Measure, kind: CaseKind) -> bool {
    match kind {
        CaseKind::Inquiry => matches!(measure, Measure::Acknowledge | Measure::Finish),
        CaseKind::Suggestion => matches!(measure, Measure::Acknowledge | Measure::Decide),
        CaseKind::Complaint => !matches!(measure, Measure::Finish),
        CaseKind::ServiceRequest => !matches!(measure, Measure::Plan | Measure::Decide),
    }
}

word_enum! {
    /// How a clock ended.
    Outcome {
        /// In time.
        Met = "met",
        /// Too late.
        Missed = "missed",
        /// Nobody did what it measured, and nobody has to any more.
        Void = "void",
    }
}

/// Why a clock stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What it measures was done.
    Done,
    /// A call-back was tried on as many days as is due, and reached nobody.
    InVain,
    /// Nobody has to do it any more: called off, closed, passed on, begun anew.
    CalledOff,
}

impl End {
    /// What was done was in time or too late; what was not done is never met, and an attempt in vain was too late or has lost its object.
    const fn outcome(self, breached: bool) -> Outcome {
        match (self, breached) {
            (Self::Done, false) => Outcome::Met,
            (Self::Done | Self::InVain, true) => Outcome::Missed,
            (Self::InVain, false) | (Self::CalledOff, _) => Outcome::Void,
        }
    }
}

/// When a running clock is due, as it looks now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When; none while a pause without end lasts.
    pub due_at: Option<DateTime<Utc>>,
    /// From when on it is at risk.
    pub at_risk_at: Option<DateTime<Utc>>,
    /// Whether it is paused.
    pub paused: bool,
}

/// A clock of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptClock {
    /// Its id.
    pub clock_id: Uuid,
    /// What it measures.
    pub measure: Measure,
    /// Whose it is.
    pub party: Party,
    /// Code of the department or contractor.
    pub department: Option<String>,
    /// The work order it measures; none = the case.
    pub work_order: Option<WorkOrderId>,
    /// The episode.
    pub episode: u32,
    /// The priority when it started.
    pub priority: Priority,
    /// Whether it was overdue when it was entered.
    pub late_entry: bool,
    /// The clock.
    pub clock: Clock,
    /// How it ended; none as long as it runs.
    pub outcome: Option<Outcome>,
    /// When it was first overdue.
    pub breached_at: Option<DateTime<Utc>>,
    /// When it is due.
    pub due: Due,
    /// Rungs of its ladder that were reached.
    pub rungs: u32,
    /// When somebody took its escalation in hand.
    pub acknowledged_at: Option<DateTime<Utc>>,
}

impl KeptClock {
    pub(super) fn of(new: &NewClock, priority: Priority) -> Self {
        Self {
            clock_id: new.clock_id,
            measure: new.measure,
            party: new.party,
            department: new.department.clone(),
            work_order: new.work_order,
            episode: new.episode,
            priority,
            late_entry: new.late_entry,
            clock: Clock { late_entry: new.late_entry, ..Clock::of([&new.started]) },
            outcome: None,
            breached_at: None,
            due: Due::default(),
            rungs: 0,
            acknowledged_at: None,
        }
    }

    pub(super) fn change(&mut self, change: &ClockEvent) {
        self.clock = std::mem::take(&mut self.clock).after(change);
    }

    pub(super) fn stop(&mut self, outcome: Outcome, at: DateTime<Utc>) {
        self.change(&ClockEvent::Stopped { at });
        self.outcome = Some(outcome);
        self.due.paused = false;
        // What was said to be overdue was done in time: the word of it came late.
        if outcome == Outcome::Met {
            self.breached_at = None;
        }
    }

    /// Whether word of what it measures comes late: it was said to have stopped at a later time than the word's own. What was done in the moment in
    /// which it was called off may be heard after that.
    fn was_stopped_too_late(&self, at: DateTime<Utc>) -> bool {
        let was_void_then = self.outcome == Some(Outcome::Void) && self.clock.stopped_at == Some(at);
        self.stopped_after(at) || was_void_then && self.clock.started_at().is_some_and(|started| started <= at)
    }

    /// Whether it has stopped since, and ran then.
    pub(super) fn stopped_after(&self, at: DateTime<Utc>) -> bool {
        self.clock.started_at().is_some_and(|started| started <= at)
            && self.clock.stopped_at.is_some_and(|stopped| at < stopped)
    }

    /// Whether it still runs, paused or not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether the company waits with it for something: answers are never put off.
    fn can_be_paused(&self) -> bool {
        !matches!(self.measure, Measure::Acknowledge | Measure::FollowUp)
    }

    pub(super) fn is_of(&self, order: WorkOrderId) -> bool {
        self.work_order == Some(order)
    }

    pub(super) fn is_of_company(&self) -> bool {
        self.party == Party::Company
    }
}

/// Whether a person of the company has answered with it. Calling off is no answer, whoever does it.
fn is_answer(milestone: Milestone) -> bool {
    milestone.is_human()
        && !matches!(milestone, Milestone::Cancelled | Milestone::Withdrawn | Milestone::RemedyCalledOff)
}

// Starting.
impl Deciding<'_> {
    pub(super) fn target(&self, rule: &TargetRule, department: Option<&str>, kept: Option<&Pin>) -> Option<Target> {
        let newest = self.facts.ruling.pin(rule.hours, department);
        // An old case keeps the version of its calendar.
        let pin = kept.filter(|kept| kept.calendar == newest.calendar).cloned().unwrap_or(newest);
        Some(Target { within: rule.within?, pin, at_most_seconds: rule.at_most_seconds() })
    }

    pub(super) fn new_clock(&self, measure: Measure, order: Option<&Order>, at: DateTime<Utc>) -> Option<NewClock> {
        let party = order.map_or(Party::Company, Order::party);
        let department = order.map(|order| order.department.as_str());
        let rule = self.facts.ruling.policies.target(measure, party, &self.matter.sought())?;
        let target = self.target(rule, department, None)?;
        Some(self.clock_with(target, measure, order, at))
    }

    pub(super) fn clock_with(
        &self,
        target: Target,
        measure: Measure,
        order: Option<&Order>,
        at: DateTime<Utc>,
    ) -> NewClock {
        let timetable = &self.facts.timetable;
        let budget = target.budget(at, timetable);
        let started = ClockEvent::Started { at, target, budget };
        // Work may be heard of after its owner has come back on it.
        let episode = order.map_or(self.state.episode, |_| self.state.episode_at(at));
        let of = order.map_or_else(String::new, |order| format!("/{}/{}", order.id, order.hops));
        let same = self.state.clocks.iter().filter(|kept| {
            kept.measure == measure && kept.work_order == order.map(|order| order.id) && kept.episode == episode
        });
        let again = same.count();
        NewClock {
            clock_id: self.id(&format!("clock/{measure}{of}/{episode}/{again}")),
            measure,
            party: order.map_or(Party::Company, Order::party),
            department: order.map(|order| order.department.clone()),
            work_order: order.map(|order| order.id),
            episode,
            late_entry: at < self.matter.opened_at
                && Clock::of([&started]).due_at(timetable) <= self.matter.opened_at.timestamp(),
            started,
        }
    }

    /// The company's clocks of an episode.
    ///
    /// * `adopted`: the first answer and what came of it lie in the past and are not measured any more.
    pub(super) fn first_clocks(&self, at: DateTime<Utc>, adopted: bool) -> Vec<NewClock> {
        let kind = self.matter.kind;
        let measured = FROM_THE_START
            .into_iter()
            .filter(|measure| can_end(*measure, kind))
            .filter(|measure| !adopted || matches!(measure, Measure::Finish | Measure::Decide));
        measured.filter_map(|measure| self.new_clock(measure, None, at)).collect()
    }

    pub(super) fn start(&mut self, clocks: Vec<NewClock>) {
        if !clocks.is_empty() {
            self.emit(Event::ClocksStarted { clocks });
        }
    }
}

// Stopping.
impl Deciding<'_> {
    fn running(&self, is_meant: impl Fn(&KeptClock) -> bool) -> Vec<Uuid> {
        let running = self.state.clocks.iter().filter(|kept| kept.is_running() && is_meant(kept));
        running.map(|kept| kept.clock_id).collect()
    }

    pub(super) fn stop(&mut self, is_meant: impl Fn(&KeptClock) -> bool, end: End) {
        if end == End::Done {
            self.hear_late(&is_meant);
        }
        // What was done before the owner came back does nothing of what is to be done since.
        for clock_id in self.running(|kept| is_meant(kept) && (end == End::CalledOff || self.is_of_its_time(kept))) {
            self.stop_one(clock_id, end);
        }
    }

    /// Whether what is followed happened in the time of a clock that runs: not before the owner came back.
    fn is_of_its_time(&self, kept: &KeptClock) -> bool {
        kept.episode < self.state.episode || !self.is_of_before()
    }

    /// Whether what is followed happened in an earlier episode, and is heard late.
    pub(super) fn is_of_before(&self) -> bool {
        self.state.episode_at(self.at) < self.state.episode
    }

    fn stop_one(&mut self, clock_id: Uuid, end: End) {
        let Some(kept) = self.state.clock(clock_id) else { return };
        let at = kept.clock.started_at().map_or(self.at, |started| started.max(self.at));
        let known = kept.breached_at;
        let stopped = kept.clock.clone().after(&ClockEvent::Stopped { at });
        let Some(reading) = stopped.read(&self.facts.timetable, at) else { return };
        // Not what the timer has said: it may have looked before the word of what was done came.
        let breached_at = reading.breached_at.and_then(instant);
        let outcome = end.outcome(breached_at.is_some());
        if let Some(due_at) = breached_at.filter(|_| known.is_none()) {
            self.emit(Event::ClockBreached { clock_id, due_at });
        }
        let (elapsed, paused, due_at) = (reading.elapsed, reading.paused, instant(reading.due_at));
        self.emit(Event::ClockStopped { clock_id, outcome, at, elapsed, paused, due_at });
    }

    /// What was done before a clock was said to be missed or void stopped it then.
    fn hear_late(&mut self, is_meant: impl Fn(&KeptClock) -> bool) {
        let at = self.at;
        let late = self.state.clocks.iter().filter(|kept| kept.was_stopped_too_late(at) && is_meant(kept));
        for clock_id in late.map(|kept| kept.clock_id).collect::<Vec<_>>() {
            self.judge_again(clock_id, End::Done, at);
        }
    }

    /// Says anew how a clock that has stopped came out, if that is other than what was said.
    pub(super) fn judge_again(&mut self, clock_id: Uuid, end: End, at: DateTime<Utc>) {
        let Some(kept) = self.state.clock(clock_id) else { return };
        let stopped = kept.clock.clone().after(&ClockEvent::Stopped { at });
        let Some(reading) = stopped.read(&self.facts.timetable, at) else { return };
        let breached_at = reading.breached_at.and_then(instant);
        let outcome = end.outcome(breached_at.is_some());
        if let Some(due_at) = breached_at.filter(|_| outcome == Outcome::Missed && kept.breached_at.is_none()) {
            self.emit(Event::ClockBreached { clock_id, due_at });
        }
        let (elapsed, paused, due_at) = (reading.elapsed, reading.paused, instant(reading.due_at));
        self.emit(Event::ClockCorrected { clock_id, outcome, at, elapsed, paused, due_at });
    }

    fn stop_company(&mut self, measures: &[Measure], end: End) {
        self.stop(|kept| kept.party == Party::Company && measures.contains(&kept.measure), end);
    }

    pub(super) fn stop_all(&mut self) {
        self.stop(|_| true, End::CalledOff);
    }

    /// The owner was called on as many days as is due, and was not reached.
    pub(super) fn call_in_vain(&mut self) {
        self.stop_company(&[Measure::FollowUp], End::InVain);
        self.tasks_of_called_back();
    }
}

// Following the case.
impl Deciding<'_> {
    /// A person of the company has said something to the owner.
    pub(super) fn answered(&mut self) {
        self.stop_company(&[Measure::Acknowledge], End::Done);
        self.end_climbs_where(|climb| climb.cause == Cause::LateEntry);
    }

    pub(super) fn follow(&mut self, milestone: Milestone, status: CaseStatus, call_back: bool) {
        self.follow_deed(milestone, status, call_back);
        // Whatever made it go on: the clocks wait no longer than the case.
        if status != CaseStatus::AwaitingOwner {
            self.wait_no_longer();
        }
        if matches!(status, CaseStatus::Resolved | CaseStatus::Closed | CaseStatus::Cancelled) {
            // What was not done by then, nobody has to do any more.
            self.stop(|kept| kept.party == Party::Company && kept.measure != Measure::FollowUp, End::CalledOff);
            self.end_climbs_where(|climb| climb.cause == Cause::Reopened);
        }
    }

    /// What was done, wherever the case stands after it.
    pub(super) fn follow_deed(&mut self, milestone: Milestone, status: CaseStatus, call_back: bool) {
        if is_answer(milestone) {
            self.answered();
        }
        self.follow_step(milestone, status, call_back);
    }

    fn follow_step(&mut self, milestone: Milestone, status: CaseStatus, call_back: bool) {
        use {Measure as W, Milestone as M};
        match milestone {
            M::PlanTold => self.stop_company(&[W::Plan], End::Done),
            M::Decided => {
                self.stop_company(&[W::Plan, W::Decide], End::Done);
                self.start_follow_up();
            }
            M::Accepted | M::Deferred => self.stop_company(&[W::Decide], End::Done),
            // To decide against a suggestion is a decision; to decline a request is not to finish it.
            M::Declined => {
                self.stop_company(&[W::Decide], End::Done);
                self.stop_company(&[W::Plan, W::Arrive, W::MakeSafe, W::Finish], End::CalledOff);
            }
            M::TechnicianOnSite => self.arrive(),
            M::MadeSafe => self.stop_company(&[W::MakeSafe], End::Done),
            M::WorkDone => self.stop_company(&[W::MakeSafe, W::Finish], End::Done),
            M::Answered => {
                self.stop_company(&[W::Finish], End::Done);
                if call_back {
                    self.start_follow_up();
                }
            }
            M::FollowedUp => self.stop_company(&[W::FollowUp], End::Done),
            // The owner has spoken unasked: there is nothing to call back for, but nobody has called either.
            M::Confirmed | M::Verified | M::Closed => self.stop_company(&[W::FollowUp], End::CalledOff),
            M::AwaitingOwner | M::InfoRequested if status == CaseStatus::AwaitingOwner => self.wait(),
            M::Reopened | M::Rework => self.reopen(),
            M::AwaitingOwner
            | M::InfoRequested
            | M::InfoProvided
            | M::SurveyAnswered
            | M::Received
            | M::Withdrawn
            | M::Cancelled
            | M::Acknowledged
            | M::Assessed
            | M::Consulting
            | M::Resumed
            | M::RemedyStarted
            | M::RemedyDone
            | M::RemedyCalledOff
            | M::ServiceConfirmed
            | M::AppointmentSet
            | M::AppointmentMoved
            | M::DeadlineExtended
            | M::PromiseMade
            | M::PromiseMoved
            | M::PauseContested
            | M::Routed
            | M::TechnicianAssigned
            | M::TechnicianAccepted
            | M::TechnicianOnTheWay
            | M::OnHold
            | M::FollowUpDue
            | M::Considered
            | M::Planned
            | M::Delivered
            | M::Linked
            | M::SatisfactionAsked => {}
        }
    }

    /// Somebody is on the spot. Who comes long before the window that was agreed upon has not come for it.
    fn arrive(&mut self) {
        let too_early = self.keep_appointment();
        self.stop(
            |kept| {
                let is_arrival = kept.party == Party::Company && kept.measure == Measure::Arrive;
                is_arrival && !(too_early && is_agreed(&kept.clock))
            },
            End::Done,
        );
    }

    fn start_follow_up(&mut self) {
        if !self.state.open {
            return;
        }
        self.stop_company(&[Measure::FollowUp], End::CalledOff);
        self.start(self.new_clock(Measure::FollowUp, None, self.at).into_iter().collect());
    }

    /// A new episode with its own clocks. What still ran in the old one is over.
    fn reopen(&mut self) {
        let at = self.at;
        self.stop(|kept| kept.party == Party::Company, End::CalledOff);
        self.emit(Event::Reopened { episode: self.state.episode + 1, at });
        self.start(self.first_clocks(at, false));
        self.restart_orders();
        self.climb(Cause::Reopened, None);
    }

    fn wait(&mut self) {
        // Told twice by two services, it is one wait. A clock that stopped meanwhile waits for nobody.
        let open = self.wait_id();
        let waits = |kept: &KeptClock| kept.clock.pauses.iter().any(|p| p.pause_id == open && p.to.is_none());
        if !self.running(waits).is_empty() {
            return;
        }
        self.emit(Event::Waited);
        self.pause(AWAITING_OWNER, self.wait_id(), &[], |_| true);
    }

    fn wait_no_longer(&mut self) {
        self.resume(self.wait_id());
    }

    fn wait_id(&self) -> Uuid {
        self.id(&format!("wait/{}", self.state.waits))
    }

    /// Pauses what the policy lets this reason pause.
    pub(super) fn pause(
        &mut self,
        reason: &str,
        pause_id: Uuid,
        evidence: &[Uuid],
        is_meant: impl Fn(&KeptClock) -> bool,
    ) {
        let Some(rule) = self.facts.ruling.policies.pause(reason) else { return };
        let pause = Pause {
            pause_id,
            from: self.at,
            to: None,
            reason: reason.to_owned(),
            cap_seconds: rule.cap_seconds(),
            evidence: evidence.to_vec(),
            struck: false,
        };
        let can_be = |kept: &KeptClock| rule.parties.contains(&kept.party) && kept.can_be_paused() && is_meant(kept);
        let lasts = |kept: &KeptClock| match kept.is_running() {
            true => self.is_of_its_time(kept),
            false => kept.stopped_after(self.at),
        };
        let paused = self.state.clocks.iter().filter(|kept| lasts(kept) && can_be(kept));
        let changes = paused.map(|kept| (kept.clock_id, ClockEvent::Paused(pause.clone()))).collect();
        self.change(changes);
    }

    /// Changes clocks. Those that have stopped, since word of it comes late, are judged again.
    fn change(&mut self, changes: Vec<(Uuid, ClockEvent)>) {
        if changes.is_empty() {
            return;
        }
        let changed: Vec<Uuid> = changes.iter().map(|(clock_id, _)| *clock_id).collect();
        self.emit(Event::ClocksChanged { changes });
        self.judge_again_what_ended(&changed);
    }

    pub(super) fn resume(&mut self, pause_id: Uuid) {
        let at = self.at;
        let lasts = |kept: &KeptClock| kept.clock.pauses.iter().any(|p| p.pause_id == pause_id && p.to.is_none());
        let can_go_on = |kept: &KeptClock| kept.is_running() || kept.stopped_after(at);
        let paused = self.state.clocks.iter().filter(|kept| can_go_on(kept) && lasts(kept));
        let changes = paused.map(|kept| (kept.clock_id, ClockEvent::Resumed { pause_id, at })).collect();
        self.change(changes);
        self.end_climbs_where(|climb| climb.cause == Cause::LongPaused && climb.about == Some(pause_id));
    }
}

// Looking ahead.
impl Deciding<'_> {
    /// What a clock has to look at next: the breach, the next rung, the end of a pause by itself.
    pub(super) fn next_of_clocks(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let running = self.state.clocks.iter().filter(|kept| kept.is_running());
        running.flat_map(|kept| {
            // It is breached when its due second is over.
            let due = instant(kept.clock.due_at(&self.facts.timetable)).filter(|_| kept.breached_at.is_none());
            let breach = due.map(|due| due + TimeDelta::seconds(1));
            let rung = self.next_rung(kept).and_then(|(_, _, at)| instant(at));
            let pause_ends = kept.clock.pauses.iter().filter(|pause| self.is_still_to_run_out(pause));
            breach.into_iter().chain(rung).chain(pause_ends.filter_map(|pause| instant(pause.ends())))
        })
    }

    pub(super) fn is_still_to_run_out(&self, pause: &Pause) -> bool {
        pause.ends_by_itself() && !pause.struck && !self.state.ran_out.contains(&pause.pause_id) && pause.to.is_none()
    }
}
