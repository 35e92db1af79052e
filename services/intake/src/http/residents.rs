//! Residents: personal data. Whoever reads them is written down in the same transaction.

use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Call, Error, FieldError, Result,
    db::Tx,
    http::{Allowed, Body, Json, List, ListParams, Path, Problems, Query, Versioned},
    sheet::{self, ImportQuery},
};
use steward_kernel::{
    Version,
    ids::{EstateId, ResidentId, UnitId},
    page::Page,
    text::Line,
    vocabulary::Language,
    word_enum,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    estates::{ImportReport, report},
    permission, sheets,
};
use crate::{
    app::App,
    domain::{
        finding::{PhoneSearch, name_key},
        residents::ResidentRole,
    },
    import,
    store::people::{self, Access, Resident, ResidentFilter, ResidentUnit},
};

/// A resident with their units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "resident_id": "0198f001-0000-7000-8000-000000000201", "code": "YX00001", "name": "陈家骏", "phone": "+8619900000001",
    "language": "zh-Hans", "version": 1,
    "units": [{
        "unit_id": "0198f001-0000-7000-8000-000000000101", "estate_id": "0198f001-0000-7000-8000-000000000001",
        "building": "1号楼", "entrance": "1单元", "unit": "101", "role": "owner", "since_on": "2018-01-17"
    }]
}))]
pub struct ResidentView {
    /// Their id.
    pub resident_id: ResidentId,
    /// Their code in the company's register.
    pub code: String,
    /// Their name.
    pub name: String,
    /// Their telephone number in E.164, with `;ext=` and the extension if it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub phone: String,
    /// More numbers of theirs, in the same form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub other_phones: Vec<String>,
    /// The language to speak to them; `zh-Hans` also where the register says none.
    pub language: Language,
    /// Their units, in the estates that the caller may see.
    pub units: Vec<ResidentUnitView>,
    /// Its version.
    pub version: i32,
}

/// A unit of a resident.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentUnitView {
    /// The unit.
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
    /// What the resident is to it.
    pub role: ResidentRole,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_on: Option<NaiveDate>,
    /// The last day on which they are; absent while nobody knows. One that lies in the past is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_on: Option<NaiveDate>,
}

impl From<Resident> for ResidentView {
    fn from(resident: Resident) -> Self {
        Self {
            resident_id: resident.id,
            code: resident.person.code.into(),
            name: resident.person.name.into(),
            phone: resident.person.phone,
            other_phones: resident.person.other_phones,
            language: resident.person.language.unwrap_or(Language::ZhHans),
            units: resident.units.into_iter().map(ResidentUnitView::from).collect(),
            version: resident.version,
        }
    }
}

impl From<ResidentUnit> for ResidentUnitView {
    fn from(unit: ResidentUnit) -> Self {
        Self {
            unit_id: unit.unit,
            estate_id: unit.estate,
            building: unit.place.building,
            entrance: unit.place.entrance,
            unit: unit.place.unit,
            role: unit.tie.role,
            since_on: unit.tie.since_on,
            until_on: unit.tie.until_on,
        }
    }
}

/// How a file of residents is to be taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResidentImportQuery {
    /// `true`: the file is checked against the register and nothing is imported; the answer tells what would come of it.
    #[serde(default)]
    #[param(required = false, example = false)]
    dry_run: bool,
    /// `units`: the file names all residents of each unit that it names. Ties of others to these units end yesterday, in the estate's days; the
    /// answer counts them and names them in its notes. Absent: residents whom the file does not name stay.
    #[param(inline)]
    replace: Option<Replace>,
}

word_enum! {
    /// What a file of residents replaces.
    Replace {
        /// The residents of its units.
        Units = "units",
    }
}

