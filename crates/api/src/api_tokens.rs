//! API keys: shapes, routes, handlers. The API calls them API tokens.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::Text;
use crate::operation::{Routes, organisation};
use crate::portal::text;
use crate::query::{FromQuery, Pairs, Query};
use crate::render::{Answer, Field, ListOut, NoContent, Time};
use crate::segments::Segments;
use app::access::EXPIRY_WAIT_MAX;
use app::api_keys::{ApiKeyInput, ApiKeyPatch, NewApiKey, SCOPES_MAX};
use app::{AppError, ListInput, Patch};
use axum::Json;
use axum::extract::State;
use model::api_key::{ApiKey, Scope};
use model::id::ApiKeyKind;
use model::role::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

pub(crate) fn routes() -> Routes {
    let named = |id, summary| organisation(id, summary);
    Routes::at("/api/v1/management/authentication/{env_id}/api-token")
        .get(
            named(
                "v1.management.authentication.list-api-tokens",
                "API keys, the oldest first",
            ),
            list,
        )
        .post(
            named(
                "v1.management.authentication.create-api-token",
                "Makes an API key",
            ),
            create,
        )
        .and_at("/api/v1/management/authentication/{env_id}/api-token/{key_id}")
        .get(
            named("v1.management.authentication.get-api-token", "An API key"),
            get_one,
        )
        .put(
            named(
                "v1.management.authentication.update-api-token",
                "Names it anew",
            ),
            put,
        )
        .patch(
            named(
                "v1.management.authentication.patch-api-token",
                "Changes what is given",
            ),
            patch_one,
        )
        .and_at("/api/v1/management/authentication/{env_id}/api-token/{key_id}/expire")
        .post(
            named(
                "v1.management.authentication.expire-api-token",
                "Ends it, now or soon",
            ),
            expire,
        )
}

/// The nouns that a scope can name: those of the operations, and of what monitoring reads.
pub fn nouns() -> &'static [&'static str] {
    static NOUNS: OnceLock<Vec<&'static str>> = OnceLock::new();
    NOUNS.get_or_init(|| {
        let operations = crate::operations();
        let nouns = operations.iter().map(|one| one.need.noun);
        let nouns: BTreeSet<_> = nouns.chain([crate::metrics::NEED.noun]).collect();
        nouns.into_iter().collect()
    })
}

/// An API key as a client writes it.
#[derive(Debug, Deserialize, JsonSchema)]
struct ApiTokenIn {
    /// What people call it.
    #[schemars(with = "Text")]
    name: String,
    /// What it may do: `role:viewer`, `role:operator` or `role:admin`; or `NOUN:read` or
    /// `NOUN:write`, where the noun is that of the operations' names, or `*` for each; everything
    /// unless given.
    #[schemars(with = "Option<Scopes>")]
    scopes: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct ApiTokenPatch {
    /// What people call it.
    #[schemars(with = "Field<Option<Text>>")]
    name: Field<Option<String>>,
    /// What it may do; null means everything.
    #[schemars(with = "Field<Option<Scopes>>")]
    scopes: Field<Option<Vec<String>>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ApiTokenUpdate {
    /// What people call it.
    #[schemars(with = "Text")]
    name: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct ApiTokenExpireIn {
    /// In how many seconds it ends, at most 259,200.
    #[schemars(range(min = 0, max = EXPIRY_WAIT_MAX))]
    expiry: i32,
}

/// What an API key may do.
enum Scopes {}

impl JsonSchema for Scopes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scopes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let nouns = nouns().join("|");
        let roles = Role::ALL.map(Role::as_str).join("|");
        let pattern = format!(r"^(\*|(\*|{nouns}):(read|write)|role:({roles}))$");
        json_schema!({
            "type": "array", "items": { "type": "string", "pattern": pattern },
            "minItems": 1, "maxItems": SCOPES_MAX,
        })
    }
}

/// A new API key, with its token.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ApiTokenOut {
    id: String,
    /// What requests come with. It is shown here, and never again.
    token: String,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    created_at: Time,
    expires_at: Option<Time>,
}

