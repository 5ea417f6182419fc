//! What there was in each hour of the last five weeks, and what is usual by it: medians of the same
//! hour of the week, and how far from them it was in all hours but the very worst.
//!
//! An hour in which nobody looked is unknown, not empty. Numbers are kept to a thousandth.

use super::StateError;
use super::bytes::{Reader, Writer};

/// Five weeks.
pub(super) const HOURS: usize = 5 * WEEK;
const WEEK: usize = 168;
const DAY: usize = 24;
/// So many weeks must be known for what is usual at an hour of the week.
const WEEKS_MIN: usize = 3;
/// So many hours must be known for what is usual at any hour.
const HOURS_MIN: usize = WEEK;
/// So many hours in which there was something, for how much usually fails.
const BUSY_HOURS_MIN: usize = 48;
/// How long is looked back for silence.
pub(super) const SPANS: [usize; 4] = [1, 3, 8, 24];
/// In so many of a thousand hours things are worse than what is still usual.
const WORST_PERMILLE: usize = 4;
const UNKNOWN: u16 = u16::MAX;

/// The hours before the one that is now.
pub(super) struct Hours {
    total: Box<[u16]>,
    failed: Box<[u16]>,
    /// Hours since 1970; this one is not known yet.
    now: i64,
}

/// How far from usual it was, in all hours but the very worst.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spread {
    /// So many times what is usual at most; `None`: too little is known.
    pub(super) high: Option<f64>,
    /// So much of what is usual at least, over each of [`SPANS`].
    pub(super) low: Option<[f64; SPANS.len()]>,
    /// What part failed: usually, and at most.
    pub(super) failed: Option<(f64, f64)>,
}

/// So far may a number be from what is expected by chance alone.
pub(super) fn chance(expected: f64) -> f64 {
    3.0 * (expected + 1.0).sqrt() + 3.0
}

impl Hours {
    pub(super) fn new(now: i64) -> Self {
        Self {
            total: vec![UNKNOWN; HOURS].into(),
            failed: vec![UNKNOWN; HOURS].into(),
            now,
        }
    }

    /// The hour that is now.
    pub(super) fn now(&self) -> i64 {
        self.now
    }

    /// It ends like this, or unknown.
    pub(super) fn end(&mut self, hour: Option<(u64, u64)>) {
        let place = self.now.rem_euclid(HOURS as i64) as usize;
        (self.total[place], self.failed[place]) = match hour {
            Some((total, failed)) => (packed(total), packed(failed)),
            None => (UNKNOWN, UNKNOWN),
        };
        self.now += 1;
    }

    /// It is another hour. Those between are unknown, and those that are yet to come, too.
    pub(super) fn jump(&mut self, now: i64) {
        let apart = now
            .saturating_sub(self.now)
            .clamp(-(HOURS as i64), HOURS as i64);
        for _ in 0..apart {
            self.end(None);
        }
        for before in apart..0 {
            let place = (self.now + before).rem_euclid(HOURS as i64) as usize;
            (self.total[place], self.failed[place]) = (UNKNOWN, UNKNOWN);
        }
        self.now = now;
    }

    fn place(&self, hour: i64) -> Option<usize> {
        let is_kept = hour < self.now && hour >= self.now - HOURS as i64;
        is_kept.then_some(hour.rem_euclid(HOURS as i64) as usize)
    }

    /// How much there was in an hour.
    pub(super) fn total(&self, hour: i64) -> Option<f64> {
        let total = self.total[self.place(hour)?];
        (total != UNKNOWN).then(|| unpacked(total) as f64)
    }

    /// How much there was in all in the hours before now, and how much failed. Unknown ones count
    /// for nothing.
    pub(super) fn last(&self, hours: usize) -> (u64, u64) {
        let known = (1..=hours as i64).filter_map(|ago| {
            let place = self.place(self.now - ago)?;
            let known = self.total[place] != UNKNOWN;
            known.then(|| (unpacked(self.total[place]), unpacked(self.failed[place])))
        });
        known.fold((0, 0), plus)
    }

    /// What is usual at this hour, by the same one of other weeks.
    pub(super) fn usual(&self, hour: i64) -> Option<f64> {
        let weeks = (HOURS / WEEK) as i64;
        let others = (-weeks..=weeks).filter(|week| *week != 0);
        let known = others.filter_map(|week| self.total(hour + week * WEEK as i64));
        let mut known: Vec<f64> = known.collect();
        (known.len() >= WEEKS_MIN).then(|| median(&mut known))
    }

    /// The most that is usual about this hour: what comes by a plan may come an hour earlier or
    /// later, and does twice a year.
    pub(super) fn usual_about(&self, hour: i64) -> Option<f64> {
        let hours = (hour - 1..=hour + 1).map(|hour| self.usual(hour));
        hours
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .reduce(f64::max)
    }

    /// The most that ever was in an hour, where too little is known of hours of the week.
    pub(super) fn most(&self) -> Option<f64> {
        let hours = self.now - HOURS as i64..self.now;
        let known: Vec<f64> = hours.filter_map(|hour| self.total(hour)).collect();
        let is_enough = known.len() >= HOURS_MIN;
        known.into_iter().reduce(f64::max).filter(|_| is_enough)
    }

