//! All SQL of the service.

mod alerts;
mod digests;
mod ended;
mod estates;
mod messages;
mod notices;
mod preferences;
mod staff;

pub use alerts::{
    AlertFilter, Hold, Settled, Untold, accounts_to_settle, add_lines, alerts, hold, hold_case, list_alerts,
    most_pressing, settle_informing, settle_lines, tallies, untold,
};
pub use digests::{list_digests, was_sent_since};
pub use ended::{End, KeptAlert, drop_kept, end_of, keep_alert, note_end, take_up};
pub use estates::{known_estates, register_estate};
pub use messages::{MessageFilter, is_known_resident, latest_letter, list_messages, message_of_case};
pub use notices::{NoticeFilter, approved_notices_of, list_notices};
pub use staff::{StaffMember, accounts_of, has_left, post_of, register_staff};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use steward_chassis::{Error, Result, http::page::Key};
use steward_kernel::{Actor, Version, page::Page};
use uuid::Uuid;

/// An aggregate as it stands in a list.
#[derive(Debug, Clone)]
pub struct Kept<A> {
    /// The aggregate.
    pub state: A,
    /// Its version.
    pub version: Version,
}

/// A row of a list: the state, and where it stands in both orders.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: Uuid,
    version: i32,
    created_at: DateTime<Utc>,
    state: serde_json::Value,
    changed_xid: i64,
}

impl Row {
    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.id, changed_xid: self.changed_xid }
    }

    fn read<A: DeserializeOwned>(self) -> Result<Kept<A>> {
        let state = serde_json::from_value(self.state).map_err(|fault| Error::internal("reading a row", fault))?;
        Ok(Kept { state, version: Version(self.version) })
    }
}

fn read_page<A: DeserializeOwned>(page: Page<Row>) -> Result<Page<Kept<A>>> {
    let Page { items, next_cursor, since } = page;
    let items = items.into_iter().map(Row::read).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}

fn json(state: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(state).map_err(|fault| Error::internal("writing a row", fault))
}

/// The estates that an actor is limited to; `NULL` is all of the company.
fn estates_of(actor: &Actor) -> Option<Vec<Uuid>> {
    actor.estates.as_ref().map(|estates| estates.iter().map(|estate| estate.get()).collect())
}
