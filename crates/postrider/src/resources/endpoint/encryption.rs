//! Whom an endpoint's payloads are encrypted to.

use super::super::{Kind, Parameter};
use super::part::{Part, part};

pub(super) const ENCRYPTION: Part = part! {
    name: "encryption",
    of: "the encryption of",
    show: "Show whom its payloads are encrypted to",
    set: "Encrypt its payloads to a public key, or to one that its receiver publishes",
    delete: "Take its encryption away: payloads are sent as they are",
    examples: "Examples:
  postrider endpoint set-encryption --app acme first --jwk @public.json
  postrider endpoint set-encryption --app acme first --jwks-url https://acme.example/jwks.json",
    parameters: [
        Parameter::body(
            "jwk",
            "jwk",
            Kind::Json,
            "A public key, as a JWK: JSON, @FILE, or -",
        ),
        Parameter::body(
            "jwks-url",
            "jwksUrl",
            Kind::Text,
            "Where its receiver publishes its keys, as a JWKS",
        ),
        Parameter::body(
            "kid",
            "kid",
            Kind::Text,
            "Which of those; otherwise the first that is for encryption",
        )
        .needs("jwks-url"),
        Parameter::body(
            "alg",
            "alg",
            Kind::Text,
            "ECDH-ES, ECDH-ES+A256KW or RSA-OAEP-256; otherwise what fits the key",
        ),
    ],
};
