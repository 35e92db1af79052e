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

use steward_chassis::http::{Group, Routes, body_limit};
use utoipa_axum::{router::UtoipaMethodRouterExt as _, routes};

use crate::{app::App, domain::file};

/// The groups of operations, in the order in which a reader needs them.
pub const GROUPS: &[Group] = &[
    Group {
        name: "cases",
        about: "A case is one matter of an owner, of any kind, from the first words to the confirmed end. Begin here: open a case, read how it stands and what has happened, hand it over or call it off.",
    },
    Group {
        name: "inquiries",
        about: "A question and its answer. It is answered by the handbook, followed up when it is important, and closed or asked again.",
    },
    Group {
        name: "visits",
        about: "Somebody has come to the desk. They are called, served and let go, and the cases that came up are found by the visit.",
    },
    Group {
        name: "promises",
        about: "Times that were given to owners. Each is kept, broken or moved, and counted for the team that owes it.",
    },
    Group {
        name: "clocks",
        about: "What is measured of a case, against which target, and why it stands where it stands. Deadlines are put off and pauses contested here.",
    },
    Group {
        name: "escalations",
        about: "Matters that stand higher up because nobody has them, they came back, or their time runs out. Whoever acknowledges one takes it in hand.",
    },
    Group {
        name: "articles",
        about: "The handbook by which inquiries are answered, in versions that come into force on a day. An answer names the version it cites.",
    },
    Group {
        name: "files",
        about: "Photos and documents, stored before whatever names them. Each can be seen by its owner and by the staff of its estates.",
    },
    Group {
        name: "desk checks",
        about: "Whether a desk was ready in the morning: tidy, staffed, with forms at hand. One check for each estate and day.",
    },
    Group {
        name: "estates",
        about: "The places: estates, their buildings and units. They come from the company's register as files and are read here.",
    },
    Group {
        name: "residents",
        about: "Who lives where, in which role, and how to reach them. They come from the company's register as files and are read here.",
    },
    Group {
        name: "staff",
        about: "Who works for the company, where and as what. Their accounts are the subjects of access tokens.",
    },
    Group {
        name: "calendars",
        about: "When an estate, a department or the company is open, and which days are holidays. Clocks count by these hours.",
    },
    Group {
        name: "clock policies",
        about: "What is owed and when: targets, pauses, extensions and ladders. They apply to the company, a region or an estate, from a version on.",
    },
    Group {
        name: "posts",
        about: "Who holds which post of the ladder, and who is away and covered by whom. Escalations and hand-overs go by them.",
    },
];

/// Every route of intake.
pub fn routes() -> Routes<App> {
    Routes::new()
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
        .merge(stewardship())
        .merge(register())
        .merge(rules())
}

/// Clocks, who answers for a case, promises and escalations.
fn stewardship() -> Routes<App> {
    Routes::new()
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
fn rules() -> Routes<App> {
    Routes::new()
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
fn register() -> Routes<App> {
    let sheet = body_limit(sheets::MAX_BYTES);
    Routes::new()
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
