//! Preferences: read one at a time, from their history; no list needs a row.

use steward_chassis::{Result, Stored, db::Tx};
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};

use crate::domain::{Preference, preferences::Event};

impl Stored for Preference {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<Event>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}
