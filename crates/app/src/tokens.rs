//! Bearer tokens: minted and checked. They are JWTs (RFC 7519), HS256, keyed with the bytes of the
//! token-signing secret.
//!
//! An organisation's token has the organisation as its subject; an application's token has the
//! application as its subject, the organisation in `org`, and the feature flags that it sees.
//! Every token names its issuer, audience, id, time of issue and end. For a migration,
//! [`TokenSettings::accept_foreign`] lets in what another server minted with the same secret:
//! tokens without these, and of any organisation.
//!
//! There is no table of tokens: whoever has the secret can mint any. What was verified once is
//! kept in a bounded cache by its hash; whether it still holds is looked at every time.

mod claims;

pub use claims::{Grant, Lifetime};

use crate::caller::Who;
use crate::error::AppError;
use crate::{App, Caller};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use claims::{Claims, Verified};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use lru::LruCache;
use model::security::{SecurityEvent, SecurityKind};
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
    secret: Secret,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    settings: TokenSettings,
    verified: Mutex<LruCache<[u8; 32], Arc<Verified>>>,
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
        }
    }

    /// A new token, good from now on.
    pub fn mint(
        &self,
        grant: &Grant,
        lifetime: Lifetime,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> String {
        let claims = Claims::new(grant, &self.settings.organisation, (now, lifetime), entropy);
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims are plain JSON, and HMAC takes any key")
    }

    /// Who a token speaks for, and its subject.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], or [`AppError::BadRequest`] where a subject is not an id.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<(Who, String), AppError> {
        let verified = self.verify(token)?;
        verified.check_times(now, LEEWAY)?;
        Ok((verified.who.clone(), verified.subject.clone()))
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
        let verified = Arc::new(data.claims.verify(&self.settings)?);
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
    /// As [`Tokens::check`]; [`AppError::Unauthenticated`] too where there is no token.
    pub fn authenticate(
        &self,
        token: Option<&str>,
        remote_address: Option<IpAddr>,
    ) -> Result<Caller, AppError> {
        let now = self.clock.now();
        let checked = match token {
            Some(token) => self.tokens.check(token, now),
            None => Err(invalid()),
        };
        let (who, subject) = checked.inspect_err(|error| {
            self.events.report(SecurityEvent {
                kind: SecurityKind::AuthenticationFailed,
                subject: None,
                remote_address,
                at: now,
                description: match token {
                    Some(_) => format!("a request to the API was refused: {error}"),
                    None => "a request to the API carried no bearer token".to_owned(),
                },
            });
        })?;
        Ok(Caller {
            who,
            subject,
            remote_address,
            idempotency: None,
        })
    }
}

/// RFC 7519, 5.1: a type is not needed; one that is there must say JWT, or end in `+jwt`.
fn is_jwt(header_type: Option<&str>) -> bool {
    let Some(text) = header_type.map(str::to_ascii_lowercase) else {
        return true;
    };
    text == "jwt" || text.ends_with("+jwt")
}

fn invalid() -> AppError {
    unauthenticated("Invalid token")
}

fn unauthenticated(detail: &str) -> AppError {
    AppError::Unauthenticated(detail.to_owned())
}

#[cfg(test)]
mod tests;
