//! Erasure: all that was sent of somebody, over all applications.

use crate::Shared;
use crate::background::begun;
use crate::body::Call;
use crate::bounds::Word;
use crate::operation::{Routes, organisation};
use crate::render::{Accepted, Answer};
use app::erasure::{ErasureInput, PLACE_LENGTH_MAX, PLACE_PATTERN, VALUE_LENGTH_MAX};
use app::{AppError, Violation};
use axum::Json;
use axum::extract::State;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

pub(super) fn routes() -> Routes {
    Routes::at("/api/v1/message/expunge").post(
        organisation(
            "v1.message.expunge",
            "Removes for good what was sent of somebody, and what was answered to it, in the \
             background",
        ),
        erase,
    )
}

/// Which messages are meant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageExpungeIn {
    r#where: Option<ValueAt>,
    tag: Option<String>,
}

/// A value at a place of the payload.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ValueAt {
    /// A JSON Pointer, such as `/customer/email`; or names with dots between them, such as
    /// `customers.*.email`, of which `*` is any.
    #[schemars(length(max = PLACE_LENGTH_MAX), regex(pattern = PLACE_PATTERN))]
    path: String,
    /// A text that is there; or a number, `true`, `false` or `null` as it is written there.
    #[schemars(length(min = 1, max = VALUE_LENGTH_MAX))]
    value: String,
}

/// One of both: the other is not there, or null.
impl JsonSchema for MessageExpungeIn {
    fn schema_name() -> Cow<'static, str> {
        "MessageExpungeIn".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let none = json!({ "type": "null" });
        let by_value = json!({
            "type": "object", "required": ["where"],
            "properties": { "where": generator.subschema_for::<ValueAt>(), "tag": none },
        });
        let by_tag = json!({
            "type": "object", "required": ["tag"],
            "properties": { "where": none, "tag": generator.subschema_for::<Word>() },
        });
        json_schema!({
            "description": "Which messages are meant, of all applications: by what is in their \
                            payloads, or by a tag.",
            "oneOf": [by_value, by_tag],
        })
    }
}

impl TryFrom<MessageExpungeIn> for ErasureInput {
    type Error = AppError;

    fn try_from(body: MessageExpungeIn) -> Result<Self, AppError> {
        match (body.r#where, body.tag) {
            (Some(ValueAt { path, value }), None) => Ok(Self::Where { path, value }),
            (None, Some(tag)) => Ok(Self::Tag(tag)),
            _ => {
                let text = "give one of `where` and `tag`".to_owned();
                Err(Violation::body(&[], text).into())
            }
        }
    }
}

begun! {
    /// The background work that removes it: of what was accepted before it was asked for. In the
    /// `data` of the work is how many messages it has looked at (`messagesLookedAt`), how many it
    /// has removed the contents of (`messagesPurged`), these by application (`applications`, a
    /// thousand at the most), and how many could not be read (`messagesUnreadable`).
    MessageExpungeOut;
}

async fn erase(
    State(api): State<Shared>,
    call: Call<MessageExpungeIn>,
) -> Answer<Accepted<Json<MessageExpungeOut>>> {
    // Others are refused before the body is judged.
    call.caller.require_organisation()?;
    let input = call.json()?.try_into()?;
    let begun = api.app.erase(&call.caller, input).await?;
    Ok(Accepted(Json(begun.into())))
}
