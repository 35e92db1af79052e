//! What people read: every state in every language.

use steward_clock::{
    Clock, ClockEvent, Measure, PauseReason,
    calendar::DayRule,
    clock::{Change, Pause},
    explain::{Cause, called_off, measured, reason, sentence, word},
};
use steward_kernel::vocabulary::Language;

use crate::common::{Place, at, day_and_night, office, pause, paused, resumed, stopped};

fn place() -> Place {
    Place::of(office(&[("09:00", "17:00")]))
}

fn told(events: &[ClockEvent], measure: Measure, now: &str) -> [String; 3] {
    tell(&Clock::of(events), measure, now)
}

fn tell(clock: &Clock, measure: Measure, now: &str) -> [String; 3] {
    let place = place();
    let reading = clock.read(&place.timetable, at(now)).expect("it was started");
    [Language::ZhHans, Language::ZhHant, Language::En]
        .map(|language| sentence(clock, &reading, &place.timetable, measure, at(now), language))
}

fn awaiting(cap_seconds: Option<u32>) -> ClockEvent {
    ClockEvent::Paused(Pause { cap_seconds, ..pause(1, "2026-11-23 15:00", "awaiting_owner") })
}

#[test]
fn running_by_opening_hours() {
    let events = [place().started("2026-11-23 16:30", "2h")];
    let expected = [
        "首次答复：还剩 1 小时 20 分钟（营业时间），应于 11月24日 周二 10:30 前完成。",
        "首次答覆：還剩 1 小時 20 分鐘（營業時間），應於 11月24日 週二 10:30 前完成。",
        "The first answer is due by Tue 24 Nov 10:30: 1 hour 20 minutes of opening hours left.",
    ];
    assert_eq!(told(&events, Measure::Acknowledge, "2026-11-24 09:10"), expected);
}

#[test]
fn running_by_the_wall() {
    let events = [place().started_with("2026-11-23 16:30", day_and_night("3d"))];
    let expected = [
        "办理完成：还剩 2 天 7 小时，应于 11月26日 周四 16:30 前完成。",
        "辦理完成：還剩 2 天 7 小時，應於 11月26日 週四 16:30 前完成。",
        "Finishing it is due by Thu 26 Nov 16:30: 2 days 7 hours left.",
    ];
    assert_eq!(told(&events, Measure::Finish, "2026-11-24 09:10"), expected);
}

#[test]
fn running_against_the_limit_on_the_wall() {
    let mut target = place().target("1bd");
    target.at_most_seconds = Some(24 * 3600);
    let events = [place().started_with("2026-11-20 16:30", target)];
    let expected = [
        "首次答复：还剩 30 分钟，应于 11月21日 周六 16:30 前完成。",
        "首次答覆：還剩 30 分鐘，應於 11月21日 週六 16:30 前完成。",
        "The first answer is due by Sat 21 Nov 16:30: 30 minutes left.",
    ];
    assert_eq!(told(&events, Measure::Acknowledge, "2026-11-21 16:00"), expected);
}

#[test]
fn running_in_its_last_minute_and_into_the_next_year() {
    let events = [place().started("2026-12-31 16:00", "1h")];
    let expected = [
        "到达现场：还剩 不到 1 分钟（营业时间），应于 12月31日 周四 17:00 前完成。",
        "到達現場：還剩 不到 1 分鐘（營業時間），應於 12月31日 週四 17:00 前完成。",
        "Arriving on the spot is due by Thu 31 Dec 17:00: less than a minute of opening hours left.",
    ];
    assert_eq!(told(&events, Measure::Arrive, "2026-12-31 16:59:30"), expected);
    let events = [place().started("2026-12-31 16:00", "10h")];
    let expected = [
        "办理完成：还剩 10 小时（营业时间），应于 2027年1月4日 周一 10:00 前完成。2027 年节假日安排尚未公布，时间可能变动。",
        "辦理完成：還剩 10 小時（營業時間），應於 2027年1月4日 週一 10:00 前完成。2027 年節假日安排尚未公布，時間可能變動。",
        "Finishing it is due by Mon 4 Jan 2027 10:00: 10 hours of opening hours left. The public holidays of 2027 are not known yet, so this may change.",
    ];
    assert_eq!(told(&events, Measure::Finish, "2026-12-31 16:00"), expected);
}

#[test]
fn overdue() {
    let events = [place().started("2026-11-23 09:30", "1h")];
    let expected = [
        "告知处理方案：应于 11月23日 周一 10:30 前完成，已超时 1 天 2 小时。",
        "告知處理方案：應於 11月23日 週一 10:30 前完成，已逾時 1 天 2 小時。",
        "Telling the plan was due by Mon 23 Nov 10:30 and is overdue by 1 day 2 hours.",
    ];
    assert_eq!(told(&events, Measure::Plan, "2026-11-24 12:59"), expected);
}

