//! The company's people.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Recorded,
    ids::EstateId,
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{
    list::{listed, statements},
    register::{text, uuids},
};
use crate::{
    domain::{
        register::{StaffId, StaffMember},
        staff::{Event, StaffEntry},
    },
    publish,
};

/// The register itself has the row; the log has what others are told.
impl Stored for StaffEntry {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<Event>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        Some(publish::staff(self, event))
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

#[derive(Debug, FromRow)]
struct StaffRow {
    staff_id: Uuid,
    changed_xid: i64,
    code: String,
    name: String,
    role: String,
    department: String,
    account: String,
    estate_ids: Option<Vec<Uuid>>,
    has_left: bool,
    registered_at: DateTime<Utc>,
}

impl StaffRow {
    fn read(self) -> Result<(StaffId, StaffMember)> {
        let member = StaffMember {
            code: text(&self.code)?,
            name: text(&self.name)?,
            role: text(&self.role)?,
            department: text(&self.department)?,
            estates: self.estate_ids.map(|ids| ids.into_iter().map(EstateId::from).collect()),
            account: self.account,
            left: self.has_left,
        };
        Ok((self.staff_id.into(), member))
    }
}

/// One page of the company's people, newest first.
///
/// * `visible`: the estates that the caller may see; `None` = all.
/// * `estate`: only who works for this estate.
///
/// # Errors
/// When the database is away.
pub async fn list_staff(
    tx: &mut Tx,
    visible: Option<&[EstateId]>,
    estate: Option<EstateId>,
    role: Option<&str>,
    page: PageRequest,
) -> Result<Page<(StaffId, StaffMember)>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT staff_id, changed_xid, code, name, role, department, account, estate_ids, has_left, registered_at
         FROM staff WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_ids IS NULL OR estate_ids && $7)
         AND ($8::uuid IS NULL OR estate_ids IS NULL OR $8 = ANY(estate_ids)) AND ($9::text IS NULL OR role = $9)",
        at = "registered_at",
        id = "staff_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<StaffRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(visible.map(uuids))
        .bind(estate.map(EstateId::get))
        .bind(role.map(str::to_owned))
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &StaffRow| Key { at: row.registered_at, id: row.staff_id, changed_xid: row.changed_xid };
    let Page { items, next_cursor, since } = page.finish(rows, horizon, key);
    let items = items.into_iter().map(StaffRow::read).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}

/// The people with these codes.
///
/// # Errors
/// When the database is away.
pub async fn staff_by_code(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, (Uuid, StaffMember)>> {
    let rows: Vec<StaffRow> = sqlx::query_as(
        "SELECT staff_id, changed_xid, code, name, role, department, account, estate_ids, has_left, registered_at
         FROM staff WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let (id, member) = row.read()?;
            Ok((member.code.to_string(), (id.get(), member)))
        })
        .collect()
}

/// Writes new and changed people in one statement.
///
/// # Errors
/// When the database is away.
pub async fn write_staff(tx: &mut Tx, staff: &[(Uuid, StaffMember)], now: DateTime<Utc>) -> Result<()> {
    if staff.is_empty() {
        return Ok(());
    }
    // An array of arrays would have to be rectangular; so each list of estates travels as one text.
    let estates = |member: &StaffMember| {
        let ids = member.estates.as_ref()?.iter().map(ToString::to_string).collect::<Vec<_>>();
        Some(format!("{{{}}}", ids.join(",")))
    };
    sqlx::query(
        "INSERT INTO staff (tenant_id, changed_xid, registered_at, staff_id, code, name, role, department, account,
                            estate_ids, has_left)
         SELECT $1, pg_current_xact_id()::text::bigint, $2, s.id, s.code, s.name, s.role, s.department,
                s.account, s.estates::uuid[], s.has_left
         FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::boolean[])
              AS s(id, code, name, role, department, account, estates, has_left)
         ON CONFLICT (tenant_id, staff_id) DO UPDATE
         SET changed_xid = excluded.changed_xid, name = excluded.name, role = excluded.role,
             department = excluded.department, account = excluded.account, estate_ids = excluded.estate_ids,
             has_left = excluded.has_left",
    )
    .bind(tx.tenant().get())
    .bind(now)
    .bind(staff.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.code.as_str()).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.name.as_str()).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.role.as_str()).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.department.as_str()).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.account.as_str()).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| estates(member)).collect::<Vec<_>>())
    .bind(staff.iter().map(|(_, member)| member.left).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether somebody of the company with that account serves that estate.
///
/// # Errors
/// When the database is away.
pub async fn serves(tx: &mut Tx, account: &str, estate: EstateId) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM staff WHERE tenant_id = $1 AND account = $2 AND account <> '' AND NOT has_left
                        AND (estate_ids IS NULL OR $3 = ANY(estate_ids)))",
    )
    .bind(tx.tenant().get())
    .bind(account)
    .bind(estate.get())
    .fetch_one(tx.conn())
    .await?)
}
