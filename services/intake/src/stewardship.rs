//! Stewardships at work: what is looked up for a decision, and what follows from the steps of a case.

use steward_chassis::{Call, Error, Executed, Result, Work};
use steward_clock::{Hours, Pin, Timetable};
use steward_kernel::{
    Actor, Aggregate as _, Role, Version,
    ids::{CaseId, EstateId},
};

use crate::{
    app::App,
    domain::{
        Facts as DomainFacts,
        case::{self, Case, Dated, Effect, Step},
        opening::Opening,
        ruling::Ruling,
        stewardship::{Account, Command, Facts, HeardOfOrder, Matter, Promise, Refusal, Stewardship},
        timeline::{Milestone, Party},
    },
    store,
};

/// People of the company who receive an owner first, and so answer for the case (首問責任).
const RECEIVERS: [Role; 5] = [Role::Receptionist, Role::Handler, Role::Supervisor, Role::Manager, Role::Technician];

fn matter(case: &Case, opening: &Opening) -> Matter {
    Matter {
        reference: opening.reference.clone(),
        kind: opening.kind,
        category: case.category.clone(),
        priority: opening.priority,
        estate: opening.estate,
        unit: opening.unit,
        resident: opening.resident,
        language: opening.language,
        register_language: opening.register_language,
        said_at: opening.said_at,
        opened_at: opening.opened_at,
    }
}

/// Begins the stewardship of a case that was just opened, in its transaction.
pub(crate) async fn begin(app: &App, work: &mut Work, case: &Case) -> Result<()> {
    let Some(opening) = case.opening.as_deref() else { return Ok(()) };
    let is_received = opening.opened_by == Party::Staff && work.call.actor.is_any(&RECEIVERS);
    let receiver = is_received.then(|| work.call.actor.id.as_str().to_owned());
    let archived = opening.is_from_the_archive(app.said_back());
    let command = Command::Begin { matter: Box::new(matter(case, opening)), receiver, adopted: false, archived };
    let facts = facts(app, work, &Stewardship::unborn(case.id), opening.estate, &command).await?;
    work.create::<Stewardship>(case.id, &command, &facts).await.map(drop)
}

/// Carries out a command on the stewardship of a case. One that is older than its stewardship gets it now.
pub(crate) async fn command(
    app: &App,
    work: &mut Work,
    id: CaseId,
    command: &Command,
) -> Result<Executed<Stewardship>> {
    let known = match work.find::<Stewardship>(id).await? {
        Some(known) => known,
        None => adopt(app, work, id).await?,
    };
    let estate =
        known.matter.as_ref().map(|matter| matter.estate).ok_or_else(|| Error::refused(&Refusal::NoSuchCase))?;
    let facts = facts(app, work, &known, estate, command).await?;
    let done = work.execute::<Stewardship>(id, command, &facts).await?;
    if !done.replayed {
        for step in steps(&known, &done.state) {
            let facts = app.facts_of(work);
            work.execute::<Case>(id, &case::Command::Progress(step), &facts).await?;
        }
        for (milestone, at) in done.state.taken_up_since(&known) {
            let facts = DomainFacts { at, ..app.facts_of(work) };
            work.execute::<Case>(id, &case::Command::Progress(Step::news(milestone)), &facts).await?;
        }
    }
    Ok(done)
}

/// What its owner sees of what has just happened: a time that the owner is given by itself, and an objection to a pause.
fn steps(before: &Stewardship, after: &Stewardship) -> Vec<Step> {
    let is_new = |promise: &&Promise| before.promises.iter().all(|known| known.promise_id != promise.promise_id);
    let promises = after.promises.iter().filter(is_new).filter_map(|promise| {
        let (due_at, previous, reason) = (promise.due_at, promise.previous, promise.reason.clone());
        Some(Step { dated: Some(Dated { due_at, previous, reason }), ..Step::news(promise.told()?) })
    });
    let objections = after.objections.iter().skip(before.objections.len());
    let objections = objections.map(|known| Step::news(Milestone::PauseContested).given(known.taken_down.clone()));
    promises.chain(objections).collect()
}

