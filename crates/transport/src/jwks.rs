//! The keys that receivers publish (JWKS, RFC 7517), fetched so that payloads are encrypted to
//! them.
//!
//! A set is asked for anew when it is `FRESH` old, whatever its `cache-control` says, and when it
//! lacks the key that is wanted, the latter at most every 30 seconds. Where nothing newer can be
//! had, it does until it is `USABLE` old: a key that was seen over a verified connection is no
//! worse for its server being away. That nothing is sent in the clear instead is for the caller.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use webhook::jwe::{Algorithm, Jwks, JwksError, Recipient};

use crate::fetch::{self, Cache, Failure, FetchError, Fetched, LIMITS};
use crate::{Outgoing, Purpose, Target, Transport};

/// How long a set is used without asking.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long it is used where its server can't be asked, or no longer has one.
const USABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// The most sets that are kept. One of 64 KiB, of the largest keys, takes some 150 KiB.
const SETS_MAX: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");

/// Whom to encrypt to.
#[derive(Debug, Clone)]
pub struct WantedKey {
    /// Where the set is, as [`fetch_target`](crate::fetch_target) has it.
    pub set: Arc<Target>,
    /// The `kid` of the key; without one, the set's first that is for encryption.
    pub key_id: Option<String>,
    /// The algorithm that it has to be good for.
    pub algorithm: Option<Algorithm>,
}

/// Why there is no key to encrypt to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeySetError {
    /// No set was to be had.
    #[error("the key set could not be fetched")]
    Fetch(#[from] FetchError),
    /// It is no set, or has no key that would do.
    #[error("the key set can't be used")]
    Set(#[from] JwksError),
    /// It is no text.
    #[error("the key set is not UTF-8")]
    NotText,
}

impl KeySetError {
    /// What a tenant may read, as the attempt's recorded response.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        let why = match self {
            Self::Fetch(error) => error.for_tenant(),
            Self::Set(error) => Cow::Owned(model::Chain(error).to_string()),
            Self::NotText => return Cow::Owned(self.to_string()),
        };
        Cow::Owned(format!("{self}: {why}"))
    }
}

impl Failure for KeySetError {
    fn asks_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Fetch(error) => error.asks_to_wait(),
            _ => None,
        }
    }
}

/// Gets key sets and keeps them.
pub struct KeySets {
    transport: Arc<dyn Transport>,
    sets: Cache<String, Jwks, KeySetError>,
}

impl KeySets {
    /// Without any set.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            sets: Cache::new(SETS_MAX),
        }
    }

    /// Whom to encrypt to.
    ///
    /// # Errors
    /// There is no such key, now or a few seconds ago. Nothing may be sent without one.
    pub async fn recipient(&self, wanted: &WantedKey) -> Result<Recipient, KeySetError> {
        let url = wanted.set.url().to_string();
        let set = self.set(&url, &wanted.set).await?;
        match pick(&set, wanted) {
            Err(_) if self.sets.outdated(&url, &set, true) => {
                pick(&*self.set(&url, &wanted.set).await?, wanted)
            }
            picked => picked,
        }
    }

    async fn set(&self, url: &String, target: &Arc<Target>) -> Result<Arc<Jwks>, KeySetError> {
        let fetch = || ask(self.transport.clone(), target.clone());
        self.sets.ask(url, fetch).await
    }
}

fn pick(set: &Jwks, wanted: &WantedKey) -> Result<Recipient, KeySetError> {
    let key = set.pick(wanted.key_id.as_deref(), wanted.algorithm)?;
    let recipient = Recipient::new(key, wanted.algorithm);
    recipient.map_err(|source| {
        let key_id = key.key_id();
        JwksError::Unusable { key_id, source }.into()
    })
}

async fn ask(
    transport: Arc<dyn Transport>,
    target: Arc<Target>,
) -> Result<Fetched<Jwks>, KeySetError> {
    let asked = Instant::now();
    let request = Outgoing::new(Purpose::KeySet, target, fetch::headers(), LIMITS);
    let body = fetch::body(&*transport, request).await?;
    let text = std::str::from_utf8(&body).map_err(|_| KeySetError::NotText)?;
    Ok(Fetched {
        value: Arc::new(Jwks::parse(text)?),
        fresh_until: asked + FRESH,
        usable_until: asked + USABLE,
    })
}

#[cfg(test)]
mod tests;
