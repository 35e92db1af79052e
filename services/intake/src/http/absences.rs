//! Absences: who is away, and who covers for them.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Error, Executed, Result, Work,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{era, page::Page, text::Line};
use utoipa::{IntoParams, ToSchema};

use super::{dto::Nothing, permission};
use crate::{
    app::App,
    domain::rulebook::{Absence, AbsenceCommand as Command, AbsenceId, Away, Facts, Refusal, may_know},
    store::rulebook::{self as rows, AbsenceLine},
};

/// That somebody is away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "account": "desk-yx-1", "from": "2026-12-01T00:00:00+08:00", "to": "2026-12-06T00:00:00+08:00", "cover_account": "desk-yx-2"
}))]
pub struct RecordAbsence {
    /// Who: one's own account, or that of somebody whom one leads.
    account: Line,
    /// From when.
    #[serde(deserialize_with = "era::read")]
    from: DateTime<Utc>,
    /// Until when: at most a year later, and later than now.
    #[serde(deserialize_with = "era::read")]
    to: DateTime<Utc>,
    /// Who acts for them (代班): somebody else, who works where they do.
    cover_account: Line,
}

/// An absence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "absence_id": "0198f001-0000-7000-8000-000000000801", "account": "desk-yx-1", "from": "2026-11-30T16:00:00Z",
    "to": "2026-12-05T16:00:00Z", "cover_account": "desk-yx-2", "version": 1
}))]
pub struct AbsenceView {
    /// Its id.
    pub absence_id: AbsenceId,
    /// Who is away.
    pub account: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; as `from` when it was called off before it began.
    pub to: DateTime<Utc>,
    /// Who acts for them.
    pub cover_account: String,
    /// Its version.
    pub version: i32,
}

impl From<AbsenceLine> for AbsenceView {
    fn from(row: AbsenceLine) -> Self {
        Self {
            absence_id: row.absence_id.into(),
            account: row.account,
            from: row.from_at,
            to: row.to_at,
            cover_account: row.cover,
            version: row.version,
        }
    }
}

impl AbsenceView {
    fn of(done: &Executed<Absence>) -> Result<Self> {
        let Away { account, cover, from, to } = done.state.away.clone().ok_or(Error::NotFound)?;
        let (absence_id, version) = (done.state.id, done.version.get());
        Ok(Self { absence_id, account, from, to, cover_account: cover, version })
    }
}

/// Record an absence
///
/// What somebody answers for is told to their cover meanwhile, and on to the cover's cover. Everybody records their own; supervisors, managers and admins that of the
/// people of their estates.
#[utoipa::path(
    post, path = "/v1/absences", operation_id = "record_absence", tag = "posts",
    request_body = RecordAbsence,
    responses((status = 201, description = "The absence", body = AbsenceView), Problems),
    security(("bearer" = ["absence.record"])),
)]
pub(super) async fn record_absence(
    State(app): State<App>,
    call: Allowed<permission::RecordAbsences>,
    Json(body): Json<RecordAbsence>,
) -> Result<Versioned<AbsenceView>> {
    let RecordAbsence { account, from, to, cover_account } = body;
    let away = Away { account: account.into(), cover: cover_account.into(), from, to };
    let id = AbsenceId::from(app.core.clock.new_id());
    let done = app
        .core
        .engine
        .transact(&call, move |work| {
            let away = away.clone();
            Box::pin(async move { record(work, id, away).await })
        })
        .await?;
    app.rules.forget(call.tenant());
    let location = format!("/v1/absences/{}", done.state.id);
    Ok(Versioned::created(AbsenceView::of(&done)?, done.version, location).replayed(done.replayed))
}

