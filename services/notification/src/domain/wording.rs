//! The words of digests and of their lines, in every language.

use std::collections::BTreeMap;

use serde::Deserialize;
use steward_kernel::vocabulary::{Language, Priority};

use super::{AlertCause, Matter, MessageText, SHOWN_LINES, Summary, Templates};

/// The words of digests in one language. What stands in braces is filled in: `{count}`, and what is named at a field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DigestWords {
    /// Title of a digest with one line.
    title_one: String,
    /// Title of a digest with several lines.
    title_many: String,
    /// Added to the title when some are overdue.
    title_overdue: String,
    /// Title of a digest whose matters are all in hand.
    title_settled: String,
    /// Sentence with the numbers by cause: `{items}`.
    by_cause: String,
    /// Sentence with the numbers by priority: `{items}`.
    by_priority: String,
    /// One of the items: `{word}`.
    item: String,
    /// Stands between items.
    separator: String,
    /// Sentence: how many are overdue.
    overdue: String,
    /// Sentence: how many are in hand.
    settled: String,
    /// Sentence: how many of many are shown.
    shown: String,
    /// One line: `{matter}`, `{cause}`.
    line: String,
    /// Added to a line that is overdue.
    line_overdue: String,
    /// Cause of a line about a clock: `{measure}`, `{share}`.
    line_share: String,
    /// A word for each cause.
    causes: BTreeMap<AlertCause, String>,
    /// A word for each thing that a clock measures.
    measures: BTreeMap<String, String>,
}

impl DigestWords {
    /// A cause that has no word.
    pub(super) fn missing(&self) -> Option<&'static str> {
        AlertCause::ALL.iter().find(|cause| !self.causes.contains_key(cause)).map(|cause| cause.as_str())
    }

    fn title(&self, summary: &Summary) -> String {
        if summary.waiting == 0 {
            return counted(&self.title_settled, summary.settled);
        }
        let title = if summary.waiting == 1 { &self.title_one } else { &self.title_many };
        let overdue = if summary.overdue > 0 { self.title_overdue.as_str() } else { "" };
        counted(title, summary.waiting) + &counted(overdue, summary.overdue)
    }

    fn body(&self, summary: &Summary) -> String {
        let causes = summary.by_cause.iter().map(|(cause, count)| self.item(self.cause(*cause), *count));
        let priorities = summary.by_priority.iter().map(|(priority, count)| self.item(priority.as_str(), *count));
        let shown = if summary.waiting > u32::from(SHOWN_LINES) { u32::from(SHOWN_LINES) } else { 0 };
        let numbers = [(&self.overdue, summary.overdue), (&self.settled, summary.settled), (&self.shown, shown)];
        let mut sentences =
            vec![self.items(&self.by_cause, causes.collect()), self.items(&self.by_priority, priorities.collect())];
        sentences.extend(numbers.into_iter().filter(|(_, count)| *count > 0).map(|(text, count)| counted(text, count)));
        sentences.concat().trim_end().to_owned()
    }

    fn items(&self, sentence: &str, items: Vec<String>) -> String {
        if items.is_empty() { String::new() } else { sentence.replace("{items}", &items.join(&self.separator)) }
    }

    fn item(&self, word: &str, count: u32) -> String {
        counted(&self.item, count).replace("{word}", word)
    }

    fn cause(&self, cause: AlertCause) -> &str {
        // `missing` has seen that none is.
        self.causes.get(&cause).map_or(cause.as_str(), String::as_str)
    }

    fn cause_of(&self, cause: AlertCause, matter: &Matter) -> String {
        let measure = matter.measure.as_ref().and_then(|measure| self.measures.get(measure));
        match (cause, measure, matter.share_percent) {
            (AlertCause::Share, Some(measure), Some(share)) => {
                self.line_share.replace("{measure}", measure).replace("{share}", &share.to_string())
            }
            _ => self.cause(cause).to_owned(),
        }
    }
}

fn counted(text: &str, count: u32) -> String {
    text.replace("{count}", &count.to_string())
}

impl Templates {
    /// What a digest says: its lines in numbers.
    #[must_use]
    pub fn digest(&self, language: Language, summary: &Summary) -> MessageText {
        let words = self.digest_words(language);
        words.map_or_else(
            || MessageText { title: String::new(), body: String::new() },
            |words| MessageText { title: words.title(summary), body: words.body(summary) },
        )
    }

    /// What an alert says, in one line: `P1 投诉 C-261123-7K3QD4：无人负责（已逾期）`.
    #[must_use]
    pub fn alert(&self, language: Language, cause: AlertCause, matter: &Matter, overdue: bool) -> String {
        let Some(words) = self.digest_words(language) else { return String::new() };
        let kind = matter.kind.and_then(|kind| self.kind(kind, language));
        let named = [matter.priority.map(Priority::as_str), kind, Some(matter.reference.as_str())];
        let named: Vec<&str> = named.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let line = words.line.replace("{cause}", &words.cause_of(cause, matter)).replace("{matter}", &named.join(" "));
        if overdue { line + &words.line_overdue } else { line }
    }
}
