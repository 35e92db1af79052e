//! The texts of messages: one template for each occasion that deserves a message, in every language.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use steward_kernel::{
    vocabulary::{CaseKind, Language},
    word_enum,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MessageId, noted, noted::TakenDownWord, wording::DigestWords};

word_enum! {
    /// What a message is about.
    Template {
        /// We have it.
        Received = "received",
        /// A person has taken it up.
        Acknowledged = "acknowledged",
        /// There is a plan for a complaint.
        PlanTold = "plan_told",
        /// It stands until the owner says something.
        AwaitingOwner = "awaiting_owner",
        /// A complaint is decided.
        Decided = "decided",
        /// What a decision promised is done.
        RemedyDone = "remedy_done",
        /// What was to be done for a complaint was called off.
        RemedyCalledOff = "remedy_called_off",
        /// It goes on after it was finished.
        Reopened = "reopened",
        /// It is closed.
        Closed = "closed",
        /// It was withdrawn or called off.
        Cancelled = "cancelled",
        /// A service request is not ours to carry out.
        Declined = "declined",
        /// We have a question about a service request.
        InfoRequested = "info_requested",
        /// A service request is confirmed.
        ServiceConfirmed = "service_confirmed",
        /// A time for a visit was agreed on.
        AppointmentSet = "appointment_set",
        /// Another time for a visit was agreed on.
        AppointmentMoved = "appointment_moved",
        /// A deadline was put off before its date.
        DeadlineExtended = "deadline_extended",
        /// The owner was given a time.
        PromiseMade = "promise_made",
        /// The owner was given another time.
        PromiseMoved = "promise_moved",
        /// A technician has the work order.
        TechnicianAssigned = "technician_assigned",
        /// The technician has set out.
        TechnicianOnTheWay = "technician_on_the_way",
        /// The work is paused.
        OnHold = "on_hold",
        /// The work is done, says the technician.
        WorkDone = "work_done",
        /// The work is done again, since the owner was not satisfied.
        Rework = "rework",
        /// An inquiry is answered.
        Answered = "answered",
        /// The call-back is on record.
        FollowedUp = "followed_up",
        /// Somebody looks into a suggestion.
        Considered = "considered",
        /// A suggestion is accepted.
        Accepted = "accepted",
        /// A suggestion is declined.
        SuggestionDeclined = "suggestion_declined",
        /// A suggestion is kept for later.
        Deferred = "deferred",
        /// A suggestion is planned.
        Planned = "planned",
        /// What was suggested is there.
        Delivered = "delivered",
        /// The owner is asked how it went.
        SurveyInvited = "survey_invited",
        /// The owner was right to object to a pause: its time counts.
        ObjectionUpheld = "objection_upheld",
        /// The owner's objection to a pause was looked into; the pause stays.
        ObjectionRefused = "objection_refused",
        /// Staff took down a word of the owner.
        TakenDown = "taken_down",
        /// Staff took down how the owner wants to be told.
        PreferenceTakenDown = "preference_taken_down",
    }
}

impl Template {
    /// The template for a milestone of a case; `None` when the milestone deserves no message: inner steps, what the
    /// owner did or saw themselves, and words of a newer intake.
    #[must_use]
    pub fn of(milestone: &str, kind: CaseKind) -> Option<Self> {
        match (milestone, kind) {
            ("withdrawn", _) => Some(Self::Cancelled),
            ("declined", CaseKind::Suggestion) => Some(Self::SuggestionDeclined),
            // These are no milestones.
            ("suggestion_declined" | "survey_invited" | "objection_upheld" | "objection_refused", _) => None,
            ("taken_down" | "preference_taken_down", _) => None,
            // These texts speak of a suggestion.
            ("considered" | "accepted" | "deferred" | "planned" | "delivered", kind)
                if kind != CaseKind::Suggestion =>
            {
                None
            }
            (word, _) => Self::parse(word),
        }
    }

    /// Whether it tells the end of a case. What was heard only after the end has lost its point; the timeline has it.
    #[must_use]
    pub const fn tells_the_end(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled | Self::Declined | Self::TakenDown)
    }

    /// The message of this template about that case: always the same for the same occasion, so it is born once.
    ///
    /// What can happen only once to a case (it is received) has one message, whoever tells of it.
    ///
    /// * `occasion`: the public event or survey that is the reason.
    #[must_use]
    pub fn message_about(self, case: Uuid, occasion: Uuid) -> MessageId {
        let name = match self {
            Self::Received => self.to_string(),
            repeatable => format!("{repeatable} {occasion}"),
        };
        Uuid::new_v5(&case, name.as_bytes()).into()
    }
}

