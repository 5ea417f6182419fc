//! How much comes when: by hour and day of the week, with growth and noise.

use super::draw::Draw;
use super::{BEGINS_AT, DAY, HOUR, MINUTE};
use std::f64::consts::TAU;

/// One that is busy in its own way.
#[derive(Debug, Clone)]
pub(super) struct Rhythm {
    /// At the busiest hour, about.
    pub(super) per_hour: f64,
    shape: Shape,
    /// Hours that its people are ahead of UTC.
    zone: i64,
    /// From one week to the next.
    growth: f64,
    noise: f64,
    /// So many come at once.
    lumps: u64,
    /// Every day at this hour so many in a third of an hour.
    batch: Option<(i64, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// Working hours of working days.
    Office,
    /// At noon and in the evening, and more at weekends.
    Private,
    /// Day and night.
    Steady,
}

/// How it is in this hour, by chance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mood {
    hour: f64,
    day: f64,
}

impl Rhythm {
    pub(super) fn new(draw: &mut Draw, (least, most): (f64, f64)) -> Self {
        let per_hour = draw.sized(least, most);
        let batch = draw.is(0.2);
        Self {
            per_hour,
            shape: *draw.pick(&[Shape::Office, Shape::Office, Shape::Private, Shape::Steady]),
            zone: draw.whole(-8, 9),
            growth: draw.between(-0.03, 0.08),
            noise: draw.between(0.08, 0.30),
            lumps: *draw.pick(&[1, 1, 1, 2, 5, 12]),
            batch: batch.then(|| (draw.whole(0, 23), per_hour * draw.sized(0.5, 6.0))),
        }
    }

    pub(super) fn is_office(&self) -> bool {
        self.shape == Shape::Office
    }

    /// How much is expected in the minute that begins then.
    pub(super) fn per_minute(&self, at: i64) -> f64 {
        let local = at - BEGINS_AT + self.zone * HOUR;
        let hour = local.rem_euclid(DAY) as f64 / HOUR as f64;
        let is_weekend = local.div_euclid(DAY).rem_euclid(7) >= 5;
        let weeks = (at - BEGINS_AT) as f64 / (7 * DAY) as f64;
        let size = self.per_hour / 60.0 * (1.0 + self.growth).powf(weeks);
        let batch = self.batch.map_or(0.0, |(batch_hour, count)| {
            let into = at.rem_euclid(DAY) - batch_hour * HOUR;
            let is_now = (0..20 * MINUTE).contains(&into);
            if is_now { count / 20.0 } else { 0.0 }
        });
        size * self.shape.part(hour, is_weekend) + batch
    }

    /// How it is in the next hour.
    pub(super) fn turn(&self, mood: Mood, at: i64, draw: &mut Draw) -> Mood {
        let hour = 0.6 * mood.hour + 0.8 * self.noise * draw.normal();
        let day = match at.rem_euclid(DAY) {
            0 => 0.4 * self.noise * draw.normal(),
            _ => mood.day,
        };
        Mood { hour, day }
    }

    /// How much comes where so much is expected.
    pub(super) fn count(&self, expected: f64, mood: Mood, draw: &mut Draw) -> u64 {
        let lumps = self.lumps as f64;
        draw.poisson(expected * (mood.hour + mood.day).exp() / lumps) * self.lumps
    }
}

impl Shape {
    fn part(self, hour: f64, is_weekend: bool) -> f64 {
        let around = |middle: f64, width: f64| (-((hour - middle) / width).powi(2)).exp();
        match self {
            Self::Office if is_weekend => 0.03 + 0.10 * around(13.0, 4.0),
            Self::Office => 0.04 + around(10.5, 2.5) * 0.9 + around(15.0, 2.5) * 0.9,
            Self::Private => {
                let week = if is_weekend { 1.3 } else { 1.0 };
                week * (0.12 + 0.5 * around(12.5, 2.5) + 0.8 * around(20.0, 3.0))
            }
            Self::Steady => 0.85 + 0.15 * (TAU * hour / 24.0).sin(),
        }
    }
}
