//! Register files, the way clerks keep them: CSV of any separator and encoding, and XLSX, with headers and words in Chinese or English
//! ([`steward_kernel::sheets`]), a title above the header, merged cells, a row that adds the others up.
//!
//! ```
//! use steward_chassis::sheet::{Column, Layout, Sheet};
//!
//! const UNITS: Layout =
//!     Layout { name: "estates", columns: &[Column::must("estate_code"), Column::may("area_m2")] };
//! # fn main() -> steward_chassis::Result<()> {
//! let sheet = Sheet::read("小区编码*;建築面積(㎡)\nE1;90.5\n合计;90.5\n".as_bytes(), "text/csv", &UNITS)?;
//! let rows = sheet.each(|row| {
//!     let (code, area) = (row.required("estate_code"), row.decimal("area_m2"));
//!     Some((code?.to_owned(), area))                   // all faults of a row are found before the first `?`
//! })?;
//! assert_eq!(rows.len(), 1);
//! assert_eq!(rows[0].value, ("E1".to_owned(), Some(90.5)));
//! # Ok(())
//! # }
//! ```

mod bounds;
mod moments;
mod read;
mod row;
mod text;
mod words;

use std::collections::HashMap;

use serde::Serialize;
use steward_kernel::{sheets::Note, vocabulary::Language};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

pub use row::Row;
pub use words::{ImportQuery, Sentence, SheetNote, known_words, meaning_of, say};

use self::bounds::Budget;
use crate::{Error, Result};

/// Most rows below the header.
pub const MAX_ROWS: usize = 50_000;
/// More faults than this are not collected: the file is another file.
const MAX_FAULTS: usize = 10_000;
/// Most notes that are kept of a file.
const MAX_NOTES: usize = 200;
/// Longest header, in characters, that is repeated to whoever sent it.
const MAX_HEADER: usize = 100;
/// The media type of XLSX.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A cell at fault, or the whole file (row 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CellError {
    /// As in the file: its first row is row 1.
    pub row: u32,
    /// As written in the file.
    #[schema(example = "小区编码")]
    pub column: String,
    /// Stable word for programs.
    #[schema(example = "missing")]
    pub code: &'static str,
    /// What to mend, in the language asked for; never repeats what stands in the cell.
    #[schema(example = "必填")]
    pub detail: String,
    /// The detail in every language.
    #[serde(skip)]
    said: Sentence,
}

impl CellError {
    /// A cell at fault.
    #[must_use]
    pub fn new(row: u32, column: &str, code: &'static str, said: Sentence) -> Self {
        Self { row, column: column.to_owned(), code, detail: said.told(Language::En).to_owned(), said }
    }

    fn of_file(code: &'static str, key: &str, filled_in: &[(&str, Sentence)]) -> Error {
        Error::Sheet(vec![Self::new(1, "", code, say(key, filled_in))])
    }

    /// As it is told to somebody.
    #[must_use]
    pub fn told(&self, language: Language) -> Self {
        Self { detail: self.said.told(language).to_owned(), ..self.clone() }
    }
}

/// A column that a register file may or must have. Its headers stand in [`steward_kernel::sheets`].
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its English name: a good header, and the name in code.
    pub name: &'static str,
    /// Whether the file must have it.
    pub required: bool,
}

impl Column {
    /// A column that the file must have.
    #[must_use]
    pub const fn must(name: &'static str) -> Self {
        Self { name, required: true }
    }

    /// A column that the file may have.
    #[must_use]
    pub const fn may(name: &'static str) -> Self {
        Self { name, required: false }
    }
}

/// A kind of register file.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Its name in [`steward_kernel::sheets`].
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
}

impl Layout {
    /// Headers that are understood as another column than they are listed for: none, as a test of each service says.
    #[must_use]
    pub fn misread(&self) -> Vec<String> {
        words::misread(self.name, self.columns)
    }

    fn column_of(&self, header: &str) -> Option<Column> {
        // Nobody's header is as long as this, in bytes of any script.
        if header.len() > 4 * MAX_HEADER {
            return None;
        }
        let name = words::column_of(self.name, header, self.columns.iter().map(|column| column.name))?;
        self.columns.iter().find(|column| column.name == name).copied()
    }

