//! Good and bad settings. The environment of the process is not touched: tests run side by side.

use super::*;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(with = "humantime_serde")]
    follow_up_after: Duration,
    api_token: Secret,
}

impl Checked for Own {
    fn findings(&self) -> Vec<String> {
        if self.follow_up_after.is_zero() { vec!["service.follow_up_after is 0".to_owned()] } else { Vec::new() }
    }
}

const OWN: &str = "[service]\nfollow_up_after = \"3days\"\napi_token = \"hush\"\n";

fn with(file: &str) -> Result<Loaded<Own>, Vec<String>> {
    let base = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(OWN));
    resolve(&base, &base.clone().merge(Toml::string(file)))
}

#[test]
fn the_defaults_are_good_for_development() {
    let core = CoreConfig::development().unwrap();
    assert_eq!(core.findings(), Vec::<String>::new());
    assert_eq!(core.http.request_timeout, Duration::from_secs(15));
    assert_eq!(with("").unwrap().service.follow_up_after, Duration::from_secs(3 * 24 * 3600));
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_without_values() {
    let findings = with(
        r#"
        [core.http]
        bnid = "x"
        rate_burst = "many"
        cursor_secret = 12345
        [core.nats]
        prefix = "a.b"
        [core.telemetry]
        log_format = "xml"
        [service]
        follow_up_after = "0s"
        more = 1
        [other]
        x = 1
        "#,
    )
    .unwrap_err();
    for expected in [
        "core.http.bnid is not a setting; known here: bind,",
        "core.http.rate_burst must be",
        "core.http.cursor_secret must be",
        "core.nats.prefix must be letters and digits",
        "core.telemetry.log_format must be one of json, pretty",
        "service.follow_up_after is 0",
        "service.more is not a setting",
        "other is not a section",
    ] {
        assert!(findings.iter().any(|finding| finding.starts_with(expected)), "{expected} in {findings:#?}");
    }
    assert!(!findings.join("\n").contains("12345"));
}

#[test]
fn secrets_are_not_printed() {
    let loaded = with("[core.http]\nbind = \"[::]:80\"").unwrap();
    let printed = loaded.effective.join("\n");
    assert!(printed.contains("core.http.bind = \"[::]:80\""), "{printed}");
    assert!(printed.contains("core.http.cursor_secret = ***"));
    assert!(printed.contains("core.database.url = ***"));
    assert!(printed.contains("service.api_token = ***") && !printed.contains("hush"));
    assert!(!format!("{loaded:?}").contains("hush"));
}

#[test]
fn an_address_is_printed_without_the_password_in_it() {
    let file = "[core]\nnats.url = \"nats://me:s3cret@one:4222,nats://me:s3cret@two:4222\"\n\
                auth.jwks_url = \"https://me:s3cret@id.example/jwks\"\ntelemetry.otlp_endpoint = \"http://me:s3cret@collector\"";
    let loaded = with(file).unwrap();
    let printed = format!("{}\n{loaded:?}", loaded.effective.join("\n"));
    assert!(printed.contains("core.nats.url = \"nats://***@one:4222,nats://***@two:4222\""), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_shown() {
    let findings = with("[core]\nhttp.bind = \"x\"\nhttp.cursor_secret = s3cret\n").unwrap_err();
    assert!(findings[0].contains("line 3") && !findings.join("\n").contains("s3cret"), "{findings:?}");
}

#[test]
fn a_secret_can_stand_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from the file\n").unwrap();
    let loaded = with(&format!("[service]\napi_token_file = \"{}\"", file.path().display())).unwrap();
    assert_eq!(loaded.service.api_token.expose_secret(), "from the file");
    let findings = with("[core.http]\ncursor_secret_file = \"/nowhere/at/all\"").unwrap_err();
    assert!(findings[0].starts_with("core.http.cursor_secret_file: /nowhere/at/all cannot be read"), "{findings:?}");
}

#[test]
fn the_environment_stands_over_all() {
    const CHILD: &str = "CONFIG_TEST_CHILD";
    if std::env::var_os(CHILD).is_none() {
        // The environment belongs to the whole process, so this test runs once more in one of its own.
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "config::tests::the_environment_stands_over_all"])
            .env(CHILD, "1")
            .env("STEWARD__CORE__HTTP__RATE_BURST", "7")
            .env("STEWARD__CORE__HTTP__REQUEST_TIMEOUT", "3s")
            .env("STEWARD__CORE__NATS__USER", "007")
            .env("STEWARD__CORE__NATS__PASSWORD", "0123")
            .env("STEWARD__CORE__AUTH__ACCEPTED_TYP", "[at+jwt, JWT]")
            .env("STEWARD__SERVICE__FOLLOW_UP_AFTER", "1s")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        return;
    }
    let Loaded { core, service, .. } = load::<Own>(OWN, None).unwrap();
    assert_eq!((core.http.rate_burst, core.http.request_timeout), (7, Duration::from_secs(3)));
    assert_eq!(core.nats.user.as_deref(), Some("007"));
    assert_eq!(core.nats.password.unwrap().expose_secret(), "0123");
    assert_eq!(core.auth.accepted_typ, ["at+jwt", "JWT"]);
    assert_eq!(service.follow_up_after, Duration::from_secs(1));
}

