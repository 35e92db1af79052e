//! What requests and answers about who answers for a case, escalations and promises look like.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{Level, Measure};
use steward_kernel::{
    era,
    ids::{CaseId, EstateId},
    text::Line,
    vocabulary::{CaseKind, Priority},
    word_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::stewardship::{Cause, Stewardship, What, Why},
    store::stewardship::{EscalationRow, Holder, PromiseRow, TeamPromises},
};

/// Who answers for a case (首問責任人).
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountableView {
    /// Subject of the token. Not shown to owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Who acts for them while they are away. Not shown to owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<String>,
    /// Why it is them.
    pub why: Why,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who was asked to take over. Not shown to owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// When silence counts as a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lapses_at: Option<DateTime<Utc>>,
}

impl AccountableView {
    /// As an owner, or somebody of the company, sees it.
    pub(super) fn of(row: &Holder, acting: Option<String>, is_owner: bool) -> Self {
        let staff_only = |text: Option<String>| text.filter(|_| !is_owner);
        Self {
            covered_by: staff_only(acting.filter(|acting| *acting != row.accountable)),
            account: staff_only(Some(row.accountable.clone())),
            why: Why::parse(&row.why).unwrap_or(Why::Post),
            since: row.accountable_since,
            asked: staff_only(row.asked.clone()),
            lapses_at: row.lapses_at.filter(|_| !is_owner),
        }
    }
}

impl AccountableView {
    /// As somebody of the company sees it; none before the case has begun.
    pub(super) fn of_state(state: &Stewardship, acting: Option<String>) -> Option<Self> {
        let account = state.accountable.account()?.to_owned();
        let hand_over = state.accountable.hand_over.as_ref();
        Some(Self {
            covered_by: acting.filter(|acting| *acting != account),
            account: Some(account),
            why: state.accountable.why,
            since: state.accountable.since?,
            asked: hand_over.map(|hand_over| hand_over.to.clone()),
            lapses_at: hand_over.map(|hand_over| hand_over.lapses_at),
        })
    }
}

/// Whom to ask to answer for a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "account": "handler-yx-3", "reason": "涉及工程部，由范康莉跟进" }))]
pub struct HandOverCase {
    /// Subject of their tokens, as in the staff register.
    pub account: Line,
    /// Why; 1 to 200 characters.
    pub reason: Line,
}

/// How urgent a case is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "priority": "P2", "reason": "家有婴儿，已无热水" }))]
pub struct PrioritiseCase {
    /// How urgent from now on.
    pub priority: Priority,
    /// How urgent it is now, where somebody has changed that before; `If-Match` does as well.
    pub instead_of: Option<Priority>,
    /// Why; 1 to 200 characters.
    pub reason: Line,
}

/// An escalation.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationView {
    /// Its id.
    pub escalation_id: Uuid,
    /// The case.
    #[schema(value_type = CaseId)]
    pub case_id: Uuid,
    /// The clock that climbs; absent = another cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_id: Option<Uuid>,
    /// Its estate.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// What people quote of the case.
    pub reference: String,
    /// Kind of the case.
    #[schema(value_type = CaseKind)]
    pub kind: String,
    /// Category of the case.
    pub category: String,
    /// Priority of the case.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// What the clock measures; absent = no clock.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(value_type = Measure, required = false)]
    pub measure: String,
    /// Why.
    #[schema(value_type = Cause)]
    pub cause: String,
    /// Whom it reaches.
    #[schema(value_type = Level)]
    pub level: String,
    /// Which rung, from 1.
    pub rung: i32,
    /// Used share of the clock, percent; 0 = no clock.
    pub share_percent: i32,
    /// When the clock is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Who was told: subjects of their tokens.
    pub told: Vec<String>,
    /// When.
    pub raised_at: DateTime<Utc>,
    /// When somebody took it in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When it needed nobody any more: somebody took it in hand, or what it was about is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<DateTime<Utc>>,
}

impl From<EscalationRow> for EscalationView {
    fn from(row: EscalationRow) -> Self {
        Self {
            escalation_id: row.escalation_id,
            case_id: row.case_id,
            clock_id: row.clock_id,
            estate_id: row.estate_id,
            reference: row.reference,
            kind: row.kind,
            category: row.category,
            priority: row.priority,
            measure: row.measure,
            cause: row.cause,
            level: row.level,
            rung: row.rung,
            share_percent: row.share,
            due_at: row.due_at,
            told: row.told,
            raised_at: row.raised_at,
            acknowledged_at: row.acknowledged_at,
            acknowledged_by: row.acknowledged_by,
            settled_at: row.settled_at,
        }
    }
}

