//! Settings: defaults, then a file, then the environment (`STEWARD__CORE__HTTP__BIND`).
//!
//! Unknown keys are errors, and all errors are told at once. Secrets are never printed; any setting can be read from a
//! file by adding `_file` to its name (`cursor_secret_file = "/run/secrets/cursor"`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment, Profile, Provider as _,
    error::Kind,
    providers::{Env, Format as _, Serialized, Toml},
    value::{Dict, Value},
};
use nkeys::KeyPair;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};
use sqlx::postgres::PgConnectOptions;

use crate::Checked;
use crate::secret::harmless;
pub use crate::secret::{Address, Secret};

/// Defaults of everything under `[core]`, with units and a sentence each.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
/// Beginning of the environment variables that are settings.
const PREFIX: &str = "STEWARD__";
/// The secret that ships with the product, good for development only.
const DEVELOPMENT_SECRET: &str = "development-only";
/// The addresses that ship with the product; in production they mean that somebody forgot the setting.
const DEVELOPMENT_DATABASE: &str = "postgres://{role}@localhost/steward";
const DEVELOPMENT_NATS: &str = "nats://127.0.0.1:4222";
/// What stands for the name of a role in a URL.
const ROLE: &str = "{role}";
/// More faults than this are not told at once.
const MAX_FINDINGS: usize = 100;

/// Where this runs, and so what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// On a developer's machine or in a test.
    Development,
    /// With real owners.
    Production,
}

/// Everything under `[core]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreConfig {
    /// Where this runs.
    pub environment: Environment,
    /// The HTTP server.
    pub http: HttpConfig,
    /// Postgres.
    pub database: DatabaseConfig,
    /// NATS.
    pub nats: NatsConfig,
    /// Access tokens.
    pub auth: AuthConfig,
    /// From the event log to NATS.
    pub relay: RelayConfig,
    /// Logs, traces, figures.
    pub telemetry: TelemetryConfig,
    /// How it stops.
    pub shutdown: ShutdownConfig,
}

/// The HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Address and port to listen on; port 0 takes a free one.
    pub bind: String,
    /// Most bytes of a body, where a route does not say otherwise.
    pub body_limit_bytes: usize,
    /// Most bytes of all bodies that are in memory at once.
    pub body_memory_bytes: usize,
    /// How long a request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// Requests per second of one caller, in the long run.
    pub rate_per_second: u32,
    /// Requests at once of one caller.
    pub rate_burst: u32,
    /// Seals page marks; the same for all replicas.
    pub cursor_secret: Secret,
}

/// Postgres.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Where it is; `{role}` stands for the service's two roles, the one of its work and that of the platform's loops.
    pub url: Secret,
    /// As the platform role (relay, timers, housekeeping), where `url` has no `{role}`.
    #[serde(default)]
    pub platform_url: Option<Secret>,
    /// Password of the service's role, where it does not stand in the URL.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Password of the platform role, where it does not stand in the URL.
    #[serde(default)]
    pub platform_password: Option<Secret>,
    /// Connections of the service's pool.
    pub max_connections: u32,
}

/// NATS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsConfig {
    /// One server, or several with commas.
    pub url: Address,
    /// First token of all subjects.
    pub prefix: String,
    /// User, with `password`.
    #[serde(default)]
    pub user: Option<String>,
    /// Password of the user.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Seed of an nkey, instead of user and password.
    #[serde(default)]
    pub nkey: Option<Secret>,
    /// PEM file of the authorities that may have signed the server's certificate; with it, TLS is required.
    #[serde(default)]
    pub root_certificates: Option<PathBuf>,
    /// Whether the service makes its stream and its consumers itself; where it may not, `steward streams` does.
    pub manage_streams: bool,
}

/// Access tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// `iss`, exactly; also where discovery starts.
    pub issuer: String,
    /// What `aud` must contain.
    pub audience: String,
    /// Where the keys are (http, https or file), when discovery is not to be asked.
    #[serde(default)]
    pub jwks_url: Option<Address>,
    /// `typ` headers that are accepted; some providers say `JWT`.
    pub accepted_typ: Vec<String>,
    /// Names of the claims.
    pub claims: ClaimNames,
    /// Least time between two fetches of the keys for names we do not know.
    #[serde(with = "humantime_serde")]
    pub refresh_cooldown: Duration,
}

/// Names of the claims; a name that begins with `/` is a JSON Pointer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimNames {
    /// The company: a UUID.
    pub tenant: String,
    /// The estates: a list of UUIDs; no claim means all.
    pub estates: String,
    /// The roles: a list of words.
    pub roles: String,
    /// The resident: a UUID, for owners.
    pub resident: String,
}

