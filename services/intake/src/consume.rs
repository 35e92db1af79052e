//! What intake hears: steps of the other services become steps of the owner's case.

use futures::future::BoxFuture;
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    ids::CaseId,
    message::optional_uuid,
    text::Words,
    vocabulary::{CaseKind, CaseStatus as S, Language},
};
use steward_proto::{complaint, dispatch, feedback_analytics};
use uuid::Uuid;

use crate::{
    app::App,
    desk,
    domain::{
        case::{Case, Command, Effect, Refusal, Step},
        opening::NewCase,
        timeline::Milestone as M,
    },
};

/// Everything that intake hears.
pub(crate) fn all() -> Vec<Consumer<App>> {
    vec![of_complaint(), of_requests(), of_feedback()]
}

fn of_complaint() -> Consumer<App> {
    use complaint as pb;
    Consumer::of("complaint")
        .on::<pb::ComplaintAcknowledged, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Acknowledged, S::InProgress, "acknowledged"))
        })
        .on::<pb::ComplaintAssessed, _>(|app, work, heard| {
            let step = Step::to(M::Assessed, S::InProgress, "assessed");
            progress(app, work, &heard.case_id, Step { category: Some(heard.category), ..step })
        })
        .on::<pb::ComplaintConsulted, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Consulting, S::InProgress, "investigating"))
        })
        .on::<pb::ComplaintPlanned, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::PlanTold, S::InProgress, "proposed"))
        })
        .on::<pb::ComplaintAwaitingOwner, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::AwaitingOwner, S::AwaitingOwner, "awaiting_owner"))
        })
        .on::<pb::ComplaintResumed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::new(M::Resumed, Effect::Resumed))
        })
        .on::<pb::ComplaintDecided, _>(|app, work, heard| {
            let step = match heard.open_remedies {
                0 => Step::to(M::Decided, S::Resolved, "decided"),
                _ => Step::to(M::Decided, S::InProgress, "remedying"),
            };
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::RemedyCompleted, _>(|app, work, heard| {
            let status = if heard.open_remedies == 0 { S::Resolved } else { S::InProgress };
            progress(app, work, &heard.case_id, Step::to(M::RemedyDone, status, "remedying"))
        })
        .on::<pb::ComplaintConfirmed, _>(|app, work, heard| {
            let step = if heard.satisfied {
                Step::to(M::Confirmed, S::Resolved, "verified")
            } else {
                Step::to(M::Reopened, S::InProgress, "investigating")
            };
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::ComplaintClosed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Closed, S::Closed, "closed"))
        })
        .on::<pb::ComplaintWithdrawn, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Withdrawn, S::Cancelled, "withdrawn"))
        })
}

fn of_requests() -> Consumer<App> {
    use dispatch as pb;
    let consumer = Consumer::of("dispatch")
        .on::<pb::ServiceRequestConfirmed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::ServiceConfirmed, S::InProgress, "confirmed"))
        })
        .on::<pb::InfoRequested, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::InfoRequested, S::AwaitingOwner, "needs_info"))
        })
        .on::<pb::InfoProvided, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::new(M::InfoProvided, Effect::Resumed))
        })
        .on::<pb::ServiceRequestDeclined, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Declined, S::Closed, "declined"))
        })
        .on::<pb::ServiceRequestCancelled, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Cancelled, S::Cancelled, "cancelled"))
        })
        .on::<pb::ServiceRequestVerified, _>(|app, work, heard| {
            let step = if heard.satisfied {
                Step::to(M::Verified, S::Resolved, "owner_verified")
            } else {
                Step::to(M::Rework, S::InProgress, "in_work")
            };
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::ServiceRequestClosed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Closed, S::Closed, "closed"))
        })
        .on::<pb::ServiceRequestStageChanged, _>(|app, work, heard| match stage_step(&heard.stage) {
            Some(command) => command_of(app, work, &heard.case_id, command),
            None => Box::pin(std::future::ready(Ok(()))),
        })
        .on::<pb::FurtherNeedRaised, _>(|app, work, heard| Box::pin(further_need(app, work, heard)));
    with_work_orders(consumer)
}

/// The derived stages of a service request that its own events do not tell.
fn stage_step(stage: &str) -> Option<Command> {
    match stage {
        "routed" => Some(Command::Progress(Step::to(M::Routed, S::InProgress, "routed"))),
        // The owner is told by the technician's own steps, or not at all when the work orders were called off.
        "received" => Some(Command::Move { status: S::InProgress, stage: "received" }),
        "confirmed" => Some(Command::Move { status: S::InProgress, stage: "confirmed" }),
        "in_work" => Some(Command::Move { status: S::InProgress, stage: "in_work" }),
        "done_reported" => Some(Command::Progress(Step::to(M::WorkDone, S::Resolved, "done_reported"))),
        _ => None,
    }
}

