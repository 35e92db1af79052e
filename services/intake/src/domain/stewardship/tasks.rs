//! Tasks: what somebody of the company has to do about a case now, or has to know of it. Who is told what stands here alone.
//!
//! A task is withdrawn when the matter has moved on: somebody did it, somebody else has it, there is nothing left to do.
//! What only informs has no end. A work order is told to its technician at once, who works by shifts; everything else waits
//! for the hours of the estate or department, unless the case is P1 or P2.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{Hours, Level, Measure, span::NEVER};
use steward_kernel::{ids::WorkOrderId, vocabulary::Priority, word_enum};
use uuid::Uuid;

use super::{
    Account, Event, HandOver, HandOverOutcome, KeptClock, Order, Why, WorkStep,
    deciding::{Deciding, instant},
};
use crate::domain::{ruling::HEAD_OFFICE, timeline::Milestone};

/// Hours that do not begin within this time never do: then nobody waits for them.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(31);
/// How long after a decision its owner is called back at the earliest.
const CALLED_BACK_AFTER: TimeDelta = TimeDelta::days(1);
/// The worst scores of a survey.
const LOW: std::ops::RangeInclusive<u32> = 1..=2;

word_enum! {
    /// What is to be done or known.
    Duty {
        /// To answer for the case from now on.
        Accountable = "accountable",
        /// To find somebody for a work order that nobody has.
        OrderOpen = "work_order_open",
        /// To do a work order.
        OrderAssigned = "work_order_assigned",
        /// To know that a work order is not theirs any more.
        OrderWithdrawn = "work_order_withdrawn",
        /// To know that the time of a visit was agreed on, or is another one.
        AppointmentMoved = "appointment_moved",
        /// To get what a work order waits for.
        OrderHeld = "work_order_on_hold",
        /// To see that what proves finished work arrives.
        ProofMissed = "work_order_proof_missed",
        /// To see that a work order was called off and none is left.
        OrdersCancelled = "work_orders_cancelled",
        /// To answer what the department was asked.
        Consultation = "consultation",
        /// To go on with what a department answered.
        ConsultationAnswered = "consultation_answered",
        /// To go on with what the owner answered.
        InfoProvided = "info_provided",
        /// To go on with what the owner says is not solved.
        NotSatisfied = "not_satisfied",
        /// To ask the owner about the work that was done for a complaint.
        RemedyDone = "remedy_done",
        /// To order again what a decision promised and has fallen away, or to decide anew how it ends.
        RemedyFellAway = "remedy_fell_away",
        /// To call the owner back.
        CallBack = "call_back",
        /// To decide on the owner's objection to a pause.
        Objection = "objection",
        /// To know that the owner rated badly what was done.
        LowRating = "low_rating",
        /// To know that the case is urgent now.
        MoreUrgent = "more_urgent",
        /// To say whether one answers for the case from now on.
        HandOverOffered = "hand_over_offered",
        /// To know that somebody does not take the case over.
        HandOverRefused = "hand_over_refused",
        /// To know that somebody did not say whether they take the case over.
        HandOverLapsed = "hand_over_lapsed",
    }
}

impl Duty {
    /// Whether it is only to be known: there is nothing to be done about it, and so it has no end.
    const fn informs(self) -> bool {
        match self {
            Self::OrderWithdrawn
            | Self::AppointmentMoved
            | Self::LowRating
            | Self::MoreUrgent
            | Self::HandOverRefused
            | Self::HandOverLapsed => true,
            Self::Accountable
            | Self::OrderOpen
            | Self::OrderAssigned
            | Self::OrderHeld
            | Self::ProofMissed
            | Self::OrdersCancelled
            | Self::Consultation
            | Self::ConsultationAnswered
            | Self::InfoProvided
            | Self::NotSatisfied
            | Self::RemedyDone
            | Self::RemedyFellAway
            | Self::CallBack
            | Self::Objection
            | Self::HandOverOffered => false,
        }
    }

