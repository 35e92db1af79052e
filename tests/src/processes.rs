//! The five services as processes of their own, as they run in production, with a NATS server that can be killed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use async_nats::{
    ConnectOptions,
    jetstream::{self, context::ConsumerInfoErrorKind},
};
use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steward_admin::{accounts, services};
use steward_chassis::{Clock, db::schema, issuer::DevIssuer, messages::Subjects, streams::durable};
use steward_kernel::{Actor, ActorId, Role, TenantId};
use steward_testkit::{
    Client, TENANT,
    db::{new_id, url},
    document::promised,
    servers::{Nats, Process, free_port},
    wait::within,
};
use tempfile::TempDir;

use crate::balancer::Balancer;

/// All of them.
pub const SERVICES: [&str; 5] = ["intake", "complaint", "dispatch", "notification", "feedback-analytics"];
/// As the development issuer calls itself; nobody calls it, its keys are in a file.
const ISSUER: &str = "http://127.0.0.1/dev";
/// Password of the services' roles, as in the URLs of the test kit.
const PASSWORD: &str = "test";
/// How long anything may take to come back by itself.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who speaks over the network to a running service, or to the gateway before all. Every answer is held against the API
/// documents of the services.
#[must_use]
pub fn client(url: &str, token: Option<String>) -> Client {
    Client::over_network(url, token, services::all().map(|service| promised(service.name, service.openapi)).into())
}

/// A Steward of five processes.
#[derive(Debug)]
pub struct System {
    /// Its message server.
    pub nats: Nats,
    /// The services that were started at least once.
    services: Vec<Service>,
    gateway: Option<(u16, Process)>,
    /// What stands before each service, where more than one process of it may run.
    balancers: BTreeMap<&'static str, Balancer>,
    database_url: String,
    issuer: DevIssuer,
    settings: Vec<(&'static str, String)>,
    /// Rights, when it has any.
    pub guard: Option<Guard>,
    keeper: Option<Process>,
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
        Self::prepare_as(database_url, Nats::start(), None, TempDir::new().expect("folder")).await
    }

    /// The same with everything that guards it in production: a password for each role, NATS with TLS and a user with rights of its own
    /// for each service, streams made by `steward streams`.
    ///
    /// # Panics
    /// When something is missing or does not start.
    pub async fn prepare_guarded(database_url: &str) -> Self {
        let folder = TempDir::new().expect("folder");
        let guard = Guard::make(folder.path());
        let nats = Nats::start_guarded(&guard.configuration, guard.public_nkeys());
        Self::prepare_as(database_url, nats, Some(guard), folder).await
    }

    async fn prepare_as(database_url: &str, nats: Nats, guard: Option<Guard>, folder: TempDir) -> Self {
        within(PATIENCE, "PostgreSQL answers", || async { PgConnection::connect(database_url).await.ok().map(drop) })
            .await;
        let issuer = DevIssuer::load_or_generate(ISSUER, &folder.path().join("issuer.der")).expect("issuer");
        std::fs::write(folder.path().join("jwks.json"), issuer.jwks().to_string()).expect("write keys");
        let (services, database_url, settings) = (Vec::new(), database_url.to_owned(), Vec::new());
        let this = Self {
            nats,
            services,
            gateway: None,
            balancers: BTreeMap::new(),
            database_url,
            issuer,
            settings,
            guard,
            keeper: None,
            folder,
        };
        this.provision();
        this
    }

    /// Makes or mends roles and schemas, with the passwords that are in use.
    ///
    /// # Panics
    /// When it cannot.
    pub fn provision(&self) {
        let provisioned = self.try_provision();
        assert!(provisioned.status.success(), "{}", String::from_utf8_lossy(&provisioned.stderr));
    }

    /// The same, and how it went.
    ///
    /// # Panics
    /// When the program is missing.
    #[must_use]
    pub fn try_provision(&self) -> Output {
        self.operator(&["provision"]).output().expect("steward provision")
    }

