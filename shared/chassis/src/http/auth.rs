//! Who is asking: access tokens (RFC 9068) of any OIDC provider, checked against its keys.
//!
//! Keys are fetched every ten minutes, and at once when a token names a key that we do not know: one fetch at a time,
//! with a pause between. When the provider is away, the last good keys serve for a day.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde_json::{Map, Value};
use steward_kernel::{
    Actor, ActorId, Role, TenantId,
    ids::{EstateId, ResidentId},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    config::AuthConfig,
    lifecycle::{Health, State},
    tenants::Tenants,
};

/// How old keys may grow before they are fetched again.
const TTL: Duration = Duration::from_secs(600);
/// How long the last good keys serve when the provider is away.
const LAST_GOOD: Duration = Duration::from_secs(24 * 3600);
/// How long a fetch may take.
const FETCH: Duration = Duration::from_secs(5);
/// Most bytes of a key set.
const MAX_SET: usize = 256 * 1024;
/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 60;
/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// Longest subject, in bytes. `OpenID` Connect allows none that is longer; it stands in keys of indexes, which hold no more than 2.7 kB.
const MAX_SUBJECT: usize = 255;
/// The part in [`Health`].
pub const PART: &str = "identity";

struct Key {
    decoding: DecodingKey,
    algorithms: Vec<Algorithm>,
}

struct KeySet {
    keys: HashMap<String, Key>,
    fetched: Instant,
}

