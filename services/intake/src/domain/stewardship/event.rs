//! What happens to a stewardship, and what it makes of its state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{ClockEvent, Measure, Party};
pub use steward_kernel::vocabulary::EscalationCause as Cause;
use steward_kernel::{ids::WorkOrderId, text::Line, vocabulary::Priority, word_enum};
use uuid::Uuid;

use super::{
    Account, Climb, Due, Escalation, HandOver, KeptClock, Matter, Objection, Order, Outcome, Promise, PromiseOutcome,
    Stewardship, Task, Waiting,
};

word_enum! {
    /// Why somebody answers for a case.
    #[schema(as = AccountableBecause)]
    Why {
        /// The owner came to them first (首問).
        FirstReceiver = "first_receiver",
        /// It is their turn or their post.
        Post = "post",
        /// It was handed over to them, and they accepted.
        HandOver = "hand_over",
        /// Whoever had it has left, or does not work there any more.
        Left = "left",
    }
}

word_enum! {
    /// How a hand-over ended.
    HandOverOutcome {
        /// Who was asked answers for the case now.
        Accepted = "accepted",
        /// Who was asked does not.
        Refused = "refused",
        /// Nothing was said in time.
        Lapsed = "lapsed",
        /// Somebody else was asked instead, or the case came to its end.
        Withdrawn = "withdrawn",
    }
}

/// A clock that starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewClock {
    /// Its id, made of what it measures.
    pub clock_id: Uuid,
    /// What it measures.
    pub measure: Measure,
    /// Whose it is.
    pub party: Party,
    /// Code of the department or contractor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The work order it measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_order: Option<WorkOrderId>,
    /// The episode.
    pub episode: u32,
    /// Whether it was overdue when it was entered.
    #[serde(default)]
    pub late_entry: bool,
    /// Its start.
    pub started: ClockEvent,
}

/// What is due next, and when each running clock is due.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When something is due next; none = nothing.
    pub next_at: Option<DateTime<Utc>>,
    /// The clocks whose times are other than before.
    pub clocks: Vec<(Uuid, Due)>,
}

/// What happened to a stewardship. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands and of what they change")]
pub enum Event {
    /// It began: with the case.
    Began { matter: Box<Matter>, clocks: Vec<NewClock> },
    /// Somebody answers for the case from now on.
    AccountableNamed { account: Account, previous: Option<Account>, why: Why, at: DateTime<Utc> },
    /// Somebody was asked to answer for it.
    HandOverOffered { hand_over: HandOver },
    /// The hand-over ended.
    HandOverEnded { hand_over: HandOver, outcome: HandOverOutcome, reason: Option<Line>, at: DateTime<Utc> },
    /// Clocks started.
    ClocksStarted { clocks: Vec<NewClock> },
    /// Clocks were paused, resumed, given another target, re-based.
    ClocksChanged { changes: Vec<(Uuid, ClockEvent)> },
    /// A clock stopped for good.
    ClockStopped {
        clock_id: Uuid,
        outcome: Outcome,
        at: DateTime<Utc>,
        elapsed: i64,
        paused: i64,
        /// When it was due, as it stood then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<DateTime<Utc>>,
    },
    /// How a clock stopped was other than what was said: word of it came late, or a pause was struck.
    ClockCorrected {
        clock_id: Uuid,
        outcome: Outcome,
        at: DateTime<Utc>,
        elapsed: i64,
        paused: i64,
        /// When it was due, as it stood then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<DateTime<Utc>>,
    },
    /// A clock passed its due time.
    ClockBreached { clock_id: Uuid, due_at: DateTime<Utc> },
    /// A pause ended by itself.
    PauseRanOut { pause_id: Uuid, at: DateTime<Utc> },
    /// A work order is as it is now; none = it is over.
    OrderNoted { order: Order, over: bool },
    /// Something was heard of a work order that was opened since the case rests: it is followed when the case goes on.
    WorkWaits { waiting: Waiting },
    /// The case goes on: what has waited for that is followed.
    WorkTakenUp,
    /// The case is more or less urgent.
    Prioritised { priority: Priority },
    /// The case is about something else.
    Classified { category: String },
    /// A rung of a ladder was reached: somebody is told.
    Escalated { escalation: Escalation },
    /// Somebody took it in hand.
    EscalationAcknowledged { escalation_id: Uuid, by: Account, at: DateTime<Utc> },
    /// Something stands on the first rungs.
    ClimbBegan { climb: Climb },
    /// It stands there no longer.
    ClimbEnded { climb_id: Uuid, at: DateTime<Utc> },
    /// A time was given to the owner.
    PromiseMade { promise: Promise },
    /// A promise is about to be broken.
    PromiseWarned { promise_id: Uuid, told: Vec<Account> },
    /// A promise was kept, broken, moved, or has lost its object.
    PromiseEnded {
        promise_id: Uuid,
        outcome: PromiseOutcome,
        at: DateTime<Utc>,
        reason: Option<Line>,
        /// What was said of it before, when word of it came late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<(PromiseOutcome, DateTime<Utc>)>,
    },
    /// The owner objected to a pause.
    PauseContested { objection: Objection },
    /// The objection was decided.
    ObjectionDecided { objection_id: Uuid, upheld: bool, reason: Line, at: DateTime<Utc> },
    /// Somebody has to do or to know something, and is told when the hours begin.
    TaskWaits { task: Task },
    /// Somebody is told what they have to do or to know.
    TaskGiven { task: Task },
    /// Nobody has to do it any more.
    TaskEnded { task_id: Uuid, told: bool, at: DateTime<Utc> },
    /// The case waits for its owner once more.
    Waited,
    /// A new episode began.
    Reopened { episode: u32, at: DateTime<Utc> },
    /// The case is over.
    Ended { at: DateTime<Utc> },
    /// When something is due next.
    Scheduled { schedule: Schedule },
}

