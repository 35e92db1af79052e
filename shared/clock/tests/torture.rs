//! The clock torture suite of reference/domain.md §6: what went wrong in other systems, as far as a library of clocks can get it right. What needs a
//! case, its people and its messages is tested in intake.

use std::{collections::BTreeSet, sync::Arc};

use chrono::FixedOffset;
use serde_json::json;
use steward_clock::{
    Clock, ClockEvent, Measure, Party, Policies, Policy, Timetable,
    clock::{Change, ClockState},
    explain::sentence,
    policy::{Matter, When},
    span::NEVER,
};
use steward_kernel::vocabulary::{CaseKind, Language, Priority};

use crate::common::{HOUR, MINUTE, Place, at, day_and_night, local, office, pause, paused, pin, resumed, stopped};

fn nine_to_five() -> Place {
    Place::of(office(&[("09:00", "17:00")]))
}

/// 1. frappe/erpnext#49414 (review)
#[test]
fn a_hold_from_close_to_open_adds_nothing() {
    let place = nine_to_five();
    let started = place.started("2026-11-23 15:00", "4h");
    let free = place.due(std::slice::from_ref(&started));
    let held = [started, paused(1, "2026-11-23 17:00"), resumed(1, "2026-11-24 09:00")];
    assert_eq!(free, "2026-11-24 11:00");
    assert_eq!(place.due(&held), free);
    assert_eq!(place.read(&held, "2026-11-24 10:00").paused, 0);
}

/// 2. frappe/helpdesk#3776
#[test]
fn what_is_stopped_while_it_is_paused_was_paused_until_then() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "4h"), paused(1, "2026-11-23 10:00"), stopped("2026-11-23 12:00")];
    let reading = place.read(&events, "2026-11-25 12:00");
    assert_eq!(reading.state, ClockState::Stopped);
    assert_eq!((reading.elapsed, reading.paused), (HOUR, 2 * HOUR));
    assert_eq!((reading.breached_at, reading.paused_until), (None, None));
}

/// 3. frappe/helpdesk#2449
#[test]
fn what_is_opened_and_held_on_a_holiday_starts_after_both() {
    let place = nine_to_five();
    // The National Day holidays of 2026 end on Wednesday, 7 October.
    let started = place.started("2026-10-01 11:00", "2h");
    assert_eq!(place.due(std::slice::from_ref(&started)), "2026-10-08 11:00");
    let held = [started, paused(1, "2026-10-01 12:00"), resumed(1, "2026-10-08 10:00")];
    assert_eq!(place.due(&held), "2026-10-08 12:00");
    let reading = place.read(&held, "2026-10-08 11:00");
    assert_eq!((reading.elapsed, reading.paused), (HOUR, HOUR));
}

/// 4. chatwoot/chatwoot#13392
#[test]
fn an_hour_from_half_past_four_on_friday_is_half_past_nine_on_monday() {
    let place = nine_to_five();
    assert_eq!(place.due(&[place.started("2026-11-20 16:30", "1h")]), "2026-11-23 09:30");
}

/// 5. chatwoot/chatwoot#14009, frappe/helpdesk#2212
#[test]
fn lunch_does_not_count_and_what_comes_at_lunch_starts_after_it() {
    let place = Place::of(office(&[("09:00", "12:00"), ("13:30", "18:00")]));
    assert_eq!(place.due(&[place.started("2026-11-23 12:30", "30m")]), "2026-11-23 14:00");
    assert_eq!(place.due(&[place.started("2026-11-23 11:30", "1h")]), "2026-11-23 14:00");
    assert_eq!(place.read(&[place.started("2026-11-23 12:30", "30m")], "2026-11-23 13:30").elapsed, 0);
}

/// 6. glpi-project/glpi#22678
#[test]
fn a_reminder_an_hour_before_is_an_hour_of_opening_before() {
    let place = Place::of(office(&[("08:00", "18:00")]));
    let clock = Clock::of(&[place.started("2026-11-23 17:00", "4h")]);
    assert_eq!(local(clock.due_at(&place.timetable)), "2026-11-24 11:00");
    assert_eq!(local(clock.left_at(&place.timetable, HOUR)), "2026-11-24 10:00");
    // Three of the four hours are left when Monday ends.
    assert_eq!(local(clock.left_at(&place.timetable, 3 * HOUR)), "2026-11-23 18:00");
    assert_eq!(local(clock.left_at(&place.timetable, 9 * HOUR)), "2026-11-23 17:00");
}

