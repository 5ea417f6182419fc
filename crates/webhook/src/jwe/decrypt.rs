//! Decrypts what was encrypted to one of the receiver's keys, and holds its header against what
//! was signed.
//!
//! What can be judged without a key has a reason of its own. Everything behind that is one error
//! with the same work before it, so that nobody learns about a key from how a forgery fails.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::agreement::{Key, Purpose, WRAPPING_BYTES, derive, unwrap};
use super::algorithm::{Algorithm, Curve, Encryption, IV_BYTES, TAG_BYTES};
use super::header::{HEADER_BYTES_MAX, Header, Read};
use super::private::{PrivateJwk, PrivateKey};
use super::public::point;

/// The longest text that is taken for a JWE, in bytes.
pub const COMPACT_BYTES_MAX: usize = 32 << 20;

/// Why a text was not decrypted. It is meant for the operator's eyes: an answer to the sender
/// should say no more than that the request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// Longer than [`COMPACT_BYTES_MAX`].
    #[error("the body is longer than {COMPACT_BYTES_MAX} bytes, too long for a JWE")]
    TooLong,
    /// Not five parts of base64url, or parts that are not as long as the algorithm has them.
    #[error("the body is not a JWE in its compact serialisation")]
    Malformed,
    /// The protected header is not the JSON object of a JWE.
    #[error("the protected header is not that of a JWE")]
    MalformedHeader,
    /// The header asks for compression, or for an extension with `crit`.
    #[error("the protected header asks for `zip` or `crit`, which are never accepted")]
    NotAccepted,
    /// An `alg` or `enc` that is never accepted, or not with the key that it was encrypted to.
    #[error("the protected header's `alg` or `enc` is not accepted with this key")]
    Algorithm,
    /// No key to decrypt with has the header's `kid`, or there are no keys at all.
    #[error("there is no key with the `kid` of the protected header")]
    NoKey,
    /// Encrypted to another key, or changed.
    #[error("the body cannot be decrypted: it was changed, or encrypted to another key")]
    Undecryptable,
}

/// Why an encrypted payload is not that of the signed request. Meant for the operator's eyes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It could not be decrypted.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// The content is not JSON, or does not say so.
    #[error("the protected header's `cty` is not `application/json`")]
    ContentType,
    /// The header lacks one of the members that bind the content to the request.
    #[error("the protected header lacks `{0}`")]
    Missing(&'static str),
    /// A payload of another message.
    #[error("the payload was encrypted for another message: `webhook-id` is not the signed one")]
    OtherId,
    /// A payload of another attempt.
    #[error("the payload was encrypted at another time: `webhook-timestamp` is not the signed one")]
    OtherTimestamp,
    /// A payload of another event type.
    #[error("the payload was encrypted for another event type than was signed")]
    OtherEventType,
    /// The sender's scheme doesn't sign the body, so that anybody could have encrypted this.
    #[error("the body is not signed, so that nothing tells who encrypted it")]
    Unsigned,
}

/// A decrypted content, and what was bound to it.
pub struct Decrypted {
    /// The content's bytes.
    pub payload: Vec<u8>,
    /// The protected header.
    pub header: Header,
}

/// What the signature of a request covers, and what its payload must have been encrypted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed<'s> {
    /// The message's id, `webhook-id`.
    pub id: &'s str,
    /// The attempt's time, `webhook-timestamp`, in seconds since the Unix epoch.
    pub timestamp: i64,
    /// The event type, where a signed header names it.
    pub event_type: Option<&'s str>,
}

/// A payload that belongs to the signed request.
pub struct Opened {
    /// The payload's bytes, JSON by what the sender says.
    pub payload: Vec<u8>,
    /// The message's event type, as the sender has bound it to the payload.
    pub event_type: String,
}

/// Decrypts, and refuses a payload that was encrypted for another message, attempt or event type
/// than the one that was signed.
///
/// Verify the signature first: without it, anybody could have encrypted this.
pub fn open(compact: &[u8], keys: &[PrivateJwk], signed: Signed<'_>) -> Result<Opened, OpenError> {
    let bound = Bound {
        id: Some(signed.id),
        timestamp: Some(signed.timestamp),
        event_type: signed.event_type,
    };
    let OpenedBound {
        payload,
        event_type,
        ..
    } = open_bound(compact, keys, bound)?;
    Ok(Opened {
        payload,
        event_type,
    })
}

