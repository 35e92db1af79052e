//! What a file of residents would change: rows compared with what is known. Pure, and all or nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    phone::{self, PhoneFault, PhoneRegion},
    register::{Fault, KnownUnits, Row, UnitPlace},
    rooms::{Found, Rooms},
};

/// For how many rows with an unknown unit the nearest one is sought.
const MOST_NEAREST: usize = 50;

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
    /// 手机号, in one form ([`phone`](super::phone)); empty when not known.
    pub phone: String,
    /// More numbers of theirs, in the same form.
    pub other_phones: Vec<String>,
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
    /// The last day on which it holds; none while nobody knows.
    pub until_on: Option<NaiveDate>,
}

impl Tie {
    /// Whether it holds on a day of the estate.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.since_on.is_none_or(|since| since <= day) && self.until_on.is_none_or(|until| day <= until)
    }
}

/// A row of the residents' file: one resident in one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidentRow {
    /// Who, but for their numbers.
    pub person: Person,
    /// Their telephone numbers as written: where the unit is says how to read them.
    pub phones: String,
    /// Code of the estate.
    pub estate_code: String,
    /// Which unit of it.
    pub place: UnitPlace,
    /// As what.
    pub tie: Tie,
    /// Whether the file has a word on the end of ties; without it a known end stays.
    pub has_end: bool,
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

/// Somebody who is tied to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// Who.
    pub resident: ResidentId,
    /// Their code in the register.
    pub code: String,
    /// As what, since and until when.
    pub tie: Tie,
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
    /// Ties that are new or changed, with the row that says so.
    pub ties: Vec<(u32, TieChange)>,
    /// Estates with new ties.
    pub estates: BTreeSet<EstateId>,
    /// Whom the file names in which units, with the first row of each unit.
    pub named: Named,
}

/// Whom a file names in its units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    residents: HashSet<(ResidentId, UnitId)>,
    units: BTreeMap<UnitId, (u32, EstateId)>,
}

impl Named {
    pub(super) fn note(&mut self, resident: ResidentId, unit: UnitId, row: u32, estate: EstateId) {
        self.residents.insert((resident, unit));
        self.units.entry(unit).or_insert((row, estate));
    }

    /// The units.
    #[must_use]
    pub fn units(&self) -> Vec<UnitId> {
        self.units.keys().copied().collect()
    }
}

/// What is known when a file of residents is read.
#[derive(Debug, Clone, Copy)]
pub struct Register<'a> {
    /// Estates by code, and how telephone numbers are read there.
    pub estates: &'a HashMap<String, (EstateId, PhoneRegion)>,
    /// Their units.
    pub units: &'a KnownUnits<UnitId>,
    /// Those in the file who are known, by code.
    pub residents: &'a HashMap<String, KnownResident>,
}

/// Compares a file of residents with what is known. Ties that the file does not name stay.
///
/// # Errors
/// All rows that contradict or repeat others, have no telephone numbers where some should be, or name an estate or unit that is not in the register.
pub fn plan_residents(
    rows: &[Row<ResidentRow>],
    known: Register<'_>,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<ResidentPlan, Vec<Fault>> {
    let mut plan = ResidentPlan::default();
    let mut reading = Reading { register: known, rooms: Rooms::new(known.units), faults: Vec::new() };
    let mut met: HashMap<&str, (ResidentId, Person, u32)> = HashMap::new();
    let (mut seen, mut changed) = (HashMap::new(), HashSet::new());
    for Row { number, value: row } in rows {
        let Some((estate, unit, person)) = reading.read(*number, row) else { continue };
        let known = known.residents.get(row.person.code.as_str());
        let id = || (known.map_or_else(|| new_id().into(), |known| known.id), person.clone(), *number);
        let (resident, first, first_row) = met.entry(row.person.code.as_str()).or_insert_with(id);
        let column = person.contradiction(first);
        reading.faults.extend(column.map(|column| Fault::contradicts(*number, column, *first_row)));
        let resident = *resident;
        if let Some(other) = seen.insert((resident, unit), *number) {
            reading.faults.push(Fault::repeated(*number, "unit", other));
        }
        plan.named.note(resident, unit, *number, estate);
        let before = known.and_then(|known| known.ties.get(&unit));
        let known_end = before.and_then(|before| before.until_on).filter(|_| !row.has_end);
        let tie = Tie { until_on: known_end.or(row.tie.until_on), ..row.tie };
        let outcome = match before {
            None => Outcome::Created,
            Some(before) if *before == tie && known.is_some_and(|known| known.person == person) => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
        };
        plan.tally.count(outcome);
        if before != Some(&tie) {
            plan.ties.push((*number, TieChange { resident, unit, estate, tie }));
            plan.estates.insert(estate);
        }
        if outcome != Outcome::Unchanged && changed.insert(resident) {
            plan.residents.push((resident, person));
        }
    }
    if reading.faults.is_empty() { Ok(plan) } else { Err(reading.faults) }
}

