//! Who a token speaks for, and how tokens end before their time.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::Session;
use crate::operation::{Routes, anybody, organisation};
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use app::access::{EXPIRY_WAIT_MAX, ExpireInput, Myself, SESSIONS_MAX};
use axum::Json;
use axum::extract::State;
use model::role::Role;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Routes {
    Routes::at("/api/v1/auth/logout")
        .post(
            anybody(
                "v1.authentication.logout",
                "Ends the token that it comes with",
            )
            .for_all_of_the_portal(),
            log_out,
        )
        .and_at("/api/v1/auth/whoami")
        .get(
            anybody("v1.authentication.whoami", "Whom the token speaks for"),
            whoami,
        )
        .and_at("/api/v1/auth/app/{app_id}/expire-all")
        .post(
            organisation(
                "v1.authentication.expire-all",
                "Ends an application's tokens, or those of some sessions",
            ),
            expire_all,
        )
}

/// Which of an application's tokens end, and when. Tokens that are issued later are not concerned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct ApplicationTokenExpireIn {
    /// In how many seconds they end, at most 259,200; at once if it is not given.
    #[schemars(range(min = 0, max = EXPIRY_WAIT_MAX))]
    expiry: Option<i64>,
    /// Only tokens that were issued for these sessions.
    #[schemars(with = "Vec<Session>", length(max = SESSIONS_MAX))]
    session_ids: Vec<String>,
}

impl From<ApplicationTokenExpireIn> for ExpireInput {
    fn from(body: ApplicationTokenExpireIn) -> Self {
        Self {
            expiry: body.expiry,
            sessions: body.session_ids,
        }
    }
}

/// Whom a token speaks for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WhoamiOut {
    /// What kind of token it is.
    permission_source: AuthenticationSource,
    /// The organisation.
    env_id: Option<String>,
    /// The application, where it is an application's.
    app_id: Option<String>,
    /// The session that it was issued for.
    session_id: Option<String>,
    /// What it is limited to, where it is a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "roles")]
    role: Option<&'static str>,
}

fn roles(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Role::ALL.map(Role::as_str) })
}

/// `SvixJwt` is a signed token, `RegionalAuthToken` an API key: clients know them by these names.
#[derive(Serialize, JsonSchema)]
enum AuthenticationSource {
    SvixJwt,
    RegionalAuthToken,
}

impl From<Myself> for WhoamiOut {
    fn from(myself: Myself) -> Self {
        Self {
            permission_source: match myself.by_api_key {
                true => AuthenticationSource::RegionalAuthToken,
                false => AuthenticationSource::SvixJwt,
            },
            env_id: Some(myself.organisation),
            app_id: myself.application,
            session_id: myself.session,
            role: myself.role.map(Role::as_str),
        }
    }
}

async fn log_out(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    api.app.log_out(&caller).await?;
    Ok(NoContent)
}

async fn whoami(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<WhoamiOut>> {
    Ok(Json(api.app.whoami(&caller).into()))
}

async fn expire_all(
    State(api): State<Shared>,
    Segments(path): Segments<String>,
    call: Call<ApplicationTokenExpireIn>,
) -> Answer<NoContent> {
    let found = api
        .app
        .application_for_organisation(&call.caller, &path)
        .await?;
    let body = call.json()?;
    api.app
        .expire_tokens(&call.caller, &found, body.into())
        .await?;
    Ok(NoContent)
}
