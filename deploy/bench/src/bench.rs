//! What is measured, step by step.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use steward_e2e::{
    company::{Company, text},
    processes::{PATIENCE, SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::{db::new_id, wait::within};
use tokio::sync::mpsc;

use crate::{
    baseline::{Baseline, Sample, Way},
    load::{self, Connection, Door, Load, Opened, Words},
    table::{Table, median, ms},
};

/// Connections of the crowd, and of pgbench.
const CONNECTIONS: usize = 32;
/// Rounds of Steward and pgbench in turn, of which the middle one counts, and how long each takes.
const ROUNDS: (usize, Duration) = (3, Duration::from_secs(6));
/// Load before anything counts.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long all five are flooded.
const FLOOD: Duration = Duration::from_secs(4);
/// How long the delay from service to service is watched.
const WATCH: Duration = Duration::from_secs(12);
/// Cases watched each second: enough for a p99, too few to be a load of their own.
const WATCHED_PER_SECOND: f64 = 50.0;
/// For how long the relay has to do without NATS.
const PILE_UP: Duration = Duration::from_secs(3);
/// How long a consumer is watched at work.
const DRAIN: Duration = Duration::from_secs(5);
/// Starts of each process of which the middle one counts.
const STARTS: usize = 3;
/// Between the start and the measure of memory at rest.
const REST: Duration = Duration::from_secs(3);

/// The system under measure, and what was found.
#[derive(Debug)]
pub(crate) struct Bench {
    system: System,
    database_url: String,
    /// The findings.
    pub table: Table,
}

impl Bench {
    /// Makes schemas and starts NATS.
    pub(crate) async fn prepare(database_url: &str) -> Self {
        let system = System::prepare(database_url).await;
        Self { system, database_url: database_url.to_owned(), table: Table::default() }
    }

    fn door(&self, name: &str, role: Role) -> Door {
        Door { port: self.system.service(name).port(), token: self.system.token(role).into() }
    }

    /// From exec to `/ready` = 200.
    pub(crate) async fn starts(&mut self) -> anyhow::Result<()> {
        let mut slowest = 0.0_f64;
        let mut each = Vec::new();
        for name in SERVICES {
            let mut times = Vec::new();
            for _ in 0..STARTS {
                let begun = Instant::now();
                self.system.start(name);
                until_ready(self.system.service(name).port()).await?;
                times.push(begun.elapsed().as_secs_f64() * 1000.0);
                self.system.service_mut(name).kill();
            }
            let middle = median(times);
            slowest = slowest.max(middle);
            each.push(format!("{name} {middle:.0}"));
        }
        let measured = format!("{} ms", each.join(", "));
        self.table.judged("from exec to ready, slowest", "≤ 300 ms", measured, slowest <= 300.0);
        Ok(())
    }

    /// Loads the register and reads back what one case writes. Intake is alone: nobody changes the rows meanwhile.
    pub(crate) async fn sample(&mut self, pgbench: PathBuf, folder: PathBuf) -> anyhow::Result<(Words, Baseline)> {
        self.system.start("intake");
        self.system.ready().await;
        let company = Company::import(&self.system.client_of("intake", Role::Admin), 100).await;
        let words = Words::of(&company);
        let (door, key) = (self.door("intake", Role::Receptionist), new_id().to_string());
        let mut connection = Connection::open(door.port).await?;
        let (status, body) = connection.ask(&words.post(&door, 0, &key).0).await?;
        anyhow::ensure!(status == 201, "POST /v1/cases answered {status}: {}", String::from_utf8_lossy(body));
        let case: Value = serde_json::from_slice(body)?;
        let sample = Sample { case_id: &text(&case, "case_id"), reference: &text(&case, "reference"), key: &key };
        let mut database = PgConnection::connect(&self.database_url).await?;
        let baseline = Baseline::of(&mut database, &self.database_url, pgbench, folder, &sample).await?;
        self.table.told("rows that one case writes", baseline.rows.clone());
        Ok((words, baseline))
    }

    /// Memory of five processes that have nothing to do.
    pub(crate) async fn at_rest(&mut self) -> anyhow::Result<()> {
        for name in SERVICES {
            self.system.service_mut(name).kill();
            self.system.start(name);
        }
        self.system.ready().await;
        self.system.quiet(PATIENCE).await;
        tokio::time::sleep(REST).await;
        let sizes = resident(&self.ids())?;
        let most = sizes.iter().copied().fold(0.0, f64::max);
        self.table.judged("memory at rest (RSS), largest", "≤ 40 MiB", mib(&sizes), most <= 40.0);
        Ok(())
    }

    fn ids(&self) -> Vec<u32> {
        SERVICES.iter().filter_map(|name| self.system.service(name).id()).collect()
    }

    /// Floods all five, and waits until everything that follows is done; a pace at which they are half busy.
    pub(crate) async fn all_at_work(&mut self, words: &Words) -> anyhow::Result<f64> {
        let door = self.door("intake", Role::Receptionist);
        load::run(&door, words, flood(WARM_UP)).await?;
        self.system.quiet(PATIENCE).await;
        let watcher = Watcher::of(self.ids());
        let begun = Instant::now();
        let served = load::run(&door, words, flood(FLOOD)).await?;
        self.system.quiet(2 * PATIENCE).await;
        let done = served.cases as f64 / begun.elapsed().as_secs_f64();
        let sizes = watcher.stop().await?;
        self.table.told("memory under load (RSS, highest)", mib(&sizes));
        let measured =
            format!("{:.0} cases/s answered (p50 {}, p99 {})", served.per_second, ms(served.p50), ms(served.p99));
        self.table.told("all five at work, 32 connections", measured);
        self.table.told("… until all that follows is done", format!("{done:.0} cases/s"));
        Ok(done / 2.0)
    }

    /// From the answer of a POST to the complaint or service request being readable in its service.
    pub(crate) async fn delay(&mut self, words: &Words, pace: f64) -> anyhow::Result<()> {
        let (told, opened) = mpsc::unbounded_channel();
        let doors = [self.door("complaint", Role::Handler), self.door("dispatch", Role::Handler)];
        let watching = tokio::spawn(watch(doors, opened));
        let every = ((pace / WATCHED_PER_SECOND) as usize).max(1) | 1;
        let load = Load { connections: CONNECTIONS, time: WATCH, pace: Some(pace), told: Some((every, told)) };
        let served = load::run(&self.door("intake", Role::Receptionist), words, load).await?;
        let mut delays = watching.await??;
        let (p50, p99) = (load::quantile(&mut delays, 0.5), load::quantile(&mut delays, 0.99));
        let measured =
            format!("p50 {}, p99 {} ({} watched at {:.0} cases/s)", ms(p50), ms(p99), delays.len(), served.per_second);
        let met = p99 < Duration::from_millis(100);
        self.table.judged("answer → readable in its service, half load", "p99 < 100 ms", measured, met);
        self.system.quiet(PATIENCE).await;
        Ok(())
    }

    /// Sustained POST /v1/cases against one intake process, and pgbench in turn.
    pub(crate) async fn against(&mut self, words: &Words, baseline: &mut Baseline) -> anyhow::Result<()> {
        for name in &SERVICES[1..] {
            self.system.service_mut(name).kill();
        }
        let door = self.door("intake", Role::Receptionist);
        load::run(&door, words, flood(WARM_UP)).await?;
        let (mut steward, mut one_by_one, mut one_statement) = (Vec::new(), Vec::new(), Vec::new());
        let mut latencies = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS.0 {
            let served = load::run(&door, words, flood(ROUNDS.1)).await?;
            steward.push(served.per_second);
            latencies.0.push(served.p50.as_secs_f64());
            latencies.1.push(served.p99.as_secs_f64());
            self.published().await;
            one_by_one.push(tokio::task::block_in_place(|| baseline.run(Way::OneByOne, ROUNDS.1))?);
            one_statement.push(tokio::task::block_in_place(|| baseline.run(Way::OneStatement, ROUNDS.1))?);
        }
        let (steward, a, b) = (median(steward), median(one_by_one), median(one_statement));
        let (p50, p99) = (median(latencies.0) * 1000.0, median(latencies.1) * 1000.0);
        let measured = format!("{steward:.0} cases/s (p50 {p50:.1} ms, p99 {p99:.1} ms)");
        self.table.told("POST /v1/cases, 32 connections, intake alone", measured);
        self.table.told("(a) pgbench, one statement per round trip", format!("{a:.0} tx/s"));
        self.table.told("(b) pgbench, one statement", format!("{b:.0} tx/s"));
        self.table.judged("POST /v1/cases to (a)", "≥ 1.0", format!("{:.2}", steward / a), steward >= a);
        self.table.judged("POST /v1/cases to (b)", "≥ 0.5", format!("{:.2}", steward / b), steward >= 0.5 * b);
        Ok(())
    }

    /// Waits until intake's outbox is empty.
    async fn published(&self) {
        within(PATIENCE, "intake's outbox is empty", || async {
            (self.system.figure("SELECT count(*) FROM intake.outbox").await == 0).then_some(())
        })
        .await;
    }

    /// How fast the relay publishes what has piled up while NATS was away.
    pub(crate) async fn relay(&mut self, words: &Words) -> anyhow::Result<()> {
        self.published().await;
        self.system.nats.kill();
        load::run(&self.door("intake", Role::Receptionist), words, flood(PILE_UP)).await?;
        let piled = self.system.figure("SELECT count(*) FROM intake.outbox").await;
        self.system.nats.restart();
        let rate = rate(self.system.service("intake").port(), "relay_published_total", "", PATIENCE).await?;
        self.table.told("relay", format!("{rate:.0} events/s ({piled} piled up while NATS was away)"));
        Ok(())
    }

    /// How fast each service handles what has piled up while it was away.
    pub(crate) async fn consumers(&mut self) -> anyhow::Result<()> {
        for name in &SERVICES[1..] {
            self.system.start(name);
            let filter = ("messaging_process_duration_seconds_count", "source=\"intake\"");
            let rate = rate(self.system.service(name).port(), filter.0, filter.1, DRAIN).await?;
            self.table.told(&format!("consumer of {name}"), format!("{rate:.0} messages/s"));
            self.system.service_mut(name).kill();
        }
        Ok(())
    }
}

fn flood(time: Duration) -> Load {
    Load { connections: CONNECTIONS, time, pace: None, told: None }
}

async fn until_ready(port: u16) -> anyhow::Result<()> {
    let begun = Instant::now();
    let ask = async || -> anyhow::Result<u16> {
        let mut connection = Connection::open(port).await?;
        Ok(connection.ask(b"GET /ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?.0)
    };
    while !matches!(ask().await, Ok(200)) {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "not ready after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Looks for each case in its service until it is there; the delays since its answer.
async fn watch(doors: [Door; 2], mut opened: mpsc::UnboundedReceiver<Opened>) -> anyhow::Result<Vec<Duration>> {
    let mut looks = tokio::task::JoinSet::new();
    while let Some(case) = opened.recv().await {
        let [complaint, dispatch] = &doors;
        let (door, list) = match case.kind {
            "complaint" => (complaint.clone(), "complaints"),
            _ => (dispatch.clone(), "service-requests"),
        };
        looks.spawn(look(door, format!("/v1/{list}/{}", case.case_id), case.answered));
    }
    let mut delays = Vec::new();
    while let Some(delay) = looks.join_next().await {
        delays.push(delay??);
    }
    Ok(delays)
}

async fn look(door: Door, path: String, answered: Instant) -> anyhow::Result<Duration> {
    let request = load::get(&door, &path);
    let mut connection = Connection::open(door.port).await?;
    loop {
        let (status, body) = connection.ask(&request).await?;
        match status {
            200 => return Ok(answered.elapsed()),
            404 => anyhow::ensure!(answered.elapsed() < PATIENCE, "{path} never came"),
            other => anyhow::bail!("GET {path} answered {other}: {}", String::from_utf8_lossy(body)),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How fast a counter of that process rises, from its first step until it rests for a second, or the time is over.
async fn rate(port: u16, metric: &str, label: &str, limit: Duration) -> anyhow::Result<f64> {
    until_ready(port).await?;
    let mut connection = Connection::open(port).await?;
    let begun = Instant::now();
    let (mut first, mut last) = (None, None::<(Instant, f64)>);
    let before = counter(&mut connection, metric, label).await?;
    while first.is_none_or(|(since, _): (Instant, f64)| since.elapsed() < limit) {
        anyhow::ensure!(first.is_some() || begun.elapsed() < PATIENCE, "{metric} does not rise");
        let (now, count) = (Instant::now(), counter(&mut connection, metric, label).await?);
        if count > last.map_or(before, |(_, known)| known) {
            first = first.or(Some((now, count)));
            last = Some((now, count));
        }
        if last.is_some_and(|(at, _)| at.elapsed() > Duration::from_secs(1)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ((begin, low), (end, high)) = first.zip(last).context("a counter that rose")?;
    Ok((high - low) / (end - begin).as_secs_f64().max(0.001))
}

/// The sum of a counter of a process, over all its labels that contain a text.
async fn counter(connection: &mut Connection, metric: &str, label: &str) -> anyhow::Result<f64> {
    let (_, body) = connection.ask(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
    let text = std::str::from_utf8(body)?;
    let lines = text.lines().filter(|line| line.starts_with(metric) && line.contains(label));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

/// Memory of these processes, in MiB.
fn resident(ids: &[u32]) -> anyhow::Result<Vec<f64>> {
    let one = |id: &u32| -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    };
    ids.iter().map(one).collect()
}

fn mib(sizes: &[f64]) -> String {
    let each = SERVICES.iter().zip(sizes).map(|(name, size)| format!("{name} {size:.0}"));
    format!("{} MiB", each.collect::<Vec<_>>().join(", "))
}

/// Notes the highest memory of processes while it watches.
struct Watcher {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<anyhow::Result<Vec<f64>>>,
}

impl Watcher {
    fn of(ids: Vec<u32>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut highest = resident(&ids)?;
            while !stopped.load(Ordering::Relaxed) {
                for (high, now) in highest.iter_mut().zip(resident(&ids)?) {
                    *high = high.max(now);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(highest)
        });
        Self { stop, task }
    }

    async fn stop(self) -> anyhow::Result<Vec<f64>> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