/// Work orders tell where the technician is; the case is moved by the service request or complaint they belong to.
fn with_work_orders(consumer: Consumer<App>) -> Consumer<App> {
    use dispatch as pb;
    consumer
        .on::<pb::WorkOrderOpened, _>(|app, work, heard| {
            if heard.remedy_id.is_empty() {
                return Box::pin(std::future::ready(Ok(())));
            }
            // The complaint itself tells nobody but dispatch that it wants a remedy.
            progress(app, work, &heard.case_id, Step::new(M::RemedyStarted, Effect::MoreWork("remedying")))
        })
        .on::<pb::WorkOrderAssigned, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::news(M::TechnicianAssigned))
        })
        .on::<pb::WorkOrderAccepted, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::news(M::TechnicianAccepted))
        })
        .on::<pb::WorkOrderDeparted, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::news(M::TechnicianOnTheWay))
        })
        .on::<pb::WorkOrderArrived, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::news(M::TechnicianOnSite))
        })
        .on::<pb::WorkOrderMadeSafe, _>(|app, work, heard| progress(app, work, &heard.case_id, Step::news(M::MadeSafe)))
        .on::<pb::WorkOrderHeld, _>(|app, work, heard| progress(app, work, &heard.case_id, Step::news(M::OnHold)))
        .on::<pb::WorkOrderResumed, _>(|app, work, heard| progress(app, work, &heard.case_id, Step::news(M::Resumed)))
}

fn of_feedback() -> Consumer<App> {
    use feedback_analytics as pb;
    Consumer::of("feedback-analytics")
        .on::<pb::SuggestionConsidered, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Considered, S::InProgress, "considered"))
        })
        .on::<pb::SuggestionAccepted, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Accepted, S::Resolved, "accepted"))
        })
        .on::<pb::SuggestionDeclined, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Declined, S::Resolved, "declined"))
        })
        .on::<pb::SuggestionDeferred, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Deferred, S::InProgress, "later"))
        })
        .on::<pb::SuggestionPlanned, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Planned, S::Resolved, "planned"))
        })
        .on::<pb::SuggestionDelivered, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Delivered, S::Resolved, "delivered"))
        })
        .on::<pb::SuggestionConfirmed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Confirmed, S::Closed, "confirmed"))
        })
        .on::<pb::SurveyInvited, _>(|app, work, heard| command_of(app, work, &heard.case_id, Command::AskSatisfaction))
        .on::<pb::SurveyAnswered, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::news(M::SurveyAnswered))
        })
}

fn progress<'a>(app: &'a App, work: &'a mut Work, case_id: &str, step: Step) -> BoxFuture<'a, Result<()>> {
    command_of(app, work, case_id, Command::Progress(step))
}

fn command_of<'a>(app: &'a App, work: &'a mut Work, case_id: &str, command: Command) -> BoxFuture<'a, Result<()>> {
    let id = case_id.parse::<CaseId>();
    Box::pin(async move {
        let id = id.map_err(|fault| Error::internal("case_id of a message", fault))?;
        let facts = app.facts_of(work);
        work.execute::<Case>(id, &command, &facts).await?;
        Ok(())
    })
}

/// One more thing that the owner needs becomes a case of its own, linked to the first.
async fn further_need(app: &App, work: &mut Work, heard: dispatch::FurtherNeedRaised) -> Result<()> {
    let origin: CaseId = heard.case_id.parse().map_err(|fault| Error::internal("case_id of a message", fault))?;
    let found = work.find::<Case>(origin).await?;
    let opening = found.and_then(|case| case.opening).ok_or_else(|| Error::refused(&Refusal::NoSuchCase))?;
    // The id follows from what was raised, so that it is born once whatever is delivered twice.
    let need = format!("further-need {} {}", heard.at_ms, heard.words);
    let id = CaseId::from(Uuid::new_v5(&origin.get(), need.as_bytes()));
    let new = NewCase {
        kind: CaseKind::ServiceRequest,
        category: None,
        priority: None,
        words: Words::try_new(&heard.words).map_err(|fault| Error::internal("words of a message", fault))?,
        channel: opening.channel,
        estate: opening.estate,
        unit: uuid(&heard.unit_id)?.map(Into::into),
        resident: uuid(&heard.resident_id)?.map(Into::into),
        visit: None,
        linked: Some(origin),
        files: Vec::new(),
        language: Language::parse(&heard.language).unwrap_or(opening.language),
        said_at: None,
    };
    match desk::open_within(app, work, id, new).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.is(&Refusal::AlreadyOpened) => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn uuid(text: &str) -> Result<Option<Uuid>> {
    optional_uuid(text).map_err(|fault| Error::internal("an id of a message", fault))
}
