//! Starting, serving, draining, stopping; and how the service is while it does.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Once, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa::ToSchema;

use crate::{Clock, Error};

/// Stops a process in three steps: first it says that it is leaving, then it takes no new work, then no work at all. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    leaving: CancellationToken,
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<AtomicBool>,
    stopped_at: Arc<OnceLock<Instant>>,
    linger: Duration,
    grace: Duration,
}

impl Lifecycle {
    /// * `grace`: time between the soft and the hard stop.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self {
            leaving: CancellationToken::new(),
            linger: Duration::ZERO,
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            tasks: TaskTracker::new(),
            failed: Arc::default(),
            stopped_at: Arc::default(),
            grace,
        }
    }

    /// The time between leaving and the soft stop, when it is asked to stop by a signal: it still accepts, so that those who send it
    /// requests have time to notice.
    #[must_use]
    pub fn lingering(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// Cancelled when others should be told to go elsewhere.
    #[must_use]
    pub fn leaving(&self) -> CancellationToken {
        self.leaving.child_token()
    }

    /// Whether others should go elsewhere.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Cancelled when no new work may begin.
    #[must_use]
    pub fn soft(&self) -> CancellationToken {
        self.soft.child_token()
    }

    /// Cancelled when all work must end.
    #[must_use]
    pub fn hard(&self) -> CancellationToken {
        self.hard.child_token()
    }

    /// Whether the soft stop has come.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Whether a task has panicked.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Asks to stop: no new work from here on.
    pub fn stop(&self) {
        self.leaving.cancel();
        self.stopped_at.get_or_init(Instant::now);
        self.soft.cancel();
    }

    /// Ends all work where it stands, as the end of the process does.
    pub fn stop_at_once(&self) {
        self.stop();
        self.hard.cancel();
    }

    /// Leaves: says so, accepts for a while so that those who send requests have time to notice, then stops softly.
    pub async fn leave(&self) {
        self.leaving.cancel();
        tokio::time::sleep(self.linger).await;
        self.stop();
    }

    /// Waits for the soft stop and then for the end of the time of grace, or for the hard stop.
    pub async fn grace_is_over(&self) {
        self.soft.cancelled().await;
        let gone = self.stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
        tokio::select! {
            () = tokio::time::sleep(self.grace.saturating_sub(gone)) => {}
            () = self.hard.cancelled() => {}
        }
    }

    /// Runs a task that the stop waits for; it is dropped at the hard stop.
    ///
    /// A task that panics stops the process: a service without its relay looks alive and is not.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (this, hard) = (self.clone(), self.hard());
        self.tasks.spawn(async move {
            let panicked = tokio::select! {
                done = caught(task) => done.err(),
                () = hard.cancelled() => None,
            };
            if let Some(panicked) = panicked {
                tracing::error!(task = name, panicked = %panicked, "a task panicked; the process stops");
                this.failed.store(true, Ordering::Relaxed);
                this.stop();
            }
        });
    }

    /// Leaves at SIGTERM or SIGINT and stops softly a little later; stops hard at the second one.
    ///
    /// # Errors
    /// When the system does not let us listen to signals.
    pub fn listen_to_signals(&self) -> std::io::Result<()> {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let this = self.clone();
        // Not tracked: it must outlive the tasks that the stop waits for.
        tokio::spawn(async move {
            let mut asked = async || {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = int.recv() => {}
                }
            };
            asked().await;
            tracing::info!(linger_seconds = this.linger.as_secs(), "asked to stop");
            let again = tokio::select! {
                () = this.leave() => false,
                () = asked() => true,
            };
            tracing::info!("finishing what is under way");
            this.stop();
            if !again {
                asked().await;
            }
            tracing::warn!("asked again: stopping at once");
            this.hard.cancel();
        });
        Ok(())
    }

    /// Waits for the soft stop, then for all tasks, as long as the time of grace lasts.
    ///
    /// Returns whether all had ended by themselves.
    pub async fn drained(&self) -> bool {
        self.soft.cancelled().await;
        self.tasks.close();
        let in_time = tokio::select! {
            () = self.tasks.wait() => true,
            () = self.grace_is_over() => false,
        };
        self.hard.cancel();
        if !in_time {
            tracing::warn!(grace_seconds = self.grace.as_secs(), "some work did not end in time and was dropped");
        }
        self.tasks.wait().await;
        in_time
    }
}

/// Work that panicked, and where. Never its words: composed ones may carry what a person wrote.
#[derive(Debug, thiserror::Error)]
#[error("at {0}")]
pub(crate) struct Panicked(String);

thread_local! {
    /// Where this thread panicked last.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Does some work; a panic in it is an answer, and ends nothing else.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    static NOTES_PLACES: Once = Once::new();
    NOTES_PLACES.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PLACE.set(panic.location().map(|place| format!("{}:{}", place.file(), place.line())));
            before(panic);
        }));
    });
    // The thread that panicked is the one that polled, and so the one that is here right afterwards.
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|_| Panicked(PLACE.take().unwrap_or_else(|| "an unknown place".to_owned())))
}

/// Does some work of a handler; a panic in it, or that it does not end in time, is a fault like others.
pub(crate) async fn guarded<T>(longest: Duration, work: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    match caught(tokio::time::timeout(longest, work)).await {
        Ok(in_time) => in_time.unwrap_or(Err(Error::TimedOut)),
        Err(panicked) => Err(Error::internal("a handler panicked", panicked)),
    }
}

/// How a part is; the order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, with something to look at.
    Degraded,
    /// Does not work.
    Down,
}

