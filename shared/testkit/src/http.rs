//! A client that speaks to a router in process, or to a running system over the network, like an app would.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{db::new_id, document::Promised, ledger::Sent};

/// Where requests go.
#[derive(Debug, Clone)]
enum Target {
    InProcess(axum::Router),
    Url(String, reqwest::Client),
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Client {
    target: Target,
    token: Option<String>,
    promised: Vec<Arc<Promised>>,
}

/// A request being put together.
#[derive(Debug)]
pub struct Request {
    client: Client,
    method: http::Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: http::HeaderMap,
    /// Body bytes.
    pub bytes: Vec<u8>,
}

impl Client {
    /// Speaks to a router in this process, which has promised what stands in these documents.
    #[must_use]
    pub fn in_process(router: axum::Router, token: Option<String>, promised: Vec<Arc<Promised>>) -> Self {
        Self { target: Target::InProcess(router), token, promised }
    }

    /// Speaks to a running system, which has promised what stands in these documents.
    #[must_use]
    pub fn over_network(url: &str, token: Option<String>, promised: Vec<Arc<Promised>>) -> Self {
        let client = reqwest::Client::new();
        Self { target: Target::Url(url.trim_end_matches('/').to_owned(), client), token, promised }
    }

    /// The same over connections of another manner, where it speaks over the network.
    #[must_use]
    pub fn through(self, client: reqwest::Client) -> Self {
        let target = match self.target {
            Target::Url(url, _) => Target::Url(url, client),
            in_process @ Target::InProcess(_) => in_process,
        };
        Self { target, ..self }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(&self, token: Option<String>) -> Self {
        Self { token, ..self.clone() }
    }

    /// Any request. A POST carries a fresh `Idempotency-Key` unless `.key()` gives one.
    #[must_use]
    pub fn request(&self, method: http::Method, path: &str) -> Request {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        Request { client: self.clone(), method, path: path.to_owned(), headers, body: Vec::new() }
    }

    /// Reads.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request(http::Method::GET, path)
    }

    /// Sends JSON.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "json!(…) at the call")]
    pub fn post(&self, path: &str, body: Value) -> Request {
        self.request(http::Method::POST, path).json(&body)
    }

    /// Replaces with JSON.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "json!(…) at the call")]
    pub fn put(&self, path: &str, body: Value) -> Request {
        self.request(http::Method::PUT, path).json(&body)
    }

    /// Sends bytes of a media type.
    #[must_use]
    pub fn upload(&self, path: &str, content_type: &str, bytes: Vec<u8>) -> Request {
        let mut request = self.request(http::Method::POST, path).header("content-type", content_type);
        request.body = bytes;
        request
    }
}

impl Request {
    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the `Idempotency-Key`.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sets `If-Match` to that version.
    #[must_use]
    pub fn if_match(self, version: i64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    /// Sends it; failures of the network come back as an error.
    ///
    /// # Errors
    /// When nobody answers.
    ///
    /// # Panics
    /// When the answer is not what the API document says.
    pub async fn try_send(self) -> anyhow::Result<Answer> {
        let (method, path, promised) = (self.method.clone(), self.path.clone(), self.client.promised.clone());
        let media = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, media)| media.clone());
        let body = if promised.is_empty() { Vec::new() } else { self.body.clone() };
        let answer = self.carry_out().await?;
        let known = promised.iter().find_map(|document| document.lies(&method, &path, &answer));
        let is_unknown = !promised.is_empty() && path.starts_with("/v1/") && answer.status < 400;
        let lies =
            known.unwrap_or_else(|| if is_unknown { vec!["not in the document".to_owned()] } else { Vec::new() });
        assert!(
            lies.is_empty(),
            "{} answered {} against the API document:\n{}\n{}",
            answer.asked,
            answer.status,
            lies.join("\n"),
            answer.text()
        );
        let sent = Sent { media: media.as_deref().unwrap_or_default(), body: &body };
        promised.iter().for_each(|document| document.observe(&method, &path, &sent, &answer));
        Ok(answer)
    }

    async fn carry_out(mut self) -> anyhow::Result<Answer> {
        if self.method == http::Method::POST && !self.headers.iter().any(|(name, _)| name == "idempotency-key") {
            self.headers.push(("idempotency-key".to_owned(), new_id().to_string()));
        }
        let asked = format!("{} {}", self.method, self.path);
        match self.client.target {
            Target::InProcess(router) => {
                let mut request = http::Request::builder().method(self.method).uri(&self.path);
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                let answer = router.oneshot(request.body(Body::from(self.body))?).await?;
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                let bytes = answer.into_body().collect().await?.to_bytes().to_vec();
                Ok(Answer { asked, status, headers, bytes })
            }
            Target::Url(url, client) => {
                let mut request = client.request(self.method, format!("{url}{}", self.path)).body(self.body);
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
                let answer = request.send().await?;
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                Ok(Answer { asked, status, headers, bytes: answer.bytes().await?.to_vec() })
            }
        }
    }

    /// Sends it.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|fault| panic!("{asked}: {fault:#}"))
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = futures::future::BoxFuture<'static, Answer>;
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header as text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The version in the `ETag`.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.header("etag").trim_matches('"').split('-').next()?.parse().ok()
    }

    /// The JSON body of a 200.
    ///
    /// # Panics
    /// With the body when it is another status.
    #[must_use]
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.expect(200)
    }

    /// The JSON body of a 201.
    ///
    /// # Panics
    /// With the body when it is another status.
    #[must_use]
    #[track_caller]
    pub fn created(&self) -> Value {
        self.expect(201)
    }

    /// The JSON body, of that status.
    ///
    /// # Panics
    /// With the body when it is another status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} answered {}: {}", self.asked, self.status, self.text());
        self.json()
    }

    /// The problem of that status and slug.
    ///
    /// # Panics
    /// When it is another one, or not a problem document.
    #[track_caller]
    pub fn problem(&self, status: u16, slug: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.asked);
        assert_eq!(body["type"], format!("/problems/{slug}"), "{}: {}", self.asked, self.text());
        body
    }

    /// The body as a type.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|fault| panic!("{}: {fault}: {}", self.asked, self.text()))
    }
}
