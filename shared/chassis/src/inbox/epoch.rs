//! Whether the listener's own database is what it was. One that was brought back to an earlier moment knows no more what it has heard, and
//! JetStream does not deliver again what was acknowledged. So nothing is heard before each source has compared its stream with its own log,
//! which may have been brought back as well, and publishes again what the stream should hold.
//!
//! It shows by the epoch of the data, which stands beside them for each consumer. A failover changes the epoch, too; whoever lived through
//! it asks whether what it handled last is there. Mostly it is, and nothing has to be done.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::consumer::PullConsumer;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Loop;
use crate::{
    Result,
    db::{PATIENCE, epoch},
    lifecycle::State,
    messages::Envelope,
    pool::within,
};

/// Messages handled last that are remembered.
const REMEMBERED: usize = 64;
/// How often it is looked whether the data are of the same epoch.
const LOOK: Duration = Duration::from_secs(1);
/// How often a source is asked until it answers.
const ASK: Duration = Duration::from_secs(2);

/// The epoch of the data that this process works on, and what it handled last in it.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    epoch: Option<i64>,
    looked: Option<Instant>,
    handled: VecDeque<(Uuid, String, Uuid, i32)>,
}

impl Memory {
    fn get(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message was handled, and that is committed.
    pub(super) fn handled(&self, envelope: &Envelope) {
        let Envelope { tenant, aggregate, stream_id, version, .. } = envelope;
        let handled = &mut self.get().handled;
        handled.truncate(REMEMBERED - 1);
        handled.push_front((tenant.get(), aggregate.clone(), *stream_id, version.get()));
    }
}

/// The database was brought back, and the source has not answered yet.
#[derive(Debug, thiserror::Error)]
#[error("the database was brought back to an earlier state; waits until the source has looked through its stream")]
pub(super) struct BroughtBack;

impl<A: Clone + Send + Sync + 'static> Loop<A> {
    /// Whether the data are of another epoch than they were.
    pub(super) async fn is_another_epoch(&self) -> bool {
        let known = {
            let mut memory = self.memory.get();
            if memory.looked.is_some_and(|at| at.elapsed() < LOOK) {
                return false;
            }
            memory.looked = Some(Instant::now());
            memory.epoch
        };
        let now = within(PATIENCE, Box::pin(self.epochs())).await;
        // While the database is away nothing is handled anyway.
        now.is_ok_and(|(now, _)| known != Some(now))
    }

    /// Makes sure that what this database lacks is heard again; before that nothing is to be heard.
    pub(super) async fn be_sure_of_the_past(
        &self,
        consumer: &PullConsumer,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let (now, noted) = within(PATIENCE, Box::pin(self.epochs())).await?;
        let mine = self.memory.get().epoch;
        let is_brought_back = match (mine, noted) {
            (Some(mine), _) if mine == now => return Ok(()),
            (Some(_), _) => !within(PATIENCE, Box::pin(self.has_what_was_handled())).await?,
            (None, Some(noted)) => noted != now,
            // Nobody has noted an epoch: an older version, or what it heard is gone altogether.
            (None, None) => {
                consumer.cached_info().ack_floor.stream_sequence > 0
                    && within(PATIENCE, Box::pin(self.has_heard_nothing())).await?
            }
        };
        if is_brought_back {
            tracing::error!(
                service = self.service,
                source = self.consumer.source,
                "the database was brought back to an earlier state; hearing again"
            );
            self.ask_source(stop).await?;
        }
        let noted = sqlx::query("UPDATE relay_state SET epochs = epochs || jsonb_build_object($1::text, $2::bigint)")
            .bind(self.name())
            .bind(now)
            .execute(&self.engine.db().platform);
        within::<_, sqlx::Error>(PATIENCE, noted).await?;
        let mut memory = self.memory.get();
        memory.epoch = Some(now);
        memory.handled.clear();
        Ok(())
    }

    /// The epoch of the data, and the one that was noted beside them.
    async fn epochs(&self) -> Result<(i64, Option<i64>)> {
        let epochs = concat!("SELECT ", epoch!(), ", (epochs ->> $1)::bigint FROM relay_state");
        Ok(sqlx::query_as(epochs).bind(self.name()).fetch_one(&self.engine.db().platform).await?)
    }

    /// Whether all is there that this process has handled last.
    async fn has_what_was_handled(&self) -> Result<bool> {
        let handled: Vec<_> = self.memory.get().handled.iter().cloned().collect();
        let missing: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::int[]) AS handled (tenant_id, aggregate, stream_id, version)
             LEFT JOIN inbox ON inbox.consumer = $1 AND inbox.tenant_id = handled.tenant_id AND inbox.aggregate = handled.aggregate
                 AND inbox.stream_id = handled.stream_id AND inbox.version >= handled.version
             WHERE inbox.version IS NULL",
        )
        .bind(self.name())
        .bind(handled.iter().map(|one| one.0).collect::<Vec<_>>())
        .bind(handled.iter().map(|one| one.1.clone()).collect::<Vec<_>>())
        .bind(handled.iter().map(|one| one.2).collect::<Vec<_>>())
        .bind(handled.iter().map(|one| one.3).collect::<Vec<_>>())
        .fetch_one(&self.engine.db().platform)
        .await?;
        Ok(missing == 0)
    }

    async fn has_heard_nothing(&self) -> Result<bool> {
        let none = sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM inbox WHERE consumer = $1)");
        Ok(none.bind(self.name()).fetch_one(&self.engine.db().platform).await?)
    }

    /// Has the source look through its stream and publish again what it should hold.
    async fn ask_source(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        self.health.set(self.consumer.source, State::Degraded, BroughtBack.to_string());
        let (client, subjects) = (self.messages.js.client(), &self.messages.subjects);
        let mut answers = client.subscribe(subjects.looked(self.consumer.source)).await?;
        loop {
            client.publish(subjects.ask(self.consumer.source), Bytes::new()).await?;
            tokio::select! {
                () = stop.cancelled() => return Err(BroughtBack.into()),
                answer = answers.next() => return answer.map(drop).ok_or_else(|| BroughtBack.into()),
                // Nobody may lead there yet.
                () = tokio::time::sleep(ASK) => {}
            }
        }
    }
}
