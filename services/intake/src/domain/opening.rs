//! How a case begins: what is asked, and what stands from the first moment on.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Role,
    day::day,
    ids::{CaseId, EstateId, ResidentId, UnitId},
    reference,
    text::Words,
    vocabulary::{CaseKind, Channel, Language, OTHER, Priority, category},
};

use super::{
    Facts, FileId, VisitId,
    case::{Event, Receiver, Refusal},
    stewardship::LEADS,
    timeline::Party,
};

/// How far ahead of ours the clock of whoever tells us when something was said may be.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// In which language an owner is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answering {
    /// The one that was asked for.
    pub asked: Option<Language>,
    /// The one that the register says for the resident.
    pub register: Option<Language>,
    /// The one that stands when nobody says any.
    pub otherwise: Language,
}

impl Answering {
    fn language(self) -> Language {
        self.asked.or(self.register).unwrap_or(self.otherwise)
    }
}

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
    pub language: Answering,
    /// When it was said, if not now.
    pub said_at: Option<DateTime<Utc>>,
    /// The unit from which the trouble comes, if that is another one; nobody is sent there by that alone.
    pub source_unit: Option<UnitId>,
    /// Whether the owner wishes that it is looked at soon.
    pub urgent: bool,
    /// Whether the case it follows from is another person's.
    pub link_is_for_staff: bool,
    /// The time zone of the estate.
    pub time_zone: Tz,
}

impl NewCase {
    /// The day at the place.
    #[must_use]
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        day(at, self.time_zone)
    }
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
    /// The language that the register said for the resident; messages are in it, whatever the case is answered in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_language: Option<Language>,
    /// As what its opener acted.
    pub opened_by: Party,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
    /// The unit from which the trouble comes, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_unit: Option<UnitId>,
    /// Whether the owner wishes that it is looked at soon.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// Whether the case it follows from is another person's: what joins two people is for staff.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link_is_for_staff: bool,
    /// IANA name of the time zone of the estate; empty in what was recorded before it was kept.
    #[serde(default)]
    pub time_zone: String,
}

impl Opening {
    /// Whether it was older than staff may enter by themselves.
    #[must_use]
    pub fn is_from_the_archive(&self, said_back: TimeDelta) -> bool {
        self.said_at < self.opened_at - said_back
    }
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

/// From an owner come words, place, photos and wishes; the rest is for staff to say.
fn check_owners_say(new: &NewCase) -> Result<(), Refusal> {
    if new.priority.is_some() {
        Err(Refusal::OwnersPriority)
    } else if !new.channel.is_of_owners() {
        Err(Refusal::OwnersChannel)
    } else if new.said_at.is_some() {
        Err(Refusal::OwnersSaidAt)
    } else {
        Ok(())
    }
}

/// What was said lies behind us, and not too far; who leads may enter what is older.
fn check_said_at(said_at: DateTime<Utc>, facts: &Facts) -> Result<(), Refusal> {
    if said_at > facts.now + SKEW {
        return Err(Refusal::SaidInFuture);
    }
    if said_at < facts.now - facts.said_back && !facts.actor.is_any(&LEADS) {
        return Err(Refusal::SaidTooLongAgo { days: facts.said_back.num_days() });
    }
    Ok(())
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
        check_owners_say(new)?;
        Some(own)
    } else {
        new.resident
    };
    let category = category(new.category.as_deref().unwrap_or(OTHER)).ok_or(Refusal::UnknownCategory)?;
    new.said_at.map_or(Ok(()), |said_at| check_said_at(said_at, facts))?;
    let opening = Opening {
        reference: reference::reference(new.kind.letter(), id.get(), new.day(facts.now)),
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
        language: new.language.language(),
        register_language: new.language.register,
        opened_by: party(facts),
        said_at: new.said_at.unwrap_or(facts.now).min(facts.now),
        opened_at: facts.now,
        source_unit: new.source_unit,
        urgent: new.urgent,
        link_is_for_staff: new.link_is_for_staff,
        time_zone: new.time_zone.name().to_owned(),
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
