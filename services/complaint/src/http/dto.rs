//! What comes in: filters and bodies.

use chrono::NaiveDate;
use serde::Deserialize;
use steward_kernel::{
    call_back::CallResult,
    era,
    ids::{EstateId, ResidentId, UnitId},
    reference::search_key,
    text::{Line, Words},
    vocabulary::{Channel, Priority},
    word::TakenDown,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    domain::{
        Code, Command, CommitmentId, ComplaintStage, ConsultationId, NewCommitment, NewPoint, NewRemedy, Outcome,
        PointId, PointOutcome, Severity,
    },
    store::Filter,
};

/// What to list; what is left out means any.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ComplaintFilter {
    /// In this estate.
    pub estate_id: Option<EstateId>,
    /// In this stage.
    pub stage: Option<ComplaintStage>,
    /// Of this category: code of the taxonomy.
    pub category: Option<String>,
    /// As grave as this.
    pub severity: Option<Severity>,
    /// As urgent as this.
    pub priority: Option<Priority>,
    /// Of this resident.
    pub resident_id: Option<ResidentId>,
    /// About this unit.
    pub unit_id: Option<UnitId>,
    /// With this reference, in any spelling (small letters, full width, without hyphens), or only its last part.
    pub reference: Option<String>,
}

impl From<ComplaintFilter> for Filter {
    fn from(filter: ComplaintFilter) -> Self {
        let ComplaintFilter { estate_id, stage, category, severity, priority, resident_id, unit_id, reference } =
            filter;
        let reference = reference.as_deref().map(search_key);
        Self { estate_id, stage, category, severity, priority, resident_id, unit_id, reference }
    }
}

/// A person takes the complaint up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeComplaint {
    /// What was said to the owner.
    #[schema(example = "我是您的管家，这件事由我负责到底。")]
    pub note: Option<Words>,
}

/// What it is about, how grave it is, and its points.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessComplaint {
    /// Code of the taxonomy; left out, it stays what it is.
    #[schema(example = "noise.neighbour")]
    pub category: Option<String>,
    /// How grave.
    pub severity: Severity,
    /// Its points.
    #[schema(min_items = 1, max_items = 20)]
    pub points: Vec<AssessPoint>,
}

/// One point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessPoint {
    /// What the owner complains of.
    #[schema(example = "楼上深夜拖动桌椅、跑跳")]
    pub text: Words,
}

/// A question to a department.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultDepartment {
    /// Code of the department.
    #[schema(example = "security")]
    pub department: Code,
    /// The question.
    #[schema(example = "最近一周该楼层深夜巡逻有没有记录到响动？")]
    pub question: Words,
}

/// A department's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerConsultation {
    /// The question it answers.
    pub consultation_id: ConsultationId,
    /// The answer.
    #[schema(example = "有三次记录，时间都在零点前后。")]
    pub answer: Words,
}

/// What is going to be done, as the owner was told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanComplaint {
    /// The plan.
    #[schema(example = "管家和秩序主管一起上门沟通，两周内夜班每晚两次到该层巡听。")]
    pub text: Words,
    /// Codes of the departments that take part.
    #[schema(max_items = 20)]
    pub departments: Vec<Code>,
    /// How the owner was told.
    pub told_owner_via: Channel,
}

/// What is needed from the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitOwnerOfComplaint {
    /// What is needed.
    #[schema(example = "请业主提供漏水部位的照片")]
    pub reason: Words,
}

/// Nothing more to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeComplaint {}

/// An outcome for every point, and what is promised besides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideComplaint {
    /// One outcome for every point.
    pub points: Vec<DecidePoint>,
    /// Promises; they live on after the decision.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub commitments: Vec<DecideCommitment>,
}

/// The outcome of one point.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecidePoint {
    /// The point.
    pub point_id: PointId,
    /// What was found.
    pub outcome: Outcome,
    /// Why.
    #[schema(example = "连续三晚在您家听到明显响动，楼上住户也承认了。")]
    pub reason: Words,
}

/// One promise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideCommitment {
    /// What is promised.
    #[schema(example = "两周后再到您家回访一次")]
    pub text: Words,
    /// Until which day, in the estate's time zone; today or later.
    #[serde(deserialize_with = "era::read")]
    pub due_on: NaiveDate,
}

/// Work that the complaint needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRemedy {
    /// Code of the department.
    #[schema(example = "engineering")]
    pub department: Code,
    /// The skill it takes; left out = any.
    #[schema(example = "水电")]
    pub skill: Option<Code>,
    /// What is to be done.
    #[schema(example = "整段更换厨房下水管及接头，清理现场后请业主看")]
    pub summary: Words,
}

/// Which commitment was kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepCommitment {
    /// The commitment.
    pub commitment_id: CommitmentId,
}

/// What came of a call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpComplaint {
    /// Whether the owner was reached. Calls on three days that reach nobody end the call-back.
    pub result: CallResult,
    /// What was said; 1 to 200 characters.
    #[schema(example = "业主表示这几晚安静了")]
    pub note: Option<Line>,
}

/// The owner's word on the result.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmComplaint {
    /// Whether it is solved.
    pub satisfied: bool,
    /// What the owner says.
    #[schema(example = "这几天总算睡着了")]
    pub comment: Option<Words>,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// Why the owner takes it back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawComplaint {
    /// Why.
    #[schema(example = "已经和楼上谈好了")]
    pub reason: Words,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

impl AssessComplaint {
    /// As a command; points get their ids.
    pub fn into_command(self, app: &App) -> Command {
        let points = self.points.into_iter().map(|point| NewPoint { point_id: app.new_id(), text: point.text });
        Command::Assess { category: self.category, severity: self.severity, points: points.collect() }
    }
}

impl DecideComplaint {
    /// As a command; commitments get their ids.
    pub fn into_command(self, app: &App) -> Command {
        let outcomes = self.points.into_iter().map(|point| {
            let DecidePoint { point_id, outcome, reason } = point;
            PointOutcome { point_id, outcome, reason }
        });
        let commitments = self.commitments.into_iter().map(|commit| {
            let DecideCommitment { text, due_on } = commit;
            NewCommitment { commitment_id: app.new_id(), text, due_on }
        });
        Command::Decide { outcomes: outcomes.collect(), commitments: commitments.collect() }
    }
}

impl OrderRemedy {
    /// As a command; the remedy gets its id.
    pub fn into_command(self, app: &App) -> Command {
        let Self { department, skill, summary } = self;
        Command::Remedy(NewRemedy { remedy_id: app.new_id(), department, skill, summary })
    }
}
