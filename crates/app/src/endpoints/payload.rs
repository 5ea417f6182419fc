//! Whether an endpoint's deliveries carry their payload. Those that don't say where it is to be
//! had, so that the server has to know where it is reached.

use crate::find::Tenant;
use crate::{App, AppError, Caller};
use model::audit::AuditAction;
use model::protection::PayloadMode;

impl App {
    /// What was set.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if nothing is: then deliveries carry it.
    pub fn payload_mode(&self, tenant: &Tenant, path: &str) -> Result<PayloadMode, AppError> {
        let mode = self.protection(tenant, path)?.payload;
        mode.ok_or_else(AppError::not_found)
    }

    /// Sets it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::BadRequest`] if nobody could be told where payloads are
    /// to be had.
    pub async fn put_payload_mode(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        mode: PayloadMode,
    ) -> Result<(), AppError> {
        if mode == PayloadMode::Thin && self.settings.public_url.is_none() {
            return Err(AppError::BadRequest {
                code: "public_url_missing",
                detail: "thin events say where their payload is to be had, and this server does \
                         not know where it is reached from outside: its operator starts it with \
                         --public-url"
                    .to_owned(),
            });
        }
        let by = (caller, AuditAction::EndpointPayloadSet);
        let put = self.protect(by, (tenant, path), |protection| {
            protection.payload = Some(mode);
            Ok(())
        });
        put.await.map(drop)
    }
}
