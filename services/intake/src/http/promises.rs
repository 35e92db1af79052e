//! The promise ledger, and escalations.

use axum::extract::State;
use chrono::TimeDelta;
use steward_chassis::{
    Call, Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Query, Versioned},
};
use steward_kernel::{ids::CaseId, page::Page};
use uuid::Uuid;

use super::{
    clocks::case_of,
    dto::Nothing,
    permission,
    promise_dto::{
        EscalationQuery, EscalationView, MakePromise, MovePromise, PromisePeriod, PromiseQuery, PromiseSummary,
        PromiseView,
    },
};
use crate::{
    app::App,
    domain::stewardship::{Command, Stewardship},
    stewardship,
    store::stewardship::{self as rows, EscalationFilter, EscalationRow, Of, PromiseFilter, PromiseRow},
};

/// How far back a summary goes when nothing is said.
const SUMMARY: TimeDelta = TimeDelta::days(30);

/// List promises
///
/// Every time that was given to an owner, kept or not; the ones made last come first. Staff see those of their estates, owners their own.
#[utoipa::path(
    get, path = "/v1/promises", operation_id = "list_promises", tag = "promises",
    params(PromiseQuery, ListParams),
    responses((status = 200, description = "One page of promises", body = Page<PromiseView>), Problems),
    security(("bearer" = ["promise.read"])),
)]
pub(super) async fn list_promises(
    State(app): State<App>,
    call: Allowed<permission::ReadPromises>,
    List { filter, page }: List<PromiseQuery>,
) -> Result<Json<Page<PromiseView>>> {
    let filter = PromiseFilter {
        estate: filter.estate_id,
        case: filter.case_id,
        team: filter.team.map(String::from),
        outcome: filter.state.map(|state| state.to_string()),
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let found = rows::promises(&mut tx, &call.actor, filter, page).await?;
    tx.rollback().await?;
    Ok(Json(found.map(PromiseView::from)))
}

/// Count promises
///
/// How the teams keep the promises that fall due in a period.
#[utoipa::path(
    get, path = "/v1/promises/summary", operation_id = "summarise_promises", tag = "promises",
    params(PromisePeriod),
    responses((status = 200, description = "Kept and broken, by team", body = PromiseSummary), Problems),
    security(("bearer" = ["promise.summarise"])),
)]
pub(super) async fn summarise_promises(
    State(app): State<App>,
    call: Allowed<permission::SummarisePromises>,
    Query(PromisePeriod { estate_id, from, to }): Query<PromisePeriod>,
) -> Result<Json<PromiseSummary>> {
    let to = to.unwrap_or_else(|| app.core.clock.now());
    let from = from.unwrap_or(to - SUMMARY);
    if from >= to {
        return Err(Error::field("/from", "out_of_range", "must be before to"));
    }
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let counted = rows::promises_by_team(&mut tx, &call.actor, estate_id, from, to).await?;
    tx.rollback().await?;
    Ok(Json(PromiseSummary { from, to, items: counted.into_iter().map(Into::into).collect() }))
}

/// Make a promise
///
/// Writes down a time that was given to the owner. It warns before it is broken, and is counted for the team.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/promises", operation_id = "make_promise", tag = "promises",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = MakePromise,
    responses((status = 201, description = "The promise", body = PromiseView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["promise.make"])),
)]
pub(super) async fn make_promise(
    State(app): State<App>,
    call: Allowed<permission::MakePromises>,
    Path(case_id): Path<CaseId>,
    Json(MakePromise { due_at, team }): Json<MakePromise>,
) -> Result<Versioned<PromiseView>> {
    let promise_id = app.core.clock.new_id();
    let team = team.map(String::from).unwrap_or_default();
    let asked = Command::Promise { promise_id, due_at, team };
    let (done, _) = stewardship::ask_at_case(&app, &call, case_id, asked).await?;
    // An answer given again is the promise that was made last then.
    let made = done.state.promises.last().map_or(promise_id, |promise| promise.promise_id);
    let view = view(&done.state, made)?;
    // `If-Match` was the case's; the promise has the version that its own commands are held against.
    Ok(Versioned::created(view, done.version, format!("/v1/promises?case_id={case_id}")).replayed(done.replayed))
}

