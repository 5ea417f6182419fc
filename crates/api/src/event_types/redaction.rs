//! An event type's redaction rules: shapes, routes, handlers.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::Call;
use crate::operation::{Routes, organisation};
use crate::redaction::{RuleInOut, Rules};
use crate::render::{Answer, NoContent};
use crate::segments::Segments;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/event-type/{event_type_name}/redaction")
        .get(
            organisation(
                "v1.event-type.get-redaction",
                "What is taken from the payloads of its messages",
            ),
            get_one,
        )
        .put(
            organisation(
                "v1.event-type.set-redaction",
                "Says what is taken from the payloads of its messages, for all endpoints",
            ),
            put,
        )
        .delete(
            organisation(
                "v1.event-type.delete-redaction",
                "Takes its redaction rules away",
            ),
            delete,
        )
}

/// What is taken from the payloads of an event type's messages, whichever endpoint gets them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EventTypeRedaction")]
struct RedactionInOut {
    #[schemars(with = "Rules<1>")]
    rules: Vec<RuleInOut>,
}

/// What is taken from the payloads of an event type's messages, as it is carried with the event
/// type. No rules: nothing.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CarriedRedaction")]
pub(crate) struct CarriedRedaction {
    #[schemars(with = "Rules<0>")]
    pub(crate) rules: Vec<RuleInOut>,
}

async fn get_one(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<RedactionInOut>> {
    let rules = api.app.event_type_redaction(&caller, &name).await?;
    let rules = rules.iter().map(RuleInOut::from).collect();
    Ok(Json(RedactionInOut { rules }))
}

async fn put(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    call: Call<RedactionInOut>,
) -> Answer<NoContent> {
    api.app.event_type_to_change(&call.caller, &name).await?;
    let rules = call.json()?.rules.into_iter().map(Into::into).collect();
    api.app
        .set_event_type_redaction(&call.caller, &name, rules)
        .await?;
    Ok(NoContent)
}

async fn delete(
    State(api): State<Shared>,
    Segments(name): Segments<String>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    api.app.delete_event_type_redaction(&caller, &name).await?;
    Ok(NoContent)
}
