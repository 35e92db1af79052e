//! Digests and alerts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Error, Result};
use steward_kernel::{
    Version,
    ids::{CaseId, EstateId, WorkOrderId},
    vocabulary::{CaseKind, Language, Priority},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{Alert, AlertCause, AlertId, Digest, DigestId, DigestStatus, Matter, MessageText, NoticeId, Templates},
    store::AlertFilter,
};

/// Which digests to list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DigestQuery {
    /// `true`: those that are `delivered`. `false`: those that were read, or have nothing left to do in them.
    pub unread: Option<bool>,
}

/// Which alerts to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Lines of this digest.
    pub digest_id: Option<DigestId>,
    /// About this case.
    pub case_id: Option<CaseId>,
    /// For this reason.
    pub cause: Option<AlertCause>,
    /// Whether it needs its reader no more.
    pub settled: Option<bool>,
}

impl From<AlertQuery> for AlertFilter {
    fn from(query: AlertQuery) -> Self {
        let AlertQuery { digest_id, case_id, cause, settled } = query;
        Self { digest: digest_id, case: case_id, cause, settled }
    }
}

/// How many lines have one cause.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CauseCount {
    /// Why.
    pub cause: AlertCause,
    /// How many.
    pub count: u32,
}

/// How many lines have one priority.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PriorityCount {
    /// How urgent.
    pub priority: Priority,
    /// How many.
    pub count: u32,
}

/// What one person should look at, as it stood when it was sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "digest_id": "0199f3a0-0000-7000-8000-00000000d001",
    "status": "delivered",
    "urgent": true,
    "title": "2件事项需要您关注，1件已逾期",
    "body": "事由：无人负责（1）、时限告急（1）。紧急程度：P2（1）、P3（1）。其中1件已逾期。",
    "waiting": 2,
    "settled": 0,
    "overdue": 1,
    "by_cause": [{"cause": "unowned", "count": 1}, {"cause": "share", "count": 1}],
    "by_priority": [{"priority": "P2", "count": 1}, {"priority": "P3", "count": 1}],
    "opened_at": "2026-11-25T08:00:00Z",
    "sent_at": "2026-11-25T08:00:05Z",
    "lines": [{
        "alert_id": "6f0c2c1e-5b8e-5d52-9c3e-0d8f0f4b8a11",
        "digest_id": "0199f3a0-0000-7000-8000-00000000d001",
        "cause": "unowned",
        "text": "P2 投诉 C-261125-7K3QD4：无人负责（已逾期）",
        "case_id": "0199f3a0-0000-7000-8000-00000000c001",
        "reference": "C-261125-7K3QD4",
        "kind": "complaint",
        "category": "service.quality",
        "priority": "P2",
        "estate_id": "0199f3a0-0000-7000-8000-00000000e001",
        "level": "lead",
        "rung": 1,
        "due_at": "2026-11-25T07:55:00Z",
        "overdue": true,
        "escalation_id": "0199f3a0-0000-7000-8000-00000000f001",
        "happened_at": "2026-11-25T07:59:58Z",
        "created_at": "2026-11-25T08:00:00Z"
    }],
    "version": 2
}))]
pub struct DigestView {
    /// The digest.
    pub digest_id: DigestId,
    /// Whether it was read, or has nothing left to do in it.
    pub status: DigestStatus,
    /// Whether a line is P1 or P2.
    pub urgent: bool,
    /// One line.
    pub title: String,
    /// The numbers below in a few sentences.
    pub body: String,
    /// Lines that wait for somebody; all other numbers but `settled` are of these.
    pub waiting: u32,
    /// Lines that needed nobody any more when it was sent.
    pub settled: u32,
    /// Lines whose due time had passed.
    pub overdue: u32,
    /// By cause: first what nobody, or nobody any more, looks after.
    pub by_cause: Vec<CauseCount>,
    /// By priority; lines that have none are not in it.
    pub by_priority: Vec<PriorityCount>,
    /// When its first line came.
    pub opened_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<DateTime<Utc>>,
    /// The 50 most pressing lines that waited when it was sent, as they stood then; absent in lists. All lines as they
    /// stand now: `GET /v1/alerts?digest_id=…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<AlertView>>,
    /// Version, as in `ETag`.
    pub version: i32,
}

