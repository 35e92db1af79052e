//! What handlers and consumers share.

use steward_chassis::Core;

use crate::config::Config;

/// The service at work.
#[derive(Debug, Clone)]
pub struct App {
    /// Engine, database, clock.
    pub core: Core,
    /// Settings.
    pub config: Config,
}
