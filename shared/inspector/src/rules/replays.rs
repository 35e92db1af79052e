//! Every view is what its log makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::agree::{or_nothing, unless};
use crate::{
    Happened, Picture,
    picture::{text, time},
};

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
    wrong.chain(is_other.then(|| format!("{answers} answers for it, its log says {}", or_nothing(said)))).collect()
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
            let (reference, is) = (text(order, "reference"), text(order, "status"));
            format!("order {reference} is {is}, its log says {}", or_nothing(replayed))
        }));
    }
    for survey in &picture.surveys {
        let last = picture.of("survey").rfind(|event| event.id == text(survey, "survey_id"));
        let replayed = last.map(|event| if event.kind == "invited" { "sent" } else { event.kind.as_str() });
        found.extend(unless(replayed == Some(text(survey, "stage")), || {
            format!("a survey is {}, its log says {}", text(survey, "stage"), or_nothing(replayed))
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
        let shown: BTreeSet<_> = things.iter().map(|thing| text(thing, id)).collect();
        let begun: BTreeSet<_> = picture.of("stewardship").flat_map(|event| begins(event, id)).collect();
        let differ = shown.symmetric_difference(&begun);
        found.extend(differ.map(|which| format!("{id} {which} is in the list alone, or in the log alone")));
        for thing in things {
            let is_its = |event: &&Happened| kinds.contains(&event.kind.as_str()) && event.body[id] == thing[id];
            let said = picture.of("stewardship").rfind(is_its).map(|event| text(&event.body, "outcome"));
            let shown = Some(text(thing, "state")).filter(|state| !["running", "paused", "open"].contains(state));
            let name = if id == "clock_id" { text(thing, "measure") } else { text(thing, "what") };
            found.extend(unless(said == shown, || {
                format!("{name} is {}, its log says {}", text(thing, "state"), or_nothing(said))
            }));
        }
    }
    for clock in &picture.clocks {
        let (shown, said) = (clock["episode"].as_u64(), episode(picture, clock));
        found.extend(unless(shown == said, || {
            let (shown, said) = (or_nothing(shown), or_nothing(said));
            format!("{} is of episode {shown}, its log says {said}", text(clock, "measure"))
        }));
    }
    found
}

/// In which episode a clock measures, by the log. Work that was ordered with the reopening may have been heard before it.
fn episode(picture: &Picture, clock: &Value) -> Option<u64> {
    let begun = picture.of("stewardship").flat_map(|event| event.body["clocks"].as_array().into_iter().flatten());
    let begun =
        begun.filter(|begun| begun["clock_id"] == clock["clock_id"]).find_map(|begun| begun["episode"].as_u64());
    let is_followed = |event: &&Happened| {
        event.kind == "reopened"
            && clock["work_order_id"].is_string()
            && time(&event.body, "at") <= time(clock, "started_at")
    };
    let followed = picture.of("stewardship").filter(is_followed).filter_map(|event| event.body["episode"].as_u64());
    followed.chain(begun).max()
}

/// The clocks, or promises, that begin with that.
fn begins<'e>(event: &'e Happened, id: &str) -> Vec<&'e str> {
    let body = &event.body;
    match (id, event.kind.as_str()) {
        ("clock_id", "began" | "clocks_started") => {
            body["clocks"].as_array().into_iter().flatten().map(|clock| text(clock, id)).collect()
        }
        ("promise_id", "promise_made") => vec![text(&body["promise"], id)],
        _ => Vec::new(),
    }
}

pub(super) fn escalations(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    let log = || picture.of("stewardship");
    let raised: Vec<&Value> =
        log().filter(|event| event.kind == "escalated").map(|event| &event.body["escalation"]).collect();
    found.extend(unless(raised.len() == picture.escalations.len(), || {
        format!("{} escalations, their log says {}", picture.escalations.len(), raised.len())
    }));
    for shown in &picture.escalations {
        let (id, name) =
            (&shown["escalation_id"], format!("{} on level {}", text(shown, "cause"), text(shown, "level")));
        let Some(raised) = raised.iter().find(|raised| raised["escalation_id"] == *id) else {
            found.push(format!("{name} was never raised"));
            continue;
        };
        let taken = log().find(|event| event.kind == "escalation_acknowledged" && event.body["escalation_id"] == *id);
        let ends = |event: &&Happened| match event.kind.as_str() {
            "climb_ended" => !raised["climb_id"].is_null() && event.body["climb_id"] == raised["climb_id"],
            "clock_stopped" => !raised["clock_id"].is_null() && event.body["clock_id"] == raised["clock_id"],
            _ => false,
        };
        let settled = taken.is_some() || log().any(|event| ends(&event));
        found.extend(unless(shown["settled_at"].is_string() == settled, || {
            format!("{name} is settled at {}, its log says: {settled}", shown["settled_at"])
        }));
        let said = taken.map(|event| (text(&event.body, "by"), time(&event.body, "at")));
        let is = shown["acknowledged_at"].is_string();
        let is = is.then(|| (text(shown, "acknowledged_by"), time(shown, "acknowledged_at")));
        found.extend(unless(is == said, || format!("{name} was taken up {is:?}, its log says {said:?}")));
    }
    found
}

pub(super) fn messages(picture: &Picture) -> Vec<String> {
    let mut found = Vec::new();
    for message in &picture.messages {
        let last = picture.of("message").rfind(|event| event.id == text(message, "message_id"));
        let (said, is) = (last.map(|event| event.kind.as_str()), text(&message["deliveries"][0], "status"));
        found.extend(unless(said == Some(is), || {
            format!("{} is {is}, its log says {}", text(message, "template"), or_nothing(said))
        }));
    }
    found
}

