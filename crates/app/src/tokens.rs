//! Bearer tokens: minted and checked. They are JWTs (RFC 7519), HS256, keyed with the bytes of the
//! token-signing secret.
//!
//! An organisation's token has the organisation as its subject; an application's token has the
//! application as its subject, the organisation in `org`, and the feature flags that it sees. The
//! organisation's may be limited to a `role`.
//! Every token names its issuer, audience, id, time of issue and end. For a migration,
//! [`TokenSettings::accept_foreign`] lets in what another server minted with the same secret:
//! tokens without these, and of any organisation.
//!
//! There is no table of tokens: whoever has the secret can mint any. What was verified once is kept
//! in a bounded cache by its hash; whether it still holds, and whether it was revoked, is looked at
//! every time, in memory.
//!
//! An API key's token is none of these: it begins with [`API_KEY_PREFIX`], as no JWT does, and is
//! looked for by its hash among those that are known. Neither is a session of pages
//! ([`sessions`]), nor what a browser keeps that is on its way to one ([`trips`]): those are for
//! other audiences.

mod claims;
pub mod sessions;
pub mod trips;

pub use claims::{Grant, Lifetime};

use crate::access::limits::Limits;
use crate::access::{Known, Rates, Standing, end_of};
use crate::api_keys::hexadecimal;
use crate::caller::{Shown, ShownAs, Who};
use crate::error::AppError;
use crate::sign_in::Failures;
use crate::{App, Caller};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use claims::{Claims, Verified};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use lru::LruCache;
use model::hops::Hops;
use model::security::{SecurityEvent, SecurityKind, Subject};
use model::{Entropy, Secret, Timestamp};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Who mints tokens, as `iss` says it.
pub const ISSUER: &str = "postrider";
/// Whom tokens are for, as `aud` says it.
pub const AUDIENCE: &str = "postrider";
/// The organisation of an installation that names none.
pub const ORGANISATION_DEFAULT: &str = "org_23rb8YdGqMT0qIzpgGwdXfHirMu";
/// What every organisation's id begins with.
pub const ORGANISATION_PREFIX: &str = "org_";
/// How long a token is good unless said otherwise.
pub const LIFETIME_DEFAULT: Duration = Duration::from_secs(90 * 86_400);
/// How far clocks may differ when a token's times are looked at.
pub const LEEWAY: Duration = Duration::from_secs(15 * 60);
/// What an API key's token begins with: no JWT does, whose first letters are those of `{"` in
/// base64.
pub const API_KEY_PREFIX: &str = "sk_";
/// The end of what was asked to have none: the last second that RFC 3339 can write.
pub const FOREVER: Timestamp = Timestamp::from_seconds(253_402_300_799);
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
const CACHED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

/// What tokens are minted and checked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The installation's organisation: `org_` and anything.
    pub organisation: String,
    /// Whether tokens of other organisations, and tokens without issuer, audience, id, time of
    /// issue or end are accepted. For a migration only.
    pub accept_foreign: bool,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            organisation: ORGANISATION_DEFAULT.to_owned(),
            accept_foreign: false,
        }
    }
}

/// Mints and checks tokens.
pub struct Tokens {
    pub(crate) secret: Secret,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    settings: TokenSettings,
    verified: Mutex<LruCache<[u8; 32], Arc<Verified>>>,
    /// Who may come in, beyond that.
    pub(crate) known: Known,
    /// How often they have come.
    rates: Rates,
    /// Where attempts to sign in to pages failed.
    pub(crate) sign_ins: Failures,
}

/// A new token.
pub struct Minted {
    /// The token.
    pub token: String,
    /// What it is revoked by: its `jti`.
    pub id: String,
}

/// Whom a good token speaks for.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Whom.
    pub who: Who,
    /// Its subject.
    pub subject: String,
    /// What it is.
    pub shown: Arc<Shown>,
}

/// Why a token is not good.
#[derive(Debug)]
pub struct NotGood {
    /// What whoever showed it is told.
    pub error: AppError,
    /// It was good, and ended early: whose it is.
    pub ended: Option<String>,
}

impl From<AppError> for NotGood {
    fn from(error: AppError) -> Self {
        Self { error, ended: None }
    }
}

