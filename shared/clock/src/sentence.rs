//! What people read about a clock, in three languages.

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;
use steward_kernel::vocabulary::Language;

use crate::{
    calendar::{DayRule, Timetable},
    clock::{Clock, ClockState, Pause, Reading},
    explain::Cause,
    policy::Measure,
    span::NEVER,
};

/// The text in a language, of 简体中文, 繁體中文 and English.
const fn pick(language: Language, [hans, hant, en]: [&str; 3]) -> &str {
    match language {
        Language::ZhHans => hans,
        Language::ZhHant => hant,
        Language::En => en,
    }
}

/// A sentence in a language: `pick` with gaps.
macro_rules! say {
    ($language:expr, $hans:literal, $hant:literal, $en:literal $(,)?) => {
        match $language {
            Language::ZhHans => format!($hans),
            Language::ZhHant => format!($hant),
            Language::En => format!($en),
        }
    };
}

/// The words for a reason of a pause; one that is not known is itself.
#[must_use]
pub fn word(reason: &str, language: Language) -> &str {
    match reason {
        "awaiting_owner" => pick(language, ["等待业主回复", "等待業主回覆", "waiting for the owner"]),
        "parts" => pick(language, ["等待配件", "等待配件", "waiting for parts"]),
        "access" => pick(language, ["无法入户", "無法入戶", "no access to the place"]),
        "weather" => pick(language, ["受天气影响", "受天氣影響", "held up by the weather"]),
        "third_party" => pick(language, ["等待第三方", "等待第三方", "waiting for a third party"]),
        "approval" => pick(language, ["等待批准", "等待批准", "waiting for approval"]),
        other => other,
    }
}

/// The words for what a clock measures.
#[must_use]
pub fn measured(measure: Measure, language: Language) -> &'static str {
    let words = match measure {
        Measure::Acknowledge => ["首次答复", "首次答覆", "The first answer"],
        Measure::Plan => ["告知处理方案", "告知處理方案", "Telling the plan"],
        Measure::Arrive => ["到达现场", "到達現場", "Arriving on the spot"],
        Measure::MakeSafe => ["排除险情", "排除險情", "Making it safe"],
        Measure::Finish => ["办理完成", "辦理完成", "Finishing it"],
        Measure::Decide => ["作出决定", "作出決定", "The decision"],
        Measure::FollowUp => ["回访", "回訪", "The call-back"],
    };
    pick(language, words)
}

/// How English says that it was done; Chinese needs one word for all.
const fn done(measure: Measure) -> &'static str {
    match measure {
        Measure::Acknowledge | Measure::Decide => "it came",
        Measure::Plan => "the owner was told",
        Measure::Arrive => "somebody was there",
        Measure::MakeSafe => "it was safe",
        Measure::Finish => "it was done",
        Measure::FollowUp => "it was made",
    }
}

/// Why a stretch counted or not, for people.
#[must_use]
pub fn reason(cause: &Cause, language: Language) -> String {
    match cause {
        Cause::Open { day, provisional } => unsure(open(day, language), *provisional, language),
        Cause::Closed { day, provisional } => unsure(closed(day, language), *provisional, language),
        Cause::Paused { reason, .. } => {
            let why = word(reason, language);
            say!(language, "暂停：{why}", "暫停：{why}", "paused: {why}")
        }
    }
}

fn open(day: &DayRule, language: Language) -> String {
    match day {
        DayRule::Always => pick(language, ["全天计时", "全天計時", "counts day and night"]).to_owned(),
        DayRule::Week => pick(language, ["营业时间", "營業時間", "opening hours"]).to_owned(),
        DayRule::MakeupWorkday => {
            pick(language, ["调休上班日的营业时间", "調休上班日的營業時間", "opening hours of a make-up workday"])
                .to_owned()
        }
        DayRule::PublicHoliday { name } => {
            say!(language, "{name}的值班时间", "{name}的值班時間", "hours on the public holiday {name}")
        }
        DayRule::SpecialDay { name } => {
            say!(
                language,
                "特别日（{name}）的营业时间",
                "特別日（{name}）的營業時間",
                "hours of the special day {name}"
            )
        }
    }
}

