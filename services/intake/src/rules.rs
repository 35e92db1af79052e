//! What this process remembers of calendars, policies, posts and absences, so that deciding about time asks the database nothing.
//!
//! Kept per company, looked at again after two seconds at the latest, read again only when a stamp of change differs. So a change of a policy
//! holds everywhere within two seconds, and at once where it was made. Clocks write down which versions they started by.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use steward_chassis::{Clock, Result, db::Tx};
use steward_clock::{Calendar, Holidays, Level, Pin, Policies, Policy, Timetable};
use steward_kernel::{Role, TenantId, ids::EstateId};
use uuid::Uuid;

use crate::{
    domain::{
        rulebook::{PolicyId, ScopeKind, shipped_calendar},
        ruling::{People, Ruling},
    },
    store::rules::{self as rows, Everything, PersonRow, PolicyRow},
};

/// How long what is remembered is not doubted.
const FRESH: Duration = Duration::from_secs(2);
/// How long what is remembered of a company that nobody asks for is kept.
const IDLE: Duration = Duration::from_secs(3600);
/// How many compiled calendars are kept: each is a third of a megabyte. Beyond that they are compiled anew as they are needed.
const MOST_COMPILED: usize = 200;
/// Where estates are unless the register says otherwise.
const DEFAULT_TIME_ZONE: &str = "Asia/Shanghai";
/// In which order policies are asked.
const NEAREST_FIRST: [ScopeKind; 3] = [ScopeKind::Estate, ScopeKind::Region, ScopeKind::Company];

type Compiled = HashMap<(TenantId, Pin), Arc<Calendar>>;

/// What is remembered.
#[derive(Debug, Clone)]
pub struct Rules {
    clock: Clock,
    companies: Arc<Mutex<HashMap<TenantId, Remembered>>>,
    compiled: Arc<RwLock<Compiled>>,
    /// How often something was forgotten: what was being read meanwhile may be old and is not remembered.
    forgotten: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
struct Remembered {
    looked_at: Instant,
    stamps: Vec<Option<i64>>,
    /// Whether no transaction that is older than the last change may still commit.
    is_final: bool,
    company: Arc<Company>,
}

/// The rules of a company, and what was made of them for its estates.
#[derive(Debug)]
struct Company {
    everything: Everything,
    rulings: Mutex<HashMap<EstateId, Made>>,
}

/// A ruling, and from when until when it holds.
#[derive(Debug)]
struct Made {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    ruling: Ruling,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is remembered is replaced as a whole: a panic elsewhere leaves it good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rules {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, companies: Arc::default(), compiled: Arc::default(), forgotten: Arc::default() }
    }

    /// What holds in an estate at an instant.
    ///
    /// # Errors
    /// When it has to be read and the database is away.
    pub async fn ruling(&self, tx: &mut Tx, estate: EstateId, now: DateTime<Utc>) -> Result<Ruling> {
        Ok(self.company(tx, false).await?.ruling(estate, now, None))
    }

    /// What would hold in an estate under another policy for a scope.
    ///
    /// * `scope`: `company`, `region` or `estate`; the estate must lie in it.
    ///
    /// # Errors
    /// When it has to be read and the database is away.
    pub async fn ruling_under(
        &self,
        tx: &mut Tx,
        estate: EstateId,
        now: DateTime<Utc>,
        scope: &str,
        policy: &Arc<Policy>,
    ) -> Result<Ruling> {
        Ok(self.company(tx, false).await?.ruling(estate, now, Some((scope, policy))))
    }

    /// The policies that hold in an estate at an instant, nearest first, with where they come from.
    ///
    /// # Errors
    /// When it has to be read and the database is away.
    pub async fn in_force(&self, tx: &mut Tx, estate: EstateId, now: DateTime<Utc>) -> Result<Vec<InForce>> {
        let company = self.company(tx, false).await?;
        Ok(company.in_force(estate, company.place(estate).0, now))
    }

    /// The compiled calendars of these pins. Each is compiled once; a version never changes. One that does not exist is not provided, and then
    /// counts day and night.
    ///
    /// # Errors
    /// When they have to be read and the database is away.
    pub async fn timetable(&self, tx: &mut Tx, pins: &[Pin]) -> Result<Timetable> {
        let tenant = tx.tenant();
        let mut timetable = Timetable::default();
        for pin in pins {
            if timetable.has(pin) {
                continue;
            }
            let calendar = match self.known(tenant, pin) {
                Some(calendar) => Some(calendar),
                None => self.compile(tx, pin).await?,
            };
            if let Some(calendar) = calendar {
                timetable = timetable.with(pin.clone(), calendar);
            }
        }
        Ok(timetable)
    }

