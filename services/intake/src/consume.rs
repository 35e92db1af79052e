//! What intake hears: steps of the other services become steps of the owner's case.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use futures::future::BoxFuture;
use steward_chassis::{Error, Result, Work, inbox::Consumer};
use steward_kernel::{
    call_back::CallResult,
    day::HOME,
    ids::{CaseId, EstateId, WorkOrderId},
    message::optional_uuid,
    text::Words,
    vocabulary::{CaseKind, CaseStatus as S, Language},
    word,
};
use steward_proto::{complaint, dispatch, feedback_analytics};
use uuid::Uuid;

use crate::{
    app::App,
    desk,
    domain::{
        FileId,
        case::{Agreed, Case, Command, Effect, Refusal, Step, Window},
        opening::{Answering, NewCase},
        stewardship::{Command as Promised, HeardOfOrder, Refusal as Unkept, WorkStep},
        timeline::{Milestone as M, Party},
    },
    stewardship,
};

/// A step of a work order that its owner is told of, in the words of the timeline and of the stewardship.
macro_rules! told {
    ($milestone:ident, $step:ident) => {
        |app, work, heard| {
            let order = [heard.case_id, heard.work_order_id, heard.department];
            followed(app, work, order, false, Some((M::$milestone, Effect::Told)), WorkStep::$step)
        }
    };
}
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
            // What is assessed anew while it is investigated is investigated still.
            let stage = if heard.stage == "investigating" { "investigating" } else { "assessed" };
            let step = Step::to(M::Assessed, S::InProgress, stage);
            progress(app, work, &heard.case_id, Step { category: Some(heard.category), ..step })
        })
        .on::<pb::ComplaintConsulted, _>(|app, work, heard| Box::pin(consulting(app, work, heard)))
        .on::<pb::ConsultationAnswered, _>(|app, work, heard| Box::pin(consulted(app, work, heard)))
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
            Box::pin(decided(app, work, heard, step))
        })
        .on::<pb::CommitmentKept, _>(|app, work, heard| Box::pin(commitment_kept(app, work, heard)))
        .on::<pb::RemedyCompleted, _>(|app, work, heard| {
            let step = match heard.open_remedies {
                0 => Step::to(M::RemedyDone, S::Resolved, "decided"),
                _ => Step::to(M::RemedyDone, S::InProgress, "remedying"),
            };
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::RemedyCalledOff, _>(|app, work, heard| Box::pin(remedy_called_off(app, work, heard)))
        .on::<pb::ComplaintWorkResumed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::RemedyStarted, S::InProgress, "remedying"))
        })
        .on::<pb::ComplaintCalledBack, _>(|app, work, heard| Box::pin(called_back(app, work, heard)))
        .on::<pb::ComplaintConfirmed, _>(|app, work, heard| {
            let step = if heard.satisfied {
                Step::to(M::Confirmed, S::Resolved, "verified")
            } else {
                Step::to(M::Reopened, S::InProgress, stage_of_return(&heard.stage))
            };
            given(app, work, &heard.case_id, step, [heard.given_how, heard.taken_down_by], heard.given_at_ms)
        })
        .on::<pb::ComplaintClosed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Closed, S::Closed, "closed"))
        })
        .on::<pb::ComplaintWithdrawn, _>(|app, work, heard| {
            // It follows from the case, whose owner may have come back on it before that was called off.
            if heard.called_off {
                return progress(app, work, &heard.case_id, Step::to(M::Cancelled, S::Cancelled, "withdrawn"));
            }
            let step = Step::to(M::Withdrawn, S::Cancelled, "withdrawn");
            given(app, work, &heard.case_id, step, [heard.given_how, heard.taken_down_by], heard.given_at_ms)
        })
}

/// Where a complaint goes on whose owner comes back on it.
fn stage_of_return(stage: &str) -> &'static str {
    match stage {
        "received" => "received",
        "acknowledged" => "acknowledged",
        _ => "investigating",
    }
}

