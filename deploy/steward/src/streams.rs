//! Streams and consumers: made, kept, shown, made anew.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use steward_admin::services;
use steward_chassis::{
    Clock,
    config::CoreConfig,
    http::{self, Catalogue, Document, Operations},
    lifecycle::{Health, Lifecycle, Phase, State},
    messages::Messages,
    streams::{Keeping, durable},
    telemetry,
};

use crate::nats;

/// How often streams are looked after.
const ROUND: Duration = Duration::from_secs(5);
/// The part of [`Health`] that says whether all is there.
const STREAMS: &str = "streams";

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make what is missing and bring up to date what is there, once.
    Apply(Settings),
    /// The same for ever: what JetStream loses is there again within seconds, and the services publish their logs again.
    Keep(KeepSettings),
    /// Show streams, consumers and what waits in them.
    Status(nats::Settings),
    /// Delete all streams and make them anew; the services then publish again what streams hold: after the databases were restored to
    /// an earlier time.
    Rebuild {
        #[command(flatten)]
        settings: Settings,
        /// Yes, delete them.
        #[arg(long)]
        yes: bool,
    },
}

/// How streams are kept.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(crate) struct Settings {
    #[command(flatten)]
    nats: nats::Settings,
    /// Servers that hold each stream: 1, 3 or 5.
    #[arg(long, env = "STEWARD_STREAM_REPLICAS", default_value_t = 1)]
    replicas: usize,
    /// How long a stream keeps events; older ones are still in the event logs.
    #[arg(long, env = "STEWARD_STREAM_KEEP", default_value = "14days", value_parser = humantime::parse_duration)]
    keep: Duration,
}

/// The same, and where it can be asked how it is.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct KeepSettings {
    #[command(flatten)]
    settings: Settings,
    /// Address and port of /live, /ready, /health and /metrics.
    #[arg(long, env = "STEWARD_HTTP_BIND", default_value = "127.0.0.1:8480")]
    bind: SocketAddr,
}

impl Settings {
    fn keeping(&self) -> Keeping {
        Keeping { keep: self.keep, replicas: self.replicas }
    }
}

/// Does it.
///
/// # Errors
/// When NATS is away, or refuses.
#[expect(clippy::print_stdout, reason = "what the command was asked for")]
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Apply(settings) => {
            apply(&settings.nats.connect().await?, settings.keeping()).await?;
            println!("all streams and consumers are there");
            Ok(())
        }
        Command::Keep(settings) => keep(settings).await,
        Command::Status(settings) => status(&settings.connect().await?).await,
        Command::Rebuild { yes: false, .. } => {
            anyhow::bail!("this deletes all streams; the services then publish their logs again: say --yes")
        }
        Command::Rebuild { settings, yes: true } => {
            let messages = settings.nats.connect().await?;
            for service in services::all() {
                messages.delete_stream(service.name).await?;
            }
            apply(&messages, settings.keeping()).await?;
            println!("the streams are new; the services publish their logs again");
            Ok(())
        }
    }
}

/// Makes what is missing: first all streams, then their consumers.
async fn apply(messages: &Messages, keeping: Keeping) -> anyhow::Result<()> {
    for service in services::all() {
        messages
            .ensure_stream(service.name, keeping)
            .await
            .with_context(|| format!("the stream of {}", service.name))?;
    }
    for (listener, source) in services::topology() {
        messages.ensure_consumer(listener, source).await.with_context(|| durable(listener, source))?;
    }
    Ok(())
}

async fn keep(settings: KeepSettings) -> anyhow::Result<()> {
    let core = CoreConfig::development().map_err(|findings| anyhow::anyhow!(findings.join("; ")))?;
    let _flushed_at_the_end = telemetry::init(STREAMS, &core.telemetry)?;
    let lifecycle = Lifecycle::new(core.shutdown.grace);
    lifecycle.listen_to_signals()?;
    let listener = tokio::net::TcpListener::bind(settings.bind).await.context("STEWARD_HTTP_BIND")?;
    let health = Health::new(STREAMS, Clock::System);
    health.require_once(STREAMS);
    health.enter(Phase::Serving);
    let messages = settings.settings.nats.connect().await?;
    lifecycle.spawn(STREAMS, rounds(messages, settings.settings.keeping(), health.clone(), lifecycle.clone()));
    let operations = Operations {
        health: vec![health],
        openapi: Document::empty("Steward streams", "It keeps the streams and serves no API."),
        problems: Catalogue::new(Vec::new()),
    };
    http::serve(listener, http::operations(operations), &lifecycle).await?;
    lifecycle.drained().await;
    anyhow::ensure!(!lifecycle.has_failed(), "a task failed");
    Ok(())
}

async fn rounds(messages: Messages, keeping: Keeping, health: Health, lifecycle: Lifecycle) {
    let stop = lifecycle.soft();
    while !stop.is_cancelled() {
        match apply(&messages, keeping).await {
            Ok(()) => health.set(STREAMS, State::Ok, ""),
            Err(fault) => {
                tracing::warn!(error = format!("{fault:#}"), "streams are not as they should be");
                health.set(STREAMS, State::Down, "cannot make all streams and consumers");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn status(messages: &Messages) -> anyhow::Result<()> {
    println!("{:<40} {:>12} {:>12} {:>12}", "", "messages", "waiting", "under way");
    for service in services::all() {
        let stream = messages.js.get_stream(messages.subjects.stream(service.name)).await?;
        println!("{:<40} {:>12}", messages.subjects.stream(service.name), stream.cached_info().state.messages);
        for (listener, source) in services::topology().into_iter().filter(|(_, source)| *source == service.name) {
            let name = durable(listener, source);
            let consumer = stream.get_consumer::<async_nats::jetstream::consumer::pull::Config>(&name).await;
            let info = consumer.map_err(|fault| anyhow::anyhow!("{name}: {fault}"))?;
            let info = info.cached_info();
            println!("  {name:<38} {:>12} {:>12} {:>12}", "", info.num_pending, info.num_ack_pending);
        }
    }
    Ok(())
}
