//! One trace from the owner's tap through HTTP, the event log and NATS to the other services.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use serde_json::json;
use steward_e2e::{
    company::{Company, text},
    processes::{PATIENCE, System},
};
use steward_kernel::Role;
use steward_testkit::{db, servers::Postgres, wait::within};

/// What the collector was sent: bodies in OTLP's protobuf.
type Sent = Arc<Mutex<Vec<Bytes>>>;

async fn collector() -> (String, Sent) {
    let sent = Sent::default();
    let keep = |State(sent): State<Sent>, body: Bytes| async move { sent.lock().unwrap().push(body) };
    let router = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&sent));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, sent)
}

fn has(body: &[u8], wanted: &[u8]) -> bool {
    body.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_what_comes_of_it_elsewhere_are_one_trace() {
    let (endpoint, sent) = collector().await;
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.set("STEWARD__CORE__TELEMETRY__OTLP_ENDPOINT", &endpoint);
    for service in ["intake", "complaint"] {
        system.start(service);
    }
    system.ready().await;
    let company = Company::import(&system.client_of("intake", Role::Admin), 1).await;

    let trace = u128::from_be_bytes(*db::new_id().as_bytes());
    let body = json!({"kind": "complaint", "words": "楼道灯坏了三天没人管。", "channel": "phone", "estate_id": company.estate_id});
    let case = system
        .client_of("intake", Role::Handler)
        .post("/v1/cases", body)
        .header("traceparent", &format!("00-{trace:032x}-00f067aa0ba902b7-01"))
        .await
        .created();
    assert!(!text(&case, "case_id").is_empty());

    for service in ["intake", "complaint"] {
        within(PATIENCE, &format!("{service} tells of the trace"), || async {
            let sent = sent.lock().unwrap();
            let told = |body: &&Bytes| has(body, &trace.to_be_bytes()) && has(body, service.as_bytes());
            sent.iter().find(told).map(|_| ())
        })
        .await;
    }
    // Words that people said are in no trace.
    assert!(!sent.lock().unwrap().iter().any(|body| has(body, "楼道灯".as_bytes())));
}
