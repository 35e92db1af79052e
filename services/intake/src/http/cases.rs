//! Cases: opening, reading, the timeline, calling off.

use axum::extract::State;
use steward_chassis::{
    Call, Error, Result,
    db::Tx,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{
    Aggregate as _, Recorded,
    day::HOME,
    ids::{CaseId, EstateId},
    page::Page,
    reference,
    vocabulary::Language,
};
use uuid::Uuid;

use super::{
    case_dto::{self as dto, CaseQuery, CaseView, OpenCase, Timeline, TimelineItem},
    clocks,
    dto::{CallOffCase, Nothing, WithReason},
    permission,
    promise_dto::{AccountableView, HandOverCase, PrioritiseCase},
};
use crate::{
    app::App,
    desk,
    domain::{
        case::{Case, Event, Refusal},
        opening::{Answering, NewCase},
        stewardship::Command,
        timeline::Milestone,
    },
    stewardship,
    store::{self, case::CaseFilter},
};

/// Most files with a case.
const MAX_FILES: usize = 20;

/// Open a case
///
/// Takes down what an owner says and answers at once with an id and a reference that never change. An owner opens a
/// case for the own resident, about a unit they are tied to today or about common parts, and says nothing of priority or
/// time; staff and other systems may name a resident, with a unit to which that resident is or was tied.
#[utoipa::path(
    post, path = "/v1/cases", operation_id = "open_case", tag = "cases",
    request_body = OpenCase,
    responses(
        (status = 201, description = "The new case", body = CaseView,
         headers(("etag" = String, description = "Version, for If-Match"),
                 ("location" = String, description = "Where it stands"))),
        Problems,
    ),
    security(("bearer" = ["case.open"])),
)]
pub(super) async fn open_case(
    State(app): State<App>,
    call: Allowed<permission::OpenCase>,
    Json(body): Json<OpenCase>,
) -> Result<Versioned<CaseView>> {
    let mut new = new_case(body, &call, app.config.default_language)?;
    new.time_zone = desk::check_register(&app, &call, &new).await?;
    let opened = desk::open(&app, &call, new).await?;
    let location = format!("/v1/cases/{}", opened.state.id);
    let view = shown(&app, &call, dto::case(&opened)?).await?;
    Ok(Versioned::created(view.body, view.version, location).replayed(view.replayed))
}

fn new_case(body: OpenCase, call: &Call, default_language: Language) -> Result<NewCase> {
    let OpenCase {
        kind,
        category,
        priority,
        words,
        channel,
        estate_id,
        unit_id,
        resident_id,
        visit_id,
        linked_case_id,
        said_at,
        language,
        file_ids,
        source_unit_id,
        urgent,
    } = body;
    if file_ids.len() > MAX_FILES {
        return Err(Error::field("/file_ids", "too_many", format!("must be at most {MAX_FILES}")));
    }
    let otherwise = if call.actor.is_only_owner() { call.language } else { default_language };
    Ok(NewCase {
        kind,
        category: category.map(String::from),
        priority,
        words,
        channel,
        estate: estate_id,
        unit: unit_id,
        resident: resident_id,
        visit: visit_id,
        linked: linked_case_id,
        files: file_ids,
        language: Answering { asked: language, register: None, otherwise },
        said_at,
        source_unit: source_unit_id,
        urgent,
        link_is_for_staff: false,
        // Until the register is asked.
        time_zone: HOME,
    })
}

