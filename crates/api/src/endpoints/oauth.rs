//! How an endpoint's deliveries come by an access token: shapes, routes, handlers. What is secret
//! in it is taken, and shown masked.

use super::part::{self, At, Part};
use crate::Shared;
use crate::authentication::Authenticated;
use crate::bounds::{Params, TokenHeaders, TokenUrl};
use crate::operation::{Routes, application};
use crate::render::{Answer, Time};
use crate::segments::Segments;
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{AssertionInput, AssertionView, OauthInput, OauthView, RemovablePart};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::oauth::ClientMethod;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/oauth")
        .get(
            application(
                "v1.endpoint.get-oauth",
                "How its deliveries come by an access token, masked",
            ),
            part::get::<Oauth>,
        )
        .put(
            application("v1.endpoint.set-oauth-config", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Oauth>,
        )
        .delete(
            application("v1.endpoint.delete-oauth-config", "Takes it away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Oauth>,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/oauth-config")
        .get(
            application(
                "v1.endpoint.get-oauth-2",
                "Whether its deliveries need an access token, and how they come by it, masked",
            ),
            get_state,
        )
}

struct Oauth;

impl Part for Oauth {
    type In = OauthIn;
    type Out = OauthOut;

    async fn get(at: At<'_>) -> Result<OauthOut, AppError> {
        let view = at.app.oauth(at.tenant, at.endpoint)?;
        Ok(view.ok_or_else(AppError::not_found)?.into())
    }

    async fn put(at: At<'_>, body: OauthIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_oauth(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Oauth).await
    }
}

/// Whom to ask for an access token, as whom, and for what. The client that was set before may be
/// tried for a while besides, where the new one, or a token of its, is refused.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointOauthConfigIn", transform = needs_of_each_way)]
struct OauthIn {
    auth_method: Method,
    #[schemars(length(min = 1))]
    client_id: String,
    /// Needed by `clientSecretBasic` and `clientSecretPost`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    client_secret: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<TokenHeaders>")]
    extra_headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    #[schemars(with = "Option<Params>")]
    extra_params: Option<BTreeMap<String, String>>,
    grant_type: GrantType,
    /// Needed by `clientSecretJwt`.
    #[serde(default)]
    jwt_params: Option<JwtIn>,
    /// Needed by the grant of the same name.
    #[serde(default)]
    #[schemars(length(min = 1))]
    refresh_token: Option<String>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[schemars(with = "TokenUrl")]
    token_url: String,
    #[serde(default)]
    previous_expires_at: Option<Time>,
}

/// The contract's shape is one for all ways of asking for a token: what each of them needs.
fn needs_of_each_way(shape: &mut Schema) {
    let by_secret = json!({ "enum": ["clientSecretBasic", "clientSecretPost"] });
    let by_key = json!({ "const": "clientSecretJwt" });
    let (secret, key) = (("clientSecret", "string"), ("jwtParams", "object"));
    let ways = [(by_secret, secret), (by_key, key)].into_iter();
    let ways = ways.flat_map(|(method, proof)| {
        let way = |grant: &str, needed: &[(&str, &str)]| {
            let mut fields = json!({ "authMethod": method, "grantType": { "const": grant } });
            for (name, kind) in needed {
                fields[*name] = json!({ "type": kind });
            }
            let names: Vec<_> = needed.iter().map(|(name, _)| *name).collect();
            json!({ "properties": fields, "required": names })
        };
        let refreshing = [proof, ("refreshToken", "string")];
        [
            way("clientCredentials", &[proof]),
            way("refreshToken", &refreshing),
        ]
    });
    shape.insert("oneOf".to_owned(), ways.collect());
}

/// What assertions are signed with: an RSA private key of 2048 to 8192 bits, PKCS#8 or PKCS#1, PEM
/// or DER, in Base64.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ClientSecretJwtParamsIn")]
struct JwtIn {
    secret_base64: String,
    #[serde(default)]
    secret_id: Option<String>,
    #[serde(rename = "signingAlgorithm")]
    _signing_algorithm: SigningAlgorithm,
    /// Of more than 3600, it is 3600.
    #[serde(default)]
    #[schemars(range(max = 18_446_744_073_709_551_615_u64))]
    token_expiry_secs: Option<u64>,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "Oauth2AuthMethodInOut")]
