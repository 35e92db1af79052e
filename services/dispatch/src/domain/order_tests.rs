//! The work order: every status, every refusal, and what never happens.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use chrono::DateTime;
use proptest::{collection::vec, prelude::*};
use steward_kernel::{
    Actor, ActorId, Aggregate, Refuses as _, Role, TenantId, ids::WorkOrderId, replay, text::Text, vocabulary::Priority,
};
use steward_testkit::{given::given, golden::golden};
use uuid::Uuid;

use super::{
    Code, OrderProgress, TechnicianId,
    candidates::{CandidateReason, Crew, rank},
    order::{Command, Completion, Event, Facts, HoldReason, Job, OrderStatus, Refusal, WorkOrder},
    roster::{Department, Estates, Technician},
};

const ESTATE: u128 = 7;

fn id() -> WorkOrderId {
    Uuid::from_u128(1).into()
}

fn text<const MAX: usize>(raw: &str) -> Text<MAX> {
    Text::try_new(raw).unwrap()
}

fn job() -> Job {
    Job {
        reference: "W-261123-00000X".to_owned(),
        case_id: Uuid::from_u128(2).into(),
        remedy_id: None,
        rework_of: None,
        department: text("engineering"),
        contractor: false,
        skill: Some(text("水电")),
        summary: text("修水龙头"),
        category: "home.fixture".to_owned(),
        priority: Priority::P3,
        estate_id: Uuid::from_u128(ESTATE).into(),
        unit_id: None,
        resident_id: None,
        opened_at: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
    }
}

pub(super) fn technician(number: u128, skill: &str, estate: u128) -> Technician {
    Technician {
        id: Uuid::from_u128(number).into(),
        code: text(&format!("T{number:03}")),
        name: text("张三"),
        account: text(&format!("tech-{number}")),
        department: text("engineering"),
        skills: BTreeSet::from([skill.to_owned()]),
        estates: Estates::Some(BTreeSet::from([Uuid::from_u128(estate).into()])),
        left: false,
    }
}

fn person(role: Role, acting_as: Option<u128>) -> Facts {
    let tenant = TenantId::from(Uuid::from_u128(9));
    let actor = Actor { tenant, id: ActorId::new("x"), roles: vec![role], estates: None, resident: None };
    Facts {
        acting_as: acting_as.map(|number| Uuid::from_u128(number).into()),
        technician: Some(technician(5, "水电", ESTATE)),
        department: Some(department("lift_contractor", ESTATE)),
        ..Facts::of(actor)
    }
}

/// Whoever is called a contractor is one.
pub(super) fn department(code: &str, estate: u128) -> Department {
    Department {
        id: Uuid::from_u128(11).into(),
        code: text(code),
        name: text("部门"),
        estates: Estates::Some(BTreeSet::from([Uuid::from_u128(estate).into()])),
        contractor: code.ends_with("contractor"),
        closed: false,
    }
}

fn lead() -> Facts {
    person(Role::Supervisor, None)
}

/// What was looked up for a lead who asks that.
fn facts(command: &Command) -> Facts {
    match command {
        Command::Transfer { department: code, .. } => {
            Facts { department: Some(department(code.as_str(), ESTATE)), has_read: true, ..lead() }
        }
        _ => lead(),
    }
}

fn assigned() -> Event {
    Event::Assigned { technician_id: Uuid::from_u128(5).into(), account: Some(text("tech-5")) }
}

fn transfer(department: &str) -> Command {
    Command::Transfer { department: text(department), instead_of: None, reason: text("须由维保单位处理") }
}

fn hold(files: usize) -> Command {
    let file_ids = (0..files).map(|number| Uuid::from_u128(30 + number as u128).into()).collect();
    Command::Hold { reason: HoldReason::Parts, note: None, file_ids }
}

fn completion() -> Completion {
    Completion::new(text("换好了"), vec![Uuid::from_u128(3).into()])
}

fn assign(number: u128) -> Command {
    Command::Assign { technician_id: TechnicianId::from(Uuid::from_u128(number)), instead_of: None }
}

