//! Whom an endpoint's payloads are encrypted to.

use super::super::{APP, Kind, Operation, Parameter, Shows, Verb};
use super::ID;

const PATHS: &[&str] = &["/app/{app}/endpoint/{id}/encryption"];

pub(super) const SHOW: Operation = Operation {
    name: "encryption",
    about: "Show whom its payloads are encrypted to",
    examples: "Example:
  postrider endpoint encryption --app acme first",
    verb: Verb::Get,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET: Operation = Operation {
    name: "set-encryption",
    about: "Encrypt its payloads to a public key, or to one that its receiver publishes",
    examples: "Examples:
  postrider endpoint set-encryption --app acme first --jwk @public.json
  postrider endpoint set-encryption --app acme first --jwks-url https://acme.example/jwks.json",
    verb: Verb::Put,
    paths: PATHS,
    parameters: &[
        ID,
        APP,
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
    fixed: &[],
    shows: Shows::Done("set the encryption of"),
};

pub(super) const DELETE: Operation = Operation {
    name: "delete-encryption",
    about: "Take its encryption away: payloads are sent as they are",
    examples: "Example:
  postrider endpoint delete-encryption --app acme first",
    verb: Verb::Delete,
    paths: PATHS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Done("deleted the encryption of"),
};
