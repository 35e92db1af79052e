//! Register files of departments, technicians and shifts: read whole, compared with what is known, written whole or
//! not at all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::RangeInclusive,
    sync::Arc,
};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use steward_chassis::{
    Call, Clock, Engine, Error, Executed, Result, Work,
    http::Body,
    sheet::{self, CellError, Column, Layout, Numbered, Row, Sheet, meaning_of, say},
};
use steward_kernel::{
    Actor,
    day::{HOME, zone},
    fold::narrowed,
    ids::EstateId,
    sheets::Note,
    text::{Text, TextFault},
};

use crate::{
    domain::{
        Code, ImportId, Skill, TechnicianId,
        import::{Counts, Record, RosterImport, RosterPart},
        order::WorkOrder,
        roster::{
            Department, Estates, Overlap, Shift, Technician, overlaps, plan_departments, plan_shifts, plan_technicians,
        },
        told::{self, DepartmentEntry, Service},
    },
    flow::take_back,
    store::{self, KnownEstate},
};

const DEPARTMENTS: Layout = Layout {
    name: "departments",
    columns: &[
        Column::must("department_code"),
        Column::must("name"),
        Column::must("estate_code"),
        Column::may("contractor"),
        Column::may("status"),
    ],
};
const TECHNICIANS: Layout = Layout {
    name: "technicians",
    columns: &[
        Column::must("technician_code"),
        Column::must("name"),
        Column::must("account"),
        Column::must("department_code"),
        Column::must("skills"),
        Column::must("estate_code"),
        Column::may("status"),
    ],
};
const SHIFTS: Layout = Layout {
    name: "shifts",
    columns: &[Column::must("technician_code"), Column::must("on"), Column::must("starts_at"), Column::must("ends_at")],
};
/// How far from today, in days, a shift can lie: what lies outside is a slip of the pen.
const FAR: u64 = 400;
/// Most notes that are kept of an import.
const MOST_NOTES: usize = 500;

/// Imports a register file; the report.
///
/// # Errors
/// [`steward_chassis::Error::Sheet`] with the faults by row and column; nothing is imported then.
pub(crate) async fn import(
    engine: &Engine,
    call: &Call,
    resource: RosterPart,
    file: Body,
) -> Result<Executed<RosterImport>> {
    let layout = match resource {
        RosterPart::Departments => DEPARTMENTS,
        RosterPart::Technicians => TECHNICIANS,
        RosterPart::Shifts => SHIFTS,
    };
    let (sheet, _turn) = sheet::aside(move || Sheet::read(&file.bytes, &file.content_type, &layout)).await?;
    let sheet = Arc::new(sheet);
    engine
        .transact(call, move |work| {
            let sheet = Arc::clone(&sheet);
            Box::pin(async move {
                match resource {
                    RosterPart::Departments => departments(work, &sheet).await,
                    RosterPart::Technicians => technicians(work, &sheet).await,
                    RosterPart::Shifts => shifts(work, &sheet).await,
                }
            })
        })
        .await
}

/// Claims the request's key and keeps the report; when the request came before, the first report.
async fn report(
    work: &mut Work,
    resource: RosterPart,
    counts: Counts,
    notes: Vec<Note>,
) -> Result<Executed<RosterImport>> {
    let id = ImportId::from(work.clock().new_id());
    work.execute::<RosterImport>(id, &Record { resource, counts, notes }, &()).await
}

