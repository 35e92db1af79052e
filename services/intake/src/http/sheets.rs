//! The columns of register files, and what their rows say.

use std::{ops::RangeInclusive, str::FromStr as _};

use chrono::{Months, NaiveDate};
use steward_chassis::{
    Result,
    http::Body,
    sheet::{self, Column, Layout, Sheet, meaning_of, say},
};
use steward_kernel::{
    fold::narrowed,
    text::{Text, TextFault},
    vocabulary::Language,
};

use crate::{
    domain::{
        article::Content,
        register::{Row, StaffMember, UnitDetails, UnitPlace, UnitRow},
        residents::{Person, ResidentRole, ResidentRow, Tie},
    },
    import::{File, Naming},
};

/// Largest register file: 50,000 rows of usual length.
pub(super) const MAX_BYTES: usize = 10 << 20;
/// Longest name of a building, entrance or unit, in characters.
const PLACE: usize = 40;
/// Largest area of a unit, in square metres.
const MAX_AREA: f64 = 1_000_000.0;
/// How far ahead somebody moves in or out, or a text is dated.
const YEARS_AHEAD: u32 = 2;

const ESTATE_CODE: Column = Column::must("estate_code");
const BUILDING: Column = Column::must("building");
const ENTRANCE: Column = Column::may("entrance");
const UNIT: Column = Column::must("unit");

const ESTATES: Layout = Layout {
    name: "estates",
    columns: &[
        ESTATE_CODE,
        Column::must("estate_name"),
        Column::must("region"),
        Column::may("time_zone"),
        BUILDING,
        ENTRANCE,
        UNIT,
        Column::must("floor"),
        Column::must("area_m2"),
    ],
};

const RESIDENTS: Layout = Layout {
    name: "residents",
    columns: &[
        Column::must("resident_code"),
        Column::must("name"),
        Column::must("phone"),
        ESTATE_CODE,
        BUILDING,
        ENTRANCE,
        UNIT,
        Column::must("role"),
        Column::must("since_on"),
        Column::may("until_on"),
        Column::may("language"),
    ],
};

const STAFF: Layout = Layout {
    name: "staff",
    columns: &[
        Column::must("staff_code"),
        Column::must("name"),
        Column::must("role"),
        Column::must("department"),
        ESTATE_CODE,
        Column::must("account"),
        Column::may("status"),
    ],
};

const ARTICLES: Layout = Layout {
    name: "articles",
    columns: &[
        Column::must("article_code"),
        Column::must("title"),
        Column::must("category"),
        Column::must("body"),
        Column::must("language"),
        Column::may("estate_code"),
        Column::may("valid_from"),
    ],
};

/// The days that ties to units and articles of the handbook can begin and end on: what lies outside is a slip of the pen, or of the program
/// that wrote the file.
fn bounds(today: NaiveDate) -> RangeInclusive<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1920, 1, 1).unwrap_or(today);
    first..=today.checked_add_months(Months::new(YEARS_AHEAD * 12)).unwrap_or(today)
}

/// Reads a file of estates and units.
pub(super) fn units(body: &Body) -> Result<File<UnitRow>> {
    read(body, &ESTATES, |row| {
        let (code, name, region) = (code(row, "estate_code"), text(row, "estate_name"), text(row, "region"));
        let time_zone = row.parse("time_zone", "unknown_word", "not_a_time_zone", |zone| {
            chrono_tz::Tz::from_str(zone).ok().map(|zone| zone.name().to_owned())
        });
        let (place, floor) = (place(row), words::<PLACE>(row, "floor"));
        let area_m2 = row.parse("area_m2", "not_a_number", "not_an_area", |area| {
            f64::from_str(area).ok().filter(|area| *area > 0.0 && *area <= MAX_AREA)
        });
        Some(UnitRow {
            estate_code: code?,
            estate_name: name?,
            region: region?,
            time_zone,
            place: place?,
            details: UnitDetails { floor, area_m2 },
        })
    })
}

/// Reads a file of residents.
///
/// * `today`: to tell days that can be meant from those that can't.
pub(super) fn residents(body: &Body, today: NaiveDate) -> Result<File<ResidentRow>> {
    let bounds = bounds(today);
    read(body, &RESIDENTS, |row| {
        let (code, name, estate_code) = (code(row, "resident_code"), text(row, "name"), code::<40>(row, "estate_code"));
        let language = row.word("language", "language").and_then(Language::parse);
        let (place, since_on) = (place(row), row.date("since_on", &bounds));
        let until_on = row.date("until_on", &bounds);
        if since_on.zip(until_on).is_some_and(|(since, until)| until < since) {
            let other = row.written("since_on").into();
            row.refuse("until_on", "ends_before", &[("other", other)]);
        }
        let role = row.required("role").and_then(|_| row.word("role", "resident_role")).and_then(ResidentRole::parse);
        Some(ResidentRow {
            person: Person { code: code?, name: name?, phone: String::new(), other_phones: Vec::new(), language },
            phones: row.text("phone").unwrap_or_default().to_owned(),
            estate_code: estate_code?.into(),
            place: place?,
            tie: Tie { role: role?, since_on, until_on },
            has_end: row.has("until_on"),
        })
    })
}

