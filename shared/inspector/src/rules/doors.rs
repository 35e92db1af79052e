//! Two doors to one thing lead to the same place, and every view is what its log makes of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::agree::unless;
use crate::{Happened, Picture, picture::text};

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

/// What a case's own log says of its status, stage, priority and category.
pub(super) fn case(picture: &Picture) -> Vec<String> {
    let (mut status, mut stage, mut priority, mut category) =
        ("received".to_owned(), String::new(), String::new(), String::new());
    for event in picture.of("case") {
        let body = &event.body;
        match event.kind.as_str() {
            "opened" => {
                text(&body["opening"], "priority").clone_into(&mut priority);
                text(&body["opening"], "category").clone_into(&mut category);
                if picture.kind() == "inquiry" { "open" } else { "received" }.clone_into(&mut stage);
            }
            "progressed" | "moved" => {
                text(body, "status").clone_into(&mut status);
                text(body, "stage").clone_into(&mut stage);
                if let Some(known) = body["category"].as_str() {
                    known.clone_into(&mut category);
                }
            }
            "cancelled" => {
                "cancelled".clone_into(&mut status);
                "cancelled".clone_into(&mut stage);
            }
            "prioritised" => text(body, "priority").clone_into(&mut priority),
            _ => {}
        }
    }
    let replayed = [("status", status), ("stage", stage), ("priority", priority), ("category", category)];
    let wrong = replayed.into_iter().filter(|(field, value)| text(&picture.case, field) != value);
    let wrong = wrong.map(|(field, value)| format!("{field} is {}, its log says {value}", text(&picture.case, field)));
    let named = picture.of("stewardship").rfind(|event| event.kind == "accountable_named");
    let (answers, said) = (&picture.case["accountable"]["account"], named.map(|event| &event.body["account"]));
    let is_other = picture.is_under_way() && said != Some(answers);
    wrong.chain(is_other.then(|| format!("{answers} answers for it, its log says {said:?}"))).collect()
}

/// The status that the last event of a work order leaves it in; none when the event changes none.
fn order_status(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "opened" => "open",
        "assigned" => "assigned",
        "accepted" => "accepted",
        "returned" => "returned",
        "transferred" => "transferred",
        "departed" => "en_route",
        "arrived" => "on_site",
        "made_safe" => "made_safe",
        "started" => "working",
        "held" => "on_hold",
        "completed" => "completed",
        "verified" => "verified",
        "cancelled" => "cancelled",
        _ => return None,
    })
}

pub(super) fn work(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for order in &picture.orders {
        let id = text(order, "work_order_id");
        let mut events = picture.of("work_order").filter(|event| event.id == id).rev();
        let last = events.find(|event| order_status(&event.kind).is_some() || event.kind == "resumed");
        let replayed = last.and_then(|event| order_status(&event.kind));
        let fits = replayed.is_none_or(|status| status == text(order, "status")) && last.is_some();
        found.extend(unless(fits, || {
            format!("order {} is {}, its log says {replayed:?}", text(order, "reference"), text(order, "status"))
        }));
    }
    for survey in &picture.surveys {
        let last = picture.of("survey").rfind(|event| event.id == text(survey, "survey_id"));
        let replayed = last.map(|event| if event.kind == "invited" { "sent" } else { event.kind.as_str() });
        found.extend(unless(replayed == Some(text(survey, "stage")), || {
            format!("a survey is {}, its log says {replayed:?}", text(survey, "stage"))
        }));
    }
    found
}

pub(super) fn outcomes(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for (things, id, kinds) in [
        (&picture.clocks, "clock_id", ["clock_stopped", "clock_corrected"]),
        (&picture.promises, "promise_id", ["promise_ended", "promise_ended"]),
    ] {
        for thing in things {
            let is_its = |event: &&Happened| kinds.contains(&event.kind.as_str()) && event.body[id] == thing[id];
            let said = picture.of("stewardship").rfind(is_its).map(|event| text(&event.body, "outcome"));
            let shown = Some(text(thing, "state")).filter(|state| !["running", "paused", "open"].contains(state));
            let name = if id == "clock_id" { text(thing, "measure") } else { text(thing, "what") };
            found.extend(unless(said == shown, || format!("{name} is {shown:?}, its log says {said:?}")));
        }
    }
    found
}

pub(super) fn histories(picture: &Picture) -> Vec<String> {
    let mut last: BTreeMap<(&str, &str), i32> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &picture.events {
        let version = last.entry((&event.aggregate, &event.id)).or_default();
        found.extend(unless(event.version == *version + 1, || {
            format!("{} has version {} after {version}", event.aggregate, event.version)
        }));
        *version = event.version;
    }
    found
}
