//! Messages: an owner's inbox.

use axum::extract::State;
use steward_chassis::{
    Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::page::Page;

use super::{
    dto::{MessageQuery, MessageView, Nothing},
    permission,
};
use crate::{
    app::App,
    domain::{Message, MessageId, messages::Command},
    store,
};

/// List messages
///
/// Newest first. Owners see their own inbox; staff see the messages about cases of their estates, also those that
/// were due but not sent, with the reason.
#[utoipa::path(
    get, path = "/v1/messages", tag = "messages",
    params(MessageQuery, ListParams),
    responses((status = 200, description = "One page of messages", body = Page<MessageView>), Problems),
    security(("bearer" = ["message.read"])),
)]
pub async fn list_messages(
    State(app): State<App>,
    call: Allowed<permission::ReadMessages>,
    List { filter, page }: List<MessageQuery>,
) -> Result<Json<Page<MessageView>>> {
    let mut tx = app.db.begin(call.tenant()).await?;
    let Page { items, next_cursor, since } = store::list_messages(&mut tx, &call.actor, &filter.into(), page).await?;
    tx.rollback().await?;
    let items = items.into_iter().map(|kept| MessageView::of(kept.state, kept.version)).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor, since }))
}

/// Get a message
///
/// Reading it here does not mark it as read.
#[utoipa::path(
    get, path = "/v1/messages/{message_id}", tag = "messages",
    params(("message_id" = MessageId, Path, description = "The message")),
    responses((status = 200, description = "The message", body = MessageView), Problems),
    security(("bearer" = ["message.read"])),
)]
pub async fn get_message(
    State(app): State<App>,
    call: Allowed<permission::ReadMessages>,
    Path(id): Path<MessageId>,
) -> Result<Versioned<MessageView>> {
    let found = app.engine.load::<Message>(&call, id).await?;
    if !found.state.shows_to(&call.actor) {
        return Err(Error::NotFound);
    }
    Ok(Versioned::ok(MessageView::of(found.state, found.version)?, found.version))
}

/// Mark a message as read
///
/// Only by its addressee. Repeating it changes nothing and answers with the message as it is.
#[utoipa::path(
    post, path = "/v1/messages/{message_id}/read", tag = "messages",
    params(("message_id" = MessageId, Path, description = "The message")),
    request_body = Nothing,
    responses((status = 200, description = "The message as it is now", body = MessageView), Problems),
    security(("bearer" = ["message.mark"])),
)]
pub async fn read_message(
    State(app): State<App>,
    call: Allowed<permission::MarkMessages>,
    Path(id): Path<MessageId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<MessageView>> {
    // Whether the addressee wanted it was decided when it was planned.
    let facts = app.message_facts(&call, true);
    let done = app.engine.execute::<Message>(&call, id, &Command::Read, &facts).await?;
    Ok(Versioned::ok(MessageView::of(done.state, done.version)?, done.version).replayed(done.replayed))
}
