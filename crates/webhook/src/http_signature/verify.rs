//! Verifies a received message against a policy: which keys, what must be covered, for which use,
//! and how old it may be.
//!
//! It does not remember what it has seen: keeping replays out is the caller's, by the covered
//! `webhook-id` or by [`Verified::nonce`].

use super::base::{Unavailable, signature_base};
use super::digest::is_digest_of;
use super::fields::{Bare, InnerList, Item, parse_bytes, parse_lists};
use super::key::KnownKey;
use super::message::{Message, field};
use super::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT};
use crate::freshness::check_age;
use crate::{Refused, SIGNATURES_MAX, received};

/// What must hold of a message for it to be taken for genuine.
#[derive(Clone, Copy)]
pub struct Verifier<'k> {
    /// Any of these may have signed, if the signature's `keyid` is its own. Several may share an
    /// id while one replaces another. Empty means that nothing is accepted.
    pub keys: &'k [KnownKey],
    /// What a signature must cover, by the names of components without parameters. For webhooks,
    /// at least [`WEBHOOK_COMPONENTS`](super::WEBHOOK_COMPONENTS).
    pub required: &'k [&'k str],
    /// The `tag` that a signature must have. Without one, any or none.
    pub tag: Option<&'k str>,
    /// How far `created` may lie from now, in seconds, either way, both ends included. `expires`
    /// has no such leeway.
    pub tolerance_seconds: u32,
}

/// What a genuine message says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Which of the verifier's keys matched, so that a rotation can be watched to its end.
    pub key: usize,
    /// The signature's label.
    pub label: String,
    /// When it was signed, in seconds since the Unix epoch.
    pub created: i64,
    /// The signature's `nonce`, if it has one.
    pub nonce: Option<String>,
}

impl Verifier<'_> {
    /// Verifies a message by its headers and the bytes of its body as they were received. One
    /// signature that meets everything is enough; others are passed over. `now` is in seconds
    /// since the Unix epoch.
    ///
    /// Each of the two headers must be there once: who adds a signature on the way adds it to the
    /// same line.
    ///
    /// Where a signature covers `content-digest`, required or not, the digest must be the body's.
    /// The age is judged last, so that [`Refused::TooOld`] and [`Refused::Expired`] tell of a
    /// message that was once genuine.
    pub fn verify(
        &self,
        message: &Message<'_>,
        body: &[u8],
        now: i64,
    ) -> Result<Verified, Refused> {
        if self.keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let headers = message.headers().iter().copied();
        let [input, signatures] = received::pick(headers, [SIGNATURE_INPUT, SIGNATURE])?;
        let signatures = signatures.ok_or(Refused::MissingHeader(SIGNATURE))?;
        let input = input.ok_or(Refused::MissingHeader(SIGNATURE_INPUT))?;
        let input = parse_lists(input).ok_or(Refused::MalformedHeader(SIGNATURE_INPUT))?;
        let signatures = parse_bytes(signatures).ok_or(Refused::MalformedHeader(SIGNATURE))?;
        if input.len() > SIGNATURES_MAX {
            return Err(Refused::TooManySignatures);
        }

        let mut refused = Refused::OtherTag;
        for (label, covered) in input.iter().filter(|(_, covered)| self.is_for_use(covered)) {
            let signature = signatures.iter().find(|(other, _)| other == label);
            let judged = match signature {
                Some((_, Some(bytes))) => Signature { covered, bytes }.judge(self, message),
                _ => Err(Refused::NoUsableSignature),
            };
            let judged = judged.and_then(|signed| {
                check_digest(message, covered, body)?;
                signed.check_time(self.tolerance_seconds, now)?;
                Ok(signed)
            });
            match judged {
                Ok(signed) => return Ok(signed.into_verified(label)),
                Err(reason) => refused = reason,
            }
        }
        Err(refused)
    }

    fn is_for_use(&self, covered: &InnerList) -> bool {
        match (self.tag, covered.parameters.get("tag")) {
            (None, _) => true,
            (Some(wanted), Some(Bare::Text(tag))) => tag == wanted,
            (Some(_), _) => false,
        }
    }
}

