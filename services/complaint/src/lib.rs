//! Complaints (投訴): from receipt over points, consultation, plan, decision and remedies to the owner's confirmation.
//!
//! Owns schema `complaint` and stream `COMPLAINT`. The story is in [`domain`].

pub mod app;
pub mod config;
pub mod consume;
pub mod domain;
pub mod error;
pub mod http;
pub mod publish;
pub mod store;

use sqlx::migrate::Migrator;
use steward_chassis::{
    Core,
    http::{Group, Routes},
    inbox::Consumer,
    kernel::{ProblemKind, Role, word},
    timers::Timer,
};

use crate::{app::App, config::Config};

static MIGRATOR: Migrator = sqlx::migrate!();

/// The complaint service.
#[derive(Debug, Clone, Copy)]
pub struct Complaint;

impl steward_chassis::Service for Complaint {
    const NAME: &'static str = "complaint";
    const ABOUT: &'static str = "Complaints from receipt to the owner's confirmation: points, consultations, plans, \
                                 decisions, remedies and commitments.";
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
        [error::PROBLEMS, word::PROBLEMS].concat()
    }

    fn consumers() -> Vec<Consumer<App>> {
        consume::all()
    }

    fn timers() -> Vec<Timer<App>> {
        Vec::new()
    }

    fn build(core: Core, config: Config) -> anyhow::Result<App> {
        Ok(App { core, config })
    }
}
