//! Secrets of the namespace that this runs in, through the API server of the cluster.
//!
//! Three calls on one resource need no client library: its types and its watch machinery would be most of this program.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use steward_admin::{keyring::Keyring, services};

/// Where Kubernetes puts token, certificate and namespace of a pod's service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Beginning of the secrets' names.
const PREFIX: &str = "steward-";

/// The API server, as the service account of this pod sees it.
pub(crate) struct Cluster {
    http: Client,
    secrets: String,
    token: String,
}

/// What is read of a secret.
#[derive(Deserialize)]
struct Secret {
    #[serde(default)]
    data: BTreeMap<String, String>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "resourceVersion")]
    version: String,
}

/// The version of each secret that was read, by name.
pub(crate) type Versions = BTreeMap<String, String>;

impl Cluster {
    /// That of the pod this runs in.
    ///
    /// # Errors
    /// When this is no pod, or its service account has no token.
    pub(crate) fn of_this_pod() -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        let account = variable("STEWARD_SERVICE_ACCOUNT").unwrap_or_else(|| ACCOUNT.to_owned());
        let read = |name: &str| {
            let file = Path::new(&account).join(name);
            std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read: no pod with a token?", file.display()))
        };
        let host = variable("KUBERNETES_SERVICE_HOST").context("KUBERNETES_SERVICE_HOST is not set: this is no pod")?;
        let port = variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let (token, namespace, authority) = (read("token")?, read("namespace")?, read("ca.crt")?);
        let http = Client::builder()
            .tls_certs_only([Certificate::from_pem(authority.as_bytes()).context("ca.crt of the service account")?])
            .timeout(std::time::Duration::from_secs(30))
            .build()?;
        let secrets = format!("https://{host}:{port}/api/v1/namespaces/{}/secrets", namespace.trim());
        Ok(Self { http, secrets, token: token.trim().to_owned() })
    }

    /// All of Steward's secrets that are there.
    ///
    /// # Errors
    /// When the API server is away or refuses.
    pub(crate) async fn load(&self) -> anyhow::Result<(Keyring, Versions)> {
        let names = services::all().map(|service| service.name);
        let (mut ring, mut versions) = (Keyring::new(), Versions::new());
        for name in names.into_iter().chain(["streams", "sys", "nats", "postgres", "issuer"]) {
            let answer = self.call(Method::GET, &format!("/{PREFIX}{name}"), None).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                continue;
            }
            let secret: Secret = allowed(answer, name).await?.json().await?;
            versions.insert(name.to_owned(), secret.metadata.version);
            let entries = secret.data.into_iter().map(|(key, text)| Ok((key, BASE64_STANDARD.decode(text)?)));
            ring.insert(name.to_owned(), entries.collect::<anyhow::Result<_>>()?);
        }
        Ok((ring, versions))
    }

    /// Writes one secret.
    ///
    /// * `read`: the version that was read, if it was there.
    ///
    /// # Errors
    /// When the API server is away or refuses; also when somebody else has made or changed it since.
    pub(crate) async fn save(
        &self,
        name: &str,
        entries: &BTreeMap<String, Vec<u8>>,
        read: Option<&String>,
    ) -> anyhow::Result<()> {
        let data: BTreeMap<_, _> = entries.iter().map(|(key, text)| (key, BASE64_STANDARD.encode(text))).collect();
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": format!("{PREFIX}{name}"), "labels": { "app.kubernetes.io/part-of": "steward" } },
            "type": "Opaque",
            "data": data,
        });
        let answer = if let Some(version) = read {
            body["metadata"]["resourceVersion"] = json!(version);
            self.call(Method::PUT, &format!("/{PREFIX}{name}"), Some(&body)).await?
        } else {
            self.call(Method::POST, "", Some(&body)).await?
        };
        let other = answer.status() == StatusCode::CONFLICT;
        anyhow::ensure!(!other, "secret {PREFIX}{name}: somebody else has changed it just now; repeat this");
        allowed(answer, name).await.map(drop)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<reqwest::Response> {
        let request = self.http.request(method, format!("{}{path}", self.secrets)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.context("the API server of the cluster does not answer")
    }
}

/// The answer, if it is a good one. The body of a refusal names what is missing, never a secret.
async fn allowed(answer: reqwest::Response, name: &str) -> anyhow::Result<reqwest::Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    #[derive(Deserialize)]
    struct Status {
        message: Option<String>,
    }
    let message = answer.json::<Status>().await.ok().and_then(|status| status.message).unwrap_or_default();
    anyhow::bail!("secret {PREFIX}{name}: {status} {message}")
}
