//! Residents and staff. Who reads residents is written down.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Error, Result,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    ActorId,
    ids::{EstateId, ResidentId, UnitId},
    page::Page,
    vocabulary::Language,
};
use uuid::Uuid;

use super::{
    list::{listed, statements},
    register::{text, uuids},
};
use crate::domain::{
    finding::PhoneSearch,
    register::UnitPlace,
    residents::{KnownResident, Occupant, Person, ResidentRole, Tie, TieChange},
};

/// A resident with their units.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Their id.
    pub id: ResidentId,
    /// Rises with every change of them or of their units.
    pub version: i32,
    /// Who they are.
    pub person: Person,
    /// Their units, as far as the reader may see them.
    pub units: Vec<ResidentUnit>,
}

/// A unit of a resident.
#[derive(Debug, Clone)]
pub struct ResidentUnit {
    /// The unit.
    pub unit: UnitId,
    /// Its estate.
    pub estate: EstateId,
    /// Where it is.
    pub place: UnitPlace,
    /// What the resident is to it.
    pub tie: Tie,
}

/// Which residents to list.
#[derive(Debug, Clone, Default)]
pub struct ResidentFilter {
    /// With a unit in this estate.
    pub estate: Option<EstateId>,
    /// With this unit.
    pub unit: Option<UnitId>,
    /// With this code.
    pub code: Option<String>,
    /// With this telephone number.
    pub phone: Option<PhoneSearch>,
    /// With a name that begins like this, as [`finding::name_key`](crate::domain::finding::name_key) gives it.
    pub name: Option<String>,
}

/// What stands in the column of the language where the register says none.
const UNSAID: Language = Language::ZhHans;

/// The language that the register says. What was written before it was noted whether one is said counts when it is not
/// the usual one.
fn language(word: &str, said: bool) -> Result<Option<Language>> {
    let language = Language::parse(word).ok_or_else(|| Error::internal("resident", "unknown language"))?;
    Ok(Some(language).filter(|language| said || *language != UNSAID))
}

/// The language that the register says for a resident.
///
/// # Errors
/// When the database is away.
pub async fn spoken_language(tx: &mut Tx, resident: ResidentId) -> Result<Option<Language>> {
    let row: Option<(String, bool)> =
        sqlx::query_as("SELECT language, language_said FROM resident WHERE tenant_id = $1 AND resident_id = $2")
            .bind(tx.tenant().get())
            .bind(resident.get())
            .fetch_optional(tx.conn())
            .await?;
    row.map_or(Ok(None), |(word, said)| language(&word, said))
}

#[derive(Debug, FromRow)]
struct PersonRow {
    resident_id: Uuid,
    version: i32,
    changed_xid: i64,
    code: String,
    name: String,
    phone: String,
    other_phones: Vec<String>,
    language: String,
    language_said: bool,
    registered_at: DateTime<Utc>,
}

impl PersonRow {
    fn person(&self) -> Result<Person> {
        let language = language(&self.language, self.language_said)?;
        let (phone, other_phones) = (self.phone.clone(), self.other_phones.clone());
        Ok(Person { code: text(&self.code)?, name: text(&self.name)?, phone, other_phones, language })
    }
}

#[derive(Debug, FromRow)]
struct TieRow {
    resident_id: Uuid,
    unit_id: Uuid,
    estate_id: Uuid,
    building: String,
    entrance: String,
    unit: String,
    role: String,
    since_on: Option<NaiveDate>,
    until_on: Option<NaiveDate>,
}

impl TieRow {
    fn read(self) -> Result<(Uuid, ResidentUnit)> {
        let role = ResidentRole::parse(&self.role).ok_or_else(|| Error::internal("resident", "unknown role"))?;
        let unit = ResidentUnit {
            unit: self.unit_id.into(),
            estate: self.estate_id.into(),
            place: UnitPlace { building: self.building, entrance: self.entrance, unit: self.unit },
            tie: Tie { role, since_on: self.since_on, until_on: self.until_on },
        };
        Ok((self.resident_id, unit))
    }
}

