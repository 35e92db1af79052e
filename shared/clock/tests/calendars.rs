//! Calendars: what ships, and what is hard about local time.

use std::{fmt::Write as _, path::Path};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::{Value, json};
use steward_clock::{
    Amount, Arrangement, Calendar, CalendarRules, Holidays, Pin, Timetable,
    calendar::{DayRule, Period},
    span::Span,
};

use crate::common::{HOUR, MINUTE, at, at_in, compile, local, office};

fn utc(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().expect("an instant").timestamp()
}

fn days_of(year: i32) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
    first.iter_days().take_while(move |day| day.year() == year)
}

/// A line for each month: for each day `o` open as on an ordinary Monday, `.` closed; then the days off and the working weekends, one line each.
fn chart(calendar: &Calendar) -> String {
    let mut chart = String::new();
    let minutes = |day: NaiveDate| {
        let span = calendar.day_span(day);
        calendar.open_seconds(span.from, span.to) / MINUTE
    };
    for year in 2024..=2026 {
        for month in 1..=12 {
            let days: Vec<NaiveDate> = days_of(year).filter(|day| day.month() == month).collect();
            let open = days.iter().map(|day| match minutes(*day) {
                540 => 'o',
                0 => '.',
                _ => '?',
            });
            let open: String = open.collect();
            let all: i64 = days.iter().map(|day| minutes(*day)).sum();
            writeln!(chart, "{year}-{month:02} {open:31} {:2} days {all:5} min", all / 540).expect("a line");
        }
        for day in days_of(year) {
            let what = match calendar.day(day).rule {
                DayRule::PublicHoliday { name } => name,
                DayRule::MakeupWorkday => "working day".to_owned(),
                DayRule::Week | DayRule::Always | DayRule::SpecialDay { .. } => continue,
            };
            writeln!(chart, "{day} {} {what} {}", day.weekday(), minutes(day)).expect("a line");
        }
    }
    chart
}

#[test]
fn every_day_of_three_years_is_open_as_the_golden_file_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calendar.golden.txt");
    let chart = chart(&compile(office(&[("09:00", "18:00")])));
    if std::env::var("GOLDEN").is_ok_and(|word| word == "overwrite") && std::env::var_os("CI").is_none() {
        std::fs::write(&path, &chart).expect("the golden file is written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file");
    for (line, expected) in chart.lines().zip(golden.lines()) {
        assert_eq!(line, expected, "if this is meant: GOLDEN=overwrite cargo test -p steward-clock");
    }
    assert_eq!(chart.lines().count(), golden.lines().count());
}

/// Counted by hand from the notices of the State Council, without the data files.
///
/// - 2024 has 262 days from Monday to Friday. Off on such days: 元旦 1 (Mon), 春节 5 (Mon 12 – Fri 16 Feb), 清明 2 (Thu 4, Fri 5 Apr), 劳动节 3 (Wed 1 –
///   Fri 3 May), 端午 1 (Mon 10 Jun), 中秋 2 (Mon 16, Tue 17 Sep), 国庆 5 (Tue 1 – Fri 4, Mon 7 Oct): 19. Worked at weekends: 4 and 18 Feb, 7 and 28 Apr,
///   11 May, 14 and 29 Sep, 12 Oct: 8. 262 − 19 + 8 = 251.
/// - 2025 has 261. Off: 元旦 1 (Wed), 春节 6 (Tue 28 – Fri 31 Jan, Mon 3, Tue 4 Feb), 清明 1 (Fri 4 Apr), 劳动节 3 (Thu 1, Fri 2, Mon 5 May), 端午 1 (Mon 2 Jun),
///   国庆 and 中秋 6 (Wed 1 – Fri 3, Mon 6 – Wed 8 Oct): 18. Worked: 26 Jan, 8 Feb, 27 Apr, 28 Sep, 11 Oct: 5. 261 − 18 + 5 = 248.
/// - 2026 has 261. Off: 元旦 2 (Thu 1, Fri 2 Jan), 春节 6 (Mon 16 – Fri 20, Mon 23 Feb), 清明 1 (Mon 6 Apr), 劳动节 3 (Fri 1, Mon 4, Tue 5 May), 端午 1
///   (Fri 19 Jun), 中秋 1 (Fri 25 Sep), 国庆 5 (Thu 1, Fri 2, Mon 5 – Wed 7 Oct): 19. Worked: 4 Jan, 14 and 28 Feb, 9 May, 20 Sep, 10 Oct: 6.
///   261 − 19 + 6 = 248.
#[test]
fn each_year_has_as_many_working_days_as_the_notice_makes_it() {
    let calendar = compile(office(&[("09:00", "18:00")]));
    for (year, working_days) in [(2024, 251), (2025, 248), (2026, 248)] {
        let open = days_of(year).filter(|day| {
            let span = calendar.day_span(*day);
            calendar.open_seconds(span.from, span.to) > 0
        });
        assert_eq!(open.count(), working_days, "{year}");
        let weekdays = days_of(year).filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)).count();
        assert_eq!(weekdays, if year == 2024 { 262 } else { 261 });
    }
}

