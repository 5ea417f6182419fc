//! Randomness from a seed, which is printed, so that a run can be repeated as far as chance made
//! it.

use std::hash::{BuildHasher as _, RandomState};

use crate::place;

/// The variable that a seed can be given in.
pub const SEED: &str = "E2E_SEED";

/// A small generator (splitmix64). For picking moments, not for keys.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From the variable [`SEED`], otherwise from the system; says which seed it is.
    pub fn new() -> Self {
        let given = place::variable(SEED).map(|text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{SEED} must be a number, and is {text:?}"))
        });
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
        println!("seed: {seed} (repeat with {SEED}={seed})");
        Self(seed)
    }

    /// From this seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}
