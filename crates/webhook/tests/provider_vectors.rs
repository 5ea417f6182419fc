//! The vectors of `conformance/providers.json` whose scheme is described by a value: each is
//! verified as it says, and each valid one is signed again, byte for byte.

use std::collections::BTreeMap;

use serde::Deserialize;
use webhook::{GenericScheme, HmacKeys, HmacScheme, HmacVerifier};

/// How many vectors each provider has: one that is no longer read must not go unnoticed.
const PROVIDERS: [(&str, usize); 8] = [
    ("generic-hmac-sha1-hex", 11),
    ("generic-hmac-sha256-base64", 11),
    ("generic-hmac-sha256-hex", 11),
    ("generic-hmac-sha512-hex-prefixed", 12),
    ("github", 17),
    ("shopify", 11),
    ("slack", 22),
    ("stripe", 18),
];

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    secret: String,
    headers: Vec<(String, String)>,
    body: String,
    now_unix: i64,
    timestamp_unix: Option<i64>,
    tolerance_seconds: Option<u32>,
    valid: bool,
    why: String,
}

impl Vector {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn scheme(provider: &str) -> Option<HmacScheme> {
    let (header, hash, encoding, prefix) = match provider {
        "generic-hmac-sha1-hex" => ("X-Signature", "sha1", "hex", ""),
        "generic-hmac-sha256-base64" => ("X-Signature", "sha256", "base64", ""),
        "generic-hmac-sha256-hex" => ("X-Signature", "sha256", "hex", ""),
        "generic-hmac-sha512-hex-prefixed" => ("X-Webhook-Signature", "sha512", "hex", "sha512="),
        known => return HmacScheme::known(known),
    };
    let described = GenericScheme {
        header,
        hash,
        encoding,
        prefix,
        template: "{body}",
        timestamp_header: None,
    };
    Some(HmacScheme::generic(described).expect("the scheme is sound"))
}

fn vectors() -> Vec<(HmacScheme, Vector)> {
    let text = include_str!("../../../conformance/providers.json");
    let all: Vec<Vector> = serde_json::from_str(text).expect("the vectors are well-formed");
    all.into_iter()
        .filter_map(|vector| Some((scheme(&vector.provider)?, vector)))
        .collect()
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let mut judged = BTreeMap::new();
    for (scheme, vector) in vectors() {
        let keys = [scheme.key(&vector.secret).expect("a secret")];
        let verifier = HmacVerifier {
            scheme: &scheme,
            keys: &keys,
            tolerance_seconds: vector.tolerance_seconds.unwrap_or(0),
        };
        let headers = vector.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let verified = verifier.verify(headers, vector.body.as_bytes(), vector.now_unix);
        let told = format!("{}: {}", vector.id, vector.why);
        assert_eq!(verified.is_ok(), vector.valid, "{told}");
        if let Ok(verified) = verified {
            assert_eq!(verified.timestamp, vector.timestamp_unix, "{told}");
        }
        *judged.entry(vector.provider).or_insert(0) += 1;
    }
    let expected: BTreeMap<_, _> = PROVIDERS
        .iter()
        .map(|(name, count)| (name.to_string(), *count))
        .collect();
    assert_eq!(judged, expected);
}

#[test]
fn valid_vectors_are_signed_again_byte_for_byte() {
    let mut signed = 0;
    for (scheme, vector) in vectors().into_iter().filter(|(_, vector)| vector.valid) {
        let key = scheme.key(&vector.secret).expect("a secret");
        let keys = HmacKeys {
            current: &key,
            before: &[],
        };
        let id = scheme.id_header().and_then(|name| vector.header(name));
        let when = (id.unwrap_or("msg_1"), vector.timestamp_unix.unwrap_or(1));
        let headers = scheme.sign(keys, when, vector.body.as_bytes());
        for (name, value) in headers {
            let Some(expected) = vector.header(name) else {
                assert_eq!(Some(name), scheme.id_header(), "{}", vector.id);
                continue;
            };
            let mut parts: Vec<_> = value.split(',').collect();
            let expected: Vec<_> = expected.split(',').collect();
            parts.retain(|part| !expected.contains(part));
            assert_eq!(parts, [""; 0], "{}: {name}", vector.id);
        }
        signed += 1;
    }
    assert_eq!(signed, 22);
}
