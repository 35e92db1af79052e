//! Properties of clocks under random histories, against an oracle that knows only the hours of each day and sets of spans.
//!
//! The oracle asks the wall for each minute which local time it shows and whether that lies in the hours of its day. It knows nothing of tables, segments
//! and due times; when something is due it finds by looking when it has elapsed.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Timelike as _, Utc};
use chrono_tz::Tz;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use steward_clock::{
    Amount, Calendar, CalendarRules, Clock, ClockEvent, Holidays, Pin, Target, Timetable,
    calendar::Period,
    clock::{Change, Pause},
    explain::{Cause, explain},
    span::{NEVER, Span, Spans},
};
use uuid::Uuid;

use crate::common::office;

const DAY: i64 = 86_400;

/// What the oracle can see: 80 days, from three weeks before to weeks after the clocks are changed, or around the Chinese New Year.
const SEEN: i64 = 80 * DAY;

struct World {
    pin: Pin,
    calendar: Arc<Calendar>,
    /// Where the oracle begins to look.
    from: i64,
    /// When it is open, as the wall says.
    opens: Spans,
}

impl World {
    fn of(id: u128, from: &str, rules: Value) -> Self {
        let rules: CalendarRules = serde_json::from_value(rules).expect("rules");
        assert_eq!(rules.findings(Holidays::shipped()), []);
        let calendar = Calendar::compile(&rules, Holidays::shipped(), Tz::Asia__Shanghai);
        let from = from.parse::<DateTime<Utc>>().expect("an instant").timestamp();
        let pin = Pin {
            calendar: Some(Uuid::from_u128(id)),
            version: 1,
            holidays: 3,
            time_zone: calendar.zone().name().to_owned(),
        };
        let opens = by_the_wall(&calendar, from);
        Self { pin, calendar: Arc::new(calendar), from, opens }
    }

    fn timetable(&self) -> Timetable {
        Timetable::default().with(self.pin.clone(), Arc::clone(&self.calendar))
    }
}

/// Minute by minute: the local time on the wall, and whether it lies in the hours of the local day.
fn by_the_wall(calendar: &Calendar, from: i64) -> Spans {
    let mut day = calendar.day(calendar.local_date(from));
    let minutes = (from..from + SEEN).step_by(60).filter(|minute| {
        let local = DateTime::from_timestamp(*minute, 0).expect("an instant").with_timezone(&calendar.zone());
        if local.date_naive() != day.on {
            day = calendar.day(local.date_naive());
        }
        let shown = local.hour() * 60 + local.minute();
        day.hours.iter().any(|Period { from, to }| (u32::from(*from)..u32::from(*to)).contains(&shown))
    });
    Spans::of(minutes.map(|minute| Span::new(minute, minute + 60)))
}

fn every_day(hours: &[(&str, &str)]) -> Value {
    let week = office(hours)["week"].clone();
    let (saturday, sunday) = (week["monday"].clone(), week["monday"].clone());
    let mut week = week;
    week["saturday"] = saturday;
    week["sunday"] = sunday;
    json!({ "week": week })
}

/// Lunch, nights that meet at midnight, holidays with duty hours, working weekends, special days, half days; zones that change their clocks.
static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let mut shop = office(&[("08:30", "12:00"), ("13:30", "18:00")]);
    shop["holiday"] = json!([{ "from": "10:00", "to": "12:00" }]);
    shop["week"]["saturday"] = json!([{ "from": "09:00", "to": "12:00" }]);
    shop["special_days"] = json!({
        "2026-03-05": { "name": "台风停工" },
        "2026-03-10": { "name": "盘点", "hours": [{ "from": "14:00", "to": "24:00" }] },
        "2026-03-11": { "name": "盘点", "hours": [{ "from": "00:00", "to": "03:00" }] },
    });
    let zoned = |zone: &str, mut rules: Value| {
        rules["time_zone"] = json!(zone);
        rules
    };
    let nights = || every_day(&[("00:00", "06:00"), ("22:00", "24:00")]);
    let whole_days = || every_day(&[("00:00", "24:00")]);
    let new_year = "2026-01-31T16:00:00Z";
    vec![
        World::of(1, new_year, office(&[("09:00", "18:00")])),
        World::of(2, new_year, shop),
        World::of(3, new_year, nights()),
        World::of(4, "2026-03-01T00:00:00Z", zoned("Europe/Berlin", nights())),
        World::of(5, "2026-10-01T00:00:00Z", zoned("Europe/Berlin", whole_days())),
        World::of(
            6,
            "2026-02-15T00:00:00Z",
            zoned("America/New_York", every_day(&[("01:00", "04:00"), ("09:00", "17:00")])),
        ),
        World::of(7, "2026-10-10T00:00:00Z", zoned("America/New_York", nights())),
    ]
});

