use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*};
use steward_kernel::{Actor, ActorId, Role, TenantId, replay};
use steward_testkit::given::given;

use super::*;

const OWNER: Uuid = Uuid::from_u128(7);

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn facts(role: Role, resident: Option<Uuid>, at: DateTime<Utc>) -> Facts {
    let actor = Actor {
        tenant: TenantId::from(Uuid::nil()),
        id: ActorId::new("a"),
        roles: vec![role],
        estates: None,
        resident: resident.map(Into::into),
    };
    Facts { now: at, actor, come_back_within: TimeDelta::days(15) }
}

fn owner() -> Facts {
    facts(Role::Owner, Some(OWNER), now())
}

fn id() -> SurveyId {
    SurveyId::of(Uuid::from_u128(1).into(), 1)
}

fn invitation() -> Invitation {
    Invitation {
        case_id: Uuid::from_u128(1).into(),
        episode: 1,
        reference: "S-261123-00000".to_owned(),
        case_kind: "service_request".to_owned(),
        estate_id: Uuid::from_u128(8).into(),
        resident_id: OWNER.into(),
        language: Language::ZhHant,
        sent_at: now(),
        sent_on: now().date_naive(),
        expires_at: now() + TimeDelta::days(14),
    }
}

fn invited() -> Event {
    Event::Invited { invitation: Box::new(invitation()) }
}

fn answer(outcome: u8) -> Answer {
    let rating = |number| Rating::try_from(number).unwrap();
    Answer { outcome: Some(rating(outcome)), handling: Some(rating(4)), courtesy: Some(rating(5)), comment: None }
}

#[test]
fn the_owner_who_was_asked_answers_once() {
    let answered = Event::Answered { answer: answer(5), at: now() };
    given::<Survey>(id(), [invited()]).when(&Command::Answer(answer(5)), &owner()).then([answered.clone()]);
    given::<Survey>(id(), [invited(), answered.clone()]).when(&Command::Answer(answer(5)), &owner()).then([]);
    given::<Survey>(id(), [invited(), answered]).when(&Command::Answer(answer(1)), &owner()).refused(Refusal::NotOpen);
}

#[test]
fn one_score_or_a_comment_alone_is_an_answer_and_nothing_is_none() {
    let said = [
        Answer { courtesy: Some(Rating::try_from(2).unwrap()), ..Answer::default() },
        Answer { comment: Some(Remark::try_new("师傅很仔细").unwrap()), ..Answer::default() },
    ];
    for answer in said {
        let answered = Event::Answered { answer: answer.clone(), at: now() };
        given::<Survey>(id(), [invited()]).when(&Command::Answer(answer), &owner()).then([answered]);
    }
    let nothing = Command::Answer(Answer::default());
    given::<Survey>(id(), [invited()]).when(&nothing, &owner()).refused(Refusal::NothingSaid);
}

#[test]
fn each_score_is_counted_by_itself() {
    let answer = Answer { courtesy: Some(Rating::try_from(2).unwrap()), ..Answer::default() };
    let on = now().date_naive();
    let counted = Event::Answered { answer, at: now() }.tally(on);
    let mut expected = Tally::default();
    expected.one(on, Measure::Courtesy, 2);
    expected.one(on, Measure::OutcomeLeftOut, "");
    assert_eq!(counted, expected);
}

#[test]
fn an_answer_of_before_has_all_scores() {
    let old = serde_json::json!({"outcome": 5, "handling": 4, "courtesy": 5, "comment": null});
    assert_eq!(serde_json::from_value::<Answer>(old).unwrap(), answer(5));
}

#[test]
fn staff_never_rate_themselves_and_neighbours_see_nothing() {
    for facts in [facts(Role::Admin, None, now()), facts(Role::Owner, Some(Uuid::from_u128(9)), now())] {
        given::<Survey>(id(), [invited()]).when(&Command::Answer(answer(5)), &facts).refused(Refusal::NoSuchSurvey);
    }
}

#[test]
fn an_answer_after_its_time_does_not_count_even_before_the_timer_fires() {
    let late = Facts { now: invitation().expires_at, ..owner() };
    given::<Survey>(id(), [invited()]).when(&Command::Answer(answer(5)), &late).refused(Refusal::NotOpen);
    given::<Survey>(id(), [invited()]).when(&Command::Expire, &late).then([Event::Expired { at: late.now }]);
}

#[test]
fn who_could_not_be_told_was_not_asked_and_who_answered_was() {
    let suppress = Command::Suppress { reason: "opted_out".to_owned() };
    let suppressed = Event::Suppressed { reason: "opted_out".to_owned(), at: now() };
    let answered = Event::Answered { answer: answer(5), at: now() };
    for history in [vec![invited()], vec![invited(), Event::Expired { at: now() }]] {
        given::<Survey>(id(), history).when(&suppress, &owner()).then([suppressed.clone()]);
    }
    given::<Survey>(id(), [invited(), suppressed.clone()]).when(&suppress, &owner()).then([]);
    given::<Survey>(id(), [invited(), answered]).when(&suppress, &owner()).then([]);
    given::<Survey>(id(), [invited(), suppressed.clone()])
        .when(&Command::Answer(answer(5)), &owner())
        .refused(Refusal::NotOpen);
    let day = now().date_naive();
    assert!(invited().tally(day).and(&suppressed.tally(day)).is_empty(), "asked, and taken back");
}

#[test]
fn an_episode_of_a_case_has_one_survey() {
    let case = CaseId::from(Uuid::from_u128(1));
    assert_eq!(SurveyId::of(case, 1), id());
    assert_ne!(SurveyId::of(case, 2), id());
    assert!(Rating::try_from(0).is_err() && Rating::try_from(6).is_err());
}

proptest! {
    #[test]
    fn an_ended_survey_never_changes(steps in vec(0_u8..7, 1..20)) {
        let mut survey = replay(Survey::unborn(id()), &[invited()]);
        for step in steps {
            let command = match step {
                0 => Command::Invite(Box::new(invitation())),
                6 => Command::Expire,
                outcome => Command::Answer(answer(outcome)),
            };
            let before = survey.clone();
            let events = survey.decide(&command, &owner()).unwrap_or_default();
            survey = replay(survey, &events);
            let ended = before.life.as_ref().is_some_and(|life| life.stage != SurveyStage::Sent);
            prop_assert!(!ended || survey == before);
        }
    }
}
