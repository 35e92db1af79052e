//! How a service starts when something is wrong: a wrong setting stops it with a line that names it; a neighbour that is away does not; a
//! migration that fails leaves the version before it serving.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use steward_e2e::{
    company::Company,
    processes::{PATIENCE, System, client, program},
};
use steward_kernel::Role;
use steward_testkit::{
    servers::{Nats, Postgres, Process, free_port},
    wait::within,
};

/// What a service says that does not start.
fn refusal(settings: &[(&str, &str)]) -> String {
    let mut command = Command::new("timeout");
    command.arg("20").arg(program("intake")).arg("serve");
    command.envs(settings.iter().map(|(name, value)| (format!("STEWARD__{name}"), value)));
    let output = command.output().unwrap();
    // 124 would be that of `timeout`: it started.
    assert_eq!(output.status.code(), Some(1), "{settings:?} is no reason not to start");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    for (name, value, told) in [
        ("CORE__HTTP__BIND", "nowhere:at:all", "core.http.bind"),
        ("CORE__HTTP__REQUEST_TIMEOUT", "soon", "core.http.request_timeout"),
        ("CORE__HTTP__COLOUR", "red", "core.http.colour"),
        ("CORE__HTTP__CURSOR_SECRET_FILE", "/nowhere", "core.http.cursor_secret_file"),
        ("CORE__DATABASE__URL", "s3cret", "core.database.url"),
        ("CORE__DATABASE__MAX_CONNECTIONS", "0", "core.database.max_connections"),
        ("CORE__NATS__URL", "://s3cret", "core.nats.url"),
        ("CORE__NATS__NKEY", "s3cret", "core.nats.nkey"),
        ("CORE__NATS__ROOT_CERTIFICATES", "/nowhere/ca.crt", "core.nats.root_certificates"),
        ("CORE__AUTH__JWKS_URL", "not a url", "core.auth.jwks_url"),
        ("CORE__TELEMETRY__LOG_FILTER", "steward=loud", "core.telemetry.log_filter"),
        ("CORE__TELEMETRY__OTLP_ENDPOINT", "not a url", "core.telemetry.otlp_endpoint"),
        ("CORE__ENVIRONMENT", "staging", "core.environment"),
        ("SERVICE__FOLLOW_UP_AFTER", "0s", "service.follow_up_after"),
    ] {
        let said = refusal(&[("CORE__HTTP__BIND", "127.0.0.1:0"), (name, value)]);
        assert_eq!(said.lines().count(), 1, "{name}={value}: {said}");
        assert!(said.contains(told) && !said.contains("s3cret"), "{name}={value}: {said}");
    }
    // What production cannot do without, all at once, each in its own line.
    let said = refusal(&[("CORE__ENVIRONMENT", "production")]);
    for told in ["core.database.url", "core.nats.url", "core.auth.issuer", "core.http.cursor_secret"] {
        assert!(said.lines().any(|line| line.starts_with(told)), "{told}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_database_and_nats_a_service_lives_and_is_not_ready_until_they_come() {
    let mut postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    postgres.kill();
    system.nats.kill();
    system.start("intake");
    let client = client(&system.service("intake").url(), None);
    within(PATIENCE, "it lives", || async { (client.get("/live").try_send().await.ok()?.status == 200).then_some(()) })
        .await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let ready = client.get("/ready").await;
        assert_eq!(ready.status, 503, "{}", ready.text());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let waits_for = client.get("/ready").await.json()["services"][0]["awaiting"].clone();
    assert!(waits_for.to_string().contains("database") && waits_for.to_string().contains("messages"), "{waits_for}");
    postgres.restart();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.get("/ready").await.status, 503, "without NATS a new process takes no work");
    system.nats.restart();
    system.ready().await;

    // Later NATS may go: events wait, work goes on. Without its database nobody can be served.
    system.nats.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.get("/ready").await.status, 200);
    postgres.kill();
    within(PATIENCE, "it is not ready", || async { (client.get("/ready").await.status == 503).then_some(()) }).await;
    postgres.restart();
    system.ready().await;
    assert_eq!(client.get("/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_fails_leaves_the_old_version_serving_and_the_new_one_waiting() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start("intake");
    system.ready().await;
    let old = system.client_of("intake", Role::Admin);
    Company::import(&old, 3).await;

    // As if the newest migration were still to come, and could not be applied: what it makes is there already. Those that make an
    // index beside the running service can be applied again.
    let newest = "SELECT max(version) FROM intake._migration WHERE description NOT LIKE '%index'";
    let version = system.figure(newest).await;
    let forgotten = format!(
        "WITH gone AS (DELETE FROM intake._migration WHERE version = {version} RETURNING 1) SELECT count(*) FROM gone"
    );
    system.figure(&forgotten).await;
    let provision = system.try_provision();
    assert!(!provision.status.success(), "the migration was to fail");
    let said = String::from_utf8(provision.stderr).unwrap();
    assert!(said.contains(&version.to_string()), "names the migration: {said}");

    let new = system.replica("intake");
    let newcomer = client(&new.url(), None);
    within(PATIENCE, "the new version says what it waits for", || async {
        let answer = newcomer.get("/ready").try_send().await.ok()?;
        (answer.status == 503 && answer.text().contains("migrations missing")).then_some(())
    })
    .await;
    assert_eq!(old.get("/ready").await.status, 200);
    let estates = old.get("/v1/estates").await.ok();
    assert_eq!(estates["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keeper_of_streams_waits_for_nats_and_says_so() {
    let mut nats = Nats::start();
    nats.kill();
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program("steward"));
    command.args(["streams", "keep"]).env("STEWARD_NATS_URL", &nats.url);
    command.env("STEWARD_HTTP_BIND", format!("127.0.0.1:{port}"));
    let mut keeper = Process::start(&mut command, &folder.path().join("streams.log"));
    let client = client(&format!("http://127.0.0.1:{port}"), None);
    within(PATIENCE, "it lives and is not ready", || async {
        let (live, ready) = (client.get("/live").try_send().await.ok()?, client.get("/ready").try_send().await.ok()?);
        (live.status == 200 && ready.status == 503).then_some(())
    })
    .await;
    nats.restart();
    within(PATIENCE, "all streams are there", || async {
        (client.get("/ready").try_send().await.ok()?.status == 200).then_some(())
    })
    .await;
    let js = async_nats::jetstream::new(async_nats::connect(&nats.url).await.unwrap());
    let stream = js.get_stream("FEEDBACK_ANALYTICS").await.unwrap();
    assert_eq!(stream.cached_info().state.consumer_count, 2, "intake and notification listen");
    assert!(tokio::task::block_in_place(|| keeper.stop()), "it ends well");
}
