//! Estates and their units.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Error, Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Recorded,
    ids::{EstateId, UnitId},
    message::{Outgoing, TimerChange},
    page::Page,
    text::Text,
};
use uuid::Uuid;

use super::list::{listed, statements};
use crate::{
    domain::{
        estate::{Counts, Estate, Event, Particulars},
        register::{KnownUnits, UnitChange, UnitDetails, UnitPlace},
    },
    publish,
};

impl Stored for Estate {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(particulars)) = (events.last(), &self.particulars) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO estate (tenant_id, estate_id, version, changed_xid, code, name, region, time_zone,
                                 buildings, units, households, registered_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant_id, estate_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, name = excluded.name,
                 region = excluded.region, time_zone = excluded.time_zone, buildings = excluded.buildings,
                 units = excluded.units, households = excluded.households",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(particulars.code.as_str())
        .bind(particulars.name.as_str())
        .bind(particulars.region.as_str())
        .bind(&particulars.time_zone)
        .bind(self.counts.buildings)
        .bind(self.counts.units)
        .bind(self.counts.households)
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::estate(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Makes imports of one company take turns until the transaction ends.
///
/// # Errors
/// [`Error::Busy`] when another import does not end in time.
pub async fn take_turns(tx: &mut Tx) -> Result<()> {
    let name = format!("register {}", tx.tenant());
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(name).execute(tx.conn()).await?;
    Ok(())
}

/// The estates with these codes.
///
/// # Errors
/// When the database is away, or a row cannot be read.
pub async fn estates_by_code(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, (EstateId, Particulars)>> {
    let rows: Vec<(Uuid, String, String, String, String)> = sqlx::query_as(
        "SELECT estate_id, code, name, region, time_zone FROM estate WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|(id, code, name, region, time_zone)| {
            let particulars = Particulars { code: text(&code)?, name: text(&name)?, region: text(&region)?, time_zone };
            Ok((code, (id.into(), particulars)))
        })
        .collect()
}

/// A text that was checked when it was written.
pub(super) fn text<const MAX: usize>(raw: &str) -> Result<Text<MAX>> {
    Text::try_new(raw).map_err(|fault| Error::internal("a text of the register", fault))
}

/// All units of these estates.
///
/// # Errors
/// When the database is away.
pub async fn units_of(tx: &mut Tx, estates: &[EstateId]) -> Result<KnownUnits<(UnitId, UnitDetails)>> {
    let rows: Vec<UnitRow> = sqlx::query_as(
        "SELECT unit_id, changed_xid, estate_id, building, entrance, unit, floor, area_m2, registered_at
         FROM unit WHERE tenant_id = $1 AND estate_id = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(uuids(estates))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let place = UnitPlace { building: row.building, entrance: row.entrance, unit: row.unit };
            ((row.estate_id, place), (row.unit_id, UnitDetails { floor: row.floor, area_m2: row.area_m2 }))
        })
        .collect())
}

