//! How many requests a token may make: so many a second, and no more than a second's at once. By
//! node, in memory, bounded. The rule is pure: time is given.

use lru::LruCache;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most tokens that are counted at a time; of more, those that came longest ago begin anew.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
/// What may come at once is what comes in this time.
const BURST: Duration = Duration::from_secs(1);

/// When each token's requests so far would all have come, had they come evenly.
pub(crate) struct Rates(Mutex<LruCache<String, Duration>>);

impl Default for Rates {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(TOKENS_MAX)))
    }
}

impl Rates {
    /// Counts a request, unless it is one too many: then when to come again.
    pub(crate) fn take(
        &self,
        token: &str,
        per_second: NonZeroU32,
        now: Duration,
    ) -> Result<(), Duration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(even) = counted.get_mut(token) {
            *even = counted_after(*even, per_second, now)?;
            return Ok(());
        }
        let even = counted_after(Duration::ZERO, per_second, now)?;
        counted.put(token.to_owned(), even);
        Ok(())
    }
}

fn counted_after(
    even: Duration,
    per_second: NonZeroU32,
    now: Duration,
) -> Result<Duration, Duration> {
    let after = even.max(now) + Duration::from_secs(1) / per_second.get();
    match after.checked_sub(now + BURST) {
        Some(wait) if wait > Duration::ZERO => Err(wait),
        _ => Ok(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: NonZeroU32 = NonZeroU32::new(2).expect("not zero");
    const NOW: Duration = Duration::from_secs(1_000);

    #[test]
    fn a_seconds_requests_may_come_at_once_and_then_evenly() {
        let rates = Rates::default();
        let half = Duration::from_millis(500);
        assert_eq!(rates.take("a", TWO, NOW), Ok(()));
        assert_eq!(rates.take("a", TWO, NOW), Ok(()));
        assert_eq!(rates.take("a", TWO, NOW), Err(half));
        assert_eq!(rates.take("b", TWO, NOW), Ok(()), "another's");
        assert_eq!(rates.take("a", TWO, NOW + half), Ok(()));
        assert_eq!(rates.take("a", TWO, NOW + half), Err(half));
        let later = NOW + Duration::from_secs(60);
        for _ in 0..2 {
            assert_eq!(rates.take("a", TWO, later), Ok(()));
        }
        assert_eq!(
            rates.take("a", TWO, later),
            Err(half),
            "nothing is saved up"
        );
    }
}
