//! Round trips, what binds a payload to its request, and what is refused of keys and texts.

mod keys;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CONTEXT: Context<'_> = Context {
    id: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    timestamp: 1_764_000_000,
    event_type: "invoice.paid",
    content_type: "application/json",
};

const SIGNED: Signed<'_> = Signed {
    id: CONTEXT.id,
    timestamp: CONTEXT.timestamp,
    event_type: Some(CONTEXT.event_type),
};

const PAYLOAD: &[u8] = br#"{"amount":1000,"note":"Zo\u00eb"}"#;

/// The private JWK with this `kid` of the vectors.
fn jwk(kid: &str) -> Value {
    let text = include_str!("../../../../conformance/jwe.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["key_jwk"]["kid"] == kid);
    case.unwrap()["key_jwk"].clone()
}

fn private(jwk: &Value) -> PrivateJwk {
    PrivateJwk::parse(&jwk.to_string()).unwrap()
}

fn recipient(key: &PrivateJwk, algorithm: Option<Algorithm>) -> Recipient {
    Recipient::new(&PublicJwk::parse(&key.public_json()).unwrap(), algorithm).unwrap()
}

fn random() -> [u8; RANDOM_BYTES] {
    std::array::from_fn(|place| (place * 37 + 11) as u8)
}

/// A JWE to the X25519 key, and the key.
fn sealed() -> (String, PrivateJwk) {
    let key = private(&jwk("x25519-1"));
    let compact = recipient(&key, None).encrypt(CONTEXT, PAYLOAD, &random());
    (compact.unwrap(), key)
}

fn header_of(compact: &str) -> Value {
    use base64::Engine;
    let header = compact.split('.').next().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

/// The same JWE under another protected header.
fn with_header(compact: &str, header: &Value) -> String {
    use base64::Engine;
    let (_, rest) = compact.split_once('.').unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{rest}")
}

/// A sender keeps a recipient, and a receiver its keys, for all threads.
#[test]
fn keys_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Recipient>();
    shared::<PrivateJwk>();
    shared::<PublicJwk>();
    shared::<Jwks>();
}

#[test]
fn what_is_encrypted_is_opened_with_every_key_and_algorithm() {
    let agreed = [None, Some(Algorithm::EcdhEs), Some(Algorithm::EcdhEsA256Kw)];
    let rsa = [None, Some(Algorithm::RsaOaep256)];
    for (kid, algorithms) in [
        ("ec-enc-1", &agreed[..]),
        ("x25519-1", &agreed),
        ("rsa-enc-1", &rsa),
    ] {
        for &algorithm in algorithms {
            let keys = [private(&jwk("ec-enc-2")), private(&jwk(kid))];
            let recipient = recipient(&keys[1], algorithm);
            for payload in [&b""[..], PAYLOAD, &[0; 100_000]] {
                let compact = recipient.encrypt(CONTEXT, payload, &random()).unwrap();
                let opened = open(compact.as_bytes(), &keys, SIGNED).ok().unwrap();
                assert_eq!(opened.payload, payload, "{kid} {algorithm:?}");
                assert_eq!(opened.event_type, CONTEXT.event_type);
            }
        }
    }
}

#[test]
fn the_protected_header_says_what_it_was_encrypted_for() {
    let (compact, _) = sealed();
    let mut header = header_of(&compact);
    let ephemeral = header["epk"].take();
    assert_eq!(
        header,
        json!({
            "alg": "ECDH-ES+A256KW",
            "enc": "A256GCM",
            "kid": "x25519-1",
            "epk": null,
            "cty": "application/json",
            "webhook-id": CONTEXT.id,
            "webhook-timestamp": "1764000000",
            "webhook-event-type": "invoice.paid",
        })
    );
    assert_eq!(
        (&ephemeral["kty"], &ephemeral["crv"]),
        (&json!("OKP"), &json!("X25519"))
    );
    assert_eq!(ephemeral.as_object().unwrap().len(), 3);
}

#[test]
fn texts_in_the_header_can_not_break_out_of_it() {
    let mut jwk = jwk("ec-enc-1");
    jwk["kid"] = json!("a\"},\"zip\":\"DEF\u{e9}");
    let key = private(&jwk);
    let context = Context {
        id: "\",\"alg\":\"none",
        event_type: "\\\"",
        ..CONTEXT
    };
    let compact = recipient(&key, None)
        .encrypt(context, PAYLOAD, &random())
        .unwrap();
    let signed = Signed {
        id: context.id,
        event_type: Some(context.event_type),
        ..SIGNED
    };
    assert_eq!(header_of(&compact)["kid"], jwk["kid"]);
    assert!(open(compact.as_bytes(), &[key], signed).is_ok());
}

#[test]
fn the_type_of_a_payload_that_is_not_json_stands_in_the_header() {
    let key = private(&jwk("ec-enc-1"));
    let context = Context {
        content_type: "text/plain; charset=\"utf-8\"",
        ..CONTEXT
    };
    let recipient = recipient(&key, None);
    let compact = recipient.encrypt(context, PAYLOAD, &random()).unwrap();
    let keys = [key];
    let decrypted = decrypt(compact.as_bytes(), &keys).unwrap();
    let said = decrypted.header.content_type;
    assert_eq!(said.as_deref(), Some(context.content_type));
    let refused = open(compact.as_bytes(), &keys, SIGNED).err();
    assert_eq!(refused, Some(OpenError::ContentType));
}

#[test]
fn a_payload_of_another_message_attempt_or_type_is_refused() {
    let (compact, key) = sealed();
    let keys = [key];
    for (signed, refused) in [
        (
            Signed {
                id: "msg_2",
                ..SIGNED
            },
            OpenError::OtherId,
        ),
        (
            Signed {
                timestamp: 1_764_000_001,
                ..SIGNED
            },
            OpenError::OtherTimestamp,
        ),
        (
            Signed {
                event_type: Some("invoice"),
                ..SIGNED
            },
            OpenError::OtherEventType,
        ),
    ] {
        assert_eq!(open(compact.as_bytes(), &keys, signed).err(), Some(refused));
    }
    let untyped = Signed {
        event_type: None,
        ..SIGNED
    };
    assert!(open(compact.as_bytes(), &keys, untyped).is_ok());
}

#[test]
fn no_member_of_the_header_can_be_changed_added_or_taken_away() {
    let (compact, key) = sealed();
    let keys = [key];
    let header = header_of(&compact);
    let undecryptable = Some(OpenError::Decrypt(DecryptError::Undecryptable));
    for member in [
        "cty",
        "webhook-id",
        "webhook-timestamp",
        "webhook-event-type",
        "new",
    ] {
        let mut changed = header.clone();
        changed[member] = json!("7");
        let changed = with_header(&compact, &changed);
        assert_eq!(
            open(changed.as_bytes(), &keys, SIGNED).err(),
            undecryptable,
            "{member}"
        );

        let mut without = header.clone();
        without.as_object_mut().unwrap().remove(member);
        let without = with_header(&compact, &without);
        let refused = open(without.as_bytes(), &keys, SIGNED).err();
        assert_eq!(refused, undecryptable, "{member}");
    }
}

/// Encrypts under any header, as a sender that is not this library might.
fn sealed_under(header: &Value, key: &PrivateJwk) -> String {
    sealed_with(&[9; 32], header, key)
}

fn sealed_with(content_key: &[u8; 32], header: &Value, key: &PrivateJwk) -> String {
    use super::agreement::{Purpose, derive, wrap};
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let private::PrivateKey::Agreement { curve, key } = &key.key else {
        panic!("a key of a curve");
    };
    let own = aws_lc_rs::agreement::PrivateKey::from_private_key(curve.agreement(), &[7; 32]);
    let own = own.unwrap();
    let public = BASE64.encode(own.compute_public_key().unwrap());
    let receiver = BASE64.encode(key.compute_public_key().unwrap());
    let receiver = super::public::point(*curve, Some(&receiver), None).unwrap();
    let purpose = Purpose {
        algorithm: Algorithm::EcdhEsA256Kw,
        encryption: super::algorithm::Encryption::A256Gcm,
        from: b"",
        to: b"",
    };
    let wrapped = wrap(&derive(&own, receiver, purpose).unwrap(), content_key).unwrap();
    let mut header = header.clone();
    header["epk"] = json!({"kty": "OKP", "crv": "X25519", "x": public});
    let header = BASE64.encode(header.to_string());
    let mut content = PAYLOAD.to_vec();
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).unwrap());
    let nonce = Nonce::assume_unique_for_key([3; 12]);
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(&header), &mut content);
    let parts = [&wrapped[..], &[3; 12], &content, tag.unwrap().as_ref()].map(|p| BASE64.encode(p));
    format!("{header}.{}", parts.join("."))
}

