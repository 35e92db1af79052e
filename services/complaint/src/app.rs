//! What handlers and consumers share.

use chrono::TimeDelta;
use steward_chassis::{Call, Core, Result};
use steward_kernel::ids::CaseId;

use crate::{
    config::Config,
    domain::{Complaint, Facts},
    store,
};

/// What handlers and consumers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Engine, database, time and ids.
    pub core: Core,
    /// Settings.
    pub config: Config,
}

impl App {
    /// What a decision has to know: when it happens and who asks.
    #[must_use]
    pub fn facts(&self, call: &Call) -> Facts {
        Facts {
            now: call.occurred_at.unwrap_or_else(|| self.core.clock.now()),
            actor: call.actor.clone(),
            handled: false,
            has_read: call.has_read(),
            departments: Vec::new(),
            // Settings are checked to be at most 365 days.
            come_back_within: TimeDelta::from_std(self.config.come_back_within).unwrap_or(TimeDelta::days(15)),
        }
    }

    /// What a decision on the owner's word has to know besides: whether who gives it has handled the complaint, answers
    /// for its case, or was given work for it.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn facts_of_word(&self, call: &Call, case_id: CaseId) -> Result<Facts> {
        let history = self.core.engine.history::<Complaint>(call, case_id).await?;
        let mut handled = history.iter().any(|event| event.actor == call.actor.id && event.body.is_handling());
        if !handled {
            let mut tx = self.core.db.begin(call.tenant()).await?;
            handled = store::has_a_part(&mut tx, case_id, call.actor.id.as_str()).await?;
            tx.rollback().await?;
        }
        Ok(Facts { handled, ..self.facts(call) })
    }

    /// What a decision on an order for work has to know besides: the departments of the company.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn facts_of_work(&self, call: &Call) -> Result<Facts> {
        let mut tx = self.core.db.begin(call.tenant()).await?;
        let departments = store::departments(&mut tx).await?;
        tx.rollback().await?;
        Ok(Facts { departments, ..self.facts(call) })
    }

    /// A fresh id for a part of a complaint.
    #[must_use]
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        T::from(self.core.clock.new_id())
    }
}
