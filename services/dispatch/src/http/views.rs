//! What answers show.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use steward_chassis::{Error, Result, sheet::SheetNote};
use steward_kernel::{
    Actor, Version,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Words,
    vocabulary::{Language, Priority},
    word::WordNote,
    word_enum,
};
use utoipa::ToSchema;

use crate::domain::{
    Code, DepartmentId, FileId, ImportId, Note, RemedyId, ShiftId, Skill, TechnicianId,
    appointment::Appointment,
    candidates::{Candidate, CandidateReason},
    import::{RosterImport, RosterPart},
    order::{HoldReason, OrderHold, OrderStatus, WorkOrder},
    request::{Facts, InfoQuestion, OrderNote, OwnerVerification, RequestStage, ServiceRequest},
    roster::{Department, Estates, Shift, Technician},
};

/// A service request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceRequestView {
    case_id: CaseId,
    #[schema(example = "S-261123-7K3QD4")]
    reference: String,
    #[schema(example = "water.leak")]
    category: String,
    priority: Priority,
    stage: RequestStage,
    /// What the owner said, verbatim.
    words: Words,
    language: Language,
    estate_id: EstateId,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_id: Option<UnitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_id: Option<ResidentId>,
    /// The case it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    linked_case_id: Option<CaseId>,
    /// Whether the owner wishes that it is looked at soon; the priority says how urgent it is.
    urgent: bool,
    /// The unit from which the trouble comes, if another one was named; nobody is sent there by that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_unit_id: Option<UnitId>,
    /// What was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<Appointment>,
    /// What the owner was asked, and said.
    questions: Vec<InfoQuestion>,
    /// Its work orders, the one that moved last at the end.
    work_orders: Vec<OrderNote>,
    /// Photos and documents of its finished work; its owner reads them as `GET /v1/files/{file_id}/content`, once they are stored.
    proof_file_ids: Vec<FileId>,
    /// Why it was declined or called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Note>,
    /// Who is responsible for what was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    responsible: Option<Note>,
    /// The owner's last word on the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<OwnerVerification>,
    /// How staff took down that the owner called it off; absent when the owner did, or the company by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_taken_down: Option<WordNote>,
    /// The commands that are legal now.
    allowed: Vec<&'static str>,
    received_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i32,
}

impl ServiceRequestView {
    pub(crate) fn new(
        request: ServiceRequest,
        version: Version,
        updated_at: DateTime<Utc>,
        facts: &Facts,
    ) -> Result<Self> {
        let (allowed, request) = (request.allowed(facts), request.shown_to(&facts.actor));
        let origin = request.origin.ok_or(Error::NotFound)?;
        Ok(Self {
            case_id: request.id,
            reference: origin.reference,
            category: origin.category,
            priority: origin.priority,
            stage: request.stage,
            words: origin.words,
            language: origin.language,
            estate_id: origin.estate_id,
            unit_id: origin.unit_id,
            resident_id: origin.resident_id,
            linked_case_id: origin.linked_case_id,
            urgent: origin.urgent,
            source_unit_id: origin.source_unit_id,
            details: request.details,
            appointment: request.appointment,
            questions: request.questions,
            work_orders: request.orders,
            proof_file_ids: request.proof,
            reason: request.reason,
            responsible: request.responsible,
            verification: request.verification,
            cancellation_taken_down: request.cancellation_taken_down,
            allowed,
            received_at: origin.opened_at,
            updated_at,
            version: version.get(),
        })
    }
}

word_enum! {
    /// Whether a file is there.
    ProofState {
        /// The technician's phone has not sent it yet.
        Awaited = "awaited",
        /// Intake has it.
        Stored = "stored",
    }
}

/// A photo or document that proves something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Proof {
    file_id: FileId,
    state: ProofState,
}

/// Why the work waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderHold)]
pub(crate) struct OrderHoldView {
    /// For what.
    reason: HoldReason,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// Where the work goes on afterwards.
    from: OrderStatus,
    /// What proves it.
    evidence: Vec<Proof>,
}

