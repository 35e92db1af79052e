//! From a [`Service`] to a running process, and the commands of its binary.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use clap::{Parser, Subcommand};
use secrecy::ExposeSecret as _;
use steward_kernel::ProblemKind;
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, Core, Engine, Service,
    config::{self, CoreConfig, Secret},
    db::{self, Db},
    feed::Feeds,
    figures,
    http::{self, Authenticator, Catalogue, Document, HttpContext, Operations},
    inbox,
    lifecycle::{Health, Lifecycle, Phase, State},
    messages::Messages,
    pool::within,
    relay::{Relay, pause},
    telemetry, timers,
};

/// Name of the part of [`Health`] that is the database.
const DATABASE: &str = "database";
/// Name of the part of [`Health`] that is the connection to NATS.
const MESSAGES: &str = "messages";
/// How often the database is asked how it is.
const PING: Duration = Duration::from_secs(1);

/// A service that runs inside this process.
#[derive(Clone)]
pub struct Started {
    /// Its routes with everything around them.
    pub router: Router,
    /// What its layer and extractors share.
    pub context: HttpContext,
    /// How it is.
    pub health: Health,
    /// What it can do.
    pub openapi: Document,
    /// What can go wrong.
    pub catalogue: Catalogue,
    /// Its connection to NATS.
    pub messages: Messages,
}

/// The API document of a service, with its permissions and problems described.
#[must_use]
pub fn openapi<S: Service>() -> Document {
    Document::of::<S>()
}

/// The problems of a service and of the platform.
#[must_use]
pub fn catalogue<S: Service>() -> Catalogue {
    Catalogue::new(S::problems())
}

/// Starts everything of a service but the listener: relay, consumers, timers, the watch over the database.
///
/// Nothing has to be there yet: the database, NATS and the identity provider may come later, and go and come back.
///
/// # Errors
/// When a setting does not allow it.
pub async fn start<S: Service>(
    core: &CoreConfig,
    config: S::Config,
    clock: Clock,
    lifecycle: &Lifecycle,
) -> anyhow::Result<Started> {
    let db = Db::connect_lazily(&core.database, S::NAME)?;
    let messages = Messages::connect(&core.nats, S::NAME).await?;
    let engine = Engine::new(db.clone(), clock.clone());
    let health = Health::new(S::NAME, clock.clone());
    let app = S::build(Core { engine: engine.clone(), db: db.clone(), clock: clock.clone() }, config)?;

    let authenticator = Arc::new(Authenticator::new(&core.auth)?.of_open(db.tenants.clone()));
    health.require(DATABASE);
    health.require_once(http::auth::PART);
    lifecycle.spawn("identity", Arc::clone(&authenticator).keep_fresh(health.clone(), lifecycle.soft()));
    health.require_once(MESSAGES);
    lifecycle.spawn("passwords", db.clone().follow_passwords(lifecycle.soft()));
    lifecycle.spawn("tenants", db.tenants.clone().keep_fresh(lifecycle.soft()));
    lifecycle.spawn(MESSAGES, watch_messages(messages.clone(), health.clone(), lifecycle.soft()));
    let migrated = CancellationToken::new();
    let feeds = Feeds { service: S::NAME, clock: clock.clone(), health: health.clone(), held: None };
    lifecycle.spawn(DATABASE, watch_database::<S>(db.clone(), feeds, migrated.clone(), lifecycle.soft()));
    let after_migrations = Later { migrated, lifecycle };
    spawn_loops::<S>(core, &app, &engine, &messages, &clock, &health, &after_migrations);

    let catalogue = catalogue::<S>();
    let context = HttpContext::new(S::NAME, authenticator, clock, &core.http, health.clone(), catalogue.clone());
    let routes = S::routes().into_router(app);
    health.enter(Phase::Serving);
    let (leaves, leaving) = (lifecycle.leaving(), health.clone());
    lifecycle.spawn("phase", async move {
        leaves.cancelled().await;
        leaving.enter(Phase::Draining);
    });
    Ok(Started {
        router: http::layered(routes, context.clone()),
        context,
        health,
        openapi: openapi::<S>(),
        catalogue,
        messages,
    })
}

