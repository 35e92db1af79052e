//! What a received complaint is: its state, what can be read off it, and how events change it.

use chrono::{DateTime, Utc};
use steward_kernel::{
    ActorId,
    call_back::{CallResult, Calls},
    ids::{CaseId, WorkOrderId},
    text::Words,
    vocabulary::Priority,
    word::{self, WordNote},
};

use super::{
    Code, Commitment, CommitmentId, ComplaintStage, Confirmation, Consultation, ConsultationId, Event, Facts,
    NewCommitment, NewPoint, NewRemedy, Plan, Point, PointOutcome, Receipt, Remedy, RemedyId, RemedyProgress, Severity,
    Verb, Waiting, WorkOrder, WorkOrderProgress,
};

/// What a received complaint is, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The case, the same in every service.
    pub case_id: CaseId,
    /// What came from the case.
    pub receipt: Receipt,
    /// Where it stands.
    pub stage: ComplaintStage,
    /// Code of the taxonomy, as assessed.
    pub category: String,
    /// How urgent now.
    pub priority: Priority,
    /// How grave, once assessed.
    pub severity: Option<Severity>,
    /// When a person took it up.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who that was, and what they said to the owner; nobody where that was not written down.
    pub(super) acknowledged_by: Option<(ActorId, Option<Words>)>,
    /// Who has assessed it last.
    pub(super) assessed_by: Option<ActorId>,
    /// Who has planned it last.
    pub(super) planned_by: Option<ActorId>,
    /// Its points, once assessed.
    pub points: Vec<Point>,
    /// Which departments were asked, oldest first.
    pub consultations: Vec<Consultation>,
    /// The plan that the owner was told last.
    pub plan: Option<Plan>,
    /// That the owner is waited for.
    pub waiting: Option<Waiting>,
    /// When it was decided last.
    pub decided_at: Option<DateTime<Utc>>,
    /// What was promised, oldest first.
    pub commitments: Vec<Commitment>,
    /// What work was ordered, oldest first.
    pub remedies: Vec<Remedy>,
    /// Whether its owner is to be called back about the decision.
    pub call_back_owed: bool,
    /// The calls of that call-back that reached nobody.
    pub calls: Calls,
    /// The owner's last word on the result.
    pub confirmation: Option<Confirmation>,
    /// Why it was withdrawn, if that was said.
    pub withdrawn_because: Option<Words>,
    /// How the word to withdraw it was taken down; none = the owner gave it, or its case was called off.
    pub withdrawal_taken_down: Option<WordNote>,
    /// When it ended; none while it goes on.
    pub ended_at: Option<DateTime<Utc>>,
    /// When its owner said last that it is not solved.
    came_back_at: Option<DateTime<Utc>>,
}

impl Matter {
    /// As it comes in.
    #[must_use]
    pub(super) fn new(case_id: CaseId, receipt: &Receipt) -> Self {
        Self {
            case_id,
            receipt: receipt.clone(),
            stage: ComplaintStage::Received,
            category: receipt.category.clone(),
            priority: receipt.priority,
            severity: None,
            acknowledged_at: None,
            acknowledged_by: None,
            assessed_by: None,
            planned_by: None,
            points: Vec::new(),
            consultations: Vec::new(),
            plan: None,
            waiting: None,
            decided_at: None,
            commitments: Vec::new(),
            remedies: Vec::new(),
            call_back_owed: false,
            calls: Calls::default(),
            confirmation: None,
            withdrawn_because: None,
            withdrawal_taken_down: None,
            ended_at: None,
            came_back_at: None,
        }
    }