    /// Whether the next step that anybody takes with the case is what was to be done.
    const fn is_next_step(self) -> bool {
        match self {
            Self::Accountable
            | Self::OrdersCancelled
            | Self::ConsultationAnswered
            | Self::InfoProvided
            | Self::NotSatisfied
            | Self::RemedyDone => true,
            // These are ended by what they ask for.
            Self::CallBack | Self::RemedyFellAway => false,
            Self::OrderOpen
            | Self::OrderAssigned
            | Self::OrderWithdrawn
            | Self::AppointmentMoved
            | Self::OrderHeld
            | Self::ProofMissed
            | Self::Consultation
            | Self::Objection
            | Self::LowRating
            | Self::MoreUrgent
            | Self::HandOverOffered
            | Self::HandOverRefused
            | Self::HandOverLapsed => false,
        }
    }

    /// Whether it is for who was sent or called back a moment ago: they are at work, whatever the estate's hours.
    const fn is_of_a_shift(self) -> bool {
        matches!(self, Self::OrderAssigned | Self::OrderWithdrawn | Self::AppointmentMoved)
    }
}

/// Who is told; who that is, is seen when they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "accounts", rename_all = "snake_case")]
pub enum Audience {
    /// Who answers for the case.
    Accountable,
    /// Who leads the task's department; of a task without one, the estate's.
    Lead,
    /// Who may decide in a matter of the accountable person: the next above who is somebody else.
    Judge,
    /// Who answers for the case, and the technicians who have its work orders.
    Everybody,
    /// These.
    Accounts(Vec<Account>),
}

/// Something that somebody has to do or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which.
    pub task_id: Uuid,
    /// What.
    pub duty: Duty,
    /// For whom.
    pub audience: Audience,
    /// The work order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_order: Option<WorkOrderId>,
    /// Code of the department it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The objection it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<Uuid>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// From when on it is told; none = at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// When it came up.
    pub at: DateTime<Utc>,
    /// Until when it waits to be told; none = it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<DateTime<Utc>>,
    /// Who was told; nobody as long as it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Account>,
}

impl Task {
    fn is_told(&self) -> bool {
        self.waits_until.is_none()
    }

    fn is_of(&self, order: WorkOrderId) -> bool {
        self.work_order == Some(order)
    }
}

/// A task that comes up, before it has an id.
#[derive(Debug, Clone)]
struct NewTask {
    duty: Duty,
    audience: Audience,
    work_order: Option<WorkOrderId>,
    department: Option<String>,
    objection: Option<Uuid>,
    due_at: Option<DateTime<Utc>>,
    not_before: Option<DateTime<Utc>>,
}

impl NewTask {
    fn of(duty: Duty, audience: Audience) -> Self {
        Self { duty, audience, work_order: None, department: None, objection: None, due_at: None, not_before: None }
    }

    fn order(self, order: &Order) -> Self {
        Self { work_order: Some(order.id), department: Some(order.department.clone()), ..self }
    }
}

