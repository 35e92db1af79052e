//! How each figure is counted.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Line, Period, Sheet,
    books::{Books, Entry, Step},
};
use crate::picture::{text, time};

/// Words of the vocabulary that stand in the answer even when nothing was counted under them.
const KINDS: [&str; 4] = ["inquiry", "complaint", "service_request", "suggestion"];
const STATUSES: [&str; 6] = ["received", "in_progress", "awaiting_owner", "resolved", "closed", "cancelled"];
const PRIORITIES: [&str; 4] = ["P1", "P2", "P3", "P4"];
const MEASURES: [&str; 7] = ["acknowledge", "plan", "arrive", "make_safe", "finish", "decide", "follow_up"];
const PARTIES: [&str; 3] = ["company", "department", "contractor"];
const LEVELS: [&str; 5] = ["worker", "lead", "estate_manager", "region", "company"];
const CAUSES: [&str; 7] = ["share", "unowned", "returned", "long_paused", "reopened", "promise", "late_entry"];

/// Steps that are the owner's word, or an end without an answer, whoever wrote them down.
const NO_ANSWERS: [&str; 7] =
    ["confirmed", "verified", "rework", "reopened", "withdrawn", "cancelled", "info_provided"];
/// Fewest observations of a share.
const FEW: usize = 5;

fn is_settled(status: &str) -> bool {
    status == "resolved" || status == "closed"
}

impl Entry {
    fn reference(&self) -> String {
        text(&self.case, "reference").to_owned()
    }

    fn status(&self) -> &str {
        text(&self.case, "status")
    }

    /// When the stretch of steps began that has lasted until now and in which all statuses fit.
    fn since(&self, fits: impl Fn(&str) -> bool) -> Option<&Step> {
        let mut first = None;
        for step in self.steps.iter().rev() {
            if !fits(&step.status) {
                break;
            }
            first = Some(step);
        }
        first
    }

    /// A request that was declined as not the company's to do, and still is.
    fn declined(&self) -> Option<&Step> {
        self.since(|status| status == "closed").filter(|step| step.code == "declined")
    }

    fn cancelled(&self) -> Option<&Step> {
        self.since(|status| status == "cancelled")
    }

    fn resolved(&self) -> Option<&Step> {
        if self.declined().is_some() { None } else { self.since(is_settled) }
    }

    /// How often it came back after it was over; what was decided may be under way again by then.
    fn returns(&self) -> usize {
        let (mut returns, mut was_over) = (0, false);
        for step in &self.steps {
            if was_over && ["reopened", "rework"].contains(&&*step.code) {
                returns += 1;
                was_over = false;
            }
            was_over |= is_settled(&step.status) || step.status == "cancelled";
        }
        returns
    }

    /// The first step that a person of the company took and the owner can see.
    fn first_answer(&self) -> Option<&Step> {
        let by_staff = |step: &&Step| step.by == "staff" || step.by == "technician";
        let answers = self.steps.iter().skip(1).filter(by_staff).filter(|step| !NO_ANSWERS.contains(&&*step.code));
        answers.min_by_key(|step| step.at)
    }

    fn waits_for_resolution(&self) -> bool {
        !is_settled(self.status()) && self.cancelled().is_none()
    }

    /// A settled complaint or request that the company did not decline: its owner can say whether it is solved.
    fn is_confirmable(&self) -> bool {
        ["complaint", "service_request"].contains(&text(&self.case, "kind")) && self.resolved().is_some()
    }

    /// Whether the last word is that it is solved, and it was given by the owner, or taken down by staff.
    fn is_confirmed_by(&self, whose: &str) -> bool {
        let words = ["confirmed", "verified", "reopened", "rework"];
        let last = self.steps.iter().rev().find(|step| words.contains(&&*step.code));
        last.is_some_and(|step| step.by == whose && ["confirmed", "verified"].contains(&&*step.code))
    }

