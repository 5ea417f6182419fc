//! How an endpoint's requests come by an access token. Written as a whole, shown masked. Here is
//! judged what can be judged without asking the token server: that happens when something is sent.

use super::headers::is_sensitive;
use super::protection::masked;
use super::signature::check_headers;
use crate::find::Tenant;
use crate::rules::Judge;
use crate::{App, AppError, Caller, Violation};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::audit::AuditAction;
use model::oauth::{
    ASSERTION_LIFETIME_DEFAULT, AssertionKey, ClientAuthentication, ClientMethod, Grant,
    OauthConfig,
};
use model::protection::{Rotated, Withdrawn};
use model::security::SecurityKind;
use model::{Secret, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;
pub use transport::OAUTH_HEADERS_MAX as HEADERS_MAX;
use transport::{OauthClient, OauthConfigError};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where a body has the private key.
const KEY: &[&str] = &["jwtParams", "secretBase64"];

/// How tokens are to be asked for, parsed and not yet judged. What the way of authenticating and
/// the grant have no use for is passed over, and not kept.
#[derive(Clone)]
pub struct OauthInput {
    /// The token server's URL.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// How it proves that.
    pub method: ClientMethod,
    /// What it proves it with.
    pub client_secret: Option<Secret>,
    /// The same, where it signs.
    pub assertion: Option<AssertionInput>,
    /// Whether a refresh token is what it asks with.
    pub refreshes: bool,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Further parameters.
    pub extra_params: BTreeMap<String, String>,
    /// Further headers.
    pub extra_headers: BTreeMap<String, String>,
    /// Until when the client that this replaces is tried besides; `None`: not at all.
    pub previous_expires_at: Option<Timestamp>,
}

/// What assertions are to be signed with.
#[derive(Clone)]
pub struct AssertionInput {
    /// The private key in Base64.
    pub key: Secret,
    /// What assertions call it.
    pub key_id: Option<String>,
    /// How long they are good for, in seconds.
    pub seconds: Option<u64>,
}

/// How tokens are asked for, as it is shown: with secrets masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthView {
    /// The token server's URL.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// How it proves that.
    pub method: ClientMethod,
    /// Masked, where there is one.
    pub client_secret: Option<String>,
    /// Where there is one.
    pub assertion: Option<AssertionView>,
    /// Masked, where there is one.
    pub refresh_token: Option<String>,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Further parameters.
    pub extra_params: BTreeMap<String, String>,
    /// Further headers; masked where they usually hold credentials.
    pub extra_headers: BTreeMap<String, String>,
    /// Until when the client before is tried besides.
    pub previous_expires_at: Option<Timestamp>,
}

/// What assertions are signed with, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionView {
    /// Masked.
    pub key: String,
    /// What assertions call it.
    pub key_id: Option<String>,
    /// How long they are good for, in seconds.
    pub seconds: u64,
}

impl App {
    /// How an endpoint's requests come by an access token, masked; `None` where they need none.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub fn oauth(&self, tenant: &Tenant, path: &str) -> Result<Option<OauthView>, AppError> {
        Ok(self.protection(tenant, path)?.oauth.as_ref().map(view))
    }

    /// Sets it. That it was replaced is a security event.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::BadRequest`] if the endpoint's
    /// signature is in the header of the token.
    pub async fn put_oauth(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        path: &str,
        input: OauthInput,
    ) -> Result<(), AppError> {
        let (until, now) = (input.previous_expires_at, self.clock.now());
        let config = self.judge_oauth(input).await?;
        let by = (caller, AuditAction::EndpointOauthSet);
        let endpoint = self.protect(by, (tenant, path), |protection| {
            let before = protection.oauth.take();
            protection.oauth = Some(Rotated::after(before, config.clone(), until, now));
            protection.withdrawn.remove(&Withdrawn::Oauth);
            check_headers(protection)
        });
        let endpoint = endpoint.await?;
        let text = "the client that asks for the endpoint's access tokens was set".to_owned();
        self.report(caller, SecurityKind::SecretRotated, &endpoint, text);
        Ok(())
    }

    async fn judge_oauth(&self, input: OauthInput) -> Result<OauthConfig, AppError> {
        let config = input.judge()?;
        if let Err(error) = OauthClient::new(&config, self.guard.policy()) {
            return Err(Violation::body(fields_of(&error), error.for_tenant()).into());
        }
        if let Err(refusal) = self.guard.check_new(&config.token_url).await {
            return Err(Violation::body(&["tokenUrl"], refusal.for_tenant()).into());
        }
        Ok(config)
    }
}

