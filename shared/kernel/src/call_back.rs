//! The call-back (回訪): an owner is called after the end until somebody is reached, on three days at most.

use std::collections::BTreeSet;

use chrono::NaiveDate;

/// After calls on so many days that reached nobody the call-back is over.
pub const CALL_BACK_DAYS: usize = 3;

crate::word_enum! {
    /// What came of a call.
    CallResult {
        /// The owner was reached.
        Reached = "reached",
        /// Nobody was reached.
        NotReached = "not_reached",
    }
}

/// What a call means to its call-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallMeans {
    /// The owner was called back.
    Reached,
    /// Nobody was reached; there are days left to try.
    Missed,
    /// Nobody was reached on the last day either: the call-back is over.
    InVain,
}

/// The calls of a call-back that reached nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many.
    missed: usize,
    /// Their days.
    missed_on: BTreeSet<NaiveDate>,
    /// Those of which no day was written down: each was one.
    undated: usize,
}

impl Calls {
    /// How many calls reached nobody.
    #[must_use]
    pub const fn missed(&self) -> usize {
        self.missed
    }

    /// On how many days calls reached nobody.
    #[must_use]
    pub fn missed_days(&self) -> usize {
        self.missed_on.len() + self.undated
    }

    /// On how many more days the owner is to be called until somebody is reached.
    #[must_use]
    pub fn days_owed(&self) -> usize {
        CALL_BACK_DAYS.saturating_sub(self.missed_days())
    }

    /// What a call with that result means.
    ///
    /// * `on`: the day in the owner's estate. Further calls on a day do not bring the end nearer.
    #[must_use]
    pub fn judge(&self, result: CallResult, on: NaiveDate) -> CallMeans {
        let tried = self.missed_days() + usize::from(!self.missed_on.contains(&on));
        match result {
            CallResult::Reached => CallMeans::Reached,
            CallResult::NotReached if tried < CALL_BACK_DAYS => CallMeans::Missed,
            CallResult::NotReached => CallMeans::InVain,
        }
    }

    /// Notes a call that reached nobody.
    ///
    /// * `on`: the day in the owner's estate; none where that was not written down.
    pub fn miss(&mut self, on: Option<NaiveDate>) {
        self.missed += 1;
        match on {
            Some(on) => drop(self.missed_on.insert(on)),
            None => self.undated += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(of: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, of).unwrap()
    }

    #[test]
    fn three_days_in_vain_end_it_and_several_calls_on_one_do_not() {
        let mut calls = Calls::default();
        for on in [day(20), day(20), day(21), day(21)] {
            assert_eq!(calls.judge(CallResult::NotReached, on), CallMeans::Missed);
            calls.miss(Some(on));
        }
        assert_eq!((calls.missed(), calls.missed_days(), calls.days_owed()), (4, 2, 1));
        assert_eq!(calls.judge(CallResult::NotReached, day(20)), CallMeans::Missed);
        assert_eq!(calls.judge(CallResult::NotReached, day(22)), CallMeans::InVain);
        assert_eq!(calls.judge(CallResult::Reached, day(22)), CallMeans::Reached);
        // A call of which no day was written down was one of its own.
        calls.miss(None);
        assert_eq!((calls.missed_days(), calls.days_owed()), (3, 0));
    }
}
