//! Clocks at their edges.

use chrono::{DateTime, TimeDelta, Utc};
use steward_clock::{
    Clock, ClockEvent,
    clock::{Change, ClockState},
    explain::{Cause, explain},
    span::NEVER,
};
use uuid::Uuid;

use crate::common::{HOUR, MINUTE, Place, at, day_and_night, local, office, pause, paused, resumed, stopped, struck};

fn nine_to_five() -> Place {
    Place::of(office(&[("09:00", "17:00")]))
}

#[test]
fn a_clock_is_breached_once_its_last_second_has_passed() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "1h")];
    let last = place.read(&events, "2026-11-23 10:00:00");
    assert_eq!((last.share, last.remaining(), last.breached_at), (100, 0, None));
    let due = at("2026-11-23 10:00").timestamp();
    assert_eq!(place.read(&events, "2026-11-23 10:00:01").breached_at, Some(due));
    let in_time = [events[0].clone(), stopped("2026-11-23 10:00:00")];
    assert_eq!(place.read(&in_time, "2026-11-25 10:00").breached_at, None);
    let late = [events[0].clone(), stopped("2026-11-23 10:00:01")];
    assert_eq!(place.read(&late, "2026-11-25 10:00").breached_at, Some(due));
}

#[test]
fn a_share_goes_on_beyond_all_of_it_as_the_ladder_climbs() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "2h")];
    let clock = Clock::of(&events);
    let due = clock.due_at(&place.timetable);
    assert_eq!(local(clock.share_at(&place.timetable, 150)), "2026-11-23 12:00");
    assert_eq!(local(clock.share_at(&place.timetable, 450)), "2026-11-24 10:00");
    assert_eq!(place.read(&events, "2026-11-23 12:00").share, 150);
    assert_eq!(place.read(&events, "2026-11-23 11:59:59").share, 149);
    assert_eq!(local(clock.overdue_at(&place.timetable, 7 * HOUR)), "2026-11-24 10:00");
    assert_eq!(clock.overdue_at(&place.timetable, 0), due);
}

#[test]
fn nothing_is_read_of_a_clock_that_was_not_started() {
    let clock = Clock::of(&[paused(1, "2026-11-23 10:00"), stopped("2026-11-23 11:00")]);
    let place = nine_to_five();
    assert_eq!(clock.read(&place.timetable, at("2026-11-23 12:00")), None);
    assert_eq!((clock.due_at(&place.timetable), clock.left_at(&place.timetable, 1)), (NEVER, NEVER));
    assert_eq!(clock.overdue_at(&place.timetable, 1), NEVER);
    assert_eq!(explain(&clock, &place.timetable, at("2026-11-23 12:00")), []);
}

#[test]
fn before_its_start_nothing_has_counted() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "1h")];
    let reading = place.read(&events, "2026-11-20 10:00");
    assert_eq!((reading.elapsed, reading.paused, reading.share, reading.breached_at), (0, 0, 0, None));
    let early = [events[0].clone(), stopped("2026-11-20 10:00")];
    let reading = place.read(&early, "2026-11-25 10:00");
    assert_eq!((reading.state, reading.elapsed, reading.breached_at), (ClockState::Stopped, 0, None));
    assert_eq!(explain(&Clock::of(&early), &place.timetable, at("2026-11-25 10:00")), []);
}

#[test]
fn the_first_stop_counts_in_whatever_order_they_come() {
    let place = nine_to_five();
    let started = place.started("2026-11-23 09:00", "4h");
    let (early, late) = (stopped("2026-11-23 10:00"), stopped("2026-11-23 12:00"));
    let one = Clock::of(&[started.clone(), early.clone(), late.clone()]);
    assert_eq!(one, Clock::of(&[started, late, early]));
    assert_eq!(one.stopped_at, Some(at("2026-11-23 10:00")));
}

