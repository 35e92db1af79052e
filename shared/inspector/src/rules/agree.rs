//! Services agree on where a case stands.

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    Picture,
    picture::{text, time},
};

/// What is wrong, if it is.
pub(super) fn unless(holds: bool, what: impl FnOnce() -> String) -> Option<String> {
    (!holds).then(what)
}

/// As a person reads it.
pub(super) fn or_nothing(what: Option<impl Display>) -> String {
    what.map_or_else(|| "nothing".to_owned(), |what| what.to_string())
}

pub(super) fn born(picture: &Picture) -> Vec<String> {
    unless(picture.work.is_object(), || format!("there is no {}", picture.kind())).into_iter().collect()
}

/// The statuses that a stage allows.
fn statuses(kind: &str, stage: &str) -> &'static [&'static str] {
    match (kind, stage) {
        // Who comes back on what nobody had taken up begins at the beginning, but nobody receives it again.
        (_, "received") | ("inquiry", "open") => &["received", "in_progress"],
        (_, "cancelled" | "withdrawn") => &["cancelled"],
        (_, "closed") | ("suggestion", "confirmed") | ("service_request", "declined") => &["closed"],
        ("complaint", "awaiting_owner") | ("service_request", "needs_info") => &["awaiting_owner"],
        ("inquiry", "answered" | "follow_up_due" | "followed_up") => &["resolved"],
        ("complaint", "decided" | "verified") => &["resolved"],
        ("service_request", "done_reported" | "owner_verified") => &["resolved"],
        ("suggestion", "accepted" | "declined" | "planned" | "delivered") => &["resolved"],
        _ => &["in_progress"],
    }
}

pub(super) fn status(picture: &Picture) -> Vec<String> {
    let (kind, stage, status) = (picture.kind(), picture.stage(), picture.status());
    let allowed = statuses(kind, stage);
    unless(allowed.contains(&status), || format!("the {kind} is {stage}, the case {status}")).into_iter().collect()
}

pub(super) fn stage(picture: &Picture) -> Vec<String> {
    let word = |stage: &str| if stage == "withdrawn" { "cancelled".to_owned() } else { stage.to_owned() };
    let (of_case, of_work) = (text(&picture.case, "stage"), picture.stage());
    let what = || format!("the {} is {of_work}, the case says {of_case}", picture.kind());
    unless(word(of_case) == word(of_work), what).into_iter().collect()
}

/// Fields that two things both have and that differ.
fn differing(what: &str, one: &Value, other: &Value, fields: &[&str]) -> Vec<String> {
    let differ = fields.iter().filter(|field| one[**field] != other[**field]);
    differ.map(|field| format!("{field} is {} in the case, {} in {what}", one[*field], other[*field])).collect()
}

pub(super) fn matter(picture: &Picture) -> Vec<String> {
    let case = &picture.case;
    let everywhere = ["estate_id", "resident_id"];
    let mut found = Vec::new();
    if picture.work.is_object() {
        found.extend(differing("the work", case, &picture.work, &["estate_id", "resident_id", "reference"]));
        if picture.kind() != "inquiry" {
            found.extend(differing("the work", case, &picture.work, &["category", "unit_id"]));
        }
        if picture.kind() != "inquiry" && picture.is_under_way() {
            found.extend(differing("the work", case, &picture.work, &["priority"]));
        }
    }
    for order in picture.open_orders() {
        found.extend(differing(&format!("order {}", text(order, "reference")), case, order, &["priority", "unit_id"]));
    }
    for (name, things) in
        [("an order", &picture.orders), ("a survey", &picture.surveys), ("a message", &picture.messages)]
    {
        found.extend(things.iter().flat_map(|thing| differing(name, case, thing, &everywhere)));
    }
    let of_clocks = ["estate_id", "reference", "kind"];
    for (name, things) in [("a clock", &picture.clocks), ("an escalation", &picture.escalations)] {
        found.extend(things.iter().flat_map(|thing| differing(name, case, thing, &of_clocks)));
    }
    found
}

/// The owner's words that take up again what has ended, and what goes on after the end.
const AFTER_THE_END: [&str; 4] = ["confirm", "verify", "reopen", "keep-commitment"];

/// What somebody must be able to do with the work while the case stands so: the word that is waited for.
fn awaited(picture: &Picture) -> &'static str {
    match (picture.status(), picture.kind(), picture.stage()) {
        ("resolved", "complaint", "decided") | ("resolved", "suggestion", "delivered") => "confirm",
        ("resolved", "service_request", "done_reported") => "verify",
        ("awaiting_owner", "complaint", _) => "resume",
        ("awaiting_owner", "service_request", _) => "provide-info",
        _ => "",
    }
}

