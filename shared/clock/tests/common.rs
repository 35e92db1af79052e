//! What the tests share: an office in Shanghai, and clocks that run by it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use steward_clock::{
    Calendar, CalendarRules, Clock, ClockEvent, Holidays, Pin, Reading, Target, Timetable,
    clock::{Change, Pause},
};
use uuid::Uuid;

/// A local time in Shanghai: `2026-11-23 10:30`, with or without seconds.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    at_in(Tz::Asia__Shanghai, text)
}

/// A local time somewhere.
pub(crate) fn at_in(zone: Tz, text: &str) -> DateTime<Utc> {
    let text = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").expect("a local time");
    zone.from_local_datetime(&local).single().expect("an unambiguous time").to_utc()
}

/// Monday to Friday, these hours each day, with the public holidays of `cn`.
pub(crate) fn office(hours: &[(&str, &str)]) -> Value {
    let hours: Vec<Value> = hours.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    json!({
        "public_holidays": "cn",
        "week": { "monday": hours, "tuesday": hours, "wednesday": hours, "thursday": hours, "friday": hours },
    })
}

pub(crate) fn compile(rules: Value) -> Calendar {
    let rules: CalendarRules = serde_json::from_value(rules).expect("rules of a calendar");
    assert_eq!(rules.findings(Holidays::shipped()), []);
    Calendar::compile(&rules, Holidays::shipped(), Tz::Asia__Shanghai)
}

pub(crate) fn pin(version: i32) -> Pin {
    Pin { calendar: Some(Uuid::from_u128(1)), version, holidays: 3, time_zone: "Asia/Shanghai".to_owned() }
}

/// A place with one calendar, which is version 1.
pub(crate) struct Place {
    pub(crate) timetable: Timetable,
}

impl Place {
    pub(crate) fn of(rules: Value) -> Self {
        Self { timetable: Timetable::default() }.and(1, rules)
    }

    /// It has another version as well.
    pub(crate) fn and(self, version: i32, rules: Value) -> Self {
        Self { timetable: self.timetable.with(pin(version), Arc::new(compile(rules))) }
    }

    pub(crate) fn target(&self, within: &str) -> Target {
        Target { within: within.parse().expect("an amount"), pin: pin(1), at_most_seconds: None }
    }

    pub(crate) fn started(&self, when: &str, within: &str) -> ClockEvent {
        self.started_with(when, self.target(within))
    }

    pub(crate) fn started_with(&self, when: &str, target: Target) -> ClockEvent {
        ClockEvent::Started { at: at(when), budget: target.budget(at(when), &self.timetable), target }
    }

    /// It has another target from then on; what that gives is measured from the start.
    pub(crate) fn retargeted(&self, start: &str, when: &str, change: Change, target: Target) -> ClockEvent {
        ClockEvent::Retargeted { at: at(when), change, budget: target.budget(at(start), &self.timetable), target }
    }

    pub(crate) fn read(&self, events: &[ClockEvent], now: &str) -> Reading {
        Clock::of(events).read(&self.timetable, at(now)).expect("a clock that was started")
    }

    /// When it is due, in Shanghai.
    pub(crate) fn due(&self, events: &[ClockEvent]) -> String {
        local(Clock::of(events).due_at(&self.timetable))
    }
}

pub(crate) fn day_and_night(within: &str) -> Target {
    let within = within.parse().expect("an amount");
    Target { within, pin: Pin::always("Asia/Shanghai"), at_most_seconds: None }
}

pub(crate) fn local(seconds: i64) -> String {
    let instant = DateTime::from_timestamp(seconds, 0).expect("a time that comes");
    instant.with_timezone(&Tz::Asia__Shanghai).format("%Y-%m-%d %H:%M").to_string()
}

pub(crate) fn pause(id: u128, from: &str, reason: &str) -> Pause {
    Pause {
        pause_id: Uuid::from_u128(id),
        from: at(from),
        to: None,
        reason: reason.to_owned(),
        cap_seconds: None,
        evidence: Vec::new(),
        struck: false,
    }
}

pub(crate) fn paused(id: u128, from: &str) -> ClockEvent {
    ClockEvent::Paused(pause(id, from, "parts"))
}

pub(crate) fn resumed(id: u128, when: &str) -> ClockEvent {
    ClockEvent::Resumed { pause_id: Uuid::from_u128(id), at: at(when) }
}

pub(crate) fn struck(id: u128) -> ClockEvent {
    ClockEvent::Struck { pause_id: Uuid::from_u128(id) }
}

pub(crate) fn stopped(when: &str) -> ClockEvent {
    ClockEvent::Stopped { at: at(when) }
}

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
