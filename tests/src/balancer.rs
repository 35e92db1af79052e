//! What Kubernetes puts before the pods of a service: new connections go to a pod that says it is ready, those that there are stay where
//! they are.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How often pods are asked whether they are ready.
const PERIOD: Duration = Duration::from_millis(100);

/// One address before several processes.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    pods: Arc<Mutex<Pods>>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug, Default)]
struct Pods {
    all: Vec<u16>,
    ready: Vec<u16>,
    turn: usize,
}

impl Pods {
    fn next(&mut self) -> Option<u16> {
        self.turn += 1;
        self.ready.get(self.turn % self.ready.len().max(1)).copied()
    }
}

impl Balancer {
    /// Listens; nobody is behind it yet.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let pods = Arc::<Mutex<Pods>>::default();
        let tasks = [tokio::spawn(accept(listener, Arc::clone(&pods))), tokio::spawn(probe(Arc::clone(&pods)))];
        Self { port, pods, tasks }
    }

    /// Puts the process on that port behind it.
    pub fn add(&self, port: u16) {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).all.push(port);
    }

    /// Whether it leads callers to the process on that port.
    #[must_use]
    pub fn leads_to(&self, port: u16) -> bool {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).ready.contains(&port)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, pods: Arc<Mutex<Pods>>) {
    while let Ok((mut inside, _)) = listener.accept().await {
        let Some(port) = pods.lock().unwrap_or_else(PoisonError::into_inner).next() else { continue };
        tokio::spawn(async move {
            let pod = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if let Ok(mut outside) = TcpStream::connect(pod).await {
                let _ = inside.set_nodelay(true).and(outside.set_nodelay(true));
                // Ends when both have said all: a side that closes is told on to the other.
                let _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
            }
        });
    }
}

async fn probe(pods: Arc<Mutex<Pods>>) {
    // Each time on a connection of its own, as Kubernetes asks.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    loop {
        let all = pods.lock().unwrap_or_else(PoisonError::into_inner).all.clone();
        let mut ready = Vec::new();
        for port in all {
            let answer = client.get(format!("http://127.0.0.1:{port}/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                ready.push(port);
            }
        }
        pods.lock().unwrap_or_else(PoisonError::into_inner).ready = ready;
        tokio::time::sleep(PERIOD).await;
    }
}
