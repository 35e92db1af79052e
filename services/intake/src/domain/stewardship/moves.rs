//! How running clocks are moved: another priority or category, an appointment, an extension, a re-basing, an objection that is upheld.

use chrono::{DateTime, Utc};
use steward_clock::{
    Amount, Clock, ClockEvent, Measure, Party, Target, Timetable, clock::Change, policy::Hours, span::NEVER,
};
use steward_kernel::{
    ids::WorkOrderId,
    text::Line,
    vocabulary::Priority,
    word::{self, TakenDown},
};
use uuid::Uuid;

use super::{
    Event, KeptClock, LEADS, Objection, Outcome, Refusal, What,
    clocks::End,
    deciding::{Deciding, instant},
};

impl Deciding<'_> {
    pub(super) fn prioritise(&mut self, priority: Priority) {
        if priority == self.matter.priority || !self.state.open {
            return;
        }
        let before = self.matter.priority;
        self.emit(Event::Prioritised { priority });
        self.retarget(Change::Priority);
        self.tell_breaches_again();
        self.tasks_of_priority(before);
    }

    /// Others count what is overdue and still runs by the priority that it has.
    fn tell_breaches_again(&mut self) {
        let running = self.state.clocks.iter().filter(|kept| kept.is_running());
        let overdue: Vec<_> = running.filter_map(|kept| Some((kept.clock_id, kept.breached_at?))).collect();
        for (clock_id, due_at) in overdue {
            self.emit(Event::ClockBreached { clock_id, due_at });
        }
    }

    pub(super) fn classify(&mut self, category: &str) {
        if category == self.matter.category || !self.state.open {
            return;
        }
        self.emit(Event::Classified { category: category.to_owned() });
        self.retarget(Change::Classification);
    }

    /// Every running clock takes the target of what the matter is now; what has no target any more stops, what has one now starts.
    fn retarget(&mut self, change: Change) {
        let at = self.at;
        let (mut changes, mut gone) = (Vec::new(), Vec::new());
        for kept in self.state.clocks.iter().filter(|kept| kept.is_running() && !is_agreed(&kept.clock)) {
            match self.target_now(kept) {
                None => gone.push(kept.clock_id),
                Some(target) if kept.clock.target() == Some(&target) => {}
                Some(target) => {
                    let start = kept.clock.started_at().unwrap_or(at);
                    let budget = target.budget(start, &self.facts.timetable);
                    changes.push((kept.clock_id, ClockEvent::Retargeted { at, change, target, budget }));
                }
            }
        }
        if !changes.is_empty() {
            self.emit(Event::ClocksChanged { changes });
        }
        self.stop(|kept| gone.contains(&kept.clock_id), End::CalledOff);
        self.start_missing();
    }

    fn target_now(&self, kept: &KeptClock) -> Option<Target> {
        let rule = self.facts.ruling.policies.target(kept.measure, kept.party, &self.matter.sought())?;
        self.target(rule, kept.department.as_deref(), kept.clock.target().map(|target| &target.pin))
    }

    /// On the spot and in safety counts only what was not reached before it had a clock.
    fn start_missing(&mut self) {
        let at = self.at;
        let arrived = self.state.orders.iter().any(|order| order.arrived);
        let safe = self.state.orders.iter().any(|order| order.safe);
        let wanted = [(Measure::Arrive, arrived), (Measure::MakeSafe, safe)];
        let mut clocks = Vec::new();
        for (measure, _) in wanted.iter().filter(|(_, reached)| !reached) {
            clocks.extend(self.missing(*measure, None).then(|| self.new_clock(*measure, None, at)).flatten());
        }
        for order in &self.state.orders {
            for (measure, reached) in [(Measure::Arrive, order.arrived), (Measure::MakeSafe, order.safe)] {
                let missing = !reached && self.missing(measure, Some(order.id));
                clocks.extend(missing.then(|| self.new_clock(measure, Some(order), at)).flatten());
            }
        }
        self.start(clocks);
    }

    fn missing(&self, measure: Measure, order: Option<WorkOrderId>) -> bool {
        let has = |kept: &KeptClock| {
            kept.measure == measure
                && kept.work_order == order
                && kept.episode == self.state.episode
                && kept.outcome != Some(Outcome::Void)
        };
        let settled = self.state.clocks.iter().any(|kept| {
            kept.measure == Measure::Finish
                && kept.work_order == order
                && kept.episode == self.state.episode
                && kept.outcome.is_some()
        });
        !settled && !self.state.clocks.iter().any(has)
    }

    /// Somebody is there within the window that was agreed upon; where the policy sets a time of its own, that stays.
    pub(super) fn appoint(&mut self, from: Option<DateTime<Utc>>, until: DateTime<Utc>) {
        // Word of a visit may come after the end of the case: then nobody comes.
        if !self.state.open {
            return;
        }
        let at = self.at;
        self.promise_appointment(from, until);
        let target = Target {
            within: Amount::Until(until),
            pin: self.facts.ruling.pin(Hours::Always, None),
            at_most_seconds: None,
        };
        let arriving = self
            .state
            .clocks
            .iter()
            .find(|kept| kept.is_running() && kept.party == Party::Company && kept.measure == Measure::Arrive);
        match arriving {
            Some(kept) if is_agreed(&kept.clock) => {
                let budget = until_budget(&kept.clock, at, until, &self.facts.timetable);
                let changed = ClockEvent::Retargeted { at, change: Change::Appointment, target, budget };
                let changes = vec![(kept.clock_id, changed)];
                self.emit(Event::ClocksChanged { changes });
            }
            Some(_) => {}
            None => self.start(vec![self.clock_with(target, Measure::Arrive, None, at)]),
        }
    }

    pub(super) fn extend(&mut self, clock_id: Uuid, until: DateTime<Utc>, reason: &Line) -> Result<(), Refusal> {
        let kept = self.state.clock(clock_id).ok_or(Refusal::NoSuchClock)?;
        if !kept.is_running() {
            return Err(Refusal::ClockStopped);
        }
        if let Some(last) = kept.clock.segments.last()
            && last.change == Change::Extension
            && last.target.within == Amount::Until(until)
        {
            return Ok(());
        }
        let rule = self.facts.ruling.policies.extension(kept.measure).copied().filter(|_| kept.party == Party::Company);
        let rule = rule.ok_or(Refusal::NoExtensionLeft)?;
        let used = kept.clock.segments.iter().filter(|segment| segment.change == Change::Extension).count();
        if used >= usize::from(rule.times) {
            return Err(Refusal::NoExtensionLeft);
        }
        let due = kept.clock.due_at(&self.facts.timetable);
        if due == NEVER || due < self.facts.now.timestamp() || kept.breached_at.is_some() {
            return Err(Refusal::TooLateToExtend);
        }
        let calendar = self.facts.timetable.get(&self.facts.ruling.pin(Hours::Estate, None));
        let most = match rule.at_most {
            wall if wall.is_wall_time() => due + wall.budget(due, calendar),
            open => calendar.after(due, open.budget(due, calendar)),
        };
        if until.timestamp() <= due || until.timestamp() > most {
            return Err(Refusal::ExtensionOutOfBounds);
        }
        let (at, what) = (self.at, if kept.measure == Measure::Decide { What::Decision } else { What::Finish });
        let target = Target {
            within: Amount::Until(until),
            pin: self.facts.ruling.pin(Hours::Always, None),
            at_most_seconds: None,
        };
        let budget = until_budget(&kept.clock, at, until, &self.facts.timetable);
        let changed = ClockEvent::Retargeted { at, change: Change::Extension, target, budget };
        self.emit(Event::ClocksChanged { changes: vec![(clock_id, changed)] });
        self.promise_extension(clock_id, what, (instant(due), until), reason);
        Ok(())
    }

    pub(super) fn rebase(&mut self) -> Result<(), Refusal> {
        if !self.state.open {
            return Err(Refusal::Ended);
        }
        let mut changes = Vec::new();
        for kept in self.state.clocks.iter().filter(|kept| kept.is_running()) {
            let start = kept.clock.started_at().unwrap_or(self.at);
            let newest = self.facts.ruling.pin(Hours::Estate, kept.department.as_deref());
            let segments = kept.clock.segments.iter().map(|segment| {
                let pin = if segment.target.pin.calendar.is_some() { &newest } else { &segment.target.pin };
                let target = Target { pin: pin.clone(), ..segment.target.clone() };
                let budget = if segment.target.within.is_wall_time() {
                    segment.budget
                } else {
                    target.budget(start, &self.facts.timetable)
                };
                (pin.clone(), budget)
            });
            let segments: Vec<_> = segments.collect();
            let is_same = kept
                .clock
                .segments
                .iter()
                .zip(&segments)
                .all(|(old, (pin, budget))| old.target.pin == *pin && old.budget == *budget);
            if !is_same {
                changes.push((kept.clock_id, ClockEvent::Rebased { segments }));
            }
        }
        if !changes.is_empty() {
            self.emit(Event::ClocksChanged { changes });
        }
        self.retarget(Change::Policy);
        Ok(())
    }
}

