//! Visits: the row that lists read, and the queue of an estate.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Actor, Recorded, Version,
    ids::{EstateId, ResidentId},
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{
    case::borders,
    list::{listed, statements},
};
use crate::{
    domain::visit::{Event, Visit, VisitStage},
    publish,
};

/// A visit as lists show it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct VisitRow {
    /// Which.
    pub visit_id: Uuid,
    /// Version of the aggregate.
    pub version: i32,
    #[sqlx(default)]
    changed_xid: i64,
    /// Where.
    pub estate_id: Uuid,
    /// Who, if known.
    pub resident_id: Option<Uuid>,
    /// What for.
    pub purpose: Option<String>,
    /// Place in the queue of the estate and day.
    pub queue_number: i32,
    /// Word of its stage.
    pub stage: String,
    /// When somebody came.
    pub arrived_at: DateTime<Utc>,
    /// When called.
    pub called_at: Option<DateTime<Utc>>,
    /// When serving began.
    pub served_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl VisitRow {
    /// The row of a visit; `None` before somebody came.
    #[must_use]
    pub fn of(visit: &Visit, version: Version, updated_at: DateTime<Utc>) -> Option<Self> {
        let arrival = visit.arrival.as_deref()?;
        Some(Self {
            visit_id: visit.id.get(),
            version: version.get(),
            changed_xid: 0,
            estate_id: arrival.estate.get(),
            resident_id: arrival.resident.map(Into::into),
            purpose: arrival.purpose.as_ref().map(ToString::to_string),
            queue_number: arrival.queue_number,
            stage: visit.stage.to_string(),
            arrived_at: visit.arrived_at,
            called_at: visit.called_at,
            served_at: visit.served_at,
            ended_at: visit.ended_at,
            updated_at,
        })
    }
}

impl Stored for Visit {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        let Some(row) = VisitRow::of(self, last.version, last.recorded_at) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO visit (tenant_id, changed_xid, visit_id, version, estate_id, resident_id, purpose,
                 queue_number, stage, arrived_at, called_at, served_at, ended_at, updated_at)
             VALUES ($1, pg_current_xact_id()::text::bigint, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (tenant_id, visit_id) DO UPDATE
             SET changed_xid = excluded.changed_xid, version = excluded.version, stage = excluded.stage,
                 called_at = excluded.called_at, served_at = excluded.served_at, ended_at = excluded.ended_at,
                 updated_at = excluded.updated_at",
        )
        .bind(tx.tenant().get())
        .bind(row.visit_id)
        .bind(row.version)
        .bind(row.estate_id)
        .bind(row.resident_id)
        .bind(row.purpose)
        .bind(row.queue_number)
        .bind(row.stage)
        .bind(row.arrived_at)
        .bind(row.called_at)
        .bind(row.served_at)
        .bind(row.ended_at)
        .bind(row.updated_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::visit(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// The next number in an estate's queue of that day; whoever comes next waits until this transaction ends.
///
/// # Errors
/// When the database is away.
pub async fn next_number(tx: &mut Tx, estate: EstateId, on: NaiveDate) -> Result<i32> {
    let number = sqlx::query_scalar(
        "INSERT INTO visit_queue (tenant_id, estate_id, on_day, last_number) VALUES ($1, $2, $3, 0)
         ON CONFLICT (tenant_id, estate_id, on_day) DO UPDATE SET last_number = visit_queue.last_number
         RETURNING last_number + 1",
    )
    .bind(tx.tenant().get())
    .bind(estate.get())
    .bind(on)
    .fetch_one(tx.conn())
    .await?;
    Ok(number)
}

/// Gives that number out.
///
/// # Errors
/// When the database is away.
pub async fn give_out(tx: &mut Tx, estate: EstateId, on: NaiveDate, number: i32) -> Result<()> {
    sqlx::query("UPDATE visit_queue SET last_number = $4 WHERE tenant_id = $1 AND estate_id = $2 AND on_day = $3")
        .bind(tx.tenant().get())
        .bind(estate.get())
        .bind(on)
        .bind(number)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// One page of the visits that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn list(
    tx: &mut Tx,
    actor: &Actor,
    (estate, resident, stage): (Option<EstateId>, Option<ResidentId>, Option<VisitStage>),
    page: PageRequest,
) -> Result<Page<VisitRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT visit_id, version, changed_xid, estate_id, resident_id, purpose, queue_number, stage, arrived_at,
             called_at, served_at, ended_at, updated_at
         FROM visit WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR resident_id = $8) AND ($9::uuid IS NULL OR estate_id = $9)
             AND ($10::text IS NULL OR stage = $10) AND ($11::uuid IS NULL OR resident_id = $11)",
        at = "arrived_at",
        id = "visit_id"
    );
    let horizon = page.horizon(tx).await?;
    let (_, own) = borders(actor);
    let (estates, estate) = actor.listed_estates(estate);
    let rows: Vec<VisitRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(own)
        .bind(estate)
        .bind(stage.map(VisitStage::as_str))
        .bind(resident.map(ResidentId::get))
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &VisitRow| Key { at: row.arrived_at, id: row.visit_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}
