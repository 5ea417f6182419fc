//! Mailgun: the body carries a signature over a time and a token, and over nothing of the event,
//! which can be changed by whoever sees a request. The token is what a replay is told by. Its
//! documentation names no tolerance.

use serde::Deserialize;
use std::borrow::Cow;

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Provider, Request, SecretError};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::{Encoding, Hash};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "mailgun",
    scheme: &Mailgun,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["event-data", "event"])]),
};

/// How many hexadecimal digits a token has. Nothing stands between it and the time, so that a token
/// of any length could take digits from the time, and be another.
const TOKEN_DIGITS: usize = 50;

struct Mailgun;

/// What is read of the body. A member that is there twice makes a body that is refused.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    signature: Option<Signature<'a>>,
}

#[derive(Deserialize)]
struct Signature<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

impl Scheme for Mailgun {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names::default()
    }

    fn covers(&self) -> Covers {
        Covers {
            body: false,
            ..Covers::BODY_AND_TIME
        }
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Ok(Hash::Sha256.key(secret)?)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let body: Result<Body<'_>, _> = serde_json::from_slice(request.body);
        let body = body.map_err(|_| Refused::MalformedBody("`signature` beside the event"))?;
        let said = body.signature;
        let said = said.ok_or(Refused::Missing(Carried::Signature))?;
        let is_token = said.token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if said.token.len() != TOKEN_DIGITS || !is_token {
            return Err(Refused::MalformedId);
        }
        let content = [said.timestamp.as_bytes(), said.token.as_bytes()].concat();
        let signature = Encoding::Hex.read(said.signature.as_bytes());
        let [timestamp, token] = [said.timestamp, said.token].map(String::from);
        Ok(Claim {
            id: Some((token.into_bytes().into(), true)),
            time: Some((timestamp.into_bytes().into(), Written::Seconds)),
            ..Claim::over(content, signature.into_iter().collect())
        })
    }

    fn is_signed(&self, key: &HmacKey, content: &[u8], found: &[Vec<u8>]) -> bool {
        is_hmac(key, content, found)
    }
}
