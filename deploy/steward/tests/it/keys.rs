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
use tokio::sync::watch;

const TOKEN: &str = "a-token-of-the-service-account";
const SECRETS: &str = "/api/v1/namespaces/trial/secrets";

type Held = Arc<Mutex<BTreeMap<String, Value>>>;

/// The secrets, and whom to wait for: the first change is made when so many reads were answered.
#[derive(Clone, Default)]
struct Api {
    held: Held,
    reads: Arc<watch::Sender<usize>>,
    first_change_after: usize,
}

/// `GET`, `POST` and `PUT` of secrets in one namespace, as the reference of the Kubernetes API describes them.
async fn serve(State(api): State<Api>, request: Request) -> Response {
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
    if method != Method::GET {
        api.reads.subscribe().wait_for(|reads| *reads >= api.first_change_after).await.unwrap();
    }
    let mut held = api.held.lock().unwrap();
    let name = name.trim_start_matches('/').to_owned();
    if method == Method::GET {
        let found = held.get(&name).cloned();
        api.reads.send_modify(|reads| *reads += 1);
        return found.map_or_else(|| refuse(StatusCode::NOT_FOUND, "NotFound"), |secret| Json(secret).into_response());
    }
    let mut secret: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&secret["kind"], &secret["apiVersion"]), (&json!("Secret"), &json!("v1")));
    let told = secret["metadata"]["name"].as_str().unwrap().to_owned();
    match method {
        Method::POST if held.contains_key(&told) => refuse(StatusCode::CONFLICT, "AlreadyExists"),
        Method::PUT if !held.contains_key(&name) => refuse(StatusCode::NOT_FOUND, "NotFound"),
        // As the API does: a version that is named must be the present one, no name overwrites whatever is there.
        Method::PUT
            if secret["metadata"]
                .get("resourceVersion")
                .is_some_and(|read| *read != held[&name]["metadata"]["resourceVersion"]) =>
        {
            refuse(StatusCode::CONFLICT, "Conflict")
        }
        _ => {
            let version = held
                .get(&told)
                .map_or(1, |known| known["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap() + 1);
            secret["metadata"]["resourceVersion"] = json!(version.to_string());
            held.insert(told, secret.clone());
            (StatusCode::CREATED, Json(secret)).into_response()
        }
    }
}

/// An API server, and a folder like the one that Kubernetes mounts into a pod.
async fn cluster(held: &Held, folder: &Path) -> u16 {
    serve_cluster(Api { held: Arc::clone(held), ..Api::default() }, folder).await
}

async fn serve_cluster(api: Api, folder: &Path) -> u16 {
    let certificate = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for (name, text) in [("ca.crt", certificate.cert.pem()), ("token", TOKEN.into()), ("namespace", "trial".into())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let key = certificate.signing_key.serialize_der();
    let tls = RustlsConfig::from_der(vec![certificate.cert.der().to_vec()], key).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let router = Router::new().fallback(serve).with_state(api);
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
async fn of_two_changes_at_once_one_is_made_and_the_other_told_to_come_back() {
    let (held, account) = (Held::default(), tempfile::tempdir().unwrap());
    let port = cluster(&held, account.path()).await;
    assert!(keys(port, account.path(), &["new"]).await.status.success());
    let old = held.lock().unwrap().clone();
    // Both have read everything before either writes.
    let api = Api { held: Arc::clone(&held), first_change_after: 2 * 10, ..Api::default() };
    let port = serve_cluster(api, account.path()).await;
    let both = tokio::join!(keys(port, account.path(), &["rotate"]), keys(port, account.path(), &["rotate"]));
    let both = [both.0, both.1];
    assert_eq!(both.iter().filter(|ran| ran.status.success()).count(), 1, "{both:?}");
    let told = both.iter().map(|ran| String::from_utf8_lossy(&ran.stderr)).collect::<String>();
    assert!(told.contains("somebody else has changed it just now; repeat this"), "{told}");
    let old: Held = Arc::new(Mutex::new(old));
    for service in steward_admin::services::all() {
        let secret = format!("steward-{}", service.name);
        for name in ["database-password", "nats-seed", "cursor-secret"] {
            let lines = entry(&held, &secret, name);
            assert_eq!(lines.split_once('\n').unwrap().1, entry(&old, &secret, name), "{secret} {name}");
        }
        let seed = entry(&held, &secret, "nats-seed");
        let public = KeyPair::from_seed(seed.lines().next().unwrap()).unwrap().public_key();
        let variable = format!("{}_NKEY", service.name.to_uppercase().replace('-', "_"));
        assert_eq!(entry(&held, "steward-nats", &variable), public);
    }
    let again = keys(port, account.path(), &["rotate"]).await;
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(
        !again.status.success() && told.contains("complaint/database-password") && told.contains("retire"),
        "{told}"
    );
}

#[tokio::test]
async fn one_run_at_a_time_changes_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |words: &'static str| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_steward"));
        command.env_remove("STEWARD_DATABASE_URL").env_remove("STEWARD_NATS_URL");
        command.arg("keys").args(words.split(' ')).arg("--folder").arg(folder.path()).output().await.unwrap()
    };
    let passwords = || std::fs::read_to_string(folder.path().join("intake/database-password")).unwrap();
    assert!(run("new").await.status.success());
    let other = std::fs::File::open(folder.path()).unwrap();
    other.lock().unwrap();
    let refused = run("rotate").await;
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("another `steward keys` is at work"), "{told}");
    drop(other);
    assert!(run("rotate").await.status.success());
    let lines = passwords();
    // Before anybody has taken the new line: the old one stays.
    assert!(!run("rotate").await.status.success());
    assert_eq!(passwords(), lines);
    // Nobody is named who could be asked whether it takes the new one.
    let refused = run("retire").await;
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("STEWARD_DATABASE_URL is not set; or say --yes"), "{told}");
    assert_eq!(passwords(), lines);
    assert!(run("retire --yes").await.status.success());
    assert_eq!(passwords(), lines.lines().next().unwrap());
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
