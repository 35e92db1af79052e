//! Two doors to one thing lead to the same place.

use serde_json::Value;

use super::agree::unless;
use crate::{Picture, picture::text};

/// Fields of a row that the thing itself shows otherwise.
fn differing(what: &str, row: &Value, single: &Value) -> Vec<String> {
    let fields = row.as_object().into_iter().flatten();
    // A list counts what the thing itself shows one by one.
    let same = |value: &Value, other: &Value| match other.as_array() {
        Some(those) if value.is_number() => value.as_u64() == Some(those.len() as u64),
        _ => value == other,
    };
    let differ = fields.filter(|(name, value)| single.get(*name).is_some_and(|other| !same(value, other)));
    differ.map(|(name, value)| format!("{name} of {what}: {value} on the list, {} by itself", single[name])).collect()
}

pub(super) fn lists(picture: &Picture) -> Vec<String> {
    let mut found = differing("the case", &without_clocks(&picture.listed_case), &without_clocks(&picture.case));
    found.extend(differing(&format!("the {}", picture.kind()), &picture.listed_work, &picture.work));
    found.extend(unless(picture.listed_case.is_object(), || "the case is not on the list".to_owned()));
    found.extend(unless(picture.listed_work.is_object(), || format!("the {} is not on the list", picture.kind())));
    for (row, single) in picture.listed_orders.iter().zip(&picture.orders) {
        found.extend(differing(&format!("order {}", text(row, "reference")), row, single));
    }
    for (what, rows, single) in
        [("a message", &picture.messages, &picture.message), ("a survey", &picture.surveys, &picture.survey)]
    {
        if let Some(row) = rows.first() {
            found.extend(unless(single.is_object(), || format!("{what} is on the list alone")));
            found.extend(differing(what, row, single));
        }
    }
    found
}

/// Clocks and what follows from them go on from one look to the next.
fn without_clocks(case: &Value) -> Value {
    let mut case = case.clone();
    if let Some(fields) = case.as_object_mut() {
        fields.retain(|name, _| !["clocks", "due_at", "accountable"].contains(&name.as_str()));
    }
    case
}

pub(super) fn clocks(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for shown in picture.case["clocks"].as_array().into_iter().flatten() {
        let listed = picture.clocks.iter().find(|clock| clock["clock_id"] == shown["clock_id"]);
        let fits = listed.is_some_and(|listed| {
            ["state", "due_at", "stopped_at", "measure", "party"].iter().all(|field| listed[*field] == shown[*field])
        });
        found.extend(unless(fits, || {
            format!(
                "{} is {} in the case, {:?} on the list",
                text(shown, "measure"),
                text(shown, "state"),
                listed.map(|it| text(it, "state"))
            )
        }));
    }
    found
}
