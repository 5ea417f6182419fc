//! What a token says, and what of it is believed.

use super::{
    AUDIENCE, FOREVER, ISSUER, LIFETIME_DEFAULT, ORGANISATION_PREFIX, TokenSettings, invalid,
    unauthenticated,
};
use crate::access::limits::{Capability, Limits};
use crate::access::{Credentials, end_of};
use crate::api_keys::hexadecimal;
use crate::caller::{Shown, ShownAs, Who};
use crate::error::AppError;
use crate::portal::PortalGrant;
use model::api_key::Scope;
use model::entropy::random;
use model::id::{ApplicationId, ApplicationKind, Kind};
use model::name::Name;
use model::role::{Role, RoleError};
use model::{Entropy, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Whom a new token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The organisation.
    Organisation,
    /// The organisation, for no more than this role may.
    Role(Role),
    /// One application.
    Application {
        /// Which.
        id: ApplicationId,
        /// What it sees besides what all see.
        feature_flags: Vec<Name>,
    },
    /// An application's own people.
    Portal(PortalGrant),
}

/// How long a new token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// So long.
    For(Duration),
    /// Until the secret is replaced. Only when spelled out.
    Never,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::For(LIFETIME_DEFAULT)
    }
}

/// The claims as they are written. All are optional here: what may be missing is a rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    feature_flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// As `iat`, in microseconds: what ends an application's earlier tokens must not end one that
    /// is issued within the same second.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat_us: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<BTreeSet<Capability>>,
    /// What limits is never passed over: null is no way to leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "given")]
    role: Option<String>,
}

fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// RFC 7519, 4.1.3: one audience, or several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn includes(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(several) => several.iter().any(|one| one == wanted),
        }
    }
}

/// RFC 7519, 2: a `NumericDate`, seconds since the epoch, which may have a fraction.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
}

impl Seconds {
    fn time(self) -> Timestamp {
        match self {
            Self::Whole(seconds) => Timestamp::from_seconds(seconds),
            // A cast of a number beyond the range gives its nearest end.
            Self::Fraction(seconds) => Timestamp::from_micros((seconds * 1e6) as i64),
        }
    }
}

/// What is believed of a token whose signature is right.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// Whom it speaks for.
    pub(super) who: Who,
    /// Its subject.
    pub(super) subject: String,
    /// What of it decides whether it was revoked.
    pub(super) credentials: Credentials,
    /// What callers are told of it.
    pub(super) shown: Arc<Shown>,
    issued_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

impl Verified {
    /// Refuses a token outside its times.
    pub(super) fn check_times(&self, now: Timestamp, leeway: Duration) -> Result<(), AppError> {
        let begun = |time: Option<Timestamp>| time.is_none_or(|time| time <= now.plus(leeway));
        let ended = self.expires_at.is_some_and(|end| end.plus(leeway) <= now);
        if begun(self.issued_at) && begun(self.not_before) && !ended {
            Ok(())
        } else {
            Err(invalid())
        }
    }
}

impl Claims {
    /// Of a new token.
    pub(super) fn new(
        grant: &Grant,
        organisation: &str,
        (now, lifetime): (Timestamp, Lifetime),
        entropy: &dyn Entropy,
    ) -> Self {
        let end = match lifetime {
            Lifetime::For(life) => now.plus(life).min(FOREVER).seconds(),
            Lifetime::Never => FOREVER.seconds(),
        };
        Self {
            iss: Some(ISSUER.to_owned()),
            aud: Some(Audience::One(AUDIENCE.to_owned())),
            iat: Some(Seconds::Whole(now.seconds())),
            exp: Some(Seconds::Whole(end)),
            jti: Some(hexadecimal("", &random::<16>(entropy))),
            iat_us: Some(now.micros()),
            ..Self::granting(grant, organisation)
        }
    }

    fn granting(grant: &Grant, organisation: &str) -> Self {
        let all = || Self {
            sub: Some(organisation.to_owned()),
            ..Self::default()
        };
        let (id, feature_flags) = match grant {
            Grant::Organisation => return all(),
            Grant::Role(role) => {
                return Self {
                    role: Some(role.to_string()),
                    ..all()
                };
            }
            Grant::Application { id, feature_flags } => (id, feature_flags),
            Grant::Portal(portal) => (&portal.id, &portal.feature_flags),
        };
        let claims = Self {
            sub: Some(id.to_string()),
            org: Some(organisation.to_owned()),
            feature_flags: feature_flags.iter().map(Name::to_string).collect(),
            ..Self::default()
        };
        match grant {
            Grant::Portal(portal) => Self {
                session_id: portal.session.clone(),
                capabilities: portal.capabilities.clone(),
                ..claims
            },
            _ => claims,
        }
    }

    /// What a new token is revoked by.
    pub(super) fn id(&self) -> Option<&str> {
        self.jti.as_deref()
    }

