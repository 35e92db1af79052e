//! Lives that go on.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use steward_testkit::{Answer, db::new_id};

use super::{
    ALLOWED, ANSWERS, Life, Lived, Told,
    company::{Company, finding},
    deeds::{Deed, Of, Sight, Who},
    schedule::{Round, Weather},
};

/// While work is under way its owner may say that it is not solved, but not that it is.
const HALF_ALLOWED: &str = "complaint/remedies-open";
/// Time between two deeds: nobody does two things in one instant, after which nobody could say what came first.
const MOMENT: TimeDelta = TimeDelta::milliseconds(1);
/// People who do something at the same time.
const AT_ONCE: usize = 8;

impl Company {
    /// Lives through the rounds.
    ///
    /// * `chance`: where deeds that are not known yet come from.
    pub async fn lives(&self, lives: Vec<Life>, rounds: &[Round], chance: Option<u64>) -> Vec<Lived> {
        let mut going: Vec<_> = lives.into_iter().map(|life| Going::of(life, chance)).collect();
        let (mut doing, mut resting, mut looking) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for (number, round) in rounds.iter().enumerate() {
            self.befalls(round.weather).await;
            let began = Instant::now();
            let all = stream::iter(going.iter_mut().map(|one| one.goes_on(self, number, round.weather)));
            all.buffer_unordered(AT_ONCE).collect::<()>().await;
            doing += began.elapsed();
            if number.is_power_of_two() {
                self.is_known_to_the_planner().await;
            }
            let began = Instant::now();
            if round.heard && round.weather.lets_hear() {
                self.rests().await;
            }
            self.passes(round.passes);
            going.iter_mut().for_each(|one| one.lived.story.push(Told::Passed(*round)));
            self.clears_up(round.weather).await;
            if round.inspected {
                self.rests().await;
            }
            resting += began.elapsed();
            let began = Instant::now();
            if round.inspected {
                let is_last = number + 1 == rounds.len();
                let due = going.iter_mut().filter(|one| is_last || one.has_changed());
                let all = stream::iter(due.map(|one| one.is_inspected(self, number)));
                all.buffer_unordered(AT_ONCE).collect::<()>().await;
            }
            looking += began.elapsed();
        }
        println!("done in {doing:.1?}, came to rest in {resting:.1?}, was looked at in {looking:.1?}");
        going.into_iter().map(|one| one.lived).collect()
    }
}

/// A life that goes on.
struct Going {
    lived: Lived,
    /// Where the next deeds come from; none when they are known.
    rng: Option<fastrand::Rng>,
    /// Deeds that the inspector has seen.
    seen: usize,
}

