//! The five services as processes of their own, as they run in production, with a NATS server that can be killed.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use async_nats::jetstream;
use chrono::TimeDelta;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steward_chassis::{Clock, db::schema, issuer::DevIssuer};
use steward_kernel::{Actor, ActorId, Role, TenantId};
use steward_testkit::{
    Client, TENANT,
    db::{new_id, url},
    servers::{Nats, Process, free_port},
    wait::within,
};
use tempfile::TempDir;

/// All of them.
pub const SERVICES: [&str; 5] = ["intake", "complaint", "dispatch", "notification", "feedback-analytics"];
/// As the development issuer calls itself; nobody calls it, its keys are in a file.
const ISSUER: &str = "http://127.0.0.1/dev";
/// Password of the services' roles, as in the URLs of the test kit.
const PASSWORD: &str = "test";
/// How long anything may take to come back by itself.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A Steward of five processes.
#[derive(Debug)]
pub struct System {
    /// Its message server.
    pub nats: Nats,
    /// The services that were started at least once.
    services: Vec<Service>,
    gateway: Option<(u16, Process)>,
    database_url: String,
    issuer: DevIssuer,
    settings: Vec<(&'static str, String)>,
    folder: TempDir,
}

/// One process, and how to start it again as it was.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    port: u16,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    process: Option<Process>,
}

impl System {
    /// Makes roles, schemas and tables in that database and starts NATS; no service runs yet.
    ///
    /// * `database_url`: of a superuser.
    ///
    /// # Panics
    /// When something is missing or does not start.
    pub async fn prepare(database_url: &str) -> Self {
        within(PATIENCE, "PostgreSQL answers", || async { PgConnection::connect(database_url).await.ok().map(drop) })
            .await;
        let provisioned = Command::new(program("steward"))
            .arg("provision")
            .env("STEWARD_DATABASE_URL", as_roles(database_url))
            .env("STEWARD_DATABASE_PASSWORD", PASSWORD)
            .status()
            .expect("steward provision");
        assert!(provisioned.success(), "steward provision");
        let folder = TempDir::new().expect("folder");
        let issuer = DevIssuer::load_or_generate(ISSUER, &folder.path().join("issuer.der")).expect("issuer");
        std::fs::write(folder.path().join("jwks.json"), issuer.jwks().to_string()).expect("write keys");
        let services = Vec::new();
        let (nats, database_url, settings) = (Nats::start(), database_url.to_owned(), Vec::new());
        Self { nats, services, gateway: None, database_url, issuer, settings, folder }
    }

    /// Sets something in the environment of the services that are started for the first time from here on.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// Starts a service, for the first time or again, without waiting for it.
    ///
    /// # Panics
    /// When its program is missing.
    pub fn start(&mut self, name: &'static str) {
        if !self.services.iter().any(|known| known.name == name) {
            let (port, log) = (free_port(), self.folder.path().join(format!("{name}.log")));
            let environment = self.environment(port);
            self.services.push(Service { name, port, environment, log, process: None });
        }
        let service = self.service_mut(name);
        let mut command = Command::new(program(name));
        command.arg("serve").envs(service.environment.iter().map(|(key, value)| (key, value)));
        service.process = Some(Process::start(&mut command, &service.log));
    }

    fn environment(&self, port: u16) -> Vec<(&'static str, String)> {
        let own = vec![
            ("STEWARD__CORE__HTTP__BIND", format!("127.0.0.1:{port}")),
            ("STEWARD__CORE__HTTP__RATE_PER_SECOND", "1000000".to_owned()),
            ("STEWARD__CORE__HTTP__RATE_BURST", "1000000".to_owned()),
            ("STEWARD__CORE__DATABASE__URL", as_roles(&self.database_url)),
            ("STEWARD__CORE__NATS__URL", self.nats.url.clone()),
            ("STEWARD__CORE__AUTH__ISSUER", ISSUER.to_owned()),
            ("STEWARD__CORE__AUTH__JWKS_URL", format!("file://{}", self.folder.path().join("jwks.json").display())),
        ];
        own.into_iter().chain(self.settings.clone()).collect()
    }

    /// Starts all five and the gateway before them, and waits until they are ready.
    pub async fn start_all(&mut self) {
        for name in SERVICES {
            self.start(name);
        }
        self.start_gateway();
        self.ready().await;
    }

    fn start_gateway(&mut self) {
        let port = free_port();
        let mut command = Command::new(program("steward-local"));
        command
            .arg("gateway")
            .env("STEWARD_HTTP_BIND", format!("127.0.0.1:{port}"))
            .env("STEWARD_DEV_ISSUER", ISSUER)
            .env("STEWARD_DEV_ISSUER_KEY", self.folder.path().join("issuer.der"));
        for service in &self.services {
            command.env(format!("STEWARD_UPSTREAM_{}", schema(service.name).to_uppercase()), service.url());
        }
        self.gateway = Some((port, Process::start(&mut command, &self.folder.path().join("gateway.log"))));
    }

