//! The table of contents of the API.

pub mod catalogue;
pub mod digests;
pub mod dto;
pub mod messages;
pub mod notices;
pub mod permission;
pub mod preferences;

use steward_chassis::http::{Group, Routes};
use utoipa_axum::routes;

use crate::app::App;

/// The groups of operations, in the order in which a reader needs them.
pub const GROUPS: &[Group] = &[
    Group {
        name: "messages",
        about: "What owners are told about their cases, in their inbox. What is in it can be read and marked as read.",
    },
    Group {
        name: "notices",
        about: "What hangs on the boards of estates. Somebody writes a notice and somebody else approves it.",
    },
    Group {
        name: "digests",
        about: "What the company's people should look at, in one message instead of many. The alerts behind it are listed as they stand now.",
    },
    Group {
        name: "preferences",
        about: "By which channels and in which language a resident wants to hear. What the law asks for is sent anyway.",
    },
    Group {
        name: "templates",
        about: "The texts of messages in all languages. They belong to the product and are read here.",
    },
    Group {
        name: "channels",
        about: "The ways by which messages leave, and what each can carry. They are set by the operator and read here.",
    },
];

/// Every route of this service.
#[must_use]
pub fn routes() -> Routes<App> {
    Routes::new()
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
