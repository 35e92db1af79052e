//! What the others are told. Pure. Every event is named, so that a new one makes us think about it.

use steward_kernel::{
    Recorded,
    call_back::CallResult,
    message::Outgoing,
    word::{WordNote, told},
};
use steward_proto::complaint as pb;

use crate::domain::{
    Complaint, ConsultationId, Event, Matter, NewRemedy, Outcome, PointOutcome, RemedyId, RemedyProgress,
};

/// The public event of a private one; `complaint` is the state right after it.
#[must_use]
pub fn outgoing(complaint: &Complaint, event: &Recorded<Event>) -> Option<Outgoing> {
    match complaint {
        Complaint::Unborn(_) => None,
        Complaint::Born(matter) => of_matter(matter, event),
    }
}

fn of_matter(matter: &Matter, event: &Recorded<Event>) -> Option<Outgoing> {
    let case_id = matter.case_id.to_string();
    let estate_id = matter.receipt.estate_id.to_string();
    let at_ms = event.occurred_at.timestamp_millis();
    Some(match &event.body {
        // Intake knows what it handed over and tells of the priority, and of work orders dispatch tells.
        Event::Received { .. }
        | Event::Prioritised { .. }
        | Event::WorkOrderOpened { .. }
        | Event::WorkOrderCompleted { .. }
        | Event::WorkOrderCancelled { .. } => return None,
        Event::Acknowledged { .. } => Outgoing::new(pb::ComplaintAcknowledged { case_id, estate_id, at_ms }),
        Event::Assessed { category, severity, points, .. } => Outgoing::new(pb::ComplaintAssessed {
            case_id,
            estate_id,
            at_ms,
            category: category.clone(),
            severity: severity.to_string(),
            points: count(points.len()),
            stage: matter.stage.to_string(),
        }),
        Event::Consulted { department, .. } => {
            Outgoing::new(pb::ComplaintConsulted { case_id, estate_id, at_ms, department: department.to_string() })
        }
        Event::ConsultationAnswered { consultation_id, .. } => {
            let department = department_asked(matter, *consultation_id);
            Outgoing::new(pb::ConsultationAnswered { case_id, estate_id, at_ms, department })
        }
        Event::Planned { .. } => Outgoing::new(pb::ComplaintPlanned { case_id, estate_id, at_ms }),
        Event::AwaitedOwner { .. } => Outgoing::new(pb::ComplaintAwaitingOwner { case_id, estate_id, at_ms }),
        Event::Resumed => Outgoing::new(pb::ComplaintResumed { case_id, estate_id, at_ms }),
        Event::Decided { outcomes, commitments, .. } => Outgoing::new(pb::ComplaintDecided {
            case_id,
            estate_id,
            at_ms,
            upheld: outcomes_of(outcomes, Outcome::Upheld),
            partly_upheld: outcomes_of(outcomes, Outcome::PartlyUpheld),
            not_upheld: outcomes_of(outcomes, Outcome::NotUpheld),
            out_of_scope: outcomes_of(outcomes, Outcome::OutOfScope),
            commitments: count(commitments.len()),
            open_remedies: count(matter.unsettled_remedies()),
            commitment_ids: commitments.iter().map(|promise| promise.commitment_id.to_string()).collect(),
            commitment_due_on: commitments.iter().map(|promise| promise.due_on.to_string()).collect(),
        }),
        Event::RemedyRequested { remedy } => Outgoing::new(remedy_requested(matter, remedy, at_ms)),
        Event::RemedyCompleted { remedy_id } => return remedy_completed(matter, *remedy_id, at_ms),
        Event::RemedyCalledOff { remedy_id } => Outgoing::new(remedy_called_off(matter, *remedy_id, at_ms)),
        Event::RemedyRefused { remedy_id, .. } => Outgoing::new(remedy_called_off(matter, *remedy_id, at_ms)),
        Event::WorkResumed => {
            let open_remedies = count(matter.unsettled_remedies());
            Outgoing::new(pb::ComplaintWorkResumed { case_id, estate_id, at_ms, open_remedies })
        }
        Event::CallMissed { .. } => Outgoing::new(called_back(matter, CallResult::NotReached, at_ms)),
        Event::CalledBack { result, .. } => Outgoing::new(called_back(matter, *result, at_ms)),
        Event::CommitmentKept { commitment_id, .. } => {
            let commitment_id = commitment_id.to_string();
            Outgoing::new(pb::CommitmentKept { case_id, estate_id, at_ms, commitment_id })
        }
        Event::Confirmed { satisfied, taken_down, .. } => confirmed(matter, *satisfied, taken_down.as_ref(), at_ms),
        Event::Closed { .. } => Outgoing::new(pb::ComplaintClosed { case_id, estate_id, at_ms }),
        Event::Withdrawn { taken_down, called_off, .. } => withdrawn(matter, *called_off, taken_down.as_ref(), at_ms),
    })
}

