//! What a restore to an earlier moment took away, as an operator sees it: events that the stream had and the log does not have any more,
//! and what other services had heard of them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Result;

/// Histories that are compared at once.
const PAGE: i64 = 2_000;

/// The end of a history that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Lost {
    /// Whose.
    pub tenant_id: Uuid,
    /// Kind of aggregate.
    pub aggregate: String,
    /// Which one.
    pub stream_id: Uuid,
    /// The first version that is gone.
    pub from: i32,
    /// The last one that is known of.
    pub to: i32,
    /// When the last one was recorded, if that is known.
    pub last_at: Option<DateTime<Utc>>,
    /// What the lost events were, as far as that is known: `case-opened.v1`.
    pub events: Vec<String>,
}

/// What was found in the stream of that service and not in its log, since it was last settled.
///
/// * `platform`: under the platform role of the service.
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn of_log(platform: &PgPool) -> Result<Vec<Lost>> {
    let rows = sqlx::query_as(
        r#"SELECT tenant_id, aggregate, stream_id, min(version) AS "from", max(version) AS "to", max(recorded_at) AS last_at,
                  array_agg(suffix ORDER BY version) AS events
           FROM lost_event GROUP BY tenant_id, aggregate, stream_id ORDER BY min(recorded_at), stream_id"#,
    );
    Ok(rows.fetch_all(platform).await?)
}

/// Forgets what was found in the stream: a person has dealt with it.
///
/// * `platform`: under the platform role of the service.
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn settle(platform: &PgPool) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM lost_event").execute(platform).await?.rows_affected())
}

/// A history as far as a listener has heard it.
#[derive(Debug, FromRow)]
struct Heard {
    tenant_id: Uuid,
    aggregate: String,
    stream_id: Uuid,
    version: i32,
    heard_at: Option<DateTime<Utc>>,
}

/// Histories of which a listener has heard more, or something else, than the log of their source has.
///
/// * `listener`, `source`: under the platform roles of the two services.
/// * `consumer`: durable name of the listener's consumer.
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when a database is away.
pub async fn heard(listener: &PgPool, consumer: &str, source: &PgPool) -> Result<Vec<Lost>> {
    let (mut lost, mut last): (Vec<Lost>, Option<Heard>) = (Vec::new(), None);
    loop {
        // First what was heard, then the log: what is heard meanwhile stands in it.
        let page: Vec<Heard> = sqlx::query_as(
            "SELECT tenant_id, aggregate, stream_id, version, CASE WHEN heard_version = version THEN heard_at END AS heard_at
             FROM inbox WHERE consumer = $1 AND version > 0 AND ($2::uuid IS NULL OR (tenant_id, aggregate, stream_id) > ($2, $3, $4))
             ORDER BY tenant_id, aggregate, stream_id LIMIT $5",
        )
        .bind(consumer)
        .bind(last.as_ref().map(|row| row.tenant_id))
        .bind(last.as_ref().map(|row| row.aggregate.as_str()))
        .bind(last.as_ref().map(|row| row.stream_id))
        .bind(PAGE)
        .fetch_all(listener)
        .await?;
        let of_page = sqlx::query_as(
            r#"SELECT heard.tenant_id, heard.aggregate, heard.stream_id,
                      1 + (SELECT coalesce(max(version), 0) FROM event
                           WHERE event.tenant_id = heard.tenant_id AND event.aggregate = heard.aggregate AND event.stream_id = heard.stream_id
                             AND version <= heard.version AND (heard.at IS NULL OR recorded_at <= heard.at)) AS "from",
                      heard.version AS "to", heard.at AS last_at, '{}'::text[] AS events
               FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int[], $5::timestamptz[]) AS heard (tenant_id, aggregate, stream_id, version, at)
               LEFT JOIN event USING (tenant_id, aggregate, stream_id, version)
               WHERE event.event_id IS NULL OR heard.at <> event.recorded_at"#,
        )
        .bind(page.iter().map(|row| row.tenant_id).collect::<Vec<_>>())
        .bind(page.iter().map(|row| row.aggregate.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|row| row.stream_id).collect::<Vec<_>>())
        .bind(page.iter().map(|row| row.version).collect::<Vec<_>>())
        .bind(page.iter().map(|row| row.heard_at).collect::<Vec<_>>());
        lost.extend(of_page.fetch_all(source).await?);
        match page.into_iter().last() {
            Some(row) => last = Some(row),
            None => return Ok(lost),
        }
    }
}
