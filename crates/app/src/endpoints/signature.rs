//! By which scheme an endpoint's deliveries are signed, and what else must fit that: the signing
//! secret, which is of the kind that the scheme takes, and credentials, which don't go into the
//! same headers.

use super::headers::wrong_name;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::sealing::open_secrets;
use crate::{App, AppError, Caller};
use model::Secret;
use model::audit::AuditAction;
use model::protection::{Auth, Credential, KeyPlace, Protection, Signature};
use webhook::{GenericError, GenericPart, GenericScheme, HmacScheme, SigningKey, http_signature};

/// Headers that a scheme may write although nobody else may: those of the usual scheme in their
/// own sense.
const SIGNATURE_HEADERS: [&str; 2] = ["webhook-signature", "svix-signature"];
const TIMESTAMP_HEADERS: [&str; 2] = ["webhook-timestamp", "svix-timestamp"];

impl App {
    /// The scheme that was set.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if none is: then it is the usual one.
    pub fn signature(&self, tenant: &Tenant, path: &str) -> Result<Signature, AppError> {
        let signature = self.protection(tenant, path)?.signature;
        signature.ok_or_else(AppError::not_found)
    }

    /// Sets it.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::BadRequest`] if the endpoint's
    /// secret is of another kind, or its credentials are in one of the scheme's headers.
    pub async fn put_signature(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        signature: Signature,
    ) -> Result<(), AppError> {
        judge(&signature)?;
        self.sign_by(caller, (tenant, path), Some(signature)).await
    }

    /// Takes it away: the usual one holds again.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::BadRequest`] if the endpoint's secret is none that the
    /// usual scheme takes.
    pub async fn delete_signature(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
    ) -> Result<(), AppError> {
        self.sign_by(caller, (tenant, path), None).await
    }

    async fn sign_by(
        &self,
        caller: &Caller,
        at: (&Tenant, &str),
        signature: Option<Signature>,
    ) -> Result<(), AppError> {
        let action = match signature {
            Some(_) => AuditAction::EndpointSignatureSet,
            None => AuditAction::EndpointSignatureDeleted,
        };
        let signed = self.protect_row((caller, action), at, |protection, keys, row| {
            protection.signature = signature.clone();
            check_headers(protection)?;
            let secrets = open_secrets(keys, row)?;
            let kept = judge_key(protection.signature.as_ref(), &secrets.current);
            kept.map(drop).map_err(|wrong| AppError::BadRequest {
                code: "secret_unsuitable",
                detail: format!("the endpoint's secret is not for this scheme: {wrong}; rotate it"),
            })
        });
        signed.await.map(drop)
    }
}

