//! All SQL of the service.

mod imports;
mod orders;
mod requests;
mod roster;

use chrono::{DateTime, Utc};
use steward_chassis::{Error, Result, db::Tx, http::page::Key};
use steward_kernel::{Actor, Version};
use uuid::Uuid;

pub(crate) use imports::{departments, shifts_of_days, technicians, write_department, write_shifts, write_technician};
pub(crate) use orders::{
    OrderFilter, case_of_remedy, list_orders, open_orders_of, priority_of_complaint, remember_priority, stored_among,
};
pub(crate) use requests::{RequestFilter, list_requests};
pub(crate) use roster::{
    DepartmentFilter, ShiftFilter, TechnicianFilter, crews, estates, estates_by_code, find_department, find_technician,
    list_departments, list_shifts, list_technicians, technician_of_account,
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

/// Remembers an estate of intake's register; the newest word stands.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_estate(
    tx: &mut Tx,
    estate_id: Uuid,
    code: &str,
    name: &str,
    registered_at: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO estate (tenant_id, estate_id, code, name, registered_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, estate_id) DO UPDATE
         SET code = excluded.code, name = excluded.name, registered_at = excluded.registered_at
         WHERE estate.registered_at <= excluded.registered_at",
    )
    .bind(tenant.get())
    .bind(estate_id)
    .bind(code)
    .bind(name)
    .bind(registered_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers that intake has a file.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_file(tx: &mut Tx, file_id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query("INSERT INTO stored_file (tenant_id, file_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(tenant.get())
        .bind(file_id)
        .execute(tx.conn())
        .await?;
    Ok(())
}
