//! An article of the owner's handbook. Every change is a new version; answers cite the version they were given by.
//!
//! A text that is dated ahead is planned: nobody reads or cites it until its day begins. Then it is written by itself, as a
//! version of its own, so that lists, feeds and caches notice.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
    day::day,
    ids::EstateId,
    text::{Line, Text},
    vocabulary::Language,
};

use super::{ArticleId, estate::Code};

/// What an article says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its code; unique in the company, never changes.
    pub code: Code,
    /// Its title.
    pub title: Line,
    /// What it is about, usually a code of the taxonomy.
    pub category: Text<64>,
    /// The text.
    pub body: Text<20_000>,
    /// The language it is written in.
    pub language: Language,
    /// The estate it is for; `None` = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estate: Option<EstateId>,
    /// From which day on it is good; `None` = it has always been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
}

/// A text that is good later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What it will say.
    pub content: Content,
    /// When its day begins where it is for.
    pub takes_effect_at: DateTime<Utc>,
}

/// What can be asked of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write the first version.
    Write(Content),
    /// Write the next one.
    Revise(Content),
    /// Let what was planned for now be good.
    TakeEffect,
}

/// What happened to an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A version was written: it is good from now on.
    Written(Content),
    /// A version was written that is good later.
    Planned(Planned),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for the caller to see.
    NoSuchArticle,
    /// Another article has this code.
    CodeTaken,
    /// The code would change.
    CodeIsFixed,
    /// The caller works for some estates and may not write for this one, or for all.
    NotYourEstate,
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub actor: Actor,
    /// The time.
    pub now: DateTime<Utc>,
    /// The time zone of the estate it is for, or of the company.
    pub time_zone: Tz,
}

impl Facts {
    /// Whether a text is good later only, and from when on.
    fn ahead(&self, content: &Content) -> Option<DateTime<Utc>> {
        let from = content.valid_from.filter(|from| *from > day(self.now, self.time_zone))?;
        Some(begin_of(from, self.time_zone))
    }
}

/// When a local day begins. Where the clocks skip midnight, an hour later at most.
fn begin_of(day: NaiveDate, time_zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let found = midnight.and_local_timezone(time_zone).earliest();
    let after = || (midnight + TimeDelta::hours(1)).and_local_timezone(time_zone).earliest();
    found.or_else(after).map_or_else(|| midnight.and_utc(), |at| at.to_utc())
}

/// An article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// What is good now; `None` before the first version is.
    pub content: Option<Content>,
    /// What will be good later, in the order in which it will be.
    pub planned: Vec<Planned>,
}

impl Article {
    /// What is known of it: what is good now, or will be first.
    #[must_use]
    pub fn known(&self) -> Option<&Content> {
        self.content.as_ref().or_else(|| self.planned.first().map(|planned| &planned.content))
    }

    /// When the next planned text is good.
    #[must_use]
    pub fn changes_at(&self) -> Option<DateTime<Utc>> {
        self.planned.first().map(|planned| planned.takes_effect_at)
    }

    fn revise(&self, new: &Content, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let is_so = match facts.ahead(new) {
            None => self.content.as_ref() == Some(new),
            Some(_) => self.planned.iter().any(|planned| planned.content == *new),
        };
        if is_so { Ok(vec![]) } else { written(facts, new) }
    }

    fn take_effect(&self, now: DateTime<Utc>) -> Vec<Event> {
        let due = self.planned.iter().rev().find(|planned| planned.takes_effect_at <= now);
        due.map(|planned| Event::Written(planned.content.clone())).into_iter().collect()
    }
}

/// Whether this person may read what is written for that estate (`None` = for all).
#[must_use]
pub fn may_read(actor: &Actor, estate: Option<EstateId>) -> bool {
    estate.is_none_or(|estate| actor.sees_estate(estate))
}

/// Whether this person may write for that estate (`None` = for all): who has some estates only writes for them only.
#[must_use]
pub fn may_write(actor: &Actor, estate: Option<EstateId>) -> bool {
    estate.map_or(actor.estates.is_none(), |estate| actor.sees_estate(estate))
}

impl Aggregate for Article {
    const NAME: &'static str = "article";
    type Id = ArticleId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: ArticleId) -> Self {
        Self { id, content: None, planned: Vec::new() }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (self.known(), command) {
            (None, Command::Revise(_) | Command::TakeEffect) => Err(Refusal::NoSuchArticle),
            (Some(_), Command::TakeEffect) => Ok(self.take_effect(facts.now)),
            (Some(known), Command::Revise(_)) if !may_read(&facts.actor, known.estate) => Err(Refusal::NoSuchArticle),
            (None, Command::Write(new)) => written(facts, new),
            (Some(_), Command::Write(_)) => Err(Refusal::CodeTaken),
            (Some(known), Command::Revise(new)) if known.code != new.code => Err(Refusal::CodeIsFixed),
            (Some(known), Command::Revise(_)) if !may_write(&facts.actor, known.estate) => Err(Refusal::NotYourEstate),
            (Some(_), Command::Revise(new)) => self.revise(new, facts),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Written(content) => {
                // What was planned for a day up to that of this text is over with it.
                self.planned.retain(|planned| planned.content.valid_from > content.valid_from);
                self.content = Some(content.clone());
            }
            Event::Planned(new) => {
                self.planned.retain(|planned| planned.content.valid_from != new.content.valid_from);
                self.planned.push(new.clone());
                self.planned.sort_by_key(|planned| planned.takes_effect_at);
            }
        }
        self
    }
}

