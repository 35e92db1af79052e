//! Feedback-analytics against a real Postgres and a real NATS.

mod consumers;
mod contracts;
mod metrics;
mod suggestions;
mod surveys;
mod timekeeping;
mod world;
