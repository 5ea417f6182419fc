//! What is read of a JWK and a JWKS, and what is refused.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Points of X25519 with which every private key agrees on zero: 0, 1, the two of order 8, p - 1,
/// and the first two again as p and p + 1.
pub(super) fn low_order_points() -> [String; 7] {
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
    .map(|hex| {
        let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    })
}

fn public(kid: &str) -> Value {
    serde_json::from_str(&private(&jwk(kid)).public_json()).unwrap()
}

fn refusal(jwk: &Value) -> Option<JwkError> {
    PublicJwk::parse(&jwk.to_string()).err()
}

fn changed(jwk: &Value, member: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[member] = value;
    jwk
}

#[test]
fn a_public_half_has_no_private_member_and_is_read_back() {
    for kid in ["ec-enc-1", "x25519-1", "rsa-enc-1"] {
        let jwk = jwk(kid);
        let key = private(&jwk);
        let public: Value = serde_json::from_str(&key.public_json()).unwrap();
        for (member, value) in public.as_object().unwrap() {
            assert!(["kty", "kid", "use", "crv", "x", "y", "n", "e"].contains(&&member[..]));
            assert_eq!(*value, jwk[member], "{kid} {member}");
        }
        let read = PublicJwk::parse(&key.public_json()).unwrap();
        assert_eq!(read.to_json(), key.public_json());
        assert_eq!((read.key_id().as_str(), key.key_id().as_str()), (kid, kid));
    }
}

