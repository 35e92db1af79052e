//! The owner's word: confirming, withdrawing, closing, objecting. It is the owner's, whoever types it in.
//!
//! An owner gives it with the own token. Staff may take it down when the owner gave it by phone, at the desk, by letter
//! or at a visit; then they say how and when, and are named. Whoever handled the matter is not the one to take it down.
//! For some days after the end the owner can come back on it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, ProblemKind, Refuses, Role, era, ids::ActorId, ids::ResidentId};

/// How far back a word may have been given that is taken down now.
const AT_MOST_BACK: TimeDelta = TimeDelta::days(30);

crate::word_enum! {
    /// How an owner gave a word that staff took down.
    GivenHow {
        /// On the phone.
        Phone = "phone",
        /// At the desk.
        Desk = "desk",
        /// By letter or on a signed form.
        Letter = "letter",
        /// To somebody who came to see the owner.
        Visit = "visit",
    }
}

/// That staff take down what the owner said. For staff, who must send it; an owner's own word comes without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "how": "phone" }))]
pub struct TakenDown {
    /// How the owner gave it.
    pub how: GivenHow,
    /// When the owner gave it: not in the future, at most 30 days back; now when left out.
    #[serde(default, deserialize_with = "era::read")]
    pub given_at: Option<DateTime<Utc>>,
}

/// How and by whom an owner's word was taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordNote {
    /// How the owner gave it.
    pub how: GivenHow,
    /// When the owner gave it.
    pub given_at: DateTime<Utc>,
    /// Account of who took it down. Owners are not told names or accounts of staff, only that it was staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ActorId>,
}

impl WordNote {
    /// As its owner sees it.
    #[must_use]
    pub fn shown_to(self, actor: &Actor) -> Self {
        if actor.is_only_owner() { Self { by: None, ..self } } else { self }
    }
}

/// How public events tell a note: how, when in Unix milliseconds, and by whom; nothing when the owner gave the word.
#[must_use]
pub fn told(note: Option<&WordNote>) -> (String, i64, String) {
    let Some(note) = note else { return Default::default() };
    let by = note.by.as_ref().map(ToString::to_string).unwrap_or_default();
    (note.how.to_string(), note.given_at.timestamp_millis(), by)
}

/// The note that a public event tells; none when the owner gave the word.
///
/// # Errors
/// The name of the field that cannot be read.
pub fn heard(how: &str, given_at_ms: i64, by: &str) -> Result<Option<WordNote>, &'static str> {
    if how.is_empty() {
        return Ok(None);
    }
    let how = GivenHow::parse(how).ok_or("given_how")?;
    let given_at = DateTime::from_timestamp_millis(given_at_ms).ok_or("given_at_ms")?;
    Ok(Some(WordNote { how, given_at, by: Some(by).filter(|by| !by.is_empty()).map(ActorId::new) }))
}

/// Whose word it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The owner's, given with the own token.
    Owners,
    /// The owner's, as somebody of the company took it down.
    TakenDown(WordNote),
}

impl Whose {
    /// What an event keeps of it; none = the owner gave it.
    #[must_use]
    pub fn note(self) -> Option<WordNote> {
        match self {
            Self::Owners => None,
            Self::TakenDown(note) => Some(note),
        }
    }
}

/// Why a word is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordFault {
    /// Staff did not say how the owner gave it.
    HowMissing,
    /// The owner gives it, and nobody takes it down.
    OwnersOwn,
    /// It was given in the future, or too long ago.
    GivenOutOfBounds,
    /// Who takes it down has handled the matter.
    Handled,
    /// The matter has ended too long ago.
    TooLate,
}

/// Whether the actor is the owner whose matter it is, by the own token.
#[must_use]
pub fn is_owners(actor: &Actor, resident: Option<ResidentId>) -> bool {
    actor.is_any(&[Role::Owner]) && actor.resident.is_some() && actor.resident == resident
}

/// Whose word it is that this actor gives.
///
/// * `resident`: whose matter it is.
/// * `said`: what staff say of how they were given it.
/// * `handled`: whether the actor has handled the matter.
///
/// # Errors
/// [`WordFault`] says what to mend, or who else has to take it down.
pub fn whose(
    actor: &Actor,
    resident: Option<ResidentId>,
    said: Option<&TakenDown>,
    handled: bool,
    now: DateTime<Utc>,
) -> Result<Whose, WordFault> {
    match (is_owners(actor, resident), said) {
        (true, None) => Ok(Whose::Owners),
        (true, Some(_)) => Err(WordFault::OwnersOwn),
        (false, None) => Err(WordFault::HowMissing),
        (false, Some(said)) => {
            let given_at = said.given_at.unwrap_or(now);
            if given_at > now || given_at < now - AT_MOST_BACK {
                return Err(WordFault::GivenOutOfBounds);
            }
            if handled {
                return Err(WordFault::Handled);
            }
            Ok(Whose::TakenDown(WordNote { how: said.how, given_at, by: Some(actor.id.clone()) }))
        }
    }
}