/// What was promised and has fallen away is not done: the case goes on, and somebody has to say how.
async fn remedy_called_off(app: &App, work: &mut Work, heard: complaint::RemedyCalledOff) -> Result<()> {
    let step = match heard.stage.as_str() {
        // Nobody waits for it any more.
        "verified" | "closed" | "withdrawn" => return Ok(()),
        // Nobody was sent: the owner need not know of it, but somebody has to mend it.
        _ if heard.refused => None,
        "decided" | "remedying" => Some(Step::to(M::RemedyCalledOff, S::InProgress, "remedying")),
        _ => Some(Step::news(M::RemedyCalledOff)),
    };
    if let Some(step) = step {
        progress(app, work, &heard.case_id, step).await?;
    }
    if heard.fallen_away || heard.refused {
        stewardship::command(app, work, id("case_id", &heard.case_id)?, &Promised::FallAway).await?;
    }
    Ok(())
}

/// A call that reached nobody is no step of the case; the last one in vain ends the call-back.
async fn called_back(app: &App, work: &mut Work, heard: complaint::ComplaintCalledBack) -> Result<()> {
    match (CallResult::parse(&heard.result), heard.over) {
        (Some(CallResult::Reached), _) => progress(app, work, &heard.case_id, Step::news(M::FollowedUp)).await,
        (_, true) => {
            stewardship::command(app, work, id("case_id", &heard.case_id)?, &Promised::CallInVain).await.map(drop)
        }
        (_, false) => Ok(()),
    }
}

/// Whoever leads the department has to answer.
async fn consulting(app: &App, work: &mut Work, heard: complaint::ComplaintConsulted) -> Result<()> {
    let step = Step::to(M::Consulting, S::InProgress, "investigating");
    progress(app, work, &heard.case_id, step).await?;
    let (case_id, department) = (id("case_id", &heard.case_id)?, heard.department);
    stewardship::command(app, work, case_id, &Promised::Consult { department }).await.map(drop)
}

async fn consulted(app: &App, work: &mut Work, heard: complaint::ConsultationAnswered) -> Result<()> {
    let (case_id, department) = (id("case_id", &heard.case_id)?, heard.department);
    stewardship::command(app, work, case_id, &Promised::Consulted { department }).await.map(drop)
}

async fn rated(app: &App, work: &mut Work, heard: feedback_analytics::SurveyAnswered) -> Result<()> {
    progress(app, work, &heard.case_id, Step::news(M::SurveyAnswered)).await?;
    let scores = vec![heard.outcome, heard.handling, heard.courtesy];
    stewardship::command(app, work, id("case_id", &heard.case_id)?, &Promised::Rated(scores)).await.map(drop)
}

/// What a decision commits to is promised by the end of its day in the estate.
async fn decided(app: &App, work: &mut Work, heard: complaint::ComplaintDecided, step: Step) -> Result<()> {
    progress(app, work, &heard.case_id, step).await?;
    if heard.commitment_ids.is_empty() {
        return Ok(());
    }
    let case_id: CaseId = id("case_id", &heard.case_id)?;
    let estate: EstateId = id("estate_id", &heard.estate_id)?;
    let time_zone = app.places.estate(work.call.tenant(), estate).await?.unwrap_or(HOME);
    let mut commitments = Vec::new();
    for (commitment_id, due_on) in heard.commitment_ids.iter().zip(&heard.commitment_due_on) {
        let day =
            due_on.parse::<NaiveDate>().map_err(|_| Error::internal("message", "commitment_due_on cannot be read"))?;
        commitments.push((id("commitment_id", commitment_id)?, end_of_day(day, time_zone)));
    }
    stewardship::command(app, work, case_id, &Promised::Commit(commitments)).await.map(drop)
}

/// The last second of a local day.
fn end_of_day(day: NaiveDate, time_zone: chrono_tz::Tz) -> DateTime<Utc> {
    let end = day.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default());
    end.and_local_timezone(time_zone).latest().map_or_else(|| end.and_utc(), |end| end.to_utc())
}

async fn commitment_kept(app: &App, work: &mut Work, heard: complaint::CommitmentKept) -> Result<()> {
    let (case_id, promise_id) = (id("case_id", &heard.case_id)?, id("commitment_id", &heard.commitment_id)?);
    match stewardship::command(app, work, case_id, &Promised::KeepCommitment { promise_id }).await {
        // Kept too late, or committed to before promises were counted.
        Err(fault) if fault.is(&Unkept::PromiseOver) || fault.is(&Unkept::NoSuchPromise) => Ok(()),
        other => other.map(drop),
    }
}

