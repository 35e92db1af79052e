//! Verification of the event log: every event carries a hash over itself and the one before it in its aggregate's history, so whoever
//! changes or removes an event behind our back breaks the chain there.
//!
//! A chain alone does not show that events were removed from the end of a history, nor that somebody who knows the rule has computed it
//! anew. For that there are [`Head`]s, kept outside the database: how far a history went at some moment, with a digest of all that its rows said.
//! And there are the [`Listener`]s: with each event its hash is published, and who hears it keeps the last one of each history, where the source's
//! roles cannot write.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgPool};
use steward_kernel::TenantId;
use uuid::Uuid;

use crate::{Result, db::Tx};

/// Events read at once.
const PAGE: i64 = 2_000;
/// Stands in front of a hash over the whole row. Without it a hash is one of the first rule, which left out some columns.
const WHOLE_ROW: u8 = 2;
/// Bytes of a hash of the first rule.
const FIRST_RULE: usize = 32;

/// All that an event's row says, but its position: the database gives that one after the hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'a> {
    pub(crate) tenant: Uuid,
    pub(crate) aggregate: &'a str,
    pub(crate) stream_id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) version: i32,
    pub(crate) kind: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) trace: Option<&'a str>,
    pub(crate) payload: &'a str,
    pub(crate) suffix: Option<&'a str>,
    pub(crate) message: Option<&'a [u8]>,
    pub(crate) previous: Option<&'a str>,
}

impl Link<'_> {
    /// The hash that chains it to the event before it (`before` is that one's hash; empty for the first).
    pub(crate) fn chain(&self, before: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        bounded(&mut hash, before);
        self.tell(&mut hash);
        let mut chained = vec![WHOLE_ROW];
        chained.extend(hash.finalize());
        chained
    }

    /// The same by the first rule.
    fn chain_by_first_rule(&self, before: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.event_id.as_bytes());
        hash.update(self.version.to_be_bytes());
        hash.update(self.recorded_at.timestamp_micros().to_be_bytes());
        bounded(&mut hash, self.actor.as_bytes());
        bounded(&mut hash, self.payload.as_bytes());
        hash.finalize().to_vec()
    }

    fn tell(&self, hash: &mut Sha256) {
        let Self { tenant, aggregate, stream_id, event_id, version, kind, actor, occurred_at, recorded_at, .. } = self;
        let Self { trace, payload, suffix, message, previous, .. } = self;
        for id in [tenant, stream_id, event_id] {
            hash.update(id.as_bytes());
        }
        hash.update(version.to_be_bytes());
        for moment in [occurred_at, recorded_at] {
            hash.update(moment.timestamp_micros().to_be_bytes());
        }
        for text in [aggregate, kind, actor, payload] {
            bounded(hash, text.as_bytes());
        }
        for text in [trace.map(str::as_bytes), suffix.map(str::as_bytes), *message, previous.map(str::as_bytes)] {
            hash.update([u8::from(text.is_some())]);
            bounded(hash, text.unwrap_or_default());
        }
    }
}

/// The length stands before what has no fixed one, so that no two different events have the same bytes.
fn bounded(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its hash does not fit: it was changed.
    Changed,
    /// Events before it are missing, from that version on.
    Missing {
        /// The first that is not there.
        from: i32,
    },
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Kind of aggregate.
    pub aggregate: String,
    /// Which one.
    pub stream_id: Uuid,
    /// The event.
    pub version: i32,
    /// When it says that it was recorded: it cannot have been changed before.
    pub recorded_at: DateTime<Utc>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// How far a history went, and what it said until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The company.
    pub tenant: TenantId,
    /// Kind of aggregate.
    pub aggregate: String,
    /// Which one.
    pub stream_id: Uuid,
    /// Its last event.
    pub version: i32,
    /// SHA-256 over all columns of all its rows, in hexadecimal digits.
    pub digest: String,
}

