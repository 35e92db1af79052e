//! An alert: one matter that one person of the company should look at. A line of that person's digest.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    ActorId, id_type,
    ids::{CaseId, EstateId},
    vocabulary::{CaseKind, Priority},
    word_enum,
};
use uuid::Uuid;

use super::DigestId;

id_type! {
    /// An alert; made of the public event that is the reason and of the account that is told.
    AlertId
}

impl AlertId {
    /// The alert of that account about that event: always the same, so it is born once.
    #[must_use]
    pub fn of(event: Uuid, account: &ActorId) -> Self {
        Uuid::new_v5(&event, account.as_str().as_bytes()).into()
    }
}

word_enum! {
    /// Why somebody is told, in the order in which a digest speaks of it: what could be forgotten comes first.
    AlertCause {
        /// Nobody has it.
        Unowned = "unowned",
        /// It was sent back.
        Returned = "returned",
        /// Its clock stands still for too long.
        LongPaused = "long_paused",
        /// It was finished and goes on again.
        Reopened = "reopened",
        /// A share of its clock is used up.
        Share = "share",
        /// A promise about it is on the ladder.
        Promise = "promise",
        /// It was overdue when it was entered.
        LateEntry = "late_entry",
        /// A promise about it is about to be broken.
        PromiseAtRisk = "promise_at_risk",
        /// The reader is asked to answer for it from now on.
        HandOverOffered = "hand_over_offered",
        /// The reader's hand-over was refused: it stays with the reader.
        HandOverRefused = "hand_over_refused",
        /// The reader's hand-over was not answered in time: it stays with the reader.
        HandOverLapsed = "hand_over_lapsed",
        /// The reader answers for it from now on.
        Accountable = "accountable",
        /// For a reason that we have no word for yet.
        Other = "other",
    }
}

impl AlertCause {
    /// The cause of an escalation. One with a word of a newer intake is told all the same.
    #[must_use]
    pub fn of_escalation(word: &str) -> Self {
        let climbing = [Self::Unowned, Self::Returned, Self::LongPaused, Self::Reopened];
        let causes = climbing.into_iter().chain([Self::Share, Self::Promise, Self::LateEntry]);
        causes.into_iter().find(|cause| cause.as_str() == word).unwrap_or(Self::Other)
    }

    /// What comes of a hand-over for the person who offered it; `None`: nothing they need be told.
    #[must_use]
    pub fn of_hand_over(outcome: &str) -> Option<Self> {
        match outcome {
            "refused" => Some(Self::HandOverRefused),
            "lapsed" => Some(Self::HandOverLapsed),
            // Accepted, withdrawn by themselves, and words of a newer intake.
            _ => None,
        }
    }
}

/// Place of a line in its digest, before its due time: what nobody, or nobody any more, looks after; then by priority.
#[must_use]
pub fn rank(cause: AlertCause, priority: Option<Priority>) -> i16 {
    let group = match cause {
        AlertCause::Unowned => 0,
        AlertCause::Returned => 1,
        AlertCause::LongPaused => 2,
        AlertCause::Reopened => 3,
        AlertCause::Share
        | AlertCause::Promise
        | AlertCause::LateEntry
        | AlertCause::PromiseAtRisk
        | AlertCause::HandOverOffered
        | AlertCause::HandOverRefused
        | AlertCause::HandOverLapsed
        | AlertCause::Accountable
        | AlertCause::Other => 4,
    };
    let urgency = match priority {
        Some(Priority::P1) => 1,
        Some(Priority::P2) => 2,
        Some(Priority::P3) => 3,
        Some(Priority::P4) => 4,
        None => 5,
    };
    group * 10 + urgency
}

/// Whether lines of that priority are not to wait long for others.
#[must_use]
pub fn is_urgent(priority: Option<Priority>) -> bool {
    matches!(priority, Some(Priority::P1 | Priority::P2))
}

/// What an alert is about. Stored as JSON: add optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// The case.
    pub case: CaseId,
    /// Its reference.
    pub reference: String,
    /// Its estate.
    pub estate: EstateId,
    /// Its kind, if that was told.
    pub kind: Option<CaseKind>,
    /// Code of its category, if that was told.
    pub category: Option<String>,
    /// How urgent, if that was told.
    pub priority: Option<Priority>,
    /// What the clock measures, a word of intake.
    pub measure: Option<String>,
    /// What was promised, a word of intake.
    pub promise: Option<String>,
    /// The level of the ladder, a word of intake.
    pub level: Option<String>,
    /// The rung of the ladder, from 1.
    pub rung: Option<u32>,
    /// Share of the clock that was used up, percent.
    pub share_percent: Option<u32>,
    /// When the clock, the promise or the answer to a hand-over is due.
    pub due_at: Option<DateTime<Utc>>,
    /// The clock.
    pub clock: Option<Uuid>,
    /// The escalation.
    pub escalation: Option<Uuid>,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
}

impl Matter {
    /// Whether its due time has passed.
    #[must_use]
    pub fn is_overdue(&self, at: DateTime<Utc>) -> bool {
        self.due_at.is_some_and(|due_at| due_at <= at)
    }
}

/// One matter that one person should look at. Not an aggregate: it is written once, and settled at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Which one.
    pub id: AlertId,
    /// The digest that it is a line of.
    pub digest: DigestId,
    /// Why.
    pub cause: AlertCause,
    /// What it is about.
    pub matter: Matter,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When somebody had taken the matter in hand.
    pub settled_at: Option<DateTime<Utc>>,
}
