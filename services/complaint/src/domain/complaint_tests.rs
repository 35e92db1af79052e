use std::{collections::BTreeSet, fmt::Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Refuses as _, Role,
    call_back::CallResult,
    ids::{CaseId, EstateId, ResidentId, TenantId, WorkOrderId},
    replay,
    text::Text,
    vocabulary::{Channel, Language, Priority},
    word::{GivenHow, TakenDown, WordFault},
};
use steward_testkit::{given::given, golden::golden};
use uuid::Uuid;

use super::*;

fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

fn text<const MAX: usize>(raw: &str) -> Text<MAX> {
    Text::try_new(raw).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

const ESTATE: u128 = 7;
const OWNER: u128 = 8;

fn handler() -> Facts {
    let tenant: TenantId = id(1);
    let mut actor = Actor::service(tenant, "handler-1");
    actor.roles = vec![Role::Handler];
    actor.estates = Some(vec![id::<EstateId>(ESTATE)]);
    facts(actor)
}

fn facts(actor: Actor) -> Facts {
    Facts {
        now: now(),
        actor,
        handled: false,
        has_read: false,
        departments: Vec::new(),
        come_back_within: TimeDelta::days(15),
    }
}

fn owner(resident: u128) -> Facts {
    let mut facts = handler();
    facts.actor.roles = vec![Role::Owner];
    facts.actor.estates = None;
    facts.actor.resident = Some(id::<ResidentId>(resident));
    facts
}

fn receipt() -> Receipt {
    Receipt {
        reference: "C-261123-7K3QD4".into(),
        category: "noise.neighbour".into(),
        priority: Priority::P3,
        words: text("楼上半夜拖凳子"),
        language: Language::ZhHans,
        estate_id: id(ESTATE),
        unit_id: None,
        resident_id: Some(id(OWNER)),
        linked_case_id: None,
        opened_at: now(),
        time_zone: "Asia/Shanghai".into(),
        urgent: false,
        source_unit_id: None,
    }
}

fn assess(points: &[u128]) -> Command {
    let points = points.iter().map(|point| NewPoint { point_id: id(*point), text: text(&format!("point {point}")) });
    Command::Assess { category: None, severity: Severity::Medium, points: points.collect() }
}

fn consult(number: u128) -> Command {
    let question = text(&format!("question {number}"));
    Command::Consult { consultation_id: id(number), department: text("security"), question }
}

fn answer(number: u128) -> Command {
    Command::AnswerConsultation { consultation_id: id(number), answer: text("three times at midnight") }
}

fn plan() -> Command {
    Command::Plan { text: text("talk upstairs"), departments: vec![text("security")], told_owner_via: Channel::Phone }
}

fn outcome(point: u128, outcome: Outcome) -> PointOutcome {
    PointOutcome { point_id: id(point), outcome, reason: text("heard it") }
}

fn decide() -> Command {
    Command::Decide {
        outcomes: vec![outcome(1, Outcome::Upheld), outcome(2, Outcome::PartlyUpheld)],
        commitments: vec![commitment("2026-12-07")],
    }
}

fn commitment(due_on: &str) -> NewCommitment {
    NewCommitment { commitment_id: id(40), text: text("call again"), due_on: due_on.parse().unwrap() }
}

fn remedy(number: u128) -> Command {
    let summary = text(&format!("change the pipe {number}"));
    Command::Remedy(NewRemedy { remedy_id: id(number), department: text("engineering"), skill: None, summary })
}

fn order(remedy: u128, number: u128, step: WorkOrderStep) -> Command {
    Command::FollowWorkOrder { remedy_id: id(remedy), work_order_id: id::<WorkOrderId>(number), step }
}

fn opened() -> WorkOrderStep {
    WorkOrderStep::Opened { reference: "W-261123-7K3QD4".into() }
}

fn confirm(satisfied: bool) -> Command {
    Command::Confirm { satisfied, comment: None, taken_down: by_phone() }
}

fn call(result: CallResult) -> Command {
    Command::FollowUp { result, note: None }
}

fn withdraw() -> Command {
    Command::Withdraw { reason: text("settled"), taken_down: by_phone() }
}

/// The same words, given by the owner.
fn own(command: Command) -> Command {
    match command {
        Command::Confirm { satisfied, comment, .. } => Command::Confirm { satisfied, comment, taken_down: None },
        Command::Withdraw { reason, .. } => Command::Withdraw { reason, taken_down: None },
        other => other,
    }
}

fn by_phone() -> Option<TakenDown> {
    Some(TakenDown { how: GivenHow::Phone, given_at: None })
}

fn later(mut facts: Facts, by: TimeDelta) -> Facts {
    facts.now += by;
    facts
}

/// The state after these commands; each must be granted.
fn after(commands: &[Command]) -> Complaint {
    let service = facts(Actor::service(id(1), "intake"));
    let mut complaint = Complaint::unborn(id::<CaseId>(9));
    for command in std::iter::once(&Command::Receive(receipt())).chain(commands) {
        let events = complaint.decide(command, &service).unwrap_or_else(|refusal| panic!("{command:?}: {refusal:?}"));
        complaint = replay(complaint, &events);
    }
    complaint
}

fn matter(commands: &[Command]) -> Matter {
    match after(commands) {
        Complaint::Born(matter) => *matter,
        Complaint::Unborn(_) => panic!("not born"),
    }
}

fn proposed() -> Vec<Command> {
    let acknowledge = Command::Acknowledge { note: None };
    vec![acknowledge, assess(&[1, 2]), consult(20), answer(20), plan()]
}

fn with(mut commands: Vec<Command>, more: &[Command]) -> Vec<Command> {
    commands.extend(more.iter().cloned());
    commands
}

/// One way to each stage that lasts.
fn stages() -> Vec<(ComplaintStage, Vec<Command>)> {
    let acknowledge = Command::Acknowledge { note: None };
    let assessed = vec![acknowledge.clone(), assess(&[1, 2])];
    let await_owner = Command::AwaitOwner { reason: text("a photo") };
    vec![
        (ComplaintStage::Received, vec![]),
        (ComplaintStage::Acknowledged, vec![acknowledge]),
        (ComplaintStage::Assessed, assessed.clone()),
        (ComplaintStage::Investigating, with(assessed.clone(), &[consult(20)])),
        (ComplaintStage::AwaitingOwner, with(assessed, &[consult(20), await_owner])),
        (ComplaintStage::Proposed, proposed()),
        (ComplaintStage::Decided, with(proposed(), &[decide()])),
        (ComplaintStage::Remedying, with(proposed(), &[decide(), remedy(30)])),
        (ComplaintStage::Closed, with(proposed(), &[decide(), confirm(true)])),
        (ComplaintStage::Withdrawn, vec![withdraw()]),
    ]
}

#[test]
fn a_complaint_goes_all_the_way() {
    let way = with(
        proposed(),
        &[
            decide(),
            remedy(30),
            order(30, 50, opened()),
            order(30, 50, WorkOrderStep::Completed),
            confirm(true),
            Command::KeepCommitment { commitment_id: id(40) },
        ],
    );
    let complaint = matter(&way);
    assert_eq!(complaint.stage, ComplaintStage::Closed);
    assert_eq!(complaint.points[1].outcome, Some(Outcome::PartlyUpheld));
    assert_eq!(complaint.remedies[0].progress, RemedyProgress::Completed);
    assert_eq!((complaint.open_remedies(), complaint.open_commitments()), (0, 0));
}

#[test]
fn every_point_needs_one_outcome_and_promises_need_a_day_to_come() {
    let refused = |outcomes: Vec<PointOutcome>, due_on: &str| {
        let command = Command::Decide { outcomes, commitments: vec![commitment(due_on)] };
        after(&proposed()).decide(&command, &handler()).unwrap_err()
    };
    let (one, two) = (outcome(1, Outcome::Upheld), outcome(2, Outcome::NotUpheld));
    assert_eq!(refused(vec![one.clone()], "2026-12-07"), Refusal::PointUndecided);
    assert_eq!(refused(vec![one.clone(), one.clone()], "2026-12-07"), Refusal::PointTwice { index: 1 });
    assert_eq!(refused(vec![outcome(3, Outcome::Upheld)], "2026-12-07"), Refusal::NoSuchPoint { index: 0 });
    assert_eq!(refused(vec![one.clone(), two.clone()], "2026-11-22"), Refusal::CommitmentPast { index: 0 });
    assert_eq!(refused(vec![one, two], "2999-01-01"), Refusal::CommitmentTooFar { index: 0 });
}

#[test]
fn a_promise_for_today_is_one_for_the_day_of_the_estate() {
    let outcomes = vec![outcome(1, Outcome::Upheld), outcome(2, Outcome::NotUpheld)];
    // Half past seven in the morning of the 30th in Shanghai.
    let facts = Facts { now: "2026-11-29T23:28:00Z".parse().unwrap(), ..handler() };
    let decide = |due_on: &str| {
        let command = Command::Decide { outcomes: outcomes.clone(), commitments: vec![commitment(due_on)] };
        after(&proposed()).decide(&command, &facts).map(drop)
    };
    assert_eq!(decide("2026-11-30"), Ok(()));
    assert_eq!(decide("2026-11-29"), Err(Refusal::CommitmentPast { index: 0 }));
}

#[test]
fn a_plan_waits_for_every_department() {
    let asked = [Command::Acknowledge { note: None }, assess(&[1]), consult(20)];
    let refusal = after(&asked).decide(&plan(), &handler()).unwrap_err();
    let expected = ["assess", "consult", "answer-consultation", "await-owner", "remedy", "withdraw"];
    assert_eq!(refusal, Refusal::ConsultationsOpen { allowed: expected.to_vec() });
    let other = Command::AnswerConsultation { consultation_id: id(20), answer: text("never") };
    let answered = after(&with(asked.to_vec(), &[answer(20)]));
    assert_eq!(
        answered.decide(&other, &handler()).unwrap_err().problem().slug,
        "complaint/consultation-already-answered"
    );
}

#[test]
fn an_owner_cannot_confirm_work_that_is_not_done_but_can_always_say_no() {
    let remedying = with(proposed(), &[decide(), remedy(30), order(30, 50, opened())]);
    let refusal = after(&remedying).decide(&own(confirm(true)), &owner(OWNER)).unwrap_err();
    assert_eq!(refusal, Refusal::RemediesOpen { allowed: vec!["confirm", "withdraw"] });
    assert_eq!(matter(&with(remedying, &[confirm(false)])).stage, ComplaintStage::Investigating);
}

#[test]
fn a_remedy_is_done_when_its_last_open_work_order_is() {
    let both = with(proposed(), &[decide(), remedy(30), order(30, 50, opened()), order(30, 51, opened())]);
    let first = order(30, 50, WorkOrderStep::Cancelled);
    assert_eq!(matter(&with(both.clone(), std::slice::from_ref(&first))).open_remedies(), 1);
    let done = matter(&with(both.clone(), &[first.clone(), order(30, 51, WorkOrderStep::Completed)]));
    assert_eq!(done.remedies[0].progress, RemedyProgress::Completed);
    let none = matter(&with(both.clone(), &[first, order(30, 51, WorkOrderStep::Cancelled)]));
    assert_eq!(none.remedies[0].progress, RemedyProgress::CalledOff);
    let rework = order(30, 52, opened());
    let again = matter(&with(both, &[order(30, 50, WorkOrderStep::Completed), rework]));
    assert_eq!(again.open_remedies(), 1);
}

#[test]
fn work_ordered_before_the_decision_counts_after_it() {
    let urgent = with(proposed(), &[remedy(30), decide()]);
    assert_eq!(matter(&urgent).stage, ComplaintStage::Remedying);
}

#[test]
fn a_complaint_is_as_urgent_as_its_case_at_every_stage() {
    let told = Command::Prioritise { priority: Priority::P1 };
    for (stage, history) in stages() {
        let prioritised = matter(&with(history.clone(), std::slice::from_ref(&told)));
        assert_eq!((prioritised.priority, prioritised.stage), (Priority::P1, stage));
        assert_eq!(prioritised.receipt, receipt(), "{stage}");
        let same = Command::Prioritise { priority: Priority::P3 };
        assert_eq!(after(&history).decide(&same, &handler()), Ok(Vec::new()), "{stage}");
    }
    given::<Complaint>(id(9), []).when(&told, &handler()).refused(Refusal::NoSuchComplaint);
}

#[test]
fn a_complaint_is_withdrawn_with_its_case_whatever_it_had_come_to() {
    for (stage, history) in stages() {
        let events = after(&history).decide(&Command::CallOff, &handler()).unwrap();
        assert_eq!(events.is_empty(), stage == ComplaintStage::Withdrawn, "{stage}");
        let called_off = matter(&with(history.clone(), &[Command::CallOff]));
        assert_eq!((called_off.stage, called_off.call_back_owed), (ComplaintStage::Withdrawn, false), "{stage}");
        let again = with(history, &[Command::CallOff]);
        assert_eq!(after(&again).decide(&Command::CallOff, &handler()), Ok(Vec::new()), "{stage}");
    }
    // What its decision has committed to is promised all the same, and can be kept.
    let decided = with(proposed(), &[decide(), confirm(true), Command::CallOff]);
    assert!(matter(&decided).allowed(&handler()).contains(&"keep-commitment"));
    let kept = matter(&with(decided, &[Command::KeepCommitment { commitment_id: id(40) }]));
    assert_eq!((kept.stage, kept.open_commitments()), (ComplaintStage::Withdrawn, 0));
}

#[test]
fn waiting_goes_on_where_it_stood() {
    let waiting = Command::AwaitOwner { reason: text("a photo") };
    assert_eq!(matter(&with(proposed(), &[waiting.clone(), Command::Resume])).stage, ComplaintStage::Proposed);
}

#[test]
fn a_stranger_learns_nothing() {
    let mut elsewhere = handler();
    elsewhere.actor.estates = Some(vec![id::<EstateId>(99)]);
    for facts in [elsewhere, owner(99)] {
        assert_eq!(after(&[]).decide(&withdraw(), &facts), Err(Refusal::NoSuchComplaint));
    }
    assert!(after(&[]).decide(&own(withdraw()), &owner(OWNER)).is_ok());
    given::<Complaint>(id(9), []).when(&withdraw(), &handler()).refused(Refusal::NoSuchComplaint);
}

#[test]
fn what_is_listed_as_allowed_is_granted_and_nothing_else() {
    for (stage, history) in stages() {
        let (complaint, matter) = (after(&history), matter(&history));
        let handler = || Facts { has_read: true, ..handler() };
        assert_eq!(matter.stage, stage);
        let allowed: BTreeSet<_> = matter.allowed(&handler()).into_iter().collect();
        let does_something =
            |command: &Command| complaint.decide(command, &handler()).is_ok_and(|events| !events.is_empty());
        let granted = one_of_each().into_iter().filter(does_something).filter_map(|command| command.verb());
        assert_eq!(granted.map(Verb::as_str).collect::<BTreeSet<_>>(), allowed, "{stage}");
    }
}

/// One command of each kind, as it would be asked next.
fn one_of_each() -> Vec<Command> {
    vec![
        Command::Receive(receipt()),
        Command::Prioritise { priority: Priority::P1 },
        Command::Acknowledge { note: None },
        assess(&[3, 4]),
        consult(21),
        answer(20),
        Command::Plan { text: text("another plan"), departments: vec![], told_owner_via: Channel::App },
        Command::AwaitOwner { reason: text("a document") },
        Command::Resume,
        decide(),
        remedy(31),
        order(30, 50, opened()),
        Command::RefuseRemedy { remedy_id: id(30), reason: RefusedBecause::Other },
        Command::KeepCommitment { commitment_id: id(40) },
        call(CallResult::Reached),
        call(CallResult::NotReached),
        confirm(true),
        confirm(false),
        withdraw(),
        Command::CallOff,
    ]
}

/// The state machine on one page, reviewed as text.
#[test]
fn the_case_table_is_as_reviewed() {
    let mut page = "# What follows from a command in each stage\n\n\
        Printed by a test. A stage name: the complaint stands there afterwards. `–`: it is so already. \
        Otherwise the problem that is answered.\n\n| command |"
        .to_owned();
    let stages = stages();
    stages.iter().for_each(|(stage, _)| write!(page, " {stage} |").unwrap());
    page.push_str("\n|---|");
    stages.iter().for_each(|_| page.push_str("---|"));
    for command in one_of_each() {
        let name = match &command {
            Command::Receive(_) => "(received again)".to_owned(),
            Command::Prioritise { .. } => "(prioritised)".to_owned(),
            Command::FollowWorkOrder { .. } => "(work order opened)".to_owned(),
            Command::RefuseRemedy { .. } => "(remedy refused)".to_owned(),
            Command::CallOff => "(case called off)".to_owned(),
            Command::FollowUp { result, .. } => format!("follow-up, {result}"),
            Command::Confirm { satisfied, .. } => format!("confirm, satisfied: {satisfied}"),
            other => other.verb().map(|verb| verb.to_string()).unwrap_or_default(),
        };
        write!(page, "\n| {name} |").unwrap();
        for (_, history) in &stages {
            let complaint = after(history);
            let cell = match complaint.decide(&command, &Facts { has_read: true, ..handler() }) {
                Ok(events) if events.is_empty() => "–".to_owned(),
                Ok(events) => match replay(complaint, &events) {
                    Complaint::Born(matter) => matter.stage.to_string(),
                    Complaint::Unborn(_) => panic!("not born"),
                },
                Err(refusal) => format!("*{}*", refusal.problem().slug.trim_start_matches("complaint/")),
            };
            write!(page, " {cell} |").unwrap();
        }
    }
    page.push('\n');
    golden(concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/case_table.golden.md"), &page);
}

#[test]
fn staff_say_how_the_owner_gave_the_word_and_are_named() {
    let decided = with(proposed(), &[decide()]);
    for word in [confirm(true), confirm(false), withdraw()] {
        let unsaid = after(&decided).decide(&own(word.clone()), &handler());
        assert_eq!(unsaid, Err(Refusal::Word(WordFault::HowMissing)), "{word:?}");
        let by_the_owner = after(&decided).decide(&word, &owner(OWNER));
        assert_eq!(by_the_owner, Err(Refusal::Word(WordFault::OwnersOwn)), "{word:?}");
        let by_who_handled_it = after(&decided).decide(&word, &Facts { handled: true, ..handler() });
        assert_eq!(by_who_handled_it, Err(Refusal::Word(WordFault::Handled)), "{word:?}");
        assert!(after(&decided).decide(&own(word), &owner(OWNER)).is_ok());
    }
    let note = matter(&with(decided, &[confirm(true)])).confirmation.unwrap().taken_down.unwrap();
    assert_eq!((note.how, note.given_at, note.by.unwrap().as_str()), (GivenHow::Phone, now(), "intake"));
}

#[test]
fn an_owner_comes_back_after_any_end_until_the_window_is_over() {
    let ends = [
        (with(proposed(), &[decide(), confirm(true)]), ComplaintStage::Investigating),
        (with(proposed(), &[withdraw()]), ComplaintStage::Investigating),
        (with(proposed(), &[Command::CallOff]), ComplaintStage::Investigating),
        (vec![Command::Acknowledge { note: None }, withdraw()], ComplaintStage::Acknowledged),
        (vec![Command::CallOff], ComplaintStage::Received),
    ];
    for (history, stage) in ends {
        let (ended, word) = (after(&history), own(confirm(false)));
        let in_time = later(owner(OWNER), TimeDelta::days(15));
        let Complaint::Born(back) = replay(ended.clone(), &ended.decide(&word, &in_time).unwrap()) else { panic!() };
        assert_eq!((back.stage, back.ended_at, back.withdrawn_because), (stage, None, None), "{history:?}");
        let late = later(in_time, TimeDelta::seconds(1));
        assert_eq!(ended.decide(&word, &late), Err(Refusal::Word(WordFault::TooLate)), "{history:?}");
        assert!(!matter(&history).allowed(&late).contains(&"confirm"));
    }
}

#[test]
fn an_owners_own_word_takes_the_place_of_the_one_that_was_taken_down() {
    let closed = after(&with(proposed(), &[decide(), confirm(true)]));
    let own_word = own(confirm(true));
    let events = closed.decide(&own_word, &owner(OWNER)).unwrap();
    let own = replay(closed.clone(), &events);
    let Complaint::Born(matter) = &own else { panic!() };
    assert_eq!((matter.stage, &matter.confirmation.as_ref().unwrap().taken_down), (ComplaintStage::Closed, &None));
    assert_eq!(own.decide(&own_word, &owner(OWNER)), Ok(Vec::new()));
    // What staff take down afterwards says nothing new.
    assert_eq!(own.decide(&confirm(true), &handler()), Ok(Vec::new()));
    assert_eq!(closed.decide(&confirm(true), &handler()), Ok(Vec::new()));
}

#[test]
fn what_its_owner_came_back_on_is_not_called_off_by_what_happened_before() {
    let back = after(&with(proposed(), &[decide(), confirm(false)]));
    let before = later(handler(), TimeDelta::seconds(-1));
    assert_eq!(back.decide(&Command::CallOff, &before), Ok(Vec::new()));
    assert!(!back.decide(&Command::CallOff, &handler()).unwrap().is_empty());
    // Also when it has ended once more by then.
    let closed =
        after(&with(proposed(), &[decide(), confirm(false), consult(21), answer(21), plan(), decide(), confirm(true)]));
    assert_eq!(closed.decide(&Command::CallOff, &before), Ok(Vec::new()));
    assert!(!closed.decide(&Command::CallOff, &handler()).unwrap().is_empty());
}

#[test]
fn words_that_were_recorded_without_who_gave_them_are_still_read() {
    let read = |json: &str| serde_json::from_str::<Event>(json).unwrap();
    let confirmed = read(r#"{"kind":"confirmed","satisfied":true,"comment":null,"at":"2026-11-24T08:00:00Z"}"#);
    let closed = replay(after(&with(proposed(), &[decide()])), &[confirmed, read(r#"{"kind":"closed"}"#)]);
    let Complaint::Born(matter) = &closed else { panic!() };
    assert_eq!(matter.ended_at, Some("2026-11-24T08:00:00Z".parse().unwrap()));
    let withdrawn = replay(after(&proposed()), &[read(r#"{"kind":"withdrawn","reason":null}"#)]);
    let Complaint::Born(matter) = &withdrawn else { panic!() };
    assert_eq!((matter.stage, matter.ended_at), (ComplaintStage::Withdrawn, Some(now())));
}

/// The state after these commands on that one; what is refused is passed over.
fn go_on(complaint: Complaint, commands: &[Command]) -> Complaint {
    commands.iter().fold(complaint, |complaint, command| match complaint.decide(command, &handler()) {
        Ok(events) => replay(complaint, &events),
        Err(_) => complaint,
    })
}

fn born(complaint: &Complaint) -> &Matter {
    match complaint {
        Complaint::Born(matter) => matter,
        Complaint::Unborn(_) => panic!("not born"),
    }
}

#[test]
fn promised_work_that_falls_away_is_ordered_again_or_decided_anew() {
    let cancelled = order(30, 50, WorkOrderStep::Cancelled);
    let fallen = with(proposed(), &[remedy(30), decide(), order(30, 50, opened()), cancelled]);
    let complaint = matter(&fallen);
    assert_eq!((complaint.stage, complaint.open_remedies()), (ComplaintStage::Remedying, 0));
    assert!(complaint.remedies[0].fallen_away && complaint.unsettled_remedies() == 1);
    assert!(complaint.allowed(&handler()).contains(&"decide"));

    let anew = matter(&with(fallen.clone(), &[decide()]));
    assert_eq!((anew.stage, anew.unsettled_remedies()), (ComplaintStage::Decided, 0));
    assert!(!anew.allowed(&handler()).contains(&"decide"));

    let again = [remedy(31), order(31, 51, opened()), order(31, 51, WorkOrderStep::Completed)];
    assert_eq!(matter(&with(fallen.clone(), &again[..1])).unsettled_remedies(), 1);
    assert_eq!(matter(&with(fallen.clone(), &again)).stage, ComplaintStage::Decided);
    // Dispatch may add work to the same remedy.
    let added = [order(30, 51, opened()), order(30, 51, WorkOrderStep::Completed)];
    assert_eq!(matter(&with(fallen.clone(), &added)).stage, ComplaintStage::Decided);
    // The owner is content without it.
    assert_eq!(matter(&with(fallen, &[confirm(true)])).stage, ComplaintStage::Closed);
}

#[test]
fn what_was_called_off_before_the_decision_was_not_promised() {
    let off = with(proposed(), &[remedy(30), order(30, 50, opened()), order(30, 50, WorkOrderStep::Cancelled)]);
    let decided = matter(&with(off, &[decide()]));
    assert_eq!((decided.stage, decided.remedies[0].fallen_away), (ComplaintStage::Decided, false));
    assert!(after(&with(proposed(), &[decide()])).decide(&decide(), &handler()).is_err());
    let open = after(&with(proposed(), &[remedy(30), decide()]));
    assert_eq!(open.decide(&decide(), &handler()).unwrap_err().problem().slug, "complaint/illegal-move");
}

#[test]
fn work_that_is_added_after_all_was_done_is_told_and_brings_the_decision_back_to_being_carried_out() {
    let done = [order(30, 50, opened()), order(30, 50, WorkOrderStep::Completed)];
    let decided = with(with(proposed(), &[remedy(30)]), &with(done.to_vec(), &[decide()]));
    assert_eq!(matter(&decided).stage, ComplaintStage::Decided);
    for added in [order(30, 51, opened()), remedy(31)] {
        let events = after(&decided).decide(&added, &handler()).unwrap();
        assert_eq!(events.last(), Some(&Event::WorkResumed), "{added:?}");
        assert_eq!(matter(&with(decided.clone(), &[added])).stage, ComplaintStage::Remedying);
    }
    let completed = [order(30, 51, opened()), order(30, 51, WorkOrderStep::Completed)];
    assert_eq!(matter(&with(decided, &completed)).stage, ComplaintStage::Decided);
}

#[test]
fn the_owner_is_called_back_until_somebody_is_reached_on_three_days_of_the_estate_at_most() {
    let decided = with(proposed(), &[decide()]);
    let calls = |complaint: Complaint, hours: i64, result| {
        let events = complaint.decide(&call(result), &later(handler(), TimeDelta::hours(hours))).unwrap();
        replay(complaint, &events)
    };
    let vain = |complaint, hours| calls(complaint, hours, CallResult::NotReached);
    // 16:00, 23:00 and midnight in Shanghai.
    let tried = [0, 7, 8].into_iter().fold(after(&decided), vain);
    let matter_of = born(&tried);
    assert_eq!((matter_of.calls.missed(), matter_of.calls.missed_days(), matter_of.calls.days_owed()), (3, 2, 1));
    assert!(matter_of.allowed(&handler()).contains(&"follow-up"));

    let reached = calls(tried.clone(), 24, CallResult::Reached);
    assert_eq!((born(&reached).stage, born(&reached).call_back_owed), (ComplaintStage::Decided, false));
    assert!(reached.decide(&call(CallResult::Reached), &handler()).is_err());

    let closed = vain(tried, 32);
    let ended_at = Some(now() + TimeDelta::hours(32));
    assert_eq!((born(&closed).stage, born(&closed).ended_at), (ComplaintStage::Closed, ended_at));
    // The owner has not said anything yet, and can.
    let said = closed.decide(&own(confirm(true)), &owner(OWNER)).unwrap();
    assert!(matches!(said[..], [Event::Confirmed { satisfied: true, .. }]));
    let back = replay(closed.clone(), &closed.decide(&own(confirm(false)), &owner(OWNER)).unwrap());
    assert_eq!((born(&back).stage, born(&back).call_back_owed), (ComplaintStage::Investigating, false));
    let again = go_on(back, &[plan(), decide()]);
    assert_eq!((born(&again).call_back_owed, born(&again).calls.missed()), (true, 0), "each decision owes its own");
}

#[test]
fn calls_in_vain_do_not_end_what_is_still_to_be_done() {
    let vain = |complaint: Complaint, days: i64| {
        let facts = later(handler(), TimeDelta::days(days));
        let events = complaint.decide(&call(CallResult::NotReached), &facts).unwrap();
        replay(complaint, &events)
    };
    let remedying = (0..3).fold(after(&with(proposed(), &[decide(), remedy(30)])), vain);
    assert_eq!((born(&remedying).stage, born(&remedying).call_back_owed), (ComplaintStage::Remedying, false));
}

fn department(code: &str, estate: Option<u128>, skills: &[&str]) -> Department {
    Department {
        code: code.to_owned(),
        estates: estate.map(|estate| vec![id::<EstateId>(estate)]),
        closed: false,
        skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
    }
}

#[test]
fn work_is_ordered_from_a_department_that_is_there_and_can_do_it() {
    let complaint = after(&proposed());
    let order = |department: &str, skill: Option<&str>| {
        let (department, skill) = (text(department), skill.map(text));
        Command::Remedy(NewRemedy { remedy_id: id(30), department, skill, summary: text("mend it") })
    };
    let departments = vec![
        department("cleaning", Some(ESTATE), &[]),
        department("engineering", None, &["水电", "电梯"]),
        department("security", Some(99), &[]),
        Department { closed: true, ..department("greening", None, &[]) },
    ];
    let knowing = Facts { departments, ..handler() };
    let refused = |department, skill| complaint.decide(&order(department, skill), &knowing).map(drop);
    let known = || vec!["cleaning".to_owned(), "engineering".to_owned()];
    for unknown in ["nosuch-dept", "security", "greening"] {
        assert_eq!(refused(unknown, None), Err(Refusal::UnknownDepartment { known: known() }), "{unknown}");
    }
    let skills = vec!["水电".to_owned(), "电梯".to_owned()];
    assert_eq!(refused("engineering", Some("飞行")), Err(Refusal::UnknownSkill { known: skills }));
    assert_eq!((refused("engineering", Some("电梯")), refused("cleaning", Some("保洁"))), (Ok(()), Ok(())));
    // As long as nothing is known, dispatch has the word.
    assert!(complaint.decide(&order("nosuch-dept", Some("飞行")), &handler()).is_ok());
}

#[test]
fn work_that_dispatch_refuses_is_to_be_ordered_again() {
    let refuse = Command::RefuseRemedy { remedy_id: id(30), reason: RefusedBecause::UnknownDepartment };
    let before = matter(&with(proposed(), &[remedy(30), refuse.clone()]));
    assert_eq!((before.stage, before.remedies[0].progress), (ComplaintStage::Proposed, RemedyProgress::Refused));
    assert_eq!(before.open_remedies(), 0);
    let decided = with(proposed(), &[decide(), remedy(30), refuse.clone()]);
    let refused = matter(&decided);
    assert!(refused.remedies[0].fallen_away && refused.stage == ComplaintStage::Remedying);
    assert_eq!(refused.remedies[0].refused_because, Some(RefusedBecause::UnknownDepartment));
    assert_eq!(after(&decided).decide(&refuse, &handler()), Ok(Vec::new()));
    assert_eq!(matter(&with(decided, &[decide()])).stage, ComplaintStage::Decided);
    let ordered = after(&with(proposed(), &[decide(), remedy(30), order(30, 50, opened())]));
    assert_eq!(ordered.decide(&refuse, &handler()), Ok(Vec::new()), "its work order is the later word");
}

/// Who else handles it.
fn colleague() -> Facts {
    let mut facts = handler();
    facts.actor.id = ActorId::new("handler-2");
    facts
}

#[test]
fn what_somebody_else_has_done_is_not_replaced_unseen() {
    let ours = |commands: &[Command]| go_on(after(&[]), commands);
    let text_of = |raw: &str| Some(text(raw));
    let taken_up = ours(&[Command::Acknowledge { note: text_of("we come at once") }]);
    let again = |note| taken_up.decide(&Command::Acknowledge { note }, &handler());
    assert_eq!((again(None), again(text_of("we come at once"))), (Ok(Vec::new()), Ok(Vec::new())));
    let lost = |refused: Result<Vec<Event>, Refusal>| refused.unwrap_err().problem().slug;
    assert_eq!(lost(again(text_of("tomorrow"))), "complaint/already-acknowledged");
    let theirs = taken_up.decide(&Command::Acknowledge { note: None }, &colleague());
    assert_eq!(lost(theirs), "complaint/already-acknowledged");

    let assessed = go_on(taken_up, &[assess(&[1, 2])]);
    assert_eq!(lost(assessed.decide(&assess(&[3]), &colleague())), "complaint/assessed-by-another");
    assert!(assessed.decide(&assess(&[1, 2]), &colleague()).unwrap().is_empty(), "the same again");
    let planned = go_on(assessed.clone(), &[plan()]);
    let other = Command::Plan { text: text("another plan"), departments: vec![], told_owner_via: Channel::App };
    assert_eq!(lost(planned.decide(&other, &colleague())), "complaint/planned-by-another");
    for (complaint, command) in [(assessed, assess(&[3])), (planned, other)] {
        assert!(!complaint.decide(&command, &handler()).unwrap().is_empty(), "who did it corrects it");
        assert!(!complaint.decide(&command, &Facts { has_read: true, ..colleague() }).unwrap().is_empty());
    }
}

#[test]
fn a_withdrawal_that_was_taken_down_becomes_the_owners_own() {
    let withdrawn = after(&with(proposed(), &[withdraw()]));
    let events = withdrawn.decide(&own(withdraw()), &later(owner(OWNER), TimeDelta::days(1))).unwrap();
    let own_now = replay(withdrawn.clone(), &events);
    assert_eq!((born(&own_now).withdrawal_taken_down.as_ref(), born(&own_now).ended_at), (None, Some(now())));
    assert_eq!(own_now.decide(&own(withdraw()), &owner(OWNER)), Ok(Vec::new()));
    // What staff take down takes the place of nothing.
    let other = Command::Withdraw { reason: text("moved out"), taken_down: by_phone() };
    for complaint in [withdrawn, own_now] {
        assert_eq!(complaint.decide(&withdraw(), &handler()), Ok(Vec::new()));
        assert_eq!(complaint.decide(&other, &handler()).unwrap_err().problem().slug, "complaint/illegal-move");
    }
}

/// What becomes of work orders of two remedies, the second of which was ordered after the decision.
fn any_work() -> impl Strategy<Value = Vec<Command>> {
    let fate = prop_oneof![Just(None), Just(Some(WorkOrderStep::Completed)), Just(Some(WorkOrderStep::Cancelled))];
    vec((30_u128..32, fate), 1..6).prop_map(|orders| {
        let steps = (50..).zip(orders).flat_map(|(number, (remedy, fate))| {
            std::iter::once(opened()).chain(fate).map(move |step| order(remedy, number, step))
        });
        steps.collect()
    })
}

/// What lasts of a complaint's work, whatever was heard first.
fn work_of(complaint: &Complaint) -> (ComplaintStage, Vec<Remedy>) {
    let mut remedies = born(complaint).remedies.clone();
    for remedy in &mut remedies {
        remedy.work_orders.sort_by_key(|order| order.work_order_id.get());
    }
    (born(complaint).stage, remedies)
}

/// Whether others are told of where the complaint goes with these events.
fn is_told(before: &Matter, after: &Matter, events: &[Event]) -> bool {
    let told = |is_meant: fn(&Event) -> bool| events.iter().any(is_meant);
    match (before.stage, after.stage) {
        (one, other) if one == other => true,
        (_, ComplaintStage::Remedying) => {
            told(|event| matches!(event, Event::WorkResumed | Event::RemedyCalledOff { .. } | Event::Decided { .. }))
        }
        _ => told(|event| matches!(event, Event::RemedyCompleted { .. } | Event::Decided { .. })),
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let step = prop_oneof![Just(opened()), Just(WorkOrderStep::Completed), Just(WorkOrderStep::Cancelled)];
    prop_oneof![
        2 => Just(Command::Acknowledge { note: None }),
        2 => prop_oneof![Just(assess(&[1])), Just(assess(&[1, 2])), Just(assess(&[]))],
        2 => (20_u128..23).prop_map(consult),
        3 => (20_u128..23).prop_map(answer),
        4 => Just(plan()),
        1 => Just(Command::AwaitOwner { reason: text("a photo") }),
        2 => Just(Command::Resume),
        4 => Just(decide()),
        2 => (30_u128..33).prop_map(remedy),
        3 => (30_u128..33, 50_u128..53, step).prop_map(|(remedy, number, step)| order(remedy, number, step)),
        1 => Just(Command::KeepCommitment { commitment_id: id(40) }),
        2 => prop_oneof![Just(call(CallResult::Reached)), Just(call(CallResult::NotReached))],
        2 => any::<bool>().prop_map(confirm),
        1 => Just(withdraw()),
        1 => Just(Command::CallOff),
        1 => (30_u128..33).prop_map(|number| {
            Command::RefuseRemedy { remedy_id: id(number), reason: RefusedBecause::UnknownDepartment }
        }),
        1 => Just(Command::Receive(receipt())),
        1 => prop::sample::select(Priority::ALL.to_vec()).prop_map(|priority| Command::Prioritise { priority }),
    ]
}

fn any_history() -> impl Strategy<Value = Complaint> {
    (0_usize..10, vec(any_command(), 0..40)).prop_map(|(start, commands)| {
        let (_, history) = stages().swap_remove(start);
        commands.iter().fold(after(&history), |complaint, command| match complaint.decide(command, &handler()) {
            Ok(events) => replay(complaint, &events),
            Err(_) => complaint,
        })
    })
}

proptest! {
    /// Whatever is heard first, twice or late of the work for a decision: it ends in the same place, and on the way there
    /// others are told of every change.
    #[test]
    fn work_ends_in_the_same_place_whatever_is_heard_first(
        (work, shuffled) in any_work().prop_flat_map(|work| {
            let twice = [&work[..], &work[..]].concat();
            (Just(work), Just(twice).prop_shuffle())
        }),
    ) {
        let start = after(&with(proposed(), &[remedy(30), decide(), remedy(31)]));
        let mut complaint = start.clone();
        for command in &shuffled {
            let events = complaint.decide(command, &handler()).unwrap();
            let next = replay(complaint.clone(), &events);
            prop_assert!(is_told(born(&complaint), born(&next), &events), "{command:?}: {events:?}");
            complaint = next;
        }
        prop_assert_eq!(work_of(&complaint), work_of(&go_on(start, &work)));
    }

    /// A decision is being carried out exactly as long as something of it is open or has fallen away.
    #[test]
    fn a_decision_is_carried_out_as_long_as_something_is_to_be_done(complaint in any_history()) {
        let matter = born(&complaint);
        let is_to_be_done = matter.unsettled_remedies() > 0;
        prop_assert!(!matter.decision_stands() || (matter.stage == ComplaintStage::Remedying) == is_to_be_done);
        prop_assert!(matter.open_remedies() <= matter.unsettled_remedies());
    }

    /// Doing the same thing twice in a row never records more than doing it once.
    #[test]
    fn repeating_a_command_adds_nothing(complaint in any_history(), command in any_command()) {
        // Each call in vain counts.
        prop_assume!(command != call(CallResult::NotReached));
        if let Ok(events) = complaint.decide(&command, &handler()) {
            let again = replay(complaint, &events).decide(&command, &handler());
            prop_assert!(again.as_ref().is_err() || again == Ok(Vec::new()), "{command:?}: {again:?}");
        }
    }

    /// Nothing but the owner's word reopens what is over, nothing but the calling off of its case gives it another end, and a closed
    /// complaint has no open point.
    #[test]
    fn what_is_over_stays_over(complaint in any_history(), commands in vec(any_command(), 0..20)) {
        let Complaint::Born(before) = &complaint else { panic!("not born") };
        let stage = before.stage;
        prop_assume!(matches!(stage, ComplaintStage::Closed | ComplaintStage::Withdrawn));
        prop_assert!(stage == ComplaintStage::Withdrawn || before.points.iter().all(|point| point.outcome.is_some()));
        for command in commands.iter().filter(|command| **command != confirm(false)) {
            if let Ok(events) = complaint.decide(command, &handler()) {
                let Complaint::Born(after) = replay(complaint.clone(), &events) else { panic!("not born") };
                let is_called_off = *command == Command::CallOff;
                prop_assert_eq!(after.stage, if is_called_off { ComplaintStage::Withdrawn } else { stage });
            }
        }
    }

    /// What is stored can be read again.
    #[test]
    fn events_survive_the_log(complaint in any_history(), command in any_command()) {
        for event in complaint.decide(&command, &handler()).unwrap_or_default() {
            let stored = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
        }
    }
}
