//! What register files change, and what articles, desk checks and files allow.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use steward_kernel::{
    Actor, ActorId, Aggregate as _, Role,
    day::HOME,
    ids::{EstateId, ResidentId, UnitId},
    replay,
    text::Text,
    vocabulary::Language,
};
use steward_testkit::given::given;
use uuid::Uuid;

use super::{
    article::{self, Article, Content},
    desk_check::{self, DeskCheck, Findings, Item},
    estate::{self, Counts, Estate, Particulars},
    file::{self, File, MediaType},
    import::Tally,
    phone::PhoneRegion,
    register::*,
    residents::{
        KnownResident, Occupant, Person, Register, ResidentPlan, ResidentRole, ResidentRow, Tie, TieChange,
        plan_residents, replaced, superseded,
    },
};

fn text<const MAX: usize>(raw: &str) -> Text<MAX> {
    Text::try_new(raw).unwrap()
}

fn id<I: From<Uuid>>(n: u128) -> I {
    Uuid::from_u128(n).into()
}

fn tally(created: u32, updated: u32, unchanged: u32) -> Tally {
    Tally { created, updated, unchanged, ended: 0 }
}

fn ids() -> impl FnMut() -> Uuid {
    let mut last = 1000;
    move || {
        last += 1;
        Uuid::from_u128(last)
    }
}

fn actor(role: Role, estates: Option<&[u128]>, resident: Option<u128>) -> Actor {
    Actor {
        tenant: id(1),
        id: ActorId::new("somebody"),
        roles: vec![role],
        estates: estates.map(|estates| estates.iter().map(|n| id(*n)).collect()),
        resident: resident.map(id),
    }
}

fn place(building: &str, unit: &str) -> UnitPlace {
    UnitPlace { building: building.into(), entrance: String::new(), unit: unit.into() }
}

fn unit(number: u32, estate: &str, building: &str, unit: &str) -> Row<UnitRow> {
    let details = UnitDetails { floor: "1".into(), area_m2: Some(89.5) };
    let value = UnitRow {
        estate_code: text(estate),
        estate_name: text("御溪花园"),
        region: text("上海"),
        time_zone: None,
        place: place(building, unit),
        details,
    };
    Row { number, value }
}

type Estates = HashMap<String, (EstateId, Particulars)>;
type Units = KnownUnits<(UnitId, UnitDetails)>;

/// What is known after a plan was carried out.
fn known(plan: &UnitPlan) -> (Estates, Units) {
    let estates = plan.estates.iter().map(|(id, estate)| (estate.code.to_string(), (*id, estate.clone())));
    let units = plan.units.iter().map(|u| ((u.estate, u.place.clone()), (u.unit, u.details.clone())));
    (estates.collect(), units.collect())
}

fn resident(number: u32, code: &str, name: &str, unit: &str) -> Row<ResidentRow> {
    let person =
        Person { code: text(code), name: text(name), phone: String::new(), other_phones: Vec::new(), language: None };
    let tie = Tie { role: ResidentRole::Owner, since_on: None, until_on: None };
    let (phones, estate_code) = ("199-0000-0001/021-62345678".into(), "YX".into());
    Row { number, value: ResidentRow { person, phones, estate_code, place: place("1", unit), tie, has_end: false } }
}

/// What stands in the register after the row was imported.
fn known_person(row: &Row<ResidentRow>) -> Person {
    let (phone, other_phones) = ("+8619900000001".to_owned(), vec!["+862162345678".to_owned()]);
    Person { phone, other_phones, ..row.value.person.clone() }
}

fn day(text: &str) -> Option<chrono::NaiveDate> {
    Some(text.parse().unwrap())
}

