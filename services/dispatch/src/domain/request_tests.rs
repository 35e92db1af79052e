//! The service request: every stage, every refusal, and what never happens.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};
use steward_kernel::{
    Actor, ActorId, Aggregate, Role, TenantId,
    ids::{CaseId, EstateId, ResidentId, WorkOrderId},
    replay,
    text::Text,
    vocabulary::{Language, Priority},
    word::{GivenHow, TakenDown, WordFault, WordNote},
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    OrderProgress,
    appointment::{Appointment, Misdated},
    request::{Command, Event, Facts, Origin, Refusal, RequestStage, ServiceRequest},
};

const ESTATE: u128 = 7;
const OWNER: u128 = 8;

fn id() -> CaseId {
    Uuid::from_u128(1).into()
}

fn order(number: u128) -> WorkOrderId {
    Uuid::from_u128(number).into()
}

fn text<const MAX: usize>(raw: &str) -> Text<MAX> {
    Text::try_new(raw).unwrap()
}

fn origin() -> Origin {
    Origin {
        reference: "S-261123-00000X".to_owned(),
        category: "water.leak".to_owned(),
        priority: Priority::P2,
        estate_id: Uuid::from_u128(ESTATE).into(),
        unit_id: None,
        resident_id: Some(Uuid::from_u128(OWNER).into()),
        linked_case_id: None,
        words: text("卫生间天花板滴水"),
        language: Language::ZhHans,
        opened_at: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
        urgent: false,
        source_unit_id: None,
    }
}

fn house() -> Facts {
    facts(Actor::service(TenantId::from(Uuid::from_u128(9)), "dispatch"))
}

fn facts(actor: Actor) -> Facts {
    Facts { come_back_within: TimeDelta::days(15), ..Facts::of(actor, now()) }
}

fn now() -> DateTime<Utc> {
    origin().opened_at
}

fn person(role: Role, estate: u128, resident: Option<u128>) -> Facts {
    facts(Actor {
        tenant: TenantId::from(Uuid::from_u128(9)),
        id: ActorId::new("x"),
        roles: vec![role],
        estates: Some(vec![EstateId::from(Uuid::from_u128(estate))]),
        resident: resident.map(|id| ResidentId::from(Uuid::from_u128(id))),
    })
}

fn owner() -> Facts {
    person(Role::Owner, ESTATE, Some(OWNER))
}

fn by_phone() -> Option<TakenDown> {
    Some(TakenDown { how: GivenHow::Phone, given_at: None })
}

fn note() -> Option<WordNote> {
    Some(WordNote { how: GivenHow::Phone, given_at: now(), by: Some(ActorId::new("dispatch")) })
}

fn cancel() -> Command {
    Command::Cancel { reason: text("自己修好了"), taken_down: None }
}

/// The same words, given by the owner.
fn own(command: Command) -> Command {
    match command {
        Command::Verify { satisfied, comment, further_need, rework, .. } => {
            Command::Verify { satisfied, comment, further_need, rework, taken_down: None }
        }
        Command::ProvideInfo { text, .. } => Command::ProvideInfo { text, taken_down: None },
        other => other,
    }
}

/// A window that begins so many hours after the case was opened, and lasts one.
fn window(hours: i64) -> Appointment {
    let from = origin().opened_at + TimeDelta::hours(hours);
    Appointment { from, to: from + TimeDelta::hours(1) }
}

fn appoint(hours: i64) -> Command {
    Command::Appoint { appointment: window(hours), reason: None }
}

fn confirmed() -> Event {
    Event::Confirmed { details: None, appointment: None }
}

fn noted(number: u128, progress: OrderProgress) -> Event {
    Event::OrderNoted { work_order_id: order(number), progress, proof: Vec::new() }
}

fn follow(number: u128, progress: OrderProgress) -> Command {
    Command::Follow { work_order_id: order(number), progress, proof: Vec::new() }
}

