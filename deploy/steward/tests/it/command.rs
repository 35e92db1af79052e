//! The built command, run against a test's database.

use std::process::Output;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgRow};
use steward_admin::services;
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_intake::Intake;
use steward_notification::Notification;
use steward_testkit::{
    Under,
    db::{self, Part, admin_url, url},
    under,
};

/// All five, for a test's system.
pub(crate) fn five() -> [Under; 5] {
    [
        under::<Intake>(),
        under::<Complaint>(),
        under::<Dispatch>(),
        under::<Notification>(),
        under::<FeedbackAnalytics>(),
    ]
}

/// A database with everything of all five.
pub(crate) async fn database() -> String {
    let parts: Vec<Part> = services::all().iter().map(|service| (service.name, (service.migrator)())).collect();
    db::fresh(&parts).await
}

/// How the command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) said: String,
    pub(crate) told: String,
}

impl Ran {
    /// What it said, when it ended well.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.said
    }

    /// The same, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.said).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }
}

/// Runs it.
pub(crate) async fn steward(database: &str, arguments: &[&str]) -> Ran {
    steward_with(database, arguments, &[]).await
}

/// Runs it with more in its environment.
pub(crate) async fn steward_with(database: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let Output { status, stdout, stderr } = tokio::process::Command::new(env!("CARGO_BIN_EXE_steward"))
        .args(arguments)
        .env("STEWARD_DATABASE_URL", url(&admin_url(), "{role}", database))
        .env("STEWARD_DATABASE_PASSWORD", "test")
        .envs(environment.iter().copied())
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), said: text(stdout), told: text(stderr) }
}

/// As superuser in the schema of a service.
pub(crate) async fn inside(database: &str, service: &str) -> PgConnection {
    let (head, _) = admin_url().rsplit_once('/').map(|(head, rest)| (head.to_owned(), rest.to_owned())).unwrap();
    let mut connection = PgConnection::connect(&format!("{head}/{database}")).await.unwrap();
    execute(&mut connection, &format!("SET search_path = {}", steward_chassis::db::schema(service))).await;
    connection
}

pub(crate) async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}

/// What a query gives.
pub(crate) async fn rows<T>(connection: &mut PgConnection, query: &str) -> Vec<T>
where
    T: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
{
    sqlx::query_as(AssertSqlSafe(query.to_owned())).fetch_all(connection).await.unwrap()
}
