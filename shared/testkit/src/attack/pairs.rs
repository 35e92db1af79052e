//! Two roles in one token: what a role permits, it permits within its own border, whatever the other one sees.

use http::Method;
use steward_chassis::Service;
use steward_kernel::{Actor, ActorId, Role, TenantId, ids::EstateId};
use uuid::Uuid;

use super::{Attack, Blow, Operation, id};
use crate::{TENANT, db::new_id};

/// Every two roles, in both orders.
fn pairs() -> impl Iterator<Item = (Role, Role)> {
    Role::ALL.into_iter().flat_map(|first| Role::ALL.map(|second| (first, second))).filter(|(a, b)| a != b)
}

fn somebody(roles: &[Role], estates: Option<&[Uuid]>, resident: Uuid) -> Actor {
    Actor {
        tenant: TenantId::from(TENANT),
        id: ActorId::new("two-roles"),
        roles: roles.to_vec(),
        estates: estates.map(|estates| estates.iter().copied().map(EstateId::from).collect()),
        resident: Some(resident.into()),
    }
}

/// No two roles see more under a permission of the service than one of them does alone.
///
/// # Panics
/// With every permission and pair that does.
pub fn pairs_add_nothing<S: Service>() {
    let [home, elsewhere, resident, another] = [(); 4].map(|()| new_id());
    let mut found = Vec::new();
    let borders = [None, Some(&[home][..])];
    for (permission, roles) in S::permissions() {
        for ((first, second), estates) in pairs().flat_map(|pair| borders.map(move |border| (pair, border))) {
            let acting = |own: &[Role]| somebody(own, estates, resident).acting_as(roles);
            let (both, alone) = (acting(&[first, second]), [acting(&[first]), acting(&[second])]);
            let sees = |actor: &Option<Actor>, estate: Uuid, whose: Option<Uuid>| {
                actor.as_ref().is_some_and(|actor| actor.sees(estate.into(), whose.map(Into::into)))
            };
            let things =
                [home, elsewhere].into_iter().flat_map(|at| [None, Some(resident), Some(another)].map(|of| (at, of)));
            let lists = |actor: &Option<Actor>| actor.as_ref().map(|actor| actor.listed_estates(None));
            let more =
                things.filter(|(at, of)| sees(&both, *at, *of) && !alone.iter().any(|one| sees(one, *at, *of))).count();
            let is_foreign = both.iter().flat_map(|actor| &actor.roles).any(|role| !roles.contains(role));
            if more > 0 || is_foreign || alone.iter().all(|one| lists(one) != lists(&both)) {
                found.push(format!("{permission}: {} and {}", first.as_str(), second.as_str()));
            }
        }
    }
    assert!(found.is_empty(), "two roles see more than either:\n{}", found.join("\n"));
}

impl Attack<'_> {
    /// Who has a second role that does not permit an operation is answered as who has not. Of what staff may do only reading is asked twice;
    /// owners who name what is not theirs do nothing.
    pub(super) async fn with_a_second_role(&mut self, operation: &Operation) {
        let resident = id(self.targets.own, "resident_id").unwrap_or_else(new_id);
        let blows = self.at_what_is_hidden(operation);
        for (first, second) in pairs() {
            let is_asked = operation.method == Method::GET || first == Role::Owner;
            if !is_asked || !operation.roles.contains(&first) || operation.roles.contains(&second) {
                continue;
            }
            let [alone, both] =
                [&[first][..], &[first, second]].map(|roles| self.kit.client_of(&somebody(roles, None, resident)));
            for blow in &blows {
                let expected = blow.strike(&alone, None).await;
                let answer = blow.strike(&both, None).await;
                let did_something = operation.method != Method::GET && expected.status < 300;
                if !did_something && blow.comparable(&answer) != blow.comparable(&expected) {
                    let who = format!("{} who is {} too", first.as_str(), second.as_str());
                    self.report(operation, &format!("answers {who} otherwise ({})", expected.status), &answer);
                }
            }
        }
    }

    /// Requests that name what is hidden: in the path, in the body, in a filter.
    fn at_what_is_hidden(&mut self, operation: &Operation) -> Vec<Blow> {
        let mut pairs = self.at_path(operation);
        for filter in &operation.filters {
            pairs.extend(self.at_filter(operation, filter));
        }
        for naming in &operation.names {
            pairs.extend(self.at_field(operation, naming, "*"));
        }
        let mut blows: Vec<Blow> = pairs.into_iter().map(|(_, hidden, _)| hidden).collect();
        if operation.method == Method::GET && !operation.path.contains('{') {
            blows.push(self.blow(operation, &[]));
        }
        blows
    }
}
