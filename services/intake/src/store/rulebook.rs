//! Calendars, public holidays, policies, posts and absences: their rows and lists.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, types::Json};
use steward_chassis::{
    Error, Result, Stored,
    db::{Tx, on_constraint},
    http::page::{Key, PageRequest},
};
use steward_clock::Arrangement;
use steward_kernel::{
    Actor, Recorded,
    ids::EstateId,
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{
    list::{listed, statements},
    register::uuids,
};
use crate::domain::rulebook::{
    Absence, AbsenceEvent, AbsenceId, Away, Calendar, CalendarEvent, CalendarVersion, ClockPolicy, HolidaysEvent,
    HolidaysId, PolicyEvent, PolicyVersion, Post, PostEvent, PublicHolidays, Refusal, Scope, Served,
};

fn json<T: Serialize>(value: &T) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|fault| Error::internal("row to JSON", fault))
}

/// Nobody else is told of these, and nothing of them is due later.
macro_rules! kept_here {
    ($event:ty) => {
        fn outgoing(&self, _event: &Recorded<$event>) -> Option<Outgoing> {
            None
        }

        fn timers(&self, _event: &Recorded<$event>) -> Vec<TimerChange> {
            Vec::new()
        }
    };
}

impl Stored for Calendar {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<CalendarEvent>]) -> Result<()> {
        let (Some(last), Some((code, name))) = (events.last(), &self.named) else { return Ok(()) };
        let written = sqlx::query(
            "INSERT INTO calendar (tenant_id, calendar_id, version, changed_xid, code, name, estate_id, versions, written_at,
                                   changed_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $8)
             ON CONFLICT (tenant_id, calendar_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, name = excluded.name,
                 versions = excluded.versions, changed_at = excluded.changed_at",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(code.as_str())
        .bind(name.as_str())
        .bind(self.estate.map(EstateId::get))
        .bind(json(&self.versions)?)
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await;
        on_constraint(written, "calendar_code_key", || Error::refused(&Refusal::CodeTaken)).map(drop)
    }

    kept_here!(CalendarEvent);
}

impl Stored for PublicHolidays {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<HolidaysEvent>]) -> Result<()> {
        let (Some(last), Some(arrangement)) = (events.last(), &self.arrangement) else { return Ok(()) };
        // Two that are loaded at once would take the same number: the slower one waits for the faster one's row, and begins again.
        let written = sqlx::query(
            "INSERT INTO public_holidays (tenant_id, number, changed_xid, holidays_id, version, region, year, arrangement,
                                          loaded_at, loaded_by)
             SELECT $1, coalesce(max(number), 0) + 1, pg_current_xact_id()::text::bigint, $2, $3, $4, $5, $6, $7, $8
             FROM public_holidays WHERE tenant_id = $1",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(&arrangement.region)
        .bind(arrangement.year)
        .bind(json(arrangement)?)
        .bind(last.recorded_at)
        .bind(last.actor.as_str())
        .execute(tx.conn())
        .await;
        on_constraint(written, "public_holidays_pkey", || Error::Busy).map(drop)
    }

    kept_here!(HolidaysEvent);
}