async fn record(work: &mut Work, id: AbsenceId, away: Away) -> Result<Executed<Absence>> {
    // Two absences of one person that are written down at once could overlap.
    rows::take_turns(&mut work.tx, &away.account).await?;
    let facts = Facts {
        away: rows::is_away(&mut work.tx, id, &away).await?,
        person: rows::served_by(&mut work.tx, &away.account).await?,
        cover: rows::served_by(&mut work.tx, &away.cover).await?,
        ..Facts::new(work.clock().now(), work.call.actor.clone())
    };
    work.execute::<Absence>(id, &Command::Record(away), &facts).await
}

/// End an absence
///
/// They are back, or do not go. One that is over stays as it is.
#[utoipa::path(
    post, path = "/v1/absences/{absence_id}/end", operation_id = "end_absence", tag = "posts",
    params(("absence_id" = AbsenceId, Path, description = "The absence")),
    request_body = Nothing,
    responses((status = 200, description = "The absence as it is now", body = AbsenceView), Problems),
    security(("bearer" = ["absence.record"])),
)]
pub(super) async fn end_absence(
    State(app): State<App>,
    call: Allowed<permission::RecordAbsences>,
    Path(absence_id): Path<AbsenceId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<AbsenceView>> {
    let done =
        app.core.engine.transact(&call, move |work| Box::pin(async move { end(work, absence_id).await })).await?;
    app.rules.forget(call.tenant());
    Ok(Versioned::ok(AbsenceView::of(&done)?, done.version).replayed(done.replayed))
}

async fn end(work: &mut Work, id: AbsenceId) -> Result<Executed<Absence>> {
    let away = work.find::<Absence>(id).await?.and_then(|absence| absence.away);
    let person = match &away {
        Some(away) => rows::served_by(&mut work.tx, &away.account).await?,
        None => None,
    };
    let facts = Facts { person, ..Facts::new(work.clock().now(), work.call.actor.clone()) };
    work.execute::<Absence>(id, &Command::End, &facts).await
}

/// Which absences to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AbsenceQuery {
    /// Only those of this account.
    account: Option<Line>,
    /// Only those that last at this instant.
    #[serde(default, deserialize_with = "era::read")]
    at: Option<DateTime<Utc>>,
}

/// List absences
///
/// One's own and those of people who work for an estate that one sees, the latest first.
#[utoipa::path(
    get, path = "/v1/absences", operation_id = "list_absences", tag = "posts",
    params(AbsenceQuery, ListParams),
    responses((status = 200, description = "A page of absences", body = Page<AbsenceView>), Problems),
    security(("bearer" = ["absence.read"])),
)]
pub(super) async fn list_absences(
    State(app): State<App>,
    call: Allowed<permission::ReadAbsences>,
    List { filter, page }: List<AbsenceQuery>,
) -> Result<Json<Page<AbsenceView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let account = filter.account.as_ref().map(Line::as_str);
    let found = rows::absences(&mut tx, &call.actor, account, filter.at, page).await?;
    tx.rollback().await?;
    Ok(Json(found.map(AbsenceView::from)))
}

/// Read an absence
///
/// Who is away, from when until when, and who covers for them.
#[utoipa::path(
    get, path = "/v1/absences/{absence_id}", operation_id = "get_absence", tag = "posts",
    params(("absence_id" = AbsenceId, Path, description = "The absence")),
    responses((status = 200, description = "The absence", body = AbsenceView), Problems),
    security(("bearer" = ["absence.read"])),
)]
pub(super) async fn get_absence(
    State(app): State<App>,
    call: Allowed<permission::ReadAbsences>,
    Path(absence_id): Path<AbsenceId>,
) -> Result<Versioned<AbsenceView>> {
    let none = || Error::refused(&Refusal::NoSuchAbsence);
    let found = app.core.engine.load::<Absence>(&call, absence_id).await;
    let found = found.map_err(|fault| if matches!(fault, Error::NotFound) { none() } else { fault })?;
    let view = AbsenceView::of(&found)?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let person = rows::served_by(&mut tx, &view.account).await?;
    tx.rollback().await?;
    if may_know(&call.actor, &view.account, person.as_ref()) {
        Ok(Versioned::ok(view, found.version))
    } else {
        Err(none())
    }
}
