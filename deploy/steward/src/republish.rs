//! Publishing of whole event logs again.

use std::process::ExitCode;

use clap::Args;
use steward_chassis::relay;

use crate::{
    database,
    selection::{self, Selection},
    terminal::say,
};

/// Whose.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    #[command(flatten)]
    selection: Selection,
}

/// Asks the relays for it.
///
/// # Errors
/// When a database is away.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    for service in settings.selection.services() {
        relay::republish(&selection::database(&settings.database, service.name)?).await?;
        say(&format!("{}: its relay publishes the whole log again", service.name));
    }
    Ok(ExitCode::SUCCESS)
}
