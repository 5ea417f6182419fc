//! Which keys a receiver's certificates must have one of, and what they were: shapes, routes,
//! handlers.

use super::part::{self, At, Part};
use crate::bounds::{AnyPins, PinText, SomePins};
use crate::operation::{Routes, application};
use crate::render::Time;
use app::AppError;
use app::access::limits::Capability;
use app::endpoints::{PinsInput, PinsView, RemovablePart};
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
            part::get::<Pins>,
        )
        .put(
            application("v1.endpoint.set-pins", "Replaces its pins")
                .needs(Capability::ManageEndpoint),
            part::put::<Pins>,
        )
        .delete(
            application("v1.endpoint.delete-pins", "Takes its pins away")
                .needs(Capability::ManageEndpoint),
            part::delete::<Pins>,
        )
}

struct Pins;

impl Part for Pins {
    type In = PinsIn;
    type Out = PinsOut;

    async fn get(at: At<'_>) -> Result<PinsOut, AppError> {
        Ok(at.app.pins(at.tenant, at.endpoint).await?.into())
    }

    async fn put(at: At<'_>, body: PinsIn) -> Result<(), AppError> {
        let input = body.into();
        at.app
            .put_pins(at.caller, at.tenant, at.endpoint, input)
            .await
    }

    async fn delete(at: At<'_>) -> Result<(), AppError> {
        at.remove(RemovablePart::Pins).await
    }
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
