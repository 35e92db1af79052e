//! Day sums and what they are made of.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::types::Json;
use steward_chassis::{Result, db::Tx};
use uuid::Uuid;

use crate::domain::{
    HOME,
    clock::ClockFact,
    fact::CaseFact,
    rollup::{Measure, Sums, Tally},
    zone,
};

/// What is kept of each thing that day sums count, so that they change by the difference.
pub(crate) trait Fact: PartialEq + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static {
    /// Reads it and locks its row, whether it was there or not. $1 tenant, $2 id, $3 estate.
    const CLAIM: &'static str;
    /// Writes it. $1 tenant, $2 id, $3 fact.
    const SAVE: &'static str;

    /// What it adds to the day sums.
    fn tally(&self) -> Tally;
}

// The update of a claim changes nothing, but locks the row.
impl Fact for CaseFact {
    const CLAIM: &'static str = "INSERT INTO case_fact (tenant_id, case_id, estate_id, fact) VALUES ($1, $2, $3, '{}')
         ON CONFLICT (tenant_id, case_id) DO UPDATE SET fact = case_fact.fact
         RETURNING fact, (SELECT time_zone FROM estate WHERE tenant_id = $1 AND estate_id = $3)";
    const SAVE: &'static str = "UPDATE case_fact SET fact = $3 WHERE tenant_id = $1 AND case_id = $2";

    fn tally(&self) -> Tally {
        Self::tally(self)
    }
}

impl Fact for ClockFact {
    const CLAIM: &'static str =
        "INSERT INTO clock_fact (tenant_id, clock_id, estate_id, fact) VALUES ($1, $2, $3, '{}')
         ON CONFLICT (tenant_id, clock_id) DO UPDATE SET fact = clock_fact.fact
         RETURNING fact, (SELECT time_zone FROM estate WHERE tenant_id = $1 AND estate_id = $3)";
    const SAVE: &'static str = "UPDATE clock_fact SET fact = $3 WHERE tenant_id = $1 AND clock_id = $2";

    fn tally(&self) -> Tally {
        Self::tally(self)
    }
}

/// What is known of a case or a clock, and the time zone of its estate.
#[derive(Debug, Clone)]
pub(crate) struct Known<F> {
    /// What is known.
    pub(crate) fact: F,
    /// Where its days begin.
    pub(crate) zone: Tz,
}

/// Writes down an estate; the newest word on it stands.
pub(crate) async fn register_estate(tx: &mut Tx, estate: Uuid, time_zone: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query(
        "INSERT INTO estate (tenant_id, estate_id, time_zone) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, estate_id) DO UPDATE SET time_zone = excluded.time_zone",
    )
    .bind(tenant.get())
    .bind(estate)
    .bind(time_zone)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The time zone of an estate; `None` when there is no such estate here.
pub(crate) async fn zone_of(tx: &mut Tx, estate: Uuid) -> Result<Option<Tz>> {
    let tenant = tx.tenant();
    let name: Option<String> =
        sqlx::query_scalar("SELECT time_zone FROM estate WHERE tenant_id = $1 AND estate_id = $2")
            .bind(tenant.get())
            .bind(estate)
            .fetch_optional(tx.conn())
            .await?;
    Ok(name.as_deref().map(zone))
}

/// The same; [`HOME`] for an estate whose registration was not heard yet.
pub(crate) async fn zone_or_home(tx: &mut Tx, estate: Uuid) -> Result<Tz> {
    Ok(zone_of(tx, estate).await?.unwrap_or(HOME))
}

/// What is known of it; nobody else changes it until the transaction ends.
pub(crate) async fn claim<F: Fact>(tx: &mut Tx, id: Uuid, estate: Uuid) -> Result<Known<F>> {
    let tenant = tx.tenant();
    let (fact, time_zone): (Json<F>, Option<String>) =
        sqlx::query_as(F::CLAIM).bind(tenant.get()).bind(id).bind(estate).fetch_one(tx.conn()).await?;
    Ok(Known { fact: fact.0, zone: time_zone.as_deref().map_or(HOME, zone) })
}

/// Writes down what is known now, and moves the day sums by the difference.
pub(crate) async fn save<F: Fact>(tx: &mut Tx, id: Uuid, estate: Uuid, before: &F, after: &F) -> Result<()> {
    if before == after {
        return Ok(());
    }
    let tenant = tx.tenant();
    sqlx::query(F::SAVE).bind(tenant.get()).bind(id).bind(Json(after)).execute(tx.conn()).await?;
    add(tx, estate, &after.tally().since(&before.tally())).await
}

/// Adds to the day sums of an estate, in the order of their keys, so that two transactions never wait for each other.
pub(crate) async fn add(tx: &mut Tx, estate: Uuid, change: &Tally) -> Result<()> {
    if change.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant();
    let (mut days, mut measures, mut labels, mut counts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, n) in change.iter() {
        days.push(key.on);
        measures.push(key.measure.as_str());
        labels.push(key.label.clone());
        counts.push(n);
    }
    sqlx::query(
        "INSERT INTO metric_day (tenant_id, estate_id, on_day, measure, label, n)
         SELECT $1, $2, change.* FROM unnest($3::date[], $4::text[], $5::text[], $6::bigint[]) AS change
         ON CONFLICT (tenant_id, estate_id, measure, on_day, label) DO UPDATE SET n = metric_day.n + excluded.n",
    )
    .bind(tenant.get())
    .bind(estate)
    .bind(days)
    .bind(measures)
    .bind(labels)
    .bind(counts)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The sums of some measures over a period, both days included.
pub(crate) async fn sums(
    tx: &mut Tx,
    estate: Uuid,
    measures: &[Measure],
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Sums> {
    let tenant = tx.tenant();
    let words: Vec<&str> = measures.iter().map(|measure| measure.as_str()).collect();
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT measure, label, sum(n)::bigint FROM metric_day
         WHERE tenant_id = $1 AND estate_id = $2 AND measure = ANY($3) AND on_day BETWEEN $4 AND $5
         GROUP BY measure, label",
    )
    .bind(tenant.get())
    .bind(estate)
    .bind(words)
    .bind(from)
    .bind(to)
    .fetch_all(tx.conn())
    .await?;
    let mut sums = Sums::default();
    for (measure, label, n) in rows {
        if let Some(measure) = Measure::parse(&measure) {
            sums.add(measure, &label, n);
        }
    }
    Ok(sums)
}

/// Cases of an estate that are not over, of all days.
pub(crate) async fn open_now(tx: &mut Tx, estate: Uuid) -> Result<u64> {
    let tenant = tx.tenant();
    let open: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(n), 0)::bigint FROM metric_day WHERE tenant_id = $1 AND estate_id = $2 AND measure = $3",
    )
    .bind(tenant.get())
    .bind(estate)
    .bind(Measure::Open.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(u64::try_from(open).unwrap_or_default())
}
