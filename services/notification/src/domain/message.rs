//! A message: one milestone of one case, told to one person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate, ProblemKind, Refuses, id_type,
    ids::{CaseId, EstateId, ResidentId},
    vocabulary::{CaseKind, Language},
    word_enum,
};

use super::{OutChannel, Template};

id_type! {
    /// A message; made of its case and its occasion, see [`Template::message_about`].
    MessageId
}
id_type! {
    /// A survey invitation of feedback-analytics.
    SurveyId
}

word_enum! {
    /// How far a message has come on one channel (DOMAIN.md §3). The app inbox delivers what it stores; the words in
    /// between are for channels that others run, and stand here already so that clients need not change with them.
    DeliveryStatus {
        /// It is due.
        Planned = "planned",
        /// It was due but is not sent, for a reason.
        Suppressed = "suppressed",
        /// It waits to be sent.
        Queued = "queued",
        /// It has left us.
        Sent = "sent",
        /// The channel has taken it.
        Accepted = "accepted",
        /// It can be read.
        Delivered = "delivered",
        /// It was read.
        Read = "read",
        /// The channel cannot deliver it.
        Failed = "failed",
        /// It came too late to be of use.
        Expired = "expired",
    }
}

word_enum! {
    /// Why a message that was due is not sent.
    SuppressionReason {
        /// Nobody knows whose matter it is.
        NoResident = "no_resident",
        /// The resident does not want messages on this channel.
        OptedOut = "opted_out",
    }
}

/// What is told to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The case it is about.
    pub case: CaseId,
    /// The reference of the case.
    pub reference: String,
    /// The kind of the case.
    pub kind: CaseKind,
    /// The estate of the case.
    pub estate: EstateId,
    /// Who is told; `None` when nobody knows whose matter it is.
    pub resident: Option<ResidentId>,
    /// Which text it is.
    pub template: Template,
    /// Version of the texts it was made of.
    pub template_version: u32,
    /// The language it is in.
    pub language: Language,
    /// The language that the register said for the resident, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_language: Option<Language>,
    /// One line.
    pub title: String,
    /// A few sentences.
    pub body: String,
    /// The survey it invites to.
    pub survey: Option<SurveyId>,
    /// When that happened of which it tells.
    pub happened_at: DateTime<Utc>,
}

/// What can be asked of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// It is due.
    Plan(Box<Letter>),
    /// Its addressee has read it.
    Read,
}

/// What happened to a message. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It became due.
    Planned {
        /// What is told to whom.
        letter: Box<Letter>,
        /// When.
        at: DateTime<Utc>,
    },
    /// It is not sent on this channel.
    Suppressed {
        /// The channel.
        channel: OutChannel,
        /// Why.
        reason: SuppressionReason,
    },
    /// It can be read on this channel.
    Delivered {
        /// The channel.
        channel: OutChannel,
    },
    /// Its addressee has read it.
    Read {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Why something asked of a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for the caller to see.
    NoSuchMessage,
    /// The caller may see it, but it was not sent to them.
    NotAddressee,
    /// It was never delivered.
    NotDelivered,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NoSuchMessage, Self::NotAddressee, Self::NotDelivered];
}

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        use ProblemKind as P;
        match self {
            Self::NoSuchMessage => P::not_found("message/no-such-message", "There is no such message"),
            Self::NotAddressee => P::forbidden("message/not-addressee", "Only its addressee can have read a message"),
            Self::NotDelivered => P::conflict("message/not-delivered", "The message was never delivered"),
        }
    }
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Whether the addressee wants messages in the app inbox.
    pub inbox_wanted: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which one.
    pub id: MessageId,
    /// What is told to whom; `None` before it is due.
    pub letter: Option<Letter>,
    /// How far it has come in the app inbox.
    pub status: DeliveryStatus,
    /// Why it is not sent, if so.
    pub suppressed: Option<SuppressionReason>,
    /// When it became due.
    pub created_at: Option<DateTime<Utc>>,
    /// When its addressee read it.
    pub read_at: Option<DateTime<Utc>>,
}

impl Message {
    /// Whether that actor may see it: staff by estate, owners what was delivered to them.
    #[must_use]
    pub fn shows_to(&self, actor: &Actor) -> bool {
        let Some(letter) = &self.letter else { return false };
        let delivered = matches!(self.status, DeliveryStatus::Delivered | DeliveryStatus::Read);
        actor.sees(letter.estate, letter.resident) && (delivered || !actor.is_only_owner())
    }

    fn plan(letter: &Letter, facts: &Facts) -> Vec<Event> {
        let channel = OutChannel::AppInbox;
        let suppressed = match letter.resident {
            None => Some(SuppressionReason::NoResident),
            Some(_) if !facts.inbox_wanted => Some(SuppressionReason::OptedOut),
            Some(_) => None,
        };
        let fate = suppressed.map_or(Event::Delivered { channel }, |reason| Event::Suppressed { channel, reason });
        vec![Event::Planned { letter: Box::new(letter.clone()), at: facts.now }, fate]
    }

    fn read(&self, letter: &Letter, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use DeliveryStatus as S;
        if !self.shows_to(&facts.actor) {
            return Err(Refusal::NoSuchMessage);
        }
        if facts.actor.resident.is_none() || facts.actor.resident != letter.resident {
            return Err(Refusal::NotAddressee);
        }
        match self.status {
            S::Delivered => Ok(vec![Event::Read { at: facts.now }]),
            S::Read => Ok(Vec::new()),
            S::Planned | S::Suppressed | S::Queued | S::Sent | S::Accepted | S::Failed | S::Expired => {
                Err(Refusal::NotDelivered)
            }
        }
    }
}

impl Aggregate for Message {
    const NAME: &'static str = "message";
    type Id = MessageId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: MessageId) -> Self {
        let status = DeliveryStatus::Planned;
        Self { id, letter: None, status, suppressed: None, created_at: None, read_at: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (&self.letter, command) {
            (None, Command::Plan(letter)) => Ok(Self::plan(letter, facts)),
            // Told before: by a repetition, or by another event of the same occasion.
            (Some(_), Command::Plan(_)) => Ok(Vec::new()),
            (None, Command::Read) => Err(Refusal::NoSuchMessage),
            (Some(letter), Command::Read) => self.read(letter, facts),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Planned { letter, at } => Self {
                letter: Some((**letter).clone()),
                created_at: Some(*at),
                status: DeliveryStatus::Planned,
                ..self
            },
            Event::Suppressed { reason, .. } => {
                Self { status: DeliveryStatus::Suppressed, suppressed: Some(*reason), ..self }
            }
            Event::Delivered { .. } => Self { status: DeliveryStatus::Delivered, ..self },
            Event::Read { at } => Self { status: DeliveryStatus::Read, read_at: Some(*at), ..self },
        }
    }
}
