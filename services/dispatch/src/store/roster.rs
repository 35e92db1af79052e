//! Departments, technicians, shifts, and the estates they serve.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use steward_chassis::{
    Result,
    db::Tx,
    http::PageRequest,
    http::page::{Key, Mode},
};
use steward_kernel::{Actor, Version, ids::EstateId, page::Page, text::Text};
use uuid::Uuid;

use super::{corrupt, estates_of};
use crate::domain::{
    TechnicianId,
    candidates::Crew,
    order::{Job, OrderStatus},
    roster::{Department, Estates, Shift, Technician},
};

/// A row of the roster with its version.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    /// What the row says.
    pub row: T,
    /// How often it was written.
    pub version: Version,
}

fn text<const MAX: usize>(raw: &str) -> Result<Text<MAX>> {
    Text::try_new(raw).map_err(corrupt)
}

fn estates_from(ids: Option<Vec<Uuid>>) -> Estates {
    ids.map_or(Estates::All, |ids| Estates::Some(ids.into_iter().map(EstateId::from).collect()))
}

pub(super) fn estates_into(estates: &Estates) -> Option<Vec<Uuid>> {
    match estates {
        Estates::All => None,
        Estates::Some(estates) => Some(estates.iter().map(|estate| estate.get()).collect()),
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct DepartmentRow {
    department_id: Uuid,
    pub(super) code: String,
    name: String,
    estate_ids: Option<Vec<Uuid>>,
    contractor: bool,
    closed: bool,
    version: i32,
    created_at: DateTime<Utc>,
    changed_xid: i64,
}

impl DepartmentRow {
    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.department_id, changed_xid: self.changed_xid }
    }

    pub(super) fn kept(self) -> Result<Kept<Department>> {
        let row = Department {
            id: self.department_id.into(),
            code: text(&self.code)?,
            name: text(&self.name)?,
            estates: estates_from(self.estate_ids),
            contractor: self.contractor,
            closed: self.closed,
        };
        Ok(Kept { row, version: Version(self.version) })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct TechnicianRow {
    technician_id: Uuid,
    pub(super) code: String,
    name: String,
    account: String,
    department: String,
    skills: Vec<String>,
    estate_ids: Option<Vec<Uuid>>,
    has_left: bool,
    version: i32,
    created_at: DateTime<Utc>,
    changed_xid: i64,
}

impl TechnicianRow {
    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.technician_id, changed_xid: self.changed_xid }
    }

    pub(super) fn kept(self) -> Result<Kept<Technician>> {
        let row = Technician {
            id: self.technician_id.into(),
            code: text(&self.code)?,
            name: text(&self.name)?,
            account: text(&self.account)?,
            department: text(&self.department)?,
            skills: self.skills.into_iter().collect(),
            estates: estates_from(self.estate_ids),
            left: self.has_left,
        };
        Ok(Kept { row, version: Version(self.version) })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct ShiftRow {
    shift_id: Uuid,
    technician_id: Uuid,
    starts_on: NaiveDate,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    called_off: bool,
    version: i32,
    changed_xid: i64,
}

impl ShiftRow {
    fn key(&self) -> Key {
        Key { at: self.starts_at, id: self.shift_id, changed_xid: self.changed_xid }
    }

    pub(super) fn kept(self) -> Kept<Shift> {
        let row = Shift {
            id: self.shift_id.into(),
            technician_id: self.technician_id.into(),
            on: self.starts_on,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            called_off: self.called_off,
        };
        Kept { row, version: Version(self.version) }
    }
}

fn page_of<R, T>(page: Page<R>, kept: impl Fn(R) -> Result<Kept<T>>) -> Result<Page<Kept<T>>> {
    let items = page.items.into_iter().map(kept).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, since: page.since })
}

/// Which departments to list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DepartmentFilter {
    /// That serve this estate.
    pub estate_id: Option<EstateId>,
}

