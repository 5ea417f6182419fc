//! Bounded waits. Each names what it waits for, so that a failure says what did not come.
//!
//! [`within`] waits for a signal. [`eventually`] is for what sends none, such as a row that only a
//! question can show: it asks until the answer is there.

use std::fmt::Display;
use std::panic::Location;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long anything may take that is not meant to take long: generous, for slow machines.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two questions of [`eventually`].
const PACE: Duration = Duration::from_millis(10);

/// Waits for `future` up to [`PATIENCE`].
///
/// # Panics
/// When it takes longer: the text says what was waited for, and where.
#[track_caller]
pub fn within<F: Future>(what: impl Display, future: F) -> impl Future<Output = F::Output> {
    within_time(PATIENCE, what, future)
}

/// Waits for `future` up to `limit`; otherwise as [`within`].
#[track_caller]
pub fn within_time<F: Future>(
    limit: Duration,
    what: impl Display,
    future: F,
) -> impl Future<Output = F::Output> {
    let place = Location::caller();
    async move {
        match timeout(limit, future).await {
            Ok(output) => output,
            Err(_) => panic!("waited {limit:?} in vain for {what} ({place})"),
        }
    }
}

/// Asks until the answer is `Ok`, up to [`PATIENCE`]; an `Err` says how far it is.
///
/// # Panics
/// When it takes longer: with the last `Err`.
#[track_caller]
pub fn eventually<T, F>(what: impl Display, mut ask: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Result<T, String>>,
{
    let place = Location::caller();
    async move {
        let mut last = "nobody asked yet".to_owned();
        let asking = async {
            let mut pace = interval(PACE);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pace.tick().await;
                match ask().await {
                    Ok(answer) => return answer,
                    Err(error) => last = error,
                }
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(answer) => answer,
            Err(_) => panic!("waited {PATIENCE:?} in vain for {what} ({place}): {last}"),
        }
    }
}
