//! What notification hears: milestones of cases, invitations to surveys and decided objections become messages to
//! residents; what the company's people should look at becomes alerts (`alerts`).

mod alerts;

use chrono::{DateTime, Utc};
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    ActorId, day,
    ids::{CaseId, EstateId, ResidentId},
    message::optional_uuid,
    vocabulary::{CaseKind, CaseStatus, Language},
    word::GivenHow,
};
use steward_proto::{feedback_analytics, intake};
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        Letter, Message, Moment, Noted, Preference, Scribe, SurveyId, TakenDownWord, Template, Variables, Window,
        messages::Command,
    },
    notices,
    store::{self, End, StaffMember},
};

/// Everything this service hears.
#[must_use]
pub fn all() -> Vec<Consumer<App>> {
    vec![
        Consumer::of("intake")
            .on::<intake::EstateRegistered, _>(|_, work, heard| Box::pin(estate_registered(work, heard)))
            .on::<intake::StaffRegistered, _>(|app, work, heard| Box::pin(staff_registered(app, work, heard)))
            .on::<intake::CaseOpened, _>(|app, work, heard| Box::pin(case_opened(app, work, heard)))
            .on::<intake::CaseProgressed, _>(|app, work, heard| Box::pin(case_progressed(app, work, heard)))
            .on::<intake::CaseCancelled, _>(|app, work, heard| Box::pin(case_cancelled(app, work, heard)))
            .on::<intake::ObjectionDecided, _>(|app, work, heard| Box::pin(objection_decided(app, work, heard)))
            .on::<intake::EscalationRaised, _>(|app, work, heard| Box::pin(alerts::raised(app, work, heard)))
            .on::<intake::EscalationAcknowledged, _>(|app, work, heard| {
                Box::pin(alerts::acknowledged(app, work, heard))
            })
            .on::<intake::PromiseAtRisk, _>(|app, work, heard| Box::pin(alerts::promise_at_risk(app, work, heard)))
            .on::<intake::HandOverOffered, _>(|app, work, heard| Box::pin(alerts::hand_over_offered(app, work, heard)))
            .on::<intake::HandOverEnded, _>(|app, work, heard| Box::pin(alerts::hand_over_ended(app, work, heard)))
            .on::<intake::TaskGiven, _>(|app, work, heard| Box::pin(alerts::task_given(app, work, heard)))
            .on::<intake::TaskEnded, _>(|app, work, heard| Box::pin(alerts::task_ended(app, work, heard)))
            .on::<intake::LadderEnded, _>(|app, work, heard| Box::pin(alerts::ladder_ended(app, work, heard)))
            .on::<intake::ClockStopped, _>(|app, work, heard| Box::pin(alerts::clock_stopped(app, work, heard)))
            .on::<intake::PromiseEnded, _>(|app, work, heard| Box::pin(alerts::promise_ended(app, work, heard)))
            .on::<intake::AccountablePersonChanged, _>(|app, work, heard| {
                Box::pin(alerts::accountable_person_changed(app, work, heard))
            }),
        Consumer::of("feedback-analytics")
            .on::<feedback_analytics::SurveyInvited, _>(|app, work, heard| Box::pin(survey_invited(app, work, heard))),
    ]
}

async fn estate_registered(work: &mut Work, heard: intake::EstateRegistered) -> Result<()> {
    let estate = EstateId::from(uuid("estate_id", &heard.estate_id)?);
    store::register_estate(&mut work.tx, estate, &heard.code).await
}

async fn staff_registered(app: &App, work: &mut Work, heard: intake::StaffRegistered) -> Result<()> {
    let estates =
        heard.estate_ids.iter().map(|id| uuid("estate_ids", id).map(EstateId::from)).collect::<Result<_>>()?;
    let member = StaffMember {
        id: uuid("staff_id", &heard.staff_id)?,
        account: heard.account,
        role: heard.role,
        estates: (!heard.every_estate).then_some(estates),
        left: heard.left,
    };
    store::register_staff(&mut work.tx, &member).await?;
    if member.left && !member.account.is_empty() {
        notices::pass_on(app, work, &ActorId::new(member.account)).await?;
    }
    Ok(())
}

async fn case_opened(app: &App, work: &mut Work, heard: intake::CaseOpened) -> Result<()> {
    let due = Due {
        template: Template::Received,
        case: CaseId::from(uuid("case_id", &heard.case_id)?),
        kind: kind(&heard.kind)?,
        reference: heard.reference,
        estate: EstateId::from(uuid("estate_id", &heard.estate_id)?),
        resident: resident(&heard.resident_id)?,
        language: Language::parse(&heard.language),
        register_language: Language::parse(&heard.register_language),
        survey: None,
        says: Says::default(),
        occasion: cause(work)?,
        happened_at: time("opened_at_ms", heard.opened_at_ms)?,
    };
    due.tell(app, work).await
}

