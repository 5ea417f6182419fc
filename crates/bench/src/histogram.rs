//! Latencies, counted rather than kept: the memory does not grow with what is measured.
//!
//! Values are exact below 128 µs; above, they are told within 1/128 of themselves, rounded up. The
//! largest is always exact.

use serde::{Deserialize, Serialize};

/// Values of one power of two are told apart into so many.
const STEPS: u64 = 1 << STEP_BITS;
const STEP_BITS: u32 = 7;
/// Larger values (twelve days) count as this one.
const VALUE_MAX: u64 = (1 << 40) - 1;
const BUCKETS: usize = ((40 - STEP_BITS as usize) + 1) << STEP_BITS;

/// How often each latency came, in microseconds.
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

/// What is told of latencies, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of them were not longer.
    pub p50: f64,
    /// 99 of 100 were not longer.
    pub p99: f64,
    /// 999 of 1,000 were not longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one.
    pub(crate) fn record(&mut self, micros: u64) {
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// What is told of them; `None` if there are none.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let millis = |per_mille| self.quantile(per_mille) as f64 / 1e3;
        (self.count > 0).then(|| Latency {
            p50: millis(500),
            p99: millis(990),
            p999: millis(999),
            max: self.max as f64 / 1e3,
        })
    }

    /// The value that so many thousandths do not exceed.
    fn quantile(&self, per_mille: u64) -> u64 {
        let rank = (self.count * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return last_of(bucket).min(self.max);
            }
        }
        self.max
    }
}

fn bucket(value: u64) -> usize {
    let value = value.min(VALUE_MAX);
    if value < STEPS {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    (u64::from(shift) * STEPS + (value >> shift)) as usize
}

/// The largest value that a bucket counts.
fn last_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    ((bucket - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn buckets_follow_one_another_without_gap_or_overlap() {
        let mut next = 0;
        for index in 0..BUCKETS {
            assert_eq!(bucket(next), index);
            assert_eq!(bucket(last_of(index)), index);
            next = last_of(index) + 1;
        }
        assert_eq!(next, VALUE_MAX + 1);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_exact_where_buckets_are_and_within_their_width_elsewhere() {
        let small = of(1..=100);
        for (per_mille, value) in [(0, 1), (10, 1), (500, 50), (990, 99), (999, 100)] {
            assert_eq!(small.quantile(per_mille), value, "{per_mille}");
        }
        let large = of((1..=100_000).map(|value| value * 10));
        for (per_mille, value) in [(500, 500_000), (990, 990_000), (999, 999_000)] {
            let told = large.quantile(per_mille);
            assert!((value..=value + value / 128).contains(&told), "{told}");
        }
    }

    #[test]
    fn the_longest_is_told_as_it_was_and_nothing_is_told_longer() {
        let latency = of([7, 1_000_003]).latency().unwrap();
        let expected = Latency {
            p50: 0.007,
            p99: 1_000.003,
            p999: 1_000.003,
            max: 1_000.003,
        };
        assert_eq!(latency, expected);
        assert_eq!(of([]).latency(), None);
    }
}
