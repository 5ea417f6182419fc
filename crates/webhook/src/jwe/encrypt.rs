//! Encrypts a payload to one recipient. The key is parsed once; each call makes a new content key
//! and IV.
//!
//! What is random is an argument, but for the padding of RSA-OAEP, which aws-lc-rs draws itself:
//! with a key of a curve, the same arguments give the same text.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ParsedPublicKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::agreement::{Key, Purpose, derive, wrap};
use super::algorithm::{Algorithm, Curve, Encryption, IV_BYTES, TAG_BYTES};
use super::header::{EphemeralKey, Written};
use super::members::JwkError;
use super::public::{Material, PublicJwk, UNCOMPRESSED};

const ENCRYPTION: Encryption = Encryption::A256Gcm;
const KEY_BYTES: usize = 32;

/// How many random bytes an encryption takes: an ephemeral key and another in case that the first
/// is none of the curve's, a content key, an IV.
pub const RANDOM_BYTES: usize = 2 * KEY_BYTES + KEY_BYTES + IV_BYTES;

/// What a payload belongs to. It stands in the protected header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context<'c> {
    /// The message's id, as in the header `webhook-id`.
    pub id: &'c str,
    /// The attempt's time in seconds since the Unix epoch, as in `webhook-timestamp`.
    pub timestamp: i64,
    /// The message's event type.
    pub event_type: &'c str,
    /// What the payload is: `application/json`, unless it was given with another media type.
    pub content_type: &'c str,
}

/// Why a payload was not encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// Neither of the two ephemeral keys was one of P-256: once in 2⁶⁴ times, if the bytes are
    /// random at all.
    #[error("the random bytes are no private key of the curve: they do not look random")]
    NotRandom,
    /// The library refused.
    #[error("the cryptographic library could not encrypt to this key")]
    Refused,
}

/// Whom payloads are encrypted to: a public key and an algorithm, prepared.
pub struct Recipient {
    key: RecipientKey,
    key_id: String,
    algorithm: Algorithm,
}

enum RecipientKey {
    Agreement { curve: Curve, key: ParsedPublicKey },
    Rsa(OaepPublicEncryptingKey),
}

/// The content key, and how the receiver comes by it.
struct ContentKey {
    key: Key,
    encrypted: Vec<u8>,
    ephemeral: Option<EphemeralKey>,
}

impl Recipient {
    /// Prepares a key, with `algorithm` or the one that [`PublicJwk::choose_algorithm`] chooses.
    pub fn new(jwk: &PublicJwk, algorithm: Option<Algorithm>) -> Result<Self, JwkError> {
        let algorithm = jwk.choose_algorithm(algorithm)?;
        let key = match &jwk.half.material {
            Material::Agreement { curve, key } => RecipientKey::Agreement {
                curve: *curve,
                key: key.clone(),
            },
            Material::Rsa(key) => RecipientKey::Rsa(
                OaepPublicEncryptingKey::new(key.clone()).map_err(|_| JwkError::NotAnRsaKey)?,
            ),
        };
        Ok(Self {
            key,
            key_id: jwk.key_id(),
            algorithm,
        })
    }

    /// The `kid` that the protected header names.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Encrypts a payload, and gives the compact serialisation: the body of the delivery, which is
    /// then signed. The media type is [`MEDIA_TYPE`](super::MEDIA_TYPE).
    ///
    /// `random` must be new for each call, from a source that is good enough for keys; wiping it
    /// is the caller's.
    pub fn encrypt(
        &self,
        context: Context<'_>,
        payload: &[u8],
        random: &[u8; RANDOM_BYTES],
    ) -> Result<String, EncryptError> {
        let (keys, iv) = random.split_at(3 * KEY_BYTES);
        let (ephemeral, content) = keys.split_at(2 * KEY_BYTES);
        let content_key = self.content_key(ephemeral, content)?;
        let header = self.header(content_key.ephemeral.as_ref(), context);

        let bytes = header.len() + content_key.encrypted.len() + payload.len();
        let mut compact = String::with_capacity(bytes.div_ceil(3) * 4 + 64);
        URL_SAFE_NO_PAD.encode_string(header, &mut compact);
        let header_end = compact.len();
        for part in [&content_key.encrypted, iv] {
            compact.push('.');
            URL_SAFE_NO_PAD.encode_string(part, &mut compact);
        }

        let mut content = payload.to_vec();
        let tag = seal(&content_key.key, iv, &compact[..header_end], &mut content)?;
        for part in [&content[..], &tag] {
            compact.push('.');
            URL_SAFE_NO_PAD.encode_string(part, &mut compact);
        }
        Ok(compact)
    }