fn written(facts: &Facts, content: &Content) -> Result<Vec<Event>, Refusal> {
    if !may_write(&facts.actor, content.estate) {
        return Err(Refusal::NotYourEstate);
    }
    Ok(vec![match facts.ahead(content) {
        None => Event::Written(content.clone()),
        Some(takes_effect_at) => Event::Planned(Planned { content: content.clone(), takes_effect_at }),
    }])
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;
    use steward_kernel::{ActorId, Role, replay};
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn facts(now: &str) -> Facts {
        let actor = Actor {
            tenant: Uuid::from_u128(1).into(),
            id: ActorId::new("x"),
            roles: vec![Role::Manager],
            estates: None,
            resident: None,
        };
        Facts { actor, now: at(now), time_zone: chrono_tz::Asia::Shanghai }
    }

    fn content(price: &str, valid_from: Option<&str>) -> Content {
        Content {
            code: Text::try_new("PARK-01").unwrap(),
            title: Line::try_new("月卡").unwrap(),
            category: Text::try_new("parking.service").unwrap(),
            body: Text::try_new(&format!("月卡每月{price}元")).unwrap(),
            language: Language::ZhHans,
            estate: None,
            valid_from: valid_from.map(|day| day.parse().unwrap()),
        }
    }

    fn does(article: Article, command: &Command, now: &str) -> Article {
        let events = article.decide(command, &facts(now)).unwrap();
        replay(article, &events)
    }

    fn price(article: &Article) -> Option<&str> {
        article.content.as_ref().map(|content| content.body.as_str())
    }

    fn parking() -> Article {
        let written = Command::Write(content("300", None));
        does(Article::unborn(Uuid::from_u128(2).into()), &written, "2026-11-30T02:00:00Z")
    }

    #[test]
    fn a_text_for_next_year_is_good_when_its_day_begins_at_the_place() {
        let article = does(parking(), &Command::Revise(content("500", Some("2027-01-01"))), "2026-11-30T03:00:00Z");
        assert_eq!(price(&article), Some("月卡每月300元"));
        assert_eq!(article.changes_at(), Some(at("2026-12-31T16:00:00Z")), "midnight in China");
        let early = does(article.clone(), &Command::TakeEffect, "2026-12-31T15:59:59Z");
        assert_eq!(price(&early), Some("月卡每月300元"));
        let then = does(article, &Command::TakeEffect, "2026-12-31T16:00:00Z");
        assert_eq!((price(&then), then.changes_at()), (Some("月卡每月500元"), None));
    }

    #[test]
    fn a_text_of_today_or_the_past_is_good_at_once() {
        for day in ["2026-11-30", "2020-01-01"] {
            let article = does(parking(), &Command::Revise(content("500", Some(day))), "2026-11-29T17:00:00Z");
            assert_eq!(price(&article), Some("月卡每月500元"), "{day}");
        }
    }

    #[test]
    fn a_first_version_can_be_dated_ahead() {
        let new = Command::Write(content("300", Some("2027-01-01")));
        let article = does(Article::unborn(Uuid::from_u128(2).into()), &new, "2026-11-30T02:00:00Z");
        assert_eq!(price(&article), None);
        assert_eq!(article.decide(&new, &facts("2026-11-30T02:00:00Z")), Err(Refusal::CodeTaken));
        assert_eq!(price(&does(article, &Command::TakeEffect, "2027-01-02T00:00:00Z")), Some("月卡每月300元"));
    }

    #[test]
    fn a_correction_of_what_is_good_now_leaves_what_is_planned() {
        let article = does(parking(), &Command::Revise(content("500", Some("2027-01-01"))), "2026-11-30T03:00:00Z");
        let corrected = does(article, &Command::Revise(content("310", None)), "2026-12-01T03:00:00Z");
        assert_eq!(price(&corrected), Some("月卡每月310元"));
        assert_eq!(price(&does(corrected, &Command::TakeEffect, "2027-01-01T00:00:00Z")), Some("月卡每月500元"));
    }

    #[test]
    fn of_several_plans_for_a_day_the_last_word_holds_and_the_same_again_is_nothing() {
        let plan = |price| Command::Revise(content(price, Some("2027-01-01")));
        let article = does(parking(), &plan("500"), "2026-11-30T03:00:00Z");
        assert_eq!(article.decide(&plan("500"), &facts("2026-11-30T04:00:00Z")), Ok(vec![]));
        let again = does(article, &plan("450"), "2026-11-30T04:00:00Z");
        assert_eq!(again.planned.len(), 1);
        assert_eq!(price(&does(again, &Command::TakeEffect, "2027-01-01T00:00:00Z")), Some("月卡每月450元"));
    }

    proptest! {
        /// Whatever is planned in whatever order: what is good is the plan of the latest day that has begun.
        #[test]
        fn what_is_good_is_what_was_planned_for_the_latest_day_that_has_begun(
            days in prop::collection::vec(1_u64..40, 1..6),
            today in 0_u64..45,
        ) {
            let first: NaiveDate = "2026-11-30".parse().unwrap();
            let mut article = parking();
            for (number, ahead) in days.iter().enumerate() {
                let from = (first + Days::new(*ahead)).to_string();
                let plan = Command::Revise(content(&format!("{ahead}-{number}"), Some(&from)));
                article = does(article, &plan, "2026-11-30T03:00:00Z");
            }
            let now = format!("{}T00:00:00Z", first + Days::new(today));
            article = does(article, &Command::TakeEffect, &now);
            let begun = days.iter().enumerate().filter(|(_, ahead)| **ahead <= today).max_by_key(|(number, ahead)| (**ahead, *number));
            let expected = begun.map_or("月卡每月300元".to_owned(), |(number, ahead)| format!("月卡每月{ahead}-{number}元"));
            prop_assert_eq!(price(&article), Some(expected.as_str()));
        }
    }
}
