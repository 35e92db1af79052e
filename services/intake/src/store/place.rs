//! What the opening of cases and visits asks of the register.

use chrono::NaiveDate;
use sqlx::FromRow;
use steward_chassis::{Result, db::Tx};
use steward_kernel::ids::{EstateId, ResidentId, UnitId};
use uuid::Uuid;

use crate::domain::home::Home;

/// An estate with all its units and the residents tied to them.
#[derive(Debug, FromRow)]
pub(crate) struct EstateRow {
    /// IANA name.
    pub(crate) time_zone: String,
    /// Ids of its units.
    pub(crate) units: Vec<Uuid>,
    /// Ids of the residents tied to them.
    pub(crate) residents: Vec<Uuid>,
}

/// An estate with all its units and residents; `None` when it is not in the register.
///
/// # Errors
/// When the database is away.
pub(crate) async fn estate(tx: &mut Tx, estate: EstateId) -> Result<Option<EstateRow>> {
    let row = sqlx::query_as(
        "SELECT e.time_zone, array(SELECT unit_id FROM unit WHERE tenant_id = $1 AND estate_id = $2) AS units,
             array(SELECT DISTINCT resident_id FROM resident_unit WHERE tenant_id = $1 AND estate_id = $2) AS residents
         FROM estate e WHERE e.tenant_id = $1 AND e.estate_id = $2",
    )
    .bind(tx.tenant().get())
    .bind(estate.get())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row)
}

/// Whether the estate has that unit.
///
/// # Errors
/// When the database is away.
pub(crate) async fn has_unit(tx: &mut Tx, estate: EstateId, unit: UnitId) -> Result<bool> {
    let found =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM unit WHERE tenant_id = $1 AND unit_id = $2 AND estate_id = $3)")
            .bind(tx.tenant().get())
            .bind(unit.get())
            .bind(estate.get())
            .fetch_one(tx.conn())
            .await?;
    Ok(found)
}

/// Whether the register has that resident.
///
/// # Errors
/// When the database is away.
pub(crate) async fn has_resident(tx: &mut Tx, resident: ResidentId) -> Result<bool> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM resident WHERE tenant_id = $1 AND resident_id = $2)")
        .bind(tx.tenant().get())
        .bind(resident.get())
        .fetch_one(tx.conn())
        .await?;
    Ok(found)
}

/// The ties of a resident, to any unit, begun or not.
///
/// # Errors
/// When the database is away.
pub(crate) async fn homes(tx: &mut Tx, resident: ResidentId) -> Result<Vec<Home>> {
    let rows: Vec<(Uuid, Uuid, Option<NaiveDate>, Option<NaiveDate>)> = sqlx::query_as(
        "SELECT unit_id, estate_id, since_on, until_on FROM resident_unit WHERE tenant_id = $1 AND resident_id = $2",
    )
    .bind(tx.tenant().get())
    .bind(resident.get())
    .fetch_all(tx.conn())
    .await?;
    let home = |(unit, estate, since_on, until_on): (Uuid, Uuid, _, _)| Home {
        unit: unit.into(),
        estate: estate.into(),
        since_on,
        until_on,
    };
    Ok(rows.into_iter().map(home).collect())
}
