//! The chassis against a real PostgreSQL and a real NATS server, with a toy service on it.
#![expect(clippy::expect_used, clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod faults;
mod handling;
mod idempotency;
mod inbox;
mod isolation;
mod outages;
mod relay;
mod restored;
mod tenancy;
mod timers;
mod toy;
