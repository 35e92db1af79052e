//! Amounts of time, as people write them.

use steward_clock::{Amount, amount, span::NEVER};

#[test]
fn what_people_write_is_read_and_written_back() {
    let cases = [
        ("90s", Amount::Seconds(90), "90s"),
        ("15m", Amount::Seconds(900), "15m"),
        ("60m", Amount::Seconds(3600), "1h"),
        ("24h", Amount::Seconds(86_400), "24h"),
        ("3d", Amount::Days(3), "3d"),
        ("10bd", Amount::BusinessDays(10), "10bd"),
        ("same_day", Amount::SameDay, "same_day"),
    ];
    for (text, amount, written) in cases {
        assert_eq!(text.parse(), Ok(amount));
        assert_eq!(amount.to_string(), written);
        assert_eq!(written.parse(), Ok(amount));
        assert_eq!(serde_json::to_value(amount).expect("json"), written);
    }
    let until: Amount = "until 2026-11-24T14:00:00+08:00".parse().expect("an instant");
    assert_eq!(until.to_string(), "until 2026-11-24T06:00:00+00:00");
    assert_eq!(until.to_string().parse(), Ok(until));
}

#[test]
fn what_is_no_amount_is_refused() {
    let wrong = [
        "",
        "h",
        "2",
        "2 h",
        "-2h",
        "+2h",
        "2.5h",
        "2H",
        "0m",
        "0d",
        "0bd",
        "3651d",
        "87601h",
        "65536bd",
        "99999999999s",
        "２h",
        "until tomorrow",
        "sameday",
    ];
    for text in wrong {
        assert!(text.parse::<Amount>().is_err(), "{text}");
    }
    assert_eq!("3650d".parse(), Ok(Amount::Days(3650)));
    assert_eq!("87600h".parse(), Ok(Amount::Seconds(315_360_000)));
}

#[test]
fn what_never_comes_has_no_instant() {
    assert_eq!(amount::instant(NEVER), None);
    assert_eq!(amount::instant(i64::MIN), None);
    assert_eq!(amount::instant(0), Some(chrono::DateTime::UNIX_EPOCH));
}
