//! An endpoint's URL was changed, and then secrets of the same application were read: what somebody
//! does who wants to get its messages and to sign some, and seldom anybody else.
//!
//! One secret after a change is what whoever moves an endpoint does; a new endpoint is no change.

use super::Rule;
use crate::detect::burst::shortened;
use crate::detect::bytes::{Reader, Writer, fingerprint};
use crate::detect::course::Moment;
use crate::detect::told::{Told, length, many, time};
use crate::detect::window::{Counted as _, Different};
use crate::detect::{Config, Finding, Observation, StateError};
use lru::LruCache;
use model::id::ApplicationKey;
use model::security::Subject;
use std::num::NonZeroUsize;

const NAME: &str = "url-change-then-secrets";
/// So many applications are remembered whose endpoints changed.
const CHANGES_MAX: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");
/// So many callers who read secrets after that.
const READERS_MAX: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");

pub(super) fn rule() -> Box<dyn Rule> {
    Box::new(UrlChangeThenSecrets {
        changes: LruCache::new(CHANGES_MAX),
        readers: LruCache::new(READERS_MAX),
        told: LruCache::new(CHANGES_MAX),
    })
}

struct UrlChangeThenSecrets {
    changes: LruCache<ApplicationKey, Change>,
    /// Whose secrets they read, by application and caller.
    readers: LruCache<(ApplicationKey, String), Different>,
    told: LruCache<ApplicationKey, Told>,
}

struct Change {
    endpoint: Subject,
    at: i64,
}

impl Rule for UrlChangeThenSecrets {
    fn observe(
        &mut self,
        moment: &Moment,
        (config, observation): (&Config, &Observation),
        findings: &mut Vec<Finding>,
    ) {
        match observation {
            Observation::Destination {
                endpoint,
                application,
                changed: true,
                ..
            } => {
                let (endpoint, at) = (endpoint.clone(), moment.now);
                self.changes.put(*application, Change { endpoint, at });
            }
            Observation::SecretRead {
                endpoint,
                application: Some(application),
                by,
                ..
            } => {
                let read = (*application, by.as_str(), endpoint);
                findings.extend(self.read(moment, config, read));
            }
            _ => {}
        }
    }

    /// A cool-down is not kept over a restart: who changes a URL and reads on is told of twice.
    fn save(&self, _to: &mut Writer) {}

    fn restore(&mut self, _from: &mut Reader<'_>) -> Result<(), StateError> {
        Ok(())
    }

    #[cfg(test)]
    fn kept(&self) -> usize {
        self.changes.len().max(self.readers.len())
    }
}

impl UrlChangeThenSecrets {
    fn read(
        &mut self,
        moment: &Moment,
        config: &Config,
        (application, by, endpoint): (ApplicationKey, &str, &Subject),
    ) -> Option<Finding> {
        let config = &config.url_change_then_secrets;
        let within = i64::try_from(config.within_seconds).unwrap_or(i64::MAX);
        let is_recent = |change: &&Change| (0..within).contains(&(moment.now - change.at));
        let change = self.changes.peek(&application).filter(is_recent)?;
        let reader = (application, shortened(by).to_owned());
        let fresh = || Different::over(within);
        let read = self.readers.get_or_insert_mut(reader, fresh);
        let count = read.add(moment.now, fingerprint(endpoint.id.as_bytes()));
        if u64::from(count) < config.secrets || !config.enabled {
            return None;
        }
        let told = self.told.get_or_insert_mut(application, Told::default);
        let is_new = told.tell(moment.now, config.cool_down_seconds);
        is_new.then(|| Finding {
            rule: NAME,
            subject: change.endpoint.clone(),
            application: Some(application),
            remote_address: None,
            at: moment.at(),
            explanation: format!(
                "an endpoint's URL was changed, and then {} read the secrets of {}; usual within {} \
                 of a change: fewer than {}; since {}",
                by.escape_debug(),
                many(count.into(), "endpoint"),
                length(config.within_seconds),
                config.secrets,
                time(change.at),
            ),
        })
    }
}
