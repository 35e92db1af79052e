//! Clock policies as requests and answers have them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Error, Executed, Result};
use steward_clock::{
    Amount, Ladder, Measure, Policy,
    policy::{ExtensionRule, PauseRule, TargetRule},
};
use steward_kernel::{ActorId, Recorded, era, ids::EstateId, text::Line, vocabulary::Priority, word_enum};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::rulebook::{ClockPolicy, PolicyEvent, PolicyId, Scope, ScopeKind, in_force},
    rules::InForce,
    store::rulebook::PolicyLine,
};

/// The next version of a policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "scope": "region", "region": "上海", "policy": {
        "targets": [{ "measure": "acknowledge", "kind": "complaint", "within": "2h", "at_most": "12h" }],
        "hand_over_within": { "P1": "3m" }
    }
}))]
pub struct PublishPolicy {
    /// For what it is.
    scope: ScopeKind,
    /// The region, as the register names it; for the scope `region`.
    region: Option<Line>,
    /// The estate; for the scope `estate`.
    estate_id: Option<EstateId>,
    /// What it says; what is left out is inherited.
    policy: Policy,
    /// From when on it holds; absent = now. Not in the past, nor before the version before it.
    #[serde(default, deserialize_with = "era::read")]
    valid_from: Option<DateTime<Utc>>,
}

impl PublishPolicy {
    /// For what, what, and from when on.
    pub(super) fn read(self) -> Result<(Scope, Policy, Option<DateTime<Utc>>)> {
        let scope = scope(self.scope, self.region, self.estate_id)?;
        Ok((scope, self.policy, self.valid_from))
    }
}

/// For what a policy is.
pub(super) fn scope(kind: ScopeKind, region: Option<Line>, estate: Option<EstateId>) -> Result<Scope> {
    match (kind, region, estate) {
        (ScopeKind::Company, None, None) => Ok(Scope::Company),
        (ScopeKind::Region, Some(region), None) => Ok(Scope::Region { region }),
        (ScopeKind::Estate, None, Some(estate)) => Ok(Scope::Estate { estate }),
        (ScopeKind::Region, None, _) => Err(Error::field("/region", "missing", "is required for a region")),
        (ScopeKind::Estate, _, None) => Err(Error::field("/estate_id", "missing", "is required for an estate")),
        (ScopeKind::Company | ScopeKind::Estate, Some(_), _) => {
            Err(Error::field("/region", "invalid", "must be left out unless the scope is a region"))
        }
        (ScopeKind::Company | ScopeKind::Region, _, Some(_)) => {
            Err(Error::field("/estate_id", "invalid", "must be left out unless the scope is an estate"))
        }
    }
}

/// A policy in its newest version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "policy_id": "0198f001-0000-7000-8000-000000000601", "scope": "region", "region": "上海",
    "policy": { "hand_over_within": { "P1": "3m" } }, "valid_from": "2026-11-25T08:00:00Z",
    "changed_at": "2026-11-25T08:00:00Z", "version": 1, "version_in_force": 1
}))]
pub struct PolicyView {
    /// Its id.
    pub policy_id: PolicyId,
    /// For what it is.
    pub scope: ScopeKind,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The estate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// What it says, in the newest version; what is left out is inherited.
    pub policy: Policy,
    /// From when on that holds.
    pub valid_from: DateTime<Utc>,
    /// When it was published.
    pub changed_at: DateTime<Utc>,
    /// The newest version.
    pub version: i32,
    /// The version that holds now; absent before the first begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_in_force: Option<i32>,
}

fn region(scope: &Scope) -> Option<String> {
    if let Scope::Region { region } = scope { Some(region.to_string()) } else { None }
}

impl PolicyView {
    /// As the answer to a command shows it.
    pub(super) fn of(done: Executed<ClockPolicy>) -> Result<Self> {
        let ClockPolicy { id, scope, mut versions } = done.state;
        // What was in force when it was published: a repeated request gets the same answer.
        let version_in_force = in_force(versions.iter().map(|version| version.valid_from), done.changed_at);
        let (scope, newest) = scope.zip(versions.pop()).ok_or(Error::NotFound)?;
        Ok(Self {
            policy_id: id,
            scope: scope.kind(),
            region: region(&scope),
            estate_id: scope.estate(),
            policy: newest.policy,
            valid_from: newest.valid_from,
            changed_at: done.changed_at,
            version: done.version.get(),
            version_in_force,
        })
    }

    /// As lists show it.
    pub(super) fn read(row: PolicyLine) -> Result<Self> {
        Ok(Self {
            policy_id: row.policy_id.into(),
            scope: ScopeKind::parse(&row.scope).ok_or_else(|| Error::internal("clock policy", "unknown scope"))?,
            region: Some(row.region).filter(|region| !region.is_empty()),
            estate_id: row.estate_id.map(EstateId::from),
            policy: row.newest.0.policy,
            valid_from: row.newest.0.valid_from,
            changed_at: row.changed_at,
            version: row.version,
            version_in_force: row.in_force,
        })
    }
}

