//! A file that somebody stored: a photo, a document. Its content stands beside the log, its digest in it.

use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
    ids::{EstateId, ResidentId},
    word_enum,
};

use super::FileId;

/// Most bytes of any file, whatever the settings say: a request is held in memory.
pub const MAX_BYTES: usize = 32 << 20;

word_enum! {
    /// The media types we store.
    MediaType {
        /// A photo.
        Jpeg = "image/jpeg",
        /// A picture.
        Png = "image/png",
        /// A picture.
        Webp = "image/webp",
        /// A photo of a phone.
        Heic = "image/heic",
        /// A photo of a phone.
        Heif = "image/heif",
        /// A document.
        Pdf = "application/pdf",
        /// A short video.
        Mp4 = "video/mp4",
        /// A short video of a phone.
        Quicktime = "video/quicktime",
        /// A voice note: M4A.
        M4a = "audio/mp4",
        /// A voice note.
        Aac = "audio/aac",
        /// A voice note.
        Amr = "audio/amr",
        /// A voice note.
        Mp3 = "audio/mpeg",
        /// A voice note.
        Ogg = "audio/ogg",
    }
}

/// What a file is for, which says how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A photo, a picture or a document.
    Page,
    /// A video.
    Video,
    /// A voice note.
    Voice,
}

impl MediaType {
    /// The type that a sender means, some of which phones name in their own way.
    #[must_use]
    pub fn declared(content_type: &str) -> Option<Self> {
        match content_type {
            "audio/m4a" | "audio/x-m4a" => Some(Self::M4a),
            "audio/mp3" => Some(Self::Mp3),
            "audio/x-aac" | "audio/aacp" => Some(Self::Aac),
            other => Self::parse(other),
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Heic | Self::Heif | Self::Pdf => Purpose::Page,
            Self::Mp4 | Self::Quicktime => Purpose::Video,
            Self::M4a | Self::Aac | Self::Amr | Self::Mp3 | Self::Ogg => Purpose::Voice,
        }
    }

    /// How the name of such a file ends.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Heic => "heic",
            Self::Heif => "heif",
            Self::Pdf => "pdf",
            Self::Mp4 => "mp4",
            Self::Quicktime => "mov",
            Self::M4a => "m4a",
            Self::Aac => "aac",
            Self::Amr => "amr",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
        }
    }

    /// Whether a browser may show it where it stands; a document may carry scripts and is saved instead.
    #[must_use]
    pub const fn is_shown_in_place(self) -> bool {
        !matches!(self, Self::Pdf)
    }

    /// Whether the first bytes of a file are those of this type, whatever its sender says.
    #[must_use]
    pub fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Jpeg => bytes.starts_with(&[0xff, 0xd8, 0xff]),
            Self::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Webp => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
            Self::Pdf => bytes.starts_with(b"%PDF-"),
            Self::Heic | Self::Heif => is_media(bytes, PHOTO),
            Self::Mp4 => is_media(bytes, MOVIE),
            Self::Quicktime => is_media(bytes, &["qt  "]),
            Self::M4a => is_media(bytes, VOICE) || is_media(bytes, MOVIE),
            Self::Amr => bytes.starts_with(b"#!AMR\n") || bytes.starts_with(b"#!AMR-WB\n"),
            // Frames of MPEG audio: eleven bits set, then version and layer; ADTS has layer 0, MP3 layer 3.
            Self::Aac => matches!(bytes, [0xff, second, ..] if second & 0xf6 == 0xf0),
            Self::Mp3 => bytes.starts_with(b"ID3") || matches!(bytes, [0xff, second, ..] if second & 0xe6 == 0xe2),
            Self::Ogg => bytes.starts_with(b"OggS"),
        }
    }
}

/// Brands of the ISO base media format, by what is kept in it: phones record sound and video under the same ones.
const PHOTO: &[&str] = &["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "heif", "miaf"];
const MOVIE: &[&str] = &[
    "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V ", "MSNV", "dash", "3gp4", "3gp5",
    "3gp6",
];
const VOICE: &[&str] = &["M4A ", "M4B "];

/// Whether a file is of the ISO base media format and of one of these brands.
fn is_media(bytes: &[u8], brands: &[&str]) -> bool {
    let brand = bytes.get(8..12).filter(|_| bytes.get(4..8) == Some(b"ftyp"));
    brand.is_some_and(|brand| brands.iter().any(|known| known.as_bytes() == brand))
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
        /// Whether its first bytes are of that type.
        fits: bool,
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
            (None, Command::Store { fits: false, .. }) => Err(Refusal::TypeMismatch),
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