/// Writes new and changed units in one statement.
///
/// # Errors
/// When the database is away.
pub async fn write_units(tx: &mut Tx, units: &[UnitChange], now: DateTime<Utc>) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO unit (tenant_id, changed_xid, registered_at, unit_id, estate_id, building, entrance, unit,
                           floor, area_m2)
         SELECT $1, pg_current_xact_id()::text::bigint, $2, u.*
         FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::double precision[]) AS u
         ON CONFLICT (tenant_id, unit_id) DO UPDATE
         SET changed_xid = excluded.changed_xid, floor = excluded.floor, area_m2 = excluded.area_m2",
    )
    .bind(tx.tenant().get())
    .bind(now)
    .bind(units.iter().map(|unit| unit.unit.get()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.estate.get()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.place.building.as_str()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.place.entrance.as_str()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.place.unit.as_str()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.details.floor.as_str()).collect::<Vec<_>>())
    .bind(units.iter().map(|unit| unit.details.area_m2).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How large these estates are on their day of this instant; one without units is left out. Who has moved out or not yet in does not count.
///
/// # Errors
/// When the database is away.
pub async fn counts(tx: &mut Tx, estates: &[EstateId], now: DateTime<Utc>) -> Result<Vec<(EstateId, Counts)>> {
    let rows: Vec<(Uuid, i32, i32, i32)> = sqlx::query_as(
        "SELECT u.estate_id, count(DISTINCT u.building)::int, count(*)::int, count(lived_in.unit_id)::int
         FROM unit u
         LEFT JOIN (SELECT DISTINCT t.unit_id FROM resident_unit t
                    JOIN estate e ON e.tenant_id = $1 AND e.estate_id = t.estate_id
                    WHERE t.tenant_id = $1 AND t.estate_id = ANY($2)
                      AND (t.since_on IS NULL OR t.since_on <= ($3 AT TIME ZONE e.time_zone)::date)
                      AND (t.until_on IS NULL OR t.until_on >= ($3 AT TIME ZONE e.time_zone)::date)) lived_in
                ON lived_in.unit_id = u.unit_id
         WHERE u.tenant_id = $1 AND u.estate_id = ANY($2)
         GROUP BY u.estate_id",
    )
    .bind(tx.tenant().get())
    .bind(uuids(estates))
    .bind(now)
    .fetch_all(tx.conn())
    .await?;
    let counted = |(id, buildings, units, households): (Uuid, i32, i32, i32)| {
        (id.into(), Counts { buildings, units, households })
    };
    Ok(rows.into_iter().map(counted).collect())
}

pub(super) fn uuids<I: Copy + Into<Uuid>>(ids: &[I]) -> Vec<Uuid> {
    ids.iter().map(|id| (*id).into()).collect()
}

/// An estate as lists show it.
#[derive(Debug, Clone, FromRow)]
pub struct EstateRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub estate_id: EstateId,
    /// Version of the aggregate.
    pub version: i32,
    changed_xid: i64,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Buildings with at least one unit.
    pub buildings: i32,
    /// Units.
    pub units: i32,
    /// Units with at least one resident.
    pub households: i32,
    registered_at: DateTime<Utc>,
}

/// One page of estates, newest first.
///
/// * `visible`: the estates that the caller may see; `None` = all.
///
/// # Errors
/// When the database is away.
pub async fn list_estates(tx: &mut Tx, visible: Option<&[EstateId]>, page: PageRequest) -> Result<Page<EstateRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT estate_id, version, changed_xid, code, name, region, time_zone, buildings, units, households,
                registered_at
         FROM estate WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))",
        at = "registered_at",
        id = "estate_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<EstateRow> =
        listed(STATEMENTS, tx.tenant(), &page, horizon).bind(visible.map(uuids)).fetch_all(tx.conn()).await?;
    let key = |row: &EstateRow| Key { at: row.registered_at, id: row.estate_id.get(), changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// One estate; `None` when it is not in the register.
///
/// # Errors
/// When the database is away.
pub async fn find_estate(tx: &mut Tx, estate: EstateId) -> Result<Option<EstateRow>> {
    let row = sqlx::query_as(
        "SELECT estate_id, version, changed_xid, code, name, region, time_zone, buildings, units, households,
                registered_at
         FROM estate WHERE tenant_id = $1 AND estate_id = $2",
    )
    .bind(tx.tenant().get())
    .bind(estate.get())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row)
}

/// A unit as lists show it.
#[derive(Debug, Clone, FromRow)]
pub struct UnitRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub unit_id: UnitId,
    changed_xid: i64,
    /// Its estate.
    #[sqlx(try_from = "Uuid")]
    pub estate_id: EstateId,
    /// Its building.
    pub building: String,
    /// Its entrance; empty when the building has one.
    pub entrance: String,
    /// Its number.
    pub unit: String,
    /// Its floor; empty when not known.
    pub floor: String,
    /// Its area in square metres.
    pub area_m2: Option<f64>,
    registered_at: DateTime<Utc>,
}

/// One page of an estate's units, newest first.
///
/// # Errors
/// When the database is away.
pub async fn list_units(
    tx: &mut Tx,
    estate: EstateId,
    building: Option<&str>,
    page: PageRequest,
) -> Result<Page<UnitRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT unit_id, changed_xid, estate_id, building, entrance, unit, floor, area_m2, registered_at
         FROM unit WHERE tenant_id = $1 AND estate_id = $7 AND ($8::text IS NULL OR building = $8)",
        at = "registered_at",
        id = "unit_id"
    );
    let horizon = page.horizon(tx).await?;
    let query = listed(STATEMENTS, tx.tenant(), &page, horizon).bind(estate.get()).bind(building.map(str::to_owned));
    let rows: Vec<UnitRow> = query.fetch_all(tx.conn()).await?;
    let key = |row: &UnitRow| Key { at: row.registered_at, id: row.unit_id.get(), changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}
