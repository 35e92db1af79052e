//! What a listener does with every event that it hears, in each state of what it keeps: tried one by one on the running service, and
//! written down as a table.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, Value as Field, prost::Message as _};
use serde::Deserialize;
use serde_json::Value;
use steward_kernel::Role;
use steward_proto::{ALL, ContractInfo};
use steward_testkit::{Kit, TENANT, db::new_id, wait::within};

use uuid::Uuid;

/// Fields of an event, or parts of a request, with what is to stand in them. `{name}` is filled in with what is known by that name.
pub type Fields = &'static [(&'static str, &'static str)];

/// A step on the way into a state.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// It hears this event.
    Hears(&'static str, Fields),
    /// Somebody carries this out: role, path, body.
    Does(Role, &'static str, &'static str),
}

/// A state, and the way into it.
pub type State = (&'static str, &'static [Way]);

/// Something that a listener keeps of a case.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// What it is.
    pub name: &'static str,
    /// The kind of the case.
    pub kind: &'static str,
    /// The query that tells its state.
    pub state: &'static str,
    /// Ids that it gives, by name, each with the query of it; nothing until it is there.
    pub ids: &'static [(&'static str, &'static str)],
    /// What is known besides the log of events, by name, each with the query of a text that changes when it does.
    pub beside: &'static [(&'static str, &'static str)],
    /// Its states.
    pub states: &'static [State],
    /// The events that are tried, with what stands in them. An event may stand there several times, with different fields.
    pub events: &'static [(&'static str, Fields)],
}

/// The state of what is not there yet: what is heard of it before is put back until it is.
pub const NOT_THERE: &str = "not there";

/// A listener looks for a stream that is not there yet less and less often.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is another one in each case.
const IDS: [&str; 11] = [
    "case_id",
    "work_order_id",
    "remedy_id",
    "survey_id",
    "message_id",
    "file_id",
    "clock_id",
    "escalation_id",
    "promise_id",
    "task_id",
    "commitment_id",
];

/// A listener at work.
#[derive(Debug)]
pub struct Listener<'k> {
    kit: &'k Kit,
    service: &'static str,
    pool: DescriptorPool,
    /// What is known by name for all cases.
    common: Known,
}

/// What is seen of a listener.
#[derive(Debug, Deserialize)]
struct Seen {
    position: i64,
    recorded: Option<String>,
    state: Option<String>,
    beside: Vec<Option<String>>,
}

/// What is known, by name: of all cases, and of one.
pub type Known = BTreeMap<&'static str, String>;

impl<'k> Listener<'k> {
    /// The service that runs in the kit.
    ///
    /// # Panics
    /// When the contracts cannot be read.
    #[must_use]
    pub fn new(kit: &'k Kit, service: &'static str, common: Known) -> Self {
        Self { kit, service, pool: DescriptorPool::decode(steward_proto::DESCRIPTOR).expect("contracts"), common }
    }

    /// The table of what it keeps: a row for each event, a column for each state.
    ///
    /// # Panics
    /// When a state is not reached.
    pub async fn table(&self, kept: &Kept) -> String {
        let mut table = format!("**{}: {}**\n\n| event |", self.service, kept.name);
        for (state, _) in kept.states {
            let _ = write!(table, " {state} |");
        }
        table += "\n|---|";
        table += &"---|".repeat(kept.states.len());
        for (event, fields) in kept.events {
            let _ = write!(table, "\n| {} |", told(contract(event), fields));
            for state in kept.states {
                // Of what is not there yet only the event that begins it is taken.
                let cannot_be = state.0 == NOT_THERE && *event != kept.events[0].0;
                let done = if cannot_be { String::new() } else { self.tried(kept, state, event, fields).await };
                let _ = write!(table, " {done} |");
            }
        }
        table + "\n"
    }

    /// What it does with that event in that state.
    async fn tried(&self, kept: &Kept, (name, ways): &State, event: &'static str, fields: Fields) -> String {
        let mut known = self.common.clone();
        known.insert("kind", kept.kind.to_owned());
        for id in IDS {
            known.insert(id, new_id().to_string());
        }
        for way in *ways {
            self.go(way, &mut known).await;
            for (name, query) in kept.ids {
                let id = self.kit.text(self.service, &fill(query, &known)).await;
                known.extend(id.map(|id| (*name, id)));
            }
        }
        let before = self.look(kept, &known, 0).await;
        let reached = match &before.state {
            Some(state) => state == name,
            None => kept.state.is_empty() || name.starts_with("not "),
        };
        assert!(reached, "{}: {name} is {:?}", kept.name, before.state);
        let parked = self.hear(event, fields, &known).await;
        let after = self.look(kept, &known, before.position).await;
        let mut done = Vec::new();
        if after.state != before.state {
            done.push(format!("→ {}", after.state.unwrap_or_default()));
        }
        done.extend(after.recorded);
        let changed =
            before.beside.iter().zip(&after.beside).zip(kept.beside).filter(|((before, after), _)| before != after);
        done.extend(changed.map(|(_, (what, _))| (*what).to_owned()));
        if parked {
            done.push("**parked**".to_owned());
            self.kit.forgive_parked(self.service).await;
        }
        if done.is_empty() { "–".to_owned() } else { done.join("; ") }
    }

