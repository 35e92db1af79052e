//! How a resident wants to be told: in which language, on which channels.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate, ProblemKind, Refuses,
    ids::ResidentId,
    vocabulary::Language,
    word::{self, TakenDown, WordFault, WordNote},
};

use super::OutChannel;

/// What can be asked of a preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// From now on so.
    Set {
        /// The language of all messages; `None`: that of each case.
        language: Option<Language>,
        /// The channels for messages; none: no messages.
        channels: Vec<OutChannel>,
        /// How the resident told staff so; none: the resident says it.
        taken_down: Option<TakenDown>,
    },
}

/// What happened to a preference. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// From then on so.
    Set {
        /// The language of all messages.
        language: Option<Language>,
        /// The channels for messages.
        channels: Vec<OutChannel>,
        /// How staff took that down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
}

/// Why something asked of a preference is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// We know no such resident, or it is not for the caller to see.
    NoSuchResident,
    /// Messages cannot go that way; where in the list it stands.
    NotConnected(usize),
    /// The resident's word is not given like this.
    Word(WordFault),
}

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        use ProblemKind as P;
        match self {
            Self::NoSuchResident => P::not_found("preference/no-such-resident", "There is no such resident"),
            Self::NotConnected(_) => {
                P::unprocessable("preference/channel-not-connected", "Messages cannot go by this channel yet")
            }
            Self::Word(fault) => fault.problem(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::NoSuchResident => None,
            Self::Word(fault) => fault.field(),
            Self::NotConnected(at) => {
                Some((format!("/channels/{at}"), "choose from GET /v1/channels what carries messages".to_owned()))
            }
        }
    }
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Whether a message to this resident stands in an estate that the caller sees: only so do we know a resident here.
    pub known: bool,
}

/// How a resident wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// Whose.
    pub resident: ResidentId,
    /// The language of all messages; `None`: that of each case.
    pub language: Option<Language>,
    /// The channels for messages.
    pub channels: Vec<OutChannel>,
    /// Whether it was ever set; before that it is what everybody has.
    pub is_set: bool,
    /// How staff took down what holds; none: the resident set it, or nobody did.
    pub taken_down: Option<WordNote>,
}

impl Preference {
    /// Whether messages may stand in the app inbox.
    #[must_use]
    pub fn wants_inbox(&self) -> bool {
        self.channels.contains(&OutChannel::AppInbox)
    }

    /// Whether that actor may see and set it: owners their own, staff those of residents they have to do with.
    #[must_use]
    pub fn shows_to(&self, facts: &Facts) -> bool {
        let own = facts.actor.resident == Some(self.resident);
        own || (facts.known && !facts.actor.is_only_owner())
    }
}

impl Aggregate for Preference {
    const NAME: &'static str = "preference";
    type Id = ResidentId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(resident: ResidentId) -> Self {
        Self { resident, language: None, channels: vec![OutChannel::AppInbox], is_set: false, taken_down: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        if !self.shows_to(facts) {
            return Err(Refusal::NoSuchResident);
        }
        let Command::Set { language, channels, taken_down } = command;
        // Who of the staff handles a matter of the resident is not known here.
        let whose = word::whose(&facts.actor, Some(self.resident), taken_down.as_ref(), false, facts.now);
        let taken_down = whose.map_err(Refusal::Word)?.note();
        if let Some(at) = channels.iter().position(|channel| !channel.carries_messages()) {
            return Err(Refusal::NotConnected(at));
        }
        let (language, mut channels) = (*language, channels.clone());
        channels.sort_unstable();
        channels.dedup();
        let is_made_own = taken_down.is_none() && self.taken_down.is_some();
        if self.is_set && (language, &channels) == (self.language, &self.channels) && !is_made_own {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Set { language, channels, taken_down }])
    }

    fn evolve(self, event: &Event) -> Self {
        let Event::Set { language, channels, taken_down } = event;
        Self { language: *language, channels: channels.clone(), is_set: true, taken_down: taken_down.clone(), ..self }
    }
}
