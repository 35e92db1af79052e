//! The HTTP server: what stands around all routes, in one place.
//!
//! [`layered`] gives a service's routes request ids, traces, limits, problems, languages and figures; handlers take and
//! give what is in [`extract`]. [`operations`] has what an operator asks.

pub mod auth;
mod bodies;
pub mod document;
pub mod extract;
mod limit;
mod operations;
pub mod page;
pub mod problem;

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use steward_kernel::{Actor, ProblemKind, TenantId, vocabulary::Language};
use tower_http::compression::CompressionLayer;
use tracing::Instrument as _;

use crate::{Clock, Error, Result, config::HttpConfig, db, instruments, lifecycle::Health, telemetry};

pub use auth::Authenticator;
pub use document::{Document, Group, routes::Routes};
pub use extract::{Allowed, Body, BodyLimit, Json, Path, Query, Versioned, body_limit};
pub use limit::{Limiter, Rate};
pub use operations::{Operations, operations, serve};
pub use page::{List, ListParams, NoFilter, PageRequest};
pub use problem::{Catalogue, Problem, Problems};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Says that this answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest request id that is taken over from the caller.
const MAX_REQUEST_ID: usize = 128;

/// What the layer and the extractors of one service share.
#[derive(Debug, Clone)]
pub struct HttpContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: &'static str,
    authenticator: Arc<Authenticator>,
    clock: Clock,
    config: HttpConfig,
    health: Health,
    limiter: Limiter,
    bodies: bodies::Bodies,
    catalogue: Catalogue,
    seal: page::Seal,
}

impl HttpContext {
    /// The context of a service.
    ///
    /// * `catalogue`: the platform's problems and the service's own.
    #[must_use]
    pub fn new(
        service: &'static str,
        authenticator: Arc<Authenticator>,
        clock: Clock,
        config: &HttpConfig,
        health: Health,
        catalogue: Catalogue,
    ) -> Self {
        instruments::start_counters(service);
        let limiter = Limiter::new(config.rate_per_second, config.rate_burst);
        let bodies = bodies::Bodies::new(service, config.body_memory_bytes);
        let seal = page::Seal::new(&config.cursor_secret);
        let config = config.clone();
        Self(Arc::new(Inner { service, authenticator, clock, config, health, limiter, bodies, catalogue, seal }))
    }

    /// The context that [`layered`] has put into the request.
    pub(crate) fn of(parts: &Parts) -> Result<&Self> {
        parts
            .extensions
            .get()
            .ok_or_else(|| Error::internal("http context", "the route stands outside of http::layered"))
    }

    /// The service's name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// How the service is.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// The service's problems.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    fn bodies(&self) -> &bodies::Bodies {
        &self.0.bodies
    }

    pub(crate) fn config(&self) -> &HttpConfig {
        &self.0.config
    }

    pub(crate) fn seal(&self) -> &page::Seal {
        &self.0.seal
    }
}

/// What the extractors find out and the layer writes down: who asked (never by name), and how much they may still ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<NotesInner>>);

#[derive(Debug, Default)]
struct NotesInner {
    told: Told,
    caller: bodies::Caller,
    /// Room for the request's body, as long as the request is carried out.
    place: Option<bodies::Place>,
}

/// What is written down.
#[derive(Debug, Clone, Default)]
struct Told {
    tenant: Option<TenantId>,
    roles: String,
    rate: Option<Rate>,
}

impl Notes {
    pub(crate) fn caller(&self, actor: &Actor) {
        let mut notes = self.lock();
        notes.caller = Some((actor.tenant, actor.id.as_str().to_owned()));
        notes.told.tenant = Some(actor.tenant);
        notes.told.roles = actor.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",");
    }

    pub(crate) fn rate(&self, rate: Rate) {
        self.lock().told.rate = Some(rate);
    }

    fn told(&self) -> Told {
        self.lock().told.clone()
    }

    /// Who asks, and whether their body has its place.
    fn sender(&self) -> (bodies::Caller, bool) {
        let notes = self.lock();
        (notes.caller.clone(), notes.place.is_some())
    }

    fn hold(&self, place: bodies::Place) {
        self.lock().place = Some(place);
    }

    fn lock(&self) -> MutexGuard<'_, NotesInner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service's routes with all that stands around them.
