//! Much of what comes to a source came before, or was signed long ago.

use super::Rule;
use crate::detect::burst::Limit;
use crate::detect::counting::{Counting, Occurrence};
use crate::detect::{Config, Observation};
use model::security::SecurityKind;

pub(super) fn rule() -> Box<dyn Rule> {
    let counting = Counting {
        name: "replay-burst",
        counted_for_max: 2_048,
        limit,
        occurrence,
    };
    counting.how_much()
}

fn limit(config: &Config) -> Limit {
    let config = &config.replay_burst;
    Limit {
        enabled: config.enabled,
        least: config.replays,
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: false,
        what: "replay",
    }
}

fn occurrence(observation: &Observation) -> Option<Occurrence> {
    let Observation::Event(event) = observation else {
        return None;
    };
    let replays = [
        SecurityKind::IngestReplayed,
        SecurityKind::IngestTimestampStale,
    ];
    let is_replay = replays.contains(&event.kind);
    is_replay.then(|| Occurrence {
        counted_for: event.subject.id.clone(),
        what: 1,
        subject: event.subject.clone(),
        application: event.application,
        address: event.remote_address,
        text: "what came before, or is old, comes again".to_owned(),
    })
}
