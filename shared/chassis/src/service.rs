//! What a service is to the chassis.

use serde::de::DeserializeOwned;
use sqlx::migrate::Migrator;
use steward_kernel::{ProblemKind, Role};

use crate::{
    Clock, Engine,
    db::Db,
    figures::Figure,
    http::{Group, Routes},
    inbox::Consumer,
    timers::Timer,
};

/// A permission: its name in the API document and the roles that have it. Declared with [`permissions!`](crate::permissions).
pub trait Permission: Send + Sync + 'static {
    /// `complaint.handle`
    const NAME: &'static str;
    /// Who has it.
    const ROLES: &'static [Role];
}

/// Declares permissions and the list of them.
///
/// ```
/// steward_chassis::permissions! {
///     /// Handling of complaints.
///     Handle = "complaint.handle": [Handler, Supervisor, Manager, Admin];
/// }
/// assert_eq!(ALL[0].0, "complaint.handle");
/// ```
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal: [$($role:ident),+ $(,)?]);+ $(;)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl $crate::Permission for $name {
                const NAME: &'static str = $word;
                const ROLES: &'static [$crate::kernel::Role] = &[$($crate::kernel::Role::$role),+];
            }
        )+
        /// All of them: name and roles.
        pub const ALL: &[(&str, &[$crate::kernel::Role])] = &[$(
            ($word, <$name as $crate::Permission>::ROLES)
        ),+];
    };
}

/// Settings that know what is wrong with them.
pub trait Checked {
    /// What is wrong, all of it at once, in words for an operator.
    fn findings(&self) -> Vec<String>;
}

/// What the chassis gives to a service.
#[derive(Debug, Clone)]
pub struct Core {
    /// Changes aggregates.
    pub engine: Engine,
    /// For reading.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
}

/// A service: the wiring of what differs from the others.
pub trait Service: Sized + Send + Sync + 'static {
    /// As in subjects and stream names: `feedback-analytics`.
    const NAME: &'static str;
    /// One sentence for the API document.
    const ABOUT: &'static str;
    /// Defaults of its settings (`config.default.toml`), section `[service]`.
    const DEFAULTS: &'static str;
    /// Its settings.
    type Config: DeserializeOwned + Checked + Clone + Send + Sync + 'static;
    /// What its handlers, consumers and timers share.
    type App: Clone + Send + Sync + 'static;

    /// Its migrations (`sqlx::migrate!()`).
    fn migrator() -> &'static Migrator;
    /// The groups of its operations, in the order in which a reader needs them.
    const GROUPS: &'static [Group];
    /// What its tests have seen of its operations (`operations.golden.json`): examples, and which problems each answers.
    const RECORDED: &'static str;

    /// Its routes with their descriptions.
    fn routes() -> Routes<Self::App>;
    /// Its permissions, for documents and tests.
    fn permissions() -> &'static [(&'static str, &'static [Role])];
    /// Its problems with their titles in zh-Hans and zh-Hant.
    fn problems() -> Vec<(ProblemKind, [&'static str; 2])>;
    /// What it listens to.
    fn consumers() -> Vec<Consumer<Self::App>>;
    /// What it does later.
    fn timers() -> Vec<Timer<Self::App>>;
    /// What is counted of it for Prometheus, besides what the chassis counts of every service.
    fn figures() -> &'static [Figure] {
        &[]
    }
    /// Puts it together.
    ///
    /// # Errors
    /// When a setting does not allow it.
    fn build(core: Core, config: Self::Config) -> anyhow::Result<Self::App>;
}
