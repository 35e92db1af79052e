//! Calendars, public holidays, policies, posts and absences: given, when, then.

use std::collections::BTreeMap;

use steward_kernel::ActorId;
use steward_testkit::given::{Given, given};

use super::*;

fn estates(number: u128) -> Vec<EstateId> {
    vec![Uuid::from_u128(number).into()]
}

fn day(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + number)
}

/// Somebody who sees these estates, on day 0.
fn asks(role: Role, sees: Option<Vec<EstateId>>) -> Facts {
    let actor = Actor { roles: vec![role], estates: sees, ..Actor::service(Uuid::nil().into(), "boss") };
    Facts { has_read: true, ..Facts::new(day(0), actor) }
}

fn manager() -> Facts {
    asks(Role::Manager, None)
}

fn limited() -> Facts {
    asks(Role::Manager, Some(estates(1)))
}

fn text<const MAX: usize>(raw: &str) -> Text<MAX> {
    Text::try_new(raw).unwrap()
}

fn calendar(events: Vec<CalendarEvent>) -> Given<Calendar> {
    given(Uuid::nil().into(), events)
}

fn written(estate: Option<EstateId>, from: i64) -> CalendarEvent {
    let rules = Box::new(shipped_calendar());
    CalendarEvent::Written { code: text("desk"), name: text("客服中心"), estate, rules, valid_from: day(from) }
}

fn write(estate: Option<EstateId>) -> CalendarCommand {
    let rules = Box::new(shipped_calendar());
    CalendarCommand::Write { code: text("desk"), name: text("客服中心"), estate, rules, valid_from: None }
}

/// Other rules from that day on.
fn revise(from: Option<i64>) -> CalendarCommand {
    let rules = Box::new(CalendarRules { public_holidays: None, ..shipped_calendar() });
    CalendarCommand::Revise { name: None, rules, valid_from: from.map(day) }
}

#[test]
fn the_calendar_that_ships_is_good() {
    assert_eq!(shipped_calendar().findings(steward_clock::Holidays::shipped()), []);
}

#[test]
fn a_calendar_begins_when_it_is_written() {
    calendar(vec![]).when(&write(None), &manager()).then([written(None, 0)]);
    calendar(vec![written(None, 0)]).when(&write(None), &manager()).refused(Refusal::CodeTaken);
    calendar(vec![]).when(&revise(None), &manager()).refused(Refusal::NoSuchCalendar);
}

#[test]
fn a_version_begins_now_or_later_and_never_before_the_one_before_it() {
    let known = || calendar(vec![written(None, -9)]);
    known().when(&revise(Some(-1)), &manager()).refused(Refusal::ValidTooEarly);
    known().when(&revise(Some(800)), &manager()).refused(Refusal::ValidTooLate);
    calendar(vec![written(None, 9)]).when(&revise(None), &manager()).refused(Refusal::ValidTooEarly);
    let same = CalendarCommand::Revise { name: None, rules: Box::new(shipped_calendar()), valid_from: None };
    known().when(&same, &manager()).then([]);
}

#[test]
fn what_is_sent_as_now_counts_from_when_it_arrives() {
    let sent = day(0) - TimeDelta::seconds(30);
    assert_eq!(valid_from(Some(sent), None, day(0)), Ok(day(0)));
    assert_eq!(valid_from(Some(sent - TimeDelta::minutes(1)), None, day(0)), Err(Refusal::ValidTooEarly));
}

#[test]
fn the_newest_version_that_has_begun_is_in_force() {
    let starts = [day(1), day(10), day(10)];
    let on = |number| in_force(starts.into_iter(), day(number));
    assert_eq!([0, 1, 9, 10, 11].map(on), [None, Some(1), Some(1), Some(3), Some(3)]);
}

#[test]
fn who_works_for_some_estates_sets_calendars_for_those_only() {
    let (mine, other) = (estates(1).first().copied(), estates(2).first().copied());
    for (estate, refusal) in [(None, Refusal::NotYourScope), (other, Refusal::NotYourScope)] {
        calendar(vec![]).when(&write(estate), &limited()).refused(refusal);
    }
    calendar(vec![]).when(&write(mine), &limited()).then([written(mine, 0)]);
    calendar(vec![written(None, 0)]).when(&revise(None), &limited()).refused(Refusal::NotYourScope);
    calendar(vec![written(other, 0)]).when(&revise(None), &limited()).refused(Refusal::NoSuchCalendar);
}

