//! What the owner is to see stands in the timeline once, and what has to be told is told once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::agree::{or_nothing, unless};
use crate::{
    Happened, Picture,
    picture::{text, time},
};

pub(super) fn last_step(picture: &Picture) -> Vec<String> {
    let last = picture.timeline.last().map(|step| text(step, "status"));
    unless(last == Some(picture.status()), || {
        format!("the case is {}, its last step says {}", picture.status(), or_nothing(last))
    })
    .into_iter()
    .collect()
}

/// The step of the timeline that something which happened elsewhere is; none when it is an inner matter.
fn step_of(event: &Happened) -> Option<&'static str> {
    let satisfied = event.body["satisfied"] == true;
    Some(match (event.aggregate.as_str(), event.kind.as_str()) {
        ("complaint", "acknowledged") => "acknowledged",
        ("complaint", "planned") => "plan_told",
        ("complaint", "decided") => "decided",
        ("complaint", "confirmed") if satisfied => "confirmed",
        ("complaint", "confirmed") => "reopened",
        ("complaint" | "service_request", "closed") => "closed",
        ("service_request", "confirmed") => "service_confirmed",
        ("service_request", "info_requested") => "info_requested",
        ("service_request", "info_provided") => "info_provided",
        ("service_request" | "suggestion", "declined") => "declined",
        ("service_request", "verified") if satisfied => "verified",
        ("service_request", "stage_changed") if event.body["stage"] == "done_reported" => "work_done",
        ("inquiry", "answered") => "answered",
        ("inquiry", "followed_up") => "followed_up",
        ("inquiry", "reopened") => "reopened",
        ("inquiry", "closed") => "closed",
        ("suggestion", "considered") => "considered",
        ("suggestion", "accepted") => "accepted",
        ("suggestion", "deferred") => "deferred",
        ("suggestion", "planned") => "planned",
        ("suggestion", "delivered") => "delivered",
        ("suggestion", "reopened") => "reopened",
        ("suggestion", "confirmed") => "confirmed",
        ("work_order", "assigned") => "technician_assigned",
        ("work_order", "accepted") => "technician_accepted",
        ("work_order", "departed") => "technician_on_the_way",
        ("work_order", "arrived") => "technician_on_site",
        ("work_order", "held") => "on_hold",
        ("survey", "invited") => "satisfaction_asked",
        _ => return None,
    })
}

/// When it was called off.
fn called_off(picture: &Picture) -> impl Iterator<Item = DateTime<Utc>> {
    picture.timeline.iter().filter(|step| text(step, "status") == "cancelled").filter_map(|step| time(step, "at"))
}

/// How the case stood then; twice, where it moved at that very instant: what happened in it comes before or after.
fn stood_at(picture: &Picture, at: DateTime<Utc>) -> impl Iterator<Item = &Value> {
    let last = move |is_before: fn(DateTime<Utc>, DateTime<Utc>) -> bool| {
        picture.timeline.iter().rev().find(|step| time(step, "at").is_some_and(|then| is_before(then, at)))
    };
    [last(|then, at| then < at), last(|then, at| then <= at)].into_iter().flatten()
}

/// Whether the case was called off then: what happens in that time is not told.
fn was_called_off_at(picture: &Picture, at: DateTime<Utc>) -> bool {
    stood_at(picture, at).any(|step| text(step, "status") == "cancelled") || called_off(picture).any(|off| off == at)
}

/// Steps that end a case, take it up again or ask about its end: when they are heard only after it was called off, the calling off stands.
const TURNS: [&str; 7] = ["closed", "declined", "verified", "confirmed", "reopened", "rework", "satisfaction_asked"];

/// Whether the case was over then: what is done for it all the same is told when it is taken up again.
fn was_over_at(picture: &Picture, at: DateTime<Utc>) -> bool {
    stood_at(picture, at).any(is_over)
}

