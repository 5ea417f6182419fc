//! The client certificate that an endpoint's connections show: taken as PEM or PKCS#12, kept as
//! PEM, shown without its key.

use super::protection::require_tls;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use model::audit::AuditAction;
use model::chain_seen::SeenCertificate;
use model::protection::{Identity, Mtls, Withdrawn};
use model::security::SecurityKind;
use model::{Chain, Secret, Timestamp};
use transport::{ClientIdentity, IdentityError};
use zeroize::Zeroizing;

/// The longest certificates and key.
pub const IDENTITY_BYTES_MAX: usize = 128 * 1_024;

/// A client certificate with its key, not yet read.
#[derive(Clone)]
pub struct MtlsInput {
    /// PEM with both, or the base64 of PKCS#12.
    pub identity: Secret,
    /// The password of PKCS#12.
    pub password: Option<Secret>,
    /// Until when the one that it replaces is shown where this one is refused; `None`: not at all.
    pub previous_expires_at: Option<Timestamp>,
}

/// A client certificate, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MtlsView {
    /// First the client's own, then its issuers'.
    pub certificates: Vec<SeenCertificate>,
    /// Until when the one before is shown besides.
    pub previous_expires_at: Option<Timestamp>,
}

impl App {
    /// The client certificate of an endpoint.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if there is none.
    pub fn mtls(&self, tenant: &Tenant, path: &str) -> Result<MtlsView, AppError> {
        let mtls = self.protection(tenant, path)?.mtls;
        let mtls = mtls.ok_or_else(AppError::not_found)?;
        let Identity { certificates, key } = &mtls.current;
        let identity = ClientIdentity::from_pem(certificates.as_bytes(), key.expose());
        let identity = identity.map_err(AppError::internal)?;
        let certificates = identity.certificates().into_iter().map(Into::into);
        Ok(MtlsView {
            certificates: certificates.collect(),
            previous_expires_at: mtls.previous.map(|(until, _)| until),
        })
    }

    /// Sets it. That it was replaced is a security event.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn put_mtls(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: MtlsInput,
    ) -> Result<(), AppError> {
        let (until, now) = (input.previous_expires_at, self.clock.now());
        // Deriving a key from a password takes its time.
        let judged = tokio::task::spawn_blocking(|| input.judge()).await;
        let identity = judged.map_err(AppError::internal)??;
        let by = (caller, AuditAction::EndpointMtlsSet);
        let endpoint = self.protect_row(by, (tenant, path), |protection, _, row| {
            let before = protection.mtls.take();
            protection.mtls = Some(Mtls::after(before, identity.clone(), until, now));
            protection.withdrawn.remove(&Withdrawn::Mtls);
            require_tls(&row.endpoint, "identity")
        });
        let endpoint = endpoint.await?;
        let text = "the client certificate of the endpoint's connections was set".to_owned();
        self.report(caller, SecurityKind::SecretRotated, &endpoint, text);
        Ok(())
    }
}

impl MtlsInput {
    fn judge(self) -> Result<Identity, AppError> {
        let mut judge = Judge::new(&[]);
        let identity = self.read().map_err(|wrong| judge.note("identity", wrong));
        judge.finish()?;
        let identity = identity.expect("what is wrong was noted");
        Ok(Identity {
            certificates: identity.certificates_pem(),
            key: identity.key_pem().clone(),
        })
    }

    fn read(&self) -> Result<ClientIdentity, String> {
        let given = self.identity.expose();
        if given.len() > IDENTITY_BYTES_MAX {
            return Err(format!("must have at most {IDENTITY_BYTES_MAX} bytes"));
        }
        let read = match given.windows(10).any(|window| window == b"-----BEGIN") {
            true => ClientIdentity::from_pem(given, given),
            false => {
                let text = given.iter().filter(|byte| !byte.is_ascii_whitespace());
                let text = Zeroizing::new(text.copied().collect::<Vec<u8>>());
                let der = BASE64_STANDARD.decode(&*text);
                let der = der.map_err(|_| "must be PEM, or the base64 of PKCS#12")?;
                let der = Zeroizing::new(der);
                let none = Secret::new(Vec::new());
                ClientIdentity::from_pkcs12(&der, self.password.as_ref().unwrap_or(&none))
            }
        };
        read.map_err(|error| match &error {
            // What is said of PEM that can't be read repeats a line of it.
            IdentityError::Pem(_) => error.to_string(),
            _ => Chain(&error).to_string(),
        })
    }
}
