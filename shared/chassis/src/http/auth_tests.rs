//! Tokens of a development issuer against a key server that changes its keys and goes away.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, routing::get};
use chrono::TimeDelta;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{Clock, config::CoreConfig, issuer::DevIssuer};

/// A key server: what it serves can be changed, and it counts how often it was asked.
#[derive(Clone)]
struct Server {
    keys: Arc<std::sync::Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let server = Self { keys: Arc::default(), asked: Arc::default(), url };
        let serving = server.clone();
        let answer = move || {
            serving.asked.fetch_add(1, Ordering::SeqCst);
            let keys = serving.keys.lock().unwrap().clone();
            async move { keys.map(|keys| keys.to_string()).ok_or(StatusCode::BAD_GATEWAY) }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks.json", get(answer))).await });
        server
    }

    fn serve(&self, issuers: &[&DevIssuer]) {
        let keys: Vec<Value> = issuers.iter().map(|issuer| issuer.jwks()["keys"][0].clone()).collect();
        *self.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn authenticator(&self, issuer: &DevIssuer, cooldown: Duration) -> Authenticator {
        let mut config = CoreConfig::development().unwrap().auth;
        config.issuer = issuer.issuer().to_owned();
        config.jwks_url = Some(self.url.clone().into());
        config.refresh_cooldown = cooldown;
        Authenticator::new(&config).unwrap()
    }
}

fn issuer() -> DevIssuer {
    DevIssuer::generate("http://127.0.0.1/dev").unwrap()
}

fn actor() -> Actor {
    Actor {
        tenant: TenantId::from(Uuid::from_u128(7)),
        id: ActorId::new("somebody"),
        roles: vec![Role::Handler, Role::Technician],
        estates: Some(vec![EstateId::from(Uuid::from_u128(8))]),
        resident: None,
    }
}

fn token(issuer: &DevIssuer) -> String {
    issuer.token(&actor(), Clock::System.now(), TimeDelta::minutes(5), Uuid::nil()).unwrap()
}

fn claims(issuer: &DevIssuer) -> Value {
    let now = Clock::System.now().timestamp();
    json!({
        "iss": issuer.issuer(), "aud": ["other", "steward"], "sub": "somebody", "exp": now + 300, "iat": now,
        "tenant_id": Uuid::from_u128(7).to_string(), "roles": ["handler"],
    })
}

#[tokio::test]
async fn a_good_token_says_who_asks() {
    let (server, issuer) = (Server::start().await, issuer());
    server.serve(&[&issuer]);
    let authenticator = server.authenticator(&issuer, Duration::ZERO);
    assert_eq!(authenticator.verify(&token(&issuer)).await.unwrap(), actor());
    assert_eq!(authenticator.verify(&token(&issuer)).await.unwrap(), actor());
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = DevIssuer::generate(&format!("http://{}/dev", listener.local_addr().unwrap())).unwrap();
    let (discovery, keys) = (issuer.discovery().to_string(), issuer.jwks().to_string());
    let router = Router::new()
        .route("/dev/.well-known/openid-configuration", get(move || async { discovery }))
        .route("/dev/jwks.json", get(move || async { keys }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut config = CoreConfig::development().unwrap().auth;
    config.issuer = issuer.issuer().to_owned();
    let authenticator = Authenticator::new(&config).unwrap();
    assert_eq!(authenticator.verify(&token(&issuer)).await.unwrap(), actor());
}

#[tokio::test]
async fn bad_tokens_are_refused_with_a_reason() {
    let (server, issuer) = (Server::start().await, issuer());
    server.serve(&[&issuer]);
    let authenticator = server.authenticator(&issuer, Duration::from_secs(60));
    let now = Clock::System.now().timestamp();
    let cases = [
        ("exp", json!(now - 61), "expired"),
        ("nbf", json!(now + 120), "not yet valid"),
        ("iss", json!("https://elsewhere.example/dev"), "wrong issuer"),
        ("aud", json!("other"), "wrong audience"),
        ("sub", json!(""), "missing claim"),
        ("sub", json!("x".repeat(256)), "bad sub claim"),
        ("sub", json!("x\u{0}"), "bad sub claim"),
        ("tenant_id", json!("x"), "bad tenant claim"),
        ("estate_ids", json!("x"), "bad estates claim"),
        ("estate_ids", json!([7]), "bad estates claim"),
        ("resident_id", json!(7), "bad resident claim"),
        ("roles", json!({}), "bad roles claim"),
    ];
    for (name, value, reason) in cases {
        let mut claims = claims(&issuer);
        claims[name] = value;
        match authenticator.verify(&issuer.sign(&claims).unwrap()).await {
            Err(Error::Unauthenticated(told)) => assert_eq!(told, reason, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let mut claims = claims(&issuer);
    claims["roles"] = json!(["emperor"]);
    assert!(matches!(authenticator.verify(&issuer.sign(&claims).unwrap()).await, Err(Error::Forbidden(_))));

    let good = token(&issuer);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    for broken in [format!("{head}.{turned}"), head.to_owned(), "x".to_owned(), "x".repeat(20_000)] {
        assert!(matches!(authenticator.verify(&broken).await, Err(Error::Unauthenticated(_))));
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_first_seen_and_the_old_one_goes() {
    let (server, old, new) = (Server::start().await, issuer(), issuer());
    server.serve(&[&old]);
    let authenticator = server.authenticator(&old, Duration::ZERO);
    authenticator.verify(&token(&old)).await.unwrap();
    server.serve(&[&old, &new]);
    authenticator.verify(&token(&new)).await.unwrap();
    authenticator.verify(&token(&old)).await.unwrap();
    assert_eq!(server.asked(), 2);
    server.serve(&[&new]);
    authenticator.fetch_and_keep().await.unwrap();
    assert!(matches!(authenticator.verify(&token(&old)).await, Err(Error::Unauthenticated("unknown key"))));
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_a_while() {
    let (server, issuer, stranger) = (Server::start().await, issuer(), issuer());
    server.serve(&[&issuer]);
    let authenticator = server.authenticator(&issuer, Duration::from_secs(60));
    let forged = token(&stranger);
    let all = futures::future::join_all((0..20).map(|_| authenticator.verify(&forged))).await;
    assert!(all.iter().all(|one| matches!(one, Err(Error::Unauthenticated("unknown key")))));
    assert_eq!(server.asked(), 1);
    authenticator.verify(&token(&issuer)).await.unwrap();
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_provider_is_away() {
    let (server, issuer) = (Server::start().await, issuer());
    let authenticator = server.authenticator(&issuer, Duration::ZERO);
    assert!(matches!(authenticator.verify(&token(&issuer)).await, Err(Error::Unavailable { .. })));
    server.serve(&[&issuer]);
    authenticator.verify(&token(&issuer)).await.unwrap();
    *server.keys.lock().unwrap() = None;
    assert!(authenticator.fetch_and_keep().await.is_err());
    authenticator.verify(&token(&issuer)).await.unwrap();
}

#[test]
fn shared_secrets_and_encryption_keys_are_never_used() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let set = json!({ "keys": [
        { "kty": "oct", "k": "c2VjcmV0", "kid": "a" },
        { "kty": "nonsense", "kid": "b" },
        { "use": "enc", "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "c" },
        { "use": "sig", "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "d" },
    ]});
    let keys = usable(&set);
    assert_eq!(keys.keys().collect::<Vec<_>>(), ["d"]);
    assert_eq!(keys["d"].algorithms, [Algorithm::EdDSA]);
}