/// The units of these residents, in the estates that the reader may see (`None` = all).
async fn units_of(
    tx: &mut Tx,
    residents: Vec<Uuid>,
    visible: Option<&[EstateId]>,
) -> Result<HashMap<Uuid, Vec<ResidentUnit>>> {
    let rows: Vec<TieRow> = sqlx::query_as(
        "SELECT t.resident_id, t.unit_id, t.estate_id, u.building, u.entrance, u.unit, t.role, t.since_on, t.until_on
         FROM resident_unit t JOIN unit u ON u.tenant_id = $1 AND u.unit_id = t.unit_id
         WHERE t.tenant_id = $1 AND t.resident_id = ANY($2) AND ($3::uuid[] IS NULL OR t.estate_id = ANY($3))
         ORDER BY u.building, u.entrance, u.unit",
    )
    .bind(tx.tenant().get())
    .bind(residents)
    .bind(visible.map(uuids))
    .fetch_all(tx.conn())
    .await?;
    let mut units: HashMap<Uuid, Vec<ResidentUnit>> = HashMap::new();
    for row in rows {
        let (resident, unit) = row.read()?;
        units.entry(resident).or_default().push(unit);
    }
    Ok(units)
}

/// One page of residents with their units, newest first. The caller writes the reading down with [`record_access`].
///
/// * `visible`: the estates that the caller may see; `None` = all.
///
/// # Errors
/// When the database is away.
pub async fn list_residents(
    tx: &mut Tx,
    visible: Option<&[EstateId]>,
    filter: &ResidentFilter,
    page: PageRequest,
) -> Result<Page<Resident>> {
    // The few residents of a unit are found first; an estate has many, so there each resident is asked. A name of one character is that of so many
    // in the company that those of the estates are found first.
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT resident_id, version, changed_xid, code, name, phone, other_phones, language, language_said, registered_at
         FROM resident WHERE tenant_id = $1 AND ($8::text IS NULL OR code = $8)
         AND ($9::uuid IS NULL OR resident_id = ANY(ARRAY(
             SELECT t.resident_id FROM resident_unit t WHERE t.tenant_id = $1 AND t.unit_id = $9)))
         AND ($11::text IS NULL OR resident_id = ANY(ARRAY(
             SELECT p.resident_id FROM resident_phone p WHERE p.tenant_id = $1 AND p.phone_end ^@ $11
             AND (p.phone_end ^@ $12 OR $12 ^@ p.phone_end))))
         AND ($13::text IS NULL OR name_start ^@ $13)
         AND ($13 IS NULL OR char_length($13) > 1 OR ($7::uuid[] IS NULL AND $10::uuid IS NULL) OR resident_id = ANY(ARRAY(
             SELECT t.resident_id FROM resident_unit t WHERE t.tenant_id = $1
             AND ($7 IS NULL OR t.estate_id = ANY($7)) AND ($10 IS NULL OR t.estate_id = $10))))
         AND (($7::uuid[] IS NULL AND $10::uuid IS NULL) OR EXISTS (
             SELECT FROM resident_unit t WHERE t.tenant_id = $1 AND t.resident_id = resident.resident_id
             AND ($7 IS NULL OR t.estate_id = ANY($7)) AND ($10 IS NULL OR t.estate_id = $10)
             AND ($9 IS NULL OR t.unit_id = $9)))",
        at = "registered_at",
        id = "resident_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<PersonRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(visible.map(uuids))
        .bind(filter.code.clone())
        .bind(filter.unit.map(UnitId::get))
        .bind(filter.estate.map(EstateId::get))
        .bind(filter.phone.as_ref().map(|phone| phone.shared().to_owned()))
        .bind(filter.phone.as_ref().map(|phone| phone.backwards().to_owned()))
        .bind(filter.name.clone())
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &PersonRow| Key { at: row.registered_at, id: row.resident_id, changed_xid: row.changed_xid };
    let page = page.finish(rows, horizon, key);
    let mut units = units_of(tx, page.items.iter().map(|row| row.resident_id).collect(), visible).await?;
    let Page { items, next_cursor, since } = page;
    let items = items
        .into_iter()
        .map(|row| {
            let units = units.remove(&row.resident_id).unwrap_or_default();
            Ok(Resident { id: row.resident_id.into(), version: row.version, person: row.person()?, units })
        })
        .collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}