    /// The operator's command on the databases.
    ///
    /// # Panics
    /// When the program is missing.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("steward"));
        command.args(arguments).env("STEWARD_DATABASE_URL", as_roles(&self.database_url));
        match &self.guard {
            Some(guard) => command.env("STEWARD_SECRETS", &guard.secrets),
            None => command.env("STEWARD_DATABASE_PASSWORD", PASSWORD),
        };
        command
    }

    /// Runs the operator's command on the message server.
    ///
    /// # Panics
    /// When it is missing.
    #[must_use]
    pub fn streams(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("steward"));
        command.arg("streams").args(arguments).env("STEWARD_NATS_URL", &self.nats.url);
        if let Some(guard) = &self.guard {
            command.env("STEWARD_NATS_CA", &guard.authority).env("STEWARD_NATS_SEED_FILE", guard.seed_file("streams"));
        }
        command
    }

    /// Sets something in the environment of the services that are started for the first time from here on.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// Puts a balancer before each service that is started from here on.
    pub async fn balance(&mut self) {
        for name in SERVICES {
            self.balancers.insert(name, Balancer::start().await);
        }
    }

    /// Where callers of a service go: to its balancer, if it has one.
    #[must_use]
    pub fn front(&self, name: &str) -> String {
        self.balancers.get(name).map_or_else(|| self.service(name).url(), Balancer::url)
    }

    /// Starts a service, for the first time or again, without waiting for it.
    ///
    /// # Panics
    /// When its program is missing.
    pub fn start(&mut self, name: &'static str) {
        if !self.services.iter().any(|known| known.name == name) {
            let (port, log) = (free_port(), self.folder.path().join(format!("{name}.log")));
            let environment = self.environment(name, port);
            self.balancers.get(name).into_iter().for_each(|balancer| balancer.add(port));
            self.services.push(Service { name, port, environment, log, process: None });
        }
        self.service_mut(name).start();
    }

    fn environment(&self, name: &str, port: u16) -> Vec<(&'static str, String)> {
        let own = vec![
            ("STEWARD__CORE__HTTP__BIND", format!("127.0.0.1:{port}")),
            ("STEWARD__CORE__HTTP__RATE_PER_SECOND", "1000000".to_owned()),
            ("STEWARD__CORE__HTTP__RATE_BURST", "1000000".to_owned()),
            ("STEWARD__CORE__DATABASE__URL", as_roles(&self.database_url)),
            ("STEWARD__CORE__NATS__URL", self.nats.url.clone()),
            ("STEWARD__CORE__AUTH__ISSUER", ISSUER.to_owned()),
            ("STEWARD__CORE__AUTH__JWKS_URL", format!("file://{}", self.folder.path().join("jwks.json").display())),
        ];
        let guarded = self.guard.iter().flat_map(|guard| guard.environment(name, &self.database_url));
        own.into_iter().chain(guarded).chain(self.settings.clone()).collect()
    }

    /// Starts all five and the gateway before them, and waits until they are ready.
    pub async fn start_all(&mut self) {
        if self.guard.is_some() {
            let port = free_port();
            let mut command = self.streams(&["keep"]);
            command.env("STEWARD_HTTP_BIND", format!("127.0.0.1:{port}"));
            self.keeper = Some(Process::start(&mut command, &self.folder.path().join("streams.log")));
        }
        for name in SERVICES {
            self.start(name);
        }
        self.start_gateway();
        self.ready().await;
    }

    /// Another process of a service, on a port of its own, behind its balancer.
    ///
    /// # Panics
    /// When its program is missing.
    #[must_use]
    pub fn replica(&self, name: &'static str) -> Service {
        let (port, log) = (free_port(), self.folder.path().join(format!("{name}-{}.log", new_id().simple())));
        let mut service = Service { name, port, environment: self.environment(name, port), log, process: None };
        service.start();
        self.balancers.get(name).into_iter().for_each(|balancer| balancer.add(port));
        service
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
            let name = format!("STEWARD_UPSTREAM_{}", schema(service.name).to_uppercase());
            command.env(name, self.front(service.name));
        }
        self.gateway = Some((port, Process::start(&mut command, &self.folder.path().join("gateway.log"))));
    }

    /// Waits until everything that runs is ready.
    pub async fn ready(&self) {
        for service in self.services.iter().filter(|service| service.process.is_some()) {
            self.is_ready(service).await;
        }
        if let Some((port, _)) = &self.gateway {
            answers_ready(&format!("http://127.0.0.1:{port}")).await;
        }
    }

    /// Waits until that process is ready and callers are led to it.
    pub async fn is_ready(&self, service: &Service) {
        answers_ready(&service.url()).await;
        if let Some(balancer) = self.balancers.get(service.name) {
            let known = || async { balancer.leads_to(service.port).then_some(()) };
            within(PATIENCE, &format!("callers are led to {}", service.name), known).await;
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
        self.token_of(role, role.as_str())
    }

    /// The same for one of those who have that role.
    ///
    /// # Panics
    /// When signing fails.
    #[must_use]
    pub fn token_of(&self, role: Role, id: &str) -> String {
        let actor = Actor {
            tenant: TenantId::from(TENANT),
            id: ActorId::new(id),
            roles: vec![role],
            estates: None,
            resident: None,
        };
        self.issuer.token(&actor, Clock::System.now(), TimeDelta::hours(1), new_id()).expect("token")
    }

    /// Somebody of the test company with that role, at the gateway.
    #[must_use]
    pub fn client(&self, role: Role) -> Client {
        client(&self.url(), Some(self.token(role)))
    }

    /// The same, at a service itself.
    #[must_use]
    pub fn client_of(&self, service: &str, role: Role) -> Client {
        client(&self.service(service).url(), Some(self.token(role)))
    }

    /// Its database, as the superuser.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
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
        let options = match &self.guard {
            Some(guard) => guard.options("streams"),
            None => ConnectOptions::new(),
        };
        let js = jetstream::new(options.connect(&self.nats.url).await.ok()?);
        let subjects = Subjects::new("steward");
        let mut count = 0;
        for (listener, source) in services::topology() {
            let stream = js.get_stream_no_info(subjects.stream(source)).await.ok()?;
            match stream.consumer_info(durable(listener, source)).await {
                Ok(consumer) => count += consumer.num_pending + consumer.num_ack_pending as u64,
                // Its listener was never started here.
                Err(fault)
                    if matches!(
                        fault.kind(),
                        ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound
                    ) => {}
                Err(_) => return None,
            }
        }
        Some(count)
    }
}

