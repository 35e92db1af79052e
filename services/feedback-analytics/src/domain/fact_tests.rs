use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*};
use steward_kernel::vocabulary::Language;

use super::*;
use crate::domain::{
    HOME, day, dictionary,
    metrics::Figures,
    rollup::{Key, Sums},
};

fn moment(minutes: i64) -> Moment {
    let start: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
    let at = start + TimeDelta::minutes(minutes);
    Moment { at, on: day(at, HOME) }
}

fn opened() -> Change {
    Change::Opened(Opened {
        said: moment(0),
        kind: "complaint".to_owned(),
        priority: "P3".to_owned(),
        resident_known: true,
    })
}

fn step(status: &str, milestone: &str, human: bool, minutes: i64) -> Change {
    Change::Progressed(Progress {
        status: status.to_owned(),
        milestone: milestone.to_owned(),
        human,
        kind: "complaint".to_owned(),
        priority: "P3".to_owned(),
        resident_known: true,
        moment: moment(minutes),
    })
}

fn said(solved: bool, minutes: i64) -> Change {
    Change::OwnerSaid(Word { solved, at: moment(minutes).at, taken_down: false })
}

fn fact(changes: &[Change]) -> CaseFact {
    changes.iter().fold(CaseFact::default(), CaseFact::after)
}

fn figures(facts: &[CaseFact]) -> Figures {
    let all = facts.iter().fold(Tally::default(), |sum, fact| sum.and(&fact.tally()));
    let sums = all.over_all_days();
    Figures::of(&sums, sums.total(Measure::Open))
}

#[test]
fn the_first_human_answer_is_neither_a_receipt_nor_the_owners_own_step() {
    let mut changes = vec![
        opened(),
        step("received", "received", false, 0),
        step("in_progress", "info_provided", true, 5),
        step("in_progress", "routed", false, 6),
    ];
    assert_eq!(figures(&[fact(&changes)]).first_human_answer_seconds.waiting, 1);
    changes.push(step("in_progress", "acknowledged", true, 25));
    changes.push(step("in_progress", "assessed", true, 90));
    let first = figures(&[fact(&changes)]).first_human_answer_seconds;
    assert_eq!((first.n, first.waiting), (1, 0));
    assert!(first.p50.is_some_and(|seconds| seconds.abs_diff(1500) * 31 <= 1500), "{first:?}");
}

#[test]
fn the_first_answer_is_the_earliest_whenever_it_is_heard() {
    let late = [
        opened(),
        step("in_progress", "technician_assigned", true, 40),
        step("in_progress", "service_confirmed", true, 25),
        step("in_progress", "routed", true, 60),
    ];
    assert_eq!(fact(&late).answered, Some(moment(25)));
}

#[test]
fn what_was_declined_is_neither_resolved_nor_waiting() {
    let declined = fact(&[opened(), step("closed", "declined", true, 1)]);
    let shown = figures(std::slice::from_ref(&declined));
    assert_eq!((shown.cases.declined, shown.cases.closed, shown.cases.resolved), (1, 1, 0));
    assert_eq!((shown.resolution_seconds.n, shown.resolution_seconds.waiting), (0, 0));
    assert_eq!((shown.first_human_answer_seconds.n, shown.confirmed_by_owner.n, shown.cases.open_now), (1, 0, 0));
    // News that are told afterwards change nothing; coming back does.
    let news = declined.clone().after(&step("closed", "survey_answered", false, 2));
    assert_eq!(figures(&[news]).cases.declined, 1);
    let back = declined.after(&step("in_progress", "reopened", false, 5));
    let shown = figures(&[back]);
    assert_eq!((shown.cases.declined, shown.resolution_seconds.waiting, shown.cases.reopened), (0, 1, 1));
    let decided = figures(&[fact(&[opened(), step("resolved", "declined", true, 9)])]);
    assert_eq!((decided.cases.declined, decided.cases.resolved), (0, 1), "a suggestion is decided upon");
}