/// Reads a file of the company's people.
pub(super) fn staff(body: &Body) -> Result<File<Naming<StaffMember>>> {
    read(body, &STAFF, |row| {
        let (code, name, department) = (code(row, "staff_code"), text(row, "name"), text(row, "department"));
        let role = row.required("role").and_then(|_| row.word("role", "staff_role"));
        let role = role.and_then(|role| Text::try_new(role).ok());
        let account = words::<200>(row, "account");
        let estates = row.required("estate_code").map(|_| estate_codes(row));
        let left = row.word("status", "staff_status") == Some("left");
        let (code, name, role, department) = (code?, name?, role?, department?);
        let value = StaffMember { code, name, role, department, estates: None, account, left };
        Some(Naming { estates: estates?, value })
    })
}

/// Reads a file of articles.
///
/// * `today`: to tell days that can be meant from those that can't.
pub(super) fn articles(body: &Body, today: NaiveDate) -> Result<File<Naming<Content>>> {
    let bounds = bounds(today);
    read(body, &ARTICLES, |row| {
        let (code, title, category) = (code(row, "article_code"), text(row, "title"), text(row, "category"));
        let (body, valid_from) = (text(row, "body"), row.date("valid_from", &bounds));
        let language = row.required("language").and_then(|_| row.word("language", "language"));
        let estates = row.text("estate_code").and_then(|_| estate_codes(row));
        if estates.as_ref().is_some_and(|codes| codes.len() > 1) {
            row.reject("estate_code", "too_many", say("one_estate_only", &[]));
        }
        let value = Content {
            code: code?,
            title: title?,
            category: category?,
            body: body?,
            language: language.and_then(Language::parse)?,
            estate: None,
            valid_from,
        };
        Some(Naming { estates, value })
    })
}

fn read<T>(body: &Body, layout: &Layout, make: impl FnMut(&mut sheet::Row<'_>) -> Option<T>) -> Result<File<T>> {
    let sheet = Sheet::read(&body.bytes, &body.content_type, layout)?;
    let rows =
        sheet.each(make)?.into_iter().map(|numbered| Row { number: numbered.row, value: numbered.value }).collect();
    Ok(File { sheet, rows })
}

/// A bounded text that must be there.
fn text<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str) -> Option<Text<MAX>> {
    let raw = row.required(column)?;
    bounded(row, column, raw)
}

/// A code that must be there, in one width: what people typed is compared with what machines wrote.
fn code<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str) -> Option<Text<MAX>> {
    let raw = row.required(column)?;
    bounded(row, column, &narrowed(raw))
}

fn bounded<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str, raw: &str) -> Option<Text<MAX>> {
    match Text::try_new(raw) {
        Ok(text) => Some(text),
        Err(fault) => {
            match fault {
                TextFault::TooLong { max } => row.refuse(column, "too_long", &[("most", max.into())]),
                TextFault::Control => row.reject(column, "invalid", say("control", &[])),
                TextFault::Empty => row.refuse(column, "missing", &[]),
            }
            None
        }
    }
}

/// A bounded text that may be empty.
fn words<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str) -> String {
    if row.text(column).is_none() {
        return String::new();
    }
    text::<MAX>(row, column).map(String::from).unwrap_or_default()
}

fn place(row: &mut sheet::Row<'_>) -> Option<UnitPlace> {
    let (building, unit) = (text::<PLACE>(row, "building"), text::<PLACE>(row, "unit"));
    Some(UnitPlace { entrance: words::<PLACE>(row, "entrance"), building: building?.into(), unit: unit?.into() })
}

/// The estates that a cell names; `None` = all.
fn estate_codes(row: &sheet::Row<'_>) -> Option<Vec<String>> {
    let codes = row.list("estate_code");
    if codes.iter().any(|code| meaning_of("every", code).is_some()) {
        return None;
    }
    Some(codes.into_iter().map(narrowed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_means_one_column() {
        for layout in [ESTATES, RESIDENTS, STAFF, ARTICLES] {
            assert_eq!(layout.misread(), Vec::<String>::new(), "{}", layout.name);
        }
    }
}