#[test]
fn a_file_of_estates_is_new_then_known_then_changed() {
    let mut rows = vec![unit(2, "YX", "1", "101"), unit(3, "YX", "1", "102"), unit(4, "HT", "1", "101")];
    let first = plan_units(&rows, &Estates::new(), &Units::new(), ids()).unwrap();
    assert_eq!(first.tally, tally(3, 0, 0));
    assert_eq!((first.estates.len(), first.units.len()), (2, 3));
    assert_eq!(first.estates[0].1.time_zone, DEFAULT_TIME_ZONE);

    let (estates, units) = known(&first);
    let again = plan_units(&rows, &estates, &units, ids()).unwrap();
    assert_eq!(again, UnitPlan { tally: tally(0, 0, 3), ..UnitPlan::default() });

    rows[0].value.details.area_m2 = Some(90.0);
    rows[2].value.estate_name = text("和塘雅苑");
    let changed = plan_units(&rows, &estates, &units, ids()).unwrap();
    assert_eq!(changed.tally, tally(0, 2, 1));
    assert_eq!((changed.estates.len(), changed.units.len()), (1, 1));
    assert_eq!(changed.units[0].unit, first.units[0].unit);
}

#[test]
fn rows_that_contradict_or_repeat_others_are_all_named() {
    let mut rows = vec![unit(2, "YX", "1", "101"), unit(3, "YX", "1", "102"), unit(4, "YX", "1", "101")];
    rows[1].value.region = text("苏州");
    let faults = plan_units(&rows, &Estates::new(), &Units::new(), ids()).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.row, fault.column, fault.code)).collect();
    assert_eq!(told, [(3, "region", "contradicts"), (4, "unit", "repeated")]);
}

#[test]
fn residents_are_tied_to_units_of_the_register() {
    let estates = HashMap::from([("YX".to_owned(), (id(1), PhoneRegion::CHINA))]);
    let nobody = HashMap::new();
    let units = HashMap::from([((id(1), place("1", "101")), id(11)), ((id(1), place("1", "102")), id(12))]);
    let rows = [resident(2, "R1", "陈家骏", "101"), resident(3, "R1", "陈家骏", "102")];
    let register = Register { estates: &estates, units: &units, residents: &nobody };
    let plan = plan_residents(&rows, register, ids()).unwrap();
    assert_eq!(plan.residents[0].1, known_person(&rows[0]));
    assert_eq!((plan.residents.len(), plan.ties.len()), (1, 2), "one person with two units");

    let ties = HashMap::from([(id(11), rows[0].value.tie)]);
    let person = known_person(&rows[0]);
    let known = HashMap::from([("R1".to_owned(), KnownResident { id: id(5), person, ties })]);
    let plan = plan_residents(&rows, Register { residents: &known, ..register }, ids()).unwrap();
    assert_eq!(plan.tally, tally(1, 0, 1));
    assert_eq!(plan.residents[0].0, id::<ResidentId>(5), "who gets a unit has changed");

    let mut rows = [
        resident(2, "R1", "陈家骏", "101"),
        resident(3, "R1", "陈佳俊", "102"),
        resident(4, "R2", "李", "103"),
        resident(5, "R3", "王", "101"),
    ];
    rows[3].value.estate_code = "ZZ".into();
    let faults = plan_residents(&rows, register, ids()).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.row, fault.column, fault.code)).collect();
    assert_eq!(told, [(3, "name", "contradicts"), (4, "unit", "unknown-unit"), (5, "estate_code", "unknown-estate")]);
}

#[test]
fn a_tie_ends_on_its_last_day_and_keeps_its_end_when_a_file_says_nothing_of_it() {
    let estates = HashMap::from([("YX".to_owned(), (id(1), PhoneRegion::CHINA))]);
    let units = HashMap::from([((id(1), place("1", "102")), id(12))]);
    let mut row = resident(2, "A", "王", "102");
    let ended = Tie { until_on: day("2026-10-31"), ..row.value.tie };
    let ties = HashMap::from([(id(12), ended)]);
    let known = HashMap::from([("A".to_owned(), KnownResident { id: id(5), person: known_person(&row), ties })]);
    let register = Register { estates: &estates, units: &units, residents: &known };
    assert_eq!(plan_residents(&[row.clone()], register, ids()).unwrap().tally.unchanged, 1);
    row.value.has_end = true;
    let plan = plan_residents(&[row], register, ids()).unwrap();
    assert_eq!(plan.ties[0].1.tie.until_on, None, "the file says that they are back");
    for (on, holds) in [("2026-10-31", true), ("2026-11-01", false)] {
        assert_eq!(ended.holds_on(on.parse().unwrap()), holds, "{on}");
    }
    let later = Tie { since_on: day("2026-11-01"), until_on: None, ..ended };
    assert!(!later.holds_on("2026-10-31".parse().unwrap()) && later.holds_on("2026-11-01".parse().unwrap()));
}

