//! What dispatch hears of the others.

use chrono::{DateTime, Utc};
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    day::day,
    ids::{CaseId, EstateId, WorkOrderId},
    message::optional_uuid,
    reference::reference,
    text::{Text, Words},
    vocabulary::{CaseKind, Language, Priority},
};
use steward_proto::{complaint, intake};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        Code, RemedyId,
        order::{self, Job, WorkOrder},
        request::{self, Origin, ServiceRequest},
        told::{Misaddressed, Refuse, Refused, RefusedRemedy},
    },
    flow::{
        LETTER, call_off_complaint, call_off_orders, end_complaint, is_contractor, look_for_proof, order_facts,
        prioritise_complaint, prioritise_request, request_facts,
    },
    store,
};

/// Everything this service hears.
pub(crate) fn all() -> Vec<Consumer<App>> {
    vec![
        Consumer::of("intake")
            .on::<intake::ServiceRequestReceived, _>(|_, work, message| Box::pin(request_received(work, message)))
            .on::<intake::CasePrioritised, _>(|_, work, message| Box::pin(case_prioritised(work, message)))
            .on::<intake::CaseCancelled, _>(|_, work, message| Box::pin(case_cancelled(work, message)))
            .on::<intake::AccountablePersonChanged, _>(|_, work, message| Box::pin(answers_for_it(work, message)))
            .on::<intake::EstateRegistered, _>(|_, work, message| Box::pin(estate_registered(work, message)))
            .on::<intake::FileStored, _>(|_, work, message| Box::pin(file_stored(work, message))),
        Consumer::of("complaint")
            .on::<complaint::RemedyRequested, _>(|_, work, message| Box::pin(remedy_requested(work, message)))
            .on::<complaint::ComplaintConfirmed, _>(|_, work, message| Box::pin(complaint_confirmed(work, message)))
            .on::<complaint::ComplaintClosed, _>(|_, work, message| Box::pin(complaint_over(work, message.case_id)))
            .on::<complaint::ComplaintWithdrawn, _>(|_, work, message| Box::pin(complaint_over(work, message.case_id))),
    ]
}

/// A field that is not what its contract says; never repeats what it says.
fn unreadable(field: &'static str) -> Error {
    Error::internal("message", format!("{field} cannot be read"))
}

fn id<T: From<Uuid>>(text: &str, field: &'static str) -> Result<T> {
    text.parse::<Uuid>().map(T::from).map_err(|_| unreadable(field))
}

fn optional_id<T: From<Uuid>>(text: &str, field: &'static str) -> Result<Option<T>> {
    optional_uuid(text).map(|id| id.map(T::from)).map_err(|_| unreadable(field))
}

fn text<const MAX: usize>(raw: &str, field: &'static str) -> Result<Text<MAX>> {
    Text::try_new(raw).map_err(|_| unreadable(field))
}

fn priority(word: &str) -> Result<Priority> {
    Priority::parse(word).ok_or_else(|| unreadable("priority"))
}

fn time(ms: i64, field: &'static str) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| unreadable(field))
}

/// A case of this kind becomes a service request with its id.
async fn request_received(work: &mut Work, message: intake::ServiceRequestReceived) -> Result<()> {
    let case_id: CaseId = id(&message.case_id, "case_id")?;
    let origin = Origin {
        category: message.category,
        priority: priority(&message.priority)?,
        estate_id: id(&message.estate_id, "estate_id")?,
        unit_id: optional_id(&message.unit_id, "unit_id")?,
        resident_id: optional_id(&message.resident_id, "resident_id")?,
        linked_case_id: optional_id(&message.linked_case_id, "linked_case_id")?,
        words: text(&message.words, "words")?,
        language: Language::parse(&message.language).unwrap_or(Language::ZhHans),
        opened_at: time(message.opened_at_ms, "opened_at_ms")?,
        reference: message.reference,
        urgent: message.urgent,
        source_unit_id: optional_id(&message.source_unit_id, "source_unit_id")?,
    };
    let facts = request_facts(work);
    match work.execute::<ServiceRequest>(case_id, &request::Command::Receive(origin), &facts).await {
        Err(error) if error.is(&request::Refusal::AlreadyReceived) => Ok(()),
        other => other.map(drop),
    }
}

/// Whoever works on a case works by its new priority.
async fn case_prioritised(work: &mut Work, message: intake::CasePrioritised) -> Result<()> {
    let (case_id, priority): (CaseId, _) = (id(&message.case_id, "case_id")?, priority(&message.priority)?);
    match CaseKind::parse(&message.kind) {
        Some(CaseKind::ServiceRequest) => prioritise_request(work, case_id, priority).await,
        Some(CaseKind::Complaint) => prioritise_complaint(work, case_id, priority).await,
        Some(CaseKind::Inquiry | CaseKind::Suggestion) | None => Ok(()),
    }
}

