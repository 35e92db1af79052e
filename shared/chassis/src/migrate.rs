//! Migrations: what is missing in a schema is applied while the old version serves.
//!
//! One that has to wait for a table stands in the way of everybody who comes after it: PostgreSQL lets nobody pass. So it waits two seconds
//! and no more, lets the others through, and tries again for some minutes.

use std::time::Duration;

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection,
    migrate::{MigrateError, Migration, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::Instant;

use crate::{
    Result,
    db::{Db, schema},
    pool::attentive,
};

/// The tables every service has.
static PLATFORM: Migrator = sqlx::migrate!();
/// Where it is written down which of them are applied.
const PLATFORM_TABLE: &str = "_platform_migration";
/// The same for the service's own.
const OWN_TABLE: &str = "_migration";
/// How long a migration waits for a table that somebody else holds; indexes that are built beside the work stand in nobody's way, and would
/// be left unfinished.
const LOCK_TIMEOUT: (&str, &str) = ("2s", "0");
/// First and longest pause before it tries again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How long it tries.
const PATIENCE: Duration = Duration::from_secs(600);

/// Applies what is missing: the platform's tables, then the service's.
///
/// Takes turns by a lock named after the schema that is tried, not waited for, so that it never stands in the way of an index
/// that is built concurrently elsewhere.
///
/// # Errors
/// When a migration fails, or others hold a table for ten minutes; the ones before it stay, the running version goes on serving.
pub async fn migrate(owner: PgConnectOptions, service: &str, own: &Migrator) -> anyhow::Result<()> {
    migrate_within(PATIENCE, owner, service, own).await
}

/// The same with another patience.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_within(
    patience: Duration,
    owner: PgConnectOptions,
    service: &str,
    own: &Migrator,
) -> anyhow::Result<()> {
    let limit = Instant::now() + patience;
    let mut connection = attentive(owner, &format!("steward-{service} migrate")).connect().await?;
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
        let all: Vec<Migration> = migrator.iter().cloned().collect();
        let mut migrator = Migrator::with_migrations(all.clone());
        migrator.dangerous_set_table_name(table);
        migrator.set_locking(false);
        // After a roll-back the schema is newer than the program, which can live with that.
        migrator.set_ignore_missing(true);
        for alike in all.chunk_by(|one, next| one.no_tx == next.no_tx) {
            let timeout = if alike.iter().any(|one| one.no_tx) { LOCK_TIMEOUT.1 } else { LOCK_TIMEOUT.0 };
            sqlx::raw_sql(AssertSqlSafe(format!("SET lock_timeout = '{timeout}'"))).execute(&mut connection).await?;
            let last = alike.last().map(|last| last.version);
            apply(&mut connection, service, &migrator, last, limit).await?;
        }
    }
    connection.close().await?;
    Ok(())
}

/// Applies all up to that one, again and again while others hold a table.
async fn apply(
    connection: &mut PgConnection,
    service: &str,
    migrator: &Migrator,
    last: Option<i64>,
    limit: Instant,
) -> anyhow::Result<()> {
    let mut pause = PAUSE.0;
    loop {
        let Err(fault) = migrator.run_direct(last, connection, false).await else { return Ok(()) };
        if !is_in_the_way(&fault) {
            return Err(fault.into());
        }
        if Instant::now() + pause > limit {
            let holders = holders(connection, service).await.unwrap_or_default();
            return Err(fault).with_context(|| {
                format!(
                    "a table of {service} is held by others ({holders}): end them or wait for their end, then begin again; \
                     what was applied before stays"
                )
            });
        }
        tracing::info!(service, error = %fault, "a migration waits for a table that others hold");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Whether somebody else holds what the migration needs: lock_not_available, deadlock_detected.
fn is_in_the_way(fault: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = fault else { return false };
    let code = cause.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}

/// Who holds tables of the schema, the oldest first, for the operator.
async fn holders(connection: &mut PgConnection, service: &str) -> std::result::Result<String, sqlx::Error> {
    let holders: Vec<String> = sqlx::query_scalar(
        "SELECT format('pid %s, %s, %s', pid, coalesce(usename, '?'), coalesce(nullif(application_name, ''), '?'))
         FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN (
             SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation
             WHERE granted AND relnamespace = to_regnamespace($1) AND relkind = 'r'
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
         ORDER BY age(backend_xmin) DESC NULLS LAST, pid LIMIT 3",
    )
    .bind(schema(service))
    .fetch_all(connection)
    .await?;
    Ok(holders.join("; "))
}

/// Which migrations are not yet applied, by name; the service is not ready before the list is empty.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn pending_migrations(db: &Db, service: &str, own: &Migrator) -> Result<Vec<String>> {
    let mut connection = db.lend_own().await?;
    let mut pending = Vec::new();
    for (migrator, table) in [(&PLATFORM, PLATFORM_TABLE), (own, OWN_TABLE)] {
        let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("{}.{table}", schema(service)))
            .fetch_one(&mut *connection)
            .await?;
        let applied: Vec<i64> = if exists {
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT version FROM {table} WHERE success")))
                .fetch_all(&mut *connection)
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
