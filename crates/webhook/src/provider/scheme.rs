//! What a scheme has to say of itself, and how a request of any is verified: by what was signed and
//! the signatures over it, which the scheme reads, and by its keys.
//!
//! A scheme reads and compares; it never decides that a request is genuine.

use std::borrow::Cow;
use std::ops::Deref;

use super::{Outgoing, Request, SecretError, SignError};
use crate::freshness::Written;
use crate::{Refused, is_valid_id};

/// How a provider signs.
pub(super) trait Scheme: Sync {
    type Key: Send + Sync;
    type Signature;

    fn names(&self) -> Names;
    fn covers(&self) -> Covers;
    /// The key of a secret's text.
    fn key(&self, secret: &str) -> Result<Self::Key, SecretError>;
    /// What a request says of itself, genuine or not.
    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Self::Signature>, Refused>;
    /// Whether one of the signatures was made with this key over this content.
    fn is_signed(&self, key: &Self::Key, content: &[u8], found: &[Self::Signature]) -> bool;

    /// Whether such a key can check such a signature.
    fn fits(&self, _key: &Self::Key, _signature: &Self::Signature) -> bool {
        true
    }

    /// The hex HMAC of a text with this key, for handshakes that ask for one.
    fn hex_hmac(&self, _key: &Self::Key, _text: &[u8]) -> Option<String> {
        None
    }

    /// What is said where no key has signed.
    fn mismatch(&self) -> Refused {
        Refused::WrongSignature
    }

    fn sign(
        &self,
        _secrets: &[&str],
        _request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        Err(SignError::OnlyVerified)
    }
}

/// The headers of a scheme, as its sender writes them, where it has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// The one that carries the message's id.
    pub id: Option<&'static str>,
    /// The one that carries the signed time.
    pub timestamp: Option<&'static str>,
    /// The one that carries the signature, or a token in its place.
    pub signature: Option<&'static str>,
}

/// What a scheme's signature covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Covers {
    /// The whole body.
    pub(super) body: bool,
    /// The time.
    pub(super) time: bool,
    /// The URL.
    pub(super) url: bool,
    /// The method.
    pub(super) method: bool,
    /// Anything at all.
    pub(super) anything: bool,
}

impl Covers {
    pub(super) const BODY: Self = Self {
        body: true,
        time: false,
        url: false,
        method: false,
        anything: true,
    };
    pub(super) const BODY_AND_TIME: Self = Self {
        time: true,
        ..Self::BODY
    };
    pub(super) const NOTHING: Self = Self {
        body: false,
        anything: false,
        ..Self::BODY
    };

    pub(super) fn guard(self) -> ReplayGuard {
        match (self.anything, self.time) {
            (false, _) => ReplayGuard::Nothing,
            (true, true) => ReplayGuard::ByAge,
            (true, false) => ReplayGuard::ByMemory,
        }
    }
}

/// By what a provider's replays can be kept out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplayGuard {
    /// The time is signed: what is too old is refused, so that replay keys need to be remembered
    /// for twice the tolerance alone.
    ByAge,
    /// No time is signed: a replay is genuine for ever, and told by remembered replay keys alone.
    ByMemory,
    /// Nothing is signed. Whoever has seen one request can send any other; a replay key tells
    /// honest repeats, and no more.
    Nothing,
}

/// What a request says of itself.
pub(super) struct Claim<'r, S> {
    /// Each of which has to be signed. Mostly there is one.
    pub(super) items: Vec<Item<S>>,
    /// The id, and whether it is signed.
    pub(super) id: Option<(Cow<'r, [u8]>, bool)>,
    /// The signed time, and how it is written.
    pub(super) time: Option<(Cow<'r, [u8]>, Written)>,
}

/// What was signed, and the well-formed signatures over it.
pub(super) struct Item<S> {
    pub(super) content: Vec<u8>,
    pub(super) signatures: Vec<S>,
}

impl<S> Claim<'_, S> {
    /// A claim of which nothing is known but what is signed.
    pub(super) fn over(content: Vec<u8>, signatures: Vec<S>) -> Self {
        Self {
            items: vec![Item {
                content,
                signatures,
            }],
            id: None,
            time: None,
        }
    }

    fn content(&self) -> Vec<u8> {
        let items = self.items.iter().map(|item| item.content.as_slice());
        items.collect::<Vec<_>>().join(&b'\n')
    }
}