/// From the event log to NATS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// How often to look without being woken.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// Events taken at once.
    pub batch: u32,
    /// How long the service's stream keeps events; older ones are still in the event log.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For machines: one JSON object per line.
    Json,
    /// For people.
    Pretty,
}

/// Logs, traces, figures.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How lines are written.
    pub log_format: LogFormat,
    /// Which lines, as for `RUST_LOG`: `info,sqlx=warn`.
    pub log_filter: String,
    /// Where traces go (OTLP over HTTP); nowhere when not set.
    #[serde(default)]
    pub otlp_endpoint: Option<Address>,
}

/// How it stops.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShutdownConfig {
    /// How long the service goes on accepting while it says that it is not ready, so that balancers turn away first.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How long requests and messages may take to finish after that.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl CoreConfig {
    /// The defaults: good for development.
    ///
    /// # Errors
    /// Never, unless the file that ships with the product is broken; a test reads it.
    pub fn development() -> Result<Self, Vec<String>> {
        #[derive(Deserialize)]
        struct Whole {
            core: CoreConfig,
        }
        let whole: Result<Whole, _> = Figment::from(Toml::string(DEFAULTS)).extract();
        whole.map(|whole| whole.core).map_err(|fault| vec![fault.to_string()])
    }

    fn production_findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let issuer = self.auth.issuer.trim_end_matches('/');
        let jwks = self.auth.jwks_url.as_deref().unwrap_or_default();
        if !issuer.starts_with("https://") {
            findings.push("core.auth.issuer must be https in production: anybody on the way could sign in".to_owned());
        }
        if jwks.starts_with("http://") {
            findings
                .push("core.auth.jwks_url must not be http in production: anybody on the way could sign in".to_owned());
        }
        if issuer.ends_with("/dev") || jwks.contains("/dev/") || jwks.ends_with("/dev") {
            findings.push("core.auth names the development issuer, which production must not trust".to_owned());
        }
        let weak = |secret: &Secret| {
            let secret = secret.expose_secret();
            secret == DEVELOPMENT_SECRET || secret.len() < 16
        };
        if self.http.cursor_secret.lines().iter().any(weak) {
            findings.push("core.http.cursor_secret must be a secret of your own, of 16 characters or more".to_owned());
        }
        if self.database.url.expose_secret() == DEVELOPMENT_DATABASE {
            findings.push("core.database.url must be set in production".to_owned());
        }
        if &*self.nats.url == DEVELOPMENT_NATS {
            findings.push("core.nats.url must be set in production".to_owned());
        }
        findings
    }
}

impl DatabaseConfig {
    /// How the service's own role connects.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn app(&self, role: &str) -> Result<PgConnectOptions, sqlx::Error> {
        options(&self.url, self.password.as_ref(), role)
    }

    /// How the platform role connects.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn platform(&self, role: &str) -> Result<PgConnectOptions, sqlx::Error> {
        options(self.platform_url.as_ref().unwrap_or(&self.url), self.platform_password.as_ref(), role)
    }

    /// What is wrong, if anything; never a word of the URL, which may be a piece of a password.
    fn finding(&self) -> Option<String> {
        let finding = if self.app("steward").is_err() {
            "core.database.url must be a URL as postgres://{role}@host:5432/steward"
        } else if self.platform("steward").is_err() {
            "core.database.platform_url must be a URL as postgres://role@host:5432/steward"
        } else if self.platform_url.is_none() && !self.url.expose_secret().contains(ROLE) {
            "core.database.platform_url must be set, or core.database.url must have {role}"
        } else {
            return None;
        };
        Some(finding.to_owned())
    }
}

fn options(url: &Secret, password: Option<&Secret>, role: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.expose_secret().replace(ROLE, role).parse()?;
    Ok(match password.and_then(|password| password.lines().into_iter().next()) {
        Some(password) => options.password(password.expose_secret()),
        None => options,
    })
}

impl NatsConfig {
    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if !self.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) || self.prefix.is_empty() {
            findings.push("core.nats.prefix must be letters and digits: it is one token of a subject".to_owned());
        }
        if self.user.is_some() != self.password.is_some() {
            findings.push("core.nats.user and core.nats.password need each other".to_owned());
        }
        if self.url.split(',').any(|url| url.trim().parse::<async_nats::ServerAddr>().is_err()) {
            findings.push(
                "core.nats.url must be one URL as nats://host:4222 or tls://host:4222, or several with commas"
                    .to_owned(),
            );
        }
        // The seed itself is not told, nor what is wrong with it.
        if self
            .nkey
            .as_ref()
            .is_some_and(|nkey| nkey.lines().iter().any(|line| KeyPair::from_seed(line.expose_secret()).is_err()))
        {
            findings.push("core.nats.nkey must be the seed of an nkey (SU…), as `steward keys` makes it".to_owned());
        }
        if let Some(file) = &self.root_certificates
            && let Err(fault) = std::fs::File::open(file)
        {
            findings.push(format!("core.nats.root_certificates: {} cannot be read: {fault}", file.display()));
        }
        findings
    }
}

