//! What the document says of the body: a key of one of three kinds, or where its set is. Which
//! numbers make a key, it can't say.

use super::EncryptionIn;
use crate::bounds::fetched_url;
use app::endpoints::{CONTENT_ENCRYPTION, KID_BYTES_MAX};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What keys of a curve are for, and RSA keys.
const AGREEMENT: [&str; 2] = ["ECDH-ES", "ECDH-ES+A256KW"];
const RSA: [&str; 1] = ["RSA-OAEP-256"];

/// Base64url of 32 bytes.
const COORDINATE: &str = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$";
/// Base64url of 3 or 4 bytes.
const EXPONENT: &str = "^[A-Za-z0-9_-]{4}([A-Za-z0-9_-][AQgw])?$";
/// Base64url of 256 to 1024 bytes: 2048 to 8192 bits.
const MODULUS: &str = "^[A-Za-z0-9_-]{342,1366}$";
/// No control characters.
const KID: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// Members of a key that only its owner may know.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl JsonSchema for EncryptionIn {
    fn schema_name() -> Cow<'static, str> {
        "EndpointEncryptionIn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let curves = json!({ "oneOf": [
            jwk(("EC", &AGREEMENT), json!({
                "crv": { "const": "P-256" },
                "x": { "type": "string", "pattern": COORDINATE },
                "y": { "type": "string", "pattern": COORDINATE },
            })),
            jwk(("OKP", &AGREEMENT), json!({
                "crv": { "const": "X25519" },
                "x": { "type": "string", "pattern": COORDINATE },
            })),
        ]});
        let rsa = jwk(
            ("RSA", &RSA),
            json!({
                "n": { "type": "string", "pattern": MODULUS },
                "e": { "type": "string", "pattern": EXPONENT },
            }),
        );
        let all = [&AGREEMENT[..], &RSA].concat();
        let url = json!({ "type": "string", "format": "uri", "pattern": fetched_url() });
        let mut published = body(("jwksUrl", url), &all);
        published["properties"]["kid"] = kid("string");
        json_schema!({
            "description": "Whom payloads are encrypted to: a public key (RFC 7517), or a key of \
                the set that its receiver publishes.",
            "oneOf": [published, body(("jwk", curves), &AGREEMENT), body(("jwk", rsa), &RSA)],
        })
    }
}

/// A body with this field, and an algorithm that fits it.
fn body((field, schema): (&str, Value), algorithms: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": [field],
        "properties": {
            field: schema,
            "alg": { "enum": algorithms },
            "enc": { "const": CONTENT_ENCRYPTION },
        },
    })
}

/// A key of this type. Members that nothing is known of are passed over; null is like nothing.
fn jwk((key_type, algorithms): (&str, &[&str]), own: Value) -> Value {
    let mut properties = json!({
        "kty": { "const": key_type },
        "kid": kid(["string", "null"]),
        "use": { "enum": ["enc", null] },
        "key_ops": { "type": ["array", "null"], "items": { "type": "string" } },
        "alg": { "enum": algorithms.iter().copied().map(Some).chain([None]).collect::<Vec<_>>() },
    });
    for name in ["crv", "x", "y", "n", "e"] {
        properties[name] = json!({ "type": ["string", "null"] });
    }
    for name in PRIVATE {
        properties[name] = json!({ "type": "null" });
    }
    let mut required = vec!["kty"];
    for (name, schema) in own.as_object().into_iter().flatten() {
        required.push(name);
        properties[name] = schema.clone();
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

fn kid(kinds: impl Into<Value>) -> Value {
    json!({ "type": kinds.into(), "pattern": KID, "minLength": 1, "maxLength": KID_BYTES_MAX })
}
