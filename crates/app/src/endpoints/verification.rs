//! Whether an endpoint has proved that its receiver wants what it is to get, and the challenge that
//! asks. Where the operator's policy demands it, an endpoint that has not gets no message but the
//! challenge: none is put on its way, and `replay-missing` brings what it missed once it has.
//!
//! A challenge is a message to that endpoint alone, and goes the way of all messages; what comes
//! of it is kept by whoever makes its attempts. Nobody else can say that an endpoint has proved
//! itself.

use crate::accept::Draft;
use crate::audit::By;
use crate::change::{ChangeRefused, until_current};
use crate::find::Tenant;
use crate::resend::endpoint_is_disabled;
use crate::{App, AppError, Caller};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use model::audit::AuditAction;
use model::challenge::{self, is_challenge};
use model::entropy::random;
use model::hops::Hops;
use model::id::EndpointKey;
use model::message::PayloadForm;
use model::name::Name;
use model::policy::{Demand, Policy};
use model::proof::{Outcome, Proof};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;
use store::change::{Change, KeptProof};
use store::rows::EndpointRow;

/// An endpoint that was asked is not asked again within so long: asking again would only make its
/// receiver answer twice.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// By whose rule a challenge is sent that nobody asked for.
const POLICY_RULE: &str = "policy";

const NOT_DEMANDED: &str = "the operator demands no verification of endpoints";
const NOT_ASKED: &str = "no challenge was sent yet: send one";
const NOT_ANSWERED: &str = "a challenge is on its way, and was not answered yet";

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationStatus {
    /// It isn't demanded, and nothing was asked.
    NotRequired,
    /// It has not proved itself yet.
    Pending,
    /// It has.
    Verified,
    /// The last attempt of a challenge has failed.
    Failed,
}

/// Whether an endpoint has proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationView {
    /// How it stands.
    pub status: VerificationStatus,
    /// Why.
    pub reason: Option<String>,
    /// The most requests in a minute that its receiver allows, if it said so.
    pub per_minute: Option<NonZeroU32>,
}

impl App {
    /// Whether an endpoint has proved itself.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn verification(&self, tenant: &Tenant, path: &str) -> Result<VerificationView, AppError> {
        Ok(view(tenant.policy(), tenant.endpoint(path)?))
    }

    /// Asks an endpoint's receiver once more, unless it was asked less than a minute ago; also
    /// where nothing demands it.
    ///
    /// # Errors
    /// [`AppError::Loop`] if a delivery asks for it; [`AppError::NotFound`];
    /// [`AppError::BadRequest`] if the endpoint is disabled.
    pub async fn send_challenge(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
    ) -> Result<VerificationView, AppError> {
        caller.require_application(tenant.application())?;
        caller.require_no_delivery()?;
        let key = tenant.endpoint(path)?.endpoint.id.key();
        self.challenge(caller.into(), tenant, key).await?;
        let tenant = self.tenant_again(tenant).await?;
        Ok(view(tenant.policy(), tenant.endpoint_by_key(key)?))
    }

    /// Asks the receiver of an endpoint that was made or changed, if it must be asked. Where that
    /// fails, the endpoint has proved nothing, and whoever owns it sends the challenge.
    pub(super) async fn challenge_if_demanded(&self, tenant: &Tenant, row: &EndpointRow) {
        let demanded = tenant.policy().anywhere().contains(Demand::Verification);
        if demanded && !row.endpoint.disabled && row.proof().is_none() {
            let by = By::Rule(POLICY_RULE);
            let _ = self.challenge(by, tenant, row.endpoint.id.key()).await;
        }
    }

    async fn challenge(
        &self,
        by: By<'_>,
        tenant: &Tenant,
        key: EndpointKey,
    ) -> Result<(), AppError> {
        let asked = until_current(|| self.ask(by, tenant, key)).await?;
        let Some(tenant) = asked else {
            return Ok(());
        };
        let text = BASE64_URL_SAFE_NO_PAD.encode(random::<{ challenge::BYTES }>(&*self.entropy));
        let draft = Draft {
            event_type: challenge::event_type(),
            event_id: None,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            retention: self.settings.retention,
            form: PayloadForm::Json,
            payload: challenge::payload(&text).into(),
            only: Some(key),
            idempotency: None,
            replay: None,
            findings: Vec::new(),
            hops: Hops::default(),
            trace: None,
        };
        self.send_to(&tenant, key, draft).await.map(drop)
    }

    /// Keeps that an endpoint is asked now; `None` if it was a moment ago.
    async fn ask(
        &self,
        by: By<'_>,
        tenant: &Tenant,
        key: EndpointKey,
    ) -> Result<Option<Tenant>, ChangeRefused> {
        let tenant = self.tenant_again(tenant).await?;
        let row = tenant.endpoint_by_key(key)?;
        if row.endpoint.disabled {
            return Err(endpoint_is_disabled().into());
        }
        let now = self.clock.now();
        let known = row.proof();
        if known.is_some_and(|proof| now.since(proof.asked_at) < AGAIN_AFTER) {
            return Ok(None);
        }
        let unknown = || Proof {
            url: row.endpoint.url.clone(),
            asked_at: now,
            told: None,
        };
        let change = Change::KeepProof(KeptProof {
            application: tenant.key(),
            endpoint: key,
            before: row.kept_proof.as_deref().cloned(),
            proof: known.cloned().unwrap_or_else(unknown).asked_again(now),
        });
        let entry = self.entry_at_endpoint(by, AuditAction::EndpointChallengeSent, &row.endpoint);
        self.change(entry, Some(tenant.key()), change, None).await?;
        Ok(Some(self.tenant_again(&tenant).await?))
    }
}

