//! Calendars: when the company's places are open.

use axum::extract::State;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Call, Error, Executed, Result,
    http::{Allowed, Json, List, ListParams, NoFilter, Path, Problems, Query, Versioned},
};
use steward_clock::{Arrangement, CalendarRules, Holidays, Pin, calendar::Day};
use steward_kernel::{ActorId, era, ids::EstateId, page::Page, text::Line};
use utoipa::{IntoParams, ToSchema};

use super::{dto, permission};
use crate::{
    app::App,
    domain::rulebook::{
        Calendar, CalendarCommand as Command, CalendarEvent, CalendarId, Code, Facts, Refusal, in_force, may_read,
    },
    store::rulebook::{self as rows, CalendarLine},
};

/// Where a calendar is read that names no time zone.
const DEFAULT_TIME_ZONE: &str = "Asia/Shanghai";
/// Most days that are shown at once.
const MOST_DAYS: i64 = 400;

/// A new calendar.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "desk", "name": "客服中心", "rules": {
        "week": {
            "monday": [{ "from": "08:30", "to": "12:00" }, { "from": "13:30", "to": "18:00" }],
            "saturday": [{ "from": "09:00", "to": "12:00" }]
        },
        "public_holidays": "cn", "holiday": [{ "from": "09:00", "to": "12:00" }],
        "special_days": { "2027-08-14": { "name": "台风停工", "hours": [] } }
    }
}))]
pub struct CreateCalendar {
    /// Its code, as policies name it; unique in the company, never changes.
    code: Code,
    /// Its name.
    name: Line,
    /// The estate it is for; absent = all. Never changes.
    estate_id: Option<EstateId>,
    /// When it is open.
    rules: CalendarRules,
    /// From when on clocks start by it; absent = now. Not in the past.
    #[serde(default, deserialize_with = "era::read")]
    valid_from: Option<DateTime<Utc>>,
}

/// What a calendar is to be from then on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "rules": { "week": { "monday": [{ "from": "09:00", "to": "18:00" }] }, "public_holidays": "cn" },
    "valid_from": "2027-01-01T00:00:00+08:00"
}))]
pub struct ReviseCalendar {
    /// Its name; absent = as it is.
    name: Option<Line>,
    /// When it is open.
    rules: CalendarRules,
    /// From when on clocks start by it; absent = now. Not in the past, nor before the version before it.
    #[serde(default, deserialize_with = "era::read")]
    valid_from: Option<DateTime<Utc>>,
}

/// A calendar in its newest version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "calendar_id": "0198f001-0000-7000-8000-000000000501", "code": "desk", "name": "客服中心",
    "rules": { "always": false, "week": { "monday": [{ "from": "09:00", "to": "18:00" }], "tuesday": [], "wednesday": [], "thursday": [], "friday": [], "saturday": [], "sunday": [] }, "holiday": [], "special_days": {} },
    "valid_from": "2026-11-25T08:00:00Z", "changed_at": "2026-11-25T08:00:00Z", "version": 1, "version_in_force": 1
}))]
pub struct CalendarView {
    /// Its id.
    pub calendar_id: CalendarId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The estate it is for; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// When it is open, in the newest version.
    pub rules: CalendarRules,
    /// From when on clocks start by that.
    pub valid_from: DateTime<Utc>,
    /// When it was written.
    pub changed_at: DateTime<Utc>,
    /// The newest version.
    pub version: i32,
    /// The version by which clocks start now; absent before the first begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_in_force: Option<i32>,
}

impl From<CalendarLine> for CalendarView {
    fn from(row: CalendarLine) -> Self {
        Self {
            calendar_id: row.calendar_id.into(),
            code: row.code,
            name: row.name,
            estate_id: row.estate_id.map(EstateId::from),
            rules: row.newest.0.rules,
            valid_from: row.newest.0.valid_from,
            changed_at: row.changed_at,
            version: row.version,
            version_in_force: row.in_force,
        }
    }
}

/// A version of a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarVersionView {
    /// From 1.
    pub version: i32,
    /// The name it gave.
    pub name: String,
    /// When it is open.
    pub rules: CalendarRules,
    /// From when on clocks start by it.
    pub valid_from: DateTime<Utc>,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// By whom: subject of the token.
    pub written_by: ActorId,
}

/// A calendar with all its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarHistory {
    /// Its id.
    pub calendar_id: CalendarId,
    /// Its code.
    pub code: String,
    /// The estate it is for; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// The version by which clocks start now; absent before the first begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_in_force: Option<i32>,
    /// All versions, newest first: a case keeps the one it began with.
    pub versions: Vec<CalendarVersionView>,
}

