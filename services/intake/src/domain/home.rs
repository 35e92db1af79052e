//! Which person may be named together with which place.
//!
//! An owner reports for the units they are tied to today and for common parts. Staff name a person and a unit together only
//! where a tie, of today or a former one, bears it out: somebody is sent to that door, and its household reads what came of
//! it. Any other unit of the estate can be named as the one from which the trouble comes.

use chrono::NaiveDate;
use steward_kernel::{
    Actor,
    ids::{EstateId, UnitId},
};

/// A tie of a person to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// The unit.
    pub unit: UnitId,
    /// Its estate.
    pub estate: EstateId,
    /// Since which day; `None` = not known, long since.
    pub since_on: Option<NaiveDate>,
    /// The last day of it; `None` = nobody knows, it goes on.
    pub until_on: Option<NaiveDate>,
}

impl Home {
    fn has_begun(&self, today: NaiveDate) -> bool {
        self.since_on.is_none_or(|since| since <= today)
    }

    /// Whether there is a day on which both hold.
    fn meets(self, other: Self) -> bool {
        let begins_in_time = |since: Option<NaiveDate>, until: Option<NaiveDate>| {
            since.zip(until).is_none_or(|(since, until)| since <= until)
        };
        begins_in_time(self.since_on, other.until_on) && begins_in_time(other.since_on, self.until_on)
    }

    fn lasts(&self, today: NaiveDate) -> bool {
        self.has_begun(today) && self.until_on.is_none_or(|until| today <= until)
    }
}

/// Why a person is not to be named with a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// The person has nothing to do with the estates that the caller may see.
    ToTheCaller,
    /// An owner names an estate in which they never lived.
    ToTheEstate,
    /// An owner names a unit that is not theirs today.
    NotYourUnit,
    /// Staff name a unit to which the person never had a tie.
    NotTheirUnit,
}

/// Whether the caller may name a person with these ties together with that place.
///
/// * `homes`: the ties of the person; for an owner, the own ones.
/// * `unit`: of that estate; none = common parts.
/// * `today`: the day in the estate.
///
/// # Errors
/// What does not fit.
pub fn check(
    actor: &Actor,
    homes: &[Home],
    (estate, unit): (EstateId, Option<UnitId>),
    today: NaiveDate,
) -> Result<(), Stranger> {
    let is_tied = |unit: UnitId, holds: fn(&Home, NaiveDate) -> bool| {
        homes.iter().any(|home| home.unit == unit && holds(home, today))
    };
    if actor.is_only_owner() {
        return match unit {
            Some(unit) if !is_tied(unit, Home::lasts) => Err(Stranger::NotYourUnit),
            None if !homes.iter().any(|home| home.estate == estate && home.has_begun(today)) => {
                Err(Stranger::ToTheEstate)
            }
            Some(_) | None => Ok(()),
        };
    }
    if actor.estates.is_some() && !homes.iter().any(|home| actor.sees_estate(home.estate)) {
        return Err(Stranger::ToTheCaller);
    }
    match unit {
        Some(unit) if !is_tied(unit, Home::has_begun) => Err(Stranger::NotTheirUnit),
        Some(_) | None => Ok(()),
    }
}

/// Whether two people ever lived in the same unit at the same time, so that one may speak for the other.
#[must_use]
pub fn share_a_unit(one: &[Home], other: &[Home]) -> bool {
    one.iter().any(|home| other.iter().any(|theirs| theirs.unit == home.unit && home.meets(*theirs)))
}

#[cfg(test)]
mod tests {
    use steward_kernel::{ActorId, Role};
    use uuid::Uuid;

    use super::*;

    fn estate(n: u128) -> EstateId {
        Uuid::from_u128(n).into()
    }

