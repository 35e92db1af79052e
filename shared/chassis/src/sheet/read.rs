//! From bytes to rows of trimmed texts, with bounds: a small file can claim to be a very large sheet.

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use chrono::NaiveDate;
use steward_kernel::text::{is_direction_mark, is_visible};

use super::{
    CellError, MAX_ROWS,
    bounds::{Budget, MAX_HELD, check_unpacked, too_large},
    text::decoded,
};
use crate::Result;

/// Most columns that are looked at.
const MAX_COLUMNS: usize = 200;
/// Longest text of a cell, in bytes.
const MAX_CELL: usize = 64 * 1024;
/// Most cells that merged ones are spread over.
const MAX_MERGED: usize = 500_000;
/// What parts cells in the files of one program or another.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many rows are looked at to find the header.
pub(super) const HEAD: usize = 10;

/// Most marks between cells: each cell costs at least its place in a row.
const MAX_MARKS: usize = MAX_HELD / size_of::<String>();

/// Number in the file (as people count them) and cells.
pub(super) type Rows = Vec<(u32, Vec<String>)>;

/// One cell that stands for several below each other: column, first and last row by their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merged {
    pub(super) column: usize,
    pub(super) first: u32,
    pub(super) last: u32,
}

fn too_many() -> crate::Error {
    CellError::of_file("too_many_rows", "too_many_rows", &[("most", MAX_ROWS.into())])
}

/// A cell as it is read. One that shows nothing stays as it is, to be refused.
fn clean(text: &str) -> String {
    // Spreadsheets leave no-break and full-width spaces around what was pasted; telephones put marks of direction around numbers.
    let trimmed = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    if text.contains(is_direction_mark) && is_visible(text) {
        return trimmed(&text.replace(is_direction_mark, ""));
    }
    trimmed(text)
}

/// CSV in UTF-8, UTF-16, GB18030 or Big5, parted by comma, semicolon, tab or bar: as it makes the best head of a sheet.
///
/// * `worth`: how good rows are as the head of the sheet.
pub(super) fn csv(bytes: &[u8], budget: &mut Budget, worth: impl Fn(&Rows) -> usize) -> Result<Rows> {
    let not_csv = || CellError::of_file("not_a_sheet", "not_a_csv", &[]);
    let texts = decoded(bytes);
    let mut too_many_marks = false;
    let mut best: Option<((usize, usize), &str, u8)> = None;
    for text in &texts {
        // Excel writes what parts the cells into a first line of its own, and reads it.
        let said = text.strip_prefix("sep=").and_then(|rest| rest.bytes().next());
        for separator in SEPARATORS.into_iter().filter(|separator| said.is_none_or(|said| said == *separator)) {
            // A reader keeps the place of every mark of a row, however many there are.
            if text.bytes().filter(|byte| *byte == separator).count() > MAX_MARKS {
                too_many_marks = true;
                continue;
            }
            let Some(head) = parted(text, separator, HEAD, &mut Budget::new())? else { continue };
            let cells = head.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
            let worth = (worth(&head), cells);
            if best.is_none_or(|(most, ..)| worth > most) {
                best = Some((worth, text, separator));
            }
        }
    }
    let Some(((_, text, separator), named)) = best.map(|best| (best, best.0.0)) else {
        return Err(if too_many_marks { too_large() } else { not_csv() });
    };
    if too_many_marks && named == 0 {
        return Err(too_large());
    }
    let rows = parted(text, separator, MAX_ROWS + HEAD + 1, budget)?.ok_or_else(not_csv)?;
    if rows.len() > MAX_ROWS + HEAD { Err(too_many()) } else { Ok(rows) }
}

