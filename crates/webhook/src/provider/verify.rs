//! Verifies requests of a provider, and says what else there is to know of a genuine one.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};

use super::scheme::{Content, Keys, Proof, ReplayGuard};
use super::{Request, body};
use crate::Refused;
use crate::freshness::check_age;

/// What a source of a provider's requests is verified with. It does not print, and can't be asked
/// for its secrets.
pub struct Verifier {
    pub(super) keys: Box<dyn Keys>,
    pub(super) guard: ReplayGuard,
    pub(super) signs_body: bool,
    pub(super) body_id: Option<&'static str>,
}

/// What a genuine request says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
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
        })
    }

    /// What would have to be signed for a request to be genuine, as far as it can be read.
    pub fn content<'r>(&self, request: &Request<'r>) -> Result<Content<'r>, Refused> {
        self.keys.content(request)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest(&SHA256, bytes);
    let bytes = digest.as_ref().try_into();
    bytes.expect("a SHA-256 has 32 bytes")
}
