//! Cases: the row that lists read.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Actor, Recorded, Version,
    ids::{EstateId, ResidentId, UnitId},
    message::{Outgoing, TimerChange},
    page::Page,
    vocabulary::{CaseKind, CaseStatus},
};
use uuid::Uuid;

use super::list::{listed, statements};
use crate::{
    domain::{
        FileId, VisitId,
        case::{Case, Event},
    },
    publish,
};

/// A case as lists show it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct CaseRow {
    /// Which.
    pub case_id: Uuid,
    /// Version of the aggregate.
    pub version: i32,
    #[sqlx(default)]
    changed_xid: i64,
    /// What people quote.
    pub reference: String,
    /// Word of its kind.
    pub kind: String,
    /// Code of the taxonomy.
    pub category: String,
    /// Word of its priority.
    pub priority: String,
    /// Word of its status.
    pub status: String,
    /// Stage in the service that works on it.
    pub stage: String,
    /// What the owner said.
    pub words: String,
    /// Word of the way by which it came.
    pub channel: String,
    /// Where.
    pub estate_id: Uuid,
    /// Which unit.
    pub unit_id: Option<Uuid>,
    /// Whose matter it is.
    pub resident_id: Option<Uuid>,
    /// The visit in which it came up.
    pub visit_id: Option<Uuid>,
    /// Cases that belong to it.
    pub linked_case_ids: Vec<Uuid>,
    /// Photos and documents.
    pub file_ids: Vec<Uuid>,
    /// Photos and documents of finished work.
    pub proof_file_ids: Vec<Uuid>,
    /// Tag of the language to answer in.
    pub language: String,
    /// The unit from which the trouble comes.
    pub source_unit_id: Option<Uuid>,
    /// Whether the owner wishes that it is looked at soon.
    pub urgent: bool,
    /// Role word of who opened it.
    pub opened_by: String,
    /// Whether the owner was asked how it went.
    pub satisfaction_asked: bool,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl CaseRow {
    /// The row of a case; `None` before it is opened.
    #[must_use]
    pub fn of(case: &Case, version: Version, updated_at: DateTime<Utc>) -> Option<Self> {
        let opening = case.opening.as_deref()?;
        Some(Self {
            case_id: case.id.get(),
            version: version.get(),
            changed_xid: 0,
            reference: opening.reference.clone(),
            kind: opening.kind.to_string(),
            category: case.category.clone(),
            priority: opening.priority.to_string(),
            status: case.status.to_string(),
            stage: case.stage.clone(),
            words: opening.words.to_string(),
            channel: opening.channel.to_string(),
            estate_id: opening.estate.get(),
            unit_id: opening.unit.map(Into::into),
            resident_id: opening.resident.map(Into::into),
            visit_id: opening.visit.map(Into::into),
            linked_case_ids: case.linked.iter().map(|linked| linked.get()).collect(),
            file_ids: opening.files.iter().map(|file| file.get()).collect(),
            proof_file_ids: case.proof.iter().map(|file| file.get()).collect(),
            language: opening.language.to_string(),
            source_unit_id: opening.source_unit.map(Into::into),
            urgent: opening.urgent,
            opened_by: opening.opened_by.to_string(),
            satisfaction_asked: case.satisfaction_asked,
            said_at: opening.said_at,
            opened_at: opening.opened_at,
            updated_at,
        })
    }
}

