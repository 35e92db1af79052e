//! One or several services, running inside the test against a database and subjects of their own.

mod rest;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_nats::jetstream;
use axum::Router;
use chrono::TimeDelta;
use steward_chassis::{
    Checked, Clock, Service,
    config::{self, CoreConfig, DatabaseConfig},
    db::app_role,
    http::{self, Operations, operations},
    issuer::DevIssuer,
    lifecycle::{Health, Lifecycle},
    messages::{Envelope, Messages},
    run::{self, Started},
};
use steward_kernel::{
    Actor, ActorId, Role, TenantId, Version,
    ids::{EstateId, ResidentId},
    message::{Contract, suffix},
};
use uuid::Uuid;

use crate::{
    TENANT,
    db::{self, Part, new_id},
    document::{Promised, promised},
    eventually,
    http::Client,
    ledger::REMEDY,
    wire::{Wire, Wires},
};

/// When tests begin: a Tuesday in the hours of every estate of the tests, so that none passes by day and fails at night. A test that needs
/// another time moves the clock; `STEWARD_TEST_START` moves all tests, to find those that hide what they need.
const START: &str = "2026-12-01T02:00:00Z";

/// A test's world.
#[derive(Clone)]
pub struct Kit {
    /// Time; it stands still until moved, at 10:00 of a working day in Shanghai.
    pub clock: Clock,
    /// All routes of the services under test.
    pub router: Router,
    /// Name of the test's database.
    pub database: String,
    /// First token of the test's subjects.
    pub prefix: String,
    /// The issuer that the services trust.
    pub issuer: Arc<DevIssuer>,
    services: Vec<&'static str>,
    messages: Messages,
    promised: Vec<Arc<Promised>>,
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kit(database {}, prefix {})", self.database, self.prefix)
    }
}

type Starter = fn(CoreConfig, Clock, Lifecycle) -> futures::future::BoxFuture<'static, Started>;

/// A service under test: its part in the database, and how it starts.
#[derive(Clone, Copy)]
pub struct Under {
    part: Part,
    start: Starter,
}

impl std::fmt::Debug for Under {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.part.0.fmt(f)
    }
}

/// One more replica of a service.
#[derive(Clone)]
pub struct Replica {
    /// Stops it.
    pub lifecycle: Lifecycle,
    /// How it is.
    pub health: Health,
    /// All its routes.
    pub router: Router,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.health.report().fmt(f)
    }
}

impl Replica {
    /// Stops it.
    pub async fn stop(self) {
        self.lifecycle.stop();
        self.lifecycle.drained().await;
    }
}

/// That service.
#[must_use]
pub fn under<S: Service>() -> Under {
    Under {
        part: (S::NAME, S::migrator()),
        start: |core, clock, lifecycle| {
            Box::pin(async move {
                let settings = config::load::<S::Config>(S::DEFAULTS, None).expect("default settings");
                assert_eq!(settings.service.findings(), Vec::<String>::new());
                run::start::<S>(&core, settings.service, clock, &lifecycle).await.expect("start")
            })
        },
    }
}

/// Runs a test with one service.
///
/// # Panics
/// When the test does, or leaves work behind: events not published, messages parked.
pub async fn with<S: Service>(test: impl AsyncFnOnce(Kit)) {
    with_services(&[under::<S>()], test).await;
}

/// Runs a test with several services, as one system.
///
/// # Panics
/// As [`with`].
pub async fn with_services(services: &[Under], test: impl AsyncFnOnce(Kit)) {
    let parts: Vec<Part> = services.iter().map(|service| service.part).collect();
    let database = db::fresh(&parts).await;
    with_database(services, &database, None, test).await;
}