/// Who calls a matter off: its owner, or staff on the owner's word; none = the company by itself, which is no word of the
/// owner.
///
/// # Errors
/// As [`whose`].
pub fn called_off(
    actor: &Actor,
    resident: Option<ResidentId>,
    said: Option<&TakenDown>,
    handled: bool,
    now: DateTime<Utc>,
) -> Result<Option<Whose>, WordFault> {
    if said.is_none() && !is_owners(actor, resident) {
        return Ok(None);
    }
    whose(actor, resident, said, handled, now).map(Some)
}

/// Whether the owner can still come back on a matter that has ended.
///
/// # Errors
/// [`WordFault::TooLate`] when that was longer ago than `within`.
pub fn may_come_back(ended_at: DateTime<Utc>, within: TimeDelta, now: DateTime<Utc>) -> Result<(), WordFault> {
    if now - ended_at <= within { Ok(()) } else { Err(WordFault::TooLate) }
}

const HOW_MISSING: ProblemKind =
    ProblemKind::unprocessable("word/taken-down-missing", "This is the owner's word; say how the owner gave it");
const OWNERS_OWN: ProblemKind =
    ProblemKind::unprocessable("word/owners-own", "You give your own word; nobody takes it down");
const GIVEN_OUT_OF_BOUNDS: ProblemKind =
    ProblemKind::unprocessable("word/given-out-of-bounds", "The word was given in the future or too long ago");
const HANDLED: ProblemKind = ProblemKind::forbidden(
    "word/handled-by-you",
    "You have handled this matter; somebody else has to take down the owner's word",
);
const TOO_LATE: ProblemKind = ProblemKind::conflict("word/too-late", "The matter ended too long ago to be reopened");

/// What can be wrong with a word, with titles in zh-Hans and zh-Hant.
pub const PROBLEMS: &[(ProblemKind, [&str; 2])] = &[
    (HOW_MISSING, ["这是业主的意见，请说明业主以何种方式提出", "這是業主的意見，請說明業主以何種方式提出"]),
    (OWNERS_OWN, ["这是您本人的意见，无需他人代记", "這是您本人的意見，無需他人代記"]),
    (GIVEN_OUT_OF_BOUNDS, ["意见提出的时间在未来或过早", "意見提出的時間在未來或過早"]),
    (HANDLED, ["您经办过此事项，业主的意见须由其他同事代记", "您經辦過此事項，業主的意見須由其他同事代記"]),
    (TOO_LATE, ["事项办结已久，不能重新打开", "事項辦結已久，不能重新開啟"]),
];