fn verify(satisfied: bool) -> Command {
    Command::Verify {
        satisfied,
        comment: None,
        further_need: Some(text("地漏也换一下")),
        rework: order(99),
        taken_down: by_phone(),
    }
}

fn after(commands: &[Command]) -> ServiceRequest {
    let start = replay(ServiceRequest::unborn(id()), &[Event::Received(origin())]);
    commands.iter().fold(start, |state, command| match state.decide(command, &house()) {
        Ok(events) => replay(state, &events),
        Err(_) => state,
    })
}

#[test]
fn the_stage_follows_from_the_work_orders() {
    use OrderProgress as P;
    let start = [Event::Received(origin()), confirmed()];
    let cases: &[(&[(u128, OrderProgress)], RequestStage)] = &[
        (&[], RequestStage::Confirmed),
        (&[(1, P::Open)], RequestStage::Routed),
        (&[(1, P::Open), (1, P::Accepted)], RequestStage::InWork),
        (&[(1, P::Open), (1, P::Accepted), (1, P::Open)], RequestStage::Routed),
        (&[(1, P::Open), (2, P::Open), (1, P::Done)], RequestStage::InWork),
        (&[(1, P::Open), (2, P::Open), (1, P::Done), (2, P::Cancelled)], RequestStage::DoneReported),
        (&[(1, P::Open), (1, P::Cancelled)], RequestStage::Confirmed),
    ];
    for (moves, stage) in cases {
        let mut request = replay(ServiceRequest::unborn(id()), &start);
        for (number, progress) in *moves {
            let command = match progress {
                P::Open if !request.orders.iter().any(|note| note.work_order_id == order(*number)) => {
                    Command::Route { work_order_id: order(*number) }
                }
                _ => follow(*number, *progress),
            };
            let events = request.decide(&command, &house()).unwrap();
            request = replay(request, &events);
        }
        assert_eq!(request.stage, *stage, "{moves:?}");
    }
}

#[test]
fn a_request_that_is_not_confirmed_is_not_routed() {
    given::<ServiceRequest>(id(), [Event::Received(origin())])
        .when(&Command::Route { work_order_id: order(1) }, &house())
        .refused(Refusal::Illegal { allowed: vec!["confirm", "request-info", "decline", "cancel"] });
}

#[test]
fn an_answer_leads_back_to_where_the_question_was_asked() {
    for confirmed_before in [false, true] {
        let question = Command::RequestInfo { question: text("哪个房间？") };
        let answer = Command::ProvideInfo { text: text("主卧"), taken_down: by_phone() };
        let confirm = Command::Confirm { details: None, appointment: None };
        let commands = if confirmed_before { vec![confirm, question, answer] } else { vec![question, answer] };
        let request = after(&commands);
        assert_eq!(request.stage, if confirmed_before { RequestStage::Confirmed } else { RequestStage::Received });
        assert_eq!(request.questions[0].answer, Some(text("主卧")));
    }
}

#[test]
fn the_owner_who_is_satisfied_closes_it_and_may_ask_for_more() {
    given::<ServiceRequest>(
        id(),
        [
            Event::Received(origin()),
            confirmed(),
            noted(1, OrderProgress::Done),
            Event::StageChanged { stage: RequestStage::DoneReported },
        ],
    )
    .when(&verify(true), &house())
    .then([
        Event::Verified { satisfied: true, comment: None, at: Some(now()), taken_down: note() },
        Event::FurtherNeedRaised { words: text("地漏也换一下") },
        Event::Closed,
    ]);
}

#[test]
fn what_the_owner_did_not_find_good_is_not_done_because_its_rework_is_called_off() {
    let route = |number| Command::Route { work_order_id: order(number) };
    let confirm = Command::Confirm { details: None, appointment: None };
    let mut story = vec![confirm, route(1), follow(1, OrderProgress::Done)];
    let done = after(&story);
    assert_eq!(done.stage, RequestStage::DoneReported);
    let more = done.decide(&route(9), &house());
    assert!(matches!(more, Err(Refusal::Illegal { .. })), "only the owner's word begins it again: {more:?}");
    story.extend([verify(false), follow(99, OrderProgress::Cancelled)]);
    assert_eq!(after(&story).stage, RequestStage::Confirmed, "nobody came");
    story.extend([route(3), follow(3, OrderProgress::Done)]);
    assert_eq!(after(&story).stage, RequestStage::DoneReported);
}

