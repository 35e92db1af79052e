use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Refuses as _, Role,
    ids::EstateId,
    replay,
    text::{Line, Words},
    vocabulary::Language,
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    Notice, NoticeContent, NoticeId, NoticeStatus, Reason,
    notices::{Command, Event, Facts, Refusal},
};

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn id() -> NoticeId {
    Uuid::from_u128(1).into()
}

fn estate(n: u128) -> EstateId {
    Uuid::from_u128(n).into()
}

fn content(estates: &[u128]) -> NoticeContent {
    NoticeContent {
        estates: estates.iter().copied().map(estate).collect(),
        title: Line::try_new("停水通知").unwrap(),
        body: Words::try_new("明天九点至十六点停水。").unwrap(),
        language: Language::ZhHans,
        expires_at: Some(now() + TimeDelta::days(1)),
    }
}

fn reason(text: &str) -> Reason {
    Reason::try_new(text).unwrap()
}

fn somebody(name: &str, role: Role, estates: Option<&[u128]>) -> Actor {
    Actor {
        tenant: Uuid::nil().into(),
        id: ActorId::new(name),
        roles: vec![role],
        estates: estates.map(|estates| estates.iter().copied().map(estate).collect()),
        resident: None,
    }
}

fn facts(actor: Actor) -> Facts {
    Facts { now: now(), actor, estates: vec![estate(3), estate(4)] }
}

fn author() -> Facts {
    facts(somebody("author", Role::Supervisor, None))
}

fn second() -> Facts {
    facts(somebody("second", Role::Manager, None))
}

fn late(facts: Facts) -> Facts {
    Facts { now: now() + TimeDelta::days(2), ..facts }
}

fn write(estates: &[u128]) -> Command {
    Command::Write(Box::new(content(estates)))
}

fn written() -> Event {
    Event::Written { content: Box::new(content(&[3])), by: ActorId::new("author"), at: now() }
}

fn approved() -> Vec<Event> {
    vec![written(), Event::Submitted, Event::Approved { by: ActorId::new("second") }]
}

fn sent() -> Vec<Event> {
    [approved(), vec![Event::Published { at: now() }]].concat()
}

#[test]
fn a_notice_goes_from_its_author_by_a_second_person_to_the_board() {
    given::<Notice>(id(), []).when(&write(&[3]), &author()).then([written()]);
    given::<Notice>(id(), [written()]).when(&Command::Submit, &author()).then([Event::Submitted]);
    given::<Notice>(id(), [written(), Event::Submitted])
        .when(&Command::Approve, &second())
        .then([Event::Approved { by: ActorId::new("second") }]);
    given::<Notice>(id(), approved()).when(&Command::Publish, &author()).then([Event::Published { at: now() }]);
}

#[test]
fn nobody_approves_their_own_notice() {
    given::<Notice>(id(), [written(), Event::Submitted])
        .when(&Command::Approve, &author())
        .refused(Refusal::SamePerson);
}

#[test]
fn acting_on_a_notice_takes_all_its_estates_and_reading_it_one() {
    let of_one = facts(somebody("second", Role::Supervisor, Some(&[3])));
    let both = Event::Written { content: Box::new(content(&[3, 4])), by: ActorId::new("author"), at: now() };
    let approved = vec![both.clone(), Event::Submitted, Event::Approved { by: ActorId::new("x") }];
    let sent = [approved.clone(), vec![Event::Published { at: now() }]].concat();
    for (history, command) in [
        (vec![both.clone()], Command::Submit),
        (vec![both.clone(), Event::Submitted], Command::Approve),
        (approved, Command::Publish),
        (sent.clone(), Command::Recall { reason: reason("误发") }),
    ] {
        given::<Notice>(id(), history.clone()).when(&command, &of_one).refused(Refusal::NotAllYours);
        let of_both = facts(somebody("second", Role::Supervisor, Some(&[4, 3])));
        assert!(replay(Notice::unborn(id()), &history).decide(&command, &of_both).is_ok());
    }
    assert!(replay(Notice::unborn(id()), &sent).shows_to(&of_one.actor));
}