impl Going {
    fn of(life: Life, chance: Option<u64>) -> Self {
        let rng = chance.map(|seed| fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(life.number)));
        Self { lived: Lived { life, ..Lived::default() }, rng, seen: 0 }
    }

    fn case_id(&self) -> Option<String> {
        Some(self.lived.case_id.clone()).filter(|id| !id.is_empty())
    }

    fn has_changed(&self) -> bool {
        self.lived.life.deeds.len() > self.seen
    }

    async fn goes_on(&mut self, company: &Company, round: usize, weather: Weather) {
        if !self.lived.findings.is_empty() {
            return;
        }
        match self.rng.take() {
            Some(mut rng) => {
                self.finds_deeds(company, round, weather, &mut rng).await;
                self.rng = Some(rng);
            }
            None => {
                let life = &self.lived.life;
                let due: Vec<Deed> =
                    life.deeds.iter().filter(|(of, _)| *of == round).map(|(_, deed)| deed.clone()).collect();
                self.does_all(company, weather, &due, None).await;
            }
        }
    }

    async fn finds_deeds(&mut self, company: &Company, round: usize, weather: Weather, rng: &mut fastrand::Rng) {
        let Life { begins, lasts, .. } = self.lived.life;
        if round < begins || round >= begins + lasts {
            return;
        }
        if round == begins {
            let who = if rng.bool() { Who::Owner } else { Who::Desk };
            let verb = "open".to_owned();
            let deed = Deed { who, of: Of::Case, verb, way: rng.u32(0..10_000), at_once: false, allowed: true };
            self.lived.life.deeds.push((round, deed.clone()));
            self.does_all(company, weather, &[deed], None).await;
        }
        let Some(case_id) = self.case_id() else { return };
        let mut sight = None;
        for _ in 0..rng.usize(0..4) {
            let seen = match sight.take() {
                Some(seen) => seen,
                None => Sight::of(company, &case_id, rng.u8(0..3) == 0).await,
            };
            let Some(deeds) = next(&seen, rng) else { return };
            self.lived.life.deeds.extend(deeds.iter().map(|deed| (round, deed.clone())));
            sight = self.does_all(company, weather, &deeds, Some(seen)).await;
        }
    }

    /// What is seen afterwards, if that is known without looking again.
    ///
    /// * `sight`: what was seen a moment ago, if somebody has looked.
    async fn does_all(
        &mut self,
        company: &Company,
        weather: Weather,
        deeds: &[Deed],
        mut sight: Option<Sight>,
    ) -> Option<Sight> {
        let mut rest = deeds;
        while let Some((deed, others)) = rest.split_first() {
            rest = others;
            match (deed.at_once, others.split_first()) {
                (true, Some((other, behind))) => {
                    rest = behind;
                    let seen = sight.take();
                    let (one, two) =
                        tokio::join!(self.does(company, deed, seen.as_ref()), self.does(company, other, seen.as_ref()));
                    self.notes(company, weather, deed, one.as_ref(), true).await;
                    self.notes(company, weather, other, two.as_ref(), true).await;
                }
                _ => {
                    let done = self.does(company, deed, sight.as_ref()).await;
                    self.notes(company, weather, deed, done.as_ref(), false).await;
                    sight = sight.zip(done).and_then(|(sight, (_, answer))| sight.after(deed, &answer));
                }
            }
        }
        sight
    }

    async fn does(&self, company: &Company, deed: &Deed, sight: Option<&Sight>) -> Option<(Value, Answer)> {
        company.passes(MOMENT);
        let place = &company.places[self.lived.life.place];
        if deed.verb == "open" {
            return Some(deed.opened(company, place).await);
        }
        match sight {
            Some(sight) => deed.done(company, place, sight).await,
            None => {
                let sight = Sight::of(company, &self.case_id()?, deed.is_wide()).await;
                deed.done(company, place, &sight).await
            }
        }
    }

    /// * `crossed`: whether another deed was done at the same time.
    async fn notes(
        &mut self,
        company: &Company,
        weather: Weather,
        deed: &Deed,
        done: Option<&(Value, Answer)>,
        crossed: bool,
    ) {
        let Some((body, answer)) = done else {
            self.lived.story.push(Told::Done(format!("{}: nothing to do it with", deed.told())));
            return;
        };
        let problem = answer.json()["type"].as_str().unwrap_or_default().to_owned();
        let at_once = if deed.at_once { ", at the same time as" } else { "" };
        let line = format!("{} {body} -> {} {problem}{at_once}", deed.told(), answer.status);
        self.lived.story.push(Told::Done(line));
        if deed.verb == "open" {
            answer.json()["case_id"].as_str().unwrap_or_default().clone_into(&mut self.lived.case_id);
        }
        let id = self.lived.case_id.clone();
        // Who is away says so.
        let is_away = answer.status == 503 && matches!(weather, Weather::Away(_));
        if answer.status >= 500 && !is_away {
            self.lived.findings.push(finding(ANSWERS, &id, format!("{}: {}", answer.asked, answer.text())));
        }
        // What was allowed when it was asked, and still is, was refused as if it were not.
        let is_refused = answer.status == 409 && !problem.ends_with(HALF_ALLOWED);
        if is_refused && deed.allowed && !crossed {
            let sight = Sight::of(company, &id, false).await;
            let is_the_same = deed.path(&sight).is_some_and(|path| answer.asked.ends_with(&path));
            if is_the_same && sight.allowed(deed.of).contains(&deed.verb) {
                self.lived.findings.push(finding(ALLOWED, &id, format!("{}: {}", answer.asked, answer.text())));
            }
        }
    }

    async fn is_inspected(&mut self, company: &Company, round: usize) {
        let Some(case_id) = self.case_id().filter(|_| self.lived.findings.is_empty()) else { return };
        self.lived.findings = company.inspected(&case_id).await;
        self.lived.found_in = round;
        self.seen = self.lived.life.deeds.len();
    }
}

/// What is done next: one thing, or two at the same time.
fn next(sight: &Sight, rng: &mut fastrand::Rng) -> Option<Vec<Deed>> {
    if rng.u8(0..12) == 0 {
        return Some(vec![sight.against(rng)]);
    }
    let mut deeds = vec![weighed(sight.choices(rng), rng)?];
    if rng.u8(0..12) == 0
        && let Some(other) = weighed(sight.choices(rng), rng)
    {
        deeds[0].at_once = true;
        deeds.push(other);
    }
    Some(deeds)
}

fn weighed(choices: Vec<(u32, Deed)>, rng: &mut fastrand::Rng) -> Option<Deed> {
    let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.u32(0..sum.max(1));
    for (weight, deed) in choices {
        if left < weight {
            return Some(deed);
        }
        left -= weight;
    }
    None
}

/// New lives of a company: one in ten goes on to its end, the others are short.
#[must_use]
pub fn born(seed: u64, count: usize, rounds: usize) -> Vec<Life> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|number| {
            let (begins, lasts) =
                if number % 10 == 9 { (rng.usize(0..3), rounds) } else { (rng.usize(0..rounds - 3), rng.usize(1..=5)) };
            Life { number: number as u64, place: rng.usize(0..2), begins, lasts, deeds: Vec::new() }
        })
        .collect()
}

/// A seed that nobody has chosen.
#[must_use]
pub fn any_seed() -> u64 {
    let (high, low) = new_id().as_u64_pair();
    high ^ low
}
