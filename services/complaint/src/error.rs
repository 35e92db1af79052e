//! Refusals as problems: slug, status, titles.

use steward_kernel::{ProblemKind, Refuses};

use crate::domain::Refusal;

const NO_SUCH_COMPLAINT: ProblemKind =
    ProblemKind::not_found("complaint/no-such-complaint", "There is no such complaint");
const ILLEGAL_MOVE: ProblemKind =
    ProblemKind::conflict("complaint/illegal-move", "The stage of the complaint does not allow this");
const CONSULTATIONS_OPEN: ProblemKind =
    ProblemKind::conflict("complaint/consultations-open", "A department that was asked has not answered yet");
const CONSULTATION_ALREADY_ANSWERED: ProblemKind =
    ProblemKind::conflict("complaint/consultation-already-answered", "The department has already answered otherwise");
const ALREADY_ACKNOWLEDGED: ProblemKind =
    ProblemKind::conflict("complaint/already-acknowledged", "The complaint has been taken up already");
const ASSESSED_BY_ANOTHER: ProblemKind =
    ProblemKind::conflict("complaint/assessed-by-another", "Somebody else has assessed the complaint");
const PLANNED_BY_ANOTHER: ProblemKind =
    ProblemKind::conflict("complaint/planned-by-another", "Somebody else has made a plan and told the owner");
const REMEDIES_OPEN: ProblemKind =
    ProblemKind::conflict("complaint/remedies-open", "Work for the complaint is not done yet");
const WRONG_NUMBER: ProblemKind =
    ProblemKind::unprocessable("complaint/wrong-number", "A list has too few or too many entries");
const UNKNOWN_CATEGORY: ProblemKind =
    ProblemKind::unprocessable("complaint/unknown-category", "There is no such category");
const NO_SUCH_POINT: ProblemKind =
    ProblemKind::unprocessable("complaint/no-such-point", "The complaint has no such point");
const POINT_TWICE: ProblemKind = ProblemKind::unprocessable("complaint/point-twice", "A point has two outcomes");
const POINT_UNDECIDED: ProblemKind = ProblemKind::unprocessable("complaint/point-undecided", "A point has no outcome");
const NO_SUCH_CONSULTATION: ProblemKind =
    ProblemKind::unprocessable("complaint/no-such-consultation", "The complaint has no such consultation");
const NO_SUCH_COMMITMENT: ProblemKind =
    ProblemKind::unprocessable("complaint/no-such-commitment", "The complaint has no such commitment");
const COMMITMENT_PAST: ProblemKind =
    ProblemKind::unprocessable("complaint/commitment-past", "A commitment is due on a day that is over");
const COMMITMENT_TOO_FAR: ProblemKind =
    ProblemKind::unprocessable("complaint/commitment-too-far", "A commitment is due within two years");
const NO_SUCH_REMEDY: ProblemKind =
    ProblemKind::unprocessable("complaint/no-such-remedy", "The complaint has no such remedy or work order");

const UNKNOWN_DEPARTMENT: ProblemKind = ProblemKind::unprocessable(
    "complaint/unknown-department",
    "There is no such department, or it does not serve the estate",
);
const UNKNOWN_SKILL: ProblemKind =
    ProblemKind::unprocessable("complaint/unknown-skill", "Nobody in the department has that skill");

