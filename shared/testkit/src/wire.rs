//! Lines between services and their servers that a test can cut: to the services, the server is away. Or that fall silent, as when a machine
//! or its network goes away: nobody is told, and whatever is sent gets no answer.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// A line to a server.
#[derive(Debug)]
pub struct Wire {
    /// Host and port of the server, and of the line.
    server: String,
    here: String,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

/// How a line is. Connections are numbered.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Nobody gets through.
    cut: bool,
    /// Those below these numbers were cut, or are silent.
    cut_below: u64,
    silent_below: u64,
    /// The number of the next one.
    next: u64,
    /// What happens to whom, and how many messages to the server pass before.
    trap: Option<(u64, Mishap)>,
}

/// What happens to a connection at one message to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It breaks before the message arrives.
    CutBefore,
    /// It breaks when the message has arrived, before the answer.
    CutAfter,
    /// It falls silent before the message arrives.
    SilentBefore,
    /// It falls silent when the message has arrived, before the answer.
    SilentAfter,
}

impl Mishap {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CutBefore, Self::CutAfter, Self::SilentBefore, Self::SilentAfter];
}

impl Wire {
    /// A line to the server of that URL.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn to(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let server = rest.split('/').next().unwrap_or(rest).to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let here = listener.local_addr().expect("an address").to_string();
        let state = watch::Sender::new(State::default());
        let task = tokio::spawn(carry(listener, server.clone(), state.clone()));
        Self { server, here, state, task }
    }

    /// The URL that leads to the server over this line.
    #[must_use]
    pub fn over(&self, url: &str) -> String {
        url.replace(&self.server, &self.here)
    }

    /// Cuts it: who is connected is cut off, and nobody gets through.
    pub fn cut(&self) {
        self.state.send_modify(|state| (state.cut, state.cut_below) = (true, state.next));
    }

    /// Silences who is connected: what they send is swallowed, they get nothing, and neither end is told. Who connects from now on gets
    /// through, as after the failover of a database whose machine is gone.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silent_below = state.next);
    }

    /// Silences who is connected and who will connect, until it is mended.
    pub fn silence_all(&self) {
        self.state.send_modify(|state| state.silent_below = u64::MAX);
    }

    /// Makes it whole again for who connects from now on.
    pub fn mend(&self) {
        self.state.send_modify(|state| {
            let silent_below = state.silent_below.min(state.next);
            *state = State { cut: false, silent_below, trap: None, ..*state };
        });
    }

    /// Lets that happen to whoever sends the message after the next `passing` ones; once.
    pub fn lay(&self, passing: u64, mishap: Mishap) {
        self.state.send_modify(|state| state.trap = Some((passing, mishap)));
    }

    /// Whether what was laid is still to happen; takes it away.
    #[must_use]
    pub fn lift(&self) -> bool {
        let mut was = None;
        self.state.send_modify(|state| was = state.trap.take());
        was.is_some()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn carry(listener: TcpListener, server: String, state: watch::Sender<State>) {
    while let Ok((inside, _)) = listener.accept().await {
        if state.borrow().cut {
            continue;
        }
        let mut number = 0;
        state.send_modify(|state| {
            number = state.next;
            state.next += 1;
        });
        tokio::spawn(connect(inside, server.clone(), state.clone(), number));
    }
}

async fn connect(inside: TcpStream, server: String, state: watch::Sender<State>, number: u64) {
    let Ok(outside) = TcpStream::connect(server).await else { return };
    let _ = inside.set_nodelay(true).and(outside.set_nodelay(true));
    let ((mut asks, mut hears), (mut answers, mut is_asked)) = (inside.into_split(), outside.into_split());
    let (mut closing, mut silenced) = (state.subscribe(), state.subscribe());
    let carried = async {
        let mishap = tokio::select! {
            mishap = pass_on(&mut asks, &mut is_asked, &state) => mishap,
            _ = tokio::io::copy(&mut answers, &mut hears) => None,
            _ = silenced.wait_for(|state| number < state.silent_below) => Some(Mishap::SilentBefore),
        };
        match mishap {
            None | Some(Mishap::CutBefore) => {}
            // What the server does with it is done before the ends are told.
            Some(Mishap::CutAfter) => tokio::time::sleep(Duration::from_millis(50)).await,
            Some(Mishap::SilentBefore | Mishap::SilentAfter) => {
                // Neither end learns when the other one hangs up.
                tokio::join!(swallow(&mut asks), swallow(&mut answers));
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = carried => {}
        _ = closing.wait_for(|state| number < state.cut_below) => {}
    }
}

/// Passes on what is asked, until one end closes or something happens.
async fn pass_on(
    asks: &mut OwnedReadHalf,
    is_asked: &mut OwnedWriteHalf,
    state: &watch::Sender<State>,
) -> Option<Mishap> {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let Ok(read @ 1..) = asks.read(&mut bytes).await else { return None };
        let mut mishap = None;
        state.send_if_modified(|state| {
            match &mut state.trap {
                Some((0, laid)) => {
                    mishap = Some(*laid);
                    state.trap = None;
                }
                Some((passing, _)) => *passing -= 1,
                None => {}
            }
            false
        });
        let arrives = !matches!(mishap, Some(Mishap::CutBefore | Mishap::SilentBefore));
        if arrives && is_asked.write_all(&bytes[..read]).await.is_err() {
            return None;
        }
        if mishap.is_some() {
            return mishap;
        }
    }
}

async fn swallow(from: &mut OwnedReadHalf) {
    let mut bytes = [0; 4096];
    while from.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

/// The lines of some services.
#[derive(Debug)]
pub struct Wires {
    /// From each service to its database.
    pub databases: BTreeMap<&'static str, Wire>,
    /// From all of them to the message store.
    pub messages: Wire,
}
