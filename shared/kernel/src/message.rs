//! Public events as data: what a service tells others, without any transport.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A public event type: a contract between services, for ever; fields are only added.
pub trait Contract: Sized + Send + Sync + 'static {
    /// The service that publishes it, as in the subject: `complaint`.
    const SERVICE: &'static str;
    /// The event's name as in the subject: `complaint-decided`.
    const NAME: &'static str;
    /// Version of the contract; a breaking change is a new version beside the old one.
    const VERSION: u16;
    /// The only service that receives it, for events that carry words people wrote; `None` is heard by all.
    const RECEIVER: Option<&'static str>;

    /// The bytes on the wire.
    fn encode(&self) -> Vec<u8>;
    /// Reads the bytes.
    ///
    /// # Errors
    /// What is wrong with them, without their content.
    fn decode(bytes: &[u8]) -> Result<Self, Undecodable>;
}

/// Bytes that are not a message of the expected type.
#[derive(Debug, thiserror::Error)]
#[error("not a {name}: {reason}")]
pub struct Undecodable {
    /// The expected event.
    pub name: &'static str,
    /// What the decoder says.
    pub reason: String,
}

/// A public event on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Last part of the subject: `complaint-decided.v1`, with the receiver behind it when it is for one service only.
    pub suffix: String,
    /// The only receiver, if there is one.
    pub receiver: Option<&'static str>,
    /// The encoded message.
    pub bytes: Vec<u8>,
}

impl Outgoing {
    /// Wraps a message.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "messages are built at the call and used nowhere else")]
    pub fn new<C: Contract>(message: C) -> Self {
        Self { suffix: suffix::<C>(), receiver: C::RECEIVER, bytes: message.encode() }
    }
}

/// `<event>.v<version>`, and `.<receiver>` behind it for an event that only one service receives.
#[must_use]
pub fn suffix<C: Contract>() -> String {
    match C::RECEIVER {
        None => format!("{}.v{}", C::NAME, C::VERSION),
        Some(receiver) => format!("{}.v{}.{receiver}", C::NAME, C::VERSION),
    }
}

/// What an event does to the timers of its aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Fire the timer of that name at that time; replaces one of the same name.
    Set {
        /// Name, unique in the aggregate: `follow-up`.
        name: &'static str,
        /// When it is due.
        due_at: DateTime<Utc>,
    },
    /// Forget the timer of that name, if there is one.
    Clear {
        /// Its name.
        name: &'static str,
    },
}

/// A UUID from a message field; the empty string is "none".
///
/// # Errors
/// When the text is neither empty nor a UUID.
pub fn optional_uuid(text: &str) -> Result<Option<Uuid>, uuid::Error> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}