/// A work order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkOrderView {
    work_order_id: WorkOrderId,
    #[schema(example = "W-261123-7K3QD4")]
    reference: String,
    case_id: CaseId,
    /// The remedy of a complaint that it carries out; none for a service request.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy_id: Option<RemedyId>,
    /// The work order whose result did not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    rework_of: Option<WorkOrderId>,
    /// The department that has it.
    department: Code,
    /// Whether that one was a contractor of the company when it got the work order.
    contractor: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    skill: Option<Skill>,
    /// What is to be done.
    summary: Words,
    #[schema(example = "water.leak")]
    category: String,
    priority: Priority,
    estate_id: EstateId,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_id: Option<UnitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_id: Option<ResidentId>,
    status: OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    technician_id: Option<TechnicianId>,
    /// Why it waits, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<OrderHoldView>,
    /// How it was made safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_note: Option<Note>,
    /// Why it was last given back, transferred or called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Note>,
    /// How often it went from one department to another.
    transfers: u32,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// What proves that it is done: files of who completed it and of the technician who has it.
    proof: Vec<Proof>,
    /// Whether what proves it has not arrived in time: then the department's lead is told.
    proof_missed: bool,
    /// The commands that are legal now.
    allowed: Vec<&'static str>,
    opened_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i32,
}

impl WorkOrderView {
    /// * `stored`: the files that intake has, of those that prove something.
    pub(crate) fn new(
        order: WorkOrder,
        version: Version,
        updated_at: DateTime<Utc>,
        stored: &HashSet<FileId>,
    ) -> Result<Self> {
        let job = order.job.ok_or(Error::NotFound)?;
        let (note, file_ids) = order.completion.map(|done| (done.note, done.file_ids)).unzip();
        let is_awaited = file_ids.iter().flatten().any(|file| !stored.contains(file));
        let allowed = order.status.allowed_with(is_awaited);
        let state = |file_id| if stored.contains(&file_id) { ProofState::Stored } else { ProofState::Awaited };
        let proof = |files: Vec<FileId>| {
            files.into_iter().map(|file_id| Proof { file_id, state: state(file_id) }).collect::<Vec<_>>()
        };
        let hold = order.hold.map(|OrderHold { reason, note, file_ids, from }| OrderHoldView {
            reason,
            note,
            from,
            evidence: proof(file_ids),
        });
        Ok(Self {
            work_order_id: order.id,
            reference: job.reference,
            case_id: job.case_id,
            remedy_id: job.remedy_id,
            rework_of: job.rework_of,
            department: job.department,
            contractor: job.contractor,
            skill: job.skill,
            summary: job.summary,
            category: job.category,
            priority: job.priority,
            estate_id: job.estate_id,
            unit_id: job.unit_id,
            resident_id: job.resident_id,
            status: order.status,
            technician_id: order.technician_id,
            hold,
            safe_note: order.safe_note,
            reason: order.reason,
            transfers: order.transfers,
            note,
            proof: proof(file_ids.unwrap_or_default()),
            proof_missed: order.proof_missed,
            allowed,
            opened_at: job.opened_at,
            updated_at,
            version: version.get(),
        })
    }
}

/// The estates that somebody serves, as far as the caller may see them.
fn served(estates: &Estates, known: &[EstateId], actor: &Actor) -> Vec<EstateId> {
    let mut served: Vec<EstateId> = match estates {
        Estates::All => known.to_vec(),
        Estates::Some(estates) => estates.iter().copied().collect(),
    };
    served.retain(|estate| actor.sees_estate(*estate));
    served.sort();
    served
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartmentView {
    department_id: DepartmentId,
    #[schema(example = "engineering")]
    code: Code,
    #[schema(example = "工程部")]
    name: String,
    estate_ids: Vec<EstateId>,
    /// Whether it is a contractor of the company.
    contractor: bool,
    /// Whether it does no work any more.
    closed: bool,
    version: i32,
}

impl DepartmentView {
    pub(crate) fn new(row: Department, version: Version, known: &[EstateId], actor: &Actor) -> Self {
        Self {
            department_id: row.id,
            estate_ids: served(&row.estates, known, actor),
            code: row.code,
            name: row.name.into(),
            contractor: row.contractor,
            closed: row.closed,
            version: version.get(),
        }
    }
}

/// A technician.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TechnicianView {
    technician_id: TechnicianId,
    #[schema(example = "T001")]
    code: Code,
    name: String,
    /// Subject of their access token.
    account: Code,
    #[schema(example = "engineering")]
    department: Code,
    #[schema(example = json!(["水电"]))]
    skills: Vec<String>,
    estate_ids: Vec<EstateId>,
    /// Whether they have left the company.
    left: bool,
    version: i32,
}