#[test]
fn a_pause_from_before_the_start_takes_out_what_lies_after_it() {
    let place = nine_to_five();
    let events =
        [place.started("2026-11-23 10:00", "2h"), paused(1, "2026-11-23 09:00"), resumed(1, "2026-11-23 11:00")];
    let reading = place.read(&events, "2026-11-23 12:00");
    assert_eq!((reading.elapsed, reading.paused), (HOUR, HOUR));
    assert_eq!(place.due(&events), "2026-11-23 13:00");
}

#[test]
fn a_pause_that_was_struck_never_was() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "2h"), paused(1, "2026-11-23 10:00")];
    assert_eq!(Clock::of(&events).due_at(&place.timetable), NEVER);
    let upheld = [events.as_slice(), &[struck(1)]].concat();
    let reading = place.read(&upheld, "2026-11-23 12:00");
    assert_eq!((reading.state, reading.elapsed, reading.paused), (ClockState::Running, 3 * HOUR, 0));
    assert_eq!(reading.breached_at, Some(at("2026-11-23 11:00").timestamp()));
    assert_eq!(Clock::of(&upheld).pause_at(at("2026-11-23 12:00")), None);
}

#[test]
fn what_is_due_when_a_pause_begins_is_due_then() {
    let place = nine_to_five();
    let events =
        [place.started("2026-11-23 09:00", "1h"), paused(1, "2026-11-23 10:00"), resumed(1, "2026-11-23 11:00")];
    assert_eq!(place.due(&events), "2026-11-23 10:00");
    assert_eq!(place.read(&events, "2026-11-23 10:30").breached_at, Some(at("2026-11-23 10:00").timestamp()));
}

#[test]
fn pauses_that_begin_together_stand_in_one_order() {
    let place = nine_to_five();
    let started = place.started("2026-11-23 09:00", "4h");
    let (one, two) = (paused(1, "2026-11-23 10:00"), paused(2, "2026-11-23 10:00"));
    assert_eq!(Clock::of(&[started.clone(), one.clone(), two.clone()]), Clock::of(&[started, two, one]));
}

#[test]
fn of_two_targets_of_one_instant_the_last_one_counts_and_the_other_never_did() {
    let place = nine_to_five();
    let (start, when) = ("2026-11-23 09:00", "2026-11-23 12:00");
    let to = |within| place.retargeted(start, when, Change::Priority, place.target(within));
    assert_eq!(place.due(&[place.started(start, "8h"), to("7h"), to("6h")]), "2026-11-23 15:00");
    // What was overdue before and is after stays due when it was, whatever stood for no time between.
    assert_eq!(place.due(&[place.started(start, "1h"), to("7h"), to("1h")]), "2026-11-23 10:00");
    assert_eq!(place.read(&[place.started(start, "8h"), to("1h"), to("7h")], "2026-11-23 15:00").breached_at, None);
}

#[test]
fn one_cause_may_pause_twice_and_each_end_ends_what_lasts() {
    let place = nine_to_five();
    let events = [
        place.started("2026-11-23 09:00", "4h"),
        paused(1, "2026-11-23 10:00"),
        resumed(1, "2026-11-23 11:00"),
        paused(1, "2026-11-23 12:00"),
        resumed(1, "2026-11-23 13:00"),
        resumed(1, "2026-11-23 14:00"),
    ];
    assert_eq!(place.read(&events, "2026-11-23 17:00").paused, 2 * HOUR);
    let upheld = [events.as_slice(), &[struck(1)]].concat();
    assert_eq!(place.read(&upheld, "2026-11-23 17:00").paused, 0);
}

#[test]
fn a_pause_ends_with_the_clock_and_a_resumption_before_it_takes_out_nothing() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "4h"), paused(1, "2026-11-23 10:00"), stopped("2026-11-23 11:00")];
    let clock = Clock::of(&events);
    assert_eq!(clock.pause_at(at("2026-11-23 12:00")), None);
    assert_eq!(local(clock.due_at(&place.timetable)), "2026-11-23 14:00");
    let back = [place.started("2026-11-23 09:00", "4h"), paused(1, "2026-11-23 10:00"), resumed(1, "2026-11-23 09:30")];
    assert_eq!(place.due(&back), "2026-11-23 13:00");
}

