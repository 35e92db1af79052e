//! Figures of an estate, their dictionary, and the summary of its suggestions. All read day sums, never cases.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use steward_chassis::{
    Call, Error, Result,
    db::Tx,
    http::{Allowed, Json, Problems, Query},
};
use steward_kernel::ids::EstateId;

use super::{
    dto::{AcceptedSuggestion, DefinitionView, DefinitionsView, MetricsView, PeriodQuery, SummaryView},
    permission,
};
use crate::{
    app::App,
    domain::{day, dictionary, metrics::Figures, rollup::Measure, statistics::MINIMUM, suggestion::SuggestionStage},
    store::{figures, suggestions},
};

/// Days of a period when the caller does not say, the last one included.
const DEFAULT_DAYS: u64 = 30;
/// Most days of a period: three years.
const MOST_DAYS: i64 = 1_096;
/// Years that can be asked for.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2999;
/// Most suggestions in a summary.
const MOST_ACCEPTED: i64 = 20;

/// What the figures of a period are made of.
const MEASURES: [Measure; 32] = [
    Measure::Opened,
    Measure::Priority,
    Measure::Status,
    Measure::Reopened,
    Measure::FirstAnswer,
    Measure::Unanswered,
    Measure::Resolution,
    Measure::Unresolved,
    Measure::Confirmable,
    Measure::Confirmed,
    Measure::ConfirmedTakenDown,
    Measure::Resolved,
    Measure::Closed,
    Measure::Cancelled,
    Measure::Declined,
    Measure::DeadlineVoidOverdue,
    Measure::NotAsked,
    Measure::Asked,
    Measure::Outcome,
    Measure::OutcomeLeftOut,
    Measure::Handling,
    Measure::Courtesy,
    Measure::DeadlineMeasure,
    Measure::DeadlinePriority,
    Measure::DeadlineParty,
    Measure::DeadlineLate,
    Measure::DeadlineElapsed,
    Measure::DeadlinePaused,
    Measure::EscalationLevel,
    Measure::EscalationCause,
    Measure::EscalationAcknowledged,
    Measure::PromiseTeam,
];

/// Read the figures of an estate
///
/// Every figure is defined in the dictionary under its place in this answer. Cases that still wait count, and so
/// do deadlines that are overdue and still run; a score or share is shown with its interval, and not at all under
/// five answers, cases, deadlines or promises: `notes` says so then.
#[utoipa::path(
    get, path = "/v1/metrics", tag = "metrics",
    params(PeriodQuery),
    responses((status = 200, description = "The figures", body = MetricsView), Problems),
    security(("bearer" = ["metrics.read"])),
)]
pub async fn get_metrics(
    State(app): State<App>,
    call: Allowed<permission::ReadMetrics>,
    Query(query): Query<PeriodQuery>,
) -> Result<Json<MetricsView>> {
    let mut tx = app.read(&call).await?;
    let period = Period::of(&mut tx, &call, &query, app.clock.now()).await?;
    let estate = period.estate_id.get();
    let sums = figures::sums(&mut tx, estate, &MEASURES, (period.from, period.to)).await?;
    let open_now = figures::open_now(&mut tx, estate).await?;
    tx.rollback().await?;
    let figures = Figures::of(&sums, open_now);
    let withheld = figures.is_withholding().then(|| dictionary::WITHHELD.in_language(call.language));
    Ok(Json(MetricsView {
        estate_id: period.estate_id,
        from: period.from,
        to: period.to,
        definitions_version: dictionary::VERSION,
        minimum_answers: MINIMUM,
        notes: withheld.into_iter().collect(),
        figures,
    }))
}

/// Read the dictionary of figures
///
/// Formula, population and clock of each, in the language asked for.
#[utoipa::path(
    get, path = "/v1/metrics/definitions", tag = "metrics",
    responses((status = 200, description = "The dictionary", body = DefinitionsView), Problems),
    security(("bearer" = ["metrics.read"])),
)]
pub async fn get_definitions(call: Allowed<permission::ReadMetrics>) -> Result<Json<DefinitionsView>> {
    let items = dictionary::ALL.iter().map(|definition| DefinitionView::new(definition, call.language)).collect();
    Ok(Json(DefinitionsView { version: dictionary::VERSION, language: call.language, minimum_answers: MINIMUM, items }))
}

