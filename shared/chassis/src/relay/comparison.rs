//! Whether the stream holds what the log says. The leader compares them once a second, and when a listener asks.
//!
//! A stream that has lost something (it is new, an old copy, was emptied, or had a limit) gets it again. One that has what the log does not
//! know stands beside a log that was brought back to an earlier moment: what it says never happened. That is written down for a person to
//! act on, and the stream is emptied and filled anew. Listeners discard what they have seen.

use async_nats::jetstream::{
    ErrorCode,
    stream::{LastRawMessageErrorKind, Stream},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::{LONGEST, Led, Relay};
use crate::{Clock, lifecycle::State, messages::Envelope, pool::within, streams::is_limited};

/// How much earlier than its time a message may be gone: clocks differ.
const SLACK: TimeDelta = TimeDelta::hours(1);
/// Messages that are looked for in the log at once, those that are asked for at the same time, and how far back it is looked at all.
const PAGE: (u64, usize, u64) = (512, 64, 200_000);

/// What the stream is now.
#[derive(Debug)]
struct Found {
    created: DateTime<Utc>,
    /// Sequence of the oldest message, and when the stream took it; of none, the one that comes next.
    first: (i64, Option<DateTime<Utc>>),
    last: i64,
    /// How long it keeps a message; `None`: for ever.
    keep: Option<TimeDelta>,
}

/// What it is that the log gets wrong, or the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Messages are gone.
    Lost,
    /// It has events that the log does not know.
    Ahead,
}

/// An event that is in the stream and not in the log.
#[derive(Debug)]
struct Unknown {
    envelope: Envelope,
    suffix: String,
}

impl Found {
    fn of(stream: &Stream) -> anyhow::Result<Self> {
        let info = stream.cached_info();
        let state = &info.state;
        let micros = |at: DateTime<Utc>| DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
        let first = if state.messages == 0 {
            (i64::try_from(state.last_sequence)? + 1, None)
        } else {
            (i64::try_from(state.first_sequence)?, Some(micros(state.first_timestamp)))
        };
        let keep = TimeDelta::from_std(info.config.max_age).ok().filter(|age| !age.is_zero());
        Ok(Self { created: micros(info.created), first, last: i64::try_from(state.last_sequence)?, keep })
    }

    /// Whether its oldest message of then is gone before its time.
    fn is_cut_off(&self, then: Option<i64>, at: Option<DateTime<Utc>>) -> bool {
        let (Some(then), Some(at)) = (then, at) else { return false };
        let is_over = self.keep.is_some_and(|keep| at + keep <= Clock::System.now() + SLACK);
        self.first.0 > then && !is_over
    }
}

impl Relay {
    /// Makes the stream if it is missing, and has published again what it should hold if something is wrong with it.
    pub(super) async fn compare(&self, led: &mut Led<'_>) -> anyhow::Result<()> {
        let stream = self.messages.own_stream(self.service, self.config.keep).await?;
        let found = Found::of(&stream)?;
        let known = led.remembered().await?;
        let same = known.stream_created == Some(found.created);
        let cut_off = same && found.is_cut_off(known.first_sequence, known.first_at);
        if cut_off && is_limited(&stream.cached_info().config) {
            // Published again, they would be gone again.
            self.health.set("stream", State::Degraded, "the stream has a limit and loses events before their time");
            return Ok(());
        }
        self.health.set("stream", State::Ok, "");
        let behind = if same { known.last_sequence } else { 0 };
        let fault = if self.is_ahead(led, &stream, behind.max(found.first.0 - 1), found.last).await? {
            Some(Fault::Ahead)
        } else if !same || found.last < known.last_sequence || cut_off {
            Some(Fault::Lost)
        } else {
            None
        };
        let Some(fault) = fault else {
            if (known.first_sequence, known.first_at, known.last_sequence)
                != (Some(found.first.0), found.first.1, found.last)
            {
                let kept = sqlx::query(
                    "UPDATE relay_state SET first_sequence = $1, first_at = $2, last_sequence = greatest(last_sequence, $3)",
                );
                within(
                    led.patience,
                    kept.bind(found.first.0).bind(found.first.1).bind(found.last).execute(&mut *led.connection),
                )
                .await?;
            }
            return Ok(());
        };
        if fault == Fault::Ahead {
            // First of all the stream is not known any more: whoever comes after us begins here.
            let forgotten = sqlx::query("UPDATE relay_state SET stream_created = NULL").execute(&mut *led.connection);
            within(led.patience, forgotten).await?;
            stream.purge().await?;
        }
        self.fill(led, &found).await?;
        if fault == Fault::Ahead {
            metrics::counter!("relay_restores_total", "service" => self.service).increment(1);
            tracing::error!(
                service = self.service,
                "the log was brought back to an earlier moment; the stream is emptied and filled anew"
            );
        } else if known.stream_created.is_some() {
            metrics::counter!("relay_replays_total", "service" => self.service).increment(1);
            tracing::warn!(service = self.service, "the stream lost messages; publishing them again");
        }
        Ok(())
    }