#[test]
fn paused_until_a_time_at_the_latest() {
    let events = [place().started("2026-11-23 09:00", "16h"), awaiting(Some(7 * 86_400))];
    let expected = [
        "作出决定：自 11月23日 周一 15:00 起暂停（等待业主回复），最迟到 11月30日 周一 15:00；这段时间不计，恢复后还剩 10 小时（营业时间）。",
        "作出決定：自 11月23日 週一 15:00 起暫停（等待業主回覆），最遲到 11月30日 週一 15:00；這段時間不計，恢復後還剩 10 小時（營業時間）。",
        "The decision is paused since Mon 23 Nov 15:00 (waiting for the owner), until Mon 30 Nov 15:00 at the latest. That time does not count; \
         afterwards 10 hours of opening hours will be left.",
    ];
    assert_eq!(told(&events, Measure::Decide, "2026-11-25 09:00"), expected);
}

#[test]
fn paused_without_an_end() {
    let events = [place().started("2026-11-23 09:00", "16h"), awaiting(None)];
    let expected = [
        "排除险情：自 11月23日 周一 15:00 起暂停（等待业主回复），恢复时间未定；这段时间不计，恢复后还剩 10 小时（营业时间）。",
        "排除險情：自 11月23日 週一 15:00 起暫停（等待業主回覆），恢復時間未定；這段時間不計，恢復後還剩 10 小時（營業時間）。",
        "Making it safe is paused since Mon 23 Nov 15:00 (waiting for the owner), nobody knows until when. That time does not count; \
         afterwards 10 hours of opening hours will be left.",
    ];
    assert_eq!(told(&events, Measure::MakeSafe, "2026-11-25 09:00"), expected);
}

#[test]
fn paused_and_overdue() {
    let events = [place().started("2026-11-23 09:00", "4h"), awaiting(Some(86_400))];
    let expected = [
        "办理完成：应于 11月23日 周一 13:00 前完成，已超时；自 11月23日 周一 15:00 起暂停（等待业主回复），最迟到 11月24日 周二 15:00；这段时间不计。",
        "辦理完成：應於 11月23日 週一 13:00 前完成，已逾時；自 11月23日 週一 15:00 起暫停（等待業主回覆），最遲到 11月24日 週二 15:00；這段時間不計。",
        "Finishing it was due by Mon 23 Nov 13:00 and is overdue; it is paused since Mon 23 Nov 15:00 (waiting for the owner), \
         until Tue 24 Nov 15:00 at the latest. That time does not count.",
    ];
    assert_eq!(told(&events, Measure::Finish, "2026-11-24 09:00"), expected);
}

#[test]
fn running_after_a_pause_that_ran_out() {
    let events = [place().started("2026-11-23 09:00", "16h"), awaiting(Some(86_400))];
    let expected = [
        "办理完成：还剩 9 小时（营业时间），应于 11月25日 周三 17:00 前完成。暂停（等待业主回复）已到期，11月24日 周二 15:00 起自动恢复计时。",
        "辦理完成：還剩 9 小時（營業時間），應於 11月25日 週三 17:00 前完成。暫停（等待業主回覆）已到期，11月24日 週二 15:00 起自動恢復計時。",
        "Finishing it is due by Wed 25 Nov 17:00: 9 hours of opening hours left. \
         The pause (waiting for the owner) lasted as long as it may and ended by itself on Tue 24 Nov 15:00.",
    ];
    assert_eq!(told(&events, Measure::Finish, "2026-11-24 16:00"), expected);
    assert!(told(&events, Measure::Finish, "2026-11-24 15:00")[2].contains("by itself"));
    // Once there was another pause, the old one is of no interest.
    let again = [events.as_slice(), &[paused(2, "2026-11-24 16:00"), resumed(2, "2026-11-24 16:30")]].concat();
    assert!(!told(&again, Measure::Finish, "2026-11-24 16:40")[2].contains("by itself"));
}

#[test]
fn stopped_in_time() {
    let events = [place().started("2026-11-23 09:30", "1h"), stopped("2026-11-23 09:50")];
    let expected = [
        "首次答复：应于 11月23日 周一 10:30 前完成，已于 09:50 完成，按时。",
        "首次答覆：應於 11月23日 週一 10:30 前完成，已於 09:50 完成，準時。",
        "The first answer was due by Mon 23 Nov 10:30; it came at 09:50, in time.",
    ];
    assert_eq!(told(&events, Measure::Acknowledge, "2026-11-25 09:00"), expected);
}

#[test]
fn stopped_too_late() {
    let events = [place().started("2026-11-23 09:30", "1h"), stopped("2026-11-24 09:00")];
    let expected = [
        "回访：应于 11月23日 周一 10:30 前完成，11月24日 周二 09:00 才完成，超时 22 小时 30 分钟。",
        "回訪：應於 11月23日 週一 10:30 前完成，11月24日 週二 09:00 才完成，逾時 22 小時 30 分鐘。",
        "The call-back was due by Mon 23 Nov 10:30; it was made on Tue 24 Nov 09:00, 22 hours 30 minutes late.",
    ];
    assert_eq!(told(&events, Measure::FollowUp, "2026-11-25 09:00"), expected);
}

