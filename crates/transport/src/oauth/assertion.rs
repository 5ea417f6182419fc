//! `private_key_jwt` (RFC 7523, section 3): a client proves who it is by a JWT that it signs, with
//! RS256, for this token server, for a short time, and never twice the same.

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use model::oauth::{AssertionKey, OauthConfig};
use model::{Entropy, Timestamp, entropy};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::{Signer, SigningKey};
use serde_json::json;

use super::{OauthConfigError, OauthError};

/// Token servers refuse assertions that are good for long.
const LIFETIME_MAX: Duration = Duration::from_secs(3_600);

/// What assertions are made of.
pub(super) struct Assertion {
    key: Arc<dyn SigningKey>,
    header: String,
    client_id: String,
    audience: String,
    lifetime: Duration,
}

impl Assertion {
    pub(super) fn new(config: &OauthConfig, key: &AssertionKey) -> Result<Self, OauthConfigError> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(key_id) = &key.key_id {
            header["kid"] = key_id.as_str().into();
        }
        let assertion = Self {
            key: read(key.key.expose()).ok_or(OauthConfigError::Key)?,
            header: encode(header.to_string()),
            client_id: config.client_id.clone(),
            audience: config.token_url.clone(),
            lifetime: key.lifetime.clamp(Duration::from_secs(1), LIFETIME_MAX),
        };
        assertion.signer().ok_or(OauthConfigError::Key)?;
        Ok(assertion)
    }

    /// A new assertion.
    pub(super) fn sign(&self, now: Timestamp, entropy: &dyn Entropy) -> Result<String, OauthError> {
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now.seconds(),
            "exp": now.plus(self.lifetime).seconds(),
            "jti": encode(entropy::random::<16>(entropy)),
        });
        let signed = format!("{}.{}", self.header, encode(claims.to_string()));
        let signer = self.signer().ok_or(OauthError::Assertion)?;
        let signature = signer.sign(signed.as_bytes());
        let signature = signature.map_err(|_| OauthError::Assertion)?;
        Ok(format!("{signed}.{}", encode(signature)))
    }

    fn signer(&self) -> Option<Box<dyn Signer>> {
        self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
    }
}

fn read(key: &[u8]) -> Option<Arc<dyn SigningKey>> {
    let der = match PrivateKeyDer::from_pem_slice(key) {
        Ok(der) => der,
        Err(_) => PrivateKeyDer::try_from(key.to_vec()).ok()?,
    };
    any_supported_type(&der).ok()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