#[test]
fn the_shipped_arrangements_have_no_findings_and_name_their_source() {
    let shipped: Vec<&Arrangement> = Holidays::shipped().all().collect();
    assert_eq!(shipped.iter().map(|year| year.year).collect::<Vec<_>>(), [2024, 2025, 2026]);
    for arrangement in shipped {
        assert_eq!(arrangement.findings(), []);
        assert!(arrangement.source.contains("国办发明电"));
    }
}

#[test]
fn a_bad_arrangement_is_found_out() {
    let arrangement: Arrangement = serde_json::from_value(json!({
        "region": "CN", "year": 2027, "source": " ",
        "days_off": [{ "on": "2026-12-30", "name": "" }, { "on": "2027-01-01", "name": "元旦" }, { "on": "2027-01-01", "name": "元旦" }],
        "workdays": ["2027-01-01", "2027-01-03", "2027-01-03", "2028-01-16"],
    }))
    .expect("an arrangement");
    let pointers: Vec<String> = arrangement.findings().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = [
        "/region",
        "/source",
        "/days_off/0/on",
        "/days_off/0/name",
        "/days_off/2/on",
        "/workdays/0",
        "/workdays/0",
        "/workdays/2",
        "/workdays/3",
    ];
    assert_eq!(pointers, expected);
}

#[test]
fn bad_rules_are_found_out() {
    let rules = |rules: Value| {
        let rules: CalendarRules = serde_json::from_value(rules).expect("rules");
        rules.findings(Holidays::shipped()).into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>()
    };
    let day = json!([{ "from": "09:00", "to": "12:00" }]);
    assert_eq!(rules(json!({})), ["/week"]);
    assert_eq!(rules(json!({ "always": true })), [] as [&str; 0]);
    assert_eq!(rules(json!({ "time_zone": "Beijing", "week": { "monday": day } })), ["/time_zone"]);
    assert_eq!(rules(json!({ "public_holidays": "mars", "week": { "monday": day } })), ["/public_holidays"]);
    let crossing = json!([{ "from": "09:00", "to": "12:00" }, { "from": "11:00", "to": "11:00" }]);
    assert_eq!(rules(json!({ "week": { "monday": crossing } })), ["/week/monday/1", "/week/monday/1"]);
    let special = json!({ "2050-01-01": { "name": " " } });
    let found = rules(json!({ "week": { "monday": day }, "special_days": special }));
    assert_eq!(found, ["/special_days/2050-01-01", "/special_days/2050-01-01/name"]);
    for wrong in ["8:30", "24:01", "12:60", "+8:30", "1200"] {
        assert!(serde_json::from_value::<Period>(json!({ "from": wrong, "to": "24:00" })).is_err(), "{wrong}");
    }
}

#[test]
fn a_year_whose_holidays_are_not_loaded_is_provisional_until_they_are() {
    let new_year = NaiveDate::from_ymd_opt(2027, 1, 1).expect("a date");
    let before = compile(office(&[("09:00", "18:00")])).day(new_year);
    assert_eq!((before.provisional, before.rule), (true, DayRule::Week));
    let next: Arrangement = serde_json::from_value(json!({
        "region": "cn", "year": 2027, "source": "通知", "days_off": [{ "on": "2027-01-01", "name": "元旦" }], "workdays": [],
    }))
    .expect("an arrangement");
    let rules: CalendarRules = serde_json::from_value(office(&[("09:00", "18:00")])).expect("rules");
    let calendar = Calendar::compile(&rules, &Holidays::shipped().clone().with(next), Tz::Asia__Shanghai);
    let after = calendar.day(new_year);
    assert_eq!((after.provisional, after.rule), (false, DayRule::PublicHoliday { name: "元旦".to_owned() }));
    assert!(after.hours.is_empty());
}

