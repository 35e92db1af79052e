//! The one way to change an aggregate.
//!
//! One transaction: claim the command's key → load and fold → decide (pure) → append events, outbox and timers → project the row
//! that lists read → commit. HTTP handlers, consumers and timers all go through it.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use chrono::{DateTime, SubsecRound as _, Utc};
use futures::future::BoxFuture;
use steward_kernel::{
    Aggregate, EventId, Recorded, Version,
    message::{Outgoing, TimerChange},
    replay,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    Call, Clock, CommandKey, Error, Result,
    chains::{self, Link},
    db::{Db, Tx},
    log::{self, Append, Appended, Draft, Seen},
};

/// How often a command is decided again when somebody else was faster.
const ATTEMPTS: u32 = 5;

/// An aggregate that is kept in this service's schema.
pub trait Stored: Aggregate {
    /// Writes the row that lists and searches read, in the same transaction.
    fn project(&self, tx: &mut Tx, events: &[Recorded<Self::Event>]) -> impl Future<Output = Result<()>> + Send;
    /// What others are told of an event; the state is the one right after it. Pure.
    fn outgoing(&self, event: &Recorded<Self::Event>) -> Option<Outgoing>;
    /// What an event does to the aggregate's timers; the state is the one right after it. Pure.
    fn timers(&self, event: &Recorded<Self::Event>) -> Vec<TimerChange>;
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Executed<A> {
    /// The aggregate as the answer shows it.
    pub state: A,
    /// Its version.
    pub version: Version,
    /// When it last changed.
    pub changed_at: DateTime<Utc>,
    /// Whether this is the first answer again.
    pub replayed: bool,
}

/// Changes aggregates.
#[derive(Debug, Clone)]
pub struct Engine {
    db: Db,
    clock: Clock,
    wake: Arc<Wake>,
}

/// Tells the loops of this process that there is work, without a lock in the database.
#[derive(Debug, Default)]
pub struct Wake {
    /// Something waits in the outbox.
    pub relay: Notify,
    /// A timer was set.
    pub timers: Notify,
}

impl Engine {
    /// An engine on that database.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, wake: Arc::default() }
    }

    /// The database it works on.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// How the loops learn of work.
    #[must_use]
    pub fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.wake)
    }

    /// Carries out one command on one aggregate.
    ///
    /// # Errors
    /// [`Error::Refused`] by the domain, [`Error::Stale`] when the caller saw another version, [`Error::KeyReused`],
    /// [`Error::Busy`] when others keep being faster, [`Error::Unavailable`] when the database is away. Nothing is written then.
    pub async fn execute<A: Stored>(
        &self,
        call: &Call,
        id: A::Id,
        command: &A::Command,
        facts: &A::Facts,
    ) -> Result<Executed<A>> {
        let mut attempt = 1;
        loop {
            let mut work = self.begin(call).await?;
            let done = match work.execute::<A>(id, command, facts).await {
                Ok(executed) => work.commit().await.map(|()| executed),
                Err(refused) => Err(refused),
            };
            match done {
                Err(Error::Busy) if attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    /// Carries out the first command of an aggregate whose id was just minted.
    ///
    /// Saves two round trips: there is no history to read, and a key that was claimed before shows when it is claimed again.
    ///
    /// # Errors
    /// As [`Engine::execute`].
    pub async fn create<A: Stored>(
        &self,
        call: &Call,
        id: A::Id,
        command: &A::Command,
        facts: &A::Facts,
    ) -> Result<Executed<A>> {
        let mut work = self.begin(call).await?;
        let outcome = match work.create::<A>(id, command, facts).await {
            Ok(executed) => work.commit().await.map(|()| executed),
            Err(refused) => {
                drop(work);
                Err(refused)
            }
        };
        match outcome {
            Err(Error::Busy) => self.execute(call, id, command, facts).await,
            other => other,
        }
    }

    /// Carries out several commands, and whatever else the closure writes, in one transaction.
    ///
    /// The first command claims the call's key; when it comes back `replayed`, the closure returns without doing the rest.
    ///
    /// # Errors
    /// As [`Engine::execute`].
    pub async fn transact<T, F>(&self, call: &Call, mut steps: F) -> Result<T>
    where
        F: for<'a> FnMut(&'a mut Work) -> BoxFuture<'a, Result<T>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            let mut work = self.begin(call).await?;
            let done = match steps(&mut work).await {
                Ok(done) => work.commit().await.map(|()| done),
                Err(refused) => Err(refused),
            };
            match done {
                Err(Error::Busy) if attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    /// Opens a transaction in which commands are carried out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn begin(&self, call: &Call) -> Result<Work> {
        let tx = self.db.begin(call.tenant()).await?;
        let call = call.clone();
        let (clock, wake) = (self.clock.clone(), self.wake());
        let read = BTreeMap::new();
        Ok(Work { tx, call, clock, wake, moment: None, read, queued: false, timed: false, keyed: false })
    }

    /// The aggregate as it is, with its version; [`Error::NotFound`] when it was never born.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn load<A: Stored>(&self, call: &Call, id: A::Id) -> Result<Executed<A>> {
        let mut tx = self.db.begin(call.tenant()).await?;
        let (state, history) = load::<A>(&mut tx, id, i32::MAX).await?;
        tx.rollback().await?;
        match history.changed_at {
            Some(changed_at) => Ok(Executed { state, version: history.version, changed_at, replayed: false }),
            None => Err(Error::NotFound),
        }
    }

    /// The events of an aggregate, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn history<A: Stored>(&self, call: &Call, id: A::Id) -> Result<Vec<Recorded<A::Event>>> {
        let mut tx = self.db.begin(call.tenant()).await?;
        let rows = log::load(&mut tx, A::NAME, id.into(), i32::MAX).await?;
        tx.rollback().await?;
        rows.iter().map(log::Row::recorded).collect()
    }

    /// The first version of an aggregate whose hash does not fit its history; `None` when the chain is whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn first_broken<A: Stored>(&self, call: &Call, id: A::Id) -> Result<Option<i32>> {
        let mut tx = self.db.begin(call.tenant()).await?;
        let broken = chains::first_broken(&mut tx, A::NAME, id.into()).await?;
        tx.rollback().await?;
        Ok(broken)
    }
}

