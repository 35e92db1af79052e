//! The inbox: what a service hears of the others, handled exactly once and in version order for each aggregate.
//!
//! One durable pull consumer for each service listened to. A message carries the version that this listener saw before it
//! (`steward-previous`); in the transaction that handles it, `inbox.version` moves from there to the message's own version, or the message
//! is a repetition (discarded) or comes too early (it waits in a table). So replicas, redeliveries and replays need no other care. What
//! cannot be handled is parked with its reason; later messages of the same aggregate queue behind it, the rest goes on.
//!
//! A source that was brought back to an earlier moment uses versions again. Inside one history events are recorded in the order of their
//! versions, and after a restore later than all before it; so by the time at which it was recorded, a message shows that it goes on from
//! before what was heard: it is parked, since somebody has to know. One of the lost stretch that comes after that is discarded.

pub(crate) mod early;
mod epoch;
mod parking;

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{
    HeaderMap,
    jetstream::{self, AckKind, consumer::pull},
};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, future::BoxFuture};
use steward_kernel::{
    Actor, EventId,
    message::{Contract, Undecodable, suffix},
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

pub(crate) use self::epoch::Memory;
use self::{early::Line, epoch::BroughtBack, parking::Reason};
use crate::{
    Call, Engine, Error, Result, Work,
    db::{Tx, WORK},
    error::Chain,
    lifecycle::{Health, Panicked, State, guarded},
    messages::{Envelope, Messages},
    relay::pause,
    streams::durable,
    telemetry,
};

/// Aggregates handled at the same time; messages of one aggregate always take the same lane.
const LANES: usize = 8;
/// Messages waiting in a lane before no more are pulled.
const LANE_DEPTH: usize = 64;
/// Messages asked for at once, and how long an empty pull stays open.
const PULL: (usize, Duration) = (256, Duration::from_secs(2));
/// How long a consumer that stops waits for what is still on its way to it.
const LAST_CALL: Duration = Duration::from_millis(100);
/// Deliveries after which a message that comes too early waits in a table: mostly the one before it is only being handled right now.
const PROMPT: i64 = 2;
/// How often a message is tried that fails by a fault of ours, which may pass as well as stay; and by what mostly passes.
const TRIES: (u32, u32) = (7, 200);
/// Messages whose failures are remembered; more than that, and their patience begins anew.
const FAILURES_KNOWN: usize = 20_000;
/// First and longest wait before a message is delivered again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

type Handler<A> = Arc<dyn for<'a> Fn(&'a A, &'a mut Work, &'a [u8]) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// Everything one service hears of another.
#[derive(Clone)]
pub struct Consumer<A> {
    source: &'static str,
    handlers: BTreeMap<String, Handler<A>>,
}

impl<A: 'static> Consumer<A> {
    /// Listens to that service.
    #[must_use]
    pub fn of(source: &'static str) -> Self {
        Self { source, handlers: BTreeMap::new() }
    }

    /// The service it listens to.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The events it hears, as they end in their subjects.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.handlers.keys().map(String::as_str)
    }

    /// Handles one of its events. What the handler does through `work` commits together with the note that it was handled.
    #[must_use]
    pub fn on<C, F>(mut self, handler: F) -> Self
    where
        C: Contract,
        F: for<'a> Fn(&'a A, &'a mut Work, C) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    {
        debug_assert_eq!(C::SERVICE, self.source);
        let decode_and_handle: Handler<A> = Arc::new(move |app, work, bytes| match C::decode(bytes) {
            Ok(message) => handler(app, work, message),
            Err(fault) => Box::pin(std::future::ready(Err(Error::internal("message", fault)))),
        });
        self.handlers.insert(suffix::<C>(), decode_and_handle);
        self
    }
}

impl<A> std::fmt::Debug for Consumer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("source", &self.source).field("events", &self.handlers.keys()).finish()
    }
}

/// The loop of one consumer.
pub(crate) struct Loop<A> {
    pub service: &'static str,
    pub app: A,
    pub engine: Engine,
    pub messages: Messages,
    pub health: Health,
    pub consumer: Consumer<A>,
    pub failures: Failures,
    pub memory: Memory,
}

