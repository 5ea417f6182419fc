//! The client certificate that an endpoint's connections show: shapes, routes, handlers. Its key is
//! taken, and never shown.

use super::part::{self, At, Part};
use super::pins::CertificateOut;
use crate::Shared;
use crate::authentication::Authenticated;
use crate::bounds::{Identity, Password};
use crate::operation::{Routes, application};
use crate::render::{Answer, Time};
use crate::segments::Segments;
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{MtlsInput, MtlsView, RemovablePart};
use axum::Json;
use axum::extract::State;
use model::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/mtls")
        .get(
            application(
                "v1.endpoint.get-mtls",
                "The client certificate of its connections, without the key",
            ),
            part::get::<Mtls>,
        )
        .put(
            application("v1.endpoint.set-mtls-config", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Mtls>,
        )
        .delete(
            application("v1.endpoint.delete-mtls-config", "Takes it away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Mtls>,
        )
        .and_at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/mtls-config")
        .get(
            application(
                "v1.endpoint.get-mtls-2",
                "Whether its connections show a client certificate, and which",
            ),
            get_mtls_config,
        )
}

struct Mtls;

impl Part for Mtls {
    type In = MtlsIn;
    type Out = MtlsConfigOut;

    async fn get(at: At<'_>) -> Result<MtlsConfigOut, AppError> {
        Ok(at.app.mtls(at.tenant, at.endpoint)?.into())
    }

    async fn put(at: At<'_>, body: MtlsIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_mtls(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Mtls).await
    }
}

/// A certificate, those of its issuers, and its key: PEM, or the base64 of PKCS#12. What was set
/// before may be shown for a while besides, where the new one is refused.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointMtlsConfigIn")]
struct MtlsIn {
    #[schemars(with = "Identity")]
    identity: String,
    /// That of PKCS#12.
    #[serde(default)]
    #[schemars(with = "Option<Password>")]
    password: Option<String>,
    #[serde(default)]
    previous_expires_at: Option<Time>,
}

/// The same, masked, and what there is to see of it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointMtlsConfigOut")]
struct MtlsConfigOut {
    identity: &'static str,
    /// First the client's own.
    certificates: Vec<CertificateOut>,
    /// Until when what was set before is shown besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Time>,
}

/// Whether there is one.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointMtlsOut")]
struct MtlsOut {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<MtlsConfigOut>,
}

impl From<MtlsIn> for MtlsInput {
    fn from(body: MtlsIn) -> Self {
        Self {
            identity: Secret::from(body.identity),
            password: body.password.map(Secret::from),
            previous_expires_at: body.previous_expires_at.map(|time| time.0),
        }
    }
}

impl From<MtlsView> for MtlsConfigOut {
    fn from(view: MtlsView) -> Self {
        let certificates = view.certificates.into_iter();
        Self {
            identity: "***",
            certificates: certificates.map(CertificateOut::from).collect(),
            previous_expires_at: view.previous_expires_at.map(Time),
        }
    }
}

async fn get_mtls_config(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MtlsOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let config = match api.app.mtls(&tenant, &endpoint_id) {
        Ok(view) => Some(view.into()),
        Err(AppError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Json(MtlsOut {
        enabled: config.is_some(),
        config,
    }))
}
