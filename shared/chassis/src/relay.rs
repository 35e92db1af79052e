//! The relay: event log → JetStream.
//!
//! One leader for each schema (advisory lock) publishes what stands in the outbox, in position order, with acknowledgements
//! pipelined, and deletes what JetStream has confirmed. Positions rise with versions inside an aggregate, since a version is decided only
//! after the one before it is committed; so nothing is lost and order is kept, without any lock among the writers.
//!
//! JetStream is a transport, not the truth: once a second the leader compares the stream with the log (`comparison`). What the stream should
//! hold and does not is published again, and listeners discard what they have seen.

mod comparison;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{context::PublishError, publish::PublishAck};
use chrono::{DateTime, Utc};
use futures::{FutureExt as _, StreamExt as _, future::join_all};
use sqlx::{AssertSqlSafe, PgConnection};
use steward_kernel::Version;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Clock, Error, Result,
    config::RelayConfig,
    db::{Db, PATIENCE},
    engine::Wake,
    error::Chain,
    lifecycle::{Health, State},
    messages::{Envelope, Messages},
    pool::{After, within},
};

/// Shortest wait between two looks into the outbox; doubles while there is nothing. The wake-up after a commit comes before.
const POLL: Duration = Duration::from_millis(20);
/// How often the stream is compared with what we remember of it.
const CHECK: Duration = Duration::from_secs(1);
/// How close together listeners may ask for the stream to be filled again, to have it filled once.
const TOGETHER: Duration = Duration::from_secs(10);
/// How long the leader may say nothing before the database takes the lead from it: its machine may be gone without a word. It asks something
/// at least each second.
const LEASE: &str = "20s";
/// How often the others look whether the leader publishes, and how late it may be.
const FOLLOW: Duration = Duration::from_secs(5);
const LATE: Duration = Duration::from_secs(10);
/// Longest wait for an answer of a database that is slow.
const LONGEST: Duration = Duration::from_secs(60);
/// How long keys of commands are kept: DESIGN §7.
const KEYS_KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(72);

/// The relay of one service.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Whose events.
    pub service: &'static str,
    /// Where the log is.
    pub db: Db,
    /// Where they go.
    pub messages: Messages,
    /// Tells when there is work.
    pub wake: Arc<Wake>,
    /// Time.
    pub clock: Clock,
    /// Where its state shows.
    pub health: Health,
    /// How often, how much at once, how long kept.
    pub config: RelayConfig,
}

#[derive(Debug, sqlx::FromRow)]
struct Pending {
    position: i64,
    event_id: Uuid,
    tenant_id: Uuid,
    aggregate: String,
    stream_id: Uuid,
    version: i32,
    recorded_at: DateTime<Utc>,
    trace: Option<String>,
    suffix: String,
    message: Vec<u8>,
    previous: String,
    hash: Vec<u8>,
}

#[derive(Debug, sqlx::FromRow)]
struct Remembered {
    stream_created: Option<DateTime<Utc>>,
    last_sequence: i64,
    first_sequence: Option<i64>,
    first_at: Option<DateTime<Utc>>,
    replay_next: Option<i64>,
    replay_end: Option<i64>,
}

/// What JetStream says to a message.
type Answer = std::result::Result<PublishAck, PublishError>;

/// What to do with a message that JetStream takes for a repetition.
#[derive(Debug, Clone, Copy)]
enum Duplicates {
    /// It is published again to be heard again: under another id.
    Again,
    /// It was published and we were not told: all is well when the stream has it.
    InStream,
}

/// What JetStream has of a page, until the first message that it did not take.
#[derive(Debug)]
struct Confirmed {
    positions: Vec<i64>,
    sequence: i64,
    refusal: Option<Refusal>,
}

/// JetStream did not take a message.
#[derive(Debug, thiserror::Error)]
#[error("the message server takes no events ({0})")]
struct Refusal(String);

/// A connection of the relay, and how long it waits for an answer there.
#[derive(Debug)]
struct Led<'a> {
    connection: &'a mut PgConnection,
    patience: Duration,
}

/// What a relay remembers from one attempt to lead to the next.
#[derive(Debug, Default)]
struct Standing {
    /// Attempts in a row that ended because the database did not answer in time.
    unanswered: u32,
    /// When it last measured while another leads, and the lag then.
    measured: Option<(Instant, f64)>,
}

impl Standing {
    /// A database that is away shows soon; one that is only slow gets more time at each attempt, or nothing would ever be published.
    fn patience(&self) -> Duration {
        (PATIENCE * 2_u32.pow(self.unanswered.min(4))).min(LONGEST)
    }
}

