//! What this process remembers of the register, so that opening a case asks the database nothing.
//!
//! Only what exists is remembered, and estates, units and residents are never deleted: what stands here stays true. What does not stand
//! here is looked up. Estates are remembered whole; those that were asked for longest ago are let go when all together are too many.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono_tz::Tz;
use steward_chassis::{Result, db::Db};
use steward_kernel::{
    TenantId,
    day::zone,
    ids::{EstateId, ResidentId, UnitId},
};
use uuid::Uuid;

use crate::store::place;

/// Most ids that are remembered: 64 MiB. An estate of 1,000 households has some 3,000.
const MOST: usize = 4 << 20;
/// What an estate costs beside its ids, in ids.
const ESTATE: usize = 16;

/// What stands in the register.
#[derive(Debug, Clone)]
pub struct Places {
    db: Db,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    estates: HashMap<(TenantId, EstateId), Estate>,
    /// Of all estates.
    ids: usize,
    uses: AtomicU64,
}

#[derive(Debug)]
struct Estate {
    time_zone: Tz,
    /// Sorted, as residents are.
    units: Vec<Uuid>,
    /// Who is tied to it.
    residents: Vec<Uuid>,
    /// Which use of all was its last.
    used: AtomicU64,
}

impl Estate {
    fn new(time_zone: Tz, mut units: Vec<Uuid>, mut residents: Vec<Uuid>) -> Self {
        for ids in [&mut units, &mut residents] {
            ids.sort_unstable();
            ids.shrink_to_fit();
        }
        Self { time_zone, units, residents, used: AtomicU64::default() }
    }

    fn ids(&self) -> usize {
        ESTATE + self.units.len() + self.residents.len()
    }
}

impl Known {
    fn find(&self, tenant: TenantId, estate: EstateId) -> Option<&Estate> {
        let found = self.estates.get(&(tenant, estate))?;
        found.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(found)
    }

    /// Remembers an estate anew, and lets others go: those of closed companies, and, when there are too many ids, those used longest ago.
    fn note(&mut self, tenant: TenantId, estate: EstateId, found: Estate, closed: &[Uuid]) {
        found.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.ids += found.ids();
        let before = self.estates.insert((tenant, estate), found);
        self.ids -= before.map_or(0, |before| before.ids());
        if !closed.is_empty() {
            self.retain(|(tenant, _), _| !closed.contains(&tenant.get()));
        }
        if self.ids <= MOST {
            return;
        }
        let mut by_use: Vec<_> =
            self.estates.values().map(|estate| (estate.used.load(Ordering::Relaxed), estate.ids())).collect();
        by_use.sort_unstable();
        // An eighth at once, so that not every estate that comes makes all be looked through. The one that has just come stays.
        let (mut left, mut last) = (self.ids, 0);
        for (used, ids) in by_use.iter().take(by_use.len().saturating_sub(1)) {
            if left <= MOST / 8 * 7 {
                break;
            }
            (left, last) = (left - ids, used + 1);
        }
        self.retain(|_, estate| estate.used.load(Ordering::Relaxed) >= last);
    }

    fn retain(&mut self, keep: impl Fn(&(TenantId, EstateId), &Estate) -> bool) {
        self.estates.retain(|key, estate| keep(key, estate));
        self.ids = self.estates.values().map(Estate::ids).sum();
    }

    /// Remembers one more id of an estate that is remembered.
    fn add(&mut self, tenant: TenantId, estate: EstateId, id: Uuid, of: impl FnOnce(&mut Estate) -> &mut Vec<Uuid>) {
        let Some(ids) = self.estates.get_mut(&(tenant, estate)).map(of) else { return };
        if let Err(place) = ids.binary_search(&id) {
            ids.reserve_exact(1);
            ids.insert(place, id);
            self.ids += 1;
        }
    }
}

