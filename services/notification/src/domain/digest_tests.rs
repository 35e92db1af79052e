use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use steward_kernel::{
    Actor, ActorId, Aggregate as _, EventId, Recorded, Role, Version, replay,
    vocabulary::{CaseKind, Language, Priority},
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    AlertCause, AlertId, Digest, DigestId, DigestStatus, Matter, Pace, Summary, Tally, Templates,
    digests::{Command, Event, Facts, Refusal},
    is_urgent, rank,
};
use crate::publish::{QUIET, QUIET_URGENT, timers_of_digest};

const PACE: Pace =
    Pace { quiet: TimeDelta::seconds(30), quiet_urgent: TimeDelta::seconds(5), longest: TimeDelta::seconds(120) };

/// So many seconds after eight.
fn at(seconds: i64) -> DateTime<Utc> {
    "2026-11-25T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn id() -> DigestId {
    Uuid::from_u128(1).into()
}

fn line(n: u128) -> AlertId {
    Uuid::from_u128(n).into()
}

fn wang() -> ActorId {
    ActorId::new("wang")
}

fn actor(subject: &str) -> Actor {
    let estates = Some(Vec::new());
    Actor { tenant: Uuid::nil().into(), id: ActorId::new(subject), roles: vec![Role::Admin], estates, resident: None }
}

fn facts(now: i64, tallies: Vec<Tally>) -> Facts {
    let actor = Actor::service(Uuid::nil().into(), "notification");
    Facts { now: at(now), actor, pace: PACE, tallies, shown: vec![line(7)] }
}

fn tally(cause: AlertCause, priority: Priority, lines: u32, last_at: i64) -> Tally {
    Tally { cause, priority: Some(priority), settled: false, overdue: false, lines, last_at: at(last_at) }
}

fn shares(last_at: i64) -> Vec<Tally> {
    vec![tally(AlertCause::Share, Priority::P3, 3, last_at)]
}

fn opened(urgent: bool) -> Event {
    let look_at = at(if urgent { 5 } else { 30 });
    Event::Opened { account: wang(), urgent, at: at(0), look_at, at_once: false }
}

fn hurried() -> Event {
    Event::Hurried { look_at: at(15), at_once: false }
}

fn sent(now: i64, tallies: &[Tally]) -> Event {
    Event::Sent { at: at(now), summary: Summary::of(tallies), shown: vec![line(7)] }
}

#[test]
fn a_digest_is_opened_by_its_first_line() {
    let open = |urgent| Command::Open { account: wang(), urgent, at_once: false };
    given::<Digest>(id(), []).when(&open(false), &facts(0, vec![])).then([opened(false)]);
    given::<Digest>(id(), []).when(&open(true), &facts(0, vec![])).then([opened(true)]);
    given::<Digest>(id(), [opened(true)]).when(&open(true), &facts(0, vec![])).then([]);
    for command in [Command::Hurry { at_once: false }, Command::Look { urgent: false }, Command::Settle, Command::Read]
    {
        given::<Digest>(id(), []).when(&command, &facts(0, vec![])).refused(Refusal::NoSuchDigest);
    }
}

#[test]
fn it_is_sent_when_no_line_came_for_a_while() {
    let look = Command::Look { urgent: false };
    let on = |now, last_at| given::<Digest>(id(), [opened(false)]).when(&look, &facts(now, shares(last_at)));
    on(30, 0).then([sent(30, &shares(0))]);
    on(30, 1).then([Event::PutOff { look_at: at(31) }]);
    on(31, 1).then([sent(31, &shares(1))]);
}

#[test]
fn it_is_sent_at_the_latest_after_the_longest_time() {
    let look = Command::Look { urgent: false };
    let on = |now, last_at| given::<Digest>(id(), [opened(false)]).when(&look, &facts(now, shares(last_at)));
    on(100, 99).then([Event::PutOff { look_at: at(120) }]);
    on(120, 120).then([sent(120, &shares(120))]);
    // A timer that comes late, after an outage.
    on(500, 499).then([sent(500, &shares(499))]);
}

#[test]
fn an_urgent_line_hurries_a_digest_once() {
    let hurry = Command::Hurry { at_once: false };
    given::<Digest>(id(), [opened(false)]).when(&hurry, &facts(10, vec![])).then([hurried()]);
    given::<Digest>(id(), [opened(false), hurried()]).when(&hurry, &facts(11, vec![])).then([]);
    given::<Digest>(id(), [opened(true)]).when(&hurry, &facts(3, vec![])).then([]);
    // Never later than it would have been sent anyway.
    given::<Digest>(id(), [opened(false)])
        .when(&hurry, &facts(118, vec![]))
        .then([Event::Hurried { look_at: at(120), at_once: false }]);

    let history = || [opened(false), hurried()];
    given::<Digest>(id(), history())
        .when(&Command::Look { urgent: true }, &facts(15, shares(10)))
        .then([sent(15, &shares(10))]);
    // The timer from before it was hurried has nothing to do.
    given::<Digest>(id(), history()).when(&Command::Look { urgent: false }, &facts(30, shares(29))).then([]);
}

