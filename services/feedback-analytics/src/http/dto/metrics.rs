//! Figures and their dictionary, as they are shown.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use steward_kernel::{ids::EstateId, vocabulary::Language};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{dictionary::Definition, metrics::Figures};

/// An estate and days in its time zone.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeriodQuery {
    /// The estate.
    pub estate_id: EstateId,
    /// First day; 29 days before `to` when not given.
    pub from: Option<NaiveDate>,
    /// Last day, included; today when not given.
    pub to: Option<NaiveDate>,
}

/// The figures of an estate.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricsView {
    /// The estate.
    pub estate_id: EstateId,
    /// First day.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
    /// Version of the dictionary that defines these figures.
    #[schema(example = 2)]
    pub definitions_version: u32,
    /// Fewest answers, cases, deadlines or promises for which a score or share is shown.
    #[schema(example = 5)]
    pub minimum_answers: u64,
    /// What to know when reading them, in the language asked for: that something is not shown, and why.
    pub notes: Vec<&'static str>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The dictionary of figures.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DefinitionsView {
    /// Its version.
    #[schema(example = 2)]
    pub version: u32,
    /// The language of its texts.
    pub language: Language,
    /// Fewest answers, cases, deadlines or promises for which a score or share is shown.
    #[schema(example = 5)]
    pub minimum_answers: u64,
    /// All figures.
    pub items: Vec<DefinitionView>,
}

/// What a figure means.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DefinitionView {
    /// Its place in the answer of `GET /v1/metrics`.
    #[schema(example = "satisfaction.satisfied_share")]
    pub id: &'static str,
    /// Its version.
    #[schema(example = 1)]
    pub version: u32,
    /// What people call it.
    #[schema(example = "结果满意率")]
    pub name: &'static str,
    /// How it is calculated.
    #[schema(example = "4 分及以上的份数 ÷ 答复份数")]
    pub formula: &'static str,
    /// Of what.
    #[schema(example = "本期发出的调查中已答复的；不足 5 份不显示")]
    pub population: &'static str,
    /// Which time is measured, or by which time something belongs to a period.
    #[schema(example = "按发出调查之日计入(小区当地日期)")]
    pub clock: &'static str,
}

impl DefinitionView {
    /// A definition in that language.
    #[must_use]
    pub fn new(definition: &Definition, language: Language) -> Self {
        let Definition { id, name, formula, population, clock, version } = definition;
        Self {
            id,
            version: *version,
            name: name.in_language(language),
            formula: formula.in_language(language),
            population: population.in_language(language),
            clock: clock.in_language(language),
        }
    }
}
