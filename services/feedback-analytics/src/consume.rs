//! What this service hears: cases, clocks and promises from intake, owners' words from complaint and dispatch.

mod stewardship;

use chrono::{DateTime, TimeDelta, Utc};
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    ids::{CaseId, ResidentId},
    message::optional_uuid,
    text::Words,
    vocabulary::{CaseKind, CaseStatus, Language, Priority},
};
use steward_proto::{complaint, dispatch, intake as pb, notification};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        Suggestion, Survey, SurveyId, day,
        fact::{CaseFact, Change, Moment, Opened, Progress, Word},
        suggestion::{self, Received},
        survey::{self, Invitation, SurveyStage},
    },
    store::figures,
};

/// Everything this service hears.
pub(crate) fn all() -> Vec<Consumer<App>> {
    vec![
        Consumer::of("intake")
            .on::<pb::EstateRegistered, _>(|_, work, message| Box::pin(estate_registered(work, message)))
            .on::<pb::CaseOpened, _>(|_, work, message| Box::pin(case_opened(work, message)))
            .on::<pb::CaseProgressed, _>(|app, work, message| Box::pin(case_progressed(app, work, message)))
            .on::<pb::CaseCancelled, _>(|app, work, message| Box::pin(case_cancelled(app, work, message)))
            .on::<pb::CasePrioritised, _>(|app, work, message| Box::pin(case_prioritised(app, work, message)))
            .on::<pb::ClockBreached, _>(|_, work, message| Box::pin(stewardship::clock_breached(work, message)))
            .on::<pb::ClockStopped, _>(|_, work, message| Box::pin(stewardship::clock_stopped(work, message)))
            .on::<pb::EscalationRaised, _>(|_, work, message| Box::pin(stewardship::escalation_raised(work, message)))
            .on::<pb::EscalationAcknowledged, _>(|_, work, message| {
                Box::pin(stewardship::escalation_acknowledged(work, message))
            })
            .on::<pb::PromiseMade, _>(|_, work, message| Box::pin(stewardship::promise_made(work, message)))
            .on::<pb::PromiseEnded, _>(|_, work, message| Box::pin(stewardship::promise_ended(work, message)))
            .on::<pb::SuggestionReceived, _>(|app, work, message| Box::pin(suggestion_received(app, work, message))),
        Consumer::of("complaint").on::<complaint::ComplaintConfirmed, _>(|_, work, message| {
            Box::pin(async move {
                let of = [&*message.case_id, &message.estate_id, &message.given_how];
                owner_said(work, of, message.satisfied, message.at_ms).await
            })
        }),
        Consumer::of("dispatch").on::<dispatch::ServiceRequestVerified, _>(|_, work, message| {
            Box::pin(async move {
                let of = [&*message.case_id, &message.estate_id, &message.given_how];
                owner_said(work, of, message.satisfied, message.at_ms).await
            })
        }),
        Consumer::of("notification").on::<notification::MessageSuppressed, _>(|app, work, message| {
            Box::pin(message_suppressed(app, work, message))
        }),
    ]
}

/// Who could not be told of a survey was not asked.
async fn message_suppressed(app: &App, work: &mut Work, message: notification::MessageSuppressed) -> Result<()> {
    let Some(survey) = optional(&message.survey_id)?.map(SurveyId::from) else { return Ok(()) };
    let life = work.find::<Survey>(survey).await?.and_then(|survey| survey.life);
    let may_be_asked = |life: &survey::Life| matches!(life.stage, SurveyStage::Sent | SurveyStage::Expired);
    let Some(life) = life.filter(may_be_asked) else { return Ok(()) };
    let (case, estate) = (life.invitation.case_id.get(), life.invitation.estate_id.get());
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let after = known.fact.clone().after(&Change::NotTold { episode: life.invitation.episode });
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await?;
    let facts = app.facts(&work.call.actor);
    let suppress = survey::Command::Suppress { reason: message.reason };
    work.execute::<Survey>(survey, &suppress, &facts).await.map(drop)
}

/// An estate brings its time zone. Days that were counted before it was known stay as they were counted.
async fn estate_registered(work: &mut Work, message: pb::EstateRegistered) -> Result<()> {
    figures::register_estate(&mut work.tx, id(&message.estate_id)?, &message.time_zone).await
}

async fn case_opened(work: &mut Work, message: pb::CaseOpened) -> Result<()> {
    let (case, estate) = (id(&message.case_id)?, id(&message.estate_id)?);
    let said_at = time(message.said_at_ms)?;
    let resident_known = resident(&message.resident_id)?.is_some();
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let said = Moment { at: said_at, on: day(said_at, known.zone) };
    let change = Change::Opened(Opened { said, kind: message.kind, priority: message.priority, resident_known });
    let after = known.fact.clone().after(&change);
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await
}

