//! A complaint (投訴): what can be asked of it, and what can happen to it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, ActorId, Aggregate,
    call_back::CallResult,
    ids::{CaseId, ResidentId, WorkOrderId},
    text::{Line, Words},
    vocabulary::{Channel, Priority},
    word::{self, TakenDown, Whose, WordNote},
};

use super::{
    Code, CommitmentId, ConsultationId, Department, Matter, NewCommitment, NewPoint, NewRemedy, PointOutcome, Receipt,
    Refusal, RefusedBecause, RemedyId, Severity, Verb,
};

/// A complaint; it has the id of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// Not heard of.
    Unborn(CaseId),
    /// Received.
    Born(Box<Matter>),
}

/// What can be asked of a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take it over from the case.
    Receive(Receipt),
    /// Intake finds it more or less urgent than it was.
    Prioritise {
        /// How urgent from now on.
        priority: Priority,
    },
    /// Take it up; an automatic receipt never counts as this.
    Acknowledge {
        /// What was said to the owner.
        note: Option<Words>,
    },
    /// Classify it and split it into points; may be corrected until there is a plan.
    Assess {
        /// Code of the taxonomy; none keeps what it is.
        category: Option<String>,
        /// How grave.
        severity: Severity,
        /// Its points, at least one.
        points: Vec<NewPoint>,
    },
    /// Ask a department.
    Consult {
        /// Id of the question.
        consultation_id: ConsultationId,
        /// Whom.
        department: Code,
        /// What.
        question: Words,
    },
    /// Answer for a department.
    AnswerConsultation {
        /// Which question.
        consultation_id: ConsultationId,
        /// What the department says.
        answer: Words,
    },
    /// Make a plan and tell the owner; a new plan may replace it until the decision.
    Plan {
        /// The plan.
        text: Words,
        /// Who takes part.
        departments: Vec<Code>,
        /// How the owner was told.
        told_owner_via: Channel,
    },
    /// Wait for the owner.
    AwaitOwner {
        /// For what.
        reason: Words,
    },
    /// Wait no longer.
    Resume,
    /// Decide every point; once more when promised work has fallen away.
    Decide {
        /// An outcome for every point.
        outcomes: Vec<PointOutcome>,
        /// What is promised besides.
        commitments: Vec<NewCommitment>,
    },
    /// Order work.
    Remedy(NewRemedy),
    /// Note what became of a remedy's work order.
    FollowWorkOrder {
        /// Which remedy.
        remedy_id: RemedyId,
        /// Which work order.
        work_order_id: WorkOrderId,
        /// What became of it.
        step: WorkOrderStep,
    },
    /// Note that dispatch has nobody to give a remedy to.
    RefuseRemedy {
        /// Which remedy.
        remedy_id: RemedyId,
        /// Why.
        reason: RefusedBecause,
    },
    /// Note that a commitment was kept.
    KeepCommitment {
        /// Which one.
        commitment_id: CommitmentId,
    },
    /// Note a call-back to the owner.
    FollowUp {
        /// What came of it.
        result: CallResult,
        /// What was said.
        note: Option<Line>,
    },
    /// The owner's word on the result.
    Confirm {
        /// Whether it is solved.
        satisfied: bool,
        /// What the owner says.
        comment: Option<Words>,
        /// How the owner gave it to staff; none = the owner gives it.
        taken_down: Option<TakenDown>,
    },
    /// The owner takes it back.
    Withdraw {
        /// Why.
        reason: Words,
        /// How the owner gave that word to staff; none = the owner gives it.
        taken_down: Option<TakenDown>,
    },
    /// Its case was called off.
    CallOff,
}

/// What became of a work order, as far as it matters to a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkOrderStep {
    /// It exists.
    Opened {
        /// What people quote.
        reference: String,
    },
    /// It is done.
    Completed,
    /// It was called off.
    Cancelled,
}

