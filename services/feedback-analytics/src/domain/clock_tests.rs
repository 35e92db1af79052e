use chrono::Days;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::domain::{
    metrics::Figures,
    timekeeping::{Deadlines, Punctuality},
};

fn on(day: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + Days::new(day)
}

fn about() -> About {
    About { measure: "finish".to_owned(), priority: "P3".to_owned(), party: COMPANY.to_owned(), late_entry: false }
}

fn breached(day: u64) -> Change {
    Change::Breached(Breach { about: about(), on: on(day) })
}

fn stopped(outcome: &str, day: u64) -> Change {
    Change::Stopped(Stop {
        about: about(),
        on: on(day),
        outcome: outcome.to_owned(),
        elapsed_seconds: 900,
        paused_seconds: 100,
        overdue: None,
    })
}

fn late(mut change: Change) -> Change {
    match &mut change {
        Change::Breached(Breach { about, .. }) | Change::Stopped(Stop { about, .. }) => about.late_entry = true,
    }
    change
}

fn fact(changes: &[Change]) -> ClockFact {
    changes.iter().fold(ClockFact::default(), ClockFact::after)
}

fn recount(facts: &[ClockFact]) -> Tally {
    facts.iter().fold(Tally::default(), |sum, fact| sum.and(&fact.tally()))
}

fn deadlines(facts: &[ClockFact]) -> Deadlines {
    Figures::of(&recount(facts).over_all_days(), 0).deadlines
}

/// Met, missed, void.
fn outcomes(changes: &[Change]) -> (u64, u64, u64) {
    let Punctuality { met, missed, void, .. } = deadlines(&[fact(changes)]).all;
    (met, missed, void)
}

fn days(changes: &[Change]) -> Vec<NaiveDate> {
    let mut days: Vec<_> = fact(changes)
        .tally()
        .iter()
        .filter(|(key, _)| key.measure == Measure::DeadlineMeasure)
        .map(|(key, _)| key.on)
        .collect();
    days.dedup();
    days
}

#[test]
fn an_overdue_clock_counts_as_missed_while_it_runs_and_its_stop_does_not_count_it_again() {
    let running = [breached(0)];
    let ended = [breached(0), stopped(MISSED, 3)];
    assert_eq!(outcomes(&running), (0, 1, 0));
    assert_eq!(outcomes(&ended), (0, 1, 0));
    assert_eq!((days(&running), days(&ended)), (vec![on(0)], vec![on(0)]), "the day the due time passed");
    assert_eq!(days(&[stopped(MISSED, 3)]), [on(3)], "a breach that was never told");
}

#[test]
fn the_stop_has_the_last_word_when_time_was_given_back() {
    assert_eq!(outcomes(&[breached(0), stopped(MET, 2)]), (1, 0, 0));
    assert_eq!(days(&[breached(0), stopped(MET, 2)]), [on(2)]);
    assert_eq!(outcomes(&[breached(0), stopped(VOID, 2)]), (0, 0, 1));
    assert_eq!(outcomes(&[stopped(VOID, 2)]), (0, 0, 1));
    // Word of it came late, or an objection was upheld: told again, the last word stands.
    assert_eq!(outcomes(&[breached(0), stopped(MISSED, 2), stopped(MET, 1)]), (1, 0, 0));
    assert_eq!(outcomes(&[stopped(MET, 2), breached(1), stopped(MISSED, 2)]), (0, 1, 0));
    // Given back, and run out again: the miss belongs to the second time.
    assert_eq!(days(&[breached(0), breached(2), stopped(MISSED, 4)]), [on(2)]);
}

#[test]
fn what_is_given_up_when_it_is_overdue_is_seen() {
    let given_up = |changes: &[Change]| deadlines(&[fact(changes)]).void_overdue;
    assert_eq!(given_up(&[breached(0), stopped(VOID, 2)]), 1);
    assert_eq!(given_up(&[stopped(VOID, 2)]), 0);
    assert_eq!(given_up(&[breached(0), stopped(MET, 2)]), 0);
    assert_eq!(given_up(&[late(breached(0)), late(stopped(VOID, 2))]), 0);
}

#[test]
fn what_had_time_left_when_it_was_given_up_is_not_seen_as_overdue() {
    let given_up = |overdue| {
        let mut end = stopped(VOID, 2);
        if let Change::Stopped(stop) = &mut end {
            stop.overdue = Some(overdue);
        }
        // In whatever order they are heard.
        let counted = |changes: &[Change]| deadlines(&[fact(changes)]).void_overdue;
        (counted(&[breached(0), end.clone()]), counted(&[end, breached(0)]))
    };
    assert_eq!((given_up(true), given_up(false)), ((1, 1), (0, 0)));
}

#[test]
fn what_was_overdue_when_it_was_entered_is_counted_apart() {
    // What was given more time in the end belongs to the day on which it stopped, like any other.
    for (changes, counted_on) in [
        (vec![late(breached(0))], 0),
        (vec![late(breached(0)), late(stopped(MISSED, 2))], 0),
        (vec![late(breached(0)), late(stopped(VOID, 2))], 2),
        (vec![late(stopped(MET, 2)), late(breached(0))], 2),
    ] {
        let Deadlines { all, late_entries, by_party, .. } = deadlines(&[fact(&changes)]);
        assert_eq!((all.met, all.missed, all.void, late_entries), (0, 0, 0, 1));
        assert_eq!(by_party[COMPANY].missed, 0);
        let tally = fact(&changes).tally();
        let day = tally.iter().find(|(key, _)| key.measure == Measure::DeadlineLate).map(|(key, _)| key.on);
        assert_eq!(day, Some(on(counted_on)), "{changes:?}");
    }
}

