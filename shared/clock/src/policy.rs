//! Policies: which time is given to what, who is told when it runs out, what may pause it. Written for the company, a region or an estate; what one
//! leaves out is inherited from the next wider one, in the end from what ships with the product (`data/policy.json`).

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use steward_kernel::{
    vocabulary::{CaseKind, Priority},
    word_enum,
};
use utoipa::ToSchema;

use crate::amount::Amount;

/// A day, in seconds.
const DAY: i64 = 86_400;

word_enum! {
    /// What a clock measures (DOMAIN.md §4).
    Measure {
        /// Until a person of the company answers for the first time; no machine does.
        Acknowledge = "acknowledge",
        /// Until the owner is told the plan.
        Plan = "plan",
        /// Until somebody is on the spot.
        Arrive = "arrive",
        /// Until the danger is over.
        MakeSafe = "make_safe",
        /// Until it is done.
        Finish = "finish",
        /// Until it is decided, with reasons.
        Decide = "decide",
        /// Until the owner is asked how it went.
        FollowUp = "follow_up",
    }
}

word_enum! {
    /// Whose clock it is.
#[schema(as = ClockParty)]
        Party {
        /// The company's towards the owner.
        Company = "company",
        /// A department's towards the company.
        Department = "department",
        /// A contractor's towards the company.
        Contractor = "contractor",
    }
}

word_enum! {
    /// The ladder of escalation (DOMAIN.md §4), from below.
    Level {
        /// Whoever works on it.
        Worker = "worker",
        /// Who leads the team.
        Lead = "lead",
        /// Who manages the estate.
        EstateManager = "estate_manager",
        /// Who manages the region.
        Region = "region",
        /// The company's head office.
        Company = "company",
    }
}

impl Level {
    /// The next one up; the company's head office has none above it.
    #[must_use]
    pub const fn up(self) -> Self {
        match self {
            Self::Worker => Self::Lead,
            Self::Lead => Self::EstateManager,
            Self::EstateManager => Self::Region,
            Self::Region | Self::Company => Self::Company,
        }
    }
}

word_enum! {
    /// By which hours a target counts.
    Hours {
        /// Those of the estate, or of the department where it has its own.
        Estate = "estate",
        /// Day and night.
        Always = "always",
    }
}

/// A target: the first condition that is left out holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetRule {
    /// What is measured.
    pub measure: Measure,
    /// Whose clock it is; the company's when left out.
    #[serde(default = "company")]
    pub party: Party,
    /// For cases of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CaseKind>,
    /// For this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// For this code of the taxonomy, or for all codes below it: `lift` is also for `lift.fault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "lift")]
    pub category: Option<String>,
    /// The time; left out = none is set, also where a wider policy sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Amount>,
    /// By which hours it counts.
    #[serde(default = "estate_hours")]
    pub hours: Hours,
    /// Whatever the hours: at most this long on the wall, for example `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Amount>,
}

const fn company() -> Party {
    Party::Company
}

const fn estate_hours() -> Hours {
    Hours::Estate
}

word_enum! {
    /// Why clocks may be paused.
    PauseReason {
        /// Its owner is to answer.
        AwaitingOwner = "awaiting_owner",
        /// Parts are to come.
        Parts = "parts",
        /// Nobody opens.
        Access = "access",
        /// The weather does not let it be done.
        Weather = "weather",
        /// Others have to do their part.
        ThirdParty = "third_party",
        /// Somebody has to agree.
        Approval = "approval",
    }
}

/// What may pause clocks, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRule {
    /// The reason.
    #[schema(value_type = PauseReason, example = "access")]
    pub reason: String,
    /// Whose clocks it pauses; none = it pauses nothing.
    pub parties: Vec<Party>,
    /// After this time on the wall it ends by itself; left out = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
}

/// A rung of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// When so much of the clock is used up; 0 = at once, 100 = when it is due.
    #[schema(maximum = 1000)]
    pub at_percent: u16,
    /// Who is told.
    pub level: Level,
}

/// Who is told when, as a clock runs out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Its rungs, from below.
    pub rungs: Vec<Rung>,
    /// After the last rung one level more each time this has passed since the clock was due. At the top it is said again and again, each time after
    /// twice as long, at most a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_every: Option<Amount>,
}

/// How a deadline may be put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRule {
    /// Of what.
    pub measure: Measure,
    /// How often.
    pub times: u8,
    /// By how much at most, from the date that stood.
    pub at_most: Amount,
}

/// The policy of the company, a region or an estate. Everything that is left out is inherited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Code of the calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Codes of the calendars of departments that have their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub department_calendars: BTreeMap<String, String>,
    /// Targets; the one with the most particular conditions counts: category before priority before kind. Of a wider policy's target only one with the
    /// same conditions, or more particular ones, takes the place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetRule>,
    /// What may pause clocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<PauseRule>,
    /// Ladders by priority.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ladders: BTreeMap<Priority, Ladder>,
    /// How long an unacknowledged escalation of what stands first (unowned, returned, long paused, reopened) stays before it goes one level up.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub climb_every: BTreeMap<Priority, Amount>,
    /// How long somebody who is asked to answer for a case may be silent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hand_over_within: BTreeMap<Priority, Amount>,
    /// At which share of its time a promise that is not kept yet warns, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 99)]
    pub promise_warning_percent: Option<u8>,
    /// How deadlines may be put off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionRule>,
}

/// Of what a target is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matter<'a> {
    /// Kind of the case.
    pub kind: CaseKind,
    /// Code of the taxonomy.
    pub category: &'a str,
    /// Priority.
    pub priority: Priority,
}

