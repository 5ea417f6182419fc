//! A source's configuration: as it is taken, with its secrets, and as it is shown, without them.
//! One shape for all types: which of its members mean something for a type, the use case says.

use super::auth::{AuthIn, AuthOut};
use crate::body::parse;
use crate::bounds::{
    Network, SchemeHeader, SchemePrefix, SchemeTemplate, SignatureEncoding, SignatureHash,
    SourceSecret,
};
use crate::endpoints::signature::body_alone;
use app::AppError;
use app::sources::{
    ConfigInput, ConfigView, EncryptionInput, KEYS_MAX, NETWORKS_MAX, PLACE_BYTES_MAX, RATE_LIMITS,
    REPLAY_WINDOW_SECONDS_MAX, SCHEDULE_BYTES_MAX, SignatureInput, TOLERANCE_SECONDS_MAX,
};
use model::Secret;
use model::protection::GenericSignature;
use model::source::EventTypeAt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How a source verifies what comes to it, and what it makes of that. What is not given is as the
/// source's type has it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(rename = "IngestSourceConfigIn")]
pub(super) struct ConfigIn {
    /// What requests are signed with.
    #[schemars(with = "Option<SourceSecret>")]
    secret: Option<String>,
    /// The same, the current one first, with those that are still good while they rotate.
    #[schemars(with = "Option<Vec<SourceSecret>>", length(max = KEYS_MAX))]
    secrets: Option<Vec<String>>,
    /// What they are verified with, of senders that sign with a key pair.
    #[schemars(with = "Option<SourceSecret>")]
    public_key: Option<String>,
    /// Whom they name, of the type `adobe-sign`, whose requests show no more than that.
    #[schemars(with = "Option<SourceSecret>")]
    client_id: Option<String>,
    /// How they are signed, of the type `generic-webhook`.
    signature: Option<SignatureIn>,
    /// What they show besides.
    auth: Option<AuthIn>,
    /// What payloads are encrypted to. Where it is given, nothing plain is taken.
    encryption: Option<EncryptionIn>,
    /// The networks, or addresses, that they come from; any, unless given.
    #[schemars(with = "Option<Vec<Network>>", length(max = NETWORKS_MAX))]
    allow_addresses: Option<Vec<String>>,
    /// How far the signed time may lie from now, either way.
    #[schemars(range(max = TOLERANCE_SECONDS_MAX))]
    tolerance_seconds: Option<u32>,
    /// The same, as the type `tailscale` has it.
    #[schemars(range(max = TOLERANCE_SECONDS_MAX))]
    timestamp_grace_seconds: Option<u32>,
    /// For how long a replay is told; 30 days where no time is signed, and at least twice the
    /// tolerance.
    #[schemars(range(max = REPLAY_WINDOW_SECONDS_MAX))]
    replay_window_seconds: Option<u32>,
    /// The most requests in a second.
    #[schemars(range(min = *RATE_LIMITS.start(), max = *RATE_LIMITS.end()))]
    rate_limit: Option<u32>,
    /// The application that gets what comes, by id or uid; one of its own, unless given.
    app_id: Option<String>,
    /// Where the event type stands, if that is elsewhere than the type has it.
    event_type: Option<EventTypeIn>,
    /// What the provider shows that asks whether its requests are wanted, of the type `meta`.
    #[schemars(with = "Option<SourceSecret>")]
    verify_token: Option<String>,
    /// Nothing is verified: only where nothing is given that could be.
    unverified: Option<bool>,
    /// What is refused is kept for a while, for people to look at.
    keep_refused: Option<bool>,
    /// When messages are made, of the type `cron`: five fields, by UTC.
    #[schemars(length(max = SCHEDULE_BYTES_MAX))]
    schedule: Option<String>,
    /// What they are.
    payload: Option<String>,
    /// What that is; JSON, unless given.
    content_type: Option<String>,
}

