//! Every route of the service.

pub mod dto;
pub mod metrics;
pub mod permission;
pub mod suggestions;
pub mod surveys;

use steward_chassis::http::{Group, Routes};
use utoipa_axum::routes;

use crate::app::App;

/// The groups of operations, in the order in which a reader needs them.
pub const GROUPS: &[Group] = &[
    Group {
        name: "suggestions",
        about: "What owners think could be better. Each is considered, decided with a reason that is told, and carried out with proof.",
    },
    Group {
        name: "surveys",
        about: "Owners are asked how it went when a matter is over. One rating or a comment is enough.",
    },
    Group {
        name: "metrics",
        about: "Figures of an estate or the company for a period. Each has a definition that says what is counted.",
    },
];

/// All routes.
pub fn routes() -> Routes<App> {
    Routes::new()
        .routes(routes!(suggestions::list_suggestions))
        .routes(routes!(metrics::summarise_suggestions))
        .routes(routes!(suggestions::get_suggestion))
        .routes(routes!(suggestions::consider_suggestion))
        .routes(routes!(suggestions::accept_suggestion))
        .routes(routes!(suggestions::decline_suggestion))
        .routes(routes!(suggestions::defer_suggestion))
        .routes(routes!(suggestions::plan_suggestion))
        .routes(routes!(suggestions::deliver_suggestion))
        .routes(routes!(suggestions::confirm_suggestion))
        .routes(routes!(suggestions::reopen_suggestion))
        .routes(routes!(surveys::list_surveys))
        .routes(routes!(surveys::get_survey))
        .routes(routes!(surveys::answer_survey))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(metrics::get_definitions))
}
