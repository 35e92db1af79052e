//! All companies.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use steward_admin::services;
use steward_kernel::TenantId;
use uuid::Uuid;

use crate::{
    database, selection,
    terminal::{say, say_json, table},
};

/// A company in one schema.
#[derive(Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    name: Option<String>,
    created_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    events: i64,
    cases: i64,
}

/// A company.
#[derive(Debug, Default, Serialize)]
struct Company {
    /// As somebody has told it.
    name: Option<String>,
    created_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    /// In the logs of all services.
    events: i64,
    cases: i64,
}

/// Shows them.
///
/// # Errors
/// When a database is away.
pub(super) async fn run(settings: &database::Settings, json: bool) -> anyhow::Result<()> {
    let mut companies: BTreeMap<TenantId, Company> = BTreeMap::new();
    for service in services::all() {
        let db = selection::database(settings, service.name)?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT tenant_id, nullif(name, '') AS name, created_at, closed_at, coalesce(events, 0) AS events, coalesce(cases, 0) AS cases
             FROM tenant FULL JOIN (
                 SELECT tenant_id, count(*) AS events, count(*) FILTER (WHERE version = 1 AND aggregate = 'case') AS cases
                 FROM event GROUP BY tenant_id
             ) AS log USING (tenant_id)",
        )
        .fetch_all(&db.platform)
        .await?;
        for row in rows {
            let company = companies.entry(TenantId::from(row.tenant_id)).or_default();
            company.name = company.name.take().or(row.name);
            company.created_at = company.created_at.or(row.created_at);
            company.closed_at = company.closed_at.or(row.closed_at);
            company.events += row.events;
            company.cases += row.cases;
        }
    }
    if json {
        let list: Vec<_> = companies.iter().map(|(id, company)| Listed { tenant_id: *id, company }).collect();
        return say_json(&list);
    }
    let day = |at: Option<DateTime<Utc>>| at.map_or("-".to_owned(), |at| at.format("%F").to_string());
    let rows: Vec<_> = companies
        .into_iter()
        .map(|(id, c)| {
            let (events, cases) = (c.events.to_string(), c.cases.to_string());
            [
                id.to_string(),
                day(c.created_at),
                day(c.closed_at),
                events,
                cases,
                c.name.unwrap_or_else(|| "-".to_owned()),
            ]
        })
        .collect();
    say(&table(["ID", "CREATED", "CLOSED", "EVENTS", "CASES", "NAME"], &rows));
    Ok(())
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    tenant_id: TenantId,
    #[serde(flatten)]
    company: &'a Company,
}
