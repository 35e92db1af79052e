//! Good and bad bodies, parameters and headers.

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
struct Sample {
    words: String,
    kind: steward_kernel::vocabulary::CaseKind,
    points: Vec<Point>,
    unit: Option<uuid::Uuid>,
    said_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
struct Point {
    text: u8,
}

async fn fault(body: &str) -> FieldError {
    let config = crate::config::CoreConfig::development().unwrap();
    let authenticator = Arc::new(crate::http::Authenticator::new(&config.auth).unwrap());
    let clock = crate::Clock::System;
    let health = crate::lifecycle::Health::new("test", clock.clone());
    let catalogue = crate::http::Catalogue::new([]);
    let request = Request::builder()
        .extension(HttpContext::new("test", authenticator, clock, &config.http, health, catalogue))
        .header("content-type", "application/json; charset=utf-8")
        .body(HttpBody::from(body.to_owned()))
        .unwrap();
    match Json::<Sample>::from_request(request, &()).await {
        Err(Error::Malformed(mut errors)) => errors.remove(0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn faults_of_a_body_point_at_the_field_and_do_not_repeat_it() {
    let cases = [
        (r#"{"kind":"inquiry","points":[]}"#, "/words", "missing"),
        (r#"{"words":"a","kind":"inquiry","points":[],"more":1}"#, "/more", "unknown_field"),
        (r#"{"words":"a","kind":"inquiry","points":[{"text":1},{"text":"王先生"}]}"#, "/points/1/text", "wrong_type"),
        (r#"{"words":"a","kind":"王先生","points":[]}"#, "/kind", "unknown_word"),
        (r#"{"words":"a","kind":"inquiry","points":[],"unit":"王先生"}"#, "/unit", "invalid"),
        (r#"{"words":"a","kind":"inquiry","points":[],"said_at":"2026-11-23"}"#, "/said_at", "invalid"),
        (r#"{"words":"a","kind":"inquiry","points":[7]}"#, "/points/0", "wrong_type"),
        (r#"{"words":"a","kind""#, "", "syntax"),
        (r#"{"words":"\ud800"}"#, "/words", "syntax"),
        (r#"{"words":"\u200b\u200b\u200b","kind":"inquiry","points":[]}"#, "/words", "invalid"),
        ("{\"words\":\"\u{3000}\u{301}\",\"kind\":\"inquiry\",\"points\":[]}", "/words", "invalid"),
        (r#"{"words":"a","kind":"inquiry","points":[]} x"#, "", "syntax"),
        (r#"{"words":"a","kind":"inquiry","points":[{"text":1,"x~/y":2}]}"#, "/points/0/x~0~1y", "unknown_field"),
    ];
    for (body, pointer, code) in cases {
        let error = fault(body).await;
        assert_eq!((error.pointer.as_str(), error.code.as_str()), (pointer, code), "{body} {error:?}");
        assert!(!error.detail.contains('王') && !error.detail.contains("struct"), "{error:?}");
        assert!(!error.detail.contains("u8"), "{error:?}");
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<u8>,
}

#[test]
fn unknown_and_wrong_parameters_are_named() {
    assert_eq!(from_form::<Filter>("limit=3").unwrap().limit, Some(3));
    for (query, name) in [("x=1", "x"), ("limit=x", "limit")] {
        match from_form::<Filter>(query) {
            Err(Error::Malformed(errors)) => assert_eq!(errors[0].pointer, name),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn preconditions_and_keys_are_read_strictly() {
    let with = |name: &'static str, value: &str| {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
    };
    for good in ["\"7\"", "W/\"7\"", "\"7-0123456789abcdef\"", "W/\"7-0123456789abcdef\""] {
        assert_eq!(if_match(&with("if-match", good)).unwrap(), Some(Version(7)));
    }
    assert_eq!(if_match(&with("if-match", "*")).unwrap(), None);
    for bad in ["7", "w/\"7\"", "\"-1\"", "\"x\"", "\"1\", \"2\"", "\"0123456789abcdef\"", "\"7-x\""] {
        assert!(if_match(&with("if-match", bad)).is_err(), "{bad}");
    }
    for good in ["k-1", "\"k-1\""] {
        assert_eq!(idempotency_key(&with(IDEMPOTENCY_KEY, good)).unwrap().as_deref(), Some("k-1"));
    }
    for bad in ["", "\"\"", "a b", &"k".repeat(256)] {
        assert!(idempotency_key(&with(IDEMPOTENCY_KEY, bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_fingerprint_tells_method_path_and_body_apart() {
    let one = fingerprint(&Method::POST, "/v1/cases", b"{}");
    assert_eq!(one, fingerprint(&Method::POST, "/v1/cases", b"{}"));
    assert_ne!(one, fingerprint(&Method::POST, "/v1/cases", b"{} "));
    assert_ne!(one, fingerprint(&Method::POST, "/v1/case", b"s{}"));
    assert_eq!(one.len(), 32);
}

#[test]
fn a_parameter_must_have_something_to_be_seen() {
    #[derive(Debug, Deserialize)]
    struct Filter {
        q: Option<String>,
    }
    assert_eq!(from_form::<Filter>("q=%E7%94%B5%E6%A2%AF").unwrap().q.as_deref(), Some("电梯"));
    let fault = from_form::<Filter>("q=%E2%80%8B").unwrap_err();
    assert!(matches!(&fault, Error::Malformed(fields) if fields[0].pointer == "q"), "{fault:?}");
}

#[tokio::test]
async fn an_answer_does_not_turn_around_what_stands_behind_it() {
    let words = "\u{202e}水漏\u{2066}楼\u{200f}“顶”";
    let response = Json(serde_json::json!({ "words": words, "next": 1 })).into_response();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(body, "{\"next\":1,\"words\":\"水漏楼“顶”\"}".as_bytes());
}
