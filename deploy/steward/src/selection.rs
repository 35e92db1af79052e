//! Which services a command is about.

use clap::{Args, builder::PossibleValuesParser};
use steward_admin::services::{self, Entry};
use steward_chassis::db::Db;

use crate::database;

/// All services, or one.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// Only this service.
    #[arg(long, value_parser = PossibleValuesParser::new(services::all().map(|service| service.name)))]
    pub service: Option<String>,
}

impl Selection {
    /// Those that are meant.
    pub(crate) fn services(&self) -> Vec<Entry> {
        let meant = |service: &Entry| self.service.as_ref().is_none_or(|only| only == service.name);
        services::all().into_iter().filter(meant).collect()
    }
}

/// The database of a service under the service's own two roles.
///
/// # Errors
/// When a password is missing, or the URL cannot be read.
pub(crate) fn database(settings: &database::Settings, service: &str) -> anyhow::Result<Db> {
    Db::connect_lazily(&settings.config(service)?, service)
}
