//! The secrets of an installation, made in a cluster: the command as the Job `keys` runs it, against an API server that keeps the wire
//! format, the authentication and the refusals of Kubernetes.
#![expect(clippy::disallowed_types, reason = "answers of a stand-in for Kubernetes, not of ours")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use axum_server::tls_rustls::RustlsConfig;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use nkeys::KeyPair;
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-service-account";
const SECRETS: &str = "/api/v1/namespaces/trial/secrets";

type Held = Arc<Mutex<BTreeMap<String, Value>>>;

/// `GET`, `POST` and `PUT` of secrets in one namespace, as the reference of the Kubernetes API describes them.
async fn serve(State(held): State<Held>, request: Request) -> Response {
    let refuse = |status: StatusCode, reason: &str| {
        let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
                           "message": format!("secrets: {reason}"), "code": status.as_u16() });
        (status, Json(body)).into_response()
    };
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {TOKEN}")) {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let Some(name) = path.strip_prefix(SECRETS) else { return refuse(StatusCode::FORBIDDEN, "Forbidden") };
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let mut held = held.lock().unwrap();
    let name = name.trim_start_matches('/').to_owned();
    if method == Method::GET {
        let found = held.get(&name).cloned();
        return found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "NotFound"), |secret| Json(secret).into_response());
    }
    let secret: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&secret["kind"], &secret["apiVersion"]), (&json!("Secret"), &json!("v1")));
    let told = secret["metadata"]["name"].as_str().unwrap().to_owned();
    match method {
        Method::POST if held.contains_key(&told) => refuse(StatusCode::CONFLICT, "AlreadyExists"),
        Method::PUT if !held.contains_key(&name) => refuse(StatusCode::NOT_FOUND, "NotFound"),
        _ => {
            held.insert(told, secret.clone());
            (StatusCode::CREATED, Json(secret)).into_response()
        }
    }
}

/// An API server, and a folder like the one that Kubernetes mounts into a pod.
async fn cluster(held: &Held, folder: &Path) -> u16 {
    let certificate = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for (name, text) in [("ca.crt", certificate.cert.pem()), ("token", TOKEN.into()), ("namespace", "trial".into())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let key = certificate.signing_key.serialize_der();
    let tls = RustlsConfig::from_der(vec![certificate.cert.der().to_vec()], key).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let router = Router::new().fallback(serve).with_state(Arc::clone(held));
    tokio::spawn(axum_server::from_tcp_rustls(listener, tls).unwrap().serve(router.into_make_service()));
    port
}

async fn keys(port: u16, account: &Path, arguments: &'static [&'static str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_steward"));
    command.arg("keys").args(arguments).arg("--cluster");
    command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", port.to_string());
    command.env("STEWARD_SERVICE_ACCOUNT", account).output().await.unwrap()
}

fn entry(held: &Held, secret: &str, name: &str) -> String {
    let text = held.lock().unwrap()[secret]["data"][name].as_str().unwrap().to_owned();
    String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_trial_are_made_once_in_the_cluster_and_can_be_changed() {
    let (held, account) = (Held::default(), tempfile::tempdir().unwrap());
    let port = cluster(&held, account.path()).await;
    let made = keys(port, account.path(), &["new", "--trial"]).await;
    assert!(made.status.success(), "{made:?}");
    let names: Vec<String> = held.lock().unwrap().keys().cloned().collect();
    let expected = [
        "complaint",
        "dispatch",
        "feedback-analytics",
        "intake",
        "issuer",
        "nats",
        "notification",
        "postgres",
        "streams",
        "sys",
    ];
    assert_eq!(names, expected.map(|name| format!("steward-{name}")));
    let seed = entry(&held, "steward-intake", "nats-seed");
    assert_eq!(entry(&held, "steward-nats", "INTAKE_NKEY"), KeyPair::from_seed(&seed).unwrap().public_key());
    let printed = String::from_utf8(made.stdout).unwrap();
    assert!(!printed.contains(&seed) && !printed.contains(&entry(&held, "steward-postgres", "password")));

    // The Job runs again: what is there stays, also when one secret was lost in between.
    let before = held.lock().unwrap().clone();
    let lost = held.lock().unwrap().remove("steward-nats");
    assert!(keys(port, account.path(), &["new", "--trial"]).await.status.success());
    assert_eq!(
        held.lock().unwrap()["steward-nats"]["data"],
        lost.unwrap()["data"],
        "it fits the seeds that are in use"
    );
    assert_eq!(held.lock().unwrap().len(), before.len());

    assert!(keys(port, account.path(), &["rotate", "--only", "messages"]).await.status.success());
    let lines = entry(&held, "steward-intake", "nats-seed");
    let (new, old) = lines.split_once('\n').unwrap();
    assert_eq!(old, seed);
    assert_eq!(entry(&held, "steward-nats", "INTAKE_NKEY"), KeyPair::from_seed(new).unwrap().public_key());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_cluster_is_told_in_one_line_that_names_the_secret() {
    let (held, account) = (Held::default(), tempfile::tempdir().unwrap());
    let port = cluster(&held, account.path()).await;
    std::fs::write(account.path().join("token"), "expired").unwrap();
    let refused = keys(port, account.path(), &["new"]).await;
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.lines().count() == 1, "{told}");
    assert!(told.contains("secret steward-intake: 401") && told.contains("Unauthorized"), "{told}");
}
