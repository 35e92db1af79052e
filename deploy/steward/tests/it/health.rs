//! How everything is, in one answer.

use steward_admin::services;
use steward_chassis::{
    Clock,
    http::{Operations, operations},
    lifecycle::{Health, Phase, State},
};
use steward_testkit::{db, servers::Nats};

use crate::command::{database, execute, inside, steward_with};

/// A process that says how five services are.
async fn process() -> (String, Vec<Health>, tokio::task::JoinHandle<()>) {
    let health: Vec<Health> = services::all().map(|service| Health::new(service.name, Clock::System)).into();
    for one in &health {
        one.enter(Phase::Serving);
    }
    let router = operations(Operations {
        health: health.clone(),
        openapi: services::openapi(),
        problems: services::catalogue(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, health, serving)
}

#[tokio::test]
async fn the_exit_code_says_how_the_worst_part_is() {
    let (database, nats) = (database().await, Nats::start());
    let (url, health, serving) = process().await;
    let environment = [("STEWARD_SERVICE_URL", url.as_str()), ("STEWARD_NATS_URL", nats.url.as_str())];
    let ask =
        async |arguments: &[&str]| steward_with(&database, &[&["health"], arguments].concat(), &environment).await;

    let ran = ask(&["--json"]).await;
    assert_eq!((ran.code, ran.json()["status"].as_str()), (1, Some("degraded")), "no streams yet: {ran:?}");
    assert_eq!(steward_with(&database, &["streams", "apply"], &environment).await.code, 0);
    let said = ask(&[]).await.well();
    assert_eq!(said.lines().count(), 1 + 3 * 5, "{said}");
    assert!(said.contains("all roles connect, 0 events to publish") && said.contains("complaint 0 behind"), "{said}");

    health[1].set("relay", State::Degraded, "cannot publish");
    let ran = ask(&[]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.said.contains("serving, relay: cannot publish"), "{}", ran.said);
    assert_eq!(ask(&["--service", "intake"]).await.code, 0);

    // A timer that nobody fires.
    let mut intake = inside(&database, "intake").await;
    execute(
        &mut intake,
        "INSERT INTO timer VALUES (gen_random_uuid(), 'case', gen_random_uuid(), 'x', now() - interval '5 min')",
    )
    .await;
    let ran = ask(&["--service", "intake"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.said.contains("timers 30"), "{}", ran.said);

    serving.abort();
    let ran = ask(&["--service", "complaint"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.said.contains("does not answer"), "{}", ran.said);
    db::remove(&database).await;
}
