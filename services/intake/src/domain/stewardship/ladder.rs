//! Escalation: each rung once, until somebody takes the matter in hand.
//!
//! A clock climbs by its used share (policy). What stands first (unowned, returned, long paused, reopened, a broken promise) climbs by time, from the lead
//! on. Who acknowledges stops the climb; a clock that was acknowledged before it was due climbs again once it is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{
    Ladder, Level, Measure, Party,
    policy::{Step, When},
    span::NEVER,
};
use steward_kernel::ids::WorkOrderId;
use uuid::Uuid;

use super::{
    Account, Cause, Event, KeptClock, LEADS, Refusal, What,
    deciding::{Deciding, instant},
};
use crate::domain::ruling::HEAD_OFFICE;

/// A rung that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Which; made of its ladder and rung, so that no rung is reached twice.
    pub escalation_id: Uuid,
    /// The clock that climbs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_id: Option<Uuid>,
    /// What climbs for another reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub climb_id: Option<Uuid>,
    /// Why.
    pub cause: Cause,
    /// Whom it reaches.
    pub level: Level,
    /// Which rung, from 1.
    pub rung: u32,
    /// Used share of the clock, percent.
    pub share: u32,
    /// When the clock is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Who is told.
    pub told: Vec<Account>,
    /// When.
    pub at: DateTime<Utc>,
    /// Who took it in hand, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<(Account, DateTime<Utc>)>,
    /// When it needed nobody any more: it was taken in hand, or what it was about is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<DateTime<Utc>>,
}

impl Escalation {
    fn is_of_ladder_of(&self, other: &Self) -> bool {
        (self.clock_id, self.climb_id) == (other.clock_id, other.climb_id)
    }
}

/// Something that stands on the first rungs for another reason than a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    /// Which.
    pub climb_id: Uuid,
    /// Why.
    pub cause: Cause,
    /// The work order it is about, if any.
    pub work_order: Option<WorkOrderId>,
    /// Code of the department whose lead is told first.
    pub department: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How far it has come.
    pub level: Option<Level>,
    /// Rungs reached.
    pub rungs: u32,
    /// When it reached the last one.
    pub last_at: DateTime<Utc>,
    /// Whether its first rung is its last.
    #[serde(default)]
    pub once: bool,
    /// The pause or the promise it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
}

