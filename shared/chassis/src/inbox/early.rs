//! What comes before its turn waits in a table for the message before it, for as long as that takes.
//!
//! JetStream does not wait with it: of what is under way there it has a limit, behind which nothing is delivered any more. So the order in
//! which things come is free. A new listener hears the last days of old histories before their beginnings are published again; after an
//! outage the second message may come before the first. Nothing is parked for it and nobody stands still.
//!
//! Whoever handles a message sees whether others waited for it, and goes on with them. What is missed so (two transactions that do not see
//! each other, a process that is killed in between) is found by a look at what waits, page after page.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use sqlx::types::Json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Job, Loop, Outcome, Verdict,
    parking::{headers, texts},
};
use crate::{Error, Result, db::WORK, messages::Envelope, pool::within, relay::pause};

/// How long a message waits before an operator is told that the one before it does not come.
pub(crate) const PATIENCE: TimeDelta = TimeDelta::hours(1);
/// Time between two looks at what waits, and messages in a page of it.
const LOOK: (Duration, i64) = (Duration::from_secs(1), 500);
/// Messages of one aggregate that are handled in one go.
const AT_ONCE: usize = 256;

/// Whose messages: company, kind of aggregate, which one.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Line {
    tenant_id: Uuid,
    aggregate: String,
    stream_id: Uuid,
}

impl Line {
    /// That of a message.
    pub(super) fn of(envelope: &Envelope) -> Self {
        let Envelope { tenant, aggregate, stream_id, .. } = envelope;
        Self { tenant_id: tenant.get(), aggregate: aggregate.clone(), stream_id: *stream_id }
    }
}

/// A message that waits, in the order of its consumer.
#[derive(Debug, sqlx::FromRow)]
struct Waiting {
    #[sqlx(flatten)]
    line: Line,
    version: i32,
    event_id: Uuid,
    is_due: bool,
}

/// A message as it is kept.
#[derive(Debug, sqlx::FromRow)]
struct Kept {
    event_id: Uuid,
    subject: String,
    headers: Json<BTreeMap<String, String>>,
    message: Vec<u8>,
}