#[test]
fn what_was_rejected_and_is_left_is_done_by_the_owners_word_or_done_again_by_it() {
    let left = [done(), vec![verify(false), follow(99, OrderProgress::Cancelled)]].concat();
    let request = after(&left);
    assert_eq!(request.allowed(&owner()), ["confirm", "appoint", "request-info", "decline", "cancel", "verify"]);
    assert_eq!(after(&[left.clone(), vec![verify(true)]].concat()).stage, RequestStage::Closed);
    let again = Command::Verify {
        satisfied: false,
        comment: None,
        further_need: None,
        rework: order(98),
        taken_down: by_phone(),
    };
    let back = after(&[left.clone(), vec![again]].concat());
    assert_eq!((back.stage, back.has(order(98))), (RequestStage::InWork, true));
    // A question in between changes nothing of that.
    let asked = Command::RequestInfo { question: text("还漏吗？") };
    let answered = Command::ProvideInfo { text: text("还漏"), taken_down: by_phone() };
    assert_eq!(after(&[left, vec![asked, answered]].concat()).stage, RequestStage::Confirmed);
    let fresh = after(&[Command::Confirm { details: None, appointment: None }]);
    assert!(fresh.decide(&verify(true), &house()).is_err(), "nothing was done that could be good");
}

#[test]
fn of_two_who_confirm_the_second_one_learns_of_the_first() {
    let confirm = |details: Option<&str>| Command::Confirm { details: details.map(text), appointment: None };
    let confirmed = after(&[confirm(Some("厨房水管"))]);
    assert_eq!(confirmed.decide(&confirm(Some("厨房水管")), &house()), Ok(vec![]));
    assert_eq!(confirmed.decide(&confirm(None), &house()), Ok(vec![]));
    assert_eq!(confirmed.decide(&confirm(Some("卫生间")), &house()), Err(Refusal::OtherDetails));
    let has_read = Facts { has_read: true, ..house() };
    assert_eq!(confirmed.decide(&confirm(Some("卫生间")), &has_read).unwrap().len(), 1);
    let asked = after(&[confirm(Some("厨房水管")), Command::RequestInfo { question: text("哪里？") }]);
    assert_eq!(asked.decide(&confirm(Some("卫生间")), &house()), Err(Refusal::OtherDetails));
    // Another time is told to both sides, whoever gives it.
    let window = Command::Confirm { details: None, appointment: Some(window(5)) };
    assert!(matches!(&confirmed.decide(&window, &house()).unwrap()[..], [Event::Appointed { .. }]));
}

#[test]
fn the_owner_who_is_not_satisfied_gets_a_rework_of_what_was_done_last() {
    let request = after(&[
        Command::Confirm { details: None, appointment: None },
        Command::Route { work_order_id: order(1) },
        Command::Route { work_order_id: order(2) },
        follow(2, OrderProgress::Done),
        follow(1, OrderProgress::Done),
        verify(false),
    ]);
    assert_eq!(request.stage, RequestStage::InWork);
    assert_eq!(request.last_done(), Some(order(1)));
    assert!(request.orders.iter().any(|note| note.work_order_id == order(99) && note.progress == OrderProgress::Open));
}

#[test]
fn an_appointment_that_is_none_is_refused_by_every_door() {
    let at = origin().opened_at;
    let backwards = Appointment { from: at, to: at };
    let doors = |appointment| {
        [
            Command::Confirm { details: None, appointment: Some(appointment) },
            Command::Appoint { appointment, reason: None },
        ]
    };
    let wrong = [(backwards, Misdated::Backwards), (window(-3), Misdated::Past), (window(24 * 4000), Misdated::TooFar)];
    for (appointment, fault) in wrong {
        for command in doors(appointment) {
            let history = [Event::Received(origin()), confirmed()];
            given::<ServiceRequest>(id(), history).when(&command, &house()).refused(Refusal::Misdated(fault));
        }
    }
}

