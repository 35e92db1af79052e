//! An alert: one matter that one person of the company should look at. A line of that person's digest.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    ActorId, id_type,
    ids::{CaseId, EstateId, WorkOrderId},
    vocabulary::{CaseKind, Priority},
    word_enum,
};
use uuid::Uuid;

use super::{DigestId, NoticeId};

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
        /// The reader has a work order to do.
        OrderAssigned = "work_order_assigned",
        /// A work order of the reader's department has nobody who does it.
        OrderOpen = "work_order_open",
        /// A work order waits for something that the reader is to get.
        OrderHeld = "work_order_on_hold",
        /// What proves finished work of the reader's department has not arrived.
        ProofMissed = "work_order_proof_missed",
        /// A work order was called off and none is left.
        OrdersCancelled = "work_orders_cancelled",
        /// Its owner says that it is not solved.
        NotSatisfied = "not_satisfied",
        /// Its owner has answered.
        InfoProvided = "info_provided",
        /// The reader's department is asked about it.
        Consultation = "consultation",
        /// A department has answered about it.
        ConsultationAnswered = "consultation_answered",
        /// The work for a complaint is done; its owner is to be asked.
        RemedyDone = "remedy_done",
        /// Work that was promised for it has fallen away.
        RemedyFellAway = "remedy_fell_away",
        /// Its owner is to be called back.
        CallBack = "call_back",
        /// Its owner objects to a pause, and the reader decides.
        Objection = "objection",
        /// A notice waits for the reader's approval.
        NoticeInReview = "notice_in_review",
        /// The reader's notice was approved and can be published.
        NoticeApproved = "notice_approved",
        /// The reader is asked to answer for it from now on.
        HandOverOffered = "hand_over_offered",
        /// The reader's hand-over was refused: it stays with the reader.
        HandOverRefused = "hand_over_refused",
        /// The reader's hand-over was not answered in time: it stays with the reader.
        HandOverLapsed = "hand_over_lapsed",
        /// The reader answers for it from now on.
        Accountable = "accountable",
        /// It has become urgent.
        MoreUrgent = "more_urgent",
        /// A work order is not the reader's any more.
        OrderWithdrawn = "work_order_withdrawn",
        /// The time of a visit of the reader was agreed on, or is another one.
        AppointmentMoved = "appointment_moved",
        /// Its owner rated badly what was done.
        LowRating = "low_rating",
        /// The reader's notice was taken back by somebody else.
        NoticeRecalled = "notice_recalled",
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

    /// The cause of a task. One with a word of a newer intake is told all the same.
    #[must_use]
    pub fn of_task(word: &str) -> Self {
        Self::parse(word).unwrap_or(Self::Other)
    }

    /// Whether there is nothing to be done about it: it is settled when its reader has read it.
    #[must_use]
    pub const fn informs(self) -> bool {
        match self {
            Self::HandOverRefused
            | Self::HandOverLapsed
            | Self::MoreUrgent
            | Self::OrderWithdrawn
            | Self::AppointmentMoved
            | Self::LowRating
            | Self::NoticeRecalled => true,
            Self::Unowned
            | Self::Returned
            | Self::LongPaused
            | Self::Reopened
            | Self::LateEntry
            | Self::Share
            | Self::Promise
            | Self::PromiseAtRisk
            | Self::OrderAssigned
            | Self::OrderOpen
            | Self::OrderHeld
            | Self::ProofMissed
            | Self::OrdersCancelled
            | Self::NotSatisfied
            | Self::InfoProvided
            | Self::Consultation
            | Self::ConsultationAnswered
            | Self::RemedyDone
            | Self::RemedyFellAway
            | Self::CallBack
            | Self::Objection
            | Self::NoticeInReview
            | Self::NoticeApproved
            | Self::HandOverOffered
            | Self::Accountable
            | Self::Other => false,
        }
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
        | AlertCause::OrderAssigned
        | AlertCause::OrderOpen
        | AlertCause::OrderHeld
        | AlertCause::ProofMissed
        | AlertCause::OrdersCancelled
        | AlertCause::NotSatisfied
        | AlertCause::InfoProvided
        | AlertCause::Consultation
        | AlertCause::ConsultationAnswered
        | AlertCause::RemedyDone
        | AlertCause::RemedyFellAway
        | AlertCause::CallBack
        | AlertCause::Objection
        | AlertCause::NoticeInReview
        | AlertCause::NoticeApproved
        | AlertCause::HandOverOffered
        | AlertCause::Accountable
        | AlertCause::Other => 4,
        AlertCause::HandOverRefused
        | AlertCause::HandOverLapsed
        | AlertCause::MoreUrgent
        | AlertCause::OrderWithdrawn
        | AlertCause::AppointmentMoved
        | AlertCause::LowRating
        | AlertCause::NoticeRecalled => 5,
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

/// Whether somebody has to look at it although the case is over: it looks back at what was done, its work order ends by itself,
/// or a decision has committed to it. What is left of another promise ends with its ladder.
#[must_use]
pub fn outlives_its_case(cause: AlertCause, matter: &Matter) -> bool {
    let looks_back = matches!(cause, AlertCause::LowRating | AlertCause::Objection);
    let is_committed = cause == AlertCause::Promise || matter.promise.as_deref() == Some("commitment");
    looks_back || is_committed || matter.work_order.is_some()
}

/// What an alert is about. Stored as JSON: add optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// The case; none: it is about a notice.
    #[serde(with = "nil_is_none")]
    pub case: Option<CaseId>,
    /// Its reference; of a notice its title.
    pub reference: String,
    /// Its estate; none: a notice has several.
    #[serde(with = "nil_is_none")]
    pub estate: Option<EstateId>,
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
    /// What is to be done or known, by which it is withdrawn: a task or a promise of intake, or the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Uuid>,
    /// The work order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_order: Option<WorkOrderId>,
    /// Code of the department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeId>,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
}

/// Rows have always had these ids; where there is none now, it is nil.
mod nil_is_none {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    pub(super) fn serialize<I: Copy + Into<Uuid>, S: Serializer>(id: &Option<I>, to: S) -> Result<S::Ok, S::Error> {
        id.map_or(Uuid::nil(), Into::into).serialize(to)
    }

    pub(super) fn deserialize<'de, I: From<Uuid>, D: Deserializer<'de>>(from: D) -> Result<Option<I>, D::Error> {
        let id = Uuid::deserialize(from)?;
        Ok((!id.is_nil()).then(|| id.into()))
    }
}

impl Matter {
    /// What is known of nothing but a case or a notice.
    #[must_use]
    pub const fn bare(reference: String, happened_at: DateTime<Utc>) -> Self {
        Self {
            case: None,
            reference,
            estate: None,
            kind: None,
            category: None,
            priority: None,
            measure: None,
            promise: None,
            level: None,
            rung: None,
            share_percent: None,
            due_at: None,
            clock: None,
            escalation: None,
            task: None,
            work_order: None,
            department: None,
            notice: None,
            happened_at,
        }
    }

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
    /// When it needed its reader no more.
    pub settled_at: Option<DateTime<Utc>>,
}
