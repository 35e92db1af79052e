//! What the company sets about time and responsibility: calendars (日曆), public holidays, clock policies, posts (崗位) and absences. Each is a small
//! aggregate, so that who set what when is on record; whoever decides reads them as a whole ([`super::ruling::Ruling`]).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{
    Arrangement, CalendarRules, Level, Policy,
    calendar::{Period, Week},
};
use steward_kernel::{
    Actor, Aggregate, Role, id_type,
    ids::EstateId,
    text::{Line, Text},
    word_enum,
};
use uuid::Uuid;

use super::stewardship::Account;

id_type! {
    /// A calendar of the company.
    CalendarId
}
id_type! {
    /// The public holidays of a region and year; made of both.
    HolidaysId
}
id_type! {
    /// The clock policy of a scope; made of it.
    PolicyId
}
id_type! {
    /// A post; made of its level and place.
    PostId
}
id_type! {
    /// An absence.
    AbsenceId
}

/// A code of the company's own.
pub type Code = Text<60>;

/// How far ahead a version may be planned: more is a typing error, and nothing could come before it.
const FURTHEST: TimeDelta = TimeDelta::days(732);
/// How long what is sent as "now" may have been on its way.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(1);
/// How long one can be away.
const LONGEST_ABSENCE: TimeDelta = TimeDelta::days(366);

/// The calendar of a place for which the company has set none: Monday to Friday from nine to six, with the public holidays and working weekends of
/// China.
#[must_use]
pub fn shipped_calendar() -> CalendarRules {
    let day = || vec![Period { from: 9 * 60, to: 18 * 60 }];
    let week =
        Week { monday: day(), tuesday: day(), wednesday: day(), thursday: day(), friday: day(), ..Week::default() };
    CalendarRules { week, public_holidays: Some("cn".to_owned()), ..CalendarRules::default() }
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such calendar.
    NoSuchCalendar,
    /// Another calendar has this code.
    CodeTaken,
    /// What holds already cannot be changed for the past, nor before a version that comes.
    ValidTooEarly,
    /// A version is planned for more than two years ahead.
    ValidTooLate,
    /// There is a version, and the caller does not say which one was read.
    NotRead,
    /// There is no such policy, or it is not for the caller to see.
    NoSuchPolicy,
    /// Who works for some estates only sets nothing for others or for the company.
    NotYourScope,
    /// There is no such post, or it is not for the caller to see.
    NoSuchPost,
    /// There is no such absence, or it is not for the caller to see.
    NoSuchAbsence,
    /// The register has nobody with this account who works there.
    UnknownAccount,
    /// The register has nobody with this account who works where whoever is away does.
    UnknownCover,
    /// Somebody cannot cover for themselves.
    CoversThemselves,
    /// An absence ends after it begins, within a year, and not in the past.
    AbsenceOutOfBounds,
    /// The same person is away then already.
    AwayAlready,
    /// Only leads write down that somebody else is away.
    NotYourAbsence,
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Whether the person whose absence is written down is away then already.
    pub away: bool,
    /// Whether the caller says which version was read.
    pub has_read: bool,
    /// Where whoever is appointed or away works, by the register; none = it has nobody with that account.
    pub person: Option<Served>,
    /// Where whoever covers for them works.
    pub cover: Option<Served>,
    /// The estates of the region whose post it is.
    pub region: Vec<EstateId>,
}

impl Facts {
    /// Nothing but the time and who asks.
    #[must_use]
    pub const fn new(now: DateTime<Utc>, actor: Actor) -> Self {
        Self { now, actor, away: false, has_read: false, person: None, cover: None, region: Vec::new() }
    }
}

/// Where somebody of the register works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// In all estates.
    All,
    /// In these.
    Some(Vec<EstateId>),
}

impl Served {
    /// Whether they work in one of these estates.
    #[must_use]
    pub fn meets(&self, estates: &[EstateId]) -> bool {
        match self {
            Self::All => true,
            Self::Some(own) => own.iter().any(|estate| estates.contains(estate)),
        }
    }
}

