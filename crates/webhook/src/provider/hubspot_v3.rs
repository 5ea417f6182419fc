//! HubSpot, third version: method, URL, body and time are signed, with some of the URL's escapes
//! undone. Which ones is its documentation's list; others stay as they are.

use std::borrow::Cow;

use super::hmac::is_hmac;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError};
use crate::freshness::Written;
use crate::scheme::template::{Part, Target, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};
use crate::{HmacKey, Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "hubspot-v3",
    scheme: &V3,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["subscriptionType"])]),
};

static SCHEME: HmacScheme = HmacScheme {
    signed: Template::known(&[Part::Method, Part::Url, Part::Body, Part::Timestamp]),
    time: Written::Milliseconds,
    hash: Hash::Sha256,
    encoding: Encoding::Base64,
    header: text("X-HubSpot-Signature-v3"),
    layout: Layout::Whole { prefix: text("") },
    id_header: None,
    timestamp_header: Some(text("X-HubSpot-Request-Timestamp")),
};

/// The escapes that are undone, and what they stand for.
const UNDONE: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// The scheme over the URL as HubSpot signs it.
struct V3;

impl Scheme for V3 {
    type Key = HmacKey;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Scheme::names(&SCHEME)
    }

    fn covers(&self) -> Covers {
        Covers {
            url: true,
            method: true,
            ..Covers::BODY_AND_TIME
        }
    }

    fn key(&self, secret: &str) -> Result<HmacKey, SecretError> {
        Scheme::key(&SCHEME, secret)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let said = SCHEME.read(request.headers.iter().copied())?;
        let url = undone(request.url);
        let target = Target {
            method: request.method,
            url: &url,
        };
        let values = said.values(target, request.body);
        let content = SCHEME.signed.pieces(values).collect::<Vec<_>>().concat();
        let time = said.timestamp.map(|text| (text.into(), SCHEME.time));
        Ok(Claim {
            time,
            ..Claim::over(content, said.digests)
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
        let url = undone(request.url);
        let request = Outgoing {
            url: &url,
            ..*request
        };
        Scheme::sign(&SCHEME, secrets, &request)
    }
}

/// In one pass, so that what an escape stands for is never taken for a part of another.
fn undone(url: &str) -> Cow<'_, str> {
    if !url.contains('%') {
        return url.into();
    }
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(place) = rest.find('%') {
        text.push_str(&rest[..place]);
        rest = &rest[place..];
        let is_next = |(escape, _): &&(&str, &str)| {
            let next = rest.get(..3);
            next.is_some_and(|next| next.eq_ignore_ascii_case(escape))
        };
        let (length, stands_for) = match UNDONE.iter().find(is_next) {
            Some((_, stands_for)) => (3, *stands_for),
            None => (1, "%"),
        };
        text.push_str(stands_for);
        rest = &rest[length..];
    }
    text.push_str(rest);
    text.into()
}