/// What people ask for, as it would be granted where it is legal.
fn commands() -> Vec<Command> {
    vec![
        assign(5),
        Command::Accept,
        Command::Return { reason: text("缺工具") },
        transfer("lift_contractor"),
        transfer("engineering"),
        Command::ChangeSkill { skill: None },
        Command::Depart,
        Command::Arrive,
        Command::MakeSafe { note: None },
        Command::Start,
        hold(1),
        Command::Resume,
        Command::Complete(completion()),
        Command::Verify,
        Command::Cancel { reason: Some(text("不用了")) },
    ]
}

/// The same, and what intake tells.
fn everything() -> Vec<Command> {
    let told = [Priority::P1, Priority::P4].map(|priority| Command::Prioritise { priority });
    [commands(), told.to_vec()].concat()
}

/// One way to each status.
fn ways() -> Vec<(OrderStatus, Vec<Command>)> {
    let mut way = vec![];
    let mut ways = vec![(OrderStatus::Open, way.clone())];
    for (status, command) in [
        (OrderStatus::Assigned, assign(5)),
        (OrderStatus::Accepted, Command::Accept),
        (OrderStatus::EnRoute, Command::Depart),
        (OrderStatus::OnSite, Command::Arrive),
        (OrderStatus::MadeSafe, Command::MakeSafe { note: None }),
        (OrderStatus::Working, Command::Start),
        (OrderStatus::OnHold, hold(1)),
    ] {
        way.push(command);
        ways.push((status, way.clone()));
    }
    let ends = [
        (OrderStatus::Returned, vec![Command::Return { reason: text("缺工具") }]),
        (OrderStatus::Transferred, vec![transfer("security")]),
        (OrderStatus::Completed, vec![Command::Resume, Command::Complete(completion())]),
        (OrderStatus::Verified, vec![Command::Resume, Command::Complete(completion()), Command::Verify]),
        (OrderStatus::Cancelled, vec![Command::Cancel { reason: None }]),
    ];
    ways.extend(ends.map(|(status, end)| (status, [way.clone(), end].concat())));
    ways
}

fn after(commands: &[Command]) -> WorkOrder {
    let start = replay(WorkOrder::unborn(id()), &[Event::Opened(job())]);
    commands.iter().fold(start, |state, command| match state.decide(command, &facts(command)) {
        Ok(events) => replay(state, &events),
        Err(_) => state,
    })
}

#[test]
fn what_proves_the_work_is_of_whoever_did_it_and_is_there_when_a_lead_finds_it_good() {
    let (on_site, done) = (after(&[assign(5), Command::Accept, Command::Depart, Command::Arrive]), completion());
    let stored_by = |account: &str| {
        let stored_by = HashMap::from([(done.file_ids[0], account.to_owned())]);
        Facts { stored_by, crew: Some(text("tech-5")), ..lead() }
    };
    let complete = |facts: &Facts| on_site.decide(&Command::Complete(done.clone()), facts).map(|events| events.len());
    assert_eq!(complete(&stored_by("owner-7")), Err(Refusal::ProofOfAnother(0)));
    // By the technician, by the lead who says it, or not here yet.
    for facts in [stored_by("tech-5"), stored_by("x"), lead()] {
        assert_eq!(complete(&facts), Ok(1));
    }
    let completed = replay(on_site.clone(), &on_site.decide(&Command::Complete(done.clone()), &lead()).unwrap());
    let awaited = Facts { proof_awaited: true, ..lead() };
    assert_eq!(completed.decide(&Command::Verify, &awaited), Err(Refusal::ProofAwaited));
    assert_eq!(completed.decide(&Command::Verify, &lead()), Ok(vec![Event::Verified]));
}