impl Checked for CoreConfig {
    fn findings(&self) -> Vec<String> {
        let positive = [
            ("core.http.body_limit_bytes", self.http.body_limit_bytes > 0),
            ("core.http.body_memory_bytes", self.http.body_memory_bytes > 0),
            ("core.http.request_timeout", !self.http.request_timeout.is_zero()),
            ("core.http.rate_per_second", self.http.rate_per_second > 0),
            ("core.http.rate_burst", self.http.rate_burst > 0),
            ("core.database.max_connections", self.database.max_connections > 0),
            ("core.relay.poll", !self.relay.poll.is_zero()),
            ("core.relay.batch", self.relay.batch > 0),
            ("core.relay.keep", !self.relay.keep.is_zero()),
        ];
        let mut findings: Vec<String> =
            positive.iter().filter(|(_, ok)| !ok).map(|(name, _)| format!("{name} must be more than 0")).collect();
        findings.extend(self.database.finding());
        findings.extend(self.nats.findings());
        let addresses =
            [("core.auth.issuer", Some(&*self.auth.issuer)), ("core.auth.jwks_url", self.auth.jwks_url.as_deref())];
        for (name, address) in addresses {
            if address.is_some_and(|address| reqwest::Url::parse(address).is_err()) {
                findings.push(format!("{name} must be a URL"));
            }
        }
        if self.auth.audience.is_empty() || self.auth.accepted_typ.is_empty() {
            findings.push("core.auth.audience and core.auth.accepted_typ must not be empty".to_owned());
        }
        if self.environment == Environment::Production {
            findings.extend(self.production_findings());
        }
        findings
    }
}

/// Settings of a service, read and checked.
#[derive(Debug, Clone)]
pub struct Loaded<C> {
    /// Those of the chassis.
    pub core: CoreConfig,
    /// Those of the service.
    pub service: C,
    /// All that holds, one `name = value` per line, secrets as `***`.
    pub effective: Vec<String>,
}

/// Reads the settings of a service.
///
/// * `defaults`: TOML with the service's section `[service]`.
/// * `file`: TOML with any of `[core]` and `[service]`.
///
/// # Errors
/// All findings at once, in words for an operator.
pub fn load<C: DeserializeOwned + Checked>(defaults: &str, file: Option<&Path>) -> Result<Loaded<C>, Vec<String>> {
    let base = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(defaults));
    let mut figment = base.clone();
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    let environment = Env::prefixed(PREFIX).split("__");
    // Figment reads `0123` as a number; what is a text stays as it was written.
    let texts: Vec<(String, String)> = environment.iter().map(|(key, value)| (key.to_string(), value)).collect();
    figment = figment.merge(environment);
    for (key, value) in texts.into_iter().filter(|(key, _)| is_text(key)) {
        figment = figment.merge(Serialized::default(&key, value));
    }
    resolve(&base, &figment)
}

fn is_text(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    is_secret(key) || ["url", "file", "user", "prefix", "audience", "issuer"].iter().any(|word| last.ends_with(word))
}

fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    let words = ["secret", "password", "nkey", "token", "seed"];
    words.iter().any(|word| last.ends_with(word)) || (key.contains("database.") && last.ends_with("url"))
}

fn values(figment: &Figment) -> Result<Dict, Vec<String>> {
    let data = figment.data().map_err(|fault| fault.into_iter().map(|one| told(&one, "")).collect::<Vec<_>>())?;
    Ok(data.get(&Profile::Default).cloned().unwrap_or_default())
}

fn resolve<C: DeserializeOwned + Checked>(base: &Figment, figment: &Figment) -> Result<Loaded<C>, Vec<String>> {
    let defaults = values(base)?;
    let mut whole = values(figment)?;
    let mut findings = Vec::new();
    read_files(&mut whole, "", &mut findings);
    let mut section = |name: &str| whole.remove(name).unwrap_or_else(|| Value::from(Dict::new()));
    let (mut core, mut service) = (section("core"), section("service"));
    findings.extend(whole.keys().map(|key| format!("{key} is not a section; there are core and service")));
    let mut effective = BTreeMap::new();
    flatten("core", &core, &mut effective);
    flatten("service", &service, &mut effective);
    let core_config = read::<CoreConfig>("core", &mut core, defaults.get("core"), &mut findings);
    let service_config = read::<C>("service", &mut service, defaults.get("service"), &mut findings);
    findings.extend(core_config.iter().flat_map(Checked::findings));
    findings.extend(service_config.iter().flat_map(Checked::findings));
    match (core_config, service_config) {
        (Some(core), Some(service)) if findings.is_empty() => {
            let effective = effective.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
            Ok(Loaded { core, service, effective })
        }
        _ => Err(findings),
    }
}

