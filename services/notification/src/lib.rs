//! Messages about milestones in owners' inboxes, their texts, preferences, notices on the bulletin board, and alerts for
//! the company's people, told in digests. Owns schema `notification` and stream `NOTIFICATION`.

pub mod app;
pub mod config;
pub mod consume;
pub mod digests;
pub mod domain;
pub mod error;
pub mod http;
pub mod notices;
pub mod preferences;
pub mod publish;
pub mod store;
pub mod timers;

use sqlx::migrate::Migrator;
use steward_chassis::{
    Core, Service,
    http::{Group, Routes},
    inbox::Consumer,
    timers::Timer,
};
use steward_kernel::{ProblemKind, Role};

use crate::{app::App, config::Config};

static MIGRATOR: Migrator = sqlx::migrate!();

/// The service.
#[derive(Debug, Clone, Copy)]
pub struct Notification;

impl Service for Notification {
    const NAME: &'static str = "notification";
    const ABOUT: &'static str = "Messages to owners about the milestones of their cases, notices on the bulletin boards of estates, and digests of \
         what the company's people should look at.";
    const DEFAULTS: &'static str = include_str!("../config.default.toml");
    const GROUPS: &'static [Group] = http::GROUPS;
    const RECORDED: &'static str = include_str!("../operations.golden.json");
    type Config = Config;
    type App = App;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    fn routes() -> Routes<App> {
        http::routes()
    }

    fn permissions() -> &'static [(&'static str, &'static [Role])] {
        http::permission::ALL
    }

    fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
        error::problems()
    }

    fn consumers() -> Vec<Consumer<App>> {
        consume::all()
    }

    fn timers() -> Vec<Timer<App>> {
        timers::all()
    }

    fn build(core: Core, config: Config) -> anyhow::Result<App> {
        App::new(core, &config)
    }
}