    /// How today is beside what is usual: the median of the last day's hours.
    pub(super) fn level(&self) -> f64 {
        let last = self.now - DAY as i64..self.now;
        let ratio = |hour| Some((self.total(hour)?, self.usual(hour)?));
        let ratios = last.filter_map(ratio).filter(|(_, usual)| *usual >= 1.0);
        let mut ratios: Vec<f64> = ratios.map(|(total, usual)| total / usual).collect();
        match ratios.len() {
            0..6 => 1.0,
            _ => median(&mut ratios),
        }
    }

    /// How far from usual all of it was.
    pub(super) fn spread(&self) -> Spread {
        let known = self.total.iter().filter(|total| **total != UNKNOWN);
        if known.count() < BUSY_HOURS_MIN {
            return Spread::default();
        }
        let hours = self.now - HOURS as i64..self.now;
        let known: Vec<(Option<f64>, Option<f64>)> = hours
            .map(|hour| (self.total(hour), self.usual(hour)))
            .collect();
        Spread {
            high: spread_above(&known),
            low: spread_below(&known),
            failed: self.failing(),
        }
    }

    fn failing(&self) -> Option<(f64, f64)> {
        let known = self.total.iter().zip(&self.failed);
        let busy = known.filter(|(total, _)| ![0, UNKNOWN].contains(*total));
        let (mut usual, mut most): (Vec<f64>, Vec<f64>) = busy
            .map(|(total, failed)| (unpacked(*total) as f64, unpacked(*failed) as f64))
            .map(|(total, failed)| {
                let by_chance = 3.0 * failed.sqrt();
                (failed / total, ((failed - by_chance) / total).max(0.0))
            })
            .unzip();
        if usual.len() < BUSY_HOURS_MIN {
            return None;
        }
        Some((median(&mut usual), worst(&mut most)))
    }

    pub(super) fn save(&self, to: &mut Writer) {
        to.seconds(self.now);
        for values in [&self.total, &self.failed] {
            for run in values.chunk_by(|one, next| *one == UNKNOWN && *next == UNKNOWN) {
                if run[0] == UNKNOWN {
                    to.number(0);
                    to.number(run.len() as u64);
                } else {
                    to.number(u64::from(run[0]) + 1);
                }
            }
        }
    }

    pub(super) fn restore(from: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut hours = Self::new(from.seconds()?);
        if hours.now.unsigned_abs() > 1 << 40 {
            return Err(StateError::Broken);
        }
        for values in [&mut hours.total, &mut hours.failed] {
            let mut place = 0;
            while place < HOURS {
                match from.number()? {
                    0 => place += from.count(HOURS - place)?.max(1),
                    code => {
                        let code = u16::try_from(code - 1).map_err(|_| StateError::Broken)?;
                        values[place] = code;
                        place += 1;
                    }
                }
            }
        }
        Ok(hours)
    }
}

/// So many times what was usual there was at most.
fn spread_above(known: &[(Option<f64>, Option<f64>)]) -> Option<f64> {
    let about = |around: &[(Option<f64>, Option<f64>)]| {
        let usual = around.iter().map(|(_, usual)| *usual);
        let usual = usual
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .reduce(f64::max)?;
        let above = (around[1].0? - chance(usual)) / (usual + 1.0);
        Some(above.max(1.0))
    };
    let mut ratios: Vec<f64> = known.windows(3).filter_map(about).collect();
    (ratios.len() >= HOURS_MIN).then(|| worst(&mut ratios))
}

/// So much of what was usual there was at least, over each span.
fn spread_below(known: &[(Option<f64>, Option<f64>)]) -> Option<[f64; SPANS.len()]> {
    let mut low = [1.0; SPANS.len()];
    for (low, span) in low.iter_mut().zip(SPANS) {
        let below = |hours: &[(Option<f64>, Option<f64>)]| {
            let pairs = hours
                .iter()
                .map(|(total, usual)| Some(((*total)?, (*usual)?)));
            let pairs: Vec<_> = pairs.collect::<Option<_>>()?;
            let total: f64 = pairs.iter().map(|(total, _)| total).sum();
            let usual = pairs.iter().map(|(_, usual)| usual);
            let usual: f64 = usual.sum();
            // Turned over, so that the worst is the most.
            Some(-((total + chance(usual)) / (usual + 1.0)).min(1.0))
        };
        let mut ratios: Vec<f64> = known.windows(span).filter_map(below).collect();
        if ratios.len() < HOURS_MIN {
            return None;
        }
        *low = -worst(&mut ratios);
    }
    Some(low)
}

/// What only the very worst go beyond.
fn worst(values: &mut [f64]) -> f64 {
    let beyond = values.len() * WORST_PERMILLE / 1_000;
    let place = values.len() - 1 - beyond;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

/// The one in the middle, or between the two.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A number in 16 bits, to a thousandth.
fn packed(number: u64) -> u16 {
    let shift = (64 - number.leading_zeros()).saturating_sub(11);
    match shift {
        0 => number as u16,
        _ => (shift * 1_024 + (number >> shift) as u32) as u16,
    }
}

fn unpacked(code: u16) -> u64 {
    let shift = (u32::from(code) / 1_024).saturating_sub(1);
    let rest = u64::from(code) - u64::from(shift) * 1_024;
    rest << shift
}

/// Total and failed, added up.
pub(super) fn plus(one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (one.0.saturating_add(other.0), one.1.saturating_add(other.1))
}
