//! What all parts of an endpoint's protection have in common: read, written and taken away in the
//! same way, and shown without what is secret in them. Each part's rules are in a file of its own.

use super::Replacement;
use crate::change::until_current;
use crate::find::Tenant;
use crate::sealing::{open_protection, seal_protection};
use crate::{App, AppError, Caller, Violation};
use model::Secret;
use model::audit::AuditAction;
use model::endpoint::{CustomHeaders, Endpoint};
use model::policy::{Demand, Demands};
use model::protection::{Protection, Withdrawn};
use store::rows::EndpointRow;
use vault::KeyRing;

/// Of secrets at least so long, the last characters are shown, by which people tell them apart.
const SHOWN_FROM: usize = 16;
/// So many.
const SHOWN: usize = 4;

/// A part that can be taken away without a thought for the others. A signature can't: the
/// endpoint's secret must be one of the usual scheme then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovablePart {
    /// What requests are authenticated with.
    Auth,
    /// How requests come by an access token.
    Oauth,
    /// The client certificate.
    Mtls,
    /// Whom connections trust: the system's roots again.
    Ca,
    /// The pins.
    Pins,
    /// Whom payloads are encrypted to: they are sent as they are.
    Encryption,
    /// What is taken from payloads, with what the endpoint was allowed.
    Redaction,
    /// Whether deliveries carry their payload: they do.
    Payload,
}

impl App {
    /// Takes a part away, and with it the memory that it was withdrawn.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn remove_part(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        part: RemovablePart,
    ) -> Result<(), AppError> {
        let removed = self.protect((caller, part.removed()), (tenant, path), |protection| {
            part.remove(protection);
            Ok(())
        });
        removed.await.map(drop)
    }

    /// What is set of an endpoint's protection.
    pub(crate) fn protection(&self, tenant: &Tenant, path: &str) -> Result<Protection, AppError> {
        let row = tenant.endpoint(path)?;
        open_protection(&self.keys(&tenant.row().application)?, row)
    }

    /// Writes what `change` makes of an endpoint's protection. It may be asked more than once.
    pub(super) async fn protect(
        &self,
        by: (&Caller, AuditAction),
        at: (&Tenant, &str),
        change: impl Fn(&mut Protection) -> Result<(), AppError>,
    ) -> Result<Endpoint, AppError> {
        let change = |protection: &mut Protection, _: &KeyRing, _: &EndpointRow| change(protection);
        self.protect_row(by, at, change).await
    }

    /// The same, for a change that hangs on what else is kept of the endpoint.
    pub(super) async fn protect_row(
        &self,
        (caller, action): (&Caller, AuditAction),
        (tenant, path): (&Tenant, &str),
        change: impl Fn(&mut Protection, &KeyRing, &EndpointRow) -> Result<(), AppError>,
    ) -> Result<Endpoint, AppError> {
        caller.require_application(tenant.application())?;
        let key = tenant.endpoint(path)?.endpoint.id.key();
        let change = &change;
        let changed = until_current(|| async {
            let tenant = self.tenant_again(tenant).await?;
            let row = tenant.endpoint_by_key(key)?;
            let keys = self.keys(&tenant.row().application)?;
            let mut protection = open_protection(&keys, row)?;
            let before = protection.clone();
            change(&mut protection, &keys, row)?;
            if caller.application().is_some() {
                check_demanded(tenant.policy().anywhere(), &before, &protection)?;
            }
            let mut replacement = Replacement::same(row);
            replacement.protect(&keys, &protection);
            let entry = self.entry_at_endpoint(caller, action, &row.endpoint);
            self.replace_endpoint(entry, &tenant, replacement, None)
                .await
        });
        Ok(changed.await?.endpoint)
    }
}

/// Refuses a change that takes from an endpoint's protection what the operator demands for
/// anything. What is demanded can be set anew, so that credentials and keys can change; rules that
/// keep something from the endpoint can only become more.
fn check_demanded(
    demanded: Demands,
    before: &Protection,
    after: &Protection,
) -> Result<(), AppError> {
    let mut lost = before.meets().minus(after.meets()).both(demanded);
    if demanded.contains(Demand::Redaction) && !takes_as_much(before, after) {
        lost = lost.union(Demands::from_iter([Demand::Redaction]));
    }
    if lost.is_empty() {
        return Ok(());
    }
    Err(AppError::Conflict {
        code: "demanded_by_policy",
        detail: format!(
            "the operator demands {lost} of endpoints: only the organisation's token can take it \
             away or weaken it"
        ),
    })
}

