//! A notice: a text for the households of some estates, written by one person and approved by another.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, ActorId, Aggregate, ProblemKind, Refuses, id_type,
    ids::EstateId,
    text::{Line, Text, Words},
    vocabulary::Language,
    word_enum,
};

id_type! {
    /// A notice (公告).
    NoticeId
}

/// Why a notice is taken back. At most 500 characters.
pub type Reason = Text<500>;

word_enum! {
    /// Where a notice stands (DOMAIN.md §3). On the bulletin board it is sent when it is published.
    NoticeStatus {
        /// It is being written.
        Draft = "draft",
        /// It waits for a second person.
        InReview = "in_review",
        /// A second person agrees.
        Approved = "approved",
        /// Households can read it.
        Sent = "sent",
        /// It was taken back.
        Recalled = "recalled",
        /// Its time is over.
        Expired = "expired",
    }
}

/// What a notice says, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeContent {
    /// The estates whose households may read it.
    pub estates: Vec<EstateId>,
    /// One line.
    pub title: Line,
    /// The text.
    pub body: Words,
    /// Its language.
    pub language: Language,
    /// When its time is over; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What can be asked of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write it.
    Write(Box<NoticeContent>),
    /// Ask a second person.
    Submit,
    /// Agree, as the second person.
    Approve,
    /// Put it on the bulletin board.
    Publish,
    /// Take it back.
    Recall {
        /// Why.
        reason: Reason,
    },
    /// Its time is over.
    Expire,
}

/// What happened to a notice. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was written.
    Written {
        /// What it says.
        content: Box<NoticeContent>,
        /// By whom.
        by: ActorId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A second person was asked.
    Submitted,
    /// A second person agreed.
    Approved {
        /// Who.
        by: ActorId,
    },
    /// It was put on the bulletin board.
    Published {
        /// When.
        at: DateTime<Utc>,
    },
    /// It was taken back.
    Recalled {
        /// Why.
        reason: Reason,
    },
    /// Its time was over.
    Expired,
}

/// Why something asked of a notice is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for the caller to see.
    NoSuchNotice,
    /// Not in this state; what is possible now.
    NotAllowedNow(Vec<&'static str>),
    /// Its author cannot be the second person.
    SamePerson,
    /// Its time was over before it was published.
    ExpiredBefore,
    /// We know no such estate, or it is not the caller's; where in the list it stands.
    UnknownEstate(usize),
    /// Its time would be over already.
    ExpiresInThePast,
    /// It speaks to estates that the caller does not work for, too.
    NotAllYours,
}

impl Refusal {
    /// One of each kind.
    pub const ALL: [Self; 7] = [
        Self::NoSuchNotice,
        Self::NotAllowedNow(Vec::new()),
        Self::SamePerson,
        Self::ExpiredBefore,
        Self::UnknownEstate(0),
        Self::ExpiresInThePast,
        Self::NotAllYours,
    ];
}

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        use ProblemKind as P;
        match self {
            Self::NoSuchNotice => P::not_found("notice/no-such-notice", "There is no such notice"),
            Self::NotAllowedNow(_) => P::conflict("notice/not-allowed-now", "Not in this state of the notice"),
            Self::SamePerson => {
                P::forbidden("notice/same-person", "A notice is approved by another person than its author")
            }
            Self::ExpiredBefore => P::conflict("notice/expired-before", "The notice expired before it was published"),
            Self::UnknownEstate(_) => P::unprocessable("notice/unknown-estate", "There is no such estate"),
            Self::ExpiresInThePast => {
                P::unprocessable("notice/expires-in-the-past", "The notice would have expired already")
            }
            Self::NotAllYours => P::forbidden(
                "notice/not-all-yours",
                "Whoever acts on a notice works for every estate that it speaks to",
            ),
        }
    }

    fn allowed(&self) -> Vec<&'static str> {
        match self {
            Self::NotAllowedNow(allowed) => allowed.clone(),
            Self::ExpiredBefore => vec!["recall"],
            Self::NoSuchNotice
            | Self::SamePerson
            | Self::UnknownEstate(_)
            | Self::ExpiresInThePast
            | Self::NotAllYours => Vec::new(),
        }
    }

    fn field(&self) -> Option<(String, String)> {
        match self {
            Self::UnknownEstate(at) => Some((format!("/estate_ids/{at}"), "must be an estate of yours".to_owned())),
            Self::ExpiresInThePast => Some(("/expires_at".to_owned(), "must be later than now".to_owned())),
            Self::NoSuchNotice
            | Self::NotAllowedNow(_)
            | Self::SamePerson
            | Self::ExpiredBefore
            | Self::NotAllYours => None,
        }
    }
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Those of the notice's estates that are in the register; needed to write one.
    pub estates: Vec<EstateId>,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Which one.
    pub id: NoticeId,
    /// Where it stands; `None` before it was written.
    pub status: Option<NoticeStatus>,
    /// What it says; `None` before it was written.
    pub content: Option<NoticeContent>,
    /// Who wrote it.
    pub author: Option<ActorId>,
    /// The second person.
    pub approver: Option<ActorId>,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was put on the bulletin board.
    pub published_at: Option<DateTime<Utc>>,
    /// Why it was taken back.
    pub recall_reason: Option<Reason>,
}

