//! Suggestions, sent and shown.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Version, era,
    ids::{CaseId, EstateId, ResidentId, UnitId},
    reference::search_key,
    text::Words,
    vocabulary::{Language, Priority},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        Facts, Remark,
        suggestion::{self, SuggestionStage},
    },
    store::{Listed, suggestions},
};

/// Which suggestions to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestionFilter {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// In this stage.
    pub stage: Option<SuggestionStage>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this resident.
    pub resident_id: Option<ResidentId>,
    /// About this unit.
    pub unit_id: Option<UnitId>,
    /// With this reference, in any spelling (small letters, full width, without hyphens), or only its last part.
    pub reference: Option<String>,
}

impl From<SuggestionFilter> for suggestions::Filter {
    fn from(filter: SuggestionFilter) -> Self {
        let SuggestionFilter { estate_id, stage, category, resident_id, unit_id, reference } = filter;
        Self { estate_id, stage, category, resident_id, unit_id, reference: reference.as_deref().map(search_key) }
    }
}

/// Looking into a suggestion.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "问过工程部，电容量够"}))]
pub struct ConsiderSuggestion {
    /// For colleagues.
    pub note: Option<Remark>,
}

/// A decision with its reason.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "非机动车棚位置够，本季度增设两组充电桩"}))]
pub struct ReasonedDecision {
    /// Why; told to the proposer.
    pub reason: Remark,
}

/// What will be done.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "3 号楼东侧车棚安装两组十路充电桩", "by_on": "2030-12-31"}))]
pub struct PlanSuggestion {
    /// In words.
    pub text: Words,
    /// The day by which it will be there, if that is promised; not in the past.
    #[serde(default, deserialize_with = "era::read")]
    pub by_on: Option<NaiveDate>,
}

/// That it is there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"proof": "3 号楼东侧车棚，已通电，照片见公告栏"}))]
pub struct DeliverSuggestion {
    /// What shows it.
    pub proof: Remark,
}

/// Nothing more is needed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ConfirmSuggestion {}

/// Why this is not the end.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "充电桩装在了别的小区，我们这里还没有。"}))]
pub struct ReopenSuggestion {
    /// Why.
    pub reason: Remark,
}

/// A suggestion.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SuggestionView {
    /// The case, which is the suggestion.
    pub case_id: CaseId,
    /// What people quote.
    #[schema(example = "G-261123-7K3QD4")]
    pub reference: String,
    /// Where it stands.
    pub stage: SuggestionStage,
    /// The commands that are legal now.
    #[schema(example = json!(["accept", "decline", "later"]))]
    pub allowed: &'static [&'static str],
    /// What it is about: code of the taxonomy.
    #[schema(example = "ev.charging")]
    pub category: String,
    /// How urgent.
    pub priority: Priority,
    /// Whether the owner wishes that it is looked at soon; the priority says how urgent it is.
    pub urgent: bool,
    /// What the owner said, verbatim.
    pub words: Words,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its unit, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<UnitId>,
    /// Whose it is, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_id: Option<ResidentId>,
    /// The case it follows from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_case_id: Option<CaseId>,
    /// The language to answer in.
    pub language: Language,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Note of who looks into it; staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Remark>,
    /// Reason of the decision that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
    /// When that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// What will be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<SuggestionPlan>,
    /// What shows that it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Remark>,
    /// When it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime<Utc>>,
    /// When its proposer confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version, for If-Match.
    #[schema(value_type = i32, example = 3)]
    pub version: Version,
}

/// What will be done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SuggestionPlan {
    /// In words.
    pub text: Words,
    /// The day by which it will be there, if that is promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_on: Option<NaiveDate>,
}

impl SuggestionView {
    /// A suggestion as it is shown to who asks; notes for colleagues are not for owners.
    #[must_use]
    pub fn new(
        case_id: CaseId,
        version: Version,
        updated_at: DateTime<Utc>,
        life: suggestion::Life,
        facts: &Facts,
    ) -> Self {
        let allowed = life.allowed(facts);
        let suggestion::Life {
            received,
            stage,
            note,
            reason,
            decided_at,
            plan,
            proof,
            delivered_at,
            confirmed_at,
            withdrawn_at: _,
            came_back_at: _,
        } = life;
        Self {
            case_id,
            reference: received.reference,
            stage,
            allowed,
            category: received.category,
            priority: received.priority,
            urgent: received.urgent,
            words: received.words,
            estate_id: received.estate_id,
            unit_id: received.unit_id,
            resident_id: received.resident_id,
            linked_case_id: received.linked_case_id,
            language: received.language,
            received_at: received.received_at,
            note: note.filter(|_| !facts.actor.is_only_owner()),
            reason,
            decided_at,
            plan: plan.map(|plan| SuggestionPlan { text: plan.text, by_on: plan.by_on }),
            proof,
            delivered_at,
            confirmed_at,
            updated_at,
            version,
        }
    }
}

/// The summary of an estate's suggestions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SummaryView {
    /// The estate.
    pub estate_id: EstateId,
    /// First day.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
    /// Suggestions that came in the period.
    #[schema(example = 7)]
    pub total: u64,
    /// The same, by stage now.
    #[schema(value_type = BTreeMap<SuggestionStage, u64>)]
    pub by_stage: BTreeMap<String, u64>,
    /// The same, by category.
    pub by_category: BTreeMap<String, u64>,
    /// What was accepted in the period, newest decision first; at most 20.
    pub items: Vec<AcceptedSuggestion>,
}

/// A suggestion that was accepted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AcceptedSuggestion {
    /// The case, which is the suggestion.
    pub case_id: CaseId,
    /// What people quote.
    #[schema(example = "G-261123-7K3QD4")]
    pub reference: String,
    /// What it is about: code of the taxonomy.
    #[schema(example = "ev.charging")]
    pub category: String,
    /// Where it stands.
    pub stage: SuggestionStage,
    /// Why it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Remark>,
    /// When it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

impl From<Listed<suggestion::Life>> for AcceptedSuggestion {
    fn from(listed: Listed<suggestion::Life>) -> Self {
        let suggestion::Life { received, stage, reason, decided_at, .. } = listed.life;
        let (reference, category) = (received.reference, received.category);
        Self { case_id: listed.id.into(), reference, category, stage, reason, decided_at }
    }
}