fn view(policy: &Policy, row: &EndpointRow) -> VerificationView {
    let told = row.proof().map(|proof| proof.told.as_ref());
    let demanded = policy.anywhere().contains(Demand::Verification);
    let (status, reason) = match told {
        None if !demanded => (VerificationStatus::NotRequired, Some(NOT_DEMANDED.into())),
        None => (VerificationStatus::Pending, Some(NOT_ASKED.into())),
        Some(None) => (VerificationStatus::Pending, Some(NOT_ANSWERED.into())),
        Some(Some(told)) => match &told.outcome {
            Outcome::Proved { .. } => (VerificationStatus::Verified, None),
            Outcome::Failed { reason } => (VerificationStatus::Failed, Some(reason.clone())),
        },
    };
    VerificationView {
        status,
        reason,
        per_minute: row.per_minute(),
    }
}

/// Whether messages of a type may be on their way to an endpoint, as far as it must have proved
/// itself for them.
pub(crate) fn may_get(policy: &Policy, row: &EndpointRow, event_type: &Name) -> bool {
    row.is_proved() || is_challenge(event_type) || !is_demanded(policy, event_type)
}

/// Whether endpoints must have proved themselves for messages of a type.
pub(crate) fn is_demanded(policy: &Policy, event_type: &Name) -> bool {
    policy.demanded(event_type).contains(Demand::Verification)
}

/// The same for all that an endpoint wants to hear.
pub(crate) fn may_get_all(policy: &Policy, row: &EndpointRow) -> bool {
    let hears = |event_type: &Name| row.endpoint.hears(event_type);
    let demand = Demand::Verification;
    let lacks = policy.unmet(row.meets(), hears).is_some_and(|unmet| {
        let mut own = unmet.event_types.values();
        unmet.everywhere.contains(demand) || own.any(|lacks| lacks.contains(demand))
    });
    !lacks
}

/// What sending to an endpoint is refused with that must prove itself first.
pub(crate) fn endpoint_is_unproved() -> AppError {
    AppError::BadRequest {
        code: "endpoint_not_verified",
        detail: "The operator demands that endpoints prove that their receiver wants what they \
                 get, and this one has not: see its verification, and send the challenge again."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::policy::Demands;

    fn policy(require: &[Demand], own: &[(&str, Demand)]) -> Policy {
        let own = own.iter().map(|(name, demand)| {
            let name: Name = name.parse().expect("a name");
            (name, Demands::from_iter([*demand]))
        });
        Policy {
            require: require.iter().copied().collect(),
            event_types: own.collect(),
        }
    }

    #[test]
    fn it_is_demanded_of_all_messages_or_of_some() {
        let paid: Name = "order.paid".parse().expect("a name");
        let verification = Demand::Verification;
        for (policy, expected) in [
            (policy(&[], &[]), false),
            (
                policy(&[Demand::Auth], &[("order.paid", Demand::Pins)]),
                false,
            ),
            (policy(&[verification], &[]), true),
            (policy(&[], &[("order.paid", verification)]), true),
            (policy(&[], &[("order.sent", verification)]), false),
        ] {
            assert_eq!(is_demanded(&policy, &paid), expected, "{policy:?}");
        }
    }
}
