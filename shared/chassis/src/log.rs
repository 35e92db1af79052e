//! The SQL of the event log and of command keys. Used by the engine only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, Row as _};
use steward_kernel::{ActorId, EventId, Recorded, Version, message::Outgoing};
use uuid::Uuid;

use crate::{CommandKey, Error, Result, db::Tx};

/// One row of the log as it is read.
#[derive(Debug, FromRow)]
pub(crate) struct Row {
    pub event_id: Uuid,
    pub version: i32,
    pub actor: String,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub payload: String,
    pub hash: Vec<u8>,
    pub suffix: Option<String>,
}

impl Row {
    /// The event in it.
    pub(crate) fn recorded<E: serde::de::DeserializeOwned>(&self) -> Result<Recorded<E>> {
        let body = serde_json::from_str(&self.payload).map_err(|fault| Error::internal("stored event", fault))?;
        Ok(Recorded {
            event_id: EventId::from(self.event_id),
            version: Version(self.version),
            actor: ActorId::new(self.actor.clone()),
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            body,
        })
    }
}

/// A key that is already claimed: for what, by whom, and with which request.
#[derive(Debug, FromRow)]
pub(crate) struct Claimed {
    command_key: String,
    fingerprint: Vec<u8>,
    caller: Option<Vec<u8>>,
    pub aggregate: String,
    pub stream_id: Uuid,
    pub version: i32,
    /// Who wrote the event that is the answer.
    actor: Option<String>,
}

impl Claimed {
    /// Whether it is the answer to this very request of this caller.
    pub(crate) fn answers(&self, key: &CommandKey, actor: &ActorId) -> bool {
        let same_caller = match &self.caller {
            Some(caller) => self.command_key == key.key && *caller == key.caller,
            None => self.is_former_claim_of(actor),
        };
        same_caller && self.fingerprint == key.fingerprint
    }

    /// Claims of former versions do not say whose they are: their text does, when it can be read in one way only, or else the event.
    fn is_former_claim_of(&self, actor: &ActorId) -> bool {
        self.command_key.matches(':').count() == 2 || self.actor.as_deref() == Some(actor.as_str())
    }
}

/// The claim of that key, if there is one.
pub(crate) async fn claimed(tx: &mut Tx, key: &CommandKey, actor: &ActorId) -> Result<Option<Claimed>> {
    let tenant = tx.tenant();
    let rows: Vec<Claimed> = sqlx::query_as(
        "SELECT command_key, fingerprint, caller, aggregate, stream_id, version,
                (SELECT actor FROM event e WHERE e.tenant_id = c.tenant_id AND e.aggregate = c.aggregate
                 AND e.stream_id = c.stream_id AND e.version = c.version)
         FROM command_log c WHERE tenant_id = $1 AND command_key IN ($2, $3)",
    )
    .bind(tenant.get())
    .bind(&key.key)
    .bind(key.former.as_ref().unwrap_or(&key.key))
    .fetch_all(tx.conn())
    .await?;
    // Under the former text may stand a claim of another subject and key; that is nothing to us.
    Ok(rows.into_iter().find(|row| row.command_key == key.key || row.answers(key, actor)))
}

/// All events of an aggregate up to a version, oldest first.
pub(crate) async fn load(tx: &mut Tx, aggregate: &str, id: Uuid, up_to: i32) -> Result<Vec<Row>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as(
        "SELECT event_id, version, actor, occurred_at, recorded_at, payload::text AS payload, hash, suffix
         FROM event WHERE tenant_id = $1 AND aggregate = $2 AND stream_id = $3 AND version <= $4 ORDER BY version",
    )
    .bind(tenant.get())
    .bind(aggregate)
    .bind(id)
    .bind(up_to)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// Whether one of these aggregates has got beyond the version that was read of it.