async fn case_progressed(app: &App, work: &mut Work, message: pb::CaseProgressed) -> Result<()> {
    let (case, estate) = (id(&message.case_id)?, id(&message.estate_id)?);
    let at = time(message.at_ms)?;
    let resident = resident(&message.resident_id)?;
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let mut after = known.fact.clone().after(&Change::Progressed(Progress {
        status: message.status.clone(),
        milestone: message.milestone.clone(),
        human: message.human,
        kind: message.kind.clone(),
        priority: message.priority.clone(),
        resident_known: resident.is_some(),
        moment: Moment { at, on: day(at, known.zone) },
    }));
    let to_be_asked = resident.filter(|_| after.is_to_be_asked());
    if to_be_asked.is_some() {
        after.asked_episode = after.episode();
    }
    // The case's sums before the survey's: one order everywhere, so that two transactions never wait for each other.
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await?;
    let came_back = after.episode() > known.fact.episode();
    if came_back || message.status == CaseStatus::Cancelled.as_str() {
        end_survey(app, work, case, known.fact.episode()).await?;
    }
    let Some(resident_id) = to_be_asked else { return Ok(()) };
    let facts = app.facts(&work.call.actor);
    let open_for =
        TimeDelta::from_std(app.config.survey_open_for).map_err(|fault| Error::internal("survey_open_for", fault))?;
    let invitation = Invitation {
        case_id: case.into(),
        episode: after.episode(),
        reference: message.reference,
        case_kind: message.kind,
        estate_id: estate.into(),
        resident_id,
        language: language(&message.language),
        sent_at: facts.now,
        sent_on: day(facts.now, known.zone),
        expires_at: facts.now + open_for,
    };
    let survey = SurveyId::of(invitation.case_id, invitation.episode);
    let invite = survey::Command::Invite(Box::new(invitation));
    expect(work.execute::<Survey>(survey, &invite, &facts).await, &survey::Refusal::AlreadyInvited)
}

/// How an end went is not asked any more that was none.
async fn end_survey(app: &App, work: &mut Work, case: Uuid, episode: u32) -> Result<()> {
    let survey = SurveyId::of(case.into(), episode);
    let facts = app.facts(&work.call.actor);
    expect(work.execute::<Survey>(survey, &survey::Command::Expire, &facts).await, &survey::Refusal::NoSuchSurvey)
}

/// A case that is called off takes its suggestion along.
async fn case_cancelled(app: &App, work: &mut Work, message: pb::CaseCancelled) -> Result<()> {
    let (case, estate) = (id(&message.case_id)?, id(&message.estate_id)?);
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let after = known.fact.clone().after(&Change::Cancelled { on: day(time(message.at_ms)?, known.zone) });
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await?;
    end_survey(app, work, case, known.fact.episode()).await?;
    if message.kind != CaseKind::Suggestion.as_str() {
        return Ok(());
    }
    let facts = app.facts(&work.call.actor);
    // To the microsecond, as who suggested it came back.
    let at = work.call.occurred_at.map_or_else(|| time(message.at_ms), Ok)?;
    let withdraw = suggestion::Command::Withdraw { at };
    work.execute::<Suggestion>(case.into(), &withdraw, &facts).await.map(drop)
}

/// Another urgency may be heard before the case it belongs to: the fact keeps it. A suggestion takes it along.
async fn case_prioritised(app: &App, work: &mut Work, message: pb::CasePrioritised) -> Result<()> {
    let (case, estate) = (id(&message.case_id)?, id(&message.estate_id)?);
    let priority = Priority::parse(&message.priority).ok_or_else(|| unreadable("priority"))?;
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let after = known.fact.clone().after(&Change::Prioritised(message.priority));
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await?;
    if message.kind != CaseKind::Suggestion.as_str() {
        return Ok(());
    }
    let facts = app.facts(&work.call.actor);
    work.execute::<Suggestion>(case.into(), &suggestion::Command::Prioritise(priority), &facts).await.map(drop)
}

async fn suggestion_received(app: &App, work: &mut Work, message: pb::SuggestionReceived) -> Result<()> {
    let case = CaseId::from(id(&message.case_id)?);
    let estate = id(&message.estate_id)?;
    let received_at = time(message.opened_at_ms)?;
    let zone = figures::zone_or_home(&mut work.tx, estate).await?;
    let received = Received {
        reference: message.reference,
        category: message.category,
        priority: Priority::parse(&message.priority).ok_or_else(|| unreadable("priority"))?,
        words: Words::try_new(&message.words).map_err(|fault| Error::internal("words of a message", fault))?,
        estate_id: estate.into(),
        unit_id: optional(&message.unit_id)?.map(Into::into),
        resident_id: resident(&message.resident_id)?,
        linked_case_id: optional(&message.linked_case_id)?.map(Into::into),
        language: language(&message.language),
        received_at,
        received_on: day(received_at, zone),
        time_zone: zone.name().to_owned(),
        urgent: message.urgent,
    };
    let facts = app.facts(&work.call.actor);
    let receive = suggestion::Command::Receive(Box::new(received));
    expect(work.execute::<Suggestion>(case, &receive, &facts).await, &suggestion::Refusal::AlreadyReceived)
}

/// The owner's word may be heard before the case it belongs to: the fact keeps it.
/// * `how`: how the owner gave it to staff who took it down; '' = by themselves.
async fn owner_said(work: &mut Work, [case, estate, how]: [&str; 3], solved: bool, at_ms: i64) -> Result<()> {
    let (case, estate) = (id(case)?, id(estate)?);
    let word = Word { solved, at: time(at_ms)?, taken_down: !how.is_empty() };
    let known = figures::claim::<CaseFact>(&mut work.tx, case, estate).await?;
    let after = known.fact.clone().after(&Change::OwnerSaid(word));
    figures::save(&mut work.tx, case, estate, &known.fact, &after).await
}

/// Lets one refusal pass: the one that says that it was done before.
fn expect<T>(outcome: Result<T>, done_before: &impl steward_kernel::Refuses) -> Result<()> {
    match outcome {
        Err(refused) if refused.is(done_before) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|fault: uuid::Error| Error::internal("id in a message", fault))
}

fn optional(text: &str) -> Result<Option<Uuid>> {
    optional_uuid(text).map_err(|fault| Error::internal("id in a message", fault))
}

fn resident(text: &str) -> Result<Option<ResidentId>> {
    Ok(optional(text)?.map(ResidentId::from))
}

fn time(ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| unreadable("time"))
}

fn language(word: &str) -> Language {
    Language::parse(word).unwrap_or(Language::ZhHans)
}

fn unreadable(what: &'static str) -> Error {
    Error::internal("message", format!("its {what} is none"))
}
