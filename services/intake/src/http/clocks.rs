//! Clocks: reading, explaining, contesting pauses, putting off, re-basing.

use std::collections::HashMap;

use axum::extract::State;
use steward_chassis::{
    Call, Error, Executed, Result,
    db::Tx,
    http::{Allowed, Json, List, ListParams, Path, Problems, Query, Versioned},
};
use steward_clock::{ClockEvent, Party, Pin, clock::Segment, explain};
use steward_kernel::{Aggregate as _, Recorded, ids::CaseId, page::Page};
use uuid::Uuid;

use super::{
    clock_dto::{
        ClockEventView, ClockQuery, ClockView, ContestPause, DeadlineSummary, DecideObjection, Explanation,
        ExtendDeadline, ObjectionView, OfEstate, Shown, StretchView, TargetView,
    },
    dto::Nothing,
    permission,
};
use crate::{
    app::App,
    domain::stewardship::{Command, Event, KeptClock, NewClock, Refusal, Stewardship},
    stewardship,
    store::stewardship::{self as rows, ClockFilter, ClockRow, Of},
};

/// List clocks
///
/// Those that started last come first; with `since`, what has changed. Staff see those of their estates, owners what the company owes them.
#[utoipa::path(
    get, path = "/v1/clocks", operation_id = "list_clocks", tag = "clocks",
    params(ClockQuery, ListParams),
    responses((status = 200, description = "One page of clocks", body = Page<ClockView>), Problems),
    security(("bearer" = ["clock.read"])),
)]
pub(super) async fn list_clocks(
    State(app): State<App>,
    call: Allowed<permission::ReadClocks>,
    List { filter, page }: List<ClockQuery>,
) -> Result<Json<Page<ClockView>>> {
    let now = app.core.clock.now();
    let filter = ClockFilter {
        estate: filter.estate_id,
        case: filter.case_id,
        work_order: filter.work_order_id.map(Into::into),
        state: filter.state.map(|state| state.to_string()),
        measure: filter.measure.map(|measure| measure.to_string()),
        party: filter.party.map(|party| party.to_string()),
        at_risk: filter.at_risk.filter(|at_risk| *at_risk).map(|_| now),
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let found = rows::clocks(&mut tx, &call.actor, filter, page).await?;
    let timetable = app.rules.timetable(&mut tx, &pins(&found.items)).await?;
    tx.rollback().await?;
    let shown = Shown { timetable: &timetable, now, language: call.language };
    Ok(Json(found.map(|row| shown.clock(row))))
}

/// Count clocks
///
/// How many run, are paused, at risk and overdue in the estates that the caller may see, by measure, party and priority.
#[utoipa::path(
    get, path = "/v1/clocks/summary", operation_id = "summarise_clocks", tag = "clocks",
    params(OfEstate),
    responses((status = 200, description = "Deadlines as they stand", body = DeadlineSummary), Problems),
    security(("bearer" = ["clock.summarise"])),
)]
pub(super) async fn summarise_clocks(
    State(app): State<App>,
    call: Allowed<permission::SummariseClocks>,
    Query(OfEstate { estate_id }): Query<OfEstate>,
) -> Result<Json<DeadlineSummary>> {
    let at = app.core.clock.now();
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let counted = rows::running(&mut tx, &call.actor, estate_id, at).await?;
    tx.rollback().await?;
    Ok(Json(DeadlineSummary { at, items: counted.into_iter().map(Into::into).collect() }))
}

/// Read a clock
#[utoipa::path(
    get, path = "/v1/clocks/{clock_id}", operation_id = "get_clock", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    responses((status = 200, description = "The clock", body = ClockView), Problems),
    security(("bearer" = ["clock.read"])),
)]
pub(super) async fn get_clock(
    State(app): State<App>,
    call: Allowed<permission::ReadClocks>,
    Path(clock_id): Path<Uuid>,
) -> Result<Versioned<ClockView>> {
    let found = load(&app, &call, clock_id).await?;
    Ok(Versioned::ok(view(&app, &call, &found.state, clock_id).await?, found.version))
}

