//! A client of a token server: its configuration checked once, the request for a token made of it
//! as often as needed.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::address::AddressPolicy;
use model::oauth::{ClientAuthentication, Grant, OauthConfig};
use model::{Entropy, Secret, Timestamp};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::OauthError;
use super::assertion::Assertion;
use crate::fetch::{self, FetchUrlError, LIMITS};
use crate::{Outgoing, Purpose, Target, fetch_target};

/// The longest form, in bytes.
const FORM_BYTES_MAX: usize = 32 << 10;
/// The most extra headers.
pub const HEADERS_MAX: usize = 50;
/// The longest value of one.
const HEADER_BYTES_MAX: usize = 4_096;

/// Parameters that the rest of the configuration says.
const OUR_PARAMS: [&str; 7] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "refresh_token",
    "scope",
];

/// Headers that a request needs for itself.
const OUR_HEADERS: [&str; 13] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a token is kept by: a digest of all that it is asked for with.
pub(super) type Fingerprint = [u8; 32];

/// A configuration that a token can be asked for with.
pub struct OauthClient {
    target: Arc<Target>,
    headers: HeaderMap,
    form: Secret,
    assertion: Option<Assertion>,
    pub(super) fingerprint: Fingerprint,
}

/// Why no token can be asked for with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum OauthConfigError {
    /// The token server can't be asked there.
    #[error("the token URL can't be used")]
    TokenUrl(#[from] FetchUrlError),
    /// No client.
    #[error("the client id must not be empty")]
    NoClientId,
    /// No secret.
    #[error("{0} must be text, and not empty")]
    NoSecret(&'static str),
    /// A parameter that the rest of the configuration says.
    #[error("the parameter `{0}` can't be an extra one: the rest of the configuration says it")]
    Param(String),
    /// A header that can't be sent.
    #[error("the header `{0}` can't be added to requests for a token")]
    Header(String),
    /// Too many headers.
    #[error("there may be at most {HEADERS_MAX} extra headers")]
    Headers,
    /// Too much to send.
    #[error(
        "client id, secrets, scopes and extra parameters have more than {FORM_BYTES_MAX} bytes"
    )]
    TooLong,
    /// No key to sign with.
    #[error(
        "the private key must be an RSA key of 2048 to 8192 bits, PKCS#8 or PKCS#1, PEM or DER"
    )]
    Key,
}