async fn departments(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let reader = Reader::new(work).await?;
    let known = store::departments(&mut work.tx).await?;
    let mut seen = HashMap::new();
    let rows = sheet.each(|row| {
        let code: Option<Code> = unrepeated(row, "department_code", &mut seen);
        let (name, estates) = (bounded(row, "name"), reader.estates(row));
        let contractor = row.word("contractor", "yes_no") == Some("yes");
        let status = row.word("status", "department_status");
        let code = code?;
        let was_closed = known.get(code.as_str()).is_some_and(|before| before.closed);
        let closed = if row.has("status") { status == Some("closed") } else { was_closed };
        let id = reader.clock.new_id().into();
        Some(Department { id, code, name: name?, estates: estates?, contractor, closed })
    })?;
    let numbers = numbers(&rows, |row| row.code.as_str());
    let plan = plan_departments(rows.into_iter().map(|row| row.value).collect(), &known);
    let changed: Vec<String> = plan.write.iter().map(|row| row.code.to_string()).collect();
    let held = store::open_orders_with(&mut work.tx, &changed).await?;
    let left_with = held.iter().filter_map(|order| {
        let job = order.job.as_ref()?;
        let department = plan.write.iter().find(|row| row.code == job.department)?;
        let note = || note(&numbers, job.department.as_str(), "department_holds", &job.reference);
        (!department.serves(job.estate_id)).then(note)
    });
    let notes = notes(sheet, left_with);
    let reported = report(work, RosterPart::Departments, plan.counts, notes).await?;
    if !reported.replayed {
        for row in &plan.write {
            store::write_department(&mut work.tx, row, reported.changed_at).await?;
        }
        tell_departments(work).await?;
    }
    Ok(reported)
}

async fn technicians(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let reader = Reader::new(work).await?;
    let departments = store::departments(&mut work.tx).await?;
    let known = store::technicians(&mut work.tx).await?;
    let there = known.values().filter(|each| !each.left);
    let holders: HashMap<&str, &str> = there.map(|each| (each.account.as_str(), each.code.as_str())).collect();
    let (mut seen, mut accounts) = (HashMap::new(), HashMap::new());
    let rows = sheet.each(|row| {
        let code: Option<Code> = unrepeated(row, "technician_code", &mut seen);
        let account: Option<Code> = unrepeated(row, "account", &mut accounts);
        let (name, department) = (bounded(row, "name"), bounded(row, "department_code"));
        let (skills, estates) = (skills(row), reader.estates(row));
        let status = row.word("status", "staff_status");
        let (code, account, department): (Code, Code, Code) = (code?, account?, department?);
        if !departments.contains_key(department.as_str()) {
            row.refuse("department_code", "unknown-department", &[]);
            return None;
        }
        let had_left = known.get(code.as_str()).is_some_and(|before| before.left);
        let left = if row.has("status") { status == Some("left") } else { had_left };
        if !left && holders.get(account.as_str()).is_some_and(|holder| *holder != code.as_str()) {
            row.refuse("account", "taken", &[]);
            return None;
        }
        let id = reader.clock.new_id().into();
        Some(Technician { id, code, name: name?, account, department, skills: skills?, estates: estates?, left })
    })?;
    let numbers = numbers(&rows, |row| row.code.as_str());
    let plan = plan_technicians(rows.into_iter().map(|row| row.value).collect(), &known);
    let coming_back = coming_back(work, &plan.write, &known).await?;
    let given_back = coming_back.iter().map(|(code, order)| note(&numbers, code, "given_back", reference(order)));
    let fallen_away = shifts_of_leavers(work, &plan.write).await?;
    let gone = fallen_away.iter().map(|(code, shifts)| {
        let row = numbers.get(code).copied().unwrap_or_default();
        Note::new(row, "", "shifts_called_off", &[("count", shifts.len().to_string())])
    });
    let notes = notes(sheet, given_back.chain(gone));
    let reported = report(work, RosterPart::Technicians, plan.counts, notes).await?;
    if !reported.replayed {
        for row in &plan.write {
            store::write_technician(&mut work.tx, row, reported.changed_at).await?;
        }
        let gone: Vec<Shift> = fallen_away.into_values().flatten().collect();
        store::write_shifts(&mut work.tx, &gone).await?;
        let reason = say("returned_by_register", &[]);
        for (_, order) in &coming_back {
            let reason = Text::try_new(reason.told(work.call.language));
            let reason = reason.map_err(|fault| Error::internal("reason", fault))?;
            take_back(work, order.id, reason).await?;
        }
        tell_departments(work).await?;
    }
    Ok(reported)
}

/// Others learn of all departments, also of those that the file does not name: they may have been entered before others were told.
async fn tell_departments(work: &mut Work) -> Result<()> {
    let technicians = store::technicians(&mut work.tx).await?;
    for department in store::departments(&mut work.tx).await?.values() {
        let service = Service::of(department, technicians.values());
        work.execute::<DepartmentEntry>(department.id, &told::Command::Register(service), &()).await?;
    }
    Ok(())
}

