//! Every outcome follows from what people did.

use chrono::{DateTime, TimeDelta, Utc};

use super::agree::{or_nothing, unless};
use crate::{
    Happened, Picture,
    picture::{text, time},
};

/// How much earlier than agreed a technician may come.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// Times of clocks are whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);
/// A timer is at most so late.
const TIMER: TimeDelta = TimeDelta::seconds(2);

pub(super) fn clocks(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for clock in &picture.clocks {
        let (measure, state) = (text(clock, "measure"), text(clock, "state"));
        let (due, stopped, breached) = (time(clock, "due_at"), time(clock, "stopped_at"), time(clock, "breached_at"));
        let late = due.zip(stopped).is_some_and(|(due, stopped)| stopped - due >= SECOND);
        let fits = match state {
            "met" => stopped.is_some() && !late,
            // What was breached stays so, also when more time was given afterwards.
            "missed" => stopped.zip(breached).is_some_and(|(stopped, breached)| breached <= stopped + SECOND),
            "void" => stopped.is_some(),
            "running" => stopped.is_none() && due.is_none_or(|due| breached.is_some() || due + TIMER > picture.now),
            _ => stopped.is_none(),
        };
        found.extend(unless(fits, || {
            let (due, stopped, breached) = (or_nothing(due), or_nothing(stopped), or_nothing(breached));
            format!("{measure} is {state}: due {due}, stopped {stopped}, breached {breached}")
        }));
    }
    found
}

/// The steps that do what a measure measures.
fn deeds_of(measure: &str, kind: &str) -> &'static [&'static str] {
    match (measure, kind) {
        ("plan", _) => &["plan_told", "decided"],
        ("decide", _) => &["decided", "accepted", "deferred", "declined"],
        ("arrive", _) => &["technician_on_site"],
        ("make_safe", _) => &["made_safe", "work_done"],
        ("finish", "inquiry") => &["answered"],
        ("finish", _) => &["work_done"],
        ("follow_up", _) => &["followed_up"],
        _ => &[],
    }
}

/// Steps that are the owner's, or nobody's, and so are no answer; nor is calling off.
const NO_ANSWERS: [&str; 15] = [
    "received",
    "confirmed",
    "reopened",
    "closed",
    "withdrawn",
    "cancelled",
    "verified",
    "rework",
    "info_provided",
    "survey_answered",
    "linked",
    "satisfaction_asked",
    "pause_contested",
    "follow_up_due",
    "remedy_called_off",
];

fn is_deed(measure: &str, kind: &str, code: &str) -> bool {
    match measure {
        "acknowledge" => !NO_ANSWERS.contains(&code),
        _ => deeds_of(measure, kind).contains(&code),
    }
}

fn is_near(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (one - other).abs() < TimeDelta::seconds(2)
}

pub(super) fn deeds(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    let has_appointment = picture.promises.iter().any(|promise| promise["what"] == "appointment");
    for clock in picture.clocks.iter().filter(|clock| clock["party"] == "company") {
        let (measure, state) = (text(clock, "measure"), text(clock, "state"));
        let Some((started, stopped)) = time(clock, "started_at").zip(time(clock, "stopped_at")) else { continue };
        let done = picture.timeline.iter().filter(|step| is_deed(measure, picture.kind(), text(step, "code")));
        let times: Vec<_> = done.filter_map(|step| time(step, "at")).collect();
        // A call that reached nobody on three days ends the clock, missed if its time was over by then.
        let is_vain = |event: &&Happened| {
            ["followed_up", "called_back"].contains(&&*event.kind) && event.body["result"] == "not_reached"
        };
        let in_vain = measure == "follow_up" && state == "missed" && picture.events.iter().any(|it| is_vain(&it));
        let fits = match state {
            "met" | "missed" => {
                in_vain || times.iter().any(|at| is_near(*at, stopped) || *at <= started && is_near(started, stopped))
            }
            // Who comes long before the window that was agreed upon has not come for it.
            _ if measure == "arrive" && has_appointment => true,
            _ => !times.iter().any(|at| started < *at && *at < stopped),
        };
        found.extend(unless(fits, || format!("{measure} is {state}: {started} to {stopped}; done at {times:?}")));
    }
    found
}

