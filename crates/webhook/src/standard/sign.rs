//! Signs a message. This stands in every attempt's way: one allocation, the answer, as long as all
//! keys are HMAC.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::content::Content;
use super::key::{SigningAlgorithm, SigningKey};

/// Longer than an entry of any version: `v1a,`, 64 bytes in base64, and a space.
const ENTRY_BYTES_MAX: usize = 4 + 88 + 1;
/// The longest decimal `i64`.
const TIMESTAMP_BYTES_MAX: usize = 20;

/// The value of the signature header: an entry for each key, in the keys' order, separated by
/// spaces. During a rotation all keys that receivers may still verify with sign, the newest first.
///
/// `timestamp` is the attempt's time in seconds since the Unix epoch; it and `id` must go into
/// their headers exactly as they are given here. An id for which
/// [`is_valid_id`](crate::is_valid_id) does not hold could be read as part of another message, and
/// verifiers refuse it. Without keys, the value is empty.
pub fn sign(keys: &[&SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut digits = [0; TIMESTAMP_BYTES_MAX];
    let content = Content {
        id: id.as_bytes(),
        timestamp: decimal(timestamp, &mut digits),
        body,
    };

    let mut value = String::with_capacity(keys.len() * ENTRY_BYTES_MAX);
    for key in keys {
        if !value.is_empty() {
            value.push(' ');
        }
        match &key.0 {
            SigningAlgorithm::Hmac { key, .. } => {
                value.push_str("v1,");
                STANDARD.encode_string(content.hmac(key), &mut value);
            }
            SigningAlgorithm::Ed25519 { pair, .. } => {
                value.push_str("v1a,");
                STANDARD.encode_string(pair.sign(&content.joined()), &mut value);
            }
        }
    }
    value
}

fn decimal(number: i64, digits: &mut [u8; TIMESTAMP_BYTES_MAX]) -> &[u8] {
    let mut rest = &mut digits[..];
    write!(rest, "{number}").expect("the array is as long as the longest i64");
    let unused = rest.len();
    &digits[..TIMESTAMP_BYTES_MAX - unused]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_every_length_are_written_whole() {
        for number in [0, 7, -1, 1_764_000_000, i64::MAX, i64::MIN] {
            let mut digits = [0; TIMESTAMP_BYTES_MAX];
            assert_eq!(decimal(number, &mut digits), number.to_string().as_bytes());
        }
    }

    #[test]
    fn the_answer_fits_what_was_reserved_for_it() {
        let hmac = SigningKey::generate_hmac(&[1; 24]);
        let ed25519 = SigningKey::generate_ed25519(&[2; 32]);
        let value = sign(&[&ed25519, &hmac, &ed25519], "msg_1", 1, b"{}");
        assert!(value.len() <= 3 * ENTRY_BYTES_MAX);
        let versions: Vec<_> = value
            .split(' ')
            .map(|entry| entry.split_once(','))
            .collect();
        assert!(matches!(
            versions[..],
            [Some(("v1a", _)), Some(("v1", _)), Some(("v1a", _))]
        ));
        assert_eq!(sign(&[], "msg_1", 1, b"{}"), "");
    }
}
