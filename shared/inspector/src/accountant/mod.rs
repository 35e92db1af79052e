//! An accountant: counts every figure of `GET /v1/metrics` once more, from what people can see, by the words of its definition.
//!
//! It reads cases with their timelines, clocks, promises, escalations and surveys through the public API, keeps those of one estate in memory and
//! walks through them again for every figure. It is slow and has no cleverness, so that it is easy to see that it is right; it shares no code
//! with the service whose figures it checks. What it does not know (a figure, a new version of a definition) it says, too.

mod audit;
mod books;
mod compare;
mod count;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

pub use audit::{Audit, audit};
pub use books::{Books, Timelines};
pub use compare::{disagreements, unknown_definitions};

/// The rule that the accountant sees to: of estates, not of cases.
pub const FIGURES: (&str, &str) = (
    "figures-are-counted",
    "Every figure of an estate, of each day and of longer periods, is what an accountant counts from what people can see.",
);

/// The definitions by which it counts, with their versions. Whoever changes one reads its words and changes how it is counted here.
pub const KNOWN: &[(&str, u64)] = &[
    ("cases.opened", 1),
    ("cases.resolved", 2),
    ("cases.closed", 1),
    ("cases.declined", 1),
    ("cases.cancelled", 1),
    ("cases.reopened", 1),
    ("cases.open_now", 1),
    ("cases.by_kind", 1),
    ("cases.by_status", 1),
    ("cases.by_priority", 1),
    ("first_human_answer_seconds.p50", 1),
    ("first_human_answer_seconds.p90", 1),
    ("first_human_answer_seconds.n", 2),
    ("first_human_answer_seconds.waiting", 1),
    ("resolution_seconds.p50", 2),
    ("resolution_seconds.p90", 2),
    ("resolution_seconds.n", 2),
    ("resolution_seconds.waiting", 2),
    ("satisfaction.asked", 2),
    ("satisfaction.not_asked", 2),
    ("satisfaction.n", 2),
    ("satisfaction.response_rate", 2),
    ("satisfaction.rated", 1),
    ("satisfaction.mean", 2),
    ("satisfaction.satisfied_share", 2),
    ("satisfaction.wilson_low", 2),
    ("satisfaction.wilson_high", 2),
    ("satisfaction.ratings", 2),
    ("satisfaction.handling", 2),
    ("satisfaction.courtesy", 2),
    ("confirmed_by_owner.n", 2),
    ("confirmed_by_owner.confirmed", 3),
    ("confirmed_by_owner.taken_down", 1),
    ("confirmed_by_owner.share", 3),
    ("confirmed_by_owner.wilson_low", 2),
    ("confirmed_by_owner.wilson_high", 2),
    ("deadlines.met", 2),
    ("deadlines.missed", 2),
    ("deadlines.void", 2),
    ("deadlines.void_overdue", 1),
    ("deadlines.met_share", 2),
    ("deadlines.wilson_low", 2),
    ("deadlines.wilson_high", 2),
    ("deadlines.late_entries", 2),
    ("deadlines.elapsed_seconds", 1),
    ("deadlines.paused_seconds", 1),
    ("deadlines.paused_share", 1),
    ("deadlines.by_measure", 2),
    ("deadlines.by_priority", 2),
    ("deadlines.by_party", 2),
    ("escalations.raised", 1),
    ("escalations.acknowledged", 1),
    ("escalations.by_level", 1),
    ("escalations.by_cause", 1),
    ("promises.made", 1),
    ("promises.kept", 2),
    ("promises.broken", 2),
    ("promises.moved", 2),
    ("promises.void", 2),
    ("promises.kept_share", 2),
    ("promises.wilson_low", 2),
    ("promises.wilson_high", 2),
    ("promises.by_team", 2),
];

/// A figure as it was counted, and the cases it was counted from.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The figure.
    pub value: Value,
    /// References of the cases.
    pub of: Vec<String>,
}

/// Every figure by its place in the answer.
pub type Sheet = BTreeMap<String, Line>;

/// The days of a period, both included.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// First.
    pub from: NaiveDate,
    /// Last.
    pub to: NaiveDate,
}
