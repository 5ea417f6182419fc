//! The system's clock and generator: the only place that reads either. Everything else takes
//! `model::Clock` and `model::Entropy`, which simulation replaces.

use model::{Clock, Entropy, Timestamp};
use std::cell::RefCell;
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
///
/// What is asked for is mostly small, nonces and tails of ids, and a call costs about the same for
/// many bytes as for few: each thread draws them together, and forgets each as it is given out.
/// Keys are larger, and are drawn when they are asked for.
pub(crate) struct SystemEntropy;

/// The largest that is taken from what was drawn before, in bytes.
const SMALL: usize = 16;

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; 512], left: 0 }) };
}

/// Bytes that were drawn and not given out: the first ones.
struct Drawn {
    bytes: [u8; 512],
    left: usize,
}

impl Drawn {
    fn give(&mut self, asked: &mut [u8]) {
        if self.left < asked.len() {
            draw(&mut self.bytes);
            self.left = self.bytes.len();
        }
        let (rest, given) = self.bytes[..self.left].split_at_mut(self.left - asked.len());
        asked.copy_from_slice(given);
        given.fill(0);
        self.left = rest.len();
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let given = bytes.len() <= SMALL
            // Not while the thread ends.
            && DRAWN.try_with(|drawn| drawn.borrow_mut().give(bytes)).is_ok();
        if !given {
            draw(bytes);
        }
    }
}

fn draw(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::entropy::random;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_given_out_twice() {
        let small: BTreeSet<[u8; 12]> = (0..10_000).map(|_| random(&SystemEntropy)).collect();
        let large: BTreeSet<[u8; 32]> = (0..100).map(|_| random(&SystemEntropy)).collect();
        assert_eq!((small.len(), large.len()), (10_000, 100));
    }

    #[test]
    fn what_is_given_out_is_forgotten() {
        let mut drawn = Drawn {
            bytes: [0; 512],
            left: 0,
        };
        let mut asked = [0; 12];
        drawn.give(&mut asked);
        assert_eq!(drawn.bytes[500..], [0; 12]);
        assert_ne!(asked, [0; 12]);
        while drawn.left >= 12 {
            drawn.give(&mut asked);
        }
        assert_eq!(drawn.bytes[drawn.left..], vec![0; 512 - drawn.left]);
    }
}