/// What a clock gives so that it is due at a date that was agreed upon: what has counted, and the time until then that lies under no pause.
fn until_budget(clock: &Clock, at: DateTime<Utc>, until: DateTime<Utc>, timetable: &Timetable) -> i64 {
    let elapsed = clock.read(timetable, at).map_or(0, |reading| reading.elapsed);
    let lasting = clock.pause_at(at).map_or(0, |pause| pause.ends().min(until.timestamp()) - at.timestamp());
    elapsed + ((until - at).num_seconds() - lasting).max(0)
}

/// Whether its date was agreed with the owner, so that no policy moves it.
pub(super) fn is_agreed(clock: &Clock) -> bool {
    clock.target().is_some_and(|target| matches!(target.within, Amount::Until(_)))
}

// Objections.
impl Deciding<'_> {
    /// An objection that staff took down never stands in the way of the owner's own.
    pub(super) fn contest(
        &mut self,
        clock_id: Uuid,
        pause_id: Uuid,
        reason: &Line,
        said: Option<&TakenDown>,
    ) -> Result<(), Refusal> {
        let kept =
            self.state.clock(clock_id).filter(|kept| kept.party == Party::Company).ok_or(Refusal::NoSuchClock)?;
        if !kept.clock.pauses.iter().any(|pause| pause.pause_id == pause_id) {
            return Err(Refusal::NoSuchPause);
        }
        let answers = self.state.accountable.account() == Some(self.facts.actor.id.as_str());
        let whose = word::whose(&self.facts.actor, self.matter.resident, said, answers, self.facts.now);
        let taken_down = whose.map_err(Refusal::Word)?.note();
        let mut known = self.state.objections.iter().filter(|known| known.pause_id == pause_id);
        if known.any(|known| known.taken_down.is_none() || taken_down.is_some()) {
            return Err(Refusal::AlreadyContested);
        }
        let whose = if taken_down.is_some() { "/taken-down" } else { "" };
        let objection_id = self.id(&format!("objection/{pause_id}{whose}"));
        let (reason, at) = (reason.clone(), self.facts.now);
        let objection =
            Objection { objection_id, clock_id, pause_id, reason, at, upheld: None, answer: None, taken_down };
        self.emit(Event::PauseContested { objection });
        self.tasks_of_objection(objection_id);
        Ok(())
    }

    /// Upheld, the time counts again for every clock of the company that was paused by it.
    pub(super) fn decide_objection(&mut self, objection_id: Uuid, upheld: bool, reason: &Line) -> Result<(), Refusal> {
        let known = self.state.objections.iter().find(|known| known.objection_id == objection_id).cloned();
        let objection = known.ok_or(Refusal::NoSuchObjection)?;
        match objection.upheld {
            Some(decided) if decided == upheld => return Ok(()),
            Some(_) => return Err(Refusal::AlreadyContested),
            None => {}
        }
        let is_own = self.state.accountable.account().is_some_and(|account| self.acts_for(account));
        if is_own || !self.facts.actor.is_any(&LEADS) {
            return Err(Refusal::OwnMatter);
        }
        self.emit(Event::ObjectionDecided { objection_id, upheld, reason: reason.clone(), at: self.facts.now });
        self.tasks_of_verdict(objection_id);
        if upheld {
            let pause_id = objection.pause_id;
            let struck = self.state.clocks.iter().filter(|kept| {
                kept.party == Party::Company && kept.clock.pauses.iter().any(|pause| pause.pause_id == pause_id)
            });
            let changes: Vec<_> = struck.map(|kept| (kept.clock_id, ClockEvent::Struck { pause_id })).collect();
            let struck: Vec<Uuid> = changes.iter().map(|(clock_id, _)| *clock_id).collect();
            self.emit(Event::ClocksChanged { changes });
            self.judge_again_what_ended(&struck);
        }
        Ok(())
    }

    /// Owners object when they see the result: what was in time only because of the pause was not in time.
    pub(super) fn judge_again_what_ended(&mut self, struck: &[Uuid]) {
        for clock_id in struck {
            let Some(kept) = self.state.clock(*clock_id) else { continue };
            let end = match kept.outcome {
                Some(Outcome::Met | Outcome::Missed) => End::Done,
                Some(Outcome::Void) => End::CalledOff,
                None => continue,
            };
            if let Some(at) = kept.clock.stopped_at {
                self.judge_again(*clock_id, end, at);
            }
        }
    }
}
