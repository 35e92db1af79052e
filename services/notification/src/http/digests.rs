//! Digests and alerts: the inbox of the company's people. Everybody has their own and sees no other, whatever the role.

use axum::extract::State;
use steward_chassis::{
    Call, Error, Executed, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::page::Page;

use super::{
    dto::{AlertQuery, AlertView, DigestQuery, DigestView, Nothing},
    permission,
};
use crate::{
    app::App,
    digests,
    domain::{Digest, DigestId},
    store,
};

/// List digests
///
/// Those that were sent to the caller, newest first. A digest counts as unread until it was read, or until somebody has
/// taken all its matters in hand.
#[utoipa::path(
    get, path = "/v1/digests", tag = "digests",
    params(DigestQuery, ListParams),
    responses((status = 200, description = "One page of digests", body = Page<DigestView>), Problems),
    security(("bearer" = ["digest.read"])),
)]
pub async fn list_digests(
    State(app): State<App>,
    call: Allowed<permission::ReadDigests>,
    List { filter: DigestQuery { unread }, page }: List<DigestQuery>,
) -> Result<Json<Page<DigestView>>> {
    let mut tx = app.db.begin(call.tenant()).await?;
    let Page { items, next_cursor, since } = store::list_digests(&mut tx, &call.actor, unread, page).await?;
    tx.rollback().await?;
    let view = |kept: store::Kept<Digest>| DigestView::of(kept.state, kept.version, &app.templates, call.language);
    let items = items.into_iter().map(view).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor, since }))
}

/// Get a digest
///
/// With its 50 most pressing lines, as they stood when it was sent: first what is unowned, returned, paused for too long
/// or reopened, then by priority and due time. Reading it here does not mark it as read.
#[utoipa::path(
    get, path = "/v1/digests/{digest_id}", tag = "digests",
    params(("digest_id" = DigestId, Path, description = "The digest")),
    responses((status = 200, description = "The digest", body = DigestView), Problems),
    security(("bearer" = ["digest.read"])),
)]
pub async fn get_digest(
    State(app): State<App>,
    call: Allowed<permission::ReadDigests>,
    Path(id): Path<DigestId>,
) -> Result<Versioned<DigestView>> {
    let found = app.engine.load::<Digest>(&call, id).await?;
    if !found.state.shows_to(&call.actor) {
        return Err(Error::NotFound);
    }
    answer(&app, &call, found).await
}

/// Mark a digest as read
///
/// Only by the person it was sent to. Lines that only inform are settled by it. Repeating it changes nothing and answers with the digest as it is.
#[utoipa::path(
    post, path = "/v1/digests/{digest_id}/read", tag = "digests",
    params(("digest_id" = DigestId, Path, description = "The digest")),
    request_body = Nothing,
    responses((status = 200, description = "The digest as it is now", body = DigestView), Problems),
    security(("bearer" = ["digest.mark"])),
)]
pub async fn read_digest(
    State(app): State<App>,
    call: Allowed<permission::MarkDigests>,
    Path(id): Path<DigestId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<DigestView>> {
    answer(&app, &call, digests::read(&app, &call, id).await?).await
}

/// List alerts
///
/// The lines of the caller's digests as they stand now, newest first; also those of the digest that still collects.
#[utoipa::path(
    get, path = "/v1/alerts", tag = "digests",
    params(AlertQuery, ListParams),
    responses((status = 200, description = "One page of alerts", body = Page<AlertView>), Problems),
    security(("bearer" = ["digest.read"])),
)]
pub async fn list_alerts(
    State(app): State<App>,
    call: Allowed<permission::ReadDigests>,
    List { filter, page }: List<AlertQuery>,
) -> Result<Json<Page<AlertView>>> {
    let now = app.clock.now();
    let mut tx = app.db.begin(call.tenant()).await?;
    let alerts = store::list_alerts(&mut tx, &call.actor, &filter.into(), page).await?;
    tx.rollback().await?;
    Ok(Json(alerts.map(|alert| AlertView::of(alert, &app.templates, call.language, now))))
}

async fn answer(app: &App, call: &Call, done: Executed<Digest>) -> Result<Versioned<DigestView>> {
    let mut tx = app.db.begin(call.tenant()).await?;
    let lines = store::alerts(&mut tx, &done.state.shown).await?;
    tx.rollback().await?;
    let view = DigestView::of(done.state, done.version, &app.templates, call.language)?;
    let view = view.with_lines(lines, &app.templates, call.language);
    Ok(Versioned::ok(view, done.version).replayed(done.replayed))
}
