//! Feedback-analytics against a real Postgres and a real NATS.

mod consumers;
mod contracts;
mod expiry;
mod metrics;
mod migrations;
mod suggestions;
mod surveys;
mod timekeeping;
mod world;
