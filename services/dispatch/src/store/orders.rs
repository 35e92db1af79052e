//! Work orders.

use std::collections::{HashMap, HashSet};

use sqlx::types::Json;
use steward_chassis::{Error, Result, Stored, db, db::Tx, http::PageRequest, http::page::Mode};
use steward_kernel::{
    Actor, Recorded,
    ids::{CaseId, EstateId, UnitId, WorkOrderId},
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{Listed, StateRow};
use crate::{
    domain::{
        FileId, OrderProgress, TechnicianId,
        order::{Event, OrderStatus, WorkOrder},
    },
    publish,
};

impl Stored for WorkOrder {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(job), Some(last)) = (&self.job, events.last()) else { return Ok(()) };
        let tenant = tx.tenant();
        let written = sqlx::query(
            "INSERT INTO work_order (tenant_id, work_order_id, version, reference, status, case_id, remedy_id,
                                     department, priority, estate_id, technician_id, opened_at, changed_at, changed_xid, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, pg_current_xact_id()::text::bigint, $14)
             ON CONFLICT (tenant_id, work_order_id) DO UPDATE
             SET version = excluded.version, status = excluded.status, department = excluded.department,
                 priority = excluded.priority, technician_id = excluded.technician_id,
                 changed_at = excluded.changed_at, changed_xid = excluded.changed_xid, state = excluded.state",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(&job.reference)
        .bind(self.status.as_str())
        .bind(job.case_id.get())
        .bind(job.remedy_id.map(Uuid::from))
        .bind(job.department.as_str())
        .bind(job.priority.as_str())
        .bind(job.estate_id.get())
        .bind(self.technician_id.map(Uuid::from))
        .bind(job.opened_at)
        .bind(last.recorded_at)
        .bind(sqlx::types::Json(self))
        .execute(tx.conn())
        .await;
        // Two of a day may draw the same reference, once in a long while: begun again, it is another one.
        db::on_constraint(written, "work_order_reference_key", || Error::Busy)?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::of_order(self, event)
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::order_timers(event)
    }
}

/// Which work orders to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderFilter {
    /// In this estate.
    pub estate_id: Option<EstateId>,
    /// In this status.
    pub status: Option<OrderStatus>,
    /// Whose.
    pub technician_id: Option<TechnicianId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// Of the department with this code.
    pub department: Option<String>,
    /// Done, and whether all that proves it is stored.
    pub proven: Option<bool>,
    /// In this unit.
    pub unit_id: Option<UnitId>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub reference: Option<String>,
}

