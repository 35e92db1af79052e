//! Handlers of service requests.

use axum::extract::State;
use serde::Deserialize;
use steward_chassis::{
    Call, Error, Executed, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{
    ids::{CaseId, EstateId, UnitId},
    page::Page,
    reference::search_key,
    vocabulary::Priority,
};
use utoipa::IntoParams;

use super::{
    dto::{AppointRequest, CallOffRequest, ConfirmRequest, DeclineRequest, ProvideInfo, RequestInfo, VerifyRequest},
    permission,
    views::ServiceRequestView,
};
use crate::{
    app::App,
    domain::request::{Command, RequestStage, ServiceRequest},
    flow::{self, Word},
    store::{self, RequestFilter},
};

type Answer = Result<Versioned<ServiceRequestView>>;

fn answer(app: &App, call: &Call, done: Executed<ServiceRequest>) -> Answer {
    let (version, replayed) = (done.version, done.replayed);
    let view = ServiceRequestView::new(done.state, version, done.changed_at, &app.request_facts(call))?;
    Ok(Versioned::ok(view, version).replayed(replayed))
}

/// Which service requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequestQuery {
    /// In this estate.
    estate_id: Option<EstateId>,
    /// In this stage.
    stage: Option<RequestStage>,
    /// Of this priority.
    priority: Option<Priority>,
    /// Of this category of the taxonomy.
    category: Option<String>,
    /// In this unit.
    unit_id: Option<UnitId>,
    /// With this reference, in any spelling (small letters, full width, without hyphens), or only its last part.
    reference: Option<String>,
}

/// List service requests
///
/// Newest first; with `since`, what has changed. Staff see those of their estates, owners their own.
#[utoipa::path(
    get, path = "/v1/service-requests", tag = "service requests", params(ListParams, RequestQuery),
    responses((status = 200, description = "A page", body = Page<ServiceRequestView>), Problems),
    security(("bearer" = ["dispatch.follow"])),
)]
pub(crate) async fn list_service_requests(
    State(app): State<App>,
    call: Allowed<permission::Follow>,
    list: List<RequestQuery>,
) -> Result<Json<Page<ServiceRequestView>>> {
    let RequestQuery { estate_id, stage, priority, category, unit_id, reference } = list.filter;
    let reference = reference.as_deref().map(search_key);
    let filter = RequestFilter { estate_id, stage, priority, category, unit_id, reference };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = store::list_requests(&mut tx, &call.actor, &filter, list.page).await?;
    tx.rollback().await?;
    let facts = app.request_facts(&call);
    let view =
        |row: store::Listed<ServiceRequest>| ServiceRequestView::new(row.state, row.version, row.changed_at, &facts);
    let items = page.items.into_iter().map(view).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor: page.next_cursor, since: page.since }))
}

/// Read a service request
///
/// Has the id of its case.
#[utoipa::path(
    get, path = "/v1/service-requests/{case_id}", tag = "service requests", params(("case_id" = CaseId, Path)),
    responses((status = 200, description = "The service request", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.follow"])),
)]
pub(crate) async fn get_service_request(
    State(app): State<App>,
    call: Allowed<permission::Follow>,
    Path(case_id): Path<CaseId>,
) -> Answer {
    let found = app.core.engine.load::<ServiceRequest>(&call, case_id).await?;
    let origin = found.state.origin.as_ref().ok_or(Error::NotFound)?;
    if !call.actor.sees(origin.estate_id, origin.resident_id) {
        return Err(Error::NotFound);
    }
    answer(&app, &call, found)
}

/// Confirm a service request
///
/// The details are clear, and the owner knows when somebody will come. May be repeated with other details while
/// nobody works on it.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/confirm", tag = "service requests", params(("case_id" = CaseId, Path)),
    request_body = ConfirmRequest,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn confirm_service_request(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ConfirmRequest>,
) -> Answer {
    let command = Command::Confirm { details: body.details, appointment: body.appointment.map(Into::into) };
    answer(&app, &call, flow::agree_on(&app, &call, case_id, command).await?)
}