#[test]
fn an_emergency_waits_for_no_other_line() {
    let open = Command::Open { account: wang(), urgent: true, at_once: true };
    let at_once = || Event::Opened { account: wang(), urgent: true, at: at(0), look_at: at(0), at_once: true };
    given::<Digest>(id(), []).when(&open, &facts(0, vec![])).then([at_once()]);
    let look = Command::Look { urgent: true };
    given::<Digest>(id(), [at_once()]).when(&look, &facts(1, shares(1))).then([sent(1, &shares(1))]);
    let hurry = Command::Hurry { at_once: true };
    let hurried_now = || Event::Hurried { look_at: at(3), at_once: true };
    for urgent in [false, true] {
        given::<Digest>(id(), [opened(urgent)]).when(&hurry, &facts(3, vec![])).then([hurried_now()]);
        let history = [opened(urgent), hurried_now()];
        given::<Digest>(id(), history.clone()).when(&hurry, &facts(3, vec![])).then([]);
        given::<Digest>(id(), history).when(&look, &facts(3, shares(3))).then([sent(3, &shares(3))]);
    }
}

#[test]
fn it_is_sent_once() {
    let history = || [opened(false), sent(30, &shares(0))];
    for command in [Command::Look { urgent: false }, Command::Look { urgent: true }, Command::Hurry { at_once: false }]
    {
        given::<Digest>(id(), history()).when(&command, &facts(60, shares(0))).then([]);
    }
}

#[test]
fn a_digest_with_nothing_left_to_do_does_not_nag() {
    let done = vec![Tally { settled: true, overdue: true, ..tally(AlertCause::Unowned, Priority::P1, 2, 0) }];
    let all_done = replay(Digest::unborn(id()), &[opened(true), sent(5, &done)]);
    assert_eq!(all_done.status, Some(DigestStatus::Settled));
    assert_eq!((all_done.summary.waiting, all_done.summary.settled, all_done.summary.overdue), (0, 2, 0));

    let settle = |history: Vec<Event>| given::<Digest>(id(), history).when(&Command::Settle, &facts(40, vec![]));
    let settled = || Event::Settled { at: at(40) };
    settle(vec![opened(false)]).then([]);
    settle(vec![opened(false), sent(30, &shares(0))]).then([settled()]);
    settle(vec![opened(false), sent(30, &shares(0)), settled()]).then([]);
    settle(vec![opened(false), sent(30, &shares(0)), Event::Read { at: at(35) }]).then([]);
}

#[test]
fn only_the_person_it_was_sent_to_can_read_it() {
    let by = |subject: &str| Facts { actor: actor(subject), ..facts(40, vec![]) };
    let read = || Event::Read { at: at(40) };
    let history = || vec![opened(false), sent(30, &shares(0))];
    given::<Digest>(id(), history()).when(&Command::Read, &by("wang")).then([read()]);
    given::<Digest>(id(), history()).when(&Command::Read, &by("li")).refused(Refusal::NoSuchDigest);
    given::<Digest>(id(), [opened(false)]).when(&Command::Read, &by("wang")).refused(Refusal::NoSuchDigest);
    let again = [history(), vec![read()]].concat();
    given::<Digest>(id(), again).when(&Command::Read, &by("wang")).then([]);
    let settled = [history(), vec![Event::Settled { at: at(39) }]].concat();
    given::<Digest>(id(), settled).when(&Command::Read, &by("wang")).then([read()]);
}

#[test]
fn what_could_be_forgotten_comes_first_then_what_is_urgent() {
    use {AlertCause as C, Priority as P};
    let wanted = [
        (C::Unowned, Some(P::P1)),
        (C::Unowned, Some(P::P4)),
        (C::Returned, Some(P::P1)),
        (C::LongPaused, Some(P::P1)),
        (C::Reopened, None),
        (C::Share, Some(P::P1)),
        (C::PromiseAtRisk, Some(P::P2)),
        (C::HandOverOffered, Some(P::P3)),
        (C::Other, Some(P::P4)),
        (C::Accountable, None),
    ];
    let ranks = wanted.map(|(cause, priority)| rank(cause, priority));
    assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    let urgent: Vec<_> = [Some(P::P1), Some(P::P2), Some(P::P3), Some(P::P4), None].map(is_urgent).into();
    assert_eq!(urgent, [true, true, false, false, false]);
}

