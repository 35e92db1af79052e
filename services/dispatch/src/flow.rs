//! Changes of service requests and work orders that belong together: each happens in one transaction.

use chrono::{DateTime, Utc};
use steward_chassis::{Call, Engine, Error, Executed, Result, Work};
use steward_kernel::{
    Actor,
    day::day,
    ids::{CaseId, WorkOrderId},
    reference::reference,
    text::Words,
    vocabulary::Priority,
    word::TakenDown,
};

use crate::{
    app::App,
    domain::{
        Code, Note, OrderProgress, Skill,
        order::{self, Job, LEADS, WorkOrder},
        request::{self, ServiceRequest},
    },
    error::Misdirected,
    store,
};

/// First letter of the references of work orders.
pub(crate) const LETTER: char = 'W';

/// A work order that somebody wants opened.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    pub case_id: CaseId,
    pub department: Code,
    pub skill: Option<Skill>,
    pub summary: Words,
}

/// The owner's word on the result.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub satisfied: bool,
    pub comment: Option<Words>,
    pub further_need: Option<Words>,
    pub taken_down: Option<TakenDown>,
}

/// Facts for what is not the owner's word.
pub(crate) fn request_facts(work: &Work) -> request::Facts {
    let now = work.call.occurred_at.unwrap_or_else(|| work.clock().now());
    request::Facts::of(work.call.actor.clone(), now)
}

/// Facts for what is not a technician's doing.
pub(crate) fn order_facts(actor: Actor) -> order::Facts {
    order::Facts::of(actor)
}

/// Carries out a command on a service request that moves no work order.
pub(crate) async fn on_request(
    app: &App,
    call: &Call,
    case_id: CaseId,
    command: request::Command,
) -> Result<Executed<ServiceRequest>> {
    app.core.engine.execute(call, case_id, &command, &app.request_facts(call)).await
}

/// Carries out a command on a service request that may give its owner a time: whoever has its work orders is to know.
pub(crate) async fn agree_on(
    app: &App,
    call: &Call,
    case_id: CaseId,
    command: request::Command,
) -> Result<Executed<ServiceRequest>> {
    let facts = app.request_facts(call);
    app.core
        .engine
        .transact(call, move |work| {
            let (command, facts) = (command.clone(), facts.clone());
            Box::pin(async move {
                let crew = crew_of(work, case_id).await?;
                let facts = request::Facts { crew, ..facts };
                work.execute::<ServiceRequest>(case_id, &command, &facts).await
            })
        })
        .await
}

/// Account of the technician who has a work order.
async fn crew_with(work: &mut Work, id: WorkOrderId) -> Result<Option<Code>> {
    let technician = work.find::<WorkOrder>(id).await?.and_then(|order| order.technician_id);
    let Some(technician) = technician else { return Ok(None) };
    Ok(store::find_technician(&mut work.tx, technician).await?.map(|kept| kept.row.account))
}

/// Accounts of the technicians who have open work orders of a case.
async fn crew_of(work: &mut Work, case_id: CaseId) -> Result<Vec<Code>> {
    let mut crew = Vec::new();
    for id in store::open_orders_of(&mut work.tx, case_id).await? {
        crew.extend(crew_with(work, id).await?);
    }
    crew.sort_unstable_by(|one: &Code, other: &Code| one.as_str().cmp(other.as_str()));
    crew.dedup();
    Ok(crew)
}

/// Calls off a service request and its open work orders.
pub(crate) async fn cancel_request(
    app: &App,
    call: &Call,
    case_id: CaseId,
    reason: Note,
    taken_down: Option<TakenDown>,
) -> Result<Executed<ServiceRequest>> {
    let facts = app.facts_of_word(call, case_id).await?;
    app.core
        .engine
        .transact(call, move |work| {
            let (reason, facts) = (reason.clone(), facts.clone());
            Box::pin(async move {
                let command = request::Command::Cancel { reason: reason.clone(), taken_down };
                let cancelled = work.execute::<ServiceRequest>(case_id, &command, &facts).await?;
                if !cancelled.replayed {
                    call_off_orders(work, case_id, Some(reason)).await?;
                }
                Ok(cancelled)
            })
        })
        .await
}

/// Calls off the open work orders of a case.
pub(crate) async fn call_off_orders(work: &mut Work, case_id: CaseId, reason: Option<Note>) -> Result<()> {
    on_open_orders(work, case_id, &order::Command::Cancel { reason }).await
}

/// A complaint has ended: whoever works on it stops, and nobody is sent any more.
pub(crate) async fn end_complaint(work: &mut Work, case_id: CaseId) -> Result<()> {
    store::remember_end(&mut work.tx, case_id).await?;
    call_off_orders(work, case_id, None).await
}

/// The same when its case was called off, unless its owner has come back on it since.
pub(crate) async fn call_off_complaint(work: &mut Work, case_id: CaseId, at: DateTime<Utc>) -> Result<()> {
    if store::remember_calling_off(&mut work.tx, case_id, at).await? {
        call_off_orders(work, case_id, None).await?;
    }
    Ok(())
}

