//! Register files of departments, technicians and shifts: read whole, compared with what is known, written whole or
//! not at all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::{Days, FixedOffset, NaiveDate, NaiveTime, TimeZone as _, Utc};
use steward_chassis::{
    Call, Clock, Engine, Executed, Result, Work,
    http::Body,
    sheet::{Column, Row, Sheet},
};
use steward_kernel::{Actor, ids::EstateId, text::Text};

use crate::{
    domain::{
        Code, ImportId, Skill, TechnicianId,
        import::{Counts, Record, RosterImport, RosterPart},
        roster::{Department, Estates, Shift, Technician, plan_departments, plan_shifts, plan_technicians},
    },
    store,
};

const DEPARTMENTS: &[Column] = &[
    Column { name: "department_code", aliases: &["部门编码"], required: true },
    Column { name: "name", aliases: &["部门名称"], required: true },
    Column { name: "estate_code", aliases: &["小区编码"], required: true },
    Column { name: "contractor", aliases: &["是否外包"], required: false },
];
const TECHNICIANS: &[Column] = &[
    Column { name: "technician_code", aliases: &["工号"], required: true },
    Column { name: "name", aliases: &["姓名"], required: true },
    Column { name: "account", aliases: &["账号"], required: true },
    Column { name: "department_code", aliases: &["部门编码"], required: true },
    Column { name: "skills", aliases: &["技能"], required: true },
    Column { name: "estate_code", aliases: &["小区编码"], required: true },
];
const SHIFTS: &[Column] = &[
    Column { name: "technician_code", aliases: &["工号"], required: true },
    Column { name: "on", aliases: &["日期"], required: true },
    Column { name: "starts_at", aliases: &["开始"], required: true },
    Column { name: "ends_at", aliases: &["结束"], required: true },
];
/// The words that mean all estates of the company.
const ALL_ESTATES: [&str; 2] = ["全部", "all"];
/// Whether a department is a contractor; an empty cell means no.
const CONTRACTOR: [(&str, bool); 6] =
    [("是", true), ("否", false), ("yes", true), ("no", false), ("true", true), ("false", false)];
/// China has one time, all year round: UTC+8.
const CHINA_SECONDS: i32 = 8 * 3600;

/// Imports a register file; the report.
///
/// # Errors
/// [`steward_chassis::Error::Sheet`] with the faults by row and column; nothing is imported then.
pub(crate) async fn import(
    engine: &Engine,
    call: &Call,
    resource: RosterPart,
    file: &Body,
) -> Result<Executed<RosterImport>> {
    let columns = match resource {
        RosterPart::Departments => DEPARTMENTS,
        RosterPart::Technicians => TECHNICIANS,
        RosterPart::Shifts => SHIFTS,
    };
    let sheet = Arc::new(Sheet::read(&file.bytes, &file.content_type, columns)?);
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
async fn report(work: &mut Work, resource: RosterPart, counts: Counts) -> Result<Executed<RosterImport>> {
    let id = ImportId::from(work.clock().new_id());
    work.execute::<RosterImport>(id, &Record { resource, counts }, &()).await
}

async fn departments(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let reader = Reader::new(work).await?;
    let mut seen = HashSet::new();
    let rows = sheet.each(|row| {
        let code = unrepeated(row, "department_code", &mut seen);
        let (name, estates) = (bounded(row, "name"), reader.estates(row));
        let contractor = row.choice("contractor", &CONTRACTOR).unwrap_or(false);
        Some(Department { id: reader.clock.new_id().into(), code: code?, name: name?, estates: estates?, contractor })
    })?;
    let known = store::departments(&mut work.tx).await?;
    let plan = plan_departments(rows.into_iter().map(|row| row.value).collect(), &known);
    let reported = report(work, RosterPart::Departments, plan.counts).await?;
    if !reported.replayed {
        for row in &plan.write {
            store::write_department(&mut work.tx, row, reported.changed_at).await?;
        }
    }
    Ok(reported)
}

async fn technicians(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let reader = Reader::new(work).await?;
    let departments = store::departments(&mut work.tx).await?;
    let known = store::technicians(&mut work.tx).await?;
    let holders: HashMap<&str, &str> = known.values().map(|each| (each.account.as_str(), each.code.as_str())).collect();
    let (mut seen, mut accounts) = (HashSet::new(), HashSet::new());
    let rows = sheet.each(|row| {
        let code: Option<Code> = unrepeated(row, "technician_code", &mut seen);
        let account: Option<Code> = unrepeated(row, "account", &mut accounts);
        let (name, department) = (bounded(row, "name"), bounded(row, "department_code"));
        let (skills, estates) = (skills(row), reader.estates(row));
        let (code, account, department): (_, _, Code) = (code?, account?, department?);
        if !departments.contains_key(department.as_str()) {
            row.reject("department_code", "unknown-department", "no department with this code is known");
            return None;
        }
        if holders.get(account.as_str()).is_some_and(|holder| *holder != code.as_str()) {
            row.reject("account", "taken", "another technician has this account");
            return None;
        }
        let id = reader.clock.new_id().into();
        Some(Technician { id, code, name: name?, account, department, skills: skills?, estates: estates? })
    })?;
    let plan = plan_technicians(rows.into_iter().map(|row| row.value).collect(), &known);
    let reported = report(work, RosterPart::Technicians, plan.counts).await?;
    if !reported.replayed {
        for row in &plan.write {
            store::write_technician(&mut work.tx, row, reported.changed_at).await?;
        }
    }
    Ok(reported)
}

async fn shifts(work: &mut Work, sheet: &Sheet) -> Result<Executed<RosterImport>> {
    let clock = work.clock().clone();
    let technicians = store::technicians(&mut work.tx).await?;
    let mut seen = HashSet::new();
    let rows = sheet.each(|row| {
        let (technician_id, on) = (technician(row, &technicians), required_date(row));
        let (starts, ends) = (required_time(row, "starts_at"), required_time(row, "ends_at"));
        let (technician_id, on) = (technician_id?, on?);
        let Some((starts_at, ends_at)) = window(on, starts?, ends?) else {
            row.reject("on", "out_of_range", "must be a day of our time");
            return None;
        };
        if !seen.insert((technician_id, starts_at)) {
            row.reject("starts_at", "repeated", "this shift stands there twice");
            return None;
        }
        Some(Shift { id: clock.new_id().into(), technician_id, on, starts_at, ends_at, called_off: false })
    })?;
    let rows: Vec<Shift> = rows.into_iter().map(|row| row.value).collect();
    let known = known_shifts(work, &rows).await?;
    let plan = plan_shifts(rows, &known);
    let reported = report(work, RosterPart::Shifts, plan.counts).await?;
    if !reported.replayed {
        store::write_shifts(&mut work.tx, &plan.write).await?;
    }
    Ok(reported)
}

async fn known_shifts(work: &mut Work, rows: &[Shift]) -> Result<Vec<Shift>> {
    let days = (rows.iter().map(|row| row.on).min(), rows.iter().map(|row| row.on).max());
    let (Some(first), Some(last)) = days else { return Ok(Vec::new()) };
    let technicians: HashSet<TechnicianId> = rows.iter().map(|row| row.technician_id).collect();
    let technicians: Vec<_> = technicians.into_iter().collect();
    store::shifts_of_days(&mut work.tx, &technicians, (first, last)).await
}

/// What rows are read against.
struct Reader {
    clock: Clock,
    actor: Actor,
    by_code: HashMap<String, EstateId>,
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
        if codes.iter().any(|code| ALL_ESTATES.contains(code)) {
            if self.actor.estates.is_none() {
                return Some(Estates::All);
            }
            row.reject(COLUMN, "not_yours", "you do not see all estates");
            return None;
        }
        let find = |code: &&str| self.by_code.get(*code).copied().filter(|estate| self.actor.sees_estate(*estate));
        let found: Option<_> = codes.iter().map(find).collect();
        if found.is_none() {
            row.reject(COLUMN, "unknown-estate", "no estate with this code is known; import estates first");
        }
        found.map(Estates::Some)
    }
}

