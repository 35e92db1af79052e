//! Who acts, and as what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::{ActorId, EstateId, ResidentId, TenantId};

/// The roles of DESIGN §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An owner or other resident, in the app.
    Owner,
    /// Receives owners at the desk and on the phone.
    Receptionist,
    /// Handles cases.
    Handler,
    /// Does work orders.
    Technician,
    /// Leads a team.
    Supervisor,
    /// Manages an estate or a region.
    Manager,
    /// Reads figures.
    Analyst,
    /// Administers the company's settings and register.
    Admin,
    /// Another system of the company.
    Integration,
}

impl Role {
    /// All of them, in the order of DESIGN §6.
    pub const ALL: [Self; 9] = [
        Self::Owner,
        Self::Receptionist,
        Self::Handler,
        Self::Technician,
        Self::Supervisor,
        Self::Manager,
        Self::Analyst,
        Self::Admin,
        Self::Integration,
    ];

    /// The word used in tokens and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Receptionist => "receptionist",
            Self::Handler => "handler",
            Self::Technician => "technician",
            Self::Supervisor => "supervisor",
            Self::Manager => "manager",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
            Self::Integration => "integration",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Who asks, with the borders of what they may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The company they act in.
    pub tenant: TenantId,
    /// Who it is.
    pub id: ActorId,
    /// As what they act: of their roles those that permit what is asked. Empty for services and timers, which are not asked for permission.
    pub roles: Vec<Role>,
    /// Estates they may see; `None` means all of the company.
    pub estates: Option<Vec<EstateId>>,
    /// The resident they are, for owners.
    pub resident: Option<ResidentId>,
}

impl Actor {
    /// A service or a timer of the company: sees all its estates.
    #[must_use]
    pub fn service(tenant: TenantId, name: &str) -> Self {
        Self { tenant, id: ActorId::new(name), roles: Vec::new(), estates: None, resident: None }
    }

    /// The same, in those of its roles that permit something; `None` when none does.
    ///
    /// Whoever is an owner and works for the company, too, has one token with both roles. What a role permits it permits within its own
    /// border: an owner their own, staff their estates. A role that permits nothing here must not widen the border of one that does.
    ///
    /// * `roles`: those that permit what is asked.
    #[must_use]
    pub fn acting_as(mut self, roles: &[Role]) -> Option<Self> {
        self.roles.retain(|role| roles.contains(role));
        (!self.roles.is_empty()).then_some(self)
    }

    /// Whether it has one of the roles.
    #[must_use]
    pub fn is_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether it is a service or a timer, which nobody asks for permission.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.roles.is_empty()
    }

    /// Whether it acts only as an owner, so that only what is theirs may be seen.
    #[must_use]
    pub fn is_only_owner(&self) -> bool {
        !self.roles.is_empty() && self.roles.iter().all(|role| *role == Role::Owner)
    }

    /// Whether it may see what is in this estate.
    #[must_use]
    pub fn sees_estate(&self, estate: EstateId) -> bool {
        self.estates.as_ref().is_none_or(|estates| estates.contains(&estate))
    }

    /// The estates to which a list is limited, as any of several or as one alone; `None` = not.
    ///
    /// One alone is told apart, since the rows of one estate can be read in the order of the list. An estate that is
    /// asked for but not theirs leaves nothing. Owners are limited by person, not by estate.
    ///
    /// * `asked`: the estate that the list is to be of.
    #[must_use]
    pub fn listed_estates(&self, asked: Option<EstateId>) -> (Option<Vec<Uuid>>, Option<Uuid>) {
        let limits = self.estates.as_deref().filter(|_| !self.is_only_owner());
        match (limits, asked) {
            (None, asked) => (None, asked.map(EstateId::get)),
            (Some([only]), None) => (None, Some(only.get())),
            (Some(estates), Some(asked)) if estates.contains(&asked) => (None, Some(asked.get())),
            (Some(estates), asked) => {
                (Some(estates.iter().map(|estate| estate.get()).collect()), asked.map(EstateId::get))
            }
        }
    }

    /// Whether it may see something in this estate that belongs to this resident: staff by estate, owners by person.
    #[must_use]
    pub fn sees(&self, estate: EstateId, resident: Option<ResidentId>) -> bool {
        if self.is_only_owner() {
            return self.resident.is_some() && self.resident == resident;
        }
        self.sees_estate(estate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estate(n: u128) -> EstateId {
        Uuid::from_u128(n).into()
    }

    fn actor(role: Role, estates: Option<&[u128]>) -> Actor {
        let estates = estates.map(|estates| estates.iter().copied().map(estate).collect());
        Actor {
            tenant: Uuid::from_u128(1).into(),
            id: ActorId::new("somebody"),
            roles: vec![role],
            estates,
            resident: None,
        }
    }

    #[test]
    fn a_list_is_limited_to_one_estate_wherever_one_is_enough() {
        let id = Uuid::from_u128;
        let listed = |estates, asked: Option<u128>| actor(Role::Handler, estates).listed_estates(asked.map(estate));
        assert_eq!(listed(None, None), (None, None));
        assert_eq!(listed(None, Some(7)), (None, Some(id(7))));
        assert_eq!(listed(Some(&[7]), None), (None, Some(id(7))));
        assert_eq!(listed(Some(&[7, 8]), Some(8)), (None, Some(id(8))));
        assert_eq!(listed(Some(&[7, 8]), None), (Some(vec![id(7), id(8)]), None));
        // Both conditions stand, and nothing fulfils both.
        assert_eq!(listed(Some(&[7]), Some(9)), (Some(vec![id(7)]), Some(id(9))));
        assert_eq!(listed(Some(&[]), None), (Some(vec![]), None));
    }

    #[test]
    fn an_owners_list_is_not_limited_by_estate() {
        assert_eq!(actor(Role::Owner, Some(&[7])).listed_estates(None), (None, None));
    }
}
