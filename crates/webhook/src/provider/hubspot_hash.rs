//! HubSpot, first and second version: a plain SHA-256 of the secret and what follows it. The
//! request says which version it is, and the other is not taken for it.

use aws_lc_rs::digest::{Context, Digest, SHA256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::place::Place;
use super::scheme::{Claim, Covers, Names, Scheme};
use super::{Manners, Outgoing, Provider, Request, SecretError, SignError};
use crate::refused::Carried;
use crate::scheme::Encoding;
use crate::scheme::key::check_text;
use crate::scheme::verify::needed;
use crate::{Refused, TOLERANCE_SECONDS, received};

/// Over the body.
pub(super) static V1: Provider = Provider {
    name: "hubspot-v1",
    scheme: &Hashed {
        version: "v1",
        with_target: false,
    },
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::typed(&[Place::Member(&["subscriptionType"])]),
};

/// Over method, URL and body.
pub(super) static V2: Provider = Provider {
    name: "hubspot-v2",
    scheme: &Hashed {
        version: "v2",
        with_target: true,
    },
    ..V1
};

const SIGNATURE: &str = "X-HubSpot-Signature";
const VERSION: &str = "X-HubSpot-Signature-Version";

struct Hashed {
    version: &'static str,
    with_target: bool,
}

impl Scheme for Hashed {
    type Key = Zeroizing<String>;
    type Signature = Vec<u8>;

    fn names(&self) -> Names {
        Names {
            id: None,
            timestamp: None,
            signature: Some(SIGNATURE),
        }
    }

    fn covers(&self) -> Covers {
        Covers {
            url: self.with_target,
            method: self.with_target,
            ..Covers::BODY
        }
    }

    fn key(&self, secret: &str) -> Result<Zeroizing<String>, SecretError> {
        check_text(secret)?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    fn read<'r>(&self, request: &Request<'r>) -> Result<Claim<'r, Vec<u8>>, Refused> {
        let headers = request.headers.iter().copied();
        let [version] = received::pick(headers.clone(), [VERSION])?;
        let signature = needed(headers, SIGNATURE, Carried::Signature)?;
        if version.ok_or(Refused::MissingHeader(VERSION))? != self.version.as_bytes() {
            return Err(Refused::OtherVersion(VERSION));
        }
        let content = self.content(request.method, request.url, request.body);
        let signature = Encoding::Hex.read(signature);
        Ok(Claim::over(content, signature.into_iter().collect()))
    }

    fn is_signed(&self, key: &Zeroizing<String>, content: &[u8], found: &[Vec<u8>]) -> bool {
        let expected = hashed(key, content);
        let mut found = found.iter();
        found.any(|digest| bool::from(digest[..].ct_eq(expected.as_ref())))
    }

    fn sign(
        &self,
        secrets: &[&str],
        request: &Outgoing<'_>,
    ) -> Result<Vec<(String, String)>, SignError> {
        let secret = secrets.first().ok_or(SignError::NoSecret)?;
        let key = self.key(secret)?;
        let content = self.content(request.method, request.url, request.body);
        let signature = Encoding::Hex.write(hashed(&key, &content).as_ref());
        Ok(vec![
            (VERSION.to_owned(), self.version.to_owned()),
            (SIGNATURE.to_owned(), signature),
        ])
    }
}

impl Hashed {
    /// What stands behind the secret.
    fn content(&self, method: &str, url: &str, body: &[u8]) -> Vec<u8> {
        match self.with_target {
            true => [method.as_bytes(), url.as_bytes(), body].concat(),
            false => body.to_vec(),
        }
    }
}

fn hashed(secret: &str, content: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(secret.as_bytes());
    context.update(content);
    context.finish()
}
