//! How much one caller may ask.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
};
use http::{HeaderMap, HeaderValue};
use steward_kernel::{Actor, TenantId};

use crate::{Error, Result};

/// After how many questions callers that have gone quiet are forgotten.
const SWEEP_EVERY: u32 = 10_000;

/// Counts requests by company and subject.
#[derive(Debug)]
pub struct Limiter {
    buckets: DefaultKeyedRateLimiter<(TenantId, String), StateInformationMiddleware>,
    burst: u32,
    asked: AtomicU32,
}

/// What a caller may still ask.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Requests at once.
    pub limit: u32,
    /// Of these, how many are left now.
    pub remaining: u32,
}

impl Rate {
    /// `RateLimit-Limit` and `RateLimit-Remaining`.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert("ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(self.remaining));
    }
}

impl Limiter {
    /// At most `burst` requests at once, refilled with `per_second`; both at least 1.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        let buckets = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
        Self { buckets, burst: at_least_one(burst).get(), asked: AtomicU32::new(0) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the time to wait.
    pub fn check(&self, actor: &Actor) -> Result<Rate> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.buckets.retain_recent();
        }
        match self.buckets.check_key(&(actor.tenant, actor.id.as_str().to_owned())) {
            Ok(state) => Ok(Rate { limit: self.burst, remaining: state.remaining_burst_capacity() }),
            Err(not_until) => {
                let retry_after = not_until.wait_time_from(DefaultClock::default().now());
                Err(Error::TooManyRequests { retry_after: retry_after.max(Duration::from_millis(1)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn callers_are_counted_apart_and_told_when_to_come_back() {
        let limiter = Limiter::new(1, 2);
        let one = Actor::service(TenantId::from(Uuid::from_u128(1)), "a");
        let other = Actor::service(TenantId::from(Uuid::from_u128(2)), "a");
        assert_eq!(limiter.check(&one).unwrap().remaining, 1);
        assert_eq!(limiter.check(&one).unwrap().remaining, 0);
        assert!(matches!(limiter.check(&one), Err(Error::TooManyRequests { .. })));
        assert!(limiter.check(&other).is_ok());
    }
}
