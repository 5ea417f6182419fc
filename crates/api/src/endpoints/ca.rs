//! Whom an endpoint's connections trust, and how old their TLS may be: shapes, routes, handlers.

use super::part::{self, At, Part};
use crate::bounds::Authorities;
use crate::operation::{Routes, application};
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{CaInput, MinTls, RemovablePart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/ca")
        .get(
            application(
                "v1.endpoint.get-server-ca",
                "Whom its connections trust in place of the system's roots",
            ),
            part::get::<Ca>,
        )
        .put(
            application("v1.endpoint.set-server-ca", "Replaces it")
                .needs(Capability::ManageEndpoint),
            part::put::<Ca>,
        )
        .delete(
            application("v1.endpoint.delete-server-ca", "Takes it away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Ca>,
        )
}

struct Ca;

impl Part for Ca {
    type In = CaIn;
    type Out = CaOut;

    async fn get(at: At<'_>) -> Result<CaOut, AppError> {
        Ok(at.app.ca(at.tenant, at.endpoint)?.into())
    }

    async fn put(at: At<'_>, body: CaIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_ca(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Ca).await
    }
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
