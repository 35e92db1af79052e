//! Visits at the desk: arriving, being called, being served, leaving.

use axum::extract::State;
use steward_chassis::{
    Call, Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::page::Page;

use super::{
    dto::Nothing,
    permission,
    visit_dto::{self as dto, OpenVisit, VisitQuery, VisitView},
};
use crate::{
    app::App,
    desk,
    domain::{
        VisitId,
        visit::{Command, Refusal, Visit},
    },
    store,
};

/// Note an arrival
///
/// Gives the visitor the next number in the queue of the estate and day.
#[utoipa::path(
    post, path = "/v1/visits", operation_id = "open_visit", tag = "visits",
    request_body = OpenVisit,
    responses(
        (status = 201, description = "The new visit", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"),
                 ("location" = String, description = "Where it stands"))),
        Problems,
    ),
    security(("bearer" = ["visit.receive"])),
)]
pub(super) async fn open_visit(
    State(app): State<App>,
    call: Allowed<permission::ReceiveVisits>,
    Json(OpenVisit { estate_id, resident_id, purpose }): Json<OpenVisit>,
) -> Result<Versioned<VisitView>> {
    let opened = desk::receive(&app, &call, estate_id, resident_id, purpose).await?;
    let location = format!("/v1/visits/{}", opened.state.id);
    let view = dto::visit(&opened)?;
    Ok(Versioned::created(view.body, view.version, location).replayed(view.replayed))
}

/// List visits
///
/// Newest first; with `since`, what has changed. Staff see those of their estates.
#[utoipa::path(
    get, path = "/v1/visits", operation_id = "list_visits", tag = "visits",
    params(VisitQuery, ListParams),
    responses((status = 200, description = "One page of visits", body = Page<VisitView>), Problems),
    security(("bearer" = ["visit.read"])),
)]
pub(super) async fn list_visits(
    State(app): State<App>,
    call: Allowed<permission::ReadVisits>,
    List { filter, page }: List<VisitQuery>,
) -> Result<Json<Page<VisitView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let rows =
        store::visit::list(&mut tx, &call.actor, (filter.estate_id, filter.resident_id, filter.status), page).await?;
    tx.rollback().await?;
    Ok(Json(rows.map(VisitView::from)))
}

/// Read a visit
///
/// Where it stands, and when what happened.
#[utoipa::path(
    get, path = "/v1/visits/{visit_id}", operation_id = "get_visit", tag = "visits",
    params(("visit_id" = VisitId, Path, description = "The visit")),
    responses(
        (status = 200, description = "The visit", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["visit.read"])),
)]
pub(super) async fn get_visit(
    State(app): State<App>,
    call: Allowed<permission::ReadVisits>,
    Path(visit_id): Path<VisitId>,
) -> Result<Versioned<VisitView>> {
    let none = || Error::refused(&Refusal::NoSuchVisit);
    let found = app.core.engine.load::<Visit>(&call, visit_id).await;
    let found = found.map_err(|fault| if matches!(fault, Error::NotFound) { none() } else { fault })?;
    match &found.state.arrival {
        Some(arrival) if call.actor.sees(arrival.estate, arrival.resident) => dto::visit(&found),
        _ => Err(none()),
    }
}

/// Call a visitor
///
/// Calling again changes nothing.
#[utoipa::path(
    post, path = "/v1/visits/{visit_id}/call", operation_id = "call_visit", tag = "visits",
    params(("visit_id" = VisitId, Path, description = "The visit")),
    request_body = Nothing,
    responses(
        (status = 200, description = "The visit as it is now", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["visit.receive"])),
)]
pub(super) async fn call_visit(
    State(app): State<App>,
    call: Allowed<permission::ReceiveVisits>,
    Path(visit_id): Path<VisitId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<VisitView>> {
    carry_out(&app, &call, visit_id, Command::Call).await
}

/// Begin serving
///
/// A visitor who was called.
#[utoipa::path(
    post, path = "/v1/visits/{visit_id}/serve", operation_id = "serve_visit", tag = "visits",
    params(("visit_id" = VisitId, Path, description = "The visit")),
    request_body = Nothing,
    responses(
        (status = 200, description = "The visit as it is now", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["visit.receive"])),
)]
pub(super) async fn serve_visit(
    State(app): State<App>,
    call: Allowed<permission::ReceiveVisits>,
    Path(visit_id): Path<VisitId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<VisitView>> {
    carry_out(&app, &call, visit_id, Command::Serve).await
}

/// End serving
///
/// The waiting and serving times are told to the figures.
#[utoipa::path(
    post, path = "/v1/visits/{visit_id}/finish", operation_id = "finish_visit", tag = "visits",
    params(("visit_id" = VisitId, Path, description = "The visit")),
    request_body = Nothing,
    responses(
        (status = 200, description = "The visit as it is now", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["visit.receive"])),
)]
pub(super) async fn finish_visit(
    State(app): State<App>,
    call: Allowed<permission::ReceiveVisits>,
    Path(visit_id): Path<VisitId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<VisitView>> {
    carry_out(&app, &call, visit_id, Command::Finish).await
}

/// Note that a visitor went
///
/// Without having been served.
#[utoipa::path(
    post, path = "/v1/visits/{visit_id}/leave", operation_id = "leave_visit", tag = "visits",
    params(("visit_id" = VisitId, Path, description = "The visit")),
    request_body = Nothing,
    responses(
        (status = 200, description = "The visit as it is now", body = VisitView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["visit.receive"])),
)]
pub(super) async fn leave_visit(
    State(app): State<App>,
    call: Allowed<permission::ReceiveVisits>,
    Path(visit_id): Path<VisitId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<VisitView>> {
    carry_out(&app, &call, visit_id, Command::Leave).await
}

async fn carry_out(app: &App, call: &Call, id: VisitId, command: Command) -> Result<Versioned<VisitView>> {
    dto::visit(&app.core.engine.execute::<Visit>(call, id, &command, &app.facts(call)).await?)
}