#[test]
fn entered_late() {
    let mut clock = Clock::of(&[place().started("2026-11-23 09:30", "1h"), stopped("2026-11-23 11:00")]);
    clock.late_entry = true;
    let expected = [
        "首次答复：应于 11月23日 周一 10:30 前完成，11:00 才完成，超时 30 分钟。补录：登记时已经超时。",
        "首次答覆：應於 11月23日 週一 10:30 前完成，11:00 才完成，逾時 30 分鐘。補錄：登記時已經逾時。",
        "The first answer was due by Mon 23 Nov 10:30; it came at 11:00, 30 minutes late. Late entry: it was overdue when it was written down.",
    ];
    assert_eq!(tell(&clock, Measure::Acknowledge, "2026-11-25 09:00"), expected);
}

#[test]
fn agreed_upon() {
    let until = day_and_night("until 2026-11-24T14:00:00+08:00");
    let start = "2026-11-23 09:00";
    let agreed = place().retargeted(start, "2026-11-23 10:00", Change::Appointment, until);
    let events = [place().started(start, "1h"), agreed];
    let expected = [
        "到达现场：还剩 5 小时，应于 11月24日 周二 14:00 前完成。",
        "到達現場：還剩 5 小時，應於 11月24日 週二 14:00 前完成。",
        "Arriving on the spot is due by Tue 24 Nov 14:00: 5 hours left.",
    ];
    assert_eq!(told(&events, Measure::Arrive, "2026-11-24 09:00"), expected);
}

const LANGUAGES: [Language; 3] = [Language::ZhHans, Language::ZhHant, Language::En];

#[test]
fn called_off_in_three_languages() {
    let expected = [
        "回访：已取消，不再计时。",
        "回訪：已取消，不再計時。",
        "The call-back is no longer needed; its clock does not count.",
    ];
    assert_eq!(LANGUAGES.map(|language| called_off(Measure::FollowUp, language)), expected);
}

#[test]
fn every_reason_and_every_measure_has_words_in_three_languages() {
    for known in PauseReason::ALL.iter().map(|reason| reason.as_str()) {
        for language in LANGUAGES {
            assert_ne!(word(known, language), known);
        }
    }
    assert_eq!(word("lunar_eclipse", Language::En), "lunar_eclipse");
    assert_eq!(LANGUAGES.map(|language| word("access", language)), ["无法入户", "無法入戶", "no access to the place"]);
    for language in LANGUAGES {
        let mut words: Vec<&str> = Measure::ALL.iter().map(|measure| measured(*measure, language)).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Measure::ALL.len());
    }
}

#[test]
fn every_cause_has_words_in_three_languages() {
    let open = |day: DayRule, provisional| Cause::Open { day, provisional };
    let closed = |day: DayRule, provisional| Cause::Closed { day, provisional };
    let holiday = || DayRule::PublicHoliday { name: "春节".to_owned() };
    let special = || DayRule::SpecialDay { name: "台风停工".to_owned() };
    let paused = Cause::Paused { pause_id: uuid::Uuid::nil(), reason: "weather".to_owned() };
    let cases = [
        (open(DayRule::Always, false), ["全天计时", "全天計時", "counts day and night"]),
        (open(DayRule::Week, false), ["营业时间", "營業時間", "opening hours"]),
        (
            open(DayRule::MakeupWorkday, false),
            ["调休上班日的营业时间", "調休上班日的營業時間", "opening hours of a make-up workday"],
        ),
        (open(holiday(), false), ["春节的值班时间", "春节的值班時間", "hours on the public holiday 春节"]),
        (
            open(special(), false),
            ["特别日（台风停工）的营业时间", "特別日（台风停工）的營業時間", "hours of the special day 台风停工"],
        ),
        (
            closed(DayRule::Week, true),
            [
                "营业时间外（节假日安排尚未公布）",
                "營業時間外（節假日安排尚未公布）",
                "outside opening hours (public holidays not known yet)",
            ],
        ),
        (
            closed(DayRule::MakeupWorkday, false),
            ["调休上班日的营业时间外", "調休上班日的營業時間外", "outside opening hours of a make-up workday"],
        ),
        (closed(holiday(), false), ["春节放假", "春节放假", "closed for the public holiday 春节"]),
        (
            closed(special(), false),
            ["特别日（台风停工）不营业", "特別日（台风停工）不營業", "closed on the special day 台风停工"],
        ),
        (paused, ["暂停：受天气影响", "暫停：受天氣影響", "paused: held up by the weather"]),
    ];
    for (cause, expected) in cases {
        assert_eq!(LANGUAGES.map(|language| reason(&cause, language)), expected);
    }
}
