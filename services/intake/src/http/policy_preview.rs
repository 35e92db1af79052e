//! What a changed clock policy would have done, before it is switched on.

use std::{collections::HashMap, sync::Arc};

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Call, Error, Result,
    db::Tx,
    http::{Allowed, Json, Problems},
};
use steward_clock::{Measure, Party, Pin, Policy, Timetable};
use steward_kernel::{
    ids::EstateId,
    text::Line,
    vocabulary::{CaseKind, Priority},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{clock_policies, clock_policy_dto::scope, permission};
use crate::{
    app::App,
    domain::{
        rehearsal::{self, Outcomes, Past, Tally},
        rulebook::{Refusal, Scope, ScopeKind},
        ruling::Ruling,
    },
    store::{
        rulebook as rows,
        stewardship::{ClockRow, clocks_since},
    },
};

/// Most days that are rehearsed.
const MOST_DAYS: u16 = 92;
/// Most clocks that are rehearsed, and how many are read at a time.
const MOST_CLOCKS: (u64, i64) = (200_000, 2_000);

/// A policy to be rehearsed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "scope": "company", "days": 30,
    "policy": { "targets": [{ "measure": "acknowledge", "kind": "complaint", "within": "2h" }] }
}))]
pub struct PreviewPolicy {
    /// For what it would be.
    scope: ScopeKind,
    /// The region, for the scope `region`.
    region: Option<Line>,
    /// The estate, for the scope `estate`.
    estate_id: Option<EstateId>,
    /// What it would say.
    policy: Policy,
    /// Over the clocks that started in so many days, 1 to 92.
    #[schema(minimum = 1, maximum = 92)]
    days: u16,
}

/// What became, or would have become, of clocks.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomesView {
    /// Clocks with a target.
    pub clocks: u64,
    /// Of these, overdue at some time.
    pub breaches: u64,
    /// Rungs of ladders that are reached when nobody acknowledges.
    pub escalations: u64,
}

impl From<Outcomes> for OutcomesView {
    fn from(Outcomes { clocks, breaches, escalations }: Outcomes) -> Self {
        Self { clocks, breaches, escalations }
    }
}

/// The two policies side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewLine {
    /// What is measured.
    pub measure: Measure,
    /// Whose clocks.
    pub party: Party,
    /// How urgent.
    pub priority: Priority,
    /// Under the policy that holds.
    pub now: OutcomesView,
    /// Under the one that is rehearsed.
    pub then: OutcomesView,
}

/// What a policy would have done.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyPreview {
    /// Clocks that started from then on.
    pub from: DateTime<Utc>,
    /// Until now.
    pub to: DateTime<Utc>,
    /// Estates that it would hold in.
    pub estates: usize,
    /// Whether all clocks of the period were rehearsed; at most 200,000 are, the oldest first.
    pub complete: bool,
    /// Under the policy that holds.
    pub now: OutcomesView,
    /// Under the one that is rehearsed.
    pub then: OutcomesView,
    /// By measure, party and priority.
    pub items: Vec<PreviewLine>,
}

/// Rehearse a clock policy
///
/// What it would have done to the clocks that started in the last days, beside what the policy that holds does to the same clocks: the same policy gives the
/// same result. Nothing is changed. A target where there is none now has no clocks of the past to show.
#[utoipa::path(
    post, path = "/v1/clock-policies/preview", operation_id = "preview_clock_policy", tag = "clock policies",
    request_body = PreviewPolicy,
    responses((status = 200, description = "What it would have done", body = PolicyPreview), Problems),
    security(("bearer" = ["clock-policy.write"])),
)]
pub(super) async fn preview_clock_policy(
    State(app): State<App>,
    call: Allowed<permission::WriteClockPolicies>,
    Json(body): Json<PreviewPolicy>,
) -> Result<Json<PolicyPreview>> {
    let scope = scope(body.scope, body.region, body.estate_id)?;
    if !scope.is_for(&call.actor) {
        return Err(Error::refused(&Refusal::NotYourScope));
    }
    if !(1..=MOST_DAYS).contains(&body.days) {
        return Err(Error::field("/days", "out_of_range", "must be 1 to 92"));
    }
    clock_policies::check(&app, call.tenant(), &scope, &body.policy).await?;
    let to = app.core.clock.now();
    let from = to - TimeDelta::days(i64::from(body.days));
    let rehearsal = Rehearsal::of(&app, &call, &scope, body.policy, to).await?;
    let (tally, complete) = rehearsal.run(&app, &call, from, to).await?;
    Ok(Json(view(from, to, rehearsal.estates.len(), complete, tally)))
}

