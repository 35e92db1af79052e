//! Whether change feeds move on.
//!
//! A feed shows what was changed before the oldest transaction that still runs (see [`page`](crate::http::page)), so that it skips nothing.
//! One that somebody leaves open anywhere in the cluster holds all feeds back: apps and dashboards that follow them see nothing new. It is
//! not ours to end it, but it is told who it is.

use chrono::{DateTime, Utc};

use crate::{
    Clock, Error, Result,
    db::Db,
    lifecycle::{Health, State},
    pool::within,
};

/// Name of the part of [`Health`] that says whether feeds move on.
const PART: &str = "change_feeds";
/// How long a transaction may hold them back before it is told. Ours end within half a minute, migrations apart.
const LONG: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// Watches the feeds of one service; the same question shows whether the database is there.
#[derive(Debug)]
pub(crate) struct Feeds {
    pub service: &'static str,
    pub clock: Clock,
    pub health: Health,
    /// The transaction that holds them back, and since when.
    pub held: Option<(i64, DateTime<Utc>)>,
}

impl Feeds {
    /// Asks once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn look(&mut self, db: &Db) -> Result<()> {
        let (oldest, next) = within(crate::db::PING, horizon(db)).await?;
        let now = self.clock.now();
        self.held = match self.held {
            _ if oldest >= next => None,
            Some((known, since)) if known == oldest => Some((known, since)),
            _ => Some((oldest, now)),
        };
        let held = self.held.map_or_else(chrono::TimeDelta::zero, |(_, since)| now - since);
        metrics::gauge!("change_feeds_held_seconds", "service" => self.service).set(held.as_seconds_f64());
        if held < LONG {
            self.health.set(PART, State::Ok, "");
            return Ok(());
        }
        let holder = within(crate::db::PATIENCE, holder(db, oldest)).await?;
        let note = format!("held back for {} s by {holder}", held.num_seconds());
        self.health.set(PART, State::Degraded, note);
        Ok(())
    }
}

/// The oldest transaction that still runs, and the next one: the same when none does.
async fn horizon(db: &Db) -> Result<(i64, i64)> {
    let asked = sqlx::query_as(
        "SELECT pg_snapshot_xmin(snapshot)::text::bigint, pg_snapshot_xmax(snapshot)::text::bigint FROM pg_current_snapshot() AS snapshot",
    );
    asked.fetch_one(&mut *db.lend().await?).await.map_err(Error::from)
}

/// Who has that transaction open, as far as the platform role may see it.
async fn holder(db: &Db, transaction: i64) -> Result<String> {
    let asked = sqlx::query_scalar(
        "SELECT format('pid %s (application %s, role %s, database %s)', pid, coalesce(nullif(application_name, ''), '?'), usename, datname)
         FROM pg_stat_activity WHERE backend_xid::text::bigint = $1 % 4294967296
         UNION ALL
         SELECT format('the prepared transaction %s (role %s, database %s)', gid, owner, database)
         FROM pg_prepared_xacts WHERE transaction::text::bigint = $1 % 4294967296
         LIMIT 1",
    );
    let holder: Option<String> = asked.bind(transaction).fetch_optional(&mut *db.lend().await?).await?;
    Ok(holder.unwrap_or_else(|| format!("transaction {transaction}, which nobody seems to have")))
}