impl Tokens {
    /// With the token-signing secret, whose bytes are the key as they are.
    pub fn new(secret: Secret, settings: TokenSettings) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Times and names are looked at here, with the clock that the rest of the process has.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self {
            encoding: EncodingKey::from_secret(secret.expose()),
            decoding: DecodingKey::from_secret(secret.expose()),
            secret,
            validation,
            settings,
            verified: Mutex::new(LruCache::new(CACHED_MAX)),
            known: Known::default(),
            rates: Rates::default(),
            sign_ins: Failures::default(),
        }
    }

    /// The installation's organisation.
    pub fn organisation(&self) -> &str {
        &self.settings.organisation
    }

    /// A new token, good from now on.
    pub fn mint(
        &self,
        grant: &Grant,
        lifetime: Lifetime,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> String {
        self.mint_with_id(grant, lifetime, now, entropy).token
    }

    /// The same, with what it is revoked by.
    pub fn mint_with_id(
        &self,
        grant: &Grant,
        lifetime: Lifetime,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Minted {
        let claims = Claims::new(grant, &self.settings.organisation, (now, lifetime), entropy);
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding);
        Minted {
            token: token.expect("claims are plain JSON, and HMAC takes any key"),
            id: claims.id().expect("every new token has one").to_owned(),
        }
    }

    /// Whom a token speaks for.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], or [`AppError::BadRequest`] where a subject is not an id.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<Checked, NotGood> {
        if token.starts_with(API_KEY_PREFIX) {
            return self.check_key(token, now);
        }
        let verified = self.verify(token)?;
        verified.check_times(now, LEEWAY)?;
        if self.known.is_revoked(&verified.credentials, now) {
            return Err(ended(verified.subject.clone()));
        }
        Ok(Checked {
            who: verified.who.clone(),
            subject: verified.subject.clone(),
            shown: verified.shown.clone(),
        })
    }

    fn check_key(&self, token: &str, now: Timestamp) -> Result<Checked, NotGood> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid().into());
        }
        let row = match self.known.key(&crate::api_keys::hash(token), now) {
            Standing::Good(row) => row,
            Standing::Ended(id) => return Err(ended(id.to_string())),
            Standing::Unknown => return Err(invalid().into()),
        };
        self.known.note_use(row.key.id.key(), now);
        let id = row.key.id.to_string();
        let shown = Shown {
            by: ShownAs::ApiKey(row.key.id),
            id: id.clone(),
            ends_at: end_of(row.key.expires_at),
            session: None,
            limits: match &row.key.scopes {
                Some(scopes) => Limits::Scopes(scopes.clone()),
                None => Limits::Nothing,
            },
        };
        Ok(Checked {
            who: Who::Organisation,
            subject: id,
            shown: Arc::new(shown),
        })
    }

    fn verify(&self, token: &str) -> Result<Arc<Verified>, AppError> {
        if verify_slices_are_equal(token.as_bytes(), self.secret.expose()).is_ok() {
            return Err(unauthenticated(
                "the signing secret is not a token: mint one with `postrider token`",
            ));
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let hash = digest(&SHA256, token.as_bytes());
        let hash = *hash.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
        if let Some(verified) = self.cache().get(&hash) {
            return Ok(verified.clone());
        }
        let data =
            decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| invalid())?;
        if !is_jwt(data.header.typ.as_deref()) {
            return Err(invalid());
        }
        let fallback = || hexadecimal("sha256-", &hash);
        let verified = Arc::new(data.claims.verify(&self.settings, fallback)?);
        self.cache().put(hash, verified.clone());
        Ok(verified)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], Arc<Verified>>> {
        self.verified
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl App {
    /// Who asks, by the bearer token of a request. A failure is a security event.
    ///
    /// # Errors
    /// As [`Tokens::check`]; [`AppError::Unauthenticated`] too where there is no token;
    /// [`AppError::TooMany`] where it comes too often.
    pub fn authenticate(
        &self,
        token: Option<&str>,
        remote_address: Option<IpAddr>,
    ) -> Result<Caller, AppError> {
        self.authenticate_for("a request to the API", token, remote_address)
    }

    /// The same of something else that a token was shown for, as the event is to call it.
    pub(crate) fn authenticate_for(
        &self,
        what: &'static str,
        token: Option<&str>,
        remote_address: Option<IpAddr>,
    ) -> Result<Caller, AppError> {
        let now = self.clock.now();
        let checked = match token {
            Some(token) => self.tokens.check(token, now),
            None => Err(invalid().into()),
        };
        let checked = checked.map_err(|not_good| {
            let (kind, text) = told_of(what, &not_good, token.is_some());
            let ended = not_good.ended.as_deref();
            let subject = Subject::of_token(ended.unwrap_or(self.tokens.organisation()));
            let event = SecurityEvent::new(kind, subject, now, text);
            self.events.report(event.from_address(remote_address));
            not_good.error
        })?;
        if let Some(per_second) = self.settings.requests_per_second_max {
            let now = self.clock.monotonic();
            let taken = self.tokens.rates.take(&checked.shown.id, per_second, now);
            taken.map_err(|wait| AppError::TooMany { wait })?;
        }
        Ok(Caller {
            who: checked.who,
            subject: checked.subject,
            remote_address,
            idempotency: None,
            hops: Hops::NONE,
            trace: None,
            shown: Some(checked.shown),
        })
    }
}

/// What is reported of what was not let in.
fn told_of(what: &str, not_good: &NotGood, came_with_one: bool) -> (SecurityKind, String) {
    match (&not_good.ended, came_with_one) {
        (Some(_), _) => (
            SecurityKind::RevokedKeyUsed,
            format!("{what} carried a token that was revoked, or had ended early"),
        ),
        (None, true) => (
            SecurityKind::AuthenticationFailed,
            format!("{what} was refused: {}", not_good.error),
        ),
        (None, false) => (
            SecurityKind::AuthenticationFailed,
            format!("{what} carried no bearer token"),
        ),
    }
}

/// RFC 7519, 5.1: a type is not needed; one that is there must say JWT, or end in `+jwt`.
fn is_jwt(header_type: Option<&str>) -> bool {
    let Some(text) = header_type.map(str::to_ascii_lowercase) else {
        return true;
    };
    text == "jwt" || text.ends_with("+jwt")
}

fn ended(subject: String) -> NotGood {
    NotGood {
        error: invalid(),
        ended: Some(subject),
    }
}

fn invalid() -> AppError {
    unauthenticated("Invalid token")
}

fn unauthenticated(detail: &str) -> AppError {
    AppError::Unauthenticated(detail.to_owned())
}

#[cfg(test)]
mod tests;
