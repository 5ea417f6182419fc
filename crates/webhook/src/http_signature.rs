//! HTTP Message Signatures (RFC 9421) with the body's digest (RFC 9530): what is signed is the
//! request's own method, target, headers and digest, so that a receiver needs no agreement on how
//! a webhook is put together.
//!
//! A [`Signer`] signs with ed25519 or HMAC-SHA256, and always covers [`WEBHOOK_COMPONENTS`]. A
//! [`Verifier`] takes ECDSA on P-256 and RSA-PSS with SHA-512 besides; it goes by what the key's
//! record says, never by the request's `alg`, and refuses a signature that covers less than it
//! requires: a valid signature over little is worth little.
//!
//! Not here: the component parameters `sf`, `key`, `bs` and `tr`, negotiation by
//! `Accept-Signature`, and keeping replays out, for which [`Verified::nonce`] is there beside the
//! covered `webhook-id`.
//!
//! Map: `fields` (structured fields, as much of them as is needed) · `message` and `target`
//! (what components are taken from) · `base` (what is signed) · `digest` · `key` · `sign` ·
//! `verify`.
//!
//! ```
//! use webhook::SigningKey;
//! use webhook::http_signature::{
//!     KnownKey, Message, Moment, Request, Signer, TAG, Verifier, WEBHOOK_COMPONENTS,
//! };
//!
//! let key = SigningKey::generate_ed25519(&[7; 32]); // from a good source
//! let signer = Signer::new(&key, "key-1", &[])?;
//! let headers: [(&str, &[u8]); 3] = [
//!     ("content-type", b"application/json"),
//!     ("webhook-id", b"msg_1"),
//!     ("webhook-timestamp", b"1764000000"),
//! ];
//! let request = Request {
//!     method: "POST",
//!     target_uri: "https://example.com/hooks?tenant=7",
//!     headers: &headers,
//! };
//! let now = 1_764_000_000;
//! let moment = Moment { created: now, lifetime_seconds: 300, nonce: [9; 16] };
//! let signed = signer.sign(request, b"{}", moment)?;
//!
//! let known = KnownKey::parse("key-1", key.receiver_text().expose())?;
//! let verifier = Verifier {
//!     keys: &[known],
//!     required: &WEBHOOK_COMPONENTS,
//!     tag: Some(TAG),
//!     tolerance_seconds: webhook::TOLERANCE_SECONDS,
//! };
//! let made = signed.headers().map(|(name, value)| (name, value.as_bytes()));
//! let headers = [&headers[..], &made].concat();
//! let received = Message::Request(Request { headers: &headers, ..request });
//! assert_eq!(verifier.verify(&received, b"{}", now)?.created, now);
//! assert!(verifier.verify(&received, b"{ }", now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base;
mod digest;
mod fields;
mod key;
mod message;
mod sign;
mod target;
#[cfg(test)]
mod tests;
mod verify;

pub use digest::content_digest;
pub use key::{Algorithm, KnownKey, PublicJwk, PublicKeyError, key_id};
pub use message::{Message, Request, Response};
pub use sign::{
    ADDITIONAL_MAX, Moment, SignError, SignatureHeaders, Signer, SignerError, UNSIGNABLE,
};
pub use verify::{Verified, Verifier};

/// What a webhook's signature covers at least: what is done, where, with which message and body,
/// and when.
pub const WEBHOOK_COMPONENTS: [&str; 6] = [
    "@method",
    "@target-uri",
    "content-type",
    CONTENT_DIGEST,
    "webhook-id",
    "webhook-timestamp",
];

/// The `tag` of a webhook's signature, so that one that was made for another use is none.
pub const TAG: &str = "webhook";

/// The header that says what is signed.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The header that carries the signature.
pub const SIGNATURE: &str = "signature";
/// The header that carries the digest of the body: RFC 9530.
pub const CONTENT_DIGEST: &str = "content-digest";
/// The headers that signing a request makes.
pub const HEADERS: [&str; 3] = [CONTENT_DIGEST, SIGNATURE_INPUT, SIGNATURE];
