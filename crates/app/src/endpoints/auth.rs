//! What an endpoint's requests are authenticated with: a user name and password, a token, a key in
//! a header or parameter, or a signature. Written as a whole, shown masked.

use super::headers::wrong_name;
use super::http_signature::{HttpSignatureInput, HttpSignatureView};
use super::protection::masked;
use super::signature::check_headers;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller};
use model::audit::AuditAction;
use model::protection::{Auth, Credential, KeyPlace, Withdrawn};
use model::security::SecurityKind;
use model::{Secret, Timestamp};
use webhook::SigningKey;

/// The longest user name, and the longest name of a key, in characters.
pub const NAME_MAX: usize = 256;
/// The longest password, token or key, in characters.
pub const SECRET_MAX: usize = 4_096;

/// What is to be the credential, parsed and not yet judged.
#[derive(Clone)]
pub struct AuthInput {
    /// The credential.
    pub credential: CredentialInput,
    /// Until when the one that it replaces is tried besides; `None`: not at all.
    pub previous_expires_at: Option<Timestamp>,
}

/// A credential, parsed and not yet judged.
#[derive(Clone)]
pub enum CredentialInput {
    /// HTTP Basic, RFC 7617.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token, RFC 6750.
    Bearer {
        /// The token.
        token: Secret,
    },
    /// A key in a place of its receiver's choice.
    ApiKey {
        /// In which part of the request.
        place: KeyPlace,
        /// The header's or the parameter's name.
        name: String,
        /// The key.
        value: Secret,
    },
    /// A signature over the request, RFC 9421.
    HttpSignature(HttpSignatureInput),
}

/// What an endpoint's requests are authenticated with, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthView {
    /// The credential.
    pub credential: CredentialView,
    /// Until when the one before is tried besides.
    pub previous_expires_at: Option<Timestamp>,
}

/// A credential, with its secret masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialView {
    /// HTTP Basic.
    Basic {
        /// The user name.
        username: String,
        /// Masked.
        password: String,
    },
    /// A bearer token.
    Bearer {
        /// Masked.
        token: String,
    },
    /// A key.
    ApiKey {
        /// In which part of the request.
        place: KeyPlace,
        /// The header's or the parameter's name.
        name: String,
        /// Masked.
        value: String,
    },
    /// A signature.
    HttpSignature(HttpSignatureView),
}

impl App {
    /// What an endpoint's requests are authenticated with, masked.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also if nothing is set.
    pub fn auth(&self, tenant: &Tenant, path: &str) -> Result<AuthView, AppError> {
        let auth = self.protection(tenant, path)?.auth;
        let auth = auth.ok_or_else(AppError::not_found)?;
        Ok(AuthView {
            credential: view(&auth.current),
            previous_expires_at: auth.previous.map(|(until, _)| until),
        })
    }

    /// Sets it. That it was replaced is a security event.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::BadRequest`] if it is in a header
    /// of the endpoint's signature.
    pub async fn put_auth(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: AuthInput,
    ) -> Result<(), AppError> {
        let credential = input.credential.judge(|| self.new_key_pair())?;
        let (until, now) = (input.previous_expires_at, self.clock.now());
        let by = (caller, AuditAction::EndpointAuthSet);
        let endpoint = self.protect(by, (tenant, path), |protection| {
            let before = protection.auth.take();
            protection.auth = Some(Auth::after(before, credential.clone(), until, now));
            protection.withdrawn.remove(&Withdrawn::Auth);
            check_headers(protection)
        });
        let endpoint = endpoint.await?;
        let text = "the credentials of the endpoint's requests were set".to_owned();
        self.report(caller, SecurityKind::SecretRotated, &endpoint, text);
        Ok(())
    }
}

impl CredentialInput {
    /// `new_key` makes one for signatures that bring none.
    pub(crate) fn judge(self, new_key: impl Fn() -> SigningKey) -> Result<Credential, AppError> {
        let mut judge = Judge::new(&[]);
        let credential = match self {
            Self::Basic { username, password } => {
                if username.contains(':') {
                    judge.note("username", "must not hold a colon: it ends a user name");
                }
                judge_text(&mut judge, ("username", NAME_MAX), username.as_bytes());
                judge_text(&mut judge, ("password", SECRET_MAX), password.expose());
                Credential::Basic { username, password }
            }
            Self::Bearer { token } => {
                judge_visible(&mut judge, "token", &token);
                Credential::Bearer { token }
            }
            Self::ApiKey { place, name, value } => {
                if let Some(wrong) = wrong_key_name(place, &name) {
                    judge.note("name", wrong);
                }
                judge_visible(&mut judge, "value", &value);
                Credential::ApiKey { place, name, value }
            }
            Self::HttpSignature(signature) => signature.judge(&mut judge, new_key()),
        };
        judge.finish()?;
        Ok(credential)
    }
}

/// A text of at least one character, without those that end a line or can't be seen.
fn judge_text(judge: &mut Judge<'_>, (field, most): (&str, usize), text: &[u8]) {
    let is_text = std::str::from_utf8(text).is_ok_and(|text| text.chars().count() <= most);
    if text.is_empty() || !is_text {
        judge.note(field, format!("must have 1 to {most} characters"));
    }
    if text.iter().any(u8::is_ascii_control) {
        judge.note(field, "must not hold control characters");
    }
}