/// A version of a policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyVersionView {
    /// From 1.
    pub version: i32,
    /// What it says.
    pub policy: Policy,
    /// From when on it holds.
    pub valid_from: DateTime<Utc>,
    /// When it was published.
    pub written_at: DateTime<Utc>,
    /// By whom: subject of the token.
    pub written_by: ActorId,
}

/// A policy with all its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyHistory {
    /// Its id.
    pub policy_id: PolicyId,
    /// For what it is.
    pub scope: ScopeKind,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The estate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// The version that holds now; absent before the first begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_in_force: Option<i32>,
    /// All versions, newest first.
    pub versions: Vec<PolicyVersionView>,
}

impl PolicyHistory {
    /// Made of what happened to it; none when nothing did.
    pub(super) fn of(id: PolicyId, history: Vec<Recorded<PolicyEvent>>, now: DateTime<Utc>) -> Option<Self> {
        let PolicyEvent::Published { of, .. } = &history.last()?.body;
        let (scope, region, estate_id) = (of.kind(), region(of), of.estate());
        let version = |event: Recorded<PolicyEvent>| {
            let PolicyEvent::Published { policy, valid_from, .. } = event.body;
            let (written_at, written_by) = (event.recorded_at, event.actor);
            PolicyVersionView { version: event.version.get(), policy: *policy, valid_from, written_at, written_by }
        };
        let mut versions: Vec<_> = history.into_iter().map(version).collect();
        let version_in_force = in_force(versions.iter().map(|version| version.valid_from), now);
        versions.reverse();
        Some(Self { policy_id: id, scope, region, estate_id, version_in_force, versions })
    }
}

/// Where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EffectiveQuery {
    /// In which estate.
    pub(super) estate_id: EstateId,
}

word_enum! {
    /// Where a setting comes from.
    PolicySource {
        /// The policy of the estate.
        Estate = "estate",
        /// The policy of its region.
        Region = "region",
        /// The policy of the company.
        Company = "company",
        /// What ships with the product.
        Shipped = "shipped",
    }
}

impl From<ScopeKind> for PolicySource {
    fn from(scope: ScopeKind) -> Self {
        match scope {
            ScopeKind::Estate => Self::Estate,
            ScopeKind::Region => Self::Region,
            ScopeKind::Company => Self::Company,
        }
    }
}

/// A policy that holds in an estate.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyInForce {
    /// Of what.
    pub source: PolicySource,
    /// Which.
    pub policy_id: PolicyId,
    /// In which version.
    pub version: i32,
}

/// The calendar of the estate, or of one department there.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveCalendar {
    /// Code of the department; absent = the estate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Code of the calendar.
    pub calendar: String,
    /// Where that comes from.
    pub source: PolicySource,
}

/// A target that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveTarget {
    /// It.
    pub target: TargetRule,
    /// Where it comes from.
    pub source: PolicySource,
}

/// What a reason pauses.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectivePause {
    /// It.
    pub pause: PauseRule,
    /// Where it comes from.
    pub source: PolicySource,
}

/// Who is told when, for a priority.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveLadder {
    /// For which.
    pub priority: Priority,
    /// It.
    pub ladder: Ladder,
    /// Where it comes from.
    pub source: PolicySource,
}

/// A time for a priority.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveAmount {
    /// For which.
    pub priority: Priority,
    /// It.
    pub amount: Amount,
    /// Where it comes from.
    pub source: PolicySource,
}

/// When promises warn.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectivePercent {
    /// At which share of their time.
    pub percent: u8,
    /// Where it comes from.
    pub source: PolicySource,
}

/// How a deadline may be put off.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveExtension {
    /// It.
    pub extension: ExtensionRule,
    /// Where it comes from.
    pub source: PolicySource,
}

/// What holds in an estate, and where it comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "estate_id": "0198f001-0000-7000-8000-000000000001", "at": "2026-11-25T08:00:00Z", "time_zone": "Asia/Shanghai",
    "policies": [{ "source": "region", "policy_id": "0198f001-0000-7000-8000-000000000601", "version": 2 }],
    "calendars": [{ "calendar": "desk", "source": "region" }],
    "targets": [{ "target": { "measure": "follow_up", "party": "company", "kind": "inquiry", "within": "3d", "hours": "estate" }, "source": "shipped" }],
    "pauses": [{ "pause": { "reason": "access", "parties": ["company"], "cap": "3d" }, "source": "shipped" }],
    "ladders": [{ "priority": "P4", "ladder": { "rungs": [{ "at_percent": 100, "level": "lead" }] }, "source": "shipped" }],
    "climb_every": [{ "priority": "P1", "amount": "10m", "source": "shipped" }],
    "hand_over_within": [{ "priority": "P1", "amount": "3m", "source": "region" }],
    "promise_warning_percent": { "percent": 80, "source": "shipped" },
    "extensions": [{ "extension": { "measure": "decide", "times": 1, "at_most": "10bd" }, "source": "shipped" }]
}))]
pub struct EffectivePolicy {
    /// Where.
    pub estate_id: EstateId,
    /// When.
    pub at: DateTime<Utc>,
    /// IANA name of the estate's time zone.
    pub time_zone: String,
    /// The policies that hold there, nearest first; what ships with the product stands behind them.
    pub policies: Vec<PolicyInForce>,
    /// Its calendars; absent for the estate = the one that ships with the product.
    pub calendars: Vec<EffectiveCalendar>,
    /// Its targets, nearest first; the most particular one counts, of equally particular ones the nearest.
    pub targets: Vec<EffectiveTarget>,
    /// What may pause clocks.
    pub pauses: Vec<EffectivePause>,
    /// Who is told when.
    pub ladders: Vec<EffectiveLadder>,
    /// How long an escalation that nobody acknowledges stays on its level.
    pub climb_every: Vec<EffectiveAmount>,
    /// How long somebody who is asked to take over may be silent.
    pub hand_over_within: Vec<EffectiveAmount>,
    /// When promises warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise_warning_percent: Option<EffectivePercent>,
    /// How deadlines may be put off.
    pub extensions: Vec<EffectiveExtension>,
}

