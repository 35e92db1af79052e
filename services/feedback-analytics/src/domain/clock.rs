//! What is known of one clock, as far as figures need it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::rollup::{Measure, Tally};

/// It was stopped in time.
pub const MET: &str = "met";
/// It was stopped too late, or is overdue and still runs.
pub const MISSED: &str = "missed";
/// Nobody did what it measured, and nobody has to any more.
pub const VOID: &str = "void";
/// The party whose clock is what the owner was promised.
pub const COMPANY: &str = "company";

/// By what a clock is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// What it measures.
    pub measure: String,
    /// How urgent its case is.
    pub priority: String,
    /// Whose clock it is.
    pub party: String,
    /// Whether it was overdue before anybody could know: its case was entered late.
    pub late_entry: bool,
}

/// It passed its due time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// By what it is counted.
    pub about: About,
    /// The day in the estate.
    pub on: NaiveDate,
}

/// It was stopped for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// By what it is counted.
    pub about: About,
    /// The day in the estate.
    pub on: NaiveDate,
    /// How it ended.
    pub outcome: String,
    /// Time that counted, in seconds of its calendar.
    pub elapsed_seconds: i64,
    /// Time that did not because it was paused, in seconds of its calendar.
    pub paused_seconds: i64,
    /// Whether its time was over by then; of what was heard before that was looked at, it is whether it was ever said to be overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<bool>,
}

/// What changes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It passed its due time.
    Breached(Breach),
    /// It was stopped for good; the last word on how stands.
    Stopped(Stop),
}

/// What is known of one clock. Breach and stop are kept apart, so it is the same in whatever order, and however
/// often, they are heard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockFact {
    /// Its breach; the last one, when time was given back and ran out again.
    pub breached: Option<Breach>,
    /// Its stop.
    pub stopped: Option<Stop>,
}

impl ClockFact {
    /// What is known after the change.
    #[must_use]
    pub fn after(mut self, change: &Change) -> Self {
        match change {
            Change::Breached(breach) => self.breached = Some(breach.clone()),
            Change::Stopped(stop) => self.stopped = Some(stop.clone()),
        }
        self
    }

    /// What it adds to the day sums: it counts once, by what is known best.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        if let Some(stop) = self.stopped.as_ref().filter(|stop| stop.about.party == COMPANY) {
            tally.some(stop.on, Measure::DeadlineElapsed, "", stop.elapsed_seconds);
            tally.some(stop.on, Measure::DeadlinePaused, "", stop.paused_seconds);
        }
        let Some((on, about, outcome)) = self.standing() else { return tally };
        if about.late_entry {
            // Overdue from birth: it says that paper was brought in late, not how fast anybody was.
            tally.one(on, Measure::DeadlineLate, "");
            return tally;
        }
        if outcome == VOID && self.was_overdue() {
            tally.one(on, Measure::DeadlineVoidOverdue, "");
        }
        for (measure, word) in [
            (Measure::DeadlineMeasure, &about.measure),
            (Measure::DeadlinePriority, &about.priority),
            (Measure::DeadlineParty, &about.party),
        ] {
            tally.outcome(on, measure, outcome, word);
        }
        tally
    }

    /// Whether it was overdue when it stopped. That it was said to be so once is not enough: more time may have been given since, and what
    /// stopped it in time may have been heard late.
    fn was_overdue(&self) -> bool {
        let known = self.stopped.as_ref().and_then(|stop| stop.overdue);
        known.unwrap_or(self.breached.is_some())
    }

    /// The day by which it counts, by what, and how it came out. The stop has the last word, since time may have
    /// been given back after the breach; a miss belongs to the day on which the due time passed.
    fn standing(&self) -> Option<(NaiveDate, &About, &str)> {
        match (&self.stopped, &self.breached) {
            (Some(stop), Some(breach)) if stop.outcome == MISSED => Some((breach.on, &stop.about, MISSED)),
            (Some(stop), _) => Some((stop.on, &stop.about, &stop.outcome)),
            (None, Some(breach)) => Some((breach.on, &breach.about, MISSED)),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