/// From when on a version holds: from now, or later; and not before the version before it.
fn valid_from(
    asked: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let asked = asked.unwrap_or(now);
    // Nothing is changed for what began before this moment.
    let valid_from = asked.max(now);
    if asked < now - ON_ITS_WAY || last.is_some_and(|last| valid_from < last) {
        return Err(Refusal::ValidTooEarly);
    }
    if valid_from > now + FURTHEST { Err(Refusal::ValidTooLate) } else { Ok(valid_from) }
}

/// The version that holds at an instant: the newest of those that have begun.
///
/// * `starts`: from when on each version holds, oldest first.
#[must_use]
pub fn in_force(
    starts: impl DoubleEndedIterator<Item = DateTime<Utc>> + ExactSizeIterator,
    at: DateTime<Utc>,
) -> Option<i32> {
    let index = starts.enumerate().rfind(|(_, start)| *start <= at)?.0;
    i32::try_from(index + 1).ok()
}

/// Whether this person may read what is for that estate (`None` = for all).
#[must_use]
pub fn may_read(actor: &Actor, estate: Option<EstateId>) -> bool {
    estate.is_none_or(|estate| actor.sees_estate(estate))
}

/// Whether this person may set what is for that estate (`None` = for more than one): who works for some estates only sets it for those.
fn may_set(actor: &Actor, estate: Option<EstateId>) -> bool {
    estate.map_or(actor.estates.is_none(), |estate| actor.sees_estate(estate))
}

/// A version of a calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalendarVersion {
    /// From 1.
    pub version: i32,
    /// When it is open.
    pub rules: CalendarRules,
    /// From when on clocks start by it.
    pub valid_from: DateTime<Utc>,
}

/// A calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Which.
    pub id: CalendarId,
    /// Its code and name; none before it was written.
    pub named: Option<(Code, Line)>,
    /// The estate it is for; none = all.
    pub estate: Option<EstateId>,
    /// Its versions, oldest first.
    pub versions: Vec<CalendarVersion>,
}

/// What can be asked of a calendar.
#[derive(Debug, Clone, PartialEq)]
pub enum CalendarCommand {
    /// To write the first version.
    Write {
        /// Its code.
        code: Code,
        /// Its name.
        name: Line,
        /// The estate it is for; none = all.
        estate: Option<EstateId>,
        /// When it is open.
        rules: Box<CalendarRules>,
        /// From when on; none = now.
        valid_from: Option<DateTime<Utc>>,
    },
    /// To write the next one.
    Revise {
        /// Its name; none = as it was.
        name: Option<Line>,
        /// When it is open.
        rules: Box<CalendarRules>,
        /// From when on; none = now.
        valid_from: Option<DateTime<Utc>>,
    },
}

/// What happened to a calendar. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CalendarEvent {
    /// A version was written.
    Written {
        /// Its code.
        code: Code,
        /// Its name.
        name: Line,
        /// The estate it is for; none = all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        estate: Option<EstateId>,
        /// When it is open.
        rules: Box<CalendarRules>,
        /// From when on.
        valid_from: DateTime<Utc>,
    },
}

