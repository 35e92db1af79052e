//! Reading complaints.

use axum::extract::State;
use steward_chassis::{
    Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{ids::CaseId, page::Page};

use super::{
    dto::ComplaintFilter,
    permission,
    view::{self, CategoryList, ComplaintView},
};
use crate::{
    app::App,
    domain::{Complaint, Refusal},
    store::{self, ComplaintLine},
};

/// List complaints
///
/// Newest first. Staff see those of their estates, owners their own. With `since`, what has changed from there on.
#[utoipa::path(
    get, path = "/v1/complaints", tag = "complaints",
    params(ComplaintFilter, ListParams),
    responses((status = 200, description = "A page of complaints", body = Page<ComplaintLine>), Problems),
    security(("bearer" = ["complaint.read"])),
)]
pub async fn list_complaints(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    List { filter, page }: List<ComplaintFilter>,
) -> Result<Json<Page<ComplaintLine>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let lines = store::list(&mut tx, &call.actor, &filter.into(), page).await?;
    tx.rollback().await?;
    Ok(Json(lines))
}

/// Read a complaint
///
/// With its points, plan, decision, commitments and work orders, and the commands that the caller may ask for now.
#[utoipa::path(
    get, path = "/v1/complaints/{case_id}", tag = "complaints",
    params(("case_id" = CaseId, Path, description = "The case that the complaint was born from")),
    responses((status = 200, description = "The complaint", body = ComplaintView), Problems),
    security(("bearer" = ["complaint.read"])),
)]
pub async fn get_complaint(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    Path(case_id): Path<CaseId>,
) -> Result<Versioned<ComplaintView>> {
    let found = app.core.engine.load::<Complaint>(&call, case_id).await.map_err(|error| match error {
        Error::NotFound => Error::refused(&Refusal::NoSuchComplaint),
        other => other,
    })?;
    view::answer(found, &app.facts(&call))
}

/// List the categories of complaints
///
/// The entries of the taxonomy whose usual kind is a complaint.
#[utoipa::path(
    get, path = "/v1/complaint-categories", tag = "complaints",
    responses((status = 200, description = "The categories", body = CategoryList), Problems),
    security(("bearer" = ["complaint.read"])),
)]
pub async fn list_complaint_categories(call: Allowed<permission::Read>) -> Json<CategoryList> {
    Json(CategoryList::of_complaints(call.language))
}
