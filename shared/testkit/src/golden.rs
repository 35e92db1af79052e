//! Golden files: contracts that stand in git, compared on every run.

use std::path::Path;

/// Compares text with a golden file; `GOLDEN=overwrite` rewrites it (refused when `CI` is set).
///
/// # Panics
/// When they differ, with the first difference and what to do.
pub fn golden(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let overwrite = std::env::var("GOLDEN").is_ok_and(|word| word == "overwrite");
    if overwrite && std::env::var_os("CI").is_none() {
        std::fs::write(path, actual).expect("write golden file");
        return;
    }
    let line = expected
        .lines()
        .zip(actual.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    panic!(
        "{} differs at line {}:\n  in git: {}\n  now:    {}\nIf the change is meant: GOLDEN=overwrite cargo test",
        path.display(),
        line + 1,
        expected.lines().nth(line).unwrap_or("(end)"),
        actual.lines().nth(line).unwrap_or("(end)"),
    );
}
