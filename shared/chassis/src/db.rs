//! The database: pools, transactions bound to a tenant, roles, migrations.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use steward_kernel::TenantId;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    config::{DatabaseConfig, Secret},
    relay::pause,
    tenants::Tenants,
};

/// The tables every service has.
static PLATFORM: Migrator = sqlx::migrate!();
/// Where it is written down which of them are applied.
const PLATFORM_TABLE: &str = "_platform_migration";
/// The same for the service's own.
const OWN_TABLE: &str = "_migration";

/// Connections of the platform's loops, beside those of the service's pool.
const PLATFORM_CONNECTIONS: u32 = 4;
/// How long a statement waits for a row that somebody else holds, before the caller is told to come back.
const LOCK_TIMEOUT: &str = "2s";

/// The two pools of a service: one under row security for all work, one for the platform's loops.
#[derive(Debug, Clone)]
pub struct Db {
    /// Under the service's role: sees one tenant at a time.
    pub app: PgPool,
    /// Under the platform role: relay, timers, housekeeping.
    pub platform: PgPool,
    /// Companies that are closed.
    pub tenants: Tenants,
    passwords: Arc<[Followed; 2]>,
}

impl Db {
    /// Pools that connect when first used, so that a database that is away delays nothing but itself.
    ///
    /// # Errors
    /// When a URL cannot be read.
    pub fn connect_lazily(config: &DatabaseConfig, service: &str) -> anyhow::Result<Self> {
        let pool = |max: u32, options: PgConnectOptions| {
            // A ping before each use would cost a round trip; a dead connection shows at BEGIN, where nothing is lost yet.
            PgPoolOptions::new()
                .max_connections(max)
                .test_before_acquire(false)
                .acquire_timeout(Duration::from_secs(5))
                .idle_timeout(Duration::from_secs(300))
                .connect_lazy_with(options.disable_statement_logging().application_name("steward"))
        };
        let app = pool(config.max_connections, config.app(&app_role(service)).context("core.database.url")?);
        let platform = config.platform(&platform_role(service)).context("core.database.platform_url")?;
        let platform = pool(PLATFORM_CONNECTIONS, platform);
        let followed = |pool: &PgPool, password: &Option<Secret>| Followed {
            pool: pool.clone(),
            password: password.clone(),
            in_use: Mutex::new(password.as_ref().and_then(|password| password.lines().into_iter().next())),
        };
        let passwords = [followed(&app, &config.password), followed(&platform, &config.platform_password)];
        Ok(Self { app, tenants: Tenants::new(platform.clone()), platform, passwords: Arc::new(passwords) })
    }

    /// Takes up passwords that are changed while the service runs.
    pub(crate) async fn follow_passwords(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            for followed in self.passwords.iter() {
                followed.follow().await;
            }
            pause(&stop, Duration::from_secs(1)).await;
        }
    }

    /// A transaction in which only the rows of that tenant exist.
    ///
    /// # Errors
    /// [`Error::TenantClosed`]; [`Error::Unavailable`] when the database is away.
    pub async fn begin(&self, tenant: TenantId) -> Result<Tx> {
        self.tenants.require_open(tenant).await?;
        Tx::begin(&self.app, tenant).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(&self.platform).await?;
        Ok(())
    }
}

/// A pool and the file that has its password.
#[derive(Debug)]
struct Followed {
    pool: PgPool,
    password: Option<Secret>,
    in_use: Mutex<Option<Secret>>,
}

impl Followed {
    /// Finds out which line of the file the database takes now, and gives it to connections that are still to be made.
    ///
    /// Asks the database only when the file has changed or has two lines, which is while a password is being changed.
    async fn follow(&self) {
        let Some(password) = &self.password else { return };
        let lines = password.lines();
        let in_use = || self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == 1 && lines.first() == in_use().as_ref() {
            return;
        }
        for line in lines {
            let options = self.pool.connect_options().as_ref().clone().password(line.expose_secret());
            match PgConnection::connect_with(&options).await {
                Ok(connection) => {
                    let _ = connection.close().await;
                    if in_use().as_ref() != Some(&line) {
                        tracing::info!("a changed database password is in use");
                        self.pool.set_connect_options(options);
                        *in_use() = Some(line);
                    }
                    return;
                }
                // Class 28: not this one.
                Err(sqlx::Error::Database(problem)) if problem.code().is_some_and(|code| code.starts_with("28")) => {}
                Err(_) => return,
            }
        }
    }
}

/// A transaction bound to a tenant. There is no other way to the tables.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    tenant: TenantId,
}

