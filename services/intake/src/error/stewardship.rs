//! Refusals of stewardships as problems.

use steward_kernel::{ProblemKind, Refuses};

use super::at;
use crate::domain::stewardship::Refusal;

const NO_SUCH_CASE: ProblemKind = super::NO_SUCH_CASE;
const BEGUN: ProblemKind = super::CASE_OPEN;
const ENDED: ProblemKind = super::CASE_ENDED;
const NO_SUCH_CLOCK: ProblemKind = ProblemKind::not_found("intake/no-such-clock", "There is no such clock");
const NO_SUCH_ESCALATION: ProblemKind =
    ProblemKind::not_found("intake/no-such-escalation", "There is no such escalation");
const NO_SUCH_PROMISE: ProblemKind = ProblemKind::not_found("intake/no-such-promise", "There is no such promise");
const NO_SUCH_PAUSE: ProblemKind =
    ProblemKind::unprocessable("intake/no-such-pause", "The clock has no such pause or objection");
const NOT_ACCOUNTABLE: ProblemKind =
    ProblemKind::forbidden("intake/not-accountable", "Only who answers for the case, or a lead, can hand it over");
const HAND_OVER_PENDING: ProblemKind =
    ProblemKind::conflict("intake/hand-over-pending", "Somebody else was asked and has not answered yet");
const ALREADY_ACCOUNTABLE: ProblemKind =
    ProblemKind::unprocessable("intake/already-accountable", "Whoever is asked answers for the case already");
const NO_HAND_OVER: ProblemKind =
    ProblemKind::conflict("intake/no-hand-over", "Nobody is asked to take the case over, or not any more");
const NOT_ASKED: ProblemKind =
    ProblemKind::forbidden("intake/not-asked", "Somebody else was asked to take the case over");
pub(super) const UNKNOWN_ACCOUNT: ProblemKind =
    ProblemKind::unprocessable("intake/unknown-account", "The register knows nobody there with this account");
const NOT_TOLD: ProblemKind = ProblemKind::forbidden("intake/not-told", "Somebody else was told of the escalation");
const CLOCK_STOPPED: ProblemKind = ProblemKind::conflict("intake/clock-stopped", "The clock has stopped");
const TOO_LATE: ProblemKind =
    ProblemKind::conflict("intake/too-late-to-extend", "A deadline can be put off only before it is over");
const NO_EXTENSION: ProblemKind =
    ProblemKind::conflict("intake/no-extension-left", "The policy does not allow to put this deadline off once more");
const OUT_OF_BOUNDS: ProblemKind =
    ProblemKind::unprocessable("intake/date-out-of-bounds", "The date is too early or too far off");
const CONTESTED: ProblemKind =
    ProblemKind::conflict("intake/already-contested", "The pause was objected to, or decided on, before");
const OWN_MATTER: ProblemKind =
    ProblemKind::forbidden("intake/own-matter", "A lead who does not answer for the case decides on objections");
const APPOINTMENT_OF_REQUEST: ProblemKind = ProblemKind::conflict(
    "intake/appointment-of-request",
    "The appointment of a service request is moved by POST /v1/service-requests/{case_id}/appoint",
);
const DATE_OF_CLOCK: ProblemKind = ProblemKind::conflict(
    "intake/date-of-clock",
    "A date to which a deadline was put off is moved by POST /v1/clocks/{clock_id}/extend",
);
const PROMISE_OVER: ProblemKind =
    ProblemKind::conflict("intake/promise-over", "The promise was kept, broken or moved before");
const KEPT_BY_WHAT_HAPPENS: ProblemKind = ProblemKind::conflict(
    "intake/kept-by-what-happens",
    "An appointment is kept by arriving in its window, a commitment with keep-commitment, a date that was put off by its deadline",
);