fn view(from: DateTime<Utc>, to: DateTime<Utc>, estates: usize, complete: bool, tally: Tally) -> PolicyPreview {
    let mut all = [Outcomes::default(); 2];
    let mut items = Vec::new();
    for ((measure, party, priority), [now, then]) in tally {
        all[0].add(now);
        all[1].add(then);
        items.push(PreviewLine { measure, party, priority, now: now.into(), then: then.into() });
    }
    let [now, then] = all.map(OutcomesView::from);
    PolicyPreview { from, to, estates, complete, now, then, items }
}

/// The estates of a scope with what holds in each, and what would.
struct Rehearsal {
    estates: HashMap<Uuid, [Ruling; 2]>,
}

impl Rehearsal {
    async fn of(app: &App, call: &Call, scope: &Scope, policy: Policy, now: DateTime<Utc>) -> Result<Self> {
        let mut tx = app.core.db.begin(call.tenant()).await?;
        let ids = match scope {
            Scope::Company => rows::estates_of(&mut tx, None).await?,
            Scope::Region { region } => rows::estates_of(&mut tx, Some(region.as_str())).await?,
            Scope::Estate { estate } => vec![estate.get()],
        };
        let (policy, mut estates) = (Arc::new(policy), HashMap::new());
        for id in ids {
            let held = app.rules.ruling(&mut tx, id.into(), now).await?;
            let would = app.rules.ruling_under(&mut tx, id.into(), now, scope.kind().as_str(), &policy).await?;
            estates.insert(id, [held, would]);
        }
        tx.rollback().await?;
        Ok(Self { estates })
    }

    /// The tally, and whether nothing was left out.
    async fn run(&self, app: &App, call: &Call, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(Tally, bool)> {
        let ids: Vec<Uuid> = self.estates.keys().copied().collect();
        let (mut tally, mut after, mut read) = (Tally::new(), None, 0);
        while read < MOST_CLOCKS.0 {
            // A transaction for each part: a long one would hold up the feeds of all lists.
            let mut tx = app.core.db.begin(call.tenant()).await?;
            let rows = clocks_since(&mut tx, &ids, from, after, MOST_CLOCKS.1).await?;
            let Some(last) = rows.last() else { return Ok((tally, true)) };
            after = Some((last.started_at, last.clock_id));
            read += rows.len() as u64;
            let pasts: Vec<(Uuid, Past)> = rows.into_iter().filter_map(past).collect();
            let timetable = self.timetable(app, &mut tx, &pasts).await?;
            tx.rollback().await?;
            self.count(&pasts, &timetable, to, &mut tally);
        }
        Ok((tally, false))
    }

    async fn timetable(&self, app: &App, tx: &mut Tx, pasts: &[(Uuid, Past)]) -> Result<Timetable> {
        let mut pins: Vec<Pin> = Vec::new();
        for (estate, past) in pasts {
            let rulings = self.estates.get(estate).into_iter().flatten();
            pins.extend(rulings.filter_map(|ruling| rehearsal::target(past, ruling)).map(|target| target.pin));
            pins.extend(past.clock.segments.iter().map(|segment| segment.target.pin.clone()));
        }
        pins.sort_unstable();
        pins.dedup();
        app.rules.timetable(tx, &pins).await
    }

    fn count(&self, pasts: &[(Uuid, Past)], timetable: &Timetable, now: DateTime<Utc>, tally: &mut Tally) {
        for (estate, past) in pasts {
            let Some(rulings) = self.estates.get(estate) else { continue };
            let line = tally.entry((past.measure, past.party, past.priority)).or_default();
            for (sum, ruling) in line.iter_mut().zip(rulings) {
                sum.add(rehearsal::rehearse(past, ruling, timetable, now));
            }
        }
    }
}

/// A clock of the past; none for one that measured what was called off.
fn past(row: ClockRow) -> Option<(Uuid, Past)> {
    if row.state == "void" {
        return None;
    }
    let past = Past {
        kind: CaseKind::parse(&row.kind)?,
        category: row.category,
        priority: Priority::parse(&row.priority)?,
        measure: Measure::parse(&row.measure)?,
        party: Party::parse(&row.party)?,
        department: Some(row.department).filter(|code| !code.is_empty()),
        clock: row.data.0,
    };
    Some((row.estate_id, past))
}
