//! Examples, to try an endpoint with.

use crate::Shared;
use crate::body::Call;
use crate::bounds::Word;
use crate::messages::MessageOut;
use crate::operation::{Routes, organisation};
use crate::render::{Accepted, Answer};
use crate::segments::Segments;
use app::messages::ExampleInput;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example").post(
        organisation(
            "v1.endpoint.send-example",
            "Sends an example of an event type to an endpoint",
        ),
        send,
    )
}

/// An example that is to be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventExampleIn {
    /// Whose: an event type with `examples` in its JSON Schema, or `svix.ping`.
    #[schemars(with = "Word")]
    event_type: String,
    /// Which of its examples, counted from 0.
    example_index: Option<usize>,
}

impl From<EventExampleIn> for ExampleInput {
    fn from(body: EventExampleIn) -> Self {
        Self {
            event_type: body.event_type,
            index: body.example_index.unwrap_or_default(),
        }
    }
}

async fn send(
    State(api): State<Shared>,
    Segments((application, endpoint)): Segments<(String, String)>,
    call: Call<EventExampleIn>,
) -> Answer<Accepted<Json<MessageOut>>> {
    let tenant = api
        .app
        .application_for_organisation(&call.caller, &application)
        .await?;
    api.app.endpoint(&tenant, &endpoint)?;
    let body = call.json()?;
    let sent = api
        .app
        .send_example(&call.caller, (&tenant, &endpoint), body.into())
        .await?;
    Ok(Accepted(Json(sent.into())))
}
