//! What concerns more than one aggregate, each in one transaction: a case with its inquiry, its visit, the case it
//! follows from.

use steward_chassis::{Call, Error, Executed, Result, Work};
use steward_kernel::{
    ids::{CaseId, EstateId, ResidentId},
    text::Line,
    vocabulary::{CaseKind, Priority},
};

use crate::{
    app::App,
    domain::{
        ArticleId, VisitId,
        case::{self, Case, Refusal},
        inquiry::{self, Cited, Inquiry, Question},
        opening::{NewCase, Opening},
        stewardship::Command,
        timeline::Milestone,
        visit::{self, Arrival, Visit},
    },
    stewardship, store,
};

/// Whether the register knows the place and the person that a new case names; asks the database only for what is new to
/// this process.
///
/// # Errors
/// The refusal that names the field.
pub(crate) async fn check_register(app: &App, call: &Call, new: &NewCase) -> Result<()> {
    let tenant = call.tenant();
    if !call.actor.sees_estate(new.estate) || app.places.estate(tenant, new.estate).await?.is_none() {
        return Err(Error::refused(&Refusal::UnknownEstate));
    }
    if let Some(unit) = new.unit
        && !app.places.has_unit(tenant, new.estate, unit).await?
    {
        return Err(Error::refused(&Refusal::UnknownUnit));
    }
    // An owner's resident stands in the token, which is proven.
    if let Some(resident) = new.resident.filter(|_| !call.actor.is_only_owner())
        && !app.places.has_resident(tenant, resident).await?
    {
        return Err(Error::refused(&Refusal::UnknownResident));
    }
    Ok(())
}

/// Opens a case.
///
/// One that stands alone costs one statement for the log and one for its row; the others are written with what belongs
/// to them.
///
/// # Errors
/// Refusals of the case; what the engine says.
pub(crate) async fn open(app: &App, call: &Call, new: NewCase) -> Result<Executed<Case>> {
    let id = CaseId::from(app.core.clock.new_id());
    let stands_alone =
        new.kind != CaseKind::Inquiry && new.linked.is_none() && new.visit.is_none() && new.files.is_empty();
    if stands_alone && let Some(opened) = open_alone(app, call, id, &new).await? {
        return Ok(opened);
    }
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, new) = (app_again.clone(), new.clone());
            Box::pin(async move { open_within(&app, work, id, new).await })
        })
        .await
}

/// Opens a case that stands alone, without looking whether it was opened before; `None` when the call's key was claimed
/// before.
async fn open_alone(app: &App, call: &Call, id: CaseId, new: &NewCase) -> Result<Option<Executed<Case>>> {
    let mut work = app.core.engine.begin(call).await?;
    let command = case::Command::Open(Box::new(new.clone()));
    let opened = match work.create::<Case>(id, &command, &app.facts(call)).await {
        Err(Error::Busy) => return Ok(None),
        other => other?,
    };
    stewardship::begin(app, &mut work, &opened.state).await?;
    work.commit().await?;
    Ok(Some(opened))
}

/// Opens a case with its inquiry, and tells the case it follows from.
///
/// # Errors
/// As [`open`]; nothing of it may be committed then.
pub(crate) async fn open_within(app: &App, work: &mut Work, id: CaseId, new: NewCase) -> Result<Executed<Case>> {
    let facts = app.facts_of(work);
    let opened = work.execute::<Case>(id, &case::Command::Open(Box::new(new)), &facts).await?;
    let Some(opening) = opened.state.opening.as_deref().filter(|_| !opened.replayed) else { return Ok(opened) };
    stewardship::begin(app, work, &opened.state).await?;
    check_visit(work, opening).await?;
    if !opening.files.is_empty() && !store::case::has_files(&mut work.tx, &facts.actor, &opening.files).await? {
        return Err(Error::refused(&Refusal::UnknownFile));
    }
    if opening.kind == CaseKind::Inquiry {
        work.execute::<Inquiry>(id, &inquiry::Command::Ask(Box::new(question(opening))), &facts).await?;
    }
    if let Some(origin) = opening.linked {
        let told = work.execute::<Case>(origin, &case::Command::Link { case: id }, &facts).await;
        told.map_err(
            |fault| {
                if fault.is(&Refusal::NoSuchCase) { Error::refused(&Refusal::UnknownLinkedCase) } else { fault }
            },
        )?;
    }
    Ok(opened)
}

async fn check_visit(work: &mut Work, opening: &Opening) -> Result<()> {
    let Some(id) = opening.visit else { return Ok(()) };
    let visit = work.find::<Visit>(id).await?;
    let arrival = visit.and_then(|visit| visit.arrival).filter(|arrival| arrival.estate == opening.estate);
    // An owner may name the own visit only.
    match arrival.filter(|arrival| work.call.actor.sees(arrival.estate, arrival.resident)) {
        Some(_) => Ok(()),
        None => Err(Error::refused(&Refusal::UnknownVisit)),
    }
}

fn question(opening: &Opening) -> Question {
    Question {
        reference: opening.reference.clone(),
        estate: opening.estate,
        resident: opening.resident,
        words: opening.words.clone(),
        asked_at: opening.opened_at,
    }
}