/// A transaction in which commands are carried out for one call.
#[derive(Debug)]
pub struct Work {
    /// For whatever else belongs into the same transaction.
    pub tx: Tx,
    /// On whose behalf.
    pub call: Call,
    clock: Clock,
    wake: Arc<Wake>,
    /// When the first of its events happened: what happens in one transaction happens at one time, whatever aggregate it is told of.
    moment: Option<DateTime<Utc>>,
    /// Which version was read of aggregates that it does not change: what it writes may follow from them.
    read: BTreeMap<(&'static str, Uuid), i32>,
    queued: bool,
    timed: bool,
    keyed: bool,
}

impl Work {
    /// Carries out one command. The first one in the transaction claims the call's key and honours its `If-Match`.
    ///
    /// # Errors
    /// As [`Engine::execute`]; [`Error::Busy`] when somebody else was faster: begin again.
    pub async fn execute<A: Stored>(
        &mut self,
        id: A::Id,
        command: &A::Command,
        facts: &A::Facts,
    ) -> Result<Executed<A>> {
        let first = !std::mem::replace(&mut self.keyed, true);
        let key = self.call.key.clone().filter(|_| first);
        if let Some(key) = &key
            && let Some(done) = self.replayed::<A>(key).await?
        {
            return Ok(done);
        }
        let (before, history) = self.read::<A>(id).await?;
        let decision = before.decide(command, facts).map_err(|refusal| Error::refused(&refusal));
        let events = match self.call.if_match.filter(|_| first) {
            // Who may not even see it learns nothing from a version either.
            Some(expected) if expected != history.version && !decision.as_ref().is_err_and(Error::is_not_found) => {
                return Err(Error::Stale { expected, actual: history.version });
            }
            _ => decision?,
        };
        if events.is_empty() {
            return self.nothing_to_do(key.as_ref(), id, before, &history).await;
        }
        self.record(key.as_ref(), id, before, history, events).await
    }

