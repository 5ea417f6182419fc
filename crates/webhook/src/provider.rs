//! The senders that are known by name, and how what they send is told from what others send in
//! their name. A [`Provider`] is a description in a file of its own; signing and verifying both go
//! by it.
//!
//! A [`Verifier`] says of a genuine request what else its reader has to know: whether its id and
//! its time are signed ([`Genuine`]), by what a replay is told ([`ReplayKey`]), and for how long
//! that has to be remembered ([`ReplayGuard`]). None takes an older header or hash in the place of
//! the one that is described.
//!
//! A provider has [`Manners`] beside its scheme: where it says what kind of event a request brings,
//! how it wants to be answered, and how it asks whether it may send. A batch that it signs item by
//! item comes apart into [`Genuine::items`].
//!
//! Not here: remembering, and the URL: behind a proxy, the one that the sender has must be put
//! together by who knows it.
//!
//! Map: `scheme` (what a description consists of, and how any is verified) · `hmac`, `standard`,
//! `token`, `ed25519` (those that several providers share) · `manners`, with `place` (of an event
//! type), `handshake` and `answer` · `body` (members of a JSON body) · `form` · `secret` · `sign` ·
//! `source_type` (the names that a gateway's sources have) · one file for each provider.
//!
//! ```
//! use webhook::provider::{Provider, ReplayGuard, Request};
//!
//! let github = Provider::named("github").expect("known");
//! let verifier = github.verifier(&["It's a Secret to Everybody"])?;
//! let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! let request = Request {
//!     method: "POST",
//!     url: "https://example.com/hooks", // as the sender knows it
//!     headers: &[("X-Hub-Signature-256", signature.as_bytes())],
//!     body: b"Hello, World!",
//! };
//! let (now, tolerance_seconds) = (1_764_000_000, github.tolerance_seconds());
//! let genuine = verifier.verify(&request, now, tolerance_seconds)?;
//! assert_eq!(genuine.signed_at, None);
//! assert_eq!(genuine.guard, ReplayGuard::ByMemory);
//!
//! let request = Request { body: b"Hello, World?", ..request };
//! assert!(verifier.verify(&request, now, tolerance_seconds).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adobe_sign;
mod adyen;
mod airwallex;
mod answer;
mod body;
mod checkbook;
mod discord;
mod docusign;
mod dropbox;
mod easypost;
mod ed25519;
mod form;
mod generic;
pub(crate) mod github;
mod gitlab;
mod handshake;
mod hmac;
mod hubspot_hash;
mod hubspot_v3;
mod intercom;
mod linear;
mod mailgun;
mod manners;
mod meta;
mod nango;
mod paddle;
mod panda_doc;
mod place;
mod port_io;
mod rutter;
mod scheme;
mod secret;
mod segment;
mod sendgrid;
pub(crate) mod shopify;
mod sign;
pub(crate) mod slack;
mod source_type;
mod square;
mod standard;
pub(crate) mod stripe;
mod tailscale;
mod telegram;
mod telnyx;
#[cfg(test)]
mod tests;
mod token;
mod twilio;
mod twitch;
mod typeform;
mod veriff;
mod verify;
mod woocommerce;
mod zoom;

pub use answer::Answer;
pub use handshake::CHALLENGE_BYTES_MAX;
pub use manners::Manners;
pub use place::EVENT_TYPE_BYTES_MAX;
pub use scheme::{Content, Names, ReplayGuard};
pub use secret::SecretError;
pub use sign::{Outgoing, SignError};
pub use source_type::SourceType;
pub use verify::{BatchItem, Genuine, Id, ReplayKey, Verifier};

use scheme::AnyScheme;

/// A sender that is known by name.
#[derive(Clone, Copy)]
pub struct Provider {
    name: &'static str,
    scheme: &'static dyn AnyScheme,
    tolerance_seconds: u32,
    /// The member of a JSON body that holds the id, where no header does; one that is in another
    /// stands behind that one's name and a full stop.
    body_id: Option<&'static str>,
    manners: Manners,
}

