//! The table at the end.

use std::time::Duration;

/// Rows of aim, measure and verdict.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A figure with an aim; `met` is said as it is.
    pub(crate) fn judged(&mut self, what: &str, aim: &str, measured: String, met: bool) {
        self.rows.push([what.to_owned(), aim.to_owned(), measured, if met { "met" } else { "NOT met" }.to_owned()]);
    }

    /// A figure without an aim.
    pub(crate) fn told(&mut self, what: &str, measured: String) {
        self.rows.push([what.to_owned(), "–".to_owned(), measured, "–".to_owned()]);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = ["what", "aim", "measured", "verdict"].map(str::to_owned);
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&head]).map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths = [0, 1, 2, 3].map(width);
        let line = |f: &mut std::fmt::Formatter<'_>, row: &[String; 4]| {
            let [a, b, c, d] = row;
            writeln!(f, "| {a:0$} | {b:1$} | {c:2$} | {d:3$} |", widths[0], widths[1], widths[2], widths[3])
        };
        line(f, &head)?;
        line(f, &widths.map(|width| "-".repeat(width)))?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// Milliseconds with one digit.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The middle one; zero when there are none.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
