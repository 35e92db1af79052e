//! An upgrade and the drain of a node, as Kubernetes does them: nobody who uses Steward notices.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use steward_e2e::{
    company::Company,
    crowd::{Crowd, Manner, all_opened, everything_is_there_once, everything_is_well},
    processes::{SERVICES, Service, System, client},
};
use steward_kernel::Role;
use steward_testkit::servers::Postgres;
use tokio::task::JoinHandle;

/// What somebody reads all the time, one list of each service.
const LISTS: [(&str, &str); 5] = [
    ("intake", "/v1/cases?limit=3"),
    ("complaint", "/v1/complaints?limit=3"),
    ("dispatch", "/v1/service-requests?limit=3"),
    ("notification", "/v1/messages?limit=3"),
    ("feedback-analytics", "/v1/suggestions?limit=3"),
];

/// Reads on connections that are kept; what was not answered well.
struct Readers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<(usize, Vec<String>)>>,
}

impl Readers {
    fn begin(system: &System) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = LISTS.map(|(service, path)| {
            let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
            let reader = client(&system.front(service), Some(system.token(Role::Admin))).through(http);
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let (mut good, mut bad) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    match reader.get(path).try_send().await {
                        Ok(answer) if answer.status == 200 => good += 1,
                        Ok(answer) => bad.push(format!("{path}: {}", answer.status)),
                        Err(fault) => bad.push(format!("{path}: {fault:?}")),
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                (good, bad)
            })
        });
        Self { stop, tasks: tasks.into() }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            let (good, bad) = task.await.unwrap();
            assert!(good > 10 && bad.is_empty(), "{good} good answers, and {bad:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_is_upgraded_and_a_node_is_drained_and_no_request_fails() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.set("STEWARD__CORE__SHUTDOWN__LINGER", "2s");
    system.balance().await;
    system.start_all().await;
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 50).await;
    let crowd =
        Crowd::gather(6, Manner::Unforgiving, &system.front("intake"), &system.token(Role::Receptionist), &company);
    let readers = Readers::begin(&system);
    crowd.is_served(50, "while all is well").await;

    // A rolling update: start the new one, wait until it is ready, stop the old one.
    for name in SERVICES {
        let new = system.replica(name);
        system.is_ready(&new).await;
        let old = std::mem::replace(system.service_mut(name), new);
        ends_well(vec![old]).await;
        crowd.is_served(20, &format!("after {name} was replaced")).await;
    }

    // Two of each, on two nodes; one node is drained.
    let mut node = Vec::new();
    for name in SERVICES {
        let new = system.replica(name);
        system.is_ready(&new).await;
        node.push(std::mem::replace(system.service_mut(name), new));
    }
    crowd.is_served(20, "with two of each").await;
    ends_well(node).await;
    crowd.is_served(50, "after the node was drained").await;

    readers.end().await;
    let opened = all_opened(crowd.disperse().await);
    everything_is_there_once(&system, &admin, &company, &opened).await;
    everything_is_well(&system).await;
}

/// Asks all of them to stop at the same time.
async fn ends_well(services: Vec<Service>) {
    let stops = services.into_iter().map(|mut service| tokio::task::spawn_blocking(move || service.stop()));
    for stop in futures::future::join_all(stops).await {
        assert!(stop.unwrap(), "a service that is asked to stop ends well");
    }
}
