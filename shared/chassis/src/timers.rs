//! What is due later: rows with a time, taken by any replica, fired exactly once.
//!
//! A timer is found under the platform's role and taken under the service's own: its row is deleted in the transaction that does
//! the work, and skipped when another replica holds it.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use steward_kernel::{Actor, TenantId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Call, Clock, Engine, Error, Result, Work,
    db::{Db, PATIENCE, WORK},
    error::Chain,
    lifecycle::{Health, State, guarded},
    pool::within,
};

/// Longest wait between two looks; a timer fires at most one second late (DESIGN §3).
const POLL: Duration = Duration::from_millis(250);
/// Timers found at a look, and worked at at the same time.
const BATCH: (i64, usize) = (200, 8);
/// How often it is looked whether there are timers that nobody here handles, and for how long such a one may be due: during a rollout,
/// the other version handles it.
const STRANGERS: (Duration, TimeDelta) = (Duration::from_secs(60), TimeDelta::minutes(10));
/// Name of the part of [`Health`] that says whether all timers have somebody who handles them.
const UNHANDLED: &str = "unhandled_timers";
/// How often a timer's work is begun again at once when somebody else is faster.
const ATTEMPTS: u32 = 5;
/// First and longest wait before a timer whose work failed is tried again; doubles in between.
const RETRY: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::minutes(15));

/// A due timer.
#[derive(Debug, Clone)]
pub struct Due {
    /// The aggregate it belongs to.
    pub stream_id: Uuid,
    /// When it was due.
    pub due_at: DateTime<Utc>,
}

type Handler<A> = Arc<dyn for<'a> Fn(&'a A, &'a mut Work, Due) -> BoxFuture<'a, Result<()>> + Send + Sync>;

/// What a service does when a timer of that aggregate and name is due.
#[derive(Clone)]
pub struct Timer<A> {
    aggregate: &'static str,
    name: &'static str,
    handler: Handler<A>,
}

impl<A> Timer<A> {
    /// Handles the timer `name` of the aggregates called `aggregate`.
    pub fn on<F>(aggregate: &'static str, name: &'static str, handler: F) -> Self
    where
        F: for<'a> Fn(&'a A, &'a mut Work, Due) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    {
        Self { aggregate, name, handler: Arc::new(handler) }
    }
}

impl<A> std::fmt::Debug for Timer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Timer({}/{})", self.aggregate, self.name)
    }
}

#[derive(Debug, sqlx::FromRow)]
struct Found {
    tenant_id: Uuid,
    aggregate: String,
    stream_id: Uuid,
    name: String,
    due_at: DateTime<Utc>,
    attempts: i32,
    trace: Option<String>,
}

impl Found {
    fn key(&self) -> Key {
        (self.tenant_id, self.aggregate.clone(), self.stream_id, self.name.clone())
    }
}

/// The loop that fires the timers of one service.
pub(crate) struct Loop<A> {
    pub service: &'static str,
    pub app: A,
    pub engine: Engine,
    pub db: Db,
    pub clock: Clock,
    pub health: Health,
    pub timers: Vec<Timer<A>>,
}

/// A timer: whose, kind of aggregate, which, name.
type Key = (Uuid, String, Uuid, String);

