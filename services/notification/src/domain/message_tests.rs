use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Role,
    ids::ResidentId,
    replay,
    vocabulary::{CaseKind, Language},
    word::{GivenHow, TakenDown, WordFault, WordNote},
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    DeliveryStatus, Letter, Message, MessageId, OutChannel, Preference, SuppressionReason, Template,
    messages::{Command, Event, Facts, Refusal},
    preferences,
};

const LIN: u128 = 7;
const OTHER: u128 = 8;

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn id() -> MessageId {
    Uuid::from_u128(1).into()
}

fn resident(id: u128) -> ResidentId {
    Uuid::from_u128(id).into()
}

fn letter(to: Option<u128>) -> Letter {
    Letter {
        case: Uuid::from_u128(2).into(),
        reference: "C-261123-7K3QD4".to_owned(),
        kind: CaseKind::Complaint,
        estate: Uuid::from_u128(3).into(),
        resident: to.map(resident),
        template: Template::Received,
        template_version: 1,
        register_language: None,
        language: Language::ZhHans,
        title: "已收到您的投诉".to_owned(),
        body: "您好".to_owned(),
        survey: None,
        happened_at: now(),
    }
}

fn somebody(roles: &[Role], as_resident: Option<u128>) -> Actor {
    Actor {
        tenant: Uuid::nil().into(),
        id: ActorId::new("a"),
        roles: roles.to_vec(),
        estates: None,
        resident: as_resident.map(resident),
    }
}

fn facts(actor: Actor) -> Facts {
    Facts { now: now(), actor, inbox_wanted: true }
}

fn service() -> Facts {
    facts(Actor::service(Uuid::nil().into(), "intake"))
}

fn owner(id: u128) -> Facts {
    facts(somebody(&[Role::Owner], Some(id)))
}

fn plan(to: Option<u128>) -> Command {
    Command::Plan(Box::new(letter(to)))
}

fn planned(to: Option<u128>) -> Event {
    Event::Planned { letter: Box::new(letter(to)), at: now() }
}

fn delivered() -> Event {
    Event::Delivered { channel: OutChannel::AppInbox }
}

fn suppressed(reason: SuppressionReason) -> Event {
    Event::Suppressed { channel: OutChannel::AppInbox, reason }
}

#[test]
fn a_message_is_delivered_when_it_is_stored() {
    given::<Message>(id(), []).when(&plan(Some(LIN)), &service()).then([planned(Some(LIN)), delivered()]);
}

#[test]
fn a_message_that_nobody_can_get_says_why() {
    given::<Message>(id(), [])
        .when(&plan(None), &service())
        .then([planned(None), suppressed(SuppressionReason::NoResident)]);
    given::<Message>(id(), [])
        .when(&plan(Some(LIN)), &Facts { inbox_wanted: false, ..service() })
        .then([planned(Some(LIN)), suppressed(SuppressionReason::OptedOut)]);
}

#[test]
fn a_message_is_born_once() {
    given::<Message>(id(), [planned(Some(LIN)), delivered()]).when(&plan(Some(OTHER)), &service()).then([]);
}

#[test]
fn only_its_addressee_can_have_read_it() {
    let history = || [planned(Some(LIN)), delivered()];
    given::<Message>(id(), history()).when(&Command::Read, &owner(LIN)).then([Event::Read { at: now() }]);
    given::<Message>(id(), history()).when(&Command::Read, &owner(OTHER)).refused(Refusal::NoSuchMessage);
    // A manager who lives there sees it, but it was not sent to her.
    let neighbour = facts(somebody(&[Role::Owner, Role::Manager], Some(OTHER)));
    given::<Message>(id(), history()).when(&Command::Read, &neighbour).refused(Refusal::NotAddressee);
    given::<Message>(id(), []).when(&Command::Read, &owner(LIN)).refused(Refusal::NoSuchMessage);
}

#[test]
fn an_owner_does_not_see_what_was_not_sent() {
    let history = [planned(Some(LIN)), suppressed(SuppressionReason::OptedOut)];
    let message = replay(Message::unborn(id()), &history);
    assert!(!message.shows_to(&somebody(&[Role::Owner], Some(LIN))));
    assert!(message.shows_to(&somebody(&[Role::Handler], None)));
    given::<Message>(id(), history)
        .when(&Command::Read, &facts(somebody(&[Role::Owner, Role::Manager], Some(LIN))))
        .refused(Refusal::NotDelivered);
}

