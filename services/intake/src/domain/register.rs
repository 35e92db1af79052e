//! What a file of estates or of staff would change: rows compared with what is known. Pure, and all or nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
};

use steward_kernel::{
    id_type,
    ids::{EstateId, UnitId},
    text::Text,
};
use uuid::Uuid;

use super::{
    estate::{Code, Particulars},
    import::{Outcome, Tally},
    rooms::{Found, PlaceKey, Rooms},
};

/// Time zone of an estate that does not say.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Shanghai";

id_type! {
    /// Somebody who works for the company, as the register has them.
    StaffId
}

/// A row of a file: its number (the header is row 1) and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    /// Its number.
    pub number: u32,
    /// What it says.
    pub value: T,
}

/// Why a row does not fit to the others or to what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number of the row.
    pub row: u32,
    /// Column by its English name.
    pub column: &'static str,
    /// Stable word for programs.
    pub code: &'static str,
    /// Which text says what to mend; it never repeats what stands in the cell.
    pub text: &'static str,
    /// What is filled into the text.
    pub filled_in: Vec<(&'static str, String)>,
}

impl Fault {
    /// A fault whose text has the name of its code.
    #[must_use]
    pub fn new(row: u32, column: &'static str, code: &'static str) -> Self {
        Self { row, column, code, text: code, filled_in: Vec::new() }
    }

    /// The estate is not in the register.
    #[must_use]
    pub fn unknown_estate(row: u32) -> Self {
        Self::new(row, "estate_code", "unknown-estate")
    }

    pub(super) fn contradicts(row: u32, column: &'static str, other: u32) -> Self {
        Self { filled_in: vec![("row", other.to_string())], ..Self::new(row, column, "contradicts") }
    }

    pub(super) fn repeated(row: u32, column: &'static str, other: u32) -> Self {
        Self { filled_in: vec![("row", other.to_string())], ..Self::new(row, column, "repeated") }
    }

    /// No unit is at that place; the nearest one is named.
    pub(super) fn unknown_unit(row: u32, nearest: Option<&UnitPlace>) -> Self {
        let unknown = Self { text: "unknown_unit", ..Self::new(row, "unit", "unknown-unit") };
        match nearest {
            None => unknown,
            Some(place) => {
                Self { text: "unknown_unit_near", filled_in: vec![("nearest", place.to_string())], ..unknown }
            }
        }
    }

    /// Several units are written so that any may be meant.
    pub(super) fn ambiguous_unit(row: u32, places: &[&UnitPlace]) -> Self {
        let places = places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / ");
        Self {
            text: "ambiguous_unit",
            filled_in: vec![("nearest", places)],
            ..Self::new(row, "unit", "ambiguous-unit")
        }
    }
}

/// Where a unit is in its estate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnitPlace {
    /// 楼栋
    pub building: String,
    /// 单元; empty when the building has one entrance.
    pub entrance: String,
    /// 房号
    pub unit: String,
}

impl fmt::Display for UnitPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.building, &self.entrance, &self.unit];
        let told: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        f.write_str(&told.join(" "))
    }
}

/// What is known of a unit besides its place.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitDetails {
    /// 楼层; empty when not known.
    pub floor: String,
    /// 建筑面积, in square metres.
    pub area_m2: Option<f64>,
}

/// A row of the estates' file: one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRow {
    /// Its estate's code.
    pub estate_code: Code,
    /// Its estate's name.
    pub estate_name: Text<100>,
    /// Its estate's region.
    pub region: Text<100>,
    /// Its estate's time zone; when not told, the known one stays.
    pub time_zone: Option<String>,
    /// Where it is.
    pub place: UnitPlace,
    /// What it is.
    pub details: UnitDetails,
}

/// Units by estate and place.
pub type KnownUnits<T> = HashMap<(EstateId, UnitPlace), T>;

/// A unit to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitChange {
    /// Its id.
    pub unit: UnitId,
    /// Its estate.
    pub estate: EstateId,
    /// Where it is.
    pub place: UnitPlace,
    /// What it is.
    pub details: UnitDetails,
}

/// What a file of estates changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitPlan {
    /// What becomes of the rows.
    pub tally: Tally,
    /// Estates that are new or changed.
    pub estates: Vec<(EstateId, Particulars)>,
    /// Units that are new or changed.
    pub units: Vec<UnitChange>,
}