#[test]
fn causes_of_tomorrow_are_told_all_the_same() {
    assert_eq!(AlertCause::of_escalation("returned"), AlertCause::Returned);
    for word in ["a_word_of_tomorrow", "", "accountable", "hand_over_offered"] {
        assert_eq!(AlertCause::of_escalation(word), AlertCause::Other, "{word}");
    }
    assert_eq!(AlertCause::of_hand_over("lapsed"), Some(AlertCause::HandOverLapsed));
    assert_eq!(AlertCause::of_hand_over("accepted"), None);
}

#[test]
fn an_account_is_told_once_of_an_event() {
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(AlertId::of(one, &wang()), AlertId::of(one, &wang()));
    assert_ne!(AlertId::of(one, &wang()), AlertId::of(two, &wang()));
    assert_ne!(AlertId::of(one, &wang()), AlertId::of(one, &ActorId::new("li")));
}

fn storm() -> Summary {
    let overdue = Tally { overdue: true, ..tally(AlertCause::Unowned, Priority::P1, 2, 0) };
    let settled = Tally { settled: true, ..tally(AlertCause::Share, Priority::P3, 4, 0) };
    let unranked = Tally { priority: None, ..tally(AlertCause::Accountable, Priority::P4, 1, 0) };
    Summary::of(&[tally(AlertCause::Share, Priority::P3, 96, 0), overdue, settled, unranked])
}

#[test]
fn a_digest_says_its_numbers_in_three_languages() {
    let templates = Templates::parse(Templates::SHIPPED).unwrap();
    let said = |language, summary: &Summary| {
        let text = templates.digest(language, summary);
        format!("{}\n{}", text.title, text.body)
    };
    assert_eq!(
        said(Language::ZhHans, &storm()),
        "99件事项需要您关注，2件已逾期\n事由：无人负责（2）、时限告急（96）、由您负责（1）。紧急程度：P1（2）、P3（96）。\
         其中2件已逾期。已无需您处理4件。这里列出最紧要的50件，其余请看提醒列表。"
    );
    assert_eq!(
        said(Language::En, &storm()),
        "99 matters need you, 2 overdue\nWhy: nobody owns it (2), time is running out (96), you answer for it now (1). \
         How urgent: P1 (2), P3 (96). Overdue: 2. Nothing left to do: 4. The 50 most pressing are shown here; the list of \
         alerts has all."
    );
    let one = Summary::of(&[tally(AlertCause::Reopened, Priority::P2, 1, 0)]);
    assert_eq!(said(Language::ZhHant, &one), "1件事項需要您關注\n事由：重新打開（1）。緊急程度：P2（1）。");
    let none = Summary { settled: 3, ..Summary::default() };
    assert_eq!(said(Language::ZhHans, &none), "3件提醒都已无需您处理\n已无需您处理3件。");
}

#[test]
fn every_word_of_a_digest_is_filled_in_and_in_its_script() {
    let templates = Templates::parse(Templates::SHIPPED).unwrap();
    for language in Language::ALL.iter().copied() {
        let mut said = vec![templates.digest(language, &storm()).body];
        for measure in ["acknowledge", "plan", "arrive", "make_safe", "finish", "decide", "follow_up"] {
            let matter = Matter { measure: Some(measure.to_owned()), ..matter() };
            said.push(templates.alert(language, AlertCause::Share, &matter, true));
        }
        let causes = AlertCause::ALL.iter().map(|cause| templates.alert(language, *cause, &matter(), true));
        said.extend(causes);
        let foreign: &[char] = match language {
            Language::ZhHans => &['們', '這', '裡', '處', '請', '責', '開', '關', '時', '緊', '復', '諾', '無', '類'],
            Language::ZhHant => &['们', '这', '里', '处', '开', '请', '关', '责', '时', '紧', '诺', '无', '负', '项'],
            Language::En => &['您', '的', '，', '。', '（', '：'],
        };
        for text in said {
            assert!(!text.contains(['{', '}']) && !text.contains(foreign), "{language}: {text}");
        }
    }
}

fn matter() -> Matter {
    Matter {
        case: Some(Uuid::from_u128(2).into()),
        reference: "C-261125-7K3QD4".to_owned(),
        estate: Some(Uuid::from_u128(3).into()),
        kind: Some(CaseKind::Complaint),
        category: Some("service.quality".to_owned()),
        priority: Some(Priority::P1),
        measure: Some("arrive".to_owned()),
        promise: None,
        level: Some("lead".to_owned()),
        rung: Some(2),
        share_percent: Some(80),
        due_at: Some(at(60)),
        clock: None,
        escalation: None,
        task: None,
        work_order: None,
        department: None,
        notice: None,
        happened_at: at(0),
    }
}

