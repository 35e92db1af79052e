//! The operator's command: what is done once for all five services, beside them or before them.

mod database;
mod dead_letters;
mod health;
mod inspect;
mod keys;
mod lost;
mod nats;
mod provision;
mod republish;
mod selection;
mod streams;
mod tenant;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use steward_admin::{accounts, services};

#[derive(Debug, Parser)]
#[command(name = "steward", about, version)]
enum Command {
    /// Make roles, schemas and rights of all services and apply all migrations. Safe while an older version serves; done before a rollout.
    Provision(provision::Settings),
    /// Make the streams of JetStream and their consumers, and keep them.
    #[command(subcommand)]
    Streams(streams::Command),
    /// Make or change the secrets of an installation.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Messages that a service could not handle: show them, handle them again.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Recompute the hash chains of all events and say where one is broken.
    Verify(verify::Settings),
    /// Look at every case of a company through the public API and the event logs: whether all services tell one story of it. Exit code 1 when a
    /// rule is broken.
    Inspect(inspect::Settings),
    /// What a restore to an earlier moment took away, and which services had heard of it. Exit code 1 when there is something.
    Lost(lost::Settings),
    /// How everything is: services, databases, streams. Exit code 0 when all is well, 1 when something is to be looked at, 2 when something
    /// does not work.
    Health(health::Settings),
    /// Publish whole event logs again; listeners discard what they have seen.
    Republish(republish::Settings),
    /// Companies: make them known, list, export, delete.
    #[command(subcommand)]
    Tenant(tenant::Command),
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
        Ok(code) => code,
        Err(fault) => {
            eprintln!("steward: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Provision(settings) => provision::run(&settings).await?,
        Command::Streams(command) => streams::run(command).await?,
        Command::Keys(command) => keys::run(command).await?,
        Command::DeadLetters(command) => return dead_letters::run(command).await,
        Command::Verify(settings) => return verify::run(&settings).await,
        Command::Inspect(settings) => return inspect::run(&settings).await,
        Command::Lost(settings) => return lost::run(&settings).await,
        Command::Health(settings) => return health::run(&settings).await,
        Command::Republish(settings) => return republish::run(&settings).await,
        Command::Tenant(command) => return tenant::run(command).await,
        Command::Accounts => print!("{}", accounts::document()),
        Command::Routes => print!("{}", services::routes_document()),
        Command::Openapi => println!("{}", services::openapi().to_pretty_json()?),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use steward_testkit::rules::repeated_by_help;

    #[test]
    fn the_arguments_fit_together() {
        super::Command::command().debug_assert();
    }

    #[test]
    fn help_does_not_repeat_passwords_from_the_environment() {
        assert_eq!(repeated_by_help(&super::Command::command()), Vec::<String>::new());
    }
}