#[test]
fn a_holiday_that_begins_on_the_last_day_of_december_is_taken_and_holds() {
    let arrangement = |days: &[&str], workdays: &[&str]| -> Arrangement {
        let off: Vec<Value> = days.iter().map(|on| json!({ "on": on, "name": "元旦" })).collect();
        let arrangement = json!({
            "region": "cn", "year": 2027, "source": "通知", "days_off": off, "workdays": workdays,
        });
        serde_json::from_value(arrangement).expect("an arrangement")
    };
    // 31 December 2026 is a Thursday; 26 December is worked for it. 31 December 2027 is a Friday, 1 January 2028 belongs to it.
    let days = ["2026-12-31", "2027-01-01", "2027-01-02", "2027-12-31", "2028-01-01"];
    let next = arrangement(&days, &["2026-12-26", "2028-01-08"]);
    assert_eq!(next.findings(), []);
    let rules: CalendarRules = serde_json::from_value(office(&[("09:00", "18:00")])).expect("rules");
    let calendar = Calendar::compile(&rules, &Holidays::shipped().clone().with(next), Tz::Asia__Shanghai);
    let rule = |on: &str| calendar.day(on.parse().expect("a date")).rule;
    for off in days {
        assert_eq!(rule(off), DayRule::PublicHoliday { name: "元旦".to_owned() }, "{off}");
    }
    assert_eq!(rule("2026-12-26"), DayRule::MakeupWorkday);
    assert_eq!(rule("2028-01-08"), DayRule::MakeupWorkday);
    assert_eq!(rule("2026-12-30"), DayRule::Week);
    let open = calendar.day_span("2026-12-31".parse().expect("a date"));
    assert_eq!(calendar.open_seconds(open.from, open.to), 0);

    let pointers = |arrangement: Arrangement| -> Vec<String> {
        arrangement.findings().into_iter().map(|(pointer, _)| pointer).collect()
    };
    assert_eq!(pointers(arrangement(&["2026-12-30", "2027-01-01"], &[])), ["/days_off/0/on"], "a gap between them");
    assert_eq!(pointers(arrangement(&["2026-12-31"], &[])), ["/days_off/0/on"], "nothing to join on to");
    assert_eq!(pointers(arrangement(&["2027-01-01"], &["2026-12-12"])), ["/workdays/0"], "too far");
}