/// Whether such a step crossed the calling off: nothing that came later of the same thing was heard before it.
fn crossed(picture: &Picture, code: &str, event: &Happened) -> bool {
    let at = |step: &Value| time(step, "at").unwrap_or_default();
    let is_off = |step: &Value| text(step, "status") == "cancelled" && event.at <= at(step);
    let Some(off) = picture.timeline.iter().position(is_off).filter(|_| TURNS.contains(&code)) else { return false };
    let mut later = picture.of(&event.aggregate).filter(|other| other.id == event.id && other.version > event.version);
    !later.any(|other| {
        let is_its = |step: &Value| step_of(other) == Some(text(step, "code")) && at(step) == other.at;
        picture.timeline[..off].iter().any(is_its)
    })
}

pub(super) fn steps(picture: &Picture) -> Vec<String> {
    let mut due: BTreeMap<(&str, DateTime<Utc>), Vec<&Happened>> = BTreeMap::new();
    for event in &picture.events {
        if let Some(code) = step_of(event) {
            // Who hears late that somebody is to be asked asks when it is heard.
            let at = if code == "satisfaction_asked" { event.recorded_at } else { event.at };
            due.entry((code, at)).or_default().push(event);
        }
    }
    let mut found = Vec::new();
    for ((code, at), events) in due {
        let told = picture.steps(&[code]).filter(|step| time(step, "at") == Some(at)).count();
        let is_of_work = events.iter().all(|event| event.aggregate == "work_order");
        // To the owner, what two work orders come to at one instant is one step, and so are two ends.
        let least = if is_of_work || code == "satisfaction_asked" { 1 } else { events.len() };
        let is_dropped = was_called_off_at(picture, at)
            || is_of_work && was_over_at(picture, at)
            || events.iter().all(|event| crossed(picture, code, event));
        // What happened in the instant of the calling off came before it or after.
        let least = if called_off(picture).any(|off| off == at) { 0 } else { least };
        found.extend(unless((least..=events.len()).contains(&told) || told == 0 && is_dropped, || {
            format!("{code} at {at} happened {} times, told {told}", events.len())
        }));
    }
    found
}

/// Words of the owner of which the owner hears when staff took them down.
const WORDS: [&str; 9] = [
    "confirmed",
    "reopened",
    "withdrawn",
    "cancelled",
    "verified",
    "rework",
    "info_provided",
    "closed",
    "pause_contested",
];

/// Steps that deserve a message, with its template.
fn template_of(step: &Value, kind: &str) -> Option<&'static str> {
    let of_suggestion = kind == "suggestion";
    if step["taken_down"].is_object() && WORDS.contains(&text(step, "code")) {
        return Some("taken_down");
    }
    Some(match text(step, "code") {
        "received" => "received",
        "acknowledged" => "acknowledged",
        "plan_told" => "plan_told",
        "awaiting_owner" => "awaiting_owner",
        "decided" => "decided",
        "remedy_done" if text(step, "status") == "resolved" => "remedy_done",
        "remedy_called_off" => "remedy_called_off",
        "reopened" => "reopened",
        "closed" => "closed",
        "cancelled" | "withdrawn" => "cancelled",
        "declined" if of_suggestion => "suggestion_declined",
        "declined" => "declined",
        "info_requested" => "info_requested",
        "service_confirmed" => "service_confirmed",
        "appointment_set" => "appointment_set",
        "appointment_moved" => "appointment_moved",
        "deadline_extended" => "deadline_extended",
        "promise_made" => "promise_made",
        "promise_moved" => "promise_moved",
        "technician_assigned" => "technician_assigned",
        "technician_on_the_way" => "technician_on_the_way",
        "on_hold" => "on_hold",
        "work_done" => "work_done",
        "rework" => "rework",
        "answered" => "answered",
        "followed_up" => "followed_up",
        "considered" if of_suggestion => "considered",
        "accepted" if of_suggestion => "accepted",
        "deferred" if of_suggestion => "deferred",
        "planned" if of_suggestion => "planned",
        "delivered" if of_suggestion => "delivered",
        _ => return None,
    })
}

