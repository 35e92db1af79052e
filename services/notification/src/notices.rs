//! What a notice makes somebody responsible for: a second person to approve it, its author to publish it.

use std::collections::BTreeSet;

use steward_chassis::{Call, Executed, Result, Work};
use steward_kernel::ActorId;
use uuid::Uuid;

use crate::{
    app::App,
    digests,
    domain::{AlertCause, Matter, Notice, NoticeContent, NoticeId, NoticeStatus, notices::Command},
    http::permission::APPROVERS,
    store::{self, Hold, Settled},
};

/// Carries out a command on a notice, and tells whoever has to act because of it.
///
/// # Errors
/// Refusals of the notice; what the engine says.
pub async fn execute(app: &App, call: &Call, id: NoticeId, command: Command) -> Result<Executed<Notice>> {
    let app_again = app.clone();
    app.engine
        .transact(call, move |work| {
            let (app, command) = (app_again.clone(), command.clone());
            Box::pin(async move {
                let before = work.find::<Notice>(id).await?.and_then(|notice| notice.status);
                let done = work.execute::<Notice>(id, &command, &app.notice_facts(&work.call)).await?;
                if !done.replayed && done.state.status != before {
                    follow(&app, work, &done.state).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// What was to be done about it is done; what is to be done now is told.
async fn follow(app: &App, work: &mut Work, notice: &Notice) -> Result<()> {
    let (Some(status), Some(content)) = (notice.status, &notice.content) else { return Ok(()) };
    let author: BTreeSet<ActorId> = notice.author.iter().cloned().collect();
    let (accounts, cause) = match status {
        NoticeStatus::InReview => {
            let able = store::accounts_of(&mut work.tx, APPROVERS, &content.estates).await?;
            (able.difference(&author).cloned().collect(), AlertCause::NoticeInReview)
        }
        NoticeStatus::Approved => (publishers(work, content, author).await?, AlertCause::NoticeApproved),
        NoticeStatus::Recalled => (author, AlertCause::NoticeRecalled),
        NoticeStatus::Draft | NoticeStatus::Sent | NoticeStatus::Expired => (BTreeSet::new(), AlertCause::Other),
    };
    // Who did it knows.
    let told: BTreeSet<ActorId> = accounts.into_iter().filter(|account| *account != work.call.actor.id).collect();
    let settled = Settled::Task(notice.id.get());
    // All at once and in order: two notices could wait for each other's people.
    let held = store::accounts_to_settle(&mut work.tx, None, &settled).await?.union(&told).cloned().collect();
    store::hold(&mut work.tx, &held, Hold::Alone).await?;
    digests::settle(app, work, None, &settled).await?;
    let matter = matter(app, notice.id, content);
    digests::tell_of(app, work, occasion(notice.id, status), told, cause, &matter).await
}

/// Who publishes it: its author, or who could when the author has left.
async fn publishers(work: &mut Work, content: &NoticeContent, author: BTreeSet<ActorId>) -> Result<BTreeSet<ActorId>> {
    for account in &author {
        if store::has_left(&mut work.tx, account).await? {
            return store::accounts_of(&mut work.tx, APPROVERS, &content.estates).await;
        }
    }
    Ok(author)
}

/// Somebody has left: who could publish their notices that are approved is told of them.
///
/// # Errors
/// What the database and the engine say.
pub async fn pass_on(app: &App, work: &mut Work, author: &ActorId) -> Result<()> {
    for notice in store::approved_notices_of(&mut work.tx, author).await? {
        follow(app, work, &notice).await?;
    }
    Ok(())
}

/// The reason of an alert: a status is reached once.
fn occasion(id: NoticeId, status: NoticeStatus) -> Uuid {
    Uuid::new_v5(&id.get(), status.as_str().as_bytes())
}

fn matter(app: &App, id: NoticeId, content: &NoticeContent) -> Matter {
    let title = content.title.to_string();
    Matter { task: Some(id.get()), notice: Some(id), ..Matter::bare(title, app.clock.now()) }
}