/// List cases
///
/// Newest first; with `since`, what has changed. Staff see those of their estates, owners their own.
#[utoipa::path(
    get, path = "/v1/cases", operation_id = "list_cases", tag = "cases",
    params(CaseQuery, ListParams),
    responses((status = 200, description = "One page of cases", body = Page<CaseView>), Problems),
    security(("bearer" = ["case.read"])),
)]
pub(super) async fn list_cases(
    State(app): State<App>,
    call: Allowed<permission::ReadCases>,
    List { filter, page }: List<CaseQuery>,
) -> Result<Json<Page<CaseView>>> {
    let filter = CaseFilter {
        estate: filter.estate_id,
        resident: filter.resident_id,
        kind: filter.kind,
        status: filter.status,
        category: filter.category,
        visit: filter.visit_id,
        unit: filter.unit_id,
        reference: filter.reference.as_deref().map(reference::search_key),
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let rows = store::case::list(&mut tx, &call.actor, filter, page).await?;
    let mut views = rows.map(CaseView::from);
    keep_to_the_own(&mut tx, &call, &mut views.items).await?;
    answer_for(&app, &mut tx, &call, &mut views.items).await?;
    tx.rollback().await?;
    Ok(Json(views))
}

/// Read a case
///
/// Its owner-facing status, the same words for every kind, and the stage in the service that works on it.
#[utoipa::path(
    get, path = "/v1/cases/{case_id}", operation_id = "get_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses(
        (status = 200, description = "The case", body = CaseView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["case.read"])),
)]
pub(super) async fn get_case(
    State(app): State<App>,
    call: Allowed<permission::ReadCases>,
    Path(case_id): Path<CaseId>,
) -> Result<Versioned<CaseView>> {
    let found = app.core.engine.load::<Case>(&call, case_id).await.map_err(no_such_case)?;
    check_sees(&call, &found.state)?;
    let mut view = dto::case(&found)?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    keep_to_the_own(&mut tx, &call, std::slice::from_mut(&mut view.body)).await?;
    answer_for(&app, &mut tx, &call, std::slice::from_mut(&mut view.body)).await?;
    view.body.clocks = clocks::of_case(&app, &mut tx, &call, case_id).await?;
    tx.rollback().await?;
    Ok(view)
}

/// A case as the caller may see it.
async fn shown(app: &App, call: &Call, mut view: Versioned<CaseView>) -> Result<Versioned<CaseView>> {
    if call.actor.is_only_owner() && !view.body.linked_case_ids.is_empty() {
        let mut tx = app.core.db.begin(call.tenant()).await?;
        keep_to_the_own(&mut tx, call, std::slice::from_mut(&mut view.body)).await?;
        tx.rollback().await?;
    }
    Ok(view)
}

/// Takes from an owner's cases the links to cases of others: what joins two people is for staff.
async fn keep_to_the_own(tx: &mut Tx, call: &Call, views: &mut [CaseView]) -> Result<()> {
    if !call.actor.is_only_owner() {
        return Ok(());
    }
    let linked: Vec<Uuid> = views.iter().flat_map(|view| view.linked_case_ids.iter().copied()).collect();
    let own = store::case::own_among(tx, &call.actor, &linked).await?;
    for view in views {
        view.linked_case_ids.retain(|id| own.contains(id));
    }
    Ok(())
}

/// Adds who answers for the cases, and when they are due next.
async fn answer_for(app: &App, tx: &mut Tx, call: &Call, views: &mut [CaseView]) -> Result<()> {
    let ids: Vec<Uuid> = views.iter().map(|view| view.case_id).collect();
    let holders = store::stewardship::stewardship_of(tx, &ids).await?;
    for holder in holders {
        let Some(view) = views.iter_mut().find(|view| view.case_id == holder.case_id) else { continue };
        let ruling = app.rules.ruling(tx, EstateId::from(view.estate_id), app.core.clock.now()).await?;
        let acting = ruling.acting_for(&holder.accountable);
        view.due_at = holder.due_at;
        view.accountable = Some(AccountableView::of(&holder, Some(acting), call.actor.is_only_owner()));
    }
    Ok(())
}

/// Change the priority of a case
///
/// Its clocks take the targets of the new priority; what has counted stays counted. Whoever works on it is told.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/prioritise", operation_id = "prioritise_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = PrioritiseCase,
    responses(
        (status = 200, description = "The case as it is now", body = CaseView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["case.prioritise"])),
)]
pub(super) async fn prioritise_case(
    State(app): State<App>,
    call: Allowed<permission::PrioritiseCase>,
    Path(case_id): Path<CaseId>,
    Json(PrioritiseCase { priority, instead_of, reason }): Json<PrioritiseCase>,
) -> Result<Versioned<CaseView>> {
    dto::case(&desk::prioritise(&app, &call, case_id, (priority, instead_of), reason).await?)
}