    /// Waits until everything that runs is ready.
    pub async fn ready(&self) {
        let nobody = |url: &str| Client::over_network(url, None);
        let urls = self.services.iter().filter(|service| service.process.is_some()).map(Service::url);
        for url in urls.chain(self.gateway.iter().map(|(port, _)| format!("http://127.0.0.1:{port}"))) {
            within(PATIENCE, &format!("{url} is ready"), || async {
                let answer = nobody(&url).get("/ready").try_send().await.ok()?;
                (answer.status == 200).then_some(())
            })
            .await;
        }
    }

    /// A service.
    ///
    /// # Panics
    /// When it was never started.
    #[must_use]
    pub fn service(&self, name: &str) -> &Service {
        self.services.iter().find(|service| service.name == name).expect("a service that was started")
    }

    /// A service.
    ///
    /// # Panics
    /// When it was never started.
    pub fn service_mut(&mut self, name: &str) -> &mut Service {
        self.services.iter_mut().find(|service| service.name == name).expect("a service that was started")
    }

    /// One address for all: that of the gateway.
    ///
    /// # Panics
    /// When it was not started.
    #[must_use]
    pub fn url(&self) -> String {
        let (port, _) = self.gateway.as_ref().expect("a gateway");
        format!("http://127.0.0.1:{port}")
    }

    /// A token of the test company for that role; it sees all estates.
    ///
    /// # Panics
    /// When signing fails.
    #[must_use]
    pub fn token(&self, role: Role) -> String {
        let actor = Actor {
            tenant: TenantId::from(TENANT),
            id: ActorId::new(role.as_str()),
            roles: vec![role],
            estates: None,
            resident: None,
        };
        self.issuer.token(&actor, Clock::System.now(), TimeDelta::hours(1), new_id()).expect("token")
    }

    /// One figure out of the database, as its superuser.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn figure(&self, query: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.database_url).await.expect("connect");
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.expect("query")
    }

    /// What a query gives, summed over all schemas of services that were started; `{}` in it stands for the schema.
    pub async fn sum(&self, query: &str) -> i64 {
        let each = self.services.iter().map(|service| format!("({})", query.replace("{}", &schema(service.name))));
        self.figure(&format!("SELECT ({})::bigint", each.collect::<Vec<_>>().join(" + "))).await
    }

    /// Waits until there is nothing left to do: outboxes empty, nothing on its way, and no event came while we looked.
    pub async fn quiet(&self, limit: Duration) {
        let events = || self.sum("SELECT count(*) FROM {}.event");
        let unpublished = || {
            self.sum("SELECT (SELECT count(*) FROM {}.outbox) + (SELECT count(*) FROM {}.relay_state WHERE replay_next IS NOT NULL)")
        };
        within(limit, "all is quiet", || async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let before = events().await;
            let busy = unpublished().await > 0 || self.under_way().await? > 0 || unpublished().await > 0;
            (!busy && events().await == before).then_some(())
        })
        .await;
    }

    /// Messages that some listener has not yet acknowledged; `None` when NATS cannot tell.
    async fn under_way(&self) -> Option<u64> {
        let js = jetstream::new(async_nats::connect(&self.nats.url).await.ok()?);
        let (mut count, mut streams) = (0, js.streams());
        while let Some(stream) = streams.try_next().await.ok()? {
            let stream = js.get_stream(&stream.config.name).await.ok()?;
            let mut consumers = stream.consumers();
            while let Some(consumer) = consumers.try_next().await.ok()? {
                count += consumer.num_pending + consumer.num_ack_pending as u64;
            }
        }
        Some(count)
    }
}

impl Drop for System {
    /// What a failed test leaves behind shows why it failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            println!("logs of the services: {}", self.folder.path().display());
        }
    }
}

impl Service {
    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Asks it to stop and waits; whether it ended well.
    #[must_use]
    pub fn stop(&mut self) -> bool {
        self.process.take().is_some_and(|mut process| process.stop())
    }
}

/// The URL under which each service finds that database under its own roles.
fn as_roles(database_url: &str) -> String {
    let (_, database) = database_url.rsplit_once('/').expect("a URL with a database");
    url(database_url, "{role}", database)
}

/// A program of this workspace, built in the same profile as the running one.
fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("own path");
    let folders = this.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(name))
        .find(|path| is_file(path))
        .unwrap_or_else(|| panic!("{name} is not built: `cargo build --workspace` does it"))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file())
}
