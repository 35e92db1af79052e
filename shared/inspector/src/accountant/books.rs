//! What the company's books show of one estate.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use crate::{
    Picture,
    picture::{text, time},
    source::{Company, all},
};

/// What the company's books show of one estate.
#[derive(Debug)]
pub struct Books {
    pub(super) zone: Tz,
    pub(super) cases: Vec<Entry>,
}

/// One case with all that belongs to it, as the API shows it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) case: Value,
    pub(super) said_at: DateTime<Utc>,
    pub(super) steps: Vec<Step>,
    pub(super) clocks: Vec<Value>,
    pub(super) promises: Vec<Value>,
    pub(super) escalations: Vec<Value>,
    pub(super) surveys: Vec<Value>,
}

/// A step of a timeline.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: DateTime<Utc>,
    pub(super) code: String,
    pub(super) status: String,
    pub(super) by: String,
}

/// Timelines that were read on the way through a company, each with the version of its case then.
#[derive(Debug, Default)]
pub struct Timelines(HashMap<String, (u64, Vec<Step>)>);

impl Timelines {
    /// Keeps what a picture shows.
    pub fn keep(&mut self, picture: &Picture) {
        if let (Some(version), Some(steps)) = (picture.case["version"].as_u64(), steps(&picture.timeline)) {
            self.0.insert(picture.id().to_owned(), (version, steps));
        }
    }

    /// That of a case as it is now; read only when it is another one since.
    async fn of(&self, company: &dyn Company, case: &Value) -> anyhow::Result<Vec<Step>> {
        let id = text(case, "case_id");
        if let Some((_, steps)) = self.0.get(id).filter(|(version, _)| case["version"] == *version) {
            return Ok(steps.clone());
        }
        let timeline = company.get(&format!("/v1/cases/{id}/timeline")).await?;
        timeline["items"].as_array().and_then(|items| steps(items)).with_context(|| format!("{id} has no timeline"))
    }
}

fn steps(items: &[Value]) -> Option<Vec<Step>> {
    let word = |item: &Value, field: &str| text(item, field).to_owned();
    let step = |item: &Value| {
        let at = time(item, "at")?;
        Some(Step { at, code: word(item, "code"), status: word(item, "status"), by: word(item, "by") })
    };
    items.iter().map(step).collect()
}

/// All of an estate on that list, by case; of each row what figures are counted from.
async fn by_case(
    company: &dyn Company,
    list: &str,
    estate: &str,
    fields: &[&str],
) -> anyhow::Result<HashMap<String, Vec<Value>>> {
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    for row in all(company, &format!("/v1/{list}?estate_id={estate}")).await? {
        found.entry(text(&row, "case_id").to_owned()).or_default().push(only(&row, fields));
    }
    Ok(found)
}

/// Those fields of a row: an estate has many.
fn only(row: &Value, fields: &[&str]) -> Value {
    let kept = fields.iter().filter_map(|field| Some(((*field).to_owned(), row.get(*field)?.clone())));
    Value::Object(kept.collect())
}

impl Books {
    /// Reads them, list by list.
    ///
    /// * `known`: timelines that need not be read again.
    /// * `at_once`: timelines that are read at the same time.
    ///
    /// # Errors
    /// When somebody does not answer.
    pub async fn read(
        company: &dyn Company,
        (estate, zone): (&str, Tz),
        known: &Timelines,
        at_once: usize,
    ) -> anyhow::Result<Self> {
        let rows = all(company, &format!("/v1/cases?estate_id={estate}")).await?;
        let read = async |list: &str, fields: &[&str]| by_case(company, list, estate, fields).await;
        let mut clocks = read(
            "clocks",
            &[
                "state",
                "party",
                "measure",
                "priority",
                "late_entry",
                "stopped_at",
                "due_at",
                "breached_at",
                "elapsed_seconds",
                "paused_seconds",
            ],
        )
        .await?;
        let mut promises = read("promises", &["team", "state", "made_at", "ended_at"]).await?;
        let mut escalations = read("escalations", &["raised_at", "acknowledged_at", "level", "cause"]).await?;
        let mut surveys = read("surveys", &["stage", "episode", "sent_at", "outcome", "handling", "courtesy"]).await?;
        let timelines = stream::iter(rows.iter().map(|case| known.of(company, case))).buffered(at_once.max(1));
        let timelines: Vec<_> = timelines.try_collect().await?;
        let mut cases = Vec::new();
        for (row, steps) in rows.iter().zip(timelines) {
            let id = text(row, "case_id");
            let of_case = |of: &mut HashMap<String, Vec<Value>>| of.remove(id).unwrap_or_default();
            cases.push(Entry {
                case: only(row, &["case_id", "reference", "kind", "status", "priority", "resident_id"]),
                said_at: time(row, "said_at").with_context(|| format!("{id} was never said"))?,
                steps,
                clocks: of_case(&mut clocks),
                promises: of_case(&mut promises),
                escalations: of_case(&mut escalations),
                surveys: of_case(&mut surveys),
            });
        }
        Ok(Self { zone, cases })
    }

    /// Today in the estate.
    #[must_use]
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.zone).date_naive()
    }
}