/// What a signature says beside the body that it covers, as far as it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound<'s> {
    /// As in [`Signed`], where an id is signed.
    pub id: Option<&'s str>,
    /// The same, where a time is.
    pub timestamp: Option<i64>,
    /// The event type, where a signed header names it.
    pub event_type: Option<&'s str>,
}

/// A payload, and what its sender has bound to it.
pub struct OpenedBound {
    /// The payload's bytes, JSON by what the sender says.
    pub payload: Vec<u8>,
    /// The message's id.
    pub id: String,
    /// When it was encrypted, in seconds since the Unix epoch.
    pub timestamp: i64,
    /// Its event type.
    pub event_type: String,
}

/// As [`open`], where a signature may say less: what the header says is signed with the body, so
/// that it says the rest itself. Its age is left to the caller, for whom there is
/// [`check_age`](crate::check_age).
pub fn open_bound(
    compact: &[u8],
    keys: &[PrivateJwk],
    bound: Bound<'_>,
) -> Result<OpenedBound, OpenError> {
    let Decrypted { payload, header } = decrypt(compact, keys)?;
    if !header.is_json() {
        return Err(OpenError::ContentType);
    }
    let id = header.id.ok_or(OpenError::Missing("webhook-id"))?;
    let timestamp = header.timestamp;
    let timestamp = timestamp.ok_or(OpenError::Missing("webhook-timestamp"))?;
    let event_type = header.event_type;
    let event_type = event_type.ok_or(OpenError::Missing("webhook-event-type"))?;
    if bound.id.is_some_and(|signed| signed != id) {
        return Err(OpenError::OtherId);
    }
    if bound.timestamp.is_some_and(|signed| signed != timestamp) {
        return Err(OpenError::OtherTimestamp);
    }
    if bound.event_type.is_some_and(|signed| signed != event_type) {
        return Err(OpenError::OtherEventType);
    }
    Ok(OpenedBound {
        payload,
        id,
        timestamp,
        event_type,
    })
}

