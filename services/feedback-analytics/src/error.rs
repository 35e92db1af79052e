//! Refusals as problems.

use steward_kernel::{ProblemKind, Refuses, word};

use crate::domain::{suggestion::Refusal as SuggestionRefusal, survey::Refusal as SurveyRefusal};

const NO_SUCH_SUGGESTION: ProblemKind =
    ProblemKind::not_found("suggestion/no-such-suggestion", "There is no such suggestion here");
const ALREADY_RECEIVED: ProblemKind =
    ProblemKind::conflict("suggestion/already-received", "The suggestion was received before");
const NOT_IN_THIS_STAGE: ProblemKind =
    ProblemKind::conflict("suggestion/not-in-this-stage", "The suggestion stands where this is not possible");
const PLANNED_FOR_THE_PAST: ProblemKind =
    ProblemKind::unprocessable("suggestion/planned-for-the-past", "The planned day has passed");
const PLANNED_TOO_FAR: ProblemKind =
    ProblemKind::unprocessable("suggestion/planned-too-far-ahead", "A plan lies within five years");
const NO_SUCH_SURVEY: ProblemKind = ProblemKind::not_found("survey/no-such-survey", "There is no such survey here");
const ALREADY_INVITED: ProblemKind = ProblemKind::conflict("survey/already-invited", "The owner was asked before");
const NOT_OPEN: ProblemKind =
    ProblemKind::conflict("survey/not-open", "The survey was answered already, or its time is over");
const NOTHING_SAID: ProblemKind =
    ProblemKind::unprocessable("survey/nothing-said", "An answer has at least one score or a comment");

/// The problems of this service with their titles in zh-Hans and zh-Hant.
pub(crate) fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
    let own = vec![
        (NO_SUCH_SUGGESTION, ["没有这条建议", "沒有這條建議"]),
        (ALREADY_RECEIVED, ["这条建议已经收到过", "這條建議已經收到過"]),
        (NOT_IN_THIS_STAGE, ["建议当前所处阶段不允许此操作", "建議目前所處階段不允許此操作"]),
        (PLANNED_FOR_THE_PAST, ["计划日期已过", "計劃日期已過"]),
        (PLANNED_TOO_FAR, ["计划日期须在五年以内", "計劃日期須在五年以內"]),
        (NO_SUCH_SURVEY, ["没有这份满意度调查", "沒有這份滿意度調查"]),
        (ALREADY_INVITED, ["已经邀请过业主评价", "已經邀請過業主評價"]),
        (NOT_OPEN, ["调查已答复或已过期", "調查已答覆或已過期"]),
        (NOTHING_SAID, ["答复至少要有一项评分或一句话", "答覆至少要有一項評分或一句話"]),
    ];
    [own, word::PROBLEMS.to_vec()].concat()
}

impl Refuses for SuggestionRefusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchSuggestion => NO_SUCH_SUGGESTION,
            Self::AlreadyReceived => ALREADY_RECEIVED,
            Self::Illegal { .. } => NOT_IN_THIS_STAGE,
            Self::PlannedForThePast => PLANNED_FOR_THE_PAST,
            Self::PlannedTooFar => PLANNED_TOO_FAR,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        match self {
            Self::Illegal { allowed } => allowed.to_vec(),
            Self::NoSuchSuggestion
            | Self::AlreadyReceived
            | Self::PlannedForThePast
            | Self::PlannedTooFar
            | Self::Word(_) => Vec::new(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::PlannedTooFar => Some(("/by_on".to_owned(), "give a day within five years".to_owned())),
            Self::PlannedForThePast => Some(("/by_on".to_owned(), "give today or a later day".to_owned())),
            Self::Word(fault) => fault.field(),
            Self::NoSuchSuggestion | Self::AlreadyReceived | Self::Illegal { .. } => None,
        }
    }
}

impl Refuses for SurveyRefusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchSurvey => NO_SUCH_SURVEY,
            Self::AlreadyInvited => ALREADY_INVITED,
            Self::NotOpen => NOT_OPEN,
            Self::NothingSaid => NOTHING_SAID,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::NothingSaid => Some(("/outcome".to_owned(), "give a score of 1 to 5 or a comment".to_owned())),
            Self::NoSuchSurvey | Self::AlreadyInvited | Self::NotOpen => None,
        }
    }
}
