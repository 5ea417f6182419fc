//! What is counted over the last so many seconds: how often, or how many different.

use std::collections::VecDeque;

/// A window is divided so often; it slides by one such part.
const PARTS: usize = 12;
/// So many are told apart; more are that many.
pub(super) const DIFFERENT_MAX: usize = 256;

/// Counts over a window.
pub(super) trait Counted {
    /// An empty one, over so many seconds.
    fn over(seconds: i64) -> Self;

    /// How many there are with so many more, or with this one.
    fn add(&mut self, now: i64, what: u64) -> u32;

    /// When the first of them was.
    fn since(&self) -> i64;
}

/// How much there was.
#[derive(Debug, Clone)]
pub(super) struct Sum {
    parts: [u32; PARTS],
    part_seconds: i64,
    part: i64,
}

impl Counted for Sum {
    fn over(seconds: i64) -> Self {
        Self {
            parts: [0; PARTS],
            part_seconds: (seconds / PARTS as i64).max(1),
            part: i64::MIN,
        }
    }

    fn add(&mut self, now: i64, what: u64) -> u32 {
        let part = now.div_euclid(self.part_seconds);
        // Also where the clock was set back.
        if !(0..PARTS as i64).contains(&part.saturating_sub(self.part)) {
            self.parts = [0; PARTS];
            self.part = part;
        }
        while self.part < part {
            self.part += 1;
            self.parts[self.part.rem_euclid(PARTS as i64) as usize] = 0;
        }
        let place = &mut self.parts[part.rem_euclid(PARTS as i64) as usize];
        *place = place.saturating_add(u32::try_from(what).unwrap_or(u32::MAX));
        self.parts
            .iter()
            .fold(0, |sum, part| sum.saturating_add(*part))
    }

    fn since(&self) -> i64 {
        let before =
            |ago: &i64| self.parts[(self.part - ago).rem_euclid(PARTS as i64) as usize] > 0;
        let ago = (0..PARTS as i64).rev().find(before).unwrap_or(0);
        (self.part - ago).saturating_mul(self.part_seconds)
    }
}

/// How many different ones there were.
#[derive(Debug, Clone)]
pub(super) struct Different {
    /// Each with when it was last seen, the longest ago first.
    seen: VecDeque<(u64, i64)>,
    seconds: i64,
    since: i64,
}

impl Counted for Different {
    fn over(seconds: i64) -> Self {
        Self {
            seen: VecDeque::new(),
            seconds,
            since: 0,
        }
    }

    fn add(&mut self, now: i64, what: u64) -> u32 {
        let seconds = self.seconds;
        self.seen
            .retain(|(one, at)| *one != what && *at <= now && now - at < seconds);
        if self.seen.len() >= DIFFERENT_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back((what, now));
        self.since = self.seen[0].1;
        self.seen.len() as u32
    }

    fn since(&self) -> i64 {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_forgets_what_is_older_than_its_window() {
        let mut sum = Sum::over(120);
        for (now, what, expected) in [
            (1_000, 5, 5),
            (1_050, 1, 6),
            (1_109, 0, 6),
            (1_120, 2, 3),
            (5_000, 1, 1),
            (4_000, 1, 1),
            (4_000, u64::MAX, u32::MAX),
        ] {
            assert_eq!(sum.add(now, what), expected, "{now}");
        }
        let mut sum = Sum::over(120);
        sum.add(1_000, 1);
        sum.add(1_055, 1);
        assert_eq!(sum.since(), 1_000);
    }

    #[test]
    fn each_is_counted_once_while_it_is_in_the_window() {
        let mut different = Different::over(100);
        for (now, what, expected) in [
            (1_000, 7, 1),
            (1_010, 7, 1),
            (1_020, 8, 2),
            (1_109, 9, 3),
            (1_110, 9, 2),
            (900, 1, 1),
        ] {
            assert_eq!(different.add(now, what), expected, "{now}");
        }
        for what in 0..1_000 {
            assert!(different.add(900, what) <= DIFFERENT_MAX as u32);
        }
    }
}
