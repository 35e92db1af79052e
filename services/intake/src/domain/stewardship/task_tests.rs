//! Who is told what they have to do, when, and when it is withdrawn.

use super::*;

const NOTHING: [Duty; 0] = [];

/// What was told: what, and to whom.
type Told<'s> = Vec<(Duty, Vec<&'s str>)>;

/// What was told so far.
fn told(story: &Story) -> Told<'_> {
    let given = story.events.iter().filter_map(|event| match event {
        Event::TaskGiven { task } => Some((task.duty, task.told.iter().map(String::as_str).collect())),
        _ => None,
    });
    given.collect()
}

/// What was told by the last of the commands.
fn news<'s>(story: &'s Story, known: &mut usize) -> Told<'s> {
    let all = told(story);
    let new = all[*known..].to_vec();
    *known = all.len();
    new
}

/// What is still to be done.
fn open(story: &Story) -> Vec<Duty> {
    story.state.tasks.iter().map(|task| task.duty).collect()
}

fn accountable(story: &Story) -> String {
    story.state.accountable.account().unwrap().to_owned()
}

fn assigned(account: &str) -> WorkStep {
    WorkStep::Assigned { technician: Some(account.to_owned()) }
}

fn held(reason: &str) -> WorkStep {
    WorkStep::Held { reason: reason.to_owned(), evidence: Vec::new() }
}

#[test]
fn a_work_order_is_told_to_whoever_must_act_and_withdrawn_when_the_matter_has_moved_on() {
    use Duty as D;
    let mut story = request(Priority::P3, "11-23T10:00");
    let desk = accountable(&story);
    let mut known = 0;
    assert_eq!(news(&story, &mut known), [(D::Accountable, vec![&desk[..]])]);
    story.follow("11-23T10:02", Milestone::ServiceConfirmed);
    assert_eq!(open(&story), NOTHING, "confirming it was what was to be done");

    let steps: Vec<(WorkStep, Told<'_>, Vec<Duty>)> = vec![
        (WorkStep::Opened, vec![(D::OrderOpen, vec!["lead-engineering"])], vec![D::OrderOpen]),
        (assigned("tech-1"), vec![(D::OrderAssigned, vec!["tech-1"])], vec![D::OrderAssigned]),
        (
            assigned("tech-2"),
            vec![(D::OrderWithdrawn, vec!["tech-1"]), (D::OrderAssigned, vec!["tech-2"])],
            vec![D::OrderAssigned],
        ),
        (WorkStep::Accepted, vec![], vec![]),
        (held("parts"), vec![(D::OrderHeld, vec!["lead-engineering"])], vec![D::OrderHeld]),
        (WorkStep::Resumed, vec![], vec![]),
        (held("access"), vec![(D::OrderHeld, vec![&desk[..]])], vec![D::OrderHeld]),
        (
            WorkStep::Cancelled,
            vec![(D::OrderWithdrawn, vec!["tech-2"]), (D::OrdersCancelled, vec![&desk[..]])],
            vec![D::OrdersCancelled],
        ),
    ];
    for (minute, (step, tells, leaves)) in (10..).zip(steps) {
        story.order(&format!("11-23T10:{minute}"), step.clone());
        assert_eq!(news(&story, &mut known), tells, "{step:?}");
        assert_eq!(open(&story), leaves, "{step:?}");
    }
    story.follow("11-23T11:00", Milestone::Routed);
    assert_eq!(open(&story), NOTHING);
}

#[test]
fn what_somebody_has_to_do_who_leaves_is_told_to_whoever_has_their_place() {
    let mut story = request(Priority::P2, "11-23T10:00");
    story.order("11-23T10:10", WorkStep::Opened);
    let first = story.state.tasks.iter().find(|task| task.duty == Duty::OrderOpen).unwrap().task_id;
    assert!(story.state.told().contains("lead-engineering"));
    let mut known = told(&story).len();
    let mut after = system(at("11-23T12:00"));
    let mut people = (*after.ruling.people).clone();
    people.posts.remove(&(Level::Lead, "engineering".to_owned()));
    after.ruling.people = Arc::new(people);
    let leaves = Command::Relieve { account: "lead-engineering".to_owned() };
    story.does(&leaves, &after);
    assert_eq!(news(&story, &mut known), [(Duty::OrderOpen, vec!["lead-desk"])]);
    assert!(
        story
            .events
            .iter()
            .any(|event| matches!(event, Event::TaskEnded { task_id, told: true, .. } if *task_id == first))
    );
    assert!(!story.state.told().contains("lead-engineering"));
    story.does(&leaves, &after);
    assert_eq!(news(&story, &mut known), [], "they have nothing any more");
}

