//! Departments, technicians and shifts: who could come, from register files of the company.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use steward_kernel::{Actor, ids::EstateId, text::Line};

use super::{Code, DepartmentId, ShiftId, Skill, TechnicianId, import::Counts, order::Job};

/// Which estates somebody serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Estates {
    /// All of the company, also those that come later.
    All,
    /// These.
    Some(BTreeSet<EstateId>),
}

impl Estates {
    /// Whether it is one of them.
    #[must_use]
    pub fn includes(&self, estate: EstateId) -> bool {
        match self {
            Self::All => true,
            Self::Some(estates) => estates.contains(&estate),
        }
    }

    /// Whether somebody may see one of them.
    #[must_use]
    pub fn is_seen_by(&self, actor: &Actor) -> bool {
        match self {
            Self::All => true,
            Self::Some(estates) => estates.iter().any(|estate| actor.sees_estate(*estate)),
        }
    }
}

/// A department (部門).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// Its code, by which the register knows it.
    pub code: Code,
    /// Its name.
    pub name: Line,
    /// Which estates it serves.
    pub estates: Estates,
    /// Whether it is a contractor of the company (外包).
    pub contractor: bool,
    /// Whether it does no work any more.
    pub closed: bool,
}

impl Department {
    /// Whether work in an estate can be given to it.
    #[must_use]
    pub fn serves(&self, estate: EstateId) -> bool {
        !self.closed && self.estates.includes(estate)
    }
}

/// A technician (維修人員).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technician {
    /// Their id.
    pub id: TechnicianId,
    /// Their number in the company, by which the register knows them.
    pub code: Code,
    /// Their name.
    pub name: Line,
    /// Subject of their access token.
    pub account: Code,
    /// Code of their department.
    pub department: Code,
    /// What they can do.
    pub skills: BTreeSet<String>,
    /// Which estates they serve.
    pub estates: Estates,
    /// Whether they have left the company.
    pub left: bool,
}

impl Technician {
    /// Whether a job that they have comes back: they have left, don't serve its estate any more, don't have its skill, or have gone from its
    /// department to another one.
    ///
    /// * `before`: as they were before the register changed.
    #[must_use]
    pub fn gives_back(&self, before: &Self, job: &Job) -> bool {
        let has_changed_department = self.department != before.department && job.department == before.department;
        self.left || !self.estates.includes(job.estate_id) || !self.has(job.skill.as_ref()) || has_changed_department
    }

    /// Whether they have the skill; everybody has "any".
    #[must_use]
    pub fn has(&self, skill: Option<&Skill>) -> bool {
        skill.is_none_or(|skill| self.skills.contains(skill.as_str()))
    }
}

/// A shift (班次).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// Whose.
    pub technician_id: TechnicianId,
    /// The day on which it starts, by the clock of its estate.
    pub on: NaiveDate,
    /// Its start.
    pub starts_at: DateTime<Utc>,
    /// Its end; at most 24 hours after the start.
    pub ends_at: DateTime<Utc>,
    /// Whether a later file took it back.
    pub called_off: bool,
}

/// What an import changes, and what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<T> {
    /// Rows to be written.
    pub write: Vec<T>,
    /// What came of the file's rows.
    pub counts: Counts,
}

impl<T> Default for Plan<T> {
    fn default() -> Self {
        Self { write: Vec::new(), counts: Counts::default() }
    }
}

impl<T: PartialEq> Plan<T> {
    fn add(&mut self, row: T, known: Option<&T>) {
        self.counts.rows += 1;
        match known {
            None => self.counts.created += 1,
            Some(known) if *known == row => {
                self.counts.unchanged += 1;
                return;
            }
            Some(_) => self.counts.updated += 1,
        }
        self.write.push(row);
    }
}

/// Departments of a file beside those that are known by their codes; a known one keeps its id.
#[must_use]
pub fn plan_departments(file: Vec<Department>, known: &BTreeMap<String, Department>) -> Plan<Department> {
    let mut plan = Plan::default();
    for mut row in file {
        let before = known.get(row.code.as_str());
        row.id = before.map_or(row.id, |before| before.id);
        plan.add(row, before);
    }
    plan
}

/// Technicians of a file beside those that are known by their codes; a known one keeps their id.
#[must_use]
pub fn plan_technicians(file: Vec<Technician>, known: &BTreeMap<String, Technician>) -> Plan<Technician> {
    let mut plan = Plan::default();
    for mut row in file {
        let before = known.get(row.code.as_str());
        row.id = before.map_or(row.id, |before| before.id);
        plan.add(row, before);
    }
    plan
}

/// A shift of a file during which its person has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Another one of the file, by their places in it.
    Within {
        /// The later one.
        shift: usize,
        /// The other one.
        other: usize,
    },
    /// A known one of a day that the file does not name.
    Known {
        /// The one of the file.
        shift: usize,
        /// The day of the other one.
        on: NaiveDate,
    },
}

/// The shifts of a file that overlap with others of the same person. Known ones of days that the file names do not count: they are called off.
#[must_use]
pub fn overlaps(file: &[Shift], known: &[Shift]) -> Vec<Overlap> {
    let days: BTreeSet<_> = file.iter().map(|shift| (shift.technician_id, shift.on)).collect();
    let mut by_start: Vec<(usize, &Shift)> = file.iter().enumerate().collect();
    by_start.sort_by_key(|(_, shift)| (shift.technician_id, shift.starts_at));
    let mut found = Vec::new();
    for ((other, before), (shift, after)) in by_start.iter().zip(by_start.iter().skip(1)) {
        if before.technician_id == after.technician_id && after.starts_at < before.ends_at {
            found.push(Overlap::Within { shift: *shift, other: *other });
        }
    }
    let kept = known.iter().filter(|shift| !shift.called_off && !days.contains(&(shift.technician_id, shift.on)));
    let mut of_person: BTreeMap<TechnicianId, Vec<&Shift>> = BTreeMap::new();
    kept.for_each(|shift| of_person.entry(shift.technician_id).or_default().push(shift));
    for (place, shift) in file.iter().enumerate() {
        let others = of_person.get(&shift.technician_id).into_iter().flatten();
        let mut overlapping = others.filter(|other| other.starts_at < shift.ends_at && shift.starts_at < other.ends_at);
        found.extend(overlapping.next().map(|other| Overlap::Known { shift: place, on: other.on }));
    }
    found
}

/// Shifts of a file beside the known ones of the same days.
///
/// The file has the word on every day of a technician that it names: known shifts of that day that it does not name are
/// called off.
#[must_use]
pub fn plan_shifts(file: Vec<Shift>, known: &[Shift]) -> Plan<Shift> {
    let known: BTreeMap<_, _> = known.iter().map(|shift| ((shift.technician_id, shift.starts_at), shift)).collect();
    let days: BTreeSet<_> = file.iter().map(|shift| (shift.technician_id, shift.on)).collect();
    let named: BTreeSet<_> = file.iter().map(|shift| (shift.technician_id, shift.starts_at)).collect();
    let mut plan = Plan::default();
    for mut row in file {
        let before = known.get(&(row.technician_id, row.starts_at)).copied();
        row.id = before.map_or(row.id, |before| before.id);
        plan.add(row, before);
    }
    let gone = known.iter().filter(|(place, shift)| {
        !shift.called_off && days.contains(&(shift.technician_id, shift.on)) && !named.contains(place)
    });
    plan.write.extend(gone.map(|(_, shift)| Shift { called_off: true, ..(*shift).clone() }));
    plan
}