impl OauthInput {
    /// The configuration, with all that it needs.
    fn judge(self) -> Result<OauthConfig, AppError> {
        let assertion = self.assertion.map(AssertionInput::judge).transpose()?;
        let mut judge = Judge::new(&[]);
        judge.secret("clientSecret", self.client_secret.as_ref());
        judge.secret("refreshToken", self.refresh_token.as_ref());
        let by = format!("the `authMethod` `{}`", self.method.as_str());
        let authentication = match self.method {
            ClientMethod::SecretBasic => judge
                .needed(("clientSecret", self.client_secret), &by)
                .map(ClientAuthentication::SecretBasic),
            ClientMethod::SecretPost => judge
                .needed(("clientSecret", self.client_secret), &by)
                .map(ClientAuthentication::SecretPost),
            ClientMethod::PrivateKeyJwt => judge
                .needed(("jwtParams", assertion), &by)
                .map(ClientAuthentication::PrivateKeyJwt),
        };
        let by = "the `grantType` `refreshToken`";
        let grant = match self.refreshes {
            true => judge
                .needed(("refreshToken", self.refresh_token), by)
                .map(Grant::RefreshToken),
            false => Some(Grant::ClientCredentials),
        };
        judge.finish()?;
        const NOTED: &str = "what is missing was noted";
        Ok(OauthConfig {
            token_url: self.token_url,
            client_id: self.client_id,
            authentication: authentication.expect(NOTED),
            grant: grant.expect(NOTED),
            scopes: self.scopes,
            extra_params: self.extra_params.into_iter().collect(),
            extra_headers: self.extra_headers.into_iter().collect(),
        })
    }
}

impl AssertionInput {
    fn judge(self) -> Result<AssertionKey, AppError> {
        // What programs print has line breaks.
        let mut text = Vec::with_capacity(self.key.expose().len());
        text.extend(
            self.key
                .expose()
                .iter()
                .filter(|byte| !byte.is_ascii_whitespace()),
        );
        let key = BASE64.decode(Secret::new(text).expose());
        let wrong = |_| Violation::body(KEY, "must be the private key in Base64");
        let lifetime = self.seconds.map(Duration::from_secs);
        Ok(AssertionKey {
            key: Secret::new(key.map_err(wrong)?),
            key_id: self.key_id,
            lifetime: lifetime.unwrap_or(ASSERTION_LIFETIME_DEFAULT),
        })
    }
}

impl Judge<'_> {
    fn secret(&mut self, field: &str, secret: Option<&Secret>) {
        if secret.is_some_and(|secret| secret.expose().is_empty()) {
            self.note(field, "must have at least one character");
        }
    }

    /// What has to be there because of something else.
    fn needed<T>(&mut self, (field, value): (&str, Option<T>), by: &str) -> Option<T> {
        if value.is_none() {
            self.note(field, format!("must be given: {by} needs it"));
        }
        value
    }
}

/// Where in a body the mistake is.
fn fields_of(error: &OauthConfigError) -> &'static [&'static str] {
    match error {
        OauthConfigError::TokenUrl(_) => &["tokenUrl"],
        OauthConfigError::NoClientId => &["clientId"],
        OauthConfigError::NoSecret(_) => &["clientSecret"],
        OauthConfigError::Param(_) => &["extraParams"],
        OauthConfigError::Header(_) | OauthConfigError::Headers => &["extraHeaders"],
        OauthConfigError::TooLong => &[],
        OauthConfigError::Key => KEY,
    }
}

fn view(oauth: &Rotated<OauthConfig>) -> OauthView {
    let config = &oauth.current;
    let (client_secret, assertion) = match &config.authentication {
        ClientAuthentication::SecretBasic(secret) | ClientAuthentication::SecretPost(secret) => {
            (Some(masked(secret)), None)
        }
        ClientAuthentication::PrivateKeyJwt(assertion) => (None, Some(assertion.into())),
    };
    let shown = |(name, value): &(String, String)| {
        let value = match is_sensitive(name) {
            true => masked(&Secret::from(value.clone())),
            false => value.clone(),
        };
        (name.clone(), value)
    };
    OauthView {
        token_url: config.token_url.clone(),
        client_id: config.client_id.clone(),
        method: config.authentication.method(),
        client_secret,
        assertion,
        refresh_token: match &config.grant {
            Grant::ClientCredentials => None,
            Grant::RefreshToken(token) => Some(masked(token)),
        },
        scopes: config.scopes.clone(),
        extra_params: config.extra_params.iter().cloned().collect(),
        extra_headers: config.extra_headers.iter().map(shown).collect(),
        previous_expires_at: oauth.previous.as_ref().map(|(until, _)| *until),
    }
}

impl From<&AssertionKey> for AssertionView {
    fn from(assertion: &AssertionKey) -> Self {
        Self {
            key: masked(&Secret::from(BASE64.encode(assertion.key.expose()))),
            key_id: assertion.key_id.clone(),
            seconds: assertion.lifetime.as_secs(),
        }
    }
}
