//! What handlers, consumers and timers share.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use steward_chassis::{Call, Core, Work};

use crate::{config::Config, domain::Facts, places::Places, rules::Rules};

/// Engine, database, clock, settings, and what is remembered of the register.
#[derive(Debug, Clone)]
pub struct App {
    /// What the chassis gives.
    pub core: Core,
    /// Settings.
    pub config: Arc<Config>,
    /// What is remembered of the register.
    pub places: Places,
    /// What is remembered of calendars, policies, posts and absences.
    pub rules: Rules,
}

impl App {
    /// Puts it together.
    #[must_use]
    pub fn new(core: Core, config: Config) -> Self {
        let places = Places::new(core.db.clone());
        let rules = Rules::new(core.clock.clone());
        Self { core, config: Arc::new(config), places, rules }
    }

    /// What is known when deciding for this call.
    #[must_use]
    pub fn facts(&self, call: &Call) -> Facts {
        self.facts_at(call, self.core.clock.now())
    }

    /// What is known when deciding inside a transaction.
    #[must_use]
    pub fn facts_of(&self, work: &Work) -> Facts {
        self.facts_at(&work.call, work.clock().now())
    }

    /// How far back staff may say that something was said.
    #[must_use]
    pub fn said_back(&self) -> TimeDelta {
        // Settings are checked to be at most a year.
        TimeDelta::from_std(self.config.said_back).unwrap_or(TimeDelta::days(30))
    }

    /// How long before the window of an appointment who comes has come for it.
    #[must_use]
    pub fn appointment_grace(&self) -> TimeDelta {
        // Settings are checked to be at most a day.
        TimeDelta::from_std(self.config.appointment_grace).unwrap_or(TimeDelta::days(1))
    }

    fn facts_at(&self, call: &Call, now: DateTime<Utc>) -> Facts {
        Facts {
            now,
            at: call.occurred_at.unwrap_or(now),
            actor: call.actor.clone(),
            // Settings are checked to be at most 30 days.
            follow_up_after: TimeDelta::from_std(self.config.follow_up_after).unwrap_or(TimeDelta::days(30)),
            said_back: self.said_back(),
            // At most 365 days.
            come_back_within: TimeDelta::from_std(self.config.come_back_within).unwrap_or(TimeDelta::days(15)),
            has_read: call.has_read(),
            handled: false,
        }
    }
}
