//! Errors as the caller sees them: RFC 9457 problems, in the caller's language.
//!
//! An [`Error`] does not know the request. So its response carries it along, and the layer around all routes writes the
//! body again with what only the request knows: language and trace.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use steward_kernel::{ProblemKind, vocabulary::Language};
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, response::ResponseBuilder, schema::Components},
};

use crate::{Error, FieldError, sheet::CellError};

/// Media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Most faults of a register file that are listed; `total` says how many there are.
const MAX_LISTED: usize = 500;

const fn kind(slug: &'static str, status: u16, title: &'static str) -> ProblemKind {
    ProblemKind { slug, status, title }
}

const MALFORMED: ProblemKind = kind("malformed-request", 400, "The request cannot be read");
pub(super) const CURSOR_INVALID: ProblemKind = kind("cursor-invalid", 400, "This page mark is not one of ours");
pub(super) const CURSOR_FILTER_MISMATCH: ProblemKind =
    kind("cursor-filter-mismatch", 400, "This page mark belongs to a list with other filters");
const UNAUTHENTICATED: ProblemKind = kind("unauthenticated", 401, "A valid access token is needed");
const FORBIDDEN: ProblemKind = kind("forbidden", 403, "Your role does not allow this");
const TENANT_CLOSED: ProblemKind = kind("tenant-closed", 403, "This company is not served any more");
const NOT_FOUND: ProblemKind = kind("not-found", 404, "There is no such thing here");
pub(super) const METHOD_NOT_ALLOWED: ProblemKind = kind("method-not-allowed", 405, "Not with this method");
const BUSY: ProblemKind = kind("busy", 409, "Somebody is working on it right now; try again");
const STALE: ProblemKind = kind("stale-version", 412, "It has been changed since you read it");
const TOO_LARGE: ProblemKind = kind("body-too-large", 413, "The body is too large");
const UNSUPPORTED: ProblemKind = kind("unsupported-media-type", 415, "This media type is not read here");
const INVALID: ProblemKind = kind("invalid-request", 422, "Some fields are against the rules");
const REGISTER_FILE: ProblemKind =
    kind("register-file-invalid", 422, "The register file has faults; nothing was imported");
const KEY_REUSED: ProblemKind = kind("command-key-reused", 422, "This Idempotency-Key was used for another request");
const PRECONDITION: ProblemKind = kind("precondition-required", 428, "Say which version you have read (If-Match)");
const TOO_MANY: ProblemKind = kind("too-many-requests", 429, "Too many requests; come back later");
const INTERNAL: ProblemKind = kind("internal", 500, "Something went wrong on our side");
const TIMED_OUT: ProblemKind = kind("timed-out", 503, "It took too long; try again");
const UNAVAILABLE: ProblemKind = kind("unavailable", 503, "A part of the system is away; try again");

/// The problems that any route may answer, with their titles in zh-Hans and zh-Hant.
pub const PLATFORM: &[(ProblemKind, [&str; 2])] = &[
    (MALFORMED, ["请求无法读取", "請求無法讀取"]),
    (CURSOR_INVALID, ["分页标记无效", "分頁標記無效"]),
    (CURSOR_FILTER_MISMATCH, ["分页标记属于其他筛选条件的列表", "分頁標記屬於其他篩選條件的列表"]),
    (UNAUTHENTICATED, ["需要有效的访问令牌", "需要有效的存取權杖"]),
    (FORBIDDEN, ["您的角色不允许此操作", "您的角色不允許此操作"]),
    (TENANT_CLOSED, ["已停止为该公司提供服务", "已停止為該公司提供服務"]),
    (NOT_FOUND, ["没有这项内容", "沒有這項內容"]),
    (METHOD_NOT_ALLOWED, ["不支持此方法", "不支援此方法"]),
    (BUSY, ["有人正在处理，请稍后再试", "有人正在處理，請稍後再試"]),
    (STALE, ["您读取之后内容已被修改", "您讀取之後內容已被修改"]),
    (TOO_LARGE, ["内容过大", "內容過大"]),
    (UNSUPPORTED, ["不支持此媒体类型", "不支援此媒體類型"]),
    (INVALID, ["部分字段不符合规则", "部分欄位不符合規則"]),
    (REGISTER_FILE, ["登记文件有误，未导入任何内容", "登記檔案有誤，未匯入任何內容"]),
    (KEY_REUSED, ["此 Idempotency-Key 已用于其他请求", "此 Idempotency-Key 已用於其他請求"]),
    (PRECONDITION, ["请说明您读取的版本（If-Match）", "請說明您讀取的版本（If-Match）"]),
    (TOO_MANY, ["请求过多，请稍后再试", "請求過多，請稍後再試"]),
    (INTERNAL, ["我方出现错误", "我方出現錯誤"]),
    (TIMED_OUT, ["处理超时，请重试", "處理逾時，請重試"]),
    (UNAVAILABLE, ["系统部分不可用，请重试", "系統部分無法使用，請重試"]),
];

