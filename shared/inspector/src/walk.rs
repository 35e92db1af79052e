//! Through a whole company, case by case, with bounded load.

use std::time::Duration;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Finding, Logs, Picture, accountant::Timelines, judge, picture::text, source::Company};

/// Cases on a page.
const PAGE: usize = 100;
/// Requests that a case takes, about.
pub(crate) const REQUESTS: u32 = 15;

/// How hard a company is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Cases that are read at the same time.
    pub at_once: usize,
    /// Cases read in a second, at most.
    pub per_second: u32,
    /// How long what looks wrong is given to come to rest, before it is looked at once more.
    pub settles: Duration,
    /// How often it is looked at again.
    pub looks: usize,
}

/// What was seen on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Cases.
    pub cases: usize,
    /// What is wrong with them.
    pub findings: usize,
}

/// Looks at every case of a company, or of one estate. A company that works is never at rest as a whole: what is found is looked at again, and
/// told only if it stands still.
///
/// * `timelines`: where what is read of each case is kept for the accountant.
/// * `told`: hears each finding, and after each page how far it has come.
///
/// # Errors
/// When somebody does not answer.
pub async fn walk(
    company: &dyn Company,
    logs: &Logs,
    estate: Option<&str>,
    pace: Pace,
    timelines: &mut Timelines,
    mut told: impl FnMut(Seen, &[Finding]),
) -> anyhow::Result<Seen> {
    let of = estate.map(|id| format!("&estate_id={id}")).unwrap_or_default();
    let (mut seen, mut cursor) = (Seen::default(), String::new());
    let mut look = Look { company, logs, pace, timelines };
    loop {
        let page = company.get(&format!("/v1/cases?limit={PAGE}{of}{cursor}")).await?;
        let items = page["items"].as_array().context("no list of cases")?;
        let ids: Vec<String> = items.iter().map(|case| text(case, "case_id").to_owned()).collect();
        let found = look.rested(&ids).await?;
        seen.cases += ids.len();
        seen.findings += found.len();
        told(seen, &found);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(seen),
        }
    }
}

/// A look at some of the cases.
struct Look<'a> {
    company: &'a dyn Company,
    logs: &'a Logs,
    pace: Pace,
    timelines: &'a mut Timelines,
}

impl Look<'_> {
    /// What is wrong with these cases each time that they are looked at.
    async fn rested(&mut self, ids: &[String]) -> anyhow::Result<Vec<Finding>> {
        let mut found = self.once(ids).await?;
        for _ in 0..self.pace.looks {
            let mut again: Vec<String> = found.iter().map(|finding| finding.case_id.clone()).collect();
            again.dedup();
            if again.is_empty() {
                break;
            }
            sleep(self.pace.settles).await;
            let before = found;
            let is_known = |finding: &Finding| {
                before.iter().any(|old| (old.rule, &old.case_id) == (finding.rule, &finding.case_id))
            };
            found = self.once(&again).await?.into_iter().filter(is_known).collect();
        }
        Ok(found)
    }

    async fn once(&mut self, ids: &[String]) -> anyhow::Result<Vec<Finding>> {
        let Self { company, logs, pace, .. } = *self;
        let mut found = Vec::new();
        for some in ids.chunks(pace.at_once.max(1)) {
            let share = Duration::from_secs(1) * u32::try_from(some.len()).unwrap_or(1) / pace.per_second.max(1);
            let next = Instant::now() + share;
            let pictures =
                stream::iter(some.iter().map(|id| Picture::read(company, logs, id))).buffered(pace.at_once.max(1));
            let pictures: Vec<Picture> = pictures.try_collect().await?;
            pictures.iter().for_each(|picture| self.timelines.keep(picture));
            found.extend(pictures.iter().flat_map(judge));
            sleep_until(next).await;
        }
        Ok(found)
    }
}
