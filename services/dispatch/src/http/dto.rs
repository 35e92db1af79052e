//! What requests carry.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use steward_kernel::{era, ids::CaseId, text::Words, word::TakenDown};
use utoipa::ToSchema;

use crate::domain::{Code, FileId, Note, Skill, TechnicianId, appointment::Appointment, order::HoldReason};

/// Nothing needs to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct Nothing {}

/// A window of time that the owner is promised.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppointmentBody {
    /// Its start.
    #[serde(deserialize_with = "era::read")]
    pub from: DateTime<Utc>,
    /// Its end, after the start.
    #[serde(deserialize_with = "era::read")]
    pub to: DateTime<Utc>,
}

impl From<AppointmentBody> for Appointment {
    fn from(AppointmentBody { from, to }: AppointmentBody) -> Self {
        Self { from, to }
    }
}

/// The details are clear.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "details": "厨房水龙头滴水，业主在家",
    "appointment": { "from": "2026-11-24T14:00:00+08:00", "to": "2026-11-24T16:00:00+08:00" },
}))]
pub(crate) struct ConfirmRequest {
    /// What was found out.
    pub details: Option<Words>,
    /// When somebody will come: ahead, within 60 days, one day long at most.
    pub appointment: Option<AppointmentBody>,
}

/// When somebody comes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "appointment": { "from": "2026-11-25T14:00:00+08:00", "to": "2026-11-25T16:00:00+08:00" },
    "reason": "业主临时有事，改到明天",
}))]
pub(crate) struct AppointRequest {
    /// The window: ahead, within 60 days, one day long at most.
    pub appointment: AppointmentBody,
    /// Why it is another one than before.
    pub reason: Option<Note>,
}

/// Something the owner is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "question": "漏水的是冷水管还是热水管？" }))]
pub(crate) struct RequestInfo {
    /// What is asked.
    pub question: Words,
}

/// The owner's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "text": "是热水管" }))]
pub(crate) struct ProvideInfo {
    /// The answer.
    pub text: Words,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// It is not the company's to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "属于住户自有设备", "responsible": "请联系家电厂商" }))]
pub(crate) struct DeclineRequest {
    /// Why.
    pub reason: Note,
    /// Who is responsible, for the owner to turn to.
    pub responsible: Note,
}

/// A reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "业主已自行解决" }))]
pub(crate) struct GiveReason {
    /// Why.
    pub reason: Note,
}

/// Why a service request is called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "业主已自行解决" }))]
pub(crate) struct CallOffRequest {
    /// Why.
    pub reason: Note,
    /// For staff, when the owner asked for it: how the owner said so. Left out when the company calls it off by itself.
    pub taken_down: Option<TakenDown>,
}

/// The owner's word on the result.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "satisfied": true, "comment": "修得很好", "further_need": "阳台灯也不亮了" }))]
pub(crate) struct VerifyRequest {
    /// Whether it is solved; if not, a work order for the rework is opened.
    pub satisfied: bool,
    /// In the owner's words.
    pub comment: Option<Words>,
    /// One more thing the owner asks for; it becomes a new, linked case.
    pub further_need: Option<Words>,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// A job for one team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "case_id": "0198f000-0000-7000-8000-0000000000c1",
    "department": "engineering",
    "skill": "水电",
    "summary": "更换厨房水龙头",
}))]
pub(crate) struct OpenOrder {
    /// A confirmed service request, or a complaint with a remedy.
    pub case_id: CaseId,
    /// Code of a department that serves the estate.
    pub department: Code,
    /// The skill it takes; none = any.
    pub skill: Option<Skill>,
    /// What is to be done.
    pub summary: Words,
}

/// To whom the work is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "technician_id": "0198f000-0000-7000-8000-0000000000d1" }))]
pub(crate) struct AssignOrder {
    /// Somebody who has the skill and serves the estate.
    pub technician_id: TechnicianId,
    /// Who has been given it and has not said yes, if it is to be taken from them; `If-Match` does as well.
    pub instead_of: Option<TechnicianId>,
}

/// To which department the work goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "department": "lift_contractor", "reason": "须由电梯维保单位处理" }))]
pub(crate) struct TransferOrder {
    /// Code of another department that serves the estate.
    pub department: Code,
    /// Code of the department that has been given it and has not assigned it, if it is to be taken from that one; `If-Match` does as well.
    pub instead_of: Option<Code>,
    /// Why.
    pub reason: Note,
}

/// What skill the work takes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "skill": "门禁弱电" }))]
pub(crate) struct ChangeSkill {
    /// The skill; left out = anybody can do it.
    pub skill: Option<Skill>,
}

/// A remark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "note": "已关总阀" }))]
pub(crate) struct MakeSafeOrder {
    /// How.
    pub note: Option<Note>,
}

/// Why the work has to wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "parts",
    "note": "缺阀芯，明早到货",
    "file_ids": ["0198f000-0000-7000-8000-0000000000f2"],
}))]
pub(crate) struct HoldOrder {
    /// For what.
    pub reason: HoldReason,
    /// More about it.
    pub note: Option<Note>,
    /// What proves it: photos or documents that intake keeps, at most 20; they may arrive later than this.
    #[serde(default)]
    pub file_ids: Vec<FileId>,
}

/// What was done, with proof.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "note": "已更换水龙头，试水正常",
    "file_ids": ["0198f000-0000-7000-8000-0000000000f1"],
}))]
pub(crate) struct CompleteOrder {
    /// In the technician's words.
    pub note: Note,
    /// Photos or documents that intake keeps, 1 to 20; they may arrive later than this.
    pub file_ids: Vec<FileId>,
}
