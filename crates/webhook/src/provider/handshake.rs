//! Handshakes: a provider asks whether its requests are welcome at a URL, before it sends any or
//! from time to time. Answering one makes no message.
//!
//! Where the provider signs its handshake, [`Verifier::handshake`](super::Verifier::handshake)
//! wants what verifying has shown. What can't be signed, since the secret is not agreed upon yet,
//! is [`Manners::open_handshake`](super::Manners::open_handshake)'s. Both give back what they were
//! given only where it is plain, visible ASCII and short, and as a text that no browser takes for
//! anything else: so nobody can make them say something in the receiver's name.

use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

use super::{Answer, Request, form};
use crate::Refused;
use crate::refused::Carried;
use crate::scheme::verify::single;

/// The longest challenge that is given back, in bytes.
pub const CHALLENGE_BYTES_MAX: usize = 512;

/// What comes of a request that is a handshake.
pub(super) type Greeted = Result<Answer, Refused>;

/// Answers a handshake that is signed, if the request is one. The second argument makes the hex
/// HMAC of a text with the key that signed.
pub(super) type Signed = fn(&Request<'_>, &dyn Fn(&[u8]) -> Option<String>) -> Option<Greeted>;

/// One that can't be signed.
#[derive(Clone, Copy)]
pub(super) enum Open {
    /// `GET` with `challenge`.
    Challenge,
    /// `GET` with `hub.challenge`, and a token that both know.
    VerifyToken,
    /// `OPTIONS`, as CloudEvents' web hooks have it.
    CloudEvents,
}

impl Open {
    pub(super) fn answer(self, request: &Request<'_>, verify_tokens: &[&str]) -> Option<Greeted> {
        match self {
            Self::Challenge => challenge(request),
            Self::VerifyToken => verify_token(request, verify_tokens),
            Self::CloudEvents => cloud_events(request),
        }
    }
}

/// Gives a challenge back.
pub(super) fn reflected(challenge: String) -> Greeted {
    let answer = Answer {
        content_type: Some("text/plain"),
        headers: vec![("X-Content-Type-Options", "nosniff".to_owned())],
        ..Answer::empty(200)
    };
    match is_plain(&challenge) {
        true => Ok(Answer {
            body: challenge,
            ..answer
        }),
        false => Err(Refused::MalformedChallenge),
    }
}

/// Whether a challenge may be given back.
pub(super) fn is_plain(challenge: &str) -> bool {
    (1..=CHALLENGE_BYTES_MAX).contains(&challenge.len())
        && challenge.bytes().all(|byte| byte.is_ascii_graphic())
}

fn challenge(request: &Request<'_>) -> Option<Greeted> {
    let is_get = request.method == "GET";
    let challenge = is_get.then(|| in_query(request, "challenge"))??;
    Some(reflected(challenge))
}

fn verify_token(request: &Request<'_>, verify_tokens: &[&str]) -> Option<Greeted> {
    let is_get = request.method == "GET";
    let mode = is_get.then(|| in_query(request, "hub.mode"))??;
    (mode == "subscribe").then(|| {
        let token = in_query(request, "hub.verify_token");
        let token = token.ok_or(Refused::Missing(Carried::Token))?;
        if verify_tokens.is_empty() {
            return Err(Refused::NoKey);
        }
        // Digests are equally long: comparing them tells not even the token's length.
        let token = digest(&SHA256, token.as_bytes());
        let is_token = |expected: &&str| {
            let expected = digest(&SHA256, expected.as_bytes());
            bool::from(expected.as_ref().ct_eq(token.as_ref()))
        };
        if !verify_tokens.iter().any(is_token) {
            return Err(Refused::WrongToken);
        }
        let challenge = in_query(request, "hub.challenge");
        reflected(challenge.ok_or(Refused::MalformedChallenge)?)
    })
}

/// The origin that asks is told that it may, as often as it likes: who doesn't want that leaves
/// this out. A `WebHook-Request-Callback` is never called.
fn cloud_events(request: &Request<'_>) -> Option<Greeted> {
    if request.method != "OPTIONS" {
        return None;
    }
    let headers = || request.headers.iter().copied();
    let origin = single(headers(), "WebHook-Request-Origin", Carried::Id);
    let origin = match origin.transpose()? {
        Ok(origin) => str::from_utf8(origin).unwrap_or_default().to_owned(),
        Err(refused) => return Some(Err(refused)),
    };
    if !is_plain(&origin) {
        return Some(Err(Refused::MalformedChallenge));
    }
    Some(Ok(Answer {
        headers: vec![
            ("Allow", "POST".to_owned()),
            ("WebHook-Allowed-Origin", origin),
            ("WebHook-Allowed-Rate", "*".to_owned()),
        ],
        ..Answer::empty(200)
    }))
}

fn in_query(request: &Request<'_>, name: &str) -> Option<String> {
    form::field(form::query(request.url).as_bytes(), name)
}