/// What happened to a complaint.
///
/// Private to this service. Stored as JSON for ever: add variants or optional fields, never rename or remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// It came from the case.
    Received { receipt: Receipt },
    /// It is more or less urgent than it was.
    Prioritised { priority: Priority },
    /// A person took it up.
    Acknowledged {
        note: Option<Words>,
        at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ActorId>,
    },
    /// It was classified and split into points.
    Assessed {
        category: String,
        severity: Severity,
        points: Vec<NewPoint>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ActorId>,
    },
    /// A department was asked.
    Consulted { consultation_id: ConsultationId, department: Code, question: Words, at: DateTime<Utc> },
    /// A department answered.
    ConsultationAnswered { consultation_id: ConsultationId, answer: Words, at: DateTime<Utc> },
    /// There is a plan, and the owner was told.
    Planned {
        text: Words,
        departments: Vec<Code>,
        told_owner_via: Channel,
        at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ActorId>,
    },
    /// The owner is waited for.
    AwaitedOwner { reason: Words },
    /// The owner is waited for no longer.
    Resumed,
    /// Every point was decided.
    Decided { outcomes: Vec<PointOutcome>, commitments: Vec<NewCommitment>, at: DateTime<Utc> },
    /// Work was ordered.
    RemedyRequested { remedy: NewRemedy },
    /// Work is open again for what was decided and had none.
    WorkResumed,
    /// Dispatch made a work order of a remedy.
    WorkOrderOpened { remedy_id: RemedyId, work_order_id: WorkOrderId, reference: String },
    /// A remedy's work order is done.
    WorkOrderCompleted { remedy_id: RemedyId, work_order_id: WorkOrderId },
    /// A remedy's work order was called off.
    WorkOrderCancelled { remedy_id: RemedyId, work_order_id: WorkOrderId },
    /// All work of a remedy is done.
    RemedyCompleted { remedy_id: RemedyId },
    /// All work orders of a remedy were called off.
    RemedyCalledOff { remedy_id: RemedyId },
    /// Dispatch has nobody to give a remedy to.
    RemedyRefused { remedy_id: RemedyId, reason: RefusedBecause },
    /// A commitment was kept.
    CommitmentKept { commitment_id: CommitmentId, at: DateTime<Utc> },
    /// A call reached nobody; more of them are owed.
    CallMissed { note: Option<Line>, on: NaiveDate, at: DateTime<Utc> },
    /// The owner was called back, or on three days in vain.
    CalledBack { result: CallResult, note: Option<Line>, on: NaiveDate, at: DateTime<Utc> },
    /// The owner gave a word on the result.
    Confirmed {
        satisfied: bool,
        comment: Option<Words>,
        at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// It is over.
    Closed {
        /// When, where that is not the owner's word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    /// It was taken back by its owner, or called off with its case.
    Withdrawn {
        reason: Option<Words>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
        #[serde(default)]
        called_off: bool,
    },
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Whether who asks has handled the complaint.
    pub handled: bool,
    /// Whether who asks has read the version that stands.
    pub has_read: bool,
    /// The departments of the company, where that matters; none = they are not known.
    pub departments: Vec<Department>,
    /// How long after the end its owner can come back on it.
    pub come_back_within: TimeDelta,
}

impl Facts {
    /// Who does it, for what is kept of it.
    pub(super) fn by(&self) -> Option<ActorId> {
        Some(self.actor.id.clone())
    }

    /// Whether what somebody has done would be replaced by who has not seen it.
    ///
    /// * `by`: who did it; nobody where that was not written down.
    pub(super) fn overwrites(&self, by: Option<&ActorId>) -> bool {
        !self.has_read && by != Some(&self.actor.id)
    }

    /// Whose word it is that is given on the complaint of this resident.
    pub(super) fn whose(&self, resident: Option<ResidentId>, taken_down: Option<&TakenDown>) -> Result<Whose, Refusal> {
        word::whose(&self.actor, resident, taken_down, self.handled, self.now).map_err(Refusal::Word)
    }
}

impl Event {
    /// Whether whoever caused it handled the complaint with it; taking down the owner's word is not handling.
    #[must_use]
    pub const fn is_handling(&self) -> bool {
        !matches!(self, Self::Confirmed { .. } | Self::Closed { .. } | Self::Withdrawn { .. })
    }
}

impl Command {
    /// The word under which people ask it; none for what only other services tell.
    #[must_use]
    pub const fn verb(&self) -> Option<Verb> {
        match self {
            Self::Receive(_) | Self::Prioritise { .. } | Self::CallOff => None,
            Self::FollowWorkOrder { .. } | Self::RefuseRemedy { .. } => None,
            Self::Acknowledge { .. } => Some(Verb::Acknowledge),
            Self::Assess { .. } => Some(Verb::Assess),
            Self::Consult { .. } => Some(Verb::Consult),
            Self::AnswerConsultation { .. } => Some(Verb::AnswerConsultation),
            Self::Plan { .. } => Some(Verb::Plan),
            Self::AwaitOwner { .. } => Some(Verb::AwaitOwner),
            Self::Resume => Some(Verb::Resume),
            Self::Decide { .. } => Some(Verb::Decide),
            Self::Remedy(_) => Some(Verb::Remedy),
            Self::KeepCommitment { .. } => Some(Verb::KeepCommitment),
            Self::FollowUp { .. } => Some(Verb::FollowUp),
            Self::Confirm { .. } => Some(Verb::Confirm),
            Self::Withdraw { .. } => Some(Verb::Withdraw),
        }
    }
}

impl Aggregate for Complaint {
    const NAME: &'static str = "complaint";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self::Unborn(id)
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (self, command) {
            (Self::Unborn(_), Command::Receive(receipt)) => Ok(vec![Event::Received { receipt: receipt.clone() }]),
            (
                Self::Unborn(_),
                Command::Prioritise { .. }
                | Command::Acknowledge { .. }
                | Command::Assess { .. }
                | Command::Consult { .. }
                | Command::AnswerConsultation { .. }
                | Command::Plan { .. }
                | Command::AwaitOwner { .. }
                | Command::Resume
                | Command::Decide { .. }
                | Command::Remedy(_)
                | Command::FollowWorkOrder { .. }
                | Command::RefuseRemedy { .. }
                | Command::KeepCommitment { .. }
                | Command::FollowUp { .. }
                | Command::Confirm { .. }
                | Command::Withdraw { .. }
                | Command::CallOff,
            ) => Err(Refusal::NoSuchComplaint),
            (Self::Born(matter), command) => matter.decide(command, facts),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Unborn(case_id), Event::Received { receipt }) => Self::Born(Box::new(Matter::new(case_id, receipt))),
            (Self::Unborn(case_id), _) => Self::Unborn(case_id),
            (Self::Born(mut matter), event) => {
                matter.apply(event);
                Self::Born(matter)
            }
        }
    }
}
