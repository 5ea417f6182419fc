//! The members of a JWK's JSON (RFC 7517), as texts, and what is wrong with them. It knows no
//! key, only how each member is read: strictly, and without repeating it in an error.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, UnknownAlgorithm};

/// The longest JWK that is read, in bytes: an RSA key of 8192 bits with its private members and a
/// certificate chain beside it is shorter.
pub const JWK_BYTES_MAX: usize = 32 << 10;

/// The longest `kid`, in bytes. It stands in every delivery.
pub const KEY_ID_BYTES_MAX: usize = 256;

/// Why a JWK is no key to encrypt to, or to decrypt with. The texts never repeat the key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Longer than [`JWK_BYTES_MAX`].
    #[error("a JWK has at most {JWK_BYTES_MAX} bytes")]
    TooLong,
    /// Not JSON, or not the JSON of a JWK.
    #[error(
        "a JWK is a JSON object whose members are those of RFC 7517, each there once: \
         not so at line {line}, column {column}"
    )]
    NotJson {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// A `kty` and `crv` that nothing is encrypted to.
    #[error("the key is none of `kty` EC with `crv` P-256, OKP with X25519, and RSA")]
    UnsupportedKey,
    /// A private key where its public half belongs.
    #[error(
        "this is a private or secret key, which nobody but the receiver may have: give its public \
         members alone, and replace the key if this one has left its owner"
    )]
    PrivateKeyGiven,
    /// A public key where the private one belongs.
    #[error("this is a public key, which cannot decrypt: give the private one, with `d`")]
    PublicKeyGiven,
    /// A member that this kind of key needs is not there.
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    /// A member is not base64url.
    #[error("the member `{0}` must be base64url without padding")]
    NotBase64Url(&'static str),
    /// A member has too few or too many bytes.
    #[error("the member `{member}` must hold {expected} bytes, not {actual}")]
    WrongSize {
        /// Which member.
        member: &'static str,
        /// How many bytes the curve's keys have.
        expected: usize,
        /// How many it holds.
        actual: usize,
    },
    /// `x` and `y` are no point of the curve, or one that agrees with every key on the same.
    #[error("the members `x` and `y` are not a public key of the curve")]
    NotOnCurve,
    /// An RSA modulus that is too small to be safe, or so large that it is slow.
    #[error("the RSA key has {bits} bits: 2048 to 8192 are allowed")]
    ModulusSize {
        /// How many bits `n` has.
        bits: usize,
    },
    /// An RSA exponent that is even, tiny or huge, or a modulus that is even.
    #[error(
        "`n` must be odd, and `e` an odd number from 65537 to 4294967295, without leading zeros"
    )]
    NotAnRsaKey,
    /// The private members don't belong to the public ones.
    #[error("the private members do not belong to the public ones")]
    Inconsistent,
    /// The key is for signatures.
    #[error("the key is not for encryption: its `use` must be `enc` or absent")]
    NotForEncryption,
    /// The key is for other operations.
    #[error("the key's `key_ops` do not allow it to be used for encrypting a key")]
    OperationNotAllowed,
    /// An `alg` that nothing is encrypted with, or not with this kind of key.
    #[error(
        "the algorithm does not fit the key: EC and OKP keys take `ECDH-ES` or `ECDH-ES+A256KW`, \
         RSA keys take `RSA-OAEP-256`"
    )]
    UnfitAlgorithm,
    /// The key's own `alg` is another one than was asked for.
    #[error("the key says that it is for `{0}` only")]
    OtherAlgorithm(Algorithm),
    /// A `kid` that is empty, too long, or has control characters.
    #[error("`kid` must have 1 to {KEY_ID_BYTES_MAX} bytes, and no control characters")]
    MalformedKeyId,
}

impl From<UnknownAlgorithm> for JwkError {
    fn from(_: UnknownAlgorithm) -> Self {
        Self::UnfitAlgorithm
    }
}

