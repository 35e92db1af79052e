//! What requests and answers about cases look like.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Executed, Result, http::Versioned};
use steward_kernel::{
    era,
    ids::{CaseId, EstateId, ResidentId, UnitId},
    text::{Line, Words},
    vocabulary::{CaseKind, CaseStage, CaseStatus, Channel, Language, Priority},
    word::WordNote,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{clock_dto::ClockView, dto::answer, promise_dto::AccountableView};
use crate::{
    domain::{
        FileId, VisitId,
        case::{Case, Window},
        timeline::{Milestone, Party},
    },
    store::case::CaseRow,
};

/// A new case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "service_request", "category": "water.leak", "words": "厨房水管漏水，已经关了总阀", "channel": "phone",
    "estate_id": "0198f000-0000-7000-8000-00000000e001", "unit_id": "0198f000-0000-7000-8000-00000000a001",
    "resident_id": "0198f000-0000-7000-8000-00000000d001"
}))]
pub struct OpenCase {
    /// What it is.
    pub kind: CaseKind,
    /// Code of the taxonomy; `other` when left out.
    pub category: Option<Line>,
    /// How urgent; as is usual for the category when left out. For staff.
    pub priority: Option<Priority>,
    /// What the owner said, verbatim; 1 to 4,000 characters.
    pub words: Words,
    /// The way by which it came. An owner's is `app`, `wechat`, `web` or `qr`.
    pub channel: Channel,
    /// Where: an estate of the register.
    pub estate_id: EstateId,
    /// Which unit of that estate: one to which an owner is tied today, or to which the resident named is or was tied. Left
    /// out for common parts.
    pub unit_id: Option<UnitId>,
    /// Whose matter it is. For staff; an owner's is always the own.
    pub resident_id: Option<ResidentId>,
    /// The visit at the desk in which it came up.
    pub visit_id: Option<VisitId>,
    /// The case it follows from.
    pub linked_case_id: Option<CaseId>,
    /// When it was said, if not now (a paper form entered late). For staff; at most 30 days back, unless the company has set
    /// another time. What is older is entered by a supervisor, a manager or an admin.
    #[serde(default, deserialize_with = "era::read")]
    pub said_at: Option<DateTime<Utc>>,
    /// The language to answer in. When left out: the one that the register says for the resident, else an owner's own
    /// (`Accept-Language`), else the company's.
    pub language: Option<Language>,
    /// Photos and documents, stored before; at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub file_ids: Vec<FileId>,
    /// The unit of that estate from which the trouble comes, if that is another one (the flat above). It is shown to staff;
    /// nobody is sent there by that alone.
    pub source_unit_id: Option<UnitId>,
    /// Whether the owner wishes that it is looked at soon. It is shown; the priority stays that of the category.
    #[serde(default)]
    pub urgent: bool,
}

