//! Everything a service needs that is the same in all five: configuration, telemetry, database, the engine that changes
//! aggregates, the event log, the relay to JetStream, the inbox, timers, and the HTTP server.
//!
//! A service implements [`Service`] and hands itself to [`run::main`]; what stands in its own crate is only what differs.

pub mod call;
pub mod chains;
pub mod clock;
pub mod config;
pub mod db;
pub mod engine;
pub mod error;
mod feed;
pub mod figures;
pub mod http;
pub mod inbox;
pub mod instruments;
pub mod issuer;
pub mod lifecycle;
mod log;
pub mod lost;
pub mod messages;
mod migrate;
pub mod parked;
pub mod pool;
pub mod relay;
pub mod run;
mod secret;
mod service;
pub mod sheet;
pub mod streams;
pub mod telemetry;
pub mod tenants;
pub mod timers;

pub use call::{Call, CommandKey};
pub use clock::Clock;
pub use engine::{Engine, Executed, Stored, Work};
pub use error::{Error, FieldError, Result};
pub use service::{Checked, Core, Permission, Service};
pub use steward_kernel as kernel;
