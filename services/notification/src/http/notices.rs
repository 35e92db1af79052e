//! Notices: the bulletin board.

use axum::extract::State;
use steward_chassis::{
    Call, Error, Executed, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::page::Page;

use super::{
    dto::{Nothing, NoticeQuery, NoticeView, RecallNotice, WriteNotice},
    permission,
};
use crate::{
    app::App,
    domain::{Notice, NoticeContent, NoticeId, notices::Command},
    notices, store,
};

/// List notices
///
/// Newest first. Owners see what stands on the boards of their estates; with `since` they also hear of what was taken
/// off.
#[utoipa::path(
    get, path = "/v1/notices", tag = "notices",
    params(NoticeQuery, ListParams),
    responses((status = 200, description = "One page of notices", body = Page<NoticeView>), Problems),
    security(("bearer" = ["notice.read"])),
)]
pub async fn list_notices(
    State(app): State<App>,
    call: Allowed<permission::ReadNotices>,
    List { filter, page }: List<NoticeQuery>,
) -> Result<Json<Page<NoticeView>>> {
    let now = app.clock.now();
    let mut tx = app.db.begin(call.tenant()).await?;
    let Page { items, next_cursor, since } =
        store::list_notices(&mut tx, &call.actor, now, &filter.into(), page).await?;
    tx.rollback().await?;
    let items =
        items.into_iter().map(|kept| NoticeView::of(kept.state, kept.version, &call.actor)).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor, since }))
}

/// Write a notice
///
/// It stays a draft until it is submitted, approved by another person and published.
#[utoipa::path(
    post, path = "/v1/notices", tag = "notices",
    request_body = WriteNotice,
    responses(
        (status = 201, description = "The draft", body = NoticeView,
         headers(("location" = String, description = "Where it stands"))),
        Problems,
    ),
    security(("bearer" = ["notice.write"])),
)]
pub async fn write_notice(
    State(app): State<App>,
    call: Allowed<permission::WriteNotices>,
    Json(body): Json<WriteNotice>,
) -> Result<Versioned<NoticeView>> {
    let content = NoticeContent::try_from(body)?;
    let facts = app.new_notice_facts(&call, &content).await?;
    let id = NoticeId::from(app.clock.new_id());
    let done = app.engine.create::<Notice>(&call, id, &Command::Write(Box::new(content)), &facts).await?;
    let (location, replayed) = (format!("/v1/notices/{}", done.state.id), done.replayed);
    let view = NoticeView::of(done.state, done.version, &call.actor)?;
    Ok(Versioned::created(view, done.version, location).replayed(replayed))
}

/// Get a notice
///
/// Owners can read every notice that was ever published for one of their estates, also when it was taken back.
#[utoipa::path(
    get, path = "/v1/notices/{notice_id}", tag = "notices",
    params(("notice_id" = NoticeId, Path, description = "The notice")),
    responses((status = 200, description = "The notice", body = NoticeView), Problems),
    security(("bearer" = ["notice.read"])),
)]
pub async fn get_notice(
    State(app): State<App>,
    call: Allowed<permission::ReadNotices>,
    Path(id): Path<NoticeId>,
) -> Result<Versioned<NoticeView>> {
    let found = app.engine.load::<Notice>(&call, id).await?;
    if !found.state.shows_to(&call.actor) {
        return Err(Error::NotFound);
    }
    answer(found, &call)
}

/// Submit a notice
///
/// Asks for a second person to approve it.
#[utoipa::path(
    post, path = "/v1/notices/{notice_id}/submit", tag = "notices",
    params(("notice_id" = NoticeId, Path, description = "The notice")),
    request_body = Nothing,
    responses((status = 200, description = "The notice as it is now", body = NoticeView), Problems),
    security(("bearer" = ["notice.write"])),
)]
pub async fn submit_notice(
    State(app): State<App>,
    call: Allowed<permission::WriteNotices>,
    Path(id): Path<NoticeId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<NoticeView>> {
    execute(&app, &call, id, Command::Submit).await
}

/// Approve a notice
///
/// By another person than its author.
#[utoipa::path(
    post, path = "/v1/notices/{notice_id}/approve", tag = "notices",
    params(("notice_id" = NoticeId, Path, description = "The notice")),
    request_body = Nothing,
    responses((status = 200, description = "The notice as it is now", body = NoticeView), Problems),
    security(("bearer" = ["notice.approve"])),
)]
pub async fn approve_notice(
    State(app): State<App>,
    call: Allowed<permission::ApproveNotices>,
    Path(id): Path<NoticeId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<NoticeView>> {
    execute(&app, &call, id, Command::Approve).await
}

/// Publish a notice
///
/// Puts it on the bulletin boards of its estates, until its time is over.
#[utoipa::path(
    post, path = "/v1/notices/{notice_id}/publish", tag = "notices",
    params(("notice_id" = NoticeId, Path, description = "The notice")),
    request_body = Nothing,
    responses((status = 200, description = "The notice as it is now", body = NoticeView), Problems),
    security(("bearer" = ["notice.write"])),
)]
pub async fn publish_notice(
    State(app): State<App>,
    call: Allowed<permission::WriteNotices>,
    Path(id): Path<NoticeId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<NoticeView>> {
    execute(&app, &call, id, Command::Publish).await
}

/// Recall a notice
///
/// Takes it off the boards, or gives up a draft. Whoever has read it can read why.
#[utoipa::path(
    post, path = "/v1/notices/{notice_id}/recall", tag = "notices",
    params(("notice_id" = NoticeId, Path, description = "The notice")),
    request_body = RecallNotice,
    responses((status = 200, description = "The notice as it is now", body = NoticeView), Problems),
    security(("bearer" = ["notice.write"])),
)]
pub async fn recall_notice(
    State(app): State<App>,
    call: Allowed<permission::WriteNotices>,
    Path(id): Path<NoticeId>,
    Json(RecallNotice { reason }): Json<RecallNotice>,
) -> Result<Versioned<NoticeView>> {
    execute(&app, &call, id, Command::Recall { reason }).await
}

async fn execute(app: &App, call: &Call, id: NoticeId, command: Command) -> Result<Versioned<NoticeView>> {
    answer(notices::execute(app, call, id, command).await?, call)
}

fn answer(done: Executed<Notice>, call: &Call) -> Result<Versioned<NoticeView>> {
    let view = NoticeView::of(done.state, done.version, &call.actor)?;
    Ok(Versioned::ok(view, done.version).replayed(done.replayed))
}
