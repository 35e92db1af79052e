//! The report after a restore: what is gone, and who had heard of it.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use serde::Serialize;
use steward_admin::services;
use steward_chassis::{
    Error,
    db::Db,
    lost::{self, Lost},
    streams::durable,
};
use uuid::Uuid;

use crate::{
    database,
    selection::{self, Selection},
    terminal::{say, say_json, table},
};

/// Where a service knows which id people quote by which reference: the id of a case, or of a work order.
const REFERENCES: [(&str, &str); 4] = [
    ("intake", "SELECT case_id, reference FROM intake_case WHERE tenant_id = $1 AND case_id = ANY($2)"),
    ("complaint", "SELECT case_id, reference FROM complaint WHERE tenant_id = $1 AND case_id = ANY($2)"),
    (
        "dispatch",
        "SELECT case_id, state -> 'origin' ->> 'reference' FROM service_request WHERE tenant_id = $1 AND case_id = ANY($2)
         UNION ALL SELECT work_order_id, reference FROM work_order WHERE tenant_id = $1 AND work_order_id = ANY($2)",
    ),
    (
        "feedback-analytics",
        "SELECT case_id, state -> 'received' ->> 'reference' FROM suggestion WHERE tenant_id = $1 AND case_id = ANY($2)",
    ),
];

/// What to report.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    #[command(flatten)]
    selection: Selection,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// It is dealt with: forget what was found in the streams. What a listener has heard leaves the report when it goes on with the new
    /// history.
    #[arg(long, conflicts_with = "json")]
    settled: bool,
}

/// A history whose end is gone, and who knows of it.
#[derive(Debug, Serialize)]
struct Line {
    /// Whose log it was in.
    service: &'static str,
    /// A listener that has acted on it; nobody: it was found in the stream.
    heard_by: Option<&'static str>,
    /// What people quote, where anybody still knows it.
    reference: Option<String>,
    #[serde(flatten)]
    lost: Lost,
}

/// Reports; the exit code is 1 when something was lost.
///
/// # Errors
/// When a database is away.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut databases = BTreeMap::new();
    for service in services::all() {
        databases.insert(service.name, selection::database(&settings.database, service.name)?);
    }
    let chosen = settings.selection.services();
    if settings.settled {
        for service in &chosen {
            let count = lost::settle(&databases[service.name].platform).await?;
            say(&format!("{}: {count} lost events are settled", service.name));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Vec::new();
    for service in chosen {
        let source = &databases[service.name].platform;
        lines.extend(lost::of_log(source).await?.into_iter().map(|lost| line(service.name, None, lost)));
        for (listener, _) in services::topology().into_iter().filter(|(_, source)| *source == service.name) {
            let consumer = durable(listener, service.name);
            let heard = lost::heard(&databases[listener].platform, &consumer, source).await?;
            lines.extend(heard.into_iter().map(|lost| line(service.name, Some(listener), lost)));
        }
    }
    add_references(&databases, &mut lines).await?;
    show(&lines, settings.json)?;
    Ok(if lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(service: &'static str, heard_by: Option<&'static str>, lost: Lost) -> Line {
    Line { service, heard_by, reference: None, lost }
}

/// Looks up what people quote: in any service that still knows it.
async fn add_references(databases: &BTreeMap<&'static str, Db>, lines: &mut [Line]) -> anyhow::Result<()> {
    let mut ids: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for line in &*lines {
        ids.entry(line.lost.tenant_id).or_default().push(line.lost.stream_id);
    }
    let mut known: BTreeMap<Uuid, String> = BTreeMap::new();
    for (tenant, ids) in &ids {
        for (service, query) in REFERENCES {
            let mut tx = match databases[service].begin((*tenant).into()).await {
                Ok(tx) => tx,
                // Nobody waits for it any more.
                Err(Error::TenantClosed) => continue,
                Err(fault) => return Err(fault.into()),
            };
            let found: Vec<(Uuid, Option<String>)> =
                sqlx::query_as(query).bind(tenant).bind(ids).fetch_all(tx.conn()).await?;
            tx.commit().await?;
            known.extend(found.into_iter().filter_map(|(id, reference)| Some((id, reference?))));
        }
    }
    for line in lines {
        line.reference = known.get(&line.lost.stream_id).cloned();
    }
    Ok(())
}

fn show(lines: &[Line], json: bool) -> anyhow::Result<()> {
    if json {
        return say_json(&lines);
    }
    if lines.is_empty() {
        say("nothing is known to be lost");
        return Ok(());
    }
    let head = ["LOST BY", "HEARD BY", "COMPANY", "AGGREGATE", "ID", "REFERENCE", "VERSIONS", "UNTIL", "EVENTS"];
    let rows: Vec<_> = lines
        .iter()
        .map(|Line { service, heard_by, reference, lost }| {
            [
                (*service).to_owned(),
                heard_by.unwrap_or("(stream)").to_owned(),
                lost.tenant_id.to_string(),
                lost.aggregate.clone(),
                lost.stream_id.to_string(),
                reference.clone().unwrap_or_default(),
                format!("{} to {}", lost.from, lost.to),
                lost.last_at.map_or_else(String::new, |at| at.format("%F %T").to_string()),
                lost.events.join(", "),
            ]
        })
        .collect();
    say(&table(head, &rows));
    Ok(())
}