#[test]
fn a_tenant_who_comes_while_another_one_stays_is_noticed() {
    let tie = |role, since: &str| Tie { role, since_on: day(since), until_on: None };
    let new = |row, resident, tie| (row, TieChange { resident: id(resident), unit: id(12), estate: id(1), tie });
    let tenant = tie(ResidentRole::Tenant, "2026-11-01");
    let before = |code: &str, resident, tie| Occupant { resident: id(resident), code: code.into(), tie };
    let old = tie(ResidentRole::Tenant, "2024-05-01");
    let known = HashMap::from([(
        id(12),
        vec![
            before("A", 1, old),
            before("GONE", 2, Tie { until_on: day("2025-01-01"), ..old }),
            before("OWNER", 3, tie(ResidentRole::Owner, "2018-01-01")),
            before("LATER", 4, tie(ResidentRole::Tenant, "2026-11-15")),
        ],
    )]);
    let plan = |ties: Vec<(u32, TieChange)>| {
        let mut plan = ResidentPlan { ties, ..ResidentPlan::default() };
        plan.ties.iter().for_each(|(row, tie)| plan.named.note(tie.resident, tie.unit, *row, tie.estate));
        plan
    };
    assert_eq!(superseded(&plan(vec![new(2, 9, tenant)]), &known), [(2, "A")]);
    assert_eq!(superseded(&plan(vec![new(2, 9, tie(ResidentRole::Owner, "2026-11-01"))]), &known), []);
    let both = plan(vec![new(2, 9, tenant), new(3, 1, Tie { until_on: day("2026-10-31"), ..old })]);
    assert_eq!(superseded(&both, &known), [], "the file ends the other one itself");

    // A file that names all residents of its units ends the ties of the others, but for those that have ended.
    let ended = replaced(&both.named, &known, |_| "2026-11-20".parse().unwrap());
    let ended: Vec<_> = ended.into_iter().map(|(row, change, code)| (row, code, change.tie.until_on)).collect();
    assert_eq!(ended, [(2, "OWNER", day("2026-11-19")), (2, "LATER", day("2026-11-19"))]);
}

proptest! {
    /// Whatever a file says: every row is counted, and the same file again changes nothing.
    #[test]
    fn the_same_file_again_changes_nothing(
        picks in proptest::collection::btree_set((0_u8..4, 0_u8..4, 0_u8..9), 1..60),
    ) {
        let rows: Vec<_> = (2..).zip(&picks).map(|(number, (estate, building, name))| {
            unit(number, &format!("E{estate}"), &format!("{building}"), &format!("{name}"))
        }).collect();
        let first = plan_units(&rows, &Estates::new(), &Units::new(), ids()).unwrap();
        prop_assert_eq!(first.tally.created as usize, rows.len());
        let (estates, units) = known(&first);
        let again = plan_units(&rows, &estates, &units, ids()).unwrap();
        prop_assert_eq!(again.tally.unchanged as usize, rows.len());
        prop_assert!(again.estates.is_empty() && again.units.is_empty());
    }

    /// Whatever an estate is asked: nothing panics, a repetition adds nothing, the code stays.
    #[test]
    fn an_estate_keeps_its_code(asked in proptest::collection::vec((any::<bool>(), 0_i32..3, 0_usize..2), 1..20)) {
        let mut state = Estate::unborn(id(1));
        for (register, n, code) in asked {
            let particulars = Particulars {
                code: text(["YX", "HT"][code]),
                name: text(&format!("n{n}")),
                region: text("r"),
                time_zone: DEFAULT_TIME_ZONE.into(),
            };
            let command = if register {
                estate::Command::Register(particulars)
            } else {
                estate::Command::Count(Counts { buildings: n, units: n, households: n })
            };
            let before = state.particulars.as_ref().map(|known| known.code.clone());
            if let Ok(events) = state.decide(&command, &()) {
                state = replay(state, &events);
                prop_assert_eq!(state.decide(&command, &()), Ok(vec![]));
            }
            prop_assert!(before.is_none() || before == state.particulars.as_ref().map(|known| known.code.clone()));
        }
    }
}