    fn known(&self, tenant: TenantId, pin: &Pin) -> Option<Arc<Calendar>> {
        let compiled = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        compiled.get(&(tenant, pin.clone())).cloned()
    }

    async fn compile(&self, tx: &mut Tx, pin: &Pin) -> Result<Option<Arc<Calendar>>> {
        let compiled = match self.company(tx, false).await?.compile(pin) {
            // What another process wrote a moment ago is in the database, not here.
            None => self.company(tx, true).await?.compile(pin),
            known => known,
        };
        let calendar = compiled.map(Arc::new);
        if let Some(calendar) = &calendar {
            let mut kept = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= MOST_COMPILED {
                kept.clear();
            }
            kept.insert((tx.tenant(), pin.clone()), Arc::clone(calendar));
        }
        Ok(calendar)
    }

    /// Forgets a company: something of its rules was written here.
    pub fn forget(&self, tenant: TenantId) {
        let mut companies = lock(&self.companies);
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        companies.remove(&tenant);
    }

    async fn company(&self, tx: &mut Tx, anew: bool) -> Result<Arc<Company>> {
        let tenant = tx.tenant();
        let known = lock(&self.companies).get(&tenant).cloned();
        if let Some(known) = &known
            && known.looked_at.elapsed() < FRESH
            && !anew
        {
            return Ok(Arc::clone(&known.company));
        }
        let forgotten = self.forgotten.load(Ordering::Relaxed);
        let (looked_at, (stamps, is_final)) = (Instant::now(), rows::stamps(tx).await?);
        let company = match known {
            Some(known) if known.is_final && known.stamps == stamps => known.company,
            _ => Arc::new(Company {
                everything: rows::everything(tx, self.clock.now()).await?,
                rulings: Mutex::default(),
            }),
        };
        let remembered = Remembered { looked_at, stamps, is_final, company: Arc::clone(&company) };
        let mut companies = lock(&self.companies);
        if self.forgotten.load(Ordering::Relaxed) == forgotten {
            companies.retain(|_, one| one.looked_at.elapsed() < IDLE);
            companies.insert(tenant, remembered);
        }
        Ok(company)
    }
}

/// A policy that holds somewhere.
#[derive(Debug, Clone)]
pub struct InForce {
    /// For what it is set.
    pub scope: ScopeKind,
    /// Which.
    pub policy_id: PolicyId,
    /// In which version.
    pub version: i32,
    /// What it says.
    pub policy: Arc<Policy>,
}

/// The version that holds at an instant: the newest of those that are valid by then.
fn valid<T>(versions: &[T], valid_from: impl Fn(&T) -> DateTime<Utc>, now: DateTime<Utc>) -> Option<&T> {
    versions.iter().rev().find(|version| valid_from(version) <= now)
}

impl Company {
    fn ruling(&self, estate: EstateId, now: DateTime<Utc>, other: Option<(&str, &Arc<Policy>)>) -> Ruling {
        if other.is_none()
            && let Some(made) = lock(&self.rulings).get(&estate)
            && made.from <= now
            && now < made.to
        {
            return made.ruling.clone();
        }
        let (region, time_zone) = self.place(estate);
        let ruling = Ruling {
            policies: self.policies(estate, region, now, other),
            time_zone: time_zone.to_owned(),
            calendars: Arc::new(self.calendars(now)),
            holidays: i32::try_from(self.everything.holidays.len()).unwrap_or(i32::MAX),
            people: Arc::new(self.people(estate, region)),
            covers: Arc::new(self.covers(now)),
        };
        if other.is_none() {
            let made = Made { from: now, to: self.next_change(now), ruling: ruling.clone() };
            lock(&self.rulings).insert(estate, made);
        }
        ruling
    }

    fn place(&self, estate: EstateId) -> (&str, &str) {
        let found = self.everything.estates.iter().find(|row| row.estate_id == estate.get());
        found.map_or(("", DEFAULT_TIME_ZONE), |row| (row.region.as_str(), row.time_zone.as_str()))
    }

    fn in_force(&self, estate: EstateId, region: &str, now: DateTime<Utc>) -> Vec<InForce> {
        let of = |scope: ScopeKind| {
            let is_it = |row: &&PolicyRow| {
                row.scope == scope.as_str()
                    && match scope {
                        ScopeKind::Estate => row.estate_id == Some(estate.get()),
                        ScopeKind::Region => row.region == region,
                        ScopeKind::Company => true,
                    }
            };
            let row = self.everything.policies.iter().find(is_it)?;
            let version = valid(&row.versions, |version| version.valid_from, now)?;
            let policy = Arc::new(version.policy.clone());
            Some(InForce { scope, policy_id: row.policy_id.into(), version: version.version, policy })
        };
        NEAREST_FIRST.into_iter().filter_map(of).collect()
    }

