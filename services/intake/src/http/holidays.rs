//! Public holidays: those that ship with the product, and those that the company loads when they are announced.

use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use steward_chassis::{
    Call, Error, Result,
    http::{Allowed, Json, NoFilter, Problems, Query, Versioned},
};
use steward_clock::{Arrangement, Holidays, holidays::DayOff};
use steward_kernel::Version;
use utoipa::ToSchema;

use super::{dto, permission};
use crate::{
    app::App,
    domain::rulebook::{Facts, PublicHolidays},
    store::rulebook::{self as rows, HolidaysLine},
};

/// Longest name of a day and longest source, in characters.
const LONGEST: usize = 200;

/// How the public holidays of a year are arranged in a region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "region": "cn", "year": 2027, "source": "国务院办公厅关于2027年部分节假日安排的通知", "shipped": false, "replaced": false,
    "number": 1, "version": 1, "days_off": [{ "on": "2027-01-01", "name": "元旦" }], "workdays": ["2027-02-20"],
    "loaded_at": "2026-11-25T08:00:00Z", "loaded_by": "admin"
}))]
pub struct PublicHolidaysView {
    /// The region.
    pub region: String,
    /// The year.
    pub year: i32,
    /// Who announced it, where and when.
    pub source: String,
    /// Whether it ships with the product.
    pub shipped: bool,
    /// Whether the region and year were loaded again since; clocks that ran already still count by it.
    pub replaced: bool,
    /// Its place in the order of loading: clocks keep the last one they knew. Absent when it ships with the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
    /// Version of the region and year, for `If-Match` where it is loaded again. Absent when it ships with the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// The days that are off.
    pub days_off: Vec<DayOff>,
    /// The days of a weekend that are working days (調休).
    pub workdays: Vec<NaiveDate>,
    /// When it was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_at: Option<DateTime<Utc>>,
    /// By whom: subject of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_by: Option<String>,
}

impl PublicHolidaysView {
    fn shipped(arrangement: Arrangement) -> Self {
        let Arrangement { region, year, source, days_off, workdays } = arrangement;
        let (loaded_at, loaded_by) = (None, None);
        Self {
            region,
            year,
            source,
            shipped: true,
            replaced: false,
            number: None,
            version: None,
            days_off,
            workdays,
            loaded_at,
            loaded_by,
        }
    }

    fn loaded(row: HolidaysLine) -> Self {
        let version = Some(row.version);
        let view = Self::shipped(row.arrangement.0);
        let (loaded_at, loaded_by) = (Some(row.loaded_at), Some(row.loaded_by));
        Self { shipped: false, number: Some(row.number), version, loaded_at, loaded_by, ..view }
    }
}

/// All arrangements that are known.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicHolidaysList {
    /// By region and year; of the same ones in the order of loading.
    pub items: Vec<PublicHolidaysView>,
}

fn facts(app: &App, call: &Call) -> Facts {
    Facts { has_read: call.has_read(), ..Facts::new(app.core.clock.now(), call.actor.clone()) }
}

/// Load public holidays
///
/// When a year's arrangement is announced. Loading a region and year again replaces it for clocks that start from then on; those that run keep what was known when
/// they started. That takes `If-Match` with the `version` that the list says of the one that stands. The same arrangement again changes nothing.
#[utoipa::path(
    post, path = "/v1/public-holidays", operation_id = "load_public_holidays", tag = "calendars",
    request_body(content = Arrangement, example = json!({
        "region": "cn", "year": 2027, "source": "国务院办公厅关于2027年部分节假日安排的通知",
        "days_off": [{ "on": "2027-01-01", "name": "元旦" }], "workdays": ["2027-02-20"]
    })),
    responses((status = 200, description = "The arrangement as it is known now", body = PublicHolidaysView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["calendar.write"])),
)]
pub(super) async fn load_public_holidays(
    State(app): State<App>,
    call: Allowed<permission::WriteCalendars>,
    Json(arrangement): Json<Arrangement>,
) -> Result<Versioned<PublicHolidaysView>> {
    check(&arrangement)?;
    let id = PublicHolidays::id_of(&arrangement.region, arrangement.year);
    let facts = facts(&app, &call);
    let done = app.core.engine.execute::<PublicHolidays>(&call, id, &arrangement, &facts).await?;
    app.rules.forget(call.tenant());
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let row = rows::find_holidays(&mut tx, id, done.version.get()).await?;
    tx.rollback().await?;
    let row = row.ok_or(Error::NotFound)?;
    let version = Version(row.version);
    Ok(Versioned::ok(PublicHolidaysView::loaded(row), version).replayed(done.replayed))
}

fn check(arrangement: &Arrangement) -> Result<()> {
    // What no year has is not looked through.
    for (pointer, days) in [("/days_off", arrangement.days_off.len()), ("/workdays", arrangement.workdays.len())] {
        if days > 366 {
            return Err(Error::field(pointer, "too_many", "must be at most 366"));
        }
    }
    let mut findings = arrangement.findings();
    let long = |text: &str| text.chars().count() > LONGEST;
    let length = || format!("must have 1 to {LONGEST} characters");
    if long(&arrangement.source) {
        findings.push(("/source".to_owned(), length()));
    }
    for (index, day) in arrangement.days_off.iter().enumerate() {
        if day.name.trim().is_empty() || long(&day.name) {
            findings.push((format!("/days_off/{index}/name"), length()));
        }
    }
    for (index, day) in arrangement.workdays.iter().enumerate() {
        if arrangement.workdays[..index].contains(day) {
            findings.push((format!("/workdays/{index}"), "must be named once".to_owned()));
        }
    }
    dto::check("", findings)
}

/// List public holidays
///
/// All that are known, shipped with the product and loaded by the company.
#[utoipa::path(
    get, path = "/v1/public-holidays", operation_id = "list_public_holidays", tag = "calendars",
    responses((status = 200, description = "The arrangements", body = PublicHolidaysList), Problems),
    security(("bearer" = ["calendar.read"])),
)]
pub(super) async fn list_public_holidays(
    State(app): State<App>,
    call: Allowed<permission::ReadCalendars>,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<PublicHolidaysList>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let loaded = rows::holidays(&mut tx).await?;
    tx.rollback().await?;
    let shipped = Holidays::shipped().all().cloned().map(PublicHolidaysView::shipped);
    let mut items: Vec<_> = shipped.chain(loaded.into_iter().map(PublicHolidaysView::loaded)).collect();
    items.sort_by_key(|item| (item.region.clone(), item.year, item.number));
    for index in 1..items.len() {
        let (before, after) = items.split_at_mut(index);
        if let (Some(before), Some(after)) = (before.last_mut(), after.first()) {
            before.replaced = (&before.region, before.year) == (&after.region, after.year);
        }
    }
    Ok(Json(PublicHolidaysList { items }))
}
