//! All SQL of the service.

mod complaints;
mod imports;
mod orders;
mod requests;
mod roster;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use steward_chassis::{Error, Result, db::Tx, http::page::Key};
use steward_kernel::{
    Actor, Version,
    day::{HOME, zone},
    ids::EstateId,
};
use uuid::Uuid;

pub(crate) use complaints::{
    case_of_remedy, has_ended, is_ordered, priority_of_complaint, remember_calling_off, remember_end,
    remember_priority, remember_return,
};
pub(crate) use imports::{
    departments, shifts_ahead, shifts_of_days, technicians, write_department, write_shifts, write_technician,
};
pub(crate) use orders::{
    OrderFilter, accounts_of_files, list_orders, open_orders_of, open_orders_with, orders_held_by, orders_that_miss,
    stored_of,
};
pub(crate) use requests::{RequestFilter, is_accountable, list_requests, remember_accountable};
pub(crate) use roster::{
    DepartmentFilter, KnownEstate, ShiftFilter, TechnicianFilter, crews, estates, estates_by_code, find_department,
    find_technician, list_departments, list_shifts, list_technicians, technician_of_account,
};

/// An aggregate as its row has it, with its version.
#[derive(Debug, Clone)]
pub(crate) struct Listed<A> {
    /// The aggregate.
    pub state: A,
    /// Its version.
    pub version: Version,
    /// When it last changed.
    pub changed_at: DateTime<Utc>,
}

/// What every list of aggregates reads.
#[derive(Debug, sqlx::FromRow)]
struct StateRow<A: Send + Unpin + 'static>
where
    for<'de> A: serde::Deserialize<'de>,
{
    id: Uuid,
    at: DateTime<Utc>,
    version: i32,
    changed_at: DateTime<Utc>,
    changed_xid: i64,
    state: sqlx::types::Json<A>,
}

impl<A: Send + Unpin + 'static> StateRow<A>
where
    for<'de> A: serde::Deserialize<'de>,
{
    fn key(&self) -> Key {
        Key { at: self.at, id: self.id, changed_xid: self.changed_xid }
    }

    fn listed(self) -> Listed<A> {
        Listed { state: self.state.0, version: Version(self.version), changed_at: self.changed_at }
    }
}

/// The estates to which a member of staff is limited; none = all.
fn estates_of(actor: &Actor) -> Option<Vec<Uuid>> {
    actor.estates.as_ref().map(|estates| estates.iter().map(|estate| estate.get()).collect())
}

/// The resident to whom an owner is limited; nobody's when the token names none.
fn resident_of(actor: &Actor) -> Option<Uuid> {
    actor.is_only_owner().then(|| actor.resident.map_or(Uuid::nil(), steward_kernel::ids::ResidentId::get))
}

/// A row that was written by us and cannot be read any more.
#[track_caller]
fn corrupt<E: std::error::Error + Send + Sync + 'static>(fault: E) -> Error {
    Error::internal("reading the roster", fault)
}

/// What intake says of an estate.
#[derive(Debug, Clone)]
pub(crate) struct HeardEstate {
    /// Which.
    pub estate_id: Uuid,
    /// Its code in the register.
    pub code: String,
    /// Its name.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
}

/// The time zone of an estate.
///
/// # Errors
/// When the database is away.
pub(crate) async fn zone_of(tx: &mut Tx, estate_id: EstateId) -> Result<Tz> {
    let name: Option<String> =
        sqlx::query_scalar("SELECT time_zone FROM estate WHERE tenant_id = $1 AND estate_id = $2")
            .bind(tx.tenant().get())
            .bind(estate_id.get())
            .fetch_optional(tx.conn())
            .await?;
    Ok(name.map_or(HOME, |name| zone(&name)))
}

/// Remembers an estate of intake's register; the newest word stands.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_estate(tx: &mut Tx, estate: &HeardEstate, registered_at: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO estate (tenant_id, estate_id, code, name, registered_at, time_zone)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, estate_id) DO UPDATE
         SET code = excluded.code, name = excluded.name, registered_at = excluded.registered_at,
             time_zone = excluded.time_zone
         WHERE estate.registered_at <= excluded.registered_at",
    )
    .bind(tenant.get())
    .bind(estate.estate_id)
    .bind(&estate.code)
    .bind(&estate.name)
    .bind(registered_at)
    .bind(&estate.time_zone)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers that intake has a file.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_file(tx: &mut Tx, file_id: Uuid, account: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query("INSERT INTO stored_file (tenant_id, file_id, account) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(tenant.get())
        .bind(file_id)
        .bind(account)
        .execute(tx.conn())
        .await?;
    Ok(())
}