/// What guards a system: secrets in a folder, the server's certificate and who signed it.
#[derive(Debug)]
pub struct Guard {
    /// Folder with a folder for each service, as `steward keys` makes it.
    pub secrets: PathBuf,
    /// PEM file of who signed NATS' certificate.
    pub authority: PathBuf,
    configuration: PathBuf,
}

impl Guard {
    fn make(folder: &Path) -> Self {
        let authority_key = rcgen::KeyPair::generate().expect("a key");
        let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("a certificate");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = rcgen::CertifiedIssuer::self_signed(authority, authority_key).expect("a certificate");
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate =
            rcgen::CertificateParams::new(names).and_then(|it| it.signed_by(&key, &authority)).expect("signed");
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("write");
            file
        };
        let (certificate, key) = (write("nats.crt", &certificate.pem()), write("nats.key", &key.serialize_pem()));
        write("accounts.conf", &accounts::document());
        let configuration = format!("include accounts.conf\ntls {{ cert_file: {certificate:?}, key_file: {key:?} }}\n");
        let guard = Self {
            secrets: folder.join("secrets"),
            authority: write("ca.crt", &authority.pem()),
            configuration: write("nats.conf", &configuration),
        };
        guard.change_keys("new");
        guard
    }

    /// The file with the seed of that user of NATS.
    #[must_use]
    pub fn seed_file(&self, user: &str) -> PathBuf {
        self.secrets.join(user).join("nats-seed")
    }

    /// A password or another secret of a service; of one that is being changed, the new one.
    ///
    /// # Panics
    /// When it is missing.
    #[must_use]
    pub fn secret(&self, service: &str, name: &str) -> String {
        let text = std::fs::read_to_string(self.secrets.join(service).join(name)).expect("a secret");
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// Runs `steward keys` with that word.
    ///
    /// # Panics
    /// When it fails.
    pub fn change_keys(&self, word: &str) {
        let mut command = Command::new(program("steward"));
        command.args(["keys", word, "--folder"]).arg(&self.secrets).stdout(Stdio::null());
        assert!(command.status().expect("steward keys").success(), "steward keys {word}");
    }

    /// The public nkeys, as NATS takes them from its environment.
    ///
    /// # Panics
    /// When they are missing.
    #[must_use]
    pub fn public_nkeys(&self) -> Vec<(String, String)> {
        let files = std::fs::read_dir(self.secrets.join("nats")).expect("public nkeys");
        let name = |file: &std::fs::DirEntry| file.file_name().into_string().expect("a name");
        files
            .map(|file| file.expect("a file"))
            .map(|file| (name(&file), std::fs::read_to_string(file.path()).expect("a key")))
            .collect()
    }

    /// How somebody with that user's seed connects to NATS.
    ///
    /// # Panics
    /// When the seed is missing.
    #[must_use]
    pub fn options(&self, user: &str) -> ConnectOptions {
        ConnectOptions::with_nkey(self.secret(user, "nats-seed"))
            .custom_inbox_prefix(Subjects::inbox(user))
            .add_root_certificates(self.authority.clone())
            .require_tls(true)
    }

    fn environment(&self, service: &str, database_url: &str) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.secrets.join(service).join(name).display().to_string();
        vec![
            // No password in the URL: it stands in files.
            ("STEWARD__CORE__DATABASE__URL", as_roles(database_url).replace(&format!(":{PASSWORD}@"), "@")),
            ("STEWARD__CORE__DATABASE__PASSWORD_FILE", file("database-password")),
            ("STEWARD__CORE__DATABASE__PLATFORM_PASSWORD_FILE", file("platform-password")),
            ("STEWARD__CORE__HTTP__CURSOR_SECRET_FILE", file("cursor-secret")),
            ("STEWARD__CORE__NATS__NKEY_FILE", file("nats-seed")),
            ("STEWARD__CORE__NATS__ROOT_CERTIFICATES", self.authority.display().to_string()),
            ("STEWARD__CORE__NATS__MANAGE_STREAMS", "false".to_owned()),
        ]
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
    fn start(&mut self) {
        let mut command = Command::new(program(self.name));
        command.arg("serve").envs(self.environment.iter().map(|(key, value)| (key, value)));
        self.process = Some(Process::start(&mut command, &self.log));
    }

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

async fn answers_ready(url: &str) {
    within(PATIENCE, &format!("{url} is ready"), || async {
        let answer = client(url, None).get("/ready").try_send().await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// The URL under which each service finds that database under its own roles.
fn as_roles(database_url: &str) -> String {
    let (_, database) = database_url.rsplit_once('/').expect("a URL with a database");
    url(database_url, "{role}", database)
}

/// A program of this workspace, built in the same profile as the running one.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
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