#[test]
fn an_owner_without_a_resident_sees_nothing() {
    let history = [planned(None), delivered()];
    assert!(!replay(Message::unborn(id()), &history).shows_to(&somebody(&[Role::Owner], None)));
}

fn set(channels: Vec<OutChannel>, taken_down: Option<TakenDown>) -> preferences::Command {
    preferences::Command::Set { language: Some(Language::En), channels, taken_down }
}

#[test]
fn a_preference_is_set_by_its_resident_or_on_their_word_by_who_serves_them() {
    use preferences::Refusal as R;
    let now = service().now;
    let by = |actor, known| preferences::Facts { now, actor, known };
    let desk = || somebody(&[Role::Receptionist], None);
    let lin_does = || by(somebody(&[Role::Owner], Some(LIN)), false);
    let note = |by| Some(WordNote { how: GivenHow::Phone, given_at: now, by: Some(by) });
    let done = |taken_down| {
        let channels = vec![OutChannel::AppInbox];
        [preferences::Event::Set { language: Some(Language::En), channels, taken_down }]
    };
    let inbox = vec![OutChannel::AppInbox, OutChannel::AppInbox];
    let wish = set(inbox.clone(), None);
    let by_phone = set(inbox, Some(TakenDown { how: GivenHow::Phone, given_at: None }));
    let lin = || given::<Preference>(resident(LIN), []);
    lin().when(&wish, &lin_does()).then(done(None));
    lin().when(&wish, &by(desk(), true)).refused(R::Word(WordFault::HowMissing));
    lin().when(&by_phone, &lin_does()).refused(R::Word(WordFault::OwnersOwn));
    let noted = || done(note(desk().id));
    lin().when(&by_phone, &by(desk(), true)).then(noted());
    lin().when(&by_phone, &by(desk(), false)).refused(R::NoSuchResident);
    lin().when(&wish, &by(somebody(&[Role::Owner], Some(OTHER)), true)).refused(R::NoSuchResident);
    lin().when(&wish, &by(somebody(&[Role::Owner], None), true)).refused(R::NoSuchResident);
    // The same again changes nothing, but that it is the resident's own word then.
    given::<Preference>(resident(LIN), done(None)).when(&by_phone, &by(desk(), true)).then([]);
    given::<Preference>(resident(LIN), noted()).when(&by_phone, &by(desk(), true)).then([]);
    given::<Preference>(resident(LIN), noted()).when(&wish, &lin_does()).then(done(None));
    let sms = set(vec![OutChannel::AppInbox, OutChannel::Sms], None);
    lin().when(&sms, &lin_does()).refused(R::NotConnected(1));
}

fn any_command() -> impl Strategy<Value = (Command, Facts)> {
    let command = prop_oneof![
        Just(plan(Some(LIN))),
        Just(plan(Some(OTHER))),
        Just(plan(None)),
        Just(Command::Read),
        Just(Command::Read)
    ];
    let asked_by = prop_oneof![
        Just(service()),
        Just(owner(LIN)),
        Just(owner(OTHER)),
        Just(Facts { inbox_wanted: false, ..service() })
    ];
    (command, asked_by, 0_i64..1000).prop_map(|(command, facts, later)| {
        let now = facts.now + TimeDelta::seconds(later);
        (command, Facts { now, ..facts })
    })
}

proptest! {
    /// Whatever is asked, in whatever order: doing it twice records no more than doing it once, what is suppressed
    /// stays so, and what a message says never changes.
    #[test]
    fn a_message_never_goes_back(commands in prop::collection::vec(any_command(), 0..20)) {
        let mut message = Message::unborn(id());
        for (command, facts) in &commands {
            let before = message.clone();
            if let Ok(events) = message.decide(command, facts) {
                message = replay(message, &events);
                let again = message.decide(command, facts);
                prop_assert!(again.is_err() || again.is_ok_and(|events| events.is_empty()));
            }
            prop_assert!(before.letter.is_none() || before.letter == message.letter);
            prop_assert!(before.read_at.is_none() || before.read_at == message.read_at);
            if before.status == DeliveryStatus::Suppressed {
                prop_assert_eq!(message.status, DeliveryStatus::Suppressed);
            }
        }
    }
}
