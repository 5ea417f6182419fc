//! How much comes to each source, and is sent for each application, and how much of it fails,
//! beside what is usual at this hour of the week: `volume-spike`, `silence` and `failure-rate`,
//! which share what is known of each.
//!
//! It is a minute behind, so that minutes are told in time. So many sources and applications are
//! watched; where there are more, a new one takes the place of one that had nothing for a day, or
//! is not watched.

mod busy;
mod judge;

use super::Rule;
use crate::detect::bytes::{Reader, Writer, fingerprint};
use crate::detect::course::{DAY, HOUR, Moment};
use crate::detect::{Config, Finding, Observation, StateError};
use busy::{Busy, SLOT_SECONDS};
use lru::LruCache;
use model::security::{Subject, SubjectKind};
use std::num::NonZeroUsize;

/// So many sources and applications are watched, at some 4 KiB each.
const WATCHED_MAX: NonZeroUsize = NonZeroUsize::new(2_000).expect("it is not zero");

pub(super) fn rules() -> Box<dyn Rule> {
    Box::new(TrafficRules {
        watched: LruCache::new(WATCHED_MAX),
        slot: i64::MIN,
    })
}

struct TrafficRules {
    watched: LruCache<Subject, Busy>,
    /// The five minutes that are now.
    slot: i64,
}

impl Rule for TrafficRules {
    fn observe(
        &mut self,
        moment: &Moment,
        (config, observation): (&Config, &Observation),
        findings: &mut Vec<Finding>,
    ) {
        let Observation::Traffic(traffic) = observation else {
            return;
        };
        let moment = moment.a_minute_ago();
        self.go_on(&moment, config, findings);
        if traffic.total == 0 || !self.admits(&traffic.of, moment.now) {
            return;
        }
        let fresh = || Busy::new(moment.now);
        let busy = self.watched.get_or_insert_mut_ref(&traffic.of, fresh);
        busy.add(
            moment.now,
            (traffic.total, traffic.failed.min(traffic.total)),
        );
        findings.extend(judge::high(&moment, config, (&traffic.of, busy)));
        findings.extend(judge::failing(&moment, config, (&traffic.of, busy)));
    }

    fn pass(&mut self, moment: &Moment, config: &Config, findings: &mut Vec<Finding>) {
        self.go_on(&moment.a_minute_ago(), config, findings);
    }

    fn save(&self, to: &mut Writer) {
        to.number(self.watched.len() as u64);
        for (of, busy) in self.watched.iter().rev() {
            to.number((of.kind == SubjectKind::Source).into());
            to.text(&of.id);
            busy.save(to);
        }
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        for _ in 0..from.count(WATCHED_MAX.get())? {
            let kind = match from.count(1)? {
                1 => SubjectKind::Source,
                _ => SubjectKind::Application,
            };
            let of = Subject::new(kind, from.text()?);
            self.watched.put(of, Busy::restore(from)?);
        }
        Ok(())
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.watched.len()
    }
}

impl TrafficRules {
    /// Whether it is watched, or there is room for it.
    fn admits(&mut self, of: &Subject, now: i64) -> bool {
        let is_of_traffic = [SubjectKind::Source, SubjectKind::Application].contains(&of.kind);
        if self.watched.contains(of) || !is_of_traffic {
            return is_of_traffic;
        }
        if self.watched.len() < WATCHED_MAX.get() {
            return true;
        }
        let idlest = self.watched.peek_lru();
        idlest.is_some_and(|(_, idlest)| now.saturating_sub(idlest.last_at()) >= DAY)
    }

    /// Ends hours and looks for silence, every five minutes.
    fn go_on(&mut self, moment: &Moment, config: &Config, findings: &mut Vec<Finding>) {
        let slot = moment.now.div_euclid(SLOT_SECONDS);
        if slot == self.slot {
            return;
        }
        self.slot = slot;
        let hour = moment.now.div_euclid(HOUR);
        for (of, busy) in &mut self.watched {
            let is_new_hour = busy.hour() != hour;
            busy.go_on(moment);
            // One after the other, so that not all are looked over in one hour.
            let turn = (fingerprint(of.id.as_bytes()) % 24) as i64 == hour.rem_euclid(24);
            if is_new_hour {
                busy.look_over(turn);
            }
            findings.extend(judge::low(moment, config, (of, busy), is_new_hour));
        }
    }
}
