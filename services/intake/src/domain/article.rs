//! An article of the owner's handbook. Every change is a new version; answers cite the version they were given by.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
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

/// What can be asked of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write the first version.
    Write(Content),
    /// Write the next one.
    Revise(Content),
}

/// What happened to an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A version was written.
    Written(Content),
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
}

/// An article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// What its newest version says; `None` before the first.
    pub content: Option<Content>,
}

/// Whether this person may read what is written for that estate (`None` = for all).
#[must_use]
pub fn may_read(actor: &Actor, estate: Option<EstateId>) -> bool {
    estate.is_none_or(|estate| actor.sees_estate(estate))
}

/// Whether this person may write for that estate (`None` = for all): who has some estates only writes for them only.
fn may_write(actor: &Actor, estate: Option<EstateId>) -> bool {
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
        Self { id, content: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (&self.content, command) {
            (None, Command::Revise(_)) => Err(Refusal::NoSuchArticle),
            (Some(known), Command::Revise(_)) if !may_read(&facts.actor, known.estate) => Err(Refusal::NoSuchArticle),
            (None, Command::Write(new)) => written(facts, new),
            (Some(_), Command::Write(_)) => Err(Refusal::CodeTaken),
            (Some(known), Command::Revise(new)) if known == new => Ok(vec![]),
            (Some(known), Command::Revise(new)) if known.code != new.code => Err(Refusal::CodeIsFixed),
            (Some(known), Command::Revise(_)) if !may_write(&facts.actor, known.estate) => Err(Refusal::NotYourEstate),
            (Some(_), Command::Revise(new)) => written(facts, new),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Written(content) => Self { content: Some(content.clone()), ..self },
        }
    }
}

fn written(facts: &Facts, content: &Content) -> Result<Vec<Event>, Refusal> {
    if may_write(&facts.actor, content.estate) {
        Ok(vec![Event::Written(content.clone())])
    } else {
        Err(Refusal::NotYourEstate)
    }
}