#[test]
fn a_notice_is_for_known_estates_of_its_author() {
    given::<Notice>(id(), []).when(&write(&[3, 9]), &author()).refused(Refusal::UnknownEstate(1));
    let of_another_estate = facts(somebody("author", Role::Handler, Some(&[4])));
    given::<Notice>(id(), []).when(&write(&[4, 3]), &of_another_estate).refused(Refusal::UnknownEstate(1));
    given::<Notice>(id(), [written()]).when(&Command::Submit, &of_another_estate).refused(Refusal::NoSuchNotice);
}

#[test]
fn a_notice_whose_time_is_over_is_not_written_and_not_published() {
    given::<Notice>(id(), []).when(&write(&[3]), &late(author())).refused(Refusal::ExpiresInThePast);
    given::<Notice>(id(), approved()).when(&Command::Publish, &late(author())).refused(Refusal::ExpiredBefore);
    given::<Notice>(id(), sent()).when(&Command::Expire, &author()).then([]);
    given::<Notice>(id(), sent()).when(&Command::Expire, &late(author())).then([Event::Expired]);
}

#[test]
fn an_illegal_move_lists_the_legal_ones() {
    let refusal = replay(Notice::unborn(id()), &[written()]).decide(&Command::Publish, &author()).unwrap_err();
    assert_eq!(refusal.allowed(), ["submit", "recall"]);
    given::<Notice>(id(), sent()).when(&Command::Submit, &author()).refused(Refusal::NotAllowedNow(vec!["recall"]));
    let recall = |text| Command::Recall { reason: reason(text) };
    let recalled = || [sent(), vec![Event::Recalled { reason: reason("改期") }]].concat();
    given::<Notice>(id(), recalled()).when(&recall("改期"), &author()).then([]);
    given::<Notice>(id(), recalled()).when(&recall("别的"), &author()).refused(Refusal::NotAllowedNow(vec![]));
}

#[test]
fn households_see_what_was_published_for_their_estate_and_nothing_else() {
    let household = |estates: &'static [u128]| somebody("o", Role::Owner, Some(estates));
    assert!(!replay(Notice::unborn(id()), &approved()).shows_to(&household(&[3])));
    assert!(replay(Notice::unborn(id()), &sent()).shows_to(&household(&[3])));
    assert!(!replay(Notice::unborn(id()), &sent()).shows_to(&household(&[4])));
}

fn any_command() -> impl Strategy<Value = (Command, Facts)> {
    let command = prop_oneof![
        Just(write(&[3])),
        Just(Command::Submit),
        Just(Command::Approve),
        Just(Command::Publish),
        Just(Command::Recall { reason: reason("改期") }),
        Just(Command::Expire),
    ];
    let asked_by = prop_oneof![Just(author()), Just(second()), Just(late(author())), Just(late(second()))];
    (command, asked_by)
}

proptest! {
    /// Whatever is asked, in whatever order: nothing stands on a board that only one person has seen, what is over
    /// stays over, and doing something twice records no more than doing it once.
    #[test]
    fn nothing_is_published_by_one_person(commands in prop::collection::vec(any_command(), 0..30)) {
        let mut notice = Notice::unborn(id());
        for (command, facts) in &commands {
            let before = notice.status;
            if let Ok(events) = notice.decide(command, facts) {
                notice = replay(notice, &events);
                let again = notice.decide(command, facts);
                prop_assert!(again.is_err() || again.is_ok_and(|events| events.is_empty()));
            }
            if notice.published_at.is_some() {
                prop_assert!(notice.approver.is_some() && notice.approver != notice.author);
            }
            if matches!(before, Some(NoticeStatus::Recalled | NoticeStatus::Expired)) {
                prop_assert_eq!(notice.status, before);
            }
        }
    }
}
