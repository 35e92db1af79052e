//! The inspector can see: faults of many kinds are planted into the records of a healthy company, as services would leave them that did the
//! wrong thing, and each is found by its rule.

use chrono::TimeDelta;
use steward_e2e::lives::{
    Life,
    company::with_company,
    deeds::{
        Deed,
        Of::{self, Case, Order, Work},
        Who::{self, Desk, Handler, Manager, Owner, Technician},
    },
    schedule::{Round, Weather},
};

/// Who does what with what, in which way; by round.
type Script = &'static [&'static [(Who, Of, &'static str, u32)]];

const REQUEST: Script = &[
    &[(Owner, Case, "open", 2)],
    &[
        (Handler, Work, "confirm", 1),
        (Handler, Work, "work-orders", 1),
        (Handler, Order(0), "assign", 0),
        (Technician, Order(0), "accept", 0),
    ],
    &[(Technician, Order(0), "depart", 0), (Technician, Order(0), "arrive", 0)],
    &[(Technician, Order(0), "complete", 0)],
];
const COMPLAINT: Script = &[
    &[(Owner, Case, "open", 1)],
    &[
        (Handler, Work, "acknowledge", 1),
        (Handler, Work, "assess", 1),
        (Handler, Work, "plan", 1),
        (Handler, Work, "remedy", 1),
    ],
    &[
        (Handler, Order(0), "assign", 0),
        (Technician, Order(0), "accept", 0),
        (Technician, Order(0), "depart", 0),
        (Technician, Order(0), "arrive", 0),
        (Technician, Order(0), "complete", 0),
    ],
    &[(Handler, Work, "decide", 3)],
    &[(Handler, Work, "keep-commitment", 1)],
];
const SUGGESTION: Script =
    &[&[(Owner, Case, "open", 3)], &[(Manager, Work, "consider", 1), (Manager, Work, "accept", 1)]];
const INQUIRY: Script = &[&[(Owner, Case, "open", 0)], &[(Desk, Work, "answer", 1)], &[(Owner, Work, "close", 0)]];
const WAITING: Script = &[&[(Owner, Case, "open", 2)], &[(Handler, Work, "request-info", 1)]];
const AGREED: Script = &[&[(Owner, Case, "open", 2)], &[(Handler, Work, "confirm", 1)]];
const ORDERED: Script = &[
    &[(Owner, Case, "open", 2)],
    &[(Handler, Work, "confirm", 3), (Handler, Work, "work-orders", 1), (Handler, Order(0), "assign", 0)],
];
const CALLED_OFF: Script =
    &[&[(Owner, Case, "open", 2)], &[(Handler, Work, "confirm", 1)], &[(Owner, Case, "cancel", 0)]];

/// A fault: what it is, what was lived before, what is done to the records of the case `$case`, and the rule that finds it.
type Fault = (&'static str, Script, &'static str, &'static str);

/// Adds an event to a history: service, kind of the thing, its id, the event.
macro_rules! happens {
    ($service:literal, $aggregate:literal, $event:literal) => {
        concat!(
            "INSERT INTO ", $service, ".event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload, hash) \
             SELECT gen_random_uuid(), tenant_id, aggregate, stream_id, version + 1, '", $event, "'::json->>'kind', actor, occurred_at, recorded_at, '", $event, "'::json, hash \
             FROM ", $service, ".event WHERE aggregate = '", $aggregate, "' AND stream_id = $case ORDER BY version DESC LIMIT 1"
        )
    };
}

/// Changes fields of the last event of a kind in a history.
macro_rules! was {
    ($service:literal, $aggregate:literal, $kind:literal, $fields:literal) => {
        concat!(
            "UPDATE ",
            $service,
            ".event SET payload = (payload::jsonb || '",
            $fields,
            "')::json WHERE event_id = ( \
             SELECT event_id FROM ",
            $service,
            ".event WHERE aggregate = '",
            $aggregate,
            "' AND stream_id = $case AND kind = '",
            $kind,
            "' ORDER BY version DESC LIMIT 1)"
        )
    };
}

const FAULTS: &[Fault] = &[
    // Intake.
    (
        "a step is lost",
        REQUEST,
        "DELETE FROM intake.event WHERE aggregate = 'case' AND stream_id = $case AND payload->>'milestone' = 'work_done'",
        "every-step-is-told-once",
    ),
    (
        "a step is told twice",
        REQUEST,
        "INSERT INTO intake.event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload, hash) SELECT gen_random_uuid(), tenant_id, aggregate, stream_id, (SELECT max(version) FROM intake.event WHERE aggregate = 'case' AND stream_id = $case) + 1, kind, actor, occurred_at, recorded_at, payload, hash FROM intake.event WHERE aggregate = 'case' AND stream_id = $case AND payload->>'milestone' = 'work_done'",
        "every-step-is-told-once",
    ),
    (
        "a case closes by itself",
        REQUEST,
        was!("intake", "case", "progressed", r#"{"status": "closed"}"#),
        "status-follows-stage",
    ),
    (
        "a case goes on without a step",
        REQUEST,
        happens!(
            "intake",
            "case",
            r#"{"kind": "moved", "status": "in_progress", "stage": "in_work", "at": "2026-11-30T05:22:41Z"}"#
        ),
        "timeline-ends-where-the-case-is",
    ),
    (
        "the stage lags",
        SUGGESTION,
        happens!(
            "intake",
            "case",
            r#"{"kind": "moved", "status": "resolved", "stage": "considered", "at": "2026-11-30T05:22:41Z"}"#
        ),
        "one-stage",
    ),
    (
        "a row of the list lags",
        WAITING,
        "UPDATE intake.intake_case SET status = 'received' WHERE case_id = $case",
        "lists-and-singles-agree",
    ),
    (
        "urgency stays with the case",
        WAITING,
        happens!(
            "intake",
            "case",
            r#"{"kind": "prioritised", "priority": "P1", "previous": "P3", "reason": "x", "at": "2026-11-30T05:22:41Z"}"#
        ),
        "same-matter",
    ),
    (
        "nobody answers for it",
        WAITING,
        "UPDATE intake.stewardship SET accountable = '' WHERE case_id = $case",
        "somebody-answers",
    ),
    (
        "a clock runs on after the end",
        CALLED_OFF,
        "UPDATE intake.clock SET state = 'running', stopped_at = NULL, data = data - 'stopped_at' WHERE case_id = $case AND measure = 'finish'",
        "nothing-runs-after-the-end",
    ),
    (
        "a clock that was called off counts as met",
        CALLED_OFF,
        "UPDATE intake.clock SET state = 'met' WHERE case_id = $case AND measure = 'finish'",
        "met-by-a-deed",
    ),
    (
        "a clock that was met counts as void",
        REQUEST,
        "UPDATE intake.clock SET state = 'void' WHERE case_id = $case AND party = 'company' AND measure = 'finish'",
        "clocks-replay",
    ),
    (
        "no clock runs",
        AGREED,
        "UPDATE intake.clock SET state = 'void', stopped_at = started_at, data = data || jsonb_build_object('stopped_at', started_at) WHERE case_id = $case",
        "a-clock-or-a-reason",
    ),
    (
        "a wait ends and the clock does not",
        AGREED,
        "UPDATE intake.clock SET state = 'paused', due_at = NULL, data = data || jsonb_build_object('pauses', jsonb_build_array(jsonb_build_object('pause_id', case_id, 'from', started_at + interval '1 minute', 'reason', 'awaiting_owner'))) WHERE case_id = $case AND measure = 'finish' AND party = 'company'",
        "paused-for-a-reason",
    ),
    (
        "a promise outlives its case",
        CALLED_OFF,
        "UPDATE intake.promise SET outcome = NULL, ended_at = NULL WHERE case_id = $case",
        "nothing-runs-after-the-end",
    ),
    (
        "an appointment is kept and nobody came",
        AGREED,
        "UPDATE intake.promise SET outcome = 'kept', ended_at = due_at - interval '1 hour' WHERE case_id = $case",
        "appointments-are-kept-on-the-spot",
    ),
    (
        "a promise is broken before its time",
        REQUEST,
        "UPDATE intake.promise SET outcome = 'broken' WHERE case_id = $case",
        "promises-tell-the-truth",
    ),
    (
        "a reminder outlives its case",
        CALLED_OFF,
        happens!(
            "intake",
            "stewardship",
            r#"{"kind": "scheduled", "schedule": {"next_at": "2027-01-01T00:00:00Z", "clocks": []}}"#
        ),
        "no-reminder-after-the-end",
    ),
    (
        "a ladder outlives its case",
        CALLED_OFF,
        "INSERT INTO intake.escalation (tenant_id, escalation_id, changed_xid, case_id, estate_id, reference, kind, category, priority, measure, cause, standing, level, rung, share, told, raised_at) SELECT tenant_id, gen_random_uuid(), 1, case_id, estate_id, reference, kind, category, priority, '', 'reopened', 4, 'lead', 1, 0, '{lead-1}', opened_at FROM intake.intake_case WHERE case_id = $case",
        "nobody-climbs-after-the-end",
    ),
    (
        "an inquiry comes back and its case does not",
        INQUIRY,
        happens!("intake", "inquiry", r#"{"kind": "reopened", "reason": "x"}"#),
        "status-follows-stage",
    ),
    (
        "an escalation was never raised",
        AGREED,
        "INSERT INTO intake.escalation (tenant_id, escalation_id, changed_xid, case_id, estate_id, reference, kind, category, priority, measure, cause, standing, level, rung, share, told, raised_at) SELECT tenant_id, gen_random_uuid(), 1, case_id, estate_id, reference, kind, category, priority, '', 'reopened', 4, 'lead', 1, 0, '{lead-1}', opened_at FROM intake.intake_case WHERE case_id = $case",
        "escalations-replay",
    ),
    (
        "a clock is lost",
        AGREED,
        "DELETE FROM intake.clock WHERE case_id = $case AND measure = 'arrive'",
        "clocks-replay",
    ),
    (
        "a clock is of another episode",
        AGREED,
        "UPDATE intake.clock SET episode = 2, data = data || '{\"episode\": 2}' WHERE case_id = $case AND measure = 'finish'",
        "clocks-replay",
    ),
    (
        "an answer was no answer",
        INQUIRY,
        "UPDATE intake.event SET kind = 'asked' WHERE aggregate = 'inquiry' AND stream_id = $case AND kind = 'closed'",
        "stages-replay",
    ),
    // Dispatch.
    (
        "work may go on after the end",
        CALLED_OFF,
        happens!("dispatch", "service_request", r#"{"kind": "stage_changed", "stage": "confirmed"}"#),
        "allowed-where-it-stands",
    ),
    (
        "a question cannot be answered",
        WAITING,
        happens!("dispatch", "service_request", r#"{"kind": "stage_changed", "stage": "confirmed"}"#),
        "allowed-where-it-stands",
    ),
    (
        "a request was never confirmed",
        AGREED,
        "UPDATE dispatch.event SET kind = 'appointed' WHERE aggregate = 'service_request' AND stream_id = $case AND kind = 'confirmed'",
        "stages-replay",
    ),
    (
        "an order is called off and its request does not know",
        ORDERED,
        "INSERT INTO dispatch.event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload, hash) SELECT gen_random_uuid(), tenant_id, aggregate, stream_id, version + 1, 'cancelled', actor, occurred_at, recorded_at, '{\"kind\": \"cancelled\", \"reason\": \"x\"}', hash FROM dispatch.event WHERE aggregate = 'work_order' AND stream_id IN (SELECT work_order_id FROM dispatch.work_order WHERE case_id = $case) ORDER BY version DESC LIMIT 1",
        "request-follows-orders",
    ),
    (
        "a request is closed and nobody is told",
        REQUEST,
        happens!("dispatch", "service_request", r#"{"kind": "closed"}"#),
        "status-follows-stage",
    ),
    (
        "an order is less urgent than its case",
        ORDERED,
        "UPDATE dispatch.event SET payload = (payload::jsonb || '{\"priority\": \"P4\"}')::json WHERE kind = 'opened' AND stream_id IN (SELECT work_order_id FROM dispatch.work_order WHERE case_id = $case)",
        "same-matter",
    ),
    (
        "an order is missing on the list of the request",
        ORDERED,
        "DELETE FROM dispatch.event WHERE aggregate = 'service_request' AND kind = 'order_noted' AND stream_id = $case",
        "request-follows-orders",
    ),
    (
        "an order's row says less than its history",
        ORDERED,
        "UPDATE dispatch.work_order SET state = state || '{\"status\": \"open\"}' WHERE case_id = $case",
        "lists-and-singles-agree",
    ),
    (
        "an order outlives its case",
        ORDERED,
        happens!("intake", "case", r#"{"kind": "cancelled", "reason": "x", "by": "owner"}"#),
        "no-order-outlives-its-case",
    ),
    // Complaint.
    (
        "a complaint is withdrawn and nobody is told",
        COMPLAINT,
        happens!("complaint", "complaint", r#"{"kind": "withdrawn", "reason": "x", "called_off": false}"#),
        "status-follows-stage",
    ),
    (
        "a commitment is kept in one book only",
        COMPLAINT,
        "UPDATE intake.promise SET outcome = NULL, ended_at = NULL WHERE case_id = $case",
        "commitments-are-promises",
    ),
    (
        "a remedy loses its order",
        COMPLAINT,
        "DELETE FROM complaint.event WHERE stream_id = $case AND kind IN ('work_order_opened', 'work_order_completed', 'remedy_completed')",
        "remedies-follow-orders",
    ),
    (
        "a plan is told and stands nowhere",
        COMPLAINT,
        "DELETE FROM intake.event WHERE aggregate = 'case' AND stream_id = $case AND payload->>'milestone' = 'plan_told'",
        "every-step-is-told-once",
    ),
    (
        "a decision was no decision",
        COMPLAINT,
        "UPDATE complaint.event SET kind = 'prioritised' WHERE stream_id = $case AND kind = 'decided'",
        "stages-replay",
    ),
    // Notification.
    (
        "a message is read that nobody has read",
        REQUEST,
        "UPDATE notification.message SET state = state || '{\"status\": \"read\"}' WHERE case_id = $case AND state->>'status' = 'delivered'",
        "messages-replay",
    ),
    (
        "a message says something else on the list",
        REQUEST,
        "UPDATE notification.message SET state = jsonb_set(state, '{letter,title}', '\"x\"') WHERE case_id = $case",
        "lists-and-singles-agree",
    ),
    (
        "a message is lost",
        REQUEST,
        "DELETE FROM notification.message WHERE case_id = $case AND state->'letter'->>'template' = 'work_done'",
        "every-message-once",
    ),
    (
        "a message is sent twice",
        REQUEST,
        "INSERT INTO notification.message (tenant_id, message_id, version, case_id, estate_id, resident_id, status, created_at, state, changed_xid) SELECT tenant_id, gen_random_uuid(), version, case_id, estate_id, resident_id, status, created_at, state, changed_xid FROM notification.message WHERE case_id = $case AND state->'letter'->>'template' = 'work_done'",
        "every-message-once",
    ),
    (
        "a message speaks another language",
        REQUEST,
        "UPDATE notification.message SET state = jsonb_set(state, '{letter,language}', '\"en\"') WHERE case_id = $case AND state->'letter'->>'template' = 'work_done'",
        "in-their-language",
    ),
    (
        "a message goes to somebody else",
        REQUEST,
        "UPDATE notification.message SET state = jsonb_set(state, '{letter,resident}', to_jsonb(gen_random_uuid())) WHERE case_id = $case AND state->'letter'->>'template' = 'work_done'",
        "same-matter",
    ),
    (
        "a message is sent after the end",
        CALLED_OFF,
        "INSERT INTO notification.message (tenant_id, message_id, version, case_id, estate_id, resident_id, status, created_at, state, changed_xid) SELECT tenant_id, gen_random_uuid(), version, case_id, estate_id, resident_id, status, created_at, jsonb_set(jsonb_set(state, '{letter,template}', '\"on_hold\"'), '{letter,happened_at}', to_jsonb(created_at + interval '5 days')), changed_xid FROM notification.message WHERE case_id = $case LIMIT 1",
        "no-message-after-the-end",
    ),
    (
        "an alert outlives its case",
        CALLED_OFF,
        "INSERT INTO notification.alert (tenant_id, alert_id, account, digest_id, case_id, cause, rank, matter, created_at, changed_xid) SELECT tenant_id, gen_random_uuid(), 'desk-1', gen_random_uuid(), case_id, 'info_provided', 43, jsonb_build_object('case', case_id, 'reference', reference, 'estate', estate_id, 'happened_at', opened_at), opened_at, 1 FROM intake.intake_case WHERE case_id = $case",
        "no-alert-after-the-end",
    ),
    // Feedback.
    (
        "a suggestion moves and nobody is told",
        SUGGESTION,
        happens!(
            "feedback_analytics",
            "suggestion",
            r#"{"kind": "delivered", "proof": "x", "at": "2026-11-30T05:22:41Z"}"#
        ),
        "every-step-is-told-once",
    ),
    (
        "an answer is told nobody",
        REQUEST,
        "UPDATE feedback_analytics.survey SET state = state || '{\"stage\": \"answered\"}' WHERE case_id = $case",
        "answers-are-the-owners",
    ),
    (
        "a survey says something else on the list",
        REQUEST,
        "UPDATE feedback_analytics.survey SET state = jsonb_set(state, '{invitation,reference}', '\"x\"') WHERE case_id = $case",
        "lists-and-singles-agree",
    ),
    (
        "a suggestion was only considered",
        SUGGESTION,
        "UPDATE feedback_analytics.event SET kind = 'considered' WHERE aggregate = 'suggestion' AND stream_id = $case AND kind = 'accepted'",
        "stages-replay",
    ),
    (
        "an owner is asked twice",
        REQUEST,
        "INSERT INTO feedback_analytics.survey SELECT (jsonb_populate_record(s, jsonb_build_object('survey_id', gen_random_uuid()))).* FROM feedback_analytics.survey s WHERE case_id = $case",
        "survey-of-what-is-resolved",
    ),
];

/// A fault in the figures: what it is, what is done to the sums of the company, and the figure that the accountant names.
const MISCOUNTED: &[(&str, &str, &str)] = &[
    (
        "a case is counted twice",
        "UPDATE feedback_analytics.metric_day SET n = n + 1 WHERE measure = 'opened'",
        "cases.opened",
    ),
    (
        "an answer is forgotten",
        "DELETE FROM feedback_analytics.metric_day WHERE measure = 'first_answer'",
        "first_human_answer_seconds.n",
    ),
    (
        "who was asked was not",
        "UPDATE feedback_analytics.metric_day SET n = n - 1 WHERE measure = 'asked'",
        "satisfaction.asked",
    ),
    (
        "time is lost",
        "UPDATE feedback_analytics.metric_day SET n = n - 60 WHERE measure = 'deadline_elapsed'",
        "deadlines.elapsed_seconds",
    ),
    (
        "what was called off is forgotten",
        "DELETE FROM feedback_analytics.metric_day WHERE measure = 'deadline_party' AND label LIKE '%void%'",
        "deadlines.by_party.company.void",
    ),
    (
        "a promise is kept that nobody made",
        "UPDATE feedback_analytics.metric_day SET n = n + 1 WHERE measure = 'promise_team'",
        "promises.made",
    ),
];

fn round(minutes: i64) -> Round {
    Round { weather: Weather::Fair, heard: true, passes: TimeDelta::minutes(minutes), inspected: false }
}

fn life(number: usize, script: Script) -> Life {
    let deeds = script.iter().enumerate().flat_map(|(round, deeds)| {
        deeds.iter().map(move |(who, of, verb, way)| {
            let deed = Deed { who: *who, of: *of, verb: (*verb).to_owned(), way: *way, at_once: false, allowed: true };
            (round, deed)
        })
    });
    Life { number: number as u64, deeds: deeds.collect(), ..Life::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_fault_is_found_by_its_rule() {
    with_company(async |company| {
        // The third round lies in the window that was agreed upon.
        let mut rounds = [round(1), round(60), round(1), round(1), round(1)];
        rounds[4].inspected = true;
        let lives = FAULTS.iter().enumerate().map(|(number, (_, script, ..))| life(number, script)).collect();
        let lived = company.lives(lives, &rounds, None).await;
        let ill: Vec<_> = lived.iter().filter(|one| !one.findings.is_empty()).map(ToString::to_string).collect();
        assert!(ill.is_empty(), "not healthy before anything was planted:\n{}", ill.join("\n"));
        let refused: Vec<_> = lived.iter().filter(|one| one.to_string().contains("-> 4")).collect();
        assert!(refused.is_empty(), "what was to be lived was refused:\n{}", refused[0]);
        assert_eq!(company.miscounted().await, Vec::<String>::new(), "before anything was planted");
        for (name, statement, _) in MISCOUNTED {
            assert!(company.plants(statement, "").await > 0, "nothing was planted: {name}");
        }
        let counted = company.miscounted().await;
        let is_named = |figure: &str| counted.iter().any(|what| what.contains(&format!(" {figure}: ")));
        let unnamed: Vec<_> =
            MISCOUNTED.iter().filter(|(.., figure)| !is_named(figure)).map(|(name, ..)| name).collect();
        assert!(unnamed.is_empty(), "{unnamed:?} not among {counted:?}");
        let mut missed = Vec::new();
        for ((name, _, statement, rule), one) in FAULTS.iter().zip(&lived) {
            let rows = company.plants(statement, &one.case_id).await;
            assert!(rows > 0, "nothing was planted: {name}");
            let found = company.inspected(&one.case_id).await;
            if !found.iter().any(|finding| finding.rule == *rule) {
                missed.push(format!("{name}: not by {rule}, found {found:?}"));
            }
        }
        assert!(missed.is_empty(), "{} faults were missed:\n{}", missed.len(), missed.join("\n"));
    })
    .await;
}