impl TechnicianView {
    pub(crate) fn new(row: Technician, version: Version, known: &[EstateId], actor: &Actor) -> Self {
        Self {
            technician_id: row.id,
            estate_ids: served(&row.estates, known, actor),
            code: row.code,
            name: row.name.into(),
            account: row.account,
            department: row.department,
            skills: row.skills.into_iter().collect(),
            left: row.left,
            version: version.get(),
        }
    }
}

/// A shift of a technician.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShiftView {
    shift_id: ShiftId,
    technician_id: TechnicianId,
    /// The day on which it starts, by the clock of its estate.
    on: NaiveDate,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Whether a later file took it back; such shifts show in the change feed only.
    called_off: bool,
    version: i32,
}

impl ShiftView {
    pub(crate) fn new(row: &Shift, version: Version) -> Self {
        Self {
            shift_id: row.id,
            technician_id: row.technician_id,
            on: row.on,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            called_off: row.called_off,
            version: version.get(),
        }
    }
}

/// What speaks for or against somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateReasonView {
    code: CandidateReason,
    /// In the language asked for.
    #[schema(example = "当班")]
    text: &'static str,
}

/// Somebody who could do it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateView {
    technician_id: TechnicianId,
    code: Code,
    name: String,
    department: Code,
    on_shift: bool,
    /// How many work orders they have that are not done.
    open_orders: u32,
    reasons: Vec<CandidateReasonView>,
}

/// Those who could do it, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Candidates {
    pub items: Vec<CandidateView>,
}

impl CandidateView {
    pub(crate) fn new(candidate: Candidate, language: Language) -> Self {
        let Candidate { crew, reasons } = candidate;
        Self {
            technician_id: crew.technician.id,
            code: crew.technician.code,
            name: crew.technician.name.into(),
            department: crew.technician.department,
            on_shift: crew.on_shift,
            open_orders: crew.open_orders,
            reasons: reasons
                .into_iter()
                .map(|code| CandidateReasonView { code, text: words(code, language) })
                .collect(),
        }
    }
}

fn words(reason: CandidateReason, language: Language) -> &'static str {
    let [hans, hant, en] = match reason {
        CandidateReason::HasSkill => ["具备所需技能", "具備所需技能", "has the skill"],
        CandidateReason::ServesEstate => ["负责本小区", "負責本小區", "serves the estate"],
        CandidateReason::OnShift => ["当班", "當班", "on shift"],
        CandidateReason::OffShift => ["不当班", "不當班", "not on shift"],
        CandidateReason::OwnDepartment => ["属于本部门", "屬於本部門", "of this department"],
        CandidateReason::OtherDepartment => ["属于其他部门", "屬於其他部門", "of another department"],
        CandidateReason::Free => ["没有在手工单", "沒有在手工單", "has no other work order"],
        CandidateReason::Busy => ["有在手工单", "有在手工單", "has other work orders"],
    };
    match language {
        Language::ZhHans => hans,
        Language::ZhHant => hant,
        Language::En => en,
    }
}

/// What came of a register file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RosterImportReport {
    import_id: ImportId,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<RosterPart>,
    /// Rows in the file, without the header.
    rows: u32,
    /// Of them, new.
    created: u32,
    /// Of them, known and changed.
    updated: u32,
    /// Of them, known and the same.
    unchanged: u32,
    /// Rows and columns that were left out, and what looks wrong though it was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    notes: Vec<SheetNote>,
}

impl RosterImportReport {
    /// As it is told in a language.
    pub(super) fn new(import: &RosterImport, language: Language) -> Self {
        let counts = import.counts;
        Self {
            import_id: import.id,
            resource: import.resource,
            rows: counts.rows,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            notes: import.notes.iter().map(|note| SheetNote::new(note, language)).collect(),
        }
    }
}