#[test]
fn the_share_of_pauses_is_of_the_companys_stopped_clocks() {
    let mut departments = stopped(MET, 0);
    if let Change::Stopped(stop) = &mut departments {
        stop.about.party = "department".to_owned();
        stop.paused_seconds = 9_000;
    }
    let facts = [fact(&[departments]), fact(&[stopped(MET, 0)]), fact(&[stopped(VOID, 1)]), fact(&[breached(0)])];
    let shown = deadlines(&facts);
    assert_eq!((shown.elapsed_seconds, shown.paused_seconds, shown.paused_share), (1_800, 200, Some(0.1)));
    assert_eq!(deadlines(&facts[..1]).paused_share, None, "there is no time of the company's yet");
}

#[test]
fn shares_come_with_their_interval_from_five_on_and_for_each_part() {
    let mut facts = vec![fact(&[stopped(MET, 0)]); 4];
    assert_eq!(deadlines(&facts).all.met_share, None);
    assert_eq!(deadlines(&facts).by_measure["finish"].wilson_low, None);
    facts.push(fact(&[stopped(VOID, 0)]));
    assert_eq!(deadlines(&facts).all.met_share, None, "what was called off is no observation");
    facts.push(fact(&[breached(0)]));
    let shown = deadlines(&facts);
    assert_eq!(
        (shown.all.met_share, shown.all.wilson_low, shown.all.wilson_high),
        (Some(0.8), Some(0.3755), Some(0.9638))
    );
    assert_eq!(shown.by_measure["finish"], shown.all);
    assert_eq!(shown.by_priority["P3"], shown.all);
    assert_eq!(shown.by_party[COMPANY], shown.all);
    assert_eq!((shown.by_measure.len(), shown.by_priority.len(), shown.by_party.len()), (7, 4, 3));
    assert_eq!(shown.by_party["contractor"].met, 0);
}

fn any_about() -> impl Strategy<Value = About> {
    let measures = ["acknowledge", "finish", "a_new_word"];
    (0..measures.len(), 1..=4_u8, 0..3_usize, prop::bool::weighted(0.2)).prop_map(
        move |(measure, priority, party, late_entry)| About {
            measure: measures[measure].to_owned(),
            priority: format!("P{priority}"),
            party: [COMPANY, "department", "contractor"][party].to_owned(),
            late_entry,
        },
    )
}

fn any_change() -> impl Strategy<Value = Change> {
    let outcomes = [MET, MISSED, VOID];
    prop_oneof![
        (any_about(), 0_u64..5).prop_map(|(about, day)| Change::Breached(Breach { about, on: on(day) })),
        (any_about(), 0_u64..5, 0..outcomes.len(), 0_i64..5_000, 0_i64..5_000).prop_map(
            move |(about, day, outcome, elapsed_seconds, paused_seconds)| Change::Stopped(Stop {
                about,
                on: on(day),
                outcome: outcomes[outcome].to_owned(),
                elapsed_seconds,
                paused_seconds,
                overdue: None,
            })
        ),
    ]
}

proptest! {
    /// Adding differences as messages come, of several clocks among each other and some of them twice, gives what a
    /// recount of all clocks gives, and no sum is ever below none.
    #[test]
    fn day_sums_equal_a_recount(heard in vec((0_usize..6, any_change(), any::<bool>()), 0..40)) {
        let (mut sums, mut facts) = (Tally::default(), vec![ClockFact::default(); 6]);
        for (clock, change, twice) in &heard {
            for _ in 0..=usize::from(*twice) {
                let after = facts[*clock].clone().after(change);
                sums = sums.and(&after.tally().since(&facts[*clock].tally()));
                prop_assert!(sums.iter().all(|(_, n)| n > 0));
                facts[*clock] = after;
            }
        }
        prop_assert_eq!(&sums, &recount(&facts));
    }

    /// Breach and stop are the same in either order, so nothing depends on which is heard first.
    #[test]
    fn the_order_of_breach_and_stop_does_not_matter(one in any_change(), other in any_change()) {
        prop_assume!(std::mem::discriminant(&one) != std::mem::discriminant(&other));
        prop_assert_eq!(fact(&[one.clone(), other.clone()]), fact(&[other, one]));
    }

    /// Every clock that was heard of is counted once, and the parts of a whole add up to it.
    #[test]
    fn a_clock_counts_once_and_figures_agree(histories in vec(vec(any_change(), 0..5), 0..12)) {
        let facts: Vec<ClockFact> = histories.iter().map(|history| fact(history)).collect();
        let known = histories.iter().filter(|history| !history.is_empty()).count() as u64;
        let Deadlines { all, late_entries, by_measure, by_priority, by_party, .. } = deadlines(&facts);
        prop_assert_eq!(all.met + all.missed + all.void + late_entries, known);
        for parts in [&by_measure, &by_priority, &by_party] {
            let sum = |of: fn(&Punctuality) -> u64| parts.values().map(of).sum::<u64>();
            prop_assert_eq!(
                (sum(|part| part.met), sum(|part| part.missed), sum(|part| part.void)),
                (all.met, all.missed, all.void)
            );
        }
    }

    #[test]
    fn facts_survive_storage(history in vec(any_change(), 0..5)) {
        let fact = fact(&history);
        prop_assert_eq!(serde_json::from_value::<ClockFact>(serde_json::to_value(&fact).unwrap()).unwrap(), fact);
    }
}
