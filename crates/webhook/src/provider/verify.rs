//! Verifies requests of a provider, and says what else there is to know of a genuine one.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};

use super::scheme::{Content, Keyed, Keys, Proof, ReplayGuard, Scheme};
use super::{Answer, Manners, Request, SecretError, body};
use crate::freshness::check_age;
use crate::refused::Carried;
use crate::scheme::generic::ID_HEADER;
use crate::scheme::verify::single;
use crate::{HmacScheme, Refused, is_valid_id};

/// What a source of a provider's requests is verified with. It does not print, and can't be asked
/// for its secrets.
pub struct Verifier {
    pub(super) keys: Box<dyn Keys>,
    pub(super) guard: ReplayGuard,
    pub(super) signs_body: bool,
    pub(super) body_id: Option<&'static str>,
    /// The header that holds an id, where none is signed.
    pub(super) unsigned_id: Option<&'static str>,
    pub(super) manners: Manners,
}

/// What a genuine request says of itself. Only a [`Verifier`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Genuine<'r> {
    /// The provider's own id of the message, where it sends one.
    pub id: Option<Id<'r>>,
    /// When it was signed, in seconds since the Unix epoch, where that is signed.
    pub signed_at: Option<i64>,
    /// What is the same if the request comes again, and can't be made another by who sends it
    /// again.
    pub replay_key: ReplayKey<'r>,
    /// How replays are kept out with that key.
    pub guard: ReplayGuard,
    /// Which of the verifier's secrets matched, so that a rotation can be watched to its end.
    pub key: usize,
    /// The messages of a batch whose items are signed one by one, each of them once. Where the
    /// request is one message, there are none.
    ///
    /// Whoever has seen a batch can put an item of it into another. So a replay of an item is told
    /// by the item's own key, and that of the whole request tells nothing of it.
    pub items: Vec<BatchItem>,
}

/// One of the messages of a batch. Its payload does not print.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchItem {
    /// A body as the provider would send it with this item alone.
    pub payload: Vec<u8>,
    /// What its provider tells it by.
    pub id: Option<Id<'static>>,
    /// Its event type, in the provider's own words.
    pub event_type: Option<String>,
    /// As [`Genuine::replay_key`], of the item alone.
    pub replay_key: ReplayKey<'static>,
}

/// The provider's own id of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Id<'r> {
    /// 1 to 256 visible ASCII characters without a full stop.
    pub text: Cow<'r, str>,
    /// Whether the signature covers it. An id that it doesn't cover can be changed by whoever sends
    /// the request again.
    pub is_signed: bool,
}

/// What tells a replay. It goes by what is signed, and never by the signature: of that there can be
/// several over one content, and some can be rewritten.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ReplayKey<'r> {
    /// The signed id, the same over all of the sender's attempts.
    Id(Cow<'r, str>),
    /// SHA-256 of what is signed; of the body, where nothing is.
    Content([u8; 32]),
}

impl Verifier {
    /// One for a scheme that no provider of this list has, such as
    /// [one that is written down](HmacScheme::generic). It takes what was signed with any of these
    /// secrets. Where no id is signed, it reads the one in `webhook-id`, if there is one.
    pub fn hmac(scheme: HmacScheme, secrets: &[&str]) -> Result<Self, SecretError> {
        let covers = Scheme::covers(&scheme);
        Ok(Self {
            keys: Box::new(Keyed::new(Box::new(scheme), secrets)?),
            guard: covers.guard(),
            signs_body: covers.body,
            body_id: None,
            unsigned_id: Some(ID_HEADER),
            manners: Manners::PLAIN,
        })
    }

    /// How its sender behaves beside how it signs.
    pub fn manners(&self) -> Manners {
        self.manners
    }

    /// By what replays of its sender are kept out.
    pub fn guard(&self) -> ReplayGuard {
        self.guard
    }

    /// Whether the whole body is signed: see [`Provider::signs_body`](super::Provider::signs_body).
    pub fn signs_body(&self) -> bool {
        self.signs_body
    }

    /// The answer to a handshake that its provider signs, if the request that this verifier found
    /// to be genuine is one: then it is no message.
    pub fn handshake(
        &self,
        request: &Request<'_>,
        genuine: &Genuine<'_>,
    ) -> Option<Result<Answer, Refused>> {
        let hex_hmac = |text: &[u8]| self.keys.hex_hmac(genuine.key, text);
        self.manners.signed_handshake?(request, &hex_hmac)
    }

    /// Verifies a request. `now` is in seconds since the Unix epoch; the tolerance says how far the
    /// signed time may lie from it either way, both ends included, and nothing where no time is
    /// signed. The age is judged last, so that [`Refused::TooOld`] tells of a message that was once
    /// genuine.
    pub fn verify<'r>(
        &self,
        request: &Request<'r>,
        now: i64,
        tolerance_seconds: u32,
    ) -> Result<Genuine<'r>, Refused> {
        let proof = self.keys.prove(request)?;
        if let Some(signed_at) = proof.signed_at {
            check_age(signed_at, now, tolerance_seconds)?;
        }
        let Proof {
            id,
            signed_at,
            content,
            key,
        } = proof;
        let id = id.map(|(text, is_signed)| Id { text, is_signed });
        let id = id.or_else(|| {
            let text = body::id(request.body, self.body_id?)?;
            Some(Id {
                text: text.into(),
                is_signed: self.signs_body,
            })
        });
        let id = id.or_else(|| self.unsigned_id(request));
        let replay_key = match &id {
            Some(id) if id.is_signed => ReplayKey::Id(id.text.clone()),
            _ if self.guard == ReplayGuard::Nothing => ReplayKey::Content(sha256(request.body)),
            _ => ReplayKey::Content(sha256(&content)),
        };
        Ok(Genuine {
            id,
            signed_at,
            replay_key,
            guard: self.guard,
            key,
            items: self
                .manners
                .split
                .map_or_else(Vec::new, |split| split(request.body)),
        })
    }

    /// One that is there twice, or is none, is as if it weren't there.
    fn unsigned_id<'r>(&self, request: &Request<'r>) -> Option<Id<'r>> {
        let headers = request.headers.iter().copied();
        let value = single(headers, self.unsigned_id?, Carried::Id).ok()??;
        let text = str::from_utf8(value)
            .ok()
            .filter(|text| is_valid_id(text))?;
        Some(Id {
            text: text.into(),
            is_signed: false,
        })
    }

    /// What would have to be signed for a request to be genuine, as far as it can be read.
    pub fn content<'r>(&self, request: &Request<'r>) -> Result<Content<'r>, Refused> {
        self.keys.content(request)
    }
}

impl std::fmt::Debug for BatchItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchItem")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest(&SHA256, bytes);
    let bytes = digest.as_ref().try_into();
    bytes.expect("a SHA-256 has 32 bytes")
}
