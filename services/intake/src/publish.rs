//! What others are told of what happened here, and which timers it sets. Pure.

pub(crate) mod stewardship;

use chrono::{DateTime, Utc};
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
    vocabulary::{Language, Priority},
    word::{WordNote, told},
};
use steward_proto::intake as pb;
use uuid::Uuid;

use crate::domain::{
    article::{self, Article},
    case::{self, Case, Receiver},
    estate::{self, Estate},
    file::{self, File},
    import, inquiry,
    opening::Opening,
    staff::{self, StaffEntry},
    timeline::Party,
    visit::{self, Visit},
};

/// Name of the timer that calls an inquiry's owner back.
pub(crate) const FOLLOW_UP: &str = "follow-up";

/// Name of the timer that gives to others what people answer for who have left.
pub(crate) const RELIEVE: &str = "relieve";

/// Name of the timer that lets a planned text of the handbook be good.
pub(crate) const TAKE_EFFECT: &str = "take-effect";

fn id(id: impl Into<Uuid>) -> String {
    id.into().to_string()
}

/// The language that the register says; '' = none.
fn word(language: Option<Language>) -> String {
    language.map(|language| language.to_string()).unwrap_or_default()
}

fn optional<I: Into<Uuid>>(value: Option<I>) -> String {
    value.map(id).unwrap_or_default()
}

/// What others are told of a case. Only the service that works on it is given the words.
pub(crate) fn case(case: &Case, event: &Recorded<case::Event>) -> Option<Outgoing> {
    let opening = case.opening.as_deref()?;
    let at = event.occurred_at;
    match &event.body {
        case::Event::Opened { .. } => Some(Outgoing::new(opened(case, opening))),
        case::Event::HandedOver { to: Receiver::Complaint } => Some(Outgoing::new(complaint(case, opening))),
        case::Event::HandedOver { to: Receiver::Dispatch } => Some(Outgoing::new(service_request(case, opening))),
        case::Event::HandedOver { to: Receiver::FeedbackAnalytics } => Some(Outgoing::new(suggestion(case, opening))),
        case::Event::Progressed { .. } => progressed(case, opening, &event.body, at),
        case::Event::Linked { case: other } => Some(Outgoing::new(pb::CaseLinked {
            case_id: id(case.id),
            linked_case_id: id(*other),
            estate_id: id(opening.estate),
            at_ms: at.timestamp_millis(),
        })),
        case::Event::Cancelled { by, taken_down, .. } => {
            Some(Outgoing::new(cancelled(case, opening, (*by, taken_down.as_ref()), at)))
        }
        case::Event::Prioritised { previous, .. } => Some(Outgoing::new(prioritised(case, opening, *previous, at))),
        case::Event::Moved { .. } | case::Event::SatisfactionAsked { .. } | case::Event::ProofShown { .. } => None,
    }
}

fn opened(case: &Case, opening: &Opening) -> pb::CaseOpened {
    pb::CaseOpened {
        case_id: id(case.id),
        reference: opening.reference.clone(),
        kind: opening.kind.to_string(),
        category: case.category.clone(),
        priority: opening.priority.to_string(),
        channel: opening.channel.to_string(),
        estate_id: id(opening.estate),
        unit_id: optional(opening.unit),
        resident_id: optional(opening.resident),
        linked_case_id: optional(opening.linked),
        language: opening.language.to_string(),
        register_language: word(opening.register_language),
        said_at_ms: opening.said_at.timestamp_millis(),
        opened_at_ms: opening.opened_at.timestamp_millis(),
    }
}