    /// Carries out the first command of an aggregate whose id was just minted, without looking whether it has a history.
    ///
    /// # Errors
    /// As [`Work::execute`]; [`Error::Busy`] also when the key was claimed before: begin again with `execute`.
    pub async fn create<A: Stored>(
        &mut self,
        id: A::Id,
        command: &A::Command,
        facts: &A::Facts,
    ) -> Result<Executed<A>> {
        let first = !std::mem::replace(&mut self.keyed, true);
        let key = self.call.key.clone().filter(|_| first);
        // Its claim may stand under a text that ours does not run into.
        if key.as_ref().is_some_and(|key| key.former.is_some()) {
            return Err(Error::Busy);
        }
        let unborn = A::unborn(id);
        let events = unborn.decide(command, facts).map_err(|refusal| Error::refused(&refusal))?;
        self.record(key.as_ref(), id, unborn, History::default(), events).await
    }

    async fn replayed<A: Stored>(&mut self, key: &CommandKey) -> Result<Option<Executed<A>>> {
        let actor = &self.call.actor.id;
        let Some(done) = log::claimed(&mut self.tx, key, actor).await? else { return Ok(None) };
        if !done.answers(key, actor) || done.aggregate != A::NAME {
            return Err(Error::KeyReused);
        }
        let (state, history) = load::<A>(&mut self.tx, A::Id::from(done.stream_id), done.version).await?;
        let changed_at = history.changed_at.ok_or(Error::NotFound)?;
        Ok(Some(Executed { state, version: history.version, changed_at, replayed: true }))
    }

    async fn nothing_to_do<A: Stored>(
        &mut self,
        key: Option<&CommandKey>,
        id: A::Id,
        state: A,
        history: &History,
    ) -> Result<Executed<A>> {
        let changed_at = history.changed_at.ok_or(Error::NotFound)?;
        if let Some(key) = key {
            let now = self.clock.now();
            if !log::claim(&mut self.tx, key, A::NAME, id.into(), history.version.get(), now).await? {
                return Err(Error::Busy);
            }
        }
        Ok(Executed { state, version: history.version, changed_at, replayed: false })
    }

    async fn record<A: Stored>(
        &mut self,
        key: Option<&CommandKey>,
        id: A::Id,
        before: A,
        mut history: History,
        events: Vec<A::Event>,
    ) -> Result<Executed<A>> {
        let moment = *self.moment.get_or_insert_with(|| self.clock.now());
        // Another transaction may have been in between: the record of a history never goes back.
        let recorded_at = history.changed_at.map_or(moment, |before| before.max(moment));
        // As exact as the database keeps it: the hash is over what is read from there.
        let occurred_at = self.call.occurred_at.unwrap_or(moment).trunc_subsecs(6);
        let trace = self.call.traceparent.as_deref();
        let mut state = before;
        let (mut recorded, mut drafts) = (Vec::new(), Vec::new());
        let mut changes: BTreeMap<&'static str, Option<DateTime<Utc>>> = BTreeMap::new();
        for body in events {
            let event = Recorded {
                event_id: EventId::from(self.clock.new_id()),
                version: history.version.next(),
                actor: self.call.actor.id.clone(),
                occurred_at,
                recorded_at,
                body,
            };
            state = state.evolve(&event.body);
            let place = Place { tenant: self.call.tenant().get(), aggregate: A::NAME, stream_id: id.into(), trace };
            let draft = draft(&mut history, &event, state.outgoing(&event), place)?;
            for change in state.timers(&event) {
                match change {
                    TimerChange::Set { name, due_at } => changes.insert(name, Some(due_at)),
                    TimerChange::Clear { name } => changes.insert(name, None),
                };
            }
            recorded.push(event);
            drafts.push(draft);
        }
        let set: Vec<_> = changes.iter().filter_map(|(name, due)| due.map(|due| (*name, due))).collect();
        let clear: Vec<_> = changes.iter().filter(|(_, due)| due.is_none()).map(|(name, _)| *name).collect();
        let append = Append {
            aggregate: A::NAME,
            stream_id: id.into(),
            actor: &self.call.actor.id,
            recorded_at,
            trace,
            drafts: &drafts,
            set: &set,
            clear: &clear,
            key,
            version: history.version.get(),
        };
        if log::append(&mut self.tx, &append).await? != Appended::Done {
            // Whoever was first has committed by now: begin again and see what they did.
            return Err(Error::Busy);
        }
        self.read.remove(&(A::NAME, id.into()));
        state.project(&mut self.tx, &recorded).await?;
        self.queued |= drafts.iter().any(|draft| draft.outgoing.is_some());
        self.timed |= !set.is_empty();
        Ok(Executed { state, version: history.version, changed_at: recorded_at, replayed: false })
    }