///
/// Routers made by this can be merged into one: nothing here claims the paths that are not the service's.
pub fn layered(routes: Router, context: HttpContext) -> Router {
    routes.layer(middleware::from_fn_with_state(context, around)).layer(CompressionLayer::new())
}

/// A whole server's routes: what none of them knows is answered with a problem, too.
pub fn complete(routes: Router, context: HttpContext) -> Router {
    let unknown = Router::new().fallback(|| async { StatusCode::NOT_FOUND });
    routes.fallback_service(layered(unknown, context))
}

/// The routes of a gateway: what a service answers passes as it is; that nobody answers behind them is a problem, too.
pub fn forwarding(routes: Router, context: HttpContext) -> Router {
    routes.layer(middleware::from_fn_with_state(context, ask_behind))
}

async fn ask_behind(State(context): State<HttpContext>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request, &context);
    let mut response = next.run(request).await;
    // No service says so: the gateway has reached none.
    if matches!(response.status(), StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
        let cause = format!("{} from the way there", response.status());
        response = Error::Unavailable { what: "the service", cause: cause.into() }.into_response();
        finish(&mut response, &context, &asked, &Told::default());
    }
    response
}

/// What is known of a request before it is carried out.
struct Asked {
    method: Method,
    route: String,
    request_id: String,
    language: Language,
    if_none_match: Option<HeaderValue>,
}