pub(super) fn promises(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for promise in &picture.promises {
        let (what, state) = (text(promise, "what"), text(promise, "state"));
        let (due, ended) = (time(promise, "due_at"), time(promise, "ended_at"));
        let fits = match state {
            "kept" | "moved" | "void" => due.zip(ended).is_some_and(|(due, ended)| ended <= due),
            "broken" => due == ended && due.is_some_and(|due| due <= picture.now),
            _ => ended.is_none() && due.is_some_and(|due| due + TIMER >= picture.now),
        };
        found.extend(unless(fits, || {
            format!("{what} is {state}: due {}, ended {}", or_nothing(due), or_nothing(ended))
        }));
    }
    found
}

/// When a technician arrived for the case.
fn arrivals(picture: &Picture) -> Vec<DateTime<Utc>> {
    picture.of("work_order").filter(|event| event.kind == "arrived").map(|event| event.at).collect()
}

pub(super) fn appointments(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    let arrived = arrivals(picture);
    for event in picture.of("stewardship").filter(|event| event.kind == "promise_made") {
        let promise = &event.body["promise"];
        let Some(shown) = picture.promises.iter().find(|shown| shown["promise_id"] == promise["promise_id"]) else {
            found.push(format!("the promise {} is not on the list", text(promise, "promise_id")));
            continue;
        };
        if promise["what"] != "appointment" {
            continue;
        }
        let (from, due) = (time(promise, "from"), time(promise, "due_at"));
        let (made, ended) = (time(promise, "made_at"), time(shown, "ended_at"));
        let in_window =
            |at: &&DateTime<Utc>| from.is_none_or(|from| from - GRACE <= **at) && due.is_some_and(|due| **at <= due);
        let came: Vec<_> = arrived.iter().filter(in_window).filter(|at| made.is_none_or(|made| made <= **at)).collect();
        let is_kept = shown["state"] == "kept";
        let fits = match text(shown, "state") {
            "kept" => came.iter().any(|at| Some(**at) == ended),
            _ => came.iter().all(|at| ended.is_some_and(|ended| ended < **at)),
        };
        found.extend(unless(fits, || {
            let (ended, from, due) = (or_nothing(ended), or_nothing(from), or_nothing(due));
            format!("kept: {is_kept}, ended {ended}; agreed {from} to {due}; came {arrived:?}")
        }));
    }
    found
}

pub(super) fn put_off(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for event in picture.of("stewardship").filter(|event| event.kind == "promise_made") {
        let promise = &event.body["promise"];
        let Some(clock) = picture
            .clocks
            .iter()
            .find(|clock| !promise["clock_id"].is_null() && clock["clock_id"] == promise["clock_id"])
        else {
            continue;
        };
        let Some(shown) = picture.promises.iter().find(|shown| shown["promise_id"] == promise["promise_id"]) else {
            continue;
        };
        let stopped = time(clock, "stopped_at");
        let in_time = stopped.zip(time(promise, "due_at")).is_some_and(|(stopped, due)| stopped <= due);
        let (state, is) = (text(clock, "state"), text(shown, "state"));
        let fits = match is {
            "kept" => state == "met" && in_time,
            "broken" => !(state == "met" && in_time),
            _ => true,
        };
        found.extend(unless(fits, || format!("the date is {is}, its clock {state} at {}", or_nothing(stopped))));
    }
    found
}

pub(super) fn answers(picture: &Picture) -> Vec<String> {
    let answered = picture.surveys.iter().filter(|survey| survey["stage"] == "answered").count();
    let told = picture.steps(&["survey_answered"]).count();
    // What is answered after a case was called off is told nobody.
    let fits = told == answered || picture.status() == "cancelled" && told <= answered;
    unless(fits, || format!("{answered} surveys are answered, the timeline tells {told}")).into_iter().collect()
}
