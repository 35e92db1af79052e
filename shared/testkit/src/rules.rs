//! Rules of the house that a machine checks: who may import whom (STYLE §2.7), and that nothing secret is printed.

mod paths;

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
    let breaches = breaches(src.as_ref());
    assert!(breaches.is_empty(), "imports against the rules:\n{}", breaches.join("\n"));
}

fn breaches(src: &Path) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust_files(src) {
        let relative = file.strip_prefix(src).unwrap_or(&file);
        let shown = relative.display();
        let module = module_of(relative);
        let Some((room, forbidden, rule)) =
            FORBIDDEN.iter().find(|(room, ..)| module.first().is_some_and(|it| it == room))
        else {
            continue;
        };
        if module.iter().any(|name| name.ends_with("_tests")) {
            continue;
        }
        let source = std::fs::read_to_string(&file).expect("read source");
        for paths::Named { line, path } in paths::named(&source, module) {
            for word in forbidden.iter().filter(|word| leads_to(&path, word)) {
                breaches.push(format!("{shown}:{line}: `{word}` in {room}: {rule}"));
            }
        }
    }
    breaches
}

/// `domain/case/mod.rs` → `["domain", "case"]`.
fn module_of(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

/// Whether a path leads to that crate, module or function, or to everything around it.
fn leads_to(path: &[String], word: &str) -> bool {
    let word: Vec<&str> = word.split("::").collect();
    let (above, last) = word.split_at(word.len() - 1);
    // A type may come by any way.
    if above.iter().any(|name| name.starts_with(char::is_uppercase)) {
        return path.windows(word.len()).any(|part| part == word);
    }
    path.len() >= word.len()
        && path[..above.len()] == *above
        && (path[above.len()] == last[0] || path[above.len()] == "*")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is against the rules in a service that has one file more.
    fn planted(file: &str, source: &str) -> Vec<String> {
        let src = tempfile::tempdir().unwrap();
        let file = src.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, source).unwrap();
        breaches(src.path())
            .into_iter()
            .map(|breach| breach.split(": ").take(2).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn a_planted_breach_is_found_however_it_is_written() {
        let found = [
            ("domain/case.rs", "use crate::store::cases;", "1 `crate::store` in domain"),
            ("domain/case.rs", "use crate::{\n    app::App,\n    store,\n};", "3 `crate::store` in domain"),
            ("domain/case.rs", "use crate::store as kept;", "1 `crate::store` in domain"),
            ("domain/case.rs", "use super::super::http::Page;", "1 `crate::http` in domain"),
            ("domain/case/mod.rs", "use super::super::{http::{self, Page}};", "1 `crate::http` in domain"),
            (
                "domain/case.rs",
                "mod inner {\n    use super::super::super::store::Row;\n}",
                "2 `crate::store` in domain",
            ),
            ("domain.rs", "use crate::*;", "1 `crate::http` in domain"),
            ("domain/case.rs", "use ::sqlx::PgPool;", "1 `sqlx` in domain"),
            ("domain/case.rs", "use tokio;", "1 `tokio` in domain"),
            ("domain/case.rs", "fn now() -> i64 {\n    chrono::Utc::now().timestamp()\n}", "2 `Utc::now` in domain"),
            ("domain/case.rs", "fn f(pool: Option<&sqlx::PgPool>) {}", "1 `sqlx` in domain"),
            ("domain/case.rs", "fn f() {\n    tracing::info!(\"told\");\n}", "2 `tracing` in domain"),
            ("domain/case.rs", "fn f() {\n    json!({ \"at\":\n crate::http::at() });\n}", "3 `crate::http` in domain"),
            ("domain/case.rs", "#[derive(Debug,\n sqlx::FromRow)]\nstruct A;", "2 `sqlx` in domain"),
            ("domain/case.rs", "impl axum::extract::FromRef<A> for B {}", "1 `axum` in domain"),
            ("http/cases.rs", "use sqlx::{query, query_as};", "1 `sqlx` in http"),
            ("store/cases.rs", "use crate::http::Page;", "1 `crate::http` in store"),
            ("publish.rs", "use steward_chassis as engine;", "1 `steward_chassis` in publish"),
            ("consume.rs", "pub(crate) use crate::http::Page;", "1 `crate::http` in consume"),
            ("timers.rs", "use crate::http;", "1 `crate::http` in timers"),
        ];
        for (file, source, breach) in found {
            let told = planted(file, source);
            assert!(told.iter().any(|told| *told == format!("{file}:{breach}")), "{source}: {told:?}");
        }
    }

    #[test]
    fn what_is_no_breach_is_none() {
        for (file, source) in [
            ("domain/case.rs", "//! As `crate::store::cases` says.\nconst A: &str = \"sqlx::query\";"),
            ("domain/case.rs", "use steward_kernel::Actor;\nuse super::{opening, http_status};"),
            ("domain/case.rs", "fn f(store: u8, tokio: u8) -> u8 { store + tokio }"),
            ("domain/case.rs", "#[cfg(test)]\nmod tests {\n    use sqlx::PgPool;\n}"),
            ("domain/case_tests.rs", "use sqlx::PgPool;"),
            ("lib.rs", "use sqlx::PgPool;\nuse crate::{http, store};"),
            ("http/cases.rs", "use crate::{domain::case, store};"),
            ("store/cases.rs", "use sqlx::Row;"),
        ] {
            assert_eq!(planted(file, source), [] as [String; 0], "{source}");
        }
    }
}
