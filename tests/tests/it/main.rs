//! End-to-end tests against the real programs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail loudly, and say what they saw")]

mod accounts;
mod clients;
mod complaints;
mod demo;
mod faults;
mod hearing;
mod inbox;
mod journeys;
mod planted;
mod restore;
mod rights;
mod rolling;
mod start;
mod storm;
mod system;
mod traces;
