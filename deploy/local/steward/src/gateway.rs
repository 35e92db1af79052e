//! One address before five processes, routed by the same list as everywhere.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use axum::Router;
use axum_reverse_proxy::ReverseProxy;
use clap::Args;
use steward_admin::services;
use steward_chassis::{
    Clock,
    http::{self, Authenticator, HttpContext, Operations},
    lifecycle::{Health, Lifecycle, Phase, State},
    telemetry,
};

use crate::{
    Issuer,
    serve::{development, issuer_routes},
};

/// Where this process listens, and where the services do.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    issuer: Issuer,
    /// Address and port.
    #[arg(long, env = "STEWARD_HTTP_BIND", default_value = "127.0.0.1:8480")]
    bind: SocketAddr,
    /// URL of each service.
    #[arg(long, env = "STEWARD_UPSTREAM_INTAKE")]
    intake: String,
    #[arg(long, env = "STEWARD_UPSTREAM_COMPLAINT")]
    complaint: String,
    #[arg(long, env = "STEWARD_UPSTREAM_DISPATCH")]
    dispatch: String,
    #[arg(long, env = "STEWARD_UPSTREAM_NOTIFICATION")]
    notification: String,
    #[arg(long, env = "STEWARD_UPSTREAM_FEEDBACK_ANALYTICS")]
    feedback_analytics: String,
}

/// Forwards until told to stop.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let core = development()?;
    let _flushed_at_the_end = telemetry::init("gateway", &core.telemetry)?;
    let lifecycle = Lifecycle::new(core.shutdown.grace);
    lifecycle.listen_to_signals()?;
    let listener = tokio::net::TcpListener::bind(settings.bind).await?;
    let health = Health::new("gateway", Clock::System);
    health.set("routes", State::Ok, "");
    health.enter(Phase::Serving);
    let authenticator = Arc::new(Authenticator::new(&core.auth)?);
    let catalogue = services::catalogue();
    let context = HttpContext::new("gateway", authenticator, Clock::System, &core.http, health.clone(), catalogue);
    let operations = Operations { health: vec![health], openapi: services::openapi(), problems: services::catalogue() };
    let router = forward(&settings).merge(http::operations(operations)).merge(issuer_routes(&settings.issuer)?);
    tracing::info!(address = %settings.bind, "forwarding to five services");
    http::serve(listener, http::complete(router, context), &lifecycle).await?;
    lifecycle.drained().await;
    Ok(())
}

/// Each path prefix to the service it belongs to.
fn forward(settings: &Settings) -> Router {
    let upstreams = HashMap::from([
        ("intake", &settings.intake),
        ("complaint", &settings.complaint),
        ("dispatch", &settings.dispatch),
        ("notification", &settings.notification),
        ("feedback-analytics", &settings.feedback_analytics),
    ]);
    services::routes().iter().fold(Router::new(), |router, (prefix, service)| match upstreams.get(service) {
        Some(upstream) => {
            let proxy: Router = ReverseProxy::new(prefix, format!("{upstream}{prefix}")).into();
            router.merge(proxy)
        }
        None => router,
    })
}
