//! What has ended has ended, and what has not has somebody who acts.

use serde_json::Value;

use super::agree::unless;
use crate::{
    Picture,
    picture::{text, time},
};

fn is_going(clock: &Value) -> bool {
    ["running", "paused"].contains(&text(clock, "state"))
}

fn going(picture: &Picture) -> impl Iterator<Item = &Value> {
    picture.clocks.iter().filter(|clock| is_going(clock))
}

fn is_of_company(clock: &&Value) -> bool {
    clock["party"] == "company"
}

pub(super) fn nothing_runs(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    let may_run = |clock: &&Value| match picture.status() {
        "closed" | "cancelled" => false,
        "resolved" => clock["measure"] == "follow_up",
        _ => true,
    };
    found.extend(going(picture).filter(|clock| !may_run(clock)).map(|clock| {
        let (party, measure, state) = (text(clock, "party"), text(clock, "measure"), text(clock, "state"));
        format!("{measure} of the {party} is {state}, the case {}", picture.status())
    }));
    let is_left = |promise: &&Value| promise["state"] == "open" && promise["what"] != "commitment";
    let left = picture.promises.iter().filter(|promise| picture.is_over() && is_left(promise));
    found.extend(left.map(|promise| format!("the promise {} is open", text(promise, "what"))));
    found
}

pub(super) fn orders(picture: &Picture) -> Vec<String> {
    let over = picture.is_over() || picture.status() == "resolved";
    let open = picture.open_orders().filter(|_| over);
    open.map(|order| {
        format!("{} is {}, the case {}", text(order, "reference"), text(order, "status"), picture.status())
    })
    .collect()
}

pub(super) fn escalations(picture: &Picture) -> Vec<String> {
    let open = picture.escalations.iter().filter(|one| picture.is_over() && one["settled_at"].is_null());
    // A broken commitment is looked after beyond the end.
    let is_committed = picture.promises.iter().any(|promise| promise["what"] == "commitment");
    let open = open.filter(|one| one["cause"] != "promise" || !is_committed);
    open.map(|one| format!("{} on level {} is open", text(one, "cause"), text(one, "level"))).collect()
}

/// What somebody has to look at although it is over.
const LOOKS_BACK: [&str; 2] = ["low_rating", "objection"];

pub(super) fn alerts(picture: &Picture) -> Vec<String> {
    let has_committed = picture.promises.iter().any(|promise| promise["what"] == "commitment");
    let lives_on = |alert: &&Value| {
        let looks_back = LOOKS_BACK.contains(&text(alert, "cause"));
        let is_committed = has_committed && (alert["cause"] == "promise" || alert["promise"] == "commitment");
        alert["work_order_id"].is_string() || looks_back || is_committed
    };
    let waiting = picture.alerts.iter().filter(|alert| alert["settled_at"].is_null() && !lives_on(alert));
    waiting.map(|alert| format!("{} waits since {}", text(alert, "cause"), text(alert, "happened_at"))).collect()
}

pub(super) fn reminders(picture: &Picture) -> Vec<String> {
    let scheduled = picture.of("stewardship").rev().find(|event| event.kind == "scheduled");
    let next = scheduled.and_then(|event| event.body["schedule"]["next_at"].as_str());
    let lives_on =
        |promise: &Value| promise["what"] == "commitment" && ["open", "broken"].contains(&text(promise, "state"));
    let looks_back = waiting_tasks(picture).iter().any(|duty| LOOKS_BACK.contains(duty));
    let has_reason = !picture.is_over() || picture.promises.iter().any(lives_on) || looks_back;
    let next = next.filter(|_| !has_reason);
    next.map(|next| format!("the next look is set for {next}; {:?} waits", waiting_tasks(picture)))
        .into_iter()
        .collect()
}

/// What somebody is still to be told to do.
fn waiting_tasks(picture: &Picture) -> Vec<&str> {
    let ends = |id: &Value| {
        picture.of("stewardship").any(|event| {
            event.kind == "task_ended" && event.body["task_id"] == *id
                || event.kind == "task_given" && event.body["task"]["task_id"] == *id
        })
    };
    let waits = picture.of("stewardship").filter(|event| event.kind == "task_waits").map(|event| &event.body["task"]);
    waits.filter(|task| !ends(&task["task_id"])).map(|task| text(task, "duty")).collect()
}