/// A case as its owner and the staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// The case; the same id in every service.
    #[schema(value_type = CaseId)]
    pub case_id: Uuid,
    /// What people quote.
    #[schema(example = "S-261123-7K3QD4")]
    pub reference: String,
    /// What it is.
    #[schema(value_type = CaseKind)]
    pub kind: String,
    /// Code of the taxonomy.
    #[schema(example = "water.leak")]
    pub category: String,
    /// How urgent.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// How it stands for the owner, the same words for every kind.
    #[schema(value_type = CaseStatus)]
    pub status: String,
    /// Stage in the service that works on it.
    #[schema(value_type = CaseStage)]
    pub stage: String,
    /// What the owner said.
    pub words: String,
    /// The way by which it came.
    #[schema(value_type = Channel)]
    pub channel: String,
    /// Where.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// Which unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<UnitId>)]
    pub unit_id: Option<Uuid>,
    /// Whose matter it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ResidentId>)]
    pub resident_id: Option<Uuid>,
    /// The visit in which it came up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<VisitId>)]
    pub visit_id: Option<Uuid>,
    /// Cases that belong to it: the one it follows from, those that follow from it.
    #[schema(value_type = Vec<CaseId>)]
    pub linked_case_ids: Vec<Uuid>,
    /// Photos and documents.
    #[schema(value_type = Vec<FileId>)]
    pub file_ids: Vec<Uuid>,
    /// Photos and documents of its finished work, for its owner to see: `GET /v1/files/{file_id}/content`, once they are stored.
    #[schema(value_type = Vec<FileId>)]
    pub proof_file_ids: Vec<Uuid>,
    /// The language to answer in.
    #[schema(value_type = Language)]
    pub language: String,
    /// The unit from which the trouble comes, if another one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<UnitId>)]
    pub source_unit_id: Option<Uuid>,
    /// Whether the owner wishes that it is looked at soon.
    pub urgent: bool,
    /// As what its opener acted.
    #[schema(value_type = Party)]
    pub opened_by: String,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Whether the owner was asked how it went.
    pub satisfaction_asked: bool,
    /// Who answers for it. With a case or cases that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accountable: Option<AccountableView>,
    /// When the company owes the owner the next thing. With a case or cases that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Its clocks. With a case that was read alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub clocks: Vec<ClockView>,
    /// Version, for `If-Match`.
    pub version: i32,
}

impl From<CaseRow> for CaseView {
    fn from(row: CaseRow) -> Self {
        Self {
            case_id: row.case_id,
            reference: row.reference,
            kind: row.kind,
            category: row.category,
            priority: row.priority,
            status: row.status,
            stage: row.stage,
            words: row.words,
            channel: row.channel,
            estate_id: row.estate_id,
            unit_id: row.unit_id,
            resident_id: row.resident_id,
            visit_id: row.visit_id,
            linked_case_ids: row.linked_case_ids,
            file_ids: row.file_ids,
            proof_file_ids: row.proof_file_ids,
            language: row.language,
            source_unit_id: row.source_unit_id,
            urgent: row.urgent,
            opened_by: row.opened_by,
            said_at: row.said_at,
            opened_at: row.opened_at,
            updated_at: row.updated_at,
            satisfaction_asked: row.satisfaction_asked,
            accountable: None,
            due_at: None,
            clocks: Vec::new(),
            version: row.version,
        }
    }
}

/// Which cases to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CaseQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// Of this kind.
    pub kind: Option<CaseKind>,
    /// In this status.
    pub status: Option<CaseStatus>,
    /// Of this resident; for staff.
    pub resident_id: Option<ResidentId>,
    /// Of this category.
    pub category: Option<String>,
    /// That came up in this visit.
    pub visit_id: Option<VisitId>,
    /// About this unit.
    pub unit_id: Option<UnitId>,
    /// With this reference, in any spelling (small letters, full width, without hyphens), or only its last part.
    pub reference: Option<String>,
}

/// The way of a case so far, oldest step first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// Its steps.
    pub items: Vec<TimelineItem>,
}

/// One step of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineItem {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Which step, for programs.
    pub code: Milestone,
    /// Which step, for people, in the language asked for.
    #[schema(example = "师傅已出发")]
    pub text: String,
    /// How the case stood afterwards.
    pub status: CaseStatus,
    /// Stage afterwards.
    #[schema(value_type = CaseStage)]
    pub stage: String,
    /// Who took it: a role, not a name.
    pub by: Party,
    /// When somebody comes, as was agreed in this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Window>,
    /// When somebody would have come before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_appointment: Option<Window>,
    /// The date that the owner was given in this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The date that it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_due_at: Option<DateTime<Utc>>,
    /// Why the owner was given another date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
    /// How staff took down the owner's word that this step is; absent when the owner gave it, or when it is none. Who took it
    /// down is shown to staff alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
}

/// A case as it is now.
pub(super) fn case(done: &Executed<Case>) -> Result<Versioned<CaseView>> {
    answer(CaseRow::of(&done.state, done.version, done.changed_at), done.version, done.replayed)
}
