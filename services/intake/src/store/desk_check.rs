//! Desk checks.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, types::Json};
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Recorded,
    ids::EstateId,
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{
    list::{listed, statements},
    register::uuids,
};
use crate::domain::desk_check::{DeskCheck, Event, Item};

impl Stored for DeskCheck {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(findings)) = (events.last(), &self.findings) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO desk_check (tenant_id, check_id, version, changed_xid, estate_id, on_day, ready, items,
                                     checked_by, checked_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant_id, check_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, ready = excluded.ready,
                 items = excluded.items, checked_by = excluded.checked_by, checked_at = excluded.checked_at",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(findings.estate.get())
        .bind(findings.on)
        .bind(findings.is_ready())
        .bind(Json(&findings.items))
        .bind(last.actor.as_str())
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// A desk check as lists show it.
#[derive(Debug, Clone, FromRow)]
pub struct DeskCheckRow {
    /// Its id.
    pub check_id: Uuid,
    /// Its version.
    pub version: i32,
    changed_xid: i64,
    /// The estate whose desk it is.
    #[sqlx(try_from = "Uuid")]
    pub estate_id: EstateId,
    /// The day it is for.
    pub on_day: NaiveDate,
    /// What was looked at.
    pub items: Json<Vec<Item>>,
    /// When it was written down.
    pub checked_at: DateTime<Utc>,
}

/// One page of desk checks, newest first.
///
/// * `visible`: the estates that the caller may see; `None` = all.
///
/// # Errors
/// When the database is away.
pub async fn list_desk_checks(
    tx: &mut Tx,
    visible: Option<&[EstateId]>,
    estate: Option<EstateId>,
    ready: Option<bool>,
    page: PageRequest,
) -> Result<Page<DeskCheckRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT check_id, version, changed_xid, estate_id, on_day, items, checked_at
         FROM desk_check WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
         AND ($8::uuid IS NULL OR estate_id = $8) AND ($9::boolean IS NULL OR ready = $9)",
        at = "checked_at",
        id = "check_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<DeskCheckRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(visible.map(uuids))
        .bind(estate.map(EstateId::get))
        .bind(ready)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &DeskCheckRow| Key { at: row.checked_at, id: row.check_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}
