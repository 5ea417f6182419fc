//! What is counted while work is done: a few relaxed additions to memory that is there already, no
//! lock, no allocation. Who looks reads what was counted, and makes a text of it elsewhere.
//!
//! All durations are counted in the same [`BOUNDS`], so that what is measured in one room can be
//! laid beside what is measured in another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the classes that durations are counted in; behind the last comes whatever
/// is longer. From a commit on a fast disk to a retry after hours.
pub const BOUNDS: [Duration; 18] = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(300),
    Duration::from_secs(3_600),
];

/// How many classes there are.
pub const CLASSES: usize = BOUNDS.len() + 1;

/// Counts up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts durations by their class, and adds them up.
#[derive(Debug, Default)]
pub struct Stopwatch {
    classes: [Counter; CLASSES],
    /// In microseconds: enough for half a million years.
    sum: Counter,
}

impl Stopwatch {
    /// Something took so long.
    pub fn took(&self, duration: Duration) {
        let class = BOUNDS.iter().position(|bound| duration <= *bound);
        self.classes[class.unwrap_or(BOUNDS.len())].count();
        self.sum
            .add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted so far. What is counted meanwhile may be in one of the figures, and not in
    /// another yet.
    pub fn read(&self) -> Durations {
        Durations {
            classes: self.classes.each_ref().map(Counter::get),
            sum: Duration::from_micros(self.sum.get()),
        }
    }
}

/// Durations that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations {
    /// How many were in each class: up to each of the [`BOUNDS`] and above the one before, and
    /// longer ones.
    pub classes: [u64; CLASSES],
    /// All together.
    pub sum: Duration,
}

impl Durations {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }
}

/// How many requests came to a source of late, and how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CameLately {
    /// They were accepted, or had been before.
    pub accepted: u64,
    /// They were refused.
    pub refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_the_first_class_that_it_fits_in() {
        let stopwatch = Stopwatch::default();
        for (duration, class) in [
            (Duration::ZERO, 0),
            (BOUNDS[0], 0),
            (BOUNDS[0] + Duration::from_nanos(1), 1),
            (Duration::from_millis(30), 7),
            (BOUNDS[17], 17),
            (BOUNDS[17] + Duration::from_nanos(1), 18),
        ] {
            let before = stopwatch.read();
            stopwatch.took(duration);
            let after = stopwatch.read();
            let mut expected = before.classes;
            expected[class] += 1;
            assert_eq!(after.classes, expected, "{duration:?}");
        }
        assert_eq!(stopwatch.read().count(), 6);
    }

    #[test]
    fn bounds_ascend_and_durations_add_up() {
        assert!(BOUNDS.is_sorted());
        let stopwatch = Stopwatch::default();
        for _ in 0..3 {
            stopwatch.took(Duration::from_millis(500));
        }
        assert_eq!(stopwatch.read().sum, Duration::from_millis(1_500));
    }
}