/// What a request says of itself, genuine or not, to show to people who look for what is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content<'r> {
    /// The message's id.
    pub id: Option<Cow<'r, [u8]>>,
    /// The signed time as it is written.
    pub timestamp: Option<Cow<'r, [u8]>>,
    /// What has to be signed, without what is secret of it; where that is more than one text, with
    /// line breaks between them.
    pub bytes: Vec<u8>,
}

/// What was found to be signed, of whatever age.
pub(super) struct Proof<'r> {
    pub(super) id: Option<(Cow<'r, str>, bool)>,
    pub(super) signed_at: Option<i64>,
    pub(super) content: Vec<u8>,
    pub(super) key: usize,
}

/// A scheme, whatever its keys and signatures are.
pub(super) trait AnyScheme: Sync {
    fn names(&self) -> Names;
    fn covers(&self) -> Covers;
    fn keys(&'static self, secrets: &[&str]) -> Result<Box<dyn Keys>, SecretError>;
    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError>;
}

/// Keys of a scheme, with it.
pub(super) trait Keys: Send + Sync {
    fn content<'r>(&self, request: &Request<'r>) -> Result<Content<'r>, Refused>;
    fn prove<'r>(&self, request: &Request<'r>) -> Result<Proof<'r>, Refused>;
    /// As [`Scheme::hex_hmac`], with the key at this place.
    fn hex_hmac(&self, key: usize, text: &[u8]) -> Option<String>;
}

impl<S: Scheme> AnyScheme for S {
    fn names(&self) -> Names {
        Scheme::names(self)
    }

    fn covers(&self) -> Covers {
        Scheme::covers(self)
    }

    fn keys(&'static self, secrets: &[&str]) -> Result<Box<dyn Keys>, SecretError> {
        Ok(Box::new(Keyed::new(self, secrets)?))
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        Scheme::sign(self, secrets, request)
    }
}

/// A scheme, be it a part of the program or not, with its keys.
pub(super) struct Keyed<D: Deref<Target: Scheme>> {
    scheme: D,
    keys: Vec<<D::Target as Scheme>::Key>,
}

impl<D: Deref<Target: Scheme>> Keyed<D> {
    pub(super) fn new(scheme: D, secrets: &[&str]) -> Result<Self, SecretError> {
        let keys = secrets.iter().map(|secret| scheme.key(secret));
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Self { scheme, keys })
    }
}

impl<D: Deref<Target: Scheme> + Send + Sync> Keys for Keyed<D> {
    fn content<'r>(&self, request: &Request<'r>) -> Result<Content<'r>, Refused> {
        let claim = self.scheme.read(request)?;
        Ok(Content {
            bytes: claim.content(),
            id: claim.id.map(|(id, _)| id),
            timestamp: claim.time.map(|(text, _)| text),
        })
    }

    fn prove<'r>(&self, request: &Request<'r>) -> Result<Proof<'r>, Refused> {
        if self.keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let claim = self.scheme.read(request)?;
        let content = claim.content();
        let id = claim
            .id
            .map(|(id, is_signed)| Ok((read_id(id)?, is_signed)));
        let id = id.transpose()?;
        let time = claim.time.map(|(text, written)| written.read(&text));
        let signed_at = time.transpose()?;
        // Items of one request may be signed with different keys: the oldest that is needed counts.
        let mut key = None;
        for item in &claim.items {
            key = key.max(Some(self.matching_key(item)?));
        }
        Ok(Proof {
            id,
            signed_at,
            content,
            key: key.ok_or(Refused::NoUsableSignature)?,
        })
    }

    fn hex_hmac(&self, key: usize, text: &[u8]) -> Option<String> {
        self.scheme.hex_hmac(self.keys.get(key)?, text)
    }
}

impl<D: Deref<Target: Scheme>> Keyed<D> {
    /// The place of the first key with which one of the signatures was made.
    fn matching_key(
        &self,
        item: &Item<<D::Target as Scheme>::Signature>,
    ) -> Result<usize, Refused> {
        let fits = |key| {
            let mut found = item.signatures.iter();
            found.any(|signature| self.scheme.fits(key, signature))
        };
        if !self.keys.iter().any(fits) {
            return Err(Refused::NoUsableSignature);
        }
        let is_signed = |key| self.scheme.is_signed(key, &item.content, &item.signatures);
        let mut keys = self.keys.iter();
        keys.position(is_signed).ok_or(self.scheme.mismatch())
    }
}

fn read_id(id: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Refused> {
    let text = match id {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    text.filter(|text| is_valid_id(text))
        .ok_or(Refused::MalformedId)
}
