//! What is due later.

use steward_chassis::timers::Timer;
use steward_kernel::{Aggregate as _, ids::WorkOrderId};

use crate::{app::App, domain::order::WorkOrder, flow, publish::PROOF};

/// All timers.
pub(crate) fn all() -> Vec<Timer<App>> {
    vec![Timer::on(WorkOrder::NAME, PROOF, |_, work, due| {
        Box::pin(async move { flow::look_for_proof(work, WorkOrderId::from(due.stream_id), true).await })
    })]
}