/// What became of a history of which a head was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// Some of its rows say something else than they did.
    Changed {
        /// The first that it can be.
        first: i32,
        /// The last that it can be.
        last: i32,
    },
    /// It ends before what it had.
    CutOff {
        /// Its last event; 0 when there is none.
        ends: i32,
        /// The last one that it had.
        had: i32,
    },
}

/// A history that is not what it was when its head was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strayed {
    /// Kind of aggregate.
    pub aggregate: String,
    /// Which one.
    pub stream_id: Uuid,
    /// What became of it.
    pub stray: Stray,
    /// It was whole then.
    pub after: DateTime<Utc>,
    /// It was not any more then; `None` = now.
    pub before: Option<DateTime<Utc>>,
}

/// A head as it was kept.
#[derive(Debug)]
struct Kept {
    at: DateTime<Utc>,
    version: i32,
    /// None where a listener has heard another event than the log has now.
    digest: Option<String>,
}

/// A service that hears of the one that is verified.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Under its platform role.
    pub platform: PgPool,
    /// What it hears the source by ([`durable`](crate::streams::durable)).
    pub consumer: String,
}

/// The last that a listener has heard of a history.
#[derive(Debug, FromRow)]
struct Heard {
    aggregate: String,
    stream_id: Uuid,
    heard_version: i32,
    heard_chain: Vec<u8>,
    heard_at: DateTime<Utc>,
}

/// Heads of a company's histories.
type Histories = BTreeMap<(String, Uuid), Vec<Kept>>;

/// Heads that were kept outside the database, at any number of moments.
#[derive(Debug, Default)]
pub struct Heads(BTreeMap<TenantId, Histories>);

impl Heads {
    /// Adds one.
    ///
    /// * `at`: when it was read from the log.
    pub fn add(&mut self, head: Head, at: DateTime<Utc>) {
        let Head { tenant, aggregate, stream_id, version, digest } = head;
        self.0.entry(tenant).or_default().entry((aggregate, stream_id)).or_default().push(Kept {
            at,
            version,
            digest: Some(digest),
        });
    }

    /// The companies of which it has some.
    pub fn tenants(&self) -> impl Iterator<Item = TenantId> {
        self.0.keys().copied()
    }
}

/// What a page of the log has shown.
#[derive(Debug, Default)]
pub struct Page {
    /// Events that were looked at.
    pub events: u64,
    /// Of them, how many are chained by the first rule, which left out when they happened and what was published.
    pub by_first_rule: u64,
    /// When the last one of those was recorded.
    pub first_rule_until: Option<DateTime<Utc>>,
    /// Histories that began among them.
    pub histories: u64,
    /// Where chains are broken.
    pub broken: Vec<Broken>,
    /// Histories that are not what their heads say.
    pub strayed: Vec<Strayed>,
    /// Heads of histories that are what their heads say, and have gone on since.
    pub heads: Vec<Head>,
}

/// Goes through all histories of a company, page by page, holding no more than one.
#[derive(Debug)]
pub struct Verification<'a> {
    platform: &'a PgPool,
    tenant: TenantId,
    listeners: &'a [Listener],
    kept: Histories,
    aggregate: String,
    stream_id: Uuid,
    history: History,
    ended: bool,
}

/// A row of the log.
#[derive(Debug, FromRow)]
struct Row {
    aggregate: String,
    stream_id: Uuid,
    event_id: Uuid,
    version: i32,
    kind: String,
    actor: String,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    trace: Option<String>,
    payload: String,
    hash: Vec<u8>,
    suffix: Option<String>,
    message: Option<Vec<u8>>,
    previous: Option<String>,
}

impl Row {
    fn link(&self, tenant: Uuid) -> Link<'_> {
        Link {
            tenant,
            aggregate: &self.aggregate,
            stream_id: self.stream_id,
            event_id: self.event_id,
            version: self.version,
            kind: &self.kind,
            actor: &self.actor,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            trace: self.trace.as_deref(),
            payload: &self.payload,
            suffix: self.suffix.as_deref(),
            message: self.message.as_deref(),
            previous: self.previous.as_deref(),
        }
    }
}