    /// Whether its owner could not be asked how it went this time.
    fn could_not_be_asked(&self) -> bool {
        let episode = self.returns() + 1;
        let of_now = |survey: &&Value| survey["episode"] == episode;
        let suppressed = self.surveys.iter().find(of_now).is_some_and(|survey| survey["stage"] == "suppressed");
        self.case["resident_id"].is_null() || suppressed
    }
}

/// Counts of clocks or promises that came out in some way: which way, of which case.
type Outcomes = Vec<(String, String)>;

impl Books {
    /// Every figure of a period.
    #[must_use]
    pub fn figures(&self, period: Period) -> Sheet {
        let mut sheet = Sheet::new();
        self.count_cases(period, &mut sheet);
        self.time_answers(period, &mut sheet);
        self.count_surveys(period, &mut sheet);
        self.count_confirmations(period, &mut sheet);
        self.count_clocks(period, &mut sheet);
        self.count_escalations(period, &mut sheet);
        self.count_promises(period, &mut sheet);
        sheet
    }

    /// What cannot be true whatever is counted: a case that stands otherwise than its last step says.
    #[must_use]
    pub fn contradictions(&self) -> Vec<String> {
        let stands_otherwise = |entry: &&Entry| entry.steps.last().is_some_and(|step| step.status != entry.status());
        let told = self.cases.iter().filter(stands_otherwise);
        told.map(|entry| format!("{} is {}, its timeline says otherwise", entry.reference(), entry.status())).collect()
    }

    fn is_in(&self, period: Period, at: DateTime<Utc>) -> bool {
        let day = at.with_timezone(&self.zone).date_naive();
        period.from <= day && day <= period.to
    }

    fn said_in(&self, period: Period) -> Vec<&Entry> {
        self.cases.iter().filter(|entry| self.is_in(period, entry.said_at)).collect()
    }

    fn count_cases(&self, period: Period, sheet: &mut Sheet) {
        let said = self.said_in(period);
        let at = |step: Option<&Step>| step.is_some_and(|step| self.is_in(period, step.at));
        let over = |entry: &&Entry| is_settled(entry.status()) || entry.status() == "cancelled";
        put(sheet, "cases.opened", &said);
        put(sheet, "cases.resolved", &self.those(|entry| at(entry.resolved())));
        put(sheet, "cases.closed", &self.those(|entry| at(entry.since(|status| status == "closed"))));
        put(sheet, "cases.declined", &self.those(|entry| at(entry.declined())));
        put(sheet, "cases.cancelled", &self.those(|entry| at(entry.cancelled())));
        put(sheet, "cases.reopened", &said.iter().copied().filter(|entry| entry.returns() > 0).collect::<Vec<_>>());
        put(sheet, "cases.open_now", &self.those(|entry| !over(&entry)));
        for (place, field, words) in [
            ("by_kind", "kind", &KINDS[..]),
            ("by_status", "status", &STATUSES),
            ("by_priority", "priority", &PRIORITIES),
        ] {
            for known in words {
                let fits: Vec<_> = said.iter().copied().filter(|entry| entry.case[field] == *known).collect();
                put(sheet, &format!("cases.{place}.{known}"), &fits);
            }
        }
    }

    fn those(&self, fits: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        self.cases.iter().filter(|entry| fits(entry)).collect()
    }

    fn time_answers(&self, period: Period, sheet: &mut Sheet) {
        let said = self.said_in(period);
        let answered = said.iter().map(|entry| (*entry, entry.first_answer()));
        let waits = |entry: &Entry| entry.cancelled().is_none();
        put_times(sheet, "first_human_answer_seconds", answered, waits);
        let resolved = said.iter().map(|entry| (*entry, entry.resolved()));
        put_times(sheet, "resolution_seconds", resolved, Entry::waits_for_resolution);
    }

