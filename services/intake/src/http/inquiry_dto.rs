//! What requests and answers about inquiries look like.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Executed, Result, http::Versioned};
use steward_kernel::{
    call_back::CALL_BACK_DAYS,
    ids::{CaseId, EstateId, ResidentId},
    text::{Line, Words},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::dto::answer;
use crate::{
    domain::{
        ArticleId,
        inquiry::{CallResult, Inquiry, InquiryStage},
    },
    store::inquiry::InquiryRow,
};

/// An inquiry with the answer that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct InquiryView {
    /// The same as `case_id`.
    #[schema(value_type = CaseId)]
    pub inquiry_id: Uuid,
    /// Its case.
    #[schema(value_type = CaseId)]
    pub case_id: Uuid,
    /// What people quote.
    #[schema(example = "Q-261123-7K3QD4")]
    pub reference: String,
    /// Where it stands.
    #[schema(value_type = InquiryStage)]
    pub stage: String,
    /// The question, verbatim.
    pub words: String,
    /// Where.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ResidentId>)]
    pub resident_id: Option<Uuid>,
    /// The answer that holds, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The article it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ArticleId>)]
    pub article_id: Option<Uuid>,
    /// The version of the article.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article_version: Option<i32>,
    /// Whether the owner is called back.
    pub important: bool,
    /// Whether the owner gets the answer in writing.
    pub written_reply: bool,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    /// When the owner is to be called back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_at: Option<DateTime<Utc>>,
    /// Calls that reached nobody.
    pub missed_calls: i32,
    /// Days of the estate on which calls reached nobody; the third ends the call-back.
    pub missed_days: i32,
    /// On how many more days the owner is to be called until somebody is reached; 0 when no call-back is owed.
    pub days_owed: i32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version, for `If-Match`.
    pub version: i32,
}

impl From<InquiryRow> for InquiryView {
    fn from(row: InquiryRow) -> Self {
        Self {
            inquiry_id: row.case_id,
            case_id: row.case_id,
            reference: row.reference,
            stage: row.stage,
            words: row.words,
            estate_id: row.estate_id,
            resident_id: row.resident_id,
            answer: row.answer,
            article_id: row.article_id,
            article_version: row.article_version,
            important: row.important,
            written_reply: row.written_reply,
            asked_at: row.asked_at,
            answered_at: row.answered_at,
            follow_up_at: row.follow_up_at,
            missed_calls: row.missed_calls,
            missed_days: row.missed_days,
            days_owed: if row.follow_up_at.is_some() { days_owed(row.missed_days) } else { 0 },
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

fn days_owed(missed_days: i32) -> i32 {
    i32::try_from(CALL_BACK_DAYS).unwrap_or(i32::MAX).saturating_sub(missed_days).max(0)
}

/// Which inquiries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InquiryQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// Of this resident; for staff.
    pub resident_id: Option<ResidentId>,
    /// At this stage.
    pub stage: Option<InquiryStage>,
    /// With this reference, in any spelling, or only its last part.
    pub reference: Option<String>,
}

/// An answer: words, an article, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "text": "装修需提前三天到服务中心登记，押金两千元。", "important": true, "written_reply": false }))]
pub struct AnswerInquiry {
    /// In words; 1 to 4,000 characters.
    pub text: Option<Words>,
    /// The article of the handbook it rests on.
    pub article_id: Option<ArticleId>,
    /// Which version of it; the newest when left out.
    pub article_version: Option<i32>,
    /// Whether the owner is called back later.
    #[serde(default)]
    pub important: bool,
    /// Whether the owner gets it in writing.
    #[serde(default)]
    pub written_reply: bool,
}

/// What came of a call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "result": "reached", "note": "业主表示清楚了" }))]
pub struct FollowUpInquiry {
    /// Whether the owner was reached. Calls on three days that reach nobody close the inquiry.
    pub result: CallResult,
    /// What was said; 1 to 200 characters.
    pub note: Option<Line>,
}

/// An inquiry as it is now.
pub(super) fn inquiry(done: &Executed<Inquiry>) -> Result<Versioned<InquiryView>> {
    answer(InquiryRow::of(&done.state, done.version, done.changed_at), done.version, done.replayed)
}
