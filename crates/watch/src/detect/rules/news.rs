//! What is new at a source that has long had the same: an event type, or a network (of IPv4 a /24,
//! of IPv6 a /64) that something genuine came from.
//!
//! A source that gets something new time and again never settles, and nothing is said of it: that
//! is where its provider sends from everywhere. How often something came isn't asked.

use super::Rule;
use crate::detect::burst::shortened;
use crate::detect::bytes::{Reader, Writer, fingerprint};
use crate::detect::course::{DAY, Moment};
use crate::detect::told::{Told, many, time};
use crate::detect::{Config, Finding, Observation, StateError};
use lru::LruCache;
use model::security::Subject;
use std::net::IpAddr;
use std::num::NonZeroUsize;

/// So many sources are learnt of.
const SOURCES_MAX: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");
/// A source that has had more than so many is one that gets new ones anyway.
const KNOWN_MAX: usize = 128;

pub(super) fn new_event_type() -> Box<dyn Rule> {
    Box::new(News::of(Kind {
        name: "new-event-type",
        what: "event type",
        limit: |config| {
            let config = config.new_event_type;
            Limit {
                enabled: config.enabled,
                learning_days: config.learning_days,
                cool_down_seconds: config.cool_down_seconds,
            }
        },
        of: |observation| match observation {
            Observation::CameIn { event_type, .. } => {
                let name = event_type.as_ref()?.as_str();
                Some((fingerprint(name.as_bytes()), name.to_owned()))
            }
            _ => None,
        },
    }))
}

pub(super) fn new_network() -> Box<dyn Rule> {
    Box::new(News::of(Kind {
        name: "new-network",
        what: "network",
        limit: |config| {
            let config = config.new_network;
            Limit {
                enabled: config.enabled,
                learning_days: config.learning_days,
                cool_down_seconds: config.cool_down_seconds,
            }
        },
        of: |observation| match observation {
            Observation::CameIn { address, .. } => Some(neighbourhood(*address)),
            _ => None,
        },
    }))
}

/// A network as a number, which no other network has, and for people.
fn neighbourhood(address: IpAddr) -> (u64, String) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            (address.to_bits() as u64 >> 8, format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(address) => {
            let high = (address.to_bits() >> 64) as u64;
            let network = std::net::Ipv6Addr::from_bits(u128::from(high) << 64);
            (high, format!("{network}/64"))
        }
    }
}

/// What is looked for.
struct Kind {
    name: &'static str,
    what: &'static str,
    limit: fn(&Config) -> Limit,
    of: fn(&Observation) -> Option<(u64, String)>,
}

struct Limit {
    enabled: bool,
    learning_days: u64,
    cool_down_seconds: u64,
}

struct News {
    kind: Kind,
    sources: LruCache<String, Source>,
}

struct Source {
    known: Vec<u64>,
    first_at: i64,
    newest_at: i64,
    told: Told,
}

impl News {
    fn of(kind: Kind) -> Self {
        let sources = LruCache::new(SOURCES_MAX);
        Self { kind, sources }
    }

    fn came(
        &mut self,
        moment: &Moment,
        limit: &Limit,
        (source, what): (&Subject, u64),
    ) -> Option<(usize, i64)> {
        let fresh = || Source {
            known: Vec::new(),
            first_at: moment.now,
            newest_at: moment.now,
            told: Told::default(),
        };
        let id = shortened(&source.id);
        if !self.sources.contains(id) {
            self.sources.put(id.to_owned(), fresh());
        }
        let source = self.sources.get_mut(id).expect("it was just put there");
        if source.known.contains(&what) || source.known.len() >= KNOWN_MAX {
            return None;
        }
        let known = (source.known.len(), source.newest_at);
        let is_settled = source.is_settled(moment.now, limit.learning_days);
        source.known.push(what);
        source.newest_at = moment.now;
        let is_news = is_settled && limit.enabled;
        (is_news && source.told.tell(moment.now, limit.cool_down_seconds)).then_some(known)
    }
}

impl Source {
    /// Whether it is known for long enough, and nothing new has come for as long, and for half of
    /// the time that it is known.
    fn is_settled(&mut self, now: i64, learning_days: u64) -> bool {
        // Where the clock was set back.
        self.first_at = self.first_at.min(now);
        self.newest_at = self.newest_at.min(now);
        let learning = i64::try_from(learning_days).unwrap_or(i64::MAX / DAY) * DAY;
        let age = now.saturating_sub(self.first_at);
        let wanted = (age / 2).clamp(learning, learning.saturating_mul(2));
        !self.known.is_empty() && age >= learning && now.saturating_sub(self.newest_at) >= wanted
    }
}

impl Rule for News {
    fn observe(
        &mut self,
        moment: &Moment,
        (config, observation): (&Config, &Observation),
        findings: &mut Vec<Finding>,
    ) {
        let Observation::CameIn {
            source, address, ..
        } = observation
        else {
            return;
        };
        let Some((which, name)) = (self.kind.of)(observation) else {
            return;
        };
        let what = self.kind.what;
        let limit = (self.kind.limit)(config);
        let Some((known, newest_at)) = self.came(moment, &limit, (source, which)) else {
            return;
        };
        findings.push(Finding {
            rule: self.kind.name,
            subject: source.clone(),
            application: None,
            remote_address: Some(*address),
            at: moment.at(),
            explanation: format!(
                "the {what} {name} is new here; usual: {}, none new since {}; now: another, since \
                 {}",
                many(known as u64, what),
                time(newest_at),
                time(moment.now),
            ),
        });
    }

    fn save(&self, to: &mut Writer) {
        to.number(self.sources.len() as u64);
        for (id, source) in self.sources.iter().rev() {
            to.text(id);
            to.seconds(source.first_at);
            to.seconds(source.newest_at);
            source.told.save(to);
            to.number(source.known.len() as u64);
            source.known.iter().for_each(|known| to.number(*known));
        }
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        for _ in 0..from.count(SOURCES_MAX.get())? {
            let id = from.text()?;
            let (first_at, newest_at) = (from.seconds()?, from.seconds()?);
            let told = Told::restore(from)?;
            let count = from.count(KNOWN_MAX)?;
            let known = (0..count)
                .map(|_| from.number())
                .collect::<Result<_, _>>()?;
            let source = Source {
                known,
                first_at,
                newest_at,
                told,
            };
            self.sources.put(shortened(&id).to_owned(), source);
        }
        Ok(())
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.sources.len()
    }
}
