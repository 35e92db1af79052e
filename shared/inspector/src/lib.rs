//! The inspector: knows what must be true of a company at rest (everything heard, no timer due), one rule each, in words and in code.
//!
//! It reads a case through the public API and the event logs, puts all of it into one [`Picture`], and asks every rule of [`RULES`]. It
//! shares no code with the services, so that what it finds true was found twice.

pub mod accountant;
mod picture;
mod rules;
mod source;
mod walk;

pub use picture::{Happened, Picture};
pub use rules::{RULES, Rule};
pub use source::{Company, Logs};
pub use walk::{Pace, Seen, walk};

/// A rule that does not hold for a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// What people quote of the case; of a figure the code of the estate.
    pub reference: String,
    /// The case; of a figure the estate.
    pub case_id: String,
    /// What is not so.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({}): {}", self.rule, self.reference, self.case_id, self.what)
    }
}

/// What is wrong with that case.
#[must_use]
pub fn judge(picture: &Picture) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in RULES {
        found.extend((rule.broken)(picture).into_iter().map(|what| Finding {
            rule: rule.name,
            reference: picture.reference().to_owned(),
            case_id: picture.id().to_owned(),
            what,
        }));
    }
    found
}