/// One of the message's signatures.
#[derive(Clone, Copy)]
struct Signature<'s> {
    covered: &'s InnerList,
    bytes: &'s [u8],
}

/// What a signature with a matching key says.
struct Signed {
    key: usize,
    created: i64,
    expires: Option<i64>,
    nonce: Option<String>,
}

impl Signature<'_> {
    /// Everything but the body and the time.
    fn judge(self, verifier: &Verifier<'_>, message: &Message<'_>) -> Result<Signed, Refused> {
        let id = self
            .text("keyid")?
            .ok_or(Refused::MissingParameter("keyid"))?;
        let created = self.seconds("created")?;
        let created = created.ok_or(Refused::MissingParameter("created"))?;
        let expires = self.seconds("expires")?;
        let nonce = self.text("nonce")?.map(str::to_owned);
        let algorithm = self.text("alg")?;

        for required in verifier.required {
            let covers =
                |item: &Item| item.text == *required && item.parameters.iter().next().is_none();
            if !self.covered.items.iter().any(covers) {
                return Err(Refused::Uncovered(well_known(required)));
            }
        }

        let named = || {
            verifier
                .keys
                .iter()
                .enumerate()
                .filter(|(_, key)| key.is_called(id))
        };
        let fits = |key: &KnownKey| algorithm.is_none_or(|alg| alg == key.algorithm().name());
        if named().next().is_none() {
            return Err(Refused::UnknownKey);
        }
        if !named().any(|(_, key)| fits(key)) {
            return Err(Refused::OtherAlgorithm);
        }
        let base = signature_base(message, self.covered)
            .map_err(|Unavailable(item)| Refused::Unavailable(well_known(&item.text)))?;
        let (key, _) = named()
            .find(|(_, key)| fits(key) && key.verifies(&base, self.bytes))
            .ok_or(Refused::WrongSignature)?;
        Ok(Signed {
            key,
            created,
            expires,
            nonce,
        })
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Refused> {
        match self.covered.parameters.get(name) {
            None => Ok(None),
            Some(Bare::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::MalformedHeader(SIGNATURE_INPUT)),
        }
    }

    fn seconds(&self, name: &str) -> Result<Option<i64>, Refused> {
        match self.covered.parameters.get(name) {
            None => Ok(None),
            Some(Bare::Integer(seconds)) => Ok(Some(*seconds)),
            Some(_) => Err(Refused::MalformedHeader(SIGNATURE_INPUT)),
        }
    }
}

impl Signed {
    fn check_time(&self, tolerance_seconds: u32, now: i64) -> Result<(), Refused> {
        if let Some(expires) = self.expires
            && now > expires
        {
            let seconds = now.abs_diff(expires);
            return Err(Refused::Expired { seconds });
        }
        check_age(self.created, now, tolerance_seconds)
    }

    fn into_verified(self, label: &str) -> Verified {
        Verified {
            key: self.key,
            label: label.to_owned(),
            created: self.created,
            nonce: self.nonce,
        }
    }
}

/// That a covered digest is the body's. A response's signature that covers the digest of the
/// request says nothing of its own body.
fn check_digest(message: &Message<'_>, covered: &InnerList, body: &[u8]) -> Result<(), Refused> {
    let covers = |item: &Item| item.text == CONTENT_DIGEST && item.parameters.get("req").is_none();
    if !covered.items.iter().any(covers) {
        return Ok(());
    }
    match field(message.headers(), CONTENT_DIGEST) {
        Some(digest) if is_digest_of(&digest, body) => Ok(()),
        _ => Err(Refused::WrongDigest),
    }
}

/// A component's name for a refusal, which has no room for one that somebody chose.
fn well_known(name: &str) -> &'static str {
    const NAMES: [&str; 16] = [
        "@authority",
        "@method",
        "@path",
        "@query",
        "@query-param",
        "@request-target",
        "@scheme",
        "@status",
        "@target-uri",
        "authorization",
        "content-digest",
        "content-length",
        "content-type",
        "date",
        "webhook-id",
        "webhook-timestamp",
    ];
    let known = NAMES.into_iter().find(|known| *known == name);
    known.unwrap_or("a component that is not well known")
}
