//! The connection to NATS, and the names used there.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::{Auth, AuthError, ConnectOptions, HeaderMap, jetstream};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use nkeys::KeyPair;
use secrecy::ExposeSecret as _;
use steward_kernel::{EventId, TenantId, Version};
use uuid::Uuid;

use crate::config::{NatsConfig, Secret};

/// A connection to NATS with JetStream, under a prefix that is `steward` in production and random in tests.
#[derive(Debug, Clone)]
pub struct Messages {
    /// JetStream.
    pub js: jetstream::Context,
    /// What things are called there.
    pub subjects: Subjects,
    pub(crate) manages_streams: bool,
}

impl Messages {
    /// Connects in the background: NATS may be away at start and at any time.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub async fn connect(config: &NatsConfig, name: &str) -> anyhow::Result<Self> {
        let mut options = match &config.nkey {
            Some(seed) => with_nkey(seed.clone()),
            None => ConnectOptions::new(),
        };
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            options = options.user_and_password(user.clone(), password.expose_secret().to_owned());
        }
        if let Some(file) = &config.root_certificates {
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        let servers: Vec<&str> = config.url.split(',').map(str::trim).collect();
        let client = options
            .name(name)
            .retry_on_initial_connect()
            .custom_inbox_prefix(Subjects::inbox(name))
            .connect(servers)
            .await?;
        let mut js = jetstream::new(client);
        js.set_timeout(std::time::Duration::from_secs(5));
        Ok(Self { js, subjects: Subjects::new(&config.prefix), manages_streams: config.manage_streams })
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.js.client().connection_state() == async_nats::connection::State::Connected
    }
}

/// What streams and subjects are called.
#[derive(Debug, Clone)]
pub struct Subjects {
    prefix: String,
}

impl Subjects {
    /// * `prefix`: first token of all subjects.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Beginning of the subjects on which that client gets answers: of its own, since nobody may read what is meant for another.
    #[must_use]
    pub fn inbox(client: &str) -> String {
        format!("_INBOX_{}", client.replace('-', "_"))
    }

    /// Everything of one company.
    #[must_use]
    pub fn everything_about(&self, tenant: TenantId) -> String {
        format!("{}.{tenant}.>", self.prefix)
    }

    /// Name of the stream that this service alone publishes to: `FEEDBACK_ANALYTICS`.
    #[must_use]
    pub fn stream(&self, service: &str) -> String {
        let name = service.replace('-', "_").to_uppercase();
        if self.prefix == "steward" { name } else { format!("{}_{name}", self.prefix.to_uppercase()) }
    }

    /// Everything that service publishes.
    #[must_use]
    pub fn everything_of(&self, service: &str) -> String {
        format!("{}.*.{service}.>", self.prefix)
    }

    /// What one listener hears of a service: events for all, and those for it alone.
    #[must_use]
    pub fn heard_by(&self, listener: &str, service: &str) -> Vec<String> {
        vec![format!("{}.*.{service}.*.*", self.prefix), format!("{}.*.{service}.*.*.{listener}", self.prefix)]
    }

    /// Where that service is asked to compare its stream with its log and to publish again what the stream should hold.
    #[must_use]
    pub fn ask(&self, service: &str) -> String {
        format!("{}.ask.{service}", self.prefix)
    }

    /// Where it says that it has.
    #[must_use]
    pub fn looked(&self, service: &str) -> String {
        format!("{}.looked.{service}", self.prefix)
    }

    /// The subject of a public event.
    #[must_use]
    pub fn subject(&self, tenant: TenantId, service: &str, suffix: &str) -> String {
        format!("{}.{tenant}.{service}.{suffix}", self.prefix)
    }
}

/// Signs in with the seed. While it is being changed there are two; each attempt takes the next one.
fn with_nkey(seed: Secret) -> ConnectOptions {
    let attempts = AtomicUsize::new(0);
    ConnectOptions::with_auth_callback(move |nonce| {
        let seeds = seed.lines();
        let turn = attempts.fetch_add(1, Ordering::Relaxed) % seeds.len();
        let signed = KeyPair::from_seed(seeds[turn].expose_secret())
            .and_then(|key| Ok((key.public_key(), key.sign(&nonce)?)))
            .map_err(|_| AuthError::new("the seed of the nkey cannot be used"));
        std::future::ready(signed.map(|(nkey, signature)| {
            let mut auth = Auth::new();
            (auth.nkey, auth.signature) = (Some(nkey), Some(signature));
            auth
        }))
    })
}

/// What stands around a public event, in NATS headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// CloudEvents id; the message id is the same, but for what JetStream would discard as a repetition.
    pub event_id: EventId,
    /// The company.
    pub tenant: TenantId,
    /// Kind of the aggregate.
    pub aggregate: String,
    /// The aggregate.
    pub stream_id: Uuid,
    /// Version of the aggregate after the event.
    pub version: Version,
    /// What each listener saw before: `3`, or `3 complaint=4`.
    pub previous: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The hash that chains the event to all before it in its history ([`chains`](crate::chains)): whoever hears it can prove later what
    /// that history said. None from a version of before.
    pub chain: Option<Vec<u8>>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

