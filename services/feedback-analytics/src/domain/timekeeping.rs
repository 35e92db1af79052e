//! The figures of keeping one's word in time: deadlines, escalations, promises.

use std::collections::BTreeMap;

use serde::Serialize;
use steward_kernel::vocabulary::{EscalationCause, Priority};
use utoipa::ToSchema;

use super::{
    clock::{COMPANY, MET, MISSED, VOID},
    rollup::{Measure, Outcomes, Sums},
    statistics::{MINIMUM, Share, ratio, rounded},
};

/// What clocks measure. Like all words here they stand in the answer even when nothing was counted under them.
const MEASURES: [&str; 7] = ["acknowledge", "plan", "arrive", "make_safe", "finish", "decide", "follow_up"];
/// Whose clocks there are.
const PARTIES: [&str; 3] = [COMPANY, "department", "contractor"];
/// Whom escalations reach.
const LEVELS: [&str; 5] = ["worker", "lead", "estate_manager", "region", "company"];
/// Why they are raised.
fn causes() -> impl Iterator<Item = &'static str> {
    EscalationCause::ALL.iter().map(|cause| cause.as_str())
}
/// What is counted of a promise beside its outcomes.
pub const MADE: &str = "made";

/// How clocks came out; each counts once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Punctuality {
    /// Stopped in time.
    #[schema(example = 90)]
    pub met: u64,
    /// Stopped too late, or overdue and still running.
    #[schema(example = 10)]
    pub missed: u64,
    /// Stopped without anybody having done what they measured: called off, closed, passed on, begun anew; neither met nor missed.
    #[schema(example = 3)]
    pub void: u64,
    /// Those met of those met or missed, 0 to 1; absent under five.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9)]
    pub met_share: Option<f64>,
    /// Lower end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.8256)]
    pub wilson_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9448)]
    pub wilson_high: Option<f64>,
}

/// How deadlines were kept: clocks that stopped in the period or passed their due time in it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deadlines {
    /// All of them.
    #[serde(flatten)]
    pub all: Punctuality,
    /// Of those void: overdue already when they lost their object.
    #[schema(example = 1)]
    pub void_overdue: u64,
    /// Clocks that were overdue when their case was entered late; counted only here.
    #[schema(example = 1)]
    pub late_entries: u64,
    /// Seconds that counted on the company's clocks that stopped in the period.
    #[schema(example = 900_000)]
    pub elapsed_seconds: u64,
    /// Seconds of their calendars that did not count because of pauses.
    #[schema(example = 100_000)]
    pub paused_seconds: u64,
    /// Paused time of all their time, 0 to 1; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.1)]
    pub paused_share: Option<f64>,
    /// By what they measure.
    #[schema(value_type = BTreeMap<steward_clock::Measure, Punctuality>)]
    pub by_measure: BTreeMap<String, Punctuality>,
    /// By the priority of their case.
    #[schema(value_type = BTreeMap<Priority, Punctuality>)]
    pub by_priority: BTreeMap<String, Punctuality>,
    /// By whose clock it is.
    #[schema(value_type = BTreeMap<steward_clock::Party, Punctuality>)]
    pub by_party: BTreeMap<String, Punctuality>,
}

/// How often somebody higher up was needed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Escalations {
    /// Raised in the period.
    #[schema(example = 12)]
    pub raised: u64,
    /// Taken in hand in the period, whenever they were raised.
    #[schema(example = 9)]
    pub acknowledged: u64,
    /// Those raised, by whom they reach.
    #[schema(value_type = BTreeMap<steward_clock::Level, u64>)]
    pub by_level: BTreeMap<String, u64>,
    /// Those raised, by why.
    #[schema(value_type = BTreeMap<EscalationCause, u64>)]
    pub by_cause: BTreeMap<String, u64>,
}

