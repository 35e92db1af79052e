//! Refusals of cases, inquiries and visits as problems, and the list of all problems of intake.

mod register;
mod rulebook;
mod stewardship;

use steward_kernel::{ProblemKind, Refuses, word};

use crate::domain::{case, inquiry, visit};

const NO_SUCH_CASE: ProblemKind = ProblemKind::not_found("intake/no-such-case", "There is no such case");
const CASE_OPEN: ProblemKind = ProblemKind::conflict("intake/case-already-opened", "The case is already open");
const CASE_ENDED: ProblemKind = ProblemKind::conflict("intake/case-ended", "The case has come to its end");
const PRIORITISED_BEFORE: ProblemKind =
    ProblemKind::conflict("intake/prioritised-before", "Somebody has changed the priority before");
const TAKEN_DOWN_ELSEWHERE: ProblemKind = ProblemKind::unprocessable(
    "intake/taken-down-elsewhere",
    "The owner's word is taken down where the matter is worked on",
);
const UNKNOWN_ESTATE: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-estate", "The register has no such estate or unit for you");
const UNKNOWN_RESIDENT: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-resident", "The register has no such resident");
const NOT_THE_OWNER: ProblemKind =
    ProblemKind::unprocessable("intake/not-the-owner", "An owner can speak for nobody else");
const NO_RESIDENT: ProblemKind = ProblemKind::forbidden("intake/no-resident", "Your account belongs to no resident");
const UNKNOWN_CATEGORY: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-category", "The taxonomy has no such category");
const UNKNOWN_LINKED_CASE: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-linked-case", "There is no such case to link to");
const UNKNOWN_VISIT: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-visit", "There is no such visit in this estate");
const UNKNOWN_FILE: ProblemKind = ProblemKind::unprocessable("intake/unknown-file", "One of the files does not exist");
const SAID_IN_FUTURE: ProblemKind =
    ProblemKind::unprocessable("intake/said-in-future", "Words cannot have been said in the future");
const SAID_TOO_LONG_AGO: ProblemKind =
    ProblemKind::unprocessable("intake/said-too-long-ago", "Words of so long ago are entered by a supervisor");
const NOT_FOR_OWNERS: ProblemKind = ProblemKind::unprocessable("intake/not-for-owners", "This is for staff to say");
const NOT_YOUR_UNIT: ProblemKind =
    ProblemKind::unprocessable("intake/not-your-unit", "You are not tied to this unit today");
const NOT_THEIR_UNIT: ProblemKind =
    ProblemKind::unprocessable("intake/not-their-unit", "The resident was never tied to this unit");
const NO_SUCH_INQUIRY: ProblemKind = ProblemKind::not_found("intake/no-such-inquiry", "There is no such inquiry");
const INQUIRY_ASKED: ProblemKind =
    ProblemKind::conflict("intake/inquiry-already-asked", "The inquiry is already noted");
const EMPTY_ANSWER: ProblemKind =
    ProblemKind::unprocessable("intake/empty-answer", "An answer needs words or an article");
const UNKNOWN_ARTICLE: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-article", "The handbook has no such article in this version");
const INQUIRY_NOT_NOW: ProblemKind =
    ProblemKind::conflict("intake/inquiry-not-now", "The inquiry does not allow this at its stage");
const NO_SUCH_VISIT: ProblemKind = ProblemKind::not_found("intake/no-such-visit", "There is no such visit");
const VISIT_ARRIVED: ProblemKind = ProblemKind::conflict("intake/visit-already-noted", "The visit is already noted");
const VISIT_NOT_NOW: ProblemKind =
    ProblemKind::conflict("intake/visit-not-now", "The visit does not allow this at its stage");

