//! Policies: what ships says what DOMAIN.md §4 says, and what is wrong is found.

use std::sync::Arc;

use serde_json::{Value, json};
use steward_clock::{
    Amount, Hours, Level, Measure, Party, PauseReason, Policies, Policy,
    policy::{Matter, Step, TargetRule, When},
};
use steward_kernel::vocabulary::{CaseKind, Priority};

fn policy(json: Value) -> Policy {
    serde_json::from_value(json).expect("a policy")
}

fn pointers(json: Value) -> Vec<String> {
    policy(json).findings().into_iter().map(|(pointer, _)| pointer).collect()
}

#[test]
fn the_shipped_policy_has_no_findings() {
    assert_eq!(Policy::shipped().findings(), []);
    assert!(!Policy::shipped().targets.is_empty());
    assert_eq!(Policy::default().findings(), []);
}

/// The tables of DOMAIN.md §4. `A` after a time: day and night. What it says of the second stage of a complaint is no target by kind, priority or category
/// and stands with the second stage.
#[test]
fn the_shipped_policy_says_what_domain_section_4_says() {
    use CaseKind::{Complaint, Inquiry, ServiceRequest, Suggestion};
    use Measure::{Acknowledge, Arrive, Decide, Finish, FollowUp, MakeSafe, Plan};
    use Priority::{P1, P2, P3, P4};
    let shipped = Policies::default();
    let found = |party, kind, priority, category, measure| {
        let rule = shipped.target(measure, party, &Matter { kind, category, priority })?;
        let hours = if rule.hours == Hours::Always { " A" } else { "" };
        let most = rule.at_most.map_or_else(String::new, |most| format!(" at most {most}"));
        rule.within.map(|within| format!("{within}{hours}{most}"))
    };
    // By priority: human acknowledgement, on site, made safe, finished.
    let by_priority = [
        (P1, [Some("3m A"), Some("15m A"), Some("2h A"), Some("24h A")]),
        (P2, [Some("15m A"), Some("1h A"), Some("same_day A"), Some("24h A")]),
        (P3, [Some("2h"), None, None, Some("3d")]),
        (P4, [Some("1bd"), None, None, Some("10bd")]),
    ];
    for (priority, times) in by_priority {
        for party in [Party::Company, Party::Department, Party::Contractor] {
            let measured = [Acknowledge, Arrive, MakeSafe, Finish]
                .map(|measure| found(party, ServiceRequest, priority, "water.leak", measure));
            assert_eq!(measured.each_ref().map(Option::as_deref), times, "{party} {priority}");
        }
    }
    // A lift specialist has thirty minutes; the company has somebody at the lift in fifteen.
    let lift = |party| found(party, ServiceRequest, P1, "lift.entrapment", Arrive);
    assert_eq!(lift(Party::Contractor).as_deref(), Some("30m A"));
    assert_eq!(lift(Party::Company).as_deref(), Some("15m A"));
    // By kind: first human answer, plan, decision, final answer, follow-up.
    let by_kind = [
        (Inquiry, [Some("4h"), None, None, Some("2bd"), Some("3d")]),
        (Complaint, [Some("1bd at most 24h"), Some("3bd"), Some("7d"), None, Some("3d")]),
        (Suggestion, [Some("1bd"), None, Some("15bd"), None, None]),
    ];
    for (kind, times) in by_kind {
        let measured = [Acknowledge, Plan, Decide, Finish, FollowUp]
            .map(|measure| found(Party::Company, kind, P3, "service.delay", measure));
        assert_eq!(measured.each_ref().map(Option::as_deref), times, "{kind}");
    }
    // An emergency is one, complaint or not.
    let hazard = |priority, measure| found(Party::Company, Complaint, priority, "falling.object", measure);
    let emergency = [Acknowledge, Arrive, MakeSafe].map(|measure| hazard(P1, measure));
    assert_eq!(emergency.each_ref().map(Option::as_deref), [Some("3m A"), Some("15m A"), Some("2h A")]);
    assert_eq!(hazard(P2, Acknowledge).as_deref(), Some("15m A"));
}