/// Messages of steps that end a case.
const TELL_THE_END: [&str; 4] = ["closed", "cancelled", "declined", "taken_down"];

fn is_over(step: &Value) -> bool {
    ["closed", "cancelled"].contains(&text(step, "status"))
}

pub(super) fn messages(picture: &Picture) -> Vec<String> {
    // How many must have been sent, and how many were.
    let mut count: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for step in &picture.timeline {
        // What was heard only after the end is no news any more.
        let is_late = |template: &&str| is_over(step) && !TELL_THE_END.contains(template);
        if let Some(template) = template_of(step, picture.kind()).filter(|template| !is_late(template)) {
            count.entry(template).or_default().0 += 1;
        }
    }
    for event in picture.of("stewardship").filter(|event| event.kind == "objection_decided") {
        let template = if event.body["upheld"] == true { "objection_upheld" } else { "objection_refused" };
        count.entry(template).or_default().0 += 1;
    }
    if !picture.surveys.is_empty() {
        count.entry("survey_invited").or_default().0 = picture.surveys.len();
    }
    for message in &picture.messages {
        count.entry(text(message, "template")).or_default().1 += 1;
    }
    // An invitation that is heard after the case was called off asks for nothing any more.
    let is_called_off_after = |at: DateTime<Utc>| called_off(picture).any(|off| at <= off);
    let invited = picture.of("survey").filter(|event| event.kind == "invited");
    let ended = invited.filter(|event| is_called_off_after(event.at)).count();
    if let Some((due, sent)) = count.get_mut("survey_invited") {
        *due = (*sent).clamp(*due - ended.min(*due), *due);
    }
    let wrong = count.into_iter().filter(|(_, (due, sent))| due != sent);
    wrong.map(|(template, (due, sent))| format!("{template} is due {due} times, sent {sent}")).collect()
}

pub(super) fn language(picture: &Picture) -> Vec<String> {
    let mut languages: Vec<_> = picture.messages.iter().map(|message| text(message, "language")).collect();
    languages.sort_unstable();
    languages.dedup();
    unless(languages.len() < 2, || format!("it speaks {languages:?}")).into_iter().collect()
}

pub(super) fn pointless(picture: &Picture) -> Vec<String> {
    let of_the_end = [
        "closed",
        "cancelled",
        "reopened",
        "rework",
        "survey_invited",
        "declined",
        "objection_upheld",
        "objection_refused",
        "taken_down",
    ];
    let mut found = Vec::new();
    for message in picture.messages.iter().filter(|message| !of_the_end.contains(&text(message, "template"))) {
        let Some(at) = time(message, "happened_at") else { continue };
        // Messages keep milliseconds.
        let when = |step: &&Value| time(step, "at").map_or(0, |then| then.timestamp_millis());
        let at = at.timestamp_millis();
        // The step that it tells stands where it was heard; what happened earlier may have been heard after the end.
        let told = |step: &Value| template_of(step, picture.kind()) == Some(text(message, "template"));
        let of_then = || picture.timeline.iter().enumerate().filter(|(_, step)| when(step) == at);
        let own = of_then().find(|(_, step)| told(step)).or_else(|| of_then().next()).map(|(at, _)| at);
        let before = match own {
            Some(own) => picture.timeline[..own].last(),
            None => picture.timeline.iter().rev().find(|step| when(step) < at),
        };
        let was_over = before.is_some_and(is_over);
        // What begins it again is told, and what happens from then on.
        let begins_again = picture.steps(&["reopened", "rework"]).any(|step| when(&step) == at);
        found.extend(unless(!was_over || begins_again, || {
            format!("{} at {}, when it was over", text(message, "template"), text(message, "happened_at"))
        }));
    }
    found
}