/// Read the summary of an estate's suggestions
///
/// How many came in the period, by stage now and by category, and what was accepted in it, newest decision
/// first, with the reason.
#[utoipa::path(
    get, path = "/v1/suggestions/summary", tag = "suggestions",
    params(PeriodQuery),
    responses((status = 200, description = "The summary", body = SummaryView), Problems),
    security(("bearer" = ["metrics.read"])),
)]
pub async fn summarise_suggestions(
    State(app): State<App>,
    call: Allowed<permission::ReadMetrics>,
    Query(query): Query<PeriodQuery>,
) -> Result<Json<SummaryView>> {
    let mut tx = app.read(&call).await?;
    let period = Period::of(&mut tx, &call, &query, app.clock.now()).await?;
    let measures = [Measure::SuggestionStage, Measure::SuggestionCategory];
    let sums = figures::sums(&mut tx, period.estate_id.get(), &measures, (period.from, period.to)).await?;
    let accepted = suggestions::accepted(&mut tx, period.estate_id, period.instants(), MOST_ACCEPTED).await?;
    tx.rollback().await?;
    let mut by_category: BTreeMap<String, u64> = sums.by_label(Measure::SuggestionCategory, []);
    by_category.retain(|_, n| *n > 0);
    Ok(Json(SummaryView {
        estate_id: period.estate_id,
        from: period.from,
        to: period.to,
        total: sums.total(Measure::SuggestionStage),
        by_stage: sums.by_label(Measure::SuggestionStage, SuggestionStage::ALL.iter().map(|stage| stage.as_str())),
        by_category,
        items: accepted.into_iter().map(AcceptedSuggestion::from).collect(),
    }))
}

/// Days of an estate that the caller may see.
#[derive(Debug)]
struct Period {
    estate_id: EstateId,
    zone: Tz,
    from: NaiveDate,
    to: NaiveDate,
}

impl Period {
    async fn of(tx: &mut Tx, call: &Call, query: &PeriodQuery, now: DateTime<Utc>) -> Result<Self> {
        let estate_id = query.estate_id;
        if !call.actor.sees_estate(estate_id) {
            return Err(Error::NotFound);
        }
        let zone = figures::zone_of(tx, estate_id.get()).await?.ok_or(Error::NotFound)?;
        let to = query.to.unwrap_or_else(|| day(now, zone));
        let from = query.from.unwrap_or_else(|| to.checked_sub_days(Days::new(DEFAULT_DAYS - 1)).unwrap_or(to));
        if !YEARS.contains(&from.year()) || !YEARS.contains(&to.year()) {
            return Err(Error::field("from", "out_of_range", "days must be of the years 2000 to 2999"));
        }
        match (to - from).num_days() {
            0..MOST_DAYS => Ok(Self { estate_id, zone, from, to }),
            ..0 => Err(Error::field("from", "after_to", "must not be after `to`")),
            MOST_DAYS.. => Err(Error::field("from", "too_long", format!("at most {MOST_DAYS} days can be asked for"))),
        }
    }

    /// From the first instant of the first day to the first after the last. Where the clocks go forward at
    /// midnight, from the first that is.
    fn instants(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let begin = |day: NaiveDate| {
            let midnight = day.and_time(chrono::NaiveTime::MIN);
            let local = midnight.and_local_timezone(self.zone).earliest();
            local.or_else(|| (midnight + TimeDelta::hours(1)).and_local_timezone(self.zone).earliest())
        };
        let end = self.to.checked_add_days(Days::new(1)).unwrap_or(self.to);
        let utc = |day| begin(day).map_or(DateTime::<Utc>::MIN_UTC, |local| local.with_timezone(&Utc));
        (utc(self.from), utc(end))
    }
}
