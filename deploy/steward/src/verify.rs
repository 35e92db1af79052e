//! Verification of the hash chains in the event logs, and of what they were when their heads were kept.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::{Deserialize, Serialize};
use steward_admin::services;
use steward_chassis::{
    Clock,
    chains::{self, Broken, Fault, Head, Heads, Listener, Stray, Strayed, Verification},
    streams::durable,
};
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
    /// A folder outside the database: histories are compared with the heads that were kept in it, and, when all are whole, the heads of those that
    /// have gone on since are added.
    #[arg(long, value_name = "FOLDER")]
    heads: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Sum {
    events: u64,
    histories: u64,
    broken: usize,
    by_first_rule: u64,
    first_rule_until: Option<DateTime<Utc>>,
}

/// Verifies; fails when a chain is broken, or a history is not what it was.
///
/// # Errors
/// When a database is away, or the folder cannot be read or written.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut sum = Sum::default();
    let mut keeper = settings.heads.as_deref().map(|folder| Keeper::new(folder, Clock::System.now())).transpose()?;
    for service in settings.selection.services() {
        verify(service.name, settings, keeper.as_mut(), &mut sum).await?;
    }
    let Sum { events, histories, broken, by_first_rule, first_rule_until } = sum;
    if let Some(until) = first_rule_until {
        tell(&format!(
            "{by_first_rule} events, the last one of {}, have hashes of the first rule, which leaves out when they happened and what was published",
            shown(until)
        ));
    }
    if broken > 0 {
        say(&format!("{events} events in {histories} histories: {broken} places where a chain is broken"));
        return Ok(ExitCode::FAILURE);
    }
    say(&format!("{events} events in {histories} histories: every chain is whole"));
    if let Some(keeper) = keeper {
        say(&keeper.finish()?);
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(
    service: &str,
    settings: &Settings,
    mut keeper: Option<&mut Keeper>,
    sum: &mut Sum,
) -> anyhow::Result<()> {
    let db = selection::database(&settings.database, service)?;
    let listeners = listeners(service, settings)?;
    let mut heads = settings.heads.as_deref().map(|folder| kept(folder, service)).transpose()?.unwrap_or_default();
    let tenants = match settings.tenant {
        Some(tenant) => vec![tenant],
        None => {
            let mut tenants: Vec<TenantId> = chains::tenants(&db.platform).await?;
            tenants.extend(heads.tenants());
            tenants.sort_unstable();
            tenants.dedup();
            tenants
        }
    };
    let (begun, before, mut progress) = (Instant::now(), sum.events, Progress::new());
    let rate = |events: u64| events as f64 / begun.elapsed().as_secs_f64().max(0.001);
    for (at, tenant) in tenants.iter().enumerate() {
        let mut verification = Verification::new(&db.platform, &listeners, *tenant, &mut heads);
        while let Some(page) = verification.next().await? {
            sum.add(&page);
            for line in page.broken.iter().map(told).chain(page.strayed.iter().map(told_of_stray)) {
                say(&format!("{service}: tenant {tenant}, {line}"));
            }
            if let Some(keeper) = keeper.as_mut() {
                keeper.keep(service, page.heads)?;
            }
            let events = sum.events - before;
            progress.tell(|| {
                let place = format!("{service}: company {} of {}", at + 1, tenants.len());
                format!("{place}, {events} events, {:.0} a second", rate(events))
            });
        }
    }
    let events = sum.events - before;
    tell(&format!("{service}: {events} events of {} companies, {:.0} a second", tenants.len(), rate(events)));
    Ok(())
}

/// Who hears of a service, and has kept the heads of what it heard.
fn listeners(service: &str, settings: &Settings) -> anyhow::Result<Vec<Listener>> {
    let hear = services::topology().into_iter().filter(|(_, source)| *source == service);
    hear.map(|(listener, source)| {
        let platform = selection::database(&settings.database, listener)?.platform;
        Ok(Listener { platform, consumer: durable(listener, source) })
    })
    .collect()
}

impl Sum {
    fn add(&mut self, page: &chains::Page) {
        self.events += page.events;
        self.histories += page.histories;
        self.broken += page.broken.len() + page.strayed.len();
        self.by_first_rule += page.by_first_rule;
        self.first_rule_until = self.first_rule_until.max(page.first_rule_until);
    }
}

fn shown(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn told(broken: &Broken) -> String {
    let Broken { aggregate, stream_id, version, recorded_at, fault } = broken;
    let since = shown(*recorded_at);
    let fault = match fault {
        Fault::Changed => {
            format!("was changed: its hash does not fit; at the earliest at {since}, when it says it was recorded")
        }
        Fault::Missing { from } if *from == version - 1 => format!("follows a gap: version {from} is missing"),
        Fault::Missing { from } => format!("follows a gap: versions {from} to {} are missing", version - 1),
    };
    format!("{aggregate} {stream_id}, version {version} {fault}")
}

fn told_of_stray(strayed: &Strayed) -> String {
    let Strayed { aggregate, stream_id, stray, after, before } = strayed;
    let before = before.map_or_else(|| "now".to_owned(), shown);
    let between = format!("between {} and {before}", shown(*after));
    let what = match stray {
        Stray::Changed { first, last } if first == last => format!("changed {between}: version {first}"),
        Stray::Changed { first, last } => format!("changed {between}: one or more of the versions {first} to {last}"),
        Stray::CutOff { ends: 0, had } => format!("removed {between}: all {had} versions"),
        Stray::CutOff { ends, had } => format!("cut off {between}: versions {} to {had}", ends + 1),
    };
    format!("{aggregate} {stream_id}: {what}")
}

/// A line of a file of heads.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    service: String,
    at: DateTime<Utc>,
    #[serde(flatten)]
    head: Head,
}

/// The heads of a service that were kept in a folder.
fn kept(folder: &Path, service: &str) -> anyhow::Result<Heads> {
    let mut heads = Heads::default();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let file = entry?.path();
        if file.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        for line in BufReader::new(File::open(&file)?).lines() {
            let Line { service: of, at, head } =
                serde_json::from_str(&line?).with_context(|| format!("reading {}", file.display()))?;
            if of == service {
                heads.add(head, at);
            }
        }
    }
    Ok(heads)
}

/// Writes heads to a file that gets its name when all is well.
struct Keeper {
    file: BufWriter<tempfile::NamedTempFile>,
    folder: PathBuf,
    at: DateTime<Utc>,
    histories: u64,
}

impl Keeper {
    fn new(folder: &Path, at: DateTime<Utc>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        Ok(Self { file, folder: folder.to_owned(), at, histories: 0 })
    }

    fn keep(&mut self, service: &str, heads: Vec<Head>) -> anyhow::Result<()> {
        for head in heads {
            let line = Line { service: service.to_owned(), at: self.at, head };
            serde_json::to_writer(&mut self.file, &line)?;
            self.file.write_all(b"\n")?;
            self.histories += 1;
        }
        Ok(())
    }

    /// Names the file; what was done.
    fn finish(self) -> anyhow::Result<String> {
        let Self { file, folder, at, histories } = self;
        if histories == 0 {
            return Ok("no history has gone on since its head was kept".to_owned());
        }
        let name = folder.join(format!("heads-{}.jsonl", at.format("%Y%m%dT%H%M%S%.6fZ")));
        let file = file.into_inner()?;
        file.as_file().sync_all()?;
        file.persist_noclobber(&name)?;
        Ok(format!("heads of {histories} histories kept in {}", name.display()))
    }
}