/// One page of the departments that serve an estate somebody may see.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list_departments(
    tx: &mut Tx,
    actor: &Actor,
    filter: &DepartmentFilter,
    page: PageRequest,
) -> Result<Page<Kept<Department>>> {
    macro_rules! list {
        ($place:literal) => {
            concat!(
                "SELECT department_id, code, name, estate_ids, contractor, closed, version, created_at, changed_xid
                 FROM department
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_ids IS NULL OR estate_ids && $2)
                   AND ($3::uuid IS NULL OR ($2 IS NULL OR $3 = ANY($2)) AND (estate_ids IS NULL OR $3 = ANY(estate_ids))) ",
                $place
            )
        };
    }
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let query = match page.mode {
        Mode::Newest { .. } => sqlx::query_as::<_, DepartmentRow>(list!(
            "AND ($5::timestamptz IS NULL OR (created_at, department_id) < ($5, $6::uuid))
             ORDER BY created_at DESC, department_id DESC LIMIT $4"
        )),
        Mode::Changed { .. } => sqlx::query_as(list!(
            "AND (changed_xid, department_id) > ($5, $6) AND changed_xid < $7
             ORDER BY changed_xid, department_id LIMIT $4"
        )),
    }
    .bind(tenant.get())
    .bind(estates_of(actor))
    .bind(filter.estate_id.map(Uuid::from))
    .bind(page.fetch());
    let query = match page.mode {
        Mode::Newest { after } => query.bind(after.map(|(at, _)| at)).bind(after.map(|(_, id)| id)),
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    page_of(page.finish(rows, horizon, DepartmentRow::key), DepartmentRow::kept)
}

/// Which technicians to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct TechnicianFilter {
    /// Who serve this estate.
    pub estate_id: Option<EstateId>,
    /// Who have this skill.
    pub skill: Option<String>,
    /// Who are on shift at this time, or are not.
    pub on_shift: Option<(bool, DateTime<Utc>)>,
}

/// One page of the technicians who serve an estate somebody may see.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list_technicians(
    tx: &mut Tx,
    actor: &Actor,
    filter: &TechnicianFilter,
    page: PageRequest,
) -> Result<Page<Kept<Technician>>> {
    // A shift lasts 24 hours at most: without saying so, all that somebody ever had would be read.
    macro_rules! list {
        ($place:literal) => {
            concat!(
                "SELECT technician_id, code, name, account, department, skills, estate_ids, has_left, version, created_at,
                        changed_xid
                 FROM technician t
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_ids IS NULL OR estate_ids && $2)
                   AND ($3::uuid IS NULL OR ($2 IS NULL OR $3 = ANY($2)) AND (estate_ids IS NULL OR $3 = ANY(estate_ids)))
                   AND ($4::text IS NULL OR $4 = ANY(skills))
                   AND ($5::bool IS NULL OR $5 = EXISTS (
                       SELECT FROM shift s WHERE s.tenant_id = $1 AND s.technician_id = t.technician_id
                         AND NOT s.called_off AND s.starts_at <= $6 AND s.ends_at > $6
                         AND s.starts_at > $6 - interval '24 hours')) ",
                $place
            )
        };
    }
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let query = match page.mode {
        Mode::Newest { .. } => sqlx::query_as::<_, TechnicianRow>(list!(
            "AND ($8::timestamptz IS NULL OR (created_at, technician_id) < ($8, $9::uuid))
             ORDER BY created_at DESC, technician_id DESC LIMIT $7"
        )),
        Mode::Changed { .. } => sqlx::query_as(list!(
            "AND (changed_xid, technician_id) > ($8, $9) AND changed_xid < $10
             ORDER BY changed_xid, technician_id LIMIT $7"
        )),
    }
    .bind(tenant.get())
    .bind(estates_of(actor))
    .bind(filter.estate_id.map(Uuid::from))
    .bind(filter.skill.as_deref())
    .bind(filter.on_shift.map(|(wanted, _)| wanted))
    .bind(filter.on_shift.map(|(_, now)| now))
    .bind(page.fetch());
    let query = match page.mode {
        Mode::Newest { after } => query.bind(after.map(|(at, _)| at)).bind(after.map(|(_, id)| id)),
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    page_of(page.finish(rows, horizon, TechnicianRow::key), TechnicianRow::kept)
}

