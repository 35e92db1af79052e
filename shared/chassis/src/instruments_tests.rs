//! Whether the list and the sources say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::*;

/// Where programs come from.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What the sources count: name to kind and labels.
type Counted = BTreeMap<String, BTreeSet<(&'static str, Vec<String>)>>;

#[test]
fn what_is_counted_is_listed_and_what_is_listed_is_counted() {
    let counted = counted();
    let mut faults = Vec::new();
    for (name, uses) in &counted {
        match ALL.iter().find(|known| known.name == name) {
            None => faults.push(format!("{name} is counted, but does not stand in instruments.rs")),
            Some(known) => {
                for (kind, labels) in uses {
                    let wanted: Vec<&str> = sorted(known.labels.iter().copied());
                    if *kind != known.kind.as_str() || *labels != wanted {
                        faults.push(format!("{name} is a {kind} with the labels {labels:?}, and {known:?} here"));
                    }
                }
            }
        }
    }
    let unused = ALL.iter().filter(|known| !counted.contains_key(known.name));
    faults.extend(unused.map(|known| format!("{} stands in instruments.rs, but nothing counts it", known.name)));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_list_is_in_good_order() {
    for (one, next) in ALL.iter().zip(&ALL[1..]) {
        assert!(one.name < next.name, "{} stands before {}", one.name, next.name);
    }
    for one in ALL {
        assert_eq!(one.kind == Counter, one.name.ends_with("_total"), "{}: only counters end in _total", one.name);
        assert!(one.kind != Histogram || one.name.ends_with("_seconds"), "{}: would get no buckets", one.name);
        assert!(one.about.ends_with('.') && !one.about.contains('|'), "{}: one sentence", one.name);
        let personal = ["tenant", "estate", "case", "actor", "resident", "account"];
        assert!(!one.labels.iter().any(|label| personal.contains(label)), "{}: labels name nobody", one.name);
    }
}

#[test]
fn the_table_is_up_to_date() {
    steward_testkit::golden::golden(format!("{ROOT}/deploy/observability/metrics.md"), &table());
}

#[test]
fn metrics_say_what_they_are() {
    crate::telemetry::install_metrics();
    start_counters("toy");
    metrics::histogram!("http_server_request_duration_seconds", "service" => "toy").record(0.3);
    let text = crate::telemetry::render_metrics().unwrap();
    assert!(text.contains("# HELP relay_replays_total Times that the stream"), "{text}");
    assert!(text.contains("relay_replays_total{service=\"toy\"} 0"));
    assert!(text.contains("# TYPE http_server_request_duration_seconds histogram"));
    // The border of the objective for slow answers.
    assert!(text.contains("http_server_request_duration_seconds_bucket{service=\"toy\",le=\"0.5\"} 1"));
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let names: BTreeSet<&str> = lines.filter_map(|line| line.split(['{', ' ']).next()).collect();
    for name in names {
        let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        // Other tests of this process count things of their own.
        assert!(whole.starts_with("test_") || ALL.iter().any(|known| known.name == whole), "{name}");
    }
}

fn sorted<T: Ord>(words: impl Iterator<Item = T>) -> Vec<T> {
    let mut words: Vec<T> = words.collect();
    words.sort();
    words
}

fn counted() -> Counted {
    let mut counted = Counted::new();
    for folder in ["shared", "services", "deploy"] {
        for file in sources(&Path::new(ROOT).join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            // This list itself, which goes over all of them.
            if !file.ends_with("instruments.rs") {
                macros(text, &file, &mut counted);
            }
            figures(text, &mut counted);
        }
    }
    counted
}

/// Sources of programs, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "testkit", "target"].contains(&name.as_str()) {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

/// `metrics::counter!("name", "label" => value, …)` and its like.
fn macros(text: &str, file: &Path, counted: &mut Counted) {
    for kind in ["counter", "gauge", "histogram"] {
        for (at, start) in text.match_indices(&format!("metrics::{kind}!(")) {
            let inside = in_parentheses(&text[at + start.len()..]);
            let Some(inside) = inside.trim_start().strip_prefix('"') else {
                // Figures have their names from `Figure`, below.
                assert!(inside.trim_start().starts_with("figure."), "{}: {inside}", file.display());
                continue;
            };
            let (name, rest) = inside.split_once('"').unwrap();
            let parts: Vec<&str> = rest.split("=>").collect();
            let labels = parts[..parts.len() - 1].iter().map(|part| last_text(part));
            counted.entry(name.to_owned()).or_default().insert((kind, sorted(labels)));
        }
    }
}

/// `Figure { name: "…", labels: &["…"], … }`.
fn figures(text: &str, counted: &mut Counted) {
    for (at, start) in text.match_indices("Figure {") {
        let rest = text[at + start.len()..].trim_start();
        let Some(rest) = rest.strip_prefix("name: \"") else { continue };
        let (name, rest) = rest.split_once('"').unwrap();
        let rest = rest.trim_start_matches(',').trim_start();
        let (labels, _) = rest.strip_prefix("labels: &[").unwrap().split_once(']').unwrap();
        let labels = labels.split('"').skip(1).step_by(2).map(str::to_owned);
        let labels = sorted(labels.chain(["service".to_owned()]));
        counted.entry(name.to_owned()).or_default().insert(("gauge", labels));
    }
}

/// What stands before the parenthesis that closes what was open before.
fn in_parentheses(text: &str) -> &str {
    let mut open = 1;
    for (at, letter) in text.char_indices() {
        open += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if open == 0 {
            return &text[..at];
        }
    }
    panic!("a parenthesis is not closed: {text}")
}

/// The last text in quotes.
fn last_text(part: &str) -> String {
    part.rsplit('"').nth(1).unwrap().to_owned()
}