fn window(from_ms: i64, to_ms: i64) -> Option<Window> {
    let time = |ms| DateTime::from_timestamp_millis(ms).filter(|_| ms != 0);
    time(from_ms).zip(time(to_ms)).map(|(from, to)| Window { from, to })
}

/// Another time for a visit is another promise, and told with the old one.
async fn appointed(app: &App, work: &mut Work, heard: dispatch::AppointmentSet) -> Result<()> {
    let unreadable = || Error::internal("message", "the window cannot be read");
    let window_agreed = window(heard.from_ms, heard.to_ms).ok_or_else(unreadable)?;
    let previous = window(heard.previous_from_ms, heard.previous_to_ms);
    let milestone = if previous.is_some() { M::AppointmentMoved } else { M::AppointmentSet };
    let agreed = Some(Agreed { window: window_agreed, previous });
    progress(app, work, &heard.case_id, Step { agreed, ..Step::news(milestone) }).await?;
    let case_id = id("case_id", &heard.case_id)?;
    let (from, until) = (Some(window_agreed.from), window_agreed.to);
    stewardship::command(app, work, case_id, &Promised::Appoint { from, until }).await?;
    let technicians = heard.technician_accounts;
    stewardship::command(app, work, case_id, &Promised::TellVisit(technicians)).await.map(drop)
}

/// A window that was agreed with the owner is a promise.
async fn confirmed(app: &App, work: &mut Work, heard: dispatch::ServiceRequestConfirmed) -> Result<()> {
    let agreed = window(heard.appointment_from_ms, heard.appointment_to_ms);
    let agreed = agreed.map(|window| Agreed { window, previous: None });
    let step = Step { agreed, ..Step::to(M::ServiceConfirmed, S::InProgress, "confirmed") };
    progress(app, work, &heard.case_id, step).await?;
    let told = |ms: i64| DateTime::from_timestamp_millis(ms).filter(|_| ms != 0);
    match told(heard.appointment_to_ms) {
        Some(until) => {
            let (case_id, from) = (id("case_id", &heard.case_id)?, told(heard.appointment_from_ms));
            stewardship::command(app, work, case_id, &Promised::Appoint { from, until }).await.map(drop)
        }
        None => Ok(()),
    }
}

fn of_requests() -> Consumer<App> {
    use dispatch as pb;
    let consumer = Consumer::of("dispatch")
        .on::<pb::ServiceRequestConfirmed, _>(|app, work, heard| Box::pin(confirmed(app, work, heard)))
        .on::<pb::AppointmentSet, _>(|app, work, heard| Box::pin(appointed(app, work, heard)))
        .on::<pb::InfoRequested, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::InfoRequested, S::AwaitingOwner, "needs_info"))
        })
        .on::<pb::InfoProvided, _>(|app, work, heard| {
            let step = Step::new(M::InfoProvided, Effect::Resumed);
            given(app, work, &heard.case_id, step, [heard.given_how, heard.taken_down_by], heard.given_at_ms)
        })
        .on::<pb::ServiceRequestDeclined, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Declined, S::Closed, "declined"))
        })
        .on::<pb::ServiceRequestCancelled, _>(|app, work, heard| {
            let step = Step::to(M::Cancelled, S::Cancelled, "cancelled");
            // The company calls off what it was not asked to.
            if heard.by == Party::Owner.as_str() || !heard.given_how.is_empty() {
                return given(
                    app,
                    work,
                    &heard.case_id,
                    step,
                    [heard.given_how, heard.taken_down_by],
                    heard.given_at_ms,
                );
            }
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::ServiceRequestVerified, _>(|app, work, heard| {
            let step = if heard.satisfied {
                Step::to(M::Verified, S::Resolved, "owner_verified")
            } else {
                not_solved(&heard.stage)
            };
            given(app, work, &heard.case_id, step, [heard.given_how, heard.taken_down_by], heard.given_at_ms)
        })
        .on::<pb::ServiceRequestClosed, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Closed, S::Closed, "closed"))
        })
        .on::<pb::ServiceRequestStageChanged, _>(|app, work, heard| match stage_step(&heard.stage) {
            Some(Command::Progress(step)) => progress(app, work, &heard.case_id, step),
            Some(command) => command_of(app, work, &heard.case_id, command),
            None => Box::pin(std::future::ready(Ok(()))),
        })
        .on::<pb::FurtherNeedRaised, _>(|app, work, heard| Box::pin(further_need(app, work, heard)));
    with_work_orders(consumer)
}

