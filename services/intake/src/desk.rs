//! What concerns more than one aggregate, each in one transaction: a case with its inquiry, its visit, the case it
//! follows from.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_chassis::{Call, Error, Executed, Result, Work};
use steward_kernel::{
    Recorded,
    day::day,
    ids::{CaseId, EstateId, ResidentId},
    text::Line,
    vocabulary::{CaseKind, Priority},
    word::TakenDown,
};

use crate::{
    app::App,
    domain::{
        ArticleId, Facts, VisitId,
        article::{self, Article},
        case::{self, Case, Refusal},
        home::{self, Stranger},
        inquiry::{self, CallResult, Cited, Inquiry, InquiryStage, Question},
        opening::{NewCase, Opening},
        stewardship::{Command, Stewardship},
        timeline::Milestone,
        visit::{self, Arrival, Visit},
    },
    stewardship, store,
};

/// The time zone of a new case's estate, if the register knows the place and the person it names; asks the database only
/// for what is new to this process.
///
/// # Errors
/// The refusal that names the field.
pub(crate) async fn check_register(app: &App, call: &Call, new: &NewCase) -> Result<Tz> {
    let tenant = call.tenant();
    let known = app.places.estate(tenant, new.estate).await?.filter(|_| call.actor.sees_estate(new.estate));
    let time_zone = known.ok_or_else(|| Error::refused(&Refusal::UnknownEstate))?;
    if let Some(unit) = new.unit
        && !app.places.has_unit(tenant, new.estate, unit).await?
    {
        return Err(Error::refused(&Refusal::UnknownUnit));
    }
    if let Some(unit) = new.source_unit
        && !app.places.has_unit(tenant, new.estate, unit).await?
    {
        return Err(Error::refused(&Refusal::UnknownSourceUnit));
    }
    // An owner's resident stands in the token, which is proven.
    if let Some(resident) = new.resident.filter(|_| !call.actor.is_only_owner())
        && !app.places.has_resident(tenant, new.estate, resident).await?
    {
        return Err(Error::refused(&Refusal::UnknownResident));
    }
    Ok(time_zone)
}

/// Whether the caller may name that person together with that place.
async fn check_home(work: &mut Work, opening: &Opening, today: NaiveDate) -> Result<()> {
    let actor = work.call.actor.clone();
    let Some(resident) = opening.resident.filter(|_| !actor.is_service()) else { return Ok(()) };
    let homes = store::place::homes(&mut work.tx, resident).await?;
    home::check(&actor, &homes, (opening.estate, opening.unit), today).map_err(|stranger| {
        Error::refused(&match stranger {
            Stranger::ToTheCaller => Refusal::UnknownResident,
            Stranger::ToTheEstate => Refusal::UnknownEstate,
            Stranger::NotYourUnit => Refusal::NotYourUnit,
            Stranger::NotTheirUnit => Refusal::NotTheirUnit,
        })
    })
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
        .transact(&unread(call), move |work| {
            let (app, new) = (app_again.clone(), new.clone());
            Box::pin(async move { open_within(&app, work, id, new).await })
        })
        .await
}

/// The call without a version that was read: what is born now has none, and a refusal for it would come before that of what the caller may
/// not name, and tell that this exists.
fn unread(call: &Call) -> Call {
    Call { if_match: None, ..call.clone() }
}

/// Opens a case that stands alone, without looking whether it was opened before; `None` when the call's key was claimed
/// before.
async fn open_alone(app: &App, call: &Call, id: CaseId, new: &NewCase) -> Result<Option<Executed<Case>>> {
    let mut work = app.core.engine.begin(call).await?;
    let new = spoken_to(&mut work, new.clone()).await?;
    let command = case::Command::Open(Box::new(new.clone()));
    let opened = match work.create::<Case>(id, &command, &app.facts(call)).await {
        Err(Error::Busy) => return Ok(None),
        other => other?,
    };
    if let Some(opening) = opened.state.opening.as_deref() {
        check_home(&mut work, opening, new.day(opening.opened_at)).await?;
    }
    stewardship::begin(app, &mut work, &opened.state).await?;
    work.commit().await?;
    Ok(Some(opened))
}

/// The same with the language that the register says for its resident: it may have changed a moment ago, so nothing of it
/// is remembered.
async fn spoken_to(work: &mut Work, mut new: NewCase) -> Result<NewCase> {
    let actor = &work.call.actor;
    let resident = if actor.is_only_owner() { actor.resident } else { new.resident };
    if let Some(resident) = resident {
        new.language.register = store::people::spoken_language(&mut work.tx, resident).await?;
    }
    Ok(new)
}

