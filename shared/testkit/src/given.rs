//! Given events, when a command, then events or a refusal.

use std::fmt::Debug;

use steward_kernel::{Aggregate, replay};

/// A history, ready for a command.
#[derive(Debug)]
pub struct Given<A: Aggregate> {
    state: A,
}

/// What came of the command.
#[derive(Debug)]
pub struct Then<A: Aggregate> {
    outcome: Result<Vec<A::Event>, A::Refusal>,
}

/// Starts with the aggregate of that id after these events.
pub fn given<A: Aggregate>(id: A::Id, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let events: Vec<_> = events.into_iter().collect();
    Given { state: replay(A::unborn(id), &events) }
}

impl<A: Aggregate> Given<A> {
    /// Asks for something.
    #[must_use]
    pub fn when(self, command: &A::Command, facts: &A::Facts) -> Then<A> {
        Then { outcome: self.state.decide(command, facts) }
    }
}

impl<A: Aggregate> Then<A>
where
    A::Event: Debug + PartialEq,
    A::Refusal: Debug + PartialEq,
{
    /// These events follow.
    ///
    /// # Panics
    /// When others do.
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.outcome, Ok(events.into_iter().collect()));
    }

    /// It is refused for that reason.
    ///
    /// # Panics
    /// When it is not.
    pub fn refused(self, refusal: A::Refusal) {
        assert_eq!(self.outcome, Err(refusal));
    }
}