/// Decrypts with whichever of the keys the text was encrypted to: the one whose `kid` it names;
/// where either has none, each that might be.
///
/// The header is authentic when this succeeds, and says nothing of who sent it. [`open`] holds it
/// against a signed request.
pub fn decrypt(compact: &[u8], keys: &[PrivateJwk]) -> Result<Decrypted, DecryptError> {
    let parts = Parts::parse(compact)?;
    let header = parts.header;
    let mut refused = DecryptError::NoKey;
    for key in keys.iter().filter(|key| may_be_meant(key, &parts.read)) {
        match parts.decrypt(header, key) {
            Ok(payload) => {
                let header = parts.read.into_public();
                return Ok(Decrypted { payload, header });
            }
            Err(DecryptError::Algorithm) if refused != DecryptError::NoKey => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn may_be_meant(key: &PrivateJwk, header: &Read) -> bool {
    match (&key.key_id, &header.kid) {
        (Some(own), Some(named)) => own == named,
        _ => true,
    }
}

/// The five parts of a compact serialisation.
struct Parts<'c> {
    /// As it stands in the text, which is what is authenticated.
    header: &'c [u8],
    read: Read,
    algorithm: Algorithm,
    encryption: Encryption,
    encrypted_key: Vec<u8>,
    iv: [u8; IV_BYTES],
    content: Vec<u8>,
    tag: [u8; TAG_BYTES],
}

impl<'c> Parts<'c> {
    fn parse(compact: &'c [u8]) -> Result<Self, DecryptError> {
        if compact.len() > COMPACT_BYTES_MAX {
            return Err(DecryptError::TooLong);
        }
        let mut parts = compact.split(|&byte| byte == b'.');
        let mut next = || parts.next().ok_or(DecryptError::Malformed);
        let (header, encrypted_key, iv, content, tag) =
            (next()?, next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(DecryptError::Malformed);
        }
        let read = read_header(header)?;
        let algorithm = read.alg.parse().map_err(|_| DecryptError::Algorithm)?;
        let encryption = Encryption::from_name(&read.enc).ok_or(DecryptError::Algorithm)?;
        Ok(Self {
            header,
            read,
            algorithm,
            encryption,
            encrypted_key: decode(encrypted_key)?,
            iv: decode_exactly(iv)?,
            content: decode(content)?,
            tag: decode_exactly(tag)?,
        })
    }

    /// The content, if it was encrypted to this key.
    fn decrypt(&self, header: &[u8], key: &PrivateJwk) -> Result<Vec<u8>, DecryptError> {
        if !key.takes(self.algorithm) {
            return Err(DecryptError::Algorithm);
        }
        let found = match &key.key {
            PrivateKey::Agreement { curve, key } => self.agreed_key(*curve, key)?,
            PrivateKey::Rsa(key) => self.decrypted_key(key)?,
        };
        let bytes = self.encryption.key_bytes();
        let found = found.filter(|found| found.len() == bytes);
        // Without a content key, a wrong one is tried for the sake of the time that it takes.
        let genuine = found.is_some();
        let content_key = found.unwrap_or_else(|| Zeroizing::new(vec![0; bytes]));
        match self.open(header, &content_key) {
            Some(payload) if genuine => Ok(payload),
            _ => Err(DecryptError::Undecryptable),
        }
    }

    /// The content key that both sides agree on, or that was wrapped with such a one. Nothing
    /// where it can't be had from this key.
    fn agreed_key(
        &self,
        curve: Curve,
        key: &aws_lc_rs::agreement::PrivateKey,
    ) -> Result<Option<Key>, DecryptError> {
        let expected = match self.algorithm {
            Algorithm::EcdhEs => 0,
            _ => self.encryption.key_bytes() + WRAPPING_BYTES,
        };
        if self.encrypted_key.len() != expected {
            return Err(DecryptError::Malformed);
        }
        let ephemeral = self
            .read
            .epk
            .as_ref()
            .ok_or(DecryptError::MalformedHeader)?;
        if Curve::from_names(&ephemeral.kty, &ephemeral.crv) != Some(curve) {
            return Err(DecryptError::Undecryptable);
        }
        let ephemeral = point(curve, Some(&ephemeral.x), ephemeral.y.as_deref())
            .map_err(|_| DecryptError::MalformedHeader)?;
        let party = |text: &Option<String>| decode(text.as_deref().unwrap_or_default().as_bytes());
        let purpose = Purpose {
            algorithm: self.algorithm,
            encryption: self.encryption,
            from: &party(&self.read.apu)?,
            to: &party(&self.read.apv)?,
        };
        let agreed = derive(key, ephemeral, purpose);
        Ok(match self.algorithm {
            Algorithm::EcdhEs => agreed,
            _ => agreed.and_then(|agreed| unwrap(&agreed, &self.encrypted_key)),
        })
    }

    fn decrypted_key(&self, key: &OaepPrivateDecryptingKey) -> Result<Option<Key>, DecryptError> {
        if self.encrypted_key.len() != key.key_size_bytes() {
            return Err(DecryptError::Malformed);
        }
        let hash = match self.algorithm {
            Algorithm::RsaOaep => &OAEP_SHA1_MGF1SHA1,
            _ => &OAEP_SHA256_MGF1SHA256,
        };
        let mut buffer = Zeroizing::new(vec![0; key.min_output_size()]);
        let decrypted = key.decrypt(hash, &self.encrypted_key, &mut buffer, None);
        Ok(decrypted.ok().map(|key| Zeroizing::new(key.to_vec())))
    }

    fn open(&self, header: &[u8], content_key: &[u8]) -> Option<Vec<u8>> {
        let key = UnboundKey::new(self.encryption.cipher(), content_key).ok()?;
        let nonce = Nonce::assume_unique_for_key(self.iv);
        let mut payload = vec![0; self.content.len()];
        LessSafeKey::new(key)
            .open_separate_gather(
                nonce,
                Aad::from(header),
                &self.content,
                &self.tag,
                &mut payload,
            )
            .ok()?;
        Some(payload)
    }
}

fn read_header(encoded: &[u8]) -> Result<Read, DecryptError> {
    if encoded.len() > HEADER_BYTES_MAX.div_ceil(3) * 4 {
        return Err(DecryptError::MalformedHeader);
    }
    let read = Read::parse(&decode(encoded)?).ok_or(DecryptError::MalformedHeader)?;
    if read.asks_for_more() {
        return Err(DecryptError::NotAccepted);
    }
    Ok(read)
}

fn decode(encoded: &[u8]) -> Result<Vec<u8>, DecryptError> {
    URL_SAFE_NO_PAD
        .decode(encoded)
        .map_err(|_| DecryptError::Malformed)
}

fn decode_exactly<const N: usize>(encoded: &[u8]) -> Result<[u8; N], DecryptError> {
    decode(encoded)?
        .try_into()
        .map_err(|_| DecryptError::Malformed)
}