// Giving and ending.
impl Deciding<'_> {
    fn give(&mut self, new: NewTask) {
        let NewTask { duty, audience, work_order, department, objection, due_at, not_before } = new;
        let at = self.facts.now;
        let from = not_before.map_or(at, |not_before| not_before.max(at));
        let begins = if duty.is_of_a_shift() { from } else { self.hours_begin(from, department.as_deref()) };
        let task = Task {
            task_id: self.id(&format!("task/{duty}/{}", self.state.tasks_given)),
            duty,
            audience,
            work_order,
            department,
            objection,
            due_at,
            not_before,
            at,
            waits_until: Some(begins).filter(|begins| *begins > at),
            told: Vec::new(),
        };
        if task.waits_until.is_some() {
            self.emit(Event::TaskWaits { task });
        } else {
            self.tell(task);
        }
    }

    /// Tells whoever it is for by now; where that is nobody, it is dropped.
    fn tell(&mut self, task: Task) {
        let told = self.audience(&task);
        if told.is_empty() {
            self.end_tasks(|known| known.task_id == task.task_id);
        } else {
            self.emit(Event::TaskGiven { task: Task { waits_until: None, told, ..task } });
        }
    }

    fn audience(&self, task: &Task) -> Vec<Account> {
        let mut accounts = match &task.audience {
            Audience::Accountable => self.told(Level::Worker, None, None),
            Audience::Lead => self.told(Level::Lead, task.department.as_deref(), None),
            Audience::Judge => self.judge(),
            Audience::Everybody => {
                let technicians = self.state.orders.iter().filter_map(|order| order.technician.as_deref());
                let technicians = technicians.map(|account| self.facts.ruling.acting_for(account));
                self.told(Level::Worker, None, None).into_iter().chain(technicians).collect()
            }
            Audience::Accounts(accounts) => {
                accounts.iter().map(|account| self.facts.ruling.acting_for(account)).collect()
            }
        };
        accounts.sort_unstable();
        accounts.dedup();
        let knows = |account: &Account| self.knows(task.duty, account);
        accounts.retain(|account| account != HEAD_OFFICE && !knows(account));
        accounts
    }

    /// Whether somebody knows it already: they did it themselves, or the ladder that began with it tells them first.
    fn knows(&self, duty: Duty, account: &str) -> bool {
        let does_it = self.facts.actor.id.as_str() == account;
        match duty {
            Duty::NotSatisfied => does_it || self.told(Level::Lead, None, None).iter().any(|lead| lead == account),
            _ => does_it,
        }
    }

    fn judge(&self) -> Vec<Account> {
        let accountable = self.state.accountable.account().map(|account| self.facts.ruling.acting_for(account));
        let levels = [Level::Lead, Level::EstateManager, Level::Region, Level::Company];
        let mut above = levels.into_iter().filter_map(|level| self.facts.ruling.holder(level, None));
        above.find(|account| Some(account) != accountable.as_ref()).into_iter().collect()
    }

    fn end_tasks(&mut self, is_meant: impl Fn(&Task) -> bool) {
        let meant: Vec<Task> = self.state.tasks.iter().filter(|task| is_meant(task)).cloned().collect();
        for task in meant {
            self.emit(Event::TaskEnded { task_id: task.task_id, told: task.is_told(), at: self.facts.now });
        }
    }

    /// When the hours begin in which people are told: at once when they have begun, and for what does not wait for them.
    pub(super) fn hours_begin(&self, at: DateTime<Utc>, department: Option<&str>) -> DateTime<Utc> {
        if self.hours_of_urgency() == Hours::Always {
            return at;
        }
        let calendar = self.facts.timetable.get(&self.facts.ruling.pin(Hours::Estate, department));
        let from = at.timestamp();
        // What falls due with the last second of a day is told in it.
        if calendar.open_seconds(from - 1, from) > 0 {
            return at;
        }
        let opens = calendar.after(from, 1);
        let begins =
            Some(opens).filter(|opens| *opens != NEVER).and_then(|opens| DateTime::from_timestamp(opens - 1, 0));
        begins.filter(|begins| *begins < at + LONGEST_WAIT).map_or(at, |begins| begins.max(at))
    }

    /// Tells what has waited for the hours to begin.
    pub(super) fn look_at_tasks(&mut self) {
        let always = self.hours_of_urgency() == Hours::Always;
        let now = self.facts.now;
        let is_time = |task: &Task| task.not_before.is_none_or(|not_before| not_before <= now);
        let is_due = |task: &&Task| task.waits_until.is_some_and(|until| until <= now || (always && is_time(task)));
        let waiting = self.state.tasks.iter().filter(is_due);
        for task in waiting.cloned().collect::<Vec<_>>() {
            self.tell(task);
        }
    }

    pub(super) fn next_of_tasks(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.state.tasks.iter().filter_map(|task| task.waits_until)
    }
}

