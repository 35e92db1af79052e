//! What happens to a whole company: how its time passes, and what befalls it.

use chrono::TimeDelta;

use super::company::SERVICES;

/// What befalls a company in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Fair,
    /// A service hears nothing until the round is over: what it missed comes late.
    Deaf(&'static str),
    /// A service is away until the round is over: it answers nobody, hears nothing, tells nothing.
    Away(&'static str),
    /// The message store is away until the round is over: nobody hears of anything.
    Silent,
    /// The message store loses the stream of a service: all of it is told again.
    Lost(&'static str),
    /// The clock policy of an estate changes.
    Policy(usize),
    /// Somebody at the desk is away for some days.
    Absence(usize),
}

impl Weather {
    /// Whether everything can be heard while it lasts.
    #[must_use]
    pub fn lets_hear(self) -> bool {
        !matches!(self, Self::Deaf(_) | Self::Away(_) | Self::Silent)
    }
}

/// A round: what befalls, and how much time passes afterwards.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// What befalls.
    pub weather: Weather,
    /// Whether everything is heard before time passes.
    pub heard: bool,
    /// How long it takes.
    pub passes: TimeDelta,
    /// Whether the inspector looks at its end.
    pub inspected: bool,
}

/// The rounds of a company.
#[must_use]
pub fn schedule(rng: &mut fastrand::Rng, rounds: usize) -> Vec<Round> {
    (0..rounds)
        .map(|round| {
            let service = SERVICES[rng.usize(0..SERVICES.len())];
            let weather = match rng.u8(0..20) {
                0 | 1 => Weather::Deaf(service),
                2 => Weather::Lost(service),
                3 => Weather::Policy(rng.usize(0..100)),
                4 => Weather::Absence(rng.usize(0..100)),
                5 => Weather::Away(service),
                6 => Weather::Silent,
                _ => Weather::Fair,
            };
            let minutes = [1, 7, 40, 180, 400, 1440, 4400, 30_000, 100_000];
            let likely = if rng.u8(0..10) < 7 { rng.usize(0..5) } else { rng.usize(0..minutes.len()) };
            let inspected = (round + 1) % (rounds / 3).max(1) == 0 || round + 1 == rounds;
            Round { weather, heard: rng.bool(), passes: TimeDelta::minutes(minutes[likely]), inspected }
        })
        .collect()
}
