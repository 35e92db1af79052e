//! How the message server is.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use steward_admin::services::{self, Entry};
use steward_chassis::{lifecycle::State, messages::Messages, streams::durable};

use super::{Findings, Line};
use crate::nats::Settings;

/// A listener that is further behind than this has a problem, or will have one.
const FAR_BEHIND: u64 = 10_000;

/// Looks at streams and consumers.
///
/// # Errors
/// When a setting is wrong.
pub(super) async fn ask(settings: &Settings, services: &[Entry], patience: Duration) -> anyhow::Result<Vec<Line>> {
    let messages = settings.connect().await?;
    let connected = async {
        while !messages.is_connected() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(patience, connected).await.is_err() {
        let mut findings = Findings::default();
        findings.expect(false, State::Down, "does not answer, or refuses us");
        return Ok(vec![findings.line("messages", "nats")]);
    }
    let mut lines = Vec::new();
    for service in services {
        let mut findings = Findings::default();
        if let Err(fault) = look(&messages, service.name, &mut findings).await {
            findings.expect(false, State::Degraded, format!("{fault:#}"));
        }
        lines.push(findings.line("stream", &messages.subjects.stream(service.name)));
    }
    Ok(lines)
}

async fn look(messages: &Messages, service: &str, findings: &mut Findings) -> anyhow::Result<()> {
    let stream = messages.js.get_stream(messages.subjects.stream(service)).await?;
    findings.note(format!("{} messages", stream.cached_info().state.messages));
    for (listener, source) in services::topology().into_iter().filter(|(_, source)| *source == service) {
        match stream.get_consumer::<pull::Config>(&durable(listener, source)).await {
            Ok(consumer) => {
                let waiting = consumer.cached_info().num_pending + consumer.cached_info().num_ack_pending as u64;
                findings.expect(waiting < FAR_BEHIND, State::Degraded, format!("{listener} {waiting} behind"));
            }
            Err(_) => findings.expect(false, State::Degraded, format!("{listener} has no consumer")),
        }
    }
    Ok(())
}
