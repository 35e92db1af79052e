//! The table of contents of the API.

pub mod absences;
pub mod articles;
pub mod calendars;
pub mod case_dto;
pub mod cases;
pub mod clock_dto;
pub mod clock_policies;
pub mod clock_policy_dto;
pub mod clocks;
pub mod desk_checks;
pub mod dto;
pub mod estates;
pub mod files;
pub mod holidays;
pub mod inquiries;
pub mod inquiry_dto;
pub mod permission;
pub mod policy_preview;
pub mod posts;
pub mod promise_dto;
pub mod promises;
pub mod residents;
mod sheets;
pub mod staff;
pub mod visit_dto;
pub mod visits;

use steward_chassis::http::body_limit;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{app::App, domain::file};

/// Every route of intake.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(register())
        .merge(stewardship())
        .merge(rules())
        .routes(routes!(cases::open_case, cases::list_cases))
        .routes(routes!(cases::get_case))
        .routes(routes!(cases::get_case_timeline))
        .routes(routes!(cases::cancel_case))
        .routes(routes!(inquiries::list_inquiries))
        .routes(routes!(inquiries::get_inquiry))
        .routes(routes!(inquiries::answer_inquiry))
        .routes(routes!(inquiries::follow_up_inquiry))
        .routes(routes!(inquiries::close_inquiry))
        .routes(routes!(inquiries::reopen_inquiry))
        .routes(routes!(visits::open_visit, visits::list_visits))
        .routes(routes!(visits::get_visit))
        .routes(routes!(visits::call_visit))
        .routes(routes!(visits::serve_visit))
        .routes(routes!(visits::finish_visit))
        .routes(routes!(visits::leave_visit))
}

/// Clocks, who answers for a case, promises and escalations.
fn stewardship() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cases::prioritise_case))
        .routes(routes!(cases::hand_over_case))
        .routes(routes!(cases::accept_case))
        .routes(routes!(cases::refuse_case))
        .routes(routes!(clocks::list_clocks))
        .routes(routes!(clocks::summarise_clocks))
        .routes(routes!(clocks::get_clock))
        .routes(routes!(clocks::explain_clock))
        .routes(routes!(clocks::contest_pause))
        .routes(routes!(clocks::decide_objection))
        .routes(routes!(clocks::extend_deadline))
        .routes(routes!(clocks::rebase_clocks))
        .routes(routes!(promises::list_promises))
        .routes(routes!(promises::summarise_promises))
        .routes(routes!(promises::make_promise))
        .routes(routes!(promises::keep_promise))
        .routes(routes!(promises::move_promise))
        .routes(routes!(promises::list_escalations))
        .routes(routes!(promises::acknowledge_escalation))
}

/// What decides about time and responsibility: calendars, policies, posts, absences.
fn rules() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(calendars::create_calendar, calendars::list_calendars))
        .routes(routes!(calendars::get_calendar))
        .routes(routes!(calendars::revise_calendar))
        .routes(routes!(calendars::list_calendar_days))
        .routes(routes!(holidays::load_public_holidays, holidays::list_public_holidays))
        .routes(routes!(clock_policies::publish_clock_policy, clock_policies::list_clock_policies))
        .routes(routes!(policy_preview::preview_clock_policy))
        .routes(routes!(clock_policies::get_effective_clock_policy))
        .routes(routes!(clock_policies::get_clock_policy))
        .routes(routes!(posts::appoint_post, posts::list_posts))
        .routes(routes!(posts::get_post))
        .routes(routes!(posts::vacate_post))
        .routes(routes!(absences::record_absence, absences::list_absences))
        .routes(routes!(absences::get_absence))
        .routes(routes!(absences::end_absence))
}

/// The register, the handbook, desk checks and files.
fn register() -> OpenApiRouter<App> {
    let sheet = body_limit(sheets::MAX_BYTES);
    OpenApiRouter::new()
        .routes(routes!(estates::import_estates).layer(sheet))
        .routes(routes!(estates::list_estates))
        .routes(routes!(estates::get_estate))
        .routes(routes!(estates::list_units))
        .routes(routes!(residents::import_residents).layer(sheet))
        .routes(routes!(residents::list_residents))
        .routes(routes!(residents::get_resident))
        .routes(routes!(staff::import_staff).layer(sheet))
        .routes(routes!(staff::list_staff))
        .routes(routes!(articles::import_articles).layer(sheet))
        .routes(routes!(articles::write_article, articles::list_articles))
        .routes(routes!(articles::revise_article))
        .routes(routes!(articles::get_article))
        .routes(routes!(desk_checks::record_desk_check, desk_checks::list_desk_checks))
        .routes(routes!(desk_checks::get_desk_check))
        .routes(routes!(files::store_file).layer(body_limit(file::MAX_BYTES)))
        .routes(routes!(files::get_file))
        .routes(routes!(files::get_file_content))
}
