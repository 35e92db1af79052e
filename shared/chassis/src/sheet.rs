//! Register files, the way property companies keep them: CSV (UTF-8 or GB18030) and XLSX, with headers in Chinese or
//! English.
//!
//! ```
//! use steward_chassis::sheet::{Column, Sheet};
//!
//! const COLUMNS: &[Column] = &[
//!     Column { name: "estate_code", aliases: &["小区编码"], required: true },
//!     Column { name: "area_m2", aliases: &["建筑面积"], required: false },
//! ];
//! # fn main() -> steward_chassis::Result<()> {
//! let sheet = Sheet::read("小区编码,建筑面积\nE1,90.5\n".as_bytes(), "text/csv", COLUMNS)?;
//! let rows = sheet.each(|row| {
//!     let (code, area) = (row.required("estate_code"), row.decimal("area_m2"));
//!     Some((code?.to_owned(), area))                   // all faults of a row are found before the first `?`
//! })?;
//! assert_eq!(rows[0].value, ("E1".to_owned(), Some(90.5)));
//! # Ok(())
//! # }
//! ```

mod read;

use std::{collections::HashMap, str::FromStr};

use bytes::Bytes;
use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use steward_kernel::era::Dated;
use utoipa::ToSchema;

use crate::{Error, Result};

/// Most rows below the header.
pub const MAX_ROWS: usize = 50_000;
/// More faults than this are not collected: the file is another file.
const MAX_FAULTS: usize = 10_000;
/// The media type of XLSX.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A cell at fault, or the whole file (row 1 is the header).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CellError {
    /// As in the file: the header is row 1.
    pub row: u32,
    /// As written in the file.
    #[schema(example = "小区编码")]
    pub column: String,
    /// Stable word for programs.
    #[schema(example = "missing")]
    pub code: &'static str,
    /// What to mend; never repeats what stands in the cell.
    #[schema(example = "is required")]
    pub detail: String,
}

impl CellError {
    fn of_file(code: &'static str, detail: impl Into<String>) -> Error {
        Error::Sheet(vec![Self { row: 1, column: String::new(), code, detail: detail.into() }])
    }
}

/// A column that a register file may or must have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its English name: a good header, and the name in code.
    pub name: &'static str,
    /// Other headers that mean the same.
    pub aliases: &'static [&'static str],
    /// Whether the file must have it.
    pub required: bool,
}

/// A register file that has been read: header understood, cells as trimmed texts.
#[derive(Debug)]
pub struct Sheet {
    /// Place in the row, and header as written, by name.
    columns: HashMap<&'static str, (usize, String)>,
    /// Number in the file, and cells.
    rows: Vec<(u32, Vec<String>)>,
}

/// What was made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    /// Its number in the file.
    pub row: u32,
    /// What it says.
    pub value: T,
}

