//! What was found of what was there, and what was found besides.

use super::{About, BEGINS_AT, DAY, HOUR, INCIDENTS, Incident, Place, QUIET_DAYS};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A finding is still of an incident when it comes so long after it.
const AFTERWARDS: i64 = HOUR;

/// Something that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// By which rule.
    pub rule: String,
    /// When.
    pub at: i64,
    /// Where, as far as it says.
    pub places: Vec<Place>,
    /// Of which address.
    pub address: Option<IpAddr>,
    /// What or whom it names: a caller, and what it says.
    pub text: String,
}

/// How some seeds went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    /// Each by itself.
    pub seeds: Vec<Outcome>,
    /// By rule, over all seeds.
    pub rules: BTreeMap<String, Totals>,
    /// Over all seeds and rules.
    pub all: Totals,
    /// Days of each seed over which false alarms are counted.
    pub days: i64,
}

/// How a seed went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Which.
    pub seed: u64,
    /// In all.
    pub all: Totals,
    /// By rule.
    pub rules: BTreeMap<String, Totals>,
    #[serde(skip)]
    tallies: BTreeMap<String, Tally>,
}

/// In all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Incidents.
    pub labelled: usize,
    /// Those that were found by the rule that they are for.
    pub found: usize,
    /// Findings that are about an incident, by another rule or once more.
    pub also: usize,
    /// Findings that are about none, in four quiet weeks.
    pub false_quiet: usize,
    /// The same on the day with incidents.
    pub false_last_day: usize,
    /// False alarms for each day of all.
    pub false_per_day: f64,
    /// How long it took to find them: the median, and the longest.
    pub seconds_median: Option<i64>,
    /// See `seconds_median`.
    pub seconds_max: Option<i64>,
}

impl Detected {
    /// Adds up.
    pub fn of(seeds: Vec<Outcome>) -> Self {
        let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
        for (rule, tally) in seeds.iter().flat_map(|outcome| &outcome.tallies) {
            rules.entry(rule.clone()).or_default().add(tally);
        }
        let many = seeds.len();
        Self {
            all: sum(&rules).totals(many),
            rules: totals(&rules, many),
            days: QUIET_DAYS + 1,
            seeds,
        }
    }

    /// Whether each seed is as good as is demanded.
    pub fn is_enough(&self) -> bool {
        self.seeds.iter().all(Outcome::is_enough)
    }
}

impl Outcome {
    /// Compares.
    pub fn of(seed: u64, incidents: &[Incident], fired: &[Fired]) -> Self {
        let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
        for incident in incidents {
            rules.entry(incident.rule.to_owned()).or_default().labelled += 1;
        }
        let mut found = vec![false; incidents.len()];
        for one in fired {
            let tally = rules.entry(one.rule.clone()).or_default();
            let of = incidents.iter().enumerate();
            let of: Vec<_> = of.filter(|(_, incident)| is_about(one, incident)).collect();
            let named = of
                .iter()
                .find(|(place, incident)| incident.rule == one.rule && !found[*place]);
            if let Some((place, incident)) = named {
                found[*place] = true;
                tally.after.push(one.at - incident.from);
            } else if !of.is_empty() {
                tally.also += 1;
            } else if one.at < BEGINS_AT + QUIET_DAYS * DAY {
                tally.false_quiet += 1;
            } else {
                tally.false_last_day += 1;
            }
        }
        Self {
            seed,
            all: sum(&rules).totals(1),
            rules: totals(&rules, 1),
            tallies: rules,
        }
    }

    /// Whether it is as good as is demanded.
    pub fn is_enough(&self) -> bool {
        self.all.found + 1 >= INCIDENTS && self.all.false_per_day <= 1.0
    }
}

fn sum(rules: &BTreeMap<String, Tally>) -> Tally {
    let mut all = Tally::default();
    rules.values().for_each(|tally| all.add(tally));
    all
}

fn totals(rules: &BTreeMap<String, Tally>, seeds: usize) -> BTreeMap<String, Totals> {
    let each = rules.iter();
    each.map(|(rule, tally)| (rule.clone(), tally.totals(seeds)))
        .collect()
}

fn is_about(one: &Fired, incident: &Incident) -> bool {
    let is_then = (incident.from..=incident.until + AFTERWARDS).contains(&one.at);
    is_then
        && incident.about.iter().any(|about| match about {
            About::Place(place) => one.places.contains(place),
            About::Address(address) => one.address == Some(*address),
            About::Caller(name) | About::Host(name) => one
                .text
                .split_whitespace()
                .any(|word| word.trim_end_matches(';') == name),
        })
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Tally {
    labelled: usize,
    also: usize,
    false_quiet: usize,
    false_last_day: usize,
    after: Vec<i64>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.labelled += other.labelled;
        self.also += other.also;
        self.false_quiet += other.false_quiet;
        self.false_last_day += other.false_last_day;
        self.after.extend(&other.after);
    }

    fn totals(&self, seeds: usize) -> Totals {
        let mut after = self.after.clone();
        after.sort_unstable();
        let days = (QUIET_DAYS + 1) as usize * seeds;
        Totals {
            labelled: self.labelled,
            found: after.len(),
            also: self.also,
            false_quiet: self.false_quiet,
            false_last_day: self.false_last_day,
            false_per_day: (self.false_quiet + self.false_last_day) as f64 / days as f64,
            seconds_median: after.get(after.len() / 2).copied(),
            seconds_max: after.last().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_OF_INCIDENTS: i64 = BEGINS_AT + QUIET_DAYS * DAY;

    fn incident(rule: &'static str, about: About) -> Incident {
        Incident {
            rule,
            about: vec![about],
            from: DAY_OF_INCIDENTS + 100,
            until: DAY_OF_INCIDENTS + 200,
        }
    }

    fn fired(rule: &str, at: i64, source: u32) -> Fired {
        Fired {
            rule: rule.to_owned(),
            at,
            places: vec![Place::Source(source)],
            address: None,
            text: "key_1 reads very much; usual: none".to_owned(),
        }
    }

    #[test]
    fn what_was_found_is_told_from_what_is_said_besides_and_from_false_alarms() {
        let incidents = [
            incident("silence", About::Place(Place::Source(1))),
            incident("mass-export", About::Caller("key_1".to_owned())),
            incident("mass-replay", About::Caller("key".to_owned())),
        ];
        let found = [
            fired("silence", BEGINS_AT, 1),
            fired("silence", DAY_OF_INCIDENTS + 150, 1),
            fired("silence", DAY_OF_INCIDENTS + 160, 1),
            fired("mass-export", DAY_OF_INCIDENTS + 120, 9),
            fired("replay-burst", DAY_OF_INCIDENTS + 200 + HOUR + 1, 1),
        ];
        let outcome = Outcome::of(6, &incidents, &found);
        let all = outcome.all;
        assert_eq!((all.labelled, all.found, all.also), (3, 2, 1));
        assert_eq!((all.false_quiet, all.false_last_day), (1, 1));
        assert_eq!((all.seconds_median, all.seconds_max), (Some(50), Some(50)));
        assert_eq!(outcome.rules["mass-replay"].found, 0);
        let both = Detected::of(vec![outcome.clone(), outcome]);
        assert_eq!((both.all.labelled, both.all.found), (6, 4));
        assert_eq!(both.all.false_per_day, 2.0 / 29.0);
        assert!(!both.is_enough());
    }
}
