//! The work order: every status, every refusal, and what never happens.

use std::collections::BTreeSet;

use chrono::DateTime;
use proptest::{collection::vec, prelude::*};
use steward_kernel::{
    Actor, ActorId, Aggregate, Role, TenantId, ids::WorkOrderId, replay, text::Text, vocabulary::Priority,
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    OrderProgress, TechnicianId,
    candidates::{CandidateReason, Crew, rank},
    order::{Command, Completion, Event, Facts, HoldReason, Job, OrderStatus, Refusal, WorkOrder},
    roster::{Estates, Technician},
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
    }
}

fn person(role: Role, acting_as: Option<u128>) -> Facts {
    Facts {
        actor: Actor {
            tenant: TenantId::from(Uuid::from_u128(9)),
            id: ActorId::new("x"),
            roles: vec![role],
            estates: None,
            resident: None,
        },
        acting_as: acting_as.map(|number| Uuid::from_u128(number).into()),
        technician: Some(technician(5, "水电", ESTATE)),
    }
}

fn lead() -> Facts {
    person(Role::Supervisor, None)
}

fn assigned() -> Event {
    Event::Assigned { technician_id: Uuid::from_u128(5).into() }
}

fn completion() -> Completion {
    Completion { note: text("换好了"), file_ids: vec![Uuid::from_u128(3).into()] }
}

fn assign(number: u128) -> Command {
    Command::Assign { technician_id: TechnicianId::from(Uuid::from_u128(number)) }
}

/// One command of each name, as it would be granted where it is legal.
fn commands() -> Vec<Command> {
    vec![
        assign(5),
        Command::Accept,
        Command::Return { reason: text("缺工具") },
        Command::Depart,
        Command::Arrive,
        Command::MakeSafe { note: None },
        Command::Start,
        Command::Hold { reason: HoldReason::Parts, note: None },
        Command::Resume,
        Command::Complete(completion()),
        Command::Verify,
        Command::Cancel { reason: Some(text("不用了")) },
    ]
}

fn after(commands: &[Command]) -> WorkOrder {
    let start = replay(WorkOrder::unborn(id()), &[Event::Opened(job())]);
    commands.iter().fold(start, |state, command| match state.decide(command, &lead()) {
        Ok(events) => replay(state, &events),
        Err(_) => state,
    })
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
        Command::Hold { reason: HoldReason::Parts, note: None },
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
    let hold = Command::Hold { reason: HoldReason::Access, note: None };
    let order = after(&[&steps[..], &[hold, Command::Resume]].concat());
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
    order().when(&Command::Complete(completion()), &lead()).then([Event::Completed(completion())]);
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

proptest! {
    /// What is said to be allowed is granted, and the rest is refused or is so already.
    #[test]
    fn what_is_said_to_be_allowed_is_true(history in vec(prop::sample::select(commands()), 0..30)) {
        let order = after(&history);
        for command in commands() {
            let outcome = order.decide(&command, &lead());
            if order.status.allowed().contains(&command.name()) {
                let again = command == assign(5) && order.status == OrderStatus::Assigned;
                prop_assert!(outcome.is_ok_and(|events| again || !events.is_empty()), "{command:?} {:?}", order.status);
            } else {
                prop_assert!(outcome.map_or(true, |events| events.is_empty()), "{command:?} {:?}", order.status);
            }
        }
    }

    /// Whatever is asked, in whatever order: somebody has it exactly while it is somebody's, and it waits exactly
    /// while it waits.
    #[test]
    fn it_is_always_in_one_piece(history in vec(prop::sample::select(commands()), 0..40)) {
        let order = after(&history);
        let nobodys = matches!(order.status, OrderStatus::Open | OrderStatus::Returned | OrderStatus::Cancelled);
        prop_assert!(order.technician_id.is_some() || nobodys);
        prop_assert_eq!(order.hold.is_some(), order.status == OrderStatus::OnHold);
        prop_assert_eq!(order.completion.is_some(), order.status.progress() == OrderProgress::Done);
    }

    /// Doing the same thing twice in a row never records more than doing it once.
    #[test]
    fn repeating_a_command_adds_nothing(
        history in vec(prop::sample::select(commands()), 0..20),
        command in prop::sample::select(commands()),
    ) {
        let order = after(&history);
        if let Ok(events) = order.decide(&command, &lead()) {
            let again = replay(order, &events).decide(&command, &lead());
            prop_assert!(again.map_or(true, |events| events.is_empty()));
        }
    }
}