    fn content_key(&self, ephemeral: &[u8], content: &[u8]) -> Result<ContentKey, EncryptError> {
        match &self.key {
            RecipientKey::Agreement { curve, key } => {
                let own = ephemeral_key(*curve, ephemeral)?;
                let agreed = derive(&own, key.clone(), self.purpose());
                let agreed = agreed.ok_or(EncryptError::Refused)?;
                let ephemeral = Some(public_of(&own, *curve)?);
                if self.algorithm == Algorithm::EcdhEs {
                    return Ok(ContentKey {
                        key: agreed,
                        encrypted: Vec::new(),
                        ephemeral,
                    });
                }
                Ok(ContentKey {
                    encrypted: wrap(&agreed, content).ok_or(EncryptError::Refused)?,
                    key: Zeroizing::new(content.to_vec()),
                    ephemeral,
                })
            }
            RecipientKey::Rsa(key) => {
                let mut encrypted = vec![0; key.ciphertext_size()];
                key.encrypt(&OAEP_SHA256_MGF1SHA256, content, &mut encrypted, None)
                    .map_err(|_| EncryptError::Refused)?;
                Ok(ContentKey {
                    key: Zeroizing::new(content.to_vec()),
                    encrypted,
                    ephemeral: None,
                })
            }
        }
    }

    fn purpose(&self) -> Purpose<'static> {
        Purpose {
            algorithm: self.algorithm,
            encryption: ENCRYPTION,
            from: b"",
            to: b"",
        }
    }

    fn header(&self, ephemeral: Option<&EphemeralKey>, context: Context<'_>) -> Vec<u8> {
        let written = Written {
            alg: self.algorithm.name(),
            enc: ENCRYPTION.name(),
            kid: &self.key_id,
            epk: ephemeral,
            cty: context.content_type,
            id: context.id,
            timestamp: &context.timestamp.to_string(),
            event_type: context.event_type,
        };
        serde_json::to_vec(&written).expect("a struct of texts becomes JSON")
    }
}

/// The first of two candidates that is a key of the curve: of P-256, nearly every 32 bytes are,
/// and of X25519 all.
fn ephemeral_key(curve: Curve, candidates: &[u8]) -> Result<agreement::PrivateKey, EncryptError> {
    candidates
        .chunks_exact(KEY_BYTES)
        .find_map(|bytes| agreement::PrivateKey::from_private_key(curve.agreement(), bytes).ok())
        .ok_or(EncryptError::NotRandom)
}

fn public_of(own: &agreement::PrivateKey, curve: Curve) -> Result<EphemeralKey, EncryptError> {
    let public = own
        .compute_public_key()
        .map_err(|_| EncryptError::Refused)?;
    let (x, y) = match public.as_ref() {
        [UNCOMPRESSED, coordinates @ ..] if curve != Curve::X25519 => {
            let (x, y) = coordinates.split_at(curve.coordinate_bytes());
            (x, Some(URL_SAFE_NO_PAD.encode(y)))
        }
        x => (x, None),
    };
    Ok(EphemeralKey {
        kty: curve.key_type().to_owned(),
        crv: curve.name().to_owned(),
        x: URL_SAFE_NO_PAD.encode(x),
        y,
    })
}

/// Encrypts in place. The protected header is authenticated as it stands in the text.
fn seal(
    key: &[u8],
    iv: &[u8],
    header: &str,
    content: &mut [u8],
) -> Result<[u8; TAG_BYTES], EncryptError> {
    let mut seal = || {
        let key = LessSafeKey::new(UnboundKey::new(ENCRYPTION.cipher(), key)?);
        let nonce = Nonce::try_assume_unique_for_key(iv)?;
        key.seal_in_place_separate_tag(nonce, Aad::from(header), content)
    };
    let tag = seal().map_err(|_| EncryptError::Refused)?;
    tag.as_ref().try_into().map_err(|_| EncryptError::Refused)
}
