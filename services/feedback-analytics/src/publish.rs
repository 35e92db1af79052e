//! Private events to public events and timers. Pure.

use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};
use steward_proto::feedback_analytics as pb;

use crate::domain::{
    Suggestion, Survey,
    suggestion::{self, Event as SuggestionEvent},
    survey::{self, Event as SurveyEvent, Rating},
};

/// Name of the timer that ends a survey.
pub(crate) const EXPIRY: &str = "expiry";

/// Makes the public event of a step: they all say which case, where and when.
macro_rules! step {
    ($message:ident, $case_id:expr, $life:expr, $event:expr) => {
        Some(Outgoing::new(pb::$message {
            case_id: $case_id.to_string(),
            estate_id: $life.received.estate_id.to_string(),
            at_ms: $event.occurred_at.timestamp_millis(),
        }))
    };
}

/// What others are told of a suggestion. Reasons and plans stay here: they are words people wrote.
pub(crate) fn suggestion(suggestion: &Suggestion, event: &Recorded<suggestion::Event>) -> Option<Outgoing> {
    let (id, life) = (suggestion.id, suggestion.life.as_ref()?);
    match &event.body {
        // Intake told us, and everybody else.
        SuggestionEvent::Received { .. } | SuggestionEvent::Prioritised { .. } => None,
        SuggestionEvent::Considered { .. } => step!(SuggestionConsidered, id, life, event),
        SuggestionEvent::Accepted { .. } => step!(SuggestionAccepted, id, life, event),
        SuggestionEvent::Declined { .. } => step!(SuggestionDeclined, id, life, event),
        SuggestionEvent::Deferred { .. } => step!(SuggestionDeferred, id, life, event),
        SuggestionEvent::Planned { .. } => step!(SuggestionPlanned, id, life, event),
        SuggestionEvent::Delivered { .. } => step!(SuggestionDelivered, id, life, event),
        SuggestionEvent::Confirmed { .. } => step!(SuggestionConfirmed, id, life, event),
        SuggestionEvent::Reopened { .. } => step!(SuggestionReopened, id, life, event),
        // Its case may have heard meanwhile that who suggested it came back before.
        SuggestionEvent::Withdrawn { .. } => step!(SuggestionWithdrawn, id, life, event),
    }
}

/// What others are told of a survey. The comment stays here.
pub(crate) fn survey(survey: &Survey, event: &Recorded<survey::Event>) -> Option<Outgoing> {
    let about = &survey.life.as_ref()?.invitation;
    let (survey_id, case_id, estate_id) =
        (survey.id.to_string(), about.case_id.to_string(), about.estate_id.to_string());
    let at_ms = event.occurred_at.timestamp_millis();
    Some(match &event.body {
        SurveyEvent::Invited { .. } => Outgoing::new(pb::SurveyInvited {
            survey_id,
            case_id,
            resident_id: about.resident_id.to_string(),
            estate_id,
            language: about.language.to_string(),
            at_ms,
        }),
        SurveyEvent::Answered { answer, .. } => Outgoing::new(pb::SurveyAnswered {
            survey_id,
            case_id,
            estate_id,
            outcome: score(answer.outcome),
            handling: score(answer.handling),
            courtesy: score(answer.courtesy),
            at_ms,
        }),
        // Who could not tell its owner knows.
        SurveyEvent::Suppressed { .. } => return None,
        SurveyEvent::Expired { .. } => Outgoing::new(pb::SurveyExpired { survey_id, case_id, estate_id, at_ms }),
    })
}

/// A score; 0 when it was not given.
fn score(rating: Option<Rating>) -> u32 {
    rating.map_or(0, |rating| u8::from(rating).into())
}

/// What an event does to the timers of a survey.
pub(crate) fn survey_timers(event: &Recorded<survey::Event>) -> Vec<TimerChange> {
    match &event.body {
        SurveyEvent::Invited { invitation } => vec![TimerChange::Set { name: EXPIRY, due_at: invitation.expires_at }],
        SurveyEvent::Answered { .. } | SurveyEvent::Expired { .. } | SurveyEvent::Suppressed { .. } => {
            vec![TimerChange::Clear { name: EXPIRY }]
        }
    }
}
