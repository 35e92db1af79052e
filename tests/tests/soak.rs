//! Half an hour in which something is killed every ten seconds while owners and desks go on: `deploy/bench/run soak`. It prints figures.

use std::{
    env::var,
    io::Write as _,
    time::{Duration, Instant},
};

use steward_e2e::{
    company::Company,
    crowd::{Crowd, Manner, Opened, all_opened, everything_is_there_once, everything_is_well},
    processes::{SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::servers::Postgres;

/// Requests a second, of so many callers.
const REQUESTS: u32 = 200;
const CALLERS: u32 = 32;
/// Time from one kill to the next.
const EACH: Duration = Duration::from_secs(10);
/// How long what was killed is away, in turn.
const AWAY: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(4)];
/// How long what has piled up may take until it is done.
const CATCHING_UP: Duration = Duration::from_secs(1800);

fn setting(name: &str, otherwise: u32) -> u32 {
    var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn say(what: &str) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Kills one of the five services, PostgreSQL or NATS, and starts it again.
async fn strike(round: usize, system: &mut System, postgres: &mut Postgres) -> &'static str {
    let away = AWAY[round % AWAY.len()];
    let Some(&name) = SERVICES.get(round % (SERVICES.len() + 2)) else {
        if round % (SERVICES.len() + 2) == SERVICES.len() {
            postgres.kill();
            tokio::time::sleep(away).await;
            postgres.restart();
            return "postgresql";
        }
        system.nats.kill();
        tokio::time::sleep(away).await;
        system.nats.restart();
        return "nats";
    };
    system.service_mut(name).kill();
    tokio::time::sleep(away).await;
    system.start(name);
    name
}

/// The answer that so many of a hundred were not slower than.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn waits(opened: &[Opened]) -> Vec<Duration> {
    let mut waits: Vec<_> = opened.iter().filter_map(|case| (case.answered_at - case.asked_at).to_std().ok()).collect();
    waits.sort_unstable();
    waits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half an hour; deploy/bench/run soak"]
async fn half_an_hour_of_kills_loses_nothing_and_does_nothing_twice() {
    let seconds = Duration::from_secs(setting("SOAK_SECONDS", 1800).into());
    let requests = setting("SOAK_REQUESTS", REQUESTS);
    let mut postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start_all().await;
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 200).await;
    let token = system.token(Role::Receptionist);
    let pace = Duration::from_secs(1) * CALLERS / requests;
    let began = Instant::now();
    let crowd = Crowd::gather(CALLERS as usize, Manner::Steady(pace), &system.url(), &token, &company);
    let (mut round, mut clock) = (0, tokio::time::interval_at(tokio::time::Instant::now() + EACH, EACH));
    while began.elapsed() + EACH < seconds {
        clock.tick().await;
        let killed = strike(round, &mut system, &mut postgres).await;
        round += 1;
        say(&format!("{:>5} s  killed {killed}, {} cases answered", began.elapsed().as_secs(), crowd.opened()));
    }
    system.ready().await;
    let opened = all_opened(crowd.disperse().await);
    let took = began.elapsed();
    let caught_up = Instant::now();
    system.quiet(CATCHING_UP).await;
    let caught_up = caught_up.elapsed();
    let events = system.sum("SELECT count(*) FROM {}.event").await;
    everything_is_there_once(&system, &admin, &company, &opened).await;
    everything_is_well(&system).await;

    let waits = waits(&opened);
    let [median, most, longest] = [50, 99, 100].map(|percent| percentile(&waits, percent));
    let (answered, rate) = (opened.len() * 2, opened.len() as f64 * 2.0 / took.as_secs_f64());
    say(&format!("{round} kills in {took:.0?}: {answered} requests answered, {rate:.0}/s"));
    say(&format!("{} cases, each found once in each service; {events} events", opened.len()));
    say(&format!(
        "answered after {median:.1?} (median), {most:.1?} (99 %), {longest:.1?} (longest, asked again until then)"
    ));
    say(&format!("all that had piled up was done {caught_up:.0?} after the last request; nothing is parked"));
}
