//! What happens later: published notices come to the end of their time, digests are sent.

use steward_chassis::{
    Result, Work,
    timers::{Due, Timer},
};
use steward_kernel::Aggregate as _;

use crate::{
    app::App,
    digests,
    domain::{Digest, DigestId, Notice, NoticeId, notices::Command},
    publish::{EXPIRE, QUIET, QUIET_URGENT},
};

/// Everything this service does later.
#[must_use]
pub fn all() -> Vec<Timer<App>> {
    vec![
        Timer::on(Notice::NAME, EXPIRE, |app, work, due| Box::pin(expire(app, work, due))),
        Timer::on(Digest::NAME, QUIET, |app, work, due| Box::pin(look(app, work, due, false))),
        Timer::on(Digest::NAME, QUIET_URGENT, |app, work, due| Box::pin(look(app, work, due, true))),
    ]
}

async fn expire(app: &App, work: &mut Work, due: Due) -> Result<()> {
    let facts = app.notice_facts(&work.call);
    work.execute::<Notice>(NoticeId::from(due.stream_id), &Command::Expire, &facts).await?;
    Ok(())
}

async fn look(app: &App, work: &mut Work, due: Due, urgent: bool) -> Result<()> {
    digests::look(app, work, DigestId::from(due.stream_id), urgent).await
}
