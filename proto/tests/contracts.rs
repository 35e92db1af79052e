//! The contracts between the services: what they are (golden file), what shape they have, and that they only grow.
//!
//! `GOLDEN=overwrite` rewrites `contracts.golden.txt`; `BASELINE=overwrite` takes what was added into `baseline.binpb`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use steward_kernel::message::{Contract, Outgoing, Undecodable};
use steward_proto::{ALL, ContractInfo, DESCRIPTOR, intake};

/// Name and type of every field, by full name of its message and by number.
type Fields = BTreeMap<(String, i32), String>;

#[test]
fn the_golden_file_lists_every_field_and_subject() {
    let mut lines = fields(&descriptor());
    for contract in ALL {
        // Number 0 is no field, so the subject stands above them.
        lines.insert((full_name(contract), 0), contract.subject("steward", "<tenant>"));
    }
    let actual = lines.iter().fold(String::new(), |mut text, ((message, number), what)| {
        let _ = match number {
            0 => writeln!(text, "{message} {what}"),
            _ => writeln!(text, "{message} #{number} {what}"),
        };
        text
    });

    let path = file("contracts.golden.txt");
    if overwrite("GOLDEN") {
        fs::write(&path, &actual).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let (was, is): (BTreeSet<_>, BTreeSet<_>) = (golden.lines().collect(), actual.lines().collect());
    let differences: Vec<String> = was
        .difference(&is)
        .map(|line| format!("- {line}"))
        .chain(is.difference(&was).map(|line| format!("+ {line}")))
        .collect();
    assert!(golden == actual, "contracts changed; if so meant: GOLDEN=overwrite\n{}", differences.join("\n"));
}

#[test]
fn contracts_only_grow() {
    let path = file("baseline.binpb");
    let now = descriptor();
    let baseline = fs::read(&path).map(|bytes| FileDescriptorSet::decode(&*bytes).expect("the baseline is whole"));
    if let Ok(baseline) = &baseline {
        let breaks = breaks(&fields(baseline), &fields(&now));
        assert!(breaks.is_empty(), "a breaking change is a new version beside the old one:\n{}", breaks.join("\n"));
    }
    // Behind the check: a break never gets into the baseline by overwriting it.
    if overwrite("BASELINE") {
        fs::write(&path, without_comments(now).encode_to_vec()).expect("the baseline can be written");
    } else {
        assert!(baseline.is_ok(), "baseline.binpb is missing or cannot be read: restore it from version control");
    }
}

#[test]
fn a_break_is_noticed_and_an_addition_is_none() {
    let line = |message: &str, number, what: &str| ((message.to_owned(), number), what.to_owned());
    let was = Fields::from([line("A", 1, "id string"), line("B", 1, "id string")]);
    let found = |now: &[_]| breaks(&was, &now.iter().cloned().collect());
    let (a, b) = (line("A", 1, "id string"), line("B", 1, "id string"));

    assert_eq!(found(&[a.clone(), b.clone(), line("A", 2, "at_ms int64"), line("C", 1, "id string")]), [""; 0]);
    assert_eq!(found(std::slice::from_ref(&a)), ["B #1 id string: removed"], "message");
    assert_eq!(found(&[a.clone(), line("B", 2, "id string")]), ["B #1 id string: removed"], "number");
    assert_eq!(found(&[a.clone(), line("B", 1, "key string")]), ["B #1 id string: now key string"], "name");
    assert_eq!(found(&[a, line("B", 1, "id repeated string")]), ["B #1 id string: now id repeated string"], "type");
}

#[test]
fn every_message_has_exactly_one_contract() {
    let mut messages: Vec<String> = messages(&descriptor()).map(|(name, _)| name).collect();
    let mut contracts: Vec<String> = ALL.iter().map(full_name).collect();
    messages.sort();
    contracts.sort();
    assert_eq!(contracts, messages);
}

#[test]
fn subjects_follow_from_messages() {
    let services: BTreeSet<&str> = ALL.iter().map(|contract| contract.service).collect();
    assert_eq!(services.len(), 5);
    for contract in ALL {
        assert_eq!(contract.name, kebab(contract.message));
        let package = format!("steward.{}.v{}", contract.service.replace('-', "_"), contract.version);
        assert_eq!(contract.package, package, "{}", contract.message);
        if let Some(receiver) = contract.receiver {
            assert!(services.contains(receiver) && receiver != contract.service, "{}: {receiver}", contract.message);
        }
    }
    let subjects: BTreeSet<String> = ALL.iter().map(|contract| contract.subject("steward", "t")).collect();
    assert_eq!(subjects.len(), ALL.len(), "two events share a subject");
}

#[test]
fn messages_are_flat_and_say_when() {
    for file in descriptor().file {
        assert!(file.dependency.is_empty() && file.enum_type.is_empty() && file.service.is_empty(), "{}", file.name());
    }
    for (name, message) in messages(&descriptor()) {
        assert!(message.nested_type.is_empty() && message.enum_type.is_empty(), "{name} is not flat");
        assert!(message.oneof_decl.is_empty(), "{name} has a choice or an optional field");
        assert!(
            message.field.iter().any(|field| matches!(field.name(), "at_ms" | "opened_at_ms")),
            "{name} does not say when it happened"
        );
        for field in &message.field {
            let id = field.name().ends_with("_id") || field.name().ends_with("_ids");
            assert!(!id || field.r#type() == Type::String, "{name}.{}: ids are text", field.name());
            let time = field.name().ends_with("_ms");
            assert!(!time || field.r#type() == Type::Int64, "{name}.{}: times are int64", field.name());
        }
    }
}

#[test]
fn words_that_people_wrote_go_to_one_service_only() {
    let heard_by_all: BTreeSet<String> = ALL.iter().filter(|c| c.receiver.is_none()).map(full_name).collect();
    for (name, message) in messages(&descriptor()) {
        let words = message.field.iter().any(|field| matches!(field.name(), "words" | "summary"));
        assert!(!words || !heard_by_all.contains(&name), "{name} is heard by all");
    }
}

#[test]
fn a_message_survives_the_wire() {
    let received = intake::ComplaintReceived {
        case_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        words: "电梯又停了".to_owned(),
        opened_at_ms: 1_775_000_000_000,
        ..Default::default()
    };
    let outgoing = Outgoing::new(received.clone());
    assert_eq!(outgoing.suffix, "complaint-received.v1.complaint");
    assert_eq!(read(&outgoing.bytes).ok(), Some(received));
}

#[test]
fn what_cannot_be_read_is_named_without_its_content() {
    // Field 10 (words), eight bytes of text that is no UTF-8.
    let bytes = [&[0x52, 8][..], b"secret\xff\xff"].concat();
    let error = read::<intake::ComplaintReceived>(&bytes).expect_err("not UTF-8").to_string();
    assert!(error.contains("complaint-received") && error.contains("words"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

/// As a consumer reads; prost's own `decode` has the same name.
fn read<C: Contract>(bytes: &[u8]) -> Result<C, Undecodable> {
    C::decode(bytes)
}

/// What the new contracts took from the old ones; additions are none.
fn breaks(was: &Fields, now: &Fields) -> Vec<String> {
    was.iter()
        .filter_map(|(key @ (message, number), old)| match now.get(key) {
            Some(new) if new == old => None,
            Some(new) => Some(format!("{message} #{number} {old}: now {new}")),
            None => Some(format!("{message} #{number} {old}: removed")),
        })
        .collect()
}

#[expect(clippy::expect_used, reason = "only tests call it")]
fn descriptor() -> FileDescriptorSet {
    FileDescriptorSet::decode(DESCRIPTOR).expect("the descriptor is whole")
}

fn without_comments(mut set: FileDescriptorSet) -> FileDescriptorSet {
    for file in &mut set.file {
        file.source_code_info = None;
    }
    set
}

fn messages(set: &FileDescriptorSet) -> impl Iterator<Item = (String, &DescriptorProto)> {
    set.file.iter().flat_map(|file| {
        file.message_type.iter().map(|message| (format!("{}.{}", file.package(), message.name()), message))
    })
}

fn fields(set: &FileDescriptorSet) -> Fields {
    messages(set)
        .flat_map(|(name, message)| {
            message.field.iter().map(move |field| ((name.clone(), field.number()), describe(field)))
        })
        .collect()
}

fn describe(field: &FieldDescriptorProto) -> String {
    let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
    let name_of_type = field.r#type().as_str_name().trim_start_matches("TYPE_").to_lowercase();
    format!("{} {repeated}{name_of_type}", field.name())
}

fn full_name(contract: &ContractInfo) -> String {
    format!("{}.{}", contract.package, contract.message)
}

fn kebab(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut kebab, (at, letter)| {
        if letter.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
        kebab
    })
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Whether that variable asks to rewrite a checked-in file; never on the build server.
fn overwrite(variable: &str) -> bool {
    let asked = env::var(variable).is_ok_and(|value| value == "overwrite");
    assert!(!asked || env::var_os("CI").is_none(), "{variable}=overwrite is refused when CI is set");
    asked
}