/// What is sent as it is in a header.
fn judge_visible(judge: &mut Judge<'_>, field: &str, secret: &Secret) {
    judge_text(judge, (field, SECRET_MAX), secret.expose());
    if !secret
        .expose()
        .iter()
        .all(|byte| (b'!'..=b'~').contains(byte))
    {
        judge.note(
            field,
            "may only hold visible ASCII characters, and no spaces",
        );
    }
}

/// Names that need no escaping anywhere; of headers, none that requests need for themselves.
fn wrong_key_name(place: KeyPlace, name: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(is_plain) {
        return Some("must have 1 to 256 letters, digits, `-`, `.`, `_` and `~`");
    }
    match place {
        KeyPlace::Header => wrong_name(name),
        KeyPlace::Query => None,
    }
}

/// A credential as it is shown.
pub(crate) fn view(credential: &Credential) -> CredentialView {
    match credential {
        Credential::Basic { username, password } => CredentialView::Basic {
            username: username.clone(),
            password: masked(password),
        },
        Credential::Bearer { token } => CredentialView::Bearer {
            token: masked(token),
        },
        Credential::ApiKey { place, name, value } => CredentialView::ApiKey {
            place: *place,
            name: name.clone(),
            value: masked(value),
        },
        Credential::HttpSignature {
            algorithm,
            key,
            components,
        } => CredentialView::HttpSignature(HttpSignatureView::new(*algorithm, key, components)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::protection::HttpSignatureAlgorithm;

    fn is_taken(credential: CredentialInput) -> bool {
        let key = || SigningKey::generate_ed25519(&[1; 32]);
        credential.judge(key).is_ok()
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn user_names_and_passwords_keep_their_grammar() {
        let long = "é".repeat(NAME_MAX + 1);
        let cases = [
            ("ann", "open sesame", true),
            ("änn", "ö", true),
            ("", "x", false),
            ("ann", "", false),
            ("a:b", "x", false),
            ("ann", "a:b", true),
            ("a\nb", "x", false),
            ("ann", "a\r\nx: y", false),
            (&long, "x", false),
        ];
        for (username, password, good) in cases {
            let input = CredentialInput::Basic {
                username: username.to_owned(),
                password: secret(password),
            };
            assert_eq!(is_taken(input), good, "{username:?} {password:?}");
        }
    }

    #[test]
    fn tokens_and_keys_can_be_sent_as_they_are() {
        for (token, good) in [
            ("a.b-c/+=", true),
            ("a b", false),
            ("a\n", false),
            ("é", false),
        ] {
            let input = CredentialInput::Bearer {
                token: secret(token),
            };
            assert_eq!(is_taken(input), good, "{token:?}");
        }
        let cases = [
            (KeyPlace::Header, "X-Api-Key", "k", true),
            (KeyPlace::Header, "authorization", "k", true),
            (KeyPlace::Header, "Host", "k", false),
            (KeyPlace::Header, "webhook-id", "k", false),
            (KeyPlace::Header, "x key", "k", false),
            (KeyPlace::Header, "x-key", "a b", false),
            (KeyPlace::Query, "key", "a&c", true),
            (KeyPlace::Query, "key=x&y", "k", false),
            (KeyPlace::Query, "", "k", false),
        ];
        for (place, name, value, good) in cases {
            let input = CredentialInput::ApiKey {
                place,
                name: name.to_owned(),
                value: secret(value),
            };
            assert_eq!(is_taken(input), good, "{place:?} {name:?} {value:?}");
        }
    }

    #[test]
    fn signatures_have_a_key_of_their_algorithm_and_cover_what_can_be_covered() {
        use HttpSignatureAlgorithm::{Ed25519, HmacSha256};
        let pair = SigningKey::generate_ed25519(&[2; 32]);
        let shared = SigningKey::generate_hmac(&[2; 24]);
        let [pair, shared] = [pair, shared].map(|key| key.to_text().expose().to_owned());
        let cases = [
            (Ed25519, None, "", true),
            (Ed25519, Some(&*pair), "x-tenant", true),
            (Ed25519, Some(&*pair), "@authority", true),
            (Ed25519, Some(&*pair), "@method", true),
            (Ed25519, Some(&*shared), "", false),
            (HmacSha256, Some(&*shared), "authorization", true),
            (HmacSha256, Some(&*pair), "", false),
            (HmacSha256, Some("sesame"), "", false),
            (HmacSha256, None, "", false),
            (Ed25519, None, "X-Tenant", false),
            (Ed25519, None, "host", false),
            (Ed25519, None, "signature", false),
            (Ed25519, None, "@status", false),
        ];
        for (algorithm, key, component, good) in cases {
            let components = Some(component.to_owned()).filter(|one| !one.is_empty());
            let input = CredentialInput::HttpSignature(HttpSignatureInput {
                algorithm,
                key: key.map(secret),
                components: components.into_iter().collect(),
            });
            assert_eq!(is_taken(input), good, "{algorithm:?} {component}");
        }
    }
}
