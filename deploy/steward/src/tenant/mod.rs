//! Companies: made known, listed, exported, deleted.
//!
//! Which companies there are is said by the identity provider: whoever has a token of one is served. Here they get a name, and here they
//! are closed.

mod delete;
mod export;
mod list;
mod schema;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use sqlx::{AssertSqlSafe, PgConnection};
use steward_admin::services;
use steward_chassis::{Clock, config::CoreConfig};
use steward_kernel::TenantId;

use crate::{database, nats, terminal::say};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a company an id and a name. Can be repeated; another name renames.
    Create {
        #[command(flatten)]
        database: database::Settings,
        /// What it is called.
        #[arg(long)]
        name: String,
        /// Its id, when it has one already.
        #[arg(long)]
        id: Option<TenantId>,
    },
    /// All companies that have a name or an event. Counts every event: seconds for each ten million.
    List {
        #[command(flatten)]
        database: database::Settings,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write everything of a company into a folder: one file of JSON lines for each table, and a manifest.
    Export(Export),
    /// Close a company for ever and delete everything of it. Can be repeated after an interruption.
    Delete(Delete),
}

/// What to export.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    database: database::Settings,
    /// Which company.
    id: TenantId,
    /// Where to; must be empty or not there yet. It will have personal data.
    #[arg(long)]
    folder: PathBuf,
    /// Also of a company that was closed: what its deletion has left.
    #[arg(long)]
    closed: bool,
}

/// What to delete.
#[derive(Debug, Args)]
#[command(mut_arg("nats_url", |url| url.required(false)))]
pub(crate) struct Delete {
    #[command(flatten)]
    database: database::Settings,
    #[command(flatten)]
    nats: Option<nats::Settings>,
    /// Which company.
    id: TenantId,
    /// Yes, delete it.
    #[arg(long)]
    yes: bool,
    /// How long the services get to notice that it is closed and to finish what is under way.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    settle: Duration,
}

/// Does it.
///
/// # Errors
/// When a database is away; what was done before stays, and can be repeated.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { database, name, id } => {
            let id = id.unwrap_or_else(|| TenantId::from(Clock::System.new_id()));
            create(&database, id, &name).await.map_err(|fault| {
                fault.context(format!("not everywhere; repeat with --id {id}, so that it is the same company"))
            })?;
        }
        Command::List { database, json } => list::run(&database, json).await?,
        Command::Export(settings) => export::run(&settings).await?,
        Command::Delete(settings) => delete::run(&settings).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(database: &database::Settings, id: TenantId, name: &str) -> anyhow::Result<()> {
    anyhow::ensure!(!name.trim().is_empty(), "--name is empty");
    for service in services::all() {
        let mut owner = schema::Owner::connect(database, service.name).await?;
        let open = sqlx::query(
            "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, $2, now())
             ON CONFLICT (tenant_id) DO UPDATE SET name = excluded.name WHERE tenant.closed_at IS NULL",
        )
        .bind(id.get())
        .bind(name.trim())
        .execute(&mut owner.connection)
        .await?;
        anyhow::ensure!(open.rows_affected() == 1, "that company was closed; its id is never used again");
    }
    let core = CoreConfig::development().map_err(|findings| anyhow::anyhow!(findings.join("; ")))?;
    let claim = core.auth.claims.tenant;
    say(&format!(
        "{id}  {name}\n\nThe identity provider puts this claim into the access tokens of everybody of the company:\n\n  \"{claim}\": \"{id}\"\n\n\
         (The name of the claim is core.auth.claims.tenant, here as it is when nothing is set.)"
    ));
    Ok(())
}

/// What is written down of a company.
#[derive(Debug, sqlx::FromRow)]
struct Known {
    name: String,
    closed_at: Option<DateTime<Utc>>,
}

/// What the schema of that owner has written down of a company.
async fn known(connection: &mut PgConnection, id: TenantId) -> anyhow::Result<Option<Known>> {
    Ok(sqlx::query_as("SELECT name, closed_at FROM tenant WHERE tenant_id = $1")
        .bind(id.get())
        .fetch_optional(connection)
        .await?)
}

/// Whether that schema has anything of a company.
async fn has_rows(owner: &mut schema::Owner, id: TenantId) -> anyhow::Result<bool> {
    let tables = owner.tables().await?;
    let any = tables.iter().map(|table| format!("EXISTS (SELECT FROM {} WHERE tenant_id = $1)", table.name));
    let query = format!("SELECT {}", any.collect::<Vec<_>>().join(" OR "));
    let mut bound = owner.begin(id).await?;
    Ok(sqlx::query_scalar(AssertSqlSafe(query)).bind(id.get()).fetch_one(&mut *bound).await?)
}