#[test]
fn of_two_dispatchers_the_second_one_learns_of_the_first() {
    let order = after(&[assign(5)]);
    let other = |instead_of: Option<u128>| Command::Assign {
        technician_id: Uuid::from_u128(6).into(),
        instead_of: instead_of.map(|number| Uuid::from_u128(number).into()),
    };
    let knows = |has_read| {
        let known = facts(&assign(5)).technician.map(|known| Technician { id: Uuid::from_u128(6).into(), ..known });
        Facts { technician: known, has_read, ..lead() }
    };
    assert_eq!(order.decide(&other(None), &knows(false)), Err(Refusal::AssignedToAnother));
    assert_eq!(order.decide(&other(Some(7)), &knows(false)), Err(Refusal::AssignedToAnother));
    assert_eq!(order.decide(&other(Some(7)), &knows(true)), Err(Refusal::AssignedToAnother));
    for granted in [order.decide(&other(Some(5)), &knows(false)), order.decide(&other(None), &knows(true))] {
        assert_eq!(replay(order.clone(), &granted.unwrap()).technician_id, Some(Uuid::from_u128(6).into()));
    }
    // The same word twice is one word.
    assert_eq!(order.decide(&assign(5), &facts(&assign(5))), Ok(vec![]));
    // What was given back is free.
    let returned = after(&[assign(5), Command::Return { reason: text("缺工具") }]);
    assert!(returned.decide(&other(None), &knows(false)).is_ok());
}

#[test]
fn the_straight_way_leads_through_all_statuses() {
    let mut order = after(&[]);
    let mut way = Vec::new();
    for command in [
        assign(5),
        Command::Accept,
        Command::Depart,
        Command::Arrive,
        Command::MakeSafe { note: Some(text("已关阀")) },
        Command::Start,
        hold(0),
        Command::Resume,
        Command::Complete(completion()),
        Command::Verify,
    ] {
        let events = order.decide(&command, &lead()).unwrap();
        order = replay(order, &events);
        way.push(order.status.as_str());
    }
    let expected = "assigned accepted en_route on_site made_safe working on_hold working completed verified";
    assert_eq!(way.join(" "), expected);
}

#[test]
fn work_goes_on_where_it_was_held() {
    let steps = [assign(5), Command::Accept, Command::Depart, Command::Arrive];
    let order = after(&[&steps[..], &[hold(1), Command::Resume]].concat());
    assert_eq!(order.status, OrderStatus::OnSite);
    assert_eq!(order.hold, None);
}

#[test]
fn hard_rules_refuse() {
    let with = |technician| Facts { technician, ..lead() };
    let cases = [
        (None, Refusal::UnknownTechnician),
        (Some(technician(6, "水电", ESTATE)), Refusal::UnknownTechnician),
        (Some(technician(5, "电梯", ESTATE)), Refusal::SkillMissing),
        (Some(technician(5, "水电", 99)), Refusal::EstateNotServed),
    ];
    for (technician, refusal) in cases {
        given::<WorkOrder>(id(), [Event::Opened(job())]).when(&assign(5), &with(technician)).refused(refusal);
    }
}

#[test]
fn only_the_technician_who_has_it_or_a_lead_acts_on_it() {
    let order = || given::<WorkOrder>(id(), [Event::Opened(job()), assigned()]);
    order().when(&Command::Accept, &person(Role::Technician, Some(6))).refused(Refusal::NotYours);
    order().when(&Command::Accept, &person(Role::Technician, None)).refused(Refusal::NotYours);
    order().when(&Command::Accept, &person(Role::Technician, Some(5))).then([Event::Accepted]);
    order().when(&Command::Accept, &lead()).then([Event::Accepted]);
}

#[test]
fn work_without_proof_is_not_done() {
    let order = || {
        given::<WorkOrder>(id(), [Event::Opened(job()), assigned(), Event::Accepted, Event::Departed, Event::Arrived])
    };
    let complete = |file_ids| Command::Complete(Completion { file_ids, ..completion() });
    order().when(&complete(Vec::new()), &lead()).refused(Refusal::NoProof);
    let many = vec![Uuid::from_u128(3).into(); 21];
    order().when(&complete(many), &lead()).refused(Refusal::TooMuchProof);
    let by_lead = Completion { proof_by: vec![lead().actor.id.to_string()], ..completion() };
    order().when(&Command::Complete(completion()), &lead()).then([Event::Completed(by_lead)]);
}

