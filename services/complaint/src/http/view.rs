//! What goes out: a complaint as it is now, and the categories.

use chrono::{DateTime, Utc};
use serde::Serialize;
use steward_chassis::{Error, Executed, Result, http::Versioned};
use steward_kernel::{
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Words,
    vocabulary::{CaseKind, Category, Language, Priority, taxonomy},
    word::WordNote,
};
use utoipa::ToSchema;

use crate::domain::{
    Commitment, Complaint, ComplaintStage, Confirmation, Consultation, Facts, Matter, Plan, Point, Refusal, Remedy,
    RemedyId, Severity, WorkOrderProgress,
};

/// A complaint.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintView {
    /// The case, the same in every service.
    pub case_id: CaseId,
    /// What people quote.
    #[schema(example = "C-261123-7K3QD4")]
    pub reference: String,
    /// Where it stands.
    pub stage: ComplaintStage,
    /// Code of the taxonomy.
    #[schema(example = "noise.neighbour")]
    pub category: String,
    /// How grave; absent before the assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// How urgent.
    pub priority: Priority,
    /// What the owner said, verbatim.
    #[schema(example = "楼上天天半夜一点钟还在拖凳子、蹦蹦跳跳")]
    pub words: Words,
    /// The language to answer in.
    pub language: Language,
    /// The estate.
    pub estate_id: EstateId,
    /// The unit, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<UnitId>,
    /// Whose matter it is, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_id: Option<ResidentId>,
    /// The case it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_case_id: Option<CaseId>,
    /// Whether the owner wishes that it is looked at soon; the priority says how urgent it is.
    pub urgent: bool,
    /// The unit from which the trouble comes, if another one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_unit_id: Option<UnitId>,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
    /// When a person took it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Its points; empty before the assessment.
    pub points: Vec<Point>,
    /// Which departments were asked, oldest first. Owners see none: what colleagues say to each other is not for them.
    pub consultations: Vec<Consultation>,
    /// The plan that the owner was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What the owner is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<Words>,
    /// When it was decided last; the outcomes stand with the points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// What was promised, oldest first.
    pub commitments: Vec<Commitment>,
    /// What work was ordered, oldest first.
    pub remedies: Vec<Remedy>,
    /// The work orders of all remedies.
    pub work_orders: Vec<RemedyOrder>,
    /// Calls that reached nobody, since the last decision.
    pub missed_calls: i32,
    /// Days of the estate on which such calls reached nobody; the third ends the call-back.
    pub missed_days: i32,
    /// On how many more days the owner is to be called until somebody is reached; 0 when no call-back is owed.
    pub days_owed: i32,
    /// The owner's last word on the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Why it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_because: Option<Words>,
    /// How staff took down the word to withdraw it; absent when the owner gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal_taken_down: Option<WordNote>,
    /// The commands that the caller may ask for now, as in the path.
    #[schema(example = json!(["assess", "consult", "plan"]))]
    pub allowed: Vec<&'static str>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: i32,
}

/// A work order with the remedy it belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemedyOrder {
    /// The work order.
    pub work_order_id: WorkOrderId,
    /// The remedy.
    pub remedy_id: RemedyId,
    /// What people quote.
    #[schema(example = "W-261123-7K3QD4")]
    pub reference: String,
    /// How far it is.
    pub progress: WorkOrderProgress,
}

/// The answer with a complaint, as the actor may see it.
///
/// # Errors
/// As for a complaint that does not exist, when it is not for the actor to see.
pub fn answer(executed: Executed<Complaint>, facts: &Facts) -> Result<Versioned<ComplaintView>> {
    let actor = &facts.actor;
    let Executed { state, version, changed_at, replayed } = executed;
    match state {
        Complaint::Born(matter) if actor.sees(matter.receipt.estate_id, matter.receipt.resident_id) => {
            let view = ComplaintView::new(*matter, facts, changed_at, version.get());
            Ok(Versioned::ok(view, version).replayed(replayed))
        }
        Complaint::Born(_) | Complaint::Unborn(_) => Err(Error::refused(&Refusal::NoSuchComplaint)),
    }
}

impl ComplaintView {
    fn new(matter: Matter, facts: &Facts, updated_at: DateTime<Utc>, version: i32) -> Self {
        let (allowed, actor) = (matter.allowed(facts), &facts.actor);
        let Matter { case_id, receipt, stage, category, priority, severity, acknowledged_at, points, .. } = matter;
        let work_orders = matter.remedies.iter().flat_map(orders_of).collect();
        Self {
            case_id,
            reference: receipt.reference,
            stage,
            category,
            severity,
            priority,
            words: receipt.words,
            language: receipt.language,
            estate_id: receipt.estate_id,
            unit_id: receipt.unit_id,
            resident_id: receipt.resident_id,
            linked_case_id: receipt.linked_case_id,
            urgent: receipt.urgent,
            source_unit_id: receipt.source_unit_id,
            opened_at: receipt.opened_at,
            acknowledged_at,
            points,
            consultations: if actor.is_only_owner() { Vec::new() } else { matter.consultations },
            plan: matter.plan,
            awaiting: matter.waiting.map(|waiting| waiting.reason),
            decided_at: matter.decided_at,
            commitments: matter.commitments,
            remedies: matter.remedies,
            work_orders,
            missed_calls: number(matter.calls.missed()),
            missed_days: number(matter.calls.missed_days()),
            days_owed: if matter.call_back_owed { number(matter.calls.days_owed()) } else { 0 },
            confirmation: matter.confirmation.map(|word| word.shown_to(actor)),
            withdrawn_because: matter.withdrawn_because,
            withdrawal_taken_down: matter.withdrawal_taken_down.map(|note| note.shown_to(actor)),
            allowed,
            updated_at,
            version,
        }
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn orders_of(remedy: &Remedy) -> impl Iterator<Item = RemedyOrder> {
    remedy.work_orders.iter().map(|order| RemedyOrder {
        work_order_id: order.work_order_id,
        remedy_id: remedy.remedy_id,
        reference: order.reference.clone(),
        progress: order.progress,
    })
}

/// What a complaint is usually about.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryList {
    /// The categories.
    pub items: Vec<CategoryView>,
}

/// One category.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryView {
    /// Its name in the language asked for.
    #[schema(example = "邻里噪音")]
    pub name: String,
    /// The entry of the taxonomy.
    #[serde(flatten)]
    pub category: Category,
}

impl CategoryList {
    /// The categories whose usual kind is a complaint.
    pub fn of_complaints(language: Language) -> Self {
        let categories = taxonomy().iter().filter(|category| category.usual_kind == CaseKind::Complaint).cloned();
        let items = categories.map(|category| CategoryView {
            name: match language {
                // The taxonomy has no names in traditional characters yet.
                Language::ZhHans | Language::ZhHant => category.zh_hans.clone(),
                Language::En => category.en.clone(),
            },
            category,
        });
        Self { items: items.collect() }
    }
}