/// The rows of a log that fit.
macro_rules! read {
    ($which:literal) => {
        concat!(
            "SELECT aggregate, stream_id, event_id, version, kind, actor, occurred_at, recorded_at, trace, payload::text AS payload, hash,
                    suffix, message, previous
             FROM event WHERE tenant_id = $1 AND ",
            $which
        )
    };
}

impl<'a> Verification<'a> {
    /// * `platform`: under the platform role of the service.
    /// * `listeners`: who hears of the service.
    /// * `heads`: what was kept of the service's histories; what it has of this company is taken out.
    #[must_use]
    pub fn new(platform: &'a PgPool, listeners: &'a [Listener], tenant: TenantId, heads: &mut Heads) -> Self {
        let kept = heads.0.remove(&tenant).unwrap_or_default();
        let (aggregate, stream_id, history) = (String::new(), Uuid::nil(), History::default());
        Self { platform, listeners, tenant, kept, aggregate, stream_id, history, ended: false }
    }

    /// Looks at the next page; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away; asked again, it goes on where it stood.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        if self.ended {
            return Ok(None);
        }
        let rows: Vec<Row> = sqlx::query_as(read!(
            "(aggregate, stream_id, version) > ($2, $3, $4) ORDER BY aggregate, stream_id, version LIMIT $5"
        ))
        .bind(self.tenant.get())
        .bind(&self.aggregate)
        .bind(self.stream_id)
        .bind(self.history.version)
        .bind(PAGE)
        .fetch_all(self.platform)
        .await?;
        let mut page = Page::default();
        let ends = i64::try_from(rows.len()).unwrap_or(i64::MAX) < PAGE;
        self.hear(rows.last().filter(|_| !ends)).await?;
        self.ended = ends;
        for row in rows {
            if (row.aggregate.as_str(), row.stream_id) != (self.aggregate.as_str(), self.stream_id) {
                self.close(&mut page);
                (self.aggregate, self.stream_id) = (row.aggregate.clone(), row.stream_id);
                page.histories += 1;
            }
            self.follow(&row, &mut page);
        }
        if self.ended {
            self.close(&mut page);
            // Histories of which nothing is left.
            let gone = std::mem::take(&mut self.kept);
            page.strayed.extend(gone.into_iter().filter_map(|(place, kept)| judge(place, kept, &History::default())));
        }
        Ok(Some(page))
    }

    /// Finds what listeners have heard otherwise than the log has it now, of the histories that end with that row.
    async fn hear(&mut self, last: Option<&Row>) -> Result<()> {
        for listener in self.listeners {
            let heard: Vec<Heard> = sqlx::query_as(
                "SELECT aggregate, stream_id, heard_version, heard_chain, heard_at FROM inbox
                 WHERE tenant_id = $1 AND consumer = $2 AND heard_chain IS NOT NULL AND (aggregate, stream_id) > ($3, $4)
                   AND ($5::text IS NULL OR (aggregate, stream_id) <= ($5, $6))",
            )
            .bind(self.tenant.get())
            .bind(&listener.consumer)
            .bind(&self.aggregate)
            .bind(self.stream_id)
            .bind(last.map(|row| row.aggregate.as_str()))
            .bind(last.map(|row| row.stream_id))
            .fetch_all(&listener.platform)
            .await?;
            let fit = self.fit(&heard).await?;
            for Heard { aggregate, stream_id, heard_version, heard_at, .. } in heard {
                if !fit.contains(&(aggregate.clone(), stream_id)) {
                    let kept = Kept { at: heard_at, version: heard_version, digest: None };
                    self.kept.entry((aggregate, stream_id)).or_default().push(kept);
                }
            }
        }
        Ok(())
    }

    /// The histories that have what was heard of them. Asked anew: they may have gone on since they were read.
    async fn fit(&self, heard: &[Heard]) -> Result<BTreeSet<(String, Uuid)>> {
        let fit: Vec<(String, Uuid)> = sqlx::query_as(
            "SELECT aggregate, stream_id FROM unnest($2::text[], $3::uuid[], $4::int[], $5::bytea[]) AS heard (aggregate, stream_id, version, chain)
             JOIN event USING (aggregate, stream_id, version) WHERE tenant_id = $1 AND hash = chain",
        )
        .bind(self.tenant.get())
        .bind(heard.iter().map(|heard| heard.aggregate.as_str()).collect::<Vec<_>>())
        .bind(heard.iter().map(|heard| heard.stream_id).collect::<Vec<_>>())
        .bind(heard.iter().map(|heard| heard.heard_version).collect::<Vec<_>>())
        .bind(heard.iter().map(|heard| heard.heard_chain.as_slice()).collect::<Vec<_>>())
        .fetch_all(self.platform)
        .await?;
        Ok(fit.into_iter().collect())
    }

    fn follow(&mut self, row: &Row, page: &mut Page) {
        page.events += 1;
        if row.hash.len() == FIRST_RULE {
            page.by_first_rule += 1;
            page.first_rule_until = page.first_rule_until.max(Some(row.recorded_at));
        }
        if let Some(fault) = self.history.goes_on(row, self.tenant.get()) {
            let (aggregate, version, recorded_at) = (self.aggregate.clone(), row.version, row.recorded_at);
            page.broken.push(Broken { aggregate, stream_id: self.stream_id, version, recorded_at, fault });
        }
        let kept = self.kept.get(&(self.aggregate.clone(), self.stream_id));
        if kept.is_some_and(|kept| kept.iter().any(|kept| kept.version == row.version)) {
            self.history.passed.insert(row.version, self.history.digest());
        }
    }

    /// Compares the history that was followed with what was kept of it, and lets it go.
    fn close(&mut self, page: &mut Page) {
        let history = std::mem::take(&mut self.history);
        if history.version == 0 {
            return;
        }
        let place = (std::mem::take(&mut self.aggregate), self.stream_id);
        let kept = self.kept.remove(&place).unwrap_or_default();
        if kept.iter().all(|kept| kept.version != history.version) {
            let (tenant, aggregate, digest) = (self.tenant, place.0.clone(), history.digest());
            page.heads.push(Head { tenant, aggregate, stream_id: place.1, version: history.version, digest });
        }
        page.strayed.extend(judge(place, kept, &history));
    }
}

