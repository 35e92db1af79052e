//! Verification of the hash chains in the event logs.

use std::{process::ExitCode, time::Instant};

use clap::Args;
use steward_chassis::chains::{self, Broken, Fault, Verification};
use steward_kernel::TenantId;

use crate::{
    database,
    selection::{self, Selection},
    terminal::{Progress, say, tell},
};

/// What to verify.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    #[command(flatten)]
    selection: Selection,
    /// Only this company.
    #[arg(long)]
    tenant: Option<TenantId>,
}

#[derive(Debug, Default)]
struct Sum {
    events: u64,
    histories: u64,
    broken: usize,
}

/// Verifies; fails when a chain is broken.
///
/// # Errors
/// When a database is away.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut sum = Sum::default();
    for service in settings.selection.services() {
        verify(service.name, settings, &mut sum).await?;
    }
    let Sum { events, histories, broken } = sum;
    if broken == 0 {
        say(&format!("{events} events in {histories} histories: every chain is whole"));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{events} events in {histories} histories: {broken} places where a chain is broken"));
    Ok(ExitCode::FAILURE)
}

async fn verify(service: &str, settings: &Settings, sum: &mut Sum) -> anyhow::Result<()> {
    let db = selection::database(&settings.database, service)?;
    let tenants = match settings.tenant {
        Some(tenant) => vec![tenant],
        None => chains::tenants(&db.platform).await?,
    };
    let (begun, before, mut progress) = (Instant::now(), sum.events, Progress::new());
    let rate = |events: u64| events as f64 / begun.elapsed().as_secs_f64().max(0.001);
    for (at, tenant) in tenants.iter().enumerate() {
        let mut verification = Verification::new(&db.platform, *tenant);
        while let Some(page) = verification.next().await? {
            sum.events += page.events;
            sum.histories += page.histories;
            sum.broken += page.broken.len();
            for broken in &page.broken {
                say(&line(service, *tenant, broken));
            }
            let events = sum.events - before;
            progress.tell(|| {
                format!(
                    "{service}: company {} of {}, {events} events, {:.0} a second",
                    at + 1,
                    tenants.len(),
                    rate(events)
                )
            });
        }
    }
    let events = sum.events - before;
    tell(&format!("{service}: {events} events of {} companies, {:.0} a second", tenants.len(), rate(events)));
    Ok(())
}

fn line(service: &str, tenant: TenantId, broken: &Broken) -> String {
    let Broken { aggregate, stream_id, version, fault } = broken;
    let fault = match fault {
        Fault::Changed => "was changed: its hash does not fit".to_owned(),
        Fault::Missing { from } if *from == version - 1 => format!("follows a gap: version {from} is missing"),
        Fault::Missing { from } => format!("follows a gap: versions {from} to {} are missing", version - 1),
    };
    format!("{service}: tenant {tenant}, {aggregate} {stream_id}, version {version} {fault}")
}
