//! What intake does later.

use steward_chassis::timers::Timer;
use steward_kernel::{Aggregate as _, ids::CaseId};

use crate::{
    app::App,
    desk,
    domain::{
        inquiry::{Command, Inquiry},
        stewardship::{self as stewardship_of, Stewardship},
    },
    publish::{FOLLOW_UP, stewardship::LOOK},
    stewardship,
};

/// Everything that intake does later.
pub(crate) fn all() -> Vec<Timer<App>> {
    vec![
        Timer::on(Inquiry::NAME, FOLLOW_UP, |app: &App, work, due| {
            Box::pin(async move {
                let id = CaseId::from(due.stream_id);
                desk::inquire_within(app, work, id, &Command::FallDue).await.map(|_| ())
            })
        }),
        Timer::on(Stewardship::NAME, LOOK, |app: &App, work, due| {
            Box::pin(async move {
                let id = CaseId::from(due.stream_id);
                stewardship::command(app, work, id, &stewardship_of::Command::Look).await.map(drop)
            })
        }),
    ]
}