#[expect(clippy::too_many_arguments, reason = "the wiring of all kinds of loops")]
fn spawn_loops<S: Service>(
    core: &CoreConfig,
    app: &S::App,
    engine: &Engine,
    messages: &Messages,
    clock: &Clock,
    health: &Health,
    later: &Later<'_>,
) {
    let stop = || later.lifecycle.soft();
    let relay = Relay {
        service: S::NAME,
        db: engine.db().clone(),
        messages: messages.clone(),
        wake: engine.wake(),
        clock: clock.clone(),
        health: health.clone(),
        config: core.relay.clone(),
    };
    later.spawn("relay", relay.run(stop()));
    for consumer in S::consumers() {
        let consumer = inbox::Loop {
            service: S::NAME,
            app: app.clone(),
            engine: engine.clone(),
            messages: messages.clone(),
            health: health.clone(),
            consumer,
            failures: inbox::Failures::default(),
            memory: inbox::Memory::default(),
        };
        later.spawn("consumer", Arc::new(consumer).run(stop()));
    }
    let timers = timers::Loop {
        service: S::NAME,
        app: app.clone(),
        engine: engine.clone(),
        db: engine.db().clone(),
        clock: clock.clone(),
        health: health.clone(),
        timers: S::timers(),
    };
    later.spawn("timers", timers.run(stop()));
    let figures =
        figures::Loop { service: S::NAME, db: engine.db().clone(), clock: clock.clone(), figures: S::figures() };
    later.spawn("figures", figures.run(stop()));
}

/// What begins when the schema is up to date: a new version that heard messages before would park what it cannot write yet.
struct Later<'a> {
    migrated: CancellationToken,
    lifecycle: &'a Lifecycle,
}

impl Later<'_> {
    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (migrated, stop) = (self.migrated.clone(), self.lifecycle.soft());
        self.lifecycle.spawn(name, async move {
            tokio::select! {
                () = stop.cancelled() => return,
                () = migrated.cancelled() => {}
            }
            task.await;
        });
    }
}

/// Tells whether the database answers and is migrated; and once, that it is.
async fn watch_database<S: Service>(db: Db, mut feeds: Feeds, is_migrated: CancellationToken, stop: CancellationToken) {
    let (mut migrated, health) = (false, feeds.health.clone());
    while !stop.is_cancelled() {
        let answer = if migrated {
            feeds.look(&db).await.map(|()| Vec::new())
        } else {
            within(db::PATIENCE, db::pending_migrations(&db, S::NAME, S::migrator())).await
        };
        match answer {
            Ok(pending) if pending.is_empty() => {
                migrated = true;
                is_migrated.cancel();
                health.set(DATABASE, State::Ok, "");
            }
            Ok(pending) => health.set(DATABASE, State::Down, format!("migrations missing: {}", pending.join(", "))),
            Err(fault) => {
                tracing::debug!(service = S::NAME, error = %fault, "database");
                health.set(DATABASE, State::Down, "does not answer");
            }
        }
        pause(&stop, if migrated { PING } else { PING / 5 }).await;
    }
}

/// Tells whether there is a connection to NATS. Without one, requests are served all the same and events wait in the outbox.
async fn watch_messages(messages: Messages, health: Health, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match messages.is_connected() {
            true => health.set(MESSAGES, State::Ok, ""),
            false => health.set(MESSAGES, State::Degraded, "no connection to NATS; events wait"),
        }
        pause(&stop, PING / 5).await;
    }
}

#[derive(Debug, Parser)]
#[command(about, version)]
struct Arguments {
    /// Settings in TOML; the environment (STEWARD__SECTION__KEY) stands over them.
    #[arg(long, env = "STEWARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop.
    Serve,
    /// Apply what is missing in the schema, then end. Runs before a rollout, as the schema's owner.
    Migrate {
        /// URL of the database under the owner's role.
        #[arg(long, env = "STEWARD_OWNER_DATABASE_URL", hide_env_values = true)]
        database_url: Secret,
    },
    /// Print the API document.
    Openapi,
    /// Say what is wrong with the settings, or print the effective ones without secrets.
    CheckConfig,
    /// Handle parked messages again.
    ReplayParked,
    /// Publish everything in the event log again; listeners discard what they have seen.
    Republish,
}

/// What the binary of a service does.
pub fn main<S: Service>() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return failed(&fault.into()),
    };
    match runtime.block_on(command::<S>(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(&fault),
    }
}

/// One line for the operator on standard error.
#[expect(clippy::print_stderr, reason = "there may be no log yet")]
fn failed(fault: &anyhow::Error) -> ExitCode {
    eprintln!("{fault:#}");
    ExitCode::FAILURE
}