impl Places {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, known: Arc::default() }
    }

    /// The time zone of an estate; `None` when it is not in the register.
    ///
    /// # Errors
    /// When it has to be looked up and the database is away.
    pub async fn estate(&self, tenant: TenantId, estate: EstateId) -> Result<Option<Tz>> {
        let known = self.read(|known| known.find(tenant, estate).map(|known| known.time_zone));
        if known.is_some() {
            return Ok(known);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::estate(&mut tx, estate).await?;
        tx.rollback().await?;
        let Some(row) = found else { return Ok(None) };
        let time_zone = zone(&row.time_zone);
        let (found, closed) = (Estate::new(time_zone, row.units, row.residents), self.db.tenants.closed());
        self.write(|known| known.note(tenant, estate, found, &closed));
        Ok(Some(time_zone))
    }

    /// Whether an estate has that unit.
    ///
    /// # Errors
    /// When it has to be looked up and the database is away.
    pub async fn has_unit(&self, tenant: TenantId, estate: EstateId, unit: UnitId) -> Result<bool> {
        let is_known = |known: &Estate| known.units.binary_search(&unit.get()).is_ok();
        if self.read(|known| known.find(tenant, estate).is_some_and(is_known)) {
            return Ok(true);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::has_unit(&mut tx, estate, unit).await?;
        tx.rollback().await?;
        if found {
            self.write(|known| known.add(tenant, estate, unit.get(), |known| &mut known.units));
        }
        Ok(found)
    }

    /// Whether the register has that resident.
    ///
    /// * `estate`: where they are looked for first.
    ///
    /// # Errors
    /// When it has to be looked up and the database is away.
    pub async fn has_resident(&self, tenant: TenantId, estate: EstateId, resident: ResidentId) -> Result<bool> {
        let is_known = |known: &Estate| known.residents.binary_search(&resident.get()).is_ok();
        if self.read(|known| known.find(tenant, estate).is_some_and(is_known)) {
            return Ok(true);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::has_resident(&mut tx, resident).await?;
        tx.rollback().await?;
        if found {
            self.write(|known| known.add(tenant, estate, resident.get(), |known| &mut known.residents));
        }
        Ok(found)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, note: impl FnOnce(&mut Known)) {
        note(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T: From<Uuid>>(n: usize) -> T {
        Uuid::from_u128(u128::try_from(n).unwrap()).into()
    }

    fn estate(households: usize) -> Estate {
        let ids = |from: usize, count: usize| (from..from + count).map(id).collect();
        Estate::new(Tz::Asia__Shanghai, ids(1, households), ids(1 << 30, 2 * households))
    }

    #[test]
    fn estates_of_a_thousand_households_are_remembered_by_the_thousand_and_the_oldest_let_go() {
        let mut known = Known::default();
        for n in 0..1000 {
            known.note(id(1), id(n), estate(1000), &[]);
        }
        assert_eq!((known.estates.len(), known.ids), (1000, 1000 * 3016));
        for n in 1000..4000 {
            known.note(id(1), id(n), estate(1000), &[]);
            assert!(known.ids <= MOST && known.estates.len() <= 1390);
            // Somebody asks for it all the time.
            assert!(known.find(id(1), id(7)).is_some());
        }
        assert!(known.find(id(1), id(3999)).is_some() && known.find(id(1), id(2000)).is_none());
        assert_eq!(known.ids, known.estates.values().map(Estate::ids).sum::<usize>());
        // One that is too large alone is remembered as long as no other comes.
        known.note(id(1), id(4000), estate(MOST), &[]);
        assert_eq!(known.estates.len(), 1);
    }

    #[test]
    fn closed_companies_are_forgotten_and_what_is_new_is_added_once() {
        let mut known = Known::default();
        known.note(id(1), id(1), estate(10), &[]);
        known.note(id(2), id(1), estate(10), &[]);
        known.note(id(2), id(2), estate(10), &[id(1)]);
        assert!(known.find(id(1), id(1)).is_none() && known.find(id(2), id(1)).is_some());
        let before = known.ids;
        for _ in 0..2 {
            known.add(id(2), id(2), id(99), |known| &mut known.units);
            known.add(id(1), id(1), id(99), |known| &mut known.units);
        }
        assert_eq!(known.ids, before + 1);
        assert!(known.find(id(2), id(2)).unwrap().units.is_sorted());
    }
}
