//! Whether an endpoint's deliveries carry their payload: shapes, routes, handlers.

use super::part::{self, At, Part};
use crate::operation::{Routes, application};
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::RemovablePart;
use model::protection::PayloadMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/payload")
        .get(
            application(
                "v1.endpoint.get-payload",
                "Whether its deliveries carry the payload, or where it is to be had",
            ),
            part::get::<Carried>,
        )
        .put(
            application("v1.endpoint.set-payload", "Replaces it").needs(Capability::ManageEndpoint),
            part::put::<Carried>,
        )
        .delete(
            application(
                "v1.endpoint.delete-payload",
                "Takes it away: its deliveries carry the payload again",
            )
            .needs(Capability::ManageEndpoint),
            part::delete::<Carried>,
        )
}

struct Carried;

impl Part for Carried {
    type In = PayloadInOut;
    type Out = PayloadInOut;

    async fn get(at: At<'_>) -> Result<PayloadInOut, AppError> {
        let mode = at.app.payload_mode(at.tenant, at.endpoint)?.into();
        Ok(PayloadInOut { mode })
    }

    async fn put(at: At<'_>, body: PayloadInOut) -> Result<(), AppError> {
        let mode = body.mode.into();
        at.app
            .put_payload_mode(at.caller, at.tenant, at.endpoint, mode)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Payload).await
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndpointPayload")]
struct PayloadInOut {
    mode: Mode,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
enum Mode {
    Full,
    Thin,
}

impl From<PayloadMode> for Mode {
    fn from(mode: PayloadMode) -> Self {
        match mode {
            PayloadMode::Full => Self::Full,
            PayloadMode::Thin => Self::Thin,
        }
    }
}

impl From<Mode> for PayloadMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Full => Self::Full,
            Mode::Thin => Self::Thin,
        }
    }
}
