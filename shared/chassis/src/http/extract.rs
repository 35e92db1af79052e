//! What handlers take and give. Every failure here is a problem.

use std::{
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task,
};

use axum::{
    Extension, RequestPartsExt as _,
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use sha2::{Digest as _, Sha256};
use steward_kernel::{
    Version,
    text::{is_direction_mark, is_visible},
    vocabulary::Language,
};

use super::{HttpContext, Notes, REPLAYED};
use crate::{Call, CommandKey, Error, FieldError, Permission, Result, telemetry};

/// Longest `Idempotency-Key`.
const MAX_KEY: usize = 255;
/// Characters of the digest in an `ETag`.
const DIGEST: usize = 16;
/// What is wrong with a text that has characters and shows none.
const NOTHING_TO_SEE: &str = "must have a character that can be seen";
/// Name of the header.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The caller, proven and allowed: the extractor is the authorisation. Derefs to [`Call`], whose actor has those roles alone that permit it.
///
/// Reads `Authorization`, `Idempotency-Key` and `If-Match`; counts the call against the rate of the caller.
#[derive(Debug)]
pub struct Allowed<P>(Call, PhantomData<P>);

impl<P> Allowed<P> {
    /// The call.
    #[must_use]
    pub fn into_call(self) -> Call {
        self.0
    }
}

impl<P> Deref for Allowed<P> {
    type Target = Call;
    fn deref(&self) -> &Call {
        &self.0
    }
}

impl<P: Permission, S: Sync> FromRequestParts<S> for Allowed<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let context = HttpContext::of(parts)?.clone();
        let actor = context.authenticator().verify(bearer(&parts.headers)?).await?;
        if let Some(notes) = parts.extensions.get::<Notes>() {
            notes.caller(&actor);
            notes.rate(context.limiter().check(&actor)?);
        }
        let actor = actor.acting_as(P::ROLES).ok_or(Error::Forbidden(P::NAME))?;
        let key = match idempotency_key(&parts.headers)? {
            Some(key) if parts.method == Method::POST => {
                let fingerprint = fingerprint_of(parts).await?;
                Some(CommandKey::of_request(&actor, &key, fingerprint))
            }
            _ => None,
        };
        let call = Call {
            if_match: if_match(&parts.headers)?,
            language: parts.extensions.get().copied().unwrap_or(Language::ZhHans),
            traceparent: telemetry::current_traceparent(),
            occurred_at: None,
            cause: None,
            actor,
            key,
            dry_run: false,
        };
        Ok(Self(call, PhantomData))
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Error::Unauthenticated("missing"))?;
    let text = value.to_str().map_err(|_| Error::Unauthenticated("unreadable"))?;
    let (scheme, token) = text.split_once(' ').ok_or(Error::Unauthenticated("not a bearer token"))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(Error::Unauthenticated("not a bearer token"))
    }
}

/// The key, bare or as a quoted string (both are in use), 1 to 255 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = "must have 1 to 255 visible ASCII characters";
        return Err(Error::Malformed(vec![FieldError::new("Idempotency-Key", "invalid", detail)]));
    }
    Ok(Some(key.to_owned()))
}

/// The version in `If-Match: "7-0c1f…"`; none for `*`, which any version matches.
///
/// Only the version counts: what else an answer shows (clocks, language, who covers for whom) may have changed meanwhile. `"7"` alone is
/// taken for the same, and `W/"7-0c1f…"`, too: a proxy that compresses answers weakens their `ETag`.
fn if_match(headers: &HeaderMap) -> Result<Option<Version>> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let strong = text.strip_prefix("W/").unwrap_or(text);
    let quoted = strong.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let (version, digest) = quoted.map_or(("", None), |text| match text.split_once('-') {
        Some((version, digest)) => (version, Some(digest)),
        None => (text, None),
    });
    let is_ours =
        digest.is_none_or(|digest| digest.len() == DIGEST && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let number = Some(version).filter(|_| is_ours).and_then(|version| version.parse().ok());
    number.filter(|number| *number >= 0).map(|number| Some(Version(number))).ok_or_else(|| {
        let detail = "must be one ETag with a version as it was given, for example \"7-0c1f5a7e5a7e4b57\", or *";
        Error::Malformed(vec![FieldError::new("If-Match", "invalid", detail)])
    })
}

/// Digest of method, path and body: a key used again for another request is noticed.
pub(super) fn fingerprint(method: &Method, path: &str, body: &[u8]) -> Vec<u8> {
    let digest = Sha256::new().chain_update(method.as_str()).chain_update([0]).chain_update(path).chain_update([0]);
    digest.chain_update(body).finalize().to_vec()
}

/// Reads the body ahead, now that the caller is known and allowed, and puts it back for the handler.
async fn fingerprint_of(parts: &mut Parts) -> Result<Vec<u8>> {
    let Some(shared) = parts.extensions.get::<SharedBody>().cloned() else {
        return Err(Error::internal("fingerprint", "the route stands outside of http::layered"));
    };
    let bytes = read(shared.take(), parts).await?;
    let asked = parts.uri.path_and_query().map_or("", |asked| asked.as_str());
    let digest = fingerprint(&parts.method, asked, &bytes);
    shared.put(HttpBody::from(bytes));
    Ok(digest)
}