/// A history: where, with which events. Pauses come with their ends and strikes; all times lie in the first half of what the oracle sees.
#[derive(Debug, Clone)]
struct History {
    world: usize,
    start: i64,
    first: Goal,
    goals: Vec<(i64, Goal)>,
    pauses: Vec<Suspension>,
    stop: Option<i64>,
}

/// A target in numbers.
#[derive(Debug, Clone, Copy)]
struct Goal {
    by_the_wall: bool,
    budget: i64,
}

#[derive(Debug, Clone, Copy)]
struct Suspension {
    from: i64,
    length: Option<u32>,
    cap: Option<u32>,
    struck: bool,
}

fn goal() -> impl Strategy<Value = Goal> {
    let seconds = prop_oneof![Just(0), 0..7200_i64, 0..(5 * DAY)];
    (any::<bool>(), seconds).prop_map(|(by_the_wall, budget)| Goal { by_the_wall, budget })
}

fn moment() -> impl Strategy<Value = i64> {
    // Full hours are more likely than other seconds to hit an edge.
    prop_oneof![0..SEEN / 2, (0..SEEN / 2 / 1800).prop_map(|half_hours| half_hours * 1800)]
}

fn suspension() -> impl Strategy<Value = Suspension> {
    let length = proptest::option::of(prop_oneof![Just(0), 0..50_000_u32, (0..200_u32).prop_map(|n| n * 1800)]);
    let cap = proptest::option::of(1..400_000_u32);
    (moment(), length, cap, proptest::bool::weighted(0.15)).prop_map(|(from, length, cap, struck)| Suspension {
        from,
        length,
        cap,
        struck,
    })
}

fn history() -> impl Strategy<Value = History> {
    let goals = prop::collection::vec((moment(), goal()), 0..3);
    let pauses = prop::collection::vec(suspension(), 0..5);
    let stop = proptest::option::weighted(0.3, moment());
    (0..7_usize, moment(), goal(), goals, pauses, stop).prop_map(|(world, start, first, goals, pauses, stop)| {
        let begin = WORLDS[world].from;
        let mut goals: Vec<_> = goals.into_iter().map(|(when, goal)| (begin + when, goal)).collect();
        goals.sort_by_key(|(when, _)| *when);
        goals.dedup_by_key(|(when, _)| *when);
        let pauses = pauses.into_iter().map(|pause| Suspension { from: begin + pause.from, ..pause }).collect();
        History { world, start: begin + start, first, goals, pauses, stop: stop.map(|stop| begin + stop) }
    })
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("an instant")
}