pub(crate) async fn has_moved(tx: &mut Tx, read: &BTreeMap<(&'static str, Uuid), i32>) -> Result<bool> {
    let tenant = tx.tenant();
    let moved = sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM unnest($2::text[], $3::uuid[], $4::int[]) AS read(aggregate, stream_id, version)
             JOIN event AS next USING (aggregate, stream_id)
             WHERE next.tenant_id = $1 AND next.version = read.version + 1
         )",
    )
    .bind(tenant.get())
    .bind(read.keys().map(|(aggregate, _)| *aggregate).collect::<Vec<_>>())
    .bind(read.keys().map(|(_, id)| *id).collect::<Vec<_>>())
    .bind(read.values().copied().collect::<Vec<_>>())
    .fetch_one(tx.conn())
    .await?;
    Ok(moved)
}

/// What a listener has seen of an aggregate: the last public event for all, and the last one for each receiver alone.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    common: i32,
    alone: BTreeMap<String, i32>,
}

impl Seen {
    /// From the log.
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut seen = Self::default();
        for row in rows {
            if let Some(suffix) = &row.suffix {
                // `<event>.v1` is for all, `<event>.v1.<receiver>` for one.
                seen.note(row.version, suffix.split('.').nth(2));
            }
        }
        seen
    }

    fn note(&mut self, version: i32, receiver: Option<&str>) {
        match receiver {
            None => self.common = version,
            Some(receiver) => {
                self.alone.insert(receiver.to_owned(), version);
            }
        }
    }

    /// What goes into `steward-previous` of the next message, which is then noted: the version that its listeners saw before.
    ///
    /// `3` for all; `3 complaint=4` when complaint alone has seen a later one.
    pub(crate) fn previous(&mut self, version: i32, outgoing: &Outgoing) -> String {
        let text = match outgoing.receiver {
            Some(receiver) => self.common.max(self.alone.get(receiver).copied().unwrap_or_default()).to_string(),
            None => self
                .alone
                .iter()
                .filter(|(_, at)| **at > self.common)
                .fold(self.common.to_string(), |text, (receiver, at)| format!("{text} {receiver}={at}")),
        };
        self.note(version, outgoing.receiver);
        text
    }
}

/// An event ready to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub event_id: Uuid,
    pub version: i32,
    pub kind: String,
    pub occurred_at: DateTime<Utc>,
    pub payload: String,
    pub hash: Vec<u8>,
    pub outgoing: Option<(Outgoing, String)>,
}

/// Everything that one command writes to the platform's tables.
#[derive(Debug)]
pub(crate) struct Append<'a> {
    pub aggregate: &'static str,
    pub stream_id: Uuid,
    pub actor: &'a ActorId,
    pub recorded_at: DateTime<Utc>,
    pub trace: Option<&'a str>,
    pub drafts: &'a [Draft],
    pub set: &'a [(&'static str, DateTime<Utc>)],
    pub clear: &'a [&'static str],
    pub key: Option<&'a CommandKey>,
    /// The version that the key stands for: that of the aggregate afterwards.
    pub version: i32,
}

/// How an append went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// All written.
    Done,
    /// Somebody wrote that version first.
    Overtaken,
    /// Somebody claimed the key first.
    KeyTaken,
}

