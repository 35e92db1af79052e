//! How everything is: the services, and where they can be reached from here, their databases and the message server.

mod database;
mod messages;
mod services;

use std::{process::ExitCode, time::Duration};

use clap::Args;
use futures::future::join_all;
use serde::Serialize;
use steward_chassis::lifecycle::State;

use crate::{
    database as db, nats,
    selection::Selection,
    terminal::{say, say_json, table},
};

/// What to ask.
#[derive(Debug, Args)]
#[command(mut_arg("database_url", |url| url.required(false)), mut_arg("nats_url", |url| url.required(false)))]
pub(crate) struct Settings {
    /// Where a service is; `{service}` stands for its name. Without it, one process that runs all of them.
    #[arg(long, env = "STEWARD_SERVICE_URL", hide_env_values = true, default_value = "http://{service}:8080")]
    url_template: String,
    #[command(flatten)]
    database: Option<db::Settings>,
    #[command(flatten)]
    nats: Option<nats::Settings>,
    #[command(flatten)]
    selection: Selection,
    /// How long to wait for each answer.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How one part of the whole is.
#[derive(Debug, Serialize)]
struct Line {
    /// `service`, `database`, `stream`.
    part: &'static str,
    name: String,
    status: State,
    /// In words, for an operator.
    note: String,
}

/// What is found out about a part: how bad it is and, in words, why; the worst counts, all is told.
#[derive(Debug, Default)]
struct Findings(Vec<(Option<State>, String)>);

impl Findings {
    /// Says something that is as it should be.
    fn note(&mut self, text: impl Into<String>) {
        self.0.push((None, text.into()));
    }

    /// The same, of something that is as it should be only under a condition.
    fn expect(&mut self, as_it_should_be: bool, otherwise: State, text: impl Into<String>) {
        self.0.push(((!as_it_should_be).then_some(otherwise), text.into()));
    }

    fn line(self, part: &'static str, name: &str) -> Line {
        let status = self.0.iter().filter_map(|(state, _)| *state).max().unwrap_or(State::Ok);
        let words: Vec<String> = self.0.into_iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
        Line { part, name: name.to_owned(), status, note: words.join(", ") }
    }
}

/// Asks; the exit code is 0 when all is well, 1 when something is to be looked at, 2 when something does not work.
///
/// # Errors
/// When a setting is wrong.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let chosen = settings.selection.services();
    let mut lines = services::ask(&settings.url_template, &chosen, settings.patience).await?;
    if let Some(database) = &settings.database {
        lines.extend(join_all(chosen.iter().map(|service| database::ask(database, *service, settings.patience))).await);
    }
    if let Some(nats) = &settings.nats {
        lines.extend(messages::ask(nats, &chosen, settings.patience).await?);
    }
    let worst = lines.iter().map(|line| line.status).max().unwrap_or(State::Ok);
    if settings.json {
        say_json(&serde_json::json!({ "status": worst, "parts": lines }))?;
    } else {
        let rows: Vec<_> = lines
            .into_iter()
            .map(|line| [line.part.to_owned(), line.name, word(line.status).to_owned(), line.note])
            .collect();
        say(&table(["PART", "NAME", "STATUS", "NOTE"], &rows));
    }
    Ok(ExitCode::from(worst as u8))
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Degraded => "degraded",
        State::Down => "down",
    }
}
