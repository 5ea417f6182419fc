//! The system's clock and generator: the only place that reads either. Everything else takes
//! `model::Clock` and `model::Entropy`, which simulation replaces.

use model::{Clock, Entropy, Timestamp};
use std::time::{Duration, Instant, SystemTime};

/// The system's clock.
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::default().plus(since_epoch.unwrap_or(Duration::ZERO))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The crypto library's generator, seeded by the system.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
    }
}
