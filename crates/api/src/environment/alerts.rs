//! Whom security events are told to: shapes, routes, handlers. A webhook's URL is taken whole, and
//! shown as where it leads.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::bounds::{
    AlertsAtOnce, AlertsDedup, AlertsDigest, MailAddresses, SecurityKinds, Severities, TokenUrl,
};
use crate::operation::{Routes, organisation};
use crate::render::{Answer, NoContent};
use app::environment::alerts::{AlertsInput, ChannelInput, DestinationInput, Tried, masked_url};
use axum::Json;
use axum::extract::State;
use model::Secret;
use model::alerts::{Alerts, CHANNELS_MAX, Channel, Destination};
use model::security::{SecurityKind, Severity};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/environment/alerts")
        .get(
            organisation(
                "v1.environment.get-alerts",
                "Whom security events are told to, masked",
            ),
            get,
        )
        .put(
            organisation("v1.environment.set-alerts", "Replaces it"),
            put,
        )
        .and_at("/api/v1/environment/alerts/test")
        .post(
            organisation(
                "v1.environment.test-alerts",
                "Sends each channel a test alert now, and tells how it went",
            ),
            test,
        )
}

/// Whom security events are told to, and how often.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EnvironmentAlertsIn")]
struct AlertsIn {
    /// To whom; nobody where there are none.
    #[serde(default)]
    #[schemars(length(max = CHANNELS_MAX))]
    channels: Vec<ChannelIn>,
    /// For so many seconds the same kind of event with the same subject is not told of by itself
    /// again, but counted.
    #[serde(default)]
    #[schemars(with = "Option<AlertsDedup>")]
    dedup_seconds: Option<u64>,
    /// What is not told at once is told together, no more often than every so many seconds.
    #[serde(default)]
    #[schemars(with = "Option<AlertsDigest>")]
    digest_seconds: Option<u64>,
    /// So many alerts go out at once in that time, and as many that are critical.
    #[serde(default)]
    #[schemars(with = "Option<AlertsAtOnce>")]
    at_once: Option<u16>,
}

/// A way to people.
#[derive(Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[schemars(rename = "AlertChannelIn")]
enum ChannelIn {
    /// An incoming webhook as Slack has it: a `POST` of `{"text"}`.
    Slack {
        #[schemars(with = "TokenUrl")]
        url: String,
        /// Of what is at least so bad; a warning unless it is given.
        #[serde(default)]
        #[schemars(with = "Option<Severities>")]
        min_severity: Option<Word<Severity>>,
        /// Of these kinds; of all unless they are given.
        #[serde(default)]
        #[schemars(with = "Option<SecurityKinds>")]
        kinds: Option<Vec<Word<SecurityKind>>>,
    },
    /// E-mail, by the mail server that the operator has configured.
    Email {
        #[schemars(with = "MailAddresses")]
        to: Vec<String>,
        /// As above.
        #[serde(default)]
        #[schemars(with = "Option<Severities>")]
        min_severity: Option<Word<Severity>>,
        /// As above.
        #[serde(default)]
        #[schemars(with = "Option<SecurityKinds>")]
        kinds: Option<Vec<Word<SecurityKind>>>,
    },
}

/// Something that has a name.
struct Word<T>(T);

impl<'de> Deserialize<'de> for Word<Severity> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        let mut all = Severity::ALL.into_iter();
        let severity = all.find(|severity| severity.as_str() == text);
        let error = || D::Error::custom("must be info, warning or critical");
        severity.map(Self).ok_or_else(error)
    }
}

impl<'de> Deserialize<'de> for Word<SecurityKind> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        let error = || {
            D::Error::custom(
                "must be a kind of security event, such as `api.authentication_failed`",
            )
        };
        SecurityKind::named(&text).map(Self).ok_or_else(error)
    }
}