#[test]
fn proof_that_does_not_come_is_the_leads_also_after_the_end() {
    let mut story = request(Priority::P2, "11-23T10:00");
    story.order("11-23T10:10", WorkStep::Opened);
    story.order("11-23T11:00", WorkStep::Completed);
    story.follow("11-23T11:10", Milestone::Closed);
    let mut known = told(&story).len();
    let proof =
        |arrived| Command::Proof { order: (WorkOrderId::from(Uuid::from_u128(30)), "engineering".to_owned()), arrived };
    story.at("11-23T15:00", &proof(false));
    assert_eq!(news(&story, &mut known), [(Duty::ProofMissed, vec!["lead-engineering"])]);
    assert!(story.state.orders.is_empty(), "nothing goes on by that");
    story.at("11-23T16:00", &proof(true));
    assert_eq!(open(&story), NOTHING);
}

#[test]
fn a_visit_that_is_set_or_moved_is_told_to_whoever_comes_whenever_it_is() {
    let mut story = request(Priority::P4, "11-23T10:00");
    let mut known = told(&story).len();
    story.at("11-23T23:00", &Command::TellVisit(vec!["tech-2".to_owned(), "tech-1".to_owned()]));
    assert_eq!(news(&story, &mut known), [(Duty::AppointmentMoved, vec!["tech-1", "tech-2"])]);
    story.at("11-23T23:00", &Command::TellVisit(Vec::new()));
    assert!(news(&story, &mut known).is_empty(), "nobody is to come yet");
}

#[test]
fn a_transfer_tells_the_other_departments_lead_and_who_had_it() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.order("11-23T10:00", WorkStep::Opened);
    story.order("11-23T10:05", assigned("tech-1"));
    let mut known = told(&story).len();
    story.order_of("11-23T10:10", "cleaning", WorkStep::Transferred);
    let tells = [(Duty::OrderWithdrawn, vec!["tech-1"]), (Duty::OrderOpen, vec!["lead-desk"])];
    assert_eq!(news(&story, &mut known), tells);
    // What was given back is told by the ladder, which begins with the lead.
    story.order_of("11-23T10:15", "cleaning", assigned("tech-3"));
    story.order_of("11-23T10:20", "cleaning", WorkStep::Returned);
    assert!(!open(&story).contains(&Duty::OrderAssigned));
    assert_eq!(story.causes(), [(Cause::Returned, Level::Lead)]);
}

#[test]
fn outside_the_hours_only_emergencies_and_shifts_are_told() {
    // A Friday evening: the estate opens on Monday at nine.
    let (night, monday) = ("11-27T23:00", at("11-30T09:00"));
    let reopened = |priority| {
        let mut story = request(priority, "11-27T10:00");
        story.follow("11-27T10:10", Milestone::ServiceConfirmed);
        story.follow("11-27T16:00", Milestone::WorkDone);
        story.follow(night, Milestone::Rework);
        story
    };
    for priority in [Priority::P3, Priority::P4] {
        let mut story = reopened(priority);
        assert!(story.causes().is_empty(), "{priority}: nobody is woken");
        assert!(!told(&story).iter().any(|(duty, _)| *duty == Duty::NotSatisfied), "{priority}");
        assert!(story.state.next_at.unwrap() <= monday, "{priority}");
        story.order(night, WorkStep::Opened);
        story.order(night, assigned("tech-1"));
        assert_eq!(told(&story).last(), Some(&(Duty::OrderAssigned, vec!["tech-1"])), "{priority}");
        story.wait_until("11-30T08:59");
        assert!(story.causes().is_empty(), "{priority}");
        story.wait_until("11-30T09:00");
        let first = story.state.escalations.iter().find(|known| known.cause == Cause::Reopened).unwrap();
        assert_eq!((first.level, first.at), (Level::Lead, monday), "{priority}");
        let told = story
            .events
            .iter()
            .filter(|event| matches!(event, Event::TaskGiven { task } if task.duty == Duty::NotSatisfied));
        assert_eq!(told.count(), 1, "{priority}");
    }
    for priority in [Priority::P1, Priority::P2] {
        let story = reopened(priority);
        assert!(story.causes().contains(&(Cause::Reopened, Level::Lead)), "{priority}");
        assert!(open(&story).contains(&Duty::NotSatisfied), "{priority}");
    }
}

