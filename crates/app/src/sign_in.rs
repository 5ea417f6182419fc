//! Sessions of pages: how they are opened, told and guarded. What is kept of one is with the
//! browser that has it (`tokens::sessions`); what a page may do for whoever has it is asked as of
//! any other caller.

use crate::access::limits::Limits;
use crate::access::pace::{Pace, Rate};
use crate::caller::{OpenedBy, Shown, ShownAs, Who};
use crate::portal::PortalGrant;
use crate::tokens::sessions::{Pages, SessionGrant, greatest_role};
use crate::{App, AppError, Caller};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use model::address::network;
use model::audit::AuditAction;
use model::role::Role;
use model::security::{SecurityEvent, SecurityKind, Subject};
use model::{Secret, Timestamp};
use std::net::IpAddr;
use std::time::Duration;

/// How long somebody of the organisation stays signed in at the most.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// So many attempts to sign in may fail from one address, and again one each minute.
const FAILURES_MAX: u32 = 10;
const FAILURES_WITHIN: Duration = Duration::from_secs(600);

/// As what security events speak of it.
const SIGN_IN: &str = "an attempt to sign in to the pages";

/// A session that was just opened.
pub struct SignedIn {
    /// What the browser keeps.
    pub session: Secret,
    /// For how long it is good.
    pub lifetime: Duration,
    /// Why the audit log could not be told of it. Pages are looked at when something is wrong: that
    /// nothing can be written keeps nobody out, but has to be in the log then.
    pub untold: Option<AppError>,
}

/// Failed attempts, by where they come from.
#[derive(Default)]
pub(crate) struct Failures(Pace<IpAddr>);

impl Failures {
    fn rate() -> Rate {
        Rate::new(FAILURES_MAX, FAILURES_WITHIN)
    }

    fn check(&self, from: Option<IpAddr>, now: Timestamp) -> Result<(), AppError> {
        let wait = from.and_then(|from| self.0.wait(&network(from), now, Self::rate()));
        match wait {
            Some(wait) => Err(AppError::TooManySignIns { wait }),
            None => Ok(()),
        }
    }

    fn waiting(&self, now: Timestamp) -> Vec<(IpAddr, Timestamp)> {
        let waits = self.0.waiting(now, Self::rate()).into_iter();
        waits.map(|(from, wait)| (from, now.plus(wait))).collect()
    }

    fn count(&self, from: Option<IpAddr>, now: Timestamp) {
        if let Some(from) = from {
            self.0.count(network(from), now, Self::rate());
        }
    }
}

impl App {
    /// A session for somebody who shows a token of the organisation's, or an API key's. It may do
    /// what the token may, as far as that is a role.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`]; [`AppError::TooManySignIns`] where too many have failed from
    /// there; [`AppError::TooMany`] where the token comes too often; [`AppError::BadRequest`] for a
    /// token that is good, but not for pages.
    pub async fn sign_in(
        &self,
        token: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<SignedIn, AppError> {
        let now = self.clock.now();
        self.tokens.sign_ins.check(remote_address, now)?;
        let caller = self.authenticate_for(SIGN_IN, Some(token), remote_address);
        let caller = caller.inspect_err(|error| self.count_failure(error, remote_address))?;
        let (role, by, ends_at) = opened_with(&caller)?;
        let grant = SessionGrant::Dashboard { role, by };
        Ok(self.open_session(&grant, remote_address, ends_at).await)
    }

    /// Whether somebody may try to sign in from there.
    ///
    /// # Errors
    /// [`AppError::TooManySignIns`] where too many have failed from there.
    pub fn may_sign_in(&self, remote_address: Option<IpAddr>) -> Result<(), AppError> {
        self.tokens.sign_ins.check(remote_address, self.clock.now())
    }

    /// Addresses from which nobody may try to sign in at this node until then, since too many have
    /// failed: of IPv6, those of the /64.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub fn kept_from_signing_in(
        &self,
        caller: &Caller,
    ) -> Result<Vec<(IpAddr, Timestamp)>, AppError> {
        caller.require_organisation()?;
        Ok(self.tokens.sign_ins.waiting(self.clock.now()))
    }

    /// That somebody from there tried to sign in by the identity provider, and failed.
    pub fn sign_in_failed(&self, remote_address: Option<IpAddr>) {
        let now = self.clock.now();
        self.tokens.sign_ins.count(remote_address, now);
    }

    /// That somebody who came from the identity provider did not get in, where that is worth a
    /// report.
    pub fn person_kept_out(&self, why: &str, remote_address: Option<IpAddr>) {
        let kind = SecurityKind::AuthenticationFailed;
        let subject = Subject::of_token(self.tokens.organisation());
        let text = format!("somebody who came from the identity provider was refused: {why}");
        let event = SecurityEvent::new(kind, subject, self.clock.now(), text);
        self.events.report(event.from_address(remote_address));
    }

    /// A session for somebody whom the identity provider named.
    pub async fn sign_in_person(
        &self,
        (name, role): (String, Role),
        remote_address: Option<IpAddr>,
    ) -> SignedIn {
        let by = OpenedBy::Person(name);
        let grant = SessionGrant::Dashboard { role, by };
        self.open_session(&grant, remote_address, Timestamp::MAX)
            .await
    }

