//! Payloads by themselves: as they are, and removing them.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::background::begun;
use crate::body::{Call, NoBody};
use crate::operation::{Routes, application, organisation};
use crate::render::{Accepted, Answer, NoContent};
use crate::segments::Segments;
use app::messages::{EXPUNGED_MAX, Expunged};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/app/{app_id}/msg/{msg_id}/content")
        .delete(
            organisation(
                "v1.message.expunge-content",
                "Removes a message's payload for good; what is open of it is ended",
            ),
            expunge,
        )
        .and_at("/api/v1/app/{app_id}/msg/{msg_id}/raw")
        .get(
            application(
                "v1.message.get-raw-payload",
                "A message's payload as the text that is sent",
            ),
            raw,
        )
        .and_at("/api/v1/app/{app_id}/msg/bulk-expunge")
        .post(
            organisation(
                "v1.message.bulk-expunge-content",
                "Removes the payloads of many messages for good",
            ),
            expunge_many,
        )
        .and_at("/api/v1/app/{app_id}/msg/expunge-all-contents")
        .post(
            organisation(
                "v1.message.expunge-all-contents",
                "Removes the payloads of all messages of an application for good",
            ),
            expunge_all,
        )
}

begun! {
    /// The background work that removes them: of what was accepted before it was asked for.
    ExpungeAllContentsOut;
}

/// A message's payload.
#[derive(Serialize, JsonSchema)]
struct MessageRawPayloadOut {
    /// Byte for byte as it is sent.
    payload: String,
}

/// Which messages' payloads are to be removed.
#[derive(Deserialize, JsonSchema)]
struct BulkExpungeContentsIn {
    /// Ids, or event ids.
    #[serde(default)]
    #[schemars(length(max = EXPUNGED_MAX))]
    ids: Vec<String>,
}

/// What became of each.
#[derive(Serialize, JsonSchema)]
struct BulkExpungeContentsOut {
    results: BTreeMap<String, BulkExpungeStatus>,
}

/// Whether a message was there.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum BulkExpungeStatus {
    Expunged,
    NotFound,
}

impl From<Expunged> for BulkExpungeContentsOut {
    fn from(expunged: Expunged) -> Self {
        let status = |found| match found {
            true => BulkExpungeStatus::Expunged,
            false => BulkExpungeStatus::NotFound,
        };
        let results = expunged.into_iter();
        Self {
            results: results.map(|(name, found)| (name, status(found))).collect(),
        }
    }
}

async fn expunge(
    State(api): State<Shared>,
    Segments((application, message)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<NoContent> {
    api.app
        .expunge_message(&caller, (&application, &message))
        .await?;
    Ok(NoContent)
}

async fn raw(
    State(api): State<Shared>,
    Segments((application, message)): Segments<(String, String)>,
    Authenticated(caller): Authenticated,
) -> Answer<Json<MessageRawPayloadOut>> {
    let payload = api
        .app
        .message_payload(&caller, (&application, &message))
        .await?;
    // Every payload came as a text.
    let payload = String::from_utf8_lossy(&payload).into_owned();
    Ok(Json(MessageRawPayloadOut { payload }))
}

async fn expunge_many(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    call: Call<BulkExpungeContentsIn>,
) -> Answer<Json<BulkExpungeContentsOut>> {
    let tenant = api
        .app
        .application_for_organisation(&call.caller, &application)
        .await?;
    let body = call.json()?;
    let expunged = api
        .app
        .expunge_messages(&call.caller, &tenant, body.ids)
        .await?;
    Ok(Json(expunged.into()))
}

async fn expunge_all(
    State(api): State<Shared>,
    Segments(application): Segments<String>,
    call: Call<NoBody>,
) -> Answer<Accepted<Json<ExpungeAllContentsOut>>> {
    let begun = api.app.expunge_all(&call.caller, &application).await?;
    Ok(Accepted(Json(begun.into())))
}
