//! Standard Webhooks, by whatever name: the specification's, its elder twin's, and with one kind of
//! key only.

use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError};
use crate::freshness::Written;
use crate::standard::content::Content;
use crate::standard::verify::{self, SecurityHeaders, Signature};
use crate::{HeaderFamily, KeyError, Refused, SigningKey, TOLERANCE_SECONDS, VerifyingKey};
use zeroize::Zeroizing;

/// The specification's, with either kind of key.
pub(super) static STANDARD_WEBHOOKS: Provider = Provider {
    name: "standard-webhooks",
    scheme: &StandardWebhooks {
        family: HeaderFamily::Webhook,
        takes: Takes::Either,
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

/// The same with ed25519 alone.
pub(super) static STANDARD_WEBHOOKS_ED25519: Provider = Provider {
    name: "standard-webhooks-ed25519",
    scheme: &StandardWebhooks {
        family: HeaderFamily::Webhook,
        takes: Takes::Ed25519,
    },
    ..STANDARD_WEBHOOKS
};

/// Svix, and those that send by it.
pub(super) static SVIX: Provider = Provider {
    name: "svix",
    scheme: &StandardWebhooks {
        family: HeaderFamily::Svix,
        takes: Takes::Either,
    },
    // Not all that send by it call the type as it recommends.
    manners: Manners::typed(&[Place::Member(&["type"]), Place::Member(&["event_type"])]),
    ..STANDARD_WEBHOOKS
};

/// What differs between them.
pub(super) struct StandardWebhooks {
    pub(super) family: HeaderFamily,
    pub(super) takes: Takes,
}

/// Which kinds of keys.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    Either,
    Hmac,
    Ed25519,
}

impl Scheme for StandardWebhooks {
    type Key = VerifyingKey;
    type Signature = Signature;

    fn names(&self) -> Names {
        let names = self.family.names()[0];
        Names {
            id: Some(names.id),
            timestamp: Some(names.timestamp),
            signature: Some(names.signature),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY_AND_TIME
    }

    fn key(&self, secret: &str) -> Result<VerifyingKey, SecretError> {
        let key = VerifyingKey::parse(secret);
        // That a secret stands where its public key belongs says more than that it doesn't fit.
        if !matches!(key, Err(KeyError::SecretKeyToVerifyWith)) {
            self.check_kind(secret, "whpk_")?;
        }
        Ok(key?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Signature>, Refused> {
        let headers = request.headers.iter().copied();
        let SecurityHeaders {
            id,
            timestamp,
            signature,
        } = verify::read(self.family, headers)?;
        let content = Content {
            id,
            timestamp,
            body: request.body,
        };
        Ok(Claim {
            id: Some((id.into(), true)),
            time: Some((timestamp.into(), Written::Seconds)),
            ..Claim::over(content.joined(), verify::parse_signatures(signature)?)
        })
    }

    fn is_signed(&self, key: &VerifyingKey, content: &[u8], found: &[Signature]) -> bool {
        key.has_signed(&[content], found)
    }

    fn fits(&self, key: &VerifyingKey, signature: &Signature) -> bool {
        signature.fits(key)
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let keys: Result<Vec<_>, _> = secrets.iter().map(|text| self.signing_key(text)).collect();
        let keys = keys?;
        let keys: Vec<_> = keys.iter().collect();
        let (id, timestamp) = (request.id, request.timestamp);
        let signature = crate::sign(&keys, id, timestamp, request.body);
        let names = self.family.names()[0];
        Ok(vec![
            (names.id.to_owned(), id.to_owned()),
            (names.timestamp.to_owned(), timestamp.to_string()),
            (names.signature.to_owned(), signature),
        ])
    }
}

impl StandardWebhooks {
    fn signing_key(&self, secret: &str) -> Result<SigningKey, SecretError> {
        self.check_kind(secret, "whsk_")?;
        // Providers show their secrets with and without it.
        let is_named = ["whsec_", "whsk_", "whpk_"]
            .iter()
            .any(|prefix| secret.starts_with(prefix));
        if is_named {
            return Ok(SigningKey::parse(secret)?);
        }
        let named = Zeroizing::new(["whsec_", secret].concat());
        Ok(SigningKey::parse(&named)?)
    }

    /// `ed25519` is how such a key begins here.
    fn check_kind(&self, secret: &str, ed25519: &'static str) -> Result<(), SecretError> {
        let is_ed25519 = secret.starts_with("whpk_") || secret.starts_with("whsk_");
        match self.takes {
            Takes::Ed25519 if !secret.starts_with(ed25519) => Err(SecretError::OtherKind(ed25519)),
            Takes::Hmac if is_ed25519 => Err(SecretError::OtherKind("whsec_")),
            _ => Ok(()),
        }
    }
}
