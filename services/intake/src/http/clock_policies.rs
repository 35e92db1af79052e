//! Clock policies: which time is given to what, for the company, a region or an estate.

use axum::extract::State;
use steward_chassis::{
    Error, FieldError, Result,
    http::{Allowed, Json, List, ListParams, NoFilter, Path, Problems, Query, Versioned},
};
use steward_clock::Policy;
use steward_kernel::{TenantId, Version, page::Page};

use super::{
    clock_policy_dto::{EffectivePolicy, EffectiveQuery, PolicyHistory, PolicyView, PublishPolicy},
    dto, permission,
};
use crate::{
    app::App,
    domain::rulebook::{ClockPolicy, Facts, PolicyId, Publish, Refusal, Scope, may_read},
    store::rulebook as rows,
};

/// Publish a clock policy
///
/// The next version of the policy of the company, a region or an estate; what it leaves out is inherited from the next wider one, in the end from what ships
/// with the product. Clocks that run already keep what they began with. The same policy again changes nothing. `If-Match` is required when there is a version
/// already. For an estate by whoever sees it; for more by whoever sees all estates.
#[utoipa::path(
    post, path = "/v1/clock-policies", operation_id = "publish_clock_policy", tag = "clock policies",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the version that was read; required when there is one")),
    request_body = PublishPolicy,
    responses(
        (status = 200, description = "The policy as it is now", body = PolicyView),
        (status = 201, description = "The first policy of that scope", body = PolicyView),
        Problems,
    ),
    security(("bearer" = ["clock-policy.write"])),
)]
pub(super) async fn publish_clock_policy(
    State(app): State<App>,
    call: Allowed<permission::WriteClockPolicies>,
    Json(body): Json<PublishPolicy>,
) -> Result<Versioned<PolicyView>> {
    let (scope, policy, valid_from) = body.read()?;
    if !scope.is_for(&call.actor) {
        return Err(Error::refused(&Refusal::NotYourScope));
    }
    check(&app, call.tenant(), &scope, &policy).await?;
    let facts = Facts { has_read: call.if_match.is_some(), ..Facts::new(app.core.clock.now(), call.actor.clone()) };
    let id = scope.policy_id();
    let command = Publish { scope, policy: Box::new(policy), valid_from };
    let done = app.core.engine.execute::<ClockPolicy>(&call, id, &command, &facts).await?;
    app.rules.forget(call.tenant());
    let (version, replayed) = (done.version, done.replayed);
    let view = PolicyView::of(done)?;
    let answer = if version == Version(1) {
        Versioned::created(view, version, format!("/v1/clock-policies/{id}"))
    } else {
        Versioned::ok(view, version)
    };
    Ok(answer.replayed(replayed))
}

/// The place is in the register, and what the policy says is good.
pub(super) async fn check(app: &App, tenant: TenantId, scope: &Scope, policy: &Policy) -> Result<()> {
    let mut tx = app.core.db.begin(tenant).await?;
    let is_known = match scope {
        Scope::Company => true,
        Scope::Region { region } => rows::has_region(&mut tx, region.as_str()).await?,
        Scope::Estate { estate } => app.places.estate(tenant, *estate).await?.is_some(),
    };
    if !is_known {
        let pointer = if scope.estate().is_some() { "/estate_id" } else { "/region" };
        return Err(Error::field(pointer, "unknown", "must be of the register"));
    }
    dto::check("/policy", policy.findings())?;
    let departments = policy.department_calendars.iter();
    let named: Vec<(String, &str)> = departments
        .map(|(department, code)| (format!("/policy/department_calendars/{}", escaped(department)), code.as_str()))
        .chain(policy.calendar.iter().map(|code| ("/policy/calendar".to_owned(), code.as_str())))
        .collect();
    let codes: Vec<&str> = named.iter().map(|(_, code)| *code).collect();
    let known = rows::known_calendars(&mut tx, &codes, scope.estate()).await?;
    tx.rollback().await?;
    let unknown = named.into_iter().filter(|(_, code)| !known.iter().any(|known| known == code));
    let faults: Vec<FieldError> = unknown
        .map(|(pointer, _)| {
            FieldError::new(pointer, "unknown-calendar", "must be the code of a calendar for all, or for this estate")
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// A name in a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// List clock policies
///
/// Each in its newest version, newest first: those of the caller's estates, of regions and of the company.
#[utoipa::path(
    get, path = "/v1/clock-policies", operation_id = "list_clock_policies", tag = "clock policies",
    params(ListParams),
    responses((status = 200, description = "A page of policies", body = Page<PolicyView>), Problems),
    security(("bearer" = ["clock-policy.read"])),
)]
pub(super) async fn list_clock_policies(
    State(app): State<App>,
    call: Allowed<permission::ReadClockPolicies>,
    list: List<NoFilter>,
) -> Result<Json<Page<PolicyView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = rows::policies(&mut tx, &call.actor, app.core.clock.now(), list.page).await?;
    tx.rollback().await?;
    let Page { items, next_cursor, since } = page;
    let items = items.into_iter().map(PolicyView::read).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor, since }))
}

/// Read a clock policy
///
/// With all its versions.
#[utoipa::path(
    get, path = "/v1/clock-policies/{policy_id}", operation_id = "get_clock_policy", tag = "clock policies",
    params(("policy_id" = PolicyId, Path, description = "The policy")),
    responses((status = 200, description = "The policy", body = PolicyHistory), Problems),
    security(("bearer" = ["clock-policy.read"])),
)]
pub(super) async fn get_clock_policy(
    State(app): State<App>,
    call: Allowed<permission::ReadClockPolicies>,
    Path(policy_id): Path<PolicyId>,
) -> Result<Versioned<PolicyHistory>> {
    let history = app.core.engine.history::<ClockPolicy>(&call, policy_id).await?;
    let version = history.last().map(|event| event.version);
    match version.zip(PolicyHistory::of(policy_id, history, app.core.clock.now())) {
        Some((version, policy)) if may_read(&call.actor, policy.estate_id) => Ok(Versioned::ok(policy, version)),
        Some(_) | None => Err(Error::refused(&Refusal::NoSuchPolicy)),
    }
}

/// Read what holds in an estate
///
/// Each setting with where it comes from: the policy of the estate, of its region, of the company, or what ships with the product.
#[utoipa::path(
    get, path = "/v1/clock-policies/effective", operation_id = "get_effective_clock_policy", tag = "clock policies",
    params(EffectiveQuery),
    responses((status = 200, description = "What holds there now", body = EffectivePolicy), Problems),
    security(("bearer" = ["clock-policy.read"])),
)]
pub(super) async fn get_effective_clock_policy(
    State(app): State<App>,
    call: Allowed<permission::ReadClockPolicies>,
    Query(EffectiveQuery { estate_id: estate }): Query<EffectiveQuery>,
) -> Result<Json<EffectivePolicy>> {
    if !call.actor.sees_estate(estate) || app.places.estate(call.tenant(), estate).await?.is_none() {
        return Err(Error::NotFound);
    }
    let now = app.core.clock.now();
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let (in_force, ruling) =
        (app.rules.in_force(&mut tx, estate, now).await?, app.rules.ruling(&mut tx, estate, now).await?);
    tx.rollback().await?;
    Ok(Json(EffectivePolicy::of(estate, now, ruling.time_zone, &in_force)))
}