fn progressed(case: &Case, opening: &Opening, event: &case::Event, at: DateTime<Utc>) -> Option<Outgoing> {
    let case::Event::Progressed { milestone, status, stage, human, agreed, dated, by, taken_down, .. } = event else {
        return None;
    };
    let date = dated.as_ref();
    let ms = |at: DateTime<Utc>| at.timestamp_millis();
    let window = agreed.map(|agreed| agreed.window);
    let previous = agreed.and_then(|agreed| agreed.previous);
    let (given_how, given_at_ms, taken_down_by) = told(taken_down.as_ref());
    Some(Outgoing::new(pb::CaseProgressed {
        case_id: id(case.id),
        reference: opening.reference.clone(),
        kind: opening.kind.to_string(),
        category: case.category.clone(),
        priority: opening.priority.to_string(),
        estate_id: id(opening.estate),
        unit_id: optional(opening.unit),
        resident_id: optional(opening.resident),
        language: opening.language.to_string(),
        register_language: word(opening.register_language),
        status: status.to_string(),
        stage: stage.clone(),
        milestone: milestone.to_string(),
        human: *human,
        at_ms: at.timestamp_millis(),
        appointment_from_ms: window.map_or(0, |window| ms(window.from)),
        appointment_to_ms: window.map_or(0, |window| ms(window.to)),
        previous_from_ms: previous.map_or(0, |window| ms(window.from)),
        previous_to_ms: previous.map_or(0, |window| ms(window.to)),
        time_zone: opening.time_zone.clone(),
        due_at_ms: date.map_or(0, |date| ms(date.due_at)),
        previous_due_at_ms: date.and_then(|date| date.previous).map_or(0, ms),
        by: by.unwrap_or(milestone.by()).to_string(),
        given_how,
        given_at_ms,
        taken_down_by,
    }))
}

fn cancelled(
    case: &Case,
    opening: &Opening,
    (by, taken_down): (Party, Option<&WordNote>),
    at: DateTime<Utc>,
) -> pb::CaseCancelled {
    let (given_how, given_at_ms, taken_down_by) = told(taken_down);
    pb::CaseCancelled {
        case_id: id(case.id),
        reference: opening.reference.clone(),
        kind: opening.kind.to_string(),
        category: case.category.clone(),
        priority: opening.priority.to_string(),
        estate_id: id(opening.estate),
        unit_id: optional(opening.unit),
        resident_id: optional(opening.resident),
        language: opening.language.to_string(),
        register_language: word(opening.register_language),
        at_ms: at.timestamp_millis(),
        by: by.to_string(),
        given_how,
        given_at_ms,
        taken_down_by,
    }
}

fn prioritised(case: &Case, opening: &Opening, previous: Priority, at: DateTime<Utc>) -> pb::CasePrioritised {
    pb::CasePrioritised {
        case_id: id(case.id),
        reference: opening.reference.clone(),
        kind: opening.kind.to_string(),
        category: case.category.clone(),
        priority: opening.priority.to_string(),
        previous_priority: previous.to_string(),
        estate_id: id(opening.estate),
        unit_id: optional(opening.unit),
        resident_id: optional(opening.resident),
        at_ms: at.timestamp_millis(),
    }
}

/// The three directed messages have the same fields, each in a type of its own.
macro_rules! handed_over {
    ($name:ident: $message:ident) => {
        fn $name(case: &Case, opening: &Opening) -> pb::$message {
            pb::$message {
                case_id: id(case.id),
                reference: opening.reference.clone(),
                kind: opening.kind.to_string(),
                category: case.category.clone(),
                priority: opening.priority.to_string(),
                estate_id: id(opening.estate),
                unit_id: optional(opening.unit),
                resident_id: optional(opening.resident),
                language: opening.language.to_string(),
                words: opening.words.to_string(),
                linked_case_id: optional(opening.linked.filter(|_| !opening.link_is_for_staff)),
                opened_at_ms: opening.opened_at.timestamp_millis(),
                time_zone: opening.time_zone.clone(),
                urgent: opening.urgent,
                source_unit_id: optional(opening.source_unit),
            }
        }
    };
}

handed_over!(complaint: ComplaintReceived);
handed_over!(service_request: ServiceRequestReceived);
handed_over!(suggestion: SuggestionReceived);

/// What others are told of a visit: how long it took, once it is over.
pub(crate) fn visit(visit: &Visit, event: &Recorded<visit::Event>) -> Option<Outgoing> {
    let arrival = visit.arrival.as_deref()?;
    match &event.body {
        visit::Event::Arrived { .. } | visit::Event::Called { .. } | visit::Event::Serving { .. } => None,
        visit::Event::Finished { .. } | visit::Event::Left { .. } => Some(Outgoing::new(pb::VisitFinished {
            visit_id: id(visit.id),
            estate_id: id(arrival.estate),
            waited_seconds: visit.waited_seconds(),
            served_seconds: visit.served_seconds(),
            outcome: visit.stage.to_string(),
            at_ms: event.occurred_at.timestamp_millis(),
        })),
    }
}

