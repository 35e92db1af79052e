//! Handlers of departments, technicians and shifts.

use axum::extract::State;
use chrono::NaiveDate;
use serde::Deserialize;
use steward_chassis::{
    Call, Error, Result,
    http::{Allowed, Body, Json, List, ListParams, Path, Problems, Query, Versioned},
    sheet::ImportQuery,
};
use steward_kernel::{era, ids::EstateId, page::Page};
use utoipa::IntoParams;

use super::{
    permission,
    views::{DepartmentView, RosterImportReport, ShiftView, TechnicianView},
};
use crate::{
    app::App,
    domain::{TechnicianId, import::RosterPart},
    imports,
    store::{self, DepartmentFilter, ShiftFilter, TechnicianFilter},
};

async fn import(app: &App, call: &Call, resource: RosterPart, file: Body) -> Result<Versioned<RosterImportReport>> {
    let done = imports::import(&app.core.engine, call, resource, file).await?;
    let report = RosterImportReport::new(&done.state, call.language);
    Ok(Versioned::ok(report, done.version).replayed(done.replayed))
}

/// Which departments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepartmentQuery {
    /// That serve this estate.
    estate_id: Option<EstateId>,
}

/// List departments
///
/// Those that serve an estate the caller sees, newest first.
#[utoipa::path(
    get, path = "/v1/departments", tag = "roster", params(ListParams, DepartmentQuery),
    responses((status = 200, description = "A page", body = Page<DepartmentView>), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn list_departments(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    list: List<DepartmentQuery>,
) -> Result<Json<Page<DepartmentView>>> {
    let filter = DepartmentFilter { estate_id: list.filter.estate_id };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = store::list_departments(&mut tx, &call.actor, &filter, list.page).await?;
    let known = store::estates(&mut tx).await?;
    tx.rollback().await?;
    Ok(Json(page.map(|kept| DepartmentView::new(kept.row, kept.version, &known, &call.actor))))
}

/// Which technicians to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TechnicianQuery {
    /// Who serve this estate.
    estate_id: Option<EstateId>,
    /// Who have this skill.
    skill: Option<String>,
    /// Who are on shift now (`true`), or are not (`false`).
    on_shift: Option<bool>,
}

/// List technicians
///
/// Those who serve an estate the caller sees, newest first.
#[utoipa::path(
    get, path = "/v1/technicians", tag = "roster", params(ListParams, TechnicianQuery),
    responses((status = 200, description = "A page", body = Page<TechnicianView>), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn list_technicians(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    list: List<TechnicianQuery>,
) -> Result<Json<Page<TechnicianView>>> {
    let TechnicianQuery { estate_id, skill, on_shift } = list.filter;
    let on_shift = on_shift.map(|wanted| (wanted, app.core.clock.now()));
    let filter = TechnicianFilter { estate_id, skill, on_shift };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = store::list_technicians(&mut tx, &call.actor, &filter, list.page).await?;
    let known = store::estates(&mut tx).await?;
    tx.rollback().await?;
    Ok(Json(page.map(|kept| TechnicianView::new(kept.row, kept.version, &known, &call.actor))))
}

/// Read a technician
///
/// Somebody who serves an estate the caller sees.
#[utoipa::path(
    get, path = "/v1/technicians/{technician_id}", tag = "roster", params(("technician_id" = TechnicianId, Path)),
    responses((status = 200, description = "The technician", body = TechnicianView), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn get_technician(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    Path(id): Path<TechnicianId>,
) -> Result<Versioned<TechnicianView>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let found = store::find_technician(&mut tx, id).await?;
    let known = store::estates(&mut tx).await?;
    tx.rollback().await?;
    let kept = found.filter(|kept| kept.row.estates.is_seen_by(&call.actor)).ok_or(Error::NotFound)?;
    Ok(Versioned::ok(TechnicianView::new(kept.row, kept.version, &known, &call.actor), kept.version))
}

/// Which shifts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShiftQuery {
    /// Whose.
    technician_id: Option<TechnicianId>,
    /// Of those who serve this estate.
    estate_id: Option<EstateId>,
    /// Starting on this day or later.
    #[serde(default, deserialize_with = "era::read")]
    from: Option<NaiveDate>,
    /// Starting on this day or earlier.
    #[serde(default, deserialize_with = "era::read")]
    to: Option<NaiveDate>,
}