#[test]
fn until_it_is_done_it_can_be_given_to_another_department_and_nobody_has_it_then() {
    for (status, way) in ways() {
        let before = after(&way);
        assert_eq!(before.status, status);
        let outcome = before.decide(&transfer("lift_contractor"), &Facts { has_read: true, ..lead() });
        if before.completion.is_some() || status == OrderStatus::Cancelled {
            assert_eq!(outcome, Err(Refusal::Illegal { allowed: status.allowed() }), "{status}");
            continue;
        }
        let previous = before.job.as_ref().unwrap().department.clone();
        let transferred = Event::Transferred {
            previous_department: previous,
            department: text("lift_contractor"),
            contractor: true,
            reason: text("须由维保单位处理"),
        };
        let events = outcome.unwrap();
        assert_eq!(events, [transferred], "{status}");
        let hops = before.transfers;
        let order = replay(before, &events);
        let job = order.job.as_ref().unwrap();
        assert_eq!((job.department.as_str(), job.contractor), ("lift_contractor", true));
        assert_eq!((order.status, order.technician_id, &order.hold), (OrderStatus::Transferred, None, &None));
        assert_eq!((order.transfers, order.status.progress()), (hops + 1, OrderProgress::Open));
        assert_eq!(order.status.allowed(), ["assign", "change-skill", "transfer", "cancel"]);
    }
}

#[test]
fn who_can_have_it_follows_from_the_skill_that_it_turns_out_to_take() {
    let flying = Job { skill: Some(text("飞行")), ..job() };
    let order = replay(WorkOrder::unborn(id()), &[Event::Opened(flying)]);
    let known = Facts { technician: Some(technician(5, "水电", ESTATE)), ..lead() };
    assert_eq!(order.decide(&assign(5), &known), Err(Refusal::SkillMissing));
    let change = Command::ChangeSkill { skill: Some(text("水电")) };
    let events = order.decide(&change, &lead()).unwrap();
    assert_eq!(events, [Event::SkillChanged { skill: Some(text("水电")) }]);
    let mended = replay(order, &events);
    assert!(mended.decide(&assign(5), &known).is_ok());
    assert_eq!(mended.decide(&change, &lead()), Ok(vec![]));
    // Whoever has it was chosen for the skill.
    let taken = replay(mended, &[assigned()]);
    assert!(matches!(taken.decide(&Command::ChangeSkill { skill: None }, &lead()), Err(Refusal::Illegal { .. })));
}

#[test]
fn a_transfer_leads_to_another_department_that_serves_the_estate() {
    let order = || given::<WorkOrder>(id(), [Event::Opened(job()), assigned()]);
    let with = |department| Facts { department, ..lead() };
    let cases = [
        ("engineering", Some(department("engineering", ESTATE)), Refusal::SameDepartment),
        ("plumbing", None, Refusal::UnknownDepartment),
        ("plumbing", Some(department("security", ESTATE)), Refusal::UnknownDepartment),
        ("security", Some(department("security", 99)), Refusal::UnknownDepartment),
    ];
    for (code, department, refusal) in cases {
        assert_eq!(refusal.field().unwrap().0, "/department");
        order().when(&transfer(code), &with(department)).refused(refusal);
    }
    let mut elsewhere = lead();
    elsewhere.actor.estates = Some(vec![Uuid::from_u128(99).into()]);
    order().when(&transfer("lift_contractor"), &elsewhere).refused(Refusal::NoSuchOrder);
}

#[test]
fn a_contractors_order_that_comes_back_to_the_house_is_not_a_contractors_any_more() {
    let order = after(&[transfer("lift_contractor"), transfer("engineering"), assign(5), Command::Accept]);
    assert_eq!((order.job.unwrap().contractor, order.transfers, order.status), (false, 2, OrderStatus::Accepted));
}