word_enum! {
    /// What can stand in braces in a text.
    Variable {
        /// The reference of the case: `C-261123-7K3QD4`.
        Reference = "reference",
        /// The kind of the case as a word of the language: 投诉.
        Kind = "kind",
        /// When somebody comes, in the estate's time: 12月1日（周二）14:00–16:00.
        Window = "window",
        /// When somebody would have come before.
        OldWindow = "old_window",
        /// The date that the owner is given, in the estate's time: 12月4日（周五）10:00.
        Date = "date",
        /// The date that it takes the place of.
        OldDate = "old_date",
        /// What staff took down: 事项已解决.
        Noted = "noted",
        /// How the owner gave it: 来电.
        Way = "way",
        /// As what somebody took it down: 前台.
        Who = "who",
        /// In how many days the owner can come back on it.
        Days = "days",
    }
}

/// A window of time at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// The time zone of the estate.
    pub time_zone: Tz,
}

impl Window {
    /// As people of the estate say it.
    #[must_use]
    pub fn say(self, language: Language) -> String {
        let (from, to) = (self.from.with_timezone(&self.time_zone), self.to.with_timezone(&self.time_zone));
        let end = if from.date_naive() == to.date_naive() { String::new() } else { format!("{} ", day(&to, language)) };
        format!("{} {}–{end}{}", day(&from, language), from.format("%H:%M"), to.format("%H:%M"))
    }
}

/// A point in time at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: DateTime<Utc>,
    /// The time zone of the estate.
    pub time_zone: Tz,
}

impl Moment {
    /// As people of the estate say it.
    #[must_use]
    pub fn say(self, language: Language) -> String {
        let at = self.at.with_timezone(&self.time_zone);
        format!("{} {}", day(&at, language), at.format("%H:%M"))
    }
}

fn day(at: &DateTime<Tz>, language: Language) -> String {
    let weekday = at.weekday();
    match language {
        Language::ZhHans => format!("{}月{}日（周{}）", at.month(), at.day(), in_chinese(weekday)),
        Language::ZhHant => format!("{}月{}日（週{}）", at.month(), at.day(), in_chinese(weekday)),
        Language::En => at.format("%a %-d %b").to_string(),
    }
}

const fn in_chinese(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "一",
        Weekday::Tue => "二",
        Weekday::Wed => "三",
        Weekday::Thu => "四",
        Weekday::Fri => "五",
        Weekday::Sat => "六",
        Weekday::Sun => "日",
    }
}

/// The values of the variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables<'a> {
    /// The reference of the case.
    pub reference: &'a str,
    /// The kind of the case.
    pub kind: CaseKind,
    /// When somebody comes; none where nobody was promised to.
    pub window: Option<Window>,
    /// When somebody would have come before.
    pub old_window: Option<Window>,
    /// The date that the owner is given; none where it is not about one.
    pub date: Option<Moment>,
    /// The date that it takes the place of.
    pub old_date: Option<Moment>,
    /// The word that staff took down, where it is about one.
    pub taken_down: Option<TakenDownWord>,
    /// In how many days the owner can come back on it.
    pub days: u64,
}

impl<'a> Variables<'a> {
    /// Of a message that says nothing but which case it is about.
    #[must_use]
    pub const fn of(reference: &'a str, kind: CaseKind) -> Self {
        Self { reference, kind, window: None, old_window: None, date: None, old_date: None, taken_down: None, days: 0 }
    }
}

/// A title and a body; in a template with variables in braces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageText {
    /// One line.
    #[schema(example = "已收到您的{kind}")]
    pub title: String,
    /// A few sentences.
    #[schema(example = "您好，您的{kind}已登记，编号 {reference}。")]
    pub body: String,
}

