//! What other services are told. Pure. Every event is named, so a new one makes us think about it.

use chrono::TimeDelta;
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
    word::{self, WordNote},
};
use steward_proto::dispatch as pb;
use uuid::Uuid;

use crate::domain::{
    appointment::Appointment,
    order::{self, Job, WorkOrder},
    request::{self, Origin, ServiceRequest},
    told::{self, DepartmentEntry, RefusalEvent, RefusedRemedy},
};

/// Name of the timer that looks whether what proves a work order has come.
pub(crate) const PROOF: &str = "proof";

/// A file may come in the moment in which it is missed: then this is seen a little later.
const ONCE_MORE: TimeDelta = TimeDelta::minutes(10);

fn id(id: Option<impl Into<Uuid>>) -> String {
    id.map(|id| id.into().to_string()).unwrap_or_default()
}

/// From when until when, in Unix milliseconds; 0 = no window.
fn bounds(window: Option<Appointment>) -> [i64; 2] {
    window.map_or([0, 0], |window| [window.from.timestamp_millis(), window.to.timestamp_millis()])
}

/// The public event of a service request's event, if others are told of it.
#[must_use]
pub(crate) fn of_request(request: &ServiceRequest, event: &Recorded<request::Event>) -> Option<Outgoing> {
    use request::Event as E;
    let origin = request.origin.as_ref()?;
    let (case_id, estate_id) = (request.id.to_string(), origin.estate_id.to_string());
    let at_ms = event.occurred_at.timestamp_millis();
    Some(match &event.body {
        // Intake knows what it has told us; the work orders speak for themselves.
        E::Received(_) | E::Prioritised { .. } | E::OrderNoted { .. } => return None,
        E::Confirmed { appointment, .. } => {
            let [appointment_from_ms, appointment_to_ms] = bounds(*appointment);
            let told =
                pb::ServiceRequestConfirmed { case_id, estate_id, at_ms, appointment_from_ms, appointment_to_ms };
            Outgoing::new(told)
        }
        E::Appointed { appointment, previous, crew, reason: _ } => {
            let ([from_ms, to_ms], [previous_from_ms, previous_to_ms]) =
                (bounds(Some(*appointment)), bounds(*previous));
            let technician_accounts = crew.iter().map(ToString::to_string).collect();
            Outgoing::new(pb::AppointmentSet {
                case_id,
                estate_id,
                at_ms,
                from_ms,
                to_ms,
                previous_from_ms,
                previous_to_ms,
                technician_accounts,
            })
        }
        E::InfoRequested { .. } => Outgoing::new(pb::InfoRequested { case_id, estate_id, at_ms }),
        E::InfoProvided { taken_down, .. } => {
            let (given_how, given_at_ms, taken_down_by) = word::told(taken_down.as_ref());
            Outgoing::new(pb::InfoProvided { case_id, estate_id, at_ms, given_how, given_at_ms, taken_down_by })
        }
        E::Declined { .. } => Outgoing::new(pb::ServiceRequestDeclined { case_id, estate_id, at_ms }),
        E::Cancelled { reason, by_owner, taken_down, .. } => {
            let (given_how, given_at_ms, taken_down_by) = word::told(taken_down.as_ref());
            let by = called_off_by(*by_owner, reason.is_some()).to_owned();
            let told =
                pb::ServiceRequestCancelled { case_id, estate_id, at_ms, by, given_how, given_at_ms, taken_down_by };
            Outgoing::new(told)
        }
        E::StageChanged { stage } => Outgoing::new(pb::ServiceRequestStageChanged {
            case_id,
            estate_id,
            at_ms,
            stage: stage.as_str().to_owned(),
        }),
        E::Verified { satisfied, taken_down, .. } => {
            verified(request, origin, (*satisfied, taken_down.as_ref()), at_ms)
        }
        E::FurtherNeedRaised { words } => further_need(request, origin, words.as_str(), at_ms),
        E::Closed => Outgoing::new(pb::ServiceRequestClosed { case_id, estate_id, at_ms }),
    })
}

fn verified(
    request: &ServiceRequest,
    origin: &Origin,
    (satisfied, taken_down): (bool, Option<&WordNote>),
    at_ms: i64,
) -> Outgoing {
    let (given_how, given_at_ms, taken_down_by) = word::told(taken_down);
    Outgoing::new(pb::ServiceRequestVerified {
        case_id: request.id.to_string(),
        estate_id: origin.estate_id.to_string(),
        at_ms,
        satisfied,
        given_how,
        given_at_ms,
        taken_down_by,
        stage: request.stage.to_string(),
    })
}

/// Without a reason it follows its case, which says who called it off.
const fn called_off_by(by_owner: bool, has_reason: bool) -> &'static str {
    match (by_owner, has_reason) {
        (true, _) => "owner",
        (false, true) => "staff",
        (false, false) => "",
    }
}

fn further_need(request: &ServiceRequest, origin: &Origin, words: &str, at_ms: i64) -> Outgoing {
    Outgoing::new(pb::FurtherNeedRaised {
        case_id: request.id.to_string(),
        estate_id: origin.estate_id.to_string(),
        at_ms,
        words: words.to_owned(),
        unit_id: id(origin.unit_id),
        resident_id: id(origin.resident_id),
        language: origin.language.as_str().to_owned(),
    })
}

