//! Endpoints: made, looked up, changed and deleted by the organisation and by their application.
//! Their headers and secrets, which are kept sealed, are in files of their own.
//!
//! Every function takes a [`Tenant`], which only a permission check makes.

mod auth;
mod ca;
mod draft;
mod encryption;
mod headers;
mod history;
mod http_signature;
mod mtls;
mod oauth;
mod payload;
mod pins;
mod protection;
mod public_keys;
mod redaction;
mod secrets;
mod signature;
mod verification;
mod whose;

pub(crate) use auth::view as credential_view;
pub use auth::{
    AuthInput, AuthView, CredentialInput, CredentialView, NAME_MAX as CREDENTIAL_NAME_MAX,
    SECRET_MAX as CREDENTIAL_SECRET_MAX,
};
pub(crate) use ca::judge_authorities;
pub use ca::{AUTHORITIES_BYTES_MAX, CaInput, MinTls};
pub use draft::{EVENT_TYPES_MAX, EndpointInput, EndpointPatch};
pub use encryption::{CONTENT_ENCRYPTION, EncryptionInput, KID_BYTES_MAX};
pub use headers::{
    HEADERS_MAX, HeadersInput, HeadersPatch, HeadersView, NAME_BYTES_MAX as HEADER_NAME_BYTES_MAX,
    VALUE_BYTES_MAX as HEADER_VALUE_BYTES_MAX, is_sensitive,
};
pub use history::{EndpointHistory, HISTORY_MAX, Happening, HistoryRow, WhoDidIt};
pub use http_signature::{
    COMPONENT_BYTES_MAX, COMPONENTS_MAX, HttpSignatureInput, HttpSignatureView, UNSIGNABLE,
    WRITTEN_LATER,
};
pub use mtls::{IDENTITY_BYTES_MAX, MtlsInput, MtlsView};
pub use oauth::{
    AssertionInput, AssertionView, HEADERS_MAX as TOKEN_HEADERS_MAX, OauthInput, OauthView,
};
pub use pins::{PINS_MAX, PinsInput, PinsView};
pub use protection::RemovablePart;
pub(crate) use protection::masked;
pub use public_keys::{KEYS_MAX as PUBLIC_KEYS_MAX, PublicJwk};
pub use redaction::RedactionInput;
pub use secrets::{GRACE_DEFAULT, GRACE_MAX, RotateInput};
pub(crate) use signature::{headers_of_credentials, hmac_scheme};
pub use verification::{VerificationStatus, VerificationView};
pub(crate) use verification::{endpoint_is_unproved, is_demanded, may_get, may_get_all};
pub use webhook::TEXT_SECRET_BYTES_MAX;
pub use whose::EndpointsOf;

use crate::audit::{changed, differing};
use crate::change::{ChangeRefused, Saved, unexpected, until_current};
use crate::find::Tenant;
use crate::idempotency::{Request, Success, id_of, made_is_gone};
use crate::operational::never_told;
use crate::page::{ListInput, Order, Page, Part};
use crate::rules::Judge;
use crate::sealing::{open_headers, open_protection, seal_headers, seal_secrets};
use crate::{App, AppError, Caller, Violation};
use draft::EndpointDraft;
use model::Timestamp;
use model::audit::{AuditAction, AuditDraft};
use model::endpoint::{CustomHeaders, Endpoint, SigningSecrets};
use model::entropy::random;
use model::id::{EndpointId, EndpointKey, EndpointKind};
use model::name::Name;
use model::operational::Happened;
use model::protection::{Held, Protection};
use model::security::{SecurityEvent, SecurityKind, Subject, SubjectKind};
use std::collections::BTreeSet;
use store::change::{Change, ChangeError, Changed};
use store::idempotency::{IdempotencyKey, Made};
use store::query::{Walk, Window};
use store::rows::{EndpointRow, SealedParts};
use vault::KeyRing;

/// What a new endpoint may bring besides what can be changed later in the same way.
#[derive(Clone, Default)]
pub struct NewEndpointInput {
    /// What its requests are signed with; made here if it brings none.
    pub secret: Option<model::Secret>,
    /// Headers for its requests.
    pub headers: Option<HeadersInput>,
}