#[test]
fn an_announcement_that_changes_is_loaded_again_and_the_same_one_is_not() {
    let of = |source: &str| Arrangement {
        region: "cn".to_owned(),
        year: 2027,
        source: source.to_owned(),
        days_off: vec![],
        workdays: vec![],
    };
    let loaded = |source| HolidaysEvent::Loaded { arrangement: of(source) };
    let id = PublicHolidays::id_of("cn", 2027);
    given::<PublicHolidays>(id, []).when(&of("a"), &manager()).then([loaded("a")]);
    given::<PublicHolidays>(id, [loaded("a")]).when(&of("a"), &manager()).then([]);
    given::<PublicHolidays>(id, [loaded("a")]).when(&of("b"), &manager()).then([loaded("b")]);
    let unread = Facts { has_read: false, ..manager() };
    given::<PublicHolidays>(id, [loaded("a")]).when(&of("b"), &unread).refused(Refusal::NotRead);
    given::<PublicHolidays>(id, [loaded("a")]).when(&of("a"), &unread).then([]);
    given::<PublicHolidays>(id, []).when(&of("a"), &limited()).refused(Refusal::NotYourScope);
}

fn region() -> Scope {
    Scope::Region { region: text("华东") }
}

fn publish(scope: &Scope, calendar: &str) -> Publish {
    let policy = Box::new(Policy { calendar: Some(calendar.to_owned()), ..Policy::default() });
    Publish { scope: scope.clone(), policy, valid_from: None }
}

fn published(scope: &Scope, calendar: &str) -> PolicyEvent {
    let Publish { scope, policy, .. } = publish(scope, calendar);
    PolicyEvent::Published { of: scope, policy, valid_from: day(0) }
}

#[test]
fn nobody_writes_over_a_policy_that_was_not_read() {
    let known = || given::<ClockPolicy>(region().policy_id(), [published(&region(), "a")]);
    let unread = Facts { has_read: false, ..manager() };
    given::<ClockPolicy>(region().policy_id(), [])
        .when(&publish(&region(), "a"), &unread)
        .then([published(&region(), "a")]);
    known().when(&publish(&region(), "b"), &unread).refused(Refusal::NotRead);
    known().when(&publish(&region(), "b"), &manager()).then([published(&region(), "b")]);
    known().when(&publish(&region(), "a"), &manager()).then([]);
}

#[test]
fn each_part_of_the_company_has_one_policy_and_each_seat_one_post() {
    let estate = Scope::Estate { estate: estates(1)[0] };
    let policies: std::collections::BTreeSet<_> =
        [Scope::Company, region(), estate].iter().map(Scope::policy_id).collect();
    assert_eq!(policies.len(), 3);
    let place = |level, department: &str, region: &str| Place {
        level,
        estate: None,
        department: department.to_owned(),
        region: region.to_owned(),
    };
    let places = [place(Level::Lead, "a", ""), place(Level::Lead, "", ""), place(Level::Region, "", "a")];
    let posts: std::collections::BTreeSet<_> = places.iter().map(Place::post_id).collect();
    assert_eq!(posts.len(), 3);
}

#[test]
fn who_works_for_some_estates_publishes_for_those_only() {
    for (scope, is_theirs) in [
        (Scope::Company, false),
        (region(), false),
        (Scope::Estate { estate: estates(2)[0] }, false),
        (Scope::Estate { estate: estates(1)[0] }, true),
    ] {
        let then = given::<ClockPolicy>(scope.policy_id(), []).when(&publish(&scope, "a"), &limited());
        if is_theirs { then.then([published(&scope, "a")]) } else { then.refused(Refusal::NotYourScope) }
    }
}

fn lead() -> Place {
    Place { level: Level::Lead, estate: Some(estates(1)[0]), department: String::new(), region: String::new() }
}

fn post(events: Vec<PostEvent>) -> Given<Post> {
    given(lead().post_id(), events)
}

fn appoint(place: Place, account: &str) -> PostCommand {
    PostCommand::Appoint { place, account: account.to_owned() }
}

fn appointed(account: &str) -> PostEvent {
    PostEvent::Appointed { place: lead(), account: account.to_owned(), at: day(0) }
}