/// Agree on a time
///
/// For the first visit or a further one, or another time than before, until the work is done: what was promised, the clock and the owner's
/// message follow, and both sides are told the old and the new window. The same window again changes nothing.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/appoint", tag = "service requests", params(("case_id" = CaseId, Path)),
    request_body = AppointRequest,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn appoint_service_request(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<AppointRequest>,
) -> Answer {
    let command = Command::Appoint { appointment: body.appointment.into(), reason: body.reason };
    answer(&app, &call, flow::agree_on(&app, &call, case_id, command).await?)
}

/// Ask the owner for something
///
/// The service request waits for the answer.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/request-info", tag = "service requests",
    params(("case_id" = CaseId, Path)), request_body = RequestInfo,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn request_service_request_info(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<RequestInfo>,
) -> Answer {
    let command = Command::RequestInfo { question: body.question };
    answer(&app, &call, flow::on_request(&app, &call, case_id, command).await?)
}

/// Answer what was asked
///
/// By the owner, or by staff who take down what the owner said and say how the owner gave it.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/provide-info", tag = "service requests",
    params(("case_id" = CaseId, Path)), request_body = ProvideInfo,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.speak"])),
)]
pub(crate) async fn provide_service_request_info(
    State(app): State<App>,
    call: Allowed<permission::Speak>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ProvideInfo>,
) -> Answer {
    let command = Command::ProvideInfo { text: body.text, taken_down: body.taken_down };
    answer(&app, &call, flow::on_request(&app, &call, case_id, command).await?)
}

/// Decline a service request
///
/// It is not the company's to do; says why and whose it is.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/decline", tag = "service requests", params(("case_id" = CaseId, Path)),
    request_body = DeclineRequest,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.handle"])),
)]
pub(crate) async fn decline_service_request(
    State(app): State<App>,
    call: Allowed<permission::Handle>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<DeclineRequest>,
) -> Answer {
    let command = Command::Decline { reason: body.reason, responsible: body.responsible };
    answer(&app, &call, flow::on_request(&app, &call, case_id, command).await?)
}

/// Call off a service request
///
/// By the owner or the company. When the owner asked the company for it, staff who had no part in it say how; what the company
/// calls off by itself is shown as that. Its open work orders are called off with it; for some days its owner can come back.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/cancel", tag = "service requests", params(("case_id" = CaseId, Path)),
    request_body = CallOffRequest,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.speak"])),
)]
pub(crate) async fn cancel_service_request(
    State(app): State<App>,
    call: Allowed<permission::Speak>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<CallOffRequest>,
) -> Answer {
    answer(&app, &call, flow::cancel_request(&app, &call, case_id, body.reason, body.taken_down).await?)
}

/// Give the owner's word on the result
///
/// Satisfied: it is closed. Not satisfied: a work order for the rework is opened; for some days also after it was closed,
/// declined or called off, and what was never done goes on where it stood. What else is needed becomes a new, linked case.
/// Staff who had no part in it may take the word down and say how the owner gave it.
#[utoipa::path(
    post, path = "/v1/service-requests/{case_id}/verify", tag = "service requests", params(("case_id" = CaseId, Path)),
    request_body = VerifyRequest,
    responses((status = 200, description = "The service request as it is now", body = ServiceRequestView), Problems),
    security(("bearer" = ["dispatch.speak"])),
)]
pub(crate) async fn verify_service_request(
    State(app): State<App>,
    call: Allowed<permission::Speak>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<VerifyRequest>,
) -> Answer {
    let VerifyRequest { satisfied, comment, further_need, taken_down } = body;
    let word = Word { satisfied, comment, further_need, taken_down };
    answer(&app, &call, flow::verify_request(&app, &call, case_id, word).await?)
}
