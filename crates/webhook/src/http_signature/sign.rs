//! Signs a request: the digest of its body, and what of it a receiver must find unchanged.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::base::{Unavailable, signature_base};
use super::digest::content_digest;
use super::fields::{Bare, InnerList, Item, Parameters, is_text};
use super::key::Signing;
use super::message::{Message, Request, is_field_name};
use super::{CONTENT_DIGEST, HEADERS, SIGNATURE, SIGNATURE_INPUT, TAG, WEBHOOK_COMPONENTS};
use crate::SigningKey;

/// How a signature is called, of which a request may have several.
const LABEL: &str = "sig1";

/// The most components that may be added to those that are always covered.
pub const ADDITIONAL_MAX: usize = 32;

/// The longest `keyid`, in bytes.
const KEY_ID_BYTES_MAX: usize = 256;

/// Components of a request's target that may be added. The whole is covered anyway.
const TARGET_COMPONENTS: [&str; 5] = [
    "@authority",
    "@scheme",
    "@request-target",
    "@path",
    "@query",
];

/// Fields that a proxy changes by right, or that the signature itself is in.
pub const UNSIGNABLE: [&str; 10] = [
    SIGNATURE,
    SIGNATURE_INPUT,
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a signer can't be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// A `keyid` that can't be written.
    #[error("a key id has 1 to {KEY_ID_BYTES_MAX} printable ASCII characters")]
    KeyId,
    /// A component that requests do not have, or that does not arrive as it was sent.
    #[error(
        "{0:?} can't be covered: name a header in lower case that arrives as it was sent, or one \
         of `@authority`, `@scheme`, `@request-target`, `@path`, `@query`"
    )]
    Component(String),
    /// Too many components.
    #[error("at most {ADDITIONAL_MAX} components can be added")]
    TooManyComponents,
}

/// Why a request was not signed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A component that has to be covered is not there.
    #[error("`{0}` has to be signed, and the request has no readable value for it")]
    Unavailable(String),
    /// The request has one of the headers that signing makes.
    #[error("the request already has the header `{0}`, which is made by signing it")]
    AlreadyThere(&'static str),
}

/// When a signature is made, and for how long.
#[derive(Clone, Copy)]
pub struct Moment {
    /// The attempt's time in seconds since the Unix epoch.
    pub created: i64,
    /// After how many seconds a receiver must refuse it.
    pub lifetime_seconds: u32,
    /// Random bytes that tell this signature from all others.
    pub nonce: [u8; 16],
}

/// The headers that make a request a signed one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureHeaders {
    /// The value of `content-digest`.
    pub content_digest: String,
    /// The value of `signature-input`.
    pub signature_input: String,
    /// The value of `signature`.
    pub signature: String,
}

impl SignatureHeaders {
    /// The three headers, by name.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            (CONTENT_DIGEST, self.content_digest.as_str()),
            (SIGNATURE_INPUT, self.signature_input.as_str()),
            (SIGNATURE, self.signature.as_str()),
        ]
    }
}

/// Signs requests with one key. It does not print.
pub struct Signer {
    key: Signing,
    key_id: String,
    components: Vec<Item>,
}

impl Signer {
    /// A signer that covers [`WEBHOOK_COMPONENTS`] and these besides: names of headers in lower
    /// case, or parts of the target. `key_id` is what the receiver knows the key by.
    pub fn new(key: &SigningKey, key_id: &str, additional: &[&str]) -> Result<Self, SignerError> {
        if !(1..=KEY_ID_BYTES_MAX).contains(&key_id.len()) || !is_text(key_id) {
            return Err(SignerError::KeyId);
        }
        if additional.len() > ADDITIONAL_MAX {
            return Err(SignerError::TooManyComponents);
        }
        let mut components: Vec<Item> = WEBHOOK_COMPONENTS.map(Item::plain).to_vec();
        for &name in additional {
            let signable = is_field_name(name) && !UNSIGNABLE.contains(&name);
            if components.iter().any(|before| before.text == name) {
                continue;
            }
            if !signable && !TARGET_COMPONENTS.contains(&name) {
                return Err(SignerError::Component(name.to_owned()));
            }
            components.push(Item::plain(name));
        }
        Ok(Self {
            key: Signing::new(key),
            key_id: key_id.to_owned(),
            components,
        })
    }

    /// Signs a request with all headers that it is sent with, but for the three that this makes.
    ///
    /// # Errors
    /// Where a component has no value, such as a header that is to be covered and is not there: a
    /// signature over less would not be what was asked for.
    pub fn sign(
        &self,
        request: Request<'_>,
        body: &[u8],
        moment: Moment,
    ) -> Result<SignatureHeaders, SignError> {
        let already = |name: &&&str| {
            let mut headers = request.headers.iter();
            headers.any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        if let Some(name) = HEADERS.iter().find(already) {
            return Err(SignError::AlreadyThere(name));
        }

        let content_digest = content_digest(body);
        let mut headers = request.headers.to_vec();
        headers.push((CONTENT_DIGEST, content_digest.as_bytes()));
        let message = Message::Request(Request {
            headers: &headers,
            ..request
        });
        let covered = self.covered(moment);
        let base = signature_base(&message, &covered)
            .map_err(|Unavailable(item)| SignError::Unavailable(item.text))?;

        let mut signature_input = format!("{LABEL}=");
        covered.write(&mut signature_input);
        let signature = STANDARD.encode(self.key.sign(&base));
        Ok(SignatureHeaders {
            content_digest,
            signature_input,
            signature: format!("{LABEL}=:{signature}:"),
        })
    }

    fn covered(&self, moment: Moment) -> InnerList {
        let expires = moment
            .created
            .saturating_add(i64::from(moment.lifetime_seconds));
        let nonce = URL_SAFE_NO_PAD.encode(moment.nonce);
        let algorithm = self.key.algorithm().name();
        InnerList {
            items: self.components.clone(),
            parameters: Parameters::default()
                .with("created", Bare::Integer(moment.created))
                .with("expires", Bare::Integer(expires))
                .with("keyid", Bare::Text(self.key_id.clone()))
                .with("nonce", Bare::Text(nonce))
                .with("tag", Bare::Text(TAG.to_owned()))
                .with("alg", Bare::Text(algorithm.to_owned())),
        }
    }
}
