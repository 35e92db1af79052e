//! The test kit: every test gets a database of its own (cloned from a migrated template), a subject prefix of its own in NATS, a
//! manual clock, and the service's router called in process with the full layer stack.
//!
//! Servers come from `deploy/local/test`, which sets `STEWARD_TEST_DATABASE_URL` (superuser) and `STEWARD_TEST_NATS_URL`.
#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test kit fails loudly")]

pub mod attack;
pub mod db;
pub mod document;
pub mod given;
pub mod golden;
pub mod http;
mod kit;
mod ledger;
pub mod old;
pub mod rules;
pub mod servers;
pub mod wait;
pub mod wire;

pub use http::{Answer, Client};
pub use kit::{Kit, Replica, Under, under, with, with_services, with_wires};
pub use steward_chassis::kernel;
pub use wait::eventually;

/// The demo and test company.
pub const TENANT: uuid::Uuid = uuid::uuid!("0198f000-0000-7000-8000-000000000001");
/// Another company, which must never see anything of the first.
pub const OTHER_TENANT: uuid::Uuid = uuid::uuid!("0198f000-0000-7000-8000-000000000002");
