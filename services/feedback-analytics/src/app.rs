//! What handlers, consumers and timers share.

use chrono::TimeDelta;
use steward_chassis::{Call, Clock, Core, Engine, Error, Result, db::Tx};
use steward_kernel::Actor;

use crate::{config::Config, domain::Facts};

/// What handlers, consumers and timers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Changes aggregates.
    pub engine: Engine,
    /// Time and ids.
    pub clock: Clock,
    /// Settings.
    pub config: Config,
}

impl App {
    /// The parts together.
    #[must_use]
    pub fn new(core: Core, config: Config) -> Self {
        Self { engine: core.engine, clock: core.clock, config }
    }

    /// What decisions need to know.
    #[must_use]
    pub fn facts(&self, actor: &Actor) -> Facts {
        // Settings are checked to be at most 365 days.
        let come_back_within = TimeDelta::from_std(self.config.come_back_within).unwrap_or(TimeDelta::days(15));
        Facts { now: self.clock.now(), actor: actor.clone(), come_back_within }
    }

    /// A transaction to read in, as the caller's company.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn read(&self, call: &Call) -> Result<Tx> {
        self.engine.db().begin(call.tenant()).await
    }
}

/// What an aggregate that exists must have: a state without is a fault of ours.
///
/// # Errors
/// [`Error::NotFound`] when it has none.
pub fn born<T>(life: Option<T>) -> Result<T> {
    life.ok_or(Error::NotFound)
}