/// How often messages have failed here for a reason of their own. Deliveries count more: those that failed while the database was away,
/// and those that only waited.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<EventId, u32>>);

impl Failures {
    /// It has failed once more; how often it has.
    fn another(&self, of: EventId) -> u32 {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FAILURES_KNOWN {
            known.clear();
        }
        let times = known.entry(of).or_default();
        *times += 1;
        *times
    }

    /// It is over with it.
    fn forget(&self, of: EventId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&of);
    }
}

/// A message to be handled.
struct Job {
    envelope: Envelope,
    subject: String,
    headers: HeaderMap,
    bytes: bytes::Bytes,
}

/// Where a message stands in the order of its aggregate.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// It is, or was: it is handled. Whether others wait for it.
    Ours {
        waited_for: bool,
    },
    Seen,
    TooEarly,
    BehindParked,
    /// Its history was brought back to before the version that was heard last.
    Forked {
        heard: i32,
    },
}

/// How it went with a message.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Handled, seen before or parked. Whether others wait for it.
    Over {
        waited_for: bool,
    },
    Again,
    TooEarly,
}

/// What to tell JetStream.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Done,
    Again,
}

impl<A: Clone + Send + Sync + 'static> Loop<A> {
    /// Its durable name.
    pub(crate) fn name(&self) -> String {
        durable(self.service, self.consumer.source)
    }

    /// Runs until told to stop; heals by itself from any outage, also when the stream or the consumer was lost.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::join!(Box::pin(self.hear(&stop)), Box::pin(self.look_after(&stop)));
    }

    async fn hear(self: &Arc<Self>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.pull(stop).await {
                Ok(()) => {}
                Err(fault) => {
                    let note = if fault.is::<BroughtBack>() {
                        fault.to_string()
                    } else {
                        "cannot hear; messages wait".to_owned()
                    };
                    self.health.set(self.consumer.source, State::Degraded, note);
                    tracing::debug!(service = self.service, error = format!("{fault:#}"), "consumer interrupted");
                    pause(stop, Duration::from_millis(500)).await;
                }
            }
        }
    }

    async fn pull(self: &Arc<Self>, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut consumer = self.messages.consumer(self.service, self.consumer.source).await?;
        self.be_sure_of_the_past(&consumer, stop).await?;
        self.health.set(self.consumer.source, State::Ok, "");
        let (lanes, mut workers) = self.lanes();
        let outcome = loop {
            if stop.is_cancelled() || self.is_another_epoch().await {
                break Ok(());
            }
            let mut batch = match consumer.fetch().max_messages(PULL.0).expires(PULL.1).messages().await {
                Ok(batch) => batch,
                Err(fault) => break Err(fault.into()),
            };
            match self.take(&mut batch, &lanes, &mut workers, stop).await {
                Ok(heard) if heard > 0 || stop.is_cancelled() => {}
                // Nothing to hear, or nobody there any more: only asking tells the difference.
                Ok(_) => match consumer.info().await {
                    Ok(info) => {
                        metrics::gauge!("consumer_lag_messages", "service" => self.service, "source" => self.consumer.source)
                            .set(info.num_pending as f64);
                    }
                    Err(fault) => break Err(fault.into()),
                },
                Err(fault) => break Err(fault),
            }
        };
        drop(lanes);
        while workers.join_next().await.is_some() {}
        outcome
    }

    /// Gives the messages of a batch to their lanes; how many there were.
    async fn take(
        &self,
        batch: &mut pull::Batch,
        lanes: &[mpsc::Sender<jetstream::Message>],
        workers: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> anyhow::Result<u32> {
        let mut heard = 0;
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => {
                    give_back(batch).await;
                    return Ok(heard);
                }
                // Nobody has told it to. What it would have handled is delivered again, to lanes that are new.
                Some(ended) = workers.join_next() => {
                    tracing::error!(service = self.service, source = self.consumer.source, "a lane ended; all begin anew");
                    anyhow::bail!("a lane ended: {ended:?}");
                }
                next = batch.next() => next,
            };
            match next {
                None => return Ok(heard),
                Some(Err(fault)) => anyhow::bail!(fault),
                Some(Ok(message)) => {
                    heard += 1;
                    dispatch(lanes, message).await?;
                }
            }
        }
    }

    fn lanes(self: &Arc<Self>) -> (Vec<mpsc::Sender<jetstream::Message>>, JoinSet<()>) {
        let mut workers = JoinSet::new();
        let lanes = (0..LANES).map(|_| {
            let (sender, mut receiver) = mpsc::channel::<jetstream::Message>(LANE_DEPTH);
            let this = Arc::clone(self);
            workers.spawn(async move {
                while let Some(message) = receiver.recv().await {
                    this.answer(message).await;
                }
            });
            sender
        });
        (lanes.collect(), workers)
    }

    /// Handles one message and tells JetStream how it went.
    async fn answer(&self, message: jetstream::Message) {
        let started = tokio::time::Instant::now();
        let (deliveries, lag) = message.info().map_or((1, 0), |info| (info.delivered, info.pending));
        let genuine = |headers| Envelope::read_from(headers, &message.subject, self.consumer.source);
        let Some(envelope) = message.headers.as_ref().and_then(genuine) else {
            // Not of that service: nobody could ever handle it. Rights of NATS keep others from publishing in its name, but not from having
            // JetStream answer on its subjects.
            tracing::error!(
                service = self.service,
                source = self.consumer.source,
                "a message without envelope, or with that of another, was discarded"
            );
            metrics::counter!("messages_discarded_total", "service" => self.service).increment(1);
            let _ = message.ack_with(AckKind::Term).await;
            return;
        };
        let span = tracing::info_span!(
            "message", service = self.service, source = self.consumer.source, event = event_name(&message.subject),
            tenant = %envelope.tenant, stream_id = %envelope.stream_id, version = envelope.version.get(),
            trace_id = tracing::field::Empty,
        );
        telemetry::set_parent(&span, envelope.traceparent.as_deref());
        let (subject, headers) = (message.subject.to_string(), message.headers.clone().unwrap_or_default());
        let job = Job { envelope, subject, headers, bytes: message.payload.clone() };
        let verdict = Box::pin(self.handle(&job, deliveries)).instrument(span).await;
        let told = match verdict {
            Verdict::Done => message.ack().await,
            Verdict::Again => message.ack_with(AckKind::Nak(Some(wait(deliveries)))).await,
        };
        if let Err(fault) = told {
            // It will be delivered again and then be discarded or handled.
            tracing::debug!(service = self.service, error = %fault, "an acknowledgement was not sent");
        }
        metrics::gauge!("consumer_lag_messages", "service" => self.service, "source" => self.consumer.source)
            .set(lag as f64);
        metrics::histogram!(
            "messaging_process_duration_seconds", "service" => self.service, "source" => self.consumer.source,
            "outcome" => if verdict == Verdict::Done { "done" } else { "again" },
        )
        .record(started.elapsed().as_secs_f64());
    }

    async fn handle(&self, job: &Job, deliveries: i64) -> Verdict {
        match Box::pin(self.settle(job)).await {
            Outcome::Over { waited_for } => {
                if waited_for {
                    Box::pin(self.catch_up(&Line::of(&job.envelope))).await;
                }
                Verdict::Done
            }
            Outcome::TooEarly if deliveries > PROMPT => Box::pin(self.let_wait(job)).await,
            Outcome::Again | Outcome::TooEarly => Verdict::Again,
        }
    }

    /// Handles a message or parks it, if its turn has come.
    async fn settle(&self, job: &Job) -> Outcome {
        let outcome = self.try_to_settle(job).await;
        if matches!(outcome, Outcome::Over { .. }) {
            self.failures.forget(job.envelope.event_id);
        }
        outcome
    }

    async fn try_to_settle(&self, job: &Job) -> Outcome {
        match self.attempt(job).await {
            Ok(Turn::Ours { waited_for }) => Outcome::Over { waited_for },
            Ok(Turn::Seen) => Outcome::Over { waited_for: false },
            Ok(Turn::BehindParked) => Box::pin(self.park(job, Reason::Behind)).await,
            Ok(Turn::TooEarly) => Outcome::TooEarly,
            Ok(Turn::Forked { heard }) => {
                tracing::error!(
                    heard,
                    "the source was brought back to before what was heard of it; the message is parked"
                );
                let reason = format!(
                    "{} was brought back to an earlier moment: after this history's version {}, others were heard up to {heard} that are gone",
                    self.consumer.source,
                    job.envelope.previous_for(self.service),
                );
                Box::pin(self.park(job, Reason::Itself(&reason))).await
            }
            // Nobody waits for it any more.
            Err(Error::TenantClosed) => {
                metrics::counter!(
                    "messages_of_closed_tenants_total", "service" => self.service, "source" => self.consumer.source
                )
                .increment(1);
                Outcome::Over { waited_for: false }
            }
            Err(fault) => {
                let tries = tries(&fault);
                if tries.is_none_or(|tries| self.failures.another(job.envelope.event_id) < tries) {
                    tracing::debug!(error = %Chain(&fault), "a message is tried again");
                    return Outcome::Again;
                }
                let reason = Chain(&fault).to_string();
                tracing::error!(error = reason, "a message cannot be handled and is parked");
                Box::pin(self.park(job, Reason::Itself(&reason))).await
            }
        }
    }

    /// Handles it, if it is its turn, in one transaction.
    async fn attempt(&self, job: &Job) -> Result<Turn> {
        guarded(WORK, Box::pin(self.carry_out(job))).await
    }

    async fn carry_out(&self, job: &Job) -> Result<Turn> {
        let mut work = self.engine.begin(&self.call(&job.envelope)).await?;
        let turn = advance(&mut work.tx, &self.name(), &job.envelope, self.service).await?;
        if matches!(turn, Turn::Ours { .. }) {
            self.run_handler(&mut work, &job.subject, &job.bytes).await?;
            work.commit().await?;
            self.memory.handled(&job.envelope);
        }
        Ok(turn)
    }

    async fn run_handler(&self, work: &mut Work, subject: &str, bytes: &[u8]) -> Result<()> {
        // steward.<tenant>.<service>.<suffix>; events nobody here handles only move the order on.
        let suffix = subject.splitn(4, '.').nth(3).unwrap_or_default();
        match self.consumer.handlers.get(suffix) {
            Some(handler) => handler(&self.app, work, bytes).await,
            None => Ok(()),
        }
    }

    fn call(&self, envelope: &Envelope) -> Call {
        let mut call = Call::internal(Actor::service(envelope.tenant, self.consumer.source));
        call.occurred_at = Some(envelope.recorded_at);
        call.cause = Some(envelope.event_id);
        call.traceparent = telemetry::current_traceparent().or_else(|| envelope.traceparent.clone());
        call
    }
}

