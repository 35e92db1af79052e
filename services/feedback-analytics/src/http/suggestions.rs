//! Suggestions: reading them and deciding on them.

use axum::extract::State;
use steward_chassis::{
    Call, Error, Executed, Permission, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{ids::CaseId, page::Page};

use super::{
    dto::{
        ConfirmSuggestion, ConsiderSuggestion, DeliverSuggestion, PlanSuggestion, ReasonedDecision, ReopenSuggestion,
        SuggestionFilter, SuggestionView,
    },
    permission,
};
use crate::{
    app::{App, born},
    domain::{
        Facts, Suggestion,
        suggestion::{Command, Plan},
    },
    store,
};

/// List suggestions
///
/// Newest first; staff those of their estates, owners their own. With `since`: what has changed, oldest change first.
#[utoipa::path(
    get, path = "/v1/suggestions", tag = "suggestions",
    params(SuggestionFilter, ListParams),
    responses((status = 200, description = "One page", body = Page<SuggestionView>), Problems),
    security(("bearer" = ["suggestion.read"])),
)]
pub async fn list_suggestions(
    State(app): State<App>,
    call: Allowed<permission::ReadSuggestions>,
    list: List<SuggestionFilter>,
) -> Result<Json<Page<SuggestionView>>> {
    let mut tx = app.read(&call).await?;
    let page = store::suggestions::list(&mut tx, &call.actor, &list.filter.into(), list.page).await?;
    tx.rollback().await?;
    let facts = app.facts(&call.actor);
    Ok(Json(page.map(|it| SuggestionView::new(it.id.into(), it.version, it.changed_at, it.life, &facts))))
}

/// Read a suggestion
///
/// With the commands that are legal now.
#[utoipa::path(
    get, path = "/v1/suggestions/{case_id}", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    responses(
        (
            status = 200,
            description = "The suggestion",
            body = SuggestionView,
            headers(("etag" = String, description = "Version, for If-Match")),
        ),
        Problems,
    ),
    security(("bearer" = ["suggestion.read"])),
)]
pub async fn get_suggestion(
    State(app): State<App>,
    call: Allowed<permission::ReadSuggestions>,
    Path(case_id): Path<CaseId>,
) -> Result<Versioned<SuggestionView>> {
    let found = app.engine.load::<Suggestion>(&call, case_id).await?;
    let seen = found
        .state
        .life
        .as_ref()
        .is_some_and(|life| call.actor.sees(life.received.estate_id, life.received.resident_id));
    if seen { view(found, &app.facts(&call.actor)) } else { Err(Error::NotFound) }
}

/// Consider a suggestion
///
/// Somebody looks into it; also one that was put off for later. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/consider", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ConsiderSuggestion,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.handle"])),
)]
pub async fn consider_suggestion(
    State(app): State<App>,
    call: Allowed<permission::HandleSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ConsiderSuggestion>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Consider { note: body.note }).await
}

/// Accept a suggestion
///
/// The company will do it; the reason is told to its proposer.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/accept", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ReasonedDecision,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.decide"])),
)]
pub async fn accept_suggestion(
    State(app): State<App>,
    call: Allowed<permission::DecideSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ReasonedDecision>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Accept { reason: body.reason }).await
}

/// Decline a suggestion
///
/// The company will not do it; the reason is told to its proposer.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/decline", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ReasonedDecision,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.decide"])),
)]
pub async fn decline_suggestion(
    State(app): State<App>,
    call: Allowed<permission::DecideSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ReasonedDecision>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Decline { reason: body.reason }).await
}

/// Put a suggestion off for later
///
/// Not now; the reason is told to its proposer. It can be considered again, accepted or declined afterwards.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/later", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ReasonedDecision,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.decide"])),
)]
pub async fn defer_suggestion(
    State(app): State<App>,
    call: Allowed<permission::DecideSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<ReasonedDecision>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Defer { reason: body.reason }).await
}

/// Plan a suggestion
///
/// What will be done, and by when if that is promised. Can be said again as long as it is not delivered.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/plan", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = PlanSuggestion,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.handle"])),
)]
pub async fn plan_suggestion(
    State(app): State<App>,
    call: Allowed<permission::HandleSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<PlanSuggestion>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Plan(Plan { text: body.text, by_on: body.by_on })).await
}

/// Deliver a suggestion
///
/// It is there, and this shows it.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/deliver", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = DeliverSuggestion,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.handle"])),
)]
pub async fn deliver_suggestion(
    State(app): State<App>,
    call: Allowed<permission::HandleSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(body): Json<DeliverSuggestion>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Deliver { proof: body.proof }).await
}

/// Confirm a suggestion
///
/// Its proposer has seen that it is there.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/confirm", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ConfirmSuggestion,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.confirm"])),
)]
pub async fn confirm_suggestion(
    State(app): State<App>,
    call: Allowed<permission::ConfirmSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(ConfirmSuggestion {}): Json<ConfirmSuggestion>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Confirm).await
}

/// Come back on a suggestion
///
/// Its proposer says that this is not the end: what was delivered, and for some days what was declined, confirmed or called off,
/// is considered again.
#[utoipa::path(
    post, path = "/v1/suggestions/{case_id}/reopen", tag = "suggestions",
    params(("case_id" = CaseId, Path, description = "The case, which is the suggestion")),
    request_body = ReopenSuggestion,
    responses((status = 200, description = "The suggestion as it is now", body = SuggestionView), Problems),
    security(("bearer" = ["suggestion.confirm"])),
)]
pub async fn reopen_suggestion(
    State(app): State<App>,
    call: Allowed<permission::ConfirmSuggestions>,
    Path(case_id): Path<CaseId>,
    Json(ReopenSuggestion { reason }): Json<ReopenSuggestion>,
) -> Result<Versioned<SuggestionView>> {
    carry_out(&app, call, case_id, Command::Reopen { reason }).await
}

async fn carry_out<P: Permission>(
    app: &App,
    call: Allowed<P>,
    case_id: CaseId,
    command: Command,
) -> Result<Versioned<SuggestionView>> {
    let call: Call = call.into_call();
    let facts = app.facts(&call.actor);
    view(app.engine.execute::<Suggestion>(&call, case_id, &command, &facts).await?, &facts)
}

fn view(done: Executed<Suggestion>, facts: &Facts) -> Result<Versioned<SuggestionView>> {
    let body = SuggestionView::new(done.state.id, done.version, done.changed_at, born(done.state.life)?, facts);
    Ok(Versioned::ok(body, done.version).replayed(done.replayed))
}
