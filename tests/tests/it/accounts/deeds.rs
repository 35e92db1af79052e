//! What people do with cases, and the lives that cases live.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Something that somebody does with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    OwnerCancels,
    StaffCancel,
    CancelTakenDown,
    Prioritise,
    Promise,
    KeepPromise,
    MovePromise,
    HandOver,
    TakeOver,
    RefuseToTakeOver,
    TakeInHand,
    Rebase,
    Rate,
    Answer,
    AnswerImportant,
    CallInVain,
    CallBack,
    CloseInquiry,
    CloseInquiryTakenDown,
    AskAgain,
    AskAgainTakenDown,
    Acknowledge,
    Assess,
    /// Assesses it anew, into another category.
    Reclassify,
    Consult,
    AnswerConsultation,
    AwaitOwner,
    Resume,
    Plan,
    Extend,
    Decide,
    DecideWithCommitment,
    KeepCommitment,
    Remedy,
    CallAboutDecision,
    CallAboutDecisionInVain,
    ConfirmSolved,
    TakeDownSolved,
    ConfirmNotSolved,
    TakeDownNotSolved,
    Withdraw,
    WithdrawTakenDown,
    Confirm,
    ConfirmWithWindow,
    Appoint,
    RequestInfo,
    ProvideInfo,
    ProvideInfoTakenDown,
    Object,
    ObjectInVain,
    Decline,
    CancelRequest,
    OpenOrder,
    Accept,
    Return,
    Transfer,
    Arrive,
    MakeSafe,
    Hold,
    GoOn,
    Complete,
    CancelOrder,
    VerifyOrder,
    VerifyGood,
    VerifyGoodTakenDown,
    /// It is solved, and there is something else: a case of its own.
    VerifyGoodAndMore,
    VerifyBad,
    Consider,
    AcceptSuggestion,
    DeclineSuggestion,
    Later,
    PlanSuggestion,
    Deliver,
    ConfirmSuggestion,
    ReopenSuggestion,
}

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Owner,
    Desk,
    Handler,
    Manager,
    /// Decides on objections and takes down owners' words, since they answer for no case.
    Judge,
}

/// Who does it, to which list the thing belongs, the verb, and the body.
pub(super) type Command = (Who, &'static str, &'static str, Value);

impl Deed {
    /// The one command that it is; none when something has to be looked up for it first.
    pub(super) fn command(self, now: DateTime<Utc>) -> Option<Command> {
        self.on_case(now)
            .or_else(|| self.on_inquiry())
            .or_else(|| self.on_complaint())
            .or_else(|| self.on_request(now))
            .or_else(|| self.on_suggestion())
    }

    fn on_case(self, now: DateTime<Utc>) -> Option<Command> {
        let (who, verb, body) = match self {
            Self::OwnerCancels => (Who::Owner, "cancel", json!({"reason": "算了"})),
            Self::StaffCancel => (Who::Desk, "cancel", json!({"reason": "业主说算了"})),
            Self::CancelTakenDown => {
                (Who::Judge, "cancel", json!({"reason": "业主说算了", "taken_down": {"how": "phone"}}))
            }
            Self::Prioritise => (Who::Desk, "prioritise", json!({"priority": "P1", "reason": "急"})),
            Self::Promise => {
                (Who::Handler, "promises", json!({"due_at": now + TimeDelta::hours(7), "team": "engineering"}))
            }
            Self::HandOver => (Who::Manager, "hand-over", json!({"account": "manager-2", "reason": "他熟悉"})),
            _ => return None,
        };
        Some((who, "cases", verb, body))
    }

    fn on_inquiry(self) -> Option<Command> {
        let taken_down = json!({"how": "phone"});
        let (who, verb, body) = match self {
            Self::Answer => (Who::Desk, "answer", json!({"text": "可以"})),
            Self::AnswerImportant => (Who::Desk, "answer", json!({"text": "回头再说", "important": true})),
            Self::CallInVain => (Who::Desk, "follow-up", json!({"result": "not_reached"})),
            Self::CallBack => (Who::Desk, "follow-up", json!({"result": "reached"})),
            Self::CloseInquiry => (Who::Owner, "close", json!({})),
            Self::CloseInquiryTakenDown => (Who::Judge, "close", json!({"taken_down": taken_down})),
            Self::AskAgain => (Who::Owner, "reopen", json!({"reason": "没懂"})),
            Self::AskAgainTakenDown => (Who::Judge, "reopen", json!({"reason": "没懂", "taken_down": taken_down})),
            _ => return None,
        };
        Some((who, "inquiries", verb, body))
    }

