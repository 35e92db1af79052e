//! How much of what callers send is in memory at once: many large uploads, or slow ones, must not end the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::body::{Body as HttpBody, Bytes};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use steward_kernel::TenantId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{Error, FieldError, Result};

/// How long a body waits for its place.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a body may take without a place: as much as its connection takes anyhow. So small requests go on whatever others send.
const FREE: usize = 16 << 10;
/// Places are counted in so many bytes.
const UNIT: usize = 1 << 10;

/// Company and subject; none for whoever has shown no token.
pub(super) type Caller = Option<(TenantId, String)>;

/// The places of a service's bodies in memory.
#[derive(Debug)]
pub(super) struct Bodies {
    service: &'static str,
    all: Arc<Semaphore>,
    most: u32,
    callers: Mutex<HashMap<Caller, Weak<Semaphore>>>,
}

/// Room for one body, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    service: &'static str,
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl Bodies {
    /// * `most`: bytes of all bodies that are in memory at once. One caller has at most a third of it.
    pub(super) fn new(service: &'static str, most: usize) -> Self {
        let most = units(most);
        Self { service, all: Arc::new(Semaphore::new(places(most))), most, callers: Mutex::default() }
    }

    /// Reads a body of at most `limit` bytes. What does not fit beside its connection has a place, which is to be held as long as the bytes
    /// are: it waits for one when the beginning is there, so that nobody takes room by announcing alone.
    ///
    /// * `held`: whether the request has its place.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::TooManyRequests`] when the caller has too much under way, [`Error::TimedOut`] when all together have;
    /// [`Error::Malformed`] when it breaks off.
    pub(super) async fn read(
        &self,
        mut body: HttpBody,
        limit: usize,
        caller: &Caller,
        held: bool,
    ) -> Result<(Bytes, Option<Place>)> {
        let announced = body.size_hint();
        if announced.lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(Error::TooLarge(limit));
        }
        // Who does not say how much it will be needs as much as it may be.
        let needed = announced.exact().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(limit);
        let (mut bytes, mut place) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|_| Error::Malformed(vec![FieldError::new("", "interrupted", "the body broke off")]))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limit {
                return Err(Error::TooLarge(limit));
            }
            if length > FREE && !held && place.is_none() {
                match self.place(caller, needed).await {
                    Ok(found) => place = Some(found),
                    Err(full) => {
                        pass(body).await;
                        return Err(full);
                    }
                }
                if announced.exact().is_some() {
                    bytes.reserve_exact(needed.saturating_sub(bytes.len()));
                }
            }
            if bytes.is_empty() && body.is_end_stream() {
                return Ok((data, place));
            }
            // Copied: a thousand pieces of one byte would keep a thousand buffers.
            bytes.extend_from_slice(&data);
        }
        bytes.shrink_to_fit();
        if let Some(place) = &mut place {
            place.shrink(bytes.len());
        }
        Ok((bytes.into(), place))
    }

    /// Room for a body, at most a moment later. First come, first served.
    async fn place(&self, caller: &Caller, bytes: usize) -> Result<Place> {
        let until = Instant::now() + PATIENCE;
        let bytes = units(bytes);
        // What is larger than its bound goes alone.
        let (share, most) = (bytes.min(self.share()), bytes.min(self.most));
        let closed = |cause| Error::internal("a place for a body", cause);
        let own = timeout_at(until, self.of(caller).acquire_many_owned(share)).await;
        let own = own.map_err(|_| Error::TooManyRequests { retry_after: PATIENCE })?.map_err(closed)?;
        let all = timeout_at(until, Arc::clone(&self.all).acquire_many_owned(most)).await;
        let all = all.map_err(|_| Error::TimedOut)?.map_err(closed)?;
        Ok(Place::taken(self.service, own, all))
    }

    fn share(&self) -> u32 {
        (self.most / 3).max(1)
    }

    /// The places of a caller.
    fn of(&self, caller: &Caller) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = callers.get(caller).and_then(Weak::upgrade) {
            return own;
        }
        callers.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(places(self.share())));
        callers.insert(caller.clone(), Arc::downgrade(&own));
        own
    }
}

/// Lets the rest of a body pass, for a moment: who is still sending when the connection is closed may never see the answer.
async fn pass(mut body: HttpBody) {
    let rest = async { while matches!(body.frame().await, Some(Ok(_))) {} };
    // Who sends longer than that finds the connection closed.
    let _ = tokio::time::timeout(PATIENCE, rest).await;
}

/// Bytes as units, the last one begun.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn places(units: u32) -> usize {
    usize::try_from(units).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

impl Place {
    fn taken(service: &'static str, own: OwnedSemaphorePermit, all: OwnedSemaphorePermit) -> Self {
        let place = Self { service, own, all };
        place.gauge().increment(place.bytes());
        place
    }

    /// Gives back what the body does not need after all.
    fn shrink(&mut self, bytes: usize) {
        let keep = places(units(bytes));
        let before = self.bytes();
        drop(self.own.split(self.own.num_permits().saturating_sub(keep)));
        drop(self.all.split(self.all.num_permits().saturating_sub(keep)));
        self.gauge().decrement(before - self.bytes());
    }

    fn bytes(&self) -> f64 {
        u32::try_from(self.all.num_permits() * UNIT).map_or(f64::MAX, f64::from)
    }

    fn gauge(&self) -> metrics::Gauge {
        metrics::gauge!("http_server_body_bytes", "service" => self.service)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gauge().decrement(self.bytes());
    }
}

#[cfg(test)]
#[path = "bodies_tests.rs"]
mod tests;
