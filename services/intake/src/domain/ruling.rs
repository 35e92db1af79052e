//! What holds in an estate at an instant: its policies, its calendars, who holds which post, who covers for whom. Pure; the cache makes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use steward_clock::{Hours, Level, Pin, Policies};
use uuid::Uuid;

/// Who answers where nobody of the company is on a post: the company itself.
pub const HEAD_OFFICE: &str = "head-office";

/// What holds in an estate.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// The policies, nearest first.
    pub policies: Policies,
    /// IANA name of the estate's time zone.
    pub time_zone: String,
    /// Codes of the company's calendars with the version that holds now.
    pub calendars: Arc<BTreeMap<String, (Uuid, i32)>>,
    /// How many arrangements of public holidays the company has loaded.
    pub holidays: i32,
    /// Who is on the posts of the estate, and who receives owners.
    pub people: Arc<People>,
    /// Who is away now, and who covers for them.
    pub covers: Arc<BTreeMap<String, String>>,
}

/// The people of an estate.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Who holds a post: (level, code of the department for a lead) → account.
    pub posts: BTreeMap<(Level, String), String>,
    /// Who would hold it by the register, best first: (level, department, account).
    pub register: Vec<(Level, String, String)>,
    /// Who receives owners, receptionists before handlers.
    pub receivers: Vec<String>,
}

impl Ruling {
    /// The calendar of these hours in its newest version: that of the department where it has one, else that of the estate, else the one that ships
    /// with the product (nil).
    #[must_use]
    pub fn pin(&self, hours: Hours, department: Option<&str>) -> Pin {
        if hours == Hours::Always {
            return Pin::always(&self.time_zone);
        }
        let known = self.policies.calendar(department).and_then(|code| self.calendars.get(code));
        let (calendar, version) = known.copied().unwrap_or((Uuid::nil(), 1));
        Pin { calendar: Some(calendar), version, holidays: self.holidays, time_zone: self.time_zone.clone() }
    }

    /// Who acts for somebody now: the cover while they are away, and the cover's cover; else they themselves.
    #[must_use]
    pub fn acting_for(&self, account: &str) -> String {
        let mut seen = BTreeSet::new();
        let mut acting = account;
        while let Some(cover) = self.covers.get(acting) {
            // Those who cover for each other are all away: then it is who it was.
            if !seen.insert(acting) {
                return account.to_owned();
            }
            acting = cover;
        }
        acting.to_owned()
    }

    /// Who acts for a post now; none when nobody holds it.
    #[must_use]
    pub fn holder(&self, level: Level, department: Option<&str>) -> Option<String> {
        let department = department.unwrap_or_default();
        let posts = &self.people.posts;
        let own = posts.get(&(level, department.to_owned())).or_else(|| posts.get(&(level, String::new())));
        let register = || {
            let fits = self.people.register.iter().filter(|(at, ..)| *at == level);
            let mut fits: Vec<_> = fits.collect();
            fits.sort_by_key(|(_, of, _)| of != department);
            fits.first().map(|(.., account)| account)
        };
        own.or_else(register).map(|account| self.acting_for(account))
    }

