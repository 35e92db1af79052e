//! Clocks: how many are read in a second by one core. Needs neither servers nor services.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Shanghai;
use steward_clock::{
    Calendar, CalendarRules, Clock, ClockEvent, Holidays, Pin, Target, Timetable,
    clock::{Change, Pause},
    explain::explain,
};
use uuid::Uuid;

use crate::table::{Table, median};

/// Clocks that are read in turn: more than a core's caches hold, and so few that they do.
const CLOCKS: u32 = 50_000;
const FEW: usize = 500;
/// Evaluations of one round.
const READS: usize = 1_000_000;
/// Calendars at hand: estates and departments with hours of their own.
const CALENDARS: u128 = 40;
const ROUNDS: usize = 5;
const AIM: f64 = 1_000_000.0;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    /// Less than `sides`.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 40).unwrap_or_default() % sides
    }
}

/// Clocks of a year, and the calendars they run by.
struct Crowd {
    timetable: Timetable,
    clocks: Vec<(Clock, DateTime<Utc>)>,
}

/// Measures reading, due times, explanations and compiling.
pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let rules = rules()?;
    let compiled = rate(1, || drop(black_box(compile(&rules))));
    let crowd = Crowd::new(&Arc::new(compile(&rules)))?;
    let all = &crowd.clocks;
    let reads = rate(READS, || each(all, READS, |clock, now| clock.read(&crowd.timetable, now)));
    let again = rate(READS, || each(&all[..FEW], READS, |clock, now| clock.read(&crowd.timetable, now)));
    let dues = rate(READS, || each(all, READS, |clock, _| clock.due_at(&crowd.timetable)));
    let explained = rate(READS / 50, || each(all, READS / 50, |clock, now| explain(clock, &crowd.timetable, now)));
    table.judged("clocks read, one core", "≥ 1000000/s", format!("{reads:.0}/s"), reads >= AIM);
    table.told("… few of them again and again", format!("{again:.0}/s"));
    table.told("due times, one core", format!("{dues:.0}/s"));
    table.told("clocks explained, one core", format!("{explained:.0}/s"));
    table.told("a calendar of 21 years compiled", format!("{:.1} ms", 1000.0 / compiled));
    Ok(())
}

/// The middle rate of some rounds, per second.
fn rate(units: usize, round: impl Fn()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        round();
        units as f64 / begun.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
    });
    median(rounds.collect())
}

fn rules() -> anyhow::Result<CalendarRules> {
    let day = serde_json::json!([{ "from": "08:30", "to": "12:00" }, { "from": "13:30", "to": "18:00" }]);
    Ok(serde_json::from_value(serde_json::json!({
        "public_holidays": "cn",
        "week": { "monday": day, "tuesday": day, "wednesday": day, "thursday": day, "friday": day, "saturday": [day[0]] },
        "holiday": [{ "from": "09:00", "to": "12:00" }],
    }))?)
}

fn compile(rules: &CalendarRules) -> Calendar {
    Calendar::compile(rules, Holidays::shipped(), Shanghai)
}

impl Crowd {
    fn new(calendar: &Arc<Calendar>) -> anyhow::Result<Self> {
        // Each has a table of its own, so that they share no cache lines.
        let timetable = (0..CALENDARS).fold(Timetable::default(), |timetable, estate| {
            timetable.with(pin(estate), Arc::new(Calendar::clone(calendar)))
        });
        let mut dice = Dice(1);
        let mut crowd = Self { timetable, clocks: Vec::new() };
        crowd.clocks = (0..CLOCKS).map(|_| crowd.clock(&mut dice)).collect::<anyhow::Result<_>>()?;
        Ok(crowd)
    }

    /// One or two targets, none to three pauses, stopped or not, read within its first days.
    fn clock(&self, dice: &mut Dice) -> anyhow::Result<(Clock, DateTime<Utc>)> {
        let new_year: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
        let pin = pin(u128::from(dice.roll(CALENDARS as u32)));
        let minutes = |many: u32| TimeDelta::minutes(i64::from(many));
        let start = new_year + minutes(dice.roll(360 * 24 * 60));
        let mut target = |within: [&str; 4]| -> anyhow::Result<Target> {
            let within = within[dice.roll(4) as usize].parse()?;
            Ok(Target { within, pin: pin.clone(), at_most_seconds: None })
        };
        let (first, second) = (target(["2h", "1bd", "3bd", "10bd"])?, target(["4h", "2bd", "3d", "10bd"])?);
        let budget = first.budget(start, &self.timetable);
        let mut events = vec![ClockEvent::Started { at: start, target: first, budget }];
        for nth in 0..dice.roll(4) {
            let (pause_id, from) = (Uuid::from_u128(u128::from(nth)), start + minutes(dice.roll(4 * 24 * 60)));
            events.push(ClockEvent::Paused(Pause {
                pause_id,
                from,
                to: None,
                reason: "access".to_owned(),
                cap_seconds: Some(3 * 86_400),
                evidence: Vec::new(),
                struck: false,
            }));
            if dice.roll(3) > 0 {
                events.push(ClockEvent::Resumed { pause_id, at: from + minutes(dice.roll(24 * 60)) });
            }
        }
        if dice.roll(2) > 0 {
            let (at, budget) = (start + minutes(dice.roll(24 * 60)), second.budget(start, &self.timetable));
            events.push(ClockEvent::Retargeted { at, change: Change::Priority, target: second, budget });
        }
        if dice.roll(4) == 0 {
            events.push(ClockEvent::Stopped { at: start + minutes(dice.roll(6 * 24 * 60)) });
        }
        Ok((Clock::of(&events), start + minutes(dice.roll(6 * 24 * 60))))
    }
}

fn each<T>(clocks: &[(Clock, DateTime<Utc>)], times: usize, of: impl Fn(&Clock, DateTime<Utc>) -> T) {
    for (clock, now) in clocks.iter().cycle().take(times) {
        black_box(of(black_box(clock), *now));
    }
}

fn pin(estate: u128) -> Pin {
    Pin { calendar: Some(Uuid::from_u128(estate)), version: 1, holidays: 3, time_zone: "Asia/Shanghai".to_owned() }
}
