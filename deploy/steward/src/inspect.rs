//! A look at every case of a company: whether five services tell one story of it.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::Args;
use futures::future::{BoxFuture, FutureExt as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use steward_admin::services;
use steward_chassis::{Clock, config::Secret, db::Db};
use steward_inspector::{
    Company, Finding, Logs, Pace, RULES,
    accountant::{Audit, FIGURES, Timelines, audit},
    walk,
};
use steward_kernel::TenantId;

use crate::{
    database::{self, first_line},
    selection,
    terminal::{Progress, say, say_json, tell},
};

/// How often a request that is too much is tried again.
const TRIES: u64 = 20;

/// Where to look, and how hard.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    database: database::Settings,
    /// The company.
    #[arg(long)]
    tenant: TenantId,
    /// Where the public API is.
    #[arg(long, env = "STEWARD_API_URL", hide_env_values = true)]
    api_url: String,
    /// File with a token of a manager who sees all estates. It is read anew for each request, so that it can be renewed.
    #[arg(long, env = "STEWARD_TOKEN_FILE")]
    token_file: PathBuf,
    /// Only this estate.
    #[arg(long)]
    estate: Option<String>,
    /// Cases that are read at the same time.
    #[arg(long, default_value_t = 2)]
    at_once: usize,
    /// Cases read in a second, at most; each takes some fifteen requests.
    #[arg(long, default_value_t = 5)]
    per_second: u32,
    /// Days until today of which every figure is counted anew, one by one; beside them all of these days together and the last 366. 0 = no figures.
    #[arg(long, default_value_t = 31)]
    figures: u16,
    /// How long what looks wrong is given to come to rest, before it is looked at once more.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// The public API over the network.
struct Api {
    http: reqwest::Client,
    url: String,
    token_file: PathBuf,
    tenant: TenantId,
    /// What no API tells: everybody reads their own inbox.
    notification: Db,
}

impl Company for Api {
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>> {
        self.asked(path).boxed()
    }

    fn alerts<'a>(&'a self, case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>> {
        self.waiting(case_id).boxed()
    }

    fn now(&self) -> DateTime<Utc> {
        Clock::System.now()
    }
}

impl Api {
    /// What of a case waits in people's inboxes, as far as who runs the company's databases need know it: why, since when, of which work order or
    /// promise; not in whose, and nothing of what it says. Read as the service itself reads, one company at a time.
    async fn waiting(&self, case_id: &str) -> anyhow::Result<Vec<Value>> {
        let mut tx = self.notification.begin(self.tenant).await?;
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT json_build_object('cause', cause, 'happened_at', matter->'happened_at', 'promise', matter->'promise',
                                      'work_order_id', matter->'work_order')::text
             FROM alert WHERE tenant_id = $1 AND case_id = $2::uuid AND settled_at IS NULL ORDER BY created_at, alert_id",
        )
        .bind(self.tenant.get())
        .bind(case_id)
        .fetch_all(tx.conn())
        .await?;
        rows.iter().map(|row| serde_json::from_str(row).context("an alert")).collect()
    }

    async fn asked(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.url);
        for tried in 1..=TRIES {
            let token: Secret = first_line(&self.token_file)?;
            let answer = self.http.get(&url).bearer_auth(token.expose_secret()).send().await?;
            match answer.status().as_u16() {
                404 => return Ok(Value::Null),
                // The services have to serve others, too.
                429 | 503 if tried < TRIES => tokio::time::sleep(Duration::from_secs(tried)).await,
                _ => return Ok(answer.error_for_status().with_context(|| url.clone())?.json().await?),
            }
        }
        anyhow::bail!("{url} is not answered")
    }
}

/// Looks; the exit code is 1 when something is not as it must be.
///
/// # Errors
/// When a database or the API does not answer.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut pools = Vec::new();
    for service in services::all() {
        pools.push((service.name, selection::database(&settings.database, service.name)?.platform));
    }
    let notification = selection::database(&settings.database, "notification")?;
    let logs = Logs { tenant: settings.tenant.get(), services: pools };
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().context("HTTP client")?;
    let url = settings.api_url.trim_end_matches('/').to_owned();
    let api = Api { http, url, token_file: settings.token_file.clone(), tenant: settings.tenant, notification };
    let pace = Pace { at_once: settings.at_once, per_second: settings.per_second, settles: settings.settle, looks: 2 };
    let (mut found, mut progress, mut timelines) = (Vec::new(), Progress::new(), Timelines::default());
    let estate = settings.estate.as_deref();
    let seen = walk(&api, &logs, estate, pace, &mut timelines, |seen, findings| {
        found.extend_from_slice(findings);
        progress.tell(|| format!("{} cases, {} findings", seen.cases, seen.findings));
    })
    .await?;
    tell(&format!("{} cases, {} rules", seen.cases, RULES.len()));
    if settings.figures > 0 {
        let asked = Audit { estate, days: settings.figures, pace, known: &timelines };
        let wrong = audit(&api, asked, |estate, wrong, moved| {
            let moves = if moved > 0 { format!(", {moved} moved meanwhile") } else { String::new() };
            tell(&format!("figures of {estate}: {} findings{moves}", wrong.len()));
        });
        found.extend(wrong.await?);
    }
    report(&found, seen.cases, settings.json)?;
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The findings by rule.
fn report(found: &[Finding], cases: usize, as_json: bool) -> anyhow::Result<()> {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in found {
        by_rule.entry(finding.rule).or_default().push(finding);
    }
    if as_json {
        let rules: Vec<Value> = by_rule.iter().map(|(rule, findings)| in_json(rule, findings)).collect();
        return say_json(&json!({ "cases": cases, "findings": found.len(), "rules": rules }));
    }
    if found.is_empty() {
        say(&format!("{cases} cases: every rule holds"));
        return Ok(());
    }
    say(&format!("{cases} cases: {} rules are broken, {} times", by_rule.len(), found.len()));
    for (rule, findings) in by_rule {
        say(&format!("\n{rule}: {}", says(rule)));
        findings.iter().for_each(|it| say(&format!("  {} {}: {}", it.reference, it.case_id, it.what)));
    }
    Ok(())
}

fn in_json(rule: &str, findings: &[&Finding]) -> Value {
    let id = if rule == FIGURES.0 { "estate_id" } else { "case_id" };
    let of = |it: &&Finding| json!({ id: it.case_id, "reference": it.reference, "what": it.what });
    json!({ "rule": rule, "says": says(rule), "findings": findings.iter().map(of).collect::<Vec<_>>() })
}

fn says(rule: &str) -> &'static str {
    let of_cases = RULES.iter().map(|known| (known.name, known.says));
    of_cases.chain([FIGURES]).find(|(name, _)| *name == rule).map_or("", |(_, says)| says)
}