/// A body that can be read ahead by an extractor that only sees the head of the request.
///
/// So an `Idempotency-Key` costs memory for nobody who is not allowed in.
#[derive(Debug, Clone)]
pub(super) struct SharedBody(Arc<Mutex<HttpBody>>);

impl SharedBody {
    /// Shares the body of a request that carries a key.
    pub(super) fn install(request: Request) -> Request {
        if !request.headers().contains_key(IDEMPOTENCY_KEY) {
            return request;
        }
        let (mut parts, body) = request.into_parts();
        let shared = Self(Arc::new(Mutex::new(body)));
        parts.extensions.insert(shared.clone());
        Request::from_parts(parts, HttpBody::new(shared))
    }

    fn take(&self) -> HttpBody {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, body: HttpBody) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
    }
}

impl http_body::Body for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<std::result::Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// Most bytes that a body may have.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// Another limit than the configured one, for a route that takes files:
/// `routes!(store_file).layer(body_limit(5 << 20))`.
pub fn body_limit(bytes: usize) -> axum::Extension<BodyLimit> {
    axum::Extension(BodyLimit(bytes))
}

fn limit(parts: &Parts, context: &HttpContext) -> usize {
    let own = parts.extensions.get::<BodyLimit>().map(|limit| limit.0);
    own.unwrap_or(context.config().body_limit_bytes)
}

/// Reads a body when there is room for it, which is held as long as the request is carried out. Every extractor reads so.
async fn read(body: HttpBody, parts: &Parts) -> Result<Bytes> {
    let (context, notes) = (HttpContext::of(parts)?, parts.extensions.get::<Notes>());
    let (caller, held) = notes.map(Notes::sender).unwrap_or_default();
    let (bytes, place) = context.bodies().read(body, limit(parts, context), &caller, held).await?;
    if let Some((notes, place)) = notes.zip(place) {
        notes.hold(place);
    }
    Ok(bytes)
}

/// The media type without parameters, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A JSON body, in and out.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// A body without the marks that turn the direction of writing: what somebody wrote is kept as it is, and shown so that it cannot turn around
/// what stands behind it. Everything that people wrote leaves the system here.
fn harmless(body: String) -> String {
    if body.contains(is_direction_mark) { body.replace(is_direction_mark, "") } else { body }
}

