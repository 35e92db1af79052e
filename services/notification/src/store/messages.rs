//! Messages: the row that lists read, and the lists.

use steward_chassis::{
    Error, Result, Stored,
    db::Tx,
    http::{PageRequest, page::Mode},
};
use steward_kernel::{
    Actor, Recorded,
    ids::{CaseId, ResidentId},
    message::{Outgoing, TimerChange},
    page::Page,
};

use super::{Kept, Row, estates_of, json, read_page};
use crate::{
    domain::{DeliveryStatus, Letter, Message, messages::Event},
    publish,
};

impl Stored for Message {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(letter), Some(created_at)) = (events.last(), &self.letter, self.created_at) else {
            return Ok(());
        };
        let tenant = tx.tenant();
        sqlx::query(
            "INSERT INTO message (tenant_id, message_id, version, case_id, estate_id, resident_id, status, created_at,
                                  state, changed_xid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, pg_current_xact_id()::text::bigint)
             ON CONFLICT (tenant_id, message_id) DO UPDATE
             SET version = excluded.version, status = excluded.status, state = excluded.state,
                 changed_xid = excluded.changed_xid",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(letter.case.get())
        .bind(letter.estate.get())
        .bind(letter.resident.map(ResidentId::get))
        .bind(self.status.as_str())
        .bind(created_at)
        .bind(json(self)?)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::of_message(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Which messages to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageFilter {
    /// To this resident.
    pub resident: Option<ResidentId>,
    /// About this case.
    pub case: Option<CaseId>,
    /// In this state.
    pub status: Option<DeliveryStatus>,
}

/// One page of the messages that the actor may see: an owner's inbox, or those of the actor's estates.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn list_messages(
    tx: &mut Tx,
    actor: &Actor,
    filter: &MessageFilter,
    page: PageRequest,
) -> Result<Page<Kept<Message>>> {
    let horizon = page.horizon(tx).await?;
    let statement = match page.mode {
        Mode::Newest { .. } => {
            "SELECT message_id AS id, version, created_at, state, changed_xid FROM message
             WHERE tenant_id = $1
               AND (NOT $2 OR (resident_id = $3 AND status IN ('delivered', 'read')))
               AND ($4::uuid[] IS NULL OR estate_id = ANY($4)) AND ($8::uuid IS NULL OR estate_id = $8)
               AND ($5::uuid IS NULL OR resident_id = $5)
               AND ($6::uuid IS NULL OR case_id = $6)
               AND ($7::text IS NULL OR status = $7)
               AND ($9::timestamptz IS NULL OR (created_at, message_id) < ($9, $10))
             ORDER BY created_at DESC, message_id DESC LIMIT $11"
        }
        Mode::Changed { .. } => {
            "SELECT message_id AS id, version, created_at, state, changed_xid FROM message
             WHERE tenant_id = $1
               AND (NOT $2 OR (resident_id = $3 AND status IN ('delivered', 'read')))
               AND ($4::uuid[] IS NULL OR estate_id = ANY($4)) AND ($8::uuid IS NULL OR estate_id = $8)
               AND ($5::uuid IS NULL OR resident_id = $5)
               AND ($6::uuid IS NULL OR case_id = $6)
               AND ($7::text IS NULL OR status = $7)
               AND (changed_xid, message_id) > ($9, $10) AND changed_xid < $12
             ORDER BY changed_xid, message_id LIMIT $11"
        }
    };
    let (estates, estate) = actor.listed_estates(None);
    // An owner without a resident has no inbox.
    let query = sqlx::query_as::<_, Row>(statement)
        .bind(tx.tenant().get())
        .bind(actor.is_only_owner())
        .bind(actor.resident.map(ResidentId::get))
        .bind(estates)
        .bind(filter.resident.map(ResidentId::get))
        .bind(filter.case.map(CaseId::get))
        .bind(filter.status.map(DeliveryStatus::as_str))
        .bind(estate);
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

/// Any message about that case, to learn its reference and kind from; `None` when we have not heard of the case.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn message_of_case(tx: &mut Tx, case: CaseId) -> Result<Option<Message>> {
    let state: Option<serde_json::Value> =
        sqlx::query_scalar("SELECT state FROM message WHERE tenant_id = $1 AND case_id = $2 LIMIT 1")
            .bind(tx.tenant().get())
            .bind(case.get())
            .fetch_optional(tx.conn())
            .await?;
    state
        .map(|state| serde_json::from_value(state).map_err(|fault| Error::internal("reading a row", fault)))
        .transpose()
}

/// What was told that resident last of a case in an estate that the actor sees.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn latest_letter(tx: &mut Tx, actor: &Actor, resident: ResidentId) -> Result<Option<Letter>> {
    let state: Option<serde_json::Value> = sqlx::query_scalar(
        "SELECT state FROM message WHERE tenant_id = $1 AND resident_id = $2
         AND ($3::uuid[] IS NULL OR estate_id = ANY($3)) ORDER BY created_at DESC, message_id DESC LIMIT 1",
    )
    .bind(tx.tenant().get())
    .bind(resident.get())
    .bind(estates_of(actor))
    .fetch_optional(tx.conn())
    .await?;
    let message: Option<Message> =
        state.map(serde_json::from_value).transpose().map_err(|fault| Error::internal("reading a row", fault))?;
    Ok(message.and_then(|message| message.letter))
}

/// Whether a message to that resident stands in an estate that the actor sees.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn is_known_resident(tx: &mut Tx, actor: &Actor, resident: ResidentId) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM message WHERE tenant_id = $1 AND resident_id = $2
                        AND ($3::uuid[] IS NULL OR estate_id = ANY($3)))",
    )
    .bind(tx.tenant().get())
    .bind(resident.get())
    .bind(estates_of(actor))
    .fetch_one(tx.conn())
    .await?)
}
