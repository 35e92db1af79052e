//! What is due later.

use steward_chassis::timers::Timer;
use steward_kernel::Aggregate as _;

use crate::{
    app::App,
    domain::{
        Survey, SurveyId,
        survey::{self, Command},
    },
    publish::EXPIRY,
};

/// All timers.
pub(crate) fn all() -> Vec<Timer<App>> {
    vec![Timer::on(survey::Survey::NAME, EXPIRY, |app: &App, work, due| {
        Box::pin(async move {
            let facts = app.facts(&work.call.actor);
            work.execute::<Survey>(SurveyId::from(due.stream_id), &Command::Expire, &facts).await.map(|_| ())
        })
    })]
}