impl Notice {
    /// The commands that are legal now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        match self.status {
            None | Some(NoticeStatus::Recalled | NoticeStatus::Expired) => vec![],
            Some(NoticeStatus::Draft) => vec!["submit", "recall"],
            Some(NoticeStatus::InReview) => vec!["approve", "recall"],
            Some(NoticeStatus::Approved) => vec!["publish", "recall"],
            Some(NoticeStatus::Sent) => vec!["recall"],
        }
    }

    /// Whether that actor may see it: staff by estate, owners what was ever on the board of theirs, so that whoever
    /// has read a notice can also read that it was taken back, and why.
    #[must_use]
    pub fn shows_to(&self, actor: &Actor) -> bool {
        let Some(content) = &self.content else { return false };
        let published = self.published_at.is_some();
        content.estates.iter().any(|estate| actor.sees_estate(*estate)) && (published || !actor.is_only_owner())
    }

    /// Whether that actor works for everybody it speaks to.
    fn is_all_of(&self, actor: &Actor) -> bool {
        self.content.iter().flat_map(|content| &content.estates).all(|estate| actor.sees_estate(*estate))
    }

    fn write(content: &NoticeContent, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let unknown = |estate: &EstateId| !facts.estates.contains(estate) || !facts.actor.sees_estate(*estate);
        if let Some(at) = content.estates.iter().position(unknown) {
            return Err(Refusal::UnknownEstate(at));
        }
        if content.is_over(facts.now) {
            return Err(Refusal::ExpiresInThePast);
        }
        let content = Box::new(content.clone());
        Ok(vec![Event::Written { content, by: facts.actor.id.clone(), at: facts.now }])
    }

    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.content.as_ref().is_some_and(|content| content.is_over(now))
    }

    fn is_authors(&self, actor: &Actor) -> bool {
        self.author.as_ref() == Some(&actor.id)
    }
}

impl NoticeContent {
    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Aggregate for Notice {
    const NAME: &'static str = "notice";
    type Id = NoticeId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: NoticeId) -> Self {
        Self {
            id,
            status: None,
            content: None,
            author: None,
            approver: None,
            created_at: None,
            published_at: None,
            recall_reason: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, NoticeStatus as S};
        let not_now = || Err(Refusal::NotAllowedNow(self.allowed()));
        if self.status.is_some() && !self.shows_to(&facts.actor) {
            return Err(Refusal::NoSuchNotice);
        }
        if !self.is_all_of(&facts.actor) {
            return Err(Refusal::NotAllYours);
        }
        match (self.status, command) {
            (None, C::Write(content)) => Self::write(content, facts),
            (None, C::Submit | C::Approve | C::Publish | C::Recall { .. } | C::Expire) => Err(Refusal::NoSuchNotice),
            (Some(_), C::Write(_)) => not_now(),

            (Some(S::Draft), C::Submit) => Ok(vec![Event::Submitted]),
            (Some(S::InReview), C::Submit) | (Some(S::Approved), C::Approve) | (Some(S::Sent), C::Publish) => {
                Ok(vec![])
            }
            (Some(S::InReview), C::Approve) if self.is_authors(&facts.actor) => Err(Refusal::SamePerson),
            (Some(S::InReview), C::Approve) => Ok(vec![Event::Approved { by: facts.actor.id.clone() }]),
            (Some(S::Approved), C::Publish) if self.is_over(facts.now) => Err(Refusal::ExpiredBefore),
            (Some(S::Approved), C::Publish) => Ok(vec![Event::Published { at: facts.now }]),
            (Some(S::Draft | S::InReview | S::Approved | S::Sent), C::Recall { reason }) => {
                Ok(vec![Event::Recalled { reason: reason.clone() }])
            }
            // A second reason would be lost, so only the same one is "already so".
            (Some(S::Recalled), C::Recall { reason }) if self.recall_reason.as_ref() == Some(reason) => Ok(vec![]),
            (Some(S::Sent), C::Expire) if self.is_over(facts.now) => Ok(vec![Event::Expired]),
            // A timer that comes when nothing is left to do.
            (Some(S::Draft | S::InReview | S::Approved | S::Sent | S::Recalled | S::Expired), C::Expire) => Ok(vec![]),

            (Some(S::Approved | S::Sent | S::Recalled | S::Expired), C::Submit)
            | (Some(S::Draft | S::Sent | S::Recalled | S::Expired), C::Approve)
            | (Some(S::Draft | S::InReview | S::Recalled | S::Expired), C::Publish)
            | (Some(S::Recalled | S::Expired), C::Recall { .. }) => not_now(),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Written { content, by, at } => Self {
                status: Some(NoticeStatus::Draft),
                content: Some((**content).clone()),
                author: Some(by.clone()),
                created_at: Some(*at),
                ..self
            },
            Event::Submitted => Self { status: Some(NoticeStatus::InReview), ..self },
            Event::Approved { by } => Self { status: Some(NoticeStatus::Approved), approver: Some(by.clone()), ..self },
            Event::Published { at } => Self { status: Some(NoticeStatus::Sent), published_at: Some(*at), ..self },
            Event::Recalled { reason } => {
                Self { status: Some(NoticeStatus::Recalled), recall_reason: Some(reason.clone()), ..self }
            }
            Event::Expired => Self { status: Some(NoticeStatus::Expired), ..self },
        }
    }
}
