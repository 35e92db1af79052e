//! One address before five processes, routed by the same list as everywhere.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use axum_reverse_proxy::ReverseProxy;
use clap::Args;
use steward_admin::services;
use steward_chassis::{
    Clock,
    config::CoreConfig,
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
    /// How long it still accepts after it was asked to stop, and says that it is not ready: as long as balancers need to turn away.
    #[arg(long, env = "STEWARD_LINGER", default_value = "0s", value_parser = humantime::parse_duration)]
    linger: Duration,
    /// URL of each service.
    #[arg(long, env = "STEWARD_UPSTREAM_INTAKE", hide_env_values = true)]
    intake: String,
    #[arg(long, env = "STEWARD_UPSTREAM_COMPLAINT", hide_env_values = true)]
    complaint: String,
    #[arg(long, env = "STEWARD_UPSTREAM_DISPATCH", hide_env_values = true)]
    dispatch: String,
    #[arg(long, env = "STEWARD_UPSTREAM_NOTIFICATION", hide_env_values = true)]
    notification: String,
    #[arg(long, env = "STEWARD_UPSTREAM_FEEDBACK_ANALYTICS", hide_env_values = true)]
    feedback_analytics: String,
}

/// Forwards until told to stop.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let core = development()?;
    let _flushed_at_the_end = telemetry::init("gateway", &core.telemetry)?;
    let lifecycle = Lifecycle::new(core.shutdown.grace).lingering(settings.linger);
    lifecycle.listen_to_signals()?;
    let listener = tokio::net::TcpListener::bind(settings.bind).await?;
    serve(&settings, &core, listener, &lifecycle).await
}

async fn serve(
    settings: &Settings,
    core: &CoreConfig,
    listener: tokio::net::TcpListener,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let health = Health::new("gateway", Clock::System);
    health.set("routes", State::Ok, "");
    health.enter(Phase::Serving);
    let (leaves, leaving) = (lifecycle.leaving(), health.clone());
    lifecycle.spawn("phase", async move {
        leaves.cancelled().await;
        leaving.enter(Phase::Draining);
    });
    let authenticator = Arc::new(Authenticator::new(&core.auth)?);
    let catalogue = services::catalogue();
    let context = HttpContext::new("gateway", authenticator, Clock::System, &core.http, health.clone(), catalogue);
    let operations = Operations { health: vec![health], openapi: services::openapi(), problems: services::catalogue() };
    let forward = http::forwarding(forward(settings), context.clone());
    let router = forward.merge(http::operations(operations)).merge(issuer_routes(&settings.issuer)?);
    tracing::info!(address = %settings.bind, "forwarding to five services");
    http::serve(listener, http::complete(router, context), lifecycle).await?;
    lifecycle.drained().await;
    anyhow::ensure!(!lifecycle.has_failed(), "a task failed");
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

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use axum::routing::any;
    use tokio::net::TcpListener;

    use super::*;

    /// Where requests go, as a cluster knows it.
    type Endpoints = Arc<Mutex<Vec<SocketAddr>>>;

    fn change(endpoints: &Endpoints, change: impl FnOnce(&mut Vec<SocketAddr>)) {
        change(&mut endpoints.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A gateway before that service; it has the key of its issuer in that folder.
    async fn gateway(upstream: &str, folder: &std::path::Path) -> (SocketAddr, Lifecycle, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = || upstream.to_owned();
        let issuer = Issuer { issuer: "http://127.0.0.1/dev".to_owned(), issuer_key: folder.join("issuer.der") };
        let linger = Duration::from_millis(800);
        let settings = Settings {
            issuer,
            bind: address,
            linger,
            intake: url(),
            complaint: url(),
            dispatch: url(),
            notification: url(),
            feedback_analytics: url(),
        };
        let lifecycle = Lifecycle::new(Duration::from_secs(5)).lingering(linger);
        let serving = lifecycle.clone();
        let task = tokio::spawn(async move {
            serve(&settings, &development().unwrap(), listener, &serving).await.unwrap();
        });
        (address, lifecycle, task)
    }

    /// Asks for cases until told to stop; what was answered well, and what was not.
    async fn ask(endpoints: Endpoints, stop: tokio_util::sync::CancellationToken) -> (usize, Vec<String>) {
        let http = reqwest::Client::new();
        let (mut good, mut bad) = (0, Vec::new());
        while !stop.is_cancelled() {
            let address = endpoints.lock().unwrap_or_else(PoisonError::into_inner)[0];
            match http.get(format!("http://{address}/v1/cases")).send().await {
                Ok(answer) if answer.status() == 200 => good += 1,
                Ok(answer) => bad.push(answer.status().to_string()),
                Err(fault) => bad.push(format!("{fault:?}")),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (good, bad)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn that_no_service_is_there_is_told_as_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (address, _runs, _task) = gateway(&format!("http://{nobody}"), folder.path()).await;
        let asked = reqwest::Client::new().get(format!("http://{address}/v1/cases")).header("accept-language", "en");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()["retry-after"], "5");
        let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "unavailable");
        assert_eq!(problem["detail"], "the service is away");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_notices_that_a_gateway_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", service.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(service, Router::new().fallback(any(|| async { "[]" }))).await });
        let (old, leaving, ended) = gateway(&upstream, folder.path()).await;
        let endpoints: Endpoints = Arc::new(Mutex::new(vec![old]));
        let stop = tokio_util::sync::CancellationToken::new();
        let asking: Vec<_> = (0..4).map(|_| tokio::spawn(ask(Arc::clone(&endpoints), stop.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(300)).await;

        let (new, _new_runs, _new_task) = gateway(&upstream, folder.path()).await;
        tokio::spawn(async move { leaving.leave().await });
        // A cluster asks whether a pod is ready, and tells the nodes a little later.
        let probe = reqwest::Client::new();
        while probe.get(format!("http://{old}/ready")).send().await.unwrap().status() == 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        change(&endpoints, |endpoints| *endpoints = vec![new]);
        ended.await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.cancel();
        for asked in asking {
            let (good, bad) = asked.await.unwrap();
            assert!(good > 20 && bad.is_empty(), "{good} good answers, and {bad:?}");
        }
    }
}