const TITLES: &[(ProblemKind, [&str; 2])] = &[
    (NO_SUCH_CASE, ["没有这个事项", "沒有這個事項"]),
    (CASE_OPEN, ["事项已经开立", "事項已經開立"]),
    (CASE_ENDED, ["事项已经结束", "事項已經結束"]),
    (PRIORITISED_BEFORE, ["紧急程度此前已被更改", "緊急程度先前已被更改"]),
    (TAKEN_DOWN_ELSEWHERE, ["业主的意见须在经办该事项的环节代记", "業主的意見須在經辦該事項的環節代記"]),
    (UNKNOWN_ESTATE, ["登记簿中没有您可用的这个小区或房屋", "登記簿中沒有您可用的這個小區或房屋"]),
    (UNKNOWN_RESIDENT, ["登记簿中没有这位住户", "登記簿中沒有這位住戶"]),
    (NOT_THE_OWNER, ["业主不能代他人提出", "業主不能代他人提出"]),
    (NO_RESIDENT, ["您的账号未关联住户", "您的帳號未關聯住戶"]),
    (UNKNOWN_CATEGORY, ["分类表中没有这个类别", "分類表中沒有這個類別"]),
    (UNKNOWN_LINKED_CASE, ["没有可关联的这个事项", "沒有可關聯的這個事項"]),
    (UNKNOWN_VISIT, ["该小区没有这次到访", "該小區沒有這次到訪"]),
    (UNKNOWN_FILE, ["其中一个文件不存在", "其中一個檔案不存在"]),
    (SAID_IN_FUTURE, ["反映时间不能晚于现在", "反映時間不能晚於現在"]),
    (SAID_TOO_LONG_AGO, ["太久以前的反映须由主管补录", "太久以前的反映須由主管補錄"]),
    (NOT_FOR_OWNERS, ["这一项由工作人员填写", "這一項由工作人員填寫"]),
    (NOT_YOUR_UNIT, ["您目前与该房屋没有关系", "您目前與該房屋沒有關係"]),
    (NOT_THEIR_UNIT, ["该住户与该房屋没有关系", "該住戶與該房屋沒有關係"]),
    (NO_SUCH_INQUIRY, ["没有这个咨询", "沒有這個諮詢"]),
    (INQUIRY_ASKED, ["咨询已经登记", "諮詢已經登記"]),
    (EMPTY_ANSWER, ["答复需要文字或手册条目", "答覆需要文字或手冊條目"]),
    (UNKNOWN_ARTICLE, ["手册中没有此版本的条目", "手冊中沒有此版本的條目"]),
    (INQUIRY_NOT_NOW, ["咨询在当前阶段不能这样处理", "諮詢在目前階段不能這樣處理"]),
    (NO_SUCH_VISIT, ["没有这次到访", "沒有這次到訪"]),
    (VISIT_ARRIVED, ["到访已经登记", "到訪已經登記"]),
    (VISIT_NOT_NOW, ["到访在当前阶段不能这样处理", "到訪在目前階段不能這樣處理"]),
];

/// Every problem of intake with its titles in zh-Hans and zh-Hant.
pub(crate) fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
    [TITLES, register::TITLES, rulebook::TITLES, stewardship::TITLES, word::PROBLEMS].concat()
}

fn at(pointer: &str, remedy: &str) -> Option<(String, String)> {
    Some((pointer.to_owned(), remedy.to_owned()))
}