impl Relay {
    /// Runs until told to stop; heals by itself from any outage of the database or NATS.
    pub async fn run(self, stop: CancellationToken) {
        let mut standing = Standing::default();
        while !stop.is_cancelled() {
            let began = Instant::now();
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = self.lead(&mut standing, &stop) => outcome,
            };
            if let Err(fault) = outcome {
                let again = is_unanswered(&fault) && began.elapsed() < LONGEST;
                standing.unanswered = if again { standing.unanswered + 1 } else { 0 };
                self.forget_figures();
                let note = match fault.downcast_ref::<Refusal>() {
                    Some(refusal) => format!("{refusal}; events wait in the outbox"),
                    None => "cannot publish; events wait in the outbox".to_owned(),
                };
                self.health.set("relay", State::Degraded, note);
                tracing::warn!(service = self.service, error = format!("{fault:#}"), "relay interrupted");
            }
            pause(&stop, Duration::from_millis(500)).await;
        }
    }

    /// Becomes leader, if nobody is, and publishes until something fails.
    async fn lead(&self, standing: &mut Standing, stop: &CancellationToken) -> anyhow::Result<()> {
        let patience = standing.patience();
        let outcome = self.try_to_lead(patience, standing, stop).await;
        if outcome.as_ref().is_err_and(is_unanswered) {
            self.db.unanswered(patience);
        }
        outcome
    }

    async fn try_to_lead(
        &self,
        patience: Duration,
        standing: &mut Standing,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut connection = self.db.lend().await?;
        // The lock is the session's: the connection must not go back to the pool with it, also when the answer does not come.
        connection.then(After::Close);
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))")
            .bind(format!("steward relay {}", self.service))
            .fetch_one(&mut *connection);
        if !within::<bool, _>(patience, lock).await? {
            connection.then(After::Keep);
            return self.follow(&mut Led { connection: &mut connection, patience }, standing).await;
        }
        let Some(mut connection) = connection.detach() else { return Ok(()) };
        let lease = sqlx::raw_sql(AssertSqlSafe(format!("SET idle_session_timeout = '{LEASE}'")));
        within(patience, lease.execute(&mut connection)).await?;
        self.publish_for_ever(&mut Led { connection: &mut connection, patience }, stop).await
    }

    /// Looks after the one that leads: its own figures say nothing when its machine is gone.
    async fn follow(&self, led: &mut Led<'_>, standing: &mut Standing) -> anyhow::Result<()> {
        let lag = match standing.measured {
            Some((at, lag)) if at.elapsed() < FOLLOW => lag,
            _ => self.measure(led).await?,
        };
        if standing.measured.is_none_or(|(at, _)| at.elapsed() >= FOLLOW) {
            standing.measured = Some((Instant::now(), lag));
        }
        if lag < LATE.as_secs_f64() {
            self.health.set("relay", State::Ok, "another replica leads");
        } else {
            self.health.set(
                "relay",
                State::Degraded,
                "another replica leads and does not publish; events wait in the outbox",
            );
        }
        Ok(())
    }

    async fn publish_for_ever(&self, led: &mut Led<'_>, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut wait = POLL;
        let mut checked: Option<Instant> = None;
        let mut filled: Option<Instant> = None;
        let mut asked = self.messages.js.client().subscribe(self.messages.subjects.ask(self.service)).await?;
        let mut is_asked = false;
        while !stop.is_cancelled() {
            while asked.next().now_or_never().flatten().is_some() {
                is_asked = true;
            }
            if is_asked || checked.is_none_or(|at| at.elapsed() >= CHECK) {
                // Measured first: while NATS is away, the lag is what matters.
                self.measure(led).await?;
                self.forget_keys(led).await?;
                self.compare(led).await?;
                checked = Some(Instant::now());
            }
            if std::mem::take(&mut is_asked) {
                // Listeners that are restored together ask together.
                if filled.is_none_or(|at| at.elapsed() >= TOGETHER) {
                    self.fill_for_listener(led).await?;
                    filled = Some(Instant::now());
                }
                let looked = self.messages.subjects.looked(self.service);
                self.messages.js.client().publish(looked, bytes::Bytes::new()).await?;
            }
            let published = match self.replay_page(led).await? {
                0 => self.outbox_page(led).await?,
                some => some,
            };
            self.health.set("relay", State::Ok, "");
            if published > 0 {
                wait = POLL;
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.relay.notified() => wait = POLL,
                Some(_) = asked.next() => is_asked = true,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(self.config.poll),
            }
        }
        Ok(())
    }

    /// Publishes the next page of the log again, if it has to be; how many.
    async fn replay_page(&self, led: &mut Led<'_>) -> anyhow::Result<usize> {
        let known = led.remembered().await?;
        let (Some(next), Some(end)) = (known.replay_next, known.replay_end) else { return Ok(0) };
        let page = sqlx::query_as(
            "SELECT position, event_id, tenant_id, aggregate, stream_id, version, recorded_at, trace, suffix, message, previous, hash
             FROM event WHERE position >= $1 AND position <= $2 AND suffix IS NOT NULL ORDER BY position LIMIT $3",
        )
        .bind(next)
        .bind(end)
        .bind(i64::from(self.config.batch))
        .fetch_all(&mut *led.connection);
        let page: Vec<Pending> = within(led.patience, page).await?;
        let Confirmed { positions: confirmed, sequence, refusal } = self.publish(&page, Duplicates::Again).await?;
        let next = if page.is_empty() { None } else { confirmed.last().map(|position| position + 1).or(Some(next)) };
        let on = sqlx::query(
            // Unless an operator has asked for all of it meanwhile: then it begins anew.
            "UPDATE relay_state SET last_sequence = greatest(last_sequence, $2),
                    replay_next = CASE WHEN (replay_next, replay_end) = ($3, $4) THEN $1 ELSE replay_next END,
                    replay_end = CASE WHEN (replay_next, replay_end) = ($3, $4) AND $1::bigint IS NULL THEN NULL ELSE replay_end END",
        )
        .bind(next)
        .bind(sequence)
        .bind(known.replay_next)
        .bind(end)
        .execute(&mut *led.connection);
        within(led.patience, on).await?;
        if let Some(refusal) = refusal {
            anyhow::bail!(refusal);
        }
        Ok(page.len())
    }

    /// Publishes what waits in the outbox, at most one batch; how many.
    async fn outbox_page(&self, led: &mut Led<'_>) -> anyhow::Result<usize> {
        // The inner LIMIT forbids a merge join: planned while the tables are small, it would read the log from its beginning, and
        // this statement keeps its plan as long as the relay lives.
        let page = sqlx::query_as(
            "SELECT event.* FROM (SELECT position FROM outbox ORDER BY position LIMIT $1) AS waiting
             CROSS JOIN LATERAL (
                 SELECT position, event_id, tenant_id, aggregate, stream_id, version, recorded_at, trace, suffix, message, previous, hash
                 FROM event WHERE event.position = waiting.position LIMIT 1
             ) AS event ORDER BY position",
        )
        .bind(i64::from(self.config.batch))
        .fetch_all(&mut *led.connection);
        let page: Vec<Pending> = within(led.patience, page).await?;
        if page.is_empty() {
            return Ok(0);
        }
        let Confirmed { positions: confirmed, sequence, refusal } = self.publish(&page, Duplicates::InStream).await?;
        let sent = sqlx::query(
            "WITH sent AS (DELETE FROM outbox WHERE position = ANY($1))
             UPDATE relay_state SET last_sequence = greatest(last_sequence, $2)",
        )
        .bind(&confirmed)
        .bind(sequence)
        .execute(&mut *led.connection);
        within(led.patience, sent).await?;
        metrics::counter!("relay_published_total", "service" => self.service).increment(confirmed.len() as u64);
        if let Some(refusal) = refusal {
            anyhow::bail!(refusal);
        }
        Ok(page.len())
    }

    /// Publishes a page; the positions confirmed before the first failure, and the highest sequence.
    async fn publish(&self, page: &[Pending], duplicates: Duplicates) -> anyhow::Result<Confirmed> {
        let mut answers = self.send(page.iter().map(|event| (event, None))).await?;
        let is_duplicate = |answer: &Answer| answer.as_ref().is_ok_and(|answer| answer.duplicate);
        if answers.iter().any(is_duplicate) {
            // JetStream discards what has an id that it took within its window, whether it still has the message or not, and whoever lacks it.
            let first = match duplicates {
                Duplicates::Again => u64::MAX,
                Duplicates::InStream => self.messages.first_sequence(self.service).await?,
            };
            let swallowed = |answer: &Answer| answer.as_ref().is_ok_and(|it| it.duplicate && it.sequence < first);
            let again: Vec<usize> = (0..page.len()).filter(|at| swallowed(&answers[*at])).collect();
            let other_ids = again.iter().map(|at| (&page[*at], Some(self.clock.new_id())));
            for (at, answer) in again.iter().zip(self.send(other_ids).await?) {
                answers[*at] = answer;
            }
            metrics::counter!("relay_swallowed_total", "service" => self.service).increment(again.len() as u64);
        }
        let mut confirmed = Confirmed { positions: Vec::with_capacity(page.len()), sequence: 0, refusal: None };
        for (event, answer) in page.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    confirmed.positions.push(event.position);
                    confirmed.sequence = confirmed.sequence.max(i64::try_from(answer.sequence)?);
                }
                Err(fault) => {
                    tracing::warn!(service = self.service, error = %Chain(&fault), "JetStream did not confirm a message");
                    confirmed.refusal = Some(Refusal(Chain(&fault).to_string()));
                    break;
                }
            }
        }
        Ok(confirmed)
    }

    /// Publishes events, each under its own id or under another one; what JetStream answered.
    async fn send(&self, events: impl Iterator<Item = (&Pending, Option<Uuid>)>) -> anyhow::Result<Vec<Answer>> {
        let mut acknowledgements = Vec::new();
        for (event, id) in events {
            let envelope = event.envelope();
            let subject = self.messages.subjects.subject(envelope.tenant, self.service, &event.suffix);
            let mut headers = envelope.headers(self.service, &event.suffix);
            if let Some(id) = id {
                headers.insert("Nats-Msg-Id", id.to_string());
            }
            acknowledgements
                .push(self.messages.js.publish_with_headers(subject, headers, event.message.clone().into()).await?);
        }
        Ok(join_all(acknowledgements.into_iter().map(IntoFuture::into_future)).await)
    }

    /// What cannot be measured is nothing any more: the last figures would stand there for ever.
    fn forget_figures(&self) {
        metrics::gauge!("outbox_rows", "service" => self.service).set(f64::NAN);
        metrics::gauge!("relay_lag_seconds", "service" => self.service).set(f64::NAN);
        metrics::gauge!("parked_messages", "service" => self.service).set(f64::NAN);
    }

    /// Lag and rows of the outbox, parked messages; the lag in seconds.
    async fn measure(&self, led: &mut Led<'_>) -> anyhow::Result<f64> {
        let now = self.clock.now();
        let measured = sqlx::query_as(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 10000) AS waiting),
                    (SELECT recorded_at FROM event WHERE position = (SELECT min(position) FROM outbox))",
        )
        .fetch_one(&mut *led.connection);
        let (rows, oldest): (i64, Option<DateTime<Utc>>) = within(led.patience, measured).await?;
        let parked = within(led.patience, crate::parked::count(&mut *led.connection, now)).await?;
        let lag = oldest.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
        metrics::gauge!("outbox_rows", "service" => self.service).set(rows as f64);
        metrics::gauge!("relay_lag_seconds", "service" => self.service).set(lag);
        metrics::gauge!("parked_messages", "service" => self.service).set(parked as f64);
        let state = if parked > 0 { State::Degraded } else { State::Ok };
        self.health.set("parked_messages", state, parked.to_string());
        Ok(lag)
    }

    /// Forgets some of the keys that are too old.
    async fn forget_keys(&self, led: &mut Led<'_>) -> anyhow::Result<()> {
        // A share at a time: after a time without a leader there may be more than one statement should take.
        let old = sqlx::query(
            "DELETE FROM command_log WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM command_log WHERE claimed_at < $1 ORDER BY claimed_at LIMIT 5000))",
        )
        .bind(self.clock.now() - KEYS_KEPT)
        .execute(&mut *led.connection);
        within(led.patience, old).await?;
        Ok(())
    }
}

