//! What requests and answers about clocks look like.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{
    Measure, Party, Timetable,
    clock::{Change, ClockState, Reading},
    explain::{self, Cause as SkipCause},
    span::NEVER,
};
use steward_kernel::{
    era,
    ids::{CaseId, EstateId, WorkOrderId},
    text::Line,
    vocabulary::{CaseKind, Language, Priority},
    word::{TakenDown, WordNote},
    word_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::store::stewardship::{ClockRow, Deadlines};

word_enum! {
    /// How a clock stands, or how it ended.
    ClockStatus {
        /// It runs.
        Running = "running",
        /// It is paused.
        Paused = "paused",
        /// It was stopped in time.
        Met = "met",
        /// It was stopped too late.
        Missed = "missed",
        /// What it measured was called off.
        Void = "void",
    }
}

word_enum! {
    /// What happened to a clock.
    ClockStep {
        /// It began.
        Started = "started",
        /// It was paused.
        Paused = "paused",
        /// It goes on.
        Resumed = "resumed",
        /// A pause does not count any more.
        Struck = "struck",
        /// It has another target.
        Retargeted = "retargeted",
        /// It is read by newer calendars and policies.
        Rebased = "rebased",
        /// It ended.
        Stopped = "stopped",
    }
}

/// A pause of a clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct PauseView {
    /// Which; the same for all clocks that one cause pauses.
    pub pause_id: Uuid,
    /// Why.
    #[schema(value_type = steward_clock::PauseReason)]
    pub reason: String,
    /// Why, for people, in the language asked for.
    #[schema(example = "等待业主回复")]
    pub text: String,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; while it lasts, until when at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Whether an objection was upheld, so that its time counts.
    pub struck: bool,
    /// What proves it: files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub evidence_file_ids: Vec<Uuid>,
}

/// A clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockView {
    /// Its id.
    pub clock_id: Uuid,
    /// The case.
    #[schema(value_type = CaseId)]
    pub case_id: Uuid,
    /// The work order it measures; absent = the case as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WorkOrderId>)]
    pub work_order_id: Option<Uuid>,
    /// Its estate.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// What people quote of the case.
    #[schema(example = "S-261123-7K3QD4")]
    pub reference: String,
    /// Kind of the case.
    #[schema(value_type = CaseKind)]
    pub kind: String,
    /// Category of the case; as it was then, once the clock has stopped.
    pub category: String,
    /// Priority of the case; as it was then, once the clock has stopped.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// What it measures.
    #[schema(value_type = Measure)]
    pub measure: String,
    /// Whose it is.
    #[schema(value_type = Party)]
    pub party: String,
    /// Code of the department or contractor; absent = the company's.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub department: String,
    /// Episode of the case, from 1.
    pub episode: i32,
    /// How it stands.
    #[schema(value_type = ClockStatus)]
    pub state: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it is due; absent while a pause without end lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When it was first overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breached_at: Option<DateTime<Utc>>,
    /// When it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<DateTime<Utc>>,
    /// Whether it was overdue when its case was entered.
    pub late_entry: bool,
    /// The time that it gives; seconds of its calendar.
    pub target_seconds: i64,
    /// The time that has counted; seconds of its calendar.
    pub elapsed_seconds: i64,
    /// What is left; negative when it is overdue.
    pub remaining_seconds: i64,
    /// Time that did not count because of pauses; seconds of its calendar.
    pub paused_seconds: i64,
    /// Used share, percent.
    pub share_percent: i64,
    /// The pause that lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseView>,
    /// All of this in a sentence, in the language asked for.
    #[schema(example = "还剩 1 小时 20 分钟，应于 11月24日 周二 10:30 前完成")]
    pub text: String,
}

/// How a clock is shown: by which calendars, at which time, in which language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'t> {
    pub(super) timetable: &'t Timetable,
    pub(super) now: DateTime<Utc>,
    pub(super) language: Language,
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    if seconds == NEVER { None } else { DateTime::from_timestamp(seconds, 0) }
}

impl Shown<'_> {
    pub(super) fn pause(&self, pause: &steward_clock::clock::Pause) -> PauseView {
        PauseView {
            pause_id: pause.pause_id,
            text: explain::word(&pause.reason, self.language).to_owned(),
            reason: pause.reason.clone(),
            from: pause.from,
            to: instant(pause.ends()),
            struck: pause.struck,
            evidence_file_ids: pause.evidence.clone(),
        }
    }

    pub(super) fn clock(&self, row: ClockRow) -> ClockView {
        let clock = &row.data.0;
        let reading = clock.read(self.timetable, self.now);
        let measure = Measure::parse(&row.measure).unwrap_or(Measure::Finish);
        let text = match &reading {
            _ if row.state == "void" => explain::called_off(measure, self.language),
            Some(reading) => explain::sentence(clock, reading, self.timetable, measure, self.now, self.language),
            None => String::new(),
        };
        let state = match (&reading, row.state.as_str()) {
            (Some(Reading { state: ClockState::Paused, .. }), "running" | "paused") => "paused".to_owned(),
            (Some(_), "running" | "paused") => "running".to_owned(),
            (_, ended) => ended.to_owned(),
        };
        let number = |of: fn(&Reading) -> i64| reading.as_ref().map_or(0, of);
        ClockView {
            state,
            due_at: reading.as_ref().and_then(|reading| instant(reading.due_at)),
            breached_at: row
                .breached_at
                .or(reading.as_ref().and_then(|reading| reading.breached_at).and_then(instant))
                .filter(|_| row.state != "void"),
            target_seconds: number(|reading| reading.budget),
            elapsed_seconds: number(|reading| reading.elapsed),
            remaining_seconds: number(Reading::remaining),
            paused_seconds: number(|reading| reading.paused),
            share_percent: number(|reading| reading.share),
            pause: clock.pause_at(self.now).filter(|_| clock.stopped_at.is_none()).map(|pause| self.pause(pause)),
            text,
            clock_id: row.clock_id,
            case_id: row.case_id,
            work_order_id: row.work_order_id,
            estate_id: row.estate_id,
            reference: row.reference,
            kind: row.kind,
            category: row.category,
            priority: row.priority,
            measure: row.measure,
            party: row.party,
            department: row.department,
            episode: row.episode,
            started_at: row.started_at,
            stopped_at: row.stopped_at,
            late_entry: row.late_entry,
        }
    }
}

