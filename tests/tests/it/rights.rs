//! Each service has the rights it needs and no more: all five work under them, and whoever steals one's credentials gets no further.

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull, stream};
use futures::StreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use steward_admin::services;
use steward_chassis::{
    db::{app_role, owner_role, platform_role, schema},
    messages::Subjects,
    streams::durable,
};
use steward_e2e::{
    company::{Company, text},
    processes::{PATIENCE, SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::{Client, TENANT, servers::Postgres, wait::within};

/// How long a thief waits for an answer that does not come.
const MOMENT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_five_work_under_the_rights_they_have_in_production_and_none_gets_further() {
    let mut postgres = Postgres::start();
    let mut system = System::prepare_guarded(&postgres.url).await;
    postgres.demand_passwords();
    system.start_all().await;
    a_complaint_runs_through(&system).await;
    nobody_reads_another_schema(&system, &postgres.url).await;
    nobody_says_or_hears_what_is_anothers(&system).await;

    // The store is lost: services may not make streams, so the keeper does, and all is published again.
    system.nats.wipe();
    a_complaint_runs_through(&system).await;

    secrets_are_changed_while_all_runs(&mut system).await;
}

/// An owner complains, and the complaint is in its service.
async fn a_complaint_runs_through(system: &System) {
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 5).await;
    let case = opens(&admin, &company).await;
    within(PATIENCE, "the complaint is there and its owner is told", || async {
        let complaint = admin.get(&format!("/v1/complaints/{case}")).try_send().await.ok()?;
        let messages = admin.get(&format!("/v1/messages?case_id={case}")).try_send().await.ok()?;
        (complaint.status == 200 && !messages.json()["items"].as_array()?.is_empty()).then_some(())
    })
    .await;
}

async fn opens(admin: &Client, company: &Company) -> String {
    let resident = &company.residents[0];
    let body = serde_json::json!({
        "kind": "complaint", "channel": "phone", "words": "電梯又停了", "estate_id": company.estate_id,
        "resident_id": resident.resident_id, "unit_id": resident.unit_id,
    });
    text(&admin.post("/v1/cases", body).await.created(), "case_id")
}

/// Whoever has the password of one service's role reads nothing of the other services, and its own only as far as its work needs.
async fn nobody_reads_another_schema(system: &System, database_url: &str) {
    let guard = system.guard.as_ref().unwrap();
    let tables = tables(database_url).await;
    assert!(tables.len() > 5 * 7, "{tables:?}");
    for thief in SERVICES {
        let roles = [
            (app_role(thief), "database-password"),
            (platform_role(thief), "platform-password"),
            (owner_role(thief), "owner-password"),
        ];
        for (role, password) in roles {
            let options: sqlx::postgres::PgConnectOptions = database_url.parse().unwrap();
            let wrong = options.clone().username(&role).password("guessed");
            assert!(PgConnection::connect_with(&wrong).await.is_err(), "{role} needs no password");
            let options = options.username(&role).password(&guard.secret(thief, password));
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            for (owner, table) in tables.iter().filter(|(owner, _)| *owner != schema(thief)) {
                for statement in [
                    format!("SELECT 1 FROM {owner}.{table} LIMIT 1"),
                    format!("DELETE FROM {owner}.{table}"),
                    format!("INSERT INTO {owner}.{table} DEFAULT VALUES"),
                ] {
                    refused(&mut connection, &role, &statement).await;
                }
            }
            for other in SERVICES.into_iter().filter(|other| *other != thief) {
                for statement in [
                    format!("SET ROLE {}", app_role(other)),
                    format!("SET ROLE {}", owner_role(other)),
                    format!("CREATE TABLE {}.trap (n int)", schema(other)),
                ] {
                    refused(&mut connection, &role, &statement).await;
                }
            }
        }
        history_stays(guard, thief, database_url).await;
    }
}

/// A service's own role cannot change its history, nor see what belongs to no company it was told.
async fn history_stays(guard: &steward_e2e::processes::Guard, service: &str, database_url: &str) {
    let role = app_role(service);
    let options: sqlx::postgres::PgConnectOptions = database_url.parse().unwrap();
    let options = options.username(&role).password(&guard.secret(service, "database-password"));
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for statement in ["UPDATE event SET actor = 'somebody'", "DELETE FROM event", "TRUNCATE event"] {
        refused(&mut connection, &role, statement).await;
    }
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut connection).await.unwrap();
    assert_eq!(seen, 0, "{role} sees events of no company");
}

async fn tables(database_url: &str) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    let schemas: Vec<String> = SERVICES.map(schema).to_vec();
    let rows = sqlx::query("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY($1)")
        .bind(schemas)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// `42501`: insufficient privilege.
async fn refused(connection: &mut PgConnection, role: &str, statement: &str) {
    let outcome = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    let code = outcome.as_ref().err().and_then(|fault| fault.as_database_error()?.code()).map(|code| code.to_string());
    assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {outcome:?}");
}