/// Where the service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not yet ready.
    Starting,
    /// Takes requests.
    Serving,
    /// Finishes what is under way.
    Draining,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// `database`, `messages`, `relay`, `parked_messages`, …
    pub name: String,
    /// How it is.
    pub status: State,
    /// Since when.
    pub since: DateTime<Utc>,
    /// In words, for an operator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Which.
    pub service: &'static str,
    /// As its worst part.
    pub status: State,
    /// Where it is in its life.
    pub phase: Phase,
    /// Parts that must have worked once before it is ready, and have not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub awaiting: Vec<&'static str>,
    /// Its parts, by name.
    pub parts: Vec<Part>,
}

/// What a service knows about itself: each part tells how it is, the operator reads it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    service: &'static str,
    clock: Clock,
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Parts without which nobody can be served.
    vital: BTreeSet<&'static str>,
    awaiting: BTreeSet<&'static str>,
    parts: BTreeMap<String, Part>,
}

impl Health {
    /// A service that starts.
    #[must_use]
    pub fn new(service: &'static str, clock: Clock) -> Self {
        let inner =
            Inner { phase: Phase::Starting, vital: BTreeSet::new(), awaiting: BTreeSet::new(), parts: BTreeMap::new() };
        Self { service, clock, inner: Arc::new(RwLock::new(inner)) }
    }

    /// Without this part the service is not ready: nobody could be served.
    pub fn require(&self, part: &'static str) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).vital.insert(part);
        self.require_once(part);
    }

    /// This part must have worked once before the service is ready; later failures only degrade it.
    pub fn require_once(&self, part: &'static str) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.parts.get(part).is_none_or(|part| part.status != State::Ok) {
            inner.awaiting.insert(part);
        }
    }

    /// How a part is now; `note` never has personal data.
    pub fn set(&self, part: &str, status: State, note: impl Into<String>) {
        let now = self.clock.now();
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let before = inner.parts.get(part).filter(|known| known.status == status).map(|known| known.since);
        if before.is_none() && status != State::Ok {
            tracing::warn!(service = self.service, part, ?status, "a part is not as it should be");
        }
        if status == State::Ok {
            inner.awaiting.remove(part);
        }
        let now = Part { name: part.to_owned(), status, since: before.unwrap_or(now), note: note.into() };
        inner.parts.insert(part.to_owned(), now);
        drop(inner);
        let value = match status {
            State::Ok => 0.0,
            State::Degraded => 1.0,
            State::Down => 2.0,
        };
        metrics::gauge!("health_part_state", "service" => self.service, "part" => part.to_owned()).set(value);
    }

    /// Where the service is in its life.
    pub fn enter(&self, phase: Phase) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).phase = phase;
    }

    /// Whether it takes requests: it serves, every required part has worked once, and those without which it cannot serve still do.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let down = |part: &&str| inner.parts.get(*part).is_some_and(|part| part.status == State::Down);
        inner.phase == Phase::Serving && inner.awaiting.is_empty() && !inner.vital.iter().any(down)
    }

    /// How it is.
    #[must_use]
    pub fn report(&self) -> Report {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        Report {
            service: self.service,
            status: inner.parts.values().map(|part| part.status).max().unwrap_or(State::Ok),
            phase: inner.phase,
            awaiting: inner.awaiting.iter().copied().collect(),
            parts: inner.parts.values().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_service_is_ready_when_it_serves_and_what_it_needs_has_worked_once() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let health = Health::new("intake", clock.clone());
        health.require("database");
        health.require_once("messages");
        health.enter(Phase::Serving);
        health.set("database", State::Ok, "");
        assert!(!health.is_ready());
        health.set("messages", State::Ok, "");
        assert!(health.is_ready());
        health.set("messages", State::Degraded, "no connection");
        assert!(health.is_ready());

        clock.advance(TimeDelta::seconds(5));
        health.set("database", State::Down, "connection refused");
        clock.advance(TimeDelta::seconds(5));
        health.set("database", State::Down, "still");
        assert!(!health.is_ready());
        let report = health.report();
        assert_eq!(report.status, State::Down);
        assert_eq!(report.parts[0].since, DateTime::UNIX_EPOCH + TimeDelta::seconds(5));
        health.set("database", State::Ok, "");
        assert!(health.is_ready());
        health.enter(Phase::Draining);
        assert!(!health.is_ready());
    }

    #[tokio::test]
    async fn a_stop_waits_for_tasks_and_then_drops_them() {
        let lifecycle = Lifecycle::new(Duration::from_millis(20));
        let soft = lifecycle.soft();
        lifecycle.spawn("good", async move { soft.cancelled().await });
        lifecycle.stop();
        assert!(lifecycle.drained().await);

        let lifecycle = Lifecycle::new(Duration::from_millis(20));
        lifecycle.spawn("deaf", std::future::pending());
        lifecycle.stop();
        assert!(!lifecycle.drained().await);
    }

    #[tokio::test]
    async fn what_panicked_is_told_by_its_place_and_not_by_its_words() {
        let person = "a name";
        let panicked = caught(async { panic!("broken by {person}") }).await.map(|()| "well").unwrap_err().to_string();
        assert!(panicked.starts_with("at ") && panicked.contains("lifecycle.rs:"), "{panicked}");
        assert!(!panicked.contains(person), "{panicked}");
    }

    #[tokio::test]
    async fn a_panicking_task_stops_the_process() {
        let lifecycle = Lifecycle::new(Duration::from_millis(20));
        lifecycle.spawn("broken", async { panic!("broken") });
        assert!(lifecycle.drained().await);
        assert!(lifecycle.has_failed());
    }
}