#[test]
fn that_work_waits_is_proven_by_no_more_files_than_anybody_looks_at() {
    let on_site = [Event::Opened(job()), assigned(), Event::Accepted, Event::Departed, Event::Arrived];
    let order = || given::<WorkOrder>(id(), on_site.clone());
    order().when(&hold(21), &lead()).refused(Refusal::TooMuchProof);
    for files in [0, 20] {
        let Command::Hold { reason, note, file_ids } = hold(files) else { unreachable!() };
        order().when(&hold(files), &lead()).then([Event::Held { reason, note, file_ids }]);
    }
    let steps = [assign(5), Command::Accept, Command::Depart, Command::Arrive, hold(2)];
    assert_eq!(after(&steps).files().count(), 2);
}

#[test]
fn only_what_is_not_over_takes_another_priority() {
    for (status, way) in ways() {
        let order = after(&way);
        let told = |priority| order.decide(&Command::Prioritise { priority }, &lead());
        let is_open = matches!(status.progress(), OrderProgress::Open | OrderProgress::Accepted);
        let expected = if is_open { vec![Event::Prioritised { priority: Priority::P1 }] } else { vec![] };
        assert_eq!(told(Priority::P1), Ok(expected.clone()), "{status}");
        assert_eq!(told(Priority::P3), Ok(vec![]), "it has that one already");
        let after = replay(order.clone(), &expected);
        assert_eq!(after.job.as_ref().unwrap().priority, if is_open { Priority::P1 } else { Priority::P3 });
        assert_eq!(after.status, status);
    }
    given::<WorkOrder>(id(), [])
        .when(&Command::Prioritise { priority: Priority::P1 }, &lead())
        .refused(Refusal::NoSuchOrder);
}

#[test]
fn what_was_recorded_before_there_were_contractors_accounts_and_evidence_is_still_read() {
    let mut opened = serde_json::to_value(Event::Opened(job())).unwrap();
    opened.as_object_mut().unwrap().remove("contractor").unwrap();
    let technician_id = Uuid::from_u128(5);
    let events = [
        opened,
        serde_json::json!({ "kind": "assigned", "technician_id": technician_id }),
        serde_json::json!({ "kind": "held", "reason": "parts", "note": null }),
    ]
    .map(|stored| serde_json::from_value::<Event>(stored).unwrap());
    let mut row = serde_json::to_value(replay(WorkOrder::unborn(id()), &events)).unwrap();
    for (place, name) in [("", "transfers"), ("/job", "contractor"), ("/hold", "file_ids")] {
        row.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    }
    let order: WorkOrder = serde_json::from_value(row).unwrap();
    assert_eq!((order.transfers, order.job.as_ref().unwrap().contractor, order.files().count()), (0, false, 0));
}

