//! The order system's side of the gateway: what it has set up there before anything comes.

use super::api::{APPLICATION, Api};
use anyhow::Context as _;
use serde_json::{Value, json};
use webhook::provider::{Outgoing, Provider};
use webhook::{GenericScheme, HmacKeys, HmacScheme};

/// The user name that the delivery system shows.
const USER: &str = "parcels";
/// The header that carries the delivery system's signature.
const SIGNATURE: &str = "X-Parcel-Signature";
/// The header that carries the time that it covers.
const TIMESTAMP: &str = "X-Parcel-Timestamp";

/// Who sends, and how it is told that it was them.
#[derive(Clone)]
pub(super) enum Platform {
    /// The payment platform: signs as Stripe does.
    Payments,
    /// The delivery system: signs with an HMAC of its own, and shows a password.
    Shipments {
        /// The password.
        password: String,
    },
}

/// A place where a platform's events arrive.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) platform: Platform,
    /// The URL that the platform is told.
    pub(super) url: String,
    /// What it signs with.
    pub(super) secret: String,
}

impl Platform {
    /// Its name, and that of the order system's entrance for its events.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Shipments { .. } => "shipments",
        }
    }

    /// How it signs, for the side that signs.
    pub(super) fn signature(&self) -> Value {
        match self {
            Self::Payments => json!({"scheme": "stripe"}),
            Self::Shipments { .. } => described("scheme", "generic"),
        }
    }

    /// What it shows besides.
    pub(super) fn auth(&self) -> Option<Value> {
        match self {
            Self::Payments => None,
            Self::Shipments { password } => {
                Some(json!({"type": "basic", "username": USER, "password": password}))
            }
        }
    }

    /// The source for what it sends.
    fn source(&self, secret: &str) -> Value {
        let (source_type, mut config) = match self {
            Self::Payments => ("stripe", json!({"secret": secret})),
            Self::Shipments { .. } => {
                let config = json!({
                    "signature": described("secret", secret),
                    "auth": self.auth(),
                    "eventType": {"pointer": "/type"},
                });
                ("generic-webhook", config)
            }
        };
        config["appId"] = APPLICATION.into();
        json!({"name": self.name(), "uid": self.name(), "type": source_type, "config": config})
    }
}

/// The delivery system's scheme, with one member more.
fn described(name: &str, value: &str) -> Value {
    json!({
        name: value,
        "header": SIGNATURE,
        "hash": "sha256",
        "encoding": "hex",
        "template": "{timestamp}.{body}",
        "timestampHeader": TIMESTAMP,
    })
}

/// Opens a source for a platform that signs with this secret.
pub(super) async fn open(api: &Api, platform: Platform, secret: String) -> anyhow::Result<Source> {
    let made = api.create_source(&platform.source(&secret)).await?;
    let url = made["ingestUrl"].as_str();
    Ok(Source {
        platform,
        url: url.context("a source has a URL")?.to_owned(),
        secret,
    })
}

/// What a platform would send with a body, signed at this time with this secret.
pub(super) fn sign(
    platform: &Platform,
    secret: &str,
    (time, body): (i64, &[u8]),
) -> anyhow::Result<Vec<(String, String)>> {
    let headers = match platform {
        Platform::Payments => {
            let stripe = Provider::named("stripe").context("a provider that is known")?;
            let request = Outgoing {
                method: "POST",
                url: "",
                id: "evt_forged",
                timestamp: time,
                body,
            };
            stripe.sign(&[secret], &request)?
        }
        Platform::Shipments { .. } => {
            let scheme = HmacScheme::generic(GenericScheme {
                header: SIGNATURE,
                hash: "sha256",
                encoding: "hex",
                prefix: "",
                template: "{timestamp}.{body}",
                timestamp_header: Some(TIMESTAMP),
            })?;
            let keys = HmacKeys {
                current: &scheme.key(secret)?,
                before: &[],
            };
            let headers = scheme.sign(keys, ("evt_forged", time), body).into_iter();
            headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        }
    };
    Ok(headers)
}
