//! Everything of a company as files: for each service one consistent moment, for each table one file of JSON lines.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use steward_admin::services;
use steward_chassis::Clock;
use steward_kernel::TenantId;

use super::{
    Export, Known, has_rows, known,
    schema::{Owner, Table},
};
use crate::terminal::{Progress, say, tell};

/// What the files are; written last, so a folder without it is not complete.
const MANIFEST: &str = "manifest.json";

/// What was exported.
#[derive(Debug, Serialize)]
struct Manifest {
    tenant_id: TenantId,
    name: Option<String>,
    /// When its deletion began: what was deleted before is not in here.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<DateTime<Utc>>,
    exported_at: DateTime<Utc>,
    /// Of the program that wrote it.
    version: &'static str,
    services: BTreeMap<&'static str, Exported>,
}

/// What was exported of a service.
#[derive(Debug, Serialize)]
struct Exported {
    /// The last migration of the platform's tables and of the service's own.
    schema: Versions,
    tables: BTreeMap<String, Written>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Versions {
    platform: i64,
    own: i64,
}

/// A file.
#[derive(Debug, Serialize)]
struct Written {
    file: String,
    rows: u64,
    sha256: String,
}

/// Exports.
///
/// # Errors
/// When a database is away, nobody knows the company, or a file cannot be written.
pub(super) async fn run(settings: &Export) -> anyhow::Result<()> {
    let (tenant, folder) = (settings.id, &settings.folder);
    let mut owners = Vec::new();
    let (mut name, mut found, mut closed_at) = (None, false, None);
    for service in services::all() {
        let mut owner = Owner::connect(&settings.database, service.name).await?;
        let row = known(&mut owner.connection, tenant).await?;
        found |= row.is_some() || has_rows(&mut owner, tenant).await?;
        require_open(settings, row.as_ref())?;
        name = name.or(row.map(|row| row.name));
        owners.push(owner);
    }
    anyhow::ensure!(found, "nothing is known of company {tenant}");
    make_folder(folder)?;
    let exported_at = Clock::System.now();
    let mut services = BTreeMap::new();
    for owner in &mut owners {
        let (one, closed) = export(owner, settings).await?;
        services.insert(owner.service, one);
        closed_at = closed_at.or(closed);
    }
    let rows: u64 = services.values().flat_map(|service| service.tables.values()).map(|table| table.rows).sum();
    let manifest =
        Manifest { tenant_id: tenant, name, closed_at, exported_at, version: env!("CARGO_PKG_VERSION"), services };
    let mut file = create(&folder.join(MANIFEST))?;
    file.write_all(serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    file.sync_all()?;
    say(&format!("{rows} rows of company {tenant} are in {}: personal data, keep it so", folder.display()));
    if let Some(at) = closed_at {
        say(&format!("its deletion began {at}: what was deleted before is not among them"));
    }
    Ok(())
}

/// A company that was closed is being deleted: what is left of it must not be taken for the whole.
fn require_open(settings: &Export, row: Option<&Known>) -> anyhow::Result<()> {
    let closed_at = row.and_then(|row| row.closed_at).filter(|_| !settings.closed);
    closed_at.map_or(Ok(()), |at| {
        anyhow::bail!(
            "company {} was closed {at} and is deleted from then on: what is gone would be missing. Say --closed to export what is left",
            settings.id
        )
    })
}

/// A folder that only we may look into, and that has nothing in it.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let problem = || format!("folder {}", folder.display());
    match fs::read_dir(folder) {
        Ok(mut entries) => anyhow::ensure!(entries.next().is_none(), "{} is not empty", problem()),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(problem)?;
        }
        Err(fault) => return Err(fault).with_context(problem),
    }
    Ok(())
}

fn create(path: &PathBuf) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("{} cannot be written", path.display()))
}

/// Exports one service; when its rows began to be deleted, if they did.
async fn export(owner: &mut Owner, settings: &Export) -> anyhow::Result<(Exported, Option<DateTime<Utc>>)> {
    let (tenant, folder) = (settings.id, &settings.folder);
    let (service, tables) = (owner.service, owner.tables().await?);
    DirBuilder::new().mode(0o700).create(folder.join(service))?;
    let mut moment = owner.begin(tenant).await?;
    sqlx::raw_sql(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
         SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'",
    )
    .execute(&mut *moment)
    .await?;
    let schema: Versions = sqlx::query_as(
        "SELECT (SELECT max(version) FROM _platform_migration WHERE success) AS platform,
                (SELECT max(version) FROM _migration WHERE success) AS own",
    )
    .fetch_one(&mut *moment)
    .await?;
    // Closed since we began? No row of this moment is deleted then, or it is seen here.
    let row = known(&mut moment, tenant).await?;
    require_open(settings, row.as_ref())?;
    let mut written = BTreeMap::new();
    for (at, table) in tables.iter().enumerate() {
        let file = format!("{service}/{}.ndjson", table.name);
        let one = copy(&mut moment, table, tenant, folder, &file).await.with_context(|| file.clone())?;
        tell(&format!("{service} [{}/{}] {}: {} rows", at + 1, tables.len(), table.name, one.rows));
        written.insert(table.name.clone(), one);
    }
    moment.rollback().await?;
    Ok((Exported { schema, tables: written }, row.and_then(|row| row.closed_at)))
}

/// Writes one table, as it streams.
async fn copy(
    connection: &mut PgConnection,
    table: &Table,
    tenant: TenantId,
    folder: &Path,
    name: &str,
) -> anyhow::Result<Written> {
    // No JSON has the characters 1 and 2, so nothing is quoted and a line is what it is. Line breaks can only be between its words.
    let order = if table.key.is_empty() { String::new() } else { format!("ORDER BY {}", table.key.join(", ")) };
    let statement = format!(
        "COPY (SELECT translate(row_to_json(row)::text, E'\\n\\r', '  ')
               FROM (SELECT * FROM {} WHERE tenant_id = '{tenant}' {order}) AS row)
         TO STDOUT WITH (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')",
        table.name
    );
    let (mut file, mut hash, mut rows) = (BufWriter::new(create(&folder.join(name))?), Sha256::new(), 0);
    let mut progress = Progress::new();
    let mut lines = connection.copy_out_raw(&statement).await?;
    while let Some(bytes) = lines.try_next().await? {
        file.write_all(&bytes)?;
        hash.update(&bytes);
        rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        progress.tell(|| format!("{name}: {rows} rows"));
    }
    file.into_inner()?.sync_all()?;
    Ok(Written { file: name.to_owned(), rows, sha256: format!("{:x}", hash.finalize()) })
}
