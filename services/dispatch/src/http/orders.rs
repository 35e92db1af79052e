//! Handlers of work orders.

use axum::extract::State;
use serde::Deserialize;
use steward_chassis::{
    Call, Error, Executed, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{
    ids::{CaseId, EstateId, UnitId, WorkOrderId},
    page::Page,
    reference::search_key,
};
use utoipa::IntoParams;

use super::{
    dto::{
        AssignOrder, ChangeSkill, CompleteOrder, GiveReason, HoldOrder, MakeSafeOrder, Nothing, OpenOrder,
        TransferOrder,
    },
    permission,
    views::{CandidateView, Candidates, ProofState, WorkOrderView},
};
use crate::{
    app::App,
    domain::{
        TechnicianId,
        candidates::rank,
        order::{Command, Completion, Job, OrderStatus, WorkOrder},
    },
    flow::{self, NewOrder},
    store::{self, Listed, OrderFilter},
};

type Answer = Result<Versioned<WorkOrderView>>;

async fn answer(app: &App, call: &Call, done: Executed<WorkOrder>) -> Answer {
    let mut stored = std::collections::HashSet::new();
    if done.state.files().next().is_some() {
        let mut tx = app.core.db.begin(call.tenant()).await?;
        stored = store::stored_of(&mut tx, std::iter::once(&done.state)).await?;
        tx.rollback().await?;
    }
    let (version, replayed) = (done.version, done.replayed);
    let view = WorkOrderView::new(done.state, version, done.changed_at, &stored)?;
    Ok(Versioned::ok(view, version).replayed(replayed))
}

async fn carry_out(app: &App, call: &Call, id: WorkOrderId, command: Command) -> Answer {
    answer(app, call, flow::on_order(app, call, id, command).await?).await
}

/// The work order, if the caller may see it.
async fn visible(app: &App, call: &Call, id: WorkOrderId) -> Result<(Executed<WorkOrder>, Job)> {
    let found = app.core.engine.load::<WorkOrder>(call, id).await?;
    let job = found.state.job.clone().filter(|job| call.actor.sees(job.estate_id, job.resident_id));
    Ok((found, job.ok_or(Error::NotFound)?))
}

/// Open a work order
///
/// For a confirmed service request, or one more for the remedy of a complaint.
#[utoipa::path(
    post, path = "/v1/work-orders", tag = "work orders", request_body = OpenOrder,
    responses((status = 201, description = "The work order", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn open_work_order(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Json(body): Json<OpenOrder>,
) -> Answer {
    let OpenOrder { case_id, department, skill, summary } = body;
    let new = NewOrder { case_id, department, skill, summary };
    let opened = flow::open_order(&app.core.engine, &call, new).await?;
    let location = format!("/v1/work-orders/{}", opened.state.id);
    let Versioned { body, version, replayed, .. } = answer(&app, &call, opened).await?;
    Ok(Versioned::created(body, version, location).replayed(replayed))
}

/// Which work orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderQuery {
    /// In this estate.
    estate_id: Option<EstateId>,
    /// In this status.
    status: Option<OrderStatus>,
    /// Whose.
    technician_id: Option<TechnicianId>,
    /// Of this case.
    case_id: Option<CaseId>,
    /// Of the department with this code.
    department: Option<String>,
    /// Done, and what proves it is all stored, or still awaited.
    proof: Option<ProofState>,
    /// In this unit.
    unit_id: Option<UnitId>,
    /// With this reference, in any spelling (small letters, full width, without hyphens), or only its last part.
    reference: Option<String>,
}

/// List work orders
///
/// Newest first; with `since`, what has changed.
#[utoipa::path(
    get, path = "/v1/work-orders", tag = "work orders", params(ListParams, OrderQuery),
    responses((status = 200, description = "A page", body = Page<WorkOrderView>), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn list_work_orders(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    list: List<OrderQuery>,
) -> Result<Json<Page<WorkOrderView>>> {
    let OrderQuery { estate_id, status, technician_id, case_id, department, proof, unit_id, reference } = list.filter;
    let proven = proof.map(|state| state == ProofState::Stored);
    let reference = reference.as_deref().map(search_key);
    let filter = OrderFilter { estate_id, status, technician_id, case_id, department, proven, unit_id, reference };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = store::list_orders(&mut tx, &call.actor, &filter, list.page).await?;
    let stored = store::stored_of(&mut tx, page.items.iter().map(|row| &row.state)).await?;
    tx.rollback().await?;
    let view = |row: Listed<WorkOrder>| WorkOrderView::new(row.state, row.version, row.changed_at, &stored);
    let items = page.items.into_iter().map(view).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor: page.next_cursor, since: page.since }))
}