/// Which clocks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClockQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// Of this work order.
    pub work_order_id: Option<WorkOrderId>,
    /// In this state.
    pub state: Option<ClockStatus>,
    /// That measure this.
    pub measure: Option<Measure>,
    /// Of this party.
    pub party: Option<Party>,
    /// Only those that run and have used three quarters of their time, or all of it.
    pub at_risk: Option<bool>,
}

/// A stretch of a clock's time, and whether it counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct StretchView {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// How long, in seconds on the wall.
    pub seconds: i64,
    /// Whether it counted.
    pub counted: bool,
    /// Why: the rule of the calendar, or the pause.
    pub cause: SkipCause,
    /// Why, for people, in the language asked for.
    #[schema(example = "营业时间外")]
    pub text: String,
    /// The event that made it: the start, the change of target or the pause under which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
}

/// A target that a clock has had.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetView {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub change: Change,
    /// The time as the policy writes it: `2h`, `10bd`.
    #[schema(example = "2h")]
    pub within: String,
    /// That time in seconds of its calendar, from the clock's start.
    pub target_seconds: i64,
    /// Whatever the hours, at most so many seconds on the wall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most_seconds: Option<u32>,
    /// The calendar; absent = day and night, nil = the one that ships with the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_id: Option<Uuid>,
    /// Its version.
    pub calendar_version: i32,
    /// The time zone in which it is read.
    pub time_zone: String,
    /// The event that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
}

/// An event that made the clock what it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockEventView {
    /// Its id.
    pub event_id: Uuid,
    /// What happened.
    #[schema(value_type = ClockStep)]
    pub what: &'static str,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
    /// Who caused it: subject of the token, or the service that told it. Not shown to owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The pause it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_id: Option<Uuid>,
}

/// An objection to a pause.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectionView {
    /// Which.
    pub objection_id: Uuid,
    /// Against which pause.
    pub pause_id: Uuid,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was upheld; absent as long as it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upheld: Option<bool>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// How staff took it down; absent when the owner made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
}

/// Why a clock stands where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The clock.
    pub clock: ClockView,
    /// Its targets.
    pub targets: Vec<TargetView>,
    /// Its pauses.
    pub pauses: Vec<PauseView>,
    /// Objections to them.
    pub objections: Vec<ObjectionView>,
    /// Every stretch of its time, counted or not, without a gap. The counted ones add up to `elapsed_seconds`.
    pub stretches: Vec<StretchView>,
    /// What happened to it.
    pub events: Vec<ClockEventView>,
}

/// An objection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "pause_id": "0198f000-0000-7000-8000-000000000001", "reason": "没有人联系过我" }))]
pub struct ContestPause {
    /// The pause.
    pub pause_id: Uuid,
    /// Why it should count; 1 to 200 characters.
    pub reason: Line,
    /// For staff, who take down what the owner said: how the owner gave it. Left out by owners.
    pub taken_down: Option<TakenDown>,
}

/// A decision on an objection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "objection_id": "0198f000-0000-7000-8000-000000000001", "upheld": true, "reason": "记录里没有提问" }))]
pub struct DecideObjection {
    /// The objection.
    pub objection_id: Uuid,
    /// Whether the time counts again.
    pub upheld: bool,
    /// Why; 1 to 200 characters.
    pub reason: Line,
}

/// A later date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "until": "2026-12-04T10:00:00+08:00", "reason": "等检测报告，已电话告知" }))]
pub struct ExtendDeadline {
    /// The new date, after the one that stands.
    #[serde(deserialize_with = "era::read")]
    pub until: DateTime<Utc>,
    /// Why, as the owner was told; 1 to 200 characters.
    pub reason: Line,
}

/// How many clocks run.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineCount {
    /// What is measured.
    #[schema(value_type = Measure)]
    pub measure: String,
    /// Whose clocks.
    #[schema(value_type = Party)]
    pub party: String,
    /// How urgent.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// That run, paused ones without.
    pub running: i64,
    /// That are paused.
    pub paused: i64,
    /// That have used three quarters of their time and are not overdue.
    pub at_risk: i64,
    /// Overdue.
    pub overdue: i64,
}

impl From<Deadlines> for DeadlineCount {
    fn from(row: Deadlines) -> Self {
        let Deadlines { measure, party, priority, running, paused, at_risk, overdue } = row;
        Self { measure, party, priority, running, paused, at_risk, overdue }
    }
}

/// Deadlines as they stand now.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineSummary {
    /// When this was counted.
    pub at: DateTime<Utc>,
    /// By measure, party and priority.
    pub items: Vec<DeadlineCount>,
}

/// Of which estate.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfEstate {
    /// Only of this estate.
    pub estate_id: Option<EstateId>,
}