/// Gives a service request and its open work orders another priority.
pub(crate) async fn prioritise_request(work: &mut Work, case_id: CaseId, priority: Priority) -> Result<()> {
    let facts = request_facts(work);
    work.execute::<ServiceRequest>(case_id, &request::Command::Prioritise { priority }, &facts).await?;
    on_open_orders(work, case_id, &order::Command::Prioritise { priority }).await
}

/// Gives the open work orders of a complaint another priority, and those that will be opened.
pub(crate) async fn prioritise_complaint(work: &mut Work, case_id: CaseId, priority: Priority) -> Result<()> {
    store::remember_priority(&mut work.tx, case_id, priority).await?;
    on_open_orders(work, case_id, &order::Command::Prioritise { priority }).await
}

async fn on_open_orders(work: &mut Work, case_id: CaseId, command: &order::Command) -> Result<()> {
    for id in store::open_orders_of(&mut work.tx, case_id).await? {
        let facts = order_facts(work.call.actor.clone());
        work.execute::<WorkOrder>(id, command, &facts).await?;
    }
    Ok(())
}

/// Takes the owner's word on the result; when it is not good, a work order for the rework is opened.
pub(crate) async fn verify_request(
    app: &App,
    call: &Call,
    case_id: CaseId,
    word: Word,
) -> Result<Executed<ServiceRequest>> {
    let facts = app.facts_of_word(call, case_id).await?;
    app.core
        .engine
        .transact(call, move |work| {
            let (word, facts) = (word.clone(), facts.clone());
            Box::pin(async move {
                let rework = WorkOrderId::from(work.clock().new_id());
                let Word { satisfied, comment, further_need, taken_down } = word;
                let command = request::Command::Verify { satisfied, comment, further_need, rework, taken_down };
                let verified = work.execute::<ServiceRequest>(case_id, &command, &facts).await?;
                // Of what was never done nothing is done again.
                if !verified.replayed && verified.state.has(rework) {
                    open_rework(work, rework, &verified.state).await?;
                }
                Ok(verified)
            })
        })
        .await
}

/// The same job once more, as urgent as its request is now.
async fn open_rework(work: &mut Work, id: WorkOrderId, request: &ServiceRequest) -> Result<()> {
    let missing = || Error::internal("rework", "a request reported done has no work order that is");
    let of = request.last_done().ok_or_else(missing)?;
    let job = work.find::<WorkOrder>(of).await?.and_then(|order| order.job).ok_or_else(missing)?;
    let now = work.clock().now();
    let today = day(now, store::zone_of(&mut work.tx, job.estate_id).await?);
    let job = Job {
        reference: reference(LETTER, id.get(), today),
        rework_of: Some(of),
        contractor: is_contractor(work, &job.department).await?,
        priority: request.origin.as_ref().map_or(job.priority, |origin| origin.priority),
        opened_at: now,
        ..job
    };
    let facts = order_facts(work.call.actor.clone());
    work.execute::<WorkOrder>(id, &order::Command::Open(job), &facts).await?;
    Ok(())
}

/// Whether the department is known as a contractor.
pub(crate) async fn is_contractor(work: &mut Work, department: &Code) -> Result<bool> {
    let known = store::find_department(&mut work.tx, department.as_str()).await?;
    Ok(known.is_some_and(|department| department.contractor))
}

/// Opens a work order for a service request, or one more for the remedy of a complaint.
pub(crate) async fn open_order(engine: &Engine, call: &Call, new: NewOrder) -> Result<Executed<WorkOrder>> {
    engine
        .transact(call, move |work| {
            let new = new.clone();
            Box::pin(async move {
                let id = WorkOrderId::from(work.clock().new_id());
                let job = job_of(work, id, new).await?;
                let (case_id, is_request) = (job.case_id, job.remedy_id.is_none());
                let facts = order_facts(work.call.actor.clone());
                let opened = work.execute::<WorkOrder>(id, &order::Command::Open(job), &facts).await?;
                if opened.replayed {
                    return Ok(opened);
                }
                if is_request {
                    let facts = request_facts(work);
                    let command = request::Command::Route { work_order_id: id };
                    work.execute::<ServiceRequest>(case_id, &command, &facts).await?;
                } else if store::has_ended(&mut work.tx, case_id).await? {
                    return Err(Error::refused(&Misdirected::ComplaintOver));
                }
                Ok(opened)
            })
        })
        .await
}

