//! What a token says, and what of it is believed.

use super::{
    AUDIENCE, ISSUER, LIFETIME_DEFAULT, ORGANISATION_PREFIX, TokenSettings, invalid,
    unauthenticated,
};
use crate::caller::Who;
use crate::error::AppError;
use model::entropy::random;
use model::id::{ApplicationId, ApplicationKind, Kind};
use model::name::Name;
use model::{Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::time::Duration;

/// The end of a token that was asked to have none: the last second that RFC 3339 can write.
const FAR_FUTURE_SECONDS: i64 = 253_402_300_799;

/// Whom a new token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The organisation.
    Organisation,
    /// One application.
    Application {
        /// Which.
        id: ApplicationId,
        /// What it sees besides what all see.
        feature_flags: Vec<Name>,
    },
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
            Lifetime::For(life) => now.plus(life).seconds().min(FAR_FUTURE_SECONDS),
            Lifetime::Never => FAR_FUTURE_SECONDS,
        };
        let (sub, org, feature_flags) = match grant {
            Grant::Organisation => (organisation.to_owned(), None, Vec::new()),
            Grant::Application { id, feature_flags } => (
                id.to_string(),
                Some(organisation.to_owned()),
                feature_flags.iter().map(Name::to_string).collect(),
            ),
        };
        Self {
            iss: Some(ISSUER.to_owned()),
            aud: Some(Audience::One(AUDIENCE.to_owned())),
            sub: Some(sub),
            org,
            feature_flags,
            iat: Some(Seconds::Whole(now.seconds())),
            nbf: None,
            exp: Some(Seconds::Whole(end)),
            jti: Some(hexadecimal(random::<16>(entropy))),
        }
    }

    /// Whether these claims are for this installation, whatever the time is.
    pub(super) fn verify(self, settings: &TokenSettings) -> Result<Verified, AppError> {
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
        Ok(Verified {
            who,
            subject,
            issued_at: self.iat.map(Seconds::time),
            not_before: self.nbf.map(Seconds::time),
            expires_at: self.exp.map(Seconds::time),
        })
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

fn hexadecimal(bytes: [u8; 16]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes what is written to it");
            text
        })
}
