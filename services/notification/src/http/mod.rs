//! The table of contents of the API.

pub mod catalogue;
pub mod digests;
pub mod dto;
pub mod messages;
pub mod notices;
pub mod permission;
pub mod preferences;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Every route of this service.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(messages::list_messages))
        .routes(routes!(messages::get_message))
        .routes(routes!(messages::read_message))
        .routes(routes!(notices::list_notices, notices::write_notice))
        .routes(routes!(notices::get_notice))
        .routes(routes!(notices::submit_notice))
        .routes(routes!(notices::approve_notice))
        .routes(routes!(notices::publish_notice))
        .routes(routes!(notices::recall_notice))
        .routes(routes!(preferences::get_preference, preferences::set_preference))
        .routes(routes!(digests::list_digests))
        .routes(routes!(digests::get_digest))
        .routes(routes!(digests::read_digest))
        .routes(routes!(digests::list_alerts))
        .routes(routes!(catalogue::list_templates))
        .routes(routes!(catalogue::list_channels))
}
