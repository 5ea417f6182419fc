//! An endpoint's URL was changed, and then secrets of the same application were read: what somebody
//! does who wants to get its messages and to sign some, and seldom anybody else.
//!
//! One secret after a change is what whoever moves an endpoint does; a new endpoint is no change.
//! Changes outlive a restart; who has read which secrets does not, and is counted from none again.

use super::Rule;
use crate::detect::burst::shortened;
use crate::detect::bytes::{Reader, Writer, fingerprint};
use crate::detect::course::Moment;
use crate::detect::told::{Told, length, many, time};
use crate::detect::window::{Counted as _, Different};
use crate::detect::{Config, Finding, Observation, StateError};
use lru::LruCache;
use model::id::ApplicationKey;
use model::security::{Subject, SubjectKind};
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
    /// The endpoint's id.
    endpoint: String,
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
                let (endpoint, at) = (shortened(&endpoint.id).to_owned(), moment.now);
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

    fn save(&self, to: &mut Writer) {
        to.number(self.changes.len() as u64);
        // The longest ago first, so that it is the first to be forgotten again.
        for (application, change) in self.changes.iter().rev() {
            to.seconds(application.integer());
            to.text(&change.endpoint);
            to.seconds(change.at);
        }
        to.number(self.told.len() as u64);
        for (application, told) in self.told.iter().rev() {
            to.seconds(application.integer());
            told.save(to);
        }
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Result<(), StateError> {
        for _ in 0..from.count(CHANGES_MAX.get())? {
            let application = ApplicationKey::from_integer(from.seconds()?);
            let endpoint = shortened(&from.text()?).to_owned();
            let at = from.seconds()?;
            self.changes.put(application, Change { endpoint, at });
        }
        for _ in 0..from.count(CHANGES_MAX.get())? {
            let application = ApplicationKey::from_integer(from.seconds()?);
            self.told.put(application, Told::restore(from)?);
        }
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
        let is_recent =
            |change: &&Change| (0..within).contains(&moment.now.saturating_sub(change.at));
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
            subject: Subject::new(SubjectKind::Endpoint, &change.endpoint),
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
