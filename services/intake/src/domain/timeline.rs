//! The steps of a case that its owner can see, and what the timeline says of them.

use steward_kernel::{vocabulary::Language, word::GivenHow, word_enum};

word_enum! {
    /// A step of a case: the key of the timeline's and of the messages' texts.
    Milestone {
        /// We have it.
        Received = "received",
        /// A person took it up.
        Acknowledged = "acknowledged",
        /// It was classified and split into its points.
        Assessed = "assessed",
        /// A department was asked.
        Consulting = "consulting",
        /// The owner was told the plan.
        PlanTold = "plan_told",
        /// It waits for the owner.
        AwaitingOwner = "awaiting_owner",
        /// It goes on.
        Resumed = "resumed",
        /// Every point has its outcome.
        Decided = "decided",
        /// Work for it was ordered.
        RemedyStarted = "remedy_started",
        /// Work for it is done.
        RemedyDone = "remedy_done",
        /// Work for it was called off.
        RemedyCalledOff = "remedy_called_off",
        /// The owner says that it is solved.
        Confirmed = "confirmed",
        /// The owner says that it is not solved.
        Reopened = "reopened",
        /// It is done.
        Closed = "closed",
        /// The owner took it back.
        Withdrawn = "withdrawn",
        /// It was called off.
        Cancelled = "cancelled",
        /// It is not ours to do, or will not be done.
        Declined = "declined",
        /// The owner was asked for something.
        InfoRequested = "info_requested",
        /// The owner answered.
        InfoProvided = "info_provided",
        /// Details were confirmed with the owner.
        ServiceConfirmed = "service_confirmed",
        /// A time for a visit was agreed on.
        AppointmentSet = "appointment_set",
        /// Another time for a visit was agreed on.
        AppointmentMoved = "appointment_moved",
        /// A deadline was put off before its date.
        DeadlineExtended = "deadline_extended",
        /// The owner was given a time.
        PromiseMade = "promise_made",
        /// The owner was given another time.
        PromiseMoved = "promise_moved",
        /// The owner objects to a pause.
        PauseContested = "pause_contested",
        /// A team has it.
        Routed = "routed",
        /// A technician was chosen.
        TechnicianAssigned = "technician_assigned",
        /// The technician took it.
        TechnicianAccepted = "technician_accepted",
        /// The technician is on the way.
        TechnicianOnTheWay = "technician_on_the_way",
        /// The technician is there.
        TechnicianOnSite = "technician_on_site",
        /// The danger is over.
        MadeSafe = "made_safe",
        /// The work waits.
        OnHold = "on_hold",
        /// The work is done.
        WorkDone = "work_done",
        /// The owner says that the work is good.
        Verified = "verified",
        /// The work is done again.
        Rework = "rework",
        /// The question was answered.
        Answered = "answered",
        /// The owner is to be called back.
        FollowUpDue = "follow_up_due",
        /// The owner was called back.
        FollowedUp = "followed_up",
        /// The suggestion is being considered.
        Considered = "considered",
        /// The suggestion was accepted.
        Accepted = "accepted",
        /// The suggestion was put off.
        Deferred = "deferred",
        /// There is a plan for the suggestion.
        Planned = "planned",
        /// The suggestion is reality.
        Delivered = "delivered",
        /// The owner answered the survey.
        SurveyAnswered = "survey_answered",
        /// Another case follows from it. In the timeline only.
        Linked = "linked",
        /// The owner was asked how it went. In the timeline only.
        SatisfactionAsked = "satisfaction_asked",
    }
}

word_enum! {
    /// Who took a step: a role, never a name.
    #[schema(as = StepParty)]
    Party {
        /// The owner.
        Owner = "owner",
        /// Somebody of the company.
        Staff = "staff",
        /// The technician.
        Technician = "technician",
        /// Nobody in particular.
        System = "system",
    }
}

/// How an owner gave a word, inside a sentence.
const fn way(how: GivenHow, language: Language) -> &'static str {
    let [hans, hant, en] = match how {
        GivenHow::Phone => ["来电", "來電", "on the phone"],
        GivenHow::Desk => ["到访口述", "到訪口述", "at the desk"],
        GivenHow::Letter => ["来信", "來信", "from your letter"],
        GivenHow::Visit => ["上门时口述", "上門時口述", "when we visited you"],
    };
    match language {
        Language::ZhHans => hans,
        Language::ZhHant => hant,
        Language::En => en,
    }
}

