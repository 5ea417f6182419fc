//! Which keys a receiver's certificates must have one of, and what they were: shapes, routes,
//! handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{AnyPins, PinText, SomePins};
use crate::operation::{Routes, application};
use crate::render::{Answer, NoContent, Time};
use crate::segments::Segments;
use app::access::limits::Capability;
use app::endpoints::{PinsInput, PinsView};
use axum::Json;
use axum::extract::State;
use model::Pin;
use model::chain_seen::SeenCertificate;
use model::protection::PinningMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/pins")
        .get(
            application(
                "v1.endpoint.get-pins",
                "Its pins, and the certificates that were last verified",
            ),
            get_pins,
        )
        .put(
            application("v1.endpoint.set-pins", "Replaces its pins")
                .needs(Capability::ManageEndpoint),
            put_pins,
        )
        .delete(
            application("v1.endpoint.delete-pins", "Takes its pins away")
                .needs(Capability::ManageEndpoint),
            delete_pins,
        )
}

/// Pins, and what becomes of a connection whose certificates have none of them: it ends before
/// anything is sent (`enforce`, `firstUse`), or is reported (`report`). With `firstUse` there may
/// be none yet: the first connection's is taken.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointPinsIn")]
enum PinsIn {
    Enforce {
        #[schemars(with = "SomePins")]
        pins: Vec<String>,
    },
    Report {
        #[schemars(with = "SomePins")]
        pins: Vec<String>,
    },
    FirstUse {
        #[serde(default)]
        #[schemars(with = "AnyPins")]
        pins: Vec<String>,
    },
}

#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
enum Mode {
    Enforce,
    Report,
    FirstUse,
}

/// Pins, and what the receiver showed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointPinsOut")]
struct PinsOut {
    #[schemars(with = "Vec<PinText>")]
    pins: Vec<String>,
    mode: Mode,
    /// The path that was last verified: first the receiver's own certificate, last the root.
    seen: Vec<CertificateOut>,
    /// What would be better.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

/// A certificate.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CertificateOut")]
pub(super) struct CertificateOut {
    #[schemars(with = "PinText")]
    pin: String,
    subject: String,
    issuer: String,
    /// Not known of roots that are built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// When a receiver's was last verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<Time>,
}

impl From<PinsIn> for PinsInput {
    fn from(body: PinsIn) -> Self {
        let (mode, pins) = match body {
            PinsIn::Enforce { pins } => (PinningMode::Enforce, pins),
            PinsIn::Report { pins } => (PinningMode::Report, pins),
            PinsIn::FirstUse { pins } => (PinningMode::FirstUse, pins),
        };
        Self { pins, mode }
    }
}

impl From<PinsView> for PinsOut {
    fn from(view: PinsView) -> Self {
        let seen = view.seen.map(|seen| {
            let at = Some(Time(seen.at));
            let shown = |one| CertificateOut {
                seen_at: at,
                ..CertificateOut::from(one)
            };
            seen.certificates.into_iter().map(shown).collect()
        });
        Self {
            pins: view.pins.iter().map(Pin::to_string).collect(),
            mode: match view.mode {
                PinningMode::Enforce => Mode::Enforce,
                PinningMode::Report => Mode::Report,
                PinningMode::FirstUse => Mode::FirstUse,
            },
            seen: seen.unwrap_or_default(),
            advice: view.advice,
        }
    }
}

impl From<SeenCertificate> for CertificateOut {
    fn from(one: SeenCertificate) -> Self {
        Self {
            pin: one.pin.to_string(),
            subject: one.subject,
            issuer: one.issuer,
            expires_at: one.not_after.map(Time),
            seen_at: None,
        }
    }
}

async fn get_pins(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<PinsOut>> {
    let tenant = api.app.application(&caller, &app_id).await?;
    Ok(Json(api.app.pins(&tenant, &endpoint_id).await?.into()))
}

async fn put_pins(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    call: Call<PinsIn>,
) -> Answer<NoContent> {
    let tenant = api.app.application(&call.caller, &app_id).await?;
    api.app.endpoint(&tenant, &endpoint_id)?;
    let input = call.json()?.into();
    api.app
        .put_pins(&call.caller, &tenant, &endpoint_id, input)
        .await?;
    Ok(NoContent)
}

async fn delete_pins(
    State(api): State<Shared>,
    Segments((app_id, endpoint_id)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    let tenant = api.app.application(&caller, &app_id).await?;
    api.app.delete_pins(&caller, &tenant, &endpoint_id).await?;
    Ok(NoContent)
}
