//! Who hears of what: every public event of every service, whom it makes responsible, how they are told, and when that is
//! withdrawn. The table in the README is made of it; a test compares it with the contracts and with every command of the
//! API, so that neither is forgotten.
//!
//! Most of what staff are told is decided by intake, which knows who answers for a case, who leads a department and who is
//! away: it hears the other services and tells the result as a task. So the events stand here by what they mean, not by
//! the way they take.

use super::{AlertCause as C, Template as T};

/// As what somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// A message to the resident whose case it is.
    Message(T),
    /// An alert in a digest to one of the company's people.
    Alert(C),
}

/// When somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At any hour.
    AtOnce,
    /// In the hours of the estate or department; P1 and P2 at any hour.
    Hours,
}

/// Whom an event makes responsible, or tells what became of their matter.
#[derive(Debug, Clone, Copy)]
pub struct Hearing {
    /// Who.
    pub who: &'static str,
    /// As what.
    pub told: As,
    /// When.
    pub when: When,
    /// What withdraws it, or settles it.
    pub until: &'static str,
}

/// What comes of an event.
#[derive(Debug, Clone, Copy)]
pub enum Tells {
    /// These are told.
    These(&'static [Hearing]),
    /// Nobody, because.
    Nobody(&'static str),
}

const OWNER: &str = "the resident of the case";
const ACCOUNTABLE: &str = "who answers for the case";
const LEAD: &str = "the lead of the department";
const TECHNICIAN: &str = "the technician";
const STAYS: &str = "stays";
const READ: &str = "read";
const NEXT: &str = "the next step of the case";

const fn message(template: T) -> Hearing {
    Hearing { who: OWNER, told: As::Message(template), when: When::AtOnce, until: STAYS }
}

/// Instead of what the owner is told of the own word.
const fn taken_down() -> Hearing {
    let who = "the resident of the case, when staff took the word down";
    Hearing { who, told: As::Message(T::TakenDown), when: When::AtOnce, until: STAYS }
}

const fn alert(who: &'static str, cause: C, until: &'static str) -> Hearing {
    Hearing { who, told: As::Alert(cause), when: When::Hours, until }
}

const fn alert_at_once(who: &'static str, cause: C, until: &'static str) -> Hearing {
    Hearing { who, told: As::Alert(cause), when: When::AtOnce, until }
}

const SETTLES: &str = "it withdraws what was told";
const REGISTER: &str = "reference data of the register";
const DIRECTED: &str = "what it tells stands at `intake.case-opened`";
const OWN_DOING: &str = "the owner did it or is told by the technician's next step";
const LADDER: &str = "`intake.escalation-raised` tells it";

/// Every public event, and what comes of it.
pub const EVENTS: &[(&str, Tells)] = &[
    ("intake.estate-registered", Tells::Nobody(REGISTER)),
    ("intake.case-opened", Tells::These(&[message(T::Received)])),
    ("intake.case-progressed", Tells::Nobody("it carries the steps of the other services; they stand there")),
    ("intake.case-cancelled", Tells::These(&[message(T::Cancelled), taken_down()])),
    ("intake.case-linked", Tells::Nobody("nothing is to be done about it")),
    ("intake.complaint-received", Tells::Nobody(DIRECTED)),
    ("intake.service-request-received", Tells::Nobody(DIRECTED)),
    ("intake.suggestion-received", Tells::Nobody(DIRECTED)),
    ("intake.file-stored", Tells::Nobody("what it belongs to tells of it")),
    ("intake.visit-finished", Tells::Nobody("those who wait stand at the desk")),
    (
        "intake.case-prioritised",
        Tells::These(&[alert(
            "who answers for the case, the technicians who have its work orders; when it becomes P1 or P2",
            C::MoreUrgent,
            READ,
        )]),
    ),
    ("intake.clock-stopped", Tells::Nobody(SETTLES)),
    ("intake.clock-breached", Tells::Nobody(LADDER)),
    (
        "intake.escalation-raised",
        Tells::These(&[
            alert("the level of the ladder", C::Unowned, "acknowledged, somebody has it"),
            alert("the level of the ladder", C::Returned, "acknowledged, somebody has it"),
            alert("the level of the ladder", C::LongPaused, "acknowledged, the case is over"),
            alert("the level of the ladder", C::Reopened, "acknowledged, there is an answer again"),
            alert("the lead of the estate", C::LateEntry, "acknowledged, the case is over"),
            alert("the level of the ladder", C::Share, "acknowledged, the clock has stopped"),
            alert(
                "the level of the ladder",
                C::Promise,
                "acknowledged; the case is over, unless a decision committed to it",
            ),
            alert("the level of the ladder", C::Other, "acknowledged, the case is over"),
        ]),
    ),
    ("intake.escalation-acknowledged", Tells::Nobody(SETTLES)),
    (
        "intake.accountable-person-changed",
        Tells::These(&[alert(
            "who answers now, unless they received the case or took it over themselves",
            C::Accountable,
            NEXT,
        )]),
    ),
    (
        "intake.hand-over-offered",
        Tells::These(&[alert("who is asked", C::HandOverOffered, "accepted, refused, withdrawn, lapsed")]),
    ),
    (
        "intake.hand-over-ended",
        Tells::These(&[
            alert("who asked, who answers for the case", C::HandOverRefused, READ),
            alert("who asked, who answers for the case", C::HandOverLapsed, READ),
        ]),
    ),
    // Visits are told by `dispatch.appointment-set`, commitments by `complaint.complaint-decided`.
    (
        "intake.promise-made",
        Tells::These(&[message(T::DeadlineExtended), message(T::PromiseMade), message(T::PromiseMoved)]),
    ),
    (
        "intake.promise-at-risk",
        Tells::These(&[alert(
            "who answers for the case, the lead of the team",
            C::PromiseAtRisk,
            "the promise has ended",
        )]),
    ),
    ("intake.promise-ended", Tells::Nobody(SETTLES)),
    ("intake.objection-decided", Tells::These(&[message(T::ObjectionUpheld), message(T::ObjectionRefused)])),
    ("intake.task-given", Tells::Nobody("it carries what the other events make somebody responsible for")),
    ("intake.task-ended", Tells::Nobody(SETTLES)),
    ("intake.ladder-ended", Tells::Nobody(SETTLES)),
    ("intake.staff-registered", Tells::Nobody(REGISTER)),
    ("complaint.complaint-acknowledged", Tells::These(&[message(T::Acknowledged)])),
    ("complaint.complaint-assessed", Tells::Nobody("an inner step")),
    (
        "complaint.complaint-consulted",
        Tells::These(&[alert(LEAD, C::Consultation, "answered, decided, the case is over")]),
    ),
    ("complaint.consultation-answered", Tells::These(&[alert(ACCOUNTABLE, C::ConsultationAnswered, NEXT)])),
    ("complaint.complaint-planned", Tells::These(&[message(T::PlanTold)])),
    ("complaint.complaint-awaiting-owner", Tells::These(&[message(T::AwaitingOwner)])),
    ("complaint.complaint-resumed", Tells::Nobody("whoever resumes it goes on with it")),
    (
        "complaint.complaint-decided",
        Tells::These(&[
            message(T::Decided),
            alert("who answers for the case, from the next day on", C::CallBack, "called back, the owner has spoken"),
        ]),
    ),
    ("complaint.complaint-called-back", Tells::These(&[message(T::FollowedUp)])),
    (
        "complaint.complaint-confirmed",
        Tells::These(&[message(T::Reopened), taken_down(), alert(ACCOUNTABLE, C::NotSatisfied, NEXT)]),
    ),
    ("complaint.complaint-closed", Tells::These(&[message(T::Closed)])),
    ("complaint.complaint-withdrawn", Tells::These(&[message(T::Cancelled), taken_down()])),
    ("complaint.commitment-kept", Tells::Nobody("the promise has ended, and what was told of it with it")),
    ("complaint.remedy-requested", Tells::Nobody("what it tells stands at `dispatch.work-order-opened`")),
    ("complaint.remedy-completed", Tells::These(&[message(T::RemedyDone), alert(ACCOUNTABLE, C::RemedyDone, NEXT)])),
    (
        "complaint.remedy-called-off",
        Tells::These(&[
            message(T::RemedyCalledOff),
            alert(ACCOUNTABLE, C::RemedyFellAway, "ordered again, decided anew, the owner has spoken"),
        ]),
    ),
    ("complaint.complaint-work-resumed", Tells::Nobody("what it tells stands at `dispatch.work-order-opened`")),
    ("dispatch.department-registered", Tells::Nobody(REGISTER)),
    (
        "dispatch.remedy-refused",
        Tells::These(&[alert(ACCOUNTABLE, C::RemedyFellAway, "ordered again, decided anew, the owner has spoken")]),
    ),
    ("dispatch.service-request-confirmed", Tells::These(&[message(T::ServiceConfirmed)])),
    (
        "dispatch.appointment-set",
        Tells::These(&[
            message(T::AppointmentSet),
            message(T::AppointmentMoved),
            alert_at_once("the technicians who have its work orders", C::AppointmentMoved, READ),
        ]),
    ),
    ("dispatch.info-requested", Tells::These(&[message(T::InfoRequested)])),
    ("dispatch.info-provided", Tells::These(&[taken_down(), alert(ACCOUNTABLE, C::InfoProvided, NEXT)])),
    ("dispatch.service-request-declined", Tells::These(&[message(T::Declined)])),
    ("dispatch.service-request-cancelled", Tells::These(&[message(T::Cancelled), taken_down()])),
    (
        "dispatch.service-request-verified",
        Tells::These(&[message(T::Rework), taken_down(), alert(ACCOUNTABLE, C::NotSatisfied, NEXT)]),
    ),
    ("dispatch.service-request-closed", Tells::These(&[message(T::Closed)])),
    ("dispatch.service-request-stage-changed", Tells::These(&[message(T::WorkDone)])),
    ("dispatch.further-need-raised", Tells::Nobody("a case comes of it, which tells the rest")),
    ("dispatch.work-order-opened", Tells::These(&[alert(LEAD, C::OrderOpen, "assigned, transferred, cancelled")])),
    (
        "dispatch.work-order-assigned",
        Tells::These(&[
            message(T::TechnicianAssigned),
            alert_at_once(
                TECHNICIAN,
                C::OrderAssigned,
                "accepted, returned, given to somebody else, transferred, completed, cancelled",
            ),
            alert_at_once("the technician who had it before", C::OrderWithdrawn, READ),
        ]),
    ),
    ("dispatch.work-order-accepted", Tells::Nobody(OWN_DOING)),
    (
        "dispatch.work-order-returned",
        Tells::These(&[alert(LEAD, C::Returned, "acknowledged, somebody has accepted it")]),
    ),
    (
        "dispatch.work-order-transferred",
        Tells::These(&[
            alert("the lead of the other department", C::OrderOpen, "assigned, transferred, cancelled"),
            alert_at_once("the technician who had it before", C::OrderWithdrawn, READ),
        ]),
    ),
    ("dispatch.work-order-departed", Tells::These(&[message(T::TechnicianOnTheWay)])),
    ("dispatch.work-order-arrived", Tells::Nobody(OWN_DOING)),
    ("dispatch.work-order-made-safe", Tells::Nobody(OWN_DOING)),
    ("dispatch.work-order-started", Tells::Nobody(OWN_DOING)),
    (
        "dispatch.work-order-held",
        Tells::These(&[
            message(T::OnHold),
            alert(
                "the lead of the department; who answers for the case when there is no way in",
                C::OrderHeld,
                "resumed, returned, transferred, cancelled",
            ),
        ]),
    ),
    ("dispatch.work-order-resumed", Tells::Nobody(SETTLES)),
    ("dispatch.work-order-completed", Tells::Nobody("the service request or complaint tells that it is done")),
    (
        "dispatch.work-order-proof-missed",
        Tells::These(&[alert(LEAD, C::ProofMissed, "what proves the work has arrived")]),
    ),
    ("dispatch.work-order-proof-arrived", Tells::Nobody(SETTLES)),
    ("dispatch.work-order-verified", Tells::Nobody("nothing is left to be done")),
    (
        "dispatch.work-order-cancelled",
        Tells::These(&[
            alert_at_once("the technician who had it", C::OrderWithdrawn, READ),
            alert("who answers for the case, when no other work order is left", C::OrdersCancelled, NEXT),
        ]),
    ),
    ("notification.message-created", Tells::Nobody("it is the message")),
    ("notification.message-suppressed", Tells::Nobody("staff see it with its reason in the list of messages")),
    ("notification.message-read", Tells::Nobody("its reader knows")),
    (
        "notification.notice-published",
        Tells::Nobody("it stands on the boards; what was told of its approval is withdrawn"),
    ),
    (
        "notification.notice-recalled",
        Tells::These(&[alert_at_once("its author, when somebody else took it back", C::NoticeRecalled, READ)]),
    ),
    ("feedback-analytics.suggestion-considered", Tells::These(&[message(T::Considered)])),
    ("feedback-analytics.suggestion-accepted", Tells::These(&[message(T::Accepted)])),
    ("feedback-analytics.suggestion-declined", Tells::These(&[message(T::SuggestionDeclined)])),
    ("feedback-analytics.suggestion-deferred", Tells::These(&[message(T::Deferred)])),
    ("feedback-analytics.suggestion-planned", Tells::These(&[message(T::Planned)])),
    ("feedback-analytics.suggestion-delivered", Tells::These(&[message(T::Delivered)])),
    ("feedback-analytics.suggestion-confirmed", Tells::Nobody("nothing is left to be done")),
    (
        "feedback-analytics.suggestion-reopened",
        Tells::These(&[message(T::Reopened), alert(ACCOUNTABLE, C::NotSatisfied, NEXT)]),
    ),
    ("feedback-analytics.suggestion-withdrawn", Tells::Nobody("what it tells stands at `intake.case-cancelled`")),
    ("feedback-analytics.survey-invited", Tells::These(&[message(T::SurveyInvited)])),
    (
        "feedback-analytics.survey-answered",
        Tells::These(&[alert("the lead of the estate, when a score is 1 or 2", C::LowRating, READ)]),
    ),
    ("feedback-analytics.survey-expired", Tells::Nobody("nobody is to do anything about it")),
];

/// What this service tells of its own, and intake of inquiries and objections, without a public event in between.
pub const OWN: &[(&str, Tells)] = &[
    ("inquiry answered", Tells::These(&[message(T::Answered)])),
    ("inquiry's call-back due", Tells::These(&[alert(ACCOUNTABLE, C::CallBack, NEXT)])),
    ("inquiry followed up", Tells::These(&[message(T::FollowedUp)])),
    (
        "inquiry reopened",
        Tells::These(&[message(T::Reopened), taken_down(), alert(ACCOUNTABLE, C::NotSatisfied, NEXT)]),
    ),
    ("inquiry closed", Tells::These(&[message(T::Closed), taken_down()])),
    (
        "pause contested",
        Tells::These(&[
            taken_down(),
            alert("the next above who does not answer for the case", C::Objection, "decided, the case is over"),
        ]),
    ),
    (
        "preference set by staff",
        Tells::These(&[Hearing {
            who: "the resident, whatever is set",
            told: As::Message(T::PreferenceTakenDown),
            when: When::AtOnce,
            until: STAYS,
        }]),
    ),
    (
        "notice submitted",
        Tells::These(&[alert_at_once(
            "who may approve it for all its estates, but its author",
            C::NoticeInReview,
            "approved, taken back",
        )]),
    ),
    (
        "notice approved",
        Tells::These(&[alert_at_once(
            "its author; who may approve it for all its estates, when the author has left",
            C::NoticeApproved,
            "published, taken back",
        )]),
    ),
];

/// The commands of the API by which somebody hears of something, and the events or rows of [`OWN`] that tell it.
pub const COMMANDS: &[(&str, &[&str])] = &[
    ("accept_case", &["intake.hand-over-ended", "intake.accountable-person-changed"]),
    ("accept_suggestion", &["feedback-analytics.suggestion-accepted"]),
    ("accept_work_order", &["dispatch.work-order-accepted"]),
    ("acknowledge_complaint", &["complaint.complaint-acknowledged"]),
    ("acknowledge_escalation", &["intake.escalation-acknowledged"]),
    ("answer_consultation", &["complaint.consultation-answered"]),
    ("answer_inquiry", &["inquiry answered"]),
    ("answer_survey", &["feedback-analytics.survey-answered"]),
    ("appoint_service_request", &["dispatch.appointment-set"]),
    ("approve_notice", &["notice approved"]),
    ("arrive_at_work_order", &["dispatch.work-order-arrived"]),
    ("assess_complaint", &["complaint.complaint-assessed"]),
    ("assign_work_order", &["dispatch.work-order-assigned"]),
    ("await_owner_of_complaint", &["complaint.complaint-awaiting-owner"]),
    ("cancel_case", &["intake.case-cancelled", "dispatch.work-order-cancelled"]),
    ("cancel_service_request", &["dispatch.service-request-cancelled", "dispatch.work-order-cancelled"]),
    ("cancel_work_order", &["dispatch.work-order-cancelled", "complaint.remedy-called-off"]),
    ("close_inquiry", &["inquiry closed"]),
    (
        "complete_work_order",
        &["dispatch.work-order-completed", "dispatch.service-request-stage-changed", "complaint.remedy-completed"],
    ),
    ("confirm_complaint", &["complaint.complaint-confirmed"]),
    ("confirm_service_request", &["dispatch.service-request-confirmed"]),
    ("confirm_suggestion", &["feedback-analytics.suggestion-confirmed"]),
    ("consider_suggestion", &["feedback-analytics.suggestion-considered"]),
    ("consult_department", &["complaint.complaint-consulted"]),
    ("contest_pause", &["pause contested"]),
    ("decide_complaint", &["complaint.complaint-decided"]),
    ("decide_objection", &["intake.objection-decided"]),
    ("decline_service_request", &["dispatch.service-request-declined"]),
    ("decline_suggestion", &["feedback-analytics.suggestion-declined"]),
    ("defer_suggestion", &["feedback-analytics.suggestion-deferred"]),
    ("deliver_suggestion", &["feedback-analytics.suggestion-delivered"]),
    ("depart_for_work_order", &["dispatch.work-order-departed"]),
    ("extend_deadline", &["intake.promise-made"]),
    ("finish_visit", &["intake.visit-finished"]),
    ("follow_up_complaint", &["complaint.complaint-called-back"]),
    ("follow_up_inquiry", &["inquiry followed up"]),
    ("hand_over_case", &["intake.hand-over-offered"]),
    ("hold_work_order", &["dispatch.work-order-held"]),
    ("import_estates", &["intake.estate-registered"]),
    ("import_staff", &["intake.staff-registered"]),
    ("keep_commitment", &["complaint.commitment-kept"]),
    ("keep_promise", &["intake.promise-ended"]),
    ("leave_visit", &["intake.visit-finished"]),
    ("make_promise", &["intake.promise-made"]),
    ("make_work_order_safe", &["dispatch.work-order-made-safe"]),
    ("move_promise", &["intake.promise-ended", "intake.promise-made"]),
    ("open_case", &["intake.case-opened", "intake.accountable-person-changed"]),
    ("open_work_order", &["dispatch.work-order-opened"]),
    ("plan_complaint", &["complaint.complaint-planned"]),
    ("plan_suggestion", &["feedback-analytics.suggestion-planned"]),
    ("prioritise_case", &["intake.case-prioritised"]),
    ("provide_service_request_info", &["dispatch.info-provided"]),
    ("publish_notice", &["notification.notice-published"]),
    ("read_message", &["notification.message-read"]),
    ("recall_notice", &["notification.notice-recalled"]),
    ("refuse_case", &["intake.hand-over-ended"]),
    ("remedy_complaint", &["complaint.remedy-requested", "complaint.complaint-work-resumed"]),
    ("reopen_inquiry", &["inquiry reopened"]),
    ("reopen_suggestion", &["feedback-analytics.suggestion-reopened"]),
    ("request_service_request_info", &["dispatch.info-requested"]),
    ("resume_complaint", &["complaint.complaint-resumed"]),
    ("resume_work_order", &["dispatch.work-order-resumed"]),
    ("return_work_order", &["dispatch.work-order-returned"]),
    ("set_preference", &["preference set by staff"]),
    ("start_work_order", &["dispatch.work-order-started"]),
    ("store_file", &["intake.file-stored"]),
    ("submit_notice", &["notice submitted"]),
    ("transfer_work_order", &["dispatch.work-order-transferred"]),
    ("verify_service_request", &["dispatch.service-request-verified", "dispatch.further-need-raised"]),
    ("verify_work_order", &["dispatch.work-order-verified"]),
    ("withdraw_complaint", &["complaint.complaint-withdrawn"]),
];

/// The other commands of the API: nobody is told, because.
pub const SILENT_COMMANDS: &[(&str, &str)] = &[
    ("appoint_post", "who appoints somebody tells them; from then on they are told what the post is told"),
    ("call_visit", "those who wait stand at the desk"),
    ("change_skill_of_work_order", "whom it can be given to follows from it"),
    ("create_calendar", "a setting"),
    ("end_absence", "who covers is told nothing more from then on"),
    ("import_articles", "reference data of the register"),
    ("import_departments", "reference data of the register"),
    ("import_residents", "reference data of the register"),
    ("import_shifts", "the roster is put up by who leads"),
    ("import_technicians", "reference data of the register"),
    ("load_public_holidays", "a setting"),
    ("open_visit", "those who wait stand at the desk"),
    ("preview_clock_policy", "it changes nothing"),
    ("publish_clock_policy", "a setting"),
    ("read_digest", "its reader knows"),
    ("rebase_clocks", "who does it sees what comes of it"),
    ("record_absence", "from its beginning on the cover is told what would be told to who is away"),
    ("record_desk_check", "who checks sees to it"),
    ("revise_article", "reference data of the register"),
    ("revise_calendar", "a setting"),
    ("serve_visit", "those who wait stand at the desk"),
    ("vacate_post", "the next above is told from then on"),
    ("write_article", "reference data of the register"),
    ("write_notice", "a draft is its author's"),
];

/// The table of the README.
#[must_use]
pub fn table() -> String {
    let mut lines =
        vec!["| what happens | who is told | as | when | until |".to_owned(), "|---|---|---|---|---|".to_owned()];
    let mut silent = Vec::new();
    for (event, tells) in EVENTS.iter().chain(OWN) {
        match tells {
            Tells::These(hearings) => lines.extend(hearings.iter().map(|hearing| row(event, hearing))),
            Tells::Nobody(why) => silent.push(format!("| {} | {why} |", code(event))),
        }
    }
    lines.extend(["", "Nobody is told of these:", "", "| what happens | because |", "|---|---|"].map(str::to_owned));
    lines.extend(silent);
    lines.join("\n")
}

fn row(event: &str, hearing: &Hearing) -> String {
    let Hearing { who, told, when, until } = hearing;
    let told = match told {
        As::Message(template) => format!("message `{template}`"),
        As::Alert(cause) => format!("alert `{cause}`"),
    };
    let when = match when {
        When::AtOnce => "at once",
        When::Hours => "in hours",
    };
    format!("| {} | {who} | {told} | {when} | {until} |", code(event))
}

/// Events stand as code, other things that happen as words.
fn code(event: &str) -> String {
    if event.contains('.') { format!("`{event}`") } else { event.to_owned() }
}