#[test]
fn only_a_pause_with_a_cap_ends_by_itself() {
    let mut lasting = pause(1, "2026-11-23 10:00", "parts");
    assert!(!lasting.ends_by_itself());
    lasting.cap_seconds = Some(3600);
    assert!(lasting.ends_by_itself());
    lasting.to = Some(at("2026-11-23 10:30"));
    assert!(!lasting.ends_by_itself());
    lasting.to = Some(at("2026-11-23 12:00"));
    assert!(lasting.ends_by_itself());
}

#[test]
fn a_target_that_finds_its_time_used_up_is_due_when_it_begins() {
    let place = nine_to_five();
    let start = "2026-11-23 09:00";
    let raised = place.retargeted(start, "2026-11-23 14:00", Change::Priority, place.target("1h"));
    let events = [place.started(start, "8h"), raised];
    assert_eq!(place.due(&events), "2026-11-23 14:00");
    assert_eq!(place.read(&events, "2026-11-23 15:00").breached_at, Some(at("2026-11-23 14:00").timestamp()));
}

#[test]
fn what_was_overdue_stays_due_when_it_was() {
    let place = nine_to_five();
    let start = "2026-11-23 09:00";
    let same = place.retargeted(start, "2026-11-23 14:00", Change::Policy, place.target("1h"));
    let events = [place.started(start, "1h"), same];
    assert_eq!(place.due(&events), "2026-11-23 10:00");
    assert_eq!(local(Clock::of(&events).overdue_at(&place.timetable, HOUR)), "2026-11-23 11:00");
    // A longer one is due later, but what was breached stays breached.
    let longer = place.retargeted(start, "2026-11-23 14:00", Change::Priority, place.target("7h"));
    let events = [place.started(start, "1h"), longer];
    assert_eq!(place.due(&events), "2026-11-23 16:00");
    assert_eq!(place.read(&events, "2026-11-23 14:30").breached_at, Some(at("2026-11-23 10:00").timestamp()));
}

