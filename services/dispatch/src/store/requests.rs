//! Service requests.

use steward_chassis::{Result, Stored, db::Tx, http::PageRequest, http::page::Mode};
use steward_kernel::{
    Actor, Recorded,
    ids::{CaseId, EstateId, UnitId},
    message::{Outgoing, TimerChange},
    page::Page,
    vocabulary::Priority,
};
use uuid::Uuid;

use super::{Listed, StateRow, resident_of};
use crate::{
    domain::request::{Event, RequestStage, ServiceRequest},
    publish,
};

impl Stored for ServiceRequest {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(origin), Some(last)) = (&self.origin, events.last()) else { return Ok(()) };
        let tenant = tx.tenant();
        sqlx::query(
            "INSERT INTO service_request (tenant_id, case_id, version, stage, priority, category, estate_id,
                                          resident_id, received_at, changed_at, changed_xid, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, pg_current_xact_id()::text::bigint, $11)
             ON CONFLICT (tenant_id, case_id) DO UPDATE
             SET version = excluded.version, stage = excluded.stage, priority = excluded.priority, changed_at = excluded.changed_at,
                 changed_xid = excluded.changed_xid, state = excluded.state",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(self.stage.as_str())
        .bind(origin.priority.as_str())
        .bind(&origin.category)
        .bind(origin.estate_id.get())
        .bind(origin.resident_id.map(Uuid::from))
        .bind(origin.opened_at)
        .bind(last.recorded_at)
        .bind(sqlx::types::Json(self))
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::of_request(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Which service requests to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestFilter {
    /// In this estate.
    pub estate_id: Option<EstateId>,
    /// In this stage.
    pub stage: Option<RequestStage>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// Of this category.
    pub category: Option<String>,
    /// In this unit.
    pub unit_id: Option<UnitId>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub reference: Option<String>,
}

/// The statement of a list: what is read, whose rows, which filters; the end says order and place.
macro_rules! requests {
    ($place:literal) => {
        concat!(
            "SELECT case_id AS id, received_at AS at, version, changed_at, changed_xid, state FROM service_request
             WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
               AND ($3::uuid IS NULL OR resident_id = $3) AND ($4::uuid IS NULL OR estate_id = $4)
               AND ($5::text IS NULL OR stage = $5) AND ($6::text IS NULL OR priority = $6)
               AND ($7::text IS NULL OR category = $7)
               AND ($8::uuid IS NULL OR unit_id = $8)
               AND ($9::text IS NULL OR reference_end ^@ $9) ",
            $place
        )
    };
}

/// One page of the service requests that somebody may see.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list_requests(
    tx: &mut Tx,
    actor: &Actor,
    filter: &RequestFilter,
    page: PageRequest,
) -> Result<Page<Listed<ServiceRequest>>> {
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let (estates, estate) = actor.listed_estates(filter.estate_id);
    let query = match page.mode {
        Mode::Newest { .. } => sqlx::query_as::<_, StateRow<ServiceRequest>>(requests!(
            "AND ($11::timestamptz IS NULL OR (received_at, case_id) < ($11, $12::uuid))
             ORDER BY received_at DESC, case_id DESC LIMIT $10"
        )),
        Mode::Changed { .. } => sqlx::query_as(requests!(
            "AND (changed_xid, case_id) > ($11, $12) AND changed_xid < $13 ORDER BY changed_xid, case_id LIMIT $10"
        )),
    }
    .bind(tenant.get())
    .bind(estates)
    .bind(resident_of(actor))
    .bind(estate)
    .bind(filter.stage.map(RequestStage::as_str))
    .bind(filter.priority.map(Priority::as_str))
    .bind(filter.category.as_deref())
    .bind(filter.unit_id.map(UnitId::get))
    .bind(filter.reference.as_deref())
    .bind(page.fetch());
    let query = match page.mode {
        Mode::Newest { after } => query.bind(after.map(|(at, _)| at)).bind(after.map(|(_, id)| id)),
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    Ok(page.finish(rows, horizon, StateRow::key).map(StateRow::listed))
}

/// Remembers who answers for a case from now on.
///
/// # Errors
/// When the database is away.
pub(crate) async fn remember_accountable(tx: &mut Tx, case_id: CaseId, account: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO accountable (tenant_id, case_id, account) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET account = excluded.account",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(account)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether somebody answers for a case.
///
/// # Errors
/// When the database is away.
pub(crate) async fn is_accountable(tx: &mut Tx, case_id: CaseId, account: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let is = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM accountable WHERE tenant_id = $1 AND case_id = $2 AND account = $3)",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(account)
    .fetch_one(tx.conn())
    .await?;
    Ok(is)
}
