//! The figures of a company that works, against what was counted.

use std::{sync::Mutex, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use futures::future::{BoxFuture, FutureExt as _};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Books, FIGURES, Period, Timelines, disagreements, unknown_definitions};
use crate::{
    Finding, Pace,
    picture::text,
    source::{Company, all},
    walk::REQUESTS,
};

/// The longest period that is counted, and the longest that the API tells.
const YEAR: u64 = 366;

/// What is counted, and how.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    /// Only this estate.
    pub estate: Option<&'a str>,
    /// Days until today that are counted one by one.
    pub days: u16,
    /// How hard the company is looked at.
    pub pace: Pace,
    /// Timelines that were read before.
    pub known: &'a Timelines,
}

/// Each of the last days, all of them together, and a year.
fn periods(today: NaiveDate, days: u16) -> Vec<Period> {
    let since = |back: u64| today - Days::new(back);
    let days = u64::from(days);
    let mut periods: Vec<_> = (0..days).map(|back| Period { from: since(back), to: since(back) }).collect();
    periods.extend([days.max(1) - 1, YEAR - 1].map(|back| Period { from: since(back), to: today }));
    periods
}

/// Counts every figure of every estate and compares. Books and figures are read one after the other while the company works: what does not
/// agree is read again, and told only if it stands as it is.
///
/// * `told`: hears of each estate its code, what is wrong, and what moved while it was looked at.
///
/// # Errors
/// When somebody does not answer.
pub async fn audit(
    company: &dyn Company,
    asked: Audit<'_>,
    mut told: impl FnMut(&str, &[Finding], usize),
) -> anyhow::Result<Vec<Finding>> {
    let company = Slow::of(company, asked.pace);
    let dictionary = company.get("/v1/metrics/definitions").await?;
    let mut found: Vec<Finding> =
        unknown_definitions(&dictionary).into_iter().map(|what| finding(["", ""], what)).collect();
    let estates = all(&company, "/v1/estates?").await?;
    for estate in estates.iter().filter(|estate| asked.estate.is_none_or(|only| estate["estate_id"] == only)) {
        let (wrong, moved) = stands(&company, estate, asked).await?;
        told(text(estate, "code"), &wrong, moved);
        found.extend(wrong);
    }
    Ok(found)
}

fn finding([reference, id]: [&str; 2], what: String) -> Finding {
    Finding { rule: FIGURES.0, reference: reference.to_owned(), case_id: id.to_owned(), what }
}

/// What is wrong with the figures of an estate each time that they are looked at, and how many moved meanwhile.
async fn stands(company: &dyn Company, estate: &Value, asked: Audit<'_>) -> anyhow::Result<(Vec<Finding>, usize)> {
    let mut wrong = differences(company, estate, asked).await?;
    let mut last = wrong.len();
    for _ in 0..asked.pace.looks {
        if wrong.is_empty() {
            break;
        }
        sleep(asked.pace.settles).await;
        let now = differences(company, estate, asked).await?;
        last = now.len();
        wrong.retain(|what| now.contains(what));
    }
    let moved = last.saturating_sub(wrong.len());
    let names = [text(estate, "code"), text(estate, "estate_id")];
    Ok((wrong.into_iter().map(|what| finding(names, what)).collect(), moved))
}

/// What the figures of an estate and the books do not agree upon now.
async fn differences(company: &dyn Company, estate: &Value, asked: Audit<'_>) -> anyhow::Result<Vec<String>> {
    let id = text(estate, "estate_id");
    let zone: Tz = text(estate, "time_zone").parse().context("the time zone of an estate")?;
    let books = Books::read(company, (id, zone), asked.known, asked.pace.at_once).await?;
    let mut found = Vec::new();
    for period in periods(books.today(company.now()), asked.days) {
        let Period { from, to } = period;
        let shown = company.get(&format!("/v1/metrics?estate_id={id}&from={from}&to={to}")).await?;
        let wrong = disagreements(&shown, &books.figures(period));
        found.extend(wrong.into_iter().map(|what| format!("{from}..{to} {what}")));
    }
    Ok(found)
}

