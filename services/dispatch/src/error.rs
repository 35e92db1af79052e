//! Refusals of the domain as problems, and their titles.

use steward_kernel::{ProblemKind, Refuses, word};

use crate::domain::{appointment::Misdated, import, order, request, told};

const NO_SUCH_REQUEST: ProblemKind =
    ProblemKind::not_found("dispatch/no-such-service-request", "There is no such service request");
const ALREADY_RECEIVED: ProblemKind =
    ProblemKind::conflict("dispatch/already-received", "The service request came before");
const REQUEST_ILLEGAL: ProblemKind =
    ProblemKind::conflict("dispatch/service-request-stage", "Not in this stage of the service request");
const OTHER_DETAILS: ProblemKind =
    ProblemKind::conflict("dispatch/other-details", "Other details were confirmed; read them first (If-Match)");
const APPOINTMENT_BACKWARDS: ProblemKind =
    ProblemKind::unprocessable("dispatch/appointment-backwards", "The appointment ends before it starts");
const APPOINTMENT_PAST: ProblemKind =
    ProblemKind::unprocessable("dispatch/appointment-past", "An appointment lies ahead");
const APPOINTMENT_TOO_FAR: ProblemKind =
    ProblemKind::unprocessable("dispatch/appointment-too-far", "An appointment lies within 60 days");
const APPOINTMENT_TOO_LONG: ProblemKind =
    ProblemKind::unprocessable("dispatch/appointment-too-long", "An appointment spans one day at most");
const NO_SUCH_ORDER: ProblemKind = ProblemKind::not_found("dispatch/no-such-work-order", "There is no such work order");
const ALREADY_OPENED: ProblemKind =
    ProblemKind::conflict("dispatch/already-opened", "The work order was opened before");
const NOT_YOURS: ProblemKind = ProblemKind::forbidden("dispatch/not-yours", "Another technician has this work order");
const ORDER_ILLEGAL: ProblemKind =
    ProblemKind::conflict("dispatch/work-order-status", "Not in this status of the work order");
const ASSIGNED_TO_ANOTHER: ProblemKind =
    ProblemKind::conflict("dispatch/assigned-to-another", "Another technician has been given the work order");
const UNKNOWN_TECHNICIAN: ProblemKind =
    ProblemKind::unprocessable("dispatch/unknown-technician", "There is no such technician");
const SKILL_MISSING: ProblemKind =
    ProblemKind::unprocessable("dispatch/skill-missing", "The technician does not have the skill that the work takes");
const ESTATE_NOT_SERVED: ProblemKind =
    ProblemKind::unprocessable("dispatch/estate-not-served", "The technician does not serve this estate");
const NO_PROOF: ProblemKind =
    ProblemKind::unprocessable("dispatch/no-proof", "Finished work needs a photo or document as proof");
const TOO_MUCH_PROOF: ProblemKind =
    ProblemKind::unprocessable("dispatch/too-much-proof", "At most 20 photos or documents");
const PROOF_OF_ANOTHER: ProblemKind =
    ProblemKind::unprocessable("dispatch/proof-of-another", "Somebody else has stored this photo or document");
const PROOF_AWAITED: ProblemKind =
    ProblemKind::conflict("dispatch/proof-awaited", "A photo or document that proves the work has not arrived");
const UNKNOWN_CASE: ProblemKind = ProblemKind::unprocessable(
    "dispatch/unknown-case",
    "No service request or remedy of a complaint is known for this case",
);
const COMPLAINT_OVER: ProblemKind = ProblemKind::conflict("dispatch/complaint-over", "The complaint has ended");
const TRANSFERRED_TO_ANOTHER: ProblemKind =
    ProblemKind::conflict("dispatch/transferred-to-another", "Another department has been given the work order");
const SAME_DEPARTMENT: ProblemKind =
    ProblemKind::unprocessable("dispatch/same-department", "This department has the work order already");
const UNKNOWN_DEPARTMENT: ProblemKind =
    ProblemKind::unprocessable("dispatch/unknown-department", "No such department serves this estate");
const ALREADY_IMPORTED: ProblemKind =
    ProblemKind::conflict("dispatch/already-imported", "The file was imported before");