/// RFC 7638 section 3.1.
#[test]
fn a_key_without_a_name_has_its_published_thumbprint() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\
             oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65\
             YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr\
             dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK\
             nqDKgw";
    let jwk = json!({"kty": "RSA", "n": n, "e": "AQAB"}).to_string();
    let key = PublicJwk::parse(&jwk).unwrap();
    assert_eq!(key.key_id(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn private_and_shared_keys_are_not_taken_for_public_ones() {
    for kid in ["ec-enc-1", "x25519-1", "rsa-enc-1", "oct-1"] {
        assert_eq!(refusal(&jwk(kid)), Some(JwkError::PrivateKeyGiven), "{kid}");
    }
    let one = changed(&public("rsa-enc-1"), "qi", json!("AQ"));
    assert_eq!(refusal(&one), Some(JwkError::PrivateKeyGiven));
    let text = public("ec-enc-1").to_string();
    assert_eq!(
        PrivateJwk::parse(&text).err(),
        Some(JwkError::PublicKeyGiven)
    );
}

#[test]
fn points_off_the_curve_or_of_low_order_are_refused() {
    let ec = public("ec-enc-1");
    let five = URL_SAFE_NO_PAD.encode([&[0; 31][..], &[5]].concat());
    let off = changed(&changed(&ec, "x", json!(five)), "y", json!(five));
    assert_eq!(refusal(&off), Some(JwkError::NotOnCurve));
    let okp = public("x25519-1");
    for point in low_order_points() {
        let point = changed(&okp, "x", json!(point));
        assert_eq!(refusal(&point), Some(JwkError::NotOnCurve));
    }
}

#[test]
fn members_that_are_missing_misshapen_or_of_another_size_are_named() {
    let ec = public("ec-enc-1");
    let short = JwkError::WrongSize {
        member: "x",
        expected: 32,
        actual: 31,
    };
    for (member, value, expected) in [
        ("x", Value::Null, JwkError::Missing("x")),
        ("y", Value::Null, JwkError::Missing("y")),
        ("x", json!("a+b/"), JwkError::NotBase64Url("x")),
        ("y", json!("AA=="), JwkError::NotBase64Url("y")),
        ("x", json!(URL_SAFE_NO_PAD.encode([0; 31])), short),
        ("crv", json!("P-521"), JwkError::UnsupportedKey),
        ("crv", json!("X25519"), JwkError::UnsupportedKey),
        ("crv", Value::Null, JwkError::UnsupportedKey),
        ("kty", json!("OKP"), JwkError::UnsupportedKey),
        ("kty", json!("oct"), JwkError::UnsupportedKey),
        ("use", json!("sig"), JwkError::NotForEncryption),
        ("key_ops", json!(["verify"]), JwkError::OperationNotAllowed),
        ("alg", json!("ES256"), JwkError::UnfitAlgorithm),
        ("alg", json!("RSA-OAEP-256"), JwkError::UnfitAlgorithm),
        ("alg", json!("ECDH-ES+A128KW"), JwkError::UnfitAlgorithm),
        ("kid", json!(""), JwkError::MalformedKeyId),
        ("kid", json!("a\nb"), JwkError::MalformedKeyId),
        ("kid", json!("k".repeat(257)), JwkError::MalformedKeyId),
    ] {
        assert_eq!(
            refusal(&changed(&ec, member, value.clone())),
            Some(expected),
            "{value}"
        );
    }
    for (member, value) in [
        ("key_ops", json!([])),
        ("key_ops", json!(["deriveBits"])),
        ("use", Value::Null),
        ("alg", json!("ECDH-ES")),
        ("x5c", json!(["a certificate"])),
    ] {
        assert_eq!(refusal(&changed(&ec, member, value)), None, "{member}");
    }
}

/// P-384 is read by a receiver, and not written by a sender.
#[test]
fn a_curve_that_is_only_read_is_no_public_key() {
    let key = private(&jwk("peregrin.took@tuckborough.example"));
    let refused = PublicJwk::parse(&key.public_json()).err();
    assert_eq!(refused, Some(JwkError::UnsupportedKey));
}

#[test]
fn rsa_keys_are_neither_small_nor_huge_nor_misshapen() {
    let rsa = public("rsa-enc-1");
    let sized = |bytes: usize, first: u8| {
        let mut n = vec![0xff; bytes];
        n[0] = first;
        refusal(&changed(&rsa, "n", json!(URL_SAFE_NO_PAD.encode(n))))
    };
    assert_eq!(sized(256, 0x7f), Some(JwkError::ModulusSize { bits: 2047 }));
    assert_eq!(
        sized(1025, 0x01),
        Some(JwkError::ModulusSize { bits: 8193 })
    );
    assert_eq!(sized(257, 0), Some(JwkError::NotAnRsaKey));
    assert_eq!(sized(0x400, 0x80), None);
    assert_eq!(
        refusal(&changed(&rsa, "n", json!(""))),
        Some(JwkError::ModulusSize { bits: 0 })
    );
    for exponent in [
        &[][..],
        &[3],
        &[1],
        &[1, 0, 0],
        &[0, 1, 0, 1],
        &[1, 0, 0, 0, 1],
        &[255, 255],
    ] {
        let exponent = changed(&rsa, "e", json!(URL_SAFE_NO_PAD.encode(exponent)));
        assert_eq!(refusal(&exponent), Some(JwkError::NotAnRsaKey));
    }
}

#[test]
fn private_members_of_another_key_are_refused() {
    for (kid, member) in [("ec-enc-1", "d"), ("x25519-1", "d"), ("rsa-enc-1", "d")] {
        let other = match kid {
            "ec-enc-1" => jwk("ec-enc-2")["d"].clone(),
            "x25519-1" => json!(URL_SAFE_NO_PAD.encode([1; 32])),
            _ => jwk("rsa-enc-2")["d"].clone(),
        };
        let mixed = changed(&jwk(kid), member, other).to_string();
        assert_eq!(
            PrivateJwk::parse(&mixed).err(),
            Some(JwkError::Inconsistent),
            "{kid}"
        );
    }
    for member in ["p", "q", "dp", "dq", "qi"] {
        let less = changed(&jwk("rsa-enc-1"), member, Value::Null).to_string();
        assert_eq!(
            PrivateJwk::parse(&less).err(),
            Some(JwkError::Missing(member))
        );
    }
    let zero = changed(
        &jwk("ec-enc-1"),
        "d",
        json!(URL_SAFE_NO_PAD.encode([0; 32])),
    );
    assert_eq!(
        PrivateJwk::parse(&zero.to_string()).err(),
        Some(JwkError::Inconsistent)
    );
    let more = changed(&jwk("rsa-enc-1"), "oth", json!([])).to_string();
    assert_eq!(
        PrivateJwk::parse(&more).err(),
        Some(JwkError::UnsupportedKey)
    );
}

#[test]
fn errors_never_repeat_a_secret() {
    let secret = "c2VjcmV0LXNlY3JldA";
    for json in [
        format!(r#"{{"kty":"EC","d":"{secret}","d":"{secret}"}}"#),
        format!(r#"{{"kty":"EC","key_ops":"{secret}"}}"#),
        format!(r#"{{"kty":"{secret}","d":"{secret}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{secret}","d":"{secret}"}}"#),
        format!(r#"{{"kty":"RSA","alg":"{secret}","n":"{secret}","d":"{secret}"}}"#),
        format!("{secret}{{"),
    ] {
        for error in [
            PrivateJwk::parse(&json).err(),
            PublicJwk::parse(&json).err(),
        ] {
            let error = error.expect("none of these is a key");
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
        }
    }
    let long = format!(r#"{{"kty":"{}"}}"#, "E".repeat(JWK_BYTES_MAX));
    assert_eq!(PublicJwk::parse(&long).err(), Some(JwkError::TooLong));
}

#[test]
fn an_algorithm_must_fit_the_key_and_what_it_says() {
    let choose = |jwk: &Value, asked| {
        PublicJwk::parse(&jwk.to_string())
            .unwrap()
            .choose_algorithm(asked)
    };
    let (ec, rsa) = (public("ec-enc-1"), public("rsa-enc-1"));
    let (direct, wrapped) = (Algorithm::EcdhEs, Algorithm::EcdhEsA256Kw);
    assert_eq!(choose(&ec, None), Ok(wrapped));
    assert_eq!(choose(&ec, Some(direct)), Ok(direct));
    assert_eq!(choose(&rsa, None), Ok(Algorithm::RsaOaep256));
    for (jwk, asked) in [
        (&ec, Algorithm::RsaOaep256),
        (&ec, Algorithm::EcdhEsA128Kw),
        (&rsa, direct),
        (&rsa, Algorithm::RsaOaep),
    ] {
        assert_eq!(choose(jwk, Some(asked)), Err(JwkError::UnfitAlgorithm));
    }
    let says = changed(&ec, "alg", json!("ECDH-ES"));
    assert_eq!(choose(&says, None), Ok(direct));
    assert_eq!(
        choose(&says, Some(wrapped)),
        Err(JwkError::OtherAlgorithm(direct))
    );
}

#[test]
fn a_set_gives_the_key_with_the_kid_else_the_first_that_will_do() {
    let signing = changed(&public("ec-enc-2"), "use", json!("sig"));
    let unsaid = changed(&public("x25519-1"), "use", Value::Null);
    let unknown = json!({"kty": "AKP", "kid": "pq"});
    let keys = json!({"keys": [
        unknown, signing, unsaid, public("ec-enc-1"), public("rsa-enc-1"),
    ]});
    let set = Jwks::parse(&keys.to_string()).unwrap();
    let picked = |kid, algorithm| set.pick(kid, algorithm).map(PublicJwk::key_id);

    assert_eq!(
        picked(None, None).unwrap(),
        "ec-enc-1",
        "it says that it is for encryption"
    );
    assert_eq!(
        picked(None, Some(Algorithm::RsaOaep256)).unwrap(),
        "rsa-enc-1"
    );
    assert_eq!(picked(Some("x25519-1"), None).unwrap(), "x25519-1");
    let missing = JwksError::NoSuchKey("2026".into());
    assert_eq!(picked(Some("2026"), None), Err(missing));
    for (kid, source) in [
        ("pq", JwkError::UnsupportedKey),
        ("ec-enc-2", JwkError::NotForEncryption),
    ] {
        let key_id = kid.to_owned();
        assert_eq!(
            picked(Some(kid), None),
            Err(JwksError::Unusable { key_id, source })
        );
    }
    let unfit = picked(Some("rsa-enc-1"), Some(Algorithm::EcdhEs));
    assert!(matches!(unfit, Err(JwksError::Unusable { .. })));

    let none = Jwks::parse(&json!({"keys": [signing, jwk("ec-enc-1")]}).to_string()).unwrap();
    assert_eq!(none.pick(None, None).err(), Some(JwksError::NoUsableKey));
}

#[test]
fn texts_that_are_no_set_are_refused() {
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(
            matches!(Jwks::parse(text), Err(JwksError::NotJson { .. })),
            "{text}"
        );
    }
    let many = json!({"keys": vec![json!({}); JWKS_KEYS_MAX + 1]}).to_string();
    assert_eq!(Jwks::parse(&many).err(), Some(JwksError::TooManyKeys));
    let long = " ".repeat(JWKS_BYTES_MAX) + r#"{"keys":[]}"#;
    assert_eq!(Jwks::parse(&long).err(), Some(JwksError::TooLong));
}