/// 7. glpi-project/glpi#6902, glpi-project/glpi#15605
#[test]
fn a_priority_that_is_raised_during_a_pause_keeps_the_pauses_before() {
    let place = nine_to_five();
    let start = "2026-11-23 09:00";
    let events = [
        place.started(start, "16h"),
        paused(1, "2026-11-23 10:00"),
        resumed(1, "2026-11-23 12:00"),
        paused(2, "2026-11-23 14:00"),
        place.retargeted(start, "2026-11-23 15:00", Change::Priority, place.target("4h")),
        resumed(2, "2026-11-23 16:00"),
    ];
    let reading = place.read(&events, "2026-11-23 16:30");
    assert_eq!((reading.elapsed, reading.paused), (3 * HOUR + 30 * MINUTE, 4 * HOUR));
    assert_eq!(place.due(&events), "2026-11-23 17:00");
}

/// 8. glpi-project/glpi#1911
#[test]
fn a_transfer_leaves_the_owners_clock_and_starts_the_departments_afresh() {
    let place = nine_to_five();
    let owners = [place.started("2026-11-23 09:00", "2h")];
    let first_group = [place.started("2026-11-23 09:00", "2h"), stopped("2026-11-23 10:30")];
    let second_group = [place.started("2026-11-23 10:30", "2h")];
    let now = "2026-11-23 10:45";
    assert_eq!(place.read(&owners, now).elapsed, 105 * MINUTE);
    assert_eq!(place.read(&first_group, now).elapsed, 90 * MINUTE);
    assert_eq!(place.read(&second_group, now).elapsed, 15 * MINUTE);
    assert_eq!(place.due(&owners), "2026-11-23 11:00");
    assert_eq!(place.due(&second_group), "2026-11-23 12:30");
}

/// 9. glpi-project/glpi#24481
#[test]
fn what_is_paused_is_never_breached() {
    let place = nine_to_five();
    let events = [place.started("2026-11-23 09:00", "2h"), paused(1, "2026-11-23 10:00")];
    for now in ["2026-11-23 10:00", "2026-11-23 11:00", "2027-11-23 11:00"] {
        let reading = place.read(&events, now);
        assert_eq!((reading.state, reading.breached_at, reading.due_at), (ClockState::Paused, None, NEVER));
        assert_eq!(reading.share, 50);
    }
    // Nor by a date that was agreed upon while it was paused, however the pause goes on.
    let mut agreed = events.to_vec();
    let until = day_and_night("until 2026-11-24T12:00:00+08:00");
    agreed.push(place.retargeted("2026-11-23 09:00", "2026-11-23 10:30", Change::Appointment, until));
    assert_eq!(place.read(&agreed, "2026-11-25 11:00").breached_at, None);
    agreed.push(resumed(1, "2026-11-24 10:00"));
    assert_eq!(place.due(&agreed), "2026-11-24 12:00");
}

/// 10. glpi-project/glpi#23359
#[test]
fn the_time_between_solved_and_reopened_is_on_no_clock() {
    let place = nine_to_five();
    let solved = [
        place.started("2026-11-23 09:00", "8h"),
        paused(1, "2026-11-23 10:00"),
        resumed(1, "2026-11-23 11:00"),
        stopped("2026-11-23 12:00"),
    ];
    let before = place.read(&solved, "2026-11-23 12:00");
    assert_eq!(place.read(&solved, "2026-12-23 12:00"), before);
    assert_eq!((before.elapsed, before.paused), (2 * HOUR, HOUR));
    // A new episode has a clock of its own, on which nothing was pending.
    let reopened = [place.started("2026-11-25 09:00", "8h")];
    let reading = place.read(&reopened, "2026-11-25 10:00");
    assert_eq!((reading.elapsed, reading.paused), (HOUR, 0));
}

