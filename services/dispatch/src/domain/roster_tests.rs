//! What imports change and count.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{
    import::Counts,
    order_tests::{department, technician},
    roster::{Department, Overlap, Shift, overlaps, plan_departments, plan_shifts, plan_technicians},
};

fn shift(number: u128, day: u32, hour: u32, hours: i64) -> Shift {
    let on = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    let starts_at = on.and_hms_opt(hour, 0, 0).unwrap().and_utc();
    let ends_at = starts_at + TimeDelta::hours(hours);
    Shift {
        id: Uuid::from_u128(number).into(),
        technician_id: Uuid::from_u128(5).into(),
        on,
        starts_at,
        ends_at,
        called_off: false,
    }
}

#[test]
fn a_known_technician_keeps_their_id() {
    let known =
        BTreeMap::from([("T001".to_owned(), technician(1, "水电", 7)), ("T002".to_owned(), technician(2, "水电", 7))]);
    let mut changed = technician(2, "电梯", 7);
    changed.id = Uuid::from_u128(20).into();
    let mut same = technician(1, "水电", 7);
    same.id = Uuid::from_u128(10).into();
    let plan = plan_technicians(vec![same, changed, technician(3, "水电", 7)], &known);
    assert_eq!(plan.counts, Counts { rows: 3, created: 1, updated: 1, unchanged: 1 });
    let written: Vec<_> = plan.write.iter().map(|row| row.id.get().as_u128()).collect();
    assert_eq!(written, [2, 3]);
}

#[test]
fn a_department_that_becomes_a_contractor_is_changed() {
    let known = BTreeMap::from([("security".to_owned(), department("security", 7))]);
    let hired = Department { contractor: true, ..department("security", 7) };
    let plan = plan_departments(vec![hired.clone()], &known);
    assert_eq!((plan.counts.updated, plan.write), (1, vec![hired]));
    assert_eq!(plan_departments(vec![department("security", 7)], &known).counts.unchanged, 1);
}

#[test]
fn the_file_has_the_word_on_the_days_that_it_names() {
    let known = [shift(1, 24, 8, 12), shift(2, 25, 8, 12), shift(3, 25, 20, 12), shift(4, 26, 8, 12)];
    // The 24th is as before; on the 25th the day shift is shorter and the night shift is gone; the 26th is not named.
    let plan = plan_shifts(vec![shift(10, 24, 8, 12), shift(11, 25, 8, 8), shift(12, 27, 8, 12)], &known);
    assert_eq!(plan.counts, Counts { rows: 3, created: 1, updated: 1, unchanged: 1 });
    let written: Vec<_> = plan.write.iter().map(|row| (row.id.get().as_u128(), row.called_off)).collect();
    assert_eq!(written, [(2, false), (12, false), (3, true)]);
}

#[test]
fn a_shift_that_was_called_off_can_come_back() {
    let known = [Shift { called_off: true, ..shift(1, 24, 8, 12) }];
    let plan = plan_shifts(vec![shift(10, 24, 8, 12)], &known);
    assert_eq!(plan.counts.updated, 1);
    assert_eq!(plan.write, [shift(1, 24, 8, 12)]);
}

#[test]
fn nobody_is_at_two_places_at_once() {
    let twice = [shift(1, 24, 8, 8), shift(2, 24, 12, 8), shift(3, 24, 20, 12)];
    assert_eq!(overlaps(&twice, &[]), [Overlap::Within { shift: 1, other: 0 }]);
    let mut somebody_elses = shift(2, 24, 12, 8);
    somebody_elses.technician_id = Uuid::from_u128(6).into();
    assert_eq!(overlaps(&[shift(1, 24, 8, 8), somebody_elses], &[]), []);
    // The night before goes on until 8; the day itself is called off as a whole; what was called off is over.
    let known = [shift(4, 23, 20, 12), shift(5, 24, 10, 4), Shift { called_off: true, ..shift(6, 25, 6, 4) }];
    let on = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    assert_eq!(overlaps(&[shift(1, 24, 7, 8)], &known), [Overlap::Known { shift: 0, on }]);
    assert_eq!(overlaps(&[shift(1, 24, 8, 24)], &known), []);
}
