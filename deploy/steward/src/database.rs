//! Where the databases of the services are, and the passwords of their roles.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use steward_chassis::{
    config::{DatabaseConfig, Secret},
    db::{Passwords, owner_role},
    pool::attentive,
};

/// What stands for the name of a role in the URL.
const ROLE: &str = "{role}";

/// The database that all services share, each with its own schema and roles.
#[derive(Debug, Clone, Args)]
#[group(id = "database")]
pub(crate) struct Settings {
    /// URL of the database; `{role}` stands for the role that connects.
    #[arg(long, env = "STEWARD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Secret,
    /// Folder with `<service>/{database,platform,owner}-password`.
    #[arg(long, env = "STEWARD_SECRETS")]
    pub secrets: Option<PathBuf>,
    /// One password for all roles of all services, instead of the folder: on one's own machine only.
    #[arg(long, env = "STEWARD_DATABASE_PASSWORD", hide_env_values = true)]
    pub database_password: Option<Secret>,
}

impl Settings {
    /// The passwords of a service's roles.
    ///
    /// # Errors
    /// When a file is missing.
    pub(crate) fn passwords(&self, service: &str) -> anyhow::Result<Passwords> {
        Ok(match (&self.database_password, &self.secrets) {
            (Some(password), _) => Passwords::same(password.expose_secret()),
            (None, Some(folder)) => {
                let of = |name: &str| first_line(&folder.join(service).join(name));
                Passwords {
                    app: of("database-password")?,
                    platform: of("platform-password")?,
                    owner: of("owner-password")?,
                }
            }
            (None, None) => anyhow::bail!("STEWARD_SECRETS is not set: the folder with the passwords of the roles"),
        })
    }

    /// How the owner of a service's schema connects.
    ///
    /// # Errors
    /// When the URL cannot be read, or a password is missing.
    pub(crate) fn owner(&self, service: &str) -> anyhow::Result<PgConnectOptions> {
        self.options(&owner_role(service), Some(&self.passwords(service)?.owner))
    }

    /// How some role connects: every connection of the command is one that the server lets go of when we are gone.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub(crate) fn options(&self, role: &str, password: Option<&Secret>) -> anyhow::Result<PgConnectOptions> {
        // What is wrong with it is not told: it may be a piece of a password.
        let options = self.database_url.expose_secret().replace(ROLE, role).parse::<PgConnectOptions>();
        let options = options.map_err(|_| anyhow::anyhow!("STEWARD_DATABASE_URL is not a URL"))?;
        let options = attentive(options, "steward");
        Ok(match password {
            Some(password) => options.password(password.expose_secret()),
            None => options,
        })
    }

    /// The settings with which the service itself finds its database.
    ///
    /// # Errors
    /// When a password is missing.
    pub(crate) fn config(&self, service: &str) -> anyhow::Result<DatabaseConfig> {
        let passwords = self.passwords(service)?;
        Ok(DatabaseConfig {
            url: self.database_url.clone(),
            platform_url: None,
            password: Some(passwords.app),
            platform_password: Some(passwords.platform),
            max_connections: 2,
        })
    }
}

/// The secret in that file; of one that is being changed, the new one.
///
/// # Errors
/// When it cannot be read, or is empty.
pub(crate) fn first_line(file: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    Ok(Secret::from(line.with_context(|| format!("{} is empty", file.display()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_lets_go_of_every_connection_of_the_command_when_it_is_gone() {
        let database_url = Secret::from("postgres://{role}@localhost/steward");
        let settings = Settings { database_url, secrets: None, database_password: Some(Secret::from("p")) };
        for options in [settings.owner("intake").unwrap(), settings.options("postgres", None).unwrap()] {
            let told = options.get_options().unwrap_or_default();
            assert!(told.contains("tcp_keepalives_idle=10s") && told.contains("tcp_user_timeout=20s"), "{told}");
            assert_eq!(options.get_application_name(), Some("steward"));
        }
    }
}
