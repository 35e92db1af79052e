//! Imports of register files: each is one transaction, all of the file or nothing.
//!
//! The rows are compared with what is known while no other import of the company runs; what came of them is written
//! down as a
//! [`RegisterImport`], which claims the call's key. So a repeated request finds its first answer and writes nothing.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono_tz::Tz;
use futures::future::BoxFuture;
use steward_chassis::{
    Call, Engine, Error, Executed, Result, Work,
    sheet::{Sheet, say},
};
use steward_kernel::{day, ids::EstateId, sheets::Note};
use uuid::Uuid;

use crate::{
    domain::{
        article::{self, Article, Content},
        estate::{self, Estate},
        import::{Command, RegisterImport, RegisterPart, Tally},
        phone::PhoneRegion,
        register::{self, Fault, Row, StaffMember, UnitRow},
        residents::{self, ResidentRow},
        staff::{self, StaffEntry},
    },
    store,
};

/// Most notes that are kept of an import.
const MOST_NOTES: usize = 500;

/// A file whose rows were read.
#[derive(Debug)]
pub struct File<T> {
    /// The file: it knows how its columns are called.
    pub sheet: Sheet,
    /// What its rows say.
    pub rows: Vec<Row<T>>,
}

impl<T> File<T> {
    /// What is at fault, as the file's author sees it.
    fn faults(&self, faults: Vec<Fault>) -> Error {
        let cell = |fault: Fault| {
            let filled_in: Vec<_> = fault.filled_in.into_iter().map(|(name, value)| (name, value.into())).collect();
            self.sheet.fault(fault.row, fault.column, fault.code, say(fault.text, &filled_in))
        };
        Error::Sheet(faults.into_iter().map(cell).collect())
    }

    /// What `pick` finds in the rows, each once.
    fn distinct<'a>(&'a self, pick: impl Fn(&'a T) -> &'a str) -> Vec<String> {
        let found: BTreeSet<&str> = self.rows.iter().map(|row| pick(&row.value)).collect();
        found.into_iter().map(str::to_owned).collect()
    }
}

/// What there is to know about an import: what was left out of the file, and what looks wrong.
fn notes<T>(file: &File<T>, found: impl IntoIterator<Item = Note>) -> Vec<Note> {
    file.sheet.notes().iter().cloned().chain(found).take(MOST_NOTES).collect()
}

/// Something that names estates by their codes: the row as it stands in the file.
#[derive(Debug, Clone)]
pub struct Naming<T> {
    /// Codes of estates; `None` = all.
    pub estates: Option<Vec<String>>,
    /// The rest; its estates are filled in when they are known.
    pub value: T,
}

/// Imports estates and their units.
///
/// # Errors
/// [`Error::Sheet`] for rows that do not fit; nothing is written then.
pub async fn estates(engine: &Engine, call: &Call, file: File<UnitRow>) -> Result<Executed<RegisterImport>> {
    in_one(engine, call, file, |work, file| {
        Box::pin(async move {
            let known =
                store::register::estates_by_code(&mut work.tx, &file.distinct(|row| row.estate_code.as_str())).await?;
            let ids: Vec<EstateId> = known.values().map(|(id, _)| *id).collect();
            let units = store::register::units_of(&mut work.tx, &ids).await?;
            let clock = work.clock().clone();
            let plan = register::plan_units(&file.rows, &known, &units, || clock.new_id())
                .map_err(|faults| file.faults(faults))?;
            let report = report(work, RegisterPart::Estates, plan.tally, notes(file, [])).await?;
            if report.replayed {
                return Ok(report);
            }
            for (id, particulars) in &plan.estates {
                work.execute::<Estate>(*id, &estate::Command::Register(particulars.clone()), &()).await?;
            }
            store::register::write_units(&mut work.tx, &plan.units, clock.now()).await?;
            count(work, plan.units.iter().map(|unit| unit.estate).collect()).await?;
            Ok(report)
        })
    })
    .await
}

