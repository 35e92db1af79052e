//! What handlers and consumers share.

use steward_chassis::{Call, Core};

use crate::domain::Facts;

/// What handlers and consumers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Engine, database, time and ids.
    pub core: Core,
}

impl App {
    /// What a decision has to know: when it happens and who asks.
    #[must_use]
    pub fn facts(&self, call: &Call) -> Facts {
        Facts { now: call.occurred_at.unwrap_or_else(|| self.core.clock.now()), actor: call.actor.clone() }
    }

    /// A fresh id for a part of a complaint.
    #[must_use]
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        T::from(self.core.clock.new_id())
    }
}
