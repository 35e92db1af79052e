//! An entry of the staff register, as far as others need it: who serves which estates as what. Names stay in the register.

use serde::{Deserialize, Serialize};
use steward_kernel::{Aggregate, ids::EstateId};

use super::register::{StaffId, StaffMember};

/// What others need to know of somebody who works for the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Subject of their tokens; empty = they have none.
    pub account: String,
    /// 岗位
    pub role: String,
    /// 部门
    pub department: String,
    /// The estates they work for, in order; `None` = all.
    pub estates: Option<Vec<EstateId>>,
    /// Whether they have left the company.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

impl From<&StaffMember> for Post {
    fn from(member: &StaffMember) -> Self {
        let mut estates = member.estates.clone();
        estates.iter_mut().for_each(|estates| estates.sort_unstable());
        let (role, department) = (member.role.to_string(), member.department.to_string());
        Self { account: member.account.clone(), role, department, estates, left: member.left }
    }
}

/// What can be asked of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Enter them in the register, or change what stands there.
    Register(Post),
}

/// What happened to an entry. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It stands there like this from now on.
    Registered(Post),
}

/// Nothing is refused: the file was checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {}

/// An entry of the staff register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffEntry {
    /// Whose.
    pub id: StaffId,
    /// What stands there; `None` before the first time.
    pub post: Option<Post>,
}

impl Aggregate for StaffEntry {
    const NAME: &'static str = "staff_entry";
    type Id = StaffId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: StaffId) -> Self {
        Self { id, post: None }
    }

    fn decide(&self, Command::Register(post): &Command, (): &()) -> Result<Vec<Event>, Refusal> {
        let is_known = self.post.as_ref() == Some(post);
        Ok(if is_known { Vec::new() } else { vec![Event::Registered(post.clone())] })
    }

    fn evolve(self, Event::Registered(post): &Event) -> Self {
        Self { post: Some(post.clone()), ..self }
    }
}