/// Moves the listener's version on, if it stands where this message expects it.
async fn advance(tx: &mut Tx, consumer: &str, envelope: &Envelope, listener: &str) -> Result<Turn> {
    let tenant = tx.tenant();
    let previous = envelope.previous_for(listener);
    let statement = if previous == 0 {
        "INSERT INTO inbox (tenant_id, consumer, aggregate, stream_id, version, heard_version, heard_at, heard_chain)
         VALUES ($1, $2, $3, $4, $5, $5, $7, $8)
         ON CONFLICT (tenant_id, consumer, aggregate, stream_id)
         DO UPDATE SET version = excluded.version, heard_version = excluded.version, heard_at = excluded.heard_at, heard_chain = excluded.heard_chain
         WHERE inbox.version = $6 AND NOT inbox.parked AND (inbox.forked_at IS NULL OR inbox.forked_at <= $7)
         RETURNING EXISTS (SELECT FROM early_message WHERE consumer = $2 AND tenant_id = $1 AND aggregate = $3 AND stream_id = $4)"
    } else {
        "UPDATE inbox SET version = $5, heard_version = $5, heard_at = $7, heard_chain = $8
         WHERE tenant_id = $1 AND consumer = $2 AND aggregate = $3 AND stream_id = $4 AND version = $6 AND NOT parked
           AND (forked_at IS NULL OR forked_at <= $7)
         RETURNING EXISTS (SELECT FROM early_message WHERE consumer = $2 AND tenant_id = $1 AND aggregate = $3 AND stream_id = $4)"
    };
    let moved: Option<bool> = sqlx::query_scalar(statement)
        .bind(tenant.get())
        .bind(consumer)
        .bind(&envelope.aggregate)
        .bind(envelope.stream_id)
        .bind(envelope.version.get())
        .bind(previous)
        .bind(envelope.recorded_at)
        .bind(envelope.chain.as_deref())
        .fetch_optional(tx.conn())
        .await?;
    if let Some(waited_for) = moved {
        return Ok(Turn::Ours { waited_for });
    }
    let stands: Option<(i32, bool, Option<DateTime<Utc>>, bool)> = sqlx::query_as(
        "SELECT version, parked, CASE WHEN heard_version = version THEN heard_at END, coalesce(forked_at > $5, false)
         FROM inbox WHERE tenant_id = $1 AND consumer = $2 AND aggregate = $3 AND stream_id = $4",
    )
    .bind(tenant.get())
    .bind(consumer)
    .bind(&envelope.aggregate)
    .bind(envelope.stream_id)
    .bind(envelope.recorded_at)
    .fetch_optional(tx.conn())
    .await?;
    let Some((heard, parked, heard_at, is_lost)) = stands else { return Ok(Turn::TooEarly) };
    let is_later = heard_at.is_some_and(|heard_at| heard_at < envelope.recorded_at);
    Ok(if is_later && heard > previous {
        if parked { Turn::BehindParked } else { Turn::Forked { heard } }
    } else if heard >= envelope.version.get() || is_lost {
        // Heard before, or of a stretch that was lost.
        Turn::Seen
    } else if parked {
        Turn::BehindParked
    } else {
        Turn::TooEarly
    })
}

