//! What is wrong with a policy before it is switched on.

use std::collections::BTreeSet;

use steward_kernel::vocabulary::taxonomy;

use crate::{
    amount::Amount,
    policy::{ExtensionRule, Ladder, PauseReason, PauseRule, Policy, TargetRule, covers},
};

/// Most targets of one policy.
const TARGETS: usize = 500;
/// Most calendars of departments.
const DEPARTMENTS: usize = 200;
/// Most rungs of a ladder; what repeats after the last one is not counted.
const RUNGS: usize = 20;
/// Longest code of a calendar or a department.
const CODE: usize = 64;

type Findings = Vec<(String, String)>;

impl Policy {
    /// What is wrong with it: a JSON pointer and what must be.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let mut found = Findings::new();
        check_calendars(self, &mut found);
        check_targets(&self.targets, &mut found);
        check_pauses(&self.pauses, &mut found);
        for (priority, ladder) in &self.ladders {
            check_ladder(&format!("/ladders/{priority}"), ladder, &mut found);
        }
        for (name, times) in [("climb_every", &self.climb_every), ("hand_over_within", &self.hand_over_within)] {
            for (priority, amount) in times {
                if matches!(amount, Amount::Until(_)) || is_nothing(*amount) {
                    found.push((format!("/{name}/{priority}"), IS_A_LENGTH.to_owned()));
                }
            }
        }
        if self.promise_warning_percent.is_some_and(|percent| !(1..=99).contains(&percent)) {
            found.push(("/promise_warning_percent".to_owned(), "must be between 1 and 99".to_owned()));
        }
        check_extensions(&self.extensions, &mut found);
        found
    }
}

const IS_A_LENGTH: &str = "must be a time like 15m, 2h, 3d (days), 10bd (business days) or same_day, more than nothing";
const IS_ON_THE_WALL: &str = "must be a length of time like 15m, 24h or 3d";

/// The text of an amount is never nothing; one that a program made may be.
fn is_nothing(amount: Amount) -> bool {
    matches!(amount, Amount::Seconds(0) | Amount::Days(0) | Amount::BusinessDays(0))
}

fn is_on_the_wall(amount: Amount) -> bool {
    amount.wall_seconds().is_some() && !is_nothing(amount)
}

fn check_calendars(policy: &Policy, found: &mut Findings) {
    let is_code = |code: &str| !code.trim().is_empty() && code.chars().count() <= CODE;
    if policy.calendar.as_deref().is_some_and(|code| !is_code(code)) {
        found.push(("/calendar".to_owned(), format!("must be the code of a calendar, 1 to {CODE} characters")));
    }
    if policy.department_calendars.len() > DEPARTMENTS {
        found.push(("/department_calendars".to_owned(), format!("must be at most {DEPARTMENTS}")));
    }
    for (department, calendar) in &policy.department_calendars {
        if !is_code(department) || !is_code(calendar) {
            let pointer = format!("/department_calendars/{}", department.replace('~', "~0").replace('/', "~1"));
            found.push((pointer, format!("must name a department and a calendar by codes of 1 to {CODE} characters")));
        }
    }
}

fn check_targets(targets: &[TargetRule], found: &mut Findings) {
    if targets.len() > TARGETS {
        found.push(("/targets".to_owned(), format!("must be at most {TARGETS}")));
        return;
    }
    let mut known = BTreeSet::new();
    for (index, rule) in targets.iter().enumerate() {
        let mut add = |field: &str, must: &str| found.push((format!("/targets/{index}{field}"), must.to_owned()));
        if !known.insert((rule.measure, rule.party, rule.kind, rule.priority, rule.category.as_deref())) {
            add("", "must differ from all others in measure, party, kind, priority or category");
        }
        if let Some(code) = rule.category.as_deref()
            && !taxonomy().iter().any(|category| covers(code, &category.code))
        {
            add("/category", "must be a code of the taxonomy or the beginning of one, for example lift");
        }
        if rule.within.is_some_and(|within| matches!(within, Amount::Until(_)) || is_nothing(within)) {
            add("/within", IS_A_LENGTH);
        }
        if rule.at_most.is_some_and(|most| !is_on_the_wall(most)) {
            add("/at_most", IS_ON_THE_WALL);
        }
        if rule.at_most.is_some() && rule.within.is_none() {
            add("/at_most", "must be left out where no time is set");
        }
    }
}

fn check_pauses(pauses: &[PauseRule], found: &mut Findings) {
    for (index, rule) in pauses.iter().enumerate() {
        let mut add = |field: &str, must: String| found.push((format!("/pauses/{index}/{field}"), must));
        if PauseReason::parse(&rule.reason).is_none() {
            let words: Vec<&str> = PauseReason::ALL.iter().map(|reason| reason.as_str()).collect();
            add("reason", format!("must be one of {}", words.join(", ")));
        }
        if pauses[..index].iter().any(|other| other.reason == rule.reason) {
            add("reason", "must be named once".to_owned());
        }
        if rule.parties.iter().collect::<BTreeSet<_>>().len() < rule.parties.len() {
            add("parties", "must name each party once".to_owned());
        }
        if rule.cap.is_some_and(|cap| !is_on_the_wall(cap)) {
            add("cap", IS_ON_THE_WALL.to_owned());
        }
    }
}

fn check_ladder(pointer: &str, ladder: &Ladder, found: &mut Findings) {
    if !(1..=RUNGS).contains(&ladder.rungs.len()) {
        found.push((format!("{pointer}/rungs"), format!("must be 1 to {RUNGS}: somebody is told in the end")));
    }
    for (index, rung) in ladder.rungs.iter().enumerate() {
        let mut add =
            |field: &str, must: &str| found.push((format!("{pointer}/rungs/{index}/{field}"), must.to_owned()));
        if rung.at_percent > 1000 {
            add("at_percent", "must be at most 1000");
        }
        if let Some(before) = index.checked_sub(1).map(|before| ladder.rungs[before]) {
            if rung.at_percent <= before.at_percent {
                add("at_percent", "must be more than that of the rung below");
            }
            if rung.level < before.level {
                add("level", "must not be lower than that of the rung below");
            }
        }
    }
    if !matches!(ladder.then_every, None | Some(Amount::Seconds(60..))) {
        found.push((format!("{pointer}/then_every"), "must be a time like 10m or 1h, at least 1m".to_owned()));
    }
}

fn check_extensions(extensions: &[ExtensionRule], found: &mut Findings) {
    for (index, rule) in extensions.iter().enumerate() {
        let mut add = |field: &str, must: &str| found.push((format!("/extensions/{index}/{field}"), must.to_owned()));
        if extensions[..index].iter().any(|other| other.measure == rule.measure) {
            add("measure", "must be named once");
        }
        if !(1..=10).contains(&rule.times) {
            add("times", "must be between 1 and 10");
        }
        if matches!(rule.at_most, Amount::Until(_) | Amount::SameDay) || is_nothing(rule.at_most) {
            add("at_most", "must be a length of time like 24h, 3d (days) or 10bd (business days)");
        }
    }
}