/// What a day is by each pair of rules that meet on it: the first one of the pair stands.
#[test]
fn of_two_rules_for_a_day_the_stronger_one_stands() {
    let hours = |from: &str, to: &str| json!([{ "from": from, "to": to }]);
    let rules = |change: &dyn Fn(&mut Value)| {
        let mut rules = office(&[("09:00", "18:00")]);
        (rules["week"]["saturday"], rules["makeup"]) = (hours("09:00", "12:00"), hours("08:30", "18:00"));
        change(&mut rules);
        compile(rules)
    };
    let of = |calendar: &Calendar, on: &str| {
        let day = calendar.day(on.parse().expect("a date"));
        let hours: Vec<u16> = day.hours.iter().flat_map(|period| [period.from, period.to]).collect();
        (day.rule, hours)
    };
    let plain = rules(&|_| {});
    // Saturdays that are worked stand over the half day of the week; others do not.
    for saturday in ["2026-02-14", "2026-02-28"] {
        assert_eq!(of(&plain, saturday), (DayRule::MakeupWorkday, vec![510, 1080]), "{saturday}");
    }
    assert_eq!(of(&plain, "2026-02-07"), (DayRule::Week, vec![540, 720]));
    // A Sunday on which the week is closed.
    assert_eq!(of(&plain, "2026-09-20"), (DayRule::MakeupWorkday, vec![510, 1080]));
    // Nothing is said of them: they are worked as Mondays are, not as half days.
    let unsaid = rules(&|rules| rules["makeup"] = Value::Null);
    assert_eq!(of(&unsaid, "2026-02-14"), (DayRule::MakeupWorkday, vec![540, 1080]));
    // Closed on Mondays: as on any such day.
    let museum = rules(&|rules| (rules["makeup"], rules["week"]["monday"]) = (Value::Null, json!([])));
    assert_eq!(of(&museum, "2026-02-14"), (DayRule::Week, vec![540, 720]));
    // Said to be closed then.
    let closed = rules(&|rules| rules["makeup"] = json!([]));
    assert_eq!(of(&closed, "2026-02-14"), (DayRule::MakeupWorkday, vec![]));
    // A public holiday stands over the week, on a Saturday, too.
    let holiday = || DayRule::PublicHoliday { name: "春节".to_owned() };
    assert_eq!(of(&plain, "2026-02-21"), (holiday(), vec![]));
    assert_eq!(of(&plain, "2026-02-17"), (holiday(), vec![]));
    // A special day stands over the week, a holiday and a day that is made up for.
    let special = rules(&|rules| {
        let day = json!({ "name": "盘点", "hours": hours("13:00", "14:00") });
        rules["special_days"] = json!({ "2026-02-09": day, "2026-02-17": day, "2026-02-14": day });
    });
    for on in ["2026-02-09", "2026-02-17", "2026-02-14"] {
        assert_eq!(of(&special, on), (DayRule::SpecialDay { name: "盘点".to_owned() }, vec![780, 840]), "{on}");
    }
    // Who is open day and night is so on all of them.
    let always = rules(&|rules| rules["always"] = json!(true));
    for on in ["2026-02-14", "2026-02-17", "2026-02-09"] {
        assert_eq!(of(&always, on).0, DayRule::Always, "{on}");
    }
    // Who follows no public holidays has its week.
    let own = rules(&|rules| rules["public_holidays"] = Value::Null);
    assert_eq!(of(&own, "2026-02-14"), (DayRule::Week, vec![540, 720]));
    assert_eq!(of(&own, "2026-02-17"), (DayRule::Week, vec![540, 1080]));
}

#[test]
fn special_days_stand_over_holidays_and_these_over_the_week() {
    let mut rules = office(&[("09:00", "18:00")]);
    rules["holiday"] = json!([{ "from": "10:00", "to": "12:00" }]);
    rules["makeup"] = json!([{ "from": "09:00", "to": "12:00" }]);
    rules["special_days"] = json!({
        "2026-10-01": { "name": "国庆值班", "hours": [{ "from": "08:00", "to": "20:00" }] },
        "2026-09-08": { "name": "台风停工" },
        "2027-09-08": { "name": "盘点" },
    });
    let calendar = compile(rules);
    let open = |day: &str| {
        let span = calendar.day_span(day.parse().expect("a date"));
        calendar.open_seconds(span.from, span.to)
    };
    assert_eq!(open("2026-10-01"), 12 * HOUR);
    assert_eq!(open("2026-10-02"), 2 * HOUR);
    assert_eq!(open("2026-09-08"), 0);
    assert_eq!(open("2026-09-20"), 3 * HOUR);
    assert_eq!(open("2026-09-21"), 9 * HOUR);
    assert_eq!(open("2026-09-19"), 0);
    let (special, week) =
        (calendar.day("2027-09-08".parse().expect("a date")), calendar.day("2027-09-09".parse().expect("a date")));
    assert_eq!(
        (special.provisional, week.provisional),
        (false, true),
        "what the company says stands, whatever the holidays are"
    );
}

/// A working Saturday has no Monday to be like.
#[test]
fn a_working_weekend_changes_nothing_where_only_weekends_are_open() {
    let hours = json!([{ "from": "10:00", "to": "16:00" }]);
    let calendar = compile(json!({ "public_holidays": "cn", "week": { "saturday": hours } }));
    let saturday = calendar.day("2026-02-14".parse().expect("a date"));
    assert_eq!((saturday.rule, saturday.hours.len()), (DayRule::Week, 1));
}

