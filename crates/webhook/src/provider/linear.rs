//! Linear: the body alone is signed, and says itself when, so that a replay grows old. It tolerates
//! a minute.

use serde::Deserialize;

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};
use crate::{HmacKey, Refused};

pub(super) static PROVIDER: Provider = Provider {
    name: "linear",
    scheme: &Linear,
    tolerance_seconds: 60,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["type"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Body]),
    time: Written::Seconds,
    hash: Hash::Sha256,
    encoding: Encoding::Hex,
    header: text("Linear-Signature"),
    layout: Layout::Whole { prefix: text("") },
    id_header: Some(text("Linear-Delivery")),
    timestamp_header: None,
};

/// The scheme, with the time of the body.
struct Linear;

/// What is read of the body.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "webhookTimestamp")]
    milliseconds: u64,
}

impl Scheme for Linear {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Scheme::names(&SCHEME)
    }

    fn covers(&self) -> Covers {
        Covers::BODY_AND_TIME
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Scheme::key(&SCHEME, secret)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let claim = Scheme::read(&SCHEME, request)?;
        let body: Result<Body, _> = serde_json::from_slice(request.body);
        let body = body.map_err(|_| Refused::Missing(Carried::Timestamp))?;
        let milliseconds = body.milliseconds.to_string().into_bytes();
        Ok(Claim {
            time: Some((milliseconds.into(), Written::Milliseconds)),
            ..claim
        })
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        Scheme::sign(&SCHEME, secrets, request)
    }
}