#[test]
fn the_shipped_ladders_are_those_of_domain_section_4() {
    use Level::{Company, EstateManager, Lead, Region, Worker};
    let steps = |priority| {
        let policies = Policies::default();
        let ladder = policies.ladder(priority).expect("a ladder");
        (0..7).map_while(|index| ladder.rung(index)).map(|Step { level, when }| (when, level)).collect::<Vec<_>>()
    };
    let share = When::Share;
    let emergency = [
        (share(0), Worker),
        (share(50), Lead),
        (share(80), EstateManager),
        (share(100), Region),
        (When::Overdue(600), Company),
        (When::Overdue(1200), Company),
        // At the top it is said again, ever more rarely.
        (When::Overdue(2400), Company),
    ];
    assert_eq!(steps(Priority::P1), emergency);
    let urgent = [(share(50), Worker), (share(80), Lead), (share(100), EstateManager), (share(150), Region)];
    assert_eq!(steps(Priority::P2), urgent);
    assert_eq!(steps(Priority::P3), [(share(75), Worker), (share(100), Lead), (share(150), EstateManager)]);
    assert_eq!(steps(Priority::P4), [(share(100), Lead)]);
}

#[test]
fn the_shipped_policy_lets_each_known_reason_pause_and_two_dates_be_put_off_once() {
    let policies = Policies::default();
    for reason in PauseReason::ALL.iter().map(|reason| reason.as_str()) {
        let rule = policies.pause(reason).expect("a rule");
        assert!(rule.cap_seconds().is_some_and(|cap| cap >= 86_400), "{reason} is capped");
        // The owner does not wait because the company waits for its own.
        let is_the_companys_own = matches!(reason, "parts" | "third_party");
        assert_eq!(rule.parties.contains(&Party::Company), !is_the_companys_own);
    }
    for measure in Measure::ALL {
        let rule = policies.extension(*measure).map(|rule| (rule.times, rule.at_most));
        let is_put_off = matches!(measure, Measure::Decide | Measure::Finish);
        assert_eq!(rule, is_put_off.then_some((1, Amount::BusinessDays(10))));
    }
    assert_eq!(policies.promise_warning_percent(), 80);
    for priority in Priority::ALL {
        assert!(policies.climb_every(*priority).is_some() && policies.hand_over_within(*priority).is_some());
    }
}

#[test]
fn the_most_particular_target_counts_and_of_equal_ones_the_nearest() {
    let own = policy(json!({ "targets": [
        { "measure": "finish", "within": "1h" },
        { "measure": "finish", "kind": "complaint", "within": "2h" },
        { "measure": "finish", "priority": "P2", "within": "3h" },
        { "measure": "finish", "kind": "complaint", "priority": "P2", "within": "4h" },
        { "measure": "finish", "category": "lift", "within": "5h" },
        { "measure": "finish", "category": "lift.fault", "within": "6h" },
        { "measure": "acknowledge", "kind": "complaint" },
    ] }));
    let policies = Policies(vec![Arc::new(own)]);
    let within = |measure, kind, priority, category| {
        let rule = policies.target(measure, Party::Company, &Matter { kind, category, priority });
        rule.and_then(|rule| rule.within).map(|within| within.to_string())
    };
    let finish = |kind, priority, category| within(Measure::Finish, kind, priority, category).expect("a target");
    assert_eq!(finish(CaseKind::Suggestion, Priority::P3, "pets"), "1h");
    // One for everything does not touch what a wider policy sets for something in particular.
    assert_eq!(finish(CaseKind::Inquiry, Priority::P3, "pets"), "2bd");
    assert_eq!(finish(CaseKind::ServiceRequest, Priority::P1, "pets"), "24h");
    assert_eq!(finish(CaseKind::Complaint, Priority::P3, "pets"), "2h");
    assert_eq!(finish(CaseKind::Inquiry, Priority::P2, "pets"), "3h");
    assert_eq!(finish(CaseKind::Complaint, Priority::P2, "pets"), "4h");
    assert_eq!(finish(CaseKind::Complaint, Priority::P2, "lift.entrapment"), "5h");
    assert_eq!(finish(CaseKind::Complaint, Priority::P2, "lift.fault"), "6h");
    // A target without a time takes away the one of the wider policy.
    assert_eq!(within(Measure::Acknowledge, CaseKind::Complaint, Priority::P3, "pets"), None);
    assert_eq!(within(Measure::Acknowledge, CaseKind::Inquiry, Priority::P3, "pets").as_deref(), Some("4h"));
}

#[test]
fn a_limit_on_the_wall_is_a_length_of_time() {
    let rule = |at_most: &str| -> TargetRule {
        serde_json::from_value(json!({ "measure": "plan", "within": "1bd", "at_most": at_most })).expect("a rule")
    };
    assert_eq!(rule("24h").at_most_seconds(), Some(86_400));
    assert_eq!(rule("2d").at_most_seconds(), Some(2 * 86_400));
    assert_eq!(rule("2bd").at_most_seconds(), None);
}