/// 11. chatwoot/chatwoot#12058, chatwoot/chatwoot#7679: that only people stop it is decided in intake.
#[test]
fn the_first_answer_is_measured_until_it_is_stopped_and_anew_from_the_reopening() {
    let place = nine_to_five();
    let target = place.target("2h");
    // A receipt that a machine sends is no event of a clock.
    let first = [place.started_with("2026-11-23 09:00", target.clone()), stopped("2026-11-23 10:00")];
    assert_eq!(place.read(&first, "2026-11-24 12:00").breached_at, None);
    let second = [place.started_with("2026-11-24 12:00", target)];
    assert_eq!(place.due(&second), "2026-11-24 14:00");
    assert_eq!(place.read(&second, "2026-11-24 15:00").breached_at, Some(at("2026-11-24 14:00").timestamp()));
}

/// 12. zammad/zammad#3140
#[test]
fn once_the_company_has_answered_the_clock_waits_for_the_owner() {
    let place = nine_to_five();
    let events =
        [place.started("2026-11-23 09:00", "4h"), ClockEvent::Paused(pause(1, "2026-11-23 11:00", "awaiting_owner"))];
    let reading = place.read(&events, "2026-11-27 11:00");
    assert_eq!((reading.state, reading.elapsed, reading.breached_at), (ClockState::Paused, 2 * HOUR, None));
}

/// 13. zammad/zammad#5177
#[test]
fn a_shorter_clock_of_the_same_matter_changes_no_other() {
    let place = nine_to_five();
    let first_answer = [place.started("2026-11-23 09:00", "4h")];
    let update = [place.started("2026-11-23 09:00", "1h"), stopped("2026-11-23 09:30")];
    assert_eq!(place.due(&update), "2026-11-23 10:00");
    assert_eq!(place.due(&first_answer), "2026-11-23 13:00");
    // Neither does its target: each measure is sought by itself.
    let own: Policy = serde_json::from_value(json!({ "targets": [{ "measure": "plan", "within": "1h" }] })).unwrap();
    let (own, matter) = (Policies(vec![Arc::new(own)]), complaint());
    let shipped = Policies::default().target(Measure::Acknowledge, Party::Company, &matter).cloned();
    assert_eq!(own.target(Measure::Acknowledge, Party::Company, &matter).cloned(), shipped);
}

fn complaint() -> Matter<'static> {
    Matter { kind: CaseKind::Complaint, category: "service.delay", priority: Priority::P3 }
}

/// 14. zammad/zammad#1322: an event of a clock does not know by which channel something was said.
#[test]
fn what_the_owner_says_anywhere_sets_the_clock_going_again() {
    let place = nine_to_five();
    let events = [
        place.started("2026-11-23 09:00", "4h"),
        ClockEvent::Paused(pause(1, "2026-11-23 11:00", "awaiting_owner")),
        resumed(1, "2026-11-24 11:00"),
    ];
    assert_eq!(place.read(&events, "2026-11-24 12:00").state, ClockState::Running);
    assert_eq!(place.due(&events), "2026-11-24 13:00");
}

/// 15. frappe/helpdesk#3776
#[test]
fn somebody_in_another_time_zone_sees_the_same_instant() {
    let place = nine_to_five();
    let clock = Clock::of(&[place.started("2026-11-23 09:00", "4h")]);
    let now = at("2026-11-23 10:00");
    let reading = clock.read(&place.timetable, now).unwrap();
    let abroad = now.with_timezone(&FixedOffset::west_opt(5 * 3600).unwrap()).to_utc();
    assert_eq!(clock.read(&place.timetable, abroad).unwrap(), reading);
    // And reads it as the time of the estate.
    let text = sentence(&clock, &reading, &place.timetable, Measure::Acknowledge, abroad, Language::En);
    assert_eq!(text, "The first answer is due by Mon 23 Nov 13:00: 3 hours of opening hours left.");
}

