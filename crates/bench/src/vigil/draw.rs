//! Chance from a seed: the same seed draws the same, on every machine.

use crate::keys::mix;

/// Draws.
#[derive(Debug, Clone)]
pub(super) struct Draw(u64);

impl Draw {
    /// One of a seed's streams, so that more draws for one thing change nothing of another.
    pub(super) fn of(seed: u64, stream: u64) -> Self {
        let mut draw = Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ mix(stream));
        draw.next();
        draw
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 up to 1.
    pub(super) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn is(&mut self, probability: f64) -> bool {
        self.part() < probability
    }

    /// From 0 up to a number, without it.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.part() * end as f64) as usize
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.part() * (most - least)
    }

    pub(super) fn whole(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least + 1) as usize) as i64
    }

    /// Each order of size is as likely as any other.
    pub(super) fn sized(&mut self, least: f64, most: f64) -> f64 {
        self.between(least.ln(), most.ln()).exp()
    }

    /// Around 0, mostly less than 1 from it.
    pub(super) fn normal(&mut self) -> f64 {
        let length = (-2.0 * self.part().max(f64::MIN_POSITIVE).ln()).sqrt();
        length * (std::f64::consts::TAU * self.part()).cos()
    }

    /// How many there are where so many are expected.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let end = (-mean).exp();
        let (mut count, mut product) = (0, self.part());
        while product > end {
            product *= self.part();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_around_what_is_expected() {
        let mut draw = Draw::of(1, 1);
        for mean in [0.0, 0.3, 4.0, 29.0, 31.0, 500.0] {
            let sum: u64 = (0..4_000).map(|_| draw.poisson(mean)).sum();
            let seen = sum as f64 / 4_000.0;
            assert!((seen - mean).abs() <= 0.1 * mean.sqrt(), "{seen} {mean}");
        }
    }

    #[test]
    fn a_seed_s_streams_differ_and_repeat() {
        let first = |seed, stream| Draw::of(seed, stream).next();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }
}