#[test]
fn what_waits_for_the_hours_is_never_told_when_it_is_done_before_and_at_once_when_it_becomes_urgent() {
    let night = || {
        let mut story = request(Priority::P4, "11-27T23:00");
        assert!(told(&story).is_empty(), "the desk is closed");
        story.wait_until("11-28T12:00");
        story
    };
    let mut done = night();
    done.follow("11-28T12:00", Milestone::ServiceConfirmed);
    done.wait_until("11-30T12:00");
    assert!(told(&done).is_empty());
    assert!(!done.events.iter().any(|event| matches!(event, Event::TaskEnded { told: true, .. })));

    let mut urgent = night();
    let desk = accountable(&urgent);
    urgent.at("11-28T12:00", &Command::Prioritise(Priority::P1));
    let tells = [(Duty::MoreUrgent, vec![&desk[..]]), (Duty::Accountable, vec![&desk[..]])];
    assert_eq!(told(&urgent), tells);
}

#[test]
fn a_clock_climbs_in_the_hours_of_the_estate_unless_the_matter_is_urgent() {
    // A decision that is due on a Saturday: seven days on the wall.
    let mut story = complaint("11-21T10:00");
    story.follow("11-21T10:10", Milestone::Acknowledged);
    let clock = story.clock(Measure::Decide).clock_id;
    assert_eq!(story.due(Measure::Decide), at("11-28T10:00"));
    story.wait_until("11-30T12:00");
    assert_eq!(story.clock(Measure::Decide).breached_at, Some(at("11-28T10:00")), "what is overdue is overdue");
    let at_the_due_time = story.rungs(clock).into_iter().find(|(_, _, time)| *time >= at("11-28T00:00"));
    assert_eq!(at_the_due_time.map(|(_, _, time)| time), Some(at("11-30T09:00")));
}

#[test]
fn steps_of_the_owner_and_of_time_are_told_to_who_answers_for_the_case() {
    use {Duty as D, Milestone as M};
    let steps = [
        (M::InfoProvided, D::InfoProvided),
        (M::Rework, D::NotSatisfied),
        (M::Reopened, D::NotSatisfied),
        (M::RemedyDone, D::RemedyDone),
        (M::FollowUpDue, D::CallBack),
    ];
    for (milestone, duty) in steps {
        let mut story = complaint("11-23T10:00");
        let desk = accountable(&story);
        story.follow("11-23T10:05", M::Acknowledged);
        story.follow("11-23T10:10", milestone);
        assert_eq!(told(&story).last(), Some(&(duty, vec![&desk[..]])), "{milestone}");
        // A rating is no step; what somebody does about it is.
        story.follow("11-23T10:15", M::SurveyAnswered);
        assert_eq!(open(&story), [duty], "{milestone}");
        story.follow("11-23T10:20", M::FollowedUp);
        assert_eq!(open(&story), NOTHING, "{milestone}");
    }
}

#[test]
fn a_department_is_asked_and_who_asked_is_told_of_the_answer() {
    let mut story = complaint("11-23T10:00");
    let desk = accountable(&story);
    let engineering = || "engineering".to_owned();
    story.follow("11-23T10:10", Milestone::Acknowledged);
    story.follow("11-23T10:20", Milestone::Consulting);
    story.at("11-23T10:20", &Command::Consult { department: engineering() });
    assert_eq!(told(&story).last(), Some(&(Duty::Consultation, vec!["lead-engineering"])));
    story.at("11-23T11:00", &Command::Consulted { department: engineering() });
    assert_eq!(told(&story).last(), Some(&(Duty::ConsultationAnswered, vec![&desk[..]])));
    assert_eq!(open(&story), [Duty::ConsultationAnswered]);
    story.at("11-23T11:10", &Command::Consult { department: engineering() });
    story.follow("11-23T12:00", Milestone::Decided);
    assert_eq!(open(&story), [Duty::CallBack], "a decision waits for no answer, but its owner is to be called");
}