fn bounded<const MAX: usize>(row: &mut Row<'_>, column: &str) -> Option<Text<MAX>> {
    match Text::try_new(row.required(column)?) {
        Ok(text) => Some(text),
        Err(fault) => {
            row.reject(column, "invalid", fault.to_string());
            None
        }
    }
}

/// A text that may stand in the column once.
fn unrepeated<const MAX: usize>(row: &mut Row<'_>, column: &str, seen: &mut HashSet<String>) -> Option<Text<MAX>> {
    let text: Text<MAX> = bounded(row, column)?;
    if seen.insert(text.as_str().to_owned()) {
        return Some(text);
    }
    row.reject(column, "repeated", "stands in an earlier row");
    None
}

fn skills(row: &mut Row<'_>) -> Option<BTreeSet<String>> {
    let read: std::result::Result<BTreeSet<String>, _> =
        row.list("skills").into_iter().map(|skill| Skill::try_new(skill).map(String::from)).collect();
    read.map_err(|fault| row.reject("skills", "invalid", format!("each skill {fault}"))).ok()
}

fn technician(row: &mut Row<'_>, known: &BTreeMap<String, Technician>) -> Option<TechnicianId> {
    let code = row.required("technician_code")?;
    let found = known.get(code).map(|technician| technician.id);
    if found.is_none() {
        row.reject("technician_code", "unknown-technician", "no technician with this number is known");
    }
    found
}

fn required_date(row: &mut Row<'_>) -> Option<NaiveDate> {
    row.required("on")?;
    row.date("on")
}

fn required_time(row: &mut Row<'_>, column: &str) -> Option<NaiveTime> {
    row.required(column)?;
    row.time(column)
}

/// Start and end of a shift; one that does not end after its start ends on the next day.
fn window(on: NaiveDate, starts: NaiveTime, ends: NaiveTime) -> Option<(chrono::DateTime<Utc>, chrono::DateTime<Utc>)> {
    let china = FixedOffset::east_opt(CHINA_SECONDS)?;
    let last = if ends > starts { on } else { on.checked_add_days(Days::new(1))? };
    let at = |day: NaiveDate, time| Some(china.from_local_datetime(&day.and_time(time)).single()?.to_utc());
    Some((at(on, starts)?, at(last, ends)?))
}
