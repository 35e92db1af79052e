//! The table of contents of the API.

mod dto;
mod orders;
pub mod permission;
mod requests;
mod roster;
mod views;

use steward_chassis::http::{Group, Routes, body_limit};
use utoipa_axum::{router::UtoipaMethodRouterExt as _, routes};

use crate::app::App;

/// The groups of operations, in the order in which a reader needs them.
pub const GROUPS: &[Group] = &[
    Group {
        name: "service requests",
        about: "Something is to be done for an owner: details, appointment, and the owner's word on the result. Its stage follows its work orders.",
    },
    Group {
        name: "work orders",
        about: "One piece of work for one team, with proof. It is assigned, taken, carried out, and found good or done again.",
    },
    Group {
        name: "roster",
        about: "Departments, technicians and their shifts, imported as files. Candidates for work orders are found among them.",
    },
];

/// Largest register file, in bytes.
const IMPORT_BYTES: usize = 8 << 20;

/// All routes.
pub(crate) fn routes() -> Routes<App> {
    let file = || body_limit(IMPORT_BYTES);
    Routes::new()
        .routes(routes!(requests::list_service_requests))
        .routes(routes!(requests::get_service_request))
        .routes(routes!(requests::confirm_service_request))
        .routes(routes!(requests::appoint_service_request))
        .routes(routes!(requests::request_service_request_info))
        .routes(routes!(requests::provide_service_request_info))
        .routes(routes!(requests::decline_service_request))
        .routes(routes!(requests::cancel_service_request))
        .routes(routes!(requests::verify_service_request))
        .routes(routes!(orders::open_work_order, orders::list_work_orders))
        .routes(routes!(orders::get_work_order))
        .routes(routes!(orders::list_candidates))
        .routes(routes!(orders::assign_work_order))
        .routes(routes!(orders::accept_work_order))
        .routes(routes!(orders::return_work_order))
        .routes(routes!(orders::transfer_work_order))
        .routes(routes!(orders::change_skill_of_work_order))
        .routes(routes!(orders::depart_for_work_order))
        .routes(routes!(orders::arrive_at_work_order))
        .routes(routes!(orders::make_work_order_safe))
        .routes(routes!(orders::start_work_order))
        .routes(routes!(orders::hold_work_order))
        .routes(routes!(orders::resume_work_order))
        .routes(routes!(orders::complete_work_order))
        .routes(routes!(orders::verify_work_order))
        .routes(routes!(orders::cancel_work_order))
        .routes(routes!(roster::list_departments))
        .routes(routes!(roster::import_departments).layer(file()))
        .routes(routes!(roster::list_technicians))
        .routes(routes!(roster::get_technician))
        .routes(routes!(roster::import_technicians).layer(file()))
        .routes(routes!(roster::list_shifts))
        .routes(routes!(roster::import_shifts).layer(file()))
}
