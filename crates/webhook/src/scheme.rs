//! Other senders' schemes: an HMAC over the body and what belongs to it, in a header of theirs. A
//! scheme is one value that says what is signed, with which hash, how the digest is written, and
//! which headers carry it, the time and the id; signing and verifying both go by that value alone.
//! Another provider is another value.
//!
//! Standard Webhooks is not described here: it has keys of two algorithms and is in every attempt's
//! way, so it has code of its own, with one description too.
//!
//! Map: `known` (which of the providers' values endpoints sign with) · `generic` (one that people
//! write down themselves) · `template` (what is signed) · `key` (from a secret's text to a key) ·
//! `sign` · `verify`.

pub(crate) mod generic;
pub(crate) mod key;
pub(crate) mod known;
pub(crate) mod sign;
pub(crate) mod template;
pub(crate) mod verify;

use std::borrow::Cow;

use crate::freshness::Written;
use template::Template;

/// A name or another short text: a provider's is part of the program, the others were read.
pub(crate) type Text = Cow<'static, str>;

/// A text that is part of the program.
pub(crate) const fn text(text: &'static str) -> Text {
    Cow::Borrowed(text)
}

/// How a sender signs with HMAC, and how its receivers verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HmacScheme {
    pub(crate) signed: Template,
    pub(crate) time: Written,
    pub(crate) hash: Hash,
    pub(crate) encoding: Encoding,
    /// The header that carries the signature.
    pub(crate) header: Text,
    pub(crate) layout: Layout,
    pub(crate) id_header: Option<Text>,
    pub(crate) timestamp_header: Option<Text>,
}

/// What the HMAC is made with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hash {
    /// Still sound in an HMAC, and for receivers that know nothing else.
    Sha1,
    Sha256,
    Sha512,
}

/// How a digest is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// Written in lower case, read in either.
    Hex,
    /// The standard alphabet, with padding.
    Base64,
}

/// How the signature's header is laid out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// One digest behind a prefix.
    Whole { prefix: Text },
    /// Pairs like `t=TIME,v1=DIGEST`, of which several may be digests.
    Pairs {
        separator: char,
        timestamp: &'static str,
        digest: &'static str,
    },
}

impl HmacScheme {
    /// The header that carries the signature, as its sender writes it.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The header that carries the message's id, if one does.
    pub fn id_header(&self) -> Option<&str> {
        self.id_header.as_deref()
    }

    /// The header that carries the signed time, if it has one of its own.
    pub fn timestamp_header(&self) -> Option<&str> {
        self.timestamp_header.as_deref()
    }

    /// All of them.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let others = [self.id_header(), self.timestamp_header()];
        others.into_iter().flatten().chain([self.header()])
    }

    /// Whether the signature covers when it was made: only then can its age be judged.
    pub fn signs_time(&self) -> bool {
        self.signed.has_timestamp()
    }

    /// Whether a request can carry signatures with several keys, as a rotation without a gap needs
    /// it. Where it can't, the current key signs alone.
    pub fn carries_several(&self) -> bool {
        matches!(self.layout, Layout::Pairs { .. })
    }
}

#[cfg(test)]
mod tests;