    fn count_surveys(&self, period: Period, sheet: &mut Sheet) {
        let mut asked = Vec::new();
        for entry in &self.cases {
            for survey in &entry.surveys {
                let sent = time(survey, "sent_at").is_some_and(|at| self.is_in(period, at));
                if sent && survey["stage"] != "suppressed" {
                    asked.push((entry.reference(), survey));
                }
            }
        }
        let answered: Vec<_> = asked.iter().filter(|(_, survey)| survey["stage"] == "answered").cloned().collect();
        let of = |surveys: &[(String, &Value)]| surveys.iter().map(|(reference, _)| reference.clone()).collect();
        let n = answered.len();
        put_value(sheet, "satisfaction.asked", json!(asked.len()), of(&asked));
        let not_asked = self.those(|entry| {
            entry.could_not_be_asked() && entry.resolved().is_some_and(|step| self.is_in(period, step.at))
        });
        put(sheet, "satisfaction.not_asked", &not_asked);
        put_value(sheet, "satisfaction.n", json!(n), of(&answered));
        put_value(sheet, "satisfaction.response_rate", share(n, asked.len(), 1), of(&asked));
        for question in ["outcome", "handling", "courtesy"] {
            let scores: Vec<u64> = answered.iter().filter_map(|(_, survey)| survey[question].as_u64()).collect();
            let place =
                if question == "outcome" { "satisfaction".to_owned() } else { format!("satisfaction.{question}") };
            put_scores(sheet, &place, &scores);
            if question != "outcome" {
                continue;
            }
            if scores.len() < FEW {
                put_value(sheet, "satisfaction.ratings", Value::Null, of(&answered));
                continue;
            }
            for score in 1..=5_u64 {
                let given = scores.iter().filter(|given| **given == score).count();
                put_value(sheet, &format!("satisfaction.ratings.{score}"), json!(given), of(&answered));
            }
        }
    }

    fn count_confirmations(&self, period: Period, sheet: &mut Sheet) {
        let could: Vec<_> = self.said_in(period).into_iter().filter(|entry| entry.is_confirmable()).collect();
        let by = |whose| could.iter().copied().filter(|entry| entry.is_confirmed_by(whose)).collect::<Vec<_>>();
        let (did, taken_down) = (by("owner"), by("staff"));
        put(sheet, "confirmed_by_owner.n", &could);
        put(sheet, "confirmed_by_owner.confirmed", &did);
        put(sheet, "confirmed_by_owner.taken_down", &taken_down);
        put_share(sheet, "confirmed_by_owner", "share", did.len(), could.len());
    }

    fn count_clocks(&self, period: Period, sheet: &mut Sheet) {
        let mut counted = Vec::new();
        let (mut late, mut void_overdue) = (Vec::new(), Vec::new());
        let (mut elapsed, mut paused, mut stopped) = (0, 0, Vec::new());
        for (reference, clock) in self.each(|entry| &entry.clocks) {
            let stopped_at = time(clock, "stopped_at");
            if let Some(at) = stopped_at.filter(|at| clock["party"] == "company" && self.is_in(period, *at)) {
                elapsed += clock["elapsed_seconds"].as_i64().unwrap_or(0);
                paused += clock["paused_seconds"].as_i64().unwrap_or(0);
                stopped.push(format!("{reference} {} {at}", clock["measure"]));
            }
            // A time is over when its second is.
            let is_over = |due: &DateTime<Utc>| stopped_at.is_some_and(|at| due.timestamp() < at.timestamp());
            let overdue_at = time(clock, "due_at").filter(is_over);
            let breached_at = time(clock, "breached_at");
            let (outcome, day) = match clock["state"].as_str() {
                Some("met") => ("met", stopped_at),
                Some("missed") => ("missed", breached_at),
                Some("void") => ("void", stopped_at),
                _ if breached_at.is_some() => ("missed", breached_at),
                _ => continue,
            };
            if !day.is_some_and(|at| self.is_in(period, at)) {
                continue;
            }
            if clock["late_entry"] == true {
                late.push(reference);
                continue;
            }
            if outcome == "void" && overdue_at.is_some() {
                void_overdue.push(reference.clone());
            }
            counted.push((outcome, clock, reference));
        }
        let those = |fits: &dyn Fn(&Value) -> bool| -> Outcomes {
            let fitting = counted.iter().filter(|(_, clock, _)| fits(clock));
            fitting.map(|(outcome, _, reference)| ((*outcome).to_owned(), reference.clone())).collect()
        };
        put_clocks(sheet, "deadlines", &those(&|_| true));
        put_value(sheet, "deadlines.void_overdue", json!(void_overdue.len()), void_overdue);
        put_value(sheet, "deadlines.late_entries", json!(late.len()), late);
        put_value(sheet, "deadlines.elapsed_seconds", json!(elapsed), stopped.clone());
        put_value(sheet, "deadlines.paused_seconds", json!(paused), stopped.clone());
        let paused_share =
            if elapsed + paused == 0 { Value::Null } else { json!(paused as f64 / (elapsed + paused) as f64) };
        put_value(sheet, "deadlines.paused_share", paused_share, stopped);
        for (place, field, words) in [
            ("by_measure", "measure", &MEASURES[..]),
            ("by_priority", "priority", &PRIORITIES),
            ("by_party", "party", &PARTIES),
        ] {
            for known in words {
                put_clocks(sheet, &format!("deadlines.{place}.{known}"), &those(&|clock| clock[field] == *known));
            }
        }
    }

