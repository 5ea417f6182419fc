//! Whom an endpoint's connections trust in place of the system's roots, and how old their TLS may
//! be. Nothing here makes verification any weaker: there is no such switch.

use super::protection::require_tls;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller};
use model::Chain;
use model::audit::AuditAction;
use model::protection::Trust;
use transport::Authorities;

/// The longest PEM: more than the certificates that may be in it.
pub const AUTHORITIES_BYTES_MAX: usize = 128 * 1_024;

/// What connections trust, parsed and not yet judged; and as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaInput {
    /// Certificates of authorities, as PEM; `None`: the system's.
    pub cert: Option<String>,
    /// The oldest TLS.
    pub min_tls: MinTls,
}

/// The oldest TLS that connections are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinTls {
    /// 1.2.
    Tls12,
    /// 1.3.
    Tls13,
}

impl App {
    /// What an endpoint's connections trust.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if nothing is set.
    pub fn ca(&self, tenant: &Tenant, path: &str) -> Result<CaInput, AppError> {
        let trust = self.protection(tenant, path)?.ca;
        let trust = trust.ok_or_else(AppError::not_found)?;
        Ok(CaInput {
            cert: trust.authorities,
            min_tls: match trust.tls13_only {
                true => MinTls::Tls13,
                false => MinTls::Tls12,
            },
        })
    }

    /// Sets it. What is as everywhere is nothing that is set.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn put_ca(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: CaInput,
    ) -> Result<(), AppError> {
        let trust = input.judge()?;
        let by = (caller, AuditAction::EndpointCaSet);
        let changed = self.protect_row(by, (tenant, path), |protection, _, row| {
            protection.ca = trust.clone();
            match trust {
                Some(_) => require_tls(&row.endpoint, "cert"),
                None => Ok(()),
            }
        });
        changed.await.map(drop)
    }
}

impl CaInput {
    fn judge(self) -> Result<Option<Trust>, AppError> {
        let mut judge = Judge::new(&[]);
        if let Some(pem) = &self.cert
            && let Err(wrong) = judge_authorities(pem)
        {
            judge.note("cert", wrong);
        }
        judge.finish()?;
        let tls13_only = self.min_tls == MinTls::Tls13;
        Ok((self.cert.is_some() || tls13_only).then_some(Trust {
            authorities: self.cert,
            tls13_only,
        }))
    }
}

/// Whether these are certificates of authorities, and no more than that.
pub(crate) fn judge_authorities(pem: &str) -> Result<(), String> {
    if pem.len() > AUTHORITIES_BYTES_MAX {
        return Err(format!("must have at most {AUTHORITIES_BYTES_MAX} bytes"));
    }
    if pem.contains("PRIVATE KEY") {
        return Err("must not hold a private key: whoever sets up the endpoint reads this".into());
    }
    match Authorities::from_pem(pem.as_bytes()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Chain(&error).to_string()),
    }
}
