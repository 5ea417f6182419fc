//! Encrypts payloads to their receiver, before what is sent is signed. Where that can't be done,
//! nothing is sent: there is no way from here to a payload in the clear.

use crate::attempt_time::AttemptTime;
use crate::ready::Unsound;
use bytes::Bytes;
use model::Entropy;
use model::protection::{Encryption, EncryptionKey};
use model::{Chain, address::AddressPolicy};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use transport::{FetchError, FetchUrlError, KeySetError, KeySets, SendError, WantedKey};
use webhook::jwe::{Algorithm, Context, EncryptError, PublicJwk, RANDOM_BYTES, Recipient};
use zeroize::Zeroizing;

/// Whom an endpoint's payloads are encrypted to.
pub(crate) enum Sealing {
    /// Nobody: they are sent as they are.
    Off,
    /// A key that was given.
    To(Recipient),
    /// One that has to be fetched.
    Wanted(WantedKey),
}

/// A key that was fetched for an attempt, or not.
pub(crate) struct Keyed {
    /// The revision of the endpoint that wanted it.
    pub(crate) revision: u32,
    pub(crate) recipient: Result<Recipient, NoKey>,
}

/// Why a payload can't be encrypted.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NoKey {
    /// The policy refuses the set's URL, perhaps only since a while.
    #[error("the key set's URL can't be called")]
    Url(#[source] Arc<FetchUrlError>),
    /// There is no set, or no such key in it.
    #[error(transparent)]
    Set(#[from] KeySetError),
    /// The attempt can't wait for longer.
    #[error("the key set was not there within {} s", .0.as_secs())]
    Slow(Duration),
    /// The library refused.
    #[error(transparent)]
    Refused(#[from] EncryptError),
}

impl NoKey {
    /// What a tenant may read.
    pub(crate) fn for_tenant(&self) -> String {
        let why = match self {
            Self::Url(error) => Cow::Owned(format!("{self}: {}", error.for_tenant())),
            Self::Set(error) => error.for_tenant(),
            Self::Slow(_) | Self::Refused(_) => Cow::Owned(self.to_string()),
        };
        format!("not sent: the payload can't be encrypted for its receiver: {why}")
    }

    /// What an operator may read.
    pub(crate) fn for_operator(&self) -> String {
        format!(
            "a payload could not be encrypted, and was not sent: {}",
            Chain(self)
        )
    }

    /// Why nothing was fetched, where that is why.
    pub(crate) fn fetch_error(&self) -> Option<&FetchError> {
        match self {
            Self::Set(KeySetError::Fetch(error)) => Some(error),
            _ => None,
        }
    }

    /// The failure of the fetch's own request, where there was one.
    pub(crate) fn unanswered(&self) -> Option<&SendError> {
        match self.fetch_error() {
            Some(FetchError::Unanswered(error)) => Some(error),
            _ => None,
        }
    }
}

/// Why an endpoint's encryption can't be made ready.
pub(crate) enum NotSealing {
    /// What is stored can't be read.
    Unsound(Unsound),
    /// There is no key to be had.
    NoKey(NoKey),
}

impl Sealing {
    /// Makes ready what is set.
    pub(crate) fn new(
        set: Option<&Encryption>,
        policy: &AddressPolicy,
    ) -> Result<Self, NotSealing> {
        let Some(set) = set else {
            return Ok(Self::Off);
        };
        let unsound = || NotSealing::Unsound(Unsound::Text("key to encrypt to"));
        let algorithm = set.algorithm.as_deref().map(str::parse::<Algorithm>);
        let algorithm = algorithm.transpose().map_err(|_| unsound())?;
        match &set.key {
            EncryptionKey::Given(jwk) => {
                let recipient =
                    PublicJwk::parse(jwk).and_then(|key| Recipient::new(&key, algorithm));
                recipient.map(Self::To).map_err(|_| unsound())
            }
            EncryptionKey::Published { url, key_id } => {
                let set = transport::fetch_target(url, policy);
                let set = set.map_err(|error| NotSealing::NoKey(NoKey::Url(Arc::new(error))))?;
                Ok(Self::Wanted(WantedKey {
                    set,
                    key_id: key_id.clone(),
                    algorithm,
                }))
            }
        }
    }
}

/// Gets a key, for as long as an attempt can wait.
pub(crate) async fn fetch(
    key_sets: &KeySets,
    wanted: &WantedKey,
    time: AttemptTime,
) -> Result<Recipient, NoKey> {
    let fetched = tokio::time::timeout_at(time.ends(), key_sets.recipient(wanted)).await;
    Ok(fetched.map_err(|_| NoKey::Slow(time.limit()))??)
}

/// The text that goes on the wire in place of a payload, new each time.
pub(crate) fn encrypted(
    recipient: &Recipient,
    context: Context<'_>,
    payload: &[u8],
    entropy: &dyn Entropy,
) -> Result<Bytes, NoKey> {
    let mut random = Zeroizing::new([0; RANDOM_BYTES]);
    entropy.fill(&mut *random);
    Ok(recipient.encrypt(context, payload, &random)?.into())
}