impl Aggregate for Calendar {
    const NAME: &'static str = "calendar";
    type Id = CalendarId;
    type Command = CalendarCommand;
    type Event = CalendarEvent;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CalendarId) -> Self {
        Self { id, named: None, estate: None, versions: Vec::new() }
    }

    fn decide(&self, command: &CalendarCommand, facts: &Facts) -> Result<Vec<CalendarEvent>, Refusal> {
        let (code, name, estate, rules, asked) = match (&self.named, command) {
            (None, CalendarCommand::Write { code, name, estate, rules, valid_from }) => {
                (code, name, *estate, rules, *valid_from)
            }
            (Some(_), CalendarCommand::Write { .. }) => return Err(Refusal::CodeTaken),
            (None, CalendarCommand::Revise { .. }) => return Err(Refusal::NoSuchCalendar),
            (Some(_), CalendarCommand::Revise { .. }) if !may_read(&facts.actor, self.estate) => {
                return Err(Refusal::NoSuchCalendar);
            }
            (Some((code, known)), CalendarCommand::Revise { name, rules, valid_from }) => {
                (code, name.as_ref().unwrap_or(known), self.estate, rules, *valid_from)
            }
        };
        if !may_set(&facts.actor, estate) {
            return Err(Refusal::NotYourScope);
        }
        let last = self.versions.last();
        if last.is_some_and(|last| last.rules == **rules) && self.named.as_ref().is_some_and(|(_, known)| known == name)
        {
            return Ok(vec![]);
        }
        let valid_from = valid_from(asked, last.map(|version| version.valid_from), facts.now)?;
        let (code, name, rules) = (code.clone(), name.clone(), rules.clone());
        Ok(vec![CalendarEvent::Written { code, name, estate, rules, valid_from }])
    }

    fn evolve(mut self, event: &CalendarEvent) -> Self {
        let CalendarEvent::Written { code, name, estate, rules, valid_from } = event;
        self.named = Some((code.clone(), name.clone()));
        self.estate = *estate;
        let version = i32::try_from(self.versions.len()).unwrap_or(i32::MAX - 1) + 1;
        self.versions.push(CalendarVersion { version, rules: (**rules).clone(), valid_from: *valid_from });
        self
    }
}

/// The public holidays of a region and year, as the company loaded them.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicHolidays {
    /// Of which region and year.
    pub id: HolidaysId,
    /// The arrangement that was loaded last.
    pub arrangement: Option<Arrangement>,
}

/// What happened to public holidays. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HolidaysEvent {
    /// An arrangement was loaded.
    Loaded {
        /// It.
        arrangement: Arrangement,
    },
}

impl PublicHolidays {
    /// The id of a region's year.
    #[must_use]
    pub fn id_of(region: &str, year: i32) -> HolidaysId {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("steward public holidays {region} {year}").as_bytes()).into()
    }
}

impl Aggregate for PublicHolidays {
    const NAME: &'static str = "public_holidays";
    type Id = HolidaysId;
    type Command = Arrangement;
    type Event = HolidaysEvent;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: HolidaysId) -> Self {
        Self { id, arrangement: None }
    }

    fn decide(&self, arrangement: &Arrangement, facts: &Facts) -> Result<Vec<HolidaysEvent>, Refusal> {
        if facts.actor.estates.is_some() {
            return Err(Refusal::NotYourScope);
        }
        if self.arrangement.as_ref() == Some(arrangement) {
            return Ok(vec![]);
        }
        if self.arrangement.is_some() && !facts.has_read {
            return Err(Refusal::NotRead);
        }
        Ok(vec![HolidaysEvent::Loaded { arrangement: arrangement.clone() }])
    }

    fn evolve(self, event: &HolidaysEvent) -> Self {
        let HolidaysEvent::Loaded { arrangement } = event;
        Self { arrangement: Some(arrangement.clone()), ..self }
    }
}

word_enum! {
    /// For what a policy is set.
    ScopeKind {
        /// The company.
        Company = "company",
        /// A region.
        Region = "region",
        /// An estate.
        Estate = "estate",
    }
}

/// For what a policy is set, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum Scope {
    /// The company.
    Company,
    /// A region, as the register names it.
    Region {
        /// Its name.
        region: Line,
    },
    /// An estate.
    Estate {
        /// Which.
        estate: EstateId,
    },
}

