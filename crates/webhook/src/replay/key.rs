//! What a guard remembers: a digest, so that keys are short whatever a sender signs, and tell
//! nothing of it.

use aws_lc_rs::digest::{Context, SHA256};

use crate::provider::ReplayKey;

/// What tells a replay, within one source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key([u8; 32]);

/// Keys of one kind never equal those of another.
#[derive(Clone, Copy)]
enum Kind {
    SignedId = 1,
    Content = 2,
    UnsignedId = 3,
}

impl Key {
    /// The key of what is signed. What two sources sign has different keys, for ids of theirs may
    /// be the same by chance.
    pub fn of(source: &str, replay_key: &ReplayKey<'_>) -> Self {
        match replay_key {
            ReplayKey::Id(id) => Self::new(source, Kind::SignedId, id.as_bytes()),
            ReplayKey::Content(digest) => Self::new(source, Kind::Content, digest),
        }
    }

    /// The key of an id that is not signed: never more than a second one, since whoever sends a
    /// request again can change it.
    pub fn of_unsigned_id(source: &str, id: &str) -> Self {
        Self::new(source, Kind::UnsignedId, id.as_bytes())
    }

    /// Its bytes, to be written where a transaction writes what the message asks for.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn new(source: &str, kind: Kind, bytes: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        // With its length before it, no source's name can reach into what follows.
        context.update(&(source.len() as u64).to_be_bytes());
        context.update(source.as_bytes());
        context.update(&[kind as u8]);
        context.update(bytes);
        let digest = context.finish();
        let bytes = digest.as_ref().try_into();
        Self(bytes.expect("a SHA-256 has 32 bytes"))
    }
}