/// Which escalations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EscalationQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// For this reason.
    pub cause: Option<Cause>,
    /// Of this level.
    pub level: Option<Level>,
    /// Whether it needs nobody any more: somebody took it in hand, or what it was about is done.
    pub settled: Option<bool>,
    /// Only what the caller was told of.
    pub mine: Option<bool>,
}

/// A promise (承諾).
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseView {
    /// Its id.
    pub promise_id: Uuid,
    /// The case.
    #[schema(value_type = CaseId)]
    pub case_id: Uuid,
    /// Its estate.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// What people quote of the case.
    pub reference: String,
    /// What was promised.
    #[schema(value_type = What)]
    pub what: String,
    /// The team that keeps it: code of its department; absent = the company.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub team: String,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// What came of it, or that it is open.
    #[schema(value_type = PromiseState)]
    pub state: String,
    /// When it was kept, broken, moved or called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<PromiseRow> for PromiseView {
    fn from(row: PromiseRow) -> Self {
        Self {
            promise_id: row.promise_id,
            case_id: row.case_id,
            estate_id: row.estate_id,
            reference: row.reference,
            what: row.what,
            team: row.team,
            due_at: row.due_at,
            made_at: row.made_at,
            state: row.outcome.unwrap_or_else(|| PromiseState::Open.to_string()),
            ended_at: row.ended_at,
        }
    }
}

word_enum! {
    /// What came of a promise, or that it is open.
    PromiseState {
        /// Neither kept nor broken yet.
        Open = "open",
        /// Kept in time.
        Kept = "kept",
        /// Its time passed.
        Broken = "broken",
        /// The owner was given another time before.
        Moved = "moved",
        /// Its object was called off.
        Void = "void",
    }
}

/// Which promises to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PromiseQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// Of this team: code of its department.
    pub team: Option<Line>,
    /// Open, or with this outcome.
    pub state: Option<PromiseState>,
}

/// A time that was given to the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "due_at": "2027-01-08T17:00:00+08:00", "team": "engineering" }))]
pub struct MakePromise {
    /// Until when; later than now, at most two years ahead.
    #[serde(deserialize_with = "era::read")]
    pub due_at: DateTime<Utc>,
    /// The team that keeps it: code of its department; left out = the company.
    pub team: Option<Line>,
}

/// Another time that was given to the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "due_at": "2027-01-09T17:00:00+08:00", "reason": "配件明天到货，已电话告知" }))]
pub struct MovePromise {
    /// Until when now.
    #[serde(deserialize_with = "era::read")]
    pub due_at: DateTime<Utc>,
    /// Why, as the owner was told; 1 to 200 characters.
    pub reason: Line,
}

/// Of which period.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PromisePeriod {
    /// Only of this estate.
    pub estate_id: Option<EstateId>,
    /// Promises that fall due from then on; 30 days ago when left out.
    #[serde(default, deserialize_with = "era::read")]
    pub from: Option<DateTime<Utc>>,
    /// And before then; now when left out.
    #[serde(default, deserialize_with = "era::read")]
    pub to: Option<DateTime<Utc>>,
}

/// How a team keeps its promises.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamPromisesView {
    /// Code of its department; absent = the company.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub team: String,
    /// Not yet due, or not yet kept.
    pub open: i64,
    /// Kept.
    pub kept: i64,
    /// Broken.
    pub broken: i64,
    /// Moved in time.
    pub moved: i64,
    /// Called off.
    pub void: i64,
    /// Kept ÷ (kept + broken); absent when there is none of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_share: Option<f64>,
}

impl From<TeamPromises> for TeamPromisesView {
    fn from(row: TeamPromises) -> Self {
        let TeamPromises { team, open, kept, broken, moved, void } = row;
        let kept_share = (kept + broken > 0).then(|| kept as f64 / (kept + broken) as f64);
        Self { team, open, kept, broken, moved, void, kept_share }
    }
}

/// How the teams keep their promises.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromiseSummary {
    /// Promises that fall due from then on.
    pub from: DateTime<Utc>,
    /// And before then.
    pub to: DateTime<Utc>,
    /// By team.
    pub items: Vec<TeamPromisesView>,
}