/// How promises of a time to an owner were kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Reliability {
    /// Made in the period.
    #[schema(example = 50)]
    pub made: u64,
    /// Kept in the period, whenever they were made.
    #[schema(example = 40)]
    pub kept: u64,
    /// Broken in the period.
    #[schema(example = 4)]
    pub broken: u64,
    /// Moved in the period, in time and with the owner's knowledge; neither kept nor broken.
    #[schema(example = 3)]
    pub moved: u64,
    /// Those that lost their object in the period; neither kept nor broken.
    #[schema(example = 1)]
    pub void: u64,
    /// Those kept of those kept or broken, 0 to 1; absent under five.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9091)]
    pub kept_share: Option<f64>,
    /// Lower end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.7884)]
    pub wilson_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9641)]
    pub wilson_high: Option<f64>,
}

/// Every time that was given to an owner.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Promises {
    /// All of them.
    #[serde(flatten)]
    pub all: Reliability,
    /// By the department that keeps them, its code; empty = the company as a whole.
    pub by_team: BTreeMap<String, Reliability>,
}

impl Punctuality {
    fn of(outcomes: &Outcomes) -> Self {
        let (met, missed) = (outcomes.of(MET), outcomes.of(MISSED));
        let Share { share, wilson_low, wilson_high } = Share::of(met, met + missed);
        Self { met, missed, void: outcomes.of(VOID), met_share: share, wilson_low, wilson_high }
    }
}

impl Deadlines {
    pub(super) fn of(sums: &Sums, priorities: impl IntoIterator<Item = &'static str>) -> Self {
        let by_measure = sums.outcomes(Measure::DeadlineMeasure, MEASURES);
        let (elapsed, paused) = (sums.total(Measure::DeadlineElapsed), sums.total(Measure::DeadlinePaused));
        Self {
            all: Punctuality::of(&Outcomes::sum(by_measure.values())),
            void_overdue: sums.total(Measure::DeadlineVoidOverdue),
            late_entries: sums.total(Measure::DeadlineLate),
            elapsed_seconds: elapsed,
            paused_seconds: paused,
            paused_share: (elapsed + paused > 0).then(|| rounded(ratio(paused, elapsed + paused))),
            by_measure: each(&by_measure, Punctuality::of),
            by_priority: each(&sums.outcomes(Measure::DeadlinePriority, priorities), Punctuality::of),
            by_party: each(&sums.outcomes(Measure::DeadlineParty, PARTIES), Punctuality::of),
        }
    }

    /// Whether there are too few for a share.
    pub(super) const fn are_few(&self) -> bool {
        self.all.met + self.all.missed < MINIMUM
    }
}

impl Escalations {
    pub(super) fn of(sums: &Sums) -> Self {
        Self {
            raised: sums.total(Measure::EscalationLevel),
            acknowledged: sums.total(Measure::EscalationAcknowledged),
            by_level: sums.by_label(Measure::EscalationLevel, LEVELS),
            by_cause: sums.by_label(Measure::EscalationCause, causes()),
        }
    }
}

impl Reliability {
    fn of(outcomes: &Outcomes) -> Self {
        let (kept, broken) = (outcomes.of("kept"), outcomes.of("broken"));
        let Share { share, wilson_low, wilson_high } = Share::of(kept, kept + broken);
        Self {
            made: outcomes.of(MADE),
            kept,
            broken,
            moved: outcomes.of("moved"),
            void: outcomes.of(VOID),
            kept_share: share,
            wilson_low,
            wilson_high,
        }
    }
}

impl Promises {
    pub(super) fn of(sums: &Sums) -> Self {
        let by_team = sums.outcomes(Measure::PromiseTeam, []);
        Self { all: Reliability::of(&Outcomes::sum(by_team.values())), by_team: each(&by_team, Reliability::of) }
    }

    /// Whether there are too few for a share.
    pub(super) const fn are_few(&self) -> bool {
        self.all.kept + self.all.broken < MINIMUM
    }
}

fn each<T>(by_word: &BTreeMap<String, Outcomes>, of: impl Fn(&Outcomes) -> T) -> BTreeMap<String, T> {
    by_word.iter().map(|(word, outcomes)| (word.clone(), of(outcomes))).collect()
}