/// Not every milestone deserves a message; the timeline of the case has them all.
async fn case_progressed(app: &App, work: &mut Work, heard: intake::CaseProgressed) -> Result<()> {
    let kind = kind(&heard.kind)?;
    let at = time("at_ms", heard.at_ms)?;
    let over =
        CaseStatus::parse(&heard.status).filter(|status| matches!(status, CaseStatus::Closed | CaseStatus::Cancelled));
    alerts::case_stands(app, work, &heard.case_id, over.map(|status| End { status, at })).await?;
    let is_over = over.is_some();
    // As long as other remedies of a complaint are open, what was promised is not done.
    let is_done = CaseStatus::parse(&heard.status) == Some(CaseStatus::Resolved);
    let taken_down = taken_down(work, &heard.milestone, [&heard.given_how, &heard.taken_down_by]).await?;
    // What staff took down is told as that, instead of what the owner would be told of the own word.
    let template = taken_down.map(|_| Template::TakenDown).or_else(|| Template::of(&heard.milestone, kind));
    let has_a_point =
        |template: &Template| (*template != Template::RemedyDone || is_done) && (!is_over || template.tells_the_end());
    let Some(template) = template.filter(has_a_point) else { return Ok(()) };
    let windows = [
        window(heard.appointment_from_ms, heard.appointment_to_ms, &heard.time_zone),
        window(heard.previous_from_ms, heard.previous_to_ms, &heard.time_zone),
    ];
    let dates = [heard.due_at_ms, heard.previous_due_at_ms].map(|ms| moment(ms, &heard.time_zone));
    let due = Due {
        template,
        case: CaseId::from(uuid("case_id", &heard.case_id)?),
        kind,
        reference: heard.reference,
        estate: EstateId::from(uuid("estate_id", &heard.estate_id)?),
        resident: resident(&heard.resident_id)?,
        language: Language::parse(&heard.language),
        register_language: Language::parse(&heard.register_language),
        says: Says { windows, dates, taken_down },
        survey: None,
        occasion: cause(work)?,
        happened_at: at,
    };
    due.tell(app, work).await
}

/// A window of time in the zone of that name; a service of before the zone was told speaks of home.
fn window(from_ms: i64, to_ms: i64, time_zone: &str) -> Option<Window> {
    let time = |ms| DateTime::from_timestamp_millis(ms).filter(|_| ms != 0);
    time(from_ms).zip(time(to_ms)).map(|(from, to)| Window { from, to, time_zone: day::zone(time_zone) })
}

/// A point in time in the zone of that name; 0 = none.
fn moment(ms: i64, time_zone: &str) -> Option<Moment> {
    let at = DateTime::from_timestamp_millis(ms).filter(|_| ms != 0)?;
    Some(Moment { at, time_zone: day::zone(time_zone) })
}

/// What staff took down of the owner's words by that step, if they did, and as what.
async fn taken_down(work: &mut Work, milestone: &str, [how, by]: [&str; 2]) -> Result<Option<TakenDownWord>> {
    let Some((how, noted)) = GivenHow::parse(how).zip(Noted::parse(milestone)) else { return Ok(None) };
    let by = store::post_of(&mut work.tx, by).await?.map_or(Scribe::Staff, Scribe::of);
    Ok(Some(TakenDownWord { noted: Some(noted), how, by }))
}

async fn case_cancelled(app: &App, work: &mut Work, heard: intake::CaseCancelled) -> Result<()> {
    let at = time("at_ms", heard.at_ms)?;
    alerts::case_stands(app, work, &heard.case_id, Some(End { status: CaseStatus::Cancelled, at })).await?;
    let taken_down = taken_down(work, Noted::Cancelled.as_str(), [&heard.given_how, &heard.taken_down_by]).await?;
    let due = Due {
        template: if taken_down.is_some() { Template::TakenDown } else { Template::Cancelled },
        says: Says { taken_down, ..Says::default() },
        case: CaseId::from(uuid("case_id", &heard.case_id)?),
        kind: kind(&heard.kind)?,
        reference: heard.reference,
        estate: EstateId::from(uuid("estate_id", &heard.estate_id)?),
        resident: resident(&heard.resident_id)?,
        language: Language::parse(&heard.language),
        register_language: Language::parse(&heard.register_language),
        survey: None,
        occasion: cause(work)?,
        happened_at: at,
    };
    due.tell(app, work).await
}

async fn objection_decided(app: &App, work: &mut Work, heard: intake::ObjectionDecided) -> Result<()> {
    let due = Due {
        template: if heard.upheld { Template::ObjectionUpheld } else { Template::ObjectionRefused },
        case: CaseId::from(uuid("case_id", &heard.case_id)?),
        kind: kind(&heard.kind)?,
        reference: heard.reference,
        estate: EstateId::from(uuid("estate_id", &heard.estate_id)?),
        resident: resident(&heard.resident_id)?,
        language: Language::parse(&heard.language),
        register_language: Language::parse(&heard.register_language),
        survey: None,
        says: Says::default(),
        occasion: cause(work)?,
        happened_at: time("at_ms", heard.at_ms)?,
    };
    due.tell(app, work).await
}