#[test]
fn business_days_end_at_their_close_and_the_first_day_does_not_count() {
    let calendar = compile(office(&[("09:00", "12:00"), ("13:30", "18:00")]));
    let close = |from: &str, days| local(calendar.close_of_business_day(at(from).timestamp(), days));
    assert_eq!(close("2026-11-20 10:00", 1), "2026-11-23 18:00");
    assert_eq!(close("2026-11-21 10:00", 1), "2026-11-23 18:00");
    assert_eq!(close("2026-09-30 20:00", 1), "2026-10-08 18:00");
    assert_eq!(close("2026-09-30 20:00", 3), "2026-10-10 18:00");
    let budget =
        |from: &str, amount: &str| amount.parse::<Amount>().expect("an amount").budget(at(from).timestamp(), &calendar);
    assert_eq!(budget("2026-11-20 17:00", "1bd"), HOUR + 7 * HOUR + 30 * MINUTE);
    assert_eq!(budget("2026-11-20 17:00", "same_day"), 7 * HOUR);
    assert_eq!(budget("2026-11-20 23:00", "same_day"), 2 * HOUR);
    assert_eq!(budget("2026-11-20 17:00", "3d"), 72 * HOUR);
}

#[test]
fn day_and_night_is_read_in_the_zone_of_its_pin() {
    let timetable = Timetable::default();
    let start = utc("2026-11-23T20:00:00Z");
    let same_day = |zone: &str| Amount::SameDay.budget(start, timetable.get(&Pin::always(zone)));
    // In Shanghai it is four in the morning of the next day, in Berlin nine in the evening.
    assert_eq!(same_day("Asia/Shanghai"), 20 * HOUR);
    assert_eq!(same_day("Europe/Berlin"), 3 * HOUR);
    assert_eq!(same_day("Nowhere"), 20 * HOUR);
    let lost = Pin { calendar: Some(uuid::Uuid::nil()), ..Pin::always("America/New_York") };
    assert_eq!(timetable.get(&lost).zone(), Tz::America__New_York);
}

#[test]
fn a_timetable_finds_each_calendar_by_its_pin() {
    let pin = |n: u128, version| Pin {
        calendar: Some(uuid::Uuid::from_u128(n)),
        version,
        holidays: 3,
        time_zone: "Asia/Shanghai".to_owned(),
    };
    let open = |to: &str| std::sync::Arc::new(compile(office(&[("09:00", to)])));
    let timetable = Timetable::default().with(pin(2, 1), open("10:00")).with(pin(1, 2), open("11:00"));
    let timetable = timetable.with(pin(1, 1), open("12:00")).with(pin(2, 1), open("13:00"));
    let monday = at("2026-11-23 00:00").timestamp();
    let hours = |pin: &Pin| timetable.get(pin).open_seconds(monday, monday + 24 * HOUR) / HOUR;
    assert_eq!([hours(&pin(1, 1)), hours(&pin(1, 2)), hours(&pin(2, 1)), hours(&pin(3, 1))], [3, 2, 4, 24]);
    assert!(timetable.has(&pin(1, 2)) && !timetable.has(&pin(2, 2)));
}

fn every_day(zone: &str, hours: &[(&str, &str)]) -> Calendar {
    let hours: Vec<Value> = hours.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week: serde_json::Map<String, Value> = days.iter().map(|day| ((*day).to_owned(), json!(hours))).collect();
    compile(json!({ "time_zone": zone, "week": week }))
}

#[test]
fn nights_are_one_piece_and_what_is_over_is_not_named() {
    let nights = every_day("Asia/Shanghai", &[("00:00", "06:00"), ("22:00", "24:00")]);
    let (evening, morning) = (at("2026-11-23 06:00").timestamp(), at("2026-11-24 06:00").timestamp());
    let night = Span::new(at("2026-11-23 22:00").timestamp(), morning);
    assert_eq!(nights.opens_within(Span::new(evening, morning)), [night]);
}

fn opens(calendar: &Calendar, day: &str) -> Vec<Span> {
    calendar.opens_within(calendar.day_span(day.parse().expect("a date")))
}

