//! Who may come in, beyond what a token says of itself: how tokens are revoked, by one or by an
//! application's all, and how a node hears of it.
//!
//! All that requests are judged by is in memory: none ever waits for the database here. What
//! changes on this node holds when it is acknowledged; what changes elsewhere, when the binary next
//! calls [`App::renew_access`], within a second. While the database is away, what is known goes on
//! to hold.
//!
//! Map: `known` (what is in memory) · [`limits`] (what scopes and capabilities allow), `rates`,
//! [`pace`] (how often) · then the use cases: here, in [`crate::api_keys`] and in
//! [`crate::portal`].

mod known;
pub mod limits;
pub mod pace;
mod rates;

pub(crate) use known::{Credentials, Known, Standing};
pub(crate) use rates::Rates;

use crate::audit::Unaudited;
use crate::caller::ShownAs;
use crate::find::Tenant;
use crate::idempotency::{Request, Success};
use crate::rules::Judge;
use crate::tokens::{FOREVER, LEEWAY};
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::audit::{AuditAction, AuditDraft};
use model::role::Role;
use model::security::Subject;
use std::time::Duration;
use store::access::{AccessChange, AccessChanged, RevokedToken, TokenFloor};
use store::change::{Change, ChangeError, Changed};
use store::idempotency::IdempotencyKey;

/// The most revoked tokens, and the most applications and sessions whose earlier tokens have ended,
/// that are kept in memory.
pub const KEPT_MAX: usize = 1_000_000;
/// The longest wait until earlier tokens end, in seconds.
pub const EXPIRY_WAIT_MAX: i64 = 259_200;
/// The most sessions that are named at once.
pub const SESSIONS_MAX: usize = 1_000;
/// The longest name of a session, in bytes.
pub const SESSION_BYTES_MAX: usize = 64;
/// How long a token of a session is good at the most. What is kept of a session goes after it.
pub(crate) const SESSION_LIFETIME_MAX: Duration = Duration::from_secs(28 * 86_400);

/// Which of an application's tokens are to end, and when.
#[derive(Debug, Clone, Default)]
pub struct ExpireInput {
    /// In so many seconds; `None`: at once.
    pub expiry: Option<i64>,
    /// Only those of these sessions; none: all.
    pub sessions: Vec<String>,
}

/// Who a caller is, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// The organisation.
    pub organisation: String,
    /// The application, where it is one.
    pub application: Option<String>,
    /// The session that the token belongs to.
    pub session: Option<String>,
    /// Whether it showed an API key, not a signed token.
    pub by_api_key: bool,
    /// The role that it is limited to, where that says all that it may.
    pub role: Option<Role>,
}

/// A token of this id, revoked for as long as any token could be good.
pub fn revocation(id: String) -> RevokedToken {
    RevokedToken {
        id,
        ends_at: FOREVER,
    }
}

impl App {
    /// Reads what has changed of who may come in. The binary calls it before the first request, and
    /// more than once a second from then on.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]: what was known goes on to hold.
    pub async fn renew_access(&self) -> Result<(), AppError> {
        let known = &self.tokens.known;
        let _flight = known.renewal.lock().await;
        let Some(mut rows) = self.store.access(known.version()).await? else {
            return Ok(());
        };
        let environment = rows.environment.take();
        known.take(rows, self.clock.now());
        self.environment.take(environment.as_deref())
    }

    /// Who the caller is.
    pub fn whoami(&self, caller: &Caller) -> Myself {
        let shown = caller.shown.as_deref();
        Myself {
            organisation: self.tokens.organisation().to_owned(),
            application: caller.application().map(|id| id.to_string()),
            session: shown.and_then(|shown| shown.session.clone()),
            by_api_key: shown.is_some_and(|shown| matches!(shown.by, ShownAs::ApiKey(_))),
            role: caller.role(),
        }
    }