impl Scope {
    /// Of which kind it is.
    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Company => ScopeKind::Company,
            Self::Region { .. } => ScopeKind::Region,
            Self::Estate { .. } => ScopeKind::Estate,
        }
    }

    /// The id of the policy of this scope.
    #[must_use]
    pub fn policy_id(&self) -> PolicyId {
        let of = match self {
            Self::Company => String::new(),
            Self::Region { region } => region.to_string(),
            Self::Estate { estate } => estate.to_string(),
        };
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("steward clock policy {} {of}", self.kind()).as_bytes()).into()
    }

    /// Whether somebody may set something for it: for an estate who sees it, for more who sees all.
    #[must_use]
    pub fn is_for(&self, actor: &Actor) -> bool {
        match self {
            Self::Company | Self::Region { .. } => may_set(actor, None),
            Self::Estate { estate } => may_set(actor, Some(*estate)),
        }
    }

    /// The estate.
    #[must_use]
    pub const fn estate(&self) -> Option<EstateId> {
        if let Self::Estate { estate } = self { Some(*estate) } else { None }
    }
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// From 1.
    pub version: i32,
    /// What it says.
    pub policy: Policy,
    /// From when on it holds.
    pub valid_from: DateTime<Utc>,
}

/// The clock policy of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockPolicy {
    /// Which.
    pub id: PolicyId,
    /// Of what; none before it was published.
    pub scope: Option<Scope>,
    /// Its versions, oldest first.
    pub versions: Vec<PolicyVersion>,
}

/// To publish the next version of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// Of what.
    pub scope: Scope,
    /// What it says.
    pub policy: Box<Policy>,
    /// From when on; none = now.
    pub valid_from: Option<DateTime<Utc>>,
}

/// What happened to a policy. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PolicyEvent {
    /// A version was published.
    Published {
        /// Of what.
        of: Scope,
        /// What it says.
        policy: Box<Policy>,
        /// From when on.
        valid_from: DateTime<Utc>,
    },
}

impl Aggregate for ClockPolicy {
    const NAME: &'static str = "clock_policy";
    type Id = PolicyId;
    type Command = Publish;
    type Event = PolicyEvent;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: PolicyId) -> Self {
        Self { id, scope: None, versions: Vec::new() }
    }

    fn decide(&self, command: &Publish, facts: &Facts) -> Result<Vec<PolicyEvent>, Refusal> {
        if !command.scope.is_for(&facts.actor) {
            return Err(Refusal::NotYourScope);
        }
        if self.scope.is_some() && !facts.has_read {
            return Err(Refusal::NotRead);
        }
        if self.versions.last().is_some_and(|last| last.policy == *command.policy) {
            return Ok(vec![]);
        }
        let last = self.versions.last().map(|version| version.valid_from);
        Ok(vec![PolicyEvent::Published {
            of: command.scope.clone(),
            policy: command.policy.clone(),
            valid_from: valid_from(command.valid_from, last, facts.now)?,
        }])
    }

    fn evolve(mut self, event: &PolicyEvent) -> Self {
        let PolicyEvent::Published { of, policy, valid_from } = event;
        self.scope = Some(of.clone());
        let version = i32::try_from(self.versions.len()).unwrap_or(i32::MAX - 1) + 1;
        self.versions.push(PolicyVersion { version, policy: (**policy).clone(), valid_from: *valid_from });
        self
    }
}

/// A post: a level of the ladder in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its level, from the lead on.
    pub level: Level,
    /// The estate of a lead or an estate manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estate: Option<EstateId>,
    /// Code of the department of a lead, '' = of all.
    #[serde(default)]
    pub department: String,
    /// The region of a region's manager.
    #[serde(default)]
    pub region: String,
}

impl Place {
    /// The id of the post.
    #[must_use]
    pub fn post_id(&self) -> PostId {
        let Self { level, estate, department, region } = self;
        let estate = estate.map(|estate| estate.to_string()).unwrap_or_default();
        let of = format!("steward post {level} {estate} {department} {region}");
        Uuid::new_v5(&Uuid::NAMESPACE_OID, of.as_bytes()).into()
    }