/// Compares a file of estates with what is known.
///
/// * `estates`: those known, by code.
/// * `units`: those known of the estates in the file.
///
/// # Errors
/// All rows that contradict or repeat others.
pub fn plan_units(
    rows: &[Row<UnitRow>],
    estates: &HashMap<String, (EstateId, Particulars)>,
    units: &KnownUnits<(UnitId, UnitDetails)>,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<UnitPlan, Vec<Fault>> {
    let mut plan = UnitPlan::default();
    let mut faults = Vec::new();
    let rooms = Rooms::new(units);
    let mut met: HashMap<&str, (EstateId, Outcome, &Row<UnitRow>)> = HashMap::new();
    // Units by what they are known as, those that are new by how they read.
    let mut seen: HashMap<Result<UnitId, (EstateId, PlaceKey)>, u32> = HashMap::new();
    for whole @ Row { number, value: row } in rows {
        let (estate, estate_outcome) = match met.entry(row.estate_code.as_str()) {
            Entry::Occupied(entry) => {
                let (estate, outcome, first) = entry.get();
                let column = row.contradiction(&first.value);
                faults.extend(column.map(|column| Fault::contradicts(*number, column, first.number)));
                (*estate, *outcome)
            }
            Entry::Vacant(entry) => {
                let known = estates.get(row.estate_code.as_str());
                let particulars = row.particulars(known.map(|(_, particulars)| particulars));
                let (estate, outcome) = match known {
                    None => (new_id().into(), Outcome::Created),
                    Some((id, before)) if *before == particulars => (*id, Outcome::Unchanged),
                    Some((id, _)) => (*id, Outcome::Updated),
                };
                if outcome != Outcome::Unchanged {
                    plan.estates.push((estate, particulars));
                }
                entry.insert((estate, outcome, whole));
                (estate, outcome)
            }
        };
        let known = match rooms.find(estate, &row.place) {
            Found::One(known) => Some(known),
            Found::None => None,
            Found::Several(places) => {
                faults.push(Fault::ambiguous_unit(*number, &places));
                continue;
            }
        };
        let unit = known.map(|(unit, _)| *unit).ok_or_else(|| (estate, PlaceKey::of(&row.place)));
        if let Some(other) = seen.insert(unit, *number) {
            faults.push(Fault::repeated(*number, "unit", other));
        }
        if known.is_none_or(|(_, details)| *details != row.details) {
            let unit = known.map_or_else(|| new_id().into(), |(unit, _)| *unit);
            plan.units.push(UnitChange { unit, estate, place: row.place.clone(), details: row.details.clone() });
        }
        plan.tally.count(match known {
            None => Outcome::Created,
            Some((_, details)) if *details == row.details && estate_outcome == Outcome::Unchanged => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
        });
    }
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}

impl UnitRow {
    fn particulars(&self, known: Option<&Particulars>) -> Particulars {
        let time_zone = self.time_zone.clone().or_else(|| known.map(|known| known.time_zone.clone()));
        Particulars {
            code: self.estate_code.clone(),
            name: self.estate_name.clone(),
            region: self.region.clone(),
            time_zone: time_zone.unwrap_or_else(|| DEFAULT_TIME_ZONE.to_owned()),
        }
    }

    /// The column in which this row says something else of the estate than the first one.
    fn contradiction(&self, first: &Self) -> Option<&'static str> {
        if self.estate_name != first.estate_name {
            Some("estate_name")
        } else if self.region != first.region {
            Some("region")
        } else if self.time_zone != first.time_zone {
            Some("time_zone")
        } else {
            None
        }
    }
}

/// Somebody who works for the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffMember {
    /// 工号
    pub code: Code,
    /// 姓名
    pub name: Text<100>,
    /// 岗位
    pub role: Text<100>,
    /// 部门
    pub department: Text<100>,
    /// Estates they work for; `None` = all.
    pub estates: Option<Vec<EstateId>>,
    /// Subject of their tokens; empty = they have none.
    pub account: String,
    /// Whether they have left the company.
    pub left: bool,
}

impl StaffMember {
    /// Whether they work for an estate; `None` = for the company as a whole.
    #[must_use]
    pub fn works_for(&self, estate: Option<EstateId>) -> bool {
        let serves = |estate| self.estates.as_ref().is_none_or(|estates| estates.contains(&estate));
        !self.left && estate.is_none_or(serves)
    }
}

/// What a file with one row for each thing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlan<T> {
    /// What becomes of the rows.
    pub tally: Tally,
    /// New things.
    pub created: Vec<(Uuid, T)>,
    /// Changed ones.
    pub updated: Vec<(Uuid, T)>,
}

/// Compares a file that has one row for each thing (staff, articles) with what is known.
///
/// * `code_column`: the column of the code that tells them apart.
/// * `known`: by code.
///
/// # Errors
/// All rows that repeat a code.
pub fn plan_entries<T: Clone + PartialEq>(
    rows: &[Row<T>],
    code_column: &'static str,
    code: impl Fn(&T) -> &str,
    known: &HashMap<String, (Uuid, T)>,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<EntryPlan<T>, Vec<Fault>> {
    let mut plan = EntryPlan { tally: Tally::default(), created: Vec::new(), updated: Vec::new() };
    let mut faults = Vec::new();
    let mut seen = HashMap::new();
    for Row { number, value } in rows {
        if let Some(other) = seen.insert(code(value), *number) {
            faults.push(Fault::repeated(*number, code_column, other));
        }
        let outcome = match known.get(code(value)) {
            None => {
                plan.created.push((new_id(), value.clone()));
                Outcome::Created
            }
            Some((_, before)) if before == value => Outcome::Unchanged,
            Some((id, _)) => {
                plan.updated.push((*id, value.clone()));
                Outcome::Updated
            }
        };
        plan.tally.count(outcome);
    }
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}