impl Stored for ClockPolicy {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<PolicyEvent>]) -> Result<()> {
        let (Some(last), Some(scope)) = (events.last(), &self.scope) else { return Ok(()) };
        let (region, estate) = match scope {
            Scope::Company => ("", None),
            Scope::Region { region } => (region.as_str(), None),
            Scope::Estate { estate } => ("", Some(estate.get())),
        };
        sqlx::query(
            "INSERT INTO clock_policy (tenant_id, policy_id, version, changed_xid, scope, region, estate_id, versions, written_at,
                                       changed_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $8)
             ON CONFLICT (tenant_id, policy_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, versions = excluded.versions,
                 changed_at = excluded.changed_at",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(scope.kind().as_str())
        .bind(region)
        .bind(estate)
        .bind(json(&self.versions)?)
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    kept_here!(PolicyEvent);
}

impl Stored for Post {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<PostEvent>]) -> Result<()> {
        let (Some(last), Some(place)) = (events.last(), &self.place) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO post (tenant_id, post_id, version, changed_xid, level, estate_id, department, region, account, since,
                               written_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, post_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, account = excluded.account,
                 since = excluded.since",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(place.level.as_str())
        .bind(place.estate.map(EstateId::get))
        .bind(&place.department)
        .bind(&place.region)
        .bind(&self.account)
        .bind(self.since)
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    kept_here!(PostEvent);
}

impl Stored for Absence {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<AbsenceEvent>]) -> Result<()> {
        let (Some(last), Some(away)) = (events.last(), &self.away) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO absence (tenant_id, absence_id, version, changed_xid, account, cover, from_at, to_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, absence_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, to_at = excluded.to_at",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(&away.account)
        .bind(&away.cover)
        .bind(away.from)
        .bind(away.to)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    kept_here!(AbsenceEvent);
}

/// A calendar as lists show it.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct CalendarLine {
    pub calendar_id: Uuid,
    pub version: i32,
    pub changed_xid: i64,
    pub code: String,
    pub name: String,
    pub estate_id: Option<Uuid>,
    /// The newest version.
    pub newest: Json<CalendarVersion>,
    /// The version that holds now.
    pub in_force: Option<i32>,
    pub written_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

/// One page of the calendars for all and for the actor's estates.
///
/// # Errors
/// When the database is away.
pub async fn calendars(
    tx: &mut Tx,
    actor: &Actor,
    now: DateTime<Utc>,
    page: PageRequest,
) -> Result<Page<CalendarLine>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT calendar_id, version, changed_xid, code, name, estate_id, versions -> -1 AS newest,
             (SELECT max((v ->> 'version')::int) FROM jsonb_array_elements(versions) v
              WHERE (v ->> 'valid_from')::timestamptz <= $8) AS in_force, written_at, changed_at
         FROM calendar WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($7))",
        at = "written_at",
        id = "calendar_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<CalendarLine> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(actor.estates.as_deref().map(uuids))
        .bind(now)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &CalendarLine| Key { at: row.written_at, id: row.calendar_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// Which of these codes are calendars that a policy may name: those for all, and for its estate those of the estate.
///
/// # Errors
/// When the database is away.
pub async fn known_calendars(tx: &mut Tx, codes: &[&str], estate: Option<EstateId>) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT code FROM calendar WHERE tenant_id = $1 AND code = ANY($2) AND (estate_id IS NULL OR estate_id = $3)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .bind(estate.map(EstateId::get))
    .fetch_all(tx.conn())
    .await?)
}

/// An arrangement of public holidays that the company loaded.
#[derive(Debug, Clone, FromRow)]
pub struct HolidaysLine {
    /// Its place in the order of loading, from 1.
    pub number: i32,
    /// Of which region and year.
    pub holidays_id: Uuid,
    /// How often these were loaded.
    pub version: i32,
    /// It.
    pub arrangement: Json<Arrangement>,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
    /// By whom: subject of the token.
    pub loaded_by: String,
}

/// The arrangements of public holidays that the company loaded, in the order of loading.
///
/// # Errors
/// When the database is away.
pub async fn holidays(tx: &mut Tx) -> Result<Vec<HolidaysLine>> {
    Ok(sqlx::query_as(
        "SELECT number, holidays_id, version, arrangement, loaded_at, loaded_by FROM public_holidays
         WHERE tenant_id = $1 ORDER BY number",
    )
    .bind(tx.tenant().get())
    .fetch_all(tx.conn())
    .await?)
}