    /// Whether somebody works where this post is: whoever is told must be able to see what it is about.
    ///
    /// * `region`: the estates of the region.
    fn is_in_reach_of(&self, person: &Served, region: &[EstateId]) -> bool {
        match self.level {
            Level::Worker | Level::Lead | Level::EstateManager => {
                self.estate.is_some_and(|estate| person.meets(&[estate]))
            }
            Level::Region => person.meets(region),
            Level::Company => *person == Served::All,
        }
    }

    /// Whether somebody may appoint to it.
    #[must_use]
    pub fn is_for(&self, actor: &Actor) -> bool {
        may_set(actor, self.estate)
    }
}

/// A post and who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Which.
    pub id: PostId,
    /// Its place; none before somebody was appointed.
    pub place: Option<Place>,
    /// Who holds it; none = vacant.
    pub account: Option<Account>,
    /// Since when it is so.
    pub since: DateTime<Utc>,
}

/// What can be asked of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostCommand {
    /// To appoint somebody.
    Appoint {
        /// To which.
        place: Place,
        /// Whom.
        account: Account,
    },
    /// To leave it vacant.
    Vacate,
}

/// What happened to a post. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PostEvent {
    /// Somebody was appointed.
    Appointed {
        /// To which.
        place: Place,
        /// Who.
        account: Account,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// It is vacant.
    Vacated {
        /// Since when.
        at: DateTime<Utc>,
    },
}

impl Aggregate for Post {
    const NAME: &'static str = "post";
    type Id = PostId;
    type Command = PostCommand;
    type Event = PostEvent;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: PostId) -> Self {
        Self { id, place: None, account: None, since: DateTime::UNIX_EPOCH }
    }

    fn decide(&self, command: &PostCommand, facts: &Facts) -> Result<Vec<PostEvent>, Refusal> {
        match (&self.place, command) {
            (_, PostCommand::Appoint { place, .. }) if !place.is_for(&facts.actor) => Err(Refusal::NotYourScope),
            (_, PostCommand::Appoint { place, .. })
                if !facts.person.as_ref().is_some_and(|person| place.is_in_reach_of(person, &facts.region)) =>
            {
                Err(Refusal::UnknownAccount)
            }
            (_, PostCommand::Appoint { account, .. }) if self.account.as_ref() == Some(account) => Ok(vec![]),
            // Somebody else holds it: whoever takes it from them knows that.
            (_, PostCommand::Appoint { .. }) if self.account.is_some() && !facts.has_read => Err(Refusal::NotRead),
            (_, PostCommand::Appoint { place, account }) => {
                let (place, account) = (place.clone(), account.clone());
                Ok(vec![PostEvent::Appointed { place, account, at: facts.now }])
            }
            (Some(place), PostCommand::Vacate) if place.is_for(&facts.actor) => match self.account {
                Some(_) if !facts.has_read => Err(Refusal::NotRead),
                Some(_) => Ok(vec![PostEvent::Vacated { at: facts.now }]),
                None => Ok(vec![]),
            },
            (Some(place), PostCommand::Vacate) if may_read(&facts.actor, place.estate) => Err(Refusal::NotYourScope),
            (Some(_) | None, PostCommand::Vacate) => Err(Refusal::NoSuchPost),
        }
    }

    fn evolve(self, event: &PostEvent) -> Self {
        match event {
            PostEvent::Appointed { place, account, at } => {
                Self { place: Some(place.clone()), account: Some(account.clone()), since: *at, ..self }
            }
            PostEvent::Vacated { at } => Self { account: None, since: *at, ..self },
        }
    }
}

/// Somebody is away, and somebody acts for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Who.
    pub account: Account,
    /// Who acts for them (代班).
    pub cover: Account,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
}

/// An absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Which.
    pub id: AbsenceId,
    /// What was written down; none before.
    pub away: Option<Away>,
}

/// What can be asked of an absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbsenceCommand {
    /// To write it down.
    Record(Away),
    /// To end it now.
    End,
}