impl<A: Send + Sync> Loop<A> {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.engine.wake();
        let (mut found, mut keys, mut under_way) = (VecDeque::new(), HashSet::new(), FuturesUnordered::new());
        let (mut look, mut strangers_sought) = (true, None::<tokio::time::Instant>);
        while !stop.is_cancelled() {
            if found.is_empty() && std::mem::take(&mut look) {
                found = self.look(&keys).await;
            }
            if strangers_sought.is_none_or(|at| at.elapsed() >= STRANGERS.0) {
                self.seek_strangers().await;
                strangers_sought = Some(tokio::time::Instant::now());
            }
            // One that takes long holds up its own place only, not what is found later.
            while under_way.len() < BATCH.1
                && let Some(timer) = found.pop_front()
            {
                keys.insert(timer.key());
                under_way.push(self.fire(timer));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some((key, fired)) = under_way.next() => {
                    keys.remove(&key);
                    look |= fired;
                }
                () = wake.timers.notified() => look = true,
                () = tokio::time::sleep(POLL) => look = true,
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// What is due and not under way.
    async fn look(&self, under_way: &HashSet<Key>) -> VecDeque<Found> {
        match self.find().await {
            Ok(mut found) => {
                self.health.set("timers", State::Ok, "");
                found.retain(|timer| !under_way.contains(&timer.key()));
                found.into()
            }
            Err(fault) => {
                self.health.set("timers", State::Degraded, "cannot look for due timers");
                tracing::warn!(service = self.service, error = %fault, "timers interrupted");
                VecDeque::new()
            }
        }
    }

    async fn find(&self) -> Result<Vec<Found>> {
        let now = self.clock.now();
        let found = within(PATIENCE, self.due(now)).await?;
        let lag = found.first().map_or(0.0, |timer| (now - timer.due_at).as_seconds_f64());
        metrics::gauge!("timer_lag_seconds", "service" => self.service).set(lag);
        Ok(found)
    }

    /// Says which timers are long due and handled by nobody: they would rest for ever.
    async fn seek_strangers(&self) {
        let (aggregates, names) = self.known();
        let strangers = sqlx::query_scalar(
            "SELECT DISTINCT aggregate || '/' || name FROM timer WHERE due_at <= $1 AND tenant_id <> ALL($2)
               AND (aggregate, name) NOT IN (SELECT * FROM unnest($3::text[], $4::text[])) ORDER BY 1 LIMIT 5",
        )
        .bind(self.clock.now() - STRANGERS.1)
        .bind(self.db.tenants.closed())
        .bind(aggregates)
        .bind(names);
        let found: Result<Vec<String>> =
            within(PATIENCE, async { strangers.fetch_all(&mut *self.db.lend().await?).await.map_err(Error::from) })
                .await;
        match found {
            Ok(found) if found.is_empty() => self.health.set(UNHANDLED, State::Ok, ""),
            Ok(found) => self.health.set(UNHANDLED, State::Degraded, format!("nobody handles {}", found.join(", "))),
            Err(fault) => tracing::debug!(service = self.service, error = %fault, "timers that nobody handles"),
        }
    }

    fn known(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        self.timers.iter().map(|timer| (timer.aggregate, timer.name)).unzip()
    }

    async fn fire(&self, timer: Found) -> (Key, bool) {
        let fired = self.fire_one(&timer).await;
        (timer.key(), fired)
    }

    async fn due(&self, now: DateTime<Utc>) -> Result<Vec<Found>> {
        let mut connection = self.db.lend().await?;
        let (aggregates, names) = self.known();
        // Only what is handled here: in a rollout the new version has timers that the old one would put off again and again.
        let due = sqlx::query_as(
            "SELECT tenant_id, aggregate, stream_id, name, due_at, attempts, trace
             FROM timer WHERE due_at <= $1 AND tenant_id <> ALL($3)
               AND (aggregate, name) IN (SELECT * FROM unnest($4::text[], $5::text[]))
             ORDER BY due_at LIMIT $2",
        );
        let due = due.bind(now).bind(BATCH.0).bind(self.db.tenants.closed()).bind(aggregates).bind(names);
        Ok(due.fetch_all(&mut *connection).await?)
    }

    /// Fires one; whether it did.
    async fn fire_one(&self, timer: &Found) -> bool {
        let mut outcome = self.attempt(timer).await;
        for _ in 1..ATTEMPTS {
            // Somebody else was faster with the same aggregate: as a request does, begin again at once.
            if !matches!(outcome, Err(Error::Busy)) {
                break;
            }
            outcome = self.attempt(timer).await;
        }
        match outcome {
            Ok(fired) => {
                metrics::counter!("timers_fired_total", "service" => self.service).increment(u64::from(fired));
                fired
            }
            Err(Error::TenantClosed) => false,
            Err(fault) => {
                tracing::warn!(service = self.service, timer = timer.name, error = %Chain(&fault), "a timer's work failed; it is tried again");
                if let Err(fault) = within(WORK, self.postpone(timer, fault.is_passing())).await {
                    tracing::warn!(service = self.service, error = %fault, "a timer could not be put off");
                }
                false
            }
        }
    }

    async fn attempt(&self, timer: &Found) -> Result<bool> {
        guarded(WORK, Box::pin(self.carry_out(timer))).await
    }

    async fn carry_out(&self, timer: &Found) -> Result<bool> {
        let mut call = Call::internal(Actor::service(TenantId::from(timer.tenant_id), self.service));
        call.traceparent.clone_from(&timer.trace);
        let mut work = self.engine.begin(&call).await?;
        // Taken by key, unless put off meanwhile; a row that another replica holds is skipped. With `=` for the time, the
        // index of times would be used, and everything due at the same instant be read for each.
        let taken = sqlx::query(
            "DELETE FROM timer USING (
                 SELECT ctid FROM timer WHERE tenant_id = $1 AND aggregate = $2 AND stream_id = $3 AND name = $4
                     AND due_at IS NOT DISTINCT FROM $5
                 FOR UPDATE SKIP LOCKED
             ) mine WHERE timer.ctid = mine.ctid",
        )
        .bind(timer.tenant_id)
        .bind(&timer.aggregate)
        .bind(timer.stream_id)
        .bind(&timer.name)
        .bind(timer.due_at)
        .execute(work.tx.conn())
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        let handler = self
            .timers
            .iter()
            .find(|known| known.aggregate == timer.aggregate && known.name == timer.name)
            .ok_or_else(|| {
            Error::internal("timer", format!("nobody handles {}/{}", timer.aggregate, timer.name))
        })?;
        let due = Due { stream_id: timer.stream_id, due_at: timer.due_at };
        (handler.handler)(&self.app, &mut work, due).await?;
        work.commit().await?;
        Ok(true)
    }

    /// Puts it off: for longer each time that it failed for a reason of its own, not when something was away or in the way.
    async fn postpone(&self, timer: &Found, passing: bool) -> Result<()> {
        let exponent = u32::try_from(timer.attempts).unwrap_or_default().min(10);
        let wait = if passing { RETRY.0 } else { (RETRY.0 * 2_i32.pow(exponent)).min(RETRY.1) };
        let mut tx = self.db.begin(TenantId::from(timer.tenant_id)).await?;
        sqlx::query(
            "UPDATE timer SET due_at = $6, attempts = attempts + $7
             WHERE tenant_id = $1 AND aggregate = $2 AND stream_id = $3 AND name = $4 AND due_at IS NOT DISTINCT FROM $5",
        )
        .bind(timer.tenant_id)
        .bind(&timer.aggregate)
        .bind(timer.stream_id)
        .bind(&timer.name)
        .bind(timer.due_at)
        .bind(self.clock.now() + wait)
        .bind(i32::from(!passing))
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }
}
