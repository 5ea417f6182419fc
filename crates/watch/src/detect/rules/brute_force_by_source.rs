//! Many addresses try at one place: a source, or the API.

use super::{Rule, tried::tried};
use crate::detect::burst::Limit;
use crate::detect::bytes::fingerprint;
use crate::detect::counting::{Counting, Occurrence};
use crate::detect::window::DIFFERENT_MAX;
use crate::detect::{Config, Observation};
use model::address::network;

pub(super) fn rule() -> Box<dyn Rule> {
    let counting = Counting {
        name: "brute-force-by-source",
        counted_for_max: 512,
        limit,
        occurrence,
    };
    counting.how_many()
}

fn limit(config: &Config) -> Limit {
    let config = &config.brute_force_by_source;
    Limit {
        enabled: config.enabled,
        least: config.addresses.min(DIFFERENT_MAX as u64),
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: false,
        what: "address",
    }
}

fn occurrence(observation: &Observation) -> Option<Occurrence> {
    let (event, address) = tried(observation)?;
    let place = &event.subject;
    Some(Occurrence {
        counted_for: format!("{} {}", place.kind.as_str(), place.id),
        what: fingerprint(network(address).to_string().as_bytes()),
        subject: place.clone(),
        application: event.application,
        address: Some(address),
        text: "many addresses try what doesn't fit".to_owned(),
    })
}
