//! All five services in one process, on one address.

use std::net::SocketAddr;

use axum::Router;
use clap::Args;
use steward_admin::services;
use steward_chassis::{
    Clock,
    config::{Address, CoreConfig, LogFormat, Secret},
    http::{self, Operations},
    lifecycle::Lifecycle,
    telemetry,
};

use crate::Issuer;

/// Requests per second of one caller, and at once: one machine plays many people.
const RATE: (u32, u32) = (5_000, 20_000);

/// Where this process listens, and who its neighbours are.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    issuer: Issuer,
    /// Address and port.
    #[arg(long, env = "STEWARD_HTTP_BIND", default_value = "127.0.0.1:8480")]
    bind: SocketAddr,
    /// The database; `{role}` stands for the role of each service.
    #[arg(long, env = "STEWARD_DATABASE_URL", hide_env_values = true)]
    database_url: Secret,
    /// NATS.
    #[arg(long, env = "STEWARD_NATS_URL", hide_env_values = true, default_value = "nats://127.0.0.1:4222")]
    nats_url: Address,
    /// Where traces go (OTLP over HTTP), if anywhere.
    #[arg(long, env = "STEWARD_OTLP_ENDPOINT", hide_env_values = true)]
    otlp_endpoint: Option<Address>,
}

/// Serves until told to stop.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut base = development()?;
    base.http.bind = settings.bind.to_string();
    base.database.url = settings.database_url.clone();
    base.nats.url = settings.nats_url.clone();
    base.telemetry.otlp_endpoint.clone_from(&settings.otlp_endpoint);
    base.auth.issuer.clone_from(&settings.issuer.issuer);
    base.auth.jwks_url = Some(format!("{}/jwks.json", settings.issuer.issuer).into());

    let _flushed_at_the_end = telemetry::init("steward", &base.telemetry)?;
    let lifecycle = Lifecycle::new(base.shutdown.grace);
    lifecycle.listen_to_signals()?;
    let listener = tokio::net::TcpListener::bind(settings.bind).await?;
    let (mut router, mut health, mut context) = (Router::new(), Vec::new(), None);
    for service in services::all() {
        let started = (service.start)(base.clone(), Clock::System, lifecycle.clone()).await?;
        router = router.merge(started.router);
        health.push(started.health);
        context = Some(started.context);
    }
    let operations = Operations { health, openapi: services::openapi(), problems: services::catalogue() };
    let router = router.merge(http::operations(operations)).merge(issuer_routes(&settings.issuer)?);
    tracing::info!(address = %settings.bind, "serving all five services");
    let router = match context {
        Some(context) => http::complete(router, context),
        None => router,
    };
    http::serve(listener, router, &lifecycle).await?;
    lifecycle.drained().await;
    anyhow::ensure!(!lifecycle.has_failed(), "a task failed");
    Ok(())
}

/// Settings of a machine that one person uses.
pub(crate) fn development() -> anyhow::Result<CoreConfig> {
    let mut core = CoreConfig::development().map_err(|findings| anyhow::anyhow!(findings.join("; ")))?;
    core.telemetry.log_format = LogFormat::Json;
    (core.http.rate_per_second, core.http.rate_burst) = RATE;
    Ok(core)
}

/// The development issuer's documents, where services and apps look for them.
pub(crate) fn issuer_routes(issuer: &Issuer) -> anyhow::Result<Router> {
    let issuer = issuer.load()?;
    let json = |value: serde_json::Value| {
        let body = value.to_string();
        axum::routing::get(move || async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], body) })
    };
    Ok(Router::new()
        .route("/dev/jwks.json", json(issuer.jwks()))
        .route("/dev/.well-known/openid-configuration", json(issuer.discovery())))
}