/// The work orders that come back when the register is so, with the code of whoever has them.
async fn coming_back(
    work: &mut Work,
    changed: &[Technician],
    known: &BTreeMap<String, Technician>,
) -> Result<Vec<(String, WorkOrder)>> {
    let ids: Vec<TechnicianId> = changed.iter().map(|technician| technician.id).collect();
    let held = store::orders_held_by(&mut work.tx, &ids).await?;
    let comes_back = |order: WorkOrder| {
        let now = changed.iter().find(|technician| Some(technician.id) == order.technician_id)?;
        let before = known.get(now.code.as_str())?;
        now.gives_back(before, order.job.as_ref()?).then(|| (now.code.to_string(), order))
    };
    Ok(held.into_iter().filter_map(comes_back).collect())
}

/// The shifts ahead of those who leave, as they fall away, by the code of the technician.
async fn shifts_of_leavers(work: &mut Work, changed: &[Technician]) -> Result<BTreeMap<String, Vec<Shift>>> {
    let leaving: HashMap<TechnicianId, &str> =
        changed.iter().filter(|each| each.left).map(|each| (each.id, each.code.as_str())).collect();
    let ids: Vec<TechnicianId> = leaving.keys().copied().collect();
    let now = work.clock().now();
    let mut by_code: BTreeMap<String, Vec<Shift>> = BTreeMap::new();
    for shift in store::shifts_ahead(&mut work.tx, &ids, now).await? {
        if let Some(code) = leaving.get(&shift.technician_id) {
            by_code.entry((*code).to_owned()).or_default().push(Shift { called_off: true, ..shift });
        }
    }
    Ok(by_code)
}

fn reference(order: &WorkOrder) -> &str {
    order.job.as_ref().map_or("", |job| job.reference.as_str())
}

/// In which rows things stand, by their codes.
fn numbers<T>(rows: &[Numbered<T>], code: impl Fn(&T) -> &str) -> HashMap<String, u32> {
    rows.iter().map(|row| (code(&row.value).to_owned(), row.row)).collect()
}

/// What the row of that code means for a work order.
fn note(numbers: &HashMap<String, u32>, code: &str, what: &str, reference: &str) -> Note {
    Note::new(numbers.get(code).copied().unwrap_or_default(), "", what, &[("reference", reference.to_owned())])
}

/// What there is to know about an import: what was left out of the file, and what follows from it.
fn notes(sheet: &Sheet, found: impl IntoIterator<Item = Note>) -> Vec<Note> {
    sheet.notes().iter().cloned().chain(found).take(MOST_NOTES).collect()
}

async fn shifts(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let clock = work.clock().clone();
    let technicians = store::technicians(&mut work.tx).await?;
    let estates = store::estates_by_code(&mut work.tx).await?;
    let bounds = bounds(clock.now().date_naive());
    let mut seen = HashMap::new();
    let rows = sheet.each(|row| {
        let (technician, on) = (technician(row, &technicians), required_date(row, &bounds));
        let (starts, ends) = (required_time(row, "starts_at"), required_time(row, "ends_at"));
        let (technician, on) = (technician?, on?);
        let Some((starts_at, ends_at)) = window(zone_of(technician, &estates), on, starts?, ends?) else {
            row.refuse("ends_at", "too_long_a_shift", &[]);
            return None;
        };
        if let Some(other) = seen.insert((technician.id, starts_at), row.number()) {
            row.refuse("starts_at", "repeated", &[("row", other.into())]);
            return None;
        }
        let (id, technician_id) = (clock.new_id().into(), technician.id);
        Some(Shift { id, technician_id, on, starts_at, ends_at, called_off: false })
    })?;
    let (numbers, rows): (Vec<u32>, Vec<Shift>) = rows.into_iter().map(|row| (row.row, row.value)).unzip();
    let known = known_shifts(work, &rows).await?;
    let faults: Vec<CellError> =
        overlaps(&rows, &known).into_iter().map(|overlap| told(sheet, &numbers, overlap)).collect();
    if !faults.is_empty() {
        return Err(Error::Sheet(faults));
    }
    let plan = plan_shifts(rows, &known);
    let reported = report(work, RosterPart::Shifts, plan.counts, notes(sheet, [])).await?;
    if !reported.replayed {
        store::write_shifts(&mut work.tx, &plan.write).await?;
    }
    Ok(reported)
}

