//! What cannot be handled is parked with its reason, and handled again by an operator's command.
//!
//! Whoever parks or replays holds the row of the aggregate in `inbox`, as whoever handles does. So two replays at once, a replay beside a
//! redelivery, and a message that is parked behind another while that is replayed, take turns and each sees what the other has left.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Job, Loop, Outcome, early::PATIENCE};
use crate::{Clock, Error, Result, db::WORK, error::Chain, lifecycle::guarded, messages::Envelope, pool::within};

/// Parked messages that a replay reads at once, without what they say.
const PAGE: i64 = 200;
/// How often a replay begins a message again when somebody else is at the same aggregate.
const ATTEMPTS: u32 = 5;

/// Why a message is parked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason<'a> {
    /// It cannot be handled.
    Itself(&'a str),
    /// One before it cannot be handled.
    Behind,
}

/// A parked message in the order of its consumer, without what it says.
#[derive(Debug, sqlx::FromRow)]
struct Parked {
    tenant_id: Uuid,
    aggregate: String,
    stream_id: Uuid,
    version: i32,
    event_id: Uuid,
    subject: String,
    headers: Json<BTreeMap<String, String>>,
}

impl<A: Clone + Send + Sync + 'static> Loop<A> {
    /// Parks a message, unless it was handled meanwhile or its turn has come.
    pub(super) async fn park(&self, job: &Job, reason: Reason<'_>) -> Outcome {
        match within(WORK, Box::pin(self.try_park(job, reason))).await {
            Ok(true) => {
                metrics::counter!("messages_parked_total", "service" => self.service, "source" => self.consumer.source)
                    .increment(1);
                Outcome::Over { waited_for: false }
            }
            Ok(false) => Outcome::Again,
            Err(fault) => {
                tracing::warn!(error = %fault, "a message could not be parked; it is tried again");
                Outcome::Again
            }
        }
    }

    async fn try_park(&self, job: &Job, reason: Reason<'_>) -> Result<bool> {
        let envelope = &job.envelope;
        let mut work = self.engine.begin(&self.call(envelope)).await?;
        let (behind, reason) = match reason {
            Reason::Itself(reason) => (false, reason),
            Reason::Behind => (true, "an earlier message of the same aggregate is parked"),
        };
        let marked = sqlx::query(
            "INSERT INTO inbox (tenant_id, consumer, aggregate, stream_id, version, parked) VALUES ($1, $2, $3, $4, 0, true)
             ON CONFLICT (tenant_id, consumer, aggregate, stream_id) DO UPDATE SET parked = true
             WHERE (inbox.version < $5 OR inbox.heard_version = inbox.version AND inbox.heard_at < $7) AND (inbox.parked OR NOT $6)",
        )
        .bind(envelope.tenant.get())
        .bind(self.name())
        .bind(&envelope.aggregate)
        .bind(envelope.stream_id)
        .bind(envelope.version.get())
        .bind(behind)
        .bind(envelope.recorded_at)
        .execute(work.tx.conn())
        .await?;
        if marked.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO dead_letter (tenant_id, consumer, event_id, aggregate, stream_id, version, subject, headers, message, reason, parked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        )
        .bind(envelope.tenant.get())
        .bind(self.name())
        .bind(Uuid::from(envelope.event_id))
        .bind(&envelope.aggregate)
        .bind(envelope.stream_id)
        .bind(envelope.version.get())
        .bind(&job.subject)
        .bind(Json(texts(&job.headers)))
        .bind(job.bytes.as_ref())
        .bind(reason)
        .bind(work.clock().now())
        .execute(work.tx.conn())
        .await?;
        work.commit().await?;
        Ok(true)
    }

    /// Handles parked messages again, each aggregate's in order; how many were handled and how many stay, with those that wait for too long
    /// for one that does not come. Can be run twice at once.
    pub(crate) async fn replay_parked(&self) -> Result<(usize, usize)> {
        let (mut handled, mut stay) = (0, 0);
        let mut last: Option<Parked> = None;
        let mut stuck: Option<(Uuid, String, Uuid)> = None;
        loop {
            let page = within(WORK, self.parked_after(last.as_ref())).await?;
            for row in &page {
                if stuck.as_ref().is_some_and(|(tenant, aggregate, stream)| {
                    (tenant, aggregate, stream) == (&row.tenant_id, &row.aggregate, &row.stream_id)
                }) {
                    stay += 1;
                    continue;
                }
                match self.replay(row).await {
                    Ok(ours) => handled += usize::from(ours),
                    Err(fault @ Error::Unavailable { .. }) => return Err(fault),
                    Err(fault) => {
                        tracing::warn!(event_id = %row.event_id, error = %Chain(&fault), "a parked message still cannot be handled");
                        stuck = Some((row.tenant_id, row.aggregate.clone(), row.stream_id));
                        stay += 1;
                    }
                }
            }
            match page.into_iter().last() {
                Some(row) => last = Some(row),
                None => return Ok((handled, stay + self.overdue().await?)),
            }
        }
    }

    /// Messages that wait for too long for the one before them.
    async fn overdue(&self) -> Result<usize> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM early_message WHERE consumer = $1 AND since < $2
             AND NOT EXISTS (SELECT FROM tenant WHERE tenant.tenant_id = early_message.tenant_id AND closed_at IS NOT NULL)",
        )
        .bind(self.name())
        .bind(Clock::System.now() - PATIENCE)
        .fetch_one(&self.engine.db().platform)
        .await?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The next page of what is parked, in order.
    async fn parked_after(&self, last: Option<&Parked>) -> Result<Vec<Parked>> {
        let page = sqlx::query_as(
            "SELECT tenant_id, aggregate, stream_id, version, event_id, subject, headers FROM dead_letter
             WHERE consumer = $1 AND ($2::uuid IS NULL OR (tenant_id, aggregate, stream_id, version, event_id) > ($2, $3, $4, $5, $6))
               AND NOT EXISTS (SELECT FROM tenant WHERE tenant.tenant_id = dead_letter.tenant_id AND closed_at IS NOT NULL)
             ORDER BY tenant_id, aggregate, stream_id, version, event_id LIMIT $7",
        )
        .bind(self.name())
        .bind(last.map(|row| row.tenant_id))
        .bind(last.map(|row| row.aggregate.as_str()))
        .bind(last.map(|row| row.stream_id))
        .bind(last.map(|row| row.version))
        .bind(last.map(|row| row.event_id))
        .bind(PAGE)
        .fetch_all(&self.engine.db().platform)
        .await?;
        Ok(page)
    }

    /// Handles one again; whether it was this run that did.
    async fn replay(&self, row: &Parked) -> Result<bool> {
        let mut outcome = guarded(WORK, Box::pin(self.replay_once(row))).await;
        for _ in 1..ATTEMPTS {
            if !matches!(outcome, Err(Error::Busy)) {
                break;
            }
            outcome = guarded(WORK, Box::pin(self.replay_once(row))).await;
        }
        let lasting = outcome.as_ref().err().filter(|fault| !fault.is_passing()).map(|fault| Chain(fault).to_string());
        if let Some(reason) = lasting {
            within(WORK, self.note_reason(row, &reason)).await?;
        }
        outcome
    }

    async fn replay_once(&self, row: &Parked) -> Result<bool> {
        let envelope = Envelope::read(&headers(&row.headers.0))
            .ok_or_else(|| Error::internal("parked message", "without envelope"))?;
        let mut work = self.engine.begin(&self.call(&envelope)).await?;
        let stands: Option<(i32, Option<DateTime<Utc>>)> = sqlx::query_as(
            "SELECT version, CASE WHEN heard_version = version THEN heard_at END
             FROM inbox WHERE tenant_id = $1 AND consumer = $2 AND aggregate = $3 AND stream_id = $4 FOR UPDATE",
        )
        .bind(row.tenant_id)
        .bind(self.name())
        .bind(&row.aggregate)
        .bind(row.stream_id)
        .fetch_optional(work.tx.conn())
        .await?;
        let message: Option<Vec<u8>> = sqlx::query_scalar(
            "DELETE FROM dead_letter WHERE tenant_id = $1 AND consumer = $2 AND event_id = $3 RETURNING message",
        )
        .bind(row.tenant_id)
        .bind(self.name())
        .bind(row.event_id)
        .fetch_optional(work.tx.conn())
        .await?;
        // Another run was faster.
        let Some(message) = message else { return Ok(false) };
        let (stands, heard_at) = stands.unwrap_or_default();
        let previous = envelope.previous_for(self.service);
        // Of a history that goes on from before what was heard: an operator who has it replayed knows.
        let is_forked = stands > previous && heard_at.is_some_and(|heard_at| heard_at < envelope.recorded_at);
        let is_new = stands < row.version || is_forked;
        if is_new {
            if stands != previous && !is_forked {
                return Err(Error::internal("parked message", "the message before it has not come"));
            }
            self.run_handler(&mut work, &row.subject, &message).await?;
        }
        // A statement of its own: what was parked behind it until we had the row is seen.
        sqlx::query(
            "INSERT INTO inbox (tenant_id, consumer, aggregate, stream_id, version, heard_version, heard_at, heard_chain, parked)
             SELECT $1, $2, $3, $4, $5, $5, $6, $9, EXISTS (
                 SELECT FROM dead_letter WHERE tenant_id = $1 AND consumer = $2 AND aggregate = $3 AND stream_id = $4)
             ON CONFLICT (tenant_id, consumer, aggregate, stream_id) DO UPDATE SET
                 version = CASE WHEN $7 THEN excluded.version ELSE inbox.version END,
                 heard_version = CASE WHEN $7 THEN excluded.version ELSE inbox.heard_version END,
                 heard_at = CASE WHEN $7 THEN excluded.heard_at ELSE inbox.heard_at END,
                 forked_at = CASE WHEN $8 THEN excluded.heard_at ELSE inbox.forked_at END,
                 heard_chain = CASE WHEN $7 THEN excluded.heard_chain ELSE inbox.heard_chain END,
                 parked = excluded.parked",
        )
        .bind(row.tenant_id)
        .bind(self.name())
        .bind(&row.aggregate)
        .bind(row.stream_id)
        .bind(row.version)
        .bind(envelope.recorded_at)
        .bind(is_new)
        .bind(is_forked)
        .bind(envelope.chain.as_deref())
        .execute(work.tx.conn())
        .await?;
        work.commit().await?;
        Ok(is_new)
    }

    /// Writes down why it still cannot be handled.
    async fn note_reason(&self, row: &Parked, reason: &str) -> Result<()> {
        let mut tx = self.engine.db().begin(row.tenant_id.into()).await?;
        sqlx::query("UPDATE dead_letter SET reason = $4 WHERE tenant_id = $1 AND consumer = $2 AND event_id = $3")
            .bind(row.tenant_id)
            .bind(self.name())
            .bind(row.event_id)
            .bind(reason)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}

/// Headers as they are kept in a table.
pub(super) fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
        Some((name.to_string(), values.first()?.as_str().to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// Headers from a table.
pub(super) fn headers(texts: &BTreeMap<String, String>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in texts {
        headers.insert(name.as_str(), value.as_str());
    }
    headers
}
