//! Rules that count: too much of one thing, of one subject, over a while. Each says what it counts,
//! for whom, and where its thresholds are.

use super::burst::{Bursts, Limit};
use super::bytes::{Reader, Writer};
use super::course::Moment;
use super::rules::Rule;
use super::window::{Counted, Different, Sum};
use super::{Config, Finding, Observation, StateError};
use model::id::ApplicationKey;
use model::security::Subject;
use std::net::IpAddr;

/// A rule that counts.
pub(super) struct Counting {
    pub(super) name: &'static str,
    /// So many are counted for; who has not been seen for the longest is forgotten.
    pub(super) counted_for_max: usize,
    pub(super) limit: fn(&Config) -> Limit,
    /// What there is to count in an observation.
    pub(super) occurrence: fn(&Observation) -> Option<Occurrence>,
}

/// Something to count.
pub(super) struct Occurrence {
    /// For whom.
    pub(super) counted_for: String,
    /// How much, or which.
    pub(super) what: u64,
    pub(super) subject: Subject,
    pub(super) application: Option<ApplicationKey>,
    pub(super) address: Option<IpAddr>,
    /// What is found, where it is too much.
    pub(super) text: String,
}

impl Counting {
    /// How much there is.
    pub(super) fn how_much(self) -> Box<dyn Rule> {
        self.rule::<Sum>()
    }

    /// How many different ones there are.
    pub(super) fn how_many(self) -> Box<dyn Rule> {
        self.rule::<Different>()
    }

    fn rule<C: Counted + Send + 'static>(self) -> Box<dyn Rule> {
        let bursts = Bursts::<C>::of_most(self.counted_for_max);
        let rule = self;
        Box::new(Counter { rule, bursts })
    }
}

struct Counter<C: Counted> {
    rule: Counting,
    bursts: Bursts<C>,
}

impl<C: Counted + Send> Rule for Counter<C> {
    fn observe(
        &mut self,
        moment: &Moment,
        (config, observation): (&Config, &Observation),
        findings: &mut Vec<Finding>,
    ) {
        let Some(occurrence) = (self.rule.occurrence)(observation) else {
            return;
        };
        let limit = (self.rule.limit)(config);
        let counted = (occurrence.counted_for.as_str(), occurrence.what);
        let Some(much) = self.bursts.count(moment, counted, limit) else {
            return;
        };
        findings.push(Finding {
            rule: self.rule.name,
            subject: occurrence.subject,
            application: occurrence.application,
            remote_address: occurrence.address,
            at: moment.at(),
            explanation: format!("{}; {}", occurrence.text, much.explained()),
        });
    }

    fn save(&self, to: &mut Writer) {
        self.bursts.save(to);
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        self.bursts.restore(from)
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.bursts.len()
    }
}
