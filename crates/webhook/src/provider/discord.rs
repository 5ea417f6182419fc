//! Discord's interactions and events: time and body, signed with ed25519. Its documentation names
//! no tolerance. Both ask by a ping whether somebody is there: of an interaction, that is type 1;
//! of an event, which alone has a `version`, type 0.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use serde::Deserialize;

use super::answer::Accepted;
use super::handshake::Greeted;
use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Answer, Manners, Provider, Request, SecretError};
use crate::freshness::Written;
use crate::refused::Carried;
use crate::scheme::Encoding;
use crate::scheme::verify::needed;
use crate::{Refused, TOLERANCE_SECONDS};

pub(super) static PROVIDER: Provider = Provider {
    name: "discord",
    scheme: &Discord,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners {
        event_type: &[Place::Member(&["event", "type"]), Place::Member(&["type"])],
        accepted: Accepted::Of(accepted),
        signed_handshake: Some(pong),
        ..Manners::NONE
    },
};

const SIGNATURE: &str = "X-Signature-Ed25519";
const TIMESTAMP: &str = "X-Signature-Timestamp";
const PUBLIC_KEY_BYTES: usize = 32;

struct Discord;

impl Scheme for Discord {
    type Key = ParsedPublicKey;
    type Signature = [u8; 64];

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: Some(TIMESTAMP),
            signature: Some(SIGNATURE),
        }
    }

    fn covers(&self) -> Covers {
        Covers::BODY_AND_TIME
    }

    fn key(&self, secret: &str) -> Result<ParsedPublicKey, SecretError> {
        let key = Encoding::Hex.read(secret.as_bytes());
        let key = key.filter(|key| key.len() == PUBLIC_KEY_BYTES);
        let key = key.and_then(|key| ParsedPublicKey::new(&ED25519, key).ok());
        key.ok_or(SecretError::NotAnEd25519Key)
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, [u8; 64]>, Refused> {
        let headers = request.headers.iter().copied();
        let signature = needed(headers.clone(), SIGNATURE, Carried::Signature)?;
        let timestamp = needed(headers, TIMESTAMP, Carried::Timestamp)?;
        let signature = Encoding::Hex.read(signature);
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        let content = [timestamp, request.body].concat();
        Ok(Claim {
            time: Some((timestamp.into(), Written::Seconds)),
            ..Claim::over(content, signature.into_iter().collect())
        })
    }

    fn is_signed(&self, key: &ParsedPublicKey, content: &[u8], found: &[[u8; 64]]) -> bool {
        let mut found = found.iter();
        found.any(|signature| key.verify_sig(content, signature).is_ok())
    }
}

/// What a body says that it is.
#[derive(Deserialize)]
struct Kind {
    r#type: u8,
    /// Events have one.
    version: Option<u8>,
}

impl Kind {
    fn of(request: &Request<'_>) -> Option<Self> {
        serde_json::from_slice(request.body).ok()
    }
}

fn pong(request: &Request<'_>, _: &dyn Fn(&[u8]) -> Option<String>) -> Option<Greeted> {
    match Kind::of(request)? {
        Kind {
            r#type: 0,
            version: Some(_),
        } => Some(Ok(seen())),
        Kind {
            r#type: 1,
            version: None,
        } => Some(Ok(interaction(1))),
        _ => None,
    }
}

/// To an event, that it was seen. To an interaction, that an answer follows: what it is, who reads
/// the message says by Discord's API.
fn accepted(request: &Request<'_>) -> Answer {
    const COMPONENT: u8 = 3;
    const AUTOCOMPLETE: u8 = 4;
    const ANSWER_FOLLOWS: u8 = 5;
    const CHANGE_FOLLOWS: u8 = 6;
    match Kind::of(request) {
        Some(Kind {
            version: None,
            r#type,
        }) => match r#type {
            COMPONENT => interaction(CHANGE_FOLLOWS),
            AUTOCOMPLETE => Answer::json(r#"{"type":8,"data":{"choices":[]}}"#.to_owned()),
            _ => interaction(ANSWER_FOLLOWS),
        },
        _ => seen(),
    }
}

fn interaction(kind: u8) -> Answer {
    Answer::json(serde_json::json!({ "type": kind }).to_string())
}

/// Discord wants a content type, though nothing is there to have one.
fn seen() -> Answer {
    Answer {
        content_type: Some("application/json"),
        ..Answer::empty(204)
    }
}