/// What happened to an absence. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AbsenceEvent {
    /// It was written down.
    Recorded {
        /// It.
        away: Away,
    },
    /// It ended earlier than planned.
    Ended {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Who writes down that somebody else is away.
const LEADS: [Role; 3] = [Role::Supervisor, Role::Manager, Role::Admin];

/// Whether this person may know that they are away: they themselves, or who sees an estate where they work.
#[must_use]
pub fn may_know(actor: &Actor, account: &str, person: Option<&Served>) -> bool {
    let together = |person: &Served| actor.estates.as_ref().is_none_or(|estates| person.meets(estates));
    actor.id.as_str() == account || person.map_or(actor.estates.is_none(), together)
}

/// Whether this person may say that they are away: they themselves, or who leads where they work. Who works everywhere is led by such people only.
fn may_write(facts: &Facts, account: &str) -> bool {
    let leads = facts.actor.is_any(&LEADS)
        && match (&facts.person, &facts.actor.estates) {
            (_, None) => true,
            (Some(person @ Served::Some(_)), Some(estates)) => person.meets(estates),
            (Some(Served::All) | None, Some(_)) => false,
        };
    facts.actor.id.as_str() == account || leads
}

/// Whether an absence can be written down.
fn check(away: &Away, facts: &Facts) -> Result<(), Refusal> {
    let Away { account, cover, from, to } = away;
    let own = facts.actor.id.as_str() == account;
    if !may_know(&facts.actor, account, facts.person.as_ref()) || (facts.person.is_none() && !own) {
        return Err(Refusal::UnknownAccount);
    }
    if !may_write(facts, account) {
        return Err(Refusal::NotYourAbsence);
    }
    if account == cover {
        return Err(Refusal::CoversThemselves);
    }
    // Whoever covers must be able to see what it is about.
    let together = |cover: &Served| match &facts.person {
        Some(Served::Some(estates)) => cover.meets(estates),
        Some(Served::All) | None => true,
    };
    if !facts.cover.as_ref().is_some_and(together) {
        return Err(Refusal::UnknownCover);
    }
    if to <= from || *to <= facts.now || *to - *from > LONGEST_ABSENCE {
        return Err(Refusal::AbsenceOutOfBounds);
    }
    if facts.away { Err(Refusal::AwayAlready) } else { Ok(()) }
}

impl Aggregate for Absence {
    const NAME: &'static str = "absence";
    type Id = AbsenceId;
    type Command = AbsenceCommand;
    type Event = AbsenceEvent;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: AbsenceId) -> Self {
        Self { id, away: None }
    }

    fn decide(&self, command: &AbsenceCommand, facts: &Facts) -> Result<Vec<AbsenceEvent>, Refusal> {
        match (&self.away, command) {
            (Some(known), AbsenceCommand::Record(away)) if known == away => Ok(vec![]),
            (Some(_), AbsenceCommand::Record(_)) => Err(Refusal::AwayAlready),
            (None, AbsenceCommand::Record(away)) => {
                check(away, facts)?;
                Ok(vec![AbsenceEvent::Recorded { away: away.clone() }])
            }
            (None, AbsenceCommand::End) => Err(Refusal::NoSuchAbsence),
            (Some(known), AbsenceCommand::End) if !may_know(&facts.actor, &known.account, facts.person.as_ref()) => {
                Err(Refusal::NoSuchAbsence)
            }
            (Some(known), AbsenceCommand::End) if !may_write(facts, &known.account) => Err(Refusal::NotYourAbsence),
            (Some(known), AbsenceCommand::End) => {
                // One that is over by itself, or was called off, stays as it is.
                let at = facts.now.max(known.from);
                Ok(if at < known.to { vec![AbsenceEvent::Ended { at }] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &AbsenceEvent) -> Self {
        match event {
            AbsenceEvent::Recorded { away } => self.away = Some(away.clone()),
            AbsenceEvent::Ended { at } => {
                if let Some(away) = &mut self.away {
                    away.to = *at;
                }
            }
        }
        self
    }
}

#[cfg(test)]
#[path = "rulebook_tests.rs"]
mod tests;
