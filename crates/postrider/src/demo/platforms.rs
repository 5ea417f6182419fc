//! The platforms' side: the Postrider that they send with, and what the order system is registered
//! for there. Their events are delivered to the order system's gateway, by way of the wire.

use super::api::{APPLICATION, Api};
use super::gateway::{self, Platform, Source};
use super::shop::ENTRANCES;
use super::wire::Wire;
use anyhow::Context as _;
use model::Entropy;
use model::entropy::random;
use serde_json::json;
use std::fmt::Write as _;
use webhook::SigningKey;

/// Both sides of what the platforms send, brought together.
pub(super) struct Platforms {
    /// Their endpoints at their own Postrider.
    pub(super) endpoints: Vec<String>,
    /// Where these lead.
    pub(super) payments: Source,
    /// Where these lead.
    pub(super) shipments: Source,
}

/// Registers the order system at the platforms' Postrider, and the platforms at its gateway.
pub(super) async fn register(
    (theirs, ours): (&Api, &Api),
    wire: &Wire,
    entropy: &dyn Entropy,
) -> anyhow::Result<Platforms> {
    let application = json!({"name": "Order system", "uid": APPLICATION});
    theirs.create(["app"], &application).await?;
    let mut password = String::new();
    for byte in random::<16>(entropy) {
        write!(password, "{byte:02x}").expect("a string takes what is written to it");
    }
    let (first, payments) =
        connect((theirs, ours), wire, (Platform::Payments, secret(entropy))).await?;
    let shipments = Platform::Shipments { password };
    let (second, shipments) = connect((theirs, ours), wire, (shipments, secret(entropy))).await?;
    Ok(Platforms {
        endpoints: vec![first, second],
        payments,
        shipments,
    })
}

/// An endpoint at theirs, signing as its platform does, and the source at ours that it leads to.
async fn connect(
    (theirs, ours): (&Api, &Api),
    wire: &Wire,
    (platform, secret): (Platform, String),
) -> anyhow::Result<(String, Source)> {
    let entrance = ENTRANCES.iter().find(|(name, _)| *name == platform.name());
    let (name, types) = entrance.context("an entrance for each platform")?;
    for event_type in types {
        theirs.create_event_type(event_type).await?;
    }
    let source = gateway::open(ours, platform, secret).await?;
    let body = json!({
        "uid": name,
        "url": wire.to(&source.url)?,
        "secret": source.secret,
        "eventTypes": types,
    });
    let made = theirs
        .create(["app", APPLICATION, "endpoint"], &body)
        .await?;
    let id = made["id"].as_str().context("an endpoint has an id")?;
    theirs
        .put_of_endpoint(id, "signature", &source.platform.signature())
        .await?;
    if let Some(auth) = source.platform.auth() {
        theirs.put_of_endpoint(id, "auth", &auth).await?;
    }
    Ok((id.to_owned(), source))
}

/// What a platform signs with.
fn secret(entropy: &dyn Entropy) -> String {
    let key = SigningKey::generate_hmac(&random(entropy));
    key.to_text().expose().to_owned()
}
