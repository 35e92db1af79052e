//! Following work orders, whenever they are heard.
//!
//! Services are heard independently of each other, so word of a work order may come when its case rests: it is resolved, or over. What happened until
//! then is past: it is measured up to then, and nobody is told to do anything about it. What was ordered since belongs to the owner's word that this
//! was not the end, which is still to be heard: it waits, and is followed, each step at its own time, when the case is taken up again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::Measure;
use steward_kernel::{ids::WorkOrderId, vocabulary::CaseStatus};
use uuid::Uuid;

use super::{
    Cause, Event, KeptClock, Order, Outcome, Stewardship, WorkStep,
    clocks::{End, OF_ORDERS},
    deciding::Deciding,
};
use crate::domain::timeline::Milestone;

/// Something that was heard of a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardOfOrder {
    /// Which work order.
    pub order: WorkOrderId,
    /// Code of its department; of a transfer, of the new one.
    pub department: String,
    /// Whether that is a contractor.
    pub contractor: bool,
    /// What became of it.
    pub step: WorkStep,
    /// The step of its case by which the owner is told, if any.
    pub told: Option<Milestone>,
}

/// Something that was heard of a work order before it was heard that its case goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What.
    #[serde(flatten)]
    pub heard: HeardOfOrder,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Stewardship {
    /// Whether what is heard of a work order has to wait until the case is taken up again.
    ///
    /// * `rests`: since when nothing goes on in the case; none = it goes on.
    #[must_use]
    pub fn has_to_wait(&self, heard: &HeardOfOrder, at: DateTime<Utc>, rests: Option<DateTime<Utc>>) -> bool {
        let Some(rested) = rests else { return false };
        let is_ordered_since = match self.order(heard.order) {
            Some(known) => known.since.is_some_and(|since| since > rested),
            None => heard.step == WorkStep::Opened && at > rested,
        };
        is_ordered_since || self.waiting.iter().any(|waiting| waiting.heard.order == heard.order)
    }

    /// What the owner is told of work orders that have waited and are followed now, and when it happened.
    #[must_use]
    pub fn taken_up_since(&self, before: &Self) -> Vec<(Milestone, DateTime<Utc>)> {
        if !self.waiting.is_empty() {
            return Vec::new();
        }
        before.waiting.iter().filter_map(|waiting| Some((waiting.heard.told?, waiting.at))).collect()
    }
}