// Following what happens.
impl Deciding<'_> {
    /// The case took a step: what it was is done, what it means is to be done.
    pub(super) fn tasks_of_step(&mut self, milestone: Milestone) {
        use {Audience as A, Milestone as M};
        if moves_on(milestone) && !self.is_of_before() {
            self.end_tasks(|task| task.duty.is_next_step());
        }
        if is_solved(milestone) {
            self.end_tasks(|task| task.duty == Duty::Consultation);
        }
        if leaves_no_call_back(milestone) {
            self.tasks_of_called_back();
        }
        if makes_good(milestone) {
            self.end_tasks(|task| task.duty == Duty::RemedyFellAway);
        }
        if milestone == M::Decided {
            self.owe_call_back();
        }
        if !self.state.open {
            return;
        }
        let duty = match milestone {
            M::InfoProvided => Duty::InfoProvided,
            M::Reopened | M::Rework => Duty::NotSatisfied,
            M::RemedyDone => Duty::RemedyDone,
            M::FollowUpDue => Duty::CallBack,
            _ => return,
        };
        self.give(NewTask::of(duty, A::Accountable));
    }

    /// The owner is to be called about the decision: not on the day of it, before the clock of the call-back is due.
    fn owe_call_back(&mut self) {
        let is_owed = |kept: &&KeptClock| kept.is_running() && kept.measure == Measure::FollowUp;
        let Some(kept) = self.state.clocks.iter().find(is_owed) else { return };
        let due_at = instant(kept.clock.due_at(&self.facts.timetable));
        let not_before = Some(self.at + CALLED_BACK_AFTER);
        self.give(NewTask { due_at, not_before, ..NewTask::of(Duty::CallBack, Audience::Accountable) });
    }

    /// Nobody is to be called back any more.
    pub(super) fn tasks_of_called_back(&mut self) {
        self.end_tasks(|task| task.duty == Duty::CallBack);
    }

    /// What a decision promised has fallen away: whoever answers for the case orders it again, or says how it ends.
    pub(super) fn tasks_of_falling_away(&mut self) {
        // It says more than that work orders were called off.
        self.end_tasks(|task| matches!(task.duty, Duty::RemedyFellAway | Duty::OrdersCancelled));
        if self.state.open {
            self.give(NewTask::of(Duty::RemedyFellAway, Audience::Accountable));
        }
    }

    /// A work order took a step.
    ///
    /// * `before`: as it was.
    /// * `is_past`: the case rests, and nobody is told to do anything about it any more.
    pub(super) fn tasks_of_work(&mut self, before: Option<&Order>, id: WorkOrderId, step: &WorkStep, is_past: bool) {
        let holder = before.and_then(|order| order.technician.clone());
        match step {
            WorkStep::Opened if before.is_none() && !is_past => self.seek_technician(id),
            WorkStep::Opened | WorkStep::Departed => {}
            WorkStep::Assigned { .. } | WorkStep::Transferred if is_past => self.end_tasks(|task| task.is_of(id)),
            WorkStep::Held { .. } if is_past => {}
            WorkStep::Assigned { technician } => {
                self.end_tasks(|task| task.is_of(id));
                self.withdraw(before, holder.filter(|holder| Some(holder) != technician.as_ref()));
                if let (Some(order), Some(technician)) = (self.state.order(id).cloned(), technician) {
                    let named = Audience::Accounts(vec![technician.clone()]);
                    self.give(NewTask::of(Duty::OrderAssigned, named).order(&order));
                }
            }
            WorkStep::Accepted | WorkStep::Arrived | WorkStep::MadeSafe => {
                self.end_tasks(|task| task.is_of(id) && task.duty == Duty::OrderAssigned);
            }
            // The ladder of what was returned begins with the lead.
            WorkStep::Returned | WorkStep::Completed => self.end_tasks(|task| task.is_of(id)),
            WorkStep::Transferred => {
                self.end_tasks(|task| task.is_of(id));
                self.withdraw(before, holder);
                self.seek_technician(id);
            }
            WorkStep::Held { reason, .. } => self.seek_what_is_missing(id, reason),
            WorkStep::Resumed => self.end_tasks(|task| task.is_of(id) && task.duty == Duty::OrderHeld),
            WorkStep::Cancelled => {
                self.end_tasks(|task| task.is_of(id));
                self.withdraw(before, holder);
                let is_known = self.state.tasks.iter().any(|task| task.duty == Duty::RemedyFellAway);
                if before.is_some() && !is_past && self.state.orders.is_empty() && !is_known {
                    self.give(NewTask::of(Duty::OrdersCancelled, Audience::Accountable));
                }
            }
        }
    }

    fn seek_technician(&mut self, id: WorkOrderId) {
        if let Some(order) = self.state.order(id).cloned() {
            self.give(NewTask::of(Duty::OrderOpen, Audience::Lead).order(&order));
        }
    }

    /// What proves finished work has not arrived, or has: whoever leads the department looks after it.
    pub(super) fn tasks_of_proof(&mut self, id: WorkOrderId, department: &str, arrived: bool) {
        self.end_tasks(|task| task.is_of(id) && task.duty == Duty::ProofMissed);
        if !arrived {
            let task = NewTask::of(Duty::ProofMissed, Audience::Lead);
            self.give(NewTask { work_order: Some(id), department: Some(department.to_owned()), ..task });
        }
    }

    /// Whoever had to do it has left: it is told to whoever has their place now.
    pub(super) fn pass_on(&mut self, account: &str) {
        let named = |task: &Task| matches!(task.audience, Audience::Accounts(_));
        let theirs = |task: &&Task| !named(task) && task.told.iter().any(|told| told == account);
        for task in self.state.tasks.iter().filter(theirs).cloned().collect::<Vec<_>>() {
            self.end_tasks(|known| known.task_id == task.task_id);
            let Task { duty, audience, work_order, department, objection, due_at, not_before, .. } = task;
            self.give(NewTask { duty, audience, work_order, department, objection, due_at, not_before });
        }
    }

    /// A way in is agreed upon with the owner; parts, consent and others' work are for the lead.
    fn seek_what_is_missing(&mut self, id: WorkOrderId, reason: &str) {
        let Some(order) = self.state.order(id).cloned() else { return };
        self.end_tasks(|task| task.is_of(id) && task.duty == Duty::OrderHeld);
        let audience = if reason == "access" { Audience::Accountable } else { Audience::Lead };
        self.give(NewTask::of(Duty::OrderHeld, audience).order(&order));
    }

    fn withdraw(&mut self, order: Option<&Order>, holder: Option<Account>) {
        if let (Some(order), Some(holder)) = (order, holder) {
            self.give(NewTask::of(Duty::OrderWithdrawn, Audience::Accounts(vec![holder])).order(order));
        }
    }

    /// Somebody else answers for the case: what was theirs to do is the other's now.
    pub(super) fn tasks_of_naming(&mut self, account: &str, why: Why) {
        let passed_on = |task: &Task| task.audience == Audience::Accountable && task.is_told();
        let passed: Vec<Task> = self.state.tasks.iter().filter(|task| passed_on(task)).cloned().collect();
        self.end_tasks(passed_on);
        if account != HEAD_OFFICE && why != Why::FirstReceiver {
            self.give(NewTask::of(Duty::Accountable, Audience::Accountable));
        }
        for Task { duty, audience, work_order, department, objection, due_at, not_before, .. } in passed {
            if duty != Duty::Accountable {
                self.give(NewTask { duty, audience, work_order, department, objection, due_at, not_before });
            }
        }
    }

    pub(super) fn tasks_of_offer(&mut self, hand_over: &HandOver) {
        let asked = Audience::Accounts(vec![hand_over.to.clone()]);
        self.give(NewTask { due_at: Some(hand_over.lapses_at), ..NewTask::of(Duty::HandOverOffered, asked) });
    }

    /// Who asked and who keeps the case are told when it stays against their wish.
    pub(super) fn tasks_of_answer(&mut self, hand_over: &HandOver, outcome: HandOverOutcome) {
        self.end_tasks(|task| task.duty == Duty::HandOverOffered);
        let duty = match outcome {
            HandOverOutcome::Refused => Duty::HandOverRefused,
            HandOverOutcome::Lapsed => Duty::HandOverLapsed,
            HandOverOutcome::Accepted | HandOverOutcome::Withdrawn => return,
        };
        let concerned = Audience::Accounts(vec![hand_over.by.clone(), hand_over.from.clone()]);
        self.give(NewTask::of(duty, concerned));
    }

    /// The owner was given a time for a visit, or another one: whoever comes has to know.
    pub(super) fn visit_was_set(&mut self, technicians: &[Account]) {
        // Nobody comes to what is over.
        if !self.state.open {
            return;
        }
        self.give(NewTask::of(Duty::AppointmentMoved, Audience::Accounts(technicians.to_vec())));
    }

    pub(super) fn consult(&mut self, department: &str) {
        if !self.state.open {
            return;
        }
        let task = NewTask::of(Duty::Consultation, Audience::Lead);
        self.give(NewTask { department: Some(department.to_owned()), ..task });
    }

    pub(super) fn consulted(&mut self, department: &str) {
        self.end_tasks(|task| task.duty == Duty::Consultation && task.department.as_deref() == Some(department));
        if self.state.open {
            let task = NewTask::of(Duty::ConsultationAnswered, Audience::Accountable);
            self.give(NewTask { department: Some(department.to_owned()), ..task });
        }
    }

    /// The owner rated what was done: who leads learns of what was bad.
    ///
    /// * `scores`: from 1 to 5; 0 = not given.
    pub(super) fn rated(&mut self, scores: &[u32]) {
        if scores.iter().any(|score| LOW.contains(score)) {
            self.give(NewTask::of(Duty::LowRating, Audience::Lead));
        }
    }

    pub(super) fn tasks_of_objection(&mut self, objection_id: Uuid) {
        let task = NewTask::of(Duty::Objection, Audience::Judge);
        self.give(NewTask { objection: Some(objection_id), ..task });
    }

    pub(super) fn tasks_of_verdict(&mut self, objection_id: Uuid) {
        self.end_tasks(|task| task.objection == Some(objection_id));
    }

    /// What has become urgent is told to everybody who has a part in it.
    pub(super) fn tasks_of_priority(&mut self, before: Priority) {
        let is_urgent = matches!(self.matter.priority, Priority::P1 | Priority::P2);
        if is_urgent && self.matter.priority < before {
            self.give(NewTask::of(Duty::MoreUrgent, Audience::Everybody));
        }
    }

    /// The case is over. Its work orders end by themselves, and a bad rating is about what was.
    pub(super) fn tasks_of_end(&mut self) {
        self.end_tasks(|task| task.work_order.is_none() && task.duty != Duty::LowRating);
    }
}