/// Every problem that a service can answer, with its titles.
#[derive(Debug, Clone)]
pub struct Catalogue(BTreeMap<&'static str, (ProblemKind, [&'static str; 2])>);

impl Catalogue {
    /// The platform's problems and these of the service (kind, title in zh-Hans, title in zh-Hant).
    #[must_use]
    pub fn new(own: impl IntoIterator<Item = (ProblemKind, [&'static str; 2])>) -> Self {
        Self(PLATFORM.iter().copied().chain(own).map(|entry| (entry.0.slug, entry)).collect())
    }

    /// Those of all these catalogues.
    #[must_use]
    pub fn merged(catalogues: impl IntoIterator<Item = Self>) -> Self {
        Self(catalogues.into_iter().flat_map(|catalogue| catalogue.0).collect())
    }

    /// The kind with that slug.
    #[must_use]
    pub fn find(&self, slug: &str) -> Option<ProblemKind> {
        self.0.get(slug).map(|(kind, _)| *kind)
    }

    /// All kinds, by slug.
    pub fn kinds(&self) -> impl Iterator<Item = ProblemKind> {
        self.0.values().map(|(kind, _)| *kind)
    }

    /// Its title in that language; in English when nobody has translated it.
    #[must_use]
    pub fn title(&self, kind: ProblemKind, language: Language) -> &'static str {
        let titles = self.0.get(kind.slug).map(|(_, titles)| titles);
        match (language, titles) {
            (Language::ZhHans, Some([hans, _])) => hans,
            (Language::ZhHant, Some([_, hant])) => hant,
            (Language::En, _) | (_, None) => kind.title,
        }
    }
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// What it is, and where that is explained: `/problems/<code>`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid-request")]
    pub type_: String,
    /// What it is, for people, in the language asked for.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// More about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it is, for programs; never changes.
    #[schema(example = "invalid-request")]
    pub code: &'static str,
    /// Tell it to support: all logs of the request have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The fields or cells at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// How many cells are at fault, when not all of them are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// The commands that are legal now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<&'static str>,
}

/// What is at fault: a field of the request or a cell of a register file.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// A field.
    Field(FieldError),
    /// A cell.
    Cell(CellError),
}

/// The kind of problem that an error is.
#[must_use]
pub fn kind_of(error: &Error) -> ProblemKind {
    match error {
        Error::Refused { kind, .. } => *kind,
        Error::Malformed(_) => MALFORMED,
        Error::Invalid(_) => INVALID,
        Error::Sheet(_) => REGISTER_FILE,
        Error::NotFound => NOT_FOUND,
        Error::Unauthenticated(_) => UNAUTHENTICATED,
        Error::Forbidden(_) => FORBIDDEN,
        Error::TenantClosed => TENANT_CLOSED,
        Error::Stale { .. } => STALE,
        Error::PreconditionRequired => PRECONDITION,
        Error::KeyReused => KEY_REUSED,
        Error::Busy => BUSY,
        Error::TooManyRequests { .. } => TOO_MANY,
        Error::TooLarge(_) => TOO_LARGE,
        Error::UnsupportedMediaType(_) => UNSUPPORTED,
        Error::TimedOut => TIMED_OUT,
        Error::Unavailable { .. } => UNAVAILABLE,
        Error::Internal { .. } => INTERNAL,
    }
}

