//! Imports have no row of their own: the log has what came of them, for whoever repeats the request.

use steward_chassis::{Result, Stored, db::Tx};
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};

use crate::{
    domain::import::{Event, RegisterImport},
    publish,
};

impl Stored for RegisterImport {
    async fn project(&self, _tx: &mut Tx, _events: &[Recorded<Event>]) -> Result<()> {
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::timers_of_import(event)
    }
}
