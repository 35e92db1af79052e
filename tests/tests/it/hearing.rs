//! Every event that a service hears, in each state of what it keeps: what comes of it stands in the table of `proto/README.md`.

use std::{collections::BTreeSet, env, fs};

use futures::future::BoxFuture;
use steward_chassis::Service;
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_e2e::hearing::{
    Fields, Kept, Known, Listener, NOT_THERE, State,
    Way::{self, Does, Hears},
    some_id,
};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_notification::Notification;
use steward_testkit::{Kit, with};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/README.md");
const BEGIN: &str = "<!-- what listeners do: made by tests/tests/it/hearing.rs -->\n";
const END: &str = "<!-- end -->\n";

/// Reference data: it has no states, and says nothing of a case.
const REFERENCE: &[&str] =
    &["estate-registered.v1", "staff-registered.v1", "file-stored.v1", "department-registered.v1"];

const OPEN: &str =
    r#"{"kind": "{kind}", "words": "修", "channel": "app", "estate_id": "{estate_id}", "unit_id": "{unit_id}"}"#;
const OPENED: Way = Does(Role::Owner, "/v1/cases", OPEN);
const STATUS: &str = "SELECT status FROM intake_case WHERE case_id = '{case_id}'";

const CASE_OF_COMPLAINT: Kept = Kept {
    name: "the case of a complaint",
    kind: "complaint",
    state: STATUS,
    ids: &[],
    beside: &[],
    states: &[
        ("received", &[OPENED]),
        ("in_progress", &[OPENED, Hears("ComplaintAcknowledged", &[])]),
        ("awaiting_owner", &[OPENED, Hears("ComplaintAcknowledged", &[]), Hears("ComplaintAwaitingOwner", &[])]),
        ("resolved", &[OPENED, Hears("ComplaintAcknowledged", &[]), Hears("ComplaintDecided", &[])]),
        (
            "closed",
            &[
                OPENED,
                Hears("ComplaintDecided", &[]),
                Hears("ComplaintConfirmed", &[("satisfied", "true")]),
                Hears("ComplaintClosed", &[]),
            ],
        ),
        ("cancelled", &[OPENED, Hears("ComplaintWithdrawn", &[])]),
    ],
    events: &[
        ("ComplaintAcknowledged", &[]),
        ("ComplaintAssessed", &[("category", "service.quality")]),
        ("ComplaintAssessed", &[("stage", "investigating")]),
        ("ComplaintConsulted", &[]),
        ("ConsultationAnswered", &[]),
        ("ComplaintPlanned", &[]),
        ("ComplaintAwaitingOwner", &[]),
        ("ComplaintResumed", &[]),
        ("ComplaintDecided", &[]),
        ("ComplaintDecided", &[("open_remedies", "1")]),
        ("RemedyCompleted", &[("open_remedies", "1")]),
        ("RemedyCompleted", &[]),
        ("CommitmentKept", &[]),
        ("RemedyCalledOff", &[("stage", "remedying"), ("open_remedies", "1"), ("fallen_away", "true")]),
        ("ComplaintWorkResumed", &[("open_remedies", "1")]),
        ("ComplaintCalledBack", &[("result", "reached"), ("over", "true")]),
        ("ComplaintCalledBack", &[("result", "not_reached"), ("over", "true")]),
        ("ComplaintConfirmed", &[("satisfied", "true")]),
        ("ComplaintConfirmed", &[("satisfied", "false")]),
        ("ComplaintClosed", &[]),
        ("ComplaintWithdrawn", &[]),
        ("WorkOrderOpened", &[]),
        ("WorkOrderCompleted", &[]),
        ("WorkOrderCancelled", &[]),
    ],
};

const CONFIRMED: Way = Hears("ServiceRequestConfirmed", &[]);
const DONE: Way = Hears("ServiceRequestStageChanged", &[("stage", "done_reported")]);

