//! Incidents that are too much, or too little, of something.

use super::{Making, least_per_minute};
use crate::vigil::ordinary::stranger;
use crate::vigil::plan::Change;
use crate::vigil::world::World;
use crate::vigil::{About, MINUTE, Place, What, Why};

type Made = (Vec<About>, (i64, i64));

fn is_source(_: &World, place: Place, _: (i64, i64)) -> bool {
    matches!(place, Place::Source(_))
}

impl Making<'_> {
    /// One address tries tokens at the API, or signatures at a source.
    pub(super) fn brute_force(&mut self, rule: &'static str) -> Option<Made> {
        let (from, per_minute) = (stranger(self.draw), self.draw.sized(4.0, 300.0));
        let (place, time, why) = match self.draw.is(0.5) {
            true => (Place::Api, self.time((15, 120)), Why::Token),
            false => {
                let (place, time) = self.place(rule, (15, 120), is_source)?;
                (place, time, Why::Signature)
            }
        };
        for minute in (time.0..time.1).step_by(MINUTE as usize) {
            for _ in 0..self.draw.poisson(per_minute) {
                let at = minute + self.draw.whole(0, 59);
                let what = What::Refused { why, place, from };
                self.planned.happens(at, what);
            }
        }
        Some((vec![About::Address(from), About::Place(place)], time))
    }

    /// Many addresses try, each a few times.
    pub(super) fn botnet(&mut self, rule: &'static str) -> Option<Made> {
        let (place, time, why) = match self.draw.is(0.5) {
            true => (Place::Api, self.time((20, 90)), Why::Token),
            false => {
                let (place, time) = self.place(rule, (20, 90), is_source)?;
                (place, time, Why::Signature)
            }
        };
        for _ in 0..self.draw.sized(15.0, 400.0) as u32 {
            let from = stranger(self.draw);
            for _ in 0..self.draw.whole(1, 6) {
                let at = self.draw.whole(time.0, time.1 - 1);
                let what = What::Refused { why, place, from };
                self.planned.happens(at, what);
            }
        }
        Some((vec![About::Place(place)], time))
    }

    /// What was recorded is sent again.
    pub(super) fn replays(&mut self, rule: &'static str) -> Option<Made> {
        let (place, time) = self.place(rule, (5, 60), is_source)?;
        let from = stranger(self.draw);
        for _ in 0..self.draw.sized(30.0, 2_000.0) as u32 {
            let why = *self.draw.pick(&[Why::Replayed, Why::Replayed, Why::Stale]);
            let at = self.draw.whole(time.0, time.1 - 1);
            self.planned.happens(at, What::Refused { why, place, from });
        }
        Some((vec![About::Place(place), About::Address(from)], time))
    }

    /// A program sends in a loop.
    pub(super) fn spike(&mut self, rule: &'static str) -> Option<Made> {
        let (place, time) = self.place(rule, (20, 120), |_, _, _| true)?;
        let rhythm = match place {
            Place::Source(number) => &self.world.sources[number as usize - 1].rhythm,
            Place::Application(number) => &self.world.applications[number as usize - 1].rhythm,
            Place::Api => unreachable!("the API is no place of traffic"),
        };
        let more = (rhythm.per_hour / 60.0 * self.draw.sized(3.0, 20.0)).max(5.0);
        self.planned.changes(place, time, Change::More(more));
        Some((vec![About::Place(place)], time))
    }

    /// Nothing comes any more, or hardly anything, where something would.
    pub(super) fn silence(&mut self, rule: &'static str) -> Option<Made> {
        let is_busy = |world: &World, place, time| least_per_minute(world, place, time) >= 1.0;
        let (place, time) = self.place(rule, (120, 300), is_busy)?;
        let left = *self.draw.pick(&[0.0, 0.0, 0.01]);
        self.planned.changes(place, time, Change::Times(left));
        Some((vec![About::Place(place)], time))
    }

    /// Most of it fails.
    pub(super) fn failing(&mut self, rule: &'static str) -> Option<Made> {
        let is_busy = |world: &World, place, time| {
            matches!(place, Place::Application(_)) && least_per_minute(world, place, time) >= 0.7
        };
        let (place, time) = self.place(rule, (45, 180), is_busy)?;
        let part = self.draw.between(0.3, 1.0);
        self.planned.changes(place, time, Change::Fails(part));
        Some((vec![About::Place(place)], time))
    }
}