#[test]
fn whose_owner_could_not_be_told_was_not_asked_until_it_comes_back() {
    let mut changes = vec![opened(), step("resolved", "decided", true, 60), Change::NotTold { episode: 1 }];
    assert_eq!(figures(&[fact(&changes)]).satisfaction.not_asked, 1);
    changes.push(step("in_progress", "reopened", true, 70));
    assert_eq!(figures(&[fact(&changes)]).satisfaction.not_asked, 0);
    changes.push(step("resolved", "decided", true, 80));
    assert_eq!(figures(&[fact(&changes)]).satisfaction.not_asked, 0, "of the new time nothing is known yet");
}

#[test]
fn a_case_that_comes_back_was_not_resolved_and_is_asked_about_again() {
    let mut changes = vec![opened(), step("resolved", "decided", true, 60)];
    let mut once = fact(&changes);
    assert!(once.is_to_be_asked());
    once.asked_episode = once.episode();
    assert!(!once.is_to_be_asked());
    assert!(!once.clone().after(&step("resolved", "remedy_done", true, 70)).is_to_be_asked());

    let back = once.clone().after(&step("in_progress", "reopened", true, 120));
    let shown = figures(std::slice::from_ref(&back));
    assert_eq!((shown.resolution_seconds.n, shown.resolution_seconds.waiting), (0, 1));
    assert_eq!((shown.cases.resolved, shown.cases.reopened, shown.cases.open_now), (0, 1, 1));
    assert!(back.after(&step("resolved", "decided", true, 180)).is_to_be_asked());

    // A remedy after the decision is work to do, but no new episode.
    changes.push(step("in_progress", "remedy_started", true, 61));
    assert_eq!(fact(&changes).episode(), 1);

    // Its owner need not wait for the end of that work to say that it is not solved.
    changes.push(step("in_progress", "reopened", true, 62));
    assert_eq!(fact(&changes).episode(), 2);
    changes.push(step("in_progress", "reopened", true, 63));
    assert_eq!(fact(&changes).episode(), 2, "it was not over in between");
}

#[test]
fn only_the_owners_last_word_confirms_and_silence_does_not() {
    let settled = [opened(), step("closed", "closed", false, 60)];
    let with = |words: &[Change]| {
        let confirmed = figures(&[fact(&[&settled[..], words].concat())]).confirmed_by_owner;
        (confirmed.n, confirmed.confirmed)
    };
    assert_eq!(with(&[]), (1, 0));
    assert_eq!(with(&[said(true, 50)]), (1, 1));
    assert_eq!(with(&[said(true, 50), said(false, 55)]), (1, 0));
    let back = [said(true, 50), step("in_progress", "reopened", true, 70), step("closed", "closed", true, 80)];
    assert_eq!(with(&back), (1, 0), "the word was about what did not hold");
    // Words and steps come from different services in any order; their times decide.
    let out_of_order = [said(true, 75), step("in_progress", "reopened", true, 70), step("closed", "closed", true, 80)];
    assert_eq!(with(&out_of_order), (1, 1));
}

