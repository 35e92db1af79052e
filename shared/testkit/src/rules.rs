//! Rules of the house that a machine checks: who may import whom (STYLE §2.7), and that nothing secret is printed.

use std::path::{Path, PathBuf};

/// What must not stand in the files of a room: (room, texts, rule).
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "domain",
        &[
            "sqlx",
            "axum",
            "tokio",
            "async_nats",
            "steward_chassis",
            "steward_proto",
            "crate::http",
            "crate::store",
            "tracing",
            "Utc::now",
        ],
        "domain is pure: it knows the kernel and itself",
    ),
    (
        "publish",
        &["sqlx", "axum", "tokio", "steward_chassis", "crate::store", "crate::http"],
        "publish maps private to public events, purely",
    ),
    ("store", &["axum", "async_nats", "crate::http", "steward_proto"], "store is SQL, not HTTP or messages"),
    ("http", &["sqlx", "async_nats", "steward_proto"], "http translates; SQL lives in store, messages in consume"),
    ("consume", &["axum", "crate::http"], "consume hears messages, not HTTP"),
    ("timers", &["axum", "sqlx", "crate::http"], "timers give commands"),
];

/// Checks the import directions in a service's `src`.
///
/// # Panics
/// With every breach: file, line, rule.
pub fn imports(src: impl AsRef<Path>) {
    let mut breaches = Vec::new();
    for file in rust_files(src.as_ref()) {
        let relative = file.strip_prefix(src.as_ref()).unwrap_or(&file).to_string_lossy().into_owned();
        let Some((room, words, rule)) = FORBIDDEN
            .iter()
            .find(|(room, ..)| relative.starts_with(&format!("{room}/")) || relative == format!("{room}.rs"))
        else {
            continue;
        };
        if relative.contains("_tests") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("read source");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in *words {
                if code.contains(&format!("{word}::")) || code.contains(&format!("use {word};")) {
                    breaches.push(format!("{relative}:{}: `{word}` in {room}: {rule}", number + 1));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "imports against the rules:\n{}", breaches.join("\n"));
}

/// Arguments of a command and of those below it whose values `--help` would repeat from the environment though they may hold a password.
#[must_use]
pub fn repeated_by_help(command: &clap::Command) -> Vec<String> {
    let words = ["URL", "PASSWORD", "ENDPOINT", "UPSTREAM"];
    let may_hold_one = |name: &str| words.iter().any(|word| name.contains(word)) && !name.ends_with("_FILE");
    let own = command.get_arguments().filter(|argument| !argument.is_hide_env_values_set());
    let own = own.filter_map(|argument| argument.get_env()?.to_str()).filter(|name| may_hold_one(name));
    own.map(str::to_owned).chain(command.get_subcommands().flat_map(repeated_by_help)).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("read folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