/// Imports residents and their units.
///
/// * `elsewhere`: how telephone numbers are read in estates whose time zone does not say it.
/// * `replaces`: whether the file names all residents of its units; the ties of others to these units end yesterday.
///
/// # Errors
/// [`Error::Sheet`] for rows that do not fit; nothing is written then.
pub async fn residents(
    engine: &Engine,
    call: &Call,
    file: File<ResidentRow>,
    elsewhere: PhoneRegion,
    replaces: bool,
) -> Result<Executed<RegisterImport>> {
    in_one(engine, call, file, move |work, file| {
        Box::pin(async move {
            let estates =
                store::register::estates_by_code(&mut work.tx, &file.distinct(|row| row.estate_code.as_str())).await?;
            let region = |zone: &str| PhoneRegion::of_time_zone(zone).unwrap_or(elsewhere);
            let zones: HashMap<EstateId, Tz> =
                estates.values().map(|(id, estate)| (*id, day::zone(&estate.time_zone))).collect();
            let estates: HashMap<String, (EstateId, PhoneRegion)> =
                estates.into_iter().map(|(code, (id, estate))| (code, (id, region(&estate.time_zone)))).collect();
            let ids: Vec<EstateId> = estates.values().map(|(id, _)| *id).collect();
            let units = store::register::units_of(&mut work.tx, &ids).await?;
            let units = units.into_iter().map(|(place, (id, _))| (place, id)).collect();
            let known =
                store::people::residents_by_code(&mut work.tx, &file.distinct(|row| row.person.code.as_str())).await?;
            let clock = work.clock().clone();
            let register = residents::Register { estates: &estates, units: &units, residents: &known };
            let plan = residents::plan_residents(&file.rows, register, || clock.new_id())
                .map_err(|faults| file.faults(faults))?;
            let occupants = store::people::occupants(&mut work.tx, &plan.named.units()).await?;
            let today = |estate| day::day(clock.now(), zones.get(&estate).copied().unwrap_or(day::HOME));
            let ended = if replaces { residents::replaced(&plan.named, &occupants, today) } else { Vec::new() };
            let superseded = if replaces { Vec::new() } else { residents::superseded(&plan, &occupants) };
            let note = |row, what, code: &str| Note::new(row, "", what, &[("code", code.to_owned())]);
            let told = superseded.into_iter().map(|(row, code)| note(row, "superseded", code));
            let told = told.chain(ended.iter().map(|(row, _, code)| note(*row, "moved_out", code)));
            let tally = Tally { ended: u32::try_from(ended.len()).unwrap_or(u32::MAX), ..plan.tally };
            let report = report(work, RegisterPart::Residents, tally, notes(file, told)).await?;
            if report.replayed {
                return Ok(report);
            }
            store::people::write_residents(&mut work.tx, &plan.residents, clock.now()).await?;
            let gone: Vec<_> = ended.iter().map(|(_, tie, _)| tie.resident).collect();
            store::people::touch(&mut work.tx, &gone).await?;
            let estates = plan.estates.iter().copied().chain(ended.iter().map(|(_, tie, _)| tie.estate)).collect();
            let ties = plan.ties.into_iter().map(|(_, tie)| tie).chain(ended.into_iter().map(|(_, tie, _)| tie));
            store::people::write_ties(&mut work.tx, &ties.collect::<Vec<_>>()).await?;
            count(work, estates).await?;
            Ok(report)
        })
    })
    .await
}

