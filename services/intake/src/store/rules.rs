//! What decides about time and responsibility, read as a whole.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, types::Json};
use steward_chassis::{Result, db::Tx};
use steward_clock::Arrangement;
use uuid::Uuid;

use crate::domain::rulebook::{CalendarVersion, PolicyVersion};

/// A calendar with all its versions.
#[derive(Debug, FromRow)]
pub struct CalendarRow {
    /// Its id.
    pub calendar_id: Uuid,
    /// Its code.
    pub code: String,
    /// Its versions, oldest first.
    pub versions: Json<Vec<CalendarVersion>>,
}

/// The policy of a scope with all its versions.
#[derive(Debug, FromRow)]
pub struct PolicyRow {
    /// Its id.
    pub policy_id: Uuid,
    /// `company`, `region` or `estate`.
    pub scope: String,
    /// The region, '' = none.
    pub region: String,
    /// The estate.
    pub estate_id: Option<Uuid>,
    /// Its versions, oldest first.
    pub versions: Json<Vec<PolicyVersion>>,
}

/// A post that somebody holds.
#[derive(Debug, FromRow)]
pub struct PostRow {
    /// Its level.
    pub level: String,
    /// Of which estate.
    pub estate_id: Option<Uuid>,
    /// Of which department, '' = of all.
    pub department: String,
    /// Of which region, '' = of none.
    pub region: String,
    /// Who holds it.
    pub account: String,
}

/// Somebody is away.
#[derive(Debug, FromRow)]
pub struct AbsenceRow {
    /// Who.
    pub account: String,
    /// Who acts for them.
    pub cover: String,
    /// From when.
    pub from_at: DateTime<Utc>,
    /// Until when.
    pub to_at: DateTime<Utc>,
}

/// Somebody of the register with an account.
#[derive(Debug, FromRow)]
pub struct PersonRow {
    /// Subject of their tokens.
    pub account: String,
    /// Their post in the register.
    pub role: String,
    /// Their department.
    pub department: String,
    /// The estates they work for; none = all.
    pub estate_ids: Option<Vec<Uuid>>,
}

/// An estate, as far as rules depend on it.
#[derive(Debug, FromRow)]
pub struct EstateRow {
    /// Its id.
    pub estate_id: Uuid,
    /// Its region.
    pub region: String,
    /// Its time zone.
    pub time_zone: String,
}

/// Everything that decides about time and responsibility in a company.
#[derive(Debug)]
pub struct Everything {
    /// Its calendars.
    pub calendars: Vec<CalendarRow>,
    /// The arrangements of public holidays it loaded, in the order of loading.
    pub holidays: Vec<Arrangement>,
    /// Its policies.
    pub policies: Vec<PolicyRow>,
    /// Its posts.
    pub posts: Vec<PostRow>,
    /// Who is away, now or later.
    pub absences: Vec<AbsenceRow>,
    /// Its people, by code.
    pub people: Vec<PersonRow>,
    /// Its estates.
    pub estates: Vec<EstateRow>,
}

/// Stamps of the last change of each of them, and whether they are final: then the same stamps are the same rules. Transactions commit in another
/// order than they begin; so they are final only when all older ones have ended. Each is the end of an index.
///
/// # Errors
/// When the database is away.
pub async fn stamps(tx: &mut Tx) -> Result<(Vec<Option<i64>>, bool)> {
    let (stamps, oldest): (Vec<Option<i64>>, i64) = sqlx::query_as(
        "SELECT ARRAY[
             (SELECT max(changed_xid) FROM calendar WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM public_holidays WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM clock_policy WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM post WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM absence WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM staff WHERE tenant_id = $1),
             (SELECT max(changed_xid) FROM estate WHERE tenant_id = $1)],
             pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    )
    .bind(tx.tenant().get())
    .fetch_one(tx.conn())
    .await?;
    let is_final = stamps.iter().flatten().all(|stamp| *stamp < oldest);
    Ok((stamps, is_final))
}

/// Reads everything, but for absences that have been over for a day.
///
/// # Errors
/// When the database is away.
pub async fn everything(tx: &mut Tx, now: DateTime<Utc>) -> Result<Everything> {
    let tenant = tx.tenant().get();
    let holidays: Vec<Json<Arrangement>> =
        sqlx::query_scalar("SELECT arrangement FROM public_holidays WHERE tenant_id = $1 ORDER BY number")
            .bind(tenant)
            .fetch_all(tx.conn())
            .await?;
    Ok(Everything {
        calendars: sqlx::query_as("SELECT calendar_id, code, versions FROM calendar WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_all(tx.conn())
            .await?,
        holidays: holidays.into_iter().map(|row| row.0).collect(),
        policies: sqlx::query_as("SELECT policy_id, scope, region, estate_id, versions FROM clock_policy WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_all(tx.conn())
            .await?,
        posts: sqlx::query_as(
            // Who has left, or does not work there any more, holds it no longer, whatever stands there.
            "SELECT level, estate_id, department, region, account FROM post p WHERE tenant_id = $1 AND account IS NOT NULL
             AND (NOT EXISTS (SELECT FROM staff s WHERE s.tenant_id = $1 AND s.account = p.account)
                  OR EXISTS (SELECT FROM staff s WHERE s.tenant_id = $1 AND s.account = p.account AND NOT s.has_left
                             AND (s.estate_ids IS NULL OR p.estate_id IS NULL OR p.estate_id = ANY(s.estate_ids))))",
        )
        .bind(tenant)
        .fetch_all(tx.conn())
        .await?,
        absences: sqlx::query_as(
            "SELECT account, cover, from_at, to_at FROM absence a WHERE tenant_id = $1 AND to_at > $2
             AND NOT (EXISTS (SELECT FROM staff s WHERE s.tenant_id = $1 AND s.account = a.cover)
                      AND NOT EXISTS (SELECT FROM staff s WHERE s.tenant_id = $1 AND s.account = a.cover AND NOT s.has_left))",
        )
            .bind(tenant)
            .bind(now - TimeDelta::days(1))
            .fetch_all(tx.conn())
            .await?,
        people: sqlx::query_as(
            "SELECT account, role, department, estate_ids FROM staff WHERE tenant_id = $1 AND account <> '' AND NOT has_left
             ORDER BY code",
        )
        .bind(tenant)
        .fetch_all(tx.conn())
        .await?,
        estates: sqlx::query_as("SELECT estate_id, region, time_zone FROM estate WHERE tenant_id = $1")
            .bind(tenant)
            .fetch_all(tx.conn())
            .await?,
    })
}
