//! Use cases: one function each, with permission check and validation. API, pages, commands and
//! the receiving gateway all call these, so that a rule is written once.
//!
//! A use case takes the [`App`] (what the process has), the [`Caller`] (who asks, from where, in
//! which request) and its input, and gives back domain types or an [`AppError`]. It knows no HTTP
//! status and no wire form; what it wants of the sender goes through `store::Lanes` and
//! `store::Fetching`.
//!
//! Map: [`caller`] (who may do what), [`tokens`] (how they say who they are), [`access`] (which of
//! them are not good any more), [`api_keys`], [`portal`] (made by the API), [`sign_in`] (sessions
//! of pages), [`sources`] (where webhooks come in) · [`error`] (how use cases refuse) · `find`
//! (what a path names) · [`page`] (lists) · [`patch`], `change`, `idempotency` (how things are
//! changed, once), [`audit`] (by whom) · `sealing`, [`content`], `key_uses` (what is sealed, and
//! with what) · `fetching` (payloads that receivers fetch) · `witnessing` (what is ordinary),
//! `responses` (what is done about what is not) · [`filter`], [`status`] (what lists of messages
//! and attempts are asked for) · [`following`], [`listening`] (reading forwards, for ever),
//! `pulse` (whether there is something new to show) ·
//! [`operational`] (what the operator is told) · then one file for each noun; of the way of a
//! message, `accept` is the first part.

pub mod access;
pub mod api_keys;
pub mod applications;
pub mod attempts;
pub mod audit;
pub mod broadcast;
pub mod caller;
pub mod content;
pub mod deliveries;
pub mod endpoints;
pub mod environment;
pub mod erasure;
pub mod error;
pub mod event_types;
pub mod filter;
pub mod following;
pub mod listening;
pub mod master_keys;
pub mod messages;
pub mod operational;
pub mod page;
pub mod patch;
pub mod portal;
mod pulse;
pub mod recover;
pub mod replay;
pub mod security;
pub mod sign_in;
pub mod sources;
pub mod standings;
pub mod statistics;
pub mod status;
pub mod tasks;
pub mod tokens;

mod accept;
mod audit_key;
mod cancel;
mod change;
mod fetching;
mod find;
mod health;
mod idempotency;
mod key_uses;
mod nodes;
mod outside;
mod resend;
mod responses;
mod rules;
mod schema;
mod sealing;
mod throttling;
mod witnessing;

pub use caller::{Caller, Who};
pub use change::Saved;
pub use error::{AppError, Violation};
pub use find::Tenant;
pub use health::{Health, Ill};
pub use key_uses::KEY_USES_RECORDED;
pub use listening::Listeners;
pub use page::{ListInput, Order, Page};
pub use patch::Patch;
pub use rules::TEXT_BYTES_MAX;
pub use tokens::Tokens;

use environment::alerts::sender::AlertSender;
use model::operational::OperationalSink;
use model::security::EventSink;
use model::{Clock, Entropy};
use std::sync::Arc;
use store::{Fetching, Lanes, Registry, Store};
use vault::Vault;

/// What the use cases work with. Made once by the binary; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Applications and endpoints in memory.
    pub registry: Arc<Registry>,
    /// Where accepted deliveries go.
    pub lanes: Arc<dyn Lanes>,
    /// Where payloads leave that are fetched.
    pub fetching: Arc<dyn Fetching>,
    /// Seals and opens.
    pub vault: Arc<Vault>,
    /// Judges endpoints' URLs.
    pub guard: Arc<transport::Guard>,
    /// Tells who asks.
    pub tokens: Arc<Tokens>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Takes security events.
    pub events: Arc<dyn EventSink>,
    /// Takes what the operator is told by operational webhooks.
    pub operational: Arc<dyn OperationalSink>,
    /// Sends alerts to people.
    pub alerting: Arc<dyn AlertSender>,
    /// What the whole installation is set to.
    pub environment: Arc<environment::Environment>,
    /// Who waits for what is accepted.
    pub listeners: Arc<Listeners>,
    /// What is refused for being too much, and other settings.
    pub settings: Arc<Settings>,
}

/// The operator's settings that use cases obey.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most live endpoints of an application.
    pub endpoints_max: usize,
    /// The largest payload, in bytes.
    pub payload_bytes_max: usize,
    /// The most messages in one batch request.
    pub batch_messages_max: usize,
    /// The most deliveries that one accept transaction carries; the rest of a fan-out goes on as
    /// background work.
    pub deliveries_max: usize,
    /// Whether payloads and response excerpts are sealed in the store.
    pub encrypt_payloads: bool,
    /// Whether generated signing secrets are `whsk_…` (ed25519) instead of `whsec_…` (HMAC).
    pub default_signature: DefaultSignature,
    /// The most requests of one token in a second, on one node; `None`: as many as come.
    pub requests_per_second_max: Option<std::num::NonZeroU32>,
    /// How long what has no shorter life of its own is kept.
    pub retention: std::time::Duration,
    /// The names under which signatures travel.
    pub header_family: webhook::HeaderFamily,
    /// What requests say they come from.
    pub user_agent: String,
    /// Where the API is reached from outside, if that is known: thin events lead there.
    pub public_url: Option<String>,
    /// How long is waited for an attempt that somebody wants to see at once.
    pub attempt_wait: std::time::Duration,
}

/// What kind of signing secret an endpoint gets that brings none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultSignature {
    /// HMAC-SHA256, `v1`.
    #[default]
    Hmac,
    /// ed25519, `v1a`.
    Ed25519,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoints_max: 500,
            payload_bytes_max: 1024 * 1024,
            batch_messages_max: 1_000,
            deliveries_max: 10_000,
            encrypt_payloads: true,
            default_signature: DefaultSignature::default(),
            requests_per_second_max: None,
            retention: std::time::Duration::from_secs(90 * 86_400),
            header_family: webhook::HeaderFamily::default(),
            user_agent: concat!("Postrider/", env!("CARGO_PKG_VERSION")).to_owned(),
            public_url: None,
            attempt_wait: std::time::Duration::from_secs(40),
        }
    }
}
