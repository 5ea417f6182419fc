//! Whom an endpoint's payloads are encrypted to: a public key, or the set in which its receiver
//! publishes one. Judged when it is set, so that what can't be encrypted to is refused then; a set
//! is only fetched when something is to be sent.

use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller, Violation};
use model::audit::AuditAction;
use model::protection::{Encryption, EncryptionKey};
use transport::{FetchUrlError, fetch_target};
use webhook::jwe::{Algorithm, KEY_ID_BYTES_MAX, PublicJwk, Recipient, UnknownAlgorithm};

/// How contents are encrypted: there is no other `enc`.
pub const CONTENT_ENCRYPTION: &str = "A256GCM";
/// The longest `kid`, in bytes.
pub const KID_BYTES_MAX: usize = KEY_ID_BYTES_MAX;

/// Whom to encrypt to, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct EncryptionInput {
    /// The JSON of a public key.
    pub jwk: Option<String>,
    /// Where the receiver's set of keys is.
    pub jwks_url: Option<String>,
    /// Which key of the set.
    pub kid: Option<String>,
    /// How the content key comes to the receiver.
    pub alg: Option<String>,
    /// How the content is encrypted.
    pub enc: Option<String>,
}

impl App {
    /// Whom an endpoint's payloads are encrypted to.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if nothing is set.
    pub fn encryption(&self, tenant: &Tenant, path: &str) -> Result<Encryption, AppError> {
        let encryption = self.protection(tenant, path)?.encryption;
        encryption.ok_or_else(AppError::not_found)
    }

    /// Sets it: from the next attempt on, nothing is sent that is not encrypted.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`].
    pub async fn put_encryption(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: EncryptionInput,
    ) -> Result<(), AppError> {
        let encryption = self.judge_encryption(input).await?;
        let by = (caller, AuditAction::EndpointEncryptionSet);
        let put = self.protect(by, (tenant, path), |protection| {
            protection.encryption = Some(encryption.clone());
            Ok(())
        });
        put.await.map(drop)
    }

    async fn judge_encryption(&self, input: EncryptionInput) -> Result<Encryption, AppError> {
        let mut judge = Judge::new(&[]);
        let algorithm = input.alg.as_deref().and_then(|alg| judge.algorithm(alg));
        if input.enc.is_some_and(|enc| enc != CONTENT_ENCRYPTION) {
            judge.note("enc", format!("must be `{CONTENT_ENCRYPTION}`"));
        }
        let kid = input.kid.inspect(|kid| judge.kid(kid));
        let key = match (input.jwk, input.jwks_url) {
            (Some(jwk), None) => {
                if kid.is_some() {
                    judge.note("kid", "goes with `jwksUrl`: a key has a `kid` of its own");
                }
                judge.jwk(&jwk, algorithm);
                EncryptionKey::Given(jwk)
            }
            (None, Some(url)) => EncryptionKey::Published {
                url: self.judge_key_set(&mut judge, url).await,
                key_id: kid,
            },
            (given, _) => {
                let field = given.map_or("jwk", |_| "jwksUrl");
                return Err(Violation::body(&[field], "give one of `jwk` and `jwksUrl`").into());
            }
        };
        judge.finish()?;
        let algorithm = algorithm.map(|algorithm| algorithm.name().to_owned());
        Ok(Encryption { key, algorithm })
    }

    /// The URL of a set as it is stored, judged as an endpoint's is.
    async fn judge_key_set(&self, judge: &mut Judge<'_>, url: String) -> String {
        let checked = match self.guard.check_new(&url).await {
            Ok(checked) => checked,
            Err(refusal) => {
                judge.note("jwksUrl", refusal.for_tenant());
                return url;
            }
        };
        if let Err(error) = fetch_target(&url, self.guard.policy()) {
            judge.note("jwksUrl", FetchUrlError::for_tenant(&error));
        }
        checked.masked().0
    }
}

impl Judge<'_> {
    fn algorithm(&mut self, name: &str) -> Option<Algorithm> {
        let algorithm = name.parse().ok().filter(|one: &Algorithm| one.is_written());
        if algorithm.is_none() {
            self.note("alg", UnknownAlgorithm.to_string());
        }
        algorithm
    }

    fn kid(&mut self, kid: &str) {
        if kid.is_empty() || kid.len() > KID_BYTES_MAX || kid.chars().any(char::is_control) {
            let most = KID_BYTES_MAX;
            self.note(
                "kid",
                format!("must have 1 to {most} bytes, and no control characters"),
            );
        }
    }

    /// A key that can be encrypted to, by this algorithm where there is one.
    fn jwk(&mut self, jwk: &str, algorithm: Option<Algorithm>) {
        let key = match PublicJwk::parse(jwk) {
            Ok(key) => key,
            Err(error) => return self.note("jwk", error.to_string()),
        };
        if let Err(error) = Recipient::new(&key, algorithm) {
            let field = algorithm.map_or("jwk", |_| "alg");
            self.note(field, error.to_string());
        }
    }
}