/// Which shifts to list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShiftFilter {
    /// Whose.
    pub technician_id: Option<TechnicianId>,
    /// Of those who serve this estate.
    pub estate_id: Option<EstateId>,
    /// Starting on this day or later.
    pub from: Option<NaiveDate>,
    /// Starting on this day or earlier.
    pub to: Option<NaiveDate>,
}

/// One page of the shifts of technicians who serve an estate somebody may see. Those called off show in the change
/// feed only.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list_shifts(
    tx: &mut Tx,
    actor: &Actor,
    filter: &ShiftFilter,
    page: PageRequest,
) -> Result<Page<Kept<Shift>>> {
    macro_rules! list {
        ($place:literal) => {
            concat!(
                "SELECT shift_id, technician_id, starts_on, starts_at, ends_at, called_off, s.version, s.changed_xid
                 FROM shift s JOIN technician t USING (tenant_id, technician_id)
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_ids IS NULL OR estate_ids && $2)
                   AND ($3::uuid IS NULL OR technician_id = $3)
                   AND ($4::uuid IS NULL OR ($2 IS NULL OR $4 = ANY($2)) AND (estate_ids IS NULL OR $4 = ANY(estate_ids)))
                   AND ($5::date IS NULL OR starts_on >= $5) AND ($6::date IS NULL OR starts_on <= $6) ",
                $place
            )
        };
    }
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let query = match page.mode {
        Mode::Newest { .. } => sqlx::query_as::<_, ShiftRow>(list!(
            "AND NOT called_off AND ($8::timestamptz IS NULL OR (starts_at, shift_id) < ($8, $9::uuid))
             ORDER BY starts_at DESC, shift_id DESC LIMIT $7"
        )),
        Mode::Changed { .. } => sqlx::query_as(list!(
            "AND (s.changed_xid, shift_id) > ($8, $9) AND s.changed_xid < $10 ORDER BY s.changed_xid, shift_id LIMIT $7"
        )),
    }
    .bind(tenant.get())
    .bind(estates_of(actor))
    .bind(filter.technician_id.map(Uuid::from))
    .bind(filter.estate_id.map(Uuid::from))
    .bind(filter.from)
    .bind(filter.to)
    .bind(page.fetch());
    let query = match page.mode {
        Mode::Newest { after } => query.bind(after.map(|(at, _)| at)).bind(after.map(|(_, id)| id)),
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    page_of(page.finish(rows, horizon, ShiftRow::key), |row| Ok(row.kept()))
}

/// A technician.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find_technician(tx: &mut Tx, id: TechnicianId) -> Result<Option<Kept<Technician>>> {
    let tenant = tx.tenant();
    let row: Option<TechnicianRow> = sqlx::query_as(
        "SELECT technician_id, code, name, account, department, skills, estate_ids, has_left, version, created_at, changed_xid
         FROM technician WHERE tenant_id = $1 AND technician_id = $2",
    )
    .bind(tenant.get())
    .bind(id.get())
    .fetch_optional(tx.conn())
    .await?;
    row.map(TechnicianRow::kept).transpose()
}

/// The technician with that account.
///
/// # Errors
/// When the database is away.
pub(crate) async fn technician_of_account(tx: &mut Tx, account: &str) -> Result<Option<TechnicianId>> {
    let tenant = tx.tenant();
    let id: Option<Uuid> = sqlx::query_scalar(
        "SELECT technician_id FROM technician WHERE tenant_id = $1 AND account = $2 AND NOT has_left",
    )
    .bind(tenant.get())
    .bind(account)
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(TechnicianId::from))
}

