//! Credentials that a source's requests must carry, compared in constant time: a name and a
//! password, a token, a key, or a signature over the request (RFC 9421) that covers at least what
//! deliveries' do.

use super::scheme::Signed;
use super::{Refusal, Request};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use model::Secret;
use model::protection::{Credential, KeyPlace};
use webhook::http_signature::{self, KnownKey, Message, TAG, Verifier, WEBHOOK_COMPONENTS};
use webhook::{KeyError, SigningKey};

pub(super) enum CredentialCheck {
    /// What stands behind `Basic`, decoded.
    Basic(Digest),
    /// What stands behind `Bearer`.
    Bearer(Digest),
    /// What stands in this header.
    Header(String, Digest),
    /// What this parameter of the URL has.
    Parameter(String, Digest),
    /// A signature with this key that covers all of these.
    Signature {
        key: Box<[KnownKey]>,
        components: Vec<String>,
    },
}

/// Equally long, whatever is compared: comparing tells not even the length.
pub(super) struct Digest([u8; 32]);

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        let digest = digest(&SHA256, bytes);
        let bytes = digest.as_ref().try_into();
        Self(bytes.expect("a SHA-256 has 32 bytes"))
    }

    fn check(&self, shown: &[u8]) -> Result<(), Refusal> {
        let equal = verify_slices_are_equal(&Self::of(shown).0, &self.0);
        equal.map_err(|_| Refusal::Credentials("the credentials are not the configured ones"))
    }
}

const MISSING: Refusal = Refusal::Credentials("there are no credentials where they should be");
const TWICE: Refusal = Refusal::Credentials("credentials are there more than once");
const UNREADABLE: Refusal = Refusal::Credentials("the credentials are not of the right kind");

impl CredentialCheck {
    pub(super) fn new(credential: &Credential) -> Result<Self, String> {
        Ok(match credential {
            Credential::Basic { username, password } => {
                let shown = [username.as_bytes(), b":", password.expose()].concat();
                Self::Basic(Digest::of(&shown))
            }
            Credential::Bearer { token } => Self::Bearer(Digest::of(token.expose())),
            Credential::ApiKey { place, name, value } => {
                let digest = Digest::of(value.expose());
                match place {
                    KeyPlace::Header => Self::Header(name.clone(), digest),
                    KeyPlace::Query => Self::Parameter(name.clone(), digest),
                }
            }
            Credential::HttpSignature {
                key, components, ..
            } => {
                let always = WEBHOOK_COMPONENTS.map(str::to_owned);
                Self::Signature {
                    key: Box::new([known(key).map_err(|error| error.to_string())?]),
                    components: [&always[..], components].concat(),
                }
            }
        })
    }

    /// Whether it is a signature, which covers the URL, the body, an id and a time.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self, Self::Signature { .. })
    }

    /// The header of a name of its own that it stands in.
    pub(super) fn header(&self) -> Option<&str> {
        match self {
            Self::Header(name, _) => Some(name),
            _ => None,
        }
    }

    /// What a signature says.
    pub(super) fn check(
        &self,
        request: &Request<'_>,
        now: i64,
        tolerance_seconds: u32,
    ) -> Result<Option<Signed>, Refusal> {
        match self {
            Self::Basic(expected) => {
                let shown = BASE64_STANDARD.decode(behind(request, "basic")?);
                expected.check(&shown.map_err(|_| UNREADABLE)?)?;
            }
            Self::Bearer(expected) => expected.check(behind(request, "bearer")?)?,
            Self::Header(name, expected) => expected.check(header(request, name)?)?,
            Self::Parameter(name, expected) => {
                expected.check(parameter(request, name)?.as_bytes())?;
            }
            Self::Signature { key, components } => {
                let required: Vec<_> = components.iter().map(String::as_str).collect();
                let verifier = Verifier {
                    keys: key,
                    required: &required,
                    tag: Some(TAG),
                    tolerance_seconds,
                };
                return signed(&verifier, request, now).map(Some);
            }
        }
        Ok(None)
    }
}

fn signed(verifier: &Verifier<'_>, request: &Request<'_>, now: i64) -> Result<Signed, Refusal> {
    let message = Message::Request(http_signature::Request {
        method: request.method,
        target_uri: request.url,
        headers: request.headers,
    });
    let verified = verifier.verify(&message, request.body, now);
    verified.map_err(Refusal::RequestSignature)?;
    // It is covered, and so is there once.
    let id = std::str::from_utf8(header(request, "webhook-id")?).map_err(|_| UNREADABLE)?;
    Ok(Signed { id: id.to_owned() })
}

/// The sender's key, or the half of it that verifies.
fn known(key: &Secret) -> Result<KnownKey, KeyError> {
    let text = std::str::from_utf8(key.expose()).unwrap_or_default();
    match text.starts_with("whsk_") {
        true => KnownKey::of_any_name(SigningKey::parse(text)?.receiver_text().expose()),
        false => KnownKey::of_any_name(text),
    }
}

fn header<'r>(request: &Request<'r>, name: &str) -> Result<&'r [u8], Refusal> {
    let headers = request.headers.iter();
    let mut values = headers.filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let (_, value) = values.next().ok_or(MISSING)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(TWICE),
    }
}

/// What the header `authorization` has behind a scheme's name, which may be in any case.
fn behind<'r>(request: &Request<'r>, scheme: &str) -> Result<&'r [u8], Refusal> {
    let value = header(request, "authorization")?;
    let end = value.iter().position(|byte| *byte == b' ');
    let (name, rest) = value
        .split_at_checked(end.unwrap_or(value.len()))
        .unwrap_or_default();
    match name.eq_ignore_ascii_case(scheme.as_bytes()) {
        true => Ok(rest.trim_ascii()),
        false => Err(UNREADABLE),
    }
}

fn parameter(request: &Request<'_>, name: &str) -> Result<String, Refusal> {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let mut values = pairs.filter(|(other, _)| other == name);
    let (_, value) = values.next().ok_or(MISSING)?;
    match values.next() {
        None => Ok(value.into_owned()),
        Some(_) => Err(TWICE),
    }
}