/// List shifts
///
/// Latest start first; with `since`, what has changed, also shifts that were called off.
#[utoipa::path(
    get, path = "/v1/shifts", tag = "roster", params(ListParams, ShiftQuery),
    responses((status = 200, description = "A page", body = Page<ShiftView>), Problems),
    security(("bearer" = ["dispatch.read"])),
)]
pub(crate) async fn list_shifts(
    State(app): State<App>,
    call: Allowed<permission::Read>,
    list: List<ShiftQuery>,
) -> Result<Json<Page<ShiftView>>> {
    let ShiftQuery { technician_id, estate_id, from, to } = list.filter;
    let filter = ShiftFilter { technician_id, estate_id, from, to };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = store::list_shifts(&mut tx, &call.actor, &filter, list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(|kept| ShiftView::new(&kept.row, kept.version))))
}

/// Import departments
///
/// A register file, CSV or XLSX: 部门编码 `department_code`, 部门名称 `name`, 小区编码 `estate_code` (list, or 全部), 是否外包
/// `contractor` (是 or 否; empty, or without the column: 否).
/// Rows that are known by their codes are updated; a file with a fault changes nothing.
#[utoipa::path(
    post, path = "/v1/departments/import", tag = "roster",
    params(ImportQuery),
    request_body(
        content(
            (String = "text/csv", example = "部门编码,部门名称,小区编码,是否外包\nengineering,工程部,全部,否\n"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
        description = "The file",
    ),
    responses((status = 200, description = "What came of its rows", body = RosterImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["dispatch.import"])),
)]
pub(crate) async fn import_departments(
    State(app): State<App>,
    call: Allowed<permission::Import>,
    Query(asked): Query<ImportQuery>,
    file: Body,
) -> Result<Versioned<RosterImportReport>> {
    import(&app, &asked.of(&call), RosterPart::Departments, file).await
}

/// Import technicians
///
/// A register file, CSV or XLSX: 工号 `technician_code`, 姓名 `name`, 账号 `account`, 部门编码 `department_code`, 技能 `skills`
/// (list), 小区编码
/// `estate_code` (list, or 全部).
/// Rows that are known by their codes are updated; a file with a fault changes nothing.
#[utoipa::path(
    post, path = "/v1/technicians/import", tag = "roster",
    params(ImportQuery),
    request_body(
        content(
            (String = "text/csv", example = "工号,姓名,账号,部门编码,技能,小区编码\nT001,张三,tech-1,engineering,水电;电梯,YX\n"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
        description = "The file",
    ),
    responses((status = 200, description = "What came of its rows", body = RosterImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["dispatch.import"])),
)]
pub(crate) async fn import_technicians(
    State(app): State<App>,
    call: Allowed<permission::Import>,
    Query(asked): Query<ImportQuery>,
    file: Body,
) -> Result<Versioned<RosterImportReport>> {
    import(&app, &asked.of(&call), RosterPart::Technicians, file).await
}

/// Import shifts
///
/// A register file, CSV or XLSX: 工号 `technician_code`, 日期 `on`, 开始 `starts_at`, 结束 `ends_at` (not after the start:
/// the next day; 24:00 is the day's end), by the clock of the technician's estates. Shifts of one person must not overlap. The file has the word on every day of a technician that it names: other shifts of that day are called off.
/// Rows that are known by their codes are updated; a file with a fault changes nothing.
#[utoipa::path(
    post, path = "/v1/shifts/import", tag = "roster",
    params(ImportQuery),
    request_body(
        content(
            (String = "text/csv", example = "工号,日期,开始,结束\nT001,2026-11-24,08:00,20:00\n"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
        description = "The file",
    ),
    responses((status = 200, description = "What came of its rows", body = RosterImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["dispatch.import"])),
)]
pub(crate) async fn import_shifts(
    State(app): State<App>,
    call: Allowed<permission::Import>,
    Query(asked): Query<ImportQuery>,
    file: Body,
) -> Result<Versioned<RosterImportReport>> {
    import(&app, &asked.of(&call), RosterPart::Shifts, file).await
}