/// An overlap as the file's author sees it.
///
/// * `numbers`: of the rows, in the order of the shifts.
fn told(sheet: &Sheet, numbers: &[u32], overlap: Overlap) -> CellError {
    let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
    match overlap {
        Overlap::Within { shift, other } => {
            let said = say("overlaps", &[("row", number(other).into())]);
            sheet.fault(number(shift), "starts_at", "overlaps", said)
        }
        Overlap::Known { shift, on } => {
            sheet.fault(number(shift), "starts_at", "overlaps", say("overlaps_known", &[("on", on.into())]))
        }
    }
}

/// The known shifts of these people on the days of the file and on those beside them, from or into which a night shift may reach.
async fn known_shifts(work: &mut Work, rows: &[Shift]) -> Result<Vec<Shift>> {
    let days = (rows.iter().map(|row| row.on).min(), rows.iter().map(|row| row.on).max());
    let (Some(first), Some(last)) = days else { return Ok(Vec::new()) };
    let (first, last) = (first.pred_opt().unwrap_or(first), last.succ_opt().unwrap_or(last));
    let technicians: HashSet<_> = rows.iter().map(|row| row.technician_id).collect();
    let technicians: Vec<_> = technicians.into_iter().collect();
    store::shifts_of_days(&mut work.tx, &technicians, (first, last)).await
}

/// What rows are read against.
struct Reader {
    clock: Clock,
    actor: Actor,
    by_code: BTreeMap<String, KnownEstate>,
}

impl Reader {
    async fn new(work: &mut Work) -> Result<Self> {
        let by_code = store::estates_by_code(&mut work.tx).await?;
        Ok(Self { clock: work.clock().clone(), actor: work.call.actor.clone(), by_code })
    }

    /// The estates of a row: a list of codes, or all of the company.
    fn estates(&self, row: &mut Row<'_>) -> Option<Estates> {
        const COLUMN: &str = "estate_code";
        row.required(COLUMN)?;
        let codes = row.list(COLUMN);
        if codes.iter().any(|code| meaning_of("every", code).is_some()) {
            if self.actor.estates.is_none() {
                return Some(Estates::All);
            }
            row.refuse(COLUMN, "not_yours", &[]);
            return None;
        }
        let find = |code: &&str| -> Option<EstateId> {
            let found = self.by_code.get(&narrowed(code)).map(|estate| estate.id);
            found.filter(|estate| self.actor.sees_estate(*estate))
        };
        let found: Option<_> = codes.iter().map(find).collect();
        if found.is_none() {
            row.refuse(COLUMN, "unknown-estate", &[]);
        }
        found.map(Estates::Some)
    }
}

/// A bounded text in one width: codes and names are compared with what machines wrote.
fn bounded<const MAX: usize>(row: &mut Row<'_>, column: &str) -> Option<Text<MAX>> {
    match Text::try_new(&narrowed(row.required(column)?)) {
        Ok(text) => Some(text),
        Err(fault) => {
            refuse_text(row, column, fault);
            None
        }
    }
}

fn refuse_text(row: &mut Row<'_>, column: &str, fault: TextFault) {
    match fault {
        TextFault::TooLong { max } => row.refuse(column, "too_long", &[("most", max.into())]),
        TextFault::Control => row.reject(column, "invalid", say("control", &[])),
        TextFault::Empty => row.refuse(column, "missing", &[]),
    }
}

/// A text that may stand in the column once.
///
/// * `seen`: in which rows others stand.
fn unrepeated<const MAX: usize>(row: &mut Row<'_>, column: &str, seen: &mut HashMap<String, u32>) -> Option<Text<MAX>> {
    let text: Text<MAX> = bounded(row, column)?;
    match seen.insert(text.as_str().to_owned(), row.number()) {
        None => Some(text),
        Some(other) => {
            row.refuse(column, "repeated", &[("row", other.into())]);
            None
        }
    }
}

