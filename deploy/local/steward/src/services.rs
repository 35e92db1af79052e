//! All five services, in one list.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use sqlx::migrate::Migrator;
use steward_chassis::{
    Clock, Service,
    config::{self, CoreConfig},
    http::{Catalogue, document::CONVENTIONS},
    lifecycle::Lifecycle,
    run::{self, Started},
};
use utoipa::openapi::OpenApi;

/// One of the five.
#[derive(Clone, Copy)]
pub struct Entry {
    /// `feedback-analytics`
    pub name: &'static str,
    /// Its migrations.
    pub migrator: fn() -> &'static Migrator,
    /// Its API document.
    pub openapi: fn() -> OpenApi,
    /// Its problems.
    pub catalogue: fn() -> Catalogue,
    /// Starts it in this process with its default settings.
    pub start: fn(CoreConfig, Clock, Lifecycle) -> BoxFuture<'static, anyhow::Result<Started>>,
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
        start: |core, clock, lifecycle| {
            Box::pin(async move {
                let settings = config::load::<S::Config>(S::DEFAULTS, None)
                    .map_err(|findings| anyhow::anyhow!("{}: {}", S::NAME, findings.join("; ")))?;
                run::start::<S>(&core, settings.service, clock, &lifecycle).await
            })
        },
    }
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

/// The API document of all services in one.
#[must_use]
pub fn openapi() -> OpenApi {
    let [first, rest @ ..] = all();
    let mut document = (first.openapi)();
    for service in rest {
        document.merge((service.openapi)());
    }
    document.info.title = "Steward".to_owned();
    document.info.description = Some(format!(
        "The service platform of property companies: what owners say, carried to a confirmed end. One host, one API; \
         a path prefix belongs to exactly one service.\n\n{CONVENTIONS}"
    ));
    document
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
        for path in (service.openapi)().paths.paths.keys() {
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
