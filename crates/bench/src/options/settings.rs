//! What an endpoint is told for each option: parts of the API, and bodies.

use crate::BenchError;
use crate::options::{Certificates, EndpointOption, keys};
use crate::receiver::{ACCESS_TOKEN, TOKEN};
use serde_json::{Value, json};

/// The header of a signature scheme of its own.
pub(super) const SIGNATURE_HEADER: &str = "x-bench-signature";
/// What stands for a password or a token.
const SECRET: &str = "open-sesame-0123";

/// What an option needs.
pub(super) struct Needs<'a> {
    /// The certificates of this run.
    pub(super) certificates: &'a Certificates,
    /// The receiver over plain HTTP, which gives access tokens as well.
    pub(super) receiver: &'a str,
}

/// The parts to set of an endpoint, by how their paths end.
pub(super) fn of(
    option: EndpointOption,
    needs: &Needs<'_>,
) -> Result<Option<(&'static str, Value)>, BenchError> {
    use EndpointOption as O;
    let setting = match option {
        O::Plain | O::Tls => return Ok(None),
        O::Ca => ("ca", json!({"cert": needs.certificates.authority})),
        O::Pins => {
            let pins = json!({"mode": "enforce", "pins": [needs.certificates.pin]});
            ("pins", pins)
        }
        O::Mtls => ("mtls", json!({"identity": needs.certificates.client})),
        O::Basic => {
            let basic = json!({"type": "basic", "username": "bench", "password": SECRET});
            ("auth", basic)
        }
        O::Bearer => ("auth", json!({"type": "bearer", "token": SECRET})),
        O::HttpSignatureEd25519 => ("auth", http_signature("ed25519", keys::ed25519()?)),
        O::HttpSignatureHmac => ("auth", http_signature("hmac-sha256", keys::shared()?)),
        O::Oauth => ("oauth", oauth(needs.receiver)),
        O::EncryptionP256 => ("encryption", encryption(&keys::p256()?, "ECDH-ES")),
        O::EncryptionX25519 => ("encryption", encryption(&keys::x25519()?, "ECDH-ES")),
        O::EncryptionRsa => ("encryption", encryption(&keys::rsa()?, "RSA-OAEP-256")),
        O::Redaction => ("redaction", redaction()),
        O::Signature => ("signature", signature()),
        O::Ed25519 => (
            "secret/rotate",
            json!({"key": keys::ed25519()?, "gracePeriodSeconds": 0}),
        ),
    };
    Ok(Some(setting))
}

fn http_signature(algorithm: &str, key: String) -> Value {
    json!({"type": "httpSignature", "algorithm": algorithm, "key": key})
}

fn oauth(receiver: &str) -> Value {
    json!({
        "tokenUrl": format!("{receiver}{TOKEN}"),
        "clientId": "bench",
        "clientSecret": SECRET,
        "authMethod": "clientSecretBasic",
        "grantType": "clientCredentials",
    })
}

fn encryption(jwk: &Value, algorithm: &str) -> Value {
    json!({"jwk": jwk, "alg": algorithm})
}

/// One value of most of the payload, and a short one.
fn redaction() -> Value {
    json!({"rules": [
        {"path": "/pad", "action": "mask", "keepLast": 4},
        {"path": "/sent", "action": "hash"},
    ]})
}

fn signature() -> Value {
    json!({
        "scheme": "generic",
        "header": SIGNATURE_HEADER,
        "hash": "sha256",
        "encoding": "hex",
        "template": "{timestamp}.{body}",
    })
}

/// What `authorization` is, where an option is about that.
pub(super) fn authorization(option: EndpointOption) -> Option<String> {
    match option {
        // `bench:` and the secret, in Base64.
        EndpointOption::Basic => Some("Basic ".to_owned()),
        EndpointOption::Bearer => Some(format!("Bearer {SECRET}")),
        EndpointOption::Oauth => Some(format!("Bearer {ACCESS_TOKEN}")),
        _ => None,
    }
}