/// 16. freeitsm recomputes all; we do so only on purpose.
#[test]
fn an_old_case_keeps_its_version_of_the_calendar_until_it_is_rebased() {
    let place = nine_to_five().and(2, office(&[("09:00", "12:00")]));
    let start = place.started("2026-11-23 11:00", "4h");
    let mut events = vec![start];
    assert_eq!(place.due(&events), "2026-11-23 15:00");
    let newest = pin(2);
    let target = steward_clock::Target { pin: newest.clone(), ..place.target("4h") };
    let budget = target.budget(at("2026-11-23 11:00"), &place.timetable);
    events.push(ClockEvent::Rebased { segments: vec![(newest, budget)] });
    assert_eq!(place.due(&events), "2026-11-24 12:00");
    assert_eq!(place.read(&events, "2026-11-23 15:00").elapsed, HOUR);
}

/// 17. glpi-project/glpi#1313, glpi-project/glpi#11086
#[test]
fn a_policy_of_the_company_holds_in_its_estates_unless_they_have_their_own() {
    let policy = |within: &str| -> Arc<Policy> {
        let targets = json!([{ "measure": "acknowledge", "kind": "complaint", "within": within }]);
        Arc::new(serde_json::from_value(json!({ "targets": targets })).unwrap())
    };
    let within = |policies: Vec<Arc<Policy>>| {
        let found = Policies(policies).target(Measure::Acknowledge, Party::Company, &complaint()).cloned();
        found.and_then(|rule| rule.within).map(|within| within.to_string())
    };
    let (estate, company) = (policy("30m"), policy("6h"));
    let silent = Arc::new(Policy::default());
    assert_eq!(within(vec![]).as_deref(), Some("1bd"));
    assert_eq!(within(vec![Arc::clone(&silent), Arc::clone(&silent), Arc::clone(&company)]).as_deref(), Some("6h"));
    assert_eq!(within(vec![estate, silent, company]).as_deref(), Some("30m"));
}

/// 18. osTicket/osTicket#3979: neither a policy nor a clock knows who wrote the case down.
#[test]
fn a_case_that_staff_write_down_has_the_same_target() {
    let place = nine_to_five();
    let of = |_author: &str| {
        let policies = Policies::default();
        let rule = policies.target(Measure::Acknowledge, Party::Company, &complaint()).cloned().unwrap();
        let target = steward_clock::Target {
            within: rule.within.unwrap(),
            pin: pin(1),
            at_most_seconds: rule.at_most_seconds(),
        };
        place.due(&[place.started_with("2026-11-23 10:00", target)])
    };
    assert_eq!(of("owner"), "2026-11-24 10:00");
    assert_eq!(of("staff"), of("owner"));
}

/// 19. Sundays that the State Council's notices make working days.
#[test]
fn a_sunday_that_is_a_working_day_counts() {
    let place = nine_to_five();
    for sunday in ["2024-02-04", "2025-01-26", "2026-01-04", "2026-09-20"] {
        let due = place.due(&[place.started(&format!("{sunday} 10:00"), "2h")]);
        assert_eq!(due, format!("{sunday} 12:00"));
    }
    // The Sunday before is none.
    assert_eq!(place.due(&[place.started("2026-09-13 10:00", "2h")]), "2026-09-14 11:00");
}

/// 20. Two clocks of one case.
#[test]
fn a_clock_by_day_and_night_stands_beside_one_by_office_hours() {
    let place = nine_to_five();
    let make_safe = [place.started_with("2026-11-20 16:00", day_and_night("2h"))];
    let finish = [place.started("2026-11-20 16:00", "2h")];
    assert_eq!(place.due(&make_safe), "2026-11-20 18:00");
    assert_eq!(place.due(&finish), "2026-11-23 10:00");
    let now = "2026-11-22 12:00";
    assert_eq!((place.read(&make_safe, now).elapsed, place.read(&finish, now).elapsed), (44 * HOUR, HOUR));
}

