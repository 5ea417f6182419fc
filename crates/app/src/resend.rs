//! Sending one message to one endpoint again, by hand: one try, no retries.

use crate::change::{audited, carried_through, unexpected};
use crate::content::{Content, Opener};
use crate::endpoints::{endpoint_is_unproved, may_get};
use crate::find::Tenant;
use crate::idempotency::Success;
use crate::{App, AppError, Caller};
use bytes::Bytes;
use model::audit::{AuditAction, AuditDraft};
use model::delivery::Trigger;
use model::id::EndpointKey;
use model::security::{Subject, SubjectKind};
use store::change::{Change, Changed};
use store::idempotency::IdempotencyKey;
use store::rows::{Claimed, MessageRow, Payload};
use store::{Fresh, Lane};

impl App {
    /// Sends a message to one of its application's endpoints again, whatever that endpoint wants
    /// to hear.
    ///
    /// # Errors
    /// In this order: [`AppError::Loop`] if a delivery asks for it; [`AppError::NotFound`] for the
    /// message; [`AppError::BadRequest`] if its payload is gone or no JSON; [`AppError::NotFound`]
    /// for the endpoint; [`AppError::BadRequest`] if that is disabled, or must prove itself first.
    pub async fn resend(
        &self,
        caller: &Caller,
        application: &str,
        (message, endpoint): (&str, &str),
    ) -> Result<(), AppError> {
        let tenant = self.application(caller, application).await?;
        caller.require_no_delivery()?;
        let message = self.message_row(&tenant, message).await?;
        let Ok(idempotency) = self.request(caller, Success::Accepted).await?.key_or_made() else {
            return Ok(());
        };
        let payload = payload_to_send(self, &tenant, &message)?;
        let row = tenant.endpoint(endpoint)?;
        let limited = tenant.row().is_limited(row);
        let endpoint = &row.endpoint;
        if endpoint.disabled {
            return Err(endpoint_is_disabled());
        }
        if !may_get(tenant.policy(), row, &message.message.event_type) {
            return Err(endpoint_is_unproved());
        }
        let subject = Subject::new(SubjectKind::Message, message.message.id);
        let entry = self
            .entry(caller, AuditAction::DeliveryResent, subject)
            .concerning(tenant.key())
            .saying(format!("to {}", endpoint.id));
        let resend = Resend {
            entry,
            message,
            payload,
            endpoint: endpoint.id.key(),
            limited,
            revision: tenant.row().application.revision,
            idempotency,
        };
        let app = self.clone();
        carried_through(async move { resend.open(&app).await }).await?;
        self.resent(caller, &tenant);
        Ok(())
    }
}

/// A delivery to open by hand, with all that was checked.
struct Resend {
    entry: AuditDraft,
    message: MessageRow,
    payload: Bytes,
    endpoint: EndpointKey,
    /// A rate limit holds.
    limited: bool,
    /// Of the application, when this was checked.
    revision: u64,
    idempotency: Option<IdempotencyKey>,
}

impl Resend {
    async fn open(self, app: &App) -> Result<(), AppError> {
        let message = self.message.message;
        let lane = Lane {
            application: message.application,
            endpoint: self.endpoint,
        };
        let place = app.lanes.grant(lane, self.limited);
        let change = Change::OpenDelivery {
            application: message.application,
            message: message.id.key(),
            endpoint: self.endpoint,
            trigger: Trigger::Manual,
            owned: place.is_some(),
        };
        let request = audited(self.entry, change, self.idempotency);
        let (delivery, hold) = match app.store.change(request).await? {
            Changed::Delivery(delivery, hold) => (delivery, hold),
            Changed::Repeated(_) => return Ok(()),
            other => return Err(unexpected(&other)),
        };
        let (Some(hold), Some(place)) = (hold, place) else {
            app.lanes.waiting(lane, delivery.due);
            return Ok(());
        };
        let message = MessageRow {
            message,
            payload: Payload::NotRead,
        };
        app.lanes.hand_over(
            Claimed {
                delivery,
                message,
                hold,
            },
            Fresh {
                payload: self.payload,
                revision: self.revision,
            },
            place,
        );
        Ok(())
    }
}

/// What a resend or a recovery to a disabled endpoint is refused with: nothing would be sent.
pub(crate) fn endpoint_is_disabled() -> AppError {
    AppError::BadRequest {
        code: "endpoint_disabled",
        detail: "The endpoint is disabled, so nothing would be sent to it. Enable it first."
            .to_owned(),
    }
}

fn payload_to_send(app: &App, tenant: &Tenant, row: &MessageRow) -> Result<Bytes, AppError> {
    let opener = Opener::new(app, &tenant.row().application)?;
    match opener
        .payload(row)?
        .map(|payload| Content::of(&row.message.form, payload))
    {
        Some(Content::Json(payload)) => Ok(payload),
        _ => Err(AppError::BadRequest {
            code: "missing_payload",
            detail: "The message can't be sent again: its payload has expired, was expunged, or \
                     is not JSON."
                .to_owned(),
        }),
    }
}