/// Why a file of templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not JSON of the right form.
    #[error("templates cannot be read: {0}")]
    Unreadable(String),
    /// A template or a kind's word is missing in a language.
    #[error("no text for {0} in {1}")]
    Missing(&'static str, Language),
    /// A word of digests, or of what staff took down, is missing in a language.
    #[error("no word for {0} in {1}")]
    MissingWord(&'static str, Language),
    /// Something in braces is not a variable.
    #[error("{0} in {1} has something in braces that is not a variable")]
    UnknownVariable(&'static str, Language),
}

type InLanguages<T> = BTreeMap<Language, T>;

/// All texts, complete: every template, every kind and the words of digests in every language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Version of the texts; every change has a new one.
    version: u32,
    /// The words for the kinds of cases.
    kinds: BTreeMap<CaseKind, InLanguages<String>>,
    templates: BTreeMap<Template, InLanguages<MessageText>>,
    /// The words for what staff took down.
    taken_down: noted::InLanguages,
    /// The words of digests, which are put together when they are read.
    digests: InLanguages<DigestWords>,
}

impl Templates {
    /// The texts that ship with the product.
    pub const SHIPPED: &str = include_str!("../../templates.json");

    /// Reads and checks a file of templates.
    ///
    /// # Errors
    /// [`Broken`] names the first fault.
    pub fn parse(json: &str) -> Result<Self, Broken> {
        let read: Self = serde_json::from_str(json).map_err(|fault| Broken::Unreadable(fault.to_string()))?;
        for language in Language::ALL.iter().copied() {
            for kind in CaseKind::ALL.iter().copied() {
                read.kind(kind, language).ok_or(Broken::Missing(kind.as_str(), language))?;
            }
            for template in Template::ALL.iter().copied() {
                let text = read.text(template, language).ok_or(Broken::Missing(template.as_str(), language))?;
                if variables_of(text).is_none() {
                    return Err(Broken::UnknownVariable(template.as_str(), language));
                }
            }
            let words = read.digest_words(language).ok_or(Broken::MissingWord("anything", language))?;
            let noted = read.taken_down.get(&language).ok_or(Broken::MissingWord("anything", language))?;
            if let Some(missing) = words.missing().or(noted.missing()) {
                return Err(Broken::MissingWord(missing, language));
            }
        }
        Ok(read)
    }

    /// Version of the texts.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All templates with their texts.
    pub fn all(&self) -> impl Iterator<Item = (Template, &InLanguages<MessageText>)> {
        self.templates.iter().map(|(template, texts)| (*template, texts))
    }

    /// The variables that a template uses, in any language.
    #[must_use]
    pub fn variables(&self, template: Template) -> Vec<Variable> {
        let texts = self.templates.get(&template).into_iter().flat_map(BTreeMap::values);
        let mut used: Vec<_> = texts.filter_map(variables_of).flatten().collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// The text of a template with its variables filled in.
    #[must_use]
    pub fn render(&self, template: Template, language: Language, variables: &Variables<'_>) -> MessageText {
        // `parse` has seen that nothing is missing.
        let word = self.kind(variables.kind, language).unwrap_or_default();
        let windows = [variables.window, variables.old_window]
            .map(|window| window.map(|window| window.say(language)).unwrap_or_default());
        let dates =
            [variables.date, variables.old_date].map(|date| date.map(|date| date.say(language)).unwrap_or_default());
        let words = variables.taken_down.as_ref().zip(self.taken_down.get(&language));
        let [noted, way, who] = words.map(|(word, words)| words.say(word)).unwrap_or_default();
        let days = variables.days.to_string();
        // What people wrote comes last: nothing is filled in there.
        let fill = |text: &str| {
            Variable::ALL.iter().fold(text.to_owned(), |text, variable| {
                let value = match variable {
                    Variable::Reference => variables.reference,
                    Variable::Kind => word,
                    Variable::Window => &windows[0],
                    Variable::OldWindow => &windows[1],
                    Variable::Date => &dates[0],
                    Variable::OldDate => &dates[1],
                    Variable::Noted => noted,
                    Variable::Way => way,
                    Variable::Who => who,
                    Variable::Days => &days,
                };
                text.replace(&format!("{{{variable}}}"), value)
            })
        };
        self.text(template, language).map_or_else(
            || MessageText { title: String::new(), body: String::new() },
            |text| MessageText { title: fill(&text.title), body: fill(&text.body) },
        )
    }

    fn text(&self, template: Template, language: Language) -> Option<&MessageText> {
        self.templates.get(&template)?.get(&language)
    }

    pub(super) fn kind(&self, kind: CaseKind, language: Language) -> Option<&str> {
        self.kinds.get(&kind)?.get(&language).map(String::as_str)
    }

    pub(super) fn digest_words(&self, language: Language) -> Option<&DigestWords> {
        self.digests.get(&language)
    }
}

/// The variables in a text; `None` when something else stands in braces.
fn variables_of(text: &MessageText) -> Option<Vec<Variable>> {
    [&text.title, &text.body]
        .into_iter()
        .flat_map(|part| part.split('{').skip(1))
        .map(|rest| rest.split_once('}').and_then(|(word, _)| Variable::parse(word)))
        .collect()
}