/// An API key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ApiTokenCensoredOut {
    id: String,
    /// The end of its token, by which people may know it.
    censored_token: String,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    created_at: Time,
    expires_at: Option<Time>,
    /// When it was last used, to a minute or so.
    last_used_at: Option<Time>,
}

impl From<NewApiKey> for ApiTokenOut {
    fn from(made: NewApiKey) -> Self {
        let token = text(&made.token);
        let key = ApiTokenCensoredOut::from(made.key);
        Self {
            id: key.id,
            token,
            name: key.name,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}

impl From<ApiKey> for ApiTokenCensoredOut {
    fn from(key: ApiKey) -> Self {
        let texts = |scopes: Vec<Scope>| scopes.iter().map(Scope::to_string).collect();
        Self {
            id: key.id.to_string(),
            censored_token: key.shown,
            name: Some(key.name).filter(|name| !name.is_empty()),
            scopes: key.scopes.map(texts),
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            last_used_at: key.used_at.map(Time),
        }
    }
}

/// Which part of the list.
struct KeysQuery(ListInput);

impl FromQuery for KeysQuery {
    fn from_query(query: &Pairs) -> Result<Self, AppError> {
        Ok(Self(query.list::<ApiKeyKind>()?))
    }
}

async fn list(
    State(api): State<Shared>,
    Segments(organisation): Segments<String>,
    Query(KeysQuery(input)): Query<KeysQuery>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ListOut<ApiTokenCensoredOut>>> {
    let page = api.app.api_keys(&caller, &organisation, &input).await?;
    Ok(Json(page.map(ApiTokenCensoredOut::from).into()))
}

async fn create(
    State(api): State<Shared>,
    Segments(organisation): Segments<String>,
    call: Call<ApiTokenIn>,
) -> Answer<Json<ApiTokenOut>> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    let input = ApiKeyInput {
        name: body.name,
        scopes: body.scopes,
    };
    let made = api
        .app
        .create_api_key(&call.caller, (&organisation, nouns()), input)
        .await?;
    Ok(Json(made.into()))
}

async fn get_one(
    State(api): State<Shared>,
    Segments((organisation, key)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<ApiTokenCensoredOut>> {
    let key = api.app.api_key(&caller, (&organisation, &key)).await?;
    Ok(Json(key.into()))
}

async fn put(
    State(api): State<Shared>,
    Segments(path): Segments<(String, String)>,
    call: Call<ApiTokenUpdate>,
) -> Answer<Json<ApiTokenCensoredOut>> {
    call.caller.require_organisation()?;
    let patch = ApiKeyPatch {
        name: Patch::Set(call.json()?.name),
        ..ApiKeyPatch::default()
    };
    write(&api, path, (call.caller, patch)).await
}

async fn patch_one(
    State(api): State<Shared>,
    Segments(path): Segments<(String, String)>,
    call: Call<ApiTokenPatch>,
) -> Answer<Json<ApiTokenCensoredOut>> {
    call.caller.require_organisation()?;
    let body = call.json()?;
    let patch = ApiKeyPatch {
        name: body.name.0.map(Option::unwrap_or_default),
        scopes: body.scopes.0,
    };
    write(&api, path, (call.caller, patch)).await
}

async fn write(
    api: &Shared,
    (organisation, key): (String, String),
    (caller, patch): (app::Caller, ApiKeyPatch),
) -> Answer<Json<ApiTokenCensoredOut>> {
    let path = (organisation.as_str(), key.as_str(), nouns());
    let key = api.app.patch_api_key(&caller, path, patch).await?;
    Ok(Json(key.into()))
}

async fn expire(
    State(api): State<Shared>,
    Segments((organisation, key)): Segments<(String, String)>,
    call: Call<ApiTokenExpireIn>,
) -> Answer<NoContent> {
    call.caller.require_organisation()?;
    let seconds = call.json()?.expiry.into();
    api.app
        .expire_api_key(&call.caller, (&organisation, &key), seconds)
        .await?;
    Ok(NoContent)
}