impl From<AlertsIn> for AlertsInput {
    fn from(body: AlertsIn) -> Self {
        Self {
            channels: body.channels.into_iter().map(Into::into).collect(),
            dedup_seconds: body.dedup_seconds,
            digest_seconds: body.digest_seconds,
            at_once: body.at_once,
        }
    }
}

impl From<ChannelIn> for ChannelInput {
    fn from(body: ChannelIn) -> Self {
        let (to, min_severity, kinds) = match body {
            ChannelIn::Slack {
                url,
                min_severity,
                kinds,
            } => {
                let url = Secret::from(url);
                (DestinationInput::Slack { url }, min_severity, kinds)
            }
            ChannelIn::Email {
                to,
                min_severity,
                kinds,
            } => (DestinationInput::Email { to }, min_severity, kinds),
        };
        Self {
            to,
            min_severity: min_severity.map(|Word(severity)| severity),
            kinds: kinds.map(|kinds| kinds.into_iter().map(|Word(kind)| kind).collect()),
        }
    }
}

/// The same, masked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EnvironmentAlertsOut")]
struct AlertsOut {
    channels: Vec<ChannelOut>,
    #[schemars(with = "AlertsDedup")]
    dedup_seconds: u64,
    #[schemars(with = "AlertsDigest")]
    digest_seconds: u64,
    #[schemars(with = "AlertsAtOnce")]
    at_once: u16,
}

/// A way to people.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AlertChannelOut")]
struct ChannelOut {
    /// `slack` or `email`.
    r#type: &'static str,
    /// Where it leads, and in place of the rest `***`.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Vec<String>>,
    #[schemars(with = "Severities")]
    min_severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SecurityKinds>")]
    kinds: Option<Vec<&'static str>>,
}

impl From<Alerts> for AlertsOut {
    fn from(Alerts { channels, pace }: Alerts) -> Self {
        Self {
            channels: channels.iter().map(Into::into).collect(),
            dedup_seconds: pace.dedup.as_secs(),
            digest_seconds: pace.digest.as_secs(),
            at_once: pace.at_once,
        }
    }
}

impl From<&Channel> for ChannelOut {
    fn from(channel: &Channel) -> Self {
        let (url, to) = match &channel.to {
            Destination::Slack(url) => (Some(masked_url(url)), None),
            Destination::Email(to) => (None, Some(to.iter().map(ToString::to_string).collect())),
        };
        let kinds = channel.kinds.as_ref();
        Self {
            r#type: channel.to.word(),
            url,
            to,
            min_severity: channel.min_severity.as_str(),
            kinds: kinds.map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect()),
        }
    }
}

/// How each channel took a test alert, in their order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AlertsTestOut")]
struct TestOut {
    channels: Vec<TriedOut>,
}

/// How it went on one channel.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AlertChannelTestOut")]
struct TriedOut {
    /// `slack` or `email`.
    r#type: &'static str,
    /// Whether it was taken.
    ok: bool,
    /// What happened, as a sentence.
    detail: String,
}

impl From<Tried> for TriedOut {
    fn from(tried: Tried) -> Self {
        let (ok, detail) = match tried.outcome {
            Ok(()) => (true, "the alert was taken".to_owned()),
            Err(error) => (false, error.to_string()),
        };
        Self {
            r#type: tried.channel,
            ok,
            detail,
        }
    }
}

async fn get(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<AlertsOut>> {
    Ok(Json(api.app.alerts(&caller).await?.into()))
}

async fn put(State(api): State<Shared>, call: Call<AlertsIn>) -> Answer<NoContent> {
    call.caller.require_organisation()?;
    let input = call.json()?.into();
    api.app.set_alerts(&call.caller, input).await?;
    Ok(NoContent)
}

async fn test(
    State(api): State<Shared>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<TestOut>> {
    let tried = api.app.test_alerts(&caller).await?;
    let channels = tried.into_iter().map(Into::into).collect();
    Ok(Json(TestOut { channels }))
}