/// Hand a case over
///
/// Asks somebody to answer for the case from now on (首問責任). Until they accept, nothing changes; refusal and silence leave it as it was.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/hand-over", operation_id = "hand_over_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = HandOverCase,
    responses((status = 200, description = "Who answers for it, and who was asked", body = AccountableView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["case.hand-over"])),
)]
pub(super) async fn hand_over_case(
    State(app): State<App>,
    call: Allowed<permission::HandOverCase>,
    Path(case_id): Path<CaseId>,
    Json(HandOverCase { account, reason }): Json<HandOverCase>,
) -> Result<Versioned<AccountableView>> {
    accountable(&app, &call, case_id, Command::HandOver { to: account.into(), reason }).await
}

/// Take a case over
///
/// By who was asked, or who covers for them.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/accept-hand-over", operation_id = "accept_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = Nothing,
    responses((status = 200, description = "Who answers for it", body = AccountableView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["case.hand-over"])),
)]
pub(super) async fn accept_case(
    State(app): State<App>,
    call: Allowed<permission::HandOverCase>,
    Path(case_id): Path<CaseId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<AccountableView>> {
    accountable(&app, &call, case_id, Command::AcceptHandOver).await
}

/// Refuse a hand-over
///
/// By who was asked; who asked can take it back.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/refuse-hand-over", operation_id = "refuse_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = WithReason,
    responses((status = 200, description = "Who answers for it", body = AccountableView, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["case.hand-over"])),
)]
pub(super) async fn refuse_case(
    State(app): State<App>,
    call: Allowed<permission::HandOverCase>,
    Path(case_id): Path<CaseId>,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<Versioned<AccountableView>> {
    accountable(&app, &call, case_id, Command::RefuseHandOver { reason }).await
}

async fn accountable(app: &App, call: &Call, id: CaseId, asked: Command) -> Result<Versioned<AccountableView>> {
    let (done, version) = stewardship::ask_at_case(app, call, id, asked).await.map_err(no_such_case)?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let acting = match &done.state.matter {
        Some(matter) => {
            let ruling = app.rules.ruling(&mut tx, matter.estate, app.core.clock.now()).await?;
            done.state.accountable.account().map(|account| ruling.acting_for(account))
        }
        None => None,
    };
    tx.rollback().await?;
    let view = AccountableView::of_state(&done.state, acting).ok_or(Error::NotFound)?;
    Ok(Versioned::ok(view, version).replayed(done.replayed))
}

/// Read the timeline of a case
///
/// Every step that its owner can see, oldest first, in the language of `Accept-Language`. Steps name roles, not people.
#[utoipa::path(
    get, path = "/v1/cases/{case_id}/timeline", operation_id = "get_case_timeline", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "Its steps", body = Timeline), Problems),
    security(("bearer" = ["case.read"])),
)]
pub(super) async fn get_case_timeline(
    State(app): State<App>,
    call: Allowed<permission::ReadCases>,
    Path(case_id): Path<CaseId>,
) -> Result<Json<Timeline>> {
    let history = app.core.engine.history::<Case>(&call, case_id).await?;
    let hidden = links_of_others(&app, &call, &history).await?;
    let mut case = Case::unborn(case_id);
    let mut items = Vec::new();
    for event in &history {
        case = case.evolve(&event.body);
        if matches!(&event.body, Event::Linked { case } if hidden.contains(case)) {
            continue;
        }
        items.extend(item(&case, event, &call));
    }
    check_sees(&call, &case)?;
    Ok(Json(Timeline { items }))
}

