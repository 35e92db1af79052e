//! Handling complaints: every command is `POST /v1/complaints/{case_id}/<command>`.

use axum::extract::State;
use steward_chassis::{
    Result,
    http::{Allowed, Json, Path, Problems, Versioned},
};
use steward_kernel::ids::CaseId;

use super::{
    carry_out, carry_out_with,
    dto::{
        AcknowledgeComplaint, AnswerConsultation, AssessComplaint, AwaitOwnerOfComplaint, ConsultDepartment,
        DecideComplaint, FollowUpComplaint, KeepCommitment, OrderRemedy, PlanComplaint, ResumeComplaint,
    },
    permission,
    view::ComplaintView,
};
use crate::{app::App, domain::Command};

/// Acknowledge a complaint
///
/// Says that a person has taken it up; an automatic receipt never counts as this. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/acknowledge", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = AcknowledgeComplaint, example = json!({ "note": "我是您的管家，这件事由我负责到底。" })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn acknowledge_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<AcknowledgeComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let AcknowledgeComplaint { note } = body;
    carry_out(&app, &call, case_id, Command::Acknowledge { note }).await
}

/// Assess a complaint
///
/// Classifies it and splits it into points. May be corrected until there is a plan; new points replace the old ones.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/assess", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = AssessComplaint, example = json!({
        "category": "noise.neighbour", "severity": "medium", "points": [{ "text": "楼上深夜拖动桌椅、跑跳" }]
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn assess_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<AssessComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let command = body.into_command(&app);
    carry_out(&app, &call, case_id, command).await
}

/// Consult a department
///
/// Asks a department about the complaint. A plan needs the answer of every department that was asked.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/consult", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = ConsultDepartment, example = json!({
        "department": "security", "question": "最近一周有没有记录到响动？"
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn consult_department(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ConsultDepartment>,
) -> Result<Versioned<ComplaintView>> {
    let ConsultDepartment { department, question } = body;
    let command = Command::Consult { consultation_id: app.new_id(), department, question };
    carry_out(&app, &call, case_id, command).await
}

/// Answer a consultation
///
/// Writes down what the department says. A given answer is not replaced by another one.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/answer-consultation", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = AnswerConsultation, example = json!({
        "consultation_id": "0199f4a2-7c1e-7d3a-9b52-3f1c5a7e9d10", "answer": "有三次记录，时间都在零点前后。"
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn answer_consultation(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<AnswerConsultation>,
) -> Result<Versioned<ComplaintView>> {
    let AnswerConsultation { consultation_id, answer } = body;
    carry_out(&app, &call, case_id, Command::AnswerConsultation { consultation_id, answer }).await
}

/// Plan and tell the owner
///
/// Says what is going to be done and how the owner was told. A new plan may replace it until the decision.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/plan", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = PlanComplaint, example = json!({
        "text": "管家和秩序主管一起上门沟通。", "departments": ["security"], "told_owner_via": "phone"
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn plan_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<PlanComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let PlanComplaint { text, departments, told_owner_via } = body;
    carry_out(&app, &call, case_id, Command::Plan { text, departments, told_owner_via }).await
}

/// Wait for the owner
///
/// Says what is needed from the owner; `resume` goes on where it stood.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/await-owner", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = AwaitOwnerOfComplaint, example = json!({ "reason": "请业主提供漏水部位的照片" })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn await_owner_of_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<AwaitOwnerOfComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let AwaitOwnerOfComplaint { reason } = body;
    carry_out(&app, &call, case_id, Command::AwaitOwner { reason }).await
}

/// Go on
///
/// The owner is waited for no longer.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/resume", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = ResumeComplaint, example = json!({})),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn resume_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ResumeComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let ResumeComplaint {} = body;
    carry_out(&app, &call, case_id, Command::Resume).await
}

/// Decide a complaint
///
/// Gives every point its outcome and reason. Promises made here live on after the decision.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/decide", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = DecideComplaint, example = json!({
        "points": [{
            "point_id": "0199f4a2-7c1e-7d3a-9b52-3f1c5a7e9d10", "outcome": "upheld", "reason": "连续三晚听到明显响动。"
        }],
        "commitments": [{ "text": "两周后再到您家回访一次", "due_on": "2026-12-07" }]
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn decide_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<DecideComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let command = body.into_command(&app);
    carry_out(&app, &call, case_id, command).await
}

/// Order work for a complaint
///
/// Dispatch makes a work order of it, for a department that serves the estate and has somebody with the skill. May be asked before the decision, since danger cannot wait for it.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/remedy", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = OrderRemedy, example = json!({
        "department": "engineering", "skill": "水电", "summary": "整段更换厨房下水管及接头"
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn remedy_complaint(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<OrderRemedy>,
) -> Result<Versioned<ComplaintView>> {
    let (command, facts) = (body.into_command(&app), app.facts_of_work(&call).await?);
    carry_out_with(&app, &call, case_id, command, &facts).await
}

/// Note that a commitment was kept
///
/// Possible also after the complaint is closed. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/keep-commitment", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = KeepCommitment, example = json!({
        "commitment_id": "0199f4a2-7c1e-7d3a-9b52-3f1c5a7e9d10"
    })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.handle"])),
)]
pub async fn keep_commitment(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<KeepCommitment>,
) -> Result<Versioned<ComplaintView>> {
    let KeepCommitment { commitment_id } = body;
    carry_out(&app, &call, case_id, Command::KeepCommitment { commitment_id }).await
}

/// Note a call-back about the decision
///
/// With its result. Calls on three different days of the estate that reach nobody end the call-back, and close the
/// complaint when nothing is left to be done; its owner can come back on it. Further calls on a day are noted, but do not
/// bring the end nearer.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/follow-up", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = FollowUpComplaint, example = json!({ "result": "reached", "note": "业主表示这几晚安静了" })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.call_back"])),
)]
pub async fn follow_up_complaint(
    State(app): State<App>,
    call: Allowed<permission::CallBack>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<FollowUpComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let FollowUpComplaint { result, note } = body;
    carry_out(&app, &call, case_id, Command::FollowUp { result, note }).await
}