/// What is planned for an article is good when its day begins.
pub(crate) fn article_timers(article: &Article, event: &Recorded<article::Event>) -> Vec<TimerChange> {
    match (&event.body, article.changes_at()) {
        (_, Some(due_at)) => vec![TimerChange::Set { name: TAKE_EFFECT, due_at }],
        (article::Event::Written(_), None) => vec![TimerChange::Clear { name: TAKE_EFFECT }],
        (article::Event::Planned(_), None) => Vec::new(),
    }
}

/// The call-back of an important inquiry is due some days after its answer.
pub(crate) fn inquiry_timers(event: &Recorded<inquiry::Event>) -> Vec<TimerChange> {
    match &event.body {
        inquiry::Event::Answered { follow_up_at: Some(due_at), .. } => {
            vec![TimerChange::Set { name: FOLLOW_UP, due_at: *due_at }]
        }
        inquiry::Event::FollowedUp { .. } | inquiry::Event::Reopened { .. } | inquiry::Event::Closed { .. } => {
            vec![TimerChange::Clear { name: FOLLOW_UP }]
        }
        inquiry::Event::Asked { .. }
        | inquiry::Event::Answered { follow_up_at: None, .. }
        | inquiry::Event::FellDue
        | inquiry::Event::CallMissed { .. }
        | inquiry::Event::Cancelled { .. } => Vec::new(),
    }
}

/// What others are told of an estate. How large it is, is our own affair.
pub(crate) fn estate(estate: &Estate, event: &Recorded<estate::Event>) -> Option<Outgoing> {
    match &event.body {
        estate::Event::Registered(particulars) | estate::Event::Changed(particulars) => {
            Some(Outgoing::new(pb::EstateRegistered {
                estate_id: id(estate.id),
                code: particulars.code.to_string(),
                name: particulars.name.to_string(),
                region: particulars.region.to_string(),
                time_zone: particulars.time_zone.to_string(),
                at_ms: event.occurred_at.timestamp_millis(),
            }))
        }
        estate::Event::Counted(_) => None,
    }
}

/// What others are told of somebody who works for the company: as what, and where; not their name.
pub(crate) fn staff(entry: &StaffEntry, event: &Recorded<staff::Event>) -> Outgoing {
    let staff::Event::Registered(post) = &event.body;
    Outgoing::new(pb::StaffRegistered {
        staff_id: id(entry.id),
        account: post.account.clone(),
        role: post.role.clone(),
        department: post.department.clone(),
        estate_ids: post.estates.iter().flatten().map(|estate| id(*estate)).collect(),
        every_estate: post.estates.is_none(),
        left: post.left,
        at_ms: event.occurred_at.timestamp_millis(),
    })
}

/// What others are told of a file: that it is there, not what it shows.
pub(crate) fn file(file: &File, event: &Recorded<file::Event>) -> Option<Outgoing> {
    match &event.body {
        file::Event::Stored(particulars) => Some(Outgoing::new(pb::FileStored {
            file_id: id(file.id),
            content_type: particulars.media_type.to_string(),
            size_bytes: particulars.size_bytes,
            sha256: particulars.sha256.clone(),
            at_ms: event.occurred_at.timestamp_millis(),
            account: event.actor.to_string(),
        })),
    }
}

/// When the register of people has changed, some of them may have left or moved: what they answer for is looked through at once, but not in the
/// transaction of the import, which would hold all those cases.
#[must_use]
pub(crate) fn timers_of_import(event: &Recorded<import::Event>) -> Vec<TimerChange> {
    match &event.body {
        import::Event::Imported { part: import::RegisterPart::Staff, .. } => {
            vec![TimerChange::Set { name: RELIEVE, due_at: event.recorded_at }]
        }
        import::Event::Imported { .. } => Vec::new(),
    }
}
