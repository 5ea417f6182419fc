//! Who may come in, beyond what a token says of itself: tokens that were revoked, applications
//! whose earlier tokens have ended, API keys; and tokens that are good once. And what the whole
//! installation is set to, and the sources that incoming webhooks arrive at, of which nodes hear in
//! the same way.
//!
//! All but one-time tokens are decided by from memory. They share one version, which grows with
//! each change of them, in its transaction: so a node sees in one row whether there is anything
//! new, and reads no more than that.

use crate::Sealed;
use model::Timestamp;
use model::api_key::ApiKey;
use model::id::{ApiKeyKey, ApplicationKey, SourceKey};
use model::source::Source;
use std::time::Duration;

/// Under this name the settings of the whole installation are kept: opaque to every store.
pub const ENVIRONMENT: &str = "environment";
/// Under this name what is demanded of endpoints is kept, as [`model::policy::Policy`] writes it.
pub const POLICY: &str = "policy";
/// Under this name is kept whom security events are told to: sealed, and opaque to every store.
pub const ALERTS: &str = "alerts";

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A token that is not good any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its `jti`, or another name of it alone.
    pub id: String,
    /// From when on it would not be good anyway, whatever clocks say.
    pub ends_at: Timestamp,
}

/// Tokens of an application that are not good any more, by when they were issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFloor {
    /// Whose.
    pub application: ApplicationKey,
    /// Only those of this session.
    pub session: Option<String>,
    /// Those issued before are not good.
    pub issued_before: Timestamp,
    /// From when on.
    pub holds_from: Timestamp,
    /// From when on they would not be good anyway, whatever clocks say.
    pub ends_at: Timestamp,
}

impl TokenFloor {
    /// Whether this one has nothing to say beside the other.
    pub fn is_below(&self, other: &TokenFloor, now: Timestamp) -> bool {
        other.holds_from <= now
            && self.application == other.application
            && self.session == other.session
            && self.issued_before < other.issued_before
    }
}

/// An API key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// The key.
    pub key: ApiKey,
    /// What its token is known by.
    pub hash: TokenHash,
    /// The version of the change that wrote it.
    pub version: u64,
}

/// For so long the row of a deleted source stays, at least: no node goes on for longer than this
/// without having heard of what is new.
pub const DELETED_SOURCE_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// A source as it is kept. A deleted one stays for [`DELETED_SOURCE_KEPT`], without what it was, so
/// that nodes hear of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// The source.
    pub source: Source,
    /// What the token in its inbound URL is known by.
    pub token: TokenHash,
    /// That token, and the configuration, sealed for the installation: table `source`, column
    /// `sealed`; the row is the id's tail. `None`: it was deleted.
    pub sealed: Option<Sealed>,
    /// The version of the change that wrote it.
    pub version: u64,
}

/// A token that is good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeToken {
    /// What it is known by.
    pub hash: TokenHash,
    /// What it grants: opaque to every store, and no secret.
    pub granted: String,
    /// From when on it is not good any more.
    pub expires_at: Timestamp,
}

/// What was written behind a version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRows {
    /// The newest.
    pub version: u64,
    /// Tokens.
    pub revoked: Vec<RevokedToken>,
    /// Applications' earlier tokens.
    pub floors: Vec<TokenFloor>,
    /// API keys.
    pub keys: Vec<ApiKeyRow>,
    /// Sources.
    pub sources: Vec<SourceRow>,
    /// The setting [`ENVIRONMENT`], whenever it was written; `None`: never.
    pub environment: Option<Vec<u8>>,
}

/// A change of these.
#[derive(Debug, Clone)]
pub enum AccessChange {
    /// A token is not good any more. One that was revoked stays so.
    RevokeToken(RevokedToken),
    /// An application's earlier tokens are not good any more.
    ExpireTokens(Vec<TokenFloor>),
    /// Makes an API key; its id's tail is given, and its key and time of creation are not looked
    /// at.
    CreateApiKey {
        /// The key.
        key: ApiKey,
        /// What its token is known by.
        hash: TokenHash,
        /// The most that there may be; else refused with
        /// [`TooMany`](crate::change::ChangeError::TooMany).
        keys_max: usize,
    },
    /// Writes an API key anew: what it is called, its scopes, and when it ends.
    ReplaceApiKey {
        /// The key.
        key: ApiKey,
        /// The version of the row that this was made from.
        version: u64,
    },
    /// API keys were used.
    UseApiKeys(Vec<(ApiKeyKey, Timestamp)>),
    /// Makes a source; its id's tail is given, and its key and times are not looked at.
    CreateSource {
        /// The source. Refused with [`Taken`](crate::change::ChangeError::Taken) where another live
        /// one has its uid.
        source: Source,
        /// What the token in its inbound URL is known by.
        token: TokenHash,
        /// See [`SourceRow::sealed`].
        sealed: Sealed,
        /// The most live ones that there may be; else refused with
        /// [`TooMany`](crate::change::ChangeError::TooMany).
        sources_max: usize,
    },
    /// Writes a source anew: all but its id and when it was made. Its uid must be free, too.
    ReplaceSource {
        /// The source.
        source: Source,
        /// What the token in its inbound URL is known by.
        token: TokenHash,
        /// See [`SourceRow::sealed`].
        sealed: Sealed,
        /// The version of the row that this was made from; else refused with
        /// [`Stale`](crate::change::ChangeError::Stale).
        version: u64,
    },
    /// Deletes a source: its name, notes, uid and configuration are gone, and a row stays that says
    /// so. Refused with [`Missing`](crate::change::ChangeError::Missing) if there is none.
    DeleteSource(SourceKey),
    /// Makes a token that is good once.
    CreateOneTimeToken(OneTimeToken),
    /// Takes such a token: there is none any more. Refused with
    /// [`Missing`](crate::change::ChangeError::Missing) if there is none, or it has expired.
    TakeOneTimeToken(TokenHash),
}

/// What such a change made.
#[derive(Debug)]
pub enum AccessChanged {
    /// The API key as it is now.
    ApiKey(ApiKeyRow),
    /// The source as it is now.
    Source(SourceRow),
    /// The token that was taken.
    Taken(OneTimeToken),
    /// Nothing to tell of.
    Done,
}
