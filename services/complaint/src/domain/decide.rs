//! What follows from a command on a received complaint.

use std::ops::RangeInclusive;

use chrono::{DateTime, Days, Utc};
use steward_kernel::{
    call_back::{CallMeans, CallResult},
    day::{day, zone},
    ids::WorkOrderId,
    text::{Line, Words},
    vocabulary::{self, Channel},
    word::{self, TakenDown},
};

use super::{
    Code, Command, CommitmentId, ComplaintStage, ConsultationId, Event, Facts, Matter, NewCommitment, NewPoint,
    NewRemedy, PointOutcome, Refusal, Remedy, RemedyId, RemedyProgress, Severity, WorkOrderProgress, WorkOrderStep,
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
        if let (C::Withdraw { reason, taken_down }, ComplaintStage::Withdrawn) = (command, self.stage) {
            return self.withdraw_again(reason, taken_down.as_ref(), facts);
        }
        if self.is_already(command, facts) {
            return Ok(Vec::new());
        }
        let allowed = || self.allowed(facts);
        if matches!(command, C::Acknowledge { .. }) && self.goes_on() && self.acknowledged_at.is_some() {
            return Err(Refusal::AlreadyAcknowledged { allowed: allowed() });
        }
        if command.verb().is_some_and(|verb| !self.stage.permits().contains(&verb)) {
            return Err(Refusal::IllegalMove { allowed: allowed() });
        }
        let at = facts.now;
        match command {
            C::Receive(_) => Ok(Vec::new()),
            C::Prioritise { priority } => Ok(vec![Event::Prioritised { priority: *priority }]),
            C::Acknowledge { note } => Ok(vec![Event::Acknowledged { note: note.clone(), at, by: facts.by() }]),
            C::Assess { category, severity, points } => self.assess(category.as_ref(), *severity, points, facts),
            C::Consult { consultation_id, department, question } => Ok(vec![Event::Consulted {
                consultation_id: *consultation_id,
                department: department.clone(),
                question: question.clone(),
                at,
            }]),
            C::AnswerConsultation { consultation_id, answer } => self.answer(*consultation_id, answer, facts),
            C::Plan { text, departments, told_owner_via } => self.propose(text, departments, *told_owner_via, facts),
            C::AwaitOwner { reason } => Ok(vec![Event::AwaitedOwner { reason: reason.clone() }]),
            C::Resume => Ok(vec![Event::Resumed]),
            C::Decide { .. } if !self.can_be_decided() => Err(Refusal::IllegalMove { allowed: allowed() }),
            C::Decide { outcomes, commitments } => self.conclude(outcomes, commitments, at),
            C::Remedy(remedy) => {
                self.can_be_given(remedy, facts)?;
                Ok(self.with_news_of_work(Event::RemedyRequested { remedy: remedy.clone() }))
            }
            C::FollowWorkOrder { remedy_id, work_order_id, step } => self.follow(*remedy_id, *work_order_id, step),
            C::RefuseRemedy { remedy_id, reason } => {
                self.remedy(*remedy_id).ok_or(Refusal::NoSuchRemedy)?;
                Ok(vec![Event::RemedyRefused { remedy_id: *remedy_id, reason: *reason }])
            }
            C::KeepCommitment { commitment_id } => self.keep(*commitment_id, at),
            C::FollowUp { .. } if !self.call_back_owed => Err(Refusal::IllegalMove { allowed: allowed() }),
            C::FollowUp { result, note } => Ok(self.follow_up(*result, note.as_ref(), at)),
            C::Confirm { satisfied: true, comment, taken_down } => {
                self.satisfied(comment.as_ref(), taken_down.as_ref(), facts)
            }
            C::Confirm { satisfied: false, comment, taken_down } => {
                self.not_satisfied(comment.as_ref(), taken_down.as_ref(), facts)
            }
            C::Withdraw { reason, taken_down } => self.withdraw(reason, taken_down.as_ref(), facts),
            C::CallOff => Ok(vec![Event::Withdrawn { reason: None, at: Some(at), taken_down: None, called_off: true }]),
        }
    }

    fn propose(
        &self,
        text: &Words,
        departments: &[Code],
        told_owner_via: Channel,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        if self.open_consultations() > 0 {
            return Err(Refusal::ConsultationsOpen { allowed: self.allowed(facts) });
        }
        if self.stage == ComplaintStage::Proposed && facts.overwrites(self.planned_by.as_ref()) {
            return Err(Refusal::PlannedByAnother { allowed: self.allowed(facts) });
        }
        counted("/departments", departments.len(), &DEPARTMENTS)?;
        let (text, departments) = (text.clone(), departments.to_vec());
        Ok(vec![Event::Planned { text, departments, told_owner_via, at: facts.now, by: facts.by() }])
    }

    fn withdraw(&self, reason: &Words, taken_down: Option<&TakenDown>, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let taken_down = facts.whose(self.receipt.resident_id, taken_down)?.note();
        Ok(vec![Event::Withdrawn { reason: Some(reason.clone()), at: Some(facts.now), taken_down, called_off: false }])
    }

    /// The owner takes back what is withdrawn already: where the company's people had taken that word down before, it is
    /// the owner's own now. Nothing that others say takes its place.
    fn withdraw_again(
        &self,
        reason: &Words,
        taken_down: Option<&TakenDown>,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        let is_own = facts.whose(self.receipt.resident_id, taken_down)?.note().is_none();
        if is_own && self.withdrawal_taken_down.is_some() {
            let reason = Some(reason.clone());
            return Ok(vec![Event::Withdrawn { reason, at: self.ended_at, taken_down: None, called_off: false }]);
        }
        if is_own || self.withdrawn_because.as_ref() == Some(reason) {
            return Ok(Vec::new());
        }
        Err(Refusal::IllegalMove { allowed: self.allowed(facts) })
    }

    /// The owner says that it is solved. On a closed complaint that changes something only where its owner had not said so
    /// before, or the company's people had taken that word down: then it is the owner's own.
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
            ComplaintStage::Closed => {
                let said = self.confirmation.as_ref().filter(|word| word.satisfied);
                let is_new = said.is_none_or(|word| is_own && word.taken_down.is_some());
                Ok(if is_new { vec![confirmed] } else { Vec::new() })
            }
            ComplaintStage::Withdrawn => Err(Refusal::IllegalMove { allowed: self.allowed(facts) }),
            _ if self.open_remedies() > 0 => Err(Refusal::RemediesOpen { allowed: self.allowed(facts) }),
            _ => Ok(vec![confirmed, Event::Closed { at: None }]),
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
    fn is_already(&self, command: &Command, facts: &Facts) -> bool {
        use Command as C;
        let goes_on = self.goes_on();
        match command {
            C::Receive(_) => true,
            // Also of what is over: its owner may come back on it, and intake finds more or less urgent only what it does not know as over.
            C::Prioritise { priority } => self.priority == *priority,
            C::Acknowledge { note } => goes_on && self.is_acknowledged_so(note.as_ref(), facts),
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
                let known = self.remedy(*remedy_id).and_then(|remedy| remedy.order(*work_order_id));
                known.is_some_and(|order| match step {
                    WorkOrderStep::Opened { reference } => order.reference == *reference,
                    WorkOrderStep::Completed => order.progress == WorkOrderProgress::Completed,
                    // What was done stays done.
                    WorkOrderStep::Cancelled => order.progress != WorkOrderProgress::Open,
                })
            }
            // A work order of it is the later word.
            C::RefuseRemedy { remedy_id, .. } => self
                .remedy(*remedy_id)
                .is_some_and(|remedy| remedy.progress == RemedyProgress::Refused || !remedy.work_orders.is_empty()),
            C::KeepCommitment { commitment_id } => {
                let mut kept = self.commitments.iter().filter(|commitment| commitment.kept_at.is_some());
                kept.any(|commitment| commitment.commitment_id == *commitment_id)
            }
            // On a closed one it may be the owner's own word over one that was taken down; each call counts.
            C::Confirm { .. } | C::Withdraw { .. } | C::FollowUp { .. } => false,
            // Whatever it came to before this was heard, the case has ended with it, unless its owner has come back on it since: what
            // happened before calls nothing off.
            C::CallOff => self.stage == ComplaintStage::Withdrawn || self.came_back_after(facts.now),
        }
    }

    fn goes_on(&self) -> bool {
        !matches!(self.stage, ComplaintStage::Closed | ComplaintStage::Withdrawn)
    }

    /// Whether that person has taken it up with these words, or says nothing new.
    fn is_acknowledged_so(&self, note: Option<&Words>, facts: &Facts) -> bool {
        self.acknowledged_at.is_some()
            && self
                .acknowledged_by
                .as_ref()
                .is_none_or(|(by, said)| *by == facts.actor.id && note.is_none_or(|note| Some(note) == said.as_ref()))
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
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        if self.stage != ComplaintStage::Acknowledged && facts.overwrites(self.assessed_by.as_ref()) {
            return Err(Refusal::AssessedByAnother { allowed: self.allowed(facts) });
        }
        if category.is_some_and(|code| vocabulary::category(code).is_none()) {
            return Err(Refusal::UnknownCategory);
        }
        counted("/points", points.len(), &POINTS)?;
        let category = category.unwrap_or(&self.category).clone();
        Ok(vec![Event::Assessed { category, severity, points: points.to_vec(), by: facts.by() }])
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
            WorkOrderStep::Completed => Event::WorkOrderCompleted { remedy_id, work_order_id },
            WorkOrderStep::Cancelled => Event::WorkOrderCancelled { remedy_id, work_order_id },
        };
        let mut after = self.clone();
        after.apply(&event);
        let consequence = match after.remedy(remedy_id).map(Remedy::by_its_orders) {
            Some(progress) if progress == remedy.progress => None,
            None | Some(RemedyProgress::Requested | RemedyProgress::Refused) => None,
            Some(RemedyProgress::Completed) => Some(Event::RemedyCompleted { remedy_id }),
            Some(RemedyProgress::CalledOff) => Some(Event::RemedyCalledOff { remedy_id }),
        };
        Ok(self.with_news_of_work(event).into_iter().chain(consequence).collect())
    }

    /// Work is ordered from a department that serves the estate and has somebody who can do it, as far as that is known.
    fn can_be_given(&self, remedy: &NewRemedy, facts: &Facts) -> Result<(), Refusal> {
        let serving = || facts.departments.iter().filter(|department| department.serves(self.receipt.estate_id));
        if facts.departments.is_empty() {
            return Ok(());
        }
        let Some(department) = serving().find(|department| department.code == remedy.department.as_str()) else {
            let known = serving().map(|department| department.code.clone()).collect();
            return Err(Refusal::UnknownDepartment { known });
        };
        match &remedy.skill {
            Some(skill) if !department.has(skill) => Err(Refusal::UnknownSkill { known: department.skills.clone() }),
            _ => Ok(()),
        }
    }

    /// What follows from an event by which work may be open again.
    fn with_news_of_work(&self, event: Event) -> Vec<Event> {
        let mut after = self.clone();
        after.apply(&event);
        let resumed = self.stage == ComplaintStage::Decided && after.stage == ComplaintStage::Remedying;
        std::iter::once(event).chain(resumed.then_some(Event::WorkResumed)).collect()
    }

    /// A call-back about the decision. After calls on three days in vain it is over, and the complaint with it when nothing
    /// is left to be done: its owner can come back on it.
    fn follow_up(&self, result: CallResult, note: Option<&Line>, at: DateTime<Utc>) -> Vec<Event> {
        let on = day(at, zone(&self.receipt.time_zone));
        let note = note.cloned();
        match self.calls.judge(result, on) {
            CallMeans::Missed => vec![Event::CallMissed { note, on, at }],
            CallMeans::Reached => vec![Event::CalledBack { result, note, on, at }],
            CallMeans::InVain => {
                let ends = self.unsettled_remedies() == 0;
                let closed = ends.then_some(Event::Closed { at: Some(at) });
                std::iter::once(Event::CalledBack { result, note, on, at }).chain(closed).collect()
            }
        }
    }

    fn keep(&self, commitment_id: CommitmentId, at: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
        if self.commitments.iter().all(|commitment| commitment.commitment_id != commitment_id) {
            return Err(Refusal::NoSuchCommitment);
        }
        Ok(vec![Event::CommitmentKept { commitment_id, at }])
    }
}

fn counted(pointer: &'static str, count: usize, range: &RangeInclusive<usize>) -> Result<(), Refusal> {
    if range.contains(&count) {
        Ok(())
    } else {
        Err(Refusal::WrongNumber { pointer, min: *range.start(), max: *range.end() })
    }
}