/// Policies with where they come from, nearest first.
type Layers<'a> = [(PolicySource, &'a Policy)];

/// The nearest setting of each key.
fn nearest<'a, K: Ord + 'a, V: 'a>(
    layers: &Layers<'a>,
    of: impl Fn(&'a Policy) -> Vec<(K, V)>,
) -> BTreeMap<K, (V, PolicySource)> {
    let mut found = BTreeMap::new();
    for (source, policy) in layers {
        for (key, value) in of(policy) {
            found.entry(key).or_insert((value, *source));
        }
    }
    found
}

/// Whether two targets are for the same: then the nearer one stands.
fn is_for_the_same(one: &TargetRule, other: &TargetRule) -> bool {
    let conditions = |rule: &TargetRule| (rule.measure, rule.party, rule.kind, rule.priority, rule.category.clone());
    conditions(one) == conditions(other)
}

fn targets(layers: &Layers<'_>) -> Vec<EffectiveTarget> {
    let mut found: Vec<EffectiveTarget> = Vec::new();
    for (source, policy) in layers {
        let nearer = found.len();
        for target in &policy.targets {
            if !found[..nearer].iter().any(|known| is_for_the_same(&known.target, target)) {
                found.push(EffectiveTarget { target: target.clone(), source: *source });
            }
        }
    }
    found
}

fn amounts<'a>(layers: &Layers<'a>, of: impl Fn(&'a Policy) -> &'a BTreeMap<Priority, Amount>) -> Vec<EffectiveAmount> {
    let found = nearest(layers, |policy| of(policy).iter().map(|(priority, amount)| (*priority, *amount)).collect());
    found.into_iter().map(|(priority, (amount, source))| EffectiveAmount { priority, amount, source }).collect()
}

impl EffectivePolicy {
    /// Made of the policies that hold there, nearest first.
    pub(super) fn of(estate_id: EstateId, at: DateTime<Utc>, time_zone: String, in_force: &[InForce]) -> Self {
        let mut layers: Vec<(PolicySource, &Policy)> =
            in_force.iter().map(|own| (own.scope.into(), own.policy.as_ref())).collect();
        layers.push((PolicySource::Shipped, Policy::shipped()));
        let policies = in_force.iter().map(|own| PolicyInForce {
            source: own.scope.into(),
            policy_id: own.policy_id,
            version: own.version,
        });
        let calendars = nearest(&layers, |policy| {
            let departments = policy.department_calendars.iter().map(|(code, own)| (Some(code.clone()), own.clone()));
            policy.calendar.iter().map(|code| (None, code.clone())).chain(departments).collect()
        });
        let pauses =
            nearest(&layers, |policy| policy.pauses.iter().map(|rule| (rule.reason.clone(), rule.clone())).collect());
        let ladders =
            nearest(&layers, |policy| policy.ladders.iter().map(|(priority, own)| (*priority, own.clone())).collect());
        let extensions: BTreeMap<Measure, _> =
            nearest(&layers, |policy| policy.extensions.iter().map(|rule| (rule.measure, *rule)).collect());
        let percent = layers.iter().find_map(|(source, policy)| {
            Some(EffectivePercent { percent: policy.promise_warning_percent?, source: *source })
        });
        Self {
            estate_id,
            at,
            time_zone,
            policies: policies.collect(),
            calendars: calendars
                .into_iter()
                .map(|(department, (calendar, source))| EffectiveCalendar { department, calendar, source })
                .collect(),
            targets: targets(&layers),
            pauses: pauses.into_values().map(|(pause, source)| EffectivePause { pause, source }).collect(),
            ladders: ladders
                .into_iter()
                .map(|(priority, (ladder, source))| EffectiveLadder { priority, ladder, source })
                .collect(),
            climb_every: amounts(&layers, |policy| &policy.climb_every),
            hand_over_within: amounts(&layers, |policy| &policy.hand_over_within),
            promise_warning_percent: percent,
            extensions: extensions
                .into_values()
                .map(|(extension, source)| EffectiveExtension { extension, source })
                .collect(),
        }
    }
}