/// Writes events, outbox, timers and key in one statement: round trips are the price of a small transaction.
pub(crate) async fn append(tx: &mut Tx, a: &Append<'_>) -> Result<Appended> {
    let tenant = tx.tenant().get();
    let d = a.drafts;
    let row = sqlx::query(APPEND)
        .bind(tenant)
        .bind(a.aggregate)
        .bind(a.stream_id)
        .bind(a.actor.as_str())
        .bind(a.recorded_at)
        .bind(a.trace)
        .bind(d.iter().map(|e| e.event_id).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.version).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.occurred_at).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.payload.as_str()).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.hash.as_slice()).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.outgoing.as_ref().map(|(o, _)| o.suffix.as_str())).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.outgoing.as_ref().map(|(o, _)| o.bytes.as_slice())).collect::<Vec<_>>())
        .bind(d.iter().map(|e| e.outgoing.as_ref().map(|(_, p)| p.as_str())).collect::<Vec<_>>())
        .bind(a.set.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        .bind(a.set.iter().map(|(_, due)| *due).collect::<Vec<_>>())
        .bind(a.clear)
        .bind(a.key.map(|key| key.key.as_str()))
        .bind(a.key.map(|key| key.fingerprint.as_slice()))
        .bind(a.version)
        .bind(a.key.map(|key| key.caller.as_slice()))
        .fetch_one(tx.conn())
        .await?;
    let (claims, events): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if a.key.is_some() && claims == 0 {
        Appended::KeyTaken
    } else if usize::try_from(events) != Ok(d.len()) {
        Appended::Overtaken
    } else {
        Appended::Done
    })
}

const APPEND: &str = "
WITH claimed AS (
    INSERT INTO command_log (tenant_id, command_key, fingerprint, aggregate, stream_id, version, claimed_at, caller)
    SELECT $1, $19, $20, $2, $3, $21, $5, $22 WHERE $19::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1
), appended AS (
    INSERT INTO event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, trace,
                       payload, hash, suffix, message, previous)
    SELECT e.event_id, $1, $2, $3, e.version, e.kind, $4, e.occurred_at, $5, $6, e.payload::json, e.hash, e.suffix, e.message, e.previous
    FROM unnest($7::uuid[], $8::int[], $9::text[], $10::timestamptz[], $11::text[], $12::bytea[], $13::text[], $14::bytea[], $15::text[])
         AS e(event_id, version, kind, occurred_at, payload, hash, suffix, message, previous)
    ORDER BY e.version
    ON CONFLICT DO NOTHING RETURNING position, suffix
), queued AS (
    INSERT INTO outbox (position, tenant_id) SELECT position, $1 FROM appended WHERE suffix IS NOT NULL
), timed AS (
    INSERT INTO timer (tenant_id, aggregate, stream_id, name, due_at, trace)
    SELECT $1, $2, $3, t.name, t.due_at, $6 FROM unnest($16::text[], $17::timestamptz[]) AS t(name, due_at)
    ON CONFLICT (tenant_id, aggregate, stream_id, name) DO UPDATE SET due_at = excluded.due_at, attempts = 0
), cleared AS (
    DELETE FROM timer WHERE tenant_id = $1 AND aggregate = $2 AND stream_id = $3 AND name = ANY($18::text[])
)
SELECT (SELECT count(*) FROM claimed), (SELECT count(*) FROM appended)";

/// Claims a key for a command that changed nothing, so that its repetition is answered the same way.
pub(crate) async fn claim(
    tx: &mut Tx,
    key: &CommandKey,
    aggregate: &str,
    id: Uuid,
    version: i32,
    at: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query(
        "INSERT INTO command_log (tenant_id, command_key, fingerprint, aggregate, stream_id, version, claimed_at, caller)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.get())
    .bind(&key.key)
    .bind(&key.fingerprint)
    .bind(aggregate)
    .bind(id)
    .bind(version)
    .bind(at)
    .bind(&key.caller)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(receiver: Option<&'static str>) -> Outgoing {
        Outgoing { suffix: String::new(), receiver, bytes: Vec::new() }
    }

    #[test]
    fn every_listener_is_told_the_version_it_saw_before() {
        let mut seen = Seen::default();
        assert_eq!(seen.previous(1, &outgoing(None)), "0");
        assert_eq!(seen.previous(2, &outgoing(Some("complaint"))), "1");
        assert_eq!(seen.previous(5, &outgoing(None)), "1 complaint=2");
        assert_eq!(seen.previous(6, &outgoing(None)), "5");
        assert_eq!(seen.previous(7, &outgoing(Some("complaint"))), "6");
        assert_eq!(seen.previous(8, &outgoing(Some("complaint"))), "7");
    }
}
