//! Payloads that receivers fetch by the URL in a thin event: no permission is needed but that. What
//! it names is judged here, as it is now; the payload itself is the sender's to make.
//!
//! Whatever can't be had is refused alike, so that nobody learns by trying what is there.

use crate::audit::receiver;
use crate::{App, AppError};
use model::audit::{AuditAction, AuditDraft};
use model::security::{Subject, SubjectKind};
use std::net::IpAddr;
use store::rows::Payload;
use store::{Fetched, Lane, MessageRef};
use vault::ShownTicket;

/// What there is to say of all that can't be had.
const NOT_TO_BE_HAD: AppError = AppError::NotFound(
    "there is no payload to be had here: the URL is not whole, its 24 hours are over, or the \
     endpoint gets nothing now, or the payload is gone",
);

impl App {
    /// The payload that a ticket is for, as its endpoint gets it. That it was fetched is in the
    /// audit log before anybody has it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]: the ticket is none, or good no more; its endpoint is gone, disabled
    /// or held; the payload has expired, was expunged, or can't be made what it must be.
    pub async fn fetch_payload(
        &self,
        ticket: &str,
        remote_address: Option<IpAddr>,
    ) -> Result<Fetched, AppError> {
        let shown = ShownTicket::parse(ticket).ok_or(NOT_TO_BE_HAD)?;
        let tenant = self.find_by_key(shown.application()).await?;
        let tenant = tenant.ok_or(NOT_TO_BE_HAD)?;
        let now = self.clock.now();
        let ticket = self.keys(&tenant.row().application)?.check(&shown);
        let ticket = ticket
            .filter(|ticket| now < ticket.until)
            .ok_or(NOT_TO_BE_HAD)?;
        let endpoint = tenant.row().endpoint(ticket.endpoint);
        let Some(row) = endpoint.filter(|row| !row.endpoint.disabled) else {
            return Err(NOT_TO_BE_HAD);
        };
        let named = MessageRef::Id(ticket.message);
        let message = self.store.message(tenant.key(), &named).await?;
        let message = message.filter(|row| {
            matches!(row.payload, Payload::Sealed(_)) && now < row.message.expires_at
        });
        let message = message.ok_or(NOT_TO_BE_HAD)?;
        let entry = AuditDraft::new(
            now,
            receiver(&row.endpoint, remote_address),
            AuditAction::PayloadFetched,
            Subject::new(SubjectKind::Message, message.message.id),
        );
        let lane = Lane {
            application: tenant.key(),
            endpoint: ticket.endpoint,
        };
        let fetched = self.fetching.fetched(lane, message).await?;
        let fetched = fetched.ok_or(NOT_TO_BE_HAD)?;
        self.note(entry.concerning(tenant.key())).await?;
        Ok(fetched)
    }
}
