//! What is shown: answers on standard output, progress on standard error.

use std::time::{Duration, Instant};

use serde::Serialize;

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(1);

/// An answer.
#[expect(clippy::print_stdout, reason = "what the command was asked for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// An answer as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// What is going on.
#[expect(clippy::print_stderr, reason = "progress, beside the answer")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}

/// Tells what is going on, but not all the time.
#[derive(Debug)]
pub(crate) struct Progress(Instant);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Tells it, unless something was told a moment ago.
    pub(crate) fn tell(&mut self, text: impl FnOnce() -> String) {
        if self.0.elapsed() >= EVERY {
            tell(&text());
            self.0 = Instant::now();
        }
    }
}

/// Rows with a head, columns one below the other; what may be long or wide stands last.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        std::iter::once(&head).chain(rows).map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(&head).chain(rows).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_one_below_the_other() {
        let rows = [["a".to_owned(), "long".to_owned()], ["bbb".to_owned(), String::new()]];
        assert_eq!(table(["x", "y"], &rows), "x    y\na    long\nbbb");
    }
}
