//! What this process remembers of the register, so that opening a case asks the database nothing.
//!
//! Only what exists is remembered, and estates, units and residents are never deleted: what stands here stays true.
//! What does not stand here is looked up.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use chrono_tz::Tz;
use steward_chassis::{Result, db::Db};
use steward_kernel::{
    TenantId,
    day::zone,
    ids::{EstateId, ResidentId, UnitId},
};

use crate::store::place;

/// What stands in the register.
#[derive(Debug, Clone)]
pub struct Places {
    db: Db,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    estates: HashMap<(TenantId, EstateId), Tz>,
    units: HashSet<(TenantId, EstateId, UnitId)>,
    residents: HashSet<(TenantId, ResidentId)>,
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
        let known = self.read(|known| known.estates.get(&(tenant, estate)).copied());
        if known.is_some() {
            return Ok(known);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::estate(&mut tx, estate).await?;
        tx.rollback().await?;
        let Some(row) = found else { return Ok(None) };
        let time_zone = zone(&row.time_zone);
        self.note(|known| {
            known.units.extend(row.units.iter().map(|unit| (tenant, estate, UnitId::from(*unit))));
            known.residents.extend(row.residents.iter().map(|resident| (tenant, ResidentId::from(*resident))));
            known.estates.insert((tenant, estate), time_zone);
        });
        Ok(Some(time_zone))
    }

    /// Whether an estate has that unit.
    ///
    /// # Errors
    /// When it has to be looked up and the database is away.
    pub async fn has_unit(&self, tenant: TenantId, estate: EstateId, unit: UnitId) -> Result<bool> {
        if self.read(|known| known.units.contains(&(tenant, estate, unit))) {
            return Ok(true);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::has_unit(&mut tx, estate, unit).await?;
        tx.rollback().await?;
        if found {
            self.note(|known| known.units.insert((tenant, estate, unit)));
        }
        Ok(found)
    }

    /// Whether the register has that resident.
    ///
    /// # Errors
    /// When it has to be looked up and the database is away.
    pub async fn has_resident(&self, tenant: TenantId, resident: ResidentId) -> Result<bool> {
        if self.read(|known| known.residents.contains(&(tenant, resident))) {
            return Ok(true);
        }
        let mut tx = self.db.begin(tenant).await?;
        let found = place::has_resident(&mut tx, resident).await?;
        tx.rollback().await?;
        if found {
            self.note(|known| known.residents.insert((tenant, resident)));
        }
        Ok(found)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn note<T>(&self, write: impl FnOnce(&mut Known) -> T) {
        write(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}