fn closed(day: &DayRule, language: Language) -> String {
    match day {
        DayRule::Always | DayRule::Week => {
            pick(language, ["营业时间外", "營業時間外", "outside opening hours"]).to_owned()
        }
        DayRule::MakeupWorkday => pick(
            language,
            ["调休上班日的营业时间外", "調休上班日的營業時間外", "outside opening hours of a make-up workday"],
        )
        .to_owned(),
        DayRule::PublicHoliday { name } => {
            say!(language, "{name}放假", "{name}放假", "closed for the public holiday {name}")
        }
        DayRule::SpecialDay { name } => {
            say!(language, "特别日（{name}）不营业", "特別日（{name}）不營業", "closed on the special day {name}")
        }
    }
}

fn unsure(text: String, provisional: bool, language: Language) -> String {
    if provisional {
        say!(
            language,
            "{text}（节假日安排尚未公布）",
            "{text}（節假日安排尚未公布）",
            "{text} (public holidays not known yet)",
        )
    } else {
        text
    }
}

/// What is said of a clock when what it measures was called off.
#[must_use]
pub fn called_off(measure: Measure, language: Language) -> String {
    let what = measured(measure, language);
    say!(
        language,
        "{what}：已取消，不再计时。",
        "{what}：已取消，不再計時。",
        "{what} is no longer needed; its clock does not count."
    )
}

/// How a clock stands, in words that a receptionist understands; times are those of the clock's place.
///
/// * `reading`: of this clock at `now`.
#[must_use]
pub fn sentence(
    clock: &Clock,
    reading: &Reading,
    timetable: &Timetable,
    measure: Measure,
    now: DateTime<Utc>,
    language: Language,
) -> String {
    let Some(target) = clock.target() else { return String::new() };
    let teller = Teller {
        clock,
        reading,
        timetable,
        measure,
        now: now.timestamp(),
        language,
        zone: target.pin.time_zone.parse().unwrap_or_else(|_| timetable.get(&target.pin).zone()),
    };
    let mut text = match (reading.state, reading.breached_at) {
        (ClockState::Stopped, None) => teller.in_time(),
        (ClockState::Stopped, Some(due)) => teller.late(due),
        (ClockState::Paused, breached) => teller.paused(breached),
        (ClockState::Running, Some(due)) => teller.overdue(due),
        (ClockState::Running, None) => teller.running(),
    };
    let rest = [teller.late_entry(), teller.ran_out(), teller.provisional()];
    for addition in rest.into_iter().flatten() {
        if language == Language::En {
            text.push(' ');
        }
        text.push_str(&addition);
    }
    text
}

struct Teller<'a> {
    clock: &'a Clock,
    reading: &'a Reading,
    timetable: &'a Timetable,
    measure: Measure,
    now: i64,
    language: Language,
    zone: Tz,
}