    /// How many of its columns a row names as their header.
    fn named_by(&self, cells: &[String]) -> usize {
        let named: std::collections::HashSet<_> =
            cells.iter().filter_map(|cell| self.column_of(cell)).map(|column| column.name).collect();
        named.len()
    }

    /// How many of its columns the best header among the first rows names.
    fn worth(&self, rows: &read::Rows) -> usize {
        rows.iter().take(read::HEAD).map(|(_, cells)| self.named_by(cells)).max().unwrap_or_default()
    }

    /// Where the header stands among the rows: the one that names most columns; the first one when none names any.
    fn header_in(&self, rows: &read::Rows) -> usize {
        let named = rows.iter().take(read::HEAD).map(|(_, cells)| self.named_by(cells));
        // Of several that are as good the first one, which `max_by_key` returns last.
        named
            .enumerate()
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .max_by_key(|(_, named)| *named)
            .map_or(0, |(place, _)| place)
    }
}

/// A register file that has been read: header understood, cells as trimmed texts.
#[derive(Debug)]
pub struct Sheet {
    /// Place in the row, and header as written, by name.
    columns: HashMap<&'static str, (usize, String)>,
    /// Number in the file, and cells.
    rows: Vec<(u32, Vec<String>)>,
    /// What was left out.
    notes: Vec<Note>,
}

/// What was made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    /// Its number in the file.
    pub row: u32,
    /// What it says.
    pub value: T,
}

/// Files that are read or worked on at once in this process.
static READERS: Semaphore = Semaphore::const_new(1);

/// The place of a file among those that are read: to be held as long as the file is.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, never asked")] SemaphorePermit<'static>);

/// Reads a file beside the threads that answer requests: one at a time, since a large one takes some 150 MiB and a second or more.
///
/// * `read`: [`Sheet::read`], and what is made of its rows.
///
/// # Errors
/// Those of `read`.
pub async fn aside<T: Send + 'static>(read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<(T, Turn)> {
    let turn = Turn(READERS.acquire().await.map_err(|cause| Error::internal("waiting for a reader", cause))?);
    // Goes on when nobody waits for it any more, and keeps its turn until then.
    let work = tokio::task::spawn_blocking(move || read().map(|made| (made, turn)));
    work.await.map_err(|cause| Error::internal("reading a register file", cause))?
}