/// The state machine on one page, reviewed as text.
#[test]
fn the_order_table_is_as_reviewed() {
    let mut page = "# What follows from a command in each status of a work order\n\n\
        Printed by a test. A status: the work order has it afterwards. `–`: it is so already, or does not matter any \
        more. Otherwise the problem that is answered.\n\n| command |"
        .to_owned();
    let ways = ways();
    ways.iter().for_each(|(status, _)| write!(page, " {status} |").unwrap());
    page.push_str("\n|---|");
    ways.iter().for_each(|_| page.push_str("---|"));
    let again = [transfer("engineering"), Command::Prioritise { priority: Priority::P4 }];
    for command in everything().into_iter().filter(|command| !again.contains(command)) {
        let name = match &command {
            Command::Prioritise { .. } => "(prioritised)".to_owned(),
            other => other.name().to_owned(),
        };
        write!(page, "\n| {name} |").unwrap();
        for (_, way) in &ways {
            let order = after(way);
            let cell = match order.decide(&command, &facts(&command)) {
                Ok(events) if events.is_empty() => "–".to_owned(),
                Ok(events) => replay(order, &events).status.to_string(),
                Err(refusal) => format!("*{}*", refusal.problem().slug.trim_start_matches("dispatch/")),
            };
            write!(page, " {cell} |").unwrap();
        }
    }
    page.push('\n');
    golden(concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/order_table.golden.md"), &page);
}

#[test]
fn candidates_are_ranked_by_soft_rules_and_left_out_by_hard_ones() {
    let crew = |number, skill, estate, department: &str, on_shift, open_orders| Crew {
        technician: Technician { department: text(department), ..technician(number, skill, estate) },
        on_shift,
        open_orders,
    };
    let ranked = rank(
        &job(),
        vec![
            crew(1, "水电", ESTATE, "engineering", false, 0),
            crew(2, "水电", ESTATE, "engineering", true, 3),
            crew(3, "水电", ESTATE, "engineering", true, 1),
            crew(4, "水电", ESTATE, "security", true, 0),
            crew(5, "电梯", ESTATE, "engineering", true, 0),
            crew(6, "水电", 99, "engineering", true, 0),
        ],
    );
    let codes: Vec<_> = ranked.iter().map(|candidate| candidate.crew.technician.code.as_str()).collect();
    assert_eq!(codes, ["T003", "T002", "T004", "T001"]);
    assert_eq!(
        ranked[0].reasons,
        [
            CandidateReason::HasSkill,
            CandidateReason::ServesEstate,
            CandidateReason::OnShift,
            CandidateReason::OwnDepartment,
            CandidateReason::Busy
        ]
    );
}

#[test]
fn proof_that_does_not_come_is_missed_once_and_no_longer_when_it_comes() {
    let looks = |order: &WorkOrder, proof_awaited, proof_overdue| {
        order.decide(&Command::LookForProof, &Facts { proof_awaited, proof_overdue, ..lead() }).unwrap()
    };
    let mut order = after(&[assign(5), Command::Accept, Command::Depart, Command::Arrive]);
    assert_eq!(looks(&order, true, true), [], "it is not done");
    order = replay(order.clone(), &order.decide(&Command::Complete(completion()), &lead()).unwrap());
    assert_eq!(looks(&order, true, false), [], "there is time");
    assert_eq!(looks(&order, false, true), [], "it has come in time");
    assert_eq!(looks(&order, true, true), [Event::ProofMissed]);
    order = replay(order.clone(), &[Event::ProofMissed]);
    assert_eq!(looks(&order, true, true), []);
    let awaited = Facts { proof_awaited: true, ..lead() };
    assert_eq!(order.decide(&Command::Verify, &awaited), Err(Refusal::ProofAwaited));
    assert_eq!(looks(&order, false, false), [Event::ProofArrived]);
    assert!(!replay(order, &[Event::ProofArrived]).proof_missed);
}

#[test]
fn work_is_proven_by_files_of_who_did_it() {
    let order = after(&[assign(5), Command::Accept, Command::Depart, Command::Arrive]);
    let facts = Facts { crew: Some(text("tech-5")), ..lead() };
    let done = replay(order.clone(), &order.decide(&Command::Complete(completion()), &facts).unwrap());
    let file = completion().file_ids[0];
    let whose = [facts.actor.id.as_str(), "tech-5", "", "owner-9"].map(|account| done.is_proven_by(file, account));
    assert_eq!(whose, [true, true, true, false]);
    // What was recorded before anybody asked whose they are stands.
    let before = replay(order, &[Event::Completed(completion())]);
    assert!(before.is_proven_by(file, "owner-9"));
}

#[test]
fn of_two_who_give_it_to_other_departments_the_second_one_learns_of_the_first() {
    let order = after(&[transfer("lift_contractor")]);
    let third = |instead_of: Option<&str>, has_read| {
        let command = Command::Transfer {
            department: text("cleaning"),
            instead_of: instead_of.map(text),
            reason: text("保洁处理"),
        };
        order.decide(&command, &Facts { has_read, ..facts(&command) }).map(|events| events.len())
    };
    assert_eq!(third(None, false), Err(Refusal::TransferredToAnother));
    assert_eq!(third(Some("engineering"), false), Err(Refusal::TransferredToAnother));
    assert_eq!(third(Some("engineering"), true), Err(Refusal::TransferredToAnother));
    assert_eq!(third(Some("lift_contractor"), false), Ok(1));
    assert_eq!(third(None, true), Ok(1));
}

proptest! {
    /// What is said to be allowed is granted, and the rest is refused or is so already.
    #[test]
    fn what_is_said_to_be_allowed_is_true(history in vec(prop::sample::select(commands()), 0..30)) {
        let order = after(&history);
        for command in commands() {
            let outcome = order.decide(&command, &facts(&command));
            let has_it = |code: &Code| order.job.as_ref().is_some_and(|job| job.department == *code);
            if matches!(&command, Command::Transfer { department, .. } if has_it(department)) {
                prop_assert!(outcome.is_err());
            } else if order.status.allowed().contains(&command.name()) {
                let again = (command == assign(5) && order.status == OrderStatus::Assigned)
                    || matches!(command, Command::ChangeSkill { .. });
                prop_assert!(outcome.is_ok_and(|events| again || !events.is_empty()), "{command:?} {:?}", order.status);
            } else {
                prop_assert!(outcome.map_or(true, |events| events.is_empty()), "{command:?} {:?}", order.status);
            }
        }
    }

    /// Whatever is asked, in whatever order: somebody has it exactly while it is somebody's, and it waits exactly
    /// while it waits.
    #[test]
    fn it_is_always_in_one_piece(history in vec(prop::sample::select(everything()), 0..40)) {
        use OrderStatus as S;
        let order = after(&history);
        let nobodys = matches!(order.status, S::Open | S::Returned | S::Transferred);
        prop_assert!(order.status == S::Cancelled || order.technician_id.is_none() == nobodys);
        let job = order.job.as_ref().unwrap();
        prop_assert_eq!(job.contractor, job.department.as_str() == "lift_contractor");
        prop_assert_eq!(job.contractor, order.transfers % 2 == 1, "between two departments");
        prop_assert_eq!(order.hold.is_some(), order.status == OrderStatus::OnHold);
        prop_assert_eq!(order.completion.is_some(), order.status.progress() == OrderProgress::Done);
    }

    /// Doing the same thing twice in a row never records more than doing it once.
    #[test]
    fn repeating_a_command_adds_nothing(
        history in vec(prop::sample::select(everything()), 0..20),
        command in prop::sample::select(everything()),
    ) {
        let order = after(&history);
        if let Ok(events) = order.decide(&command, &facts(&command)) {
            let again = replay(order, &events).decide(&command, &facts(&command));
            prop_assert!(again.map_or(true, |events| events.is_empty()));
        }
    }

    /// What is stored can be read again: events from the log, and the state from the row.
    #[test]
    fn events_and_state_survive_storage(history in vec(prop::sample::select(everything()), 0..20)) {
        let order = after(&history);
        let row = serde_json::to_string(&order).unwrap();
        prop_assert_eq!(&serde_json::from_str::<WorkOrder>(&row).unwrap(), &order);
        for command in everything() {
            for event in order.decide(&command, &facts(&command)).unwrap_or_default() {
                let stored = serde_json::to_string(&event).unwrap();
                prop_assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
            }
        }
    }
}

#[test]
fn what_somebody_has_comes_back_when_they_leave_or_do_such_work_no_more() {
    let before = technician(1, "水电", ESTATE);
    let job = job();
    let after = |change: fn(&mut Technician)| {
        let mut after = before.clone();
        change(&mut after);
        after.gives_back(&before, &job)
    };
    assert!(!after(|_| {}));
    assert!(!after(|after| after.name = text("李四")));
    assert!(after(|after| after.left = true));
    assert!(after(|after| after.estates = Estates::Some(BTreeSet::from([Uuid::from_u128(99).into()]))));
    assert!(after(|after| after.skills = BTreeSet::from(["木工".to_owned()])));
    assert!(after(|after| after.department = text("cleaning")));
    assert!(!after(|after| after.estates = Estates::All));
    // Who was lent to another department goes on with its job.
    let lent = Job { department: text("security"), ..job.clone() };
    assert!(!Technician { department: text("cleaning"), ..before.clone() }.gives_back(&before, &lent));
}