#[test]
fn a_target_from_before_the_start_stands_from_the_start_on() {
    let place = nine_to_five();
    let start = "2026-11-23 09:00";
    for when in ["2026-11-20 09:00", start] {
        let events = [place.started(start, "1h"), place.retargeted(start, when, Change::Priority, place.target("3h"))];
        assert_eq!(place.due(&events), "2026-11-23 12:00");
        assert_eq!(place.read(&events, "2026-11-23 11:00").breached_at, None);
        let stretches = explain(&Clock::of(&events), &place.timetable, at("2026-11-23 11:00"));
        assert_eq!(stretches.iter().map(|stretch| stretch.segment).collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn a_start_that_is_told_again_keeps_the_targets() {
    let place = nine_to_five();
    let start = "2026-11-23 10:00";
    let raised = place.retargeted(start, "2026-11-23 12:00", Change::Priority, place.target("4h"));
    let clock = Clock::of(&[place.started("2026-11-23 09:00", "8h"), raised, place.started(start, "8h")]);
    assert_eq!(clock.segments.len(), 2);
    assert_eq!(clock.started_at(), Some(at(start)));
    assert_eq!(local(clock.due_at(&place.timetable)), "2026-11-23 14:00");
}

#[test]
fn a_time_that_was_agreed_upon_is_due_then_whatever_has_counted() {
    let place = nine_to_five();
    let start = "2026-11-20 16:00";
    let until = day_and_night("until 2026-11-24T14:00:00+08:00");
    let agreed = place.retargeted(start, "2026-11-23 10:00", Change::Appointment, until.clone());
    let events = vec![place.started(start, "16h"), agreed.clone()];
    assert_eq!(place.due(&events), "2026-11-24 14:00");
    // Two hours had counted; 28 hours on the wall were left.
    let reading = place.read(&events, "2026-11-24 13:00");
    assert_eq!((reading.elapsed, reading.budget, reading.remaining()), (29 * HOUR, 30 * HOUR, HOUR));
    // Pauses before it do not move it, nor does one that lasts and ends in time, nor that one is struck.
    let before = [paused(1, "2026-11-20 16:30"), resumed(1, "2026-11-23 09:30")];
    assert_eq!(place.due(&[&before, events.as_slice()].concat()), "2026-11-24 14:00");
    let lasting = [paused(2, "2026-11-23 09:30"), resumed(2, "2026-11-23 16:00")];
    assert_eq!(place.due(&[&lasting, events.as_slice()].concat()), "2026-11-24 14:00");
    assert_eq!(place.due(&[&lasting, events.as_slice(), &[struck(2)]].concat()), "2026-11-24 14:00");
    // One that outlasts it does, and one that begins later.
    let longer = [paused(3, "2026-11-23 09:30"), resumed(3, "2026-11-25 16:00")];
    assert_eq!(place.due(&[&longer, events.as_slice()].concat()), "2026-11-25 16:00");
    let later = [paused(4, "2026-11-24 12:00"), resumed(4, "2026-11-24 13:00")];
    assert_eq!(place.due(&[&later, events.as_slice()].concat()), "2026-11-24 15:00");
    let together = [paused(5, "2026-11-23 10:00"), resumed(5, "2026-11-23 11:00")];
    assert_eq!(place.due(&[&together, events.as_slice()].concat()), "2026-11-24 15:00");
    // As a first target it is measured from the start.
    assert_eq!(place.due(&[place.started_with("2026-11-23 10:00", until.clone())]), "2026-11-24 14:00");
    assert_eq!(place.due(&[place.started_with("2026-11-24 15:00", until)]), "2026-11-24 15:00");
}

#[test]
fn the_limit_on_the_wall_binds_when_it_is_earlier() {
    let place = nine_to_five();
    let mut target = place.target("1bd");
    target.at_most_seconds = Some(24 * 3600);
    // On Friday the day and night are over before Monday's close.
    let friday = [place.started_with("2026-11-20 10:00", target.clone())];
    assert_eq!(place.due(&friday), "2026-11-21 10:00");
    assert_eq!(place.read(&friday, "2026-11-20 22:00").share, 50);
    assert_eq!(local(Clock::of(&friday).left_at(&place.timetable, 2 * HOUR)), "2026-11-21 08:00");
    // A limit that has passed when it is set is reached then.
    let late = place.retargeted("2026-11-20 10:00", "2026-11-23 10:00", Change::Policy, target.clone());
    assert_eq!(place.due(&[place.started("2026-11-20 10:00", "16h"), late]), "2026-11-23 10:00");
    target.at_most_seconds = Some(100 * 3600);
    assert_eq!(place.due(&[place.started_with("2026-11-20 10:00", target)]), "2026-11-23 17:00");
}

#[test]
fn a_clock_that_gives_nothing_is_due_at_once() {
    let place = nine_to_five();
    let target = place.target("1h");
    let events = [ClockEvent::Started { at: at("2026-11-23 09:00"), target, budget: 0 }];
    assert_eq!(place.due(&events), "2026-11-23 09:00");
    let reading = place.read(&events, "2026-11-23 09:30");
    assert_eq!((reading.share, reading.elapsed), (100, 30 * MINUTE));
    assert_eq!(reading.breached_at, Some(at("2026-11-23 09:00").timestamp()));
}

#[test]
fn no_time_is_too_large() {
    let place = nine_to_five();
    for start in [DateTime::<Utc>::MIN_UTC, DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC] {
        for (target, budget) in [(place.target("1h"), i64::MAX), (day_and_night("1h"), i64::MAX / 2)] {
            let started = ClockEvent::Started { at: start, target: target.clone(), budget };
            let lasting = ClockEvent::Paused(pause(1, "2026-11-23 10:00", "parts"));
            let again = ClockEvent::Retargeted { at: at("2026-11-24 10:00"), change: Change::Policy, target, budget };
            let clock = Clock::of(&[started, lasting, again]);
            for now in [DateTime::<Utc>::MIN_UTC, at("2026-11-25 10:00"), DateTime::<Utc>::MAX_UTC] {
                clock.read(&place.timetable, now).expect("it was started");
            }
            // The later the share, the later the time, even where there is none.
            let shares = [0, 100, u16::MAX].map(|percent| clock.share_at(&place.timetable, percent));
            assert!(shares.is_sorted());
            assert!(clock.left_at(&place.timetable, i64::MAX) <= clock.due_at(&place.timetable));
            assert!(clock.overdue_at(&place.timetable, i64::MAX) >= clock.due_at(&place.timetable));
        }
    }
}

#[test]
fn an_explanation_names_each_rule_and_the_pause_that_began_first() {
    let place = Place::of(office(&[("09:00", "12:00"), ("13:30", "17:00")]));
    let events = [
        place.started("2026-09-24 16:00", "8h"),
        paused(1, "2026-09-24 16:30"),
        ClockEvent::Paused(pause(2, "2026-09-28 09:30", "access")),
        resumed(1, "2026-09-28 10:00"),
        resumed(2, "2026-09-28 11:00"),
        place.retargeted("2026-09-24 16:00", "2026-09-28 11:15", Change::Priority, place.target("9h")),
        place.retargeted("2026-09-24 16:00", "2026-09-28 11:30", Change::Priority, day_and_night("4d")),
        stopped("2026-09-28 12:30"),
    ];
    let told = explain(&Clock::of(&events), &place.timetable, at("2026-10-10 10:00"));
    let lines: Vec<String> = told
        .iter()
        .map(|stretch| {
            let cause = match &stretch.cause {
                Cause::Open { day, .. } => format!("open {}", serde_json::to_value(day).expect("json")["rule"]),
                Cause::Closed { day, .. } => format!("closed {}", serde_json::to_value(day).expect("json")["rule"]),
                Cause::Paused { pause_id, reason } => format!("{reason} {}", pause_id.as_u128()),
            };
            let (from, to) = (local(stretch.from.timestamp()), local(stretch.to.timestamp()));
            format!("{} {} {cause} {} {}", &from[5..], &to[5..], stretch.segment, stretch.counted)
        })
        .collect();
    let expected = [
        "09-24 16:00 09-24 16:30 open \"week\" 0 true",
        "09-24 16:30 09-24 17:00 parts 1 0 false",
        "09-24 17:00 09-25 00:00 closed \"week\" 0 false",
        "09-25 00:00 09-28 00:00 closed \"public_holiday\" 0 false",
        "09-28 00:00 09-28 09:00 closed \"week\" 0 false",
        "09-28 09:00 09-28 10:00 parts 1 0 false",
        "09-28 10:00 09-28 11:00 access 2 0 false",
        "09-28 11:00 09-28 11:15 open \"week\" 0 true",
        "09-28 11:15 09-28 11:30 open \"week\" 1 true",
        "09-28 11:30 09-28 12:30 open \"always\" 2 true",
    ];
    assert_eq!(lines, expected);
    assert_eq!(told[1].cause, Cause::Paused { pause_id: Uuid::from_u128(1), reason: "parts".to_owned() });
}

#[test]
fn an_explanation_of_far_years_is_provisional_and_finite() {
    let place = nine_to_five();
    let clock = Clock::of(&[place.started("2026-12-31 16:00", "2h")]);
    let told = explain(&clock, &place.timetable, at("2027-01-04 10:00"));
    let provisional = told.iter().map(|stretch| match stretch.cause {
        Cause::Open { provisional, .. } | Cause::Closed { provisional, .. } => provisional,
        Cause::Paused { .. } => false,
    });
    assert_eq!(provisional.collect::<Vec<_>>(), [false, false, true, true, true, true]);
    let decades = explain(&clock, &place.timetable, at("2026-12-31 16:00") + TimeDelta::days(365 * 60));
    assert_eq!(decades.last().map(|stretch| stretch.counted), Some(false));
}