/// Calls a case off, and its inquiry with it.
///
/// # Errors
/// Refusals of the case; what the engine says.
pub(crate) async fn cancel(app: &App, call: &Call, id: CaseId, reason: Line) -> Result<Executed<Case>> {
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, reason) = (app_again.clone(), reason.clone());
            Box::pin(async move {
                let facts = app.facts_of(work);
                let cancelled = work.execute::<Case>(id, &case::Command::Cancel { reason }, &facts).await?;
                let kind = cancelled.state.opening.as_deref().map(|opening| opening.kind);
                if kind == Some(CaseKind::Inquiry) && !cancelled.replayed {
                    work.execute::<Inquiry>(id, &inquiry::Command::Cancel, &facts).await?;
                }
                if !cancelled.replayed {
                    stewardship::follow(&app, work, &cancelled.state, &case::Step::news(Milestone::Cancelled), false)
                        .await?;
                }
                Ok(cancelled)
            })
        })
        .await
}

/// Makes a case more or less urgent, and its clocks with it.
///
/// # Errors
/// Refusals of the case; what the engine says.
pub(crate) async fn prioritise(
    app: &App,
    call: &Call,
    id: CaseId,
    priority: Priority,
    reason: Line,
) -> Result<Executed<Case>> {
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, reason) = (app_again.clone(), reason.clone());
            Box::pin(async move {
                let facts = app.facts_of(work);
                let command = case::Command::Prioritise { priority, reason };
                let done = work.execute::<Case>(id, &command, &facts).await?;
                if !done.replayed {
                    stewardship::command(&app, work, id, &Command::Prioritise(priority)).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// Takes a step with an inquiry, which its case takes too.
///
/// # Errors
/// Refusals of the inquiry; what the engine says.
pub(crate) async fn inquire(
    app: &App,
    call: &Call,
    id: CaseId,
    command: inquiry::Command,
) -> Result<Executed<Inquiry>> {
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, command) = (app_again.clone(), command.clone());
            Box::pin(async move { inquire_within(&app, work, id, &command).await })
        })
        .await
}

/// Takes a step with an inquiry, which its case takes too, in a transaction that is open.
///
/// # Errors
/// As [`inquire`]; nothing of it may be committed then.
pub(crate) async fn inquire_within(
    app: &App,
    work: &mut Work,
    id: CaseId,
    command: &inquiry::Command,
) -> Result<Executed<Inquiry>> {
    let facts = app.facts_of(work);
    let done = work.execute::<Inquiry>(id, command, &facts).await?;
    if let Some(step) = done.state.step().filter(|_| !done.replayed) {
        let case = work.execute::<Case>(id, &case::Command::Progress(step.clone()), &facts).await?.state;
        let call_back = done.state.answer.as_deref().is_some_and(|answer| answer.important);
        stewardship::follow(app, work, &case, &step, call_back).await?;
    }
    Ok(done)
}

/// The article that an answer names, in the version named or the newest.
///
/// # Errors
/// [`inquiry::Refusal::UnknownArticle`] when the handbook has none such for the inquiry's estate; [`Error::NotFound`]
/// when there is no such inquiry for the caller.
pub(crate) async fn cite(
    app: &App,
    call: &Call,
    id: CaseId,
    article: ArticleId,
    version: Option<i32>,
) -> Result<Cited> {
    let inquiry = app.core.engine.load::<Inquiry>(call, id).await?.state;
    let question = inquiry.question.filter(|question| call.actor.sees(question.estate, question.resident));
    let estate = question.ok_or_else(|| Error::refused(&inquiry::Refusal::NoSuchInquiry))?.estate;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let newest = store::inquiry::newest_version(&mut tx, article, estate).await?;
    tx.rollback().await?;
    let version = newest.map(|newest| (version.unwrap_or(newest), newest));
    match version.filter(|(version, newest)| (1..=*newest).contains(version)) {
        Some((version, _)) => Ok(Cited { article, version }),
        None => Err(Error::refused(&inquiry::Refusal::UnknownArticle)),
    }
}

/// Notes an arrival and gives out the next number in the queue of the estate and day.
///
/// # Errors
/// Refusals of the visit; what the engine says.
pub(crate) async fn receive(
    app: &App,
    call: &Call,
    estate: EstateId,
    resident: Option<ResidentId>,
    purpose: Option<Line>,
) -> Result<Executed<Visit>> {
    let known = app.places.estate(call.tenant(), estate).await?.filter(|_| call.actor.sees_estate(estate));
    let time_zone = known.ok_or_else(|| Error::refused(&visit::Refusal::UnknownEstate))?;
    if let Some(resident) = resident
        && !app.places.has_resident(call.tenant(), resident).await?
    {
        return Err(Error::refused(&visit::Refusal::UnknownResident));
    }
    let id = VisitId::from(app.core.clock.new_id());
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, purpose) = (app_again.clone(), purpose.clone());
            Box::pin(async move {
                let facts = app.facts_of(work);
                let on = facts.now.with_timezone(&time_zone).date_naive();
                let queue_number = store::visit::next_number(&mut work.tx, estate, on).await?;
                let arrival = Box::new(Arrival { estate, resident, purpose, queue_number });
                let arrived = work.execute::<Visit>(id, &visit::Command::Arrive(arrival), &facts).await?;
                // An answer given again takes no second number.
                if !arrived.replayed {
                    store::visit::give_out(&mut work.tx, estate, on, queue_number).await?;
                }
                Ok(arrived)
            })
        })
        .await
}
