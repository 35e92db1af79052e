//! One request, message or due timer on its way through the engine.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use steward_kernel::{Actor, ActorId, EventId, TenantId, Version, vocabulary::Language};

use crate::{Error, Result};

/// Makes a command happen at most once: the same for an `Idempotency-Key` header, a message and a timer.
///
/// Kept in the same transaction as the work it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Unique in the tenant: origin, actor and key in one text, which no other actor and key make.
    pub key: String,
    /// The text that was made before two pairs could not share one, where it was another; read, never written.
    pub former: Option<String>,
    /// Digest of the request (method, path, body), so that a key used again for something else is noticed.
    pub fingerprint: Vec<u8>,
    /// Digest of whom the actor acts for: somebody who has become another gets no answer of who they were.
    pub caller: Vec<u8>,
}

impl CommandKey {
    /// The key of a request.
    ///
    /// * `key`: the caller's own, from the header.
    /// * `fingerprint`: digest of the request.
    #[must_use]
    pub fn of_request(actor: &Actor, key: &str, fingerprint: Vec<u8>) -> Self {
        let (subject, plain) = (escaped(&actor.id), format!("http:{}:{key}", actor.id));
        let key = format!("http:{subject}:{key}");
        Self { former: (plain != key).then_some(plain), key, fingerprint, caller: caller(actor) }
    }
}

/// A subject without colons, so that the first one behind it ends it.
fn escaped(subject: &ActorId) -> String {
    subject.as_str().replace('%', "%25").replace(':', "%3A")
}

/// Owners act for a resident, staff for their estates. Roles are left out: every answer is made anew for those of today.
fn caller(actor: &Actor) -> Vec<u8> {
    let mut digest = Sha256::new();
    if let Some(resident) = actor.resident {
        digest.update(b"resident");
        digest.update(resident.get());
    }
    if !actor.is_only_owner()
        && let Some(estates) = &actor.estates
    {
        let mut estates: Vec<_> = estates.iter().map(|estate| estate.get()).collect();
        estates.sort_unstable();
        estates.dedup();
        digest.update(b"estates");
        estates.iter().for_each(|estate| digest.update(estate));
    }
    digest.update(if actor.is_only_owner() { b"owner" } else { b"staff" });
    digest.finalize().to_vec()
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
    /// Everything is done and nothing is kept: the caller wants to know what would come of it.
    pub dry_run: bool,
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
            dry_run: false,
        }
    }

    /// The same as a dry run. It claims no key: the true one may follow under the same.
    #[must_use]
    pub fn as_dry_run(&self) -> Self {
        Self { dry_run: true, key: None, ..self.clone() }
    }

    /// Insists on `If-Match`, where two people may edit the same text.
    ///
    /// # Errors
    /// [`Error::PreconditionRequired`] when the caller did not say which version it has read.
    pub fn must_have_read(&self) -> Result<()> {
        if self.if_match.is_some() { Ok(()) } else { Err(Error::PreconditionRequired) }
    }

    /// Whether the caller says which version it has read; another one than that which stands is refused.
    #[must_use]
    pub fn has_read(&self) -> bool {
        self.if_match.is_some()
    }

    /// The company.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.actor.tenant
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use steward_kernel::Role;
    use uuid::Uuid;

    use super::*;

    fn actor(subject: &str, role: Role, resident: Option<u128>, estates: Option<&[u128]>) -> Actor {
        let estates = estates.map(|ids| ids.iter().map(|id| Uuid::from_u128(*id).into()).collect());
        let resident = resident.map(|id| Uuid::from_u128(id).into());
        let (tenant, roles) = (Uuid::from_u128(1).into(), vec![role]);
        Actor { tenant, id: ActorId::new(subject), roles, estates, resident }
    }

    fn key(subject: &str, key: &str) -> CommandKey {
        CommandKey::of_request(&actor(subject, Role::Owner, None, None), key, Vec::new())
    }

    #[test]
    fn no_two_pairs_of_subject_and_key_share_a_text() {
        let parts = ["a", "a:b", "b", ":", "%3A", "a%3Ab", "%", "a%", "a:", "b:c"];
        let pairs: Vec<_> = parts.iter().flat_map(|subject| parts.map(|own| (*subject, own))).collect();
        let texts: HashSet<_> = pairs.iter().map(|(subject, own)| key(subject, own).key).collect();
        assert_eq!(texts.len(), pairs.len());
    }

    #[test]
    fn a_subject_without_colons_keeps_the_text_that_it_had() {
        assert_eq!(key("auth0|7", "K").key, "http:auth0|7:K");
        assert_eq!(key("auth0|7", "a:K").former, None);
        assert_eq!(key("joint:b", "K").key, "http:joint%3Ab:K");
        assert_eq!(key("joint:b", "K").former.as_deref(), Some("http:joint:b:K"));
    }

    #[test]
    fn whom_somebody_acts_for_is_told_apart() {
        let caller = |role, resident, estates| caller(&actor("a", role, resident, estates));
        let first = caller(Role::Owner, Some(7), None);
        assert_eq!(first, caller(Role::Owner, Some(7), None));
        assert_ne!(first, caller(Role::Owner, Some(8), None));
        assert_ne!(first, caller(Role::Owner, None, None));
        // An owner is limited by person, whatever estates stand in the token.
        assert_eq!(first, caller(Role::Owner, Some(7), Some(&[1])));
        let desk = caller(Role::Receptionist, None, Some(&[1, 2]));
        assert_eq!(desk, caller(Role::Handler, None, Some(&[2, 1, 2])));
        for other in [Some([1, 3].as_slice()), Some(&[1]), Some(&[]), None] {
            assert_ne!(desk, caller(Role::Receptionist, None, other), "{other:?}");
        }
    }
}