/// Every problem of this service with its titles in zh-Hans and zh-Hant.
pub const PROBLEMS: &[(ProblemKind, [&str; 2])] = &[
    (NO_SUCH_COMPLAINT, ["没有这件投诉", "沒有這件投訴"]),
    (ILLEGAL_MOVE, ["投诉目前所处阶段不允许此操作", "投訴目前所處階段不允許此操作"]),
    (CONSULTATIONS_OPEN, ["还有被征询的部门没有答复", "還有被徵詢的部門沒有答覆"]),
    (CONSULTATION_ALREADY_ANSWERED, ["该部门已有不同的答复", "該部門已有不同的答覆"]),
    (ALREADY_ACKNOWLEDGED, ["投诉已有人受理", "投訴已有人受理"]),
    (ASSESSED_BY_ANOTHER, ["其他同事已核实分类此投诉", "其他同事已核實分類此投訴"]),
    (PLANNED_BY_ANOTHER, ["其他同事已制定方案并告知业主", "其他同事已制定方案並告知業主"]),
    (REMEDIES_OPEN, ["投诉的整改工作尚未完成", "投訴的整改工作尚未完成"]),
    (WRONG_NUMBER, ["列表的条目过少或过多", "列表的條目過少或過多"]),
    (UNKNOWN_CATEGORY, ["没有这个类别", "沒有這個類別"]),
    (NO_SUCH_POINT, ["投诉没有这一诉求点", "投訴沒有這一訴求點"]),
    (POINT_TWICE, ["同一诉求点有两个结论", "同一訴求點有兩個結論"]),
    (POINT_UNDECIDED, ["有诉求点尚无结论", "有訴求點尚無結論"]),
    (NO_SUCH_CONSULTATION, ["投诉没有这次征询", "投訴沒有這次徵詢"]),
    (NO_SUCH_COMMITMENT, ["投诉没有这项承诺", "投訴沒有這項承諾"]),
    (COMMITMENT_PAST, ["承诺的日期已过", "承諾的日期已過"]),
    (COMMITMENT_TOO_FAR, ["承诺的日期须在两年以内", "承諾的日期須在兩年以內"]),
    (UNKNOWN_DEPARTMENT, ["没有这个部门，或其不服务该小区", "沒有這個部門，或其不服務該小區"]),
    (UNKNOWN_SKILL, ["该部门没有人具备此技能", "該部門沒有人具備此技能"]),
    (NO_SUCH_REMEDY, ["投诉没有这项整改或工单", "投訴沒有這項整改或工單"]),
];

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchComplaint => NO_SUCH_COMPLAINT,
            Self::IllegalMove { .. } => ILLEGAL_MOVE,
            Self::ConsultationsOpen { .. } => CONSULTATIONS_OPEN,
            Self::ConsultationAlreadyAnswered { .. } => CONSULTATION_ALREADY_ANSWERED,
            Self::AlreadyAcknowledged { .. } => ALREADY_ACKNOWLEDGED,
            Self::AssessedByAnother { .. } => ASSESSED_BY_ANOTHER,
            Self::PlannedByAnother { .. } => PLANNED_BY_ANOTHER,
            Self::RemediesOpen { .. } => REMEDIES_OPEN,
            Self::WrongNumber { .. } => WRONG_NUMBER,
            Self::UnknownCategory => UNKNOWN_CATEGORY,
            Self::NoSuchPoint { .. } => NO_SUCH_POINT,
            Self::PointTwice { .. } => POINT_TWICE,
            Self::PointUndecided => POINT_UNDECIDED,
            Self::NoSuchConsultation => NO_SUCH_CONSULTATION,
            Self::NoSuchCommitment => NO_SUCH_COMMITMENT,
            Self::CommitmentPast { .. } => COMMITMENT_PAST,
            Self::CommitmentTooFar { .. } => COMMITMENT_TOO_FAR,
            Self::NoSuchRemedy => NO_SUCH_REMEDY,
            Self::UnknownDepartment { .. } => UNKNOWN_DEPARTMENT,
            Self::UnknownSkill { .. } => UNKNOWN_SKILL,
            Self::Word(fault) => fault.problem(),
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        match self {
            Self::IllegalMove { allowed }
            | Self::ConsultationsOpen { allowed }
            | Self::ConsultationAlreadyAnswered { allowed }
            | Self::AlreadyAcknowledged { allowed }
            | Self::AssessedByAnother { allowed }
            | Self::PlannedByAnother { allowed }
            | Self::RemediesOpen { allowed } => allowed.clone(),
            Self::NoSuchComplaint
            | Self::WrongNumber { .. }
            | Self::UnknownCategory
            | Self::NoSuchPoint { .. }
            | Self::PointTwice { .. }
            | Self::PointUndecided
            | Self::NoSuchConsultation
            | Self::NoSuchCommitment
            | Self::CommitmentPast { .. }
            | Self::CommitmentTooFar { .. }
            | Self::NoSuchRemedy
            | Self::UnknownDepartment { .. }
            | Self::UnknownSkill { .. }
            | Self::Word(_) => Vec::new(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        let field = |pointer: String, remedy: &str| Some((pointer, remedy.to_owned()));
        match self {
            Self::NoSuchComplaint
            | Self::IllegalMove { .. }
            | Self::ConsultationsOpen { .. }
            | Self::ConsultationAlreadyAnswered { .. }
            | Self::RemediesOpen { .. }
            | Self::NoSuchRemedy => None,
            Self::AlreadyAcknowledged { .. } => field(
                "/note".to_owned(),
                "it would be lost: read the complaint, and say what is new to the owner with a plan or await-owner",
            ),
            Self::AssessedByAnother { .. } => field(
                "/points".to_owned(),
                "would replace theirs: read the complaint, and send its version as If-Match",
            ),
            Self::PlannedByAnother { .. } => {
                field("/text".to_owned(), "would replace theirs: read the complaint, and send its version as If-Match")
            }
            Self::Word(fault) => fault.field(),
            Self::WrongNumber { pointer, min, max } => {
                field((*pointer).to_owned(), &format!("must have {min} to {max} entries"))
            }
            Self::UnknownDepartment { known } => {
                field("/department".to_owned(), &format!("must be one of: {}", known.join(", ")))
            }
            Self::UnknownSkill { known } => {
                field("/skill".to_owned(), &format!("must be one of: {}; or leave it out", known.join(", ")))
            }
            Self::UnknownCategory => field("/category".to_owned(), "take a code of GET /v1/complaint-categories"),
            Self::NoSuchPoint { index } => field(format!("/points/{index}/point_id"), "take a point of this complaint"),
            Self::PointTwice { index } => field(format!("/points/{index}/point_id"), "give each point one outcome"),
            Self::PointUndecided => field("/points".to_owned(), "give every point an outcome"),
            Self::NoSuchConsultation => field("/consultation_id".to_owned(), "take a consultation of this complaint"),
            Self::NoSuchCommitment => field("/commitment_id".to_owned(), "take a commitment of this complaint"),
            Self::CommitmentTooFar { index } => {
                field(format!("/commitments/{index}/due_on"), "must be at most two years ahead")
            }
            Self::CommitmentPast { index } => field(format!("/commitments/{index}/due_on"), "must be today or later"),
        }
    }
}