impl Deciding<'_> {
    /// Does everything that is due.
    pub(super) fn look(&mut self) {
        self.look_at_pauses();
        self.look_at_hand_over();
        let running: Vec<Uuid> =
            self.state.clocks.iter().filter(|kept| kept.is_running()).map(|kept| kept.clock_id).collect();
        for clock_id in running {
            self.look_at_breach(clock_id);
            self.climb_clock(clock_id);
        }
        self.look_at_promises();
        self.look_at_climbs();
        self.look_at_tasks();
    }

    /// A pause that was longer than is allowed ends by itself, and says so.
    fn look_at_pauses(&mut self) {
        let now = self.facts.now.timestamp();
        let running = self.state.clocks.iter().filter(|kept| kept.is_running());
        let pauses = running.flat_map(|kept| &kept.clock.pauses);
        let over = pauses.filter(|pause| self.is_still_to_run_out(pause) && pause.ends() <= now);
        let mut over: Vec<(Uuid, i64)> = over.map(|pause| (pause.pause_id, pause.ends())).collect();
        over.sort_unstable();
        over.dedup();
        for (pause_id, at) in over {
            self.emit(Event::PauseRanOut { pause_id, at: instant(at).unwrap_or(self.facts.now) });
            self.climb_about(Cause::LongPaused, pause_id, None);
        }
    }

    fn look_at_breach(&mut self, clock_id: Uuid) {
        let Some(kept) = self.state.clock(clock_id).filter(|kept| kept.breached_at.is_none()) else { return };
        let breached = kept.clock.read(&self.facts.timetable, self.facts.now).and_then(|reading| reading.breached_at);
        if let Some(due_at) = breached.and_then(instant) {
            self.emit(Event::ClockBreached { clock_id, due_at });
        }
    }

    fn ladder(&self) -> Option<&Ladder> {
        self.facts.ruling.policies.ladder(self.matter.priority)
    }

    /// The next rung of a clock that is not silenced: its place from 0, what it is, when it is reached.
    pub(super) fn next_rung(&self, kept: &KeptClock) -> Option<(u32, Step, i64)> {
        // What was overdue when it was entered is told once for all its clocks, not by the rungs that it missed.
        let ladder = self.ladder().filter(|_| !kept.late_entry)?;
        let mut place = kept.rungs;
        loop {
            let step = ladder.rung(usize::try_from(place).ok()?)?;
            if !self.is_silenced(kept, step) {
                return Some((place, step, self.reached_at(kept, step)));
            }
            // What is silenced by an acknowledgement after the due time is silent for good.
            if matches!(step.when, When::Overdue(_)) {
                return None;
            }
            place += 1;
        }
    }

    fn reached_at(&self, kept: &KeptClock, step: Step) -> i64 {
        let at = match step.when {
            When::Share(percent) => kept.clock.share_at(&self.facts.timetable, percent),
            When::Overdue(seconds) => kept.clock.overdue_at(&self.facts.timetable, seconds),
        };
        let department = kept.department.as_deref();
        instant(at).map_or(at, |reached| self.hours_begin(reached, department).timestamp())
    }

    /// "At once" is said by one clock of the matter, not by all of them. An acknowledgement silences what comes before the due time; one after it, everything.
    fn is_silenced(&self, kept: &KeptClock, step: Step) -> bool {
        if step.when == When::Share(0) {
            let says_it = kept.measure == Measure::Acknowledge && kept.party == Party::Company;
            return !says_it || kept.acknowledged_at.is_some();
        }
        let Some(acknowledged_at) = kept.acknowledged_at else { return false };
        match step.when {
            When::Share(percent) if percent < 100 => true,
            When::Share(_) | When::Overdue(_) => {
                let due = kept.clock.due_at(&self.facts.timetable);
                due != NEVER && acknowledged_at.timestamp() > due
            }
        }
    }

    fn climb_clock(&mut self, clock_id: Uuid) {
        let now = self.facts.now.timestamp();
        while let Some(kept) = self.state.clock(clock_id)
            && let Some((mut place, mut step, at)) = self.next_rung(kept)
            && at <= now
        {
            // What repeats is not made up for after an outage: the last one says it all.
            while matches!(step.when, When::Overdue(_))
                && let Some(next) = self.ladder().and_then(|ladder| ladder.rung(place as usize + 1))
                && self.reached_at(kept, next) <= now
            {
                (place, step) = (place + 1, next);
            }
            let escalation = self.rung_of_clock(kept, place, step);
            self.emit(Event::Escalated { escalation });
        }
    }

    fn rung_of_clock(&self, kept: &KeptClock, place: u32, step: Step) -> Escalation {
        let share = kept.clock.read(&self.facts.timetable, self.facts.now).map_or(0, |reading| reading.share);
        let order = kept.work_order.and_then(|id| self.state.order(id));
        let taken = order.is_some_and(|order| order.technician.is_some());
        let is_unowned = kept.measure == Measure::Acknowledge && kept.party != Party::Company && !taken;
        Escalation {
            escalation_id: self.id(&format!("rung/{}/{}", kept.clock_id, place + 1)),
            clock_id: Some(kept.clock_id),
            climb_id: None,
            cause: if is_unowned { Cause::Unowned } else { Cause::Share },
            level: step.level,
            rung: place + 1,
            share: u32::try_from(share).unwrap_or(u32::MAX),
            due_at: instant(kept.clock.due_at(&self.facts.timetable)),
            told: self.told(
                step.level,
                kept.department.as_deref(),
                order.and_then(|order| order.technician.as_deref()),
            ),
            at: self.facts.now,
            acknowledged: None,
            settled_at: None,
        }
    }

    /// Who is on a level now: the holder of the post or who covers for them; where there is none, the next one up.
    pub(super) fn told(&self, level: Level, department: Option<&str>, technician: Option<&str>) -> Vec<Account> {
        let ruling = &self.facts.ruling;
        let department = department.filter(|code| !code.is_empty());
        if level == Level::Worker {
            let people = technician.or(self.state.accountable.account());
            return people.map(|account| ruling.acting_for(account)).into_iter().collect();
        }
        let mut at = level;
        loop {
            if let Some(holder) = ruling.holder(at, department) {
                return vec![holder];
            }
            if at == Level::Company {
                return vec![HEAD_OFFICE.to_owned()];
            }
            at = at.up();
        }
    }
}

