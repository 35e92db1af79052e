//! A policy rehearsed: what it would have done to clocks that have run. The same policy gives the same result.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use steward_clock::{
    Amount, Clock, ClockEvent, Measure, Party, Target, Timetable,
    clock::Pause,
    policy::{Matter, When},
    span::NEVER,
};
use steward_kernel::vocabulary::{CaseKind, Priority};

use super::ruling::Ruling;

/// Most rungs that are counted for one clock.
const MOST_RUNGS: usize = 50;

/// A clock that has run, with its case as it is now.
#[derive(Debug, Clone)]
pub struct Past {
    /// Kind of the case.
    pub kind: CaseKind,
    /// Code of the taxonomy.
    pub category: String,
    /// Priority.
    pub priority: Priority,
    /// What was measured.
    pub measure: Measure,
    /// Whose clock it was.
    pub party: Party,
    /// Code of the department or contractor.
    pub department: Option<String>,
    /// The clock as it was.
    pub clock: Clock,
}

/// What became of clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Clocks with a target.
    pub clocks: u64,
    /// Of these, overdue at some time.
    pub breaches: u64,
    /// Rungs that were reached.
    pub escalations: u64,
}

impl Outcomes {
    /// These and those.
    pub fn add(&mut self, other: Self) {
        self.clocks += other.clocks;
        self.breaches += other.breaches;
        self.escalations += other.escalations;
    }
}

/// What is rehearsed, by what was measured, whose clock it was, and the priority.
pub type Tally = BTreeMap<(Measure, Party, Priority), [Outcomes; 2]>;

/// The target that a ruling gives to a clock of the past.
#[must_use]
pub fn target(past: &Past, ruling: &Ruling) -> Option<Target> {
    let matter = Matter { kind: past.kind, category: &past.category, priority: past.priority };
    let rule = ruling.policies.target(past.measure, past.party, &matter)?;
    let pin = ruling.pin(rule.hours, past.department.as_deref());
    Some(Target { within: rule.within?, pin, at_most_seconds: rule.at_most_seconds() })
}

/// What a ruling would have made of a clock.
///
/// Priority changes count as if the case had had its priority from the start. Dates that were agreed with the owner stay as they were. Escalations
/// are counted as if nobody had acknowledged one.
///
/// * `timetable`: has the calendars of [`target`] and of the clock.
/// * `now`: what has not happened by then does not count.
#[must_use]
pub fn rehearse(past: &Past, ruling: &Ruling, timetable: &Timetable, now: DateTime<Utc>) -> Outcomes {
    let Some(clock) = again(past, ruling, timetable) else { return Outcomes::default() };
    let Some(reading) = clock.read(timetable, now) else { return Outcomes::default() };
    let end = clock.stopped_at.unwrap_or(now).min(now).timestamp();
    let mut rungs = 0;
    // "At once" is said by one clock of the matter.
    let says_it = past.measure == Measure::Acknowledge && past.party == Party::Company;
    for step in ruling
        .policies
        .ladder(past.priority)
        .into_iter()
        .flat_map(|ladder| (0..MOST_RUNGS).map_while(|place| ladder.rung(place)))
    {
        let at = match step.when {
            When::Share(0) if !says_it => continue,
            When::Share(percent) => clock.share_at(timetable, percent),
            When::Overdue(seconds) => clock.overdue_at(timetable, seconds),
        };
        if at == NEVER || at > end {
            break;
        }
        rungs += 1;
    }
    Outcomes { clocks: 1, breaches: u64::from(reading.breached_at.is_some()), escalations: rungs }
}

/// The clock as it would have run.
fn again(past: &Past, ruling: &Ruling, timetable: &Timetable) -> Option<Clock> {
    let at = past.clock.started_at()?;
    let first = past.clock.segments.first().filter(|first| matches!(first.target.within, Amount::Until(_)));
    let (target, budget) = match first {
        // An appointment is no target of a policy.
        Some(agreed) => (agreed.target.clone(), agreed.budget),
        None => {
            let target = target(past, ruling)?;
            let budget = target.budget(at, timetable);
            (target, budget)
        }
    };
    let mut clock = Clock::of([&ClockEvent::Started { at, target, budget }]);
    for segment in past.clock.segments.iter().skip(1) {
        if matches!(segment.target.within, Amount::Until(_)) {
            let (at, change) = (segment.since, segment.change);
            let (target, budget) = (segment.target.clone(), segment.budget);
            clock = clock.after(&ClockEvent::Retargeted { at, change, target, budget });
        }
    }
    for pause in past.clock.pauses.iter().filter_map(|pause| paused(past, pause, ruling)) {
        clock = clock.after(&ClockEvent::Paused(pause));
    }
    if let Some(at) = past.clock.stopped_at {
        clock = clock.after(&ClockEvent::Stopped { at });
    }
    Some(clock)
}

/// The pause as the ruling lets it be; none where its reason pauses nothing.
fn paused(past: &Past, pause: &Pause, ruling: &Ruling) -> Option<Pause> {
    let rule = ruling.policies.pause(&pause.reason).filter(|rule| rule.parties.contains(&past.party))?;
    Some(Pause { cap_seconds: rule.cap_seconds(), ..pause.clone() })
}
