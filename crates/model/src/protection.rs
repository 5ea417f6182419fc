//! What an endpoint's owner set up for the safety of what is sent to it: how its connections are
//! authenticated and verified, and what is done to payloads before they leave. Each part is a type
//! of its own here; what is optional and not set is `None`.
//!
//! All parts are one value that is sealed as a whole, since most hold credentials, and those that
//! don't still tell more of a receiver than a stolen database should. Judging what comes in is
//! `app`'s, obeying it `engine`'s.

mod auth;
mod connection;
mod covered;
mod encryption;
mod oauth;
mod payload;
mod redaction;
mod rotated;
mod signature;

pub use auth::{Auth, Credential, HttpSignatureAlgorithm, KeyPlace};
pub use connection::{Identity, Mtls, Pinning, PinningMode, Trust};
pub use encryption::{Encryption, EncryptionKey};
pub use payload::PayloadMode;
pub use rotated::Rotated;
pub use signature::{GenericSignature, Sender, Signature};

use crate::endpoint::{CustomHeaders, StoredFormError};
use crate::fields::Fields;
use crate::oauth::OauthConfig;
use crate::policy::{Demand, Demands, Unmet};
use crate::redaction::EndpointRedaction;
use crate::secret::Secret;
use std::collections::BTreeSet;

/// What is set of an endpoint's protection.
#[derive(Clone, Default)]
pub struct Protection {
    /// What requests are authenticated with.
    pub auth: Option<Auth>,
    /// How requests come by an access token, which takes the place of an `authorization` of
    /// [`Self::auth`].
    pub oauth: Option<Rotated<OauthConfig>>,
    /// Whom payloads are encrypted to. It stays when the URL leads elsewhere: what only its owner
    /// can read is no use to anybody else.
    pub encryption: Option<Encryption>,
    /// What is taken from payloads.
    pub redaction: Option<EndpointRedaction>,
    /// Whether deliveries carry the payload, or where it is to be had. It stays when the URL leads
    /// elsewhere, as it tells the new receiver less.
    pub payload: Option<PayloadMode>,
    /// By which scheme payloads are signed, where it isn't the usual one.
    pub signature: Option<Signature>,
    /// The client certificate that connections show.
    pub mtls: Option<Mtls>,
    /// Whom connections trust, and how old TLS may be.
    pub ca: Option<Trust>,
    /// Which keys the receiver's certificates must have one of.
    pub pins: Option<Pinning>,
    /// What the endpoint lost when its URL came to lead elsewhere. While there is something,
    /// nothing is sent: its owner sets it again, or says that it isn't needed by deleting it.
    pub withdrawn: BTreeSet<Withdrawn>,
}

/// Credentials that belong to an origin (scheme, host and port), and end when the URL leads to
/// another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withdrawn {
    /// [`Protection::auth`].
    Auth,
    /// [`Protection::oauth`].
    Oauth,
    /// [`Protection::mtls`].
    Mtls,
    /// Headers that usually hold credentials.
    Headers,
}

impl Withdrawn {
    const ALL: [Self; 4] = [Self::Auth, Self::Oauth, Self::Mtls, Self::Headers];

    /// The name of the sub-resource that it was set by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Oauth => "oauth",
            Self::Mtls => "mtls",
            Self::Headers => "headers",
        }
    }
}

/// Why nothing is sent to an endpoint, or not all that it wants to hear, until somebody does
/// something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It lost what its receiver knew it by.
    Withdrawn(BTreeSet<Withdrawn>),
    /// Its signature is to cover this component, which its requests don't have.
    Uncovered(String),
    /// It lacks what the operator demands.
    Unmet(Unmet),
}

impl Held {
    /// The API's word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Withdrawn(_) => "credentials_withdrawn",
            Self::Uncovered(_) => "signature_incomplete",
            Self::Unmet(_) => "policy_unmet",
        }
    }
}

/// What an endpoint's owner reads.
impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Withdrawn(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.as_str()).collect();
                write!(
                    f,
                    "the endpoint's URL leads to another origin, and what was set for the one \
                     before was taken away ({}): set it again, or delete it if it isn't needed",
                    parts.join(", ")
                )
            }
            Self::Unmet(unmet) => unmet.fmt(f),
            Self::Uncovered(component) => write!(
                f,
                "the endpoint's HTTP signature is to cover `{component}`, for which the request has \
                 no value: add that header to the endpoint, or leave it out of `components`"
            ),
        }
    }
}