/// Explain a clock
///
/// Every counted and every skipped stretch of its time with the rule and the event that made it; what was targeted, paused and objected to; and a
/// sentence that says how it stands, in the language of `Accept-Language`.
#[utoipa::path(
    get, path = "/v1/clocks/{clock_id}/explain", operation_id = "explain_clock", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    responses((status = 200, description = "Why it stands where it stands", body = Explanation), Problems),
    security(("bearer" = ["clock.read"])),
)]
pub(super) async fn explain_clock(
    State(app): State<App>,
    call: Allowed<permission::ReadClocks>,
    Path(clock_id): Path<Uuid>,
) -> Result<Json<Explanation>> {
    let case_id = case_of(&app, &call, Of::Clock, clock_id).await?;
    let history = app.core.engine.history::<Stewardship>(&call, case_id).await?;
    let state = history.iter().fold(Stewardship::unborn(case_id), |state, event| state.evolve(&event.body));
    let kept = seen(&call, &state, clock_id)?;
    let clock = view(&app, &call, &state, clock_id).await?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let timetable = stewardship::timetable(&app, &mut tx, &state).await?;
    tx.rollback().await?;
    let shown = Shown { timetable: &timetable, now: app.core.clock.now(), language: call.language };
    let origins = Origins::of(&history, clock_id);
    let objections = state.objections.iter().filter(|known| known.clock_id == clock_id).cloned();
    Ok(Json(Explanation {
        clock,
        targets: kept
            .clock
            .segments
            .iter()
            .enumerate()
            .map(|(index, segment)| target(segment, &origins, index))
            .collect(),
        pauses: kept.clock.pauses.iter().map(|pause| shown.pause(pause)).collect(),
        objections: objections.map(|known| objection(known, &call)).collect(),
        stretches: stretches(kept, &shown, &origins),
        events: origins.events(call.actor.is_only_owner()),
    }))
}

fn objection(known: crate::domain::stewardship::Objection, call: &Call) -> ObjectionView {
    ObjectionView {
        objection_id: known.objection_id,
        pause_id: known.pause_id,
        reason: known.reason.to_string(),
        at: known.at,
        upheld: known.upheld,
        answer: known.answer.as_ref().map(ToString::to_string),
        taken_down: known.taken_down.map(|note| note.shown_to(&call.actor)),
    }
}

fn target(segment: &Segment, origins: &Origins<'_>, index: usize) -> TargetView {
    let pin = &segment.target.pin;
    TargetView {
        since: segment.since,
        change: segment.change,
        within: segment.target.within.to_string(),
        target_seconds: segment.budget,
        at_most_seconds: segment.target.at_most_seconds,
        calendar_id: pin.calendar.filter(|_| !segment.target.within.is_wall_time()),
        calendar_version: pin.version,
        time_zone: pin.time_zone.clone(),
        event_id: origins.segments.get(index).copied(),
    }
}

fn stretches(kept: &KeptClock, shown: &Shown<'_>, origins: &Origins<'_>) -> Vec<StretchView> {
    let explained = explain::explain(&kept.clock, shown.timetable, shown.now);
    let viewed = explained.into_iter().map(|stretch| StretchView {
        from: stretch.from,
        to: stretch.to,
        seconds: stretch.seconds,
        counted: stretch.counted,
        text: explain::reason(&stretch.cause, shown.language),
        event_id: match &stretch.cause {
            explain::Cause::Paused { pause_id, .. } => origins.pauses.get(pause_id).copied(),
            _ => origins.segments.get(stretch.segment).copied(),
        },
        cause: stretch.cause,
    });
    viewed.collect()
}

/// Which recorded event did what to a clock.
struct Origins<'h> {
    of_clock: Vec<(&'h Recorded<Event>, &'static str, Option<Uuid>)>,
    segments: Vec<Uuid>,
    pauses: HashMap<Uuid, Uuid>,
}

impl<'h> Origins<'h> {
    fn of(history: &'h [Recorded<Event>], clock_id: Uuid) -> Self {
        let mut origins = Self { of_clock: Vec::new(), segments: Vec::new(), pauses: HashMap::new() };
        for event in history {
            match &event.body {
                Event::Began { clocks, .. } | Event::ClocksStarted { clocks } if starts(clocks, clock_id) => {
                    origins.note(event, "started", None);
                    origins.segments.push(event.event_id.into());
                }
                Event::ClocksChanged { changes } => {
                    for (_, change) in changes.iter().filter(|(id, _)| *id == clock_id) {
                        origins.change(event, change);
                    }
                }
                Event::ClockStopped { clock_id: stopped, .. } if *stopped == clock_id => {
                    origins.note(event, "stopped", None);
                }
                _ => {}
            }
        }
        origins
    }