/// 21.
#[test]
fn pauses_of_no_length_or_over_each_other_take_out_each_second_once() {
    let place = nine_to_five();
    let started = place.started("2026-11-23 09:00", "4h");
    let empty = [started.clone(), paused(1, "2026-11-23 10:00"), resumed(1, "2026-11-23 10:00")];
    assert_eq!(place.due(&empty), "2026-11-23 13:00");
    let crossing = [
        started,
        paused(1, "2026-11-23 10:00"),
        paused(2, "2026-11-23 10:30"),
        paused(3, "2026-11-23 10:30"),
        resumed(1, "2026-11-23 11:00"),
        resumed(3, "2026-11-23 10:45"),
        resumed(2, "2026-11-23 12:00"),
    ];
    assert_eq!(place.due(&crossing), "2026-11-23 15:00");
    assert_eq!(place.read(&crossing, "2026-11-23 16:00").paused, 2 * HOUR);
}

/// 22.
#[test]
fn a_pause_that_is_longer_than_its_cap_ends_by_itself_and_says_so() {
    let place = nine_to_five();
    let mut capped = pause(1, "2026-11-23 10:00", "access");
    capped.cap_seconds = Some(24 * 3600);
    let clock = Clock::of(&[place.started("2026-11-23 09:00", "8h"), ClockEvent::Paused(capped)]);
    let read = |now: &str| clock.read(&place.timetable, at(now)).unwrap();
    let lasting = read("2026-11-24 09:59");
    assert_eq!((lasting.state, lasting.paused_until), (ClockState::Paused, Some(at("2026-11-24 10:00").timestamp())));
    let over = read("2026-11-24 11:00");
    assert_eq!((over.state, over.elapsed), (ClockState::Running, 2 * HOUR));
    assert!(clock.pauses[0].ends_by_itself());
    let text = sentence(&clock, &over, &place.timetable, Measure::Finish, at("2026-11-24 11:00"), Language::En);
    let says_so =
        "The pause (no access to the place) lasted as long as it may and ended by itself on Tue 24 Nov 10:00.";
    assert!(text.ends_with(says_so), "{text}");
}

/// 23.
#[test]
fn a_paper_form_that_is_entered_after_its_deadline_is_breached_on_arrival_and_a_late_entry() {
    let place = nine_to_five();
    let entered = "2026-11-24 09:00";
    let mut clock = Clock::of(&[place.started("2026-11-20 10:00", "2h")]);
    let reading = clock.read(&place.timetable, at(entered)).unwrap();
    assert_eq!(reading.breached_at, Some(at("2026-11-20 12:00").timestamp()));
    clock.late_entry = true;
    let text = sentence(&clock, &reading, &place.timetable, Measure::Acknowledge, at(entered), Language::En);
    assert_eq!(
        text,
        "The first answer was due by Fri 20 Nov 12:00 and is overdue by 3 days 21 hours. Late entry: it was overdue when it was written down."
    );
}

/// 24. frappe/helpdesk#2967: that each rung is told once, and each person in one digest, is tested in intake and notification.
#[test]
fn ten_thousand_clocks_that_are_due_in_one_minute_have_one_instant_for_each_rung() {
    let place = nine_to_five();
    let ladder = Policy::shipped().ladders[&Priority::P3].clone();
    let due = at("2026-11-23 13:00").timestamp()..at("2026-11-23 13:01").timestamp();
    let mut rungs = 0;
    for nth in 0..10_000 {
        let start = at("2026-11-23 09:00") + chrono::TimeDelta::milliseconds(nth * 6);
        let target = place.target("4h");
        let started = ClockEvent::Started { at: start, budget: target.budget(start, &place.timetable), target };
        let clock = Clock::of(&[started]);
        assert!(due.contains(&clock.due_at(&place.timetable)));
        let steps: Vec<_> = (0..).map_while(|index| ladder.rung(index)).collect();
        let instants = steps.iter().map(|step| reached(&clock, step.when, &place.timetable));
        let instants: Vec<i64> = instants.collect();
        assert_eq!(instants.iter().collect::<BTreeSet<_>>().len(), instants.len());
        assert!(instants.is_sorted());
        rungs += instants.len();
    }
    assert_eq!(rungs, 30_000);
}

fn reached(clock: &Clock, when: When, timetable: &Timetable) -> i64 {
    match when {
        When::Share(percent) => clock.share_at(timetable, percent),
        When::Overdue(seconds) => clock.overdue_at(timetable, seconds),
    }
}
