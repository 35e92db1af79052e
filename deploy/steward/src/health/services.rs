//! What the services say of themselves.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use futures::future::join_all;
use serde_json::Value;
use steward_admin::services::Entry;
use steward_chassis::lifecycle::State;

use super::{Findings, Line, word};

/// Asks every service; a process that runs several is asked once.
///
/// # Errors
/// When the machine has no usable TLS set-up.
pub(super) async fn ask(template: &str, services: &[Entry], patience: Duration) -> anyhow::Result<Vec<Line>> {
    let http = reqwest::Client::builder().timeout(patience).build().context("HTTP client")?;
    let url = |service: &Entry| template.replace("{service}", service.name).trim_end_matches('/').to_owned();
    let urls: BTreeSet<String> = services.iter().map(url).collect();
    let reports = join_all(urls.into_iter().map(async |url| {
        let answer = async { http.get(format!("{url}/health")).send().await?.json::<Value>().await }.await;
        (url, answer)
    }))
    .await;
    Ok(services
        .iter()
        .map(|service| {
            let mut findings = Findings::default();
            match reports.iter().find(|(asked, _)| *asked == url(service)).map(|(_, answer)| answer) {
                Some(Ok(process)) => match report(process, service.name) {
                    Some(report) => told(report, &mut findings),
                    None => findings.expect(false, State::Down, "something else answers there"),
                },
                Some(Err(fault)) if fault.is_decode() => {
                    findings.expect(false, State::Down, "something else answers there");
                }
                _ => findings.expect(false, State::Down, format!("{} does not answer", url(service))),
            }
            findings.line("service", service.name)
        })
        .collect())
}

/// The service's part of what a process says.
fn report<'a>(process: &'a Value, service: &str) -> Option<&'a Value> {
    process["services"].as_array()?.iter().find(|report| report["service"] == service)
}

/// Its phase, and its parts that are not as they should be.
fn told(report: &Value, findings: &mut Findings) {
    let phase = report["phase"].as_str().unwrap_or_default();
    findings.expect(phase == "serving", State::Degraded, phase);
    for name in report["awaiting"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        findings.expect(false, State::Degraded, format!("waits for {name}"));
    }
    for part in report["parts"].as_array().into_iter().flatten() {
        let status = [State::Ok, State::Degraded, State::Down].into_iter().find(|state| part["status"] == word(*state));
        let status = status.unwrap_or(State::Down);
        if status != State::Ok {
            let text = |field: &str| part[field].as_str().unwrap_or_default().to_owned();
            findings.expect(false, status, format!("{}: {}", text("name"), text("note")));
        }
    }
}