/// An HMAC that is described, with its secret.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SourceSignatureIn")]
struct SignatureIn {
    /// Other schemes have types of their own.
    #[serde(default)]
    #[allow(dead_code, reason = "there is no other word that could be read")]
    scheme: Option<SchemeWord>,
    /// What carries the signature.
    #[schemars(with = "SchemeHeader")]
    header: String,
    #[schemars(with = "SignatureHash")]
    hash: String,
    #[schemars(with = "SignatureEncoding")]
    encoding: String,
    /// What stands before the digest, such as `sha256=`.
    #[serde(default)]
    #[schemars(with = "SchemePrefix")]
    prefix: String,
    /// What is signed, of `{id}`, `{timestamp}` and `{body}`.
    #[serde(default = "body_alone")]
    #[schemars(with = "SchemeTemplate")]
    template: String,
    /// What carries a signed time, where it isn't `webhook-timestamp`.
    #[serde(default)]
    #[schemars(with = "Option<SchemeHeader>")]
    timestamp_header: Option<String>,
    /// The first of the configuration's `secrets`.
    #[serde(default)]
    #[schemars(with = "Option<SourceSecret>")]
    secret: Option<String>,
}

/// The one scheme that is described.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum SchemeWord {
    Generic,
}

/// Private JWKs (RFC 7517): what payloads are encrypted to are their public halves.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(rename = "SourceEncryptionIn")]
struct EncryptionIn {
    #[schemars(with = "Option<Map<String, Value>>")]
    private_jwk: Option<Box<RawValue>>,
    /// The same, the current one first, with those that are still good while they rotate.
    #[schemars(with = "Option<Vec<Map<String, Value>>>", length(max = KEYS_MAX))]
    private_jwks: Option<Vec<Box<RawValue>>>,
}

/// One of these.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    rename = "SourceEventTypeIn",
    extend("minProperties" = 1, "maxProperties" = 1)
)]
struct EventTypeIn {
    /// A header.
    #[schemars(length(min = 1, max = PLACE_BYTES_MAX))]
    header: Option<String>,
    /// A place in a JSON body, as a JSON Pointer.
    #[schemars(length(min = 1, max = PLACE_BYTES_MAX))]
    pointer: Option<String>,
    /// Nowhere: it is always this one.
    #[schemars(length(min = 1, max = PLACE_BYTES_MAX))]
    always: Option<String>,
}

impl TryFrom<ConfigIn> for ConfigInput {
    type Error = AppError;

    fn try_from(body: ConfigIn) -> Result<Self, AppError> {
        Ok(Self {
            event_type: body.event_type.map(TryInto::try_into).transpose()?,
            secret: body.secret.map(Secret::from),
            secrets: secrets(body.secrets),
            public_key: body.public_key.map(Secret::from),
            client_id: body.client_id.map(Secret::from),
            signature: body.signature.map(Into::into),
            auth: body.auth.map(Into::into),
            encryption: body.encryption.map(Into::into),
            allow_addresses: body.allow_addresses.unwrap_or_default(),
            tolerance_seconds: body.tolerance_seconds,
            timestamp_grace_seconds: body.timestamp_grace_seconds,
            replay_window_seconds: body.replay_window_seconds,
            rate_limit: body.rate_limit,
            application: body.app_id,
            verify_token: body.verify_token.map(Secret::from),
            unverified: body.unverified.unwrap_or_default(),
            keeps_refused: body.keep_refused.unwrap_or_default(),
            schedule: body.schedule,
            payload: body.payload,
            content_type: body.content_type,
        })
    }
}

/// A configuration from its JSON, as the body of a source has it in `config`.
///
/// # Errors
/// [`AppError::Invalid`] for what is none.
pub fn read_source_config(json: &str) -> Result<ConfigInput, AppError> {
    let parsed = parse::<ConfigIn>(json.as_bytes()).map_err(|error| match error {
        AppError::Invalid(mut broken) => {
            // Behind `body`, which each begins with.
            let places = broken.iter_mut().map(|one| &mut one.location);
            places.for_each(|place| place.insert(1, "config".to_owned()));
            AppError::Invalid(broken)
        }
        other => other,
    });
    parsed?.try_into()
}

/// A configuration as JSON for people, without its secrets, as a source is answered with it.
///
/// # Errors
/// [`AppError::Internal`] where what is stored can't be shown.
pub fn show_source_config(view: ConfigView) -> Result<String, AppError> {
    serde_json::to_string_pretty(&ConfigOut::try_from(view)?)
        .map_err(|error| AppError::Internal(error.into()))
}

fn secrets(texts: Option<Vec<String>>) -> Vec<Secret> {
    let texts = texts.unwrap_or_default().into_iter();
    texts.map(Secret::from).collect()
}

