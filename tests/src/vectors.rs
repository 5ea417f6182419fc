//! Receivers' keys, as the vectors under `conformance` have them.

use serde_json::Value;

use crate::place;

/// What a public key has.
const PUBLIC: [&str; 8] = ["kty", "crv", "x", "y", "n", "e", "kid", "use"];

/// The private key with this id, as a JWK.
///
/// # Panics
/// When there is none.
pub fn private_key(kid: &str) -> Value {
    let path = place::repository().join("conformance/jwe.json");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let vectors: Value = serde_json::from_str(&text).expect("they are JSON");
    let mut keys = vectors["cases"].as_array().expect("cases").iter();
    let found = keys.find(|one| one["key_jwk"]["kid"] == kid);
    found.expect("there is such a key")["key_jwk"].clone()
}

/// What its owner gives away of a private key.
///
/// # Panics
/// When it is no object.
pub fn public_key(key: &Value) -> Value {
    let members = key.as_object().expect("an object").iter();
    let members = members.filter(|(name, _)| PUBLIC.contains(&name.as_str()));
    Value::Object(
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}