/// Titles in zh-Hans and zh-Hant.
pub(super) const TITLES: &[(ProblemKind, [&str; 2])] = &[
    (NO_SUCH_CLOCK, ["没有这个计时", "沒有這個計時"]),
    (NO_SUCH_ESCALATION, ["没有这次升级", "沒有這次升級"]),
    (NO_SUCH_PROMISE, ["没有这个承诺", "沒有這個承諾"]),
    (NO_SUCH_PAUSE, ["该计时没有这次暂停或异议", "該計時沒有這次暫停或異議"]),
    (NOT_ACCOUNTABLE, ["只有首问责任人或主管可以移交", "只有首問責任人或主管可以移交"]),
    (HAND_OVER_PENDING, ["已请他人接手，尚未答复", "已請他人接手，尚未答覆"]),
    (ALREADY_ACCOUNTABLE, ["该人已是首问责任人", "該人已是首問責任人"]),
    (NO_HAND_OVER, ["目前没有待接手的移交", "目前沒有待接手的移交"]),
    (NOT_ASKED, ["请求接手的是其他人", "請求接手的是其他人"]),
    (UNKNOWN_ACCOUNT, ["登记簿中没有服务该小区的这个账号", "登記簿中沒有服務該小區的這個帳號"]),
    (NOT_TOLD, ["这次升级通知的是其他人", "這次升級通知的是其他人"]),
    (CLOCK_STOPPED, ["计时已经停止", "計時已經停止"]),
    (TOO_LATE, ["只能在到期之前延期", "只能在到期之前延期"]),
    (NO_EXTENSION, ["规则不允许再次延期", "規則不允許再次延期"]),
    (OUT_OF_BOUNDS, ["日期过早或过远", "日期過早或過遠"]),
    (CONTESTED, ["该暂停已提出过异议或已裁定", "該暫停已提出過異議或已裁定"]),
    (OWN_MATTER, ["异议须由不负责该事项的主管裁定", "異議須由不負責該事項的主管裁定"]),
    (
        APPOINTMENT_OF_REQUEST,
        [
            "上门预约请用 /v1/service-requests/{case_id}/appoint 更改",
            "上門預約請用 /v1/service-requests/{case_id}/appoint 更改",
        ],
    ),
    (
        DATE_OF_CLOCK,
        ["延期的日期请用 /v1/clocks/{clock_id}/extend 更改", "延期的日期請用 /v1/clocks/{clock_id}/extend 更改"],
    ),
    (PROMISE_OVER, ["承诺已兑现、失约或改期", "承諾已兌現、失約或改期"]),
    (
        KEPT_BY_WHAT_HAPPENS,
        [
            "预约以在约定时段内到场为兑现，整改承诺请用 keep-commitment，延期的日期以其时限为准",
            "預約以在約定時段內到場為兌現，整改承諾請用 keep-commitment，延期的日期以其時限為準",
        ],
    ),
];

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchCase => NO_SUCH_CASE,
            Self::AlreadyBegun => BEGUN,
            Self::Ended => ENDED,
            Self::NoSuchClock => NO_SUCH_CLOCK,
            Self::NoSuchEscalation => NO_SUCH_ESCALATION,
            Self::NoSuchPromise => NO_SUCH_PROMISE,
            Self::NoSuchPause | Self::NoSuchObjection => NO_SUCH_PAUSE,
            Self::NotAccountable => NOT_ACCOUNTABLE,
            Self::HandOverPending => HAND_OVER_PENDING,
            Self::AlreadyAccountable => ALREADY_ACCOUNTABLE,
            Self::NoHandOver => NO_HAND_OVER,
            Self::NotAsked => NOT_ASKED,
            Self::UnknownAccount => UNKNOWN_ACCOUNT,
            Self::NotTold => NOT_TOLD,
            Self::ClockStopped => CLOCK_STOPPED,
            Self::TooLateToExtend => TOO_LATE,
            Self::NoExtensionLeft => NO_EXTENSION,
            Self::ExtensionOutOfBounds | Self::PromiseOutOfBounds => OUT_OF_BOUNDS,
            Self::AlreadyContested => CONTESTED,
            Self::OwnMatter => OWN_MATTER,
            Self::PromiseOver => PROMISE_OVER,
            Self::KeptByWhatHappens => KEPT_BY_WHAT_HAPPENS,
            Self::AppointmentOfRequest => APPOINTMENT_OF_REQUEST,
            Self::DateOfClock => DATE_OF_CLOCK,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::Word(fault) => fault.field(),
            Self::NoSuchPause => at("/pause_id", "must be a pause of this clock"),
            Self::NoSuchObjection => at("/objection_id", "must be an objection to a pause of this clock"),
            Self::UnknownAccount => {
                at("/account", "must be the account of somebody of the staff register who serves the estate")
            }
            Self::AlreadyAccountable => at("/account", "must be somebody else than who answers for the case now"),
            Self::ExtensionOutOfBounds => {
                at("/until", "must be after the date that stands, within what the policy allows")
            }
            Self::PromiseOutOfBounds => at("/due_at", "must be later than now and at most two years ahead"),
            _ => None,
        }
    }
}