/// A request whose owner says that it is not solved: the work is done again, or there was none yet.
fn not_solved(stage: &str) -> Step {
    match stage {
        "received" => Step::to(M::Reopened, S::InProgress, "received"),
        "confirmed" => Step::to(M::Reopened, S::InProgress, "confirmed"),
        _ => Step::to(M::Rework, S::InProgress, "in_work"),
    }
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

/// Work orders tell where the technician is; the case is moved by the service request or complaint they belong to. Their
/// departments have clocks of their own.
fn with_work_orders(consumer: Consumer<App>) -> Consumer<App> {
    use dispatch as pb;
    consumer
        .on::<pb::WorkOrderOpened, _>(|app, work, heard| {
            // The complaint itself tells nobody but dispatch that it wants a remedy.
            let step = (!heard.remedy_id.is_empty()).then_some((M::RemedyStarted, Effect::MoreWork("remedying")));
            let order = [heard.case_id, heard.work_order_id, heard.department];
            followed(app, work, order, heard.contractor, step, WorkStep::Opened)
        })
        .on::<pb::WorkOrderAssigned, _>(|app, work, heard| {
            let technician = Some(heard.account).filter(|account| !account.is_empty());
            let order = [heard.case_id, heard.work_order_id, heard.department];
            let step = Some((M::TechnicianAssigned, Effect::Told));
            followed(app, work, order, false, step, WorkStep::Assigned { technician })
        })
        .on::<pb::WorkOrderReturned, _>(|app, work, heard| {
            let order = [heard.case_id, heard.work_order_id, heard.department];
            followed(app, work, order, false, None, WorkStep::Returned)
        })
        .on::<pb::WorkOrderTransferred, _>(|app, work, heard| {
            let order = [heard.case_id, heard.work_order_id, heard.department];
            followed(app, work, order, heard.contractor, None, WorkStep::Transferred)
        })
        .on::<pb::WorkOrderHeld, _>(|app, work, heard| {
            let evidence = heard.evidence_file_ids.iter().filter_map(|file| file.parse().ok()).collect();
            let order = [heard.case_id, heard.work_order_id, heard.department];
            let held = WorkStep::Held { reason: heard.reason, evidence };
            followed(app, work, order, false, Some((M::OnHold, Effect::Told)), held)
        })
        .on::<pb::WorkOrderDeparted, _>(told!(TechnicianOnTheWay, Departed))
        .on::<pb::WorkOrderAccepted, _>(told!(TechnicianAccepted, Accepted))
        .on::<pb::WorkOrderArrived, _>(told!(TechnicianOnSite, Arrived))
        .on::<pb::WorkOrderMadeSafe, _>(told!(MadeSafe, MadeSafe))
        .on::<pb::WorkOrderResumed, _>(told!(Resumed, Resumed))
        .on::<pb::WorkOrderCompleted, _>(|app, work, heard| Box::pin(completed(app, work, heard)))
        .on::<pb::WorkOrderProofMissed, _>(|app, work, heard| {
            proof(app, work, heard.case_id, (heard.work_order_id, heard.department), false)
        })
        .on::<pb::WorkOrderProofArrived, _>(|app, work, heard| {
            proof(app, work, heard.case_id, (heard.work_order_id, heard.department), true)
        })
        .on::<pb::WorkOrderCancelled, _>(|app, work, heard| {
            let order = [heard.case_id, heard.work_order_id, heard.department];
            followed(app, work, order, false, None, WorkStep::Cancelled)
        })
}

/// The owner of a service request may see what proves that it is done. What a complaint had done may lie in somebody else's home.
async fn completed(app: &App, work: &mut Work, heard: dispatch::WorkOrderCompleted) -> Result<()> {
    let files: Vec<FileId> = heard.file_ids.iter().filter_map(|file| file.parse().ok()).collect();
    if heard.remedy_id.is_empty() && !files.is_empty() {
        command_of(app, work, &heard.case_id, Command::ShowProof { files }).await?;
    }
    let order = [heard.case_id, heard.work_order_id, heard.department];
    followed(app, work, order, false, None, WorkStep::Completed).await
}

/// Whoever leads the department sees to what proves its work.
fn proof<'a>(
    app: &'a App,
    work: &'a mut Work,
    case_id: String,
    (work_order_id, department): (String, String),
    arrived: bool,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let order = (id::<WorkOrderId>("work_order_id", &work_order_id)?, department);
        let case_id = id("case_id", &case_id)?;
        stewardship::command(app, work, case_id, &Promised::Proof { order, arrived }).await.map(drop)
    })
}

