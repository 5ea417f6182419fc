//! What a session of pages is kept as, by the browser alone: a signed token, as bearer tokens are,
//! but for another audience, so that neither is good in the place of the other. It names what it
//! was opened with, and ends with that; until then it is as good on every node.

use super::{ISSUER, NotGood, Tokens, ended, hexadecimal, invalid};
use crate::Caller;
use crate::access::limits::Limits;
use crate::access::{Credentials, Standing};
use crate::caller::{OpenedBy, Shown, ShownAs, Who};
use crate::portal::{Granted, PortalGrant};
use jsonwebtoken::{Algorithm, Header, decode, encode};
use model::api_key::Scope;
use model::entropy::random;
use model::hops::Hops;
use model::role::Role;
use model::{Entropy, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

/// Which pages a session is good for. One for the portal is never good on the operator's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// The operator's.
    Dashboard,
    /// An application's own.
    Portal,
}

impl Pages {
    fn audience(self) -> &'static str {
        match self {
            Self::Dashboard => "postrider-dashboard",
            Self::Portal => "postrider-portal",
        }
    }
}

/// What a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionGrant {
    /// Somebody of the organisation.
    Dashboard {
        /// What they may do.
        role: Role,
        /// How it was opened.
        by: OpenedBy,
    },
    /// An application's own people.
    Portal(PortalGrant),
}

/// The greatest role whose rights these scopes have, if they have any's; `None`: all rights.
pub(crate) fn greatest_role(scopes: Option<&[Scope]>) -> Option<Role> {
    let Some(scopes) = scopes else {
        return Some(Role::Admin);
    };
    let has = |role: &Role| scopes.iter().any(|scope| scope.covers(&Scope::Role(*role)));
    Role::ALL.into_iter().rev().find(has)
}

/// As no bearer token's subject is: where foreign tokens are let in, nothing but this is looked at.
pub(super) const SUBJECT: &str = "session";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    /// In seconds.
    iat: i64,
    /// In seconds.
    exp: i64,
    grant: Claimed,
}

#[derive(Serialize, Deserialize)]
enum Claimed {
    Dashboard { role: String, by: By },
    Portal(Granted),
}

#[derive(Serialize, Deserialize)]
enum By {
    Token(String),
    ApiKey(String),
    Person(String),
}

impl From<&OpenedBy> for By {
    fn from(by: &OpenedBy) -> Self {
        match by {
            OpenedBy::Token(id) => Self::Token(id.clone()),
            OpenedBy::ApiKey(id) => Self::ApiKey(id.to_string()),
            OpenedBy::Person(name) => Self::Person(name.clone()),
        }
    }
}

impl By {
    fn opened(self) -> Option<OpenedBy> {
        Some(match self {
            Self::Token(id) => OpenedBy::Token(id),
            Self::ApiKey(id) => OpenedBy::ApiKey(id.parse().ok()?),
            Self::Person(name) => OpenedBy::Person(name),
        })
    }
}

impl Tokens {
    /// A session that is good from now on, until then.
    pub(crate) fn mint_session(
        &self,
        grant: &SessionGrant,
        (now, ends_at): (Timestamp, Timestamp),
        entropy: &dyn Entropy,
    ) -> Secret {
        let (pages, grant) = match grant {
            SessionGrant::Dashboard { role, by } => {
                let role = role.to_string();
                let by = By::from(by);
                (Pages::Dashboard, Claimed::Dashboard { role, by })
            }
            SessionGrant::Portal(grant) => {
                let granted = Granted::of(grant, (now, ends_at));
                (Pages::Portal, Claimed::Portal(granted))
            }
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: pages.audience().to_owned(),
            sub: SUBJECT.to_owned(),
            jti: hexadecimal("", &random::<16>(entropy)),
            iat: now.seconds(),
            exp: ends_at.seconds(),
            grant,
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding);
        let token = token.expect("claims are plain JSON, and HMAC takes any key");
        Secret::from(token)
    }

    /// Who has this session of these pages, if it is good.
    pub(crate) fn check_session(
        &self,
        pages: Pages,
        session: &str,
        (now, remote_address): (Timestamp, Option<IpAddr>),
    ) -> Result<Caller, NotGood> {
        let decoded = decode::<Claims>(session, &self.decoding, &self.validation);
        let claims = decoded.map_err(|_| invalid())?.claims;
        let is_ours = claims.iss == ISSUER && claims.aud == pages.audience();
        if !is_ours || claims.exp <= now.seconds() {
            return Err(invalid().into());
        }
        let ends_at = Timestamp::from_seconds(claims.exp);
        let shown = |by, session, limits| Shown {
            by,
            id: claims.jti.clone(),
            ends_at,
            session,
            limits,
        };
        let (who, subject, shown) = match claims.grant {
            Claimed::Dashboard { role, by } => {
                let (Ok(role), Some(by)) = (role.parse(), by.opened()) else {
                    return Err(invalid().into());
                };
                let left = self.check_opener(&Credentials::new(&claims.jti), &by, now)?;
                let subject = self.subject(&by);
                let limits = Limits::Scopes(vec![Scope::Role(left.min(role))]);
                let shown = shown(ShownAs::Session(by), None, limits);
                (Who::Organisation, subject, shown)
            }
            Claimed::Portal(granted) => {
                let grant = granted.grant().ok_or_else(invalid)?;
                let subject = grant.id.to_string();
                let credentials = Credentials {
                    application: Some(grant.id.key()),
                    session: grant.session.clone(),
                    issued_at: granted.issued_at(),
                    ..Credentials::new(&claims.jti)
                };
                if self.known.is_revoked(&credentials, now) {
                    return Err(ended(subject));
                }
                let limits = grant.capabilities.map(Limits::Capabilities);
                let shown = shown(ShownAs::Token, grant.session, limits.unwrap_or_default());
                let who = Who::Application {
                    id: grant.id,
                    feature_flags: grant.feature_flags,
                };
                (who, subject, shown)
            }
        };
        Ok(Caller {
            who,
            subject,
            remote_address,
            idempotency: None,
            hops: Hops::NONE,
            trace: None,
            shown: Some(Arc::new(shown)),
        })
    }

    /// Whom the audit log names.
    fn subject(&self, by: &OpenedBy) -> String {
        match by {
            OpenedBy::Token(_) => self.organisation().to_owned(),
            OpenedBy::ApiKey(id) => id.to_string(),
            OpenedBy::Person(name) => name.clone(),
        }
    }

    /// The most that a session may do as things stand now: what it was opened with may be good for
    /// less by now. Neither that nor the session has ended.
    fn check_opener(
        &self,
        session: &Credentials,
        by: &OpenedBy,
        now: Timestamp,
    ) -> Result<Role, NotGood> {
        let most = match by {
            OpenedBy::Token(id) if self.known.is_revoked(&Credentials::new(id), now) => None,
            OpenedBy::ApiKey(id) => match self.known.key_of(*id, now) {
                Standing::Good(row) => greatest_role(row.key.scopes.as_deref()),
                Standing::Ended(_) | Standing::Unknown => None,
            },
            OpenedBy::Token(_) | OpenedBy::Person(_) => Some(Role::Admin),
        };
        most.filter(|_| !self.known.is_revoked(session, now))
            .ok_or_else(|| ended(self.subject(by)))
    }
}