/// Create a calendar
///
/// Its first version. Policies name it by its code. Who works for some estates only creates calendars for one of them.
#[utoipa::path(
    post, path = "/v1/calendars", operation_id = "create_calendar", tag = "calendars",
    request_body = CreateCalendar,
    responses((status = 201, description = "The calendar", body = CalendarView), Problems),
    security(("bearer" = ["calendar.write"])),
)]
pub(super) async fn create_calendar(
    State(app): State<App>,
    call: Allowed<permission::WriteCalendars>,
    Json(body): Json<CreateCalendar>,
) -> Result<Versioned<CalendarView>> {
    let CreateCalendar { code, name, estate_id: estate, rules, valid_from } = body;
    if let Some(estate) = estate
        && (!call.actor.sees_estate(estate) || app.places.estate(call.tenant(), estate).await?.is_none())
    {
        return Err(Error::field("/estate_id", "unknown-estate", "must be an estate of the register that you may see"));
    }
    check(&app, &call, &rules).await?;
    let facts = Facts::new(app.core.clock.now(), call.actor.clone());
    let command = Command::Write { code, name, estate, rules: Box::new(rules), valid_from };
    let id = app.core.clock.new_id().into();
    let done = app.core.engine.create::<Calendar>(&call, id, &command, &facts).await?;
    app.rules.forget(call.tenant());
    let location = format!("/v1/calendars/{}", done.state.id);
    let (version, replayed) = (done.version, done.replayed);
    Ok(Versioned::created(view(done)?, version, location).replayed(replayed))
}

/// Revise a calendar
///
/// Writes its next version; code and estate stay. Clocks that run already keep the version they began with. The same rules again change nothing. `If-Match` is
/// required, so that nobody writes over what a colleague has just changed.
#[utoipa::path(
    post, path = "/v1/calendars/{calendar_id}/revise", operation_id = "revise_calendar", tag = "calendars",
    params(("calendar_id" = CalendarId, Path, description = "The calendar")),
    request_body = ReviseCalendar,
    responses((status = 200, description = "The calendar as it is now", body = CalendarView), Problems),
    security(("bearer" = ["calendar.write"])),
)]
pub(super) async fn revise_calendar(
    State(app): State<App>,
    call: Allowed<permission::WriteCalendars>,
    Path(calendar_id): Path<CalendarId>,
    Json(ReviseCalendar { name, rules, valid_from }): Json<ReviseCalendar>,
) -> Result<Versioned<CalendarView>> {
    call.must_have_read()?;
    check(&app, &call, &rules).await?;
    let facts = Facts::new(app.core.clock.now(), call.actor.clone());
    let command = Command::Revise { name, rules: Box::new(rules), valid_from };
    let done = app.core.engine.execute::<Calendar>(&call, calendar_id, &command, &facts).await?;
    app.rules.forget(call.tenant());
    let (version, replayed) = (done.version, done.replayed);
    Ok(Versioned::ok(view(done)?, version).replayed(replayed))
}

fn view(done: Executed<Calendar>) -> Result<CalendarView> {
    let Calendar { id, named, estate, mut versions } = done.state;
    // What was in force when it was written: a repeated request gets the same answer.
    let version_in_force = in_force(versions.iter().map(|version| version.valid_from), done.changed_at);
    let ((code, name), newest) = named.zip(versions.pop()).ok_or(Error::NotFound)?;
    Ok(CalendarView {
        calendar_id: id,
        code: code.into(),
        name: name.into(),
        estate_id: estate,
        rules: newest.rules,
        valid_from: newest.valid_from,
        changed_at: done.changed_at,
        version: done.version.get(),
        version_in_force,
    })
}

/// The rules are good, and the public holidays they follow are known.
async fn check(app: &App, call: &Call, rules: &CalendarRules) -> Result<()> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let loaded = rows::holidays(&mut tx).await?;
    tx.rollback().await?;
    let holidays = known_holidays(loaded.into_iter().map(|row| row.arrangement.0));
    let mut findings = rules.findings(&holidays);
    let strange = rules.special_days.keys().filter(|day| !(2000..=2100).contains(&day.year()));
    findings.extend(
        strange.map(|day| (format!("/special_days/{day}"), "must be a day of the years 2000 to 2100".to_owned())),
    );
    dto::check("/rules", findings)
}

fn known_holidays(loaded: impl Iterator<Item = Arrangement>) -> Holidays {
    loaded.fold(Holidays::shipped().clone(), Holidays::with)
}

/// List calendars
///
/// Those for all estates and for the caller's own, newest first.
#[utoipa::path(
    get, path = "/v1/calendars", operation_id = "list_calendars", tag = "calendars",
    params(ListParams),
    responses((status = 200, description = "A page of calendars", body = Page<CalendarView>), Problems),
    security(("bearer" = ["calendar.read"])),
)]
pub(super) async fn list_calendars(
    State(app): State<App>,
    call: Allowed<permission::ReadCalendars>,
    list: List<NoFilter>,
) -> Result<Json<Page<CalendarView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = rows::calendars(&mut tx, &call.actor, app.core.clock.now(), list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(CalendarView::from)))
}

