//! One caller takes out very much, or has very much sent again.

use super::Rule;
use crate::detect::burst::Limit;
use crate::detect::counting::{Counting, Occurrence};
use crate::detect::{Bulk, Config, Observation};
use model::security::Subject;

const CALLERS_MAX: usize = 1_024;

pub(super) fn mass_export() -> Box<dyn Rule> {
    let counting = Counting {
        name: "mass-export",
        counted_for_max: CALLERS_MAX,
        limit: export_limit,
        occurrence: |observation| occurrence(observation, Bulk::Export),
    };
    counting.how_much()
}

pub(super) fn mass_replay() -> Box<dyn Rule> {
    let counting = Counting {
        name: "mass-replay",
        counted_for_max: CALLERS_MAX,
        limit: replay_limit,
        occurrence: |observation| occurrence(observation, Bulk::Replay),
    };
    counting.how_much()
}

fn export_limit(config: &Config) -> Limit {
    let config = &config.mass_export;
    Limit {
        enabled: config.enabled,
        least: config.count,
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: true,
        what: "row",
    }
}

fn replay_limit(config: &Config) -> Limit {
    let config = &config.mass_replay;
    Limit {
        enabled: config.enabled,
        least: config.count,
        times_usual: config.times_usual,
        within_seconds: config.within_seconds,
        cool_down_seconds: config.cool_down_seconds,
        learns: true,
        what: "message",
    }
}

fn occurrence(observation: &Observation, wanted: Bulk) -> Option<Occurrence> {
    let Observation::Bulk {
        by,
        application,
        what,
        count,
        ..
    } = observation
    else {
        return None;
    };
    let text = match what {
        Bulk::Export => "reads or exports very much",
        Bulk::Replay => "has very much sent again",
    };
    (*what == wanted).then(|| Occurrence {
        counted_for: by.clone(),
        what: *count,
        subject: Subject::of_token(by),
        application: *application,
        address: None,
        text: format!("{} {text}", by.escape_debug()),
    })
}
