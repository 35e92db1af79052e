//! All SQL of the service.

pub(crate) mod figures;
pub(crate) mod suggestions;
pub(crate) mod surveys;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use steward_chassis::http::page::Key;
use steward_kernel::{Actor, Version, ids::EstateId};
use uuid::Uuid;

/// Whose things may be listed.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Estates; `None` = all of the company.
    estates: Option<Vec<Uuid>>,
    /// The only estate; `None` = any of those.
    estate: Option<Uuid>,
    /// The only resident; `None` = all of those estates.
    resident: Option<Uuid>,
}

impl Scope {
    /// What this person may see: staff by estate, owners by person.
    ///
    /// * `asked`: the estate whose things are wanted.
    pub(crate) fn of(actor: &Actor, asked: Option<EstateId>) -> Self {
        let (estates, estate) = actor.listed_estates(asked);
        // An owner who is no resident of ours sees nothing: no row has the nil id.
        let resident = actor.is_only_owner().then(|| actor.resident.map_or_else(Uuid::nil, Uuid::from));
        Self { estates, estate, resident }
    }
}

/// A row of a list: id, version, when it came into being, when and in which transaction it last changed, what it shows.
pub(crate) type Row<L> = (Uuid, i32, DateTime<Utc>, DateTime<Utc>, i64, Json<L>);

/// Something listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed<L> {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its version.
    pub(crate) version: Version,
    /// When it last changed.
    pub(crate) changed_at: DateTime<Utc>,
    /// What it shows.
    pub(crate) life: L,
}

impl<L> From<Row<L>> for Listed<L> {
    fn from((id, version, _, changed_at, _, life): Row<L>) -> Self {
        Self { id, version: Version(version), changed_at, life: life.0 }
    }
}

/// Where a row stands in a list and in its change feed.
pub(crate) fn key<L>(row: &Row<L>) -> Key {
    Key { at: row.2, id: row.0, changed_xid: row.4 }
}