/// An arrangement by region and year, as it was loaded for the n-th time.
///
/// # Errors
/// When the database is away.
pub async fn find_holidays(tx: &mut Tx, id: HolidaysId, version: i32) -> Result<Option<HolidaysLine>> {
    Ok(sqlx::query_as(
        "SELECT number, holidays_id, version, arrangement, loaded_at, loaded_by FROM public_holidays
         WHERE tenant_id = $1 AND holidays_id = $2 AND version = $3",
    )
    .bind(tx.tenant().get())
    .bind(id.get())
    .bind(version)
    .fetch_optional(tx.conn())
    .await?)
}

/// A policy as lists show it.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct PolicyLine {
    pub policy_id: Uuid,
    pub version: i32,
    pub changed_xid: i64,
    pub scope: String,
    pub region: String,
    pub estate_id: Option<Uuid>,
    /// The newest version.
    pub newest: Json<PolicyVersion>,
    /// The version that holds now.
    pub in_force: Option<i32>,
    pub written_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

/// One page of the policies that the actor may see: those of their estates, of regions and of the company.
///
/// # Errors
/// When the database is away.
pub async fn policies(tx: &mut Tx, actor: &Actor, now: DateTime<Utc>, page: PageRequest) -> Result<Page<PolicyLine>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT policy_id, version, changed_xid, scope, region, estate_id, versions -> -1 AS newest,
             (SELECT max((v ->> 'version')::int) FROM jsonb_array_elements(versions) v
              WHERE (v ->> 'valid_from')::timestamptz <= $8) AS in_force, written_at, changed_at
         FROM clock_policy WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($7))",
        at = "written_at",
        id = "policy_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<PolicyLine> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(actor.estates.as_deref().map(uuids))
        .bind(now)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &PolicyLine| Key { at: row.written_at, id: row.policy_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// The estates of a region, or all.
///
/// # Errors
/// When the database is away.
pub async fn estates_of(tx: &mut Tx, region: Option<&str>) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar(
        "SELECT estate_id FROM estate WHERE tenant_id = $1 AND ($2::text IS NULL OR region = $2) ORDER BY estate_id",
    )
    .bind(tx.tenant().get())
    .bind(region)
    .fetch_all(tx.conn())
    .await?)
}

/// A post as lists show it.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct PostLine {
    pub post_id: Uuid,
    pub version: i32,
    pub changed_xid: i64,
    pub level: String,
    pub estate_id: Option<Uuid>,
    pub department: String,
    pub region: String,
    pub account: Option<String>,
    pub since: DateTime<Utc>,
    pub written_at: DateTime<Utc>,
}

/// One page of the posts that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn posts(tx: &mut Tx, actor: &Actor, estate: Option<EstateId>, page: PageRequest) -> Result<Page<PostLine>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT post_id, version, changed_xid, level, estate_id, department, region, account, since, written_at FROM post
         WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR estate_id = $8)",
        at = "written_at",
        id = "post_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<PostLine> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(actor.estates.as_deref().map(uuids))
        .bind(estate.map(EstateId::get))
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &PostLine| Key { at: row.written_at, id: row.post_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// An absence as lists show it.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct AbsenceLine {
    pub absence_id: Uuid,
    pub version: i32,
    pub changed_xid: i64,
    pub account: String,
    pub cover: String,
    pub from_at: DateTime<Utc>,
    pub to_at: DateTime<Utc>,
}

