//! Who hears of what: the table against the contracts of all services, every command of the API, and the README.

use std::{collections::BTreeSet, env, fs, path::Path};

use serde_json::Value;
use steward_notification::domain::{
    AlertCause, Template,
    hearing::{As, COMMANDS, EVENTS, OWN, SILENT_COMMANDS, Tells, table},
};

const BEGIN: &str = "<!-- who hears of what: made of src/domain/hearing.rs -->\n";
const END: &str = "<!-- end -->\n";

fn each_once<'s>(what: &str, names: impl IntoIterator<Item = &'s str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in names {
        assert!(found.insert(name.to_owned()), "{what}: {name} is there twice");
    }
    found
}

#[test]
fn every_public_event_tells_somebody_or_says_why_not() {
    let contracts = steward_proto::ALL.iter().map(|event| format!("{}.{}", event.service, event.name));
    let contracts: BTreeSet<String> = contracts.collect();
    let listed = each_once("EVENTS", EVENTS.iter().map(|(event, _)| *event));
    let missing: Vec<_> = contracts.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&contracts).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "say in hearing.rs who hears of {missing:?}; no such event: {gone:?}"
    );
}

#[test]
fn every_command_of_the_api_leads_to_somebody_or_says_why_not() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap().values().flat_map(|methods| methods.as_object().unwrap());
    let commands = paths.filter(|(method, _)| ["post", "put", "patch", "delete"].contains(&method.as_str()));
    let commands: BTreeSet<String> =
        commands.map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned()).collect();
    let listed =
        COMMANDS.iter().map(|(command, _)| *command).chain(SILENT_COMMANDS.iter().map(|(command, _)| *command));
    let listed = each_once("COMMANDS", listed);
    let missing: Vec<_> = commands.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&commands).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "say in hearing.rs what comes of {missing:?}; no such command: {gone:?}"
    );

    let known = each_once("EVENTS and OWN", EVENTS.iter().chain(OWN).map(|(event, _)| *event));
    for (command, events) in COMMANDS {
        assert!(!events.is_empty() && events.iter().all(|event| known.contains(*event)), "{command}: {events:?}");
    }
}

#[test]
fn every_message_and_alert_has_its_reason() {
    let told: Vec<As> = EVENTS
        .iter()
        .chain(OWN)
        .flat_map(|(_, tells)| match tells {
            Tells::These(hearings) => hearings.iter().map(|hearing| hearing.told).collect(),
            Tells::Nobody(why) => {
                assert!(!why.is_empty());
                Vec::new()
            }
        })
        .collect();
    for template in Template::ALL.iter().copied() {
        assert!(told.contains(&As::Message(template)), "nothing tells the message {template}");
    }
    for cause in AlertCause::ALL.iter().copied() {
        assert!(told.contains(&As::Alert(cause)), "nothing tells the alert {cause}");
    }
}

#[test]
fn the_readme_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let table = table() + "\n";
    if shown != table && env::var_os("GOLDEN").is_some() && env::var_os("CI").is_none() {
        fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
        return;
    }
    assert!(shown == table, "the table of the README is not that of hearing.rs; GOLDEN=overwrite cargo test writes it");
}
