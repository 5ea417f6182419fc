//! ECDH-ES (RFC 7518 section 4.6): two keys agree on a secret, and a key is derived from it with
//! the Concat KDF, bound to what it is for and for how many bits.

use aws_lc_rs::agreement::{self, ParsedPublicKey};
use aws_lc_rs::kdf::{self, SskdfDigestAlgorithm, SskdfDigestAlgorithmId};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, CONTENT_KEY_BYTES_MAX, Encryption};

/// A key of at most 256 bits, wiped when dropped.
pub(super) type Key = Zeroizing<Vec<u8>>;

const CONCAT_KDF: &SskdfDigestAlgorithm = {
    let algorithm = kdf::get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256);
    algorithm.expect("the library has it with SHA-256")
};

/// What wrapping adds to a key (RFC 3394).
pub(super) const WRAPPING_BYTES: usize = 8;

/// What the derived key is for.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'p> {
    pub(super) algorithm: Algorithm,
    pub(super) encryption: Encryption,
    /// What the sender says of itself (`apu`).
    pub(super) from: &'p [u8],
    /// What the sender says of the receiver (`apv`).
    pub(super) to: &'p [u8],
}

impl Purpose<'_> {
    /// The name that the derived key is bound to, and how many bytes it has: a content key's for
    /// direct agreement, else that of a key which wraps.
    fn name_and_size(&self) -> (&'static str, usize) {
        match self.algorithm {
            Algorithm::EcdhEsA128Kw => (self.algorithm.name(), 16),
            Algorithm::EcdhEsA256Kw => (self.algorithm.name(), 32),
            Algorithm::EcdhEs | Algorithm::RsaOaep | Algorithm::RsaOaep256 => {
                (self.encryption.name(), self.encryption.key_bytes())
            }
        }
    }

    /// What the Concat KDF calls OtherInfo: each text behind its length, then the number of bits.
    fn info(&self) -> Vec<u8> {
        let (name, bytes) = self.name_and_size();
        let mut info = Vec::with_capacity(4 * 4 + name.len() + self.from.len() + self.to.len());
        for text in [name.as_bytes(), self.from, self.to] {
            let length = u32::try_from(text.len()).expect("a protected header is short");
            info.extend(length.to_be_bytes());
            info.extend(text);
        }
        info.extend((8 * bytes as u32).to_be_bytes());
        info
    }
}

/// The key that both sides derive; nothing where they agree on nothing, as with a point of X25519
/// that brings every key to zero.
pub(super) fn derive(
    own: &agreement::PrivateKey,
    other: ParsedPublicKey,
    purpose: Purpose<'_>,
) -> Option<Key> {
    let (_, bytes) = purpose.name_and_size();
    let mut key = Zeroizing::new(vec![0; bytes]);
    agreement::agree(own, other, (), |secret| {
        kdf::sskdf_digest(CONCAT_KDF, secret, &purpose.info(), &mut key).map_err(drop)
    })
    .ok()?;
    Some(key)
}

/// The content key, wrapped.
pub(super) fn wrap(with: &[u8], content_key: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; content_key.len() + WRAPPING_BYTES];
    kek(with)?.wrap(content_key, &mut wrapped).ok()?;
    Some(wrapped)
}

/// The content key that was wrapped, if it was with this key.
pub(super) fn unwrap(with: &[u8], wrapped: &[u8]) -> Option<Key> {
    let bytes = wrapped.len().checked_sub(WRAPPING_BYTES)?;
    if bytes > CONTENT_KEY_BYTES_MAX {
        return None;
    }
    let mut content_key = Zeroizing::new(vec![0; bytes]);
    kek(with)?.unwrap(wrapped, &mut content_key).ok()?;
    Some(content_key)
}

fn kek(key: &[u8]) -> Option<AesKek> {
    let cipher = if key.len() == 16 { &AES_128 } else { &AES_256 };
    AesKek::new(cipher, key).ok()
}

#[cfg(test)]
mod tests {
    use super::super::algorithm::Curve;
    use super::super::public::point;
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// RFC 7518 appendix C, with the ephemeral private key that it shows.
    #[test]
    fn the_published_example_derives_the_published_key() {
        let d = "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo";
        let d = URL_SAFE_NO_PAD.decode(d).unwrap();
        let own = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, &d).unwrap();
        let other = point(
            Curve::P256,
            Some("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"),
            Some("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"),
        );
        let purpose = Purpose {
            algorithm: Algorithm::EcdhEs,
            encryption: Encryption::A128Gcm,
            from: b"Alice",
            to: b"Bob",
        };
        let key = derive(&own, other.unwrap(), purpose).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(&key[..]), "VqqN6vgjbSBcIijNcacQGg");
    }

    /// RFC 3394 section 4.6.
    #[test]
    fn keys_are_wrapped_as_published() {
        let kek: Vec<u8> = (0..32).collect();
        let key: Vec<u8> = (0..16).map(|high| high * 0x11).chain(0..16).collect();
        let wrapped = wrap(&kek, &key).unwrap();
        let expected = [
            0x28, 0xC9, 0xF4, 0x04, 0xC4, 0xB8, 0x10, 0xF4, 0xCB, 0xCC, 0xB3, 0x5C, 0xFB, 0x87,
            0xF8, 0x26, 0x3F, 0x57, 0x86, 0xE2, 0xD8, 0x0E, 0xD3, 0x26, 0xCB, 0xC7, 0xF0, 0xE7,
            0x1A, 0x99, 0xF4, 0x3B, 0xFB, 0x98, 0x8B, 0x9B, 0x7A, 0x02, 0xDD, 0x21,
        ];
        assert_eq!(wrapped, expected);
        assert_eq!(unwrap(&kek, &wrapped).unwrap()[..], key);
        for length in [0, 7, 8, 39] {
            assert!(unwrap(&kek, &wrapped[..length]).is_none(), "{length}");
        }
    }
}