/// The links of a case to cases that its owner may not see.
async fn links_of_others(app: &App, call: &Call, history: &[Recorded<Event>]) -> Result<Vec<CaseId>> {
    let linked = |event: &Recorded<Event>| match &event.body {
        Event::Linked { case } => Some(*case),
        _ => None,
    };
    let mut links: Vec<CaseId> = history.iter().filter_map(linked).collect();
    if !call.actor.is_only_owner() || links.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = links.iter().map(|link| link.get()).collect();
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let own = store::case::own_among(&mut tx, &call.actor, &ids).await?;
    tx.rollback().await?;
    links.retain(|link| !own.contains(&link.get()));
    Ok(links)
}

/// What the timeline shows of an event; the case is as it was right after it.
fn item(case: &Case, event: &Recorded<Event>, call: &Call) -> Option<TimelineItem> {
    let (code, by, taken_down) = match &event.body {
        Event::Opened { opening } => (Milestone::Received, opening.opened_by, None),
        Event::Progressed { milestone, by, taken_down, .. } => {
            (*milestone, by.unwrap_or(milestone.by()), taken_down.clone())
        }
        Event::Linked { .. } => (Milestone::Linked, Milestone::Linked.by(), None),
        Event::SatisfactionAsked { .. } => (Milestone::SatisfactionAsked, Milestone::SatisfactionAsked.by(), None),
        Event::Cancelled { by, taken_down, .. } => (Milestone::Cancelled, *by, taken_down.clone()),
        Event::HandedOver { .. } | Event::Moved { .. } | Event::Prioritised { .. } | Event::ProofShown { .. } => {
            return None;
        }
    };
    let (agreed, dated) = match &event.body {
        Event::Progressed { agreed, dated, .. } => (*agreed, dated.clone()),
        _ => (None, None),
    };
    let text = match &taken_down {
        Some(note) => code.taken_down_text(note.how, call.language),
        None => code.text(call.language).to_owned(),
    };
    let taken_down = taken_down.map(|note| note.shown_to(&call.actor));
    let (status, stage) = (case.status, case.stage.clone());
    Some(TimelineItem {
        at: event.occurred_at,
        code,
        text,
        status,
        stage,
        by,
        taken_down,
        appointment: agreed.map(|agreed| agreed.window),
        previous_appointment: agreed.and_then(|agreed| agreed.previous),
        due_at: dated.as_ref().map(|dated| dated.due_at),
        previous_due_at: dated.as_ref().and_then(|dated| dated.previous),
        reason: dated.and_then(|dated| dated.reason),
    })
}

/// Call a case off
///
/// By its owner or the company, as long as it is not resolved. Whoever works on it is told to stop. When the owner asked the
/// company for it, staff who have not handled it say how, for what another service works on with `withdraw` of the complaint or
/// `cancel` of the service request; what the company calls off by itself is shown as that. For some days its owner can come back on it.
#[utoipa::path(
    post, path = "/v1/cases/{case_id}/cancel", operation_id = "cancel_case", tag = "cases",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = CallOffCase,
    responses(
        (status = 200, description = "The case as it is now", body = CaseView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["case.cancel"])),
)]
pub(super) async fn cancel_case(
    State(app): State<App>,
    call: Allowed<permission::CancelCase>,
    Path(case_id): Path<CaseId>,
    Json(CallOffCase { reason, taken_down }): Json<CallOffCase>,
) -> Result<Versioned<CaseView>> {
    let view = dto::case(&desk::cancel(&app, &call, case_id, reason, taken_down).await?)?;
    shown(&app, &call, view).await
}

fn check_sees(call: &Call, case: &Case) -> Result<()> {
    match &case.opening {
        Some(opening) if call.actor.sees(opening.estate, opening.resident) => Ok(()),
        _ => Err(Error::refused(&Refusal::NoSuchCase)),
    }
}

/// The same answer for what does not exist and for what is not the caller's to see.
fn no_such_case(fault: Error) -> Error {
    if matches!(fault, Error::NotFound) { Error::refused(&Refusal::NoSuchCase) } else { fault }
}
