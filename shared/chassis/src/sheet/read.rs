//! From bytes to rows of trimmed texts, with bounds: a small file can claim to be a very large sheet.

use std::io::Cursor;

use bytes::Bytes;
use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use chrono::{NaiveDate, TimeDelta};
use encoding_rs::{GB18030, UTF_8};

use super::{CellError, MAX_ROWS};
use crate::Result;

/// Most columns that are looked at.
const MAX_COLUMNS: usize = 200;
/// Longest text of a cell, in bytes.
const MAX_CELL: usize = 64 * 1024;

/// Number in the file (the header is 1) and cells.
pub(super) type Rows = Vec<(u32, Vec<String>)>;

fn too_many() -> crate::Error {
    CellError::of_file("too_many_rows", format!("at most {MAX_ROWS} rows; split the file"))
}

fn clean(text: &str) -> String {
    // Spreadsheets leave no-break and full-width spaces around what was pasted.
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned()
}

/// CSV in UTF-8, with or without a byte order mark, or in GB18030 as Excel writes it in China.
pub(super) fn csv(bytes: &[u8]) -> Result<Rows> {
    let not_csv = || CellError::of_file("not_a_sheet", "is not a CSV file in UTF-8 or GB18030");
    if bytes.contains(&0) || bytes.starts_with(b"PK") {
        return Err(not_csv());
    }
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = UTF_8
        .decode_without_bom_handling_and_without_replacement(plain)
        .or_else(|| GB18030.decode_without_bom_handling_and_without_replacement(plain))
        .ok_or_else(not_csv)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Rows::new();
    // A spreadsheet counts rows, not lines: a cell of several lines is one row, an empty line is one too.
    let mut lines_in_cells = 0;
    for record in reader.records() {
        let record = record.map_err(|_| not_csv())?;
        let number = line(&text, record.position()).saturating_sub(lines_in_cells);
        lines_in_cells += record.iter().flat_map(str::bytes).map(|byte| u64::from(byte == b'\n')).sum::<u64>();
        let cells: Vec<String> = record.iter().take(MAX_COLUMNS).map(clean).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if rows.len() > MAX_ROWS {
            return Err(too_many());
        }
        rows.push((u32::try_from(number).unwrap_or(u32::MAX), cells));
    }
    Ok(rows)
}

/// The line where a record stands; its position is that of the empty lines before it.
fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.map(|byte| u64::from(*byte == b'\n')).sum::<u64>()
}

/// The first sheet of an XLSX workbook, read cell by cell: its claimed size is not believed.
pub(super) fn xlsx(bytes: Bytes) -> Result<Rows> {
    let not_xlsx = || CellError::of_file("not_a_sheet", "is not an XLSX workbook");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| not_xlsx())?;
    let name = book.sheet_names().into_iter().next().ok_or_else(not_xlsx)?;
    let mut reader = book.worksheet_cells_reader(&name).map_err(|_| not_xlsx())?;
    let mut rows = Rows::new();
    while let Some(cell) = reader.next_cell().map_err(|_| not_xlsx())? {
        let (row, column) = cell.get_position();
        let text = shown(cell.get_value());
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if text.is_empty() || column >= MAX_COLUMNS || text.len() > MAX_CELL {
            continue;
        }
        let number = row.saturating_add(1);
        if rows.last().is_none_or(|(last, _)| *last != number) {
            if rows.len() > MAX_ROWS {
                return Err(too_many());
            }
            rows.push((number, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            if let Some(place) = cells.get_mut(column) {
                *place = text;
            }
        }
    }
    Ok(rows)
}

/// A cell as a person reads it.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => clean(text),
        DataRef::SharedString(text) => clean(text),
        DataRef::Int(number) => number.to_string(),
        // Phone numbers and codes are often kept as numbers; `to_string` writes whole ones without a point.
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(moment) => shown_moment(*moment),
        DataRef::Error(_) => "#ERROR".to_owned(),
        DataRef::Empty => String::new(),
    }
}

/// Days since the end of 1899 as a date, a time of day or both.
fn shown_moment(moment: ExcelDateTime) -> String {
    let serial = moment.as_f64();
    let (days, fraction) = (serial.floor(), serial.fract());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a day has 1,440 minutes; dates beyond the calendar are not shown"
    )]
    let (days, minutes) = (days as i64, (fraction * 1440.0).round() as i64);
    let time = format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
    let date = NaiveDate::from_ymd_opt(1899, 12, 30)
        .and_then(|start| TimeDelta::try_days(days).and_then(|days| start.checked_add_signed(days)));
    match date {
        _ if days == 0 => time,
        Some(date) if minutes == 0 => date.to_string(),
        Some(date) => format!("{date} {time}"),
        None => "#ERROR".to_owned(),
    }
}
