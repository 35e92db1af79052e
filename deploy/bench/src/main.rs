//! Measures a Steward of five release processes against what Postgres itself does with the same rows, in the same run.
//!
//! `deploy/bench/run` builds everything and starts this; README.md says what each figure means. `steward-bench clock` measures clocks alone.

mod baseline;
mod bench;
mod clock;
mod load;
mod table;

use std::{path::PathBuf, process::ExitCode};

use bench::Bench;
use clap::{Args, Parser, Subcommand};
use table::Table;

#[derive(Debug, Parser)]
#[command(about, arg_required_else_help = true, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    servers: Option<Servers>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Measures clocks alone; needs no servers.
    Clock,
}

#[derive(Debug, Args)]
struct Servers {
    /// URL of a superuser of a private PostgreSQL with durable commits.
    #[arg(long)]
    database_url: String,
    /// The program pgbench.
    #[arg(long)]
    pgbench: PathBuf,
    /// Where the pgbench scripts are written, for whoever wants to see them.
    #[arg(long)]
    folder: PathBuf,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "what the command was asked for")]
fn main() -> ExitCode {
    let Arguments { servers, part } = Arguments::parse();
    let measured = match (part, servers) {
        (None, Some(servers)) => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(measure(servers))),
        (Some(Part::Clock), _) | (None, None) => measure_clocks(Table::default()),
    };
    match measured {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("steward-bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure_clocks(mut table: Table) -> anyhow::Result<Table> {
    step("clocks, one core");
    clock::measure(&mut table)?;
    Ok(table)
}

async fn measure(servers: Servers) -> anyhow::Result<Table> {
    let mut bench = Bench::prepare(&servers.database_url).await;
    step("starting each process by itself");
    bench.starts().await?;
    step("loading a register, sampling what one case writes");
    let (words, mut baseline) = bench.sample(servers.pgbench, servers.folder).await?;
    step("all five: memory at rest");
    bench.at_rest().await?;
    step("all five: as many cases as they take");
    let pace = bench.all_at_work(&words).await?;
    step("all five: delay from service to service");
    bench.delay(&words, pace).await?;
    step("intake alone against pgbench");
    bench.against(&words, &mut baseline).await?;
    step("relay");
    bench.relay(&words).await?;
    step("consumers, one service at a time");
    bench.consumers().await?;
    measure_clocks(bench.table)
}

#[expect(clippy::print_stderr, reason = "progress for the person who waits")]
fn step(what: &str) {
    eprintln!("  {what} …");
}