/// Runs a test with several services whose lines to their servers it may cut; it has to mend them before its end.
///
/// # Panics
/// As [`with`].
pub async fn with_wires(services: &[Under], test: impl AsyncFnOnce(Kit, Arc<Wires>)) {
    let parts: Vec<Part> = services.iter().map(|service| service.part).collect();
    let database = db::fresh(&parts).await;
    let mut databases = BTreeMap::new();
    for (service, _) in parts {
        databases.insert(service, Wire::to(&db::admin_url()).await);
    }
    let wires = Arc::new(Wires { databases, messages: Wire::to(&nats_url()).await });
    with_database(services, &database, Some(&wires), async |kit| test(kit, Arc::clone(&wires)).await).await;
}

/// The same on that database.
pub(crate) async fn with_database(
    services: &[Under],
    database: &str,
    wires: Option<&Wires>,
    test: impl AsyncFnOnce(Kit),
) {
    // What the services say is shown when the test fails; `RUST_LOG` asks for more.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    let prefix = format!("t{}", &new_id().simple().to_string()[20..]);
    // Seen only when the test fails: everything is left in place then.
    println!("database {database}, subjects {prefix}.>");
    let lifecycle = Lifecycle::new(Duration::from_secs(10));
    let kit = Kit::start(services, database, &prefix, &lifecycle, wires).await;
    test(kit.clone()).await;
    kit.nothing_is_left().await;
    kit.examples_were_sent();
    lifecycle.stop();
    lifecycle.drained().await;
    assert!(!lifecycle.has_failed(), "a task of the services panicked");
    kit.clean_up().await;
}

impl Kit {
    async fn start(
        services: &[Under],
        database: &str,
        prefix: &str,
        lifecycle: &Lifecycle,
        wires: Option<&Wires>,
    ) -> Self {
        let start = std::env::var("STEWARD_TEST_START").unwrap_or_else(|_| START.to_owned());
        let clock = Clock::manual(start.parse().expect("STEWARD_TEST_START as RFC 3339"));
        let issuer = Arc::new(DevIssuer::generate("http://127.0.0.1/dev").expect("issuer"));
        let jwks = jwks_file(&issuer, prefix);
        let mut router = Router::new();
        let (mut health, mut messages, mut context, mut promises) = (Vec::new(), None, None, Vec::new());
        for service in services {
            let mut core = core_config(database, prefix, &jwks);
            if let Some(wires) = wires {
                core.nats.url = wires.messages.over(&core.nats.url).into();
                core.database = db::config_at(&wires.databases[service.part.0].over(&db::admin_url()), database);
            }
            let started = (service.start)(core, clock.clone(), lifecycle.clone()).await;
            router = router.merge(started.router.clone());
            if services.len() == 1 {
                router = router.merge(operations(Operations {
                    health: vec![started.health.clone()],
                    openapi: started.openapi.clone(),
                    problems: started.catalogue.clone(),
                }));
            }
            promises.push(promised(service.part.0, || started.openapi.clone()));
            messages = Some(started.messages);
            context = Some(started.context);
            health.push(started.health);
        }
        for one in &health {
            eventually("the service is ready", || std::future::ready(one.is_ready().then_some(()))).await;
        }
        // As a server has it: what no route knows is a problem, too.
        let router = http::complete(router, context.expect("at least one service"));
        Self {
            clock,
            router,
            database: database.to_owned(),
            prefix: prefix.to_owned(),
            issuer,
            services: services.iter().map(|service| service.part.0).collect(),
            messages: messages.expect("at least one service"),
            promised: promises,
        }
    }

    /// Somebody of the test company with that role, who sees all its estates.
    #[must_use]
    pub fn client(&self, role: Role) -> Client {
        self.client_of(&self.staff(role))
    }

    /// An owner: the resident of that id.
    #[must_use]
    pub fn owner(&self, resident: Uuid) -> Client {
        let mut actor = self.staff(Role::Owner);
        actor.id = ActorId::new(resident.to_string());
        actor.resident = Some(ResidentId::from(resident));
        self.client_of(&actor)
    }

