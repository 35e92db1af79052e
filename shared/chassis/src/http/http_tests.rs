//! The whole stack around a few routes.

use std::time::Duration;

use axum::{body::Body as HttpBody, routing};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use steward_kernel::{Role, Version};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::*;
use crate::{Permission as _, config::CoreConfig, issuer::DevIssuer};

#[derive(Debug)]
struct Handle;

impl crate::Permission for Handle {
    const NAME: &'static str = "test.handle";
    const ROLES: &'static [Role] = &[Role::Handler];
}

#[derive(Debug)]
struct Speak;

impl crate::Permission for Speak {
    const NAME: &'static str = "test.speak";
    const ROLES: &'static [Role] = &[Role::Owner, Role::Handler];
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    words: String,
}

async fn echo(call: Allowed<Handle>, Json(body): Json<Words>) -> Versioned<Value> {
    let key = call.key.as_ref().map(|key| (key.key.clone(), key.fingerprint.len()));
    let seen = json!({ "words": body.words, "key": key, "language": call.language, "if_match": call.if_match });
    Versioned::created(seen, Version(3), "/v1/echo/1").replayed(true)
}

async fn roles(call: Allowed<Speak>) -> Json<Vec<Role>> {
    Json(call.actor.roles.clone())
}

async fn get_it(_: Allowed<Handle>) -> Versioned<Words> {
    Versioned::ok(Words { words: "as they are ".repeat(20) }, Version(3))
}

async fn file(_: Allowed<Handle>, body: Body) -> String {
    format!("{} {}", body.content_type, body.bytes.len())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    kind: Option<String>,
}

async fn list(_: Allowed<Handle>, List { filter, page }: List<Filter>) -> Json<Value> {
    let rows = (0..=page.limit).rev().collect();
    let key = |row: &u16| page::Key {
        at: chrono::DateTime::UNIX_EPOCH,
        id: Uuid::from_u128(u128::from(*row)),
        changed_xid: 1,
    };
    let page = page.finish(rows, 9, key);
    Json(json!({ "kind": filter.kind, "rows": page.items.len(), "next": page.next_cursor }))
}

async fn slow() {
    std::future::pending().await
}

async fn broken() {
    panic!("broken")
}

struct Api {
    router: Router,
    issuer: DevIssuer,
    _keys: tempfile::TempDir,
}