impl OauthConfigError {
    /// What a tenant may read.
    pub fn for_tenant(&self) -> Cow<'static, str> {
        match self {
            Self::TokenUrl(error) => Cow::Owned(format!("{self}: {}", error.for_tenant())),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl OauthClient {
    /// Checks a configuration and prepares its request. The token URL is judged by its text here,
    /// and by where it leads whenever it is called.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: &OauthConfig, policy: &AddressPolicy) -> Result<Self, OauthConfigError> {
        if config.client_id.is_empty() {
            return Err(OauthConfigError::NoClientId);
        }
        let target = fetch_target(&config.token_url, policy)?;
        let mut headers = headers(config)?;
        let form = form(config)?;
        let mut assertion = None;
        match &config.authentication {
            ClientAuthentication::SecretBasic(secret) => {
                headers.insert(AUTHORIZATION, basic(&config.client_id, secret)?);
            }
            ClientAuthentication::SecretPost(_) => (),
            ClientAuthentication::PrivateKeyJwt(key) => {
                assertion = Some(Assertion::new(config, key)?)
            }
        }
        let mut client = Self {
            target,
            headers,
            form,
            assertion,
            fingerprint: Fingerprint::default(),
        };
        client.fingerprint = client.fingerprint(&config.authentication);
        Ok(client)
    }

    /// A request for a token.
    pub(super) fn request(
        &self,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Outgoing, OauthError> {
        let mut form = self.form.expose().to_vec();
        if let Some(assertion) = &self.assertion {
            // Nothing in it has to be escaped.
            form.extend_from_slice(b"&client_assertion=");
            form.extend_from_slice(assertion.sign(now, entropy)?.as_bytes());
        }
        let headers = self.headers.clone();
        let mut request = Outgoing::new(Purpose::OauthToken, self.target.clone(), headers, LIMITS);
        request.body = Bytes::from(form);
        Ok(request)
    }

    fn fingerprint(&self, authentication: &ClientAuthentication) -> Fingerprint {
        let mut context = Context::new(&SHA256);
        let mut add = |part: &[u8]| {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        };
        add(self.target.url().to_string().as_bytes());
        add(self.form.expose());
        for (name, value) in &self.headers {
            add(name.as_str().as_bytes());
            add(value.as_bytes());
        }
        if let ClientAuthentication::PrivateKeyJwt(key) = authentication {
            add(key.key.expose());
            add(key.key_id.as_deref().unwrap_or_default().as_bytes());
            add(&key.lifetime.as_secs().to_be_bytes());
        }
        digest_bytes(context.finish())
    }
}

fn digest_bytes(digest: Digest) -> Fingerprint {
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn headers(config: &OauthConfig) -> Result<HeaderMap, OauthConfigError> {
    if config.extra_headers.len() > HEADERS_MAX {
        return Err(OauthConfigError::Headers);
    }
    let mut headers = fetch::headers();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    for (name, value) in &config.extra_headers {
        let unfit = || OauthConfigError::Header(name.clone());
        let name = HeaderName::try_from(name).map_err(|_| unfit())?;
        let value = HeaderValue::try_from(value).map_err(|_| unfit())?;
        if OUR_HEADERS.contains(&name.as_str()) || value.len() > HEADER_BYTES_MAX {
            return Err(unfit());
        }
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The form, but for an assertion's text.
fn form(config: &OauthConfig) -> Result<Secret, OauthConfigError> {
    let mut form = Serializer::new(String::new());
    match &config.grant {
        Grant::ClientCredentials => {
            form.append_pair("grant_type", "client_credentials");
        }
        Grant::RefreshToken(token) => {
            form.append_pair("grant_type", "refresh_token");
            form.append_pair("refresh_token", text(token, "the refresh token")?);
        }
    }
    if !config.scopes.is_empty() {
        form.append_pair("scope", &config.scopes.join(" "));
    }
    for (name, value) in &config.extra_params {
        if name.is_empty() || OUR_PARAMS.contains(&name.as_str()) {
            return Err(OauthConfigError::Param(name.clone()));
        }
        form.append_pair(name, value);
    }
    match &config.authentication {
        ClientAuthentication::SecretBasic(_) => (),
        ClientAuthentication::SecretPost(secret) => {
            form.append_pair("client_id", &config.client_id);
            form.append_pair("client_secret", text(secret, CLIENT_SECRET)?);
        }
        ClientAuthentication::PrivateKeyJwt(_) => {
            form.append_pair("client_id", &config.client_id);
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
        }
    }
    let form = form.finish();
    if form.len() > FORM_BYTES_MAX {
        return Err(OauthConfigError::TooLong);
    }
    Ok(form.into())
}

const CLIENT_SECRET: &str = "the client secret";

/// Both halves are escaped as in a form, since RFC 6749 says so (section 2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Result<HeaderValue, OauthConfigError> {
    let secret = text(secret, CLIENT_SECRET)?;
    let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", escaped(client_id), escaped(secret));
    if pair.len() > FORM_BYTES_MAX {
        return Err(OauthConfigError::TooLong);
    }
    let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
    let mut value = HeaderValue::try_from(value).expect("Base64 is visible");
    value.set_sensitive(true);
    Ok(value)
}

fn text<'s>(secret: &'s Secret, what: &'static str) -> Result<&'s str, OauthConfigError> {
    match std::str::from_utf8(secret.expose()) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(OauthConfigError::NoSecret(what)),
    }
}
