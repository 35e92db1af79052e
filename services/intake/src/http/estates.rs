//! Estates and their units.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Error, Executed, Result,
    http::{Allowed, Body, Json, List, ListParams, Path, Problems, Query, Versioned},
    sheet::{self, ImportQuery, SheetNote},
};
use steward_kernel::{
    Version,
    ids::{EstateId, UnitId},
    page::Page,
    text::Line,
    vocabulary::Language,
};
use utoipa::{IntoParams, ToSchema};

use super::{permission, sheets};
use crate::{
    app::App,
    domain::import::RegisterImport,
    import,
    store::register::{self, EstateRow, UnitRow},
};

/// What came of a register file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rows": 2112, "created": 2100, "updated": 2, "unchanged": 10}))]
pub struct ImportReport {
    /// Rows in the file.
    pub rows: u32,
    /// Rows that said something new.
    pub created: u32,
    /// Rows that changed what was known.
    pub updated: u32,
    /// Rows that said what was known.
    pub unchanged: u32,
    /// Ties of residents that ended since the file replaces the residents of its units (`replace=units`); a note names each. Absent = none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false, example = 2)]
    pub ended: u32,
    /// Rows and columns that were left out, and what looks wrong though it was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub notes: Vec<SheetNote>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The answer to an import.
pub(super) fn report(done: &Executed<RegisterImport>, language: Language) -> Versioned<ImportReport> {
    let tally = done.state.tally;
    let report = ImportReport {
        rows: tally.rows(),
        created: tally.created,
        updated: tally.updated,
        unchanged: tally.unchanged,
        ended: tally.ended,
        notes: done.state.notes.iter().map(|note| SheetNote::new(note, language)).collect(),
    };
    Versioned::ok(report, done.version).replayed(done.replayed)
}

/// An estate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "estate_id": "0198f001-0000-7000-8000-000000000001", "code": "YX", "name": "御溪花园", "region": "上海",
    "time_zone": "Asia/Shanghai", "buildings": 10, "units": 820, "households": 790, "version": 3
}))]
pub struct EstateView {
    /// Its id.
    pub estate_id: EstateId,
    /// Its code in the company's register.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The region of the company it belongs to.
    pub region: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// How many buildings it has.
    pub buildings: i32,
    /// How many units it has.
    pub units: i32,
    /// How many of them have a resident.
    pub households: i32,
    /// Its version.
    pub version: i32,
}

impl From<EstateRow> for EstateView {
    fn from(row: EstateRow) -> Self {
        Self {
            estate_id: row.estate_id,
            code: row.code,
            name: row.name,
            region: row.region,
            time_zone: row.time_zone,
            buildings: row.buildings,
            units: row.units,
            households: row.households,
            version: row.version,
        }
    }
}

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "unit_id": "0198f001-0000-7000-8000-000000000101", "estate_id": "0198f001-0000-7000-8000-000000000001",
    "building": "1号楼", "entrance": "1单元", "unit": "101", "floor": "1", "area_m2": 89.5
}))]
pub struct UnitView {
    /// Its id.
    pub unit_id: UnitId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its building.
    pub building: String,
    /// Its entrance, where a building has several.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub entrance: String,
    /// Its number.
    pub unit: String,
    /// Its floor; basements have letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub floor: String,
    /// Its area in square metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_m2: Option<f64>,
}

impl From<UnitRow> for UnitView {
    fn from(row: UnitRow) -> Self {
        Self {
            unit_id: row.unit_id,
            estate_id: row.estate_id,
            building: row.building,
            entrance: row.entrance,
            unit: row.unit,
            floor: row.floor,
            area_m2: row.area_m2,
        }
    }
}

/// Import estates and their units
///
/// One row for each unit; a row that is known by its codes is updated, and units that the file does not name stay.
/// Headers may be Chinese or English, in any order: 小区编码 `estate_code`, 小区名称 `estate_name`, 区域 `region`, [时区
/// `time_zone`], 楼栋 `building`, [单元 `entrance`], 房号 `unit`, 楼层 `floor`, 建筑面积 `area_m2`. A broken file changes nothing;
/// the problem names rows and columns.
#[utoipa::path(
    post, path = "/v1/estates/import", tag = "estates",
    params(ImportQuery),
    request_body(description = "The file, at most 10 MiB and 50,000 rows", content(
        (String = "text/csv", example = "小区编码,小区名称,区域,楼栋,单元,房号,楼层,建筑面积\nYX,御溪花园,上海,1号楼,1单元,101,1,89.5\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses((status = 200, description = "What came of it", body = ImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["register.import"])),
)]
pub async fn import_estates(
    State(app): State<App>,
    call: Allowed<permission::ImportRegister>,
    Query(asked): Query<ImportQuery>,
    body: Body,
) -> Result<Versioned<ImportReport>> {
    let (file, _turn) = sheet::aside(move || sheets::units(&body)).await?;
    let done = import::estates(&app.core.engine, &asked.of(&call), file).await?;
    // Regions and time zones decide which rules hold where.
    app.rules.forget(call.tenant());
    Ok(report(&done, call.language))
}

/// Filters of estates: none yet.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EstateQuery {}

/// List estates
///
/// Those that the caller may see, newest first.
#[utoipa::path(
    get, path = "/v1/estates", tag = "estates",
    params(ListParams),
    responses((status = 200, description = "A page of estates", body = Page<EstateView>), Problems),
    security(("bearer" = ["register.read"])),
)]
pub async fn list_estates(
    State(app): State<App>,
    call: Allowed<permission::ReadRegister>,
    list: List<EstateQuery>,
) -> Result<Json<Page<EstateView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = register::list_estates(&mut tx, call.actor.estates.as_deref(), list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(EstateView::from)))
}

/// Read an estate
///
/// With how many buildings, units and households it has.
#[utoipa::path(
    get, path = "/v1/estates/{estate_id}", tag = "estates",
    params(("estate_id" = EstateId, Path, description = "The estate")),
    responses((status = 200, description = "The estate", body = EstateView), Problems),
    security(("bearer" = ["register.read"])),
)]
pub async fn get_estate(
    State(app): State<App>,
    call: Allowed<permission::ReadRegister>,
    Path(estate_id): Path<EstateId>,
) -> Result<Versioned<EstateView>> {
    if !call.actor.sees_estate(estate_id) {
        return Err(Error::NotFound);
    }
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let row = register::find_estate(&mut tx, estate_id).await?;
    tx.rollback().await?;
    let row = row.ok_or(Error::NotFound)?;
    let version = Version(row.version);
    Ok(Versioned::ok(row.into(), version))
}

/// Which units to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnitQuery {
    /// Only those of this building.
    building: Option<Line>,
}

/// List the units of an estate
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/estates/{estate_id}/units", tag = "estates",
    params(("estate_id" = EstateId, Path, description = "The estate"), UnitQuery, ListParams),
    responses((status = 200, description = "A page of units", body = Page<UnitView>), Problems),
    security(("bearer" = ["register.read"])),
)]
pub async fn list_units(
    State(app): State<App>,
    call: Allowed<permission::ReadRegister>,
    Path(estate_id): Path<EstateId>,
    list: List<UnitQuery>,
) -> Result<Json<Page<UnitView>>> {
    if !call.actor.sees_estate(estate_id) {
        return Err(Error::NotFound);
    }
    let mut tx = app.core.db.begin(call.tenant()).await?;
    if register::find_estate(&mut tx, estate_id).await?.is_none() {
        return Err(Error::NotFound);
    }
    let page =
        register::list_units(&mut tx, estate_id, list.filter.building.as_ref().map(Line::as_str), list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(UnitView::from)))
}