async fn adopt(app: &App, work: &mut Work, id: CaseId) -> Result<Stewardship> {
    let case = work.find::<Case>(id).await?.ok_or_else(|| Error::refused(&Refusal::NoSuchCase))?;
    let opening = case.opening.as_deref().ok_or_else(|| Error::refused(&Refusal::NoSuchCase))?;
    let matter = Box::new(matter(&case, opening));
    let begin = Command::Begin { matter, receiver: None, adopted: true, archived: false };
    let facts_of_birth = facts(app, work, &Stewardship::unborn(id), opening.estate, &begin).await?;
    let begun = work.execute::<Stewardship>(id, &begin, &facts_of_birth).await?.state;
    if !case.is_over() {
        return Ok(begun);
    }
    // Of what has ended nothing runs.
    let end = Command::Follow { milestone: Milestone::Closed, status: case.status, call_back: false };
    let facts = facts(app, work, &begun, opening.estate, &end).await?;
    Ok(work.execute::<Stewardship>(id, &end, &facts).await?.state)
}

/// What a decision has to know: what holds in the estate, and the calendars of every clock that runs or may start.
async fn facts(app: &App, work: &mut Work, known: &Stewardship, estate: EstateId, command: &Command) -> Result<Facts> {
    let now = work.clock().now();
    let ruling = app.rules.ruling(&mut work.tx, estate, now).await?;
    let pins = pins(&ruling, known, command);
    let timetable = app.rules.timetable(&mut work.tx, &pins).await?;
    let at = work.call.occurred_at.unwrap_or(now).min(now);
    let appointment_grace = app.appointment_grace();
    Ok(Facts { now, at, actor: work.call.actor.clone(), ruling, timetable, appointment_grace })
}

fn pins(ruling: &Ruling, known: &Stewardship, command: &Command) -> Vec<Pin> {
    let department = match command {
        Command::Work { heard: HeardOfOrder { department, .. }, .. }
        | Command::Proof { order: (_, department), .. }
        | Command::Consult { department }
        | Command::Consulted { department } => Some(department.as_str()),
        _ => None,
    };
    let of_orders = known.orders.iter().map(|order| order.department.as_str());
    let of_tasks = known.tasks.iter().filter_map(|task| task.department.as_deref());
    let of_climbs = known.climbs.iter().filter_map(|climb| climb.department.as_deref());
    let of_clocks = known.clocks.iter().filter_map(|kept| kept.department.as_deref());
    let of_teams = known.promises.iter().map(|promise| promise.team.as_str()).filter(|team| !team.is_empty());
    let of_waiting = known.waiting.iter().map(|waiting| waiting.heard.department.as_str());
    let of_orders = of_orders.chain(of_waiting);
    let departments = of_orders.chain(of_tasks).chain(of_climbs).chain(of_clocks).chain(of_teams).chain(department);
    let mut pins: Vec<Pin> = known.pins().cloned().collect();
    pins.push(ruling.pin(Hours::Estate, None));
    pins.push(ruling.pin(Hours::Always, None));
    pins.extend(departments.map(|department| ruling.pin(Hours::Estate, Some(department))));
    pins.sort_unstable();
    pins.dedup();
    pins
}

/// The calendars by which a stewardship is read.
pub(crate) async fn timetable(app: &App, tx: &mut steward_chassis::db::Tx, known: &Stewardship) -> Result<Timetable> {
    let pins: Vec<Pin> = known.pins().cloned().collect();
    app.rules.timetable(tx, &pins).await
}

/// Whatever somebody answers for or was asked for who has left the company, or does not work there any more, goes to somebody else.
pub(crate) async fn relieve(app: &App, work: &mut Work) -> Result<()> {
    // The register has just changed: what is remembered of it may be older.
    app.rules.forget(work.call.tenant());
    for (id, account) in store::stewardship::left_alone(&mut work.tx).await? {
        command(app, work, id, &Command::Relieve { account }).await?;
    }
    Ok(())
}

/// What a step of a case means to its stewardship.
///
/// * `case`: as it is after the step.
pub(crate) async fn follow(app: &App, work: &mut Work, case: &Case, step: &Step, call_back: bool) -> Result<()> {
    let (id, status) = (case.id, case.status);
    if let Some(category) = &step.category {
        command(app, work, id, &Command::Classify(category.clone())).await?;
    }
    command(app, work, id, &Command::Follow { milestone: step.milestone, status, call_back }).await.map(drop)
}

