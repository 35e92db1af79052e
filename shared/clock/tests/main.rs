//! The library, tested by what it promises.
#![expect(clippy::expect_used, reason = "tests fail loudly")]

mod amounts;
mod calendars;
mod clocks;
mod common;
mod policies;
mod properties;
mod sentences;
mod torture;