    fn each<'b>(&'b self, of: impl Fn(&'b Entry) -> &'b Vec<Value>) -> Vec<(String, &'b Value)> {
        let mut found = Vec::new();
        for entry in &self.cases {
            for thing in of(entry) {
                found.push((entry.reference(), thing));
            }
        }
        found
    }

    fn count_escalations(&self, period: Period, sheet: &mut Sheet) {
        let all = self.each(|entry| &entry.escalations);
        let on = |field: &str| {
            let fits = all.iter().filter(|(_, one)| time(one, field).is_some_and(|at| self.is_in(period, at)));
            fits.cloned().collect::<Vec<_>>()
        };
        let raised = on("raised_at");
        let put_some = |sheet: &mut Sheet, place: &str, some: Vec<&(String, &Value)>| {
            let of = some.iter().map(|(reference, _)| reference.clone()).collect();
            put_value(sheet, place, json!(some.len()), of);
        };
        put_some(sheet, "escalations.raised", raised.iter().collect());
        put_some(sheet, "escalations.acknowledged", on("acknowledged_at").iter().collect());
        for (place, field, words) in [("by_level", "level", &LEVELS[..]), ("by_cause", "cause", &CAUSES)] {
            for known in words {
                let fits = raised.iter().filter(|(_, one)| one[field] == *known).collect();
                put_some(sheet, &format!("escalations.{place}.{known}"), fits);
            }
        }
    }

    fn count_promises(&self, period: Period, sheet: &mut Sheet) {
        // What happened in the period: to which team's promise.
        let mut happened: Vec<(String, String, String)> = Vec::new();
        for (reference, promise) in self.each(|entry| &entry.promises) {
            let team = text(promise, "team").to_owned();
            if time(promise, "made_at").is_some_and(|at| self.is_in(period, at)) {
                happened.push((team.clone(), "made".to_owned(), reference.clone()));
            }
            if time(promise, "ended_at").is_some_and(|at| self.is_in(period, at)) {
                happened.push((team, text(promise, "state").to_owned(), reference));
            }
        }
        let those = |team: Option<&str>| -> Outcomes {
            let fits = happened.iter().filter(|(known, ..)| team.is_none_or(|team| team == known));
            fits.map(|(_, what, reference)| (what.clone(), reference.clone())).collect()
        };
        put_promises(sheet, "promises", &those(None));
        let teams: BTreeSet<_> = happened.iter().map(|(team, ..)| team.clone()).collect();
        for team in teams {
            put_promises(sheet, &format!("promises.by_team.{team}"), &those(Some(&team)));
        }
    }
}

fn put_value(sheet: &mut Sheet, place: &str, value: Value, of: Vec<String>) {
    let before = sheet.insert(place.to_owned(), Line { value, of });
    debug_assert!(before.is_none(), "{place} was counted twice");
}

fn put(sheet: &mut Sheet, place: &str, entries: &[&Entry]) {
    put_value(sheet, place, json!(entries.len()), entries.iter().map(|entry| entry.reference()).collect());
}