impl History {
    fn world(&self) -> &'static World {
        &WORLDS[self.world]
    }

    fn target(&self, goal: Goal) -> Target {
        let within = if goal.by_the_wall { Amount::Days(1) } else { Amount::Seconds(3600) };
        Target { within, pin: self.world().pin.clone(), at_most_seconds: None }
    }

    fn started(&self) -> ClockEvent {
        ClockEvent::Started { at: at(self.start), target: self.target(self.first), budget: self.first.budget }
    }

    fn retargeted(&self, when: i64, goal: Goal) -> ClockEvent {
        let (target, budget) = (self.target(goal), goal.budget);
        ClockEvent::Retargeted { at: at(when), change: Change::Priority, target, budget }
    }

    /// Its events in threads, the order within each of which is their own.
    fn threads(&self) -> Vec<Vec<ClockEvent>> {
        let goals = self.goals.iter().map(|(when, goal)| vec![self.retargeted(*when, *goal)]);
        let pauses = self.pauses.iter().enumerate().map(|(index, pause)| events_of(index as u128, pause));
        let stop = self.stop.map(|stop| vec![ClockEvent::Stopped { at: at(stop) }]);
        goals.chain(pauses).chain(stop).collect()
    }

    /// In order of time.
    fn events(&self) -> Vec<ClockEvent> {
        let mut events: Vec<ClockEvent> = self.threads().concat();
        events.sort_by_key(time_of);
        events.insert(0, self.started());
        events
    }

    fn clock(&self) -> Clock {
        Clock::of(&self.events())
    }

    /// What the oracle says does not count.
    fn holds(&self) -> Spans {
        let end = self.stop.unwrap_or(NEVER);
        Spans::of(self.pauses.iter().filter(|pause| !pause.struck).map(|pause| {
            let ends = [pause.length, pause.cap].into_iter().flatten().map(|after| pause.from + i64::from(after)).min();
            Span::new(pause.from, ends.unwrap_or(NEVER).min(end))
        }))
    }

    /// The spans of the targets, in which one from before the start stands from the start on.
    fn stretches(&self) -> Vec<(Span, Goal)> {
        let mut goals = vec![(self.start, self.first)];
        goals.extend(self.goals.iter().map(|(when, goal)| ((*when).max(self.start), *goal)));
        let ends = goals.iter().skip(1).map(|(when, _)| *when).chain([NEVER]).collect::<Vec<_>>();
        goals.into_iter().zip(ends).map(|((from, goal), to)| (Span::new(from, to), goal)).collect()
    }

    /// What had elapsed and what was paused by then, from sets of spans alone; the clock is taken not to have stopped.
    fn oracle(&self, now: i64) -> (i64, i64) {
        let (mut elapsed, mut paused) = (0, 0);
        for (span, goal) in self.stretches() {
            let past = Spans::of([Span::new(span.from, span.to.min(now))]);
            let open = if goal.by_the_wall { past } else { past.intersect(&self.world().opens) };
            elapsed += open.subtract(&self.holds()).seconds();
            paused += open.intersect(&self.holds()).seconds();
        }
        (elapsed, paused)
    }

    fn nows(&self) -> Vec<i64> {
        let edges = self.goals.iter().map(|(when, _)| *when).chain(self.pauses.iter().map(|pause| pause.from));
        let begin = self.world().from;
        let even = (0..40).map(|step| begin + step * SEEN / 80 + 977);
        let mut nows: Vec<i64> = edges.chain(even).chain([self.start, begin + SEEN / 2]).collect();
        nows.sort_unstable();
        nows
    }
}

fn events_of(id: u128, pause: &Suspension) -> Vec<ClockEvent> {
    let pause_id = Uuid::from_u128(id);
    let paused = ClockEvent::Paused(Pause {
        pause_id,
        from: at(pause.from),
        to: None,
        reason: "parts".to_owned(),
        cap_seconds: pause.cap,
        evidence: Vec::new(),
        struck: false,
    });
    let resumed = pause.length.map(|after| ClockEvent::Resumed { pause_id, at: at(pause.from + i64::from(after)) });
    let struck = pause.struck.then_some(ClockEvent::Struck { pause_id });
    [Some(paused), resumed, struck].into_iter().flatten().collect()
}

fn time_of(event: &ClockEvent) -> DateTime<Utc> {
    match event {
        ClockEvent::Paused(pause) => pause.from,
        ClockEvent::Started { at, .. }
        | ClockEvent::Resumed { at, .. }
        | ClockEvent::Retargeted { at, .. }
        | ClockEvent::Stopped { at } => *at,
        // A strike has no time; it comes after everything.
        ClockEvent::Struck { .. } | ClockEvent::Rebased { .. } => DateTime::<Utc>::MAX_UTC,
    }
}