    fn change(&mut self, event: &'h Recorded<Event>, change: &ClockEvent) {
        match change {
            ClockEvent::Paused(pause) => {
                self.pauses.insert(pause.pause_id, event.event_id.into());
                self.note(event, "paused", Some(pause.pause_id));
            }
            ClockEvent::Resumed { pause_id, .. } => self.note(event, "resumed", Some(*pause_id)),
            ClockEvent::Struck { pause_id } => self.note(event, "struck", Some(*pause_id)),
            ClockEvent::Retargeted { .. } => {
                self.segments.push(event.event_id.into());
                self.note(event, "retargeted", None);
            }
            ClockEvent::Rebased { .. } => self.note(event, "rebased", None),
            ClockEvent::Started { .. } | ClockEvent::Stopped { .. } => {}
        }
    }

    fn note(&mut self, event: &'h Recorded<Event>, what: &'static str, pause_id: Option<Uuid>) {
        self.of_clock.push((event, what, pause_id));
    }

    fn events(&self, is_owner: bool) -> Vec<ClockEventView> {
        let viewed = self.of_clock.iter().map(|(event, what, pause_id)| ClockEventView {
            event_id: event.event_id.into(),
            what,
            at: event.occurred_at,
            recorded_at: event.recorded_at,
            by: (!is_owner).then(|| event.actor.to_string()),
            pause_id: *pause_id,
        });
        viewed.collect()
    }
}

fn starts(clocks: &[NewClock], clock_id: Uuid) -> bool {
    clocks.iter().any(|new| new.clock_id == clock_id)
}

/// Object to a pause
///
/// The owner says that the time of a pause should count. Staff who do not answer for the case may take that down and say how the
/// owner gave it; that never stands in the way of the owner's own objection. A lead who does not answer for the case decides.
#[utoipa::path(
    post, path = "/v1/clocks/{clock_id}/contest-pause", operation_id = "contest_pause", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    request_body = ContestPause,
    responses((status = 200, description = "The clock as it is now", body = ClockView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["clock.contest"])),
)]
pub(super) async fn contest_pause(
    State(app): State<App>,
    call: Allowed<permission::ContestPauses>,
    Path(clock_id): Path<Uuid>,
    Json(ContestPause { pause_id, reason, taken_down }): Json<ContestPause>,
) -> Result<Versioned<ClockView>> {
    on_clock(&app, &call, clock_id, Command::ContestPause { clock_id, pause_id, reason, taken_down }).await
}

/// Decide on an objection
///
/// Upheld, the time of the pause counts again, for all clocks of the company that it paused. Not by who answers for the case.
#[utoipa::path(
    post, path = "/v1/clocks/{clock_id}/decide-objection", operation_id = "decide_objection", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    request_body = DecideObjection,
    responses((status = 200, description = "The clock as it is now", body = ClockView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["clock.decide"])),
)]
pub(super) async fn decide_objection(
    State(app): State<App>,
    call: Allowed<permission::DecideObjections>,
    Path(clock_id): Path<Uuid>,
    Json(DecideObjection { objection_id, upheld, reason }): Json<DecideObjection>,
) -> Result<Versioned<ClockView>> {
    on_clock(&app, &call, clock_id, Command::DecideObjection { objection_id, upheld, reason }).await
}

/// Put a deadline off
///
/// Before the old date, with a reason that the owner was told, as often and as far as the policy allows. The new date is a promise.
#[utoipa::path(
    post, path = "/v1/clocks/{clock_id}/extend", operation_id = "extend_deadline", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    request_body = ExtendDeadline,
    responses((status = 200, description = "The clock as it is now", body = ClockView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["clock.extend"])),
)]
pub(super) async fn extend_deadline(
    State(app): State<App>,
    call: Allowed<permission::ExtendDeadlines>,
    Path(clock_id): Path<Uuid>,
    Json(ExtendDeadline { until, reason }): Json<ExtendDeadline>,
) -> Result<Versioned<ClockView>> {
    on_clock(&app, &call, clock_id, Command::Extend { clock_id, until, reason }).await
}

