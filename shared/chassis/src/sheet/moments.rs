//! Dates and times of day as people write them.

use chrono::{NaiveDate, TimeDelta};
use steward_kernel::fold::folded;

const MARKS: [char; 6] = ['-', '/', '.', '年', '月', '日'];

/// A day: `2026-09-01`, `2026/9/1`, `2026.9.1`, `2026年9月1日`, `20260901`; a time of day behind it says nothing about the day.
pub(super) fn date(written: &str) -> Option<NaiveDate> {
    let written = written.trim();
    let (day, rest) = match written.find([' ', 'T', '\u{3000}', '\u{a0}']) {
        Some(end) => written.split_at(end),
        None => (written, ""),
    };
    if !rest.is_empty() {
        time(rest.trim_start_matches('T').trim_end_matches('Z'))?;
    }
    let day = folded(day);
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return NaiveDate::parse_from_str(&day, "%Y%m%d").ok();
    }
    let mut parts = day.trim_end_matches('日').split(MARKS);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = year.len() == 4 && parts.next().is_none();
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let year = i32::try_from(number(year)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).filter(|_| is_whole)
}

/// A time of day, from midnight on: `8:30`, `08:30:00`, `24:00` at its end, `次日 08:00` on the next day.
pub(super) fn time(written: &str) -> Option<TimeDelta> {
    let plain = folded(written);
    let (next_day, plain) = ["次日", "翌日", "第二天"]
        .iter()
        .find_map(|mark| plain.strip_prefix(mark).map(|rest| (true, rest.to_owned())))
        .unwrap_or((false, plain));
    let mut parts = plain.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("00");
    // Timestamps of databases have fractions.
    let seconds = seconds.split('.').next().unwrap_or_default();
    if parts.next().is_some() || hours.len() > 2 || minutes.len() != 2 || seconds.len() != 2 {
        return None;
    }
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten();
    let (hours, minutes, seconds) = (number(hours)?, number(minutes)?, number(seconds)?);
    let in_a_day = minutes < 60 && seconds < 60 && (hours < 24 || (hours, minutes, seconds) == (24, 0, 0));
    let since_midnight = TimeDelta::seconds((hours * 60 + minutes) * 60 + seconds);
    in_a_day.then(|| if next_day { since_midnight + TimeDelta::days(1) } else { since_midnight })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        for written in [
            "2024-05-01",
            "2024/5/1",
            "2024.5.1",
            "2024年5月1日",
            "20240501",
            "2024/5/1 0:00",
            "2024-05-01 08:30:00",
            "２０２４－５－１",
            "2024-05-01T00:00:00",
            "2024年05月01日 9:05",
            "2024年5月1",
            " 2024-5-1 ",
            "2024-05-01T00:00:00.000Z",
        ] {
            assert_eq!(date(written), NaiveDate::from_ymd_opt(2024, 5, 1), "{written}");
        }
        for wrong in [
            "",
            "明天",
            "24-5-1",
            "2024-5",
            "5/1/2024",
            "2024-13-01",
            "2024-02-30",
            "2024-5-1-2",
            "2024-05-01 noon",
            "45413",
            "2024--1",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let minutes = |written| time(written).map(|time| time.num_minutes());
        for (written, read) in [
            ("8:30", 510),
            ("08:30", 510),
            ("8：30", 510),
            ("08:30:00", 510),
            ("24:00", 1440),
            ("0:00", 0),
            ("次日 08:00", 1920),
            ("翌日8:00", 1920),
        ] {
            assert_eq!(minutes(written), Some(read), "{written}");
        }
        for wrong in ["", "8点", "25:00", "24:01", "8:3", "8", "8:60", "-1:00", "8:30:00:00"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
