//! A client's certificate: by whom it is to be vouched for, and for which names. That its client
//! has the key was proved by whoever spoke TLS with it.

use super::Refusal;
use model::Timestamp;
use transport::Authorities;

pub(super) struct CertificateCheck {
    authorities: Authorities,
    /// None: any.
    subjects: Vec<String>,
}

impl CertificateCheck {
    pub(super) fn new(authorities: &str, subjects: Vec<String>) -> Result<Self, String> {
        let read = Authorities::from_pem(authorities.as_bytes());
        let authorities = read.map_err(|error| format!("its `ca`: {error}"))?;
        Ok(Self {
            authorities,
            subjects,
        })
    }

    pub(super) fn check(&self, chain: &[Vec<u8>], now: i64) -> Result<(), Refusal> {
        let now = Timestamp::from_seconds(now);
        let names = self.authorities.names_of_client(chain, now);
        let names = names.map_err(|error| Refusal::Certificate(error.to_string()))?;
        let is_meant = |name: &String| {
            let mut subjects = self.subjects.iter();
            subjects.any(|subject| subject.eq_ignore_ascii_case(name))
        };
        match self.subjects.is_empty() || names.iter().any(is_meant) {
            true => Ok(()),
            false => Err(Refusal::Certificate(
                "the client's certificate is for none of the names that are accepted".to_owned(),
            )),
        }
    }
}