    /// Whether these claims are for this installation, whatever the time is.
    /// `fallback` is what it is revoked by where it has no id of its own.
    pub(super) fn verify(
        self,
        settings: &TokenSettings,
        fallback: impl FnOnce() -> String,
    ) -> Result<Verified, AppError> {
        if !settings.accept_foreign {
            self.require_own_marks()?;
        }
        let subject = self.sub.clone().ok_or_else(|| missing("sub"))?;
        let (organisation, who) = match &self.org {
            Some(organisation) => (organisation, self.application(&subject, organisation)?),
            None => (&subject, organisation(&subject)?),
        };
        if !settings.accept_foreign && *organisation != settings.organisation {
            return Err(unauthenticated(
                "Invalid token (it is for another organization).",
            ));
        }
        let limits = self.limits(&who)?;
        let id = self.jti.clone().unwrap_or_else(fallback);
        let issued_at = self.iat.map(Seconds::time);
        let expires_at = self.exp.map(Seconds::time);
        let credentials = Credentials {
            application: match &who {
                Who::Organisation => None,
                Who::Application { id, .. } => Some(id.key()),
            },
            session: self.session_id.clone(),
            issued_at: self.exactly_issued_at().unwrap_or(Timestamp::MIN),
            ..Credentials::new(&id)
        };
        let shown = Shown {
            by: ShownAs::Token,
            id,
            ends_at: end_of(expires_at),
            session: self.session_id,
            limits,
        };
        Ok(Verified {
            who,
            subject,
            credentials,
            shown: Arc::new(shown),
            issued_at,
            not_before: self.nbf.map(Seconds::time),
            expires_at,
        })
    }

    /// What is left of what whom it speaks for may do.
    fn limits(&self, who: &Who) -> Result<Limits, AppError> {
        let refused = |why: &str| unauthenticated(&format!("Invalid token ({why})."));
        match (&self.role, &self.capabilities) {
            (None, None) => Ok(Limits::Nothing),
            (None, Some(capabilities)) => Ok(Limits::Capabilities(capabilities.clone())),
            (Some(_), Some(_)) => Err(refused("`role` can't be beside `capabilities`")),
            (Some(_), None) if *who != Who::Organisation => {
                Err(refused("`role` can only be in a token of the organization"))
            }
            (Some(role), None) => match role.parse::<Role>() {
                Ok(role) => Ok(Limits::Scopes(vec![Scope::Role(role)])),
                Err(RoleError) => Err(refused(&format!("`role`: {RoleError}"))),
            },
        }
    }

    /// Within the second that `iat` names, or that second.
    fn exactly_issued_at(&self) -> Option<Timestamp> {
        let issued_at = self.iat?.time();
        let exact = self.iat_us.map(Timestamp::from_micros);
        let exact = exact.filter(|exact| exact.seconds() == issued_at.seconds());
        Some(exact.unwrap_or(issued_at))
    }

    fn require_own_marks(&self) -> Result<(), AppError> {
        let there = [
            ("iss", self.iss.is_some()),
            ("aud", self.aud.is_some()),
            ("iat", self.iat.is_some()),
            ("jti", self.jti.is_some()),
            ("exp", self.exp.is_some()),
        ];
        if let Some((name, _)) = there.into_iter().find(|(_, there)| !there) {
            return Err(missing(name));
        }
        let issued_here = self.iss.as_deref() == Some(ISSUER);
        let meant_for_us = self.aud.as_ref().is_some_and(|aud| aud.includes(AUDIENCE));
        if issued_here && meant_for_us {
            Ok(())
        } else {
            Err(unauthenticated(
                "Invalid token (it was not issued for this API).",
            ))
        }
    }

    fn application(&self, subject: &str, organisation: &str) -> Result<Who, AppError> {
        if !organisation.starts_with(ORGANISATION_PREFIX) {
            return Err(bad_token(
                "bad token",
                "`org` is not a valid organization id",
            ));
        }
        let not_an_id = || bad_token("bad token", "`sub` is not a valid application id");
        if !subject.starts_with(ApplicationKind::PREFIX) {
            return Err(not_an_id());
        }
        let flags = self.feature_flags.iter().map(|flag| flag.parse());
        Ok(Who::Application {
            id: subject.parse().map_err(|_| not_an_id())?,
            feature_flags: flags.collect::<Result<_, _>>().map_err(|_| invalid())?,
        })
    }
}

fn organisation(subject: &str) -> Result<Who, AppError> {
    if subject.starts_with(ORGANISATION_PREFIX) {
        Ok(Who::Organisation)
    } else {
        Err(bad_token(
            "bad_token",
            "`sub` is not a valid organization id.",
        ))
    }
}

fn bad_token(code: &'static str, detail: &str) -> AppError {
    AppError::BadRequest {
        code,
        detail: detail.to_owned(),
    }
}

fn missing(claim: &str) -> AppError {
    unauthenticated(&format!("Invalid token (missing `{claim}`)."))
}