impl Asked {
    fn of(request: &Request, context: &HttpContext) -> Self {
        let headers = request.headers();
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text(REQUEST_ID).filter(|id| {
            (1..=MAX_REQUEST_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        });
        Self {
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned(),
            request_id: request_id.map_or_else(|| context.0.clock.new_id().to_string(), str::to_owned),
            language: text(header::ACCEPT_LANGUAGE).map_or(Language::ZhHans, Language::negotiate),
            if_none_match: headers.get(header::IF_NONE_MATCH).cloned(),
        }
    }
}

impl Asked {
    fn is_reading(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

async fn around(State(context): State<HttpContext>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let asked = Asked::of(&request, &context);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{} {}", asked.method, asked.route),
        otel.kind = "server",
        service = context.0.service,
        http.request.method = %asked.method,
        http.route = asked.route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        request_id = asked.request_id,
        trace_id = tracing::field::Empty,
        tenant = tracing::field::Empty,
    );
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    telemetry::set_parent(&span, parent);
    async move {
        let active = Active::one_more(context.0.service);
        let notes = Notes::default();
        let request = prepare(request, &context, &asked, &notes);
        let mut response = carry_out(&context, request, next).await;
        finish(&mut response, &context, &asked, &notes.told());
        report(&response, &context, &asked, &notes.told(), started);
        drop(active);
        response
    }
    .instrument(span)
    .await
}

/// Puts into the request what the extractors need.
fn prepare(request: Request, context: &HttpContext, asked: &Asked, notes: &Notes) -> Request {
    let mut request = extract::SharedBody::install(request);
    let extensions = request.extensions_mut();
    extensions.insert(context.clone());
    extensions.insert(notes.clone());
    extensions.insert(asked.language);
    request
}

/// The handler's answer, or a problem when it panics or takes too long.
async fn carry_out(context: &HttpContext, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().is_some();
    let limit = context.0.config.request_timeout;
    let work = AssertUnwindSafe(db::until(Instant::now() + limit, next.run(request))).catch_unwind();
    let response = match tokio::time::timeout(limit, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Error::internal("a handler panicked", literal(panic.as_ref())).into_response(),
        Err(_) => Error::TimedOut.into_response(),
    };
    // What the router itself answers has no body and no error behind it.
    let bare = response.extensions().get::<problem::Failure>().is_none();
    match response.status() {
        StatusCode::NOT_FOUND if bare && !matched => Error::NotFound.into_response(),
        StatusCode::METHOD_NOT_ALLOWED if bare => {
            let mut problem = refused(problem::METHOD_NOT_ALLOWED).into_response();
            if let Some(methods) = response.headers().get(header::ALLOW) {
                problem.headers_mut().insert(header::ALLOW, methods.clone());
            }
            problem
        }
        _ => response,
    }
}

/// The words of a panic, if they stand in the program; composed ones may carry what a person wrote.
fn literal(panic: &(dyn Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("with composed words")
}

fn refused(kind: ProblemKind) -> Error {
    Error::Refused { kind, allowed: Vec::new(), field: None }
}

/// Writes into the answer what only the request knows.
fn finish(response: &mut Response, context: &HttpContext, asked: &Asked, notes: &Told) {
    if let Some(problem::Failure(error)) = response.extensions_mut().remove() {
        problem::log(&error);
        let trace_id = telemetry::trace_id(&tracing::Span::current());
        let told = problem::describe_error(&error, &context.0.catalogue, asked.language, trace_id);
        problem::write(response, &told);
    }
    let language = HeaderValue::from_static(asked.language.as_str());
    response.headers_mut().entry(header::CONTENT_LANGUAGE).or_insert(language);
    mark(response, asked);
    if is_unchanged(response, asked) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&asked.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    // What one caller may read is not for a shared cache; and a file is only ever what it says it is.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(rate) = notes.rate {
        rate.write(headers);
    }
}

/// Gives an `ETag` to what was read, and to whatever has a version.
fn mark(response: &mut Response, asked: &Asked) {
    let reads = asked.is_reading() && response.status() == StatusCode::OK;
    let digest = response.extensions().get::<extract::BodyDigest>().filter(|digest| reads || digest.is_versioned());
    let language = response.headers().get(header::CONTENT_LANGUAGE);
    if let Some(etag) = digest.zip(language).and_then(|(digest, language)| digest.etag(language)) {
        response.headers_mut().entry(header::ETAG).or_insert(etag);
    }
}

/// Whether a reader already has this very answer (`If-None-Match`).
fn is_unchanged(response: &Response, asked: &Asked) -> bool {
    let (Some(etag), Some(known)) = (response.headers().get(header::ETAG), &asked.if_none_match) else { return false };
    let weak = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let reads = asked.is_reading() && response.status() == StatusCode::OK;
    let (Ok(etag), Ok(known)) = (etag.to_str(), known.to_str()) else { return false };
    reads && known.split(',').any(|one| one.trim() == "*" || weak(one) == weak(etag))
}

/// One line and one observation for each request.
fn report(response: &Response, context: &HttpContext, asked: &Asked, notes: &Told, started: Instant) {
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let span = tracing::Span::current();
    span.record("http.response.status_code", status);
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let tenant = notes.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    span.record("tenant", tenant.as_str());
    tracing::info!(
        target: "steward::request",
        method = %asked.method,
        route = asked.route,
        status,
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        tenant,
        roles = notes.roles,
        "request"
    );
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "service" => context.0.service,
        "http_request_method" => method_word(&asked.method),
        "http_route" => asked.route.clone(),
        "http_response_status_code" => status.to_string(),
    )
    .record(elapsed.as_secs_f64());
    if response.headers().contains_key(REPLAYED) {
        metrics::counter!("http_server_replayed_requests_total", "service" => context.0.service).increment(1);
    }
}

/// A method as a label: made-up ones must not make new time series.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Counts a request as long as it is carried out, even when the caller goes away.
struct Active(&'static str);

impl Active {
    fn one_more(service: &'static str) -> Self {
        metrics::gauge!("http_server_active_requests", "service" => service).increment(1.0);
        Self(service)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!("http_server_active_requests", "service" => self.0).decrement(1.0);
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