/// Puts back what was delivered and not begun: another replica has it at once, and not only when the time for an acknowledgement is over.
async fn give_back(batch: &mut pull::Batch) {
    while let Ok(Some(Ok(message))) = tokio::time::timeout(LAST_CALL, batch.next()).await {
        let _ = message.ack_with(AckKind::Nak(None)).await;
    }
}

/// Gives a message to the lane of its aggregate.
async fn dispatch(lanes: &[mpsc::Sender<jetstream::Message>], message: jetstream::Message) -> anyhow::Result<()> {
    let mut hash = DefaultHasher::new();
    if let Some(id) = message.headers.as_ref().and_then(|headers| headers.get("steward-stream-id")) {
        id.as_str().hash(&mut hash);
    }
    let lane = usize::try_from(hash.finish() % LANES as u64).unwrap_or_default();
    lanes[lane].send(message).await.map_err(|_| anyhow::anyhow!("a lane ended"))
}

/// How often a message is tried that fails so; `None`: as long as it takes.
fn tries(fault: &Error) -> Option<u32> {
    match fault {
        // Nothing can be written down either, and nothing is wrong with the message.
        Error::Unavailable { .. } => None,
        Error::Busy | Error::TimedOut | Error::TooManyRequests { .. } => Some(TRIES.1),
        Error::Internal { cause, .. } if cause.is::<Undecodable>() || cause.is::<Panicked>() => Some(1),
        // What is not there may still come from another source.
        Error::Internal { .. } | Error::NotFound | Error::Stale { .. } => Some(TRIES.0),
        Error::Refused { .. }
        | Error::Malformed(_)
        | Error::Invalid(_)
        | Error::Sheet(_)
        | Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::TenantClosed
        | Error::PreconditionRequired
        | Error::KeyReused
        | Error::TooLarge(_)
        | Error::UnsupportedMediaType(_) => Some(1),
    }
}

/// How long until the next delivery: doubles, up to a limit.
fn wait(deliveries: i64) -> Duration {
    let exponent = u32::try_from(deliveries).unwrap_or(1).clamp(1, 16) - 1;
    (RETRY.0 * 2_u32.pow(exponent)).min(RETRY.1)
}

/// `complaint-decided.v1` of a subject.
fn event_name(subject: &str) -> &str {
    subject.splitn(4, '.').nth(3).unwrap_or_default()
}