impl App {
    /// An application's endpoints, the newest first unless asked otherwise.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn endpoints(
        &self,
        tenant: &Tenant,
        list: &ListInput,
    ) -> Result<Page<EndpointView>, AppError> {
        let part = Part::<EndpointKind>::of_all(list, Order::Descending)?;
        let walk = walk(&tenant.row().endpoints, part.window());
        let page = part.page(walk, |row| row.endpoint.id);
        page.try_map(|row| self.view(tenant, row))
    }

    /// One of them, by id or uid.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn endpoint(&self, tenant: &Tenant, path: &str) -> Result<EndpointView, AppError> {
        self.view(tenant, tenant.endpoint(path)?)
    }

    /// Makes an endpoint. Refused, it leaves nothing behind, also where it was to be the first.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] for a uid that is taken;
    /// [`AppError::BadRequest`] if the application has as many as it may have.
    pub async fn create_endpoint(
        &self,
        caller: &Caller,
        of: &EndpointsOf,
        input: EndpointInput,
        new: NewEndpointInput,
    ) -> Result<Saved<EndpointView>, AppError> {
        of.require(caller)?;
        let key = match self.request(caller, Success::Created).await? {
            Request::New(key) => key,
            Request::Repeated(made) => {
                let tenant = of.tenant().ok_or_else(made_is_gone)?;
                return self.endpoint_made(tenant, made).await;
            }
        };
        let mut judge = Judge::new(&[]);
        let own = self.judge_own(&mut judge, new);
        let draft = self.judge_endpoint(of, judge, input.into()).await?;
        self.insert_endpoint(caller, of, (&draft, own), key).await
    }

    /// What a new endpoint brings, and what is made for it.
    fn judge_own(&self, judge: &mut Judge, new: NewEndpointInput) -> Own {
        let secret = secrets::judge_secret(judge, "secret", new.secret.as_ref());
        let headers = new.headers.map(|headers| headers.judge(judge));
        let made = || self.new_secret(self.settings.default_signature);
        Own {
            secrets: SigningSecrets::new(secret.unwrap_or_else(made)),
            headers: headers.unwrap_or_default(),
        }
    }

    /// Writes an endpoint anew, but for its secrets and headers; or makes one where there is none
    /// at `path`, whose uid comes from the input alone.
    ///
    /// # Errors
    /// As [`App::create_endpoint`].
    pub async fn put_endpoint(
        &self,
        caller: &Caller,
        of: &EndpointsOf,
        path: &str,
        (input, new): (EndpointInput, NewEndpointInput),
    ) -> Result<Saved<EndpointView>, AppError> {
        of.require(caller)?;
        let mut judge = Judge::new(&[]);
        let own = self.judge_own(&mut judge, new);
        let draft = self.judge_endpoint(of, judge, input.into()).await?;
        let Some((tenant, found)) = of.find_endpoint(path) else {
            // What can't be anybody's name is a mistake, and nothing is made for it.
            path.parse::<Name>().map_err(|_| AppError::not_found())?;
            let made = self.insert_endpoint(caller, of, (&draft, own), None);
            return made.await;
        };
        let key = found.endpoint.id.key();
        Ok(Saved::changed(
            self.redraft(caller, tenant, key, &draft).await?,
        ))
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// As [`App::create_endpoint`]; [`AppError::NotFound`].
    pub async fn patch_endpoint(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        patch: EndpointPatch,
    ) -> Result<EndpointView, AppError> {
        caller.require_application(tenant.application())?;
        let key = tenant.endpoint(path)?.endpoint.id.key();
        let (of, judge) = (EndpointsOf::Application(tenant.clone()), Judge::new(&[]));
        let draft = self.judge_endpoint(&of, judge, patch).await?;
        self.redraft(caller, tenant, key, &draft).await
    }

    /// Deletes an endpoint: when this returns, no attempt to it starts any more.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_endpoint(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
    ) -> Result<(), AppError> {
        caller.require_application(tenant.application())?;
        let endpoint = &tenant.endpoint(path)?.endpoint;
        let entry = self.entry_at_endpoint(caller, AuditAction::EndpointDeleted, endpoint);
        let change = Change::DeleteEndpoint(tenant.key(), endpoint.id.key());
        self.change(entry, Some(tenant.key()), change, None).await?;
        self.tell(tenant, endpoint, Happened::EndpointDeleted);
        Ok(())
    }

    /// Judges what can only be judged with the network and the store, and finishes the judgement.
    async fn judge_endpoint(
        &self,
        of: &EndpointsOf,
        mut judge: Judge<'_>,
        patch: EndpointPatch,
    ) -> Result<EndpointDraft, AppError> {
        let mut draft = patch.judge(&mut judge);
        if let Some(url) = draft.url.as_set() {
            match self.guard.check_new(url).await {
                Ok(checked) => draft.set_url(checked),
                Err(refusal) => judge.note_url(&refusal),
            }
        }
        if let Some(Some(names)) = draft.event_types.as_set() {
            let unknown = match of.is_operators() {
                true => never_told(names),
                false => self.unknown_event_types(names).await?,
            };
            if !unknown.is_empty() {
                let text = format!(
                    "The following event types don't exist: {}",
                    unknown.join(", ")
                );
                judge.note("eventTypes", text);
            }
        }
        judge.finish()?;
        Ok(draft)
    }

    /// Those that don't exist, or are archived.
    async fn unknown_event_types(&self, names: &BTreeSet<Name>) -> Result<Vec<String>, AppError> {
        let names: Vec<Name> = names.iter().cloned().collect();
        let found = self.store.event_types_named(&names).await?;
        let live: BTreeSet<&Name> = found
            .iter()
            .filter(|found| !found.archived)
            .map(|found| &found.name)
            .collect();
        let unknown = names.iter().filter(|name| !live.contains(name));
        Ok(unknown.map(Name::to_string).collect())
    }

    async fn insert_endpoint(
        &self,
        caller: &Caller,
        of: &EndpointsOf,
        (draft, mut own): (&EndpointDraft, Own),
        key: Option<IdempotencyKey>,
    ) -> Result<Saved<EndpointView>, AppError> {
        draft.set_credentials(&mut own.headers, None)?;
        let tenant = &self.made_for(caller, of).await?;
        let keys = self.keys(&tenant.row().application)?;
        let tail = random(&*self.entropy);
        let endpoints_max = self.settings.endpoints_max;
        let change = Change::CreateEndpoint {
            endpoint: draft.applied(blank(tenant, EndpointId::new(EndpointKey::MIN, tail))),
            sealed: SealedParts {
                secrets: seal_secrets(&keys, tail, &own.secrets),
                headers: seal_headers(&keys, tail, &own.headers),
                protection: None,
            },
            endpoints_max,
        };
        let entry = self
            .entry(caller, AuditAction::EndpointCreated, SubjectKind::Endpoint)
            .concerning(tenant.key())
            .saying(leads_to(draft));
        let made = self.change(entry, Some(tenant.key()), change, key);
        match made.await {
            Ok(Changed::Endpoint(row)) => {
                let text = leads("the endpoint was made", draft);
                self.report(caller, SecurityKind::EndpointCreated, &row.endpoint, text);
                self.leads_to(&row.endpoint, false);
                self.tell(tenant, &row.endpoint, Happened::EndpointCreated);
                self.challenge_if_demanded(tenant, &row).await;
                Ok(Saved::created(self.view(tenant, &row)?))
            }
            Ok(Changed::Repeated(prior)) => self.endpoint_made(tenant, prior.made).await,
            Ok(other) => Err(unexpected(&other)),
            Err(ChangeError::TooMany) => Err(AppError::BadRequest {
                code: "limit_reached",
                detail: format!(
                    "an application may have at most {endpoints_max} endpoints (endpoints_max)"
                ),
            }),
            Err(error) => Err(ChangeRefused::from(error).explain(uid_taken)),
        }
    }

    /// Writes an endpoint anew as the draft says.
    async fn redraft(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        key: EndpointKey,
        draft: &EndpointDraft,
    ) -> Result<EndpointView, AppError> {
        let replaced = until_current(|| async {
            let tenant = self.tenant_again(tenant).await?;
            let row = tenant.endpoint_by_key(key)?;
            let mut replacement = Replacement::same(row);
            replacement.endpoint = draft.applied(row.endpoint.clone());
            let was_disabled = row.endpoint.disabled;
            let mut moved = replacement.endpoint.url != row.endpoint.url;
            if draft.writes_url() {
                let keys = self.keys(&tenant.row().application)?;
                let set = open_protection(&keys, row)?.needs_tls();
                check_tls(&replacement.endpoint, &set).map_err(AppError::from)?;
                let mut headers = open_headers(&keys, row)?;
                let changed = draft.set_credentials(&mut headers, Some(&row.endpoint.url));
                moved |= changed.map_err(AppError::from)?;
                if caller.application().is_some() && draft.leaves_origin_of(&row.endpoint.url) {
                    replacement.leave_origin(&keys, row, &mut headers)?;
                }
                replacement.sealed.headers = seal_headers(&keys, row.endpoint.id.tail(), &headers);
            }
            let entry = self
                .entry_at_endpoint(caller, AuditAction::EndpointUpdated, &row.endpoint)
                .saying(told(&row.endpoint, &replacement.endpoint, moved, draft));
            let after = self.replace_endpoint(entry, &tenant, replacement, None);
            Ok(((moved, was_disabled), after.await?))
        });
        let ((moved, was_disabled), after) = replaced
            .await
            .map_err(|refused| refused.explain(uid_taken))?;
        if moved {
            let text = leads("the endpoint's URL was changed", draft);
            self.report(
                caller,
                SecurityKind::EndpointUrlChanged,
                &after.endpoint,
                text,
            );
            self.leads_to(&after.endpoint, true);
        }
        self.tell_of_change(tenant, &after.endpoint, was_disabled);
        self.challenge_if_demanded(tenant, &after).await;
        self.view(tenant, &after)
    }

    /// An endpoint was written anew, and may be disabled now, or not any more.
    fn tell_of_change(&self, tenant: &Tenant, endpoint: &Endpoint, was_disabled: bool) {
        self.tell(tenant, endpoint, Happened::EndpointUpdated);
        match (was_disabled, endpoint.disabled) {
            (false, true) => self.tell(tenant, endpoint, |named| {
                Happened::EndpointDisabled(named, None)
            }),
            (true, false) => self.tell(tenant, endpoint, Happened::EndpointEnabled),
            _ => {}
        }
    }

    /// Writes an endpoint's row anew.
    async fn replace_endpoint(
        &self,
        entry: AuditDraft,
        tenant: &Tenant,
        replacement: Replacement,
        key: Option<IdempotencyKey>,
    ) -> Result<EndpointRow, ChangeRefused> {
        let change = Change::ReplaceEndpoint {
            endpoint: replacement.endpoint,
            sealed: replacement.sealed,
            revision: replacement.revision,
        };
        match self.change(entry, Some(tenant.key()), change, key).await? {
            Changed::Endpoint(row) => Ok(row),
            Changed::Repeated(_) => Err(crate::idempotency::secret_not_repeated().into()),
            other => Err(unexpected(&other).into()),
        }
    }

    /// What an earlier request with the same idempotency key made, as it is now.
    async fn endpoint_made(
        &self,
        tenant: &Tenant,
        made: Made,
    ) -> Result<Saved<EndpointView>, AppError> {
        let tenant = self.tenant_again(tenant).await?;
        let id: EndpointId = id_of(made);
        let row = tenant
            .endpoint_by_key(id.key())
            .map_err(|_| made_is_gone())?;
        Ok(Saved::created(self.view(&tenant, row)?))
    }

    fn view(&self, tenant: &Tenant, row: &EndpointRow) -> Result<EndpointView, AppError> {
        let (mut held, mut has) = (None, row.meets());
        if row.sealed.protection.is_some() {
            let keys = self.keys(&tenant.row().application)?;
            let protection = open_protection(&keys, row)?;
            held = self.held(&keys, row, &protection)?;
            has = has.union(protection.meets());
        }
        let hears = |event_type: &Name| row.endpoint.hears(event_type);
        let unmet = || tenant.policy().unmet(has, hears).map(Held::Unmet);
        Ok(EndpointView {
            endpoint: row.endpoint.clone(),
            held: held.or_else(unmet),
        })
    }

    /// Why nothing is sent to an endpoint, if so, by the rule that the sender has.
    fn held(
        &self,
        keys: &KeyRing,
        row: &EndpointRow,
        protection: &Protection,
    ) -> Result<Option<Held>, AppError> {
        let scheme = protection.signature.as_ref().and_then(hmac_scheme);
        let family = self.settings.header_family.with_specified();
        let signed_in = family.headers_written(scheme.as_ref());
        Ok(protection.held(&open_headers(keys, row)?, &signed_in))
    }

    fn report(&self, caller: &Caller, kind: SecurityKind, endpoint: &Endpoint, text: String) {
        let subject = Subject::endpoint(endpoint.id);
        let event = SecurityEvent::new(kind, subject, self.clock.now(), text);
        let event = event.concerning(endpoint.application);
        self.events
            .report(event.from_address(caller.remote_address));
    }
}