#[test]
fn a_post_changes_hands_and_stands_vacant() {
    let here = Facts { person: Some(Served::Some(estates(1))), ..limited() };
    let vacated = || PostEvent::Vacated { at: day(0) };
    post(vec![]).when(&appoint(lead(), "a"), &here).then([appointed("a")]);
    post(vec![appointed("a")]).when(&appoint(lead(), "a"), &here).then([]);
    post(vec![appointed("a")]).when(&appoint(lead(), "b"), &here).then([appointed("b")]);
    post(vec![appointed("a")]).when(&PostCommand::Vacate, &here).then([vacated()]);
    // Who takes it from somebody knows from whom.
    let unread = Facts { has_read: false, ..here.clone() };
    post(vec![appointed("a")]).when(&appoint(lead(), "b"), &unread).refused(Refusal::NotRead);
    post(vec![appointed("a")]).when(&appoint(lead(), "a"), &unread).then([]);
    post(vec![appointed("a")]).when(&PostCommand::Vacate, &unread).refused(Refusal::NotRead);
    post(vec![appointed("a"), vacated()]).when(&appoint(lead(), "b"), &unread).then([appointed("b")]);
    post(vec![appointed("a"), vacated()]).when(&PostCommand::Vacate, &here).then([]);
    post(vec![appointed("a"), vacated()]).when(&appoint(lead(), "a"), &here).then([appointed("a")]);
    post(vec![]).when(&PostCommand::Vacate, &here).refused(Refusal::NoSuchPost);
}

#[test]
fn whoever_holds_a_post_works_there_and_is_appointed_by_who_sees_it() {
    for person in [None, Some(Served::Some(estates(2)))] {
        let facts = Facts { person, ..limited() };
        post(vec![]).when(&appoint(lead(), "a"), &facts).refused(Refusal::UnknownAccount);
    }
    let (company, region) = (
        Place { level: Level::Company, estate: None, ..lead() },
        Place { level: Level::Region, estate: None, region: "华东".to_owned(), ..lead() },
    );
    let of_one = Facts { person: Some(Served::Some(estates(1))), region: estates(1), ..manager() };
    post(vec![]).when(&appoint(company, "a"), &of_one).refused(Refusal::UnknownAccount);
    let appointed_there = PostEvent::Appointed { place: region.clone(), account: "a".to_owned(), at: day(0) };
    post(vec![]).when(&appoint(region.clone(), "a"), &of_one).then([appointed_there]);
    let beyond = Facts { region: estates(2), ..of_one };
    post(vec![]).when(&appoint(region, "a"), &beyond).refused(Refusal::UnknownAccount);
    let elsewhere = Facts { person: Some(Served::All), ..asks(Role::Manager, Some(estates(2))) };
    post(vec![]).when(&appoint(lead(), "a"), &elsewhere).refused(Refusal::NotYourScope);
    post(vec![appointed("a")]).when(&PostCommand::Vacate, &elsewhere).refused(Refusal::NoSuchPost);
    let company = Place { level: Level::Company, estate: None, ..lead() };
    let known = [PostEvent::Appointed { place: company.clone(), account: "a".to_owned(), at: day(0) }];
    given::<Post>(company.post_id(), known).when(&PostCommand::Vacate, &elsewhere).refused(Refusal::NotYourScope);
}

fn away(from: i64, to: i64) -> Away {
    Away { account: "desk".to_owned(), cover: "colleague".to_owned(), from: day(from), to: day(to) }
}

fn record(away: Away) -> AbsenceCommand {
    AbsenceCommand::Record(away)
}

fn recorded(away: Away) -> AbsenceEvent {
    AbsenceEvent::Recorded { away }
}

/// Somebody asks about an absence at the desk of estate 1.
fn of_desk(name: &str, role: Role, sees: Option<Vec<EstateId>>) -> Facts {
    let mut facts = asks(role, sees);
    facts.actor.id = ActorId::new(name);
    let here = Some(Served::Some(estates(1)));
    Facts { person: here.clone(), cover: here, ..facts }
}

fn own() -> Facts {
    of_desk("desk", Role::Receptionist, Some(estates(1)))
}

fn absence(events: Vec<AbsenceEvent>) -> Given<Absence> {
    given(Uuid::nil().into(), events)
}

