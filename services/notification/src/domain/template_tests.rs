use chrono::{DateTime, TimeDelta, Utc};
use steward_kernel::{
    vocabulary::{CaseKind, Language},
    word::GivenHow,
};
use uuid::Uuid;

use super::{
    Broken, Moment, Noted, OutChannel, Scribe, TakenDownWord, Template, Templates, Variable, Variables, Window,
};

/// Every milestone of the contract that has no message, and why is said at [`Template::of`].
const SILENT: [&str; 20] = [
    "assessed",
    "consulting",
    "resumed",
    "remedy_started",
    "confirmed",
    "info_provided",
    "routed",
    "technician_accepted",
    "technician_on_site",
    "made_safe",
    "verified",
    "follow_up_due",
    "survey_answered",
    "survey_invited",
    "suggestion_declined",
    "objection_upheld",
    "objection_refused",
    "pause_contested",
    "taken_down",
    "preference_taken_down",
];

fn shipped() -> Templates {
    Templates::parse(Templates::SHIPPED).unwrap()
}

#[test]
fn every_text_is_whole_short_and_in_its_script() {
    let templates = shipped();
    let limits = OutChannel::AppInbox.limits().unwrap();
    let taken_down = Some(TakenDownWord { noted: Some(Noted::InfoProvided), how: GivenHow::Visit, by: Scribe::Staff });
    let variables = Variables { taken_down, ..Variables::of("C-261123-7K3QD4", CaseKind::ServiceRequest) };
    for template in Template::ALL.iter().copied() {
        for language in Language::ALL.iter().copied() {
            let text = templates.render(template, language, &variables);
            let whole = format!("{}{}", text.title, text.body);
            assert!(!text.title.is_empty() && text.title.chars().count() <= usize::from(limits.title_characters));
            assert!(!text.body.is_empty() && text.body.chars().count() <= usize::from(limits.body_characters));
            assert!(!whole.contains(['{', '}']), "{template} {language}: {whole}");
            assert!(text.body.contains("C-261123-7K3QD4"), "{template} {language} does not say which case");
            // Characters that only the other script has.
            let foreign: &[char] = match language {
                Language::ZhHans => &['們', '這', '裡', '處', '請', '覆', '繫', '絡', '專', '責', '開', '關', '實'],
                Language::ZhHant => &['们', '这', '里', '处', '复', '开', '请', '谢', '务', '实', '关', '专'],
                Language::En => &['您', '的', '，', '。', '（'],
            };
            assert!(!whole.contains(foreign), "{template} {language}: {whole}");
        }
    }
}

#[test]
fn a_changed_text_is_a_new_version() {
    // One line for each version of the texts: (version, digest). Add one; a version that was sent to people stands
    // for ever.
    const VERSIONS: [(u32, &str); 8] = [
        (1, "89b7b1ec-c604-5eea-ae65-397f76e93ba6"),
        (2, "6e769612-c4fe-5ea1-b6e8-b6f6c517bb6a"),
        (3, "dcd4a054-a460-5cd2-b9f9-f4eddca27299"),
        (4, "40d33fc9-883c-599d-8a06-31696f5a3484"),
        (5, "9ed625aa-3854-5122-b5f7-c82b1e99f58f"),
        (6, "cfc13ba7-e184-5f3c-bbee-f9723042d48b"),
        (7, "10020c5d-7789-57cd-be22-22f8efdc9ae1"),
        (8, "4119855b-d8cb-51a1-8ff9-d9afe6ebe70c"),
    ];
    let digest = Uuid::new_v5(&Uuid::nil(), Templates::SHIPPED.as_bytes()).to_string();
    assert_eq!(VERSIONS.last(), Some(&(shipped().version(), digest.as_str())));
}

#[test]
fn a_broken_file_is_refused_with_its_first_fault() {
    let broken = |from: &str, to: &str| {
        assert!(Templates::SHIPPED.contains(from));
        Templates::parse(&Templates::SHIPPED.replace(from, to)).unwrap_err()
    };
    assert_eq!(broken("编号 {reference}", "编号 {name}"), Broken::UnknownVariable("received", Language::ZhHans));
    assert_eq!(broken("编号 {reference}", "编号 {reference"), Broken::UnknownVariable("received", Language::ZhHans));
    assert!(matches!(broken("\"received\"", "\"perceived\""), Broken::Unreadable(_)));
    let unspoken = broken("\"unowned\": \"无人负责\",", "");
    assert_eq!(unspoken, Broken::MissingWord("unowned", Language::ZhHans));
    assert!(matches!(Templates::parse("{}"), Err(Broken::Unreadable(_))));
    let none = r#"{"version": 1, "kinds": {}, "templates": {}, "taken_down": {}, "digests": {}}"#;
    assert_eq!(Templates::parse(none).unwrap_err(), Broken::Missing("inquiry", Language::ZhHans));
}

/// A window of two hours that begins at that time.
fn window(from: &str, hours: i64) -> Option<Window> {
    let from: DateTime<Utc> = from.parse().unwrap();
    Some(Window { from, to: from + TimeDelta::hours(hours), time_zone: chrono_tz::Asia::Shanghai })
}

