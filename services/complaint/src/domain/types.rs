//! What a complaint is made of.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, id_type,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::{Text, Words},
    vocabulary::{Channel, Language, Priority},
    word::WordNote,
    word_enum,
};
use utoipa::ToSchema;

use super::ComplaintStage;

id_type! {
    /// One point of a complaint.
    PointId
}
id_type! {
    /// A question to a department.
    ConsultationId
}
id_type! {
    /// An action promised in a decision (整改承諾).
    CommitmentId
}
id_type! {
    /// Work that a complaint needs; dispatch makes a work order of it.
    RemedyId
}

/// A department or a skill, as the company's register has it. At most 60 characters.
pub type Code = Text<60>;

word_enum! {
    /// How grave a complaint is.
    Severity {
        /// A nuisance.
        Low = "low",
        /// A fault with limited effect.
        Medium = "medium",
        /// A grave fault, or one that keeps coming back.
        High = "high",
        /// Danger, damage, or the law.
        Critical = "critical",
    }
}

word_enum! {
    /// What was found of a point.
    Outcome {
        /// The owner is right.
        Upheld = "upheld",
        /// The owner is right in part.
        PartlyUpheld = "partly_upheld",
        /// The owner is not right.
        NotUpheld = "not_upheld",
        /// Not the company's to decide; the reason says whose.
        OutOfScope = "out_of_scope",
    }
}

word_enum! {
    /// How far a remedy is.
    RemedyProgress {
        /// Ordered, not done.
        Requested = "requested",
        /// Done.
        Completed = "completed",
        /// All its work orders were called off.
        CalledOff = "called_off",
        /// Dispatch has nobody to give it to as it was ordered; there is no work order.
        Refused = "refused",
    }
}

word_enum! {
    /// Why dispatch has refused a remedy.
    RefusedBecause {
        /// There is no such department, or it does not serve the estate.
        UnknownDepartment = "unknown_department",
        /// The complaint had ended before dispatch heard of it.
        ComplaintOver = "complaint_over",
        /// For a reason that we have no word for yet.
        Other = "other",
    }
}

/// A department that work can be ordered from, as dispatch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its code.
    pub code: String,
    /// The estates it serves; `None` = all.
    pub estates: Option<Vec<EstateId>>,
    /// Whether it does no work any more.
    pub closed: bool,
    /// What its technicians can do; empty = it has none.
    pub skills: Vec<String>,
}

impl Department {
    /// Whether work in an estate can be given to it.
    #[must_use]
    pub fn serves(&self, estate: EstateId) -> bool {
        !self.closed && self.estates.as_ref().is_none_or(|estates| estates.contains(&estate))
    }

    /// Whether one of its technicians has the skill; of a department without any, that is not known.
    #[must_use]
    pub fn has(&self, skill: &Code) -> bool {
        self.skills.is_empty() || self.skills.iter().any(|known| known == skill.as_str())
    }
}

word_enum! {
    /// How far a remedy's work order is, as far as it matters here; the whole of it stands in dispatch.
    WorkOrderProgress {
        /// Not done.
        Open = "open",
        /// Done, with proof.
        Completed = "completed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

/// What came from the case: never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What people quote.
    pub reference: String,
    /// Code of the taxonomy, as the case has it.
    pub category: String,
    /// How urgent, as the case came.
    pub priority: Priority,
    /// What the owner said, verbatim.
    pub words: Words,
    /// The language to answer in.
    pub language: Language,
    /// Where.
    pub estate_id: EstateId,
    /// The unit, if it is about one.
    pub unit_id: Option<UnitId>,
    /// Whose matter it is, if known.
    pub resident_id: Option<ResidentId>,
    /// The case it follows from.
    pub linked_case_id: Option<CaseId>,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
    /// IANA name of the time zone of the estate; empty when intake has not told it.
    #[serde(default)]
    pub time_zone: String,
    /// Whether the owner wishes that it is looked at soon.
    #[serde(default)]
    pub urgent: bool,
    /// The unit from which the trouble comes, if another one was named.
    #[serde(default)]
    pub source_unit_id: Option<UnitId>,
}

/// A point as the assessment states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPoint {
    /// Its id.
    pub point_id: PointId,
    /// What the owner complains of.
    pub text: Words,
}

/// The outcome of one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointOutcome {
    /// The point.
    pub point_id: PointId,
    /// What was found.
    pub outcome: Outcome,
    /// Why.
    pub reason: Words,
}

/// A promise as the decision makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCommitment {
    /// Its id.
    pub commitment_id: CommitmentId,
    /// What is promised.
    pub text: Words,
    /// Until which day, in the estate's time zone.
    pub due_on: NaiveDate,
}

