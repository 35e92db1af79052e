//! An estate (小區) and its units. Only the estate is an aggregate: units and people are reference data of the register.

use serde::{Deserialize, Serialize};
use steward_kernel::{Aggregate, ids::EstateId, text::Text};

/// Short codes of the company's register (estates, residents, staff, articles).
pub type Code = Text<40>;

/// What the company says of an estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// 小区编码: its code in the company's register; never changes.
    pub code: Code,
    /// 小区名称
    pub name: Text<100>,
    /// 区域: the region of the company it belongs to.
    pub region: Text<100>,
    /// IANA name, for example `Asia/Shanghai`; checked where it is read.
    pub time_zone: String,
}

/// How large an estate is, as the register knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Buildings with at least one unit.
    pub buildings: i32,
    /// Units.
    pub units: i32,
    /// Units with at least one resident.
    pub households: i32,
}

/// What can be asked of an estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Enter it in the register, or change what stands there.
    Register(Particulars),
    /// Note how large it is.
    Count(Counts),
}

/// What happened to an estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was entered in the register.
    Registered(Particulars),
    /// Name, region or time zone changed.
    Changed(Particulars),
    /// Its units or households are not as many as before.
    Counted(Counts),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not in the register, or not for the caller to see.
    NoSuchEstate,
    /// Its code would change.
    CodeIsFixed,
}

/// An estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// Its id.
    pub id: EstateId,
    /// What it is; `None` before it is in the register.
    pub particulars: Option<Particulars>,
    /// How large it is.
    pub counts: Counts,
}

impl Aggregate for Estate {
    const NAME: &'static str = "estate";
    type Id = EstateId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: EstateId) -> Self {
        Self { id, particulars: None, counts: Counts::default() }
    }

    fn decide(&self, command: &Command, (): &()) -> Result<Vec<Event>, Refusal> {
        match (&self.particulars, command) {
            (None, Command::Register(new)) => Ok(vec![Event::Registered(new.clone())]),
            (None, Command::Count(_)) => Err(Refusal::NoSuchEstate),
            (Some(known), Command::Register(new)) if known == new => Ok(vec![]),
            (Some(known), Command::Register(new)) if known.code != new.code => Err(Refusal::CodeIsFixed),
            (Some(_), Command::Register(new)) => Ok(vec![Event::Changed(new.clone())]),
            (Some(_), Command::Count(counts)) if *counts == self.counts => Ok(vec![]),
            (Some(_), Command::Count(counts)) => Ok(vec![Event::Counted(*counts)]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Registered(particulars) | Event::Changed(particulars) => {
                Self { particulars: Some(particulars.clone()), ..self }
            }
            Event::Counted(counts) => Self { counts: *counts, ..self },
        }
    }
}
