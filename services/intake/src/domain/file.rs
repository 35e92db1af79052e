//! A file that somebody stored: a photo, a document. Its content stands beside the log, its digest in it.

use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
    ids::{EstateId, ResidentId},
    word_enum,
};

use super::FileId;

/// Most bytes of a file.
pub const MAX_BYTES: usize = 5 << 20;

word_enum! {
    /// The media types we store.
    MediaType {
        /// A photo.
        Jpeg = "image/jpeg",
        /// A picture.
        Png = "image/png",
        /// A picture.
        Webp = "image/webp",
        /// A document.
        Pdf = "application/pdf",
    }
}

impl MediaType {
    /// The type that the first bytes of a file show, whatever its sender says.
    #[must_use]
    pub fn of_content(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// Its media type.
    pub media_type: MediaType,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
    /// The owner who stored it; `None` = staff did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident: Option<ResidentId>,
    /// The estates whose staff may see it; `None` = all, as whoever stored it works for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estates: Option<Vec<EstateId>>,
}

/// What can be asked of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Keep it.
    Store {
        /// The type that its sender says it has.
        declared: MediaType,
        /// The type that its first bytes show.
        found: Option<MediaType>,
        /// Its size in bytes.
        size_bytes: i64,
        /// SHA-256 of its content, 64 hexadecimal digits.
        sha256: String,
    },
}

/// What happened to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It is kept.
    Stored(Particulars),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing in it.
    Empty,
    /// Its content is of another type than its sender says.
    TypeMismatch,
    /// It is kept already; content never changes.
    AlreadyStored,
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub actor: Actor,
    /// The estates in which the register has them as a resident.
    pub home: Vec<EstateId>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// What it is; `None` before it is stored.
    pub particulars: Option<Particulars>,
}

impl Particulars {
    /// Whether this person may see it: owners what they stored themselves, staff what was stored in their estates.
    #[must_use]
    pub fn is_visible_to(&self, actor: &Actor) -> bool {
        if actor.is_only_owner() {
            return self.resident.is_some() && self.resident == actor.resident;
        }
        actor.estates.is_none()
            || self.estates.as_ref().is_none_or(|estates| estates.iter().any(|estate| actor.sees_estate(*estate)))
    }
}

impl Aggregate for File {
    const NAME: &'static str = "file";
    type Id = FileId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: FileId) -> Self {
        Self { id, particulars: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (&self.particulars, command) {
            (Some(_), Command::Store { .. }) => Err(Refusal::AlreadyStored),
            (None, Command::Store { size_bytes: 0, .. }) => Err(Refusal::Empty),
            (None, Command::Store { declared, found, .. }) if *found != Some(*declared) => Err(Refusal::TypeMismatch),
            (None, Command::Store { declared, size_bytes, sha256, .. }) => {
                let owner = facts.actor.is_only_owner();
                Ok(vec![Event::Stored(Particulars {
                    media_type: *declared,
                    size_bytes: *size_bytes,
                    sha256: sha256.clone(),
                    resident: facts.actor.resident.filter(|_| owner),
                    estates: if owner { Some(facts.home.clone()) } else { facts.actor.estates.clone() },
                })])
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Stored(particulars) => Self { particulars: Some(particulars.clone()), ..self },
        }
    }
}