/// Work as it is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRemedy {
    /// Its id.
    pub remedy_id: RemedyId,
    /// Who shall do it.
    pub department: Code,
    /// The skill it takes; none = any.
    pub skill: Option<Code>,
    /// What is to be done.
    pub summary: Words,
}

/// One point of a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Point {
    /// Its id.
    pub point_id: PointId,
    /// What the owner complains of.
    #[schema(example = "楼上深夜拖动桌椅、跑跳")]
    pub text: Words,
    /// What was found; absent before the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why; absent before the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "连续三晚在您家听到明显响动，楼上住户也承认了。")]
    pub reason: Option<Words>,
}

/// A question to a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Consultation {
    /// Its id.
    pub consultation_id: ConsultationId,
    /// The department's code.
    #[schema(example = "security")]
    pub department: Code,
    /// What was asked.
    #[schema(example = "最近一周该楼层深夜巡逻有没有记录到响动？")]
    pub question: Words,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// What the department says; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "有三次记录，时间都在零点前后。")]
    pub answer: Option<Words>,
    /// When it was answered; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
}

/// What is going to be done, as the owner was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Plan {
    /// The plan.
    #[schema(example = "管家和秩序主管一起上门沟通，两周内夜班每晚两次到该层巡听。")]
    pub text: Words,
    /// Codes of the departments that take part.
    pub departments: Vec<Code>,
    /// How the owner was told.
    pub told_owner_via: Channel,
    /// When the owner was told.
    pub told_at: DateTime<Utc>,
}

/// That the owner is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub reason: Words,
    /// Where it goes on.
    pub back_to: ComplaintStage,
}

/// A promise of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Commitment {
    /// Its id.
    pub commitment_id: CommitmentId,
    /// What is promised.
    #[schema(example = "两周后再到您家回访一次")]
    pub text: Words,
    /// Until which day, in the estate's time zone.
    pub due_on: NaiveDate,
    /// When it was kept; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_at: Option<DateTime<Utc>>,
}

/// Work that the complaint needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Remedy {
    /// Its id.
    pub remedy_id: RemedyId,
    /// The department's code.
    #[schema(example = "engineering")]
    pub department: Code,
    /// The skill it takes; absent = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "水电")]
    pub skill: Option<Code>,
    /// What is to be done.
    #[schema(example = "整段更换厨房下水管及接头，清理现场后请业主看")]
    pub summary: Words,
    /// How far it is.
    pub progress: RemedyProgress,
    /// Why dispatch has refused it; absent when it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_because: Option<RefusedBecause>,
    /// Whether the decision promised it and it was called off or refused since: it is to be ordered again, or it is decided anew how
    /// the complaint ends.
    pub fallen_away: bool,
    /// The work orders that dispatch made of it.
    pub work_orders: Vec<WorkOrder>,
}

impl Remedy {
    /// Whether something is still to be done about it.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.progress == RemedyProgress::Requested || self.fallen_away
    }

    /// Its work order with that id.
    #[must_use]
    pub fn order(&self, id: WorkOrderId) -> Option<&WorkOrder> {
        self.work_orders.iter().find(|order| order.work_order_id == id)
    }

    /// How far it is by its work orders: done when none is open and one was done.
    #[must_use]
    pub fn by_its_orders(&self) -> RemedyProgress {
        let any = |progress| self.work_orders.iter().any(|order| order.progress == progress);
        if self.work_orders.is_empty() || any(WorkOrderProgress::Open) {
            RemedyProgress::Requested
        } else if any(WorkOrderProgress::Completed) {
            RemedyProgress::Completed
        } else {
            RemedyProgress::CalledOff
        }
    }
}

/// A work order of a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkOrder {
    /// Its id.
    pub work_order_id: WorkOrderId,
    /// What people quote; '' until dispatch has told it.
    #[schema(example = "W-261123-7K3QD4")]
    pub reference: String,
    /// How far it is.
    pub progress: WorkOrderProgress,
}

/// The owner's word on the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Confirmation {
    /// Whether it is solved.
    pub satisfied: bool,
    /// What the owner says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "这几天总算睡着了")]
    pub comment: Option<Words>,
    /// When.
    pub at: DateTime<Utc>,
    /// How staff took it down; absent when the owner gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
}

impl Confirmation {
    /// As this actor may see it: owners see that staff took it down, not who.
    #[must_use]
    pub fn shown_to(self, actor: &Actor) -> Self {
        Self { taken_down: self.taken_down.map(|note| note.shown_to(actor)), ..self }
    }
}
