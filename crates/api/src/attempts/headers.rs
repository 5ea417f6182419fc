//! The headers of an attempt's request: shape, route, handler.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, application};
use crate::render::Answer;
use crate::segments::Segments;
use app::attempts::SentHeaders;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/headers").get(
        application(
            "v1.message-attempt.get-headers",
            "The headers that an attempt's request had",
        ),
        get,
    )
}

/// The headers of an attempt's request, made again from what is kept.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MessageAttemptHeadersOut {
    /// Names and values. Headers of the endpoint's own are among them only where the endpoint was
    /// not changed since.
    sent_headers: BTreeMap<String, String>,
    /// The names of those that were sent and whose values are not shown, such as the signature's.
    sensitive: BTreeSet<String>,
    /// What the receiver sent is not kept: always null.
    response_headers: Option<Vec<[String; 2]>>,
}

impl From<SentHeaders> for MessageAttemptHeadersOut {
    fn from(sent: SentHeaders) -> Self {
        Self {
            sent_headers: sent.headers,
            sensitive: sent.sensitive,
            response_headers: None,
        }
    }
}

async fn get(
    State(api): State<Shared>,
    Segments((application, message, attempt)): Segments<(String, String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageAttemptHeadersOut>> {
    let sent = api
        .app
        .attempt_headers(&caller, (&application, &message), &attempt)
        .await?;
    Ok(Json(sent.into()))
}
