//! The inspector over generated lives, in a test binary of its own: they take all of the machine.

use std::{
    cell::Cell,
    env::var,
    io::Write as _,
    iter,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use steward_e2e::lives::{
    Lived,
    company::with_company,
    going::{any_seed, born},
    schedule::schedule,
    shrink::shrunk,
};

/// Lives of one company, and rounds that it goes through.
const LIVES: usize = 120;
const ROUNDS: usize = 18;
/// Companies that are lived in at the same time: while one comes to rest, the other does something.
const SIDE_BY_SIDE: usize = 2;
/// How long new companies are founded, unless `LIVES_SECONDS` says otherwise.
const SECONDS: u64 = 240;
/// Stories that are shrunk at most: one of each kind.
const STORIES: usize = 4;

fn setting(name: &str) -> Option<u64> {
    var(name).ok()?.parse().ok()
}

/// Says it, also when all is well: seeds and stories are what is looked for.
fn say(what: &str) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Lives through a company.
async fn company(seed: u64, lives: usize) -> Chronicle {
    let began = Instant::now();
    let rounds = schedule(&mut fastrand::Rng::with_seed(seed), ROUNDS);
    let mut found = Default::default();
    with_company(async |company| {
        let lived = company.lives(born(seed, lives, ROUNDS), &rounds, Some(seed)).await;
        found = (lived, company.miscounted().await);
    })
    .await;
    let (lived, miscounted) = found;
    Chronicle { seed, lived, miscounted, took: began.elapsed() }
}

/// A company that was lived in.
struct Chronicle {
    seed: u64,
    lived: Vec<Lived>,
    miscounted: Vec<String>,
    took: Duration,
}

impl Chronicle {
    fn is_well(&self) -> bool {
        self.miscounted.is_empty() && self.lived.iter().all(|one| one.findings.is_empty())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_services_tell_one_story_whatever_happens_in_whatever_order() {
    let began = Instant::now();
    let budget = Duration::from_secs(setting("LIVES_SECONDS").unwrap_or(SECONDS));
    let lives = setting("LIVES").and_then(|lives| usize::try_from(lives).ok()).unwrap_or(LIVES);
    let given = setting("LIVES_SEED");
    let (last, all_well) = (Cell::new(Duration::ZERO), Cell::new(true));
    let is_time_left = || all_well.get() && began.elapsed() + last.get() < budget;
    let seeds = given.into_iter().chain(iter::from_fn(|| (given.is_none() && is_time_left()).then(any_seed)));
    let companies = stream::iter(seeds).map(|seed| company(seed, lives)).buffer_unordered(SIDE_BY_SIDE);
    let told: Vec<_> = companies
        .inspect(|told| {
            last.set(told.took);
            all_well.set(all_well.get() && told.is_well());
            say(&format!("seed {}: {} lives in {:?}", told.seed, told.lived.len(), told.took));
        })
        .collect()
        .await;
    let lived = || told.iter().flat_map(|told| told.lived.iter().map(|one| (told.seed, one)));
    let deeds: usize = lived().map(|(_, one)| one.life.deeds.len()).sum();
    say(&format!("{} lives, {deeds} deeds, {:?}", lived().count(), began.elapsed()));
    let wrong: Vec<_> = lived().filter(|(_, one)| !one.findings.is_empty()).collect();
    for (_, lived) in &wrong {
        lived.findings.iter().for_each(|finding| say(&format!("life {}: {finding}", lived.life.number)));
    }
    let figures =
        told.iter().flat_map(|told| told.miscounted.iter().map(|what| format!("seed {}: {what}\n", told.seed)));
    let figures: String = figures.collect();
    assert!(wrong.is_empty() && figures.is_empty(), "{}{figures}", stories(&wrong).await);
}

/// One story of each kind, as short as it gets.
async fn stories(wrong: &[(u64, &Lived)]) -> String {
    let mut kinds: Vec<Vec<&str>> = Vec::new();
    let mut told = String::new();
    for &(seed, lived) in wrong {
        let rules = lived.rules();
        if rules.iter().all(|rule| kinds.iter().any(|kind| kind.contains(rule))) {
            continue;
        }
        kinds.push(rules);
        let shown = if kinds.len() > STORIES || var("LIVES_UNSHRUNK").is_ok() {
            None
        } else {
            let rounds = schedule(&mut fastrand::Rng::with_seed(seed), ROUNDS);
            shrunk(lived, &rounds).await
        };
        let note = if shown.is_some() { "shrunk" } else { "as it was" };
        told += &format!("seed {seed}, life {}, {note}:\n{}\n", lived.life.number, shown.as_ref().unwrap_or(lived));
    }
    told
}
