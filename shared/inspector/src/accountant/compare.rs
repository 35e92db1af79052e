//! What is shown against what was counted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{KNOWN, Sheet};
use crate::picture::text;

/// What stands in the answer beside the figures.
const NO_FIGURES: [&str; 6] = ["estate_id", "from", "to", "definitions_version", "minimum_answers", "notes"];

/// Cases that are named with a figure that is not what was counted.
const NAMED: usize = 8;

/// Every leaf of an answer by its place.
fn leaves(value: &Value, place: &str, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let inner_place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                leaves(inner, &inner_place, into);
            }
        }
        other => drop(into.insert(place.to_owned(), other.clone())),
    }
}

/// Whether a figure is what was counted. Durations come out of buckets, at most 3.2 % off; shares are rounded to four places.
fn agrees(place: &str, shown: &Value, counted: &Value) -> bool {
    match (shown.as_f64(), counted.as_f64()) {
        (Some(shown), Some(counted)) if place.ends_with("_seconds.p50") || place.ends_with("_seconds.p90") => {
            (shown - counted).abs() <= counted * 0.032
        }
        (Some(shown), Some(counted)) => (shown - counted).abs() < 6e-5,
        _ => shown == counted,
    }
}

/// Whose figure it is, so that a person can look: the first few.
fn told(of: &[String]) -> String {
    let of: BTreeSet<_> = of.iter().map(String::as_str).collect();
    let first = of.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match of.len().saturating_sub(NAMED) {
        _ if of.is_empty() => String::new(),
        0 => format!(" of {first}"),
        more => format!(" of {first} and {more} more"),
    }
}

/// Every figure that is not what was counted, or that only one of the two knows.
#[must_use]
pub fn disagreements(answer: &Value, counted: &Sheet) -> Vec<String> {
    let mut shown = BTreeMap::new();
    leaves(answer, "", &mut shown);
    shown.retain(|place, _| !NO_FIGURES.iter().any(|name| place == name || place.starts_with(&format!("{name}."))));
    let mut found = Vec::new();
    for (place, value) in &shown {
        match counted.get(place) {
            None => found.push(format!("{place}: {value}, which the accountant does not know")),
            Some(line) if !agrees(place, value, &line.value) => {
                found.push(format!("{place}: shown {value}, counted {}{}", line.value, told(&line.of)));
            }
            Some(_) => {}
        }
    }
    // What is of too few, or lies among those waiting, is left out.
    let missing = counted.iter().filter(|(place, line)| !line.value.is_null() && !shown.contains_key(*place));
    found.extend(missing.map(|(place, line)| format!("{place}: counted {}, but not shown", line.value)));
    found
}

/// Definitions that the accountant does not count by: new ones, others than it knows, and those that are gone.
#[must_use]
pub fn unknown_definitions(dictionary: &Value) -> Vec<String> {
    let items = dictionary["items"].as_array().cloned().unwrap_or_default();
    let shown: BTreeSet<_> =
        items.iter().map(|item| (text(item, "id").to_owned(), item["version"].as_u64().unwrap_or(0))).collect();
    let known: BTreeSet<_> = KNOWN.iter().map(|(id, version)| ((*id).to_owned(), *version)).collect();
    shown.symmetric_difference(&known).map(|(id, version)| format!("{id} version {version}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_cases_of_a_figure_the_first_few_are_named_once_each() {
        let of = |count: usize| (0..count).flat_map(|n| [format!("S-{n:02}"), format!("S-{n:02}")]).collect::<Vec<_>>();
        assert_eq!(told(&of(0)), "");
        assert_eq!(told(&of(2)), " of S-00, S-01");
        assert_eq!(told(&of(11)), " of S-00, S-01, S-02, S-03, S-04, S-05, S-06, S-07 and 3 more");
    }
}
