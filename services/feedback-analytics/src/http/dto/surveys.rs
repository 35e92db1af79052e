//! Surveys, sent and shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use steward_kernel::{
    Version,
    ids::{CaseId, EstateId, ResidentId},
    vocabulary::{CaseKind, Language},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        Remark, SurveyId,
        dictionary::QUESTIONS,
        survey::{self, SurveyStage},
    },
    store::surveys,
};

/// Which surveys to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SurveyFilter {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// In this stage.
    pub stage: Option<SurveyStage>,
    /// Of this case.
    pub case_id: Option<CaseId>,
}

impl From<SurveyFilter> for surveys::Filter {
    fn from(SurveyFilter { estate_id, stage, case_id }: SurveyFilter) -> Self {
        Self { estate_id, stage, case_id }
    }
}

/// How it went, from 1 (very bad) to 5 (very good): at least one score or a comment.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": 5, "handling": 4, "courtesy": 5, "comment": "师傅很仔细"}))]
pub struct AnswerSurvey {
    /// The result.
    #[schema(minimum = 1, maximum = 5)]
    pub outcome: Option<u8>,
    /// How it was handled.
    #[schema(minimum = 1, maximum = 5)]
    pub handling: Option<u8>,
    /// The manner of those who handled it.
    #[schema(minimum = 1, maximum = 5)]
    pub courtesy: Option<u8>,
    /// In words; an empty text is none.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    pub comment: Option<Remark>,
}

/// A text, or none when it is empty: forms send the fields that nobody filled in, too.
fn empty_is_none<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Remark>, D::Error> {
    let text = Option::<String>::deserialize(reader)?.filter(|text| !text.trim().is_empty());
    text.map(|text| Remark::try_new(&text).map_err(D::Error::custom)).transpose()
}

/// A survey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SurveyView {
    /// The survey.
    pub survey_id: SurveyId,
    /// The case it is about.
    pub case_id: CaseId,
    /// What people quote.
    #[schema(example = "S-261123-7K3QD4")]
    pub reference: String,
    /// Kind of the case.
    #[schema(value_type = CaseKind)]
    pub case_kind: String,
    /// Which time the case was resolved; 1 until it is reopened.
    #[schema(example = 1)]
    pub episode: u32,
    /// Its estate.
    pub estate_id: EstateId,
    /// Who is asked.
    pub resident_id: ResidentId,
    /// Where it stands.
    pub stage: SurveyStage,
    /// The commands that are legal now.
    #[schema(example = json!(["answer"]))]
    pub allowed: &'static [&'static str],
    /// What is asked, in the language of the request; answer each from 1 to 5.
    pub questions: Vec<SurveyQuestion>,
    /// When the owner was asked.
    pub sent_at: DateTime<Utc>,
    /// Until when an answer counts.
    pub expires_at: DateTime<Utc>,
    /// Why its owner could not be told of it, and so was not asked: `opted_out`, `no_resident`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "opted_out")]
    pub suppressed: Option<String>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
    /// Score of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<u8>,
    /// Score of how it was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling: Option<u8>,
    /// Score of the manner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub courtesy: Option<u8>,
    /// In the owner's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Remark>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version, for If-Match.
    #[schema(value_type = i32, example = 1)]
    pub version: Version,
}

/// One question of a survey.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SurveyQuestion {
    /// Field of the answer.
    #[schema(example = "outcome")]
    pub item: &'static str,
    /// The question.
    #[schema(example = "您对处理结果满意吗？")]
    pub text: &'static str,
}

impl SurveyView {
    /// A survey as it is shown.
    #[must_use]
    pub fn new(
        survey_id: SurveyId,
        version: Version,
        updated_at: DateTime<Utc>,
        life: survey::Life,
        language: Language,
    ) -> Self {
        let survey::Life { invitation, stage, answer, answered_at, suppressed } = life;
        let rating = |read: fn(&survey::Answer) -> Option<survey::Rating>| answer.as_ref().and_then(read).map(u8::from);
        Self {
            survey_id,
            case_id: invitation.case_id,
            reference: invitation.reference,
            case_kind: invitation.case_kind,
            episode: invitation.episode,
            estate_id: invitation.estate_id,
            resident_id: invitation.resident_id,
            stage,
            allowed: stage.allowed(),
            questions: QUESTIONS
                .iter()
                .map(|(item, text)| SurveyQuestion { item, text: text.in_language(language) })
                .collect(),
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            suppressed,
            answered_at,
            outcome: rating(|answer| answer.outcome),
            handling: rating(|answer| answer.handling),
            courtesy: rating(|answer| answer.courtesy),
            comment: answer.and_then(|answer| answer.comment),
            updated_at,
            version,
        }
    }
}
