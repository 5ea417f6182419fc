//! Whom an endpoint's connections trust, and how old their TLS may be: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::Authorities;
use crate::operation::{Routes, application};
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{CaInput, MinTls};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/ca")
        .get(
            application(
                "v1.endpoint.get-server-ca",
                "Whom its connections trust in place of the system's roots",
            ),
            get_ca,
        )
        .put(
            application("v1.endpoint.set-server-ca", "Replaces it")
                .needs(Capability::ManageEndpoint),
            put_ca,
        )
        .delete(
            application("v1.endpoint.delete-server-ca", "Takes it away")
                .needs(Capability::ManageEndpoint),
            delete_ca,
        )
}

/// Authorities in place of the system's, as PEM; and the oldest TLS. What is not given is as
/// everywhere: neither given is the same as taking it away.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointServerCaIn")]
struct CaIn {
    #[serde(default)]
    #[schemars(with = "Option<Authorities>")]
    cert: Option<String>,
    #[serde(default)]
    min_tls_version: TlsVersion,
}

/// The same.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointServerCaOut")]
struct CaOut {
    cert: Option<String>,
    min_tls_version: TlsVersion,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[schemars(inline)]
enum TlsVersion {
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

impl From<CaIn> for CaInput {
    fn from(body: CaIn) -> Self {
        Self {
            cert: body.cert,
            min_tls: match body.min_tls_version {
                TlsVersion::Tls12 => MinTls::Tls12,
                TlsVersion::Tls13 => MinTls::Tls13,
            },
        }
    }
}

impl From<CaInput> for CaOut {
    fn from(set: CaInput) -> Self {
        Self {
            cert: set.cert,
            min_tls_version: match set.min_tls {
                MinTls::Tls12 => TlsVersion::Tls12,
                MinTls::Tls13 => TlsVersion::Tls13,
            },
        }
    }
}

async fn get_ca(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<CaOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    Ok(Json(api.app.ca(&tenant, &endpoint_id)?.into()))
}

async fn put_ca(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<CaIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let input = call.json()?.into();
    api.app
        .put_ca(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(NoContent)
}

async fn delete_ca(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app
        .put_ca(&caller, &tenant, &endpoint_id, CaInput::USUAL)
        .await?;
    Ok(NoContent)
}
