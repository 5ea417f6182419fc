//! What is signed: `id.timestamp.body`.

use aws_lc_rs::hmac;

/// The three parts, not yet joined: HMAC reads them one after another, so that a body is copied
/// only for ed25519, which needs its message in one piece.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) timestamp: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl<'a> Content<'a> {
    /// The HMAC over the content, starting from the key's precomputed state.
    pub(super) fn hmac(self, key: &hmac::Key) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        for part in self.pieces() {
            context.update(part);
        }
        context.sign()
    }

    /// The content as it is put together.
    pub(super) fn pieces(self) -> [&'a [u8]; 5] {
        [self.id, b".", self.timestamp, b".", self.body]
    }

    /// The content in one piece.
    pub(crate) fn joined(self) -> Vec<u8> {
        [self.id, self.timestamp, self.body].join(&b'.')
    }
}
