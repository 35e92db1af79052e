//! Every metric that a process of ours shows on `/metrics`: its name, its labels, and what it tells.
//!
//! This list is where they are written down; `deploy/observability/metrics.md` is made of it. A test reads the sources of all programs:
//! what they count stands here, with these labels, and what stands here is counted. Labels take few values, and none names a company,
//! a person or a case.

use std::fmt::Write as _;

use Kind::{Counter, Gauge, Histogram};

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises; starts again at zero with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size: `…_bucket`, `…_sum`, `…_count`.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Instrument {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// What is counted or measured.
    pub unit: &'static str,
    /// What its series are told apart by.
    pub labels: &'static [&'static str],
    /// What it tells, in one sentence.
    pub about: &'static str,
}

const fn instrument(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    labels: &'static [&'static str],
    about: &'static str,
) -> Instrument {
    Instrument { name, kind, unit, labels, about }
}

const SERVICE: &[&str] = &["service"];
const SERVICE_AND_SOURCE: &[&str] = &["service", "source"];
const REQUEST: &[&str] = &["service", "http_request_method", "http_route", "http_response_status_code"];

/// All of them, by name.
pub const ALL: &[Instrument] = &[
    instrument(
        "change_feeds_held_seconds",
        Gauge,
        "seconds",
        SERVICE,
        "How long one open transaction has held all change feeds back; every replica sees the same.",
    ),
    instrument(
        "consumer_lag_messages",
        Gauge,
        "messages",
        SERVICE_AND_SOURCE,
        "Messages of the source that this service has not been given yet, as this replica saw it last.",
    ),
    instrument(
        "deadlines",
        Gauge,
        "clocks",
        &["service", "measure", "party", "priority", "state"],
        "Clocks that run, over all companies, by state: running, paused, at_risk or overdue; every replica counts the same.",
    ),
    instrument(
        "escalations_open",
        Gauge,
        "escalations",
        &["service", "cause", "level"],
        "Escalations that nobody has taken in hand yet, over all companies; every replica counts the same.",
    ),
    instrument(
        "health_part_state",
        Gauge,
        "state",
        &["service", "part"],
        "How a part of the service is: 0 as it should be, 1 works with something to look at, 2 does not work.",
    ),
    instrument("http_server_active_requests", Gauge, "requests", SERVICE, "Requests that are being carried out now."),
    instrument(
        "http_server_body_bytes",
        Gauge,
        "bytes",
        SERVICE,
        "Room in memory that bodies over 16 KiB have taken; at most core.http.body_memory_bytes.",
    ),
    instrument(
        "http_server_replayed_requests_total",
        Counter,
        "requests",
        SERVICE,
        "Requests that were answered with the first answer again, since their Idempotency-Key had been carried out before.",
    ),
    instrument(
        "http_server_request_duration_seconds",
        Histogram,
        "seconds",
        REQUEST,
        "Time from a request's arrival to its answer, by route (the template, never an id) and status.",
    ),
    instrument(
        "jwks_age_seconds",
        Gauge,
        "seconds",
        &[],
        "Age of the identity provider's keys; not a number before the first.",
    ),
    instrument(
        "jwks_refresh_total",
        Counter,
        "fetches",
        &["result"],
        "Attempts to fetch the identity provider's keys: ok or error.",
    ),
    instrument(
        "messages_discarded_total",
        Counter,
        "messages",
        SERVICE,
        "Messages that were thrown away since they carried no envelope of ours.",
    ),
    instrument(
        "messages_of_closed_tenants_total",
        Counter,
        "messages",
        SERVICE_AND_SOURCE,
        "Messages that were dropped since their company is closed.",
    ),
    instrument(
        "messages_parked_total",
        Counter,
        "messages",
        SERVICE_AND_SOURCE,
        "Messages that could not be handled and were put aside with their reason.",
    ),
    instrument(
        "messaging_process_duration_seconds",
        Histogram,
        "seconds",
        &["service", "source", "outcome"],
        "Time that handling a message took; its outcome is done (handled, seen before or parked) or again (put back).",
    ),
    instrument(
        "outbox_rows",
        Gauge,
        "events",
        SERVICE,
        "Events that wait to be published, counted to 10000; told by every replica that can ask, by those that do not publish each few seconds.",
    ),
    instrument("panics_total", Counter, "panics", &[], "Faults of the program that ended a request or a task."),
    instrument(
        "parked_messages",
        Gauge,
        "messages",
        SERVICE,
        "Messages that lie parked and wait for an operator, or for over an hour for the one before them; told by every replica that can ask.",
    ),
    instrument("process_resident_memory_bytes", Gauge, "bytes", &[], "Memory of the process."),
    instrument(
        "process_start_time_seconds",
        Gauge,
        "seconds",
        &[],
        "When the process was started, in seconds since 1970.",
    ),
    instrument(
        "relay_lag_seconds",
        Gauge,
        "seconds",
        SERVICE,
        "Age of the oldest event that waits to be published; told by every replica that can ask.",
    ),
    instrument(
        "relay_published_total",
        Counter,
        "events",
        SERVICE,
        "Events that JetStream has confirmed, without those published again.",
    ),
    instrument(
        "relay_replays_total",
        Counter,
        "replays",
        SERVICE,
        "Times that the stream had lost messages and they were published again from the log.",
    ),
    instrument(
        "relay_restores_total",
        Counter,
        "times",
        SERVICE,
        "Times that the stream had events that the log does not know: the log was brought back to an earlier moment.",
    ),
    instrument(
        "relay_swallowed_total",
        Counter,
        "events",
        SERVICE,
        "Events that JetStream took for repetitions and that came after them under another message id.",
    ),
    instrument(
        "service_ready",
        Gauge,
        "yes or no",
        SERVICE,
        "Whether this replica takes requests (1): it serves, and all that it needs has worked.",
    ),
    instrument(
        "steward_build_info",
        Gauge,
        "one",
        &["service", "version"],
        "Always 1; its labels tell which version runs.",
    ),
    instrument(
        "timer_lag_seconds",
        Gauge,
        "seconds",
        SERVICE,
        "How late the oldest timer was when this replica last looked for due ones.",
    ),
    instrument("timers_fired_total", Counter, "timers", SERVICE, "Timers that this replica has fired."),
    instrument("tokio_alive_tasks", Gauge, "tasks", &[], "Tasks that the process has not finished."),
    instrument(
        "tokio_global_queue_depth",
        Gauge,
        "tasks",
        &[],
        "Tasks that wait for a free thread: more than a few mean too little CPU.",
    ),
];