    /// The aggregate as it is inside this transaction; `None` when it was never born.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn find<A: Stored>(&mut self, id: A::Id) -> Result<Option<A>> {
        let (state, history) = self.read::<A>(id).await?;
        Ok(history.changed_at.map(|_| state))
    }

    /// The version of an aggregate inside this transaction; 0 when it was never born.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is away.
    pub async fn version_of<A: Stored>(&mut self, id: A::Id) -> Result<Version> {
        Ok(self.read::<A>(id).await?.1.version)
    }

    async fn read<A: Stored>(&mut self, id: A::Id) -> Result<(A, History)> {
        let (state, history) = load::<A>(&mut self.tx, id, i32::MAX).await?;
        let version = history.version.get();
        match self.read.insert((A::NAME, id.into()), version) {
            Some(before) if before != version => Err(Error::Busy),
            _ => Ok((state, history)),
        }
    }

    /// Time and ids.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes it durable and wakes the loops; of a dry run nothing is kept.
    ///
    /// # Errors
    /// [`Error::Busy`] when something that was read and not changed has been changed by somebody else since: begin again;
    /// [`Error::Unavailable`] when the database does not confirm.
    pub async fn commit(mut self) -> Result<()> {
        if self.call.dry_run {
            return self.tx.rollback().await;
        }
        // What was changed is guarded by its version, and who has changed nothing has decided nothing.
        if self.moment.is_some() && !self.read.is_empty() && log::has_moved(&mut self.tx, &self.read).await? {
            return Err(Error::Busy);
        }
        self.tx.commit().await?;
        if self.queued {
            self.wake.relay.notify_one();
        }
        if self.timed {
            self.wake.timers.notify_one();
        }
        Ok(())
    }
}

/// What is known of an aggregate's past besides its state.
#[derive(Debug, Default)]
struct History {
    version: Version,
    hash: Vec<u8>,
    seen: Seen,
    changed_at: Option<DateTime<Utc>>,
}

async fn load<A: Stored>(tx: &mut Tx, id: A::Id, up_to: i32) -> Result<(A, History)> {
    let rows = log::load(tx, A::NAME, id.into(), up_to).await?;
    let history = History {
        version: rows.last().map_or(Version::UNBORN, |row| Version(row.version)),
        hash: rows.last().map(|row| row.hash.clone()).unwrap_or_default(),
        seen: Seen::of(&rows),
        changed_at: rows.last().map(|row| row.recorded_at),
    };
    let events =
        rows.iter().map(|row| row.recorded::<A::Event>().map(|event| event.body)).collect::<Result<Vec<_>>>()?;
    Ok((replay(A::unborn(id), &events), history))
}

/// What the rows of one command have in common.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    tenant: Uuid,
    aggregate: &'static str,
    stream_id: Uuid,
    trace: Option<&'a str>,
}

/// The row of an event, and the past moved on by it.
fn draft<E: serde::Serialize>(
    history: &mut History,
    event: &Recorded<E>,
    outgoing: Option<Outgoing>,
    place: Place<'_>,
) -> Result<Draft> {
    let value = serde_json::to_value(&event.body).map_err(|fault| Error::internal("event to JSON", fault))?;
    let kind = value.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let payload = value.to_string();
    let (event_id, version): (Uuid, i32) = (event.event_id.into(), event.version.get());
    let outgoing = outgoing.map(|outgoing| {
        let previous = history.seen.previous(version, &outgoing);
        (outgoing, previous)
    });
    let Place { tenant, aggregate, stream_id, trace } = place;
    let link = Link {
        tenant,
        aggregate,
        stream_id,
        event_id,
        version,
        kind: &kind,
        actor: event.actor.as_str(),
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        trace,
        payload: &payload,
        suffix: outgoing.as_ref().map(|(outgoing, _)| outgoing.suffix.as_str()),
        message: outgoing.as_ref().map(|(outgoing, _)| outgoing.bytes.as_slice()),
        previous: outgoing.as_ref().map(|(_, previous)| previous.as_str()),
    };
    let hash = link.chain(&history.hash);
    history.version = event.version;
    history.hash.clone_from(&hash);
    Ok(Draft { event_id, version, kind, occurred_at: event.occurred_at, payload, hash, outgoing })
}