impl Deciding<'_> {
    /// Something was heard of a work order.
    ///
    /// * `rests`: since when nothing goes on in the case; none = it goes on.
    pub(super) fn work(&mut self, heard: &HeardOfOrder, rests: Option<DateTime<Utc>>) {
        let rests = rests.or_else(|| (!self.state.open).then_some(self.at));
        if self.state.has_to_wait(heard, self.at, rests) {
            let waiting = Waiting { heard: heard.clone(), at: self.at };
            // Delivered twice, it is one.
            if !self.state.waiting.contains(&waiting) {
                self.emit(Event::WorkWaits { waiting });
            }
            return;
        }
        if rests.is_none() {
            self.take_up();
        }
        self.follow_order(heard, rests);
    }

    /// The case goes on: what has waited for that is followed.
    pub(super) fn take_up(&mut self) {
        let waiting = self.state.waiting.clone();
        if waiting.is_empty() {
            return;
        }
        self.emit(Event::WorkTakenUp);
        let at = self.at;
        for Waiting { heard, at } in waiting {
            self.at = at;
            if let Some(milestone) = heard.told {
                self.follow_deed(milestone, CaseStatus::InProgress, false);
                self.tasks_of_step(milestone);
            }
            self.follow_order(&heard, None);
        }
        self.at = at;
    }

    fn follow_order(&mut self, heard: &HeardOfOrder, rests: Option<DateTime<Utc>>) {
        let before = self.state.order(heard.order).cloned();
        let order = before.clone().unwrap_or_else(|| Order::new(heard.order, &heard.department, heard.contractor));
        if before.is_none() || heard.step != WorkStep::Opened {
            self.step_of_order(order, heard, rests);
        }
        self.tasks_of_work(before.as_ref(), heard.order, &heard.step, rests.is_some());
    }

    fn step_of_order(&mut self, mut order: Order, heard: &HeardOfOrder, rests: Option<DateTime<Utc>>) {
        use Measure as W;
        let id = order.id;
        match &heard.step {
            WorkStep::Opened => self.start_order(Order { since: Some(self.at), ..order }, rests),
            WorkStep::Assigned { technician } => {
                order.technician.clone_from(technician);
                order.returned = false;
                self.note(&order, false);
            }
            WorkStep::Accepted => {
                self.stop(|kept| kept.is_of(id) && kept.measure == W::Acknowledge, End::Done);
                self.end_climbs_of(id);
            }
            WorkStep::Departed => {}
            WorkStep::Returned => {
                self.resume(self.hold_id(&order));
                self.note(&Order { technician: None, returned: true, ..order }, false);
                if rests.is_none() {
                    self.climb(Cause::Returned, Some(id));
                }
            }
            WorkStep::Transferred => self.transfer(
                Order {
                    department: heard.department.clone(),
                    contractor: heard.contractor,
                    technician: None,
                    returned: false,
                    hops: order.hops + 1,
                    since: Some(self.at),
                    ..order
                },
                rests,
            ),
            WorkStep::Arrived => {
                self.note(&Order { arrived: true, ..order }, false);
                self.stop(|kept| kept.is_of(id) && kept.measure == W::Arrive, End::Done);
            }
            WorkStep::MadeSafe => {
                self.note(&Order { safe: true, ..order }, false);
                self.stop(|kept| kept.is_of(id) && kept.measure == W::MakeSafe, End::Done);
            }
            WorkStep::Held { reason, evidence } => self.hold(order, reason, evidence),
            WorkStep::Resumed => self.resume(self.hold_id(&order)),
            WorkStep::Completed => {
                self.stop(|kept| kept.is_of(id) && matches!(kept.measure, W::MakeSafe | W::Finish), End::Done);
                self.close_order(&order);
            }
            WorkStep::Cancelled => self.close_order(&order),
        }
    }

    fn note(&mut self, order: &Order, over: bool) {
        if over || self.state.order(order.id) != Some(order) {
            self.emit(Event::OrderNoted { order: order.clone(), over });
        }
    }

    /// The clocks of its department start; of what is past they stop when the case came to rest, until it is heard what was done by then.
    fn start_order(&mut self, order: Order, rests: Option<DateTime<Utc>>) {
        self.note(&order, false);
        self.start(
            OF_ORDERS.into_iter().filter_map(|measure| self.new_clock(measure, Some(&order), self.at)).collect(),
        );
        if let Some(since) = rests {
            let at = std::mem::replace(&mut self.at, since);
            self.stop(|kept| kept.is_of(order.id), End::CalledOff);
            self.at = at;
        }
    }

    /// The owner's clock goes on, the department's starts afresh.
    fn transfer(&mut self, order: Order, rests: Option<DateTime<Utc>>) {
        let id = order.id;
        self.resume(self.hold_id(&order));
        self.call_off(id);
        self.end_climbs_of(id);
        self.start_order(order, rests);
    }

    fn close_order(&mut self, order: &Order) {
        self.resume(self.hold_id(order));
        self.call_off(order.id);
        self.end_climbs_of(order.id);
        self.note(order, true);
    }

    /// Nobody has to do any more what is measured of the work order. What was said to have lost its object only with the case had lost it before.
    fn call_off(&mut self, id: WorkOrderId) {
        let is_void = |kept: &&KeptClock| kept.is_of(id) && kept.outcome == Some(Outcome::Void);
        let late = self.state.clocks.iter().filter(is_void).filter(|kept| kept.stopped_after(self.at));
        for clock_id in late.map(|kept| kept.clock_id).collect::<Vec<_>>() {
            self.judge_again(clock_id, End::CalledOff, self.at);
        }
        self.stop(|kept| kept.is_of(id), End::CalledOff);
    }

    /// The owner's clock waits only when there is no other work going on.
    fn hold(&mut self, order: Order, reason: &str, evidence: &[Uuid]) {
        let (id, at) = (order.id, self.at);
        let is_other = |known: &Order| known.id != id && known.since.is_none_or(|since| since <= at);
        let alone = !self.state.orders.iter().any(is_other);
        let order = Order { holds: order.holds + 1, ..order };
        self.note(&order, false);
        self.pause(reason, self.hold_id(&order), evidence, |kept| kept.is_of(id) || (alone && kept.is_of_company()));
    }

    fn hold_id(&self, order: &Order) -> Uuid {
        self.id(&format!("hold/{}/{}", order.id, order.holds))
    }

    /// What was ordered with the reopening, and was heard before the end of what was reopened, has lost its clocks by that end.
    pub(super) fn restart_orders(&mut self) {
        for order in self.state.orders.clone() {
            let Some(since) = order.since.filter(|since| *since >= self.at) else { continue };
            let is_measured = |measure: &Measure| {
                self.state.clocks.iter().any(|kept| {
                    let stands = kept.outcome != Some(Outcome::Void);
                    stands && kept.is_of(order.id) && kept.measure == *measure && kept.clock.started_at() >= Some(since)
                })
            };
            let missing = OF_ORDERS.into_iter().filter(|measure| !is_measured(measure));
            let clocks = missing.filter_map(|measure| self.new_clock(measure, Some(&order), since)).collect();
            self.start(clocks);
            let climbs = self.state.climbs.iter().any(|climb| climb.work_order == Some(order.id));
            if order.returned && !climbs {
                self.climb(Cause::Returned, Some(order.id));
            }
        }
    }
}
