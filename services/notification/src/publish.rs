//! What the others are told, and what happens later. Pure; every event is named, so a new one makes us think about it.

use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};
use steward_proto::notification as pb;

use crate::domain::{Digest, Message, Notice, NoticeContent, digests, messages, notices};

/// Timer of a notice: its time is over.
pub const EXPIRE: &str = "expire";
/// Timer of a digest: perhaps no line came for a while.
pub const QUIET: &str = "quiet";
/// The same for a digest with an urgent line. Not one and the same: a line that hurries a digest would wait for the timer
/// that is just being fired, which waits for the line.
pub const QUIET_URGENT: &str = "quiet_urgent";

/// What the others are told of a message: ids and the name of the template, never its words.
#[must_use]
pub fn of_message(message: &Message, event: &Recorded<messages::Event>) -> Option<Outgoing> {
    let letter = message.letter.as_ref()?;
    let resident_id = letter.resident.map(|resident| resident.to_string()).unwrap_or_default();
    let (message_id, case_id) = (message.id.to_string(), letter.case.to_string());
    let at_ms = event.occurred_at.timestamp_millis();
    match &event.body {
        messages::Event::Delivered { .. } => {
            let template = letter.template.to_string();
            Some(Outgoing::new(pb::MessageCreated { message_id, case_id, resident_id, template, at_ms }))
        }
        messages::Event::Read { .. } => {
            Some(Outgoing::new(pb::MessageRead { message_id, case_id, resident_id, at_ms }))
        }
        messages::Event::Suppressed { channel, reason } => Some(Outgoing::new(pb::MessageSuppressed {
            message_id,
            case_id,
            resident_id,
            template: letter.template.to_string(),
            channel: channel.to_string(),
            reason: reason.to_string(),
            survey_id: letter.survey.map(|survey| survey.to_string()).unwrap_or_default(),
            estate_id: letter.estate.to_string(),
            at_ms,
        })),
        messages::Event::Planned { .. } => None,
    }
}

/// What the others are told of a notice. What was never published is nobody else's business.
#[must_use]
pub fn of_notice(notice: &Notice, event: &Recorded<notices::Event>) -> Option<Outgoing> {
    let notice_id = notice.id.to_string();
    let estate_ids = estate_ids(notice.content.as_ref());
    let at_ms = event.occurred_at.timestamp_millis();
    match &event.body {
        notices::Event::Published { .. } => Some(Outgoing::new(pb::NoticePublished { notice_id, estate_ids, at_ms })),
        notices::Event::Recalled { .. } if notice.published_at.is_some() => {
            Some(Outgoing::new(pb::NoticeRecalled { notice_id, estate_ids, at_ms }))
        }
        notices::Event::Written { .. }
        | notices::Event::Submitted
        | notices::Event::Approved { .. }
        | notices::Event::Recalled { .. }
        | notices::Event::Expired => None,
    }
}

/// When a notice is looked at again: a published one at the end of its time.
#[must_use]
pub fn timers_of_notice(notice: &Notice, event: &Recorded<notices::Event>) -> Vec<TimerChange> {
    let expires_at = notice.content.as_ref().and_then(|content| content.expires_at);
    match &event.body {
        notices::Event::Published { .. } => {
            expires_at.map(|due_at| TimerChange::Set { name: EXPIRE, due_at }).into_iter().collect()
        }
        notices::Event::Recalled { .. } => vec![TimerChange::Clear { name: EXPIRE }],
        notices::Event::Written { .. }
        | notices::Event::Submitted
        | notices::Event::Approved { .. }
        | notices::Event::Expired => Vec::new(),
    }
}

/// When a digest is looked at. The timer of one that was hurried is left to fire for nothing: to clear it could mean to
/// wait for it.
#[must_use]
pub fn timers_of_digest(digest: &Digest, event: &Recorded<digests::Event>) -> Vec<TimerChange> {
    let name = if digest.urgent { QUIET_URGENT } else { QUIET };
    match event.body {
        digests::Event::Opened { look_at: due_at, .. }
        | digests::Event::Hurried { look_at: due_at, .. }
        | digests::Event::PutOff { look_at: due_at } => vec![TimerChange::Set { name, due_at }],
        digests::Event::Sent { .. } | digests::Event::Settled { .. } | digests::Event::Read { .. } => Vec::new(),
    }
}

fn estate_ids(content: Option<&NoticeContent>) -> Vec<String> {
    content.map(|content| content.estates.iter().map(ToString::to_string).collect()).unwrap_or_default()
}