impl Refuses for case::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchCase => NO_SUCH_CASE,
            Self::AlreadyOpened => CASE_OPEN,
            Self::Ended => CASE_ENDED,
            Self::PrioritisedBefore => PRIORITISED_BEFORE,
            Self::TakenDownElsewhere => TAKEN_DOWN_ELSEWHERE,
            Self::UnknownEstate | Self::UnknownUnit | Self::UnknownSourceUnit => UNKNOWN_ESTATE,
            Self::UnknownResident => UNKNOWN_RESIDENT,
            Self::NotTheOwner => NOT_THE_OWNER,
            Self::NoResident => NO_RESIDENT,
            Self::UnknownCategory => UNKNOWN_CATEGORY,
            Self::UnknownLinkedCase => UNKNOWN_LINKED_CASE,
            Self::UnknownVisit | Self::VisitOfAnother => UNKNOWN_VISIT,
            Self::UnknownFile => UNKNOWN_FILE,
            Self::SaidInFuture => SAID_IN_FUTURE,
            Self::SaidTooLongAgo { .. } => SAID_TOO_LONG_AGO,
            Self::OwnersPriority | Self::OwnersChannel | Self::OwnersSaidAt => NOT_FOR_OWNERS,
            Self::NotYourUnit => NOT_YOUR_UNIT,
            Self::NotTheirUnit => NOT_THEIR_UNIT,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::NoSuchCase | Self::AlreadyOpened | Self::Ended | Self::NoResident => None,
            Self::PrioritisedBefore => {
                at("/instead_of", "must be the priority that it has now, or If-Match must be the version that was read")
            }
            Self::TakenDownElsewhere => at(
                "/taken_down",
                "take it down with withdraw of the complaint or cancel of the service request; leave it out where the company calls off by itself",
            ),
            Self::UnknownEstate => at("/estate_id", "must be an estate of the register that you may see"),
            Self::UnknownUnit => at("/unit_id", "must be a unit of that estate"),
            Self::UnknownResident => at("/resident_id", "must be a resident of the register in one of your estates"),
            Self::NotTheOwner => at("/resident_id", "must be left out or be your own"),
            Self::UnknownCategory => at("/category", "must be a code of the taxonomy"),
            Self::UnknownLinkedCase => at("/linked_case_id", "must be a case that you may see"),
            Self::UnknownVisit => at("/visit_id", "must be a visit in that estate"),
            Self::UnknownFile => {
                at("/file_ids", "must be files that were stored before, by staff of that estate or by the resident")
            }
            Self::SaidInFuture => at("/said_at", "must not be later than now"),
            Self::SaidTooLongAgo { days } => {
                at("/said_at", &format!("must be at most {days} days back; a supervisor may enter what is older"))
            }
            Self::OwnersPriority => at("/priority", "must be left out; say \"urgent\": true if it cannot wait"),
            Self::OwnersChannel => at("/channel", "must be app, wechat, web or qr"),
            Self::OwnersSaidAt => at("/said_at", "must be left out: it is said now"),
            Self::UnknownSourceUnit => at("/source_unit_id", "must be a unit of that estate"),
            Self::NotYourUnit => at(
                "/unit_id",
                "must be a unit you are tied to today; leave it out for common parts, name any other as source_unit_id",
            ),
            Self::NotTheirUnit => at(
                "/unit_id",
                "must be a unit the resident is or was tied to; leave it out, or name it as source_unit_id",
            ),
            Self::VisitOfAnother => at("/visit_id", "must be a visit of the resident or of somebody of the same unit"),
            Self::Word(fault) => fault.field(),
        }
    }
}

impl Refuses for inquiry::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchInquiry => NO_SUCH_INQUIRY,
            Self::AlreadyAsked => INQUIRY_ASKED,
            Self::EmptyAnswer => EMPTY_ANSWER,
            Self::UnknownArticle => UNKNOWN_ARTICLE,
            Self::NotNow { .. } => INQUIRY_NOT_NOW,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        match self {
            Self::NotNow { allowed } => allowed.clone(),
            Self::NoSuchInquiry | Self::AlreadyAsked | Self::EmptyAnswer | Self::UnknownArticle | Self::Word(_) => {
                Vec::new()
            }
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::EmptyAnswer => at("/text", "must be given when there is no article_id"),
            Self::UnknownArticle => at("/article_id", "must be an article of the handbook in a version that exists"),
            Self::Word(fault) => fault.field(),
            Self::NoSuchInquiry | Self::AlreadyAsked | Self::NotNow { .. } => None,
        }
    }
}

impl Refuses for visit::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchVisit => NO_SUCH_VISIT,
            Self::AlreadyArrived => VISIT_ARRIVED,
            Self::UnknownEstate => UNKNOWN_ESTATE,
            Self::UnknownResident => UNKNOWN_RESIDENT,
            Self::NotNow { .. } => VISIT_NOT_NOW,
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        match self {
            Self::NotNow { allowed } => allowed.clone(),
            Self::NoSuchVisit | Self::AlreadyArrived | Self::UnknownEstate | Self::UnknownResident => Vec::new(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::UnknownEstate => at("/estate_id", "must be an estate of the register that you may see"),
            Self::UnknownResident => at("/resident_id", "must be a resident of the register in one of your estates"),
            Self::NoSuchVisit | Self::AlreadyArrived | Self::NotNow { .. } => None,
        }
    }
}