    /// The very token that the caller showed is not good any more.
    ///
    /// # Errors
    /// [`AppError::Unavailable`]; [`AppError::BadRequest`] when no more can be kept.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), AppError> {
        let Some(shown) = &caller.shown else {
            return Ok(());
        };
        match shown.by {
            ShownAs::ApiKey(id) => self.end_api_key(caller, id, self.clock.now()).await,
            ShownAs::Token | ShownAs::Session(_) => {
                let token = RevokedToken {
                    id: shown.id.clone(),
                    ends_at: shown.ends_at,
                };
                let subject = Subject::of_token(&caller.subject);
                let entry = self.entry(caller, AuditAction::TokenRevoked, subject);
                self.end_token(entry, token).await
            }
        }
    }

    /// A token is not good any more, on this node from now on, elsewhere within a second.
    ///
    /// # Errors
    /// As [`App::log_out`]; [`AppError::Forbidden`] for all but the organisation.
    pub async fn revoke_token(&self, caller: &Caller, token: RevokedToken) -> Result<(), AppError> {
        caller.require_organisation()?;
        let entry = self.entry_at_installation(caller, AuditAction::TokenRevoked);
        self.end_token(entry, token).await
    }

    async fn end_token(&self, entry: AuditDraft, token: RevokedToken) -> Result<(), AppError> {
        self.tokens.known.check_room()?;
        let entry = entry.saying(format!("token {}", token.id));
        self.change_access(entry, AccessChange::RevokeToken(token), None)
            .await?;
        Ok(())
    }

    /// An application's tokens that were issued so far, or those of some sessions, end.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`].
    pub async fn expire_tokens(
        &self,
        caller: &Caller,
        found: &Tenant,
        input: ExpireInput,
    ) -> Result<(), AppError> {
        caller.require_organisation()?;
        let key = match self.request(caller, Success::Done).await? {
            Request::New(key) => key,
            Request::Repeated(_) => return Ok(()),
        };
        let wait = input.judge()?;
        self.tokens.known.check_room()?;
        let now = self.clock.now();
        let holds_from = now.plus(wait);
        let floor = |session: Option<String>| TokenFloor {
            application: found.key(),
            issued_before: now,
            holds_from,
            ends_at: match session {
                Some(_) => now.plus(SESSION_LIFETIME_MAX).plus(LEEWAY),
                None => FOREVER,
            },
            session,
        };
        let entry = self
            .entry_at_application(caller, AuditAction::ApplicationTokensExpired, found)
            .saying(input.told());
        let floors = match input.sessions.is_empty() {
            true => vec![floor(None)],
            false => input.sessions.into_iter().map(Some).map(floor).collect(),
        };
        self.change_access(entry, AccessChange::ExpireTokens(floors), key)
            .await?;
        Ok(())
    }

    /// Does one change, and has this node know it. `None`: it was done before, under the same key.
    pub(crate) async fn change_access(
        &self,
        entry: AuditDraft,
        change: AccessChange,
        key: Option<IdempotencyKey>,
    ) -> Result<Option<AccessChanged>, ChangeError> {
        let changed = self.change(entry, None, Change::Access(change), key).await;
        self.access_changed(changed).await
    }

    /// The same for what nobody asked for.
    pub(crate) async fn change_access_unaudited(
        &self,
        why: Unaudited,
        change: AccessChange,
    ) -> Result<Option<AccessChanged>, ChangeError> {
        let change = Change::Access(change);
        let changed = self.change_unaudited(why, None, change).await;
        self.access_changed(changed).await
    }

    async fn access_changed(
        &self,
        changed: Result<Changed, ChangeError>,
    ) -> Result<Option<AccessChanged>, ChangeError> {
        let changed = match changed? {
            Changed::Access(changed) => Some(changed),
            // Nothing else is answered to it.
            _ => None,
        };
        // It is done. Should the database be away by now, this node hears of it as others do.
        let _ = self.renew_access().await;
        Ok(changed)
    }
}

impl ExpireInput {
    /// What the audit log has of it.
    fn told(&self) -> String {
        let which = match self.sessions.len() {
            0 => "all".to_owned(),
            1 => "those of one session".to_owned(),
            count => format!("those of {count} sessions"),
        };
        match self.expiry.unwrap_or_default() {
            0 => which,
            seconds => format!("{which}, in {seconds} s"),
        }
    }

    /// How long to wait, if this keeps all rules.
    fn judge(&self) -> Result<Duration, AppError> {
        let mut judge = Judge::new(&[]);
        let wait = self.expiry.unwrap_or_default();
        judge_wait(&mut judge, wait);
        if self.sessions.len() > SESSIONS_MAX {
            judge.note("sessionIds", format!("must hold at most {SESSIONS_MAX}"));
        } else {
            for (index, session) in self.sessions.iter().enumerate() {
                judge_session(&mut judge, &format!("sessionIds[{index}]"), session);
            }
        }
        judge.finish()?;
        Ok(Duration::from_secs(wait.unsigned_abs()))
    }
}

/// How long until something ends, in seconds.
pub(crate) fn judge_wait(judge: &mut Judge<'_>, seconds: i64) {
    if !(0..=EXPIRY_WAIT_MAX).contains(&seconds) {
        judge.note("expiry", format!("must be from 0 to {EXPIRY_WAIT_MAX} s"));
    }
}

/// A session's name.
pub(crate) fn judge_session(judge: &mut Judge<'_>, field: &str, text: &str) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_' | b'-');
    let is_one = (1..=SESSION_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed);
    if !is_one {
        let text = format!("must be 1 to {SESSION_BYTES_MAX} of a-z, A-Z, 0-9, `@`, `_` and `-`");
        judge.note(field, text);
    }
}

/// When a token that says this of its end is not good any more, whatever clocks say.
pub(crate) fn end_of(expires_at: Option<Timestamp>) -> Timestamp {
    expires_at.map_or(FOREVER, |end| end.plus(LEEWAY).min(FOREVER))
}
