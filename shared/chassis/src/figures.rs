//! Figures of a service that are counted in the database: gauges for Prometheus, over all companies, told apart by labels that name no company.

use std::{collections::BTreeSet, time::Duration};

use metrics::Label;
use sqlx::Row as _;
use tokio_util::sync::CancellationToken;

use crate::{
    Clock, Error, Result,
    db::{Db, WORK},
    pool::within,
    relay::pause,
};

/// How often they are counted.
const EVERY: Duration = Duration::from_secs(15);

/// A gauge and the statement that counts it.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// Its labels: the first columns of the statement, as text.
    pub labels: &'static [&'static str],
    /// Counts it under the platform's role, which must have been granted what it reads: labels, then one `double precision`. `$1` is now.
    pub statement: &'static str,
}

/// The loop that counts the figures of one service.
pub(crate) struct Loop {
    pub service: &'static str,
    pub db: Db,
    pub clock: Clock,
    pub figures: &'static [Figure],
}

impl Loop {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut shown = BTreeSet::new();
        while !stop.is_cancelled() && !self.figures.is_empty() {
            for figure in self.figures {
                if let Err(fault) = self.count(figure, &mut shown).await {
                    tracing::debug!(service = self.service, figure = figure.name, error = %fault, "a figure was not counted");
                }
            }
            pause(&stop, EVERY).await;
        }
    }

    async fn count(&self, figure: &Figure, shown: &mut BTreeSet<(&'static str, Vec<String>)>) -> Result<()> {
        let rows = within(WORK, async {
            let mut connection = self.db.lend().await?;
            let rows = sqlx::query(figure.statement).bind(self.clock.now()).fetch_all(&mut *connection).await;
            rows.map_err(Error::from)
        })
        .await?;
        let mut counted = BTreeSet::new();
        for row in rows {
            let values = (0..figure.labels.len())
                .map(|at| row.try_get::<String, _>(at))
                .collect::<std::result::Result<Vec<_>, sqlx::Error>>()?;
            self.set(figure, &values, row.try_get(figure.labels.len())?);
            counted.insert((figure.name, values));
        }
        // What is not there any more is none, not what it was.
        for (_, gone) in shown.iter().filter(|known| known.0 == figure.name && !counted.contains(*known)) {
            self.set(figure, gone, 0.0);
        }
        shown.append(&mut counted);
        Ok(())
    }

    fn set(&self, figure: &Figure, values: &[String], value: f64) {
        let own = figure.labels.iter().zip(values).map(|(label, value)| Label::new(*label, value.clone()));
        let labels: Vec<Label> = std::iter::once(Label::new("service", self.service)).chain(own).collect();
        metrics::gauge!(figure.name, labels).set(value);
    }
}
