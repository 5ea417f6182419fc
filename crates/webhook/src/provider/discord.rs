//! Discord's interactions and events: time and body, signed with ed25519. Its documentation names
//! no tolerance. Both ask by a ping whether somebody is there: of an interaction, that is type 1;
//! of an event, which alone has a `version`, type 0.

use serde::Deserialize;

use super::answer::Accepted;
use super::ed25519::Ed25519;
use super::handshake::Greeted;
use super::place::Place;
use super::{Answer, Manners, Provider, Request, SecretError};
use crate::TOLERANCE_SECONDS;
use crate::scheme::Encoding;

pub(super) static PROVIDER: Provider = Provider {
    name: "discord",
    scheme: &SCHEME,
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("id"),
    manners: Manners {
        event_type: &[Place::Member(&["event", "type"]), Place::Member(&["type"])],
        accepted: Accepted::Of(accepted),
        signed_handshake: Some(pong),
        ..Manners::NONE
    },
};

static SCHEME: Ed25519 = Ed25519 {
    signature: "X-Signature-Ed25519",
    timestamp: "X-Signature-Timestamp",
    encoding: Encoding::Hex,
    between: b"",
    not_a_key: SecretError::NotAnEd25519Key,
};

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