/// How a history has strayed from what was kept of it, if it has.
fn judge((aggregate, stream_id): (String, Uuid), kept: Vec<Kept>, history: &History) -> Option<Strayed> {
    let (same, other): (Vec<Kept>, Vec<Kept>) = kept
        .into_iter()
        .partition(|kept| kept.digest.is_some() && history.passed.get(&kept.version) == kept.digest.as_ref());
    // A head that does not fit was kept before the change; one that fits and has the place of the change, behind it.
    let after = other.iter().map(|kept| kept.at).max()?;
    let last = other.iter().map(|kept| kept.version).min()?;
    let first = same.iter().map(|kept| kept.version).filter(|version| *version < last).max().unwrap_or_default() + 1;
    let before = same.iter().filter(|kept| kept.version >= last && kept.at > after).map(|kept| kept.at).min();
    let stray = if last > history.version {
        Stray::CutOff { ends: history.version, had: other.iter().map(|kept| kept.version).max().unwrap_or(last) }
    } else {
        Stray::Changed { first, last }
    };
    Some(Strayed { aggregate, stream_id, stray, after, before })
}

/// How far a history was followed.
#[derive(Debug, Default)]
struct History {
    version: i32,
    hash: Vec<u8>,
    /// Over all that its rows say.
    told: Sha256,
    /// What that was at the versions of which heads were kept.
    passed: BTreeMap<i32, String>,
}

