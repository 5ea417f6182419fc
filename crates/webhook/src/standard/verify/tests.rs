//! Claims about refusals, each with its reason; the published vectors are in
//! `tests/provider_vectors.rs`.

use super::*;
use crate::ID_BYTES_MAX;
use crate::{SigningKey, sign};
use proptest::prelude::*;
use proptest::sample::Index;

const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const NOW: i64 = 1_764_000_000;
const BODY: &[u8] = br#"{"type":"invoice.paid"}"#;

type Headers = Vec<(&'static str, Vec<u8>)>;

fn hmac_key(byte: u8) -> SigningKey {
    SigningKey::generate_hmac(&[byte; 24])
}

fn verifying(key: &SigningKey) -> VerifyingKey {
    VerifyingKey::parse(key.receiver_text().expose()).expect("a key's own text is a key")
}

/// The headers of a request with `BODY` that `keys` signed at `NOW`.
fn signed(family: HeaderFamily, keys: &[&SigningKey]) -> Headers {
    let signature = sign(keys, ID, NOW, BODY);
    let values = [ID.to_owned(), NOW.to_string(), signature];
    let names = family
        .names()
        .iter()
        .flat_map(|names| [names.id, names.timestamp, names.signature]);
    names
        .zip(values.into_iter().cycle())
        .map(|(name, value)| (name, value.into_bytes()))
        .collect()
}

fn verify(
    family: HeaderFamily,
    keys: &[VerifyingKey],
    headers: &Headers,
    body: &[u8],
) -> Result<usize, Refused> {
    let verifier = Verifier {
        keys,
        family,
        tolerance_seconds: 300,
    };
    let headers = headers.iter().map(|(name, value)| (*name, &value[..]));
    verifier
        .verify(headers, body, NOW)
        .map(|verified| verified.key)
}

/// The reason for which the request is refused once `change` was made to it.
fn refused_after(change: impl FnOnce(&mut Headers)) -> Refused {
    let key = hmac_key(1);
    let mut headers = signed(HeaderFamily::Webhook, &[&key]);
    let keys = [verifying(&key)];
    assert_eq!(
        verify(HeaderFamily::Webhook, &keys, &headers, BODY),
        Ok(0),
        "before the change"
    );
    change(&mut headers);
    verify(HeaderFamily::Webhook, &keys, &headers, BODY).expect_err("changed, and not refused")
}

#[test]
fn each_missing_header_is_named_and_an_unsigned_request_lacks_its_signature() {
    for (place, name) in ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .into_iter()
        .enumerate()
    {
        let refused = refused_after(|headers| drop(headers.remove(place)));
        assert_eq!(refused, Refused::MissingHeader(name));
    }
    assert_eq!(
        refused_after(Vec::clear),
        Refused::MissingHeader("webhook-signature")
    );
}

#[test]
fn each_repeated_header_is_refused_even_with_the_same_value() {
    for place in 0..3 {
        let refused = refused_after(|headers| headers.push(headers[place].clone()));
        let name = signed(HeaderFamily::Webhook, &[])[place].0;
        assert_eq!(refused, Refused::DuplicateHeader(name));
    }
    let refused = refused_after(|headers| headers.push(("Webhook-Id", b"msg_other".to_vec())));
    assert_eq!(refused, Refused::DuplicateHeader("webhook-id"));
}

#[test]
fn malformed_values_are_refused_before_any_key_is_used() {
    for id in [
        "",
        "msg.1",
        "msg 1",
        "m\u{e4}",
        &"m".repeat(ID_BYTES_MAX + 1),
    ] {
        let refused = refused_after(|headers| headers[0].1 = id.as_bytes().to_vec());
        assert_eq!(refused, Refused::MalformedId, "{id}");
    }
    assert_eq!(
        refused_after(|headers| headers[0].1 = b"\xff".to_vec()),
        Refused::MalformedId
    );
    for timestamp in ["", "1764000000.0", " 1764000000", "+1764000000"] {
        let refused = refused_after(|headers| headers[1].1 = timestamp.as_bytes().to_vec());
        assert_eq!(refused, Refused::MalformedTimestamp, "{timestamp}");
    }
}

#[test]
fn a_leading_zero_is_not_what_was_signed() {
    let refused = refused_after(|headers| headers[1].1.insert(0, b'0'));
    assert_eq!(refused, Refused::WrongSignature);
}

#[test]
fn a_header_with_nothing_to_check_differs_from_one_that_does_not_match() {
    for signature in ["", "v1,", "v1,AAAA", "v2,AAAA", "nonsense", "v1", ",", " "] {
        let refused = refused_after(|headers| headers[2].1 = signature.as_bytes().to_vec());
        assert_eq!(refused, Refused::NoUsableSignature, "{signature}");
    }
    let other = sign(&[&hmac_key(2)], ID, NOW, BODY);
    let refused = refused_after(|headers| headers[2].1 = other.into_bytes());
    assert_eq!(refused, Refused::WrongSignature);
}

#[test]
fn as_many_signatures_as_allowed_are_looked_at_and_not_one_more() {
    let key = hmac_key(1);
    let genuine = sign(&[&key], ID, NOW, BODY);
    for (others, expected) in [
        (SIGNATURES_MAX - 1, Ok(0)),
        (SIGNATURES_MAX, Err(Refused::TooManySignatures)),
    ] {
        let mut headers = signed(HeaderFamily::Webhook, &[]);
        headers[2].1 = format!("{}{genuine}", "v2,AAAA ".repeat(others)).into_bytes();
        assert_eq!(
            verify(HeaderFamily::Webhook, &[verifying(&key)], &headers, BODY),
            expected
        );
    }
}

#[test]
fn without_keys_nothing_is_accepted() {
    let headers = signed(HeaderFamily::Webhook, &[&hmac_key(1)]);
    assert_eq!(
        verify(HeaderFamily::Webhook, &[], &headers, BODY),
        Err(Refused::NoKey)
    );
}

#[test]
fn during_a_rotation_either_key_verifies_and_the_answer_says_which() {
    let (new, old) = (hmac_key(2), hmac_key(1));
    let keys = [verifying(&new), verifying(&old)];
    let family = HeaderFamily::Webhook;
    assert_eq!(verify(family, &keys, &signed(family, &[&old]), BODY), Ok(1));
    assert_eq!(
        verify(family, &keys, &signed(family, &[&new, &old]), BODY),
        Ok(0)
    );
    assert_eq!(
        verify(family, &keys[1..], &signed(family, &[&new, &old]), BODY),
        Ok(0)
    );
}

#[test]
fn each_version_is_checked_with_its_own_kind_of_key_only() {
    let (hmac, ed25519) = (hmac_key(1), SigningKey::generate_ed25519(&[2; 32]));
    let family = HeaderFamily::Webhook;
    let (by_hmac, by_ed25519) = (signed(family, &[&hmac]), signed(family, &[&ed25519]));
    let (shared, public) = ([verifying(&hmac)], [verifying(&ed25519)]);
    assert_eq!(verify(family, &public, &by_ed25519, BODY), Ok(0));
    assert_eq!(
        verify(family, &public, &by_hmac, BODY),
        Err(Refused::NoUsableSignature)
    );
    assert_eq!(
        verify(family, &shared, &by_ed25519, BODY),
        Err(Refused::NoUsableSignature)
    );

    // The public key is public: an HMAC made with its bytes must be worth nothing.
    let public_text = ed25519
        .public_text()
        .expect("an ed25519 key has a public key");
    let confused = SigningKey::parse(&public_text.replace("whpk_", "whsec_")).expect("32 bytes");
    for version in ["v1,", "v1a,"] {
        let forged = sign(&[&confused], ID, NOW, BODY).replace("v1,", version);
        let mut headers = by_ed25519.clone();
        headers[2].1 = forged.into_bytes();
        assert_eq!(
            verify(family, &public, &headers, BODY),
            Err(Refused::NoUsableSignature)
        );
    }
}

#[test]
fn a_family_is_read_alone_or_either_where_both_are_accepted() {
    use HeaderFamily::{Both, Svix, Webhook};
    let key = hmac_key(1);
    let keys = [verifying(&key)];
    let missing = |name| Err(Refused::MissingHeader(name));
    let table = [
        (Webhook, Webhook, Ok(0)),
        (Webhook, Svix, missing("svix-signature")),
        (Webhook, Both, Ok(0)),
        (Svix, Webhook, missing("webhook-signature")),
        (Svix, Svix, Ok(0)),
        (Svix, Both, Ok(0)),
        (Both, Webhook, Ok(0)),
        (Both, Svix, Ok(0)),
        (Both, Both, Ok(0)),
    ];
    for (sent, read, expected) in table {
        let result = verify(read, &keys, &signed(sent, &[&key]), BODY);
        assert_eq!(result, expected, "{sent} sent, {read} read");
    }
}

#[test]
fn families_that_contradict_each_other_are_refused_and_never_mixed() {
    let key = hmac_key(1);
    let keys = [verifying(&key)];
    for place in 0..6 {
        let mut headers = signed(HeaderFamily::Both, &[&key]);
        headers[place].1.push(b'0');
        let result = verify(HeaderFamily::Both, &keys, &headers, BODY);
        assert_eq!(result, Err(Refused::ContradictoryHeaders), "{place}");

        let missing = headers.remove(place).0;
        let result = verify(HeaderFamily::Both, &keys, &headers, BODY);
        assert_eq!(result, Err(Refused::MissingHeader(missing)));
    }
}

#[test]
fn only_a_genuine_request_is_called_old_or_early() {
    let key = hmac_key(1);
    let keys = [verifying(&key)];
    let verifier = Verifier {
        keys: &keys,
        family: HeaderFamily::Webhook,
        tolerance_seconds: 300,
    };
    let headers = signed(HeaderFamily::Webhook, &[&key]);
    let headers = headers.iter().map(|(name, value)| (*name, &value[..]));
    let verify = |body, now| verifier.verify(headers.clone(), body, now);
    assert_eq!(
        verify(BODY, NOW + 300),
        Ok(Verified {
            id: ID,
            timestamp: NOW,
            key: 0
        })
    );
    assert_eq!(
        verify(BODY, NOW - 300),
        Ok(Verified {
            id: ID,
            timestamp: NOW,
            key: 0
        })
    );
    assert_eq!(
        verify(BODY, NOW + 301),
        Err(Refused::TooOld { seconds: 301 })
    );
    assert_eq!(
        verify(BODY, NOW - 301),
        Err(Refused::FromTheFuture { seconds: 301 })
    );
    assert_eq!(verify(b"forged", NOW + 301), Err(Refused::WrongSignature));
}

/// A key of either kind. Keys don't print, so what is drawn is what they are made of.
fn key_of((is_ed25519, random): (bool, [u8; 32])) -> SigningKey {
    match is_ed25519 {
        true => SigningKey::generate_ed25519(&random),
        false => SigningKey::generate_hmac(random.first_chunk().expect("32 bytes hold 24")),
    }
}

proptest! {
    #[test]
    fn what_was_signed_verifies_with_each_of_its_keys(
        made_of in prop::collection::vec(any::<(bool, [u8; 32])>(), 1..4),
        id in "[!-\\-/-~]{1,60}",
        (timestamp, skew) in (0..i64::MAX, -300i64..=300),
        body: Vec<u8>,
    ) {
        let keys: Vec<SigningKey> = made_of.into_iter().map(key_of).collect();
        let signers: Vec<&SigningKey> = keys.iter().collect();
        let (signature, digits) = (sign(&signers, &id, timestamp, &body), timestamp.to_string());
        let headers = [
            ("webhook-id", id.as_bytes()),
            ("webhook-timestamp", digits.as_bytes()),
            ("webhook-signature", signature.as_bytes()),
        ];
        for key in signers {
            let keys = [verifying(key)];
            let verifier =
                Verifier { keys: &keys, family: HeaderFamily::Webhook, tolerance_seconds: 300 };
            let now = timestamp.saturating_add(skew);
            let expected = Verified { id: &id, timestamp, key: 0 };
            prop_assert_eq!(verifier.verify(headers, &body, now), Ok(expected));
        }
    }

    /// Whichever bit of the id, the time, the signature or the body an attacker turns.
    #[test]
    fn any_flipped_bit_is_refused(
        made_of: (bool, [u8; 32]),
        part in 0usize..4,
        byte: Index,
        bit in 0u32..8,
    ) {
        let key = key_of(made_of);
        let mut headers = signed(HeaderFamily::Webhook, &[&key]);
        let mut body = BODY.to_vec();
        let target = if part < 3 { &mut headers[part].1 } else { &mut body };
        let place = byte.index(target.len());
        target[place] ^= 1 << bit;
        prop_assert!(verify(HeaderFamily::Webhook, &[verifying(&key)], &headers, &body).is_err());
    }

    #[test]
    fn no_header_makes_verifying_panic_or_pass(
        id: Vec<u8>,
        timestamp: Vec<u8>,
        signature in prop_oneof![
            any::<Vec<u8>>(),
            "((v1|v1a|v2),[A-Za-z0-9+/=]{0,100} ?){0,40}".prop_map(String::into_bytes),
        ],
    ) {
        let keys = [verifying(&hmac_key(1)), verifying(&SigningKey::generate_ed25519(&[2; 32]))];
        let headers = vec![
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature.clone()),
        ];
        prop_assert!(verify(HeaderFamily::Webhook, &keys, &headers, BODY).is_err());
        let mut headers = signed(HeaderFamily::Webhook, &[]);
        headers[2].1 = signature;
        prop_assert!(verify(HeaderFamily::Webhook, &keys, &headers, BODY).is_err());
    }
}