    fn policies(
        &self,
        estate: EstateId,
        region: &str,
        now: DateTime<Utc>,
        other: Option<(&str, &Arc<Policy>)>,
    ) -> Policies {
        let in_force = self.in_force(estate, region, now);
        let of = |scope: ScopeKind| {
            let other = other.filter(|(replaced, _)| *replaced == scope.as_str()).map(|(_, policy)| Arc::clone(policy));
            let own = || in_force.iter().find(|own| own.scope == scope).map(|own| Arc::clone(&own.policy));
            other.or_else(own)
        };
        Policies(NEAREST_FIRST.into_iter().filter_map(of).collect())
    }

    fn calendars(&self, now: DateTime<Utc>) -> BTreeMap<String, (Uuid, i32)> {
        let versions = self.everything.calendars.iter().filter_map(|row| {
            let version = valid(&row.versions, |version| version.valid_from, now)?;
            Some((row.code.clone(), (row.calendar_id, version.version)))
        });
        versions.collect()
    }

    fn people(&self, estate: EstateId, region: &str) -> People {
        let mut people = People::default();
        for post in &self.everything.posts {
            let is_here = match Level::parse(&post.level) {
                Some(Level::Lead | Level::EstateManager) => post.estate_id == Some(estate.get()),
                Some(Level::Region) => post.region == region,
                Some(Level::Company) => true,
                Some(Level::Worker) | None => false,
            };
            if let Some(level) = Level::parse(&post.level).filter(|_| is_here) {
                people.posts.insert((level, post.department.clone()), post.account.clone());
            }
        }
        let here = |row: &&PersonRow| row.estate_ids.as_ref().is_some_and(|ids| ids.contains(&estate.get()));
        let everywhere = |row: &&PersonRow| row.estate_ids.is_none();
        let all = || self.everything.people.iter();
        // Who works here alone comes before who works everywhere.
        let nearest: Vec<&PersonRow> = all().filter(here).chain(all().filter(everywhere)).collect();
        for row in &nearest {
            let level = match Role::parse(&row.role) {
                Some(Role::Supervisor) => Level::Lead,
                Some(Role::Manager) if row.estate_ids.is_some() => Level::EstateManager,
                Some(Role::Manager | Role::Admin) if row.estate_ids.is_none() => Level::Company,
                _ => continue,
            };
            people.register.push((level, row.department.clone(), row.account.clone()));
        }
        for role in [Role::Receptionist, Role::Handler] {
            if people.receivers.is_empty() {
                let receive = nearest.iter().filter(|row| Role::parse(&row.role) == Some(role));
                people.receivers.extend(receive.map(|row| row.account.clone()));
            }
        }
        people
    }

    fn covers(&self, now: DateTime<Utc>) -> BTreeMap<String, String> {
        let away = self.everything.absences.iter().filter(|row| row.from_at <= now && now < row.to_at);
        away.map(|row| (row.account.clone(), row.cover.clone())).collect()
    }

    /// Until when what holds now goes on to hold by itself.
    fn next_change(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let calendars =
            self.everything.calendars.iter().flat_map(|row| row.versions.iter().map(|version| version.valid_from));
        let policies =
            self.everything.policies.iter().flat_map(|row| row.versions.iter().map(|version| version.valid_from));
        let absences = self.everything.absences.iter().flat_map(|row| [row.from_at, row.to_at]);
        calendars.chain(policies).chain(absences).filter(|at| *at > now).min().unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The calendar of a pin; none when it, or so many arrangements of public holidays, are not known here.
    fn compile(&self, pin: &Pin) -> Option<Calendar> {
        let zone: Tz = pin.time_zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
        let Some(id) = pin.calendar else { return Some(Calendar::day_and_night(zone)) };
        let loaded = self.everything.holidays.get(..usize::try_from(pin.holidays).ok()?)?;
        let holidays = loaded.iter().cloned().fold(Holidays::shipped().clone(), Holidays::with);
        if id.is_nil() {
            return Some(Calendar::compile(&shipped_calendar(), &holidays, zone));
        }
        let row = self.everything.calendars.iter().find(|row| row.calendar_id == id)?;
        let version = row.versions.iter().find(|known| known.version == pin.version)?;
        Some(Calendar::compile(&version.rules, &holidays, zone))
    }
}
