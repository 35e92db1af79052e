//! Where the other halves of the secrets are: a database knows the passwords of its roles, the message server the nkeys of its users. An old
//! line may go when they take the new one.

use std::path::PathBuf;

use anyhow::Context as _;
use async_nats::{
    ConnectErrorKind::{Authentication, AuthorizationViolation},
    ConnectOptions,
};
use clap::Args;
use sqlx::{ConnectOptions as _, Connection as _};
use steward_admin::keyring::{self, Keyring, New, Owner};
use steward_chassis::config::{Address, Secret};

use crate::database;

/// What is asked whether it takes the new lines.
#[derive(Debug, Args)]
pub(crate) struct Halves {
    /// URL of the database; `{role}` stands for the role that connects.
    #[arg(long, env = "STEWARD_DATABASE_URL", hide_env_values = true)]
    database_url: Option<Secret>,
    /// The message server; several with commas.
    #[arg(long, env = "STEWARD_NATS_URL", hide_env_values = true)]
    nats_url: Option<Address>,
    /// PEM file of the authorities that may have signed its certificate; with it, TLS is required.
    #[arg(long, env = "STEWARD_NATS_CA")]
    nats_ca: Option<PathBuf>,
    /// Ask nobody: you have seen to it that the new lines are taken.
    #[arg(long)]
    yes: bool,
}

impl Halves {
    /// Makes sure that every new line of a change is taken where it is used.
    ///
    /// # Errors
    /// When one is not, or cannot be tried.
    pub(super) async fn take_new_lines(&self, ring: &Keyring) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let mut refused = Vec::new();
        for new in keyring::new_lines(ring)? {
            let tried = self.takes(&new).await;
            if !tried.with_context(|| format!("{} cannot be tried, so the old line stays", new.name))? {
                refused.push(new.name);
            }
        }
        anyhow::ensure!(
            refused.is_empty(),
            "not taken yet, so all old lines stay: {}. Databases take the new ones with `steward provision`, the message server when it is \
             started anew",
            refused.join(", ")
        );
        Ok(())
    }

    /// Whether somebody can sign in with it.
    async fn takes(&self, new: &New) -> anyhow::Result<bool> {
        match &new.owner {
            Owner::Role(role) => {
                let database_url =
                    self.database_url.clone().context("STEWARD_DATABASE_URL is not set; or say --yes")?;
                let database = database::Settings { database_url, secrets: None, database_password: None };
                match database.options(role, Some(&Secret::from(new.line.as_str())))?.connect().await {
                    Ok(connection) => Ok(connection.close().await.is_ok()),
                    Err(fault) if is_refusal(&fault) => Ok(false),
                    Err(fault) => Err(fault.into()),
                }
            }
            Owner::User => {
                let servers = self.nats_url.as_ref().context("STEWARD_NATS_URL is not set; or say --yes")?;
                let mut options = ConnectOptions::with_nkey(new.line.clone());
                if let Some(file) = &self.nats_ca {
                    options = options.add_root_certificates(file.clone()).require_tls(true);
                }
                let servers: Vec<&str> = servers.split(',').map(str::trim).collect();
                match options.connect(servers).await {
                    Ok(client) => Ok(client.drain().await.is_ok()),
                    Err(fault) if matches!(fault.kind(), AuthorizationViolation | Authentication) => Ok(false),
                    Err(fault) => Err(fault.into()),
                }
            }
        }
    }
}

/// `28P01`: another password; `28000`: nobody of that name.
fn is_refusal(fault: &sqlx::Error) -> bool {
    let code = fault.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "28P01" || code == "28000")
}
