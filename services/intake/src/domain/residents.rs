//! What a file of residents would change: rows compared with what is known. Pure, and all or nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use steward_kernel::{
    ids::{EstateId, ResidentId, UnitId},
    text::Text,
    vocabulary::Language,
    word_enum,
};
use uuid::Uuid;

use super::{
    estate::Code,
    import::{Outcome, Tally},
    register::{Fault, KnownUnits, Row, UnitPlace},
};

word_enum! {
    /// What a resident is to a unit.
    ResidentRole {
        /// 业主
        Owner = "owner",
        /// 共有人
        CoOwner = "co_owner",
        /// 租客
        Tenant = "tenant",
        /// 家属
        Family = "family",
        /// 代理人
        Agent = "agent",
    }
}

/// What is known of a resident: personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// 住户编号
    pub code: Code,
    /// 姓名
    pub name: Text<100>,
    /// 手机号; empty when not known.
    pub phone: String,
    /// The language to speak to them, where the register says one.
    pub language: Option<Language>,
}

/// What a resident is to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// As what.
    pub role: ResidentRole,
    /// Since when.
    pub since_on: Option<NaiveDate>,
}

/// A row of the residents' file: one resident in one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentRow {
    /// Who.
    pub person: Person,
    /// Code of the estate.
    pub estate_code: String,
    /// Which unit of it.
    pub place: UnitPlace,
    /// As what.
    pub tie: Tie,
}

/// A resident who is in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownResident {
    /// Their id.
    pub id: ResidentId,
    /// Who they are.
    pub person: Person,
    /// Their units.
    pub ties: HashMap<UnitId, Tie>,
}

/// A tie to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TieChange {
    /// Whose.
    pub resident: ResidentId,
    /// To which unit.
    pub unit: UnitId,
    /// The unit's estate.
    pub estate: EstateId,
    /// What it is.
    pub tie: Tie,
}

/// What a file of residents changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResidentPlan {
    /// What becomes of the rows.
    pub tally: Tally,
    /// Residents who are new or changed, they or their ties.
    pub residents: Vec<(ResidentId, Person)>,
    /// Ties that are new or changed.
    pub ties: Vec<TieChange>,
    /// Estates with new ties.
    pub estates: BTreeSet<EstateId>,
}

/// Compares a file of residents with what is known. Ties that the file does not name stay.
///
/// * `estates`: those known, by code.
/// * `residents`: those in the file who are known, by code.
///
/// # Errors
/// All rows that contradict or repeat others, or name an estate or unit that is not in the register.
pub fn plan_residents(
    rows: &[Row<ResidentRow>],
    estates: &HashMap<String, EstateId>,
    units: &KnownUnits<UnitId>,
    residents: &HashMap<String, KnownResident>,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<ResidentPlan, Vec<Fault>> {
    let mut plan = ResidentPlan::default();
    let mut faults = Vec::new();
    let mut met: HashMap<&str, (ResidentId, &Person)> = HashMap::new();
    let (mut seen, mut changed) = (HashSet::new(), HashSet::new());
    for Row { number, value: row } in rows {
        let Some(estate) = estates.get(&row.estate_code).copied() else {
            faults.push(Fault::unknown_estate(*number));
            continue;
        };
        let Some(unit) = units.get(&(estate, row.place.clone())).copied() else {
            let detail = "no such unit in that estate; import it first";
            faults.push(Fault { row: *number, column: "unit", code: "unknown-unit", detail });
            continue;
        };
        let known = residents.get(row.person.code.as_str());
        let (resident, first) = *met
            .entry(row.person.code.as_str())
            .or_insert_with(|| (known.map_or_else(|| new_id().into(), |known| known.id), &row.person));
        faults.extend(row.person.contradiction(first).map(|column| Fault::contradicts(*number, column)));
        if !seen.insert((resident, unit)) {
            faults.push(Fault::repeated(*number, "unit"));
        }
        let tie = known.and_then(|known| known.ties.get(&unit));
        let same_person = known.is_some_and(|known| known.person == row.person);
        let outcome = match tie {
            None => Outcome::Created,
            Some(tie) if *tie == row.tie && same_person => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
        };
        plan.tally.count(outcome);
        if tie != Some(&row.tie) {
            plan.ties.push(TieChange { resident, unit, estate, tie: row.tie });
            plan.estates.insert(estate);
        }
        if outcome != Outcome::Unchanged && changed.insert(resident) {
            plan.residents.push((resident, row.person.clone()));
        }
    }
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}

impl Person {
    /// The column in which this row says something else of the person than the first one.
    fn contradiction(&self, first: &Self) -> Option<&'static str> {
        if self.name != first.name {
            Some("name")
        } else if self.phone != first.phone {
            Some("phone")
        } else if self.language != first.language {
            Some("language")
        } else {
            None
        }
    }
}