/// What became of a work order: its case is told if there is something to tell, its stewardship always.
fn followed<'a>(
    app: &'a App,
    work: &'a mut Work,
    [case_id, work_order_id, department]: [String; 3],
    contractor: bool,
    told: Option<(M, Effect)>,
    step: WorkStep,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let order = id::<WorkOrderId>("work_order_id", &work_order_id)?;
        let (told, effect) = told.unzip();
        let heard = HeardOfOrder { order, department, contractor, step, told };
        stewardship::follow_work(app, work, id("case_id", &case_id)?, heard, effect).await
    })
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
        .on::<pb::SuggestionReopened, _>(|app, work, heard| {
            let step = Step::to(M::Reopened, S::InProgress, "considered").given(None);
            progress(app, work, &heard.case_id, step)
        })
        .on::<pb::SuggestionWithdrawn, _>(|app, work, heard| {
            progress(app, work, &heard.case_id, Step::to(M::Cancelled, S::Cancelled, "withdrawn"))
        })
        .on::<pb::SurveyInvited, _>(|app, work, heard| command_of(app, work, &heard.case_id, Command::AskSatisfaction))
        .on::<pb::SurveyAnswered, _>(|app, work, heard| Box::pin(rated(app, work, heard)))
}

/// The case takes a step that is its owner's word: given by the owner, or taken down by staff.
fn given<'a>(
    app: &'a App,
    work: &'a mut Work,
    case_id: &str,
    step: Step,
    [how, by]: [String; 2],
    given_at_ms: i64,
) -> BoxFuture<'a, Result<()>> {
    match word::heard(&how, given_at_ms, &by) {
        Ok(taken_down) => progress(app, work, case_id, step.given(taken_down)),
        Err(field) => Box::pin(std::future::ready(Err(Error::internal("message", format!("{field} cannot be read"))))),
    }
}

/// The case takes the step, and its stewardship follows.
fn progress<'a>(app: &'a App, work: &'a mut Work, case_id: &str, step: Step) -> BoxFuture<'a, Result<()>> {
    let case_id = case_id.to_owned();
    Box::pin(async move {
        let id = id("case_id", &case_id)?;
        stewardship::progress(app, work, id, &step).await
    })
}

fn id<T: From<Uuid>>(field: &'static str, text: &str) -> Result<T> {
    text.parse::<Uuid>().map(T::from).map_err(|_| Error::internal("message", format!("{field} cannot be read")))
}

fn command_of<'a>(app: &'a App, work: &'a mut Work, case_id: &str, command: Command) -> BoxFuture<'a, Result<()>> {
    let id = id::<CaseId>("case_id", case_id);
    Box::pin(async move {
        let facts = app.facts_of(work);
        work.execute::<Case>(id?, &command, &facts).await?;
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
        language: Answering { asked: Language::parse(&heard.language), register: None, otherwise: opening.language },
        said_at: None,
        source_unit: None,
        urgent: false,
        link_is_for_staff: false,
        time_zone: app.places.estate(work.call.tenant(), opening.estate).await?.unwrap_or(HOME),
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