    /// A session for the people of the application that a link was made for; the link is not good
    /// any more then.
    ///
    /// # Errors
    /// As [`App::exchange_one_time_token`]; [`AppError::TooManySignIns`].
    pub async fn open_portal(
        &self,
        one_time_token: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<SignedIn, AppError> {
        let now = self.clock.now();
        self.tokens.sign_ins.check(remote_address, now)?;
        let taken = self.take_one_time_token(one_time_token, remote_address);
        let taken = taken.await;
        let taken = taken.inspect_err(|error| self.count_failure(error, remote_address));
        let (grant, ends_at): (PortalGrant, Timestamp) = taken?;
        let session =
            self.tokens
                .mint_session(&SessionGrant::Portal(grant), (now, ends_at), &*self.entropy);
        Ok(SignedIn {
            session,
            lifetime: ends_at.since(now),
            // The entry of the link's end is all that there is to tell.
            untold: None,
        })
    }

    /// Who has a session of these pages. Sessions end without anybody being to blame: that one is
    /// over is no security event.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`].
    pub fn session(
        &self,
        pages: Pages,
        session: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<Caller, AppError> {
        let now = self.clock.now();
        let checked = self
            .tokens
            .check_session(pages, session, (now, remote_address));
        checked.map_err(|not_good| not_good.error)
    }

    /// What the forms of a session's pages carry, so that no other site can send them.
    pub fn form_token(&self, caller: &Caller) -> String {
        let tag = sign(&self.form_key(), session_id(caller).as_bytes());
        crate::api_keys::hexadecimal("", tag.as_ref())
    }

    /// Whether a form carries it.
    pub fn is_form_token(&self, caller: &Caller, given: &str) -> bool {
        let bytes: Option<Vec<u8>> = (0..given.len() / 2)
            .map(|at| {
                let digits = given.get(2 * at..2 * at + 2)?;
                u8::from_str_radix(digits, 16).ok()
            })
            .collect();
        bytes.is_some_and(|tag| {
            verify(&self.form_key(), session_id(caller).as_bytes(), &tag).is_ok()
        })
    }

    fn form_key(&self) -> Key {
        // Of the secret that sessions are signed with, and no such signature.
        let secret = Key::new(HMAC_SHA256, self.tokens.secret.expose());
        Key::new(HMAC_SHA256, sign(&secret, b"forms of pages").as_ref())
    }

    /// Counts what may have been a guess: a good token that comes too often, or at a bad time, is
    /// none.
    fn count_failure(&self, error: &AppError, remote_address: Option<IpAddr>) {
        if matches!(error, AppError::Unauthenticated(_)) {
            self.sign_in_failed(remote_address);
        }
    }

    async fn open_session(
        &self,
        grant: &SessionGrant,
        remote_address: Option<IpAddr>,
        ends_at: Timestamp,
    ) -> SignedIn {
        let now = self.clock.now();
        let ends_at = ends_at.min(now.plus(SESSION_LIFETIME));
        let session = self
            .tokens
            .mint_session(grant, (now, ends_at), &*self.entropy);
        let untold = self.tell_of_session(&session, remote_address).await.err();
        SignedIn {
            session,
            lifetime: ends_at.since(now),
            untold,
        }
    }

    async fn tell_of_session(
        &self,
        session: &Secret,
        remote_address: Option<IpAddr>,
    ) -> Result<(), AppError> {
        let text = String::from_utf8_lossy(session.expose()).into_owned();
        let caller = self.session(Pages::Dashboard, &text, remote_address)?;
        let entry = self.entry_at_installation(&caller, AuditAction::SessionOpened);
        self.note(entry.saying(told(&caller))).await
    }
}

/// What the audit log has of a session.
fn told(caller: &Caller) -> String {
    let role = caller.greatest_role().map_or("no role", Role::as_str);
    match caller.shown.as_deref().map(|shown| &shown.by) {
        Some(ShownAs::Session(OpenedBy::Token(id))) => format!("{role}, by token {id}"),
        Some(ShownAs::Session(OpenedBy::ApiKey(id))) => format!("{role}, by key {id}"),
        Some(ShownAs::Session(OpenedBy::Person(_))) => {
            format!("{role}, by the identity provider")
        }
        _ => role.to_owned(),
    }
}

/// What a token opens a session as.
fn opened_with(caller: &Caller) -> Result<(Role, OpenedBy, Timestamp), AppError> {
    let refused = |detail: &str| AppError::BadRequest {
        code: "not_for_pages",
        detail: detail.to_owned(),
    };
    if caller.who != Who::Organisation {
        return Err(refused(
            "this is an application's token: its people come in by a link, which \
             `POST …/auth/app-portal-access/APP` gives",
        ));
    }
    let Some(shown) = caller.shown.as_deref() else {
        return Err(refused("there is no token"));
    };
    let role = caller.greatest_role().ok_or_else(|| {
        refused("this key's scopes are not a role's: give one with `role:viewer` or more")
    })?;
    let by = match &shown.by {
        ShownAs::ApiKey(id) => OpenedBy::ApiKey(*id),
        _ => OpenedBy::Token(shown.id.clone()),
    };
    Ok((role, by, shown.ends_at))
}

fn session_id(caller: &Caller) -> &str {
    caller
        .shown
        .as_deref()
        .map_or("", |Shown { id, .. }| id.as_str())
}

impl Caller {
    /// The greatest role whose rights it has, if it has any's; an application has none.
    pub fn greatest_role(&self) -> Option<Role> {
        if self.who != Who::Organisation {
            return None;
        }
        let limits = self.shown.as_deref().map(|shown| &shown.limits);
        match limits {
            None | Some(Limits::Nothing) => greatest_role(None),
            Some(Limits::Scopes(scopes)) => greatest_role(Some(scopes)),
            Some(Limits::Capabilities(_)) => None,
        }
    }
}