/// Reads rows against the register.
struct Reading<'a> {
    register: Register<'a>,
    rooms: Rooms<'a, UnitId>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    /// Where the unit of a row is, and who its resident is, in one form; `None` when something is at fault.
    fn read(&mut self, number: u32, row: &ResidentRow) -> Option<(EstateId, UnitId, Person)> {
        let Some((estate, region)) = self.register.estates.get(&row.estate_code).copied() else {
            self.faults.push(Fault::unknown_estate(number));
            return None;
        };
        let person = self.with_phones(number, row, region);
        let unit = match self.rooms.find(estate, &row.place) {
            Found::One(unit) => Some(*unit),
            Found::Several(places) => {
                self.faults.push(Fault::ambiguous_unit(number, &places));
                None
            }
            Found::None => {
                // To look at every unit for every row of a wrong file would take long.
                let unknown = self.faults.iter().filter(|fault| fault.code == "unknown-unit").count();
                let nearest = if unknown < MOST_NEAREST { self.rooms.nearest(estate, &row.place) } else { None };
                self.faults.push(Fault::unknown_unit(number, nearest));
                None
            }
        };
        Some((estate, unit?, person?))
    }

    fn with_phones(&mut self, number: u32, row: &ResidentRow, region: PhoneRegion) -> Option<Person> {
        let fault = match phone::numbers(&row.phones, region) {
            Ok(numbers) => {
                let mut numbers = numbers.into_iter();
                let phone = numbers.next().unwrap_or_default();
                return Some(Person { phone, other_phones: numbers.collect(), ..row.person.clone() });
            }
            Err(PhoneFault::NoNumber) => Fault { text: region.remedy(), ..Fault::new(number, "phone", "not_a_phone") },
            Err(PhoneFault::TooMany) => Fault {
                filled_in: vec![("most", phone::MOST.to_string())],
                ..Fault::new(number, "phone", "too_many_phones")
            },
        };
        self.faults.push(fault);
        None
    }
}

/// The ties that end yesterday, since the file replaces the residents of its units and does not name them there: the row that names the unit
/// first, the tie as it will be, and the code of its resident.
///
/// * `occupants`: everybody who was tied to these units before.
/// * `today`: in that estate.
#[must_use]
pub fn replaced<'a>(
    named: &Named,
    occupants: &'a HashMap<UnitId, Vec<Occupant>>,
    today: impl Fn(EstateId) -> NaiveDate,
) -> Vec<(u32, TieChange, &'a str)> {
    let mut found = Vec::new();
    for (unit, (row, estate)) in &named.units {
        let yesterday = today(*estate).pred_opt().unwrap_or_default();
        let others = occupants.get(unit).into_iter().flatten();
        let others = others.filter(|other| !named.residents.contains(&(other.resident, *unit)));
        for other in others.filter(|other| other.tie.until_on.is_none_or(|until| yesterday < until)) {
            let tie = Tie { until_on: Some(yesterday), ..other.tie };
            let change = TieChange { resident: other.resident, unit: *unit, estate: *estate, tie };
            found.push((*row, change, other.code.as_str()));
        }
    }
    found
}

/// Rows whose tie begins while somebody else's of the same kind goes on, with the code of that resident: probably they have moved out.
///
/// Only tenants: several owners of a unit are as usual as one.
///
/// * `occupants`: everybody who was tied to these units before.
#[must_use]
pub fn superseded<'a>(plan: &ResidentPlan, occupants: &'a HashMap<UnitId, Vec<Occupant>>) -> Vec<(u32, &'a str)> {
    let is_open_tenant = |tie: &Tie| tie.role == ResidentRole::Tenant && tie.until_on.is_none();
    let mut found = Vec::new();
    for (row, change) in plan.ties.iter().filter(|(_, change)| is_open_tenant(&change.tie)) {
        let before = occupants.get(&change.unit).into_iter().flatten();
        let others = before.filter(|other| {
            is_open_tenant(&other.tie)
                && !plan.named.residents.contains(&(other.resident, change.unit))
                && other.tie.since_on.is_none_or(|since| change.tie.since_on.is_none_or(|later| since < later))
        });
        found.extend(others.map(|other| (*row, other.code.as_str())));
    }
    found
}

impl Person {
    /// The column in which this row says something else of the person than the first one.
    fn contradiction(&self, first: &Self) -> Option<&'static str> {
        if self.name != first.name {
            Some("name")
        } else if self.phone != first.phone || self.other_phones != first.other_phones {
            Some("phone")
        } else if self.language != first.language {
            Some("language")
        } else {
            None
        }
    }
}
