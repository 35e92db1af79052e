//! How alerts come into digests, and how digests come to be sent.

use std::collections::BTreeSet;

use steward_chassis::{Call, Error, Executed, Result, Work};
use steward_kernel::{ActorId, ids::CaseId, vocabulary::Priority};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{AlertCause, Digest, DigestId, DigestStatus, Matter, digests::Command, is_urgent, outlives_its_case},
    store::{self, End, Hold, KeptAlert, Settled, Untold},
};

/// Tells each of the accounts about a matter: one line in the digest that collects for it, which is opened if need be.
///
/// # Errors
/// [`Error::Busy`] when somebody else opened or hurried the digest at the same moment: begin again, and join it.
pub async fn tell(
    app: &App,
    work: &mut Work,
    accounts: impl IntoIterator<Item = String>,
    cause: AlertCause,
    matter: &Matter,
) -> Result<()> {
    let event = work.call.cause.ok_or_else(|| Error::internal("alert", "without an event id"))?.into();
    // Nobody is '': an event says so of a person that is not known.
    let accounts: BTreeSet<_> = accounts.into_iter().filter(|account| !account.is_empty()).map(ActorId::new).collect();
    if let Some(case) = matter.case.filter(|_| !outlives_its_case(cause, matter)) {
        store::hold_case(&mut work.tx, case, Hold::Together).await?;
        if store::end_of(&mut work.tx, case).await?.is_some() {
            let kept = KeptAlert { event, cause, accounts, matter: matter.clone() };
            return store::keep_alert(&mut work.tx, case, &kept).await;
        }
    }
    tell_of(app, work, event, accounts, cause, matter).await
}

/// A case is over: nobody need look at it any more.
///
/// # Errors
/// As [`settle`].
pub async fn end(app: &App, work: &mut Work, case: CaseId, end: End) -> Result<()> {
    store::hold_case(&mut work.tx, case, Hold::Alone).await?;
    store::note_end(&mut work.tx, case, end).await?;
    settle(app, work, Some(case), &Settled::Case).await
}

/// A case is under way. If it was over, what was told of it since then is told now.
///
/// # Errors
/// As [`tell`].
pub async fn take_up(app: &App, work: &mut Work, case: CaseId) -> Result<()> {
    store::hold_case(&mut work.tx, case, Hold::Alone).await?;
    for KeptAlert { event, cause, accounts, matter } in store::take_up(&mut work.tx, case).await? {
        tell_of(app, work, event, accounts, cause, &matter).await?;
    }
    Ok(())
}

/// The same for another reason than an event that was heard.
///
/// * `occasion`: the reason; nobody is told twice of the same.
///
/// # Errors
/// As [`tell`].
pub async fn tell_of(
    app: &App,
    work: &mut Work,
    occasion: Uuid,
    accounts: BTreeSet<ActorId>,
    cause: AlertCause,
    matter: &Matter,
) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    store::hold(&mut work.tx, &accounts, Hold::Together).await?;
    let mut lines = Vec::new();
    for untold in store::untold(&mut work.tx, occasion, &accounts).await? {
        let digest = digest_for(app, work, &untold, matter.priority).await?;
        lines.push((untold.alert, untold.account, digest));
    }
    store::add_lines(&mut work.tx, &lines, cause, matter, app.clock.now()).await
}

/// The digest that collects for the account, opened or hurried by the line that is about to join it.
async fn digest_for(app: &App, work: &mut Work, untold: &Untold, priority: Option<Priority>) -> Result<DigestId> {
    let facts = app.digest_facts(&work.call);
    let urgent = is_urgent(priority);
    // The first emergency waits for nothing; those of a storm that follow it come together.
    let since = facts.now - facts.pace.quiet_urgent;
    let at_once =
        priority == Some(Priority::P1) && !store::was_sent_since(&mut work.tx, &untold.account, since).await?;
    match untold.collecting {
        None => {
            let (id, account) = (DigestId::from(app.clock.new_id()), untold.account.clone());
            work.create::<Digest>(id, &Command::Open { account, urgent, at_once }, &facts).await?;
            Ok(id)
        }
        Some((id, known)) if urgent && (at_once || !known) => {
            work.execute::<Digest>(id, &Command::Hurry { at_once }, &facts).await?;
            Ok(id)
        }
        Some((id, _)) => Ok(id),
    }
}

/// Settles lines about a case, or of a notice, and the digests in which no other line waits for anybody.
///
/// # Errors
/// [`Error::Busy`] when it takes too long, [`Error::Unavailable`] when the database is away.
pub async fn settle(app: &App, work: &mut Work, case: Option<CaseId>, settled: &Settled) -> Result<()> {
    if let Some(case) = case {
        store::hold_case(&mut work.tx, case, Hold::Together).await?;
        store::drop_kept(&mut work.tx, case, settled).await?;
    }
    let accounts = store::accounts_to_settle(&mut work.tx, case, settled).await?;
    if accounts.is_empty() {
        return Ok(());
    }
    store::hold(&mut work.tx, &accounts, Hold::Alone).await?;
    let facts = app.digest_facts(&work.call);
    for digest in store::settle_lines(&mut work.tx, case, settled, facts.now).await? {
        work.execute::<Digest>(digest, &Command::Settle, &facts).await?;
    }
    Ok(())
}

/// Marks a digest as read: what only informs is settled by that.
///
/// # Errors
/// Refusals of the digest; what the engine says.
pub async fn read(app: &App, call: &Call, id: DigestId) -> Result<Executed<Digest>> {
    let app_again = app.clone();
    app.engine
        .transact(call, move |work| {
            let app = app_again.clone();
            Box::pin(async move {
                let facts = app.digest_facts(&work.call);
                let read = work.execute::<Digest>(id, &Command::Read, &facts).await?;
                if !read.replayed {
                    store::hold(&mut work.tx, &BTreeSet::from([work.call.actor.id.clone()]), Hold::Alone).await?;
                    store::settle_informing(&mut work.tx, id, facts.now).await?;
                }
                Ok(read)
            })
        })
        .await
}

/// Sends a digest if it is time; a timer asks.
///
/// # Errors
/// [`Error::Busy`] when it takes too long, [`Error::Unavailable`] when the database is away.
pub async fn look(app: &App, work: &mut Work, id: DigestId, urgent: bool) -> Result<()> {
    let found = work.find::<Digest>(id).await?;
    let Some(Digest { account: Some(account), status: Some(DigestStatus::Collecting), .. }) = found else {
        return Ok(());
    };
    // From here on no line joins it.
    store::hold(&mut work.tx, &BTreeSet::from([account]), Hold::Alone).await?;
    let mut facts = app.digest_facts(&work.call);
    facts.tallies = store::tallies(&mut work.tx, id, facts.now).await?;
    facts.shown = store::most_pressing(&mut work.tx, id).await?;
    work.execute::<Digest>(id, &Command::Look { urgent }, &facts).await?;
    Ok(())
}
