//! What the service hears: complaints and called-off cases from intake, work orders from dispatch.

use std::str::FromStr;

use chrono::DateTime;
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    ids::{CaseId, EstateId, WorkOrderId},
    message::optional_uuid,
    text::Words,
    vocabulary::{CaseKind, Language, Priority},
};
use steward_proto::{dispatch, intake};

use crate::{
    app::App,
    domain::{Command, Complaint, Department, Receipt, RefusedBecause, RemedyId, WorkOrderStep},
    store,
};

/// Everything this service hears.
#[must_use]
pub fn all() -> Vec<Consumer<App>> {
    vec![
        Consumer::of("intake")
            .on::<intake::ComplaintReceived, _>(|app, work, message| Box::pin(received(app, work, message)))
            .on::<intake::CasePrioritised, _>(|app, work, message| Box::pin(prioritised(app, work, message)))
            .on::<intake::CaseCancelled, _>(|app, work, message| Box::pin(cancelled(app, work, message)))
            .on::<intake::AccountablePersonChanged, _>(|_, work, message| Box::pin(answers_for_it(work, message))),
        Consumer::of("dispatch")
            .on::<dispatch::WorkOrderOpened, _>(|app, work, message| {
                let step = WorkOrderStep::Opened { reference: message.reference };
                Box::pin(followed(app, work, [message.case_id, message.remedy_id, message.work_order_id], step))
            })
            .on::<dispatch::DepartmentRegistered, _>(|_, work, message| Box::pin(department_registered(work, message)))
            .on::<dispatch::RemedyRefused, _>(|app, work, message| Box::pin(refused(app, work, message)))
            .on::<dispatch::WorkOrderAssigned, _>(|_, work, message| Box::pin(assigned(work, message)))
            .on::<dispatch::WorkOrderCompleted, _>(|app, work, message| {
                let order = [message.case_id, message.remedy_id, message.work_order_id];
                Box::pin(followed(app, work, order, WorkOrderStep::Completed))
            })
            .on::<dispatch::WorkOrderCancelled, _>(|app, work, message| {
                let order = [message.case_id, message.remedy_id, message.work_order_id];
                Box::pin(followed(app, work, order, WorkOrderStep::Cancelled))
            }),
    ]
}

/// A case of this kind becomes a complaint.
async fn received(app: &App, work: &mut Work, message: intake::ComplaintReceived) -> Result<()> {
    let case_id: CaseId = read("case_id", &message.case_id)?;
    let receipt = receipt(message)?;
    let facts = app.facts(&work.call);
    work.execute::<Complaint>(case_id, &Command::Receive(receipt), &facts).await?;
    Ok(())
}

/// Whoever handles a complaint handles it by the new priority of its case.
async fn prioritised(app: &App, work: &mut Work, message: intake::CasePrioritised) -> Result<()> {
    if message.kind != CaseKind::Complaint.as_str() {
        return Ok(());
    }
    let case_id: CaseId = read("case_id", &message.case_id)?;
    let priority = read_priority(&message.priority)?;
    let facts = app.facts(&work.call);
    work.execute::<Complaint>(case_id, &Command::Prioritise { priority }, &facts).await?;
    Ok(())
}

/// A complaint whose case was called off is withdrawn.
async fn cancelled(app: &App, work: &mut Work, message: intake::CaseCancelled) -> Result<()> {
    if message.kind != CaseKind::Complaint.as_str() {
        return Ok(());
    }
    let case_id: CaseId = read("case_id", &message.case_id)?;
    let facts = app.facts(&work.call);
    work.execute::<Complaint>(case_id, &Command::CallOff, &facts).await?;
    Ok(())
}