const CASE_OF_REQUEST: Kept = Kept {
    name: "the case of a service request",
    kind: "service_request",
    state: STATUS,
    ids: &[],
    beside: &[],
    states: &[
        ("received", &[OPENED]),
        ("in_progress", &[OPENED, CONFIRMED]),
        ("awaiting_owner", &[OPENED, Hears("InfoRequested", &[])]),
        ("resolved", &[OPENED, CONFIRMED, DONE]),
        (
            "closed",
            &[
                OPENED,
                CONFIRMED,
                DONE,
                Hears("ServiceRequestVerified", &[("satisfied", "true")]),
                Hears("ServiceRequestClosed", &[]),
            ],
        ),
        ("cancelled", &[OPENED, Hears("ServiceRequestCancelled", &[("by", "owner")])]),
    ],
    events: &[
        ("ServiceRequestConfirmed", &[]),
        ("AppointmentSet", &[("from_ms", "{later_ms}"), ("to_ms", "{latest_ms}")]),
        ("InfoRequested", &[]),
        ("InfoProvided", &[]),
        ("ServiceRequestStageChanged", &[("stage", "received")]),
        ("ServiceRequestStageChanged", &[("stage", "confirmed")]),
        ("ServiceRequestStageChanged", &[("stage", "routed")]),
        ("ServiceRequestStageChanged", &[("stage", "in_work")]),
        ("ServiceRequestStageChanged", &[("stage", "done_reported")]),
        ("ServiceRequestDeclined", &[]),
        ("ServiceRequestCancelled", &[("by", "owner")]),
        ("ServiceRequestVerified", &[("satisfied", "true")]),
        ("ServiceRequestVerified", &[("satisfied", "false"), ("stage", "in_work")]),
        ("ServiceRequestClosed", &[]),
        ("FurtherNeedRaised", &[("words", "阳台的灯也不亮了")]),
        ("WorkOrderOpened", &[("remedy_id", "")]),
        ("WorkOrderAssigned", &[("remedy_id", ""), ("account", "{account}")]),
        ("WorkOrderAccepted", &[("remedy_id", "")]),
        ("WorkOrderReturned", &[("remedy_id", "")]),
        ("WorkOrderTransferred", &[("remedy_id", "")]),
        ("WorkOrderDeparted", &[("remedy_id", "")]),
        ("WorkOrderArrived", &[("remedy_id", "")]),
        ("WorkOrderMadeSafe", &[("remedy_id", "")]),
        ("WorkOrderHeld", &[("remedy_id", ""), ("reason", "parts")]),
        ("WorkOrderResumed", &[("remedy_id", "")]),
        ("WorkOrderCompleted", &[("remedy_id", "")]),
        ("WorkOrderProofMissed", &[("remedy_id", "")]),
        ("WorkOrderProofArrived", &[("remedy_id", "")]),
        ("WorkOrderCancelled", &[("remedy_id", "")]),
    ],
};

