//! What imports read and write: the roster by its codes. Reports of imports stand in the event log alone; nothing
//! lists them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use steward_chassis::{Error, Result, Stored, db, db::Tx};
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};

use super::roster::{DepartmentRow, ShiftRow, TechnicianRow, estates_into};
use crate::{
    domain::{
        TechnicianId,
        import::{Event, RosterImport},
        roster::{Department, Shift, Technician},
        told::{self, DepartmentEntry, RefusalEvent, RefusedRemedy},
    },
    publish,
};

impl Stored for RosterImport {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<Event>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// The register itself has the row; the log has what others are told.
impl Stored for DepartmentEntry {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<told::Event>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<told::Event>) -> Option<Outgoing> {
        Some(publish::of_department(self, event))
    }

    fn timers(&self, _event: &Recorded<told::Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Nothing lists them: the complaint has the remedy.
impl Stored for RefusedRemedy {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<RefusalEvent>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<RefusalEvent>) -> Option<Outgoing> {
        Some(publish::of_refused_remedy(self, event))
    }

    fn timers(&self, _event: &Recorded<RefusalEvent>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// All departments by their codes.
///
/// # Errors
/// When the database is away.
pub(crate) async fn departments(tx: &mut Tx) -> Result<BTreeMap<String, Department>> {
    let tenant = tx.tenant();
    let rows: Vec<DepartmentRow> = sqlx::query_as(
        "SELECT department_id, code, name, estate_ids, contractor, closed, version, created_at, changed_xid
         FROM department WHERE tenant_id = $1",
    )
    .bind(tenant.get())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(|row| Ok((row.code.clone(), row.kept()?.row))).collect()
}

/// All technicians by their codes.
///
/// # Errors
/// When the database is away.
pub(crate) async fn technicians(tx: &mut Tx) -> Result<BTreeMap<String, Technician>> {
    let tenant = tx.tenant();
    let rows: Vec<TechnicianRow> = sqlx::query_as(
        "SELECT technician_id, code, name, account, department, skills, estate_ids, has_left, version, created_at, changed_xid
         FROM technician WHERE tenant_id = $1",
    )
    .bind(tenant.get())
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(|row| Ok((row.code.clone(), row.kept()?.row))).collect()
}

/// The shifts of these technicians that start between two days, both included.
///
/// # Errors
/// When the database is away.
pub(crate) async fn shifts_of_days(
    tx: &mut Tx,
    technicians: &[TechnicianId],
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<Shift>> {
    let tenant = tx.tenant();
    let rows: Vec<ShiftRow> = sqlx::query_as(
        "SELECT shift_id, technician_id, starts_on, starts_at, ends_at, called_off, version, changed_xid FROM shift
         WHERE tenant_id = $1 AND technician_id = ANY($2) AND starts_on BETWEEN $3 AND $4",
    )
    .bind(tenant.get())
    .bind(technicians.iter().map(|id| id.get()).collect::<Vec<_>>())
    .bind(first)
    .bind(last)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.kept().row).collect())
}

/// The shifts of these technicians that have not begun.
///
/// # Errors
/// When the database is away.
pub(crate) async fn shifts_ahead(tx: &mut Tx, technicians: &[TechnicianId], now: DateTime<Utc>) -> Result<Vec<Shift>> {
    let tenant = tx.tenant();
    let rows: Vec<ShiftRow> = sqlx::query_as(
        "SELECT shift_id, technician_id, starts_on, starts_at, ends_at, called_off, version, changed_xid FROM shift
         WHERE tenant_id = $1 AND technician_id = ANY($2) AND starts_at > $3 AND NOT called_off",
    )
    .bind(tenant.get())
    .bind(technicians.iter().map(|id| id.get()).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.kept().row).collect())
}

/// Writes a department, new or changed.
///
/// # Errors
/// When the database is away.
pub(crate) async fn write_department(tx: &mut Tx, row: &Department, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    let written = sqlx::query(
        "INSERT INTO department (tenant_id, department_id, code, name, estate_ids, contractor, closed, version,
                                 created_at, changed_xid)
         VALUES ($1, $2, $3, $4, $5, $6, $8, 1, $7, pg_current_xact_id()::text::bigint)
         ON CONFLICT (tenant_id, department_id) DO UPDATE
         SET name = excluded.name, estate_ids = excluded.estate_ids, contractor = excluded.contractor,
             closed = excluded.closed, version = department.version + 1, changed_xid = excluded.changed_xid",
    )
    .bind(tenant.get())
    .bind(row.id.get())
    .bind(row.code.as_str())
    .bind(row.name.as_str())
    .bind(estates_into(&row.estates))
    .bind(row.contractor)
    .bind(now)
    .bind(row.closed)
    .execute(tx.conn())
    .await;
    // Somebody else has just imported the same code: begun again, it is a known one.
    db::on_constraint(written, "department_code_key", || Error::Busy)?;
    Ok(())
}

/// Writes a technician, new or changed.
///
/// # Errors
/// When the database is away.
pub(crate) async fn write_technician(tx: &mut Tx, row: &Technician, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    let written = sqlx::query(
        "INSERT INTO technician (tenant_id, technician_id, code, name, account, department, skills, estate_ids,
                                 has_left, version, created_at, changed_xid)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, 1, $9, pg_current_xact_id()::text::bigint)
         ON CONFLICT (tenant_id, technician_id) DO UPDATE
         SET name = excluded.name, account = excluded.account, department = excluded.department,
             skills = excluded.skills, estate_ids = excluded.estate_ids, has_left = excluded.has_left,
             version = technician.version + 1,
             changed_xid = excluded.changed_xid",
    )
    .bind(tenant.get())
    .bind(row.id.get())
    .bind(row.code.as_str())
    .bind(row.name.as_str())
    .bind(row.account.as_str())
    .bind(row.department.as_str())
    .bind(row.skills.iter().map(String::as_str).collect::<Vec<_>>())
    .bind(estates_into(&row.estates))
    .bind(now)
    .bind(row.left)
    .execute(tx.conn())
    .await;
    // Somebody else has just imported the same code: begun again, it is a known one.
    db::on_constraint(written, "technician_code_key", || Error::Busy)?;
    Ok(())
}

/// Writes shifts, new or changed, in one statement.
///
/// # Errors
/// When the database is away.
pub(crate) async fn write_shifts(tx: &mut Tx, rows: &[Shift]) -> Result<()> {
    let tenant = tx.tenant();
    let written = sqlx::query(
        "INSERT INTO shift (tenant_id, shift_id, technician_id, starts_on, starts_at, ends_at, called_off, version,
                            changed_xid)
         SELECT $1, shift_id, technician_id, starts_on, starts_at, ends_at, called_off, 1,
                pg_current_xact_id()::text::bigint
         FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::timestamptz[], $6::timestamptz[], $7::bool[])
              AS new (shift_id, technician_id, starts_on, starts_at, ends_at, called_off)
         ON CONFLICT (tenant_id, shift_id) DO UPDATE
         SET ends_at = excluded.ends_at, called_off = excluded.called_off, version = shift.version + 1,
             changed_xid = excluded.changed_xid",
    )
    .bind(tenant.get())
    .bind(rows.iter().map(|row| row.id.get()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.technician_id.get()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.on).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.starts_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.ends_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.called_off).collect::<Vec<_>>())
    .execute(tx.conn())
    .await;
    // Somebody else has just imported the same code: begun again, it is a known one.
    db::on_constraint(written, "shift_start_key", || Error::Busy)?;
    Ok(())
}