impl Teller<'_> {
    fn what(&self) -> &'static str {
        measured(self.measure, self.language)
    }

    fn running(&self) -> String {
        let (what, left, due) = (self.what(), self.left(), self.on(self.reading.due_at));
        say!(
            self.language,
            "{what}：还剩 {left}，应于 {due} 前完成。",
            "{what}：還剩 {left}，應於 {due} 前完成。",
            "{what} is due by {due}: {left} left.",
        )
    }

    fn overdue(&self, due: i64) -> String {
        let (what, by, due) = (self.what(), self.length(self.now - due), self.on(due));
        say!(
            self.language,
            "{what}：应于 {due} 前完成，已超时 {by}。",
            "{what}：應於 {due} 前完成，已逾時 {by}。",
            "{what} was due by {due} and is overdue by {by}.",
        )
    }

    fn paused(&self, breached: Option<i64>) -> String {
        let (what, pause) = (self.what(), self.pause());
        let Some(due) = breached else {
            let left = self.left();
            return say!(
                self.language,
                "{what}：{pause}；这段时间不计，恢复后还剩 {left}。",
                "{what}：{pause}；這段時間不計，恢復後還剩 {left}。",
                "{what} is {pause}. That time does not count; afterwards {left} will be left.",
            );
        };
        let due = self.on(due);
        say!(
            self.language,
            "{what}：应于 {due} 前完成，已超时；{pause}；这段时间不计。",
            "{what}：應於 {due} 前完成，已逾時；{pause}；這段時間不計。",
            "{what} was due by {due} and is overdue; it is {pause}. That time does not count.",
        )
    }

    /// Why it is paused, since when and until when at the latest.
    fn pause(&self) -> String {
        let now = DateTime::from_timestamp(self.now, 0).unwrap_or_default();
        let pause = self.clock.pause_at(now);
        let why = pause.map_or("", |pause| word(&pause.reason, self.language));
        let since = self.on(pause.map_or(self.now, |pause| pause.from.timestamp()));
        match self.reading.paused_until.filter(|until| *until != NEVER).map(|until| self.on(until)) {
            Some(until) => say!(
                self.language,
                "自 {since} 起暂停（{why}），最迟到 {until}",
                "自 {since} 起暫停（{why}），最遲到 {until}",
                "paused since {since} ({why}), until {until} at the latest",
            ),
            None => say!(
                self.language,
                "自 {since} 起暂停（{why}），恢复时间未定",
                "自 {since} 起暫停（{why}），恢復時間未定",
                "paused since {since} ({why}), nobody knows until when",
            ),
        }
    }

    fn in_time(&self) -> String {
        let (what, due) = (self.what(), self.on(self.reading.due_at));
        let (done, at) = (done(self.measure), self.at_beside(self.stopped(), self.reading.due_at));
        say!(
            self.language,
            "{what}：应于 {due} 前完成，已于 {at} 完成，按时。",
            "{what}：應於 {due} 前完成，已於 {at} 完成，準時。",
            "{what} was due by {due}; {done} {at}, in time.",
        )
    }

    fn late(&self, due: i64) -> String {
        let (what, by) = (self.what(), self.length(self.stopped() - due));
        let (done, at, due) = (done(self.measure), self.at_beside(self.stopped(), due), self.on(due));
        say!(
            self.language,
            "{what}：应于 {due} 前完成，{at} 才完成，超时 {by}。",
            "{what}：應於 {due} 前完成，{at} 才完成，逾時 {by}。",
            "{what} was due by {due}; {done} {at}, {by} late.",
        )
    }

    fn late_entry(&self) -> Option<String> {
        let words = [
            "补录：登记时已经超时。",
            "補錄：登記時已經逾時。",
            "Late entry: it was overdue when it was written down.",
        ];
        self.clock.late_entry.then(|| pick(self.language, words).to_owned())
    }

    /// A pause that was as long as it may be ended by itself; said until there is another one.
    fn ran_out(&self) -> Option<String> {
        let is_over = |pause: &&Pause| !pause.struck && pause.ends() <= self.now;
        let last = self.clock.pauses.iter().filter(is_over).max_by_key(|pause| pause.ends())?;
        if self.reading.state != ClockState::Running || !last.ends_by_itself() {
            return None;
        }
        let (why, at) = (word(&last.reason, self.language), self.on(last.ends()));
        Some(say!(
            self.language,
            "暂停（{why}）已到期，{at} 起自动恢复计时。",
            "暫停（{why}）已到期，{at} 起自動恢復計時。",
            "The pause ({why}) lasted as long as it may and ended by itself on {at}.",
        ))
    }

    /// Whether the holidays of the year in which it is due are still unknown.
    fn provisional(&self) -> Option<String> {
        let due = self.reading.due_at;
        let calendar = self.clock.target()?.calendar(self.timetable)?;
        let is_open_yet = self.reading.state != ClockState::Stopped && self.reading.breached_at.is_none();
        if !is_open_yet || due == NEVER || !calendar.day(calendar.local_date(due)).provisional {
            return None;
        }
        let year = calendar.local_date(due).year();
        Some(say!(
            self.language,
            "{year} 年节假日安排尚未公布，时间可能变动。",
            "{year} 年節假日安排尚未公布，時間可能變動。",
            "The public holidays of {year} are not known yet, so this may change.",
        ))
    }

    fn stopped(&self) -> i64 {
        self.clock.stopped_at.map_or(self.now, |at| at.timestamp())
    }

    /// What is left, and of what.
    fn left(&self) -> String {
        let (seconds, is_business) = self.clock.left(self.reading, self.timetable, self.now);
        if is_business {
            let left = self.in_units(seconds, HOURS);
            say!(self.language, "{left}（营业时间）", "{left}（營業時間）", "{left} of opening hours")
        } else {
            self.length(seconds)
        }
    }

    /// `Mon 23 Nov 10:30`, with the year when it is not this one.
    fn on(&self, at: i64) -> String {
        let Some(local) = self.local(at) else {
            return pick(self.language, ["（待定）", "（待定）", "(not known yet)"]).to_owned();
        };
        let this_year = self.local(self.now).is_some_and(|now| now.year() == local.year());
        let day = local.weekday().num_days_from_monday() as usize;
        let weekday = pick(self.language, WEEKDAYS[day]);
        let (year, month) = (local.year(), local.month());
        let time = local.format("%H:%M");
        let date = match self.language {
            Language::ZhHans | Language::ZhHant => format!("{month}月{}日 {weekday}", local.day()),
            Language::En => local.format("%a %-d %b").to_string(),
        };
        match self.language {
            _ if this_year => format!("{date} {time}"),
            Language::ZhHans | Language::ZhHant => format!("{year}年{date} {time}"),
            Language::En => format!("{date} {year} {time}"),
        }
    }

    /// The time alone when it is of the same day as another one that is named.
    fn at_beside(&self, at: i64, other: i64) -> String {
        match (self.local(at), self.local(other)) {
            (Some(local), Some(other)) if local.date_naive() == other.date_naive() => {
                let time = local.format("%H:%M");
                say!(self.language, "{time}", "{time}", "at {time}")
            }
            _ => {
                let on = self.on(at);
                say!(self.language, "{on}", "{on}", "on {on}")
            }
        }
    }

    fn local(&self, at: i64) -> Option<DateTime<Tz>> {
        Some(DateTime::from_timestamp(at, 0)?.with_timezone(&self.zone))
    }

    /// A length of time on the wall.
    fn length(&self, seconds: i64) -> String {
        self.in_units(seconds, DAYS)
    }

    /// A length of time in the two largest units, of these, that it has.
    fn in_units(&self, seconds: i64, units: &[(i64, [&'static str; 3])]) -> String {
        let mut rest = seconds.max(0);
        let counted = units.iter().map(|(unit, words)| {
            let count = rest / unit;
            rest %= unit;
            (count, words)
        });
        let largest = counted.skip_while(|(count, _)| *count == 0).take(2).filter(|(count, _)| *count > 0);
        let parts = largest.map(|(count, words)| {
            let plural = if self.language == Language::En && count != 1 { "s" } else { "" };
            format!("{count} {}{plural}", pick(self.language, *words))
        });
        let parts = parts.collect::<Vec<_>>();
        if parts.is_empty() {
            return pick(self.language, ["不到 1 分钟", "不到 1 分鐘", "less than a minute"]).to_owned();
        }
        parts.join(" ")
    }
}

const DAYS: &[(i64, [&str; 3])] = &[(86_400, ["天", "天", "day"]), HOURS[0], HOURS[1]];
/// Of opening hours nobody knows how many make a day.
const HOURS: &[(i64, [&str; 3])] = &[(3600, ["小时", "小時", "hour"]), (60, ["分钟", "分鐘", "minute"])];

const WEEKDAYS: [[&str; 3]; 7] = [
    ["周一", "週一", "Mon"],
    ["周二", "週二", "Tue"],
    ["周三", "週三", "Wed"],
    ["周四", "週四", "Thu"],
    ["周五", "週五", "Fri"],
    ["周六", "週六", "Sat"],
    ["周日", "週日", "Sun"],
];
