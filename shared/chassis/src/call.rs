//! One request, message or due timer on its way through the engine.

use chrono::{DateTime, Utc};
use steward_kernel::{Actor, EventId, TenantId, Version, vocabulary::Language};

use crate::{Error, Result};

/// Makes a command happen at most once: the same for an `Idempotency-Key` header, a message and a timer.
///
/// Kept in the same transaction as the work it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Unique in the tenant: origin, actor and key in one text.
    pub key: String,
    /// Digest of the request (method, path, body), so that a key used again for something else is noticed.
    pub fingerprint: Vec<u8>,
}

/// Who asks, under which key, expecting which version, in which language.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks, and in which company.
    pub actor: Actor,
    /// The key under which the work is done at most once; `None` means that a repetition is a new request.
    pub key: Option<CommandKey>,
    /// The version the caller has seen (`If-Match`); another one is refused.
    pub if_match: Option<Version>,
    /// When it happened, if that is told and is not now (a paper form entered late).
    pub occurred_at: Option<DateTime<Utc>>,
    /// Language of every text in the answer.
    pub language: Language,
    /// The public event that is being handled: ids made from it are made once. `None` for requests and timers.
    pub cause: Option<EventId>,
    /// W3C `traceparent` of the current span, kept with every event.
    pub traceparent: Option<String>,
}

impl Call {
    /// A call of a service or timer: no key, no expectation.
    #[must_use]
    pub fn internal(actor: Actor) -> Self {
        Self {
            actor,
            key: None,
            if_match: None,
            occurred_at: None,
            language: Language::ZhHans,
            cause: None,
            traceparent: None,
        }
    }

    /// Insists on `If-Match`, where two people may edit the same text.
    ///
    /// # Errors
    /// [`Error::PreconditionRequired`] when the caller did not say which version it has read.
    pub fn must_have_read(&self) -> Result<()> {
        if self.if_match.is_some() { Ok(()) } else { Err(Error::PreconditionRequired) }
    }

    /// The company.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.actor.tenant
    }
}