#[test]
fn a_time_is_agreed_on_and_moved_until_the_work_is_done_and_each_is_told() {
    let appointed = |hours, previous: Option<i64>| Event::Appointed {
        appointment: window(hours),
        previous: previous.map(window),
        reason: None,
        crew: Vec::new(),
    };
    let confirm = |appointment| Command::Confirm { details: None, appointment };
    let request = after(&[confirm(Some(window(5)))]);
    assert_eq!(request.appointment, Some(window(5)));
    // Confirmed again with another time, and by the door for it.
    let moved = Ok(vec![appointed(30, Some(5))]);
    assert_eq!(request.decide(&confirm(Some(window(30))), &house()), moved);
    assert_eq!(request.decide(&appoint(30), &house()), moved);
    assert_eq!(request.decide(&appoint(5), &house()), Ok(vec![]), "the same time is no news");
    // Whoever confirms other details takes no time back.
    let details = Command::Confirm { details: Some(text("在家")), appointment: None };
    let detailed = after(&[confirm(Some(window(5))), details, confirm(None)]);
    assert_eq!((detailed.appointment, detailed.details), (Some(window(5)), Some(text("在家"))));

    let route = Command::Route { work_order_id: order(1) };
    let routed = [confirm(Some(window(5))), route, follow(1, OrderProgress::Accepted)];
    assert_eq!(after(&routed).decide(&appoint(30), &house()), Ok(vec![appointed(30, Some(5))]));
    // The window passed, and nobody was at home: the next visit is no moving of it.
    let later = Facts { now: window(6).to, ..house() };
    assert_eq!(after(&routed).decide(&appoint(30), &later), Ok(vec![appointed(30, None)]));
    let done = after(&[&routed[..], &[follow(1, OrderProgress::Done)]].concat());
    let refused = Err(Refusal::Illegal { allowed: done.stage.allowed() });
    assert_eq!(done.decide(&appoint(30), &house()), refused);
    // The rework is another visit.
    let rework = replay(done.clone(), &done.decide(&verify(false), &house()).unwrap());
    assert!(rework.decide(&appoint(30), &house()).is_ok());
    // What is over is over.
    assert!(after(&[Command::CallOff]).decide(&appoint(30), &house()).is_err());
}

#[test]
fn strangers_do_not_learn_that_it_exists() {
    let cancel = cancel();
    for stranger in [person(Role::Owner, ESTATE, Some(99)), person(Role::Handler, 99, None)] {
        given::<ServiceRequest>(id(), [Event::Received(origin())])
            .when(&cancel, &stranger)
            .refused(Refusal::NoSuchRequest);
    }
    given::<ServiceRequest>(id(), []).when(&cancel, &house()).refused(Refusal::NoSuchRequest);
    given::<ServiceRequest>(id(), [Event::Received(origin())])
        .when(&cancel, &person(Role::Owner, 99, Some(OWNER)))
        .then([Event::Cancelled {
            reason: Some(text("自己修好了")),
            at: Some(now()),
            by_owner: true,
            taken_down: None,
        }]);
}

/// One way to each end.
fn ends() -> [(RequestStage, Vec<Command>); 3] {
    let decline = Command::Decline { reason: text("自有设备"), responsible: text("厂商") };
    [
        (RequestStage::Closed, [done(), vec![verify(true)]].concat()),
        (RequestStage::Declined, vec![decline]),
        (RequestStage::Cancelled, vec![cancel()]),
    ]
}

