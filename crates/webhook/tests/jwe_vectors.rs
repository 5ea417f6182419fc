//! The vectors of `conformance/jwe.json`: each is decrypted, or refused, as it says. Those of
//! algorithms that are never accepted are listed here, each with the reason, and must be refused.

use serde::Deserialize;
use serde_json::Value;
use webhook::jwe::{DecryptError, PrivateJwk, decrypt};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    alg: String,
    enc: String,
    key_jwk: Value,
    compact: String,
    plaintext: Option<String>,
    valid: bool,
    why: String,
}

const CBC: &str = "AES-CBC with a MAC beside it: every library that has it has GCM too";
const SHARED: &str = "a shared key, with which receivers could write what only senders should";
const SHA_1: &str = "RSA-OAEP hashes with SHA-1: only for a key that names it";
const PKCS_1: &str = "RSA1_5 is open to padding oracles";

/// Valid, and refused.
const REFUSED: [(&str, &str); 11] = [
    ("rfc7520-5.5", CBC),
    ("rfc7520-5.6", SHARED),
    ("rfc7520-5.7", SHARED),
    ("rfc7520-5.8", SHARED),
    ("rfc7520-5.1", PKCS_1),
    ("rfc7516-a1", SHA_1),
    ("gen-rsa-enc-1-RSA-OAEP-256-A128CBC-HS256", CBC),
    ("gen-x25519-1-ECDH-ES-A128CBC-HS256", CBC),
    ("gen-oct-1-A256KW-A256GCM", SHARED),
    ("gen-oct-1-dir-A256GCM", SHARED),
    ("gen-oct-1-A256GCMKW-A256GCM", SHARED),
];

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../conformance/jwe.json");
    let vectors: Vectors = serde_json::from_str(text).expect("the vectors are well-formed");
    vectors.cases
}

/// The content; nothing where the key or the text is refused.
fn plaintext(vector: &Vector) -> Option<Vec<u8>> {
    let key = PrivateJwk::parse(&vector.key_jwk.to_string()).ok()?;
    let decrypted = decrypt(vector.compact.as_bytes(), &[key]).ok()?;
    Some(decrypted.payload)
}

#[test]
fn every_vector_is_decrypted_or_refused_as_it_says() {
    let (mut decrypted, mut refused, mut listed) = (0, 0, 0);
    for vector in vectors() {
        let found = plaintext(&vector);
        let on_list = REFUSED.iter().any(|(id, _)| *id == vector.id);
        if on_list {
            assert!(vector.valid, "{} need not be listed", vector.id);
            assert_eq!(found, None, "{}", vector.id);
            listed += 1;
        } else {
            let expected = vector.plaintext.as_ref().map(String::as_bytes);
            assert_eq!(expected.is_some(), vector.valid, "{}", vector.id);
            assert_eq!(found.as_deref(), expected, "{}: {}", vector.id, vector.why);
            *(if vector.valid {
                &mut decrypted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert_eq!((decrypted, refused, listed), (7, 46, 11));
}

/// What is refused because of its algorithm is refused for that, not because it could not be
/// decrypted: one that were accepted one day would be noticed.
#[test]
fn algorithms_that_are_not_accepted_are_told_apart_from_forgeries() {
    for vector in vectors() {
        let Ok(key) = PrivateJwk::parse(&vector.key_jwk.to_string()) else {
            assert!(
                REFUSED.contains(&(vector.id.as_str(), SHARED))
                    || vector.alg == "dir"
                    || vector.key_jwk["kty"] == "oct",
                "{}",
                vector.id
            );
            continue;
        };
        let error = decrypt(vector.compact.as_bytes(), &[key]).err();
        let by_algorithm = ["RSA1_5", "none"].contains(&vector.alg.as_str())
            || vector.enc == "A128CBC-HS256"
            || (vector.alg == "RSA-OAEP" && vector.key_jwk["alg"] != "RSA-OAEP");
        assert_eq!(
            error == Some(DecryptError::Algorithm),
            by_algorithm,
            "{}: {error:?}",
            vector.id
        );
    }
}

#[test]
fn rsa_oaep_with_sha_1_is_read_where_the_key_names_it() {
    let mut vectors = vectors();
    let vector = vectors
        .iter_mut()
        .find(|vector| vector.id == "rfc7516-a1")
        .expect("the vector is there");
    vector.key_jwk["alg"] = "RSA-OAEP".into();
    assert_eq!(
        plaintext(vector).as_deref(),
        vector.plaintext.as_ref().map(String::as_bytes)
    );
}
