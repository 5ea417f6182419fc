//! Adobe Acrobat Sign: nothing is signed. Each request names the client that it is for, and wants
//! to be answered with that name; so does the `GET` by which Adobe asks whether its requests are
//! welcome.

use super::answer::Accepted;
use super::handshake::Greeted;
use super::place::Place;
use super::token::Token;
use super::{Answer, Manners, Provider, Request};
use crate::TOLERANCE_SECONDS;
use crate::refused::Carried;
use crate::scheme::verify::single;

pub(super) static PROVIDER: Provider = Provider {
    name: "adobe-sign",
    scheme: &Token {
        header: CLIENT,
        id_header: None,
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: Some("webhookNotificationId"),
    manners: Manners {
        event_type: &[Place::Member(&["event"])],
        accepted: Accepted::Of(named),
        signed_handshake: Some(welcome),
        ..Manners::NONE
    },
};

const CLIENT: &str = "X-AdobeSign-ClientId";

fn welcome(request: &Request<'_>, _: &dyn Fn(&[u8]) -> Option<String>) -> Option<Greeted> {
    (request.method == "GET").then(|| Ok(named(request)))
}

/// Gives back the client's name, which is the one that is agreed upon: the request was verified by
/// it.
fn named(request: &Request<'_>) -> Answer {
    let client = single(request.headers.iter().copied(), CLIENT, Carried::Token);
    let client = client.ok().flatten().unwrap_or_default();
    let client = String::from_utf8_lossy(client);
    Answer::json(serde_json::json!({ "xAdobeSignClientId": client }).to_string())
}
