//! The pure vocabulary of Steward.
//!
//! Rule of this crate: no IO, no clock, no randomness. Time, ids and everything looked up come in as values, so every
//! decision can be replayed and tested in microseconds.

pub mod actor;
pub mod aggregate;
pub mod call_back;
pub mod day;
pub mod era;
pub mod fold;
pub mod ids;
pub mod message;
pub mod page;
pub mod problem;
pub mod reference;
pub mod sheets;
pub mod text;
pub mod vocabulary;
pub mod word;

pub use actor::{Actor, Role};
pub use aggregate::{Aggregate, Recorded, Version, replay};
pub use ids::{ActorId, EventId, TenantId};
pub use problem::{ProblemKind, Refuses};
