//! What handlers and consumers share.

use chrono::TimeDelta;
use steward_chassis::{Call, Core, Result};
use steward_kernel::ids::CaseId;

use crate::{
    config::Config,
    domain::{
        order::WorkOrder,
        request::{Facts, ServiceRequest},
    },
    store,
};

/// The service at work.
#[derive(Debug, Clone)]
pub struct App {
    /// Engine, database, clock.
    pub core: Core,
    /// Settings.
    pub config: Config,
}

impl App {
    /// What a decision on a service request has to know: when it happens, who asks, how long its owner can come back.
    #[must_use]
    pub fn request_facts(&self, call: &Call) -> Facts {
        Facts {
            now: call.occurred_at.unwrap_or_else(|| self.core.clock.now()),
            actor: call.actor.clone(),
            has_read: call.has_read(),
            crew: Vec::new(),
            handled: false,
            // Settings are checked to be at most 365 days.
            come_back_within: TimeDelta::from_std(self.config.come_back_within).unwrap_or(TimeDelta::days(15)),
        }
    }

    /// How long what proves work may take to arrive.
    #[must_use]
    pub fn proof_within(&self) -> TimeDelta {
        // Settings are checked to be at most 30 days.
        TimeDelta::from_std(self.config.proof_within).unwrap_or(TimeDelta::hours(4))
    }

    /// What a decision on the owner's word has to know besides: whether who gives it has handled the request or a work
    /// order of it, or answers for its case.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn facts_of_word(&self, call: &Call, case_id: CaseId) -> Result<Facts> {
        let history = self.core.engine.history::<ServiceRequest>(call, case_id).await?;
        let mut handled = history.iter().any(|event| event.actor == call.actor.id && event.body.is_handling());
        let request = self.core.engine.load::<ServiceRequest>(call, case_id).await;
        for order in request.map(|found| found.state.orders).unwrap_or_default() {
            let history = self.core.engine.history::<WorkOrder>(call, order.work_order_id).await?;
            handled |= history.iter().any(|event| event.body.is_handled_by(&call.actor.id, &event.actor));
        }
        if !handled {
            let mut tx = self.core.db.begin(call.tenant()).await?;
            handled = store::is_accountable(&mut tx, case_id, call.actor.id.as_str()).await?;
            tx.rollback().await?;
        }
        Ok(Facts { handled, ..self.request_facts(call) })
    }
}
