//! All five services, in one list.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use sqlx::migrate::Migrator;
use steward_chassis::{
    Clock, Service,
    config::{self, CoreConfig},
    http::{Catalogue, Document, document::CONVENTIONS},
    inbox::Consumer,
    lifecycle::Lifecycle,
    run::{self, Replayed, Started},
};

/// What a service does for us.
type Promise<T> = BoxFuture<'static, anyhow::Result<T>>;

/// One of the five.
#[derive(Clone, Copy)]
pub struct Entry {
    /// `feedback-analytics`
    pub name: &'static str,
    /// Its migrations.
    pub migrator: fn() -> &'static Migrator,
    /// Its API document.
    pub openapi: fn() -> Document,
    /// Its problems.
    pub catalogue: fn() -> Catalogue,
    /// The services it listens to.
    pub hears: fn() -> Vec<&'static str>,
    /// Handles its parked messages again, or those of one of its consumers, with its default settings.
    pub replay_parked: fn(CoreConfig, Option<String>) -> Promise<Vec<Replayed>>,
    /// Starts it in this process with its default settings.
    pub start: fn(CoreConfig, Clock, Lifecycle) -> Promise<Started>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn entry<S: Service>() -> Entry {
    Entry {
        name: S::NAME,
        migrator: S::migrator,
        openapi: run::openapi::<S>,
        catalogue: run::catalogue::<S>,
        hears: || S::consumers().iter().map(Consumer::source).collect(),
        replay_parked: |core, consumer| {
            Box::pin(async move { run::replay_parked::<S>(&core, own_settings::<S>()?, consumer.as_deref()).await })
        },
        start: |core, clock, lifecycle| {
            Box::pin(async move { run::start::<S>(&core, own_settings::<S>()?, clock, &lifecycle).await })
        },
    }
}

fn own_settings<S: Service>() -> anyhow::Result<S::Config> {
    let settings = config::load::<S::Config>(S::DEFAULTS, None);
    Ok(settings.map_err(|findings| anyhow::anyhow!("{}: {}", S::NAME, findings.join("; ")))?.service)
}

/// All of them.
#[must_use]
pub fn all() -> [Entry; 5] {
    [
        entry::<steward_intake::Intake>(),
        entry::<steward_complaint::Complaint>(),
        entry::<steward_dispatch::Dispatch>(),
        entry::<steward_notification::Notification>(),
        entry::<steward_feedback_analytics::FeedbackAnalytics>(),
    ]
}

/// In which order a reader needs the groups of operations: the matters of owners first, then what is owed and told, then what is set up.
pub const ORDER: &[&str] = &[
    "cases",
    "inquiries",
    "complaints",
    "service requests",
    "work orders",
    "suggestions",
    "surveys",
    "visits",
    "promises",
    "clocks",
    "escalations",
    "messages",
    "notices",
    "digests",
    "preferences",
    "articles",
    "files",
    "desk checks",
    "metrics",
    "estates",
    "residents",
    "staff",
    "roster",
    "calendars",
    "clock policies",
    "posts",
    "templates",
    "channels",
];

/// The API document of all services in one.
///
/// # Panics
/// When a name stands for two things.
#[must_use]
pub fn openapi() -> Document {
    let about = format!(
        "The service platform of property companies: what owners say, carried to a confirmed end. One host, one API; \
         a path prefix belongs to exactly one service.\n\n{CONVENTIONS}"
    );
    let whole = Document::merged("Steward", &about, all().map(|service| (service.openapi)()));
    let mut groups = whole.groups().to_vec();
    // One that nobody has put in order comes last.
    groups.sort_by_key(|group| ORDER.iter().position(|name| *name == group.name).unwrap_or(ORDER.len()));
    whole.grouped(&groups)
}

/// The problems of all services.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::merged(all().map(|service| (service.catalogue)()))
}

/// Which path prefix belongs to which service, from their API documents.
///
/// # Panics
/// When two services claim one prefix: then nobody could route.
#[must_use]
#[expect(clippy::panic, reason = "a fault in the program, found by a test and at start")]
pub fn routes() -> BTreeMap<String, &'static str> {
    let mut routes = BTreeMap::new();
    for service in all() {
        for path in (service.openapi)().paths() {
            let prefix: String = path.split('/').take(3).collect::<Vec<_>>().join("/");
            if let Some(other) = routes.insert(prefix.clone(), service.name)
                && other != service.name
            {
                panic!("{prefix} belongs to both {other} and {}", service.name);
            }
        }
    }
    routes
}

/// The same, one `prefix service` per line: what gateways are checked against.
#[must_use]
pub fn routes_document() -> String {
    routes().iter().map(|(prefix, service)| format!("{prefix} {service}\n")).collect()
}

/// Who hears whom: listener and source.
#[must_use]
pub fn topology() -> Vec<(&'static str, &'static str)> {
    all().iter().flat_map(|service| (service.hears)().into_iter().map(|source| (service.name, source))).collect()
}