/// Whether all rules are still there.
fn takes_as_much(before: &Protection, after: &Protection) -> bool {
    let rules = |protection: &Protection| {
        let redaction = protection.redaction.as_ref();
        redaction.map_or_else(Vec::new, |redaction| redaction.rules.clone())
    };
    let kept = rules(after);
    rules(before).iter().all(|rule| kept.contains(rule))
}

impl RemovablePart {
    /// What is done when it is taken away.
    fn removed(self) -> AuditAction {
        match self {
            Self::Auth => AuditAction::EndpointAuthDeleted,
            Self::Oauth => AuditAction::EndpointOauthDeleted,
            Self::Mtls => AuditAction::EndpointMtlsDeleted,
            Self::Ca => AuditAction::EndpointCaDeleted,
            Self::Pins => AuditAction::EndpointPinsDeleted,
            Self::Encryption => AuditAction::EndpointEncryptionDeleted,
            Self::Redaction => AuditAction::EndpointRedactionDeleted,
            Self::Payload => AuditAction::EndpointPayloadDeleted,
        }
    }

    fn remove(self, protection: &mut Protection) {
        match self {
            Self::Auth => {
                protection.auth = None;
                protection.withdrawn.remove(&Withdrawn::Auth);
            }
            Self::Oauth => {
                protection.oauth = None;
                protection.withdrawn.remove(&Withdrawn::Oauth);
            }
            Self::Mtls => {
                protection.mtls = None;
                protection.withdrawn.remove(&Withdrawn::Mtls);
            }
            Self::Ca => protection.ca = None,
            Self::Pins => protection.pins = None,
            Self::Encryption => protection.encryption = None,
            Self::Redaction => protection.redaction = None,
            Self::Payload => protection.payload = None,
        }
    }
}

/// That there is TLS for what is to be set at `field`.
pub(super) fn require_tls(endpoint: &Endpoint, field: &str) -> Result<(), AppError> {
    if endpoint.is_tls() {
        return Ok(());
    }
    let text = "the endpoint's URL is not https, so that there is no TLS for this: give it an \
                https URL first";
    Err(Violation::body(&[field], text).into())
}

impl Replacement {
    fn protect(&mut self, keys: &KeyRing, protection: &Protection) {
        let tail = self.endpoint.id.tail();
        self.sealed.protection = seal_protection(keys, tail, protection);
    }

    /// The endpoint's URL leads to another origin: what belongs to the one before goes.
    pub(super) fn leave_origin(
        &mut self,
        keys: &KeyRing,
        row: &EndpointRow,
        headers: &mut CustomHeaders,
    ) -> Result<(), AppError> {
        let mut protection = open_protection(keys, row)?;
        protection.leave_origin();
        if super::headers::remove_sensitive(headers) {
            protection.withdrawn.insert(Withdrawn::Headers);
        }
        self.protect(keys, &protection);
        Ok(())
    }

    /// What was withdrawn was set again, or isn't needed.
    pub(super) fn keep_again(
        &mut self,
        keys: &KeyRing,
        row: &EndpointRow,
        part: Withdrawn,
    ) -> Result<(), AppError> {
        let mut protection = open_protection(keys, row)?;
        if protection.withdrawn.remove(&part) {
            self.protect(keys, &protection);
        }
        Ok(())
    }
}

/// A secret as it is shown: `***`, with its last characters where it has enough others.
pub(crate) fn masked(secret: &Secret) -> String {
    let text = String::from_utf8_lossy(secret.expose());
    let shown = match text.chars().count() {
        count if count >= SHOWN_FROM => text.chars().skip(count - SHOWN).collect(),
        _ => String::new(),
    };
    format!("***{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_end_only_when_it_is_long() {
        let cases = [
            ("", "***"),
            ("123456789012345", "***"),
            ("1234567890123456", "***3456"),
            ("ééééééééééééééé€", "***ééé€"),
        ];
        for (secret, shown) in cases {
            assert_eq!(masked(&Secret::from(secret.to_owned())), shown);
        }
    }
}