    /// A member of staff of the test company; the subject is the role's word.
    #[must_use]
    pub fn staff(&self, role: Role) -> Actor {
        Actor {
            tenant: TenantId::from(TENANT),
            id: ActorId::new(role.as_str()),
            roles: vec![role],
            estates: None,
            resident: None,
        }
    }

    /// A member of staff who only sees these estates.
    #[must_use]
    pub fn staff_of(&self, role: Role, estates: &[Uuid]) -> Actor {
        Actor { estates: Some(estates.iter().copied().map(EstateId::from).collect()), ..self.staff(role) }
    }

    /// A client with that actor's token.
    #[must_use]
    pub fn client_of(&self, actor: &Actor) -> Client {
        Client::in_process(self.router.clone(), Some(self.token(actor)), self.promised.clone())
    }

    /// A client without a token.
    #[must_use]
    pub fn nobody(&self) -> Client {
        Client::in_process(self.router.clone(), None, self.promised.clone())
    }

    /// A token for that actor, valid for an hour of real time.
    #[must_use]
    pub fn token(&self, actor: &Actor) -> String {
        self.issuer.token(actor, Clock::System.now(), TimeDelta::hours(1), new_id()).expect("token")
    }

    /// Publishes an event as another service would, in the envelope of the contract.
    ///
    /// * `version`, `previous`: of the aggregate, and what the listener saw before it.
    pub async fn publish<C: Contract>(&self, tenant: Uuid, stream_id: Uuid, version: i32, previous: i32, message: C) {
        self.publish_bytes(C::SERVICE, &suffix::<C>(), tenant, stream_id, (version, previous), message.encode()).await;
    }

    /// Publishes any bytes as an event of another service, for tests of what cannot be handled.
    #[expect(clippy::too_many_arguments, reason = "an envelope has that many parts")]
    pub async fn publish_bytes(
        &self,
        service: &'static str,
        suffix: &str,
        tenant: Uuid,
        stream_id: Uuid,
        (version, previous): (i32, i32),
        bytes: Vec<u8>,
    ) {
        let js = &self.messages.js;
        js.get_or_create_stream(jetstream::stream::Config {
            name: self.messages.subjects.stream(service),
            subjects: vec![self.messages.subjects.everything_of(service)],
            ..Default::default()
        })
        .await
        .expect("stream");
        let envelope = Envelope {
            event_id: new_id().into(),
            tenant: tenant.into(),
            aggregate: "test".to_owned(),
            stream_id,
            version: Version(version),
            previous: previous.to_string(),
            recorded_at: self.clock.now(),
            chain: None,
            traceparent: None,
        };
        let subject = self.messages.subjects.subject(tenant.into(), service, suffix);
        js.publish_with_headers(subject, envelope.headers(service, suffix), bytes.into())
            .await
            .expect("publish")
            .await
            .expect("acknowledgement");
    }

    /// Delivers every event that was published so far once more, as after a loss of the message store: listeners have to discard them all.
    pub async fn delivers_again(&self) {
        for service in &self.services {
            let Ok(stream) = self.messages.js.get_stream(self.messages.subjects.stream(service)).await else {
                continue;
            };
            for sequence in 1..=stream.cached_info().state.last_sequence {
                let Ok(mut message) = stream.get_raw_message(sequence).await else { continue };
                let id = |name: &str| message.headers.get(name).map(ToString::to_string);
                if id("Nats-Msg-Id") != id("ce-id") {
                    continue; // delivered again itself
                }
                // The store would discard what has an id that it knows.
                message.headers.insert("Nats-Msg-Id", new_id().to_string());
                let sent =
                    self.messages.js.publish_with_headers(message.subject, message.headers, message.payload).await;
                sent.expect("publish").await.expect("acknowledgement");
            }
        }
    }

