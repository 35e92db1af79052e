//! Service requests, work orders, departments, technicians and shifts. Owns schema `dispatch` and stream `DISPATCH`.

pub mod app;
pub mod config;
mod consume;
pub mod domain;
mod error;
mod flow;
pub mod http;
mod imports;
mod publish;
mod store;
mod timers;

use sqlx::migrate::Migrator;
use steward_chassis::{
    Core, Service,
    http::{Group, Routes},
    inbox::Consumer,
    kernel::{ProblemKind, Role},
    timers::Timer,
};

use crate::{app::App, config::Config};

/// The service.
#[derive(Debug)]
pub struct Dispatch;

static MIGRATOR: Migrator = sqlx::migrate!();

impl Service for Dispatch {
    const NAME: &'static str = "dispatch";
    const ABOUT: &'static str = "Service requests and work orders: who does what, where and when, with proof.";
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
        Ok(App { core, config })
    }
}