/// Read a work order
///
/// Its proof shows which files intake has already.
#[utoipa::path(
    get, path = "/v1/work-orders/{work_order_id}", tag = "work orders", params(("work_order_id" = WorkOrderId, Path)),
    responses((status = 200, description = "The work order", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn get_work_order(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    Path(id): Path<WorkOrderId>,
) -> Answer {
    let (found, _) = visible(&app, &call, id).await?;
    answer(&app, &call, found).await
}

/// Who could do a work order
///
/// Technicians who have the skill and serve the estate: those on shift first, then those of its department, then
/// those with the
/// least to do; with the reasons.
#[utoipa::path(
    get, path = "/v1/work-orders/{work_order_id}/candidates", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)),
    responses((status = 200, description = "Best first", body = Candidates), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn list_candidates(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(id): Path<WorkOrderId>,
) -> Result<Json<Candidates>> {
    let (_, job) = visible(&app, &call, id).await?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let crews = store::crews(&mut tx, &job, app.core.clock.now()).await?;
    tx.rollback().await?;
    let best = rank(&job, crews).into_iter().take(app.config.candidates);
    Ok(Json(Candidates { items: best.map(|candidate| CandidateView::new(candidate, call.language)).collect() }))
}

/// Assign a work order
///
/// To a technician who has the skill and serves the estate. Who was given it by somebody else in the meantime keeps it, unless the caller names
/// them as `instead_of` or sends `If-Match`.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/assign", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = AssignOrder,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn assign_work_order(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<AssignOrder>,
) -> Answer {
    carry_out(&app, &call, id, Command::Assign { technician_id: body.technician_id, instead_of: body.instead_of }).await
}

/// Accept a work order
///
/// By the technician who has it; its service request is in work then.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/accept", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn accept_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Accept).await
}

/// Give a work order back
///
/// Nobody has it then.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/return", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = GiveReason,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn return_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<GiveReason>,
) -> Answer {
    carry_out(&app, &call, id, Command::Return { reason: body.reason }).await
}

/// Transfer a work order
///
/// Another department that serves the estate has it from now on, and nobody there has it yet. While it is not done.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/transfer", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = TransferOrder,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn transfer_work_order(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<TransferOrder>,
) -> Answer {
    let TransferOrder { department, instead_of, reason } = body;
    carry_out(&app, &call, id, Command::Transfer { department, instead_of, reason }).await
}

/// Change the skill of a work order
///
/// It takes another skill than was thought, as long as nobody has it. Whom it can be given to follows from that.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/change-skill", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = ChangeSkill,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn change_skill_of_work_order(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<ChangeSkill>,
) -> Answer {
    let ChangeSkill { skill } = body;
    carry_out(&app, &call, id, Command::ChangeSkill { skill }).await
}

/// Set out
///
/// The technician is on the way.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/depart", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn depart_for_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Depart).await
}

/// Arrive
///
/// The technician is on the spot.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/arrive", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn arrive_at_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Arrive).await
}

/// Make safe
///
/// The danger is over; the work goes on.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/make-safe", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = MakeSafeOrder,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn make_work_order_safe(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<MakeSafeOrder>,
) -> Answer {
    carry_out(&app, &call, id, Command::MakeSafe { note: body.note }).await
}

/// Start the work
///
/// May be left out: what is done on the spot can be completed at once.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/start", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn start_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Start).await
}

/// Put a work order on hold
///
/// It has to wait for something; photos or documents may prove it.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/hold", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = HoldOrder,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn hold_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<HoldOrder>,
) -> Answer {
    let HoldOrder { reason, note, file_ids } = body;
    carry_out(&app, &call, id, Command::Hold { reason, note, file_ids }).await
}

/// Resume a work order
///
/// It goes on where it was held.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/resume", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn resume_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Resume).await
}

/// Complete a work order
///
/// With proof; when all work orders are done, its service request is reported done.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/complete", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = CompleteOrder,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.work"])),
)]
pub(crate) async fn complete_work_order(
    State(app): State<App>,
    call: Allowed<permission::Work>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<CompleteOrder>,
) -> Answer {
    carry_out(&app, &call, id, Command::Complete(Completion::new(body.note, body.file_ids))).await
}

/// Verify a work order
///
/// A lead looked at it and finds it good.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/verify", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = Nothing,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.lead"])),
)]
pub(crate) async fn verify_work_order(
    State(app): State<App>,
    call: Allowed<permission::Lead>,
    Path(id): Path<WorkOrderId>,
    Json(Nothing {}): Json<Nothing>,
) -> Answer {
    carry_out(&app, &call, id, Command::Verify).await
}

/// Call off a work order
///
/// While it is not done.
#[utoipa::path(
    post, path = "/v1/work-orders/{work_order_id}/cancel", tag = "work orders",
    params(("work_order_id" = WorkOrderId, Path)), request_body = GiveReason,
    responses((status = 200, description = "The work order as it is now", body = WorkOrderView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn cancel_work_order(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(id): Path<WorkOrderId>,
    Json(body): Json<GiveReason>,
) -> Answer {
    carry_out(&app, &call, id, Command::Cancel { reason: Some(body.reason) }).await
}