#[test]
fn a_line_says_what_and_why() {
    let templates = Templates::parse(Templates::SHIPPED).unwrap();
    let said = |language, cause, matter: &Matter| templates.alert(language, cause, matter, matter.is_overdue(at(60)));
    let share = said(Language::ZhHans, AlertCause::Share, &matter());
    assert_eq!(share, "P1 投诉 C-261125-7K3QD4：到场时限已用80%（已逾期）");
    let early = Matter { due_at: Some(at(61)), ..matter() };
    let share = said(Language::En, AlertCause::Share, &early);
    assert_eq!(share, "P1 complaint C-261125-7K3QD4: 80% of the time to arrive is used up");
    let bare = Matter { kind: None, priority: None, due_at: None, ..matter() };
    assert_eq!(said(Language::ZhHant, AlertCause::Accountable, &bare), "C-261125-7K3QD4：由您負責");
    let tomorrow = Matter { measure: Some("a_word_of_tomorrow".to_owned()), due_at: None, ..matter() };
    let share = said(Language::ZhHans, AlertCause::Share, &tomorrow);
    assert_eq!(share, "P1 投诉 C-261125-7K3QD4：时限告急");
}

/// A digest of the simulation: its history so far, its lines, its timers.
#[derive(Default)]
struct Collected {
    history: Vec<Event>,
    lines: Vec<i64>,
    timers: BTreeMap<&'static str, i64>,
}

impl Collected {
    fn state(&self) -> Digest {
        replay(Digest::unborn(id()), &self.history)
    }

    fn collects(&self) -> bool {
        self.state().status == Some(DigestStatus::Collecting)
    }

    fn execute(&mut self, command: &Command, now: i64) {
        let last = self.lines.last().copied().unwrap_or(now);
        for body in self.state().decide(command, &facts(now, shares(last))).unwrap() {
            self.history.push(body.clone());
            let (event_id, actor) = (EventId::from(Uuid::nil()), wang());
            let event =
                Recorded { event_id, version: Version(1), actor, occurred_at: at(now), recorded_at: at(now), body };
            for change in timers_of_digest(&self.state(), &event) {
                let steward_kernel::message::TimerChange::Set { name, due_at } = change else { continue };
                self.timers.insert(name, (due_at - at(0)).num_seconds());
            }
        }
    }

    fn add(&mut self, now: i64, urgent: bool) {
        let command = if self.history.is_empty() {
            Command::Open { account: wang(), urgent, at_once: false }
        } else {
            Command::Hurry { at_once: false }
        };
        if self.history.is_empty() || urgent {
            self.execute(&command, now);
        }
        self.lines.push(now);
    }

    /// Fires the timers that are due up to that moment.
    fn pass(&mut self, until: i64) {
        while let Some((name, due)) = self.timers.iter().map(|(name, due)| (*name, *due)).min_by_key(|(_, due)| *due)
            && due <= until
        {
            self.timers.remove(name);
            assert!([QUIET, QUIET_URGENT].contains(&name));
            self.execute(&Command::Look { urgent: name == QUIET_URGENT }, due);
        }
    }
}

proptest! {
    /// Whenever lines come: each is in one digest, each digest is sent, neither early nor late.
    #[test]
    fn every_line_is_told_in_time(gaps in proptest::collection::vec((0_i64..50, proptest::bool::weighted(0.1)), 1..200)) {
        let mut digests = vec![Collected::default()];
        let mut now = 0;
        for (gap, urgent) in &gaps {
            now += gap;
            let open = digests.last_mut().unwrap();
            open.pass(now);
            if !open.history.is_empty() && !open.collects() {
                digests.push(Collected::default());
            }
            digests.last_mut().unwrap().add(now, *urgent);
        }
        digests.last_mut().unwrap().pass(i64::MAX);
        prop_assert_eq!(digests.iter().map(|digest| digest.lines.len()).sum::<usize>(), gaps.len());
        for digest in &digests {
            let state = digest.state();
            let sent_at = (state.sent_at.unwrap() - at(0)).num_seconds();
            let (first, last) = (digest.lines[0], digest.lines[digest.lines.len() - 1]);
            let quiet = if state.urgent { 5 } else { 30 };
            prop_assert_eq!(sent_at, (last + quiet).min(first + 120));
            prop_assert!(digest.history.len() <= 2 + 1 + 120 / 5);
        }
    }
}