    /// Who answers first for a matter that nobody of the company received: who receives owners here, in turn; else who is on the nearest post.
    ///
    /// * `seed`: of the matter, so that the same matter always has the same person.
    #[must_use]
    pub fn first_receiver(&self, seed: Uuid) -> String {
        let present: Vec<&String> =
            self.people.receivers.iter().filter(|account| !self.covers.contains_key(*account)).collect();
        let turn =
            usize::try_from(seed.as_u128() % u128::try_from(present.len().max(1)).unwrap_or(1)).unwrap_or_default();
        if let Some(account) = present.get(turn) {
            return (*account).clone();
        }
        let covered = self.people.receivers.first().map(|account| self.acting_for(account));
        let posts = [Level::Lead, Level::EstateManager, Level::Region, Level::Company];
        covered
            .or_else(|| posts.into_iter().find_map(|level| self.holder(level, None)))
            .unwrap_or_else(|| HEAD_OFFICE.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = "Asia/Shanghai";

    fn map(pairs: &[(&str, &str)]) -> Arc<BTreeMap<String, String>> {
        Arc::new(pairs.iter().map(|(who, cover)| ((*who).to_owned(), (*cover).to_owned())).collect())
    }

    fn ruling() -> Ruling {
        let register = [(Level::Lead, "desk", "lead-desk"), (Level::Lead, "security", "lead-security")];
        let people = People {
            posts: BTreeMap::from([((Level::EstateManager, String::new()), "manager".to_owned())]),
            register: register.map(|(level, of, who)| (level, of.to_owned(), who.to_owned())).into(),
            receivers: vec!["desk-1".to_owned(), "desk-2".to_owned()],
        };
        Ruling {
            policies: Policies::default(),
            time_zone: ZONE.to_owned(),
            calendars: Arc::default(),
            holidays: 3,
            people: Arc::new(people),
            covers: Arc::default(),
        }
    }

    #[test]
    fn a_post_is_held_by_whoever_was_appointed_or_by_the_register() {
        let ruling = ruling();
        let holder = |level, department| ruling.holder(level, department);
        assert_eq!(holder(Level::EstateManager, Some("security")).as_deref(), Some("manager"));
        assert_eq!(holder(Level::Lead, Some("security")).as_deref(), Some("lead-security"));
        assert_eq!(holder(Level::Lead, None).as_deref(), Some("lead-desk"));
        assert_eq!(holder(Level::Lead, Some("cleaning")).as_deref(), Some("lead-desk"), "somebody leads them, too");
        assert_eq!([holder(Level::Worker, None), holder(Level::Region, None)], [None, None]);
        let mut appointed = ruling.clone();
        let mut people = (*appointed.people).clone();
        people.posts.insert((Level::Lead, String::new()), "lead".to_owned());
        people.posts.insert((Level::Lead, "desk".to_owned()), "lead-of-desk".to_owned());
        appointed.people = Arc::new(people);
        assert_eq!(appointed.holder(Level::Lead, Some("desk")).as_deref(), Some("lead-of-desk"));
        assert_eq!(appointed.holder(Level::Lead, Some("security")).as_deref(), Some("lead"), "of all departments");
    }

    #[test]
    fn covers_are_followed_to_whoever_is_there() {
        let away = |pairs| Ruling { covers: map(pairs), ..ruling() };
        let acting = away(&[("desk-1", "desk-2"), ("desk-2", "manager")]);
        assert_eq!(acting.acting_for("desk-1"), "manager");
        assert_eq!(acting.acting_for("lead-desk"), "lead-desk");
        let circle = away(&[("desk-1", "desk-2"), ("desk-2", "desk-1")]);
        assert_eq!(circle.acting_for("desk-1"), "desk-1");
        assert_eq!(away(&[("manager", "lead-desk")]).holder(Level::EstateManager, None).as_deref(), Some("lead-desk"));
    }

    #[test]
    fn somebody_always_receives_first() {
        let turn = |ruling: &Ruling, number| ruling.first_receiver(Uuid::from_u128(number));
        assert_eq!([turn(&ruling(), 0), turn(&ruling(), 1), turn(&ruling(), 2)], ["desk-1", "desk-2", "desk-1"]);
        let away = |pairs| Ruling { covers: map(pairs), ..ruling() };
        assert_eq!(turn(&away(&[("desk-1", "manager")]), 0), "desk-2", "who is there comes before a cover");
        assert_eq!(turn(&away(&[("desk-1", "manager"), ("desk-2", "manager")]), 0), "manager");
        let mut nobody = ruling();
        nobody.people = Arc::new(People { receivers: vec![], ..(*nobody.people).clone() });
        assert_eq!(turn(&nobody, 0), "lead-desk");
        nobody.people = Arc::default();
        assert_eq!(turn(&nobody, 0), HEAD_OFFICE);
    }

    #[test]
    fn the_calendar_that_ships_stands_where_the_company_has_set_none() {
        let mut ruling = ruling();
        let pin = |calendar: Uuid, version| Pin {
            calendar: Some(calendar),
            version,
            holidays: 3,
            time_zone: ZONE.to_owned(),
        };
        assert_eq!(ruling.pin(Hours::Estate, None), pin(Uuid::nil(), 1));
        assert_eq!(ruling.pin(Hours::Always, None), Pin::always(ZONE));
        let policy = steward_clock::Policy {
            calendar: Some("desk".to_owned()),
            department_calendars: BTreeMap::from([("security".to_owned(), "night".to_owned())]),
            ..Default::default()
        };
        ruling.policies = Policies(vec![Arc::new(policy)]);
        assert_eq!(ruling.pin(Hours::Estate, None), pin(Uuid::nil(), 1), "a calendar that has not begun");
        let (desk, night) = (Uuid::from_u128(1), Uuid::from_u128(2));
        ruling.calendars = Arc::new(BTreeMap::from([("desk".to_owned(), (desk, 2)), ("night".to_owned(), (night, 5))]));
        assert_eq!(ruling.pin(Hours::Estate, Some("cleaning")), pin(desk, 2));
        assert_eq!(ruling.pin(Hours::Estate, Some("security")), pin(night, 5));
    }
}
