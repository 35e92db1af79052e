//! The report of an import, kept so that the same request answers the same.

use serde::{Deserialize, Serialize};
use steward_kernel::{Aggregate, sheets::Note, word_enum};
use utoipa::ToSchema;

use super::ImportId;

word_enum! {
    /// What a register file has.
    RosterPart {
        /// Departments.
        Departments = "departments",
        /// Technicians.
        Technicians = "technicians",
        /// Shifts.
        Shifts = "shifts",
    }
}

/// What came of the rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Rows in the file, without the header.
    pub rows: u32,
    /// Of them, new.
    pub created: u32,
    /// Of them, known and changed.
    pub updated: u32,
    /// Of them, known and the same.
    pub unchanged: u32,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was imported.
    pub resource: RosterPart,
    /// What came of it.
    pub counts: Counts,
    /// What there is to know about it.
    pub notes: Vec<Note>,
}

/// What happened. Stored for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A file was imported.
    Imported {
        /// What it had.
        resource: RosterPart,
        /// What came of it.
        counts: Counts,
        /// What there is to know about it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
}

/// Why it is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An import happens once.
    AlreadyImported,
}

/// One import of a register file.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterImport {
    /// Its id.
    pub id: ImportId,
    /// What it had; none before it happened.
    pub resource: Option<RosterPart>,
    /// What came of it.
    pub counts: Counts,
    /// What there is to know about it.
    pub notes: Vec<Note>,
}

impl Aggregate for RosterImport {
    const NAME: &'static str = "roster_import";
    type Id = ImportId;
    type Command = Record;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: ImportId) -> Self {
        Self { id, resource: None, counts: Counts::default(), notes: Vec::new() }
    }

    fn decide(&self, command: &Record, (): &()) -> Result<Vec<Event>, Refusal> {
        match self.resource {
            None => Ok(vec![Event::Imported {
                resource: command.resource,
                counts: command.counts,
                notes: command.notes.clone(),
            }]),
            Some(_) => Err(Refusal::AlreadyImported),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Imported { resource, counts, notes } => {
                Self { resource: Some(*resource), counts: *counts, notes: notes.clone(), ..self }
            }
        }
    }
}