static SHIPPED: LazyLock<Policy> = LazyLock::new(|| {
    // The file is part of the program and read by a test, so a fault in it never reaches a running system.
    serde_json::from_str(include_str!("../data/policy.json")).unwrap_or_default()
});

impl Policy {
    /// What ships with the product: the figures of DOMAIN.md §4.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }
}

impl PauseRule {
    /// After how many seconds on the wall it ends by itself; none = never.
    #[must_use]
    pub fn cap_seconds(&self) -> Option<u32> {
        self.cap.and_then(Amount::wall_seconds)
    }
}

impl TargetRule {
    /// The limit on the wall in seconds; none when there is none, or when it is no length of time on the wall.
    #[must_use]
    pub fn at_most_seconds(&self) -> Option<u32> {
        self.at_most.and_then(Amount::wall_seconds)
    }

    /// How particular it is for this matter; none = it is not for it.
    fn weight(&self, measure: Measure, party: Party, matter: &Matter<'_>) -> Option<u32> {
        let category = self.category.as_deref();
        let is_for = self.measure == measure
            && self.party == party
            && self.kind.is_none_or(|kind| kind == matter.kind)
            && self.priority.is_none_or(|priority| priority == matter.priority)
            && category.is_none_or(|code| covers(code, matter.category));
        let length = category.map_or(0, |code| 1 + code.matches('.').count());
        let weight = 4 * u32::try_from(length).unwrap_or(u32::MAX / 8)
            + 2 * u32::from(self.priority.is_some())
            + u32::from(self.kind.is_some());
        is_for.then_some(weight)
    }
}

/// Whether a code of the taxonomy is another one or lies below it.
pub(crate) fn covers(code: &str, category: &str) -> bool {
    category.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The policies that hold in one place, nearest first: estate, region, company. What ships with the product stands behind them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies(pub Vec<std::sync::Arc<Policy>>);

impl Policies {
    /// Nearest first, what ships with the product last.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        self.0.iter().map(std::sync::Arc::as_ref).chain([Policy::shipped()])
    }

    /// The target of a measure; none when no time is set.
    ///
    /// The most particular one of all policies, of equally particular ones the nearest. So nobody loosens the time for emergencies by setting one for
    /// everything: who means emergencies says so.
    #[must_use]
    pub fn target(&self, measure: Measure, party: Party, matter: &Matter<'_>) -> Option<&TargetRule> {
        let rules = self.all().flat_map(|policy| &policy.targets);
        let weighed = rules.filter_map(|rule| Some((rule.weight(measure, party, matter)?, rule)));
        // Of two that are equally particular the first one counts; the checks let only one of each policy in.
        let best = weighed.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, rule)| rule).filter(|rule| rule.within.is_some())
    }

    /// Code of the calendar of a department, or of the place; none = the one that ships with the product.
    #[must_use]
    pub fn calendar(&self, department: Option<&str>) -> Option<&str> {
        let own = |policy: &'_ Policy| department.and_then(|code| policy.department_calendars.get(code)).is_some();
        let of_department = self.all().find(|policy| own(policy));
        match (of_department, department) {
            (Some(policy), Some(code)) => policy.department_calendars.get(code).map(String::as_str),
            _ => self.all().find_map(|policy| policy.calendar.as_deref()),
        }
    }

    /// What a reason pauses; none = nothing.
    #[must_use]
    pub fn pause(&self, reason: &str) -> Option<&PauseRule> {
        self.all().find_map(|policy| policy.pauses.iter().find(|rule| rule.reason == reason))
    }

    /// The ladder of a priority.
    #[must_use]
    pub fn ladder(&self, priority: Priority) -> Option<&Ladder> {
        self.all().find_map(|policy| policy.ladders.get(&priority))
    }

    /// How long an unacknowledged escalation of what stands first stays on its level.
    #[must_use]
    pub fn climb_every(&self, priority: Priority) -> Option<Amount> {
        self.all().find_map(|policy| policy.climb_every.get(&priority)).copied()
    }

    /// How long somebody who is asked to answer for a case may be silent.
    #[must_use]
    pub fn hand_over_within(&self, priority: Priority) -> Option<Amount> {
        self.all().find_map(|policy| policy.hand_over_within.get(&priority)).copied()
    }

    /// At which share of its time a promise warns, percent.
    #[must_use]
    pub fn promise_warning_percent(&self) -> u8 {
        self.all().find_map(|policy| policy.promise_warning_percent).unwrap_or(80)
    }

    /// How a deadline may be put off; none = not at all.
    #[must_use]
    pub fn extension(&self, measure: Measure) -> Option<&ExtensionRule> {
        self.all().find_map(|policy| policy.extensions.iter().find(|rule| rule.measure == measure))
    }
}

impl Ladder {
    /// The n-th rung, from 0; none when the ladder has no more.
    #[must_use]
    pub fn rung(&self, index: usize) -> Option<Step> {
        if let Some(rung) = self.rungs.get(index) {
            return Some(Step { level: rung.level, when: When::Share(rung.at_percent) });
        }
        let (last, Amount::Seconds(every)) = (self.rungs.last()?, self.then_every?) else { return None };
        let (mut level, mut wait, mut overdue) = (last.level, i64::from(every), 0);
        for _ in self.rungs.len()..=index {
            overdue += wait;
            // At the top it is said again, but ever more rarely: nobody is above who could be told instead.
            if level == Level::Company {
                wait = (wait * 2).min(DAY);
            }
            level = level.up();
        }
        Some(Step { level, when: When::Overdue(overdue) })
    }
}

/// A rung, and when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Who is told.
    pub level: Level,
    /// When.
    pub when: When,
}

/// When a rung is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When that share of the clock is used up, percent.
    Share(u16),
    /// When the clock has been overdue for so many open seconds.
    Overdue(i64),
}
