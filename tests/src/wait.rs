//! Bounded waits. Each names what it waits for, so that a failure says what did not come.
//!
//! [`within`] waits for a signal. [`eventually`] is for what sends none, such as a row that only a
//! question can show: it asks until the answer is there. [`comes_to`] is the same for what is
//! promised within a second.

use std::fmt::{Debug, Display};
use std::panic::Location;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long anything may take that is not meant to take long: generous, for slow machines.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// For how long a node may go by what was changed beside it: a second, and what a busy machine
/// adds.
const SECOND: Duration = Duration::from_millis(1_500);
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

/// Asks until this is the answer, since something was changed just now that a node need not know of
/// for a second. Whatever is asked after that is answered so, however long the answer takes: a slow
/// machine delays answers, and changes none.
///
/// # Panics
/// When an old answer comes to what was asked too late for it.
pub async fn comes_to<T: PartialEq + Debug>(expected: T, ask: impl AsyncFn() -> T) {
    let changed = Instant::now();
    eventually(format!("{expected:?}"), async || {
        let asked = changed.elapsed();
        let answer = ask().await;
        if answer == expected {
            return Ok(());
        }
        assert!(asked < SECOND, "still {answer:?} after {asked:?}");
        Err(format!("{answer:?}"))
    })
    .await;
}
