//! Day sums: what figures are made of.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::histogram::Histogram;

steward_kernel::word_enum! {
    /// What is counted. The words stand in the database: never rename.
    Measure {
        /// Cases by the day they were said; label: kind.
        Opened = "opened",
        /// The same; label: priority now.
        Priority = "priority",
        /// The same; label: status now.
        Status = "status",
        /// Those of them that are not over; no label.
        Open = "open",
        /// Those of them that came back after they were settled; no label.
        Reopened = "reopened",
        /// Time to the first human answer; label: bucket.
        FirstAnswer = "first_answer",
        /// Cases without a human answer that were not called off; no label.
        Unanswered = "unanswered",
        /// Time to the resolution that stands; label: bucket.
        Resolution = "resolution",
        /// Cases without one that were not called off; no label.
        Unresolved = "unresolved",
        /// Settled complaints and service requests, which an owner can confirm; no label.
        Confirmable = "confirmable",
        /// Those of them whose owner said by themselves that it is solved; no label.
        Confirmed = "confirmed",
        /// Those of them of which staff took down that the owner said so; no label.
        ConfirmedTakenDown = "confirmed_taken_down",
        /// Cases by the day of the resolution that stands; no label.
        Resolved = "resolved",
        /// Cases by the day they were closed; no label.
        Closed = "closed",
        /// Cases by the day they were called off; no label.
        Cancelled = "cancelled",
        /// Cases by the day they were declined as not the company's to do; no label.
        Declined = "declined",
        /// Resolved cases whose owner could not be asked, by the day of resolution; no label.
        NotAsked = "not_asked",
        /// Surveys by the day they were sent, without those of which nobody could be told; no label.
        Asked = "asked",
        /// Answers to them: the result; label: score.
        Outcome = "outcome",
        /// Answers to them that give the result no score; no label.
        OutcomeLeftOut = "outcome_left_out",
        /// Answers to them: how it was handled; label: score.
        Handling = "handling",
        /// Answers to them: the manner; label: score.
        Courtesy = "courtesy",
        /// Suggestions by the day they came; label: stage now.
        SuggestionStage = "suggestion_stage",
        /// The same; label: category.
        SuggestionCategory = "suggestion_category",
        /// Clocks that came out, by the day they did; label: outcome and what they measure.
        DeadlineMeasure = "deadline_measure",
        /// The same; label: outcome and priority.
        DeadlinePriority = "deadline_priority",
        /// The same; label: outcome and party.
        DeadlineParty = "deadline_party",
        /// Clocks that stopped without object when they were overdue already, by the day they stopped; no label.
        DeadlineVoidOverdue = "deadline_void_overdue",
        /// Clocks that were overdue when their case was entered; no label.
        DeadlineLate = "deadline_late",
        /// Seconds that counted on the company's clocks, by the day they stopped; no label.
        DeadlineElapsed = "deadline_elapsed",
        /// Seconds that did not because of pauses; no label.
        DeadlinePaused = "deadline_paused",
        /// Escalations by the day they were raised; label: level.
        EscalationLevel = "escalation_level",
        /// The same; label: cause.
        EscalationCause = "escalation_cause",
        /// Escalations by the day somebody took them in hand; no label.
        EscalationAcknowledged = "escalation_acknowledged",
        /// Promises by the day they were made or ended; label: `made` or outcome, and team.
        PromiseTeam = "promise_team",
    }
}

/// Between the two words of a label. Outcomes never have it inside, codes of teams may.
const BETWEEN: char = ':';

/// One sum: of a day, of a measure, of a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The day, as the people of the estate count it.
    pub on: NaiveDate,
    /// What is counted.
    pub measure: Measure,
    /// A word, two with a colon between them, or a bucket; empty for measures without.
    pub label: String,
}

/// Sums, or changes of sums, in the order of their keys. No zeros inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Key, i64>);

impl Tally {
    /// Counts one more.
    pub fn one(&mut self, on: NaiveDate, measure: Measure, label: impl ToString) {
        self.some(on, measure, label, 1);
    }

    /// Counts `n` more.
    pub fn some(&mut self, on: NaiveDate, measure: Measure, label: impl ToString, n: i64) {
        self.add(Key { on, measure, label: label.to_string() }, n);
    }