impl Envelope {
    /// As headers, with the CloudEvents attributes beside Steward's own.
    ///
    /// * `suffix`: end of the subject, `case-opened.v1`.
    #[must_use]
    pub fn headers(&self, service: &str, suffix: &str) -> HeaderMap {
        // The receiver of a directed event, behind the version, is not part of its type.
        let event = suffix.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let mut headers = HeaderMap::new();
        let recorded_at = self.recorded_at.to_rfc3339();
        headers.insert("Nats-Msg-Id", self.event_id.to_string());
        headers.insert("steward-tenant", self.tenant.to_string());
        headers.insert("steward-aggregate", self.aggregate.as_str());
        headers.insert("steward-stream-id", self.stream_id.to_string());
        headers.insert("steward-version", self.version.get().to_string());
        headers.insert("steward-previous", self.previous.as_str());
        headers.insert("steward-recorded-at", recorded_at.as_str());
        headers.insert("ce-specversion", "1.0");
        headers.insert("ce-id", self.event_id.to_string());
        headers.insert("ce-source", format!("/steward/{service}"));
        headers.insert("ce-type", format!("steward.{service}.{event}"));
        headers.insert("ce-time", recorded_at);
        headers.insert("ce-subject", self.stream_id.to_string());
        if let Some(chain) = &self.chain {
            headers.insert("steward-chain", BASE64.encode(chain));
        }
        if let Some(traceparent) = &self.traceparent {
            headers.insert("traceparent", traceparent.as_str());
        }
        headers
    }

    /// Reads the headers of a message of that service; `None` when they say that it is another's, or do not fit its subject.
    #[must_use]
    pub fn read_from(headers: &HeaderMap, subject: &str, service: &str) -> Option<Self> {
        let envelope = Self::read(headers)?;
        // <prefix>.<tenant>.<service>.<event>.<version>[.<receiver>]
        let mut tokens = subject.split('.').skip(1);
        let (tenant, source, event, version) = (tokens.next()?, tokens.next()?, tokens.next()?, tokens.next()?);
        let kind = format!("steward.{service}.{event}.{version}");
        let fits = tenant == envelope.tenant.to_string() && source == service;
        (fits && headers.get("ce-type").is_some_and(|told| told.as_str() == kind)).then_some(envelope)
    }

    /// Reads the headers; `None` when one is missing or cannot be read: then the message is not one of ours.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(|value| value.as_str());
        Some(Self {
            event_id: text("ce-id")?.parse().ok()?,
            tenant: text("steward-tenant")?.parse().ok()?,
            aggregate: text("steward-aggregate")?.to_owned(),
            stream_id: text("steward-stream-id")?.parse().ok()?,
            version: Version(text("steward-version")?.parse().ok()?),
            previous: text("steward-previous")?.to_owned(),
            recorded_at: text("steward-recorded-at")?.parse().ok()?,
            chain: text("steward-chain").and_then(|chain| BASE64.decode(chain).ok()),
            traceparent: text("traceparent").map(str::to_owned),
        })
    }

    /// The version that this listener saw before this event; 0 when it saw none.
    #[must_use]
    pub fn previous_for(&self, listener: &str) -> i32 {
        let mut words = self.previous.split(' ');
        let common = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        words
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| *name == listener)
            .and_then(|(_, version)| version.parse().ok())
            .unwrap_or(common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_survives_the_way() {
        let envelope = Envelope {
            event_id: Uuid::from_u128(1).into(),
            tenant: Uuid::from_u128(2).into(),
            aggregate: "case".into(),
            stream_id: Uuid::from_u128(3),
            version: Version(5),
            previous: "3 complaint=4".into(),
            recorded_at: "2026-11-23T08:00:00.123456Z".parse().unwrap(),
            chain: Some(vec![2, 0, 255]),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        };
        assert_eq!(Envelope::read(&envelope.headers("intake", "case-opened.v1")), Some(envelope.clone()));
        let headers = envelope.headers("intake", "case-opened.v1");
        let read = |subject: &str, service: &str| Envelope::read_from(&headers, subject, service).is_some();
        let tenant = Uuid::from_u128(2);
        assert!(read(&format!("steward.{tenant}.intake.case-opened.v1.complaint"), "intake"));
        assert!(!read(&format!("steward.{tenant}.intake.case-ended.v1"), "intake"));
        assert!(!read(&format!("steward.{tenant}.complaint.case-opened.v1"), "complaint"));
        assert!(!read(&format!("steward.{}.intake.case-opened.v1", Uuid::nil()), "intake"));
        assert_eq!(envelope.previous_for("complaint"), 4);
        assert_eq!(envelope.previous_for("dispatch"), 3);
    }
}
