//! One address (of IPv6, one /64) tries many times, wherever.

use super::{Rule, tried::tried};
use crate::detect::burst::Limit;
use crate::detect::counting::{Counting, Occurrence};
use crate::detect::{Config, Observation};
use model::address::network;

pub(super) fn rule() -> Box<dyn Rule> {
    let counting = Counting {
        name: "brute-force-by-address",
        counted_for_max: 4_096,
        limit,
        occurrence,
    };
    counting.how_much()
}

fn limit(config: &Config) -> Limit {
    let config = &config.brute_force_by_address;
    Limit {
        enabled: config.enabled,
        least: config.failures,
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: false,
        what: "failure",
    }
}

fn occurrence(observation: &Observation) -> Option<Occurrence> {
    let (event, address) = tried(observation)?;
    Some(Occurrence {
        counted_for: network(address).to_string(),
        what: 1,
        subject: event.subject.clone(),
        application: event.application,
        address: Some(address),
        text: format!("{address} tries what doesn't fit"),
    })
}
