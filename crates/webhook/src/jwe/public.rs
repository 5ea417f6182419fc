//! The sender's side of a key: a public JWK, checked when it is read, so that what is wrong with
//! a key is said when it is configured rather than at each attempt.

use aws_lc_rs::agreement::{self, ParsedPublicKey, UnparsedPublicKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::{Algorithm, Curve};
use super::members::{JwkError, Members, bytes, bytes_exactly};

/// A public key to encrypt to: P-256, X25519, or RSA of 2048 to 8192 bits.
#[derive(Clone, Debug)]
pub struct PublicJwk {
    pub(super) half: PublicHalf,
    key_id: Option<String>,
    algorithm: Option<Algorithm>,
    pub(super) says_use: bool,
}

impl PublicJwk {
    /// Reads a JWK's JSON. A text with private members is refused rather than stripped: whoever
    /// sent it has to know that it left its owner.
    pub fn parse(json: &str) -> Result<Self, JwkError> {
        let members = Members::parse(json)?;
        if members.has_private() {
            return Err(JwkError::PrivateKeyGiven);
        }
        members.check_operations(match members.kty.as_str() {
            "RSA" => ["encrypt", "wrapKey"],
            _ => ["deriveKey", "deriveBits"],
        })?;
        let half = PublicHalf::read(&members)?;
        let algorithm = members.algorithm()?;
        if !algorithm.is_none_or(Algorithm::is_written) {
            return Err(JwkError::UnfitAlgorithm);
        }
        half.check_for_writing()?;
        Ok(Self {
            half,
            algorithm,
            says_use: members.usage().is_some(),
            key_id: members.kid,
        })
    }

    /// The key's `kid`, or its thumbprint where it has none.
    pub fn key_id(&self) -> String {
        self.key_id.clone().unwrap_or_else(|| self.thumbprint())
    }

    /// The key's own `kid`.
    pub(super) fn own_key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The key's SHA-256 thumbprint, as RFC 7638 says: base64url of 32 bytes.
    pub fn thumbprint(&self) -> String {
        self.half.thumbprint()
    }

    /// The key's members that are needed to encrypt to it, as JSON: what [`PublicJwk::parse`]
    /// reads back. Certificates and other members are left out.
    pub fn to_json(&self) -> String {
        self.half.to_json(self.own_key_id(), self.algorithm)
    }

    /// What to encrypt with: `asked`, else what the key says, else ECDH-ES+A256KW or RSA-OAEP-256.
    ///
    /// # Errors
    /// Where `asked` does not fit the kind of key, or the key is for another algorithm only.
    pub fn choose_algorithm(&self, asked: Option<Algorithm>) -> Result<Algorithm, JwkError> {
        if let (Some(asked), Some(own)) = (asked, self.algorithm)
            && asked != own
        {
            return Err(JwkError::OtherAlgorithm(own));
        }
        let usual = match self.half.material {
            Material::Agreement { .. } => Algorithm::EcdhEsA256Kw,
            Material::Rsa(_) => Algorithm::RsaOaep256,
        };
        let chosen = asked.or(self.algorithm).unwrap_or(usual);
        if chosen.is_written() && chosen.is_rsa() == usual.is_rsa() {
            Ok(chosen)
        } else {
            Err(JwkError::UnfitAlgorithm)
        }
    }
}

/// A key's public members and what they make.
#[derive(Clone, Debug)]
pub(super) struct PublicHalf {
    pub(super) material: Material,
    /// The members that RFC 7638 hashes, as it writes them.
    required: String,
}

#[derive(Clone, Debug)]
pub(super) enum Material {
    Agreement { curve: Curve, key: ParsedPublicKey },
    Rsa(PublicEncryptingKey),
}

impl PublicHalf {
    pub(super) fn read(members: &Members<'_>) -> Result<Self, JwkError> {
        if members.kty == "RSA" {
            return Self::read_rsa(members);
        }
        let name = members.crv.as_deref().unwrap_or_default();
        let curve = Curve::from_names(&members.kty, name).ok_or(JwkError::UnsupportedKey)?;
        let key = point(curve, members.x.as_deref(), members.y.as_deref())?;
        let (x, y) = (members.x.as_deref().unwrap_or_default(), &members.y);
        let required = match y {
            Some(y) if curve != Curve::X25519 => {
                format!(r#"{{"crv":"{name}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            _ => format!(r#"{{"crv":"{name}","kty":"OKP","x":"{x}"}}"#),
        };
        let material = Material::Agreement { curve, key };
        Ok(Self { material, required })
    }

    fn read_rsa(members: &Members<'_>) -> Result<Self, JwkError> {
        let n = bytes("n", members.n.as_deref())?;
        let e = bytes("e", members.e.as_deref())?;
        let bits = 8 * n.len() - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) {
            return Err(JwkError::ModulusSize { bits });
        }
        let exponent = e
            .iter()
            .take(8)
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let in_range = (1..=4).contains(&e.len()) && exponent >= 65_537 && e[0] != 0;
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        if !in_range || !odd(&e) || !odd(&n) || n.first() == Some(&0) {
            return Err(JwkError::NotAnRsaKey);
        }
        let components = PublicKeyComponents {
            n: &n[..],
            e: &e[..],
        };
        let key = components.try_into().map_err(|_| JwkError::NotAnRsaKey)?;
        let required = format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(&e[..]),
            URL_SAFE_NO_PAD.encode(&n[..]),
        );
        let material = Material::Rsa(key);
        Ok(Self { material, required })
    }

    /// Refuses what is only read, and a point that agrees with every key on the same: it would be
    /// refused at each encryption.
    fn check_for_writing(&self) -> Result<(), JwkError> {
        let Material::Agreement { curve, key } = &self.material else {
            return Ok(());
        };
        if *curve == Curve::P384 {
            return Err(JwkError::UnsupportedKey);
        }
        let other = agreement::PrivateKey::from_private_key(curve.agreement(), &[1; 32])
            .expect("both curves have this private key");
        agreement::agree(&other, key.clone(), JwkError::NotOnCurve, |_| Ok(()))
    }

    pub(super) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.required.as_bytes()))
    }

    pub(super) fn to_json(&self, key_id: Option<&str>, algorithm: Option<Algorithm>) -> String {
        let mut json = String::from(r#"{"use":"enc","#);
        if let Some(key_id) = key_id {
            json += &format!(r#""kid":{},"#, serde_json::Value::from(key_id));
        }
        if let Some(algorithm) = algorithm {
            json += &format!(r#""alg":"{algorithm}","#);
        }
        json + &self.required[1..]
    }
}

/// A public key of the curve, from coordinates of exactly its size. That it lies on the curve is
/// checked.
pub(super) fn point(
    curve: Curve,
    x: Option<&str>,
    y: Option<&str>,
) -> Result<ParsedPublicKey, JwkError> {
    let x = bytes_exactly("x", x, curve.coordinate_bytes())?;
    let encoded = match curve {
        Curve::X25519 => x.to_vec(),
        Curve::P256 | Curve::P384 => {
            let y = bytes_exactly("y", y, curve.coordinate_bytes())?;
            [&[UNCOMPRESSED], &x[..], &y[..]].concat()
        }
    };
    UnparsedPublicKey::new(curve.agreement(), encoded)
        .try_into()
        .map_err(|_| JwkError::NotOnCurve)
}

/// What a point begins with whose two coordinates follow whole (SEC 1).
pub(super) const UNCOMPRESSED: u8 = 4;
