//! Many applications get endpoints at one host: whoever has taken over many tenants sends what is
//! theirs to one place. Hosts that many have anyway are learnt.

use super::Rule;
use crate::detect::burst::Limit;
use crate::detect::counting::{Counting, Occurrence};
use crate::detect::window::DIFFERENT_MAX;
use crate::detect::{Config, Observation};

pub(super) fn rule() -> Box<dyn Rule> {
    let counting = Counting {
        name: "shared-host",
        counted_for_max: 2_048,
        limit,
        occurrence,
    };
    counting.how_many()
}

fn limit(config: &Config) -> Limit {
    let config = &config.shared_host;
    Limit {
        enabled: config.enabled,
        least: config.applications.min(DIFFERENT_MAX as u64),
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: true,
        what: "application",
    }
}

fn occurrence(observation: &Observation) -> Option<Occurrence> {
    let Observation::Destination {
        endpoint,
        application,
        host,
        ..
    } = observation
    else {
        return None;
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    Some(Occurrence {
        what: application.integer().unsigned_abs(),
        subject: endpoint.clone(),
        application: Some(*application),
        address: None,
        text: format!("many applications got endpoints at {}", host.escape_debug()),
        counted_for: host,
    })
}