#[test]
fn everybody_records_their_own_absence_and_leads_that_of_their_people() {
    let lead = |number| of_desk("boss", Role::Supervisor, Some(estates(number)));
    for facts in [own(), lead(1), of_desk("admin", Role::Admin, None)] {
        absence(vec![]).when(&record(away(0, 3)), &facts).then([recorded(away(0, 3))]);
    }
    let colleague = of_desk("colleague", Role::Receptionist, Some(estates(1)));
    absence(vec![]).when(&record(away(0, 3)), &colleague).refused(Refusal::NotYourAbsence);
    absence(vec![]).when(&record(away(0, 3)), &lead(2)).refused(Refusal::UnknownAccount);
    let nobody = Facts { person: None, ..of_desk("admin", Role::Admin, None) };
    absence(vec![]).when(&record(away(0, 3)), &nobody).refused(Refusal::UnknownAccount);
}

#[test]
fn the_head_office_is_not_sent_away_by_an_estate() {
    let facts = Facts { person: Some(Served::All), ..of_desk("boss", Role::Manager, Some(estates(1))) };
    absence(vec![]).when(&record(away(0, 3)), &facts).refused(Refusal::NotYourAbsence);
    absence(vec![recorded(away(0, 3))]).when(&AbsenceCommand::End, &facts).refused(Refusal::NotYourAbsence);
}

#[test]
fn the_cover_is_somebody_else_who_works_there() {
    let themselves = Away { cover: "desk".to_owned(), ..away(0, 3) };
    absence(vec![]).when(&record(themselves), &own()).refused(Refusal::CoversThemselves);
    for cover in [None, Some(Served::Some(estates(2)))] {
        let facts = Facts { cover, ..own() };
        absence(vec![]).when(&record(away(0, 3)), &facts).refused(Refusal::UnknownCover);
    }
    let everywhere = Facts { cover: Some(Served::All), ..own() };
    absence(vec![]).when(&record(away(0, 3)), &everywhere).then([recorded(away(0, 3))]);
}

#[test]
fn an_absence_lasts_at_most_a_year_and_overlaps_no_other() {
    for (from, to) in [(3, 3), (3, 2), (-3, -1), (0, 367)] {
        absence(vec![]).when(&record(away(from, to)), &own()).refused(Refusal::AbsenceOutOfBounds);
    }
    absence(vec![]).when(&record(away(-1, 365)), &own()).then([recorded(away(-1, 365))]);
    absence(vec![]).when(&record(away(0, 3)), &Facts { away: true, ..own() }).refused(Refusal::AwayAlready);
}

#[test]
fn an_absence_ends_early_or_does_not_begin() {
    let ended = |number| AbsenceEvent::Ended { at: day(number) };
    absence(vec![recorded(away(-1, 3))]).when(&AbsenceCommand::End, &own()).then([ended(0)]);
    absence(vec![recorded(away(1, 3))]).when(&AbsenceCommand::End, &own()).then([ended(1)]);
    absence(vec![recorded(away(-3, -1))]).when(&AbsenceCommand::End, &own()).then([]);
    absence(vec![recorded(away(1, 3)), ended(1)]).when(&AbsenceCommand::End, &own()).then([]);
    let stranger = of_desk("x", Role::Admin, Some(estates(2)));
    absence(vec![recorded(away(-1, 3))]).when(&AbsenceCommand::End, &stranger).refused(Refusal::NoSuchAbsence);
    absence(vec![]).when(&AbsenceCommand::End, &own()).refused(Refusal::NoSuchAbsence);
}

/// The log is JSON, kept for ever.
fn survives<E: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(event: &E) {
    let text = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<E>(&text).unwrap(), event, "{text}");
}

#[test]
fn events_survive_the_log() {
    let special = BTreeMap::from([(
        "2027-08-14".parse().unwrap(),
        steward_clock::calendar::SpecialDay { name: "台风停工".to_owned(), hours: vec![] },
    )]);
    let rules = Box::new(CalendarRules { special_days: special, ..shipped_calendar() });
    let (code, name) = (text("desk"), text("客服中心"));
    survives(&CalendarEvent::Written { code, name, estate: estates(1).first().copied(), rules, valid_from: day(0) });
    let policy = Box::new(Policy::shipped().clone());
    survives(&PolicyEvent::Published { of: region(), policy, valid_from: day(0) });
    survives(&appointed("a"));
    survives(&recorded(away(0, 3)));
}
