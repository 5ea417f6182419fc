//! A token in a header: nothing is signed, and whoever has seen one request has it.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use subtle::ConstantTimeEq;

use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Outgoing, Request, SecretError, SignError};
use crate::Refused;
use crate::refused::Carried;
use crate::scheme::key::check_text;
use crate::scheme::verify::{needed, single};

/// The header that carries the token, and one with an id.
pub(super) struct Token {
    pub(super) header: &'static str,
    pub(super) id_header: Option<&'static str>,
}

impl Scheme for Token {
    /// The token's digest: two digests are equally long, so that comparing them tells not even the
    /// token's length.
    type Key = Digest;
    type Signature = Digest;

    fn names(&self) -> Names {
        Names {
            id: self.id_header,
            timestamp: None,
            signature: Some(self.header),
        }
    }

    fn covers(&self) -> Covers {
        Covers::NOTHING
    }

    fn key(&self, secret: &str) -> Result<Digest, SecretError> {
        check_text(secret)?;
        Ok(digest(&SHA256, secret.as_bytes()))
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Digest>, Refused> {
        let headers = request.headers.iter().copied();
        let token = needed(headers.clone(), self.header, Carried::Token)?;
        let id = match self.id_header {
            Some(name) => single(headers, name, Carried::Id)?,
            None => None,
        };
        Ok(Claim {
            id: id.map(|id| (id.into(), false)),
            ..Claim::over(Vec::new(), vec![digest(&SHA256, token)])
        })
    }

    fn is_signed(&self, key: &Digest, _content: &[u8], found: &[Digest]) -> bool {
        let mut found = found.iter();
        found.any(|token| bool::from(token.as_ref().ct_eq(key.as_ref())))
    }

    fn mismatch(&self) -> Refused {
        Refused::WrongToken
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let current = secrets.first().ok_or(SignError::NoSecret)?;
        check_text(current).map_err(SecretError::from)?;
        let id = self.id_header.map(|name| (name, request.id));
        let headers = id.into_iter().chain([(self.header, *current)]);
        Ok(headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}
