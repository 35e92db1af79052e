//! Intake against real Postgres and NATS.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod articles;
mod cases;
mod consumers;
mod contracts;
mod dates;
mod files;
mod finding;
mod inquiries;
mod migrations;
mod orders;
mod register;
mod rules;
mod stewardship;
mod tasks;
mod visits;
mod world;