/// The problem of an error, told in `language`.
#[must_use]
pub fn describe_error(error: &Error, catalogue: &Catalogue, language: Language, trace_id: Option<String>) -> Problem {
    let kind = kind_of(error);
    let (errors, total) = faults(error, language);
    let allowed = if let Error::Refused { allowed, .. } = error { allowed.clone() } else { Vec::new() };
    Problem {
        type_: format!("/problems/{}", kind.slug),
        title: catalogue.title(kind, language).to_owned(),
        status: kind.status,
        detail: detail(error),
        code: kind.slug,
        trace_id,
        errors,
        total,
        allowed,
    }
}

fn faults(error: &Error, language: Language) -> (Vec<Fault>, Option<usize>) {
    match error {
        Error::Malformed(fields) | Error::Invalid(fields) => (fields.iter().cloned().map(Fault::Field).collect(), None),
        Error::Refused { kind, field: Some((pointer, remedy)), .. } => {
            let code = kind.slug.rsplit('/').next().unwrap_or(kind.slug);
            (vec![Fault::Field(FieldError::new(pointer, code, remedy))], None)
        }
        Error::Sheet(cells) => {
            let told = cells.iter().take(MAX_LISTED).map(|cell| Fault::Cell(cell.told(language)));
            (told.collect(), Some(cells.len()))
        }
        _ => (Vec::new(), None),
    }
}

fn detail(error: &Error) -> Option<String> {
    match error {
        Error::Forbidden(permission) => Some(format!("needs {permission}")),
        Error::Stale { expected, actual } => {
            Some(format!("you have read version {}, it is at {}", expected.get(), actual.get()))
        }
        Error::TooLarge(limit) => Some(format!("at most {limit} bytes")),
        Error::UnsupportedMediaType(expected) => Some(format!("expected {expected}")),
        Error::Unavailable { what, .. } => Some(format!("{what} is away")),
        _ => None,
    }
}

/// The headers that belong to an error whatever its language.
fn headers(error: &Error) -> Option<(HeaderName, String)> {
    match error {
        Error::Unauthenticated("missing") => Some((header::WWW_AUTHENTICATE, "Bearer".to_owned())),
        Error::Unauthenticated(reason) => {
            Some((header::WWW_AUTHENTICATE, format!("Bearer error=\"invalid_token\", error_description=\"{reason}\"")))
        }
        Error::Busy => Some((header::RETRY_AFTER, "1".to_owned())),
        Error::TimedOut => Some((header::RETRY_AFTER, "2".to_owned())),
        Error::Unavailable { .. } => Some((header::RETRY_AFTER, "5".to_owned())),
        Error::TooManyRequests { retry_after } => {
            // Rounded up: whoever comes back a moment too early is sent away again.
            Some((header::RETRY_AFTER, retry_after.as_millis().div_ceil(1000).max(1).to_string()))
        }
        _ => None,
    }
}

/// The error behind a response, for the layer that knows the request.
#[derive(Debug, Clone)]
pub(super) struct Failure(pub(super) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let kind = kind_of(&self);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some((name, value)) = headers(&self)
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}

/// Gives a response the problem as its body; status and headers stay.
pub(super) fn write(response: &mut Response, problem: &Problem) {
    // A problem is strings and numbers; should it ever not be writable, the status still says what there is to say.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    *response.body_mut() = Body::from(body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
}

/// Logs what is our fault, once, with all its causes and the place; never told to the caller.
pub(super) fn log(error: &Error) {
    match error {
        Error::Internal { what, cause, at } => {
            tracing::error!(what, cause = %causes(cause.as_ref()), at = %at, "internal error");
        }
        Error::Unavailable { what, cause } => {
            tracing::warn!(what, cause = %causes(cause.as_ref()), "a neighbour is away");
        }
        Error::Unauthenticated(reason) => tracing::debug!(reason, "not authenticated"),
        _ => {}
    }
}

