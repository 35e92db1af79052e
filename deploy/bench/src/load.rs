//! The crowd: keep-alive connections that open cases as fast as they are answered, or at a pace.
//!
//! It speaks HTTP/1.1 over bare sockets. Load and system share the machine, and pgbench on the other side of the comparison is a small
//! C program: a comfortable client would take from Steward what it does not take from Postgres.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use steward_e2e::company::Company;
use steward_testkit::db::new_id;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
};

/// Where to ask, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// Port on this machine.
    pub port: u16,
    /// Access token.
    pub token: Arc<str>,
}

/// One keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a request and reads its answer: status and body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection was closed");
            }
            let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let (status, length) = read_head(&self.buffer[..head])?;
            let (begin, end) = (head + 4, head + 4 + length);
            while self.buffer.len() < end {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    bail!("the connection was closed");
                }
            }
            return Ok((status, &self.buffer[begin..end]));
        }
    }
}

fn read_head(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without content-length")?;
    Ok((status, length.1.trim().parse()?))
}

/// The bytes of a GET.
pub(crate) fn get(door: &Door, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\n\r\n", door.token).into_bytes()
}

/// What owners say, one after another: half complaints, half service requests.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    bodies: Arc<Vec<(&'static str, String)>>,
}

impl Words {
    /// About that company's estate.
    pub(crate) fn of(company: &Company) -> Self {
        let bodies = company.residents.iter().enumerate().map(|(number, resident)| {
            let (kind, words) = if number % 2 == 0 {
                ("complaint", "樓上裝修每天晚上十點以後還在敲，小孩沒法睡，跟他們說過兩次都沒用，請你們去看看。")
            } else {
                ("service_request", "廚房水槽下面的水管漏水，櫃子底都泡濕了，先拿盆接著，麻煩下午派師傅來修一下。")
            };
            let body: Value = json!({
                "kind": kind, "words": words, "channel": "phone", "estate_id": company.estate_id,
                "unit_id": resident.unit_id, "resident_id": resident.resident_id,
            });
            (kind, body.to_string())
        });
        Self { bodies: Arc::new(bodies.collect()) }
    }

    /// The bytes of the POST of case number `turn` under that key, and the kind of the case.
    pub(crate) fn post(&self, door: &Door, turn: usize, key: &str) -> (Vec<u8>, &'static str) {
        let (kind, body) = &self.bodies[turn % self.bodies.len()];
        let request = format!(
            "POST /v1/cases HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            door.token,
            body.len()
        );
        (request.into_bytes(), kind)
    }
}

/// How a load went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    /// Cases opened.
    pub cases: usize,
    /// Of these each second.
    pub per_second: f64,
    /// Half of the answers took less than this.
    pub p50: Duration,
    /// All but one in a hundred did.
    pub p99: Duration,
}

/// A case just answered, for whoever wants to see what becomes of it.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its id.
    pub case_id: String,
    /// Its kind.
    pub kind: &'static str,
    /// When the answer was here.
    pub answered: Instant,
}

/// What a load is.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Connections.
    pub connections: usize,
    /// How long.
    pub time: Duration,
    /// Cases per second; as fast as possible when not given.
    pub pace: Option<f64>,
    /// Told of one of so many cases.
    pub told: Option<(usize, mpsc::UnboundedSender<Opened>)>,
}

/// Opens cases; any other answer than 201 ends it with an error.
pub(crate) async fn run(door: &Door, words: &Words, load: Load) -> anyhow::Result<Served> {
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for number in 0..load.connections {
        connections.spawn(one(door.clone(), words.clone(), load.clone(), number, begun));
    }
    let mut times = Vec::new();
    while let Some(done) = connections.join_next().await {
        times.extend(done??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cases = times.len();
    let (p50, p99) = (quantile(&mut times, 0.50), quantile(&mut times, 0.99));
    Ok(Served { cases, per_second: cases as f64 / seconds, p50, p99 })
}

async fn one(door: Door, words: Words, load: Load, number: usize, begun: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(door.port).await?;
    let mut times = Vec::new();
    let interval = load.pace.map(|pace| Duration::from_secs_f64(load.connections as f64 / pace));
    let mut due = begun + interval.unwrap_or_default().mul_f64(number as f64 / load.connections as f64);
    while begun.elapsed() < load.time {
        if let Some(interval) = interval {
            tokio::time::sleep_until(due.into()).await;
            due += interval;
        }
        let turn = times.len() * load.connections + number;
        let (request, kind) = words.post(&door, turn, &new_id().to_string());
        let asked = Instant::now();
        let (status, body) = connection.ask(&request).await?;
        let answered = Instant::now();
        times.push(answered - asked);
        if status != 201 {
            bail!("POST /v1/cases answered {status}: {}", String::from_utf8_lossy(body));
        }
        if let Some((every, told)) = load.told.as_ref().filter(|(every, _)| turn.is_multiple_of(*every)) {
            let case: Value = serde_json::from_slice(body)?;
            let case_id = case["case_id"].as_str().with_context(|| format!("no case_id, every {every}"))?.to_owned();
            told.send(Opened { case_id, kind, answered })?;
        }
    }
    Ok(times)
}

/// The time that this part of all stays below; zero when there are none.
pub(crate) fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let at = ((times.len() as f64 * part).ceil() as usize).clamp(1, times.len().max(1)) - 1;
    times.get(at).copied().unwrap_or_default()
}