impl Sheet {
    /// Reads a file; empty rows are left out.
    ///
    /// * `content_type`: `text/csv` or [`XLSX`].
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`]; [`Error::Sheet`] when it is not such a file, is empty or too long, or when a
    /// header is missing, doubled or unknown.
    pub fn read(bytes: &[u8], content_type: &str, columns: &[Column]) -> Result<Self> {
        let mut rows = match content_type {
            "text/csv" | "application/csv" => read::csv(bytes)?,
            XLSX => read::xlsx(Bytes::copy_from_slice(bytes))?,
            _ => return Err(Error::UnsupportedMediaType("text/csv or an XLSX sheet")),
        }
        .into_iter();
        let (_, header) =
            rows.next().ok_or_else(|| CellError::of_file("empty_file", "there is nothing in the file"))?;
        let columns = understand(&header, columns)?;
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() {
            return Err(CellError::of_file("no_rows", "there is nothing below the header"));
        }
        // What stands under no header was meant to be read; nobody would miss it before it is too late.
        let nameless = |place: usize| header.get(place).is_none_or(String::is_empty);
        let stray: Vec<_> = rows
            .iter()
            .filter(|(_, cells)| cells.iter().enumerate().any(|(place, cell)| !cell.is_empty() && nameless(place)))
            .take(MAX_FAULTS)
            .map(|(row, _)| CellError {
                row: *row,
                column: String::new(),
                code: "no_header",
                detail: "has a cell that stands under no header".to_owned(),
            })
            .collect();
        if stray.is_empty() { Ok(Self { columns, rows }) } else { Err(Error::Sheet(stray)) }
    }

    /// Makes something of every row.
    ///
    /// # Errors
    /// [`Error::Sheet`] with the faults of all rows, when there is any.
    pub fn each<'a, T>(&'a self, mut make: impl FnMut(&mut Row<'a>) -> Option<T>) -> Result<Vec<Numbered<T>>> {
        let mut made = Vec::with_capacity(self.rows.len());
        let mut faults = Vec::new();
        for (number, cells) in &self.rows {
            let mut row = Row { sheet: self, number: *number, cells, faults: Vec::new() };
            let value = make(&mut row);
            if value.is_none() && row.faults.is_empty() {
                return Err(Error::internal("register file", format!("row {number} was refused without a reason")));
            }
            faults.append(&mut row.faults);
            made.extend(value.map(|value| Numbered { row: *number, value }));
            if faults.len() >= MAX_FAULTS {
                break;
            }
        }
        if faults.is_empty() { Ok(made) } else { Err(Error::Sheet(faults)) }
    }

    /// A fault that was found later, when a row was compared with what is known.
    ///
    /// * `column`: its name in code; the fault shows the header as written.
    #[must_use]
    pub fn fault(&self, row: u32, column: &str, code: &'static str, detail: impl Into<String>) -> CellError {
        let written = self.columns.get(column).map_or(column, |(_, header)| header);
        CellError { row, column: written.to_owned(), code, detail: detail.into() }
    }

    /// How many rows stand below the header.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never: a sheet without rows is not read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Which column stands where.
fn understand(header: &[String], columns: &[Column]) -> Result<HashMap<&'static str, (usize, String)>> {
    let mut places = HashMap::new();
    let mut faults = Vec::new();
    let mut fault = |column: &str, code, detail: &str| {
        faults.push(CellError { row: 1, column: column.to_owned(), code, detail: detail.to_owned() });
    };
    for (place, written) in header.iter().enumerate().filter(|(_, written)| !written.is_empty()) {
        let meant = columns
            .iter()
            .find(|column| written.eq_ignore_ascii_case(column.name) || column.aliases.contains(&written.as_str()));
        match meant {
            None => fault(written, "unknown_column", "this header is not known here"),
            Some(column) if places.contains_key(column.name) => {
                fault(written, "repeated_column", "this column stands there twice");
            }
            Some(column) => {
                places.insert(column.name, (place, written.clone()));
            }
        }
    }
    for column in columns.iter().filter(|column| column.required && !places.contains_key(column.name)) {
        fault(column.aliases.first().unwrap_or(&column.name), "missing_column", "the file must have this column");
    }
    if faults.is_empty() { Ok(places) } else { Err(Error::Sheet(faults)) }
}

/// One row: hands out cells by column and notes what is wrong with them.
#[derive(Debug)]
pub struct Row<'a> {
    sheet: &'a Sheet,
    number: u32,
    cells: &'a [String],
    faults: Vec<CellError>,
}

impl<'a> Row<'a> {
    /// Its number in the file; the header is row 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The trimmed text of a cell; `None` when the cell is empty or the file has no such column.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&'a str> {
        let (place, _) = self.sheet.columns.get(column)?;
        self.cells.get(*place).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The text of a cell that must not be empty; `None` is noted as a fault.
    pub fn required(&mut self, column: &str) -> Option<&'a str> {
        let text = self.text(column);
        if text.is_none() {
            self.reject(column, "missing", "is required");
        }
        text
    }

    /// Notes a fault of a cell; `detail` never repeats what stands in it.
    pub fn reject(&mut self, column: &str, code: &'static str, detail: impl Into<String>) {
        let fault = self.sheet.fault(self.number, column, code, detail);
        self.faults.push(fault);
    }

    /// What `read` makes of a cell that is not empty; when it makes nothing, that is noted.
    pub fn parse<T>(
        &mut self,
        column: &str,
        code: &'static str,
        detail: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let made = read(self.text(column)?);
        if made.is_none() {
            self.reject(column, code, detail);
        }
        made
    }

    /// A number with a decimal point.
    pub fn decimal(&mut self, column: &str) -> Option<f64> {
        let finite = |text: &str| f64::from_str(text).ok().filter(|number| number.is_finite());
        self.parse(column, "not_a_number", "must be a number, for example 89.5", finite)
    }

    /// A whole number.
    pub fn integer(&mut self, column: &str) -> Option<i64> {
        self.parse(column, "not_a_number", "must be a whole number", |text| text.parse().ok())
    }

    /// A date: `2026-09-01`, `2026/9/1`, `2026.9.1` or `2026年9月1日`.
    pub fn date(&mut self, column: &str) -> Option<NaiveDate> {
        self.parse(column, "not_a_date", "must be a date, for example 2026-09-01", |text| {
            let plain = text.trim_end_matches('日').replace(['/', '.', '年', '月'], "-");
            NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok().filter(Dated::is_of_our_era)
        })
    }

    /// A time of day: `08:30` or `08:30:00`.
    pub fn time(&mut self, column: &str) -> Option<NaiveTime> {
        self.parse(column, "not_a_time", "must be a time of day, for example 08:30", |text| {
            let plain = text.replace('：', ":");
            let formats = ["%H:%M", "%H:%M:%S"];
            formats.iter().find_map(|format| NaiveTime::parse_from_str(&plain, format).ok())
        })
    }

    /// One of these words.
    pub fn choice<T: Copy>(&mut self, column: &str, words: &[(&str, T)]) -> Option<T> {
        let listed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let detail = format!("must be one of {}", listed.join(", "));
        self.parse(column, "unknown_word", &detail, |text| {
            words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning)
        })
    }

    /// The words of a list with semicolons (`;`, `；`, `、`); empty when the cell is.
    #[must_use]
    pub fn list(&self, column: &str) -> Vec<&'a str> {
        let words = self.text(column).unwrap_or_default().split([';', '；', '、']);
        words.map(str::trim).filter(|word| !word.is_empty()).collect()
    }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
