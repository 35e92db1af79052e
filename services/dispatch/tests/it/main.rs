//! Dispatch against a real Postgres and a real NATS.

mod consumers;
mod contracts;
mod imports;
mod orders;
mod requests;
mod world;