/// Read a calendar
///
/// With all its versions.
#[utoipa::path(
    get, path = "/v1/calendars/{calendar_id}", operation_id = "get_calendar", tag = "calendars",
    params(("calendar_id" = CalendarId, Path, description = "The calendar")),
    responses((status = 200, description = "The calendar", body = CalendarHistory), Problems),
    security(("bearer" = ["calendar.read"])),
)]
pub(super) async fn get_calendar(
    State(app): State<App>,
    call: Allowed<permission::ReadCalendars>,
    Path(calendar_id): Path<CalendarId>,
) -> Result<Versioned<CalendarHistory>> {
    let history = app.core.engine.history::<Calendar>(&call, calendar_id).await?;
    let newest = history.last().ok_or_else(none)?;
    let (version, CalendarEvent::Written { code, estate, .. }) = (newest.version, &newest.body);
    if !may_read(&call.actor, *estate) {
        return Err(none());
    }
    let (code, estate_id) = (code.to_string(), *estate);
    let mut versions: Vec<_> = history
        .into_iter()
        .map(|event| {
            let CalendarEvent::Written { name, rules, valid_from, .. } = event.body;
            CalendarVersionView {
                version: event.version.get(),
                name: name.into(),
                rules: *rules,
                valid_from,
                written_at: event.recorded_at,
                written_by: event.actor,
            }
        })
        .collect();
    let now = app.core.clock.now();
    let version_in_force = in_force(versions.iter().map(|version| version.valid_from), now);
    versions.reverse();
    Ok(Versioned::ok(CalendarHistory { calendar_id, code, estate_id, version_in_force, versions }, version))
}

fn none() -> Error {
    Error::refused(&Refusal::NoSuchCalendar)
}

/// Which days to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// The first day.
    #[serde(deserialize_with = "era::read")]
    from: NaiveDate,
    /// The last day; at most 400 days in all.
    #[serde(deserialize_with = "era::read")]
    to: NaiveDate,
    /// By which version; absent = the one that is in force, or else the newest.
    version: Option<i32>,
}

/// Days of a calendar, as its rules make them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "calendar_id": "0198f001-0000-7000-8000-000000000501", "version": 1, "time_zone": "Asia/Shanghai", "days": [
        { "on": "2026-02-14", "hours": [{ "from": "09:00", "to": "18:00" }], "rule": { "rule": "makeup_workday" }, "provisional": false },
        { "on": "2026-02-17", "hours": [], "rule": { "rule": "public_holiday", "name": "春节" }, "provisional": false }
    ]
}))]
pub struct CalendarDays {
    /// Of which calendar.
    pub calendar_id: CalendarId,
    /// By which of its versions.
    pub version: i32,
    /// In which time zone; where the rules name none, that of each estate counts.
    pub time_zone: String,
    /// The days, with the rule that made their hours. A provisional one may turn out to be wrong: its year's public holidays are not loaded yet.
    pub days: Vec<Day>,
}

/// Show the days of a calendar
///
/// When it is open on each day, and by which rule; with the public holidays that are known now.
#[utoipa::path(
    get, path = "/v1/calendars/{calendar_id}/days", operation_id = "list_calendar_days", tag = "calendars",
    params(("calendar_id" = CalendarId, Path, description = "The calendar"), DaysQuery),
    responses((status = 200, description = "The days", body = CalendarDays), Problems),
    security(("bearer" = ["calendar.read"])),
)]
pub(super) async fn list_calendar_days(
    State(app): State<App>,
    call: Allowed<permission::ReadCalendars>,
    Path(calendar_id): Path<CalendarId>,
    Query(DaysQuery { from, to, version }): Query<DaysQuery>,
) -> Result<Json<CalendarDays>> {
    if !(0..MOST_DAYS).contains(&(to - from).num_days()) {
        return Err(Error::field("to", "out_of_range", "must be from on or later, so that there are at most 400 days"));
    }
    let calendar = app.core.engine.load::<Calendar>(&call, calendar_id).await;
    let calendar = calendar.map_err(|fault| if matches!(fault, Error::NotFound) { none() } else { fault })?;
    if !may_read(&call.actor, calendar.state.estate) {
        return Err(none());
    }
    let versions = &calendar.state.versions;
    let asked = version
        .or_else(|| in_force(versions.iter().map(|version| version.valid_from), app.core.clock.now()))
        .unwrap_or(calendar.version.get());
    let rules = &versions.iter().find(|known| known.version == asked).ok_or(Error::NotFound)?.rules;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let holidays = rows::holidays(&mut tx).await?.last().map_or(0, |row| row.number);
    let time_zone = rules.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE).to_owned();
    let pin = Pin { calendar: Some(calendar_id.get()), version: asked, holidays, time_zone };
    let timetable = app.rules.timetable(&mut tx, std::slice::from_ref(&pin)).await?;
    tx.rollback().await?;
    let days = from.iter_days().take_while(|day| *day <= to).map(|day| timetable.get(&pin).day(day)).collect();
    Ok(Json(CalendarDays { calendar_id, version: asked, time_zone: pin.time_zone, days }))
}