impl Sheet {
    /// Reads a file. Empty rows, what stands above the header and rows that add others up are left out; the latter two are noted.
    ///
    /// It keeps a processor busy: requests read it [`aside`].
    ///
    /// * `content_type`: `text/csv` or [`XLSX`].
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`]; [`Error::Sheet`] when it is not such a file, is empty or too long, or when a
    /// header is missing, doubled or unknown.
    pub fn read(bytes: &[u8], content_type: &str, layout: &Layout) -> Result<Self> {
        let mut budget = Budget::new();
        let (rows, merged) = match content_type {
            "text/csv" | "application/csv" => (read::csv(bytes, &mut budget, |rows| layout.worth(rows))?, Vec::new()),
            XLSX => read::xlsx(bytes, &mut budget)?,
            _ => return Err(Error::UnsupportedMediaType("text/csv or an XLSX sheet")),
        };
        let mut above = rows;
        let mut rows = above.split_off(layout.header_in(&above).min(above.len()));
        if rows.is_empty() {
            return Err(CellError::of_file("empty_file", "empty_file", &[]));
        }
        let (number, mut header) = rows.remove(0);
        header.iter_mut().for_each(shorten);
        let (columns, ignored) = understand(number, &header, layout)?;
        let mut notes: Vec<Note> = above.iter().map(|(row, _)| Note::new(*row, "", "left_out_title", &[])).collect();
        notes.extend(
            ignored
                .iter()
                .filter_map(|place| header.get(*place))
                .map(|written| Note::new(number, written, "left_out_column", &[])),
        );
        read::fill_down(&mut rows, &merged, &mut budget)?;
        rows.retain(|(row, cells)| {
            let is_sum = is_sum(cells);
            if is_sum {
                notes.push(Note::new(*row, "", "left_out_sum", &[]));
            }
            !is_sum
        });
        notes.truncate(MAX_NOTES);
        match rows.len() {
            0 => Err(CellError::of_file("no_rows", "no_rows", &[])),
            1..=MAX_ROWS => check_strays(&rows, &header).map(|()| Self { columns, rows, notes }),
            _ => Err(CellError::of_file("too_many_rows", "too_many_rows", &[("most", MAX_ROWS.into())])),
        }
    }

    /// Makes something of every row.
    ///
    /// # Errors
    /// [`Error::Sheet`] with the faults of all rows, when there is any.
    pub fn each<'a, T>(&'a self, mut make: impl FnMut(&mut Row<'a>) -> Option<T>) -> Result<Vec<Numbered<T>>> {
        let mut made = Vec::with_capacity(self.rows.len());
        let mut faults = Vec::new();
        for (number, cells) in &self.rows {
            let mut row = Row::new(self, *number, cells);
            row.refuse_blanks();
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
    pub fn fault(&self, row: u32, column: &str, code: &'static str, said: Sentence) -> CellError {
        CellError::new(row, self.written(column), code, said)
    }

    /// The header of a column as written in the file.
    #[must_use]
    pub fn written<'a>(&'a self, column: &'a str) -> &'a str {
        self.columns.get(column).map_or(column, |(_, header)| header)
    }

    /// Whether the file has this column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// What was left out of it.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
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

/// Whether a row adds others up: the first thing that it says is so.
fn is_sum(cells: &[String]) -> bool {
    let first = cells.iter().find(|cell| !cell.is_empty());
    first.is_some_and(|first| meaning_of("sum", first).is_some())
}

/// Cuts a header that nobody would have written: it is repeated with every fault of its column.
fn shorten(header: &mut String) {
    if let Some((end, _)) = header.char_indices().nth(MAX_HEADER) {
        header.truncate(end);
        header.push('…');
    }
}

/// What stands under no header was meant to be read; nobody would miss it before it is too late.
fn check_strays(rows: &read::Rows, header: &[String]) -> Result<()> {
    let nameless = |place: usize| header.get(place).is_none_or(String::is_empty);
    let stray: Vec<_> = rows
        .iter()
        .filter(|(_, cells)| cells.iter().enumerate().any(|(place, cell)| !cell.is_empty() && nameless(place)))
        .take(MAX_FAULTS)
        .map(|(row, _)| CellError::new(*row, "", "no_header", say("no_header", &[])))
        .collect();
    if stray.is_empty() { Ok(()) } else { Err(Error::Sheet(stray)) }
}

/// Which column stands where, with its header as written, by name.
type Columns = HashMap<&'static str, (usize, String)>;

/// Which column stands where, and where those stand that clerks keep for themselves.
fn understand(row: u32, header: &[String], layout: &Layout) -> Result<(Columns, Vec<usize>)> {
    let (mut places, mut ignored): (Columns, _) = (HashMap::new(), Vec::new());
    let mut faults = Vec::new();
    for (place, written) in header.iter().enumerate().filter(|(_, written)| !written.is_empty()) {
        match layout.column_of(written) {
            None if words::is_ignored(written) => ignored.push(place),
            None => faults.push(CellError::new(row, written, "unknown_column", say("unknown_column", &[]))),
            Some(column) => {
                if let Some((_, other)) = places.get(column.name) {
                    let said = say("repeated_column", &[("other", other.into())]);
                    faults.push(CellError::new(row, written, "repeated_column", said));
                    continue;
                }
                places.insert(column.name, (place, written.clone()));
            }
        }
    }
    for column in layout.columns.iter().filter(|column| column.required && !places.contains_key(column.name)) {
        let header = words::header_of(layout.name, column.name);
        faults.push(CellError::new(row, header.told(Language::ZhHans), "missing_column", say("missing_column", &[])));
    }
    if faults.is_empty() { Ok((places, ignored)) } else { Err(Error::Sheet(faults)) }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
