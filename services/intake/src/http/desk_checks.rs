//! Whether the desks are ready to receive owners.

use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{Version, era, ids::EstateId, page::Page, text::Line};
use utoipa::{IntoParams, ToSchema};

use super::permission;
use crate::{
    app::App,
    domain::desk_check::{Command, DeskCheck, DeskCheckId, Facts, Findings, Item},
    store::desk_check::{DeskCheckRow, list_desk_checks as read_desk_checks},
};

/// One thing that was looked at.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckItem {
    /// What was looked at.
    item: Line,
    /// Whether it is in order.
    ok: bool,
    /// What is missing, or what is done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Line>,
}

impl From<CheckItem> for Item {
    fn from(CheckItem { item, ok, note }: CheckItem) -> Self {
        Self { item, ok, note }
    }
}

impl From<Item> for CheckItem {
    fn from(Item { item, ok, note }: Item) -> Self {
        Self { item, ok, note }
    }
}

/// A check of a desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "estate_id": "0198f001-0000-7000-8000-000000000001", "on": "2026-11-23",
    "items": [{"item": "台面整洁", "ok": true}, {"item": "办事表格", "ok": false, "note": "装修申请表只剩三份，已去打印"}]
}))]
pub struct RecordDeskCheck {
    /// The estate whose desk it is.
    estate_id: EstateId,
    /// The day it is for, in the estate's own time.
    #[serde(deserialize_with = "era::read")]
    on: NaiveDate,
    /// What was looked at; 1 to 50 items.
    #[schema(min_items = 1, max_items = 50)]
    items: Vec<CheckItem>,
}

/// A check of a desk, as it was written down.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "check_id": "0198f001-0000-7000-8000-000000000501", "estate_id": "0198f001-0000-7000-8000-000000000001",
    "on": "2026-11-23", "ready": true, "items": [{"item": "台面整洁", "ok": true}],
    "checked_at": "2026-11-23T00:30:00Z", "version": 1
}))]
pub struct DeskCheckView {
    /// Its id.
    pub check_id: DeskCheckId,
    /// The estate whose desk it is.
    pub estate_id: EstateId,
    /// The day it is for.
    pub on: NaiveDate,
    /// Whether every item is in order.
    pub ready: bool,
    /// What was looked at.
    pub items: Vec<CheckItem>,
    /// When it was written down.
    pub checked_at: DateTime<Utc>,
    /// Its version.
    pub version: i32,
}

impl DeskCheckView {
    fn new(id: DeskCheckId, findings: Findings, checked_at: DateTime<Utc>, version: Version) -> Self {
        Self {
            check_id: id,
            estate_id: findings.estate,
            on: findings.on,
            ready: findings.is_ready(),
            items: findings.items.into_iter().map(CheckItem::from).collect(),
            checked_at,
            version: version.get(),
        }
    }
}

impl From<DeskCheckRow> for DeskCheckView {
    fn from(row: DeskCheckRow) -> Self {
        let findings = Findings { estate: row.estate_id, on: row.on_day, items: row.items.0 };
        Self::new(row.check_id.into(), findings, row.checked_at, Version(row.version))
    }
}

/// Record a desk check
///
/// What was found when the desk was looked at before it opened: today or up to three days back. A desk has one check for each day; a later one
/// corrects it, and the log keeps both.
#[utoipa::path(
    post, path = "/v1/desk-checks", tag = "desk checks",
    request_body = RecordDeskCheck,
    responses(
        (status = 200, description = "The check of that day, corrected", body = DeskCheckView),
        (status = 201, description = "The check", body = DeskCheckView),
        Problems,
    ),
    security(("bearer" = ["desk-check.record"])),
)]
pub async fn record_desk_check(
    State(app): State<App>,
    call: Allowed<permission::RecordDeskChecks>,
    Json(body): Json<RecordDeskCheck>,
) -> Result<Versioned<DeskCheckView>> {
    let time_zone = app.places.estate(call.tenant(), body.estate_id).await?;
    let items = body.items.into_iter().map(Item::from).collect();
    let id = DeskCheckId::of(body.estate_id, body.on);
    let command = Command::Record(Findings { estate: body.estate_id, on: body.on, items });
    let facts = Facts { now: app.core.clock.now(), actor: call.actor.clone(), time_zone };
    let done = app.core.engine.execute::<DeskCheck>(&call, id, &command, &facts).await?;
    let findings = done.state.findings.ok_or(Error::NotFound)?;
    let view = DeskCheckView::new(done.state.id, findings, done.changed_at, done.version);
    let location = format!("/v1/desk-checks/{}", done.state.id);
    let answer = match done.version {
        Version(1) => Versioned::created(view, done.version, location),
        _ => Versioned::ok(view, done.version),
    };
    Ok(answer.replayed(done.replayed))
}

/// Which checks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeskCheckQuery {
    /// Only of this estate's desk.
    estate_id: Option<EstateId>,
    /// Only those that found all in order, or something not.
    ready: Option<bool>,
}

/// List desk checks
///
/// Of the estates that the caller may see, newest first.
#[utoipa::path(
    get, path = "/v1/desk-checks", tag = "desk checks",
    params(DeskCheckQuery, ListParams),
    responses((status = 200, description = "A page of checks", body = Page<DeskCheckView>), Problems),
    security(("bearer" = ["desk-check.read"])),
)]
pub async fn list_desk_checks(
    State(app): State<App>,
    call: Allowed<permission::ReadDeskChecks>,
    list: List<DeskCheckQuery>,
) -> Result<Json<Page<DeskCheckView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let visible = call.actor.estates.as_deref();
    let page = read_desk_checks(&mut tx, visible, list.filter.estate_id, list.filter.ready, list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(DeskCheckView::from)))
}

/// Read a desk check
///
/// As it was written down.
#[utoipa::path(
    get, path = "/v1/desk-checks/{check_id}", tag = "desk checks",
    params(("check_id" = DeskCheckId, Path, description = "The check")),
    responses((status = 200, description = "The check", body = DeskCheckView), Problems),
    security(("bearer" = ["desk-check.read"])),
)]
pub async fn get_desk_check(
    State(app): State<App>,
    call: Allowed<permission::ReadDeskChecks>,
    Path(check_id): Path<DeskCheckId>,
) -> Result<Versioned<DeskCheckView>> {
    let found = app.core.engine.load::<DeskCheck>(&call, check_id).await?;
    let seen = found.state.findings.filter(|findings| call.actor.sees_estate(findings.estate));
    let findings = seen.ok_or(Error::NotFound)?;
    Ok(Versioned::ok(DeskCheckView::new(check_id, findings, found.changed_at, found.version), found.version))
}
