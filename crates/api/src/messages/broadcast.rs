//! Broadcasts: one message to every application.

use super::incoming::own_bytes;
use crate::Shared;
use crate::background::begun;
use crate::body::Call;
use crate::bounds::{RetentionDays, RetentionHours, Word, Words};
use crate::operation::{Routes, organisation};
use crate::render::{Accepted, Answer};
use app::messages::MessageInput;
use axum::Json;
use axum::extract::State;
use model::message::MESSAGE_CHANNELS_MAX;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/msg/broadcast").post(
        organisation(
            "v1.message.broadcast",
            "Sends a message to every application, in the background",
        ),
        broadcast,
    )
}

/// A message to every application.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MessageBroadcastIn {
    #[schemars(with = "Word")]
    event_type: String,
    /// Unique in each application. One that has it already gets nothing.
    #[schemars(with = "Option<Word>")]
    event_id: Option<String>,
    #[schemars(with = "Option<Words<MESSAGE_CHANNELS_MAX>>")]
    channels: Option<Vec<String>>,
    #[schemars(with = "Map<String, Value>")]
    payload: Box<RawValue>,
    #[schemars(with = "Option<RetentionDays>")]
    payload_retention_period: Option<i64>,
    #[schemars(with = "Option<RetentionHours>")]
    payload_retention_hours: Option<i64>,
}

impl From<MessageBroadcastIn> for MessageInput {
    fn from(body: MessageBroadcastIn) -> Self {
        Self {
            event_type: body.event_type,
            event_id: body.event_id,
            channels: body.channels,
            payload: own_bytes(body.payload.into()),
            retention_days: body.payload_retention_period,
            retention_hours: body.payload_retention_hours,
            ..Self::default()
        }
    }
}

begun! {
    /// The background work that sends it. In the `data` of the work is how many `applications` it
    /// has come to, how many got a message (`messagesSent`), and in how many there was one with
    /// this `eventId` already (`conflicts`).
    MessageBroadcastOut;
}

async fn broadcast(
    State(api): State<Shared>,
    call: Call<MessageBroadcastIn>,
) -> Answer<Accepted<Json<MessageBroadcastOut>>> {
    // Others are refused before the body is judged.
    call.caller.require_organisation()?;
    let message = call.json()?.into();
    let begun = api.app.broadcast(&call.caller, message).await?;
    Ok(Accepted(Json(begun.into())))
}