/// What a department has to be.
const SERVING: &str = "must be the code of a department that serves the estate";

/// All problems of this service with their titles in zh-Hans and zh-Hant.
#[must_use]
pub(crate) fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
    let own = vec![
        (NO_SUCH_REQUEST, ["没有这个服务请求", "沒有這個服務請求"]),
        (ALREADY_RECEIVED, ["该服务请求此前已收到", "該服務請求先前已收到"]),
        (REQUEST_ILLEGAL, ["服务请求当前阶段不允许此操作", "服務請求目前階段不允許此操作"]),
        (OTHER_DETAILS, ["已确认过其他内容，请先阅读（If-Match）", "已確認過其他內容，請先閱讀（If-Match）"]),
        (APPOINTMENT_BACKWARDS, ["预约结束时间早于开始时间", "預約結束時間早於開始時間"]),
        (APPOINTMENT_PAST, ["预约须在将来", "預約須在將來"]),
        (APPOINTMENT_TOO_FAR, ["预约须在60天以内", "預約須在60天以內"]),
        (APPOINTMENT_TOO_LONG, ["预约时段最长一天", "預約時段最長一天"]),
        (NO_SUCH_ORDER, ["没有这个工单", "沒有這個工單"]),
        (ALREADY_OPENED, ["该工单此前已开立", "該工單先前已開立"]),
        (NOT_YOURS, ["该工单由其他维修人员负责", "該工單由其他維修人員負責"]),
        (ORDER_ILLEGAL, ["工单当前状态不允许此操作", "工單目前狀態不允許此操作"]),
        (ASSIGNED_TO_ANOTHER, ["该工单已派给另一位维修人员", "該工單已派給另一位維修人員"]),
        (UNKNOWN_TECHNICIAN, ["没有这位维修人员", "沒有這位維修人員"]),
        (SKILL_MISSING, ["该维修人员不具备所需技能", "該維修人員不具備所需技能"]),
        (ESTATE_NOT_SERVED, ["该维修人员不负责此小区", "該維修人員不負責此小區"]),
        (NO_PROOF, ["完工须附照片或文件", "完工須附照片或文件"]),
        (TOO_MUCH_PROOF, ["照片或文件最多20个", "照片或文件最多20個"]),
        (PROOF_OF_ANOTHER, ["该照片或文件由他人上传", "該照片或文件由他人上傳"]),
        (PROOF_AWAITED, ["完工照片或文件尚未上传", "完工照片或文件尚未上傳"]),
        (UNKNOWN_CASE, ["没有与该事项对应的服务请求或投诉整改", "沒有與該事項對應的服務請求或投訴整改"]),
        (COMPLAINT_OVER, ["该投诉已结束", "該投訴已結束"]),
        (UNKNOWN_DEPARTMENT, ["没有负责此小区的该部门", "沒有負責此小區的該部門"]),
        (TRANSFERRED_TO_ANOTHER, ["该工单已转给另一个部门", "該工單已轉給另一個部門"]),
        (SAME_DEPARTMENT, ["该工单已在此部门", "該工單已在此部門"]),
        (ALREADY_IMPORTED, ["该文件此前已导入", "該檔案先前已匯入"]),
    ];
    [own, word::PROBLEMS.to_vec()].concat()
}

impl Refuses for request::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchRequest => NO_SUCH_REQUEST,
            Self::AlreadyReceived => ALREADY_RECEIVED,
            Self::Illegal { .. } => REQUEST_ILLEGAL,
            Self::OtherDetails => OTHER_DETAILS,
            Self::Misdated(Misdated::Backwards) => APPOINTMENT_BACKWARDS,
            Self::Misdated(Misdated::Past) => APPOINTMENT_PAST,
            Self::Misdated(Misdated::TooFar) => APPOINTMENT_TOO_FAR,
            Self::Misdated(Misdated::TooLong) => APPOINTMENT_TOO_LONG,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        if let Self::Illegal { allowed } = self { allowed.clone() } else { Vec::new() }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::Misdated(fault) => {
                let (pointer, remedy) = match fault {
                    Misdated::Backwards => ("/appointment/to", "must be after /appointment/from"),
                    Misdated::Past => ("/appointment/from", "must not be over"),
                    Misdated::TooFar => ("/appointment/to", "must lie within 60 days"),
                    Misdated::TooLong => ("/appointment/to", "must be at most one day after /appointment/from"),
                };
                Some((pointer.to_owned(), remedy.to_owned()))
            }
            Self::Word(fault) => fault.field(),
            Self::OtherDetails => {
                let remedy = "read the service request, and send the version that you have read as If-Match";
                Some(("/details".to_owned(), remedy.to_owned()))
            }
            Self::NoSuchRequest | Self::AlreadyReceived | Self::Illegal { .. } => None,
        }
    }
}