/// Checks access tokens.
pub struct Authenticator {
    config: AuthConfig,
    http: reqwest::Client,
    keys: RwLock<Option<Arc<KeySet>>>,
    tenants: Option<Tenants>,
    /// When a fetch was last tried; held while one is under way, so that there is only one.
    tried: tokio::sync::Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// One for that provider; it fetches no keys yet.
    ///
    /// # Errors
    /// When the machine has no usable TLS set-up.
    pub fn new(config: &AuthConfig) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(FETCH).build()?;
        let (config, keys, tried) = (config.clone(), RwLock::default(), tokio::sync::Mutex::default());
        Ok(Self { config, http, keys, tenants: None, tried })
    }

    /// The same, that turns away everybody of a closed company.
    #[must_use]
    pub fn of_open(self, tenants: Tenants) -> Self {
        Self { tenants: Some(tenants), ..self }
    }

    /// Keeps the keys fresh until `stop`, and tells how it goes.
    pub async fn keep_fresh(self: Arc<Self>, health: Health, stop: CancellationToken) {
        let mut pause = Duration::from_millis(500);
        loop {
            let wait = match self.fetch_and_keep().await {
                Ok(()) => {
                    health.set(PART, State::Ok, "");
                    pause = Duration::from_millis(500);
                    TTL
                }
                Err(cause) => {
                    tracing::warn!(cause = %format!("{cause:#}"), "keys of the identity provider cannot be fetched");
                    let state = if self.current().is_some() { State::Degraded } else { State::Down };
                    health.set(PART, state, "keys cannot be fetched");
                    pause = (pause * 2).min(Duration::from_secs(30));
                    pause
                }
            };
            let age = self.current().map_or(f64::NAN, |set| set.fetched.elapsed().as_secs_f64());
            metrics::gauge!("jwks_age_seconds").set(age);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Who the token's bearer is.
    ///
    /// Times in the token are compared with the machine's clock, a manual [`Clock`](crate::Clock) does not move them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with a short reason; [`Error::Forbidden`] when it has none of our roles; [`Error::TenantClosed`];
    /// [`Error::Unavailable`] when the provider's keys could never be fetched.
    pub async fn verify(&self, token: &str) -> Result<Actor> {
        if token.len() > MAX_TOKEN {
            return Err(Error::Unauthenticated("malformed"));
        }
        let header = decode_header(token).map_err(|_| Error::Unauthenticated("malformed"))?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !self.config.accepted_typ.iter().any(|accepted| accepted.eq_ignore_ascii_case(typ)) {
            return Err(Error::Unauthenticated("wrong typ"));
        }
        let (set, kid) = self.set_with(header.kid.as_deref()).await?;
        let key = set.keys.get(&kid).ok_or(Error::Unauthenticated("unknown key"))?;
        let claims = decode::<Map<String, Value>>(token, &key.decoding, &self.validation(key)).map_err(|cause| {
            Error::Unauthenticated(match cause.kind() {
                ErrorKind::ExpiredSignature => "expired",
                ErrorKind::ImmatureSignature => "not yet valid",
                ErrorKind::InvalidIssuer => "wrong issuer",
                ErrorKind::InvalidAudience => "wrong audience",
                ErrorKind::InvalidAlgorithm => "wrong algorithm",
                ErrorKind::MissingRequiredClaim(_) => "missing claim",
                _ => "bad signature",
            })
        })?;
        let actor = self.actor(claims.claims)?;
        if let Some(tenants) = &self.tenants {
            tenants.require_open(actor.tenant).await?;
        }
        Ok(actor)
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.algorithms.clone_from(&key.algorithms);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation
    }

    fn actor(&self, claims: Map<String, Value>) -> Result<Actor> {
        let claims = Value::Object(claims);
        let names = &self.config.claims;
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Error::Unauthenticated("missing claim"))?;
        if subject.len() > MAX_SUBJECT || subject.contains(char::is_control) {
            return Err(Error::Unauthenticated("bad sub claim"));
        }
        let tenant = claim(&claims, &names.tenant).and_then(Value::as_str).and_then(|id| id.parse::<TenantId>().ok());
        let roles: Vec<Role> = words(claim(&claims, &names.roles))
            .ok_or(Error::Unauthenticated("bad roles claim"))?
            .into_iter()
            .filter_map(Role::parse)
            .collect();
        let estates = match claim(&claims, &names.estates) {
            None | Some(Value::Null) => None,
            Some(list) => {
                let ids = list.as_array().into_iter().flatten().map(Value::as_str);
                let parsed: Option<Vec<EstateId>> = ids.map(|id| id?.parse().ok()).collect();
                // A list that cannot be read must never turn into "all of them".
                Some(parsed.filter(|_| list.is_array()).ok_or(Error::Unauthenticated("bad estates claim"))?)
            }
        };
        let resident = match claim(&claims, &names.resident) {
            None | Some(Value::Null) => None,
            Some(id) => {
                let id = id.as_str().and_then(|id| id.parse::<ResidentId>().ok());
                Some(id.ok_or(Error::Unauthenticated("bad resident claim"))?)
            }
        };
        if roles.is_empty() {
            return Err(Error::Forbidden("a role"));
        }
        Ok(Actor {
            tenant: tenant.ok_or(Error::Unauthenticated("bad tenant claim"))?,
            id: ActorId::new(subject),
            roles,
            estates,
            resident,
        })
    }

    fn current(&self) -> Option<Arc<KeySet>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A set of keys and the name of the one to use; fetches when the one asked for is not there.
    async fn set_with(&self, kid: Option<&str>) -> Result<(Arc<KeySet>, String)> {
        let pick = |set: Arc<KeySet>| {
            let usable = set.fetched.elapsed() < LAST_GOOD;
            let kid = match kid {
                Some(kid) => set.keys.contains_key(kid).then(|| kid.to_owned()),
                // Without a name there must be no choice.
                None => set.keys.keys().next().filter(|_| set.keys.len() == 1).cloned(),
            };
            kid.filter(|_| usable).map(|kid| (set, kid))
        };
        if let Some(found) = self.current().and_then(pick) {
            return Ok(found);
        }
        let mut tried = self.tried.lock().await;
        // Somebody may have fetched while we waited for the lock.
        if let Some(found) = self.current().and_then(pick) {
            return Ok(found);
        }
        let cause = if tried.is_none_or(|at| at.elapsed() >= self.config.refresh_cooldown) {
            *tried = Some(Instant::now());
            self.fetch_and_keep().await.err()
        } else {
            None
        };
        drop(tried);
        if let Some(found) = self.current().and_then(pick) {
            return Ok(found);
        }
        match (self.current(), cause) {
            (Some(set), _) if set.fetched.elapsed() < LAST_GOOD => Err(Error::Unauthenticated("unknown key")),
            (_, cause) => {
                let cause = cause.unwrap_or_else(|| anyhow::anyhow!("no keys yet"));
                Err(Error::Unavailable { what: "identity provider", cause: cause.into() })
            }
        }
    }

    async fn fetch_and_keep(&self) -> anyhow::Result<()> {
        let fetched = self.fetch().await;
        let result = if fetched.is_ok() { "ok" } else { "error" };
        metrics::counter!("jwks_refresh_total", "result" => result).increment(1);
        let keys = fetched?;
        let set = Arc::new(KeySet { keys, fetched: Instant::now() });
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(set);
        Ok(())
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, Key>> {
        let url = match &self.config.jwks_url {
            Some(url) => url.to_string(),
            None => {
                let discovery =
                    format!("{}/.well-known/openid-configuration", self.config.issuer.trim_end_matches('/'));
                let found: Value = serde_json::from_slice(&self.get(&discovery).await?)?;
                anyhow::ensure!(found["issuer"] == self.config.issuer.as_str(), "discovery names another issuer");
                found["jwks_uri"].as_str().ok_or_else(|| anyhow::anyhow!("discovery names no jwks_uri"))?.to_owned()
            }
        };
        let set: Value = serde_json::from_slice(&self.get(&url).await?)?;
        let keys = usable(&set);
        anyhow::ensure!(!keys.is_empty(), "the key set has no key that we can use");
        Ok(keys)
    }

    async fn get(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        if let Some(path) = url.strip_prefix("file://") {
            return Ok(tokio::fs::read(path).await?);
        }
        let mut response = self.http.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            anyhow::ensure!(body.len() <= MAX_SET, "the answer is too large");
        }
        Ok(body)
    }
}