#[test]
fn production_trusts_nothing_that_is_for_development() {
    let findings = with("[core]\nenvironment = \"production\"").unwrap_err();
    // Whoever forgets a setting is told which.
    let named = ["core.auth.issuer", "core.auth ", "core.http.cursor_secret", "core.database.url", "core.nats.url"];
    assert_eq!(findings.len(), named.len(), "{findings:#?}");
    assert!(named.iter().all(|name| findings.iter().any(|finding| finding.starts_with(name))), "{findings:#?}");
    let good = "[core]\nenvironment = \"production\"\nhttp.cursor_secret = \"0123456789abcdef\"\n\
                database.url = \"postgres://{role}@db/steward\"\nnats.url = \"tls://nats:4222\"\n";
    let https = format!("{good}auth.issuer = \"https://id.example\"\n");
    assert!(with(&https).is_ok());
    for bad in ["auth.issuer = \"https://id.example/dev\"", "auth.issuer = \"http://id.example\""] {
        assert!(with(&format!("{good}{bad}")).is_err(), "{bad}");
    }
    for bad in ["auth.jwks_url = \"http://id.example/jwks\"", "auth.jwks_url = \"https://id.example/dev/jwks.json\""] {
        assert!(with(&format!("{https}{bad}")).is_err(), "{bad}");
    }
}

#[test]
fn addresses_and_keys_that_cannot_be_read_are_named_and_not_told() {
    for (bad, name) in [
        ("database.url = \"nonsense with s3cret\"", "core.database.url"),
        ("database.platform_url = \"postgres://x:s3cret@host:port/y\"", "core.database.platform_url"),
        ("database.url = \"postgres://one@db/steward\"", "core.database.platform_url"),
        ("nats.url = \"nats://a:4222, ://\"", "core.nats.url"),
        ("nats.nkey = \"s3cret\"", "core.nats.nkey"),
        ("nats.root_certificates = \"/nowhere/ca.crt\"", "core.nats.root_certificates"),
    ] {
        let findings = with(&format!("[core]\n{bad}")).unwrap_err();
        assert_eq!(findings.len(), 1, "{bad}: {findings:?}");
        assert!(findings[0].starts_with(name) && !findings[0].contains("s3cret"), "{bad}: {findings:?}");
    }
}

#[test]
fn a_secret_from_a_file_is_never_printed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789abcdef\nfedcba9876543210\n").unwrap();
    let loaded = with(&format!("[core]\nhttp.cursor_secret_file = {:?}", file.path())).unwrap();
    assert_eq!(loaded.core.http.cursor_secret.lines().len(), 2);
    let printed = loaded.effective.join("\n");
    assert!(printed.contains("core.http.cursor_secret = ***") && !printed.contains("abcdef"), "{printed}");
}
