//! Verification of the event log: every event carries a hash over itself and the one before it in its aggregate's history, so whoever
//! changes or removes an event behind our back breaks the chain there. Events removed from the end of a history leave no trace in it.

use sqlx::{FromRow, PgPool};
use steward_kernel::TenantId;
use uuid::Uuid;

use crate::{
    Result,
    log::{self, Row},
};

/// Events read at once.
const PAGE: i64 = 2_000;

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
    /// What is wrong with it.
    pub fault: Fault,
}

/// What a page of the log has shown.
#[derive(Debug, Default)]
pub struct Page {
    /// Events that were looked at.
    pub events: u64,
    /// Histories that began among them.
    pub histories: u64,
    /// Where chains are broken.
    pub broken: Vec<Broken>,
}

/// Goes through all histories of a company, page by page, holding no more than one.
#[derive(Debug)]
pub struct Verification<'a> {
    platform: &'a PgPool,
    tenant: TenantId,
    aggregate: String,
    stream_id: Uuid,
    history: History,
}

#[derive(Debug, FromRow)]
struct Placed {
    aggregate: String,
    stream_id: Uuid,
    #[sqlx(flatten)]
    row: Row,
}

impl<'a> Verification<'a> {
    /// * `platform`: under the platform role of the service.
    #[must_use]
    pub fn new(platform: &'a PgPool, tenant: TenantId) -> Self {
        Self { platform, tenant, aggregate: String::new(), stream_id: Uuid::nil(), history: History::default() }
    }

    /// Looks at the next page; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database is away; asked again, it goes on where it stood.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        let rows: Vec<Placed> = sqlx::query_as(
            "SELECT aggregate, stream_id, event_id, version, actor, occurred_at, recorded_at, payload::text AS payload, hash, suffix
             FROM event WHERE tenant_id = $1 AND (aggregate, stream_id, version) > ($2, $3, $4)
             ORDER BY aggregate, stream_id, version LIMIT $5",
        )
        .bind(self.tenant.get())
        .bind(&self.aggregate)
        .bind(self.stream_id)
        .bind(self.history.version)
        .bind(PAGE)
        .fetch_all(self.platform)
        .await?;
        let mut page = Page::default();
        for placed in rows {
            if (placed.aggregate.as_str(), placed.stream_id) != (self.aggregate.as_str(), self.stream_id) {
                (self.aggregate, self.stream_id) = (placed.aggregate, placed.stream_id);
                self.history = History::default();
                page.histories += 1;
            }
            page.events += 1;
            if let Some(fault) = self.history.goes_on(&placed.row) {
                let (aggregate, version) = (self.aggregate.clone(), placed.row.version);
                page.broken.push(Broken { aggregate, stream_id: self.stream_id, version, fault });
            }
        }
        Ok((page.events > 0).then_some(page))
    }
}

/// How far a history was followed.
#[derive(Debug, Default)]
pub(crate) struct History {
    version: i32,
    hash: Vec<u8>,
}

impl History {
    /// Follows it by one event; what is wrong with that one. The next one is compared with what stands here, so one change is told once.
    pub(crate) fn goes_on(&mut self, row: &Row) -> Option<Fault> {
        let next = self.version + 1;
        let chained = log::chain(&self.hash, row.event_id, row.version, row.recorded_at, &row.actor, &row.payload);
        self.version = row.version;
        self.hash.clone_from(&row.hash);
        if row.version != next {
            Some(Fault::Missing { from: next })
        } else if chained != row.hash {
            Some(Fault::Changed)
        } else {
            None
        }
    }
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