#[test]
fn a_request_is_as_urgent_as_its_case_at_every_stage() {
    let told = Command::Prioritise { priority: Priority::P1 };
    let under_way = [(RequestStage::Received, vec![]), (RequestStage::DoneReported, done())];
    for (stage, history) in ends().into_iter().chain(under_way) {
        let request = after(&history);
        assert_eq!(request.stage, stage);
        let events = request.decide(&told, &house()).unwrap();
        assert_eq!(events, [Event::Prioritised { priority: Priority::P1 }], "{stage}");
        let prioritised = replay(request.clone(), &events);
        assert_eq!((prioritised.origin.unwrap().priority, prioritised.stage), (Priority::P1, stage));
        assert_eq!(request.decide(&Command::Prioritise { priority: Priority::P2 }, &house()), Ok(vec![]));
    }
    given::<ServiceRequest>(id(), []).when(&told, &house()).refused(Refusal::NoSuchRequest);
}

#[test]
fn a_request_is_called_off_with_its_case_whatever_it_had_come_to() {
    for (stage, history) in ends() {
        let request = after(&history);
        let events = request.decide(&Command::CallOff, &house()).unwrap();
        assert_eq!(events.is_empty(), stage == RequestStage::Cancelled, "{stage}");
        let cancelled = replay(request, &events);
        assert_eq!((cancelled.stage, &cancelled.responsible), (RequestStage::Cancelled, &None), "{stage}");
        assert_eq!(cancelled.decide(&Command::CallOff, &house()), Ok(vec![]), "{stage}");
    }
}

#[test]
fn what_its_owner_came_back_on_and_closed_is_not_called_off_by_what_happened_before() {
    let again = [cancel(), verify(false), Command::Confirm { details: None, appointment: None }];
    let done_again = [Command::Route { work_order_id: order(2) }, follow(2, OrderProgress::Done), verify(true)];
    let closed = after(&[&again[..], &done_again[..]].concat());
    assert_eq!(closed.stage, RequestStage::Closed);
    let before = Facts { now: now() - TimeDelta::seconds(1), ..house() };
    assert_eq!(closed.decide(&Command::CallOff, &before), Ok(vec![]));
}

/// A request whose only work is reported done.
fn done() -> Vec<Command> {
    let confirm = Command::Confirm { details: None, appointment: None };
    vec![confirm, Command::Route { work_order_id: order(1) }, follow(1, OrderProgress::Done)]
}

#[test]
fn staff_say_how_the_owner_gave_the_word_and_whoever_handled_it_does_not() {
    let done = after(&done());
    for word in [verify(true), verify(false)] {
        let decide = |command: &Command, facts: &Facts| done.decide(command, facts);
        let staff = person(Role::Handler, ESTATE, None);
        assert_eq!(decide(&own(word.clone()), &staff), Err(Refusal::Word(WordFault::HowMissing)));
        assert_eq!(decide(&word, &owner()), Err(Refusal::Word(WordFault::OwnersOwn)));
        let handled = Facts { handled: true, ..staff };
        assert_eq!(decide(&word, &handled), Err(Refusal::Word(WordFault::Handled)));
        assert!(decide(&own(word), &owner()).is_ok());
    }
    let asked = after(&[Command::RequestInfo { question: text("哪里？") }]);
    let unsaid = own(Command::ProvideInfo { text: text("厨房"), taken_down: None });
    let staff = person(Role::Handler, ESTATE, None);
    assert_eq!(asked.decide(&unsaid, &staff), Err(Refusal::Word(WordFault::HowMissing)));
}

#[test]
fn the_company_calls_off_by_itself_and_the_owner_by_a_word() {
    let received = after(&[]);
    let staff = Facts { handled: true, ..person(Role::Handler, ESTATE, None) };
    let cancelled = |events: Vec<Event>| match &events[..] {
        [Event::Cancelled { by_owner, taken_down, .. }] => (*by_owner, taken_down.is_some()),
        other => panic!("{other:?}"),
    };
    assert_eq!(cancelled(received.decide(&cancel(), &staff).unwrap()), (false, false));
    assert_eq!(cancelled(received.decide(&cancel(), &owner()).unwrap()), (true, false));
    let on_word = Command::Cancel { reason: text("自己修好了"), taken_down: by_phone() };
    assert_eq!(received.decide(&on_word, &staff), Err(Refusal::Word(WordFault::Handled)));
    assert_eq!(cancelled(received.decide(&on_word, &house()).unwrap()), (false, true));
}