/// The public event `$message` of a work order, with what all of them say and these fields more.
macro_rules! told {
    ($order:ident, $job:ident, $at_ms:ident, $message:ident { $($field:ident: $value:expr),* }) => {
        Outgoing::new(pb::$message {
            work_order_id: $order.id.to_string(),
            case_id: $job.case_id.to_string(),
            remedy_id: id($job.remedy_id),
            estate_id: $job.estate_id.to_string(),
            department: $job.department.as_str().to_owned(),
            at_ms: $at_ms,
            $($field: $value),*
        })
    };
}

/// What others are told of a department: where it serves and what it can do; not how it is called.
#[must_use]
pub(crate) fn of_department(entry: &DepartmentEntry, event: &Recorded<told::Event>) -> Outgoing {
    let told::Event::Registered(service) = &event.body;
    Outgoing::new(pb::DepartmentRegistered {
        department_id: entry.id.to_string(),
        code: service.code.clone(),
        estate_ids: service.estates.iter().flatten().map(ToString::to_string).collect(),
        every_estate: service.estates.is_none(),
        contractor: service.contractor,
        closed: service.closed,
        skills: service.skills.clone(),
        at_ms: event.occurred_at.timestamp_millis(),
    })
}

/// That no work order was made of a remedy.
#[must_use]
pub(crate) fn of_refused_remedy(remedy: &RefusedRemedy, event: &Recorded<RefusalEvent>) -> Outgoing {
    let RefusalEvent::Refused(refused) = &event.body;
    Outgoing::new(pb::RemedyRefused {
        case_id: refused.case_id.to_string(),
        estate_id: refused.estate_id.to_string(),
        at_ms: event.occurred_at.timestamp_millis(),
        remedy_id: remedy.id.to_string(),
        reason: refused.reason.to_string(),
    })
}

/// When a work order is looked at again: for what proves it.
#[must_use]
pub(crate) fn order_timers(event: &Recorded<order::Event>) -> Vec<TimerChange> {
    use order::Event as E;
    let set = |due_at| vec![TimerChange::Set { name: PROOF, due_at }];
    match &event.body {
        E::Completed(done) => done.proof_due_at.map(set).unwrap_or_default(),
        E::ProofMissed => set(event.recorded_at + ONCE_MORE),
        E::ProofArrived | E::Verified => vec![TimerChange::Clear { name: PROOF }],
        E::Opened(_)
        | E::Assigned { .. }
        | E::Accepted
        | E::Returned { .. }
        | E::Transferred { .. }
        | E::Departed
        | E::Arrived
        | E::MadeSafe { .. }
        | E::Started
        | E::Held { .. }
        | E::Resumed
        | E::SkillChanged { .. }
        | E::Prioritised { .. }
        | E::Cancelled { .. } => Vec::new(),
    }
}

/// The public event of a work order's event.
#[must_use]
pub(crate) fn of_order(order: &WorkOrder, event: &Recorded<order::Event>) -> Option<Outgoing> {
    use order::Event as E;
    let job: &Job = order.job.as_ref()?;
    let at_ms = event.occurred_at.timestamp_millis();
    Some(match &event.body {
        E::Opened(_) => told!(
            order,
            job,
            at_ms,
            WorkOrderOpened {
                reference: job.reference.clone(),
                rework_of: id(job.rework_of),
                contractor: job.contractor
            }
        ),
        // Intake tells everybody itself; what skill it takes is dispatch's own affair.
        E::Prioritised { .. } | E::SkillChanged { .. } => return None,
        E::Assigned { account, .. } => {
            let account = account.as_ref().map_or_else(String::new, ToString::to_string);
            told!(order, job, at_ms, WorkOrderAssigned { account: account })
        }
        E::Accepted => told!(order, job, at_ms, WorkOrderAccepted {}),
        E::Returned { .. } => told!(order, job, at_ms, WorkOrderReturned {}),
        E::Transferred { previous_department, contractor, .. } => {
            let previous_department = previous_department.to_string();
            told!(
                order,
                job,
                at_ms,
                WorkOrderTransferred { previous_department: previous_department, contractor: *contractor }
            )
        }
        E::Departed => told!(order, job, at_ms, WorkOrderDeparted {}),
        E::Arrived => told!(order, job, at_ms, WorkOrderArrived {}),
        E::MadeSafe { .. } => told!(order, job, at_ms, WorkOrderMadeSafe {}),
        E::Started => told!(order, job, at_ms, WorkOrderStarted {}),
        E::Held { reason, file_ids, .. } => told!(
            order,
            job,
            at_ms,
            WorkOrderHeld {
                reason: reason.as_str().to_owned(),
                evidence_file_ids: file_ids.iter().map(ToString::to_string).collect()
            }
        ),
        E::Resumed => told!(order, job, at_ms, WorkOrderResumed {}),
        E::Completed(done) => told!(
            order,
            job,
            at_ms,
            WorkOrderCompleted { file_ids: done.file_ids.iter().map(ToString::to_string).collect() }
        ),
        E::ProofMissed => told!(order, job, at_ms, WorkOrderProofMissed {}),
        E::ProofArrived => told!(order, job, at_ms, WorkOrderProofArrived {}),
        E::Verified => told!(order, job, at_ms, WorkOrderVerified {}),
        E::Cancelled { .. } => told!(order, job, at_ms, WorkOrderCancelled {}),
    })
}