#[test]
fn headers_that_bind_nothing_or_ask_for_more_are_refused() {
    let key = private(&jwk("x25519-1"));
    let keys = [key];
    let whole = json!({
        "alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "x25519-1", "cty": "JSON",
        "webhook-id": CONTEXT.id, "webhook-timestamp": 1_764_000_000,
        "webhook-event-type": "invoice.paid",
    });
    let try_with = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut header = whole.clone();
        change(header.as_object_mut().unwrap());
        open(sealed_under(&header, &keys[0]).as_bytes(), &keys, SIGNED).err()
    };
    assert_eq!(
        try_with(&|_| ()),
        None,
        "the time may be a number, and `cty` short"
    );

    for name in ["webhook-id", "webhook-timestamp", "webhook-event-type"] {
        let refused = try_with(&|header| drop(header.remove(name)));
        assert_eq!(refused, Some(OpenError::Missing(name)));
    }
    let refused = try_with(&|header| drop(header.insert("webhook-timestamp".into(), "1e9".into())));
    assert_eq!(refused, Some(OpenError::Missing("webhook-timestamp")));
    for content_type in [json!("JWT"), json!("text/plain"), Value::Null] {
        let refused = try_with(&|header| drop(header.insert("cty".into(), content_type.clone())));
        assert_eq!(refused, Some(OpenError::ContentType));
    }
    for (name, value) in [
        ("zip", json!("DEF")),
        ("zip", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", Value::Null),
    ] {
        let refused = try_with(&|header| drop(header.insert(name.into(), value.clone())));
        assert_eq!(
            refused,
            Some(OpenError::Decrypt(DecryptError::NotAccepted)),
            "{name}"
        );
    }
}

