//! Refusals of calendars, policies, posts and absences as problems.

use steward_kernel::{ProblemKind, Refuses};

use super::{at, stewardship::UNKNOWN_ACCOUNT};
use crate::domain::rulebook::Refusal;

const NO_SUCH_CALENDAR: ProblemKind = ProblemKind::not_found("intake/no-such-calendar", "There is no such calendar");
const CODE_TAKEN: ProblemKind = ProblemKind::conflict("intake/calendar-code-taken", "Another calendar has this code");
const TOO_EARLY: ProblemKind =
    ProblemKind::unprocessable("intake/valid-too-early", "A version holds from now on at the earliest");
const TOO_LATE: ProblemKind =
    ProblemKind::unprocessable("intake/valid-too-late", "A version is planned at most two years ahead");
/// As the platform says it where `If-Match` is always required.
const NOT_READ: ProblemKind =
    ProblemKind { slug: "precondition-required", status: 428, title: "Say which version you have read (If-Match)" };
const NO_SUCH_POLICY: ProblemKind = ProblemKind::not_found("intake/no-such-policy", "There is no such clock policy");
const NOT_YOUR_SCOPE: ProblemKind =
    ProblemKind::forbidden("intake/not-your-scope", "You may set this for your own estates only");
const NO_SUCH_POST: ProblemKind = ProblemKind::not_found("intake/no-such-post", "There is no such post");
const NO_SUCH_ABSENCE: ProblemKind = ProblemKind::not_found("intake/no-such-absence", "There is no such absence");
const COVERS_THEMSELVES: ProblemKind =
    ProblemKind::unprocessable("intake/covers-themselves", "Nobody can cover for themselves");
const OUT_OF_BOUNDS: ProblemKind = ProblemKind::unprocessable(
    "intake/absence-out-of-bounds",
    "An absence lasts at most a year and ends later than now",
);
const AWAY_ALREADY: ProblemKind =
    ProblemKind::conflict("intake/away-already", "The same person is away at that time already");
const NOT_YOURS: ProblemKind =
    ProblemKind::forbidden("intake/not-your-absence", "Only leads write down that somebody else is away");

/// Titles in zh-Hans and zh-Hant.
pub(super) const TITLES: &[(ProblemKind, [&str; 2])] = &[
    (NO_SUCH_CALENDAR, ["没有这个日历", "沒有這個日曆"]),
    (CODE_TAKEN, ["已有使用此编码的日历", "已有使用此編碼的日曆"]),
    (TOO_EARLY, ["新版本最早从现在起生效", "新版本最早從現在起生效"]),
    (TOO_LATE, ["新版本最多提前两年安排", "新版本最多提前兩年安排"]),
    (NO_SUCH_POLICY, ["没有这个时限规则", "沒有這個時限規則"]),
    (NOT_YOUR_SCOPE, ["只能为您自己的小区设置", "只能為您自己的小區設置"]),
    (NO_SUCH_POST, ["没有这个岗位", "沒有這個崗位"]),
    (NO_SUCH_ABSENCE, ["没有这次缺勤", "沒有這次缺勤"]),
    (COVERS_THEMSELVES, ["不能由本人代班", "不能由本人代班"]),
    (OUT_OF_BOUNDS, ["缺勤最长一年，且须晚于现在结束", "缺勤最長一年，且須晚於現在結束"]),
    (AWAY_ALREADY, ["该人在此期间已登记缺勤", "該人在此期間已登記缺勤"]),
    (NOT_YOURS, ["只有主管可以登记他人的缺勤", "只有主管可以登記他人的缺勤"]),
];

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchCalendar => NO_SUCH_CALENDAR,
            Self::CodeTaken => CODE_TAKEN,
            Self::ValidTooEarly => TOO_EARLY,
            Self::ValidTooLate => TOO_LATE,
            Self::NotRead => NOT_READ,
            Self::NoSuchPolicy => NO_SUCH_POLICY,
            Self::NotYourScope => NOT_YOUR_SCOPE,
            Self::NoSuchPost => NO_SUCH_POST,
            Self::NoSuchAbsence => NO_SUCH_ABSENCE,
            Self::UnknownAccount | Self::UnknownCover => UNKNOWN_ACCOUNT,
            Self::CoversThemselves => COVERS_THEMSELVES,
            Self::AbsenceOutOfBounds => OUT_OF_BOUNDS,
            Self::AwayAlready => AWAY_ALREADY,
            Self::NotYourAbsence => NOT_YOURS,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::ValidTooEarly => at("/valid_from", "must not be in the past, nor before the version before it"),
            Self::ValidTooLate => at("/valid_from", "must be within two years"),
            Self::CodeTaken => at("/code", "must be one that no calendar has; or revise that calendar"),
            Self::UnknownAccount => at("/account", "must be an account of the staff register that works there"),
            Self::UnknownCover => {
                at("/cover_account", "must be an account of the staff register that works where they do")
            }
            Self::CoversThemselves => at("/cover_account", "must be somebody else"),
            Self::AbsenceOutOfBounds => at("/to", "must be after from and after now, at most a year later"),
            Self::NoSuchCalendar
            | Self::NotRead
            | Self::NoSuchPolicy
            | Self::NotYourScope
            | Self::NoSuchPost
            | Self::NoSuchAbsence
            | Self::AwayAlready
            | Self::NotYourAbsence => None,
        }
    }
}
