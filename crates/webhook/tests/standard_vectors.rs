//! The vectors of `conformance/providers.json` whose scheme is Standard Webhooks, whatever the
//! provider calls it: each is verified as it says, and each valid one is signed again, byte for
//! byte. Those of other schemes wait for their modules.

use std::collections::BTreeMap;

use serde::Deserialize;
use webhook::{HeaderFamily, SigningKey, Verifier, VerifyingKey};

/// How many vectors each provider has: one that is no longer read must not go unnoticed.
const PROVIDERS: [(&str, HeaderFamily, usize); 4] = [
    ("gitlab-signing", HeaderFamily::Webhook, 18),
    ("standard-webhooks", HeaderFamily::Webhook, 37),
    ("standard-webhooks-ed25519", HeaderFamily::Webhook, 10),
    ("svix", HeaderFamily::Svix, 37),
];

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    secret_key_for_signing: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

impl Vector {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        &found.expect("a valid vector has every header").1
    }
}

fn vectors() -> Vec<(HeaderFamily, Vector)> {
    let text = include_str!("../../../conformance/providers.json");
    let all: Vec<Vector> = serde_json::from_str(text).expect("the vectors are well-formed");
    let family = |vector: &Vector| {
        PROVIDERS
            .iter()
            .find(|(name, ..)| *name == vector.provider)
            .map(|(_, family, _)| *family)
    };
    all.into_iter()
        .filter_map(|vector| Some((family(&vector)?, vector)))
        .collect()
}

fn verify(vector: &Vector, family: HeaderFamily, recase: impl Fn(&str) -> String) -> bool {
    let keys = [VerifyingKey::parse(&vector.secret).expect("the vectors' keys are well-formed")];
    let tolerance_seconds = vector
        .tolerance_seconds
        .expect("this scheme has a tolerance");
    let verifier = Verifier {
        keys: &keys,
        family,
        tolerance_seconds,
    };
    let headers: Vec<(String, &[u8])> = vector
        .headers
        .iter()
        .map(|(name, value)| (recase(name), value.as_bytes()))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), *value));
    verifier
        .verify(headers, vector.body.as_bytes(), vector.now_unix)
        .is_ok()
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let mut judged = BTreeMap::new();
    for (family, vector) in vectors() {
        for recase in [str::to_owned, str::to_ascii_uppercase] {
            let genuine = verify(&vector, family, recase);
            assert_eq!(genuine, vector.valid, "{}: {}", vector.id, vector.why);
            assert_eq!(
                verify(&vector, HeaderFamily::Both, recase),
                vector.valid,
                "{}",
                vector.id
            );
        }
        *judged.entry(vector.provider).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> = PROVIDERS
        .iter()
        .map(|(name, _, count)| (name.to_string(), *count))
        .collect();
    assert_eq!(judged, expected);
}

#[test]
fn valid_vectors_are_signed_again_byte_for_byte() {
    let (mut published, mut computed) = (0, 0);
    for (family, vector) in vectors().into_iter().filter(|(_, vector)| vector.valid) {
        let secret = vector
            .secret_key_for_signing
            .as_ref()
            .unwrap_or(&vector.secret);
        let secret = match secret.split_once('_') {
            Some(_) => secret.clone(),
            None => format!("whsec_{secret}"),
        };
        let key = SigningKey::parse(&secret).expect("the vectors' keys are well-formed");
        let names = family.names()[0];
        let timestamp = vector
            .header(names.timestamp)
            .parse()
            .expect("valid vectors have a time");
        let signature = webhook::sign(
            &[&key],
            vector.header(names.id),
            timestamp,
            vector.body.as_bytes(),
        );

        let expected = vector.header(names.signature);
        if vector.why.starts_with("official vector") {
            assert_eq!(signature, expected, "{}", vector.id);
            published += 1;
        } else {
            assert!(
                expected.split(' ').any(|entry| entry == signature),
                "{}",
                vector.id
            );
            computed += 1;
        }
    }
    assert_eq!((published, computed), (5, 21));
}