/// Keep a promise
///
/// Notes that what was promised is done. Appointments, commitments and deadlines that were put off are kept by what happens to the case.
#[utoipa::path(
    post, path = "/v1/promises/{promise_id}/keep", operation_id = "keep_promise", tag = "promises",
    params(("promise_id" = Uuid, Path, description = "The promise")),
    request_body = Nothing,
    responses((status = 200, description = "The promise as it is now", body = PromiseView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["promise.make"])),
)]
pub(super) async fn keep_promise(
    State(app): State<App>,
    call: Allowed<permission::MakePromises>,
    Path(promise_id): Path<Uuid>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<PromiseView>> {
    on_promise(&app, &call, promise_id, Command::Keep { promise_id }).await
}

/// Move a promise
///
/// The owner was given another time, before the old one was over. The old promise counts as moved, the new time is a promise of its own.
#[utoipa::path(
    post, path = "/v1/promises/{promise_id}/move", operation_id = "move_promise", tag = "promises",
    params(("promise_id" = Uuid, Path, description = "The promise")),
    request_body = MovePromise,
    responses((status = 200, description = "The old promise as it is now", body = PromiseView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["promise.make"])),
)]
pub(super) async fn move_promise(
    State(app): State<App>,
    call: Allowed<permission::MakePromises>,
    Path(promise_id): Path<Uuid>,
    Json(MovePromise { due_at, reason }): Json<MovePromise>,
) -> Result<Versioned<PromiseView>> {
    on_promise(&app, &call, promise_id, Command::Move { promise_id, due_at, reason }).await
}

async fn on_promise(app: &App, call: &Call, promise_id: Uuid, command: Command) -> Result<Versioned<PromiseView>> {
    let case_id = case_of(app, call, Of::Promise, promise_id).await?;
    let done = stewardship::ask(app, call, case_id, command).await?;
    Ok(Versioned::ok(view(&done.state, promise_id)?, done.version).replayed(done.replayed))
}

fn view(state: &Stewardship, promise_id: Uuid) -> Result<PromiseView> {
    let matter = state.matter.as_deref().ok_or(Error::NotFound)?;
    let found = state.promises.iter().find(|promise| promise.promise_id == promise_id).ok_or(Error::NotFound)?;
    Ok(PromiseRow::of(state.id.get(), matter, found).into())
}

/// List escalations
///
/// Who was told of what, when and why; the ones raised last come first. What stands first (unowned, returned, long paused, reopened) is told by its cause.
#[utoipa::path(
    get, path = "/v1/escalations", operation_id = "list_escalations", tag = "escalations",
    params(EscalationQuery, ListParams),
    responses((status = 200, description = "One page of escalations", body = Page<EscalationView>), Problems),
    security(("bearer" = ["escalation.read"])),
)]
pub(super) async fn list_escalations(
    State(app): State<App>,
    call: Allowed<permission::ReadEscalations>,
    List { filter, page }: List<EscalationQuery>,
) -> Result<Json<Page<EscalationView>>> {
    let filter = EscalationFilter {
        estate: filter.estate_id,
        case: filter.case_id,
        cause: filter.cause.map(|cause| cause.to_string()),
        level: filter.level.map(|level| level.to_string()),
        settled: filter.settled,
        told: filter.mine.filter(|mine| *mine).map(|_| call.actor.id.as_str().to_owned()),
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let found = rows::escalations(&mut tx, &call.actor, filter, page).await?;
    tx.rollback().await?;
    Ok(Json(found.map(EscalationView::from)))
}

/// Acknowledge an escalation
///
/// Takes the matter in hand: its ladder stands still. By one of those who were told, who covers for them, or any lead.
#[utoipa::path(
    post, path = "/v1/escalations/{escalation_id}/acknowledge", operation_id = "acknowledge_escalation", tag = "escalations",
    params(("escalation_id" = Uuid, Path, description = "The escalation")),
    request_body = Nothing,
    responses((status = 200, description = "The escalation as it is now", body = EscalationView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["escalation.acknowledge"])),
)]
pub(super) async fn acknowledge_escalation(
    State(app): State<App>,
    call: Allowed<permission::AcknowledgeEscalations>,
    Path(escalation_id): Path<Uuid>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<EscalationView>> {
    let case_id = case_of(&app, &call, Of::Escalation, escalation_id).await?;
    let done = stewardship::ask(&app, &call, case_id, Command::Acknowledge { escalation_id }).await?;
    let matter = done.state.matter.as_deref().ok_or(Error::NotFound)?;
    let found = done.state.escalations.iter().find(|known| known.escalation_id == escalation_id);
    let row = EscalationRow::of(&done.state, matter, found.ok_or(Error::NotFound)?);
    Ok(Versioned::ok(EscalationView::from(row), done.version).replayed(done.replayed))
}