    /// Has published again what the stream would hold, and no more: nobody can lack what is older, and for this it has room. Counted from the
    /// newest event, since the database may be one that was restored.
    async fn fill(&self, led: &mut Led<'_>, found: &Found) -> anyhow::Result<()> {
        let forgotten = sqlx::query(
            "UPDATE relay_state SET stream_created = $1, last_sequence = $2, first_sequence = NULL, first_at = NULL,
                    replay_next = least((SELECT min(position) FROM outbox), coalesce((
                        SELECT position + 1 FROM event WHERE recorded_at < (
                            SELECT recorded_at FROM event ORDER BY position DESC LIMIT 1) - make_interval(secs => $3)
                        ORDER BY position DESC LIMIT 1), 0)),
                    replay_end = (SELECT coalesce(max(position), 0) FROM event WHERE suffix IS NOT NULL)",
        )
        .bind(found.created)
        .bind(found.last)
        .bind(self.config.keep.as_secs_f64());
        // Reads through what the stream would hold, which may be much; and it would be of no use to begin again and again.
        let rows = within(LONGEST, forgotten.execute(&mut *led.connection)).await?;
        debug_assert_eq!(rows.rows_affected(), 1);
        Ok(())
    }

    /// The same, whatever the comparison says: for a listener whose own database was brought back, and that knows no more what it has heard.
    pub(super) async fn fill_for_listener(&self, led: &mut Led<'_>) -> anyhow::Result<()> {
        let stream = self.messages.own_stream(self.service, self.config.keep).await?;
        self.fill(led, &Found::of(&stream)?).await
    }

    /// Whether the stream has, behind that sequence, events that the log does not know; they are written down.
    async fn is_ahead(&self, led: &mut Led<'_>, stream: &Stream, behind: i64, last: i64) -> anyhow::Result<bool> {
        let (behind, last) = (u64::try_from(behind)?, u64::try_from(last)?);
        let mut from = (behind + 1).max(last.saturating_sub(PAGE.2));
        let mut is_ahead = false;
        while from <= last {
            let to = last.min(from + PAGE.0 - 1);
            let told: Vec<Option<Unknown>> = futures::stream::iter(from..=to)
                .map(|sequence| self.told(stream, sequence))
                .buffered(PAGE.1)
                .try_collect()
                .await?;
            let mut unknown: Vec<Unknown> = told.into_iter().flatten().collect();
            let ids: Vec<Uuid> = unknown.iter().map(|one| one.envelope.event_id.into()).collect();
            // By its place in its history, which has an index.
            let found = sqlx::query_scalar(
                "SELECT event.event_id FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[]) AS told (tenant_id, aggregate, stream_id, version)
                 JOIN event USING (tenant_id, aggregate, stream_id, version) WHERE event.event_id = ANY($5)",
            )
            .bind(unknown.iter().map(|one| one.envelope.tenant.get()).collect::<Vec<_>>())
            .bind(unknown.iter().map(|one| one.envelope.aggregate.clone()).collect::<Vec<_>>())
            .bind(unknown.iter().map(|one| one.envelope.stream_id).collect::<Vec<_>>())
            .bind(unknown.iter().map(|one| one.envelope.version.get()).collect::<Vec<_>>())
            .bind(&ids)
            .fetch_all(&mut *led.connection);
            let found: Vec<Uuid> = within(led.patience, found).await?;
            // The log of a company that was deleted is meant to be gone.
            let closed = self.db.tenants.closed();
            unknown.retain(|one| {
                !found.contains(&one.envelope.event_id.into()) && !closed.contains(&one.envelope.tenant.get())
            });
            if !unknown.is_empty() {
                is_ahead = true;
                self.write_down(led, &unknown).await?;
            }
            from = to + 1;
        }
        Ok(is_ahead)
    }

    /// What a message of the stream says that it is; `None` when it is gone, or not one of ours.
    async fn told(&self, stream: &Stream, sequence: u64) -> anyhow::Result<Option<Unknown>> {
        let message = match stream.get_raw_message(sequence).await {
            Ok(message) => message,
            Err(fault) => match fault.kind() {
                LastRawMessageErrorKind::NoMessageFound => return Ok(None),
                LastRawMessageErrorKind::JetStream(problem) if problem.error_code() == ErrorCode::NO_MESSAGE_FOUND => {
                    return Ok(None);
                }
                _ => return Err(anyhow::Error::from(fault).context("the stream cannot be looked into")),
            },
        };
        let envelope = Envelope::read_from(&message.headers, &message.subject, self.service);
        let suffix = message.subject.splitn(4, '.').nth(3).unwrap_or_default().to_owned();
        Ok(envelope.map(|envelope| Unknown { envelope, suffix }))
    }

    async fn write_down(&self, led: &mut Led<'_>, unknown: &[Unknown]) -> anyhow::Result<()> {
        let written = sqlx::query(
            "INSERT INTO lost_event (event_id, tenant_id, aggregate, stream_id, version, suffix, recorded_at, found_at)
             SELECT *, $8 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::timestamptz[])
             ON CONFLICT DO NOTHING",
        )
        .bind(unknown.iter().map(|one| Uuid::from(one.envelope.event_id)).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.envelope.tenant.get()).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.envelope.aggregate.clone()).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.envelope.stream_id).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.envelope.version.get()).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.suffix.clone()).collect::<Vec<_>>())
        .bind(unknown.iter().map(|one| one.envelope.recorded_at).collect::<Vec<_>>())
        .bind(self.clock.now())
        .execute(&mut *led.connection);
        within(led.patience, written).await?;
        Ok(())
    }
}