impl super::Stewardship {
    /// Who was told that something is to be done, and has not seen the end of it.
    #[must_use]
    pub fn told(&self) -> BTreeSet<&str> {
        self.tasks.iter().flat_map(|task| &task.told).map(String::as_str).collect()
    }

    pub(super) fn apply_task(&mut self, event: &Event) {
        match event {
            Event::TaskWaits { task } => {
                self.tasks_given += 1;
                self.tasks.push(task.clone());
            }
            Event::TaskGiven { task } => {
                let has_waited = self.tasks.iter().any(|known| known.task_id == task.task_id);
                self.tasks_given += u32::from(!has_waited);
                self.tasks.retain(|known| known.task_id != task.task_id);
                self.tasks.extend((!task.duty.informs()).then(|| task.clone()));
            }
            Event::TaskEnded { task_id, .. } => self.tasks.retain(|known| known.task_id != *task_id),
            _ => {}
        }
    }
}

/// Whether somebody took the case further: what was to be done next is done, or is something else. Not what the system
/// does by itself, and not a rating.
const fn moves_on(milestone: Milestone) -> bool {
    use Milestone as M;
    !matches!(
        milestone,
        M::Received
            | M::Linked
            | M::SatisfactionAsked
            | M::SurveyAnswered
            | M::FollowUpDue
            | M::Resumed
            | M::RemedyDone
            | M::RemedyCalledOff
    )
}

/// Whether nobody is to be called back after it: somebody was reached, the owner has spoken, or it is another matter now.
const fn leaves_no_call_back(milestone: Milestone) -> bool {
    use Milestone as M;
    matches!(
        milestone,
        M::FollowedUp | M::Confirmed | M::Verified | M::Closed | M::Reopened | M::Rework | M::Answered | M::Decided
    )
}

/// Whether it is known how it goes on after promised work has fallen away.
const fn makes_good(milestone: Milestone) -> bool {
    use Milestone as M;
    matches!(milestone, M::RemedyStarted | M::Decided | M::Confirmed | M::Reopened | M::Closed)
}

/// Whether there is an answer to what the owner wanted: nobody waits for what a department says any more.
const fn is_solved(milestone: Milestone) -> bool {
    use Milestone as M;
    matches!(
        milestone,
        M::Answered | M::WorkDone | M::Decided | M::RemedyDone | M::Accepted | M::Declined | M::Planned | M::Delivered
    )
}
