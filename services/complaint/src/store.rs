//! The SQL of the service: the row of a complaint, written with every change, and the list that reads it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use steward_chassis::{
    Error, Result, Stored,
    db::Tx,
    http::page::{Key, Mode, PageRequest},
};
use steward_kernel::{
    Actor, Recorded,
    ids::{CaseId, EstateId, ResidentId, UnitId},
    message::{Outgoing, TimerChange},
    page::Page,
    vocabulary::Priority,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{Complaint, ComplaintStage, Department, Event, Severity},
    publish,
};

/// What to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this estate.
    pub estate_id: Option<EstateId>,
    /// In this stage.
    pub stage: Option<ComplaintStage>,
    /// Of this category.
    pub category: Option<String>,
    /// As grave as this.
    pub severity: Option<Severity>,
    /// As urgent as this.
    pub priority: Option<Priority>,
    /// Of this resident.
    pub resident_id: Option<ResidentId>,
    /// About this unit.
    pub unit_id: Option<UnitId>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub reference: Option<String>,
}

/// A complaint as lists show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ComplaintLine {
    /// The case, the same in every service.
    pub case_id: CaseId,
    /// What people quote.
    #[schema(example = "C-261123-7K3QD4")]
    pub reference: String,
    /// Where it stands.
    pub stage: ComplaintStage,
    /// Code of the taxonomy.
    #[schema(example = "noise.neighbour")]
    pub category: String,
    /// How grave; absent before the assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// How urgent.
    pub priority: Priority,
    /// The estate.
    pub estate_id: EstateId,
    /// The unit, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<UnitId>,
    /// Whose matter it is, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_id: Option<ResidentId>,
    /// How many points it has.
    pub points: i32,
    /// How many remedies are not done.
    pub open_remedies: i32,
    /// How many promises are not yet kept.
    pub open_commitments: i32,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its version.
    pub version: i32,
    #[serde(skip)]
    changed_xid: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    case_id: Uuid,
    version: i32,
    reference: String,
    stage: String,
    category: String,
    severity: Option<String>,
    priority: String,
    estate_id: Uuid,
    unit_id: Option<Uuid>,
    resident_id: Option<Uuid>,
    points: i32,
    open_remedies: i32,
    open_commitments: i32,
    opened_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    changed_xid: i64,
}

impl TryFrom<Row> for ComplaintLine {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let corrupt = |column: &str| Error::internal("complaint row", format!("{column} of {}", row.case_id));
        Ok(Self {
            case_id: row.case_id.into(),
            stage: ComplaintStage::parse(&row.stage).ok_or_else(|| corrupt("stage"))?,
            severity: row
                .severity
                .as_deref()
                .map(|word| Severity::parse(word).ok_or_else(|| corrupt("severity")))
                .transpose()?,
            priority: Priority::parse(&row.priority).ok_or_else(|| corrupt("priority"))?,
            reference: row.reference,
            category: row.category,
            estate_id: row.estate_id.into(),
            unit_id: row.unit_id.map(UnitId::from),
            resident_id: row.resident_id.map(ResidentId::from),
            points: row.points,
            open_remedies: row.open_remedies,
            open_commitments: row.open_commitments,
            opened_at: row.opened_at,
            updated_at: row.updated_at,
            version: row.version,
            changed_xid: row.changed_xid,
        })
    }
}

/// The rows that an actor may see and a filter lets through; the rest of the statement gives place, order and number.
macro_rules! listed {
    ($rest:literal) => {
        concat!(
            "SELECT case_id, version, reference, stage, category, severity, priority, estate_id, unit_id, resident_id,
                    points, open_remedies, open_commitments, opened_at, updated_at, changed_xid
             FROM complaint
             WHERE tenant_id = $1
               AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::uuid IS NULL OR resident_id = $3)
               AND ($4::uuid IS NULL OR estate_id = $4) AND ($5::uuid IS NULL OR resident_id = $5)
               AND ($6::text IS NULL OR stage = $6) AND ($7::text IS NULL OR category = $7)
               AND ($8::text IS NULL OR severity = $8) AND ($9::text IS NULL OR priority = $9)
               AND ($10::uuid IS NULL OR unit_id = $10)
               AND ($11::text IS NULL OR reference_end ^@ $11) ",
            $rest
        )
    };
}

/// One page of the complaints that this actor may see: newest first, or what has changed.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn list(tx: &mut Tx, actor: &Actor, filter: &Filter, page: PageRequest) -> Result<Page<ComplaintLine>> {
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant();
    let (estates, estate) = actor.listed_estates(filter.estate_id);
    let common = |statement: &'static str| {
        sqlx::query_as::<_, Row>(statement)
            .bind(tenant.get())
            .bind(estates.clone())
            .bind(owner(actor))
            .bind(estate)
            .bind(filter.resident_id.map(ResidentId::get))
            .bind(filter.stage.map(ComplaintStage::as_str))
            .bind(filter.category.clone())
            .bind(filter.severity.map(Severity::as_str))
            .bind(filter.priority.map(Priority::as_str))
            .bind(filter.unit_id.map(UnitId::get))
            .bind(filter.reference.clone())
    };
    let query = match page.mode {
        Mode::Newest { after } => common(listed!(
            "AND ($12::timestamptz IS NULL OR (opened_at, case_id) < ($12, $13))
             ORDER BY opened_at DESC, case_id DESC LIMIT $14"
        ))
        .bind(after.map(|(at, _)| at))
        .bind(after.map(|(_, id)| id))
        .bind(page.fetch()),
        Mode::Changed { after: (changed_xid, id) } => common(listed!(
            "AND (changed_xid, case_id) > ($12, $13) AND changed_xid < $14 ORDER BY changed_xid, case_id LIMIT $15"
        ))
        .bind(changed_xid)
        .bind(id)
        .bind(horizon)
        .bind(page.fetch()),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    let lines = rows.into_iter().map(ComplaintLine::try_from).collect::<Result<Vec<_>>>()?;
    let key = |line: &ComplaintLine| Key { at: line.opened_at, id: line.case_id.get(), changed_xid: line.changed_xid };
    Ok(page.finish(lines, horizon, key))
}

