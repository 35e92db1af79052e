//! Whatever is killed, and whenever: an answered request is there exactly once, with all its consequences, and the system heals
//! without a hand.

use std::{collections::BTreeSet, time::Duration};

use steward_e2e::{
    company::{Company, all},
    crowd::{Crowd, Manner, Outcome, all_opened, everything_is_there_once, everything_is_well, exactly, ids},
    processes::{SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::servers::Postgres;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_nothing_is_lost_or_done_twice_and_all_heals_by_itself() {
    let mut postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start_all().await;
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 50).await;
    let token = system.token(Role::Receptionist);
    let crowd = Crowd::gather(4, Manner::Stubborn, &system.url(), &token, &company);
    crowd.is_served(20, "while all is well").await;

    for name in SERVICES {
        system.service_mut(name).kill();
        if name == "intake" {
            tokio::time::sleep(Duration::from_millis(500)).await;
        } else {
            crowd.is_served(20, &format!("while {name} is away")).await;
        }
        system.start(name);
        system.ready().await;
        crowd.is_served(10, &format!("after {name} is back")).await;
    }

    postgres.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    postgres.restart();
    crowd.is_served(20, "after PostgreSQL is back").await;

    system.nats.kill();
    crowd.is_served(20, "while NATS is away").await;
    system.nats.restart();
    crowd.is_served(20, "after NATS is back").await;

    system.nats.wipe();
    crowd.is_served(20, "after JetStream lost everything").await;

    let opened = all_opened(crowd.disperse().await);
    everything_is_there_once(&system, &admin, &company, &opened).await;
    everything_is_well(&system).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_asked_to_stop_answers_whom_it_has_heard() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start("intake");
    system.ready().await;
    let admin = system.client_of("intake", Role::Admin);
    let company = Company::import(&admin, 20).await;
    let (url, token) = (system.service("intake").url(), system.token(Role::Receptionist));
    let crowd = Crowd::gather(8, Manner::Once, &url, &token, &company);
    crowd.is_served(100, "before the stop").await;

    let intake = system.service_mut("intake");
    assert!(tokio::task::block_in_place(|| intake.stop()), "intake ended well");
    let outcomes = crowd.disperse().await;

    let mut opened = BTreeSet::new();
    for outcome in &outcomes {
        match outcome {
            Outcome::Opened(case) => assert!(opened.insert(case.case_id.clone())),
            Outcome::Refused => {}
            // Closed before the service had read a word: then it has done nothing either.
            Outcome::Broken { key, fault } => {
                let claimed = format!("SELECT count(*) FROM intake.command_log WHERE command_key LIKE '%{key}'");
                assert_eq!(system.figure(&claimed).await, 0, "done, but not answered: {fault}");
            }
            Outcome::Wrong { status, body } => panic!("answered {status}: {body}"),
        }
    }
    system.start("intake");
    system.ready().await;
    exactly("cases", &ids(&all(&admin, "/v1/cases").await), &opened);
}