/// Opens a case with its inquiry, and tells the case it follows from.
///
/// # Errors
/// As [`open`]; nothing of it may be committed then.
pub(crate) async fn open_within(app: &App, work: &mut Work, id: CaseId, mut new: NewCase) -> Result<Executed<Case>> {
    let facts = app.facts_of(work);
    let today = new.day(facts.now);
    new.link_is_for_staff = follows_from_anothers(work, &new).await?;
    let new = spoken_to(work, new).await?;
    let opened = work.execute::<Case>(id, &case::Command::Open(Box::new(new)), &facts).await?;
    let Some(opening) = opened.state.opening.as_deref().filter(|_| !opened.replayed) else { return Ok(opened) };
    check_home(work, opening, today).await?;
    stewardship::begin(app, work, &opened.state).await?;
    check_visit(work, opening).await?;
    let of = (opening.estate, opening.resident);
    if !opening.files.is_empty() && !store::case::has_files(&mut work.tx, &facts.actor, of, &opening.files).await? {
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

/// Whether the case that a new one follows from is known as another person's.
async fn follows_from_anothers(work: &mut Work, new: &NewCase) -> Result<bool> {
    let Some(origin) = new.linked else { return Ok(false) };
    let origin = work.find::<Case>(origin).await?.and_then(|case| case.opening);
    let whose = if work.call.actor.is_only_owner() { work.call.actor.resident } else { new.resident };
    Ok(origin.is_some_and(|origin| origin.resident != whose))
}

async fn check_visit(work: &mut Work, opening: &Opening) -> Result<()> {
    let Some(id) = opening.visit else { return Ok(()) };
    let visit = work.find::<Visit>(id).await?;
    let arrival = visit.and_then(|visit| visit.arrival).filter(|arrival| arrival.estate == opening.estate);
    // An owner may name the own visit only.
    let arrival = arrival.filter(|arrival| work.call.actor.sees(arrival.estate, arrival.resident));
    let arrival = arrival.ok_or_else(|| Error::refused(&Refusal::UnknownVisit))?;
    match (arrival.resident, opening.resident) {
        (Some(visitor), Some(resident)) if visitor != resident => check_speaker(work, visitor, resident).await,
        _ => Ok(()),
    }
}

/// Who comes to the desk may speak for who shares a unit with them.
async fn check_speaker(work: &mut Work, visitor: ResidentId, resident: ResidentId) -> Result<()> {
    let one = store::place::homes(&mut work.tx, visitor).await?;
    let other = store::place::homes(&mut work.tx, resident).await?;
    if home::share_a_unit(&one, &other) { Ok(()) } else { Err(Error::refused(&Refusal::VisitOfAnother)) }
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
pub(crate) async fn cancel(
    app: &App,
    call: &Call,
    id: CaseId,
    reason: Line,
    taken_down: Option<TakenDown>,
) -> Result<Executed<Case>> {
    let handled = taken_down.is_some() && has_handled(app, call, id).await?;
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, reason) = (app_again.clone(), reason.clone());
            Box::pin(async move {
                let facts = Facts { handled, ..app.facts_of(work) };
                let command = case::Command::Cancel { reason, taken_down };
                let cancelled = work.execute::<Case>(id, &command, &facts).await?;
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
    (priority, instead_of): (Priority, Option<Priority>),
    reason: Line,
) -> Result<Executed<Case>> {
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, reason) = (app_again.clone(), reason.clone());
            Box::pin(async move {
                let facts = app.facts_of(work);
                let command = case::Command::Prioritise { priority, instead_of, reason };
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
    let handled = command.is_of_the_owner() && has_handled(app, call, id).await?;
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, command) = (app_again.clone(), command.clone());
            Box::pin(async move {
                let facts = Facts { handled, ..app.facts_of(work) };
                inquire_with(&app, work, id, &command, &facts).await
            })
        })
        .await
}

/// Whether the caller has handled a case: answers for it, or has answered its inquiry or called its owner back.
async fn has_handled(app: &App, call: &Call, id: CaseId) -> Result<bool> {
    let answers = match app.core.engine.load::<Stewardship>(call, id).await {
        Ok(known) => known.state.accountable.account() == Some(call.actor.id.as_str()),
        Err(Error::NotFound) => false,
        Err(other) => return Err(other),
    };
    let history = app.core.engine.history::<Inquiry>(call, id).await?;
    Ok(answers || history.iter().any(|event| event.actor == call.actor.id && event.body.is_handling()))
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
    inquire_with(app, work, id, command, &facts).await
}

async fn inquire_with(
    app: &App,
    work: &mut Work,
    id: CaseId,
    command: &inquiry::Command,
    facts: &Facts,
) -> Result<Executed<Inquiry>> {
    let before = work.find::<Inquiry>(id).await?;
    let done = work.execute::<Inquiry>(id, command, facts).await?;
    if done.replayed || before.as_ref() == Some(&done.state) {
        return Ok(done);
    }
    let in_vain = matches!(command, inquiry::Command::FollowUp { result: CallResult::NotReached, .. });
    // A call that reached nobody is no step of the case, unless it was the last one.
    if in_vain && done.state.stage != InquiryStage::Closed {
        return Ok(done);
    }
    if in_vain {
        stewardship::command(app, work, id, &Command::CallInVain).await?;
    }
    if let Some(step) = done.state.step() {
        let case = work.execute::<Case>(id, &case::Command::Progress(step.clone()), facts).await?.state;
        let call_back = done.state.answer.as_deref().is_some_and(|answer| answer.important);
        stewardship::follow(app, work, &case, &step, call_back).await?;
    }
    Ok(done)
}

/// Notes a call-back, on the day it is in the estate.
///
/// # Errors
/// As [`inquire`].
pub(crate) async fn call_back(
    app: &App,
    call: &Call,
    id: CaseId,
    result: CallResult,
    note: Option<Line>,
) -> Result<Executed<Inquiry>> {
    let estate = estate_of(app, call, id).await?;
    let time_zone = app.places.estate(call.tenant(), estate).await?;
    let now = app.core.clock.now();
    let on = time_zone.map_or_else(|| now.date_naive(), |time_zone| now.with_timezone(&time_zone).date_naive());
    inquire(app, call, id, inquiry::Command::FollowUp { result, note, on }).await
}

/// Where an inquiry was asked that the caller may see.
async fn estate_of(app: &App, call: &Call, id: CaseId) -> Result<EstateId> {
    let found = app.core.engine.load::<Inquiry>(call, id).await;
    let question = match found {
        Ok(found) => found.state.question.filter(|question| call.actor.sees(question.estate, question.resident)),
        Err(Error::NotFound) => None,
        Err(fault) => return Err(fault),
    };
    question.map(|question| question.estate).ok_or_else(|| Error::refused(&inquiry::Refusal::NoSuchInquiry))
}

/// The article that an answer names, in the version named or the newest.
///
/// # Errors
/// [`inquiry::Refusal::UnknownArticle`] when the handbook has none such for the inquiry's estate;
/// [`inquiry::Refusal::NoSuchInquiry`] when there is none for the caller.
pub(crate) async fn cite(
    app: &App,
    call: &Call,
    id: CaseId,
    article: ArticleId,
    version: Option<i32>,
) -> Result<Cited> {
    let estate = estate_of(app, call, id).await?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let good = store::inquiry::version_in_force(&mut tx, article, estate).await?;
    tx.rollback().await?;
    let unknown = || Error::refused(&inquiry::Refusal::UnknownArticle);
    let good = good.ok_or_else(unknown)?;
    let version = version.unwrap_or(good);
    // What was good once may be cited, what is only planned may not.
    if version != good {
        let history = app.core.engine.history::<Article>(call, article).await?;
        let was_good = |event: &Recorded<article::Event>| matches!(event.body, article::Event::Written(_));
        history.iter().find(|event| event.version.get() == version && was_good(event)).ok_or_else(unknown)?;
    }
    Ok(Cited { article, version })
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
        && !app.places.has_resident(call.tenant(), estate, resident).await?
    {
        return Err(Error::refused(&visit::Refusal::UnknownResident));
    }
    let id = VisitId::from(app.core.clock.new_id());
    let app_again = app.clone();
    app.core
        .engine
        .transact(&unread(call), move |work| {
            let (app, purpose) = (app_again.clone(), purpose.clone());
            Box::pin(async move {
                let facts = app.facts_of(work);
                let on = day(facts.now, time_zone);
                let queue_number = store::visit::next_number(&mut work.tx, estate, on).await?;
                let arrival = Box::new(Arrival { estate, resident, purpose, queue_number });
                let arrived = work.execute::<Visit>(id, &visit::Command::Arrive(arrival), &facts).await?;
                // An answer given again takes no second number.
                if !arrived.replayed {
                    check_visitor(work, estate, resident, on).await?;
                    store::visit::give_out(&mut work.tx, estate, on, queue_number).await?;
                }
                Ok(arrived)
            })
        })
        .await
}

/// Staff name as a visitor whom they may see in the register.
async fn check_visitor(
    work: &mut Work,
    estate: EstateId,
    resident: Option<ResidentId>,
    today: NaiveDate,
) -> Result<()> {
    let Some(resident) = resident else { return Ok(()) };
    let homes = store::place::homes(&mut work.tx, resident).await?;
    home::check(&work.call.actor, &homes, (estate, None), today)
        .map_err(|_| Error::refused(&visit::Refusal::UnknownResident))
}