impl From<SignatureIn> for SignatureInput {
    fn from(body: SignatureIn) -> Self {
        Self {
            scheme: GenericSignature {
                header: body.header,
                hash: body.hash,
                encoding: body.encoding,
                prefix: body.prefix,
                template: body.template,
                timestamp_header: body.timestamp_header,
            },
            secret: body.secret.map(Secret::from),
        }
    }
}

impl From<EncryptionIn> for EncryptionInput {
    fn from(body: EncryptionIn) -> Self {
        let text = |jwk: Box<RawValue>| Secret::from(Box::<str>::from(jwk).into_string());
        let all = body.private_jwks.unwrap_or_default().into_iter();
        Self {
            private_jwk: body.private_jwk.map(text),
            private_jwks: all.map(text).collect(),
        }
    }
}

impl TryFrom<EventTypeIn> for EventTypeAt {
    type Error = AppError;

    fn try_from(body: EventTypeIn) -> Result<Self, AppError> {
        match (body.header, body.pointer, body.always) {
            (Some(name), None, None) => Ok(Self::Header(name)),
            (None, Some(pointer), None) => Ok(Self::Pointer(pointer)),
            (None, None, Some(name)) => Ok(Self::Always(name)),
            _ => {
                let text = "must have one of `header`, `pointer` and `always`";
                Err(app::Violation::body(&["config", "eventType"], text).into())
            }
        }
    }
}

/// How a source verifies what comes to it, without its secrets.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "IngestSourceConfigOut")]
pub(super) struct ConfigOut {
    /// What requests are verified with, where that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<AuthOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption: Option<EncryptionOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_window_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<EventTypeOut>,
    #[serde(skip_serializing_if = "is_off")]
    keep_refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

pub(super) fn is_off(flag: &bool) -> bool {
    !flag
}

/// An HMAC that is described.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SourceSignatureOut")]
struct SignatureOut {
    scheme: SchemeWord,
    header: String,
    hash: String,
    encoding: String,
    prefix: String,
    template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_header: Option<String>,
}

/// What payloads are encrypted to: any of these, the current one first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SourceEncryptionOut")]
struct EncryptionOut {
    #[schemars(with = "Vec<Map<String, Value>>")]
    public_jwks: Vec<Box<RawValue>>,
}

/// Where an event type stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SourceEventTypeOut")]
enum EventTypeOut {
    Header(String),
    Pointer(String),
    Always(String),
}

impl From<EventTypeAt> for EventTypeOut {
    fn from(at: EventTypeAt) -> Self {
        match at {
            EventTypeAt::Header(name) => Self::Header(name),
            EventTypeAt::Pointer(pointer) => Self::Pointer(pointer),
            EventTypeAt::Always(name) => Self::Always(name),
        }
    }
}

impl From<GenericSignature> for SignatureOut {
    fn from(scheme: GenericSignature) -> Self {
        Self {
            scheme: SchemeWord::Generic,
            header: scheme.header,
            hash: scheme.hash,
            encoding: scheme.encoding,
            prefix: scheme.prefix,
            template: scheme.template,
            timestamp_header: scheme.timestamp_header,
        }
    }
}

impl TryFrom<ConfigView> for ConfigOut {
    type Error = AppError;

    fn try_from(view: ConfigView) -> Result<Self, AppError> {
        let jwks = view.public_jwks.into_iter().map(RawValue::from_string);
        let jwks: Result<Vec<_>, _> = jwks.collect();
        let public_jwks = jwks.map_err(|error| AppError::Internal(error.into()))?;
        let (schedule, payload, content_type) = match view.cron {
            Some(cron) => (Some(cron.schedule), Some(cron.payload), cron.content_type),
            None => (None, None, None),
        };
        Ok(Self {
            public_key: view.public_key,
            signature: view.signature.map(Into::into),
            auth: view.auth.map(Into::into),
            encryption: (!public_jwks.is_empty()).then_some(EncryptionOut { public_jwks }),
            allow_addresses: view.allow_addresses,
            tolerance_seconds: view.tolerance_seconds,
            replay_window_seconds: view.replay_window_seconds,
            rate_limit: view.rate_limit,
            event_type: view.event_type.map(Into::into),
            keep_refused: view.keeps_refused,
            schedule,
            payload,
            content_type,
        })
    }
}
