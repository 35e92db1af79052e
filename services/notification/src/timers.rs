//! What happens later: published notices come to the end of their time.

use steward_chassis::{
    Result, Work,
    timers::{Due, Timer},
};
use steward_kernel::Aggregate as _;

use crate::{
    app::App,
    domain::{Notice, NoticeId, notices::Command},
    publish::EXPIRE,
};

/// Everything this service does later.
#[must_use]
pub fn all() -> Vec<Timer<App>> {
    vec![Timer::on(Notice::NAME, EXPIRE, |app, work, due| Box::pin(expire(app, work, due)))]
}

async fn expire(app: &App, work: &mut Work, due: Due) -> Result<()> {
    let facts = app.notice_facts(&work.call);
    work.execute::<Notice>(NoticeId::from(due.stream_id), &Command::Expire, &facts).await?;
    Ok(())
}
