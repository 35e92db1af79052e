//! What follows from a command on a received complaint.

use std::ops::RangeInclusive;

use chrono::{DateTime, Days, Utc};
use steward_kernel::{
    day::{day, zone},
    ids::WorkOrderId,
    text::Words,
    vocabulary,
    word::{self, TakenDown},
};

use super::{
    Code, Command, CommitmentId, ComplaintStage, ConsultationId, Event, Facts, Matter, NewCommitment, NewPoint,
    NewRemedy, PointOutcome, Refusal, Remedy, RemedyId, RemedyProgress, Severity, WorkOrder, WorkOrderProgress,
    WorkOrderStep,
};

/// How many points a complaint has. Source: the public event of the assessment.
const POINTS: RangeInclusive<usize> = 1..=20;
/// How many departments take part in a plan.
const DEPARTMENTS: RangeInclusive<usize> = 0..=20;
/// How far ahead a promise may lie: as far as every other time that is given to an owner.
const AHEAD: Days = Days::new(730);
/// How many promises one decision makes.
const COMMITMENTS: RangeInclusive<usize> = 0..=20;

impl Matter {
    /// See [`Aggregate::decide`](steward_kernel::Aggregate::decide).
    pub(super) fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use Command as C;
        if !facts.actor.sees(self.receipt.estate_id, self.receipt.resident_id) {
            return Err(Refusal::NoSuchComplaint);
        }
        if self.is_already(command, facts.now) {
            return Ok(Vec::new());
        }
        let allowed = || self.allowed(facts);
        if command.verb().is_some_and(|verb| !self.stage.permits().contains(&verb)) {
            return Err(Refusal::IllegalMove { allowed: allowed() });
        }
        let at = facts.now;
        match command {
            C::Receive(_) => Ok(Vec::new()),
            C::Prioritise { priority } => Ok(vec![Event::Prioritised { priority: *priority }]),
            C::Acknowledge { note } => Ok(vec![Event::Acknowledged { note: note.clone(), at }]),
            C::Assess { category, severity, points } => self.assess(category.as_ref(), *severity, points),
            C::Consult { consultation_id, department, question } => Ok(vec![Event::Consulted {
                consultation_id: *consultation_id,
                department: department.clone(),
                question: question.clone(),
                at,
            }]),
            C::AnswerConsultation { consultation_id, answer } => self.answer(*consultation_id, answer, facts),
            C::Plan { .. } if self.open_consultations() > 0 => Err(Refusal::ConsultationsOpen { allowed: allowed() }),
            C::Plan { text, departments, told_owner_via } => {
                counted("/departments", departments.len(), &DEPARTMENTS)?;
                Ok(vec![Event::Planned {
                    text: text.clone(),
                    departments: departments.clone(),
                    told_owner_via: *told_owner_via,
                    at,
                }])
            }
            C::AwaitOwner { reason } => Ok(vec![Event::AwaitedOwner { reason: reason.clone() }]),
            C::Resume => Ok(vec![Event::Resumed]),
            C::Decide { outcomes, commitments } => self.conclude(outcomes, commitments, at),
            C::Remedy(remedy) => Ok(vec![Event::RemedyRequested { remedy: remedy.clone() }]),
            C::FollowWorkOrder { remedy_id, work_order_id, step } => self.follow(*remedy_id, *work_order_id, step),
            C::KeepCommitment { commitment_id } => self.keep(*commitment_id, at),
            C::Confirm { satisfied: true, comment, taken_down } => {
                self.satisfied(comment.as_ref(), taken_down.as_ref(), facts)
            }
            C::Confirm { satisfied: false, comment, taken_down } => {
                self.not_satisfied(comment.as_ref(), taken_down.as_ref(), facts)
            }
            C::Withdraw { reason, taken_down } => {
                let taken_down = facts.whose(self.receipt.resident_id, taken_down.as_ref())?.note();
                let reason = Some(reason.clone());
                Ok(vec![Event::Withdrawn { reason, at: Some(at), taken_down, called_off: false }])
            }
            C::CallOff => Ok(vec![Event::Withdrawn { reason: None, at: Some(at), taken_down: None, called_off: true }]),
        }
    }

    /// The owner says that it is solved. On a closed complaint that changes something only where the company's people
    /// had taken that word down before: then it is the owner's own.
    fn satisfied(
        &self,
        comment: Option<&Words>,
        taken_down: Option<&TakenDown>,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        let taken_down = facts.whose(self.receipt.resident_id, taken_down)?.note();
        let is_own = taken_down.is_none();
        let confirmed = Event::Confirmed { satisfied: true, comment: comment.cloned(), at: facts.now, taken_down };
        match self.stage {
            ComplaintStage::Closed if is_own && self.was_taken_down() => Ok(vec![confirmed]),
            ComplaintStage::Closed => Ok(Vec::new()),
            ComplaintStage::Withdrawn => Err(Refusal::IllegalMove { allowed: self.allowed(facts) }),
            _ if self.open_remedies() > 0 => Err(Refusal::RemediesOpen { allowed: self.allowed(facts) }),
            _ => Ok(vec![confirmed, Event::Closed]),
        }
    }

    /// The owner says that it is not solved: it goes on, also after the end, as long as its owner can come back.
    fn not_satisfied(
        &self,
        comment: Option<&Words>,
        taken_down: Option<&TakenDown>,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        let taken_down = facts.whose(self.receipt.resident_id, taken_down)?.note();
        if let Some(ended_at) = self.ended_at {
            word::may_come_back(ended_at, facts.come_back_within, facts.now).map_err(Refusal::Word)?;
        }
        Ok(vec![Event::Confirmed { satisfied: false, comment: comment.cloned(), at: facts.now, taken_down }])
    }

    /// Whether it is so already, so that asking again is harmless.
    fn is_already(&self, command: &Command, at: DateTime<Utc>) -> bool {
        use Command as C;
        let goes_on = !matches!(self.stage, ComplaintStage::Closed | ComplaintStage::Withdrawn);
        match command {
            C::Receive(_) => true,
            // What is over keeps the priority that it had.
            C::Prioritise { priority } => !goes_on || self.priority == *priority,
            C::Acknowledge { .. } => goes_on && self.acknowledged_at.is_some(),
            C::Assess { category, severity, points } => self.is_assessed_as(category.as_ref(), *severity, points),
            C::Consult { department, question, .. } => goes_on && self.asks(department, question),
            C::AnswerConsultation { consultation_id, answer } => {
                let same = |id: ConsultationId, given: Option<&Words>| id == *consultation_id && given == Some(answer);
                goes_on && self.consultations.iter().any(|asked| same(asked.consultation_id, asked.answer.as_ref()))
            }
            C::Plan { text, departments, told_owner_via } => {
                self.stage == ComplaintStage::Proposed
                    && self.plan.as_ref().is_some_and(|plan| {
                        plan.text == *text && plan.departments == *departments && plan.told_owner_via == *told_owner_via
                    })
            }
            C::AwaitOwner { reason } => self.waiting.as_ref().is_some_and(|waiting| waiting.reason == *reason),
            // A second decision would be lost, and a second "go on" comes too late: both are told so.
            C::Resume | C::Decide { .. } => false,
            C::Remedy(remedy) => goes_on && self.has_ordered(remedy),
            C::FollowWorkOrder { remedy_id, work_order_id, step } => {
                let known = self.remedy(*remedy_id).and_then(|remedy| find(remedy, *work_order_id));
                known.is_some_and(|order| match step {
                    WorkOrderStep::Opened { .. } => true,
                    WorkOrderStep::Completed => order.progress == WorkOrderProgress::Completed,
                    WorkOrderStep::Cancelled => order.progress == WorkOrderProgress::Cancelled,
                })
            }
            C::KeepCommitment { commitment_id } => {
                let mut kept = self.commitments.iter().filter(|commitment| commitment.kept_at.is_some());
                kept.any(|commitment| commitment.commitment_id == *commitment_id)
            }
            // On a closed one it may be the owner's own word over one that was taken down.
            C::Confirm { .. } => false,
            C::Withdraw { .. } => self.stage == ComplaintStage::Withdrawn,
            // What its owner has come back on since was not called off by what happened before.
            C::CallOff => !goes_on || self.came_back_after(at),
        }
    }

    fn is_assessed_as(&self, category: Option<&String>, severity: Severity, points: &[NewPoint]) -> bool {
        matches!(self.stage, ComplaintStage::Assessed | ComplaintStage::Investigating)
            && category.is_none_or(|category| *category == self.category)
            && self.severity == Some(severity)
            && self.points.iter().map(|point| &point.text).eq(points.iter().map(|point| &point.text))
    }

    fn asks(&self, department: &Code, question: &Words) -> bool {
        let mut open = self.consultations.iter().filter(|asked| asked.answer.is_none());
        open.any(|asked| asked.department == *department && asked.question == *question)
    }

    fn has_ordered(&self, new: &NewRemedy) -> bool {
        let mut open = self.remedies.iter().filter(|remedy| remedy.progress == RemedyProgress::Requested);
        open.any(|remedy| {
            remedy.department == new.department && remedy.skill == new.skill && remedy.summary == new.summary
        })
    }

    fn assess(
        &self,
        category: Option<&String>,
        severity: Severity,
        points: &[NewPoint],
    ) -> Result<Vec<Event>, Refusal> {
        if category.is_some_and(|code| vocabulary::category(code).is_none()) {
            return Err(Refusal::UnknownCategory);
        }
        counted("/points", points.len(), &POINTS)?;
        let category = category.unwrap_or(&self.category).clone();
        Ok(vec![Event::Assessed { category, severity, points: points.to_vec() }])
    }

    fn answer(&self, id: ConsultationId, answer: &Words, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let asked = self.consultations.iter().find(|asked| asked.consultation_id == id);
        if asked.ok_or(Refusal::NoSuchConsultation)?.answer.is_some() {
            return Err(Refusal::ConsultationAlreadyAnswered { allowed: self.allowed(facts) });
        }
        Ok(vec![Event::ConsultationAnswered { consultation_id: id, answer: answer.clone(), at: facts.now }])
    }

    fn conclude(
        &self,
        outcomes: &[PointOutcome],
        commitments: &[NewCommitment],
        at: DateTime<Utc>,
    ) -> Result<Vec<Event>, Refusal> {
        for (index, outcome) in outcomes.iter().enumerate() {
            if self.points.iter().all(|point| point.point_id != outcome.point_id) {
                return Err(Refusal::NoSuchPoint { index });
            }
            if outcomes.iter().take(index).any(|earlier| earlier.point_id == outcome.point_id) {
                return Err(Refusal::PointTwice { index });
            }
        }
        if outcomes.len() < self.points.len() {
            return Err(Refusal::PointUndecided);
        }
        counted("/commitments", commitments.len(), &COMMITMENTS)?;
        let today = day(at, zone(&self.receipt.time_zone));
        if let Some(index) = commitments.iter().position(|commitment| commitment.due_on < today) {
            return Err(Refusal::CommitmentPast { index });
        }
        if let Some(index) = commitments.iter().position(|commitment| commitment.due_on > today + AHEAD) {
            return Err(Refusal::CommitmentTooFar { index });
        }
        Ok(vec![Event::Decided { outcomes: outcomes.to_vec(), commitments: commitments.to_vec(), at }])
    }

    fn follow(
        &self,
        remedy_id: RemedyId,
        work_order_id: WorkOrderId,
        step: &WorkOrderStep,
    ) -> Result<Vec<Event>, Refusal> {
        let remedy = self.remedy(remedy_id).ok_or(Refusal::NoSuchRemedy)?;
        let event = match step {
            WorkOrderStep::Opened { reference } => {
                Event::WorkOrderOpened { remedy_id, work_order_id, reference: reference.clone() }
            }
            WorkOrderStep::Completed | WorkOrderStep::Cancelled if find(remedy, work_order_id).is_none() => {
                return Err(Refusal::NoSuchRemedy);
            }
            WorkOrderStep::Completed => Event::WorkOrderCompleted { remedy_id, work_order_id },
            WorkOrderStep::Cancelled => Event::WorkOrderCancelled { remedy_id, work_order_id },
        };
        let mut after = self.clone();
        after.apply(&event);
        let consequence = match after.remedy(remedy_id).map(Remedy::by_its_orders) {
            Some(progress) if progress == remedy.progress => None,
            None | Some(RemedyProgress::Requested) => None,
            Some(RemedyProgress::Completed) => Some(Event::RemedyCompleted { remedy_id }),
            Some(RemedyProgress::CalledOff) => Some(Event::RemedyCalledOff { remedy_id }),
        };
        Ok(std::iter::once(event).chain(consequence).collect())
    }

    fn keep(&self, commitment_id: CommitmentId, at: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
        if self.commitments.iter().all(|commitment| commitment.commitment_id != commitment_id) {
            return Err(Refusal::NoSuchCommitment);
        }
        Ok(vec![Event::CommitmentKept { commitment_id, at }])
    }
}

fn find(remedy: &Remedy, id: WorkOrderId) -> Option<&WorkOrder> {
    remedy.work_orders.iter().find(|order| order.work_order_id == id)
}

fn counted(pointer: &'static str, count: usize, range: &RangeInclusive<usize>) -> Result<(), Refusal> {
    if range.contains(&count) {
        Ok(())
    } else {
        Err(Refusal::WrongNumber { pointer, min: *range.start(), max: *range.end() })
    }
}