async fn command<S: Service>(arguments: Arguments) -> anyhow::Result<()> {
    if let Command::Migrate { database_url } = &arguments.command {
        let owner = database_url
            .expose_secret()
            .parse()
            .map_err(|_| anyhow::anyhow!("STEWARD_OWNER_DATABASE_URL is not a URL"))?;
        return db::migrate(owner, S::NAME, S::migrator()).await;
    }
    if matches!(arguments.command, Command::Openapi) {
        return print(&openapi::<S>().to_pretty_json()?);
    }
    let settings = config::load::<S::Config>(S::DEFAULTS, arguments.config.as_deref())
        // One line for each finding: it names the setting and the remedy.
        .map_err(|findings| anyhow::anyhow!("{}", findings.join("\n")))?;
    let (core, own) = (&settings.core, settings.service);
    match arguments.command {
        Command::CheckConfig => print(&settings.effective.join("\n")),
        Command::ReplayParked => {
            let lines = replay_parked::<S>(core, own, None).await?;
            let line = |one: &Replayed| format!("{}: {} handled, {} still parked", one.consumer, one.handled, one.stay);
            print(&lines.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Command::Republish => republish(core, S::NAME).await,
        Command::Serve | Command::Migrate { .. } | Command::Openapi => serve::<S>(core, own).await,
    }
}

#[expect(clippy::print_stdout, clippy::unnecessary_wraps, reason = "what the command was asked for")]
fn print(text: &str) -> anyhow::Result<()> {
    println!("{text}");
    Ok(())
}

async fn serve<S: Service>(core: &CoreConfig, own: S::Config) -> anyhow::Result<()> {
    let _flushed_at_the_end = telemetry::init(S::NAME, &core.telemetry)?;
    let lifecycle = Lifecycle::new(core.shutdown.grace).lingering(core.shutdown.linger);
    lifecycle.listen_to_signals()?;
    let listener = tokio::net::TcpListener::bind(&core.http.bind)
        .await
        .with_context(|| format!("core.http.bind: cannot listen on {}", core.http.bind))?;
    let started = start::<S>(core, own, Clock::System, &lifecycle).await?;
    let router = started.router.merge(http::operations(Operations {
        health: vec![started.health],
        openapi: started.openapi,
        problems: started.catalogue,
    }));
    tracing::info!(service = S::NAME, address = %core.http.bind, "serving");
    http::serve(listener, http::complete(router, started.context), &lifecycle).await?;
    lifecycle.drained().await;
    anyhow::ensure!(!lifecycle.has_failed(), "a task of the service failed");
    Ok(())
}

/// How a replay of parked messages went.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Durable name of the consumer.
    pub consumer: String,
    /// Messages that were handled now.
    pub handled: usize,
    /// Messages that stay parked.
    pub stay: usize,
}

/// Handles the parked messages of a service again.
///
/// * `only`: durable name of the one consumer whose messages are meant; `None`: of all.
/// # Errors
/// When the database is away, or a setting does not allow it.
pub async fn replay_parked<S: Service>(
    core: &CoreConfig,
    own: S::Config,
    only: Option<&str>,
) -> anyhow::Result<Vec<Replayed>> {
    let db = Db::connect_lazily(&core.database, S::NAME)?;
    let engine = Engine::new(db.clone(), Clock::System);
    let app = S::build(Core { engine: engine.clone(), db, clock: Clock::System }, own)?;
    let messages = Messages::connect(&core.nats, S::NAME).await?;
    let mut outcomes = Vec::new();
    for consumer in S::consumers() {
        let consumer = inbox::Loop {
            service: S::NAME,
            app: app.clone(),
            engine: engine.clone(),
            messages: messages.clone(),
            health: Health::new(S::NAME, Clock::System),
            consumer,
            failures: inbox::Failures::default(),
            memory: inbox::Memory::default(),
        };
        if only.is_some_and(|only| only != consumer.name()) {
            continue;
        }
        let (handled, stay) = consumer.replay_parked().await?;
        outcomes.push(Replayed { consumer: consumer.name(), handled, stay });
    }
    Ok(outcomes)
}

async fn republish(core: &CoreConfig, service: &str) -> anyhow::Result<()> {
    let db = Db::connect_lazily(&core.database, service)?;
    crate::relay::republish(&db).await?;
    print("the running relay publishes the log again")
}

/// The registry of a service's problems as text, for the golden file.
#[must_use]
pub fn problems_document<S: Service>() -> String {
    let mut lines = vec!["| type | status | title |".to_owned(), "|---|---|---|".to_owned()];
    let mut kinds: Vec<ProblemKind> = catalogue::<S>().kinds().collect();
    kinds.sort_by_key(|kind| kind.slug);
    lines.extend(kinds.iter().map(|kind| format!("| /problems/{} | {} | {} |", kind.slug, kind.status, kind.title)));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use steward_testkit::rules::repeated_by_help;

    #[test]
    fn help_does_not_repeat_passwords_from_the_environment() {
        assert_eq!(repeated_by_help(&super::Arguments::command()), Vec::<String>::new());
    }
}
