//! The operator's command: what is done once for all five services, beside them or before them.

mod database;
mod keys;
mod nats;
mod provision;
mod streams;

use std::process::ExitCode;

use clap::Parser;
use steward_admin::{accounts, services};

#[derive(Debug, Parser)]
#[command(about, version)]
enum Command {
    /// Make roles, schemas and rights of all services and apply all migrations. Safe while an older version serves; done before a rollout.
    Provision(provision::Settings),
    /// Make the streams of JetStream and their consumers, and keep them.
    #[command(subcommand)]
    Streams(streams::Command),
    /// Make or change the secrets of an installation.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Print the accounts and rights of the message server, for its configuration.
    Accounts,
    /// Print which paths belong to which service, as every gateway routes them.
    Routes,
    /// Print the API document of all services.
    Openapi,
}

#[expect(clippy::print_stderr, reason = "one line for the person who started it")]
fn main() -> ExitCode {
    let command = Command::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(command)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("steward: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Provision(settings) => provision::run(&settings).await?,
        Command::Streams(command) => streams::run(command).await?,
        Command::Keys(command) => keys::run(command).await?,
        Command::Accounts => print!("{}", accounts::document()),
        Command::Routes => print!("{}", services::routes_document()),
        Command::Openapi => println!("{}", services::openapi().to_pretty_json()?),
    }
    Ok(())
}
