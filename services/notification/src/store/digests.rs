//! Digests: the row that lists read, and the lists.

use chrono::{DateTime, Utc};
use steward_chassis::{
    Error, Result, Stored,
    db::Tx,
    http::{PageRequest, page::Mode},
};
use steward_kernel::{
    Actor, ActorId, Recorded,
    message::{Outgoing, TimerChange},
    page::Page,
};

use super::{Kept, Row, json, read_page};
use crate::{
    domain::{Digest, digests::Event},
    publish,
};

impl Stored for Digest {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(account), Some(status)) = (events.last(), &self.account, self.status) else {
            return Ok(());
        };
        let opens = events.iter().any(|event| matches!(event.body, Event::Opened { .. }));
        let statement = if opens {
            "INSERT INTO digest (tenant_id, digest_id, version, status, urgent, sent_at, state, account, changed_xid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, pg_current_xact_id()::text::bigint) ON CONFLICT DO NOTHING"
        } else {
            "UPDATE digest SET version = $3, status = $4, urgent = $5, sent_at = $6, state = $7,
                               changed_xid = pg_current_xact_id()::text::bigint
             WHERE tenant_id = $1 AND digest_id = $2 AND account = $8"
        };
        let written = sqlx::query(statement)
            .bind(tx.tenant().get())
            .bind(self.id.get())
            .bind(last.version.get())
            .bind(status.as_str())
            .bind(self.urgent)
            .bind(self.sent_at)
            .bind(json(self)?)
            .bind(account.as_str())
            .execute(tx.conn())
            .await?;
        // Another digest collects for the account: whoever wanted to open this one begins again, and joins that one.
        if written.rows_affected() == 1 { Ok(()) } else { Err(Error::Busy) }
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::timers_of_digest(self, event)
    }
}

/// Whether a digest was sent to that account since then.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn was_sent_since(tx: &mut Tx, account: &ActorId, since: DateTime<Utc>) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM digest WHERE tenant_id = $1 AND account = $2 AND sent_at > $3)")
        .bind(tx.tenant().get())
        .bind(account.as_str())
        .bind(since)
        .fetch_one(tx.conn())
        .await?)
}

/// One page of the digests that were sent to the actor.
///
/// * `unread`: those that are unread, or those that are not; `None`: all.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn list_digests(
    tx: &mut Tx,
    actor: &Actor,
    unread: Option<bool>,
    page: PageRequest,
) -> Result<Page<Kept<Digest>>> {
    let horizon = page.horizon(tx).await?;
    let statement = match page.mode {
        Mode::Newest { .. } => {
            "SELECT digest_id AS id, version, sent_at AS created_at, state, changed_xid FROM digest
             WHERE tenant_id = $1 AND account = $2 AND sent_at IS NOT NULL
               AND ($3::boolean IS NULL OR (status = 'delivered') = $3)
               AND ($4::timestamptz IS NULL OR (sent_at, digest_id) < ($4, $5))
             ORDER BY sent_at DESC, digest_id DESC LIMIT $6"
        }
        Mode::Changed { .. } => {
            "SELECT digest_id AS id, version, sent_at AS created_at, state, changed_xid FROM digest
             WHERE tenant_id = $1 AND account = $2 AND sent_at IS NOT NULL
               AND ($3::boolean IS NULL OR (status = 'delivered') = $3)
               AND (changed_xid, digest_id) > ($4, $5) AND changed_xid < $7
             ORDER BY changed_xid, digest_id LIMIT $6"
        }
    };
    let query = sqlx::query_as::<_, Row>(statement).bind(tx.tenant().get()).bind(actor.id.as_str()).bind(unread);
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