/// Work is ordered from departments that are there.
async fn department_registered(work: &mut Work, message: dispatch::DepartmentRegistered) -> Result<()> {
    let id = read("department_id", &message.department_id)?;
    let estates: Vec<EstateId> = message.estate_ids.iter().map(|id| read("estate_ids", id)).collect::<Result<_>>()?;
    let estates = (!message.every_estate).then_some(estates);
    let department = Department { code: message.code, estates, closed: message.closed, skills: message.skills };
    store::remember_department(&mut work.tx, id, &department).await
}

/// Dispatch has nobody to give the work to.
async fn refused(app: &App, work: &mut Work, message: dispatch::RemedyRefused) -> Result<()> {
    let case_id: CaseId = read("case_id", &message.case_id)?;
    let reason = RefusedBecause::parse(&message.reason).unwrap_or(RefusedBecause::Other);
    let command = Command::RefuseRemedy { remedy_id: read("remedy_id", &message.remedy_id)?, reason };
    let facts = app.facts(&work.call);
    work.execute::<Complaint>(case_id, &command, &facts).await.map(drop)
}

/// Whoever answers for a case does not take down its owner's word.
async fn answers_for_it(work: &mut Work, message: intake::AccountablePersonChanged) -> Result<()> {
    if message.kind != CaseKind::Complaint.as_str() {
        return Ok(());
    }
    let case_id = read("case_id", &message.case_id)?;
    store::remember_accountable(&mut work.tx, case_id, &message.account).await
}

/// Nor does whoever was given the work for it.
async fn assigned(work: &mut Work, message: dispatch::WorkOrderAssigned) -> Result<()> {
    if message.remedy_id.is_empty() || message.account.is_empty() {
        return Ok(());
    }
    let case_id = read("case_id", &message.case_id)?;
    store::remember_technician(&mut work.tx, case_id, &message.account).await
}

/// What became of a remedy's work order; those of service requests are not ours.
async fn followed(
    app: &App,
    work: &mut Work,
    [case_id, remedy_id, work_order_id]: [String; 3],
    step: WorkOrderStep,
) -> Result<()> {
    if remedy_id.is_empty() {
        return Ok(());
    }
    let case_id: CaseId = read("case_id", &case_id)?;
    let remedy_id: RemedyId = read("remedy_id", &remedy_id)?;
    let work_order_id: WorkOrderId = read("work_order_id", &work_order_id)?;
    let command = Command::FollowWorkOrder { remedy_id, work_order_id, step };
    let facts = app.facts(&work.call);
    work.execute::<Complaint>(case_id, &command, &facts).await?;
    Ok(())
}

fn receipt(message: intake::ComplaintReceived) -> Result<Receipt> {
    let opened_at = DateTime::from_timestamp_millis(message.opened_at_ms).ok_or_else(|| unreadable("opened_at_ms"))?;
    Ok(Receipt {
        reference: message.reference,
        category: message.category,
        priority: read_priority(&message.priority)?,
        words: Words::try_new(&message.words).map_err(|_| unreadable("words"))?,
        language: Language::parse(&message.language).ok_or_else(|| unreadable("language"))?,
        estate_id: read("estate_id", &message.estate_id)?,
        unit_id: read_optional("unit_id", &message.unit_id)?,
        resident_id: read_optional("resident_id", &message.resident_id)?,
        linked_case_id: read_optional("linked_case_id", &message.linked_case_id)?,
        opened_at,
        time_zone: message.time_zone,
        urgent: message.urgent,
        source_unit_id: read_optional("source_unit_id", &message.source_unit_id)?,
    })
}

fn read<T: FromStr>(field: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|_| unreadable(field))
}

fn read_priority(word: &str) -> Result<Priority> {
    Priority::parse(word).ok_or_else(|| unreadable("priority"))
}

fn read_optional<T: From<uuid::Uuid>>(field: &'static str, text: &str) -> Result<Option<T>> {
    optional_uuid(text).map(|id| id.map(T::from)).map_err(|_| unreadable(field))
}

/// Names the field, never what stands in it.
fn unreadable(field: &'static str) -> Error {
    Error::internal("message", format!("{field} cannot be read"))
}
