//! Dispatch against a real Postgres and a real NATS.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod consumers;
mod contracts;
mod imports;
mod migrations;
mod orders;
mod requests;
mod world;