/// A secret as it is kept for a scheme, or what is wrong with it. No text repeats it.
pub(super) fn judge_key(signature: Option<&Signature>, secret: &Secret) -> Result<Secret, String> {
    let text = std::str::from_utf8(secret.expose()).map_err(|_| "a secret is text".to_owned())?;
    match signature.and_then(hmac_scheme) {
        Some(scheme) => match scheme.key(text) {
            Ok(_) => Ok(secret.clone()),
            Err(error) => Err(error.to_string()),
        },
        None => match SigningKey::parse(text) {
            Ok(key) => Ok(Secret::from(key.to_text().expose().to_owned())),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// The scheme of a description that was judged, if it isn't the usual one.
pub(crate) fn hmac_scheme(signature: &Signature) -> Option<HmacScheme> {
    match signature {
        Signature::StandardWebhooks => None,
        Signature::Of(sender) => HmacScheme::known(sender.as_str()),
        Signature::Generic(_) => described(signature)?.ok(),
    }
}

fn described(signature: &Signature) -> Option<Result<HmacScheme, GenericError>> {
    let Signature::Generic(described) = signature else {
        return None;
    };
    Some(HmacScheme::generic(GenericScheme {
        header: &described.header,
        hash: &described.hash,
        encoding: &described.encoding,
        prefix: &described.prefix,
        template: &described.template,
        timestamp_header: described.timestamp_header.as_deref(),
    }))
}

fn judge(signature: &Signature) -> Result<(), AppError> {
    let mut judge = Judge::new(&[]);
    if let Some(Err(error)) = described(signature) {
        judge.note(field(error.part()), error.to_string());
    } else if let Signature::Generic(described) = signature {
        let mut header = |field, name: &str, own: [&str; 2]| {
            if !own.iter().any(|own| name.eq_ignore_ascii_case(own))
                && let Some(wrong) = wrong_name(name)
            {
                judge.note(field, wrong);
            }
        };
        header("header", &described.header, SIGNATURE_HEADERS);
        if let Some(name) = &described.timestamp_header {
            header("timestampHeader", name, TIMESTAMP_HEADERS);
        }
    }
    judge.finish()
}

fn field(part: GenericPart) -> &'static str {
    match part {
        GenericPart::Header => "header",
        GenericPart::Hash => "hash",
        GenericPart::Encoding => "encoding",
        GenericPart::Prefix => "prefix",
        GenericPart::Template => "template",
        GenericPart::TimestampHeader => "timestampHeader",
    }
}

/// The headers that credentials are put into.
pub(crate) fn headers_of_credentials(protection: &Protection) -> impl Iterator<Item = &str> {
    let token = protection.oauth.as_ref().map(|_| "authorization");
    let all = protection.auth.iter().flat_map(Auth::tries);
    let all = all.flat_map(|(_, credential)| -> Vec<&str> {
        match credential {
            Credential::Basic { .. } | Credential::Bearer { .. } => vec!["authorization"],
            Credential::ApiKey { place, name, .. } => match place {
                KeyPlace::Header => vec![name],
                KeyPlace::Query => Vec::new(),
            },
            Credential::HttpSignature { .. } => http_signature::HEADERS.to_vec(),
        }
    });
    all.chain(token)
}

/// That no header would have to hold both a signature and a credential.
pub(super) fn check_headers(protection: &Protection) -> Result<(), AppError> {
    let scheme = protection.signature.as_ref().and_then(hmac_scheme);
    let Some(scheme) = scheme else {
        return Ok(());
    };
    for name in headers_of_credentials(protection) {
        if scheme
            .headers()
            .any(|other| other.eq_ignore_ascii_case(name))
        {
            return Err(AppError::BadRequest {
                code: "header_taken",
                detail: format!(
                    "the header `{name}` can't hold both the endpoint's signature and its \
                     credentials: name another for one of them"
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::protection::GenericSignature;

    fn generic(header: &str, template: &str, timestamp_header: Option<&str>) -> Signature {
        Signature::Generic(GenericSignature {
            header: header.to_owned(),
            hash: "sha256".to_owned(),
            encoding: "hex".to_owned(),
            prefix: String::new(),
            template: template.to_owned(),
            timestamp_header: timestamp_header.map(str::to_owned),
        })
    }

    #[test]
    fn a_scheme_writes_no_header_that_requests_need_for_themselves() {
        let timed = "{timestamp}.{body}";
        let cases = [
            (generic("X-Signature", "{body}", None), true),
            (generic("Webhook-Signature", timed, None), true),
            (
                generic("X-Signature", timed, Some("Webhook-Timestamp")),
                true,
            ),
            (generic("X-Signature", timed, Some("X-Time")), true),
            (generic("webhook-id", "{body}", None), false),
            (generic("webhook-timestamp", "{body}", None), false),
            (generic("Content-Type", "{body}", None), false),
            (generic("X-Signature", timed, Some("webhook-id")), false),
            (generic("X-Signature", timed, Some("host")), false),
            (generic("X-Signature", "{id}", None), false),
        ];
        for (signature, good) in cases {
            assert_eq!(judge(&signature).is_ok(), good, "{signature:?}");
        }
    }
}
