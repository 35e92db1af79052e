//! A toy service: tallies that are added to. It publishes `added`, hears `given` of a service called `giver`, and has a timer.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::extract::State;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use steward_chassis::{
    Call, Checked, Core, Engine, Error, Executed, Result, Service, Stored,
    db::{Db, Tx},
    http::{Allowed, Group, Json, Path, Problems, Routes, Versioned},
    inbox::Consumer,
    timers::Timer,
};
use steward_kernel::{
    Aggregate, ProblemKind, Recorded, Refuses, Role, id_type,
    message::{Contract, Outgoing, TimerChange, Undecodable},
};
use steward_testkit::{Kit, db::config};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

id_type! {
    /// A tally.
    TallyId
}

/// The largest amount that a tally takes at once.
pub const LIMIT: i64 = 1_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    pub id: TallyId,
    pub total: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Add(i64),
    Remind { after: chrono::TimeDelta, now: chrono::DateTime<chrono::Utc> },
    Ring,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    Added { amount: i64 },
    Secret { amount: i64 },
    Reminded { due_at: chrono::DateTime<chrono::Utc> },
    Rang,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    TooMuch,
}

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        ProblemKind::conflict("toy/too-much", "That is too much at once")
    }
}

impl Aggregate for Tally {
    const NAME: &'static str = "tally";
    type Id = TallyId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: TallyId) -> Self {
        Self { id, total: 0 }
    }

    fn decide(&self, command: &Command, (): &()) -> std::result::Result<Vec<Event>, Refusal> {
        match command {
            Command::Add(amount) if *amount > LIMIT => Err(Refusal::TooMuch),
            Command::Add(0) => Ok(vec![]),
            // Every third is told to one listener only, so that directed events are part of every test of order.
            Command::Add(amount) if amount % 3 == 0 => Ok(vec![Event::Secret { amount: *amount }]),
            Command::Add(amount) => Ok(vec![Event::Added { amount: *amount }]),
            Command::Remind { after, now } => Ok(vec![Event::Reminded { due_at: *now + *after }]),
            Command::Ring => Ok(vec![Event::Rang]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Added { amount } | Event::Secret { amount } => self.total += amount,
            Event::Reminded { .. } => {}
            Event::Rang => self.total += 1,
        }
        self
    }
}

/// A message of a number and a tally, for tests: `<tally> <amount>`.
macro_rules! message {
    ($name:ident, $service:literal, $event:literal, $receiver:expr) => {
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            pub tally: uuid::Uuid,
            pub amount: i64,
        }
        impl Contract for $name {
            const SERVICE: &'static str = $service;
            const NAME: &'static str = $event;
            const VERSION: u16 = 1;
            const RECEIVER: Option<&'static str> = $receiver;
            fn encode(&self) -> Vec<u8> {
                format!("{} {}", self.tally, self.amount).into_bytes()
            }
            fn decode(bytes: &[u8]) -> std::result::Result<Self, Undecodable> {
                let read = || {
                    let text = std::str::from_utf8(bytes).ok()?;
                    let (tally, amount) = text.split_once(' ')?;
                    Some(Self { tally: tally.parse().ok()?, amount: amount.parse().ok()? })
                };
                read().ok_or(Undecodable { name: $event, reason: "not a tally and an amount".to_owned() })
            }
        }
    };
}

message!(Added, "toy", "added", None);
message!(Secret, "toy", "secret", Some("toy"));
message!(Given, "giver", "given", None);

impl Stored for Tally {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let tenant = tx.tenant();
        sqlx::query(
            "INSERT INTO tally (tenant_id, tally_id, total, version) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, tally_id) DO UPDATE SET total = excluded.total, version = excluded.version",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(self.total)
        .bind(events.last().map_or(0, |event| event.version.get()))
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        match event.body {
            Event::Added { amount } => Some(Outgoing::new(Added { tally: self.id.get(), amount })),
            Event::Secret { amount } => Some(Outgoing::new(Secret { tally: self.id.get(), amount })),
            Event::Reminded { .. } | Event::Rang => None,
        }
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        match event.body {
            Event::Reminded { due_at } => vec![TimerChange::Set { name: "bell", due_at }],
            Event::Added { .. } | Event::Secret { .. } | Event::Rang => vec![],
        }
    }
}

/// A moment in the work of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has been claimed, nothing is done yet.
    Claimed,
    /// All is done but the commit.
    Done,
}

type Trouble = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Troubles = HashMap<Uuid, (u32, Moment, Trouble)>;

/// What still happens to the handlers of these tallies: how often, when, what.
static TROUBLE: LazyLock<Mutex<Troubles>> = LazyLock::new(Mutex::default);

