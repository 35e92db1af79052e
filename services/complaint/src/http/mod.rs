//! The HTTP API: the table of contents.

pub mod complaints;
pub mod dto;
pub mod handling;
pub mod owners;
pub mod permission;
pub mod view;

use steward_chassis::{
    Call, Result,
    http::{Group, Routes, Versioned},
};
use steward_kernel::ids::CaseId;
use utoipa_axum::routes;

use crate::{
    app::App,
    domain::{Command, Complaint, Facts},
};

/// The groups of operations, in the order in which a reader needs them.
pub const GROUPS: &[Group] = &[Group {
    name: "complaints",
    about: "Something is wrong, and the company answers for each point of it. From the acknowledgement over plan and decision to the owner's word that it is solved.",
}];

/// Every route of the service.
pub fn routes() -> Routes<App> {
    Routes::new()
        .routes(routes!(complaints::list_complaints))
        .routes(routes!(complaints::get_complaint))
        .routes(routes!(complaints::list_complaint_categories))
        .routes(routes!(handling::acknowledge_complaint))
        .routes(routes!(handling::assess_complaint))
        .routes(routes!(handling::consult_department))
        .routes(routes!(handling::answer_consultation))
        .routes(routes!(handling::plan_complaint))
        .routes(routes!(handling::await_owner_of_complaint))
        .routes(routes!(handling::resume_complaint))
        .routes(routes!(handling::decide_complaint))
        .routes(routes!(handling::remedy_complaint))
        .routes(routes!(handling::keep_commitment))
        .routes(routes!(handling::follow_up_complaint))
        .routes(routes!(owners::confirm_complaint))
        .routes(routes!(owners::withdraw_complaint))
}

/// Carries out a command and shows the complaint as it is then.
async fn carry_out(
    app: &App,
    call: &Call,
    case_id: CaseId,
    command: Command,
) -> Result<Versioned<view::ComplaintView>> {
    carry_out_with(app, call, case_id, command, &app.facts(call)).await
}

/// Carries out a command, with what was looked up for it, and shows the complaint as it is then.
async fn carry_out_with(
    app: &App,
    call: &Call,
    case_id: CaseId,
    command: Command,
    facts: &Facts,
) -> Result<Versioned<view::ComplaintView>> {
    let executed = app.core.engine.execute::<Complaint>(call, case_id, &command, facts).await?;
    view::answer(executed, facts)
}