#[test]
fn an_owner_is_called_back_from_the_day_after_the_decision_on_until_somebody_was_reached() {
    let decided = |priority, time: &str| {
        let mut story = Story::of(matter(CaseKind::Complaint, priority, at("11-23T10:00")));
        story.follow("11-23T10:10", Milestone::Acknowledged);
        story.follow(time, Milestone::Decided);
        story
    };
    let call_backs = |story: &Story| told(story).iter().filter(|(duty, _)| *duty == Duty::CallBack).count();
    for priority in [Priority::P1, Priority::P3] {
        let mut story = decided(priority, "11-23T15:00");
        story.wait_until("11-24T14:00");
        // What is done for the decision meanwhile does not call anybody back.
        story.follow("11-24T14:30", Milestone::TechnicianOnSite);
        assert_eq!(call_backs(&story), 0, "{priority}");
        story.wait_until("11-24T15:00");
        assert_eq!(told(&story).last(), Some(&(Duty::CallBack, vec![&accountable(&story)[..]])), "{priority}");
        assert_eq!(story.state.tasks[0].due_at, Some(story.due(Measure::FollowUp)), "{priority}");
        story.follow("11-24T16:00", Milestone::FollowedUp);
        assert_eq!((open(&story), story.outcome(Measure::FollowUp)), (vec![], Some(Outcome::Met)), "{priority}");
    }
    // Calls in vain end it as well, and so does the owner's word.
    let mut vain = decided(Priority::P3, "11-23T15:00");
    vain.at("11-24T16:00", &Command::CallInVain);
    assert_eq!((open(&vain), vain.outcome(Measure::FollowUp)), (vec![], Some(Outcome::Void)));
    let mut spoken = decided(Priority::P3, "11-23T15:00");
    spoken.follow("11-23T16:00", Milestone::Confirmed);
    spoken.wait_until("11-30T10:00");
    assert_eq!((open(&spoken), call_backs(&spoken)), (vec![], 0));
}

#[test]
fn promised_work_that_falls_away_is_whoevers_answers_for_the_case_until_it_is_known_how_it_goes_on() {
    let fallen = || {
        let mut story = complaint("11-23T10:00");
        story.follow("11-23T10:10", Milestone::Decided);
        story.follow("11-23T10:20", Milestone::FollowedUp);
        story.order("11-23T10:30", WorkStep::Opened);
        story
    };
    for (milestone, leaves) in [
        (Milestone::RemedyStarted, vec![]),
        (Milestone::Decided, vec![Duty::CallBack]),
        (Milestone::Confirmed, vec![]),
        (Milestone::FollowedUp, vec![Duty::RemedyFellAway]),
    ] {
        // Dispatch and the complaint may be heard in any order; it is told once.
        for complaint_first in [false, true] {
            let mut story = fallen();
            let desk = accountable(&story);
            if complaint_first {
                story.at("11-23T11:00", &Command::FallAway);
            }
            story.order("11-23T11:00", WorkStep::Cancelled);
            if !complaint_first {
                story.at("11-23T11:00", &Command::FallAway);
            }
            assert_eq!(open(&story), [Duty::RemedyFellAway], "{milestone} {complaint_first}");
            assert!(told(&story).contains(&(Duty::RemedyFellAway, vec![&desk[..]])), "{milestone} {complaint_first}");
            story.follow("11-23T12:00", milestone);
            assert_eq!(open(&story), leaves, "{milestone} {complaint_first}");
        }
    }
}

#[test]
fn a_refused_hand_over_is_told_to_who_asked_and_to_who_keeps_the_case() {
    let mut story = request(Priority::P3, "11-23T10:00");
    let desk = accountable(&story);
    let offer = Command::HandOver { to: "handler-3".to_owned(), reason: text("请接") };
    let lead = |time: &str| facts_of(at(time), "lead-desk", Role::Supervisor);
    story.does(&offer, &lead("11-23T10:05"));
    assert_eq!(told(&story).last(), Some(&(Duty::HandOverOffered, vec!["handler-3"])));
    let asked = facts_of(at("11-23T10:10"), "handler-3", Role::Handler);
    story.does(&Command::RefuseHandOver { reason: text("满了") }, &asked);
    assert_eq!(told(&story).last(), Some(&(Duty::HandOverRefused, vec![&desk[..], "lead-desk"])));
    assert_eq!(open(&story), [Duty::Accountable]);

    story.does(&offer, &lead("11-23T10:20"));
    story.wait_until("11-23T14:00");
    assert_eq!(told(&story).last(), Some(&(Duty::HandOverLapsed, vec![&desk[..], "lead-desk"])));
    // What was theirs to do goes with the case.
    story.follow("11-23T14:10", Milestone::InfoProvided);
    story.does(&offer, &lead("11-23T14:20"));
    story.does(&Command::AcceptHandOver, &facts_of(at("11-23T14:30"), "handler-3", Role::Handler));
    assert_eq!(accountable(&story), "handler-3");
    let theirs: Vec<_> = story.state.tasks.iter().map(|task| (task.duty, task.told.clone())).collect();
    assert!(theirs.is_empty(), "who accepts it knows what is to be done");
}