pub(super) fn allowed(picture: &Picture) -> Vec<String> {
    let words = |thing: &Value| -> Vec<String> {
        thing["allowed"].as_array().into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
    };
    let (of_work, awaited) = (words(&picture.work), awaited(picture));
    let mut found = Vec::new();
    if !awaited.is_empty() && !of_work.iter().any(|word| word == awaited) {
        found.push(format!("the case is {}, {awaited} is not allowed: {of_work:?}", picture.status()));
    }
    if !picture.is_over() {
        return found;
    }
    let of_surveys = picture.surveys.iter().filter(|_| picture.status() == "cancelled").flat_map(words);
    let of_orders = picture.orders.iter().flat_map(words).filter(|word| word != "verify");
    let of_work = of_work.into_iter().filter(|word| !AFTER_THE_END.contains(&word.as_str()));
    let late = of_work.chain(of_orders).chain(of_surveys);
    found.extend(late.map(|word| format!("the case is {}, {word} is allowed", picture.status())));
    found
}

/// How far a status of a work order is for whoever waits for it.
fn progress(status: &str) -> &'static str {
    match status {
        "open" | "assigned" | "returned" | "transferred" => "open",
        "completed" | "verified" => "done",
        "cancelled" => "cancelled",
        _ => "accepted",
    }
}

pub(super) fn request_orders(picture: &Picture) -> Vec<String> {
    if picture.kind() != "service_request" {
        return Vec::new();
    }
    let noted = picture.work["work_orders"].as_array().cloned().unwrap_or_default();
    let note = |order: &Value| noted.iter().find(|note| note["work_order_id"] == order["work_order_id"]);
    // Once it is over, nothing follows from its work orders any more.
    let is_followed =
        |order: &&Value| !picture.is_over() || !["verified", "cancelled"].contains(&text(order, "status"));
    let mut found = Vec::new();
    for order in picture.orders.iter().filter(is_followed) {
        let (known, is) = (note(order).map(|note| text(note, "progress")), progress(text(order, "status")));
        found.extend(unless(known == Some(is), || {
            format!("{} is {is}, the request knows {}", text(order, "reference"), or_nothing(known))
        }));
    }
    found.extend(unless(noted.len() == picture.orders.len(), || {
        format!("{} work orders, the request knows {}", picture.orders.len(), noted.len())
    }));
    found
}

pub(super) fn remedies(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    let noted = picture.work["work_orders"].as_array().cloned().unwrap_or_default();
    // For what could be given to nobody nothing was ordered.
    let remedies = picture.work["remedies"].as_array().into_iter().flatten();
    for remedy in remedies.filter(|remedy| remedy["progress"] != "refused") {
        let is_its = |order: &&Value| order["remedy_id"] == remedy["remedy_id"];
        let orders: Vec<_> =
            picture.orders.iter().filter(is_its).map(|order| progress(text(order, "status"))).collect();
        let due = match orders.as_slice() {
            [] if picture.is_over() => continue,
            orders if orders.iter().any(|order| ["open", "accepted"].contains(order)) => "requested",
            orders if orders.contains(&"done") => "completed",
            [] => "requested",
            _ => "called_off",
        };
        let is = text(remedy, "progress");
        found.extend(unless(is == due || picture.is_over(), || format!("a remedy is {is}, its orders are {orders:?}")));
        found.extend(unless(!orders.is_empty(), || "a remedy has no work order".to_owned()));
    }
    let knows = |order: &&Value| noted.iter().any(|note| note["work_order_id"] == order["work_order_id"]);
    if picture.kind() == "complaint" && !noted.is_empty() {
        let unknown = picture.orders.iter().filter(|order| !text(order, "remedy_id").is_empty() && !knows(order));
        found.extend(unknown.map(|order| format!("the complaint does not know {}", text(order, "reference"))));
    }
    found
}

pub(super) fn appointment(picture: &Picture) -> Vec<String> {
    if picture.kind() != "service_request" || picture.is_over() {
        return Vec::new();
    }
    let open = picture.promises.iter().filter(|it| it["what"] == "appointment" && it["state"] == "open");
    let promised: Vec<_> = open.filter_map(|promise| time(promise, "due_at")).collect();
    let window = time(&picture.work["appointment"], "to");
    let mut found = Vec::new();
    found.extend(unless(promised.len() < 2, || format!("{} appointments are promised at once", promised.len())));
    let is_other = |due: &DateTime<Utc>| window.is_none_or(|window| (window - *due).abs() > TimeDelta::seconds(1));
    let other = promised.iter().find(|due| is_other(due));
    found.extend(other.map(|due| format!("{due} is promised, the request says {}", or_nothing(window))));
    found
}

pub(super) fn commitments(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for commitment in picture.work["commitments"].as_array().into_iter().flatten() {
        // Its date may have been moved: then another promise carries on.
        let id = text(commitment, "commitment_id");
        let Some(promise) = picture.promises.iter().find(|promise| promise["promise_id"] == id) else {
            found.push(format!("commitment {id} is not promised"));
            continue;
        };
        let (kept, state) = (!commitment["kept_at"].is_null(), text(promise, "state"));
        let fits = if kept { ["kept", "broken", "moved"].contains(&state) } else { state != "kept" };
        found.extend(unless(fits, || format!("commitment {id} is kept: {kept}, its promise is {state}")));
    }
    found
}