#[test]
fn targets_that_cannot_stand_are_found() {
    let target = |field: &str, value: Value| {
        let mut target = json!({ "measure": "plan", "within": "1bd" });
        target[field] = value;
        pointers(json!({ "targets": [target] }))
    };
    assert_eq!(target("category", json!("lift")), [] as [&str; 0]);
    assert_eq!(target("category", json!("lift.fault")), [] as [&str; 0]);
    for unknown in ["lif", "lift.", "lift.fault.door", ""] {
        assert_eq!(target("category", json!(unknown)), ["/targets/0/category"]);
    }
    assert_eq!(target("within", json!("until 2026-11-24T14:00:00Z")), ["/targets/0/within"]);
    for wrong in ["1bd", "same_day", "until 2026-11-24T14:00:00Z"] {
        assert_eq!(target("at_most", json!(wrong)), ["/targets/0/at_most"]);
    }
    let twice = json!([{ "measure": "plan", "within": "1h" }, { "measure": "plan", "party": "company" }]);
    assert_eq!(pointers(json!({ "targets": twice })), ["/targets/1"]);
    let lone_limit = json!([{ "measure": "plan", "at_most": "1h" }]);
    assert_eq!(pointers(json!({ "targets": lone_limit })), ["/targets/0/at_most"]);
    let many: Vec<Value> = (0..501).map(|_| json!({ "measure": "plan" })).collect();
    assert_eq!(pointers(json!({ "targets": many })), ["/targets"]);
}

#[test]
fn ladders_that_cannot_be_climbed_are_found() {
    let ladder = |rungs: Value, then_every: Value| {
        pointers(json!({ "ladders": { "P2": { "rungs": rungs, "then_every": then_every } } }))
    };
    let rung = |at_percent: u32, level: &str| json!({ "at_percent": at_percent, "level": level });
    let good = json!([rung(50, "lead"), rung(100, "lead"), rung(1000, "company")]);
    assert_eq!(ladder(good.clone(), json!("1m")), [] as [&str; 0]);
    for wrong in ["59s", "1d", "1bd", "same_day"] {
        assert_eq!(ladder(good.clone(), json!(wrong)), ["/ladders/P2/then_every"]);
    }
    assert_eq!(ladder(json!([]), json!("10m")), ["/ladders/P2/rungs"]);
    let falling = json!([rung(50, "region"), rung(50, "lead"), rung(1001, "company")]);
    let expected = ["/ladders/P2/rungs/1/at_percent", "/ladders/P2/rungs/1/level", "/ladders/P2/rungs/2/at_percent"];
    assert_eq!(ladder(falling, Value::Null), expected);
    let many: Vec<Value> = (0..21).map(|index| rung(index, "lead")).collect();
    assert_eq!(ladder(json!(many), Value::Null), ["/ladders/P2/rungs"]);
}

#[test]
fn other_parts_that_cannot_stand_are_found() {
    let pauses = json!([
        { "reason": "parts", "parties": ["company", "company"], "cap": "1bd" },
        { "reason": "parts", "parties": [] },
        { "reason": "lunch", "parties": [], "cap": "3d" },
    ]);
    let expected = ["/pauses/0/parties", "/pauses/0/cap", "/pauses/1/reason", "/pauses/2/reason"];
    assert_eq!(pointers(json!({ "pauses": pauses })), expected);
    let times = json!({ "P1": "10m", "P2": "until 2026-11-24T14:00:00Z", "P3": "1bd" });
    assert_eq!(pointers(json!({ "climb_every": times })), ["/climb_every/P2"]);
    assert_eq!(pointers(json!({ "hand_over_within": times })), ["/hand_over_within/P2"]);
    for percent in [0, 100] {
        assert_eq!(pointers(json!({ "promise_warning_percent": percent })), ["/promise_warning_percent"]);
    }
    let extensions = json!([
        { "measure": "decide", "times": 1, "at_most": "10bd" },
        { "measure": "decide", "times": 0, "at_most": "same_day" },
    ]);
    let expected = ["/extensions/1/measure", "/extensions/1/times", "/extensions/1/at_most"];
    assert_eq!(pointers(json!({ "extensions": extensions })), expected);
    let calendars = json!({ "a/b": "", "engineering": "day" });
    let found = pointers(json!({ "calendar": " ", "department_calendars": calendars }));
    assert_eq!(found, ["/calendar", "/department_calendars/a~1b"]);
}
