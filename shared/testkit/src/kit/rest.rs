//! Waiting until the services of a test have heard all of each other.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection};
use steward_chassis::db::schema;

use super::{Kit, superuser};

/// The longest that nothing changes before rest: what comes out of turn on a busy machine is put back for up to half a minute.
const STUCK: Duration = Duration::from_secs(60);
/// How often in a row nothing must be left to do: between two looks something may be on its way.
const CALM: usize = 2;

impl Kit {
    /// Waits until everything is published and heard and nothing is due, however long it takes, as long as it goes on.
    ///
    /// # Panics
    /// When nothing changes for a minute of real time; says what is left to do.
    pub async fn rests(&self) {
        let (mut left, mut changed, mut calm) = (None, Instant::now(), 0);
        let mut connection = self.database_as(&superuser(&self.database)).await;
        while calm < CALM {
            let now = self.unrest(&mut connection).await;
            calm = if now.is_none() { calm + 1 } else { 0 };
            if now != left {
                (left, changed) = (now, Instant::now());
            }
            assert!(changed.elapsed() < STUCK, "no rest: {left:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// What is still to be published, heard or done, in words; nothing at rest.
    async fn unrest(&self, connection: &mut PgConnection) -> Option<String> {
        let left = |service: &&str| {
            let schema = schema(service);
            format!(
                "SELECT '{service}' AS service, (SELECT count(*) FROM {schema}.outbox) AS outbox,
                 (SELECT count(*) FROM {schema}.timer WHERE due_at <= $1) AS timers,
                 (SELECT count(*) FROM {schema}.early_message) AS early"
            )
        };
        let query = self.services.iter().map(left).collect::<Vec<_>>().join(" UNION ALL ");
        let rows: Vec<(String, i64, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(query)).bind(self.clock.now()).fetch_all(connection).await.expect("counts");
        if let Some(row) = rows.iter().find(|(_, outbox, timers, early)| outbox + timers + early > 0) {
            return Some(format!("{row:?}"));
        }
        for service in &self.services {
            let name = self.messages.subjects.stream(service);
            let Ok(stream) = self.messages.js.get_stream(&name).await else {
                return Some(format!("{name} is not there"));
            };
            let mut consumers = stream.consumers();
            while let Some(consumer) = consumers.next().await {
                let Ok(consumer) = consumer else { return Some(format!("the consumers of {name}")) };
                let waits = consumer.num_pending + u64::try_from(consumer.num_ack_pending).unwrap_or(1);
                if waits > 0 {
                    return Some(format!("{} hears {waits} more", consumer.name));
                }
            }
        }
        None
    }
}