/// That every text of a JSON body that has characters has one to be seen; an empty one is for its field to judge.
fn check_legible(body: &[u8]) -> Result<()> {
    if body.is_ascii() && !body.windows(2).any(|pair| pair == b"\\u") {
        return Ok(());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize::<_, Legible>(&mut reader)
        .map(drop)
        .map_err(|fault| Error::Malformed(vec![json_error(&pointer(fault.path()), fault.inner())]))
}

/// Any JSON value whose texts can be seen.
struct Legible;

impl<'de> Deserialize<'de> for Legible {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> std::result::Result<Self, D::Error> {
        reader.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Legible {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Self, E> {
        if text.is_empty() || is_visible(text) { Ok(self) } else { Err(E::custom(NOTHING_TO_SEE)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Self, A::Error> {
        while fields.next_key::<String>()?.is_some() {
            fields.next_value::<Self>()?;
        }
        Ok(self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        if media_type(&parts.headers) != "application/json" {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        let bytes = read(body, &parts).await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader)
            .map_err(|fault| Error::Malformed(vec![json_error(&pointer(fault.path()), fault.inner())]))?;
        reader
            .end()
            .map_err(|_| Error::Malformed(vec![FieldError::new("", "syntax", "nothing may follow the JSON value")]))?;
        check_legible(&bytes)?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0).map(harmless) {
            Ok(body) => {
                let digest = BodyDigest::of(body.as_bytes());
                let json = HeaderValue::from_static("application/json");
                (Extension(digest), [(header::CONTENT_TYPE, json)], body).into_response()
            }
            Err(cause) => Error::internal("writing JSON", cause).into_response(),
        }
    }
}

/// What tells one answer from another: it is the same as one that was read before when their bodies and languages are, whatever is in them.
#[derive(Debug, Clone)]
pub(super) struct BodyDigest {
    body: Sha256,
    /// Of what has one.
    version: Option<Version>,
}

impl BodyDigest {
    fn of(body: &[u8]) -> Self {
        Self { body: Sha256::new().chain_update(body), version: None }
    }

    /// Whether it is of what has a version.
    pub(super) fn is_versioned(&self) -> bool {
        self.version.is_some()
    }

    /// The `ETag`: a version for `If-Match`, where there is one, and the digest for `If-None-Match`.
    pub(super) fn etag(&self, language: &HeaderValue) -> Option<HeaderValue> {
        let digest = self.body.clone().chain_update([0]).chain_update(language).finalize();
        let digest: String = digest.iter().take(DIGEST / 2).map(|byte| format!("{byte:02x}")).collect();
        let text = match self.version {
            Some(version) => format!("\"{}-{digest}\"", version.get()),
            None => format!("\"{digest}\""),
        };
        HeaderValue::from_str(&text).ok()
    }
}

/// A JSON Pointer for where the reader stood.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What is wrong with a JSON text, or with what it says.
fn json_error(pointer: &str, fault: &serde_json::Error) -> FieldError {
    if fault.is_data() {
        return field_error(pointer, &fault.to_string());
    }
    let place = format!("is not JSON at line {} column {}", fault.line(), fault.column());
    FieldError::new(pointer, "syntax", place)
}

/// Serde's words without what was sent: they may stand beside an owner's.
fn field_error(pointer: &str, message: &str) -> FieldError {
    let named = || escaped(message.split('`').nth(1).unwrap_or_default());
    // The path of a field that was read leads to it; that of a missing one ends above it.
    let itself = |name: String| {
        if pointer.rsplit('/').next() == Some(&name) { pointer.to_owned() } else { format!("{pointer}/{name}") }
    };
    let expected = || {
        let tail = message.rsplit_once("expected ").map_or("another value", |(_, tail)| tail);
        // The name of a type of ours says nothing to the caller.
        let tail = match tail.split(" at line ").next().unwrap_or(tail) {
            "u8" | "u16" | "u32" | "u64" | "i32" | "i64" => "a whole number",
            tail if tail.starts_with("struct ") => "an object",
            tail => tail,
        };
        format!("expected {tail}")
    };
    if message.starts_with("missing field") {
        FieldError::new(format!("{pointer}/{}", named()), "missing", "is required")
    } else if message.starts_with("unknown field") {
        FieldError::new(itself(named()), "unknown_field", "is not known here")
    } else if message.starts_with("duplicate field") {
        FieldError::new(itself(named()), "repeated", "stands there twice")
    } else if message.starts_with("unknown variant") {
        FieldError::new(pointer, "unknown_word", expected())
    } else if message.starts_with("invalid type") || message.starts_with("invalid length") {
        FieldError::new(pointer, "wrong_type", expected())
    } else if message.starts_with("must ") {
        FieldError::new(pointer, "invalid", message.split(" at line ").next().unwrap_or(message))
    } else {
        FieldError::new(pointer, "invalid", "has a wrong form")
    }
}

/// Reads `name=value` pairs; parameters that nobody knows are an error when `T` denies unknown fields.
pub(super) fn from_form<T: DeserializeOwned>(query: &str) -> Result<T> {
    let reader = serde_html_form::Deserializer::from_bytes(query.as_bytes());
    let value = serde_path_to_error::deserialize(reader).map_err(|fault| {
        let mut error = field_error(&pointer(fault.path()), &fault.inner().to_string());
        error.pointer = error.pointer.trim_start_matches('/').to_owned();
        Error::Malformed(vec![error])
    })?;
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    match pairs.into_iter().find(|(_, text)| !text.is_empty() && !is_visible(text)) {
        Some((name, _)) => Err(Error::Malformed(vec![FieldError::new(name, "invalid", NOTHING_TO_SEE)])),
        None => Ok(value),
    }
}

/// Parameters after the question mark.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        from_form(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Parameters in the path.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send + 'static, S: Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    #[expect(clippy::disallowed_types, reason = "this is the wrapper that turns its failure into a problem")]
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        match parts.extract::<axum::extract::Path<T>>().await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => {
                Err(Error::Malformed(vec![FieldError::new("path", "invalid", "an id in the path has a wrong form")]))
            }
        }
    }
}

/// A body as it is, for files.
#[derive(Debug, Clone)]
pub struct Body {
    /// The bytes, within the route's limit.
    pub bytes: Bytes,
    /// Media type without parameters, in lower case; empty when not told.
    pub content_type: String,
}

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        Ok(Self { content_type: media_type(&parts.headers), bytes: read(body, &parts).await? })
    }
}

/// A resource with its version: answers carry `ETag`, and `Location` when it is new.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The resource.
    pub body: T,
    /// Its version.
    pub version: Version,
    /// 200, or 201 for a new one.
    pub status: StatusCode,
    /// Path of a new one.
    pub location: Option<String>,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

impl<T> Versioned<T> {
    /// It as it is (200).
    pub fn ok(body: T, version: Version) -> Self {
        Self { body, version, status: StatusCode::OK, location: None, replayed: false }
    }

    /// It is new (201) and stands at `location`.
    pub fn created(body: T, version: Version, location: impl Into<String>) -> Self {
        Self { body, version, status: StatusCode::CREATED, location: Some(location.into()), replayed: false }
    }

    /// The same, with whether it is a replay.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if !response.status().is_success() {
            return response;
        }
        *response.status_mut() = self.status;
        if let Some(digest) = response.extensions_mut().get_mut::<BodyDigest>() {
            digest.version = Some(self.version);
        }
        let headers = response.headers_mut();
        if let Some(location) = self.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