impl History {
    /// Follows it by one event; what is wrong with that one. The next one is compared with what stands here, so one change is told once.
    fn goes_on(&mut self, row: &Row, tenant: Uuid) -> Option<Fault> {
        let (next, link) = (self.version + 1, row.link(tenant));
        let is_first_rule = row.hash.len() == FIRST_RULE;
        let chained = if is_first_rule { link.chain_by_first_rule(&self.hash) } else { link.chain(&self.hash) };
        self.version = row.version;
        self.hash.clone_from(&row.hash);
        link.tell(&mut self.told);
        bounded(&mut self.told, &row.hash);
        if row.version != next {
            Some(Fault::Missing { from: next })
        } else if chained != row.hash {
            Some(Fault::Changed)
        } else {
            None
        }
    }

    fn digest(&self) -> String {
        self.told.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The first version of a history whose hash does not fit, if any.
pub(crate) async fn first_broken(tx: &mut Tx, aggregate: &str, stream_id: Uuid) -> Result<Option<i32>> {
    let tenant = tx.tenant().get();
    let rows: Vec<Row> = sqlx::query_as(read!("aggregate = $2 AND stream_id = $3 ORDER BY version"))
        .bind(tenant)
        .bind(aggregate)
        .bind(stream_id)
        .fetch_all(tx.conn())
        .await?;
    let mut history = History::default();
    Ok(rows.iter().find(|row| history.goes_on(row, tenant).is_some()).map(|row| row.version))
}

/// The companies that have events in that log.
///
/// * `platform`: under the platform role of the service.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away.
pub async fn tenants(platform: &PgPool) -> Result<Vec<TenantId>> {
    // From one to the next through the index, instead of reading all events.
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "WITH RECURSIVE one AS (
             (SELECT tenant_id FROM event ORDER BY tenant_id LIMIT 1)
             UNION ALL
             SELECT (SELECT tenant_id FROM event WHERE tenant_id > one.tenant_id ORDER BY tenant_id LIMIT 1)
             FROM one WHERE one.tenant_id IS NOT NULL
         )
         SELECT tenant_id FROM one WHERE tenant_id IS NOT NULL",
    )
    .fetch_all(platform)
    .await?;
    Ok(ids.into_iter().map(TenantId::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-23T08:00:00Z";

    fn tenant() -> Uuid {
        Uuid::from_u128(7)
    }

    fn day(n: i64) -> DateTime<Utc> {
        AT.parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::days(n)
    }

    /// A history of so many events; the first ones chained by the first rule.
    fn history(count: i32, by_first_rule: i32) -> Vec<Row> {
        let mut before = Vec::new();
        let row = |version: i32| Row {
            aggregate: "case".to_owned(),
            stream_id: Uuid::from_u128(1),
            event_id: Uuid::from_u128(u128::try_from(version).unwrap()),
            version,
            kind: "opened".to_owned(),
            actor: "desk".to_owned(),
            occurred_at: day(0),
            recorded_at: day(0),
            trace: None,
            payload: format!("{{\"n\":{version}}}"),
            hash: Vec::new(),
            suffix: Some("opened.v1".to_owned()),
            message: Some(vec![1]),
            previous: Some("0".to_owned()),
        };
        let mut rows: Vec<Row> = (1..=count).map(row).collect();
        for row in &mut rows {
            let link = row.link(tenant());
            before = if row.version <= by_first_rule { link.chain_by_first_rule(&before) } else { link.chain(&before) };
            row.hash.clone_from(&before);
        }
        rows
    }

    fn faults(rows: &[Row]) -> Vec<Option<Fault>> {
        let mut history = History::default();
        rows.iter().map(|row| history.goes_on(row, tenant())).collect()
    }

    #[test]
    fn a_change_of_any_column_breaks_the_chain_where_it_stands() {
        let changes: [fn(&mut Row); 11] = [
            |row| row.aggregate = "visit".to_owned(),
            |row| row.stream_id = Uuid::nil(),
            |row| row.event_id = Uuid::nil(),
            |row| row.kind = "closed".to_owned(),
            |row| row.actor = "nobody".to_owned(),
            |row| row.occurred_at = day(-3),
            |row| row.recorded_at = day(-3),
            |row| row.trace = Some(String::new()),
            |row| row.suffix = None,
            |row| row.message = Some(vec![2]),
            |row| row.previous = Some("1".to_owned()),
        ];
        for (n, change) in changes.iter().enumerate() {
            let mut rows = history(3, 0);
            change(&mut rows[1]);
            assert_eq!(faults(&rows), [None, Some(Fault::Changed), None], "{n}");
        }
        let mut of_another = History::default();
        assert_eq!(of_another.goes_on(&history(1, 0)[0], Uuid::nil()), Some(Fault::Changed));
    }

    #[test]
    fn what_was_chained_by_the_first_rule_stays_whole_and_is_gone_on_from() {
        assert_eq!(faults(&history(4, 2)), [None; 4]);
        let mut rows = history(4, 2);
        rows[0].payload = "{}".to_owned();
        assert_eq!(faults(&rows), [Some(Fault::Changed), None, None, None]);
        // An old version that runs beside a new one goes on in its own way.
        let mut rows = history(3, 0);
        rows[2].hash = rows[2].link(tenant()).chain_by_first_rule(&rows[1].hash);
        assert_eq!(faults(&rows), [None; 3]);
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut rows = history(3, 0);
        rows.remove(1);
        assert_eq!(faults(&rows), [None, Some(Fault::Missing { from: 2 })]);
    }

    fn followed(rows: &[Row], at: &[i32]) -> History {
        let mut history = History::default();
        for row in rows {
            let _ = history.goes_on(row, tenant());
            if at.contains(&row.version) {
                history.passed.insert(row.version, history.digest());
            }
        }
        history
    }

    fn judged(heads: &[(i64, i32, &[Row])], now: &[Row]) -> Option<(Stray, DateTime<Utc>, Option<DateTime<Utc>>)> {
        let kept = |(at, version, rows): &(i64, i32, &[Row])| Kept {
            at: day(*at),
            version: *version,
            digest: Some(followed(rows, &[*version]).passed[version].clone()),
        };
        let versions: Vec<i32> = heads.iter().map(|(_, version, _)| *version).collect();
        let place = ("case".to_owned(), Uuid::from_u128(1));
        judge(place, heads.iter().map(kept).collect(), &followed(now, &versions))
            .map(|strayed| (strayed.stray, strayed.after, strayed.before))
    }

    #[test]
    fn a_history_that_was_computed_anew_or_cut_off_is_not_what_its_heads_say() {
        let (was, mut changed) = (history(6, 0), history(6, 0));
        assert_eq!(judged(&[(1, 2, &was), (2, 6, &was)], &was), None);
        // Somebody who knows the rule.
        changed[3].occurred_at = day(-3);
        for n in 3..6 {
            let before = changed[n - 1].hash.clone();
            changed[n].hash = changed[n].link(tenant()).chain(&before);
        }
        assert_eq!(faults(&changed), [None; 6]);
        let found = judged(&[(1, 2, &was), (2, 5, &was)], &changed);
        assert_eq!(found, Some((Stray::Changed { first: 3, last: 5 }, day(2), None)));
        // Between two heads: the second was kept of what it is now.
        let found = judged(&[(1, 2, &was), (2, 4, &was), (3, 6, &changed)], &changed);
        assert_eq!(found, Some((Stray::Changed { first: 3, last: 4 }, day(2), Some(day(3)))));

        let found = judged(&[(1, 2, &was), (2, 6, &was)], &was[..4]);
        assert_eq!(found, Some((Stray::CutOff { ends: 4, had: 6 }, day(2), None)));
        let found = judged(&[(1, 2, &was)], &[]);
        assert_eq!(found, Some((Stray::CutOff { ends: 0, had: 2 }, day(1), None)));
    }
}