const CASE_OF_SUGGESTION: Kept = Kept {
    name: "the case of a suggestion",
    kind: "suggestion",
    state: STATUS,
    ids: &[],
    beside: &[],
    states: &[
        ("received", &[OPENED]),
        ("in_progress", &[OPENED, Hears("SuggestionConsidered", &[])]),
        ("resolved", &[OPENED, Hears("SuggestionConsidered", &[]), Hears("SuggestionAccepted", &[])]),
        ("closed", &[OPENED, Hears("SuggestionDelivered", &[]), Hears("SuggestionConfirmed", &[])]),
        ("cancelled", &[OPENED, Does(Role::Owner, "/v1/cases/{case_id}/cancel", r#"{"reason": "算了"}"#)]),
    ],
    events: &[
        ("SuggestionConsidered", &[]),
        ("SuggestionAccepted", &[]),
        ("SuggestionDeclined", &[]),
        ("SuggestionDeferred", &[]),
        ("SuggestionPlanned", &[]),
        ("SuggestionDelivered", &[]),
        ("SuggestionConfirmed", &[]),
        ("SuggestionReopened", &[]),
        ("SuggestionWithdrawn", &[]),
        ("SurveyInvited", &[]),
        ("SurveyAnswered", &[("outcome", "2"), ("handling", "2"), ("courtesy", "2")]),
    ],
};

const HANDED_OVER: Way = Hears("ComplaintReceived", RECEIPT);
const RECEIPT: Fields = &[("category", "service.quality"), ("words", "修"), ("time_zone", "Asia/Shanghai")];
const ACKNOWLEDGED: Way = Does(Role::Handler, "/v1/complaints/{case_id}/acknowledge", "{}");
const ASSESSED: Way =
    Does(Role::Handler, "/v1/complaints/{case_id}/assess", r#"{"severity": "high", "points": [{"text": "漏水"}]}"#);
const REMEDY: Way =
    Does(Role::Handler, "/v1/complaints/{case_id}/remedy", r#"{"department": "engineering", "summary": "修"}"#);
const PLANNED: Way = Does(
    Role::Handler,
    "/v1/complaints/{case_id}/plan",
    r#"{"text": "明天", "departments": ["engineering"], "told_owner_via": "phone"}"#,
);
const DECIDED: Way = Does(
    Role::Handler,
    "/v1/complaints/{case_id}/decide",
    r#"{"points": [{"point_id": "{point_id}", "outcome": "upheld", "reason": "属实"}]}"#,
);
const SATISFIED: Way = Does(Role::Owner, "/v1/complaints/{case_id}/confirm", r#"{"satisfied": true}"#);

const COMPLAINT_WITH_REMEDY: &[State] = &[
    ("assessed", &[HANDED_OVER, ACKNOWLEDGED, ASSESSED, REMEDY]),
    (
        "awaiting_owner",
        &[
            HANDED_OVER,
            ACKNOWLEDGED,
            ASSESSED,
            REMEDY,
            Does(Role::Handler, "/v1/complaints/{case_id}/await-owner", r#"{"reason": "等照片"}"#),
        ],
    ),
    ("proposed", &[HANDED_OVER, ACKNOWLEDGED, ASSESSED, REMEDY, PLANNED]),
    ("remedying", &[HANDED_OVER, ACKNOWLEDGED, ASSESSED, REMEDY, PLANNED, DECIDED]),
    ("decided", &[HANDED_OVER, ACKNOWLEDGED, ASSESSED, REMEDY, PLANNED, Hears("WorkOrderCompleted", &[]), DECIDED]),
    (
        "closed",
        &[HANDED_OVER, ACKNOWLEDGED, ASSESSED, REMEDY, PLANNED, Hears("WorkOrderCompleted", &[]), DECIDED, SATISFIED],
    ),
    (
        "withdrawn",
        &[
            HANDED_OVER,
            ACKNOWLEDGED,
            ASSESSED,
            REMEDY,
            Does(Role::Owner, "/v1/complaints/{case_id}/withdraw", r#"{"reason": "算了"}"#),
        ],
    ),
];

const COMPLAINT: Kept = Kept {
    name: "the complaint",
    kind: "complaint",
    state: "SELECT stage FROM complaint WHERE case_id = '{case_id}'",
    ids: &[],
    beside: &[],
    states: &[
        (NOT_THERE, &[]),
        ("received", &[HANDED_OVER]),
        ("acknowledged", &[HANDED_OVER, ACKNOWLEDGED]),
        COMPLAINT_WITH_REMEDY[0],
        COMPLAINT_WITH_REMEDY[1],
        COMPLAINT_WITH_REMEDY[2],
        COMPLAINT_WITH_REMEDY[3],
        COMPLAINT_WITH_REMEDY[4],
        COMPLAINT_WITH_REMEDY[5],
        COMPLAINT_WITH_REMEDY[6],
    ],
    events: &[
        ("ComplaintReceived", RECEIPT),
        ("CasePrioritised", &[("priority", "P1")]),
        ("CaseCancelled", &[]),
        ("AccountablePersonChanged", &[("account", "{account}")]),
    ],
};

const REMEDY_OF_COMPLAINT: Kept = Kept {
    name: "the complaint that has a remedy",
    kind: "complaint",
    state: COMPLAINT.state,
    ids: &[],
    beside: &[],
    states: COMPLAINT_WITH_REMEDY,
    events: &[
        ("RemedyRefused", &[("reason", "unknown_department")]),
        ("WorkOrderOpened", &[]),
        ("WorkOrderAssigned", &[("account", "{account}")]),
        ("WorkOrderCompleted", &[]),
        ("WorkOrderCancelled", &[]),
    ],
};

const REQUESTED: Way = Hears("ServiceRequestReceived", RECEIPT);
const REQUEST_CONFIRMED: Way = Does(Role::Handler, "/v1/service-requests/{case_id}/confirm", "{}");
const ORDERED: Way =
    Does(Role::Handler, "/v1/work-orders", r#"{"case_id": "{case_id}", "department": "engineering", "summary": "修"}"#);
const ASSIGNED: Way =
    Does(Role::Supervisor, "/v1/work-orders/{work_order_id}/assign", r#"{"technician_id": "{technician_id}"}"#);
const ACCEPTED: Way = Does(Role::Supervisor, "/v1/work-orders/{work_order_id}/accept", "{}");
const DEPARTED: Way = Does(Role::Supervisor, "/v1/work-orders/{work_order_id}/depart", "{}");
const ARRIVED: Way = Does(Role::Supervisor, "/v1/work-orders/{work_order_id}/arrive", "{}");
const COMPLETED: Way =
    Does(Role::Supervisor, "/v1/work-orders/{work_order_id}/complete", r#"{"note": "好", "file_ids": ["{file_id}"]}"#);

const SERVICE_REQUEST: Kept = Kept {
    name: "the service request",
    kind: "service_request",
    state: "SELECT stage FROM service_request WHERE case_id = '{case_id}'",
    ids: &[],
    beside: &[],
    states: &[
        (NOT_THERE, &[]),
        ("received", &[REQUESTED]),
        (
            "needs_info",
            &[
                REQUESTED,
                Does(Role::Handler, "/v1/service-requests/{case_id}/request-info", r#"{"question": "哪里？"}"#),
            ],
        ),
        ("confirmed", &[REQUESTED, REQUEST_CONFIRMED]),
        ("routed", &[REQUESTED, REQUEST_CONFIRMED, ORDERED]),
        ("in_work", &[REQUESTED, REQUEST_CONFIRMED, ORDERED, ASSIGNED, ACCEPTED]),
        ("done_reported", &[REQUESTED, REQUEST_CONFIRMED, ORDERED, ASSIGNED, ACCEPTED, DEPARTED, ARRIVED, COMPLETED]),
        (
            "closed",
            &[
                REQUESTED,
                REQUEST_CONFIRMED,
                ORDERED,
                ASSIGNED,
                ACCEPTED,
                DEPARTED,
                ARRIVED,
                COMPLETED,
                Does(Role::Owner, "/v1/service-requests/{case_id}/verify", r#"{"satisfied": true}"#),
            ],
        ),
        (
            "declined",
            &[
                REQUESTED,
                Does(
                    Role::Handler,
                    "/v1/service-requests/{case_id}/decline",
                    r#"{"reason": "不归我们", "responsible": "供电局"}"#,
                ),
            ],
        ),
        ("cancelled", &[REQUESTED, Hears("CaseCancelled", &[])]),
    ],
    events: &[
        ("ServiceRequestReceived", RECEIPT),
        ("CasePrioritised", &[("priority", "P1")]),
        ("CaseCancelled", &[]),
        ("AccountablePersonChanged", &[("account", "{account}")]),
    ],
};

const REMEDY_ASKED: Way =
    Hears("RemedyRequested", &[("department", "engineering"), ("summary", "修"), ("category", "service.quality")]);

const REMEDY_ORDER: Kept = Kept {
    name: "the work order of a complaint's remedy",
    kind: "complaint",
    state: "SELECT string_agg(status, ' + ' ORDER BY opened_at) FROM work_order WHERE case_id = '{case_id}'",
    ids: &[],
    beside: &[(
        "whether the complaint is over",
        "SELECT nullif(concat(over, came_back_at), 'f') FROM complaint_end WHERE case_id = '{case_id}'",
    )],
    states: &[
        ("not ordered", &[]),
        ("not ordered, called off", &[Hears("CaseCancelled", &[])]),
        ("open", &[REMEDY_ASKED]),
        ("cancelled", &[REMEDY_ASKED, Hears("ComplaintWithdrawn", &[])]),
    ],
    events: &[
        ("RemedyRequested", &[("department", "engineering"), ("summary", "修"), ("category", "service.quality")]),
        ("ComplaintConfirmed", &[("satisfied", "true")]),
        ("ComplaintConfirmed", &[("satisfied", "false")]),
        ("ComplaintClosed", &[]),
        ("ComplaintWithdrawn", &[]),
        ("CasePrioritised", &[("priority", "P1")]),
        ("CaseCancelled", &[]),
    ],
};

const FACT: &str = "SELECT fact::text FROM case_fact WHERE case_id = '{case_id}'";
const SUMS: &str = "SELECT md5(string_agg(m::text, ',' ORDER BY m::text)) FROM metric_day m";
const SURVEY_STAGE: &str = "SELECT stage FROM survey WHERE case_id = '{case_id}'";
const FIRST_HEARD: Way = Hears("CaseOpened", &[("channel", "app")]);
const RESOLVED: Way = Hears("CaseProgressed", &[("status", "resolved"), ("milestone", "answered"), ("human", "true")]);

const SURVEY: Kept = Kept {
    name: "the survey of a case, and the figures",
    kind: "inquiry",
    state: SURVEY_STAGE,
    ids: &[("survey_id", "SELECT max(survey_id::text) FROM survey WHERE case_id = '{case_id}'")],
    beside: &[("what is known of the case", FACT), ("figures", SUMS)],
    states: &[
        ("not asked", &[FIRST_HEARD]),
        ("sent", &[FIRST_HEARD, RESOLVED]),
        (
            "answered",
            &[FIRST_HEARD, RESOLVED, Does(Role::Owner, "/v1/surveys/{survey_id}/answer", r#"{"outcome": 5}"#)],
        ),
        ("expired", &[FIRST_HEARD, RESOLVED, Hears("CaseCancelled", &[])]),
        ("suppressed", &[FIRST_HEARD, RESOLVED, Hears("MessageSuppressed", &[("reason", "opted_out")])]),
    ],
    events: &[
        ("CaseOpened", &[("channel", "app")]),
        ("CaseProgressed", &[("status", "in_progress"), ("milestone", "acknowledged"), ("human", "true")]),
        ("CaseProgressed", &[("status", "resolved"), ("milestone", "answered"), ("human", "true")]),
        ("CaseProgressed", &[("status", "in_progress"), ("milestone", "reopened"), ("human", "false")]),
        ("CaseProgressed", &[("status", "closed"), ("milestone", "closed"), ("human", "false")]),
        ("CaseCancelled", &[]),
        ("CasePrioritised", &[("priority", "P1")]),
        ("ComplaintConfirmed", &[("satisfied", "true")]),
        ("ServiceRequestVerified", &[("satisfied", "true")]),
        ("MessageSuppressed", &[("reason", "opted_out")]),
        ("ClockBreached", &[("measure", "finish"), ("party", "company")]),
        ("ClockStopped", &[("measure", "finish"), ("party", "company"), ("outcome", "met")]),
        ("EscalationRaised", &[("cause", "share"), ("level", "lead")]),
        ("EscalationAcknowledged", &[]),
        ("PromiseMade", &[("what", "commitment")]),
        ("PromiseEnded", &[("what", "commitment"), ("outcome", "kept")]),
    ],
};

const SUGGESTED: Way = Hears("SuggestionReceived", RECEIPT);
const CONSIDERED: Way = Does(Role::Handler, "/v1/suggestions/{case_id}/consider", "{}");
const SAID_YES: Way = Does(Role::Manager, "/v1/suggestions/{case_id}/accept", r#"{"reason": "好"}"#);
const PLANS: Way = Does(Role::Manager, "/v1/suggestions/{case_id}/plan", r#"{"text": "下月"}"#);
const DELIVERED: Way = Does(Role::Manager, "/v1/suggestions/{case_id}/deliver", r#"{"proof": "照片"}"#);

const SUGGESTION: Kept = Kept {
    name: "the suggestion",
    kind: "suggestion",
    state: "SELECT stage FROM suggestion WHERE case_id = '{case_id}'",
    ids: &[],
    beside: &[],
    states: &[
        (NOT_THERE, &[]),
        ("received", &[SUGGESTED]),
        ("considered", &[SUGGESTED, CONSIDERED]),
        (
            "later",
            &[SUGGESTED, CONSIDERED, Does(Role::Manager, "/v1/suggestions/{case_id}/later", r#"{"reason": "明年"}"#)],
        ),
        ("accepted", &[SUGGESTED, CONSIDERED, SAID_YES]),
        ("planned", &[SUGGESTED, CONSIDERED, SAID_YES, PLANS]),
        ("delivered", &[SUGGESTED, CONSIDERED, SAID_YES, PLANS, DELIVERED]),
        (
            "confirmed",
            &[
                SUGGESTED,
                CONSIDERED,
                SAID_YES,
                PLANS,
                DELIVERED,
                Does(Role::Owner, "/v1/suggestions/{case_id}/confirm", "{}"),
            ],
        ),
        (
            "declined",
            &[
                SUGGESTED,
                CONSIDERED,
                Does(Role::Manager, "/v1/suggestions/{case_id}/decline", r#"{"reason": "没有地方"}"#),
            ],
        ),
        ("withdrawn", &[SUGGESTED, Hears("CaseCancelled", &[])]),
    ],
    events: &[("SuggestionReceived", RECEIPT), ("CaseCancelled", &[]), ("CasePrioritised", &[("priority", "P1")])],
};

const TOLD: Way = Hears("CaseOpened", &[("channel", "app")]);
const TASK: Fields = &[("what", "work_order_open"), ("accounts", "{account}")];
const ESCALATION: Fields = &[("cause", "share"), ("level", "lead"), ("accounts", "{account}"), ("measure", "finish")];
const RISK: Fields = &[("what", "commitment"), ("accounts", "{account}")];

const CALLED_OFF: Way = Hears("CaseCancelled", &[]);
const CLOSED: Way = Hears("CaseProgressed", &[("status", "closed"), ("milestone", "closed"), ("human", "false")]);
const CAME_BACK: Way = Hears("CaseProgressed", REOPENED);
const REOPENED: Fields = &[("status", "in_progress"), ("milestone", "reopened"), ("human", "false")];

const NOTIFICATION: Kept = Kept {
    name: "messages of a case and alerts of it",
    kind: "inquiry",
    state: "",
    ids: &[],
    beside: &[
        ("alerts", "SELECT string_agg(a::text, ',' ORDER BY a::text) FROM alert a WHERE case_id = '{case_id}'"),
        ("kept back", "SELECT count(*) FROM kept_alert WHERE case_id = '{case_id}'"),
    ],
    states: &[
        (NOT_THERE, &[]),
        ("the case is open", &[TOLD]),
        (
            "alerts wait",
            &[TOLD, Hears("TaskGiven", TASK), Hears("EscalationRaised", ESCALATION), Hears("PromiseAtRisk", RISK)],
        ),
        ("the case is closed", &[TOLD, CLOSED]),
        ("the case is called off", &[TOLD, CALLED_OFF]),
        ("it has come back", &[TOLD, CALLED_OFF, CAME_BACK]),
    ],
    events: &[
        ("CaseOpened", &[("channel", "app")]),
        (
            "CaseProgressed",
            &[("status", "resolved"), ("milestone", "answered"), ("stage", "answered"), ("human", "true")],
        ),
        ("CaseProgressed", REOPENED),
        ("CaseProgressed", &[("status", "closed"), ("milestone", "work_done"), ("stage", "closed"), ("human", "true")]),
        ("CaseProgressed", &[("status", "closed"), ("milestone", "closed"), ("stage", "closed"), ("human", "false")]),
        ("CaseCancelled", &[]),
        ("ObjectionDecided", &[("upheld", "true")]),
        ("EscalationRaised", ESCALATION),
        ("EscalationRaised", &[("cause", "promise"), ("level", "lead"), ("accounts", "{account}"), ("clock_id", "")]),
        ("EscalationAcknowledged", &[]),
        ("LadderEnded", &[("escalation_ids", "{escalation_id}")]),
        ("PromiseAtRisk", RISK),
        ("PromiseAtRisk", &[("what", "appointment"), ("accounts", "{account}")]),
        ("PromiseEnded", &[("what", "commitment"), ("outcome", "kept")]),
        ("HandOverOffered", &[("to_account", "{account}")]),
        ("HandOverEnded", &[("from_account", "{account}"), ("outcome", "refused")]),
        ("TaskGiven", TASK),
        ("TaskGiven", &[("what", "accountable"), ("accounts", "{account}"), ("work_order_id", "")]),
        ("TaskGiven", &[("what", "low_rating"), ("accounts", "{account}"), ("work_order_id", "")]),
        ("TaskGiven", &[("what", "objection"), ("accounts", "{account}"), ("work_order_id", "")]),
        ("TaskEnded", &[]),
        ("ClockStopped", &[("measure", "finish"), ("party", "company"), ("outcome", "met")]),
        ("AccountablePersonChanged", &[("account", "{account}")]),
        ("SurveyInvited", &[]),
    ],
};

/// The events that a service hears.
fn heard<S: Service>() -> BTreeSet<String> {
    S::consumers().iter().flat_map(|consumer| consumer.events().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Each event that it hears is tried, and none besides.
fn all_are_tried<S: Service>(kept: &[&Kept]) {
    let events = kept.iter().flat_map(|kept| kept.events.iter().map(|(event, _)| *event));
    let contracts =
        events.map(|event| steward_proto::ALL.iter().find(|contract| contract.message == event).expect(event));
    let tried: BTreeSet<String> = contracts
        .map(|contract| {
            let receiver = contract.receiver.map(|receiver| format!(".{receiver}")).unwrap_or_default();
            format!("{}.v{}{receiver}", contract.name, contract.version)
        })
        .collect();
    let beside_reference = heard::<S>().into_iter().filter(|event| !REFERENCE.contains(&event.as_str()));
    assert_eq!(tried, beside_reference.collect(), "{}: what is tried, and what is heard", S::NAME);
}

/// The tables of a service.
async fn tables<S: Service>(
    kept: &[&Kept],
    prepare: for<'k> fn(&'k Kit, &'k mut Known) -> BoxFuture<'k, ()>,
) -> String {
    all_are_tried::<S>(kept);
    let mut tables = String::new();
    let written = &mut tables;
    with::<S>(async |kit| {
        let mut known = common(kit.clock.now().timestamp_millis());
        prepare(&kit, &mut known).await;
        let listener = Listener::new(&kit, S::NAME, known);
        for kept in kept {
            *written += &(listener.table(kept).await + "\n");
        }
    })
    .await;
    tables
}

/// What stands in events where nothing else is said.
fn common(now: i64) -> Known {
    let hour = 3_600_000;
    let times = [
        ("at_ms", now),
        ("opened_at_ms", now),
        ("said_at_ms", now),
        ("made_at_ms", now),
        ("later_ms", now + hour),
        ("latest_ms", now + 2 * hour),
        ("due_at_ms", now + 2 * hour),
        ("lapses_at_ms", now + 2 * hour),
    ];
    let words = [
        ("account", "desk-1"),
        ("department", "engineering"),
        ("category", "parking.service"),
        ("reference", "Q-261130-0000000"),
        ("language", "zh-Hans"),
        ("priority", "P2"),
        ("time_zone", "Asia/Shanghai"),
        ("episode", "1"),
    ];
    let ids = ["estate_id", "unit_id", "resident_id"].map(|name| (name, some_id()));
    let times = times.map(|(name, time)| (name, time.to_string()));
    let words = words.map(|(name, word)| (name, word.to_owned()));
    times.into_iter().chain(words).chain(ids).collect()
}

fn nothing<'k>(_: &'k Kit, _: &'k mut Known) -> BoxFuture<'k, ()> {
    Box::pin(async {})
}

/// The register of intake, as cases need it.
fn register<'k>(kit: &'k Kit, known: &'k mut Known) -> BoxFuture<'k, ()> {
    const ESTATES: &str = "estate_code,estate_name,region,building,unit,floor,area_m2\nYX,御溪花园,华南,1,101,1,89.5\n";
    const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,unit,role,since_on\nR1,林一,13800000001,YX,1,101,业主,2020-01-01\n";
    Box::pin(async {
        let admin = kit.client(Role::Admin);
        let _ = admin.upload("/v1/estates/import", "text/csv", ESTATES.into()).await.ok();
        let _ = admin.upload("/v1/residents/import", "text/csv", RESIDENTS.into()).await.ok();
        let resident = admin.get("/v1/residents").await.ok()["items"][0].clone();
        let unit = &resident["units"][0];
        for (name, value) in [
            ("resident_id", &resident["resident_id"]),
            ("unit_id", &unit["unit_id"]),
            ("estate_id", &unit["estate_id"]),
        ] {
            known.insert(name, value.as_str().unwrap().to_owned());
        }
    })
}

/// The roster of dispatch.
fn roster<'k>(kit: &'k Kit, known: &'k mut Known) -> BoxFuture<'k, ()> {
    const DEPARTMENTS: &str = "department_code,name,estate_code\nengineering,工程部,全部\n";
    const TECHNICIANS: &str =
        "technician_code,name,account,department_code,skills,estate_code\nT1,赵师傅,tech-1,engineering,水电,全部\n";
    Box::pin(async {
        let admin = kit.client(Role::Admin);
        let _ = admin.upload("/v1/departments/import", "text/csv", DEPARTMENTS.into()).await.ok();
        let _ = admin.upload("/v1/technicians/import", "text/csv", TECHNICIANS.into()).await.ok();
        let technician = admin.get("/v1/technicians").await.ok()["items"][0]["technician_id"].clone();
        known.insert("technician_id", technician.as_str().unwrap().to_owned());
    })
}

/// The events that nobody hears, besides whoever reads the stream from outside.
fn unheard() -> String {
    let all = [
        heard::<Intake>(),
        heard::<Complaint>(),
        heard::<Dispatch>(),
        heard::<Notification>(),
        heard::<FeedbackAnalytics>(),
    ];
    let unheard = steward_proto::ALL.iter().filter(|contract| {
        let begins = format!("{}.v{}", contract.name, contract.version);
        !all.iter().flatten().any(|event| event.starts_with(&begins))
    });
    let unheard: Vec<_> = unheard.map(|contract| format!("`{}.{}`", contract.service, contract.name)).collect();
    format!("No service hears {}.\n", unheard.join(", "))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_listeners_do_with_every_event_in_every_state_is_what_the_readme_says() {
    let intake = tables::<Intake>(&[&CASE_OF_COMPLAINT, &CASE_OF_REQUEST, &CASE_OF_SUGGESTION], register).await;
    let complaint = tables::<Complaint>(&[&COMPLAINT, &REMEDY_OF_COMPLAINT], nothing).await;
    let dispatch = tables::<Dispatch>(&[&SERVICE_REQUEST, &REMEDY_ORDER], roster).await;
    let notification = tables::<Notification>(&[&NOTIFICATION], nothing).await;
    let feedback = tables::<FeedbackAnalytics>(&[&SURVEY, &SUGGESTION], nothing).await;
    let tables = [intake, complaint, dispatch, notification, feedback, unheard()].concat();
    assert!(!tables.contains("**parked**"), "{tables}");
    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if shown != tables && env::var_os("GOLDEN").is_some() && env::var_os("CI").is_none() {
        fs::write(README, [before, BEGIN, &tables, END, after].concat()).unwrap();
        return;
    }
    assert!(shown == tables, "proto/README.md says something else; GOLDEN=overwrite writes it:\n{tables}");
}
