//! What an endpoint's deliveries are authenticated with: shapes, routes, handlers. What is secret
//! in it is taken, and shown masked.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{KeyName, Password, Token, UserName};
use crate::operation::{Routes, application};
use crate::render::{Answer, NoContent, Time};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{AuthInput, AuthView, CredentialInput, CredentialView};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::protection::KeyPlace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/auth")
        .get(
            application(
                "v1.endpoint.get-auth",
                "What its deliveries are authenticated with, masked",
            ),
            get_auth,
        )
        .put(
            application("v1.endpoint.set-auth", "Replaces it").needs(Capability::ManageEndpoint),
            put_auth,
        )
        .delete(
            application("v1.endpoint.delete-auth", "Takes it away")
                .needs(Capability::ManageEndpoint),
            delete_auth,
        )
}

/// A user name and password, a token, or a key. What was set before may be tried for a while
/// besides, where the new one is refused.
#[derive(Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[schemars(rename = "EndpointAuthIn")]
enum AuthIn {
    Basic {
        #[schemars(with = "UserName")]
        username: String,
        #[schemars(with = "Password")]
        password: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
    Bearer {
        #[schemars(with = "Token")]
        token: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
    ApiKey {
        #[serde(rename = "in")]
        place: Place,
        #[schemars(with = "KeyName")]
        name: String,
        #[schemars(with = "Token")]
        value: String,
        #[serde(default)]
        previous_expires_at: Option<Time>,
    },
}

/// Where a key is put.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
enum Place {
    Header,
    Query,
}

impl From<AuthIn> for AuthInput {
    fn from(body: AuthIn) -> Self {
        let (credential, previous) = match body {
            AuthIn::Basic {
                username,
                password,
                previous_expires_at,
            } => {
                let password = Secret::from(password);
                let basic = CredentialInput::Basic { username, password };
                (basic, previous_expires_at)
            }
            AuthIn::Bearer {
                token,
                previous_expires_at,
            } => {
                let token = Secret::from(token);
                (CredentialInput::Bearer { token }, previous_expires_at)
            }
            AuthIn::ApiKey {
                place,
                name,
                value,
                previous_expires_at,
            } => {
                let key = CredentialInput::ApiKey {
                    place: place.into(),
                    name,
                    value: Secret::from(value),
                };
                (key, previous_expires_at)
            }
        };
        Self {
            credential,
            previous_expires_at: previous.map(|time| time.0),
        }
    }
}

impl From<Place> for KeyPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::Header => Self::Header,
            Place::Query => Self::Query,
        }
    }
}

impl From<KeyPlace> for Place {
    fn from(place: KeyPlace) -> Self {
        match place {
            KeyPlace::Header => Self::Header,
            KeyPlace::Query => Self::Query,
        }
    }
}

/// The same, masked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointAuthOut")]
struct AuthOut {
    #[serde(flatten)]
    credential: CredentialOut,
    /// Until when what was set before is tried besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Time>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[schemars(inline)]
enum CredentialOut {
    Basic {
        username: String,
        password: String,
    },
    Bearer {
        token: String,
    },
    ApiKey {
        #[serde(rename = "in")]
        place: Place,
        name: String,
        value: String,
    },
}

impl From<AuthView> for AuthOut {
    fn from(view: AuthView) -> Self {
        Self {
            credential: match view.credential {
                CredentialView::Basic { username, password } => {
                    CredentialOut::Basic { username, password }
                }
                CredentialView::Bearer { token } => CredentialOut::Bearer { token },
                CredentialView::ApiKey { place, name, value } => CredentialOut::ApiKey {
                    place: place.into(),
                    name,
                    value,
                },
            },
            previous_expires_at: view.previous_expires_at.map(Time),
        }
    }
}

async fn get_auth(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AuthOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    Ok(Json(api.app.auth(&tenant, &endpoint_id)?.into()))
}

async fn put_auth(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<AuthIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let input = call.json()?.into();
    api.app
        .put_auth(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(NoContent)
}

async fn delete_auth(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app.delete_auth(&caller, &tenant, &endpoint_id).await?;
    Ok(NoContent)
}
