//! The database: pools, transactions bound to a tenant, roles.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use steward_kernel::TenantId;
use tokio_util::sync::CancellationToken;

pub use crate::migrate::{migrate, migrate_within, pending_migrations};
use crate::{
    Error, Result,
    config::{DatabaseConfig, Secret},
    pool::{After, Doubt, Lender, Lent, attentive, within},
    relay::pause,
    tenants::Tenants,
};

/// Connections of the platform's loops, beside those of the service's pool; the one relay that leads has one more.
const PLATFORM_CONNECTIONS: u32 = 4;
/// How long a statement waits for a row that somebody else holds, before the caller is told to come back; and how long it may take where
/// no request says how much time is left: a message must be done before it is delivered again.
const LIMITS: [(&str, &str); 2] = [("lock_timeout", "2s"), ("statement_timeout", "20s")];
/// Longest that a message or a timer is worked at. Beyond [`LIMITS`] the database does not answer; and what hangs holds up its lane, in the
/// end all, and is delivered again to another one.
pub(crate) const WORK: Duration = Duration::from_secs(25);
/// How long the loops wait for an answer to a short question.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may take to begin a transaction, which waits for nobody.
const BEGIN: Duration = Duration::from_secs(3);
/// How long the database may take to say that it is there.
pub(crate) const PING: Duration = Duration::from_secs(2);
/// The database gives up so much before the request does, so that its word still comes through; and is never asked to hurry more.
const MARGIN: Duration = Duration::from_millis(250);

tokio::task_local! {
    /// When nobody waits any more for what this task does.
    static DEADLINE: Instant;
}

/// Does what has to be done by then: no statement of it goes on in the database much longer.
pub(crate) async fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, work).await
}

/// The two pools of a service: one under row security for all work, one for the platform's loops.
#[derive(Debug, Clone)]
pub struct Db {
    /// Under the service's role: sees one tenant at a time.
    pub app: PgPool,
    /// Under the platform role: relay, timers, housekeeping.
    pub platform: PgPool,
    /// Companies that are closed.
    pub tenants: Tenants,
    work: Lender,
    loops: Lender,
    passwords: Arc<[Followed; 2]>,
}

impl Db {
    /// Pools that connect when first used, so that a database that is away delays nothing but itself.
    ///
    /// # Errors
    /// When a URL cannot be read.
    pub fn connect_lazily(config: &DatabaseConfig, service: &str) -> anyhow::Result<Self> {
        let name = format!("steward-{service}");
        let app = config.app(&app_role(service)).context("core.database.url")?;
        let platform = config.platform(&platform_role(service)).context("core.database.platform_url")?;
        let doubt = Doubt::none();
        let work = Lender::new(config.max_connections, attentive(app, &name).options(LIMITS), &doubt);
        let loops = Lender::new(PLATFORM_CONNECTIONS, attentive(platform, &format!("{name} loops")), &doubt);
        let followed = |lender: &Lender, password: &Option<Secret>| Followed {
            pool: lender.pool().clone(),
            password: password.clone(),
            in_use: Mutex::new(password.as_ref().and_then(|password| password.lines().into_iter().next())),
        };
        let passwords = [followed(&work, &config.password), followed(&loops, &config.platform_password)];
        Ok(Self {
            app: work.pool().clone(),
            platform: loops.pool().clone(),
            tenants: Tenants::new(loops.clone()),
            work,
            loops,
            passwords: Arc::new(passwords),
        })
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
        // Boxed: every handler has it inside.
        Box::pin(Tx::begin(&self.work, tenant)).await
    }

    /// A connection of the service's pool, outside of any company.
    pub(crate) async fn lend_own(&self) -> Result<Lent> {
        Ok(self.work.lend().await?)
    }

    /// A connection of the platform's loops. Whoever asks something on it waits [`within`] a limit.
    pub(crate) async fn lend(&self) -> Result<Lent> {
        Ok(self.loops.lend().await?)
    }

    /// No answer came on a connection of the loops for so long.
    pub(crate) fn unanswered(&self, waited: Duration) {
        self.loops.unanswered(waited);
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::TimedOut`] when not.
    pub async fn ping(&self) -> Result<()> {
        within(PING, async { sqlx::query("SELECT 1").execute(&mut *self.lend().await?).await.map_err(Error::from) })
            .await?;
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
            let asked = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options));
            match asked.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
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

/// The epoch of a service's data, in SQL: by what a restore cannot leave as it was. One to a moment begins a timeline, one into a new
/// cluster has another name, one over the old tables makes them anew. A standby writes nothing, and does not say where: there it is the
/// timeline that it follows. A failover begins a timeline, too.
macro_rules! epoch {
    () => {
        "hashtextextended(concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
             CASE WHEN pg_is_in_recovery() THEN (SELECT upper(lpad(to_hex(timeline_id), 8, '0')) FROM pg_control_checkpoint())
                  ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END, 'event'::regclass::oid), 0)"
    };
}
pub(crate) use epoch;

/// A transaction bound to a tenant. There is no other way to the tables.
#[derive(Debug)]
pub struct Tx {
    inner: Lent,
    tenant: TenantId,
}

impl Tx {
    async fn begin(lender: &Lender, tenant: TenantId) -> Result<Self> {
        let mut stale = 0;
        loop {
            let mut inner = lender.lend().await?;
            // From here on: whoever goes away while it is on its way leaves no open transaction to the next.
            inner.then(After::Rollback);
            let begun = sqlx::raw_sql(AssertSqlSafe(begin_statement(tenant))).execute(&mut *inner);
            let fault = match tokio::time::timeout(BEGIN, begun).await {
                Ok(Ok(_)) => return Ok(Self { inner, tenant }),
                Ok(Err(fault)) => {
                    inner.then(After::Close);
                    Error::from(fault)
                }
                Err(_) => {
                    inner.then(After::Close);
                    lender.unanswered(BEGIN);
                    Error::Unavailable { what: "database", cause: "no answer to BEGIN".into() }
                }
            };
            // A connection that died in the pool (database restarted, moved): nothing was done yet, take the next one.
            stale += 1;
            if !matches!(fault, Error::Unavailable { .. }) || stale > lender.pool().options().get_max_connections() {
                return Err(fault);
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
    pub async fn commit(mut self) -> Result<()> {
        sqlx::raw_sql("COMMIT").execute(&mut *self.inner).await?;
        self.inner.then(After::Keep);
        Ok(())
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When the connection is lost, which forgets it as well.
    pub async fn rollback(mut self) -> Result<()> {
        sqlx::raw_sql("ROLLBACK").execute(&mut *self.inner).await?;
        self.inner.then(After::Keep);
        Ok(())
    }
}

/// Begins a transaction for a tenant, in one message: a round trip of its own for each setting would cost a tenth of a small transaction.
fn begin_statement(tenant: TenantId) -> String {
    // The tenant is a UUID, so the text cannot carry SQL.
    let begin = format!("BEGIN; SET LOCAL steward.tenant = '{tenant}'");
    match DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now())) {
        Ok(left) => {
            let limit = left.saturating_sub(MARGIN).max(MARGIN).as_millis();
            format!("{begin}; SET LOCAL statement_timeout = {limit}")
        }
        Err(_) => begin,
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
