//! Every route of the service.

pub mod dto;
pub mod metrics;
pub mod permission;
pub mod suggestions;
pub mod surveys;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// All routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
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
        .routes(routes!(surveys::list_surveys))
        .routes(routes!(surveys::get_survey))
        .routes(routes!(surveys::answer_survey))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(metrics::get_definitions))
}
