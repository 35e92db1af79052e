//! What the end-to-end tests and the benchmark stand on.
#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test kit fails loudly")]

pub mod company;
pub mod estate;
pub mod processes;