    /// What it keeps of that case, and what it has recorded since.
    async fn look(&self, kept: &Kept, known: &Known, since: i64) -> Seen {
        let recorded = format!(
            "SELECT string_agg(what, ', ' ORDER BY first) FROM (
                 SELECT replace(aggregate || ' ' || kind, '_', ' ') AS what, min(position) AS first
                 FROM event WHERE position > {since} GROUP BY 1) AS recorded"
        );
        let state = if kept.state.is_empty() { "NULL" } else { kept.state };
        let beside = kept.beside.iter().map(|(_, query)| format!("({query})::text")).collect::<Vec<_>>().join(", ");
        let all = format!(
            "SELECT json_build_object('position', (SELECT coalesce(max(position), 0) FROM event), 'recorded', ({recorded}),
                 'state', ({state}), 'beside', json_build_array({beside}))::text"
        );
        let seen = self.kit.text(self.service, &fill(&all, known)).await.expect("one row");
        serde_json::from_str(&seen).expect("what was asked for")
    }

    async fn go(&self, way: &Way, known: &mut Known) {
        match way {
            Way::Hears(event, fields) => assert!(!self.hear(event, fields, known).await, "{event} is parked"),
            Way::Does(role, path, body) => {
                let client = match role {
                    Role::Owner => self.kit.owner(known["resident_id"].parse().expect("an id")),
                    role => self.kit.client(*role),
                };
                let body: Value = serde_json::from_str(&fill(body, known)).expect("a body");
                let answer = client.post(&fill(path, known), body).await;
                assert!(answer.status < 300, "{path} answered {}: {}", answer.status, answer.text());
                learn(&answer.json(), known);
            }
        }
    }

    /// Lets it hear an event and waits until it is handled; whether it was parked.
    async fn hear(&self, event: &str, fields: Fields, known: &Known) -> bool {
        let contract = contract(event);
        let stream = new_id();
        let suffix = format!("{}.v{}", contract.name, contract.version);
        let suffix = contract.receiver.map_or_else(|| suffix.clone(), |receiver| format!("{suffix}.{receiver}"));
        let bytes = self.message(contract, fields, known);
        self.kit.publish_bytes(contract.service, &suffix, TENANT, stream, (1, 0), bytes).await;
        let handled = format!("SELECT max(parked::text) FROM inbox WHERE stream_id = '{stream}'");
        within(PATIENCE, &format!("{event} is handled"), || self.kit.text(self.service, &handled)).await == "true"
    }

    /// The event with what is known, and with those fields as they are given.
    fn message(&self, contract: &ContractInfo, fields: Fields, known: &Known) -> Vec<u8> {
        let name = format!("{}.{}", contract.package, contract.message);
        let descriptor = self.pool.get_message_by_name(&name).expect("a message");
        let mut message = DynamicMessage::new(descriptor.clone());
        for (name, value) in fields {
            assert!(descriptor.get_field_by_name(name).is_some(), "{}: no field {name}", contract.message);
            assert!(!value.is_empty() || known.contains_key(name), "{name} is empty anyway");
        }
        for field in descriptor.fields() {
            let given = fields.iter().find(|(name, _)| *name == field.name()).map(|(_, value)| fill(value, known));
            let Some(text) = given.or_else(|| known.get(field.name()).cloned()) else { continue };
            let value = match field.kind() {
                Kind::String => Field::String(text),
                Kind::Bool => Field::Bool(text == "true"),
                Kind::Int64 => Field::I64(text.parse().expect("a number")),
                Kind::Uint32 => Field::U32(text.parse().expect("a number")),
                other => panic!("{}: no {other:?} is known", field.name()),
            };
            message.set_field(&field, if field.is_list() { Field::List(vec![value]) } else { value });
        }
        message.encode_to_vec()
    }
}

/// The contract of a message.
fn contract(message: &str) -> &'static ContractInfo {
    ALL.iter().find(|contract| contract.message == message).unwrap_or_else(|| panic!("no event {message}"))
}

/// How the table calls an event with those fields.
fn told(contract: &ContractInfo, fields: Fields) -> String {
    let mut told = format!("`{}.{}`", contract.service, contract.name);
    for (name, value) in fields {
        let _ = match *value {
            "" => write!(told, " without {name}"),
            "true" => write!(told, " {name}"),
            "false" => write!(told, " not {name}"),
            value if value.starts_with('{') => Ok(()),
            value => write!(told, " {name} {value}"),
        };
    }
    told
}

fn fill(text: &str, known: &Known) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Ids that an answer tells.
fn learn(answer: &Value, known: &mut Known) {
    let within =
        |list: &str, name: &str| answer[list].as_array().and_then(|all| all.last()?[name].as_str().map(str::to_owned));
    let found = [
        ("case_id", answer["case_id"].as_str().map(str::to_owned)),
        ("work_order_id", answer["work_order_id"].as_str().map(str::to_owned)),
        ("point_id", within("points", "point_id")),
        ("remedy_id", within("remedies", "remedy_id")),
    ];
    known.extend(found.into_iter().filter_map(|(name, value)| Some((name, value?))));
}

/// A UUID that stands for somebody or something that is not looked at.
#[must_use]
pub fn some_id() -> String {
    Uuid::from_u128(7).to_string()
}
