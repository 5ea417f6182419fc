//! How the configuration of access tokens is kept: [`OauthConfig`] as fields.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};
use crate::oauth::{AssertionKey, ClientAuthentication, ClientMethod, Grant, OauthConfig};
use std::time::Duration;

/// The kinds of grants as they are stored.
#[derive(Clone, Copy)]
enum GrantKind {
    Client,
    Refresh,
}

impl GrantKind {
    const ALL: [Self; 2] = [Self::Client, Self::Refresh];

    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Refresh => "refresh",
        }
    }
}

impl Part for OauthConfig {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("token_url", &self.token_url);
        fields.put_text("client_id", &self.client_id);
        fields.put_part("client", Some(&self.authentication));
        match &self.grant {
            Grant::ClientCredentials => fields.put_text("grant", GrantKind::Client.as_str()),
            Grant::RefreshToken(token) => {
                fields.put_text("grant", GrantKind::Refresh.as_str());
                fields.put("refresh_token", token);
            }
        }
        for scope in &self.scopes {
            fields.put_text("scope", scope);
        }
        put_pairs(fields, ["param", "param_value"], &self.extra_params);
        put_pairs(fields, ["header", "header_value"], &self.extra_headers);
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(Self {
            token_url: fields.text("token_url")?,
            client_id: fields.text("client_id")?,
            authentication: fields.part("client")?,
            grant: match fields.word("grant", &GrantKind::ALL, GrantKind::as_str)? {
                GrantKind::Client => Grant::ClientCredentials,
                GrantKind::Refresh => Grant::RefreshToken(fields.secret("refresh_token")?),
            },
            scopes: fields.texts("scope")?,
            extra_params: pairs(fields, ["param", "param_value"])?,
            extra_headers: pairs(fields, ["header", "header_value"])?,
        })
    }
}

impl Part for ClientAuthentication {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("method", self.method().as_str());
        match self {
            Self::SecretBasic(secret) | Self::SecretPost(secret) => fields.put("secret", secret),
            Self::PrivateKeyJwt(assertion) => {
                fields.put("key", &assertion.key);
                fields.put_optional("key_id", assertion.key_id.as_deref());
                fields.put_text("seconds", &assertion.lifetime.as_secs().to_string());
            }
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let method = fields.word("method", &ClientMethod::ALL, ClientMethod::as_str)?;
        Ok(match method {
            ClientMethod::SecretBasic => Self::SecretBasic(fields.secret("secret")?),
            ClientMethod::SecretPost => Self::SecretPost(fields.secret("secret")?),
            ClientMethod::PrivateKeyJwt => Self::PrivateKeyJwt(AssertionKey {
                key: fields.secret("key")?,
                key_id: fields.optional_text("key_id")?,
                lifetime: Duration::from_secs(fields.number("seconds")?),
            }),
        })
    }
}

fn put_pairs(fields: &mut Fields, [name, value]: [&str; 2], pairs: &[(String, String)]) {
    for pair in pairs {
        fields.put_text(name, &pair.0);
        fields.put_text(value, &pair.1);
    }
}

fn pairs(
    fields: &mut Fields,
    [name, value]: [&str; 2],
) -> Result<Vec<(String, String)>, StoredFormError> {
    let names = fields.texts(name)?.into_iter();
    names.map(|name| Ok((name, fields.text(value)?))).collect()
}