/// The rows of a text that are not empty, at most so many.
fn parted(text: &str, separator: u8, most: usize, budget: &mut Budget) -> Result<Option<Rows>> {
    let (text, skipped) = match text.strip_prefix("sep=") {
        Some(rest) => (rest.split_once('\n').map_or("", |(_, rest)| rest), 1),
        None => (text, 0),
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut rows = Rows::new();
    // A spreadsheet counts rows, not lines: a cell of several lines is one row, an empty line is one too.
    let mut lines_in_cells = 0;
    for record in reader.records() {
        let Ok(record) = record else { return Ok(None) };
        let number = (line(text, record.position()) + skipped).saturating_sub(lines_in_cells);
        lines_in_cells += record.iter().flat_map(str::bytes).map(|byte| u64::from(byte == b'\n')).sum::<u64>();
        let cells: Vec<String> = record.iter().take(MAX_COLUMNS).map(clean).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        budget.take_row(&cells)?;
        rows.push((u32::try_from(number).unwrap_or(u32::MAX), cells));
        if rows.len() >= most {
            break;
        }
    }
    Ok(Some(rows))
}

/// The line where a record stands; its position is that of the empty lines before it.
fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    position.line() + rest.iter().take_while(|byte| **byte == b'\n').map(|_| 1).sum::<u64>()
}

/// The first sheet of an XLSX workbook, read cell by cell: its claimed size is not believed. With its merged cells.
pub(super) fn xlsx(bytes: &[u8], budget: &mut Budget) -> Result<(Rows, Vec<Merged>)> {
    let not_xlsx = || CellError::of_file("not_a_sheet", "not_an_xlsx", &[]);
    check_unpacked(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| not_xlsx())?;
    let name = book.sheet_names().into_iter().next().ok_or_else(not_xlsx)?;
    let merged = book.worksheet_merge_cells(&name).and_then(std::result::Result::ok).unwrap_or_default();
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
            if rows.len() >= MAX_ROWS + HEAD {
                return Err(too_many());
            }
            rows.push((number, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            budget.set(cells, column, text)?;
        }
    }
    let down = merged.into_iter().filter(|area| area.end.0 > area.start.0).map(|area| Merged {
        column: usize::try_from(area.start.1).unwrap_or(usize::MAX),
        first: area.start.0.saturating_add(1),
        last: area.end.0.saturating_add(1),
    });
    Ok((rows, down.filter(|area| area.column < MAX_COLUMNS).collect()))
}

/// Gives every row of a merged cell the value that people see beside it. Across columns nothing is filled in: those have other headers.
pub(super) fn fill_down(rows: &mut Rows, merged: &[Merged], budget: &mut Budget) -> Result<()> {
    let mut filled = 0;
    for area in merged {
        let start = rows.partition_point(|(number, _)| *number < area.first);
        let end = rows.partition_point(|(number, _)| *number <= area.last);
        let Some(within) = rows.get_mut(start..end) else { continue };
        let Some(value) = within
            .first()
            .filter(|(number, _)| *number == area.first)
            .and_then(|(_, cells)| cells.get(area.column).cloned())
        else {
            continue;
        };
        filled += within.len();
        if filled > MAX_MERGED {
            return Err(CellError::of_file("too_many_merged", "too_many_merged", &[]));
        }
        for (_, cells) in within.iter_mut().skip(1) {
            budget.set(cells, area.column, value.clone())?;
        }
    }
    Ok(())
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

/// A number of days as a date, a time of day or both. Workbooks count from the end of 1899 or, those of old Macs, from 1904 on: calamine knows which.
fn shown_moment(moment: ExcelDateTime) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a day has 1,440 minutes")]
    let minutes = (moment.as_f64().fract() * 1440.0).round() as i64;
    let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    if moment.is_duration() && (0.0..=2.0).contains(&moment.as_f64()) {
        #[expect(clippy::cast_possible_truncation, reason = "two days at most")]
        return time((moment.as_f64() * 1440.0).round() as i64);
    }
    if (0.0..1.0).contains(&moment.as_f64()) {
        return time(minutes % 1440);
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    match NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day)) {
        // Rounded up to the next day.
        Some(date) if minutes == 1440 => date.succ_opt().unwrap_or(date).to_string(),
        Some(date) if minutes == 0 => date.to_string(),
        Some(date) => format!("{date} {}", time(minutes)),
        None => "#ERROR".to_owned(),
    }
}