/// Tells the recorder about all of them, so that `/metrics` says what each is.
pub(crate) fn describe() {
    for Instrument { name, kind, about, .. } in ALL {
        match kind {
            Counter => metrics::describe_counter!(*name, *about),
            Gauge => metrics::describe_gauge!(*name, *about),
            Histogram => metrics::describe_histogram!(*name, *about),
        }
    }
}

/// Starts a service's counters at zero: of a series that begins with its first event, Prometheus does not see that one.
pub(crate) fn start_counters(service: &'static str) {
    for Instrument { name, kind, labels, .. } in ALL {
        match (kind, *labels) {
            (Counter, ["service"]) => metrics::counter!(*name, "service" => service).increment(0),
            (Counter, []) => metrics::counter!(*name).increment(0),
            _ => {}
        }
    }
}

/// All of them as a table in Markdown.
#[must_use]
pub fn table() -> String {
    let mut table = String::from(
        "# Metrics\n\n\
         Every metric that our programs show on `/metrics`. Written by a test from `shared/chassis/src/instruments.rs`; do not edit.\n\n\
         | name | kind | unit | labels | what it tells |\n|---|---|---|---|---|\n",
    );
    for Instrument { name, kind, unit, labels, about } in ALL {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(table, "| `{name}` | {} | {unit} | {labels} | {about} |", kind.as_str());
    }
    table
}

#[cfg(test)]
#[path = "instruments_tests.rs"]
mod tests;