/// Puts the content of files in the place of `…_file` settings.
fn read_files(dict: &mut Dict, path: &str, findings: &mut Vec<String>) {
    let names: Vec<String> = dict.keys().cloned().collect();
    for name in names {
        if let Some(Value::Dict(_, inner)) = dict.get_mut(&name) {
            read_files(inner, &format!("{path}{name}."), findings);
        } else if let Some(setting) = name.strip_suffix("_file")
            && let Some(Value::String(_, file)) = dict.remove(&name)
        {
            match std::fs::read_to_string(&file) {
                Ok(content) => {
                    let content = Value::from(content.trim_end_matches(['\r', '\n']));
                    let value = if is_secret(&format!("{path}{setting}")) {
                        let parts = [("text".to_owned(), content), ("file".to_owned(), Value::from(file))];
                        Value::from(parts.into_iter().collect::<Dict>())
                    } else {
                        content
                    };
                    dict.insert(setting.to_owned(), value);
                }
                Err(fault) => findings.push(format!("{path}{name}: {file} cannot be read: {fault}")),
            }
        }
    }
}

/// Reads one section; puts the default in the place of what is wrong and reads again, until all faults are known.
fn read<C: DeserializeOwned>(
    section: &str,
    value: &mut Value,
    defaults: Option<&Value>,
    findings: &mut Vec<String>,
) -> Option<C> {
    for _ in 0..MAX_FINDINGS {
        let fault = match value.deserialize::<C>() {
            Ok(config) => return Some(config),
            Err(fault) => fault,
        };
        findings.push(told(&fault, section));
        let mut path = fault.path.clone();
        if let Kind::UnknownField(name, _) = &fault.kind
            && path.last() != Some(name)
        {
            path.push(name.clone());
        }
        let default = path.iter().try_fold(defaults?, |value, name| value.as_dict()?.get(name));
        if matches!(fault.kind, Kind::MissingField(_)) || !mend(value, &path, default) {
            return None;
        }
    }
    None
}

/// Puts the default in the place of a value, or takes the value out; whether that changed anything.
fn mend(value: &mut Value, path: &[String], default: Option<&Value>) -> bool {
    let Value::Dict(_, dict) = value else { return false };
    match (path, default) {
        ([], _) => false,
        ([last], None) => dict.remove(last).is_some(),
        ([last], Some(default)) => dict.insert(last.clone(), default.clone()).as_ref() != Some(default),
        ([first, rest @ ..], _) => dict.get_mut(first).is_some_and(|inner| mend(inner, rest, default)),
    }
}

/// A fault in words, without the value: it may be a secret.
fn told(fault: &figment::Error, section: &str) -> String {
    let mut path: Vec<&str> = std::iter::once(section).filter(|name| !name.is_empty()).collect();
    path.extend(fault.path.iter().map(String::as_str));
    let at = path.join(".");
    match &fault.kind {
        Kind::UnknownField(name, known) => {
            let at = if path.last() == Some(&name.as_str()) { at } else { format!("{at}.{name}") };
            format!("{at} is not a setting; known here: {}", known.join(", "))
        }
        Kind::MissingField(name) => format!("{at}.{name} is missing"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("{at} must be {expected}"),
        Kind::UnknownVariant(_, known) => format!("{at} must be one of {}", known.join(", ")),
        Kind::Message(_) if is_secret(&at) => format!("{at} cannot be read"),
        // Of the whole file: what follows the first line shows a line of it, which may be that of a secret.
        Kind::Message(words) if fault.path.is_empty() => words.lines().next().unwrap_or("cannot be read").to_owned(),
        kind => format!("{at}: {kind}"),
    }
}

fn flatten(path: &str, value: &Value, lines: &mut BTreeMap<String, String>) {
    if let Value::Dict(_, dict) = value
        && !is_secret(path)
    {
        for (name, inner) in dict {
            flatten(&format!("{path}.{name}"), inner, lines);
        }
        return;
    }
    let text = if is_secret(path) {
        "***".to_owned()
    } else {
        harmless(&serde_json::to_string(value).unwrap_or_else(|_| "?".to_owned()))
    };
    lines.insert(path.to_owned(), text);
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
