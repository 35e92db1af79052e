//! End-to-end tests against the real programs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail loudly")]

mod accounts;
mod clients;
mod complaints;
mod faults;
mod inbox;
mod journeys;
mod restore;
mod rights;
mod rolling;
mod start;
mod storm;
mod system;
mod traces;
