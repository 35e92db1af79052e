//! Inquiries: reading, answering, calling back, closing, asking again.

use axum::extract::State;
use steward_chassis::{
    Error, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_kernel::{ids::CaseId, page::Page, reference};

use super::{
    dto::{CloseInquiry, ReopenInquiry},
    inquiry_dto::{self as dto, AnswerInquiry, FollowUpInquiry, InquiryQuery, InquiryView},
    permission,
};
use crate::{
    app::App,
    desk,
    domain::inquiry::{Answer, Command, Inquiry, Refusal},
    store::{self, inquiry::InquiryFilter},
};

/// List inquiries
///
/// Newest first; with `since`, what has changed. Staff see those of their estates, owners their own.
#[utoipa::path(
    get, path = "/v1/inquiries", operation_id = "list_inquiries", tag = "inquiries",
    params(InquiryQuery, ListParams),
    responses((status = 200, description = "One page of inquiries", body = Page<InquiryView>), Problems),
    security(("bearer" = ["inquiry.read"])),
)]
pub(super) async fn list_inquiries(
    State(app): State<App>,
    call: Allowed<permission::ReadInquiries>,
    List { filter, page }: List<InquiryQuery>,
) -> Result<Json<Page<InquiryView>>> {
    let filter = InquiryFilter {
        estate: filter.estate_id,
        resident: filter.resident_id,
        stage: filter.stage,
        reference: filter.reference.as_deref().map(reference::search_key),
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let rows = store::inquiry::list(&mut tx, &call.actor, filter, page).await?;
    tx.rollback().await?;
    Ok(Json(rows.map(InquiryView::from)))
}

/// Read an inquiry
///
/// The question, and the answer that holds.
#[utoipa::path(
    get, path = "/v1/inquiries/{case_id}", operation_id = "get_inquiry", tag = "inquiries",
    params(("case_id" = CaseId, Path, description = "The inquiry; the same id as its case")),
    responses(
        (status = 200, description = "The inquiry", body = InquiryView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["inquiry.read"])),
)]
pub(super) async fn get_inquiry(
    State(app): State<App>,
    call: Allowed<permission::ReadInquiries>,
    Path(inquiry_id): Path<CaseId>,
) -> Result<Versioned<InquiryView>> {
    let none = || Error::refused(&Refusal::NoSuchInquiry);
    let found = app.core.engine.load::<Inquiry>(&call, inquiry_id).await;
    let found = found.map_err(|fault| if matches!(fault, Error::NotFound) { none() } else { fault })?;
    match &found.state.question {
        Some(question) if call.actor.sees(question.estate, question.resident) => dto::inquiry(&found),
        _ => Err(none()),
    }
}

/// Answer an inquiry
///
/// In words, by an article of the handbook in the version that holds, or both. An important one is called back later.
#[utoipa::path(
    post, path = "/v1/inquiries/{case_id}/answer", operation_id = "answer_inquiry", tag = "inquiries",
    params(("case_id" = CaseId, Path, description = "The inquiry; the same id as its case")),
    request_body = AnswerInquiry,
    responses(
        (status = 200, description = "The inquiry as it is now", body = InquiryView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["inquiry.answer"])),
)]
pub(super) async fn answer_inquiry(
    State(app): State<App>,
    call: Allowed<permission::AnswerInquiries>,
    Path(inquiry_id): Path<CaseId>,
    Json(body): Json<AnswerInquiry>,
) -> Result<Versioned<InquiryView>> {
    let AnswerInquiry { text, article_id, article_version, important, written_reply } = body;
    let article = match (article_id, article_version) {
        (Some(article), version) => Some(desk::cite(&app, &call, inquiry_id, article, version).await?),
        (None, Some(_)) => return Err(Error::field("/article_version", "alone", "needs article_id beside it")),
        (None, None) => None,
    };
    let answer = Box::new(Answer { text, article, important, written_reply });
    dto::inquiry(&desk::inquire(&app, &call, inquiry_id, Command::Answer(answer)).await?)
}

/// Note a call-back
///
/// With its result. Calls on three different days of the estate that reach nobody end the call-back and close the inquiry; further calls on a day
/// are noted, but do not bring the end nearer.
#[utoipa::path(
    post, path = "/v1/inquiries/{case_id}/follow-up", operation_id = "follow_up_inquiry", tag = "inquiries",
    params(("case_id" = CaseId, Path, description = "The inquiry; the same id as its case")),
    request_body = FollowUpInquiry,
    responses(
        (status = 200, description = "The inquiry as it is now", body = InquiryView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["inquiry.answer"])),
)]
pub(super) async fn follow_up_inquiry(
    State(app): State<App>,
    call: Allowed<permission::AnswerInquiries>,
    Path(inquiry_id): Path<CaseId>,
    Json(FollowUpInquiry { result, note }): Json<FollowUpInquiry>,
) -> Result<Versioned<InquiryView>> {
    dto::inquiry(&desk::call_back(&app, &call, inquiry_id, result, note).await?)
}

/// Close an inquiry
///
/// By its owner, once it is answered; a call-back that is still due falls away with that. Staff who have not handled it may take
/// that word down and say how the owner gave it, of an important one once its owner was called back.
#[utoipa::path(
    post, path = "/v1/inquiries/{case_id}/close", operation_id = "close_inquiry", tag = "inquiries",
    params(("case_id" = CaseId, Path, description = "The inquiry; the same id as its case")),
    request_body = CloseInquiry,
    responses(
        (status = 200, description = "The inquiry as it is now", body = InquiryView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["inquiry.close"])),
)]
pub(super) async fn close_inquiry(
    State(app): State<App>,
    call: Allowed<permission::CloseInquiries>,
    Path(inquiry_id): Path<CaseId>,
    Json(CloseInquiry { taken_down }): Json<CloseInquiry>,
) -> Result<Versioned<InquiryView>> {
    dto::inquiry(&desk::inquire(&app, &call, inquiry_id, Command::Close { taken_down }).await?)
}

/// Ask again
///
/// By its owner, when the answer does not do; for some days also after the inquiry was closed or called off. Staff who have not
/// handled it may take that word down and say how the owner gave it.
#[utoipa::path(
    post, path = "/v1/inquiries/{case_id}/reopen", operation_id = "reopen_inquiry", tag = "inquiries",
    params(("case_id" = CaseId, Path, description = "The inquiry; the same id as its case")),
    request_body = ReopenInquiry,
    responses(
        (status = 200, description = "The inquiry as it is now", body = InquiryView,
         headers(("etag" = String, description = "Version, for If-Match"))),
        Problems,
    ),
    security(("bearer" = ["inquiry.close"])),
)]
pub(super) async fn reopen_inquiry(
    State(app): State<App>,
    call: Allowed<permission::CloseInquiries>,
    Path(inquiry_id): Path<CaseId>,
    Json(ReopenInquiry { reason, taken_down }): Json<ReopenInquiry>,
) -> Result<Versioned<InquiryView>> {
    dto::inquiry(&desk::inquire(&app, &call, inquiry_id, Command::Reopen { reason, taken_down }).await?)
}