fn content(body: &str, estate: Option<u128>) -> Content {
    Content {
        code: text("DECO-01"),
        title: text("装修办理流程"),
        category: text("permit.renovation"),
        body: text(body),
        language: Language::ZhHans,
        estate: estate.map(id),
        valid_from: None,
    }
}

#[test]
fn an_article_gets_a_version_for_every_other_text() {
    use article::{Command, Event, Facts, Refusal};
    let born = || given::<Article>(id(1), [Event::Written(content("一", None))]);
    let facts = |estates| Facts {
        actor: actor(Role::Manager, estates, None),
        now: DateTime::<Utc>::UNIX_EPOCH,
        time_zone: HOME,
    };
    born().when(&Command::Revise(content("一", None)), &facts(None)).then([]);
    born().when(&Command::Revise(content("二", None)), &facts(None)).then([Event::Written(content("二", None))]);
    born().when(&Command::Write(content("二", None)), &facts(None)).refused(Refusal::CodeTaken);
    let other = Content { code: text("DECO-02"), ..content("二", None) };
    born().when(&Command::Revise(other), &facts(None)).refused(Refusal::CodeIsFixed);
    given::<Article>(id(1), [])
        .when(&Command::Revise(content("一", None)), &facts(None))
        .refused(Refusal::NoSuchArticle);
}

#[test]
fn who_has_some_estates_writes_for_them_only() {
    use article::{Command, Event, Facts, Refusal};
    let facts =
        Facts { actor: actor(Role::Manager, Some(&[7]), None), now: DateTime::<Utc>::UNIX_EPOCH, time_zone: HOME };
    let unborn = || given::<Article>(id(1), []);
    unborn().when(&Command::Write(content("一", Some(7))), &facts).then([Event::Written(content("一", Some(7)))]);
    unborn().when(&Command::Write(content("一", None)), &facts).refused(Refusal::NotYourEstate);
    let born = |estate| given::<Article>(id(1), [Event::Written(content("一", estate))]);
    born(None).when(&Command::Revise(content("二", Some(7))), &facts).refused(Refusal::NotYourEstate);
    born(Some(8)).when(&Command::Revise(content("二", Some(7))), &facts).refused(Refusal::NoSuchArticle);
}

#[test]
fn a_desk_check_names_each_item_once_and_no_later_day() {
    use desk_check::{Command, Event, Facts, Refusal};
    let facts = Facts {
        now: "2026-11-23T20:00:00Z".parse().unwrap(),
        actor: actor(Role::Receptionist, Some(&[7]), None),
        time_zone: Some(HOME),
    };
    let item = |name: &str| Item { item: text(name), ok: true, note: None };
    let check = |estate, on: &str, items| Findings { estate: id(estate), on: on.parse().unwrap(), items };
    let unborn = || given::<DeskCheck>(id(1), []);
    let good = check(7, "2026-11-24", vec![item("台面"), item("标识")]);
    unborn().when(&Command::Record(good.clone()), &facts).then([Event::Recorded(good.clone())]);
    let recorded = || given::<DeskCheck>(id(1), [Event::Recorded(good.clone())]);
    recorded().when(&Command::Record(good.clone()), &facts).then([]);
    let corrected = check(7, "2026-11-24", vec![item("台面")]);
    recorded().when(&Command::Record(corrected.clone()), &facts).then([Event::Recorded(corrected)]);
    let ask = |findings| unborn().when(&Command::Record(findings), &facts);
    // It is four in the morning of the 24th there, and the evening of the 23rd in UTC.
    ask(check(7, "2026-11-25", vec![item("台面")])).refused(Refusal::InTheFuture);
    let back = check(7, "2026-11-21", vec![item("台面")]);
    ask(back.clone()).then([Event::Recorded(back)]);
    for day in ["2026-11-20", "2001-01-01"] {
        ask(check(7, day, vec![item("台面")])).refused(Refusal::TooLongAgo);
    }
    ask(check(7, "2026-11-23", vec![])).refused(Refusal::ItemCount);
    ask(check(7, "2026-11-23", vec![item("a"), item("b"), item("a")])).refused(Refusal::ItemTwice(2));
    ask(check(8, "2026-11-23", vec![item("a")])).refused(Refusal::NoSuchEstate);
}