/// In Berlin the clocks go from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC.
#[test]
fn a_time_that_the_clocks_skip_is_when_they_skip_it() {
    let skip = utc("2026-03-29T01:00:00Z");
    let from_within = every_day("Europe/Berlin", &[("02:10", "04:00")]);
    assert_eq!(opens(&from_within, "2026-03-29"), [Span::new(skip, utc("2026-03-29T02:00:00Z"))]);
    let to_within = every_day("Europe/Berlin", &[("01:00", "02:40")]);
    assert_eq!(opens(&to_within, "2026-03-29"), [Span::new(utc("2026-03-29T00:00:00Z"), skip)]);
    let over = every_day("Europe/Berlin", &[("01:00", "04:00")]);
    assert_eq!(opens(&over, "2026-03-29"), [Span::new(utc("2026-03-29T00:00:00Z"), utc("2026-03-29T02:00:00Z"))]);
    let gone = every_day("Europe/Berlin", &[("02:00", "03:00")]);
    assert_eq!(opens(&gone, "2026-03-29"), []);
}

/// In Berlin the clocks go from 03:00 back to 02:00 on 25 October 2026, at 01:00 UTC.
#[test]
fn a_time_that_the_clocks_show_twice_begins_with_the_first_and_ends_with_the_last() {
    let until_within = every_day("Europe/Berlin", &[("01:00", "02:30")]);
    let both = [Span::new(utc("2026-10-24T23:00:00Z"), utc("2026-10-25T01:30:00Z"))];
    assert_eq!(opens(&until_within, "2026-10-25"), both);
    let from_within = every_day("Europe/Berlin", &[("02:30", "04:00")]);
    assert_eq!(
        opens(&from_within, "2026-10-25"),
        [Span::new(utc("2026-10-25T00:30:00Z"), utc("2026-10-25T03:00:00Z"))]
    );
    // What is over at two is over when it is two for the first time.
    let until_two = every_day("Europe/Berlin", &[("01:00", "02:00")]);
    assert_eq!(opens(&until_two, "2026-10-25"), [Span::new(utc("2026-10-24T23:00:00Z"), utc("2026-10-25T00:00:00Z"))]);
    let from_three = every_day("Europe/Berlin", &[("03:00", "04:00")]);
    assert_eq!(opens(&from_three, "2026-10-25"), [Span::new(utc("2026-10-25T02:00:00Z"), utc("2026-10-25T03:00:00Z"))]);
}

/// In Havana midnight itself is skipped in spring and shown twice in autumn; in Beirut and Santiago as well, in their ways.
#[test]
fn days_meet_at_midnight_whatever_the_clocks_do_there() {
    for zone in
        ["America/Havana", "Asia/Beirut", "America/Santiago", "Africa/Cairo", "America/Nuuk", "Australia/Lord_Howe"]
    {
        let all = every_day(zone, &[("00:00", "24:00")]);
        let nights = every_day(zone, &[("00:00", "06:00"), ("22:00", "24:00")]);
        for day in days_of(2026) {
            let (today, tomorrow) = (all.day_span(day), all.day_span(day.succ_opt().expect("a date")));
            assert_eq!(today.to, tomorrow.from, "{zone} {day}");
            assert_eq!(all.midnight_after(today.from), today.to, "{zone} {day}");
            assert_eq!(all.open_seconds(today.from, today.to), today.seconds(), "{zone} {day}");
            assert!((22 * HOUR..=26 * HOUR).contains(&today.seconds()));
            assert_eq!(nights.close_of_business_day(today.from, 1), tomorrow.to, "{zone} {day}");
        }
    }
}

#[test]
fn what_lies_outside_the_table_is_closed() {
    let calendar = compile(office(&[("09:00", "18:00")]));
    let end = at_in(Tz::Asia__Shanghai, "2040-12-31 18:00").timestamp();
    assert_eq!(calendar.open_seconds(0, utc("2020-01-01T00:00:00Z")), 0);
    assert_eq!(calendar.open_seconds(end, i64::MAX), 0);
    assert_eq!(calendar.after(end - HOUR, HOUR), end);
    assert_eq!(calendar.after(end - HOUR, HOUR + 1), end);
    assert_eq!(calendar.after(end + HOUR, 1), end + HOUR);
    assert_eq!(calendar.open_seconds(i64::MIN, i64::MAX), calendar.open_seconds(0, end));
    assert_eq!(calendar.after(0, 1), utc("2020-01-01T01:00:01Z"));
    assert_eq!(calendar.close_of_business_day(end - 4 * 24 * HOUR, 100), end);
    assert_eq!(calendar.day_span(NaiveDate::MAX).seconds(), 0);
}