/// A claim by name, or by JSON Pointer for providers that nest (`/realm_access/roles`).
fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    if name.starts_with('/') { claims.pointer(name) } else { claims.get(name) }
}

/// The words of an array, or of one text with spaces; `None` when it is neither.
fn words(value: Option<&Value>) -> Option<Vec<&str>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => Some(text.split_whitespace().collect()),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

/// The keys of a set that sign with an algorithm we allow, by name. One strange key does not spoil the others.
fn usable(set: &Value) -> HashMap<String, Key> {
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let readable = keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    JwkSet { keys: readable.collect() }
        .keys
        .into_iter()
        .filter(|jwk| matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)))
        .filter_map(|jwk| {
            let algorithms = algorithms(&jwk);
            let decoding = DecodingKey::from_jwk(&jwk).ok().filter(|_| !algorithms.is_empty())?;
            Some((jwk.common.key_id.unwrap_or_default(), Key { decoding, algorithms }))
        })
        .collect()
}

/// What a key may sign with: our allow-list, narrowed by what the key itself says. Never a shared secret, never `none`.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    let possible: &[(Algorithm, KeyAlgorithm)] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => {
            &[(Algorithm::RS256, KeyAlgorithm::RS256), (Algorithm::PS256, KeyAlgorithm::PS256)]
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            &[(Algorithm::ES256, KeyAlgorithm::ES256)]
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            &[(Algorithm::EdDSA, KeyAlgorithm::EdDSA)]
        }
        _ => &[],
    };
    let said = jwk.common.key_algorithm;
    possible.iter().filter(|(_, key)| said.is_none_or(|said| said == *key)).map(|(algorithm, _)| *algorithm).collect()
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
