//! Where the inspector reads: the public API, and the event logs.

use std::fmt::Debug;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde_json::Value;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::Happened;

/// A company as its public API shows it to somebody who sees all of it.
pub trait Company: Send + Sync {
    /// The answer to that path; `null` when there is no such thing.
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>>;
    /// What waits of a case in the inboxes of the company's people: why, since when, of which work order or promise. Everybody reads their own
    /// and no other, so this is no question for somebody who sees all the rest: either all of them look, or the database is asked.
    fn alerts<'a>(&'a self, case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>>;
    /// What time it is there.
    fn now(&self) -> DateTime<Utc>;
}

/// The event logs of a company's services.
#[derive(Debug, Clone)]
pub struct Logs {
    /// The company.
    pub tenant: Uuid,
    /// Each service with a connection whose search path is its schema, under a role that may read every company's rows.
    pub services: Vec<(&'static str, PgPool)>,
}

#[derive(Debug, FromRow)]
struct Row {
    aggregate: String,
    stream_id: Uuid,
    version: i32,
    kind: String,
    actor: String,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    payload: String,
}

impl Logs {
    /// All that happened to these things, by service and in order.
    ///
    /// # Errors
    /// When a database is away.
    pub async fn of(&self, ids: &[Uuid]) -> anyhow::Result<Vec<Happened>> {
        let mut found = Vec::new();
        for (service, pool) in &self.services {
            let rows: Vec<Row> = sqlx::query_as(
                "SELECT aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload::text AS payload FROM event
                 WHERE tenant_id = $1 AND aggregate = ANY($2) AND stream_id = ANY($3) ORDER BY position",
            )
            .bind(self.tenant)
            .bind(aggregates(service))
            .bind(ids)
            .fetch_all(pool)
            .await?;
            for row in rows {
                let body = serde_json::from_str(&row.payload).context("an event")?;
                let Row { aggregate, stream_id, version, kind, actor, occurred_at: at, recorded_at, payload: _ } = row;
                let id = stream_id.to_string();
                found.push(Happened { service, aggregate, id, version, kind, actor, at, recorded_at, body });
            }
        }
        Ok(found)
    }
}

/// What belongs to cases in the log of a service.
fn aggregates(service: &str) -> Vec<&'static str> {
    match service {
        "intake" => vec!["case", "inquiry", "stewardship"],
        "complaint" => vec!["complaint"],
        "dispatch" => vec!["service_request", "work_order"],
        "notification" => vec!["message"],
        "feedback-analytics" => vec!["suggestion", "survey"],
        _ => vec![],
    }
}

/// Everything on a list, page by page.
///
/// # Errors
/// When nobody answers, or there is no list.
pub(crate) async fn all(company: &dyn Company, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = company.get(&format!("{path}&limit=200{cursor}")).await?;
        let items = page["items"].as_array().with_context(|| format!("{path} is no list: {page}"))?;
        found.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}