impl Milestone {
    /// Who takes such a step, unless it is said that somebody else did.
    #[must_use]
    pub const fn by(self) -> Party {
        match self {
            Self::Confirmed | Self::Reopened | Self::Withdrawn | Self::InfoProvided | Self::Verified => Party::Owner,
            Self::Rework | Self::SurveyAnswered | Self::PauseContested => Party::Owner,
            Self::TechnicianAccepted | Self::TechnicianOnTheWay | Self::TechnicianOnSite => Party::Technician,
            Self::MadeSafe | Self::OnHold | Self::WorkDone | Self::RemedyDone => Party::Technician,
            Self::Received | Self::Closed | Self::FollowUpDue | Self::Linked | Self::SatisfactionAsked => Party::System,
            Self::Acknowledged | Self::Assessed | Self::Consulting | Self::PlanTold | Self::AwaitingOwner => {
                Party::Staff
            }
            Self::Resumed | Self::Decided | Self::RemedyStarted | Self::RemedyCalledOff => Party::Staff,
            Self::Cancelled | Self::Declined => Party::Staff,
            Self::InfoRequested | Self::ServiceConfirmed | Self::Routed | Self::TechnicianAssigned => Party::Staff,
            Self::Answered | Self::FollowedUp | Self::Considered | Self::Accepted | Self::Deferred => Party::Staff,
            Self::Planned | Self::Delivered | Self::AppointmentSet | Self::AppointmentMoved => Party::Staff,
            Self::DeadlineExtended | Self::PromiseMade | Self::PromiseMoved => Party::Staff,
        }
    }

    /// Whether a person of the company took the step; an automatic receipt is no answer.
    #[must_use]
    pub const fn is_human(self) -> bool {
        matches!(self.by(), Party::Staff | Party::Technician)
    }

    /// Whether it says something else each time, so that a second one in a row is no echo of the first.
    #[must_use]
    pub const fn is_told_each_time(self) -> bool {
        use Milestone as M;
        matches!(
            self,
            M::PlanTold
                | M::Planned
                | M::SurveyAnswered
                | M::TechnicianAssigned
                | M::TechnicianAccepted
                | M::TechnicianOnTheWay
                | M::TechnicianOnSite
                | M::OnHold
        )
    }

    /// Whether a new episode of the case begins with it.
    #[must_use]
    pub const fn begins_anew(self) -> bool {
        matches!(self, Self::Reopened | Self::Rework)
    }

    /// What the timeline says of a word of the owner that staff took down.
    #[must_use]
    pub fn taken_down_text(self, how: GivenHow, language: Language) -> String {
        let text = self.text(language);
        let way = way(how, language);
        match language {
            Language::ZhHans => format!("工作人员根据您的{way}代您记录：{text}"),
            Language::ZhHant => format!("工作人員根據您的{way}代您記錄：{text}"),
            Language::En => format!("Taken down for you by our staff {way}: {text}"),
        }
    }