/// Imports the company's people.
///
/// # Errors
/// [`Error::Sheet`] for rows that do not fit; nothing is written then.
pub async fn staff(engine: &Engine, call: &Call, file: File<Naming<StaffMember>>) -> Result<Executed<RegisterImport>> {
    in_one(engine, call, file, |work, file| {
        Box::pin(async move {
            let fill = |staff: &StaffMember, estates| StaffMember { estates, ..staff.clone() };
            let mut rows = with_estates(work, file, fill).await?;
            let codes = file.distinct(|row| row.value.code.as_str());
            let known = store::staff::staff_by_code(&mut work.tx, &codes).await?;
            if !file.sheet.has("status") {
                // Who has left stays so until a file says otherwise.
                let had_left = |code: &str| known.get(code).is_some_and(|(_, before)| before.left);
                rows.iter_mut().for_each(|row| row.value.left = had_left(row.value.code.as_str()));
            }
            let clock = work.clock().clone();
            let plan =
                register::plan_entries(&rows, "staff_code", |staff| staff.code.as_str(), &known, || clock.new_id())
                    .map_err(|faults| file.faults(faults))?;
            let leaving = leaving(work, &rows, &known).await?;
            let report = report(work, RegisterPart::Staff, plan.tally, notes(file, leaving)).await?;
            if report.replayed {
                return Ok(report);
            }
            let changes = [plan.created, plan.updated].concat();
            store::staff::write_staff(&mut work.tx, &changes, clock.now()).await?;
            // Also of those who have not changed: they may have been entered before others were told.
            let mut entries: HashMap<&str, Uuid> = known.iter().map(|(code, (id, _))| (code.as_str(), *id)).collect();
            entries.extend(changes.iter().map(|(id, member)| (member.code.as_str(), *id)));
            for member in rows.iter().map(|row| &row.value) {
                if let Some(id) = entries.get(member.code.as_str()) {
                    work.execute::<StaffEntry>((*id).into(), &staff::Command::Register(member.into()), &()).await?;
                }
            }
            Ok(report)
        })
    })
    .await
}

/// What those have who leave, or stop to work for an estate: their posts, and the cases that they answer for.
async fn leaving(
    work: &mut Work,
    rows: &[Row<StaffMember>],
    known: &HashMap<String, (Uuid, StaffMember)>,
) -> Result<Vec<Note>> {
    let before = |row: &StaffMember| known.get(row.code.as_str()).map(|(_, before)| before);
    let has_less = |row: &&Row<StaffMember>| {
        before(&row.value).is_some_and(|before| {
            !before.account.is_empty() && ((row.value.left && !before.left) || row.value.estates != before.estates)
        })
    };
    let mut found = Vec::new();
    for row in rows.iter().filter(has_less) {
        let Some(before) = before(&row.value) else { continue };
        let held = store::stewardship::held_by(&mut work.tx, &before.account).await?;
        let lost = held.iter().filter(|estate| !row.value.works_for(Some(**estate))).count();
        if lost > 0 {
            found.push(Note::new(row.number, "", "handed_over", &[("count", lost.to_string())]));
        }
        let posts = store::rulebook::posts_of(&mut work.tx, &before.account).await?;
        let vacant = posts.into_iter().filter(|(_, estate)| !row.value.works_for(*estate));
        found.extend(vacant.map(|(level, _)| Note::new(row.number, "", "post_vacant", &[("level", level)])));
        if row.value.left {
            let now = work.clock().now();
            let covered = store::rulebook::covered_by(&mut work.tx, &before.account, now).await?;
            let on = |at| day::day(at, day::HOME).to_string();
            let uncovered = covered.into_iter().map(|(from, to)| [("from", on(from)), ("to", on(to))]);
            found.extend(uncovered.map(|days| Note::new(row.number, "", "uncovered", &days)));
        }
    }
    Ok(found)
}

