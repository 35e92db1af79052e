//! Parked messages: shown without their words, handled again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use steward_admin::services;
use steward_chassis::{
    Clock,
    config::CoreConfig,
    parked::{self, Parked},
    streams::durable,
};
use uuid::Uuid;

use crate::{
    database,
    selection::{self, Selection},
    terminal::{say, say_json, table},
};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What is parked, one line for each aggregate: the message that cannot be handled, and how many wait behind it.
    List {
        #[command(flatten)]
        settings: Settings,
        /// Also those that only wait behind another.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one message but its words.
    Show {
        #[command(flatten)]
        settings: Settings,
        /// Id of the event.
        event_id: Uuid,
    },
    /// Handle parked messages again, once the cause is mended; fails when some stay parked.
    Replay {
        #[command(flatten)]
        settings: Settings,
        /// Only those of this consumer.
        #[arg(long, value_parser = known_consumer, conflicts_with = "service")]
        consumer: Option<String>,
    },
}

/// Where they are.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    #[command(flatten)]
    selection: Selection,
}

/// A parked message and the service that could not handle it.
#[derive(Debug, Serialize)]
struct Found {
    service: &'static str,
    event: String,
    #[serde(flatten)]
    parked: Parked,
}

fn known_consumer(name: &str) -> Result<String, String> {
    let all: Vec<String> =
        services::topology().into_iter().map(|(listener, source)| durable(listener, source)).collect();
    if all.iter().any(|known| known == name) { Ok(name.to_owned()) } else { Err(format!("one of {}", all.join(", "))) }
}

/// Does it.
///
/// # Errors
/// When a database is away.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { settings, all, json } => {
            let mut found = find(&settings).await?;
            found.retain(|one| all || one.parked.before == 0);
            list(&found, json)
        }
        Command::Show { settings, event_id } => {
            let mut found = find(&settings).await?;
            found.retain(|one| one.parked.event_id == event_id);
            anyhow::ensure!(!found.is_empty(), "no message of that event is parked");
            say(&found.iter().map(shown).collect::<Vec<_>>().join("\n\n"));
            Ok(ExitCode::SUCCESS)
        }
        Command::Replay { settings, consumer } => replay(&settings, consumer.as_deref()).await,
    }
}

async fn find(settings: &Settings) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for service in settings.selection.services() {
        let db = selection::database(&settings.database, service.name)?;
        let of_it = parked::list(&db.platform, Clock::System.now()).await?.into_iter();
        found.extend(of_it.map(|parked| Found { service: service.name, event: parked.event().to_owned(), parked }));
    }
    Ok(found)
}

fn list(found: &[Found], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        say_json(&found)?;
    } else if found.is_empty() {
        say("nothing is parked");
    } else {
        let head = [
            "SERVICE",
            "CONSUMER",
            "EVENT",
            "EVENT ID",
            "AGGREGATE",
            "STREAM ID",
            "VERSION",
            "BEHIND",
            "PARKED AT",
            "REASON",
        ];
        let rows: Vec<_> = found
            .iter()
            .map(|Found { service, event, parked }| {
                [
                    (*service).to_owned(),
                    parked.consumer.clone(),
                    event.clone(),
                    parked.event_id.to_string(),
                    parked.aggregate.clone(),
                    parked.stream_id.to_string(),
                    parked.version.to_string(),
                    parked.behind.to_string(),
                    parked.parked_at.format("%F %T").to_string(),
                    parked.reason.clone(),
                ]
            })
            .collect();
        say(&table(head, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// One message with what stands around it; of its content only size and kind.
fn shown(Found { service, event, parked }: &Found) -> String {
    let mut lines = vec![
        format!("event      {} {event}", parked.event_id),
        format!("service    {service}, consumer {}", parked.consumer),
        format!("tenant     {}", parked.tenant_id),
        format!("aggregate  {} {}, version {}", parked.aggregate, parked.stream_id, parked.version),
        format!("parked at  {}", parked.parked_at.to_rfc3339()),
        format!("reason     {}", parked.reason),
        format!("queue      {} before it, {} behind it", parked.before, parked.behind),
        format!(
            "message    {} bytes, {}",
            parked.size,
            parked.headers.get("ce-type").map_or("of no kind", String::as_str)
        ),
        format!("subject    {}", parked.subject),
        "headers".to_owned(),
    ];
    lines.extend(parked.headers.iter().map(|(name, value)| format!("  {name}: {value}")));
    lines.join("\n")
}

async fn replay(settings: &Settings, consumer: Option<&str>) -> anyhow::Result<ExitCode> {
    let (mut rows, mut stay) = (Vec::new(), 0);
    for service in settings.selection.services() {
        if consumer
            .is_some_and(|consumer| !(service.hears)().iter().any(|source| consumer == durable(service.name, source)))
        {
            continue;
        }
        let mut core = CoreConfig::development().map_err(|findings| anyhow::anyhow!(findings.join("; ")))?;
        core.database = settings.database.config(service.name)?;
        for outcome in (service.replay_parked)(core, consumer.map(str::to_owned)).await? {
            stay += outcome.stay;
            rows.push([outcome.consumer, outcome.handled.to_string(), outcome.stay.to_string()]);
        }
    }
    say(&table(["CONSUMER", "HANDLED", "STILL PARKED"], &rows));
    Ok(if stay == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