/// An error and all that caused it, in one line.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The problems that every operation may answer, for `responses(…, Problems)` in the API document.
#[derive(Debug, Clone, Copy)]
pub struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::response::Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description("A problem").content(MEDIA_TYPE, content).build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// Puts what [`Problems`] refers to into the API document.
pub(super) fn describe(components: &mut Components) {
    components.schemas.insert("Problem".to_owned(), Problem::schema());
    components.schemas.insert("Fault".to_owned(), Fault::schema());
    components.schemas.insert("FieldError".to_owned(), FieldError::schema());
    components.schemas.insert("CellError".to_owned(), CellError::schema());
}

/// The problems that an operation may answer because of what it takes, whatever it does.
///
/// * `takes`: whether it takes the parameter of that name (`If-Match`, `cursor`), or a `body`.
pub(super) fn of_any(is_post: bool, takes: impl Fn(&str) -> bool) -> Vec<ProblemKind> {
    let mut kinds =
        vec![MALFORMED, UNAUTHENTICATED, FORBIDDEN, TENANT_CLOSED, TOO_MANY, INTERNAL, TIMED_OUT, UNAVAILABLE];
    if takes("cursor") {
        kinds.extend([CURSOR_INVALID, CURSOR_FILTER_MISMATCH]);
    }
    if takes("body") {
        kinds.extend([BUSY, TOO_LARGE, UNSUPPORTED]);
    }
    if is_post {
        kinds.push(KEY_REUSED);
    }
    if takes("If-Match") {
        kinds.push(STALE);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(error: &Error, language: Language) -> serde_json::Value {
        let catalogue = Catalogue::new([]);
        serde_json::to_value(describe_error(error, &catalogue, language, Some("abc".to_owned()))).unwrap()
    }

    #[test]
    fn a_problem_is_told_in_the_callers_language() {
        let error = Error::field("/words", "too_long", "must have at most 4000 characters");
        let problem = told(&error, Language::ZhHant);
        assert_eq!(problem["type"], "/problems/invalid-request");
        assert_eq!(problem["title"], "部分欄位不符合規則");
        assert_eq!(problem["status"], 422);
        assert_eq!(problem["trace_id"], "abc");
        assert_eq!(problem["errors"][0]["pointer"], "/words");
        assert_eq!(told(&error, Language::En)["title"], "Some fields are against the rules");
    }

    #[test]
    fn an_internal_error_tells_nothing() {
        let error = Error::internal("reading a case", "secret".to_owned());
        assert!(!told(&error, Language::En).to_string().contains("secret"));
        assert!(!told(&error, Language::En).to_string().contains("reading"));
    }

    #[test]
    fn many_faulty_cells_are_counted_but_not_all_listed() {
        let cell = CellError::new(2, "房号", "missing", crate::sheet::say("missing", &[]));
        let problem = told(&Error::Sheet(vec![cell.clone(); 700]), Language::En);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 500);
        assert_eq!(problem["total"], 700);
        assert_eq!(problem["errors"][0]["column"], "房号");
        for (language, detail) in [(Language::En, "is required"), (Language::ZhHans, "必填")] {
            assert_eq!(told(&Error::Sheet(vec![cell.clone()]), language)["errors"][0]["detail"], detail);
        }
    }

    #[test]
    fn retry_after_is_rounded_up() {
        let response = Error::TooManyRequests { retry_after: Duration::from_millis(1200) }.into_response();
        assert_eq!(response.headers()["retry-after"], "2");
        let response = Error::Unauthenticated("expired").into_response();
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"invalid_token\", error_description=\"expired\""
        );
    }

    #[test]
    fn slugs_are_unique() {
        assert_eq!(Catalogue::new([]).kinds().count(), PLATFORM.len());
    }
}
