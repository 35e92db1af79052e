//! What an operator and a developer ask: is it alive, is it ready, how is it, what can it do.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
    serve::ListenerExt as _,
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::net::TcpListener;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{Document, problem::Catalogue};
use crate::{
    Error, Result,
    lifecycle::{Health, Lifecycle, Report, State as PartState},
    telemetry,
};

/// What the operational routes show.
#[derive(Clone)]
pub struct Operations {
    /// The services in this process.
    pub health: Vec<Health>,
    /// What they can do, in one document.
    pub openapi: Document,
    /// What can go wrong.
    pub problems: Catalogue,
}

/// How a process is, as JSON.
#[derive(Debug, Serialize)]
struct ProcessReport {
    status: PartState,
    services: Vec<Report>,
}

/// Routes `/live`, `/ready`, `/health`, `/metrics`, `/openapi.json`, `/docs`, `/problems` and `/problems/{slug}`.
///
/// They need no token and show nothing of any company; keep them off the public address where that matters.
pub fn operations(operations: Operations) -> Router {
    let docs = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    let document = Bytes::from(operations.openapi.to_json().unwrap_or_default());
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(move || std::future::ready(openapi(document.clone()))))
        .route("/problems", get(problems))
        .route("/problems/{*slug}", get(problem))
        .with_state(Arc::new(operations))
        .merge(docs)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn openapi(document: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

async fn live() -> Response {
    json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

async fn ready(State(shown): State<Arc<Operations>>) -> Response {
    let ready = shown.health.iter().all(Health::is_ready);
    json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &report(&shown))
}

async fn health(State(shown): State<Arc<Operations>>) -> Response {
    let report = report(&shown);
    let down = report.status == PartState::Down;
    json(if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, &report)
}

fn report(shown: &Operations) -> ProcessReport {
    let services: Vec<Report> = shown.health.iter().map(Health::report).collect();
    let status = services.iter().map(|service| service.status).max().unwrap_or(PartState::Ok);
    ProcessReport { status, services }
}

async fn metrics(State(shown): State<Arc<Operations>>) -> Response {
    for health in &shown.health {
        let service = health.report().service;
        let version = env!("CARGO_PKG_VERSION");
        metrics::gauge!("steward_build_info", "service" => service, "version" => version).set(1.0);
        metrics::gauge!("service_ready", "service" => service).set(if health.is_ready() { 1.0 } else { 0.0 });
    }
    match telemetry::render_metrics() {
        Some(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn problems(State(shown): State<Arc<Operations>>) -> Response {
    let list: Vec<_> = shown
        .problems
        .kinds()
        .map(|kind| {
            let path = format!("/problems/{}", kind.slug);
            serde_json::json!({ "type": path, "code": kind.slug, "status": kind.status, "title": kind.title })
        })
        .collect();
    json(StatusCode::OK, &list)
}

#[expect(clippy::disallowed_types, reason = "any text is a good slug to look for; this cannot fail")]
async fn problem(
    State(shown): State<Arc<Operations>>,
    axum::extract::Path(slug): axum::extract::Path<String>,
) -> Response {
    use steward_kernel::vocabulary::Language;
    let Some(kind) = shown.problems.find(&slug) else { return StatusCode::NOT_FOUND.into_response() };
    let title = |language| shown.problems.title(kind, language);
    let text = format!(
        "{}\n\nHTTP status: {}\nen: {}\nzh-Hans: {}\nzh-Hant: {}\n",
        kind.slug,
        kind.status,
        kind.title,
        title(Language::ZhHans),
        title(Language::ZhHant)
    );
    text.into_response()
}

/// Serves until the soft stop, in the last moments before it closing each connection behind its answer; then takes no more connections and finishes what is under way, as long as the time of
/// grace lasts.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(listener: TcpListener, router: Router, lifecycle: &Lifecycle) -> Result<()> {
    // Answers are small: waiting to fill a packet would only add delay.
    let listener = listener.tap_io(|stream| {
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "TCP_NODELAY");
        }
    });
    let leaving = lifecycle.clone();
    let router = router.layer(axum::middleware::map_response(move |mut answer: Response| {
        if leaving.is_leaving() {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        std::future::ready(answer)
    }));
    let server = axum::serve(listener, router).with_graceful_shutdown(lifecycle.soft().cancelled_owned());
    tokio::select! {
        done = server => done.map_err(|cause| Error::internal("http server", cause)),
        () = lifecycle.grace_is_over() => Ok(()),
    }
}
