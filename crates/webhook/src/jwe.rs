//! Encrypted payloads: JSON Web Encryption (RFC 7516) in its compact serialisation, to one
//! recipient, with a content key and an IV that are new for each call.
//!
//! A sender encrypts, then signs: the signature covers the JWE's text, and a receiver verifies it
//! before it decrypts. The protected header carries the message's id, the attempt's time and the
//! event type, which [`open`] holds against what was signed, so that no ciphertext can be moved to
//! another message.
//!
//! Written: ECDH-ES and ECDH-ES+A256KW on P-256 and X25519, and RSA-OAEP-256, each with A256GCM.
//! Read, besides: ECDH-ES+A128KW, P-384 and A128GCM, and RSA-OAEP (SHA-1) where the key itself
//! names it. Nothing else is: no RSA1_5, no `none`, no passwords, no shared keys, no CBC, no
//! `zip`, no `crit`, and no JSON serialisation.
//!
//! Map: `algorithm` · `members` (what a JWK's JSON has) · `public` (the sender's side of a
//! key) · `set` (JWKS) · `private` (the receiver's side) · `agreement` (ECDH and its key
//! derivation) · `header` · `encrypt` · `decrypt`.
//!
//! ```
//! use webhook::jwe::{self, Context, PrivateJwk, PublicJwk, Recipient, Signed};
//!
//! // The receiver makes a key, and gives the sender its public half.
//! let private = PrivateJwk::parse(
//!     r#"{
//!         "kty": "OKP", "crv": "X25519", "kid": "2026-11",
//!         "x": "H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk",
//!         "d": "qPlnYgbDllK7rdYVApgLRIGHaOihM4hS6NwKbyqx_U0"
//!     }"#,
//! )?;
//! let public = PublicJwk::parse(&private.public_json())?;
//!
//! // The sender prepares it once, and encrypts each payload with new random bytes.
//! let recipient = Recipient::new(&public, None)?;
//! let context = Context {
//!     id: "msg_1",
//!     timestamp: 1_764_000_000,
//!     event_type: "order.paid",
//!     content_type: "application/json",
//! };
//! let random = [7; jwe::RANDOM_BYTES]; // from a good source
//! let body = recipient.encrypt(context, b"{}", &random)?;
//!
//! // The receiver verifies the signature over the body, then opens it.
//! let signed = Signed { id: "msg_1", timestamp: 1_764_000_000, event_type: None };
//! let opened = jwe::open(body.as_bytes(), &[private], signed)?;
//! assert_eq!(opened.payload, b"{}");
//! assert_eq!(opened.event_type, "order.paid");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agreement;
mod algorithm;
mod decrypt;
mod encrypt;
mod header;
mod members;
mod private;
mod public;
mod set;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use decrypt::{
    Bound, COMPACT_BYTES_MAX, DecryptError, Decrypted, OpenError, Opened, OpenedBound, Signed,
    decrypt, open, open_bound,
};
pub use encrypt::{Context, EncryptError, RANDOM_BYTES, Recipient};
pub use header::Header;
pub use members::{JWK_BYTES_MAX, JwkError, KEY_ID_BYTES_MAX};
pub use private::PrivateJwk;
pub use public::PublicJwk;
pub use set::{JWKS_BYTES_MAX, JWKS_KEYS_MAX, Jwks, JwksError};

/// The media type of a JWE in its compact serialisation: what a delivery's `content-type` says.
pub const MEDIA_TYPE: &str = "application/jose";