impl DigestView {
    /// The view of a digest in a list.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was never sent.
    pub fn of(digest: Digest, version: Version, texts: &Templates, language: Language) -> Result<Self> {
        let Digest { id, account: _, status, urgent, at_once: _, opened_at, summary, shown: _, sent_at, read_at } =
            digest;
        let (Some(status), Some(opened_at), Some(sent_at)) = (status, opened_at, sent_at) else {
            return Err(Error::NotFound);
        };
        let MessageText { title, body } = texts.digest(language, &summary);
        Ok(Self {
            digest_id: id,
            status,
            urgent,
            title,
            body,
            waiting: summary.waiting,
            settled: summary.settled,
            overdue: summary.overdue,
            by_cause: summary.by_cause.into_iter().map(|(cause, count)| CauseCount { cause, count }).collect(),
            by_priority: summary
                .by_priority
                .into_iter()
                .map(|(priority, count)| PriorityCount { priority, count })
                .collect(),
            opened_at,
            sent_at,
            read_at,
            lines: None,
            version: version.get(),
        })
    }

    /// The same with the lines it shows, as they stood when it was sent.
    #[must_use]
    pub fn with_lines(self, lines: Vec<Alert>, texts: &Templates, language: Language) -> Self {
        let then = self.sent_at;
        let line = |alert| AlertView::of(Alert { settled_at: None, ..alert }, texts, language, then);
        Self { lines: Some(lines.into_iter().map(line).collect()), ..self }
    }
}

/// One matter that one person should look at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "alert_id": "6f0c2c1e-5b8e-5d52-9c3e-0d8f0f4b8a12",
    "digest_id": "0199f3a0-0000-7000-8000-00000000d001",
    "cause": "share",
    "text": "P3 服务请求 S-261125-4M2T9A：完成时限已用75%",
    "case_id": "0199f3a0-0000-7000-8000-00000000c002",
    "reference": "S-261125-4M2T9A",
    "kind": "service_request",
    "category": "home.fixture",
    "priority": "P3",
    "estate_id": "0199f3a0-0000-7000-8000-00000000e001",
    "measure": "finish",
    "level": "worker",
    "rung": 1,
    "share_percent": 75,
    "due_at": "2026-11-26T09:00:00Z",
    "overdue": false,
    "clock_id": "0199f3a0-0000-7000-8000-00000000f101",
    "escalation_id": "0199f3a0-0000-7000-8000-00000000f002",
    "happened_at": "2026-11-25T08:00:01Z",
    "created_at": "2026-11-25T08:00:02Z"
}))]
pub struct AlertView {
    /// The alert.
    pub alert_id: AlertId,
    /// The digest that it is a line of; one that still collects cannot be read yet.
    pub digest_id: DigestId,
    /// Why.
    pub cause: AlertCause,
    /// The same in one line.
    pub text: String,
    /// The case; absent when it is about a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<CaseId>,
    /// Its reference; of a notice its title.
    pub reference: String,
    /// Its kind, if that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<CaseKind>,
    /// Code of its category, if that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How urgent, if that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Its estate; absent when it is about a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// What the clock measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<steward_clock::Measure>)]
    pub measure: Option<String>,
    /// What was promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<steward_kernel::vocabulary::PromiseKind>)]
    pub promise: Option<String>,
    /// The level of the ladder that it reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<steward_clock::Level>)]
    pub level: Option<String>,
    /// The rung of the ladder, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<u32>,
    /// Share of the clock that was used up, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_percent: Option<u32>,
    /// When the clock, the promise or the answer to a hand-over is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Whether that has passed: now, or in a digest when it was sent.
    pub overdue: bool,
    /// The clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_id: Option<Uuid>,
    /// The escalation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation_id: Option<Uuid>,
    /// The work order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_order_id: Option<WorkOrderId>,
    /// The department: its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice_id: Option<NoticeId>,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it needed its reader no more: somebody took it in hand or did it, or there is nothing left to do; absent in a
    /// digest, which shows what waited when it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<DateTime<Utc>>,
}

impl AlertView {
    /// The view of an alert.
    ///
    /// * `at`: when it is looked at; what is due by then and not settled is overdue.
    #[must_use]
    pub fn of(alert: Alert, texts: &Templates, language: Language, at: DateTime<Utc>) -> Self {
        let Alert { id, digest, cause, matter, created_at, settled_at } = alert;
        let overdue = settled_at.is_none() && matter.is_overdue(at);
        let text = texts.alert(language, cause, &matter, overdue);
        let Matter { case, reference, estate, kind, category, priority, measure, promise, level, .. } = matter;
        Self {
            alert_id: id,
            digest_id: digest,
            cause,
            text,
            case_id: case,
            reference,
            kind,
            category,
            priority,
            estate_id: estate,
            measure,
            promise,
            level,
            rung: matter.rung,
            share_percent: matter.share_percent,
            due_at: matter.due_at,
            overdue,
            clock_id: matter.clock,
            escalation_id: matter.escalation,
            work_order_id: matter.work_order,
            department: matter.department,
            notice_id: matter.notice,
            happened_at: matter.happened_at,
            created_at,
            settled_at,
        }
    }
}