#[test]
fn a_visit_that_was_moved_is_told_with_the_old_and_the_new_time_of_the_place() {
    let templates = shipped();
    let variables = Variables {
        window: window("2026-12-01T06:00:00Z", 2),
        old_window: window("2026-11-30T23:00:00Z", 1),
        ..Variables::of("S-261130-00000X", CaseKind::ServiceRequest)
    };
    let says = |language| templates.render(Template::AppointmentMoved, language, &variables).body;
    let hans = says(Language::ZhHans);
    assert!(hans.contains("由 12月1日（周二） 07:00–08:00 改为 12月1日（周二） 14:00–16:00"), "{hans}");
    let hant = says(Language::ZhHant);
    assert!(hant.contains("12月1日（週二） 14:00–16:00"), "{hant}");
    let english = says(Language::En);
    assert!(english.contains("Tue 1 Dec 14:00–16:00, no longer Tue 1 Dec 07:00–08:00"), "{english}");
    // Over midnight both days are said.
    let night = window("2026-12-01T14:00:00Z", 4).unwrap();
    assert_eq!(night.say(Language::ZhHans), "12月1日（周二） 22:00–12月2日（周三） 02:00");
    let used = templates.variables(Template::AppointmentMoved);
    assert_eq!(used, [Variable::Reference, Variable::Kind, Variable::Window, Variable::OldWindow]);
}

#[test]
fn a_later_date_is_told_with_the_old_one() {
    let templates = shipped();
    let moment = |at: &str| Some(Moment { at: at.parse().unwrap(), time_zone: chrono_tz::Asia::Shanghai });
    let variables = Variables {
        date: moment("2026-12-04T02:00:00Z"),
        old_date: moment("2026-11-30T02:00:00Z"),
        ..Variables::of("C-261123-7K3QD4", CaseKind::Complaint)
    };
    let says = |template, language| templates.render(template, language, &variables).body;
    let hans = says(Template::DeadlineExtended, Language::ZhHans);
    assert!(hans.contains("由 11月30日（周一） 10:00 延至 12月4日（周五） 10:00"), "{hans}");
    let english = says(Template::PromiseMoved, Language::En);
    assert!(english.contains("Fri 4 Dec 10:00, no longer Mon 30 Nov 10:00"), "{english}");
    assert!(says(Template::PromiseMade, Language::ZhHant).contains("12月4日（週五） 10:00"));
}

#[test]
fn a_word_that_staff_took_down_is_told_with_what_how_and_by_whom() {
    let templates = shipped();
    for noted in Noted::ALL.iter().copied() {
        for (how, by) in GivenHow::ALL.iter().zip(Scribe::ALL) {
            let taken_down = Some(TakenDownWord { noted: Some(noted), how: *how, by: *by });
            let of = Variables::of("C-261123-7K3QD4", CaseKind::Complaint);
            let variables = Variables { taken_down, days: 15, ..of };
            for language in Language::ALL.iter().copied() {
                let text = templates.render(Template::TakenDown, language, &variables);
                assert!(!text.title.ends_with(['：', ':', ' ']) && text.body.contains("15"), "{noted}: {text:?}");
            }
        }
    }
    let taken_down = TakenDownWord { noted: Some(Noted::Confirmed), how: GivenHow::Phone, by: Scribe::Receptionist };
    let of = Variables::of("C-261123-7K3QD4", CaseKind::Complaint);
    let variables = Variables { taken_down: Some(taken_down), days: 15, ..of };
    let text = templates.render(Template::TakenDown, Language::ZhHans, &variables);
    assert_eq!(text.title, "已代您记录：事项已解决");
    assert!(text.body.starts_with("前台根据您的来电，就您的投诉（C-261123-7K3QD4）代您记录：事项已解决。"), "{text:?}");
}

#[test]
fn variables_are_typed_and_known() {
    let templates = shipped();
    assert_eq!(templates.variables(Template::Received), [Variable::Reference, Variable::Kind]);
    assert_eq!(templates.variables(Template::SurveyInvited), [Variable::Reference]);
    let variables = Variables::of("S-261123-00000X", CaseKind::ServiceRequest);
    let text = templates.render(Template::Received, Language::ZhHant, &variables);
    assert_eq!(text.title, "已收到您的服務請求");
}

#[test]
fn a_milestone_has_one_message_or_none() {
    for kind in CaseKind::ALL.iter().copied() {
        for milestone in SILENT {
            assert_eq!(Template::of(milestone, kind), None, "{milestone}");
        }
        assert_eq!(Template::of("withdrawn", kind), Some(Template::Cancelled));
        assert_eq!(Template::of("a_word_of_tomorrow", kind), None);
    }
    assert_eq!(Template::of("declined", CaseKind::Suggestion), Some(Template::SuggestionDeclined));
    assert_eq!(Template::of("declined", CaseKind::ServiceRequest), Some(Template::Declined));
    assert_eq!(Template::of("accepted", CaseKind::Suggestion), Some(Template::Accepted));
    assert_eq!(Template::of("accepted", CaseKind::ServiceRequest), None);
}

#[test]
fn an_occasion_always_makes_the_same_message() {
    let (case, one, two) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let on_the_way = Template::TechnicianOnTheWay;
    assert_eq!(on_the_way.message_about(case, one), on_the_way.message_about(case, one));
    assert_ne!(on_the_way.message_about(case, one), on_the_way.message_about(case, two));
    assert_ne!(on_the_way.message_about(case, one), Template::WorkDone.message_about(case, one));
    assert_ne!(on_the_way.message_about(case, one), on_the_way.message_about(two, one));
    // What happens once is told once, whichever event says so.
    assert_eq!(Template::Received.message_about(case, one), Template::Received.message_about(case, two));
    assert_ne!(
        Template::Cancelled.message_about(case, one),
        Template::Cancelled.message_about(case, two),
        "it may come back"
    );
}
