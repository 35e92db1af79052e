//! Notices: the row that lists read, and the lists.

use chrono::{DateTime, Utc};
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::{PageRequest, page::Mode},
};
use steward_kernel::{
    Actor, ActorId, Recorded,
    ids::EstateId,
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{Kept, Row, estates_of, json, read_page};
use crate::{
    domain::{Notice, NoticeStatus, notices::Event},
    publish,
};

impl Stored for Notice {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(content), Some(created_at), Some(status)) =
            (events.last(), &self.content, self.created_at, self.status)
        else {
            return Ok(());
        };
        let tenant = tx.tenant();
        let estates: Vec<Uuid> = content.estates.iter().map(|estate| estate.get()).collect();
        sqlx::query(
            "INSERT INTO notice (tenant_id, notice_id, version, estate_ids, status, expires_at, published_at,
                                 created_at, state, changed_xid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, pg_current_xact_id()::text::bigint)
             ON CONFLICT (tenant_id, notice_id) DO UPDATE
             SET version = excluded.version, status = excluded.status, published_at = excluded.published_at,
                 state = excluded.state, changed_xid = excluded.changed_xid",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(estates)
        .bind(status.as_str())
        .bind(content.expires_at)
        .bind(self.published_at)
        .bind(created_at)
        .bind(json(self)?)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::of_notice(self, event)
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::timers_of_notice(self, event)
    }
}

/// The notices of that author that are approved and not published.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn approved_notices_of(tx: &mut Tx, author: &ActorId) -> Result<Vec<Notice>> {
    let states: Vec<sqlx::types::Json<Notice>> = sqlx::query_scalar(
        "SELECT state FROM notice WHERE tenant_id = $1 AND status = 'approved' AND state ->> 'author' = $2",
    )
    .bind(tx.tenant().get())
    .bind(author.as_str())
    .fetch_all(tx.conn())
    .await?;
    Ok(states.into_iter().map(|state| state.0).collect())
}

/// Which notices to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoticeFilter {
    /// For this estate.
    pub estate: Option<EstateId>,
    /// In this state.
    pub status: Option<NoticeStatus>,
}

/// One page of the notices that the actor may see: what stands on the boards of an owner's estates, or all of the
/// actor's estates. The change feed also tells owners what was taken off the board, so that their app can do the same.
///
/// * `now`: what is over by then is off the board.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn list_notices(
    tx: &mut Tx,
    actor: &Actor,
    now: DateTime<Utc>,
    filter: &NoticeFilter,
    page: PageRequest,
) -> Result<Page<Kept<Notice>>> {
    let horizon = page.horizon(tx).await?;
    let statement = match page.mode {
        Mode::Newest { .. } => {
            "SELECT notice_id AS id, version, created_at, state, changed_xid FROM notice
             WHERE tenant_id = $1
               AND (NOT $2 OR (status = 'sent' AND (expires_at IS NULL OR expires_at > $3)))
               AND ($4::uuid[] IS NULL OR estate_ids && $4)
               AND ($5::uuid IS NULL OR $5 = ANY(estate_ids))
               AND ($6::text IS NULL OR status = $6)
               AND ($7::timestamptz IS NULL OR (created_at, notice_id) < ($7, $8))
             ORDER BY created_at DESC, notice_id DESC LIMIT $9"
        }
        Mode::Changed { .. } => {
            "SELECT notice_id AS id, version, created_at, state, changed_xid FROM notice
             WHERE tenant_id = $1
               AND (NOT $2 OR (published_at IS NOT NULL AND published_at <= $3))
               AND ($4::uuid[] IS NULL OR estate_ids && $4)
               AND ($5::uuid IS NULL OR $5 = ANY(estate_ids))
               AND ($6::text IS NULL OR status = $6)
               AND (changed_xid, notice_id) > ($7, $8) AND changed_xid < $10
             ORDER BY changed_xid, notice_id LIMIT $9"
        }
    };
    let query = sqlx::query_as::<_, Row>(statement)
        .bind(tx.tenant().get())
        .bind(actor.is_only_owner())
        .bind(now)
        .bind(estates_of(actor))
        .bind(filter.estate.map(EstateId::get))
        .bind(filter.status.map(NoticeStatus::as_str));
    let query = match page.mode {
        Mode::Newest { after } => {
            let (at, id) = after.unzip();
            query.bind(at).bind(id).bind(page.fetch())
        }
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(page.fetch()).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    read_page(page.finish(rows, horizon, Row::key))
}