    /// What the timeline says.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        let [hans, hant, en] = self.texts();
        match language {
            Language::ZhHans => hans,
            Language::ZhHant => hant,
            Language::En => en,
        }
    }

    /// In zh-Hans, zh-Hant and English.
    const fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Received => ["我们已收到您反映的事项", "我們已收到您反映的事項", "We have received what you told us"],
            Self::Acknowledged => ["工作人员已受理", "工作人員已受理", "A member of staff has taken it up"],
            Self::Assessed => ["已完成分类和核对", "已完成分類和核對", "It has been classified and its points noted"],
            Self::Consulting => ["正在征询相关部门", "正在徵詢相關部門", "The departments concerned are being asked"],
            Self::PlanTold => ["处理方案已告知您", "處理方案已告知您", "You have been told the plan"],
            Self::AwaitingOwner => ["等待您的回复", "等待您的回覆", "We are waiting for your reply"],
            Self::Resumed => ["已恢复处理", "已恢復處理", "Work on it has resumed"],
            Self::Decided => ["已作出处理决定", "已作出處理決定", "A decision has been made"],
            Self::RemedyStarted => ["已安排整改", "已安排整改", "Work to put it right has been ordered"],
            Self::RemedyDone => ["整改已完成", "整改已完成", "The work to put it right is done"],
            Self::RemedyCalledOff => [
                "安排的整改已取消，后续处理会告知您",
                "安排的整改已取消，後續處理會告知您",
                "The work was called off; we will tell you how it goes on",
            ],
            Self::Confirmed => ["您已确认解决", "您已確認解決", "You have confirmed that it is solved"],
            Self::Reopened => ["事项已重新打开", "事項已重新開啟", "It has been reopened"],
            Self::Closed => ["事项已办结", "事項已辦結", "It is closed"],
            Self::Withdrawn => ["您已撤回", "您已撤回", "You have withdrawn it"],
            Self::Cancelled => ["事项已取消", "事項已取消", "It has been cancelled"],
            Self::Declined => ["未予受理，原因已说明", "未予受理，原因已說明", "It was declined; the reason was given"],
            Self::InfoRequested => ["请补充信息", "請補充資訊", "We have asked you for more information"],
            Self::InfoProvided => ["已收到补充信息", "已收到補充資訊", "The information you gave has arrived"],
            Self::ServiceConfirmed => ["服务内容已确认", "服務內容已確認", "The details have been confirmed"],
            Self::AppointmentSet => ["已约好上门时间", "已約好上門時間", "A time for the visit has been agreed on"],
            Self::AppointmentMoved => ["上门时间已更改", "上門時間已更改", "The visit has been moved to another time"],
            Self::DeadlineExtended => ["办理期限已延长", "辦理期限已延長", "The date by which we answer was put off"],
            Self::PromiseMade => ["已向您承诺时间", "已向您承諾時間", "You have been given a time"],
            Self::PromiseMoved => ["承诺的时间已更改", "承諾的時間已更改", "You have been given another time"],
            Self::PauseContested => {
                ["您对暂停计时提出异议", "您對暫停計時提出異議", "You have objected to a pause of the deadline"]
            }
            Self::Routed => ["已转交负责班组", "已轉交負責班組", "It has been passed to the team in charge"],
            Self::TechnicianAssigned => ["已安排师傅", "已安排師傅", "A technician has been assigned"],
            Self::TechnicianAccepted => ["师傅已接单", "師傅已接單", "The technician has accepted the job"],
            Self::TechnicianOnTheWay => ["师傅已出发", "師傅已出發", "The technician is on the way"],
            Self::TechnicianOnSite => ["师傅已到达现场", "師傅已到達現場", "The technician has arrived"],
            Self::MadeSafe => ["险情已排除", "險情已排除", "The danger has been removed"],
            Self::OnHold => ["维修暂停，等待条件具备", "維修暫停，等待條件具備", "The work is on hold for now"],
            Self::WorkDone => ["维修已完成，请您确认", "維修已完成，請您確認", "The work is done; please confirm"],
            Self::Verified => ["您已确认服务质量", "您已確認服務品質", "You have confirmed the quality of the work"],
            Self::Rework => ["将安排返工", "將安排返工", "The work will be done again"],
            Self::Answered => ["您的问题已答复", "您的問題已答覆", "Your question has been answered"],
            Self::FollowUpDue => ["我们将回访您", "我們將回訪您", "We will call you back"],
            Self::FollowedUp => ["已完成回访", "已完成回訪", "We have called you back"],
            Self::Considered => ["正在研究您的建议", "正在研究您的建議", "Your suggestion is being considered"],
            Self::Accepted => ["您的建议已采纳", "您的建議已採納", "Your suggestion has been accepted"],
            Self::Deferred => {
                ["您的建议留待以后考虑", "您的建議留待以後考慮", "Your suggestion will be considered later"]
            }
            Self::Planned => ["您的建议已列入计划", "您的建議已列入計劃", "Your suggestion has been planned"],
            Self::Delivered => ["您的建议已落实", "您的建議已落實", "Your suggestion has been put into practice"],
            Self::SurveyAnswered => ["感谢您的评价", "感謝您的評價", "Thank you for your rating"],
            Self::Linked => ["已由此新开相关事项", "已由此新開相關事項", "A related case has been opened"],
            Self::SatisfactionAsked => {
                ["邀请您评价本次服务", "邀請您評價本次服務", "You were asked how satisfied you are"]
            }
        }
    }
}
