//! Logs, traces and figures.

use std::{
    collections::HashMap,
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    propagation::TextMapPropagator as _,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::{Span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    config::{LogFormat, TelemetryConfig},
    instruments,
};

/// Header and field of W3C trace context.
const TRACEPARENT: &str = "traceparent";
/// Upper bounds in seconds: a write takes a few milliseconds, 0.5 is the objective, the request timeout is 15 seconds.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
/// How often figures are tidied.
const UPKEEP: Duration = Duration::from_secs(5);

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Sends what is still waiting when it is dropped.
#[derive(Debug)]
#[must_use = "telemetry is flushed when this is dropped"]
pub struct Guard(SdkTracerProvider);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(cause) = self.0.shutdown_with_timeout(Duration::from_secs(3)) {
            tracing::warn!(%cause, "the last traces could not be sent");
        }
    }
}

/// Starts logs, traces and figures of this process.
///
/// * `service`: `service.name` of the traces; the all-in-one process calls itself `steward`.
///
/// # Errors
/// When a setting cannot be understood, or something else in the process has started them.
pub fn init(service: &'static str, config: &TelemetryConfig) -> anyhow::Result<Guard> {
    let provider = provider(service, config)?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("steward"))
        .with_location(false)
        .with_threads(false)
        // Our own spans, by the beginning of the crate's name.
        .with_filter(Targets::new().with_default(LevelFilter::WARN).with_target("steward", LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stdout);
    let lines = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        LogFormat::Pretty => lines.boxed(),
    };
    let filter = EnvFilter::try_new(&config.log_filter).context("core.telemetry.log_filter")?;
    tracing_subscriber::registry().with(traces).with(lines.with_filter(filter)).try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        metrics::counter!("panics_total").increment(1);
        // The place only: composed words may carry what a person wrote.
        tracing::error!(at = panic.location().map(tracing::field::display), "panic");
    }));
    install_metrics();
    Ok(Guard(provider))
}

fn provider(service: &'static str, config: &TelemetryConfig) -> anyhow::Result<SdkTracerProvider> {
    let resource = Resource::builder().with_service_name(service).build();
    let provider = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        // Trace ids still stand in logs and problems, and go on to the next service.
        return Ok(provider.build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .context("core.telemetry.otlp_endpoint")?;
    Ok(provider.with_batch_exporter(exporter).build())
}

/// Starts figures, once per process; also for tests.
pub fn install_metrics() {
    METRICS.get_or_init(|| {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let recorder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &BUCKETS).ok()?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        instruments::describe();
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics::gauge!("process_start_time_seconds").set(started.as_secs_f64());
        let tidied = handle.clone();
        // A thread of its own: figures are tidied even when the runtime is busy or nobody scrapes.
        let upkeep = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(UPKEEP);
                tidied.run_upkeep();
            }
        });
        upkeep.ok()?;
        Some(handle)
    });
}

/// All figures in Prometheus' text format; `None` before [`init`].
#[must_use]
pub fn render_metrics() -> Option<String> {
    let handle = METRICS.get()?.as_ref()?;
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes);
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let runtime = runtime.metrics();
        metrics::gauge!("tokio_alive_tasks").set(runtime.num_alive_tasks() as f64);
        metrics::gauge!("tokio_global_queue_depth").set(runtime.global_queue_depth() as f64);
    }
    Some(handle.render())
}

/// Memory of this process, where the system tells it.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kib| kib * 1024.0)
}

/// W3C `traceparent` of the current span, to be kept with an event or sent along.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes a new span a child of where the request or message came from, and writes the trace into its field `trace_id`:
/// callers are told it in problems and tell it to us, so all log lines must have it.
///
/// Must come before the span is first entered.
pub fn set_parent(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        let context = TraceContextPropagator::new().extract(&carrier);
        if context.span().span_context().is_valid() {
            // Fails without a trace layer (tests), where nobody looks at traces.
            let _ = span.set_parent(context);
        }
    }
    span.record("trace_id", trace_id(span));
}

/// The trace that the span belongs to, as 32 hexadecimal digits.
#[must_use]
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != opentelemetry::TraceId::INVALID).then(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_continues_the_trace_it_came_from() {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request");
            set_parent(&span, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
            let _entered = span.enter();
            assert_eq!(trace_id(&span).as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
            let told = current_traceparent().unwrap();
            assert!(told.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && told.ends_with("-01"));
            assert!(!told.contains("b7ad6b7169203331"));
        });
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn traces_reach_the_collector() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = crate::config::CoreConfig::development().unwrap().telemetry;
        config.otlp_endpoint = Some(format!("http://{}/", listener.local_addr().unwrap()).into());
        let (seen, mut received) = tokio::sync::mpsc::unbounded_channel();
        let collect = move |body: bytes::Bytes| async move { seen.send(body).unwrap() };
        let router = axum::Router::new().route("/v1/traces", axum::routing::post(collect));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let guard = Guard(provider("intake", &config).unwrap());
        let layer = tracing_opentelemetry::layer().with_tracer(guard.0.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info_span!("a step").in_scope(|| {});
        });
        drop(guard);
        let body = received.recv().await.unwrap();
        let contains = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
        assert!(contains(b"a step") && contains(b"intake"));
    }

    #[test]
    fn nothing_is_told_without_a_trace() {
        assert_eq!(current_traceparent(), None);
        assert_eq!(trace_id(&Span::current()), None);
        set_parent(&Span::current(), Some("nonsense"));
    }

    #[test]
    fn figures_can_be_read() {
        install_metrics();
        metrics::counter!("test_total").increment(2);
        assert!(render_metrics().unwrap().contains("test_total 2"));
    }
}
