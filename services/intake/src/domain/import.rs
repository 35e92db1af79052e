//! The import of a register file, as a thing that happened: the answer to a repeated request is found in it.

use serde::{Deserialize, Serialize};
use steward_kernel::{Aggregate, id_type, sheets::Note, word_enum};

id_type! {
    /// One import.
    RegisterImportId
}

word_enum! {
    /// What a register file is about.
    RegisterPart {
        /// Estates with their units.
        Estates = "estates",
        /// Residents and their units.
        Residents = "residents",
        /// The company's people.
        Staff = "staff",
        /// The handbook.
        Articles = "articles",
    }
}

/// What became of the rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Rows that said something new.
    pub created: u32,
    /// Rows that changed what was known.
    pub updated: u32,
    /// Rows that said what was known.
    pub unchanged: u32,
    /// Ties that ended since the file replaces the residents of its units, and does not name them.
    #[serde(default)]
    pub ended: u32,
}

impl Tally {
    /// How many rows there were.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.created + self.updated + self.unchanged
    }

    /// Counts one more row.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It said something new.
    Created,
    /// It changed what was known.
    Updated,
    /// It said what was known.
    Unchanged,
}

/// What can be asked of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write down what came of it.
    Report {
        /// What the file was about.
        part: RegisterPart,
        /// What became of its rows.
        tally: Tally,
        /// What there is to know about it.
        notes: Vec<Note>,
    },
}

/// What happened to an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was carried out.
    Imported {
        /// What the file was about.
        part: RegisterPart,
        /// What became of its rows.
        tally: Tally,
        /// What there is to know about it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was carried out before.
    AlreadyImported,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterImport {
    /// Its id.
    pub id: RegisterImportId,
    /// What became of the rows; nothing before it is carried out.
    pub tally: Tally,
    /// What there is to know about it.
    pub notes: Vec<Note>,
    /// Whether it is carried out.
    pub done: bool,
}

impl Aggregate for RegisterImport {
    const NAME: &'static str = "register_import";
    type Id = RegisterImportId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: RegisterImportId) -> Self {
        Self { id, tally: Tally::default(), notes: Vec::new(), done: false }
    }

    fn decide(&self, command: &Command, (): &()) -> Result<Vec<Event>, Refusal> {
        match (self.done, command) {
            (true, Command::Report { .. }) => Err(Refusal::AlreadyImported),
            (false, Command::Report { part, tally, notes }) => {
                Ok(vec![Event::Imported { part: *part, tally: *tally, notes: notes.clone() }])
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Imported { tally, notes, .. } => Self { tally: *tally, notes: notes.clone(), done: true, ..self },
        }
    }
}