fn skills(row: &mut Row<'_>) -> Option<BTreeSet<String>> {
    let read: std::result::Result<BTreeSet<String>, TextFault> =
        row.list("skills").into_iter().map(|skill| Skill::try_new(skill).map(String::from)).collect();
    read.map_err(|fault| refuse_text(row, "skills", fault)).ok()
}

fn technician<'a>(row: &mut Row<'_>, known: &'a BTreeMap<String, Technician>) -> Option<&'a Technician> {
    let found = known.get(&narrowed(row.required("technician_code")?)).filter(|technician| !technician.left);
    if found.is_none() {
        row.refuse("technician_code", "unknown-technician", &[]);
    }
    found
}

fn bounds(today: NaiveDate) -> RangeInclusive<NaiveDate> {
    let (first, last) = (today.checked_sub_days(Days::new(FAR)), today.checked_add_days(Days::new(FAR)));
    first.unwrap_or(today)..=last.unwrap_or(today)
}

fn required_date(row: &mut Row<'_>, bounds: &RangeInclusive<NaiveDate>) -> Option<NaiveDate> {
    row.required("on")?;
    row.date("on", bounds)
}

fn required_time(row: &mut Row<'_>, column: &str) -> Option<TimeDelta> {
    row.required(column)?;
    row.time(column)
}

/// Whose clock somebody works by: that of their estates, of the first one should they differ.
fn zone_of(technician: &Technician, estates: &BTreeMap<String, KnownEstate>) -> Tz {
    let first = estates.values().find(|estate| technician.estates.includes(estate.id));
    first.map_or(HOME, |estate| zone(&estate.time_zone))
}

/// Start and end of a shift, told from the midnight before it; one that does not end after its start ends on the next day. `None` when it
/// lasts longer than a day.
fn window(zone: Tz, on: NaiveDate, starts: TimeDelta, ends: TimeDelta) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let ends = if ends > starts { ends } else { ends + TimeDelta::days(1) };
    let at = |time: TimeDelta| {
        let local = on.and_time(NaiveTime::MIN).checked_add_signed(time)?;
        // Where clocks are put forward there is no such time: an hour later there is.
        let skipped = || zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest();
        Some(zone.from_local_datetime(&local).earliest().or_else(skipped)?.to_utc())
    };
    (ends - starts <= TimeDelta::days(1)).then(|| Some((at(starts)?, at(ends)?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_means_one_column() {
        for layout in [DEPARTMENTS, TECHNICIANS, SHIFTS] {
            assert_eq!(layout.misread(), Vec::<String>::new(), "{}", layout.name);
        }
    }

    #[test]
    fn a_shift_is_told_by_the_clock_of_its_estate() {
        let on = NaiveDate::from_ymd_opt(2026, 12, 10).unwrap();
        let hours = TimeDelta::hours;
        let utc = |zone: Tz, starts, ends| {
            window(zone, on, hours(starts), hours(ends))
                .map(|(starts, ends)| [starts, ends].map(|at| at.format("%dT%H").to_string()))
        };
        let shanghai = chrono_tz::Asia::Shanghai;
        assert_eq!(utc(shanghai, 8, 20).unwrap(), ["10T00", "10T12"]);
        assert_eq!(utc(shanghai, 20, 8).unwrap(), ["10T12", "11T00"]);
        assert_eq!(utc(shanghai, 16, 24).unwrap(), ["10T08", "10T16"], "to the day's end");
        assert_eq!(utc(shanghai, 0, 24).unwrap(), ["09T16", "10T16"]);
        assert_eq!(utc(shanghai, 8, 8).unwrap(), ["10T00", "11T00"]);
        assert_eq!(utc(shanghai, 20, 32).unwrap(), ["10T12", "11T00"], "20:00 to 08:00 of the next day");
        assert_eq!(utc(shanghai, 8, 40), None, "32 hours");
        assert_eq!(utc(chrono_tz::Asia::Singapore, 8, 20), utc(shanghai, 8, 20));
        assert_eq!(utc(chrono_tz::Asia::Tokyo, 8, 20).unwrap(), ["09T23", "10T11"]);
        let spring = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        assert!(window(chrono_tz::Europe::Berlin, spring, TimeDelta::minutes(150), hours(10)).is_some());
    }
}
