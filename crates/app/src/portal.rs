//! Tokens for an application's own people: a link into the portal, and what the link's token, which
//! is good once, is exchanged for.

use crate::access::limits::Capability;
use crate::access::{Credentials, SESSION_LIFETIME_MAX, judge_session};
use crate::api_keys::{hash, hexadecimal};
use crate::applications::ApplicationInput;
use crate::find::Tenant;
use crate::idempotency::{Success, secret_not_repeated};
use crate::messages::Recipient;
use crate::rules::Judge;
use crate::tokens::{Grant, Lifetime, Minted};
use crate::{App, AppError, Caller};
use model::audit::{Actor, ActorKind, AuditAction, AuditDraft};
use model::entropy::random;
use model::id::ApplicationId;
use model::name::Name;
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use model::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use store::access::{AccessChange, AccessChanged, OneTimeToken, TokenHash};
use store::change::ChangeError;

/// How long a link can be followed, unless its token ends before.
pub const LINK_LIFETIME: Duration = Duration::from_secs(900);
/// How long a token of the portal is good unless said otherwise, and at the most.
pub const PORTAL_LIFETIME_MAX: Duration = SESSION_LIFETIME_MAX;
/// The most feature flags of a token.
pub const FLAGS_MAX: usize = 100;
/// What a token that is good once begins with.
const ONE_TIME_PREFIX: &str = "ott_";
/// So many bytes of such a token's hash name it in the audit log.
const NAMED_BY: usize = 8;

/// What a token of the portal is asked to be.
#[derive(Debug, Clone, Default)]
pub struct PortalInput {
    /// What it sees besides what all see.
    pub feature_flags: Vec<String>,
    /// The application that it makes if that isn't there.
    pub application: Option<ApplicationInput>,
    /// How long it is good, in seconds.
    pub expiry: Option<i64>,
    /// What it may do; `None`: all that an application may.
    pub capabilities: Option<BTreeSet<Capability>>,
    /// It may only look.
    pub read_only: bool,
    /// The session that it belongs to.
    pub session: Option<String>,
}

/// A way into the portal.
pub struct PortalAccess {
    /// The application's token.
    pub token: Secret,
    /// What is exchanged for one like it, once.
    pub one_time_token: Secret,
}

/// A token, for one that was good once.
pub struct Exchanged {
    /// The token.
    pub token: Secret,
    /// What it may do; `None`: all that an application may.
    pub capabilities: Option<BTreeSet<Capability>>,
}

/// What a link grants, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Granted {
    application: String,
    feature_flags: Vec<String>,
    session: Option<String>,
    capabilities: Option<BTreeSet<Capability>>,
    /// In microseconds.
    issued_at: i64,
    /// In microseconds.
    ends_at: i64,
}

impl App {
    /// A token for an application's own people, and a link's token beside it.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::NotFound`] if there is no application and none is
    /// brought.
    pub async fn portal_access(
        &self,
        caller: &Caller,
        recipient: Recipient,
        input: PortalInput,
    ) -> Result<PortalAccess, AppError> {
        caller.require_organisation()?;
        let key = self.request_once(caller, Success::Done).await?;
        let asked = input.judge()?;
        let brought = input
            .application
            .map(|brought| brought.judge(&["application"]));
        let tenant = self
            .tenant_of(caller, recipient, brought.transpose()?)
            .await?;
        let grant = asked.grant(&tenant);
        let now = self.clock.now();
        let ends_at = now.plus(asked.lifetime);
        let one_time_token = hexadecimal(ONE_TIME_PREFIX, &random::<32>(&*self.entropy));
        let granted = Granted::of(&grant, (now, ends_at)).text();
        let lifetime = Lifetime::For(asked.lifetime);
        let minted = self
            .tokens
            .mint_with_id(&Grant::Portal(grant), lifetime, now, &*self.entropy);
        let hash = hash(&one_time_token);
        let entry = self
            .entry_at_application(caller, AuditAction::AppPortalOpened, &tenant)
            .saying(asked.told(&minted, &hash));
        let made = AccessChange::CreateOneTimeToken(OneTimeToken {
            hash,
            granted,
            expires_at: now.plus(LINK_LIFETIME).min(ends_at),
        });
        let Some(AccessChanged::Done) = self.change_access(entry, made, key).await? else {
            return Err(secret_not_repeated());
        };
        Ok(PortalAccess {
            token: Secret::from(minted.token),
            one_time_token: Secret::from(one_time_token),
        })
    }

