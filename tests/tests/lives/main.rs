//! The inspector over generated lives, in a test binary of its own: they take all of the machine.

use std::{
    env::var,
    io::Write as _,
    time::{Duration, Instant},
};

use steward_e2e::lives::{
    Lived,
    company::with_company,
    going::{any_seed, born},
    schedule::schedule,
    shrink::shrunk,
};

/// Lives of one company, and rounds that it goes through.
const LIVES: usize = 240;
const ROUNDS: usize = 18;
/// How long new companies are founded, unless `LIVES_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Stories that are shrunk at most: one of each kind.
const STORIES: usize = 4;

fn setting(name: &str) -> Option<u64> {
    var(name).ok()?.parse().ok()
}

/// Says it, also when all is well: seeds and stories are what is looked for.
fn say(what: &str) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Lives through a company; what was found in each life, and what figures are wrong.
async fn company(seed: u64, lives: usize) -> (Vec<Lived>, Vec<String>) {
    let rounds = schedule(&mut fastrand::Rng::with_seed(seed), ROUNDS);
    let mut found = Default::default();
    with_company(async |company| {
        let lived = company.lives(born(seed, lives, ROUNDS), &rounds, Some(seed)).await;
        found = (lived, company.miscounted().await);
    })
    .await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn five_services_tell_one_story_whatever_happens_in_whatever_order() {
    let began = Instant::now();
    let budget = Duration::from_secs(setting("LIVES_SECONDS").unwrap_or(SECONDS));
    let lives = setting("LIVES").and_then(|lives| usize::try_from(lives).ok()).unwrap_or(LIVES);
    let (mut wrong, mut wrong_figures): (Vec<(u64, Lived)>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut count, mut deeds, mut last) = (0, 0, Duration::ZERO);
    while count == 0 || began.elapsed() + last < budget {
        let seed = setting("LIVES_SEED").unwrap_or_else(any_seed);
        let started = Instant::now();
        let (lived, miscounted) = company(seed, lives).await;
        last = started.elapsed();
        count += lived.len();
        deeds += lived.iter().map(|one| one.life.deeds.len()).sum::<usize>();
        say(&format!("seed {seed}: {} lives in {last:?}", lived.len()));
        wrong_figures.extend(miscounted.iter().map(|what| format!("seed {seed}: {what}")));
        wrong.extend(lived.into_iter().filter(|one| !one.findings.is_empty()).map(|one| (seed, one)));
        if !wrong.is_empty() || var("LIVES_SEED").is_ok() {
            break;
        }
    }
    say(&format!("{count} lives, {deeds} deeds, {:?}", began.elapsed()));
    for (_, lived) in &wrong {
        lived.findings.iter().for_each(|finding| say(&format!("life {}: {finding}", lived.life.number)));
    }
    let figures = wrong_figures.join("\n");
    assert!(wrong.is_empty() && wrong_figures.is_empty(), "{}{figures}", stories(&wrong).await);
}

/// One story of each kind, as short as it gets.
async fn stories(wrong: &[(u64, Lived)]) -> String {
    let mut kinds: Vec<Vec<&str>> = Vec::new();
    let mut told = String::new();
    for (seed, lived) in wrong {
        let rules = lived.rules();
        if rules.iter().all(|rule| kinds.iter().any(|kind| kind.contains(rule))) {
            continue;
        }
        kinds.push(rules);
        let shown = if kinds.len() > STORIES || var("LIVES_UNSHRUNK").is_ok() {
            None
        } else {
            let rounds = schedule(&mut fastrand::Rng::with_seed(*seed), ROUNDS);
            shrunk(lived, &rounds).await
        };
        let note = if shown.is_some() { "shrunk" } else { "as it was" };
        told += &format!("seed {seed}, life {}, {note}:\n{}\n", lived.life.number, shown.as_ref().unwrap_or(lived));
    }
    told
}
