//! Randomness that repeats: the same seed gives the same bytes. For tests only; nothing here is
//! hard to guess.

use model::Entropy;
use std::sync::atomic::{AtomicU64, Ordering};

/// SplitMix64 from a seed.
#[derive(Debug)]
pub struct TestEntropy(AtomicU64);

impl TestEntropy {
    /// A source that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// An index below `bound`, which is at least 1.
    pub fn below(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("an index fits 64 bits");
        usize::try_from(self.next() % bound).expect("it is below an index")
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::entropy::random;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let draw = |seed| random::<20>(&TestEntropy::new(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn indexes_stay_below_their_bound_and_reach_all() {
        let entropy = TestEntropy::new(7);
        let mut seen = [0_u32; 3];
        for _ in 0..300 {
            seen[entropy.below(3)] += 1;
        }
        assert!(seen.iter().all(|times| *times > 50), "{seen:?}");
    }
}