/// A company that is asked only so often in a second.
struct Slow<'c> {
    company: &'c dyn Company,
    every: Duration,
    next: Mutex<Instant>,
}

impl<'c> Slow<'c> {
    fn of(company: &'c dyn Company, pace: Pace) -> Self {
        let every = Duration::from_secs(1) / (pace.per_second.max(1) * REQUESTS);
        Self { company, every, next: Mutex::new(Instant::now()) }
    }

    fn turn(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let turn = Instant::now().max(*next);
        *next = turn + self.every;
        turn
    }
}

impl Company for Slow<'_> {
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>> {
        async move {
            sleep_until(self.turn()).await;
            self.company.get(path).await
        }
        .boxed()
    }

    fn alerts<'a>(&'a self, case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>> {
        self.company.alerts(case_id)
    }

    fn now(&self) -> DateTime<Utc> {
        self.company.now()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use serde_json::json;

    use super::*;

    /// A company of one estate in which nothing has happened, and whose figures say that cases were opened.
    struct Still {
        opened: AtomicU64,
        /// How many more each time that somebody asks.
        more: u64,
    }

    /// What is right of an estate in which nothing has happened, as the API puts it.
    fn nothing(period: Period) -> Value {
        let books = Books { zone: Tz::UTC, cases: Vec::new() };
        let mut answer = json!({});
        for (place, line) in books.figures(period) {
            let mut at = &mut answer;
            for part in place.split('.') {
                at = &mut at[part];
            }
            *at = line.value;
        }
        answer
    }

    impl Company for Still {
        fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>> {
            let definitions = super::super::KNOWN.iter().map(|(id, version)| json!({"id": id, "version": version}));
            let answer = match path.split('?').next() {
                Some("/v1/metrics/definitions") => json!({"items": definitions.collect::<Vec<_>>()}),
                Some("/v1/estates") => {
                    json!({"items": [{"estate_id": "e", "code": "YX", "time_zone": "Asia/Shanghai"}]})
                }
                Some("/v1/metrics") => {
                    let today = self.now().date_naive();
                    let mut answer = nothing(Period { from: today, to: today });
                    answer["cases"]["opened"] = json!(self.opened.fetch_add(self.more, Ordering::Relaxed));
                    answer
                }
                _ => json!({"items": []}),
            };
            std::future::ready(Ok(answer)).boxed()
        }

        fn alerts<'a>(&'a self, _case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>> {
            std::future::ready(Ok(Vec::new())).boxed()
        }

        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000)
        }
    }

    async fn audited(opened: u64, more: u64) -> (Vec<Finding>, usize) {
        let company = Still { opened: opened.into(), more };
        let pace = Pace { at_once: 1, per_second: 1000, settles: Duration::ZERO, looks: 2 };
        let asked = Audit { estate: None, days: 2, pace, known: &Timelines::default() };
        let mut moves = 0;
        let found = audit(&company, asked, |_, _, moved| moves = moved).await.unwrap();
        (found, moves)
    }

    #[tokio::test]
    async fn what_nobody_counts_is_told_of_each_period_if_it_stands_still() {
        assert_eq!(audited(0, 0).await, (Vec::new(), 0));
        let (found, moves) = audited(3, 0).await;
        let said: Vec<_> = found.iter().map(|it| (it.rule, &*it.reference, &*it.case_id, &*it.what)).collect();
        let what = |period: &str| format!("{period} cases.opened: shown 3, counted 0");
        let due =
            ["2024-10-04..2024-10-04", "2024-10-03..2024-10-03", "2024-10-03..2024-10-04", "2023-10-05..2024-10-04"]
                .map(what);
        let due: Vec<_> = due.iter().map(|what| (FIGURES.0, "YX", "e", what.as_str())).collect();
        assert_eq!((said, moves), (due, 0));
    }

    #[tokio::test]
    async fn what_moves_while_it_is_looked_at_is_no_finding() {
        assert_eq!(audited(3, 1).await, (Vec::new(), 4));
    }
}