    fn on_complaint(self) -> Option<Command> {
        let (points, taken_down) = (json!([{"text": "漏水"}]), json!({"how": "phone"}));
        let (who, verb, body) = match self {
            Self::Acknowledge => (Who::Handler, "acknowledge", json!({})),
            Self::Assess => (Who::Handler, "assess", json!({"severity": "high", "points": points})),
            Self::Reclassify => {
                let body = json!({"severity": "low", "points": points, "category": "noise.neighbour"});
                (Who::Handler, "assess", body)
            }
            Self::Consult => (Who::Handler, "consult", json!({"department": "security", "question": "属实吗？"})),
            Self::AwaitOwner => (Who::Handler, "await-owner", json!({"reason": "等照片"})),
            Self::Resume => (Who::Handler, "resume", json!({})),
            Self::Plan => {
                let body = json!({"text": "明天处理", "departments": ["engineering"], "told_owner_via": "phone"});
                (Who::Handler, "plan", body)
            }
            Self::CallAboutDecision => (Who::Handler, "follow-up", json!({"result": "reached"})),
            Self::CallAboutDecisionInVain => (Who::Handler, "follow-up", json!({"result": "not_reached"})),
            Self::ConfirmSolved => (Who::Owner, "confirm", json!({"satisfied": true})),
            Self::TakeDownSolved => (Who::Judge, "confirm", json!({"satisfied": true, "taken_down": taken_down})),
            Self::ConfirmNotSolved => (Who::Owner, "confirm", json!({"satisfied": false, "comment": "没解决"})),
            Self::TakeDownNotSolved => {
                let body = json!({"satisfied": false, "comment": "没解决", "taken_down": taken_down});
                (Who::Judge, "confirm", body)
            }
            Self::Withdraw => (Who::Owner, "withdraw", json!({"reason": "算了"})),
            Self::WithdrawTakenDown => {
                (Who::Judge, "withdraw", json!({"reason": "业主说算了", "taken_down": taken_down}))
            }
            _ => return None,
        };
        Some((who, "complaints", verb, body))
    }

    fn on_request(self, now: DateTime<Utc>) -> Option<Command> {
        let taken_down = json!({"how": "desk"});
        let window = |from, to| json!({"from": now + TimeDelta::hours(from), "to": now + TimeDelta::hours(to)});
        let (who, verb, body) = match self {
            Self::Confirm => (Who::Handler, "confirm", json!({"details": "在家"})),
            Self::ConfirmWithWindow => (Who::Handler, "confirm", json!({"appointment": window(11, 16)})),
            Self::Appoint => (Who::Handler, "appoint", json!({"appointment": window(20, 23), "reason": "师傅有急修"})),
            Self::RequestInfo => (Who::Handler, "request-info", json!({"question": "哪里？"})),
            Self::ProvideInfo => (Who::Owner, "provide-info", json!({"text": "厨房"})),
            Self::ProvideInfoTakenDown => {
                (Who::Judge, "provide-info", json!({"text": "厨房", "taken_down": taken_down}))
            }
            Self::Decline => (Who::Handler, "decline", json!({"reason": "不归我们", "responsible": "供电局"})),
            Self::CancelRequest => (Who::Handler, "cancel", json!({"reason": "业主说算了"})),
            Self::VerifyGood => (Who::Owner, "verify", json!({"satisfied": true})),
            Self::VerifyGoodTakenDown => (Who::Judge, "verify", json!({"satisfied": true, "taken_down": taken_down})),
            Self::VerifyGoodAndMore => {
                (Who::Owner, "verify", json!({"satisfied": true, "further_need": "阳台灯也不亮了"}))
            }
            Self::VerifyBad => (Who::Owner, "verify", json!({"satisfied": false, "comment": "还漏"})),
            _ => return None,
        };
        Some((who, "service-requests", verb, body))
    }

    fn on_suggestion(self) -> Option<Command> {
        let (who, verb, body) = match self {
            Self::Consider => (Who::Handler, "consider", json!({})),
            Self::AcceptSuggestion => (Who::Manager, "accept", json!({"reason": "好主意"})),
            Self::DeclineSuggestion => (Who::Manager, "decline", json!({"reason": "没有地方"})),
            Self::Later => (Who::Manager, "later", json!({"reason": "明年"})),
            Self::PlanSuggestion => (Who::Manager, "plan", json!({"text": "下月"})),
            Self::Deliver => (Who::Manager, "deliver", json!({"proof": "照片"})),
            Self::ConfirmSuggestion => (Who::Owner, "confirm", json!({})),
            Self::ReopenSuggestion => (Who::Owner, "reopen", json!({"reason": "没有装"})),
            _ => return None,
        };
        Some((who, "suggestions", verb, body))
    }

    /// Whether it is the owner's word, also when staff takes it down.
    fn is_of_owner(self) -> bool {
        let taken_down = |command: &Command| {
            command.0 == Who::Owner || command.0 == Who::Judge && !command.3["taken_down"].is_null()
        };
        let rates = matches!(self, Self::Rate | Self::Object | Self::ObjectInVain);
        rates || self.command(DateTime::UNIX_EPOCH).as_ref().is_some_and(taken_down)
    }
}

/// Whether somebody has to be there who speaks as the owner.
pub(super) fn needs_owner(deeds: &[Deed]) -> bool {
    deeds.iter().any(|deed| deed.is_of_owner())
}