// What stands first.
impl Deciding<'_> {
    /// Puts the case, or one of its work orders, on the ladder.
    pub(super) fn climb(&mut self, cause: Cause, order: Option<WorkOrderId>) {
        let department = order.and_then(|id| self.state.order(id)).map(|order| order.department.clone());
        let of = format!("{}/{}", self.state.episode, order.map(|id| id.to_string()).unwrap_or_default());
        self.climb_of(cause, &of, department.as_deref(), order, None);
    }

    /// Puts a pause that was too long, or a promise that was broken, on the ladder.
    pub(super) fn climb_about(&mut self, cause: Cause, about: Uuid, department: Option<&str>) {
        self.climb_of(cause, &about.to_string(), department, None, Some(about));
    }

    fn climb_of(
        &mut self,
        cause: Cause,
        of: &str,
        department: Option<&str>,
        work_order: Option<WorkOrderId>,
        about: Option<Uuid>,
    ) {
        let before =
            self.state.escalations.iter().filter(|known| known.cause == cause && known.climb_id.is_some()).count();
        let climb_id = self.id(&format!("climb/{cause}/{of}/{before}"));
        if self
            .state
            .climbs
            .iter()
            .any(|climb| climb.cause == cause && climb.work_order == work_order && climb.climb_id == climb_id)
        {
            return;
        }
        let (department, since) = (department.map(str::to_owned), self.facts.now);
        let (level, last_at) = (None, since);
        let climb =
            Climb { climb_id, cause, work_order, department, since, level, rungs: 0, last_at, about, once: false };
        self.emit(Event::ClimbBegan { climb });
    }

    /// What was overdue when it was entered climbs by time until somebody takes it up; what comes from the archive is told once.
    pub(super) fn climb_late(&mut self, once: bool) {
        let (climb_id, cause, since) = (self.id("climb/late_entry"), Cause::LateEntry, self.facts.now);
        let (level, last_at) = (None, since);
        let (work_order, department) = (None, None);
        let climb =
            Climb { climb_id, cause, work_order, department, since, level, rungs: 0, last_at, about: None, once };
        self.emit(Event::ClimbBegan { climb });
    }

    /// The case is over: only what a decision has committed to goes on.
    pub(super) fn end_climbs(&mut self) {
        let commitments = self.state.promises.iter().filter(|promise| promise.what == What::Commitment);
        let commitments: Vec<Uuid> = commitments.map(|promise| promise.promise_id).collect();
        self.end_climbs_where(|climb| climb.about.is_none_or(|about| !commitments.contains(&about)));
    }

    pub(super) fn end_climbs_of(&mut self, order: WorkOrderId) {
        self.end_climbs_where(|climb| climb.work_order == Some(order));
    }

    /// What they are about needs nobody any more.
    pub(super) fn end_climbs_where(&mut self, is_meant: impl Fn(&Climb) -> bool) {
        for climb in self.state.climbs.clone().into_iter().filter(is_meant) {
            self.emit(Event::ClimbEnded { climb_id: climb.climb_id, at: self.at });
        }
    }

    /// When it reaches its next rung, and which; none at the top.
    fn next_of_climb(&self, climb: &Climb) -> Option<(Level, DateTime<Utc>)> {
        match climb.level {
            None => Some((Level::Lead, self.hours_begin(climb.since, climb.department.as_deref()))),
            Some(Level::Company) => None,
            Some(_) if climb.once => None,
            Some(level) => {
                let every = self.facts.ruling.policies.climb_every(self.matter.priority)?;
                let pin = self.facts.ruling.pin(self.hours_of_urgency(), None);
                let calendar = self.facts.timetable.get(&pin);
                let last = climb.last_at.timestamp();
                instant(calendar.after(last, every.budget(last, calendar))).map(|at| (level.up(), at))
            }
        }
    }

    fn look_at_climbs(&mut self) {
        for climb in self.state.climbs.clone() {
            let Some((level, at)) = self.next_of_climb(&climb) else { continue };
            if at > self.facts.now {
                continue;
            }
            let rung = climb.rungs + 1;
            let escalation = Escalation {
                escalation_id: self.id(&format!("rung/{}/{rung}", climb.climb_id)),
                clock_id: None,
                climb_id: Some(climb.climb_id),
                cause: climb.cause,
                level,
                rung,
                share: 0,
                due_at: None,
                told: self.told(level, climb.department.as_deref(), None),
                at: self.facts.now,
                acknowledged: None,
                settled_at: None,
            };
            self.emit(Event::Escalated { escalation });
        }
    }

    pub(super) fn next_of_climbs(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.state.climbs.iter().filter_map(|climb| self.next_of_climb(climb).map(|(_, at)| at))
    }

    /// By one of those who were told, who covers for them, or any lead.
    pub(super) fn acknowledge(&mut self, escalation_id: Uuid) -> Result<(), Refusal> {
        let known = self.state.escalations.iter().find(|known| known.escalation_id == escalation_id);
        let escalation = known.ok_or(Refusal::NoSuchEscalation)?;
        if escalation.settled_at.is_some() {
            return Ok(());
        }
        let was_told = escalation.told.iter().any(|account| self.acts_for(account));
        if !was_told && !self.facts.actor.is_any(&LEADS) {
            return Err(Refusal::NotTold);
        }
        // Whoever takes the matter in hand answers for the rungs below as well.
        let ladder = self.state.escalations.iter().filter(|known| known.is_of_ladder_of(escalation));
        let open = ladder.filter(|known| known.settled_at.is_none()).map(|known| known.escalation_id);
        for escalation_id in open.collect::<Vec<_>>() {
            let by = self.facts.actor.id.as_str().to_owned();
            self.emit(Event::EscalationAcknowledged { escalation_id, by, at: self.facts.now });
        }
        Ok(())
    }
}