impl Stored for Case {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        let Some(row) = CaseRow::of(self, last.version, last.recorded_at) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO intake_case (tenant_id, changed_xid, case_id, version, reference, kind, category, priority,
                 status, stage, words, channel, estate_id, unit_id, resident_id, visit_id, linked_case_ids, file_ids,
                 language, opened_by, satisfaction_asked, said_at, opened_at, updated_at, source_unit_id, urgent, proof_file_ids)
             VALUES ($1, pg_current_xact_id()::text::bigint, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                 $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
             ON CONFLICT (tenant_id, case_id) DO UPDATE
             SET changed_xid = excluded.changed_xid, version = excluded.version, category = excluded.category,
                 priority = excluded.priority, status = excluded.status, stage = excluded.stage, linked_case_ids = excluded.linked_case_ids,
                 satisfaction_asked = excluded.satisfaction_asked, proof_file_ids = excluded.proof_file_ids,
                 updated_at = excluded.updated_at",
        )
        .bind(tx.tenant().get())
        .bind(row.case_id)
        .bind(row.version)
        .bind(row.reference)
        .bind(row.kind)
        .bind(row.category)
        .bind(row.priority)
        .bind(row.status)
        .bind(row.stage)
        .bind(row.words)
        .bind(row.channel)
        .bind(row.estate_id)
        .bind(row.unit_id)
        .bind(row.resident_id)
        .bind(row.visit_id)
        .bind(row.linked_case_ids)
        .bind(row.file_ids)
        .bind(row.language)
        .bind(row.opened_by)
        .bind(row.satisfaction_asked)
        .bind(row.said_at)
        .bind(row.opened_at)
        .bind(row.updated_at)
        .bind(row.source_unit_id)
        .bind(row.urgent)
        .bind(row.proof_file_ids)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::case(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Which cases to list.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Of this estate.
    pub estate: Option<EstateId>,
    /// Of this resident.
    pub resident: Option<ResidentId>,
    /// Of this kind.
    pub kind: Option<CaseKind>,
    /// In this status.
    pub status: Option<CaseStatus>,
    /// Of this category.
    pub category: Option<String>,
    /// That came up in this visit.
    pub visit: Option<VisitId>,
    /// About this unit.
    pub unit: Option<UnitId>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub reference: Option<String>,
}

/// Borders of what somebody may list: the estates of staff, the one resident of an owner.
///
/// An owner whose account belongs to no resident sees what belongs to the nil resident: nothing.
pub(super) fn borders(actor: &Actor) -> (Option<Vec<Uuid>>, Option<Uuid>) {
    if actor.is_only_owner() {
        return (None, Some(actor.resident.map_or(Uuid::nil(), Into::into)));
    }
    (actor.estates.as_ref().map(|estates| estates.iter().map(|estate| estate.get()).collect()), None)
}

/// One page of the cases that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn list(tx: &mut Tx, actor: &Actor, filter: CaseFilter, page: PageRequest) -> Result<Page<CaseRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT case_id, version, changed_xid, reference, kind, category, priority, status, stage, words, channel,
             estate_id, unit_id, resident_id, visit_id, linked_case_ids, file_ids, language, opened_by,
             satisfaction_asked, said_at, opened_at, updated_at, source_unit_id, urgent, proof_file_ids
         FROM intake_case WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR resident_id = $8) AND ($9::uuid IS NULL OR estate_id = $9)
             AND ($10::uuid IS NULL OR resident_id = $10) AND ($11::text IS NULL OR kind = $11)
             AND ($12::text IS NULL OR status = $12) AND ($13::text IS NULL OR category = $13)
             AND ($14::uuid IS NULL OR visit_id = $14) AND ($15::text IS NULL OR reference_end ^@ $15)
             AND ($16::uuid IS NULL OR unit_id = $16)",
        at = "opened_at",
        id = "case_id"
    );
    let horizon = page.horizon(tx).await?;
    let (_, own) = borders(actor);
    let (estates, estate) = actor.listed_estates(filter.estate);
    let rows: Vec<CaseRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(own)
        .bind(estate)
        .bind(filter.resident.map(ResidentId::get))
        .bind(filter.kind.map(CaseKind::as_str))
        .bind(filter.status.map(CaseStatus::as_str))
        .bind(filter.category)
        .bind(filter.visit.map(VisitId::get))
        .bind(filter.reference)
        .bind(filter.unit.map(UnitId::get))
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &CaseRow| Key { at: row.opened_at, id: row.case_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// Whether all these files were stored, the actor may see them (owners what they stored, staff what belongs to their estates), and they go with
/// a case of that estate and resident: what an owner has stored goes with their own cases only.
///
/// # Errors
/// When the database is away.
pub async fn has_files(
    tx: &mut Tx,
    actor: &Actor,
    (estate, resident): (EstateId, Option<ResidentId>),
    files: &[FileId],
) -> Result<bool> {
    let (estates, own) = borders(actor);
    let mut wanted: Vec<Uuid> = files.iter().map(|file| file.get()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let found: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM file
         WHERE tenant_id = $1 AND file_id = ANY($2) AND ($3::uuid IS NULL OR resident_id = $3)
             AND ($4::uuid[] IS NULL OR estate_ids IS NULL OR estate_ids && $4)
             AND (estate_ids IS NULL OR $5 = ANY(estate_ids)) AND (resident_id IS NULL OR resident_id = $6)",
    )
    .bind(tx.tenant().get())
    .bind(&wanted)
    .bind(own)
    .bind(estates)
    .bind(estate.get())
    .bind(resident.map(ResidentId::get))
    .fetch_one(tx.conn())
    .await?;
    Ok(usize::try_from(found) == Ok(wanted.len()))
}

/// Those of the cases that are the owner's own.
///
/// # Errors
/// When the database is away.
pub async fn own_among(tx: &mut Tx, owner: &Actor, cases: &[Uuid]) -> Result<Vec<Uuid>> {
    let Some(resident) = owner.resident.filter(|_| !cases.is_empty()) else { return Ok(Vec::new()) };
    let own = sqlx::query_scalar(
        "SELECT case_id FROM intake_case WHERE tenant_id = $1 AND case_id = ANY($2) AND resident_id = $3",
    )
    .bind(tx.tenant().get())
    .bind(cases)
    .bind(resident.get())
    .fetch_all(tx.conn())
    .await?;
    Ok(own)
}

/// Whether a file proves to that resident that work on a case of theirs is done.
///
/// # Errors
/// When the database is away.
pub async fn proves_to(tx: &mut Tx, resident: ResidentId, file: FileId) -> Result<bool> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM intake_case WHERE tenant_id = $1 AND resident_id = $2 AND $3 = ANY(proof_file_ids))",
    )
    .bind(tx.tenant().get())
    .bind(resident.get())
    .bind(file.get())
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}