/// Kind of the case, its category, and what is done with it in order.
pub(super) type Script = (&'static str, &'static str, &'static [Deed]);

macro_rules! lives {
    ($($kind:literal $category:literal: [$([$($deed:ident),*]),* $(,)?]),* $(,)?) => {
        &[$($(($kind, $category, &[$(Deed::$deed),*]),)*)*]
    };
}

/// Every life there is: each way to an end, and such as have not come to one.
pub(super) const SCRIPTS: &[Script] = lives! {
    "inquiry" "parking.service": [
        [],
        [OwnerCancels],
        [StaffCancel],
        [CancelTakenDown, AskAgain, Answer],
        [Answer, Rate, CloseInquiry],
        [Answer, AskAgain, TakeInHand, Answer, CloseInquiry, AskAgainTakenDown, Answer, CloseInquiryTakenDown],
        [AnswerImportant, CallInVain, CallInVain, CallBack, CloseInquiry, Rate],
        [AnswerImportant, Rate],
        [AnswerImportant, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain, CallInVain],
        [Promise, KeepPromise, Answer],
        [Promise, MovePromise, Answer],
        [HandOver, RefuseToTakeOver, Answer],
    ],
    "complaint" "service.quality": [
        [],
        [StaffCancel],
        [OwnerCancels],
        [CancelTakenDown, ConfirmNotSolved, Acknowledge],
        [Acknowledge, Withdraw],
        [Acknowledge, Assess, WithdrawTakenDown, TakeDownNotSolved],
        [Acknowledge, Assess, Plan, Decide, ConfirmSolved, Rate],
        [Acknowledge, Assess, Reclassify, Plan, Decide, TakeDownSolved],
        [Acknowledge, Assess, Plan, Decide, ConfirmNotSolved, Plan, Decide, ConfirmSolved, Rate],
        [Acknowledge, Assess, Plan, Decide, ConfirmSolved, ConfirmNotSolved, Reclassify, Plan, Decide, Rate],
        [Prioritise, Acknowledge, Assess, AwaitOwner, Resume, Plan, Extend, DecideWithCommitment, KeepCommitment],
        [Acknowledge, Assess, Plan, Extend, Remedy, Accept, Arrive, Complete, Decide, Rate],
        [TakeInHand, Acknowledge, Assess, Extend, Withdraw],
        [Acknowledge, Assess, Plan, Decide, CallAboutDecision, ConfirmSolved, Rate],
        [Acknowledge, Assess, Plan, Decide, CallAboutDecisionInVain, CallAboutDecisionInVain, CallAboutDecisionInVain,
         CallAboutDecisionInVain, CallAboutDecisionInVain, CallAboutDecisionInVain, CallAboutDecisionInVain,
         CallAboutDecisionInVain, CallAboutDecisionInVain, CallAboutDecisionInVain],
        [HandOver, TakeOver, Acknowledge, Assess, Consult, AnswerConsultation, Plan, Decide],
    ],
    "service_request" "home.fixture": [
        [],
        [OwnerCancels],
        [CancelRequest],
        [Decline],
        [Decline, VerifyBad, Confirm],
        [Prioritise, StaffCancel],
        [CancelTakenDown, VerifyBad, Confirm, OpenOrder],
        [ConfirmWithWindow, OpenOrder, Accept, Arrive, Complete, VerifyGood, Rate],
        [ConfirmWithWindow, Appoint, OpenOrder, Accept, Arrive, MakeSafe, Complete, VerifyOrder, VerifyGoodTakenDown],
        [ConfirmWithWindow, OwnerCancels],
        [ConfirmWithWindow, OpenOrder],
        [Confirm, OpenOrder, Accept, Arrive, Hold, GoOn, Complete, VerifyBad, Accept, Arrive, Complete, VerifyGood, Rate],
        [Confirm, OpenOrder, Accept, Return, Accept, Arrive, Complete, VerifyGoodAndMore, VerifyBad],
        [Confirm, OpenOrder, Transfer, Rebase],
        [RequestInfo, ProvideInfo, Object, Confirm, OpenOrder, Accept, Arrive, Complete],
        [RequestInfo, ProvideInfoTakenDown, ObjectInVain, Confirm, OpenOrder, Accept, Arrive, Complete, VerifyGood],
        [RequestInfo, Confirm, OpenOrder, Prioritise, CancelOrder, OpenOrder, Accept, Arrive, Complete, Rate],
        [Promise, TakeInHand, Confirm, OpenOrder, Accept, StaffCancel],
    ],
    "suggestion" "amenity.improve": [
        [],
        [OwnerCancels],
        [Consider, AcceptSuggestion, PlanSuggestion, Deliver, ConfirmSuggestion, Rate],
        [Consider, AcceptSuggestion, PlanSuggestion, Deliver, ReopenSuggestion],
        [Consider, DeclineSuggestion, Rate],
        [Consider, DeclineSuggestion, ReopenSuggestion, Consider],
        [Consider, Later, AcceptSuggestion],
        [Consider, StaffCancel],
    ],
};
