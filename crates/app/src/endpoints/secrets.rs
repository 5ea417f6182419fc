//! The secrets that an endpoint's requests are signed with: shown to whoever must verify, and
//! replaced while the old ones go on signing for a while.

use super::Replacement;
use super::signature::judge_key;
use crate::change::{ChangeRefused, until_current};
use crate::find::Tenant;
use crate::idempotency::Success;
use crate::rules::Judge;
use crate::sealing::{open_protection, open_secrets, seal_secrets};
use crate::{App, AppError, Caller, DefaultSignature, Violation};
use model::Secret;
use model::audit::AuditAction;
use model::endpoint::SigningSecrets;
use model::entropy::random;
use model::operational::Happened;
use model::protection::Signature;
use model::security::SecurityKind;
use std::time::Duration;
use webhook::SigningKey;
use zeroize::Zeroizing;

/// How long a replaced secret goes on signing unless said otherwise.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(86_400);
/// How long it may at the most.
pub const GRACE_MAX: Duration = Duration::from_secs(7 * 86_400);

/// How a secret is to be replaced.
#[derive(Clone, Default)]
pub struct RotateInput {
    /// The new secret; made here if there is none.
    pub key: Option<Secret>,
    /// How long the old one goes on signing, in seconds; at most [`GRACE_MAX`], none for
    /// [`GRACE_DEFAULT`], and with 0 it ends at once.
    pub grace_seconds: Option<u32>,
}

impl App {
    /// What a receiver verifies an endpoint's requests with: the secret itself (`whsec_…`, or
    /// whatever text another sender's scheme took), or the public key (`whpk_…`) that belongs to
    /// it. That it was shown is a security event, and in the audit log before it is.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn secret(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
    ) -> Result<Secret, AppError> {
        caller.require_application(tenant.application())?;
        let row = tenant.endpoint(path)?;
        let secrets = open_secrets(&self.keys(&tenant.row().application)?, row)?;
        let shown = receiver_text(&secrets.current);
        let action = AuditAction::EndpointSecretRead;
        self.note(self.entry_at_endpoint(caller, action, &row.endpoint))
            .await?;
        let text = "the endpoint's signing secret was shown".to_owned();
        self.report(caller, SecurityKind::SecretRead, &row.endpoint, text);
        self.secret_shown(caller, &row.endpoint);
        Ok(shown)
    }

    /// Replaces an endpoint's secret, and gives back what a receiver verifies with from now on.
    /// That it was replaced is a security event.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::BadRequest`] if too many old
    /// secrets still sign; [`AppError::Conflict`] if the same request was done before: its answer
    /// is not repeated.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: RotateInput,
    ) -> Result<Secret, AppError> {
        caller.require_application(tenant.application())?;
        let key = tenant.endpoint(path)?.endpoint.id.key();
        let idempotency = self.request_once(caller, Success::Done).await?;
        let grace = input.judge()?;
        let rotated = until_current(|| async {
            let tenant = self.tenant_again(tenant).await?;
            let row = tenant.endpoint_by_key(key)?;
            let keys = self.keys(&tenant.row().application)?;
            let signature = open_protection(&keys, row)?.signature;
            let next = self.next_secret(input.key.as_ref(), signature.as_ref())?;
            let mut secrets = open_secrets(&keys, row)?;
            let now = self.clock.now();
            secrets.rotate(next.clone(), now.plus(grace), now);
            if secrets.old.len() > SigningSecrets::OLD_MAX {
                return Err(ChangeRefused::Rule(too_many()));
            }
            let mut replacement = Replacement::same(row);
            replacement.sealed.secrets = seal_secrets(&keys, row.endpoint.id.tail(), &secrets);
            let entry = self
                .entry_at_endpoint(caller, AuditAction::EndpointSecretRotated, &row.endpoint)
                .saying(format!("the old one signs for {} s more", grace.as_secs()));
            let row = self.replace_endpoint(entry, &tenant, replacement, idempotency.clone());
            Ok((row.await?, next))
        });
        let (row, next) = rotated.await?;
        let text = format!(
            "the endpoint's signing secret was replaced; the old one signs for {} s more",
            grace.as_secs()
        );
        self.report(caller, SecurityKind::SecretRotated, &row.endpoint, text);
        self.tell(tenant, &row.endpoint, Happened::EndpointUpdated);
        Ok(receiver_text(&next))
    }

    /// The secret that was brought, if it is one of the endpoint's scheme, or a new one.
    fn next_secret(
        &self,
        brought: Option<&Secret>,
        signature: Option<&Signature>,
    ) -> Result<Secret, AppError> {
        let Some(brought) = brought else {
            let kind = match signature {
                None | Some(Signature::StandardWebhooks) => self.settings.default_signature,
                Some(Signature::Of(_) | Signature::Generic(_)) => DefaultSignature::Hmac,
            };
            return Ok(self.new_secret(kind));
        };
        judge_key(signature, brought).map_err(|wrong| {
            let violation = Violation::body(&["key"], wrong);
            violation.unreadable().into()
        })
    }

    /// A new secret of this kind.
    pub(super) fn new_secret(&self, kind: DefaultSignature) -> Secret {
        let key = match kind {
            DefaultSignature::Hmac => {
                SigningKey::generate_hmac(&Zeroizing::new(random::<24>(&*self.entropy)))
            }
            DefaultSignature::Ed25519 => self.new_key_pair(),
        };
        Secret::from(key.to_text().expose().to_owned())
    }
}

impl RotateInput {
    fn judge(&self) -> Result<Duration, AppError> {
        let grace = self
            .grace_seconds
            .map_or(GRACE_DEFAULT, |grace| Duration::from_secs(grace.into()));
        if grace > GRACE_MAX {
            let text = format!("must be at most {}", GRACE_MAX.as_secs());
            return Err(Violation::body(&["gracePeriodSeconds"], text).into());
        }
        Ok(grace)
    }
}

/// The secret that a new endpoint brings, as it is kept. The texts of errors never repeat it.
pub(super) fn judge_secret(
    judge: &mut Judge<'_>,
    field: &str,
    secret: Option<&Secret>,
) -> Option<Secret> {
    match judge_key(None, secret?) {
        Ok(secret) => Some(secret),
        Err(wrong) => {
            judge.note_unreadable(field, wrong);
            None
        }
    }
}

/// What a receiver verifies with. A text that is no key of the usual scheme is one of another's,
/// which has shared secrets alone.
fn receiver_text(secret: &Secret) -> Secret {
    let text = std::str::from_utf8(secret.expose()).ok();
    match text.and_then(|text| SigningKey::parse(text).ok()) {
        Some(key) => Secret::from(key.receiver_text().expose().to_owned()),
        None => secret.clone(),
    }
}

fn too_many() -> AppError {
    AppError::BadRequest {
        code: "limit_reached",
        detail: format!(
            "the endpoint has {} replaced secrets that still sign; wait until one ends, or rotate \
             with gracePeriodSeconds 0",
            SigningSecrets::OLD_MAX
        ),
    }
}