/// Import residents
///
/// One row for each resident and unit; several rows with the same code are one person with several units. Estates and
/// units must be in the register. Residents and units that the file does not name stay as they are, unless it replaces the residents of
/// its units (`replace=units`); a tie ends with its [迁出日期 `until_on`], the last day on which it holds. Headers, and the words that templates have for them: 住户编号
/// `resident_code`, 姓名 `name`, 手机号 `phone` (up to three in a cell), 小区编码 `estate_code`, 楼栋 `building`, [单元 `entrance`],
/// 房号 `unit`, 身份 `role` (业主, 共有人, 租客, 家属, 代理人), 入住日期 `since_on`, [迁出日期 `until_on`], [语言 `language`].
#[utoipa::path(
    post, path = "/v1/residents/import", tag = "residents",
    params(ResidentImportQuery),
    request_body(description = "The file, at most 10 MiB and 50,000 rows", content(
        (String = "text/csv",
         example = "住户编号,姓名,手机号,小区编码,楼栋,单元,房号,身份,入住日期\nYX00001,陈家骏,19900000001,YX,1号楼,1单元,101,业主,2018-01-17\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses((status = 200, description = "What came of it", body = ImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["register.import"])),
)]
pub async fn import_residents(
    State(app): State<App>,
    call: Allowed<permission::ImportRegister>,
    Query(ResidentImportQuery { dry_run, replace }): Query<ResidentImportQuery>,
    body: Body,
) -> Result<Versioned<ImportReport>> {
    let today = app.core.clock.now().date_naive();
    let (file, _turn) = sheet::aside(move || sheets::residents(&body, today)).await?;
    let replaces = replace == Some(Replace::Units);
    let call = ImportQuery { dry_run }.of(&call);
    let done = import::residents(&app.core.engine, &call, file, app.config.phones_elsewhere(), replaces).await?;
    Ok(report(&done, call.language))
}

/// Which residents to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResidentQuery {
    /// Only those with a unit in this estate.
    estate_id: Option<EstateId>,
    /// Only those with this unit.
    unit_id: Option<UnitId>,
    /// Only the one with this code.
    code: Option<Line>,
    /// Only those with this telephone number, in any spelling, with or without country code, or only its last 4 digits or more.
    phone: Option<Line>,
    /// Only those whose name begins so; spaces, width and capital letters do not matter.
    name: Option<Line>,
}

/// List residents
///
/// Those with a unit in an estate that the caller may see, newest first. Who reads whom is written down.
#[utoipa::path(
    get, path = "/v1/residents", tag = "residents",
    params(ResidentQuery, ListParams),
    responses((status = 200, description = "A page of residents", body = Page<ResidentView>), Problems),
    security(("bearer" = ["resident.read"])),
)]
pub async fn list_residents(
    State(app): State<App>,
    call: Allowed<permission::ReadResidents>,
    list: List<ResidentQuery>,
) -> Result<Json<Page<ResidentView>>> {
    let ResidentQuery { estate_id: estate, unit_id: unit, code, phone, name } = list.filter;
    let phone = phone.map(|phone| PhoneSearch::of(phone.as_str())).transpose();
    let phone =
        phone.map_err(|fault| Error::Malformed(vec![FieldError::new("phone", "invalid", fault.to_string())]))?;
    let name = name.map(|name| name_key(name.as_str()));
    let filter = ResidentFilter { estate, unit, code: code.map(String::from), phone, name };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = people::list_residents(&mut tx, call.actor.estates.as_deref(), &filter, list.page).await?;
    let read = page.items.iter().map(|resident| resident.id).collect();
    record(&app, &call, tx, "list_residents", read).await?;
    Ok(Json(page.map(ResidentView::from)))
}

/// Read a resident
///
/// With name and telephone number; who reads it is written down. An owner reads only themselves: their app learns here
/// which estates and units are theirs.
#[utoipa::path(
    get, path = "/v1/residents/{resident_id}", tag = "residents",
    params(("resident_id" = ResidentId, Path, description = "The resident")),
    responses((status = 200, description = "The resident", body = ResidentView), Problems),
    security(("bearer" = ["resident.read-one"])),
)]
pub async fn get_resident(
    State(app): State<App>,
    call: Allowed<permission::ReadResident>,
    Path(resident_id): Path<ResidentId>,
) -> Result<Versioned<ResidentView>> {
    if call.actor.is_only_owner() && call.actor.resident != Some(resident_id) {
        return Err(Error::NotFound);
    }
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let resident = people::find_resident(&mut tx, call.actor.estates.as_deref(), resident_id).await?;
    let resident = resident.ok_or(Error::NotFound)?;
    record(&app, &call, tx, "get_resident", vec![resident_id]).await?;
    let version = Version(resident.version);
    Ok(Versioned::ok(resident.into(), version))
}

/// Writes the reading down; nothing is shown that is not.
async fn record(app: &App, call: &Call, mut tx: Tx, operation: &'static str, residents: Vec<ResidentId>) -> Result<()> {
    let clock = &app.core.clock;
    let access = Access { id: clock.new_id(), actor: &call.actor.id, operation, residents, at: clock.now() };
    people::record_access(&mut tx, &access).await?;
    tx.commit().await
}