#[test]
fn an_owner_comes_back_after_any_end_until_the_window_is_over() {
    let decline = Command::Decline { reason: text("自有设备"), responsible: text("厂商") };
    let confirm = Command::Confirm { details: None, appointment: None };
    let ends = [
        ([done(), vec![verify(true)]].concat(), RequestStage::InWork),
        ([done(), vec![cancel()]].concat(), RequestStage::InWork),
        (vec![decline.clone()], RequestStage::Received),
        (vec![confirm.clone(), decline], RequestStage::Confirmed),
        (vec![cancel()], RequestStage::Received),
        (vec![confirm, Command::Route { work_order_id: order(1) }, Command::CallOff], RequestStage::Confirmed),
    ];
    for (history, stage) in ends {
        let ended = after(&history);
        let in_time = Facts { now: now() + TimeDelta::days(15), ..owner() };
        assert_eq!(ended.allowed(&in_time), ["verify"], "{history:?}");
        let back = replay(ended.clone(), &ended.decide(&own(verify(false)), &in_time).unwrap());
        assert_eq!((back.stage, back.ended_at, &back.reason), (stage, None, &None), "{history:?}");
        assert_eq!(back.has(order(99)), stage == RequestStage::InWork, "{history:?}");
        let late = Facts { now: in_time.now + TimeDelta::seconds(1), ..in_time };
        assert_eq!(ended.decide(&own(verify(false)), &late), Err(Refusal::Word(WordFault::TooLate)), "{history:?}");
        assert!(ended.allowed(&late).is_empty());
    }
}

#[test]
fn an_owners_own_word_takes_the_place_of_the_one_that_was_taken_down() {
    let closed = after(&[done(), vec![verify(true)]].concat());
    assert!(closed.verification.as_ref().unwrap().taken_down.is_some());
    let own_word =
        Command::Verify { satisfied: true, comment: None, further_need: None, rework: order(99), taken_down: None };
    let own = replay(closed.clone(), &closed.decide(&own_word, &owner()).unwrap());
    assert_eq!((own.stage, &own.verification.as_ref().unwrap().taken_down), (RequestStage::Closed, &None));
    assert_eq!(own.decide(&own_word, &owner()), Ok(Vec::new()));
}

#[test]
fn what_its_owner_came_back_on_is_not_called_off_by_what_happened_before() {
    let back = after(&[cancel(), verify(false)]);
    let before = Facts { now: now() - TimeDelta::seconds(1), ..house() };
    assert_eq!(back.decide(&Command::CallOff, &before), Ok(Vec::new()));
    assert_eq!(back.decide(&Command::CallOff, &house()).unwrap().len(), 1);
}

