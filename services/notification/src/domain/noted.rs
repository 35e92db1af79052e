//! Words of the owner that staff took down, as the owner is told of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use steward_kernel::{Role, vocabulary::Language, word::GivenHow, word_enum};

word_enum! {
    /// What staff noted that the owner said: the step of the case that came of it.
    Noted {
        /// It is solved.
        Confirmed = "confirmed",
        /// It is not solved.
        Reopened = "reopened",
        /// The owner withdraws it.
        Withdrawn = "withdrawn",
        /// The owner calls it off.
        Cancelled = "cancelled",
        /// The work is good.
        Verified = "verified",
        /// The work is not good.
        Rework = "rework",
        /// The answer to a question.
        InfoProvided = "info_provided",
        /// It can be closed.
        Closed = "closed",
        /// A pause is not right.
        PauseContested = "pause_contested",
    }
}

word_enum! {
    /// As what somebody of the company took it down: a post, never a name.
    Scribe {
        /// At the desk.
        Receptionist = "receptionist",
        /// Handles cases.
        Handler = "handler",
        /// Does work orders.
        Technician = "technician",
        /// Leads a team.
        Supervisor = "supervisor",
        /// Manages an estate.
        Manager = "manager",
        /// Somebody else of the company, or the register does not say.
        Staff = "staff",
    }
}

impl Scribe {
    /// Somebody with that post.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Receptionist => Self::Receptionist,
            Role::Handler => Self::Handler,
            Role::Technician => Self::Technician,
            Role::Supervisor => Self::Supervisor,
            Role::Manager => Self::Manager,
            Role::Owner | Role::Analyst | Role::Admin | Role::Integration => Self::Staff,
        }
    }
}

/// A word of the owner as it was taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenDownWord {
    /// What it is; none where the template says it.
    pub noted: Option<Noted>,
    /// How the owner gave it.
    pub how: GivenHow,
    /// As what it was taken down.
    pub by: Scribe,
}

/// The words for it in one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TakenDownWords {
    noted: BTreeMap<Noted, String>,
    ways: BTreeMap<GivenHow, String>,
    who: BTreeMap<Scribe, String>,
}

impl TakenDownWords {
    /// What has no word.
    pub(super) fn missing(&self) -> Option<&'static str> {
        let noted = Noted::ALL.iter().find(|noted| !self.noted.contains_key(noted)).map(|noted| noted.as_str());
        let ways = GivenHow::ALL.iter().find(|how| !self.ways.contains_key(how)).map(|how| how.as_str());
        let who = Scribe::ALL.iter().find(|by| !self.who.contains_key(by)).map(|by| by.as_str());
        noted.or(ways).or(who)
    }

    /// What was noted, how it was given, and who noted it.
    pub(super) fn say(&self, word: &TakenDownWord) -> [&str; 3] {
        let noted = word.noted.and_then(|noted| self.noted.get(&noted));
        [noted, self.ways.get(&word.how), self.who.get(&word.by)].map(|text| text.map_or("", String::as_str))
    }
}

/// The words in every language.
pub(super) type InLanguages = BTreeMap<Language, TakenDownWords>;
