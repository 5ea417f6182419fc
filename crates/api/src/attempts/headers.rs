//! The headers of an attempt's request and of its response: shape, route, handler.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::operation::{Routes, application};
use crate::render::Answer;
use crate::segments::Segments;
use app::attempts::AttemptHeaders;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/headers").get(
        application(
            "v1.message-attempt.get-headers",
            "The headers that an attempt's request and its response had",
        ),
        get,
    )
}

/// The headers of an attempt's request, made again from what is kept, and those of its response.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MessageAttemptHeadersOut {
    /// Names and values. Headers of the endpoint's own are among them only where the endpoint was
    /// not changed since.
    sent_headers: BTreeMap<String, String>,
    /// The names of those that were sent and whose values are not shown, such as the signature's.
    sensitive: BTreeSet<String>,
    /// Names and values of what the receiver answered, in their order. Null where it took the
    /// message, or where they were expunged; at most 64 headers, 8 KiB in all. Values of cookies
    /// and of what authenticates are empty: they are not kept.
    response_headers: Option<Vec<[String; 2]>>,
}

impl From<AttemptHeaders> for MessageAttemptHeadersOut {
    fn from(AttemptHeaders { sent, response }: AttemptHeaders) -> Self {
        let pair = |(name, value)| [name, value];
        Self {
            sent_headers: sent.headers,
            sensitive: sent.sensitive,
            response_headers: response.map(|head| head.headers.into_iter().map(pair).collect()),
        }
    }
}

async fn get(
    State(api): State<Shared>,
    Segments((application, message, attempt)): Segments<(String, String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageAttemptHeadersOut>> {
    let headers = api
        .app
        .attempt_headers(&caller, (&application, &message), &attempt)
        .await?;
    Ok(Json(headers.into()))
}