/// The department with that code.
///
/// # Errors
/// When the database is away.
pub(crate) async fn find_department(tx: &mut Tx, code: &str) -> Result<Option<Department>> {
    let tenant = tx.tenant();
    let row: Option<DepartmentRow> = sqlx::query_as(
        "SELECT department_id, code, name, estate_ids, contractor, closed, version, created_at, changed_xid
         FROM department WHERE tenant_id = $1 AND code = $2",
    )
    .bind(tenant.get())
    .bind(code)
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| Ok(row.kept()?.row)).transpose()
}

/// Everybody who has the job's skill and serves its estate, and what they are at now.
///
/// # Errors
/// When the database is away.
pub(crate) async fn crews(tx: &mut Tx, job: &Job, now: DateTime<Utc>) -> Result<Vec<Crew>> {
    #[derive(sqlx::FromRow)]
    struct CrewRow {
        #[sqlx(flatten)]
        technician: TechnicianRow,
        on_shift: bool,
        open_orders: i64,
    }
    let tenant = tx.tenant();
    // A shift lasts 24 hours at most, and nobody is busy with what is over: said in the statement, so that neither the
    // shifts nor the work orders of years are read (index work_order_load).
    let rows: Vec<CrewRow> = sqlx::query_as(
        "SELECT technician_id, code, name, account, department, skills, estate_ids, has_left, version, created_at, changed_xid,
                EXISTS (SELECT FROM shift s WHERE s.tenant_id = $1 AND s.technician_id = t.technician_id
                          AND NOT s.called_off AND s.starts_at <= $4 AND s.ends_at > $4
                          AND s.starts_at > $4 - interval '24 hours') AS on_shift,
                (SELECT count(*) FROM work_order w WHERE w.tenant_id = $1 AND w.technician_id = t.technician_id
                   AND w.status = ANY($5) AND w.status NOT IN ('verified', 'cancelled')) AS open_orders
         FROM technician t
         WHERE tenant_id = $1 AND NOT has_left AND ($2::text IS NULL OR $2 = ANY(skills))
           AND (estate_ids IS NULL OR $3 = ANY(estate_ids))",
    )
    .bind(tenant.get())
    .bind(job.skill.as_ref().map(|skill| skill.as_str().to_owned()))
    .bind(job.estate_id.get())
    .bind(now)
    .bind(OrderStatus::BUSY.map(OrderStatus::as_str).as_slice())
    .fetch_all(tx.conn())
    .await?;
    let crew = |row: CrewRow| {
        let open_orders = u32::try_from(row.open_orders).unwrap_or(u32::MAX);
        Ok(Crew { technician: row.technician.kept()?.row, on_shift: row.on_shift, open_orders })
    };
    rows.into_iter().map(crew).collect()
}

/// All estates of the company.
///
/// # Errors
/// When the database is away.
pub(crate) async fn estates(tx: &mut Tx) -> Result<Vec<EstateId>> {
    Ok(estates_by_code(tx).await?.into_values().map(|estate| estate.id).collect())
}

/// An estate, as far as the roster needs it.
#[derive(Debug, Clone)]
pub(crate) struct KnownEstate {
    /// Its id.
    pub id: EstateId,
    /// Its IANA time zone.
    pub time_zone: String,
}

/// All estates of the company by their codes.
///
/// # Errors
/// When the database is away.
pub(crate) async fn estates_by_code(tx: &mut Tx) -> Result<BTreeMap<String, KnownEstate>> {
    let tenant = tx.tenant();
    let rows: Vec<(String, Uuid, String)> =
        sqlx::query_as("SELECT code, estate_id, time_zone FROM estate WHERE tenant_id = $1 ORDER BY registered_at")
            .bind(tenant.get())
            .fetch_all(tx.conn())
            .await?;
    let known = |(code, id, time_zone): (String, Uuid, String)| (code, KnownEstate { id: id.into(), time_zone });
    Ok(rows.into_iter().map(known).collect())
}
