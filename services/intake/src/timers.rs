//! What intake does later.

use steward_chassis::timers::Timer;
use steward_kernel::{Aggregate as _, day::HOME, ids::CaseId};

use crate::{
    app::App,
    desk,
    domain::{
        ArticleId,
        article::{self, Article},
        import::RegisterImport,
        inquiry::{Command, Inquiry},
        stewardship::{self as stewardship_of, Stewardship},
    },
    publish::{FOLLOW_UP, RELIEVE, TAKE_EFFECT, stewardship::LOOK},
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
        Timer::on(Article::NAME, TAKE_EFFECT, |_, work, due| {
            Box::pin(async move {
                let id = ArticleId::from(due.stream_id);
                let (actor, now) = (work.call.actor.clone(), work.clock().now());
                // Whoever planned it said when its day begins.
                let facts = article::Facts { actor, now, time_zone: HOME };
                work.execute::<Article>(id, &article::Command::TakeEffect, &facts).await.map(drop)
            })
        }),
        Timer::on(RegisterImport::NAME, RELIEVE, |app: &App, work, _| Box::pin(stewardship::relieve(app, work))),
        Timer::on(Stewardship::NAME, LOOK, |app: &App, work, due| {
            Box::pin(async move {
                let id = CaseId::from(due.stream_id);
                stewardship::command(app, work, id, &stewardship_of::Command::Look).await.map(drop)
            })
        }),
    ]
}