/// One page of the absences of the actor and of people who work for an estate that the actor sees.
///
/// * `at`: only those that last at that instant.
///
/// # Errors
/// When the database is away.
pub async fn absences(
    tx: &mut Tx,
    actor: &Actor,
    account: Option<&str>,
    at: Option<DateTime<Utc>>,
    page: PageRequest,
) -> Result<Page<AbsenceLine>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT absence_id, version, changed_xid, account, cover, from_at, to_at FROM absence
         WHERE tenant_id = $1 AND ($8::text IS NULL OR account = $8)
             AND ($9::timestamptz IS NULL OR (from_at <= $9 AND to_at > $9))
             AND ($7::uuid[] IS NULL OR account = $10
                  OR EXISTS (SELECT FROM staff WHERE staff.tenant_id = $1 AND staff.account = absence.account
                             AND (staff.estate_ids IS NULL OR staff.estate_ids && $7)))",
        at = "from_at",
        id = "absence_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<AbsenceLine> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(actor.estates.as_deref().map(uuids))
        .bind(account.map(str::to_owned))
        .bind(at)
        .bind(actor.id.as_str().to_owned())
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &AbsenceLine| Key { at: row.from_at, id: row.absence_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// Makes whoever writes absences of one person take turns until the transaction ends: two at once could overlap.
///
/// # Errors
/// [`Error::Busy`] when another one does not end in time.
pub async fn take_turns(tx: &mut Tx, account: &str) -> Result<()> {
    let name = format!("absence {} {account}", tx.tenant());
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(name).execute(tx.conn()).await?;
    Ok(())
}

/// Whether somebody is away at some time of a period, by another absence than this one.
///
/// # Errors
/// When the database is away.
pub async fn is_away(tx: &mut Tx, other_than: AbsenceId, away: &Away) -> Result<bool> {
    // One that was called off before it began lasts for no time.
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM absence WHERE tenant_id = $1 AND account = $2 AND from_at < $4 AND to_at > $3
                        AND to_at > from_at AND absence_id <> $5)",
    )
    .bind(tx.tenant().get())
    .bind(&away.account)
    .bind(away.from)
    .bind(away.to)
    .bind(other_than.get())
    .fetch_one(tx.conn())
    .await?)
}

/// Where the person with that account works, by the register; none when it has nobody with it. Who works in all estates has none listed.
///
/// # Errors
/// When the database is away.
pub async fn served_by(tx: &mut Tx, account: &str) -> Result<Option<Served>> {
    let rows: Vec<Option<Vec<Uuid>>> = sqlx::query_scalar(
        "SELECT estate_ids FROM staff WHERE tenant_id = $1 AND account = $2 AND account <> '' AND NOT has_left",
    )
    .bind(tx.tenant().get())
    .bind(account)
    .fetch_all(tx.conn())
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let listed: Option<Vec<Vec<Uuid>>> = rows.into_iter().collect();
    let served = |lists: Vec<Vec<Uuid>>| Served::Some(lists.into_iter().flatten().map(EstateId::from).collect());
    Ok(Some(listed.map_or(Served::All, served)))
}

/// Whether the register has an estate in that region.
///
/// # Errors
/// When the database is away.
pub async fn has_region(tx: &mut Tx, region: &str) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM estate WHERE tenant_id = $1 AND region = $2)")
        .bind(tx.tenant().get())
        .bind(region)
        .fetch_one(tx.conn())
        .await?)
}

/// The absences that last, or lie ahead, for which somebody covers: from when until when.
///
/// # Errors
/// When the database is away.
pub async fn covered_by(tx: &mut Tx, account: &str, now: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    Ok(sqlx::query_as(
        "SELECT from_at, to_at FROM absence WHERE tenant_id = $1 AND cover = $2 AND to_at > $3 ORDER BY from_at, to_at",
    )
    .bind(tx.tenant().get())
    .bind(account)
    .bind(now)
    .fetch_all(tx.conn())
    .await?)
}

/// The posts that somebody holds: level, and of which estate.
///
/// # Errors
/// When the database is away.
pub async fn posts_of(tx: &mut Tx, account: &str) -> Result<Vec<(String, Option<EstateId>)>> {
    let rows: Vec<(String, Option<Uuid>)> = sqlx::query_as(
        "SELECT level, estate_id FROM post WHERE tenant_id = $1 AND account = $2 ORDER BY level, estate_id",
    )
    .bind(tx.tenant().get())
    .bind(account)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|(level, estate)| (level, estate.map(EstateId::from))).collect())
}