    /// A token for one that is good once, which is not good any more then. Whoever has it needs no
    /// other.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], which is a security event.
    pub async fn exchange_one_time_token(
        &self,
        token: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<Exchanged, AppError> {
        let (grant, ends_at) = self.take_one_time_token(token, remote_address).await?;
        let now = self.clock.now();
        let capabilities = grant.capabilities.clone();
        let (grant, left) = (Grant::Portal(grant), ends_at.since(now));
        let minted = self
            .tokens
            .mint(&grant, Lifetime::For(left), now, &*self.entropy);
        Ok(Exchanged {
            token: Secret::from(minted),
            capabilities,
        })
    }

    /// What a token that is good once grants, and until when. It is not good any more then.
    pub(crate) async fn take_one_time_token(
        &self,
        token: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<(PortalGrant, Timestamp), AppError> {
        let now = self.clock.now();
        let hash = hash(token);
        let entry = self.exchange_entry(&hash, remote_address);
        let change = AccessChange::TakeOneTimeToken(hash);
        let taken = match self.change_access(entry, change, None).await {
            Ok(Some(AccessChanged::Taken(taken))) => taken,
            Ok(_) | Err(ChangeError::Missing) => return Err(self.not_good(remote_address)),
            Err(error) => return Err(error.into()),
        };
        let granted: Granted = serde_json::from_str(&taken.granted).map_err(AppError::internal)?;
        let grant = granted
            .grant()
            .ok_or_else(|| self.not_good(remote_address))?;
        // An application whose tokens have ended meanwhile gets none by an older link.
        let link = Credentials {
            application: Some(grant.id.key()),
            session: grant.session.clone(),
            issued_at: granted.issued_at(),
            ..Credentials::new("")
        };
        if self.tokens.known.is_revoked(&link, now) {
            return Err(self.not_good(remote_address));
        }
        Ok((grant, Timestamp::from_micros(granted.ends_at)))
    }

    /// Whose it is, only the store knows, which gives it away with the change: by its name, the
    /// entry of its making is found.
    fn exchange_entry(&self, hash: &TokenHash, remote_address: Option<IpAddr>) -> AuditDraft {
        let organisation = self.tokens.organisation();
        let actor = Actor {
            kind: ActorKind::Token,
            subject: organisation.to_owned(),
            credential: Some(name_of(hash)),
            remote_address,
        };
        let action = AuditAction::AppPortalTokenExchanged;
        let subject = Subject::new(SubjectKind::Organisation, organisation);
        AuditDraft::new(self.clock.now(), actor, action, subject)
    }

    fn not_good(&self, remote_address: Option<IpAddr>) -> AppError {
        let text = "a one-time token was refused: used before, expired or made up";
        let subject = Subject::of_token(self.tokens.organisation());
        let kind = SecurityKind::AuthenticationFailed;
        let event = SecurityEvent::new(kind, subject, self.clock.now(), text);
        self.events.report(event.from_address(remote_address));
        AppError::Unauthenticated("Invalid token".to_owned())
    }
}

/// Whose people a token is for, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalGrant {
    /// The application.
    pub id: ApplicationId,
    /// What it sees besides what all see.
    pub feature_flags: Vec<Name>,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// What it may do; `None`: all that an application may.
    pub capabilities: Option<BTreeSet<Capability>>,
}

/// An input that keeps all rules.
struct Asked {
    feature_flags: Vec<Name>,
    session: Option<String>,
    capabilities: Option<BTreeSet<Capability>>,
    lifetime: Duration,
}

impl PortalInput {
    fn judge(&self) -> Result<Asked, AppError> {
        let mut judge = Judge::new(&[]);
        if self.feature_flags.len() > FLAGS_MAX {
            judge.note("featureFlags", format!("must hold at most {FLAGS_MAX}"));
        }
        let flags = self.feature_flags.iter().take(FLAGS_MAX).enumerate();
        let flags = flags
            .filter_map(|(index, flag)| judge.name(&format!("featureFlags[{index}]"), flag))
            .collect();
        let most = PORTAL_LIFETIME_MAX.as_secs();
        let seconds = self
            .expiry
            .map_or(Some(most), |given| given.try_into().ok());
        let seconds = seconds.filter(|seconds| (1..=most).contains(seconds));
        if seconds.is_none() {
            judge.note("expiry", format!("must be from 1 to {most} s"));
        }
        if let Some(session) = &self.session {
            judge_session(&mut judge, "sessionId", session);
        }
        let given = self.capabilities.as_ref();
        if given.is_some_and(|given| !given.contains(&Capability::ViewBase)) {
            judge.note("capabilities", "must hold ViewBase; null means all");
        }
        judge.finish()?;
        let capabilities = match self.read_only {
            true => Some(BTreeSet::from([Capability::ViewBase])),
            false => self.capabilities.clone(),
        };
        Ok(Asked {
            feature_flags: flags,
            session: self.session.clone(),
            capabilities,
            lifetime: Duration::from_secs(seconds.unwrap_or(most)),
        })
    }
}

/// How the audit log names a token that is good once.
fn name_of(hash: &TokenHash) -> String {
    hexadecimal("one-time-", &hash[..NAMED_BY])
}

impl Asked {
    /// What the audit log has of it: which tokens were given, by what they are called.
    fn told(&self, minted: &Minted, hash: &TokenHash) -> String {
        let rights = match &self.capabilities {
            None => "all that an application may".to_owned(),
            Some(some) => {
                let names: Vec<String> = some.iter().map(|one| format!("{one:?}")).collect();
                names.join(", ")
            }
        };
        let tokens = format!("token {}, {}", minted.id, name_of(hash));
        format!("{tokens}; for {} s: {rights}", self.lifetime.as_secs())
    }

    fn grant(&self, tenant: &Tenant) -> PortalGrant {
        PortalGrant {
            id: tenant.application().id,
            feature_flags: self.feature_flags.clone(),
            session: self.session.clone(),
            capabilities: self.capabilities.clone(),
        }
    }
}

impl Granted {
    pub(crate) fn of(grant: &PortalGrant, (issued_at, ends_at): (Timestamp, Timestamp)) -> Self {
        Self {
            application: grant.id.to_string(),
            feature_flags: grant.feature_flags.iter().map(Name::to_string).collect(),
            session: grant.session.clone(),
            capabilities: grant.capabilities.clone(),
            issued_at: issued_at.micros(),
            ends_at: ends_at.micros(),
        }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        Timestamp::from_micros(self.issued_at)
    }

    pub(crate) fn grant(&self) -> Option<PortalGrant> {
        let flags = self.feature_flags.iter().map(|flag| flag.parse().ok());
        Some(PortalGrant {
            id: self.application.parse().ok()?,
            feature_flags: flags.collect::<Option<_>>()?,
            session: self.session.clone(),
            capabilities: self.capabilities.clone(),
        })
    }
}
