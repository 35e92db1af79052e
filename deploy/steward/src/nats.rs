//! Where the message server is, and as whom the operator's command connects.

use std::path::PathBuf;

use clap::Args;
use steward_chassis::{
    Checked as _,
    config::{Address, CoreConfig, NatsConfig},
    messages::Messages,
};

use crate::database::first_line;

/// The message server.
#[derive(Debug, Clone, Args)]
#[group(id = "nats")]
pub(crate) struct Settings {
    /// One server, or several with commas.
    #[arg(long, env = "STEWARD_NATS_URL", hide_env_values = true)]
    nats_url: Address,
    /// PEM file of the authorities that may have signed its certificate; with it, TLS is required.
    #[arg(long, env = "STEWARD_NATS_CA")]
    nats_ca: Option<PathBuf>,
    /// File with the seed of the nkey of user `streams`.
    #[arg(long, env = "STEWARD_NATS_SEED_FILE")]
    nats_seed_file: Option<PathBuf>,
    /// First token of all subjects, as in `core.nats.prefix`.
    #[arg(long, env = "STEWARD_NATS_PREFIX", default_value = "steward")]
    nats_prefix: String,
}

impl Settings {
    /// Connects in the background.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(crate) async fn connect(&self) -> anyhow::Result<Messages> {
        let mut core = CoreConfig::development().map_err(|findings| anyhow::anyhow!(findings.join("; ")))?;
        core.nats = NatsConfig {
            url: self.nats_url.clone(),
            prefix: self.nats_prefix.clone(),
            nkey: self.nats_seed_file.as_deref().map(first_line).transpose()?,
            root_certificates: self.nats_ca.clone(),
            ..core.nats
        };
        let findings = core.findings();
        anyhow::ensure!(findings.is_empty(), "{}", findings.join("; "));
        Messages::connect(&core.nats, "streams").await
    }
}