/// A request as it was received. It does not print: a header of it may be a token.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// Such as `POST`.
    pub method: &'r str,
    /// The whole URL as the sender has it, with its query. Schemes that don't sign it, nor have
    /// anything in it, don't look at it.
    pub url: &'r str,
    /// In any order and case, with others among them.
    pub headers: &'r [(&'r str, &'r [u8])],
    /// Its bytes as they were received.
    pub body: &'r [u8],
}

static ALL: [&Provider; 45] = [
    &standard::STANDARD_WEBHOOKS,
    &standard::STANDARD_WEBHOOKS_ED25519,
    &standard::SVIX,
    &adobe_sign::PROVIDER,
    &adyen::PROVIDER,
    &airwallex::PROVIDER,
    &checkbook::PROVIDER,
    &discord::PROVIDER,
    &docusign::PROVIDER,
    &dropbox::PROVIDER,
    &easypost::PROVIDER,
    &github::PROVIDER,
    &gitlab::WITH_TOKEN,
    &gitlab::SIGNING,
    &hubspot_hash::V1,
    &hubspot_hash::V2,
    &hubspot_v3::PROVIDER,
    &intercom::PROVIDER,
    &linear::PROVIDER,
    &mailgun::PROVIDER,
    &meta::PROVIDER,
    &nango::PROVIDER,
    &paddle::PROVIDER,
    &panda_doc::PROVIDER,
    &port_io::PROVIDER,
    &rutter::PROVIDER,
    &segment::PROVIDER,
    &sendgrid::PROVIDER,
    &shopify::PROVIDER,
    &slack::PROVIDER,
    &square::PROVIDER,
    &stripe::PROVIDER,
    &tailscale::PROVIDER,
    &telegram::PROVIDER,
    &telnyx::PROVIDER,
    &twilio::PROVIDER,
    &twitch::PROVIDER,
    &typeform::PROVIDER,
    &veriff::PROVIDER,
    &woocommerce::PROVIDER,
    &zoom::PROVIDER,
    &generic::SHA256_HEX,
    &generic::SHA256_BASE64,
    &generic::SHA512_HEX_PREFIXED,
    &generic::SHA1_HEX,
];

impl Provider {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|provider| provider.name == name)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().copied().copied()
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How far the signed time may lie from now unless a source says otherwise, in seconds: what
    /// the provider's documentation says, or else
    /// [`TOLERANCE_SECONDS`](crate::TOLERANCE_SECONDS).
    pub fn tolerance_seconds(&self) -> u32 {
        self.tolerance_seconds
    }

    /// The headers that are of meaning to its scheme.
    pub fn headers(&self) -> Names {
        self.scheme.names()
    }

    /// Whether the whole body is signed. Where it isn't, what is not signed can be changed by
    /// whoever sees a request.
    pub fn signs_body(&self) -> bool {
        self.scheme.covers().body
    }

    /// Whether the URL is signed: then it has to be known as the sender has it.
    pub fn signs_url(&self) -> bool {
        self.scheme.covers().url
    }

    /// Whether the method is signed.
    pub fn signs_method(&self) -> bool {
        self.scheme.covers().method
    }

    /// By what its replays are kept out.
    pub fn guard(&self) -> ReplayGuard {
        self.scheme.covers().guard()
    }

    /// How it behaves beside how it signs.
    pub fn manners(&self) -> Manners {
        self.manners
    }

    /// A verifier that takes what was signed with any of these secrets, of which there is more than
    /// one while they rotate. With none of them, it takes nothing.
    pub fn verifier(&self, secrets: &[&str]) -> Result<Verifier, SecretError> {
        Ok(Verifier {
            keys: self.scheme.keys(secrets)?,
            guard: self.guard(),
            signs_body: self.signs_body(),
            body_id: self.body_id,
            unsigned_id: None,
            manners: self.manners,
        })
    }

    /// The headers that it would send, for those whose secret signs and that carry the signature in
    /// headers. The first secret is the current one; the others sign, too, where a request can
    /// carry several signatures.
    pub fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        match secrets {
            [] => Err(SignError::NoSecret),
            _ => self.scheme.sign(secrets, request),
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}
