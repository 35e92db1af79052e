//! The figures of an estate, from the sums of a period.

use std::collections::BTreeMap;

use serde::Serialize;
use steward_kernel::vocabulary::{CaseKind, CaseStatus, Priority};
use utoipa::ToSchema;

use super::{
    histogram::{quantile, total},
    rollup::{Measure, Sums},
    statistics::{MINIMUM, Score, Share, ratio, rounded},
    survey::Rating,
    timekeeping::{Deadlines, Escalations, Promises},
};

/// The figures of a period. The place of a figure in here is its id in the dictionary.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// How many cases.
    pub cases: Cases,
    /// Time from the owner's words to the first thing a person of the company did about them, in seconds.
    pub first_human_answer_seconds: TimeTaken,
    /// Time from the owner's words to the resolution that stands, in seconds.
    pub resolution_seconds: TimeTaken,
    /// How owners rate it.
    pub satisfaction: Satisfaction,
    /// What owners say of the result.
    pub confirmed_by_owner: Confirmed,
    /// How deadlines were kept.
    pub deadlines: Deadlines,
    /// How often somebody higher up was needed.
    pub escalations: Escalations,
    /// How promises to owners were kept.
    pub promises: Promises,
}

/// Counts of cases.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cases {
    /// Said in the period.
    #[schema(example = 64)]
    pub opened: u64,
    /// Resolved in the period, and still.
    #[schema(example = 40)]
    pub resolved: u64,
    /// Closed in the period, and still.
    #[schema(example = 31)]
    pub closed: u64,
    /// Declined in the period as not the company's to do, and still; neither resolved nor waiting.
    #[schema(example = 1)]
    pub declined: u64,
    /// Called off in the period.
    #[schema(example = 2)]
    pub cancelled: u64,
    /// Of those said in the period: came back after they were settled.
    #[schema(example = 3)]
    pub reopened: u64,
    /// Not over now, whenever they were said.
    #[schema(example = 22)]
    pub open_now: u64,
    /// Those said in the period, by kind.
    #[schema(value_type = BTreeMap<CaseKind, u64>)]
    pub by_kind: BTreeMap<String, u64>,
    /// Those said in the period, by what their owner sees now.
    #[schema(value_type = BTreeMap<CaseStatus, u64>)]
    pub by_status: BTreeMap<String, u64>,
    /// Those said in the period, by priority.
    #[schema(value_type = BTreeMap<Priority, u64>)]
    pub by_priority: BTreeMap<String, u64>,
}

/// How long something takes; cases that still wait for it count as slower than all that do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeTaken {
    /// Half of the cases took at most this; absent when half of them still wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1500)]
    pub p50: Option<u64>,
    /// Nine of ten took at most this; absent when more than one of ten still waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 6528)]
    pub p90: Option<u64>,
    /// Cases that have it behind them.
    #[schema(example = 60)]
    pub n: u64,
    /// Cases that still wait for it.
    #[schema(example = 2)]
    pub waiting: u64,
}

/// What owners answered when asked how it went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Satisfaction {
    /// Owners asked in the period; who could not be told was not asked.
    #[schema(example = 40)]
    pub asked: u64,
    /// Cases resolved in the period whose owner could not be asked: not known, or could not be told.
    #[schema(example = 1)]
    pub not_asked: u64,
    /// Answers to what was asked in the period.
    #[schema(example = 20)]
    pub n: u64,
    /// Answers for each one asked; absent when nobody was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.5)]
    pub response_rate: Option<f64>,
    /// Scores of the result.
    #[serde(flatten)]
    pub outcome: Score,
    /// How often each score was given to the result; absent under five answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratings: Option<BTreeMap<String, u64>>,
    /// Scores of how it was handled.
    pub handling: Score,
    /// Scores of the manner.
    pub courtesy: Score,
}

/// Settled complaints and service requests of which the owner says that they are solved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Confirmed {
    /// Complaints and service requests said in the period that are settled.
    #[schema(example = 30)]
    pub n: u64,
    /// Those of them whose owner says by themselves that it is solved; silence is no yes.
    #[schema(example = 26)]
    pub confirmed: u64,
    /// Those of them of which staff took down that the owner says so; in no share.
    #[schema(example = 2)]
    pub taken_down: u64,
    /// The share.
    #[serde(flatten)]
    pub share: Share,
}

impl Figures {
    /// The figures that follow from the sums.
    ///
    /// * `open_now`: cases that are not over, of all days.
    #[must_use]
    pub fn of(sums: &Sums, open_now: u64) -> Self {
        let priorities = || Priority::ALL.iter().map(|priority| priority.as_str());
        Self {
            cases: Cases {
                opened: sums.total(Measure::Opened),
                resolved: sums.total(Measure::Resolved),
                closed: sums.total(Measure::Closed),
                declined: sums.total(Measure::Declined),
                cancelled: sums.total(Measure::Cancelled),
                reopened: sums.total(Measure::Reopened),
                open_now,
                by_kind: sums.by_label(Measure::Opened, CaseKind::ALL.iter().map(|kind| kind.as_str())),
                by_status: sums.by_label(Measure::Status, CaseStatus::ALL.iter().map(|status| status.as_str())),
                by_priority: sums.by_label(Measure::Priority, priorities()),
            },
            first_human_answer_seconds: TimeTaken::of(sums, Measure::FirstAnswer, Measure::Unanswered),
            resolution_seconds: TimeTaken::of(sums, Measure::Resolution, Measure::Unresolved),
            satisfaction: Satisfaction::of(sums),
            confirmed_by_owner: Confirmed::of(sums),
            deadlines: Deadlines::of(sums, priorities()),
            escalations: Escalations::of(sums),
            promises: Promises::of(sums),
        }
    }

    /// Whether a score or share is not shown because it would be of too few.
    #[must_use]
    pub fn is_withholding(&self) -> bool {
        self.satisfaction.is_withholding()
            || self.confirmed_by_owner.n < MINIMUM
            || self.deadlines.are_few()
            || self.promises.are_few()
    }
}

impl TimeTaken {
    fn of(sums: &Sums, done: Measure, waiting: Measure) -> Self {
        let (histogram, waiting) = (sums.histogram(done), sums.total(waiting));
        Self {
            p50: quantile(&histogram, waiting, 50),
            p90: quantile(&histogram, waiting, 90),
            n: total(&histogram),
            waiting,
        }
    }
}

impl Satisfaction {
    fn of(sums: &Sums) -> Self {
        let (asked, rated) = (sums.total(Measure::Asked), sums.total(Measure::Outcome));
        let n = rated + sums.total(Measure::OutcomeLeftOut);
        let score = |measure| Score::of(sums.numbers(measure));
        Self {
            asked,
            not_asked: sums.total(Measure::NotAsked),
            n,
            response_rate: (asked > 0).then(|| rounded(ratio(n, asked))),
            outcome: score(Measure::Outcome),
            ratings: (rated >= MINIMUM).then(|| sums.by_label(Measure::Outcome, Rating::WORDS)),
            handling: score(Measure::Handling),
            courtesy: score(Measure::Courtesy),
        }
    }
}

impl Satisfaction {
    fn is_withholding(&self) -> bool {
        [&self.outcome, &self.handling, &self.courtesy].iter().any(|score| score.rated < MINIMUM)
    }
}

impl Confirmed {
    fn of(sums: &Sums) -> Self {
        let (confirmed, n) = (sums.total(Measure::Confirmed), sums.total(Measure::Confirmable));
        let taken_down = sums.total(Measure::ConfirmedTakenDown);
        Self { n, confirmed, taken_down, share: Share::of(confirmed, n) }
    }
}
