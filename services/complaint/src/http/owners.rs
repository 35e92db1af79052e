//! The owner's word on a complaint.

use axum::extract::State;
use steward_chassis::{
    Call, Result,
    http::{Allowed, Json, Path, Problems, Versioned},
};
use steward_kernel::ids::CaseId;

use super::{
    carry_out_with,
    dto::{ConfirmComplaint, WithdrawComplaint},
    permission,
    view::ComplaintView,
};
use crate::{app::App, domain::Command};

/// Confirm the result
///
/// The owner's word. Satisfied, and all work done: the complaint is closed. Not satisfied: it is investigated again,
/// also within some days after the end. Staff who had no part in the complaint may take it down and say how the owner
/// gave it.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/confirm", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = ConfirmComplaint, example = json!({ "satisfied": true, "comment": "这几天总算睡着了" })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.speak"])),
)]
pub async fn confirm_complaint(
    State(app): State<App>,
    call: Allowed<permission::Speak>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ConfirmComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let ConfirmComplaint { satisfied, comment, taken_down } = body;
    give(&app, &call, case_id, Command::Confirm { satisfied, comment, taken_down }).await
}

/// Withdraw a complaint
///
/// The owner takes it back. Staff who had no part in the complaint may take that word down and say how the owner gave
/// it. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/complaints/{case_id}/withdraw", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    request_body(content = WithdrawComplaint, example = json!({ "reason": "已经和楼上谈好了" })),
    responses((status = 200, description = "The complaint as it is now", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.speak"])),
)]
pub async fn withdraw_complaint(
    State(app): State<App>,
    call: Allowed<permission::Speak>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<WithdrawComplaint>,
) -> Result<Versioned<ComplaintView>> {
    let WithdrawComplaint { reason, taken_down } = body;
    give(&app, &call, case_id, Command::Withdraw { reason, taken_down }).await
}

/// Takes the owner's word on a complaint, and shows the complaint as it is then.
async fn give(app: &App, call: &Call, case_id: CaseId, word: Command) -> Result<Versioned<ComplaintView>> {
    let facts = app.facts_of_word(call, case_id).await?;
    carry_out_with(app, call, case_id, word, &facts).await
}