#[test]
fn what_is_to_be_done_goes_with_the_case_to_who_takes_it_over_for_somebody() {
    let mut story = request(Priority::P3, "11-23T10:00");
    story.follow("11-23T10:10", Milestone::InfoProvided);
    let offer = Command::HandOver { to: "handler-3".to_owned(), reason: text("请接") };
    story.does(&offer, &facts_of(at("11-23T10:20"), "lead-desk", Role::Supervisor));
    // The cover of who was asked accepts for them: told is who covers, and who accepted knows.
    let mut cover = facts_of(at("11-23T10:30"), "handler-4", Role::Handler);
    cover.ruling.covers = Arc::new(BTreeMap::from([("handler-3".to_owned(), "handler-4".to_owned())]));
    story.does(&Command::AcceptHandOver, &cover);
    assert_eq!(accountable(&story), "handler-3");
    assert!(story.state.tasks.iter().all(|task| task.told != ["desk-1"] && task.told != ["desk-2"]));
}

#[test]
fn an_objection_goes_to_who_may_decide_and_a_bad_rating_to_who_leads() {
    let mut story = complaint("11-23T10:00");
    story.follow("11-23T10:30", Milestone::Acknowledged);
    story.follow("11-23T11:00", Milestone::AwaitingOwner);
    story.follow("11-23T12:00", Milestone::Resumed);
    let clock_id = story.clock(Measure::Decide).clock_id;
    let pause_id = story.clock(Measure::Decide).clock.pauses[0].pause_id;
    let mut owner = facts_of(at("11-23T13:00"), "owner", Role::Owner);
    owner.actor.resident = Some(ResidentId::from(Uuid::from_u128(8)));
    story.does(&Command::ContestPause { clock_id, pause_id, reason: text("没有人问过我"), taken_down: None }, &owner);
    assert_eq!(told(&story).last(), Some(&(Duty::Objection, vec!["lead-desk"])));
    let objection_id = story.state.objections[0].objection_id;
    let decide = Command::DecideObjection { objection_id, upheld: false, reason: text("有记录") };
    story.does(&decide, &facts_of(at("11-23T14:00"), "manager", Role::Manager));
    assert_eq!(open(&story), NOTHING);

    let known = told(&story).len();
    story.follow("11-23T15:00", Milestone::Closed);
    for scores in [[5, 4, 3], [0, 0, 0]] {
        story.at("11-23T15:10", &Command::Rated(scores.to_vec()));
    }
    assert_eq!(told(&story).len(), known, "a fair rating, and none");
    story.at("11-23T15:10", &Command::Rated(vec![0, 2, 5]));
    assert_eq!(told(&story).last(), Some(&(Duty::LowRating, vec!["lead-desk"])));
}

#[test]
fn a_case_that_is_over_leaves_nothing_to_do() {
    let mut story = complaint("11-23T10:00");
    story.at("11-23T10:20", &Command::Consult { department: "engineering".to_owned() });
    let offer = Command::HandOver { to: "handler-3".to_owned(), reason: text("请接") };
    story.does(&offer, &facts_of(at("11-23T10:30"), "lead-desk", Role::Supervisor));
    assert_eq!(open(&story).len(), 3);
    story.follow("11-23T11:00", Milestone::Withdrawn);
    assert_eq!(open(&story), NOTHING);
    let ended = story.events.iter().filter(|event| matches!(event, Event::TaskEnded { told: true, .. })).count();
    assert_eq!(ended, 3);
}

#[test]
fn what_was_reopened_stops_climbing_when_there_is_an_answer_again() {
    let mut story = request(Priority::P2, "11-23T10:00");
    story.follow("11-23T11:00", Milestone::WorkDone);
    story.follow("11-23T12:00", Milestone::Rework);
    assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead)]);
    story.follow("11-23T12:10", Milestone::WorkDone);
    assert!(story.state.climbs.is_empty());
    assert!(
        story.state.escalations.iter().filter(|known| known.climb_id.is_some()).all(|known| known.settled_at.is_some())
    );
    story.wait_until("11-26T10:00");
    assert_eq!(story.causes(), [(Cause::Reopened, Level::Lead)]);
}
