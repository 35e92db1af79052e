//! What the end-to-end tests and the benchmark stand on.
#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test kit fails loudly")]

pub mod balancer;
pub mod company;
pub mod crowd;
pub mod estate;
pub mod hearing;
pub mod lives;
pub mod processes;