impl Refuses for WordFault {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::HowMissing => HOW_MISSING,
            Self::OwnersOwn => OWNERS_OWN,
            Self::GivenOutOfBounds => GIVEN_OUT_OF_BOUNDS,
            Self::Handled => HANDLED,
            Self::TooLate => TOO_LATE,
        }
    }

    fn field(&self) -> Option<(String, String)> {
        let (pointer, remedy) = match self {
            Self::HowMissing => {
                ("/taken_down", "say how the owner gave it: { \"how\": phone, desk, letter or visit, \"given_at\": … }")
            }
            Self::OwnersOwn => ("/taken_down", "leave it out: an owner's own word is not taken down"),
            Self::GivenOutOfBounds => ("/taken_down/given_at", "must not be in the future, and at most 30 days back"),
            Self::Handled => ("/taken_down", "a colleague who had no part in the matter takes it down"),
            Self::TooLate => ("", "open a new case that follows from this one, with linked_case_id"),
        };
        Some((pointer.to_owned(), remedy.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const OWNER: u128 = 8;

    fn now() -> DateTime<Utc> {
        "2026-11-30T08:00:00Z".parse().unwrap()
    }

    fn actor(roles: &[Role], resident: Option<u128>) -> Actor {
        let mut actor = Actor::service(Uuid::from_u128(1).into(), "somebody");
        actor.roles = roles.to_vec();
        actor.resident = resident.map(|id| Uuid::from_u128(id).into());
        actor
    }

    fn asked(actor: &Actor, said: Option<TakenDown>, handled: bool) -> Result<Whose, WordFault> {
        whose(actor, Some(Uuid::from_u128(OWNER).into()), said.as_ref(), handled, now())
    }

    fn by_phone(given_at: Option<&str>) -> Option<TakenDown> {
        Some(TakenDown { how: GivenHow::Phone, given_at: given_at.map(|at| at.parse().unwrap()) })
    }

    #[test]
    fn an_owner_gives_the_own_word_and_nobody_takes_it_down() {
        let owner = actor(&[Role::Owner], Some(OWNER));
        assert_eq!(asked(&owner, None, false), Ok(Whose::Owners));
        assert_eq!(asked(&owner, by_phone(None), false), Err(WordFault::OwnersOwn));
        // Somebody of the company who lives there speaks for themselves, too, whatever they have handled.
        assert_eq!(asked(&actor(&[Role::Owner, Role::Handler], Some(OWNER)), None, true), Ok(Whose::Owners));
        assert_eq!(asked(&actor(&[Role::Owner], Some(9)), None, false), Err(WordFault::HowMissing));
    }

    #[test]
    fn staff_say_how_and_when_and_are_named() {
        let staff = actor(&[Role::Receptionist], None);
        assert_eq!(asked(&staff, None, false), Err(WordFault::HowMissing));
        let note = |given_at: &str| {
            let by = Some(ActorId::new("somebody"));
            Ok(Whose::TakenDown(WordNote { how: GivenHow::Phone, given_at: given_at.parse().unwrap(), by }))
        };
        assert_eq!(asked(&staff, by_phone(None), false), note("2026-11-30T08:00:00Z"));
        assert_eq!(asked(&staff, by_phone(Some("2026-10-31T08:00:00Z")), false), note("2026-10-31T08:00:00Z"));
        for bad in ["2026-10-31T07:59:59Z", "2026-11-30T08:00:01Z"] {
            assert_eq!(asked(&staff, by_phone(Some(bad)), false), Err(WordFault::GivenOutOfBounds), "{bad}");
        }
    }

    #[test]
    fn who_handled_the_matter_does_not_take_the_word_down() {
        let handler = actor(&[Role::Handler], None);
        assert_eq!(asked(&handler, by_phone(None), true), Err(WordFault::Handled));
        assert_eq!(asked(&handler, None, true), Err(WordFault::HowMissing));
    }

    #[test]
    fn the_company_calls_off_by_itself_without_a_word_of_the_owner() {
        let resident = Some(Uuid::from_u128(OWNER).into());
        let calls_off = |actor: &Actor, said: Option<TakenDown>, handled| {
            called_off(actor, resident, said.as_ref(), handled, now())
        };
        let handler = actor(&[Role::Handler], None);
        assert_eq!(calls_off(&handler, None, true), Ok(None));
        assert_eq!(calls_off(&handler, by_phone(None), true), Err(WordFault::Handled));
        assert_eq!(calls_off(&actor(&[Role::Owner], Some(OWNER)), None, false), Ok(Some(Whose::Owners)));
    }

    #[test]
    fn an_owner_comes_back_until_the_window_is_over() {
        let within = TimeDelta::days(15);
        assert_eq!(may_come_back(now(), within, now() + within), Ok(()));
        assert_eq!(may_come_back(now(), within, now() + within + TimeDelta::seconds(1)), Err(WordFault::TooLate));
    }

    #[test]
    fn an_owner_does_not_see_who_took_it_down() {
        let note = WordNote { how: GivenHow::Desk, given_at: now(), by: Some(ActorId::new("desk-1")) };
        assert_eq!(note.clone().shown_to(&actor(&[Role::Owner], Some(OWNER))).by, None);
        assert_eq!(note.clone().shown_to(&actor(&[Role::Handler], None)), note);
    }

    #[test]
    fn a_note_survives_a_public_event() {
        let note = WordNote { how: GivenHow::Visit, given_at: now(), by: Some(ActorId::new("desk-1")) };
        let (how, given_at_ms, by) = told(Some(&note));
        assert_eq!(heard(&how, given_at_ms, &by), Ok(Some(note)));
        let (how, given_at_ms, by) = told(None);
        assert_eq!(heard(&how, given_at_ms, &by), Ok(None));
        assert_eq!(heard("by_pigeon", 0, ""), Err("given_how"));
    }

    #[test]
    fn what_staff_send_has_these_fields_alone() {
        let read = |body: serde_json::Value| serde_json::from_value::<TakenDown>(body);
        assert_eq!(read(json!({ "how": "letter" })).unwrap().how, GivenHow::Letter);
        assert!(read(json!({ "how": "app" })).is_err());
        assert!(read(json!({ "how": "phone", "by": "me" })).is_err());
    }
}