impl Protection {
    /// Why nothing may be sent, if so. `custom` are the endpoint's own headers, `signing` the names
    /// of those that payloads are signed in.
    pub fn held(&self, custom: &CustomHeaders, signing: &[&str]) -> Option<Held> {
        if !self.withdrawn.is_empty() {
            return Some(Held::Withdrawn(self.withdrawn.clone()));
        }
        self.uncovered(custom, signing).map(Held::Uncovered)
    }

    /// What of all that can be demanded is set.
    pub fn meets(&self) -> Demands {
        let authenticates = self.auth.is_some() || self.oauth.is_some() || self.mtls.is_some();
        let enforces = |pins: &Pinning| pins.mode != PinningMode::Report;
        let takes = |redaction: &EndpointRedaction| !redaction.rules.is_empty();
        [
            (Demand::Encryption, self.encryption.is_some()),
            (Demand::Auth, authenticates),
            (Demand::Pins, self.pins.as_ref().is_some_and(enforces)),
            (
                Demand::Redaction,
                self.redaction.as_ref().is_some_and(takes),
            ),
        ]
        .into_iter()
        .filter_map(|(demand, is_met)| is_met.then_some(demand))
        .collect()
    }

    /// The parts that mean nothing where the connection is not over TLS, by the names of the
    /// sub-resources that they are set by.
    pub fn needs_tls(&self) -> Vec<&'static str> {
        let parts = [
            ("mtls", self.mtls.is_some()),
            ("ca", self.ca.is_some()),
            ("pins", self.pins.is_some()),
        ];
        let set = parts.iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| *name).collect()
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.auth.is_none()
            && self.oauth.is_none()
            && self.mtls.is_none()
            && self.ca.is_none()
            && self.pins.is_none()
            && self.encryption.is_none()
            && self.redaction.is_none()
            && self.payload.is_none()
            && self.signature.is_none()
            && self.withdrawn.is_empty()
    }

    /// Takes away what belongs to the origin that the URL led to before: credentials, and what it
    /// was allowed to have. Headers are kept elsewhere: whoever takes them away notes it in
    /// [`Self::withdrawn`]. Pins that were taken on first use are taken anew.
    pub fn leave_origin(&mut self) {
        if self.auth.take().is_some() {
            self.withdrawn.insert(Withdrawn::Auth);
        }
        if self.oauth.take().is_some() {
            self.withdrawn.insert(Withdrawn::Oauth);
        }
        if self.mtls.take().is_some() {
            self.withdrawn.insert(Withdrawn::Mtls);
        }
        if let Some(redaction) = &mut self.redaction {
            redaction.allowed.clear();
        }
        if let Some(pins) = &mut self.pins
            && pins.mode == PinningMode::FirstUse
        {
            pins.pins.clear();
        }
    }

    /// The bytes that are sealed into the store.
    pub fn to_stored(&self) -> Secret {
        let mut fields = Fields::default();
        fields.put_part("auth", self.auth.as_ref());
        fields.put_part("encryption", self.encryption.as_ref());
        fields.put_part("redaction", self.redaction.as_ref());
        fields.put_part("payload", self.payload.as_ref());
        fields.put_part("signature", self.signature.as_ref());
        fields.put_part("oauth", self.oauth.as_ref());
        fields.put_part("mtls", self.mtls.as_ref());
        fields.put_part("ca", self.ca.as_ref());
        fields.put_part("pins", self.pins.as_ref());
        for part in &self.withdrawn {
            fields.put_text("withdrawn", part.as_str());
        }
        fields.to_stored()
    }

    /// Reads what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    /// It is something else, or has parts that this version does not know: to ignore them could
    /// send without what they demand.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let mut fields = Fields::from_stored(stored)?;
        let protection = Self {
            auth: fields.take_part("auth")?,
            encryption: fields.take_part("encryption")?,
            redaction: fields.take_part("redaction")?,
            payload: fields.take_part("payload")?,
            signature: fields.take_part("signature")?,
            oauth: fields.take_part("oauth")?,
            mtls: fields.take_part("mtls")?,
            ca: fields.take_part("ca")?,
            pins: fields.take_part("pins")?,
            withdrawn: fields.take_words("withdrawn", &Withdrawn::ALL, Withdrawn::as_str)?,
        };
        fields.finish()?;
        Ok(protection)
    }
}

#[cfg(test)]
mod tests;
