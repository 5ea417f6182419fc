//! The day with incidents: each kind at least once, each with others that have part in it, of sizes
//! that such things have. Nothing here looks at a threshold.

mod floods;
mod thefts;

use super::draw::Draw;
use super::plan::Planned;
use super::world::World;
use super::{BEGINS_AT, DAY, INCIDENTS, Incident, MINUTE, Place, QUIET_DAYS};

/// What the incidents are for.
pub(super) const RULES: &[&str] = &[
    "brute-force-by-address",
    "brute-force-by-source",
    "replay-burst",
    "volume-spike",
    "silence",
    "failure-rate",
    "new-event-type",
    "new-network",
    "url-change-then-secrets",
    "shared-host",
    "mass-export",
    "mass-replay",
];

/// How often somebody is looked for who will do.
const TRIES: usize = 10_000;

/// What is drawn from and added to.
struct Making<'a> {
    world: &'a World,
    draw: &'a mut Draw,
    planned: &'a mut Planned,
    /// Who has part in what.
    used: Vec<(Place, &'static str)>,
    number: usize,
}

pub(super) fn plan(world: &World, draw: &mut Draw, planned: &mut Planned) -> Vec<Incident> {
    let mut making = Making {
        world,
        draw,
        planned,
        used: Vec::new(),
        number: 0,
    };
    let mut rules = RULES.to_vec();
    while rules.len() < INCIDENTS {
        rules.push(*making.draw.pick(RULES));
    }
    rules.into_iter().map(|rule| making.one(rule)).collect()
}

impl Making<'_> {
    fn one(&mut self, rule: &'static str) -> Incident {
        self.number += 1;
        let made = match rule {
            "brute-force-by-address" => self.brute_force(rule),
            "brute-force-by-source" => self.botnet(rule),
            "replay-burst" => self.replays(rule),
            "volume-spike" => self.spike(rule),
            "silence" => self.silence(rule),
            "failure-rate" => self.failing(rule),
            "new-event-type" => self.new_type(rule),
            "new-network" => self.new_network(rule),
            "url-change-then-secrets" => self.takeover(rule),
            "shared-host" => Some(self.one_host()),
            "mass-replay" => Some(self.send_again()),
            _ => None,
        };
        // Where nobody is left who could have part in it, somebody takes out very much.
        let rule = made.as_ref().map_or("mass-export", |_| rule);
        let (about, (from, until)) = made.unwrap_or_else(|| self.export());
        Incident {
            rule,
            about,
            from,
            until,
        }
    }

    /// A time on that day, of so many minutes.
    fn time(&mut self, (least, most): (i64, i64)) -> (i64, i64) {
        let length = self.draw.whole(least, most) * MINUTE;
        let begin = BEGINS_AT + QUIET_DAYS * DAY;
        let from = begin + self.draw.whole(10 * MINUTE, DAY - length - 30 * MINUTE);
        (from, from + length)
    }

    /// A place of those that will do, and when: one that has no part in another incident, or, where
    /// there is none, in none of this kind.
    fn place(
        &mut self,
        rule: &'static str,
        minutes: (i64, i64),
        will_do: impl Fn(&World, Place, (i64, i64)) -> bool,
    ) -> Option<(Place, (i64, i64))> {
        let applications = self.world.applications.iter().filter(|one| one.is_old());
        let applications = applications.map(|one| one.place());
        let sources = self.world.sources.iter().map(|one| one.place());
        let all: Vec<_> = applications.chain(sources).collect();
        for number in 0..TRIES {
            let (place, time) = (*self.draw.pick(&all), self.time(minutes));
            let is_strict = number < TRIES / 2;
            let is_used = |(one, by): &(Place, &str)| *one == place && (is_strict || *by == rule);
            if !self.used.iter().any(is_used)
                && self.planned.is_free(place, time)
                && will_do(self.world, place, time)
            {
                self.used.push((place, rule));
                return Some((place, time));
            }
        }
        None
    }
}

/// How much is expected at a place in its least busy minute of some.
fn least_per_minute(world: &World, place: Place, (from, until): (i64, i64)) -> f64 {
    let rhythm = match place {
        Place::Api => return 0.0,
        Place::Source(number) => &world.sources[number as usize - 1].rhythm,
        Place::Application(number) => &world.applications[number as usize - 1].rhythm,
    };
    let minutes = (from..until).step_by(MINUTE as usize);
    minutes
        .map(|at| rhythm.per_minute(at))
        .fold(f64::MAX, f64::min)
}
