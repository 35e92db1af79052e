//! The table of contents of the API.

pub mod articles;
pub mod case_dto;
pub mod cases;
pub mod desk_checks;
pub mod dto;
pub mod estates;
pub mod files;
pub mod inquiries;
pub mod inquiry_dto;
pub mod permission;
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