pub(super) fn stages(picture: &Picture) -> Vec<String> {
    let replayed = match picture.kind() {
        "complaint" => Complaint::replay(picture).stage,
        "service_request" => request(picture),
        "inquiry" => stage_by(picture, "inquiry", "open", |event| {
            Some(match event.kind.as_str() {
                "fell_due" => "follow_up_due",
                "asked" | "call_missed" => return None,
                kind => kind,
            })
        }),
        _ => stage_by(picture, "suggestion", "received", |event| {
            Some(match event.kind.as_str() {
                "reopened" => "considered",
                "deferred" => "later",
                "prioritised" => return None,
                kind => kind,
            })
        }),
    };
    let is = picture.stage();
    unless(replayed == is, || format!("the {} is {is}, its log says {replayed}", picture.kind())).into_iter().collect()
}

/// The stage in which the last event leaves a thing that changes it.
fn stage_by<'p>(
    picture: &'p Picture,
    aggregate: &'p str,
    first: &'p str,
    stage: impl Fn(&'p Happened) -> Option<&'p str>,
) -> &'p str {
    picture.of(aggregate).filter_map(stage).next_back().unwrap_or(first)
}

/// Where the log of a service request leaves it.
fn request(picture: &Picture) -> &str {
    stage_by(picture, "service_request", "received", |event| {
        let body = &event.body;
        Some(match event.kind.as_str() {
            "confirmed" => "confirmed",
            "info_requested" => "needs_info",
            "stage_changed" => text(body, "stage"),
            "verified" if body["satisfied"] == true => "owner_verified",
            // What stands then follows from its work orders, which have a rule of their own.
            "verified" | "info_provided" => picture.stage(),
            "declined" | "cancelled" | "closed" => event.kind.as_str(),
            _ => return None,
        })
    })
}

/// A complaint, as far as its stage follows from it.
struct Complaint<'p> {
    stage: &'p str,
    waits_from: &'p str,
    was_acknowledged: bool,
    has_points: bool,
    /// Remedies by id: whether the decision still waits for it, because it is to be done or because it has fallen away.
    remedies: BTreeMap<&'p str, Remedy>,
    orders: BTreeSet<&'p str>,
}

#[derive(Default)]
struct Remedy {
    is_open: bool,
    has_fallen_away: bool,
}

impl<'p> Complaint<'p> {
    fn replay(picture: &'p Picture) -> Self {
        let mut complaint = Self {
            stage: "received",
            waits_from: "received",
            was_acknowledged: false,
            has_points: false,
            remedies: BTreeMap::new(),
            orders: BTreeSet::new(),
        };
        picture.of("complaint").for_each(|event| complaint.goes_on(event));
        complaint
    }

    fn goes_on(&mut self, event: &'p Happened) {
        let body = &event.body;
        match event.kind.as_str() {
            "acknowledged" => (self.stage, self.was_acknowledged) = ("acknowledged", true),
            "assessed" => {
                self.has_points = body["points"].as_array().is_some_and(|points| !points.is_empty());
                if self.stage == "acknowledged" {
                    self.stage = "assessed";
                }
            }
            "consulted" => self.stage = "investigating",
            "planned" => self.stage = "proposed",
            "awaited_owner" => (self.waits_from, self.stage) = (self.stage, "awaiting_owner"),
            "resumed" => self.stage = self.waits_from,
            "confirmed" if body["satisfied"] == true => {
                self.nothing_falls_away();
                if self.stage != "closed" {
                    self.stage = "verified";
                }
            }
            "confirmed" => {
                self.nothing_falls_away();
                self.stage = match (self.has_points, self.was_acknowledged) {
                    (true, _) => "investigating",
                    (false, true) => "acknowledged",
                    (false, false) => "received",
                };
            }
            "closed" => self.stage = "closed",
            "withdrawn" => {
                self.nothing_falls_away();
                self.stage = "withdrawn";
            }
            _ => self.works(event),
        }
    }

    /// A decision is carried out as long as something is to be done about it.
    fn works(&mut self, event: &'p Happened) {
        let body = &event.body;
        let id = text(body, "remedy_id");
        match event.kind.as_str() {
            "decided" => {
                self.nothing_falls_away();
                self.stage = "decided";
            }
            "remedy_requested" => {
                self.nothing_falls_away();
                let id = text(&body["remedy"], "remedy_id");
                self.remedies.insert(id, Remedy { is_open: true, has_fallen_away: false });
            }
            // What became of a work order may be heard before that it was opened.
            "work_order_opened" if self.orders.insert(text(body, "work_order_id")) => {
                self.remedies.insert(id, Remedy { is_open: true, has_fallen_away: false });
            }
            "work_order_completed" | "work_order_cancelled" => {
                self.orders.insert(text(body, "work_order_id"));
                return;
            }
            "remedy_completed" => drop(self.remedies.insert(id, Remedy::default())),
            "remedy_called_off" | "remedy_refused" => {
                let has_fallen_away = self.decision_stands();
                self.remedies.insert(id, Remedy { is_open: false, has_fallen_away });
            }
            _ => return,
        }
        if self.decision_stands() {
            let waits = self.remedies.values().any(|remedy| remedy.is_open || remedy.has_fallen_away);
            self.stage = if waits { "remedying" } else { "decided" };
        }
    }

    fn decision_stands(&self) -> bool {
        ["decided", "remedying"].contains(&self.stage)
    }

    fn nothing_falls_away(&mut self) {
        self.remedies.values_mut().for_each(|remedy| remedy.has_fallen_away = false);
    }
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
