//! Signs and verifies webhooks.
//!
//! At the root is the scheme that Postrider itself signs with unless told otherwise, Standard
//! Webhooks (`webhook-*` headers), and its elder twin with `svix-*` headers. What other senders
//! sign with HMAC is described by a value, [`HmacScheme`]. Every sender that is known by name is a
//! [`provider`]. All share what is not a scheme's own business: when a signed time is fresh, and
//! why a request was [`Refused`].
//!
//! A service that receives webhooks starts at [`Receiver`], which does everything in its order:
//! verify, decrypt, read, and keep out what came before, with a guard of [`replay`].
//!
//! Features, none of which is on by default: `tower` is a layer that puts a receiver before a
//! service; `axum` is that, and handlers that ask for a [`Webhook`]; `sqlite` and `postgres` are
//! guards in such a database. `examples/shop.rs` is a whole receiver.
//!
//! Without features the crate is pure: no clock, no randomness, no I/O, no async. Time and random
//! bytes are arguments. It knows nothing of Postrider's domain and can be used alone, by a receiver
//! too.
//!
//! ```
//! use webhook::{HeaderFamily, SigningKey, Verifier, VerifyingKey};
//!
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let (id, now) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
//! let body = br#"{"test": 2432232314}"#;
//!
//! let signature = webhook::sign(&[&SigningKey::parse(secret)?], id, now, body);
//! assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
//!
//! let verifier = Verifier {
//!     keys: &[VerifyingKey::parse(secret)?],
//!     family: HeaderFamily::Webhook,
//!     tolerance_seconds: webhook::TOLERANCE_SECONDS,
//! };
//! let headers = [
//!     ("webhook-id", id.as_bytes()),
//!     ("webhook-timestamp", b"1614265330"),
//!     ("webhook-signature", signature.as_bytes()),
//! ];
//! assert_eq!(verifier.verify(headers, body, now)?.id, id);
//! assert!(verifier.verify(headers, b"something else", now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
mod extract;
mod freshness;
pub mod http_signature;
pub mod jwe;
#[cfg(feature = "tower")]
pub mod layer;
pub mod provider;
mod received;
mod receiver;
mod refused;
pub mod replay;
mod scheme;
mod standard;

pub use freshness::check_age;
pub use receiver::{
    BODY_BYTES_MAX, Event, REPLAY_WINDOW_SECONDS, Receiver, Rejection, Remember, Webhook,
};
pub use refused::{Carried, Refused};
pub use scheme::HmacScheme;
pub use scheme::generic::{GenericError, GenericPart, GenericScheme};
pub use scheme::key::{HmacKey, TEXT_SECRET_BYTES_MAX, TextSecretError};
pub use scheme::sign::HmacKeys;
pub use scheme::template::{TEMPLATE_BYTES_MAX, TemplateError};
pub use scheme::verify::{HmacContent, HmacVerified, HmacVerifier};
pub use standard::headers::{HeaderFamily, HeaderNames, UnknownFamily};
pub use standard::id::{ID_BYTES_MAX, is_valid_id};
pub use standard::key::{KeyError, SecretText, SigningKey, VerifyingKey};
pub use standard::sign::sign;
pub use standard::verify::{SIGNATURES_MAX, Verified, Verifier};

/// The pages for people who receive with this crate: their examples are tried.
#[cfg(all(doctest, feature = "axum", feature = "postgres", feature = "sqlite"))]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../../../docs/receiving.md")]
    struct Receiving;
}

/// How far a signed time may lie from the verifier's, either way, unless a source says otherwise:
/// what the reference libraries use. In seconds.
pub const TOLERANCE_SECONDS: u32 = 300;
