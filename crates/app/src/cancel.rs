//! Cancelling: what is on its way to an endpoint is not sent.

use crate::change::unexpected;
use crate::find::Tenant;
use crate::idempotency::Success;
use crate::{App, AppError, Caller};
use model::Timestamp;
use model::audit::AuditAction;
use model::id::DeliveryKey;
use store::change::{Change, Changed};

impl App {
    /// Ends what is open to an endpoint of what was opened before a time, or until now. When this
    /// returns, no attempt of it starts on this node; on others, within
    /// [`store::registry::AGE_MAX`]. Background work keeps of each that it was cancelled.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] if the request's idempotency key was used
    /// with another body.
    pub async fn cancel_deliveries(
        &self,
        caller: &Caller,
        (tenant, endpoint): (&Tenant, &str),
        before: Timestamp,
    ) -> Result<(), AppError> {
        caller.require_application(tenant.application())?;
        let endpoint = &tenant.endpoint(endpoint)?.endpoint;
        let Ok(key) = self.request(caller, Success::Done).await?.key_or_made() else {
            return Ok(());
        };
        // What was opened a moment ago may have a key of this very moment, or a later one.
        let first_kept = DeliveryKey::first_at(before);
        let is_past = before <= self.clock.now();
        let change = Change::CancelDeliveries {
            application: tenant.key(),
            endpoint: endpoint.id.key(),
            up_to: is_past.then(|| DeliveryKey::from_integer(first_kept.integer() - 1)),
        };
        let entry = self
            .entry_at_endpoint(caller, AuditAction::DeliveriesCancelled, endpoint)
            .saying(match is_past {
                true => format!("opened before {}, in Unix seconds", before.seconds()),
                false => "opened until now".to_owned(),
            });
        let changed = self.change(entry, Some(tenant.key()), change, key);
        match changed.await? {
            Changed::Work(..) => self.lanes.work(),
            Changed::Repeated(_) => {}
            other => return Err(unexpected(&other)),
        }
        Ok(())
    }
}