#[test]
fn what_staff_took_down_is_counted_apart_until_the_owner_says_so_or_contradicts() {
    let taken_down = Change::OwnerSaid(Word { solved: true, at: moment(50).at, taken_down: true });
    let with = |words: &[Change]| {
        let settled = [opened(), step("closed", "closed", false, 60)];
        let confirmed = figures(&[fact(&[&settled[..], words].concat())]).confirmed_by_owner;
        (confirmed.n, confirmed.confirmed, confirmed.taken_down)
    };
    assert_eq!(with(std::slice::from_ref(&taken_down)), (1, 0, 1));
    assert_eq!(with(&[taken_down.clone(), said(true, 70)]), (1, 1, 0));
    assert_eq!(with(&[taken_down, said(false, 70)]), (1, 0, 0));
    let kept: Word = serde_json::from_str(r#"{"solved":true,"at":"2026-11-23T08:00:00Z"}"#).unwrap();
    assert!(!kept.taken_down, "words that were kept without it");
}

#[test]
fn what_is_heard_before_the_opening_is_kept_and_counts_afterwards() {
    let early = fact(&[said(true, 50)]);
    assert!(early.tally().is_empty());
    let late = early.after(&opened()).after(&step("closed", "closed", false, 60));
    assert_eq!(figures(&[late]).confirmed_by_owner.confirmed, 1);
}

#[test]
fn another_urgency_stands_over_what_steps_say_and_may_be_heard_first() {
    let urgent = Change::Prioritised("P1".to_owned());
    let late_step = step("in_progress", "acknowledged", true, 5);
    for changes in [[opened(), urgent.clone(), late_step.clone()], [urgent, opened(), late_step]] {
        let by_priority = figures(&[fact(&changes)]).cases.by_priority;
        assert_eq!((by_priority["P1"], by_priority["P3"]), (1, 0));
    }
}

#[test]
fn closing_the_easy_ones_first_does_not_make_it_look_faster() {
    let easy = fact(&[opened(), step("resolved", "decided", true, 10)]);
    let hard = fact(&[opened()]);
    let honest = figures(&[easy.clone(), hard.clone(), hard]).resolution_seconds;
    assert_eq!((honest.p50, honest.n, honest.waiting), (None, 1, 2));
    assert!(figures(&[easy]).resolution_seconds.p50.is_some());
}

/// Figures of so many cases that none is withheld.
fn enough_of_everything() -> Figures {
    let steps = [step("in_progress", "acknowledged", true, 5), step("closed", "closed", false, 60)];
    let told = fact(&[&[opened(), said(true, 50)], &steps[..]].concat());
    let mut sums = (0..6).fold(Tally::default(), |sum, _| sum.and(&told.tally())).over_all_days();
    sums.add(Measure::Asked, "", 8);
    for measure in [Measure::Outcome, Measure::Handling, Measure::Courtesy] {
        sums.add(measure, "5", 6);
    }
    for (measure, label) in [(Measure::DeadlineMeasure, "met:finish"), (Measure::PromiseTeam, "kept:")] {
        sums.add(measure, label, 6);
    }
    for measure in [Measure::DeadlineElapsed, Measure::DeadlinePaused] {
        sums.add(measure, "", 60);
    }
    Figures::of(&sums, 0)
}

#[test]
fn every_figure_of_the_answer_has_a_definition_and_every_definition_a_figure() {
    let answer = serde_json::to_value(enough_of_everything()).unwrap();
    let mut places = Vec::new();
    for (block, fields) in answer.as_object().unwrap() {
        places.extend(fields.as_object().unwrap().keys().map(|field| format!("{block}.{field}")));
    }
    let mut defined: Vec<&str> = dictionary::ALL.iter().map(|definition| definition.id).collect();
    places.sort();
    defined.sort_unstable();
    assert_eq!(places, defined);
}

#[test]
fn every_text_of_the_dictionary_is_there_in_each_language() {
    let has_characters = |text: &str| text.chars().any(|sign| ('\u{4e00}'..='\u{9fff}').contains(&sign));
    for definition in dictionary::ALL {
        for words in [definition.name, definition.formula, definition.population, definition.clock] {
            assert!(has_characters(words.in_language(Language::ZhHans)), "{}", definition.id);
            assert!(has_characters(words.in_language(Language::ZhHant)), "{}", definition.id);
            let english = words.in_language(Language::En);
            assert!(!english.is_empty() && !has_characters(english), "{}", definition.id);
        }
    }
}

#[test]
fn a_day_is_the_estates_not_greenwichs() {
    let evening: DateTime<Utc> = "2026-11-23T16:30:00Z".parse().unwrap();
    assert_eq!(day(evening, HOME).to_string(), "2026-11-24");
    assert_eq!(crate::domain::zone("Nowhere/Land"), HOME);
}

fn any_change() -> impl Strategy<Value = Change> {
    let statuses = ["received", "in_progress", "awaiting_owner", "resolved", "closed", "cancelled", "a_new_word"];
    let milestones = ["received", "acknowledged", "decided", "reopened", "rework", "confirmed", "closed"];
    let progress = (0..statuses.len(), 0..milestones.len(), any::<bool>(), 0_i64..5000, any::<bool>(), 0_usize..3);
    prop_oneof![
        1 => Just(opened()),
        6 => progress.prop_map(move |(status, milestone, human, minutes, resident_known, kind)| {
            let mut change = step(statuses[status], milestones[milestone], human, minutes);
            if let Change::Progressed(progress) = &mut change {
                progress.resident_known = resident_known;
                progress.kind = ["complaint", "inquiry", "service_request"][kind].to_owned();
            }
            change
        }),
        1 => (0_i64..5000).prop_map(|minutes| Change::Cancelled { on: moment(minutes).on }),
        1 => (any::<bool>(), 0_i64..5000).prop_map(|(solved, minutes)| said(solved, minutes)),
        1 => (1..=4_u8).prop_map(|priority| Change::Prioritised(format!("P{priority}"))),
    ]
}

proptest! {
    /// Adding differences as changes come gives what a recount of all cases gives, and no sum is ever below none.
    #[test]
    fn day_sums_equal_a_recount(histories in vec(vec(any_change(), 0..12), 1..8)) {
        let mut sums = Tally::default();
        let mut facts = Vec::new();
        for history in &histories {
            let mut fact = CaseFact::default();
            for change in history {
                let after = fact.clone().after(change);
                sums = sums.and(&after.tally().since(&fact.tally()));
                prop_assert!(sums.iter().all(|(_, n)| n > 0));
                fact = after;
            }
            facts.push(fact);
        }
        let recount = facts.iter().fold(Tally::default(), |sum, fact| sum.and(&fact.tally()));
        prop_assert_eq!(&sums, &recount);
    }

    /// The parts of a whole add up to it, whatever happened.
    #[test]
    fn figures_agree_with_each_other(histories in vec(vec(any_change(), 0..12), 1..8)) {
        let facts: Vec<CaseFact> = histories.iter().map(|history| fact(history)).collect();
        let known = facts.iter().filter(|fact| fact.opened.is_some()).count() as u64;
        let Figures { cases, resolution_seconds, first_human_answer_seconds, confirmed_by_owner, .. } = figures(&facts);
        prop_assert_eq!(cases.opened, known);
        for parts in [&cases.by_kind, &cases.by_status, &cases.by_priority] {
            prop_assert_eq!(parts.values().sum::<u64>(), known);
        }
        prop_assert_eq!(resolution_seconds.n, cases.resolved);
        prop_assert_eq!(resolution_seconds.n + resolution_seconds.waiting + cases.cancelled, known);
        prop_assert!(first_human_answer_seconds.n + first_human_answer_seconds.waiting <= known);
        prop_assert!(confirmed_by_owner.confirmed <= confirmed_by_owner.n && confirmed_by_owner.n <= cases.resolved);
        prop_assert_eq!(cases.open_now + cases.resolved + cases.cancelled, known);
    }

    #[test]
    fn facts_survive_storage(history in vec(any_change(), 0..12)) {
        let fact = fact(&history);
        prop_assert_eq!(serde_json::from_value::<CaseFact>(serde_json::to_value(&fact).unwrap()).unwrap(), fact);
    }
}

#[test]
fn scores_come_with_rate_and_interval_or_not_at_all() {
    let answered = |times: i64| {
        let mut sums = Sums::default();
        sums.add(Measure::Asked, "", 8);
        for measure in [Measure::Outcome, Measure::Handling, Measure::Courtesy] {
            sums.add(measure, "5", times - 1);
            sums.add(measure, "2", 1);
        }
        Figures::of(&sums, 0)
    };
    let few = answered(4);
    assert!(few.is_withholding());
    assert_eq!((few.satisfaction.n, few.satisfaction.response_rate), (4, Some(0.5)));
    assert_eq!((few.satisfaction.outcome.mean, &few.satisfaction.ratings), (None, &None));
    let enough = answered(6).satisfaction;
    assert_eq!((enough.outcome.mean, enough.response_rate), (Some(4.5), Some(0.75)));
    assert!(enough.outcome.wilson_low < enough.outcome.satisfied_share);
    assert!(enough.handling.wilson_high > enough.handling.satisfied_share);
}

#[test]
fn keys_are_in_the_order_in_which_rows_are_locked() {
    let mut tally = Tally::default();
    tally.one(moment(3000).on, Measure::Closed, "");
    tally.one(moment(0).on, Measure::Opened, "inquiry");
    let keys: Vec<&Key> = tally.iter().map(|(key, _)| key).collect();
    assert!(keys.is_sorted());
}