/// Whoever has the nkey of one service's user says nothing in another's name, hears nothing that is meant for another, and changes no
/// stream and no consumer.
async fn nobody_says_or_hears_what_is_anothers(system: &System) {
    let guard = system.guard.as_ref().unwrap();
    let stranger = async_nats::ConnectOptions::new().add_root_certificates(guard.authority.clone()).require_tls(true);
    assert!(stranger.connect(&system.nats.url).await.is_err(), "NATS lets strangers in");
    let subjects = Subjects::new("steward");
    let keeper = jetstream::new(guard.options("streams").connect(&system.nats.url).await.unwrap());
    system.quiet(PATIENCE).await;
    for thief in SERVICES {
        let client = guard.options(thief).connect(&system.nats.url).await.unwrap();
        for other in SERVICES.into_iter().filter(|other| *other != thief) {
            let stream = subjects.stream(other);
            let before = last_sequence(&keeper, &stream).await;
            says_nothing(&client, &subjects, other).await;
            rules_nothing(&client, &subjects, other, thief).await;
            assert_eq!(last_sequence(&keeper, &stream).await, before, "{thief} wrote into {stream}");
        }
        for subject in ["steward.>", ">", "$JS.ACK.>", "_INBOX.>", "_INBOX_streams.>", "$SYS.>"] {
            hears_nothing(&client, subject, thief).await;
        }
    }
    for (thief, source) in services::topology() {
        let client = guard.options(thief).connect(&system.nats.url).await.unwrap();
        has_it_said(&client, &subjects, source, thief).await;
    }
    // It is there, and nobody believes it. (What a thief pulled away from the service it robbed comes again after half a minute.)
    a_complaint_runs_through(system).await;
    assert_eq!(system.sum("SELECT count(*) FROM {}.dead_letter").await, 0, "nothing is parked");
}

async fn last_sequence(js: &jetstream::Context, stream: &str) -> u64 {
    js.get_stream(stream).await.unwrap().cached_info().state.last_sequence
}

async fn says_nothing(client: &async_nats::Client, subjects: &Subjects, other: &str) {
    let subject = subjects.subject(TENANT.into(), other, "case-opened.v1");
    client.publish(subject, "forged".into()).await.unwrap();
    client.flush().await.unwrap();
}

/// Asks what only the keeper of streams may ask; nobody answers.
async fn rules_nothing(client: &async_nats::Client, subjects: &Subjects, other: &str, thief: &str) {
    let mut js = jetstream::new(client.clone());
    js.set_timeout(MOMENT);
    let name = subjects.stream(other);
    let mirror = stream::Config { name: "LOOT".to_owned(), subjects: vec!["loot".to_owned()], ..Default::default() };
    assert!(js.create_stream(mirror).await.is_err(), "{thief} made a stream");
    assert!(js.delete_stream(&name).await.is_err(), "{thief} deleted {name}");
    let spy = pull::Config { durable_name: Some(durable(thief, other)), ..pull::Config::default() };
    assert!(js.create_consumer_on_stream(spy, name.as_str()).await.is_err(), "{thief} made a consumer of {name}");
    for victim in SERVICES.into_iter().filter(|victim| *victim != thief && *victim != other) {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{name}.{}", durable(victim, other));
        let answer = tokio::time::timeout(MOMENT / 5, client.request(subject, "1".into())).await;
        assert!(!matches!(answer, Ok(Ok(_))), "{thief} pulled for {victim}");
    }
}

/// A question may name any subject for its answer, and NATS lets it. What comes to stand in another's stream that way says of itself whose
/// it is, and listeners drop it.
async fn has_it_said(client: &async_nats::Client, subjects: &Subjects, source: &str, thief: &str) {
    let pull = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", subjects.stream(source), durable(thief, source));
    let ask = format!("$JS.API.STREAM.INFO.{}", subjects.stream(thief));
    let victim = SERVICES.into_iter().find(|victim| *victim != thief && *victim != source).unwrap();
    let reply = subjects.subject(TENANT.into(), victim, "complaint-decided.v1");
    for question in [pull, ask] {
        client.publish_with_reply(question, reply.clone(), "".into()).await.unwrap();
    }
    client.flush().await.unwrap();
}

async fn hears_nothing(client: &async_nats::Client, subject: &str, thief: &str) {
    let mut subscription = client.subscribe(subject.to_owned()).await.unwrap();
    let heard = tokio::time::timeout(MOMENT / 5, subscription.next()).await;
    assert!(!matches!(heard, Ok(Some(_))), "{thief} hears {subject}");
}

/// Asks for the old lines to be taken away, which is done or refused; what it says.
fn retire(system: &System, is_done: bool) -> String {
    let guard = system.guard.as_ref().unwrap();
    let folder = guard.secrets.display().to_string();
    let mut command = system.operator(&["keys", "retire", "--folder", &folder]);
    let ran = command.env("STEWARD_NATS_URL", &system.nats.url).env("STEWARD_NATS_CA", &guard.authority).output();
    let ran = ran.unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.success(), is_done, "{told}");
    told
}

/// All secrets change: new lines beside the old ones, then databases and NATS take the new ones, then the old ones go.
async fn secrets_are_changed_while_all_runs(system: &mut System) {
    let guard = system.guard.as_ref().unwrap();
    let before = SERVICES.map(|service| guard.secret(service, "database-password"));
    guard.change_keys("rotate");
    let told = retire(system, false);
    assert!(told.contains("intake/owner-password") && told.contains("streams/nats-seed"), "{told}");
    a_complaint_runs_through(system).await;
    // What the provision Job and a rolling restart of NATS do.
    system.provision();
    let told = retire(system, false);
    assert!(!told.contains("-password") && told.contains("intake/nats-seed"), "{told}");
    let nkeys = system.guard.as_ref().unwrap().public_nkeys();
    system.nats.restart_with(nkeys);
    a_complaint_runs_through(system).await;
    let guard = system.guard.as_ref().unwrap();
    let _ = retire(system, true);
    assert!(SERVICES.iter().zip(before).all(|(service, old)| guard.secret(service, "database-password") != old));
    // New connections, under the new secrets alone.
    let url = system.database_url().to_owned();
    let mut superuser = PgConnection::connect(&url).await.unwrap();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'steward_%'";
    sqlx::query(others).execute(&mut superuser).await.unwrap();
    system.nats.kill();
    system.nats.restart();
    a_complaint_runs_through(system).await;
}
