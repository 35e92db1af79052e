//! Generated lives: cases that people of all roles do whatever they may with, and now and then what they may not, while the clock runs from
//! minutes to months, policies change, people are away, and services hear of each other late, twice or after an outage.
//!
//! Many lives go on side by side in one company; the clock is put forward for all of them together. At rest, the inspector looks at each. A
//! life is told as the [`Deed`]s that were done, so that it can be lived again in a fresh company, and again with fewer of them, until only
//! those are left that matter. `proptest` does not fit: what can be done next depends on answers of a running system, and trying a shorter
//! life takes a company, in which all candidates are tried side by side.

pub mod company;
pub mod deeds;
pub mod going;
pub mod schedule;
pub mod shrink;
mod weather;

use steward_inspector::Finding;

use deeds::Deed;
use schedule::{Round, Weather};

/// The rule that what is allowed can be done.
pub const ALLOWED: &str = "allowed-is-possible";
/// The rule that nothing fails.
pub const ANSWERS: &str = "never-fails";

/// A case, and all that was done with it.
#[derive(Debug, Clone, Default)]
pub struct Life {
    /// Which of the company's, for its own source of chance.
    pub number: u64,
    /// In which of the estates.
    pub place: usize,
    /// When its case is opened, in which round.
    pub begins: usize,
    /// How many rounds it goes on from then.
    pub lasts: usize,
    /// What was done, by round.
    pub deeds: Vec<(usize, Deed)>,
}

/// A line of a story.
#[derive(Debug, Clone)]
pub enum Told {
    /// What somebody did.
    Done(String),
    /// That time passed.
    Passed(Round),
}

/// What came of a life.
#[derive(Debug, Clone, Default)]
pub struct Lived {
    /// As it was lived.
    pub life: Life,
    /// Its case; '' before it was opened.
    pub case_id: String,
    /// What happened, in words.
    pub story: Vec<Told>,
    /// What is not as it must be.
    pub findings: Vec<Finding>,
    /// In which round that was seen.
    pub found_in: usize,
}

impl Lived {
    /// The rules that do not hold.
    #[must_use]
    pub fn rules(&self) -> Vec<&'static str> {
        let mut rules: Vec<_> = self.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

/// The time between two deeds, in one line.
fn tell_time(f: &mut std::fmt::Formatter<'_>, passed: &[&Round]) -> std::fmt::Result {
    if passed.is_empty() {
        return Ok(());
    }
    let minutes: i64 = passed.iter().map(|round| round.passes.num_minutes()).sum();
    let befell = passed.iter().filter(|round| round.weather != Weather::Fair);
    let befell: Vec<_> = befell.map(|round| format!("{:?}", round.weather)).collect();
    let heard = if passed.iter().any(|round| round.heard) { "all is heard, " } else { "" };
    writeln!(f, "  -- {heard}{} h {} min pass {}", minutes / 60, minutes % 60, befell.join(", "))
}

impl std::fmt::Display for Lived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut passed: Vec<&Round> = Vec::new();
        for line in &self.story {
            match line {
                Told::Passed(round) => passed.push(round),
                Told::Done(line) => {
                    tell_time(f, &passed)?;
                    passed.clear();
                    writeln!(f, "    {line}")?;
                }
            }
        }
        tell_time(f, &passed)?;
        for finding in &self.findings {
            writeln!(f, "  ! {finding}")?;
        }
        Ok(())
    }
}