impl Tx {
    async fn begin(pool: &PgPool, tenant: TenantId) -> Result<Self> {
        // One message for all three: a round trip of its own for the tenant would cost a tenth of a small transaction.
        // The tenant is a UUID, so the text cannot carry SQL.
        let statement =
            format!("BEGIN; SET LOCAL steward.tenant = '{tenant}'; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'");
        let mut stale = 0;
        loop {
            match pool.begin_with(AssertSqlSafe(statement.clone())).await {
                Ok(inner) => return Ok(Self { inner, tenant }),
                // A connection that died in the pool (database restarted): nothing was done yet, take the next one.
                Err(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) if stale < pool.options().get_max_connections() => {
                    stale += 1;
                }
                Err(sqlx::Error::Database(problem))
                    if problem.code().is_some_and(|code| code == "57P01")
                        && stale < pool.options().get_max_connections() =>
                {
                    stale += 1;
                }
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    /// The tenant whose rows exist here.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The connection, for queries.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database does not confirm; then nothing or everything happened.
    pub async fn commit(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When the connection is lost, which forgets it as well.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}

/// The schema of a service: its name with underscores.
#[must_use]
pub fn schema(service: &str) -> String {
    service.replace('-', "_")
}

/// The role under which the service works: owns nothing, row security applies.
#[must_use]
pub fn app_role(service: &str) -> String {
    format!("steward_{}", schema(service))
}

/// The role of the platform's loops.
#[must_use]
pub fn platform_role(service: &str) -> String {
    format!("{}_platform", app_role(service))
}

/// The role that owns the schema and migrates it.
#[must_use]
pub fn owner_role(service: &str) -> String {
    format!("{}_owner", app_role(service))
}

/// Passwords of a service's three roles.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Of [`app_role`].
    pub app: Secret,
    /// Of [`platform_role`].
    pub platform: Secret,
    /// Of [`owner_role`].
    pub owner: Secret,
}

impl Passwords {
    /// One password for all three: for development and tests.
    #[must_use]
    pub fn same(password: &str) -> Self {
        let one = Secret::from(password);
        Self { app: one.clone(), platform: one.clone(), owner: one }
    }
}

/// Makes the roles and the schema of a service, or mends them. For the administrator of the database, once.
///
/// * `admin`: a connection as superuser to the database that Steward uses.
/// # Errors
/// When the database refuses.
pub async fn provision(admin: &mut PgConnection, service: &str, passwords: &Passwords) -> anyhow::Result<()> {
    let (schema, app, platform, owner) =
        (schema(service), app_role(service), platform_role(service), owner_role(service));
    let role = |name: &str, password: &Secret, options: &str| {
        let password = password.expose_secret().replace('\'', "''");
        format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name}; END IF;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {options} PASSWORD '{password}';
             ALTER ROLE {name} SET search_path = {schema};"
        )
    };
    // Service names are constants of ours. Roles are of the cluster: two set-ups at once take turns, in different databases, too,
    // where an advisory lock is not seen: the second would fail with "tuple concurrently updated".
    let statements = format!(
        "BEGIN; LOCK TABLE pg_authid IN SHARE ROW EXCLUSIVE MODE;
         {}{}{}
         CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner};
         GRANT USAGE ON SCHEMA {schema} TO {app}, {platform};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}
             GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {app};
         COMMIT;",
        role(&owner, &passwords.owner, "NOBYPASSRLS"),
        role(&app, &passwords.app, "NOBYPASSRLS"),
        role(&platform, &passwords.platform, "BYPASSRLS"),
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(admin).await?;
    Ok(())
}

/// Applies what is missing: the platform's tables, then the service's.
///
/// Takes turns by a lock named after the schema that is tried, not waited for, so that it never stands in the way of an index
/// that is built concurrently elsewhere.
///
/// # Errors
/// When a migration fails; the ones before it stay, the running version goes on serving.
pub async fn migrate(owner: PgConnectOptions, service: &str, own: &Migrator) -> anyhow::Result<()> {
    let mut connection = owner.disable_statement_logging().connect().await?;
    let lock = format!("steward migrate {service}");
    loop {
        let got: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))")
            .bind(&lock)
            .fetch_one(&mut connection)
            .await?;
        if got {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for (migrator, table) in [(&PLATFORM, PLATFORM_TABLE), (own, OWN_TABLE)] {
        let mut migrator = Migrator::with_migrations(migrator.iter().cloned().collect());
        migrator.dangerous_set_table_name(table);
        migrator.set_locking(false);
        // After a roll-back the schema is newer than the program, which can live with that.
        migrator.set_ignore_missing(true);
        migrator.run_direct(None, &mut connection, false).await?;
    }
    connection.close().await?;
    Ok(())
}

/// Which migrations are not yet applied, by name; the service is not ready before the list is empty.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn pending_migrations(db: &Db, service: &str, own: &Migrator) -> Result<Vec<String>> {
    let mut pending = Vec::new();
    for (migrator, table) in [(&PLATFORM, PLATFORM_TABLE), (own, OWN_TABLE)] {
        let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("{}.{table}", schema(service)))
            .fetch_one(&db.app)
            .await?;
        let applied: Vec<i64> = if exists {
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT version FROM {table} WHERE success")))
                .fetch_all(&db.app)
                .await?
        } else {
            Vec::new()
        };
        pending.extend(
            migrator
                .iter()
                .filter(|migration| !applied.contains(&migration.version))
                .map(|migration| format!("{} {}", migration.version, migration.description)),
        );
    }
    Ok(pending)
}

/// Turns the violation of a named constraint into a refusal.
pub fn on_constraint<T>(
    result: std::result::Result<T, sqlx::Error>,
    constraint: &str,
    refusal: impl FnOnce() -> Error,
) -> Result<T> {
    match result {
        Err(sqlx::Error::Database(problem)) if problem.constraint() == Some(constraint) => Err(refusal()),
        other => Ok(other?),
    }
}