/// One resident; `None` when there is none with a unit in the estates that the caller may see.
///
/// The caller writes the reading down with [`record_access`].
///
/// # Errors
/// When the database is away.
pub async fn find_resident(tx: &mut Tx, visible: Option<&[EstateId]>, id: ResidentId) -> Result<Option<Resident>> {
    let row: Option<PersonRow> = sqlx::query_as(
        "SELECT resident_id, version, changed_xid, code, name, phone, other_phones, language, language_said, registered_at
         FROM resident WHERE tenant_id = $1 AND resident_id = $2",
    )
    .bind(tx.tenant().get())
    .bind(id.get())
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let units = units_of(tx, vec![row.resident_id], visible).await?.remove(&row.resident_id).unwrap_or_default();
    if visible.is_some() && units.is_empty() {
        return Ok(None);
    }
    Ok(Some(Resident { id, version: row.version, person: row.person()?, units }))
}

/// A reading of personal data.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// Its id.
    pub id: Uuid,
    /// Who reads.
    pub actor: &'a ActorId,
    /// By which operation of the API.
    pub operation: &'static str,
    /// Whose data.
    pub residents: Vec<ResidentId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Writes down that somebody read personal data; nothing to write when nobody was found.
///
/// # Errors
/// When the database is away.
pub async fn record_access(tx: &mut Tx, access: &Access<'_>) -> Result<()> {
    if access.residents.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO personal_data_access (tenant_id, access_id, actor, operation, resident_ids, read_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tx.tenant().get())
    .bind(access.id)
    .bind(access.actor.as_str())
    .bind(access.operation)
    .bind(uuids(&access.residents))
    .bind(access.at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The residents with these codes.
///
/// # Errors
/// When the database is away.
pub async fn residents_by_code(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, KnownResident>> {
    let rows: Vec<PersonRow> = sqlx::query_as(
        "SELECT resident_id, version, changed_xid, code, name, phone, other_phones, language, language_said, registered_at
         FROM resident WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .fetch_all(tx.conn())
    .await?;
    let mut units = units_of(tx, rows.iter().map(|row| row.resident_id).collect(), None).await?;
    rows.into_iter()
        .map(|row| {
            let ties = units.remove(&row.resident_id).unwrap_or_default();
            let ties = ties.into_iter().map(|unit| (unit.unit, unit.tie)).collect();
            let known = KnownResident { id: row.resident_id.into(), person: row.person()?, ties };
            Ok((row.code, known))
        })
        .collect()
}

/// Writes new and changed residents in one statement.
///
/// # Errors
/// When the database is away.
pub async fn write_residents(tx: &mut Tx, residents: &[(ResidentId, Person)], now: DateTime<Utc>) -> Result<()> {
    if residents.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO resident (tenant_id, changed_xid, registered_at, version, resident_id, code, name, phone, language,
                               language_said, other_phones)
         SELECT $1, pg_current_xact_id()::text::bigint, $2, 1, r.id, r.code, r.name, r.phone, r.language, r.said,
                r.others::text[]
         FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[])
              AS r(id, code, name, phone, language, said, others)
         ON CONFLICT (tenant_id, resident_id) DO UPDATE
         SET changed_xid = excluded.changed_xid, version = resident.version + 1, name = excluded.name,
             phone = excluded.phone, language = excluded.language, language_said = excluded.language_said,
             other_phones = excluded.other_phones",
    )
    .bind(tx.tenant().get())
    .bind(now)
    .bind(residents.iter().map(|(id, _)| id.get()).collect::<Vec<_>>())
    .bind(residents.iter().map(|(_, person)| person.code.as_str()).collect::<Vec<_>>())
    .bind(residents.iter().map(|(_, person)| person.name.as_str()).collect::<Vec<_>>())
    .bind(residents.iter().map(|(_, person)| person.phone.as_str()).collect::<Vec<_>>())
    .bind(residents.iter().map(|(_, person)| person.language.unwrap_or(UNSAID).as_str()).collect::<Vec<_>>())
    .bind(residents.iter().map(|(_, person)| person.language.is_some()).collect::<Vec<_>>())
    // An array of arrays would have to be rectangular; numbers have no comma.
    .bind(residents.iter().map(|(_, person)| format!("{{{}}}", person.other_phones.join(","))).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that something of these residents has changed, so that readers of the feed read them again.
///
/// # Errors
/// When the database is away.
pub async fn touch(tx: &mut Tx, residents: &[ResidentId]) -> Result<()> {
    if residents.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE resident SET version = version + 1, changed_xid = pg_current_xact_id()::text::bigint
         WHERE tenant_id = $1 AND resident_id = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(uuids(residents))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes new and changed ties in one statement.
///
/// # Errors
/// When the database is away.
pub async fn write_ties(tx: &mut Tx, ties: &[TieChange]) -> Result<()> {
    if ties.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO resident_unit (tenant_id, resident_id, unit_id, estate_id, role, since_on, until_on)
         SELECT $1, t.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::date[], $7::date[]) AS t
         ON CONFLICT (tenant_id, resident_id, unit_id) DO UPDATE
         SET role = excluded.role, since_on = excluded.since_on, until_on = excluded.until_on",
    )
    .bind(tx.tenant().get())
    .bind(ties.iter().map(|tie| tie.resident.get()).collect::<Vec<_>>())
    .bind(ties.iter().map(|tie| tie.unit.get()).collect::<Vec<_>>())
    .bind(ties.iter().map(|tie| tie.estate.get()).collect::<Vec<_>>())
    .bind(ties.iter().map(|tie| tie.tie.role.as_str()).collect::<Vec<_>>())
    .bind(ties.iter().map(|tie| tie.tie.since_on).collect::<Vec<_>>())
    .bind(ties.iter().map(|tie| tie.tie.until_on).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Unit, resident, their code and role; from when and until when.
type OccupantRow = (Uuid, Uuid, String, String, Option<NaiveDate>, Option<NaiveDate>);

/// Everybody who is or was tied to these units.
///
/// # Errors
/// When the database is away.
pub async fn occupants(tx: &mut Tx, units: &[UnitId]) -> Result<HashMap<UnitId, Vec<Occupant>>> {
    let rows: Vec<OccupantRow> = sqlx::query_as(
        "SELECT t.unit_id, t.resident_id, r.code, t.role, t.since_on, t.until_on
         FROM resident_unit t JOIN resident r ON r.tenant_id = $1 AND r.resident_id = t.resident_id
         WHERE t.tenant_id = $1 AND t.unit_id = ANY($2) ORDER BY r.code",
    )
    .bind(tx.tenant().get())
    .bind(uuids(units))
    .fetch_all(tx.conn())
    .await?;
    let mut occupants: HashMap<UnitId, Vec<Occupant>> = HashMap::new();
    for (unit, resident, code, role, since_on, until_on) in rows {
        let role = ResidentRole::parse(&role).ok_or_else(|| Error::internal("resident", "unknown role"))?;
        let occupant = Occupant { resident: resident.into(), code, tie: Tie { role, since_on, until_on } };
        occupants.entry(unit.into()).or_default().push(occupant);
    }
    Ok(occupants)
}