impl Refuses for order::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchOrder => NO_SUCH_ORDER,
            Self::AlreadyOpened => ALREADY_OPENED,
            Self::NotYours => NOT_YOURS,
            Self::Illegal { .. } => ORDER_ILLEGAL,
            Self::AssignedToAnother => ASSIGNED_TO_ANOTHER,
            Self::UnknownTechnician => UNKNOWN_TECHNICIAN,
            Self::SkillMissing => SKILL_MISSING,
            Self::EstateNotServed => ESTATE_NOT_SERVED,
            Self::UnknownDepartment => UNKNOWN_DEPARTMENT,
            Self::TransferredToAnother => TRANSFERRED_TO_ANOTHER,
            Self::SameDepartment => SAME_DEPARTMENT,
            Self::NoProof => NO_PROOF,
            Self::TooMuchProof => TOO_MUCH_PROOF,
            Self::ProofOfAnother(_) => PROOF_OF_ANOTHER,
            Self::ProofAwaited => PROOF_AWAITED,
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        if let Self::Illegal { allowed } = self { allowed.clone() } else { Vec::new() }
    }

    fn field(&self) -> Option<(String, String)> {
        if let Self::ProofOfAnother(place) = self {
            return Some((format!("/file_ids/{place}"), "must be a file that you have stored".to_owned()));
        }
        let (pointer, remedy) = match self {
            Self::AssignedToAnother => {
                ("/instead_of", "must be the technician who has it now, or If-Match must be the version that was read")
            }
            Self::UnknownTechnician => ("/technician_id", "choose one of the work order's candidates"),
            Self::SkillMissing => ("/technician_id", "choose somebody who has the skill"),
            Self::EstateNotServed => ("/technician_id", "choose somebody who serves the estate"),
            Self::UnknownDepartment => ("/department", SERVING),
            Self::TransferredToAnother => {
                ("/instead_of", "must be the department that has it now, or If-Match must be the version that was read")
            }
            Self::SameDepartment => ("/department", "must be another department than the one that has it"),
            Self::NoProof => ("/file_ids", "must have at least 1 item"),
            Self::TooMuchProof => ("/file_ids", "must have at most 20 items"),
            Self::NoSuchOrder
            | Self::AlreadyOpened
            | Self::NotYours
            | Self::ProofOfAnother(_)
            | Self::ProofAwaited
            | Self::Illegal { .. } => return None,
        };
        Some((pointer.to_owned(), remedy.to_owned()))
    }
}

impl Refuses for import::Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::AlreadyImported => ALREADY_IMPORTED,
        }
    }
}

/// What is wrong with a new work order, as seen from outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// Nothing is known of the case, or it is not for the caller to see.
    UnknownCase,
    /// No such department serves the estate.
    UnknownDepartment,
    /// The complaint has ended, and its owner has not come back on it.
    ComplaintOver,
}

impl Refuses for Misdirected {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::UnknownCase => UNKNOWN_CASE,
            Self::UnknownDepartment => UNKNOWN_DEPARTMENT,
            Self::ComplaintOver => COMPLAINT_OVER,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        let (pointer, remedy) = match self {
            Self::UnknownCase => ("/case_id", "must be a service request, or a complaint with a remedy"),
            Self::UnknownDepartment => ("/department", SERVING),
            Self::ComplaintOver => (
                "/case_id",
                "its owner comes back on it with POST /v1/complaints/{case_id}/confirm and satisfied false; then work can be ordered",
            ),
        };
        Some((pointer.to_owned(), remedy.to_owned()))
    }
}

impl Refuses for told::Refusal {
    fn problem(&self) -> ProblemKind {
        match *self {}
    }
}
