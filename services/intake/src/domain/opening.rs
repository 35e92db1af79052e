//! How a case begins: what is asked, and what stands from the first moment on.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Role,
    ids::{CaseId, EstateId, ResidentId, UnitId},
    reference,
    text::Words,
    vocabulary::{CaseKind, Channel, Language, OTHER, Priority, category},
};

use super::{
    Facts, FileId, VisitId,
    case::{Event, Receiver, Refusal},
    timeline::Party,
};

/// How far ahead of ours the clock of whoever tells us when something was said may be.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What somebody asks to open.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCase {
    /// What it is.
    pub kind: CaseKind,
    /// Code of the taxonomy; `other` when nobody has classified it.
    pub category: Option<String>,
    /// How urgent; as is usual for the category when not told.
    pub priority: Option<Priority>,
    /// What the owner said, verbatim.
    pub words: Words,
    /// The way by which it came.
    pub channel: Channel,
    /// Where.
    pub estate: EstateId,
    /// Which unit.
    pub unit: Option<UnitId>,
    /// Whose matter it is; an owner's own.
    pub resident: Option<ResidentId>,
    /// The visit at the desk in which it came up.
    pub visit: Option<VisitId>,
    /// The case it follows from.
    pub linked: Option<CaseId>,
    /// Photos and documents.
    pub files: Vec<FileId>,
    /// The language to answer in.
    pub language: Language,
    /// When it was said, if not now.
    pub said_at: Option<DateTime<Utc>>,
}

/// What stands of a case from its first moment on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// What people quote.
    pub reference: String,
    /// What it is.
    pub kind: CaseKind,
    /// Code of the taxonomy.
    pub category: String,
    /// How urgent.
    pub priority: Priority,
    /// What the owner said, verbatim.
    pub words: Words,
    /// The way by which it came.
    pub channel: Channel,
    /// Where.
    pub estate: EstateId,
    /// Which unit.
    pub unit: Option<UnitId>,
    /// Whose matter it is.
    pub resident: Option<ResidentId>,
    /// The visit at the desk in which it came up.
    pub visit: Option<VisitId>,
    /// The case it follows from.
    pub linked: Option<CaseId>,
    /// Photos and documents.
    pub files: Vec<FileId>,
    /// The language to answer in.
    pub language: Language,
    /// As what its opener acted.
    pub opened_by: Party,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
}

/// As what the caller acts.
pub(super) fn party(facts: &Facts) -> Party {
    if facts.actor.is_only_owner() {
        Party::Owner
    } else if facts.actor.roles.is_empty() || facts.actor.is_any(&[Role::Integration]) {
        Party::System
    } else {
        Party::Staff
    }
}

/// The first events of a case.
pub(super) fn open(id: CaseId, new: &NewCase, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    if !facts.actor.sees_estate(new.estate) {
        return Err(Refusal::UnknownEstate);
    }
    let resident = if facts.actor.is_only_owner() {
        let own = facts.actor.resident.ok_or(Refusal::NoResident)?;
        if new.resident.is_some_and(|named| named != own) {
            return Err(Refusal::NotTheOwner);
        }
        Some(own)
    } else {
        new.resident
    };
    let category = category(new.category.as_deref().unwrap_or(OTHER)).ok_or(Refusal::UnknownCategory)?;
    if new.said_at.is_some_and(|said_at| said_at > facts.now + SKEW) {
        return Err(Refusal::SaidInFuture);
    }
    let opening = Opening {
        reference: reference::reference(new.kind.letter(), id.get(), facts.now),
        kind: new.kind,
        category: category.code.clone(),
        priority: new.priority.unwrap_or(category.priority),
        words: new.words.clone(),
        channel: new.channel,
        estate: new.estate,
        unit: new.unit,
        resident,
        visit: new.visit,
        linked: new.linked,
        files: new.files.clone(),
        language: new.language,
        opened_by: party(facts),
        said_at: new.said_at.unwrap_or(facts.now).min(facts.now),
        opened_at: facts.now,
    };
    let to = match new.kind {
        CaseKind::Inquiry => None,
        CaseKind::Complaint => Some(Receiver::Complaint),
        CaseKind::ServiceRequest => Some(Receiver::Dispatch),
        CaseKind::Suggestion => Some(Receiver::FeedbackAnalytics),
    };
    let opened = Event::Opened { opening: Box::new(opening) };
    Ok(std::iter::once(opened).chain(to.map(|to| Event::HandedOver { to })).collect())
}