/// What happened to an endpoint's URL, and which host it leads to since then.
fn leads(happened: &str, draft: &EndpointDraft) -> String {
    match draft.host() {
        Some(host) => format!("{happened}; it leads to {host} now"),
        None => happened.to_owned(),
    }
}

/// What of a new endpoint is sealed.
struct Own {
    secrets: SigningSecrets,
    headers: CustomHeaders,
}

/// An endpoint as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Why nothing is sent to it, or not all that it wants to hear, if so.
    pub held: Option<Held>,
}

/// An endpoint's row as it is to be.
struct Replacement {
    endpoint: Endpoint,
    sealed: SealedParts,
    revision: u32,
}

impl Replacement {
    /// As it was.
    fn same(row: &EndpointRow) -> Self {
        Self {
            endpoint: row.endpoint.clone(),
            sealed: row.sealed.clone(),
            revision: row.revision,
        }
    }
}

/// An endpoint that nothing was said of yet.
fn blank(tenant: &Tenant, id: EndpointId) -> Endpoint {
    Endpoint {
        id,
        application: tenant.key(),
        uid: None,
        url: String::new(),
        description: String::new(),
        disabled: false,
        event_types: None,
        channels: None,
        rate_limit: None,
        metadata: Default::default(),
        version: 1,
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
    }
}