/// Re-base the clocks of a case
///
/// The running clocks of the clock's case are read by the newest calendars and policies from now on. Nothing else makes an open case follow
/// what was changed after it was opened.
#[utoipa::path(
    post, path = "/v1/clocks/{clock_id}/rebase", operation_id = "rebase_clocks", tag = "clocks",
    params(("clock_id" = Uuid, Path, description = "The clock")),
    request_body = Nothing,
    responses((status = 200, description = "The clock as it is now", body = ClockView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["clock.rebase"])),
)]
pub(super) async fn rebase_clocks(
    State(app): State<App>,
    call: Allowed<permission::RebaseClocks>,
    Path(clock_id): Path<Uuid>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<ClockView>> {
    on_clock(&app, &call, clock_id, Command::Rebase).await
}

async fn on_clock(app: &App, call: &Call, clock_id: Uuid, command: Command) -> Result<Versioned<ClockView>> {
    let case_id = case_of(app, call, Of::Clock, clock_id).await?;
    let done = stewardship::ask(app, call, case_id, command).await?;
    let view = view(app, call, &done.state, clock_id).await?;
    Ok(Versioned::ok(view, done.version).replayed(done.replayed))
}

/// The case to which something belongs; not found when there is none, or none that the caller may see.
pub(super) async fn case_of(app: &App, call: &Call, of: Of, id: Uuid) -> Result<CaseId> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let found = rows::find_case_of(&mut tx, &call.actor, of, id).await?;
    tx.rollback().await?;
    found.ok_or_else(|| {
        Error::refused(&match of {
            Of::Clock => Refusal::NoSuchClock,
            Of::Escalation => Refusal::NoSuchEscalation,
            Of::Promise => Refusal::NoSuchPromise,
        })
    })
}

async fn load(app: &App, call: &Call, clock_id: Uuid) -> Result<Executed<Stewardship>> {
    let case_id = case_of(app, call, Of::Clock, clock_id).await?;
    app.core.engine.load::<Stewardship>(call, case_id).await
}

/// The clock, if the caller may see it: an owner sees what the company owes, not what it agrees with its departments.
fn seen<'s>(call: &Call, state: &'s Stewardship, clock_id: Uuid) -> Result<&'s KeptClock> {
    let kept = state.clock(clock_id).filter(|_| state.shows_to(&call.actor));
    kept.filter(|kept| !call.actor.is_only_owner() || kept.party == Party::Company)
        .ok_or_else(|| Error::refused(&Refusal::NoSuchClock))
}

async fn view(app: &App, call: &Call, state: &Stewardship, clock_id: Uuid) -> Result<ClockView> {
    let kept = seen(call, state, clock_id)?;
    let matter = state.matter.as_deref().ok_or(Error::NotFound)?;
    let row = ClockRow::of(state.id.get(), matter, kept);
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let timetable = stewardship::timetable(app, &mut tx, state).await?;
    tx.rollback().await?;
    let shown = Shown { timetable: &timetable, now: app.core.clock.now(), language: call.language };
    Ok(shown.clock(row))
}

/// The clocks of a case, as the caller may see them.
pub(super) async fn of_case(app: &App, tx: &mut Tx, call: &Call, case_id: CaseId) -> Result<Vec<ClockView>> {
    let mut found = rows::clocks_of_case(tx, case_id).await?;
    found.retain(|row| !call.actor.is_only_owner() || row.party == Party::Company.as_str());
    let timetable = app.rules.timetable(tx, &pins(&found)).await?;
    let shown = Shown { timetable: &timetable, now: app.core.clock.now(), language: call.language };
    Ok(found.into_iter().map(|row| shown.clock(row)).collect())
}

/// The pins of the calendars by which clocks run.
fn pins(rows: &[ClockRow]) -> Vec<Pin> {
    rows.iter().flat_map(|row| &row.data.0.segments).map(|segment| segment.target.pin.clone()).collect()
}