    /// All events of a type that were published so far, in order, after everything in the outbox is.
    pub async fn published<C: Contract>(&self) -> Vec<C> {
        self.relayed().await;
        let stream = self.messages.js.get_stream(self.messages.subjects.stream(C::SERVICE)).await.expect("stream");
        let wanted = format!(".{}.{}", C::SERVICE, suffix::<C>());
        let mut found = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            if message.subject.ends_with(&wanted) {
                found.push(C::decode(&message.payload).expect("a message of its contract"));
            }
        }
        found
    }

    /// Waits until nothing is in any outbox.
    pub async fn relayed(&self) {
        for service in &self.services {
            eventually("the outbox is empty", || async { (self.count(service, "outbox").await == 0).then_some(()) })
                .await;
        }
    }

    /// Waits until a message is parked; its reason.
    pub async fn parked(&self, service: &str) -> String {
        eventually("a message is parked", || async { self.text(service, "SELECT max(reason) FROM dead_letter").await })
            .await
    }

    /// Forgets parked messages that the test meant to cause.
    pub async fn forgive_parked(&self, service: &str) {
        self.execute(service, "DELETE FROM dead_letter").await;
    }

    /// Rows of a table of a service.
    pub async fn count(&self, service: &str, table: &str) -> i64 {
        let mut connection = self.database_as(&superuser(&self.database)).await;
        let schema = steward_chassis::db::schema(service);
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {schema}.{table}")))
            .fetch_one(&mut connection)
            .await
            .expect("count")
    }

    /// The one text that a query in a service's schema gives, as superuser: for looking behind the scenes.
    pub async fn text(&self, service: &str, query: &str) -> Option<String> {
        let mut connection = self.inside(service).await;
        sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.expect("query")
    }

    /// Runs a statement in a service's schema, as superuser.
    pub async fn execute(&self, service: &str, statement: &str) {
        let mut connection = self.inside(service).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("statement");
    }

    /// Handles parked messages again, as the operator's command does; how many were handled and how many stay.
    pub async fn replay_parked<S: Service>(&self) -> (usize, usize) {
        let settings = config::load::<S::Config>(S::DEFAULTS, None).expect("default settings");
        let core = core_config(&self.database, &self.prefix, &jwks_path(&self.prefix));
        let outcomes = run::replay_parked::<S>(&core, settings.service, None).await.expect("replay");
        outcomes.iter().fold((0, 0), |(handled, stay), outcome| (handled + outcome.handled, stay + outcome.stay))
    }

    /// Starts one more replica of a service on the same database and subjects; stopped by the caller.
    pub async fn replica<S: Service>(&self) -> Lifecycle {
        self.replica_with::<S>(|_| {}).await.lifecycle
    }

    /// The same with other settings.
    pub async fn replica_with<S: Service>(&self, change: impl FnOnce(&mut CoreConfig)) -> Replica {
        let lifecycle = Lifecycle::new(Duration::from_secs(10));
        let mut core = core_config(&self.database, &self.prefix, &jwks_path(&self.prefix));
        change(&mut core);
        let started = (under::<S>().start)(core, self.clock.clone(), lifecycle.clone()).await;
        let router = http::complete(started.router, started.context);
        Replica { lifecycle, health: started.health, router }
    }

    /// The same as [`client`](Self::client), of a replica.
    #[must_use]
    pub fn client_at(&self, replica: &Replica, role: Role) -> Client {
        let token = self.token(&self.staff(role));
        Client::in_process(replica.router.clone(), Some(token), self.promised.clone())
    }

    /// Settings with which a service finds the test's database over that line.
    #[must_use]
    pub fn database_over(&self, wire: &Wire) -> DatabaseConfig {
        db::config_at(&wire.over(&db::admin_url()), &self.database)
    }

    /// Checks that every table of a service but those without rows of tenants has forced row security, and that the roles under which the
    /// service works own nothing and cannot pass it.
    ///
    /// # Panics
    /// With the tables and roles at fault.
    pub async fn assert_row_security(&self, service: &str) {
        let schema = steward_chassis::db::schema(service);
        let role = app_role(service);
        let open = format!(
            "SELECT string_agg(relname, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname = '{schema}' AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
               AND relname NOT IN ('relay_state', 'tenant', '_migration', '_platform_migration')"
        );
        assert_eq!(self.text(service, &open).await, None, "tables without forced row security");
        let owned = format!(
            "SELECT string_agg(relname, ', ') FROM pg_class JOIN pg_roles r ON r.oid = relowner
             WHERE rolname IN ('{role}', '{role}_platform')"
        );
        assert_eq!(self.text(service, &owned).await, None, "owned by the service's role");
        let powers = format!(
            "SELECT string_agg(rolname, ', ') FROM pg_roles
             WHERE rolname = '{role}' AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole)"
        );
        assert_eq!(self.text(service, &powers).await, None, "a role with too much power");
        let log = format!("SELECT has_table_privilege('{role}', '{schema}.event', 'UPDATE, DELETE, TRUNCATE')::text");
        assert_eq!(self.text(service, &log).await.as_deref(), Some("false"), "the history can be changed");
    }

    async fn inside(&self, service: &str) -> sqlx::PgConnection {
        let mut connection = self.database_as(&superuser(&self.database)).await;
        let schema = steward_chassis::db::schema(service);
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SET search_path = {schema}")))
            .execute(&mut connection)
            .await
            .expect("search path");
        connection
    }

    async fn database_as(&self, url: &str) -> sqlx::PgConnection {
        use sqlx::Connection as _;
        sqlx::PgConnection::connect(url).await.expect("connect")
    }

    fn examples_were_sent(&self) {
        let unsent: Vec<String> = self.promised.iter().flat_map(|document| document.unsent()).collect();
        assert!(
            unsent.is_empty(),
            "the document shows as examples what this test does not send any more ({}): {REMEDY}",
            unsent.join(", ")
        );
    }

    async fn nothing_is_left(&self) {
        self.relayed().await;
        for service in &self.services {
            let reason = self.text(service, "SELECT max(reason) FROM dead_letter").await;
            assert_eq!(reason, None, "{service} has parked messages");
            // What the last message has set free is handled a moment later.
            eventually(&format!("nothing waits for what {service} has not heard"), || async {
                (self.count(service, "early_message").await == 0).then_some(())
            })
            .await;
        }
    }

    async fn clean_up(&self) {
        let names: Vec<String> = {
            use futures::TryStreamExt as _;
            self.messages.js.stream_names().try_collect().await.unwrap_or_default()
        };
        for name in names.iter().filter(|name| name.starts_with(&self.prefix.to_uppercase())) {
            let _ = self.messages.js.delete_stream(name).await;
        }
        let _ = std::fs::remove_file(jwks_path(&self.prefix));
        db::remove(&self.database).await;
    }
}

fn superuser(database: &str) -> String {
    let base = db::admin_url();
    let (head, _) = base.rsplit_once('/').expect("a URL with a database");
    format!("{head}/{database}")
}

fn jwks_path(prefix: &str) -> PathBuf {
    std::env::temp_dir().join(format!("steward-{prefix}-jwks.json"))
}

fn jwks_file(issuer: &DevIssuer, prefix: &str) -> PathBuf {
    let path = jwks_path(prefix);
    std::fs::write(&path, issuer.jwks().to_string()).expect("write keys");
    path
}

/// Settings of a service under test.
fn nats_url() -> String {
    std::env::var("STEWARD_TEST_NATS_URL").expect("STEWARD_TEST_NATS_URL is not set")
}

fn core_config(database: &str, prefix: &str, jwks: &std::path::Path) -> CoreConfig {
    let mut core = CoreConfig::development().expect("defaults");
    core.database = db::config(database);
    core.nats.url = nats_url().into();
    core.nats.prefix = prefix.to_owned();
    core.auth.issuer = "http://127.0.0.1/dev".to_owned();
    core.auth.jwks_url = Some(format!("file://{}", jwks.display()).into());
    core.http.rate_per_second = 100_000;
    core.http.rate_burst = 100_000;
    core
}