impl Stewardship {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Began { matter, clocks } => {
                self.matter = Some(matter.clone());
                self.open = true;
                self.start(clocks);
            }
            Event::AccountableNamed { account, why, at, .. } => self.accountable.name(account, *why, *at),
            Event::HandOverOffered { hand_over } => self.accountable.hand_over = Some(hand_over.clone()),
            Event::HandOverEnded { .. } => self.accountable.hand_over = None,
            Event::ClocksStarted { clocks } => self.start(clocks),
            Event::ClocksChanged { changes } => {
                for (clock_id, change) in changes {
                    self.with_clock(*clock_id, |kept| kept.change(change));
                }
            }
            Event::ClockStopped { clock_id, outcome, at, .. } | Event::ClockCorrected { clock_id, outcome, at, .. } => {
                self.with_clock(*clock_id, |kept| kept.stop(*outcome, *at));
                self.settle(|known| known.clock_id == Some(*clock_id), *at);
            }
            Event::ClockBreached { clock_id, due_at } => {
                self.with_clock(*clock_id, |kept| kept.breached_at = kept.breached_at.or(Some(*due_at)));
            }
            Event::PauseRanOut { pause_id, .. } => self.ran_out.push(*pause_id),
            Event::OrderNoted { order, over } => {
                self.orders.retain(|known| known.id != order.id);
                self.orders.extend((!over).then(|| order.clone()));
            }
            Event::WorkWaits { waiting } => self.waiting.push(waiting.clone()),
            Event::WorkTakenUp => self.waiting.clear(),
            Event::Prioritised { priority } => self.with_matter(|matter| matter.priority = *priority),
            Event::Classified { category } => self.with_matter(|matter| matter.category.clone_from(category)),
            Event::Waited => self.waits += 1,
            Event::Reopened { episode, at } => {
                self.episode = *episode;
                self.reopened.push(*at);
                self.open = true;
                // Work that was ordered with it may have been heard before it.
                let of_orders = self.clocks.iter_mut().filter(|kept| kept.work_order.is_some());
                for kept in of_orders.filter(|kept| kept.clock.started_at() >= Some(*at)) {
                    kept.episode = *episode;
                }
            }
            Event::Ended { .. } => self.open = false,
            Event::Scheduled { schedule } => {
                self.next_at = schedule.next_at;
                for (clock_id, due) in &schedule.clocks {
                    self.with_clock(*clock_id, |kept| kept.due = *due);
                }
            }
            Event::TaskWaits { .. } | Event::TaskGiven { .. } | Event::TaskEnded { .. } => self.apply_task(event),
            Event::Escalated { .. }
            | Event::EscalationAcknowledged { .. }
            | Event::ClimbBegan { .. }
            | Event::ClimbEnded { .. } => self.apply_escalation(event),
            Event::PromiseMade { .. }
            | Event::PromiseWarned { .. }
            | Event::PromiseEnded { .. }
            | Event::PauseContested { .. }
            | Event::ObjectionDecided { .. } => self.apply_word(event),
        }
    }

    fn apply_escalation(&mut self, event: &Event) {
        match event {
            Event::Escalated { escalation } => {
                if let Some(clock_id) = escalation.clock_id {
                    self.with_clock(clock_id, |kept| kept.rungs = kept.rungs.max(escalation.rung));
                }
                for climb in self.climbs.iter_mut().filter(|climb| Some(climb.climb_id) == escalation.climb_id) {
                    climb.level = Some(escalation.level);
                    climb.rungs = escalation.rung;
                    climb.last_at = escalation.at;
                }
                self.escalations.push(escalation.clone());
            }
            Event::EscalationAcknowledged { escalation_id, by, at } => {
                let mut found = None;
                for escalation in self.escalations.iter_mut().filter(|known| known.escalation_id == *escalation_id) {
                    escalation.acknowledged = Some((by.clone(), *at));
                    escalation.settled_at = Some(*at);
                    found = Some((escalation.clock_id, escalation.climb_id));
                }
                let Some((clock_id, climb_id)) = found else { return };
                if let Some(clock_id) = clock_id {
                    self.with_clock(clock_id, |kept| kept.acknowledged_at = Some(*at));
                }
                self.climbs.retain(|climb| Some(climb.climb_id) != climb_id);
            }
            Event::ClimbBegan { climb } => self.climbs.push(climb.clone()),
            Event::ClimbEnded { climb_id, at } => {
                self.climbs.retain(|climb| climb.climb_id != *climb_id);
                self.settle(|known| known.climb_id == Some(*climb_id), *at);
            }
            _ => {}
        }
    }

    fn apply_word(&mut self, event: &Event) {
        match event {
            Event::PromiseMade { promise } => self.promises.push(promise.clone()),
            Event::PromiseWarned { promise_id, .. } => {
                self.with_promise(*promise_id, |promise| promise.warned = true);
            }
            Event::PromiseEnded { promise_id, outcome, at, .. } => {
                self.with_promise(*promise_id, |promise| promise.ended = Some((*outcome, *at)));
            }
            Event::PauseContested { objection } => self.objections.push(objection.clone()),
            Event::ObjectionDecided { objection_id, upheld, reason, .. } => {
                for objection in self.objections.iter_mut().filter(|known| known.objection_id == *objection_id) {
                    objection.upheld = Some(*upheld);
                    objection.answer = Some(reason.clone());
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, clocks: &[NewClock]) {
        let priority = self.matter.as_ref().map_or(Priority::P3, |matter| matter.priority);
        self.clocks.extend(clocks.iter().map(|new| KeptClock::of(new, priority)));
    }

    fn with_clock(&mut self, id: Uuid, change: impl Fn(&mut KeptClock)) {
        self.clocks.iter_mut().filter(|kept| kept.clock_id == id).for_each(change);
    }

    fn settle(&mut self, is_meant: impl Fn(&Escalation) -> bool, at: DateTime<Utc>) {
        for known in self.escalations.iter_mut().filter(|known| known.settled_at.is_none() && is_meant(known)) {
            known.settled_at = Some(at);
        }
    }

    fn with_promise(&mut self, id: Uuid, change: impl Fn(&mut Promise)) {
        self.promises.iter_mut().filter(|promise| promise.promise_id == id).for_each(change);
    }

    fn with_matter(&mut self, change: impl FnOnce(&mut Matter)) {
        if let Some(matter) = self.matter.as_deref_mut() {
            change(matter);
        }
    }
}
