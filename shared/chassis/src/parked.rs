//! Parked messages, as an operator sees them: where they come from and why they are parked, never their words. With them stands what waits
//! for too long for the message before it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use crate::{Result, inbox::early::PATIENCE};

/// A parked message.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Parked {
    /// Whose.
    pub tenant_id: Uuid,
    /// Durable name of the consumer that could not handle it.
    pub consumer: String,
    /// Id of the event.
    pub event_id: Uuid,
    /// Kind of aggregate.
    pub aggregate: String,
    /// Which one.
    pub stream_id: Uuid,
    /// Its version.
    pub version: i32,
    /// Its subject.
    pub subject: String,
    /// What stands around it.
    pub headers: Json<BTreeMap<String, String>>,
    /// Its size in bytes.
    pub size: i32,
    /// Why it could not be handled.
    pub reason: String,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// Messages of the same aggregate that are parked before it.
    pub before: i64,
    /// Those that are parked behind it.
    pub behind: i64,
}

impl Parked {
    /// `complaint-decided.v1`
    #[must_use]
    pub fn event(&self) -> &str {
        self.subject.splitn(4, '.').nth(3).unwrap_or_default()
    }
}

/// All parked messages of a service: those of one aggregate in their order, the longest parked aggregate first.
///
/// * `platform`: under the platform role of the service.
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn list(platform: &PgPool, now: DateTime<Utc>) -> Result<Vec<Parked>> {
    let rows = sqlx::query_as(
        "SELECT tenant_id, consumer, event_id, aggregate, stream_id, version, subject, headers, octet_length(message) AS size, reason, parked_at,
                row_number() OVER queue - 1 AS before, count(*) OVER line - row_number() OVER queue AS behind
         FROM (SELECT tenant_id, consumer, event_id, aggregate, stream_id, version, subject, headers, message, reason, parked_at FROM dead_letter
               UNION ALL
               SELECT tenant_id, consumer, event_id, aggregate, stream_id, version, subject, headers, message,
                      'waits for the message before it: its source has to publish its log again', since
               FROM early_message WHERE since < $1) AS parked
         WINDOW line AS (PARTITION BY tenant_id, consumer, aggregate, stream_id), queue AS (line ORDER BY version)
         ORDER BY min(parked_at) OVER line, tenant_id, consumer, aggregate, stream_id, version",
    )
    .bind(now - PATIENCE)
    .fetch_all(platform)
    .await?;
    Ok(rows)
}

/// How many messages of a service are parked.
///
/// * `platform`: under the platform role of the service.
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn count(platform: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<i64> {
    let query = "SELECT (SELECT count(*) FROM dead_letter)
                      + (SELECT count(*) FROM (SELECT FROM early_message WHERE since < $1 LIMIT 10000) AS overdue)";
    Ok(sqlx::query_scalar(query).bind(now - PATIENCE).fetch_one(platform).await?)
}
