//! Lines between services and their servers that a test can cut: to the services, the server is away.

use std::{collections::BTreeMap, net::Ipv4Addr};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A line to a server.
#[derive(Debug)]
pub struct Wire {
    /// Host and port of the server, and of the line.
    server: String,
    here: String,
    is_cut: watch::Sender<bool>,
    task: JoinHandle<()>,
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
        let (is_cut, watched) = watch::channel(false);
        let task = tokio::spawn(carry(listener, server.clone(), watched));
        Self { server, here, is_cut, task }
    }

    /// The URL that leads to the server over this line.
    #[must_use]
    pub fn over(&self, url: &str) -> String {
        url.replace(&self.server, &self.here)
    }

    /// Cuts it: who is connected is cut off, and nobody gets through.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(listener: TcpListener, server: String, is_cut: watch::Receiver<bool>) {
    while let Ok((mut inside, _)) = listener.accept().await {
        let (server, mut is_cut) = (server.clone(), is_cut.clone());
        if *is_cut.borrow() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut outside) = TcpStream::connect(server).await else { return };
            let _ = inside.set_nodelay(true).and(outside.set_nodelay(true));
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut inside, &mut outside) => {}
                _ = is_cut.wait_for(|cut| *cut) => {}
            }
        });
    }
}

/// The lines of some services.
#[derive(Debug)]
pub struct Wires {
    /// From each service to its database.
    pub databases: BTreeMap<&'static str, Wire>,
    /// From all of them to the message store.
    pub messages: Wire,
}
