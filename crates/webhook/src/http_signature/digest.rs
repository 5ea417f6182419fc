//! `content-digest` (RFC 9530): the body's digest, which is what a signature covers of a body.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fields::parse_bytes;

/// The digests that count. Others, among them the broken ones, are passed over.
const KNOWN: [(&str, &Algorithm); 2] = [("sha-256", &SHA256), ("sha-512", &SHA512)];

/// The value of the header `content-digest` for a body, with SHA-256.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// Whether a `content-digest` is this body's: it has at least one digest that counts, and each of
/// those is right.
pub(super) fn is_digest_of(field: &str, body: &[u8]) -> bool {
    let Some(members) = parse_bytes(field.as_bytes()) else {
        return false;
    };
    let mut right = members.iter().filter_map(|(name, value)| {
        let (_, algorithm) = KNOWN.iter().find(|(known, _)| known == name)?;
        Some(value.as_deref() == Some(digest(algorithm, body).as_ref()))
    });
    right.next() == Some(true) && right.all(|right| right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the examples of RFC 9421 have them.
    #[test]
    fn published_digests_are_those_of_their_bodies() {
        let body = br#"{"hello": "world"}"#;
        let sha_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        let sha_512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNye\
                       aldVLvRwEmTHWXvJwew==:";
        assert_eq!(content_digest(body), sha_256);
        for field in [
            sha_256.to_owned(),
            sha_512.to_owned(),
            format!("{sha_256}, {sha_512}"),
            format!("md5=:AAAA:, unixsum=7, {sha_512}"),
        ] {
            assert!(is_digest_of(&field, body), "{field}");
            assert!(!is_digest_of(&field, b"{}"), "{field}");
        }
    }

    #[test]
    fn a_digest_that_is_wrong_or_does_not_count_is_refused() {
        let right = content_digest(b"{}");
        let wrong = content_digest(b"");
        for field in [
            String::new(),
            "sha-256".to_owned(),
            "sha-256=::".to_owned(),
            "md5=:mZFLkyvTelC5g8XnyQrpOw==:".to_owned(),
            format!("{right}, {}", wrong.replace("256", "512")),
            format!("{right}, {right}"),
            format!("{right}, sha-512"),
            format!("{right},"),
            wrong,
        ] {
            assert!(!is_digest_of(&field, b"{}"), "{field}");
        }
    }
}
