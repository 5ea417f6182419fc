//! Detection: what in the stream of security events and in the traffic is far from what is usual.
//! Pure: a state machine of what was observed and when. Whoever runs it tells it, and reports what
//! it finds; it reads no clock and keeps nothing but its own state, which is bounded.
//!
//! Map: [`config`] (switches and thresholds) · `rules` (the table of rules) · `counting`, `burst`,
//! `window` (too much of something), `hours` (what is usual at an hour of the week) · `told` (once
//! for each incident) · `course` (time as it is told) · `bytes` (learnt state).

mod burst;
mod bytes;
pub mod config;
mod counting;
mod course;
mod hours;
mod rules;
#[cfg(test)]
mod tests;
mod told;
mod window;

pub use config::Config;

use bytes::{Reader, Writer};
use course::Course;
use model::Timestamp;
use model::id::ApplicationKey;
use model::name::Name;
use model::security::{SecurityEvent, Subject};
use rules::Rule;
use std::net::IpAddr;

/// What detection is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A security event, as it was reported.
    Event(SecurityEvent),
    /// How much of what came to a source, or was sent for an application, in a minute.
    Traffic(Traffic),
    /// A source was seen to get something of this type from this network. Told at least the first
    /// time; how often besides doesn't matter.
    CameIn {
        /// The source.
        source: Subject,
        /// Its type.
        event_type: Option<Name>,
        /// From where.
        address: IpAddr,
        /// When.
        at: Timestamp,
    },
    /// An endpoint was made, or its URL changed.
    Destination {
        /// The endpoint.
        endpoint: Subject,
        /// Its application.
        application: ApplicationKey,
        /// The host of its URL.
        host: String,
        /// Whether the endpoint was there before, with another URL.
        changed: bool,
        /// When.
        at: Timestamp,
    },
    /// Somebody was shown a secret.
    SecretRead {
        /// Whose.
        endpoint: Subject,
        /// The application.
        application: Option<ApplicationKey>,
        /// Who: as the audit log names them.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody had much taken out, or sent again.
    Bulk {
        /// Who.
        by: String,
        /// Of which application; `None`: of all.
        application: Option<ApplicationKey>,
        /// What.
        what: Bulk,
        /// How many, as far as it is known.
        count: u64,
        /// When.
        at: Timestamp,
    },
}

/// What is done with much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bulk {
    /// Read, page after page, or exported.
    Export,
    /// Sent again: replayed, recovered.
    Replay,
}

/// How much there was in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// A source or an application.
    pub of: Subject,
    /// The minute's beginning.
    pub at: Timestamp,
    /// How much in all: requests of a source, attempts of an application.
    pub total: u64,
    /// How much of it failed.
    pub failed: u64,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// To what or whom.
    pub subject: Subject,
    /// The application that it concerns.
    pub application: Option<ApplicationKey>,
    /// From where, where it is about an address.
    pub remote_address: Option<IpAddr>,
    /// When it was found.
    pub at: Timestamp,
    /// What is usual, what is now, and since when: a sentence for people.
    pub explanation: String,
}

/// All rules, and what they have learnt.
pub struct Detection {
    config: Config,
    course: Course,
    rules: Vec<Box<dyn Rule>>,
}

/// Why learnt state is not taken: learning begins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another version wrote it, or it is something else.
    #[error("the learnt state is of another version")]
    Version,
    /// It is cut off, or was changed.
    #[error("the learnt state is broken")]
    Broken,
}

impl Detection {
    /// One that has learnt nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            course: Course::default(),
            rules: rules::all(),
        }
    }

    /// One that goes on from what [`Detection::save`] gave. Rules that are off have learnt, too.
    pub fn restore(config: Config, state: &[u8]) -> Result<Self, StateError> {
        let mut from = Reader::new(state)?;
        let mut detection = Self::new(config);
        detection.course = Course::restore(&mut from)?;
        for rule in &mut detection.rules {
            rule.restore(&mut from)?;
        }
        from.done()?;
        Ok(detection)
    }

    /// What was learnt, as bytes: a few for each hour of each source and application that is busy,
    /// and never more than 20 MB.
    pub fn save(&self) -> Vec<u8> {
        let mut to = Writer::new();
        self.course.save(&mut to);
        self.rules.iter().for_each(|rule| rule.save(&mut to));
        to.done()
    }

    /// Takes what was observed, and says what follows from it.
    pub fn observe(&mut self, observation: Observation) -> Vec<Finding> {
        let moment = self.course.advance(observation.at());
        let mut findings = Vec::new();
        for rule in &mut self.rules {
            rule.observe(&moment, (&self.config, &observation), &mut findings);
        }
        findings
    }

    /// Time goes on: to be told once a minute, also while nothing is observed, since silence is
    /// found by it. Minutes without traffic need not be told otherwise; those with traffic are to
    /// be told within a minute of their end.
    pub fn pass(&mut self, now: Timestamp) -> Vec<Finding> {
        let moment = self.course.advance(now);
        let mut findings = Vec::new();
        for rule in &mut self.rules {
            rule.pass(&moment, &self.config, &mut findings);
        }
        findings
    }
}

impl Observation {
    /// When it was.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Traffic(traffic) => traffic.at,
            Self::CameIn { at, .. }
            | Self::Destination { at, .. }
            | Self::SecretRead { at, .. }
            | Self::Bulk { at, .. } => *at,
        }
    }
}