#[test]
fn a_file_is_what_its_first_bytes_show() {
    use file::{Command, Event, Facts, Refusal};
    let facts = Facts { actor: actor(Role::Owner, None, Some(5)), home: vec![id(7)] };
    let store = |bytes: &[u8]| Command::Store {
        declared: MediaType::Jpeg,
        fits: MediaType::Jpeg.begins(bytes),
        size_bytes: i64::try_from(bytes.len()).unwrap(),
        sha256: "0".repeat(64),
    };
    let ask = |bytes: &[u8]| given::<File>(id(1), []).when(&store(bytes), &facts);
    ask(b"").refused(Refusal::Empty);
    ask(b"%PDF-1.7").refused(Refusal::TypeMismatch);
    ask(b"<script>").refused(Refusal::TypeMismatch);
    let Ok(events) = File::unborn(id(1)).decide(&store(b"\xff\xd8\xff\xe0"), &facts) else { panic!("refused") };
    let [Event::Stored(stored)] = events.as_slice() else { panic!("{events:?}") };
    for (who, sees) in [
        (actor(Role::Owner, None, Some(5)), true),
        (actor(Role::Owner, None, Some(6)), false),
        (actor(Role::Handler, Some(&[7]), None), true),
        (actor(Role::Handler, Some(&[8]), None), false),
        (actor(Role::Handler, None, None), true),
    ] {
        assert_eq!(stored.is_visible_to(&who), sees, "{who:?}");
    }
}

#[test]
fn what_phones_record_is_known_by_its_first_bytes() {
    let begins: [(MediaType, &[u8]); 14] = [
        (MediaType::Png, b"\x89PNG\r\n\x1a\n"),
        (MediaType::Webp, b"RIFF....WEBPVP8 "),
        (MediaType::Heic, b"\0\0\0\x24ftypheic\0\0\0\0mif1"),
        (MediaType::Heif, b"\0\0\0\x18ftypmif1\0\0\0\0heic"),
        (MediaType::Mp4, b"\0\0\0\x18ftypmp42\0\0\0\0isom"),
        (MediaType::Quicktime, b"\0\0\0\x14ftypqt  \0\0\0\0"),
        (MediaType::M4a, b"\0\0\0\x1cftypM4A \0\0\0\0"),
        (MediaType::M4a, b"\0\0\0\x18ftyp3gp4\0\0\0\0"),
        (MediaType::Aac, b"\xff\xf1\x50\x80"),
        (MediaType::Amr, b"#!AMR\n\x3c"),
        (MediaType::Mp3, b"ID3\x04"),
        (MediaType::Mp3, b"\xff\xfb\x90\x64"),
        (MediaType::Ogg, b"OggS\0\x02"),
        (MediaType::Pdf, b"%PDF-1.7"),
    ];
    for (kind, bytes) in begins {
        assert!(kind.begins(bytes), "{kind}");
        let others = MediaType::ALL.iter().filter(|other| **other != kind && other.begins(bytes));
        // One container holds photos under two names, and sound or pictures under one.
        let same = |other: &MediaType| {
            let either = [kind, *other];
            either.iter().all(|one| matches!(one, MediaType::Heic | MediaType::Heif))
                || either.iter().all(|one| matches!(one, MediaType::Mp4 | MediaType::M4a))
        };
        assert!(others.clone().all(same), "{kind}: {:?}", others.collect::<Vec<_>>());
    }
    for text in [b"<html>".as_slice(), b"\0\0\0\x18ftyp", b"", b"\xff", b"GIF89a", b"\0\0\0\x18ftyphtml"] {
        assert!(MediaType::ALL.iter().all(|kind| !kind.begins(text)), "{text:?}");
    }
    assert_eq!(MediaType::declared("audio/x-m4a"), Some(MediaType::M4a));
    assert_eq!(MediaType::declared("text/html"), None);
}