/// The job, with what is known of its case.
async fn job_of(work: &mut Work, id: WorkOrderId, new: NewOrder) -> Result<Job> {
    let now = work.clock().now();
    let NewOrder { case_id, department, skill, summary } = new;
    let serving = store::find_department(&mut work.tx, department.as_str()).await?;
    let contractor = serving.as_ref().is_some_and(|department| department.contractor);
    let job = match work.find::<ServiceRequest>(case_id).await?.and_then(|request| request.origin) {
        Some(origin) => Job {
            reference: String::new(),
            case_id,
            remedy_id: None,
            rework_of: None,
            department,
            contractor,
            skill,
            summary,
            category: origin.category,
            priority: origin.priority,
            estate_id: origin.estate_id,
            unit_id: origin.unit_id,
            resident_id: origin.resident_id,
            opened_at: now,
        },
        None => {
            let known = store::case_of_remedy(&mut work.tx, case_id).await?;
            let known = known.ok_or_else(|| Error::refused(&Misdirected::UnknownCase))?;
            let priority = store::priority_of_complaint(&mut work.tx, case_id, known.priority).await?;
            let rework_of = None;
            Job { rework_of, department, contractor, skill, summary, priority, opened_at: now, ..known }
        }
    };
    if !work.call.actor.sees(job.estate_id, job.resident_id) {
        return Err(Error::refused(&Misdirected::UnknownCase));
    }
    if serving.is_none_or(|department| !department.serves(job.estate_id)) {
        return Err(Error::refused(&Misdirected::UnknownDepartment));
    }
    let today = day(now, store::zone_of(&mut work.tx, job.estate_id).await?);
    Ok(Job { reference: reference(LETTER, id.get(), today), ..job })
}

/// Carries out a command on a work order; its service request follows.
pub(crate) async fn on_order(
    app: &App,
    call: &Call,
    id: WorkOrderId,
    command: order::Command,
) -> Result<Executed<WorkOrder>> {
    let proof_within = app.proof_within();
    app.core
        .engine
        .transact(call, move |work| {
            let command = command.clone();
            Box::pin(async move {
                let facts = look_up(work, id, &command).await?;
                let proof_due_at = Some(work.clock().now() + proof_within);
                let facts = order::Facts { proof_due_at, ..facts };
                let done = work.execute::<WorkOrder>(id, &command, &facts).await?;
                if command.moves_request() && !done.replayed {
                    follow(work, &done.state).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// What a command needs to know: to whom or to which department the work is given, or which technician asks.
async fn look_up(work: &mut Work, id: WorkOrderId, command: &order::Command) -> Result<order::Facts> {
    let actor = work.call.actor.clone();
    let is_own = command.is_crews() && !actor.is_any(&LEADS);
    let acting_as = if is_own { store::technician_of_account(&mut work.tx, actor.id.as_str()).await? } else { None };
    let mut facts = order::Facts { acting_as, has_read: work.call.has_read(), ..order_facts(actor) };
    match command {
        order::Command::Assign { technician_id, .. } => {
            facts.technician = store::find_technician(&mut work.tx, *technician_id).await?.map(|kept| kept.row);
        }
        order::Command::Transfer { department, .. } => {
            facts.department = store::find_department(&mut work.tx, department.as_str()).await?;
        }
        order::Command::Complete(done) => {
            facts.stored_by = store::accounts_of_files(&mut work.tx, &done.file_ids).await?;
            facts.crew = crew_with(work, id).await?;
        }
        order::Command::Verify | order::Command::LookForProof => {
            facts.proof_awaited = match work.find::<WorkOrder>(id).await? {
                Some(order) => is_proof_awaited(work, &order).await?,
                None => false,
            };
        }
        _ => {}
    }
    Ok(facts)
}

/// Whether something that proves it has not arrived.
async fn is_proof_awaited(work: &mut Work, order: &WorkOrder) -> Result<bool> {
    let stored = store::stored_of(&mut work.tx, std::iter::once(order)).await?;
    let mut proof = order.completion.iter().flat_map(|done| &done.file_ids);
    Ok(proof.any(|file| !stored.contains(file)))
}

/// Looks whether what proves a work order is there.
///
/// * `overdue`: whether the time for that is over.
pub(crate) async fn look_for_proof(work: &mut Work, id: WorkOrderId, overdue: bool) -> Result<()> {
    let command = order::Command::LookForProof;
    let facts = order::Facts { proof_overdue: overdue, ..look_up(work, id, &command).await? };
    work.execute::<WorkOrder>(id, &command, &facts).await.map(drop)
}

/// Takes a work order back from whoever has it; its service request follows. The house does it, whoever has changed the register.
pub(crate) async fn take_back(work: &mut Work, id: WorkOrderId, reason: Note) -> Result<()> {
    let facts = order_facts(Actor::service(work.call.tenant(), "dispatch"));
    let returned = work.execute::<WorkOrder>(id, &order::Command::Return { reason }, &facts).await?;
    follow(work, &returned.state).await
}

async fn follow(work: &mut Work, order: &WorkOrder) -> Result<()> {
    let Some(job) = order.job.as_ref().filter(|job| job.remedy_id.is_none()) else { return Ok(()) };
    let facts = request_facts(work);
    let progress = order.status.progress();
    let done = order.completion.as_ref().filter(|_| progress == OrderProgress::Done);
    let proof = done.map(|done| done.file_ids.clone()).unwrap_or_default();
    let command = request::Command::Follow { work_order_id: order.id, progress, proof };
    work.execute::<ServiceRequest>(job.case_id, &command, &facts).await?;
    Ok(())
}