    /// The commands that may be asked for now by who asks.
    #[must_use]
    pub fn allowed(&self, facts: &Facts) -> Vec<&'static str> {
        let can_come_back =
            self.ended_at.is_none_or(|at| word::may_come_back(at, facts.come_back_within, facts.now).is_ok());
        let has_object = |verb: Verb| match verb {
            Verb::AnswerConsultation => self.open_consultations() > 0,
            Verb::Plan => self.open_consultations() == 0,
            Verb::KeepCommitment => self.open_commitments() > 0,
            Verb::Acknowledge
            | Verb::Assess
            | Verb::Consult
            | Verb::AwaitOwner
            | Verb::Resume
            | Verb::Remedy
            | Verb::Withdraw => true,
            Verb::Decide => self.can_be_decided(),
            Verb::FollowUp => self.call_back_owed,
            Verb::Confirm => can_come_back,
        };
        let permitted = self.stage.permits().iter().copied().filter(|verb| has_object(*verb));
        permitted.filter(|verb| verb.is_owners() || !facts.actor.is_only_owner()).map(Verb::as_str).collect()
    }

    /// Whether a decision can be made: the first one, or another one since promised work has fallen away.
    pub(super) fn can_be_decided(&self) -> bool {
        self.stage != ComplaintStage::Remedying || self.remedies.iter().any(|remedy| remedy.fallen_away)
    }

    /// Whether there is a decision that the owner has not spoken about.
    #[must_use]
    pub const fn decision_stands(&self) -> bool {
        matches!(self.stage, ComplaintStage::Decided | ComplaintStage::Remedying)
    }

    /// Whether its owner has said since then that it is not solved.
    pub(super) fn came_back_after(&self, at: DateTime<Utc>) -> bool {
        self.came_back_at.is_some_and(|back| back > at)
    }

    /// Where it goes on when its owner is not satisfied: where what was done still stands.
    fn stage_on_return(&self) -> ComplaintStage {
        if !self.points.is_empty() {
            ComplaintStage::Investigating
        } else if self.acknowledged_at.is_some() {
            ComplaintStage::Acknowledged
        } else {
            ComplaintStage::Received
        }
    }

    /// The last time that is known of it; a withdrawal did not always say when.
    fn last_known(&self) -> DateTime<Utc> {
        let told_at = self.plan.as_ref().map(|plan| plan.told_at);
        let said_at = self.confirmation.as_ref().map(|word| word.at);
        let known = [self.acknowledged_at, told_at, self.decided_at, said_at].into_iter().flatten().max();
        known.unwrap_or(self.receipt.opened_at)
    }

    /// How many departments have not answered.
    #[must_use]
    pub fn open_consultations(&self) -> usize {
        self.consultations.iter().filter(|consultation| consultation.answer.is_none()).count()
    }

    /// How many promises are not yet kept.
    #[must_use]
    pub fn open_commitments(&self) -> usize {
        self.commitments.iter().filter(|commitment| commitment.kept_at.is_none()).count()
    }

    /// How many remedies are not settled: not yet done, or fallen away with nothing in their place.
    #[must_use]
    pub fn unsettled_remedies(&self) -> usize {
        self.remedies.iter().filter(|remedy| remedy.is_unsettled()).count()
    }

    /// How many remedies are not yet done.
    #[must_use]
    pub fn open_remedies(&self) -> usize {
        self.remedies.iter().filter(|remedy| remedy.progress == RemedyProgress::Requested).count()
    }

    /// The remedy with that id.
    #[must_use]
    pub fn remedy(&self, id: RemedyId) -> Option<&Remedy> {
        self.remedies.iter().find(|remedy| remedy.remedy_id == id)
    }

    /// Changes by what happened. Total: what is not known any more is passed over.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            // A complaint is received once; the engine never records it a second time.
            Event::Received { .. } => {}
            Event::Prioritised { priority } => self.priority = *priority,
            Event::Acknowledged { note, at, by } => {
                let by = by.clone().map(|by| (by, note.clone()));
                (self.stage, self.acknowledged_at, self.acknowledged_by) =
                    (ComplaintStage::Acknowledged, Some(*at), by);
            }
            Event::Assessed { category, severity, points, by } => {
                self.assessed_by.clone_from(by);
                self.assessed(category, *severity, points);
            }
            Event::Consulted { consultation_id, department, question, at } => {
                self.consulted(*consultation_id, department, question, *at);
            }
            Event::ConsultationAnswered { consultation_id, answer, at } => self.answered(*consultation_id, answer, *at),
            Event::Planned { text, departments, told_owner_via, at, by } => {
                let (text, departments) = (text.clone(), departments.clone());
                self.plan = Some(Plan { text, departments, told_owner_via: *told_owner_via, told_at: *at });
                (self.stage, self.planned_by) = (ComplaintStage::Proposed, by.clone());
            }
            Event::AwaitedOwner { reason } => {
                self.waiting = Some(Waiting { reason: reason.clone(), back_to: self.stage });
                self.stage = ComplaintStage::AwaitingOwner;
            }
            Event::Resumed => {
                self.stage = self.waiting.take().map_or(self.stage, |waiting| waiting.back_to);
            }
            Event::Decided { outcomes, commitments, at } => self.decided(outcomes, commitments, *at),
            Event::RemedyRequested { .. }
            | Event::WorkResumed
            | Event::WorkOrderOpened { .. }
            | Event::WorkOrderCompleted { .. }
            | Event::WorkOrderCancelled { .. }
            | Event::RemedyCompleted { .. }
            | Event::RemedyCalledOff { .. }
            | Event::RemedyRefused { .. } => self.apply_work(event),
            Event::CommitmentKept { commitment_id, at } => self.kept(*commitment_id, *at),
            Event::CallMissed { .. }
            | Event::CalledBack { .. }
            | Event::Confirmed { .. }
            | Event::Closed { .. }
            | Event::Withdrawn { .. } => self.apply_word(event),
        }
    }

    /// What becomes of the work for it.
    fn apply_work(&mut self, event: &Event) {
        match event {
            Event::RemedyRequested { remedy } => self.requested(remedy),
            Event::WorkOrderOpened { remedy_id, work_order_id, reference } => {
                self.ordered(*remedy_id, *work_order_id, reference);
            }
            Event::WorkOrderCompleted { remedy_id, work_order_id } => {
                self.order_went(*remedy_id, *work_order_id, WorkOrderProgress::Completed);
            }
            Event::WorkOrderCancelled { remedy_id, work_order_id } => {
                self.order_went(*remedy_id, *work_order_id, WorkOrderProgress::Cancelled);
            }
            Event::RemedyCompleted { remedy_id } => self.remedy_went(*remedy_id, RemedyProgress::Completed),
            Event::RemedyCalledOff { remedy_id } => self.remedy_went(*remedy_id, RemedyProgress::CalledOff),
            Event::RemedyRefused { remedy_id, reason } => {
                for remedy in self.remedies.iter_mut().filter(|remedy| remedy.remedy_id == *remedy_id) {
                    remedy.refused_because = Some(*reason);
                }
                self.remedy_went(*remedy_id, RemedyProgress::Refused);
            }
            // That work is open again tells what has happened already.
            _ => {}
        }
    }

    /// What passes between its owner and the company at the end.
    fn apply_word(&mut self, event: &Event) {
        match event {
            Event::CallMissed { on, .. } => self.calls.miss(Some(*on)),
            Event::CalledBack { result, on, .. } => {
                if *result == CallResult::NotReached {
                    self.calls.miss(Some(*on));
                }
                self.call_back_owed = false;
            }
            Event::Confirmed { satisfied, comment, at, taken_down } => {
                let (satisfied, at) = (*satisfied, *at);
                self.confirmed(Confirmation {
                    satisfied,
                    comment: comment.clone(),
                    at,
                    taken_down: taken_down.clone(),
                });
            }
            Event::Closed { at } => {
                self.stage = ComplaintStage::Closed;
                self.call_back_owed = false;
                self.ended_at = Some(at.unwrap_or_else(|| self.last_known()));
            }
            Event::Withdrawn { reason, at, taken_down, called_off: _ } => {
                self.withdrawn(reason.as_ref(), *at, taken_down.as_ref());
            }
            _ => {}
        }
    }

    fn withdrawn(&mut self, reason: Option<&Words>, at: Option<DateTime<Utc>>, taken_down: Option<&WordNote>) {
        self.ended_at = Some(at.unwrap_or_else(|| self.last_known()));
        self.stage = ComplaintStage::Withdrawn;
        self.waiting = None;
        self.call_back_owed = false;
        self.nothing_falls_away();
        self.withdrawn_because = reason.cloned();
        self.withdrawal_taken_down = taken_down.cloned();
    }

    fn confirmed(&mut self, word: Confirmation) {
        if !word.satisfied {
            self.stage = self.stage_on_return();
            (self.ended_at, self.came_back_at) = (None, Some(word.at));
            self.withdrawn_because = None;
            self.withdrawal_taken_down = None;
        } else if self.stage != ComplaintStage::Closed {
            self.stage = ComplaintStage::Verified;
        }
        self.call_back_owed = false;
        self.nothing_falls_away();
        self.confirmation = Some(word);
    }

    /// What has fallen away is made good, or not waited for any more.
    fn nothing_falls_away(&mut self) {
        for remedy in &mut self.remedies {
            remedy.fallen_away = false;
        }
    }

    /// A decision is carried out as long as something is to be done about it.
    fn settle(&mut self) {
        if self.decision_stands() {
            let all_settled = self.unsettled_remedies() == 0;
            self.stage = if all_settled { ComplaintStage::Decided } else { ComplaintStage::Remedying };
        }
    }

    fn assessed(&mut self, category: &str, severity: Severity, points: &[NewPoint]) {
        category.clone_into(&mut self.category);
        self.severity = Some(severity);
        self.points = points
            .iter()
            .map(|point| Point { point_id: point.point_id, text: point.text.clone(), outcome: None, reason: None })
            .collect();
        if self.stage == ComplaintStage::Acknowledged {
            self.stage = ComplaintStage::Assessed;
        }
    }

    fn consulted(&mut self, id: ConsultationId, department: &Code, question: &Words, at: DateTime<Utc>) {
        self.stage = ComplaintStage::Investigating;
        self.consultations.push(Consultation {
            consultation_id: id,
            department: department.clone(),
            question: question.clone(),
            asked_at: at,
            answer: None,
            answered_at: None,
        });
    }

    fn answered(&mut self, id: ConsultationId, answer: &Words, at: DateTime<Utc>) {
        for asked in self.consultations.iter_mut().filter(|asked| asked.consultation_id == id) {
            asked.answer = Some(answer.clone());
            asked.answered_at = Some(at);
        }
    }

    fn decided(&mut self, outcomes: &[PointOutcome], commitments: &[NewCommitment], at: DateTime<Utc>) {
        for point in &mut self.points {
            if let Some(found) = outcomes.iter().find(|outcome| outcome.point_id == point.point_id) {
                point.outcome = Some(found.outcome);
                point.reason = Some(found.reason.clone());
            }
        }
        self.commitments.extend(commitments.iter().map(|new| Commitment {
            commitment_id: new.commitment_id,
            text: new.text.clone(),
            due_on: new.due_on,
            kept_at: None,
        }));
        self.decided_at = Some(at);
        self.nothing_falls_away();
        (self.call_back_owed, self.calls) = (true, Calls::default());
        self.stage = ComplaintStage::Decided;
        self.settle();
    }

    /// What is ordered stands in the place of what has fallen away.
    fn requested(&mut self, remedy: &NewRemedy) {
        self.nothing_falls_away();
        self.remedies.push(Remedy {
            remedy_id: remedy.remedy_id,
            department: remedy.department.clone(),
            skill: remedy.skill.clone(),
            summary: remedy.summary.clone(),
            progress: RemedyProgress::Requested,
            refused_because: None,
            fallen_away: false,
            work_orders: Vec::new(),
        });
        self.settle();
    }

    /// A work order exists. What became of one that is known already may have been heard before.
    fn ordered(&mut self, id: RemedyId, work_order_id: WorkOrderId, reference: &str) {
        for remedy in self.remedies.iter_mut().filter(|remedy| remedy.remedy_id == id) {
            let reference = reference.to_owned();
            match remedy.work_orders.iter_mut().find(|order| order.work_order_id == work_order_id) {
                Some(known) => known.reference = reference,
                None => {
                    remedy.work_orders.push(WorkOrder { work_order_id, reference, progress: WorkOrderProgress::Open });
                    (remedy.progress, remedy.fallen_away) = (RemedyProgress::Requested, false);
                    remedy.refused_because = None;
                }
            }
        }
        self.settle();
    }

    fn order_went(&mut self, id: RemedyId, work_order_id: WorkOrderId, progress: WorkOrderProgress) {
        for remedy in self.remedies.iter_mut().filter(|remedy| remedy.remedy_id == id) {
            match remedy.work_orders.iter_mut().find(|order| order.work_order_id == work_order_id) {
                Some(known) => known.progress = progress,
                None => remedy.work_orders.push(WorkOrder { work_order_id, reference: String::new(), progress }),
            }
        }
    }

    /// What a decision promised and is called off has fallen away.
    fn remedy_went(&mut self, id: RemedyId, progress: RemedyProgress) {
        let is_promised = self.decision_stands();
        for remedy in self.remedies.iter_mut().filter(|remedy| remedy.remedy_id == id) {
            remedy.progress = progress;
            let is_undone = matches!(progress, RemedyProgress::CalledOff | RemedyProgress::Refused);
            remedy.fallen_away = is_promised && is_undone;
        }
        self.settle();
    }

    fn kept(&mut self, id: CommitmentId, at: DateTime<Utc>) {
        for commitment in self.commitments.iter_mut().filter(|commitment| commitment.commitment_id == id) {
            commitment.kept_at = Some(at);
        }
    }
}