/// Imports the handbook: a text that differs becomes a new version of its article.
///
/// # Errors
/// [`Error::Sheet`] for rows that do not fit; nothing is written then.
pub async fn articles(engine: &Engine, call: &Call, file: File<Naming<Content>>) -> Result<Executed<RegisterImport>> {
    in_one(engine, call, file, |work, file| {
        Box::pin(async move {
            let fill = |content: &Content, estates: Option<Vec<EstateId>>| Content {
                estate: estates.and_then(|estates| estates.first().copied()),
                ..content.clone()
            };
            let rows = with_estates(work, file, fill).await?;
            let codes = file.distinct(|row| row.value.code.as_str());
            let known = store::article::articles_by_code(&mut work.tx, &codes).await?;
            let clock = work.clock().clone();
            let plan = register::plan_entries(
                &rows,
                "article_code",
                |content| content.code.as_str(),
                &known,
                || clock.new_id(),
            )
            .map_err(|faults| file.faults(faults))?;
            let report = report(work, RegisterPart::Articles, plan.tally, notes(file, [])).await?;
            if report.replayed {
                return Ok(report);
            }
            for (id, content) in plan.created {
                let facts = article_facts(work, &content).await?;
                work.execute::<Article>(id.into(), &article::Command::Write(content), &facts).await?;
            }
            for (id, content) in plan.updated {
                let facts = article_facts(work, &content).await?;
                work.execute::<Article>(id.into(), &article::Command::Revise(content), &facts).await?;
            }
            Ok(report)
        })
    })
    .await
}

/// What is known when a text of the handbook is written.
pub(crate) async fn article_facts(work: &mut Work, content: &Content) -> Result<article::Facts> {
    let time_zone = store::article::zone_of(&mut work.tx, content.estate).await?;
    Ok(article::Facts { actor: work.call.actor.clone(), now: work.clock().now(), time_zone })
}

/// Runs an import in one transaction, after those of the same company that came before.
async fn in_one<T, F>(engine: &Engine, call: &Call, file: File<T>, import: F) -> Result<Executed<RegisterImport>>
where
    T: Send + Sync + 'static,
    F: for<'a> Fn(&'a mut Work, &'a File<T>) -> BoxFuture<'a, Result<Executed<RegisterImport>>>
        + Copy
        + Send
        + Sync
        + 'static,
{
    let file = Arc::new(file);
    engine
        .transact(call, move |work| {
            let file = Arc::clone(&file);
            Box::pin(async move {
                store::register::take_turns(&mut work.tx).await?;
                import(work, &file).await
            })
        })
        .await
}

/// Writes down what came of the rows, under the call's key; the first answer when the key was used before.
async fn report(
    work: &mut Work,
    part: RegisterPart,
    tally: Tally,
    notes: Vec<Note>,
) -> Result<Executed<RegisterImport>> {
    let id = work.clock().new_id().into();
    work.execute::<RegisterImport>(id, &Command::Report { part, tally, notes }, &()).await
}

/// Notes how large these estates are now.
async fn count(work: &mut Work, estates: BTreeSet<EstateId>) -> Result<()> {
    let estates: Vec<EstateId> = estates.into_iter().collect();
    let now = work.clock().now();
    for (id, counts) in store::register::counts(&mut work.tx, &estates, now).await? {
        work.execute::<Estate>(id, &estate::Command::Count(counts), &()).await?;
    }
    Ok(())
}

/// The rows with the ids of the estates that they name.
async fn with_estates<T: Sync + Send>(
    work: &mut Work,
    file: &File<Naming<T>>,
    fill: impl Fn(&T, Option<Vec<EstateId>>) -> T + Send,
) -> Result<Vec<Row<T>>> {
    let codes: BTreeSet<&String> = file.rows.iter().flat_map(|row| row.value.estates.iter().flatten()).collect();
    let codes: Vec<String> = codes.into_iter().cloned().collect();
    let known = store::register::estates_by_code(&mut work.tx, &codes).await?;
    let (mut rows, mut faults) = (Vec::with_capacity(file.rows.len()), Vec::new());
    for Row { number, value: Naming { estates, value } } in &file.rows {
        let found = |codes: &Vec<String>| {
            codes.iter().map(|code| known.get(code).map(|(id, _)| *id)).collect::<Option<Vec<_>>>()
        };
        match estates.as_ref().map(found) {
            None => rows.push(Row { number: *number, value: fill(value, None) }),
            Some(Some(ids)) => rows.push(Row { number: *number, value: fill(value, Some(ids)) }),
            Some(None) => faults.push(Fault::unknown_estate(*number)),
        }
    }
    if faults.is_empty() { Ok(rows) } else { Err(file.faults(faults)) }
}