/// The statement of a list: what is read, whose rows, which filters; the end says order and place.
macro_rules! orders {
    ($place:literal) => {
        concat!(
            "SELECT work_order_id AS id, opened_at AS at, version, changed_at, changed_xid, state FROM work_order
             WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
               AND ($3::uuid IS NULL OR estate_id = $3) AND ($4::text IS NULL OR status = $4)
               AND ($5::uuid IS NULL OR technician_id = $5) AND ($6::uuid IS NULL OR case_id = $6)
               AND ($7::text IS NULL OR department = $7)
               AND ($8::uuid IS NULL OR unit_id = $8)
               AND ($9::text IS NULL OR reference_end ^@ $9)
               AND ($10::boolean IS NULL OR (status IN ('completed', 'verified') AND $10 = NOT EXISTS (
                   SELECT FROM jsonb_array_elements_text(state -> 'completion' -> 'file_ids') AS proof
                   WHERE NOT EXISTS (SELECT FROM stored_file f
                                     WHERE f.tenant_id = work_order.tenant_id AND f.file_id = proof::uuid
                                       AND (f.account = '' OR NOT state -> 'completion' ? 'proof_by'
                                            OR state #> '{completion,proof_by}' ? f.account))))) ",
            $place
        )
    };
}

/// One page of the work orders that somebody may see.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list_orders(
    tx: &mut Tx,
    actor: &Actor,
    filter: &OrderFilter,
    page: PageRequest,
) -> Result<Page<Listed<WorkOrder>>> {
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let (estates, estate) = actor.listed_estates(filter.estate_id);
    let query = match page.mode {
        Mode::Newest { .. } => sqlx::query_as::<_, StateRow<WorkOrder>>(orders!(
            "AND ($12::timestamptz IS NULL OR (opened_at, work_order_id) < ($12, $13::uuid))
             ORDER BY opened_at DESC, work_order_id DESC LIMIT $11"
        )),
        Mode::Changed { .. } => sqlx::query_as(orders!(
            "AND (changed_xid, work_order_id) > ($12, $13) AND changed_xid < $14
             ORDER BY changed_xid, work_order_id LIMIT $11"
        )),
    }
    .bind(tenant.get())
    .bind(estates)
    .bind(estate)
    .bind(filter.status.map(OrderStatus::as_str))
    .bind(filter.technician_id.map(Uuid::from))
    .bind(filter.case_id.map(Uuid::from))
    .bind(filter.department.as_deref())
    .bind(filter.unit_id.map(UnitId::get))
    .bind(filter.reference.as_deref())
    .bind(filter.proven)
    .bind(page.fetch());
    let query = match page.mode {
        Mode::Newest { after } => query.bind(after.map(|(at, _)| at)).bind(after.map(|(_, id)| id)),
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    Ok(page.finish(rows, horizon, StateRow::key).map(StateRow::listed))
}

/// The work orders of a case that are neither done nor called off.
///
/// # Errors
/// When the database is away.
pub(crate) async fn open_orders_of(tx: &mut Tx, case_id: CaseId) -> Result<Vec<WorkOrderId>> {
    let tenant = tx.tenant();
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT work_order_id FROM work_order WHERE tenant_id = $1 AND case_id = $2 AND status = ANY($3)
         ORDER BY opened_at, work_order_id",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(open_statuses())
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(WorkOrderId::from).collect())
}

/// The work orders that these technicians have and have not finished.
///
/// # Errors
/// When the database is away.
pub(crate) async fn orders_held_by(tx: &mut Tx, technicians: &[TechnicianId]) -> Result<Vec<WorkOrder>> {
    let tenant = tx.tenant();
    // What is over said once more, for the index work_order_load.
    let states: Vec<Json<WorkOrder>> = sqlx::query_scalar(
        "SELECT state FROM work_order WHERE tenant_id = $1 AND technician_id = ANY($2) AND status = ANY($3)
           AND status NOT IN ('verified', 'cancelled')
         ORDER BY opened_at, work_order_id",
    )
    .bind(tenant.get())
    .bind(technicians.iter().map(|id| id.get()).collect::<Vec<_>>())
    .bind(OrderStatus::BUSY.map(OrderStatus::as_str).as_slice())
    .fetch_all(tx.conn())
    .await?;
    Ok(states.into_iter().map(|state| state.0).collect())
}

/// The work orders of these departments that are neither done nor called off.
///
/// # Errors
/// When the database is away.
pub(crate) async fn open_orders_with(tx: &mut Tx, departments: &[String]) -> Result<Vec<WorkOrder>> {
    let tenant = tx.tenant();
    let states: Vec<Json<WorkOrder>> = sqlx::query_scalar(
        "SELECT state FROM work_order WHERE tenant_id = $1 AND department = ANY($2) AND status = ANY($3)
           AND status NOT IN ('verified', 'cancelled')
         ORDER BY opened_at, work_order_id",
    )
    .bind(tenant.get())
    .bind(departments)
    .bind(open_statuses())
    .fetch_all(tx.conn())
    .await?;
    Ok(states.into_iter().map(|state| state.0).collect())
}

/// The statuses of work orders that are neither done nor called off.
fn open_statuses() -> Vec<&'static str> {
    let is_open = |status: &&OrderStatus| matches!(status.progress(), OrderProgress::Open | OrderProgress::Accepted);
    OrderStatus::ALL.iter().filter(is_open).map(|status| status.as_str()).collect()
}

/// Which files of these work orders intake has stored; what proves that one is done counts when it is theirs who did it.
///
/// # Errors
/// When the database is away.
pub(crate) async fn stored_of<'o>(
    tx: &mut Tx,
    orders: impl Iterator<Item = &'o WorkOrder> + Clone,
) -> Result<HashSet<FileId>> {
    let files: Vec<Uuid> = orders.clone().flat_map(WorkOrder::files).map(Uuid::from).collect();
    if files.is_empty() {
        return Ok(HashSet::new());
    }
    let tenant = tx.tenant();
    let stored: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT file_id, account FROM stored_file WHERE tenant_id = $1 AND file_id = ANY($2)")
            .bind(tenant.get())
            .bind(files)
            .fetch_all(tx.conn())
            .await?;
    let stored: HashMap<FileId, String> = stored.into_iter().map(|(id, account)| (FileId::from(id), account)).collect();
    let is_there =
        |order: &WorkOrder, file: &FileId| stored.get(file).is_some_and(|account| order.is_proven_by(*file, account));
    Ok(orders.flat_map(|order| order.files().filter(move |file| is_there(order, file))).collect())
}

/// The work orders whose proof is missed and may have come with this file.
///
/// # Errors
/// When the database is away.
pub(crate) async fn orders_that_miss(tx: &mut Tx, file: Uuid) -> Result<Vec<WorkOrderId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT work_order_id FROM work_order
         WHERE tenant_id = $1 AND state ? 'proof_missed' AND state #> '{completion,file_ids}' ? $2",
    )
    .bind(tx.tenant().get())
    .bind(file.to_string())
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(WorkOrderId::from).collect())
}

/// Who stored which of these files, as far as intake has told.
///
/// # Errors
/// When the database is away.
pub(crate) async fn accounts_of_files(tx: &mut Tx, files: &[FileId]) -> Result<HashMap<FileId, String>> {
    let tenant = tx.tenant();
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT file_id, account FROM stored_file WHERE tenant_id = $1 AND file_id = ANY($2) AND account <> ''",
    )
    .bind(tenant.get())
    .bind(files.iter().copied().map(Uuid::from).collect::<Vec<_>>())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|(file, account)| (FileId::from(file), account)).collect())
}