enum Method {
    #[serde(rename = "clientSecretJwt")]
    Jwt,
    #[serde(rename = "clientSecretBasic")]
    Basic,
    #[serde(rename = "clientSecretPost")]
    Post,
}

/// What a client asks for a token with.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Oauth2GrantTypeInOut")]
enum GrantType {
    ClientCredentials,
    RefreshToken,
}

/// What assertions are signed by.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "OauthJwsSigningAlgorithm")]
enum SigningAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
}

impl From<OauthIn> for OauthInput {
    fn from(body: OauthIn) -> Self {
        Self {
            token_url: body.token_url,
            client_id: body.client_id,
            method: match body.auth_method {
                Method::Jwt => ClientMethod::PrivateKeyJwt,
                Method::Basic => ClientMethod::SecretBasic,
                Method::Post => ClientMethod::SecretPost,
            },
            client_secret: body.client_secret.map(Secret::from),
            assertion: body.jwt_params.map(|jwt| AssertionInput {
                key: jwt.secret_base64.into(),
                key_id: jwt.secret_id,
                seconds: jwt.token_expiry_secs,
            }),
            refreshes: matches!(body.grant_type, GrantType::RefreshToken),
            refresh_token: body.refresh_token.map(Secret::from),
            scopes: body.scopes.unwrap_or_default(),
            extra_params: body.extra_params.unwrap_or_default(),
            extra_headers: body.extra_headers.unwrap_or_default(),
            previous_expires_at: body.previous_expires_at.map(|time| time.0),
        }
    }
}

/// The same, masked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointOauthConfigOut")]
struct OauthOut {
    auth_method: Method,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    extra_headers: BTreeMap<String, String>,
    extra_params: BTreeMap<String, String>,
    grant_type: GrantType,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt_params: Option<JwtOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scopes: Vec<String>,
    token_url: String,
    /// Until when what was set before is tried besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Time>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ClientSecretJwtParamsOut")]
struct JwtOut {
    secret_base64: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<String>,
    signing_algorithm: SigningAlgorithm,
    token_expiry_secs: u64,
}

/// Whether an access token is needed, and if so, how it is come by.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndpointOauthOut")]
struct StateOut {
    config: Option<OauthOut>,
    enabled: bool,
}

impl From<OauthView> for OauthOut {
    fn from(view: OauthView) -> Self {
        Self {
            auth_method: match view.method {
                ClientMethod::PrivateKeyJwt => Method::Jwt,
                ClientMethod::SecretBasic => Method::Basic,
                ClientMethod::SecretPost => Method::Post,
            },
            client_id: view.client_id,
            client_secret: view.client_secret,
            extra_headers: view.extra_headers,
            extra_params: view.extra_params,
            grant_type: match view.refresh_token {
                Some(_) => GrantType::RefreshToken,
                None => GrantType::ClientCredentials,
            },
            jwt_params: view.assertion.map(JwtOut::from),
            refresh_token: view.refresh_token,
            scopes: view.scopes,
            token_url: view.token_url,
            previous_expires_at: view.previous_expires_at.map(Time),
        }
    }
}

impl From<AssertionView> for JwtOut {
    fn from(view: AssertionView) -> Self {
        Self {
            secret_base64: view.key,
            secret_id: view.key_id,
            signing_algorithm: SigningAlgorithm::Rs256,
            token_expiry_secs: view.seconds,
        }
    }
}

async fn get_state(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<StateOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    let config = api.app.oauth(&tenant, &endpoint_id)?.map(OauthOut::from);
    Ok(Json(StateOut {
        enabled: config.is_some(),
        config,
    }))
}