/// Where the content key can't be had, the content is tried with zeros, for the time that it
/// takes: whoever encrypts with zeros must not get through with it.
#[test]
fn a_content_that_was_encrypted_with_zeros_is_refused_without_its_key() {
    let keys = [private(&jwk("x25519-1"))];
    let header = json!({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"});
    let compact = sealed_with(&[0; 32], &header, &keys[0]);
    assert!(decrypt(compact.as_bytes(), &keys).is_ok());
    let mut parts: Vec<&str> = compact.split('.').collect();
    let garbage = "A".repeat(parts[1].len());
    parts[1] = &garbage;
    let refused = decrypt(parts.join(".").as_bytes(), &keys).err();
    assert_eq!(refused, Some(DecryptError::Undecryptable));
}

#[test]
fn the_same_random_bytes_give_the_same_text_and_others_another() {
    for kid in ["x25519-1", "ec-enc-1"] {
        let recipient = recipient(&private(&jwk(kid)), None);
        let encrypt =
            |random: &[u8; RANDOM_BYTES]| recipient.encrypt(CONTEXT, PAYLOAD, random).unwrap();
        assert_eq!(encrypt(&random()), encrypt(&random()));
        for place in [0, 64, 96] {
            let mut other = random();
            other[place] ^= 8;
            assert_ne!(encrypt(&random()), encrypt(&other), "{kid} {place}");
        }
    }
}

#[test]
fn random_bytes_that_are_no_key_of_the_curve_are_passed_over() {
    let key = private(&jwk("ec-enc-1"));
    let recipient = recipient(&key, None);
    let mut bytes = random();
    bytes[..32].fill(0xff);
    let compact = recipient.encrypt(CONTEXT, PAYLOAD, &bytes).unwrap();
    assert!(open(compact.as_bytes(), &[key], SIGNED).is_ok());
    for filler in [0xff, 0] {
        bytes[..64].fill(filler);
        let refused = recipient.encrypt(CONTEXT, PAYLOAD, &bytes);
        assert_eq!(refused, Err(EncryptError::NotRandom));
    }
}

#[test]
fn a_point_that_brings_every_key_to_zero_is_no_ephemeral_key() {
    let (compact, key) = sealed();
    let keys = [key];
    for point in keys::low_order_points() {
        let mut header = header_of(&compact);
        header["epk"]["x"] = point.into();
        let compact = with_header(&compact, &header);
        let refused = decrypt(compact.as_bytes(), &keys).err();
        assert_eq!(refused, Some(DecryptError::Undecryptable));
    }
}

#[test]
fn keys_are_found_by_kid_and_each_unnamed_one_is_tried() {
    let (compact, _) = sealed();
    let named = |kid: Option<&str>| {
        let mut jwk = jwk("x25519-1");
        jwk["kid"] = kid.into();
        private(&jwk)
    };
    let others = || [private(&jwk("ec-enc-1")), private(&jwk("rsa-enc-1"))];
    let refused = |keys: &[PrivateJwk]| decrypt(compact.as_bytes(), keys).err();

    assert_eq!(refused(&[]), Some(DecryptError::NoKey));
    assert_eq!(refused(&others()), Some(DecryptError::NoKey));
    assert_eq!(
        refused(&[named(Some("another"))]),
        Some(DecryptError::NoKey)
    );
    assert_eq!(refused(&[named(None)]), None);
    let [ec, rsa] = others();
    assert_eq!(refused(&[ec, rsa, named(Some("x25519-1"))]), None);

    let mut unnamed = jwk("ec-enc-1");
    unnamed["kid"] = Value::Null;
    assert_eq!(refused(&[private(&unnamed), named(None)]), None);
    assert_eq!(
        refused(&[private(&unnamed)]),
        Some(DecryptError::Undecryptable)
    );
}

#[test]
fn parts_of_another_size_are_refused() {
    let (compact, key) = sealed();
    let keys = [key];
    let parts: Vec<&str> = compact.split('.').collect();
    for (place, changed) in [
        (0, ""),
        (0, "e30"),
        (1, ""),
        (1, "AAAA"),
        (2, ""),
        (2, "AAAA"),
        (2, "AAAAAAAAAAAAAAAAAAAAAA"),
        (4, ""),
        (4, "AAAAAAAAAAAAAAAA"),
        (4, "AAAAAAAAAAAAAAAAAAAAAA=="),
        (3, "A"),
        (3, "AB"),
        (3, "A A="),
    ] {
        let mut parts = parts.clone();
        parts[place] = changed;
        let refused = decrypt(parts.join(".").as_bytes(), &keys).err();
        let expected = match (place, changed) {
            (0, _) => DecryptError::MalformedHeader,
            _ => DecryptError::Malformed,
        };
        assert_eq!(refused, Some(expected), "{place} {changed:?}");
    }
    for text in [
        "",
        ".",
        "....",
        ".....",
        "a.b.c.d",
        &format!("{compact}."),
        "\u{ff}",
    ] {
        assert!(decrypt(text.as_bytes(), &keys).is_err(), "{text}");
    }
    let long = "A".repeat(HEADER_LIMIT) + "....";
    let refused = decrypt(long.as_bytes(), &keys).err();
    assert_eq!(refused, Some(DecryptError::MalformedHeader));
    let endless = vec![b'A'; COMPACT_BYTES_MAX + 1];
    assert_eq!(decrypt(&endless, &keys).err(), Some(DecryptError::TooLong));
}

const HEADER_LIMIT: usize = 16 << 10;

proptest! {
    #[test]
    fn a_changed_text_is_never_decrypted(place in any::<prop::sample::Index>(), byte: u8) {
        let (compact, key) = sealed();
        let mut bytes = compact.into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        prop_assert!(decrypt(&bytes, &[key]).is_err());
    }

    #[test]
    fn nothing_that_comes_in_causes_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[A-Za-z0-9_.{}\":,-]{0,200}",
    ) {
        let keys = [private(&jwk("x25519-1"))];
        prop_assert!(decrypt(&bytes, &keys).is_err());
        prop_assert!(decrypt(text.as_bytes(), &keys).is_err());
        prop_assert!(PublicJwk::parse(&text).is_err());
        prop_assert!(PrivateJwk::parse(&text).is_err());
        prop_assert!(Jwks::parse(&text).is_err());
    }
}
