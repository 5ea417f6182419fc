//! The published vectors, what a policy demands, and what a changed request does to a signature.

mod policy;

use serde::Deserialize;
use std::collections::BTreeMap;

use super::base::signature_base;
use super::fields::parse_lists;
use super::key::Signing;
use super::*;
use crate::{Refused, SigningKey};

#[derive(Deserialize)]
struct Vectors {
    keys: BTreeMap<String, Key>,
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Key {
    alg: String,
    secret_base64: Option<String>,
    public_pem_spki: Option<String>,
    private_jwk: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    keyid: String,
    message: Part,
    related_request: Option<Part>,
    signature_input: String,
    signature: String,
    signature_base: String,
    valid: bool,
    deterministic: bool,
    why: String,
}

#[derive(Deserialize)]
struct Part {
    method: Option<String>,
    target_uri: Option<String>,
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: String,
}

type Headers<'h> = Vec<(&'h str, &'h [u8])>;

impl Part {
    fn headers(&self) -> Headers<'_> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect()
    }

    fn request<'p>(&'p self, headers: &'p Headers<'p>) -> Request<'p> {
        Request {
            method: self.method.as_deref().expect("a request has a method"),
            target_uri: self.target_uri.as_deref().expect("a request has a target"),
            headers,
        }
    }
}

fn vectors() -> Vectors {
    let text = include_str!("../../../../conformance/rfc9421.json");
    serde_json::from_str(text).expect("the vectors are well-formed")
}

fn known(id: &str, key: &Key) -> KnownKey {
    use base64::Engine;
    if let Some(secret) = &key.secret_base64 {
        return KnownKey::parse(id, secret).unwrap();
    }
    let pem = key.public_pem_spki.as_ref().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap();
    let algorithm = [
        Algorithm::Ed25519,
        Algorithm::EcdsaP256Sha256,
        Algorithm::RsaPssSha512,
    ]
    .into_iter()
    .find(|algorithm| algorithm.name() == key.alg);
    KnownKey::from_public_der(id, algorithm.unwrap(), &der).unwrap()
}

/// Runs `check` with the message of a vector, the signature's headers among its own.
fn with_message<T>(vector: &Vector, check: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut headers = vector.message.headers();
    headers.push(("Signature-Input", vector.signature_input.as_bytes()));
    headers.push(("Signature", vector.signature.as_bytes()));
    let related = vector.related_request.as_ref().map(Part::headers);
    let related = vector.related_request.as_ref().zip(related.as_ref());
    check(&match vector.message.status {
        None => Message::Request(vector.message.request(&headers)),
        Some(status) => Message::Response(Response {
            status,
            headers: &headers,
            request: related.map(|(request, headers)| request.request(headers)),
        }),
    })
}

/// By the signature alone, as the vectors mean it: whatever it covers, when it was made.
#[test]
fn every_vector_is_judged_as_it_says() {
    let Vectors { keys, cases } = vectors();
    let keys: Vec<KnownKey> = keys.iter().map(|(id, key)| known(id, key)).collect();
    let verifier = Verifier {
        keys: &keys,
        required: &[],
        tag: None,
        tolerance_seconds: 0,
    };
    let (mut valid, mut invalid) = (0, 0);
    for vector in cases {
        let input = parse_lists(vector.signature_input.as_bytes()).unwrap();
        let Some(fields::Bare::Integer(created)) = input[0].1.parameters.get("created") else {
            panic!("every vector says when it was made");
        };
        let body = vector.message.body.as_bytes();
        let judged = with_message(&vector, |message| verifier.verify(message, body, *created));
        if vector.valid {
            let key = judged
                .unwrap_or_else(|refused| panic!("{}: {refused}", vector.id))
                .key;
            assert_eq!(keys[key].id.as_ref(), Some(&vector.keyid));
            valid += 1;
        } else {
            let refused = Err(Refused::WrongSignature);
            assert_eq!(judged, refused, "{}: {}", vector.id, vector.why);
            invalid += 1;
        }
    }
    assert_eq!((valid, invalid), (15, 9));
}

#[test]
fn bases_are_built_and_signed_again_byte_for_byte() {
    let Vectors { keys, cases } = vectors();
    let mut signed = 0;
    for vector in cases {
        let input = parse_lists(vector.signature_input.as_bytes()).unwrap();
        let base = with_message(&vector, |message| signature_base(message, &input[0].1));
        let base = base.unwrap();
        assert_eq!(base, vector.signature_base, "{}", vector.id);
        let Some(key) = signing_key(&keys[&vector.keyid]) else {
            continue;
        };
        assert!(vector.deterministic);
        use base64::Engine;
        let signature =
            base64::engine::general_purpose::STANDARD.encode(Signing::new(&key).sign(&base));
        let signature = format!("{}=:{signature}:", input[0].0);
        assert_eq!(signature == vector.signature, vector.valid, "{}", vector.id);
        signed += 1;
    }
    assert_eq!(signed, 18);
}

/// The key that signs, of the two kinds that do.
fn signing_key(key: &Key) -> Option<SigningKey> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    if let Some(secret) = &key.secret_base64 {
        return Some(SigningKey::parse(&format!("whsec_{secret}")).unwrap());
    }
    if key.alg != "ed25519" {
        return None;
    }
    let jwk = key.private_jwk.as_ref()?;
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let halves = [member("d"), member("x")].concat();
    Some(SigningKey::parse(&format!("whsk_{}", STANDARD.encode(halves))).unwrap())
}