async fn survey_invited(app: &App, work: &mut Work, heard: feedback_analytics::SurveyInvited) -> Result<()> {
    let case = CaseId::from(uuid("case_id", &heard.case_id)?);
    let survey = uuid("survey_id", &heard.survey_id)?;
    let known = store::message_of_case(&mut work.tx, case).await?.and_then(|message| message.letter);
    // The case comes by another stream, which may be behind: then this one waits for it.
    let Some(known) = known else { return Err(Error::Busy) };
    let happened_at = time("at_ms", heard.at_ms)?;
    // How it went is not asked of what was called off meanwhile.
    let end = store::end_of(&mut work.tx, case).await?;
    if end.is_some_and(|end| end.status == CaseStatus::Cancelled && happened_at <= end.at) {
        return Ok(());
    }
    let due = Due {
        template: Template::SurveyInvited,
        case,
        kind: known.kind,
        reference: known.reference,
        estate: EstateId::from(uuid("estate_id", &heard.estate_id)?),
        resident: resident(&heard.resident_id)?,
        language: Language::parse(&heard.language),
        register_language: known.register_language,
        survey: Some(SurveyId::from(survey)),
        says: Says::default(),
        occasion: survey,
        happened_at,
    };
    due.tell(app, work).await
}

/// What a message says beside which case it is about.
#[derive(Default)]
struct Says {
    /// When somebody comes, and when somebody would have come before.
    windows: [Option<Window>; 2],
    /// The date that the owner is given, and the one that it takes the place of.
    dates: [Option<Moment>; 2],
    /// What staff took down of the owner's words.
    taken_down: Option<TakenDownWord>,
}

/// Something that somebody should be told.
struct Due {
    template: Template,
    case: CaseId,
    kind: CaseKind,
    reference: String,
    estate: EstateId,
    resident: Option<ResidentId>,
    /// The language of the case; a word we do not know is none.
    language: Option<Language>,
    /// The one that the register says for the resident.
    register_language: Option<Language>,
    survey: Option<SurveyId>,
    says: Says,
    occasion: Uuid,
    happened_at: DateTime<Utc>,
}

impl Due {
    async fn tell(self, app: &App, work: &mut Work) -> Result<()> {
        let id = self.template.message_about(self.case.get(), self.occasion);
        let wishes = match self.resident {
            Some(resident) => work.find::<Preference>(resident).await?,
            None => None,
        };
        let inbox_wanted = wishes.as_ref().is_none_or(Preference::wants_inbox);
        let wanted = wishes.and_then(|wishes| wishes.language);
        let letter = self.letter(app, wanted);
        let facts = app.message_facts(&work.call, inbox_wanted);
        work.execute::<Message>(id, &Command::Plan(Box::new(letter)), &facts).await?;
        Ok(())
    }

    /// In the language that the resident wants, else the register's, else the case's, else the company's.
    fn letter(self, app: &App, wanted: Option<Language>) -> Letter {
        let language = wanted.or(self.register_language).or(self.language).unwrap_or(app.default_language);
        let Says { windows: [window, old_window], dates: [date, old_date], taken_down } = &self.says;
        let variables = Variables {
            window: *window,
            old_window: *old_window,
            date: *date,
            old_date: *old_date,
            taken_down: *taken_down,
            days: app.come_back_days,
            ..Variables::of(&self.reference, self.kind)
        };
        let text = app.templates.render(self.template, language, &variables);
        Letter {
            case: self.case,
            kind: self.kind,
            estate: self.estate,
            resident: self.resident,
            template: self.template,
            template_version: app.templates.version(),
            language,
            register_language: self.register_language,
            title: text.title,
            body: text.body,
            survey: self.survey,
            happened_at: self.happened_at,
            reference: self.reference,
        }
    }
}

/// The public event that is being handled.
fn cause(work: &Work) -> Result<Uuid> {
    work.call.cause.map(Uuid::from).ok_or_else(|| Error::internal("message", "without an event id"))
}

fn uuid(field: &'static str, text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Error::internal(field, "is not a UUID"))
}

fn resident(text: &str) -> Result<Option<ResidentId>> {
    let id = optional_uuid(text).map_err(|_| Error::internal("resident_id", "is not a UUID"))?;
    Ok(id.map(ResidentId::from))
}

fn kind(word: &str) -> Result<CaseKind> {
    CaseKind::parse(word).ok_or_else(|| Error::internal("kind", "is not a kind of cases"))
}

fn time(field: &'static str, ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| Error::internal(field, "is not a time"))
}
