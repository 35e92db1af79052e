//! Roles, schemas, rights and migrations of all services, in one run that can be repeated.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use steward_admin::services;
use steward_chassis::db;

use crate::database::{self, first_line};

/// What it needs.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    /// Who may make roles and schemas.
    #[arg(long, env = "STEWARD_ADMIN_ROLE", default_value = "postgres")]
    admin_role: String,
    /// File with that role's password, where it does not stand in the URL.
    #[arg(long, env = "STEWARD_ADMIN_PASSWORD_FILE")]
    admin_password_file: Option<PathBuf>,
    /// How long to wait for a database that does not answer yet.
    #[arg(long, env = "STEWARD_PATIENCE", default_value = "10m", value_parser = humantime::parse_duration)]
    patience: Duration,
}

/// Provisions.
///
/// # Errors
/// When the database does not answer in time, or refuses; what was done before stays and is not done again.
#[expect(clippy::print_stdout, reason = "progress, for the log of the job")]
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let password = settings.admin_password_file.as_deref().map(first_line).transpose()?;
    let admin = settings.database.options(&settings.admin_role, password.as_ref())?;
    let mut admin = connect(&admin, settings.patience).await?;
    let all = services::all();
    for (at, service) in all.iter().enumerate() {
        db::provision(&mut admin, service.name, &settings.database.passwords(service.name)?).await?;
        db::migrate(settings.database.owner(service.name)?, service.name, (service.migrator)()).await?;
        println!("[{}/{}] {} is up to date", at + 1, all.len(), service.name);
    }
    Ok(())
}

/// Waits for a database that is still starting; a wrong password is told at once.
async fn connect(options: &PgConnectOptions, patience: Duration) -> anyhow::Result<PgConnection> {
    let begun = tokio::time::Instant::now();
    loop {
        match options.connect().await {
            Ok(connection) => return Ok(connection),
            Err(fault) if matches!(fault, sqlx::Error::Io(_)) || is_starting(&fault) => {
                anyhow::ensure!(begun.elapsed() < patience, "the database does not answer: {fault}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(fault) => return Err(fault.into()),
        }
    }
}

/// `57P03`: the server starts; `3D000`: its database is not made yet.
fn is_starting(fault: &sqlx::Error) -> bool {
    let code = fault.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "57P03" || code == "3D000")
}