fn confirmed(matter: &Matter, satisfied: bool, taken_down: Option<&WordNote>, at_ms: i64) -> Outgoing {
    let (given_how, given_at_ms, taken_down_by) = told(taken_down);
    Outgoing::new(pb::ComplaintConfirmed {
        case_id: matter.case_id.to_string(),
        estate_id: matter.receipt.estate_id.to_string(),
        at_ms,
        satisfied,
        given_how,
        given_at_ms,
        taken_down_by,
        stage: matter.stage.to_string(),
    })
}

fn withdrawn(matter: &Matter, called_off: bool, taken_down: Option<&WordNote>, at_ms: i64) -> Outgoing {
    let (given_how, given_at_ms, taken_down_by) = told(taken_down);
    Outgoing::new(pb::ComplaintWithdrawn {
        case_id: matter.case_id.to_string(),
        estate_id: matter.receipt.estate_id.to_string(),
        at_ms,
        given_how,
        given_at_ms,
        taken_down_by,
        called_off,
    })
}

fn remedy_requested(matter: &Matter, remedy: &NewRemedy, at_ms: i64) -> pb::RemedyRequested {
    pb::RemedyRequested {
        case_id: matter.case_id.to_string(),
        estate_id: matter.receipt.estate_id.to_string(),
        at_ms,
        remedy_id: remedy.remedy_id.to_string(),
        department: remedy.department.to_string(),
        skill: optional(remedy.skill.as_ref()),
        summary: remedy.summary.to_string(),
        unit_id: optional(matter.receipt.unit_id),
        resident_id: optional(matter.receipt.resident_id),
        priority: matter.priority.to_string(),
        category: matter.category.clone(),
    }
}

fn remedy_called_off(matter: &Matter, remedy_id: RemedyId, at_ms: i64) -> pb::RemedyCalledOff {
    pb::RemedyCalledOff {
        case_id: matter.case_id.to_string(),
        estate_id: matter.receipt.estate_id.to_string(),
        at_ms,
        remedy_id: remedy_id.to_string(),
        open_remedies: count(matter.unsettled_remedies()),
        fallen_away: matter.remedy(remedy_id).is_some_and(|remedy| remedy.fallen_away),
        stage: matter.stage.to_string(),
        refused: matter.remedy(remedy_id).is_some_and(|remedy| remedy.progress == RemedyProgress::Refused),
    }
}

fn called_back(matter: &Matter, result: CallResult, at_ms: i64) -> pb::ComplaintCalledBack {
    pb::ComplaintCalledBack {
        case_id: matter.case_id.to_string(),
        estate_id: matter.receipt.estate_id.to_string(),
        at_ms,
        result: result.to_string(),
        missed_days: count(matter.calls.missed_days()),
        over: !matter.call_back_owed,
    }
}

/// Told while the decision stands. Before the decision, `ComplaintDecided` counts what is open; after the end
/// nobody waits for it, and it would make an ended case look like one whose owner has to speak.
fn remedy_completed(matter: &Matter, remedy_id: RemedyId, at_ms: i64) -> Option<Outgoing> {
    matter.decision_stands().then(|| {
        Outgoing::new(pb::RemedyCompleted {
            case_id: matter.case_id.to_string(),
            estate_id: matter.receipt.estate_id.to_string(),
            at_ms,
            remedy_id: remedy_id.to_string(),
            open_remedies: count(matter.unsettled_remedies()),
        })
    })
}

fn department_asked(matter: &Matter, id: ConsultationId) -> String {
    let asked = matter.consultations.iter().find(|asked| asked.consultation_id == id);
    asked.map(|asked| asked.department.to_string()).unwrap_or_default()
}

fn outcomes_of(outcomes: &[PointOutcome], outcome: Outcome) -> u32 {
    count(outcomes.iter().filter(|point| point.outcome == outcome).count())
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
