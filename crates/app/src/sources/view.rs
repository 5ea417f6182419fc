//! A source as it is shown: without what is secret of it, but for the token in its inbound URL,
//! which whoever sets it up needs.

use super::auth::{self, AuthDemandedView};
use super::checks::{CheckError, Checks, ReplayProtection};
use super::nature::Nature;
use crate::Caller;
use crate::access::limits::{ForPortal, Need};
use model::Secret;
use model::api_key::Right;
use model::id::ApplicationId;
use model::protection::GenericSignature;
use model::role::Role;
use model::source::{Cron, EventTypeAt, Source, SourceSecrets};
use webhook::jwe::PrivateJwk;

/// Whoever has the token in an inbound URL can send to the source: as with other secrets, who may
/// only look does not see it.
const TOKEN: Need = Need {
    noun: "ingest",
    right: Right::Write,
    portal: ForPortal::None,
    role: Role::Admin,
};

/// A source as it is shown.
pub struct SourceView {
    /// The source.
    pub source: Source,
    /// The token in its inbound URL; `None`: nothing arrives at it, or whoever asks may not see it,
    /// or did not ask for it.
    pub token: Option<Secret>,
    /// By what its replays are kept out.
    pub replay_protection: ReplayProtection,
    /// Why nothing is taken there as things stand, if so.
    pub unusable: Option<String>,
    /// The application that gets what comes; `None`: its own.
    pub application: Option<ApplicationId>,
    /// Nothing of what comes is verified.
    pub unverified: bool,
    /// How it verifies what comes, and what it makes of it.
    pub config: ConfigView,
}

/// A source's configuration, without its secrets.
pub struct ConfigView {
    /// What requests are verified with, where that is public.
    pub public_key: Option<String>,
    /// How they are signed, where that is described.
    pub signature: Option<GenericSignature>,
    /// What they show besides, masked.
    pub auth: Option<AuthDemandedView>,
    /// The public JWKs that payloads are encrypted to, as texts.
    pub public_jwks: Vec<String>,
    /// The networks that they come from.
    pub allow_addresses: Vec<String>,
    /// How far their signed time may lie from now, in seconds, where that was set.
    pub tolerance_seconds: Option<u32>,
    /// For how long a replay is told, in seconds, where that was set.
    pub replay_window_seconds: Option<u32>,
    /// The most requests in a second.
    pub rate_limit: Option<u32>,
    /// Where their event type stands, where that was set.
    pub event_type: Option<EventTypeAt>,
    /// What is refused is kept.
    pub keeps_refused: bool,
    /// When it makes messages, and what.
    pub cron: Option<Cron>,
}

impl SourceView {
    /// What this caller may see of it.
    pub(super) fn to(self, caller: &Caller) -> Self {
        let token = self.token.filter(|_| caller.require(&TOKEN).is_ok());
        Self { token, ..self }
    }

    /// The same for whoever does not ask for its token.
    pub(super) fn without_token(self) -> Self {
        Self {
            token: None,
            ..self
        }
    }

    /// Of a source with what is sealed of it. `has_public_url`: as its checks are told.
    pub(super) fn of(source: &Source, secrets: &SourceSecrets, has_public_url: bool) -> Self {
        let SourceSecrets { token, config } = secrets;
        let source_type = source.source_type.as_str();
        let nature = Nature::of(source_type).ok();
        let shows_key = nature.is_some_and(Nature::has_key_pair);
        let public_key = config.secrets.first().filter(|_| shows_key);
        let checks = Checks::new(source_type, config, has_public_url);
        let protection = checks.as_ref().map(Checks::replay_protection);
        Self {
            source: source.clone(),
            token: Some(token.clone()).filter(|_| config.cron.is_none()),
            replay_protection: protection.unwrap_or(ReplayProtection::None),
            unusable: checks.err().map(|errors| sentence(&errors)),
            application: config.application,
            unverified: config.unverified,
            config: ConfigView {
                public_key: public_key.map(text),
                signature: config.signature.clone(),
                auth: config.auth.as_ref().map(auth::view),
                public_jwks: config.encryption.iter().filter_map(public_jwk).collect(),
                allow_addresses: config
                    .allow_addresses
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                tolerance_seconds: config.tolerance_seconds,
                replay_window_seconds: config.replay_window_seconds,
                rate_limit: config.rate_limit,
                event_type: config.event_type.clone(),
                keeps_refused: config.keeps_refused,
                cron: config.cron.clone(),
            },
        }
    }
}

/// What is wrong, all of it.
pub(super) fn sentence(errors: &[CheckError]) -> String {
    let told = |one: &CheckError| format!("`{}`: {}", one.field, one.message);
    errors.iter().map(told).collect::<Vec<_>>().join("; ")
}

fn text(public: &Secret) -> String {
    String::from_utf8_lossy(public.expose()).into_owned()
}

/// The public half of a key that was judged once.
fn public_jwk(private: &Secret) -> Option<String> {
    let text = std::str::from_utf8(private.expose()).ok()?;
    Some(PrivateJwk::parse(text).ok()?.public_json())
}