/// Durations from the owner's words to a step, and who still waits for it.
fn put_times<'e>(
    sheet: &mut Sheet,
    place: &str,
    reached: impl Iterator<Item = (&'e Entry, Option<&'e Step>)>,
    waits: impl Fn(&Entry) -> bool,
) {
    let (mut times, mut done, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for (entry, step) in reached {
        match step {
            Some(step) => {
                times.push((step.at - entry.said_at).num_seconds().max(0));
                done.push(entry.reference());
            }
            None if waits(entry) => waiting.push(entry.reference()),
            None => {}
        }
    }
    times.sort_unstable();
    for percent in [50, 90] {
        put_value(sheet, &format!("{place}.p{percent}"), percentile(&times, waiting.len(), percent), done.clone());
    }
    put_value(sheet, &format!("{place}.n"), json!(times.len()), done);
    put_value(sheet, &format!("{place}.waiting"), json!(waiting.len()), waiting);
}

/// Nearest rank; whoever waits is slower than all that are done.
fn percentile(sorted: &[i64], waiting: usize, percent: usize) -> Value {
    let rank = ((sorted.len() + waiting) * percent).div_ceil(100);
    rank.checked_sub(1).and_then(|place| sorted.get(place)).map_or(Value::Null, |seconds| json!(seconds))
}

/// A share; null of fewer than so many.
fn share(part: usize, whole: usize, few: usize) -> Value {
    if whole < few { Value::Null } else { json!(part as f64 / whole as f64) }
}

/// The 95 % interval of E. B. Wilson (1927), as every textbook has it.
fn wilson(part: usize, whole: usize) -> (f64, f64) {
    let (n, p, z) = (whole as f64, part as f64 / whole as f64, 1.959_964_f64);
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

fn put_share(sheet: &mut Sheet, place: &str, name: &str, part: usize, whole: usize) {
    let (low, high) = if whole < FEW {
        (Value::Null, Value::Null)
    } else {
        let (low, high) = wilson(part, whole);
        (json!(low), json!(high))
    };
    put_value(sheet, &format!("{place}.{name}"), share(part, whole, FEW), Vec::new());
    put_value(sheet, &format!("{place}.wilson_low"), low, Vec::new());
    put_value(sheet, &format!("{place}.wilson_high"), high, Vec::new());
}

fn put_scores(sheet: &mut Sheet, place: &str, scores: &[u64]) {
    let satisfied = scores.iter().filter(|score| **score >= 4).count();
    let sum: u64 = scores.iter().sum();
    let mean = if scores.len() < FEW { Value::Null } else { json!(sum as f64 / scores.len() as f64) };
    put_value(sheet, &format!("{place}.rated"), json!(scores.len()), Vec::new());
    put_value(sheet, &format!("{place}.mean"), mean, Vec::new());
    put_share(sheet, place, "satisfied_share", satisfied, scores.len());
}

fn put_outcomes(sheet: &mut Sheet, place: &str, words: &[&str], outcomes: &Outcomes) -> Vec<usize> {
    let mut counts = Vec::new();
    for known in words {
        let fits = outcomes.iter().filter(|(outcome, _)| outcome == known);
        let of: Vec<_> = fits.map(|(_, reference)| reference.clone()).collect();
        counts.push(of.len());
        put_value(sheet, &format!("{place}.{known}"), json!(of.len()), of);
    }
    counts
}

fn put_clocks(sheet: &mut Sheet, place: &str, outcomes: &Outcomes) {
    let counts = put_outcomes(sheet, place, &["met", "missed", "void"], outcomes);
    put_share(sheet, place, "met_share", counts[0], counts[0] + counts[1]);
}

fn put_promises(sheet: &mut Sheet, place: &str, outcomes: &Outcomes) {
    let counts = put_outcomes(sheet, place, &["kept", "broken", "made", "moved", "void"], outcomes);
    put_share(sheet, place, "kept_share", counts[0], counts[0] + counts[1]);
}
