//! Things that change only by deciding on commands.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{ActorId, EventId};

/// Something whose history is a list of events.
///
/// Both functions are pure: the same input gives the same output. `decide` has no catch-all arm, `evolve` cannot fail:
/// whatever was recorded did happen.
pub trait Aggregate: Clone + Send + Sync + 'static {
    /// Name of the kind, stored with every event. Never rename.
    const NAME: &'static str;
    /// Identifier of one of them.
    type Id: Copy + Into<Uuid> + From<Uuid> + Send + Sync;
    /// What can be asked of it.
    type Command: Send + Sync;
    /// What happened to it. Private to the service; stored as JSON for ever: add variants or optional fields only.
    type Event: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// Why a command is not granted.
    type Refusal: Refusal;
    /// What was looked up beforehand: now, who asks, limits.
    type Facts: Send + Sync;

    /// The state before the first event.
    fn unborn(id: Self::Id) -> Self;
    /// Which events follow from the command; none means "already so".
    ///
    /// # Errors
    /// The named reason why the command is refused in this state.
    fn decide(&self, command: &Self::Command, facts: &Self::Facts) -> Result<Vec<Self::Event>, Self::Refusal>;
    /// The state after the event.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;
}

/// What a refusal has to be: an error of the domain that is told to the caller as a problem.
pub trait Refusal: crate::Refuses + std::fmt::Debug + Send + Sync + 'static {}
impl<T: crate::Refuses + std::fmt::Debug + Send + Sync + 'static> Refusal for T {}

/// How many events an aggregate has; 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct Version(pub i32);

impl Version {
    /// Before the first event.
    pub const UNBORN: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The version after one more event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An event together with the circumstances of its recording.
#[derive(Debug, Clone)]
pub struct Recorded<E> {
    /// Identifier, also the message id of the public event made of it.
    pub event_id: EventId,
    /// Version of the aggregate after this event; the first event has 1.
    pub version: Version,
    /// Who caused it.
    pub actor: ActorId,
    /// When it happened, as claimed by who told us (a paper form may be entered late).
    pub occurred_at: DateTime<Utc>,
    /// When we wrote it down.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub body: E,
}

/// The state after a list of events.
#[must_use]
pub fn replay<'a, A: Aggregate>(start: A, events: impl IntoIterator<Item = &'a A::Event>) -> A
where
    A::Event: 'a,
{
    events.into_iter().fold(start, A::evolve)
}
