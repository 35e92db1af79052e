//! Steward on one machine: all five services in one process, or a gateway before five processes; a development issuer.
//! For developers and demonstrations, never for production: there, each service runs by itself.

mod gateway;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use chrono::TimeDelta;
use clap::{Args, Parser};
use steward_chassis::{Clock, issuer::DevIssuer};
use steward_kernel::{
    Actor, ActorId, Role, TenantId,
    ids::{EstateId, ResidentId},
};
use uuid::Uuid;

#[derive(Debug, Parser)]
#[command(about, version)]
enum Command {
    /// Run all five services in this process.
    Serve(serve::Settings),
    /// Run the one address before five processes.
    Gateway(gateway::Settings),
    /// Print an access token of the development issuer.
    DevToken(DevToken),
}

/// The development issuer of this machine.
#[derive(Debug, Clone, Args)]
struct Issuer {
    /// Its URL, as in `iss`.
    #[arg(long, env = "STEWARD_DEV_ISSUER", default_value = "http://127.0.0.1:8480/dev")]
    issuer: String,
    /// File of its key; made when missing.
    #[arg(long, env = "STEWARD_DEV_ISSUER_KEY", default_value = ".local/dev-issuer.der")]
    issuer_key: PathBuf,
}

impl Issuer {
    fn load(&self) -> anyhow::Result<DevIssuer> {
        DevIssuer::load_or_generate(&self.issuer, &self.issuer_key)
    }
}

#[derive(Debug, Args)]
struct DevToken {
    #[command(flatten)]
    issuer: Issuer,
    /// As what: owner, receptionist, handler, technician, supervisor, manager, analyst, admin or integration.
    #[arg(long, value_parser = role)]
    role: Role,
    /// In which company.
    #[arg(long, default_value = "0198f000-0000-7000-8000-000000000001")]
    tenant: Uuid,
    /// `all`, or ids with commas.
    #[arg(long, default_value = "all")]
    estates: String,
    /// Subject; the role's word when not given.
    #[arg(long)]
    sub: Option<String>,
    /// The resident an owner is.
    #[arg(long)]
    resident: Option<Uuid>,
    /// How long it is valid.
    #[arg(long, default_value_t = 720)]
    hours: u32,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| format!("no such role; there are {}", Role::ALL.map(Role::as_str).join(", ")))
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
            eprintln!("steward-local: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command was asked for")]
async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(settings) => serve::run(settings).await?,
        Command::Gateway(settings) => gateway::run(settings).await?,
        Command::DevToken(settings) => println!("{}", token(&settings)?),
    }
    Ok(())
}

fn token(settings: &DevToken) -> anyhow::Result<String> {
    let estates = match settings.estates.as_str() {
        "all" => None,
        list => Some(list.split(',').map(|id| id.trim().parse()).collect::<Result<Vec<EstateId>, _>>()?),
    };
    let actor = Actor {
        tenant: TenantId::from(settings.tenant),
        id: ActorId::new(settings.sub.clone().unwrap_or_else(|| settings.role.as_str().to_owned())),
        roles: vec![settings.role],
        estates,
        resident: settings.resident.map(ResidentId::from),
    };
    let clock = Clock::System;
    settings.issuer.load()?.token(&actor, clock.now(), TimeDelta::hours(settings.hours.into()), clock.new_id())
}