/// Whoever works on a cancelled case stops.
async fn case_cancelled(work: &mut Work, message: intake::CaseCancelled) -> Result<()> {
    let case_id: CaseId = id(&message.case_id, "case_id")?;
    match CaseKind::parse(&message.kind) {
        Some(CaseKind::ServiceRequest) => {
            let facts = request_facts(work);
            let done = work.execute::<ServiceRequest>(case_id, &request::Command::CallOff, &facts).await?;
            // Its owner may have come back on it since.
            if done.state.stage == request::RequestStage::Cancelled {
                call_off_orders(work, case_id, None).await?;
            }
            Ok(())
        }
        Some(CaseKind::Complaint) => call_off_complaint(work, case_id, time(message.at_ms, "at_ms")?).await,
        Some(CaseKind::Inquiry | CaseKind::Suggestion) | None => Ok(()),
    }
}

/// Whoever answers for a case does not take down its owner's word.
async fn answers_for_it(work: &mut Work, message: intake::AccountablePersonChanged) -> Result<()> {
    if message.kind != CaseKind::ServiceRequest.as_str() {
        return Ok(());
    }
    store::remember_accountable(&mut work.tx, id(&message.case_id, "case_id")?, &message.account).await
}

/// Whoever works on a complaint that has ended stops.
async fn complaint_over(work: &mut Work, case_id: String) -> Result<()> {
    end_complaint(work, id(&case_id, "case_id")?).await
}

/// Its owner may come back on a complaint that has ended; what is solved is closed with an event of its own.
async fn complaint_confirmed(work: &mut Work, message: complaint::ComplaintConfirmed) -> Result<()> {
    if message.satisfied {
        return Ok(());
    }
    let (case_id, at) = (id(&message.case_id, "case_id")?, time(message.at_ms, "at_ms")?);
    store::remember_return(&mut work.tx, case_id, at).await
}

async fn estate_registered(work: &mut Work, message: intake::EstateRegistered) -> Result<()> {
    let (estate_id, at) = (id(&message.estate_id, "estate_id")?, time(message.at_ms, "at_ms")?);
    let estate = store::HeardEstate { estate_id, code: message.code, name: message.name, time_zone: message.time_zone };
    store::remember_estate(&mut work.tx, &estate, at).await
}

async fn file_stored(work: &mut Work, message: intake::FileStored) -> Result<()> {
    let file = id(&message.file_id, "file_id")?;
    store::remember_file(&mut work.tx, file, &message.account).await?;
    for order in store::orders_that_miss(&mut work.tx, file).await? {
        look_for_proof(work, order, false).await?;
    }
    Ok(())
}

/// Why no work order can be made of a remedy, if so. A company that has not entered its departments gives its work to any code.
async fn why_not(
    work: &mut Work,
    case_id: CaseId,
    department: &Code,
    estate: EstateId,
) -> Result<Option<Misaddressed>> {
    if store::has_ended(&mut work.tx, case_id).await? {
        return Ok(Some(Misaddressed::ComplaintOver));
    }
    let serves = match store::find_department(&mut work.tx, department.as_str()).await? {
        Some(known) => known.serves(estate),
        None => store::departments(&mut work.tx).await?.is_empty(),
    };
    Ok((!serves).then_some(Misaddressed::UnknownDepartment))
}

/// Whether a remedy was answered before, with a work order or with no: there is one answer to each.
async fn is_answered(work: &mut Work, case_id: CaseId, remedy_id: RemedyId) -> Result<bool> {
    let is_refused = work.find::<RefusedRemedy>(remedy_id).await?.is_some();
    Ok(is_refused || store::is_ordered(&mut work.tx, case_id, remedy_id).await?)
}

/// The remedy of a complaint becomes a work order, if there is somebody to whom it can be given.
async fn remedy_requested(work: &mut Work, message: complaint::RemedyRequested) -> Result<()> {
    let (case_id, remedy_id): (CaseId, RemedyId) =
        (id(&message.case_id, "case_id")?, id(&message.remedy_id, "remedy_id")?);
    let estate_id = id(&message.estate_id, "estate_id")?;
    let department = text(&message.department, "department")?;
    if is_answered(work, case_id, remedy_id).await? {
        return Ok(());
    }
    if let Some(reason) = why_not(work, case_id, &department, estate_id).await? {
        let refused = Refused { case_id, estate_id, reason };
        return work.execute::<RefusedRemedy>(remedy_id, &Refuse(refused), &()).await.map(drop);
    }
    let order_id = WorkOrderId::from(work.clock().new_id());
    let now = work.clock().now();
    let today = day(now, store::zone_of(&mut work.tx, estate_id).await?);
    let skill = if message.skill.trim().is_empty() { None } else { Some(text(&message.skill, "skill")?) };
    let summary: Words = text(&message.summary, "summary")?;
    let job = Job {
        reference: reference(LETTER, order_id.get(), today),
        case_id,
        remedy_id: Some(remedy_id),
        rework_of: None,
        contractor: is_contractor(work, &department).await?,
        department,
        skill,
        summary,
        category: message.category,
        // Intake's word may have come to us sooner than to the complaint.
        priority: store::priority_of_complaint(&mut work.tx, case_id, priority(&message.priority)?).await?,
        estate_id,
        unit_id: optional_id(&message.unit_id, "unit_id")?,
        resident_id: optional_id(&message.resident_id, "resident_id")?,
        opened_at: now,
    };
    let facts = order_facts(work.call.actor.clone());
    work.execute::<WorkOrder>(order_id, &order::Command::Open(job), &facts).await.map(drop)
}