/// One order of the events in which each thread keeps its own.
fn shuffled(threads: &[Vec<ClockEvent>], order: &[Index]) -> Vec<ClockEvent> {
    let mut waiting: Vec<_> = threads.iter().map(|thread| thread.iter().cloned()).collect();
    let mut events = Vec::new();
    for index in order.iter().cycle() {
        waiting.retain(|thread| thread.len() > 0);
        if waiting.is_empty() {
            break;
        }
        let next = index.index(waiting.len());
        events.extend(waiting[next].next());
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Also: it never falls as now grows.
    #[test]
    fn what_has_elapsed_is_what_the_wall_and_the_hours_say(history in history()) {
        let (clock, timetable) = (history.clock(), history.world().timetable());
        let mut before = 0;
        for now in history.nows() {
            let reading = clock.read(&timetable, at(now)).expect("it was started");
            let end = history.stop.unwrap_or(now).min(now);
            prop_assert_eq!((reading.elapsed, reading.paused), history.oracle(end), "at {}", at(now));
            prop_assert!(reading.elapsed >= before);
            before = reading.elapsed;
        }
    }

    #[test]
    fn it_is_due_at_the_first_instant_at_which_its_time_has_elapsed(history in history()) {
        let history = History { stop: None, ..history };
        let (clock, timetable) = (history.clock(), history.world().timetable());
        let budget = history.goals.last().map_or(history.first, |(_, goal)| *goal).budget;
        let since = history.stretches().last().expect("it was started").0.from;
        let due = clock.due_at(&timetable);
        let seen = history.world().from + SEEN;
        if due > since && due < seen {
            prop_assert!(history.oracle(due).0 >= budget, "it has elapsed");
            prop_assert!(history.oracle(due - 1).0 < budget, "it had not a second before");
        } else if due <= since {
            // A target that found its time used up; then it is due when it began or when it was overdue before.
            prop_assert!(history.oracle(since).0 >= budget);
            prop_assert!(due >= history.start);
        } else {
            prop_assert!(history.oracle(seen).0 < budget || due == seen);
        }
    }

    #[test]
    fn shares_are_reached_in_their_order_and_when_the_reading_says_so(history in history(), percents in prop::collection::vec(0..400_u16, 2..6)) {
        let history = History { stop: None, ..history };
        let (clock, timetable) = (history.clock(), history.world().timetable());
        let mut percents = percents;
        percents.sort_unstable();
        let reached: Vec<i64> = percents.iter().map(|percent| clock.share_at(&timetable, *percent)).collect();
        prop_assert!(reached.is_sorted(), "{:?} {:?}", percents, reached);
        let budget = history.goals.last().map_or(history.first, |(_, goal)| *goal).budget;
        let since = history.stretches().last().expect("it was started").0.from;
        for (percent, when) in percents.iter().zip(reached) {
            let edges = if when == NEVER { vec![] } else { vec![when - 1, when] };
            for now in history.nows().into_iter().chain(edges).filter(|now| *now >= since && budget > 0) {
                let share = clock.read(&timetable, at(now)).expect("it was started").share;
                prop_assert_eq!(share >= i64::from(*percent), now >= when, "{} % at {}", percent, at(now));
            }
        }
    }

    #[test]
    fn what_is_left_is_reached_before_it_is_due(history in history(), seconds in 0..400_000_i64) {
        let (clock, timetable) = (history.clock(), history.world().timetable());
        let (left, due) = (clock.left_at(&timetable, seconds), clock.due_at(&timetable));
        prop_assert!(left <= due && left >= history.start);
        prop_assert_eq!(clock.left_at(&timetable, 0), due);
        prop_assert!(clock.overdue_at(&timetable, seconds) >= due);
    }

    #[test]
    fn the_counted_stretches_add_up_to_what_has_elapsed_and_leave_no_gap(history in history()) {
        let (clock, timetable) = (history.clock(), history.world().timetable());
        for now in history.nows().into_iter().step_by(9) {
            let reading = clock.read(&timetable, at(now)).expect("it was started");
            let stretches = explain(&clock, &timetable, at(now));
            let sum = |is_meant: fn(&Cause) -> bool| -> i64 {
                stretches.iter().filter(|stretch| is_meant(&stretch.cause)).map(|stretch| stretch.seconds).sum()
            };
            prop_assert_eq!(sum(|cause| matches!(cause, Cause::Open { .. })), reading.elapsed);
            prop_assert_eq!(sum(|cause| matches!(cause, Cause::Paused { .. })), reading.paused);
            let end = history.stop.unwrap_or(now).min(now);
            prop_assert_eq!(stretches.first().map(|first| first.from.timestamp()), (end > history.start).then_some(history.start));
            prop_assert_eq!(stretches.last().map(|last| last.to.timestamp()), (end > history.start).then_some(end));
            for stretch in &stretches {
                prop_assert_eq!(stretch.seconds, (stretch.to - stretch.from).num_seconds());
                prop_assert!(stretch.seconds > 0);
                prop_assert_eq!(stretch.counted, matches!(stretch.cause, Cause::Open { .. }));
            }
            for pair in stretches.windows(2) {
                prop_assert_eq!(pair[0].to, pair[1].from);
                prop_assert!(pair[0].cause != pair[1].cause || pair[0].segment != pair[1].segment);
            }
        }
    }

    /// Event by event, in any order of arrival, the clock becomes the one that is worked out anew in order of time.
    #[test]
    fn the_order_of_arrival_does_not_matter(history in history(), order in prop::collection::vec(any::<Index>(), 1..30)) {
        let mut incremental = Clock::default().after(&history.started());
        for event in shuffled(&history.threads(), &order) {
            incremental = incremental.after(&event);
        }
        prop_assert_eq!(&incremental, &history.clock());
        // Nor does writing it down in between.
        let text = serde_json::to_string(&incremental).expect("json");
        prop_assert_eq!(serde_json::from_str::<Clock>(&text).expect("a clock"), incremental);
    }

    /// Pauses that were cut in two, that overlap, or that come in another order, take out the same.
    #[test]
    fn splitting_merging_and_reordering_pauses_commute(history in history(), cut in any::<Index>(), swap in any::<Index>()) {
        let timetable = history.world().timetable();
        let mut other = history.clone();
        // Neither an end by the cap nor a strike moves when a pause is cut.
        for pause in &mut other.pauses {
            let ends = [pause.length, pause.cap].into_iter().flatten().min();
            (pause.length, pause.cap) = (ends, None);
        }
        let ended: Vec<usize> = (0..other.pauses.len()).filter(|index| other.pauses[*index].length.is_some()).collect();
        if !ended.is_empty() {
            let whole = other.pauses[ended[cut.index(ended.len())]];
            let length = whole.length.unwrap_or_default();
            let half = length / 2;
            let index = ended[cut.index(ended.len())];
            other.pauses[index].length = Some(half);
            let second = Suspension { from: whole.from + i64::from(half), length: Some(length - half), ..whole };
            let overlapping = Suspension { from: whole.from + i64::from(half / 2), length: Some(half), ..whole };
            other.pauses.extend([second, overlapping]);
            let last = other.pauses.len() - 1;
            other.pauses.swap(swap.index(last), last);
        }
        let (one, two) = (history.clock(), other.clock());
        prop_assert_eq!(one.due_at(&timetable), two.due_at(&timetable));
        for now in history.nows() {
            prop_assert_eq!(one.read(&timetable, at(now)), two.read(&timetable, at(now)));
        }
    }

    #[test]
    fn a_pause_without_business_time_changes_nothing(history in history(), place in any::<Index>(), inset in 0..20_000_i64) {
        let mut history = history;
        history.first.by_the_wall = false;
        history.goals.iter_mut().for_each(|(_, goal)| goal.by_the_wall = false);
        let timetable = history.world().timetable();
        let opens = history.world().opens.as_slice();
        if opens.len() > 1 {
            let first = place.index(opens.len() - 1);
            let closed = Span::new(opens[first].to, opens[first + 1].from);
            let inset = inset.min(closed.seconds() / 2);
            let length = u32::try_from(closed.seconds() - inset).expect("a short night");
            let mut other = history.clone();
            other.pauses.push(Suspension { from: closed.from + inset, length: Some(length), cap: None, struck: false });
            let (one, two) = (history.clock(), other.clock());
            for percent in [0, 50, 100, 150] {
                // A share that is reached as it closes is reached then, paused or not.
                prop_assert_eq!(one.share_at(&timetable, percent), two.share_at(&timetable, percent));
            }
            for now in history.nows() {
                let (one, two) = (one.read(&timetable, at(now)), two.read(&timetable, at(now)));
                let counted = |reading: Option<steward_clock::Reading>| {
                    reading.map(|reading| (reading.elapsed, reading.paused, reading.due_at, reading.breached_at, reading.share))
                };
                prop_assert_eq!(counted(one), counted(two));
            }
        }
    }

    #[test]
    fn a_pause_that_is_struck_gives_its_time_back_exactly(history in history(), pause in suspension()) {
        let timetable = history.world().timetable();
        let mut other = history.clone();
        let from = history.world().from + pause.from;
        other.pauses.push(Suspension { from, struck: true, ..pause });
        let (one, two) = (history.clock(), other.clock());
        prop_assert_eq!(one.due_at(&timetable), two.due_at(&timetable));
        for now in history.nows() {
            prop_assert_eq!(one.read(&timetable, at(now)), two.read(&timetable, at(now)));
        }
    }

    #[test]
    fn the_same_target_once_more_changes_nothing(history in history(), when in moment()) {
        let timetable = history.world().timetable();
        let when = history.world().from + when;
        let stands = |(since, _): &&(i64, Goal)| *since <= when;
        let goal = history.goals.iter().rev().find(stands).map_or(history.first, |(_, goal)| *goal);
        let mut events = history.events();
        events.push(history.retargeted(when, goal));
        let (one, two) = (history.clock(), Clock::of(&events));
        for percent in [0, 50, 100, 150] {
            prop_assert_eq!(one.share_at(&timetable, percent), two.share_at(&timetable, percent));
        }
        for now in history.nows() {
            prop_assert_eq!(one.read(&timetable, at(now)), two.read(&timetable, at(now)));
        }
    }

    /// Only a new target can be found overdue during a pause; else nothing is due within one.
    #[test]
    fn nothing_is_due_within_a_pause(history in history()) {
        let (clock, timetable) = (history.clock(), history.world().timetable());
        let begins: Vec<i64> = history.stretches().into_iter().map(|(span, _)| span.from).collect();
        let holds = history.holds();
        let is_within = |when: i64| holds.as_slice().iter().any(|hold| hold.from < when && when < hold.to);
        let breaches = history.nows().into_iter().filter_map(|now| clock.read(&timetable, at(now)).expect("it was started").breached_at);
        for when in breaches.chain([clock.due_at(&timetable)]).filter(|when| *when != NEVER && !begins.contains(when)) {
            prop_assert!(!is_within(when), "{}", at(when));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any calendar in any of these zones is open when the wall says so, and `after` is the inverse of `open_seconds`.
    #[test]
    fn a_compiled_calendar_is_open_when_the_wall_shows_its_hours(
        zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Beirut", "America/Havana"]),
        week in prop::collection::vec(prop::collection::btree_set(0..48_u16, 0..7), 7),
        spring in any::<bool>(),
        seconds in prop::collection::vec((0..SEEN, 0..(3 * DAY)), 10),
    ) {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours = |edges: &std::collections::BTreeSet<u16>| -> Value {
            let edges: Vec<u16> = edges.iter().map(|half_hour| half_hour * 30).collect();
            let periods = edges.chunks_exact(2).map(|pair| serde_json::to_value(Period { from: pair[0], to: pair[1] }).expect("json"));
            periods.collect::<Vec<_>>().into()
        };
        let mut rules = json!({ "time_zone": zone, "week": {} });
        for (day, edges) in days.iter().zip(&week) {
            rules["week"][*day] = hours(edges);
        }
        let rules: CalendarRules = serde_json::from_value(rules).expect("rules");
        let calendar = Calendar::compile(&rules, Holidays::shipped(), Tz::UTC);
        let from = if spring { "2026-02-20T00:00:00Z" } else { "2026-09-20T00:00:00Z" };
        let from = from.parse::<DateTime<Utc>>().expect("an instant").timestamp();
        let (wall, all) = (by_the_wall(&calendar, from), Span::new(from, from + SEEN));
        let compiled = Spans::of(calendar.opens_within(all));
        // A period that begins or ends in the hour that is shown twice goes on through it; else they are the same.
        prop_assert!(wall.subtract(&compiled).seconds() == 0, "what the wall shows as open is open");
        prop_assert!(compiled.subtract(&wall).seconds() <= 3600, "nothing else but that hour");
        prop_assert_eq!(calendar.open_seconds(all.from, all.to), compiled.seconds());
        for (offset, needed) in seconds {
            let start = from + offset;
            prop_assert_eq!(calendar.open_seconds(from, start), compiled.clip(Span::new(from, start)).seconds());
            let after = calendar.after(start, needed);
            if needed > 0 && compiled.seconds() > 0 {
                prop_assert_eq!(calendar.open_seconds(start, after), needed);
                prop_assert_eq!(calendar.open_seconds(start, after - 1), needed - 1);
            }
        }
    }

    /// Sets of spans, against sets of seconds.
    #[test]
    fn spans_are_sets(one in prop::collection::vec((0..60_i64, 0..20_i64), 0..8), two in prop::collection::vec((0..60_i64, 0..20_i64), 0..8)) {
        let spans = |parts: &[(i64, i64)]| Spans::of(parts.iter().map(|(from, length)| Span::new(*from, from + length)));
        let seconds = |spans: &Spans| -> std::collections::BTreeSet<i64> {
            spans.as_slice().iter().flat_map(|span| span.from..span.to).collect()
        };
        let (one, two) = (spans(&one), spans(&two));
        let (a, b) = (seconds(&one), seconds(&two));
        prop_assert_eq!(seconds(&one.union(&two)), &a | &b);
        prop_assert_eq!(seconds(&one.intersect(&two)), &a & &b);
        prop_assert_eq!(seconds(&one.subtract(&two)), &a - &b);
        prop_assert_eq!(one.seconds(), i64::try_from(a.len()).expect("few"));
        for set in [one.union(&two), one.intersect(&two), one.subtract(&two)] {
            prop_assert!(set.as_slice().windows(2).all(|pair| pair[0].to < pair[1].from));
        }
    }
}
