//! What dispatch remembers of complaints, whose own service it is not: how urgent they are, and whether they have ended.

use chrono::{DateTime, Utc};
use steward_chassis::{Error, Result, db::Tx};
use steward_kernel::{ids::CaseId, vocabulary::Priority};

use crate::domain::{
    RemedyId,
    order::{Job, WorkOrder},
};

/// The job of the newest work order of a case that carries out a remedy: what dispatch knows of a complaint.
///
/// # Errors
/// When the database is away.
pub(crate) async fn case_of_remedy(tx: &mut Tx, case_id: CaseId) -> Result<Option<Job>> {
    let tenant = tx.tenant();
    let state: Option<sqlx::types::Json<WorkOrder>> = sqlx::query_scalar(
        "SELECT state FROM work_order WHERE tenant_id = $1 AND case_id = $2 AND remedy_id IS NOT NULL
         ORDER BY opened_at DESC, work_order_id DESC LIMIT 1",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .fetch_optional(tx.conn())
    .await?;
    Ok(state.and_then(|state| state.0.job))
}

/// Whether a work order was made of a remedy, whatever became of it.
///
/// # Errors
/// When the database is away.
pub(crate) async fn is_ordered(tx: &mut Tx, case_id: CaseId, remedy_id: RemedyId) -> Result<bool> {
    let tenant = tx.tenant();
    let is = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM work_order WHERE tenant_id = $1 AND case_id = $2 AND remedy_id = $3)",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(remedy_id.get())
    .fetch_one(tx.conn())
    .await?;
    Ok(is)
}

/// Remembers how urgent intake finds a complaint; the last word stands.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_priority(tx: &mut Tx, case_id: CaseId, priority: Priority) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO complaint_priority (tenant_id, case_id, priority) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET priority = excluded.priority",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(priority.as_str())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How urgent a complaint is: what we remember of it, else what is `said` now.
///
/// The row stays locked, so that intake's next word waits until the work order that takes this priority is there to be
/// found.
///
/// # Errors
/// When the database is away.
pub(crate) async fn priority_of_complaint(tx: &mut Tx, case_id: CaseId, said: Priority) -> Result<Priority> {
    let tenant = tx.tenant();
    let word: String = sqlx::query_scalar(
        "INSERT INTO complaint_priority (tenant_id, case_id, priority) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET priority = complaint_priority.priority RETURNING priority",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(said.as_str())
    .fetch_one(tx.conn())
    .await?;
    Priority::parse(&word).ok_or_else(|| Error::internal("complaint_priority", "not a priority"))
}

/// Remembers that a complaint has ended.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_end(tx: &mut Tx, case_id: CaseId) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO complaint_end (tenant_id, case_id, over) VALUES ($1, $2, true)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET over = true",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers that its owner has come back on a complaint.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_return(tx: &mut Tx, case_id: CaseId, at: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO complaint_end (tenant_id, case_id, over, came_back_at) VALUES ($1, $2, false, $3)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET over = false, came_back_at = excluded.came_back_at",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers that the case of a complaint was called off, unless its owner has come back on it since; whether it has ended.
///
/// Intake and complaint are heard independently of each other. In doubt the complaint goes on: its service tells when it does not.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_calling_off(tx: &mut Tx, case_id: CaseId, at: DateTime<Utc>) -> Result<bool> {
    let tenant = tx.tenant();
    let over = sqlx::query_scalar(
        "INSERT INTO complaint_end (tenant_id, case_id, over) VALUES ($1, $2, true)
         ON CONFLICT (tenant_id, case_id) DO UPDATE
         SET over = complaint_end.over OR complaint_end.came_back_at IS NULL OR complaint_end.came_back_at < $3
         RETURNING over",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(at)
    .fetch_one(tx.conn())
    .await?;
    Ok(over)
}

/// Whether a complaint has ended.
///
/// The row stays locked, so that word of its end waits until the work order that is opened meanwhile is there to be called off.
///
/// # Errors
/// When the database is away.
pub(crate) async fn has_ended(tx: &mut Tx, case_id: CaseId) -> Result<bool> {
    let tenant = tx.tenant();
    let over = sqlx::query_scalar(
        "INSERT INTO complaint_end (tenant_id, case_id, over) VALUES ($1, $2, false)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET over = complaint_end.over RETURNING over",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .fetch_one(tx.conn())
    .await?;
    Ok(over)
}
