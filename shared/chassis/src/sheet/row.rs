//! One row of a sheet: hands out cells by column and notes what is wrong with them.

use std::{ops::RangeInclusive, str::FromStr};

use chrono::{NaiveDate, TimeDelta};
use steward_kernel::text::is_visible;

use super::{CellError, Sentence, Sheet, known_words, meaning_of, moments, say};

/// What stands between the words of a list in one cell.
const BETWEEN: [char; 6] = [';', '；', '、', ',', '，', '\n'];

/// One row: hands out cells by column and notes what is wrong with them.
#[derive(Debug)]
pub struct Row<'a> {
    sheet: &'a Sheet,
    number: u32,
    cells: &'a [String],
    pub(super) faults: Vec<CellError>,
}

impl<'a> Row<'a> {
    pub(super) fn new(sheet: &'a Sheet, number: u32, cells: &'a [String]) -> Self {
        Self { sheet, number, cells, faults: Vec::new() }
    }

    /// Notes the cells in which something stands that nobody can see.
    pub(super) fn refuse_blanks(&mut self) {
        let blank = |column: &&&str| self.text(column).is_some_and(|text| !is_visible(text));
        let mut blanks: Vec<&str> = self.sheet.columns.keys().filter(blank).copied().collect();
        blanks.sort_by_key(|column| self.sheet.columns.get(column).map(|(place, _)| *place));
        for column in blanks {
            self.refuse(column, "nothing_to_see", &[]);
        }
    }

    /// Its number in the file, whose first row is row 1.
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

    /// The header of a column as written in the file.
    #[must_use]
    pub fn written<'c>(&self, column: &'c str) -> &'c str
    where
        'a: 'c,
    {
        self.sheet.written(column)
    }

    /// Whether the file has this column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.sheet.has(column)
    }

    /// The text of a cell that must not be empty; `None` is noted as a fault.
    pub fn required(&mut self, column: &str) -> Option<&'a str> {
        let text = self.text(column);
        if text.is_none() {
            self.refuse(column, "missing", &[]);
        }
        text
    }

    /// Notes a fault of a cell, with the text of its code.
    pub fn refuse(&mut self, column: &str, code: &'static str, filled_in: &[(&str, Sentence)]) {
        self.reject(column, code, say(code, filled_in));
    }

    /// Notes a fault of a cell; what is said never repeats what stands in it.
    pub fn reject(&mut self, column: &str, code: &'static str, said: Sentence) {
        let fault = self.sheet.fault(self.number, column, code, said);
        self.faults.push(fault);
    }

    /// What `read` makes of a cell that is not empty; when it makes nothing, that is noted.
    ///
    /// * `text`: the key of what is said then.
    pub fn parse<T>(
        &mut self,
        column: &str,
        code: &'static str,
        text: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let made = read(self.text(column)?);
        if made.is_none() {
            self.reject(column, code, say(text, &[]));
        }
        made
    }

    /// A number with a decimal point.
    pub fn decimal(&mut self, column: &str) -> Option<f64> {
        self.parse(column, "not_a_number", "not_a_number", |text| {
            f64::from_str(text).ok().filter(|number| number.is_finite())
        })
    }

    /// A day within bounds: `2026-09-01`, `2026/9/1`, `2026.9.1`, `2026年9月1日`, `20260901`, with or without a time of day.
    ///
    /// * `bounds`: what can be meant; all else is a slip of the pen, or of the program that wrote the file.
    pub fn date(&mut self, column: &str, bounds: &RangeInclusive<NaiveDate>) -> Option<NaiveDate> {
        let date = self.parse(column, "not_a_date", "not_a_date", moments::date)?;
        if !bounds.contains(&date) {
            let (first, last) = (bounds.start().into(), bounds.end().into());
            self.refuse(column, "date_out_of_bounds", &[("first", first), ("last", last)]);
            return None;
        }
        Some(date)
    }

    /// A time of day, from midnight on: `08:30`, `08:30:00`, `24:00` at the day's end, `次日 08:00` on the next day.
    pub fn time(&mut self, column: &str) -> Option<TimeDelta> {
        self.parse(column, "not_a_time", "not_a_time", moments::time)
    }

    /// What the word in a cell means.
    ///
    /// * `list`: the list of words in [`steward_kernel::sheets`].
    pub fn word(&mut self, column: &str, list: &str) -> Option<&'static str> {
        let meaning = meaning_of(list, self.text(column)?);
        if meaning.is_none() {
            self.refuse(column, "unknown_word", &[("known", known_words(list))]);
        }
        meaning
    }

    /// The words of a list (parted by `;`, `；`, `、`, `,`, `，` or line ends); empty when the cell is.
    #[must_use]
    pub fn list(&self, column: &str) -> Vec<&'a str> {
        let words = self.text(column).unwrap_or_default().split(BETWEEN);
        words.map(str::trim).filter(|word| !word.is_empty()).collect()
    }
}
