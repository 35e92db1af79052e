//! What is sent and what comes back.

mod metrics;
mod suggestions;
mod surveys;

pub use metrics::{DefinitionView, DefinitionsView, MetricsView, PeriodQuery};
pub use suggestions::{
    AcceptedSuggestion, ConfirmSuggestion, ConsiderSuggestion, DeliverSuggestion, PlanSuggestion, ReasonedDecision,
    ReopenSuggestion, SuggestionFilter, SuggestionPlan, SuggestionView, SummaryView,
};
pub use surveys::{AnswerSurvey, SurveyFilter, SurveyQuestion, SurveyView};