#[test]
fn words_that_were_recorded_without_who_gave_them_are_still_read() {
    let read = |json: &str| serde_json::from_str::<Event>(json).unwrap();
    let events = [read(r#"{"kind":"verified","satisfied":true,"comment":null}"#), read(r#"{"kind":"closed"}"#)];
    let closed = replay(after(&done()), &events);
    assert_eq!((closed.stage, closed.ended_at), (RequestStage::Closed, None));
    // When it ended is not known: the window is counted from what is known.
    let late = Facts { now: origin().opened_at + TimeDelta::days(16), ..owner() };
    assert_eq!(closed.decide(&own(verify(false)), &late), Err(Refusal::Word(WordFault::TooLate)));
    let cancelled = replay(after(&[]), &[read(r#"{"kind":"cancelled","reason":null}"#)]);
    assert_eq!(cancelled.stage, RequestStage::Cancelled);
}

fn any_command() -> impl Strategy<Value = Command> {
    let progress = prop::sample::select(OrderProgress::ALL.to_vec());
    prop_oneof![
        Just(Command::Receive(origin())),
        prop::sample::select(Priority::ALL.to_vec()).prop_map(|priority| Command::Prioritise { priority }),
        Just(Command::Confirm { details: None, appointment: None }),
        Just(Command::Confirm { details: Some(text("在家")), appointment: None }),
        (1_i64..48).prop_map(|hours| Command::Confirm { details: None, appointment: Some(window(hours)) }),
        (1_i64..48).prop_map(appoint),
        Just(Command::RequestInfo { question: text("哪里？") }),
        Just(Command::ProvideInfo { text: text("厨房"), taken_down: by_phone() }),
        Just(Command::Decline { reason: text("自有设备"), responsible: text("厂商") }),
        Just(cancel()),
        Just(Command::CallOff),
        (1_u128..4).prop_map(|number| Command::Route { work_order_id: order(number) }),
        (1_u128..4, progress).prop_map(|(number, progress)| follow(number, progress)),
        any::<bool>().prop_map(verify),
    ]
}

proptest! {
    /// Whatever is asked, in whatever order: what is over stays over but for the owner's word and the calling off of its case, and the
    /// stage is never another than follows.
    #[test]
    fn what_is_over_stays_over(commands in vec(any_command(), 0..40), more in any_command()) {
        let request = after(&commands);
        let over = matches!(request.stage, RequestStage::Closed | RequestStage::Declined | RequestStage::Cancelled);
        if over && more != verify(false) && more != Command::CallOff {
            let events = request.decide(&more, &house()).unwrap_or_default();
            prop_assert!(events.iter().all(|event| matches!(event, Event::Prioritised { .. })), "{events:?}");
        }
        prop_assert!(request.stage != RequestStage::OwnerVerified, "it is passed, never rested in");
    }

    /// After the owner has rejected it, whatever is ordered, called off and asked, in whatever order: it is reported done by work that was
    /// finished since.
    #[test]
    fn what_was_rejected_is_done_by_newer_work_alone(commands in vec(any_command(), 0..30), more in vec(any_command(), 0..30)) {
        let mut request = after(&commands);
        let Ok(rejected) = request.decide(&verify(false), &house()) else { return Ok(()) };
        request = replay(request, &rejected);
        let mut was_done = false;
        for command in more.into_iter().filter(|command| !matches!(command, Command::Verify { .. })) {
            let events = request.decide(&command, &house()).unwrap_or_default();
            was_done |= events.iter().any(|event| matches!(event, Event::OrderNoted { progress: OrderProgress::Done, .. }));
            request = replay(request, &events);
            prop_assert!(was_done || request.stage != RequestStage::DoneReported, "{request:?}");
        }
    }

    /// Doing the same thing twice in a row never records more than doing it once.
    #[test]
    fn repeating_a_command_adds_nothing(history in vec(any_command(), 0..20), command in any_command()) {
        let request = after(&history);
        if let Ok(events) = request.decide(&command, &house()) {
            let again = replay(request, &events).decide(&command, &house());
            prop_assert!(again.map_or(true, |events| events.is_empty()));
        }
    }
}

#[test]
fn a_call_off_that_was_taken_down_becomes_the_owners_own() {
    let on_word = Command::Cancel { reason: text("业主说算了"), taken_down: by_phone() };
    let cancelled = replay(after(&[]), &after(&[]).decide(&on_word, &house()).unwrap());
    assert!(cancelled.cancellation_taken_down.is_some());
    let events = cancelled.decide(&cancel(), &owner()).unwrap();
    let own = replay(cancelled.clone(), &events);
    assert_eq!(
        (own.stage, &own.cancellation_taken_down, own.ended_at),
        (RequestStage::Cancelled, &None, cancelled.ended_at)
    );
    for (order, facts) in [(&own, owner()), (&own, house()), (&cancelled, house())] {
        assert_eq!(order.decide(&cancel(), &facts), Ok(vec![]));
    }
}