/// What became of a work order, to its case if there is something to tell, and to its stewardship.
pub(crate) async fn follow_work(
    app: &App,
    work: &mut Work,
    id: CaseId,
    heard: HeardOfOrder,
    effect: Option<Effect>,
) -> Result<()> {
    let facts = app.facts_of(work);
    let at = facts.at.min(facts.now);
    let case = work.find::<Case>(id).await?.ok_or_else(|| Error::refused(&Refusal::NoSuchCase))?;
    let rests = case.rests_after(effect, at);
    let known = if rests.is_some() { work.find::<Stewardship>(id).await? } else { None };
    let waits = known.is_some_and(|known| known.has_to_wait(&heard, at, rests));
    if let Some((milestone, effect)) = heard.told.zip(effect).filter(|_| !waits) {
        progress(app, work, id, &Step::new(milestone, effect)).await?;
    }
    command(app, work, id, &Command::Work { heard, rests }).await.map(drop)
}

/// The case takes the step, and its stewardship follows.
pub(crate) async fn progress(app: &App, work: &mut Work, id: CaseId, step: &Step) -> Result<()> {
    let facts = app.facts_of(work);
    let at = facts.at;
    let done = work.execute::<Case>(id, &case::Command::Progress(step.clone()), &facts).await?;
    // What came too late for what is over is not followed either.
    if done.state.is_over() && !done.state.has_taken(step, at) {
        return Ok(());
    }
    follow(app, work, &done.state, step, false).await
}

/// Carries out what somebody asks of the stewardship of a case.
pub(crate) async fn ask(app: &App, call: &Call, id: CaseId, asked: Command) -> Result<Executed<Stewardship>> {
    ensure(app, call, id).await?;
    let app_again = app.clone();
    app.core
        .engine
        .transact(call, move |work| {
            let (app, asked) = (app_again.clone(), asked.clone());
            Box::pin(async move { command(&app, work, id, &asked).await })
        })
        .await
}

/// The same for what stands at the path of the case: `ETag` and `If-Match` are those of the case there, as it was read.
pub(crate) async fn ask_at_case(
    app: &App,
    call: &Call,
    id: CaseId,
    asked: Command,
) -> Result<(Executed<Stewardship>, Version)> {
    ensure(app, call, id).await?;
    let (app_again, expected) = (app.clone(), call.if_match);
    let call = Call { if_match: None, ..call.clone() };
    app.core
        .engine
        .transact(&call, move |work| {
            let (app, asked) = (app_again.clone(), asked.clone());
            Box::pin(async move {
                if let Command::HandOver { to, .. } = &asked {
                    check_account(work, id, to).await?;
                }
                let read = work.version_of::<Case>(id).await?;
                let done = command(&app, work, id, &asked).await?;
                match expected {
                    Some(expected) if expected != read && !done.replayed => {
                        Err(Error::Stale { expected, actual: read })
                    }
                    _ => Ok((done, work.version_of::<Case>(id).await?)),
                }
            })
        })
        .await
}

/// Gives a case that is older than its stewardship one, in a transaction of its own: the call's key belongs to what is asked.
async fn ensure(app: &App, call: &Call, id: CaseId) -> Result<()> {
    match app.core.engine.load::<Stewardship>(call, id).await {
        Err(Error::NotFound) => {}
        other => return other.map(drop),
    }
    let app_again = app.clone();
    let internal = Call::internal(Actor::service(call.tenant(), "intake"));
    app.core
        .engine
        .transact(&internal, move |work| {
            let app = app_again.clone();
            Box::pin(async move { adopt(&app, work, id).await.map(drop) })
        })
        .await
}

/// Only somebody of the register who serves the estate can be asked to answer for one of its cases.
async fn check_account(work: &mut Work, id: CaseId, account: &Account) -> Result<()> {
    let case = work.find::<Case>(id).await?.and_then(|case| case.opening);
    let Some(opening) = case.filter(|opening| work.call.actor.sees(opening.estate, opening.resident)) else {
        return Err(Error::refused(&Refusal::NoSuchCase));
    };
    if store::staff::serves(&mut work.tx, account, opening.estate).await? {
        Ok(())
    } else {
        Err(Error::refused(&Refusal::UnknownAccount))
    }
}
