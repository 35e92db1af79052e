//! Shrinking: a life that shows a fault is lived again with fewer deeds, as long as it still shows it.

use super::{
    Life, Lived,
    company::with_company,
    schedule::{Round, Weather},
};

/// Attempts at most; each takes a fresh company.
const ATTEMPTS: usize = 12;

/// The shortest life found that breaks one of the same rules, and the rounds that it takes; none when it does not happen again.
pub async fn shrunk(lived: &Lived, rounds: &[Round]) -> Option<Lived> {
    let rules = lived.rules();
    let shows = |again: &Lived| again.rules().iter().any(|rule| rules.contains(rule));
    let mut rounds = rounds[..=lived.found_in.min(rounds.len() - 1)].to_vec();
    if let Some(last) = rounds.last_mut() {
        last.inspected = true;
    }
    let calm: Vec<Round> = rounds.iter().map(|round| Round { weather: Weather::Fair, heard: true, ..*round }).collect();
    let mut best = None;
    if let Some(again) = lived_again(vec![lived.life.clone()], &calm).await.into_iter().find(shows) {
        (best, rounds) = (Some(again), calm);
    }
    for _ in 0..ATTEMPTS {
        let life = best.as_ref().map_or(&lived.life, |best: &Lived| &best.life);
        let shorter = shorter(life);
        let tried = if best.is_none() { vec![life.clone()].into_iter().chain(shorter).collect() } else { shorter };
        let shown = lived_again(tried, &rounds).await.into_iter().filter(shows);
        let Some(found) = shown.min_by_key(|again| again.life.deeds.len()) else { break };
        let is_shorter = best.as_ref().is_none_or(|best| found.life.deeds.len() < best.life.deeds.len());
        best = Some(found);
        if !is_shorter {
            break;
        }
    }
    best
}

/// Lives that leave something out: ever smaller pieces, one deed each at last.
fn shorter(life: &Life) -> Vec<Life> {
    let deeds = life.deeds.len();
    let mut found = Vec::new();
    let mut size = deeds / 2;
    while size > 0 {
        let mut from = 1;
        while from < deeds {
            let until = (from + size).min(deeds);
            let kept = life.deeds.iter().enumerate().filter(|(at, _)| *at < from || *at >= until);
            found.push(Life { deeds: kept.map(|(_, deed)| deed.clone()).collect(), ..life.clone() });
            from = until;
        }
        size /= 2;
    }
    found
}

async fn lived_again(lives: Vec<Life>, rounds: &[Round]) -> Vec<Lived> {
    let mut lived = Vec::new();
    with_company(async |company| lived = company.lives(lives, rounds, None).await).await;
    lived
}