/// What the audit log calls it that an endpoint's URL was changed.
const URL: &str = "url";
/// That it was disabled.
const DISABLED: &str = "disabled";
/// That it was enabled.
const ENABLED: &str = "enabled";
/// What stands before the host that an endpoint leads to since.
const LEADS_TO: &str = "it leads to ";

/// What the audit log has of a change.
fn told(before: &Endpoint, after: &Endpoint, moved: bool, draft: &EndpointDraft) -> String {
    let others = differing!(before, after, {
        "description": description, "eventTypes": event_types, "channels": channels,
        "rateLimit": rate_limit, "uid": uid, "metadata": metadata, "version": version,
    });
    // Which way is worth knowing, and no secret.
    let own = [
        (URL, moved),
        (DISABLED, !before.disabled && after.disabled),
        (ENABLED, before.disabled && !after.disabled),
    ];
    let fields = changed(own.into_iter().chain(others));
    match moved {
        true => format!("{fields}; {}", leads_to(draft)),
        false => fields,
    }
}

/// Where a URL leads: no more of it, since the rest may be secret.
fn leads_to(draft: &EndpointDraft) -> String {
    let host = draft.host();
    host.map_or_else(String::new, |host| format!("{LEADS_TO}{host}"))
}

/// Walks the endpoints that are in memory, as a store walks a table.
fn walk(rows: &[EndpointRow], window: Window<EndpointKind>) -> Walk<&EndpointRow, EndpointKey> {
    let key = |row: &EndpointRow| row.endpoint.id.key();
    let from = rows.partition_point(|row| key(row) <= window.above);
    let to = rows
        .partition_point(|row| key(row) < window.below)
        .max(from);
    let mut inside: Vec<&EndpointRow> = rows[from..to].iter().collect();
    if !window.ascending {
        inside.reverse();
    }
    let more = inside.len() > window.limit;
    inside.truncate(window.limit);
    Walk {
        examined: inside.last().map(|row| key(row)),
        rows: inside,
        more,
    }
}

/// That no certificate settings hang on a URL that no certificate is ever shown at.
fn check_tls(endpoint: &Endpoint, set: &[&str]) -> Result<(), Violation> {
    if endpoint.is_tls() || set.is_empty() {
        return Ok(());
    }
    let text = format!(
        "must be https: the endpoint has `{}`, which mean nothing over http; delete that first if \
         it isn't needed",
        set.join("`, `")
    );
    Err(Violation::body(&["url"], text))
}

fn uid_taken() -> AppError {
    AppError::conflict("An endpoint with that id or uid already exists")
}