impl Api {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut HttpConfig)) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let issuer = DevIssuer::generate("http://127.0.0.1/dev").unwrap();
        let file_name = keys.path().join("jwks.json");
        std::fs::write(&file_name, issuer.jwks().to_string()).unwrap();
        let mut config = CoreConfig::development().unwrap();
        config.auth.issuer = issuer.issuer().to_owned();
        config.auth.jwks_url = Some(format!("file://{}", file_name.display()).into());
        config.http.request_timeout = Duration::from_millis(100);
        config.http.body_limit_bytes = 1000;
        config.http.rate_burst = 5;
        config.http.rate_per_second = 1;
        change(&mut config.http);
        let authenticator = Arc::new(Authenticator::new(&config.auth).unwrap());
        let clock = Clock::System;
        let health = Health::new("test", clock.clone());
        let context = HttpContext::new("test", authenticator, clock, &config.http, health, Catalogue::new([]));
        let routes = Router::new()
            .route("/v1/echo", routing::post(echo).get(get_it))
            .route("/v1/file", routing::post(file).layer(body_limit(2000)))
            .route("/v1/large", routing::post(file).layer(body_limit(1 << 20)))
            .route("/v1/list", routing::get(list))
            .route("/v1/roles", routing::get(roles))
            .route("/v1/slow", routing::get(slow))
            .route("/v1/broken", routing::get(broken));
        // Merged with itself under another path, as in the process that runs all services.
        let other = layered(Router::new().route("/v1/other", routing::get(get_it)), context.clone());
        Self { router: layered(routes, context).merge(other), issuer, _keys: keys }
    }

    fn token(&self, role: Role) -> String {
        self.token_of(&[role])
    }

    fn token_of(&self, roles: &[Role]) -> String {
        let name = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join("-");
        self.token_for(&name, roles)
    }

    fn token_for(&self, name: &str, roles: &[Role]) -> String {
        let mut actor = Actor::service(TenantId::from(Uuid::from_u128(1)), name);
        actor.roles = roles.to_vec();
        self.issuer.token(&actor, Clock::System.now(), TimeDelta::minutes(5), Uuid::nil()).unwrap()
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (http::response::Parts, String) {
        let mut request = http::Request::builder().method(method).uri(path);
        let token = format!("Bearer {}", self.token(Role::Handler));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", token);
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(HttpBody::from(body.to_owned())).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts, String::from_utf8_lossy(&body).into_owned())
    }

    async fn problem(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (http::response::Parts, Value) {
        let (parts, body) = self.ask(method, path, headers, body).await;
        assert_eq!(parts.headers["content-type"], "application/problem+json", "{body}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["status"], parts.status.as_u16());
        (parts, problem)
    }
}

#[tokio::test]
async fn a_call_acts_in_those_roles_alone_that_permit_it() {
    let api = Api::new();
    for (first, second) in Role::ALL.into_iter().flat_map(|first| Role::ALL.map(|second| (first, second))) {
        let token = format!("Bearer {}", api.token_of(&[first, second]));
        let (parts, body) = api.ask("GET", "/v1/roles", &[("authorization", token.as_str())], "").await;
        let acting: Vec<Role> = [first, second].into_iter().filter(|role| Speak::ROLES.contains(role)).collect();
        if acting.is_empty() {
            assert_eq!(parts.status, StatusCode::FORBIDDEN, "{body}");
        } else {
            assert_eq!(serde_json::from_str::<Vec<Role>>(&body).unwrap(), acting);
        }
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_request_goes_through_and_comes_back_with_its_circumstances() {
    let headers = [
        JSON,
        ("idempotency-key", "\"k-1\""),
        ("if-match", "\"2\""),
        ("accept-language", "zh-TW"),
        ("x-request-id", "tap-1"),
    ];
    let (parts, body) = Api::new().ask("POST", "/v1/echo", &headers, r#"{"words":"电梯"}"#).await;
    assert_eq!(parts.status, 201, "{body}");
    assert!(parts.headers["etag"].to_str().unwrap().starts_with("\"3-"));
    assert_eq!(parts.headers["location"], "/v1/echo/1");
    assert_eq!(parts.headers["idempotency-replayed"], "true");
    assert_eq!(parts.headers["x-request-id"], "tap-1");
    assert_eq!(parts.headers["content-language"], "zh-Hant");
    assert_eq!(parts.headers["ratelimit-remaining"], "4");
    assert_eq!(parts.headers["cache-control"], "private, no-cache");
    let told: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({ "words": "电梯", "key": ["http:handler:k-1", 32], "language": "zh-Hant", "if_match": 2 });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let api = Api::new();
    let (parts, _) = api.ask("GET", "/v1/echo", &[], "").await;
    let etag = parts.headers["etag"].to_str().unwrap().to_owned();
    assert!(etag.starts_with("\"3-"), "{etag}");
    let known = format!("W/\"1\", {etag}");
    let (parts, body) = api.ask("GET", "/v1/echo", &[("if-none-match", &known)], "").await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (304, ""));
    assert_eq!(parts.headers["etag"], etag.as_str());
    // The same version of the resource may be shown otherwise; a version alone says nothing of the body.
    let (parts, _) = api.ask("GET", "/v1/echo", &[("if-none-match", "\"3\"")], "").await;
    assert_eq!(parts.status, 200);
    let in_english = [("if-none-match", known.as_str()), ("accept-language", "en")];
    let (parts, _) = api.ask("GET", "/v1/echo", &in_english, "").await;
    assert_eq!((parts.status.as_u16(), &parts.headers["content-language"]), (200, &HeaderValue::from_static("en")));
    assert_ne!(parts.headers["etag"], etag.as_str());
    let (parts, _) = api.ask("GET", "/v1/other", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(parts.headers["content-encoding"], "gzip");
}

#[tokio::test]
async fn everything_that_goes_wrong_is_a_problem() {
    let api = Api::new();
    let long = format!(r#"{{"words":"{}"}}"#, "x".repeat(1000));
    let other_role = format!("Bearer {}", api.token(Role::Owner));
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, &str, Headers<'_>, &str, u16, &str); 9] = [
        ("GET", "/v1/nowhere", &[], "", 404, "not-found"),
        ("DELETE", "/v1/echo", &[], "", 405, "method-not-allowed"),
        ("GET", "/v1/slow", &[], "", 503, "timed-out"),
        ("GET", "/v1/broken", &[], "", 500, "internal"),
        ("GET", "/v1/echo", &[("authorization", "")], "", 401, "unauthenticated"),
        ("GET", "/v1/echo", &[("authorization", &other_role)], "", 403, "forbidden"),
        ("POST", "/v1/echo", &[], "{}", 415, "unsupported-media-type"),
        ("POST", "/v1/echo", &[JSON], &long, 413, "body-too-large"),
        ("POST", "/v1/echo", &[JSON, ("idempotency-key", "k")], &long, 413, "body-too-large"),
    ];
    for (method, path, headers, body, status, code) in cases {
        let (parts, problem) = api.problem(method, path, headers, body).await;
        assert_eq!((parts.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{method} {path}");
        assert_eq!(parts.headers["content-language"], "zh-Hans");
    }
    let (parts, _) = api.problem("DELETE", "/v1/echo", &[], "").await;
    assert!(parts.headers["allow"].to_str().unwrap().contains("POST"));
    let (parts, problem) =
        api.problem("GET", "/v1/echo", &[("authorization", "Bearer x"), ("accept-language", "en")], "").await;
    assert_eq!(problem["title"], "A valid access token is needed");
    assert!(parts.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_problem_and_the_log_name_the_trace_that_the_caller_began() {
    use opentelemetry::trace::TracerProvider as _;
    use tracing::instrument::WithSubscriber as _;
    use tracing_subscriber::layer::SubscriberExt as _;
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let (api, lines) = (Api::new(), Lines::default());
    let writer = lines.clone();
    let log = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    // As long as there is one dispatcher only, whichever thread comes first to a span asks its own, and other tests' threads have none.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(layer).with(log);
    let asked = api.problem("GET", "/v1/broken", &parent, "").with_subscriber(subscriber);
    assert_eq!(asked.await.1["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("\"internal error\"") && log.contains("\"request\""), "{log}");
    assert!(log.lines().all(|line| line.contains("\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"")), "{log}");
}

#[tokio::test]
async fn a_route_may_take_more_than_others() {
    let api = Api::new();
    let (parts, body) = api.ask("POST", "/v1/file", &[("content-type", "image/PNG; x=y")], &"x".repeat(2000)).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (200, "image/png 2000"));
    let (parts, body) = api.ask("POST", "/v1/file", &[("idempotency-key", "k")], &"x".repeat(2000)).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (200, " 2000"));
    api.problem("POST", "/v1/file", &[], &"x".repeat(2001)).await;
}

/// A large upload over a connection of its own, and how much of it.
async fn upload(api: &Api, address: std::net::SocketAddr, name: &str, key: Option<&str>, sent: usize) -> TcpStream {
    let token = api.token_for(name, &[Role::Handler]);
    let key = key.map(|key| format!("idempotency-key: {key}\r\n")).unwrap_or_default();
    let head = format!(
        "POST /v1/large HTTP/1.1\r\nhost: it\r\nauthorization: Bearer {token}\r\n{key}content-length: {}\r\n\r\n",
        1 << 20
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![b'x'; sent]).await.unwrap();
    connection
}

/// Status and `Retry-After`.
async fn answer(connection: &mut TcpStream) -> (u16, Option<String>) {
    let mut text = Vec::new();
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        assert_ne!(connection.read_buf(&mut text).await.unwrap(), 0, "no answer");
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let later = text.lines().find_map(|line| line.strip_prefix("retry-after: ")).map(str::to_owned);
    (text.split(' ').nth(1).unwrap().parse().unwrap(), later)
}

/// Of uploads that stop in the middle, those that are still under way when `refused` of them are answered; each with the same.
async fn sift(uploads: Vec<TcpStream>, refused: usize, with: u16) -> Vec<TcpStream> {
    let mut answers = JoinSet::new();
    let (leave, left) = tokio::sync::watch::channel(());
    for mut upload in uploads {
        let mut left = left.clone();
        answers.spawn(async move {
            tokio::select! {
                told = answer(&mut upload) => (Some(told), upload),
                _ = left.changed() => (None, upload),
            }
        });
    }
    for _ in 0..refused {
        let (told, _) =
            tokio::time::timeout(Duration::from_secs(20), answers.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!(told, Some((with, Some("2".to_owned()))));
    }
    leave.send(()).unwrap();
    answers
        .join_all()
        .await
        .into_iter()
        .map(|(told, upload)| {
            assert_eq!(told, None);
            upload
        })
        .collect()
}

#[tokio::test]
async fn slow_uploads_take_bounded_room_and_hinder_nobody_else() {
    let api = Api::with(|config| {
        config.body_memory_bytes = 6 << 20;
        config.request_timeout = Duration::from_secs(60);
        config.rate_burst = 100;
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, api.router.clone()).into_future());
    let mut of_one = Vec::new();
    for key in [None, Some("k")].repeat(5) {
        of_one.push(upload(&api, address, "one", key, 1 << 15).await);
    }
    let mut of_one = sift(of_one, 8, 429).await;
    assert_eq!(of_one.len(), 2, "a third of all room");
    let mut of_many = Vec::new();
    for (n, key) in [None, Some("k")].repeat(5).into_iter().enumerate() {
        of_many.push(upload(&api, address, &format!("many-{n}"), key, 1 << 15).await);
    }
    let of_many = sift(of_many, 6, 503).await;
    assert_eq!(of_many.len(), 4, "what was left of it");
    for name in ["one", "other"] {
        let token = format!("Bearer {}", api.token_for(name, &[Role::Handler]));
        let headers = [JSON, ("authorization", token.as_str()), ("idempotency-key", "small")];
        let (parts, body) = api.ask("POST", "/v1/echo", &headers, r#"{"words":"电梯"}"#).await;
        assert_eq!(parts.status, 201, "{body}");
    }
    // Who finds no room waits a moment; meanwhile somebody hangs up, and somebody comes to the end.
    let mut next = upload(&api, address, "next", Some("k"), 1 << 20).await;
    drop(of_many);
    assert_eq!(answer(&mut next).await.0, 200);
    let mut last = of_one.remove(0);
    last.write_all(&vec![b'x'; (1 << 20) - (1 << 15)]).await.unwrap();
    assert_eq!(answer(&mut last).await.0, 200);
    drop(of_one);
    let mut uploads = Vec::new();
    for n in 0..6 {
        uploads.push(upload(&api, address, &format!("again-{n}"), None, 1 << 20).await);
    }
    for upload in &mut uploads {
        assert_eq!(answer(upload).await.0, 200);
    }
    server.abort();
}

#[tokio::test]
async fn a_list_takes_its_filters_and_its_own_marks_only() {
    let api = Api::new();
    let (_, body) = api.ask("GET", "/v1/list?limit=3&kind=inquiry", &[], "").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["rows"], &body["kind"]), (&json!(3), &json!("inquiry")));
    let next = body["next"].as_str().unwrap();
    assert_eq!(api.ask("GET", &format!("/v1/list?kind=inquiry&cursor={next}"), &[], "").await.0.status, 200);
    let (parts, problem) = api.problem("GET", &format!("/v1/list?cursor={next}"), &[], "").await;
    assert_eq!((parts.status.as_u16(), &problem["code"]), (400, &json!("cursor-filter-mismatch")));
    let (_, problem) = api.problem("GET", "/v1/list?colour=red", &[], "").await;
    assert_eq!(problem["errors"][0]["pointer"], "colour");
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let api = Api::new();
    for _ in 0..5 {
        let (parts, _) = api.ask("GET", "/v1/echo", &[], "").await;
        assert_eq!(parts.status, 200);
    }
    let (parts, problem) = api.problem("GET", "/v1/echo", &[], "").await;
    assert_eq!(problem["code"], "too-many-requests");
    assert_eq!(parts.headers["retry-after"], "1");
}

#[tokio::test]
async fn operators_see_how_it_is() {
    let health = Health::new("test", Clock::System);
    let shown = Operations {
        health: vec![health.clone()],
        openapi: Document::empty("test", "Nothing"),
        problems: Catalogue::new([]),
    };
    let router = operations(shown);
    let ask = async |path: &str| {
        let request = http::Request::builder().uri(path).body(HttpBody::empty()).unwrap();
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
    };
    telemetry::install_metrics();
    assert_eq!(ask("/live").await.0, 200);
    assert_eq!(ask("/ready").await.0, 503);
    health.enter(crate::lifecycle::Phase::Serving);
    assert_eq!(ask("/ready").await.0, 200);
    health.set("database", crate::lifecycle::State::Down, "");
    assert_eq!(ask("/health").await.0, 503);
    let metrics = ask("/metrics").await.1;
    for line in
        ["health_part_state", "service_ready{service=\"test\"} 1", "steward_build_info{service=\"test\",version="]
    {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(ask("/openapi.json").await.1.contains("\"openapi\":\"3.1"));
    assert!(ask("/docs/").await.1.contains("swagger"));
    assert!(ask("/problems").await.1.contains("/problems/busy"));
    assert!(ask("/problems/busy").await.1.contains("409"));
    assert_eq!(ask("/problems/none").await.0, 404);
}