    /// Counts one more that came out in that way, under that word.
    pub fn outcome(&mut self, on: NaiveDate, measure: Measure, outcome: &str, word: &str) {
        self.outcomes(on, measure, outcome, word, 1);
    }

    /// Counts `n` more that came out in that way, under that word.
    pub fn outcomes(&mut self, on: NaiveDate, measure: Measure, outcome: &str, word: &str, n: i64) {
        self.some(on, measure, format!("{outcome}{BETWEEN}{word}"), n);
    }

    fn add(&mut self, key: Key, by: i64) {
        use std::collections::btree_map::Entry;
        match self.0.entry(key) {
            Entry::Vacant(empty) if by != 0 => drop(empty.insert(by)),
            Entry::Vacant(_) => {}
            Entry::Occupied(mut sum) => {
                *sum.get_mut() += by;
                if *sum.get() == 0 {
                    sum.remove();
                }
            }
        }
    }

    /// What has to be added to `before` to make it this.
    #[must_use]
    pub fn since(mut self, before: &Self) -> Self {
        for (key, n) in &before.0 {
            self.add(key.clone(), -n);
        }
        self
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (key, n) in &other.0 {
            self.add(key.clone(), *n);
        }
        self
    }

    /// Every sum, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, i64)> {
        self.0.iter().map(|(key, n)| (key, *n))
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sums over all days, as a period's read gives them.
    #[must_use]
    pub fn over_all_days(&self) -> Sums {
        self.iter().fold(Sums::default(), |mut sums, (key, n)| {
            sums.add(key.measure, &key.label, n);
            sums
        })
    }
}

/// The sums of a period: label to count, for each measure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<Measure, BTreeMap<String, u64>>);

impl Sums {
    /// Adds the sum of one label. Nothing is ever less than none.
    pub fn add(&mut self, measure: Measure, label: &str, n: i64) {
        if let Ok(n @ 1..) = u64::try_from(n) {
            *self.0.entry(measure).or_default().entry(label.to_owned()).or_default() += n;
        }
    }

    /// Label to count; these words are there even when nothing was counted under them.
    #[must_use]
    pub fn by_label<'a>(&self, measure: Measure, words: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<String, u64> = words.into_iter().map(|word| (word.to_owned(), 0)).collect();
        counts.extend(self.0.get(&measure).cloned().unwrap_or_default());
        counts
    }

    /// How what is counted came out, for each word; these words are there even when nothing was counted under them.
    #[must_use]
    pub fn outcomes<'a>(
        &self,
        measure: Measure,
        words: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<String, Outcomes> {
        let mut by_word: BTreeMap<String, Outcomes> =
            words.into_iter().map(|word| (word.to_owned(), Outcomes::default())).collect();
        for (label, n) in self.0.get(&measure).into_iter().flatten() {
            if let Some((outcome, word)) = label.split_once(BETWEEN) {
                *by_word.entry(word.to_owned()).or_default().0.entry(outcome.to_owned()).or_default() += n;
            }
        }
        by_word
    }

    /// All labels together.
    #[must_use]
    pub fn total(&self, measure: Measure) -> u64 {
        self.0.get(&measure).map_or(0, |labels| labels.values().sum())
    }

    /// Labels that are buckets.
    #[must_use]
    pub fn histogram(&self, measure: Measure) -> Histogram {
        self.numbers(measure).collect()
    }

    /// Labels that are numbers, with their counts.
    pub fn numbers<N: std::str::FromStr>(&self, measure: Measure) -> impl Iterator<Item = (N, u64)> {
        self.0.get(&measure).into_iter().flatten().filter_map(|(label, n)| Some((label.parse().ok()?, *n)))
    }
}

/// How many came out in which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes(BTreeMap<String, u64>);

impl Outcomes {
    /// How many came out in that way.
    #[must_use]
    pub fn of(&self, outcome: &str) -> u64 {
        self.0.get(outcome).copied().unwrap_or_default()
    }

    /// All of them together.
    #[must_use]
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        parts.into_iter().fold(Self::default(), |mut sum, part| {
            for (outcome, n) in &part.0 {
                *sum.0.entry(outcome.clone()).or_default() += n;
            }
            sum
        })
    }
}