/// Has this happen in the next handlings of what is about that tally.
pub fn happens<F>(tally: Uuid, times: u32, moment: Moment, what: impl Fn() -> F + Send + Sync + 'static)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let what: Trouble = Arc::new(move || Box::pin(what()));
    TROUBLE.lock().unwrap().insert(tally, (times, moment, what));
}

/// Has the next handlings of what is about that tally fail so; the fault may panic.
pub fn fails(tally: Uuid, times: u32, fault: fn() -> Error) {
    happens(tally, times, Moment::Claimed, move || async move { Err(fault()) });
}

async fn trouble(tally: Uuid, now: Moment) -> Result<()> {
    let found = {
        let mut known = TROUBLE.lock().unwrap();
        known.get_mut(&tally).filter(|(times, moment, _)| *times > 0 && *moment == now).map(|(times, _, what)| {
            *times -= 1;
            Arc::clone(what)
        })
    };
    match found {
        Some(what) => what().await,
        None => Ok(()),
    }
}

steward_chassis::permissions! {
    /// Adding to tallies.
    Add = "toy.add": [Handler, Admin];
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 5}))]
pub struct AddBody {
    amount: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TallyView {
    tally_id: TallyId,
    total: i64,
    version: i32,
}

/// Add to a tally
#[utoipa::path(post, path = "/v1/tallies/{tally_id}/add", params(("tally_id" = TallyId, Path)), request_body = AddBody,
    responses((status = 200, body = TallyView), Problems), security(("bearer" = ["toy.add"])))]
async fn add_to_tally(
    State(app): State<App>,
    call: Allowed<Add>,
    Path(id): Path<TallyId>,
    Json(body): Json<AddBody>,
) -> Result<Versioned<TallyView>> {
    let done: Executed<Tally> = app.engine.execute(&call, id, &Command::Add(body.amount), &()).await?;
    let view = TallyView { tally_id: id, total: done.state.total, version: done.version.get() };
    Ok(Versioned::ok(view, done.version).replayed(done.replayed))
}

#[derive(Debug, Clone)]
pub struct App {
    pub engine: Engine,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug)]
pub struct Toy;

static MIGRATOR: Migrator = sqlx::migrate!("tests/it/migrations");

impl Service for Toy {
    const NAME: &'static str = "toy";
    const ABOUT: &'static str = "Tallies.";
    const DEFAULTS: &'static str = "[service]\n";
    const GROUPS: &'static [Group] = &[Group { name: "tallies", about: "What is counted. It only grows." }];
    const RECORDED: &'static str = r#"{ "add_to_tally": { "codes": ["toy/too-much"] } }"#;
    type Config = Config;
    type App = App;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }
    fn routes() -> Routes<App> {
        Routes::new().routes(routes!(add_to_tally))
    }
    fn permissions() -> &'static [(&'static str, &'static [Role])] {
        ALL
    }
    fn problems() -> Vec<(ProblemKind, [&'static str; 2])> {
        vec![(Refusal::TooMuch.problem(), ["一次太多了", "一次太多了"])]
    }
    fn consumers() -> Vec<Consumer<App>> {
        vec![Consumer::of("giver").on::<Given, _>(|app, work, given| {
            Box::pin(async move {
                let _ = app;
                trouble(given.tally, Moment::Claimed).await?;
                if given.amount < 0 {
                    return Err(Error::refused(&Refusal::TooMuch));
                }
                let tenant = work.tx.tenant();
                sqlx::query("INSERT INTO heard (tenant_id, tally_id, amount) VALUES ($1, $2, $3)")
                    .bind(tenant.get())
                    .bind(given.tally)
                    .bind(given.amount)
                    .execute(work.tx.conn())
                    .await?;
                trouble(given.tally, Moment::Done).await
            })
        })]
    }
    fn timers() -> Vec<Timer<App>> {
        vec![Timer::on("tally", "bell", |_app, work, due| {
            Box::pin(async move {
                trouble(due.stream_id, Moment::Claimed).await?;
                work.execute::<Tally>(due.stream_id.into(), &Command::Ring, &()).await?;
                trouble(due.stream_id, Moment::Done).await
            })
        })]
    }
    fn build(core: Core, _config: Config) -> anyhow::Result<App> {
        Ok(App { engine: core.engine })
    }
}

/// Changes tallies beside the service, by the test's clock.
pub fn engine(t: &Kit) -> Engine {
    Engine::new(Db::connect_lazily(&config(&t.database), "toy").expect("pools"), t.clock.clone())
}

/// A call of an anonymous member of staff of the test company.
pub fn call() -> Call {
    Call::internal(steward_kernel::Actor::service(steward_testkit::TENANT.into(), "test"))
}