pub(super) fn surveys(picture: &Picture) -> Vec<String> {
    let now = picture.episode() as u64;
    let mut found = Vec::new();
    for survey in picture.surveys.iter().filter(|survey| survey["stage"] == "sent") {
        let episode = survey["episode"].as_u64().unwrap_or(0);
        // More work for what was decided is no other episode: how that went is asked once.
        let stands = episode == now && picture.status() != "cancelled";
        found.extend(unless(stands, || {
            format!("how episode {episode} went is asked, the case is {}", picture.status())
        }));
        found.extend(unless(time(survey, "expires_at").is_none_or(|at| at > picture.now), || {
            "a survey is open beyond its time".to_owned()
        }));
    }
    let mut episodes: Vec<_> = picture.surveys.iter().map(|survey| survey["episode"].as_u64()).collect();
    episodes.sort_unstable();
    let asked = episodes.len();
    episodes.dedup();
    found.extend(unless(episodes.len() == asked, || "the owner was asked twice of one episode".to_owned()));
    found
}

pub(super) fn paused(picture: &Picture) -> Vec<String> {
    let waits = picture.status() == "awaiting_owner";
    let is_held = |clock: &Value| {
        let mut orders = picture
            .open_orders()
            .filter(|order| is_of_company(&clock) || order["work_order_id"] == clock["work_order_id"]);
        orders.any(|order| order["status"] == "on_hold")
    };
    let baseless = picture.clocks.iter().filter(|clock| clock["state"] == "paused" && !waits && !is_held(clock));
    baseless
        .map(|clock| {
            let (measure, reason) = (text(clock, "measure"), text(&clock["pause"], "reason"));
            format!("{measure} is paused for {reason}; the case is {}", picture.status())
        })
        .collect()
}

pub(super) fn waiting(picture: &Picture) -> Vec<String> {
    if picture.status() != "awaiting_owner" {
        return Vec::new();
    }
    let waited =
        picture.timeline.iter().rev().find(|step| ["awaiting_owner", "info_requested"].contains(&text(step, "code")));
    let since = waited.and_then(|step| time(step, "at"));
    // A wait ends by itself after some days, and the owner may object to it.
    let is_young = since.is_some_and(|at| picture.now - at < chrono::TimeDelta::days(1));
    let struck =
        picture.of("stewardship").any(|event| event.kind == "objection_decided" && event.body["upheld"] == true);
    // Who comes at an agreed time comes then.
    let waits = ["plan", "decide", "finish", "make_safe"];
    let runs = |clock: &&Value| clock["state"] == "running" && waits.contains(&text(clock, "measure"));
    let running = picture.clocks.iter().filter(is_of_company).filter(runs).filter(|_| is_young && !struck);
    // What is urgent does not wait: policies of P1 and P2 pause nothing.
    let running = running.filter(|clock| !["P1", "P2"].contains(&text(clock, "priority")));
    running.map(|clock| format!("{} runs while the owner is waited for", text(clock, "measure"))).collect()
}

pub(super) fn accountable(picture: &Picture) -> Vec<String> {
    let answers = text(&picture.case["accountable"], "account");
    unless(!picture.is_under_way() || !answers.is_empty(), || "nobody answers for it".to_owned()).into_iter().collect()
}

/// What the company owes next, by kind and stage; '' = nothing that is measured.
fn owed(picture: &Picture) -> &'static str {
    match (picture.kind(), picture.stage()) {
        ("complaint", "remedying" | "decided") => "follow_up",
        ("complaint", _) | ("suggestion", "received" | "considered" | "later") => "decide",
        ("service_request" | "inquiry", _) => "finish",
        _ => "",
    }
}

pub(super) fn clock(picture: &Picture) -> Vec<String> {
    let owed = owed(picture);
    if !picture.is_under_way() || owed.is_empty() {
        return Vec::new();
    }
    let episode = picture.episode() as u64;
    let is_now = |clock: &&Value| clock["episode"].as_u64() == Some(episode);
    let mut those = picture.clocks.iter().filter(is_of_company).filter(is_now).filter(|clock| clock["measure"] == owed);
    // Who puts off a suggestion has decided for now; a call that reached nobody three times has ended.
    let is_settled = |clock: &Value| match owed {
        "follow_up" => true,
        "decide" => picture.kind() == "suggestion" && clock["state"] != "void",
        _ => false,
    };
    let had_its_end = those.clone().any(is_settled);
    let goes = those.any(is_going);
    unless(goes || had_its_end, || format!("no clock measures {owed} while it is {}", picture.stage()))
        .into_iter()
        .collect()
}

pub(super) fn next_step(picture: &Picture) -> Vec<String> {
    let can = |thing: &Value| thing["allowed"].as_array().is_some_and(|verbs| !verbs.is_empty());
    // Inquiries say what is allowed by their stage alone.
    let has = picture.kind() == "inquiry" || can(&picture.work) || picture.open_orders().any(can);
    unless(!picture.is_under_way() || has, || format!("nobody can do anything while it is {}", picture.stage()))
        .into_iter()
        .collect()
}
