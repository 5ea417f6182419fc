//! What is signed: `id.timestamp.body`.

use aws_lc_rs::hmac;

/// The three parts, not yet joined: HMAC reads them one after another, so that a body is copied
/// only for ed25519, which needs its message in one piece.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) id: &'a [u8],
    pub(super) timestamp: &'a [u8],
    pub(super) body: &'a [u8],
}

impl Content<'_> {
    /// The HMAC over the content, starting from the key's precomputed state.
    pub(super) fn hmac(self, key: &hmac::Key) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        for part in [self.id, b".", self.timestamp, b".", self.body] {
            context.update(part);
        }
        context.sign()
    }

    /// The content in one piece.
    pub(super) fn joined(self) -> Vec<u8> {
        [self.id, self.timestamp, self.body].join(&b'.')
    }
}
