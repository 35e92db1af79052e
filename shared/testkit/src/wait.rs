//! Waiting for a state, never for a change and never for a time.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, Instant},
};

/// Asks again and again until the condition gives a value.
///
/// # Panics
/// When it gives none within 20 seconds of real time; says what was waited for.
pub async fn eventually<T, F, Fut>(what: &str, condition: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
    T: Debug,
{
    within(Duration::from_secs(20), what, condition).await
}

/// The same with another limit, for what really takes time: processes that start, servers that come back.
///
/// # Panics
/// When the condition gives no value within `limit` of real time.
pub async fn within<T, F, Fut>(limit: Duration, what: &str, mut condition: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
    T: Debug,
{
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < limit, "did not happen within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
