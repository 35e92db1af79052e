//! Cases that are over, and the alerts that are kept back because of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{Error, Result, db::Tx};
use steward_kernel::{ActorId, ids::CaseId, vocabulary::CaseStatus};
use uuid::Uuid;

use super::{alerts::Settled, json};
use crate::domain::{AlertCause, Matter};

/// How and when a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How.
    pub status: CaseStatus,
    /// When.
    pub at: DateTime<Utc>,
}

/// The end of a case; none: somebody works on it, or nothing is known of its end.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn end_of(tx: &mut Tx, case: CaseId) -> Result<Option<End>> {
    let row: Option<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT status, ended_at FROM ended_case WHERE tenant_id = $1 AND case_id = $2")
            .bind(tx.tenant().get())
            .bind(case.get())
            .fetch_optional(tx.conn())
            .await?;
    Ok(row.and_then(|(status, at)| Some(End { status: CaseStatus::parse(&status)?, at })))
}

/// Writes down that a case is over. The first word of it stands: what comes late is no other end.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn note_end(tx: &mut Tx, case: CaseId, end: End) -> Result<()> {
    sqlx::query(
        "INSERT INTO ended_case (tenant_id, case_id, status, ended_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().get())
    .bind(case.get())
    .bind(end.status.as_str())
    .bind(end.at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An alert that was kept back.
#[derive(Debug, Clone)]
pub struct KeptAlert {
    /// The public event that is the reason.
    pub event: Uuid,
    /// Why somebody is told.
    pub cause: AlertCause,
    /// Who.
    pub accounts: BTreeSet<ActorId>,
    /// What it is about.
    pub matter: Matter,
}

/// Keeps an alert back.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn keep_alert(tx: &mut Tx, case: CaseId, kept: &KeptAlert) -> Result<()> {
    let KeptAlert { event, cause, accounts, matter } = kept;
    let ends_with: Vec<Uuid> = [matter.escalation, matter.clock, matter.task].into_iter().flatten().collect();
    sqlx::query(
        "INSERT INTO kept_alert (tenant_id, event_id, case_id, cause, accounts, matter, ends_with, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().get())
    .bind(event)
    .bind(case.get())
    .bind(cause.as_str())
    .bind(accounts.iter().map(ActorId::as_str).collect::<Vec<_>>())
    .bind(json(matter)?)
    .bind(ends_with)
    .bind(matter.happened_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What is settled before it was told needs nobody.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn drop_kept(tx: &mut Tx, case: CaseId, settled: &Settled) -> Result<()> {
    let ids = match settled {
        Settled::Ladder { escalations, clock } => escalations.iter().copied().chain(*clock).collect(),
        Settled::Task(id) => vec![*id],
        // Nobody is told of a case that is over; an offer is told by its task.
        Settled::Case | Settled::Offer(_) => return Ok(()),
    };
    sqlx::query("DELETE FROM kept_alert WHERE tenant_id = $1 AND case_id = $2 AND ends_with && $3")
        .bind(tx.tenant().get())
        .bind(case.get())
        .bind(ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}

#[derive(Debug, FromRow)]
struct KeptRow {
    event_id: Uuid,
    cause: String,
    accounts: Vec<String>,
    matter: serde_json::Value,
    happened_at: DateTime<Utc>,
}

/// Writes down that a case is not over, or not any more; the alerts that were kept back and belong to the time after the end.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn take_up(tx: &mut Tx, case: CaseId) -> Result<Vec<KeptAlert>> {
    let ended_at: Option<DateTime<Utc>> =
        sqlx::query_scalar("DELETE FROM ended_case WHERE tenant_id = $1 AND case_id = $2 RETURNING ended_at")
            .bind(tx.tenant().get())
            .bind(case.get())
            .fetch_optional(tx.conn())
            .await?;
    let Some(ended_at) = ended_at else { return Ok(Vec::new()) };
    let mut rows: Vec<KeptRow> = sqlx::query_as(
        "DELETE FROM kept_alert WHERE tenant_id = $1 AND case_id = $2
         RETURNING event_id, cause, accounts, matter, happened_at",
    )
    .bind(tx.tenant().get())
    .bind(case.get())
    .fetch_all(tx.conn())
    .await?;
    rows.retain(|row| row.happened_at > ended_at);
    rows.sort_unstable_by_key(|row| (row.happened_at, row.event_id));
    let read = |row: KeptRow| {
        Ok(KeptAlert {
            event: row.event_id,
            cause: AlertCause::parse(&row.cause).unwrap_or(AlertCause::Other),
            accounts: row.accounts.into_iter().map(ActorId::new).collect(),
            matter: serde_json::from_value(row.matter).map_err(|fault| Error::internal("reading a row", fault))?,
        })
    };
    rows.into_iter().map(read).collect()
}
