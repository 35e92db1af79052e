//! Accounts and rights of the message server: each service its own user with exactly its subjects.

use std::fmt::Write as _;

use steward_chassis::{db::schema, messages::Subjects, streams::durable};

use crate::services;

/// First token of all subjects in production.
const PREFIX: &str = "steward";
/// What the user `streams` may ask of JetStream: to make, change and remove, never to read or to publish.
const STREAM_RIGHTS: [&str; 9] = [
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.CREATE.*",
    "$JS.API.STREAM.UPDATE.*",
    "$JS.API.STREAM.DELETE.*",
    "$JS.API.STREAM.PURGE.*",
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.CREATE.*.*",
    "$JS.API.CONSUMER.DELETE.*.*",
    "$JS.API.CONSUMER.LIST.*",
];

/// The part of the server's configuration that says who may do what. Public keys come from the environment: `INTAKE_NKEY`, …
#[must_use]
pub fn document() -> String {
    let mut text = "# Written by `steward accounts`; a test compares. Who may do what: each service publishes its own subjects, pulls from its own\n\
                    # consumers and reads its own answers. Streams and consumers are made by the user `streams`, since who may make them could\n\
                    # have any subject read and written. The public nkeys come from the environment.\n\
                    accounts {\n  STEWARD {\n    jetstream: enabled\n    users: [\n"
        .to_owned();
    for service in services::all() {
        user(&mut text, service.name, &rights(service.name), &heard(service.name));
    }
    user(&mut text, "streams", &STREAM_RIGHTS.map(str::to_owned), &[]);
    text.push_str("    ]\n  }\n  SYS {\n    users: [ { nkey: $SYS_NKEY } ]\n  }\n}\nsystem_account: SYS\n");
    text
}

/// The name under which the environment has the public key of a user.
#[must_use]
pub fn variable(user: &str) -> String {
    format!("{}_NKEY", schema(user).to_uppercase())
}

/// What a service publishes.
fn rights(service: &str) -> Vec<String> {
    let subjects = Subjects::new(PREFIX);
    let stream = subjects.stream(service);
    // Its own stream it may look into and empty: it alone knows what should be in it.
    let own = [
        subjects.everything_of(service),
        subjects.looked(service),
        format!("$JS.API.STREAM.INFO.{stream}"),
        format!("$JS.API.STREAM.MSG.GET.{stream}"),
        format!("$JS.API.STREAM.PURGE.{stream}"),
    ];
    let heard =
        services::topology().into_iter().filter(|(listener, _)| *listener == service).flat_map(|(_, source)| {
            let consumer = format!("{}.{}", subjects.stream(source), durable(service, source));
            [
                subjects.ask(source),
                format!("$JS.API.CONSUMER.INFO.{consumer}"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{consumer}"),
                // The two forms in which servers ask to be acknowledged.
                format!("$JS.ACK.{consumer}.>"),
                format!("$JS.ACK.*.*.{consumer}.>"),
            ]
        });
    own.into_iter().chain(heard).collect()
}

/// What a service hears beside its answers: that its stream is to be looked through, and that others have looked through theirs.
fn heard(service: &str) -> Vec<String> {
    let subjects = Subjects::new(PREFIX);
    let sources = services::topology().into_iter().filter(|(listener, _)| *listener == service);
    [subjects.ask(service)].into_iter().chain(sources.map(|(_, source)| subjects.looked(source))).collect()
}

fn user(text: &mut String, name: &str, publish: &[String], subscribe: &[String]) {
    let quoted: Vec<String> = publish.iter().map(|subject| format!("            \"{subject}\"")).collect();
    let answers = format!("{}.>", Subjects::inbox(name));
    let heard: Vec<String> = [&answers].into_iter().chain(subscribe).map(|subject| format!("\"{subject}\"")).collect();
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "      {{ # {name}\n        nkey: ${}\n        permissions: {{\n          publish: {{ allow: [\n{}\n          ] }}\n          \
         subscribe: {{ allow: [{}] }}\n        }}\n      }}\n",
        variable(name),
        quoted.join("\n"),
        heard.join(", "),
    );
}