    fn unit(n: u128) -> UnitId {
        Uuid::from_u128(100 + n).into()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn home(of: u128, at: u128, since: Option<&str>) -> Home {
        Home { unit: unit(at), estate: estate(of), since_on: since.map(day), until_on: None }
    }

    fn caller(role: Role, estates: Option<&[u128]>) -> Actor {
        let estates = estates.map(|estates| estates.iter().copied().map(estate).collect());
        Actor { tenant: Uuid::from_u128(9).into(), id: ActorId::new("x"), roles: vec![role], estates, resident: None }
    }

    fn checked(actor: &Actor, homes: &[Home], of: u128, at: Option<u128>) -> Result<(), Stranger> {
        check(actor, homes, (estate(of), at.map(unit)), day("2026-11-30"))
    }

    #[test]
    fn an_owner_reports_for_the_own_unit_and_for_common_parts_and_not_for_a_neighbours() {
        let owner = caller(Role::Owner, None);
        let homes = [home(1, 1, Some("2019-05-01"))];
        assert_eq!(checked(&owner, &homes, 1, Some(1)), Ok(()));
        assert_eq!(checked(&owner, &homes, 1, None), Ok(()));
        assert_eq!(checked(&owner, &homes, 1, Some(2)), Err(Stranger::NotYourUnit));
        assert_eq!(checked(&owner, &homes, 2, None), Err(Stranger::ToTheEstate));
    }

    #[test]
    fn a_tie_that_begins_later_is_none_yet() {
        let homes = [home(1, 1, Some("2026-12-01"))];
        let owner = caller(Role::Owner, None);
        assert_eq!(checked(&owner, &homes, 1, Some(1)), Err(Stranger::NotYourUnit));
        assert_eq!(checked(&owner, &homes, 1, None), Err(Stranger::ToTheEstate));
        let desk = caller(Role::Receptionist, None);
        assert_eq!(checked(&desk, &homes, 1, Some(1)), Err(Stranger::NotTheirUnit));
        assert_eq!(checked(&owner, &[home(1, 1, Some("2026-11-30"))], 1, Some(1)), Ok(()));
        assert_eq!(checked(&owner, &[home(1, 1, None)], 1, Some(1)), Ok(()));
    }

    #[test]
    fn whoever_has_moved_out_reports_no_more_from_there_and_staff_may_still_name_them() {
        let homes = [Home { until_on: Some(day("2026-11-29")), ..home(1, 1, Some("2019-05-01")) }];
        let (owner, desk) = (caller(Role::Owner, None), caller(Role::Receptionist, None));
        assert_eq!(checked(&owner, &homes, 1, Some(1)), Err(Stranger::NotYourUnit));
        assert_eq!(checked(&desk, &homes, 1, Some(1)), Ok(()));
        let last_day = [Home { until_on: Some(day("2026-11-30")), ..homes[0] }];
        assert_eq!(checked(&owner, &last_day, 1, Some(1)), Ok(()));
    }

    #[test]
    fn staff_name_a_person_and_a_unit_together_only_where_they_belong_together() {
        let homes = [home(2, 5, None)];
        let (everywhere, here) = (caller(Role::Receptionist, None), caller(Role::Receptionist, Some(&[1])));
        assert_eq!(checked(&everywhere, &homes, 1, Some(1)), Err(Stranger::NotTheirUnit));
        // Somebody of another estate who stands at the desk: their words, and no door to send anybody to.
        assert_eq!(checked(&everywhere, &homes, 1, None), Ok(()));
        // Whom the caller can't see is as good as unknown.
        assert_eq!(checked(&here, &homes, 1, None), Err(Stranger::ToTheCaller));
        assert_eq!(checked(&caller(Role::Handler, Some(&[1, 2])), &homes, 1, None), Ok(()));
    }

    #[test]
    fn one_speaks_for_another_where_they_share_a_unit() {
        assert!(share_a_unit(&[home(1, 1, None)], &[home(1, 2, None), home(1, 1, None)]));
        assert!(!share_a_unit(&[home(1, 1, None)], &[home(1, 2, None)]));
        // Who moved in after the other had left speaks for nobody but themselves.
        let former = Home { until_on: Some(day("2025-12-31")), ..home(1, 1, None) };
        assert!(!share_a_unit(&[former], &[home(1, 1, Some("2026-01-01"))]));
        assert!(!share_a_unit(&[home(1, 1, Some("2026-01-01"))], &[former]));
        assert!(share_a_unit(&[former], &[home(1, 1, Some("2025-06-01"))]));
    }
}
