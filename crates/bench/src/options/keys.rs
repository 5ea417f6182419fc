//! Keys for one run, in the forms in which a server takes them. The private halves of those that
//! payloads are encrypted to are kept nowhere: the receiver tells deliveries apart without reading
//! them.

use crate::BenchError;
use aws_lc_rs::agreement::{PrivateKey, X25519};
use aws_lc_rs::encoding::{AsBigEndian as _, Curve25519SeedBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use der::asn1::UintRef;
use der::{Decode as _, Sequence};
use serde_json::{Value, json};

/// Characters in a line of PEM.
const PEM_LINE: usize = 64;

/// A public key of P-256.
pub(super) fn p256() -> Result<Value, BenchError> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(none)?;
    let point = key.public_key().as_ref();
    // The first byte says that both coordinates follow.
    let (x, y) = point[1..].split_at(point.len() / 2);
    Ok(json!({"kty": "EC", "crv": "P-256", "x": url(x), "y": url(y)}))
}

/// A public key of X25519.
pub(super) fn x25519() -> Result<Value, BenchError> {
    let key = PrivateKey::generate(&X25519).map_err(none)?;
    let public = key.compute_public_key().map_err(none)?;
    Ok(json!({"kty": "OKP", "crv": "X25519", "x": url(public.as_ref())}))
}

/// A public key of RSA, of 2048 bits.
pub(super) fn rsa() -> Result<Value, BenchError> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(none)?;
    let public = RsaPublicKey::from_der(key.public_key().as_ref());
    let public = public.expect("the library writes keys as the standard has them");
    let (n, e) = (public.modulus.as_bytes(), public.exponent.as_bytes());
    Ok(json!({"kty": "RSA", "n": url(n), "e": url(e)}))
}

/// A secret key of ed25519, as Standard Webhooks writes it.
pub(super) fn ed25519() -> Result<String, BenchError> {
    let key = Ed25519KeyPair::generate().map_err(none)?;
    let seed = key.seed().map_err(none)?;
    let seed: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(none)?;
    let halves = [seed.as_ref(), key.public_key().as_ref()].concat();
    Ok(format!("whsk_{}", BASE64_STANDARD.encode(halves)))
}

/// A shared secret, as Standard Webhooks writes it.
pub(crate) fn shared() -> Result<String, BenchError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(none)?;
    Ok(format!("whsec_{}", BASE64_STANDARD.encode(bytes)))
}

/// A block of PEM.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text
        .as_bytes()
        .chunks(PEM_LINE)
        .map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// `RSAPublicKey` of RFC 8017.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn none(cause: Unspecified) -> BenchError {
    BenchError::Certificates {
        cause: cause.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_lengths_that_their_kinds_have() {
        let length = |key: &Value, member: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(key[member].as_str().unwrap());
            bytes.unwrap().len()
        };
        let (p256, x25519, rsa) = (p256().unwrap(), x25519().unwrap(), rsa().unwrap());
        assert_eq!((length(&p256, "x"), length(&p256, "y")), (32, 32));
        assert_eq!(length(&x25519, "x"), 32);
        assert_eq!((length(&rsa, "n"), length(&rsa, "e")), (256, 3));
        assert_eq!(ed25519().unwrap().len(), "whsk_".len() + 88);
        assert_eq!(shared().unwrap().len(), "whsec_".len() + 44);
    }

    #[test]
    fn pem_has_lines_of_64_characters() {
        let text = pem("X", &[7; 50]);
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(
            lengths,
            ["-----BEGIN X-----".len(), 64, 4, "-----END X-----".len()]
        );
    }
}
