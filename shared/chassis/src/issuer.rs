//! The development issuer: signs access tokens on a developer's machine and in tests.
//!
//! It stands in for an OIDC provider, in the same wire format (RFC 9068 tokens, JWKS, discovery). A production
//! configuration refuses to trust it: see `config`.

use std::path::Path;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use steward_kernel::{Actor, Role};
use uuid::Uuid;

/// Audience of Steward's access tokens unless configured otherwise.
pub const AUDIENCE: &str = "steward";

/// A key that signs tokens, and who it says it is.
pub struct DevIssuer {
    issuer: String,
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl std::fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl DevIssuer {
    /// An issuer with a new key. Its URL ends in `/dev`, by which production knows and refuses it.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate(issuer: &str) -> anyhow::Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("a key could not be made"))?;
        Self::from_pkcs8(issuer, document.as_ref().to_vec())
    }

    /// The issuer whose key stands in that file; the file is made, readable by its owner only, when it is missing.
    ///
    /// # Errors
    /// When the file can be neither read nor made, or holds no key.
    pub fn load_or_generate(issuer: &str, key: &Path) -> anyhow::Result<Self> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        if !key.exists() {
            let new = Self::generate(issuer)?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(key)?;
            file.write_all(&new.pkcs8)?;
            return Ok(new);
        }
        Self::from_pkcs8(issuer, std::fs::read(key)?)
    }

    fn from_pkcs8(issuer: &str, pkcs8: Vec<u8>) -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|fault| anyhow::anyhow!("not a P-256 key: {fault}"))?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self { issuer: issuer.to_owned(), pkcs8, public })
    }

    /// Its key, as it stands in a file.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its URL, as in `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Identifier of its key.
    #[must_use]
    pub fn key_id(&self) -> String {
        BASE64.encode(&Sha256::digest(&self.public)[..12])
    }

    /// Its JWKS document.
    #[must_use]
    pub fn jwks(&self) -> Value {
        // An uncompressed point: 0x04, then x and y of 32 bytes each.
        let (x, y) = self.public[1..].split_at(32);
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id(),
            "x": BASE64.encode(x), "y": BASE64.encode(y),
        }]})
    }

    /// Its discovery document.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({"issuer": self.issuer, "jwks_uri": format!("{}/jwks.json", self.issuer)})
    }

    /// An access token for that actor, valid from `now` for so long.
    ///
    /// # Errors
    /// When signing fails.
    pub fn token(&self, actor: &Actor, now: DateTime<Utc>, valid: TimeDelta, jti: Uuid) -> anyhow::Result<String> {
        let mut claims = json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": actor.id.as_str(), "client_id": "steward-development",
            "iat": now.timestamp(), "exp": (now + valid).timestamp(), "jti": jti.to_string(),
            "tenant_id": actor.tenant.to_string(),
            "roles": actor.roles.iter().map(|role: &Role| role.as_str()).collect::<Vec<_>>(),
        });
        if let Some(estates) = &actor.estates {
            claims["estate_ids"] = json!(estates.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if let Some(resident) = actor.resident {
            claims["resident_id"] = json!(resident.to_string());
        }
        self.sign(&claims)
    }

    /// Signs any claims, for tests of what must be refused.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key_id());
        Ok(jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pkcs8))?)
    }
}