/// The resident to whom an owner's list is limited. Without a resident in the token nothing is theirs.
fn owner(actor: &Actor) -> Option<Uuid> {
    actor.is_only_owner().then(|| actor.resident.map_or(Uuid::nil(), ResidentId::get))
}

/// Remembers who answers for a case from now on.
///
/// # Errors
/// When the database is away.
pub async fn remember_accountable(tx: &mut Tx, case_id: CaseId, account: &str) -> Result<()> {
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

/// Remembers that somebody was given a work order of a complaint's remedy.
///
/// # Errors
/// When the database is away.
pub async fn remember_technician(tx: &mut Tx, case_id: CaseId, account: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO remedy_technician (tenant_id, case_id, account) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(account)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers a department of dispatch's register.
///
/// # Errors
/// When the database is away.
pub async fn remember_department(tx: &mut Tx, id: Uuid, department: &Department) -> Result<()> {
    let tenant = tx.tenant();
    let estates = department.estates.as_ref().map(|estates| estates.iter().map(|id| id.get()).collect::<Vec<_>>());
    sqlx::query(
        "INSERT INTO department (tenant_id, department_id, code, estate_ids, closed, skills)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, department_id) DO UPDATE
         SET code = excluded.code, estate_ids = excluded.estate_ids, closed = excluded.closed, skills = excluded.skills",
    )
    .bind(tenant.get())
    .bind(id)
    .bind(&department.code)
    .bind(estates)
    .bind(department.closed)
    .bind(&department.skills)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Code, estates, whether it is closed, skills.
type DepartmentRow = (String, Option<Vec<Uuid>>, bool, Vec<String>);

/// The departments that dispatch has told of, by their codes.
///
/// # Errors
/// When the database is away.
pub async fn departments(tx: &mut Tx) -> Result<Vec<Department>> {
    let tenant = tx.tenant();
    let rows: Vec<DepartmentRow> =
        sqlx::query_as("SELECT code, estate_ids, closed, skills FROM department WHERE tenant_id = $1 ORDER BY code")
            .bind(tenant.get())
            .fetch_all(tx.conn())
            .await?;
    let department = |(code, estates, closed, skills): DepartmentRow| Department {
        code,
        estates: estates.map(|ids| ids.into_iter().map(EstateId::from).collect()),
        closed,
        skills,
    };
    Ok(rows.into_iter().map(department).collect())
}

/// Whether somebody answers for the complaint's case, or was given work for it.
///
/// # Errors
/// When the database is away.
pub async fn has_a_part(tx: &mut Tx, case_id: CaseId, account: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let has = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM accountable WHERE tenant_id = $1 AND case_id = $2 AND account = $3)
             OR EXISTS (SELECT FROM remedy_technician WHERE tenant_id = $1 AND case_id = $2 AND account = $3)",
    )
    .bind(tenant.get())
    .bind(case_id.get())
    .bind(account)
    .fetch_one(tx.conn())
    .await?;
    Ok(has)
}

impl Stored for Complaint {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Self::Born(matter), Some(last)) = (self, events.last()) else { return Ok(()) };
        let tenant = tx.tenant();
        sqlx::query(
            "INSERT INTO complaint (tenant_id, case_id, version, reference, stage, category, severity, priority,
                                    estate_id, unit_id, resident_id, points, open_remedies, open_commitments,
                                    opened_at, updated_at, changed_xid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                     pg_current_xact_id()::text::bigint)
             ON CONFLICT (tenant_id, case_id) DO UPDATE
             SET version = excluded.version, stage = excluded.stage, category = excluded.category,
                 severity = excluded.severity, priority = excluded.priority, points = excluded.points, open_remedies = excluded.open_remedies,
                 open_commitments = excluded.open_commitments, updated_at = excluded.updated_at,
                 changed_xid = excluded.changed_xid",
        )
        .bind(tenant.get())
        .bind(matter.case_id.get())
        .bind(last.version.get())
        .bind(&matter.receipt.reference)
        .bind(matter.stage.as_str())
        .bind(&matter.category)
        .bind(matter.severity.map(Severity::as_str))
        .bind(matter.priority.as_str())
        .bind(matter.receipt.estate_id.get())
        .bind(matter.receipt.unit_id.map(UnitId::get))
        .bind(matter.receipt.resident_id.map(ResidentId::get))
        .bind(count(matter.points.len()))
        .bind(count(matter.open_remedies()))
        .bind(count(matter.open_commitments()))
        .bind(matter.receipt.opened_at)
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::outgoing(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