impl Led<'_> {
    async fn remembered(&mut self) -> Result<Remembered> {
        let known = sqlx::query_as(
            "SELECT stream_created, last_sequence, first_sequence, first_at, replay_next, replay_end FROM relay_state",
        )
        .fetch_one(&mut *self.connection);
        within(self.patience, known).await
    }
}

/// Whether the database did not answer in time.
fn is_unanswered(fault: &anyhow::Error) -> bool {
    matches!(fault.downcast_ref(), Some(Error::TimedOut))
}

impl Pending {
    fn envelope(&self) -> Envelope {
        Envelope {
            event_id: self.event_id.into(),
            tenant: self.tenant_id.into(),
            aggregate: self.aggregate.clone(),
            stream_id: self.stream_id,
            version: Version(self.version),
            previous: self.previous.clone(),
            recorded_at: self.recorded_at,
            chain: Some(self.hash.clone()),
            traceparent: self.trace.clone(),
        }
    }
}

/// Waits, unless told to stop.
pub(crate) async fn pause(stop: &CancellationToken, time: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Has the leading relay publish the whole log again.
///
/// # Errors
/// When the database is away.
pub async fn republish(db: &Db) -> anyhow::Result<()> {
    sqlx::query(
        "UPDATE relay_state SET replay_next = 0,
                replay_end = (SELECT coalesce(max(position), 0) FROM event WHERE suffix IS NOT NULL)",
    )
    .execute(&db.platform)
    .await?;
    Ok(())
}
