//! Made-up traffic with made-up incidents, from a seed: what a detection is measured by. Four quiet
//! weeks of an installation (applications, sources, their seasons and noise, and what goes wrong on
//! any day without meaning anything), then a day with incidents that are labelled.
//!
//! It knows no rule but by its name and what it is for, and none of its thresholds. What it says is
//! in records of its own, which whoever measures makes observations of; [`Outcome`] compares what
//! was found with what was there.

mod draw;
mod incidents;
mod ordinary;
mod outcome;
mod plan;
mod rhythm;
mod world;

pub use outcome::{Detected, Fired, Outcome, Totals};

use draw::Draw;
use plan::Planned;
use std::net::IpAddr;
use world::World;

/// Monday, 5 January 2026.
pub const BEGINS_AT: i64 = 1_767_571_200;
/// So many days are quiet; one more has incidents.
pub const QUIET_DAYS: i64 = 28;
/// So many incidents there are.
pub const INCIDENTS: usize = 20;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Seconds since 1970.
    pub at: i64,
    /// What.
    pub what: What,
}

/// Where or to whom something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The API.
    Api,
    /// A source, by its number.
    Source(u32),
    /// An application, by its number.
    Application(u32),
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Something was refused.
    Refused {
        /// Why.
        why: Why,
        /// Where.
        place: Place,
        /// Where it came from.
        from: IpAddr,
    },
    /// So much there was in the minute that ends then.
    Minute {
        /// Of a source or an application.
        of: Place,
        /// In all.
        total: u64,
        /// How much of it failed.
        failed: u64,
    },
    /// Something genuine came to a source.
    CameIn {
        /// Its number.
        source: u32,
        /// The event type.
        event_type: String,
        /// From where.
        from: IpAddr,
    },
    /// An endpoint was made, or its URL changed.
    Destination {
        /// Its name.
        endpoint: String,
        /// Whose.
        application: u32,
        /// Where it is.
        host: String,
        /// Whether it was there before.
        changed: bool,
    },
    /// A secret was shown.
    SecretRead {
        /// The endpoint's.
        endpoint: String,
        /// Whose.
        application: u32,
        /// To whom.
        by: String,
    },
    /// Much was read, or sent again.
    Bulk {
        /// By whom.
        by: String,
        /// Whether it was sent again.
        replay: bool,
        /// How much.
        count: u64,
    },
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A bad token, or none.
    Token,
    /// A revoked token.
    Revoked,
    /// A bad signature.
    Signature,
    /// Bad credentials.
    Credentials,
    /// It came before.
    Replayed,
    /// It is too old.
    Stale,
}

/// An incident as it is labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The rule that should find it.
    pub rule: &'static str,
    /// What or who has part in it: any of them tells that a finding is about it.
    pub about: Vec<About>,
    /// When it begins.
    pub from: i64,
    /// When it is over.
    pub until: i64,
}

/// Who has part in an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// A source, an application or the API.
    Place(Place),
    /// An address.
    Address(IpAddr),
    /// A caller.
    Caller(String),
    /// A host.
    Host(String),
}

/// A month of an installation, day by day.
pub struct Story {
    world: World,
    planned: Planned,
    incidents: Vec<Incident>,
    draw: Draw,
    day: i64,
}

impl Story {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        let world = World::new(&mut Draw::of(seed, 1));
        let mut planned = Planned::default();
        ordinary::plan(&world, &mut Draw::of(seed, 2), &mut planned);
        let mut incidents = incidents::plan(&world, &mut Draw::of(seed, 3), &mut planned);
        incidents.sort_by_key(|incident| incident.from);
        planned.sort();
        Self {
            world,
            planned,
            incidents,
            draw: Draw::of(seed, 4),
            day: 0,
        }
    }

    /// The incidents, in order.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }
}

/// A day's records, in order.
impl Iterator for Story {
    type Item = Vec<Record>;

    fn next(&mut self) -> Option<Vec<Record>> {
        if self.day > QUIET_DAYS {
            return None;
        }
        let begin = BEGINS_AT + self.day * DAY;
        let mut records = self.planned.of_day(begin);
        self.world
            .live(begin, &self.planned, &mut self.draw, &mut records);
        records.sort_by_key(|record| record.at);
        self.day += 1;
        Some(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_one_story_and_another_seed_another() {
        let told = |seed| -> Vec<_> { Story::new(seed).take(2).collect() };
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    fn incidents_are_on_the_last_day_alone_and_of_every_rule() {
        for seed in 1..=10 {
            let story = Story::new(seed);
            assert_eq!(story.incidents().len(), INCIDENTS);
            let day = BEGINS_AT + QUIET_DAYS * DAY;
            for incident in story.incidents() {
                assert!(
                    incident.from >= day && incident.until <= day + DAY,
                    "{incident:?}"
                );
                assert!(incident.from < incident.until, "{incident:?}");
            }
            for rule in incidents::RULES {
                let is_of = |incident: &Incident| incident.rule == *rule;
                assert!(story.incidents().iter().any(is_of), "{rule}");
            }
        }
    }
}
