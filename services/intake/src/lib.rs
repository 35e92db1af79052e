//! The register, the desk, contacts, cases and inquiries. Owns schema `intake` and stream `INTAKE`.

pub mod app;
pub mod config;
mod consume;
mod desk;
pub mod domain;
mod error;
pub mod http;
pub mod import;
pub mod places;
mod publish;
pub mod rules;
mod stewardship;
pub mod store;
mod timers;

use sqlx::migrate::Migrator;
use steward_chassis::{
    Core, Service,
    figures::Figure,
    http::{Group, Routes},
    inbox::Consumer,
    kernel::{ProblemKind, Role},
    timers::Timer,
};

use crate::{app::App, config::Config};

/// The service.
#[derive(Debug)]
pub struct Intake;

static MIGRATOR: Migrator = sqlx::migrate!();

impl Service for Intake {
    const NAME: &'static str = "intake";
    const ABOUT: &'static str = "The register, the desk, what owners say, and where each case stands.";
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

    fn figures() -> &'static [Figure] {
        store::stewardship::FIGURES
    }

    fn build(core: Core, config: Config) -> anyhow::Result<App> {
        Ok(App::new(core, config))
    }
}
