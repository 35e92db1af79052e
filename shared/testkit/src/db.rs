//! A database for each test, cloned from a template that is migrated once for each test binary and set of services.

use std::collections::{BTreeMap, btree_map::Entry};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator};
use steward_chassis::{
    config::{DatabaseConfig, Secret},
    db::{self, Passwords},
};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Password of all roles on the private test server, where it is not asked for.
pub(crate) const PASSWORD: &str = "test";

/// A service as the database sees it.
pub type Part = (&'static str, &'static Migrator);

/// Templates by the services they are for. Making or cloning one at a time is as fast as it gets and never collides.
static TEMPLATES: Mutex<BTreeMap<Vec<&'static str>, String>> = Mutex::const_new(BTreeMap::new());

/// URL of the superuser on the private test server.
///
/// # Panics
/// When the tests were not started by `deploy/local/test`.
#[must_use]
pub fn admin_url() -> String {
    std::env::var("STEWARD_TEST_DATABASE_URL")
        .expect("STEWARD_TEST_DATABASE_URL is not set: run `deploy/local/test`, or `source deploy/local/test-env`")
}

/// The same URL with another role and database.
#[must_use]
pub fn url(base: &str, role: &str, database: &str) -> String {
    let (scheme, rest) = base.split_once("://").expect("a URL");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split('/').next().unwrap_or(host);
    format!("{scheme}://{role}:{PASSWORD}@{host}/{database}")
}

/// Settings with which a service finds that database of the private test server.
#[must_use]
pub fn config(database: &str) -> DatabaseConfig {
    config_at(&admin_url(), database)
}

/// The same on the way to the server that `base` leads.
pub(crate) fn config_at(base: &str, database: &str) -> DatabaseConfig {
    let url = Secret::from(url(base, "{role}", database).as_str());
    DatabaseConfig { url, platform_url: None, password: None, platform_password: None, max_connections: 8 }
}

async fn admin(database: &str) -> PgConnection {
    let base = admin_url();
    let (head, _) = base.rsplit_once('/').expect("a URL with a database");
    PgConnection::connect(&format!("{head}/{database}")).await.expect("connect to the test server")
}

/// Makes a database with all roles, schemas and tables of these services.
///
/// # Panics
/// When the server refuses.
pub async fn prepare(base: &str, database: &str, parts: &[Part]) {
    let (head, _) = base.rsplit_once('/').expect("a URL with a database");
    let mut server = PgConnection::connect(base).await.expect("connect as superuser");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {database}")))
        .execute(&mut server)
        .await
        .expect("create database");
    let mut connection = PgConnection::connect(&format!("{head}/{database}")).await.expect("connect");
    for (service, migrator) in parts {
        db::provision(&mut connection, service, &Passwords::same(PASSWORD)).await.expect("provision");
        let owner = url(base, &db::owner_role(service), database).parse().expect("a URL");
        db::migrate(owner, service, migrator).await.expect("migrate");
    }
    connection.close().await.expect("close");
}

/// A fresh database for one test; its name.
///
/// # Panics
/// When the server refuses.
pub async fn fresh(parts: &[Part]) -> String {
    let services = parts.iter().map(|(service, _)| *service).collect();
    let mut templates = TEMPLATES.lock().await;
    let template = match templates.entry(services) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(missing) => {
            let name = format!("template_{}", new_id().simple());
            prepare(&admin_url(), &name, parts).await;
            missing.insert(name)
        }
    };
    let name = format!("t_{}", new_id().simple());
    let mut server = admin("postgres").await;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")))
        .execute(&mut server)
        .await
        .expect("clone the template");
    name
}

/// Removes a test's database.
///
/// # Panics
/// When the server refuses.
pub async fn remove(name: &str) {
    let mut server = admin("postgres").await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
        .execute(&mut server)
        .await
        .expect("drop database");
}

/// A random id for names in tests.
#[must_use]
pub fn new_id() -> Uuid {
    steward_chassis::Clock::System.new_id()
}