/// What is read of a JWK. What else it has is passed over, as RFC 7517 says. Private members are
/// borrowed from the text, so that none is copied and left behind.
#[derive(Deserialize)]
pub(super) struct Members<'j> {
    pub(super) kty: String,
    pub(super) kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    pub(super) crv: Option<String>,
    pub(super) x: Option<String>,
    pub(super) y: Option<String>,
    pub(super) n: Option<String>,
    pub(super) e: Option<String>,
    pub(super) d: Option<&'j str>,
    pub(super) p: Option<&'j str>,
    pub(super) q: Option<&'j str>,
    pub(super) dp: Option<&'j str>,
    pub(super) dq: Option<&'j str>,
    pub(super) qi: Option<&'j str>,
    /// A shared secret's.
    k: Option<&'j str>,
    /// More than two primes.
    pub(super) oth: Option<serde::de::IgnoredAny>,
}

impl<'j> Members<'j> {
    pub(super) fn parse(json: &'j str) -> Result<Self, JwkError> {
        if json.len() > JWK_BYTES_MAX {
            return Err(JwkError::TooLong);
        }
        // serde_json's own text would quote what it met, which may be a secret.
        let members: Self = serde_json::from_str(json).map_err(|error| JwkError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        let well_formed = |kid: &String| {
            (1..=KEY_ID_BYTES_MAX).contains(&kid.len()) && !kid.chars().any(char::is_control)
        };
        if !members.kid.as_ref().is_none_or(well_formed) {
            return Err(JwkError::MalformedKeyId);
        }
        if members.usage.as_ref().is_some_and(|usage| usage != "enc") {
            return Err(JwkError::NotForEncryption);
        }
        Ok(members)
    }

    /// Whether any member is there that only the key's owner may know.
    pub(super) fn has_private(&self) -> bool {
        let secrets = [self.d, self.p, self.q, self.dp, self.dq, self.qi, self.k];
        secrets.iter().any(Option::is_some) || self.oth.is_some()
    }

    /// The key's own `use`, which is `enc` where it is there.
    pub(super) fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// The key's own `alg`, which must be one of keys of this kind.
    pub(super) fn algorithm(&self) -> Result<Option<Algorithm>, JwkError> {
        let Some(name) = &self.alg else {
            return Ok(None);
        };
        let algorithm: Algorithm = name.parse()?;
        if algorithm.is_rsa() != (self.kty == "RSA") {
            return Err(JwkError::UnfitAlgorithm);
        }
        Ok(Some(algorithm))
    }

    /// Refuses `key_ops` that leave out all of `allowed`. An empty list says nothing: that is how
    /// WebCrypto exports the public half of a key for agreement.
    pub(super) fn check_operations(&self, allowed: [&str; 2]) -> Result<(), JwkError> {
        let fits = |operations: &Vec<String>| {
            operations.is_empty()
                || operations
                    .iter()
                    .any(|operation| allowed.contains(&operation.as_str()))
        };
        if self.key_ops.as_ref().is_none_or(fits) {
            Ok(())
        } else {
            Err(JwkError::OperationNotAllowed)
        }
    }
}

/// The bytes of a member.
pub(super) fn bytes(
    member: &'static str,
    value: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, JwkError> {
    URL_SAFE_NO_PAD
        .decode(value.ok_or(JwkError::Missing(member))?)
        .map(Zeroizing::new)
        .map_err(|_| JwkError::NotBase64Url(member))
}

/// The bytes of a member that has `expected` of them.
pub(super) fn bytes_exactly(
    member: &'static str,
    value: Option<&str>,
    expected: usize,
) -> Result<Zeroizing<Vec<u8>>, JwkError> {
    let bytes = bytes(member, value)?;
    let actual = bytes.len();
    if actual != expected {
        return Err(JwkError::WrongSize {
            member,
            expected,
            actual,
        });
    }
    Ok(bytes)
}