impl<A: Clone + Send + Sync + 'static> Loop<A> {
    /// Lets a message wait that comes too early, unless its turn has come meanwhile.
    pub(super) async fn let_wait(&self, job: &Job) -> Verdict {
        match within(WORK, Box::pin(self.keep(job))).await {
            Ok(true) => Verdict::Done,
            Ok(false) => Verdict::Again,
            Err(fault) => {
                tracing::debug!(error = %fault, "a message that came too early could not be kept; it is delivered again");
                Verdict::Again
            }
        }
    }

    async fn keep(&self, job: &Job) -> Result<bool> {
        let envelope = &job.envelope;
        let mut work = self.engine.begin(&self.call(envelope)).await?;
        // Who handles the message before it holds the row of the aggregate, which is made if there is none.
        let early: i64 = sqlx::query_scalar(
            "WITH turn AS (
                 INSERT INTO inbox (tenant_id, consumer, aggregate, stream_id, version) VALUES ($1, $2, $3, $4, 0)
                 ON CONFLICT (tenant_id, consumer, aggregate, stream_id) DO UPDATE SET version = inbox.version
                 WHERE inbox.version < $6 AND NOT inbox.parked RETURNING 1
             ), kept AS (
                 INSERT INTO early_message (consumer, tenant_id, aggregate, stream_id, version, event_id, previous, subject, headers, message, since)
                 SELECT $2, $1, $3, $4, $5, $7, $6, $8, $9, $10, $11 FROM turn ON CONFLICT DO NOTHING
             )
             SELECT count(*) FROM turn",
        )
        .bind(envelope.tenant.get())
        .bind(self.name())
        .bind(&envelope.aggregate)
        .bind(envelope.stream_id)
        .bind(envelope.version.get())
        .bind(envelope.previous_for(self.service))
        .bind(Uuid::from(envelope.event_id))
        .bind(&job.subject)
        .bind(Json(texts(&job.headers)))
        .bind(job.bytes.as_ref())
        .bind(work.clock().now())
        .fetch_one(work.tx.conn())
        .await?;
        work.commit().await?;
        Ok(early > 0)
    }

    /// Handles what waits of an aggregate, as far as its turn has come.
    pub(super) async fn catch_up(&self, line: &Line) {
        if let Err(fault) = self.try_to_catch_up(line).await {
            tracing::debug!(service = self.service, error = %fault, "what waits is tried again");
        }
    }

    async fn try_to_catch_up(&self, line: &Line) -> Result<()> {
        let mut done = None;
        for _ in 0..AT_ONCE {
            let Some(next) = within(WORK, Box::pin(self.next(line, done))).await? else { return Ok(()) };
            let headers = headers(&next.headers.0);
            let envelope =
                Envelope::read(&headers).ok_or_else(|| Error::internal("early message", "without envelope"))?;
            let job = Job { envelope, subject: next.subject, headers, bytes: next.message.into() };
            if !matches!(Box::pin(self.settle(&job)).await, Outcome::Over { .. }) {
                return Ok(());
            }
            done = Some(next.event_id);
        }
        within(WORK, Box::pin(self.next(line, done))).await.map(drop)
    }

    /// The first message of an aggregate that waits, after the one that is done is forgotten.
    async fn next(&self, line: &Line, done: Option<Uuid>) -> Result<Option<Kept>> {
        let mut tx = self.engine.db().begin(line.tenant_id.into()).await?;
        if let Some(done) = done {
            sqlx::query(
                "DELETE FROM early_message
                 WHERE consumer = $1 AND tenant_id = $2 AND aggregate = $3 AND stream_id = $4 AND event_id = $5",
            )
            .bind(self.name())
            .bind(line.tenant_id)
            .bind(&line.aggregate)
            .bind(line.stream_id)
            .bind(done)
            .execute(tx.conn())
            .await?;
        }
        let next = sqlx::query_as(
            "SELECT event_id, subject, headers, message FROM early_message
             WHERE consumer = $1 AND tenant_id = $2 AND aggregate = $3 AND stream_id = $4 ORDER BY version, event_id LIMIT 1",
        )
        .bind(self.name())
        .bind(line.tenant_id)
        .bind(&line.aggregate)
        .bind(line.stream_id)
        .fetch_optional(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(next)
    }

    /// Looks through what waits until told to stop: what nobody has gone on with is handled all the same.
    pub(super) async fn look_after(&self, stop: &CancellationToken) {
        let mut last: Option<Waiting> = None;
        while !stop.is_cancelled() {
            match within(WORK, Box::pin(self.waiting_after(last.take()))).await {
                Ok(page) => {
                    let mut lines: Vec<&Line> = page.iter().filter(|row| row.is_due).map(|row| &row.line).collect();
                    lines.dedup();
                    for line in lines {
                        if stop.is_cancelled() {
                            return;
                        }
                        Box::pin(self.catch_up(line)).await;
                    }
                    let is_full = i64::try_from(page.len()) == Ok(LOOK.1);
                    last = page.into_iter().last().filter(|_| is_full);
                }
                Err(fault) => tracing::debug!(service = self.service, error = %fault, "what waits was not looked at"),
            }
            pause(stop, if last.is_some() { LOOK.0 / 10 } else { LOOK.0 }).await;
        }
    }

    /// The next page of what waits, and of which the turn has come.
    async fn waiting_after(&self, last: Option<Waiting>) -> Result<Vec<Waiting>> {
        let page = sqlx::query_as(
            "SELECT tenant_id, aggregate, stream_id, early.version, event_id, coalesce(inbox.version >= previous OR parked, false) AS is_due
             FROM (SELECT * FROM early_message
                   WHERE consumer = $1 AND tenant_id <> ALL($2)
                     AND ($3::uuid IS NULL OR (tenant_id, aggregate, stream_id, version, event_id) > ($3, $4, $5, $6, $7))
                   ORDER BY tenant_id, aggregate, stream_id, version, event_id LIMIT $8) AS early
             LEFT JOIN inbox USING (consumer, tenant_id, aggregate, stream_id)
             ORDER BY tenant_id, aggregate, stream_id, early.version, event_id",
        )
        .bind(self.name())
        .bind(self.engine.db().tenants.closed())
        .bind(last.as_ref().map(|row| row.line.tenant_id))
        .bind(last.as_ref().map(|row| row.line.aggregate.as_str()))
        .bind(last.as_ref().map(|row| row.line.stream_id))
        .bind(last.as_ref().map(|row| row.version))
        .bind(last.as_ref().map(|row| row.event_id))
        .bind(LOOK.1)
        .fetch_all(&self.engine.db().platform)
        .await?;
        Ok(page)
    }
}
